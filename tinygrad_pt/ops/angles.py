"""Angles and lengths: the inverse functions of circles and hyperbolas, and √(a² + b²).

Where a derivative of theirs would pass through a number that overflows or cancels, it is an op of its own, with the
same notation: no a² is computed that is larger than the result, and no 1 - a² near a = 1.
"""

# fmt: off
from __future__ import annotations

import numpy as np

from tinygrad_pt.calling import binary, unary
from tinygrad_pt.graph import Array
from tinygrad_pt.ops.elementwise import rsqrt

# ---------------------------------------------------------------------------------- what derivatives are made of
one_minus_square = unary("one_minus_square", lambda a: (1 - a) * (1 + a), r"1 - a^{2}", lambda g, y, a: g * (-2 * a))

# 1/√(1 + a²), the cosine of the angle arctan a
secant = unary("secant", lambda a: 1 / np.hypot(1, a), r"\frac{1}{\sqrt{1 + a^{2}}}",
    lambda g, y, a: -(g * (a * y) * (y * y)))


def _bell(a: Array) -> Array:
    h = np.hypot(1, a)
    return 1 / h / h


# 1/(1 + a²), the square of that cosine
agnesi = unary("agnesi", _bell, r"\frac{1}{1 + a^{2}}", lambda g, y, a: g * (-2 * (a * y) * y))

# ------------------------------------------------------------------------------------------ of one number
asin = unary("asin", np.arcsin, r"\arcsin a", lambda g, y, a: g * rsqrt(one_minus_square(a)))

acos = unary("acos", np.arccos, r"\arccos a", lambda g, y, a: -(g * rsqrt(one_minus_square(a))))

atan = unary("atan", np.arctan, r"\arctan a", lambda g, y, a: g * agnesi(a))

asinh = unary("asinh", np.arcsinh, r"\operatorname{arsinh} a", lambda g, y, a: g * secant(a))

acosh = unary("acosh", np.arccosh, r"\operatorname{arcosh} a", lambda g, y, a: g * (rsqrt(a - 1) * rsqrt(a + 1)))

atanh = unary("atanh", np.arctanh, r"\operatorname{artanh} a", lambda g, y, a: g / one_minus_square(a))


# ------------------------------------------------------------------------------------------ of a point
def _length(a: Array, b: Array) -> tuple[Array, Array, Array]:
    """a as an array, and n and h so that the length of (a, b) is h 2ⁿ, and h is about 1, or 0."""
    kind = np.result_type(a, b)
    a, b = np.asarray(a, kind), np.asarray(b, kind)
    _, n = np.frexp(np.maximum(np.abs(a), np.abs(b)))
    return a, n, np.hypot(np.ldexp(a, -n), np.ldexp(b, -n))


def _cosine(a: Array, b: Array) -> Array:
    a, n, h = _length(a, b)
    return np.where(h == 0, 0, np.ldexp(a, -n) / h).astype(h.dtype)[()]


# a/√(a² + b²); at the origin it is 0, the subgradient of least norm
cosine = binary("cosine", _cosine, r"\frac{a}{\sqrt{a^{2} + b^{2}}}",
    lambda g, y, a, b: g * (cosine(b, a) * inversion(b, a)),
    lambda g, y, a, b: -(g * (y * inversion(b, a))), domain="float")

hypot = binary("hypot", np.hypot, r"\sqrt{a^{2} + b^{2}}",
    lambda g, y, a, b: g * cosine(a, b),
    lambda g, y, a, b: g * cosine(b, a), domain="float")


def _inversion(a: Array, b: Array) -> Array:
    a, n, h = _length(a, b)
    return np.where(h == 0, 0, np.ldexp(a, -2 * n) / h / h).astype(h.dtype)[()]


# a/(a² + b²); at the origin, where the angle has no derivative, it is 0 (PyTorch)
inversion = binary("inversion", _inversion, r"\frac{a}{a^{2} + b^{2}}",
    lambda g, y, a, b: g * ((cosine(b, a) - cosine(a, b)) * (cosine(b, a) + cosine(a, b)) / hypot(a, b) / hypot(a, b)),
    lambda g, y, a, b: g * (-2 * cosine(a, b) * cosine(b, a) / hypot(a, b) / hypot(a, b)), domain="float")

atan2 = binary("atan2", np.arctan2, r"\operatorname{atan2}(a,\, b)",
    lambda g, y, a, b: g * inversion(b, a),
    lambda g, y, a, b: -(g * inversion(a, b)), domain="float")
