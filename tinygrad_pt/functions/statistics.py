"""Statistics of samples: quantiles, histograms, covariances, means that pass over nan, runs of equal elements."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple, overload

import numpy as np

from tinygrad_pt import dtypes, ops
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.arguments import Dims, Dtype, Number, axes_from, axis_from, sizes_from
from tinygrad_pt.functions.checks import checked, into, missing, unsupported
from tinygrad_pt.functions.linalg import matmul
from tinygrad_pt.functions.pointwise import clamp, floor, lerp
from tinygrad_pt.functions.reduction import (
    ValuesIndices,
    gather_at,
    mean,
    median,
    named,
    named_result,
    nansum,
    norm,
    sort,
    std,
    sum,
    var,
)
from tinygrad_pt.functions.shaping import diagonal
from tinygrad_pt.graph import Tensor
from tinygrad_pt.half import in_float32
from tinygrad_pt.views import as_own

__all__ = [
    "corrcoef", "cov", "dist", "histc", "histogram", "histogramdd", "msort", "nanmean", "nanmedian", "nanquantile",
    "quantile", "renorm", "std_mean", "unique_consecutive", "var_mean",
]  # fmt: skip


# ------------------------------------------------------------------------------------------ means and spreads
def _with_mean(name: str, spread: Any, input: Tensor, dim: Any, unbiased: Any, keepdim: bool, correction: Any) -> Any:
    if input.array.dtype.kind not in "fc":
        raise refuse(
            RuntimeError, f"{name} only support floating point and complex dtypes", name, input, mend="x.float()"
        )
    y = spread(input, dim, unbiased, keepdim, correction=correction)
    return y, mean(input, None if isinstance(dim, bool) else dim, keepdim)


@checked
def std_mean(
    input: Tensor, dim: Dims | bool = None, unbiased: bool | None = None, keepdim: bool = False, *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """(std, mean)."""
    return _with_mean("std_mean", std, input, dim, unbiased, keepdim, correction)


@checked
def var_mean(
    input: Tensor, dim: Dims | bool = None, unbiased: bool | None = None, keepdim: bool = False, *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """(var, mean).

    >>> import tinygrad_pt as torch
    >>> torch.var_mean(torch.tensor([1.0, 3.0]))
    (tensor(2.), tensor(2.))
    """
    return _with_mean("var_mean", var, input, dim, unbiased, keepdim, correction)


@checked
@in_float32
def nanmean(
    input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Dtype = None, out: Tensor | None = None
) -> Tensor:
    """The mean of the elements that are numbers."""
    x = input.array
    if x.dtype.kind not in "fc":
        text = f"nanmean(): expected input to have floating point or complex dtype but got {input.dtype.spoken}"
        raise refuse(RuntimeError, text, "nanmean", input, mend="x.float()")
    count = np.count_nonzero(~np.isnan(x), axes_from(dim, x.ndim), keepdims=keepdim)
    y = nansum(input, dim, keepdim, dtype=dtype)
    y = y / wrap(np.asarray(count).astype(y.array.dtype))
    return y if out is None else into(out, "nanmean", y)


_nanmedian = named_result("nanmedian")


@overload
def nanmedian(input: Tensor, dim: None = None) -> Tensor: ...
@overload
def nanmedian(input: Tensor, dim: int, keepdim: bool = False) -> ValuesIndices: ...
@checked
def nanmedian(input: Tensor, dim: Any = None, keepdim: bool = False, *, out: Any = None) -> Tensor | ValuesIndices:
    """`median` of the elements that are numbers; nan where there is none."""
    x = input.array
    if x.dtype.kind != "f" or not np.isnan(x).any():
        y: Any = median(input) if dim is None else median(input, dim, keepdim)
        return y if dim is None else _nanmedian(*y)
    if dim is None:
        chosen = np.flatnonzero(~np.isnan(x))
        flat = ops.reshape(input, shape=(x.size,))
        return median(ops.getitem(flat, index=(chosen if chosen.size else np.array([0]),)))
    axis = axis_from(dim, x.ndim)
    order = np.argsort(x, axis, kind="stable") if x.ndim else np.zeros((), np.int64)
    count = np.count_nonzero(~np.isnan(x), axis, keepdims=True) if x.ndim else np.zeros((), np.int64)
    index = np.take_along_axis(order, np.maximum((count + 1) // 2 - 1, 0), axis) if x.ndim else order
    values = gather_at(input, index, axis)
    if x.ndim and not keepdim:
        values, index = as_own(ops.squeeze(values, axis=(axis,))), index.squeeze(axis)
    return _nanmedian(values, wrap(index))


@checked
def dist(input: Tensor, other: Tensor, p: Number = 2) -> Tensor:
    """The p-norm of input - other."""
    kind = dtypes.result_type(input.array, other.array)
    if kind.rank < 2:
        text = f"norm(): input dtype should be either floating point or complex. Got {kind.spoken} instead."
        raise refuse(RuntimeError, text, "dist", input, other, mend="x.float()")
    return _distance(input, other, p)


@in_float32
def _distance(input: Tensor, other: Tensor, p: Any) -> Tensor:
    d = ops.sub(input, other)
    if p in (math.inf, -math.inf) and not d.array.size:
        return sum(d)
    return norm(d, p)


@checked
@in_float32
def renorm(input: Tensor, p: float, dim: int, maxnorm: float, *, out: Tensor | None = None) -> Tensor:
    """Each slice along `dim` whose p-norm is above `maxnorm`, scaled down to it.

    >>> import tinygrad_pt as torch
    >>> torch.tensor([[3.0, 4.0], [0.3, 0.4]]).renorm(2, 0, 1)
    tensor([[0.6000, 0.8000],
            [0.3000, 0.4000]])
    """
    x, text = input.array, ""
    axis = axis_from(dim, x.ndim)
    if p <= 0:
        text = "renorm: non-positive-norm not supported"
    elif maxnorm < 0:
        text = f"renorm: expected maxnorm to be >= 0 but got {maxnorm:g}"
    elif x.ndim < 2:
        text = f"renorm: input needs at least 2 dimensions, got {x.ndim} dimensions"
    if text:
        raise refuse(RuntimeError, text, "renorm", input)
    length = norm(input, p, tuple(i for i in range(x.ndim) if i != axis), True)
    factor = ops.where(wrap(length.array > maxnorm), maxnorm / (length + 1e-7), wrap(np.ones((), x.dtype)))
    return input * factor


# ------------------------------------------------------------------------------------------ order
@checked
def msort(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The elements in order along the first axis."""
    y = sort(input, 0).values
    return y if out is None else into(out, "msort", y)


INTERPOLATIONS = ("linear", "lower", "higher", "midpoint", "nearest")


def _quantile(
    name: str, input: Tensor, q: Tensor | float, dim: int | None, keepdim: bool, interpolation: str, numbers: bool
) -> Tensor:
    """The quantiles, of all elements or of the `numbers` among them."""
    x, text = input.array, ""
    if x.dtype not in (np.float32, np.float64):
        text = "input tensor must be either float or double dtype"
    elif not x.size:
        text = "input tensor must be non-empty"
    elif isinstance(q, Tensor) and q.array.ndim > 1:
        text = "q must be a scalar or 1D tensor"
    elif isinstance(q, Tensor) and q.array.dtype != x.dtype:
        text = "q tensor must be same dtype as the input tensor"
    elif not isinstance(q, Tensor) and not 0 <= q <= 1:
        text = f"q must be in the range [0, 1] but got {q:g}"
    elif isinstance(q, Tensor) and not np.all((q.array >= 0) & (q.array <= 1)):
        text = "q values must be in the range [0, 1]"
    elif interpolation not in INTERPOLATIONS:
        text = f"interpolation must be one of linear, lower, higher, midpoint or nearest, but got {interpolation}"
    if text:
        raise refuse(RuntimeError, f"{name}() {text}", name, input, q)
    at = q if isinstance(q, Tensor) else wrap(np.array(q, x.dtype))
    axis = None if dim is None else axis_from(dim, x.ndim)
    if axis is None:
        rows = ops.reshape(input, shape=(x.size,))
    elif x.ndim:
        rows = ops.permute(input, axes=(*(i for i in range(x.ndim) if i != axis), axis))
    else:
        rows = ops.reshape(input, shape=(1,))
    ordered = sort(rows, -1).values
    n, k = rows.array.shape[-1], at.array.size
    bad = np.isnan(ordered.array)
    last = np.full((*ordered.array.shape[:-1], 1), n - 1).astype(x.dtype)
    if numbers:
        last = np.maximum(n - 1 - np.count_nonzero(bad, -1, keepdims=True), 0).astype(x.dtype)
    ranks = ops.mul(ops.reshape(at, shape=(k,)), wrap(last))
    if not numbers:
        ranks = ops.where(wrap(bad.any(-1, keepdims=True)), wrap(last), ranks)
    places = {"lower": np.floor, "higher": np.ceil, "nearest": np.rint}.get(interpolation, np.floor)(ranks.array)
    y = gather_at(ordered, places.astype(np.int64), ordered.array.ndim - 1)
    if interpolation in ("linear", "midpoint"):
        upper = gather_at(ordered, np.ceil(ranks.array).astype(np.int64), ordered.array.ndim - 1)
        half = wrap(np.full(ranks.array.shape, 0.5, x.dtype))
        y = lerp(y, upper, ranks - floor(ranks) if interpolation == "linear" else half)
    kept: tuple[int, ...] = y.array.shape[:-1]
    if keepdim:
        kept = tuple(1 if axis is None or i == axis else m for i, m in enumerate(x.shape))
    if at.array.ndim:
        m = y.array.ndim - 1
        y = ops.permute(y, axes=(m, *range(m)))
        return as_own(ops.reshape(y, shape=(k, *kept)))
    return as_own(ops.reshape(y, shape=kept))


@checked
def quantile(
    input: Tensor, q: Tensor | float, dim: int | None = None, keepdim: bool = False, *,
    interpolation: str = "linear", out: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The element below which a share q of them lies; between two elements, interpolated; nan if there is one.

    `interpolation` is "linear", "lower", "higher", "midpoint" or "nearest". Several q give a first axis.

    >>> import tinygrad_pt as torch
    >>> torch.quantile(torch.tensor([0.0, 1.0, 4.0]), torch.tensor([0.5, 0.75]))
    tensor([1.0000, 2.5000])
    """
    y = _quantile("quantile", input, q, dim, keepdim, interpolation, numbers=False)
    return y if out is None else into(out, "quantile", y)


@checked
def nanquantile(
    input: Tensor, q: Tensor | float, dim: int | None = None, keepdim: bool = False, *,
    interpolation: str = "linear", out: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """`quantile` of the elements that are numbers."""
    y = _quantile("nanquantile", input, q, dim, keepdim, interpolation, numbers=True)
    return y if out is None else into(out, "nanquantile", y)


@checked
def unique_consecutive(
    input: Tensor, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The first of each run of equal elements, or slices along `dim`; where asked, the run of each, and the lengths.

    >>> import tinygrad_pt as torch
    >>> torch.unique_consecutive(torch.tensor([1, 1, 2, 1]), return_counts=True)
    (tensor([1, 2, 1]), tensor([2, 1, 1]))
    """
    x = input.array
    if dim is None:
        rows, shape = x.reshape(-1, 1), x.shape
    else:
        axis = axis_from(dim, x.ndim)
        n = x.shape[axis]
        if n and not x.size:
            text = "There are 0 sized dimensions, and they aren't selected, so unique cannot be applied"
            raise refuse(RuntimeError, text, "unique_consecutive", input)
        rows, shape = np.moveaxis(x, axis, 0).reshape(n, -1) if n else np.zeros((0, 1), x.dtype), (n,)
    first = np.ones(len(rows), bool)
    first[1:] = (rows[1:] != rows[:-1]).any(1)
    y = x.reshape(-1)[first] if dim is None else np.compress(first, x, axis)
    extra = [wrap((np.cumsum(first) - 1).reshape(shape))] if return_inverse else []
    if return_counts:
        extra.append(wrap(np.diff(np.append(np.flatnonzero(first), len(rows)))))
    return (wrap(y), *extra) if extra else wrap(y)


# ------------------------------------------------------------------------------------------ histograms
@named
class Histogram(NamedTuple):
    """The count of each bin, and the edges of the bins."""

    hist: Tensor
    bin_edges: Tensor


@named
class Histogramdd(NamedTuple):
    """The count of each bin, and the edges of the bins along each axis."""

    hist: Tensor
    bin_edges: tuple[Tensor, ...]


Histogram.__name__, Histogramdd.__name__ = "histogram", "histogramdd"


def _number(x: Any) -> str:
    return f"{float(x):g}"


def _bounds(x: np.ndarray, low: float, high: float, name: str, place: str) -> tuple[Any, Any]:
    """The outermost edges: as given, or, if both are equal, those of the elements, or a half to both sides."""
    kind = x.dtype.type
    if low == high and x.size and name == "torch.histc":
        low, high = x.min(), x.max()
    if not (math.isfinite(low) and math.isfinite(high)):
        raise refuse(RuntimeError, f"{name}: {place}range of [{_number(low)}, {_number(high)}] is not finite", "histc")
    if low == high:
        low, high = low - 1, high + 1
    if not low < high:
        raise refuse(RuntimeError, f"{name}: max must be larger than min", "histc")
    return kind(low), kind(high)


@checked
def histc(input: Tensor, bins: int = 100, min: float = 0, max: float = 0, *, out: Tensor | None = None) -> Tensor:
    """How many elements lie in each of `bins` equal intervals from min to max; if these are equal, of the elements.

    >>> import tinygrad_pt as torch
    >>> torch.histc(torch.tensor([1.0, 2.0, 1.0]), bins=4, min=0, max=3)
    tensor([0., 2., 1., 0.])
    """
    x = input.array
    if x.dtype.kind != "f":
        raise unsupported("histogram_cpu", "histc", input)
    if bins <= 0:
        text = f"torch.histogram(): bins must be > 0, but got {bins} for dimension 0"
        raise refuse(RuntimeError, text, "histc", input)
    low, high = _bounds(x, min, max, "torch.histc", "")
    inside = x[(x >= low) & (x <= high)]
    places = np.minimum(((inside - low) * x.dtype.type(bins) / (high - low)).astype(np.int64), bins - 1)
    y = wrap(np.bincount(places, minlength=bins).astype(x.dtype))
    return y if out is None else into(out, "histc", y)


def _edges(
    points: np.ndarray, bins: Sequence[Any], range: Sequence[float] | None, name: str
) -> tuple[list[np.ndarray], bool]:
    """The edges of the bins along each axis, and whether they are equal."""
    given = [isinstance(b, Tensor) for b in bins]
    if all(given):
        for i, b in enumerate(bins):
            if b.array.dtype != points.dtype:
                kinds = f"got input with dtype {dtypes.of(points.dtype).c_name} and bins for dimension {i} with dtype "
                text = f"torch.histogramdd: input tensor and bins tensors should have the same dtype, but {kinds}"
                raise refuse(RuntimeError, text + b.dtype.c_name, name)
        return [np.array(b.array) for b in bins], False
    found = []
    for i, b in enumerate(bins):
        x = points[:, i]
        if b <= 0:
            text = f"torch.histogram(): bins must be > 0, but got {b} for dimension {i}"
            raise refuse(RuntimeError, text, name)
        low, high = (0.0, 1.0) if not x.size else (x.min(), x.max())
        if range is not None:
            low, high = range[2 * i], range[2 * i + 1]
        if not (math.isfinite(low) and math.isfinite(high)):
            text = f"torch.histogramdd: dimension {i}'s range [{_number(low)}, {_number(high)}] is not finite"
            raise refuse(RuntimeError, text, name)
        if low > high:
            text = f"torch.histogramdd: min should not exceed max, but got min {_number(low)} max {_number(high)} "
            raise refuse(RuntimeError, f"{text}for dimension {i}", name)
        if low == high:
            low, high = low - 0.5, high + 0.5
        kind = points.dtype.type
        step = (kind(high) - kind(low)) / kind(b)
        k = np.arange(b + 1)
        edges = np.where(k < (b + 1) // 2, kind(low) + step * k.astype(kind), kind(high) - step * (b - k).astype(kind))
        found.append(edges.astype(points.dtype))
    return found, True


def _counted(
    points: np.ndarray,
    bins: Sequence[Any],
    range: Sequence[float] | None,
    weight: Tensor | None,
    density: bool,
    name: str,
) -> tuple[np.ndarray, list[np.ndarray]]:  # fmt: skip
    """The weights of the rows of `points` in the bins of a grid, and its edges."""
    if points.dtype not in (np.float32, np.float64):
        raise unsupported("histogramdd", name, wrap(points))
    if range is not None and len(range) != 2 * len(bins):
        text = f"torch.histogramdd: for a {len(bins)}-dimensional histogram range should have {2 * len(bins)} elements"
        raise refuse(RuntimeError, f"{text}, but got {len(range)}", name)
    edges, _ = _edges(points, bins, range, name)
    sizes = tuple(len(e) - 1 for e in edges)
    places, inside = [], np.ones(len(points), bool)
    for x, e, n in zip(points.T, edges, sizes, strict=True):
        inside &= (x >= e[0]) & (x <= e[-1])
        places.append(np.clip(np.searchsorted(e, x, "right") - 1, 0, n - 1))
    flat = np.ravel_multi_index(tuple(p[inside] for p in places), sizes)
    w = None if weight is None else weight.array.reshape(-1)[inside].astype(np.float64)
    y = np.bincount(flat, w, math.prod(sizes)).astype(points.dtype).reshape(sizes)
    if density:
        y = y / y.sum()
        for axis, e in enumerate(edges):
            y = y / np.diff(e).reshape(-1, *(1,) * (len(sizes) - axis - 1))
    return y.astype(points.dtype), edges


@checked
def histogram(
    input: Tensor, bins: Tensor | int = 100, *, range: Any = None, weight: Tensor | None = None, density: bool = False,
    out: Any = None,
) -> Histogram:  # fmt: skip
    """(hist, bin_edges): the number, or the weight, of the elements in bins of equal width, or between given edges.

    `density` divides by the whole and by the widths.

    >>> import tinygrad_pt as torch
    >>> torch.histogram(torch.tensor([1.0, 2.0, 1.0]), bins=2, range=(0.0, 2.0)).hist
    tensor([0., 3.])
    """
    if weight is not None and weight.array.shape != input.array.shape:
        shapes = f"[{input.array.size}, 1] and weight with shape {list(weight.array.shape)}"
        text = "torch.histogramdd: if weight tensor is provided it should have the same shape as the input tensor "
        raise refuse(RuntimeError, f"{text}excluding its innermost dimension, but got input with shape {shapes}")
    y, edges = _counted(input.array.reshape(-1, 1), [bins], range, weight, density, "histogram")
    found = Histogram(wrap(y), wrap(edges[0]))
    return found if out is None else into(out, "histogram", found)


@checked
def histogramdd(
    input: Tensor, bins: Any, *, range: Any = None, weight: Tensor | None = None, density: bool = False
) -> Histogramdd:
    """(hist, bin_edges): `histogram` of points, whose coordinates are the last axis, in a grid of bins."""
    x = input.array
    if x.ndim < 2:
        raise refuse(
            RuntimeError, "torch.histogramdd: input tensor should have at least 2 dimensions", "histogramdd", input
        )
    n = x.shape[-1]
    bins = [bins] * n if isinstance(bins, int) else list(bins)
    if len(bins) != n:
        text = "histogramdd: The size of bins must be equal to the innermost dimension of the input."
        raise refuse(RuntimeError, text, "histogramdd", input)
    y, edges = _counted(x.reshape(-1, n), bins, range, weight, density, "histogramdd")
    return Histogramdd(wrap(y), tuple(map(wrap, edges)))


# ------------------------------------------------------------------------------------------ covariances
def _weights(input: Tensor, n: int, weights: Tensor, name: str, whole: bool) -> None:
    """Weights of the observations: integers that count, or floating point numbers."""
    w, text = weights.array, ""
    if w.ndim > 1:
        text = f"expected {name} to have one or fewer dimensions but got {name} with {w.ndim} dimensions"
    elif (w.dtype.kind in "iu") != whole:
        kind = "integral" if whole else "floating point"
        text = f"expected {name} to have {kind} dtype but got {name} with {weights.dtype.spoken} dtype"
    elif w.size != n:
        text = f"expected {name} to have the same numel as there are observations in the input but got {w.size} != {n}"
    elif n and w.min() < 0:
        text = f"{name} cannot be negative"
    if text:
        raise refuse(RuntimeError, f"cov(): {text}", "cov", input, weights)


@checked
@in_float32
def cov(
    input: Tensor, *, correction: int = 1, fweights: Tensor | None = None, aweights: Tensor | None = None
) -> Tensor:
    """The covariances of variables, the rows of a matrix; of one variable, its variance.

    `fweights` counts each observation several times, `aweights` weighs it.

    >>> import tinygrad_pt as torch
    >>> torch.cov(torch.tensor([[0.0, 2.0], [2.0, 0.0]]))
    tensor([[ 2., -2.],
            [-2.,  2.]])
    """
    x, text = input.array, ""
    if x.ndim > 2:
        text = f"expected input to have two or fewer dimensions but got an input with {x.ndim} dimensions"
    elif x.dtype == bool:
        text = "bool dtype is not supported for input"
    if text:
        raise refuse(RuntimeError, f"cov(): {text}", "cov", input)
    rows = input if x.ndim == 2 else ops.reshape(input, shape=(1, x.size))
    n = rows.array.shape[1]
    if fweights is not None:
        _weights(input, n, fweights, "fweights", True)
    if aweights is not None:
        _weights(input, n, aweights, "aweights", False)
    w = fweights if aweights is None else aweights if fweights is None else fweights * aweights
    total: Any = n if w is None else sum(w)
    if w is not None and not total.array:
        raise refuse(RuntimeError, "cov(): weights sum to zero, can't be normalized", "cov", input)
    middle = sum(rows if w is None else rows * w, 1) / total
    if w is None or correction == 0 or aweights is None:
        freedom: Any = total - correction if w is None or correction else total
    else:
        freedom = total - correction * sum(w * aweights) / total
    if float(freedom) <= 0:
        text = "cov(): degrees of freedom is <= 0. Correction should be strictly less than the number of observations."
        warnings.warn(text, UserWarning, stacklevel=3)
        freedom = 0
    centred = rows - ops.unsqueeze(middle, axis=1)
    weighted = centred if w is None else centred * w
    y = matmul(centred, ops.t(weighted)) / freedom
    return y if y.array.shape[0] != 1 else as_own(ops.reshape(y, shape=()))


@checked
@in_float32
def corrcoef(input: Tensor) -> Tensor:
    """The correlations of variables, the rows of a matrix: covariances divided by both standard deviations."""
    if input.array.ndim > 2:
        text = f"corrcoef(): expected input to have two or fewer dimensions but got an input with {input.array.ndim} "
        raise refuse(RuntimeError, f"{text}dimensions", "corrcoef", input)
    c = cov(input)
    if not c.array.ndim:
        return c / c
    spread = ops.sqrt(diagonal(c))
    return clamp(c / ops.unsqueeze(spread, axis=1) / spread, -1.0, 1.0)


@checked
def sum_to_size(input: Tensor, *sizes: int | Sequence[int], size: Sequence[int] | None = None) -> Tensor:
    """The sum over the axes along which `size` would be broadcast to the shape of the tensor."""
    sizes = sizes if size is None else (size,)
    if not sizes:
        raise missing("sum_to_size", "size")
    shape, x = sizes_from(sizes, "sum_to_size"), input.array
    pairs = zip(reversed(shape), reversed(x.shape), strict=False)
    if len(shape) > x.ndim or any(m not in (1, n) for m, n in pairs):
        raise refuse(
            RuntimeError, f"size {{{list(shape)}}} is not expandable to size {{{list(x.shape)}}}.", "sum_to_size", input
        )
    if input.array.dtype.kind in "biu" and (shape != x.shape or not shape):
        input = ops.cast(input, dtype=dtypes.int64)
    return ops.sum_to(input, shape=shape)


# ------------------------------------------------------------------------------------------ as methods
class Statistics:
    """The methods of a tensor that this file defines."""

    __slots__ = ()  # so that tensors are as small, and made as fast, as if the class were not there

    corrcoef, cov, dist, histc, histogram, msort = corrcoef, cov, dist, histc, histogram, msort
    nanmean, nanmedian, nanquantile, quantile, renorm = nanmean, nanmedian, nanquantile, quantile, renorm
    sum_to_size, unique_consecutive = sum_to_size, unique_consecutive
