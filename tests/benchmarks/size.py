"""How large the package is, room by room, and how much of it has a type.

Run `python -m tests.benchmarks.size`; with `--write` it also brings the figures up to date that README.md and
docs/architecture.md quote. Two marks, each a comment on a line of its own, say where they are quoted: the line after
`<!-- size: summary -->` is written anew, and in the table after `<!-- size: rooms -->` the last column is filled in:
the lines of code of the rooms that the first column names.

What counts:

* A line of code holds a part of a statement: blank lines, comments and docstrings are none.
* A room is a folder or file directly in `tinygrad_pt/`.
* Types: every `def` counts, methods and functions inside functions too, a lambda does not. A return is untyped if it
  is annotated with a bare `Any`, or not at all; a parameter likewise. `self`, `cls`, `*args` and `**kwargs` do not
  count as parameters. At commit 85fb124 this gives 580 of 1,082 returns and 1,149 of 2,152 parameters.
"""

from __future__ import annotations

import argparse
import ast
import io
import re
import tokenize
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "tinygrad_pt"
PAGES = ("README.md", "docs/architecture.md")  # they quote the figures

CORE = [
    "graph.py", "symbol.py", "calling.py", "ops/__init__.py", "ops/elementwise.py", "ops/shape.py", "ops/reduce.py",
    "ops/index.py", "ops/linalg.py", "autograd/engine.py", "tensor.py",
]  # fmt: skip
TYPED = ["functions", "nn", "optim", "autograd", "tensor", "ops"]  # the rooms that a user's editor asks for types
CORE_BOUND, RETURNS_BOUND, PARAMETERS_BOUND = 1_500, 0.05, 0.20  # each: at most

NO_CODE = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@cache
def code_lines(source: str) -> int:
    """How many lines hold code: no blank ones, no comments, no docstrings."""
    code: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in NO_CODE:
            code.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            code.difference_update(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    return len(code)


class Room(NamedTuple):
    """A room, or a file: how many files, lines of code, and lines of any kind."""

    name: str
    files: int
    code: int
    lines: int


def measure(name: str, files: Iterable[Path]) -> Room:
    """The size of some files, as one room."""
    sources = [file.read_text(encoding="utf-8") for file in files]
    return Room(name, len(sources), sum(map(code_lines, sources)), sum(source.count("\n") for source in sources))


def room_of(file: Path) -> str:
    """The name of the room that a file of the package lies in."""
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def rooms() -> list[Room]:
    """All rooms of the package, by name."""
    files = sorted(PACKAGE.rglob("*.py"))
    return [measure(name, [f for f in files if room_of(f) == name]) for name in sorted(set(map(room_of, files)))]


def core() -> list[Room]:
    """The files of the core that exist, one by one."""
    return [measure(name, [PACKAGE / name]) for name in CORE if (PACKAGE / name).exists()]


class Typing(NamedTuple):
    """How many returns and parameters are untyped, of how many."""

    name: str
    untyped_returns: int
    returns: int
    untyped_parameters: int
    parameters: int


def untyped(annotation: ast.expr | None) -> bool:
    """Whether an annotation is a bare `Any`, or missing."""
    return annotation is None or ast.unparse(annotation).strip("'\"").removeprefix("typing.") == "Any"


def typing_of(name: str, sources: Iterable[str]) -> Typing:
    """The functions of some sources, counted."""
    nodes = [node for source in sources for node in ast.walk(ast.parse(source))]
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    signatures = [function.args for function in functions]
    every = [one for args in signatures for one in (*args.posonlyargs, *args.args, *args.kwonlyargs)]
    parameters = [untyped(one.annotation) for one in every if one.arg not in ("self", "cls")]
    returns = [untyped(function.returns) for function in functions]
    return Typing(name, sum(returns), len(returns), sum(parameters), len(parameters))


def types() -> list[Typing]:
    """The typed rooms, one by one."""
    files = sorted(PACKAGE.rglob("*.py"))
    return [
        typing_of(name, [file.read_text(encoding="utf-8") for file in files if room_of(file) == name])
        for name in TYPED
    ]  # fmt: skip


def total(rows: Iterable[tuple]) -> list[int]:
    """The sums of all columns but the first."""
    return [sum(column) for column in list(zip(*rows, strict=True))[1:]]


# ------------------------------------------------------------------------------------------ printing
def report() -> str:
    """The three tables."""
    inner, every, typed = core(), rooms(), types()
    code = total(inner)[1]
    returns, all_returns, parameters, all_parameters = total(typed)
    table = ["The core" + 31 * " " + "code"]
    table += [f"  {room.name:<30}{room.code:>11,}" for room in inner]
    table += [f"  {'total':<30}{code:>11,}   {verdict(code, CORE_BOUND)}", ""]
    table += ["The package" + 20 * " " + "files    code   lines"]
    table += [f"  {room.name:<25}{room.files:>9}{room.code:>8,}{room.lines:>8,}" for room in every]
    table += ["  {:<25}{:>9}{:>8,}{:>8,}".format("total", *total(every)), ""]
    table += ["Typed `Any`, or not at all" + 16 * " " + "returns" + 14 * " " + "parameters"]
    for name, *counts in [*typed, ("total", returns, all_returns, parameters, all_parameters)]:
        table += ["  {:<17}{:>6,} of {:>5,} {:>7.1%}{:>7,} of {:>5,} {:>7.1%}".format(name, *shares(*counts))]
    table += [f"  bounds{RETURNS_BOUND:>35.0%}{PARAMETERS_BOUND:>24.0%}"]
    return "\n".join(table)


def verdict(figure: int, bound: int) -> str:
    """A bound, and how much a figure is over it."""
    return f"bound {bound:,}" + (f": {figure - bound:,} over" if figure > bound else "")


def shares(returns: int, all_returns: int, parameters: int, all_parameters: int) -> tuple[float, ...]:
    """The counts, each pair followed by its ratio."""
    return returns, all_returns, returns / all_returns, parameters, all_parameters, parameters / all_parameters


# ------------------------------------------------------------------------------------------ quoting
def summary() -> str:
    """The figures in one line of Markdown."""
    code, lines = total(core())[1], total(rooms())[2]
    returns, all_returns, parameters, all_parameters = total(types())
    untyped = f"{returns / all_returns:.1%} of returns and {parameters / all_parameters:.1%} of parameters"
    return (
        f"The core is {code:,} lines of code, the package {lines:,} lines; "
        f"{untyped.replace('%', ' %')} are typed `Any`."
    )


def quoted(page: str) -> str:
    """The text of a page with the figures of today at its marks."""
    page = re.sub(r"(?m)^(<!-- size: summary -->\n).*$", lambda mark: mark[1] + summary(), page)
    return re.sub(r"(?m)^(<!-- size: rooms -->\n)((?:\|.*\n)+)", lambda mark: mark[1] + filled(mark[2]), page)


def filled(table: str) -> str:
    """A table of rooms with the last column filled in. Raises ValueError if it does not name every room once."""
    left = {room.name: room.code for room in rooms()}
    title, line, *rows = table.splitlines(keepends=True)
    written = [title, line]
    for row in rows:
        first, *middle, _ = row.strip().strip("|").split("|")
        count = 0
        for name in re.findall(r"`(\w+)", first):
            if name not in left:
                raise ValueError(f"the table of rooms names {name}, which is no room of the package, or is named twice")
            count += left.pop(name)
        written.append("|".join(["", first, *middle, f" {count:,} |\n"]))
    if left:
        raise ValueError(f"the table of rooms lacks {sorted(left)}")
    return "".join(written)


def main() -> None:
    """Print the tables and, if asked to, bring the pages up to date."""
    options = argparse.ArgumentParser("python -m tests.benchmarks.size", description=__doc__.partition("\n")[0])
    options.add_argument("--write", action="store_true", help=f"update the figures in {' and '.join(PAGES)}")
    if options.parse_args().write:
        for name in PAGES:
            page = (ROOT / name).read_text(encoding="utf-8")
            (ROOT / name).write_text(quoted(page), encoding="utf-8")
    print(report())


if __name__ == "__main__":
    main()
