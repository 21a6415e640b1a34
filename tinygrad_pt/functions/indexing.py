"""Reading and writing by index: `x[...]`, gather, scatter, and the like."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any, Literal, overload

import numpy as np

from tinygrad_pt import ops
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import broadcast_text, refuse
from tinygrad_pt.functions.arguments import Number, axis_from, cast, flat_in, length_of, scalar_array, written_number
from tinygrad_pt.functions.binding import in_place
from tinygrad_pt.functions.checks import checked, common_shape, expect_tensor, into, no_overload, not_a, unsupported
from tinygrad_pt.functions.reduction import gather_at, places_of
from tinygrad_pt.functions.shaping import expand
from tinygrad_pt.graph import Tensor
from tinygrad_pt.half import in_float32
from tinygrad_pt.inplace import check_apart, may_write, touched, write
from tinygrad_pt.views import as_own

__all__ = [
    "gather", "index_add", "index_put", "index_put_", "index_select", "masked_scatter", "masked_select", "nonzero",
    "scatter", "scatter_add", "searchsorted", "take", "take_along_dim",
]  # fmt: skip


ZERO_DIM = (
    "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a 0-dim "
    "tensor to a number"
)
LISTS = (
    "Using a non-tuple sequence for multidimensional indexing is deprecated and will be changed in pytorch 2.9; use "
    "x[tuple(seq)] instead of x[seq]. In pytorch 2.9 this will be interpreted as tensor index, x[torch.tensor(seq)], "
    "which will result either in an error or a different result"
)


def index_of(index: Any, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """A PyTorch index as a NumPy one, checked: tensors become arrays, a basic index ends in Ellipsis."""
    found = [_part(p) for p in _parts(index)]
    if not shape:
        for p, given in zip(found, _parts(index), strict=True):
            if isinstance(p, (int, slice)) and not isinstance(given, Tensor):
                text = ZERO_DIM if isinstance(p, int) else "slice() cannot be applied to a 0-dim tensor."
                raise refuse(IndexError, text, "getitem")
    used = sum(_axes(p) for p in found)
    if used > len(shape):
        raise refuse(IndexError, f"too many indices for tensor of dimension {len(shape)}", "getitem")
    dots = [i for i, p in enumerate(found) if p is Ellipsis]
    for i in reversed(dots[1:]):  # PyTorch reads further ones as full slices of no axis
        del found[i]
    _bounds(found, shape, used)
    if not dots and ops.index.is_basic(tuple(found)):
        found.append(Ellipsis)  # so that NumPy answers with a 0-d view, never with a scalar
    return tuple(found)


def _parts(index: Any) -> tuple[Any, ...]:
    """The index of each axis. A list that holds sequences, slices or None stands for a tuple, as in PyTorch 2.13."""
    if isinstance(index, tuple):
        return index
    if isinstance(index, list) and len(index) < 32:
        if any(isinstance(i, (Tensor, slice, list, tuple, str)) or i is None or i is Ellipsis for i in index):
            warnings.warn(LISTS, UserWarning, stacklevel=4)
            return tuple(index)
    return (index,)


def _axes(part: Any) -> int:
    """The number of axes that a part of an index covers."""
    if part is None or part is Ellipsis:
        return 0
    return part.ndim if isinstance(part, np.ndarray) and part.dtype == bool else 1


def _part(p: Any) -> Any:
    """The index of one axis (a mask: of several), in NumPy's form."""
    if isinstance(p, Tensor):
        x = _whole(p.array if p.array.dtype not in (np.int8, np.int16) else np.zeros(0))
        x = x.astype(bool) if x.dtype == np.uint8 else np.array(x)
        return int(x) if x.ndim == 0 and x.dtype != bool else x
    if isinstance(p, slice):
        bounds, plain = (p.start, p.stop, p.step), True
        for i in bounds:
            if i is not None and i.__class__ is not int:
                if not hasattr(i, "__index__"):
                    text = "slice indices must be integers or None or have an __index__ method"
                    raise refuse(TypeError, text, "getitem", i)
                plain = False
        p = p if plain else slice(*(None if i is None else i.__index__() for i in bounds))
        if p.step is not None and p.step <= 0:
            text = "step must be greater than zero" if p.step else "slice step cannot be zero"
            raise refuse(ValueError, text, "getitem", mend="x.flip(0) reads backwards")
        return p
    if p is None or p is Ellipsis:
        return p
    if isinstance(p, (bool, np.bool_)):
        return np.array(p)
    if isinstance(p, str):
        raise refuse(TypeError, "new(): invalid data type 'str'", "getitem", p)
    if isinstance(p, (list, tuple, range, np.ndarray)):
        try:
            x = np.array([_part(q) for q in p] if not isinstance(p, np.ndarray) else p)
        except ValueError:  # lists of different lengths
            raise refuse(ValueError, "expected sequences of one length", "getitem", p) from None
        return _whole(x.astype(np.int64) if x.size == 0 and x.dtype.kind == "f" else x)
    if hasattr(p, "__index__"):
        i = p.__index__()
        if not -(2**63) <= i < 2**63:
            raise refuse(ValueError, "Overflow when unpacking long long", "getitem", p)
        return i
    text = "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices "
    raise refuse(IndexError, f"{text}(got {type(p).__name__})", "getitem", p)


def _whole(x: np.ndarray) -> np.ndarray:
    """An array of indices, or a mask."""
    if x.dtype.kind not in "iub":
        text = "tensors used as indices must be long, int, byte or bool tensors"
        raise refuse(IndexError, text, "getitem", x, mend="index.long()")
    return x


def _bounds(parts: list[Any], shape: tuple[int, ...], used: int) -> None:
    """Every integer must be within its axis; PyTorch's text says which is not."""
    axis = 0
    for p in parts:
        if p is Ellipsis:
            axis += len(shape) - used
        elif isinstance(p, slice):
            axis += 1
        elif isinstance(p, np.ndarray) and p.dtype == bool:
            for i, n in enumerate(p.shape):
                if n != shape[axis + i]:
                    text = f"The shape of the mask {list(p.shape)} at index {i} does not match the shape of the "
                    raise refuse(IndexError, f"{text}indexed tensor {list(shape)} at index {axis + i}", "getitem", p)
            axis += p.ndim
        elif p is not None:
            n = shape[axis]
            x = np.asarray(p)
            wrong = x[(x < -n) | (x >= n)]
            if wrong.size:
                text = f"index {wrong.flat[0]} is out of bounds for dimension {axis} with size {n}"
                raise refuse(IndexError, text, mend=f"indices run from {-n} to {n - 1}" if n else "")
            axis += 1


def staged(found: tuple[Any, ...]) -> tuple[tuple[Any, ...] | None, tuple[Any, ...]]:
    """An index with integers beside arrays, as two: PyTorch takes the integers first, then the arrays.

    NumPy would count an integer as one more array, and order the axes of the result otherwise.
    """
    if ops.index.is_basic(found) or not any(isinstance(p, int) for p in found):
        return None, found
    first: list[Any] = []
    for p in found:
        if p is not None:
            first += [p] if isinstance(p, int) or p is Ellipsis else [slice(None)] * _axes(p)
    if Ellipsis not in first:
        first.append(Ellipsis)
    return tuple(first), tuple(p for p in found if not isinstance(p, int))


def getitem(input: Tensor, index: Any) -> Tensor:
    """input[index]: a view for integers, slices, None and Ellipsis; a copy for tensors, lists and masks."""
    first, found = staged(index_of(index, input.array.shape))
    if first is not None:
        input = ops.getitem(input, index=first)
    try:
        return ops.getitem(input, index=found)
    except IndexError:
        raise _shapes_differ(found, "getitem", input) from None


def _shapes_differ(found: tuple[Any, ...], op: str, *tensors: Tensor) -> Exception:
    """PyTorch's error about arrays in an index that do not broadcast together."""
    arrays: list[np.ndarray] = []
    for p in found:
        if isinstance(p, np.ndarray):
            arrays += np.nonzero(np.atleast_1d(p)) if p.dtype == bool else (p,)
    shapes = ", ".join(str(list(a.shape)) for a in arrays)
    text = f"shape mismatch: indexing tensors could not be broadcast together with shapes {shapes}"
    return refuse(IndexError, text, op, *tensors)


def setitem(input: Tensor, index: Any, value: Any) -> None:
    """input[index] = value, recorded: gradients flow to the value, and to what of the input remains.

    >>> import tinygrad_pt as torch
    >>> x = torch.zeros(3); x[1:] = 5; x[torch.tensor([True, False, False])] = -1; x
    tensor([-1.,  5.,  5.])
    """
    kinds_differ = False
    if not isinstance(value, Tensor):
        value = _assigned(input, value)
    elif value.array.dtype != input.array.dtype:
        if value.array.size == 1 and isinstance(index, Tensor) and index.array.dtype == bool:
            value = value.to(input.dtype)  # a mask is filled with one number of any kind
        else:
            kinds_differ = True
    first, found = staged(index_of(index, input.array.shape))
    if first is not None:
        input = ops.getitem(input, index=first)
    if ops.index.is_basic(found):
        place = input if index is Ellipsis else ops.getitem(input, index=found)
        fitted = _fitted(place.array.shape, value)
        if value.version is place.version:
            check_apart(place, value)
        write(place, ops.copy(place, fitted))
        return
    try:
        shape = input.array[found].shape
    except IndexError:
        raise _shapes_differ(found, "setitem", input, value) from None
    value = _without_leading_ones(value, shape)
    if not _expandable(value.array.shape, shape):
        shapes = f"{list(value.array.shape)} cannot be broadcast to indexing result of shape {list(shape)}"
        text = f"shape mismatch: value tensor of shape {shapes}"
        raise refuse(RuntimeError, text, "setitem", input, value)
    if kinds_differ:
        kinds = f"{input.dtype.spoken} for the destination and {value.dtype.spoken} for the source."
        text = f"Index put requires the source and destination dtypes match, got {kinds}"
        raise refuse(RuntimeError, text, "setitem", input, value, mend=f"value.to(torch.{input.dtype.name})")
    value = ops.expand(value, shape=shape)
    if may_write(input, overlap=True) and (
        value.node is not None or (input if input.base is None else input.base).node is not None
    ):
        write(input, ops.index_put(input, value, index=found))
    else:
        input.array[found] = value.array
        touched(input)


@checked
def index_put(input: Tensor, indices: Sequence[Tensor], values: Tensor, accumulate: bool = False) -> Tensor:
    """input with `values` where `input[indices]` reads; with `accumulate` they are added there, one by one.

    >>> import tinygrad_pt as torch
    >>> torch.zeros(3).index_put((torch.tensor([0, 0, 2]),), torch.ones(3), accumulate=True)
    tensor([2., 0., 1.])
    """
    if not isinstance(indices, (tuple, list)):
        raise not_a("tuple of Tensors", indices, "index_put", "indices", 2)
    expect_tensor(values, "index_put", "values", 3)
    if not accumulate:
        y = ops.clone(input)
        setitem(y, tuple(indices), values)
        return y
    found = index_of(tuple(indices), input.array.shape)
    part = _fitted(input.array[found].shape, values)
    return input + ops.scatter_add(part, shape=input.array.shape, index=found)


def _assigned(input: Tensor, value: Any) -> Tensor:
    """The assigned value as a tensor in the dtype of the input: a number, or, unlike PyTorch, an array or list."""
    if isinstance(value, (np.ndarray, list, tuple)):
        try:
            x = np.asarray(value)
        except ValueError:  # lists of different lengths
            x = np.array(None)
        if x.dtype.kind in "biufc":
            return wrap(cast(x, input.array.dtype))
    elif isinstance(value, (bool, int, float, complex, np.generic)):
        value = value.item() if isinstance(value, np.generic) else value
        if isinstance(value, int) and not -(2**63) <= value < 2**64:
            raise refuse(ValueError, "Overflow when unpacking long long", "setitem", input, value)
        return wrap(written_number(value, input.dtype, "setitem"))
    text = f"can't assign a {type(value).__name__} to a torch.{input.dtype.spoken}Tensor"
    raise refuse(TypeError, text, "setitem", input, value)


def _without_leading_ones(value: Tensor, target: tuple[int, ...]) -> Tensor:
    """`value`, or, if it does not expand to the target as it is, without its leading axes of length 1."""
    shape = value.array.shape
    ones = next((i for i, n in enumerate(shape) if n != 1), len(shape))
    return ops.reshape(value, shape=shape[ones:]) if ones and not _expandable(shape, target) else value


def _expandable(shape: tuple[int, ...], target: tuple[int, ...]) -> bool:
    pairs = zip(reversed(shape), reversed(target), strict=False)
    return len(shape) <= len(target) and all(m in (1, n) for m, n in pairs)


def _fitted(target: tuple[int, ...], value: Tensor) -> Tensor:
    """`value` expanded to the place it is to be written to."""
    return expand(_without_leading_ones(value, target), target)


# ------------------------------------------------------------------------------------------ gather and scatter
def _addresses(input: Tensor, dim: int, index: Tensor, name: str) -> tuple[int, np.ndarray]:
    """The checked axis, and the index as an int64 array; its values are not checked yet."""
    axis = axis_from(dim, input.array.ndim)
    if index.array.dtype not in (np.int64, np.int32) and index.array.size:
        raise refuse(RuntimeError, f"{name}(): Expected dtype int32/int64 for index", mend="index.long()")
    return axis, index.array.astype(np.int64)


def _outside(i: np.ndarray, n: int, low: int = 0) -> int | None:
    """The first index that is not in [low, n), or None."""
    wrong = i[(i < low) | (i >= n)]
    return int(wrong[0]) if wrong.size else None


def _within(i: np.ndarray, axis: int, input: Tensor) -> None:
    """Every index must be within the axis."""
    n = length_of(input, axis)
    wrong = _outside(i, n)
    if wrong is not None:
        raise refuse(RuntimeError, f"index {wrong} is out of bounds for dimension {axis} with size {n}")


def _beyond(a: Sequence[int], b: Sequence[int], axis: int | None = None) -> int | None:
    """The first dimension, apart from `axis`, in which shape `a` is larger than shape `b`, or None."""
    return next((d for d, (m, n) in enumerate(zip(a, b, strict=True)) if d != axis and m > n), None)


def _vector(t: Tensor) -> Tensor:
    """A number as a vector of one element; anything else as it is."""
    return t if t.array.ndim else ops.reshape(t, shape=(1,))


@checked
def gather(input: Tensor, dim: int, index: Tensor, *, out: Tensor | None = None) -> Tensor:
    """y[i, j] = input[index[i, j], j] for dim 0, and likewise for others; a number counts as a vector of length 1."""
    axis, i = _addresses(input, dim, index, "gather")
    if not i.size:
        return flat_in(wrap(np.empty(i.shape, input.array.dtype)), input)
    x, places = _vector(input), np.atleast_1d(i)
    if places.ndim != x.array.ndim:
        raise refuse(RuntimeError, "Index tensor must have the same number of dimensions as input tensor")
    d = _beyond(places.shape, x.array.shape, axis)
    if d is not None:
        text = f"Size does not match at dimension {d} expected index {list(i.shape)} to be no larger than self "
        raise refuse(RuntimeError, f"{text}{list(input.array.shape)} apart from dimension {axis}")
    _within(places, axis, x)
    y = gather_at(x, places, axis)
    return y if i.ndim else as_own(ops.reshape(y, shape=()))


@checked
def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None, *, out: Tensor | None = None) -> Tensor:
    """`gather`, broadcasting the indices, which count modulo the length; without `dim`, of all elements in a row."""
    if dim is None:
        input, indices, dim = _flat(input), _flat(indices), 0
    i, x = indices.array, input.array
    if not x.ndim:
        raise refuse(IndexError, "Dimension specified as 0 but tensor has no dimensions")
    axis = axis_from(dim, x.ndim)
    if i.dtype != np.int64:
        text = f"torch.take_along_dim(): dtype of indices should be Long but got {indices.dtype.spoken}"
    elif i.ndim != x.ndim:
        counts = f"{x.ndim} dimensions for input, and {i.ndim} dimensions for indices"
        text = f"torch.take_along_dim(): input and indices should have the same number of dimensions, but got {counts}"
    else:
        text = broadcast_text(*(tuple(1 if d == axis else n for d, n in enumerate(a.shape)) for a in (x, i)))
    if text:
        raise refuse(RuntimeError, text)
    target = [n if d == axis else max(m, n) for d, (m, n) in enumerate(zip(i.shape, x.shape, strict=True))]
    wide = ops.expand(input, shape=tuple(target))
    i = i % max(1, x.shape[axis])
    _within(i, axis, input)
    target[axis] = i.shape[axis]
    return gather_at(wide, np.array(np.broadcast_to(i, target)), axis)


def _flat(t: Tensor) -> Tensor:
    return ops.reshape(t, shape=(t.array.size,))


def _source(input: Tensor, axis: int, i: np.ndarray, src: Tensor, name: str) -> Tensor:
    """The part of `src` that is written, checked against the index."""
    x, s = input.array, src.array
    text = ""
    if not i.size:  # PyTorch looks no further
        return ops.reshape(ops.getitem(src, index=(slice(0), ...)), shape=i.shape)
    if s.dtype != x.dtype:
        text = f"{name}(): Expected self.dtype to be equal to src.dtype"
    elif i.ndim != x.ndim or i.ndim != s.ndim:
        other = "self" if i.ndim != x.ndim else "src"
        text = f"Index tensor must have the same number of dimensions as {other} tensor"
    elif _beyond(i.shape, x.shape, axis) is not None or _beyond(i.shape, s.shape) is not None:
        text = f"Expected index {list(i.shape)} to be no larger than self {list(x.shape)} apart from dimension {axis} "
        text += f"and to be no larger size than src {list(s.shape)}"
    if text:
        raise refuse(RuntimeError, text)
    _within(i, axis, input)
    return ops.getitem(src, index=(*(slice(n) for n in i.shape), ...))


@checked
def scatter(
    input: Tensor, dim: int, index: Tensor, src: Tensor | Number | None = None, *, value: Number | None = None,
    reduce: str | None = None,
) -> Tensor:  # fmt: skip
    """input with src (a tensor or a number) written where gather would read.

    With `reduce` "add" or "multiply" it is added to, or multiplied with, what is there.

    >>> import tinygrad_pt as torch
    >>> torch.zeros(2, 3).scatter(1, torch.tensor([[2], [0]]), 1.0)
    tensor([[0., 0., 1.],
            [1., 0., 0.]])
    """
    if src is not None and value is not None:
        raise no_overload("scatter", input, dim, index, src, value=value)
    given = value if src is None else src
    if not isinstance(given, Tensor):
        given = ops.expand(wrap(scalar_array(given, input.dtype, "scatter")), shape=index.array.shape)
    axis, i = _addresses(input, dim, index, "scatter")
    if not (input.array.ndim and i.ndim and given.array.ndim):
        return _of_numbers(scatter, input, dim, index, given, reduce=reduce)
    part = _source(input, axis, i, given, "scatter")
    if reduce not in (None, "add", "multiply"):
        raise refuse(RuntimeError, "reduce argument must be either add or multiply.")
    if reduce == "add":
        return scatter_add(input, dim, index, part)
    if reduce == "multiply":
        return input * _products(part, input.array.shape, i, axis)
    return ops.index_put(input, part, index=places_of(i, axis)) if i.size else ops.clone(input)


def _of_numbers(
    function: Callable[..., Tensor], input: Tensor, dim: int, index: Tensor, src: Tensor, **kwargs: Any
) -> Tensor:
    """A function of vectors, applied where some of its arguments are numbers."""
    y = function(_vector(input), dim, _vector(index), _vector(src), **kwargs)
    return y if input.array.ndim else as_own(ops.reshape(y, shape=()))


def _products(part: Tensor, shape: tuple[int, ...], i: np.ndarray, axis: int) -> Tensor:
    """The product of the elements of `part` that are written to each place of a shape; 1 where there is none."""
    if part.node is not None:
        raise refuse(RuntimeError, "derivative for aten::scatter is not implemented", "scatter", part)
    y = np.ones(shape, part.array.dtype)
    np.multiply.at(y, places_of(i, axis), part.array)
    return wrap(y)


@checked
@in_float32
def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """input with src added where gather would read; places named twice receive twice."""
    axis, i = _addresses(input, dim, index, "scatter_add")
    if not (input.array.ndim and i.ndim and src.array.ndim):
        return _of_numbers(scatter_add, input, dim, index, src)
    part = _source(input, axis, i, src, "scatter")
    return input + ops.scatter_add(part, shape=input.array.shape, index=places_of(i, axis))


@checked
def index_select(input: Tensor, dim: int, index: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The slices along `dim` that a vector of indices names."""
    axis, i = axis_from(dim, input.array.ndim), index.array
    if i.ndim > 1:
        raise refuse(IndexError, "index_select(): Index is supposed to be a vector")
    if i.dtype not in (np.int64, np.int32):
        raise refuse(RuntimeError, "index_select(): Expected dtype int32 or int64 for index", mend="index.long()")
    if _outside(i.reshape(-1), length_of(input, axis)) is not None:
        raise refuse(IndexError, "index out of range in self")
    if input.array.ndim == 0:
        return ops.clone(input)
    return ops.getitem(input, index=(*(slice(None),) * axis, np.array(i.reshape(-1))))


@checked
@in_float32
def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Number = 1) -> Tensor:
    """input with the slices of source added where the index names them."""
    x, i, s = input.array, index.array, source.array
    axis = axis_from(dim, x.ndim)
    count = s.shape[axis] if axis < s.ndim else 1
    text = ""
    if i.ndim > 1:
        given = f"but got dim: {i.ndim} with type: {index.dtype.spoken} and size: {list(i.shape)}"
        raise refuse(IndexError, f"index_add_(): Index is supposed to be a vector, {given}")
    if i.dtype not in (np.int64, np.int32):
        text = f"index_add_(): Expected dtype int32/int64 for index but got: {index.dtype.spoken}"
    elif x.dtype != s.dtype:
        kinds = f"self ({input.dtype.spoken}) and source ({source.dtype.spoken})"
        text = f"index_add_(): {kinds} must have the same scalar type"
    elif i.size != count:
        sizes = f"({i.size}) should be equal to source.size(dim): ({count}), for dim: {axis}"
        text = f"index_add_(): Number of indices {sizes}"
    elif s.ndim != x.ndim or (x.ndim and s.shape != (*x.shape[:axis], count, *x.shape[axis + 1 :])):
        text = "source tensor shape must match self tensor shape, excluding the specified dimension. Got self.shape = "
        text += f"{list(x.shape)} source.shape = {list(s.shape)}"
    if text:
        raise refuse(RuntimeError, text)
    _within(i.reshape(-1), axis, input)
    added = source if alpha == 1 else source * alpha
    if not x.ndim:
        return input + added.reshape(())
    place = (*(slice(None),) * axis, np.array(i.reshape(-1)))
    return input + ops.scatter_add(added, shape=x.shape, index=place)


@checked
def masked_select(input: Tensor, mask: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The elements where the mask holds, as a vector."""
    x, chosen = input.array, mask.array
    if chosen.dtype != bool:
        raise refuse(RuntimeError, "masked_select: expected BoolTensor for mask", mend="mask != 0")
    shape = common_shape("masked_select", x, chosen)
    return getitem(ops.expand(input, shape=shape), ops.expand(mask, shape=shape))


@checked
def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """input with the elements of source, in their order, where the mask holds."""
    if input.array.dtype != source.array.dtype:
        kinds = f"{input.dtype.spoken} and {source.dtype.spoken}"
        raise refuse(RuntimeError, f"masked_scatter: expected self and source to have same dtypes but got{kinds}")
    if mask.array.dtype != bool:
        text = f"masked_scatter_ only supports boolean masks, but got mask with dtype {mask.dtype.spoken}"
        raise refuse(RuntimeError, text, mend="mask != 0")
    shape = common_shape("masked_scatter", input.array, mask.array)
    chosen = np.array(np.broadcast_to(mask.array, shape))
    count = int(np.count_nonzero(chosen))
    if source.array.size < count:
        raise refuse(RuntimeError, "Number of elements of source < number of ones in mask")
    values = ops.narrow(_flat(source), axis=0, start=0, length=count)
    if not shape:
        return as_own(ops.reshape(masked_scatter(_vector(input), mask, source), shape=()))
    return ops.index_put(ops.expand(input, shape=shape), values, index=(chosen,))


@checked
def take(input: Tensor, index: Tensor) -> Tensor:
    """Elements by their place in the flattened tensor."""
    n, i = input.array.size, index.array
    if i.dtype != np.int64:
        kind = index.dtype.spoken
        raise refuse(RuntimeError, f"take(): Expected a long tensor for index, but got {kind}", mend="index.long()")
    wrong = _outside(i, n, -n)
    if wrong is not None:
        raise refuse(IndexError, f"out of range: tried to access index {wrong} on a tensor of {n} elements.")
    return ops.getitem(ops.reshape(input, shape=(n,)), index=(np.array(i),))


@overload
def nonzero(input: Tensor, as_tuple: Literal[False] = False) -> Tensor: ...
@overload
def nonzero(input: Tensor, as_tuple: Literal[True]) -> tuple[Tensor, ...]: ...
def nonzero(input: Tensor, as_tuple: bool = False, *, out: Any = None) -> Tensor | tuple[Tensor, ...]:
    """The indices of the elements that are not 0, one row each (or one vector per axis)."""
    if out is not None:
        return into(out, "nonzero", nonzero(input))
    x = expect_tensor(input, "nonzero").array
    found = np.nonzero(np.atleast_1d(x))
    if as_tuple:
        return tuple(wrap(i) for i in found)
    return wrap(np.stack(found, 1) if x.ndim else np.zeros((len(found[0]), 0), np.int64))


@checked
def searchsorted(
    sorted_sequence: Tensor, input: Tensor | Number, *, out_int32: bool = False, right: bool = False,
    side: str | None = None, sorter: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The place of each value in a sorted vector, or, row by row, in sorted rows.

    `side` "right" is `right=True`: behind the elements that equal the value. `sorter` is the order that sorts rows
    which are not sorted.

    >>> import tinygrad_pt as torch
    >>> torch.searchsorted(torch.tensor([[1, 3, 5], [2, 4, 6]]), torch.tensor([[3, 6], [3, 6]]), side="right")
    tensor([[2, 3],
            [1, 3]])
    """
    x, v = sorted_sequence.array, input.array if isinstance(input, Tensor) else np.asarray(input)
    text = ""
    if side not in (None, "left", "right"):
        text = f"side can only be 'left' or 'right' but got {side}"
    elif side == "left" and right:
        text = "side and right can't be set to opposites, got side of left while right was True"
    elif not x.ndim and v.ndim:
        text = "boundaries tensor should have positive dimension, but got 0 dimension"
    elif not v.ndim and x.ndim != 1:
        text = "input value can be a scalar only when boundaries tensor dimension is 1, but we got boundaries tensor "
        text += f"dim({x.ndim}) and input value's dim(0) numel(1)"
    elif x.ndim != 1 and (x.ndim != v.ndim or x.shape[:-1] != v.shape[:-1]):
        text = (
            "boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries tensor and input value "
        )
        text += (
            f"tensor must match, but we got boundaries tensor {list(x.shape)} and input value tensor {list(v.shape)}"
        )
    elif sorter is not None and sorter.array.shape != x.shape:
        text = "boundary and sorter must have the same size, but got boundary tensor "
        text += f"{list(x.shape)}and got sorter tensor {list(sorter.array.shape)}"
    elif sorter is not None and sorter.array.dtype != np.int64:
        text = f"sorter must be a tensor of long dtype but got dtype {sorter.dtype.spoken}"
    elif sorter is not None and _outside(sorter.array.reshape(-1), x.shape[-1]) is not None:
        text = "sorter index out of range"
    if text:
        raise refuse(RuntimeError, f"torch.searchsorted(): {text}")
    if bool in (x.dtype, v.dtype):
        raise unsupported("searchsorted_out_cpu", "searchsorted", sorted_sequence, input)
    x = x if sorter is None else np.take_along_axis(x, sorter.array, -1)
    low = np.zeros(v.shape, np.int64)
    high = np.full(v.shape, x.shape[-1])
    behind = right or side == "right"
    while (open := low < high).any():  # one step of bisection for every value at once
        middle = (low + high) // 2
        at = np.minimum(middle, x.shape[-1] - 1)
        found = x[at] if x.ndim == 1 else np.take_along_axis(x, at, -1)
        before = open & ~(found > v if behind else found >= v)  # as PyTorch, where one of the two is nan
        low, high = np.where(before, middle + 1, low), np.where(open & ~before, middle, high)
    return wrap(low.astype(np.int32) if out_int32 else low)


@checked
def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """A row of zeros with a 1 at each index."""
    x = tensor.array
    text = ""
    if x.dtype != np.int64:
        text = "one_hot is only applicable to index tensor of type LongTensor."
    elif x.size and x.min() < 0:
        text = "Class values must be non-negative."
    elif num_classes == -1 and not x.size:
        text = "Can not infer total number of classes from empty tensor."
    elif num_classes < -1 or (num_classes == 0 and not x.size):
        text = "num_classes should be positive"
    elif x.size and num_classes != -1 and x.max() >= num_classes:
        text = "Class values must be smaller than num_classes."
    if text:
        raise refuse(RuntimeError, text)
    n = int(x.max()) + 1 if num_classes == -1 else num_classes
    return wrap(np.eye(n, dtype=np.int64)[x] if math.prod(x.shape) else np.zeros((*x.shape, n), np.int64))


# ------------------------------------------------------------------------------------------ as methods
@checked
def index_put_(input: Tensor, indices: Sequence[Tensor], values: Tensor, accumulate: bool = False) -> Tensor:
    """`index_put`, in place: the tensor itself is changed and returned."""
    if accumulate:
        return _accumulate_(input, indices, values, True)
    if not isinstance(indices, (tuple, list)):
        raise not_a("tuple of Tensors", indices, "index_put", "indices", 2)
    setitem(input, tuple(indices), expect_tensor(values, "index_put", "values", 3))
    return input


_accumulate_ = in_place(index_put)


class Indexing:
    """The methods of a tensor that this file defines."""

    __slots__ = ()  # so that tensors are as small, and made as fast, as if the class were not there

    gather, index_add, index_put, index_put_ = gather, index_add, index_put, index_put_
    index_select, masked_scatter, masked_select, nonzero = index_select, masked_scatter, masked_select, nonzero
    scatter, scatter_add, take, take_along_dim = scatter, scatter_add, take, take_along_dim
    __getitem__, __setitem__ = getitem, setitem

    # each of these changes the tensor itself
    index_add_, scatter_, scatter_add_ = in_place(index_add), in_place(scatter), in_place(scatter_add)
    masked_scatter_ = in_place(masked_scatter)
