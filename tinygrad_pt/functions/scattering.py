"""Writing tensors into tensors, each time into a copy: at indices, reduced with what is there, or into a view."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_pt import dtypes, ops
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.arguments import Number, axis_from, length_of, promoted_to, scalar_array, written_number
from tinygrad_pt.functions.binding import in_place
from tinygrad_pt.functions.checks import checked, expect_tensor, into, not_a, unsupported
from tinygrad_pt.functions.indexing import _addresses, _of_numbers, _outside, _source, _vector, nonzero, searchsorted
from tinygrad_pt.functions.pointwise import div
from tinygrad_pt.functions.reduction import places_of
from tinygrad_pt.functions.shaping import diagonal, select
from tinygrad_pt.graph import Tensor
from tinygrad_pt.half import in_float32
from tinygrad_pt.inplace import may_write, touched, write_changed
from tinygrad_pt.ops import scattering
from tinygrad_pt.views import as_own

__all__ = [
    "argwhere", "bucketize", "diagonal_scatter", "index_copy", "index_fill", "index_reduce", "isin", "nonzero_static",
    "put", "scatter_reduce", "select_scatter", "slice_scatter", "unravel_index",
]  # fmt: skip


# ------------------------------------------------------------------------------------------ slices at indices
def _along(index: np.ndarray, axis: int) -> tuple[Any, ...]:
    return (*(slice(None),) * axis, np.array(index.reshape(-1)))


@checked
def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor, *, out: Tensor | None = None) -> Tensor:
    """input with the slices of source in place of those that the index names.

    >>> import tinygrad_pt as torch
    >>> torch.zeros(3).index_copy(0, torch.tensor([2, 0]), torch.tensor([5.0, 6.0]))
    tensor([6., 0., 5.])
    """
    x, i, s = input.array, index.array, source.array
    axis, kind, text = axis_from(dim, x.ndim), IndexError, ""
    if i.ndim > 1:
        text = f"Index should have dimension 1 or 0 (got {i.ndim})"
    elif s.ndim == 0 and i.size != 1:
        text = f"When source is scalar, index should have one element (got {i.size})"
    elif s.ndim and x.ndim and s.ndim != x.ndim:
        text = "When source and destination are not scalars, their dimensionality must match. Source dimensionality "
        text += f"({s.ndim}), destination dimensionality ({x.ndim})"
    elif i.dtype != np.int64:
        text, kind = f"Expected a long tensor for index, but got {index.dtype.spoken}", RuntimeError  # type: ignore[assignment]
    elif x.dtype != s.dtype:
        kinds = f"(self) {input.dtype.spoken} and (source) {source.dtype.spoken}"
        text, kind = f"self and source expected to have the same dtype, but got {kinds}", RuntimeError  # type: ignore[assignment]
    elif x.ndim and s.ndim and x.shape[:axis] + x.shape[axis + 1 :] != s.shape[:axis] + s.shape[axis + 1 :]:
        text = "Source/destination tensor must have same slice shapes. Destination slice shape: "
        text += f"{list(x.shape[:axis] + x.shape[axis + 1 :])} at dimension {axis} and source slice shape: "
        text, kind = f"{text}{list(s.shape[:axis] + s.shape[axis + 1 :])} at dimension 0.", RuntimeError  # type: ignore[assignment]
    elif s.ndim and i.size != s.shape[axis]:
        text = f"Number of indices ({i.size}) should be equal to source.size(dim) ({s.shape[axis]})"
    elif (wrong := _outside(i.reshape(-1), length_of(input, axis))) is not None:
        text = f"index {wrong} is out of bounds for dimension {axis} with size {length_of(input, axis)}"
    if text:
        raise refuse(kind, f"index_copy_(): {text}", "index_copy", input, source)
    y = _vector(input)
    part = ops.expand(_vector(source), shape=(*y.array.shape[:axis], i.size, *y.array.shape[axis + 1 :]))
    y = ops.index_put(y, part, index=_along(i, axis)) if i.size else ops.clone(y)
    y = y if x.ndim else as_own(ops.reshape(y, shape=()))
    return y if out is None else into(out, "index_copy", y)


@checked
def index_fill(input: Tensor, dim: int, index: Tensor, value: Tensor | Number) -> Tensor:
    """input with one number in the slices that the index names."""
    x, i = input.array, index.array
    if isinstance(value, Tensor) and value.array.ndim:
        text = "index_fill_ only supports a 0-dimensional value tensor, but got tensor with "
        raise refuse(RuntimeError, f"{text}{value.array.ndim} dimension(s).", "index_fill", input, value)
    if i.dtype != np.int64:
        raise refuse(IndexError, "index_fill_(): Expected dtype int64 for index.", "index_fill", mend="index.long()")
    if i.ndim > 1:
        raise refuse(RuntimeError, "Index has to be a vector/scalar", "index_fill", input, index)
    axis = axis_from(dim, x.ndim)
    n = length_of(input, axis)
    wrong = _outside(i.reshape(-1), n, -n)
    if wrong is not None:
        text = f"index {wrong} is out of bounds for dimension {axis} with size {n}"
        raise refuse(IndexError, text, "index_fill", input)
    if not isinstance(value, Tensor):
        value = wrap(written_number(value, input.dtype, "index_fill"))
    y, i = _vector(input), np.unique(i % max(n, 1))  # each place once, or the gradient of the value would count twice
    part = ops.expand(
        promoted_to(input.dtype, value), shape=(*y.array.shape[:axis], i.size, *y.array.shape[axis + 1 :])
    )
    y = ops.index_put(y, part, index=_along(i, axis)) if i.size else ops.clone(y)
    return y if x.ndim else as_own(ops.reshape(y, shape=()))


@checked
def put(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """input with the elements of source at places in the flattened tensor; with `accumulate`, added there."""
    x, i, s = input.array, index.array, source.array
    kind, text = RuntimeError, ""
    if i.dtype != np.int64:
        text = f"Expected a long tensor for index, but got {index.dtype.spoken}"
    elif x.dtype != s.dtype:
        text = "self and source expected to have the same dtype, but got self.dtype = "
        text += f"{input.dtype.spoken} and source.dtype = {source.dtype.spoken}"
    elif i.size != s.size:
        text = "Expected source and index to have the same number of elements, but got source.numel() = "
        text, kind = f"{text}{s.size}, index.numel() = {i.size}", IndexError  # type: ignore[assignment]
    elif i.size and not x.size:
        text, kind = "Tried to put elements into an empty tensor", IndexError  # type: ignore[assignment]
    if text:
        raise refuse(kind, f"put_(): {text}", "put", input, index, source)
    wrong = _outside(i.reshape(-1), x.size, -x.size)
    if wrong is not None:
        text = f"out of range: tried to access index {wrong} on a tensor of {x.size} elements."
        raise refuse(IndexError, text, "put", input)
    flat, part, place = ops.reshape(input, shape=(x.size,)), ops.reshape(source, shape=(s.size,)), (i.reshape(-1),)
    if accumulate:
        y = flat + ops.scatter_add(part, shape=(x.size,), index=place)
    else:
        y = ops.index_put(flat, part, index=place)
    return as_own(ops.reshape(y, shape=x.shape))


# ------------------------------------------------------------------------------------------ reduced
REDUCTIONS = {"sum", "prod", "mean", "amax", "amin"}


@in_float32
def _reduced(input: Tensor, part: Tensor, index: tuple[Any, ...], reduce: str, include_self: bool) -> Tensor:
    """`part` reduced with the elements of input at an index, or, unless `include_self`, only among itself."""
    x = input.array
    if not part.array.size:
        return ops.clone(input)
    if not include_self:
        info: Any = np.finfo(x.dtype) if x.dtype.kind == "f" else np.iinfo(x.dtype) if x.dtype.kind != "b" else None
        least, most = (False, True) if info is None else (info.min, info.max)
        if x.dtype.kind == "f":
            least, most = -math.inf, math.inf
        neutral = {"sum": 0, "mean": 0, "prod": 1, "amax": least, "amin": most}[reduce]
        blank = ops.expand(wrap(np.array(neutral, x.dtype)), shape=part.array.shape)
        input = ops.index_put(input, blank, index=index)
    if reduce in ("amax", "amin"):
        return scattering.scatter_extreme(input, part, index=index, largest=reduce == "amax")
    if reduce == "prod":
        return scattering.scatter_prod(input, part, index=index)
    y = input + ops.scatter_add(part, shape=x.shape, index=index)
    if reduce == "sum":
        return y
    count = np.full(x.shape, 1 if include_self else 0)
    np.add.at(count, index, 1)
    number = wrap(np.maximum(count, 1).astype(x.dtype))
    return y / number if x.dtype.kind == "f" else div(y, number, rounding_mode="floor")


@checked
def scatter_reduce(
    input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """input with the elements of src reduced into it where gather would read.

    `reduce` is "sum", "prod", "mean", "amax" or "amin". Without `include_self` the elements of input that are written
    to do not count.

    >>> import tinygrad_pt as torch
    >>> torch.zeros(2).scatter_reduce(0, torch.tensor([0, 1, 1]), torch.tensor([1.0, 2.0, 3.0]), "amax")
    tensor([1., 3.])
    """
    if reduce not in REDUCTIONS:
        text = f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}"
        raise refuse(RuntimeError, text, "scatter_reduce", input)
    axis, i = _addresses(input, dim, index, "scatter")
    if not (input.array.ndim and i.ndim and src.array.ndim):
        return _of_numbers(scatter_reduce, input, dim, index, src, reduce=reduce, include_self=include_self)
    part = _source(input, axis, i, src, "scatter")
    if reduce == "mean" and input.array.dtype == bool:
        raise unsupported("scatter_gather_tensor_cpu_reduce_mean", "scatter_reduce", input, src)
    return _reduced(input, part, places_of(i, axis), reduce, include_self) if i.size else ops.clone(input)


@checked
def index_reduce(
    input: Tensor, dim: int, index: Tensor, source: Tensor, reduce: str, *, include_self: bool = True,
    out: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """input with the slices of source reduced into those that the index names: "prod", "mean", "amax" or "amin"."""
    x, i, s = input.array, index.array, source.array
    if reduce not in REDUCTIONS - {"sum"}:
        text = f"index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got {reduce}."
        raise refuse(RuntimeError, text, "index_reduce", input)
    axis, kind, text = axis_from(dim, x.ndim), RuntimeError, ""
    count = s.shape[axis] if axis < s.ndim else 1
    if i.ndim > 1:
        kind, text = IndexError, "Index is supposed to be a vector"  # type: ignore[assignment]
    elif i.dtype not in (np.int64, np.int32):
        text = "Expected dtype int32/int64 for index"
    elif x.dtype != s.dtype:
        text = f"self ({input.dtype.spoken}) and source ({source.dtype.spoken}) must have the same scalar type"
    elif s.ndim and axis >= s.ndim:
        text = f"Indexing dim {axis} is out of bounds of the source tensor with dim {s.ndim}"
    elif i.size != count:
        text = f"Number of indices ({i.size}) should be equal to source.size(dim): ({count}), for dim: {axis}"
    if text:
        raise refuse(kind, f"index_reduce_(): {text}", "index_reduce", input, source)
    if _outside(i.reshape(-1), length_of(input, axis)) is not None:
        raise refuse(IndexError, "index out of range in self", "index_reduce", input)
    whole = _vector(input)
    part = ops.reshape(source, shape=(*whole.array.shape[:axis], i.size, *whole.array.shape[axis + 1 :]))
    y = _reduced(whole, part, _along(i, axis), reduce, include_self)
    y = y if x.ndim else as_own(ops.reshape(y, shape=()))
    return y if out is None else into(out, "index_reduce", y)


# ------------------------------------------------------------------------------------------ into a view
def written_into(input: Tensor, src: Tensor, view: Tensor) -> Tensor:
    """input with src in place of one of its views."""
    if view.array.shape != src.array.shape:
        shapes = f"src size = {list(src.array.shape)}, slice size = {list(view.array.shape)}"
        text = f"expected src to have a size equal to the slice of self. {shapes}"
        raise refuse(RuntimeError, text, "scatter", input, src)
    if view.base is None:
        return ops.copy(input, src)
    return ops.overwrite(input, src, path=view.path[len(input.path) :])


@checked
def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """input with src as one of its slices along `dim`.

    >>> import tinygrad_pt as torch
    >>> torch.zeros(2, 2).select_scatter(torch.tensor([1.0, 2.0]), 0, 1)
    tensor([[0., 0.],
            [1., 2.]])
    """
    return written_into(input, src, select(input, dim, index))


@checked
def slice_scatter(
    input: Tensor, src: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Tensor:
    """input with src as its elements start, start + step, … below end, along `dim`."""
    axis = axis_from(dim, input.array.ndim)
    if step <= 0:
        raise refuse(RuntimeError, "slice step must be positive", "slice_scatter", input)
    chosen = (slice(None),) * axis + (slice(start, end, step), Ellipsis)
    return written_into(input, src, ops.getitem(input, index=chosen))


@checked
def diagonal_scatter(input: Tensor, src: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """input with src as one of its diagonals."""
    return written_into(input, src, diagonal(input, offset, dim1, dim2))


# ------------------------------------------------------------------------------------------ places
@checked
def argwhere(input: Tensor) -> Tensor:
    """The indices of the elements that are not 0, one row each."""
    return nonzero(input)


@checked
def nonzero_static(input: Tensor, *, size: int, fill_value: int = -1, out: Tensor | None = None) -> Tensor:
    """`nonzero` with a number of rows that is given: what is too much is left out, what lacks is `fill_value`."""
    if size < 0:
        raise refuse(RuntimeError, "nonzero_static: 'size' must be an non-negative integer", "nonzero_static", input)
    found = nonzero(input).array[:size]
    rest = np.full((size - len(found), input.array.ndim), fill_value)
    y = wrap(np.concatenate([found, rest]) if input.array.ndim else np.zeros((size, 0), np.int64))
    return y if out is None else into(out, "nonzero_static", y)


@checked
def isin(
    elements: Tensor | Number, test_elements: Tensor | Number, *, assume_unique: bool = False, invert: bool = False,
    out: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Whether each element is among the `test_elements`.

    >>> import tinygrad_pt as torch
    >>> torch.isin(torch.tensor([1, 2, 3]), torch.tensor([3, 1]))
    tensor([ True, False,  True])
    """
    if not isinstance(elements, Tensor) and not isinstance(test_elements, Tensor):
        raise not_a("Tensor", elements, "isin", "elements", 1)
    a, b = (x.array if isinstance(x, Tensor) else np.asarray(x) for x in (elements, test_elements))
    for x in (elements, test_elements):
        if isinstance(x, Tensor) and x.array.dtype == bool:
            raise refuse(RuntimeError, f"Unsupported input type encountered for isin(): {x.dtype.spoken}", "isin", x)
    kind = dtypes.result_type(*(x.array if isinstance(x, Tensor) else x for x in (elements, test_elements))).numpy
    y = wrap(np.isin(a.astype(kind), b.astype(kind), invert=invert))
    return y if out is None else into(out, "isin", y)


@checked
def bucketize(
    input: Tensor | Number, boundaries: Tensor, *, out_int32: bool = False, right: bool = False,
    out: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The interval between sorted boundaries in which each value lies; `right` closes the intervals on the left.

    >>> import tinygrad_pt as torch
    >>> torch.bucketize(torch.tensor([0, 3, 9]), torch.tensor([1, 3, 5]))
    tensor([0, 1, 3])
    """
    expect_tensor(boundaries, "bucketize", "boundaries", 2)
    if boundaries.array.ndim != 1:
        text = f"boundaries tensor must be 1 dimension, but got dim({boundaries.array.ndim})"
        raise refuse(RuntimeError, text, "bucketize", boundaries)
    if isinstance(input, Tensor) and input.array.dtype == bool and boundaries.array.dtype != bool:
        input = ops.cast(input, dtype=boundaries.dtype)
    y = searchsorted(boundaries, input, out_int32=out_int32, right=right)
    return y if out is None else into(out, "bucketize", y)


def unravel_index(indices: Tensor, shape: int | Sequence[int]) -> tuple[Tensor, ...]:
    """The coordinates, in a tensor of a shape, of places in the flattened tensor; they count modulo its length."""
    i = expect_tensor(indices, "unravel_index", "indices").array
    if i.dtype.kind not in "iu":
        text = f"expected 'indices' to be integer dtype, but got {indices.dtype}"
        raise refuse(TypeError, text, "unravel_index", indices)
    sizes = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
    if not all(isinstance(n, int) for n in sizes):
        text = f"expected 'shape' to be int or sequence of ints, but got {type(shape).__name__}"
        raise refuse(TypeError, text, "unravel_index", indices)
    if any(n < 0 for n in sizes):
        raise refuse(ValueError, f"'shape' cannot have negative values, but got {tuple(sizes)}", "unravel_index")
    steps = [math.prod(sizes[k + 1 :]) for k in range(len(sizes))]
    return tuple(wrap(np.floor_divide(i.astype(np.int64), s) % n) for s, n in zip(steps, sizes, strict=True))


# ------------------------------------------------------------------------------------------ in place alone
@checked
def fill_diagonal_(input: Tensor, fill_value: Number, wrap: bool = False) -> Tensor:
    """One number on the main diagonal, in place; with `wrap` it begins again below a square."""
    x = input.array
    if x.ndim < 2:
        raise refuse(RuntimeError, "dimensions must larger than 1", "fill_diagonal_", input)
    if x.ndim > 2 and len(set(x.shape)) > 1:
        raise refuse(RuntimeError, "all dimensions of input must be of equal length", "fill_diagonal_", input)
    places = np.arange(min(x.shape))
    chosen = np.zeros(x.shape, bool)
    chosen[(places,) * x.ndim] = True
    if wrap and x.ndim == 2:
        chosen.reshape(-1)[:: x.shape[1] + 1] = True
    return _filled(input, chosen, scalar_array(fill_value, input.dtype, "fill_diagonal_"))


@in_place
def _filled(input: Tensor, chosen: np.ndarray, value: np.ndarray) -> Tensor:
    return ops.where(wrap(chosen), wrap(value), input)


def _called(input: Tensor, function: Callable[..., Any], *others: Tensor) -> Tensor:
    """A Python function in place of each element."""
    if input.requires_grad:
        text = "Can't call apply_() on Variable that requires grad. Use var.detach().apply_() instead."
        raise refuse(TypeError, text, "apply_", input)
    may_write(input)
    x = input.array
    arrays = [np.broadcast_to(t.array, x.shape).ravel().tolist() for t in others]
    values = [function(*given) for given in zip(x.ravel().tolist(), *arrays, strict=True)]
    np.copyto(x, np.array(values, dtype=None if values else x.dtype).reshape(x.shape), casting="unsafe")
    touched(input)
    return input


def apply_(input: Tensor, callable: Callable[..., Any]) -> Tensor:
    """callable(element) in place of each element: slow, one call for each."""
    return _called(input, callable)


def map_(input: Tensor, tensor: Tensor, callable: Callable[..., Any]) -> Tensor:
    """callable(element, element of `tensor`) in place of each element: slow, one call for each."""
    return _called(input, callable, tensor)


def map2_(input: Tensor, x: Tensor, y: Tensor, callable: Callable[..., Any]) -> Tensor:
    """callable(element, element of x, element of y) in place of each element: slow, one call for each."""
    return _called(input, callable, x, y)


# ------------------------------------------------------------------------------------------ as methods
class Scattering:
    """The methods of a tensor that this file defines."""

    __slots__ = ()  # so that tensors are as small, and made as fast, as if the class were not there

    argwhere, diagonal_scatter, index_copy, index_fill = argwhere, diagonal_scatter, index_copy, index_fill
    index_reduce, nonzero_static, put, scatter_reduce = index_reduce, nonzero_static, put, scatter_reduce
    select_scatter, slice_scatter = select_scatter, slice_scatter

    # each of these changes the tensor itself
    apply_, fill_diagonal_, map_, map2_ = apply_, fill_diagonal_, map_, map2_
    index_copy_, index_fill_ = in_place(index_copy), in_place(index_fill, write_changed)
    index_reduce_, put_, scatter_reduce_ = in_place(index_reduce), in_place(put), in_place(scatter_reduce)
