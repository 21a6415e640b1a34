"""Rows of the ops of normalization, of embedding, and of alignments."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.ops.rows.row import *  # noqa: F403

COLUMNS, LAST, WHOLE, INNER = dict(axis=(0,)), dict(axis=(1,)), dict(axis=(0, 1)), dict(axis=(0, 2))
ALONG = [
    ((4, 3), COLUMNS),
    ((3, 4), LAST),
    ((2, 2), WHOLE),
    ((2, 2, 3), INNER),
    ((0, 2), LAST),
    ((2, 1, 3), LAST),
    ((3, 2, 2), dict(axis=(1,))),
]


def _scale(a: Any, axis: Any, eps: float) -> Any:
    return 1 / np.sqrt(np.mean((a - a.mean(axis, keepdims=True)) ** 2, axis, keepdims=True) + eps)


def _normal(a: Any, w: Any = 1, b: Any = 0, *, axis: Any, eps: float, like: Any) -> Any:
    w, b = (np.reshape(x, like) if like and np.ndim(x) else x for x in (w, b))
    return (a - a.mean(axis, keepdims=True)) * _scale(a, axis, eps) * w + b


row("sum_along", lambda a, axis: np.sum(a, axis, keepdims=True), real, [((s,), at_) for s, at_ in ALONG])
row("dot_along", lambda a, b, axis: np.sum(a * b, axis, keepdims=True), real, [((s, s), at_) for s, at_ in ALONG])
row("combine", lambda a, b, c, d, e, f=1: a * c * f + b * d + e, real,
    cases([((3,), (3,), (3,), (3,), (3,)), ((2, 3), (2, 3), (1, 3), (1, 3), (1, 3)), ((), (), (), (), ()),
           ((0, 2), (0, 2), (1, 2), (1, 2), (1, 2)), ((2, 3), (2, 3), (2, 1), (1, 3), (2, 3)), ((2, 3), (2, 3), (2, 1), (2, 1), (2, 1), (1, 3))]), elementwise=True)  # fmt: skip
row("sum_weighted", lambda a, b, axis: np.sum(a * b, axis, keepdims=True), real,
    [(((3, 4), (1, 4)), LAST), (((3, 4), (3, 1)), COLUMNS), (((2, 2, 3), (2, 1, 3)), INNER), (((0, 2), (1, 2)), LAST), (((2, 2), (2, 2)), WHOLE)])  # fmt: skip
row("mean_of", lambda a, axis: np.mean(a, axis, keepdims=True), real, [((s,), at_) for s, at_ in ALONG if 0 not in s])
row("scale_of", _scale, real, [((s,), at_ | dict(eps=0.1)) for s, at_ in ALONG if 0 not in s])
row("normalize", _normal, real,
    [(((4, 3),), COLUMNS | dict(eps=0.1, like=None)), (((4, 3), (1, 3), (1, 3)), COLUMNS | dict(eps=0.1, like=None)), (((2, 2, 3), (1, 2, 1), (1, 2, 1)), INNER | dict(eps=0.1, like=None)),
     (((3, 4), (1, 4), (1, 4)), LAST | dict(eps=0.1, like=None)), (((3, 4), (1, 4)), LAST | dict(eps=0.1, like=None)), (((2, 2, 3), (1, 2, 1), (1, 2, 1)), dict(axis=(2,), eps=0.1, like=None)),
     (((2, 3, 2), (3,), (3,)), INNER | dict(eps=0.1, like=(1, 3, 1))), (((2, 4), (2, 2), (2, 2)), LAST | dict(eps=0.1, like=(1, 4)))])  # fmt: skip

row(
    "take_rows",
    lambda a, b: a[b],
    (real, classes),
    cases([((3, 2), (4,)), ((3, 2), (2, 2)), ((3, 2), ()), ((3, 2), (0,)), ((3, 1), (1,))]),
)
row("add_rows", lambda a, b, rows: _added(a, b, rows), (real, classes),
    cases([((4, 2), (4,)), ((2, 2, 2), (2, 2)), ((2,), ()), ((0, 2), (0,)), ((1, 1), (1,))], dict(rows=3)))  # fmt: skip


def _added(a: Any, b: Any, rows: int) -> Any:
    y = np.zeros((rows, *a.shape[b.ndim :]))
    for i in np.ndindex(b.shape):
        y[b[i]] += a[i]
    return y


# ------------------------------------------------------------------------------------------ alignments
def _alignments(a: Any, b: Any) -> Any:
    """By the probabilities themselves."""
    y = np.zeros(a.shape)
    y[0, :, :2] = np.exp(a[0, :, :2])
    for t, n, s in np.ndindex(*a.shape):
        if t:
            before = y[t - 1, n]
            ways = before[s] + (before[s - 1] if s else 0) + (before[s - 2] * np.exp(b[n, s]) if s > 1 else 0)
            y[t, n, s] = ways * np.exp(a[t, n, s])
    return np.where(y > 0, np.log(np.where(y > 0, y, 1)), -1e30)


def _flow(a: Any, b: Any, c: Any, d: Any) -> Any:
    y = np.array(a)
    for t, n, s in np.ndindex(*a.shape):
        for k, share in enumerate((b, c, d)):
            if t and s >= k:
                y[t, n, s] += share[t - 1, n, s] * y[t - 1, n, s - k]
    return y


def _flow_back(a: Any, b: Any, c: Any, d: Any) -> Any:
    y = np.array(a)
    for t, n, s in reversed(list(np.ndindex(*a.shape))):
        for k, share in enumerate((b, c, d)):
            if t and s >= k:
                y[t - 1, n, s - k] += share[t - 1, n, s] * y[t, n, s]
    return y


row("alignments", _alignments, real, cases([((3, 2, 2), (2, 2)), ((1, 2, 2), (2, 2)), ((4, 1, 1), (1, 1)), ((2, 0, 2), (0, 2))]),
    Edge((np.log([[[0.5, 0.25, 0.25]], [[0.5, 0.25, 0.25]]]), np.array([[-1e30, -1e30, 0.0]])),
         [[[np.log(0.5), np.log(0.25), -1e30]], np.log([[0.25, 0.1875, 0.1875]])], ()))  # fmt: skip
STEPS = [((3, 2, 4), *[(2, 2, 4)] * 3), ((1, 2, 3), *[(0, 2, 3)] * 3), ((2, 1, 1), *[(1, 1, 1)] * 3)]
row("flow", _flow, real, cases(STEPS))
row("flow_back", _flow_back, real, cases(STEPS))
