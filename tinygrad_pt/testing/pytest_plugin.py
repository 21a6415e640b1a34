"""The fixture `graph_snapshot` calls this module: `pytest_tinygrad_pt` imports it when the fixture is used."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tinygrad_pt.testing.graph_text import graph_difference, graph_text

FOLDER = "__graph_snapshots__"


class StoredGraphs:
    """The stored graphs of one test, in text files beside it."""

    def __init__(self, test_file: Path, test_name: str, update: bool = False) -> None:
        self.folder = Path(test_file).parent / FOLDER / Path(test_file).stem
        self.test, self.update, self.count = test_name, update, 0

    def __call__(self, *results: Any, name: str = "") -> None:
        """Assert that the graph behind these tensors has the stored structure.

        The text is `testing.graph_text`; it lies in `__graph_snapshots__`, beside the test's file, and belongs under
        version control. `pytest --graph-snapshot-update` stores what is there now.

        Args:
            results: the tensors whose graph it is.
            name: tells several snapshots of one test apart (default: their number).

        Raises:
            AssertionError: with what was added, is gone, or changed; or that nothing is stored yet.
        """
        __tracebackhide__ = True
        text = graph_text(*results)
        self.count += 1
        suffix = name or (str(self.count) if self.count > 1 else "")
        file = re.sub(r"[^\w.\[\]-]+", "_", f"{self.test}-{suffix}" if suffix else self.test)
        path = self.folder / f"{file}.txt"
        if self.update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text + "\n", encoding="utf-8")
            return
        advice = "\n\nIf that is as it should be: pytest --graph-snapshot-update"
        if not path.exists():
            raise AssertionError(f"no graph is stored in {path}; it would be\n\n{text}{advice}")
        difference = graph_difference(path.read_text(encoding="utf-8").rstrip("\n"), text)
        if difference:
            raise AssertionError(f"the graph is not the one stored in {path}\n\n{difference}{advice}")
