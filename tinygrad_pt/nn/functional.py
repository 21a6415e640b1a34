"""Layers, activations and losses as plain functions, with PyTorch's arguments and defaults."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from tinygrad_pt import dtypes, ops
from tinygrad_pt import functions as F
from tinygrad_pt import random as streams
from tinygrad_pt.errors import axis_of, broadcast_text, failure
from tinygrad_pt.functions import one_hot, relu, relu_, sigmoid, tanh  # noqa: F401
from tinygrad_pt.functions.arguments import expect_tensor, promoted
from tinygrad_pt.functions.linalg import MENDS, same_dtype
from tinygrad_pt.functions.shaping import pad as _constant_pad
from tinygrad_pt.graph import Handle, wrap
from tinygrad_pt.inplace import write
from tinygrad_pt.modes import current
from tinygrad_pt.ops import loss as L
from tinygrad_pt.ops.special import erf

REDUCTIONS = {"none", "mean", "sum"}


def _refuse(kind: type[Exception], text: str, op: str, *args: Any, mend: str = "") -> Exception:
    """PyTorch's text, then the op, its arguments, the module being called, and the mend."""
    return failure(kind, text, op=op, args=args, scope=current().scope, mend=mend)


def _tensors(op: str, **values: Any) -> None:
    """PyTorch's TypeError unless all of these are tensors."""
    for i, (name, value) in enumerate(values.items(), 1):
        if not isinstance(value, Handle):
            expect_tensor(value, op, name, i)


def _spoken(t: Any) -> str:
    return dtypes.of(t.array.dtype).spoken


def _floating(input: Any, op: str, kernel: str) -> Any:
    """The input, if it is a tensor of floating point numbers; for others PyTorch has no such kernel."""
    if expect_tensor(input, op).array.dtype.kind != "f":
        text = f"\"{kernel}\" not implemented for '{_spoken(input)}'"
        raise _refuse(NotImplementedError, text, op, input, mend="convert it first: x.float()")
    return input


def _written(function: Any, input: Any, inplace: bool, reads: bool = False) -> Any:
    """`function(input)`, written back into the input if asked; a derivative that `reads` the input gets a copy."""
    if not inplace:
        return function(input)
    return write(input, function(F.clone(input) if reads else input))


# ------------------------------------------------------------------------------------ linear maps
def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """y = x Wᵀ + b: input (*, in), weight (out, in), bias (out,) → (*, out), all of one dtype.

    Raises:
        RuntimeError: the sizes or the dtypes differ.

    >>> import tinygrad_pt as torch
    >>> torch.nn.functional.linear(torch.ones(1, 2), torch.ones(3, 2), torch.zeros(3))
    tensor([[2., 2., 2.]])
    """
    try:
        x, w = input.array, weight.array
    except AttributeError:
        _tensors("linear", input=input, weight=weight)
        raise
    if w.ndim == 2 and x.ndim and x.shape[-1] == w.shape[1] and x.dtype is w.dtype:
        b = None if bias is None else bias.array
        if b is None or (b.ndim == 1 and b.shape[0] == w.shape[0] and b.dtype is w.dtype):
            if x.ndim != 2:  # the op takes one row per example
                rows = ops.reshape(input, shape=(math.prod(x.shape[:-1]), x.shape[-1]))
                return ops.reshape(linear(rows, weight, bias), shape=(*x.shape[:-1], w.shape[0]))
            return ops.linear(input, weight) if bias is None else ops.linear(input, weight, bias)
    return _linear_slowly(input, weight, bias)


def _linear_slowly(input: Any, weight: Any, bias: Any) -> Any:
    """What the short way does not take: a vector for a weight, a bias that broadcasts; or the error."""
    x, w = input.array, weight.array
    if w.ndim > 2:
        raise _refuse(
            RuntimeError,
            f"t() expects a tensor with <= 2 dimensions, but self is {w.ndim}D",
            "linear",
            input,
            weight,
        )
    if x.ndim != 1:
        if w.ndim == 2 and x.ndim and x.shape[-1] != w.shape[1]:
            rows = x.size // x.shape[-1] if x.shape[-1] else 0
            raise _refuse(
                RuntimeError,
                f"mat1 and mat2 shapes cannot be multiplied ({rows}x{x.shape[-1]} and {w.shape[1]}x{w.shape[0]})",
                "linear",
                input,
                weight,
                mend=f"this layer takes {w.shape[1]} features and got {x.shape[-1]}: change in_features, "
                "or reshape the input",
            )
        same_dtype(input, weight, "linear")
    y = F.matmul(input, F.t(weight))
    if bias is None:
        return y
    text = broadcast_text(bias.array.shape, y.array.shape)
    if text or bias.array.ndim > y.array.ndim:
        raise _refuse(RuntimeError, text or "bias has too many dimensions", "linear", input, weight, bias, mend=MENDS)
    if bias.array.dtype != x.dtype:
        raise _refuse(
            RuntimeError,
            f"self and mat2 must have the same dtype, but got {_spoken(bias)} and {_spoken(weight)}",
            "linear",
            input,
            weight,
            bias,
            mend=f"convert the bias: b.to(torch.{weight.dtype.name})",
        )
    return y + bias


def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Any:
    """yₒ = x₁ᵀ Wₒ x₂ + bₒ: inputs (*, in1) and (*, in2), weight (out, in1, in2) → (*, out)."""
    _tensors("bilinear", input1=input1, input2=input2)
    if input1.array.ndim != input2.array.ndim:
        raise _refuse(
            RuntimeError,
            f"bilinear(): input dimensions do not match: got {input1.array.ndim} and {input2.array.ndim}",
            "bilinear", input1, input2,
        )  # fmt: skip
    lead = input1.array.shape[:-1]
    if lead != input2.array.shape[:-1]:
        raise _refuse(
            RuntimeError, f"bilinear(): input batch dimensions do not match at dim 0: got {lead[0]} and "
            f"{input2.array.shape[0]}", "bilinear", input1, input2,
        )  # fmt: skip
    for i, x in ((1, input1), (2, input2)):
        size, expected = x.array.shape[-1], weight.array.shape[i]
        if size != expected:
            text = f"bilinear(): input{i} size does not match weight size: got {size} but expected {expected}"
            mend = f"change in{i}_features, or reshape the input"
            raise _refuse(RuntimeError, text, "bilinear", input1, input2, weight, mend=mend)
    kinds = {x.array.dtype for x in (input1, input2, weight)}
    if len(kinds) > 1:
        given = {"input1": input1, "input2": input2, "weight": weight} | ({} if bias is None else {"bias": bias})
        listed = ", ".join(f"{name}: {x.dtype.c_name}" for name, x in given.items())
        text = f"All tensors must have the same dtype, got {listed}"
        raise _refuse(RuntimeError, text, "bilinear", input1, input2, weight, mend="convert the inputs")
    a = F.reshape(input1, (-1, input1.array.shape[-1]))
    b = F.reshape(input2, (-1, input2.array.shape[-1]))
    y = F.reshape(F.einsum("ni,oij,nj->no", a, weight, b), (*lead, weight.array.shape[0]))
    return y if bias is None else y + bias


# ------------------------------------------------------------------------------------ activations
def relu6(input: Any, inplace: bool = False) -> Any:
    """min(max(x, 0), 6)."""
    return hardtanh(input, 0.0, 6.0, inplace)


def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Any:
    """x cut to [min_val, max_val]; unlike clamp's, its slope on the bounds is 0."""

    kind = expect_tensor(input, "hardtanh").array.dtype.kind
    if kind == "b":
        raise _refuse(RuntimeError, "Bool inputs not supported for hardtanh", "hardtanh", input)
    if kind in "iu":
        min_val, max_val = int(min_val), int(max_val)
    return _written(lambda x: _cut(x, min_val, max_val), input, inplace)


def _cut(x: Any, low: float, high: float) -> Any:
    """x cut to [low, high], with slope 0 on the bounds."""
    inside = ops.logical_and(ops.gt(x, low), ops.lt(x, high))
    return ops.where(inside, x, F.clamp(x, low, high).detach())


def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    """x where x > 0, else negative_slope · x."""
    _floating(input, "leaky_relu", "leaky_relu_cpu")
    return _written(lambda x: ops.where(ops.gt(x, 0), x, x * negative_slope), input, inplace)


def prelu(input: Any, weight: Any) -> Any:
    """x where x > 0, else w · x with one w, or one per channel (axis 1)."""
    if expect_tensor(input, "prelu").array.dtype != weight.array.dtype:
        text = f"prelu: Type promoting not supported. Got {_spoken(input)} and {_spoken(weight)}"
        raise _refuse(RuntimeError, text, "prelu", input, weight, mend=f"convert the input: x.to({weight.dtype})")
    shape = [1] * input.array.ndim
    if weight.array.size > 1:
        channels = input.array.shape[1] if input.array.ndim > 1 else 1
        if channels != weight.array.size:
            raise _refuse(
                RuntimeError,
                "Mismatch of parameter numbers and input channel size. Found parameter numbers = "
                f"{weight.array.size} and channel size = {channels}.",
                "prelu",
                input,
                weight,
            )
        shape[1] = channels
    return ops.where(ops.gt(input, 0), input, input * F.reshape(weight, shape))


def elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """x where x > 0, else α (eˣ - 1)."""
    _floating(input, "elu", "elu_cpu")
    return _written(lambda x: _elu(x, alpha, 1.0, 1.0), input, inplace, reads=True)


def selu(input: Any, inplace: bool = False) -> Any:
    """ELU with the α and the scale that keep mean 0 and variance 1 (Klambauer et al., 2017)."""
    _floating(input, "selu", "elu_cpu")
    return _written(lambda x: _elu(x, 1.6732632423543772, 1.0507009873554805, 1.0), input, inplace, reads=True)


def celu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """x where x > 0, else α (eˣᐟᵅ - 1)."""
    if alpha == 0:
        raise _refuse(RuntimeError, "ZeroDivisionError: alpha cannot be 0 for CELU", "celu", input)
    _floating(input, "celu", "elu_cpu")
    return _written(lambda x: _elu(x, alpha, 1.0, 1 / alpha), input, inplace, reads=True)


def _elu(x: Any, alpha: float, scale: float, slope: float) -> Any:
    low = ops.expm1(ops.clamp(x, low=None, high=0.0) * slope) * alpha
    y = ops.where(ops.gt(x, 0), x, low)
    return y if scale == 1 else y * scale


def softplus(input: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """ln(1 + e^(βx)) / β, and x itself where βx > threshold."""
    _floating(input, "softplus", "softplus_cpu")
    scaled = input if beta == 1 else input * beta
    y = ops.logaddexp(scaled, 0.0)
    return ops.where(ops.gt(scaled, threshold), input, y if beta == 1 else y / beta)


def silu(input: Any, inplace: bool = False) -> Any:
    """x σ(x), also called swish."""
    _floating(input, "silu", "silu_cpu")
    return _written(lambda x: x * ops.sigmoid(x), input, inplace, reads=True)


def mish(input: Any, inplace: bool = False) -> Any:
    """x tanh(ln(1 + eˣ))."""
    _floating(input, "mish", "mish_cpu")
    return _written(lambda x: x * ops.tanh(softplus(x)), input, inplace, reads=True)


def gelu(input: Any, approximate: str = "none") -> Any:
    """x Φ(x), Φ the normal distribution function; "tanh" approximates it (Hendrycks and Gimpel, 2016)."""
    _floating(input, "gelu", "GeluKernelImpl")
    if approximate == "none":
        return erf(input * math.sqrt(0.5)) * (input * 0.5) + input * 0.5
    if approximate != "tanh":
        raise _refuse(RuntimeError, "approximate argument must be either none or tanh.", "gelu", input)
    inner = (input + input * input * input * 0.044715) * math.sqrt(2 / math.pi)
    return input * 0.5 * (ops.tanh(inner) + 1)


def logsigmoid(input: Any) -> Any:
    """ln σ(x), without overflow."""
    return ops.logsigmoid(_floating(input, "logsigmoid", "log_sigmoid_cpu"))


def hardsigmoid(input: Any, inplace: bool = False) -> Any:
    """min(max(x/6 + 1/2, 0), 1), with slope 0 where it bends."""
    _floating(input, "hardsigmoid", "hardsigmoid_cpu")
    return _written(lambda x: _cut(x + 3.0, 0.0, 6.0) / 6.0, input, inplace)


def hardswish(input: Any, inplace: bool = False) -> Any:
    """x · hardsigmoid(x)."""
    _floating(input, "hardswish", "hardswish_cpu")
    return _written(lambda x: x * _cut(x + 3.0, 0.0, 6.0) / 6.0, input, inplace, reads=True)


def softsign(input: Any) -> Any:
    """x / (1 + |x|)."""
    return input / (F.abs(input) + 1)


def tanhshrink(input: Any) -> Any:
    """x - tanh x."""
    _tensors("tanhshrink", input=input)
    return input - ops.tanh(input)


def hardshrink(input: Any, lambd: float = 0.5) -> Any:
    """x where |x| > λ, else 0."""
    _floating(input, "hardshrink", "hardshrink_cpu")
    inside = ops.logical_and(ops.ge(input, -lambd), ops.le(input, lambd))  # of nan neither holds: it stays
    return ops.where(inside, 0.0, input)


def softshrink(input: Any, lambd: float = 0.5) -> Any:
    """x moved towards 0 by λ, and no further than 0."""
    _floating(input, "softshrink", "softshrink_check")
    if lambd < 0:
        largest = f"{float(np.finfo(input.array.dtype).max):.6g}"
        text = f"lambda must be in range [0, {largest}] for input dtype {_spoken(input)}, but found {lambd:g}"
        raise _refuse(RuntimeError, text, "softshrink", input)
    return ops.where(ops.le(ops.abs(input), lambd), 0.0, input - ops.sign(input) * lambd)


def threshold(input: Any, threshold: float, value: float, inplace: bool = False) -> Any:
    """x where x > threshold, else value."""
    kind = expect_tensor(input, "threshold").array.dtype.kind
    if kind == "b":
        _floating(input, "threshold", "threshold_cpu")
    number = float(value) if kind == "f" else int(value)
    return _written(lambda x: ops.where(ops.le(x, threshold), number, x), input, inplace)


def glu(input: Any, dim: int = -1) -> Any:
    """a σ(b), where a and b are the halves of the input along `dim`."""
    if expect_tensor(input, "glu").array.ndim == 0:
        raise _refuse(RuntimeError, "glu does not support scalars because halving size must be even", "glu", input)
    _floating(input, "glu", "glu_cpu")
    axis = axis_of(dim, input.array.ndim)
    size = input.array.shape[axis]
    if size % 2:
        raise _refuse(
            RuntimeError,
            f"Halving dimension must be even, but dimension {axis} is size {size}",
            "glu",
            input,
        )
    a, b = F.chunk(input, 2, dim)
    return a * ops.sigmoid(b)


def _guessed_dim(name: str, ndim: int) -> int:
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
        UserWarning,
        stacklevel=3,
    )
    return 0 if ndim in (0, 1, 3) else 1


def softmax(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """eˣ / Σ eˣ along `dim`."""
    _tensors("softmax", input=input)
    return F.softmax(input, _guessed_dim("softmax", input.array.ndim) if dim is None else dim, dtype)


def softmin(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """Softmax of -x."""
    _tensors("softmin", input=input)
    return F.softmax(-input, _guessed_dim("softmin", input.array.ndim) if dim is None else dim, dtype)


def log_softmax(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """x - ln Σ eˣ along `dim`."""
    _tensors("log_softmax", input=input)
    return F.log_softmax(input, _guessed_dim("log_softmax", input.array.ndim) if dim is None else dim, dtype)


# ------------------------------------------------------------------------------------ dropout
def check_probability(p: float) -> None:
    """Raise unless 0 ≤ p ≤ 1."""
    if not 0 <= p <= 1:
        raise failure(
            ValueError, f"dropout probability has to be between 0 and 1, but got {p}", scope=current().scope,
            mend="p is the probability that an element becomes 0",
        )  # fmt: skip


def dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """In training each element is 0 with probability p, else x/(1-p) (Srivastava et al., 2014)."""
    _tensors("dropout", input=input)
    check_probability(p)
    return _dropped(input, p, input.array.shape, inplace) if training and p else input


def _dropped(input: Any, p: float, shape: tuple[int, ...], inplace: bool) -> Any:
    """The input times a mask of this shape: the mask is an argument like any other, and wants no gradient."""
    x = input.array
    if not x.size:
        return input
    if p == 1:
        mask = np.zeros((), x.dtype)
    else:
        mask = np.asarray(streams.default_generator.bernoulli_fill(shape, 1 - p, dtype=x.dtype)) / x.dtype.type(1 - p)
    return _written(lambda t: ops.mul(t, wrap(mask)), input, inplace)


def dropout1d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Dropout of whole channels of (N, C, L) or (C, L): one draw per example and channel."""
    ndim = expect_tensor(input, "dropout1d").array.ndim
    if ndim not in (2, 3):
        check_probability(p)
        raise _refuse(
            RuntimeError,
            f"dropout1d: Expected 2D or 3D input, but received a {ndim}D input. Note that dropout1d exists to provide "
            "channel-wise dropout on inputs with 1 spatial dimension, a channel dimension, and an optional batch "
            "dimension (i.e. 2D or 3D inputs).",
            "dropout1d", input,
        )  # fmt: skip
    return _channels_dropped(input, p, training, inplace, lead=ndim - 1)


def dropout2d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Dropout of whole channels of (N, C, H, W): one draw per example and channel.

    Three axes are (N, C, L), and not (C, H, W), as in PyTorch, which warns of it.
    """
    ndim = expect_tensor(input, "dropout2d").array.ndim
    check_probability(p)
    if ndim not in (3, 4):
        _warn_of_rank("dropout2d", ndim, 2)
    if ndim == 3:
        warnings.warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout behavior is "
            "desired - input is interpreted as shape (N, C, L), where C is the channel dim. This behavior will change "
            "in a future release to interpret the input as one without a batch dimension, i.e. shape (C, H, W). To "
            "maintain the 1D channel-wise dropout behavior, please switch to using dropout1d instead.",
            UserWarning, stacklevel=2,
        )  # fmt: skip
    return _channels_dropped(input, p, training, inplace, lead=2)


def dropout3d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Dropout of whole channels of (N, C, D, H, W) or (C, D, H, W): one draw per example and channel."""
    ndim = expect_tensor(input, "dropout3d").array.ndim
    check_probability(p)
    if ndim not in (4, 5):
        _warn_of_rank("dropout3d", ndim, 3)
    return _channels_dropped(input, p, training, inplace, lead=2 if ndim == 5 else 1)


def _warn_of_rank(name: str, ndim: int, spatial: int) -> None:
    warnings.warn(
        f"{name}: Received a {ndim}-D input to {name}, which is deprecated and will result in an error in a future "
        "release. To retain the behavior and silence this warning, please use dropout instead. Note that "
        f"{name} exists to provide channel-wise dropout on inputs with {spatial} spatial dimensions, a channel "
        f"dimension, and an optional batch dimension (i.e. {spatial + 1}D or {spatial + 2}D inputs).",
        UserWarning, stacklevel=3,
    )  # fmt: skip


def _channels_dropped(input: Any, p: float, training: bool, inplace: bool, lead: int) -> Any:
    """Dropout with one draw per element of the first `lead` axes."""
    check_probability(p)
    shape = (*input.array.shape[:lead], *(1,) * (input.array.ndim - lead))
    return _dropped(input, p, shape, inplace) if training and p else input


# ------------------------------------------------------------------------------------ distances of losses
def legacy_reduction(size_average: Any, reduce: Any) -> str:
    """What the two flags of PyTorch 0.4 mean today, with the warning that they will go."""
    size_average, reduce = size_average in (None, True), reduce in (None, True)
    reduction = "none" if not reduce else "mean" if size_average else "sum"
    warnings.warn(
        f"size_average and reduce args will be deprecated, please use reduction='{reduction}' instead.",
        UserWarning,
        stacklevel=3,
    )
    return reduction


def _check_reduction(reduction: str) -> None:
    if reduction not in REDUCTIONS:
        raise failure(
            ValueError, f"{reduction} is not a valid value for reduction", scope=current().scope,
            mend="it is 'mean', 'sum' or 'none'",
        )  # fmt: skip


def _reduced(loss: Any, reduction: str) -> Any:
    return loss if reduction == "none" else F.mean(loss) if reduction == "mean" else F.sum(loss)


def _paired(input: Any, target: Any, op: str, floating: bool = True) -> tuple[Any, Any]:
    """Input and target of one shape and dtype; where the shapes differ, PyTorch's warning."""
    x, t = input.array, target.array
    if x.shape != t.shape:
        warnings.warn(
            f"Using a target size ({target.shape}) that is different to the input size ({input.shape}). "
            "This will likely "
            "lead to incorrect results due to broadcasting. Please ensure they have the same size.",
            UserWarning,
            stacklevel=3,
        )
        text = broadcast_text(x.shape, t.shape)
        if text:
            raise _refuse(RuntimeError, text, op, input, target, mend="give input and target one shape")
        input, target = F.broadcast_tensors(input, target)
    if x.dtype is not t.dtype:
        input, target = promoted(input, target)
    if floating and input.array.dtype.kind != "f":
        name = f"\"{op.removesuffix('_loss')}_cpu\" not implemented for '{_spoken(input)}'"
        raise _refuse(NotImplementedError, name, op, input, target, mend="convert them first: x.float()")
    return input, target


def _weighted(losses: Any, weight: Any, input: Any, reduction: str, over_weights: bool) -> Any:
    """Losses times weights; their mean is over the sum of the weights, or over their number."""
    if weight.array.shape != input.array.shape:
        raise _refuse(ValueError, "Weights and input must have the same size.", "loss", input, weight)
    if reduction not in REDUCTIONS:
        raise ValueError(f"Invalid reduction mode: {reduction}. Expected one of 'none', 'mean', 'sum'.")
    if reduction == "mean" and over_weights:
        return F.sum(losses * weight) / F.sum(weight)
    return _reduced(losses * weight, reduction)


def mse_loss(
    input: Any,
    target: Any,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    weight: Any = None,
) -> Any:
    """The mean of (x - t)²; or its sum, or each, by `reduction`.

    >>> import tinygrad_pt as torch
    >>> torch.nn.functional.mse_loss(torch.tensor([1.0, 2.0]), torch.zeros(2))
    tensor(2.5000)
    """
    if not (isinstance(input, Handle) and isinstance(target, Handle)):
        _tensors("mse_loss", input=input, target=target)
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    x, t = input.array, target.array
    if x.shape != t.shape or x.dtype is not t.dtype or x.dtype.kind != "f":
        input, target = _paired(input, target, "mse_loss")
    if weight is not None:
        return _weighted(ops.square(input - target), weight, input, reduction, True)
    if reduction not in REDUCTIONS:
        _check_reduction(reduction)
    return L.mse_loss(input, target, reduction=reduction)


def l1_loss(
    input: Any,
    target: Any,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    weight: Any = None,
) -> Any:
    """The mean of |x - t|."""
    _tensors("l1_loss", input=input, target=target)
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    input, target = _paired(input, target, "l1_loss", floating=False)
    distance = ops.abs(input - target)
    if weight is not None:
        return _weighted(distance, weight, input, reduction, True)
    _check_reduction(reduction)
    return _reduced(distance, reduction)


def smooth_l1_loss(
    input: Any,
    target: Any,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Any:
    """The mean of d²/2β where d = |x - t| < β, else d - β/2 (Girshick, 2015)."""
    _tensors("smooth_l1_loss", input=input, target=target)
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    input, target = _paired(input, target, "smooth_l1_loss", floating=beta != 0)
    _check_reduction(reduction)
    if beta < 0:
        raise _refuse(
            RuntimeError, "smooth_l1_loss does not support negative values for beta.", "smooth_l1_loss", input
        )
    if beta == 0:
        return l1_loss(input, target, reduction=reduction)
    return L.smooth_l1_loss(input, target, beta=beta, reduction=reduction)


def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0, weight: Any = None) -> Any:
    """The mean of d²/2 where d = |x - t| < δ, else δ (d - δ/2) (Huber, 1964)."""
    _tensors("huber_loss", input=input, target=target)
    input, target = _paired(input, target, "huber_loss")
    if delta <= 0:
        raise _refuse(RuntimeError, "huber_loss does not support non-positive values for delta.", "huber_loss", input)
    if weight is not None:
        each = L.huber_loss(input, target, delta=delta, reduction="none")
        return _weighted(each, weight, input, reduction, False)
    _check_reduction(reduction)
    return L.huber_loss(input, target, delta=delta, reduction=reduction)


# ------------------------------------------------------------------------------------ losses of two classes
def binary_cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Any:
    """The mean of -t ln x - (1 - t) ln(1 - x) for probabilities x; the logarithms stop at -100.

    Raises:
        ValueError: the sizes differ. RuntimeError: an x outside [0, 1], or dtypes that differ.
    """
    _tensors("binary_cross_entropy", input=input, target=target)
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    _check_reduction(reduction)
    x, t = input.array, target.array
    if x.shape != t.shape:
        raise _refuse(
            ValueError,
            f"Using a target size ({target.shape}) that is different to the input size ({input.shape}) is "
            "deprecated. "
            "Please ensure they have the same size.",
            "binary_cross_entropy",
            input,
            target,
        )
    if x.dtype is not t.dtype:
        raise _refuse(
            RuntimeError,
            f"Found dtype {_spoken(target)} but expected {_spoken(input)}",
            "binary_cross_entropy",
            input,
            target,
            mend=f"convert the target: t.to(torch.{input.dtype.name})",
        )
    _floating(input, "binary_cross_entropy", "binary_cross_entropy")
    if not ((x >= 0) & (x <= 1)).all():
        raise _refuse(
            RuntimeError,
            "all elements of input should be between 0 and 1",
            "binary_cross_entropy",
            input,
            target,
            mend="apply a sigmoid first, or use binary_cross_entropy_with_logits",
        )
    if weight is None:
        return L.binary_cross_entropy(input, target, reduction=reduction)
    each = L.binary_cross_entropy(input, target, reduction="none")
    return _reduced(each * F.expand(weight, x.shape).to(input.dtype), reduction)


def binary_cross_entropy_with_logits(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    pos_weight: Any = None,
) -> Any:
    """The binary cross entropy of σ(x), stable for any x; `pos_weight` multiplies the term t ln σ(x)."""
    _tensors("binary_cross_entropy_with_logits", input=input, target=target)
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    _check_reduction(reduction)
    if target.array.shape != input.array.shape:
        raise _refuse(
            ValueError,
            f"Target size ({target.shape}) must be the same as input size ({input.shape})",
            "binary_cross_entropy_with_logits",
            input,
            target,
            mend="unsqueeze or squeeze one of them",
        )
    if input.array.dtype is not target.array.dtype:
        if target.array.dtype.kind != "f":
            raise _refuse(
                RuntimeError,
                f"result type {_spoken(input)} can't be cast to the desired output type {_spoken(target)}",
                "binary_cross_entropy_with_logits", input, target, mend="convert the target: t.float()",
            )  # fmt: skip
        input, target = promoted(input, target)
    _floating(input, "binary_cross_entropy_with_logits", "log_sigmoid_cpu")
    if weight is None and pos_weight is None:
        return L.binary_cross_entropy_with_logits(input, target, reduction=reduction)
    weight, pos_weight = (w if w is None else w.to(input.dtype) for w in (weight, pos_weight))
    if pos_weight is None:
        each = L.binary_cross_entropy_with_logits(input, target, reduction="none")
    else:
        each = (1 - target) * input - ((pos_weight - 1) * target + 1) * ops.logsigmoid(input)
    return _reduced(each if weight is None else each * weight, reduction)


# ------------------------------------------------------------------------------------ losses of many classes
def cross_entropy(
    input: Any, target: Any, weight: Any = None, size_average: Any = None, ignore_index: int = -100,
    reduce: Any = None, reduction: str = "mean", label_smoothing: float = 0.0,
) -> Any:  # fmt: skip
    """The mean of -ln softmax(x)ₜ for logits (N, C, *) or (C,).

    Args:
        target: class numbers (N, *), or probabilities (N, C, *).
        weight: (C,), a factor for each class. The mean over class numbers divides by the sum of their
            weights, that over probabilities by N.
        ignore_index: targets of this number count nothing.
        label_smoothing: ε mixes the uniform distribution into the target: 1-ε of it and ε/C of each class.

    Raises:
        IndexError: a class number that is none. RuntimeError, ValueError: dtypes or sizes that do not fit.

    >>> import tinygrad_pt as torch
    >>> torch.nn.functional.cross_entropy(torch.zeros(1, 4), torch.tensor([2]))
    tensor(1.3863)
    """
    if not (isinstance(input, Handle) and isinstance(target, Handle)):
        _tensors("cross_entropy_loss", input=input, target=target)
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    if reduction not in REDUCTIONS:
        _check_reduction(reduction)
    x = input.array
    axis = 0 if x.ndim == 1 else 1
    if not 0.0 <= label_smoothing <= 1.0:
        raise _refuse(
            RuntimeError,
            f"label_smoothing must be between 0.0 and 1.0. Got: {float(label_smoothing)}",
            "cross_entropy",
            input,
            target,
        )
    if x.ndim and target.array.shape == x.shape:
        return _cross_entropy_of_distributions(input, target, weight, axis, ignore_index, reduction, label_smoothing)
    logp = log_softmax(input, axis)
    if not label_smoothing:
        return nll_loss(logp, target, weight, ignore_index=ignore_index, reduction=reduction)
    share = _class_weights(logp, target, weight, ignore_index, reduction)
    nll = L.nll_loss(logp, target, share, axis=axis, ignore=ignore_index, reduction="none")
    each = F.sum(logp if weight is None else logp * _along(weight, logp, axis), axis)
    each = ops.where(ops.ne(target, ignore_index), -each, 0.0)
    if reduction != "none":
        nll, each = F.sum(nll), F.sum(each)
    if reduction == "mean":
        each = each / F.sum(_class_weights(logp, target, weight, ignore_index, "sum"))
    return nll * (1 - label_smoothing) + each * (label_smoothing / x.shape[axis])


def _along(weight: Any, like: Any, axis: int) -> Any:
    """A vector laid along one axis."""
    return F.reshape(weight, tuple(-1 if i == axis else 1 for i in range(like.array.ndim)))


def _cross_entropy_of_distributions(
    input: Any, target: Any, weight: Any, axis: int, ignore_index: int, reduction: str, smoothing: float
) -> Any:
    """-Σ_c w_c p_c ln softmax(x)_c, with p the target, smoothed."""
    x = input.array
    if target.array.dtype.kind != "f":
        raise _refuse(
            RuntimeError,
            f"Expected floating point type for target with class probabilities, got {_spoken(target)}",
            "cross_entropy",
            input,
            target,
            mend="convert the target: t.float()",
        )
    if ignore_index >= 0:
        raise _refuse(
            RuntimeError,
            "ignore_index is not supported for floating point target",
            "cross_entropy",
            input,
            target,
        )
    if smoothing:
        target = target * (1 - smoothing) + smoothing / x.shape[axis]
    logp = log_softmax(input, axis)
    terms = logp * target
    if weight is not None:
        _check_weight(weight, x.shape[axis], input)
        terms = terms * _along(weight, logp, axis)
    if reduction == "none":
        return -F.sum(terms, axis)
    rows = math.prod(n for i, n in enumerate(x.shape) if i != axis)
    return -F.sum(terms) / (rows if reduction == "mean" else 1)  # of nothing the mean is nan


def _check_weight(weight: Any, classes: int, input: Any) -> None:
    if weight.array.shape != (classes,):
        raise _refuse(
            RuntimeError,
            f"weight tensor should be defined either for all {classes} classes or no classes but got "
            "weight tensor of "
            f"shape: {list(weight.array.shape)}",
            "nll_loss",
            input,
            weight,
        )


def _class_weights(logp: Any, target: Any, weight: Any, ignore_index: int, reduction: str) -> Any:
    """The factor of each target; sizes and dtypes are checked here."""
    a, b = logp.array, target.array
    if b.dtype != np.int64:
        if b.dtype != np.uint8:
            raise _refuse(
                RuntimeError,
                f"expected target dtype to be Long or Byte, but got {_spoken(target)}",
                "nll_loss",
                logp,
                target,
                mend="class numbers are int64: target.long(); probabilities have the shape of the input",
            )
    if a.ndim == 0:
        raise _refuse(ValueError, f"Expected 1 or more dimensions (got {a.ndim})", "nll_loss", logp, target)
    if a.ndim > 1 and b.shape[:1] != a.shape[:1]:
        if b.ndim == 0:
            raise _refuse(
                RuntimeError,
                f"size mismatch (got input: {list(a.shape)}, target: {list(b.shape)})",
                "nll_loss",
                logp,
                target,
            )
        raise _refuse(
            ValueError,
            f"Expected input batch_size ({a.shape[0]}) to match target batch_size ({b.shape[0]}).",
            "nll_loss",
            logp,
            target,
            mend="one target per row of the input",
        )
    expected = (a.shape[0], *a.shape[2:]) if a.ndim > 1 else ()
    if b.shape != expected:
        if a.ndim <= 2:
            text = f"size mismatch (got input: {list(a.shape)}, target: {list(b.shape)})"
            if b.ndim > 1:
                text = "0D or 1D target tensor expected, multi-target not supported"
        else:
            text = f"Expected target size {list(expected)}, got {list(b.shape)}"
        raise _refuse(RuntimeError, text, "nll_loss", logp, target, mend=f"the target's shape must be {list(expected)}")
    if weight is None:
        return L.class_weight(target, ignore=ignore_index, reduction=reduction, dtype=a.dtype)
    _check_weight(weight, a.shape[1 if a.ndim > 1 else 0], logp)
    L.pick_class(logp.detach(), target, axis=1 if a.ndim > 1 else 0, ignore=ignore_index)  # are all targets classes?
    return L.class_weight(target, weight, ignore=ignore_index, reduction=reduction, dtype=a.dtype)


def nll_loss(
    input: Any, target: Any, weight: Any = None, size_average: Any = None, ignore_index: int = -100,
    reduce: Any = None, reduction: str = "mean",
) -> Any:  # fmt: skip
    """The mean of -xₜ: log-probabilities (N, C, *) or (C,), class numbers (N, *) or ().

    Weights and `ignore_index` are as in `cross_entropy`.
    """
    if not (isinstance(input, Handle) and isinstance(target, Handle)):
        _tensors("nll_loss_nd", input=input, target=target)
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    _check_reduction(reduction)
    share = _class_weights(input, target, weight, ignore_index, reduction)
    _floating(input, "nll_loss", "nll_loss_out_frame")
    if target.array.dtype != np.int64:
        target = target.long()
    axis = 1 if input.array.ndim > 1 else 0
    return L.nll_loss(input, target, share, axis=axis, ignore=ignore_index, reduction=reduction)


KL_MEAN = (
    "reduction: 'mean' divides the total loss by both the batch size and the support size.'batchmean' "
    "divides only by "
    "the batch size, and aligns with the KL div math definition.'mean' will be changed to behave the same as "
    "'batchmean' in the next major release."
)


def kl_div(
    input: Any, target: Any, size_average: Any = None, reduce: Any = None, reduction: str = "mean",
    log_target: bool = False,
) -> Any:  # fmt: skip
    """The mean of t (ln t - x) for log-probabilities x; "batchmean" is the sum over the batch size."""
    _tensors("kl_div", input=input, target=target)
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    elif reduction == "mean":
        warnings.warn(KL_MEAN, UserWarning, stacklevel=2)
    for t in (input, target):
        if t.array.dtype.kind != "f":
            raise _refuse(RuntimeError, "kl_div: Integral inputs not supported.", "kl_div", input, target)
    batchmean = reduction == "batchmean"
    if batchmean:
        reduction = "sum"
    _check_reduction(reduction)
    if log_target:
        each = ops.exp(target) * (target - input)
    else:
        positive = ops.gt(target, 0)
        each = ops.where(positive, target * ops.log(ops.where(positive, target, 1.0)), 0.0) - target * input
    loss = _reduced(each, reduction)
    return loss / input.array.shape[0] if batchmean and input.array.ndim else loss


# ------------------------------------------------------------------------------------ losses of pairs
def margin_ranking_loss(
    input1: Any, input2: Any, target: Any, margin: float = 0, size_average: Any = None, reduce: Any = None,
    reduction: str = "mean",
) -> Any:  # fmt: skip
    """The mean of max(0, -t (x₁ - x₂) + margin), t = 1 where x₁ is to rank higher, else -1."""
    _tensors("margin_ranking_loss", input1=input1, input2=input2, target=target)
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    _check_reduction(reduction)
    if len({input1.array.ndim, input2.array.ndim, target.array.ndim}) > 1:
        raise _refuse(
            RuntimeError,
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: input1: "
            f"{input1.shape}, input2: {input2.shape}, target: {target.shape} ",
            "margin_ranking_loss",
            input1,
            input2,
            target,
        )
    return _reduced(F.clamp(-target * (input1 - input2) + margin, min=0), reduction)


def hinge_embedding_loss(
    input: Any,
    target: Any,
    margin: float = 1.0,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Any:
    """The mean of x where t = 1 and of max(0, margin - x) where t = -1."""
    _tensors("hinge_embedding_loss", input=input, target=target)
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    _check_reduction(reduction)
    if input.array.dtype.kind != "f":
        margin = int(margin)
    far = F.where(ops.ne(target, 1), F.clamp(margin - input, min=0), 0)
    return _reduced(far + F.where(ops.ne(target, -1), input, 0), reduction)


def soft_margin_loss(
    input: Any, target: Any, size_average: Any = None, reduce: Any = None, reduction: str = "mean"
) -> Any:
    """The mean of ln(1 + e^(-t x)), t being 1 or -1."""
    _tensors("soft_margin_loss", input=input, target=target)
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    _check_reduction(reduction)
    product = target * input
    if product.array.dtype.kind != "f":
        text = f"result type Float can't be cast to the desired output type {_spoken(product)}"
        raise _refuse(RuntimeError, text, "soft_margin_loss", input, target, mend="convert the input: x.float()")
    return _reduced(-ops.logsigmoid(product), reduction)


def poisson_nll_loss(
    input: Any,
    target: Any,
    log_input: bool = True,
    full: bool = False,
    size_average: Any = None,
    eps: float = 1e-8,
    reduce: Any = None,
    reduction: str = "mean",
) -> Any:
    """The mean of eˣ - t x; without `log_input`, of x - t ln(x + ε); `full` adds Stirling's term."""
    _tensors("poisson_nll_loss", input=input, target=target)
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    _check_reduction(reduction)
    each = ops.exp(input) - target * input if log_input else input - target * ops.log(input + eps)
    if full:
        large = ops.gt(target, 1)
        safe = F.where(large, target, 1)
        each = each + F.where(large, safe * ops.log(safe) - safe + 0.5 * ops.log(2 * math.pi * safe), 0.0)
    return _reduced(each, reduction)


def gaussian_nll_loss(
    input: Any, target: Any, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Any:
    """The mean of (ln v + (x - t)²/v)/2, v being the variance, at least ε; `full` adds ln(2π)/2."""
    _tensors("gaussian_nll_loss", input=input, target=target)
    if isinstance(var, (int, float)):
        var = F.full_like(input, float(var))
    expect_tensor(var, "gaussian_nll_loss", "var", 3)
    if var.array.dtype.kind != "f":
        text = f"result type Float can't be cast to the desired output type {var.dtype.c_name}"
        raise _refuse(RuntimeError, text, "gaussian_nll_loss", input, target, var, mend="convert it: var.float()")
    if (var.array < 0).any():
        raise _refuse(ValueError, "var has negative entry/entries", "gaussian_nll_loss", input, target, var)
    x, v = input.array, var.array
    if v.shape != x.shape:
        if x.shape[:-1] == v.shape:
            var = ops.unsqueeze(var, axis=-1)
        elif x.ndim != v.ndim or sum(n for m, n in zip(x.shape, v.shape, strict=True) if m != n) != 1:
            raise _refuse(ValueError, "var is of incorrect size", "gaussian_nll_loss", input, target, var)
    if reduction not in REDUCTIONS:
        raise _refuse(ValueError, f"{reduction} is not valid", "gaussian_nll_loss", input, target, var)
    var = var + wrap(np.maximum(var.array, var.array.dtype.type(eps)) - var.array)  # the floor passes gradients on
    each = (ops.log(var) + ops.square(input - target) / var) * 0.5
    return _reduced(each + 0.5 * math.log(2 * math.pi) if full else each, reduction)


def cosine_embedding_loss(
    input1: Any, input2: Any, target: Any, margin: float = 0, size_average: Any = None, reduce: Any = None,
    reduction: str = "mean",
) -> Any:  # fmt: skip
    """The mean of 1 - cos(x₁, x₂) where t = 1 and of max(0, cos(x₁, x₂) - margin) where t = -1."""
    _tensors("cosine_embedding_loss", input1=input1, input2=input2, target=target)
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    _check_reduction(reduction)
    eps = 1e-12
    norm = ops.sqrt((F.sum(input1 * input1, -1) + eps) * (F.sum(input2 * input2, -1) + eps))
    cosine = F.sum(input1 * input2, -1) / norm
    near = ops.where(ops.eq(target, 1), 1 - cosine, 0.0)
    return _reduced(near + ops.where(ops.eq(target, -1), F.clamp(cosine - margin, min=0), 0.0), reduction)


def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Any:
    """The mean of max(0, |a - p| - |a - n| + margin) (Balntas et al., 2016)."""
    _tensors("triplet_margin_loss", anchor=anchor, positive=positive, negative=negative)
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    _check_reduction(reduction)
    if margin <= 0:
        raise _refuse(ValueError, f"margin must be greater than 0, got {margin}", "triplet_margin_loss", anchor)
    far = pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = F.minimum(far, pairwise_distance(positive, negative, p, eps))
    return _reduced(F.clamp(pairwise_distance(anchor, positive, p, eps) - far + margin, min=0), reduction)


# ------------------------------------------------------------------------------------ distances, padding
def normalize(input: Any, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Any = None) -> Any:
    """x / max(|x|ₚ, ε) along `dim`."""
    _tensors("normalize", input=input)
    y = input / F.clamp(F.norm(input, p, dim, keepdim=True), min=eps)
    return y if out is None else write(out, y)


def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    """x₁·x₂ / (max(|x₁|, ε) max(|x₂|, ε)) along `dim`."""
    _tensors("cosine_similarity", x1=x1, x2=x2)
    text = broadcast_text(x1.array.shape, x2.array.shape)
    if text:
        raise _refuse(RuntimeError, text, "cosine_similarity", x1, x2)
    x1, x2 = F.broadcast_tensors(*promoted(x1, x2))
    a = x1 / F.clamp(F.norm(x1, 2, dim, keepdim=True), min=eps)
    b = x2 / F.clamp(F.norm(x2, 2, dim, keepdim=True), min=eps)
    return F.sum(a * b, dim)


def pairwise_distance(x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Any:
    """|x₁ - x₂ + ε|ₚ over the last axis."""
    _tensors("pairwise_distance", x1=x1, x2=x2)
    return F.norm(x1 - x2 + eps, p, -1, keepdim)


MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def pad(input: Any, pad: Any, mode: str = "constant", value: float | None = None) -> Any:
    """The input with its last axes widened: `pad` lists (before, after) from the last axis backwards.

    `mode` is "constant" (filled with `value`, default 0), "reflect", "replicate" or "circular".
    """
    _tensors("pad", input=input)
    if mode == "constant":
        return _constant_pad(input, pad, 0.0 if value is None else value)
    if mode not in MODES:
        raise _refuse(NotImplementedError, f"Unrecognised padding mode {mode}", "pad", input)
    if value:
        raise ValueError(f'Padding mode "{mode}" doesn\'t take in value argument')
    y = input
    for i in range(len(pad) // 2):
        axis, (before, after) = input.array.ndim - 1 - i, pad[2 * i : 2 * i + 2]
        size = y.array.shape[axis]
        if mode == "reflect" and max(before, after) >= size:
            raise _refuse(
                RuntimeError,
                "Argument #4: Padding size should be less than the corresponding input dimension, but "
                "got: padding "
                f"({before}, {after}) at dimension {axis} of input {list(input.array.shape)}",
                "pad",
                input,
            )
        places = np.pad(
            np.arange(size)[max(0, -before) : size - max(0, -after)],
            (max(0, before), max(0, after)),
            MODES[mode],
        )  # type: ignore[call-overload]
        y = F.index_select(y, axis, wrap(places))
    return y
