"""Steps scaled per element by running averages of the gradient and of its square: Adam and AdamW."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_pt.calling import F32, wrap
from tinygrad_pt.graph import Handle
from tinygrad_pt.inplace import touched
from tinygrad_pt.optim.optimizer import (
    Optimizer,
    Options,
    check_rate,
    constant,
    due,
    must,
    precision,
    sweep,
    zeros_like,
)

ONE = np.array(1, F32)


def rule(k: Any, x: Any, g: Any, m: Any, v: Any, peak: Any = None) -> None:
    """One step of x in place: gradient g, its average m, the average v of its square, and the peak of v."""
    rate, eps, weight1, rest1, beta2, weight2, decay, shrink, maximize = k
    if maximize:
        g = -g
    if shrink is not None:
        x *= shrink
    if decay is not None:
        g = g + x * decay
    t = g - m
    if rest1 is None:
        t *= weight1
        m += t
    else:  # nearer to g than to m: counted from g, so that a weight of 1 gives g itself
        t *= rest1
        np.subtract(g, t, m)
    v *= beta2
    np.multiply(g, weight2, t)
    t *= g
    v += t
    np.sqrt(v if peak is None else np.maximum(peak, v, out=peak), t)
    t += eps
    s = m * rate
    s /= t
    x += s


class Adam(Optimizer):
    """Adam: with gradient g, averages m ← β₁·m + (1 - β₁)·g and v ← β₂·v + (1 - β₂)·g², and step count t,

    x ← x - lr · m̂ / (√v̂ + ε),  m̂ = m / (1 - β₁ᵗ),  v̂ = v / (1 - β₂ᵗ).

    `weight_decay` λ adds λ·x to g (`decoupled_weight_decay`: shrinks x by 1 - lr·λ instead, as AdamW does);
    `amsgrad` divides by the largest v so far. The parameters may have any shape and floating dtype. Raises
    ValueError for options out of range. Source: D. Kingma, J. Ba, Adam: a method for stochastic optimization,
    ICLR 2015; S. Reddi, S. Kale, S. Kumar, On the convergence of Adam and beyond, ICLR 2018.

    >>> import tinygrad_pt as torch
    >>> from tinygrad_pt.optim import Adam
    >>> x = torch.tensor([1.0, -200.0], requires_grad=True)
    >>> optimizer = Adam([x], lr=0.1)
    >>> (x * x).sum().backward(); optimizer.step(); x
    tensor([   0.9000, -199.9000], requires_grad=True)
    """

    shaped = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")
    needed = ("step", "exp_avg", "exp_avg_sq")

    def __init__(
        self, params: Any, lr: Any = 1e-3, betas: tuple[Any, Any] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0, amsgrad: bool = False, *, foreach: bool | None = None,
        maximize: bool = False, capturable: bool = False, differentiable: bool = False,
        fused: bool | None = None, decoupled_weight_decay: bool = False,
    ) -> None:  # fmt: skip
        check_rate(lr)
        must(bool(lr >= 0.0), f"Invalid learning rate: {lr}")
        must(eps >= 0.0, f"Invalid epsilon value: {eps}")
        must(bool(0.0 <= betas[0] < 1.0), f"Invalid beta parameter at index 0: {betas[0]}")
        must(bool(0.0 <= betas[1] < 1.0), f"Invalid beta parameter at index 1: {betas[1]}")
        must(weight_decay >= 0.0, f"Invalid weight_decay value: {weight_decay}")
        alike = any(all(isinstance(b, kind) for b in betas) for kind in (float, Handle))
        must(alike, "betas must be either both floats or both Tensors")
        super().__init__(
            params,
            {
                "lr": lr, "betas": tuple(map(float, betas)), "eps": eps, "weight_decay": weight_decay,
                "amsgrad": amsgrad, "maximize": maximize, "foreach": foreach, "capturable": capturable,
                "differentiable": differentiable, "fused": fused,
                "decoupled_weight_decay": decoupled_weight_decay,
            },
        )  # fmt: skip

    @np.errstate(all="ignore")
    def update(self) -> None:
        """One step for every parameter that has a gradient."""
        for group, todo in [(group, due(group["params"])) for group in self.param_groups]:
            amsgrad, seen = group["amsgrad"], None
            for p, x, g in todo:
                state = self.state[p]
                if not state:
                    state["step"] = wrap(np.zeros((), F32))
                    state["exp_avg"], state["exp_avg_sq"] = zeros_like(p), zeros_like(p)
                clock = state["step"].array
                clock += ONE
                now = clock.item(), x.dtype
                if now != seen:
                    seen, numbers = now, _numbers(group, now[0], precision(now[1]))
                if amsgrad:
                    if "max_exp_avg_sq" not in state:
                        state["max_exp_avg_sq"] = zeros_like(p)
                    peak = state["max_exp_avg_sq"].array
                    sweep(rule, numbers, x, g, state["exp_avg"].array, state["exp_avg_sq"].array, peak)
                else:
                    sweep(rule, numbers, x, g, state["exp_avg"].array, state["exp_avg_sq"].array)
                touched(p)


def _numbers(group: Options, t: float, kind: Any) -> tuple[Any, ...]:
    """The constants of step number t.

    The corrections of both averages are moved to where they cost no pass over the parameter:
    lr·m̂ / (√v̂ + ε) = (lr·c / (1 - β₁ᵗ))·m / (√v + ε·c) with c = √(1 - β₂ᵗ).
    """
    lr, (beta1, beta2) = float(group["lr"]), group["betas"]
    correction = (1 - beta2**t) ** 0.5
    decay = float(group["weight_decay"])
    decoupled = group["decoupled_weight_decay"]
    weight1 = 1 - beta1
    return (
        np.array(-lr * correction / (1 - beta1**t), kind), np.array(group["eps"] * correction, kind),
        constant(weight1, kind), constant(1 - weight1, kind) if weight1 >= 0.5 else None,
        constant(beta2, kind), constant(1 - beta2, kind),
        constant(decay, kind) if decay and not decoupled else None,
        constant(1 - lr * decay, kind) if decay and decoupled else None,
        bool(group["maximize"]),
    )  # fmt: skip


class AdamW(Adam):
    """Adam whose weight decay shrinks the parameter itself, x ← (1 - lr·λ)·x, and leaves the averages alone.

    Options, errors and state are those of `Adam`. Source: I. Loshchilov, F. Hutter, Decoupled weight decay
    regularization, ICLR 2019.

    >>> import tinygrad_pt as torch
    >>> from tinygrad_pt.optim import AdamW
    >>> x = torch.tensor([1.0], requires_grad=True)
    >>> x.grad = torch.zeros(1)
    >>> AdamW([x], lr=0.1, weight_decay=0.5).step(); x
    tensor([0.9500], requires_grad=True)
    """

    def __init__(
        self, params: Any, lr: Any = 1e-3, betas: tuple[Any, Any] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 1e-2, amsgrad: bool = False, *, maximize: bool = False,
        foreach: bool | None = None, capturable: bool = False, differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:  # fmt: skip
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad, foreach=foreach, maximize=maximize,
            capturable=capturable, differentiable=differentiable, fused=fused, decoupled_weight_decay=True,
        )  # fmt: skip

    def load_state_dict(self, state_dict: Options) -> None:
        """As `Adam`'s; the weight decay stays decoupled whatever was saved."""
        super().load_state_dict(state_dict)
        for group in self.param_groups:
            group["decoupled_weight_decay"] = True
