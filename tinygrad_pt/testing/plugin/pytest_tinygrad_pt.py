"""pytest's side of `tinygrad_pt.testing`: options and a fixture, and until they are used not one import.

pytest loads this at the start of every run of every project in the environment. It is installed beside the package, as
a module of its own, because to import `tinygrad_pt.anything` is to import NumPy and the whole engine.
"""

from __future__ import annotations

from typing import Any

import pytest

examples: int | None = None  # what --gradcheck-examples said; `gradient_property` reads it here


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options."""
    group = parser.getgroup("tinygrad_pt", "gradients and graphs (tinygrad_pt)")
    text = "how many examples every gradient_property draws"
    group.addoption("--gradcheck-examples", type=int, metavar="N", default=None, help=text)
    group.addoption("--graph-snapshot-update", action="store_true", help="store the graphs that graph_snapshot sees")


def pytest_configure(config: pytest.Config) -> None:
    """Remember the number of examples for the properties that will be collected."""
    global examples
    examples = config.getoption("gradcheck_examples", default=None)
    if examples is not None and examples < 1:
        raise pytest.UsageError("--gradcheck-examples must be at least 1")


@pytest.fixture
def graph_snapshot(request: pytest.FixtureRequest) -> Any:
    """Assert that the graph behind tensors has the stored structure: `graph_snapshot(loss)`, once or more per test."""
    from tinygrad_pt.testing.pytest_plugin import StoredGraphs

    update = request.config.getoption("graph_snapshot_update", default=False)
    return StoredGraphs(request.path, request.node.name, update=update)
