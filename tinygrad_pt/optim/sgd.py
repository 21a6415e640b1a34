"""Gradient descent: a step against the gradient, with momentum if wanted."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_pt.calling import wrap
from tinygrad_pt.graph import born
from tinygrad_pt.inplace import last_change, touched
from tinygrad_pt.modes import current
from tinygrad_pt.optim.optimizer import (
    BLOCK,
    Due,
    Optimizer,
    Options,
    check_rate,
    constant,
    due,
    must,
    precision,
    sweep,
)


def rule(k: Any, x: Any, g: Any, b: Any = None) -> None:
    """One step of a parameter x with gradient g and momentum buffer b, in place."""
    rate, decay, momentum, undamped, first, nesterov, maximize = k
    if maximize:
        g = -g
    if decay is not None:
        g = g + x * decay
    if b is not None:
        if first:
            b[...] = g
        else:
            b *= momentum
            b += g if undamped is None else g * undamped
        g = g + b * momentum if nesterov else b
    x += g * rate


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum μ, dampening τ, weight decay λ:

    g ← ∇L + λ·x,  b ← μ·b + (1 - τ)·g (at first b ← g),  x ← x - lr·b (Nesterov: x ← x - lr·(g + μ·b)).

    The parameters may have any shape and floating dtype. Raises ValueError for a negative `lr`, `momentum` or
    `weight_decay`, and for `nesterov` without momentum or with dampening. Source: I. Sutskever, J. Martens,
    G. Dahl, G. Hinton, On the importance of initialization and momentum in deep learning, ICML 2013.

    >>> import tinygrad_pt as torch
    >>> from tinygrad_pt.optim import SGD
    >>> x = torch.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = SGD([x], lr=0.1, momentum=0.9)
    >>> for _ in range(2):
    ...     optimizer.zero_grad(); (x * x).sum().backward(); optimizer.step()
    >>> x
    tensor([ 0.4600, -0.9200], requires_grad=True)
    """

    shaped = ("momentum_buffer",)

    def __init__(
        self, params: Any, lr: Any = 1e-3, momentum: float = 0, dampening: float = 0, weight_decay: float = 0,
        nesterov: bool = False, *, maximize: bool = False, foreach: bool | None = None,
        differentiable: bool = False, fused: bool | None = None,
    ) -> None:  # fmt: skip
        check_rate(lr)
        must(not lr < 0.0, f"Invalid learning rate: {lr}")
        must(not momentum < 0.0, f"Invalid momentum value: {momentum}")
        must(not weight_decay < 0.0, f"Invalid weight_decay value: {weight_decay}")
        plain = not momentum or bool(dampening)
        must(not (nesterov and plain), "Nesterov momentum requires a momentum and zero dampening")
        super().__init__(
            params,
            {
                "lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay,
                "nesterov": nesterov, "maximize": maximize, "foreach": foreach,
                "differentiable": differentiable, "fused": fused,
            },
        )  # fmt: skip

    @np.errstate(all="ignore")
    def update(self) -> None:
        """One step for every parameter that has a gradient."""
        listeners = current().listeners
        for group, todo in [(group, due(group["params"])) for group in self.param_groups]:
            if group["momentum"] or group["weight_decay"]:
                self._general(group, todo)
                continue
            rate = float(group["lr"]) if group["maximize"] else -float(group["lr"])
            kind, direct = None, 2 * BLOCK
            for p, x, g in todo:  # the short way that small networks live on
                if x.dtype is not kind:
                    kind = x.dtype
                    step = constant(rate, precision(kind))  # an array, so that it is no less precise beside halves
                    number = step.item()
                if 1 < x.size <= direct:
                    x += g * step
                elif x.size == 1:  # in place, NumPy takes several times longer for one element than for two
                    x.fill(x.item() + g.item() * number)
                else:
                    sweep(rule, (step, None, None, None, False, False, False), x, g)
                version = p.version  # `touched(p)`, without the call
                version[0] += 1
                version[1] = last_change[0] = born()
                for listener in listeners:
                    listener.wrote(p)

    def _general(self, group: Options, todo: Due) -> None:
        rate, decay, momentum = -float(group["lr"]), float(group["weight_decay"]), float(group["momentum"])
        undamped = 1 - float(group["dampening"])
        flags = (bool(group["nesterov"]), bool(group["maximize"]))
        for p, x, g in todo:
            kind = precision(x.dtype)
            first = False
            buffer: tuple[Any, ...] = ()
            if momentum:
                state = self.state[p]
                first = state.get("momentum_buffer") is None
                if first:
                    state["momentum_buffer"] = wrap(np.empty_like(x))
                buffer = (state["momentum_buffer"].array,)
            numbers = (
                constant(rate, kind), constant(decay, kind) if decay else None, constant(momentum, kind),
                constant(undamped, kind) if undamped != 1 else None, first, *flags,
            )  # fmt: skip
            sweep(rule, numbers, x, g, *buffer)
            touched(p)
