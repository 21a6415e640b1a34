"""Losses of numbers: distances of input and target, and likelihoods of counts and of measurements."""

# fmt: off
from __future__ import annotations

import math

import numpy as np

from tinygrad_pt import functions as F
from tinygrad_pt import ops
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.arguments import expect_tensor
from tinygrad_pt.half import in_float32
from tinygrad_pt.nn.functional.check import Flag, expect_number, only_tensors
from tinygrad_pt.nn.functional.reduction import REDUCTIONS, legacy_reduction, paired, reduced, reduction_of, weighted
from tinygrad_pt.ops import loss as L
from tinygrad_pt.tensor import Tensor

__all__ = ["gaussian_nll_loss", "huber_loss", "l1_loss", "mse_loss", "poisson_nll_loss", "smooth_l1_loss"]


def mse_loss(
    input: Tensor, target: Tensor, size_average: Flag = None, reduce: Flag = None, reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """The mean of (x - t)²; with `reduction`, the sum, or each.

    >>> torch.nn.functional.mse_loss(torch.tensor([1.0, 2.0]), torch.zeros(2))
    tensor(2.5000)
    """
    if not (isinstance(input, Tensor) and isinstance(target, Tensor)):
        only_tensors("mse_loss", input=input, target=target)
    x, t = input.array, target.array
    if x.shape != t.shape or x.dtype is not t.dtype or x.dtype.kind != "f":
        input, target = paired(input, target, "mse_loss")
    if weight is not None:
        reduction = legacy_reduction(reduction, size_average, reduce)
        return weighted("mse_loss", ops.square(input - target), weight, reduction)
    if size_average is not None or reduce is not None or reduction not in REDUCTIONS:
        reduction = reduction_of("mse_loss", reduction, size_average, reduce)
    return L.mse_loss(input, target, reduction=reduction)


def l1_loss(
    input: Tensor, target: Tensor, size_average: Flag = None, reduce: Flag = None, reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """The mean of |x - t|; see `nn.L1Loss`.

    >>> torch.nn.functional.l1_loss(torch.tensor([1.0, 3.0]), torch.tensor([0.0, 0.5]))
    tensor(1.7500)
    """
    only_tensors("l1_loss", input=input, target=target)
    input, target = paired(input, target, "l1_loss", floating=False)
    distance = ops.abs(input - target)
    if weight is not None:
        return weighted("l1_loss", distance, weight, legacy_reduction(reduction, size_average, reduce))
    return reduced(distance, reduction_of("l1_loss", reduction, size_average, reduce))


def smooth_l1_loss(
    input: Tensor, target: Tensor, size_average: Flag = None, reduce: Flag = None, reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """The mean of d²/2β where d = |x - t| < β, else d - β/2 (Girshick, 2015); see `nn.SmoothL1Loss`.

    >>> torch.nn.functional.smooth_l1_loss(torch.tensor([1.0, 3.0]), torch.tensor([0.0, 0.5]))
    tensor(1.2500)
    """
    only_tensors("smooth_l1_loss", input=input, target=target)
    expect_number(beta, "smooth_l1_loss", "beta")
    input, target = paired(input, target, "smooth_l1_loss", floating=beta != 0)
    reduction = reduction_of("smooth_l1_loss", reduction, size_average, reduce)
    if beta < 0:
        raise refuse(RuntimeError, "smooth_l1_loss does not support negative values for beta.", "smooth_l1_loss", input)
    if beta == 0:
        return l1_loss(input, target, reduction=reduction)
    return L.smooth_l1_loss(input, target, beta=float(beta), reduction=reduction)


def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """The mean of d²/2 where d = |x - t| < δ, else δ (d - δ/2) (Huber, 1964); see `nn.HuberLoss`.

    >>> torch.nn.functional.huber_loss(torch.tensor([1.0, 3.0]), torch.tensor([0.0, 0.5]))
    tensor(1.2500)
    """
    only_tensors("huber_loss", input=input, target=target)
    expect_number(delta, "huber_loss", "delta")
    input, target = paired(input, target, "huber_loss")
    delta = float(delta)
    if delta <= 0:
        raise refuse(RuntimeError, "huber_loss does not support non-positive values for delta.", "huber_loss", input)
    if weight is not None:
        each = L.huber_loss(input, target, delta=delta, reduction="none")
        return weighted("huber_loss", each, weight, reduction, over_weights=False)
    return L.huber_loss(input, target, delta=delta, reduction=reduction_of("huber_loss", reduction))


def poisson_nll_loss(
    input: Tensor, target: Tensor, log_input: bool = True, full: bool = False, size_average: Flag = None,
    eps: float = 1e-8, reduce: Flag = None, reduction: str = "mean",
) -> Tensor:
    """The mean of eˣ - t x; without `log_input`, x - t ln(x + ε); `full` adds Stirling's term; see `nn.PoissonNLLLoss`.

    >>> torch.nn.functional.poisson_nll_loss(torch.tensor([1.0, 3.0]), torch.tensor([0.0, 0.5]))
    tensor(10.6519)
    """
    only_tensors("poisson_nll_loss", input=input, target=target)
    expect_number(eps, "poisson_nll_loss", "eps")
    reduction = reduction_of("poisson_nll_loss", reduction, size_average, reduce)
    return reduced(_poisson(input, target, log_input, full, eps), reduction)


@in_float32
def _poisson(input: Tensor, target: Tensor, log_input: bool, full: bool, eps: float) -> Tensor:
    """The Poisson loss of each element."""
    each = ops.exp(input) - target * input if log_input else input - target * ops.log(input + eps)
    if full:
        large = ops.gt(target, 1)
        safe = F.where(large, target, 1)
        each = each + F.where(large, safe * ops.log(safe) - safe + 0.5 * ops.log(2 * math.pi * safe), 0.0)
    return each


def gaussian_nll_loss(
    input: Tensor, target: Tensor, var: Tensor | float, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Tensor:
    """The mean of (ln v + (x - t)²/v)/2 with variance v, at least ε; `full` adds ln(2π)/2; see `nn.GaussianNLLLoss`.

    >>> torch.nn.functional.gaussian_nll_loss(torch.tensor([1.0]), torch.tensor([3.0]), 4.0)
    tensor(1.1931)
    """
    only_tensors("gaussian_nll_loss", input=input, target=target)
    expect_number(eps, "gaussian_nll_loss", "eps")
    if isinstance(var, (int, float)):
        variance: Tensor = F.full_like(input, float(var))
    else:
        variance = expect_tensor(var, "gaussian_nll_loss", "var", 3)
    x, v = input.array, variance.array
    if v.dtype.kind != "f":
        text = f"result type Float can't be cast to the desired output type {variance.dtype.c_name}"
        raise refuse(RuntimeError, text, "gaussian_nll_loss", input, target, var, mend="convert it: var.float()")
    if (v < 0).any():
        raise refuse(ValueError, "var has negative entry/entries", "gaussian_nll_loss", input, target, var)
    if v.shape != x.shape:
        if x.shape[:-1] == v.shape:
            variance = ops.unsqueeze(variance, axis=-1)
        elif x.ndim != v.ndim or sum(n for m, n in zip(x.shape, v.shape, strict=True) if m != n) != 1:
            raise refuse(ValueError, "var is of incorrect size", "gaussian_nll_loss", input, target, var)
    reduction = reduction_of("gaussian_nll_loss", reduction, text="{} is not valid")
    return reduced(_gaussian(input, target, variance, full, float(eps)), reduction)


@in_float32
def _gaussian(input: Tensor, target: Tensor, variance: Tensor, full: bool, eps: float) -> Tensor:
    """The Gaussian loss of each element."""
    v = variance.array
    variance = variance + wrap(np.maximum(v.dtype.type(eps) - v, 0))  # at least ε; same gradient
    distance = input - target
    each = ops.log(variance) * 0.5 + (distance * 0.5) * (distance / variance)  # distance² may be too large for a float
    return each + 0.5 * math.log(2 * math.pi) if full else each
