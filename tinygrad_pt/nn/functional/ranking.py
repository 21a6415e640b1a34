"""Distances of vectors, and losses that compare two of them, or two scores."""

# fmt: off
from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinygrad_pt import functions as F
from tinygrad_pt import ops
from tinygrad_pt.errors import broadcast_text, refuse
from tinygrad_pt.functions.arguments import promoted
from tinygrad_pt.functions.checks import into
from tinygrad_pt.half import in_float32
from tinygrad_pt.nn.functional.check import Flag, as_integer, expect_number, only_tensors, spoken
from tinygrad_pt.nn.functional.reduction import reduced, reduction_of
from tinygrad_pt.tensor import Tensor

__all__ = [
    "cosine_embedding_loss", "cosine_similarity", "hinge_embedding_loss", "margin_ranking_loss", "normalize",
    "pairwise_distance", "pdist", "triplet_margin_loss", "triplet_margin_with_distance_loss",
]


@in_float32
def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Tensor | None = None) -> Tensor:
    """x / max(|x|ₚ, ε) along `dim`.

    >>> torch.nn.functional.normalize(torch.tensor([[3.0, 4.0]]))
    tensor([[0.6000, 0.8000]])
    """
    only_tensors("normalize", input=input)
    expect_number(p, "normalize", "p")
    expect_number(eps, "normalize", "eps")
    y = input / F.clamp(F.norm(input, p, dim, keepdim=True), min=eps)
    return y if out is None else into(out, "normalize", y, 5)


@in_float32
def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """x₁·x₂ / (max(|x₁|, ε) max(|x₂|, ε)) along `dim`; see `nn.CosineSimilarity`.

    >>> torch.nn.functional.cosine_similarity(torch.ones(1, 2), torch.tensor([[1.0, 0.0]]))
    tensor([0.7071])
    """
    only_tensors("cosine_similarity", x1=x1, x2=x2)
    expect_number(eps, "cosine_similarity", "eps")
    text = broadcast_text(x1.array.shape, x2.array.shape)
    if text:
        raise refuse(RuntimeError, text, "cosine_similarity", x1, x2)
    x1, x2 = F.broadcast_tensors(*promoted(x1, x2))
    if x1.array.dtype.kind != "f":
        text = f"expected common dtype to be floating point, yet common dtype is {spoken(x1)}"
        raise refuse(RuntimeError, text, "cosine_similarity", x1, x2, mend="convert one of them: x.float()")
    a = x1 / F.clamp(F.norm(x1, 2, dim, keepdim=True), min=eps)
    b = x2 / F.clamp(F.norm(x2, 2, dim, keepdim=True), min=eps)
    return F.sum(a * b, dim)


@in_float32
def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """|x₁ - x₂ + ε|ₚ over the last axis; see `nn.PairwiseDistance`.

    >>> torch.nn.functional.pairwise_distance(torch.zeros(1, 2), torch.tensor([[3.0, 4.0]]))
    tensor([5.0000])
    """
    only_tensors("pairwise_distance", x1=x1, x2=x2)
    expect_number(p, "pairwise_distance", "p")
    expect_number(eps, "pairwise_distance", "eps")
    return F.norm(x1 - x2 + eps, p, -1, bool(keepdim))


def pdist(input: Tensor, p: float = 2.0) -> Tensor:
    """|xᵢ - xⱼ|ₚ for all pairs i < j of rows: (N, D) gives (N (N-1) / 2,).

    >>> torch.nn.functional.pdist(torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]]))
    tensor([5.0000, 1.0000, 4.2426])
    """
    only_tensors("pdist", input=input)
    expect_number(p, "pdist", "p")
    x = input.array
    if x.ndim != 2:
        raise refuse(RuntimeError, f"pdist only supports 2D tensors, got: {x.ndim}D", "pdist", input)
    if x.dtype.kind != "f":
        raise refuse(RuntimeError, "pdist only supports floating-point dtypes", "pdist", input, mend="x.float()")
    if not p >= 0:
        raise refuse(RuntimeError, "pdist only supports non-negative p values", "pdist", input, p)
    i, j = np.triu_indices(x.shape[0], 1)
    if not x.shape[1]:
        return F.sum(input[i], 1)
    return _distances(input[i] - input[j], p)


@in_float32
def _distances(difference: Tensor, p: float) -> Tensor:
    """The p-norms of the rows."""
    return F.norm(difference, p, 1)


def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0, size_average: Flag = None, reduce: Flag = None,
    reduction: str = "mean",
) -> Tensor:
    """The mean of max(0, -t (x₁ - x₂) + margin), t = 1 where x₁ should be higher, else -1; see `nn.MarginRankingLoss`.

    >>> torch.nn.functional.margin_ranking_loss(torch.tensor([1.0]), torch.tensor([2.0]), torch.tensor([1.0]))
    tensor(1.)
    """
    only_tensors("margin_ranking_loss", input1=input1, input2=input2, target=target)
    expect_number(margin, "margin_ranking_loss", "margin")
    reduction = reduction_of("margin_ranking_loss", reduction, size_average, reduce)
    if len({input1.array.ndim, input2.array.ndim, target.array.ndim}) > 1:
        text = (
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: input1: "
            f"{input1.shape}, input2: {input2.shape}, target: {target.shape} "
        )
        raise refuse(RuntimeError, text, "margin_ranking_loss", input1, input2, target)
    return reduced(F.clamp(-target * (input1 - input2) + float(margin), min=0), reduction)


def hinge_embedding_loss(
    input: Tensor, target: Tensor, margin: float = 1.0, size_average: Flag = None, reduce: Flag = None,
    reduction: str = "mean",
) -> Tensor:
    """The mean of x where t = 1 and of max(0, margin - x) where t = -1; see `nn.HingeEmbeddingLoss`.

    >>> torch.nn.functional.hinge_embedding_loss(torch.tensor([0.5, 0.25]), torch.tensor([1.0, -1.0]))
    tensor(0.6250)
    """
    only_tensors("hinge_embedding_loss", input=input, target=target)
    expect_number(margin, "hinge_embedding_loss", "margin")
    reduction = reduction_of("hinge_embedding_loss", reduction, size_average, reduce)
    if input.array.dtype.kind != "f":
        margin = as_integer(margin, "hinge_embedding_loss")
    far = F.where(ops.ne(target, 1), F.clamp(margin - input, min=0), 0)
    return reduced(far + F.where(ops.ne(target, -1), input, 0), reduction)


def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0, size_average: Flag = None, reduce: Flag = None,
    reduction: str = "mean",
) -> Tensor:
    """The mean of 1 - cos(x₁, x₂) where t = 1, max(0, cos(x₁, x₂) - margin) where t = -1; see `nn.CosineEmbeddingLoss`.

    >>> torch.nn.functional.cosine_embedding_loss(torch.ones(2), torch.tensor([1.0, 0.0]), torch.tensor(1.0))
    tensor(0.2929)
    """
    only_tensors("cosine_embedding_loss", input1=input1, input2=input2, target=target)
    expect_number(margin, "cosine_embedding_loss", "margin")
    reduction = reduction_of("cosine_embedding_loss", reduction, size_average, reduce)
    n, shapes = target.array.ndim, [list(x.array.shape) for x in (input1, input2)]
    text = "0D or 1D target tensor expected, multi-target not supported" if n > 1 else ""
    if n < 2 and any(len(shape) != n + 1 for shape in shapes):
        text = f"{n}D target tensor expects {n + 1}D input tensors, but found inputs with sizes "
        text += f"{shapes[0]} and {shapes[1]}."
    text = text or broadcast_text(input1.array.shape, input2.array.shape)
    if not text and n:
        text = broadcast_text(target.array.shape, np.broadcast_shapes(*shapes)[:-1])
    if text:
        raise refuse(RuntimeError, text, "cosine_embedding_loss", input1, input2, target)
    return reduced(_of_directions(input1, input2, target, margin), reduction)


@in_float32
def _of_directions(input1: Tensor, input2: Tensor, target: Tensor, margin: float) -> Tensor:
    """The cosine embedding loss of each pair."""
    cosine = F.sum(_direction(input1) * _direction(input2), -1)
    near = ops.where(ops.eq(target, 1), 1 - cosine, 0.0)
    return near + ops.where(ops.eq(target, -1), F.clamp(cosine - margin, min=0), 0.0)


def _direction(x: Tensor) -> Tensor:
    """x/√(x·x + 10⁻¹²) over the last axis."""
    x = x if x.array.dtype.kind == "f" else x.float()
    return x / F.hypot(F.norm(x, 2, -1, keepdim=True), F.full_like(x[..., :1], 1e-6))


def triplet_margin_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, margin: float = 1.0, p: float = 2, eps: float = 1e-6,
    swap: bool = False, size_average: Flag = None, reduce: Flag = None, reduction: str = "mean",
) -> Tensor:
    """The mean of max(0, |a - p| - |a - n| + margin) (Balntas et al., 2016); see `nn.TripletMarginLoss`.

    >>> torch.nn.functional.triplet_margin_loss(torch.zeros(1, 1), torch.ones(1, 1), torch.ones(1, 1))
    tensor(1.)
    """
    only_tensors("triplet_margin_loss", anchor=anchor, positive=positive, negative=negative)
    expect_number(margin, "triplet_margin_loss", "margin")
    expect_number(p, "triplet_margin_loss", "p")
    expect_number(eps, "triplet_margin_loss", "eps")
    reduction = reduction_of("triplet_margin_loss", reduction, size_average, reduce)
    if margin <= 0:
        raise refuse(ValueError, f"margin must be greater than 0, got {margin}", "triplet_margin_loss", anchor)
    _check_triplet("triplet_margin_loss", anchor, positive, negative)
    return reduced(_of_triplets(anchor, positive, negative, margin, p, eps, swap), reduction)


def triplet_margin_with_distance_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None, margin: float = 1.0, swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """The mean of max(0, d(a, p) - d(a, n) + margin) with a distance d of your own.

    Without one, d is `pairwise_distance`; see `nn.TripletMarginWithDistanceLoss`.

    >>> x = torch.tensor([[0.0]])
    >>> torch.nn.functional.triplet_margin_with_distance_loss(x, x + 1, x + 3, margin=5.0)
    tensor(3.)
    """
    op = "triplet_margin_with_distance_loss"
    only_tensors(op, anchor=anchor, positive=positive, negative=negative)
    reduction = reduction_of(op, reduction)
    expect_number(margin, op, "margin")
    if margin <= 0:
        raise refuse(ValueError, f"margin must be greater than 0, got {margin}", op, anchor)
    _check_triplet(op, anchor, positive, negative)
    if not (distance_function is None or callable(distance_function)):
        text = f"'{type(distance_function).__name__}' object is not callable"
        raise refuse(TypeError, text, op, anchor, mend="give a function of two tensors")
    distance = pairwise_distance if distance_function is None else distance_function
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = F.minimum(far, distance(positive, negative))
    return reduced(F.clamp(margin + near - far, min=0), reduction)


def _check_triplet(op: str, anchor: Tensor, positive: Tensor, negative: Tensor) -> None:
    """Raise PyTorch's error unless the three have equally many dimensions."""
    ranks = [x.array.ndim for x in (anchor, positive, negative)]
    if len(set(ranks)) > 1:
        text = "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got"
        text += f": anchor {ranks[0]}D, positive {ranks[1]}D, and negative {ranks[2]}D inputs"
        raise refuse(RuntimeError, text, op, anchor, positive, negative)


@in_float32
def _of_triplets(
    anchor: Tensor, positive: Tensor, negative: Tensor, margin: float, p: float, eps: float, swap: bool
) -> Tensor:
    """The triplet margin loss of each triplet."""
    far = pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = F.minimum(far, pairwise_distance(positive, negative, p, eps))
    return F.clamp(pairwise_distance(anchor, positive, p, eps) - far + margin, min=0)
