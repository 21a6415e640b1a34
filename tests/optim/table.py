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
FLAGS = {"foreach", "fused", "capturable", "differentiable"}  # they ask for another implementation, not another number


@dataclass(frozen=True)
class Row:
    """An optimizer and its laws' material.

    Attributes:
        reference: `reference(x, gradients, **options)`, the parameter after a step for each gradient.
        options: the values of each option; all combinations are tried that `legal` allows.
        wrong: (options, PyTorch's first line) of ValueErrors.
    """

    name: str
    reference: Callable[..., Any]
    options: dict[str, tuple[Any, ...]]
    legal: Callable[[dict[str, Any]], bool]
    wrong: tuple[tuple[dict[str, Any], str], ...]

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


# ------------------------------------------------------------------------------------------ rows
BOTH = (False, True)
NESTEROV = "Nesterov momentum requires a momentum and zero dampening"
RATE = (({"lr": -0.5}, "Invalid learning rate: -0.5"), ({"weight_decay": -1.0}, "Invalid weight_decay value: -1.0"))
ADAM = {
    "lr": (0.1,), "betas": ((0.9, 0.999), (0.0, 0.0), (0.5, 0.9)), "eps": (1e-8, 0.0, 1.0), "weight_decay": (0, 0.1),
    "amsgrad": BOTH, "maximize": BOTH,
}  # fmt: skip
BETAS = (
    *RATE,
    ({"lr": float("nan")}, "Invalid learning rate: nan"),
    ({"eps": -1.0}, "Invalid epsilon value: -1.0"),
    ({"betas": (1.0, 0.9)}, "Invalid beta parameter at index 0: 1.0"),
    ({"betas": (0.9, 1.5)}, "Invalid beta parameter at index 1: 1.5"),
    ({"betas": (0, 0.9)}, "betas must be either both floats or both Tensors"),
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
        Row("Adam", adam, ADAM | {"decoupled_weight_decay": BOTH}, always, BETAS),
        Row("AdamW", adamw, ADAM, always, BETAS),
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
