"""docs/names.md is made from the code, and the list of PyTorch's names is that of PyTorch."""

import subprocess
import sys

import pytest

from tests import names_page

pytestmark = pytest.mark.long


def test_the_page_is_up_to_date() -> None:
    told = "write it anew: python -m tests.names_page --write"
    assert names_page.PAGE.read_text(encoding="utf-8") == names_page.page(), told
    assert names_page.NUMPY_PAGE.read_text(encoding="utf-8") == names_page.numpy_page(), told


def test_the_recorded_names_are_those_of_pytorch() -> None:
    """In an interpreter of its own: what other tests import of PyTorch becomes an attribute of its packages."""
    pytest.importorskip("torch")
    told = "from tests import names_page; print(names_page.record(), end='')"
    ran = subprocess.run([sys.executable, "-c", told], cwd=names_page.ROOT, capture_output=True, text=True, check=True)
    assert names_page.RECORD.read_text(encoding="utf-8") == ran.stdout
