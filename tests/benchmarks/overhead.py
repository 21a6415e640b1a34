"""What the debugging aids cost where nobody uses them: this tree against another revision, run in turn.

Run `python -m tests.benchmarks.overhead --base REV`. Each measurement is the processor time of a fresh process on one
core; the trees alternate, so that whatever else the machine does meets both; the ratio is the median of the ratios of
neighbours.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BOUND = 1.01

PROGRAM = """
import gc, sys, time
sys.path.insert(0, {tree!r})
import numpy as np
import tinygrad_pt as torch
from tinygrad_pt import nn
assert torch.__file__.startswith({tree!r}), torch.__file__
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
x, target = torch.randn(4, 2), torch.randn(4, 1)

def step():  # one training step of a small network: calls of modules, backward, writes in place
    loss = nn.functional.mse_loss(model(x), target)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

a = torch.tensor(0.5, requires_grad=True)

def chain():  # single ops: the record and the walk, and little else
    y = a
    for _ in range(50):
        y = (y * 1.01 + a).tanh()
    y.backward()
    a.grad = None

b = torch.ones(8)

def writes():  # in place, and out of the graph
    for _ in range(50):
        b.mul_(1.0)
        b.detach()

def best(f, n):
    for _ in range(n // 4):
        f()
    gc.collect(); gc.disable()
    times = []
    for _ in range(7):
        start = time.process_time()
        for _ in range(n):
            f()
        times.append((time.process_time() - start) / n)
        gc.collect()
    gc.enable()
    return min(times)

print(*(best(f, n) * 1e6 for f, n in ((step, 400), (chain, 200), (writes, 200))))
"""
NAMES = ("training step", "chain of 150 ops", "50 writes, 50 detach()")


@contextmanager
def checkout(revision: str) -> Iterator[Path]:
    """The tree of a revision, in a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "base"
        subprocess.run(
            ["git", "worktree", "add", "--detach", "--quiet", str(tree), revision], cwd=ROOT, check=True
        )  # fmt: skip
        try:
            yield tree
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(tree)], cwd=ROOT, check=True)


def measure(tree: Path) -> list[float]:
    """Microseconds per workload, in a fresh process."""
    env = os.environ | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    env.pop("PYTHONPATH", None)
    program = PROGRAM.format(tree=str(tree))
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=env, cwd=tree)
    return [float(x) for x in run.stdout.split()]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", default="HEAD", help="the revision to compare with")
    parser.add_argument("--pairs", type=int, default=15, help="measurements of each tree")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    here, base = [], []
    with checkout(options.base) as tree:
        measure(ROOT), measure(tree)  # compiled files
        for i in range(options.pairs):
            for mine in (True, False) if i % 2 else (False, True):
                (here if mine else base).append(measure(ROOT if mine else tree))
    held = True
    for k, name in enumerate(NAMES):
        mine, other = ([row[k] for row in rows] for rows in (here, base))
        ratio = statistics.median(a / b for a, b in zip(mine, other, strict=True))
        held &= k > 0 or ratio <= BOUND
        print(
            f"{name:<24} here {statistics.median(mine):8.1f} µs, {options.base} {statistics.median(other):8.1f} µs, "
            f"ratio {ratio:.3f}" + (f" (bound {BOUND})" if k == 0 else "")
        )
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
