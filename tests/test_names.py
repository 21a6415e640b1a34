"""Where a name is public: PyTorch's functions and methods are both here, and what is listed in a table is whole."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import tinygrad_pt as torch
from tests.nn import table as modules
from tests.ops import table as primitives
from tests.optim import table as optimizers
from tinygrad_pt import functions, graph, nn, optim

ROOT = Path(__file__).parents[1]
RECORDED = Path(__file__).parent / "names_of_pytorch.txt"  # PyTorch's functions, an empty line, and its methods
OTHERWISE = {"where", "polygamma", "real", "imag"}  # with the arguments in another order, or attributes, in PyTorch too


def names_of(pytorch: Any) -> tuple[set[str], set[str]]:
    """The names of PyTorch's functions and of its methods."""
    called = {n for n in dir(pytorch) if callable(getattr(pytorch, n)) and not isinstance(getattr(pytorch, n), type)}
    return {n for n in called if not n.startswith("_")}, {n for n in dir(pytorch.Tensor) if not n.startswith("_")}


def recorded() -> tuple[set[str], set[str]]:
    """The same, as they were in PyTorch 2.13."""
    first, second = RECORDED.read_text(encoding="utf-8").split("\n\n")
    return set(first.split()), set(second.split())


def defined() -> dict[str, Any]:
    """By name, every op of ours and every function that a file of `functions` defines."""
    found: dict[str, Any] = dict.fromkeys(graph.OPS)
    for file in functions.FILES:
        found |= {n: f for n, f in vars(file).items() if inspect.isfunction(f) and f.__module__ == file.__name__}
    return {n: f for n, f in found.items() if not n.startswith("_")}


def lost(ours: set[str], theirs: tuple[set[str], set[str]]) -> list[str]:
    """What PyTorch has as function or as method, and we have, but not there; or not one definition for both."""
    found = []
    for name in sorted(ours):
        is_function = name in theirs[0] and not hasattr(nn.functional, name)  # a loss is one in nn.functional
        if is_function and not hasattr(torch, name):
            found.append(f"torch.{name}")
        elif name in theirs[1] and not hasattr(torch.Tensor, name):
            found.append(f"Tensor.{name}")
        elif is_function and name in theirs[1] - OTHERWISE:
            if getattr(torch, name) is not inspect.getattr_static(torch.Tensor, name):
                found.append(f"torch.{name} is not Tensor.{name}")
    return found


def ours() -> set[str]:
    """All names that the law is about."""
    functions = (n for n in torch.__all__ if callable(getattr(torch, n, None)))
    return {
        *defined(),
        *functions,
        *(n for n in dir(torch.Tensor) if not n.startswith("_") and hasattr(torch.Tensor, n)),
    }


# ------------------------------------------------------------------------------------------ one list of names
def test_what_pytorch_has_as_function_and_as_method_is_both_here() -> None:
    missing = lost(ours(), recorded())
    assert not missing, (
        f"{missing}: a function is public by `__all__` of its file in functions/, a method by the class there"
    )


def test_the_recorded_names_are_those_of_pytorch() -> None:
    pytorch = pytest.importorskip("torch")
    assert recorded() == names_of(pytorch), "write the new names into tests/names_of_pytorch.txt"


def test_the_law_sees_what_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lost({"exp", "view", "one_hot"}, recorded()) == []
    assert lost({"absent", "absent_"}, ({"absent"}, {"absent", "absent_"})) == ["torch.absent", "Tensor.absent_"]
    monkeypatch.delattr(torch, "erf")
    monkeypatch.setattr(torch, "exp", torch.exp2)
    assert lost(ours(), recorded()) == ["torch.erf", "torch.exp is not Tensor.exp"]


@pytest.mark.parametrize("file", functions.FILES, ids=lambda m: m.__name__)
def test_what_a_file_exports_is_what_is_public(file: ModuleType) -> None:
    assert sorted(file.__all__) == sorted(set(file.__all__)), "a name twice"
    for name in file.__all__:
        assert getattr(torch, name) is getattr(functions, name) is getattr(file, name)


def test_helpers_stay_private() -> None:
    public = {n for file in functions.FILES for n in file.__all__}
    for file in functions.FILES:
        for name in set(vars(file)) - public:
            thing = getattr(file, name)
            leaked = getattr(thing, "__module__", "") == file.__name__ and getattr(torch, name, None) is thing
            assert not leaked, f"{name} of {file.__name__} is public, and not in its __all__"
    for name in ("expect_tensor", "fresh", "promoted", "wrap", "refuse", "np", "Handle", "write", "one_hot"):
        assert not hasattr(torch, name) and name not in torch.__all__
    assert set(torch.__all__) <= set(dir(torch)) and not [n for n in torch.__all__ if n.startswith("_")]


# ------------------------------------------------------------------------------------------ the tables are whole
def test_every_op_has_its_row() -> None:
    code = "import tinygrad_pt as torch; torch.nn, torch.optim; print(*torch.graph.OPS)"  # no op of another test
    ops = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT).stdout
    heard_alone = {"detach"}  # leaves no vertex, and has no derivative
    assert set(ops.split()) - primitives.STRUCTURE - heard_alone == set(primitives.ROWS), "tests/ops/table.py lacks it"


def classes(package: ModuleType, base: type) -> set[str]:
    """The names of the classes, derived from `base` in the files of a package, that are the base of no other."""
    found: set[type] = set()
    for file in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if file.name.startswith("tinygrad_pt.nn.utils."):  # what these make, no program names
            continue
        for kind in vars(importlib.import_module(file.name)).values():
            if isinstance(kind, type) and issubclass(kind, base) and kind.__module__ == file.name:
                found.add(kind)
    return {kind.__name__ for kind in found - {b for kind in found for b in kind.__mro__[1:]}}


@pytest.mark.parametrize(
    "package, base, rows",
    [(nn, nn.Module, modules.ROWS), (optim, optim.Optimizer, {*optimizers.ROWS, *optimizers.WHOLE})],
)
def test_every_module_and_optimizer_is_public_and_has_its_row(package: ModuleType, base: type, rows: Any) -> None:
    kinds = classes(package, base) - {"NonDynamicallyQuantizableLinear"}  # PyTorch does not export it either
    assert len(kinds) > 3 and kinds <= set(vars(package)), f"{package.__name__} does not export it"
    assert kinds - modules.ABSTRACT <= set(rows), f"no row in the table of {package.__name__} in tests"
