"""Reductions, which compute one element from many; `axis` is a tuple, an int, or None for all axes."""

from __future__ import annotations

import math

import numpy as np

from tinygrad_pt.calling import primitive
from tinygrad_pt.graph import Array
from tinygrad_pt.ops.elementwise import cast, eq, exp, where
from tinygrad_pt.ops.shape import Axis, Shape, expand, flip, spread, total, unsqueeze


def count(shape: Shape, axis: Axis) -> int:
    """The number of elements from which one element of the result is computed."""
    if axis is None:
        return math.prod(shape)
    return math.prod(shape[i] for i in (axis if isinstance(axis, tuple) else (axis,)))


# ------------------------------------------------------------------------------------------ sums
@primitive(r"\sum a", lambda g, y, a, *, axis, keepdims: spread(g, a.shape, axis, keepdims))
def sum(a: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """y = Σ a."""
    return total(a, axis, keepdims)


@primitive(
    r"\frac{1}{n}\sum a", lambda g, y, a, *, axis, keepdims: spread(g / count(a.shape, axis), a.shape, axis, keepdims)
)
def mean(a: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """y = Σ a / n."""
    return np.add.reduce(a, axis=axis, keepdims=keepdims) / count(a.shape, axis)


@primitive(
    r"\operatorname{var} a",
    lambda g, y, a, *, axis, keepdims, correction: (
        spread(g * 2 / _freedom(a.shape, axis, correction), a.shape, axis, keepdims)
        * (a - mean(a, axis=axis, keepdims=True))
    ),
)
def var(a: Array, *, axis: Axis = None, keepdims: bool = False, correction: float = 1) -> Array:
    """y = Σ (a - mean a)² / (n - correction)."""
    centred = a - mean.op.forward(a, axis=axis, keepdims=True)
    return total(centred * centred, axis, keepdims) / _freedom(a.shape, axis, correction)


# std is an op of its own because √ has no derivative at 0. Where all elements are equal, its gradient is 0 (PyTorch);
# the formula gives that with ∞ in place of y.
@primitive(
    r"\operatorname{std} a",
    lambda g, y, a, *, axis, keepdims, correction: (
        spread(g / (where(eq(y, 0), math.inf, y) * _freedom(a.shape, axis, correction)), a.shape, axis, keepdims)
        * (a - mean(a, axis=axis, keepdims=True))
    ),
)
def std(a: Array, *, axis: Axis = None, keepdims: bool = False, correction: float = 1) -> Array:
    """y = √(Σ (a - mean a)² / (n - correction))."""
    return np.sqrt(var.op.forward(a, axis=axis, keepdims=keepdims, correction=correction))


def _freedom(shape: Shape, axis: Axis, correction: float) -> float:
    return max(0.0, count(shape, axis) - correction)


@primitive(
    r"\left\|a\right\|",
    lambda g, y, a, *, axis, keepdims: spread(where(eq(y, 0), 0.0, g / y), a.shape, axis, keepdims) * a,
)
def norm(a: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """y = √Σ a²; at 0 the gradient is 0, the subgradient of least norm."""
    return np.sqrt(total(a * a, axis, keepdims))


# ------------------------------------------------------------------------------------------ extremes
def _share(g: Array, y: Array, a: Array, axis: Axis, keepdims: bool) -> Array:
    """g, split evenly among the elements that are equal to the extreme y."""
    chosen = cast(eq(a, spread(y, a.shape, axis, keepdims)), dtype=a.dtype)
    number = sum(chosen, axis=axis, keepdims=keepdims)
    return chosen * spread(g / number, a.shape, axis, keepdims)


@primitive(r"\max a", lambda g, y, a, *, axis, keepdims: _share(g, y, a, axis, keepdims))
def amax(a: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """y = the largest element; ties share the gradient evenly."""
    return np.maximum.reduce(a, axis=axis, keepdims=keepdims)


@primitive(r"\min a", lambda g, y, a, *, axis, keepdims: _share(g, y, a, axis, keepdims))
def amin(a: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """y = the smallest element; ties share the gradient evenly."""
    return np.minimum.reduce(a, axis=axis, keepdims=keepdims)


# ------------------------------------------------------------------------------------------ places of elements
@primitive(r"\arg\max a", None)
def argmax(a: Array, *, axis: int | None = None, keepdims: bool = False) -> Array:
    """y = the index of the first of the largest elements; nan is the largest."""
    return np.argmax(a, axis=axis, keepdims=keepdims)


@primitive(r"\arg\min a", None)
def argmin(a: Array, *, axis: int | None = None, keepdims: bool = False) -> Array:
    """y = the index of the first of the smallest elements; nan is the smallest."""
    return np.argmin(a, axis=axis, keepdims=keepdims)


@primitive(r"\operatorname{argsort} a", None)
def argsort(a: Array, *, axis: int, descending: bool = False) -> Array:
    """y = the indices that sort `a` along an axis; equal elements keep their order."""
    if not descending:
        return np.argsort(a, axis, kind="stable")
    return np.flip(a.shape[axis] - 1 - np.argsort(np.flip(a, axis), axis, kind="stable"), axis).copy()


# ------------------------------------------------------------------------------------------ running sums, products
@primitive(
    r"\mathrm{cumsum}\, a", lambda g, y, a, *, axis: flip(cumsum(flip(g, axis=(axis,)), axis=axis), axis=(axis,))
)
def cumsum(a: Array, *, axis: int) -> Array:
    """yₖ = a₀ + … + aₖ."""
    return np.cumsum(a, axis)


@primitive(r"\prod a", lambda g, y, a: unsqueeze(g, axis=-1) * product_of_others(a))
def prod(a: Array) -> Array:
    """y = the product over the last axis."""
    return np.multiply.reduce(a, axis=-1)


def _square(a: Array, mask: Array) -> Array:
    """A square matrix, each row of which is a, with 1 in place of the elements where the mask is False."""
    n = a.shape[-1]
    return where(mask, expand(unsqueeze(a, axis=-2), shape=(*a.shape[:-1], n, n)), 1.0)


@primitive(
    r"\prod_{\neq i} a",
    lambda g, y, a: sum(
        where(
            ~np.eye(a.shape[-1], dtype=bool),
            unsqueeze(g, axis=-1) * product_of_others(_square(a, ~np.eye(a.shape[-1], dtype=bool))),
            0.0,
        ),
        axis=-2,
        keepdims=False,
    ),
)
def product_of_others(a: Array) -> Array:
    """yᵢ = the product of all elements of the last axis but the i-th, which, unlike y/aᵢ, exists for aᵢ = 0."""
    one = np.ones((*a.shape[:-1], 1), a.dtype)
    left = np.cumprod(np.concatenate([one, a[..., :-1]], -1), -1)
    right = np.cumprod(np.concatenate([one, a[..., :0:-1]], -1), -1)[..., ::-1]
    return (left * right)[..., : a.shape[-1]]


@primitive(
    r"\mathrm{cumprod}\, a",
    lambda g, y, a: sum(
        where(
            np.tri(a.shape[-1], dtype=bool),
            unsqueeze(g, axis=-1) * product_of_others(_square(a, np.tri(a.shape[-1], dtype=bool))),
            0.0,
        ),
        axis=-2,
        keepdims=False,
    ),
)
def cumprod(a: Array) -> Array:
    """yₖ = a₀ · … · aₖ over the last axis."""
    return np.cumprod(a, -1)


# ------------------------------------------------------------------------------------------ soft extremes
# These are ops of their own for stability: no eᵃ overflows, and nothing divides by almost 0 or takes its logarithm.
def _shifted(a: Array, axis: Axis) -> tuple[Array, Array]:
    top = np.maximum.reduce(a, axis=axis, keepdims=True, initial=-np.inf)
    return a - np.where(np.isfinite(top), top, 0).astype(a.dtype), top


@primitive(
    r"\ln\sum e^{a}",
    lambda g, y, a, *, axis, keepdims: spread(g, a.shape, axis, keepdims) * exp(a - spread(y, a.shape, axis, keepdims)),
)
def logsumexp(a: Array, *, axis: Axis, keepdims: bool = False) -> Array:
    """y = ln Σ eᵃ."""
    shifted, top = _shifted(a, axis)
    y = np.log(total(np.exp(shifted), axis, True)) + np.where(np.isfinite(top), top, 0)
    return (y if keepdims else np.squeeze(y, axis)).astype(a.dtype)[()]


@primitive(r"\operatorname{softmax} a", lambda g, y, a, *, axis: y * (g - sum(g * y, axis=axis, keepdims=True)))
def softmax(a: Array, *, axis: int) -> Array:
    """y = eᵃ / Σ eᵃ."""
    y = a - np.maximum.reduce(a, axis=axis, keepdims=True, initial=-np.inf)
    y = np.exp(y, out=y) if y.ndim else np.exp(y)
    return y / total(y, axis, True)


@primitive(r"\ln\operatorname{softmax} a", lambda g, y, a, *, axis: g - exp(y) * sum(g, axis=axis, keepdims=True))
def log_softmax(a: Array, *, axis: int) -> Array:
    """y = a - ln Σ eᵃ."""
    y = a - np.maximum.reduce(a, axis=axis, keepdims=True, initial=-np.inf)
    return y - np.log(total(np.exp(y), axis, True))
