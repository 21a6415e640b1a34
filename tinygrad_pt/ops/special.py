"""Special functions that NumPy does not have, and an argument on which nothing depends."""

from __future__ import annotations

import math

import numpy as np

from tinygrad_pt.calling import primitive, unary
from tinygrad_pt.graph import Array
from tinygrad_pt.ops.elementwise import cast, exp, zero
from tinygrad_pt.ops.reduce import sum
from tinygrad_pt.ops.shape import expand

# The C library computes one number at a time, in about 0.1 µs, and right to the last digit.
_erf = np.frompyfunc(math.erf, 1, 1)

erf = unary(
    "erf",
    lambda a: np.asarray(_erf(a)).astype(a.dtype),
    r"\operatorname{erf} a",
    lambda g, y, a: g * (exp(-(a * a)) * 1.1283791670955126),
)


@primitive(
    r"a", lambda g, y, a, b: g, lambda g, y, a, b: expand(zero(cast(sum(g), dtype=b.dtype)), shape=b.shape), moves=True
)
def constant_in(a: Array, b: Array) -> Array:
    """y = a, as a function of b too, by which its derivative is 0."""
    return np.array(a)
