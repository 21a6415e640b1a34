"""The order of the rooms: a module may import only from rooms before its own, and nobody imports the leaves."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "tinygrad_pt"
ROOMS = [
    "dtypes", "errors", "modes", "graph", "inplace", "ops", "autograd", "printing", "random", "functions", "tensor",
    "nn", "optim", "utils", "datasets", "models",
]  # fmt: skip
LEAVES = ["viz", "testing", "linting", "compile", "io", "distributed"]
FILES = sorted(p for p in PACKAGE.rglob("*.py") if p.name != "__init__.py" or p.parent != PACKAGE)


def room(path: Path) -> str:
    """The room a file of the package belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """The rooms a file imports, at its top or inside its functions."""
    return imports_of(path.read_text(encoding="utf-8"), path.relative_to(PACKAGE).parts[:-1])


def imports_of(source: str, inside: tuple[str, ...] = ()) -> set[str]:
    """The rooms imported by the source of a file that lies `inside` these folders of the package."""
    found = set()
    tree = ast.parse(source)
    for node in list(ast.walk(tree)):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []  # read by type checkers alone: nothing is imported when the program runs
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level:
            base = ("tinygrad_pt", *inside)[: len(inside) + 2 - node.level]
            names = [".".join((*base, node.module or alias.name)) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module] if node.module != "tinygrad_pt" else [f"tinygrad_pt.{a.name}" for a in node.names]
        else:
            continue
        found.update(name.split(".")[1] for name in names if name and name.startswith("tinygrad_pt."))
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    here = room(path)
    if here in ("__main__", "cuda"):
        return
    allowed = {here}
    if here in LEAVES:
        allowed |= {*ROOMS, here}
    else:
        assert here in ROOMS, f"{here} is a room nobody knows: give it a place in ROOMS and in docs/architecture.md"
        allowed |= set(ROOMS[: ROOMS.index(here)])
    assert imported(path) <= allowed, f"{path.name} imports {sorted(imported(path) - allowed)}, which come after {here}"


def test_every_room_exists_or_is_still_to_come() -> None:
    present = {room(p) for p in FILES}
    assert present <= {*ROOMS, *LEAVES, "__main__", "cuda"}


def test_the_one_name_that_points_up_is_fetched_when_asked_for() -> None:
    """`autograd.gradcheck` lives in the leaf `testing.compat`: PyTorch's path to it, and no import at load time."""
    code = (
        "import sys, tinygrad_pt as torch; assert 'tinygrad_pt.testing' not in sys.modules; torch.autograd.gradcheck; "
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
    assert imports_of("if TYPE_CHECKING:\n    from tinygrad_pt import nn\nelse:\n    import tinygrad_pt.viz") == {"viz"}
    assert imports_of("from . import model\nfrom .svg import paint\nfrom .. import graph", ("viz",)) == {"viz", "graph"}
