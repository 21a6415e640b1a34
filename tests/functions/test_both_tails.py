"""Reductions and losses in both tails: value, gradient and second derivative, against exact numbers.

The elements are as small and as large as floats can be, alone, together, and beside zeros. A result is right if it is
that of elements which differ from the given ones by an ulp: no algorithm can do better, for the elements themselves
are rounded. Where more is allowed, the law says why, and a test holds that it is needed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest
from mpmath import mp, mpf

import tinygrad_pt as torch
import tinygrad_pt.nn.functional as F
from tests.ops.exact import DIGITS, Jet, error, exp, log, power, softplus, sqrt, ulp
from tinygrad_pt.functions import reduction
from tinygrad_pt.nn.functional import classification, ranking, regression

F32, F64 = np.dtype("f"), np.dtype("d")
inf, nan = math.inf, math.nan
Jets = list[Jet]

# ------------------------------------------------------------------------------------------ where
PATTERNS = [[1, -0.7, 0.3], [0.4, 0.5, -1.1, 0.8], [1, 1e-3, -2], [2.0], [0.9, -0.2]]
SIZES = {F32: [1e-42, 2e-38, 1e-30, 1e-20, 1e-10, 1, 8, 40, 1e10, 2e19, 1e30, 5e37],
         F64: [1e-320, 1e-300, 1e-160, 1, 30, 1e160, 1e300]}  # fmt: skip
MIXED = [[1e20, 1, 2], [1e-20, 1, 3e15, 0], [2e30, 1e30, 0, 1e-30], [0, 3e-30], [2e30, 0, -1e30, 3e30],
         [1e-30, 2e-30, 2e30, 1e30], [3, 0, 4]]  # fmt: skip
ZEROS = [[1e13, 0, 0], [0, 0], [0, 1e30, 0, 1e30], [1e30, 1e30, 1e30, 0], [1e-30, 1e-30, 1e30, 1e30], [0]]


def vectors(dtype: np.dtype[Any]) -> Iterator[list[float]]:
    for size in SIZES[dtype]:
        yield from ([size * p for p in pattern] for pattern in PATTERNS)
    yield from MIXED


def alike(dtype: np.dtype[Any]) -> Iterator[list[float]]:
    """Vectors whose elements are normal numbers, and so are their quotients."""
    normal = float(np.finfo(dtype).tiny) * 1e4
    return (x for x in vectors(dtype) if min(map(abs, x)) > max(normal, 1e-25 * max(map(abs, x))))


def normal(dtype: np.dtype[Any]) -> Iterator[list[float]]:
    """Vectors without subnormal numbers: their mean has too few digits for a distance from it."""
    return (x for x in vectors(dtype) if max(map(abs, x)) > np.finfo(dtype).tiny)


def with_zeros(dtype: np.dtype[Any]) -> Iterator[list[float]]:
    """Vectors with several zeros or equal elements, too."""
    yield from vectors(dtype)
    yield from ZEROS


def even(dtype: np.dtype[Any]) -> Iterator[list[float]]:
    """Vectors that are cut into two halves."""
    return (x for x in vectors(dtype) if len(x) % 2 == 0)


def probabilities(dtype: np.dtype[Any]) -> Iterator[list[float]]:
    for p in (1e-11, 1e-4, 0.3, 0.5, 0.9, 0.9999, 1 - 2e-7):
        yield from ([p, q] for q in (0.25, 1 - 1e-6, 1e-5))


# ------------------------------------------------------------------------------------------ laws
# By (order of the derivative, elements, values): the size of terms that cancel in the result.
Terms = Callable[[int, list[Any], list[Any]], Any]


@dataclass(frozen=True)
class Law:
    """A function of a vector, the same on a list of jets, and the terms of whose size its errors may be."""

    f: Callable[[Any], Any]
    exact: Callable[[Jets], Any]
    where: Callable[[np.dtype[Any]], Iterator[list[float]]] = vectors
    terms: Terms | None = None
    why: str = ""


LAWS: dict[str, Law] = {}


def law(name: str, f: Any, exact: Any, where: Any = vectors, terms: Terms | None = None, why: str = "") -> None:
    LAWS[name] = Law(f, exact, where, terms, why)


def largest(xs: list[Any]) -> Any:
    return max(map(abs, xs))


def total(xs: Jets) -> Jet:
    return sum(xs[1:], xs[0])


def mean(xs: Jets) -> Jet:
    return total(xs) / len(xs)


def product(xs: Jets) -> Jet:
    y = xs[0]
    for x in xs[1:]:
        y = y * x
    return y


def top(xs: Jets) -> Jet:
    return max(xs, key=lambda x: x.v)


def bottom(xs: Jets) -> Jet:
    return min(xs, key=lambda x: x.v)


def at_least(x: Jet, low: Any) -> Jet:
    return x if x.v >= low else x.like(low)


def running(step: Callable[[Jet, Jet], Jet]) -> Callable[[Jets], Jets]:
    def run(xs: Jets) -> Jets:
        ys = xs[:1]
        for x in xs[1:]:
            ys.append(step(ys[-1], x))
        return ys

    return run


def pnorm(p: float) -> Callable[[Jets], Jet]:
    def norm(xs: Jets) -> Jet:
        if p == 2:
            y = total([x * x for x in xs])
            return sqrt(y) if y.v else 0 * y
        sizes = [abs(x) for x in xs if x.v]
        if not sizes or (p < 0 and len(sizes) < len(xs)):
            return 0 * xs[0]
        return power(total([power(x, p) for x in sizes]), 1 / mpf(p))

    return norm


def variance(correction: int) -> Callable[[Jets], Jet]:
    def var(xs: Jets) -> Jet:
        m = mean(xs)
        return total([(x - m) * (x - m) for x in xs]) / mpf(len(xs) - correction)

    return var


def deviation(xs: Jets) -> Jet:
    y = variance(0)(xs)
    return sqrt(y) if y.v else 0 * y


def logsumexp(xs: Jets) -> Jet:
    m = top(xs).v
    return log(total([exp(x - m) for x in xs])) + m


def softmax(xs: Jets) -> Jets:
    y = logsumexp(xs)
    return [exp(x - y) for x in xs]


def one(order: int, x: Any, y: Any) -> Any:
    return mpf(order > 0)


def per_length(power: int, extreme: Any = max) -> Terms:
    """Terms of the size of |x| to some power, less the order of the derivative, if that is one where they cancel."""

    def terms(order: int, x: list[Any], y: list[Any]) -> Any:
        size = extreme(map(abs, x)) or 1
        return size ** (power - order) if order > power else mpf(0)

    return terms


CURVE = "The curvature is (1 - u²)/|x|, or a product like it: the difference of two terms of that size."
SHARES = (
    "The shares are numbers between 0 and 1 that add up to 1, and their differences have the errors of such numbers."
)

law("sum", lambda x: x.sum(), total)
law("mean", lambda x: x.mean(), mean)
law("mean:dim", lambda x: x.reshape(-1, 1).mean(0), mean)
law("nansum", lambda x: x.nansum(), total)
law("var", lambda x: x.var(correction=0), variance(0))
law("std", lambda x: x.std(correction=0), deviation, normal, per_length(1), CURVE)
law("prod", lambda x: x.prod(), product, with_zeros)
law("cumprod", lambda x: x.cumprod(0), running(lambda a, b: a * b), with_zeros)
law("cumsum", lambda x: x.cumsum(0), running(lambda a, b: a + b))
law("cummax", lambda x: x.cummax(0)[0], running(lambda a, b: a if a.v > b.v else b))
law("cummin", lambda x: x.cummin(0)[0], running(lambda a, b: a if a.v < b.v else b))
law("sort", lambda x: x.sort()[0], lambda x: sorted(x, key=lambda a: a.v))
law("topk", lambda x: x.topk(1)[0], top)
law("kthvalue", lambda x: x.kthvalue(1)[0], bottom)
law("amax", lambda x: x.amax(), top)
law("max", lambda x: x.max(), top)
law("amin", lambda x: x.amin(), bottom)
law("min", lambda x: x.min(), bottom)
law("aminmax", lambda x: torch.stack(tuple(x.aminmax())), lambda x: [bottom(x), top(x)])
law("median", lambda x: x.median(), lambda x: sorted(x, key=lambda a: a.v)[(len(x) - 1) // 2])
law("mode", lambda x: x.mode()[0], bottom)
law("norm", lambda x: x.norm(), pnorm(2), with_zeros, per_length(1), why=CURVE)
for p in (3, 2.5):
    law(f"norm:{p}", lambda x, p=p: x.norm(p=p), pnorm(p), with_zeros, per_length(1), CURVE)
for p in (1.5, 0.5):
    law(f"norm:{p}", lambda x, p=p: x.norm(p=p), pnorm(p), alike, per_length(1, min), CURVE)
for p in (-1, -2):
    law(f"norm:{p}", lambda x, p=p: x.norm(p=p), pnorm(p), alike, per_length(1, min), CURVE)
law("norm:1", lambda x: x.norm(p=1), pnorm(1))
law("norm:0", lambda x: x.norm(p=0), lambda x: x[0].like(sum(a.v != 0 for a in x)))
law("norm:inf", lambda x: x.norm(p=inf), lambda x: top(list(map(abs, x))))
law("norm:-inf", lambda x: x.norm(p=-inf), lambda x: bottom(list(map(abs, x))))
law("logsumexp", lambda x: x.logsumexp(0), logsumexp, terms=one, why=SHARES)
law("softmax", lambda x: x.softmax(0), softmax, terms=one, why=SHARES)
law(
    "log_softmax",
    lambda x: x.log_softmax(0),
    lambda x: [a - logsumexp(x) for a in x],
    terms=lambda *_: mpf(1),
    why=SHARES,
)

# -------------------------------------------------------------------------------- two vectors, a vector and targets
REDUCED: dict[str, Callable[[Jets], Any]] = {"mean": mean, "sum": total, "none": lambda x: x}


def paired(name: str, f: Any, each: Any, *more: Any, **settings: Any) -> None:
    """A loss of two vectors, in every reduction; both of them have gradients."""
    for manner, reduce in REDUCED.items():

        def ours(x: Any, manner: str = manner) -> Any:
            n = x.shape[0] // 2
            return f(x[:n], x[n:], reduction=manner, **settings)

        def exactly(x: Jets, reduce: Any = reduce) -> Any:
            n = len(x) // 2
            return reduce([each(a, b) for a, b in zip(x[:n], x[n:], strict=True)])

        law(f"{name}:{manner}", ours, exactly, even, *more)


def huber(delta: float) -> Callable[[Jet, Jet], Jet]:
    def loss(a: Jet, b: Jet) -> Jet:
        d = abs(a - b)
        return d * d / 2 if d.v < delta else mpf(delta) * (d - mpf(delta) / 2)

    return loss


def cross_entropy(smoothing: float = 0.0) -> Callable[[Jets], Jet]:
    def loss(x: Jets) -> Jet:
        y = logsumexp(x)
        return (y - x[0]) * (1 - mpf(smoothing)) + mean([y - a for a in x]) * mpf(smoothing)

    return loss


def ours_cross_entropy(**settings: Any) -> Callable[[Any], Any]:
    return lambda x: F.cross_entropy(x.reshape(1, -1), torch.tensor([0]), **settings)


def like(x: Any, value: float) -> Any:
    return torch.full_like(x, value)


paired("mse_loss", F.mse_loss, lambda a, b: (a - b) * (a - b))
paired("l1_loss", F.l1_loss, lambda a, b: abs(a - b))
for size in (0.75, 2.0**-100, 2.0**100):
    paired(f"huber_loss:{size}", F.huber_loss, huber(size), delta=size)
    paired(f"smooth_l1_loss:{size}", F.smooth_l1_loss, lambda a, b, size=size: huber(size)(a, b) / size, beta=size)
paired("binary_cross_entropy_with_logits", F.binary_cross_entropy_with_logits, lambda a, b: softplus(a) - a * b)
for target in (0.0, 1.0, 0.25):
    law(f"binary_cross_entropy:of {target}",
        lambda x, t=target: F.binary_cross_entropy(x, like(x, t), reduction="none"),
        lambda x, t=target: [-(t * log(p) + (1 - t) * log(1 - p)) for p in x], probabilities)  # fmt: skip
paired("poisson_nll_loss", F.poisson_nll_loss, lambda a, b: exp(a) - a * b)
law("poisson_nll_loss:of x", lambda x: F.poisson_nll_loss(x.abs(), like(x, 2), log_input=False, eps=2.0**-27),
    lambda x: mean([abs(a) - 2 * log(abs(a) + 2.0**-27) for a in x]))  # fmt: skip
law("gaussian_nll_loss", lambda x: F.gaussian_nll_loss(x, like(x, 1), like(x, 0.5)),
    lambda x: mean([(mp.log(mpf(0.5)) + (a - 1) * (a - 1) * 2) / 2 for a in x]))  # fmt: skip
law("gaussian_nll_loss:variance", lambda x: F.gaussian_nll_loss(like(x, 1), like(x, 3), x.abs(), eps=0.0),
    lambda x: mean([(log(abs(a)) + 4 / abs(a)) / 2 for a in x]))  # fmt: skip
paired("kl_div:log_target", F.kl_div, lambda a, b: exp(b) * (b - a), log_target=True)
law("kl_div", lambda x: F.kl_div(like(x, -2), x.abs(), reduction="sum"),
    lambda x: total([abs(a) * log(abs(a)) + abs(a) * 2 for a in x]))  # fmt: skip
law("nll_loss", lambda x: F.nll_loss(x.reshape(1, -1), torch.tensor([0])), lambda x: -x[0])
law("cross_entropy", ours_cross_entropy(), cross_entropy(), terms=lambda *_: mpf(1), why=SHARES)
law(
    "cross_entropy:smoothed",
    ours_cross_entropy(label_smoothing=0.25),
    cross_entropy(0.25),
    terms=lambda *_: mpf(1),
    why=SHARES,
)
law("hinge_embedding_loss:near", lambda x: F.hinge_embedding_loss(x, like(x, 1)), mean)
law("hinge_embedding_loss:far", lambda x: F.hinge_embedding_loss(x, like(x, -1), margin=0.875),
    lambda x: mean([at_least(0.875 - a, 0) for a in x]))  # fmt: skip
paired("margin_ranking_loss", lambda a, b, reduction: F.margin_ranking_loss(a, b, like(a, 1), 0.5, reduction=reduction),
       lambda a, b: at_least(b - a + 0.5, 0))  # fmt: skip


def halves(f: Any) -> Callable[[Any], Any]:
    """A function of the two halves of a vector."""
    return lambda x: f(x[: len(x) // 2], x[len(x) // 2 :])


def direction(x: Jets, low: Any = 0) -> Jets:
    y = pnorm(2)(x)
    return [a / (y if y.v > low else y.like(low)) for a in x]


def cosine(a: Jets, b: Jets) -> Jet:
    return total([s * t for s, t in zip(direction(a, mpf(1e-8)), direction(b, mpf(1e-8)), strict=True)])


def distance(p: float) -> Callable[[Jets, Jets], Jet]:
    return lambda a, b: pnorm(p)([s - t + mpf(1e-6) for s, t in zip(a, b, strict=True)])


def angle(order: int, x: list[Any], y: list[Any]) -> Any:
    """The size of the derivatives of cosines: powers of 1/|x|, for the shorter vector."""
    n = len(x) // 2
    return 1 / max(min(largest(x[:n]), largest(x[n:])), mpf(1e-8)) ** order


law("normalize", lambda x: F.normalize(x, dim=0), lambda x: direction(x, mpf(1e-12)), terms=per_length(0), why=CURVE)
law("normalize:1", lambda x: F.normalize(x, p=1.0, dim=0),
    lambda x: [a / at_least(total(list(map(abs, x))), mpf(1e-12)) for a in x], vectors, per_length(0),
    CURVE)  # fmt: skip
law("pairwise_distance", halves(F.pairwise_distance), halves(distance(2)), even)
law("pairwise_distance:3", halves(lambda a, b: F.pairwise_distance(a, b, 3.0)), halves(distance(3)), even,
    lambda order, x, y: 4 / y[0] if order > 1 else 0, CURVE)  # fmt: skip
law("pdist", halves(lambda a, b: F.pdist(torch.stack([a, b]))),
    halves(lambda a, b: pnorm(2)([s - t for s, t in zip(a, b, strict=True)])), even,
    lambda order, x, y: 4 / y[0] if order > 1 else 0, CURVE)  # fmt: skip
law(
    "cosine_similarity",
    halves(lambda a, b: F.cosine_similarity(a, b, 0)),
    halves(cosine),
    lambda dtype: (x for x in alike(dtype) if len(x) % 2 == 0),
    angle,
    CURVE,
)


# ------------------------------------------------------------------------------------------ comparing
def exactly(law: Law, x: list[Any], seed: list[float], v: list[float]) -> list[list[list[Any]]]:
    """Value, gradient of Σ seed · y, and its derivative in the direction v: of each element, the terms of its sum."""
    y = law.exact(Jet.arguments(*x))
    ys = y if isinstance(y, list) else [y]
    n = range(len(x))
    d = [[s * a.d[i] for s, a in zip(seed, ys, strict=False)] for i in n]
    h = [[s * a.h[i][j] * v[j] for s, a in zip(seed, ys, strict=False) for j in n] for i in n]
    return [[[a.v] for a in ys], d, h]


def ours(law: Law, x: np.ndarray[Any, Any], seed: list[float], v: list[float]) -> list[list[float]]:
    leaf = torch.tensor(x, requires_grad=True)
    y = law.f(leaf)
    (d,) = torch.autograd.grad(
        y, leaf, torch.tensor(seed, dtype=y.dtype)[: y.numel()].reshape(y.shape), create_graph=True
    )
    h = torch.zeros_like(leaf)
    if d.requires_grad:
        (h,) = torch.autograd.grad(d, leaf, torch.tensor(v, dtype=d.dtype)[: len(x)], materialize_grads=True)
    return [r.detach().reshape(-1).tolist() for r in (y, d, h)]


ULPS = (4, 8, 16)


def complaints(law: Law, dtype: np.dtype[Any], excused: bool = True) -> Iterator[str]:
    """Each result that is too far from the exact one."""
    draw, largest_float = np.random.default_rng(0), mpf(float(np.finfo(dtype).max))
    mp.dps = DIGITS[dtype]
    for given in law.where(dtype):
        x = np.array(given, dtype)
        seed, v = draw.choice([1.0, -0.5, 0.75], (2, 4)).tolist()
        points = [mpf(float(a)) for a in x]
        try:
            exact = exactly(law, points, seed, v)
        except ZeroDivisionError:  # no derivative there
            continue
        values = [a for (a,) in exact[0]]
        if largest(values) > largest_float / 64:
            continue

        @cache
        def moved(points: tuple[Any, ...] = tuple(points), seed: Any = seed, v: Any = v) -> list[Any]:
            """The exact results where one element is an ulp larger."""
            steps = [ulp(a, dtype) if a else a for a in points]
            return [
                exactly(law, [a + steps[j] * (i == j) for j, a in enumerate(points)], seed, v)
                for i in range(len(points)) if steps[i]
            ]  # fmt: skip

        with np.errstate(all="ignore"):
            results = ours(law, x, seed, v)
        for order, found in enumerate(results):
            cancel = law.terms(order, points, values) if law.terms and excused else 0
            for i, (a, terms) in enumerate(zip(found, exact[order], strict=True)):
                e, size = sum(terms), sum(map(abs, terms))
                if max(size, cancel) > largest_float / 64:
                    continue
                off = error(a, e, dtype)
                if off > ULPS[order] * (near := ulp(size, dtype) + ulp(cancel, dtype) * bool(cancel)):
                    if off > ULPS[order] * (near + sum(abs(sum(m[order][i]) - e) for m in moved())):
                        yield f"order {order}, element {i} at {x.tolist()}: {a} for {mp.nstr(e, 9)}"


@pytest.mark.filterwarnings("ignore:reduction")
@pytest.mark.parametrize("dtype", [F32, F64], ids=["float32", "float64"])
@pytest.mark.parametrize("name", LAWS)
def test_value_gradient_and_second_derivative_are_those_of_elements_an_ulp_away(name: str, dtype: Any) -> None:
    found = list(complaints(LAWS[name], dtype))
    assert not found, "\n".join(found[:8])


@pytest.mark.parametrize("name", [name for name, law in LAWS.items() if law.terms])
def test_what_is_excused_needs_it(name: str) -> None:
    assert LAWS[name].why and any(complaints(LAWS[name], F32, excused=False))


# What has no law here, and why.
OUTSIDE = {
    "all": "no derivative", "any": "no derivative", "argmax": "no derivative", "argmin": "no derivative",
    "argsort": "no derivative", "bincount": "no derivative", "count_nonzero": "no derivative",
    "unique": "no derivative", "one_hot": "no derivative",
    "soft_margin_loss": "log_sigmoid of a product; tests/ops/test_tails.py is about log_sigmoid",
    "cosine_embedding_loss": "1 - a cosine, and cosine_similarity has a law",
    "triplet_margin_loss": "a difference of two distances, and pairwise_distance has a law",
    "triplet_margin_with_distance_loss": "a difference of two distances that the caller gives",
    "linear_cross_entropy": "cross_entropy of linear, and cross_entropy has a law",
}  # fmt: skip


def test_every_reduction_and_loss_has_a_law_or_a_reason() -> None:
    names = {name for m in (reduction, classification, regression, ranking) for name in m.__all__}
    held = {name.split(":")[0] for name in LAWS}
    assert names - held - set(OUTSIDE) == set() and set(OUTSIDE) & held == set()
