"""Memory that a step has freed is there for the next one: it meets no new pages."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource
import numpy as np
{}

def step():
    kept = [np.ones(750_000, np.float32) for _ in range(10)]

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

step(), step()
before = faults()
step()
print(faults() - before)
"""


def faults(first: str) -> int:
    found = subprocess.run([sys.executable, "-c", PROGRAM.format(first)], capture_output=True, text=True, check=True)
    return int(found.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library has another heap")
def test_a_step_meets_no_new_pages() -> None:
    pages = 10 * 3_000_000 // 4096
    assert faults("") > pages / 2  # what the module is for
    assert faults("import tinygrad_pt") < pages / 20
