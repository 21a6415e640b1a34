"""Losses as modules: each keeps its settings and calls the function of its name in `functional`."""
# fmt: off

from __future__ import annotations

from tinygrad_pt.errors import refuse
from tinygrad_pt.nn import functional as NF
from tinygrad_pt.nn.functional.check import expect_number
from tinygrad_pt.nn.functional.reduction import legacy_reduction
from tinygrad_pt.nn.module import Module
from tinygrad_pt.tensor import Tensor


class Loss(Module):
    """A loss with a reduction: "mean", "sum" or "none"; its call raises a ValueError for any other.

    `size_average` and `reduce` are PyTorch 0.4's words for it: they still work, with a warning.
    """

    def __init__(self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = legacy_reduction(reduction, size_average, reduce)


class WeightedLoss(Loss):
    """A loss with a weight, kept as a buffer."""

    weight: Tensor | None

    def __init__(
        self, weight: Tensor | None = None, size_average: bool | None = None, reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)


# ------------------------------------------------------------------------------------ distances
class MSELoss(Loss):
    """The mean of (x - t)².

    >>> import tinygrad_pt as torch
    >>> torch.nn.MSELoss()(torch.tensor([1.0, 3.0]), torch.tensor([0.0, 0.0]))
    tensor(5.)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss of input and target of one shape."""
        return NF.mse_loss(input, target, reduction=self.reduction)


class L1Loss(Loss):
    """The mean of |x - t|.

    Input and target have one shape, (*); the loss is (), or (*) with `reduction="none"`.

    Raises:
        RuntimeError: the shapes do not broadcast.

    >>> import tinygrad_pt as torch
    >>> torch.nn.L1Loss()(torch.tensor([1.0, 3.0]), torch.tensor([0.0, 0.5]))
    tensor(1.7500)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss of input and target of one shape."""
        return NF.l1_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(Loss):
    """The mean of d²/2β where d = |x - t| < β, else d - β/2.

    Input and target have one shape, (*); the loss is (), or (*) with `reduction="none"`.

    Raises:
        RuntimeError: the shapes do not broadcast.

    >>> import tinygrad_pt as torch
    >>> torch.nn.SmoothL1Loss()(torch.tensor([1.0, 3.0]), torch.tensor([0.0, 0.5]))
    tensor(1.2500)
    """

    def __init__(
        self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean", beta: float = 1.0
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss of input and target of one shape."""
        return NF.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(Loss):
    """The mean of d²/2 where d = |x - t| < δ, else δ (d - δ/2).

    Input and target have one shape, (*); the loss is (), or (*) with `reduction="none"`.

    Raises:
        RuntimeError: the shapes do not broadcast.

    >>> import tinygrad_pt as torch
    >>> torch.nn.HuberLoss()(torch.tensor([1.0, 3.0]), torch.tensor([0.0, 0.5]))
    tensor(1.2500)
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss of input and target of one shape."""
        return NF.huber_loss(input, target, reduction=self.reduction, delta=self.delta)


# ------------------------------------------------------------------------------------ likelihoods
class BCELoss(WeightedLoss):
    """The mean of -t ln x - (1 - t) ln(1 - x) for probabilities x.

    Input and target have one shape, (*); the loss is (), or (*) with `reduction="none"`.
    `weight` multiplies the losses.

    Raises:
        RuntimeError: an x is outside [0, 1].

    >>> import tinygrad_pt as torch
    >>> torch.nn.BCELoss()(torch.tensor([0.9, 0.2]), torch.tensor([1.0, 0.0]))
    tensor(0.1643)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss of probabilities and targets of one shape."""
        return NF.binary_cross_entropy(input, target, weight=self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(WeightedLoss):
    """The binary cross entropy of σ(x), stable for any x.

    Input and target have one shape, (*); the loss is (), or (*) with `reduction="none"`.
    `pos_weight` multiplies the term of t = 1.

    Raises:
        ValueError: the shapes differ.

    >>> import tinygrad_pt as torch
    >>> torch.nn.BCEWithLogitsLoss()(torch.tensor([0.0, 1000.0]), torch.tensor([1.0, 1.0]))
    tensor(0.3466)
    """

    pos_weight: Tensor | None

    def __init__(
        self, weight: Tensor | None = None, size_average: bool | None = None, reduce: bool | None = None,
        reduction: str = "mean", pos_weight: Tensor | None = None,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss of logits and targets of one shape."""
        return NF.binary_cross_entropy_with_logits(
            input, target, self.weight, pos_weight=self.pos_weight, reduction=self.reduction
        )


class CrossEntropyLoss(WeightedLoss):
    """The mean of -ln softmax(x)ₜ for logits (N, C, *) and class numbers (N, *) or probabilities (N, C, *).

    >>> import tinygrad_pt as torch
    >>> torch.nn.CrossEntropyLoss()(torch.zeros(2, 10), torch.tensor([3, 7]))
    tensor(2.3026)
    """

    def __init__(
        self, weight: Tensor | None = None, size_average: bool | None = None, ignore_index: int = -100,
        reduce: bool | None = None, reduction: str = "mean", label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss of logits and targets."""
        return NF.cross_entropy(
            input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class NLLLoss(WeightedLoss):
    """The mean of -xₜ for log-probabilities (N, C, *) and class numbers (N, *).

    The loss is (), or (N, *) with `reduction="none"`. `weight` (C,) weighs the classes.

    Raises:
        IndexError: a target is outside 0 … C-1.

    >>> import tinygrad_pt as torch
    >>> torch.nn.NLLLoss()(torch.tensor([[-0.5, -1.0]]), torch.tensor([1]))
    tensor(1.)
    """

    def __init__(
        self, weight: Tensor | None = None, size_average: bool | None = None, ignore_index: int = -100,
        reduce: bool | None = None, reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss of log-probabilities and class numbers."""
        return NF.nll_loss(input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction)


class KLDivLoss(Loss):
    """The mean of t (ln t - x) for log-probabilities x; "batchmean" divides the sum by the batch.

    Input and target have one shape, (*); the loss is (), or (*) with `reduction="none"`.

    Raises:
        RuntimeError: input or target is of an integer dtype.

    >>> import tinygrad_pt as torch
    >>> torch.nn.KLDivLoss(reduction="sum")(torch.tensor([-1.0, -1.0]), torch.tensor([0.5, 0.5]))
    tensor(0.3069)
    """

    def __init__(
        self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
        log_target: bool = False,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_target = log_target

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss of log-probabilities and probabilities."""
        return NF.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)


class PoissonNLLLoss(Loss):
    """The mean of eˣ - t x.

    Input and target have one shape, (*); the loss is (), or (*) with `reduction="none"`.

    >>> import tinygrad_pt as torch
    >>> torch.nn.PoissonNLLLoss()(torch.tensor([0.0, 1.0]), torch.tensor([2.0, 1.0]))
    tensor(1.3591)
    """

    def __init__(
        self, log_input: bool = True, full: bool = False, size_average: bool | None = None, eps: float = 1e-8,
        reduce: bool | None = None, reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_input, self.full, self.eps = log_input, full, eps

    def forward(self, log_input: Tensor, target: Tensor) -> Tensor:
        """The loss of (the logarithm of) rates and counts."""
        return NF.poisson_nll_loss(
            log_input,
            target,
            log_input=self.log_input,
            full=self.full,
            eps=self.eps,
            reduction=self.reduction,
        )


class GaussianNLLLoss(Loss):
    """The mean of (ln v + (x - t)²/v)/2.

    All three have one shape; the variance may lack the last axis, or have size 1 there.

    Raises:
        ValueError: a variance is negative, or of another size.

    >>> import tinygrad_pt as torch
    >>> torch.nn.GaussianNLLLoss()(torch.tensor([1.0]), torch.tensor([3.0]), torch.tensor([4.0]))
    tensor(1.1931)
    """

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.full, self.eps = full, eps

    def forward(self, input: Tensor, target: Tensor, var: Tensor) -> Tensor:
        """The loss of means, targets and variances."""
        return NF.gaussian_nll_loss(input, target, var, full=self.full, eps=self.eps, reduction=self.reduction)


# ------------------------------------------------------------------------------------ margins
class SoftMarginLoss(Loss):
    """The mean of ln(1 + e^(-t x)), t being 1 or -1.

    Input and target have one shape, (*); the loss is (), or (*) with `reduction="none"`.

    >>> import tinygrad_pt as torch
    >>> torch.nn.SoftMarginLoss()(torch.tensor([0.0, 2.0]), torch.tensor([1.0, 1.0]))
    tensor(0.4100)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss of scores and signs."""
        return NF.soft_margin_loss(input, target, reduction=self.reduction)


class Margin(Loss):
    """A loss with a margin."""

    def __init__(
        self, margin: float = 0.0, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin


class HingeEmbeddingLoss(Margin):
    """The mean of x where t = 1 and of max(0, margin - x) where t = -1.

    Input and target have one shape, (*); the loss is (), or (*) with `reduction="none"`.

    >>> import tinygrad_pt as torch
    >>> torch.nn.HingeEmbeddingLoss()(torch.tensor([0.5, 0.25]), torch.tensor([1.0, -1.0]))
    tensor(0.6250)
    """

    def __init__(
        self, margin: float = 1.0, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
    ) -> None:
        super().__init__(margin, size_average, reduce, reduction)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss of distances and signs."""
        return NF.hinge_embedding_loss(input, target, margin=self.margin, reduction=self.reduction)


class MarginRankingLoss(Margin):
    """The mean of max(0, -t (x₁ - x₂) + margin).

    Both scores and the signs have one shape, (*); the loss is (), or (*).

    >>> import tinygrad_pt as torch
    >>> torch.nn.MarginRankingLoss(0.5)(torch.tensor([1.0]), torch.tensor([2.0]), torch.tensor([1.0]))
    tensor(1.5000)
    """

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        """The loss of two scores and the sign of their order."""
        return NF.margin_ranking_loss(input1, input2, target, margin=self.margin, reduction=self.reduction)


class CosineEmbeddingLoss(Margin):
    """The mean of 1 - cos(x₁, x₂) where t = 1 and of max(0, cos(x₁, x₂) - margin) where t = -1.

    Vectors (N, D) and signs (N,), or (D,) and (); the loss is (), or (N,).

    >>> import tinygrad_pt as torch
    >>> torch.nn.CosineEmbeddingLoss()(torch.ones(1, 2), torch.tensor([[1.0, 0.0]]), torch.tensor([1.0]))
    tensor(0.2929)
    """

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        """The loss of two vectors and whether they belong together."""
        return NF.cosine_embedding_loss(input1, input2, target, margin=self.margin, reduction=self.reduction)


class TripletMarginLoss(Loss):
    """The mean of max(0, |a - p| - |a - n| + margin).

    Three tensors (*, D); the loss is (), or (*). With `swap` the nearer of a and p counts against n.

    Raises:
        ValueError: `margin` is not positive.

    >>> import tinygrad_pt as torch
    >>> torch.nn.TripletMarginLoss()(torch.zeros(1, 1), torch.ones(1, 1), torch.ones(1, 1))
    tensor(1.)
    """

    def __init__(
        self, margin: float = 1.0, p: float = 2.0, eps: float = 1e-6, swap: bool = False,
        size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        expect_number(margin, "TripletMarginLoss", "margin")
        if margin <= 0:
            text = f"TripletMarginLoss: expected margin to be greater than 0, got {margin} instead"
            raise refuse(ValueError, text, "TripletMarginLoss", margin)
        self.margin, self.p, self.eps, self.swap = margin, p, eps, swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """The loss of an anchor, one like it and one unlike it."""
        return NF.triplet_margin_loss(
            anchor, positive, negative, margin=self.margin, p=self.p, eps=self.eps, swap=self.swap,
            reduction=self.reduction,
        )


# ------------------------------------------------------------------------------------ distances as modules
class CosineSimilarity(Module):
    """x₁·x₂ / (|x₁| |x₂|) along `dim`.

    Two tensors that broadcast together; the output lacks the axis `dim`. Below ε a length counts as ε.

    Raises:
        RuntimeError: the shapes do not broadcast.

    >>> import tinygrad_pt as torch
    >>> torch.nn.CosineSimilarity()(torch.ones(1, 2), torch.tensor([[1.0, 0.0]]))
    tensor([0.7071])
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim, self.eps = dim, eps

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """The cosine of the angle between the two."""
        return NF.cosine_similarity(x1, x2, self.dim, self.eps)


class PairwiseDistance(Module):
    """|x₁ - x₂ + ε|ₚ over the last axis.

    Two tensors (*, D); output (*), or (*, 1) with `keepdim`.

    Raises:
        RuntimeError: the shapes do not broadcast.

    >>> import tinygrad_pt as torch
    >>> torch.nn.PairwiseDistance()(torch.zeros(1, 2), torch.tensor([[3.0, 4.0]]))
    tensor([5.0000])
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm, self.eps, self.keepdim = p, eps, keepdim

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """The distance of the two."""
        return NF.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)
