"""Functions of probability theory that NumPy lacks."""

from __future__ import annotations

import math

import numpy as np

from tinygrad_pt.calling import unary
from tinygrad_pt.ops.elementwise import exp

# From the C library, number by number: some 0.1 µs each, in exchange for every digit.
_erf = np.frompyfunc(math.erf, 1, 1)

erf = unary(
    "erf",
    lambda a: np.asarray(_erf(a)).astype(a.dtype),
    r"\operatorname{erf} a",
    lambda g, y, a: g * (exp(-(a * a)) * 1.1283791670955126),
)
