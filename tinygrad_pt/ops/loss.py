"""Losses, each of them one op, because in the step of a small network every vertex takes time that can be measured.

`reduction` is "mean", "sum" or "none". Targets and weights are arguments, so a captured program can change them.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from tinygrad_pt.calling import primitive
from tinygrad_pt.dtypes import dtype as Dtype
from tinygrad_pt.dtypes import numpy_of
from tinygrad_pt.errors import refuse
from tinygrad_pt.graph import Array
from tinygrad_pt.ops.elementwise import clamp, log, log1p, maximum, sigmoid, square
from tinygrad_pt.ops.norm import LEAST, norm, square_sum
from tinygrad_pt.ops.reduce import count, mean, sum
from tinygrad_pt.ops.shape import total, unsqueeze
from tinygrad_pt.ops.soft import softmax


def reduced(losses: Array, reduction: str) -> Array:
    """The mean or the sum of all losses, or each of them."""
    if reduction == "none":
        return losses
    return mean.op.forward(losses) if reduction == "mean" else total(losses, None, False)


@lru_cache(maxsize=64)  # a small network's step asks for the same again and again
def _share(shape: tuple[int, ...], reduction: str) -> float:
    """The factor of one loss in the result: 1/n in a mean, else 1."""
    n = count(shape, None) if reduction == "mean" else 1
    return 1 / n if n else float("nan")


# -------------------------------------------------------------------------------- distances
@primitive(
    r"\overline{(a - b)^{2}}",
    lambda g, y, a, b, *, reduction: g * (2 * _share(a.shape, reduction)) * (a - b),
    lambda g, y, a, b, *, reduction: g * (2 * _share(a.shape, reduction)) * (b - a),
)
def mse_loss(a: Array, b: Array, *, reduction: str) -> Array:
    """y = (a - b)². On a small batch this takes less than half the time of sub, square and mean."""
    d = a - b
    if reduction == "none":
        return d * d
    flat = d.ravel()
    y, n = flat.dot(flat) if flat.size <= 32768 else square_sum(flat), flat.size if reduction == "mean" else 1
    if LEAST <= float(y) < math.inf:
        return y / n
    return np.square(norm.op.forward(flat) / np.sqrt(n, dtype=d.dtype))


@primitive(
    r"\mathrm{huber}(a - b)",
    lambda g, y, a, b, *, delta, reduction: g * _share(a.shape, reduction) * clamp(a - b, low=-delta, high=delta),
    lambda g, y, a, b, *, delta, reduction: g * _share(a.shape, reduction) * clamp(b - a, low=-delta, high=delta),
)
def huber_loss(a: Array, b: Array, *, delta: float, reduction: str) -> Array:
    """y = d²/2 for d = |a - b| < δ, else δ (d - δ/2): a parabola, continued by its tangents."""
    d = np.abs(a - b)
    return reduced(np.where(d < delta, 0.5 * d * d, delta * (d - 0.5 * delta)).astype(d.dtype), reduction)


@primitive(
    r"\mathrm{smooth}(a - b)",
    lambda g, y, a, b, *, beta, reduction: g * (_share(a.shape, reduction) / beta) * clamp(a - b, low=-beta, high=beta),
    lambda g, y, a, b, *, beta, reduction: g * (_share(a.shape, reduction) / beta) * clamp(b - a, low=-beta, high=beta),
)
def smooth_l1_loss(a: Array, b: Array, *, beta: float, reduction: str) -> Array:
    """y = d²/2β for d = |a - b| < β, else d - β/2."""
    d = np.abs(a - b)
    return reduced(np.where(d < beta, 0.5 * d * (d / beta), d - 0.5 * beta).astype(d.dtype), reduction)


# -------------------------------------------------------------------------------- likelihoods, two classes
# An op of its own for stability: the derivative of the quotient would be a difference of two large numbers.
@primitive(
    r"\frac{a - b}{a\,(1 - a)}",
    lambda g, y, a, b: g * (((a - b) * (a - b) + b * (1 - b)) / square(maximum(a * (1 - a), 1e-12))),
    lambda g, y, a, b: -(g / maximum(a * (1 - a), 1e-12)),
)
def odds_error(a: Array, b: Array) -> Array:
    """y = (a - b) / (a (1 - a)), with a denominator of at least 10⁻¹² (PyTorch)."""
    return (a - b) / np.maximum(a * (1 - a), a.dtype.type(1e-12))


@primitive(
    r"\overline{-b \ln a - (1 - b) \ln(1 - a)}",
    lambda g, y, a, b, *, reduction: g * _share(a.shape, reduction) * odds_error(a, b),
    lambda g, y, a, b, *, reduction: (
        g * _share(a.shape, reduction) * (maximum(log1p(-a), -100.0) - maximum(log(a), -100.0))
    ),
)
def binary_cross_entropy(a: Array, b: Array, *, reduction: str) -> Array:
    """y = -b ln a - (1 - b) ln(1 - a), each logarithm at least -100: finite where a is 0 or 1."""
    low = a.dtype.type(-100)
    return reduced((b - 1) * np.maximum(np.log1p(-a), low) - b * np.maximum(np.log(a), low), reduction)


# An op of its own for stability: where σ(a) is almost b = 1, the difference is that of 1 - b and σ(-a).
@primitive(r"(\sigma(a) - b)", lambda g, y, a, b: g * (sigmoid(a) * sigmoid(-a)), lambda g, y, a, b: -g)
def sigmoid_error(a: Array, b: Array) -> Array:
    """y = σ(a) - b."""
    rest = np.exp(-np.abs(a))
    rest /= 1 + rest  # σ(-|a|)
    return np.where(a > 0, (1 - b) - rest, rest - b)


@primitive(
    r"\overline{\ln(1 + e^{a}) - a\,b}",
    lambda g, y, a, b, *, reduction: g * _share(a.shape, reduction) * sigmoid_error(a, b),
    lambda g, y, a, b, *, reduction: -(g * _share(a.shape, reduction) * a),
)
def binary_cross_entropy_with_logits(a: Array, b: Array, *, reduction: str) -> Array:
    """y = ln(1 + eᵃ) - a b, the cross entropy of σ(a) with b; no eᵃ overflows."""
    return reduced(np.maximum(a, 0) - a * b + np.log1p(np.exp(-np.abs(a))), reduction)


@primitive(r"a \ln a", lambda g, y, a: g * (log(a) + a / a), elementwise=True)
def xlogx(a: Array) -> Array:
    """y = a ln a, and 0 where a is 0. There the slope is -inf, and a/a makes it nan (PyTorch)."""
    return np.where(a == 0, a, a * np.log(a))


# -------------------------------------------------------------------------------- likelihoods, many classes
def classes_of(b: Array, classes: int, ignore: int) -> tuple[Array, Array | None]:
    """The class of each target, 0 for those that do not count; and which ones count (None: all)."""
    if ignore < 0 and np.maximum.reduce(b.view(np.uint64), axis=None, initial=0) < classes:
        return b, None
    counts = b != ignore
    b = np.where(counts, b, 0)
    wrong = b[(b < 0) | (b >= classes)]
    if wrong.size:
        raise refuse(IndexError, f"Target {wrong.flat[0]} is out of bounds.")
    return b, counts


def _places(b: Array, classes: int, axis: int, ignore: int) -> tuple[tuple[Array, ...], Array | None]:
    """The index of the element of each target, its class along `axis`; and which targets count (None: all)."""
    b, counts = classes_of(b, classes, ignore)
    if b.ndim <= 1:
        return ((np.arange(b.size), b) if b.ndim else (b,)), counts
    grid = np.ogrid[tuple(slice(n) for n in b.shape)]
    return (*grid[:axis], b, *grid[axis:]), counts


@primitive(
    r"a_{b}",
    lambda g, y, a, b, *, axis, ignore: unpick_class(g, b, classes=a.shape[axis], axis=axis, ignore=ignore),
    None,
    moves=True,
)
def pick_class(a: Array, b: Array, *, axis: int, ignore: int) -> Array:
    """y = the element of a at class b along an axis, 0 where b is `ignore`."""
    where, counts = _places(b, a.shape[axis], axis, ignore)
    y = a[where]
    return y if counts is None else np.where(counts, y, 0).astype(a.dtype)


@primitive(
    r"\mathrm{put}_{b}(a)",
    lambda g, y, a, b, *, classes, axis, ignore: pick_class(g, b, axis=axis, ignore=ignore),
    None,
    moves=True,
)
def unpick_class(a: Array, b: Array, *, classes: int, axis: int, ignore: int) -> Array:
    """y = zeros with a put at class b along an axis of length `classes`."""
    where, counts = _places(b, classes, axis, ignore)
    y = np.zeros((*b.shape[:axis], classes, *b.shape[axis:]), a.dtype)
    y[where] = a if counts is None else np.where(counts, a, 0)
    return y


@primitive(r"w_{a}", None, None, moves=True)
def class_weight(
    a: Array, b: Array | None = None, *, ignore: int, reduction: str, dtype: Dtype | np.dtype[Any]
) -> Array:  # fmt: skip
    """y = the weight of each target in the loss: b[a], or 1 without b; in a mean, divided by the sum of all weights.

    A target `ignore` has weight 0.
    """
    counts, dtype = a != ignore, numpy_of(dtype)
    w = counts.astype(dtype) if b is None else np.where(counts, b[np.where(counts, a, 0)], 0).astype(dtype)
    if reduction != "mean":
        return w
    n = np.count_nonzero(counts) if b is None else np.add.reduce(w, axis=None)
    return np.divide(w, n, out=np.zeros_like(w), where=counts, dtype=dtype)


def _weighed(losses: Array, b: Array, c: Array, ignore: int, reduction: str) -> Array:
    """Losses with weights that sum to 1 in a mean: each or their sum, but nan for the mean of no losses."""
    if reduction == "none":
        return losses * c
    y = total(losses * c, None, False)
    return y * losses.dtype.type(math.nan) if reduction == "mean" and not (b != ignore).any() else y


# An op of its own for a measured gain: three vertices, which gather, weigh and sum, take twice as long.
@primitive(
    r"-\textstyle\sum c\, a_{b}",
    lambda g, y, a, b, c, *, axis, ignore, reduction: unpick_class(
        -(g * c), b, classes=a.shape[axis], axis=axis, ignore=ignore
    ),
    None,
    lambda g, y, a, b, c, *, axis, ignore, reduction: -(g * pick_class(a, b, axis=axis, ignore=ignore)),
    flat=True,
    label=lambda node: "NllLoss2DBackward0" if len(node.parents[0].shape) > 2 else "NllLossBackward0",
)
def nll_loss(a: Array, b: Array, c: Array, *, axis: int, ignore: int, reduction: str) -> Array:
    """y = -Σ c a_b: minus the log-probability a of each target class b, weighted by c."""
    return 0 - _weighed(pick_class.op.forward(a, b, axis=axis, ignore=ignore), b, c, ignore, reduction)


# -------------------------------------------------------------------------------- likelihoods, from logits
@np.errstate(all="ignore")  # it is called beside the op, whose call would compute again without the user's errors
def losses_and_errors(a: Array, b: Array, axis: int, ignore: int) -> tuple[Array, Array, Array | None]:
    """-ln softmax(a)_b of each target and softmax(a) - onehot(b), which have most of their work in common; both are 0
    for a target that is ignored. And which targets count (None: all).
    """
    n = a.shape[axis]
    classes, counts = classes_of(b, n, ignore)
    # Classes become the first axis. NumPy would reduce short rows one after the other, but adds up columns together.
    x = a.T.copy() if a.ndim <= 2 and n <= 32 else a.T if a.ndim <= 2 else np.moveaxis(a, axis, 0)
    x = x.reshape(n, -1) if a.ndim != 2 else x
    e = x - np.maximum.reduce(x, axis=0, initial=-np.inf)
    flat, step = e.ravel("K"), [k // e.itemsize for k in e.strides]
    own = classes.ravel() * step[0] + np.arange(0, e.shape[1] * step[1], step[1] or 1)
    z = flat[own]
    np.exp(e, out=e)
    p = np.exp(z)
    flat[own] = 0
    rest = total(e, 0, False)
    # If the target is almost certain, its share is 1 in floating point, but what is missing to 1 is known: the rest.
    flat[own] = -rest
    e /= rest + p
    losses = (np.log1p(rest + np.expm1(z)) - z).reshape(b.shape)
    errors = np.ascontiguousarray(e.T if a.ndim == 2 else np.moveaxis(e.reshape(n, *b.shape), 0, axis))
    if counts is not None:
        none = losses.dtype.type(0)
        losses, errors = np.where(counts, losses, none), np.where(np.expand_dims(counts, axis), errors, none)
    return losses, errors, counts


def _tangent(g: Any, p: Any, axis: int) -> Any:
    """How softmax, whose value is p, changes with its argument: p (g - Σ g p)."""
    return p * (g - sum(g * p, axis=axis, keepdims=True))


# An op of its own for stability: where the target is almost certain, its 1 would be subtracted from almost 1.
@primitive(
    r"\operatorname{softmax}(a) - \operatorname{onehot}(b)",
    lambda g, y, a, b, d=None, *, axis, ignore: _tangent(
        g * unsqueeze(class_weight(b, ignore=ignore, reduction="sum", dtype=a.dtype), axis=axis),
        softmax(a, axis=axis), axis,
    ),
    None,
    None,
)  # fmt: skip
def softmax_error(a: Array, b: Array, d: Array | None = None, *, axis: int, ignore: int) -> Array:
    """y = softmax(a) - onehot(b), and 0 where b is `ignore`; it is d if that is given."""
    return losses_and_errors(a, b, axis, ignore)[1] if d is None else d


def _by_logits(g, y, a, b, c=None, e=None, d=None, *, axis, ignore, reduction):  # type: ignore[no-untyped-def]
    g = g * (_share(b.shape, reduction) if c is None else c)
    given = () if d is None else (d,)
    return (unsqueeze(g, axis=axis) if g.ndim else g) * softmax_error(a, b, *given, axis=axis, ignore=ignore)


# An op of its own for stability and a measured gain: log_softmax and nll_loss take half as long again.
@primitive(
    r"-\overline{\ln\operatorname{softmax} a_{b}}",
    _by_logits,
    None,
    lambda g, y, a, b, c, e=None, d=None, *, axis, ignore, reduction: (
        g * cross_entropy(a, b, axis=axis, ignore=ignore, reduction="none")
    ),
    None,
    None,
    aside=3,
    label=lambda node: "NllLoss2DBackward0" if len(node.parents[0].shape) > 2 else "NllLossBackward0",
)
def cross_entropy(
    a: Array, b: Array, c: Array | None = None, e: Array | None = None, d: Array | None = None, *,
    axis: int, ignore: int, reduction: str,
) -> Array:  # fmt: skip
    """y = -ln softmax(a)_b. The weights c sum to 1 in a mean; without them all targets count, and none is `ignore`.

    The losses e and their errors d may be given, as `losses_and_errors` finds them.
    """
    e = losses_and_errors(a, b, axis, ignore)[0] if e is None else e
    return reduced(e, reduction) if c is None else _weighed(e, b, c, ignore, reduction)
