"""Both tails: value, gradient and second derivative of whatever acts on single elements, against exact numbers.

The arguments go from the smallest subnormal number to the largest number, on both sides of 0, densely where e to
their power over- or underflows, and step by step towards singular points. A result may be a few units in the last
place (ulp) off. Where more is allowed, the law says why, and a test holds that it is needed. What happens at 0, at
infinities and nan, and at corners stands in the tables of ops and of modules, beside what PyTorch does there.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest
from mpmath import mp, mpf

import tinygrad_pt as torch
import tinygrad_pt.nn.functional as F
from tests.ops import exact as E
from tests.ops.exact import DIGITS, Jet
from tests.ops.table import DEFINED, ROWS
from tinygrad_pt.functions import pointwise
from tinygrad_pt.nn.functional import activation

F32, F64 = np.dtype("f"), np.dtype("d")
inf = math.inf
Arrays = list[np.ndarray[Any, Any]]


# ------------------------------------------------------------------------------------------ where
def sizes(dtype: np.dtype[Any], number: int, seed: int, low: float = -inf, high: float = inf) -> Any:
    """Positive numbers of all sizes, or of those between 10^low and 10^high."""
    least, most = (-44.5, 38.5) if dtype == F32 else (-322.5, 308.2)
    powers = np.linspace(max(low, least), min(high, most), number)
    return 10.0 ** (powers + np.random.default_rng(seed).uniform(-0.05, 0.02, number))


def numbers(*near: float, low: float = -inf, high: float = inf) -> Callable[[np.dtype[Any]], Arrays]:
    """One argument: all sizes, both signs, where e^a and e^(-a²) are numbers, and ever closer to some points."""

    def drawn(dtype: np.dtype[Any]) -> Arrays:
        draw, (far, root) = np.random.default_rng(0), (106, 14.5) if dtype == F32 else (760, 38.6)
        found = [*sizes(dtype, 42, 1), *-sizes(dtype, 42, 2), *draw.uniform(-far, far, 40), *draw.uniform(-6, 6, 30)]
        found += [
            *draw.uniform(-root, root, 20),
            *(s * root * r for s in (-1, 1) for r in (0.66, 0.68, 0.707, 0.98, 0.985, 0.99)),
        ]
        steps = np.finfo(dtype).eps * 10.0 ** np.arange(0, 7)
        found += [p * (1 + s * step) for p in near for s in (-1, 1) for step in steps]
        with np.errstate(over="ignore"):
            x = np.unique(np.array(found).astype(dtype))
        return [x[(x > low) & (x < high) & (x != 0) & np.isfinite(x)]]

    return drawn


def pairs(low: float = -inf, high: float = inf, positive: bool = False) -> Callable[[np.dtype[Any]], Arrays]:
    """Two arguments of all sizes, in one half of the pairs far from each other, in the other near."""

    def drawn(dtype: np.dtype[Any]) -> Arrays:
        draw, n = np.random.default_rng(3), 120
        a = draw.permutation(sizes(dtype, n, 4, low, high))
        b = np.concatenate([draw.permutation(a[: n // 2]), a[n // 2 :] * 10.0 ** draw.uniform(-2, 2, n - n // 2)])
        if not positive:
            a, b = (x * draw.choice([-1.0, 1.0], n) for x in (a, b))
        with np.errstate(over="ignore"):
            a, b = a.astype(dtype), b.astype(dtype)
        a[:3], b[:3] = np.finfo(dtype).smallest_subnormal * np.array([12, 511, 3]), [0.0093, 0.0122, 0.5]
        good = np.isfinite(a) & np.isfinite(b) & (a != 0) & (b != 0)
        return [a[good], b[good]]

    return drawn


def exponents(dtype: np.dtype[Any]) -> Arrays:
    """Two arguments whose difference is the exponent of e."""
    draw, far = np.random.default_rng(5), 45 if dtype == F32 else 350
    return [draw.uniform(-far, far, 120).astype(dtype), draw.uniform(-far, far, 120).astype(dtype)]


def powers(dtype: np.dtype[Any]) -> Arrays:
    """A base of any size, or near 1, and an exponent such that neither aᵇ nor its derivatives are too large."""
    draw, far = np.random.default_rng(6), 32 if dtype == F32 else 290
    a = 10.0 ** draw.uniform(-far / 3, far / 3, 120)
    a[:40] = 1 + draw.choice([-1.0, 1.0], 40) * 10.0 ** draw.uniform(-6, -1, 40)
    a = a.astype(dtype)
    b = draw.uniform(-far, far, 120) / np.maximum(np.abs(np.log(a)), 0.1)
    return [a, np.where(draw.random(120) < 0.4, draw.uniform(-2, 2, 120), b).astype(dtype)]


# ------------------------------------------------------------------------------------------ laws
Allowance = Callable[..., Any]  # (order, eps, tiny, |result|, *arguments): by how much more a result may be off


@dataclass(frozen=True)
class Law:
    """A function of ours, the same on jets, where they are compared, and what they may differ by."""

    f: Callable[..., Any]
    exact: Callable[..., Any]
    where: Callable[[np.dtype[Any]], Arrays] = numbers()
    allow: Allowance | None = None
    why: str = ""
    ulps: tuple[float, ...] = (4, 8, 16)  # of the value, of the first and of the second derivatives


LAWS: dict[str, Law] = {}


def op(name: str, exact: Callable[..., Any], *more: Any, **rest: Any) -> None:
    """A law about an op; the functions of this name apply it to their argument and do nothing else."""
    LAWS[name] = Law(DEFINED[name], exact, *more, **rest)


def law(name: str, f: Callable[..., Any], exact: Callable[..., Any], *more: Any, **rest: Any) -> None:
    """A law about a function; what stands after a colon in its name says with which settings."""
    LAWS[name] = Law(f, exact, *more, **rest)


def zero(a: Jet, value: Any = 0) -> Jet:
    """A constant."""
    return 0 * a + value


def cut(a: Jet, low: float, high: float) -> Jet:
    return zero(a, low) if a.v <= low else zero(a, high) if a.v >= high else a


def toward_zero(x: Any) -> Any:
    return mp.floor(x) if x > 0 else mp.ceil(x)


ONCE = (4.0, 8.0)  # of an op that only derivatives use: its first derivative is the second of what uses it
positive, fraction = numbers(low=0), numbers(1.0, -1.0, low=-1, high=1)
LN2, LN10 = math.log(2), math.log(10)

# ---- arithmetic
op("neg", lambda a: -a)
op("abs", abs)
op("square", lambda a: a * a)
op("reciprocal", lambda a: 1 / a)
op("sqrt", E.sqrt, positive)
op("rsqrt", lambda a: 1 / E.sqrt(a), positive)
for n in (0.5, 3, 2.5, -1, -1.5):
    law(f"power:{n}", lambda a, n=n: a**n, lambda a, n=n: E.power(a, n), numbers() if n in (3, -1) else positive)
op("add", lambda a, b: a + b, pairs())
op("sub", lambda a, b: a - b, pairs())
op("mul", lambda a, b: a * b, pairs())
op("div", lambda a, b: a / b, pairs(),
   lambda order, eps, tiny, y, a, b: order * tiny / np.abs(b) ** order,
   "a/b is subnormal, and then divided by b")  # fmt: skip
op("remainder", lambda a, b: a - mp.floor(a.v / b.v) * b, pairs(-6, 6))
op("fmod", lambda a, b: a - toward_zero(a.v / b.v) * b, pairs(-6, 6))
op("maximum", lambda a, b: a if a.v > b.v else b, pairs())
op("minimum", lambda a, b: a if a.v < b.v else b, pairs())
op("pow", lambda a, b: E.exp(b * E.log(a)), powers,
   lambda order, eps, tiny, y, a, b: (
       4 * eps * (1 + (np.abs(b) + 1) * np.abs(np.log(a))) * (y + (order > 1) * a ** (b - 1))
       + 4 * tiny * (1 + np.abs(np.log(a))) ** order),
   "b - 1 is rounded, which the power enlarges; the terms of 1 + b ln a cancel")  # fmt: skip
law("clamp", lambda a: torch.clamp(a, -1, 2), lambda a: cut(a, -1, 2))
law("frac", torch.frac, lambda a: a - toward_zero(a.v))
law("deg2rad", torch.deg2rad, lambda a: a * (mp.pi / 180))
law("rad2deg", torch.rad2deg, lambda a: a * (180 / mp.pi))
law("float_power", lambda a: torch.float_power(a, 2.5).to(a.dtype), lambda a: E.power(a, 2.5), positive)
law("nan_to_num", torch.nan_to_num, lambda a: a)
for c in (0.3, 0.7, 1.0):
    law(f"lerp:{c}", lambda a, b, c=c: torch.lerp(a, b, c), lambda a, b, c=c: a + mpf(c) * (b - a), pairs(),
        None if c == 1 else lambda order, eps, tiny, y, a, b: eps * (np.abs(a) + np.abs(b)),
        "a and b cancel")  # fmt: skip
law("addcmul", lambda a, b: torch.addcmul(torch.zeros_like(a), a, b), lambda a, b: a * b, pairs())
law("addcdiv", lambda a, b: torch.addcdiv(torch.zeros_like(a), a, b), lambda a, b: a / b, pairs(),
    LAWS["div"].allow, LAWS["div"].why)  # fmt: skip

# ---- exponentials
op("exp", E.exp)
op("expm1", lambda a: E.exp(a) - 1)
op("exp2", lambda a: E.exp(a * mp.log(2)))
op("log", E.log, positive)
op("log1p", lambda a: E.log(1 + a), numbers(-1.0, low=-1))
op("log2", lambda a: E.log(a) / mp.log(2), numbers(1.0, low=0))
op("log10", lambda a: E.log(a) / mp.log(10), numbers(1.0, low=0))
op("logaddexp", lambda a, b: a + E.softplus(b - a) if a.v > b.v else b + E.softplus(a - b), exponents,
   lambda order, eps, tiny, y, a, b: min(order, 1) * eps * np.abs(a - b) * y,
   "a - b is rounded, which e to its power enlarges")  # fmt: skip
op("logaddexp2", lambda a, b: (a + E.log(1 + E.exp((b - a) * mp.log(2))) / mp.log(2) if a.v > b.v
                               else b + E.log(1 + E.exp((a - b) * mp.log(2))) / mp.log(2)), exponents,
   LAWS["logaddexp"].allow, LAWS["logaddexp"].why)  # fmt: skip
op("wide_sigmoid", E.sigmoid)
op("wide_tanh", E.tanh)
op("sech", lambda a: 2 * E.exp(-abs(a)) / (1 + E.exp(-2 * abs(a))), ulps=ONCE)
op("log_sigmoid", lambda a: -E.softplus(-a))
op("sigmoid", E.sigmoid, numbers(), lambda order, eps, *_: min(order, 1) * eps,
   "the rule reads y alone, which costs half the memory, and y has no more digits near 1 than 1 has")  # fmt: skip
op("tanh", E.tanh, numbers(), lambda order, eps, *_: 2 * order * eps, LAWS["sigmoid"].why)

# ---- circles, hyperbolas
op("sin", E.sin)
op("cos", E.cos)
op("tan", E.tan)
op("asin", E.asin, fraction)
op("acos", E.acos, fraction)
op("atan", E.atan)
op("sinh", E.sinh)
op("cosh", E.cosh)
op("asinh", E.asinh)
op("acosh", E.acosh, numbers(1.0, low=1))
op("atanh", E.atanh, fraction)
op("one_minus_square", lambda a: 1 - a * a, fraction)
op("secant", lambda a: 1 / E.sqrt(1 + a * a), ulps=ONCE)
op("agnesi", lambda a: 1 / (1 + a * a), ulps=ONCE)


def at_small_radius(order: int, eps: float, tiny: float, y: Any, a: Any, b: Any) -> Any:
    h = np.hypot(a, b)
    return 0 if order < 2 else inf if h < 64 * tiny / eps else 4 * tiny / h**2


def one_order_less(order: int, *rest: Any) -> Any:
    return at_small_radius(order + 1, *rest)


op("hypot", lambda a, b: E.sqrt(a * a + b * b), pairs(), at_small_radius, "a/√(a² + b²) is subnormal, or 1/√ too large")
op("atan2", lambda a, b: E.atan(a / b), pairs(positive=True), at_small_radius, LAWS["hypot"].why)
op("cosine", lambda a, b: a / E.sqrt(a * a + b * b), pairs(), one_order_less, LAWS["hypot"].why, ONCE)
op("inversion", lambda a, b: a / (a * a + b * b), pairs(), one_order_less, LAWS["hypot"].why, ONCE)

# ---- the normal distribution
op("erf", E.erf, numbers(), lambda order, eps, tiny, y, a: order * tiny * np.minimum(np.abs(a), 99),
   "e^(-a²) is subnormal, and then multiplied by a")  # fmt: skip
op("normal", E.normal, numbers(), lambda order, eps, tiny, y, a: 4 * eps * y if eps > 1e-9 and not order else 0,
   "in float32 a product of four factors, each rounded")  # fmt: skip
law("gauss", lambda a: torch.ops.gauss(a, c=1), lambda a: E.exp(-(a * a)), numbers(),
    lambda order, eps, tiny, y, a: tiny * np.minimum(np.abs(a), 99) ** order, LAWS["erf"].why, ONCE)  # fmt: skip

# ---- activations
op("relu", lambda a: a if a.v > 0 else zero(a))
op("softsign", lambda a: a / (1 + abs(a)))
op("tanhshrink", lambda a: a - E.tanh(a))
law("relu6", F.relu6, lambda a: cut(a, 0, 6))
law("hardtanh", F.hardtanh, lambda a: cut(a, -1, 1))
law("leaky_relu", F.leaky_relu, lambda a: a if a.v > 0 else a * 0.01)
law("threshold", lambda a: F.threshold(a, 0.5, 2.0), lambda a: a if a.v > 0.5 else zero(a, 2))
law("hardshrink", F.hardshrink, lambda a: zero(a) if abs(a.v) <= 0.5 else a)
law("softshrink", F.softshrink, lambda a: zero(a) if abs(a.v) <= 0.5 else a - cut(a, -0.5, 0.5).v)
law("hardsigmoid", F.hardsigmoid, lambda a: cut(a + 3, 0, 6) / 6)
law("hardswish", F.hardswish, lambda a: a * cut(a + 3, 0, 6) / 6)
law("prelu", lambda a, b: torch.stack([F.prelu(x, w) for x, w in zip(a, b, strict=True)]),
    lambda a, b: a if a.v > 0 else a * b, lambda dtype: [x[:40] for x in pairs()(dtype)])  # fmt: skip


def elu(alpha: float = 1, scale: float = 1, divisor: float = 1) -> Callable[[Jet], Jet]:
    return lambda a: mpf(scale) * (a if a.v > 0 else mpf(alpha) * (E.exp(a / mpf(divisor)) - 1))


def rounded_exponent(factor: float) -> Allowance:
    return lambda order, eps, tiny, y, a: 2 * eps * np.minimum(np.abs(a) * factor, 999) * y


law("elu", F.elu, elu())
law("elu:0.7", lambda a: F.elu(a, 0.7), elu(0.7))
law("selu", F.selu, elu(1.6732632423543772, 1.0507009873554805))
law("celu", F.celu, elu())
law("celu:2", lambda a: F.celu(a, 2.0), elu(2, 1, 2))
law("celu:0.3", lambda a: F.celu(a, 0.3), elu(0.3, 1, 0.3), numbers(), rounded_exponent(4), "a/α is rounded")
law("softplus", F.softplus, lambda a: a if a.v > 20 else E.softplus(a))  # from the threshold on, a itself
law("softplus:3", lambda a: F.softplus(a, 3.0, 1e9), lambda a: E.softplus(a * 3) / 3, numbers(),
    rounded_exponent(3), "3a is rounded")  # fmt: skip


def tails(order: int, eps: float, tiny: float, y: Any, a: Any) -> Any:
    x = np.minimum(np.abs(a), 999)
    return 8 * eps * (1 + x) * np.exp(-x) + 2 * tiny * x


SUMS = "σ is subnormal, and then multiplied by a; the terms of the derivatives cancel at an extremum"
law("silu", F.silu, lambda a: a * E.sigmoid(a), numbers(), tails, SUMS)
law("mish", F.mish, lambda a: a * E.tanh(E.softplus(a)), numbers(), tails, SUMS)
law("glu", lambda a, b: F.glu(torch.stack([a, b]), 0)[0], lambda a, b: a * E.sigmoid(b),
    lambda dtype: [pairs(-30, 30)(dtype)[0][:100], 0.9 * exponents(dtype)[0][:100]])  # fmt: skip


def gelu_tails(order: int, eps: float, tiny: float, y: Any, a: Any) -> Any:
    x = np.minimum(np.abs(a), 99)
    return 8 * eps * (2 + x * x) * np.exp(-x * x / 2) + 2 * tiny * (1 + x ** max(order, 1))


def tanh_tails(order: int, eps: float, tiny: float, y: Any, a: Any) -> Any:
    x = np.minimum(np.abs(a), 99)
    u = math.sqrt(8 / math.pi) * (x + 0.044715 * x**3)
    return 4 * eps * (1 + u) * x * (1.6 + 0.22 * x * x) ** order * np.exp(-u) + tiny * (1 + x ** (2 * order + 1))


def tanh_gelu(a: Jet) -> Jet:
    return a * E.sigmoid((a + a * a * a * mpf("0.044715")) * mp.sqrt(8 / mp.pi))


op("gelu", lambda a: a * E.normal(a), numbers(), gelu_tails, SUMS)
op("gelu_slope", lambda a: E.normal(a) + a * E.exp(a * a * mpf("-0.5")) / mp.sqrt(2 * mp.pi), numbers(),
   lambda order, eps, tiny, y, a: gelu_tails(order + 1, eps, tiny, y, a) * (1 + np.abs(a)), SUMS)  # fmt: skip
law("gelu:tanh", lambda a: F.gelu(a, "tanh"), tanh_gelu, numbers(), tanh_tails, "the exponent of e is rounded")

SPECIAL = """
    erfc erfcx erfinv i0 i0e i1 i1e igamma igammac lgamma log_ndtr logit ndtri polygamma xlog1py xlogy zeta
""".split()
OTHERS = {  # what has no tails
    "where": "chooses", "zero": "is 0", "sign": "is a step", "floor": "is a step", "ceil": "is a step",
    "trunc": "is a step", "round": "is a step", "clone": "copies", "xlogx": "with the losses",
    "combine": "is made of sums and products", "rrelu": "draws its slopes", "gumbel_softmax": "draws",
    "nextafter": "chooses", **dict.fromkeys(SPECIAL, "in test_special.py"),
    "power": "by its exponents", "lerp": "by its weights", "gauss": "under its own name", "clamp": "under its own name",
}  # fmt: skip
ALIASES = {  # other names, forms of an op, and what holds no law of its own
    "absolute": "abs", "arccos": "acos", "arcsin": "asin", "arctan": "atan", "clip": "clamp", "divide": "div",
    "multiply": "mul", "negative": "neg", "positive": "clone", "rsub": "sub", "sgn": "sign", "subtract": "sub",
    "true_divide": "div", "masked_fill": "where", "logsigmoid": "log_sigmoid",
}  # fmt: skip
PLAIN = {  # without a gradient, or along an axis
    "allclose", "equal", "isclose", "greater", "greater_equal", "less", "less_equal", "not_equal", "softmax", "softmin",
    "log_softmax",
}  # fmt: skip


# ------------------------------------------------------------------------------------------ measured
def derivatives(f: Callable[..., Any], args: Arrays) -> list[tuple[int, Any]]:
    """The value, the gradients and the second derivatives of f, element by element, each with its order."""
    xs = [torch.tensor(a, requires_grad=True) for a in args]
    y = f(*xs)
    found = [(0, y.detach().numpy())]
    slopes = torch.autograd.grad(y, xs, torch.ones_like(y), create_graph=True, materialize_grads=True)
    found += [(1, g.detach().numpy()) for g in slopes]
    for i, g in enumerate(slopes):
        if g.requires_grad:
            bent = torch.autograd.grad(g, xs, torch.ones_like(g), retain_graph=True, materialize_grads=True)
        else:
            bent = [torch.zeros_like(x) for x in xs]
        found += [(2, bent[j].numpy()) for j in range(i, len(xs))]
    return found


def expected(f: Callable[..., Any], *at: float) -> list[Any]:
    """The same, exactly, at one point."""
    y = f(*Jet.arguments(*at))
    n = range(len(at))
    return [y.v, *y.d, *(y.h[i][j] for i in n for j in n if i <= j)]


@cache
def measured(name: str, dtype: np.dtype[Any]) -> tuple[float, str, bool]:
    """The largest error as a multiple of what is allowed, what it is, and whether the allowance was needed."""
    law = LAWS[name]
    args, eps, tiny = law.where(dtype), float(np.finfo(dtype).eps), float(np.finfo(dtype).smallest_subnormal)
    found = derivatives(law.f, args)
    worst, text, needed = 0.0, "", False
    with mp.workdps(DIGITS[dtype]):
        for k, at in enumerate(zip(*(a.tolist() for a in args), strict=True)):
            for (order, y), exact in zip(found, expected(law.exact, *at), strict=True):
                if order == len(law.ulps):
                    break
                off, few = E.error(y[k], exact, dtype), law.ulps[order] * E.ulp(exact, dtype)
                ratio = float(off / few)
                if ratio > 1 and law.allow is not None:
                    with np.errstate(all="ignore"):
                        more = law.allow(order, eps, tiny, min(float(abs(exact)), 1e300), *map(np.float64, at))
                    needed, ratio = True, 0.0 if more == inf else float(off / (few + mpf(float(more))))
                if ratio > worst:
                    ulps = float(off / E.ulp(exact, dtype))
                    worst, text = ratio, f"order {order} at {at}: {y[k]!r}, not {mp.nstr(exact, 10)}: {ulps:.3g} ulp"
    return worst, text, needed


# ------------------------------------------------------------------------------------------ tests
@pytest.mark.parametrize("dtype", [F32, F64], ids=str)
@pytest.mark.parametrize("name", LAWS)
def test_a_few_units_in_the_last_place(name: str, dtype: np.dtype[Any]) -> None:
    worst, text, _ = measured(name, dtype)
    assert worst <= 1, text


@pytest.mark.parametrize("name", [name for name, law in LAWS.items() if law.allow])
def test_what_is_allowed_beyond_that_is_needed(name: str) -> None:
    assert LAWS[name].why
    assert any(measured(name, dtype)[2] for dtype in (F32, F64)), "it holds without the allowance now: take it away"


def test_every_elementwise_op_and_function_is_here() -> None:
    named = {name.partition(":")[0] for name in LAWS}
    ops = {name for name, row in ROWS.items() if row.elementwise and row.gradient}
    assert not ops - named - set(OTHERS), "an elementwise op without a law"
    functions = {name for name in (*pointwise.__all__, *activation.__all__) if not name.endswith("_")}
    without = {name for name, row in ROWS.items() if not row.gradient}
    assert not functions - named - set(OTHERS) - set(ALIASES) - without - PLAIN, "a function without a law"
    assert set(OTHERS) <= ops | functions and set(ALIASES) <= functions and set(ALIASES.values()) <= named | set(OTHERS)
