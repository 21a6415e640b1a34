"""What a row about a module says, and the words rows are written in."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinygrad_pt import nn

inf, nan = np.inf, np.nan
Shape = tuple[int, ...]

PUBLIC = {
    name: thing
    for name, thing in vars(nn).items()
    if inspect.isclass(thing) and issubclass(thing, nn.Module) and not name.startswith("_")
}
ABSTRACT = {"Module", "NLLLoss2d", "RNNBase", "RNNCellBase"}  # they compute nothing themselves, or are other names
ABSTRACT |= {name for name in PUBLIC if name.startswith("Lazy")}  # tests/nn/test_lazy.py is about them
BASES = {
    "LazyConvolution",
    "LazyForward",
    "LazyModuleMixin",
    "LazyNorm",
    "LazyTransposed",
    "AdaptiveMaxPool",
    "AdaptivePool",
    "AlongDim",
    "AvgPool",
    "Convolution",
    "BatchNorm",
    "CircularPad",
    "ConstantPad",
    "InPlace",
    "LPPool",
    "Affine",
    "InstanceNorm",
    "Loss",
    "Margin",
    "MaxPool",
    "MaxUnpool",
    "Named",
    "NonDynamicallyQuantizableLinear",
    "NormBase",
    "Numbered",
    "Rows",
    "WeightedLoss",
    "_Layer",
    "Widening",
    "ZeroPad",
}  # shared by several modules; not public


# ------------------------------------------------------------------------------------------ where to sample
def box(low: float, high: float) -> Callable[..., Any]:
    """Values between two bounds."""
    return lambda draw, shape: draw.uniform(low, high, shape)


def real(draw: Any, shape: Shape) -> Any:
    return draw.normal(size=shape) * 1.7


def sign(draw: Any, shape: Shape) -> Any:
    return draw.choice([-1.0, 1.0], shape)


def counts(draw: Any, shape: Shape) -> Any:
    return draw.integers(0, 5, shape).astype(float)


def classes(n: int, ignore: int | None = None) -> Callable[..., Any]:
    """Class numbers below n, with some to be ignored."""

    def drawn(draw: Any, shape: Shape) -> Any:
        found = np.asarray(draw.integers(0, n, shape))
        if ignore is not None and found.size > 1:
            found.flat[0] = ignore
        return found

    return drawn


unit, positive = box(0.05, 0.95), box(0.3, 3)


# ------------------------------------------------------------------------------------------ rows
@dataclass(frozen=True)
class Case:
    """Settings of the constructor, and the shapes of the inputs.

    An array among the settings stands for a tensor, a function for what it makes of `torch`; those under `args`
    are given by position.
    """

    shapes: tuple[Shape, ...]
    settings: dict[str, Any] = field(default_factory=dict)
    domains: tuple[Callable[..., Any], ...] = ()  # other than the row's
    apart: str = ""  # why PyTorch's gradient is another


@dataclass(frozen=True)
class Edge:
    """At these inputs this value and, where given, these gradients of the sum: what PyTorch 2.13 returns."""

    inputs: tuple[Any, ...]
    value: Any
    grads: tuple[Any, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    apart: str = ""  # why PyTorch returns something else


@dataclass(frozen=True)
class Wrong:
    """What must be refused, with this exception and PyTorch's first line.

    Without inputs it is the constructor that refuses its settings.
    """

    settings: dict[str, Any]
    inputs: tuple[Any, ...] | None
    error: type[Exception]
    words: str


@dataclass(frozen=True)
class Row:
    """A module, its meaning in NumPy, and its cases.

    Attributes:
        reference: `reference(*inputs, …)` in arrays; what else it names among its arguments it is given: settings
            of the constructor, entries of the state_dict, or all of that as `state`. None: not to be called.
        domains: where each input is drawn from (the last serves all others).
        cases, edges, wrong: see `Case`, `Edge`, `Wrong`.
        constant: positions of inputs without a gradient: targets that are 1 or -1, and those PyTorch has none for.
        random: it draws random numbers when training; the laws then look at evaluation.
        draws: of a dropout with an input of so many axes, the number of leading axes with draws of their own.
        bound: of the initial weights, U(-bound, bound), by the settings.
        warns: its calls warn, as PyTorch's do.
        ours: PyTorch has no such module.
        second: whether the second derivative is compared with PyTorch's (which lacks one).
    """

    name: str
    reference: Callable[..., Any] | None
    domains: tuple[Callable[..., Any], ...]
    cases: tuple[Case, ...]
    edges: tuple[Edge, ...] = ()
    wrong: tuple[Wrong, ...] = ()
    constant: tuple[int, ...] = ()
    random: bool = False
    draws: Callable[[int], int] | None = None
    bound: Callable[[dict[str, Any]], float] | None = None
    ours: bool = False
    warns: bool = False
    second: bool = True
    accuracy: float = 1e-9  # of PyTorch's gradients in float64

    @property
    def kind(self) -> Any:
        return PUBLIC[self.name]

    def sample(self, case: Case, seed: int = 0, dtype: Any = np.float64) -> list[Any]:
        """The inputs of one case, drawn."""
        inputs = []
        domains = case.domains or self.domains
        for slot, shape in enumerate(case.shapes):
            draw = np.random.default_rng([seed, slot, *map(ord, self.name)])
            x = np.asarray(domains[min(slot, len(domains) - 1)](draw, shape))
            inputs.append(x.astype(dtype) if x.dtype.kind == "f" else x)
        return inputs

    def samples(self, dtype: Any = np.float64) -> list[tuple[Case, list[Any]]]:
        """All cases, drawn."""
        return [(case, self.sample(case, seed, dtype)) for seed, case in enumerate(self.cases)]

    def settings(self, case: Case) -> dict[str, Any]:
        """What the constructor is given, and its defaults for all else."""
        parameters = inspect.signature(self.kind).parameters.values()
        return {p.name: p.default for p in parameters if p.default is not p.empty} | case.settings

    def expected(self, case: Case, inputs: list[Any], state: dict[str, Any]) -> Any:
        """The value by the reference."""
        assert self.reference is not None
        names = list(inspect.signature(self.reference).parameters)[len(inputs) :]
        known = self.settings(case) | state | {"state": state}
        with np.errstate(all="ignore"):
            return self.reference(*inputs, **{name: known[name] for name in names})


ROWS: dict[str, Row] = {}


def tensor(torch: Any, x: Any, dtype: Any = np.float64) -> Any:
    """An array as a tensor of one of the libraries, in memory of its own; float64 becomes `dtype`."""
    x = np.asarray(x)
    return torch.tensor(x.astype(dtype) if x.dtype == np.float64 else x)


def build(torch: Any, row: Row, settings: dict[str, Any], dtype: Any = np.float64) -> Any:
    """A module of one of the libraries, in evaluation if it is a random one."""

    def of(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return tensor(torch, value, dtype)
        if isinstance(value, dict):
            return {k: of(v) for k, v in value.items()}
        if isinstance(value, tuple):
            return tuple(map(of, value))
        return value(torch) if callable(value) else value

    given = of(settings)
    m = getattr(torch.nn, row.name)(*given.pop("args", ()), **given)
    return (m.eval() if row.random else m).to(getattr(torch, np.dtype(dtype).name))


def row(name: str, reference: Any, domains: Any, cases: Any, **more: Any) -> None:
    domains = domains if isinstance(domains, tuple) else (domains,)
    ROWS[name] = Row(name, reference, domains, tuple(cases), **more)


def case(*shapes: Shape, **settings: Any) -> Case:
    return Case(shapes, settings)


def over(shapes: Any, *settings: dict[str, Any]) -> list[Case]:
    """All shapes with the first settings, and one of them with each of the others."""
    first, *others = settings or ({},)
    shapes = [tuple(s) if s and isinstance(s[0], tuple) else (s,) for s in shapes]
    return [Case(s, first) for s in shapes] + [Case(shapes[0], more) for more in others]


def reduced(shapes: Any, *settings: dict[str, Any]) -> list[Case]:
    """All shapes with the mean, and one of them with every reduction and all settings."""
    shapes = [tuple(s) if s and isinstance(s[0], tuple) else (s, s) for s in shapes]
    means = [Case(s, {}) for s in shapes]
    return means + [
        Case(shapes[0], {"reduction": r} | more)
        for r in ("none", "mean", "sum")
        for more in settings or ({},)
        if r != "mean" or more
    ]


def reduce(each: Any, reduction: str) -> Any:
    """The losses themselves, their mean or their sum."""
    return each if reduction == "none" else np.sum(each) / (np.size(each) if reduction == "mean" else 1)
