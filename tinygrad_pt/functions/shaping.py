"""PyTorch's functions that rearrange: views, orders of axes, joining and cutting."""

from __future__ import annotations

import math
import operator
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_pt import dtypes, ops
from tinygrad_pt.calling import bundle, wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.arguments import (
    Dims,
    Size,
    axes_from,
    axis_from,
    inferred_shape,
    length_of,
    positive_sizes,
    promoted,
    sizes_from,
)
from tinygrad_pt.functions.binding import described, in_place
from tinygrad_pt.functions.checks import checked, expect_tensor, into, missing, no_overload, not_a
from tinygrad_pt.functions.strides import settle
from tinygrad_pt.graph import Tensor
from tinygrad_pt.inplace import write_changed
from tinygrad_pt.ops import windows
from tinygrad_pt.ops.shape import edges_of
from tinygrad_pt.views import as_own

__all__ = [
    "broadcast_shapes", "broadcast_tensors", "broadcast_to", "cat", "chunk", "concat", "concatenate", "diag",
    "diagonal", "flatten", "flip", "fliplr", "flipud", "hstack", "meshgrid", "moveaxis", "movedim", "narrow",
    "permute", "ravel", "repeat_interleave", "reshape", "roll", "select", "split", "squeeze", "stack", "swapaxes",
    "swapdims", "t", "tensor_split", "tile", "trace", "transpose", "tril", "triu", "unbind", "unflatten", "unsqueeze",
    "vstack",
]  # fmt: skip


# ------------------------------------------------------------------------------------------ other shapes
def reshape(input: Tensor, *sizes: int | Sequence[int], shape: Sequence[int] | None = None) -> Tensor:
    """The same elements in another shape, a view where that is possible; one size may be -1."""
    size = expect_tensor(input, "reshape").array.size
    if shape is not None:
        sizes = by_name("reshape", sizes, "shape", shape)
    if not sizes:
        raise missing("reshape", "shape")
    return ops.reshape(input, shape=inferred_shape(sizes_from(sizes, "reshape"), size, "reshape", input))


def by_name(function: str, given: tuple[Any, ...], name: str, value: Any) -> tuple[Any]:
    """The sizes, dims or repeats of a function, given by name."""
    if given:
        raise refuse(TypeError, f"{function}() got multiple values for argument '{name}'", function)
    return (value,)


@checked
def view(input: Tensor, *shape: Any, size: Sequence[int] | None = None, dtype: dtypes.dtype | None = None) -> Tensor:
    """`reshape` that never copies; `view(dtype)` reads the same bytes as another dtype."""
    if size is not None or dtype is not None:
        shape = by_name("view", shape, "size", dtype if size is None else size)
    if len(shape) == 1 and isinstance(shape[0], dtypes.dtype):
        return _as_bytes(input, shape[0])
    y = reshape(input, *shape)
    if y.version is not input.version and y.array.size and settle(input):
        y = reshape(input, *shape)
    if y.version is not input.version and y.array.size:
        text = "view size is not compatible with input tensor's size and stride (at least one dimension spans across "
        raise refuse(RuntimeError, f"{text}two contiguous subspaces). Use .reshape(...) instead.")
    return y


def _as_bytes(input: Tensor, kind: dtypes.dtype) -> Tensor:
    """The same memory, read as another dtype."""
    x = input.array
    old, new = x.itemsize, kind.itemsize
    kinds = f"to view {input.dtype.spoken} as {kind.spoken} (different element sizes)"
    if old == new or (x.ndim and x.flags.c_contiguous and x.shape[-1] * old % new == 0):
        return wrap(x.view(kind.numpy), None, input.version)
    if not x.ndim:
        raise refuse(RuntimeError, f"self.dim() cannot be 0 {kinds}")
    if not x.flags.c_contiguous:
        raise refuse(RuntimeError, f"self.stride(-1) must be 1 {kinds}, but got {input.stride(-1)}")
    raise refuse(RuntimeError, f"self.size(-1) must be divisible by {new // old} {kinds}, but got {x.shape[-1]}")


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """The axes start_dim … end_dim as one."""
    shape = expect_tensor(input, "flatten").array.shape
    if not shape:
        return ops.reshape(input, shape=(1,))
    first = axis_from(start_dim, len(shape), "flatten", input)
    last = axis_from(end_dim, len(shape), "flatten", input)
    if first > last:
        text = "flatten() has invalid args: start_dim cannot come after end_dim"
        raise refuse(RuntimeError, text, "flatten", input)
    if first == last:
        return input
    return ops.reshape(input, shape=(*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :]))


@checked
def ravel(input: Tensor) -> Tensor:
    """All elements in one axis, contiguous: a view where that is possible."""
    x = input if input.array.flags.c_contiguous else ops.clone(input, order="C")
    return ops.reshape(x, shape=(x.array.size,))


@checked
def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """One axis as several."""
    shape = input.array.shape
    axis = axis_from(dim, len(shape))
    if not shape:
        raise refuse(RuntimeError, "unflatten: a 0-d tensor has no axis to divide")
    found = sizes_from((sizes,), "unflatten")
    if -1 not in found and math.prod(found) != shape[axis]:
        what = f"multiply up to the size of dim {axis} ({shape[axis]}) in the input tensor"
        raise refuse(RuntimeError, f"unflatten: Provided sizes {list(found)} don't {what}")
    inner = inferred_shape(found, shape[axis], "unflatten", input)
    return ops.reshape(input, shape=(*shape[:axis], *inner, *shape[axis + 1 :]))


def squeeze(input: Tensor, dim: Dims = None) -> Tensor:
    """The tensor without its axes of length 1, or without those given."""
    shape = expect_tensor(input, "squeeze").array.shape
    axes = range(len(shape)) if dim is None else axes_from(dim, len(shape), "squeeze", input) or ()
    return ops.squeeze(input, axis=tuple(i for i in axes if shape and shape[i] == 1))


def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """The tensor with a new axis of length 1 at `dim`."""
    n = expect_tensor(input, "unsqueeze").array.ndim
    return ops.unsqueeze(input, axis=axis_from(dim, n + 1, "unsqueeze", input))


# ------------------------------------------------------------------------------------------ other orders
def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two axes swapped."""
    if not isinstance(input, Tensor):
        expect_tensor(input, "transpose")
    n = input.array.ndim
    a, b = axis_from(dim0, n, "transpose", input), axis_from(dim1, n, "transpose", input)
    return ops.transpose(input, axis0=a, axis1=b) if n else ops.reshape(input, shape=())


def t(input: Tensor) -> Tensor:
    """The transpose of a matrix; vectors and scalars stay."""
    n = expect_tensor(input, "t").array.ndim
    if n > 2:
        text = f"t() expects a tensor with <= 2 dimensions, but self is {n}D"
        raise refuse(RuntimeError, text, "t", input, mend="x.mT swaps the last two axes")
    return ops.t(input)


def mT(input: Tensor) -> Tensor:
    """The last two axes swapped."""
    n = expect_tensor(input, "mT").array.ndim
    if n == 0:
        return _deprecated_scalar(input, "mT")
    if n < 2:
        text = f"tensor.mT is only supported on matrices or batches of matrices. Got {n}-D tensor."
        raise refuse(RuntimeError, text, "mT", input)
    return ops.transpose(input, axis0=n - 2, axis1=n - 1)


def _deprecated_scalar(input: Tensor, name: str) -> Tensor:
    text = f"Tensor.{name} is deprecated on 0-D tensors. This function is the identity in these cases."
    warnings.warn(text, UserWarning, stacklevel=3)
    return ops.permute(input, axes=())


DEPRECATED_T = (
    "The use of `x.T` on tensors of dimension other than 2 to reverse their shape is deprecated and it will throw an "
    "error in a future release. Consider `x.mT` to transpose batches of matrices or "
    "`x.permute(*torch.arange(x.ndim - 1, -1, -1))` to reverse the dimensions of a tensor."
)


def reversed_axes(input: Tensor) -> Tensor:
    """x.T: all axes in reverse order."""
    n = expect_tensor(input, "T").array.ndim
    if n == 0:
        return _deprecated_scalar(input, "T")
    if n != 2:
        warnings.warn(DEPRECATED_T, UserWarning, stacklevel=2)
    return ops.permute(input, axes=tuple(range(n - 1, -1, -1)))


def permute(input: Tensor, *order: int | Sequence[int], dims: Sequence[int] | None = None) -> Tensor:
    """The axes in the order `dims`."""
    n = expect_tensor(input, "permute").array.ndim
    if dims is not None:
        order = by_name("permute", order, "dims", dims)
    if not order:
        raise missing("permute", "dims")
    order = sizes_from(order, "permute")
    if len(order) != n:
        text = (
            "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired "
            f"ordering of dimensions i.e. input.dim() = {n} is not equal to len(dims) = {len(order)}"
        )
        raise refuse(RuntimeError, text, "permute", input)
    axes = tuple([axis_from(d, n, "permute", input) for d in order])
    if len(set(axes)) != n:
        raise refuse(RuntimeError, "permute(): duplicate dims are not allowed.", "permute", input)
    return ops.permute(input, axes=axes)


@checked
def movedim(input: Tensor, source: Dims, destination: Dims) -> Tensor:
    """Axes moved from one place to another."""
    n = input.array.ndim
    given = [[*d] if isinstance(d, (tuple, list)) else [d] for d in (source, destination)]
    if len(given[0]) != len(given[1]):
        text = f"movedim: Invalid source or destination dims: source ({given[0]} dims) should contain the same number "
        raise refuse(RuntimeError, f"{text}of dims as destination ({given[1]} dims)")
    src, dst = ([axis_from(d, n) for d in dims] for dims in given)
    for name, dims, axes in zip(("source", "destination"), given, (src, dst), strict=True):
        if len(set(axes)) < len(axes):
            raise refuse(RuntimeError, f"movedim: repeated dim in `{name}` ({dims})")
    rest = iter(i for i in range(n) if i not in src)
    places = dict(zip(dst, src, strict=True))
    return ops.permute(input, axes=tuple(places[i] if i in places else next(rest) for i in range(n)))


def swapaxes(input: Tensor, axis0: int, axis1: int) -> Tensor:
    """`transpose`, under NumPy's name."""
    return transpose(input, axis0, axis1)


swapdims, moveaxis = transpose, movedim


@checked
def flip(input: Tensor, *axes: int | Sequence[int], dims: Dims = None) -> Tensor:
    """The tensor reversed along these axes."""
    order = sizes_from(axes if dims is None else (dims,), "flip")
    return ops.flip(input, axis=axes_from(order, input.array.ndim) or ())


@checked
def fliplr(input: Tensor) -> Tensor:
    """The tensor reversed along the second axis."""
    if input.array.ndim < 2:
        raise refuse(RuntimeError, "Input must be >= 2-d.")
    return flip(input, 1)


@checked
def flipud(input: Tensor) -> Tensor:
    """The tensor reversed along the first axis."""
    if not input.array.ndim:
        raise refuse(RuntimeError, "Input must be >= 1-d.")
    return flip(input, 0)


@checked
def roll(input: Tensor, shifts: Dims, dims: Dims = None) -> Tensor:
    """The elements shifted along axes, the last ones to the front; without `dims`, as one flat row."""
    if dims is None or dims == () or dims == []:
        return as_own(ops.reshape(roll(flatten(input), shifts, 0), shape=input.array.shape))
    steps, axes = sizes_from((shifts,), "roll"), sizes_from((dims,), "roll")
    if not steps:
        raise refuse(RuntimeError, "`shifts` required")
    if len(steps) != len(axes):
        raise refuse(RuntimeError, f"shifts and dimensions must align. shifts: {len(steps)}, dims:{len(axes)}")
    y = input
    for shift, dim in zip(steps, axes, strict=True):
        axis = axis_from(dim, y.array.ndim)
        if not y.array.ndim:
            raise refuse(IndexError, f"Dimension specified as {dim} but tensor has no dimensions")
        n = length_of(y, axis)
        k = shift % n if n else 0
        if k:
            back = ops.narrow(y, axis=axis, start=n - k, length=k)
            y = cat((back, ops.narrow(y, axis=axis, start=0, length=n - k)), axis)
    return ops.clone(y) if y is input else y


# ------------------------------------------------------------------------------------------ repeating
def expand(
    input: Tensor, *sizes: int | Sequence[int], size: Sequence[int] | None = None, implicit: bool = False
) -> Tensor:
    """Axes of length 1 repeated, without copying; -1 keeps a size."""
    if size is not None:
        sizes = by_name("expand", sizes, "size", size)
    wanted = sizes_from(sizes, "expand")
    shape = expect_tensor(input, "expand").array.shape
    lead = len(wanted) - len(shape)
    if lead < 0:
        text = f"expand(torch.{input.dtype.spoken}Tensor{{{list(shape)}}}, size={list(wanted)}): the number of sizes "
        text += f"provided ({len(wanted)}) must be greater or equal to the number of dimensions in the tensor "
        raise refuse(RuntimeError, f"{text}({len(shape)})", "expand", input)
    full, text = list(wanted), ""
    for i, (n, own) in enumerate(zip(wanted, (1,) * lead + shape, strict=True)):
        if n == -1 and i < lead:
            text = f"The expanded size of the tensor ({n}) isn't allowed in a leading, non-existing dimension {i}"
        elif n == -1:
            full[i] = own
        elif own not in (1, n):
            text = f"The expanded size of the tensor ({n}) must match the existing size ({own}) at non-singleton "
            text += f"dimension {i}.  Target sizes: {list(wanted)}.  Tensor sizes: {list(shape)}"
        elif n < 0:
            text = f"expand: the requested shape has a negative size: {list(wanted)}"
    if text:  # PyTorch tells of the last axis that does not match
        raise refuse(RuntimeError, text, "expand", input)
    return ops.expand(input, shape=tuple(full))


def _shape_of_other(change: Any) -> Callable[[Tensor, Tensor], Tensor]:
    def function(input: Tensor, other: Tensor) -> Tensor:
        return change(input, other.array.shape)

    return checked(described(function, f"{change.__name__}_as", f"`{change.__name__}` to the shape of `other`."))


view_as, reshape_as, expand_as = map(_shape_of_other, (view, reshape, expand))


@checked
def broadcast_to(input: Tensor, *sizes: int | Sequence[int], size: Sequence[int] | None = None) -> Tensor:
    """`expand`, under PyTorch's other name."""
    return expand(input, *sizes, size=size)


@checked
def broadcast_shapes(*shapes: int | Sequence[int]) -> Size:
    """The shape to which shapes broadcast."""
    met: list[int] = []  # the sizes so far, last axis first
    for position, given in enumerate(shapes):
        if not isinstance(given, (int, tuple, list)):
            text = "Input shapes should be of type ints, a tuple of ints, or a list of ints, got "
            raise refuse(RuntimeError, f"{text}{given}")
        shape = sizes_from((given,), "broadcast_shapes")
        if min(shape, default=0) < 0:
            text = f"Trying to create tensor with negative dimension ({min(shape)}): ({min(shape)})"
            raise refuse(RuntimeError, text)
        met += [1] * (len(shape) - len(met))
        for i, n in enumerate(reversed(shape)):
            if met[i] == 1:
                met[i] = n
            elif n not in (1, met[i]):
                text = f"Attempting to broadcast a dimension of length {n} at {-i - 1}! Mismatching argument at index "
                wanted = f"expected shape should be broadcastable to {met[::-1]}"
                raise refuse(RuntimeError, f"{text}{position} had {shape}; but {wanted}")
    return Size(reversed(met))


def broadcast_tensors(*tensors: Tensor) -> tuple[Tensor, ...]:
    """Tensors expanded to their common shape."""
    shape = broadcast_shapes(*(expect_tensor(x, "broadcast_tensors", "tensors").array.shape for x in tensors))
    return tuple(x if x.array.shape == shape else expand(x, shape) for x in tensors)


@checked
def repeat(input: Tensor, *times: int | Sequence[int], repeats: Sequence[int] | None = None) -> Tensor:
    """The whole tensor repeated along each axis, copied."""
    if repeats is not None:
        times = by_name("repeat", times, "repeats", repeats)
    if not times:
        raise missing("repeat", "repeats")
    times = sizes_from(times, "repeat")
    shape = (1,) * (len(times) - input.array.ndim) + input.array.shape
    if len(times) < len(shape):
        text = "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor"
        raise refuse(RuntimeError, text)
    full = positive_sizes((tuple(r * n for r, n in zip(times, shape, strict=True)),), "repeat")
    x = ops.reshape(input, shape=tuple(n for m in shape for n in (1, m)))
    x = ops.expand(x, shape=tuple(n for r, m in zip(times, shape, strict=True) for n in (r, m)))
    y = ops.reshape(x, shape=full)
    return y if y.base is None else ops.clone(y, order="C")


@checked
def tile(input: Tensor, *times: int | Sequence[int], dims: Sequence[int] | None = None) -> Tensor:
    """`repeat`, with missing leading repeats taken as 1."""
    times = sizes_from(times if dims is None else by_name("tile", times, "dims", dims), "tile")
    return repeat(input, (1,) * (input.array.ndim - len(times)) + times)


@checked
def repeat_interleave(
    input: Tensor, repeats: int | Tensor | None = None, dim: int | None = None, *, output_size: int | None = None
) -> Tensor:
    """Each element (or slice along `dim`) repeated in place; of counts alone, the place of each element that they make.

    `output_size`, the sum of the repeats, is checked.
    """
    if repeats is None:
        n = input.array.size
        input, repeats = wrap(np.arange(n)), input
    if dim is None:
        input, dim = flatten(input), 0
    axis = axis_from(dim, input.array.ndim)
    count = repeats.array if isinstance(repeats, Tensor) else operator.index(repeats)
    n = length_of(input, axis)
    if isinstance(count, np.ndarray) and count.dtype.kind not in "iu":
        raise refuse(RuntimeError, "repeats has to be Long or Int tensor")
    if np.size(count) not in (1, n):
        sizes = f"repeats.size(0) = {np.size(count)} and input.size({axis}) = {n}"
        raise refuse(RuntimeError, f"repeats must have the same size as input along dim, but got {sizes}")
    if np.any(np.less(count, 0)):
        raise refuse(RuntimeError, "repeats can not be negative")
    index = np.repeat(np.arange(n), count)
    if output_size is not None and output_size != index.size:
        text = f"repeat_interleave: Invalid output_size, expected {index.size} but got {output_size}"
        raise refuse(RuntimeError, text)
    x = input if input.array.ndim else ops.reshape(input, shape=(1,))
    return ops.getitem(x, index=(*(slice(None),) * axis, index))


# ------------------------------------------------------------------------------------------ joining and cutting
def listed(tensors: Any, name: str) -> list[Tensor]:
    """A list of tensors, checked, in their common dtype."""
    if not isinstance(tensors, (tuple, list)):
        raise not_a("tuple of Tensors", tensors, name, "tensors", 1, f"torch.{name}([a, b])")
    parts = list(tensors)
    for i, p in enumerate(parts):
        if not isinstance(p, Tensor):
            text = f"expected Tensor as element {i} in argument 0, but got {type(p).__name__}"
            raise refuse(TypeError, text, name, *parts, mend="wrap it in torch.tensor(...)")
    if not parts:
        if name == "cat":
            raise refuse(ValueError, "torch.cat(): expected a non-empty list of Tensors", name)
        raise refuse(RuntimeError, f"{name} expects a non-empty TensorList", name)
    kinds = {p.array.dtype for p in parts}
    return promoted(*parts) if len(kinds) > 1 else parts


def cat(tensors: Sequence[Tensor], dim: int = 0, *, axis: int | None = None, out: Tensor | None = None) -> Tensor:
    """The tensors one after the other along `dim`; all other sizes must agree."""
    if out is not None:
        return into(out, "cat", cat(tensors, dim, axis=axis))
    parts = listed(tensors, "cat")
    parts = [p for p in parts if p.array.shape != (0,)] or parts[:1]  # PyTorch lets empty vectors pass
    first = parts[0].array
    for i, p in enumerate(parts):
        if p.array.ndim == 0:
            text = f"zero-dimensional tensor (at position {i}) cannot be concatenated"
            raise refuse(RuntimeError, text, "cat", *parts, mend="use torch.stack")
    over = axis_from(dim if axis is None else axis, first.ndim, "cat", *parts)
    for i, p in enumerate(parts):
        if p.array.ndim != first.ndim:
            text = f"Tensors must have same number of dimensions: got {first.ndim} and {p.array.ndim}"
            raise refuse(RuntimeError, text, "cat", *parts)
        for j in range(first.ndim):
            if j != over and p.array.shape[j] != first.shape[j]:
                sizes = f"size {first.shape[j]} but got size {p.array.shape[j]} for tensor number {i} in the list."
                text = f"Sizes of tensors must match except in dimension {over}. Expected {sizes}"
                raise refuse(RuntimeError, text, "cat", *parts)
    return ops.cat(*parts, axis=over, edges=edges_of([p.array.shape[over] for p in parts]))


concat = concatenate = cat


def stack(tensors: Sequence[Tensor], dim: int = 0, *, axis: int | None = None, out: Tensor | None = None) -> Tensor:
    """The tensors, of one shape, side by side along a new axis."""
    if out is not None:
        return into(out, "stack", stack(tensors, dim, axis=axis))
    parts = listed(tensors, "stack")
    shape = parts[0].array.shape
    for i, p in enumerate(parts):
        if p.array.shape != shape:
            got = f"{list(shape)} at entry 0 and {list(p.array.shape)} at entry {i}"
            text = f"stack expects each tensor to be equal size, but got {got}"
            raise refuse(RuntimeError, text, "stack", *parts)
    return ops.stack(*parts, axis=axis_from(dim if axis is None else axis, len(shape) + 1, "stack", *parts))


def hstack(tensors: Sequence[Tensor], *, out: Tensor | None = None) -> Tensor:
    """`cat` along the columns (vectors: along the only axis)."""
    if out is not None:
        return into(out, "hstack", hstack(tensors))
    parts = [p if p.array.ndim else ops.reshape(p, shape=(1,)) for p in listed(tensors, "hstack")]
    return cat(parts, 0 if parts[0].array.ndim == 1 else 1)


def vstack(tensors: Sequence[Tensor], *, out: Tensor | None = None) -> Tensor:
    """`cat` along the rows; vectors are rows."""
    if out is not None:
        return into(out, "vstack", vstack(tensors))
    parts = listed(tensors, "vstack")
    return cat([p if p.array.ndim > 1 else ops.reshape(p, shape=(1, p.array.size)) for p in parts], 0)


@checked
def split(
    tensor: Tensor, split_size_or_sections: int | Sequence[int] | None = None, dim: int = 0, *,
    split_size: int | Sequence[int] | None = None,
) -> tuple[Tensor, ...]:  # fmt: skip
    """The tensor cut into pieces of one size (the last may be smaller) or of the sizes listed: views."""
    if split_size_or_sections is None:
        split_size_or_sections = split_size
    axis = axis_from(dim, tensor.array.ndim)
    if tensor.array.ndim == 0:
        raise refuse(RuntimeError, "split expects at least a 1-dimensional tensor")
    if split_size_or_sections is None:
        raise no_overload("split", tensor)
    n = tensor.array.shape[axis]
    if isinstance(split_size_or_sections, int):
        size = split_size_or_sections
        if size == 0 and n:
            raise refuse(
                RuntimeError, f"split_size can only be 0 if dimension size is 0, but got dimension size of {n}"
            )
        if size < 0:
            raise refuse(RuntimeError, f"split expects split_size be non-negative, but got split_size={size}")
        sizes = tuple([min(size, n - i) for i in range(0, n, size)]) if n else (0,)
    else:
        sizes = sizes_from((split_size_or_sections,), "split")
        expects, got = "split_with_sizes expects split_sizes", f"but got split_sizes={list(sizes)}"
        if min(sizes, default=0) < 0:
            raise refuse(RuntimeError, f"{expects} have only non-negative entries, but got {list(sizes)}")
        if sum(sizes) != n:
            whole = f"exactly to {n} (input tensor's size at dimension {axis})"
            raise refuse(RuntimeError, f"{expects} to sum {whole}, {got}")
    return bundle(ops.split.op, (tensor,), {"sizes": sizes, "axis": axis}) if sizes else ()


@checked
def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """The tensor cut into at most `chunks` pieces of equal size."""
    if chunks <= 0:
        raise refuse(RuntimeError, f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    if input.array.ndim == 0:
        raise refuse(RuntimeError, "chunk expects at least a 1-dimensional tensor")
    n = input.array.shape[axis_from(dim, input.array.ndim)]
    return split(input, -(-n // chunks) if n else [0] * chunks, dim)


@checked
def tensor_split(
    input: Tensor, indices_or_sections: int | Sequence[int] | Tensor | None = None, dim: int = 0, *,
    indices: Sequence[int] | None = None, sections: int | None = None,
    tensor_indices_or_sections: Tensor | None = None,
) -> tuple[Tensor, ...]:  # fmt: skip
    """The tensor cut into a number of nearly equal pieces, or at the indices listed, which are those of slices: views.

    >>> import tinygrad_pt as torch
    >>> torch.arange(5).tensor_split((1, -1))
    (tensor([0]), tensor([1, 2, 3]), tensor([4]))
    """
    axis = axis_from(dim, input.array.ndim)
    if not input.array.ndim:
        raise refuse(
            RuntimeError, "tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims"
        )
    names = (indices_or_sections, indices, sections, tensor_indices_or_sections)
    n, cuts = input.array.shape[axis], next((cut for cut in names if cut is not None), None)
    if cuts is None:
        raise no_overload("tensor_split", input)
    if isinstance(cuts, Tensor):
        expected, kind = "tensor_split expected tensor_indices_or_sections to", cuts.array
        if kind.ndim > 1:
            text = f"{expected} be a zero-dimensional or one-dimensional tensor, but got a tensor with {kind.ndim} dims"
            raise refuse(RuntimeError, text)
        if kind.dtype != np.int64:
            raise refuse(RuntimeError, f"{expected} have dtype of long, but got {dtypes.of(kind.dtype).spoken}")
        cuts = kind.tolist()
    if isinstance(cuts, int):
        if cuts <= 0:
            raise refuse(RuntimeError, f"number of sections must be larger than 0, got {cuts}")
        cuts = edges_of(n // cuts + (i < n % cuts) for i in range(cuts))[1:-1]
    pieces = []
    for start, stop in zip((0, *cuts), (*cuts, n), strict=True):  # where an index is below the one before, they overlap
        start, stop, _ = slice(start, stop).indices(n)
        pieces.append(ops.narrow(input, axis=axis, start=start, length=max(0, stop - start)))
    return tuple(pieces)


@checked
def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """The slices along `dim`, as a tuple of views."""
    axis = axis_from(dim, input.array.ndim)
    if input.array.ndim == 0:
        raise refuse(IndexError, "Dimension specified as 0 but tensor has no dimensions")
    return bundle(ops.unbind.op, (input,), {"axis": axis}) if input.array.shape[axis] else ()


@checked
def narrow(input: Tensor, dim: int, start: int | Tensor, length: int) -> Tensor:
    """The elements start … start+length-1 along `dim`: a view."""
    if isinstance(start, Tensor):
        if start.array.ndim or start.array.dtype.kind not in "iu":
            raise refuse(RuntimeError, "start must be an 0-dim integral Tensor.")
        start = int(start)
    axis = axis_from(dim, input.array.ndim)
    if not input.array.ndim:
        raise refuse(RuntimeError, "narrow() cannot be applied to a 0-dim tensor.")
    n = input.array.shape[axis]
    if not -n <= start <= n:
        raise refuse(IndexError, f"start out of range (expected to be in range of [{-n}, {n}], but got {start})")
    if length < 0:
        raise refuse(RuntimeError, "narrow(): length must be non-negative.")
    start = start % n if start < 0 else start
    if start + length > n:
        raise refuse(RuntimeError, f"start ({start}) + length ({length}) exceeds dimension size ({n}).")
    return ops.narrow(input, axis=axis, start=start, length=length)


@checked
def select(input: Tensor, dim: int, index: int) -> Tensor:
    """One slice along `dim`, without that axis: a view."""
    shape, index = input.array.shape, operator.index(index)
    if not shape:
        raise refuse(IndexError, "select() cannot be applied to a 0-dim tensor.")
    axis = axis_from(dim, len(shape))
    if not -shape[axis] <= index < shape[axis]:
        text = f"select(): index {index} out of range for tensor of size {list(shape)} at dimension {axis}"
        raise refuse(IndexError, text)
    return ops.select(input, axis=axis, index=index % shape[axis])


@checked
def unfold(input: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """Windows of `size` every `step` along an axis, as a new last axis: a view."""
    axis = axis_from(dimension, input.array.ndim)
    n = length_of(input, axis)
    if step <= 0:
        raise refuse(RuntimeError, f"step is {step} but must be > 0")
    if size < 0:
        raise refuse(RuntimeError, f"size is {size} but must be >= 0")
    if size > n:
        raise refuse(RuntimeError, f"maximum size for tensor at dimension {axis} is {n} but size is {size}")
    if input.array.ndim:
        return windows.unfold(input, axis=axis, size=size, step=step)
    return ops.narrow(ops.reshape(input, shape=(1,)), axis=0, start=0, length=size)


# ------------------------------------------------------------------------------------------ triangles, diagonals
def _triangle(op: Any, doc: str) -> Callable[..., Tensor]:
    def triangle(input: Tensor, diagonal: int = 0) -> Tensor:
        if input.array.ndim < 2:
            raise refuse(RuntimeError, f"{op.__name__}: input tensor must have at least 2 dimensions")
        return op(input, k=operator.index(diagonal))

    return checked(described(triangle, op.__name__, doc))


tril = _triangle(ops.tril, "The lower triangle, zeros above the diagonal.")
triu = _triangle(ops.triu, "The upper triangle, zeros below the diagonal.")


@checked
def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """A diagonal over two axes, as the last axis: a view, so that `x.diagonal().add_(1)` writes into x."""
    axis0, axis1 = (axis_from(d, input.array.ndim) for d in (dim1, dim2))
    if axis0 == axis1:
        raise refuse(RuntimeError, f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return ops.diagonal(input, k=operator.index(offset), axis0=axis0, axis1=axis1)


@checked
def diag(input: Tensor, diagonal: int = 0, *, out: Tensor | None = None) -> Tensor:
    """A copy of the diagonal of a matrix, or the matrix with a vector on its diagonal."""
    k = operator.index(diagonal)
    if input.array.ndim == 1:
        n = input.array.size + abs(k)
        return ops.undiagonal(input, k=k, axis0=0, axis1=1, shape=(n, n))
    if input.array.ndim != 2:
        raise refuse(RuntimeError, f"diag(): Supports 1D or 2D tensors. Got {input.array.ndim}D")
    return ops.clone(ops.diagonal(input, k=k, axis0=0, axis1=1))


@checked
def trace(input: Tensor) -> Tensor:
    """The sum of the diagonal."""
    if input.array.ndim != 2:
        raise refuse(RuntimeError, f"trace: expected a matrix, but got tensor with dim {input.array.ndim}")
    if input.array.dtype.kind in "biu":
        input = ops.cast(input, dtype=dtypes.int64)
    return ops.sum(diag(input), axis=None, keepdims=False)


@checked
def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Tensor, ...]:
    """Grids of coordinates: `indexing` "ij" (rows first) or "xy" (columns first)."""
    if indexing is None:
        text = "torch.meshgrid: in an upcoming release, it will be required to pass the indexing argument."
        warnings.warn(text, UserWarning, stacklevel=3)
    tensors = tuple(tensors[0]) if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)) else tensors
    if not tensors:
        raise refuse(RuntimeError, "meshgrid expects a non-empty TensorList")
    for x in tensors:
        if expect_tensor(x, "meshgrid", "tensors").array.ndim > 1:
            raise refuse(
                RuntimeError, f"torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: {x.array.ndim}D"
            )
    if len({x.array.dtype for x in tensors}) > 1:
        raise refuse(RuntimeError, "meshgrid expects all tensors to have the same dtype")
    if not (indexing is None or indexing in ("ij", "xy")):
        raise refuse(RuntimeError, f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    if indexing == "xy" and len(tensors) > 1:
        return tuple(transpose(x, 0, 1) for x in meshgrid(*tensors, indexing="ij"))
    shape = tuple(x.array.size for x in tensors)
    columns = (ops.reshape(x, shape=(-1,) + (1,) * (len(shape) - i - 1)) for i, x in enumerate(tensors))
    return tuple(ops.expand(x, shape=shape) for x in columns)


def expect_pairs(count: int, input: Tensor) -> None:
    """Widths of padding come in pairs, no more than there are axes."""
    text = "Padding length must be divisible by 2" if count % 2 else ""
    if count > 2 * input.array.ndim:
        text = text or "Padding length should be less than or equal to two times the input dimension but got padding "
        text += f"length {count} and input of dimension {input.array.ndim}" * (count % 2 == 0)
    if text:
        raise refuse(RuntimeError, text, "pad", input)


@checked
def pad(input: Tensor, widths: Sequence[int], value: float = 0.0) -> Tensor:
    """Constant padding: `widths` lists (before, after) from the last axis backwards."""
    n = input.array.ndim
    sizes = sizes_from((widths,), "pad")
    pairs = list(zip(sizes[::2], sizes[1::2], strict=False))
    expect_pairs(len(sizes), input)
    full = ((0, 0),) * (n - len(pairs)) + tuple(reversed(pairs))
    for m, (i, j) in zip(input.array.shape, full, strict=True):
        if (
            m + min(0, i) + min(0, j) < 0
        ):  # an axis must have the elements that are cut, whatever is added on its other side
            mend = f"of an axis of size {m} cut no more than {m} elements, not {max(0, -i)} + {max(0, -j)}"
            raise refuse(RuntimeError, "narrow(): length must be non-negative.", mend=mend)
    return ops.pad(input, widths=full, value=value)


# ------------------------------------------------------------------------------------------ as methods
class Shaping:
    """The methods of a tensor that this file defines."""

    __slots__ = ()  # so that tensors are as small, and made as fast, as if the class were not there

    broadcast_to, chunk, diag, diagonal, expand, expand_as = broadcast_to, chunk, diag, diagonal, expand, expand_as
    flatten, flip, fliplr, flipud, moveaxis, movedim, narrow = flatten, flip, fliplr, flipud, moveaxis, movedim, narrow
    permute, ravel, repeat, repeat_interleave, reshape = permute, ravel, repeat, repeat_interleave, reshape
    reshape_as, roll, select, split, squeeze, swapaxes = reshape_as, roll, select, split, squeeze, swapaxes
    swapdims, t, tensor_split, tile, trace, transpose, tril = swapdims, t, tensor_split, tile, trace, transpose, tril
    triu, unbind, unflatten, unfold, unsqueeze, view = triu, unbind, unflatten, unfold, unsqueeze, view
    view_as = view_as
    # a property has the type of its value
    T: Tensor = property(reversed_axes, doc="All axes in reverse order; for a matrix, its transpose.")  # type: ignore[assignment]
    mT: Tensor = property(mT, doc="The last two axes swapped.")  # type: ignore[assignment]

    # each of these changes the tensor itself
    tril_, triu_ = in_place(tril, write_changed), in_place(triu, write_changed)
