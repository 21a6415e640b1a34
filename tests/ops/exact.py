"""Functions computed exactly, with their first and second derivatives: Taylor arithmetic of second order in mpmath.

A `Jet` is a number with its gradient and its Hessian by the arguments. It knows sums, products, and the functions
below, each given with its two derivatives. There are so many digits that no cancellation matters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
from mpmath import mp, mpf

DIGITS = {np.dtype("f"): 130, np.dtype("d"): 680}  # 1 - a² must differ from 1 for a = 10^-45 and a = 10^-324


class Jet:
    """A value v, its gradient d, and its Hessian h."""

    def __init__(self, v: Any, d: list[Any], h: list[list[Any]]) -> None:
        self.v, self.d, self.h = v, d, h

    @classmethod
    def arguments(cls, *values: float) -> list[Jet]:
        """The arguments of a function: the gradient of each is 1 in its own place."""
        n = range(len(values))
        return [cls(mpf(x), [mpf(i == j) for j in n], [[mpf(0)] * len(n) for _ in n]) for i, x in enumerate(values)]

    def through(self, f: Any, f1: Any, f2: Any) -> Jet:
        """A function of this number, whose value and derivatives here are f, f1 and f2."""
        n, d, h = range(len(self.d)), self.d, self.h
        return Jet(f, [f1 * x for x in d], [[f1 * h[i][j] + f2 * d[i] * d[j] for j in n] for i in n])

    def like(self, x: Any) -> Jet:
        """A constant, or a jet as it is."""
        return x if isinstance(x, Jet) else Jet(mpf(x), [0 * d for d in self.d], [[0 * d for d in r] for r in self.h])

    def __add__(self, other: Any) -> Jet:
        b, n = self.like(other), range(len(self.d))
        return Jet(self.v + b.v, [self.d[i] + b.d[i] for i in n], [[self.h[i][j] + b.h[i][j] for j in n] for i in n])

    def __mul__(self, other: Any) -> Jet:
        a, b, n = self, self.like(other), range(len(self.d))
        mixed = [[a.d[i] * b.d[j] + a.d[j] * b.d[i] for j in n] for i in n]
        bent = [[a.v * b.h[i][j] + b.v * a.h[i][j] + mixed[i][j] for j in n] for i in n]
        return Jet(a.v * b.v, [a.v * b.d[i] + b.v * a.d[i] for i in n], bent)

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self) -> Jet:
        return self * -1

    def __sub__(self, other: Any) -> Jet:
        return self + -self.like(other)

    def __rsub__(self, other: Any) -> Jet:
        return -self + other

    def __truediv__(self, other: Any) -> Jet:
        return self * power(self.like(other), -1)

    def __rtruediv__(self, other: Any) -> Jet:
        return power(self, -1) * other

    def __abs__(self) -> Jet:
        return self if self.v > 0 else -self if self.v < 0 else 0 * self


# ------------------------------------------------------------------------------------------ functions
def function(f: Callable[[Any], tuple[Any, Any, Any]]) -> Callable[[Jet], Jet]:
    """A function of a jet, from one that gives its value and its first two derivatives."""
    return lambda a: a.through(*f(a.v))


def power(a: Jet, n: Any) -> Jet:
    n = mpf(n)
    second = n * (n - 1)
    return a.through(a.v**n, n * a.v ** (n - 1) if n else n, second * a.v ** (n - 2) if second else second)


def tame(a: Any) -> Any:
    """a, or ±20000, of which an exponential is too large or too small for every dtype; farther out mpmath is slow."""
    return max(mpf(-20000), min(mpf(20000), a))


@function
def exp(a: Any) -> Any:
    return (mp.exp(tame(a)),) * 3


@function
def log(a: Any) -> Any:
    return mp.log(a), 1 / a, -1 / a**2


@function
def sin(a: Any) -> Any:
    return mp.sin(a), mp.cos(a), -mp.sin(a)


@function
def cos(a: Any) -> Any:
    return mp.cos(a), -mp.sin(a), -mp.cos(a)


@function
def tan(a: Any) -> Any:
    y = mp.tan(a)
    return y, 1 + y * y, 2 * y * (1 + y * y)


@function
def sinh(a: Any) -> Any:
    a = tame(a)
    return mp.sinh(a), mp.cosh(a), mp.sinh(a)


@function
def cosh(a: Any) -> Any:
    a = tame(a)
    return mp.cosh(a), mp.sinh(a), mp.cosh(a)


@function
def atan(a: Any) -> Any:
    u = 1 / (1 + a * a)
    return mp.atan(a), u, -2 * a * u * u


@function
def asin(a: Any) -> Any:
    u = 1 / mp.sqrt(1 - a * a)
    return mp.asin(a), u, a * u**3


@function
def acos(a: Any) -> Any:
    u = 1 / mp.sqrt(1 - a * a)
    return mp.acos(a), -u, -a * u**3


@function
def asinh(a: Any) -> Any:
    u = 1 / mp.sqrt(1 + a * a)
    return mp.asinh(a), u, -a * u**3


@function
def acosh(a: Any) -> Any:
    u = 1 / mp.sqrt(a * a - 1)
    return mp.acosh(a), u, -a * u**3


@function
def atanh(a: Any) -> Any:
    u = 1 / (1 - a * a)
    return mp.atanh(a), u, 2 * a * u * u


@function
def erf(a: Any) -> Any:
    a = max(-mpf(100), min(mpf(100), a))
    u = 2 / mp.sqrt(mp.pi) * mp.exp(-a * a)
    return mp.erf(a), u, -2 * a * u


@function
def normal(a: Any) -> Any:
    """Φ, the normal distribution function."""
    a = max(-mpf(100), min(mpf(100), a))
    u = mp.exp(-a * a / 2) / mp.sqrt(2 * mp.pi)
    return mp.erfc(-a / mp.sqrt(2)) / 2, u, -a * u


def sqrt(a: Jet) -> Jet:
    return power(a, 0.5)


def sigmoid(a: Jet) -> Jet:
    """1 / (1 + e⁻ᵃ), of e^-|a| alone: e¹⁰⁰⁰⁰⁰⁰ would take mpmath long."""
    e = exp(-a if a.v >= 0 else a)
    return 1 / (1 + e) if a.v >= 0 else e / (1 + e)


def tanh(a: Jet) -> Jet:
    e = exp(-2 * a if a.v >= 0 else 2 * a)
    return (1 - e) / (1 + e) if a.v >= 0 else (e - 1) / (e + 1)


def softplus(a: Jet) -> Jet:
    """ln(1 + eᵃ)"""
    return a + log(1 + exp(-a)) if a.v > 0 else log(1 + exp(a))


# ------------------------------------------------------------------------------------------ how far a number is off
def ulp(x: Any, dtype: np.dtype[Any]) -> Any:
    """The distance between neighbours in a dtype, at x."""
    info = np.finfo(dtype)
    exponent = int(mp.frexp(abs(x))[1]) - 1 if x else info.minexp
    return mp.ldexp(1, max(exponent, int(info.minexp)) - info.nmant)


def error(found: Any, exact: Any, dtype: np.dtype[Any]) -> Any:
    """|found - exact|; 0 for an infinity in place of a number that is too large.

    A number up to 16 times smaller counts as too large: in n aⁿ⁻¹ the power overflows a little before the product.
    """
    if isinstance(exact, mpmath.mpc) or mp.isnan(exact) or np.isnan(found):
        return mpf("inf")
    largest = mpf(float(np.finfo(dtype).max))
    if np.isinf(found):
        return mpf(0) if abs(exact) > largest / 16 and (found > 0) == (exact > 0) else mpf("inf")
    return abs(mpf(float(found)) - max(-largest, min(largest, exact)))
