"""Rows of the layers that normalize."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tests.nn.rows.row import *  # noqa: F403


def standard(x: Any, axis: Any, eps: float) -> Any:
    return x if not x.size else (x - x.mean(axis, keepdims=True)) / np.sqrt(x.var(axis, keepdims=True) + eps)


def affine(y: Any, state: Any, shape: Any) -> Any:
    for name, act in (("weight", np.multiply), ("bias", np.add)):
        if name in state:
            y = act(y, state[name].reshape(shape))
    return y


def tracked(x: Any, axis: Any, eps: float, state: Any, shape: Any) -> Any:
    """By the running statistics, if there are any."""
    if "running_mean" not in state:
        return standard(x, axis, eps)
    return (x - state["running_mean"].reshape(shape)) / np.sqrt(state["running_var"].reshape(shape) + eps)


def batch_norm(x: Any, eps: float, state: Any) -> Any:
    shape = (1, -1, *(1,) * (x.ndim - 2))
    return affine(tracked(x, (0, *range(2, x.ndim)), eps, state, shape), state, shape)


def instance_norm(spatial: int) -> Any:
    def reference(x: Any, eps: float, state: Any) -> Any:
        shape = (-1, *(1,) * spatial)
        return affine(tracked(x, tuple(range(x.ndim - spatial, x.ndim)), eps, state, shape), state, shape)

    return reference


SMALL = {1: [(4, 3), (2, 3, 1), (0, 3)], 2: [(2, 3, 2, 2), (0, 3, 1, 2)], 3: [(2, 3, 2, 1, 2), (0, 3, 1, 2, 1)]}
for n, shapes in SMALL.items():
    three, words = {"num_features": 3}, "2D or 3D" if n == 1 else f"{n + 2}D"
    row(
        f"BatchNorm{n}d", batch_norm, real,
        over(shapes, three, three | {"eps": 0.1, "momentum": None}, three | {"affine": False}, three | {"track_running_stats": False, "bias": False}),
        wrong=[
            Wrong(three, (np.zeros(3),), ValueError, f"expected {words} input (got 1D input)"),
            Wrong(three, (np.zeros((2, 4, *(2,) * n)),), RuntimeError, "running_mean should contain 4 elements not 3"),
            Wrong(three | {"affine": False, "track_running_stats": False}, (np.zeros((2, 3, *(2,) * n), int),), NotImplementedError, "\"batch_norm\" not implemented for 'Long'"),
        ],
        random=True,  # in training it changes its running statistics: the laws look at evaluation
    )  # fmt: skip
    row(
        f"InstanceNorm{n}d", instance_norm(n), real,
        [case((2, 3, *(3, 2, 1)[:n]), num_features=3, affine=True),
         *over([(3, *(3, 1, 2)[:n]), (0, 3, *(3, 1, 2)[:n]), (1, 3, *(2, 1, 2)[:n])], three,
               three | {"eps": 0.1, "momentum": 0.3, "track_running_stats": True}, three | {"affine": True, "bias": False})],
        wrong=[
            Wrong(three, (np.zeros(3),), ValueError, f"expected {n + 1}D or {n + 2}D input (got 1D input)"),
            Wrong(three, (np.zeros((2, 3, *(1,) * n)),), ValueError, f"Expected more than 1 spatial element when training, got input size torch.Size({[2, 3, *(1,) * n]})"),
            Wrong(three | {"affine": True}, (np.zeros((2, 4, *(2,) * n)),), ValueError, "expected input's size at dim=1 to match num_features (3), but got: 4."),
        ],
        random=True,
    )  # fmt: skip


def layer_norm(x: Any, normalized_shape: Any, eps: float, state: Any) -> Any:
    n = len(np.atleast_1d(normalized_shape))
    return affine(standard(x, tuple(range(-n, 0)), eps), state, normalized_shape)


def rms_norm(x: Any, normalized_shape: Any, eps: Any, state: Any) -> Any:
    axis = tuple(range(-len(np.atleast_1d(normalized_shape)), 0))
    y = x / np.sqrt(np.mean(x * x, axis, keepdims=True) + (0 if eps is None else eps)) if x.size else x
    return affine(y, state, normalized_shape)


def group_norm(x: Any, num_groups: int, eps: float, state: Any) -> Any:
    split = x.reshape(x.shape[0], num_groups, x.shape[1] // num_groups, *x.shape[2:])
    y = standard(split, tuple(range(2, split.ndim)), eps).reshape(x.shape)
    return affine(y, state, (1, -1, *(1,) * (x.ndim - 2)))


def local_response_norm(x: Any, size: int, alpha: float, beta: float, k: float) -> Any:
    wide = np.pad(x * x, [(size // 2, (size - 1) // 2) if i == 1 else (0, 0) for i in range(x.ndim)])
    near = sum(wide[:, i : i + x.shape[1]] for i in range(size)) / size
    return x / (k + alpha * near) ** beta


row(
    "LayerNorm", layer_norm, real,
    [*over([(2, 4), (4,), (0, 4), (1, 2, 4)], {"normalized_shape": 4}, {"normalized_shape": (4,), "eps": 0.1, "bias": False},
           {"normalized_shape": [4], "elementwise_affine": False}), case((2, 2, 2), normalized_shape=(2, 2))],
    wrong=[
        Wrong({"normalized_shape": 4}, (np.zeros((2, 3)),), RuntimeError, "Given normalized_shape=[4], expected input with shape [*, 4], but got input of size[2, 3]"),
    ],
)  # fmt: skip
row(
    "RMSNorm", rms_norm, real,
    [*over([(2, 4), (4,), (0, 4), (1, 2, 4)], {"normalized_shape": 4}, {"normalized_shape": (4,), "eps": 0.1},
           {"normalized_shape": [4], "elementwise_affine": False}), case((2, 2, 2), normalized_shape=(2, 2))],
    wrong=[Wrong({"normalized_shape": 4}, (np.zeros((2, 3)),), RuntimeError, "Given normalized_shape=[4], expected input with shape [*4], but got input of size[2, 3]")],
)  # fmt: skip
row(
    "GroupNorm", group_norm, real,
    over([(2, 4), (2, 4, 2), (0, 4, 1), (1, 4, 2, 1)], {"num_groups": 2, "num_channels": 4},
         {"num_groups": 1, "num_channels": 4, "eps": 0.1, "bias": False}, {"num_groups": 2, "num_channels": 4, "affine": False}),
    wrong=[
        Wrong({"num_groups": 3, "num_channels": 4}, None, ValueError, "num_channels (4) must be divisible by num_groups (3)"),
        Wrong({"num_groups": 2, "num_channels": 2}, (np.zeros((1, 2)),), ValueError, "Expected more than 1 value per channel when training, got input size [1, 2]"),
        Wrong({"num_groups": 2, "num_channels": 4}, (np.zeros(4),), RuntimeError, "Expected at least 2 dimensions for input tensor but received 1"),
        Wrong({"num_groups": 2, "num_channels": 4}, (np.zeros((2, 6)),), RuntimeError, "Expected weight to be a vector of size equal to the number of channels in input, but got weight of shape [4] and input of shape [2, 6]"),
    ],
)  # fmt: skip
row(
    "LocalResponseNorm", local_response_norm, real,
    over([(2, 3, 2), (1, 4, 1, 2), (0, 3, 2)], {"size": 2}, {"size": 3, "alpha": 0.5, "beta": 2.0, "k": 2.0}),
    wrong=[
        Wrong({"size": 2}, (np.zeros((2, 3)),), ValueError, "Expected 3D or higher dimensionality                          input (got 2 dimensions)"),
        Wrong({"size": 0}, (np.zeros((2, 3, 2)),), RuntimeError, "kernel size should be greater than zero, but got kH: 0 kW: 1"),
    ],
)  # fmt: skip
UNSMOOTH = "PyTorch's gradient has no derivative, and is not that of its value"
PAST = "PyTorch leaves the first channel in all later windows"
SPREAD = np.array([1 / 3, 1 / 4, 1 / 4, 1 / 3]).reshape(1, 4, 1, 1)  # of four ones, by 1 + the ones within one channel
SLOPES = np.array([-1 / 72, -2 / 9, -2 / 9, -1 / 72]).reshape(1, 4, 1, 1)


def cross_map_lrn(x: Any, size: int, alpha: float, beta: float, k: float) -> Any:
    odd = size - (size % 2 == 0)
    return local_response_norm(x, odd, alpha * odd / size, beta, k)


row(
    "CrossMapLRN2d", cross_map_lrn, real,
    [replace(c, apart=UNSMOOTH)
     for c in over([(2, 2, 2, 1), (1, 1, 1, 2), (0, 3, 2, 2)], {"size": 4}, {"size": 3, "alpha": 0.5, "beta": 2.0, "k": 2.0})],
    edges=[Edge((np.ones((1, 4, 1, 1)),), SPREAD, (SLOPES,), {"size": n, "alpha": float(n), "beta": 1.0, "k": 1.0}, PAST) for n in (3, 4)],
    wrong=[Wrong({"size": 2}, (np.zeros((2, 3)),), ValueError, "CrossMapLRN2d: Expected input to be 4D, got 2D instead.")],
)  # fmt: skip
