"""The modified Bessel functions of the first kind, of order 0 and 1, by themselves and times e^-|a|.

Up to 20 they are their power series, whose terms are positive; beyond, the asymptotic series of Hankel (Abramowitz and
Stegun, 9.6.10 and 9.7.1), whose smallest term is below e⁻⁴⁰ there.
"""

# fmt: off
from __future__ import annotations

import math

import numpy as np

from tinygrad_pt.calling import unary
from tinygrad_pt.graph import Array
from tinygrad_pt.ops.elementwise import eq, sign, where

FAR = 20.0


def _scaled(a: Array, order: int, more: float) -> Array:
    """I(a) e^(more - |a|), where `more` is 0 or |a|."""
    x = np.abs(np.asarray(a, np.float64))
    with np.errstate(all="ignore"):
        near = np.minimum(x, FAR)
        y, square = np.zeros_like(x), near * near / 4
        for k in range(50, -1, -1):
            y = y * square + 1 / (math.factorial(k) * math.factorial(k + order))
        if order:
            y = y * (near / 2)
        far = np.maximum(x, FAR)
        tail, term = np.ones_like(x), np.ones_like(x)
        for k in range(1, 32):
            term = term * (((2 * k - 1) ** 2 - 4 * order * order) / (8 * k)) / far
            tail = tail + term
        tail = tail / np.sqrt(2 * np.pi * far)
        if more:  # e^x in two factors, the product of which overflows no earlier than the result
            half = np.exp(far / 2)
            y = np.where(x < FAR, y, np.where(np.isinf(far), np.inf, tail * half * half))
        else:
            y = np.where(x < FAR, y * np.exp(-near), np.where(np.isinf(far), 0, tail))
    y = np.where(np.isnan(x), x, y)
    return (np.copysign(y, a) if order else y).astype(np.asarray(a).dtype)[()]


i0 = unary("i0", lambda a: _scaled(a, 0, 1), r"I_{0}(a)", lambda g, y, a: g * i1(a))

i0e = unary("i0e", lambda a: _scaled(a, 0, 0), r"e^{-|a|} I_{0}(a)", lambda g, y, a: g * (i1e(a) - sign(a) * y))


def _over(y: Array, a: Array) -> Array:
    """I₁(a)/a, which is 1/2 at 0."""
    return where(eq(a, 0), 0.5, y / where(eq(a, 0), 1.0, a))


i1 = unary("i1", lambda a: _scaled(a, 1, 1), r"I_{1}(a)", lambda g, y, a: g * (i0(a) - _over(y, a)))

i1e = unary("i1e", lambda a: _scaled(a, 1, 0), r"e^{-|a|} I_{1}(a)",
    lambda g, y, a: g * (i0e(a) - _over(y, a) - sign(a) * y))
