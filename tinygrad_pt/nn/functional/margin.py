"""Losses of classifiers that want a margin between the scores of right and of wrong classes."""

# fmt: off
from __future__ import annotations

import numpy as np

from tinygrad_pt import functions as F
from tinygrad_pt import ops
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.arguments import expect_tensor
from tinygrad_pt.graph import Array
from tinygrad_pt.half import in_float32
from tinygrad_pt.nn.functional.check import Flag, only_tensors, spoken
from tinygrad_pt.nn.functional.reduction import REDUCTIONS, legacy_reduction, reduced, reduction_of
from tinygrad_pt.tensor import Tensor

__all__ = ["multi_margin_loss", "multilabel_margin_loss", "multilabel_soft_margin_loss"]


def _check_scores(op: str, input: Tensor, target: Tensor) -> None:
    """Raise PyTorch's error about scores without classes."""
    x = input.array
    if x.ndim > 2 or (x.ndim and x.shape[-1] == 0):
        text = f"Expected non-empty vector or matrix with optional 0-dim batch size, but got: {list(x.shape)}"
        raise refuse(RuntimeError, text, op, input, target, mend="the scores have the shape (N, C) or (C,)")


def _check_kinds(op: str, kernel: str, input: Tensor, target: Tensor) -> None:
    """Raise PyTorch's errors about the dtypes of scores and classes."""
    if target.array.dtype != np.int64:
        text = f"expected scalar type Long but found {spoken(target)}"
        raise refuse(RuntimeError, text, op, input, target, mend="class numbers are int64: target.long()")
    if input.array.dtype.kind != "f":
        text = f"\"{kernel}\" not implemented for '{spoken(input)}'"
        raise refuse(NotImplementedError, text, op, input, target, mend="convert the scores first: x.float()")


def _of_nothing(input: Tensor, reduction: str) -> Tensor:
    """The loss of an empty batch: its sum and mean are 0 (PyTorch's is then whatever stands in its memory)."""
    return F.sum(input, 1 if reduction == "none" else None).to(input.dtype)


def multi_margin_loss(
    input: Tensor, target: Tensor, p: int = 1, margin: float = 1.0, weight: Tensor | None = None,
    size_average: Flag = None, reduce: Flag = None, reduction: str = "mean",
) -> Tensor:
    """The mean of Σᵢ max(0, margin - xₜ + xᵢ)ᵖ / C over all classes i but the target t; see `nn.MultiMarginLoss`.

    >>> torch.nn.functional.multi_margin_loss(torch.tensor([[0.1, 0.2, 0.4, 0.8]]), torch.tensor([3]))
    tensor(0.3250)
    """
    op = "multi_margin_loss"
    reduction = reduction_of(op, reduction, size_average, reduce)
    if p != 1 and p != 2:
        raise refuse(ValueError, "only p == 1 and p == 2 supported", op, input, target)
    if weight is not None and expect_tensor(weight, op, "weight", 5).array.ndim != 1:
        raise refuse(ValueError, "weight must be one-dimensional", op, input, target, weight)
    only_tensors(op, input=input, target=target)
    if not isinstance(margin, (int, float)):
        text = f"multi_margin_loss(): argument 'margin' (position 4) must be Number, not {type(margin).__name__}"
        raise refuse(TypeError, text, op, input, target)
    _check_scores(op, input, target)
    x, t = input.array, target.array
    rows, classes = x.shape if x.ndim == 2 else (1, x.size)
    if t.shape not in ((rows,), () if x.ndim < 2 else (rows,)):
        text = (
            "multi_margin_loss: target tensor should be 1-D with size equal to the number of input samples (batch "
            f"size). Expected target size [{rows}], but got {list(t.shape)}. Input has shape {list(x.shape)}."
        )
        raise refuse(RuntimeError, text, op, input, target)
    if weight is not None and weight.array.shape != (classes,):
        text = f"inconsistent weight size, expected {classes} but got {list(weight.array.shape)}"
        raise refuse(RuntimeError, text, op, input, target, weight)
    if not rows:
        return _of_nothing(input, reduction)
    _check_kinds(op, "multi_margin_loss_cpu_kernel", input, target)
    if weight is not None and weight.array.dtype != x.dtype:
        text = f"expected scalar type {spoken(input)} but found {spoken(weight)}"
        raise refuse(RuntimeError, text, op, input, target, weight, mend=f"weight.to(torch.{input.dtype})")
    if ((t < 0) | (t >= classes)).any():
        raise refuse(RuntimeError, "target out of range", op, input, target, mend=f"classes are 0 … {classes - 1}")
    each = _of_margins(F.reshape(input, (rows, classes)), np.reshape(t, rows), p, margin, weight)
    if reduction == "none":
        return F.reshape(each, t.shape)
    return F.sum(each) / (rows if reduction == "mean" else 1)


@in_float32
def _of_margins(input: Tensor, t: Array, p: int, margin: float, weight: Tensor | None) -> Tensor:
    """The loss of each row of scores (N, C)."""
    rows, classes = input.array.shape
    right = input[np.arange(rows), t]
    wrong = wrap((np.arange(classes) != t[:, None]).astype(input.array.dtype))
    each = ops.relu(input - ops.unsqueeze(right - margin, axis=-1)) * wrong  # at a margin of 0 the slope is 0 (PyTorch)
    each = F.sum(each if p == 1 else ops.square(each), 1) / classes
    return each if weight is None else each * weight[t]


def multilabel_margin_loss(
    input: Tensor, target: Tensor, size_average: Flag = None, reduce: Flag = None, reduction: str = "mean"
) -> Tensor:
    """The mean of Σⱼᵢ max(0, 1 - xⱼ + xᵢ) / C over targets j and other classes i; see `nn.MultiLabelMarginLoss`.

    >>> torch.nn.functional.multilabel_margin_loss(torch.tensor([[0.1, 0.2, 0.4, 0.8]]), torch.tensor([[3, 0, -1, 1]]))
    tensor(0.8500)
    """
    op = "multilabel_margin_loss"
    reduction = reduction_of(op, reduction, size_average, reduce)
    only_tensors(op, input=input, target=target)
    _check_scores(op, input, target)
    x, t = input.array, target.array
    rows, classes = x.shape if x.ndim == 2 else (1, x.size)
    if t.shape != x.shape and not (x.ndim < 2 and t.size == x.size and t.ndim < 2):
        text = f"inconsistent target size: {list(t.shape)} for input of size: {list(x.shape)}"
        raise refuse(RuntimeError, text, op, input, target, mend="fill up the targets of each row with -1")
    if not rows:
        return _of_nothing(input, reduction)
    _check_kinds(op, "multilabel_margin_loss_forward_out_frame", input, target)
    if ((t < -1) | (t >= classes)).any():
        text = "argument #2 'target' is out of range"
        raise refuse(RuntimeError, text, op, input, target, mend=f"classes are 0 … {classes - 1}, and -1 ends a row")
    each = _of_labels(F.reshape(input, (rows, classes)), np.reshape(t, (rows, classes)))
    if reduction == "none":
        return F.reshape(each, x.shape[:1] if x.ndim == 2 else ())
    return F.sum(each) / (rows if reduction == "mean" else 1)


@in_float32
def _of_labels(input: Tensor, t: Array) -> Tensor:
    """The loss of each row of scores (N, C); the targets of a row end at the first -1."""
    rows, classes = t.shape
    listed = np.logical_and.accumulate(t >= 0, axis=1)
    wrong = np.ones((rows, classes), bool)
    row, place = np.nonzero(listed)
    wrong[row, t[row, place]] = False
    n = int(np.max(np.count_nonzero(listed, axis=1), initial=0))  # of targets in the longest row
    right = input[np.arange(rows)[:, None], np.where(listed, t, 0)[:, :n]]
    counts = wrap((listed[:, :n, None] & wrong[:, None, :]).astype(input.array.dtype))
    pairs = ops.relu(1 - ops.unsqueeze(right, axis=2) + ops.unsqueeze(input, axis=1)) * counts
    return F.sum(pairs, (1, 2)) / classes


def multilabel_soft_margin_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: Flag = None, reduce: Flag = None,
    reduction: str = "mean",
) -> Tensor:
    """The mean of the binary cross entropies of σ(x), one for each class; see `nn.MultiLabelSoftMarginLoss`.

    >>> torch.nn.functional.multilabel_soft_margin_loss(torch.zeros(2, 3), torch.ones(2, 3))
    tensor(0.6931)
    """
    op = "multilabel_soft_margin_loss"
    only_tensors(op, input=input, target=target)
    if weight is not None:
        expect_tensor(weight, op, "weight", 3)
    reduction = legacy_reduction(reduction, size_average, reduce)
    if input.array.dtype.kind != "f":
        text = f"\"log_sigmoid_cpu\" not implemented for '{spoken(input)}'"
        raise refuse(NotImplementedError, text, op, input, target, mend="convert the input: x.float()")
    if not input.array.ndim:
        raise refuse(IndexError, "Dimension specified as -1 but tensor has no dimensions", op, input, target)
    each = _of_each_label(input, target, weight)
    if reduction not in REDUCTIONS:
        raise refuse(ValueError, f"{reduction} is not valid", op, mend="it is 'mean', 'sum' or 'none'")
    return reduced(each, reduction)


@in_float32
def _of_each_label(input: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
    """The mean over the classes, for each row."""
    each = -(target * ops.logsigmoid(input) + (1 - target) * ops.logsigmoid(-input))
    return F.sum(each if weight is None else each * weight, -1) / input.array.shape[-1]
