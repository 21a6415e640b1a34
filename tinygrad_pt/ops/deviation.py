"""How far elements lie from their mean: variance and standard deviation."""

from __future__ import annotations

import math

import numpy as np

from tinygrad_pt.calling import primitive
from tinygrad_pt.graph import Array
from tinygrad_pt.ops.elementwise import eq, where
from tinygrad_pt.ops.norm import norm, squares
from tinygrad_pt.ops.reduce import count, mean
from tinygrad_pt.ops.shape import Axis, Shape, spread


@primitive(
    r"\operatorname{var} a",
    lambda g, y, a, *, axis, keepdims, correction: (
        spread(g * 2 / _freedom(a.shape, axis, correction), a.shape, axis, keepdims)
        * (a - mean(a, axis=axis, keepdims=True))
    ),
)
def var(a: Array, *, axis: Axis = None, keepdims: bool = False, correction: float = 1) -> Array:
    """y = Σ (a - mean a)² / (n - correction)."""
    centred, freedom = a - mean.op.forward(a, axis=axis, keepdims=True), _freedom(a.shape, axis, correction)
    y = squares(centred, axis, keepdims)
    if y is not None:
        return y / freedom
    return np.square(norm.op.forward(centred, axis=axis, keepdims=keepdims) / np.sqrt(a.dtype.type(freedom)))


# std is an op of its own because √ has no derivative at 0. Where all elements are equal, its gradient is 0 (PyTorch);
# the formula gives that with ∞ in place of y.
@primitive(
    r"\operatorname{std} a",
    lambda g, y, a, *, axis, keepdims, correction: (
        spread(g / _freedom(a.shape, axis, correction), a.shape, axis, keepdims)
        * ((a - mean(a, axis=axis, keepdims=True)) / spread(where(eq(y, 0), math.inf, y), a.shape, axis, keepdims))
    ),
)
def std(a: Array, *, axis: Axis = None, keepdims: bool = False, correction: float = 1) -> Array:
    """y = √(Σ (a - mean a)² / (n - correction))."""
    centred, freedom = a - mean.op.forward(a, axis=axis, keepdims=True), _freedom(a.shape, axis, correction)
    y = squares(centred, axis, keepdims)
    if y is not None:
        return np.sqrt(y / freedom)
    return norm.op.forward(centred, axis=axis, keepdims=keepdims) / np.sqrt(a.dtype.type(freedom))


def _freedom(shape: Shape, axis: Axis, correction: float) -> float:
    return max(0.0, count(shape, axis) - correction)
