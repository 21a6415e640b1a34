"""Normalization over the batch, over features, over groups of channels, over the neighbours of a channel."""

# fmt: off
from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tinygrad_pt import functions as F
from tinygrad_pt import ops
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.arguments import sizes_from
from tinygrad_pt.functions.checks import not_a, unsupported
from tinygrad_pt.half import in_float32
from tinygrad_pt.nn.functional.check import as_float, as_whole, expect_number, only_tensors, spoken
from tinygrad_pt.ops import normalization as N
from tinygrad_pt.ops.windows import unfold
from tinygrad_pt.tensor import Tensor

__all__ = ["batch_norm", "group_norm", "instance_norm", "layer_norm", "local_response_norm", "rms_norm"]

HALF, SINGLE = np.dtype(np.float16), np.dtype(np.float32)


# ------------------------------------------------------------------------------------------ checks
def _check_dtypes(op: str, kernel: str, input: Tensor, *others: Tensor | None) -> None:
    """Raise PyTorch's error unless all are of one floating dtype, or float32 beside a float16 input."""
    x = input.array.dtype
    if x.kind != "f":
        raise unsupported(kernel, op, input)
    kinds = [t.array.dtype for t in others if t is not None]
    if all(kind is x or kind == x for kind in kinds):
        return
    if kinds[0] == x:
        other = next(t for t in others if t is not None and t.array.dtype != x)
        text = f"expected scalar type {spoken(input)} but found {spoken(other)}"
    elif any(kind != SINGLE for kind in kinds):
        text = "mixed dtype (CPU): expect parameter to have scalar type of Float"
    elif x != HALF:
        text = "mixed dtype (CPU): all inputs must share same datatype."
    else:
        return
    mend = f"convert the input: x.to(torch.{next(t for t in others if t is not None).dtype.name})"
    raise refuse(RuntimeError, text, op, input, *(t for t in others if t is not None), mend=mend)


def _expect_tensors(op: str, input: Tensor, **others: Tensor | None) -> None:
    only_tensors(op, input=input, **{name: t for name, t in others.items() if t is not None})


def _check_values(size: Sequence[int], shown: object) -> None:
    """Raise PyTorch's error if each mean would be of one value."""
    if math.prod(size[:1]) * math.prod(size[2:]) == 1:
        text = f"Expected more than 1 value per channel when training, got input size {shown}"
        raise refuse(ValueError, text, mend="use a larger batch, or call .eval() on the module")


def _along_channels(t: Tensor, ndim: int) -> Tensor:
    """One number for each channel, in the shape in which it meets an input of (N, C, *)."""
    return ops.reshape(t, shape=(1, t.array.size, *(1,) * (ndim - 2)))


# ------------------------------------------------------------------------------------------ over the batch
def batch_norm(
    input: Tensor, running_mean: Tensor | None, running_var: Tensor | None, weight: Tensor | None = None,
    bias: Tensor | None = None, training: bool = False, momentum: float = 0.1, eps: float = 1e-5,
) -> Tensor:
    """(x - m)/√(v + ε) · w + b for each channel of (N, C, *) (Ioffe and Szegedy, 2015); see `nn.BatchNorm2d`.

    In training m and v are those of the batch, and the running statistics, if given, move towards them by the
    share `momentum`, in place; the variance they keep is the unbiased one. Otherwise m and v are the running ones.

    >>> torch.nn.functional.batch_norm(torch.tensor([[1.0], [3.0]]), None, None, training=True)
    tensor([[-1.0000],
            [ 1.0000]])
    """
    _expect_tensors("batch_norm", input, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    if eps.__class__ is not float or momentum.__class__ is not float:
        eps, momentum = as_float(eps, "batch_norm", "eps"), as_float(momentum, "batch_norm", "momentum")
    if training:
        _check_values(input.array.shape, input.shape)
        if eps <= 0.0:
            text = f"batch_norm eps must be positive during training, but got {eps}"
            raise refuse(ValueError, text, "batch_norm", input)
    elif eps < 0.0:
        raise refuse(ValueError, f"batch_norm eps must be non-negative, but got {eps}", "batch_norm", input)
    return _normalized_by_channel(input, running_mean, running_var, weight, bias, training, momentum, eps)


def _normalized_by_channel(
    input: Tensor, mean: Tensor | None, var: Tensor | None, weight: Tensor | None, bias: Tensor | None,
    training: bool, momentum: float, eps: float,
) -> Tensor:
    x = input.array
    if x.ndim == 1 and not x.size:
        return F.clone(input)
    if x.ndim < 2 and (x.ndim or mean is None):
        text = "Dimension out of range (expected to be in range of [-1, 0], but got 1)"
        raise refuse(IndexError, text, "batch_norm", input, mend="the input is (N, C, *)")
    channels = x.shape[1] if x.ndim > 1 else 0
    for name, t in (("running_mean", mean), ("running_var", var), ("weight", weight), ("bias", bias)):
        if t is None:
            if not training and name.startswith("running"):
                text = f"{name} must be defined in evaluation mode"
                raise refuse(RuntimeError, text, "batch_norm", input, mend="give it, or training=True")
        elif t.array.size != channels:
            text = f"{name} should contain {channels} elements not {t.array.size}"
            raise refuse(RuntimeError, text, "batch_norm", input, t, mend=f"the input has {channels} channels")
        elif name.startswith("running") and t.node is not None:
            text = (
                f"The function 'native_batch_norm' is not differentiable with respect to argument '{name}'. "
                "This input cannot have requires_grad True."
            )
            raise refuse(RuntimeError, text, "batch_norm", input, t, mend=f"{name}.detach()")
    _check_dtypes("batch_norm", "batch_norm", input, weight, bias, mean, var)
    if not training:
        return _evaluated(input, mean, var, weight, bias, eps)
    axis = (0, *range(2, x.ndim))
    wide = x.astype(SINGLE) if x.dtype == HALF else x
    m, v = N.moments(wide, axis)
    n = x.size // channels if channels else 0
    for t, found in ((mean, m), (var, v * (n / max(n - 1, 1)))):
        if t is not None and n:
            t.array[...] = (1 - momentum) * t.array + momentum * found.reshape(t.array.shape)
    r = 1 / np.sqrt(v + wide.dtype.type(eps))
    like = (1, channels, *(1,) * (x.ndim - 2))
    return N.normalize(input, weight, bias, wrap(m), wrap(r), axis=axis, eps=eps, like=like)


def _evaluated(
    input: Tensor, mean: Tensor | None, var: Tensor | None, weight: Tensor | None, bias: Tensor | None, eps: float
) -> Tensor:
    """x k + c, with what k and c are by the running statistics."""
    if input.array.dtype == HALF:
        mean, var, weight, bias = (t if t is None else t.float() for t in (mean, var, weight, bias))
        return _evaluated(input.float(), mean, var, weight, bias, eps).half()
    assert mean is not None and var is not None
    k = wrap(1 / np.sqrt(var.array + var.array.dtype.type(eps)))
    k = k if weight is None else weight * k
    c = -(k * wrap(mean.array)) if bias is None else bias - k * wrap(mean.array)
    return input * _along_channels(k, input.array.ndim) + _along_channels(c, input.array.ndim)


def instance_norm(
    input: Tensor, running_mean: Tensor | None = None, running_var: Tensor | None = None,
    weight: Tensor | None = None, bias: Tensor | None = None, use_input_stats: bool = True, momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Batch normalization of each example (N, C, *) by itself (Ulyanov et al., 2016); see `nn.InstanceNorm2d`.

    >>> torch.nn.functional.instance_norm(torch.tensor([[[1.0, 3.0]]]))
    tensor([[[-1.0000,  1.0000]]])
    """
    _expect_tensors(
        "instance_norm", input, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias
    )
    if eps.__class__ is not float or momentum.__class__ is not float:
        eps, momentum = as_float(eps, "instance_norm", "eps"), as_float(momentum, "instance_norm", "momentum")
    x = input.array
    if use_input_stats and math.prod(x.shape[2:]) == 1:
        text = f"Expected more than 1 spatial element when training, got input size {input.shape}"
        raise refuse(ValueError, text, "instance_norm", input)
    if (running_mean is None) != (running_var is None):
        text = "running_mean and running_var must either both be None or neither be None"
        raise refuse(ValueError, text, "instance_norm", input)
    if not use_input_stats and running_mean is None:
        text = "Expected running_mean and running_var to be defined when use_input_stats is false"
        raise refuse(RuntimeError, text, "instance_norm", input)
    batch, channels = x.shape[:2]
    for name, t in (("running_mean", running_mean), ("running_var", running_var), ("weight", weight), ("bias", bias)):
        if t is not None and t.array.size != channels:
            text = f"{name} should contain {batch * channels} elements not {batch * t.array.size}"
            raise refuse(RuntimeError, text, "instance_norm", input, t, mend=f"the input has {channels} channels")
    _check_dtypes("instance_norm", "batch_norm", input, weight, bias, running_mean, running_var)
    if not use_input_stats:
        return _evaluated(input, running_mean, running_var, weight, bias, eps)
    axis = tuple(range(2, x.ndim))
    wide = x.astype(SINGLE) if x.dtype == HALF else x
    m, v = N.moments(wide, axis)
    n = math.prod(x.shape[2:])
    for t, found in ((running_mean, m), (running_var, v * (n / (n - 1)) if n else v)):
        if t is not None and x.size:
            moved = (1 - momentum) * t.array + momentum * np.mean(found.reshape(batch, channels), 0)
            t.array[...] = moved.reshape(t.array.shape)
    r = 1 / np.sqrt(v + wide.dtype.type(eps))
    like = (1, channels, *(1,) * (x.ndim - 2))
    return N.normalize(input, weight, bias, wrap(m), wrap(r), axis=axis, eps=eps, like=like)


# ------------------------------------------------------------------------------------------ over features
def _check_shape(
    op: str, input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None, bias: Tensor | None, gap: str
) -> tuple[int, ...]:
    """The normalized shape; PyTorch's error unless it ends the shape of the input and is that of weight and bias."""
    if not isinstance(normalized_shape, (tuple, list)):
        raise not_a("tuple of ints", normalized_shape, op, "normalized_shape", 2)
    shape = tuple(sizes_from((normalized_shape,), op))
    if not shape:
        text = (
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got "
            "normalized_shape = []"
        )
        raise refuse(RuntimeError, text, op, input)
    for name, t in (("weight", weight), ("bias", bias)):
        if t is not None and t.array.shape != shape:
            text = (
                f"Expected {name} to be of same shape as normalized_shape, but got {name} of shape "
                f"{list(t.array.shape)} and normalized_shape = {list(shape)}"
            )
            raise refuse(RuntimeError, text, op, input, t)
    x = input.array.shape
    if len(x) < len(shape) or x[len(x) - len(shape) :] != shape:
        text = f"Given normalized_shape={list(shape)}, expected input with shape [*{gap}"
        text += ", ".join(map(str, shape)) + f"], but got input of size{list(x)}"
        mend = f"the last axes of the input must be {list(shape)}: change normalized_shape, or transpose the input"
        raise refuse(RuntimeError, text, op, input, mend=mend)
    return shape


def layer_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """(x - m)/√(v + ε) · w + b over the last axes, `normalized_shape` (Ba et al., 2016); see `nn.LayerNorm`.

    >>> torch.nn.functional.layer_norm(torch.tensor([1.0, 3.0]), (2,))
    tensor([-1.0000,  1.0000])
    """
    _expect_tensors("layer_norm", input, weight=weight, bias=bias)
    if eps.__class__ is not float:
        eps = as_float(eps, "layer_norm", "eps")
    shape = _check_shape("layer_norm", input, normalized_shape, weight, bias, ", ")
    _check_dtypes("layer_norm", "LayerNormKernelImpl", input, weight, bias)
    x = input.array
    axis = tuple(range(x.ndim - len(shape), x.ndim))
    return _normalized(input, weight, bias, axis, eps, (1,) * axis[0] + shape)


def _normalized(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, axis: tuple[int, ...], eps: float, like: tuple[int, ...]
) -> Tensor:
    """The op `normalize`, with the statistics over these axes."""
    x = input.array
    wide = x.astype(SINGLE) if x.dtype == HALF else x
    m, v = N.moments(wide, axis)
    r = 1 / np.sqrt(v + wide.dtype.type(eps))
    return N.normalize(input, weight, bias, wrap(m), wrap(r), axis=axis, eps=eps, like=like)


def rms_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """x/√(mean x² + ε) · w over the last axes (Zhang and Sennrich, 2019); ε is that of the dtype; see `nn.RMSNorm`.

    >>> torch.nn.functional.rms_norm(torch.tensor([3.0, 4.0]), (2,))
    tensor([0.8485, 1.1314])
    """
    _expect_tensors("rms_norm", input, weight=weight)
    shape = _check_shape("rms_norm", input, normalized_shape, weight, None, "")
    if input.array.dtype.kind != "f":
        raise unsupported("rms_norm", "rms_norm", input)
    axis = tuple(range(input.array.ndim - len(shape), input.array.ndim))
    x = input.float() if input.array.dtype == HALF else input
    eps = float(np.finfo(x.array.dtype).eps) if eps is None else as_float(eps, "rms_norm", "eps")
    y = x * F.rsqrt(F.mean(x * x, axis, True) + eps)
    if weight is not None:
        y = y * weight
    return y if y.array.dtype == input.array.dtype else y.to(input.dtype)


def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """(x - m)/√(v + ε) · w + b for each group of channels of an example (Wu and He, 2018); see `nn.GroupNorm`.

    >>> torch.nn.functional.group_norm(torch.tensor([[1.0, 3.0]]), 1)
    tensor([[-1.0000,  1.0000]])
    """
    _expect_tensors("group_norm", input, weight=weight, bias=bias)
    if num_groups.__class__ is not int or eps.__class__ is not float:
        num_groups, eps = as_whole(num_groups, "group_norm", "num_groups"), as_float(eps, "group_norm", "eps")
    x = input.array
    if x.ndim < 2:
        text = f"Expected at least 2 dimensions for input tensor but received {x.ndim}"
        raise refuse(RuntimeError, text, "group_norm", input)
    if num_groups == 0:
        raise refuse(ZeroDivisionError, "integer division or modulo by zero", "group_norm", input)
    size = [x.shape[0] * x.shape[1] // num_groups, num_groups, *x.shape[2:]]
    _check_values(size, size)
    channels = x.shape[1]
    if num_groups < 0 or channels % num_groups:
        text = "Expected number of channels in input to be divisible by num_groups, but got input of shape "
        text += f"{list(x.shape)} and num_groups={num_groups}"
        if num_groups < 0:
            text = f"Expected num groups to be greater than 0, got {num_groups}"
        raise refuse(RuntimeError, text, "group_norm", input)
    for name, t in (("weight", weight), ("bias", bias)):
        if t is not None and t.array.shape != (channels,):
            shape = list((t if weight is None else weight).array.shape)  # PyTorch shows that of the weight, too
            text = (
                f"Expected {name} to be a vector of size equal to the number of channels in input, but got {name} of "
                f"shape {shape} and input of shape {list(x.shape)}"
            )
            raise refuse(RuntimeError, text, "group_norm", input, t)
    _check_dtypes("group_norm", "GroupNormKernelImpl", input, weight, bias)
    inside = channels // num_groups
    like = (1, num_groups, inside, *(1,) * (x.ndim - 2))
    split = F.reshape(input, (x.shape[0], num_groups, inside, *x.shape[2:]))
    return F.reshape(_normalized(split, weight, bias, tuple(range(2, x.ndim + 1)), eps, like), x.shape)


@in_float32
def local_response_norm(input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Tensor:
    """x / (k + α Σ x²/size)^β, with the sum over `size` neighbouring channels (Krizhevsky et al., 2012).

    Input (N, C, *), output the same; see `nn.LocalResponseNorm`.

    >>> torch.nn.functional.local_response_norm(torch.ones(1, 1, 2), 1, alpha=1.0, beta=1.0)
    tensor([[[0.5000, 0.5000]]])
    """
    only_tensors("local_response_norm", input=input)
    size = as_whole(size, "local_response_norm", "size")
    for name, value in (("alpha", alpha), ("beta", beta), ("k", k)):
        expect_number(value, "local_response_norm", name)
    if input.array.ndim < 3:
        text = f"Expected 3D or higher dimensionality{' ' * 25} input (got {input.array.ndim} dimensions)"
        raise refuse(ValueError, text, "local_response_norm", input)
    if not input.array.size:
        return input
    if size <= 0:
        text = f"kernel size should be greater than zero, but got kH: {size} kW: 1"
        raise refuse(RuntimeError, text, "local_response_norm", input)
    if input.array.dtype.kind == "b":
        raise unsupported("avg_pool2d", "local_response_norm", input)
    widths = tuple((size // 2, (size - 1) // 2) if i == 1 else (0, 0) for i in range(input.array.ndim))
    windows = unfold(ops.pad(input * input, widths=widths, value=0), axis=1, size=size, step=1)
    average = F.sum(windows, -1) // size if input.array.dtype.kind != "f" else F.mean(windows, -1)
    return input / (average * alpha + k) ** beta
