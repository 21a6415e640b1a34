"""Every function of two operands, for every pair of dtypes and every form of the operands, against PyTorch.

An operand is a tensor with dimensions, a tensor without, or a Python number. The same value, dtype and shape counts as
agreement; where PyTorch refuses, so does the refusal by an error of the same type.
"""

from __future__ import annotations

import fnmatch
import itertools
import operator
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

import tinygrad_pt as tg
from tests.conformance.measure import Measure, difference, shown

KINDS = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64")
LEFT = {"b": [True, False, True, False], "u": [0, 1, 7, 200], "i": [-3, 0, 7, 100], "f": [-2.5, 0.0, 1.25, 3.0]}
RIGHT = {"b": [True, True, False, False], "u": [3, 1, 2, 5], "i": [2, -3, 5, 7], "f": [1.5, -0.5, 1.25, 2.0]}
# A number for every question: truth, sign, fraction, more than each of the integer dtypes holds, more than halves do.
NUMBERS = (True, False, 2, 0, -3, 200, 40_000, 2**33, -(2**40), 2**70, 1.5, -0.3, 0.0, 1e10, 2e6, float("nan"))

OPERATORS = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv,
    "%": operator.mod, "**": operator.pow, "&": operator.and_, "|": operator.or_, "^": operator.xor,
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
WRITING = {
    "+=": operator.iadd, "-=": operator.isub, "*=": operator.imul, "/=": operator.itruediv,
    "//=": operator.ifloordiv, "%=": operator.imod, "**=": operator.ipow, "&=": operator.iand, "|=": operator.ior,
    "^=": operator.ixor,
}  # fmt: skip
# Where a library has the name, it is called with the two operands. What neither name holds is not tried.
FUNCTIONS = (
    "add", "sub", "rsub", "mul", "div", "floor_divide", "remainder", "fmod", "pow", "float_power", "maximum", "minimum",
    "fmax", "fmin", "atan2", "hypot", "logaddexp", "logaddexp2", "copysign", "xlogy", "heaviside", "nextafter",
    "eq", "ne", "lt", "le", "gt", "ge", "logical_and", "logical_or", "logical_xor", "bitwise_and", "bitwise_or",
    "bitwise_xor", "bitwise_left_shift", "bitwise_right_shift", "gcd", "lcm", "isclose", "result_type", "outer", "dot",
    "ldexp",
)  # fmt: skip
METHODS = ("add_", "sub_", "mul_", "div_", "fmod_", "remainder_", "pow_", "floor_divide_", "eq_", "copy_", "fill_")
MORE: dict[str, Callable[[Any, Any, Any], Any]] = {
    "add(alpha=2)": lambda t, a, b: t.add(a, b, alpha=2),
    "add(alpha=1.5)": lambda t, a, b: t.add(a, b, alpha=1.5),
    "add(alpha=True)": lambda t, a, b: t.add(a, b, alpha=True),
    "sub(alpha=-3)": lambda t, a, b: t.sub(a, b, alpha=-3),
    "rsub(alpha=2)": lambda t, a, b: t.rsub(a, b, alpha=2),
    "div(floor)": lambda t, a, b: t.div(a, b, rounding_mode="floor"),
    "div(trunc)": lambda t, a, b: t.div(a, b, rounding_mode="trunc"),
    "where": lambda t, a, b: t.where(t.tensor([True, False, True, True]), a, b),
    "clamp(min)": lambda t, a, b: t.clamp(a, b),
    "clamp(max)": lambda t, a, b: t.clamp(a, max=b),
    "clamp(both)": lambda t, a, b: t.clamp(a, b, b),
    "clamp(0, b)": lambda t, a, b: t.clamp(a, t.zeros((), dtype=t.int64), b) if isinstance(b, t.Tensor) else None,
    "lerp": lambda t, a, b: t.lerp(a, b, 0.75) if isinstance(b, t.Tensor) else t.lerp(a, a, b),
    "lerp(weights)": lambda t, a, b: t.lerp(a, a, b),
    "addcmul": lambda t, a, b: t.addcmul(a, b, b) if isinstance(b, t.Tensor) else t.addcmul(a, a, a, value=b),
    "addcmul(1.5)": lambda t, a, b: t.addcmul(a, b, b, value=1.5),
    "addcmul(mixed)": lambda t, a, b: t.addcmul(b, a, b, value=2),
    "addcdiv": lambda t, a, b: t.addcdiv(a, b, b) if isinstance(b, t.Tensor) else t.addcdiv(a, a, a + 9, value=b),
    "addcdiv(mixed)": lambda t, a, b: t.addcdiv(b, a, b, value=2),
    "masked_fill": lambda t, a, b: t.masked_fill(a, t.tensor([True, False, True, False]), b),
    "cat": lambda t, a, b: t.cat([a.reshape(-1), b.reshape(-1)]),
    "stack": lambda t, a, b: t.stack([a.expand(4), b.expand(4)]),
    "tensor([a, b])": lambda t, a, b: t.tensor([a.reshape(-1)[0], b.reshape(-1)[0]]),
    "full": lambda t, a, b: t.full((2,), b, dtype=a.dtype),
    "full_like": lambda t, a, b: t.full_like(a, b),
    "tensor": lambda t, a, b: t.tensor(b, dtype=a.dtype),
    "a[0] = b": lambda t, a, b: operator.setitem(a := a.clone(), 0, b if not isinstance(b, t.Tensor) else b[0]) or a,
    "mse_loss": lambda t, a, b: t.nn.functional.mse_loss(a, b),
    "can_cast": lambda t, a, b: t.can_cast(a.dtype, b.dtype),
    "promote_types": lambda t, a, b: t.promote_types(a.dtype, b.dtype),
    "index_put": lambda t, a, b: a.index_put((t.tensor([1]),), b[:1]),
    "sum(dtype=)": lambda t, a, b: t.sum(a, dtype=b.dtype),
    "mean(dtype=)": lambda t, a, b: t.mean(a, dtype=b.dtype),
    "prod(dtype=)": lambda t, a, b: t.prod(a, dtype=b.dtype),
    "cumsum(dtype=)": lambda t, a, b: t.cumsum(a, 0, dtype=b.dtype),
    "cumprod(dtype=)": lambda t, a, b: t.cumprod(a, 0, dtype=b.dtype),
    "softmax(dtype=)": lambda t, a, b: t.softmax(a, 0, dtype=b.dtype),
    "to": lambda t, a, b: a.to(b.dtype),
    "matmul": lambda t, a, b: t.matmul(a, b),
}


def calls() -> dict[str, Callable[[Any, Any, Any], Any]]:
    """By name, what is done with a library and two operands; operands that are written are copies."""
    found: dict[str, Callable[[Any, Any, Any], Any]] = {}
    for name, operation in OPERATORS.items():
        found[name] = lambda t, a, b, f=operation: f(a, b)
    for name, operation in WRITING.items():
        found[name] = lambda t, a, b, f=operation: f(a.clone(), b)
    for name in FUNCTIONS:
        if hasattr(tg, name):
            found[name] = lambda t, a, b, name=name: getattr(t, name)(a, b)
    for name in METHODS:
        if hasattr(tg.Tensor, name):
            found[name] = lambda t, a, b, name=name: getattr(a.clone(), name)(b)
    return found | MORE


def operands(kind: str, values: dict[str, list[Any]], form: str) -> np.ndarray:
    """The array of one operand."""
    dtype = np.dtype(kind)
    x = np.array(values[dtype.kind], dtype)
    return x if form == "n-d" else x[2]


def pairs() -> Iterator[tuple[Any, Any]]:
    """Two operands: arrays, or a Python number on one side."""
    for a in KINDS:
        for b in KINDS:
            for forms in (("n-d", "n-d"), ("n-d", "0-d"), ("0-d", "n-d"), ("0-d", "0-d")):
                yield operands(a, LEFT, forms[0]), operands(b, RIGHT, forms[1])
        for number in NUMBERS:
            for form in ("n-d", "0-d"):
                yield operands(a, LEFT, form), number
                yield number, operands(a, RIGHT, form)


def outcome(library: Any, call: Callable[[Any, Any, Any], Any], a: Any, b: Any) -> Any:
    """The result, or the error."""
    a, b = (library.tensor(np.array(x)) if isinstance(x, np.ndarray | np.generic) else x for x in (a, b))
    try:
        return call(library, a, b)
    except Exception as error:
        return error


def complaint(theirs: Any, ours: Any) -> str:
    """What differs between PyTorch's result or error and ours."""
    if isinstance(theirs, Exception):
        if isinstance(theirs, AttributeError) and isinstance(ours, Exception):
            return ""  # PyTorch's own code fails at a number; any refusal is better
        if not isinstance(ours, Exception):
            return f"{shown_ours(ours)} instead of {type(theirs).__name__}: {str(theirs).splitlines()[0]}"
        kinds = type(theirs), type(ours)
        if issubclass(*kinds) or issubclass(*kinds[::-1]):
            return ""
        return f"{kinds[1].__name__} instead of {kinds[0].__name__}: {str(theirs).splitlines()[0]} | {ours}"
    if isinstance(ours, Exception):
        return f"{type(ours).__name__}: {ours} instead of {shown(theirs)}".replace("\n", " ")
    if theirs is NotImplemented or ours is NotImplemented:
        return "" if theirs is ours else "NotImplemented"
    try:
        return difference(theirs, ours)
    except Exception as error:  # a tensor that is broken
        return f"{type(error).__name__}: {error}"


def shown_ours(value: Any) -> str:
    return f"{value!r}".replace("\n", " ")


def measures(names: str = "", part: int = 0, parts: int = 1) -> list[Measure]:
    """The share of combinations in which value and dtype, or the refusal, are PyTorch's."""
    measure = Measure("combinations")
    chosen = [(name, call) for name, call in calls().items() if fnmatch.fnmatch(name, names or "*")]
    for place, ((name, call), (a, b)) in enumerate(itertools.product(chosen, pairs())):
        if place % parts == part:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                theirs, ours = (outcome(library, call, a, b) for library in (torch, tg))
                text = complaint(theirs, ours)
            measure.add(text and f"{name}: {spelled(a)}, {spelled(b)}: {text}")
    return [measure]


def spelled(x: Any) -> str:
    return f"{x.dtype}{x.tolist()}" if isinstance(x, np.ndarray | np.generic) else repr(x)
