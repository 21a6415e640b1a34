"""Strides and memory by hand: `as_strided`, `resize_`, empty tensors of chosen strides, copies instead of views, and
the in-place forms of what makes views.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_pt import dtypes, ops
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.arguments import Dtype, positive_sizes
from tinygrad_pt.functions.binding import described
from tinygrad_pt.functions.checks import checked, expect_tensor, into, is_int
from tinygrad_pt.functions.creation import Place, fresh, maker
from tinygrad_pt.functions.joining import split_with_sizes
from tinygrad_pt.functions.scattering import written_into
from tinygrad_pt.functions.shaping import (
    diagonal,
    expand,
    narrow,
    permute,
    select,
    split,
    squeeze,
    swapaxes,
    t,
    transpose,
    unbind,
    unfold,
    unsqueeze,
    view,
)
from tinygrad_pt.functions.strides import settle, strides_of
from tinygrad_pt.graph import Leaf, Tensor
from tinygrad_pt.inplace import may_write, touched
from tinygrad_pt.ops import strided
from tinygrad_pt.views import attach, owner_of

__all__ = [
    "alias_copy", "as_strided", "as_strided_", "as_strided_copy", "as_strided_scatter",
    "detach_copy", "diagonal_copy", "empty_permuted", "empty_strided",
    "expand_copy", "is_same_size", "narrow_copy", "permute_copy",
    "resize_as_", "select_copy", "slice_copy", "split_copy", "split_with_sizes_copy", "squeeze_copy", "t_copy",
    "transpose_copy", "unbind_copy", "unfold_copy", "unsqueeze_copy", "view_copy",
]  # fmt: skip


# ------------------------------------------------------------------------------------------ by strides
def _geometry(input: Tensor, size: Any, stride: Any, offset: int | None) -> strided.Geometry:
    """The places that are asked for, checked against the memory."""
    shape, steps = tuple(int(n) for n in size), tuple(int(s) for s in stride)
    x, text = input.array, ""
    start = strided.geometry_of(x)[2] if offset is None else offset
    memory = owner_of(x).nbytes // x.itemsize
    if len(shape) != len(steps):
        text = "mismatch in length of strides and shape"
    elif min(steps, default=0) < 0:
        text = f"as_strided: Negative strides are not supported at the moment, got strides: {list(steps)}"
    elif min(shape, default=0) < 0:
        text = f"Storage size calculation overflowed with sizes={list(shape)} and strides={list(steps)}"
    elif start < 0:
        text = f"Tensor: invalid storage offset {start}"
    elif (needed := strided.reach((shape, steps, start))) > memory:
        text = f"setStorage: sizes {list(shape)}, strides {list(steps)}, storage offset {start}, and itemsize "
        text += f"{x.itemsize} requiring a storage size of {needed * x.itemsize} are out of bounds for storage of size "
        text += f"{memory * x.itemsize}"
    if text:
        raise refuse(RuntimeError, text, "as_strided", input)
    return shape, steps, start


@checked
def as_strided(input: Tensor, size: Sequence[int], stride: Sequence[int], storage_offset: int | None = None) -> Tensor:
    """A view of the memory of a tensor by sizes, strides and an offset, whatever the tensor shows of it.

    >>> import tinygrad_pt as torch
    >>> torch.arange(6).as_strided((2, 2), (1, 2))
    tensor([[0, 2],
            [1, 3]])
    """
    settle(input)
    geometry = _geometry(input, size, stride, storage_offset)
    return strided.as_strided(input, geometry=geometry, origin=strided.geometry_of(input.array))


@checked
def as_strided_scatter(
    input: Tensor, src: Tensor, size: Sequence[int], stride: Sequence[int], storage_offset: int | None = None
) -> Tensor:
    """input with src at the places that `as_strided` reads."""
    y = ops.clone(input, order="C") if storage_offset or not input.array.flags.c_contiguous else input
    return written_into(y, src, as_strided(y, size, stride, storage_offset))


def _empty(shape: Sequence[int], steps: Sequence[int], kind: np.dtype[Any]) -> np.ndarray:
    memory = np.empty(max(strided.reach((tuple(shape), tuple(steps), 0)), 1), kind)
    if not math.prod(shape):
        return np.empty(tuple(shape), kind)
    return np.ndarray(tuple(shape), kind, memory, 0, tuple(s * kind.itemsize for s in steps))


@maker
@checked
def empty_strided(
    size: Sequence[int], stride: Sequence[int], *, dtype: Dtype = None, device: Place = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """A tensor of a shape and of strides, its values not set."""
    if len(size) != len(stride):
        text = f"dimensionality of sizes ({len(size)}) must match dimensionality of strides ({len(stride)})"
        raise refuse(RuntimeError, text, "empty_strided")
    kind = dtypes.get_default_dtype() if dtype is None else dtypes.of(dtype)
    x = _empty(positive_sizes((size,), "empty_strided") if size else (), stride, kind.numpy)
    return fresh(x, requires_grad, device)


@maker
@checked
def empty_permuted(
    size: Sequence[int], physical_layout: Sequence[int], *, dtype: Dtype = None, device: Place = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """A tensor of a shape, its values not set, whose axes lie in memory in another order, the outermost first."""
    text = ""
    if len(size) != len(physical_layout):
        text = "Number of dimensions in size does not match the length of the physical_layout; i.e. len(size) = "
        text += f"{len(size)} is not equal to len(physical_layout) = {len(physical_layout)}"
    elif any(not 0 <= d < len(size) for d in physical_layout):
        wrong = next(d for d in physical_layout if not 0 <= d < len(size))
        text = f"Dimension out of range (expected to be between 0 and {len(size) - 1}, but got {wrong} at index "
        text += f"{list(physical_layout).index(wrong)}).  NB: negative dims not currently supported; file an issue if "
        text += "you want it."
    elif len(set(physical_layout)) < len(size):
        text = "Duplicate dim not allowed"
    if text:
        raise refuse(RuntimeError, text, "empty_permuted")
    steps, step = [1] * len(size), 1
    for d in reversed(physical_layout):
        steps[d], step = step, step * max(1, size[d])
    return empty_strided(size, steps, dtype=dtype, device=device, requires_grad=requires_grad)


# ------------------------------------------------------------------------------------------ copies
def _copied(view_of: Callable[..., Any], name: str) -> Callable[..., Any]:
    """The function that gives copies where another gives views."""

    @functools.wraps(view_of)
    def function(input: Tensor, *args: Any, out: Any = None, **kwargs: Any) -> Any:
        y = view_of(expect_tensor(input, name), *args, **kwargs)
        y = tuple(ops.clone(piece, order="C") for piece in y) if isinstance(y, tuple) else ops.clone(y, order="C")
        return y if out is None else into(out, name, y)

    return described(function, name, f"`{view_of.__name__}` into memory of its own: a copy, and no view.")


def _detached(input: Tensor) -> Tensor:
    return wrap(input.array)


def _slice(input: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1) -> Tensor:
    return ops.getitem(input, index=((slice(None),) * (dim % input.array.ndim) + (slice(start, end, step), Ellipsis)))


def _narrow(input: Tensor, dim: int, start: int | Tensor, length: int) -> Tensor:
    ndim = input.array.ndim
    if not ndim:
        raise refuse(RuntimeError, "narrow() cannot be applied to a 0-dim tensor.")
    if is_int(dim) and dim >= ndim:
        raise refuse(RuntimeError, "Expected dim < static_cast<int64_t>(self_sizes.size()) to be true, but got false.")
    if -ndim <= dim and is_int(length) and length < 0:
        n = input.array.shape[dim]
        at = int(start) + (n if start < 0 else 0)
        raise refuse(RuntimeError, f"start ({at}) + length ({length}) exceeds dimension size ({n}).")
    return narrow(input, dim, start, length)


def _alias(input: Tensor) -> Tensor:
    return input


alias_copy, detach_copy = _copied(_alias, "alias_copy"), _copied(_detached, "detach_copy")
slice_copy = _copied(_slice, "slice_copy")
as_strided_copy, diagonal_copy = _copied(as_strided, "as_strided_copy"), _copied(diagonal, "diagonal_copy")
expand_copy, narrow_copy = _copied(expand, "expand_copy"), _copied(_narrow, "narrow_copy")
permute_copy, select_copy = _copied(permute, "permute_copy"), _copied(select, "select_copy")
split_copy, split_with_sizes_copy = _copied(split, "split_copy"), _copied(split_with_sizes, "split_with_sizes_copy")
squeeze_copy, t_copy = _copied(squeeze, "squeeze_copy"), _copied(t, "t_copy")
transpose_copy, unbind_copy = _copied(transpose, "transpose_copy"), _copied(unbind, "unbind_copy")
unfold_copy, unsqueeze_copy = _copied(unfold, "unfold_copy"), _copied(unsqueeze, "unsqueeze_copy")
view_copy = _copied(view, "view_copy")


# ------------------------------------------------------------------------------------------ the tensor itself
def _become(input: Tensor, array: np.ndarray) -> Tensor:
    """Another memory, or another part of it, for a tensor that requires no gradient."""
    input.array = array
    touched(input)
    return input


def resize_(input: Tensor, *sizes: Any, size: Any = None, memory_format: Any = None) -> Tensor:
    """Another shape, in place: the elements in their order in memory; new ones, if there are more, are not set."""
    sizes = sizes if size is None else (size,)
    shape = positive_sizes(sizes, "resize_") if sizes and sizes != ((),) else ()
    if expect_tensor(input, "resize_").node is not None:
        raise refuse(RuntimeError, "cannot resize variables that require grad", "resize_", input)
    x, n = input.array, math.prod(shape)
    if x.shape == shape:
        return input
    owner = owner_of(x)
    memory = owner.ravel(order="K")
    start = strided.geometry_of(x)[2]
    if memory.dtype != x.dtype or len(memory) - start < n:
        longer = np.zeros(start + n, x.dtype)
        if memory.dtype == x.dtype:
            longer[: len(memory)] = memory
        memory = longer
    return _become(input, memory[start : start + n].reshape(shape))


@checked
def resize_as_(input: Tensor, the_template: Tensor, *, memory_format: Any = None) -> Tensor:
    """The shape of another tensor, in place: see `resize_`."""
    return resize_(input, the_template.array.shape)


def _turned(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The function that makes a tensor a view of what it was."""

    @functools.wraps(function)
    def method(input: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        expect_tensor(input, f"{function.__name__}_")
        if isinstance(input.node, Leaf):
            may_write(input)
        before = input.base
        if before is None and any(link() is not None for link in input.views or ()):
            before = wrap(input.array, input.node, input.version)  # what it was stays the base of its views
            before.views = input.views
            for link in before.views or ():
                if (found := link()) is not None:
                    found.base = before
            y = function(before, *args, **kwargs)
        else:
            y = function(input, *args, **kwargs)
        if y is input:
            return input
        input.array, input.node = y.array, y.node
        if before is not None:
            input.base, input.path, input.views = before, y.path, None
            if not any(link() is input for link in before.views or ()):
                attach(input, before)
        return input

    return described(method, f"{function.__name__}_", f"`{function.__name__}`, in place: the tensor itself is changed.")


as_strided_, squeeze_, unsqueeze_, t_ = _turned(as_strided), _turned(squeeze), _turned(unsqueeze), _turned(t)
transpose_, swapaxes_, swapdims_ = _turned(transpose), _turned(swapaxes), _turned(swapaxes)
described(swapdims_, "swapdims_", swapaxes_.__doc__)


def set_(input: Tensor, source: Tensor | None = None) -> Tensor:
    """The memory, the shape and the strides of another tensor, in place; without one, empty."""
    if source is None:
        return _become(input, np.empty(0, input.array.dtype))
    input.version = expect_tensor(source, "set_", "source").version
    return _become(input, source.array)


# ------------------------------------------------------------------------------------------ questions
@checked
def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Whether both have one shape."""
    return input.array.shape == other.array.shape


@checked
def is_set_to(input: Tensor, tensor: Tensor) -> bool:
    """Whether both show the same elements of one memory."""
    a, b = input.array, tensor.array
    return a.ctypes.data == b.ctypes.data and a.shape == b.shape and strides_of(input) == strides_of(tensor)


@checked
def storage_offset(input: Tensor) -> int:
    """The number of elements in memory before the first."""
    return strided.geometry_of(input.array)[2]


def new_empty_strided(input: Tensor, size: Sequence[int], stride: Sequence[int], **words: Any) -> Tensor:
    """`torch.empty_strided` in this dtype."""
    return empty_strided(size, stride, **({"dtype": input.dtype} | words))


def dim_order(input: Tensor) -> tuple[int, ...]:
    """The axes in the order in which they lie in memory, the outermost first."""
    steps = strides_of(input)
    return tuple(sorted(range(len(steps)), key=lambda i: -steps[i]))


# ------------------------------------------------------------------------------------------ as methods
class Memory:
    """The methods of a tensor that this file defines."""

    __slots__ = ()  # so that tensors are as small, and made as fast, as if the class were not there

    as_strided, as_strided_scatter, dim_order = as_strided, as_strided_scatter, dim_order
    is_same_size, is_set_to, narrow_copy = is_same_size, is_set_to, narrow_copy
    new_empty_strided, storage_offset = new_empty_strided, storage_offset

    # each of these changes the tensor itself
    as_strided_, resize_, resize_as_, set_, squeeze_ = as_strided_, resize_, resize_as_, set_, squeeze_
    swapaxes_, swapdims_, t_, transpose_, unsqueeze_ = swapaxes_, swapdims_, t_, transpose_, unsqueeze_
