"""Fusing a layer with the batch norm after it into one layer that computes the same in evaluation."""

from __future__ import annotations

import copy
from typing import Any, TypeVar

from tinygrad_pt import functions as F
from tinygrad_pt.errors import refuse
from tinygrad_pt.nn.module import Module
from tinygrad_pt.nn.parameter import Parameter
from tinygrad_pt.tensor import Tensor

__all__ = ["fuse_conv_bn_eval", "fuse_conv_bn_weights", "fuse_linear_bn_eval", "fuse_linear_bn_weights"]

M = TypeVar("M", bound=Module)


def _checked(layer: Any, bn: Any) -> None:
    """Raise PyTorch's errors unless both are in evaluation and the statistics are there."""
    if layer.training or bn.training:
        raise refuse(AssertionError, "Fusion only for eval!", "fuse", mend="call eval() on both first")
    if bn.running_mean is None or bn.running_var is None:
        raise refuse(AssertionError, "bn.running_mean and bn.running_var must not be None", "fuse")


def fuse_conv_bn_eval(conv: M, bn: Module, transpose: bool = False) -> M:
    """A convolution that computes what `bn(conv(x))` does in evaluation.

    Raises AssertionError if one of them is in training.
    """
    layer: Any = conv
    _checked(layer, bn)
    fused: Any = copy.deepcopy(conv)
    norm: Any = bn
    fused.weight, fused.bias = fuse_conv_bn_weights(
        layer.weight, layer.bias, norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias, transpose
    )
    result: M = fused
    return result


def fuse_conv_bn_weights(
    conv_w: Tensor, conv_b: Tensor | None, bn_rm: Tensor, bn_rv: Tensor, bn_eps: float, bn_w: Tensor | None,
    bn_b: Tensor | None, transpose: bool = False,
) -> tuple[Parameter, Parameter]:  # fmt: skip
    """The weight and the bias of a convolution fused with a batch norm.

    >>> one = torch.ones(1)
    >>> w, b = torch.nn.utils.fuse_conv_bn_weights(torch.ones(1, 1, 1), None, one, one, 0.0, 2 * one, one)
    >>> w.item(), b.item()
    (2.0, -1.0)
    """
    scale = F.rsqrt(bn_rv + bn_eps)
    wants = conv_w.requires_grad, conv_b is not None and conv_b.requires_grad
    scale = scale if bn_w is None else scale * bn_w
    shape = (1, -1) if transpose else (-1, 1)
    weight = conv_w * F.reshape(scale, (*shape, *(1,) * (conv_w.ndim - 2)))
    bias = ((0 if conv_b is None else conv_b) - bn_rm) * scale
    bias = bias if bn_b is None else bias + bn_b
    kind = conv_w.dtype if conv_b is None else conv_b.dtype
    return Parameter(weight.detach().to(conv_w.dtype), wants[0]), Parameter(bias.detach().to(kind), wants[1])


def fuse_linear_bn_eval(linear: M, bn: Module) -> M:
    """A linear layer that computes what `bn(linear(x))` does in evaluation.

    Raises AssertionError if one of them is in training, or if the batch norm has another number of features.
    """
    layer: Any = linear
    norm: Any = bn
    if not (layer.training or norm.training) and norm.num_features not in (layer.out_features, 1):
        text = "To fuse, linear.out_features == bn.num_features or bn.num_features == 1, got linear.out_features="
        raise refuse(AssertionError, f"{text}{layer.out_features} and bn.num_features={norm.num_features}", "fuse")
    _checked(layer, norm)
    fused: Any = copy.deepcopy(linear)
    fused.weight, fused.bias = fuse_linear_bn_weights(
        layer.weight, layer.bias, norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias
    )
    result: M = fused
    return result


def fuse_linear_bn_weights(
    linear_w: Tensor, linear_b: Tensor | None, bn_rm: Tensor, bn_rv: Tensor, bn_eps: float, bn_w: Tensor, bn_b: Tensor
) -> tuple[Parameter, Parameter]:
    """The weight and the bias of a linear layer fused with a batch norm.

    >>> one = torch.ones(1)
    >>> w, b = torch.nn.utils.fuse_linear_bn_weights(torch.ones(1, 1), None, one, one, 0.0, 2 * one, one)
    >>> w.item(), b.item()
    (2.0, -1.0)
    """
    return fuse_conv_bn_weights(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b)
