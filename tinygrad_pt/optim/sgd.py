"""Gradient descent: a step against the gradient, optionally with momentum (SGD) or an average of the way (ASGD)."""

# fmt: off
from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_pt.errors import refuse
from tinygrad_pt.graph import born
from tinygrad_pt.inplace import last_change
from tinygrad_pt.modes import current
from tinygrad_pt.optim.optimizer import BLOCK, Due, Optimizer, Options, ParamsT, constants, sweep
from tinygrad_pt.tensor import Tensor

__all__ = ["ASGD", "SGD"]


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum μ, dampening τ, weight decay λ:

    g ← ∇L + λ·x,  b ← μ·b + (1 - τ)·g (at first b ← g),  x ← x - lr·b (Nesterov: x ← x - lr·(g + μ·b)).

    The parameters may have any shape and floating dtype. Raises ValueError for a negative `lr`, `momentum` or
    `weight_decay`, and for `nesterov` without momentum or with dampening. Source: I. Sutskever, J. Martens,
    G. Dahl, G. Hinton, On the importance of initialization and momentum in deep learning, ICML 2013.

    >>> x = torch.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = torch.optim.SGD([x], lr=0.1, momentum=0.9)
    >>> for _ in range(2):
    ...     optimizer.zero_grad(); (x * x).sum().backward(); optimizer.step()
    >>> x
    tensor([ 0.4600, -0.9200], requires_grad=True)
    """

    keeps = {"momentum_buffer": "momentum"}
    nonnegative = ("lr", "momentum", "weight_decay")
    takes_nan = True

    def __init__(
        self, params: ParamsT, lr: float | Tensor = 1e-3, momentum: float = 0, dampening: float = 0,
        weight_decay: float = 0, nesterov: bool = False, *, maximize: bool = False, foreach: bool | None = None,
        differentiable: bool = False, fused: bool | None = None,
    ) -> None:
        super().__init__(params, {
            "lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay, "nesterov": nesterov,
            "maximize": maximize, "foreach": foreach, "differentiable": differentiable, "fused": fused,
        })

    def _check(self, options: Options) -> None:
        """The common checks, and one of the options of Nesterov's momentum."""
        super()._check(options)
        if options["nesterov"] and (not options["momentum"] or options["dampening"]):
            raise refuse(ValueError, "Nesterov momentum requires a momentum and zero dampening")

    @staticmethod
    def rule(k: Any, x: np.ndarray, g: np.ndarray, b: np.ndarray | None = None) -> None:
        """One step of a parameter x in place: gradient g, momentum buffer b."""
        rate, momentum, undamped, first, nesterov = k
        if b is not None:
            if first is not None:
                b[...] = g
            else:
                b *= momentum
                b += g if undamped is None else g * undamped
            g = g + b * momentum if nesterov is not None else b
        x += g * rate

    def numbers(self, group: Options, t: float) -> tuple[float | None, ...]:
        """-lr, μ, 1 - τ, and two flags."""
        rate, momentum, dampening = (float(group[name]) for name in ("lr", "momentum", "dampening"))
        return -rate, momentum, 1 - dampening if dampening else None, t or None, 1 if group["nesterov"] else None

    def _walk(self, group: Options, todo: Due) -> None:
        if group["momentum"] or group["weight_decay"]:
            super()._walk(group, todo)
            return
        rate = float(group["lr"]) if group["maximize"] else -float(group["lr"])
        kind, direct, listeners = None, 2 * BLOCK, current().listeners
        for p, x, g in todo:  # most of a small network's step is spent here
            if x.dtype is not kind:
                kind = x.dtype
                step = constants(kind)[rate]  # as an array it keeps its precision for halves
                number = step.item()
            size = x.size
            if 1 < size <= direct:
                x += g * step
            elif size == 1:  # for one element, an operation in place takes NumPy several times as long
                x.fill(x.item() + g.item() * number)
            else:
                sweep(self.rule, (step, None, None, None, None), x, g)
            version = p.version  # `touched(p)`, without the call
            version[0] += 1
            version[1] = last_change[0] = born()
            if listeners:
                for listener in listeners:
                    listener.wrote(p)


class ASGD(Optimizer):
    """Averaged stochastic gradient descent, with `lambd` λ, `alpha` α and step count t:

    x ← (1 - λ·η)·x - η·g,  a ← a + μ·(x - a),  then η ← lr / (1 + λ·lr·t)^α,  μ ← 1 / max(1, t - t0).

    At first η = lr and μ = 1. The average a of the way, which begins after `t0` steps, is `state[x]["ax"]`.
    `weight_decay` γ adds γ·x to g. The parameters may have any shape and floating dtype. Raises ValueError for a
    negative `lr` or `weight_decay`. Source: B. Polyak, A. Juditsky, Acceleration of stochastic approximation by
    averaging, SIAM J. Control Optim. 1992.

    >>> x = torch.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = torch.optim.ASGD([x], lr=0.1, t0=0)
    >>> for _ in range(3):
    ...     optimizer.zero_grad(); (x * x).sum().backward(); optimizer.step()
    >>> optimizer.state[x]["ax"]
    tensor([ 0.5760, -1.1520])
    """

    keeps = {"ax": ""}
    counts_steps = True
    scalars = {"eta": "lr", "mu": 1.0}
    writes = 2
    nonnegative = ("lr", "weight_decay")

    def __init__(
        self, params: ParamsT, lr: float | Tensor = 1e-2, lambd: float = 1e-4, alpha: float = 0.75, t0: float = 1e6,
        weight_decay: float = 0, foreach: bool | None = None, maximize: bool = False, differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        super().__init__(params, {
            "lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weight_decay, "foreach": foreach,
            "maximize": maximize, "differentiable": differentiable, "capturable": capturable,
        })

    @staticmethod
    def rule(k: Any, x: np.ndarray, g: np.ndarray, a: np.ndarray) -> None:
        """One step of x in place: gradient g, average a of the way."""
        shrink, rate, mu = k
        x *= shrink
        x += g * rate
        if mu is None:
            a[...] = x
        else:
            t = x - a
            t *= mu
            a += t

    def numbers_of(self, state: Options, group: Options, t: float) -> tuple[float | None, ...]:
        """1 - λ·η, -η, and μ where the average is not x itself."""
        lr, lambd, alpha, t0 = (float(group[name]) for name in ("lr", "lambd", "alpha", "t0"))
        eta, mu = state["eta"].array, state["mu"].array
        k = 1 - lambd * eta.item(), -eta.item(), None if mu.item() == 1 else mu.item()
        clock = np.float32(t) if group["foreach"] else t  # whose precision is that of η in PyTorch
        eta.fill(1 / (1 + lambd * lr * clock) ** alpha * lr)
        mu.fill(1 / max(1, t - t0))
        return k
