"""The weights of attention: a softmax over what a mask leaves."""

from __future__ import annotations

import numpy as np

from tinygrad_pt.calling import primitive
from tinygrad_pt.graph import Array
from tinygrad_pt.ops.reduce import sum
from tinygrad_pt.ops.shape import sum_to, total


# An op of its own for a measured gain: the steps are done in place.
@primitive(
    r"b \odot (a - a \cdot b)",
    lambda g, y, a, b, *, scale: softmax_slope(g, b, scale=scale),
    lambda g, y, a, b, *, scale: (
        g * (a - sum(a * b, axis=-1, keepdims=True)) - a * sum(g * b, axis=-1, keepdims=True)
    ) * scale,
)  # fmt: skip
def softmax_slope(a: Array, b: Array, *, scale: float) -> Array:
    """y = scale · b ⊙ (a - Σ a b) over the last axis: a times the derivative of b = softmax(scale · x) by x."""
    y = a - np.vecdot(a, b)[..., None]
    y *= b
    if scale != 1:
        y *= y.dtype.type(scale)
    return y


# An op of its own for a measured gain, and so that a row without any number left is 0, not nan.
@primitive(
    r"\operatorname{softmax}(a + b)",
    lambda g, y, a, b=None, *, scale: softmax_slope(g, y, scale=scale),
    lambda g, y, a, b, *, scale: sum_to(softmax_slope(g, y, scale=1.0), shape=b.shape),
)
def attention_weights(a: Array, b: Array | None = None, *, scale: float) -> Array:
    """y = softmax(scale · a + b) over the last axis; 0 in a row where all is -∞. b broadcasts to the shape of a."""
    y = a * a.dtype.type(scale)
    if b is not None:
        y += b
    n = a.shape[-1]
    if not y.size:
        return y
    top = np.maximum.reduce(y, None)
    if top < 80:  # no power overflows: where no sum is too small, the largest numbers of the rows do not matter
        powers = np.exp(y)
        sums = powers.reshape(-1, n).dot(np.ones(n, y.dtype)) if n <= 4096 else total(powers, -1, False).reshape(-1)
        if np.minimum.reduce(sums) > 1e-30:
            powers *= np.reciprocal(sums).reshape(*a.shape[:-1], 1)
            return powers
    top = np.maximum.reduce(y, -1, keepdims=True)
    y -= np.where(top == -np.inf, 0, top)
    np.exp(y, out=y)
    sums = total(y, -1, True)
    y /= np.where(sums == 0, 1, sums)
    return y
