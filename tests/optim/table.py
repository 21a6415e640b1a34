"""One row per public optimizer: its formula in NumPy, every option with the values to combine, and what it refuses."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from tinygrad_pt import optim

PUBLIC = {
    name: thing
    for name, thing in vars(optim).items()
    if inspect.isclass(thing) and issubclass(thing, optim.Optimizer) and thing is not optim.Optimizer
}
WHOLE = {"Adafactor", "Muon", "LBFGS"}  # their step looks at a whole parameter, or at all: tests/optim/test_whole.py
FLAGS = {"foreach", "fused", "capturable", "differentiable"}  # they ask for another implementation, not another number


@dataclass(frozen=True)
class Row:
    """An optimizer and its laws' material.

    Attributes:
        reference: `reference(x, gradients, **options)`, the parameter after a step for each gradient.
        options: the values of each option; all combinations are tried that `legal` allows.
        wrong: (options, PyTorch's first line) of ValueErrors.
        writes: how often PyTorch writes to a parameter in a step.
    """

    name: str
    reference: Callable[..., Any]
    options: dict[str, tuple[Any, ...]]
    legal: Callable[[dict[str, Any]], bool]
    wrong: tuple[tuple[dict[str, Any], str], ...]
    writes: int = 1

    def __call__(self, params: Any, **options: Any) -> Any:
        return PUBLIC[self.name](params, **options)

    def combinations(self) -> list[dict[str, Any]]:
        """Every legal choice of options."""
        every = (dict(zip(self.options, values, strict=True)) for values in product(*self.options.values()))
        return [options for options in every if self.legal(options)]

    def few(self) -> list[dict[str, Any]]:
        """Some of them, each value of each option among them."""
        every = self.combinations()
        chosen: list[dict[str, Any]] = []
        for name, values in self.options.items():
            for value in values:
                if not any(o[name] == value for o in chosen):
                    chosen.append(next(o for o in reversed(every) if o[name] == value))
        return chosen

    def expected(self, x: Any, gradients: list[Any], options: dict[str, Any]) -> Any:
        """The parameter after all steps, in float64."""
        with np.errstate(all="ignore"):
            return self.reference(np.float64(x), [np.float64(g) for g in gradients], **options)


# ------------------------------------------------------------------------------------------ the formulas
def sgd(
    x: Any, gs: Any, lr: float, momentum: float, dampening: float, weight_decay: float, nesterov: bool, maximize: bool
) -> Any:
    b = None
    for g in gs:
        g = (-g if maximize else g) + weight_decay * x
        if momentum:
            b = g if b is None else momentum * b + (1 - dampening) * g
            g = g + momentum * b if nesterov else b
        x = x - lr * g
    return x


def adam(
    x: Any, gs: Any, lr: float, betas: Any, eps: float, weight_decay: float, amsgrad: bool, maximize: bool,
    decoupled_weight_decay: bool = False,
) -> Any:  # fmt: skip
    m = v = peak = 0.0
    for t, g in enumerate(gs, 1):
        g = -g if maximize else g
        if decoupled_weight_decay:
            x = x - lr * weight_decay * x
        else:
            g = g + weight_decay * x
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g * g
        peak = np.maximum(peak, v)
        root = np.sqrt((peak if amsgrad else v) / (1 - betas[1] ** t))
        x = x - lr * (m / (1 - betas[0] ** t)) / (root + eps)
    return x


def adamw(x: Any, gs: Any, **options: Any) -> Any:
    return adam(x, gs, decoupled_weight_decay=True, **options)


def rmsprop(
    x: Any, gs: Any, lr: float, alpha: float, eps: float, weight_decay: float, momentum: float, centered: bool,
    maximize: bool,
) -> Any:  # fmt: skip
    v = mean = b = 0.0
    for g in gs:
        g = (-g if maximize else g) + weight_decay * x
        v = alpha * v + (1 - alpha) * g * g
        mean = alpha * mean + (1 - alpha) * g
        step = g / (np.sqrt(v - mean * mean if centered else v) + eps)
        b = momentum * b + step
        x = x - lr * b
    return x


def adagrad(
    x: Any, gs: Any, lr: float, lr_decay: float, weight_decay: float, initial_accumulator_value: float, eps: float,
    maximize: bool,
) -> Any:  # fmt: skip
    total = initial_accumulator_value
    for t, g in enumerate(gs):
        g = (-g if maximize else g) + weight_decay * x
        total = total + g * g
        x = x - lr / (1 + t * lr_decay) * g / (np.sqrt(total) + eps)
    return x


def adamax(x: Any, gs: Any, lr: float, betas: Any, eps: float, weight_decay: float, maximize: bool) -> Any:
    m = u = 0.0
    for t, g in enumerate(gs, 1):
        g = (-g if maximize else g) + weight_decay * x
        m = betas[0] * m + (1 - betas[0]) * g
        u = np.maximum(betas[1] * u, np.abs(g) + eps)
        x = x - lr / (1 - betas[0] ** t) * m / u
    return x


def nadam(
    x: Any, gs: Any, lr: float, betas: Any, eps: float, weight_decay: float, momentum_decay: float,
    decoupled_weight_decay: bool, maximize: bool,
) -> Any:  # fmt: skip
    m = v = 0.0
    product = 1.0
    for t, g in enumerate(gs, 1):
        g = -g if maximize else g
        if decoupled_weight_decay:
            x = x - lr * weight_decay * x
        else:
            g = g + weight_decay * x
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g * g
        mu, then = (betas[0] * (1 - 0.96 ** (s * momentum_decay) / 2) for s in (t, t + 1))
        product = np.float64(np.float32(product) * np.float32(mu))  # which is kept in float32
        step = then * m / (1 - product * then) + (1 - mu) * g / (1 - product)
        x = x - lr * step / (np.sqrt(v / (1 - betas[1] ** t)) + eps)
    return x


def radam(
    x: Any, gs: Any, lr: float, betas: Any, eps: float, weight_decay: float, decoupled_weight_decay: bool,
    maximize: bool,
) -> Any:  # fmt: skip
    m = v = 0.0
    for t, g in enumerate(gs, 1):
        g = -g if maximize else g
        if decoupled_weight_decay:
            x = x - lr * weight_decay * x
        else:
            g = g + weight_decay * x
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g * g
        step = m / (1 - betas[0] ** t)
        most = 2 / (1 - betas[1]) - 1
        rho = most - 2 * t * betas[1] ** t / (1 - betas[1] ** t)
        if rho > 5:
            r = np.sqrt((rho - 4) * (rho - 2) * most / ((most - 4) * (most - 2) * rho))
            step = step * r * np.sqrt(1 - betas[1] ** t) / (np.sqrt(v) + eps)
        x = x - lr * step
    return x


def adadelta(x: Any, gs: Any, lr: float, rho: float, eps: float, weight_decay: float, maximize: bool) -> Any:
    v = u = 0.0
    for g in gs:
        g = (-g if maximize else g) + weight_decay * x
        v = rho * v + (1 - rho) * g * g
        step = np.sqrt(u + eps) / np.sqrt(v + eps) * g
        u = rho * u + (1 - rho) * step * step
        x = x - lr * step
    return x


def rprop(x: Any, gs: Any, lr: float, etas: Any, step_sizes: Any, maximize: bool) -> Any:
    size, before = np.full_like(x, lr), np.zeros_like(x)
    for g in gs:
        g = -g if maximize else g
        turned = g * before < 0
        size = np.clip(size * np.where(g * before > 0, etas[1], np.where(turned, etas[0], 1)), *step_sizes)
        before = np.where(turned, 0, g)
        x = x - size * np.sign(before)
    return x


def asgd(x: Any, gs: Any, lr: float, lambd: float, alpha: float, t0: float, weight_decay: float, maximize: bool) -> Any:
    eta = np.float64(np.float32(lr))  # which is kept in float32
    for t, g in enumerate(gs, 1):
        g = (-g if maximize else g) + weight_decay * x
        x = (1 - lambd * eta) * x - eta * g
        eta = np.float64(np.float32(lr / (1 + lambd * lr * t) ** alpha))
    return x


# ------------------------------------------------------------------------------------------ rows
BOTH = (False, True)
NESTEROV = "Nesterov momentum requires a momentum and zero dampening"
RATE = (({"lr": -0.5}, "Invalid learning rate: -0.5"), ({"weight_decay": -1.0}, "Invalid weight_decay value: -1.0"))
ADAM = {
    "lr": (0.1,), "betas": ((0.9, 0.999), (0.0, 0.0), (0.5, 0.9)), "eps": (1e-8, 0.0, 1.0), "weight_decay": (0, 0.1),
    "amsgrad": BOTH, "maximize": BOTH,
}  # fmt: skip
ADAM_ALONE = {name: values for name, values in ADAM.items() if name != "amsgrad"}
KINDS = ({"betas": (0, 0.9)}, "betas must be either both floats or both Tensors")
BETAS = (
    *RATE,
    ({"lr": float("nan")}, "Invalid learning rate: nan"),
    ({"eps": -1.0}, "Invalid epsilon value: -1.0"),
    ({"betas": (1.0, 0.9)}, "Invalid beta parameter at index 0: 1.0"),
    ({"betas": (0.9, 1.5)}, "Invalid beta parameter at index 1: 1.5"),
)


def always(options: dict[str, Any]) -> bool:
    return True


ROWS = {
    row.name: row
    for row in (
        Row(
            "SGD", sgd,
            {
                "lr": (0.1, 0.0), "momentum": (0, 0.9), "dampening": (0, 0.3, 1.0), "weight_decay": (0, 0.1),
                "nesterov": BOTH, "maximize": BOTH,
            },
            lambda o: not o["nesterov"] or (o["momentum"] > 0 and o["dampening"] == 0),
            (
                *RATE,
                ({"momentum": -1.0}, "Invalid momentum value: -1.0"),
                ({"nesterov": True}, NESTEROV),
                ({"nesterov": True, "momentum": 0.9, "dampening": 0.1}, NESTEROV),
            ),
        ),
        Row("Adam", adam, ADAM | {"decoupled_weight_decay": BOTH}, always, (*BETAS, KINDS)),
        Row("AdamW", adamw, ADAM, always, (*BETAS, KINDS)),
        Row("Adamax", adamax, ADAM_ALONE, always, BETAS),
        Row(
            "NAdam", nadam,
            ADAM_ALONE
            | {"momentum_decay": (4e-3, 0.0, 0.5), "decoupled_weight_decay": BOTH},
            always, (*BETAS, ({"momentum_decay": -1.0}, "Invalid momentum_decay value: -1.0")), writes=2,
        ),
        Row(
            "RAdam", radam,
            ADAM_ALONE | {"decoupled_weight_decay": BOTH, "betas": (*ADAM["betas"], (0.5, 0.99))},
            always, BETAS,
        ),
        Row(
            "RMSprop", rmsprop,
            {
                "lr": (0.1,), "alpha": (0.9, 0.0), "eps": (1e-8, 1e-3), "weight_decay": (0, 0.1), "momentum": (0, 0.9),
                "centered": BOTH, "maximize": BOTH,
            },
            lambda o: not (o["centered"] and (o["alpha"] == 0 or o["eps"] < 1e-3)),  # 0/0, but for a rounding
            (
                *RATE,
                ({"eps": -1.0}, "Invalid epsilon value: -1.0"),
                ({"momentum": -1.0}, "Invalid momentum value: -1.0"),
                ({"alpha": -1.0}, "Invalid alpha value: -1.0"),
            ),
        ),
        Row(
            "Adadelta", adadelta,
            {"lr": (1.0, 0.1), "rho": (0.9, 0.0, 1.0), "eps": (1e-6, 1.0), "weight_decay": (0, 0.1), "maximize": BOTH},
            always,
            (
                *RATE,
                ({"eps": -1.0}, "Invalid epsilon value: -1.0"),
                ({"rho": -1.0}, "Invalid rho value: -1.0"),
                ({"rho": 1.5}, "Invalid rho value: 1.5"),
            ),
        ),
        Row(
            "Rprop", rprop,
            {
                "lr": (0.01, 0.5), "etas": ((0.5, 1.2), (0.25, 3.0)), "step_sizes": ((1e-6, 50), (0.1, 0.6)),
                "maximize": BOTH,
            },
            always,
            (RATE[0], *(({"etas": e}, f"Invalid eta values: {e[0]}, {e[1]}") for e in ((0.0, 2), (1, 2), (0.5, 1.0)))),
        ),
        Row(
            "ASGD", asgd,
            {
                "lr": (0.1,), "lambd": (1e-4, 0.5), "alpha": (0.75, 0.0), "t0": (1e6, 0.0, 2.0),
                "weight_decay": (0, 0.1), "maximize": BOTH,
            },
            always, RATE, writes=2,
        ),
        Row(
            "Adagrad", adagrad,
            {
                "lr": (0.1,), "lr_decay": (0, 0.1), "weight_decay": (0, 0.1), "initial_accumulator_value": (0, 0.5),
                "eps": (1e-10, 0.0, 1.0), "maximize": BOTH,
            },
            always,
            (
                *RATE,
                ({"eps": -1.0}, "Invalid epsilon value: -1.0"),
                ({"lr_decay": -1.0}, "Invalid lr_decay value: -1.0"),
                ({"initial_accumulator_value": -1.0}, "Invalid initial_accumulator_value value: -1.0"),
            ),
        ),
    )
}  # fmt: skip


# ------------------------------------------------------------------------------------------ material for the laws
def near(a: Any, b: Any, tolerance: float) -> bool:
    """Whether two arrays agree, nan with nan; NumPy's own assertions take ten times as long."""
    with np.errstate(all="ignore"):
        return a.shape == b.shape and bool(
            ((np.abs(a - b) <= tolerance * (1 + np.abs(b))) | (a == b) | ((a != a) & (b != b))).all()
        )


SHAPES = ((2, 3), (), (0, 3), (1,), (4, 1, 2))


def start(shapes: Any = SHAPES, seed: int = 0) -> list[Any]:
    """Values of parameters."""
    draw = np.random.default_rng(seed)
    return [np.asarray(draw.normal(size=s)) for s in shapes]


def gradients(steps: int, shapes: Any = SHAPES, seed: int = 1) -> list[list[Any]]:
    """For each step a gradient for each parameter; one element is always 0."""
    draw = np.random.default_rng(seed)
    found = [[np.asarray(draw.normal(size=s)) for s in shapes] for _ in range(steps)]
    for step in found:
        if step[0].size > 1:
            step[0].flat[0] = 0.0
    return found
