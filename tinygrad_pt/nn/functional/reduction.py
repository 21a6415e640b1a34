"""Helpers of losses: the reduction, and input and target in one shape and dtype."""

# fmt: off
from __future__ import annotations

import warnings

from tinygrad_pt import functions as F
from tinygrad_pt.errors import broadcast_text, refuse
from tinygrad_pt.functions.arguments import expect_tensor, promoted
from tinygrad_pt.nn.functional.check import Flag, spoken
from tinygrad_pt.tensor import Tensor

REDUCTIONS = ("mean", "sum", "none")


def legacy_reduction(reduction: str, size_average: Flag, reduce: Flag, stacklevel: int = 3) -> str:
    """The reduction; a deprecated flag, if one is given, replaces it and causes PyTorch's warning."""
    if size_average is None and reduce is None:
        return reduction
    size_average, reduce = size_average in (None, True), reduce in (None, True)
    reduction = "none" if not reduce else "mean" if size_average else "sum"
    text = f"size_average and reduce args will be deprecated, please use reduction='{reduction}' instead."
    warnings.warn(text, stacklevel=stacklevel)
    return reduction


def reduction_of(
    op: str, reduction: str, size_average: Flag = None, reduce: Flag = None,
    text: str = "{} is not a valid value for reduction",
) -> str:
    """The reduction of a loss: "mean", "sum" or "none"; any other value raises."""
    reduction = legacy_reduction(reduction, size_average, reduce, stacklevel=4)
    if reduction not in REDUCTIONS:
        raise refuse(ValueError, text.format(reduction), op, mend="it is 'mean', 'sum' or 'none'")
    return reduction


def reduced(loss: Tensor, reduction: str) -> Tensor:
    """The mean or the sum of the losses, or the losses themselves."""
    return loss if reduction == "none" else F.mean(loss) if reduction == "mean" else F.sum(loss)


def paired(input: Tensor, target: Tensor, op: str, floating: bool = True) -> tuple[Tensor, Tensor]:
    """Input and target broadcast to one shape and dtype, with PyTorch's warning if the shapes differ."""
    x, t = input.array, target.array
    if x.shape != t.shape:
        warnings.warn(
            f"Using a target size ({target.shape}) that is different to the input size ({input.shape}). This will "
            "likely lead to incorrect results due to broadcasting. Please ensure they have the same size.", stacklevel=3
        )
        text = broadcast_text(x.shape, t.shape)
        if text:
            raise refuse(RuntimeError, text, op, input, target, mend="give input and target one shape")
        input, target = F.broadcast_tensors(input, target)
    if x.dtype is not t.dtype:
        input, target = promoted(input, target)
    if floating and input.array.dtype.kind != "f":
        name = f"\"{op.removesuffix('_loss')}_cpu\" not implemented for '{spoken(input)}'"
        raise refuse(NotImplementedError, name, op, input, target, mend="convert them first: x.float()")
    return input, target


def weighted(op: str, losses: Tensor, weight: Tensor, reduction: str, over_weights: bool = True) -> Tensor:
    """Losses times weights; their mean divides by the sum of the weights, or by their number."""
    if expect_tensor(weight, op, "weight", 3).array.shape != losses.array.shape:
        raise refuse(ValueError, "Weights and input must have the same size.", op, losses, weight)
    text = "Invalid reduction mode: {}. Expected one of 'none', 'mean', 'sum'."
    reduction = reduction_of(op, reduction, text=text)
    if reduction == "mean" and over_weights:
        return F.sum(losses * weight) / F.sum(weight)
    return reduced(losses * weight, reduction)
