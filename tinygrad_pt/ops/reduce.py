"""Reductions, which compute one element from many; `axis` is a tuple, an int, or None for all axes."""

from __future__ import annotations

import cmath
import math

import numpy as np

from tinygrad_pt.calling import binary, primitive
from tinygrad_pt.graph import Array
from tinygrad_pt.ops.elementwise import cast
from tinygrad_pt.ops.shape import Axis, Shape, flip, spread, total


def count(shape: Shape, axis: Axis) -> int:
    """The number of elements from which one element of the result is computed."""
    if axis is None:
        return math.prod(shape)
    return math.prod(shape[i] for i in (axis if isinstance(axis, tuple) else (axis,)))


# ------------------------------------------------------------------------------------------ sums
@primitive(r"\sum a", lambda g, y, a, *, axis, keepdims: spread(g, a.shape, axis, keepdims))
def sum(a: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """y = Σ a."""
    return total(a, axis, keepdims)


@primitive(
    r"\frac{1}{n}\sum a", lambda g, y, a, *, axis, keepdims: spread(g / count(a.shape, axis), a.shape, axis, keepdims)
)
def mean(a: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """y = Σ a / n; the sum may be larger than the largest float."""
    y = np.add.reduce(a, axis=axis, keepdims=keepdims) if a.size <= 8192 else total(a, axis, keepdims)
    whole = y.__class__ is not np.ndarray  # a NumPy scalar
    n = a.size if whole else a.size // (y.size or 1)
    y = y / n
    if cmath.isfinite(y if whole else np.vdot(y, y)):
        return y
    e = math.frexp(n)[1]
    return np.where(np.isfinite(y), y, np.ldexp(total(np.ldexp(a, -e), axis, keepdims) / n, e))[()]


# ------------------------------------------------------------------------------------------ extremes
same = binary("same", lambda a, b: (a == b) | ((a != a) & (b != b)), "a = b", None, None)  # and nan is the same as nan


def _share(g: Array, y: Array, a: Array, axis: Axis, keepdims: bool) -> Array:
    """g, split evenly among the elements that are the extreme y; beside a nan, among those that are nan."""
    chosen = cast(same(a, spread(y, a.shape, axis, keepdims)), dtype=a.dtype)
    number = sum(chosen, axis=axis, keepdims=keepdims)
    return chosen * spread(g / number, a.shape, axis, keepdims)


@primitive(r"\max a", lambda g, y, a, *, axis, keepdims: _share(g, y, a, axis, keepdims))
def amax(a: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """y = the largest element; ties share the gradient evenly."""
    return np.maximum.reduce(a, axis=axis, keepdims=keepdims)


@primitive(r"\min a", lambda g, y, a, *, axis, keepdims: _share(g, y, a, axis, keepdims))
def amin(a: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """y = the smallest element; ties share the gradient evenly."""
    return np.minimum.reduce(a, axis=axis, keepdims=keepdims)


# ------------------------------------------------------------------------------------------ places of elements
@primitive(r"\arg\max a", None)
def argmax(a: Array, *, axis: int | None = None, keepdims: bool = False) -> Array:
    """y = the index of the first of the largest elements; nan is the largest."""
    return np.argmax(a, axis=axis, keepdims=keepdims)


@primitive(r"\arg\min a", None)
def argmin(a: Array, *, axis: int | None = None, keepdims: bool = False) -> Array:
    """y = the index of the first of the smallest elements; nan is the smallest."""
    return np.argmin(a, axis=axis, keepdims=keepdims)


@primitive(r"\operatorname{argsort} a", None)
def argsort(a: Array, *, axis: int, descending: bool = False) -> Array:
    """y = the indices that sort `a` along an axis; equal elements keep their order."""
    if not descending:
        return np.argsort(a, axis, kind="stable")
    return np.flip(a.shape[axis] - 1 - np.argsort(np.flip(a, axis), axis, kind="stable"), axis).copy()


# ------------------------------------------------------------------------------------------ running sums
@primitive(
    r"\mathrm{cumsum}\, a", lambda g, y, a, *, axis: flip(cumsum(flip(g, axis=(axis,)), axis=axis), axis=(axis,))
)
def cumsum(a: Array, *, axis: int) -> Array:
    """yₖ = a₀ + … + aₖ; float32 is added in float64, because each sum adds to the error of the one before."""
    return np.cumsum(a, axis, dtype=np.float64).astype(a.dtype) if a.dtype.char == "f" else np.cumsum(a, axis)
