"""Running reductions along the last axis that NumPy has no stable derivative of."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_pt.calling import primitive
from tinygrad_pt.graph import Array
from tinygrad_pt.ops.elementwise import eq, exp, isfinite, where, zero
from tinygrad_pt.ops.reduce import amax
from tinygrad_pt.ops.shape import cat, edges_of, flip, narrow


def _but_first(a: Any) -> Any:
    return narrow(a, axis=a.ndim - 1, start=1, length=a.shape[-1] - 1)


def _but_last(a: Any) -> Any:
    return narrow(a, axis=a.ndim - 1, start=0, length=a.shape[-1] - 1)


def _after_first(a: Any, rest: Any) -> Any:
    """The first element of a, and then the rest."""
    first = narrow(a, axis=a.ndim - 1, start=0, length=1)
    return cat(first, rest, axis=a.ndim - 1, edges=edges_of((1, a.shape[-1] - 1)))


def _backwards(a: Any) -> Any:
    return flip(a, axis=(a.ndim - 1,))


def _decayed_back(g: Any, b: Any) -> Any:
    """The gradient by a: the same recurrence, from the last element to the first."""
    return _backwards(decayed(_backwards(g), _after_first(b, _backwards(_but_first(b)))))


def _rule_of_decay(g: Any, y: Any, a: Any, b: Any) -> Any:
    term = _but_first(_decayed_back(g, b)) * exp(_but_first(b)) * _but_last(y)
    return _after_first(zero(b), term)


@primitive(r"\mathrm{decay}(a,\, b)", lambda g, y, a, b: _decayed_back(g, b), _rule_of_decay)
def decayed(a: Array, b: Array) -> Array:
    """y₀ = a₀, yₖ = aₖ + e^(bₖ) yₖ₋₁: a running sum whose terms fade."""
    y, factor = np.array(a), np.exp(b)
    for k in range(1, a.shape[-1]):
        y[..., k] += factor[..., k] * y[..., k - 1]
    return y


def _logcumsumexp_rule(g: Any, y: Any, a: Any) -> Any:
    """gⱼ e^(aⱼ - yⱼ) + …, summed from the end so that each factor e^(yⱼ - yⱼ₊₁) is at most 1."""
    top = amax(a, axis=a.ndim - 1, keepdims=True)
    a = a - where(isfinite(top), top, 0.0)  # where numbers are large, their differences are exact, but y is not
    y = logcumsumexp(a)
    back = _backwards(y)
    step = _but_first(back) - _but_last(back)
    step = where(eq(_but_first(back), _but_last(back)), 0.0, step)
    total = _backwards(decayed(_backwards(g), _after_first(zero(back), step)))
    return total * where(eq(a, -math.inf), 0.0, exp(where(eq(a, -math.inf), 0.0, a - y)))


@primitive(r"\ln\mathrm{cumsum}\, e^{a}", _logcumsumexp_rule)
def logcumsumexp(a: Array) -> Array:
    """yₖ = ln(e^a₀ + … + e^aₖ)."""
    return np.logaddexp.accumulate(a, -1)
