"""The gamma function's family: ln|Γ|, its derivatives, Hurwitz's zeta function, the incomplete gamma functions.

All are computed in float64 from classical series, each where it converges fast: Taylor's around a point where the
function is 0, so that the result keeps its digits there; Stirling's and Euler's (Abramowitz and Stegun, 6.1-6.5, 23.2)
far from 0; recurrences and reflections lead from elsewhere to where a series converges.
"""

# fmt: off
from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from tinygrad_pt.calling import primitive, unary
from tinygrad_pt.graph import Array
from tinygrad_pt.ops.elementwise import exp, log

BERNOULLI = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330,
             854513 / 138, -236364091 / 2730]
EULER = 0.5772156649015329
ROOT, ROOT_REST = 1.4616321449683622, 9.549995429965697e-17  # where ψ is 0, to 32 digits


def wide(a: Any) -> Array:
    return np.asarray(a, np.float64)


def as_given(y: Array, *given: Any) -> Array:
    """The result in the dtype of the arguments."""
    return y.astype(np.result_type(*given))[()]


def horner(coefficients: Any, x: Array) -> Array:
    """Σ cₖ xᵏ."""
    y = np.zeros_like(x)
    for c in reversed(coefficients):
        y = y * x + c
    return y


# ------------------------------------------------------------------------------------------ zeta
def hurwitz(s: Any, q: Any) -> Array:
    """Σ 1/(q + k)ˢ over k ≥ 0, for s > 1: the first terms one by one, the rest by Euler and Maclaurin."""
    s, q = (np.array(x) for x in np.broadcast_arrays(wide(s), wide(q)))
    whole = q == np.floor(q)
    bad = (s < 1) | ((q <= 0) & ~whole & (s != np.floor(s))) | np.isnan(s) | np.isnan(q)
    pole = (s == 1) | ((q <= 0) & whole)
    live = ~bad & ~pole & (q > -1e5)
    q = np.where(live, q, 12.0).ravel()
    s = np.where(live, s, 2.0).ravel()
    y = np.zeros_like(q)
    with np.errstate(all="ignore"):
        far = 10 + np.minimum(s, 1000)
        while (low := np.flatnonzero(q < far)).size:
            y[low] += np.power(q[low], -s[low])
            q[low] += 1
        power = np.power(q, -s)
        tail = q / (s - 1) + 0.5
        factor, square = s / q, 1 / (q * q)
        for k, b in enumerate(BERNOULLI, 1):
            tail = tail + b / math.factorial(2 * k) * factor
            factor = factor * (s + 2 * k - 1) * (s + 2 * k) * square
        y = y + np.where(power > 0, power * tail, 0)
    y = np.where(live, y.reshape(live.shape), np.inf)
    return np.where(bad, np.nan, y)


# ------------------------------------------------------------------------------------------ ln|Γ|
@cache  # computed when it is first needed: with `around_root` it takes a third of the time of importing NumPy
def around_2() -> list[float]:
    """The coefficients of ln Γ's Taylor series around 2."""
    return [0.0, 1 - EULER, *((-1) ** k * float(hurwitz(k, 2.0)) / k for k in range(2, 30))]


def sine_of_pi(x: Array) -> Array:
    """sin πx, of the distance to the nearest whole number."""
    near = x - np.rint(x)
    return np.where(np.rint(x) % 2 == 0, 1, -1) * np.sin(np.pi * near)


def log_gamma(a: Array) -> Array:
    x = wide(a)
    with np.errstate(all="ignore"):
        left = x < 0.5
        tiny = np.abs(x) < 0.5
        z = np.where(tiny, x + 1, np.where(left, 1 - x, x))  # at least 1/2
        y = np.zeros_like(z)
        small = z < 1.5
        y = np.where(small, -np.log1p(np.where(tiny, x, z - 1)), y)
        w = np.where(small, np.where(tiny, x, z - 1), z - 2)  # z - 2 in [-1/2, 1/2], or z is reduced to that
        factor, between = np.ones_like(z), (z >= 2.5) & (z < 10)
        for _ in range(8):
            over = between & (w > 0.5)
            factor = np.where(over, factor * (w + 1), factor)
            w = np.where(over, w - 1, w)
        y = y + np.log(factor) + horner(around_2(), np.where(z < 10, w, 0))
        r = 1 / np.where(z < 10, 10.0, z)
        series = r * horner([b / (2 * k * (2 * k - 1)) for k, b in enumerate(BERNOULLI[:9], 1)], r * r)
        stirling = (z - 0.5) * (np.log(z) - 1) + (0.9189385332046727 - 0.5) + series
        y = np.where(z < 10, y, stirling)
        y = np.where(tiny, y - np.log(np.abs(x)), y)
        reflected = np.log(np.pi / np.abs(sine_of_pi(x))) - y
        y = np.where(left & ~tiny, reflected, y)
        y = np.where(np.isinf(x) | ((x <= 0) & (x == np.floor(x))) | (x > 2.6e305), np.inf, y)
    return as_given(np.where(np.isnan(x), x, y), a)


# ------------------------------------------------------------------------------------------ ψ and its derivatives
@cache
def around_root() -> list[float]:
    """The coefficients of ψ's Taylor series around its root."""
    return [0.0, *((-1) ** (k + 1) * float(hurwitz(k + 1, ROOT)) for k in range(1, 40))]


def psi(a: Array) -> Array:
    x = wide(a)
    with np.errstate(all="ignore"):
        left = x < 0
        z = np.where(left, 1 - x, x)
        near = np.abs(z - ROOT) < 0.5
        y, w = np.zeros_like(z), np.where(near, 10.0, z)
        for _ in range(10):
            low = w < 10
            y = np.where(low, y - 1 / w, y)
            w = np.where(low, w + 1, w)
        r = 1 / (w * w)
        y = y + np.log(w) - 0.5 / w - r * horner([b / (2 * k) for k, b in enumerate(BERNOULLI[:9], 1)], r)
        y = np.where(near, horner(around_root(), np.where(near, (z - ROOT) - ROOT_REST, 0)), y)
        part = x - np.rint(x)
        y = np.where(left, y - np.pi / np.tan(np.pi * part), y)
        y = np.where(left & (x == np.floor(x)), np.nan, y)
        y = np.where(x == 0, np.copysign(np.inf, -x), y)
    return as_given(np.where(np.isposinf(x), np.inf, y), a)


def trigamma(a: Array) -> Array:
    x = wide(a)
    with np.errstate(all="ignore"):
        left = x < 0.5
        y = hurwitz(np.float64(2), np.where(left, 1 - x, x))
        y = np.where(left, (np.pi / sine_of_pi(x)) ** 2 - y, y)
        return as_given(np.where((x <= 0) & (x == np.floor(x)), np.inf, y), a)


@primitive(r"\psi^{(n)}(a)", lambda g, y, a, *, n: g * polygamma(a, n=n + 1), elementwise=True, domain="float")
def polygamma(a: Array, *, n: int) -> Array:
    """y = the n-th derivative of ψ = (ln Γ)'."""
    if n < 2:
        return trigamma(a) if n else psi(a)
    order = np.float64(n + 1)
    with np.errstate(all="ignore"):
        y = hurwitz(order, a)
        y = math.gamma(n + 1) * y if n < 170 else np.exp(math.lgamma(n + 1) + np.log(y))
    return as_given(y if n % 2 else -y, a)


lgamma = unary("lgamma", log_gamma, r"\ln|\Gamma(a)|", lambda g, y, a: g * polygamma(a, n=0))

# By s neither PyTorch nor this package differentiates: it is an attribute, a number or an array.
@primitive(r"\zeta(s,\, a)", lambda g, y, a, *, s: g * (zeta(a, s=s + 1) * -s), elementwise=True, domain="float")
def zeta(a: Array, *, s: Any) -> Array:
    """y = Σ 1/(a + k)ˢ over k ≥ 0."""
    return as_given(hurwitz(s, a), a)


# ------------------------------------------------------------------------------------------ incomplete gamma functions
def log1p_less(u: Array) -> Array:
    """ln(1 + u) - u, for u near 0 by its series."""
    near = np.abs(u) < 0.35
    v = np.where(near, u / (2 + u), 0)
    w = v * v  # ln(1 + u) = 2 artanh v, and u = 2v/(1 - v)
    series = 2 * v * w * horner([1 / (2 * k + 3) for k in range(24)], w) - v * np.where(near, u, 0)
    return np.where(near, series, np.log1p(u) - u)


def log_gamma_after(a: Array) -> Array:
    """ln Γ(1 + a), with the digits of a small a."""
    small = np.abs(a) < 0.5
    x = np.where(small, a, 0)
    return np.where(small, horner(around_2(), x) - np.log1p(x), log_gamma(1 + a))


def density(a: Array, x: Array) -> Array:
    """xᵃ e⁻ˣ / Γ(a + 1), by the difference from its maximum where a is large."""
    big = a > 20
    b = np.where(big, a, 20.0)
    r = 1 / b
    scale = np.exp(r * horner([c / (2 * k * (2 * k - 1)) for k, c in enumerate(BERNOULLI[:6], 1)], r * r))
    far = np.exp(b * log1p_less((x - b) / b)) / (np.sqrt(2 * np.pi * b) * scale)
    c = np.where(big, 1.0, a)
    near = np.exp(c * np.log(x) - x - log_gamma_after(c))
    return np.where(big, far, near)


def incomplete(a: Array, x: Array) -> tuple[Array, Array]:
    """P and Q: the shares of Γ(a) below and above x."""
    a, x = (np.array(v) for v in np.broadcast_arrays(wide(a), wide(x)))
    p, q = np.full(a.shape, np.nan), np.full(a.shape, np.nan)
    with np.errstate(all="ignore"):
        good = (a >= 0) & (x >= 0) & np.isfinite(a) & np.isfinite(x)
        finite = (a >= 0) & np.isfinite(a)
        for where, low in ((good & (a == 0) & (x > 0), 1), (good & (a > 0) & (x == 0), 0),
                           (finite & np.isposinf(x), 1), (np.isposinf(a) & (x >= 0) & np.isfinite(x), 0)):
            p[where], q[where] = low, 1 - low
        inside = good & (a > 0) & (x > 0)
        normal = inside & (a > 1e8)
        if normal.any():  # Temme's expansion: the first terms suffice
            b, t = a[normal], x[normal]
            d = log1p_less((t - b) / b)
            e = np.sign(t - b) * np.sqrt(-2 * d)
            h = 0.5 * np.frompyfunc(math.erfc, 1, 1)(e * np.sqrt(b / 2)).astype(float)
            u = (t - b) / b
            c = np.where(np.abs(e) < 1e-3, -1 / 3 + e / 12, 1 / np.where(u == 0, 1, u) - 1 / np.where(e == 0, 1, e))
            q[normal] = h + np.exp(b * d) / np.sqrt(2 * np.pi * b) * c
            p[normal] = 1 - q[normal]
        below = inside & ~normal & (x <= np.maximum(a, 1.1))
        p[below] = density(a[below], x[below]) * _series(a[below], x[below])
        q[below] = 1 - p[below]
        small = below & (x <= 1.1) & (p > 0.5)  # there 1 - P cancels
        q[small] = _upper(a[small], x[small])
        above = inside & ~normal & ~below
        q[above] = density(a[above], x[above]) * a[above] * _fraction(a[above], x[above])
        p[above] = 1 - q[above]
    return p, q


def _series(a: Array, x: Array) -> Array:
    """Σ xᵏ / ((a + 1) … (a + k))."""
    term, total, live, k = np.ones_like(a), np.ones_like(a), np.arange(a.size), 0
    while live.size and k < 200000:
        k += 1
        term[live] *= x[live] / (a[live] + k)
        total[live] += term[live]
        live = live[term[live] > 1e-17 * total[live]]
    return total


def _fraction(a: Array, x: Array) -> Array:
    """1/(x+1-a - 1(1-a)/(x+3-a - 2(2-a)/(x+5-a - …))): Legendre's continued fraction, by the method of Lentz."""
    f = x + 1 - a
    f = np.where(f == 0, 1e-300, f)
    c, d, live, n = f.copy(), np.zeros_like(f), np.arange(a.size), 0
    while live.size and n < 200000:
        n += 1
        alpha, beta = -n * (n - a[live]), x[live] + 2 * n + 1 - a[live]
        below, above = beta + alpha * d[live], beta + alpha / c[live]
        d[live] = 1 / np.where(below == 0, 1e-300, below)
        c[live] = np.where(above == 0, 1e-300, above)
        step = c[live] * d[live]
        f[live] *= step
        live = live[np.abs(step - 1) > 4e-16]
    return 1 / f


def _upper(a: Array, x: Array) -> Array:
    """Q for small x: 1 - xᵃ/Γ(1+a) - xᵃ/Γ(a) Σ (-x)ᵏ / (k! (a + k)), the first difference without cancellation."""
    power = a * np.log(x) - log_gamma_after(a)
    term, total = np.ones_like(x), np.zeros_like(x)
    for k in range(1, 30):
        term = term * (-x / k)
        total = total + term / (a + k)
    return -np.expm1(power) - np.exp(power) * a * total


def _part(which: int, a: Any, s: Any) -> Array:
    flat = [np.ravel(v) for v in np.broadcast_arrays(wide(s), wide(a))]
    return as_given(incomplete(*flat)[which].reshape(np.broadcast_shapes(np.shape(s), np.shape(a))), a)


def _slope(a: Any, s: Any) -> Any:
    constant = log_gamma(s) if hasattr(s, "dtype") else float(log_gamma(s))
    return exp(log(a) * (s - 1) - a - constant)


@primitive(r"P(s,\, a)", lambda g, y, a, *, s: g * _slope(a, s), elementwise=True, domain="float")
def igamma(a: Array, *, s: Any) -> Array:
    """y = the share of Γ(s) below a."""
    return _part(0, a, s)


@primitive(r"Q(s,\, a)", lambda g, y, a, *, s: -(g * _slope(a, s)), elementwise=True, domain="float")
def igammac(a: Array, *, s: Any) -> Array:
    """y = the share of Γ(s) above a."""
    return _part(1, a, s)
