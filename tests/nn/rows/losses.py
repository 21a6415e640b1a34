"""Rows of the losses with margins between classes, of sequences without places, and of very many classes."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.nn.rows.basic import TRIPLES, WEIGHT, softplus, triplet
from tests.nn.rows.row import *  # noqa: F403


# ------------------------------------------------------------------------------------------ margins
def multi_margin(x: Any, t: Any, p: int, margin: float, weight: Any, reduction: str) -> Any:
    n = x.shape[-1]
    right = np.take_along_axis(x, t[..., None], -1)
    each = np.maximum(0, margin - right + x) ** p * (np.arange(n) != t[..., None])
    each = each.sum(-1) / n * (1 if weight is None else weight[t])
    return each if reduction == "none" else np.sum(each) / (max(np.size(each), 1) if reduction == "mean" else 1)


def multilabel_margin(x: Any, t: Any, reduction: str) -> Any:
    def one(scores: Any, listed: Any) -> Any:
        right = [int(c) for c in listed[: int(np.argmin(listed)) if (listed < 0).any() else len(listed)]]
        return sum(
            max(0, 1 - scores[j] + scores[i]) for j in right for i in range(len(scores)) if i not in right
        ) / len(scores)

    each = np.array([one(*pair) for pair in zip(np.atleast_2d(x), np.atleast_2d(t), strict=True)]).reshape(x.shape[:-1])
    return each if reduction == "none" else np.sum(each) / (max(np.size(each), 1) if reduction == "mean" else 1)


def multilabel_soft_margin(x: Any, t: Any, weight: Any, reduction: str) -> Any:
    each = (t * softplus(-x) + (1 - t) * softplus(x)) * (1 if weight is None else weight)
    return reduce(each.mean(-1), reduction)


def ended(draw: Any, shape: Shape) -> Any:
    """Class numbers in rows that end at a -1."""
    found = np.argsort(draw.random(shape), -1)
    if found.size:
        found[..., 2:] = -1
    return found


LOGITS, SPARSE = np.zeros((3, 4)), [((4, 3), (4,)), ((3,), ()), ((1, 3), (1,))]
row(
    "MultiMarginLoss", multi_margin, (real, classes(3)),
    reduced(SPARSE, {}, {"p": 2}, {"margin": 0.3, "weight": WEIGHT}) + [Case(((0, 3), (0,)), {"reduction": "none"})], second=False,
    edges=[Edge((np.array([[1.0, 1.0, 2.0]]), np.array([2])), [0.0], ([[0.0, 0.0, 0.0]],), {"reduction": "none"})],
    wrong=[
        Wrong({"p": 3}, None, ValueError, "only p == 1 and p == 2 supported"),
        Wrong({}, (LOGITS, np.array([0, 4, 1])), RuntimeError, "target out of range"),
        Wrong({"weight": WEIGHT}, (LOGITS, np.array([0, 1, 2])), RuntimeError, "inconsistent weight size, expected 4 but got [3]"),
    ],
)  # fmt: skip
row(
    "MultiLabelMarginLoss", multilabel_margin, (real, ended),
    reduced([((2, 4), (2, 4)), ((4,), (4,)), ((1, 3), (1, 3))]) + [Case(((0, 3), (0, 3)), {"reduction": "none"})], second=False,
    wrong=[
        Wrong({}, (LOGITS, np.zeros((3, 2), int)), RuntimeError, "inconsistent target size: [3, 2] for input of size: [3, 4]"),
        Wrong({}, (LOGITS, np.full((3, 4), 4)), RuntimeError, "argument #2 'target' is out of range"),
    ],
)  # fmt: skip
row(
    "MultiLabelSoftMarginLoss", multilabel_soft_margin, (real, unit),
    reduced([(2, 3), (3,), (2, 1, 3), (0, 3)], {}, {"weight": WEIGHT}),
    wrong=[Wrong({"reduction": "max"}, (LOGITS, LOGITS), ValueError, "max is not valid")],
)  # fmt: skip
row(
    "TripletMarginWithDistanceLoss",
    lambda a, b, c, margin, swap, reduction: triplet(a, b, c, margin, 2.0, 1e-6, swap, reduction),
    real, reduced(TRIPLES[:4], {}, {"swap": True}, {"margin": 0.3, "distance_function": lambda torch: torch.nn.PairwiseDistance()}),
    wrong=[Wrong({"margin": 0.0}, None, ValueError, "TripletMarginWithDistanceLoss: expected margin to be greater than 0, got 0.0 instead")],
)  # fmt: skip


# ------------------------------------------------------------------------------------------ what is not one formula
# tests/nn/test_losses_vs_torch.py is about their values. The gradient of CTC is that of normalised inputs.
SEQUENCE = (np.zeros((4, 1, 3)), np.ones((1, 2), int), np.array([4]), np.array([2]))
row(
    "CTCLoss", None, real, [Case((), {"blank": 1, "zero_infinity": True, "reduction": "sum"})],
    wrong=[
        Wrong({"blank": 3}, SEQUENCE, RuntimeError, "blank must be in label range"),
        Wrong({}, (*SEQUENCE[:2], np.array([4, 4]), np.array([2])), RuntimeError, "input_lengths must be of size batch_size"),
        Wrong({"reduction": "max"}, SEQUENCE, ValueError, "max is not a valid value for reduction"),
    ],
)  # fmt: skip
row(
    "LinearCrossEntropyLoss", None, real,
    [Case((), {"in_features": 2, "num_classes": 3, "out_features": (2,), "bias": True, "ignore_index": 1, "label_smoothing": 0.1, "reduction": "sum"}),
     Case((), {"in_features": 2, "num_classes": 3, "weight": WEIGHT, "options": lambda torch: torch.nn.LinearCrossEntropyOptions(batch_chunk_size=2)})],
    wrong=[Wrong({"in_features": 2, "num_classes": 3, "label_smoothing": 1.5}, None, RuntimeError, "expected label_smoothing to be in range [0, 1], got 1.5")],
)  # fmt: skip
HEAD = {"in_features": 4, "n_classes": 9}
row(
    "AdaptiveLogSoftmaxWithLoss", None, real, [Case((), HEAD | {"cutoffs": [2, 5], "div_value": 2.0, "head_bias": True})],
    wrong=[
        Wrong(HEAD | {"cutoffs": []}, None, ValueError, "cutoffs should be a sequence of length larger than 0"),
        Wrong(HEAD | {"cutoffs": [3, 9]}, None, ValueError, "cutoffs should be a sequence of unique, positive integers sorted in an increasing order, where each value is between 1 and n_classes-1"),
    ],
)  # fmt: skip
