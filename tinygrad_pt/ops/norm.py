"""Norms, computed from |a|/2ᵉ where the powers of the elements would be too large or too small for a float."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_pt.calling import primitive
from tinygrad_pt.graph import Array
from tinygrad_pt.ops.elementwise import abs, eq, power, sign, where
from tinygrad_pt.ops.shape import Axis, spread, total

# From here on, no element whose square is too small for a float32 has a share in the digits of Σ a².
LEAST = 1e-31


def square_sum(a: Array) -> Any:
    """Σ a² of a vector, by BLAS, which has summed a long one in too few parts: those of 4096 are added in pairs."""
    if a.size <= 32768:
        return a.dot(a)
    whole = a.size // 4096 * 4096
    rows, rest = a[:whole].reshape(-1, 4096), a[whole:]
    return np.add.reduce(np.vecdot(rows, rows)) + rest.dot(rest)


def squares(a: Array, axis: Axis, keepdims: bool) -> Array | None:
    """Σ a², or None if one of the sums is so large or small that it has lost digits (or 0, or inf, or nan)."""
    y = square_sum(a.reshape(-1)) if axis is None and not keepdims else total(a * a, axis, keepdims)
    if y.__class__ is np.ndarray:
        ordinary = y.size and np.minimum.reduce(y, None) >= LEAST and np.maximum.reduce(y, None) < math.inf
        return y if ordinary else None
    return y if LEAST <= y < math.inf else None


def scaled(a: Array, axis: Axis, extreme: np.ufunc = np.maximum) -> tuple[Array, Array]:
    """|a|/2ᵉ, and e, for which the largest (or another extreme) of |a|/2ᵉ over `axis` lies between 1/2 and 1."""
    size = np.abs(a)
    m, e = np.frexp(extreme.reduce(size, axis=axis, keepdims=True, initial=None if a.size else 0))
    e = np.where(np.isfinite(m), e, 0)
    return np.ldexp(size, -e), e


def unscaled(y: Array, e: Array, axis: Axis, keepdims: bool) -> Array:
    """y · 2ᵉ, where y and e have kept their reduced axes."""
    y = np.ldexp(y, e)
    return (y if keepdims else np.squeeze(y, axis))[()]


# The gradient is the direction a/y. At 0 it is 0, the subgradient of least norm: the formula gives it with ∞ for y.
@primitive(
    r"\left\|a\right\|",
    lambda g, y, a, *, axis, keepdims: (
        spread(g, a.shape, axis, keepdims) * (a / spread(where(eq(y, 0), math.inf, y), a.shape, axis, keepdims))
    ),
)
def norm(a: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """y = √Σ a²; the squares may be larger or smaller than any float."""
    y = squares(a, axis, keepdims)
    if y is not None:
        return np.sqrt(y)
    small, e = scaled(a, axis)
    return unscaled(np.sqrt(total(small * small, axis, True)), e, axis, keepdims)


def _slope(y: Any, a: Any, axis: Axis, keepdims: bool, p: float) -> Any:
    """∂y/∂a = sign a · (|a|/y)ᵖ⁻¹; it is 0 where a or y is 0, also where the formula is ∞ there (p < 1)."""
    none = eq(a, 0)
    if p < 0:  # |a| ≥ y
        ratio, n = spread(y, a.shape, axis, keepdims) / where(none, 1.0, abs(a)), 1 - p
    else:
        ratio, n = abs(a) / spread(where(eq(y, 0), math.inf, y), a.shape, axis, keepdims), p - 1
    return sign(a) * where(none, 0.0, power(where(none, 1.0, ratio), n=n))


@primitive(
    r"\left\|a\right\|_{p}",
    lambda g, y, a, *, axis, keepdims, p: spread(g, a.shape, axis, keepdims) * _slope(y, a, axis, keepdims, p),
)
def pnorm(a: Array, *, axis: Axis = None, keepdims: bool = False, p: float) -> Array:
    """y = (Σ |a|ᵖ)^(1/p) for a finite p that is not 0."""
    small, e = scaled(a, axis, np.maximum if p > 0 else np.minimum)
    return unscaled(np.power(total(np.power(small, p), axis, True), 1 / p), e, axis, keepdims)
