"""`OpSpec` describes a function to its tests: its NumPy reference, where to sample it, its edges and its refusals."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tinygrad_pt.errors import refuse

Array = np.ndarray[Any, Any]
Case = tuple[tuple[Any, ...], dict[str, Any]]  # the shapes of the arguments (None: a Python number), and attributes

GOLDEN = 0.6180339887498949  # multiples of it, modulo 1, fill an interval evenly from the first few on


@dataclass(frozen=True)
class Domain:
    """The numbers an argument may be sampled at: an interval, without the neighbourhoods of some points.

    Args:
        low, high: the bounds, both inside.
        avoid: points to keep away from, such as kinks and poles, by at least `margin`.
        kind: `"float"`, `"int"` or `"bool"`.
        gap: if positive, all elements differ from each other by at least this, also from those of the other
            arguments: no ties, by construction. The bounds do not count then.

    >>> Domain(-2, 2, avoid=(0,), margin=0.5).pieces
    ((-2.0, -0.5), (0.5, 2.0))
    >>> Domain(0, 1).grid[:5]
    (0.0, 1.0, 0.5, 0.25, 0.75)
    >>> Domain(0, 1).at(4), 0.625 <= Domain(0, 1).at(4 + 64) <= 0.875  # the second is a number around the first
    (0.75, True)
    """

    low: float = -2.0
    high: float = 2.0
    avoid: tuple[float, ...] = ()
    margin: float = 1 / 16
    kind: str = "float"
    gap: float = 0.0

    @property
    def pieces(self) -> tuple[tuple[float, float], ...]:
        """The intervals that are left, in order."""
        found = [(float(self.low), float(self.high))]
        for low, high in ((p - self.margin, p + self.margin) for p in self.avoid):
            parts = [((a, b),) if high <= a or low >= b else ((a, min(b, low)), (max(a, high), b)) for a, b in found]
            found = [(a, b) for several in parts for a, b in several if a <= b]
        if not found:
            text = f"nothing is left of [{self.low}, {self.high}] without {self.avoid} ± {self.margin}"
            raise refuse(ValueError, text)
        return tuple(sorted(found))

    @property
    def grid(self) -> tuple[float, ...]:
        """At most 64 short numbers inside, simplest first: what failing examples shrink to."""
        return tuple(g for g, _, _ in self.cells)

    @property
    def cells(self) -> tuple[tuple[float, float, float], ...]:
        """The domain in parts: per short number the bounds of what lies around it."""
        return _cells(self)

    def at(self, n: int) -> float:
        """The number that a whole number of up to 32 bits stands for: below 64 one of the grid, else one around it.

        The low six bits choose the cell, so to simplify the number is to clear the other bits.
        """
        cells = self.cells
        x, low, high = cells[(n & 63) % len(cells)]
        return x if n < 64 else low + (n >> 6) * GOLDEN % 1.0 * (high - low)

    def sample(self, draw: np.random.Generator, shape: tuple[int, ...], slot: int = 0) -> Array:
        """An array of this shape, for the argument number `slot`."""
        size = math.prod(shape)
        if self.kind == "bool":
            return draw.random(shape) < 0.5
        if self.kind == "int":
            return draw.integers(int(self.low), int(self.high) + 1, shape)
        if self.gap:
            return self.apart(draw.permutation(size), shape, slot)
        return np.array([self.at(int(n)) for n in draw.integers(64, 2**32, size)], float).reshape(shape)

    def apart(self, order: Sequence[int] | Array, shape: tuple[int, ...], slot: int = 0) -> Array:
        """Values `gap` apart, in this order of size; the third of a gap keeps the arguments apart too."""
        size = math.prod(shape)
        return ((np.asarray(order, float) - size // 2) * self.gap + (0.25 + slot / 3) * self.gap).reshape(shape)

    def avoiding(self, points: Sequence[float], margin: float | None = None) -> Domain:
        """This domain, without the neighbourhoods of more points."""
        margin = self.margin if margin is None else margin
        return replace(self, avoid=(*self.avoid, *map(float, points)), margin=margin)


@functools.cache
def _cells(domain: Domain) -> tuple[tuple[float, float, float], ...]:
    pieces = domain.pieces
    wide = max(abs(domain.low), abs(domain.high)) >= 64 or 0 < domain.low < 0.01
    short = [x for x in (*SHORT, *(LONG if wide else ())) if any(a <= x <= b for a, b in pieces)]
    short = sorted(short, key=_plainness)[: 64 - len(pieces)]
    short += [a for a, b in pieces if not any(a <= x <= b for x in short)]
    found: dict[float, tuple[float, float, float]] = {}
    for low, high in pieces:
        inside = sorted(x for x in short if low <= x <= high)
        edges = [low, *(_between(x, y) for x, y in zip(inside, inside[1:], strict=False)), high]
        found |= {x: (x, edges[i], edges[i + 1]) for i, x in enumerate(inside)}
    return tuple(found[x] for x in short)


_EIGHTHS = {k / 8 for k in range(-8, 9)} | {k / 4 for k in range(-8, 9)} | {k / 2 for k in range(-8, 9)}
SHORT = (*sorted(_EIGHTHS), *map(float, (*range(5, 9), *range(-8, -4))))
LONG = tuple(s * x for x in (1e-6, 1e-4, 0.01, 16.0, 64.0, 100.0, 1e3, 1e4, 1e5, 1e6, 1e8, 1e12) for s in (1, -1))


def _plainness(x: float) -> tuple[Any, ...]:
    """A whole number is plainer than a half, a half than a quarter; then the small go before the large."""
    return (x % 1 != 0, (2 * x) % 1 != 0, (4 * x) % 1 != 0, (8 * x) % 1 != 0, abs(x), x < 0)


def _between(x: float, y: float) -> float:
    """The middle of two numbers, of sizes that differ much the geometric one."""
    return math.copysign(math.sqrt(x * y), x) if x * y > 0 and not 1 / 3 < x / y < 3 else (x + y) / 2


DOMAINS = {
    "any": Domain(-1e3, 1e3),
    "small": Domain(-2, 2),
    "positive": Domain(1 / 16, 1e3),
    "nonzero": Domain(-1e3, 1e3, avoid=(0.0,)),
    "unit": Domain(1 / 16, 15 / 16),  # probabilities
    "ball": Domain(-15 / 16, 15 / 16),  # sines
    "above one": Domain(17 / 16, 1e3),
    "distinct": Domain(gap=0.2),
    "class": Domain(0, 2, kind="int"),
    "bool": Domain(kind="bool"),
}


def domain_of(domain: Any, avoid: Sequence[float] = (), margin: float | None = None) -> Domain:
    """A domain, given itself or by its name; without the neighbourhoods of the points to avoid."""
    if isinstance(domain, str):
        if domain not in DOMAINS:
            raise refuse(ValueError, f"no domain is called {domain!r}; there are {', '.join(map(repr, DOMAINS))}")
        domain = DOMAINS[domain]
    if not isinstance(domain, Domain):
        raise refuse(TypeError, f"a domain is a Domain or the name of one, not {type(domain).__name__}")
    if avoid:
        domain = domain.avoiding(avoid, margin)
    if domain.kind == "float" and not domain.gap:
        domain.pieces  # noqa: B018 - an empty one is refused here, not when the first number is drawn
    return domain


# ------------------------------------------------------------------------------------------ rows
@dataclass(frozen=True)
class Edge:
    """At these arguments this value and, where given, these gradients of the sum."""

    args: tuple[Any, ...]
    value: Any
    grads: tuple[Any, ...] = ()
    attrs: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Refusal:
    """Arguments of these shapes must be refused, with this exception and these words."""

    shapes: tuple[Any, ...]
    attrs: dict[str, Any]
    error: type[Exception]
    words: str


@dataclass(frozen=True)
class OpSpec:
    """A function of tensors, its meaning in NumPy, and where it may be sampled.

    Args:
        name: what reports call it.
        f: the function, called as `f(*tensors, **attrs)`.
        reference: the same of arrays, in NumPy; None if there is none to compare with.
        domains: one per argument, the last one for all that follow.
        cases: pairs of argument shapes (None: a Python number) and attributes.
        elementwise: its arguments broadcast, so that shapes other than those of the cases may be tried.
        gradient: whether gradients flow through it at all.
        tolerance: how far it may be from the reference, relative.
        edges, refusals: what it must do at its edges, and with what it cannot do.
        vjp: for a plain NumPy function, `vjp(g, *arrays, **attrs)`, the gradients of Σ g·f; then `f` takes arrays.
    """

    name: str
    f: Callable[..., Any]
    reference: Callable[..., Any] | None
    domains: tuple[Domain, ...]
    cases: Sequence[Case]
    edges: tuple[Edge, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    elementwise: bool = False
    gradient: bool = True
    tolerance: float = 1e-12
    vjp: Callable[..., Any] | None = None

    def __call__(self, *args: Any, **attrs: Any) -> Any:
        return self.f(*args, **attrs)

    def domain(self, slot: int) -> Domain:
        """Where the argument number `slot` may be sampled."""
        return self.domains[min(slot, len(self.domains) - 1)]

    def sample(self, case: Case, seed: int = 0, dtype: Any = np.float64) -> tuple[list[Any], dict[str, Any]]:
        """Arguments for one case: arrays, or Python numbers where the shape is None; the same at every call."""
        shapes, attrs = case
        args = []
        for slot, shape in enumerate(shapes):
            draw = np.random.default_rng([seed, slot, *map(ord, self.name)])
            x = self.domain(slot).sample(draw, () if shape is None else shape, slot)
            x = x.astype(dtype) if x.dtype.kind == "f" else x
            args.append(x.item() if shape is None else x)
        return args, attrs

    def samples(self, dtype: Any = np.float64) -> list[tuple[list[Any], dict[str, Any]]]:
        """Arguments for all cases."""
        return [self.sample(case, seed, dtype) for seed, case in enumerate(self.cases)]


class Example:
    """Arguments for a row: what Hypothesis draws, and prints as the call it stands for."""

    def __init__(self, spec: OpSpec, args: Sequence[Any], attrs: dict[str, Any]) -> None:
        self.spec, self.args, self.attrs = spec, list(args), attrs

    def __repr__(self) -> str:
        words = [literal(x, self.spec.vjp is not None) for x in self.args] + [
            f"{k}={v!r}" for k, v in self.attrs.items()
        ]
        return f"{self.spec.name}({', '.join(words)})"


def literal(x: Any, plain: bool = False) -> str:
    """An argument as Python source: as a tensor, or, if it is to be `plain`, as an array of NumPy's.

    >>> literal(np.array([0.5, 1.0]))
    'torch.tensor([0.5, 1.0], dtype=torch.float64)'
    >>> literal(np.array([0.5, 1.0]), plain=True)
    "np.array([0.5, 1.0], 'float64')"
    """
    if not isinstance(x, np.ndarray):
        return repr(x)
    if plain:
        return f"np.array({x.tolist()!r}, {str(x.dtype)!r})" if x.size else f"np.zeros({x.shape}, {str(x.dtype)!r})"
    kind = "bool" if x.dtype.kind == "b" else str(x.dtype)
    if not x.size:
        return f"torch.zeros({x.shape}, dtype=torch.{kind})"
    return f"torch.tensor({x.tolist()!r}, dtype=torch.{kind})"
