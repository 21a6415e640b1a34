"""Differences, integrals by trapezoids, and running sums of exponentials along an axis."""

from __future__ import annotations

from typing import Any

from tinygrad_pt import ops
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.arguments import Dims, Number, axes_from, axis_from
from tinygrad_pt.functions.checks import checked, into, unsupported
from tinygrad_pt.functions.pointwise import logical_xor
from tinygrad_pt.functions.reduction import cumsum, sum
from tinygrad_pt.functions.shaping import cat
from tinygrad_pt.graph import Tensor
from tinygrad_pt.half import in_float32
from tinygrad_pt.ops import running
from tinygrad_pt.views import as_own

__all__ = ["cumulative_trapezoid", "diff", "gradient", "logcumsumexp", "trapezoid", "trapz"]


def _part(t: Tensor, axis: int, start: int, length: int) -> Tensor:
    return ops.narrow(t, axis=axis, start=start, length=length)


def _rest(t: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """Without the first, and without the last slice."""
    n = max(t.array.shape[axis] - 1, 0)
    return _part(t, axis, t.array.shape[axis] - n, n), _part(t, axis, 0, n)


@checked
def diff(
    input: Tensor, n: int = 1, dim: int = -1, prepend: Tensor | None = None, append: Tensor | None = None, *,
    out: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The n-th differences of neighbours along `dim`; `prepend` and `append` stand before and behind.

    >>> import tinygrad_pt as torch
    >>> torch.diff(torch.tensor([1, 3, 2]))
    tensor([ 2, -1])
    """
    x, text = input.array, ""
    if not x.ndim:
        text = "diff expects input to be at least one-dimensional"
    elif n < 0:
        text = f"order must be non-negative but got {n}"
    if text:
        raise refuse(RuntimeError, text, "diff", input)
    axis = axis_from(dim, x.ndim)
    for t in (prepend, append):
        if t is not None and t.array.ndim != x.ndim:
            text = "diff expects prepend or append to be the same dimension as input"
            raise refuse(RuntimeError, text, "diff", input, t)
        for i, (m, k) in enumerate(zip(x.shape, () if t is None else t.array.shape, strict=False)):
            if m != k and i != axis:
                text = "diff expects the shape of tensor to prepend or append to match that of input except along the "
                text += f"differencing dimension; input.size({i}) = {m}, but got tensor.size({i}) = {k}"
                raise refuse(RuntimeError, text, "diff", input, t)
    if n and (prepend is not None or append is not None):
        input = cat([t for t in (prepend, input, append) if t is not None], axis)
    y = input
    for _ in range(min(n, input.array.shape[axis])):
        after, before = _rest(y, axis)
        y = logical_xor(after, before) if y.array.dtype == bool else ops.sub(after, before)
    y = y if y is not input else ops.clone(y)
    return y if out is None else into(out, "diff", y)


# ------------------------------------------------------------------------------------------ integrals
def _trapezoids(name: str, y: Tensor, x: Any, dx: Any, dim: int) -> Tensor:
    """Twice the areas between neighbours."""
    axis = axis_from(dim, y.array.ndim)
    if not y.array.ndim:
        text = f"Dimension specified as {dim} but tensor has no dimensions"
        raise refuse(IndexError, text, name, y)
    if y.array.dtype == bool:
        raise refuse(RuntimeError, f"{name}: received a bool input for `y`, but bool is not supported", name, y)
    after, before = _rest(y, axis)
    if x is None:
        return ops.add(after, before) * dx
    if x.array.dtype == bool:
        raise refuse(
            RuntimeError, f"{name}: received a bool input for `x` or `y`, but bool is not supported", name, y, x
        )
    if not x.array.ndim:
        text = f"Dimension specified as {dim} but tensor has no dimensions"
        raise refuse(IndexError, text, name, y, x)
    if x.array.ndim == 1:
        if x.array.shape[0] != y.array.shape[axis]:
            raise refuse(RuntimeError, f"{name}: There must be one `x` value for each sample point", name, y, x)
        x = ops.reshape(x, shape=(-1, *(1,) * (y.array.ndim - axis - 1)))
        later, earlier = _rest(x, 0)
    else:
        lead = max(0, y.array.ndim - x.array.ndim)
        x = ops.reshape(x, shape=(1,) * lead + x.array.shape)
        over = axis_from(dim, x.array.ndim) if dim < 0 else axis + max(0, x.array.ndim - y.array.ndim)
        later, earlier = _rest(x, over)
    return ops.sub(later, earlier) * ops.add(after, before)


def _axis_of(dim: int, *tensors: Any) -> int:
    n = max(t.array.ndim for t in tensors if t is not None)
    return axis_from(dim, n)


@checked
@in_float32
def trapezoid(y: Tensor, x: Tensor | None = None, *, dx: Number | None = None, dim: int = -1) -> Tensor:
    """∫ y dx along `dim`, by trapezoids between samples at x, or dx apart.

    >>> import tinygrad_pt as torch
    >>> torch.trapezoid(torch.tensor([1.0, 2.0, 4.0]))
    tensor(4.5000)
    """
    areas = _trapezoids("trapezoid", y, x, 1.0 if dx is None else dx, dim)
    return sum(areas, _axis_of(dim, areas)) / 2.0


@checked
@in_float32
def cumulative_trapezoid(y: Tensor, x: Tensor | None = None, *, dx: Number | None = None, dim: int = -1) -> Tensor:
    """The running integrals ∫ y dx along `dim`, by trapezoids between samples at x, or dx apart."""
    areas = _trapezoids("cumulative_trapezoid", y, x, 1.0 if dx is None else dx, dim)
    return cumsum(areas, _axis_of(dim, areas)) / 2.0


trapz = trapezoid


# ------------------------------------------------------------------------------------------ derivatives
def _end(p: Any, q: Any, a: Tensor, b: Tensor, c: Tensor) -> Any:
    """The slope at a, away from b and c, of the parabola through a, b at a distance p, and c at a distance q from b."""
    return (2 * p + q) / (p * (p + q)) * a - (p + q) / (p * q) * b + p / (q * (p + q)) * c


def _slope(input: Tensor, axis: int, h: Any, edge: int) -> Tensor:
    """The derivative along an axis: of second order inside, of order `edge` at both ends; steps h, one or several."""
    n = input.array.shape[axis]

    def at(start: int, length: int) -> Tensor:
        return _part(input, axis, start, length)

    if not isinstance(h, Tensor):
        inside = (at(2, n - 2) - at(0, n - 2)) / (2.0 * h) if n > 2 else None
        first, last = (at(1, 1) - at(0, 1)) / h, (at(n - 1, 1) - at(n - 2, 1)) / h
        if edge == 2:
            first = (-1.5 * at(0, 1) + 2 * at(1, 1) - 0.5 * at(2, 1)) / h
            last = (0.5 * at(n - 3, 1) - 2 * at(n - 2, 1) + 1.5 * at(n - 1, 1)) / h
    else:
        steps = ops.reshape(h, shape=(-1, *(1,) * (input.array.ndim - axis - 1)))
        after, before = _rest(steps, 0)
        d = ops.sub(after, before)

        def step(i: int, length: int = 1) -> Tensor:
            return _part(d, 0, i % (n - 1), length)

        inside = None
        if n > 2:
            left, right = step(0, n - 2), step(1, n - 2)
            a, b = -right / (left * (left + right)), (right - left) / (left * right)
            inside = a * at(0, n - 2) + b * at(1, n - 2) + left / (right * (left + right)) * at(2, n - 2)
        first, last = (at(1, 1) - at(0, 1)) / step(0), (at(n - 1, 1) - at(n - 2, 1)) / step(-1)
        if edge == 2:
            p, q = step(0), step(1)
            first = (
                -(2 * p + q) / (p * (p + q)) * at(0, 1) + (p + q) / (p * q) * at(1, 1) - p / (q * (p + q)) * at(2, 1)
            )
            p, q = step(-2), step(-1)
            last = (
                q / (p * (p + q)) * at(n - 3, 1)
                - (p + q) / (p * q) * at(n - 2, 1)
                + (2 * q + p) / (q * (p + q)) * at(n - 1, 1)
            )
    return cat([t for t in (first, inside, last) if t is not None], axis)


@checked
@in_float32
def gradient(input: Tensor, *, spacing: Any = 1, dim: Dims = None, edge_order: int = 1) -> tuple[Tensor, ...]:
    """The derivative along each axis, estimated from samples: central differences inside, one-sided ones at the ends.

    `spacing` is the step, one for each axis, or the coordinates of the samples, a tensor for each axis.

    >>> import tinygrad_pt as torch
    >>> torch.gradient(torch.tensor([1.0, 4.0, 9.0]))
    (tensor([3., 4., 5.]),)
    """
    x, text = input.array, ""
    axes = tuple(range(x.ndim)) if dim is None else axes_from(dim, x.ndim, "gradient", input) or ()
    listed = isinstance(spacing, (tuple, list))
    if listed and len(spacing) != len(axes):
        if dim is None:
            text = "torch.gradient expected spacing to be unspecified, a scalar, or a list of length equal to "
            text += (
                f"'self.dim() = {x.ndim}', since dim argument was not given, but got a list of length {len(spacing)}"
            )
        else:
            text = "torch.gradient expected spacing to be unspecified, a scalar or it's spacing and dim arguments to "
            text += f"have the same length, but got a spacing argument of length {len(spacing)} and a dim argument of "
            text += f"length {len(axes)}."
    elif x.dtype == "u1":
        text = "torch.gradient does not support uint8 input."
    elif edge_order not in (1, 2):
        text = "torch.gradient only supports edge_order=1 and edge_order=2."
    elif any(x.shape[a] < edge_order + 1 for a in axes):
        text = "torch.gradient expected each dimension size to be at least edge_order+1"
    if text:
        raise refuse(RuntimeError, text, "gradient", input)
    steps = list(spacing) if listed else [1 if spacing is None else spacing] * len(axes)
    return tuple(_slope(input, a, h, edge_order) for a, h in zip(axes, steps, strict=True))


# ------------------------------------------------------------------------------------------ running
@checked
def logcumsumexp(input: Tensor, dim: int, *, out: Tensor | None = None) -> Tensor:
    """ln(e^x₀ + … + e^xₖ) along `dim`, without overflow."""
    x = input.array
    axis = axis_from(dim, x.ndim)
    if x.dtype.kind != "f":
        raise unsupported("logcumsumexp_out_cpu", "logcumsumexp", input)
    if not x.ndim or not x.size:
        y = ops.clone(input)
    elif axis == x.ndim - 1:
        y = running.logcumsumexp(input)
    else:
        y = as_own(
            ops.transpose(
                running.logcumsumexp(ops.transpose(input, axis0=axis, axis1=x.ndim - 1)), axis0=axis, axis1=x.ndim - 1
            )
        )
    return y if out is None else into(out, "logcumsumexp", y)


# ------------------------------------------------------------------------------------------ as methods
class Calculus:
    """The methods of a tensor that this file defines."""

    __slots__ = ()  # so that tensors are as small, and made as fast, as if the class were not there

    diff, logcumsumexp = diff, logcumsumexp
