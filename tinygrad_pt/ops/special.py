"""Special functions that NumPy does not have."""

from __future__ import annotations

import math

import numpy as np

from tinygrad_pt.calling import unary
from tinygrad_pt.ops.elementwise import exp

# The C library computes one number at a time, in about 0.1 µs, and right to the last digit.
_erf = np.frompyfunc(math.erf, 1, 1)

erf = unary(
    "erf",
    lambda a: np.asarray(_erf(a)).astype(a.dtype),
    r"\operatorname{erf} a",
    lambda g, y, a: g * (exp(-(a * a)) * 1.1283791670955126),
)
