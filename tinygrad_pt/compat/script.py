"""Which names of PyTorch's a script uses that are not here: read from its text, without running it."""

from __future__ import annotations

import ast
import tokenize
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from tinygrad_pt.compat.instead import instead
from tinygrad_pt.compat.vocabulary import here, vocabulary
from tinygrad_pt.language import chosen
from tinygrad_pt.names import module_at
from tinygrad_pt.texts import DOCTOR

PACKAGES = ("torch", "tinygrad_pt")


class Missing(NamedTuple):
    """A name that is not here: its path below torch, the lines that use it, and whether that is only likely."""

    path: str
    lines: tuple[int, ...]
    perhaps: bool = False


class Reader(ast.NodeVisitor):
    """Follows the names under which a script has imported PyTorch."""

    def __init__(self) -> None:
        self.bound: dict[str, str] = {}  # a name of the script's -> a path below torch, "" for torch itself
        self.missing: dict[tuple[str, bool], list[int]] = {}

    def note(self, path: str, line: int, perhaps: bool = False) -> None:
        self.missing.setdefault((path, perhaps), []).append(line)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            package, _, inner = alias.name.partition(".")
            if package in PACKAGES:
                absent = first_missing(inner)
                if absent:
                    self.note(absent, node.lineno)
                self.bound[alias.asname or package] = inner if alias.asname else ""

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        package, _, inner = (node.module or "").partition(".")
        if package not in PACKAGES or node.level:
            return
        absent = first_missing(inner)
        if absent:
            self.note(absent, node.lineno)
            return
        for alias in node.names:
            if alias.name == "*":
                continue
            path = f"{inner}.{alias.name}" if inner else alias.name
            if first_missing(path):
                self.note(path, node.lineno)
            self.bound[alias.asname or alias.name] = path

    def visit_Attribute(self, node: ast.Attribute) -> None:
        path = self.path_of(node)
        if path is not None:
            absent = first_missing(path)
            if absent:
                self.note(absent, node.lineno)
            return
        self.generic_visit(node)
        if isinstance(node.ctx, ast.Load) and node.attr in LACKING:
            self.note(f"Tensor.{node.attr}", node.lineno, perhaps=True)

    def path_of(self, node: ast.expr) -> str | None:
        """The path below torch that a chain of attributes names; None if it begins otherwise."""
        if isinstance(node, ast.Name):
            return self.bound.get(node.id)
        if isinstance(node, ast.Attribute):
            start = self.path_of(node.value)
            return None if start is None else f"{start}.{node.attr}" if start else node.attr
        return None


LACKING = frozenset(name for name in vocabulary()["Tensor"] if not here("Tensor", name))


def first_missing(path: str) -> str:
    """The shortest beginning of a path that is not here; "" if all of it is."""
    space = ""
    for i, name in enumerate(path.split(".") if path else ()):
        if not here(space, name):
            return ".".join(path.split(".")[: i + 1])
        space = f"{space}.{name}" if space else name
        if space == "Tensor":
            continue
        if not isinstance(module_at(space), ModuleType):
            return ""  # a class, a function or a value: what it has inside is not looked into
    return ""


def own_names(tree: ast.AST) -> Iterator[str]:
    """The functions, methods and attributes that a script defines itself."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr


def read(source: str | bytes, name: str = "<script>") -> list[Missing]:
    """The names of PyTorch's that a source uses and that are not here; methods of tensors as likely ones."""
    tree = ast.parse(source, name)
    reader = Reader()
    for node in ast.walk(tree):  # imports inside functions first, since names may be used above them
        if isinstance(node, ast.Import):
            reader.visit_Import(node)
        elif isinstance(node, ast.ImportFrom):
            reader.visit_ImportFrom(node)
    reader.missing.clear()
    reader.visit(tree)
    own = set(own_names(tree))
    uses_torch = bool(reader.bound)
    found = [
        Missing(path, tuple(sorted(set(lines))), perhaps)
        for (path, perhaps), lines in reader.missing.items()
        if not perhaps or (uses_torch and path.rpartition(".")[2] not in own)
    ]
    return sorted(found, key=lambda missing: (missing.perhaps, missing.lines[0], missing.path))


def report(script: Path, lang: str | None = None) -> tuple[str, int]:
    """What is said about a script, and the exit status: 0 all is here, 1 names are not, 2 it cannot be read."""
    say = DOCTOR[chosen(lang)]
    try:
        with tokenize.open(script) as file:
            missing = read(file.read(), str(script))
    except (OSError, SyntaxError, ValueError) as error:
        return say["unreadable"].format(script, getattr(error, "strerror", None) or error), 2
    lines = []
    for path, where, perhaps in missing:
        space, _, name = path.rpartition(".")
        text = say["perhaps" if perhaps else "missing"].format(f"torch.{path}", name)
        mend = instead(space, name)
        lines.append(f"{script}:{','.join(map(str, where))}: {text}" + (f"\n    {mend}" if mend else ""))
    sure = sum(not m.perhaps for m in missing)
    lines.append(say["none"] if not missing else say["sum"].format(sure, len(missing) - sure))
    if missing:
        lines.append(say["where"])
    return "\n".join(lines), int(sure > 0)
