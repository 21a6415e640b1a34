"""Reading and writing by index: `x[...]`, gather, scatter, and their kin."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from tinygrad_pt import ops
from tinygrad_pt.errors import broadcast_text, refuse
from tinygrad_pt.functions.arguments import axis_from, expect_tensor, number
from tinygrad_pt.functions.binding import in_place
from tinygrad_pt.functions.reduction import gather_at
from tinygrad_pt.functions.shaping import expand
from tinygrad_pt.graph import Handle, wrap
from tinygrad_pt.inplace import may_write, touched, write

__all__ = [
    "gather", "index_add", "index_put", "index_put_", "index_select", "masked_select", "nonzero", "scatter",
    "scatter_add", "searchsorted", "take", "take_along_dim",
]  # fmt: skip


def index_of(index: Any, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """A PyTorch index as a NumPy one, checked: tensors become arrays, a basic index ends in Ellipsis."""
    found = [_part(p) for p in _parts(index)]
    if not shape and any(isinstance(p, int) for p in found):
        raise refuse(
            IndexError,
            "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a "
            "0-dim tensor to a number",
        )
    if not shape and any(isinstance(p, slice) for p in found):
        raise IndexError("slice() cannot be applied to a 0-dim tensor.")
    used = sum(_axes(p) for p in found)
    if used > len(shape):
        raise refuse(IndexError, f"too many indices for tensor of dimension {len(shape)}")
    if sum(p is Ellipsis for p in found) > 1:  # PyTorch reads further ones as full slices of no axis
        first = next(i for i, p in enumerate(found) if p is Ellipsis)
        found = [p for i, p in enumerate(found) if p is not Ellipsis or i == first]
    _bounds(found, shape, used)
    if ops.index.is_basic(tuple(found)) and Ellipsis not in found:
        found.append(Ellipsis)  # so that NumPy answers with a 0-d view, never with a scalar
    return tuple(found)


def _parts(index: Any) -> tuple[Any, ...]:
    """The index of each axis. A list that holds sequences, slices or None stands for a tuple, as in PyTorch 2.13."""
    if isinstance(index, tuple):
        return index
    if isinstance(index, list) and len(index) < 32:
        if any(isinstance(i, (Handle, slice, list, tuple, str)) or i is None or i is Ellipsis for i in index):
            warnings.warn(
                "Using a non-tuple sequence for multidimensional indexing is deprecated and will be changed in pytorch "
                "2.9; use x[tuple(seq)] instead of x[seq]. In pytorch 2.9 this will be interpreted as tensor index, "
                "x[torch.tensor(seq)], which will result either in an error or a different result",
                UserWarning, stacklevel=4,
            )  # fmt: skip
            return tuple(index)
    return (index,)


def _axes(part: Any) -> int:
    """How many axes a part of an index is about."""
    if part is None or part is Ellipsis:
        return 0
    return part.ndim if isinstance(part, np.ndarray) and part.dtype == bool else 1


def _part(p: Any) -> Any:
    if isinstance(p, Handle):
        x = p.array
        if x.dtype.kind not in "iub":
            raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
        x = x.astype(bool) if x.dtype == np.uint8 else np.array(x)
        return int(x) if x.ndim == 0 and x.dtype != bool else x
    if isinstance(p, slice):
        start, stop, step = (None if i is None else i.__index__() for i in (p.start, p.stop, p.step))
        if step is not None and step <= 0:
            raise ValueError("step must be greater than zero")
        return slice(start, stop, step)
    if p is None or p is Ellipsis:
        return p
    if isinstance(p, (bool, np.bool_)):
        return np.array(p)
    if isinstance(p, str):
        raise TypeError("new(): invalid data type 'str'")
    if isinstance(p, (list, tuple, range, np.ndarray)):
        x = np.array([_part(q) for q in p] if not isinstance(p, np.ndarray) else p)
        if x.size == 0 and x.dtype.kind == "f":
            x = x.astype(np.int64)
        if x.dtype.kind not in "iub":
            raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
        return x
    if hasattr(p, "__index__"):
        i = p.__index__()
        if not -(2**63) <= i < 2**63:
            raise ValueError("Overflow when unpacking long long")
        return i
    raise IndexError(
        "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices "
        f"(got {type(p).__name__})"
    )


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
                    raise IndexError(
                        f"The shape of the mask {list(p.shape)} at index {i} does not match the shape of the indexed "
                        f"tensor {list(shape)} at index {axis + i}"
                    )
            axis += p.ndim
        elif p is not None:
            n = shape[axis]
            x = np.asarray(p)
            wrong = x[(x < -n) | (x >= n)]
            if wrong.size:
                raise refuse(
                    IndexError,
                    f"index {wrong.flat[0]} is out of bounds for dimension {axis} with size {n}",
                    mend=f"indices run from {-n} to {n - 1}" if n else "",
                )
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


def getitem(input: Any, index: Any) -> Any:
    """input[index]: a view for integers, slices, None and Ellipsis; a copy for tensors, lists and masks."""
    first, found = staged(index_of(index, input.array.shape))
    if first is not None:
        input = ops.getitem(input, index=first)
    try:
        return ops.getitem(input, index=found)
    except IndexError:
        raise _unbroadcastable(found) from None


def _unbroadcastable(found: tuple[Any, ...]) -> Exception:
    arrays = [a for p in found if isinstance(p, np.ndarray) for a in (np.nonzero(p) if p.dtype == bool else (p,))]
    shapes = ", ".join(str(list(a.shape)) for a in arrays)
    return refuse(
        IndexError, f"shape mismatch: indexing tensors could not be broadcast together with shapes {shapes}", "getitem"
    )


def setitem(input: Any, index: Any, value: Any) -> None:
    """input[index] = value, recorded: gradients flow to the value, and to what of the input remains.

    >>> import tinygrad_pt as torch
    >>> x = torch.zeros(3); x[1:] = 5; x[torch.tensor([True, False, False])] = -1; x
    tensor([-1.,  5.,  5.])
    """
    if not isinstance(value, Handle):
        value = _assigned(input, value)
        kinds_differ = False
    else:
        kinds_differ = value.array.dtype != input.array.dtype
        if kinds_differ and value.array.size == 1 and isinstance(index, Handle) and index.array.dtype == bool:
            value, kinds_differ = value.to(input.dtype), False  # a mask is filled with one number of any kind
    first, found = staged(index_of(index, input.array.shape))
    if first is not None:
        input = ops.getitem(input, index=first)
    if ops.index.is_basic(found):
        place = ops.getitem(input, index=found)
        write(place, ops.copy(place, _fitted(place.array.shape, value)))
        return
    try:
        shape = input.array[found].shape
    except IndexError:
        raise _unbroadcastable(found) from None
    value = _without_leading_ones(value, shape)
    if not _expandable(value.array.shape, shape):
        raise refuse(
            RuntimeError,
            f"shape mismatch: value tensor of shape {list(value.array.shape)} cannot be broadcast to "
            "indexing result of "
            f"shape {list(shape)}",
            "setitem",
            input,
            value,
        )
    if kinds_differ:
        names = [x.dtype.spoken for x in (input, value)]
        raise refuse(
            RuntimeError,
            f"Index put requires the source and destination dtypes match, got {names[0]} for the "
            f"destination and {names[1]} "
            "for the source.",
            "setitem",
            input,
            value,
            mend=f"value.to(torch.{input.dtype.name})",
        )
    value = ops.expand(value, shape=shape)
    if may_write(input) and (value.node is not None or (input if input.base is None else input.base).node is not None):
        write(input, ops.index_put(input, value, index=found))
    else:
        input.array[found] = value.array
        touched(input)


def index_put(input: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    """input with `values` where `input[indices]` reads; with `accumulate` they are added there, one by one.

    >>> import tinygrad_pt as torch
    >>> torch.zeros(3).index_put((torch.tensor([0, 0, 2]),), torch.ones(3), accumulate=True)
    tensor([2., 0., 1.])
    """
    expect_tensor(input, "index_put")
    if not isinstance(indices, (tuple, list)):
        text = f"index_put(): argument 'indices' (position 2) must be tuple of Tensors, not {type(indices).__name__}"
        raise refuse(TypeError, text)
    expect_tensor(values, "index_put", "values", 3)
    if not accumulate:
        y = ops.clone(input)
        setitem(y, tuple(indices), values)
        return y
    found = index_of(tuple(indices), input.array.shape)
    part = _fitted(input.array[found].shape, values)
    return input + ops.scatter_add(part, shape=input.array.shape, index=found)


def _assigned(input: Any, value: Any) -> Any:
    """What is assigned, as a tensor in the dtype of the input: a number, or, unlike PyTorch, an array or list."""
    if isinstance(value, (np.ndarray, list, tuple)):
        x = np.asarray(value)
        if x.dtype.kind in "biufc":
            return wrap(x.astype(input.array.dtype))
    elif isinstance(value, (bool, int, float, complex, np.generic)):
        value = value.item() if isinstance(value, np.generic) else value
        if isinstance(value, int) and not -(2**63) <= value < 2**64:
            raise ValueError("Overflow when unpacking long long")
        return wrap(number(value, input.dtype))
    raise TypeError(f"can't assign a {type(value).__name__} to a torch.{input.dtype.spoken}Tensor")


def _without_leading_ones(value: Any, target: tuple[int, ...]) -> Any:
    shape = value.array.shape
    gone = 0
    while gone < len(shape) and shape[gone] == 1:
        gone += 1
    return ops.reshape(value, shape=shape[gone:]) if gone and not _expandable(shape, target) else value


def _expandable(shape: tuple[int, ...], target: tuple[int, ...]) -> bool:
    return len(shape) <= len(target) and all(
        m in (1, n) for m, n in zip(reversed(shape), reversed(target), strict=False)
    )


def _fitted(target: tuple[int, ...], value: Any) -> Any:
    """`value` expanded to the place it is to be written to."""
    return expand(_without_leading_ones(value, target), target)


# ------------------------------------------------------------------------------------------ gather and scatter
def _index_tensor(index: Any, name: str) -> Any:
    expect_tensor(index, name, "index", 3)
    if index.array.dtype not in (np.int64, np.int32):
        raise RuntimeError(f"{name}(): Expected dtype int32/int64 for index")
    return index.array.astype(np.int64)


def _within(i: Any, axis: int, n: int) -> None:
    if i.size and (i.min() < 0 or i.max() >= n):
        bad = int(i[(i < 0) | (i >= n)][0])
        raise RuntimeError(f"index {bad} is out of bounds for dimension {axis} with size {n}")


def gather(input: Any, dim: int, index: Any) -> Any:
    """y[i, j] = input[index[i, j], j] for dim 0, and likewise for others."""
    axis, i = axis_from(dim, input.array.ndim), _index_tensor(index, "gather")
    if i.ndim != input.array.ndim:
        raise RuntimeError("Index tensor must have the same number of dimensions as input tensor")
    n = input.array.shape[axis] if input.array.ndim else 1
    _within(i, axis, n)
    for d, (a, b) in enumerate(zip(i.shape, input.array.shape, strict=True)):
        if d != axis and a > b:
            raise RuntimeError(
                f"Size does not match at dimension {d} expected index {list(i.shape)} to be no larger than self "
                f"{list(input.array.shape)} apart from dimension {axis}"
            )
    return gather_at(input, i, axis)


def take_along_dim(input: Any, indices: Any, dim: int) -> Any:
    """`gather`, broadcasting the indices."""
    axis = axis_from(dim, input.array.ndim)
    shape = tuple(
        m if d == axis else max(m, n)
        for d, (m, n) in enumerate(zip(indices.array.shape, input.array.shape, strict=True))
    )
    return gather_at(input, np.array(np.broadcast_to(indices.array, shape)), axis)


def _places(index: Any, axis: int) -> tuple[Any, ...]:
    places = list(np.ogrid[tuple(slice(n) for n in index.shape)])
    places[axis] = index
    return tuple(places)


def _source(input: Any, axis: int, i: Any, src: Any, name: str) -> Any:
    """The part of `src` that is written, checked against the index."""
    if src.array.dtype != input.array.dtype:
        raise RuntimeError(f"{name}(): Expected self.dtype to be equal to src.dtype")
    x, s = input.array, src.array
    if i.ndim != x.ndim or i.ndim != s.ndim:
        other = "self" if i.ndim != x.ndim else "src"
        raise RuntimeError(f"Index tensor must have the same number of dimensions as {other} tensor")
    apart = any(m > n for d, (m, n) in enumerate(zip(i.shape, x.shape, strict=True)) if d != axis)
    if apart or any(m > n for m, n in zip(i.shape, s.shape, strict=True)):
        raise RuntimeError(
            f"Expected index {list(i.shape)} to be no larger than self {list(x.shape)} apart from "
            f"dimension {axis} and to be "
            f"no larger size than src {list(s.shape)}"
        )
    _within(i, axis, x.shape[axis] if x.ndim else 1)
    return ops.getitem(src, index=(*(slice(n) for n in i.shape), ...))


def scatter(input: Any, dim: int, index: Any, src: Any = None, *, value: Any = None) -> Any:
    """input with src (a tensor or a number) written where gather would read.

    >>> import tinygrad_pt as torch
    >>> torch.zeros(2, 3).scatter(1, torch.tensor([[2], [0]]), 1.0)
    tensor([[0., 0., 1.],
            [1., 0., 0.]])
    """
    axis, i = axis_from(dim, input.array.ndim), _index_tensor(index, "scatter")
    src = value if src is None else src
    if not isinstance(src, Handle):
        src = ops.expand(wrap(number(src, input.dtype)), shape=i.shape)
    part = _source(input, axis, i, src, "scatter")
    return ops.index_put(input, part, index=_places(i, axis)) if input.array.ndim else ops.clone(part)


def scatter_add(input: Any, dim: int, index: Any, src: Any) -> Any:
    """input with src added where gather would read; places named twice receive twice."""
    axis, i = axis_from(dim, input.array.ndim), _index_tensor(index, "scatter_add")
    part = _source(input, axis, i, src, "scatter")
    return input + (
        ops.scatter_add(part, shape=input.array.shape, index=_places(i, axis)) if input.array.ndim else part
    )


def index_select(input: Any, dim: int, index: Any) -> Any:
    """The slices along `dim` that a vector of indices names."""
    axis = axis_from(dim, expect_tensor(input, "index_select").array.ndim)
    i = expect_tensor(index, "index_select", "index", 3).array
    if i.ndim > 1:
        raise IndexError("index_select(): Index is supposed to be a vector")
    if i.dtype not in (np.int64, np.int32):
        raise RuntimeError("index_select(): Expected dtype int32 or int64 for index")
    n = input.array.shape[axis] if input.array.ndim else 1
    if i.size and (i.min() < 0 or i.max() >= n):
        raise refuse(IndexError, "index out of range in self", "index_select", input, index)
    if input.array.ndim == 0:
        return ops.clone(input)
    return ops.getitem(input, index=(*(slice(None),) * axis, np.array(i.reshape(-1))))


def index_add(input: Any, dim: int, index: Any, source: Any, *, alpha: float = 1) -> Any:
    """input with the slices of source added where the index names them."""
    axis = axis_from(dim, input.array.ndim)
    i, source_ = expect_tensor(index, "index_add", "index", 3).array, source.array
    if i.ndim > 1:
        raise IndexError("index_add_(): Index is supposed to be a vector")
    if input.array.dtype != source_.dtype:
        raise RuntimeError("index_add_(): self and source expected to have the same dtype, but got (self) "
                           f"{input.dtype.spoken} and (source) {source.dtype.spoken}")  # fmt: skip
    if i.size != (source_.shape[axis] if source_.ndim else 1):
        raise RuntimeError(
            f"index_add_(): Number of indices ({i.size}) should be equal to source.size(dim): "
            f"({source_.shape[axis]}), for "
            f"dim: {axis}"
        )
    if i.size and (i.min() < 0 or i.max() >= input.array.shape[axis]):
        raise IndexError("index out of range in self")
    place = (*(slice(None),) * axis, np.array(i))
    return input + ops.scatter_add(source if alpha == 1 else source * alpha, shape=input.array.shape, index=place)


def masked_select(input: Any, mask: Any) -> Any:
    """The elements where the mask holds, as a vector."""
    if expect_tensor(mask, "masked_select", "mask", 2).array.dtype != bool:
        raise RuntimeError("masked_select: expected BoolTensor for mask")
    text = broadcast_text(input.array.shape, mask.array.shape)
    if text:
        raise refuse(RuntimeError, text, "masked_select", input, mask)
    shape = np.broadcast_shapes(input.array.shape, mask.array.shape)
    return getitem(ops.expand(input, shape=shape), ops.expand(mask, shape=shape))


def take(input: Any, index: Any) -> Any:
    """Elements by their place in the flattened tensor."""
    i, n = expect_tensor(index, "take", "index", 2).array, input.array.size
    if i.dtype != np.int64:
        raise RuntimeError(f"take(): Expected a long tensor for index, but got {index.dtype.spoken}")
    if i.size and (i.min() < -n or i.max() >= n):
        bad = int(i[(i < -n) | (i >= n)][0])
        raise IndexError(f"out of range: tried to access index {bad} on a tensor of {n} elements.")
    return ops.getitem(ops.reshape(input, shape=(n,)), index=(np.array(i),))


def nonzero(input: Any, as_tuple: bool = False) -> Any:
    """The indices of the elements that are not 0, one row each (or one vector per axis)."""
    found = np.nonzero(np.atleast_1d(input.array))
    if as_tuple:
        return tuple(wrap(i) for i in found)
    return wrap(np.stack(found, 1) if input.array.ndim else np.zeros((len(found[0]), 0), np.int64))


def searchsorted(sorted_sequence: Any, input: Any, *, right: bool = False) -> Any:
    """Where each value would be put into a sorted vector."""
    values = input.array if isinstance(input, Handle) else input
    return wrap(np.asarray(np.searchsorted(sorted_sequence.array, values, "right" if right else "left")))


def one_hot(tensor: Any, num_classes: int = -1) -> Any:
    """A row of zeros with a 1 at each index."""
    x = tensor.array
    if x.dtype != np.int64:
        raise RuntimeError("one_hot is only applicable to index tensor of type LongTensor.")
    if x.size and x.min() < 0:
        raise RuntimeError("Class values must be non-negative.")
    if num_classes == -1 and not x.size:
        raise RuntimeError("Can not infer total number of classes from empty tensor.")
    n = int(x.max()) + 1 if num_classes == -1 else num_classes
    if x.size and x.max() >= n:
        raise RuntimeError("Class values must be smaller than num_classes.")
    return wrap(np.eye(n, dtype=np.int64)[x] if math.prod(x.shape) else np.zeros((*x.shape, n), np.int64))


# ------------------------------------------------------------------------------------------ as methods
index_put_ = in_place(index_put)


class Indexing:
    """The methods of a tensor that this file defines."""

    gather, index_add, index_put, index_put_ = gather, index_add, index_put, index_put_
    index_select, masked_select, nonzero = index_select, masked_select, nonzero
    scatter, scatter_add, take, take_along_dim = scatter, scatter_add, take, take_along_dim
    __getitem__, __setitem__ = getitem, setitem

    # each of these changes the tensor itself
    index_add_, scatter_, scatter_add_ = in_place(index_add), in_place(scatter), in_place(scatter_add)
