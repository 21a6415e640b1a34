"""Steps scaled per element by running averages of the gradient and of its square: Adam and its relatives."""

# fmt: off
from __future__ import annotations

from typing import Any

import numpy as np
from numpy import absolute, maximum, multiply, sqrt, subtract

from tinygrad_pt.errors import refuse
from tinygrad_pt.optim.optimizer import Optimizer, Options, ParamsT
from tinygrad_pt.tensor import Tensor

__all__ = ["Adam", "AdamW", "Adamax", "NAdam", "RAdam"]


def average(m: np.ndarray, g: np.ndarray, weight: Any, rest: Any) -> np.ndarray:
    """m ← m + weight·(g - m) in place, counted from the nearer end; answers with an array to write to."""
    t = g - m
    if rest is None:
        t *= weight
        m += t
    else:  # m is computed from g, so that a weight of 1 gives g exactly
        t *= rest
        subtract(g, t, m)
    return t


def average_square(v: np.ndarray, g: np.ndarray, beta: Any, weight: Any, t: np.ndarray) -> None:
    """v ← β·v + weight·g² in place."""
    v *= beta
    multiply(g, weight, t)
    t *= g
    v += t


def weights(group: Options) -> tuple[float | None, ...]:
    """The constants of `average` and `average_square`."""
    beta1, beta2 = map(float, group["betas"])
    weight1 = 1 - beta1
    return weight1, 1 - weight1 if weight1 >= 0.5 else None, beta2, 1 - beta2


def shrinkage(group: Options) -> float | None:
    """1 - lr·λ, by which a decay that is decoupled from the gradient multiplies the parameter."""
    decay = float(group["weight_decay"]) if group["decoupled_weight_decay"] else 0
    return 1 - float(group["lr"]) * decay if decay else None


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
        t = g - m  # `average` and `average_square`, without the calls
        if rest1 is None:
            t *= weight1
            m += t
        else:
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
        correction = (1 - beta2**t) ** 0.5
        return -lr * correction / (1 - beta1**t), eps * correction, *weights(group), shrinkage(group)


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


class Adamax(Optimizer):
    """Adamax: Adam with the largest gradient in place of the root: m ← β₁·m + (1 - β₁)·g,  u ← max(β₂·u, |g| + ε),

    x ← x - lr / (1 - β₁ᵗ) · m / u, with step count t. `weight_decay` λ adds λ·x to g. The parameters may have any
    shape and floating dtype. Raises ValueError for options out of range. Source: D. Kingma, J. Ba, Adam: a method for
    stochastic optimization, ICLR 2015.

    >>> x = torch.tensor([1.0, -200.0], requires_grad=True)
    >>> optimizer = torch.optim.Adamax([x], lr=0.1)
    >>> (x * x).sum().backward(); optimizer.step(); x
    tensor([   0.9000, -199.9000], requires_grad=True)
    """

    keeps = {"exp_avg": "", "exp_inf": ""}
    counts_steps = True
    nonnegative = ("lr", "eps", "betas", "weight_decay")

    def __init__(
        self, params: ParamsT, lr: float | Tensor = 2e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0, foreach: bool | None = None, *, maximize: bool = False, differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        super().__init__(params, {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "foreach": foreach,
            "maximize": maximize, "differentiable": differentiable, "capturable": capturable,
        })

    @staticmethod
    def rule(k: Any, x: np.ndarray, g: np.ndarray, m: np.ndarray, u: np.ndarray) -> None:
        """One step of x in place: gradient g, its average m, its decaying maximum u."""
        rate, eps, weight1, rest1, beta2, _ = k
        t = average(m, g, weight1, rest1)
        u *= beta2
        absolute(g, t)
        t += eps
        maximum(u, t, out=u)
        multiply(m, rate, t)
        t /= u
        x += t

    def numbers(self, group: Options, t: float) -> tuple[float | None, ...]:
        """The corrected rate, ε, and the weights of the average."""
        return -float(group["lr"]) / (1 - float(group["betas"][0]) ** t), float(group["eps"]), *weights(group)


class NAdam(Optimizer):
    """NAdam: Adam with Nesterov's momentum μₜ = β₁·(1 - 0.96^(t·ψ) / 2), with `momentum_decay` ψ and step count t:

    x ← x - lr · (μₜ₊₁·m / (1 - μ₁⋯μₜ₊₁) + (1 - μₜ)·g / (1 - μ₁⋯μₜ)) / (√v̂ + ε), with the averages m, v of `Adam`,
    v̂ = v / (1 - β₂ᵗ). `weight_decay` λ adds λ·x to g (`decoupled_weight_decay`: shrinks x by 1 - lr·λ instead). The
    parameters may have any shape and floating dtype. Raises ValueError for options out of range. Source: T. Dozat,
    Incorporating Nesterov momentum into Adam, ICLR 2016.

    >>> x = torch.tensor([1.0, -200.0], requires_grad=True)
    >>> optimizer = torch.optim.NAdam([x], lr=0.1, momentum_decay=0.0)
    >>> (x * x).sum().backward(); optimizer.step(); x
    tensor([   0.8944, -199.8944], requires_grad=True)
    """

    keeps = {"exp_avg": "", "exp_avg_sq": ""}
    counts_steps = True
    scalars = {"mu_product": 1.0}
    writes = 2
    nonnegative = ("lr", "eps", "betas", "weight_decay", "momentum_decay")

    def __init__(
        self, params: ParamsT, lr: float | Tensor = 2e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0, momentum_decay: float = 4e-3, decoupled_weight_decay: bool = False, *,
        foreach: bool | None = None, maximize: bool = False, capturable: bool = False, differentiable: bool = False,
    ) -> None:
        super().__init__(params, {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay, "maximize": maximize, "foreach": foreach,
            "capturable": capturable, "differentiable": differentiable,
        })

    @staticmethod
    def rule(k: Any, x: np.ndarray, g: np.ndarray, m: np.ndarray, v: np.ndarray) -> None:
        """One step of x in place: gradient g, its average m, the average v of its square."""
        rate_m, rate_g, eps, weight1, rest1, beta2, weight2, shrink = k
        if shrink is not None:
            x *= shrink
        t = average(m, g, weight1, rest1)
        average_square(v, g, beta2, weight2, t)
        sqrt(v, t)
        t += eps
        s = m * rate_m
        s += g * rate_g
        s /= t
        x += s

    def numbers_of(self, state: Options, group: Options, t: float) -> tuple[float | None, ...]:
        """The rates of m and g and ε, which contain the corrections as in `Adam`, and the weights."""
        beta1, beta2 = map(float, group["betas"])
        lr, decay, correction = float(group["lr"]), float(group["momentum_decay"]), (1 - beta2**t) ** 0.5
        now, then = (beta1 * (1.0 - 0.5 * 0.96 ** (i * decay)) for i in (t, t + 1))
        product = state["mu_product"].array
        np.multiply(product, now, product)  # in its own precision, as PyTorch does
        all_now = product.item()
        rates = -lr * then / (1 - all_now * then), -lr * (1 - now) / (1 - all_now), float(group["eps"])
        return *(rate * correction for rate in rates), *weights(group), shrinkage(group)


class RAdam(Optimizer):
    """RAdam: Adam whose first steps do without the average of squares, while that has seen too little:

    ρ∞ = 2 / (1 - β₂) - 1,  ρ = ρ∞ - 2·t·β₂ᵗ / (1 - β₂ᵗ),  and if ρ > 5

    x ← x - lr · m̂ · r · √(1 - β₂ᵗ) / (√v + ε),  r² = (ρ - 4)·(ρ - 2)·ρ∞ / ((ρ∞ - 4)·(ρ∞ - 2)·ρ), else x ← x - lr·m̂,

    with m̂, v and step count t as in `Adam`. `weight_decay` λ adds λ·x to g (`decoupled_weight_decay`: shrinks x by
    1 - lr·λ instead). The parameters may have any shape and floating dtype. Raises ValueError for options out of
    range. Source: L. Liu, H. Jiang, P. He et al., On the variance of the adaptive learning rate and beyond, ICLR 2020.

    >>> x = torch.tensor([1.0, -200.0], requires_grad=True)
    >>> optimizer = torch.optim.RAdam([x], lr=0.1)
    >>> (x * x).sum().backward(); optimizer.step(); x
    tensor([   0.8000, -160.0000], requires_grad=True)
    """

    keeps = {"exp_avg": "", "exp_avg_sq": ""}
    counts_steps = True
    nonnegative = ("lr", "eps", "betas", "weight_decay")

    def __init__(
        self, params: ParamsT, lr: float | Tensor = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0, decoupled_weight_decay: bool = False, *, foreach: bool | None = None,
        maximize: bool = False, capturable: bool = False, differentiable: bool = False,
    ) -> None:
        super().__init__(params, {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
            "foreach": foreach, "capturable": capturable, "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        })

    @staticmethod
    def rule(k: Any, x: np.ndarray, g: np.ndarray, m: np.ndarray, v: np.ndarray) -> None:
        """One step of x in place: gradient g, its average m, the average v of its square."""
        rate, eps, weight1, rest1, beta2, weight2, shrink = k
        if shrink is not None:
            x *= shrink
        t = average(m, g, weight1, rest1)
        average_square(v, g, beta2, weight2, t)
        s = m * rate
        if eps is not None:
            sqrt(v, t)
            t += eps
            s /= t
        x += s

    def numbers(self, group: Options, t: float) -> tuple[float | None, ...]:
        """The rate with its correction, ε where the square is used, and the weights."""
        beta1, beta2 = map(float, group["betas"])
        rate, seen = -float(group["lr"]) / (1 - beta1**t), 1 - beta2**t
        most = 2 / (1 - beta2) - 1
        rho = most - 2 * t * beta2**t / seen
        eps = None
        if rho > 5.0:
            eps = float(group["eps"])
            rate *= (seen * ((rho - 4) * (rho - 2) * most / ((most - 4) * (most - 2) * rho))) ** 0.5
        return rate, eps, *weights(group), shrinkage(group)
