"""`derive` writes the chain rule out: from the loss to one tensor, with formulas, numbers and the result.

The local derivatives are the rules of the graph's edges (`snapshot`), so a derivation says what the engine computes.
Between two values that the user has named, the ops contract to one factor: ∂E/∂w = ∂E/∂o · ∂o/∂net · ∂net/∂w.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinygrad_pt.debugging.replay import Number
from tinygrad_pt.errors import refuse
from tinygrad_pt.graph import OPS, PICK, Leaf, Node, Tensor
from tinygrad_pt.language import chosen
from tinygrad_pt.symbol import Symbol
from tinygrad_pt.viz.algebra import UNIT, simplify
from tinygrad_pt.viz.expression import substitute
from tinygrad_pt.viz.formula import tree, unicode
from tinygrad_pt.viz.mathematics import latex, mathml
from tinygrad_pt.viz.model import INCOMING, Edge
from tinygrad_pt.viz.notation import Tree, filled, named
from tinygrad_pt.viz.program import Program
from tinygrad_pt.viz.reading import Reading
from tinygrad_pt.viz.text import shape_text

MOST_PATHS = 12  # beyond, the recursive form says it better
MOST_LINES = 60
MOST_OPS = 8  # of unnamed values that stand written out in a formula
WIDTH = 90  # of a sum that stands in one line
SHOWN = 6  # elements of an array that stand in a line
MARKS = "¹²³⁴⁵⁶⁷⁸⁹"
PATHS = {"en": "paths", "pt": "caminhos"}
STYLES = ("auto", "paths", "recursive")


# ------------------------------------------------------------------------------------------ lines
@dataclass(frozen=True)
class Line:
    """`left = right ≈ right …`, and a remark: shapes, or the number of paths. Without left it goes on with the last."""

    left: Tree | None
    right: tuple[tuple[str, Tree], ...]
    remark: str = ""

    def text(self, width: int, lang: str) -> str:
        left = "" if self.left is None else unicode(self.left, lang)
        right = " ".join(f"{sign} {unicode(t, lang)}" for sign, t in self.right)
        return f"{left:<{width}} {right}{'   ' if self.remark else ''}{self.remark}".rstrip()

    def latex(self, lang: str) -> str:
        left = "" if self.left is None else latex(self.left, lang)
        right = " ".join(f"{SIGNS[sign]} {latex(t, lang)}" for sign, t in self.right)
        remark = rf" \qquad \text{{{self.remark}}}".replace("×", r"$\times$") if self.remark else ""
        return f"{left} &{right}{remark}"

    def mathml(self, lang: str) -> str:
        parts = [] if self.left is None else [mathml(self.left, lang)]
        for sign, t in self.right:
            parts += [f"<mo>{sign}</mo>", mathml(t, lang)]
        remark = f'<mspace width="2em"></mspace><mtext>{self.remark}</mtext>' if self.remark else ""
        return f'<math display="block"><mrow>{"".join(parts)}{remark}</mrow></math>'


SIGNS = {"=": "=", "≈": r"\approx", "+": "+"}


# ------------------------------------------------------------------------------------------ the graph on the way
class Factor(NamedTuple):
    """One local derivative ∂of/∂by: its formula, and its number where both are scalars."""

    of: str
    by: str
    mark: str
    formula: Symbol | float | None
    number: float | None


@dataclass(frozen=True)
class Route:
    """One path from the loss to the tensor: the names on it, the numbers of its factors, and their product."""

    names: tuple[str, ...]
    factors: tuple[float | None, ...]

    @property
    def product(self) -> float | None:
        """The product of the factors; None where one is not known."""
        return product_of(self.factors)


class _Way:
    """What lies between the loss and some tensors: the vertices that stay, and the factors between them."""

    def __init__(self, reader: Reading, targets: Sequence[str], simplified: bool) -> None:
        self.reader, self.targets = reader, set(targets)
        seen = reader.seen
        self.vertex = {v.id: v for v in seen.vertices}
        self.leaves: dict[str, Symbol] = {}
        self.birth = {v.id: i for i, v in enumerate(seen.vertices)}
        self.root = reader.id[reader.root]
        self.into: dict[str, list[Edge]] = {}
        for e in seen.edges:
            if e.flows:
                self.into.setdefault(e.target, []).append(e)
        self.on_way = self._between()
        self.users: dict[str, list[str]] = {}  # of a vertex on the way: by whom it is used there
        for user in self.on_way:
            for e in self.edges(user):
                self.users.setdefault(e.source, []).append(user)
        self.kept = self._kept(simplified)
        self.factors: dict[str, list[Factor]] = {}
        for v in sorted(self.kept, key=self.birth.__getitem__, reverse=True):
            self.factors[v] = self._factors(v, simplified)

    def edges(self, target: str) -> list[Edge]:
        return [e for e in self.into.get(target, ()) if e.source in self.on_way]

    def _between(self) -> set[str]:
        """The vertices on some path from the loss to a target."""
        leads = set(self.targets)
        for v in sorted(self.into, key=self.birth.__getitem__):
            if any(e.source in leads for e in self.into[v]):
                leads.add(v)
        reached, stack = {self.root}, [self.root]
        while stack:
            for e in self.into.get(stack.pop(), ()):
                if e.source in leads and e.source not in reached:
                    reached.add(e.source)
                    stack.append(e.source)
        return reached & leads | {self.root}

    def _kept(self, simplified: bool) -> set[str]:
        """The vertices that do not contract: the named ones; without any, those behind a factor that is not 1."""
        if not simplified:
            return set(self.on_way)
        firm = {self.root, *self.targets}
        for v in self.on_way:  # a user's own code has no formula to contract
            for e in self.edges(v):
                firm |= {v, e.source} if e.rule is None else set()
        by_name = {v for v in self.on_way if v in self.reader.named}
        if by_name - firm:
            firm |= by_name
        else:
            firm |= {v for v in self.on_way if not self._trivial(v)}
        return firm | {v for v in self.on_way if len(set(self.users.get(v, ()))) > 1}

    def _trivial(self, v: str) -> bool:
        """Whether the one factor behind a vertex is 1."""
        (user, *others) = self.users.get(v, [""])
        if others or not user:
            return False
        (edge,) = (e for e in self.edges(user) if e.source == v)
        return edge.number == 1 and simplify(substitute(edge.rule, {INCOMING: UNIT})) == 1

    # ---------------------------------------------------------------------------------------- expressions
    def leaf(self, v: str) -> Symbol:
        """The name of a value: one symbol each, so that like terms meet."""
        if v not in self.leaves:
            self.leaves[v] = Symbol(v, self.vertex[v].shape, np.dtype(self.vertex[v].dtype))
        return self.leaves[v]

    def value(self, v: str) -> Any:
        """A value as it stands in a formula: a number, a name, or what an unnamed value is made of."""
        made: dict[str, Any] = {}
        size: dict[str, int] = {}
        for u in self._inner(v):
            args, box = self.reader.arguments.get(u, ()), self.reader.box[u]
            size[u] = 1 + sum(0 if a is None else size.get(a, 0) for a in args)
            if isinstance(box, Number):
                made[u], size[u] = box.raw, 0
            elif u in self.kept or u in self.reader.named or size[u] > MOST_OPS or not self.computed(u):
                made[u], size[u] = self.leaf(u), 0
            else:
                made[u] = self.applied(u, tuple(None if a is None else made[a] for a in args))
        return made[v]

    def computed(self, v: str) -> bool:
        """Whether a vertex is one op with one result, which a formula can say."""
        made = bool(self.reader.arguments.get(v)) and self.vertex[v].primitive in OPS
        return made and self.reader.box[v].op is not PICK

    def applied(self, v: str, parts: tuple[Any, ...]) -> Symbol:
        """The op of a vertex, applied to expressions."""
        u = self.vertex[v]
        return Symbol("", u.shape, np.dtype(u.dtype), OPS[u.primitive], parts, dict(u.attrs))

    def _inner(self, v: str) -> list[str]:
        """A vertex and the unnamed ones that it is made of, arguments first."""
        found: dict[str, None] = {}
        stack = [(v, False)]
        while stack:
            u, ready = stack.pop()
            if ready:
                found.setdefault(u)
            elif u not in found:
                stack.append((u, True))
                if u == v or (u not in self.kept and u not in self.reader.named):
                    stack += [(a, False) for a in self.reader.arguments.get(u, ()) if a is not None]
        return list(found)

    def definition(self, v: str) -> Any:
        """What a vertex is computed from; None for a leaf."""
        if not self.computed(v):
            return None
        return self.applied(v, tuple(None if a is None else self.value(a) for a in self.reader.arguments[v]))

    def scalar(self, v: str) -> bool:
        return self.vertex[v].shape == ()

    def arriving(self, v: str) -> Symbol:
        """What arrives at a vertex, in the formulas of those before it: 1 for scalars, whose factors are multiplied."""
        return UNIT if self.scalar(v) else Symbol(f"∂{v}", self.vertex[v].shape, np.dtype(self.vertex[v].dtype))

    def _factors(self, v: str, merged: bool) -> list[Factor]:
        """The derivatives of a kept vertex by the next kept ones, over all unnamed ways between them."""
        if not merged:
            return self._slots(v)
        pending: dict[str, tuple[Any, float | None]] = {v: (self.arriving(v), 1.0)}
        found: dict[str, tuple[Any, float | None]] = {}
        while pending:
            u = max(pending, key=self.birth.__getitem__)
            g, number = pending.pop(u)
            for e in self.edges(u):
                into = found if e.source in self.kept else pending
                into[e.source] = _plus(into.get(e.source), self._sent(e, g), _times(number, e.number))
        return [Factor(v, u, "", *found[u]) for u in sorted(found, key=self.birth.__getitem__)]

    def _slots(self, v: str) -> list[Factor]:
        """One factor for each argument."""
        edges = self.edges(v)
        sources = [e.source for e in self.reader.seen.edges if e.target == v]
        found = []
        for e in edges:
            mark = f"⁽{MARKS[e.slot]}⁾" if sources.count(e.source) > 1 and e.slot < 9 else ""
            found.append(Factor(v, e.source, mark, self._sent(e, self.arriving(v)), e.number))
        return found

    def _sent(self, e: Edge, g: Any) -> Any:
        """What an edge sends back when g arrives."""
        if e.rule is None or g is None:
            return None
        if not isinstance(e.rule, Symbol):
            return e.rule
        known = {s.name: self.value(s.name) for s in e.rule.leaves() if s.name in self.vertex}
        return substitute(e.rule, {**known, INCOMING: g})

    # ---------------------------------------------------------------------------------------- paths
    def ways(self, target: str) -> dict[str, int]:
        """The number of paths from each vertex to the target, by dynamic programming."""
        ways = {target: 1}
        for v in reversed(self.factors):
            if v != target and (n := sum(ways.get(f.by, 0) for f in self.factors[v])):
                ways[v] = n
        return ways

    def paths(self, target: str) -> list[tuple[Factor, ...]]:
        """The paths from the loss to the target."""
        ways, found = self.ways(target), []
        stack: list[tuple[str, tuple[Factor, ...]]] = [(self.root, ())]
        while stack:
            v, path = stack.pop()
            if v == target:
                found.append(path)
            else:
                stack += [(f.by, (*path, f)) for f in reversed(self.factors[v]) if f.by in ways]
        return found

    def arrived(self, target: str) -> float | None:
        """The sum over all paths without walking any: the numbers of the factors, added up vertex by vertex."""
        ways, sums = self.ways(target), {self.root: 1.0}
        for v, factors in self.factors.items():
            for f in factors if v in ways and v != target else ():
                if f.number is None:
                    return None
                if f.by in ways:
                    sums[f.by] = sums.get(f.by, 0.0) + sums.get(v, 0.0) * f.number
        return sums.get(target, 0.0)


def _plus(before: tuple[Any, float | None] | None, term: Any, number: float | None) -> tuple[Any, float | None]:
    if before is None:
        return term, number
    total = None if before[1] is None or number is None else before[1] + number
    if before[0] is None or term is None:
        return None, total
    return Symbol(op=OPS["add"], args=(before[0], term)), total


def _times(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a * b


# ------------------------------------------------------------------------------------------ the derivation
class Check(NamedTuple):
    """One gradient, found in three ways; of an array, the sizes of the largest differences from the engine's."""

    name: str
    derived: float
    engine: float
    numerical: float


@dataclass(frozen=True, eq=False, repr=False)
class Derivation:
    """The chain rule from a loss to one tensor, or to several. It holds the graph, for `python` and `check`.

    Attributes:
        paths: of scalars, the paths of the sum, as `Route`s (none where they are too many).
        count: how many paths there are.
        value: the gradient, a float or an array; of several tensors a dict by name.
        text, markdown, latex, mathml, python: the same in five languages.
    """

    lang: str
    blocks: tuple[tuple[Line, ...], ...]
    paths: tuple[Route, ...]
    count: int
    value: Any
    _derived: Mapping[str, Any]
    _reader: Reading
    _targets: tuple[Node, ...]

    @property
    def text(self) -> str:
        """Lines of Unicode."""
        written = []
        for block in self.blocks:
            lefts = [unicode(line.left, self.lang) for line in block if line.left is not None]
            width = max(map(len, lefts), default=0)
            written.append("\n".join(line.text(width, self.lang) for line in block))
        return "\n\n".join(written)

    def __repr__(self) -> str:
        return self.text

    @property
    def latex(self) -> str:
        """An `aligned` environment, to stand in display mathematics."""
        blocks = (" \\\\\n".join(line.latex(self.lang) for line in block) for block in self.blocks)
        inner = " \\\\[1ex]\n".join(blocks)
        return f"\\begin{{aligned}}\n{inner}\n\\end{{aligned}}"

    @property
    def markdown(self) -> str:
        """Display mathematics, one piece per step, as GitHub and notebooks read it."""
        blocks = (" \\\\\n".join(line.latex(self.lang) for line in block) for block in self.blocks)
        return "\n\n".join(f"$$\n\\begin{{aligned}}\n{b}\n\\end{{aligned}}\n$$" for b in blocks) + "\n"

    @property
    def mathml(self) -> str:
        """One `<math>` element per line."""
        return "\n".join(line.mathml(self.lang) for block in self.blocks for line in block)

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex}\n$$"

    def _repr_markdown_(self) -> str:
        return self.markdown

    # ---------------------------------------------------------------------------------------- the program
    def program(self, file: str = "values.npz") -> Program:
        """The NumPy program, with its large arrays in `.arrays`, which it reads from `file`."""
        r = self._reader
        return Program(r.root, r.graph.slots, r.name, r.value, self._targets, self.lang, file)

    @property
    def python(self) -> str:
        """A program that computes the loss and the gradients with NumPy alone, with the engine's bits.

        Arrays of more than 1,000 elements it reads from `values.npz`, which `save` writes beside it.

        Raises:
            RuntimeError: a value is not known any more. NotImplementedError: a Function of the user's own.
        """
        return self.program().text

    def save(self, path: str | Path) -> Path:
        """Write `.txt`, `.md`, `.tex`, `.html` (MathML) or `.py`, and a program's large arrays beside it as `.npz`."""
        path = Path(path)
        if path.suffix == ".py":
            values = path.with_suffix(".npz")
            program = self.program(values.name)
            path.write_text(program.text, encoding="utf-8")
            if program.arrays:
                np.savez(values, **program.arrays)  # type: ignore[arg-type]
            return path
        head = '<meta charset="utf-8">\n<style>math { margin: 0.6em 0; }</style>'
        page = f'<!DOCTYPE html>\n<html lang="{self.lang}">\n{head}\n{self.mathml}\n</html>\n'
        texts = {".txt": self.text + "\n", ".md": self.markdown, ".tex": self.latex + "\n", ".html": page}
        if path.suffix not in texts:
            raise refuse(ValueError, f"{path.name}: expected .txt, .md, .tex, .html or .py")
        path.write_text(texts[path.suffix], encoding="utf-8")
        return path

    # ---------------------------------------------------------------------------------------- the check
    def check(self) -> list[Check]:
        """Hold the sum of products against the engine's gradient, and both against a central difference.

        Raises:
            AssertionError: they differ. RuntimeError: a value is not known any more.
        """
        found = []
        for node in self._targets:
            name = self._reader.name[node]
            if self._reader.flow.get(node) is None or self._derived[name] is None:
                mend = "call derive() before backward(), or compute inside viz.keep()"
                raise refuse(RuntimeError, f"the gradient of {name} is not known: a value is gone", mend=mend)
            engine, derived = np.asarray(self._reader.flow[node]), np.asarray(self._derived[name])
            slack = 1e-9 if engine.dtype == np.float64 else 1e-4
            size = max(1.0, float(np.abs(engine).max(initial=0)))
            direction = _direction(engine)
            numerical, along = self._reader.slope(node, direction), float(np.sum(engine * direction))
            result = Check(name, float(np.sum(derived * direction)), along, numerical)
            if not np.allclose(derived, engine, rtol=slack, atol=slack * size, equal_nan=True):
                raise AssertionError(f"{name}: the sum over the paths is not the engine's gradient: {result}")
            if not math.isclose(numerical, along, rel_tol=1e-4, abs_tol=1e-5 * size * math.sqrt(direction.size)):
                raise AssertionError(f"{name}: the gradient is not what a central difference says: {result}")
            found.append(result)
        return found


def _direction(like: NDArray[Any]) -> NDArray[Any]:
    """A direction to differentiate along; of a scalar, 1."""
    return np.cos(np.arange(1.0, like.size + 1)).reshape(like.shape) if like.shape else np.ones(())


# ------------------------------------------------------------------------------------------ writing it
class _Writer:
    """The lines of one derivation."""

    def __init__(self, way: _Way, lang: str, digits: int) -> None:
        self.way, self.lang, self.digits = way, lang, digits
        self.reader = way.reader
        self.trees = {v: self.name(v) for v in way.vertex}
        self.delta = {f"∂{v}": self.gradient(v) for v in way.vertex}

    def name(self, v: str) -> Tree:
        latex = getattr(self.way.vertex[v], "latex", "")
        return named(f"${latex}$") if latex else Tree("name", self.way.vertex[v].name)

    def gradient(self, v: str) -> Tree:
        return Tree.of("partial", self.trees[self.way.root], self.trees[v])

    def formula(self, expression: Any) -> Tree:
        if expression is None:
            return Tree("word", "…")
        found = filled(tree(simplify(expression)), {**self.trees, **self.delta})
        return found or Tree("word", "…")

    def number(self, x: float | None) -> tuple[Tree, bool]:
        """A number with its significant digits, and whether they are all of it."""
        if x is None:
            return Tree("word", "?"), True
        text = digits_of(x, self.digits)
        exact = not math.isfinite(x) or math.isclose(float(text), x, rel_tol=self.reader.precision)
        written = Tree("number", text.lstrip("-").replace("inf", "∞").replace("-", "−"))
        return (Tree.of("neg", written) if x < 0 else written), exact

    def relation(self, exact: bool) -> str:
        return "=" if exact else "≈"

    def result(self, x: Any) -> tuple[str, Tree] | None:
        """`= 0.5`; of a small array all elements; None of a large one."""
        if x is None:
            return None
        x = np.asarray(x)
        if x.size > SHOWN or x.ndim > 2 or not x.size:
            return None
        pairs = [self.number(float(e)) for e in x.ravel()]
        trees = iter([t for t, _ in pairs])
        relation = self.relation(all(e for _, e in pairs))
        if not x.ndim:
            return relation, next(trees)
        rows = [[next(trees) for _ in range(x.shape[-1])] for _ in range(x.size // x.shape[-1])]
        lists = [Tree.of("list", *row) for row in rows]
        return relation, lists[0] if x.ndim == 1 else Tree.of("list", *lists)

    # ---------------------------------------------------------------------------------------- blocks
    def forward(self, vertices: Sequence[str]) -> tuple[Line, ...]:
        """What the values in the formulas are."""
        lines = []
        for v in vertices:
            definition = self.way.definition(v)
            if definition is not None:
                right = [("=", self.formula(definition))]
                value = self.result(self.way.vertex[v].value)
                right += [] if value is None else [value]
                lines.append(Line(self.trees[v], tuple(right), shape_text(self.way.vertex[v].shape)))
        return tuple(lines)

    def partial(self, f: Factor) -> Tree:
        return Tree("partial", f.mark, (self.trees[f.of], self.trees[f.by]))

    def locals(self, factors: Sequence[Factor]) -> tuple[Line, ...]:
        """The formula of each factor, with its number."""
        lines = []
        for f in factors:
            if f.formula is not None:
                tree_, number = self.formula(f.formula), self.result(f.number)
                same = number is not None and number[1] == tree_
                lines.append(Line(self.partial(f), (("=", tree_), *([number] if number and not same else []))))
        return tuple(lines)

    def paths(self, target: str) -> tuple[tuple[Line, ...], ...]:
        """The sum over the paths: derivatives, formulas, numbers, result."""
        paths, left = self.way.paths(target), self.gradient(target)
        if not paths or not paths[0]:
            return ((Line(left, (("=", Tree("number", "1" if paths else "0")),)),),)
        factors = list(dict.fromkeys(f for p in paths for f in p))
        if len(paths) == 1 == len(paths[0]):
            return (self.locals(factors),)
        terms, exact = [], True
        for p in paths:
            numbers = [self.number(f.number) for f in p]
            exact = exact and all(e for _, e in numbers)
            terms.append(_chain([t for t, _ in numbers]))
        found, whole = self.number(sum_of(paths))
        whole = whole and exact
        return (
            self.broken(left, "=", [_chain([self.partial(f) for f in p]) for p in paths]),
            self.locals(factors),
            (*self.broken(left, self.relation(exact), terms), Line(None, ((self.relation(whole), found),))),
        )

    def broken(self, left: Tree, relation: str, terms: list[Tree]) -> tuple[Line, ...]:
        """A sum in one line, or a line for each term if they are long."""
        if len(unicode(_sum(terms), self.lang)) <= WIDTH:
            return (Line(left, ((relation, _sum(terms)),)),)
        return (Line(left, ((relation, terms[0]),)), *(Line(None, (("+", t),)) for t in terms[1:]))

    def recursive(self) -> tuple[Line, ...]:
        """The gradient of each vertex from those of its users, the loss first."""
        way = self.way
        sent: dict[str, list[Factor]] = {}
        for factors in way.factors.values():
            for f in factors:
                sent.setdefault(f.by, []).append(f)
        lines: list[Line] = []
        for v in sorted({*sent, *way.targets}, key=way.birth.__getitem__, reverse=True):
            left = self.gradient(v)
            if v not in sent:
                lines.append(Line(left, (("=", Tree("number", "1" if v == way.root else "0")),)))
                continue
            scalars = all(way.scalar(f.of) for f in sent[v]) and way.scalar(v)
            found = [_sum([self.term(f, True) for f in sent[v]])] if scalars else []
            found.append(_sum([self.term(f, False) for f in sent[v]]))
            right = [("=", t) for t in dict.fromkeys(found) if t != left]
            value = self.result(self.reader.flow.get(self.reader.box[v]))
            right += [] if value is None or value == right[-1] else [value]
            count = way.ways(v)[way.root] if scalars and v in way.targets else 0
            remark = shape_text(way.vertex[v].shape)
            if count > MOST_PATHS:
                remark = f"{count:,} {PATHS[self.lang]}".replace(",", "." if self.lang == "pt" else ",")
            lines.append(Line(left, tuple(right), remark))
        if len(lines) > MOST_LINES:
            half = MOST_LINES // 2
            lines = [*lines[:half], Line(Tree("word", "…"), (("=", Tree("word", "…")),)), *lines[-half:]]
        return tuple(lines)

    def term(self, f: Factor, chain: bool) -> Tree:
        """What one user of a vertex sends to it."""
        if chain:
            parts = [self.partial(f)] if f.of == self.way.root else [self.gradient(f.of), self.partial(f)]
            return _chain(parts)
        if f.formula is None:
            return Tree.of("call", Tree("word", "backward"), self.gradient(f.of))
        if not self.way.scalar(f.of) or f.of == self.way.root:
            return self.formula(f.formula)
        found = self.formula(Symbol(op=OPS["mul"], args=(Symbol(f"∂{f.of}", ()), f.formula)))
        return Tree.of("chain", *found.parts) if found.kind == "product" else found

    def used(self, blocks_of: Sequence[Factor]) -> list[str]:
        """The vertices whose values stand in formulas or on the way, arguments first."""
        names = set(self.way.kept)
        for f in blocks_of:
            if isinstance(f.formula, Symbol):
                names |= {s.name for s in f.formula.leaves() if s.name in self.way.vertex}
        return sorted(names, key=self.way.birth.__getitem__)


def digits_of(x: float, digits: int) -> str:
    """A number with so many significant digits; whole numbers as they are.

    >>> [digits_of(x, 4) for x in (0.58333, 16384.0, 123456.7, 1.5e-7, -2.0)]
    ['0.5833', '16384', '123457', '1.5e-7', '-2']
    """
    if x == 0 or (math.isfinite(x) and x == round(x) and abs(x) < 1e15):
        return str(int(x))
    if 1e-4 <= abs(x) < 1e6:
        return np.format_float_positional(
            x, max(digits, math.floor(math.log10(abs(x))) + 1), fractional=False, trim="-"
        )
    mantissa, _, exponent = f"{x:.{digits - 1}e}".partition("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return f"{mantissa}e{int(exponent)}" if exponent else mantissa


def sum_of(paths: Sequence[Sequence[Factor]]) -> float | None:
    """The sum over the paths of the products of their numbers."""
    products = [product_of(f.number for f in p) for p in paths]
    known = [x for x in products if x is not None]
    return math.fsum(known) if len(known) == len(products) else None


def product_of(factors: Iterable[float | None]) -> float | None:
    """A product; None where a factor is not known."""
    found = 1.0
    for f in factors:
        if f is None:
            return None
        found *= f
    return found


def _chain(factors: list[Tree]) -> Tree:
    return factors[0] if len(factors) == 1 else Tree.of("chain", *factors)


def _sum(terms: list[Tree]) -> Tree:
    return (
        terms[0]
        if len(terms) == 1
        else Tree.of("sum", *(p for t in terms for p in (t.parts if t.kind == "sum" else (t,))))
    )


# ------------------------------------------------------------------------------------------ the user's call
def derived(
    loss: Tensor, wrt: Tensor | Sequence[Tensor] | None, names: Any, lang: str | None, style: str, simplify_: bool,
    digits: int,
) -> Derivation:  # fmt: skip
    """The derivation behind `viz.derive`."""
    lang = chosen(lang)
    if style not in STYLES:
        raise refuse(ValueError, f"style={style!r}: expected one of {', '.join(STYLES)}")
    if not isinstance(digits, int) or not 1 <= digits <= 17:
        raise refuse(ValueError, f"digits={digits!r}: expected a whole number from 1 to 17")
    reader = Reading(loss, names, lang)
    if math.prod(loss.shape) != 1:
        mend = "derive a sum or a mean of it, or one element"
        raise refuse(RuntimeError, "a derivation starts from a loss with one element", "derive", loss, mend=mend)
    targets = _targets(reader, wrt)
    way = _Way(reader, [reader.id[node] for node in targets], simplify_)
    writer = _Writer(way, lang, digits)
    counts = {node: way.ways(reader.id[node]).get(way.root, 0) for node in targets}
    scalars = all(way.scalar(v) for v in way.on_way)
    if style == "paths" and (not scalars or max(counts.values()) > MOST_PATHS):
        text = f"{max(counts.values())} paths are too many to write out" if scalars else "there are arrays on the way"
        raise refuse(ValueError, text, mend='style="recursive" goes from vertex to vertex')
    by_paths = scalars and style != "recursive" and max(counts.values()) <= MOST_PATHS
    forward = writer.forward(writer.used([f for fs in way.factors.values() for f in fs]))
    blocks: list[tuple[Line, ...]] = [forward] if forward else []
    routes: list[Route] = []
    told: set[Line] = set()
    for node in targets if by_paths else ():
        for block in writer.paths(reader.id[node]):
            new = tuple(line for line in block if line not in told)
            told.update(line for line in block if line.left is not None and line.left.kind == "partial")
            blocks += [new] if new else []
        routes += [_route(way, p) for p in way.paths(reader.id[node])]
    if not by_paths:
        blocks.append(writer.recursive())
    sums: dict[str, Any] = {}
    values: dict[str, Any] = {}
    for node in targets:
        flow, name = reader.flow.get(node), reader.name[node]
        values[name] = None if flow is None else float(flow) if np.ndim(flow) == 0 else np.array(flow)
        sums[name] = way.arrived(reader.id[node]) if scalars else flow
    value = values[reader.name[targets[0]]] if isinstance(wrt, Tensor) else values
    total = sum(counts.values())
    return Derivation(lang, tuple(blocks), tuple(routes), total, value, sums, reader, tuple(targets))


def _route(way: _Way, path: tuple[Factor, ...]) -> Route:
    names = tuple(way.vertex[v].name for v in (way.root, *(f.by for f in path)))
    return Route(names, tuple(f.number for f in path))


def _targets(reader: Reading, wrt: Tensor | Sequence[Tensor] | None) -> list[Node]:
    """The vertices that the derivation leads to."""
    if wrt is None:
        found: list[Node] = [b for b in reader.graph.scope if isinstance(b, Leaf)]
        return found
    tensors = [wrt] if isinstance(wrt, Tensor) else list(wrt)
    for t in tensors:
        if not isinstance(t, Tensor):
            raise refuse(TypeError, f"wrt must be a tensor or a list of tensors, not {type(t).__name__}")
        if t.node is None or t.node not in reader.id:
            mend = "set requires_grad=True before the loss is computed, or ask for what it was computed from"
            raise refuse(ValueError, "the loss does not depend on this tensor", "derive", t, mend=mend)
    if not tensors:
        raise refuse(ValueError, "wrt is empty: there is nothing to derive")
    return list(dict.fromkeys(t.node for t in tensors if t.node is not None))
