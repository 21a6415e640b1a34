"""Every mutant of a source file: Cosmic Ray's operators at each place, without those that cannot change anything.

Equivalent by construction, and so never made: a mutant

* inside a type annotation (`from __future__ import annotations` leaves them unevaluated) or an `if TYPE_CHECKING`;
* that compiles to the same code as the original; one that does not compile is none either;
* that exchanges `is` for `==`, or back, in the same sense: the engine asks for the identity of None, classes, dtypes
  and small numbers, of which there is one each;
* that makes a `zip` lenient: `strict=True` states what always holds.

Strings are never mutated by these operators, so neither are docstrings and `__all__`. And an arithmetic operator is
not exchanged for one of bits, nor the other way round: floats, arrays of them and tensors have no `<<`, so those
mutants, as many as all others together, die of a TypeError whatever the tests are worth, and would only flatter the
figure.
"""

from __future__ import annotations

import difflib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import CodeType
from typing import Any

import cosmic_ray.plugins
import parso
from cosmic_ray.ast import ast_nodes
from cosmic_ray.mutating import mutate_code

ROOT = Path(__file__).resolve().parents[2]
GROUPS = {
    "graph": ["graph.py", "symbol.py", "calling.py", "modes.py", "listening.py"],
    "ops": ["ops/*.py"],
    "autograd": ["autograd/*.py", "debugging/trace.py"],
    "tensor": ["tensor.py", "functions/methods.py", "functions/binding.py", "inplace.py"],
    "optim": ["optim/*.py"],
}
BITS = {"RShift", "LShift", "BitAnd", "BitOr", "BitXor"}
Place = tuple[int, int]  # line, column


@dataclass(frozen=True)
class Mutant:
    """One application of an operator to a file (named from the checkout's root)."""

    file: str
    operator: str
    occurrence: int
    start: Place
    end: Place

    @property
    def module(self) -> str:
        return self.file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @property
    def family(self) -> str:
        """The kind of fault, without the pair of symbols exchanged: "ReplaceBinaryOperator"."""
        return self.operator.split("/")[-1].split("_")[0]

    @property
    def key(self) -> str:
        return f"{self.file}:{self.start[0]}:{self.start[1]} {self.operator.split('/')[-1]} {self.occurrence}"

    def source(self) -> str:
        """The file's text with the fault in it."""
        text = mutate_code(read(self.file), operator(self.operator), self.occurrence)
        assert text is not None, self.key
        return text

    def diff(self) -> list[str]:
        """The lines taken out (-) and put in (+)."""
        lines = difflib.ndiff(read(self.file).splitlines(), self.source().splitlines())
        return [line[:2] + line[2:].strip() for line in lines if line[0] in "+-"]

    def code(self) -> CodeType | None:
        """The mutated module compiled; None where it is no Python, or the same code as before."""
        try:
            code = compile(self.source(), str(ROOT / self.file), "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            return None
        original = compile(read(self.file), str(ROOT / self.file), "exec", dont_inherit=True)
        return None if essence(code) == essence(original) else code


@cache
def read(file: str) -> str:
    return (ROOT / file).read_text(encoding="utf-8")


@cache
def operator(name: str) -> Any:
    return cosmic_ray.plugins.get_operator(name)()


@cache
def operators() -> list[str]:
    """The names of Cosmic Ray's operators that need no arguments, but for the one that changes nothing."""
    names = [n for n in sorted(cosmic_ray.plugins.operator_names()) if not n.endswith("/NoOp") and not idle(n)]
    return [n for n in names if not cosmic_ray.plugins.get_operator(n).arguments()]


def idle(name: str) -> bool:
    """Whether an operator exchanges arithmetic for bits, or identity for equality."""
    kind, *pair = name.split("/")[-1].split("_")
    if kind == "ReplaceBinaryOperator":
        return (pair[0] in BITS) != (pair[1] in BITS)
    return kind == "ReplaceComparisonOperator" and ({*pair} == {"Is", "Eq"} or {*pair} == {"IsNot", "NotEq"})


def essence(code: CodeType) -> Any:
    """What a code object does, without where it stands."""
    consts = tuple(essence(c) if isinstance(c, CodeType) else (type(c), repr(c)) for c in code.co_consts)
    return code.co_code, consts, code.co_names, code.co_varnames, code.co_exceptiontable


def silent(tree: Any) -> list[tuple[Place, Place]]:
    """The stretches of a file where no mutant is made: annotations, what only a type checker reads, `strict=True`."""
    found = []
    for node in ast_nodes(tree):
        if node.type in ("annassign", "tfpdef"):  # `: type [= value]`, `name: type`
            kind = node.children[1 if node.type == "annassign" else 2]
            found.append((kind.start_pos, kind.end_pos))
        elif node.type == "funcdef" and node.annotation is not None:
            found.append((node.annotation.start_pos, node.annotation.end_pos))
        elif node.type == "if_stmt" and node.children[1].get_code().strip() == "TYPE_CHECKING":
            found.append((node.start_pos, node.end_pos))
        elif node.type == "argument" and node.get_code().strip() == "strict=True":
            found.append((node.start_pos, node.end_pos))
    return found


def mutants_of(file: str) -> Iterator[Mutant]:
    """The places of a file where an operator applies, silent ones left out; not all of them compile."""
    tree = parso.parse(read(file))
    dead = silent(tree)
    nodes = list(ast_nodes(tree))
    for name in operators():
        occurrence = 0
        for node in nodes:
            for start, end in operator(name).mutation_positions(node):
                if not any(a <= start and end <= b for a, b in dead):
                    yield Mutant(file, name, occurrence, start, end)
                occurrence += 1


def files_of(group: str) -> list[str]:
    """The files of a group, or the one file (`ops/loss.py`) that is named instead."""
    found = [path for pattern in GROUPS.get(group, [group]) for path in (ROOT / "tinygrad_pt").glob(pattern)]
    if not found:
        raise SystemExit(f"no such group or file: {group}; groups are {', '.join(GROUPS)}")
    return sorted(str(path.relative_to(ROOT)) for path in found)


def choose(group: str, sample: int | None, seed: int) -> tuple[list[Mutant], int]:
    """The mutants of a group to be tried, and of how many: all, or a random sample that each file has its share of."""
    files = {file: list(mutants_of(file)) for file in files_of(group)}
    total = sum(map(len, files.values()))
    if sample is None or sample >= total:
        return [m for mutants in files.values() for m in mutants], total
    draw = random.Random(f"{group} {seed}")
    order = [m for mutants in files.values() for m in draw.sample(mutants, len(mutants))]
    bounds = [i * total // sample for i in range(sample + 1)]  # evenly spaced through the files, each of them shuffled
    return [order[draw.randrange(low, high)] for low, high in pairwise(bounds)], total
