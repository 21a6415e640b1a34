"""Steps scaled per element by running averages of the gradient and of its square: Adam and AdamW."""

# fmt: off
from __future__ import annotations

from typing import Any

import numpy as np
from numpy import maximum, multiply, sqrt, subtract

from tinygrad_pt.errors import refuse
from tinygrad_pt.optim.optimizer import Optimizer, Options, ParamsT
from tinygrad_pt.tensor import Tensor

__all__ = ["Adam", "AdamW"]


class Adam(Optimizer):
    """Adam: with gradient g, averages m ← β₁·m + (1 - β₁)·g and v ← β₂·v + (1 - β₂)·g², and step count t,

    x ← x - lr · m̂ / (√v̂ + ε),  m̂ = m / (1 - β₁ᵗ),  v̂ = v / (1 - β₂ᵗ).

    `weight_decay` λ adds λ·x to g (`decoupled_weight_decay`: shrinks x by 1 - lr·λ instead, as AdamW does);
    `amsgrad` divides by the largest v so far. The parameters may have any shape and floating dtype. Raises
    ValueError for options out of range. Source: D. Kingma, J. Ba, Adam: a method for stochastic optimization,
    ICLR 2015; S. Reddi, S. Kale, S. Kumar, On the convergence of Adam and beyond, ICLR 2018.

    >>> x = torch.tensor([1.0, -200.0], requires_grad=True)
    >>> optimizer = torch.optim.Adam([x], lr=0.1)
    >>> (x * x).sum().backward(); optimizer.step(); x
    tensor([   0.9000, -199.9000], requires_grad=True)
    """

    keeps = {"exp_avg": "", "exp_avg_sq": "", "max_exp_avg_sq": "amsgrad"}
    counts_steps = True
    nonnegative = ("lr", "eps", "betas", "weight_decay")

    def __init__(
        self, params: ParamsT, lr: float | Tensor = 1e-3, betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 0, amsgrad: bool = False, *, foreach: bool | None = None,
        maximize: bool = False, capturable: bool = False, differentiable: bool = False, fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        super().__init__(params, {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad,
            "maximize": maximize, "foreach": foreach, "capturable": capturable, "differentiable": differentiable,
            "fused": fused, "decoupled_weight_decay": decoupled_weight_decay,
        })

    def _check(self, options: Options) -> None:
        """The common checks, and one that both betas are of one kind; they are stored as floats."""
        super()._check(options)
        betas = options["betas"]
        if not any(all(isinstance(b, kind) for b in betas) for kind in (float, Tensor)):
            raise refuse(ValueError, "betas must be either both floats or both Tensors")
        options["betas"] = tuple(map(float, betas))

    @staticmethod
    def rule(
        k: Any, x: np.ndarray, g: np.ndarray, m: np.ndarray, v: np.ndarray, peak: np.ndarray | None = None
    ) -> None:
        """One step of x in place: gradient g, its average m, the average v of its square, and the peak of v."""
        rate, eps, weight1, rest1, beta2, weight2, shrink = k
        if shrink is not None:
            x *= shrink
        t = g - m
        if rest1 is None:
            t *= weight1
            m += t
        else:  # m is computed from g, so that a weight of 1 gives g exactly
            t *= rest1
            subtract(g, t, m)
        v *= beta2
        multiply(g, weight2, t)
        t *= g
        v += t
        sqrt(v if peak is None else maximum(peak, v, out=peak), t)
        t += eps
        s = m * rate
        s /= t
        x += s

    def numbers(self, group: Options, t: float) -> tuple[float | None, ...]:
        """The constants of step t. They contain the corrections of both averages, which so cost no pass over x:

        lr·m̂ / (√v̂ + ε) = (lr·c / (1 - β₁ᵗ))·m / (√v + ε·c) with c = √(1 - β₂ᵗ).
        """
        lr, eps, (beta1, beta2) = float(group["lr"]), float(group["eps"]), group["betas"]
        correction, weight1 = (1 - beta2**t) ** 0.5, 1 - beta1
        decay = float(group["weight_decay"]) if group["decoupled_weight_decay"] else 0
        return (
            -lr * correction / (1 - beta1**t), eps * correction,
            weight1, 1 - weight1 if weight1 >= 0.5 else None, beta2, 1 - beta2,
            1 - lr * decay if decay else None,
        )

    def added_decay(self, group: Options) -> float:
        """λ, unless the decay is decoupled from the gradient."""
        return 0.0 if group["decoupled_weight_decay"] else super().added_decay(group)


class AdamW(Adam):
    """Adam whose weight decay shrinks the parameter itself, x ← (1 - lr·λ)·x, and leaves the averages alone.

    Options, errors and state are those of `Adam`. Source: I. Loshchilov, F. Hutter, Decoupled weight decay
    regularization, ICLR 2019.

    >>> x = torch.tensor([1.0], requires_grad=True)
    >>> x.grad = torch.zeros(1)
    >>> torch.optim.AdamW([x], lr=0.1, weight_decay=0.5).step(); x
    tensor([0.9500], requires_grad=True)
    """

    def __init__(
        self, params: ParamsT, lr: float | Tensor = 1e-3, betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 1e-2, amsgrad: bool = False, *, maximize: bool = False,
        foreach: bool | None = None, capturable: bool = False, differentiable: bool = False, fused: bool | None = None,
    ) -> None:
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad, foreach=foreach, maximize=maximize,
            capturable=capturable, differentiable=differentiable, fused=fused, decoupled_weight_decay=True,
        )

    def load_state_dict(self, state_dict: Options) -> None:
        """Like `Adam`'s, but the weight decay is always decoupled."""
        super().load_state_dict(state_dict)
        for group in self.param_groups:
            group["decoupled_weight_decay"] = True
