"""Losses of numbers: distances of input and target, and likelihoods of counts and of measurements."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_pt import functions as F
from tinygrad_pt import ops
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.arguments import expect_tensor
from tinygrad_pt.graph import Handle
from tinygrad_pt.nn.functional.checks import only_tensors
from tinygrad_pt.nn.functional.reduction import REDUCTIONS, check_reduction, legacy_reduction, paired, reduced, weighted
from tinygrad_pt.ops import loss as L


def mse_loss(
    input: Any,
    target: Any,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    weight: Any = None,
) -> Any:
    """The mean of (x - t)²; or its sum, or each, by `reduction`.

    >>> import tinygrad_pt as torch
    >>> torch.nn.functional.mse_loss(torch.tensor([1.0, 2.0]), torch.zeros(2))
    tensor(2.5000)
    """
    if not (isinstance(input, Handle) and isinstance(target, Handle)):
        only_tensors("mse_loss", input=input, target=target)
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    x, t = input.array, target.array
    if x.shape != t.shape or x.dtype is not t.dtype or x.dtype.kind != "f":
        input, target = paired(input, target, "mse_loss")
    if weight is not None:
        return weighted(ops.square(input - target), weight, input, reduction, True)
    if reduction not in REDUCTIONS:
        check_reduction(reduction)
    return L.mse_loss(input, target, reduction=reduction)


def l1_loss(
    input: Any,
    target: Any,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    weight: Any = None,
) -> Any:
    """The mean of |x - t|.

    Shapes and errors are those of `nn.L1Loss`.

    >>> import tinygrad_pt as torch
    >>> torch.nn.functional.l1_loss(torch.tensor([1.0, 3.0]), torch.tensor([0.0, 0.5]))
    tensor(1.7500)
    """
    only_tensors("l1_loss", input=input, target=target)
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    input, target = paired(input, target, "l1_loss", floating=False)
    distance = ops.abs(input - target)
    if weight is not None:
        return weighted(distance, weight, input, reduction, True)
    check_reduction(reduction)
    return reduced(distance, reduction)


def smooth_l1_loss(
    input: Any,
    target: Any,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Any:
    """The mean of d²/2β where d = |x - t| < β, else d - β/2 (Girshick, 2015).

    Shapes and errors are those of `nn.SmoothL1Loss`.

    >>> import tinygrad_pt as torch
    >>> torch.nn.functional.smooth_l1_loss(torch.tensor([1.0, 3.0]), torch.tensor([0.0, 0.5]))
    tensor(1.2500)
    """
    only_tensors("smooth_l1_loss", input=input, target=target)
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    input, target = paired(input, target, "smooth_l1_loss", floating=beta != 0)
    check_reduction(reduction)
    if beta < 0:
        raise refuse(RuntimeError, "smooth_l1_loss does not support negative values for beta.", "smooth_l1_loss", input)
    if beta == 0:
        return l1_loss(input, target, reduction=reduction)
    return L.smooth_l1_loss(input, target, beta=beta, reduction=reduction)


def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0, weight: Any = None) -> Any:
    """The mean of d²/2 where d = |x - t| < δ, else δ (d - δ/2) (Huber, 1964).

    Shapes and errors are those of `nn.HuberLoss`.

    >>> import tinygrad_pt as torch
    >>> torch.nn.functional.huber_loss(torch.tensor([1.0, 3.0]), torch.tensor([0.0, 0.5]))
    tensor(1.2500)
    """
    only_tensors("huber_loss", input=input, target=target)
    input, target = paired(input, target, "huber_loss")
    if delta <= 0:
        raise refuse(RuntimeError, "huber_loss does not support non-positive values for delta.", "huber_loss", input)
    if weight is not None:
        each = L.huber_loss(input, target, delta=delta, reduction="none")
        return weighted(each, weight, input, reduction, False)
    check_reduction(reduction)
    return L.huber_loss(input, target, delta=delta, reduction=reduction)


def poisson_nll_loss(
    input: Any,
    target: Any,
    log_input: bool = True,
    full: bool = False,
    size_average: Any = None,
    eps: float = 1e-8,
    reduce: Any = None,
    reduction: str = "mean",
) -> Any:
    """The mean of eˣ - t x; without `log_input`, of x - t ln(x + ε); `full` adds Stirling's term.

    Shapes and errors are those of `nn.PoissonNLLLoss`.

    >>> import tinygrad_pt as torch
    >>> torch.nn.functional.poisson_nll_loss(torch.tensor([1.0, 3.0]), torch.tensor([0.0, 0.5]))
    tensor(10.6519)
    """
    only_tensors("poisson_nll_loss", input=input, target=target)
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    check_reduction(reduction)
    each = ops.exp(input) - target * input if log_input else input - target * ops.log(input + eps)
    if full:
        large = ops.gt(target, 1)
        safe = F.where(large, target, 1)
        each = each + F.where(large, safe * ops.log(safe) - safe + 0.5 * ops.log(2 * math.pi * safe), 0.0)
    return reduced(each, reduction)


def gaussian_nll_loss(
    input: Any, target: Any, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Any:
    """The mean of (ln v + (x - t)²/v)/2, v being the variance, at least ε; `full` adds ln(2π)/2.

    Shapes and errors are those of `nn.GaussianNLLLoss`.

    >>> import tinygrad_pt as torch
    >>> torch.nn.functional.gaussian_nll_loss(torch.tensor([1.0]), torch.tensor([3.0]), 4.0)
    tensor(1.1931)
    """
    only_tensors("gaussian_nll_loss", input=input, target=target)
    if isinstance(var, (int, float)):
        var = F.full_like(input, float(var))
    expect_tensor(var, "gaussian_nll_loss", "var", 3)
    if var.array.dtype.kind != "f":
        text = f"result type Float can't be cast to the desired output type {var.dtype.c_name}"
        raise refuse(RuntimeError, text, "gaussian_nll_loss", input, target, var, mend="convert it: var.float()")
    if (var.array < 0).any():
        raise refuse(ValueError, "var has negative entry/entries", "gaussian_nll_loss", input, target, var)
    x, v = input.array, var.array
    if v.shape != x.shape:
        if x.shape[:-1] == v.shape:
            var = ops.unsqueeze(var, axis=-1)
        elif x.ndim != v.ndim or sum(n for m, n in zip(x.shape, v.shape, strict=True) if m != n) != 1:
            raise refuse(ValueError, "var is of incorrect size", "gaussian_nll_loss", input, target, var)
    if reduction not in REDUCTIONS:
        raise refuse(ValueError, f"{reduction} is not valid", "gaussian_nll_loss", input, target, var)
    var = var + wrap(np.maximum(var.array, var.array.dtype.type(eps)) - var.array)  # the floor passes gradients on
    each = (ops.log(var) + ops.square(input - target) / var) * 0.5
    return reduced(each + 0.5 * math.log(2 * math.pi) if full else each, reduction)
