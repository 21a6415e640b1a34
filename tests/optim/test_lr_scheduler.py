"""Schedulers, as their formulas say, without PyTorch; and what lint says of the real ones."""

from __future__ import annotations

import math
from typing import Any

import pytest

import tinygrad_pt as torch
from tinygrad_pt.optim import lr_scheduler

FORMULAS: dict[str, tuple[Any, Any]] = {
    "LambdaLR": (lambda o: lr_scheduler.LambdaLR(o, lambda t: 0.9**t), lambda t: 0.9**t),
    "MultiplicativeLR": (lambda o: lr_scheduler.MultiplicativeLR(o, lambda t: t), math.factorial),
    "StepLR": (lambda o: lr_scheduler.StepLR(o, 3, 0.5), lambda t: 0.5 ** (t // 3)),
    "MultiStepLR": (lambda o: lr_scheduler.MultiStepLR(o, [2, 5], 0.5), lambda t: 0.5 ** ((t >= 2) + (t >= 5))),
    "ConstantLR": (lambda o: lr_scheduler.ConstantLR(o, 0.5, 4), lambda t: 0.5 if t < 4 else 1.0),
    "LinearLR": (lambda o: lr_scheduler.LinearLR(o, 0.5, total_iters=4), lambda t: 0.5 + 0.125 * min(t, 4)),
    "ExponentialLR": (lambda o: lr_scheduler.ExponentialLR(o, 0.8), lambda t: 0.8**t),
    "PolynomialLR": (lambda o: lr_scheduler.PolynomialLR(o, 8, 2.0), lambda t: (1 - min(t, 8) / 8) ** 2),
    "CosineAnnealingLR": (
        lambda o: lr_scheduler.CosineAnnealingLR(o, 5), lambda t: (1 + math.cos(math.pi * t / 5)) / 2
    ),
    "CosineAnnealingWarmRestarts": (
        lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 5), lambda t: (1 + math.cos(math.pi * (t % 5) / 5)) / 2
    ),
    "SequentialLR": (
        lambda o: lr_scheduler.SequentialLR(o, [lr_scheduler.ConstantLR(o, 0.5), lr_scheduler.StepLR(o, 2, 0.5)], [3]),
        lambda t: 0.5 if t < 3 else 0.5 ** ((t - 3) // 2),
    ),
    "ChainedScheduler": (
        lambda o: lr_scheduler.ChainedScheduler([lr_scheduler.StepLR(o, 2, 0.5), lr_scheduler.ExponentialLR(o, 0.9)]),
        lambda t: 0.5 ** (t // 2) * 0.9**t,
    ),
    "CyclicLR": (
        lambda o: lr_scheduler.CyclicLR(o, 0.0, 1.0, 4), lambda t: 1 - abs(t % 8 / 4 - 1)
    ),
    "OneCycleLR": (
        lambda o: lr_scheduler.OneCycleLR(o, 1.0, 11, pct_start=0.5, anneal_strategy="linear", div_factor=10.0),
        lambda t: 0.1 + 0.9 * t / 4.5 if t <= 4.5 else 1 - (1 - 1e-5) * (t - 4.5) / 5.5,
    ),
    "ReduceLROnPlateau": (
        lambda o: lr_scheduler.ReduceLROnPlateau(o, factor=0.5, patience=3), lambda t: 0.5 ** (max(t - 1, 0) // 4)
    ),
}  # fmt: skip


def optimizer() -> Any:
    x = torch.ones(1, requires_grad=True)
    x.grad = torch.ones(1)
    return torch.optim.SGD([x], lr=1.0, momentum=0.5)


def test_every_scheduler_has_a_formula() -> None:
    assert {"LRScheduler", *FORMULAS} == set(lr_scheduler.__all__)


@pytest.mark.parametrize("name", FORMULAS)
def test_the_rates_follow_the_formula(name: str) -> None:
    make, formula = FORMULAS[name]
    scheduler = make(optimizer())
    for t in range(10):
        assert scheduler.get_last_lr() == [scheduler.optimizer.param_groups[0]["lr"]]
        assert scheduler.get_last_lr()[0] == pytest.approx(formula(t), abs=1e-12)
        scheduler.optimizer.step()
        scheduler.step(*[7.0] * (name == "ReduceLROnPlateau"))


@pytest.mark.parametrize("early", [True, False])
@pytest.mark.parametrize("make", [
    lambda o: lr_scheduler.StepLR(o, 2),
    lambda o: lr_scheduler.ExponentialLR(o, 0.5),
    lambda o: lr_scheduler.ChainedScheduler([lr_scheduler.ExponentialLR(o, 0.5)]),
    lambda o: lr_scheduler.SequentialLR(o, [lr_scheduler.ExponentialLR(o, 0.5), lr_scheduler.ConstantLR(o)], [9]),
])  # fmt: skip
@pytest.mark.filterwarnings("ignore:Detected call of")
def test_lint_knows_the_real_thing(make: Any, early: bool) -> None:
    """A schedule that begins before the optimizer is found, one inside another too, and a right one is not."""
    with torch.lint() as findings:
        o = optimizer()
        scheduler = make(o)
        for _ in range(4):
            if early:
                scheduler.step()
            o.step()
            if not early:
                scheduler.step()
    assert [f.code for f in findings].count("TG601") == early
