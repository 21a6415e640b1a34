"""Activations: element by element, and along one axis."""

# fmt: off
from __future__ import annotations

import math
import warnings

import numpy as np

from tinygrad_pt import dtypes, ops
from tinygrad_pt import functions as F
from tinygrad_pt import random as streams
from tinygrad_pt.autograd.saved import mark_flat
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions import relu_, sigmoid, tanh
from tinygrad_pt.functions.arguments import axis_from, expect_tensor
from tinygrad_pt.functions.binding import in_place
from tinygrad_pt.functions.checks import unsupported
from tinygrad_pt.functions.pointwise import BOOL_SUB
from tinygrad_pt.half import in_float32
from tinygrad_pt.nn.functional.check import as_integer, expect_number, floating_only, only_tensors, spoken, written
from tinygrad_pt.ops import special
from tinygrad_pt.tensor import Tensor

__all__ = [
    "celu", "celu_", "elu", "elu_", "gelu", "glu", "gumbel_softmax", "hardshrink", "hardsigmoid", "hardswish",
    "hardtanh", "hardtanh_", "leaky_relu", "leaky_relu_", "log_softmax", "logsigmoid", "mish", "prelu", "relu",
    "relu6", "relu_", "rrelu", "rrelu_", "selu", "selu_", "sigmoid", "silu", "softmax", "softmin", "softplus",
    "softshrink", "softsign", "tanh", "tanhshrink", "threshold", "threshold_",
]  # fmt: skip


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(x, 0), with slope 0 at 0; see `nn.ReLU`.

    >>> torch.nn.functional.relu(torch.tensor([-4.0, -0.5, 0.0, 2.0]))
    tensor([0., 0., 0., 2.])
    """
    if inplace:
        return relu_(input)
    if not isinstance(input, Tensor) or input.array.dtype == bool:
        return F.relu(input)  # which refuses it
    return ops.relu(input)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(x, 0), 6); see `nn.ReLU6`.

    >>> torch.nn.functional.relu6(torch.tensor([-4.0, -0.5, 0.0, 2.0]))
    tensor([0., 0., 0., 2.])
    """
    return hardtanh(input, 0.0, 6.0, inplace)


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """x cut to [min_val, max_val]; the slope at the bounds is 0 (that of clamp is 1); see `nn.Hardtanh`.

    >>> torch.nn.functional.hardtanh(torch.tensor([-4.0, -0.5, 0.0, 2.0]))
    tensor([-1.0000, -0.5000,  0.0000,  1.0000])
    """
    kind = expect_tensor(input, "hardtanh").array.dtype.kind
    if kind == "b":
        raise refuse(RuntimeError, "Bool inputs not supported for hardtanh", "hardtanh", input)
    if kind in "iu":
        min_val, max_val = as_integer(min_val, "hardtanh"), as_integer(max_val, "hardtanh")
    else:
        expect_number(min_val, "hardtanh", "min_val")
        expect_number(max_val, "hardtanh", "max_val")
    if min_val > max_val:
        raise refuse(ValueError, "min_val cannot be greater than max_val", "hardtanh", input, min_val, max_val)
    return written(lambda x: _cut(x, min_val, max_val), input, inplace)


def _cut(x: Tensor, low: float, high: float) -> Tensor:
    """x cut to [low, high], with slope 0 at the bounds."""
    inside = ops.logical_and(ops.gt(x, low), ops.lt(x, high))
    return mark_flat(ops.where(inside, x, F.clamp(x, low, high).detach()))


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x where x > 0, else negative_slope · x; see `nn.LeakyReLU`.

    >>> torch.nn.functional.leaky_relu(torch.tensor([-4.0, -0.5, 0.0, 2.0]))
    tensor([-0.0400, -0.0050,  0.0000,  2.0000])
    """
    floating_only(input, "leaky_relu", "leaky_relu_cpu")
    expect_number(negative_slope, "leaky_relu", "negative_slope")
    return written(lambda x: mark_flat(ops.where(ops.gt(x, 0), x, x * negative_slope)), input, inplace)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """x where x > 0, else w · x with one w, or one per channel (axis 1); see `nn.PReLU`.

    >>> torch.nn.functional.prelu(torch.tensor([-4.0, -0.5, 0.0, 2.0]), torch.tensor([0.5]))
    tensor([-2.0000, -0.2500,  0.0000,  2.0000])
    """
    only_tensors("prelu", input=input, weight=weight)
    if input.array.dtype != weight.array.dtype:
        text = f"prelu: Type promoting not supported. Got {spoken(input)} and {spoken(weight)}"
        raise refuse(RuntimeError, text, "prelu", input, weight, mend=f"convert the input: x.to({weight.dtype})")
    shape = [1] * input.array.ndim
    if weight.array.size != 1:
        if not shape:
            raise refuse(RuntimeError, "Not allow zero-dim input tensor.", "prelu", input, weight)
        channels = input.array.shape[1] if input.array.ndim > 1 else 1
        if channels != weight.array.size:
            text = (
                "Mismatch of parameter numbers and input channel size. Found parameter numbers = "
                f"{weight.array.size} and channel size = {channels}."
            )
            raise refuse(RuntimeError, text, "prelu", input, weight)
        shape[1] = channels
    if weight.array.ndim > 1:
        text = f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {weight.array.ndim}"
        raise refuse(RuntimeError, text, "prelu", input, weight)
    above = ops.gt(input, 0)
    low = ops.where(above, 0.0, input)  # not the input, whose infinity would make the gradient of w nan
    return mark_flat(ops.where(above, input, low * F.reshape(weight, shape)))


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, else α (eˣ - 1); see `nn.ELU`.

    >>> torch.nn.functional.elu(torch.tensor([-4.0, -0.5, 0.0, 2.0]))
    tensor([-0.9817, -0.3935,  0.0000,  2.0000])
    """
    floating_only(input, "elu", "elu_cpu")
    expect_number(alpha, "elu", "alpha")
    return written(lambda x: _elu(x, alpha, 1.0, 1.0), input, inplace, reads=True)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """ELU with the α and the scale that keep mean 0 and variance 1 (Klambauer et al., 2017); see `nn.SELU`.

    >>> torch.nn.functional.selu(torch.tensor([-4.0, -0.5, 0.0, 2.0]))
    tensor([-1.7259, -0.6918,  0.0000,  2.1014])
    """
    floating_only(input, "selu", "elu_cpu")
    return written(lambda x: _elu(x, 1.6732632423543772, 1.0507009873554805, 1.0), input, inplace, reads=True)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, else α (eˣᐟᵅ - 1); see `nn.CELU`.

    >>> torch.nn.functional.celu(torch.tensor([-4.0, -0.5, 0.0, 2.0]))
    tensor([-0.9817, -0.3935,  0.0000,  2.0000])
    """
    expect_number(alpha, "celu", "alpha")
    if alpha == 0:
        raise refuse(RuntimeError, "ZeroDivisionError: alpha cannot be 0 for CELU", "celu", input)
    floating_only(input, "celu", "elu_cpu")
    return written(lambda x: _elu(x, alpha, 1.0, alpha), input, inplace, reads=True)


def _elu(x: Tensor, alpha: float, scale: float, divisor: float) -> Tensor:
    """scale · x where x > 0, else scale · α (e^(x/divisor) - 1)."""
    low = ops.clamp(x, low=None, high=0.0)
    low = ops.expm1(low if divisor == 1 else low / divisor) * alpha
    y = ops.where(ops.gt(x, 0), x, low)
    return y if scale == 1 else y * scale


@in_float32
def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """ln(1 + e^(βx)) / β, and x itself where βx > threshold; see `nn.Softplus`.

    >>> torch.nn.functional.softplus(torch.tensor([-4.0, -0.5, 0.0, 2.0]))
    tensor([0.0181, 0.4741, 0.6931, 2.1269])
    """
    floating_only(input, "softplus", "softplus_cpu")
    expect_number(beta, "softplus", "beta")
    expect_number(threshold, "softplus", "threshold")
    scaled = input if beta == 1 else input * beta
    y = ops.logaddexp(scaled, 0.0)
    return ops.where(ops.gt(scaled, threshold), input, y if beta == 1 else y / beta)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x σ(x), also called swish; see `nn.SiLU`.

    >>> torch.nn.functional.silu(torch.tensor([-4.0, -0.5, 0.0, 2.0]))
    tensor([-0.0719, -0.1888,  0.0000,  1.7616])
    """
    floating_only(input, "silu", "silu_cpu")
    return written(lambda x: x * ops.wide_sigmoid(x), input, inplace, reads=True)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """x tanh(ln(1 + eˣ)); see `nn.Mish`.

    >>> torch.nn.functional.mish(torch.tensor([-4.0, -0.5, 0.0, 2.0]))
    tensor([-0.0726, -0.2207,  0.0000,  1.9440])
    """
    floating_only(input, "mish", "mish_cpu")
    return written(lambda x: x * ops.wide_tanh(ops.logaddexp(x, 0.0)), input, inplace, reads=True)


@in_float32
def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """x Φ(x), Φ the normal distribution function; "tanh" approximates it (Hendrycks and Gimpel, 2016); see `nn.GELU`.

    >>> torch.nn.functional.gelu(torch.tensor([-4.0, -0.5, 0.0, 2.0]))
    tensor([-1.2668e-04, -1.5427e-01,  0.0000e+00,  1.9545e+00])
    """
    floating_only(input, "gelu", "GeluKernelImpl")
    if approximate == "none":
        return special.gelu(input, *map(wrap, special.with_slope(input.array)))
    if approximate != "tanh":
        raise refuse(RuntimeError, "approximate argument must be either none or tanh.", "gelu", input)
    x = ops.clamp(input, low=-30.0, high=30.0)  # so that x³ does not overflow; from there on the sigmoid is 0 or 1
    return input * ops.wide_sigmoid((x + x * x * x * 0.044715) * math.sqrt(8 / math.pi))


def logsigmoid(input: Tensor) -> Tensor:
    """ln σ(x), without overflow; see `nn.LogSigmoid`.

    >>> torch.nn.functional.logsigmoid(torch.tensor([-4.0, -0.5, 0.0, 2.0]))
    tensor([-4.0181, -0.9741, -0.6931, -0.1269])
    """
    return ops.logsigmoid(floating_only(input, "logsigmoid", "log_sigmoid_cpu"))


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(x/6 + 1/2, 0), 1), with slope 0 at both corners; see `nn.Hardsigmoid`.

    >>> torch.nn.functional.hardsigmoid(torch.tensor([-4.0, -0.5, 0.0, 2.0]))
    tensor([0.0000, 0.4167, 0.5000, 0.8333])
    """
    floating_only(input, "hardsigmoid", "hardsigmoid_cpu")
    return written(lambda x: _cut(x + 3.0, 0.0, 6.0) / 6.0, input, inplace)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """x · hardsigmoid(x); see `nn.Hardswish`.

    >>> torch.nn.functional.hardswish(torch.tensor([-4.0, -0.5, 0.0, 2.0]))
    tensor([-0.0000, -0.2083,  0.0000,  1.6667])
    """
    floating_only(input, "hardswish", "hardswish_cpu")
    return written(lambda x: x * (_cut(x + 3.0, 0.0, 6.0) / 6.0), input, inplace, reads=True)


def softsign(input: Tensor) -> Tensor:
    """x / (1 + |x|); see `nn.Softsign`.

    >>> torch.nn.functional.softsign(torch.tensor([-4.0, -0.5, 0.0, 2.0]))
    tensor([-0.8000, -0.3333,  0.0000,  0.6667])
    """
    only_tensors("softsign", input=input)
    if input.array.dtype == bool:
        raise unsupported("abs_cpu", "softsign", input)
    return ops.softsign(input)


def tanhshrink(input: Tensor) -> Tensor:
    """x - tanh x; see `nn.Tanhshrink`.

    >>> torch.nn.functional.tanhshrink(torch.tensor([-4.0, -0.5, 0.0, 2.0]))
    tensor([-3.0007, -0.0379,  0.0000,  1.0360])
    """
    only_tensors("tanhshrink", input=input)
    if input.array.dtype == bool:
        raise refuse(RuntimeError, BOOL_SUB, "tanhshrink", input)
    return ops.tanhshrink(input)


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x where |x| > λ, else 0; see `nn.Hardshrink`.

    >>> torch.nn.functional.hardshrink(torch.tensor([-4.0, -0.5, 0.0, 2.0]))
    tensor([-4.,  0.,  0.,  2.])
    """
    floating_only(input, "hardshrink", "hardshrink_cpu")
    expect_number(lambd, "hardshrink", "lambd")
    inside = ops.logical_and(ops.ge(input, -lambd), ops.le(input, lambd))  # false for nan, so nan stays nan
    return mark_flat(ops.where(inside, 0.0, input))


@in_float32
def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x moved towards 0 by λ, and no further than 0; see `nn.Softshrink`.

    >>> torch.nn.functional.softshrink(torch.tensor([-4.0, -0.5, 0.0, 2.0]))
    tensor([-3.5000,  0.0000,  0.0000,  1.5000])
    """
    floating_only(input, "softshrink", "softshrink_check")
    expect_number(lambd, "softshrink", "lambd")
    if lambd < 0:
        largest = f"{float(np.finfo(input.array.dtype).max):.6g}"
        text = f"lambda must be in range [0, {largest}] for input dtype {spoken(input)}, but found {lambd:g}"
        raise refuse(RuntimeError, text, "softshrink", input)
    return mark_flat(ops.where(ops.le(ops.abs(input), lambd), 0.0, input - ops.sign(input) * lambd))


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """x where x > threshold, else value; see `nn.Threshold`.

    >>> torch.nn.functional.threshold(torch.tensor([-4.0, -0.5, 0.0, 2.0]), 0.1, 20.0)
    tensor([20., 20., 20.,  2.])
    """
    kind = expect_tensor(input, "threshold").array.dtype.kind
    if kind == "b":
        floating_only(input, "threshold", "threshold_cpu")
    expect_number(threshold, "threshold", "threshold")
    expect_number(value, "threshold", "value")
    number = float(value) if kind == "f" else as_integer(value, "threshold")
    return written(lambda x: mark_flat(ops.where(ops.le(x, threshold), number, x)), input, inplace)


def rrelu(
    input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False, inplace: bool = False
) -> Tensor:
    """x where x > 0, else s · x: in training s is drawn from U(lower, upper), else it is their mean; see `nn.RReLU`.

    >>> torch.nn.functional.rrelu(torch.tensor([-4.0, 2.0]), 0.25, 0.75)
    tensor([-2.,  2.])
    """
    only_tensors("rrelu", input=input)
    expect_number(lower, "rrelu", "lower")
    expect_number(upper, "rrelu", "upper")
    if lower > upper:
        text = "Lower bound should be less than or equal to the upper bound"
        raise refuse(RuntimeError, text, "rrelu", input, lower, upper)
    if not training:
        return leaky_relu(input, (lower + upper) / 2, inplace)
    x = input.array
    if x.dtype.kind != "f" or x.dtype.itemsize == 2:
        raise unsupported("rrelu_with_noise_out_cpu", "rrelu", input)
    slopes = np.ones(x.shape, x.dtype)
    below = x <= 0
    slopes[below] = streams.default_generator.uniform(int(np.count_nonzero(below)), lower, upper, dtype=np.float64)
    return written(lambda t: ops.mul(t, wrap(slopes)), input, inplace)


rrelu_ = in_place(rrelu)
celu_, elu_, selu_, hardtanh_ = in_place(celu), in_place(elu), in_place(selu), in_place(hardtanh)
leaky_relu_, threshold_ = in_place(leaky_relu), in_place(threshold)


@in_float32
def glu(input: Tensor, dim: int = -1) -> Tensor:
    """a σ(b), where a and b are the halves of the input along `dim`; see `nn.GLU`.

    >>> torch.nn.functional.glu(torch.tensor([1.0, 2.0, 0.0, 0.0]))
    tensor([0.5000, 1.0000])
    """
    if expect_tensor(input, "glu").array.ndim == 0:
        raise refuse(RuntimeError, "glu does not support scalars because halving size must be even", "glu", input)
    floating_only(input, "glu", "glu_cpu")
    axis = axis_from(dim, input.array.ndim)
    size = input.array.shape[axis]
    if size % 2:
        raise refuse(RuntimeError, f"Halving dimension must be even, but dimension {axis} is size {size}", "glu", input)
    a, b = F.chunk(input, 2, dim)
    return a * ops.wide_sigmoid(b)


def _guessed_dim(name: str, ndim: int) -> int:
    """PyTorch's default axis, with its warning."""
    text = f"Implicit dimension choice for {name} has been deprecated. "
    warnings.warn(text + "Change the call to include dim=X as an argument.", stacklevel=3)
    return 0 if ndim in (0, 1, 3) else 1


def softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: dtypes.dtype | None = None) -> Tensor:
    """eˣ / Σ eˣ along `dim`; see `nn.Softmax`.

    >>> torch.nn.functional.softmax(torch.tensor([0.0, 1.0, 2.0]), dim=0)
    tensor([0.0900, 0.2447, 0.6652])
    """
    only_tensors("softmax", input=input)
    return F.softmax(input, _guessed_dim("softmax", input.array.ndim) if dim is None else dim, dtype)


def gumbel_softmax(logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Tensor:
    """softmax((x + G) / τ) with G = -log E, E exponential: a differentiable draw from the classes. Jang et al., 2017.

    With hard=True the value is the one-hot vector of the largest, and the gradient that of the soft one.

    >>> torch.nn.functional.gumbel_softmax(torch.tensor([[0.0, 1.0, 2.0]]), hard=True).sum()
    tensor(1.)
    """
    only_tensors("gumbel_softmax", logits=logits)
    expect_number(tau, "gumbel_softmax", "tau")
    if eps != 1e-10:
        warnings.warn("`eps` parameter is deprecated and has no effect.", stacklevel=2)
    gumbels = -F.log(F.empty_like(logits).exponential_())
    y = F.softmax((logits + gumbels) / tau, dim)
    if not hard:
        return y
    index = F.max(y.detach(), dim, keepdim=True).indices
    one = F.scatter(F.zeros_like(logits), dim, index, 1.0)
    return one - y.detach() + y


def softmin(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: dtypes.dtype | None = None) -> Tensor:
    """Softmax of -x; see `nn.Softmin`.

    >>> torch.nn.functional.softmin(torch.tensor([0.0, 1.0, 2.0]), dim=0)
    tensor([0.6652, 0.2447, 0.0900])
    """
    only_tensors("softmin", input=input)
    return F.softmax(-input, _guessed_dim("softmin", input.array.ndim) if dim is None else dim, dtype)


def log_softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: dtypes.dtype | None = None
) -> Tensor:
    """x - ln Σ eˣ along `dim`; see `nn.LogSoftmax`.

    >>> torch.nn.functional.log_softmax(torch.tensor([0.0, 1.0, 2.0]), dim=0)
    tensor([-2.4076, -1.4076, -0.4076])
    """
    only_tensors("log_softmax", input=input)
    return F.log_softmax(input, _guessed_dim("log_softmax", input.array.ndim) if dim is None else dim, dtype)
