"""Images at other places: elements picked along an axis, and weighted sums of neighbours; each has its transpose."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from tinygrad_pt.calling import primitive
from tinygrad_pt.graph import Array

Piece = tuple[slice, slice]
MOST = 8  # pieces: for more of them, a copy by index is as fast


@lru_cache(maxsize=256)
def _pieces(index: bytes) -> tuple[Piece, ...] | None:
    """An index as a few pairs of slices (of the result, of the source), or None: padding, or repeating each element."""
    i = np.frombuffer(index, np.int64)
    if len(i) < 2:
        return tuple((slice(k, k + 1), slice(int(i[k]), int(i[k]) + 1)) for k in range(len(i)))
    n = int(np.count_nonzero(i == i[0]))
    if i[0] == 0 and n > 1 and len(i) % n == 0 and np.array_equal(i, np.repeat(np.arange(len(i) // n), n)):
        return tuple((slice(k, None, n), slice(0, len(i) // n)) for k in range(n)) if n <= MOST else None
    pieces, start = [], 0
    while start < len(i):
        step = int(i[start + 1] - i[start]) if start + 1 < len(i) else 1
        if not step:  # one element, several times: each is a piece of its own
            step, stop = 1, start + 1
        else:
            other = np.flatnonzero(np.diff(i[start:]) != step)
            stop = start + int(other[0]) + 1 if other.size else len(i)
        last = int(i[stop - 1]) + (1 if step > 0 else -1)
        pieces.append((slice(start, stop), slice(int(i[start]), None if last < 0 else last, step)))
        if len(pieces) > MOST:
            return None
        start = stop
    return tuple(pieces)


def _at(axis: int, place: Any) -> tuple[Any, ...]:
    return (*(slice(None),) * axis, place)


@primitive(
    r"a_{i}", lambda g, y, a, *, axis, index: add_along(g, axis=axis, index=index, size=a.shape[axis]), moves=True
)
def pick_along(a: Array, *, axis: int, index: Array) -> Array:
    """y = the elements along an axis that `index` names."""
    pieces = _pieces(index.tobytes())
    if pieces is None:
        return np.take(a, index, axis)
    y = np.empty((*a.shape[:axis], len(index), *a.shape[axis + 1 :]), a.dtype)
    for into, source in pieces:
        y[_at(axis, into)] = a[_at(axis, source)]
    return y


@primitive(r"\mathrm{add}_{i}(a)", lambda g, y, a, *, axis, index, size: pick_along(g, axis=axis, index=index))
def add_along(a: Array, *, axis: int, index: Array, size: int) -> Array:
    """y = zeros, `size` along an axis, to which the elements of a have been added where `index` says."""
    y = np.zeros((*a.shape[:axis], size, *a.shape[axis + 1 :]), a.dtype)
    pieces = _pieces(index.tobytes())
    if pieces is not None:
        for source, into in pieces:
            y[_at(axis, into)] += a[_at(axis, source)]
        return y
    order = np.argsort(index, kind="stable")
    sorted_ = index[order]
    starts = np.flatnonzero(np.concatenate(([True], sorted_[1:] != sorted_[:-1])))
    y[_at(axis, sorted_[starts])] = np.add.reduceat(np.take(a, order, axis), starts, axis=axis)
    return y


def _dense(index: Array, weight: Array, size: int, dtype: Any) -> Array:
    """The matrix of a linear map along an axis, from the places and weights of what it adds."""
    matrix = np.zeros((len(index), size))
    np.add.at(matrix, (np.arange(len(index))[:, None], index), weight)
    return matrix.astype(dtype)


def _product(matrix: Array, a: Array, axis: int) -> Array | None:
    """The matrix applied along an axis; None if an element is not finite, as it must not reach far places."""
    if axis == a.ndim - 1:
        y = np.matmul(a, matrix.T)
    else:
        lead = a.reshape(-1, a.shape[axis], int(np.prod(a.shape[axis + 1 :], dtype=int)))
        y = np.matmul(matrix, lead).reshape(*a.shape[:axis], len(matrix), *a.shape[axis + 1 :])
    return y if np.isfinite(np.add.reduce(y, None)) else None


DENSE = 128  # up to this size of an axis a product with the whole matrix is faster


def _wide(w: Array, ndim: int, axis: int, dtype: Any) -> Array:
    return w.astype(dtype).reshape([-1 if i == axis else 1 for i in range(ndim)])


@primitive(
    r"R\,a",
    lambda g, y, a, *, axis, index, weight: unresample(g, axis=axis, index=index, weight=weight, size=a.shape[axis]),
)
def resample(a: Array, *, axis: int, index: Array, weight: Array) -> Array:
    """yᵢ = Σₖ wᵢₖ a[indexᵢₖ] along an axis: a row of `index` and `weight` for each element of the result."""
    if (
        a.size
        and a.shape[axis] <= DENSE
        and (y := _product(_dense(index, weight, a.shape[axis], a.dtype), a, axis)) is not None
    ):
        return y
    y = np.zeros((*a.shape[:axis], len(index), *a.shape[axis + 1 :]), a.dtype)
    for i, w in zip(index.T, weight.T, strict=True):
        y += np.take(a, i, axis) * _wide(w, a.ndim, axis, a.dtype)
    return y


@primitive(
    r"{R}^{\top} a", lambda g, y, a, *, axis, index, weight, size: resample(g, axis=axis, index=index, weight=weight)
)
def unresample(a: Array, *, axis: int, index: Array, weight: Array, size: int) -> Array:
    """The transpose of `resample`: y[indexᵢₖ] collects wᵢₖ aᵢ, with `size` elements along the axis."""
    if a.size and size <= DENSE and (y := _product(_dense(index, weight, size, a.dtype).T, a, axis)) is not None:
        return y
    y = np.zeros((*a.shape[:axis], size, *a.shape[axis + 1 :]), a.dtype)
    for i, w in zip(index.T, weight.T, strict=True):
        y += add_along.op.forward(
            a * _wide(w, a.ndim, axis, a.dtype), axis=axis, index=np.ascontiguousarray(i), size=size
        )
    return y
