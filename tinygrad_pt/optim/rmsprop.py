"""Steps divided by the root of a running average of the squared gradient: RMSprop."""

# fmt: off
from __future__ import annotations

from typing import Any

import numpy as np
from numpy import divide, multiply, sqrt, subtract

from tinygrad_pt.optim.optimizer import Optimizer, Options, ParamsT
from tinygrad_pt.tensor import Tensor

__all__ = ["RMSprop"]


class RMSprop(Optimizer):
    """RMSprop: v ← α·v + (1 - α)·g²,  x ← x - lr · g / (√v + ε).

    `centered` subtracts the square of g's own average from v; `momentum` μ collects b ← μ·b + g / (√v + ε)
    and steps by lr·b; `weight_decay` λ adds λ·x to g. The parameters may have any shape and floating dtype.
    Raises ValueError for options out of range. Source: T. Tieleman, G. Hinton, Neural networks for machine
    learning, lecture 6.5, 2012; A. Graves, Generating sequences with recurrent neural networks, 2013
    (centered).

    >>> x = torch.tensor([1.0, -200.0], requires_grad=True)
    >>> optimizer = torch.optim.RMSprop([x], lr=0.1, alpha=0.75)
    >>> (x * x).sum().backward(); optimizer.step(); x
    tensor([   0.8000, -199.8000], requires_grad=True)
    """

    keeps = {"square_avg": "", "grad_avg": "centered", "momentum_buffer": "momentum"}
    counts_steps = True
    nonnegative = ("lr", "eps", "momentum", "weight_decay", "alpha")

    def __init__(
        self, params: ParamsT, lr: float | Tensor = 1e-2, alpha: float = 0.99, eps: float = 1e-8,
        weight_decay: float = 0, momentum: float = 0, centered: bool = False, capturable: bool = False,
        foreach: bool | None = None, maximize: bool = False, differentiable: bool = False,
    ) -> None:
        super().__init__(params, {
            "lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered,
            "weight_decay": weight_decay, "capturable": capturable, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable,
        })

    @staticmethod
    def rule(k: Any, x: np.ndarray, g: np.ndarray, v: np.ndarray, *more: np.ndarray) -> None:
        """One step of x in place: gradient g, average v of its square, then its own average and the buffer."""
        rate, eps, alpha, weight, momentum, centered = k
        v *= alpha
        t = g * weight
        t *= g
        v += t
        if centered is not None:
            mean = more[0]
            subtract(g, mean, t)
            t *= weight
            mean += t
            multiply(mean, mean, t)
            subtract(v, t, t)
            sqrt(t, t)
        else:
            sqrt(v, t)
        t += eps
        if momentum is None:
            s = g * rate
            s /= t
            x += s
        else:
            b = more[-1]
            b *= momentum
            divide(g, t, t)
            b += t
            x += b * rate

    def numbers(self, group: Options, t: float) -> tuple[float | None, ...]:
        """-lr, ε, α, 1 - α, μ, and a flag."""
        rate, eps, alpha, momentum = (float(group[name]) for name in ("lr", "eps", "alpha", "momentum"))
        return -rate, eps, alpha, 1 - alpha, momentum or None, 1 if group["centered"] else None
