"""The normal distribution in float32, block by block: each step stays in the cache, and none looks at single numbers.

e^(-c x²) loses no digits in the exponent: h is x without its last 12 bits, so that h² is exact, and
x² = h² + (x - h)(x + h).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinygrad_pt.graph import Array

BLOCK = 16384


def _single(number: float) -> Array:
    return np.array(number, np.float32)


ZERO, HALF, ONE, FAR, RATE = _single(0), _single(0.5), _single(1), _single(40), _single(0.26)
ROOT = _single(0.3989422804014327)  # 1/√(2π)
UPPER, SIGN, BITS_OF_ONE = np.array(-4096, np.int32), np.array(-(2**31), np.int32), ONE.view(np.int32)
# Φ(-t) e^(t²/2) = u P(u) for u = 1/(1 + 0.26 t), to 3·10⁻⁸ of its value for t from 0 to 14.6: the best such polynomial.
P = [
    _single(c) for c in (
        0.030175993219017982, -0.15123113989830017, 0.2481905221939087, -0.14716970920562744, 0.15833112597465515,
        0.05214705318212509, 0.10274195671081543, 0.10305754840373993, 0.10375663638114929,
    )
]  # fmt: skip


def _blockwise(a: Array, step: Callable[..., None], results: int = 1, spare: int = 3) -> list[Array]:
    """`step(x, y, …, s, t, …)` for each block x of a; it fills the blocks y of the results, and s, t … are free."""
    x = np.ascontiguousarray(a).reshape(-1)
    ys = [np.empty_like(x) for _ in range(results)]
    free = np.empty((spare, min(x.size, BLOCK)), np.float32)
    for i in range(0, x.size, BLOCK):
        n = min(BLOCK, x.size - i)
        step(x[i : i + n], *(y[i : i + n] for y in ys), *free[:, :n])
    return [y.reshape(a.shape)[()] for y in ys]  # of one number NumPy makes a scalar


def _bell(x: Array, y: Array, s: Array, c: Array) -> None:
    """y = e^(c x²), for |x| of at most 40."""
    high, bits = s.view(np.int32), x.view(np.int32)
    np.bitwise_and(bits, UPPER, high)
    np.subtract(x, s, y)
    np.add(x, s, s)
    np.multiply(y, s, y)
    np.multiply(y, c, y)
    np.bitwise_and(bits, UPPER, high)
    np.multiply(s, s, s)
    np.multiply(s, c, s)
    np.exp(s, s)
    np.exp(y, y)
    np.multiply(y, s, y)


def bell(a: Array, c: float) -> Array:
    """e^(-c a²) for c = 1 or 1/2."""
    exponent = _single(-c)

    def step(x: Array, y: Array, s: Array, t: Array) -> None:
        np.abs(x, t)
        np.minimum(t, FAR, out=t)
        _bell(t, y, s, exponent)

    return _blockwise(a, step, spare=2)[0]


def _normal(x: Array, y: Array, s: Array, t: Array, e: Array) -> None:
    """y = Φ(x), e = e^(-x²/2)."""
    np.abs(x, t)
    np.minimum(t, FAR, out=t)
    _bell(t, e, s, -HALF)
    np.multiply(t, RATE, t)
    np.add(t, ONE, t)
    np.reciprocal(t, t)
    np.multiply(t, P[0], y)
    np.add(y, P[1], y)
    for c in P[2:]:
        np.multiply(y, t, y)
        np.add(y, c, y)
    np.multiply(y, t, y)
    np.multiply(y, e, y)  # Φ(-|x|)
    sign = s.view(np.int32)
    np.bitwise_and(x.view(np.int32), SIGN, sign)
    np.bitwise_or(sign, BITS_OF_ONE, sign)  # s is 1 or -1: a choice without a branch
    np.multiply(y, s, y)
    np.maximum(s, ZERO, out=s)
    np.subtract(s, y, y)


def phi(a: Array) -> Array:
    """Φ(a): below 0 that of -|a|, above it 1 minus that."""
    return _blockwise(a, _normal)[0]


def gelu(a: Array) -> list[Array]:
    """a Φ(a), and its derivative Φ(a) + a φ(a)."""

    def step(x: Array, y: Array, d: Array, s: Array, t: Array, e: Array) -> None:
        _normal(x, y, s, t, e)
        np.multiply(e, ROOT, e)
        np.multiply(e, x, e)
        np.add(y, e, d)
        np.multiply(y, x, y)

    return _blockwise(a, step, 2)
