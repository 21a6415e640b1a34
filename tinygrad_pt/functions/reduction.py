"""PyTorch's reductions: `dim`, `keepdim` (NumPy's `axis`, `keepdims` too), and results with names."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, overload

import numpy as np

from tinygrad_pt import dtypes, ops
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.arguments import Dims, Dtype, axes_from, axis_from, flat_in, length_of, truth
from tinygrad_pt.functions.binding import described
from tinygrad_pt.functions.checks import checked, expect_tensor, into, missing, not_a, unsupported
from tinygrad_pt.functions.pointwise import abs, maximum, minimum
from tinygrad_pt.graph import Tensor
from tinygrad_pt.ops import spectral
from tinygrad_pt.views import as_own

__all__ = [
    "all", "amax", "amin", "aminmax", "any", "argmax", "argmin", "argsort", "bincount", "count_nonzero", "cummax",
    "cummin", "cumprod", "cumsum", "kthvalue", "log_softmax", "logsumexp", "max", "mean", "median", "min", "mode",
    "nansum", "norm", "prod", "softmax", "sort", "std", "sum", "topk", "unique", "var",
]  # fmt: skip

Named = TypeVar("Named", bound=type)


# ------------------------------------------------------------------------------------------ results with names
def named(cls: Named) -> Named:
    """Decorator: tuples of this class are results with names, and print as PyTorch's `torch.return_types`."""

    def __repr__(result: Any) -> str:
        inner = ",\n".join(f"{n}={v!r}" for n, v in zip(result._fields, result, strict=True))
        return f"torch.return_types.{type(result).__name__}(\n{inner})"

    setattr(cls, "__repr__", __repr__)  # noqa: B010  # mypy takes a method that is assigned for a mistake
    return cls


@named
class ValuesIndices(NamedTuple):
    """Elements, and the places they were found at."""

    values: Tensor
    indices: Tensor


def named_result(name: str) -> type[ValuesIndices]:
    """`ValuesIndices` under the name of a function."""
    return type(name, (ValuesIndices,), {})


@named
class MinMax(NamedTuple):
    """The smallest and the largest element."""

    min: Tensor
    max: Tensor


MinMax.__name__ = "aminmax"


# ------------------------------------------------------------------------------------------ sums
def _counted(x: Tensor, dtype: Dtype) -> Tensor:
    """Sums and products of integers and truth values are int64, as in PyTorch."""
    if dtype is not None:
        return x.to(dtypes.of(dtype))
    return x.to(dtypes.int64) if x.array.dtype.kind in "biu" else x


def sum(
    input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Dtype = None, axis: Dims = None,
    keepdims: bool = False, out: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Σ input, over all elements or over `dim`; integers sum in int64.

    >>> import tinygrad_pt as torch
    >>> torch.ones(2, 3).sum(), torch.ones(2, 3).sum(dim=1)
    (tensor(6.), tensor([3., 3.]))
    """
    if out is not None:
        dtype = expect_tensor(out, "sum", "out", 0).dtype if dtype is None else dtype
        return into(out, "sum", sum(input, dim, keepdim, dtype=dtype, axis=axis, keepdims=keepdims))
    if not isinstance(input, Tensor):
        expect_tensor(input, "sum")
    axes = axes_from(axis if dim is None else dim, input.array.ndim, "sum", input)
    if keepdim is not False or keepdims is not False:
        keepdim = truth("sum", keepdim=keepdim, keepdims=keepdims)
    if dtype is not None or input.array.dtype.kind != "f":
        input = _counted(input, dtype)
        if dtype is not None:
            return _as_asked(ops.sum(input, axis=axes, keepdims=keepdim), dtype)
    return ops.sum(input, axis=axes, keepdims=keepdim)


def _as_asked(y: Tensor, dtype: Dtype) -> Tensor:
    """The result of a sum or product in the dtype that was asked for: NumPy widens small integers."""
    return y if dtype is None else y.to(dtype)


def mean(
    input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Dtype = None, axis: Dims = None,
    keepdims: bool = False, out: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Σ input / n, of floating point numbers."""
    if out is not None:
        return into(out, "mean", mean(input, dim, keepdim, dtype=dtype, axis=axis, keepdims=keepdims))
    if not isinstance(input, Tensor):
        expect_tensor(input, "mean")
    axes = axes_from(axis if dim is None else dim, input.array.ndim, "mean", input)
    kind = input.array.dtype if dtype is None else dtypes.of(dtype).numpy
    if kind.kind not in "fc":
        which = "Input" if dtype is None else "Optional"
        text = f"mean(): could not infer output dtype. {which} dtype must be either a floating point or complex dtype."
        text += f" Got: {dtypes.of(kind).spoken}"
        raise refuse(RuntimeError, text, "mean", input, mend="x.float().mean()" if dtype is None else "")
    if keepdim is not False or keepdims is not False:
        keepdim = truth("mean", keepdim=keepdim, keepdims=keepdims)
    return ops.mean(input if dtype is None else input.to(dtype), axis=axes, keepdims=keepdim)


@checked
def nansum(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Dtype = None) -> Tensor:
    """Σ of the elements that are numbers."""
    x = input.array
    return sum(ops.where(wrap(np.isnan(x)), wrap(np.zeros((), x.dtype)), input), dim, keepdim, dtype=dtype)


def _spread(
    op: Any, input: Tensor, dim: Dims | bool, unbiased: bool | None, correction: float | None, keepdim: bool
) -> Tensor:
    """The variance or the standard deviation."""
    name = op.__name__
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if expect_tensor(input, name).array.dtype.kind not in "fc":
        text = "std and var only support floating point and complex dtypes"
        raise refuse(RuntimeError, text, name, input, mend=f"x.float().{name}()")
    axes = axes_from(dim, input.array.ndim, name, input)
    c = int(unbiased) if unbiased is not None else 1 if correction is None else correction
    if not isinstance(c, (int, float)):
        raise not_a("Number", c, name, "correction")
    shape = input.array.shape
    n = input.array.size if axes is None else math.prod([shape[i] for i in axes])
    if n <= c:
        text = f"{name}(): degrees of freedom is <= 0. Correction should be strictly less than the reduction factor "
        warnings.warn(f"{text}(input numel divided by output numel).", UserWarning, stacklevel=4)
    return op(input, axis=axes, keepdims=keepdim, correction=c)


@checked
def var(
    input: Tensor, dim: Dims | bool = None, unbiased: bool | None = None, keepdim: bool = False, *,
    correction: float | None = None, axis: Dims = None, keepdims: bool = False,
    out: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Σ (x - mean)² / (n - correction); the correction is 1 unless said otherwise.

    >>> import tinygrad_pt as torch
    >>> torch.tensor([1.0, 3.0]).var(), torch.tensor([1.0, 3.0]).var(correction=0)
    (tensor(2.), tensor(1.))
    """
    return _spread(ops.var, input, axis if dim is None else dim, unbiased, correction, keepdim or keepdims)


@checked
def std(
    input: Tensor, dim: Dims | bool = None, unbiased: bool | None = None, keepdim: bool = False, *,
    correction: float | None = None, axis: Dims = None, keepdims: bool = False,
    out: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """√var; where all elements agree its gradient is 0."""
    return _spread(ops.std, input, axis if dim is None else dim, unbiased, correction, keepdim or keepdims)


@checked
def prod(
    input: Tensor, dim: int | None = None, keepdim: bool = False, *, dtype: Dtype = None, out: Tensor | None = None
) -> Tensor:
    """Π input, over all elements or over `dim`; right, and differentiable, where elements are 0."""
    input = _counted(expect_tensor(input, "prod"), dtype)
    if dim is None:
        return _as_asked(ops.prod(ops.reshape(input, shape=(-1,)) if input.array.ndim != 1 else input), dtype)
    axis = axis_from(dim, input.array.ndim, "prod", input)
    y = _as_asked(ops.prod(_last(input, axis)), dtype)
    return as_own(ops.unsqueeze(y, axis=axis)) if keepdim and input.array.ndim else y


def _last(input: Tensor, axis: int) -> Tensor:
    """`input` with `axis` moved to the end."""
    n = input.array.ndim
    if n == 0:
        return ops.reshape(input, shape=(1,))
    return input if axis == n - 1 else ops.permute(input, axes=(*(i for i in range(n) if i != axis), axis))


@checked
def norm(
    input: Tensor,
    p: float | str | None = 2,
    dim: Dims = None,
    keepdim: bool = False,
    *,
    dtype: Dtype = None,
    out: Tensor | None = None,
) -> Tensor:
    """(Σ |x|ᵖ)^(1/p); at 0 the gradient of the 2-norm is 0. With `dtype` the elements are converted first."""
    if out is not None:
        return into(out, "norm", norm(input, p, dim, keepdim, dtype=dtype))
    if dtype is not None and input.array.dtype.kind == "f":
        input = input.to(dtype)
    x, axes = input.array, axes_from(dim, input.array.ndim)
    if x.dtype.kind in "biu":
        text = f"linalg.vector_norm: Expected a floating point or complex tensor as input. Got {input.dtype.spoken}"
        raise refuse(RuntimeError, text, mend="x.float().norm()")
    if p in (math.inf, -math.inf) and (x.size == 0 if axes is None else 0 in [x.shape[a] for a in axes]):
        text = f"linalg.vector_norm cannot compute the {p} norm on an empty tensor because the operation does not have "
        raise refuse(RuntimeError, f"{text}an identity")
    if p in (2, "fro", None):
        return ops.norm(input, axis=axes, keepdims=keepdim)
    if p == "nuc":
        return _nuclear_norm(input, axes, keepdim)
    if isinstance(p, str):
        raise refuse(RuntimeError, f"linalg.matrix_norm: Order {p} not supported.", mend="a number, 'fro' or 'nuc'")
    if p in (math.inf, -math.inf):
        return (amax if p > 0 else amin)(abs(input), axes, keepdim)
    if p == 0:  # no part of the op, whose rule reads other values for other p
        return flat_in(sum((input != 0).to(input.dtype), axes, keepdim), input)
    return sum(abs(input), axes, keepdim) if p == 1 else ops.pnorm(input, axis=axes, keepdims=keepdim, p=p)


def _nuclear_norm(input: Tensor, axes: tuple[int, ...] | None, keepdim: bool) -> Tensor:
    """Σ of the singular values of matrices, over two axes."""
    n, text = input.array.ndim, ""
    axes = axes if axes is not None else tuple(range(n))
    if n < 2:
        text = "linalg.matrix_norm: The input tensor A must have at least 2 dimensions."
    elif len(axes) != 2:
        text = f"linalg.matrix_norm: dim must be a 2-tuple. Got {' '.join(map(str, axes))}"
    elif not np.isfinite(input.array).all():
        text = "linalg.svd: The algorithm failed to converge because the input matrix contained non-finite values."
    if text:
        raise refuse(RuntimeError, text, "norm", input)
    shape = input.array.shape
    first, last = axes if shape[axes[0]] >= shape[axes[1]] else axes[::-1]  # a matrix and its transpose have one norm
    y = spectral.singular_sum(ops.permute(input, axes=(*(i for i in range(n) if i not in axes), first, last)))
    return ops.reshape(y, shape=tuple(1 if i in axes else m for i, m in enumerate(shape))) if keepdim else y


# ------------------------------------------------------------------------------------------ truth
def _truth(function: Any, doc: str) -> Callable[..., Tensor]:
    def truth(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
        x = input.array
        y = np.asarray(function(x, axis=axes_from(dim, x.ndim), keepdims=keepdim))
        return wrap(y.astype(np.uint8) if x.dtype == np.uint8 else y)

    return checked(described(truth, function.__name__, doc))


any = _truth(np.any, "Whether some element is true (not 0); of uint8 the answer is uint8.")
all = _truth(np.all, "Whether every element is true (not 0); of uint8 the answer is uint8.")


@checked
def count_nonzero(input: Tensor, dim: Dims = None) -> Tensor:
    """The number of elements that are not 0."""
    return wrap(np.asarray(np.count_nonzero(input.array, axes_from(dim, input.array.ndim)), np.int64))


# ------------------------------------------------------------------------------------------ extremes
def _nonempty(input: Tensor, name: str, axis: int | None, dim: int | None = None) -> None:
    """An extreme needs an element: over all axes (None), or along `axis`, which the caller called `dim`."""
    x = input.array
    if axis is None and x.size == 0:
        text = f"{name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim "
        raise refuse(RuntimeError, f"{text}with the 'dim' argument.", name, input)
    if axis is not None and x.ndim and x.shape[axis] == 0:
        text = f"{name}(): Expected reduction dim {axis if dim is None else dim} to have non-zero size."
        raise refuse(IndexError, text, name, input)


def _extreme_over(op: Any, doc: str) -> Callable[..., Tensor]:
    name = op.__name__

    def function(input: Tensor, dim: Dims = (), keepdim: bool = False, *, out: Tensor | None = None) -> Tensor:
        n = expect_tensor(input, name).array.ndim
        dims = () if dim is None else dim if isinstance(dim, (tuple, list)) else (dim,)
        for d in dims:
            _nonempty(input, name, axis_from(d, n, name, input), d)
        if not dims:
            _nonempty(input, name, None)
        return op(input, axis=axes_from(dims, n, name, input), keepdims=bool(keepdim))

    return checked(described(function, name, doc))


amax = _extreme_over(ops.amax, "The largest element over `dim`; ties share the gradient evenly.")
amin = _extreme_over(ops.amin, "The smallest element over `dim`; ties share the gradient evenly.")


def _extreme(name: str, both: Callable[..., Tensor], whole: Any, place: Callable[..., Any]) -> Callable[..., Any]:
    """The function behind `max` and `min`: of two tensors, over all elements, or along an axis with the indices."""
    result = named_result(name)

    def function(input: Tensor, dim: Any, keepdim: bool) -> Tensor | ValuesIndices:
        if not isinstance(input, Tensor):
            expect_tensor(input, name)
        if dim is None:
            _nonempty(input, name, None)
            return whole(input, axis=None, keepdims=False)
        if isinstance(dim, Tensor):
            return both(input, dim)
        x = input.array
        axis = axis_from(dim, x.ndim, name, input)
        if 0 in x.shape:
            _nonempty(input, name, axis)
        index = place(input, axis=axis if x.ndim else None, keepdims=x.ndim > 0).array
        return tuple.__new__(result, _picked(input, index, axis, keepdim))

    return function


def _picked(input: Tensor, index: np.ndarray, axis: int, keepdim: bool) -> tuple[Tensor, Tensor]:
    """Values and indices, where `index` has length 1 along `axis`."""
    if input.array.ndim == 0:
        return ops.clone(input), wrap(index)
    values = gather_at(input, index, axis)
    if not keepdim:
        values, index = as_own(ops.squeeze(values, axis=(axis,))), index.squeeze(axis)
    return values, wrap(index)


def places_of(index: np.ndarray, axis: int) -> tuple[Any, ...]:
    """NumPy's index of the elements that `index` names along `axis`, all other axes staying in place."""
    rows = [np.arange(n).reshape(-1, *(1,) * (index.ndim - i - 1)) for i, n in enumerate(index.shape)]
    return (*rows[:axis], index, *rows[axis + 1 :])


def gather_at(input: Tensor, index: np.ndarray, axis: int) -> Tensor:
    """y[i, …] = input[i, …] with the `axis` index taken from `index`."""
    if input.array.ndim == 0:
        return ops.clone(input)
    return ops.getitem(input, index=places_of(index, axis))


_max = _extreme("max", maximum, ops.amax, ops.argmax)
_min = _extreme("min", minimum, ops.amin, ops.argmin)


@overload
def max(input: Tensor, dim: Tensor | None = None, *, axis: None = None, out: Tensor | None = None) -> Tensor: ...
@overload
def max(
    input: Tensor, dim: int, keepdim: bool = False, *, keepdims: bool = False, out: tuple[Tensor, Tensor] | None = None
) -> ValuesIndices: ...
@overload
def max(input: Tensor, *, axis: int, keepdim: bool = False, keepdims: bool = False) -> ValuesIndices: ...
@overload
def max(input: Tensor, *, other: Tensor) -> Tensor: ...
def max(
    input: Tensor, dim: Any = None, keepdim: bool = False, *, axis: Any = None, keepdims: bool = False,
    other: Any = None, out: Any = None,
) -> Tensor | ValuesIndices:  # fmt: skip
    """`max(x)`: the largest element; `max(x, dim)`: (values, indices); `max(x, y)`: the largest of each pair.

    With `dim`, the gradient goes to the first of several largest elements alone.
    """
    if keepdim is not False or keepdims is not False:
        keepdim = truth("max", keepdim=keepdim, keepdims=keepdims)
    if dim is None:
        dim = other if axis is None else axis
    y = _max(input, dim, keepdim)
    return y if out is None else into(out, "max", y)


@overload
def min(input: Tensor, dim: Tensor | None = None, *, axis: None = None, out: Tensor | None = None) -> Tensor: ...
@overload
def min(
    input: Tensor, dim: int, keepdim: bool = False, *, keepdims: bool = False, out: tuple[Tensor, Tensor] | None = None
) -> ValuesIndices: ...
@overload
def min(input: Tensor, *, axis: int, keepdim: bool = False, keepdims: bool = False) -> ValuesIndices: ...
@overload
def min(input: Tensor, *, other: Tensor) -> Tensor: ...
def min(
    input: Tensor, dim: Any = None, keepdim: bool = False, *, axis: Any = None, keepdims: bool = False,
    other: Any = None, out: Any = None,
) -> Tensor | ValuesIndices:  # fmt: skip
    """`min(x)`: the smallest element; `min(x, dim)`: (values, indices); `min(x, y)`: the smallest of each pair.

    With `dim`, the gradient goes to the first of several smallest elements alone.
    """
    if keepdim is not False or keepdims is not False:
        keepdim = truth("min", keepdim=keepdim, keepdims=keepdims)
    if dim is None:
        dim = other if axis is None else axis
    y = _min(input, dim, keepdim)
    return y if out is None else into(out, "min", y)


def _arg_extreme(place: Any) -> Callable[..., Tensor]:
    name = place.__name__

    def function(input: Tensor, dim: int | None = None, keepdim: bool = False, *, axis: int | None = None) -> Tensor:
        dim = axis if dim is None else dim
        x = expect_tensor(input, name).array
        if x.dtype.char == "?":
            raise refuse(RuntimeError, f"{name}(): does not support bool input", name, input, mend="x.long()")
        if dim is None:
            if x.size == 0:
                text = f"{name}(): Expected reduction dim to be specified for input.numel() == 0."
                raise refuse(IndexError, text, name, input)
            return place(input, axis=None, keepdims=keepdim)
        over = axis_from(dim, x.ndim, name, input)
        if x.size == 0:
            _nonempty(input, name, over)
        return place(input, axis=over if x.ndim else None, keepdims=keepdim and x.ndim > 0)

    return checked(described(function, name, "The index of the first extreme element: int64, without gradient."))


argmax, argmin = map(_arg_extreme, (ops.argmax, ops.argmin))


@checked
def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False, out: Any = None) -> MinMax:
    """(amin, amax)."""
    if input.array.size == 0 and dim is None:
        text = "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity."
        raise refuse(RuntimeError, text)
    over = () if dim is None else dim
    return MinMax(amin(input, over, keepdim), amax(input, over, keepdim))


# ------------------------------------------------------------------------------------------ order
_sort, _topk, _median, _kthvalue, _mode = map(named_result, ("sort", "topk", "median", "kthvalue", "mode"))


@checked
def argsort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Tensor:
    """The indices that sort `input` along `dim`."""
    return wrap(_order(input, axis_from(dim, input.array.ndim), descending))


def _order(input: Tensor, axis: int, descending: bool = False) -> np.ndarray:
    if input.array.ndim == 0:
        return np.zeros((), np.int64)
    return ops.argsort(input, axis=axis, descending=descending).array


def _places(index: np.ndarray, axis: int, start: int, stop: int) -> np.ndarray:
    """The indices from start to stop along an axis, as an array of their own."""
    return index[(slice(None),) * axis + (slice(start, stop),)].copy() if index.ndim else index


@checked
def sort(
    input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False, *, out: Any = None
) -> ValuesIndices:
    """(values, indices), in order along `dim`; equal elements keep their order, nan is the largest."""
    axis = axis_from(dim, input.array.ndim)
    index = _order(input, axis, descending)
    return _sort(gather_at(input, index, axis), wrap(index))


@checked
def topk(
    input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True, *, out: Any = None
) -> ValuesIndices:
    """(values, indices) of the k largest (or smallest) elements along `dim`."""
    axis = axis_from(dim, input.array.ndim)
    n = length_of(input, axis)
    if k < 0 or k > n:
        raise refuse(RuntimeError, "selected index k out of range", mend=f"k is at most {n} here")
    if input.array.dtype == bool:
        raise refuse(RuntimeError, "topk does not support bool dtypes on CPU", mend="x.byte()")
    index = _places(_order(input, axis, descending=largest), axis, 0, k)
    return _topk(gather_at(input, index, axis), wrap(index))


@checked
def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False, *, out: Any = None) -> ValuesIndices:
    """(values, indices) of the k-th smallest element along `dim`, counting from 1."""
    axis = axis_from(dim, input.array.ndim)
    n = length_of(input, axis)
    _nonempty(input, "kthvalue", axis)
    if input.array.dtype == bool:
        raise unsupported("kthvalue_cpu", "kthvalue", input)
    if not 1 <= k <= n:
        text = f"kthvalue(): selected number k out of range for dimension {axis}"
        raise refuse(RuntimeError, text, mend=f"k counts from 1 to {n} here")
    return _kthvalue(*_picked(input, _places(_order(input, axis), axis, k - 1, k), axis, keepdim))


@overload
def median(input: Tensor, dim: None = None) -> Tensor: ...
@overload
def median(input: Tensor, dim: int, keepdim: bool = False) -> ValuesIndices: ...
@checked
def median(input: Tensor, dim: Any = None, keepdim: bool = False, *, out: Any = None) -> Tensor | ValuesIndices:
    """The middle element, the lower of two, nan if there is one; with `dim`, (values, indices).

    Without `dim`, ties share the gradient evenly; with `dim`, all of it goes to the element indexed.

    >>> import tinygrad_pt as torch
    >>> torch.tensor([3.0, 1.0, 2.0, 4.0]).median()
    tensor(2.)
    """
    x = input.array
    axis = 0 if dim is None else axis_from(dim, x.ndim)
    if x.dtype == bool:
        raise unsupported("median_cpu" if dim is None else "median_out", "median", input)
    if dim is None:
        if x.size == 0:
            return wrap(np.array(np.nan, x.dtype))
        flat = ops.reshape(input, shape=(x.size,))
        middle = np.sort(x, None)[(x.size - 1) // 2] if not np.isnan(x).any() else x.dtype.type("nan")
        if x.dtype.kind != "f":
            return wrap(middle)
        chosen = np.flatnonzero((flat.array == middle) | (np.isnan(flat.array) & np.isnan(middle)))
        return ops.mean(ops.getitem(flat, index=(chosen,)), axis=None, keepdims=False)
    _nonempty(input, "median", axis)
    k = (length_of(input, axis) + 1) // 2
    index = _places(_order(input, axis), axis, k - 1, k)
    if x.ndim and x.dtype.kind == "f":  # a nan is the median wherever there is one
        index = np.where(np.isnan(x).any(axis, keepdims=True), np.isnan(x).argmax(axis, keepdims=True), index)
    return _median(*_picked(input, index, axis, keepdim))


@checked
def mode(input: Tensor, dim: int = -1, keepdim: bool = False, *, out: Any = None) -> ValuesIndices:
    """(values, indices) of the most frequent element along `dim`, the smallest of several."""
    x = input.array
    axis = axis_from(dim, x.ndim)
    _nonempty(input, "mode", axis)

    def most(v: np.ndarray) -> np.intp:
        values, counts = np.unique(v, return_counts=True)
        return np.flatnonzero(v == values[np.argmax(counts)])[-1]

    index = (
        np.apply_along_axis(most, axis, x)
        if x.size and x.ndim
        else np.zeros(x.shape[:axis] + x.shape[axis + 1 :], np.int64)
    )
    return _mode(*_picked(input, np.expand_dims(index, axis) if x.ndim else index, axis, keepdim))


@overload
def unique(input: Tensor, sorted: bool = True, *, dim: int | None = None) -> Tensor: ...
@overload
def unique(
    input: Tensor, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False,
    dim: int | None = None,
) -> Tensor | tuple[Tensor, ...]: ...  # fmt: skip
@checked
def unique(
    input: Tensor, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False,
    dim: int | None = None,
) -> Tensor | tuple[Tensor, ...]:  # fmt: skip
    """The distinct elements, or slices along `dim`, in order, and where asked their inverse and counts.

    >>> import tinygrad_pt as torch
    >>> torch.tensor([[1, 2], [0, 3], [1, 2]]).unique(dim=0, return_counts=True)
    (tensor([[0, 3],
            [1, 2]]), tensor([1, 2]))
    """
    x = input.array
    if dim is None:
        y, inverse, counts = np.unique(x, return_inverse=True, return_counts=True, equal_nan=False)
        inverse = inverse.reshape(x.shape)
    else:
        if x.ndim == 0:
            raise refuse(IndexError, f"Dimension specified as {dim} but tensor has no dimensions")
        y, inverse, counts = _distinct(x, axis_from(dim, x.ndim))
    extra = [wrap(inverse)] if return_inverse else []
    extra += [wrap(counts)] if return_counts else []
    return (wrap(y), *extra) if extra else wrap(y)


def _distinct(x: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The distinct slices along an axis in lexicographic order, their inverse and their counts."""
    n, empty = x.shape[axis], x.shape.count(0)
    if n == 0 and empty > 1:
        text = "Number of zero sized dimensions is more than one, so unique cannot be applied "
        raise refuse(RuntimeError, text)
    if n and empty:
        text = "There are 0 sized dimensions, and they aren't selected, so unique cannot be applied"
        raise refuse(RuntimeError, text)
    rows = np.moveaxis(x, axis, 0).reshape(n, -1) if n else np.zeros((0, 1), x.dtype)
    order = np.lexsort(rows.T[::-1])
    first = np.ones(n, bool)
    first[1:] = (rows[order][1:] != rows[order][:-1]).any(1)
    inverse = np.zeros(n, np.int64)
    inverse[order] = np.cumsum(first) - 1
    return np.take(x, order[first], axis), inverse, np.diff(np.append(np.flatnonzero(first), n))


@checked
def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each integer occurs, or the sum of its weights."""
    x = input.array
    if x.dtype.kind not in "iu":
        raise unsupported("bincount_cpu", "bincount", input)
    if x.ndim != 1 or (x.size and x.min() < 0):
        raise refuse(RuntimeError, "bincount only supports 1-d non-negative integral inputs.")
    if minlength < 0:
        raise refuse(RuntimeError, "minlength should be >= 0")
    if x.size and x.max() >= 2**59:
        raise refuse(RuntimeError, f"Storage size calculation overflowed with sizes=[{x.max() + 1}]")
    if weights is None:
        return wrap(np.bincount(x, None, minlength))
    if weights.array.shape != x.shape:
        raise refuse(RuntimeError, "weights should be 1-d and have the same length as input")
    y = np.bincount(x, weights.array, minlength)
    return wrap(y.astype(np.float32) if weights.array.dtype == np.float32 else y)


# ------------------------------------------------------------------------------------------ running
def _along(input: Tensor, name: str, dim: int | None, dtype: Dtype) -> tuple[Tensor, int]:
    """The checked input and axis of a running sum or product."""
    if dim is None:
        raise missing(name, "dim")
    if dtype is not None and dtypes.of(dtype) is dtypes.bool and expect_tensor(input, name).array.ndim:
        raise refuse(NotImplementedError, f"\"{name}_out_cpu\" not implemented for 'Bool'", name, input)
    x = _counted(input, dtype)
    return x, axis_from(dim, x.array.ndim)


@checked
def cumsum(
    input: Tensor, dim: int | None = None, *, dtype: Dtype = None, axis: int | None = None, out: Tensor | None = None
) -> Tensor:
    """Running sums along `dim`.

    >>> import tinygrad_pt as torch
    >>> torch.tensor([1, 2, 3]).cumsum(0)
    tensor([1, 3, 6])
    """
    input, over = _along(input, "cumsum", axis if dim is None else dim, dtype)
    return _as_asked(ops.cumsum(input, axis=over), dtype) if input.array.ndim else ops.clone(input)


@checked
def cumprod(
    input: Tensor, dim: int | None = None, *, dtype: Dtype = None, axis: int | None = None, out: Tensor | None = None
) -> Tensor:
    """Running products along `dim`."""
    input, over = _along(input, "cumprod", axis if dim is None else dim, dtype)
    n = input.array.ndim
    if n == 0:
        return ops.clone(input)
    y = _as_asked(ops.cumprod(_last(input, over)), dtype)
    back = tuple(n - 1 if i == over else i - (i > over) for i in range(n))
    return y if over == n - 1 else as_own(ops.permute(y, axes=back))


def _running(name: str, ufunc: np.ufunc) -> Callable[..., ValuesIndices]:
    result = named_result(name)

    def function(input: Tensor, dim: int) -> ValuesIndices:
        x = input.array
        if x.ndim == 0 and dim not in (-1, 0):
            raise refuse(IndexError, f"{name}(): Expected reduction dim -1 or 0 for scalar but got {dim}")
        if x.size == 0 or x.ndim == 0:
            return result(ops.clone(input), wrap(np.zeros(x.shape, np.int64)))
        axis = axis_from(dim, x.ndim)
        with np.errstate(all="ignore"):
            best = ufunc.accumulate(x, axis)
        here = np.where((x == best) | np.isnan(x), np.indices(x.shape)[axis], 0)
        index = np.maximum.accumulate(here, axis)
        return result(gather_at(input, index, axis), wrap(index))

    return checked(described(function, name, "(values, indices): the running extreme along `dim`."))


cummax, cummin = _running("cummax", np.maximum), _running("cummin", np.minimum)


# ------------------------------------------------------------------------------------------ soft
def _soft(op: Any, doc: str) -> Callable[..., Tensor]:
    name = op.__name__

    def function(input: Tensor, dim: int, dtype: Dtype = None, *, out: Tensor | None = None) -> Tensor:
        n = expect_tensor(input, name).array.ndim
        axis = axis_from(dim, n, name, input)
        if dtype is not None:
            input = input.to(dtypes.of(dtype))
        if input.array.dtype.kind != "f":
            raise unsupported(f"{name}{'_lastdim' if axis == n - 1 else ''}_kernel_impl", name, input)
        y = op(input, axis=axis if n else ())
        return y if out is None else into(out, name, y)

    return described(function, name, doc)


softmax = _soft(ops.softmax, "eˣ / Σ eˣ along `dim`.")
log_softmax = _soft(ops.log_softmax, "x - ln Σ eˣ along `dim`.")


@checked
def logsumexp(input: Tensor, dim: Dims, keepdim: bool = False, *, out: Tensor | None = None) -> Tensor:
    """ln Σ eˣ over `dim`, without overflow."""
    if expect_tensor(input, "logsumexp").array.dtype.kind in "biu":
        input = input.to(dtypes.get_default_dtype())
    axes = axes_from(dim, input.array.ndim, "logsumexp", input)
    axes = () if axes is None and input.array.ndim == 0 else axes
    return ops.logsumexp(input, axis=axes, keepdims=bool(keepdim))


# ------------------------------------------------------------------------------------------ as methods
class Reduction:
    """The methods of a tensor that this file defines."""

    __slots__ = ()  # so that tensors are as small, and made as fast, as if the class were not there

    all, amax, amin, aminmax, any, argmax, argmin, argsort = all, amax, amin, aminmax, any, argmax, argmin, argsort
    bincount, count_nonzero, cummax, cummin, cumprod, cumsum = bincount, count_nonzero, cummax, cummin, cumprod, cumsum
    kthvalue, log_softmax, logsumexp, max, mean, median, min = kthvalue, log_softmax, logsumexp, max, mean, median, min
    mode, nansum, norm, prod, softmax, sort, std, sum, topk = mode, nansum, norm, prod, softmax, sort, std, sum, topk
    unique, var = unique, var
