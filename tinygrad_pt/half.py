"""Half precision: float16 is how numbers are stored, not how they are computed.

An op that is applied to halves computes in float32 and rounds its result once; so does each of its rules. In float16
itself a sum of ones does not grow beyond 2048, the count 70,000 is infinite, and 300² is too. Ops that only move
elements, `Op.moves`, are right as they are. A function that is made of several ops is decorated with `in_float32`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from copy import copy
from typing import Any, ParamSpec, TypeVar

import numpy as np

from tinygrad_pt import dtypes
from tinygrad_pt.graph import OPS, Op, Rule, TensorBase
from tinygrad_pt.symbol import Symbol

F16, F32 = dtypes.float16.numpy, dtypes.float32.numpy
P = ParamSpec("P")
R = TypeVar("R")


def widened(x: Any) -> Any:
    """Halves in float32: an array, a tensor (the cast is recorded), or several; anything else as it is."""
    if isinstance(x, TensorBase):
        return OPS["cast"](x, dtype=F32) if x.array.dtype == F16 else x
    if isinstance(x, (np.ndarray, np.generic)):
        return x.astype(F32) if x.dtype == F16 else x
    return type(x)(map(widened, x)) if x.__class__ is list or x.__class__ is tuple else x


def for_halves(op: Op, xs: Sequence[Any]) -> Op:
    """The op that computes `op` of these arrays: itself, or its form for halves if there are any among them."""
    if not op.moves:
        for x in xs:
            if x.__class__ is np.ndarray and x.dtype == F16:
                if op.half is None:
                    op.half = _form_for_halves(op)
                return op.half
    return op


def _form_for_halves(op: Op) -> Op:
    """The same op, but forward and rules compute in float32 and round once."""
    form, rules = copy(op), op.rules
    form.moves = True  # there is nothing left to do

    def forward(*xs: Any, **attrs: Any) -> Any:
        y = op.forward(*map(widened, xs), **attrs)
        return type(y)(map(_rounded, y)) if isinstance(y, (list, tuple)) else _rounded(y)

    def in_halves(slot: int, rule: Rule) -> Rule:
        def rounding(g: Any, y: Any, *args: Any, **attrs: Any) -> Any:
            if isinstance(g, Symbol):
                return rule(g, y, *args, **attrs)
            r, a = rule(widened(g), widened(y), *map(widened, args), **attrs), args[slot]
            if isinstance(r, Symbol):
                return r
            if op.elementwise and r.shape != a.shape:  # before it is rounded
                r = OPS["sum_to"](r, shape=a.shape)
            return r if r.dtype == a.dtype else OPS["cast"](r, dtype=a.dtype)

        return rounding

    form.forward = forward
    if callable(rules):
        form.rules = lambda slot: in_halves(slot, rules(slot))
    else:
        form.rules = tuple(rule and in_halves(slot, rule) for slot, rule in enumerate(rules))
    return form


def _rounded(y: Any) -> Any:
    return y.astype(F16) if y.dtype == F32 else y


def in_float32(function: Callable[P, R]) -> Callable[P, R]:
    """Decorator: a function of several ops computes halves in float32, and rounds its results once.

    For other dtypes it costs one call, so it is not for functions that are a single op.
    """

    @functools.wraps(function)
    def computing(*args: P.args, **kwargs: P.kwargs) -> R:
        for x in args:
            if isinstance(x, TensorBase):  # the first tensor tells, because all must be halves
                if x.array.dtype is not F16:
                    return function(*args, **kwargs)
                break
        return _computed(function, args, kwargs)

    return computing


def _computed(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The result of a function in which all floating point arguments are halves, if they are; else of these dtypes."""
    given = [y for x in (*args, *kwargs.values()) for y in (x if isinstance(x, (list, tuple)) else (x,))]
    kinds = {x.array.dtype for x in given if isinstance(x, TensorBase) and x.array.dtype.kind in "fc"}
    if kinds != {F16} or kwargs.get("dtype") is not None:
        return function(*args, **kwargs)
    into = {name: x for name, x in kwargs.items() if name == "out"}
    try:
        y = function(*map(widened, args), **{name: widened(x) for name, x in kwargs.items()} | into)
    except Exception:  # an error says what the user has given
        return function(*args, **kwargs)
    if isinstance(y, tuple):
        return tuple.__new__(type(y), map(_back, y))
    return y if into else _back(y)


def _back(y: Any) -> Any:
    """A result in float32 rounded to halves."""
    return OPS["cast"](y, dtype=F16) if isinstance(y, TensorBase) and y.array.dtype == F32 else y
