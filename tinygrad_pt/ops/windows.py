"""Overlapping windows of an axis, as a view, and their sum, its dual."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_pt.calling import primitive
from tinygrad_pt.graph import Array
from tinygrad_pt.views import owner_of


@primitive(
    r"\mathrm{windows}(a)",
    lambda g, y, a, *, axis, size, step: unfold_backward(g, axis=axis, step=step, shape=a.shape),
    view=True,
)
def unfold(a: Array, *, axis: int, size: int, step: int) -> Array:
    """y = the windows of `size` elements that begin at every `step`-th place of an axis; they are the last axis."""
    if not a.flags.writeable and owner_of(a).flags.writeable:  # it is expanded; the windows may be written, one by one
        a = a.view()
        a.flags.writeable = True
    along = a.strides[axis]
    shape = (*a.shape[:axis], (a.shape[axis] - size) // step + 1, *a.shape[axis + 1 :], size)
    strides = (*a.strides[:axis], along * step, *a.strides[axis + 1 :], along)
    return np.lib.stride_tricks.as_strided(a, shape, strides, writeable=a.flags.writeable)


@primitive(
    r"\mathrm{fold}(a)",
    lambda g, y, a, *, axis, step, shape: unfold(g, axis=axis, size=a.shape[-1], step=step),
    moves=True,  # it adds, too, but in float32
)
def unfold_backward(a: Array, *, axis: int, step: int, shape: tuple[int, ...]) -> Array:
    """y = zeros of `shape` with the windows a added where `unfold` reads them."""
    y = np.zeros(shape, np.float32 if a.dtype.char == "e" else a.dtype)
    before: tuple[Any, ...] = (slice(None),) * axis
    for k in range(a.shape[-1]):  # the k-th elements of all windows lie at different places
        y[(*before, slice(k, k + step * a.shape[axis], step))] += a[..., k]
    return y.astype(a.dtype, copy=False)
