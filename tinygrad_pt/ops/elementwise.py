"""Elementwise ops: an element of y depends on the elements of the arguments at the same place.

The rules do not care about broadcasting, because the walk undoes it.
"""

# fmt: off
from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from tinygrad_pt.calling import Applied, T, binary, primitive, unary
from tinygrad_pt.dtypes import dtype as Dtype
from tinygrad_pt.dtypes import numpy_of
from tinygrad_pt.graph import Array
from tinygrad_pt.ops.masked import masked

# ------------------------------------------------------------------------------------------ arithmetic
add = binary("add", operator.add, r"a + b",
    lambda g, y, a, b: g,
    lambda g, y, a, b: g)

sub = binary("sub", operator.sub, r"a - b",
    lambda g, y, a, b: g,
    lambda g, y, a, b: -g)

mul = binary("mul", operator.mul, r"a \cdot b",
    lambda g, y, a, b: g * b,
    lambda g, y, a, b: g * a)

div = binary("div", operator.truediv, r"\frac{a}{b}",
    lambda g, y, a, b: g / b,
    lambda g, y, a, b: -(g * (a / b / b)), domain="float")

neg = unary("neg", np.negative, r"-a", lambda g, y, a: -g, domain="promote")

reciprocal = unary("reciprocal", np.reciprocal, r"\frac{1}{a}", lambda g, y, a: -(g * (y * y)))


# ------------------------------------------------------------------------------------------ comparisons
def comparison(name: str, ufunc: np.ufunc, notation: str) -> Applied:
    """An op that answers with truth values; it has no derivative."""
    return binary(name, ufunc, notation, None, None)


eq = comparison("eq", np.equal, r"a = b")
ne = comparison("ne", np.not_equal, r"a \neq b")
lt = comparison("lt", np.less, r"a < b")
le = comparison("le", np.less_equal, r"a \leq b")
gt = comparison("gt", np.greater, r"a > b")
ge = comparison("ge", np.greater_equal, r"a \geq b")
logical_and = comparison("logical_and", np.logical_and, r"a \land b")
logical_or = comparison("logical_or", np.logical_or, r"a \lor b")
logical_xor = comparison("logical_xor", np.logical_xor, r"a \oplus b")
logical_not = unary("logical_not", np.logical_not, r"\lnot a", None, domain="")
isnan = unary("isnan", np.isnan, r"\mathrm{isnan}(a)", None, domain="")
isinf = unary("isinf", np.isinf, r"\mathrm{isinf}(a)", None, domain="")
isfinite = unary("isfinite", np.isfinite, r"\mathrm{isfinite}(a)", None, domain="")
bitwise_and = binary("bitwise_and", np.bitwise_and, r"a \land b", None, None)
bitwise_or = binary("bitwise_or", np.bitwise_or, r"a \lor b", None, None)
bitwise_xor = binary("bitwise_xor", np.bitwise_xor, r"a \oplus b", None, None)
bitwise_not = unary("bitwise_not", np.invert, r"\lnot a", None, domain="")


# ------------------------------------------------------------------------------------------ choices
@primitive(
    r"\mathrm{where}(a,\, b,\, c)",
    None,
    lambda g, y, a, b, c: where(a, g, 0.0),
    lambda g, y, a, b, c: where(a, 0.0, g),
    elementwise=True,
    moves=True,
)
def where(a: Array, b: Array, c: Array) -> Array:
    """y = b where a is true, else c."""
    y = masked(a, b, c) if a.__class__ is np.ndarray and a.size > 1024 else None
    return np.where(a, b, c) if y is None else y


# At a tie each side gets half of the gradient, the subgradient of least norm; nan goes to both (PyTorch).
maximum = binary("maximum", np.maximum, r"\max(a,\, b)",
    lambda g, y, a, b: where(lt(a, b), 0.0, where(eq(a, b), g * 0.5, g)),
    lambda g, y, a, b: where(lt(b, a), 0.0, where(eq(a, b), g * 0.5, g)))

minimum = binary("minimum", np.minimum, r"\min(a,\, b)",
    lambda g, y, a, b: where(gt(a, b), 0.0, where(eq(a, b), g * 0.5, g)),
    lambda g, y, a, b: where(gt(b, a), 0.0, where(eq(a, b), g * 0.5, g)))


@primitive(
    r"\mathrm{clamp}(a)",
    lambda g, y, a, *, low, high: where(_inside(a, low, high), g, 0.0),
    elementwise=True,
)
def clamp(a: Array, *, low: float | None, high: float | None) -> Array:
    """y = min(max(a, low), high), where a bound may be None; the slope is 1 inside the interval and at its ends."""
    return np.clip(a, low, high)


def _inside(a: T, low: float | None, high: float | None) -> T:
    if low is None:
        return le(a, high)
    return ge(a, low) if high is None else logical_and(ge(a, low), le(a, high))


# ------------------------------------------------------------------------------------------ steps: slope 0
def _sign(a: Array) -> Array:
    """y = -1, 0 or 1; of nan it is 0, as in PyTorch."""
    return np.greater(a, 0).astype(a.dtype) - np.less(a, 0)


def step(name: str, forward: Callable[[Array], Array], notation: str) -> Applied:
    """An op that is constant between its jumps."""
    return unary(name, forward, notation, lambda g, y, a: zero(g), domain="promote")


@primitive(r"0", lambda g, y, a: zero(g), elementwise=True, moves=True)
def zero(a: Array) -> Array:
    """y = 0, of the shape and dtype of a."""
    return np.zeros_like(a)


sign = step("sign", _sign, r"\operatorname{sign} a")
floor = step("floor", np.floor, r"\lfloor a \rfloor")
ceil = step("ceil", np.ceil, r"\lceil a \rceil")
trunc = step("trunc", np.trunc, r"\operatorname{trunc} a")
round = step("round", np.rint, r"\operatorname{round} a")

floor_divide = binary("floor_divide", np.floor_divide, r"\lfloor a / b \rfloor", None, None)

# trunc(a / b) itself is 1 off where a / b is rounded up to a whole number.
trunc_divide = binary("trunc_divide", lambda a, b: np.rint((a - np.fmod(a, b)) / b),
    r"\operatorname{trunc}(a / b)", None, None)

remainder = binary("remainder", np.remainder, r"a \bmod b",
    lambda g, y, a, b: g,
    lambda g, y, a, b: -(g * floor_divide(a, b)))

fmod = binary("fmod", np.fmod, r"\mathrm{fmod}(a,\, b)",
    lambda g, y, a, b: g,
    lambda g, y, a, b: -(g * trunc_divide(a, b)))

# ------------------------------------------------------------------------------------------ |a| and rectifiers
abs = unary("abs", np.abs, r"\left|a\right|", lambda g, y, a: g * sign(a), domain="promote")

relu = unary("relu", lambda a: np.maximum(a, 0), r"\operatorname{relu} a",
    lambda g, y, a: where(le(y, 0), 0.0, g), domain="promote", flat=True)

# ------------------------------------------------------------------------------------------ powers
square = unary("square", np.square, r"a^{2}", lambda g, y, a: g * (2 * a), domain="promote")

sqrt = unary("sqrt", np.sqrt, r"\sqrt{a}", lambda g, y, a: g / (2 * y))

rsqrt = unary("rsqrt", lambda a: 1 / np.sqrt(a), r"\frac{1}{\sqrt{a}}", lambda g, y, a: g * (-0.5 * y * (y * y)))


@primitive(
    r"a^{n}",
    lambda g, y, a, *, n: g * (n * power(a, n=n - 1) if n else zero(a)),
    elementwise=True,
)
def power(a: Array, *, n: float) -> Array:
    """y = aⁿ for a number n."""
    return np.power(a, n)


def _ln(a: Array) -> Array:
    """ln a; a Python number gives a Python number, which leaves the dtype of an array beside it as it is."""
    if hasattr(a, "dtype"):
        return log(a)
    with np.errstate(all="ignore"):
        return np.log(float(a)).item()


# 0⁰ needs a case of its own: there the formulas are 0 · ∞. For b = 0 and a ≠ 0 the first formula is 0 by itself, and
# its derivative by b is 1/a, which a second derivative needs.
pow = binary("pow", np.power, r"a^{b}",
    lambda g, y, a, b: g * where(logical_and(eq(a, 0), eq(b, 0)), 0.0, b * pow(a, b - 1)),
    lambda g, y, a, b: g * where(logical_and(eq(a, 0), ge(b, 0)), 0.0, y * _ln(a)))

# ------------------------------------------------------------------------------------------ exponentials
exp = unary("exp", np.exp, r"e^{a}", lambda g, y, a: g * y)

expm1 = unary("expm1", np.expm1, r"e^{a} - 1", lambda g, y, a: g * exp(a))

exp2 = unary("exp2", np.exp2, r"2^{a}", lambda g, y, a: g * (y * 0.6931471805599453))

log = unary("log", np.log, r"\ln a", lambda g, y, a: g / a)

log1p = unary("log1p", np.log1p, r"\ln(1 + a)", lambda g, y, a: g / (1 + a))

log2 = unary("log2", np.log2, r"\log_{2} a", lambda g, y, a: g * 1.4426950408889634 / a)

log10 = unary("log10", np.log10, r"\log_{10} a", lambda g, y, a: g * 0.4342944819032518 / a)


# 1, and a number from which on σ is 1: NumPy is faster with arrays of the same dtype than with numbers.
ONE = {np.dtype(c): np.ones((), c) for c in "fd"}
TOP = {np.dtype(c): np.array(40, c) for c in "fd"}


def _rest(y: Any) -> Any:
    """1 - y."""
    return (ONE.get(y.dtype, 1) if y.__class__ is np.ndarray else 1) - y


def _sigmoid(a: Array) -> Array:
    """y = eᵃ / (1 + eᵃ), without e⁻ᵃ, which would overflow where y is still a number."""
    one = ONE.get(a.dtype)
    if one is None:
        return 1 / (1 + np.exp(-a))
    y = np.minimum(a, TOP[a.dtype])
    if y.__class__ is not np.ndarray:
        e = np.exp(y)
        return e / (e + one)
    np.exp(y, y)
    return np.divide(y, y + one, y)


# The rules read y alone: to be right in both tails (`special.wide_sigmoid`), a must be saved too, and a deep network
# would need almost twice the memory.
sigmoid = unary("sigmoid", _sigmoid, r"\sigma(a)", lambda g, y, a: g * (y * _rest(y)))

tanh = unary("tanh", np.tanh, r"\tanh a", lambda g, y, a: g * _rest(y * y))

# ------------------------------------------------------------------------------------------ circles, hyperbolas
sin = unary("sin", np.sin, r"\sin a", lambda g, y, a: g * cos(a))

cos = unary("cos", np.cos, r"\cos a", lambda g, y, a: -(g * sin(a)))

tan = unary("tan", np.tan, r"\tan a", lambda g, y, a: g * (1 + y * y))

sinh = unary("sinh", np.sinh, r"\sinh a", lambda g, y, a: g * cosh(a))

cosh = unary("cosh", np.cosh, r"\cosh a", lambda g, y, a: g * sinh(a))


# ------------------------------------------------------------------------------------------ copies
@primitive(r"a", lambda g, y, a, *, dtype: cast(g, dtype=a.dtype), elementwise=True, moves=True)
def cast(a: Array, *, dtype: Dtype | np.dtype[Any]) -> Array:
    """y = a in another dtype."""
    return np.asarray(a).astype(numpy_of(dtype))


@primitive(r"a", lambda g, y, a, *, order="K": g, elementwise=True, moves=True)
def clone(a: Array, *, order: Literal["K", "C"] = "K") -> Array:
    """y = a, in memory of its own, with the layout of a (`order="K"`) or row after row (`order="C"`)."""
    if 0 in a.strides and order == "K":
        y = empty_as(a)
        y[...] = a
        return y
    return np.array(a, order=order)


def empty_as(a: Array) -> Array:
    """An array in the layout of `a`, in which each element has a place of its own, though `a` be expanded."""
    return np.nditer([a, None], ["zerosize_ok"]).operands[1]


@primitive(
    r"b",
    lambda g, y, a, b: zero(g),
    lambda g, y, a, b: cast(g, dtype=b.dtype),
    elementwise=True,
    moves=True,
)
def copy(a: Array, b: Array) -> Array:
    """y = b, in the shape and dtype of a, as an assignment to the elements of a leaves it there."""
    return np.broadcast_to(b, a.shape).astype(a.dtype)
