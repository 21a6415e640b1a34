"""Steps divided by the root of the sum of all squared gradients: Adagrad."""

# fmt: off
from __future__ import annotations

from typing import Any

import numpy as np
from numpy import sqrt

from tinygrad_pt.optim.optimizer import Optimizer, Options, ParamsT
from tinygrad_pt.tensor import Tensor

__all__ = ["Adagrad"]


class Adagrad(Optimizer):
    """Adagrad: s ← s + g²,  x ← x - lr / (1 + (t - 1)·η) · g / (√s + ε), with step count t and `lr_decay` η.

    s starts at `initial_accumulator_value`; `weight_decay` λ adds λ·x to g. The parameters may have any shape
    and floating dtype. Raises ValueError for options out of range. Source: J. Duchi, E. Hazan, Y. Singer,
    Adaptive subgradient methods for online learning and stochastic optimization, JMLR 2011.

    >>> x = torch.tensor([1.0, -200.0], requires_grad=True)
    >>> optimizer = torch.optim.Adagrad([x], lr=0.1)
    >>> (x * x).sum().backward(); optimizer.step(); x
    tensor([   0.9000, -199.9000], requires_grad=True)
    """

    keeps = {"sum": ""}
    counts_steps = True
    nonnegative = ("lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps")

    def __init__(
        self, params: ParamsT, lr: float | Tensor = 1e-2, lr_decay: float = 0, weight_decay: float = 0,
        initial_accumulator_value: float = 0, eps: float = 1e-10, foreach: bool | None = None, *,
        maximize: bool = False, differentiable: bool = False, fused: bool | None = None,
    ) -> None:
        super().__init__(params, {
            "lr": lr, "lr_decay": lr_decay, "weight_decay": weight_decay, "eps": eps, "foreach": foreach,
            "initial_accumulator_value": initial_accumulator_value, "maximize": maximize,
            "differentiable": differentiable, "fused": fused,
        })
        for group in self.param_groups:
            for p in group["params"]:
                self._begin(p, group)

    def first_value(self, x: np.ndarray, group: Options) -> np.ndarray:
        """The sum of squares before the first step."""
        return np.full_like(x, group["initial_accumulator_value"])

    @staticmethod
    def rule(k: Any, x: np.ndarray, g: np.ndarray, total: np.ndarray) -> None:
        """One step of x in place: gradient g, sum of its squares so far."""
        rate, eps = k
        t = g * g
        total += t
        sqrt(total, t)
        t += eps
        s = g * rate
        s /= t
        x += s

    def numbers(self, group: Options, t: float) -> tuple[float, ...]:
        """The rate, which falls with the number of the step, and ε."""
        return -float(group["lr"]) / (1 + (t - 1) * float(group["lr_decay"])), float(group["eps"])
