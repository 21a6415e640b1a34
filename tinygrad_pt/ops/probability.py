"""Functions of probability theory: the complement of erf, inverse functions, logarithms of distributions."""

# fmt: off
from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_pt.calling import binary, unary
from tinygrad_pt.graph import Array
from tinygrad_pt.ops.elementwise import eq, exp, ge, le, log, log1p, logical_and, where
from tinygrad_pt.ops.special import gauss, phi

# The C library computes one number at a time, in about 0.1 µs, and right to the last digit.
_erf, _erfc = np.frompyfunc(math.erf, 1, 1), np.frompyfunc(math.erfc, 1, 1)
SLOPE = 1.1283791670955126  # 2/√π


def _wide(a: Any) -> Array:
    return np.asarray(a, np.float64)


def _back(y: Array, a: Any) -> Array:
    return y.astype(np.asarray(a).dtype)[()]


def _c(function: Any, x: Array) -> Array:
    return np.asarray(function(x)).astype(float)


# ------------------------------------------------------------------------------------------ the error function
erfc = unary("erfc", lambda a: _back(_c(_erfc, _wide(a)), a), r"\operatorname{erfc} a",
    lambda g, y, a: -(g * (gauss(a, c=1) * SLOPE)))


def _exp_square(x: Array) -> Array:
    """e^(x²); x² is computed with the digits that e to its power enlarges."""
    x = np.clip(x, -40, 40)
    h = x.astype(np.float32).astype(float)
    return np.exp(h * h) * np.exp((x - h) * (x + h))


def scaled_erfc(x: Array) -> Array:
    """e^(x²) erfc x; from 12 on by the asymptotic series, before e^(x²) overflows."""
    with np.errstate(all="ignore"):
        near = np.clip(x, -40, 12)
        y = _exp_square(near) * _c(_erfc, near)
        far = np.maximum(x, 12)
        tail, term, step = np.ones_like(x), np.ones_like(x), 0.5 / far / far
        for k in range(1, 16):
            term = term * (-(2 * k - 1)) * step
            tail = tail + term
        return np.where(x < 12, y, np.where(np.isnan(x), x, tail / far * 0.5641895835477563))


erfcx = unary("erfcx", lambda a: _back(scaled_erfc(_wide(a)), a), r"e^{a^{2}}\operatorname{erfc} a",
    lambda g, y, a: g * (2 * a * y - SLOPE))


def inverse_erf(x: Array) -> Array:
    """By Halley's iteration; near 1 for erfc, whose argument 1 - |x| is exact there."""
    with np.errstate(all="ignore"):
        s = np.abs(x)
        rest = 1 - s
        w = np.log(rest * (1 + s))
        b = 2 / (np.pi * 0.147) + w / 2
        y = np.sqrt(np.sqrt(b * b - w / 0.147) - b)  # Winitzki's formula, right to 0.2 %
        y = np.where(s < 1e-2, s / SLOPE * (1 + np.pi / 12 * s * s), np.where(np.isfinite(y), y, 0))
        for _ in range(3):
            error = np.where(s < 0.5, _c(_erf, y) - s, rest - _c(_erfc, y))
            step = error / (SLOPE * np.exp(-y * y))
            y = y - step / (1 + y * step)
        y = np.where(s == 1, np.inf, np.where(s > 1, np.nan, y))
    return np.where(np.isnan(x), x, np.copysign(y, x))


erfinv = unary("erfinv", lambda a: _back(inverse_erf(_wide(a)), a), r"\operatorname{erf}^{-1} a",
    lambda g, y, a: g * (0.8862269254527580 * exp(y * y)))


# ------------------------------------------------------------------------------------------ the normal distribution
def log_normal(x: Array) -> Array:
    """ln Φ(x)."""
    with np.errstate(all="ignore"):
        z = x * math.sqrt(0.5)
        left = np.log(scaled_erfc(-np.minimum(z, 0)) / 2) - z * z
        return np.where(x < -1, np.where(np.isneginf(x), x, left), np.log1p(-phi(-x)))


log_ndtr = unary("log_ndtr", lambda a: _back(log_normal(_wide(a)), a), r"\ln \Phi(a)",
    lambda g, y, a: g * (0.7978845608028654 / erfcx(a * -0.7071067811865476)))


def inverse_normal(p: Array) -> Array:
    """In the middle √2 erf⁻¹(2p - 1); else by Newton's iteration for the logarithm of the smaller tail."""
    with np.errstate(all="ignore"):
        s = np.minimum(p, 1 - p)
        y = np.asarray(math.sqrt(2) * inverse_erf(2 * p - 1))
        far = (s > 0) & (s < 0.25)
        tail = np.log(s[far])
        z = -np.sqrt(-2 * tail)
        z = -np.sqrt(np.maximum(-2 * (tail + np.log(np.maximum(-z, 1)) + 0.9189385332046727), 0.1))
        for _ in range(6):
            z = z - (log_normal(z) - tail) * scaled_erfc(-z * math.sqrt(0.5)) / 0.7978845608028654
        y[far] = np.where(p[far] < 0.5, z, -z)
        return y


ndtri = unary("ndtri", lambda a: _back(inverse_normal(_wide(a)), a), r"\Phi^{-1}(a)",
    lambda g, y, a: g * (2.5066282746310002 * exp(y * y * 0.5)))


# ------------------------------------------------------------------------------------------ logarithms
def _logit(a: Array) -> Array:
    middle = (a > 0.25) & (a < 0.75)
    m = np.where(middle, a, 0.5)
    return np.where(middle, np.log1p((2 * m - 1) / (1 - m)), np.log(a) - np.log1p(-a)).astype(a.dtype)[()]


# An op of its own for stability: near 1/2 the quotient a/(1 - a) has lost the digits of its logarithm.
logit = unary("logit", _logit, r"\ln \frac{a}{1 - a}",
    lambda g, y, a: where(logical_and(ge(a, 0), le(a, 1)), g / (a * (1 - a)), math.nan))

def _times(a: Array, b: Array, function: Any) -> Array:
    """a · function(b), but 0 for a = 0 unless b is nan."""
    kind = np.result_type(a, b)
    a, b = np.asarray(a, kind), np.asarray(b, kind)
    return np.where((a == 0) & (b == b), 0, a * function(b)).astype(kind)[()]


def _ln(b: Any, function: Any) -> Any:
    """function(b); a Python number gives a Python number, which leaves the dtype of an array beside it as it is."""
    return function(b) if hasattr(b, "dtype") else float(function.op.forward(float(b)))


# a ln b is 0 for a = 0, whatever b is; there PyTorch's derivatives by a are 0, too.
xlogy = binary("xlogy", lambda a, b: _times(a, b, np.log), r"a \ln b",
    lambda g, y, a, b: g * where(eq(a, 0), 0.0, _ln(b, log)),
    lambda g, y, a, b: g * (a / b), domain="float")

xlog1py = binary("xlog1py", lambda a, b: _times(a, b, np.log1p), r"a \ln(1 + b)",
    lambda g, y, a, b: g * where(eq(a, 0), 0.0, _ln(b, log1p)),
    lambda g, y, a, b: g * (a / (1 + b)), domain="float")
