"""What losses share: their mean, sum or neither, and inputs brought to the shape and dtype of targets."""

from __future__ import annotations

import warnings

from tinygrad_pt import functions as F
from tinygrad_pt.errors import broadcast_text, refuse
from tinygrad_pt.functions.arguments import promoted
from tinygrad_pt.nn.functional.check import spoken
from tinygrad_pt.tensor import Tensor

REDUCTIONS = {"none", "mean", "sum"}


def legacy_reduction(size_average: bool | None, reduce: bool | None) -> str:
    """What the two flags of PyTorch 0.4 mean today, with the warning that they will go."""
    size_average, reduce = size_average in (None, True), reduce in (None, True)
    reduction = "none" if not reduce else "mean" if size_average else "sum"
    warnings.warn(
        f"size_average and reduce args will be deprecated, please use reduction='{reduction}' instead.",
        UserWarning,
        stacklevel=3,
    )
    return reduction


def check_reduction(reduction: str) -> None:
    if reduction not in REDUCTIONS:
        raise refuse(
            ValueError, f"{reduction} is not a valid value for reduction", mend="it is 'mean', 'sum' or 'none'"
        )


def reduced(loss: Tensor, reduction: str) -> Tensor:
    return loss if reduction == "none" else F.mean(loss) if reduction == "mean" else F.sum(loss)


def paired(input: Tensor, target: Tensor, op: str, floating: bool = True) -> tuple[Tensor, Tensor]:
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
            raise refuse(RuntimeError, text, op, input, target, mend="give input and target one shape")
        input, target = F.broadcast_tensors(input, target)
    if x.dtype is not t.dtype:
        input, target = promoted(input, target)
    if floating and input.array.dtype.kind != "f":
        name = f"\"{op.removesuffix('_loss')}_cpu\" not implemented for '{spoken(input)}'"
        raise refuse(NotImplementedError, name, op, input, target, mend="convert them first: x.float()")
    return input, target


def weighted(losses: Tensor, weight: Tensor, input: Tensor, reduction: str, over_weights: bool) -> Tensor:
    """Losses times weights; their mean is over the sum of the weights, or over their number."""
    if weight.array.shape != input.array.shape:
        raise refuse(ValueError, "Weights and input must have the same size.", "loss", input, weight)
    if reduction not in REDUCTIONS:
        raise ValueError(f"Invalid reduction mode: {reduction}. Expected one of 'none', 'mean', 'sum'.")
    if reduction == "mean" and over_weights:
        return F.sum(losses * weight) / F.sum(weight)
    return reduced(losses * weight, reduction)
