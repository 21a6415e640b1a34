"""Steps divided by the root of a running average of the squared gradient: RMSprop."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_pt.calling import F32, wrap
from tinygrad_pt.inplace import touched
from tinygrad_pt.optim.optimizer import (
    Optimizer,
    check_rate,
    constant,
    due,
    must,
    precision,
    sweep,
    zeros_like,
)


def rule(k: Any, x: Any, g: Any, v: Any, *more: Any) -> None:
    """One step of x in place: gradient g, average v of its square, then its own average and the buffer."""
    rate, eps, alpha, weight, decay, momentum, centered, maximize = k
    if maximize:
        g = -g
    if decay is not None:
        g = g + x * decay
    v *= alpha
    t = g * weight
    t *= g
    v += t
    if centered:
        mean = more[0]
        np.subtract(g, mean, t)
        t *= weight
        mean += t
        np.multiply(mean, mean, t)
        np.subtract(v, t, t)
        np.sqrt(t, t)
    else:
        np.sqrt(v, t)
    t += eps
    if momentum is None:
        s = g * rate
        s /= t
        x += s
    else:
        b = more[-1]
        b *= momentum
        np.divide(g, t, t)
        b += t
        x += b * rate


class RMSprop(Optimizer):
    """RMSprop: v ← α·v + (1 - α)·g²,  x ← x - lr · g / (√v + ε).

    `centered` subtracts the square of g's own average from v; `momentum` μ collects b ← μ·b + g / (√v + ε)
    and steps by lr·b; `weight_decay` λ adds λ·x to g. The parameters may have any shape and floating dtype.
    Raises ValueError for options out of range. Source: T. Tieleman, G. Hinton, Neural networks for machine
    learning, lecture 6.5, 2012; A. Graves, Generating sequences with recurrent neural networks, 2013
    (centered).

    >>> import tinygrad_pt as torch
    >>> from tinygrad_pt.optim import RMSprop
    >>> x = torch.tensor([1.0, -200.0], requires_grad=True)
    >>> optimizer = RMSprop([x], lr=0.1, alpha=0.75)
    >>> (x * x).sum().backward(); optimizer.step(); x
    tensor([   0.8000, -199.8000], requires_grad=True)
    """

    shaped = ("square_avg", "grad_avg", "momentum_buffer")
    needed = ("step", "square_avg")

    def __init__(
        self, params: Any, lr: Any = 1e-2, alpha: float = 0.99, eps: float = 1e-8, weight_decay: float = 0,
        momentum: float = 0, centered: bool = False, capturable: bool = False, foreach: bool | None = None,
        maximize: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        check_rate(lr)
        must(bool(lr >= 0.0), f"Invalid learning rate: {lr}")
        must(eps >= 0.0, f"Invalid epsilon value: {eps}")
        must(momentum >= 0.0, f"Invalid momentum value: {momentum}")
        must(weight_decay >= 0.0, f"Invalid weight_decay value: {weight_decay}")
        must(alpha >= 0.0, f"Invalid alpha value: {alpha}")
        super().__init__(
            params,
            {
                "lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered,
                "weight_decay": weight_decay, "capturable": capturable, "foreach": foreach,
                "maximize": maximize, "differentiable": differentiable,
            },
        )  # fmt: skip

    @np.errstate(all="ignore")
    def update(self) -> None:
        """One step for every parameter that has a gradient."""
        for group, todo in [(group, due(group["params"])) for group in self.param_groups]:
            rate, eps, alpha, decay, momentum = (
                float(group[name]) for name in ("lr", "eps", "alpha", "weight_decay", "momentum")
            )
            names = ["square_avg"]
            names += ["grad_avg"] if group["centered"] else []
            names += ["momentum_buffer"] if momentum else []
            for p, x, g in todo:
                state, kind = self.state[p], precision(x.dtype)
                if not state:
                    state["step"] = wrap(np.zeros((), F32))
                state["step"].array += 1
                for name in names:
                    if name not in state:
                        state[name] = zeros_like(p)
                numbers = (
                    constant(-rate, kind), constant(eps, kind), constant(alpha, kind),
                    constant(1 - alpha, kind), constant(decay, kind) if decay else None,
                    constant(momentum, kind) if momentum else None, group["centered"], group["maximize"],
                )  # fmt: skip
                sweep(rule, numbers, x, g, *(state[name].array for name in names))
                touched(p)
