"""Choices between numbers by a mask, without a branch for each element.

`np.where` takes up to ten times as long for a mask that looks random: the processor guesses each branch wrongly.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_pt.graph import Array

BITS = {np.dtype(np.float32): np.int32, np.dtype(np.float64): np.int64, np.dtype(np.float16): np.int16}


def kept(mask: Array, a: Array) -> Array:
    """a where the mask is true, else 0: the bits of a, times 1 or 0."""
    return np.multiply(a.view(BITS[a.dtype]), mask).view(a.dtype)


def masked(mask: Any, b: Any, c: Any) -> Array | None:
    """`where(mask, b, c)` of many elements, if b or c is one number; None for others.

    That is c with the bits changed in which b differs from it.
    """
    a, number = (b, c) if np.ndim(b) else (c, b)
    if a.__class__ is not np.ndarray or a.dtype not in BITS or mask.dtype.char != "?":
        return None
    if number.__class__ is not float and (np.ndim(number) or getattr(number, "dtype", None) is not a.dtype):
        return None
    if mask.shape != a.shape and np.broadcast_shapes(mask.shape, a.shape) != a.shape:
        return None
    x, bits = mask if number is c else ~mask, a.dtype.type(number).view(BITS[a.dtype])
    if not bits:
        return kept(x, a)
    y = a.view(BITS[a.dtype]) ^ bits
    y *= x
    y ^= bits
    return y.view(a.dtype)
