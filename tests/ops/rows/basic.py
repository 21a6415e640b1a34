"""Rows of the ops of arithmetic, choice, shape, reduction, linear algebra, indexing and the losses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tests.ops.rows.row import *  # noqa: F403

# ------------------------------------------------------------------------------------------ arithmetic
binary("add", lambda a, b: a + b, real, both([inf, nan], [-inf, 1], [nan, nan], [1, 1], [1, 1]))
binary("sub", lambda a, b: a - b, real, both([inf], [inf], [nan], [1], [-1]))
binary("mul", lambda a, b: a * b, real, both([0, inf], [inf, 2], [nan, inf], [inf, 2], [0, inf]))
binary("div", lambda a, b: a / b, (real, nonzero), both([0, 1], [0, 0], [nan, inf], [inf, inf], [nan, -inf]))
unary("neg", lambda a: -a, real, at([0, nan, inf], [0, nan, -inf], [-1, -1, -1]))
unary("reciprocal", lambda a: 1 / a, nonzero, at([0, inf], [inf, 0], [-inf, 0]))

# ------------------------------------------------------------------------------------------ truth
for name, reference in {
    "eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal,
    "logical_and": np.logical_and, "logical_or": np.logical_or, "logical_xor": np.logical_xor,
}.items():  # fmt: skip
    binary(name, reference, real, both([nan, 0, 1], [nan, 0, 0], reference([nan, 0, 1], [nan, 0, 0])), gradient=False)
for name, reference in {
    "isnan": np.isnan,
    "isinf": np.isinf,
    "isfinite": np.isfinite,
    "logical_not": np.logical_not,
}.items():
    unary(name, reference, real, at([nan, inf, -inf, 0], reference([nan, inf, -inf, 0])), gradient=False)
for name, reference in {
    "bitwise_and": np.bitwise_and,
    "bitwise_or": np.bitwise_or,
    "bitwise_xor": np.bitwise_xor,
}.items():
    binary(name, reference, whole, gradient=False)
unary("bitwise_not", np.invert, whole, gradient=False)

# ------------------------------------------------------------------------------------------ choices
row("where", np.where, (truth, real, real),
    cases([((3,), (3,), (3,)), ((2, 3), (3,), (2, 1)), ((3,), (), (1,)), ((), (), ()), ((1,), (0, 3), ()),
           ((2, 1), (1, 3), (2, 3)), ((3,), (3,), None), ((2,), None, (2,))]),
    Edge((np.array([True, False]), np.array([1.0, nan]), np.array([inf, 2.0])), [1, 2], (None, [1, 0], [0, 1])), elementwise=True)  # fmt: skip
binary("maximum", np.maximum, distinct,
       both([1, nan, 1, inf], [1, 1, nan, inf], [1, nan, nan, inf], [0.5, 1, 1, 0.5], [0.5, 1, 1, 0.5]))  # fmt: skip
binary("minimum", np.minimum, distinct,
       both([1, nan, 1, inf], [1, 1, nan, inf], [1, nan, nan, inf], [0.5, 1, 1, 0.5], [0.5, 1, 1, 0.5]))  # fmt: skip
row("clamp", lambda a, low, high: np.minimum(np.maximum(a, -inf if low is None else low), inf if high is None else high),
    Domain(-2, 2, avoid=(-0.5, 0.5)), cases(ONE, dict(low=-0.5, high=0.5), dict(low=-0.5, high=None), dict(low=None, high=0.5)),
    at([0, 1, nan, -1, 2], [0, 1, nan, 0, 1], [1, 1, 0, 0, 0], low=0.0, high=1.0),
    at([0, -1], [0, 0], [1, 0], low=0.0, high=None),
    at([0, 0.5, 1, 2], [0, 0, 0, 0], [0, 0, 0, 0], low=1.0, high=0.0), elementwise=True)  # fmt: skip
unary("zero", np.zeros_like, real, at([nan, inf], [0, 0], [0, 0]))

# ------------------------------------------------------------------------------------------ steps
unary("sign", np.sign, nonzero, at([0, -0.0, nan, inf, -inf], [0, 0, 0, 1, -1], [0, 0, 0, 0, 0]))
for name, reference in {"floor": np.floor, "ceil": np.ceil, "trunc": np.trunc}.items():
    unary(name, reference, unwhole, at([1, -0.5, inf, nan], reference([1, -0.5, inf, nan]), [0, 0, 0, 0]))
unary("round", np.round, unwhole, at([0.5, 1.5, 2.5, -0.5], [0, 2, 2, 0], [0, 0, 0, 0]))
binary("floor_divide", lambda a, b: np.floor(np.divide(a, b)), (unwhole, Domain(0.9, 1.1)), gradient=False)
binary("remainder", lambda a, b: a - b * np.floor(np.divide(a, b)), (Domain(0.2, 0.8), signed(1, 2)),
       both([5, -5, 5], [3, 3, 0], [2, 1, nan], [1, 1, 1], [-1, 2, -inf]))  # fmt: skip
binary("fmod", lambda a, b: a - b * np.trunc(np.divide(a, b)), (signed(0.2, 0.8), signed(1, 2)),
       both([5, -5], [3, 3], [2, -2], [1, 1], [-1, 1]))  # fmt: skip
unary("abs", np.abs, nonzero, at([0, -0.0, nan, -inf], [0, 0, nan, inf], [0, 0, 0, -1]))
unary("relu", lambda a: a * (a > 0), nonzero, at([0, nan, inf, -inf], [0, nan, inf, 0], [0, 1, 1, 0]))

# ------------------------------------------------------------------------------------------ powers
unary("square", lambda a: a * a, real, at([0, inf, -inf], [0, inf, inf], [0, inf, -inf]))
unary("sqrt", np.sqrt, positive, at([0, -1, inf], [0, nan, inf], [inf, nan, 0]))
unary("rsqrt", lambda a: 1 / np.sqrt(a), positive, at([0, inf], [inf, 0], [-inf, 0]))
row("power", lambda a, n: np.asarray(a) ** float(n), positive,
    cases(ONE, *(dict(n=n) for n in (0, 1, 2, 3, -1, 0.5, 2.5, -1.5))),
    at([0], [1], [0], n=0), at([0], [0], [1], n=1), at([0], [0], [0], n=2), at([0], [0], [inf], n=0.5),
    at([0, -1], [0, nan], [0, nan], n=1.5), at([-2, 0], [-8, 0], [12, 0], n=3), at([0], [inf], [-inf], n=-1),
    elementwise=True)  # fmt: skip
binary("pow", lambda a, b: np.asarray(a, float) ** b, (positive, real),
       both([0, 0, 0, -2, 0], [0, 1, -1, 2, 2], [1, 0, inf, 4, 0], [0, 1, -inf, -4, 0], [0, 0, -inf, nan, 0]))  # fmt: skip

# ------------------------------------------------------------------------------------------ exponentials
unary("exp", np.exp, real, at([inf, -inf, 1000, nan], [inf, 0, inf, nan], [inf, 0, inf, nan]))
unary("expm1", np.expm1, real, at([-inf], [-1], [0]))
unary("exp2", lambda a: 2.0**a, real, at([0, -inf], [1, 0], [np.log(2), 0]))
unary("log", np.log, positive, at([0, -1, inf], [-inf, nan, inf], [inf, -1, 0]))
unary("log1p", np.log1p, positive, at([-1], [-inf], [inf]))
unary("log2", lambda a: np.log(a) / np.log(2), positive, at([0], [-inf], [inf]))
unary("log10", lambda a: np.log(a) / np.log(10), positive, at([0], [-inf], [inf]))
binary("logaddexp", lambda a, b: np.log(np.exp(a) + np.exp(b)), real,
       both([1000, inf, -inf], [1000, 0, 0], [1000 + np.log(2), inf, 0], [0.5, 1, 0], [0.5, 0, 1]))  # fmt: skip
unary("sigmoid", lambda a: 1 / (1 + np.exp(-a)), real, at([-1000, 1000, -inf, nan], [0, 1, 0, nan], [0, 0, 0, nan]))
unary("tanh", np.tanh, real, at([1000, -inf], [1, -1], [0, 0]))
unary(
    "erf",
    np.vectorize(math.erf, otypes=[float]),
    real,
    Edge((np.array([0.0, np.inf, -np.inf]),), [0, 1, -1], ([1.1283791670955126, 0, 0],)),
)
unary("log_sigmoid", lambda a: -np.log(1 + np.exp(-a)), real,
      at([0, -1000, 1000, -inf], [-np.log(2), -1000, 0, -inf], [0.5, 1, 0, 1]))  # fmt: skip

# ------------------------------------------------------------------------------------------ circles, hyperbolas
unary("sin", np.sin, real, at([inf], [nan], [nan]))
unary("cos", np.cos, real)
unary("tan", lambda a: np.sin(a) / np.cos(a), Domain(-1, 1))
unary("asin", np.arcsin, fraction, at([1, 2], [np.pi / 2, nan], [inf, nan]))
unary("acos", np.arccos, fraction, at([1, 2], [0, nan], [-inf, nan]))
unary("atan", np.arctan, real, at([inf], [np.pi / 2], [0]))
binary("atan2", np.arctan2, nonzero, both([0, 0], [0, -1], [0, np.pi], [0, -1], [0, 0]))
unary("sinh", np.sinh, real)
unary("cosh", np.cosh, real)
unary("asinh", np.arcsinh, real)
unary("acosh", np.arccosh, Domain(1.2, 3), at([1], [0], [inf]))
unary("atanh", np.arctanh, fraction, at([1], [inf], [inf]))

# ------------------------------------------------------------------------------------------ copies
unary("clone", np.copy, real, at([nan, inf], [nan, inf], [1, 1]))
row("cast", lambda a, dtype: np.asarray(a), real, cases(ONE, dict(dtype=np.dtype("float64"))))
row("copy", lambda a, b: np.broadcast_to(b, a.shape), real,
    cases([((3,), (3,)), ((2, 3), (3,)), ((2, 3), ()), ((), ()), ((2, 2), (2, 1)), ((0, 2), (2,))]),
    both([nan, inf], [1, 2], [1, 2], [0, 0], [1, 1]))  # fmt: skip

# ------------------------------------------------------------------------------------------ shapes
row("reshape", lambda a, shape: np.reshape(a, shape), real,
    [(((2, 3),), dict(shape=(3, 2))), (((2, 3),), dict(shape=(6,))), (((),), dict(shape=(1, 1))),
     (((1, 1),), dict(shape=())), (((0, 3),), dict(shape=(3, 0, 2))), (((2, 1, 3),), dict(shape=(-1, 2)))],
    refusals=(Refusal(((2, 3),), dict(shape=(4,)), ValueError, "op: reshape(float64[2, 3])"),))  # fmt: skip
row("unsqueeze", lambda a, axis: np.expand_dims(a, axis), real,
    [(((2, 3),), dict(axis=k)) for k in (0, 1, 2, -1)] + [(((),), dict(axis=0)), (((0,),), dict(axis=0))])  # fmt: skip
row("squeeze", lambda a, axis: np.reshape(a, [n for i, n in enumerate(a.shape) if i not in axis]), real,
    [(((1, 3, 1),), dict(axis=(0,))), (((1, 3, 1),), dict(axis=(0, 2))), (((1,),), dict(axis=(0,))),
     (((2,),), dict(axis=())), (((0, 1),), dict(axis=(1,)))])  # fmt: skip
row("permute", lambda a, axes: np.transpose(a, axes), real,
    [(((2, 3, 1),), dict(axes=(2, 0, 1))), (((2, 3),), dict(axes=(1, 0))), (((),), dict(axes=())),
     (((2, 1, 2, 3),), dict(axes=(3, 1, 0, 2))), (((0, 2),), dict(axes=(1, 0)))])  # fmt: skip
row("transpose", lambda a, axis0, axis1: np.swapaxes(a, axis0, axis1), real,
    [(((2, 3),), dict(axis0=0, axis1=1)), (((2, 3, 2),), dict(axis0=0, axis1=2)), (((2, 0),), dict(axis0=1, axis1=0)),
     (((2,),), dict(axis0=0, axis1=0)), (((1, 2, 2, 3),), dict(axis0=1, axis1=3))])  # fmt: skip
row("t", lambda a: a if a.ndim < 2 else np.moveaxis(a, -1, -2), real, cases(ONE))
row("flip", lambda a, axis: np.flip(a, axis), real,
    [(((3,),), dict(axis=(0,))), (((2, 3),), dict(axis=(0, 1))), (((2, 3),), dict(axis=(1,))), (((0, 2),), dict(axis=(1,))),
     (((),), dict(axis=()))])  # fmt: skip
row("expand", lambda a, shape: np.broadcast_to(a, shape), real,
    [(((1, 3),), dict(shape=(2, 3))), (((3,),), dict(shape=(2, 2, 3))), (((),), dict(shape=(2,))), (((2,),), dict(shape=(2,))),
     (((1,),), dict(shape=(0,))), (((2, 1, 2),), dict(shape=(2, 2, 3, 2)))][:5] + [(((2, 1, 2),), dict(shape=(2, 3, 2)))],
    refusals=(Refusal(((3,),), dict(shape=(4,)), ValueError, "op: expand(float64[3])"),))  # fmt: skip
row("sum_to", lambda a, shape: _sum_to(a, shape), real,
    [(((2, 3),), dict(shape=(3,))), (((2, 3),), dict(shape=(2, 1))), (((2, 3),), dict(shape=())), (((2, 3),), dict(shape=(1, 1))),
     (((2, 3),), dict(shape=(2, 3))), (((),), dict(shape=())), (((0, 3),), dict(shape=(3,))), (((2, 3, 2, 1),), dict(shape=(3, 1, 1))),
     (((2, 0),), dict(shape=(2, 1)))])  # fmt: skip


def _sum_to(a: Any, shape: tuple[int, ...]) -> Any:
    while a.ndim > len(shape):
        a = a.sum(0)
    for axis, n in enumerate(shape):
        if n == 1 and a.shape[axis] != 1:
            a = a.sum(axis, keepdims=True)
    return a


# ------------------------------------------------------------------------------------------ join and cut
row("cat", lambda *xs, axis, edges: np.concatenate(xs, axis), real,
    [(((2,), (3,)), dict(axis=0, edges=(0, 2, 5))), (((2, 1), (2, 2), (2, 0)), dict(axis=1, edges=(0, 1, 3, 3))),
     (((2, 2),), dict(axis=0, edges=(0, 2))), (((1, 2), (1, 2), (2, 2), (1, 2)), dict(axis=0, edges=(0, 1, 2, 4, 5))),
     (((0,), (0,)), dict(axis=0, edges=(0, 0, 0)))],
    refusals=(Refusal(((2, 1), (3, 2)), dict(axis=1, edges=(0, 1, 3)), ValueError, "op: cat(float64[2, 1], float64[3, 2])"),))  # fmt: skip
row("stack", lambda *xs, axis: np.stack(xs, axis), real,
    [(((2,), (2,)), dict(axis=0)), (((2, 3), (2, 3), (2, 3)), dict(axis=2)), (((),), dict(axis=0)), (((), ()), dict(axis=0)),
     (((0, 1), (0, 1)), dict(axis=1))],
    refusals=(Refusal(((2,), (3,)), dict(axis=0), ValueError, "op: stack(float64[2], float64[3])"),))  # fmt: skip
row("narrow", lambda a, axis, start, length: np.take(a, range(start, start + length), axis), real,
    [(((5,),), dict(axis=0, start=1, length=3)), (((2, 4),), dict(axis=1, start=0, length=0)),
     (((3, 2, 2),), dict(axis=0, start=2, length=1)), (((0, 2),), dict(axis=1, start=1, length=1))])  # fmt: skip
row("select", lambda a, axis, index: np.take(a, index, axis), real,
    [(((3,),), dict(axis=0, index=1)), (((2, 3),), dict(axis=1, index=2)), (((2, 1, 3),), dict(axis=1, index=0)),
     (((0, 2),), dict(axis=1, index=0))])  # fmt: skip
row("pad", lambda a, widths, value: _pad(a, widths, value), real,
    [(((2, 3),), dict(widths=((1, 0), (0, 2)), value=0.0)), (((4,),), dict(widths=((-1, -1),), value=0.0)),
     (((3,),), dict(widths=((2, -1),), value=1.5)), (((),), dict(widths=(), value=0.0)), (((0, 1),), dict(widths=((1, 1), (0, 0)), value=-inf)),
     (((1, 2, 1, 2),), dict(widths=((0, 0), (1, 1), (0, 1), (0, 0)), value=0.0))])  # fmt: skip
row("crop", lambda a, widths: _pad(a, [(-i, -j) for i, j in widths], 0.0), real,
    [(((4, 3),), dict(widths=((1, 0), (0, 2)))), (((2,),), dict(widths=((-1, -1),))), (((3,),), dict(widths=((2, -1),))),
     (((),), dict(widths=())), (((2, 0),), dict(widths=((1, 0), (0, 0))))])  # fmt: skip
row("split", lambda a, sizes, axis: np.split(a, np.cumsum(sizes)[:-1], axis), real,
    [(((5,),), dict(sizes=(2, 3), axis=0)), (((2, 3),), dict(sizes=(1, 1, 1), axis=1)), (((3,),), dict(sizes=(0, 3, 0), axis=0)),
     (((2, 2),), dict(sizes=(2,), axis=0)), (((0, 2),), dict(sizes=(0, 0), axis=0))])  # fmt: skip
row("unbind", lambda a, axis: [np.take(a, i, axis) for i in range(a.shape[axis])], real,
    [(((3,),), dict(axis=0)), (((2, 3),), dict(axis=1)), (((1, 2, 2),), dict(axis=0)), (((2, 0),), dict(axis=0))])  # fmt: skip


def _pad(a: Any, widths: Any, value: float) -> Any:
    a = a[tuple(slice(max(0, -i), n - max(0, -j)) for n, (i, j) in zip(a.shape, widths, strict=True))]
    return np.pad(a, [(max(0, i), max(0, j)) for i, j in widths], constant_values=value) if a.ndim else a


for name, reference in {"tril": np.tril, "triu": np.triu}.items():
    row(name, lambda a, k, f=reference: f(a, k), real,
        cases([((3, 3),), ((2, 3),), ((2, 3, 2),), ((0, 2),), ((1, 1),)], dict(k=0), dict(k=1), dict(k=-1)))  # fmt: skip
row("diagonal", lambda a, k, axis0, axis1: np.diagonal(a, k, axis0, axis1), real,
    [(((3, 3),), dict(k=0, axis0=0, axis1=1)), (((2, 3),), dict(k=1, axis0=0, axis1=1)), (((3, 2),), dict(k=-1, axis0=0, axis1=1)),
     (((2, 3, 2),), dict(k=0, axis0=0, axis1=2)), (((2, 3, 2),), dict(k=1, axis0=2, axis1=1)), (((2, 2),), dict(k=5, axis0=0, axis1=1))])  # fmt: skip
row("undiagonal", lambda a, k, axis0, axis1, shape: np.diag(a, k)[: shape[0], : shape[1]], real,
    [(((3,),), dict(k=0, axis0=0, axis1=1, shape=(3, 3))), (((2,),), dict(k=1, axis0=0, axis1=1, shape=(2, 3))),
     (((2,),), dict(k=-1, axis0=0, axis1=1, shape=(3, 2)))])  # fmt: skip

# ------------------------------------------------------------------------------------------ reductions
AXES = [
    (((3,),), dict(axis=None, keepdims=False)), (((2, 3),), dict(axis=(1,), keepdims=False)),
    (((2, 3),), dict(axis=(0,), keepdims=True)), (((2, 3),), dict(axis=1, keepdims=False)),
    (((2, 3),), dict(axis=-1, keepdims=True)), (((2, 3, 2),), dict(axis=(0, 2), keepdims=False)),
    (((2, 3, 2),), dict(axis=(-1, -2), keepdims=True)), (((2, 2),), dict(axis=None, keepdims=True)),
    (((2, 1, 1, 2),), dict(axis=(1, 3), keepdims=False)), (((1,),), dict(axis=0, keepdims=False)),
    (((),), dict(axis=None, keepdims=False)), (((0, 3),), dict(axis=(1,), keepdims=False)),
]  # fmt: skip
EMPTY = [(((0,),), dict(axis=None, keepdims=False)), (((2, 0),), dict(axis=(1,), keepdims=True))]
ALL = dict(axis=None, keepdims=False)
LAST = dict(axis=(-1,), keepdims=False)

row("sum", np.sum, real, AXES + EMPTY, at([inf, 1], inf, [1, 1], **ALL))
row(
    "mean",
    lambda a, axis, keepdims: np.divide(
        np.sum(a, axis=axis, keepdims=keepdims), a.size / max(1, np.sum(a, axis=axis).size) or nan
    ),
    real,
    AXES + EMPTY[:1],
    at([], nan, [], **ALL),
    at([nan, 1], nan, [0.5, 0.5], **ALL),
)
for name, reference in {"var": np.var, "std": np.std}.items():
    row(name, lambda a, axis, keepdims, correction, f=reference: f(a, axis=axis, keepdims=keepdims, ddof=correction),
        real if name == "var" else distinct,
        [(shapes, attrs | dict(correction=c)) for shapes, attrs in AXES for c in (0, 1)
         if min(shapes[0], default=1) > 1 and (len(shapes[0]) < 4)]
        + [(((2, 1, 1, 2),), dict(axis=(0, 3), keepdims=False, correction=1)), (((0, 3),), dict(axis=(1,), keepdims=False, correction=1))],
        at([2, 2], 0, [0, 0], **ALL, correction=1), at([1], nan, [nan], **ALL, correction=1), at([], nan, [], **ALL, correction=1),
        at([1, 2], inf, [-inf, inf] if name == "var" else [nan, nan], **ALL, correction=2))  # fmt: skip
row("norm", lambda a, axis, keepdims: np.sqrt(np.sum(np.abs(a) ** 2, axis=axis, keepdims=keepdims)), nonzero, AXES,
    at([0, 0], 0, [0, 0], **ALL), at([inf, 1], inf, [nan, 0], **ALL), at([[0, 0], [3, 4]], [0, 5], [[0, 0], [0.6, 0.8]], **LAST))  # fmt: skip
for name, place in {"argmax": np.argmax, "argmin": np.argmin}.items():
    row(name, place, distinct, cases([((3,),), ((2, 3),), ((),)], ALL) + cases([((2, 3),), ((2, 1, 2),)], *(
            {"axis": axis, "keepdims": keepdims} for axis in (0, -1) for keepdims in (False, True))),
        at([1, nan, 2, nan], 1, **ALL), at([1, 2, 1, 2], place([1, 2]), **ALL), gradient=False,
        refusals=(Refusal(((0,),), ALL, ValueError, f"op: {name}(int64[0])"),))  # fmt: skip
row("argsort", lambda a, axis, descending: np.argsort(-a if descending else a, axis, kind="stable"), distinct,
    cases([((3,),), ((2, 3),), ((0, 3),), ((2, 1, 2),)], *(
        {"axis": axis, "descending": descending} for axis in (0, -1) for descending in (False, True))),
    at([1, nan, 0, 1], [2, 0, 3, 1], axis=0, descending=False),
    at([1, nan, 0, 1], [1, 0, 3, 2], axis=0, descending=True), gradient=False)  # fmt: skip
row("amax", np.max, distinct, AXES,
    at([1, 1, 0], 1, [0.5, 0.5, 0], **ALL), at([1, nan], nan, [0, 1], **ALL), at([nan, nan, 0], nan, [0.5, 0.5, 0], **ALL), at([inf, inf, 0], inf, [0.5, 0.5, 0], **ALL),
    at([[3, 3], [1, 2]], [3, 2], [[0.5, 0.5], [0, 1]], **LAST),
    refusals=(Refusal(((0,),), ALL, ValueError, "op: amax(float64[0])"),))  # fmt: skip
row("amin", np.min, distinct, AXES,
    at([1, 1, 2], 1, [0.5, 0.5, 0], **ALL), at([1, nan], nan, [0, 1], **ALL), at([[3, 3], [1, 2]], [3, 1], [[0.5, 0.5], [1, 0]], **LAST),
    refusals=(Refusal(((0,),), ALL, ValueError, "op: amin(float64[0])"),))  # fmt: skip
row("cumsum", np.cumsum, real,
    [(((3,),), dict(axis=0)), (((2, 3),), dict(axis=1)), (((2, 3),), dict(axis=0)), (((2, 2, 2),), dict(axis=1)), (((0,),), dict(axis=0)),
     (((1,),), dict(axis=0))])  # fmt: skip
VECTORS = [((3,),), ((2, 3),), ((1,),), ((4, 1),), ((0,),), ((2, 0),), ((0, 2),), ((2, 1, 1, 3),)]
row("prod", lambda a: np.prod(a, -1), real, cases(VECTORS), at([0, 2, 3], 0, [6, 0, 0]), at([0, 0, 3], 0, [0, 0, 0]))
row("cumprod", lambda a: np.cumprod(a, -1), real, cases(VECTORS), at([0, 2, 0], [0, 0, 0], [3, 0, 0]))
row("product_of_others", lambda a: _others(a), real, cases(VECTORS), at([0, 2, 3], [6, 0, 0], [5, 3, 2]))


def _others(a: Any) -> Any:
    y = np.empty_like(a)
    for i in range(a.shape[-1]):
        y[..., i] = np.prod(np.delete(a, i, -1), -1)
    return y


row("logsumexp", lambda a, axis, keepdims: np.log(np.sum(np.exp(a), axis=axis, keepdims=keepdims)), real,
    AXES + EMPTY[:0] + [(((2, 3),), dict(axis=(), keepdims=False))],
    at([1000, 1000], 1000 + np.log(2), [0.5, 0.5], **ALL), at([-inf, 0], 0, [0, 1], **ALL), at([-inf, -inf], -inf, [nan, nan], **ALL),
    at([inf, 0], inf, [nan, 0], **ALL), at([], -inf, [], **ALL))  # fmt: skip
SOFT = [(((3,),), dict(axis=0)), (((2, 3),), dict(axis=1)), (((2, 3),), dict(axis=0)), (((2, 2, 2),), dict(axis=-2)), (((1,),), dict(axis=0)),
        (((0, 2),), dict(axis=1)), (((2, 0),), dict(axis=1)), (((),), dict(axis=()))]  # fmt: skip
row("softmax", lambda a, axis: np.exp(a) / np.sum(np.exp(a), axis, keepdims=True), real, SOFT,
    at([1000, 0], [1, 0], [0, 0], axis=0), at([-inf, 0], [0, 1], [0, 0], axis=0), at([-inf, -inf], [nan, nan], [nan, nan], axis=0))  # fmt: skip
row("log_softmax", lambda a, axis: np.log(np.exp(a) / np.sum(np.exp(a), axis, keepdims=True)), real, SOFT,
    at([1000, 0], [0, -1000], [-1, 1], axis=0), at([-inf, 0], [-inf, 0], [1, -1], axis=0))  # fmt: skip

# ------------------------------------------------------------------------------------------ products
row("dot", lambda a, b: np.sum(a * b), real, cases([((3,), (3,)), ((0,), (0,)), ((1,), (1,))]),
    refusals=(Refusal(((2,), (3,)), {}, ValueError, "op: dot(float64[2], float64[3])"),))  # fmt: skip
row("mv", lambda a, b: np.sum(a * b, 1), real, cases([((2, 3), (3,)), ((1, 1), (1,)), ((0, 2), (2,)), ((2, 0), (0,))]),
    refusals=(Refusal(((2, 3), (2,)), {}, ValueError, "op: mv(float64[2, 3], float64[2])"),))  # fmt: skip
row("outer", lambda a, b: a[:, None] * b, real, cases([((2,), (3,)), ((1,), (1,)), ((0,), (2,))]))
MATRICES = [((2, 3), (3, 2)), ((1, 1), (1, 1)), ((0, 2), (2, 3)), ((2, 0), (0, 3)), ((2, 3), (3, 0))]
row("mm", lambda a, b: np.einsum("ij,jk->ik", a, b), real, cases(MATRICES),
    refusals=(Refusal(((2, 3), (2, 3)), {}, ValueError, "op: mm(float64[2, 3], float64[2, 3])"),))  # fmt: skip
row("bmm", lambda a, b: np.einsum("...ij,...jk->...ik", a, b), real,
    cases([*MATRICES, ((2, 2, 3), (2, 3, 1)), ((2, 2, 3), (3, 2)), ((2, 3), (2, 3, 2)), ((2, 1, 2, 1), (3, 1, 2)), ((0, 2, 2), (2, 2))]),
    refusals=(Refusal(((2, 2, 3), (2, 2, 3)), {}, ValueError, "op: bmm(float64[2, 2, 3], float64[2, 2, 3])"),))  # fmt: skip
row("linear", lambda a, b, c=None: a @ b.T + (0 if c is None else c), real,
    cases([((2, 3), (2, 3)), ((2, 3), (2, 3), (2,)), ((4, 2), (1, 2), (1,)), ((0, 3), (2, 3), (2,)), ((2, 3), (0, 3))]),
    refusals=(Refusal(((2, 3), (2, 4)), {}, ValueError, "op: linear(float64[2, 3], float64[2, 4])"),))  # fmt: skip
row("sum_rows", lambda a: np.sum(a, 0), real, cases([((2, 3),), ((1, 1),), ((0, 3),), ((3, 0),)]))
row("einsum", lambda *xs, terms, out: np.einsum(",".join(terms) + "->" + out, *xs), real,
    [(((2, 3), (3, 2)), dict(terms=("ij", "jk"), out="ik")), (((2, 3),), dict(terms=("ij",), out="ji")),
     (((2,), (2,)), dict(terms=("i", "i"), out="")), (((2,), (3,), (2, 3)), dict(terms=("i", "j", "ij"), out="j")),
     (((2, 0), (0, 3)), dict(terms=("ij", "jk"), out="ik")), (((2, 2, 3), (2, 3, 1)), dict(terms=("bij", "bjk"), out="bik"))])  # fmt: skip

# ------------------------------------------------------------------------------------------ indices
INDICES = [
    ((3, 4), (1, ...)), ((3, 4), (slice(0, 3, 2), slice(1, None), ...)), ((3,), (None, ..., slice(1, 2))), ((3,), (2, ...)), ((), (...,)),
    ((0, 2), (slice(None), 0, ...)), ((3, 4), (np.array([0, 2, 0]),)), ((3, 4), (np.array([0, 2, 0]), np.array([1, 1, 1]))),
    ((3, 4), (slice(None), np.array([[0, 3], [3, 3]]))), ((3, 2), (np.array([[True, False], [True, True], [False, False]]),)),
    ((2, 3, 2), (np.array([1, 0]), slice(None), np.array([0, 0]))), ((2, 3), (None, np.array([1, 1]))), ((3,), (np.array([], int),)),
    ((3,), (np.array([-1, 2]),)), ((2, 3), (np.array([0, 1]), 1)), ((2, 3), (np.array(True),)),
]  # fmt: skip
row("getitem", lambda a, index: a[index], real, [((shape,), dict(index=i)) for shape, i in INDICES],
    refusals=(Refusal(((3,),), dict(index=(5, ...)), IndexError, "out of bounds"),))  # fmt: skip
row("scatter_add", lambda a, shape, index: _scatter(a, shape, index), real,
    [((np.zeros(shape)[i].shape,), dict(shape=shape, index=i)) for shape, i in INDICES])  # fmt: skip
ONCE = [
    ((3, 4), (np.array([0, 2]),)), ((3, 4), (np.array([0, 2]), np.array([1, 1]))), ((3, 2), (np.array([[True, False], [True, True], [False, False]]),)),
    ((3,), (np.array([], int),)), ((2, 3, 2), (np.array([1, 0]), slice(None), np.array([0, 0]))),
]  # fmt: skip
row("index_put", lambda a, b, index: _put(a, b, index), real,
    [((shape, np.zeros(shape)[i].shape), dict(index=i)) for shape, i in ONCE])  # fmt: skip
_select, _narrow, _transpose = ops.select.op, ops.narrow.op, ops.transpose.op
row("overwrite", lambda a, b, path: _overwrite(a, b, path), real,
    [(((3, 4), (4,)), dict(path=((_select, dict(axis=0, index=1)),))), (((3,), (3,)), dict(path=())), (((3,), ()), dict(path=((_select, dict(axis=0, index=2)),))),
     (((2, 3), (2, 2)), dict(path=((_transpose, dict(axis0=0, axis1=1)), (_narrow, dict(axis=0, start=1, length=2))))),
     (((2, 2), (1, 2)), dict(path=((ops.getitem.op, dict(index=(slice(1, None), ...))),)))])  # fmt: skip


def _scatter(a: Any, shape: Any, index: Any) -> Any:
    places = np.arange(int(np.prod(shape))).reshape(shape)[index]
    y = np.zeros(shape)
    for place, x in zip(np.ravel(places), np.ravel(a), strict=True):
        y.flat[place] += x
    return y


def _put(a: Any, b: Any, index: Any) -> Any:
    y = a.copy()
    y[index] = b
    return y


def _overwrite(a: Any, b: Any, path: Any) -> Any:
    places = np.arange(a.size).reshape(a.shape)
    for op, attrs in path:
        places = op.forward(places, **attrs)
    y = a.copy()
    y.flat[np.ravel(places)] = np.ravel(b)
    return y


# ------------------------------------------------------------------------------------------ losses
MANNERS = [dict(reduction=r) for r in ("mean", "sum", "none")]
PAIRS = [((3,), (3,)), ((), ()), ((2, 2), (2, 2)), ((1,), (1,)), ((2, 1, 2), (2, 1, 2))]


def _reduced(losses: Any, reduction: str) -> Any:
    return losses if reduction == "none" else np.mean(losses) if reduction == "mean" else np.sum(losses)


row("mse_loss", lambda a, b, reduction: _reduced((a - b) ** 2, reduction), real,
    cases(PAIRS, *MANNERS) + cases([((0,), (0,))], *MANNERS[1:]),
    Edge((np.array([inf, 1.0]), np.array([0.0, 1.0])), inf, ([inf, 0], [-inf, 0]), dict(reduction="mean")))  # fmt: skip


def _huber(a: Any, b: Any, delta: float) -> Any:
    d = np.abs(a - b)
    return np.where(d < delta, d**2 / 2, delta * (d - delta / 2))


row("huber_loss", lambda a, b, delta, reduction: _reduced(_huber(a, b, delta), reduction), real,
    cases(PAIRS, *(m | dict(delta=d) for m in MANNERS for d in (0.7, 9.0))),
    Edge((np.array([0.0, 1.0, 2.0]), np.zeros(3)), [0, 0.5, 1.5], ([0, 1, 1], [0, -1, -1]), dict(delta=1.0, reduction="none")))  # fmt: skip
row("smooth_l1_loss", lambda a, b, beta, reduction: _reduced(_huber(a, b, beta) / beta, reduction), real,
    cases(PAIRS, *(m | dict(beta=d) for m in MANNERS for d in (0.7, 9.0))),
    Edge((np.array([0.0, 1.0, 2.0]), np.zeros(3)), [0, 0.5, 1.5], ([0, 1, 1], [0, -1, -1]), dict(beta=1.0, reduction="none")))  # fmt: skip
row("binary_cross_entropy", lambda a, b, reduction: _reduced(-b * np.log(a) - (1 - b) * np.log(1 - a), reduction), Domain(0.1, 0.9),
    cases(PAIRS, *MANNERS),
    Edge((np.array([0.0, 1.0, 0.0]), np.array([1.0, 1.0, 0.0])), [100, 0, 0], ([-1e12, 0, 0], [100, -100, 100]), dict(reduction="none")))  # fmt: skip
row("binary_cross_entropy_with_logits", lambda a, b, reduction: _reduced(np.log(1 + np.exp(a)) - a * b, reduction), real,
    cases(PAIRS, *MANNERS),
    Edge((np.array([1000.0, -1000.0]), np.array([0.0, 1.0])), [1000, 1000], ([1, -1], [-1000, 1000]), dict(reduction="none")))  # fmt: skip


CHOICES = [(((2, 3), (2,)), dict(axis=1, ignore=-100)), (((2, 3), (2,)), dict(axis=1, ignore=1)), (((3,), ()), dict(axis=0, ignore=-100)),
           (((2, 3, 2), (2, 2)), dict(axis=1, ignore=-100)), (((0, 3), (0,)), dict(axis=1, ignore=-100))]  # fmt: skip
row("pick_class", lambda a, b, axis, ignore: _pick(a, b, axis, ignore), (real, classes), CHOICES)
row("unpick_class", lambda a, b, classes, axis, ignore: _pick(a, b, axis, ignore, classes), (real, classes),
    [((b, b), attrs | dict(classes=3)) for (_, b), attrs in CHOICES])  # fmt: skip
row("class_weight", lambda a, b=None, *, ignore, reduction, dtype: _weights(a, b, ignore, reduction), (classes, positive),
    [(shapes, dict(ignore=i, reduction=r, dtype=np.dtype("float64"))) for shapes in [((4,),), ((4,), (3,)), ((2, 2), (3,)), ((), (3,))]
     for i in (-100, 1) for r in ("mean", "none") if shapes[0] or i < 0], gradient=False)  # fmt: skip
WEIGHED = [
    ((*shapes, shapes[1]), attrs | dict(reduction=r))
    for shapes, attrs in CHOICES
    for r in ("mean", "sum", "none")
    if attrs["ignore"] < 0 or r != "mean"
]  # the mean of no losses is nan
row("nll_loss", lambda a, b, c, axis, ignore, reduction: _weighed(-_pick(a, b, axis, ignore) * c, reduction), (real, classes, positive),
    WEIGHED)  # fmt: skip


row("softmax_error", lambda a, b, axis, ignore: _softmax_error(a, b, axis, ignore), (real, classes), CHOICES,
    Edge((np.array([[0.0, -1000.0], [0.0, -40.0]]), np.array([0, 0])), [[0, 0], [-np.exp(-40), np.exp(-40)]], (), dict(axis=1, ignore=-100)))  # fmt: skip
row("cross_entropy", lambda a, b, c=None, *, axis, ignore, reduction: _cross_entropy(a, b, c, axis, ignore, reduction),
    (real, classes, positive), WEIGHED + [(shapes, attrs | dict(reduction=r)) for shapes, attrs in CHOICES for r in ("mean", "sum", "none") if attrs["ignore"] < 0])  # fmt: skip


def _softmax_error(a: Any, b: Any, axis: int, ignore: int) -> Any:
    p = np.exp(a) / np.sum(np.exp(a), axis, keepdims=True)
    counts = np.expand_dims(b != ignore, axis)
    return p * counts - _pick(np.ones(np.shape(b)), b, axis, ignore, a.shape[axis])


def _cross_entropy(a: Any, b: Any, c: Any, axis: int, ignore: int, reduction: str) -> Any:
    logp = np.log(np.exp(a) / np.sum(np.exp(a), axis, keepdims=True))
    y = -_pick(logp, b, axis, ignore) * (1 if c is None else c)
    return _weighed(y, reduction) if c is not None or reduction != "mean" else np.sum(y) / (np.size(y) or nan)


def _weighed(y: Any, reduction: str) -> Any:
    return y if reduction == "none" else np.sum(y) if reduction == "sum" or np.size(y) else nan


def _pick(a: Any, b: Any, axis: int, ignore: int, classes: int | None = None) -> Any:
    chosen = np.expand_dims(b, axis) == np.arange(classes or a.shape[axis]).reshape(
        [-1 if i == axis else 1 for i in range(b.ndim + 1)]
    )
    chosen = chosen & np.expand_dims(b != ignore, axis)
    return np.where(chosen, np.expand_dims(a, axis), 0) if classes else np.sum(a * chosen, axis)


def _weights(a: Any, b: Any, ignore: int, reduction: str) -> Any:
    w = (a != ignore) * (np.ones(3) if b is None else b)[a]
    return w / np.sum(w) if reduction == "mean" else w


row("constant_in", lambda a, b: a, real, cases([((3,), (2,)), ((), (2, 3)), ((2, 1), ()), ((2, 3), (2, 3)), ((0, 2), (3,))]),
    both([nan, inf], [1, nan], [nan, inf], [1, 1], [0, 0]))  # fmt: skip
# ------------------------------------------------------------------------------------------ powers and logarithms that stay finite
row("pnorm", lambda a, axis, keepdims, p: np.sum(np.abs(a) ** p, axis=axis, keepdims=keepdims) ** (1 / p), nonzero,
    [(shapes, attrs | dict(p=p)) for shapes, attrs in AXES for p in (3, 0.5, -1.5) if min(shapes[0], default=1) > 0 and len(shapes[0]) < 4]
    + [(((0, 3),), dict(axis=(1,), keepdims=False, p=3))],
    at([0, 0], 0, [0, 0], **ALL, p=3), at([0, 2], 2, [0, 1], **ALL, p=0.5), at([0, 2], 0, [0, 0], **ALL, p=-1),
    at([[0, 0], [0, -3]], [0, 3], [[0, 0], [0, -1]], **LAST, p=1.5), at([inf, 1], inf, [nan, 0], **ALL, p=3))  # fmt: skip
row("sigmoid_error", lambda a, b: 1 / (1 + np.exp(-a)) - b, real, cases([((3,), (3,)), ((), ()), ((2, 3), (2, 3)), ((0, 2), (0, 2))]),
    both([1000, -1000, 40, -40, 0], [1, 0, 1, 0, 1], [0, 0, -np.exp(-40), np.exp(-40), -0.5], [0, 0, np.exp(-40), np.exp(-40), 0.25], [-1] * 5))  # fmt: skip
unary("xlogx", lambda a: a * np.log(a), positive, at([0, 1, -1, inf], [0, 0, nan, inf], [nan, 1, nan, nan]))
binary("same", lambda a, b: np.equal(a, b) | (np.isnan(a) & np.isnan(b)), real,
       both([nan, nan, 0, 1], [nan, 0, -0.0, 0], [True, False, True, False]), gradient=False)  # fmt: skip
row("odds_error", lambda a, b: (a - b) / (a * (1 - a)), Domain(0.1, 0.9), cases([((3,), (3,)), ((), ()), ((2, 3), (2, 3)), ((0, 2), (0, 2))]),
    both([0, 1, 0, 1e-20], [1, 1, 0, 0], [-1e12, 0, 0, 1e-8], [1e24, 0, 0, 1e-16], [-1e12] * 4))  # fmt: skip


# ------------------------------------------------------------------------------------------ right in both tails
unary("one_minus_square", lambda a: 1 - a * a, real, at([1, -1], [0, 0], [-2, 2]))
unary("secant", lambda a: 1 / np.sqrt(1 + a * a), real, at([0, inf, -inf], [1, 0, 0]))
unary("agnesi", lambda a: 1 / (1 + a * a), real, at([0, inf, -inf], [1, 0, 0]))
binary("inversion", lambda a, b: a / (a * a + b * b), nonzero, both([0, 3e-300], [0, 4e-300], [0, 1.2e299]))
binary("cosine", lambda a, b: a / np.sqrt(a * a + b * b), nonzero,
       both([0, 3e-300, 3e300, 1e308, 1.5e308], [0, 4e-300, 4e300, 0, 1.5e308], [0, 0.6, 0.6, 1, np.sqrt(0.5)]))  # fmt: skip
binary("hypot", lambda a, b: np.sqrt(a * a + b * b), nonzero,
       both([0, 3e-300, 1e308], [0, 4e-300, 0], [0, 5e-300, 1e308], [0, 0.6, 1], [0, 0.8, 0]))  # fmt: skip
unary("sech", lambda a: 1 / np.cosh(a), real, at([0, 1000, -inf, nan], [1, 0, 0, nan], [0, 0, 0, nan]))
unary(
    "wide_sigmoid", lambda a: 1 / (1 + np.exp(-a)), real, at([-1000, 1000, -inf, nan], [0, 1, 0, nan], [0, 0, 0, nan])
)
unary("wide_tanh", np.tanh, real, at([1000, -inf], [1, -1], [0, 0]))
unary(
    "tanhshrink",
    lambda a: a - np.tanh(a),
    real,
    at([0, 1e-3, inf], [0, 3.33333200000005e-10, inf], [0, 9.9999933333337e-7, 1]),
)
unary("softsign", lambda a: a / (1 + np.abs(a)), nonzero, at([0, 1e200], [0, 1], [1, 0]))
row(
    "gauss",
    lambda a, c: np.exp(-c * a * a),
    real,
    cases(ONE, dict(c=1), dict(c=0.5)),
    at([0, 1e300, -inf], [1, 0, 0], c=1),
    elementwise=True,
)
unary("normal", lambda a: (1 + np.vectorize(math.erf, otypes=[float])(np.sqrt(0.5) * np.asarray(a))) / 2, real,
      at([0, inf, -inf], [0.5, 1, 0], [0.3989422804014327, 0, 0]))  # fmt: skip
_phi = np.vectorize(lambda a: math.erfc(-a / math.sqrt(2)) / 2, otypes=[float])
unary("gelu", lambda a: a * _phi(a), real, at([0, 1e30], [0, 1e30], [0.5, 1]))
unary("gelu_slope", lambda a: _phi(a) + a * np.exp(-np.square(a) / 2) / math.sqrt(2 * math.pi), real,
      at([0, 1e30, -1e30], [0.5, 1, 0], [0.7978845608028654, 0, 0]))  # fmt: skip
row("lerp", lambda a, b, c: a + c * (np.asarray(b) - a), (real, real, real),
    cases([((3,), (3,), (3,)), ((2, 3), (3,), (2, 1)), ((3,), (), (1,)), ((), (), ()), ((1,), (0, 3), ()), ((3,), (3,), None)]),
    Edge((np.array([1e16, 1.0, -1.5e308]), np.array([1.0, 1e16, 1.5e308]), np.array([1.0, 0.0, 0.5])), [1, 1, 0]), elementwise=True)  # fmt: skip
binary("trunc_divide", lambda a, b: np.trunc(np.divide(a, b)), (unwhole, Domain(0.9, 1.1)),
       Edge((np.float32([1, -1, 2]), np.float32([0.1, 0.1, -0.7])), [9, -9, -2]), gradient=False)  # fmt: skip


row("unfold", lambda a, axis, size, step: _windows(a, axis, size, step), real,
    [(((5,),), dict(axis=0, size=2, step=1)), (((2, 5),), dict(axis=1, size=3, step=2)), (((4, 2),), dict(axis=0, size=1, step=3)),
     (((3, 0),), dict(axis=0, size=3, step=1)), (((2,),), dict(axis=0, size=0, step=1))])  # fmt: skip
row("unfold_backward", lambda a, axis, step, shape: _summed(a, axis, step, shape), real,
    [(((4, 2),), dict(axis=0, step=1, shape=(5,))), (((2, 2, 3),), dict(axis=1, step=2, shape=(2, 5))),
     (((2, 2, 1),), dict(axis=0, step=3, shape=(4, 2)))])  # fmt: skip


def _windows(a: Any, axis: int, size: int, step: int) -> Any:
    starts = range(0, a.shape[axis] - size + 1, step)
    return np.stack([np.moveaxis(np.take(a, range(i, i + size), axis), axis, -1) for i in starts], axis)


def _summed(a: Any, axis: int, step: int, shape: tuple[int, ...]) -> Any:
    y = np.zeros(shape, a.dtype)
    for i in range(a.shape[axis]):
        for k in range(a.shape[-1]):
            np.moveaxis(y, axis, 0)[i * step + k] += np.moveaxis(a, axis, 0)[i][..., k]
    return y


COLUMNS = cases([((3, 1),), ((1, 1),), ((2, 2, 1),)])  # no singular value of a column comes near 0 where no element is
row("singular_sum", lambda a: np.linalg.norm(a, axis=-2)[..., 0], nonzero, COLUMNS)
row("orthogonal_factor", lambda a: a / np.linalg.norm(a, axis=-2, keepdims=True), nonzero, COLUMNS)
row("lyapunov", lambda a, b: b / (2 * a), Domain(1, 2), cases([((1, 1), (1, 1))]))
