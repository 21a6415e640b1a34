"""PyTorch's functions that rearrange: views, orders of axes, joining and cutting."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_pt import dtypes, ops
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.arguments import (
    Size,
    axes_from,
    axis_from,
    expect_tensor,
    inferred_shape,
    positive_sizes,
    promoted,
    sizes_from,
)  # fmt: skip
from tinygrad_pt.functions.binding import in_place
from tinygrad_pt.graph import Handle, bundle, wrap

if TYPE_CHECKING:
    from tinygrad_pt.tensor import Tensor

__all__ = [
    "broadcast_shapes", "broadcast_tensors", "broadcast_to", "cat", "chunk", "concat", "concatenate", "diag",
    "diagonal", "flatten", "flip", "fliplr", "flipud", "hstack", "meshgrid", "moveaxis", "movedim", "narrow",
    "permute", "ravel", "repeat_interleave", "reshape", "roll", "select", "split", "squeeze", "stack", "swapaxes",
    "swapdims", "t", "tensor_split", "tile", "trace", "transpose", "tril", "triu", "unbind", "unflatten", "unsqueeze",
    "vstack",
]  # fmt: skip


# ------------------------------------------------------------------------------------------ other shapes
def reshape(input: Any, *shape: Any) -> Any:
    """The same elements in another shape, a view where that is possible; one size may be -1."""
    if not shape:
        raise TypeError('reshape() missing 1 required positional arguments: "shape"')
    sizes = inferred_shape(sizes_from(shape, "reshape"), expect_tensor(input, "reshape").array.size)
    return ops.reshape(input, shape=sizes)


def view(input: Any, *shape: Any) -> Any:
    """`reshape` that never copies; `view(dtype)` reads the same bytes as another dtype."""
    if len(shape) == 1 and hasattr(shape[0], "numpy") and not isinstance(shape[0], Handle):
        t = wrap(input.array.view(shape[0].numpy), None, input.version)
        return t
    y = reshape(input, *shape)
    if y.base is None and y.array.size:
        raise refuse(
            RuntimeError,
            "view size is not compatible with input tensor's size and stride (at least one dimension spans across two "
            "contiguous subspaces). Use .reshape(...) instead.",
            "view",
            input,
        )
    return y


def view_as(input: Any, other: Any) -> Any:
    """`view` in the shape of `other`."""
    return view(input, other.array.shape)


def reshape_as(input: Any, other: Any) -> Any:
    """`reshape` in the shape of `other`."""
    return reshape(input, other.array.shape)


def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """The axes start_dim … end_dim as one."""
    shape = expect_tensor(input, "flatten").array.shape
    if not shape:
        return ops.reshape(input, shape=(1,))
    first, last = axis_from(start_dim, len(shape)), axis_from(end_dim, len(shape))
    if first > last:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if first == last:
        return input
    return ops.reshape(input, shape=(*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :]))


def ravel(input: Any) -> Any:
    """All elements in one axis."""
    return flatten(input)


def unflatten(input: Any, dim: int, sizes: Any) -> Any:
    """One axis as several."""
    axis = axis_from(dim, expect_tensor(input, "unflatten").array.ndim)
    shape = input.array.shape
    sizes = tuple(sizes)
    if -1 not in sizes and math.prod(sizes) != shape[axis]:
        raise RuntimeError(
            f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim {axis} "
            f"({shape[axis]}) in the "
            "input tensor"
        )
    inner = inferred_shape(sizes, shape[axis])
    return ops.reshape(input, shape=(*shape[:axis], *inner, *shape[axis + 1 :]))


def squeeze(input: Any, dim: Any = None) -> Any:
    """Without axes of length 1: all of them, or those named."""
    shape = input.array.shape
    named = range(len(shape)) if dim is None else axes_from(dim, len(shape)) or ()
    gone = tuple(i for i in named if shape and shape[i] == 1)
    return ops.squeeze(input, axis=gone)


def unsqueeze(input: Any, dim: int) -> Any:
    """With a new axis of length 1 at `dim`."""
    return ops.unsqueeze(input, axis=axis_from(dim, input.array.ndim + 1))


# ------------------------------------------------------------------------------------------ other orders
def transpose(input: Any, dim0: int, dim1: int) -> Any:
    """Two axes swapped."""
    n = input.array.ndim
    return (
        ops.transpose(input, axis0=axis_from(dim0, n), axis1=axis_from(dim1, n)) if n else ops.reshape(input, shape=())
    )


def t(input: Any) -> Any:
    """The transpose of a matrix; vectors and scalars stay."""
    if input.array.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {input.array.ndim}D")
    return ops.t(input)


def mT(input: Any) -> Any:
    """The last two axes swapped."""
    if input.array.ndim == 0:
        return _deprecated_scalar(input, "mT")
    if input.array.ndim < 2:
        raise RuntimeError(
            f"tensor.mT is only supported on matrices or batches of matrices. Got {input.array.ndim}-D tensor."
        )
    return ops.transpose(input, axis0=input.array.ndim - 2, axis1=input.array.ndim - 1)


def _deprecated_scalar(input: Any, name: str) -> Any:
    warnings.warn(
        f"Tensor.{name} is deprecated on 0-D tensors. This function is the identity in these cases.", UserWarning,
        stacklevel=3,
    )  # fmt: skip
    return ops.permute(input, axes=())


def reversed_axes(input: Any) -> Any:
    """x.T: all axes in reverse order."""
    n = input.array.ndim
    if n == 0:
        return _deprecated_scalar(input, "T")
    if n != 2:
        warnings.warn(
            "The use of `x.T` on tensors of dimension other than 2 to reverse their shape is deprecated and it will "
            "throw an error in a future release. Consider `x.mT` to transpose batches of matrices or "
            "`x.permute(*torch.arange(x.ndim - 1, -1, -1))` to reverse the dimensions of a tensor.",
            UserWarning, stacklevel=2,
        )  # fmt: skip
    return ops.permute(input, axes=tuple(range(n - 1, -1, -1)))


def permute(input: Any, *dims: Any) -> Any:
    """The axes in the order `dims`."""
    n = input.array.ndim
    order = sizes_from(dims, "permute")
    if len(order) != n:
        raise RuntimeError(
            "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired "
            f"ordering of dimensions i.e. input.dim() = {n} is not equal to len(dims) = {len(order)}"
        )
    axes = tuple(axis_from(d, n) for d in order)
    if len(set(axes)) != n:
        raise RuntimeError("permute(): duplicate dims are not allowed.")
    return ops.permute(input, axes=axes)


def movedim(input: Any, source: Any, destination: Any) -> Any:
    """Axes moved from one place to another."""
    n = input.array.ndim
    src, dst = axes_from(source, n) or (), axes_from(destination, n) or ()
    rest = iter(i for i in range(n) if i not in src)
    places = dict(zip(dst, src, strict=True))
    return ops.permute(input, axes=tuple(places[i] if i in places else next(rest) for i in range(n)))


swapaxes = swapdims = transpose
moveaxis = movedim


def flip(input: Any, *axes: Any, dims: Any = None) -> Any:
    """Read backwards along these axes."""
    order = sizes_from(axes if dims is None else (dims,), "flip")
    return ops.flip(input, axis=axes_from(order, expect_tensor(input, "flip").array.ndim) or ())


def fliplr(input: Any) -> Any:
    """Read backwards along the second axis."""
    return flip(input, 1)


def flipud(input: Any) -> Any:
    """Read backwards along the first axis."""
    return flip(input, 0)


def roll(input: Any, shifts: Any, dims: Any = None) -> Any:
    """Shifted around along axes; without `dims`, as one flat row."""
    if dims is None:
        return ops.reshape(roll(flatten(input), shifts, 0), shape=input.array.shape)
    shifts, dims = (x if isinstance(x, (tuple, list)) else (x,) for x in (shifts, dims))
    if len(shifts) != len(dims):
        raise RuntimeError(f"shifts and dimensions must align. shifts: {len(shifts)}, dims:{len(dims)}")
    y = input
    for shift, dim in zip(shifts, dims, strict=True):
        axis = axis_from(dim, y.array.ndim)
        n = y.array.shape[axis]
        k = shift % n if n else 0
        if k:
            back = ops.narrow(y, axis=axis, start=n - k, length=k)
            y = ops.cat(back, ops.narrow(y, axis=axis, start=0, length=n - k), axis=axis)
    return ops.clone(y) if y is input else y


# ------------------------------------------------------------------------------------------ repeating
def expand(input: Any, *sizes: Any) -> Any:
    """Axes of length 1 repeated, without copying; -1 keeps a size."""
    wanted = sizes_from(sizes, "expand")
    shape = input.array.shape
    lead = len(wanted) - len(shape)
    if lead < 0:
        raise refuse(
            RuntimeError,
            f"expand(torch.{input.dtype.spoken}Tensor{{{list(shape)}}}, size={list(wanted)}): the number "
            "of sizes provided "
            f"({len(wanted)}) must be greater or equal to the number of dimensions in the tensor ({len(shape)})",
            "expand",
            input,
        )
    full = []
    for i, n in reversed(list(enumerate(wanted))):  # from the last axis: which mismatch is told first
        own = shape[i - lead] if i >= lead else 1
        if n == -1:
            if i < lead:
                raise RuntimeError(
                    f"The expanded size of the tensor ({n}) isn't allowed in a leading, non-existing dimension {i}"
                )
            n = own
        elif own not in (1, n):
            raise refuse(
                RuntimeError,
                f"The expanded size of the tensor ({n}) must match the existing size ({own}) at non-singleton "
                f"dimension {i}.  Target sizes: {list(wanted)}.  Tensor sizes: {list(shape)}",
                "expand",
                input,
            )
        full.append(n)
    return ops.expand(input, shape=tuple(reversed(full)))


def expand_as(input: Any, other: Any) -> Any:
    """`expand` to the shape of `other`."""
    return expand(input, other.array.shape)


def broadcast_to(input: Any, *size: Any) -> Any:
    """`expand`."""
    return expand(input, *size)


def broadcast_shapes(*shapes: Any) -> Any:
    """The shape in which shapes meet."""
    met: list[int] = []  # the sizes so far, last axis first
    for position, shape in enumerate(shapes):
        for i, n in enumerate(reversed(shape)):
            if i == len(met):
                met.append(n)
            elif met[i] == 1:
                met[i] = n
            elif n not in (1, met[i]):
                raise RuntimeError(
                    f"Attempting to broadcast a dimension of length {n} at {-i - 1}! Mismatching argument "
                    f"at index {position} "
                    f"had {tuple(shape)}; but expected shape should be broadcastable to {met[::-1]}"
                )
    return Size(reversed(met))


def broadcast_tensors(*tensors: Any) -> list[Any]:
    """Tensors expanded to the shape in which they meet."""
    shape = broadcast_shapes(*(x.array.shape for x in tensors))
    return [expand(x, shape) for x in tensors]


def repeat(input: Any, *repeats: Any) -> Any:
    """The whole tensor repeated along each axis, copied."""
    times = sizes_from(repeats, "repeat")
    shape = input.array.shape
    if not repeats:
        raise TypeError('repeat() missing 1 required positional arguments: "repeats"')
    if len(times) >= len(shape) and min(times, default=0) < 0:
        lead = (1,) * (len(times) - len(shape))
        positive_sizes(tuple(r * n for r, n in zip(times, lead + shape, strict=True)), "repeat")
    if len(times) < len(shape):
        raise RuntimeError("Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor")
    shape = (1,) * (len(times) - len(shape)) + shape
    x = ops.reshape(input, shape=tuple(n for m in shape for n in (1, m)))
    x = ops.expand(x, shape=tuple(n for r, m in zip(times, shape, strict=True) for n in (r, m)))
    y = ops.reshape(x, shape=tuple(r * m for r, m in zip(times, shape, strict=True)))
    return y if y.base is None else ops.clone(y, order="C")


def tile(input: Any, *dims: Any) -> Any:
    """`repeat`, with missing leading repeats taken as 1."""
    times = sizes_from(dims, "tile")
    return repeat(input, (1,) * (input.array.ndim - len(times)) + times)


def repeat_interleave(input: Any, repeats: Any, dim: int | None = None) -> Any:
    """Each element (or slice along `dim`) repeated in place."""
    if dim is None:
        input, dim = flatten(input), 0
    axis = axis_from(dim, input.array.ndim)
    count = repeats.array if isinstance(repeats, Handle) else repeats
    n = input.array.shape[axis] if input.array.ndim else 1
    if np.size(count) not in (1, n):
        raise RuntimeError(
            "repeats must have the same size as input along dim, but got repeats.size(0) = "
            f"{np.size(count)} and input.size({axis}) = {n}"
        )
    index = np.repeat(np.arange(n), count)
    return ops.getitem(input, index=(*(slice(None),) * axis, index))


# ------------------------------------------------------------------------------------------ joining and cutting
def _parts(tensors: Any, name: str) -> list[Any]:
    if not isinstance(tensors, (tuple, list)):
        raise TypeError(
            f"{name}(): argument 'tensors' (position 1) must be tuple of Tensors, not {type(tensors).__name__}"
        )
    parts = list(tensors)
    for i, p in enumerate(parts):
        if not isinstance(p, Handle):
            raise TypeError(f"expected Tensor as element {i} in argument 0, but got {type(p).__name__}")
    if not parts:
        if name == "cat":
            raise ValueError("torch.cat(): expected a non-empty list of Tensors")
        raise RuntimeError("stack expects a non-empty TensorList")
    kinds = {p.array.dtype for p in parts}
    return promoted(*parts) if len(kinds) > 1 else parts


def cat(tensors: Any, dim: int = 0, *, axis: int | None = None) -> Any:
    """The tensors one after the other along `dim`; all other sizes must agree."""
    parts = _parts(tensors, "cat")
    parts = [p for p in parts if p.array.shape != (0,)] or parts[:1]  # PyTorch lets empty vectors pass
    first = parts[0].array
    for i, p in enumerate(parts):
        if p.array.ndim == 0:
            raise refuse(
                RuntimeError,
                f"zero-dimensional tensor (at position {i}) cannot be concatenated",
                mend="use torch.stack",
            )
    axis = axis_from(dim if axis is None else axis, first.ndim)
    for i, p in enumerate(parts):
        if p.array.ndim != first.ndim:
            raise refuse(
                RuntimeError,
                f"Tensors must have same number of dimensions: got {first.ndim} and {p.array.ndim}",
                "cat",
                *parts,
            )
        for j in range(first.ndim):
            if j != axis and p.array.shape[j] != first.shape[j]:
                raise refuse(
                    RuntimeError,
                    f"Sizes of tensors must match except in dimension {axis}. Expected size {first.shape[j]} but got "
                    f"size {p.array.shape[j]} for tensor number {i} in the list.",
                    "cat",
                    *parts,
                )
    return ops.cat(*parts, axis=axis)


concat = concatenate = cat


def stack(tensors: Any, dim: int = 0, *, axis: int | None = None) -> Any:
    """The tensors, of one shape, side by side along a new axis."""
    parts = _parts(tensors, "stack")
    shape = parts[0].array.shape
    for i, p in enumerate(parts):
        if p.array.shape != shape:
            raise refuse(
                RuntimeError,
                f"stack expects each tensor to be equal size, but got {list(shape)} at entry 0 and "
                f"{list(p.array.shape)} at entry {i}",
                "stack",
                *parts,
            )
    return ops.stack(*parts, axis=axis_from(dim if axis is None else axis, len(shape) + 1))


def hstack(tensors: Any) -> Any:
    """`cat` along the columns (vectors: along the only axis)."""
    parts = [p if p.array.ndim else ops.reshape(p, shape=(1,)) for p in tensors]
    return cat(parts, 0 if parts[0].array.ndim == 1 else 1)


def vstack(tensors: Any) -> Any:
    """`cat` along the rows; vectors are rows."""
    return cat([p if p.array.ndim > 1 else ops.reshape(p, shape=(1, p.array.size)) for p in tensors], 0)


def split(tensor: Any, split_size_or_sections: Any, dim: int = 0) -> tuple[Any, ...]:
    """Cut into pieces of one size (the last may be smaller) or of the sizes listed: views."""
    axis = axis_from(dim, expect_tensor(tensor, "split").array.ndim)
    if tensor.array.ndim == 0:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    n = tensor.array.shape[axis]
    if isinstance(split_size_or_sections, int):
        size = split_size_or_sections
        if size == 0 and n:
            raise RuntimeError(f"split_size can only be 0 if dimension size is 0, but got dimension size of {n}")
        if size < 0:
            raise RuntimeError(f"split expects split_size be non-negative, but got split_size={size}")
        sizes = tuple(min(size, n - i) for i in range(0, n, size)) if n else (0,)
    else:
        sizes = tuple(split_size_or_sections)
        if sum(sizes) != n:
            raise RuntimeError(
                f"split_with_sizes expects split_sizes to sum exactly to {n} (input tensor's size at "
                f"dimension {axis}), "
                f"but got split_sizes={list(sizes)}"
            )
    return bundle(ops.split.op, (tensor,), {"sizes": sizes, "axis": axis})


def chunk(input: Any, chunks: int, dim: int = 0) -> tuple[Any, ...]:
    """Cut into at most `chunks` pieces of equal size."""
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    if expect_tensor(input, "chunk").array.ndim == 0:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    n = input.array.shape[axis_from(dim, input.array.ndim)]
    return split(input, -(-n // chunks) if n else [0] * chunks, dim)


def tensor_split(input: Any, indices_or_sections: Any, dim: int = 0) -> tuple[Any, ...]:
    """Cut into a number of nearly equal pieces, or at the indices listed."""
    n = input.array.shape[axis_from(dim, input.array.ndim)]
    if isinstance(indices_or_sections, int):
        k = indices_or_sections
        if k <= 0:
            raise RuntimeError(f"number of sections must be larger than 0, got {k}")
        return split(input, [n // k + (i < n % k) for i in range(k)], dim)
    edges = [0, *(min(max(i, 0), n) for i in indices_or_sections), n]
    return split(input, [max(0, b - a) for a, b in zip(edges, edges[1:], strict=False)], dim)


def unbind(input: Any, dim: int = 0) -> tuple[Any, ...]:
    """The slices along `dim`, as a tuple of views."""
    axis = axis_from(dim, input.array.ndim)
    if input.array.ndim == 0:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    if input.array.shape[axis] == 0:
        return ()
    return bundle(ops.unbind.op, (input,), {"axis": axis})


def narrow(input: Any, dim: int, start: int, length: int) -> Any:
    """The elements start … start+length-1 along `dim`: a view."""
    axis = axis_from(dim, input.array.ndim)
    n = input.array.shape[axis]
    if not -n <= start <= n:
        raise IndexError(f"start out of range (expected to be in range of [{-n}, {n}], but got {start})")
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    start = start % n if start < 0 else start
    if start + length > n:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({n}).")
    return ops.narrow(input, axis=axis, start=start, length=length)


def select(input: Any, dim: int, index: int) -> Any:
    """One slice along `dim`, which goes away: a view."""
    if expect_tensor(input, "select").array.ndim == 0:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    axis = axis_from(dim, input.array.ndim)
    n = input.array.shape[axis]
    if not -n <= index < n:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {list(input.array.shape)} at dimension {axis}"
        )
    return ops.select(input, axis=axis, index=index % n)


def unfold(input: Any, dimension: int, size: int, step: int) -> Any:
    """Windows of `size` every `step` along an axis, as a new last axis."""
    axis = axis_from(dimension, input.array.ndim)
    n = input.array.shape[axis]
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    if size > n:
        raise RuntimeError(f"maximum size for tensor at dimension {axis} is {n} but size is {size}")
    index = np.arange(0, n - size + 1, step)[:, None] + np.arange(size)
    y = ops.getitem(input, index=(*(slice(None),) * axis, index))
    return movedim(y, axis + 1, -1)


# ------------------------------------------------------------------------------------------ triangles, diagonals
def _matrix(input: Any, name: str) -> Any:
    if input.array.ndim < 2:
        raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions")
    return input


def tril(input: Any, diagonal: int = 0) -> Any:
    """The lower triangle, zeros above the diagonal."""
    return ops.tril(_matrix(input, "tril"), k=diagonal)


def triu(input: Any, diagonal: int = 0) -> Any:
    """The upper triangle, zeros below the diagonal."""
    return ops.triu(_matrix(input, "triu"), k=diagonal)


def diagonal(input: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """A diagonal over two axes, as the last axis: a view, so that `x.diagonal().add_(1)` writes into x."""
    n = input.array.ndim
    axis0, axis1 = axis_from(dim1, n), axis_from(dim2, n)
    if axis0 == axis1:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return ops.diagonal(input, k=offset, axis0=axis0, axis1=axis1)


def diag(input: Any, diagonal: int = 0) -> Any:
    """A copy of the diagonal of a matrix, or the matrix with a vector on its diagonal."""
    if input.array.ndim == 1:
        n = input.array.size + (diagonal if diagonal > 0 else -diagonal)
        return ops.undiagonal(input, k=diagonal, axis0=0, axis1=1, shape=(n, n))
    if input.array.ndim != 2:
        raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {input.array.ndim}D")
    return ops.clone(ops.diagonal(input, k=diagonal, axis0=0, axis1=1))


def trace(input: Any) -> Any:
    """The sum of the diagonal."""
    if input.array.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {input.array.ndim}")
    if input.array.dtype.kind in "biu":
        input = ops.cast(input, dtype=dtypes.int64)
    return ops.sum(diag(input), axis=None, keepdims=False)


def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Any, ...]:
    """Grids of coordinates: `indexing` "ij" (rows first) or "xy" (columns first)."""
    if indexing is None:
        warnings.warn(
            "torch.meshgrid: in an upcoming release, it will be required to pass the indexing argument.", UserWarning,
            stacklevel=2,
        )  # fmt: skip
    tensors = tuple(tensors[0]) if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)) else tensors
    if len({x.array.dtype for x in tensors}) > 1:
        raise RuntimeError("meshgrid expects all tensors to have the same dtype")
    if indexing == "xy" and len(tensors) > 1:
        return tuple(transpose(x, 0, 1) for x in meshgrid(*tensors, indexing="ij"))
    shape = tuple(x.array.size for x in tensors)
    return tuple(
        ops.expand(ops.reshape(x, shape=(1,) * i + (x.array.size,) + (1,) * (len(shape) - i - 1)), shape=shape)
        for i, x in enumerate(tensors)
    )


def pad(input: Any, widths: Any, value: float = 0.0) -> Any:
    """Constant padding: `widths` lists (before, after) from the last axis backwards."""
    n = input.array.ndim
    pairs = [(widths[i], widths[i + 1]) for i in range(0, len(widths), 2)]
    if len(widths) % 2 or len(pairs) > n:
        raise RuntimeError(
            "Padding length must be divisible by 2 and at most twice the number of dimensions of the input"
        )
    full = ((0, 0),) * (n - len(pairs)) + tuple(reversed(pairs))
    for m, (i, j) in zip(input.array.shape, full, strict=True):
        if m + min(0, i) + min(0, j) < 0:  # what is cut must be there, whatever is put on the other side
            raise RuntimeError(
                "narrow(): length must be non-negative.\n"
                f"  mend: of an axis of size {m} cut no more than {m} elements, not {max(0, -i)} + {max(0, -j)}"
            )
    return ops.pad(input, widths=full, value=value)


# ------------------------------------------------------------------------------------------ as methods
class Shaping:
    """The methods of a tensor that this file defines."""

    broadcast_to, chunk, diag, diagonal, expand, expand_as = broadcast_to, chunk, diag, diagonal, expand, expand_as
    flatten, flip, fliplr, flipud, moveaxis, movedim, narrow = flatten, flip, fliplr, flipud, moveaxis, movedim, narrow
    permute, ravel, repeat, repeat_interleave, reshape = permute, ravel, repeat, repeat_interleave, reshape
    reshape_as, roll, select, split, squeeze, swapaxes = reshape_as, roll, select, split, squeeze, swapaxes
    swapdims, t, tensor_split, tile, trace, transpose, tril = swapdims, t, tensor_split, tile, trace, transpose, tril
    triu, unbind, unflatten, unfold, unsqueeze, view = triu, unbind, unflatten, unfold, unsqueeze, view
    view_as = view_as
    # a property is typed as what it gives
    T: Tensor = property(reversed_axes, doc="All axes in reverse order; for a matrix, its transpose.")  # type: ignore[assignment]
    mT: Tensor = property(mT, doc="The last two axes swapped.")  # type: ignore[assignment]

    # each of these changes the tensor itself
    tril_, triu_ = in_place(tril), in_place(triu)
