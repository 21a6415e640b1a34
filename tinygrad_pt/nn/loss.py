"""Losses as modules: each keeps its settings and calls the function of its name in `functional`."""

# fmt: off
from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tinygrad_pt.dtypes import dtype
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.arguments import expect_tensor, sizes_from
from tinygrad_pt.nn import functional as NF
from tinygrad_pt.nn.functional.check import Flag, expect_integer, expect_number
from tinygrad_pt.nn.functional.ctc import Lengths
from tinygrad_pt.nn.functional.reduction import legacy_reduction
from tinygrad_pt.nn.linear import Device, Dtype, Linear
from tinygrad_pt.nn.module import Module
from tinygrad_pt.tensor import Tensor

__all__ = [
    "BCELoss", "BCEWithLogitsLoss", "CTCLoss", "CosineEmbeddingLoss", "CosineSimilarity", "CrossEntropyLoss",
    "GaussianNLLLoss", "HingeEmbeddingLoss", "HuberLoss", "KLDivLoss", "L1Loss", "LinearCrossEntropyLoss",
    "LinearCrossEntropyOptions", "MSELoss", "MarginRankingLoss", "MultiLabelMarginLoss", "MultiLabelSoftMarginLoss",
    "MultiMarginLoss", "NLLLoss", "NLLLoss2d", "PairwiseDistance", "PoissonNLLLoss", "SmoothL1Loss", "SoftMarginLoss",
    "TripletMarginLoss", "TripletMarginWithDistanceLoss",
]


class Loss(Module):
    """A loss with a reduction: "mean", "sum" or "none"; its call raises a ValueError for any other.

    `size_average` and `reduce` are deprecated in PyTorch: they still work, with a warning.
    """

    def __init__(self, size_average: Flag = None, reduce: Flag = None, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = legacy_reduction(reduction, size_average, reduce)


class WeightedLoss(Loss):
    """A loss with a weight, kept as a buffer."""

    weight: Tensor | None

    def __init__(
        self, weight: Tensor | None = None, size_average: Flag = None, reduce: Flag = None, reduction: str = "mean"
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)


# ------------------------------------------------------------------------------------ distances
class MSELoss(Loss):
    """The mean of (x - t)².

    >>> torch.nn.MSELoss()(torch.tensor([1.0, 3.0]), torch.tensor([0.0, 0.0]))
    tensor(5.)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return NF.mse_loss(input, target, reduction=self.reduction)


class L1Loss(Loss):
    """The mean of |x - t|.

    Input and target have the same shape (*); the loss is (), or (*) with `reduction="none"`.
    Raises RuntimeError if the shapes do not broadcast.

    >>> torch.nn.L1Loss()(torch.tensor([1.0, 3.0]), torch.tensor([0.0, 0.5]))
    tensor(1.7500)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return NF.l1_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(Loss):
    """The mean of d²/2β where d = |x - t| < β, else d - β/2.

    Input and target have the same shape (*); the loss is (), or (*) with `reduction="none"`.
    Raises RuntimeError if the shapes do not broadcast.

    >>> torch.nn.SmoothL1Loss()(torch.tensor([1.0, 3.0]), torch.tensor([0.0, 0.5]))
    tensor(1.2500)
    """

    def __init__(
        self, size_average: Flag = None, reduce: Flag = None, reduction: str = "mean", beta: float = 1.0
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return NF.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(Loss):
    """The mean of d²/2 where d = |x - t| < δ, else δ (d - δ/2).

    Input and target have the same shape (*); the loss is (), or (*) with `reduction="none"`.
    Raises RuntimeError if the shapes do not broadcast.

    >>> torch.nn.HuberLoss()(torch.tensor([1.0, 3.0]), torch.tensor([0.0, 0.5]))
    tensor(1.2500)
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return NF.huber_loss(input, target, reduction=self.reduction, delta=self.delta)


# ------------------------------------------------------------------------------------ likelihoods
class BCELoss(WeightedLoss):
    """The mean of -t ln x - (1 - t) ln(1 - x) for probabilities x.

    Input and target have the same shape (*); the loss is (), or (*) with `reduction="none"`.
    `weight` multiplies the losses. Raises RuntimeError if an x is outside [0, 1].

    >>> torch.nn.BCELoss()(torch.tensor([0.9, 0.2]), torch.tensor([1.0, 0.0]))
    tensor(0.1643)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return NF.binary_cross_entropy(input, target, weight=self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(WeightedLoss):
    """The binary cross entropy of σ(x), stable for any x.

    Input and target have the same shape (*); the loss is (), or (*) with `reduction="none"`.
    `pos_weight` multiplies the term of t = 1. Raises ValueError if the shapes differ.

    >>> torch.nn.BCEWithLogitsLoss()(torch.tensor([0.0, 1000.0]), torch.tensor([1.0, 1.0]))
    tensor(0.3466)
    """

    pos_weight: Tensor | None

    def __init__(
        self, weight: Tensor | None = None, size_average: Flag = None, reduce: Flag = None, reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return NF.binary_cross_entropy_with_logits(
            input, target, self.weight, pos_weight=self.pos_weight, reduction=self.reduction
        )


class CrossEntropyLoss(WeightedLoss):
    """The mean of -ln softmax(x)ₜ for logits (N, C, *) and class numbers (N, *) or probabilities (N, C, *).

    >>> torch.nn.CrossEntropyLoss()(torch.zeros(2, 10), torch.tensor([3, 7]))
    tensor(2.3026)
    """

    def __init__(
        self, weight: Tensor | None = None, size_average: Flag = None, ignore_index: int = -100, reduce: Flag = None,
        reduction: str = "mean", label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return NF.cross_entropy(
            input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class NLLLoss(WeightedLoss):
    """The mean of -xₜ for log-probabilities (N, C, *) and class numbers (N, *).

    The loss is (), or (N, *) with `reduction="none"`. `weight` (C,) weighs the classes.
    Raises IndexError if a target is outside 0 … C-1.

    >>> torch.nn.NLLLoss()(torch.tensor([[-0.5, -1.0]]), torch.tensor([1]))
    tensor(1.)
    """

    def __init__(
        self, weight: Tensor | None = None, size_average: Flag = None, ignore_index: int = -100, reduce: Flag = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return NF.nll_loss(input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction)


class NLLLoss2d(NLLLoss):
    """The same as `NLLLoss`; this name is deprecated.

    >>> import warnings; warnings.simplefilter("ignore", FutureWarning)
    >>> torch.nn.NLLLoss2d()(-torch.ones(1, 2, 1), torch.tensor([[1]]))
    tensor(1.)
    """

    def __init__(
        self, weight: Tensor | None = None, size_average: Flag = None, ignore_index: int = -100, reduce: Flag = None,
        reduction: str = "mean",
    ) -> None:
        text = "`NLLLoss2d` has been deprecated. Please use `NLLLoss` instead as a drop-in replacement and see "
        text += "https://pytorch.org/docs/main/nn.html#torch.nn.NLLLoss for more details."
        warnings.warn(text, FutureWarning, stacklevel=2)
        super().__init__(weight, size_average, ignore_index, reduce, reduction)


@dataclass(frozen=True, slots=True)
class LinearCrossEntropyOptions:
    """PyTorch's choices for computing `LinearCrossEntropyLoss` in pieces; here they change nothing.

    >>> torch.nn.LinearCrossEntropyOptions(batch_chunk_size=8).batch_chunk_size
    8
    """

    allow_retain_graph: bool = False
    batch_chunk_size: int | None = None
    chunking_method: str | None = "auto"
    acc_policy: str = "auto"
    acc_dtype: dtype | None = None


class LinearCrossEntropyLoss(WeightedLoss):
    """A linear layer and the cross entropy of its scores: the last layer of a classifier with its loss.

    Input (N, in_features) or (in_features,), target as that of `CrossEntropyLoss`; `out_features` are further axes
    (K₁, …) of the scores (N, num_classes, K₁, …). Raises RuntimeError if the sizes do not fit.

    >>> torch.nn.LinearCrossEntropyLoss(3, 10)(torch.zeros(2, 3), torch.tensor([3, 7]))
    tensor(2.3026, grad_fn=<NllLossBackward0>)
    """

    def __init__(
        self, in_features: int, num_classes: int, *, out_features: tuple[int, ...] = (), bias: bool = False,
        device: Device = None, dtype: Dtype = None, reduction: str = "mean", weight: Tensor | None = None,
        ignore_index: int | None = None, label_smoothing: float = 0.0, options: LinearCrossEntropyOptions | None = None,
    ) -> None:
        expect_integer(num_classes, "LinearCrossEntropyLoss", "num_classes")
        expect_number(label_smoothing, "LinearCrossEntropyLoss", "label_smoothing")
        if weight is not None and expect_tensor(weight, "LinearCrossEntropyLoss", "weight").shape != (num_classes,):
            text = f"expected weight shape to be {(num_classes,)}, got {tuple(weight.shape)}"
            raise refuse(RuntimeError, text, "LinearCrossEntropyLoss", weight)
        if not 0 <= label_smoothing <= 1:
            text = f"expected label_smoothing to be in range [0, 1], got {label_smoothing}"
            raise refuse(RuntimeError, text, "LinearCrossEntropyLoss", label_smoothing)
        super().__init__(weight, reduction=reduction)
        self.num_classes, self.out_features = num_classes, sizes_from([out_features], "LinearCrossEntropyLoss")
        self.ignore_index, self.label_smoothing, self.options = ignore_index, label_smoothing, options
        outputs = math.prod(self.out_features, start=num_classes)
        self.linear = Linear(in_features, outputs, bias=bias, device=device, dtype=dtype)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        sizes, bias = (self.num_classes, *self.out_features), self.linear.bias
        return NF.linear_cross_entropy(
            input, self.linear.weight.reshape((*sizes, self.linear.in_features)), target,
            linear_bias=bias if bias is None else bias.reshape(sizes), weight=self.weight, reduction=self.reduction,
            ignore_index=self.ignore_index, label_smoothing=self.label_smoothing, options=self.options,
        )

    def extra_repr(self) -> str:
        return (
            f"in_features={self.linear.in_features}, num_classes={self.num_classes}, out_features={self.out_features}, "
            f"bias={self.linear.bias is not None}, reduction={self.reduction}, ignore_index={self.ignore_index}, "
            f"label_smoothing={self.label_smoothing}, options={self.options}"
        )


class CTCLoss(Loss):
    """-ln P(targets), where a network says at each step of a sequence which label it sees, or none: the blank.

    All alignments of the targets with the steps count, with blanks between the labels and labels that last several
    steps (Graves et al., 2006). The mean is over the batch, of losses divided by the number of labels.

    Log-probabilities (T, N, C) or (T, C); targets (N, S), or the rows one after the other in one axis; lengths (N,),
    as tensors or tuples. The loss is (), or (N,) with `reduction="none"`. Where the targets do not fit into the steps
    it is inf, or with `zero_infinity` 0 without a gradient. Raises RuntimeError if sizes or lengths do not fit.

    >>> x = torch.full((3, 1, 2), 0.5).log()
    >>> torch.nn.CTCLoss()(x, torch.tensor([[1]]), torch.tensor([3]), torch.tensor([1]))
    tensor(0.2877)
    """

    def __init__(self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False) -> None:
        super().__init__(reduction=reduction)
        self.blank, self.zero_infinity = blank, zero_infinity

    def forward(
        self, log_probs: Tensor, targets: Tensor, input_lengths: Lengths, target_lengths: Lengths
    ) -> Tensor:
        return NF.ctc_loss(
            log_probs, targets, input_lengths, target_lengths, self.blank, self.reduction, self.zero_infinity
        )


class KLDivLoss(Loss):
    """The mean of t (ln t - x) for log-probabilities x; "batchmean" divides the sum by the batch.

    Input and target have the same shape (*); the loss is (), or (*) with `reduction="none"`.
    Raises RuntimeError for integers.

    >>> torch.nn.KLDivLoss(reduction="sum")(torch.tensor([-1.0, -1.0]), torch.tensor([0.5, 0.5]))
    tensor(0.3069)
    """

    def __init__(
        self, size_average: Flag = None, reduce: Flag = None, reduction: str = "mean", log_target: bool = False
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_target = log_target

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return NF.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)


class PoissonNLLLoss(Loss):
    """The mean of eˣ - t x.

    Input and target have the same shape (*); the loss is (), or (*) with `reduction="none"`.

    >>> torch.nn.PoissonNLLLoss()(torch.tensor([0.0, 1.0]), torch.tensor([2.0, 1.0]))
    tensor(1.3591)
    """

    def __init__(
        self, log_input: bool = True, full: bool = False, size_average: Flag = None, eps: float = 1e-8,
        reduce: Flag = None, reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_input, self.full, self.eps = log_input, full, eps

    def forward(self, log_input: Tensor, target: Tensor) -> Tensor:
        return NF.poisson_nll_loss(
            log_input, target, log_input=self.log_input, full=self.full, eps=self.eps, reduction=self.reduction
        )


class GaussianNLLLoss(Loss):
    """The mean of (ln v + (x - t)²/v)/2.

    All three have the same shape; the variance may lack the last axis, or have size 1 there.
    Raises ValueError if a variance is negative or of another size.

    >>> torch.nn.GaussianNLLLoss()(torch.tensor([1.0]), torch.tensor([3.0]), torch.tensor([4.0]))
    tensor(1.1931)
    """

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.full, self.eps = full, eps

    def forward(self, input: Tensor, target: Tensor, var: Tensor) -> Tensor:
        return NF.gaussian_nll_loss(input, target, var, full=self.full, eps=self.eps, reduction=self.reduction)


# ------------------------------------------------------------------------------------ margins
class SoftMarginLoss(Loss):
    """The mean of ln(1 + e^(-t x)) with t = 1 or -1.

    Input and target have the same shape (*); the loss is (), or (*) with `reduction="none"`.

    >>> torch.nn.SoftMarginLoss()(torch.tensor([0.0, 2.0]), torch.tensor([1.0, 1.0]))
    tensor(0.4100)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return NF.soft_margin_loss(input, target, reduction=self.reduction)


class Margin(Loss):
    """A loss with a margin."""

    def __init__(
        self, margin: float = 0.0, size_average: Flag = None, reduce: Flag = None, reduction: str = "mean"
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin


class HingeEmbeddingLoss(Margin):
    """The mean of x where t = 1 and of max(0, margin - x) where t = -1.

    Input and target have the same shape (*); the loss is (), or (*) with `reduction="none"`.

    >>> torch.nn.HingeEmbeddingLoss()(torch.tensor([0.5, 0.25]), torch.tensor([1.0, -1.0]))
    tensor(0.6250)
    """

    def __init__(
        self, margin: float = 1.0, size_average: Flag = None, reduce: Flag = None, reduction: str = "mean"
    ) -> None:
        super().__init__(margin, size_average, reduce, reduction)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return NF.hinge_embedding_loss(input, target, margin=self.margin, reduction=self.reduction)


class MarginRankingLoss(Margin):
    """The mean of max(0, -t (x₁ - x₂) + margin).

    Both scores and the signs have the same shape (*); the loss is (), or (*).

    >>> torch.nn.MarginRankingLoss(0.5)(torch.tensor([1.0]), torch.tensor([2.0]), torch.tensor([1.0]))
    tensor(1.5000)
    """

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        return NF.margin_ranking_loss(input1, input2, target, margin=self.margin, reduction=self.reduction)


class CosineEmbeddingLoss(Margin):
    """The mean of 1 - cos(x₁, x₂) where t = 1 and of max(0, cos(x₁, x₂) - margin) where t = -1.

    Vectors (N, D) and signs (N,), or (D,) and (); the loss is (), or (N,).

    >>> torch.nn.CosineEmbeddingLoss()(torch.ones(1, 2), torch.tensor([[1.0, 0.0]]), torch.tensor([1.0]))
    tensor(0.2929)
    """

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        return NF.cosine_embedding_loss(input1, input2, target, margin=self.margin, reduction=self.reduction)


class TripletMarginLoss(Loss):
    """The mean of max(0, |a - p| - |a - n| + margin).

    Three tensors (*, D); the loss is (), or (*). With `swap`, the distance to n is the smaller of those of a and p.
    Raises ValueError unless `margin` is positive.

    >>> torch.nn.TripletMarginLoss()(torch.zeros(1, 1), torch.ones(1, 1), torch.ones(1, 1))
    tensor(1.)
    """

    def __init__(
        self, margin: float = 1.0, p: float = 2.0, eps: float = 1e-6, swap: bool = False, size_average: Flag = None,
        reduce: Flag = None, reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        expect_number(margin, "TripletMarginLoss", "margin")
        if margin <= 0:
            text = f"TripletMarginLoss: expected margin to be greater than 0, got {margin} instead"
            raise refuse(ValueError, text, "TripletMarginLoss", margin)
        self.margin, self.p, self.eps, self.swap = margin, p, eps, swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        return NF.triplet_margin_loss(
            anchor, positive, negative, margin=self.margin, p=self.p, eps=self.eps, swap=self.swap,
            reduction=self.reduction,
        )


class TripletMarginWithDistanceLoss(Loss):
    """The mean of max(0, d(a, p) - d(a, n) + margin) with a distance d of your own, by default `PairwiseDistance`.

    Three tensors, or whatever d takes. With `swap`, the distance to n is the smaller of those of a and p.
    Raises ValueError unless `margin` is positive.

    >>> far = lambda x, y: (x - y).abs().amax(-1)
    >>> x = torch.zeros(1, 2)
    >>> torch.nn.TripletMarginWithDistanceLoss(distance_function=far)(x, x + 2, x + 1)
    tensor(2.)
    """

    distance_function: Any

    def __init__(
        self, *, distance_function: Callable[[Tensor, Tensor], Tensor] | None = None, margin: float = 1.0,
        swap: bool = False, reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        expect_number(margin, "TripletMarginWithDistanceLoss", "margin")
        if margin <= 0:
            text = f"TripletMarginWithDistanceLoss: expected margin to be greater than 0, got {margin} instead"
            raise refuse(ValueError, text, "TripletMarginWithDistanceLoss", margin)
        self.distance_function = PairwiseDistance() if distance_function is None else distance_function
        self.margin, self.swap = margin, swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        return NF.triplet_margin_with_distance_loss(
            anchor, positive, negative, distance_function=self.distance_function, margin=self.margin, swap=self.swap,
            reduction=self.reduction,
        )


class MultiMarginLoss(WeightedLoss):
    """The mean of Σᵢ w (max(0, margin - xₜ + xᵢ))ᵖ / C over all classes i but the target t, with w that of t.

    Scores (N, C) and classes (N,), or (C,) and (); the loss is (), or (N,). `weight` (C,) weighs the classes.
    Raises ValueError unless p is 1 or 2, RuntimeError if sizes do not fit or a class is out of range.

    >>> torch.nn.MultiMarginLoss()(torch.tensor([[0.1, 0.2, 0.4, 0.8]]), torch.tensor([3]))
    tensor(0.3250)
    """

    def __init__(
        self, p: int = 1, margin: float = 1.0, weight: Tensor | None = None, size_average: Flag = None,
        reduce: Flag = None, reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        if p != 1 and p != 2:
            raise refuse(ValueError, "only p == 1 and p == 2 supported", "MultiMarginLoss", p)
        if weight is not None and weight.ndim != 1:
            text = f"MultiMarginLoss: expected weight to be None or 1D tensor, got {weight.ndim}D instead"
            raise refuse(ValueError, text, "MultiMarginLoss", weight)
        self.p, self.margin = p, margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return NF.multi_margin_loss(
            input, target, p=self.p, margin=self.margin, weight=self.weight, reduction=self.reduction
        )


class MultiLabelMarginLoss(Loss):
    """The mean of Σⱼᵢ max(0, 1 - xⱼ + xᵢ) / C over the targets j of a row and all other classes i.

    Scores (N, C) and as many targets, of which those before the first -1 of a row count; or both (C,). The loss is (),
    or (N,). Raises RuntimeError if sizes differ or a target is out of range.

    >>> torch.nn.MultiLabelMarginLoss()(torch.tensor([[0.1, 0.2, 0.4, 0.8]]), torch.tensor([[3, 0, -1, 1]]))
    tensor(0.8500)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return NF.multilabel_margin_loss(input, target, reduction=self.reduction)


class MultiLabelSoftMarginLoss(WeightedLoss):
    """The mean of the binary cross entropies of σ(x) over the classes.

    Input and target have the shape (N, C) or (C,); the loss is (), or (N,) with `reduction="none"`. `weight` (C,)
    weighs the classes. Raises RuntimeError if the shapes do not broadcast.

    >>> torch.nn.MultiLabelSoftMarginLoss()(torch.zeros(2, 3), torch.ones(2, 3))
    tensor(0.6931)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return NF.multilabel_soft_margin_loss(input, target, weight=self.weight, reduction=self.reduction)


# ------------------------------------------------------------------------------------ distances as modules
class CosineSimilarity(Module):
    """x₁·x₂ / (|x₁| |x₂|) along `dim`.

    Two tensors that broadcast together; the output lacks the axis `dim`. Below ε a length counts as ε.
    Raises RuntimeError if the shapes do not broadcast.

    >>> torch.nn.CosineSimilarity()(torch.ones(1, 2), torch.tensor([[1.0, 0.0]]))
    tensor([0.7071])
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim, self.eps = dim, eps

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return NF.cosine_similarity(x1, x2, self.dim, self.eps)


class PairwiseDistance(Module):
    """|x₁ - x₂ + ε|ₚ over the last axis.

    Two tensors (*, D); output (*), or (*, 1) with `keepdim`. Raises RuntimeError if the shapes do not broadcast.

    >>> torch.nn.PairwiseDistance()(torch.zeros(1, 2), torch.tensor([[3.0, 4.0]]))
    tensor([5.0000])
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm, self.eps, self.keepdim = p, eps, keepdim

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return NF.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)
