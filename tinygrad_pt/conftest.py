"""The examples in docstrings call the package `torch`, as its users do."""

from typing import Any

import pytest

import tinygrad_pt


@pytest.fixture(autouse=True, scope="session")
def torch_in_examples(doctest_namespace: dict[str, Any]) -> None:
    doctest_namespace["torch"] = tinygrad_pt
