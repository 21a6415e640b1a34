"""Reading and writing by index: `x[...]`, gather, scatter, and their kin."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_pt import ops
from tinygrad_pt.errors import failure
from tinygrad_pt.functions.arguments import as_tensor_like, axis_from, expect_tensor
from tinygrad_pt.functions.reduction import gather_at
from tinygrad_pt.graph import Handle, may_write, touched, wrap, write


def index_of(index: Any, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """A PyTorch index as a NumPy one, checked: tensors become arrays, a basic index ends in Ellipsis."""
    parts = index if isinstance(index, tuple) else (index,)
    if isinstance(index, list) and any(isinstance(i, (slice, Handle)) or i is None for i in index):
        parts = tuple(index)
    found = [_part(p) for p in parts]
    if not shape and any(isinstance(p, int) for p in found):
        raise failure(
            IndexError,
            "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a "
            "0-dim tensor to a number",
        )  # fmt: skip
    used = sum(1 if not isinstance(p, np.ndarray) or p.dtype != bool else p.ndim for p in found
               if p is not None and p is not Ellipsis and not isinstance(p, bool))  # fmt: skip
    if used > len(shape):
        raise failure(IndexError, f"too many indices for tensor of dimension {len(shape)}")
    _bounds(found, shape, used)
    if ops.index.is_basic(tuple(found)) and Ellipsis not in found:
        found.append(Ellipsis)  # so that NumPy answers with a 0-d view, never with a scalar
    return tuple(found)


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
    if isinstance(p, (list, tuple, range, np.ndarray)):
        x = np.array([_part(q) for q in p] if not isinstance(p, np.ndarray) else p)
        if x.size == 0 and x.dtype.kind == "f":
            x = x.astype(np.int64)
        if x.dtype.kind not in "iub":
            raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
        return x
    if hasattr(p, "__index__"):
        return p.__index__()
    raise TypeError(
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
            worst = p if isinstance(p, int) else next(iter(p[(p < -n) | (p >= n)].ravel().tolist()), 0 if n or not p.size else None)
            if p is worst and not -n <= p < n:
                raise failure(IndexError, f"index {p} is out of bounds for dimension {axis} with size {n}",
                              mend=f"indices run from {-n} to {n - 1}")  # fmt: skip
            if not isinstance(p, int) and p.size and (worst is None or not -n <= worst < n):
                raise failure(IndexError, f"index {p.flat[0] if worst is None else worst} is out of bounds for dimension "
                                          f"{axis} with size {n}")  # fmt: skip
            axis += 1


def getitem(input: Any, index: Any) -> Any:
    """input[index]: a view for integers, slices, None and Ellipsis; a copy for tensors, lists and masks."""
    shape = input.array.shape
    found = index_of(index, shape)
    try:
        return ops.getitem(input, index=found)
    except IndexError as e:
        raise failure(IndexError, str(e), op="getitem", args=(input,)) from None


def setitem(input: Any, index: Any, value: Any) -> None:
    """input[index] = value, recorded: gradients flow to the value, and to what of the input remains."""
    found = index_of(index, input.array.shape)
    if not isinstance(value, Handle):
        x = np.asarray(value)
        if x.dtype.kind not in "biufc":
            raise TypeError(f"can't assign a {type(value).__name__} to a torch.{input.dtype.spoken}Tensor")
        value = wrap(x)
    if ops.index.is_basic(found):
        place = ops.getitem(input, index=found)
        write(place, _fitted(place, value))
        return
    heard = may_write(input)
    if heard and (input.node is not None or value.node is not None or (input.base is not None and input.base.node)):
        place = ops.getitem(input, index=found)
        write(input, ops.index_put(input, _fitted(place, value), index=found))
        return
    try:
        input.array[found] = value.array
    except ValueError:
        raise _misfit(value.array.shape, input.array[found].shape) from None
    touched(input)


def _fitted(place: Any, value: Any) -> Any:
    """`value` in the shape and dtype of the place it is to be written to."""
    shape, target = value.array.shape, place.array.shape
    while len(shape) > len(target) and shape[0] == 1:
        value = ops.squeeze(value, axis=(0,))
        shape = value.array.shape
    try:
        return ops.copy(place, value)
    except (ValueError, RuntimeError):
        raise _misfit(shape, target) from None


def _misfit(shape: tuple[int, ...], target: tuple[int, ...]) -> Exception:
    return failure(
        RuntimeError,
        f"shape mismatch: value tensor of shape {list(shape)} cannot be broadcast to indexing result of shape "
        f"{list(target)}", op="setitem",
    )  # fmt: skip


# ------------------------------------------------------------------------------------------ gather and scatter
def _index_tensor(index: Any, name: str) -> Any:
    expect_tensor(index, name, "index", 3)
    if index.array.dtype != np.int64:
        raise RuntimeError(f"{name}(): Expected dtype int64 for index")
    return np.array(index.array)


def gather(input: Any, dim: int, index: Any) -> Any:
    """y[i, j] = input[index[i, j], j] for dim 0, and likewise for others."""
    axis, i = axis_from(dim, input.array.ndim), _index_tensor(index, "gather")
    if i.ndim != input.array.ndim:
        raise RuntimeError("Index tensor must have the same number of dimensions as input tensor")
    n = input.array.shape[axis] if input.array.ndim else 1
    if i.size and (i.min() < 0 or i.max() >= n):
        bad = int(i[(i < 0) | (i >= n)][0])
        raise RuntimeError(f"index {bad} is out of bounds for dimension {axis} with size {n}")
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
    shape = tuple(m if d == axis else max(m, n) for d, (m, n) in enumerate(zip(indices.array.shape, input.array.shape, strict=True)))
    return gather_at(input, np.array(np.broadcast_to(indices.array, shape)), axis)


def _places(index: Any, axis: int) -> tuple[Any, ...]:
    places = list(np.ogrid[tuple(slice(n) for n in index.shape)])
    places[axis] = index
    return tuple(places)


def scatter(input: Any, dim: int, index: Any, src: Any = None, *, value: Any = None) -> Any:
    """input with src written where gather would read."""
    axis, i = axis_from(dim, input.array.ndim), _index_tensor(index, "scatter")
    src = value if src is None else src
    src = src if isinstance(src, Handle) else ops.expand(as_tensor_like(src, input).to(input.dtype), shape=i.shape)
    part = ops.getitem(src, index=(*(slice(n) for n in i.shape), ...))
    return ops.index_put(input, part, index=_places(i, axis))


def scatter_add(input: Any, dim: int, index: Any, src: Any) -> Any:
    """input with src added where gather would read; places named twice receive twice."""
    axis, i = axis_from(dim, input.array.ndim), _index_tensor(index, "scatter_add")
    part = ops.getitem(src, index=(*(slice(n) for n in i.shape), ...))
    return input + ops.scatter_add(part, shape=input.array.shape, index=_places(i, axis))


def index_select(input: Any, dim: int, index: Any) -> Any:
    """The slices along `dim` that a vector of indices names."""
    axis = axis_from(dim, input.array.ndim)
    return getitem(input, (*(slice(None),) * axis, index.reshape(-1)))


def index_add(input: Any, dim: int, index: Any, source: Any, *, alpha: float = 1) -> Any:
    """input with the slices of source added where the index names them."""
    axis = axis_from(dim, input.array.ndim)
    place = (*(slice(None),) * axis, np.array(index.array))
    return input + ops.scatter_add(source if alpha == 1 else source * alpha, shape=input.array.shape, index=place)


def masked_select(input: Any, mask: Any) -> Any:
    """The elements where the mask holds, as a vector."""
    shape = np.broadcast_shapes(input.array.shape, mask.array.shape)
    return getitem(ops.expand(input, shape=shape), ops.expand(mask, shape=shape))


def take(input: Any, index: Any) -> Any:
    """Elements by their place in the flattened tensor."""
    flat = ops.reshape(input, shape=(input.array.size,))
    return getitem(flat, index)


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


