"""The order of the rooms: a module may import only from rooms before its own, and nobody imports the leaves."""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "tinygrad_pt"
ROOMS = [
    "portuguese", "language", "errors", "files", "dtypes", "texts", "lines", "quiet", "heap", "modes", "listening",
    "leaves", "names", "attached", "graph", "symbol", "half", "views", "calling", "inplace", "ops", "autograd",
    "printing", "random", "functions", "tensor", "linalg", "special", "masked", "nn", "optim", "utils", "datasets",
    "models", "compat",
]  # fmt: skip
LEAVES = [
    "debugging",
    "viz",
    "testing",
    "linting",
    "compile",
    "serialization",
    "io",
    "distributed",
    "demo",
]  # each may use those before it
FILES = sorted(p for p in PACKAGE.rglob("*.py") if p.name != "__init__.py" or p.parent != PACKAGE)


def room(path: Path) -> str:
    """The room a file of the package belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """The rooms a file imports, at its top or inside its functions."""
    return {name.split(".")[1] for name in names_of(path)}


def names_of(path: Path) -> set[str]:
    return names_in(path.read_text(encoding="utf-8"), path.relative_to(PACKAGE).parts[:-1])


def imports_of(source: str, inside: tuple[str, ...] = ()) -> set[str]:
    """The rooms imported by the source of a file that lies `inside` these folders of the package."""
    return {name.split(".")[1] for name in names_in(source, inside)}


class Running(ast.NodeTransformer):
    """What runs: without the imports that only type checkers read."""

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return node.orelse
        return self.generic_visit(node)


def names_in(source: str, inside: tuple[str, ...] = ()) -> set[str]:
    """The full names of what is imported from the package."""
    found: set[str] = set()
    for node in ast.walk(Running().visit(ast.parse(source))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level:
            base = ("tinygrad_pt", *inside)[: len(inside) + 2 - node.level]
            names = [".".join((*base, *filter(None, (node.module, alias.name)))) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{a.name}" for a in node.names]
        else:
            continue
        found.update(name for name in names if name and name.startswith("tinygrad_pt."))
    return found


def module_of(path: Path) -> str:
    parts = ("tinygrad_pt", *path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def files_imported(path: Path, modules: set[str]) -> set[str]:
    """The files of the package that a file imports: the longest name that is a module."""
    found = set()
    for name in names_of(path):
        while name and name not in modules:  # a name of the package's own __init__ ends empty
            name = name.rpartition(".")[0]
        found.add(name)
    return found - {"", "tinygrad_pt", module_of(path)}


def test_no_circle_among_files() -> None:
    """A package's `__init__` is a table of contents: what it imports may name the package's own files."""
    modules = {module_of(p): p for p in FILES}
    graph = {name: files_imported(path, set(modules)) for name, path in modules.items()}
    for name, path in modules.items():
        if path.name == "__init__.py":
            for inner in modules:
                if inner.startswith(f"{name}."):
                    graph[inner].discard(name)
    tuple(graphlib.TopologicalSorter(graph).static_order())  # raises CycleError, which names the circle


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    here = room(path)
    if here in ("__main__", "conftest"):
        return
    allowed = {here}
    if here in LEAVES:
        allowed |= {*ROOMS, *LEAVES[: LEAVES.index(here)]}
    else:
        assert here in ROOMS, f"{here} is a room nobody knows: give it a place in ROOMS and in docs/architecture.md"
        allowed |= set(ROOMS[: ROOMS.index(here)])
    assert imported(path) <= allowed, f"{path.name} imports {sorted(imported(path) - allowed)}, which come after {here}"


def test_every_room_exists_or_is_still_to_come() -> None:
    present = {room(p) for p in FILES}
    assert present <= {*ROOMS, *LEAVES, "__main__", "conftest"}


def test_names_of_leaves_are_fetched_when_asked_for() -> None:
    """`autograd.gradcheck` lives in the leaf `testing.compat`: PyTorch's path to it, and no import at load time."""
    code = (
        "import sys, tinygrad_pt as torch; "
        "assert not {'tinygrad_pt.testing', 'tinygrad_pt.debugging'} & {*sys.modules}; "
        "torch.autograd.gradcheck; torch.autograd.detect_anomaly; "
        "from tinygrad_pt.testing import compat; assert torch.autograd.gradgradcheck is compat.gradgradcheck; "
        "assert torch.autograd.GradcheckError is compat.GradcheckError"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=PACKAGE.parent)


def test_every_form_of_import_is_seen() -> None:
    source = (
        "import tinygrad_pt.nn.module\nfrom tinygrad_pt import viz, ops\nfrom tinygrad_pt.optim import SGD\n"
        "def f():\n    from tinygrad_pt.io import save\n"
    )
    assert imports_of(source) == {"nn", "viz", "ops", "optim", "io"}
    assert imports_of("from . import model\nfrom .svg import paint\nfrom .. import graph", ("viz",)) == {"viz", "graph"}
    assert imports_of(
        "if TYPE_CHECKING:\n    from tinygrad_pt.tensor import Tensor\nelse:\n    import tinygrad_pt.ops"
    ) == {"ops"}
