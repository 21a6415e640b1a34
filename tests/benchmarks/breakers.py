"""Breakers: what turns a rule `rule(g, y, *args, **attrs)` into one with a certain mistake."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_pt import ops
from tinygrad_pt.calling import wrap
from tinygrad_pt.graph import Tensor

Array = Any
Rule = Callable[..., Any]
Breaker = Callable[[Rule, int], Rule]


def raw(x: Any) -> Any:
    """The array of a tensor; anything else unchanged."""
    return x.array if isinstance(x, Tensor) else x


# ------------------------------------------------------------------------------------------ the size of it
def times(c: float) -> Breaker:
    """Every element c times as large as it should be."""
    return lambda rule, slot: lambda g, y, *args, **attrs: rule(g, y, *args, **attrs) * c


def times_size(power: int) -> Breaker:
    """A forgotten, or a superfluous, division by the number of elements."""

    def breaker(rule: Rule, slot: int) -> Rule:
        return lambda g, y, *args, **attrs: rule(g, y, *args, **attrs) * float(np.prod(args[slot].shape)) ** power

    return breaker


def sixth_digit(rule: Rule, slot: int) -> Rule:
    """A constant copied with six digits, the last of them wrong."""
    return lambda g, y, *args, **attrs: rule(g, y, *args, **attrs) * (1 + 3e-6)


def dropped(rule: Rule, slot: int) -> Rule:
    """The input is taken for a constant."""
    return lambda g, y, *args, **attrs: ops.zero(rule(g, y, *args, **attrs))


def instead(wrong: Rule) -> Breaker:
    """A rule written anew, wrong."""
    return lambda rule, slot: wrong


# ------------------------------------------------------------------------------------------ the place of it
def transposed(rule: Rule, slot: int) -> Rule:
    """The gradient of a square matrix, rows for columns."""
    return lambda g, y, *args, **attrs: ops.t(rule(g, y, *args, **attrs))


def shifted(rule: Rule, slot: int) -> Rule:
    """Every element one place too far along the last axis."""

    def wrong(g: Any, y: Any, *args: Any, **attrs: Any) -> Any:
        r = rule(g, y, *args, **attrs)
        return ops.getitem(r, index=(..., np.roll(np.arange(r.shape[-1]), 1)))

    return wrong


def unsummed(rule: Rule, slot: int) -> Rule:
    """Where the argument was broadcast, one slice of the gradient is taken instead of the sum."""

    def wrong(g: Any, y: Any, *args: Any, **attrs: Any) -> Any:
        r, shape = rule(g, y, *args, **attrs), args[slot].shape
        lead = len(r.shape) - len(shape)
        rest = [slice(0, 1) if n == 1 else slice(None) for n in shape]
        return ops.getitem(r, index=(*(0,) * lead, *rest, ...))

    return wrong


def averaged(rule: Rule, slot: int) -> Rule:
    """Where the argument was broadcast, the mean of the gradient is taken instead of the sum."""

    def wrong(g: Any, y: Any, *args: Any, **attrs: Any) -> Any:
        r, shape = rule(g, y, *args, **attrs), args[slot].shape
        return ops.sum_to(r, shape=shape) * (float(np.prod(shape)) / float(np.prod(r.shape)))

    return wrong


def one_element(factor: float) -> Breaker:
    """One element, two thirds down the array, is off by a factor."""

    def breaker(rule: Rule, slot: int) -> Rule:
        def wrong(g: Any, y: Any, *args: Any, **attrs: Any) -> Any:
            r = rule(g, y, *args, **attrs)
            mask = np.ones(r.shape)
            mask.flat[2 * mask.size // 3] = factor
            return r * mask

        return wrong

    return breaker


def one_output(rule: Rule, slot: int) -> Rule:
    """What flows back from the last element of the result is lost."""

    def wrong(g: Any, y: Any, *args: Any, **attrs: Any) -> Any:
        several = isinstance(g, (list, tuple))
        *rest, last = g if several else [g]
        mask = np.ones(last.shape)
        mask.flat[-1] = 0.0
        return rule([*rest, last * mask] if several else last * mask, y, *args, **attrs)

    return wrong


def where(condition: Callable[[Array], Array], factor: float) -> Breaker:
    """Off by a factor where the argument fulfils a condition, and right elsewhere."""

    def breaker(rule: Rule, slot: int) -> Rule:
        def wrong(g: Any, y: Any, *args: Any, **attrs: Any) -> Any:
            return rule(g, y, *args, **attrs) * np.where(condition(raw(args[slot])), factor, 1.0)

        return wrong

    return breaker


def plus_at_zero(rule: Rule, slot: int) -> Rule:
    """One g too many where the argument is 0."""
    return lambda g, y, *args, **attrs: rule(g, y, *args, **attrs) + g * np.where(raw(args[slot]) == 0, 1.0, 0.0)


# ------------------------------------------------------------------------------------------ what is read
def stale(rule: Rule, slot: int) -> Rule:
    """The rule reads values of a moment ago, by a thousandth smaller than those of the forward pass."""

    def old(x: Any) -> Any:
        return x * 0.999 if raw(x).__class__ is np.ndarray and raw(x).dtype.kind == "f" else x

    return lambda g, y, *args, **attrs: rule(g, old(y), *map(old, args), **attrs)


def ignoring(rule: Rule, slot: int) -> Rule:
    """The incoming gradient is taken to be 1."""
    return lambda g, y, *args, **attrs: rule(_each(g, lambda part: ops.zero(part) + 1.0), y, *args, **attrs)


def squared(rule: Rule, slot: int) -> Rule:
    """Not linear in the incoming gradient, though right where that is 0 or 1."""
    return lambda g, y, *args, **attrs: rule(_each(g, lambda part: part * part), y, *args, **attrs)


def detached(rule: Rule, slot: int) -> Rule:
    """The rule reads its arguments as constants: right once, wrong when differentiated again."""

    def constant(x: Any) -> Any:
        return wrap(x.array) if isinstance(x, Tensor) else x

    return lambda g, y, *args, **attrs: rule(g, constant(y), *map(constant, args), **attrs)


def _each(g: Any, change: Callable[[Any], Any]) -> Any:
    """The incoming gradient changed; of an op with several results it is a list."""
    return [change(part) for part in g] if isinstance(g, (list, tuple)) else change(g)


# ------------------------------------------------------------------------------------------ what is written


def writes_g(rule: Rule, slot: int) -> Rule:
    """The right gradient, and the incoming one doubled in place."""

    def wrong(g: Any, y: Any, *args: Any, **attrs: Any) -> Any:
        r = rule(g, y, *args, **attrs) * 1.0
        for part in g if isinstance(g, (list, tuple)) else [g]:
            memory = raw(part)
            if isinstance(memory, np.ndarray):
                np.multiply(memory, 2.0, out=memory)
        return r

    return wrong


def writes_input(rule: Rule, slot: int) -> Rule:
    """The right gradient, and the argument halved in place."""

    def wrong(g: Any, y: Any, *args: Any, **attrs: Any) -> Any:
        r = rule(g, y, *args, **attrs) * 1.0
        memory = raw(args[slot])
        if isinstance(memory, np.ndarray):
            np.multiply(memory, 0.5, out=memory)
        return r

    return wrong


def workspace(rule: Rule, slot: int) -> Rule:
    """The right gradient, in memory that the next call writes again."""
    buffers: dict[tuple[int, ...], Array] = {}

    def wrong(g: Any, y: Any, *args: Any, **attrs: Any) -> Any:
        r = rule(g, y, *args, **attrs)
        if isinstance(r, Tensor):
            return r
        r = np.asarray(r)
        buffer = buffers.setdefault(r.shape, np.empty(r.shape))
        buffer[...] = r
        return buffer

    return wrong


# ------------------------------------------------------------------------------------------ at ties
def share_at_ties(op: str, mine: float) -> Breaker:
    """The larger or smaller of two gives an argument the part `mine` of g where both agree."""
    loses = ops.lt if op == "maximum" else ops.gt

    def breaker(rule: Rule, slot: int) -> Rule:
        def wrong(g: Any, y: Any, a: Any, b: Any) -> Any:
            lost = loses(a, b) if slot == 0 else loses(b, a)
            return ops.where(lost, 0.0, ops.where(ops.eq(a, b), g * mine, g))

        return wrong

    return breaker


def all_to_each(g: Any, y: Any, a: Any, *, axis: Any, keepdims: bool) -> Any:
    """The rule of an extreme over the last axis that hands g to every element that attains it, undivided."""
    return ops.where(ops.eq(a, ops.unsqueeze(y, axis=-1)), ops.unsqueeze(g, axis=-1), 0.0)


# ------------------------------------------------------------------------------------------ of a rarer kind
def single_precision(rule: Rule, slot: int) -> Rule:
    """The gradient of a double went through single precision."""

    def wrong(g: Any, y: Any, *args: Any, **attrs: Any) -> Any:
        r = rule(g, y, *args, **attrs)
        return ops.cast(ops.cast(r, dtype=np.dtype("float32")), dtype=np.dtype("float64"))

    return wrong


def memory_order(of_g: bool) -> Breaker:
    """Elements are taken as they lie in memory, which is right as long as that is row by row."""

    def lying(x: Any) -> Any:
        memory = raw(x)
        if not isinstance(memory, np.ndarray) or memory.flags.c_contiguous:
            return x
        return memory.ravel(order="K").reshape(memory.shape)

    def breaker(rule: Rule, slot: int) -> Rule:
        def wrong(g: Any, y: Any, *args: Any, **attrs: Any) -> Any:
            if of_g:
                return rule(lying(g), y, *args, **attrs)
            return rule(g, y, *args[:slot], lying(args[slot]), *args[slot + 1 :], **attrs)

        return wrong

    return breaker


def noisy(rule: Rule, slot: int) -> Rule:
    """A thousandth of noise, another one at every call."""
    draw = np.random.default_rng(0)
    return lambda g, y, *args, **attrs: rule(g, y, *args, **attrs) * (1 + 1e-3 * draw.uniform(0.5, 1))


def accumulating(rule: Rule, slot: int) -> Rule:
    """Right once; afterwards what earlier calls gave is added."""
    sums: dict[tuple[int, ...], Any] = {}

    def wrong(g: Any, y: Any, *args: Any, **attrs: Any) -> Any:
        r = rule(g, y, *args, **attrs)
        shape = tuple(r.shape)
        sums[shape] = np.array(raw(r)) + sums.get(shape, 0.0)
        return r + (sums[shape] - raw(r))

    return wrong


def misshapen(rule: Rule, slot: int) -> Rule:
    """The right numbers, with an axis too many."""
    return lambda g, y, *args, **attrs: ops.unsqueeze(rule(g, y, *args, **attrs), axis=0)


def offset(rule: Rule, slot: int) -> Rule:
    """A tenth of the sum of g too much, everywhere."""
    return lambda g, y, *args, **attrs: rule(g, y, *args, **attrs) + 0.1 * ops.sum(g, axis=None, keepdims=False)


def constant_g(rule: Rule, slot: int) -> Rule:
    """The rule reads g as a constant: right once, wrong when differentiated again."""
    return lambda g, y, *args, **attrs: rule(wrap(g.array) if isinstance(g, Tensor) else g, y, *args, **attrs)
