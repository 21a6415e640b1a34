"""Losses of classifiers: two classes, many classes, and distributions over classes."""

# fmt: off
from __future__ import annotations

import math
import warnings

import numpy as np

from tinygrad_pt import functions as F
from tinygrad_pt import ops
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.arguments import expect_tensor, promoted
from tinygrad_pt.functions.indexing import one_hot
from tinygrad_pt.half import in_float32
from tinygrad_pt.nn.functional.activation import log_softmax
from tinygrad_pt.nn.functional.check import Flag, expect_integer, expect_number, floating_only, only_tensors, spoken
from tinygrad_pt.nn.functional.linear import linear
from tinygrad_pt.nn.functional.reduction import REDUCTIONS, legacy_reduction, reduced, reduction_of
from tinygrad_pt.ops import loss as L
from tinygrad_pt.tensor import Tensor

LONG, BYTE, HALF, SINGLE = (np.dtype(c) for c in "lBef")

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy", "kl_div", "linear_cross_entropy",
    "nll_loss", "one_hot", "soft_margin_loss",
]


def binary_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: Flag = None, reduce: Flag = None,
    reduction: str = "mean",
) -> Tensor:
    """The mean of -t ln x - (1 - t) ln(1 - x) for probabilities x; the logarithms stop at -100.

    Raises ValueError if the sizes differ, RuntimeError if an x is outside [0, 1] or the dtypes differ.

    >>> torch.nn.functional.binary_cross_entropy(torch.tensor([0.9, 0.2]), torch.tensor([1.0, 0.0]))
    tensor(0.1643)
    """
    only_tensors("binary_cross_entropy", input=input, target=target)
    reduction = reduction_of("binary_cross_entropy", reduction, size_average, reduce)
    x, t = input.array, target.array
    if x.shape != t.shape:
        text = (
            f"Using a target size ({target.shape}) that is different to the input size ({input.shape}) is deprecated. "
            "Please ensure they have the same size."
        )
        raise refuse(ValueError, text, "binary_cross_entropy", input, target)
    if x.dtype is not t.dtype:
        text = f"Found dtype {spoken(target)} but expected {spoken(input)}"
        mend = f"convert the target: t.to(torch.{input.dtype.name})"
        raise refuse(RuntimeError, text, "binary_cross_entropy", input, target, mend=mend)
    floating_only(input, "binary_cross_entropy", "binary_cross_entropy")
    if not ((x >= 0) & (x <= 1)).all():
        text = "all elements of input should be between 0 and 1"
        mend = "apply a sigmoid first, or use binary_cross_entropy_with_logits"
        raise refuse(RuntimeError, text, "binary_cross_entropy", input, target, mend=mend)
    if weight is None:
        return L.binary_cross_entropy(input, target, reduction=reduction)
    expect_tensor(weight, "binary_cross_entropy", "weight", 3)
    each = L.binary_cross_entropy(input, target, reduction="none")
    return reduced(each * weight.expand(x.shape).to(input.dtype), reduction)


def binary_cross_entropy_with_logits(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: Flag = None, reduce: Flag = None,
    reduction: str = "mean", pos_weight: Tensor | None = None,
) -> Tensor:
    """The binary cross entropy of σ(x), stable for any x; `pos_weight` weighs t ln σ(x); see `nn.BCEWithLogitsLoss`.

    >>> torch.nn.functional.binary_cross_entropy_with_logits(torch.tensor([0.0]), torch.tensor([1.0]))
    tensor(0.6931)
    """
    only_tensors("binary_cross_entropy_with_logits", input=input, target=target)
    reduction = reduction_of("binary_cross_entropy_with_logits", reduction, size_average, reduce)
    if target.array.shape != input.array.shape:
        text = f"Target size ({target.shape}) must be the same as input size ({input.shape})"
        mend = "unsqueeze or squeeze one of them"
        raise refuse(ValueError, text, "binary_cross_entropy_with_logits", input, target, mend=mend)
    if input.array.dtype is not target.array.dtype:
        if target.array.dtype.kind != "f":
            text = f"result type {spoken(input)} can't be cast to the desired output type {spoken(target)}"
            mend = "convert the target: t.float()"
            raise refuse(RuntimeError, text, "binary_cross_entropy_with_logits", input, target, mend=mend)
        input, target = promoted(input, target)
    floating_only(input, "binary_cross_entropy_with_logits", "log_sigmoid_cpu")
    if weight is None and pos_weight is None:
        return L.binary_cross_entropy_with_logits(input, target, reduction=reduction)
    if weight is not None:
        weight = expect_tensor(weight, "binary_cross_entropy_with_logits", "weight", 3).to(input.dtype)
    if pos_weight is not None:
        pos_weight = expect_tensor(pos_weight, "binary_cross_entropy_with_logits", "pos_weight", 7).to(input.dtype)
    return reduced(_weighted_logits(input, target, weight, pos_weight), reduction)


@in_float32
def _weighted_logits(input: Tensor, target: Tensor, weight: Tensor | None, pos_weight: Tensor | None) -> Tensor:
    """The binary cross entropy of each element, with weights."""
    if pos_weight is None:
        each = L.binary_cross_entropy_with_logits(input, target, reduction="none")
    else:
        each = -((1 - target) * ops.logsigmoid(-input) + pos_weight * target * ops.logsigmoid(input))
    return each if weight is None else each * weight


def soft_margin_loss(
    input: Tensor, target: Tensor, size_average: Flag = None, reduce: Flag = None, reduction: str = "mean"
) -> Tensor:
    """The mean of ln(1 + e^(-t x)) with t = 1 or -1; see `nn.SoftMarginLoss`.

    >>> torch.nn.functional.soft_margin_loss(torch.tensor([0.0, 2.0]), torch.tensor([1.0, 1.0]))
    tensor(0.4100)
    """
    only_tensors("soft_margin_loss", input=input, target=target)
    reduction = reduction_of("soft_margin_loss", reduction, size_average, reduce)
    product = input * target
    if product.array.dtype.kind != "f":
        text = f"result type Float can't be cast to the desired output type {spoken(product)}"
        raise refuse(RuntimeError, text, "soft_margin_loss", input, target, mend="convert the input: x.float()")
    return reduced(-ops.logsigmoid(product), reduction)


def cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: Flag = None, ignore_index: int = -100,
    reduce: Flag = None, reduction: str = "mean", label_smoothing: float = 0.0,
) -> Tensor:
    """The mean of -ln softmax(x)ₜ for logits (N, C, *) or (C,).

    Args:
        target: class numbers (N, *), or probabilities (N, C, *).
        weight: (C,), a factor for each class. The mean over class numbers divides by the sum of their weights,
            the mean over probabilities by N.
        ignore_index: targets with this number do not count.
        label_smoothing: ε mixes the uniform distribution into the target: 1-ε of it and ε/C of each class.

    Raises IndexError if a target is outside 0 … C-1, RuntimeError or ValueError if dtypes or sizes do not fit.

    >>> torch.nn.functional.cross_entropy(torch.zeros(1, 4), torch.tensor([2]))
    tensor(1.3863)
    """
    if not (isinstance(input, Tensor) and isinstance(target, Tensor)):
        only_tensors("cross_entropy_loss", input=input, target=target)
    if size_average is not None or reduce is not None or reduction not in REDUCTIONS:
        reduction = reduction_of("cross_entropy", reduction, size_average, reduce)
    x = input.array
    axis = 0 if x.ndim == 1 else 1
    if label_smoothing != 0.0:
        expect_number(label_smoothing, "cross_entropy", "label_smoothing")
        if not 0.0 <= label_smoothing <= 1.0:
            text = f"label_smoothing must be between 0.0 and 1.0. Got: {float(label_smoothing)}"
            raise refuse(RuntimeError, text, "cross_entropy", input, target)
    if target.array.shape == x.shape:
        return _cross_entropy_of_distributions(input, target, weight, axis, ignore_index, reduction, label_smoothing)
    if x.dtype.kind != "f" or not x.ndim or label_smoothing:
        logp = log_softmax(input, axis)  # which refuses what has no dtype or axis for it
        return _smoothed(logp, target, weight, axis, ignore_index, reduction, label_smoothing)
    if target.array.shape == (1,) and x.ndim == 1:
        target = F.reshape(target, ())
    _check_classes(input, target, weight, ignore_index)
    if target.array.dtype is not LONG:
        target = target.long()
    known: tuple[Tensor, ...] = ()
    if input.node is None or x.size > 131072 or x.dtype is HALF:
        counts = L.classes_of(target.array, x.shape[axis], ignore_index)[1]
    else:  # a backward walk would compute them again: for a small batch that is worth the memory
        losses, errors, counts = L.losses_and_errors(x, target.array, axis, ignore_index)
        known = wrap(losses), wrap(errors)
    every = weight is None and counts is None
    share = None if every else _class_weights(input, target, weight, ignore_index, reduction)
    return L.cross_entropy(input, target, share, *known, axis=axis, ignore=ignore_index, reduction=reduction)


@in_float32
def _smoothed(
    logp: Tensor, target: Tensor, weight: Tensor | None, axis: int, ignore_index: int, reduction: str, smoothing: float
) -> Tensor:
    """(1 - ε) of the loss of class numbers, and ε of the loss of the uniform distribution."""
    _check_classes(logp, target, weight, ignore_index)
    share = _class_weights(logp, target, weight, ignore_index, reduction)
    nll = L.nll_loss(logp, target, share, axis=axis, ignore=ignore_index, reduction="none")
    each = F.mean(logp if weight is None else logp * _along(weight, logp, axis), axis)
    each = ops.where(ops.ne(target, ignore_index), -each, 0.0)
    if reduction != "none":
        nll, each = F.sum(nll), F.sum(each)
    if reduction == "mean":
        each = each / F.sum(_class_weights(logp, target, weight, ignore_index, "sum"))
    return nll * (1 - smoothing) + each * smoothing


def _along(weight: Tensor, like: Tensor, axis: int) -> Tensor:
    """The weights along one axis of `like`."""
    return F.reshape(weight, tuple(-1 if i == axis else 1 for i in range(like.array.ndim)))


@in_float32
def _cross_entropy_of_distributions(
    input: Tensor, target: Tensor, weight: Tensor | None, axis: int, ignore_index: int, reduction: str, smoothing: float
) -> Tensor:
    """-Σ_c w_c p_c ln softmax(x)_c, with p the target, smoothed."""
    x = input.array
    if target.array.dtype.kind != "f":
        text = f"Expected floating point type for target with class probabilities, got {spoken(target)}"
        raise refuse(RuntimeError, text, "cross_entropy", input, target, mend="convert the target: t.float()")
    if not x.ndim:
        raise refuse(IndexError, "Dimension specified as 1 but tensor has no dimensions", "cross_entropy", input)
    if ignore_index >= 0:
        text = "ignore_index is not supported for floating point target"
        raise refuse(RuntimeError, text, "cross_entropy", input, target)
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
    return -F.sum(terms) / (rows if reduction == "mean" else 1)  # the mean over no rows is nan


def _check_weight(weight: Tensor, classes: int, input: Tensor) -> None:
    if expect_tensor(weight, "cross_entropy_loss", "weight", 3).array.shape != (classes,):
        text = f"weight tensor should be defined either for all {classes} classes or no classes but got"
        text += f" weight tensor of shape: {list(weight.array.shape)}"
        raise refuse(RuntimeError, text, "nll_loss", input, weight)


def _check_classes(logp: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int) -> None:
    """Raise PyTorch's error unless sizes and dtypes of class numbers and weights fit."""
    a, b = logp.array, target.array
    expected = (a.shape[0], *a.shape[2:]) if a.ndim > 1 else ()
    if b.shape != expected or not a.ndim or (b.dtype is not LONG and b.dtype not in (LONG, BYTE)):
        kind, text, mend = _wrong_target(logp, target)
        raise refuse(kind, text, "nll_loss", logp, target, mend=mend)
    if ignore_index != -100:
        expect_integer(ignore_index, "cross_entropy_loss", "ignore_index")
    if weight is not None:
        _check_weight(weight, a.shape[1 if a.ndim > 1 else 0], logp)
        if weight.array.dtype != a.dtype:
            text = f"expected scalar type {spoken(logp)} but found {spoken(weight)}"
            raise refuse(RuntimeError, text, "nll_loss", logp, target, weight, mend=f"weight.to(torch.{a.dtype})")


def _class_weights(logp: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str) -> Tensor:
    """The factor of each target."""
    a = logp.array
    counted = a.dtype if a.dtype.char in "fd" else SINGLE  # halves cannot count the targets
    if weight is None:
        return L.class_weight(target, ignore=ignore_index, reduction=reduction, dtype=counted)
    L.pick_class(logp.detach(), target, axis=1 if a.ndim > 1 else 0, ignore=ignore_index)  # raises for wrong targets
    return L.class_weight(target, weight, ignore=ignore_index, reduction=reduction, dtype=counted)


def _wrong_target(logp: Tensor, target: Tensor) -> tuple[type[Exception], str, str]:
    """PyTorch's error, and its mend, about a target whose shape or dtype does not fit."""
    a, b = logp.array, target.array
    expected = [a.shape[0], *a.shape[2:]] if a.ndim > 1 else []
    kind: type[Exception] = RuntimeError
    mend = f"the target's shape must be {expected}"
    if a.ndim == 0:
        kind, text = ValueError, f"Expected 1 or more dimensions (got {a.ndim})"
    elif a.ndim > 1 and b.shape[:1] != a.shape[:1]:
        text = f"Expected input batch_size ({a.shape[0]}) to match target batch_size ({b.shape[0] if b.ndim else 0})."
        kind, mend = ValueError, "one target per row of the input"
    elif a.ndim <= 2 and b.ndim > 1:
        text = "0D or 1D target tensor expected, multi-target not supported"
    elif a.ndim == 3 and b.shape != (*expected,):
        text = f"Expected target size {expected}, got {list(b.shape)}"
    elif b.dtype not in (LONG, BYTE):
        text = f"expected target dtype to be Long or Byte, but got {spoken(target)}"
        mend = "class numbers are int64: target.long(); probabilities have the shape of the input"
    elif a.ndim == 1:
        kind, text = ValueError, f"For 1D input, 1D target must have size 1, but got target size: {b.shape[0]}"
    else:
        text = f"size mismatch (got input: {list(a.shape)} , target: {list(b.shape)}"
    return kind, text, mend


def nll_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: Flag = None, ignore_index: int = -100,
    reduce: Flag = None, reduction: str = "mean",
) -> Tensor:
    """The mean of -xₜ: log-probabilities (N, C, *) or (C,), class numbers (N, *) or ().

    Weights and `ignore_index` are as in `cross_entropy`; see `nn.NLLLoss`.

    >>> torch.nn.functional.nll_loss(torch.tensor([[-0.5, -1.0]]), torch.tensor([1]))
    tensor(1.)
    """
    if not (isinstance(input, Tensor) and isinstance(target, Tensor)):
        only_tensors("nll_loss_nd", input=input, target=target)
    if size_average is not None or reduce is not None or reduction not in REDUCTIONS:
        reduction = reduction_of("nll_loss", reduction, size_average, reduce)
    if target.array.shape == (1,) and input.array.ndim == 1:
        target = F.reshape(target, ())
    _check_classes(input, target, weight, ignore_index)
    share = _class_weights(input, target, weight, ignore_index, reduction)
    floating_only(input, "nll_loss", "nll_loss_out_frame")
    if target.array.dtype is not LONG:
        target = target.long()
    axis = 1 if input.array.ndim > 1 else 0
    return L.nll_loss(input, target, share, axis=axis, ignore=ignore_index, reduction=reduction)


def linear_cross_entropy(
    input: Tensor, linear_weight: Tensor, target: Tensor, *, linear_bias: Tensor | None = None,
    weight: Tensor | None = None, reduction: str = "mean", ignore_index: int | None = None,
    label_smoothing: float = 0.0, options: object = None,
) -> Tensor:
    """The cross entropy of the scores W x + b; see `nn.LinearCrossEntropyLoss`.

    Input (N, in) or (in,), weight (C, *, in), bias (C, *), target as that of `cross_entropy` for scores (N, C, *).
    PyTorch's `options` choose how to compute in pieces; here they change nothing.

    >>> x, w = torch.ones(1, 2), torch.zeros(4, 2)
    >>> torch.nn.functional.linear_cross_entropy(x, w, torch.tensor([2]))
    tensor(1.3863)
    """
    op = "linear_cross_entropy"
    only_tensors(op, input=input, linear_weight=linear_weight, target=target)
    if linear_bias is not None:
        expect_tensor(linear_bias, op, "linear_bias", 4)
    x, w, text = input.array, linear_weight.array, ""
    sizes = w.shape[:-1]
    if not 1 <= x.ndim <= 2:
        text = f"expected input with dimensionality 1 or 2, got {x.ndim}"
    elif w.ndim < 2:
        text = f"expected linear_weight with dimensionality at least 2, got {w.ndim}"
    elif x.shape[-1] != w.shape[-1]:
        text = "expected equal input and linear_weight last dimensions (in_features), "
        text += f"got {x.shape[-1]} and {w.shape[-1]}, respectively"
    elif linear_bias is not None and linear_bias.array.shape != sizes:
        text = f"expected linear_bias shape {sizes}, got {linear_bias.array.shape}"
    elif w.ndim > 2 and x.ndim == 1:
        text = f"K-dimensional loss defined by linear_weight shape {w.shape} requires batched input, "
        text += f"(N, {x.shape[-1]}), got unbatched input with shape {x.shape}"
    elif target.array.shape == (*x.shape[:-1], *sizes) and ignore_index is not None:
        text = "ignore_index cannot be specified when target contains probabilities"
    if text:
        raise refuse(RuntimeError, text, op, input, linear_weight, target)
    flat = F.reshape(linear_weight, (-1, w.shape[-1])) if w.ndim > 2 else linear_weight
    scores = linear(input, flat, linear_bias if linear_bias is None else F.reshape(linear_bias, -1))
    return cross_entropy(
        F.reshape(scores, (*x.shape[:-1], *sizes)), target, weight, reduction=reduction,
        ignore_index=-100 if ignore_index is None else ignore_index, label_smoothing=label_smoothing,
    )


KL_MEAN = (
    "reduction: 'mean' divides the total loss by both the batch size and the support size.'batchmean' divides only by "
    "the batch size, and aligns with the KL div math definition.'mean' will be changed to behave the same as "
    "'batchmean' in the next major release."
)


def kl_div(
    input: Tensor, target: Tensor, size_average: Flag = None, reduce: Flag = None, reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """The mean of t (ln t - x) for log-probabilities x; "batchmean" is the sum over the batch size; see `nn.KLDivLoss`.

    >>> torch.nn.functional.kl_div(torch.tensor([-1.0, -1.0]), torch.tensor([0.5, 0.5]), reduction="sum")
    tensor(0.3069)
    """
    only_tensors("kl_div", input=input, target=target)
    if reduction == "mean" and size_average is None and reduce is None:
        warnings.warn(KL_MEAN, stacklevel=2)
    reduction = legacy_reduction(reduction, size_average, reduce)
    for t in (input, target):
        if t.array.dtype.kind != "f":
            raise refuse(RuntimeError, "kl_div: Integral inputs not supported.", "kl_div", input, target)
    batchmean = reduction == "batchmean"
    reduction = "sum" if batchmean else reduction_of("kl_div", reduction)
    loss = reduced(_divergence(input, target, log_target), reduction)
    return loss / input.array.shape[0] if batchmean and input.array.ndim else loss


@in_float32
def _divergence(input: Tensor, target: Tensor, log_target: bool) -> Tensor:
    """t (ln t - x) of each element."""
    return ops.exp(target) * (target - input) if log_target else L.xlogx(target) - target * input
