"""Rows of the weights of attention."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.ops.rows.row import *  # noqa: F403


def weights(a: Any, b: Any = 0.0, *, scale: float) -> Any:
    e = np.exp(scale * a + b - np.max(scale * a + b, -1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


SHAPES = [((2, 3),), ((2, 2, 3), (2, 3)), ((3, 1),), ((0, 3),), ((2, 2, 2), (2, 1, 2))]
row("attention_weights", weights, real, cases(SHAPES, dict(scale=0.5)), Edge(
    (np.array([[-inf, -inf], [800.0, -inf], [800.0, 800.0], [-900.0, -900.0], [nan, 0.0]]),),
    np.array([[0, 0], [1, 0], [0.5, 0.5], [0.5, 0.5], [nan, nan]]), (), dict(scale=1.0),
))  # fmt: skip
row("softmax_slope", lambda a, b, scale: scale * b * (a - (a * b).sum(-1, keepdims=True)), real,
    cases([((2, 3), (2, 3)), ((2, 1, 2), (2, 1, 2)), ((0, 2), (0, 2))], dict(scale=0.5)))  # fmt: skip
