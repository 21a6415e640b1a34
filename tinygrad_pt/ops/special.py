"""Special functions that NumPy does not have, and soft steps whose derivatives are right however far from 0.

The rules of `sigmoid` and `tanh` read y alone, which saves memory, but y is 1 from 17 on in float32. The soft functions
here read a instead.
"""

# fmt: off
from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_pt.calling import binary, primitive, several, unary
from tinygrad_pt.graph import Array, Op
from tinygrad_pt.ops import bell as single
from tinygrad_pt.ops.elementwise import abs, cast, clamp, reciprocal, sigmoid, square, tanh, zero
from tinygrad_pt.ops.reduce import sum
from tinygrad_pt.ops.shape import expand


# ------------------------------------------------------------------------------------------ between two values
@primitive(
    r"a + c\,(b - a)",
    lambda g, y, a, b, c: g * (1 - c),
    lambda g, y, a, b, c: g * c,
    lambda g, y, a, b, c: g * (b - a),
    elementwise=True,
    domain="promote",
)
def lerp(a: Array, b: Array, c: Array) -> Array:
    """y = a + c (b - a), computed from the nearer end, so that it is b for c = 1."""
    d = b - a
    y = np.where(np.abs(c) < 0.5, a + c * d, b - d * (1 - c))
    return np.where(np.isinf(d), (1 - c) * a + c * b, y)


# ------------------------------------------------------------------------------------------ soft steps
def _sech(a: Array) -> Array:
    e = np.exp(-np.abs(a))
    return 2 * e / (1 + e * e)


# the bells under the two steps: σ'(a) = sech²(a/2)/4, tanh'(a) = sech²(a)
sech = unary("sech", _sech, r"\operatorname{sech} a", lambda g, y, a: -(g * (y * wide_tanh(a))))

wide_sigmoid = unary("wide_sigmoid", sigmoid.op.forward, r"\sigma(a)",
    lambda g, y, a: g * (0.25 * square(sech(0.5 * a))))

wide_tanh = unary("wide_tanh", tanh.op.forward, r"\tanh a", lambda g, y, a: g * square(sech(a)))

logsigmoid = unary("log_sigmoid", lambda a: 0 - np.logaddexp(0, -a), r"\ln \sigma(a)",
    lambda g, y, a: g * wide_sigmoid(-a))

# The two derivatives are the softmax of (a, b); for inf beside a number they are 1 and 0.
logaddexp = binary("logaddexp", np.logaddexp, r"\ln(e^{a} + e^{b})",
    lambda g, y, a, b: g * wide_sigmoid(a - b),
    lambda g, y, a, b: g * wide_sigmoid(b - a), domain="float")


def _tanhshrink(a: Array) -> Array:
    t = s = a * a
    for k in range(21, 3, -2):  # tanh a = a/(1 + a²/(3 + a²/(5 + …))), without a difference (Lambert)
        t = s / (k + t)
    t = s / (3 + t)
    return np.where(np.abs(a) < 1, a * (t / (1 + t)), a - np.tanh(a)).astype(a.dtype)


# An op of its own for stability: near 0, a and tanh a are equal in all digits.
tanhshrink = unary("tanhshrink", _tanhshrink, r"a - \tanh a", lambda g, y, a: g * square(wide_tanh(a)))

# An op of its own for stability: the derivative of the quotient would be 1/(1 + |a|) - |a|/(1 + |a|)².
softsign = unary("softsign", lambda a: a / (1 + np.abs(a)), r"\frac{a}{1 + |a|}",
    lambda g, y, a: g * square(reciprocal(1 + abs(a))))


# ------------------------------------------------------------------------------------------ the normal distribution
@primitive(r"e^{-c a^{2}}", lambda g, y, a, *, c: g * (-2 * c * (a * y)), elementwise=True)
def gauss(a: Array, *, c: float) -> Array:
    """y = e^(-c a²) for c = 1 or 1/2."""
    if a.dtype.char == "f":
        return single.bell(a, c)
    x = np.clip(np.asarray(a, float), -40, 40)
    h = x.astype(np.float32).astype(float)  # h² has no rounding, which e to its power would enlarge
    return (np.exp(-c * (h * h)) * np.exp(-c * ((x - h) * (x + h)))).astype(a.dtype)


# The C library computes one number at a time, in about 0.1 µs, and right to the last digit.
_erf, _erfc = np.frompyfunc(math.erf, 1, 1), np.frompyfunc(math.erfc, 1, 1)

erf = unary("erf", lambda a: np.asarray(_erf(a)).astype(a.dtype), r"\operatorname{erf} a",
    lambda g, y, a: g * (gauss(a, c=1) * 1.1283791670955126))


ROOT, REST = float(np.float32(math.sqrt(0.5))), 1.210161710447897e-08  # their sum is √½ to 25 digits


def phi(a: Array) -> Array:
    if a.dtype.char == "f":
        return single.phi(a)
    x = np.clip(np.asarray(a, float), -40, 40)
    z = x * math.sqrt(0.5)
    y = 0.5 * np.asarray(_erfc(-z)).astype(float)
    if a.dtype == np.float64:  # erfc enlarges the rounding of z by 2z², so what z lacks is added with the slope
        h = x.astype(np.float32).astype(float)
        lack = (h * ROOT - z) + (h * REST + (x - h) * ROOT) + (x - h) * REST
        y = y + lack * np.exp(-z * z) / math.sqrt(math.pi)
    return y.astype(a.dtype)


normal = unary("normal", phi, r"\Phi(a)", lambda g, y, a: g * (gauss(a, c=0.5) * 0.3989422804014327))


@np.errstate(all="ignore")
def with_slope(a: Array) -> list[Array]:
    """a Φ(a), and its derivative Φ(a) + a φ(a)."""
    if a.dtype.char == "f":
        return single.gelu(a)
    p = phi(a)
    return [a * p, p + a * (gauss.op.forward(a, c=0.5) * 0.3989422804014327)]


def _gelu(a: Array, b: Array | None = None, c: Array | None = None) -> Array:
    """y = a Φ(a), which is b if that is given; c is its derivative, if that is known."""
    return with_slope(a)[0] if b is None else b


def _gelu_slope(a: Array, b: Array | None = None) -> Array:
    """y = Φ(a) + a φ(a), the derivative of a Φ(a), which is b if that is given."""
    return with_slope(a)[1] if b is None else b


# Ops of their own for a measured gain: most of the work for the value is work for the slope, too.
gelu = several(Op("gelu", _gelu,
    (lambda g, y, a, b=None, c=None: g * gelu_slope(a, c), None, None), r"a \cdot \Phi(a)", elementwise=True,
    aside=1))

gelu_slope = several(Op("gelu_slope", _gelu_slope,
    (lambda g, y, a, b=None: g * bend(clamp(a, low=-40.0, high=40.0)), None),
    r"\Phi(a) + a \cdot \phi(a)", elementwise=True, aside=1))


def bend(a: Any) -> Any:
    """(2 - a²) φ(a), the second derivative of a Φ(a)."""
    return (2 - a * a) * (gauss(a, c=0.5) * 0.3989422804014327)


# ------------------------------------------------------------------------------------------ on which nothing depends
@primitive(r"a",
    lambda g, y, a, b: g,
    lambda g, y, a, b: expand(zero(cast(sum(g, axis=None, keepdims=False), dtype=b.dtype)), shape=b.shape), moves=True)
def constant_in(a: Array, b: Array) -> Array:
    """y = a, as a function of b too, by which its derivative is 0."""
    return np.array(a)
