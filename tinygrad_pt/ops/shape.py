"""Ops that move elements without changing them; the rule of each is another of these ops."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate

import numpy as np

from tinygrad_pt.calling import T, primitive
from tinygrad_pt.graph import Array
from tinygrad_pt.ops.elementwise import empty_as

Shape = tuple[int, ...]
Axis = int | tuple[int, ...] | None  # None: all


# ------------------------------------------------------------------------------------------ other shapes, same order
@primitive(r"a", lambda g, y, a, *, shape: reshape(g, shape=a.shape), view=True)
def reshape(a: Array, *, shape: Shape) -> Array:
    """y = the elements of a in row-major order, in another shape."""
    return np.reshape(a, shape)


@primitive(r"a", lambda g, y, a, *, axis: reshape(g, shape=a.shape), view=True)
def unsqueeze(a: Array, *, axis: int) -> Array:
    """y = a with a new axis of length 1."""
    return np.expand_dims(a, axis)


@primitive(r"a", lambda g, y, a, *, axis: reshape(g, shape=a.shape), view=True)
def squeeze(a: Array, *, axis: tuple[int, ...]) -> Array:
    """y = a without these axes of length 1."""
    return np.squeeze(a, axis)


# ------------------------------------------------------------------------------------------ other orders of axes
@primitive(r"{a}^{\pi}", lambda g, y, a, *, axes: permute(g, axes=_inverse(axes)), view=True)
def permute(a: Array, *, axes: tuple[int, ...]) -> Array:
    """y = a with its axes in another order: axis i of y is axis `axes[i]` of a."""
    return np.transpose(a, axes)


def _inverse(axes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(int(i) for i in np.argsort(axes))


@primitive(r"{a}^{\top}", lambda g, y, a, *, axis0, axis1: transpose(g, axis0=axis0, axis1=axis1), view=True)
def transpose(a: Array, *, axis0: int, axis1: int) -> Array:
    """y = a with two axes swapped."""
    return np.swapaxes(a, axis0, axis1)


@primitive(r"{a}^{\top}", lambda g, y, a: t(g), view=True)
def t(a: Array) -> Array:
    """y = aᵀ, over the last two axes."""
    return a.T if a.ndim <= 2 else np.swapaxes(a, -1, -2)


@primitive(r"a", lambda g, y, a, *, axis: flip(g, axis=axis), moves=True)
def flip(a: Array, *, axis: tuple[int, ...]) -> Array:
    """y = a read backwards along these axes."""
    y = empty_as(a) if 0 in a.strides else np.empty_like(a)
    y[...] = np.flip(a, axis)
    return y


# ------------------------------------------------------------------------------------------ repeat ⇄ sum
@primitive(r"a", lambda g, y, a, *, shape: sum_to(g, shape=a.shape), view=True)
def expand(a: Array, *, shape: Shape) -> Array:
    """y = a repeated along axes of length 1 and new leading axes, without copying."""
    if not a.shape:  # for a scalar this is four times as fast as broadcast_to
        return np.ndarray(shape, a.dtype, np.asarray(a), 0, (0,) * len(shape))
    return np.broadcast_to(a, shape)


def total(a: Array, axis: Axis, keepdims: bool) -> Array:
    """Σ a; float16 is added in float32, because in float16 a sum of ones does not grow beyond 2048."""
    if a.dtype.char != "e":
        if a.size > 8192 and a.dtype.kind == "f":
            a = in_blocks(a, axis)
        return np.add.reduce(a, axis=axis, keepdims=keepdims)
    return np.add.reduce(a, axis=axis, keepdims=keepdims, dtype=np.float32).astype(a.dtype)


def in_blocks(a: Array, axis: Axis) -> Array:
    """An array with the same sums over `axis`, in which no sum is long that NumPy would add up term by term.

    NumPy adds in pairs along the axis whose elements lie nearest in memory. Along others the error of a sum would grow
    with its length, so that each block of up to 64 slices is added by itself.
    """
    near = min((abs(s) for s, n in zip(a.strides, a.shape, strict=True) if n > 1 and s), default=0)
    for i in range(a.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,):
        while a.shape[i] > 128 and abs(a.strides[i]) != near:
            n = a.shape[i]
            step = -(-n // 64)
            rest, x = n % step, np.moveaxis(a, i, 0)
            y = np.add.reduce(x[: n - rest].reshape(n // step, step, *x.shape[1:]), axis=0)
            y[:rest] += x[n - rest :]
            a = np.moveaxis(y, 0, i)
    return a


@primitive(r"\textstyle\sum a", lambda g, y, a, *, shape: expand(g, shape=a.shape), view=True)
def sum_to(a: Array, *, shape: Shape) -> Array:
    """y = a summed over the axes along which `shape` was broadcast."""
    if a.shape == shape:
        return a
    lead = a.ndim - len(shape)
    stretched = tuple(i + lead for i, n in enumerate(shape) if n == 1 and a.shape[i + lead] != 1)
    y = total(a, (*range(lead), *stretched), bool(stretched))
    return y.reshape(shape) if stretched else y


def spread(g: T, shape: Shape, axis: Axis, keepdims: bool) -> T:
    """g, the gradient of a reduction over `axis`, repeated to the `shape` before it: the rule of a sum."""
    if not keepdims and len(shape):
        gone = (
            range(len(shape))
            if axis is None
            else [i % len(shape) for i in (axis if isinstance(axis, tuple) else (axis,))]
        )
        g = reshape(g, shape=tuple(1 if i in gone else n for i, n in enumerate(shape)))
    return expand(g, shape=shape)


# ------------------------------------------------------------------------------------------ join ⇄ cut
def edges_of(sizes: Iterable[int]) -> tuple[int, ...]:
    """Where parts of these sizes begin, and where the last one ends."""
    return (0, *accumulate(sizes))


@primitive(
    r"[a,\, b]",
    each=lambda slot: (
        lambda g, y, *parts, axis, edges: narrow(g, axis=axis, start=edges[slot], length=edges[slot + 1] - edges[slot])
    ),
    joins=True,
)
def cat(*parts: Array, axis: int, edges: tuple[int, ...]) -> Array:
    """y = the parts one after the other along an axis; part i stands at edges[i] … edges[i+1]-1."""
    return np.concatenate(parts, axis)


@primitive(r"[a,\, b]", each=lambda slot: lambda g, y, *parts, axis: select(g, axis=axis, index=slot), joins=True)
def stack(*parts: Array, axis: int) -> Array:
    """y = the parts side by side along a new axis."""
    return np.stack(parts, axis)


@primitive(
    r"a",
    lambda g, y, a, *, axis, start, length: pad(
        g, widths=_beside(a.ndim, axis, start, a.shape[axis] - start - length), value=0.0
    ),
    view=True,
)
def narrow(a: Array, *, axis: int, start: int, length: int) -> Array:
    """y = the elements start … start+length-1 along an axis."""
    return a[(slice(None),) * axis + (slice(start, start + length),)]


@primitive(
    r"a",
    lambda g, y, a, *, axis, index: pad(
        unsqueeze(g, axis=axis), widths=_beside(a.ndim, axis, index, a.shape[axis] - index - 1), value=0.0
    ),
    view=True,
)
def select(a: Array, *, axis: int, index: int) -> Array:
    """y = the index-th slice along an axis, without that axis."""
    return a[(slice(None),) * axis + (index, ...)]


def _beside(ndim: int, axis: int, before: int, after: int) -> tuple[tuple[int, int], ...]:
    return tuple((before, after) if i == axis else (0, 0) for i in range(ndim))


@primitive(r"a", lambda g, y, a, *, widths, value: crop(g, widths=widths), moves=True)
def pad(a: Array, *, widths: tuple[tuple[int, int], ...], value: float) -> Array:
    """y = a with `value` put before and after along each axis; a negative width cuts."""
    a = crop.op.forward(a, widths=tuple((max(0, -m), max(0, -n)) for m, n in widths))
    y = np.full([n + max(0, i) + max(0, j) for n, (i, j) in zip(a.shape, widths, strict=True)], value, a.dtype)
    y[tuple(slice(max(0, i), max(0, i) + n) for n, (i, _) in zip(a.shape, widths, strict=True))] = a
    return y


@primitive(r"a", lambda g, y, a, *, widths: pad(g, widths=widths, value=0.0), view=True)
def crop(a: Array, *, widths: tuple[tuple[int, int], ...]) -> Array:
    """y = a without its borders: the inverse of pad; a negative width adds zeros."""
    y = a[tuple(slice(max(0, i), n - max(0, j)) for n, (i, j) in zip(a.shape, widths, strict=True))]
    if any(i < 0 or j < 0 for i, j in widths):
        y = np.pad(y, [(max(0, -i), max(0, -j)) for i, j in widths])
    return y


@primitive(r"a", lambda g, y, a, *, sizes, axis: cat(*g, axis=axis, edges=edges_of(sizes)), view=True)
def split(a: Array, *, sizes: tuple[int, ...], axis: int) -> list[Array]:
    """y₀, y₁, … = a cut into pieces of these sizes along an axis."""
    return np.split(a, np.cumsum(sizes)[:-1], axis)


@primitive(r"a", lambda g, y, a, *, axis: stack(*g, axis=axis), view=True)
def unbind(a: Array, *, axis: int) -> list[Array]:
    """y₀, y₁, … = the slices of a along an axis."""
    return [a[(slice(None),) * axis + (i, ...)] for i in range(a.shape[axis])]
