"""Joining and cutting tensors: stacks of columns and layers, equal pieces, blocks on a diagonal, products of sets."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_pt import dtypes, ops
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.arguments import axis_from, promoted_to
from tinygrad_pt.functions.binding import described
from tinygrad_pt.functions.checks import checked, expect_tensor, into, no_overload
from tinygrad_pt.functions.shaping import (
    cat,
    chunk,
    flip,
    listed,
    meshgrid,
    pad,
    split,
    stack,
    tensor_split,
    transpose,
    vstack,
)
from tinygrad_pt.graph import Tensor

__all__ = [
    "atleast_1d", "atleast_2d", "atleast_3d", "block_diag", "cartesian_prod", "column_stack", "combinations",
    "constant_pad_nd", "diag_embed", "diagflat", "dsplit", "dstack", "hsplit", "rot90", "row_stack",
    "split_with_sizes", "unsafe_chunk", "unsafe_split", "unsafe_split_with_sizes", "vsplit",
]  # fmt: skip


# ------------------------------------------------------------------------------------------ more axes
def _as_vector(t: Tensor) -> Tensor:
    return t if t.array.ndim else ops.reshape(t, shape=(1,))


def _as_matrix(t: Tensor) -> Tensor:
    return t if t.array.ndim > 1 else ops.unsqueeze(_as_vector(t), axis=0)


def _as_layers(t: Tensor) -> Tensor:
    return t if t.array.ndim > 2 else ops.unsqueeze(_as_matrix(t), axis=2)


def _at_least(n: int, widen: Callable[[Tensor], Tensor]) -> Callable[..., Any]:
    name = f"atleast_{n}d"

    def function(*tensors: Any) -> Any:
        if len(tensors) == 1 and isinstance(tensors[0], Tensor):
            return widen(tensors[0])
        given = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)) else tensors
        if not all(isinstance(t, Tensor) for t in given):
            raise no_overload(name, *tensors)
        return tuple(widen(t) for t in given)

    return described(function, name, f"A tensor, or each of several, with axes of length 1 added, so that it has {n}.")


atleast_1d, atleast_2d, atleast_3d = _at_least(1, _as_vector), _at_least(2, _as_matrix), _at_least(3, _as_layers)


# ------------------------------------------------------------------------------------------ joined
@checked
def column_stack(tensors: Sequence[Tensor], *, out: Tensor | None = None) -> Tensor:
    """The tensors side by side; a vector is a column.

    >>> import tinygrad_pt as torch
    >>> torch.column_stack((torch.tensor([1, 2]), torch.tensor([3, 4])))
    tensor([[1, 3],
            [2, 4]])
    """
    parts = listed(tensors, "column_stack")
    y = cat([p if p.array.ndim > 1 else ops.reshape(p, shape=(p.array.size, 1)) for p in parts], 1)
    return y if out is None else into(out, "column_stack", y)


@checked
def dstack(tensors: Sequence[Tensor], *, out: Tensor | None = None) -> Tensor:
    """The tensors one behind the other, along the third axis; vectors are rows."""
    y = cat([_as_layers(p) for p in listed(tensors, "dstack")], 2)
    return y if out is None else into(out, "dstack", y)


row_stack = vstack


def block_diag(*tensors: Tensor) -> Tensor:
    """A matrix with the tensors along its diagonal, and zeros beside them; a vector is a row.

    >>> import tinygrad_pt as torch
    >>> torch.block_diag(torch.tensor([[1, 2]]), torch.tensor(3))
    tensor([[1, 2, 0],
            [0, 0, 3]])
    """
    for i, t in enumerate(tensors):
        if expect_tensor(t, "block_diag", "tensors").array.ndim > 2:
            text = f"torch.block_diag: Input tensors must have 2 or fewer dimensions. Input {i} has "
            raise refuse(RuntimeError, f"{text}{t.array.ndim} dimensions", "block_diag", *tensors)
    if not tensors:
        return wrap(np.empty((1, 0), dtypes.get_default_dtype().numpy))
    target = dtypes.result_type(*(t.array for t in tensors))
    parts = [promoted_to(target, _as_matrix(t)) for t in tensors]
    width, before, rows = sum(p.array.shape[1] for p in parts), 0, []
    for p in parts:
        rows.append(ops.pad(p, widths=((0, 0), (before, width - before - p.array.shape[1])), value=0.0))
        before += p.array.shape[1]
    return cat(rows, 0)


# ------------------------------------------------------------------------------------------ cut
@checked
def split_with_sizes(input: Tensor, split_sizes: Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """The tensor cut into pieces of these sizes: views."""
    return split(input, list(split_sizes), dim)


def _cut(name: str, least: int, axis_of: Callable[[Tensor], int], doc: str) -> Callable[..., tuple[Tensor, ...]]:
    def function(
        input: Tensor, indices_or_sections: int | Sequence[int] | None = None, *,
        indices: Sequence[int] | None = None, sections: int | None = None,
    ) -> tuple[Tensor, ...]:  # fmt: skip
        n = expect_tensor(input, name).array.ndim
        if n < least:
            text = (
                f"torch.{name} requires a tensor with at least {least} dimension, but got a tensor with {n} dimensions!"
            )
            raise refuse(RuntimeError, text, name, input)
        named = (indices_or_sections, indices, sections)
        axis, cuts = axis_of(input), next((cut for cut in named if cut is not None), None)
        if isinstance(cuts, int) and (cuts == 0 or (cuts > 0 and input.array.shape[axis] % cuts)):
            text = f"torch.{name} attempted to split along dimension {axis}, but the size of the dimension "
            raise refuse(
                RuntimeError, f"{text}{input.array.shape[axis]} is not divisible by the split_size {cuts}!", name, input
            )
        return tensor_split(input, cuts, axis)

    return checked(described(function, name, doc))


hsplit = _cut("hsplit", 1, lambda t: int(t.array.ndim > 1), "The columns cut into equal pieces, or at indices: views.")
vsplit = _cut("vsplit", 2, lambda t: 0, "The rows cut into equal pieces, or at indices: views.")
dsplit = _cut("dsplit", 3, lambda t: 2, "The third axis cut into equal pieces, or at indices: views.")


def _apart(cut: Any) -> Callable[..., tuple[Tensor, ...]]:
    """The function with pieces in memory of their own."""
    name = f"unsafe_{cut.__name__}"

    def function(input: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, ...]:
        kwargs = {{"split_size": "split_size_or_sections"}.get(k, k): v for k, v in kwargs.items()}
        return tuple(ops.clone(piece) for piece in cut(expect_tensor(input, name), *args, **kwargs))

    return described(function, name, f"`{cut.__name__}`, but no piece shares memory with the tensor.")


unsafe_split, unsafe_chunk, unsafe_split_with_sizes = map(_apart, (split, chunk, split_with_sizes))


# ------------------------------------------------------------------------------------------ turned, padded
@checked
def rot90(input: Tensor, k: int = 1, dims: Sequence[int] = (0, 1)) -> Tensor:
    """The plane of two axes turned k times by 90°, from the first towards the second.

    >>> import tinygrad_pt as torch
    >>> torch.tensor([[1, 2], [3, 4]]).rot90()
    tensor([[2, 4],
            [1, 3]])
    """
    n, text = input.array.ndim, ""
    if len(dims) != 2:
        text = f"expected total rotation dims == 2, but got dims = {len(dims)}"
    elif n < 2:
        text = f"expected total dims >= 2, but got total dims = {n}"
    elif dims[0] == dims[1] or abs(dims[0] - dims[1]) == n:
        text = f"expected rotation dims to be different, but got dim0 = {dims[0]} and dim1 = {dims[1]}"
    if text:
        raise refuse(RuntimeError, text, "rot90", input)
    first, second = (axis_from(d, n, "rot90", input) for d in dims)
    if k % 4 == 0:
        return ops.clone(input, order="C")
    if k % 4 == 2:
        return flip(input, (first, second))
    return ops.clone(transpose(flip(input, second if k % 4 == 1 else first), first, second), order="K")


@checked
def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Matrices with the last axis on a diagonal, and zeros beside it; `dim1`, `dim2` are their axes in the result."""
    n = input.array.ndim + 1
    axis0, axis1 = axis_from(dim1, n), axis_from(dim2, n)
    if axis0 == axis1:
        raise refuse(RuntimeError, f"diagonal dimensions cannot be identical {dim1}, {dim2}", "diag_embed", input)
    size = input.array.shape[-1] + abs(offset)
    shape = list(input.array.shape[:-1])
    for axis in sorted((axis0, axis1)):
        shape.insert(axis, size)
    return ops.undiagonal(input, k=offset, axis0=axis0, axis1=axis1, shape=tuple(shape))


@checked
def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """A matrix with all elements on a diagonal."""
    return diag_embed(ops.reshape(input, shape=(input.array.size,)), offset)


@checked
def constant_pad_nd(input: Tensor, pad: Sequence[int], value: float = 0) -> Tensor:
    """The tensor with a number around it: `pad` lists how often before and after, from the last axis backwards."""
    if len(pad) % 2:
        text = f"Length of pad must be even but instead it equals {len(pad)}"
        raise refuse(RuntimeError, text, "constant_pad_nd", input)
    if len(pad) > 2 * input.array.ndim:
        text = "Length of pad should be no more than twice the number of dimensions of the input. Pad length is "
        text += f"{len(pad)}while the input has {input.array.ndim}dimensions."
        raise refuse(RuntimeError, text, "constant_pad_nd", input)
    return _padded(input, pad, value)


_padded = pad


# ------------------------------------------------------------------------------------------ products of sets
def cartesian_prod(*tensors: Tensor) -> Tensor:
    """All tuples of one element of each vector, as rows; of one vector, itself.

    >>> import tinygrad_pt as torch
    >>> torch.cartesian_prod(torch.tensor([1, 2]), torch.tensor([3, 4]))
    tensor([[1, 3],
            [1, 4],
            [2, 3],
            [2, 4]])
    """
    for t in tensors:
        if expect_tensor(t, "cartesian_prod", "tensors").array.ndim != 1:
            text = f"Expect a 1D vector, but got shape {list(t.array.shape)}"
            raise refuse(RuntimeError, text, "cartesian_prod", *tensors)
    if len(tensors) == 1:
        return tensors[0]
    return stack([ops.reshape(g, shape=(g.array.size,)) for g in meshgrid(*tensors, indexing="ij")], 1)


@checked
def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """All choices of r elements of a vector, as rows; `with_replacement` an element may be chosen again.

    >>> import tinygrad_pt as torch
    >>> torch.combinations(torch.tensor([1, 2, 3]))
    tensor([[1, 2],
            [1, 3],
            [2, 3]])
    """
    x = input.array
    if x.ndim != 1:
        raise refuse(RuntimeError, f"Expect a 1D vector, but got shape {list(x.shape)}", "combinations", input)
    if r < 0:
        raise refuse(RuntimeError, f"Expect a non-negative number, but got {r}", "combinations", input)
    if r == 0:
        return wrap(np.empty(0, x.dtype))
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    rows = np.array(list(choose(range(x.size), r)), np.int64).reshape(-1, r)
    return ops.getitem(input, index=(rows,))


# ------------------------------------------------------------------------------------------ as methods
class Joining:
    """The methods of a tensor that this file defines."""

    __slots__ = ()  # so that tensors are as small, and made as fast, as if the class were not there

    diag_embed, diagflat, dsplit, hsplit, rot90, vsplit = diag_embed, diagflat, dsplit, hsplit, rot90, vsplit
    split_with_sizes, unsafe_chunk, unsafe_split = split_with_sizes, unsafe_chunk, unsafe_split
    unsafe_split_with_sizes = unsafe_split_with_sizes
