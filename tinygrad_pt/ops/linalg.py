"""Products of vectors and matrices."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from tinygrad_pt.calling import pair, primitive
from tinygrad_pt.graph import Array, Op
from tinygrad_pt.ops.shape import expand, sum_to, t, total


@primitive(r"a \cdot b", lambda g, y, a, b: g * b, lambda g, y, a, b: g * a, domain="promote")
def dot(a: Array, b: Array) -> Array:
    """y = Σ aᵢ bᵢ of two vectors."""
    return a.dot(b)


@primitive(r"a\,b", lambda g, y, a, b: outer(g, b), lambda g, y, a, b: mv(t(a), g))
def mv(a: Array, b: Array) -> Array:
    """y = A b, a matrix with a vector."""
    return a.dot(b)


@primitive(r"a\,{b}^{\top}", lambda g, y, a, b: mv(g, b), lambda g, y, a, b: mv(t(g), a))
def outer(a: Array, b: Array) -> Array:
    """yᵢⱼ = aᵢ bⱼ."""
    return np.multiply(a[:, None], b)


# The method `dot` is NumPy's fastest product of two small matrices.
mm = pair(
    Op(
        "mm",
        np.ndarray.dot,
        (lambda g, y, a, b: mm(g, t(b)), lambda g, y, a, b: mm(t(a), g)),
        r"a\,b",
        doc="Y = A B, matrix with matrix.",
    )
)


@primitive(
    r"a\,b",
    lambda g, y, a, b: sum_to(bmm(g, t(b)), shape=a.shape),
    lambda g, y, a, b: sum_to(bmm(t(a), g), shape=b.shape),
)
def bmm(a: Array, b: Array) -> Array:
    """Y = A B over the last two axes; leading axes broadcast."""
    return np.matmul(a, b)


@primitive(r"\textstyle\sum a", lambda g, y, a: expand(g, shape=a.shape))
def sum_rows(a: Array) -> Array:
    """y = the sum of the rows of A; up to 4096 are added as 1ᵀA, by BLAS, three times as fast as by a reduction."""
    if a.dtype.char in "fd" and a.shape[0] <= 4096:
        return ones(a.shape[0], a.dtype.char).dot(a)
    return total(a, 0, False)


ones = lru_cache(maxsize=64)(np.ones)


# An op of its own for a measured gain: one vertex and three calls of BLAS instead of three vertices and a transpose.
@primitive(
    r"a\,{b}^{\top} + c",
    lambda g, y, a, b, c=None: mm(g, b),
    lambda g, y, a, b, c=None: mm(t(g), a),
    lambda g, y, a, b, c: sum_rows(g),
)
def linear(a: Array, b: Array, c: Array | None = None) -> Array:
    """Y = A Bᵀ + c: the layer of neurons, one row of A per example, one row of B per neuron."""
    y = a.dot(b.T)
    if c is not None:
        y += c
    return y
