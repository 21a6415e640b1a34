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


ONE, HALF, FAR = _single(1), _single(0.5), _single(40)
UPPER, SIGN = np.array(-4096, np.int32), np.array(31, np.int32)
# Φ(-t) e^(t²/2) = u P(u) for u = 1/(1 + t/2), to 3·10⁻⁸ of its value for t from 0 to 15: a fit at Chebyshev's nodes.
P = [
    _single(c) for c in (
        -0.038878433406353, 0.18686850368976593, -0.3111827075481415, 0.08942501246929169, 0.35303932428359985,
        -0.407712459564209, 0.053475625813007355, 0.02298128418624401, 0.15331244468688965, 0.19919142127037048,
        0.19947998225688934,
    )
]  # fmt: skip


def _blockwise(a: Array, step: Callable[[Array, Array, Array, Array], None]) -> Array:
    """`step(x, y, s, t)` for each block x of a; it fills the block y of the result, and s and t are free to use."""
    x = np.ascontiguousarray(a).reshape(-1)
    y = np.empty_like(x)
    s, t = np.empty((2, min(x.size, BLOCK)), np.float32)
    for i in range(0, x.size, BLOCK):
        n = min(BLOCK, x.size - i)
        step(x[i : i + n], y[i : i + n], s[:n], t[:n])
    return y.reshape(a.shape)[()]  # of one number NumPy makes a scalar


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

    return _blockwise(a, step)


def phi(a: Array) -> Array:
    """Φ(a): below 0 the product, above it 1 minus the product."""
    exponent = _single(-0.5)

    def step(x: Array, y: Array, s: Array, t: Array) -> None:
        np.abs(x, t)
        np.minimum(t, FAR, out=t)
        _bell(t, y, s, exponent)
        np.multiply(t, HALF, t)
        np.add(t, ONE, t)
        np.reciprocal(t, s)
        np.multiply(y, s, y)
        np.multiply(s, P[0], t)
        np.add(t, P[1], t)
        for c in P[2:]:
            np.multiply(t, s, t)
            np.add(t, c, t)
        np.multiply(y, t, y)
        np.subtract(ONE, y, t)
        below, above, negative = y.view(np.int32), t.view(np.int32), s.view(np.int32)
        np.right_shift(x.view(np.int32), SIGN, negative)  # all bits are 1, or 0: a choice without a branch
        np.bitwise_xor(below, above, below)
        np.bitwise_and(below, negative, below)
        np.bitwise_xor(below, above, below)

    return _blockwise(a, step)
