"""Errors have one builder: in these folders every `raise` of a new exception goes through `refuse`."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "tinygrad_pt"
FOLDERS = ("functions", "nn", "optim", "utils", "datasets", "models")
FILES = sorted(p for folder in FOLDERS for p in (PACKAGE / folder).rglob("*.py"))
# Each of these returns what `refuse` has built; `unfit`, that or the exception that was caught.
BUILDERS = {
    "refuse",
    "unsupported",
    "not_a",
    "missing",
    "no_overload",
    "no_bools",
    "_not_a",
    "_shapes_differ",
    "wrong_type",
    "unfit",
    "_unfit",
    "_uninitialised",
    "_wrong_dim",
    "no_cuda",
    "absent",
}


def bare_raises(source: str) -> list[str]:
    """The `raise` statements that make an exception without `refuse`.

    To raise a caught one again is fine, and so is StopIteration, by which Python ends a loop.
    """
    return [
        f"line {node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Raise)
        and node.exc is not None
        and not (isinstance(node.exc, ast.Name) and (node.exc.id.islower() or node.exc.id == "StopIteration"))
        and not (isinstance(node.exc, ast.Call) and getattr(node.exc.func, "id", "") in BUILDERS)
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_every_error_is_built_by_refuse(path: Path) -> None:
    found = bare_raises(path.read_text(encoding="utf-8"))
    assert not found, "raise refuse(kind, text, op, *args, mend=...) instead of\n" + "\n".join(found)


def test_a_bare_raise_is_found() -> None:
    source = "def f(e):\n    raise refuse(TypeError, 't')\n    raise e\n    raise\n"
    assert bare_raises(source) == []
    assert bare_raises("raise ValueError('x')\nraise KeyError\nraise a.Error()") == [
        "line 1: raise ValueError('x')",
        "line 2: raise KeyError",
        "line 3: raise a.Error()",
    ]
