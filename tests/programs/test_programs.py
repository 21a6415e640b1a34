"""Programs as people write them for PyTorch: with this package in PyTorch's place they print the same."""

from __future__ import annotations

import ast
import contextlib
import io
import random
import sys
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

PROGRAMS = sorted(path for path in Path(__file__).parent.glob("*.py") if not path.name.startswith("test_"))


class Instead(ast.NodeTransformer):
    """Imports of `torch` become imports of `tinygrad_pt`, under the names that the program uses."""

    def visit_Import(self, node: ast.Import) -> list[ast.stmt]:
        found: list[ast.stmt] = []
        for alias in node.names:
            room, _, rest = alias.name.partition(".")
            if room != "torch":
                found.append(ast.Import([alias]))
            elif alias.asname or not rest:
                found.append(ast.Import([ast.alias(self.ours(alias.name), alias.asname or "torch")]))
            else:  # `import torch.nn` binds `torch`
                found.append(ast.Import([ast.alias(self.ours(alias.name), "_")]))
                found.append(ast.Import([ast.alias("tinygrad_pt", "torch")]))
        return found

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom:
        if node.module and node.module.partition(".")[0] == "torch":
            node.module = self.ours(node.module)
        return node

    @staticmethod
    def ours(name: str) -> str:
        return "tinygrad_pt" + name.removeprefix("torch")


def printed(path: Path, ours: bool) -> tuple[str, list[str]]:
    """What a program prints, and the warnings it gives."""
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    if ours:
        tree = ast.fix_missing_locations(Instead().visit(tree))
    module = ModuleType("program")  # dataclasses and pickle look for the module of a class
    state, drawn = random.getstate(), np.random.get_state()
    out = io.StringIO()
    try:
        sys.modules["program"] = module
        with contextlib.redirect_stdout(out), warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            exec(compile(tree, str(path), "exec"), vars(module))
    finally:
        del sys.modules["program"]
        random.setstate(state)
        np.random.set_state(drawn)
    return out.getvalue(), sorted({w.category.__name__ for w in heard if issubclass(w.category, FutureWarning)})


@pytest.fixture
def torch() -> Any:
    torch = pytest.importorskip("torch")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield torch
    torch.set_num_threads(threads)


@pytest.mark.parametrize("path", PROGRAMS, ids=[path.stem for path in PROGRAMS])
def test_it_prints_what_it_prints_with_pytorch(torch: Any, path: Path) -> None:
    assert printed(path, ours=True) == printed(path, ours=False)


def test_there_is_one_of_every_family() -> None:
    assert len(PROGRAMS) >= 30
