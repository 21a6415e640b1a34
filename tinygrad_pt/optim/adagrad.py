"""Steps divided by the root of a sum, or of an average, of the squared gradients: Adagrad and Adadelta."""

# fmt: off
from __future__ import annotations

from typing import Any

import numpy as np
from numpy import add, multiply, sqrt

from tinygrad_pt.errors import refuse
from tinygrad_pt.optim.optimizer import Optimizer, Options, ParamsT
from tinygrad_pt.tensor import Tensor

__all__ = ["Adadelta", "Adagrad"]


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

    def first_value(self, name: str, x: np.ndarray, group: Options) -> np.ndarray:
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


class Adadelta(Optimizer):
    """Adadelta: v ← ρ·v + (1 - ρ)·g²,  Δ = g · √(u + ε) / √(v + ε),  u ← ρ·u + (1 - ρ)·Δ²,  x ← x - lr·Δ.

    So a step has the unit of the parameter. `weight_decay` λ adds λ·x to g. The parameters may have any shape and
    floating dtype. Raises ValueError for options out of range. Source: M. Zeiler, ADADELTA: an adaptive learning rate
    method, 2012.

    >>> x = torch.tensor([1.0, -200.0], requires_grad=True)
    >>> optimizer = torch.optim.Adadelta([x], eps=0.01)
    >>> (x * x).sum().backward(); optimizer.step(); x
    tensor([   0.6877, -199.6838], requires_grad=True)
    """

    keeps = {"square_avg": "", "acc_delta": ""}
    counts_steps = True
    nonnegative = ("lr", "rho", "eps", "weight_decay")

    def __init__(
        self, params: ParamsT, lr: float | Tensor = 1.0, rho: float = 0.9, eps: float = 1e-6, weight_decay: float = 0,
        foreach: bool | None = None, *, capturable: bool = False, maximize: bool = False, differentiable: bool = False,
    ) -> None:
        super().__init__(params, {
            "lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
            "capturable": capturable, "foreach": foreach, "differentiable": differentiable,
        })

    def _check(self, options: Options) -> None:
        """The common checks, and ρ ≤ 1."""
        super()._check(options)
        if options["rho"] > 1.0:
            raise refuse(ValueError, f"Invalid rho value: {options['rho']}")

    @staticmethod
    def rule(k: Any, x: np.ndarray, g: np.ndarray, v: np.ndarray, u: np.ndarray) -> None:
        """One step of x in place: gradient g, average v of its square, average u of the square of the steps."""
        rate, rho, weight, eps = k
        v *= rho
        t = g * weight
        t *= g
        v += t
        s = v + eps
        sqrt(s, s)
        add(u, eps, t)
        sqrt(t, t)
        t /= s
        t *= g
        u *= rho
        multiply(t, weight, s)
        s *= t
        u += s
        t *= rate
        x += t

    def numbers(self, group: Options, t: float) -> tuple[float, ...]:
        """-lr, ρ, 1 - ρ, ε."""
        rate, rho, eps = (float(group[name]) for name in ("lr", "rho", "eps"))
        return -rate, rho, 1 - rho, eps
