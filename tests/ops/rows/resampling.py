"""Rows of the ops that pick and resample along an axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.ops.rows.row import *  # noqa: F403

PLACES = [((3,), 0, [2, 1, 0, 1, 2, 1]), ((2, 3), 1, [0, 0, 1, 1, 2, 2]), ((2, 3), 0, [1]), ((4, 2), 0, [0, 2]), ((2, 0), 0, [0, 1, 1]),
          ((1, 9), 1, [3, 0, 5, 0, 8, 3, 1, 7, 2, 6, 4, 8])]  # fmt: skip


def _map(axis: int, index: Any, weight: Any, size: int) -> Any:
    m = np.zeros((len(index), size))
    for i, (places, ws) in enumerate(zip(index, weight, strict=True)):
        for k, w in zip(places, ws, strict=True):
            m[i, k] += w
    return m


def _along(m: Any, a: Any, axis: int) -> Any:
    return np.moveaxis(np.tensordot(m, a, ([1], [axis])), 0, axis)


row(
    "pick_along",
    lambda a, axis, index: np.take(a, index, axis),
    real,
    [((s,), dict(axis=i, index=np.array(at_))) for s, i, at_ in PLACES],
)
row("add_along", lambda a, axis, index, size: _along(np.eye(size)[index].T, a, axis), real,
    [(((*s[:i], len(at_), *s[i + 1 :]),), dict(axis=i, index=np.array(at_), size=s[i])) for s, i, at_ in PLACES])  # fmt: skip
TAPS = dict(index=np.array([[0, 1], [1, 2], [2, 2]]), weight=np.array([[0.25, 0.75], [1.0, 0.0], [0.5, 0.5]]))
row("resample", lambda a, axis, index, weight: _along(_map(axis, index, weight, a.shape[axis]), a, axis), real,
    [(((3,),), dict(axis=0) | TAPS), (((2, 3),), dict(axis=1) | TAPS), (((3, 2),), dict(axis=0) | TAPS), (((0, 3),), dict(axis=1) | TAPS)],
    at([inf, 1, 2], [inf, 1, 2], [0.25, 1.75, 1], axis=0, **TAPS))  # fmt: skip
row("unresample", lambda a, axis, index, weight, size: _along(_map(axis, index, weight, size).T, a, axis), real,
    [(((3,),), dict(axis=0, size=3) | TAPS), (((2, 3),), dict(axis=1, size=4) | TAPS), (((3, 2),), dict(axis=0, size=3) | TAPS), (((0, 3),), dict(axis=1, size=3) | TAPS)])  # fmt: skip
