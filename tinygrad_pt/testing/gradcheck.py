"""Gradients held against numerical ones, element by element, with an address for whatever disagrees."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinygrad_pt import autograd
from tinygrad_pt.graph import Handle, wrap
from tinygrad_pt.testing.numerical import Array, double, flat_function, slopes

ROUNDING = 1e-10  # what the analytic gradient may lose to round-off of its own, relative to its size
DOUBT = 1e-3  # a bound wider than this part of the slope proves nothing


@dataclass(frozen=True)
class Mismatch:
    """One entry of a Jacobian on which the two computations disagree, or cannot be compared."""

    input: int
    name: str
    index: tuple[int, ...]
    output: int
    output_index: tuple[int, ...]
    analytic: float
    numeric: float
    bound: float
    left: float
    right: float

    @property
    def ratio(self) -> float:
        """analytic / numeric: the missing factor, if it is one."""
        return float(np.float64(self.analytic) / np.float64(self.numeric)) if self.numeric else float("nan")

    def __str__(self) -> str:
        place = f"{self.name}[{', '.join(map(str, self.index))}]"
        result = f"output {self.output}[{', '.join(map(str, self.output_index))}]"
        line = f"∂ {result} / ∂ {place}: analytic {self.analytic:.10g}, numeric {self.numeric:.10g}"
        if abs(self.left - self.right) > 1e-3 * (abs(self.left) + abs(self.right)):
            line += f" (from the left {self.left:.6g}, from the right {self.right:.6g})"
        return f"{line}, error bound {self.bound:.1g}, ratio {self.ratio:.6g}"


@dataclass
class Report:
    """What `gradcheck` found: `ok`, `verdict` ("pass", "fail" or "inconclusive"), and each disagreement."""

    checked: int = 0
    failures: list[Mismatch] = field(default_factory=list)
    inconclusive: list[Mismatch] = field(default_factory=list)
    order: int = 1

    @property
    def ok(self) -> bool:
        """No entry is wrong. (Of inconclusive ones nothing can be said, and nothing is held against them.)"""
        return not self.failures

    @property
    def verdict(self) -> str:
        return "fail" if self.failures else "inconclusive" if self.inconclusive else "pass"

    def __str__(self) -> str:
        kind = {1: "gradient", 2: "second derivative"}[self.order]
        lines = [
            f"{kind} check: {self.verdict}; {self.checked} entries, {len(self.failures)} wrong, "
            f"{len(self.inconclusive)} inconclusive"
        ]
        for title, found in (("wrong", self.failures), ("inconclusive", self.inconclusive)):
            worst = sorted(found, key=lambda m: -_severity(m))[:10]
            lines += [f"  {title}: {m}" for m in worst]
            if len(found) > len(worst):
                lines.append(f"  {title}: … and {len(found) - len(worst)} more")
        return "\n".join(lines)


def _severity(m: Mismatch) -> float:
    gap = abs(m.analytic - m.numeric)
    return gap / max(abs(m.analytic), abs(m.numeric), 1e-300) if np.isfinite(gap) else float("inf")


def gradcheck(
    f: Callable[..., Any],
    *inputs: Any,
    argnums: Sequence[int] | None = None,
    rtol: float = 0.0,
    atol: float = 0.0,
) -> Report:
    """Hold the gradients of `f` against numerical ones, entry by entry of every Jacobian.

    Computed in float64, whatever the inputs' dtype. An entry is right if it lies within the error bound of the
    numerical slope (two 5-point stencils with relative steps, see `numerical_jacobian`). At a corner, as of |x|
    at 0, any value between the slope from the left and the slope from the right is right. Where the function
    jumps, is not finite, or is too rough for a bound that means anything, the entry is inconclusive.

    Args:
        f: a function of tensors that returns a tensor or a tuple of them.
        inputs: its arguments; floating point tensors are checked, anything else is passed on unchanged.
        argnums: the positions of the arguments to check; default: all floating point tensors.
        rtol, atol: tolerance beside the bound, relative to the analytic entry and absolute.

    >>> import tinygrad_pt as torch
    >>> report = gradcheck(lambda x: (x * x).sum(), torch.tensor([1.0, -2.0]))
    >>> report.ok, report.verdict, report.checked
    (True, 'pass', 2)
    """
    return _check(f, inputs, _slots(inputs, argnums), _names(f, len(inputs)), rtol, atol)


def _slots(inputs: Sequence[Any], argnums: Sequence[int] | None) -> list[int]:
    floating = [i for i, x in enumerate(inputs) if isinstance(x, Handle) and x.array.dtype.kind == "f"]
    if argnums is None:
        if not floating:
            raise ValueError("gradcheck needs a floating point tensor among the inputs")
        return floating
    for i in argnums:
        if i not in floating:
            raise ValueError(f"argument {i} is no floating point tensor: it has no gradient to check")
    return list(argnums)


def _names(f: Callable[..., Any], count: int) -> list[str]:
    """The names of f's parameters, as far as it has some."""
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    named = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return [named[i] if i < len(named) else f"input {i}" for i in range(count)]


def leaves(inputs: Sequence[Any], slots: Sequence[int]) -> list[Any]:
    """The inputs in float64, as fresh leaves where they are to be differentiated."""
    fresh = [wrap(double(x.array)) if isinstance(x, Handle) else x for x in inputs]
    for i in slots:
        fresh[i].requires_grad_()
    return fresh


def _check(
    f: Callable[..., Any],
    inputs: Sequence[Any],
    slots: list[int],
    names: list[str],
    rtol: float,
    atol: float,
    order: int = 1,
) -> Report:
    report = Report(order=order)
    analytic, shapes = analytic_jacobians(f, inputs, slots)
    for slot, jacobian in zip(slots, analytic, strict=True):
        x = inputs[slot].array
        numeric = slopes(flat_function(f, tuple(inputs), slot), np.array(x, np.float64).ravel())
        if numeric.slope.shape != jacobian.shape:
            raise RuntimeError("the function returned results of another shape when called a second time")
        report.checked += jacobian.size
        with np.errstate(all="ignore"):
            wrong, unsure = _judge(jacobian, numeric, rtol, atol)
        for mask, found in ((wrong, report.failures), (unsure, report.inconclusive)):
            for row, column in np.argwhere(mask):
                output, place = _place(shapes, int(row))
                entries = (jacobian, numeric.slope, numeric.error, numeric.left, numeric.right)
                index = tuple(int(i) for i in np.unravel_index(column, x.shape)) if x.ndim else ()
                found.append(
                    Mismatch(slot, names[slot], index, output, place, *(float(e[row, column]) for e in entries))
                )
    return report


def _judge(analytic: Array, numeric: Any, rtol: float, atol: float) -> tuple[Array, Array]:
    """Which entries are wrong, and of which nothing can be said."""
    size = np.maximum(np.abs(analytic), np.abs(numeric.slope))
    bound = numeric.error + ROUNDING * size + rtol * np.abs(analytic) + atol
    low, high = np.minimum(numeric.left, numeric.right), np.maximum(numeric.left, numeric.right)
    slack = 1e-2 * (high - low) + bound * numeric.jump  # the one-sided slopes are of first order only
    between = numeric.kink & (low - slack <= analytic) & (analytic <= high + slack)
    agree = (np.abs(analytic - numeric.slope) <= bound) | between
    blind = ~np.isfinite(numeric.slope) | ~np.isfinite(numeric.error) | numeric.jump
    vague = (numeric.error > DOUBT * size) & (numeric.error > 1e-7) & ~numeric.kink & (size > 0)
    wrong = ~agree & ~blind
    return wrong, blind | (agree & vague & ~between)


def analytic_jacobians(
    f: Callable[..., Any], inputs: Sequence[Any], slots: Sequence[int]
) -> tuple[list[Array], list[tuple[int, ...]]]:
    """One Jacobian per slot, by one backward walk per result element, and the shapes of the results."""
    args = leaves(inputs, slots)
    results = f(*args)
    several = results if isinstance(results, (tuple, list)) else (results,)
    ys = [y for y in several if isinstance(y, Handle) and y.array.dtype.kind == "f"]
    if not ys:
        raise TypeError("the function must return a floating point tensor, or a tuple with some")
    xs = [args[i] for i in slots]
    jacobians = [np.zeros((sum(y.array.size for y in ys), x.array.size)) for x in xs]
    row = 0
    for y in ys:
        for k in range(y.array.size):
            if y.node is not None:
                seed = np.zeros(y.array.shape)
                seed.flat[k] = 1.0
                found = autograd.grad(y, xs, wrap(seed), retain_graph=True, allow_unused=True)
                for jacobian, g in zip(jacobians, found, strict=True):
                    if g is not None:
                        jacobian[row] = g.array.ravel()
            row += 1
    return jacobians, [y.array.shape for y in ys]


def _place(shapes: list[tuple[int, ...]], row: int) -> tuple[int, tuple[int, ...]]:
    """Which result a row of the Jacobian belongs to, and where in it."""
    for output, shape in enumerate(shapes):
        size = int(np.prod(shape))
        if row < size:
            return output, tuple(int(i) for i in np.unravel_index(row, shape)) if shape else ()
        row -= size
    raise IndexError(row)


def gradgradcheck(
    f: Callable[..., Any],
    *inputs: Any,
    argnums: Sequence[int] | None = None,
    rtol: float = 0.0,
    atol: float = 0.0,
    seed: int = 0,
) -> Report:
    """`gradcheck` of the gradient itself: of (inputs, v) ↦ ∂(Σ v·f)/∂inputs, v being drawn from `seed`.

    >>> import tinygrad_pt as torch
    >>> gradgradcheck(torch.sin, torch.tensor([0.5])).verdict
    'pass'
    """
    slots = _slots(inputs, argnums)
    results = f(*leaves(inputs, slots))
    several = results if isinstance(results, (tuple, list)) else (results,)
    draw = np.random.default_rng(seed)
    seeds = [wrap(draw.uniform(0.5, 1.5, y.array.shape)) for y in several if y.array.dtype.kind == "f"]
    count = len(inputs)

    def gradient(*args: Any) -> Any:
        given = [
            a.detach().requires_grad_() if i in slots and a.node is None else a for i, a in enumerate(args[:count])
        ]
        results = f(*given)
        several = results if isinstance(results, (tuple, list)) else (results,)
        ys = [y for y in several if y.array.dtype.kind == "f"]
        used = [(y, v) for y, v in zip(ys, args[count:], strict=True) if y.node is not None]
        xs = [given[i] for i in slots]
        return autograd.grad(
            [y for y, _ in used], xs, [v for _, v in used], create_graph=True, allow_unused=True, materialize_grads=True
        )

    names = [*_names(f, count), *(f"g{i}" for i in range(len(seeds)))]
    every = [*slots, *range(count, count + len(seeds))]
    return _check(gradient, (*inputs, *seeds), every, names, rtol, atol, order=2)


def assert_gradients(f: Callable[..., Any], *inputs: Any, order: int = 1, **options: Any) -> Report:
    """`gradcheck`, and with `order=2` `gradgradcheck` too; an AssertionError with the report where one fails.

    >>> import tinygrad_pt as torch
    >>> assert_gradients(torch.tanh, torch.tensor([0.5, -1.0]), order=2).ok
    True
    """
    report = gradcheck(f, *inputs, **options)
    if report.ok and order > 1:
        report = gradgradcheck(f, *inputs, **options)
    if not report.ok:
        raise AssertionError(str(report))
    return report
