"""Rows of the layers that look up rows of their weight, and of alpha dropout and the random rectifier."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.nn.rows.row import *  # noqa: F403


def embedding(x: Any, weight: Any) -> Any:
    return weight[x]


def bags(x: Any, mode: str, padding_idx: Any, state: Any) -> Any:
    act = {"sum": np.sum, "mean": np.mean, "max": np.max}[mode]
    rows = [state["weight"][[i for i in bag if i != padding_idx]] for bag in x]
    return np.array([act(r, 0) if len(r) else np.zeros(2) for r in rows]).reshape(-1, 2)


FAR = (np.array([4]),)
ROWS_ = {"num_embeddings": 4, "embedding_dim": 2}
row(
    "Embedding", embedding, classes(4),
    over([(2, 3), (3,), (), (0, 2), (1,)], ROWS_, ROWS_ | {"_freeze": False, "norm_type": 1.0, "sparse": False}),
    constant=(0,),
    edges=[
        Edge((np.array([1, 2, 1]),), [[3.0, 4.0], [5.0, 6.0], [3.0, 4.0]], settings=ROWS_ | {"_weight": np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]])}),
        Edge((np.array([3]),), [[0.0, 0.0]], settings=ROWS_ | {"padding_idx": -1, "scale_grad_by_freq": True, "max_norm": 1.0, "_freeze": True, "sparse": True}),
    ],
    wrong=[
        Wrong(ROWS_, FAR, IndexError, "index out of range in self"),
        Wrong(ROWS_, (np.array([-1]),), IndexError, "index out of range in self"),
        Wrong(ROWS_ | {"padding_idx": 4}, None, AssertionError, "Padding_idx must be within num_embeddings"),
        Wrong(ROWS_, (np.zeros(2),), RuntimeError, "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got torch.FloatTensor instead (while checking arguments for embedding)"),
    ],
)  # fmt: skip
row(
    "EmbeddingBag", bags, classes(4),
    over([(2, 3), (0, 2), (1, 1)], ROWS_, ROWS_ | {"mode": "sum"}, ROWS_ | {"mode": "max"}), constant=(0, 1),
    edges=[
        Edge((np.array([[3, 3]]),), [[0.0, 0.0]], settings=ROWS_ | {"padding_idx": 3, "scale_grad_by_freq": True, "sparse": True}),
        Edge((np.array([1, 2, 1]), np.array([0, 2, 3])), [[4.0, 5.0], [3.0, 4.0]], settings=ROWS_ | {
            "_weight": np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]), "include_last_offset": True, "max_norm": 100.0, "norm_type": 1.0}),
    ],
    wrong=[
        Wrong(ROWS_, (np.array([[4]]),), RuntimeError, "Index 0 of input takes value 4 which is not in the valid range [0, 4)"),
        Wrong(ROWS_, (np.array([1]),), ValueError, "offsets has to be a 1D Tensor but got None"),
        Wrong(ROWS_, (np.array([1]), np.array([1])), RuntimeError, "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. However, got 1"),
        Wrong(ROWS_ | {"mode": "max", "sparse": True}, (np.array([[1]]),), ValueError, "max mode does not support sparse weights"),
    ],
)  # fmt: skip
for name, shapes in (
    ("AlphaDropout", [(2, 3), (3,), (0, 3), (1,)]),
    ("FeatureAlphaDropout", [(2, 3, 2), (2, 3), (0, 3), (1, 1)]),
):
    row(
        name, lambda x: x, real, over(shapes, {}, {"p": 0.2}, {"p": 0.0}, {"p": 1.0}), random=True, draws=None,
        wrong=[Wrong({"p": 1.5}, None, ValueError, "dropout probability has to be between 0 and 1, but got 1.5")],
    )  # fmt: skip
row(
    "RReLU", lambda x, lower, upper: np.where(x > 0, x, x * (lower + upper) / 2), real,
    over([(2, 3), (3,), (), (0, 3), (1,)], {}, {"lower": 0.5, "upper": 0.75}), random=True,
    wrong=[Wrong({"lower": 0.5, "upper": 0.25}, (np.zeros(3),), RuntimeError, "Lower bound should be less than or equal to the upper bound")],
)  # fmt: skip
