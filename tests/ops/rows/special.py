"""Rows of the special functions; tests/ops/test_special.py holds both of their tails to exact numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from statistics import NormalDist
from typing import Any

import mpmath
import numpy as np

from tests.ops.rows.row import *  # noqa: F403

FEW = [((3,),), ((),), ((0, 2),)]
TWO_FEW = [((3,), (3,)), ((2, 1), (1, 2)), ((), (2,))]


def exactly(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function of numbers, applied to each element."""
    return np.vectorize(lambda *x: float(f(*map(float, x))), otypes=[float])


def few(name: str, f: Callable[..., Any], domain: Any, *edges: Edge, **more: Any) -> None:
    row(name, exactly(f), domain, cases(FEW), *edges, elementwise=True, **more)


def pairs(name: str, f: Callable[..., Any], domains: Any, *edges: Edge, **more: Any) -> None:
    row(name, exactly(f), domains, cases(TWO_FEW), *edges, elementwise=True, **more)


few("lgamma", math.lgamma, positive, at([0, -1, 1, inf, nan], [inf, inf, 0, inf, nan]))
row("polygamma", lambda a, n: exactly(lambda x: mpmath.polygamma(n, x))(a), positive,
    cases(FEW, dict(n=0), dict(n=1), dict(n=2)), at([0, -1, inf], [-inf, nan, inf], n=0), at([0, -1], [inf, inf], n=1),
    elementwise=True)  # fmt: skip
for name, f, edges in (
    ("zeta", mpmath.zeta, ((2.0, [1, -1], [np.pi**2 / 6, inf]), (2.5, [0, -0.5], [inf, nan]), (1.0, [1], [inf]))),
    ("igamma", lambda s, x: mpmath.gammainc(s, 0, x, regularized=True), ((1.0, [0, inf, -1], [0, 1, nan]),)),
    ("igammac", lambda s, x: mpmath.gammainc(s, x, mpmath.inf, regularized=True), ((1.0, [0, inf, -1], [1, 0, nan]),)),
):
    row(name, lambda a, s, f=f: exactly(partial(f, s))(a), positive, cases(FEW, dict(s=2.0), dict(s=3.5)),
        *(at(x, y, s=s) for s, x, y in edges), elementwise=True)  # fmt: skip
for n in (0, 1):
    few(f"i{n}", lambda x, n=n: mpmath.besseli(n, x), real, at([0, inf, -inf], [1 - n, inf, (-inf, inf)[1 - n]]))
    few(f"i{n}e", lambda x, n=n: mpmath.besseli(n, x) * mpmath.exp(-abs(x)), nonzero, at([0, inf], [1 - n, 0]))
few("erfc", math.erfc, real, at([inf, -inf, nan], [0, 2, nan], [0, 0, nan]))
few("erfcx", lambda x: mpmath.exp(x * x) * mpmath.erfc(x), real, at([inf, -inf], [0, inf]))
few("erfinv", mpmath.erfinv, fraction, at([1, -1, 2, 0], [inf, -inf, nan, 0], [inf, inf, nan, math.sqrt(math.pi) / 2]))
few("log_ndtr", lambda x: mpmath.log(mpmath.erfc(-x / mpmath.sqrt(2)) / 2), real, at([inf, -inf], [0, -inf]))
few("ndtri", NormalDist().inv_cdf, Domain(0.1, 0.9), at([0, 1, 2], [-inf, inf, nan]), tolerance=1e-9)
few("logit", lambda x: math.log(x / (1 - x)), Domain(0.1, 0.9), at([0, 1, 2], [-inf, inf, nan], [inf, inf, nan]))
pairs("xlogy", lambda a, b: a * math.log(b), (nonzero, positive),
      both([0, 0, 2], [0, nan, 0], [0, nan, -inf], [0, 0, -inf], [nan, nan, inf]))  # fmt: skip
pairs("xlog1py", lambda a, b: a * math.log1p(b), (nonzero, positive), both([0, 2], [-1, -1], [0, -inf]))
