"""Ops on the representation of numbers: exponents of 2, and neighbours."""

# fmt: off
from __future__ import annotations

import numpy as np

from tinygrad_pt.calling import binary, primitive
from tinygrad_pt.graph import Array
from tinygrad_pt.ops.elementwise import eq, where, zero
from tinygrad_pt.ops.special import wide_sigmoid


@primitive(r"a \cdot 2^{n}", lambda g, y, a, *, n: scale(g, n=n))
def scale(a: Array, *, n: Array) -> Array:
    """y = a · 2ⁿ for integers n."""
    return np.ldexp(a, n)


# The two derivatives are the softmax of (a, b) with base 2.
logaddexp2 = binary("logaddexp2", np.logaddexp2, r"\log_{2}(2^{a} + 2^{b})",
    lambda g, y, a, b: g * wide_sigmoid((a - b) * 0.6931471805599453),
    lambda g, y, a, b: g * wide_sigmoid((b - a) * 0.6931471805599453), domain="float")

# Where a is b, PyTorch takes the result for b, and lets no gradient pass.
nextafter = binary("nextafter", np.nextafter, r"\mathrm{next}(a,\, b)",
    lambda g, y, a, b: where(eq(a, b), 0.0, g),
    lambda g, y, a, b: zero(g))
