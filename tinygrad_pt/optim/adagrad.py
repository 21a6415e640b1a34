"""Steps divided by the root of the sum of all squared gradients: Adagrad."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_pt.calling import F32, wrap
from tinygrad_pt.inplace import touched
from tinygrad_pt.optim.optimizer import Optimizer, check_rate, constant, due, must, precision, sweep


def rule(k: Any, x: Any, g: Any, total: Any) -> None:
    """One step of x in place: gradient g, sum of its squares so far."""
    rate, eps, decay, maximize = k
    if maximize:
        g = -g
    if decay is not None:
        g = g + x * decay
    t = g * g
    total += t
    np.sqrt(total, t)
    t += eps
    s = g * rate
    s /= t
    x += s


class Adagrad(Optimizer):
    """Adagrad: s ← s + g²,  x ← x - lr / (1 + (t - 1)·η) · g / (√s + ε), with step count t and `lr_decay` η.

    s starts at `initial_accumulator_value`; `weight_decay` λ adds λ·x to g. The parameters may have any shape
    and floating dtype. Raises ValueError for options out of range. Source: J. Duchi, E. Hazan, Y. Singer,
    Adaptive subgradient methods for online learning and stochastic optimization, JMLR 2011.

    >>> import tinygrad_pt as torch
    >>> from tinygrad_pt.optim import Adagrad
    >>> x = torch.tensor([1.0, -200.0], requires_grad=True)
    >>> optimizer = Adagrad([x], lr=0.1)
    >>> (x * x).sum().backward(); optimizer.step(); x
    tensor([   0.9000, -199.9000], requires_grad=True)
    """

    shaped = ("sum",)
    needed = ("step", "sum")

    def __init__(
        self, params: Any, lr: Any = 1e-2, lr_decay: float = 0, weight_decay: float = 0,
        initial_accumulator_value: float = 0, eps: float = 1e-10, foreach: bool | None = None, *,
        maximize: bool = False, differentiable: bool = False, fused: bool | None = None,
    ) -> None:  # fmt: skip
        check_rate(lr)
        must(bool(lr >= 0.0), f"Invalid learning rate: {lr}")
        must(lr_decay >= 0.0, f"Invalid lr_decay value: {lr_decay}")
        must(weight_decay >= 0.0, f"Invalid weight_decay value: {weight_decay}")
        start = initial_accumulator_value
        must(start >= 0.0, f"Invalid initial_accumulator_value value: {start}")
        must(eps >= 0.0, f"Invalid epsilon value: {eps}")
        super().__init__(
            params,
            {
                "lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay,
                "initial_accumulator_value": start, "foreach": foreach, "maximize": maximize,
                "differentiable": differentiable, "fused": fused,
            },
        )  # fmt: skip
        for group in self.param_groups:
            for p in group["params"]:
                self._begin(p, group)

    def _begin(self, p: Any, group: Any) -> None:
        start = np.full_like(p.array, group["initial_accumulator_value"])
        self.state[p].update(step=wrap(np.zeros((), F32)), sum=wrap(start))

    @np.errstate(all="ignore")
    def update(self) -> None:
        """One step for every parameter that has a gradient."""
        for group, todo in [(group, due(group["params"])) for group in self.param_groups]:
            lr, slower, decay, eps = (float(group[name]) for name in ("lr", "lr_decay", "weight_decay", "eps"))
            for p, x, g in todo:
                state, kind = self.state[p], precision(x.dtype)
                if not state:
                    self._begin(p, group)
                clock = state["step"].array
                clock += 1
                rate = lr / (1 + (clock.item() - 1) * slower)
                numbers = (
                    constant(-rate, kind), constant(eps, kind), constant(decay, kind) if decay else None,
                    group["maximize"],
                )  # fmt: skip
                sweep(rule, numbers, x, g, state["sum"].array)
                touched(p)
