"""PyTorch's reductions: `dim`, `keepdim` (NumPy's `axis`, `keepdims` too), and results with names."""

from __future__ import annotations

import warnings
from operator import itemgetter
from typing import Any

import numpy as np

from tinygrad_pt import dtypes, ops
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.arguments import axes_from, axis_from, expect_tensor, unsupported
from tinygrad_pt.functions.pointwise import abs, maximum, minimum
from tinygrad_pt.graph import Handle, wrap

__all__ = [
    "all", "amax", "amin", "aminmax", "any", "argmax", "argmin", "argsort", "bincount", "count_nonzero", "cummax",
    "cummin", "cumprod", "cumsum", "kthvalue", "log_softmax", "logsumexp", "max", "mean", "median", "min", "mode",
    "nansum", "norm", "prod", "softmax", "sort", "std", "sum", "topk", "unique", "var",
]  # fmt: skip


# ------------------------------------------------------------------------------------------ results with names
class Named(tuple):
    """A tuple whose fields have names and which prints as PyTorch's `torch.return_types`."""

    fields: tuple[str, ...] = ()
    spoken = ""

    def __repr__(self) -> str:
        inner = ",\n".join(f"{n}={v!r}" for n, v in zip(self.fields, self, strict=True))
        return f"torch.return_types.{self.spoken}(\n{inner})"


def named(name: str, *fields: str) -> Any:
    """A `Named` type with these fields."""
    members: dict[str, Any] = {f: property(itemgetter(i)) for i, f in enumerate(fields)}
    return type(name, (Named,), members | {"fields": fields, "spoken": name})


# ------------------------------------------------------------------------------------------ sums
def _counted(x: Any, dtype: Any) -> Any:
    """Sums and products of integers and truth values are int64, as in PyTorch."""
    if dtype is not None:
        return x.to(dtype)
    return x.to(dtypes.int64) if x.array.dtype.kind in "biu" else x


def sum(
    input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, axis: Any = None, keepdims: bool = False
) -> Any:
    """Σ input, over all elements or over `dim`; integers sum in int64.

    >>> import tinygrad_pt as torch
    >>> torch.ones(2, 3).sum(), torch.ones(2, 3).sum(dim=1)
    (tensor(6.), tensor([3., 3.]))
    """
    expect_tensor(input, "sum")
    axes = axes_from(axis if dim is None else dim, input.array.ndim)
    if dtype is not None or input.array.dtype.kind != "f":
        input = _counted(input, dtype)
    return ops.sum(input, axis=axes, keepdims=keepdim or keepdims)


def mean(
    input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, axis: Any = None, keepdims: bool = False
) -> Any:
    """Σ input / n, of floating point numbers."""
    expect_tensor(input, "mean")
    axes = axes_from(axis if dim is None else dim, input.array.ndim)
    if dtype is not None:
        if dtypes.of(dtype).rank < 2:
            raise RuntimeError(
                "mean(): could not infer output dtype. Optional dtype must be either a floating point or "
                "complex dtype. "
                f"Got: {dtypes.of(dtype).spoken}"
            )
        input = input.to(dtype)
    if input.array.dtype.kind not in "fc":
        raise refuse(
            RuntimeError,
            "mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: "
            f"{dtypes.of(input.array.dtype).spoken}",
            "mean",
            input,
            mend="x.float().mean()",
        )
    return ops.mean(input, axis=axes, keepdims=keepdim or keepdims)


def nansum(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """Σ of the elements that are numbers."""
    return sum(ops.where(wrap(np.isnan(input.array)), wrap(np.zeros((), input.array.dtype)), input), dim, keepdim)


def _correction(unbiased: bool | None, correction: Any) -> float:
    return (1 if correction is None else correction) if unbiased is None else int(unbiased)


def _spread_of(op: Any, input: Any, dim: Any, unbiased: Any, correction: Any, keepdim: bool) -> Any:
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if input.array.dtype.kind not in "fc":
        raise refuse(
            RuntimeError,
            "std and var only support floating point and complex dtypes",
            op.__name__,
            input,
            mend=f"x.float().{op.__name__}()",
        )
    axes = axes_from(dim, input.array.ndim)
    c = _correction(unbiased, correction)
    shape = input.array.shape
    n = input.array.size if axes is None else int(np.prod([shape[i] for i in axes]))
    if n <= c:
        warnings.warn(
            f"{op.__name__}(): degrees of freedom is <= 0. Correction should be strictly less than the reduction "
            "factor (input numel divided by output numel).", UserWarning, stacklevel=3,
        )  # fmt: skip
    return op(input, axis=axes, keepdims=keepdim, correction=c)


def var(
    input: Any, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: Any = None,
    axis: Any = None, keepdims: bool = False,
) -> Any:  # fmt: skip
    """Σ (x - mean)² / (n - correction); the correction is 1 unless said otherwise.

    >>> import tinygrad_pt as torch
    >>> torch.tensor([1.0, 3.0]).var(), torch.tensor([1.0, 3.0]).var(correction=0)
    (tensor(2.), tensor(1.))
    """
    return _spread_of(ops.var, input, axis if dim is None else dim, unbiased, correction, keepdim or keepdims)


def std(
    input: Any, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: Any = None,
    axis: Any = None, keepdims: bool = False,
) -> Any:  # fmt: skip
    """√var; where all elements agree its gradient is 0."""
    return _spread_of(ops.std, input, axis if dim is None else dim, unbiased, correction, keepdim or keepdims)


def prod(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """Π input, over all elements or over `dim`; right, and differentiable, where elements are 0."""
    expect_tensor(input, "prod")
    input = _counted(input, dtype)
    if dim is None:
        return ops.prod(ops.reshape(input, shape=(-1,)) if input.array.ndim != 1 else input)
    axis = axis_from(dim, input.array.ndim)
    y = ops.prod(_last(input, axis))
    return ops.unsqueeze(y, axis=axis) if keepdim and input.array.ndim else y


def _last(input: Any, axis: int) -> Any:
    """`input` with `axis` moved to the end."""
    n = input.array.ndim
    if n == 0:
        return ops.reshape(input, shape=(1,))
    return input if axis == n - 1 else ops.permute(input, axes=(*(i for i in range(n) if i != axis), axis))


def norm(input: Any, p: Any = 2, dim: Any = None, keepdim: bool = False) -> Any:
    """(Σ |x|ᵖ)^(1/p); at 0 the gradient of the 2-norm is 0."""
    axes = axes_from(dim, expect_tensor(input, "norm").array.ndim)
    x = input.array
    if x.dtype.kind in "biu":
        raise RuntimeError(
            f"linalg.vector_norm: Expected a floating point or complex tensor as input. Got {input.dtype.spoken}"
        )
    if p in (float("inf"), float("-inf")) and (x.size == 0 if axes is None else 0 in [x.shape[a] for a in axes]):
        raise RuntimeError(
            f"linalg.vector_norm cannot compute the {p} norm on an empty tensor because the operation does not have an "
            "identity"
        )
    if p in (2, "fro", None):
        return ops.norm(input, axis=axes, keepdims=keepdim)
    if p == float("inf"):
        return amax(abs(input), axes, keepdim)
    if p == float("-inf"):
        return amin(abs(input), axes, keepdim)
    if p == 0:
        return sum((input != 0).to(input.dtype), axes, keepdim)
    if p == 1:
        return sum(abs(input), axes, keepdim)
    return sum(abs(input) ** p, axes, keepdim) ** (1 / p)


# ------------------------------------------------------------------------------------------ truth
def any(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """Whether some element is true (not 0); of uint8 the answer is uint8."""
    return _truth(np.any, expect_tensor(input, "any").array, dim, keepdim)


def _truth(function: Any, x: Any, dim: Any, keepdim: bool) -> Any:
    y = np.asarray(function(x, axis=axes_from(dim, x.ndim), keepdims=keepdim))
    return wrap(y.astype(np.uint8) if x.dtype == np.uint8 else y)


def all(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """Whether every element is true (not 0); of uint8 the answer is uint8."""
    return _truth(np.all, expect_tensor(input, "all").array, dim, keepdim)


def count_nonzero(input: Any, dim: Any = None) -> Any:
    """How many elements are not 0."""
    return wrap(np.asarray(np.count_nonzero(input.array, axes_from(dim, input.array.ndim)), np.int64))


# ------------------------------------------------------------------------------------------ extremes
def _nonempty(input: Any, name: str, axis: int | None, dim: Any = None) -> None:
    """An extreme needs an element: over all axes (None), or along `axis`, which the caller called `dim`."""
    x = input.array
    if axis is None and x.size == 0:
        raise refuse(
            RuntimeError,
            f"{name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with "
            "the 'dim' argument.",
            name,
            input,
        )
    if axis is not None and x.ndim and x.shape[axis] == 0:
        raise refuse(
            IndexError,
            f"{name}(): Expected reduction dim {axis if dim is None else dim} to have non-zero size.",
            name,
            input,
        )


def amax(input: Any, dim: Any = (), keepdim: bool = False) -> Any:
    """The largest element over `dim`; ties share the gradient evenly."""
    return ops.amax(input, axis=_extreme_axes(input, dim, "amax"), keepdims=keepdim)


def _extreme_axes(input: Any, dim: Any, name: str) -> tuple[int, ...] | None:
    n = expect_tensor(input, name).array.ndim
    dims = () if dim is None else dim if isinstance(dim, (tuple, list)) else (dim,)
    for d in dims:
        _nonempty(input, name, axis_from(d, n), d)
    if not dims:
        _nonempty(input, name, None)
    return axes_from(dim, n)


def amin(input: Any, dim: Any = (), keepdim: bool = False) -> Any:
    """The smallest element over `dim`; ties share the gradient evenly."""
    return ops.amin(input, axis=_extreme_axes(input, dim, "amin"), keepdims=keepdim)


def _extreme(name: str, both: Any, whole: Any, place: Any) -> Any:
    result = named(name, "values", "indices")

    def function(
        input: Any, dim: Any = None, keepdim: bool = False, *, axis: Any = None, keepdims: bool = False
    ) -> Any:
        expect_tensor(input, name)
        dim = axis if dim is None else dim
        if isinstance(dim, Handle):
            return both(input, dim)
        if dim is None:
            _nonempty(input, name, None)
            return whole(input, axis=None, keepdims=False)
        axis_ = axis_from(dim, input.array.ndim)
        _nonempty(input, name, axis_)
        index = np.expand_dims(place(input.array, axis_), axis_) if input.array.ndim else np.zeros((), np.int64)
        return result(_picked(input, index, axis_, keepdim or keepdims))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = (
        f"`{name}(x)`: the extreme element; `{name}(x, dim)`: (values, indices), the gradient going to the first\n"
        f"    extreme alone; `{name}(x, y)`: element by element."
    )
    return function


def _picked(input: Any, index: Any, axis: int, keepdim: bool) -> tuple[Any, Any]:
    """Values and indices, where `index` has length 1 along `axis`."""
    if input.array.ndim == 0:
        return ops.clone(input), wrap(index)
    values = gather_at(input, index, axis)
    if not keepdim:
        values, index = ops.squeeze(values, axis=(axis,)), np.squeeze(index, axis)
    return values, wrap(index)


def gather_at(input: Any, index: Any, axis: int) -> Any:
    """y[i, …] = input[i, …] with the `axis` index taken from `index`."""
    if input.array.ndim == 0:
        return ops.clone(input)
    places = list(np.ogrid[tuple(slice(n) for n in index.shape)])
    places[axis] = index
    return ops.getitem(input, index=tuple(places))


max = _extreme("max", maximum, ops.amax, np.argmax)
min = _extreme("min", minimum, ops.amin, np.argmin)


def _where_extreme(name: str, place: Any) -> Any:
    def function(input: Any, dim: Any = None, keepdim: bool = False, *, axis: Any = None) -> Any:
        dim = axis if dim is None else dim
        x = expect_tensor(input, name).array
        if x.dtype == bool:
            raise RuntimeError(f"{name}(): does not support bool input")
        if dim is None:
            if x.size == 0:
                raise IndexError(f"{name}(): Expected reduction dim to be specified for input.numel() == 0.")
            y = np.asarray(place(x))
            return wrap(y.reshape((1,) * x.ndim) if keepdim else y)
        axis_ = axis_from(dim, x.ndim)
        _nonempty(input, name, axis_)
        return wrap(np.asarray(place(x, axis_ if x.ndim else None, keepdims=keepdim and x.ndim > 0)))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = "The index of the first extreme element: int64, without gradient."
    return function


argmax = _where_extreme("argmax", np.argmax)
argmin = _where_extreme("argmin", np.argmin)
aminmax_result = named("aminmax", "min", "max")


def aminmax(input: Any, *, dim: Any = None, keepdim: bool = False) -> Any:
    """(amin, amax)."""
    if expect_tensor(input, "aminmax").array.size == 0 and dim is None:
        raise RuntimeError(
            "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity."
        )
    dim = () if dim is None else dim
    return aminmax_result((amin(input, dim, keepdim), amax(input, dim, keepdim)))


# ------------------------------------------------------------------------------------------ order
_sorted, _topped, _median, _kth, _mode = (
    named(n, "values", "indices") for n in ("sort", "topk", "median", "kthvalue", "mode")
)


def argsort(input: Any, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    """The indices that sort `input` along `dim`."""
    x = input.array
    axis = axis_from(dim, x.ndim)
    if x.ndim == 0:
        return wrap(np.zeros((), np.int64))
    if not descending:
        return wrap(np.argsort(x, axis, kind="stable"))
    flipped = np.argsort(np.flip(x, axis), axis, kind="stable")
    return wrap(np.ascontiguousarray(np.flip(x.shape[axis] - 1 - flipped, axis)))


def sort(input: Any, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    """(values, indices), in order along `dim`; equal elements keep their order, nan is the largest."""
    index = argsort(input, dim, descending, stable)
    return _sorted((gather_at(input, index.array, axis_from(dim, input.array.ndim)), index))


def topk(input: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """(values, indices) of the k largest (or smallest) elements along `dim`."""
    axis = axis_from(dim, input.array.ndim)
    if k < 0 or k > (input.array.shape[axis] if input.array.ndim else 1):
        raise RuntimeError("selected index k out of range")
    index = argsort(input, axis, descending=largest).array
    if input.array.ndim:
        index = index[(slice(None),) * axis + (slice(k),)].copy()
    return _topped((gather_at(input, index, axis), wrap(index)))


def kthvalue(input: Any, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    """(values, indices) of the k-th smallest element along `dim`, counting from 1."""
    axis = axis_from(dim, input.array.ndim)
    if not 1 <= k <= (input.array.shape[axis] if input.array.ndim else 1):
        raise RuntimeError("kthvalue(): selected number k out of range for dimension " + str(axis))
    index = argsort(input, axis).array
    if input.array.ndim:
        index = index[(slice(None),) * axis + (slice(k - 1, k),)].copy()
    return _kth(_picked(input, index, axis, keepdim))


def median(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The middle element, the lower of two, nan if there is one; with `dim`, (values, indices).

    Without `dim`, ties share the gradient evenly; with `dim`, all of it goes to the element indexed.

    >>> import tinygrad_pt as torch
    >>> torch.tensor([3.0, 1.0, 2.0, 4.0]).median()
    tensor(2.)
    """
    x = expect_tensor(input, "median").array
    axis = 0 if dim is None else axis_from(dim, x.ndim)
    if x.dtype == bool:
        raise unsupported("median_cpu" if dim is None else "median_out", input)
    if dim is None:
        if x.size == 0:
            return wrap(np.array(np.nan, x.dtype))
        flat = ops.reshape(input, shape=(x.size,))
        middle = np.sort(x, None)[(x.size - 1) // 2] if not np.isnan(x).any() else x.dtype.type("nan")
        chosen = np.flatnonzero((flat.array == middle) | (np.isnan(flat.array) & np.isnan(middle)))
        return (
            ops.mean(ops.getitem(flat, index=(chosen,)), axis=None, keepdims=False)
            if x.dtype.kind == "f"
            else wrap(middle)
        )
    _nonempty(input, "median", axis)
    n = x.shape[axis] if x.ndim else 1
    index = kthvalue(input, (n + 1) // 2, axis, keepdim=True)[1].array
    if x.ndim and x.dtype.kind == "f":  # a nan is the median wherever there is one
        index = np.where(np.isnan(x).any(axis, keepdims=True), np.isnan(x).argmax(axis, keepdims=True), index)
    return _median(_picked(input, index, axis, keepdim))


def mode(input: Any, dim: int = -1, keepdim: bool = False) -> Any:
    """(values, indices) of the most frequent element along `dim`, the smallest of several."""
    x = input.array
    axis = axis_from(dim, x.ndim)

    def most(v: Any) -> Any:
        values, counts = np.unique(v, return_counts=True)
        return np.flatnonzero(v == values[np.argmax(counts)])[-1]

    index = np.apply_along_axis(most, axis, x) if x.ndim else np.zeros((), np.int64)
    return _mode(_picked(input, np.expand_dims(index, axis) if x.ndim else index, axis, keepdim))


def unique(input: Any, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False) -> Any:
    """The distinct elements in order, and where asked their inverse and counts."""
    y, inverse, counts = np.unique(input.array, return_inverse=True, return_counts=True, equal_nan=False)
    extra = [wrap(inverse.reshape(input.array.shape))] * return_inverse + [wrap(counts)] * return_counts
    return (wrap(y), *extra) if extra else wrap(y)


def bincount(input: Any, weights: Any = None, minlength: int = 0) -> Any:
    """How often each integer occurs, or the sum of its weights."""
    x = expect_tensor(input, "bincount").array
    if x.dtype.kind not in "iu":
        raise unsupported("bincount_cpu", input)
    if x.ndim != 1 or (x.size and x.min() < 0):
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    if weights is None:
        return wrap(np.bincount(x, None, minlength))
    y = np.bincount(x, weights.array, minlength)
    return wrap(y.astype(np.float32) if weights.array.dtype == np.float32 else y)


# ------------------------------------------------------------------------------------------ running
def _along(input: Any, name: str, dim: Any, axis: Any, dtype: Any) -> tuple[Any, int]:
    """The checked input and axis of a running sum or product."""
    dim = axis if dim is None else dim
    if dim is None:
        raise TypeError(f'{name}() missing 1 required positional arguments: "dim"')
    return _counted(expect_tensor(input, name), dtype), axis_from(dim, input.array.ndim)


def cumsum(input: Any, dim: Any = None, *, dtype: Any = None, axis: Any = None) -> Any:
    """Running sums along `dim`.

    >>> import tinygrad_pt as torch
    >>> torch.tensor([1, 2, 3]).cumsum(0)
    tensor([1, 3, 6])
    """
    input, axis = _along(input, "cumsum", dim, axis, dtype)
    return ops.cumsum(input, axis=axis) if input.array.ndim else ops.clone(input)


def cumprod(input: Any, dim: Any = None, *, dtype: Any = None, axis: Any = None) -> Any:
    """Running products along `dim`."""
    input, axis = _along(input, "cumprod", dim, axis, dtype)
    n = input.array.ndim
    if n == 0:
        return ops.clone(input)
    y = ops.cumprod(_last(input, axis))
    back = tuple(n - 1 if i == axis else i - (i > axis) for i in range(n))
    return y if axis == n - 1 else ops.permute(y, axes=back)


def _running(name: str, ufunc: Any) -> Any:
    result = named(name, "values", "indices")

    def function(input: Any, dim: int) -> Any:
        x = expect_tensor(input, name).array
        if x.ndim == 0 and dim not in (-1, 0):
            raise IndexError(f"{name}(): Expected reduction dim -1 or 0 for scalar but got {dim}")
        if x.size == 0:
            return result((ops.clone(input), wrap(np.zeros(x.shape, np.int64))))
        axis = axis_from(dim, x.ndim)
        if x.ndim == 0:
            return result((ops.clone(input), wrap(np.zeros((), np.int64))))
        best = ufunc.accumulate(x, axis)
        shape = [1] * x.ndim
        shape[axis] = x.shape[axis]
        here = np.where((x == best) | np.isnan(x), np.arange(x.shape[axis]).reshape(shape), 0)
        index = np.maximum.accumulate(here, axis)
        return result((gather_at(input, index, axis), wrap(index)))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = "(values, indices): the running extreme along `dim`."
    return function


cummax, cummin = _running("cummax", np.maximum), _running("cummin", np.minimum)


# ------------------------------------------------------------------------------------------ soft
def _floating(input: Any, name: str, dim: Any, dtype: Any) -> tuple[Any, Any]:
    """The checked input and axis of a softmax."""
    n = expect_tensor(input, name).array.ndim
    axis = axis_from(dim, n)
    if dtype is not None:
        input = input.to(dtype)
    if input.array.dtype.kind != "f":
        last = "_lastdim" if axis == n - 1 else ""
        raise refuse(
            NotImplementedError,
            f"\"{name}{last}_kernel_impl\" not implemented for '{dtypes.of(input.array.dtype).spoken}'",
            name,
            input,
            mend="convert it first: x.float()",
        )
    return input, axis if n else ()


def softmax(input: Any, dim: int, dtype: Any = None) -> Any:
    """eˣ / Σ eˣ along `dim`."""
    input, axis = _floating(input, "softmax", dim, dtype)
    return ops.softmax(input, axis=axis)


def log_softmax(input: Any, dim: int, dtype: Any = None) -> Any:
    """x - ln Σ eˣ along `dim`."""
    input, axis = _floating(input, "log_softmax", dim, dtype)
    return ops.log_softmax(input, axis=axis)


def logsumexp(input: Any, dim: Any, keepdim: bool = False) -> Any:
    """ln Σ eˣ over `dim`, without overflow."""
    if expect_tensor(input, "logsumexp").array.dtype.kind in "biu":
        input = input.to(dtypes.get_default_dtype())
    axes = axes_from(dim, input.array.ndim)
    return ops.logsumexp(input, axis=() if axes is None and input.array.ndim == 0 else axes, keepdims=keepdim)


# ------------------------------------------------------------------------------------------ as methods
class Reduction:
    """The methods of a tensor that this file defines."""

    all, amax, amin, aminmax, any, argmax, argmin, argsort = all, amax, amin, aminmax, any, argmax, argmin, argsort
    bincount, count_nonzero, cummax, cummin, cumprod, cumsum = bincount, count_nonzero, cummax, cummin, cumprod, cumsum
    kthvalue, log_softmax, logsumexp, max, mean, median, min = kthvalue, log_softmax, logsumexp, max, mean, median, min
    mode, nansum, norm, prod, softmax, sort, std, sum, topk = mode, nansum, norm, prod, softmax, sort, std, sum, topk
    unique, var = unique, var
