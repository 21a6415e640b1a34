"""Rows of the activations, the linear layers, dropout, the losses and the containers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tests.nn.rows.row import *  # noqa: F403


# ------------------------------------------------------------------------------------------ activations, pointwise
def sigma(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def softplus(x: Any, beta: float = 1.0) -> Any:
    return np.log1p(np.exp(beta * x)) / beta


def elu(x: Any, alpha: float) -> Any:
    return np.where(x > 0, x, alpha * (np.exp(np.minimum(x, 0)) - 1))


def phi(x: Any) -> Any:
    """The normal distribution function."""
    return np.vectorize(lambda v: 0.5 * (1 + math.erf(v / math.sqrt(2))), otypes=[float])(x)


def gelu(x: Any, approximate: str) -> Any:
    return (
        x * phi(x) if approximate == "none" else 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    )


ONE = [(2, 3), (3,), (), (0, 3), (1,), (2, 1, 2), (1, 2, 2, 1)]
SPECIAL = (-inf, -100.0, -0.0, 0.0, 100.0, inf, nan)
free = None  # anything will do: PyTorch's vector and scalar loops differ


def pointwise(name: str, reference: Any, *settings: dict[str, Any], edges: Any = (), **more: Any) -> None:
    """A row of a module that acts on every element alone. `edges`: (settings, x …, y …, dy/dx …), and why PyTorch differs."""
    found = tuple(Edge((np.array(x),), y, (g,), given, *apart) for given, x, y, g, *apart in edges)
    row(name, reference, real, over(ONE, *settings or ({},)), edges=found, **more)


pointwise(
    "Sigmoid", sigma,
    edges=[
        ({}, SPECIAL, [0.0, 3.72007598e-44, 0.5, 0.5, 1.0, 1.0, nan], [0.0, 3.72007598e-44, 0.25, 0.25, 0.0, 0.0, nan]),
    ],
)  # fmt: skip
pointwise(
    "Tanh", lambda x: np.tanh(x),
    edges=[
        ({}, SPECIAL, [-1.0, -1.0, -0.0, 0.0, 1.0, 1.0, nan], [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, nan]),
    ],
)  # fmt: skip
pointwise(
    "LogSigmoid", lambda x: -softplus(-x),
    edges=[
        ({}, SPECIAL, [-inf, -100.0, -0.693147181, -0.693147181, -3.72007598e-44, 0.0, nan], [1.0, 1.0, 0.5, 0.5, 3.72007598e-44, 0.0, nan]),
    ],
)  # fmt: skip
pointwise(
    "Softsign", lambda x: x / (1 + np.abs(x)),
    edges=[
        ({}, SPECIAL, [nan, -0.99009901, -0.0, 0.0, 0.99009901, nan, nan], [0.0, 9.80296049e-05, 1.0, 1.0, 9.80296049e-05, 0.0, nan],
         "the limit, where PyTorch computes ∞/∞"),
    ],
)  # fmt: skip
pointwise(
    "Tanhshrink", lambda x: x - np.tanh(x),
    edges=[
        ({}, SPECIAL, [-inf, -99.0, 0.0, 0.0, 99.0, inf, nan], [1.0, 1.0, 0.0, 0.0, 1.0, 1.0, nan]),
    ],
)  # fmt: skip
pointwise(
    "ReLU", lambda x: np.maximum(x, 0),
    edges=[
        ({}, SPECIAL, [0.0, 0.0, -0.0, 0.0, 100.0, inf, nan], [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0]),
    ],
)  # fmt: skip
pointwise(
    "SiLU", lambda x: x * sigma(x),
    edges=[
        ({}, SPECIAL, [nan, -3.72007598e-42, -0.0, 0.0, 100.0, inf, nan], [nan, -3.68287522e-42, 0.5, 0.5, 1.0, nan, nan]),
    ],
)  # fmt: skip
pointwise(
    "Mish", lambda x: x * np.tanh(softplus(x)),
    edges=[
        ({}, SPECIAL, [nan, -3.72007598e-42, -0.0, 0.0, 100.0, inf, nan], [nan, -3.68287522e-42, 0.6, 0.6, 1.0, nan, nan]),
    ],
)  # fmt: skip
pointwise(
    "SELU", lambda x: 1.0507009873554805 * elu(x, 1.6732632423543772),
    edges=[
        ({}, SPECIAL, [-1.75809934, -1.75809934, -0.0, 0.0, 105.070099, inf, nan], [0.0, 6.54026312e-44, 1.75809934, 1.75809934, 1.05070099, 1.05070099, free]),
    ],
)  # fmt: skip
pointwise(
    "Hardsigmoid", lambda x: np.clip(x / 6 + 0.5, 0, 1), second=False, accuracy=1e-7,
    edges=[
        ({}, (*SPECIAL, -3.0, 3.0), [0.0, 0.0, 0.5, 0.5, 1.0, 1.0, nan, 0.0, 1.0], [0.0, 0.0, 0.166666672, 0.166666672, 0.0, 0.0, 0.0, 0.0, 0.0]),
    ],
)  # fmt: skip
pointwise(
    "Hardswish", lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    edges=[
        ({}, (*SPECIAL, -3.0, 3.0), [nan, -0.0, -0.0, 0.0, 100.0, inf, nan, -0.0, 3.0], [0.0, 0.0, 0.5, 0.5, 1.0, 1.0, free, 0.0, 1.0]),
    ],
)  # fmt: skip
pointwise(
    "Hardtanh", lambda x, min_val, max_val: np.clip(x, min_val, max_val), {}, {"min_val": -0.5, "max_val": 2.0},
    edges=[
        ({}, (*SPECIAL, -1.0, 1.0), [-1.0, -1.0, -0.0, 0.0, 1.0, 1.0, nan, -1.0, 1.0], [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, free, 0.0, 0.0]),
    ],
    wrong=(Wrong({"min_val": 2, "max_val": 1}, None, AssertionError, "max_val (1) must be greater than min_val (2)"),),
)  # fmt: skip
pointwise(
    "ReLU6", lambda x: np.clip(x, 0, 6),
    edges=[
        ({}, (*SPECIAL, 6.0), [0.0, 0.0, -0.0, 0.0, 6.0, 6.0, nan, 6.0], [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, free, 0.0]),
    ],
)  # fmt: skip
pointwise(
    "LeakyReLU", lambda x, negative_slope: np.where(x > 0, x, negative_slope * x), {}, {"negative_slope": 0.3}, {"negative_slope": -0.5},
    edges=[
        ({}, SPECIAL, [-inf, -1.0, -0.0, 0.0, 100.0, inf, nan], [0.01, 0.01, 0.01, 0.01, 1.0, 1.0, 0.01]),
        ({"negative_slope": 0.0}, SPECIAL, [nan, -0.0, -0.0, 0.0, 100.0, inf, nan], [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0]),
        ({"negative_slope": -0.5}, SPECIAL, [inf, 50.0, 0.0, -0.0, 100.0, inf, nan], [-0.5, -0.5, -0.5, -0.5, 1.0, 1.0, -0.5]),
    ],
)  # fmt: skip
pointwise(
    "ELU", elu, {}, {"alpha": 0.5}, {"alpha": -0.5},
    edges=[
        ({}, SPECIAL, [-1.0, -1.0, -0.0, 0.0, 100.0, inf, nan], [0.0, 3.72007598e-44, 1.0, 1.0, 1.0, 1.0, free]),
        ({"alpha": -0.5}, SPECIAL, [0.5, 0.5, -0.0, 0.0, 100.0, inf, nan], [-0.0, -1.86003799e-44, -0.5, -0.5, 1.0, 1.0, free]),
    ],
)  # fmt: skip
pointwise(
    "CELU", lambda x, alpha: np.where(x > 0, x, alpha * (np.exp(np.minimum(x, 0) / alpha) - 1)), {}, {"alpha": 2.0},
    wrong=(Wrong({"alpha": 0.0}, (np.zeros(3),), RuntimeError, "ZeroDivisionError: alpha cannot be 0 for CELU"),),
    edges=[
        ({}, SPECIAL, [-1.0, -1.0, -0.0, 0.0, 100.0, inf, nan], [0.0, 3.72007598e-44, 1.0, 1.0, 1.0, 1.0, free]),
        ({"alpha": -0.5}, SPECIAL, [-inf, -3.61298688e+86, -0.0, 0.0, 100.0, inf, nan], [inf, 7.22597377e+86, 1.0, 1.0, 1.0, 1.0, free]),
    ],
)  # fmt: skip
pointwise(
    "Threshold", lambda x, threshold, value: np.where(x > threshold, x, value), {"threshold": 0.1, "value": 20.0}, {"threshold": -1, "value": -1},
    edges=[
        ({"threshold": 0.5, "value": 7.0}, (*SPECIAL, 0.5), [7.0, 7.0, 7.0, 7.0, 100.0, inf, nan, 7.0], [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0]),
    ],
)  # fmt: skip
pointwise(
    "GELU", gelu, {}, {"approximate": "tanh"},
    wrong=(Wrong({"approximate": "no"}, (np.zeros(3),), RuntimeError, "approximate argument must be either none or tanh."),),
    edges=[
        ({}, SPECIAL, [nan, -0.0, -0.0, 0.0, 100.0, inf, nan], [nan, 0.0, 0.5, 0.5, 1.0, nan, nan]),
        ({"approximate": "tanh"}, SPECIAL, [nan, -0.0, -0.0, 0.0, 100.0, inf, nan], [0.0, 0.0, 0.5, 0.5, 1.0, 1.0, nan],
         "the limit, where PyTorch computes 0·∞"),
    ],
)  # fmt: skip
pointwise(
    "Softplus", lambda x, beta, threshold: np.where(beta * x > threshold, x, softplus(x, beta)), {}, {"beta": 2.0, "threshold": 1.5},
    edges=[
        ({}, (*SPECIAL, 20.0, 21.0), [0.0, 3.72007598e-44, 0.693147181, 0.693147181, 100.0, inf, nan, 20.0, 21.0], [0.0, 3.72007598e-44, 0.5, 0.5, 1.0, 1.0, nan, 0.999999998, 1.0]),
        ({"beta": 2.0, "threshold": 2.0}, (*SPECIAL, 1.0, 1.25), [0.0, 6.91948263e-88, 0.34657359, 0.34657359, 100.0, inf, nan, 1.06346401, 1.25], [0.0, 1.38389653e-87, 0.5, 0.5, 1.0, 1.0, nan, 0.880797078, 1.0]),
    ],
)  # fmt: skip
pointwise(
    "Hardshrink", lambda x, lambd: np.where(np.abs(x) > lambd, x, 0), {}, {"lambd": 1},
    edges=[
        ({}, (*SPECIAL, -0.5, 0.5), [-inf, -100.0, 0.0, 0.0, 100.0, inf, nan, 0.0, 0.0], [1.0, 1.0, 0.0, 0.0, 1.0, 1.0, free, 0.0, 0.0]),
        ({"lambd": 0.0}, SPECIAL, [-inf, -100.0, 0.0, 0.0, 100.0, inf, nan], [1.0, 1.0, 0.0, 0.0, 1.0, 1.0, free]),
        ({"lambd": -1.0}, (*SPECIAL, 1.0), [-inf, -100.0, -0.0, 0.0, 100.0, inf, nan, 1.0], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, free, 1.0]),
    ],
)  # fmt: skip
pointwise(
    "Softshrink", lambda x, lambd: np.sign(x) * np.maximum(np.abs(x) - lambd, 0), {}, {"lambd": 0.3},
    wrong=(Wrong({"lambd": -1.0}, (np.zeros(3),), RuntimeError, "lambda must be in range [0, 3.40282e+38] for input dtype Float, but found -1"),),
    edges=[
        ({}, (*SPECIAL, -0.5, 0.5), [-inf, -99.5, 0.0, 0.0, 99.5, inf, nan, 0.0, 0.0], [1.0, 1.0, 0.0, 0.0, 1.0, 1.0, free, 0.0, 0.0]),
        ({"lambd": 0.0}, SPECIAL, [-inf, -100.0, 0.0, 0.0, 100.0, inf, nan], [1.0, 1.0, 0.0, 0.0, 1.0, 1.0, free]),
    ],
)  # fmt: skip


# ------------------------------------------------------------------------------------------ activations, others
def softmax(x: Any, dim: int) -> Any:
    return np.exp(x) / np.exp(x).sum(dim, keepdims=True)


def glu(x: Any, dim: int) -> Any:
    a, b = np.split(x, 2, dim)
    return a * sigma(b)


def prelu(x: Any, weight: Any) -> Any:
    shape = [-1 if i == 1 and weight.size > 1 else 1 for i in range(x.ndim)]
    return np.where(x > 0, x, x * weight.reshape(shape))


HUGE = np.array([[1000.0, 0.0, -1000.0]])
FAR = Wrong({"dim": 2}, (np.zeros((2, 3)),), IndexError, "Dimension out of range (expected to be in range of [-2, 1], but got 2)")  # fmt: skip
AXES = [(2, 3), (3,), (0, 3), (2, 0), (1,), (2, 3, 2), (1, 2, 2, 1)]

row(
    "PReLU", prelu, real,
    [*over(ONE), *over([(2, 3), (4, 3), (0, 3), (2, 3, 2), (1, 3, 2, 1)], {"num_parameters": 3}, {"init": -0.5})],
    edges=[
        Edge((np.array(SPECIAL),), [-inf, -25.0, -0.0, 0.0, 100.0, inf, nan], ([0.25, 0.25, 0.25, 0.25, 1.0, 1.0, 0.25],)),
    ],
    wrong=[
        Wrong({"num_parameters": 3}, (np.zeros((2, 4)),), RuntimeError, "Mismatch of parameter numbers and input channel size. Found parameter numbers = 3 and channel size = 4."),
        Wrong({}, (np.zeros(3, np.float16),), RuntimeError, "prelu: Type promoting not supported. Got Half and Float"),
        Wrong({"num_parameters": 3}, (np.zeros(3),), RuntimeError, "Mismatch of parameter numbers and input channel size. Found parameter numbers = 3 and channel size = 1."),
    ],
)  # fmt: skip
row(
    "Softmax", softmax, real, over(AXES, {"dim": -1}, {"dim": 0}, {"dim": 1}),
    edges=[
        Edge((HUGE,), [[1.0, 0.0, 0.0]], ([[0.0, 0.0, 0.0]],), {"dim": 1}),
        Edge((np.array([-inf, 0.0]),), [0.0, 1.0], ([0.0, 0.0],), {"dim": 0}),
        Edge((np.array([-inf, -inf]),), [nan, nan], ([nan, nan],), {"dim": 0}),
        Edge((np.array([inf, 0.0]),), [nan, nan], ([nan, nan],), {"dim": 0}),
        Edge((np.array(3.0),), 1.0, (0.0,), {"dim": 0}),
    ],
    wrong=[FAR],
)  # fmt: skip
row("Softmin", lambda x, dim: softmax(-x, dim), real, over(AXES, {"dim": -1}, {"dim": 0}),
    edges=[Edge((HUGE,), [[0.0, 0.0, 1.0]], ([[0.0, 0.0, 0.0]],), {"dim": 1})], wrong=[FAR])  # fmt: skip
row(
    "LogSoftmax", lambda x, dim: np.log(softmax(x, dim)), real, over(AXES, {"dim": -1}, {"dim": 0}, {"dim": 1}),
    edges=[
        Edge((HUGE,), [[0.0, -1000.0, -2000.0]], ([[-2.0, 1.0, 1.0]],), {"dim": 1}),
        Edge((np.array([-inf, 0.0]),), [-inf, 0.0], ([1.0, -1.0],), {"dim": 0}),
        Edge((np.array(3.0),), 0.0, (0.0,), {"dim": 0}),
    ],
    wrong=[FAR],
)  # fmt: skip
row(
    "Softmax2d", lambda x: softmax(x, -3), real, over([(2, 3, 2, 2), (3, 2, 2), (0, 3, 2, 2), (1, 1, 1, 1)]),
    wrong=[Wrong({}, (np.zeros((2, 3)),), ValueError, "Softmax2d: expected input to be 3D or 4D, got 2D instead")],
)  # fmt: skip
row(
    "GLU", glu, real, over([(2, 4), (4,), (0, 4), (2, 3, 2), (1, 1, 1, 2)], {}, {"dim": 0}),
    wrong=[
        Wrong({}, (np.zeros((2, 3)),), RuntimeError, "Halving dimension must be even, but dimension 1 is size 3"),
        Wrong({}, (np.zeros(()),), RuntimeError, "glu does not support scalars because halving size must be even"),
        Wrong({"dim": 2}, (np.zeros((2, 3)),), IndexError, "Dimension out of range (expected to be in range of [-2, 1], but got 2)"),
    ],
)  # fmt: skip


# ------------------------------------------------------------------------------------------ linear maps, shapes
def linear(x: Any, weight: Any, bias: Any) -> Any:
    return np.einsum("...i,oi->...o", x, weight) + (bias if isinstance(bias, np.ndarray) else 0)


def bilinear(a: Any, b: Any, weight: Any, bias: Any) -> Any:
    return np.einsum("...i,oij,...j->...o", a, weight, b) + (bias if isinstance(bias, np.ndarray) else 0)


def flatten(x: Any, start_dim: int, end_dim: int) -> Any:
    if x.ndim == 0:
        return x.reshape(1)
    first, last = start_dim % x.ndim, end_dim % x.ndim
    return x.reshape(*x.shape[:first], math.prod(x.shape[first : last + 1]), *x.shape[last + 1 :])


def unflatten(x: Any, dim: int, unflattened_size: Any) -> Any:
    return x.reshape(*x.shape[: dim % x.ndim], *unflattened_size, *x.shape[dim % x.ndim + 1 :])


row("Identity", lambda x: x, real, over(ONE, {}, {"args": (3,)}))
row(
    "Linear", linear, real,
    over([(4, 3), (3,), (2, 2, 3), (1, 2, 1, 3), (0, 3), (2, 0, 3), (1, 3)], {"in_features": 3, "out_features": 2},
         {"in_features": 3, "out_features": 1, "bias": False}),
    bound=lambda given: given["in_features"] ** -0.5,
    edges=[Edge((np.full((1, 3), nan),), [[nan, nan]], settings={"in_features": 3, "out_features": 2})],
    wrong=[
        Wrong({"in_features": 3, "out_features": 2}, (np.zeros((5, 4)),), RuntimeError, "mat1 and mat2 shapes cannot be multiplied (5x4 and 3x2)"),
        Wrong({"in_features": 3, "out_features": 2}, (np.zeros((5, 2, 4)),), RuntimeError, "mat1 and mat2 shapes cannot be multiplied (10x4 and 3x2)"),
        Wrong({"in_features": 3, "out_features": 2}, (np.zeros((5, 3), np.float16),), RuntimeError, "mat1 and mat2 must have the same dtype, but got Half and Float"),
        Wrong({"in_features": 3, "out_features": 2}, (np.zeros((5, 3), int),), RuntimeError, "mat1 and mat2 must have the same dtype, but got Long and Float"),
    ],
)  # fmt: skip
row(
    "Bilinear", bilinear, real,
    over([((4, 2), (4, 3)), ((2,), (3,)), ((2, 2, 2), (2, 2, 3)), ((0, 2), (0, 3)), ((1, 2), (1, 3))],
         {"in1_features": 2, "in2_features": 3, "out_features": 2},
         {"in1_features": 2, "in2_features": 3, "out_features": 1, "bias": False}),
    bound=lambda given: given["in1_features"] ** -0.5,
    wrong=[
        Wrong({"in1_features": 0, "in2_features": 1, "out_features": 1}, None, ValueError, "in1_features must be > 0, but got (in1_features=0)"),
        Wrong({"in1_features": 2, "in2_features": 3, "out_features": 1}, (np.zeros((4, 2)), np.zeros((5, 3))), RuntimeError, "bilinear(): input batch dimensions do not match at dim 0: got 4 and 5"),
        Wrong({"in1_features": 2, "in2_features": 3, "out_features": 1}, (np.zeros((4, 3)), np.zeros((4, 3))), RuntimeError, "bilinear(): input1 size does not match weight size: got 3 but expected 2"),
        Wrong({"in1_features": 2, "in2_features": 3, "out_features": 1}, (np.zeros((4, 2)), np.zeros((4, 2))), RuntimeError, "bilinear(): input2 size does not match weight size: got 2 but expected 3"),
    ],
)  # fmt: skip
row(
    "Flatten", flatten, real,
    over([(2, 3, 2), (2, 3), (0, 3, 2), (2, 0, 2), (1, 1), (2, 1, 2, 2)], {}, {"start_dim": 0}, {"start_dim": 0, "end_dim": 1},
         {"start_dim": -2}),
    edges=[Edge((np.array(3.0),), [3.0], (1.0,), {"start_dim": 0})],
    wrong=[
        Wrong({}, (np.zeros(3),), IndexError, "Dimension out of range (expected to be in range of [-1, 0], but got 1)"),
        Wrong({"start_dim": 2, "end_dim": 1}, (np.zeros((2, 3, 2)),), RuntimeError, "flatten() has invalid args: start_dim cannot come after end_dim"),
    ],
)  # fmt: skip
row(
    "Unflatten", unflatten, real,
    [*over([(3, 4), (0, 4), (1, 4), (2, 4, 2)], {"dim": 1, "unflattened_size": (2, 2)}, {"dim": -1, "unflattened_size": [4, 1]})],
    wrong=[
        Wrong({"dim": 1, "unflattened_size": 3}, None, TypeError, "unflattened_size must be a tuple of ints, but found type int"),
        Wrong({"dim": 1, "unflattened_size": (2, "b")}, None, TypeError, "unflattened_size must be tuple of ints, but found element of type str at pos 1"),
        Wrong({"dim": 1, "unflattened_size": (2, 3)}, (np.zeros((3, 4)),), RuntimeError, "unflatten: Provided sizes [2, 3] don't multiply up to the size of dim 1 (4) in the input tensor"),
    ],
)  # fmt: skip


# ------------------------------------------------------------------------------------------ dropout
SHAPES1, SHAPES2, SHAPES3 = [(2, 3, 2), (3, 2), (0, 3, 2), (1, 1, 1)], [(2, 3, 2, 2), (3, 2, 1), (0, 3, 2, 2), (1, 1, 1, 1)], [(2, 3, 2, 1, 2), (3, 2, 1, 1), (0, 3, 2, 2, 1), (1, 1, 1, 1, 1)]  # fmt: skip
RANK1 = Wrong({}, (np.zeros(3),), RuntimeError, "dropout1d: Expected 2D or 3D input, but received a 1D input. Note that dropout1d exists to provide channel-wise dropout on inputs with 1 spatial dimension, a channel dimension, and an optional batch dimension (i.e. 2D or 3D inputs).")  # fmt: skip
UNLIKELY = Wrong({"p": 1.5}, None, ValueError, "dropout probability has to be between 0 and 1, but got 1.5")
for name, shapes, draws in (
    ("Dropout", ONE, lambda ndim: ndim), ("Dropout1d", SHAPES1, lambda ndim: ndim - 1),
    ("Dropout2d", SHAPES2, lambda ndim: 2), ("Dropout3d", SHAPES3, lambda ndim: ndim - 3),
):  # fmt: skip
    row(
        name, lambda x: x, real, over(shapes, {}, {"p": 0.2}, {"p": 0.0}, {"p": 1.0}),
        random=True, draws=draws, warns=name == "Dropout2d", wrong=[UNLIKELY, RANK1] if name == "Dropout1d" else [UNLIKELY],
    )  # fmt: skip


# ------------------------------------------------------------------------------------------ losses of pairs
def huber(x: Any, t: Any, reduction: str, delta: float) -> Any:
    d = np.abs(x - t)
    return reduce(np.where(d < delta, d * d / 2, delta * (d - delta / 2)), reduction)


def smooth_l1(x: Any, t: Any, reduction: str, beta: float) -> Any:
    d = np.abs(x - t)
    return reduce(np.where(d < beta, d * d / (2 * beta) if beta else d, d - beta / 2), reduction)


def bce(x: Any, t: Any, reduction: str, weight: Any) -> Any:
    each = -(t * np.maximum(np.log(x), -100) + (1 - t) * np.maximum(np.log(1 - x), -100))
    return reduce(each if weight is None else each * weight, reduction)


def bce_with_logits(x: Any, t: Any, reduction: str, weight: Any, pos_weight: Any) -> Any:
    each = (1 if pos_weight is None else pos_weight) * t * softplus(-x) + (1 - t) * softplus(x)
    return reduce(each if weight is None else each * weight, reduction)


def kl_div(x: Any, t: Any, reduction: str, log_target: bool) -> Any:
    each = np.exp(t) * (t - x) if log_target else np.where(t > 0, t * np.log(np.where(t > 0, t, 1)), 0) - t * x
    return np.sum(each) / len(x) if reduction == "batchmean" else reduce(each, reduction)


def poisson(x: Any, t: Any, reduction: str, log_input: bool, full: bool, eps: float) -> Any:
    each = np.exp(x) - t * x if log_input else x - t * np.log(x + eps)
    safe = np.maximum(t, 1)
    stirling = np.where(t > 1, safe * np.log(safe) - safe + np.log(2 * np.pi * safe) / 2, 0)
    return reduce(each + stirling if full else each, reduction)


def gaussian(x: Any, t: Any, var: Any, reduction: str, full: bool, eps: float) -> Any:
    v = np.maximum(var if var.ndim == x.ndim else var[..., None], eps)
    each = (np.log(v) + (x - t) ** 2 / v) / 2
    return reduce(each + np.log(2 * np.pi) / 2 if full else each, reduction)


SAME = [(2, 3), (3,), (), (0, 3), (1,), (2, 1, 2)]
WEIGHT = np.array([1.0, 0.5, 3.0])
BADLY = Wrong({"reduction": "max"}, (np.zeros(3), np.zeros(3)), ValueError, "max is not a valid value for reduction")
APART = Wrong({}, (np.zeros((2, 3)), np.zeros((2, 4))), RuntimeError, "The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 1")  # fmt: skip
UNEQUAL = np.array([1.0, 2.0]), np.array([1.0, 0.0])

row(
    "MSELoss", lambda x, t, reduction: reduce((x - t) ** 2, reduction), real, reduced(SAME),
    edges=[
        Edge((np.zeros(0), np.zeros(0)), nan, (np.zeros(0), np.zeros(0))),
        Edge((np.array([inf, 1e200]), np.zeros(2)), inf, ([inf, 1e200], [-inf, -1e200])),
    ],
    wrong=[BADLY, APART],
)  # fmt: skip
row(
    "L1Loss", lambda x, t, reduction: reduce(np.abs(x - t), reduction), real, reduced(SAME),
    edges=[Edge(UNEQUAL, 2.0, ([0.0, 1.0], [0.0, -1.0]), {"reduction": "sum"})], wrong=[BADLY, APART],
)  # fmt: skip
row(
    "SmoothL1Loss", smooth_l1, real, reduced(SAME, {}, {"beta": 0.7}, {"beta": 0.0}),
    edges=[
        Edge((np.array([0.0, 1.0, -1.0, 3.0]), np.zeros(4)), 3.5, ([0.0, 1.0, -1.0, 1.0], [0.0, -1.0, 1.0, -1.0]), {"reduction": "sum"}),
        Edge(UNEQUAL, 2.0, ([0.0, 1.0], [0.0, -1.0]), {"reduction": "sum", "beta": 0.0}),
    ],
    wrong=[BADLY, APART, Wrong({"beta": -1.0}, (np.zeros(3), np.zeros(3)), RuntimeError, "smooth_l1_loss does not support negative values for beta.")],
)  # fmt: skip
row(
    "HuberLoss", huber, real, reduced(SAME, {}, {"delta": 0.7}),
    edges=[Edge((np.array([0.0, 1.0, -1.0, 3.0]), np.zeros(4)), 3.5, ([0.0, 1.0, -1.0, 1.0], [0.0, -1.0, 1.0, -1.0]), {"reduction": "sum"})],
    wrong=[BADLY, APART, Wrong({"delta": 0.0}, (np.zeros(3), np.zeros(3)), RuntimeError, "huber_loss does not support non-positive values for delta.")],
)  # fmt: skip
row(
    "BCELoss", bce, unit, reduced(SAME, {}, {"weight": WEIGHT}),
    edges=[
        Edge((np.array([0.0, 1.0, 0.5]), np.array([1.0, 0.0, 0.5])), [100.0, 100.0, 0.693147181], settings={"reduction": "none"}),
    ],
    wrong=[
        BADLY,
        Wrong({}, (np.zeros((2, 3)), np.zeros((2, 4))), ValueError, "Using a target size (torch.Size([2, 4])) that is different to the input size (torch.Size([2, 3])) is deprecated. Please ensure they have the same size."),
        Wrong({}, (np.array([1.5]), np.array([1.0])), RuntimeError, "all elements of input should be between 0 and 1"),
        Wrong({}, (np.array([nan]), np.array([1.0])), RuntimeError, "all elements of input should be between 0 and 1"),
        Wrong({}, (np.array([0.5]), np.array([1])), RuntimeError, "Found dtype Long but expected Float"),
    ],
)  # fmt: skip
row(
    "BCEWithLogitsLoss", bce_with_logits, (real, unit),
    reduced(SAME, {}, {"weight": WEIGHT}, {"pos_weight": WEIGHT}, {"weight": WEIGHT, "pos_weight": WEIGHT}),
    edges=[
        Edge((np.array([1000.0, -1000.0, 0.0]), np.array([0.0, 1.0, 0.5])), [1000.0, 1000.0, 0.693147181], ([1.0, -1.0, 0.0],), {"reduction": "none"}),
    ],
    wrong=[
        BADLY,
        Wrong({}, (np.zeros((2, 3)), np.zeros((2, 4))), ValueError, "Target size (torch.Size([2, 4])) must be the same as input size (torch.Size([2, 3]))"),
        Wrong({}, (np.array([1.0]), np.array([1])), RuntimeError, "result type Float can't be cast to the desired output type Long"),
    ],
)  # fmt: skip
row(
    "KLDivLoss", kl_div, (real, unit),
    [*reduced(SAME, {}, {"log_target": True}), *over([((2, 3), (2, 3)), ((3,), (3,))], {"reduction": "batchmean"})],
    edges=[Edge((np.array([-1.0, -2.0]), np.array([0.0, 1.0])), [0.0, 2.0], ([0.0, -1.0], [free, 3.0]), {"reduction": "none"})],
    wrong=[BADLY], warns=True,
)  # fmt: skip
row(
    "PoissonNLLLoss", poisson, (real, counts),
    [*reduced(SAME, {}, {"full": True}),
     *(Case(((2, 3), (2, 3)), given, (positive, counts)) for given in ({"log_input": False}, {"log_input": False, "eps": 0.5}))],
    edges=[Edge((np.array([0.0]), np.array([1.0])), 18.420680744, ([-1e8],), {"log_input": False, "reduction": "sum"})],
    wrong=[BADLY], constant=(1,),
)  # fmt: skip
row(
    "GaussianNLLLoss", gaussian, (real, real, positive),
    [case(s, s, v, **given) for s, v in (((2, 3), (2, 3)), ((3,), (3,)), ((2, 3), (2,)), ((2, 3), (2, 1)), ((0, 3), (0, 3)), ((1,), (1,)))
     for given in ({}, {"full": True}, {"reduction": "none"}, {"reduction": "sum", "eps": 0.1})],
    edges=[Edge((np.array([1.0]), np.array([0.0]), np.array([0.0])), [499993.092244721], ([1e6], [-1e6], [-499999500000.0]), {"reduction": "none"})],
    wrong=[
        Wrong({"reduction": "max"}, (np.zeros(3), np.zeros(3), np.ones(3)), ValueError, "max is not valid"),
        Wrong({}, (np.zeros(3), np.zeros(3), -np.ones(3)), ValueError, "var has negative entry/entries"),
        Wrong({}, (np.zeros(3), np.zeros(3), np.ones(2)), ValueError, "var is of incorrect size"),
    ],
)  # fmt: skip


# ------------------------------------------------------------------------------------------ losses of classes
def cross_entropy(x: Any, t: Any, reduction: str, weight: Any, ignore_index: int, label_smoothing: float) -> Any:
    """Over all cases: the target as probabilities, times the weights, times -ln softmax."""
    axis = min(1, x.ndim - 1)
    x = np.moveaxis(x, axis, -1)
    logp = np.log(softmax(x, -1))
    n = x.shape[-1]
    w = np.ones(n) if weight is None else weight
    if t.dtype.kind == "f":
        p = np.moveaxis(t, axis, -1) * (1 - label_smoothing) + label_smoothing / n
        each = -(w * p * logp).sum(-1)
        return reduce(each, reduction)
    seen = t != ignore_index
    p = np.eye(n)[np.where(seen, t, 0)] * (1 - label_smoothing) + label_smoothing / n
    each = np.where(seen, -(w * p * logp).sum(-1), 0)
    return np.sum(each) / np.sum(w[t[seen]]) if reduction == "mean" else reduce(each, reduction)


def nll(x: Any, t: Any, reduction: str, weight: Any, ignore_index: int) -> Any:
    x = np.moveaxis(x, min(1, x.ndim - 1), -1)
    w = np.ones(x.shape[-1]) if weight is None else weight
    seen = t != ignore_index
    safe = np.where(seen, t, 0)
    each = np.where(seen, -w[safe] * np.take_along_axis(x, safe[..., None], -1)[..., 0], 0)
    return np.sum(each) / np.sum(w[t[seen]]) if reduction == "mean" else reduce(each, reduction)


THREE = [((4, 3), (4,)), ((3,), ()), ((0, 3), (0,)), ((1, 3), (1,)), ((2, 3, 2), (2, 2)), ((1, 3, 2, 1), (1, 2, 1))]
LOGITS, NAMES = np.zeros((3, 4)), np.array([1, 0, 3])
MISNAMED = [
    Wrong({"reduction": "max"}, (LOGITS, NAMES), ValueError, "max is not a valid value for reduction"),
    Wrong({}, (LOGITS, np.array([1, 0, 4])), IndexError, "Target 4 is out of bounds."),
    Wrong({}, (LOGITS, np.array([1, 0, -1])), IndexError, "Target -1 is out of bounds."),
    Wrong({}, (LOGITS, np.array([1, 0])), ValueError, "Expected input batch_size (3) to match target batch_size (2)."),
    Wrong({}, (LOGITS, np.array([1.0, 0.0, 2.0])), RuntimeError, "expected target dtype to be Long or Byte, but got Float"),
    Wrong({}, (LOGITS, np.array([1, 0, 2], np.int32)), RuntimeError, "expected target dtype to be Long or Byte, but got Int"),
    Wrong({}, (LOGITS, np.zeros((3, 2), int)), RuntimeError, "0D or 1D target tensor expected, multi-target not supported"),
    Wrong({"weight": WEIGHT}, (LOGITS, NAMES), RuntimeError, "weight tensor should be defined either for all 4 classes or no classes but got weight tensor of shape: [3]"),
]  # fmt: skip
GIVEN = [{}, {"weight": WEIGHT}, {"ignore_index": 1}, {"ignore_index": 1, "weight": WEIGHT}]

row(
    "CrossEntropyLoss", cross_entropy, (real, classes(3, 1)),
    [*reduced(THREE, *GIVEN, {"label_smoothing": 0.2}, {"label_smoothing": 0.2, "weight": WEIGHT, "ignore_index": 1}, {"label_smoothing": 1.0}),
     *(Case((s, s), given, (real, unit)) for s in ((4, 3), (3,), (0, 3), (2, 3, 2))
       for given in ({}, {"weight": WEIGHT}, {"label_smoothing": 0.2, "reduction": "sum"}, {"reduction": "none"}))],
    edges=[
        Edge((np.array([[1000.0, -1000.0, 0.0]]), np.array([1])), 2000.0, ([[1.0, -1.0, 0.0]],)),
        Edge((np.zeros((2, 3)), np.array([-100, -100])), nan, (free,)),
        Edge((np.zeros((2, 3)), np.array([-100, -100])), 0.0, (np.zeros((2, 3)),), {"reduction": "sum"}),
        Edge((np.array([-inf, 0.0]), np.array(0)), inf, ([-1.0, 1.0],)),
        Edge((np.zeros((0, 3)), np.zeros(0, int)), nan, (np.zeros((0, 3)),)),
    ],
    wrong=[
        *MISNAMED,
        Wrong({}, (LOGITS, np.zeros((3, 4), int)), RuntimeError, "Expected floating point type for target with class probabilities, got Long"),
        Wrong({"ignore_index": 1}, (LOGITS, LOGITS), RuntimeError, "ignore_index is not supported for floating point target"),
        Wrong({"label_smoothing": 1.5}, (LOGITS, NAMES), RuntimeError, "label_smoothing must be between 0.0 and 1.0. Got: 1.5"),
    ],
)  # fmt: skip
row(
    "NLLLoss", nll, (real, classes(3, 1)), reduced(THREE, *GIVEN),
    edges=[
        Edge((np.zeros((2, 3)), np.array([-100, -100])), nan, (free,)),
        Edge((np.zeros((2, 3)), np.array([-100, -100])), 0.0, (np.zeros((2, 3)),), {"reduction": "sum"}),
        Edge((np.array([[inf, -inf]]), np.array([1])), inf, ([[0.0, -1.0]],)),
    ],
    wrong=MISNAMED,
)  # fmt: skip


# ------------------------------------------------------------------------------------------ losses of vectors
def norm(x: Any, p: float) -> Any:
    return np.max(np.abs(x), -1) if p == inf else np.sum(np.abs(x) ** p, -1) ** (1 / p)


def hinge(x: Any, t: Any, margin: float, reduction: str) -> Any:
    return reduce(np.where(t == 1, x, np.maximum(0, margin - x)), reduction)


def cosine(a: Any, b: Any, dim: int, eps: float) -> Any:
    lengths = [np.maximum(np.sqrt((x * x).sum(dim)), eps) for x in (a, b)]
    return (a * b).sum(dim) / lengths[0] / lengths[1]


def cosine_embedding(a: Any, b: Any, t: Any, margin: float, reduction: str) -> Any:
    c = cosine(a, b, -1, 0.0)
    return reduce(np.where(t == 1, 1 - c, np.maximum(0, c - margin)), reduction)


def triplet(a: Any, b: Any, c: Any, margin: float, p: float, eps: float, swap: bool, reduction: str) -> Any:
    near, far = norm(a - b + eps, p), norm(a - c + eps, p)
    far = np.minimum(far, norm(b - c + eps, p)) if swap else far
    return reduce(np.maximum(0, near - far + margin), reduction)


def distance(a: Any, b: Any, p: float, eps: float, keepdim: bool) -> Any:
    found = norm(a - b + eps, p)
    return found[..., None] if keepdim else found


VECTORS = [((4, 3), (4, 3), (4,)), ((3,), (3,), ()), ((0, 3), (0, 3), (0,)), ((1, 2), (1, 2), (1,))]
TRIPLES = [((4, 3),) * 3, ((3,),) * 3, ((0, 3),) * 3, ((1, 1),) * 3, ((2, 2, 3),) * 3]
MARGIN = [{}, {"margin": 0.4}]

row(
    "SoftMarginLoss", lambda x, t, reduction: reduce(softplus(-t * x), reduction), (real, sign), reduced(SAME),
    edges=[Edge((np.array([1000.0, -1000.0, 0.0]), np.array([-1.0, 1.0, 1.0])), [1000.0, 1000.0, 0.693147181], ([1.0, -1.0, -0.5],), {"reduction": "none"},
                "PyTorch's exp overflows")],
    wrong=[BADLY], constant=(1,),
)  # fmt: skip
row(
    "HingeEmbeddingLoss", hinge, (real, sign), reduced(SAME, *MARGIN),
    edges=[Edge((np.array([1.0, 1.0, 2.0]), np.array([-1.0, 1.0, -1.0])), [0.0, 1.0, 0.0], ([-1.0, 1.0, 0.0],), {"reduction": "none"})],
    wrong=[BADLY], constant=(1,),
)  # fmt: skip
row(
    "MarginRankingLoss", lambda a, b, t, margin, reduction: reduce(np.maximum(0, -t * (a - b) + margin), reduction),
    (real, real, sign), reduced([(s,) * 3 for s in SAME], *MARGIN),
    edges=[Edge((np.array([1.0, 1.0]), np.array([1.0, 0.0]), np.array([1.0, 1.0])), [0.0, 0.0], ([-1.0, 0.0], [1.0, 0.0]), {"reduction": "none"})],
    wrong=[
        Wrong({"reduction": "max"}, (np.zeros(3),) * 3, ValueError, "max is not a valid value for reduction"),
        Wrong({}, (np.zeros(3), np.zeros((3, 1)), np.zeros(3)), RuntimeError, "margin_ranking_loss : All input tensors should have same dimension but got sizes: input1: torch.Size([3]), input2: torch.Size([3, 1]), target: torch.Size([3]) "),
    ],
    constant=(2,),
)  # fmt: skip
row(
    "CosineEmbeddingLoss", cosine_embedding, (real, real, sign), reduced(VECTORS, *MARGIN), constant=(2,),
    wrong=[Wrong({"reduction": "max"}, (np.ones((2, 3)), np.ones((2, 3)), np.ones(2)), ValueError, "max is not a valid value for reduction")],
)  # fmt: skip
row(
    "TripletMarginLoss", triplet, real, reduced(TRIPLES, {}, {"swap": True}, {"p": 1.0, "margin": 0.3}, {"eps": 0.1}),
    wrong=[
        Wrong({"margin": 0.0}, None, ValueError, "TripletMarginLoss: expected margin to be greater than 0, got 0.0 instead"),
        Wrong({"reduction": "max"}, (np.ones((2, 3)),) * 3, ValueError, "max is not a valid value for reduction"),
    ],
)  # fmt: skip
row(
    "CosineSimilarity", cosine, real,
    over([((2, 3), (2, 3)), ((0, 3), (0, 3)), ((2, 3, 2), (2, 3, 2)), ((1, 1), (1, 1)), ((2, 3), (1, 3))], {}, {"dim": 0})
    + [Case(((2, 3), (2, 3)), {"eps": 10.0}, apart="below ε the length is constant; PyTorch lets its gradient through")],
    edges=[Edge((np.zeros((1, 2)), np.ones((1, 2))), [0.0])],
    wrong=[Wrong({}, (np.ones((2, 3)), np.ones((2, 4))), RuntimeError, "The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 1")],
)  # fmt: skip
row(
    "PairwiseDistance", distance, real,
    over([((2, 3), (2, 3)), ((3,), (3,)), ((0, 3), (0, 3)), ((2, 2, 3), (2, 2, 3)), ((1, 1), (1, 1)), ((2, 3), (3,))],
         {}, {"p": 1.0}, {"p": 3.0}, {"p": inf}, {"eps": 0.5}, {"keepdim": True}),
    edges=[Edge((np.ones((1, 2)), np.ones((1, 2))), [0.0], ([[0.0, 0.0]], [[0.0, 0.0]]), {"eps": 0.0})],
    wrong=[Wrong({}, (np.ones((2, 3)), np.ones((2, 4))), RuntimeError, "The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 1")],
)  # fmt: skip


# ------------------------------------------------------------------------------------------ containers
def layer(*shape: int) -> Any:
    return lambda torch: torch.nn.Linear(*shape)


def tanh(torch: Any) -> Any:
    return torch.nn.Tanh()


def chained(x: Any, state: Any) -> Any:
    return np.tanh(linear(x, state["0.weight"], state["0.bias"]))


UNCALLED: tuple[Shape, ...] = ()
row(
    "Sequential", chained, real, over([(4, 3), (3,), (0, 3), (1, 3)], {"args": (layer(3, 2), tanh)}),
    wrong=[
        Wrong({"args": (3,)}, None, TypeError, "int is not a Module subclass"),
        Wrong({"args": (layer(3, 2), tanh)}, (np.zeros((5, 4)),), RuntimeError, "mat1 and mat2 shapes cannot be multiplied (5x4 and 3x2)"),
    ],
)  # fmt: skip
row(
    "ModuleList", None, real, [Case(UNCALLED, {"modules": (layer(3, 2), tanh, tanh)}), Case(UNCALLED)],
    wrong=[
        Wrong({"modules": (3,)}, None, TypeError, "int is not a Module subclass"),
        Wrong({}, (np.zeros(3),), NotImplementedError, 'Module [ModuleList] is missing the required "forward" function'),
    ],
)  # fmt: skip
row(
    "ModuleDict", None, real, [Case(UNCALLED, {"modules": {"a": layer(3, 2), "b": tanh}}), Case(UNCALLED)],
    wrong=[
        Wrong({"modules": {"a": 3}}, None, TypeError, "int is not a Module subclass"),
        Wrong({"modules": {"a.b": tanh}}, None, KeyError, 'module name can\'t contain ".", got: a.b'),
        Wrong({"modules": 3}, None, TypeError, "ModuleDict.update should be called with an iterable of key/value pairs, but got int"),
        Wrong({}, (np.zeros(3),), NotImplementedError, 'Module [ModuleDict] is missing the required "forward" function'),
    ],
)  # fmt: skip
row(
    "ParameterList", None, real, [Case(UNCALLED, {"values": (WEIGHT, np.ones((2, 1)), 3)}), Case(UNCALLED)],
    wrong=[Wrong({}, (np.zeros(3),), RuntimeError, "ParameterList should not be called.")],
)  # fmt: skip
row(
    "ParameterDict", None, real, [Case(UNCALLED, {"parameters": {"a": WEIGHT, "b": np.ones((2, 1)), "c": 3}}), Case(UNCALLED)],
    wrong=[
        Wrong({"parameters": {3: WEIGHT}}, None, TypeError, "Index given to ParameterDict cannot be used as a key as it is not a string (type is 'int'). Open an issue on github if you need non-string keys."),
        Wrong({}, (np.zeros(3),), RuntimeError, "ParameterDict should not be called."),
    ],
)  # fmt: skip
