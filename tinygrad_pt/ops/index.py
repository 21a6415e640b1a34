"""Ops that read and write elements by index; the rule of reading adds into zeros, the rules of writing read."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_pt.calling import primitive
from tinygrad_pt.graph import Array, Op
from tinygrad_pt.inplace import view_along
from tinygrad_pt.ops.elementwise import cast, zero


def is_basic(index: Any) -> bool:
    """Whether an index makes a view: integers, slices, None and Ellipsis only."""
    parts = index if isinstance(index, tuple) else (index,)
    return not any(isinstance(i, (np.ndarray, list)) for i in parts)


@primitive(r"a[i]", lambda g, y, a, *, index: scatter_add(g, shape=a.shape, index=index), view=True)
def getitem(a: Array, *, index: Any) -> Array:
    """y = a[index]: a view for slices and integers, a copy for arrays of integers or truth values."""
    y = a[index]
    if y.flags.c_contiguous or y.base is None or y.base is a or y.base is a.base:
        return y
    return np.ascontiguousarray(y)  # NumPy leaves the axes of arrays of indices in front, in memory


@primitive(r"\mathrm{put}(a)", lambda g, y, a, *, shape, index: getitem(g, index=index), moves=True)
def scatter_add(a: Array, *, shape: tuple[int, ...], index: Any) -> Array:
    """y = zeros of `shape` with a added at the index; where the index names a place twice, two elements are added."""
    if is_basic(index):
        y = np.zeros(shape, a.dtype)
        y[index] = a
        return y
    y = np.zeros(shape, np.float32 if a.dtype.char == "e" else a.dtype)  # as in `total`
    np.add.at(y, index, a)
    return y.astype(a.dtype, copy=False)


@primitive(
    r"\mathrm{put}(a,\, b)",
    lambda g, y, a, b, *, path: overwrite(g, zero(cast(view_along(g, path), dtype=a.dtype)), path=path),
    lambda g, y, a, b, *, path: cast(view_along(g, path), dtype=b.dtype),
    moves=True,
)
def overwrite(a: Array, b: Array, *, path: tuple[tuple[Op, dict[str, Any]], ...]) -> Array:
    """y = a, but b in the view to which the path leads."""
    y = np.array(a)
    place = _along(y, path)
    if np.may_share_memory(place, y):
        if not place.flags.writeable:  # after expand it is not
            place.flags.writeable = True
        place[...] = b
    else:  # `a` has another layout than the base, so the path made a copy: write where each element comes from
        y = np.array(a, order="C")
        y.reshape(-1)[_along(np.arange(y.size).reshape(y.shape), path)] = b
    return y


def _along(a: Array, path: tuple[tuple[Op, dict[str, Any]], ...]) -> Array:
    for op, attrs in path:
        a = op.forward(a, **attrs)
    return a


@primitive(
    r"\mathrm{put}(a,\, b)",
    lambda g, y, a, b, *, index: index_put(g, zero(getitem(g, index=index)), index=index),
    lambda g, y, a, b, *, index: getitem(g, index=index),
    moves=True,
)
def index_put(a: Array, b: Array, *, index: Any) -> Array:
    """y = a, but b (of the shape of a[index]) where an array of indices leads."""
    y = np.array(a)
    y[index] = b
    return y
