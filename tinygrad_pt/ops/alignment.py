"""The probability of all alignments of labels with the steps of an input: the recursion of CTC over states.

A state is a label or the blank beside one. A step stays in its state, goes on to the next, or to the next but one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_pt.calling import primitive
from tinygrad_pt.graph import Array
from tinygrad_pt.ops.elementwise import exp, maximum
from tinygrad_pt.ops.reduce import sum
from tinygrad_pt.ops.shape import narrow, pad

NEVER = -1e30  # the logarithm of the probability of what cannot be: finite, so that no difference of two is nan


def _before(a: Any, back: int, value: float) -> Any:
    """For each step but the first, what stood in the step before it, so many states before."""
    steps, _, states = a.shape
    a = pad(narrow(a, axis=0, start=0, length=steps - 1), widths=((0, 0), (0, 0), (back, 0)), value=value)
    return narrow(a, axis=2, start=0, length=states)


def _after_first(a: Any) -> Any:
    """What stands in each step but the first."""
    return narrow(a, axis=0, start=1, length=a.shape[0] - 1)


def _shares(y: Any, a: Any, b: Any) -> Any:
    """The share that each of its three predecessors has in a state."""
    here = _after_first(a) - maximum(_after_first(y), 2 * NEVER)  # where a is -inf, y is too, and no share is nan
    return tuple(exp(_before(y, k, NEVER) + (here + b if k == 2 else here)) for k in range(3))


# An op of its own for a measured gain: a step made of ops has six vertices, and takes ten times as long.
@primitive(
    r"\mathrm{alignments}(a,\, b)",
    lambda g, y, a, b: flow_back(g, *_shares(y, a, b)),
    lambda g, y, a, b: sum(
        _after_first(flow_back(g, *_shares(y, a, b))) * _shares(y, a, b)[2], axis=(0,), keepdims=False
    ),
)
def alignments(a: Array, b: Array) -> Array:
    """y = ln Σ P over the ways to each state at each step; a (steps, batch, states) are logarithms of probabilities.

    They begin in one of the first two states; b (batch, states) is 0 where a state may follow the last but one, else
    `NEVER`.
    """
    steps, batch, states = a.shape
    y = np.full((steps, batch, states + 2), NEVER, a.dtype)
    y[0, :, 2:4] = 0
    y[0, :, 2:] += a[0]
    for t in range(1, steps):
        stay, from_one, from_two = y[t - 1, :, 2:], y[t - 1, :, 1:-1], y[t - 1, :, :-2] + b
        top = np.maximum(np.maximum(stay, from_one), np.maximum(from_two, NEVER))
        s = np.exp(stay - top)
        s += np.exp(from_one - top)
        s += np.exp(from_two - top)
        np.log(s, s)
        s += top
        np.add(s, a[t], y[t, :, 2:])
    return y[:, :, 2:].copy()


def _moved(h: Any, y: Any) -> Any:
    """What each of the three shares is multiplied with: the flow h of the step before, times the flow y back."""
    return tuple(_before(h, k, 0.0) * _after_first(y) for k in range(3))


@primitive(
    r"\mathrm{flow}(a)",
    lambda g, y, a, b, c, d: flow_back(g, b, c, d),
    lambda g, y, a, b, c, d: _moved(y, flow_back(g, b, c, d))[0],
    lambda g, y, a, b, c, d: _moved(y, flow_back(g, b, c, d))[1],
    lambda g, y, a, b, c, d: _moved(y, flow_back(g, b, c, d))[2],
)
def flow(a: Array, b: Array, c: Array, d: Array) -> Array:
    """yₜ = aₜ + b yₜ₋₁ + c yₜ₋₁ of the state before + d yₜ₋₁ of the last but one; b, c, d have one step fewer."""
    y = a.copy()
    for t in range(1, len(a)):
        y[t] += b[t - 1] * y[t - 1]
        y[t, :, 1:] += c[t - 1, :, 1:] * y[t - 1, :, :-1]
        y[t, :, 2:] += d[t - 1, :, 2:] * y[t - 1, :, :-2]
    return y


@primitive(
    r"\mathrm{flow}^{\top}(a)",
    lambda g, y, a, b, c, d: flow(g, b, c, d),
    lambda g, y, a, b, c, d: _moved(flow(g, b, c, d), y)[0],
    lambda g, y, a, b, c, d: _moved(flow(g, b, c, d), y)[1],
    lambda g, y, a, b, c, d: _moved(flow(g, b, c, d), y)[2],
)
def flow_back(a: Array, b: Array, c: Array, d: Array) -> Array:
    """The transpose of `flow`, from the last step to the first."""
    y = a.copy()
    for t in range(len(a) - 1, 0, -1):
        y[t - 1] += b[t - 1] * y[t]
        y[t - 1, :, :-1] += c[t - 1, :, 1:] * y[t, :, 1:]
        y[t - 1, :, :-2] += d[t - 1, :, 2:] * y[t, :, 2:]
    return y
