"""Soft extremes: smooth functions of all elements along an axis in which the largest prevails.

They are ops of their own for stability: no eᵃ overflows, and nothing divides by almost 0 or takes its logarithm.
"""

from __future__ import annotations

import numpy as np

from tinygrad_pt.calling import primitive
from tinygrad_pt.graph import Array
from tinygrad_pt.ops.elementwise import exp
from tinygrad_pt.ops.reduce import sum
from tinygrad_pt.ops.shape import Axis, spread, total


def _below_largest(a: Array, axis: Axis) -> Array:
    """a minus the largest element along an axis."""
    # NumPy would look for it in one short row after the other, but in columns side by side.
    x = a.copy("F") if a.ndim == 2 and axis == 1 and a.shape[1] <= 32 else a
    return a - np.maximum.reduce(x, axis=axis, keepdims=True, initial=-np.inf)


def _shifted(a: Array, axis: Axis) -> tuple[Array, Array]:
    top = np.maximum.reduce(a, axis=axis, keepdims=True, initial=-np.inf)
    return a - np.where(np.isfinite(top), top, 0).astype(a.dtype), top


@primitive(
    r"\ln\sum e^{a}",
    lambda g, y, a, *, axis, keepdims: spread(g, a.shape, axis, keepdims) * exp(a - spread(y, a.shape, axis, keepdims)),
)
def logsumexp(a: Array, *, axis: Axis, keepdims: bool = False) -> Array:
    """y = ln Σ eᵃ."""
    shifted, top = _shifted(a, axis)
    y = np.log(total(np.exp(shifted), axis, True)) + np.where(np.isfinite(top), top, 0)
    return (y if keepdims else np.squeeze(y, axis)).astype(a.dtype)[()]


@primitive(r"\operatorname{softmax} a", lambda g, y, a, *, axis: y * (g - sum(g * y, axis=axis, keepdims=True)))
def softmax(a: Array, *, axis: int) -> Array:
    """y = eᵃ / Σ eᵃ."""
    y = _below_largest(a, axis)
    y = np.exp(y, out=y) if y.ndim else np.exp(y)
    return y / total(y, axis, True)


@primitive(r"\ln\operatorname{softmax} a", lambda g, y, a, *, axis: g - exp(y) * sum(g, axis=axis, keepdims=True))
def log_softmax(a: Array, *, axis: int) -> Array:
    """y = a - ln Σ eᵃ."""
    y = _below_largest(a, axis)
    return y - np.log(total(np.exp(y), axis, True))
