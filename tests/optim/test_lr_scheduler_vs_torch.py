"""Schedulers against PyTorch: the same rates, momenta, state, warnings and errors, step after step."""

from __future__ import annotations

import copy
import inspect
import pickle
import warnings
from typing import Any

import pytest

import tinygrad_pt as tg

torch = pytest.importorskip("torch")

STEPS = 60


class Falling:
    """A callable that keeps a number."""

    def __init__(self, rate: float) -> None:
        self.rate = rate

    def __call__(self, t: float) -> float:
        return self.rate**t


def linear(lib: Any, o: Any) -> Any:
    return lib.LinearLR(o, 0.25, total_iters=4)


def cosine(lib: Any, o: Any) -> Any:
    return lib.CosineAnnealingLR(o, 9, eta_min=0.01)


ROWS: dict[str, Any] = {
    "LambdaLR": lambda s, o: s.LambdaLR(o, lambda t: 0.95**t),
    "LambdaLR of each group": lambda s, o: s.LambdaLR(o, [lambda t: 1 / (1 + t), Falling(0.9)]),
    "MultiplicativeLR": lambda s, o: s.MultiplicativeLR(o, lambda t: 0.9 + 0.01 * (t % 7)),
    "MultiplicativeLR of each group": lambda s, o: s.MultiplicativeLR(o, (lambda t: 0.99, Falling(0.999))),
    "StepLR": lambda s, o: s.StepLR(o, 7, gamma=0.3),
    "StepLR of 1": lambda s, o: s.StepLR(o, step_size=1),
    "MultiStepLR": lambda s, o: s.MultiStepLR(o, [5, 30, 9, 9], gamma=0.7),
    "MultiStepLR at 0": lambda s, o: s.MultiStepLR(o, iter([0, 2])),
    "ConstantLR": lambda s, o: s.ConstantLR(o),
    "ConstantLR by 0.7": lambda s, o: s.ConstantLR(o, 0.7, total_iters=11),
    "LinearLR": lambda s, o: s.LinearLR(o),
    "LinearLR down": lambda s, o: s.LinearLR(o, 0.9, 0.1, total_iters=30),
    "LinearLR to 0": lambda s, o: s.LinearLR(o, 1.0, 0.0, total_iters=10),
    "ExponentialLR": lambda s, o: s.ExponentialLR(o, 0.9),
    "PolynomialLR": lambda s, o: s.PolynomialLR(o),
    "PolynomialLR, cubic": lambda s, o: s.PolynomialLR(o, total_iters=50, power=3.0),
    "CosineAnnealingLR": lambda s, o: s.CosineAnnealingLR(o, T_max=10),
    "CosineAnnealingLR above": lambda s, o: s.CosineAnnealingLR(o, T_max=7, eta_min=0.013),
    "CosineAnnealingLR of 1": lambda s, o: s.CosineAnnealingLR(o, T_max=1),
    "CosineAnnealingWarmRestarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, T_0=7),
    "CosineAnnealingWarmRestarts, longer": lambda s, o: s.CosineAnnealingWarmRestarts(o, 3, T_mult=2, eta_min=1e-3),
    "CyclicLR": lambda s, o: s.CyclicLR(o, 0.01, 0.3, step_size_up=7),
    "CyclicLR of each group": lambda s, o: s.CyclicLR(
        o, [0.01, 0.02], [0.3, 0.5], 5, 3, mode="triangular2", base_momentum=[0.1, 0.2], max_momentum=[0.5, 0.6]
    ),
    "CyclicLR, falling": lambda s, o: s.CyclicLR(o, 0.01, 0.3, 4, mode="exp_range", gamma=0.97, cycle_momentum=False),
    "CyclicLR of a function": lambda s, o: s.CyclicLR(o, 0.01, 0.3, 4, scale_fn=lambda x: 1 / (1 + x)),
    "CyclicLR of an object": lambda s, o: s.CyclicLR(o, 0.1, 1, 4, scale_fn=Falling(0.9), scale_mode="iterations"),
    "OneCycleLR": lambda s, o: s.OneCycleLR(o, 0.3, total_steps=61),
    "OneCycleLR, three": lambda s, o: s.OneCycleLR(o, [0.3, 0.9], epochs=4, steps_per_epoch=20, three_phase=True),
    "OneCycleLR, straight": lambda s, o: s.OneCycleLR(
        o, 1.0, 70, pct_start=0.1, anneal_strategy="linear", div_factor=5, final_div_factor=7, cycle_momentum=False
    ),
    "SequentialLR": lambda s, o: s.SequentialLR(o, [linear(s, o), cosine(s, o), s.StepLR(o, 3)], [6, 31]),
    "SequentialLR from 0": lambda s, o: s.SequentialLR(o, [linear(s, o), s.ExponentialLR(o, 0.9)], milestones=[0]),
    "SequentialLR of restarts": lambda s, o: s.SequentialLR(
        o, [s.ConstantLR(o, 0.1, 5), s.CosineAnnealingWarmRestarts(o, 5)], [5]
    ),
    "ChainedScheduler": lambda s, o: s.ChainedScheduler([linear(s, o), s.ExponentialLR(o, 0.9), s.MultiStepLR(o, [8])]),
    "ChainedScheduler of a sequence": lambda s, o: s.ChainedScheduler(
        [s.SequentialLR(o, [linear(s, o), cosine(s, o)], [5]), s.StepLR(o, 9)], o
    ),
    "ReduceLROnPlateau": lambda s, o: s.ReduceLROnPlateau(o, patience=2),
    "ReduceLROnPlateau upward": lambda s, o: s.ReduceLROnPlateau(
        o, "max", 0.5, 0, threshold=0.1, threshold_mode="abs", cooldown=3, min_lr=[1e-3, 1e-2]
    ),
    "ReduceLROnPlateau, min and abs": lambda s, o: s.ReduceLROnPlateau(o, patience=1, threshold_mode="abs", eps=1e-3),
    "ReduceLROnPlateau, max and rel": lambda s, o: s.ReduceLROnPlateau(o, "max", factor=0.8, patience=1, cooldown=1),
    "two at once": lambda s, o: (s.ExponentialLR(o, 0.9), s.CosineAnnealingLR(o, 20))[0],
}  # fmt: skip
every = pytest.mark.parametrize("name", ROWS)
CLOSED = [n for n in ROWS if n.split()[0].rstrip(",") in (
    "LambdaLR", "StepLR", "MultiStepLR", "ConstantLR", "LinearLR", "ExponentialLR", "PolynomialLR", "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts", "CyclicLR", "OneCycleLR",
)]  # fmt: skip


def optimizer(lib: Any, kind: str = "SGD", tensor: bool = False) -> Any:
    """One of two groups, whose second has a rate of its own; each has a gradient."""
    params = [lib.ones(2, requires_grad=True), lib.ones(1, requires_grad=True)]
    for p in params:
        p.grad = lib.ones_like(p)
    rates = [lib.tensor(r) if tensor else r for r in (0.5, 0.05)]
    options = {"momentum": 0.9} if kind == "SGD" else {}
    groups = [{"params": [params[0]]}, {"params": [params[1]], "lr": rates[1]}]
    return getattr(lib.optim, kind)(groups, lr=rates[0], **options)


def pair(name: str, **options: Any) -> list[Any]:
    """The scheduler of a row, here and in PyTorch."""
    return [ROWS[name](lib.optim.lr_scheduler, optimizer(lib, **options)) for lib in (tg, torch)]


def go(scheduler: Any, t: int) -> None:
    """A step of the optimizer, and one of the scheduler."""
    scheduler.optimizer.step()
    if "Plateau" in type(scheduler).__name__:
        scheduler.step(float("nan") if t == 20 else abs(t % 17 - 6) / 7 + 0.01 * (t % 3))
    else:
        scheduler.step()


def plain(value: Any) -> Any:
    """A state whose objects of either library are numbers."""
    if isinstance(value, dict):
        return {k: plain(value[k]) for k in sorted(value)}
    if isinstance(value, (list, tuple)):
        return type(value)(plain(v) for v in value)
    return value.tolist() if isinstance(value, (tg.Tensor, torch.Tensor)) else value


def seen(scheduler: Any) -> Any:
    """Rates, momenta and whatever else stands in the groups, and what a scheduler says of them."""
    groups = [{k: plain(v) for k, v in g.items() if k != "params"} for g in scheduler.optimizer.param_groups]
    return groups, plain(scheduler.get_last_lr()), scheduler.get_last_lr() == scheduler._last_lr


def same(ours: Any, theirs: Any) -> None:
    assert repr(seen(ours)) == repr(seen(theirs))
    assert repr(plain(ours.state_dict())) == repr(plain(theirs.state_dict()))


@every
@pytest.mark.parametrize("kind", ["SGD", "Adam"])
def test_sixty_steps_to_the_last_bit(name: str, kind: str) -> None:
    ours, theirs = pair(name, kind=kind)
    same(ours, theirs)
    for t in range(STEPS):
        go(ours, t)
        go(theirs, t)
        same(ours, theirs)


@every
def test_a_rate_that_is_a_tensor_is_filled(name: str) -> None:
    ours, theirs = pair(name, tensor=True)
    rates = [group["lr"] for group in ours.optimizer.param_groups]
    for t in range(STEPS):
        go(ours, t)
        go(theirs, t)
        for a, b in zip(ours.get_last_lr(), theirs.get_last_lr(), strict=True):
            assert isinstance(a, tg.Tensor) and a.tolist() == pytest.approx(b.tolist(), rel=2e-6, abs=1e-9)
    assert all(a is group["lr"] for a, group in zip(rates, ours.optimizer.param_groups, strict=True))
    assert all(a is not b for a, b in zip(rates, ours.get_last_lr(), strict=True))


@pytest.mark.parametrize("name", CLOSED)
@pytest.mark.filterwarnings("ignore:The epoch parameter")
def test_a_step_that_is_named(name: str) -> None:
    """The closed form, where there is one; and then the chain goes on from there."""
    ours, theirs = pair(name)
    for t in (3, 17, 1, None, None, 0, None, 40):
        for scheduler in (ours, theirs):
            scheduler.optimizer.step()
            scheduler.step(t)
        same(ours, theirs)


@pytest.mark.parametrize("at", [0, 4])
@pytest.mark.parametrize("last", [3, 10])
@pytest.mark.parametrize("kind", [
    "StepLR(o, 3, last_epoch=last)", "MultiStepLR(o, [4, 11], last_epoch=last)", "ConstantLR(o, last_epoch=last)",
    "LinearLR(o, last_epoch=last)", "ExponentialLR(o, 0.9, last)", "PolynomialLR(o, 20, last_epoch=last)",
    "CosineAnnealingLR(o, 10, last_epoch=last)", "CosineAnnealingWarmRestarts(o, 10, last_epoch=last)",
    "LambdaLR(o, lambda t: 1 / (1 + t), last)", "MultiplicativeLR(o, lambda t: 0.9, last)",
    "CyclicLR(o, 0.1, 0.5, 3, last_epoch=last)", "OneCycleLR(o, 0.5, 30, last_epoch=last)",
])  # fmt: skip
def test_a_schedule_resumed(kind: str, last: int, at: int) -> None:
    """With `last_epoch`, on an optimizer that has had such a scheduler."""
    both = []
    for lib in (tg, torch):
        o, s = optimizer(lib), lib.optim.lr_scheduler
        first = eval(kind, {"o": o, "last": -1}, {n: getattr(s, n) for n in s.__all__})
        for t in range(at):
            go(first, t)
        both.append(eval(kind, {"o": o, "last": last}, {n: getattr(s, n) for n in s.__all__}))
    same(*both)
    for t in range(15):
        for scheduler in both:
            go(scheduler, t)
        same(*both)


@every
def test_a_state_goes_on_here_and_there(name: str) -> None:
    """From ours to ours and to PyTorch's, and from PyTorch's to ours."""
    ours, theirs = pair(name)
    for t in range(13):
        go(ours, t)
        go(theirs, t)
    states = {"ours": copy.deepcopy(ours.state_dict()), "theirs": copy.deepcopy(theirs.state_dict())}
    before = {k: repr(v) for k, v in states.items()}
    fresh = [pair(name)[0], pair(name)[0], pair(name)[1]]
    for scheduler, state in zip(fresh, (states["ours"], states["theirs"], copy.deepcopy(states["ours"])), strict=True):
        scheduler.load_state_dict(state)
        for group, other in zip(scheduler.optimizer.param_groups, ours.optimizer.param_groups, strict=True):
            group.update({k: v for k, v in other.items() if k != "params"})
    assert repr(states["ours"]) == before["ours"], "loading changed what was loaded"
    assert repr(states["theirs"]) == before["theirs"]
    for t in range(13, 40):
        go(theirs, t)
        for scheduler in fresh:
            go(scheduler, t)
            same(scheduler, theirs)


@every
def test_a_deep_copy_goes_its_own_way(name: str) -> None:
    ours, theirs = pair(name)
    for t in range(5):
        go(ours, t)
        go(theirs, t)
    twin = copy.deepcopy(ours)
    for t in range(5, 20):
        go(ours, t)
    for t in range(5, 20):
        go(theirs, t)
        go(twin, t)
        same(twin, theirs)


def test_a_scheduler_is_pickled_with_its_optimizer() -> None:
    ours = pair("StepLR")[0]
    for t in range(5):
        go(ours, t)
    twin = pickle.loads(pickle.dumps(ours))
    for t in range(5, 20):
        go(ours, t)
        go(twin, t)
    assert seen(ours) == seen(twin)


# ------------------------------------------------------------------------------------------ words
def said(library: Any, program: str) -> list[str]:
    """The warnings of a program, and its error, with its type."""
    scope = {"lib": library, "s": library.optim.lr_scheduler, "o": optimizer(library), "__name__": "program"}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            exec(program, scope)
            ends = ["done"]
        except Exception as error:
            text = error.args[0] if isinstance(error, KeyError) else str(error)
            ends = [type(error).__name__, text.split("\n  mend:")[0]]
    return [f"{w.category.__name__}: {w.message}" for w in caught] + ends


@pytest.mark.parametrize("program", [
    "a = s.StepLR(o, 3); a.step(); a.step()",
    "a = s.StepLR(o, 3); o.step(); a.step(); a.step()",
    "o.step(); a = s.StepLR(o, 3); a.step()",
    "a = s.StepLR(o, 3); o.step(); b = s.ExponentialLR(o, 0.9); b.step()",
    "a = s.StepLR(o, 3); o.step = lambda: 3; a.step(); a.step()",
    "o.step = o.step.__get__(o); a = s.StepLR(o, 3); o.step(); a.step()",
    "a = s.StepLR(o, 3); o.register_step_post_hook(lambda *a: None); o.step(); a.step()",
    "a = s.StepLR(o, 3); o.register_step_post_hook(lambda *a: None); a.step()",
    "o.register_step_pre_hook(lambda *a: None); a = s.StepLR(o, 3); o.step(); a.step()",
    "a = s.StepLR(o, 3); o.step(); a.step(5)",
    "a = s.ChainedScheduler([s.StepLR(o, 3), s.ExponentialLR(o, 0.5)]); a.step(); a.step()",
    "a = s.SequentialLR(o, [s.StepLR(o, 3), s.ExponentialLR(o, 0.5)], [1]); a.step(); a.step()",
    "a = s.ReduceLROnPlateau(o); a.step(1.0); a.step(1.0, 7); a.step(1.0, epoch=3)",
    "a = s.CosineAnnealingWarmRestarts(o, 3); a.step(); a.step(2.5)",
    *(f"a = s.{make}; a.get_lr()" for make in (
        "LambdaLR(o, lambda t: 1)", "MultiplicativeLR(o, lambda t: 1)", "StepLR(o, 3)", "MultiStepLR(o, [3])",
        "ConstantLR(o)", "LinearLR(o)", "ExponentialLR(o, 0.9)", "PolynomialLR(o)", "CosineAnnealingLR(o, 3)",
        "CosineAnnealingWarmRestarts(o, 3)", "CyclicLR(o, 0.1, 1)", "OneCycleLR(o, 1, 10)",
    )),
    *(f"s.{make}" for make in (
        "StepLR(3, 3)", "LambdaLR(o, [abs])", "MultiplicativeLR(o, [abs])", "MultiplicativeLR(o, [3, abs])",
        "MultiplicativeLR(o, 3)", "ConstantLR(o, 1.5)", "ConstantLR(o, -0.5)", "LinearLR(o, 0)", "LinearLR(o, 1.1)",
        "LinearLR(o, end_factor=1.1)", "LinearLR(o, end_factor=-0.1)", "CosineAnnealingWarmRestarts(o, 0)",
        "CosineAnnealingWarmRestarts(o, 1.5)", "CosineAnnealingWarmRestarts(o, 3, 0)",
        "CosineAnnealingWarmRestarts(o, 3, 1.5)", "CosineAnnealingWarmRestarts(o, 3, eta_min='a')",
        "CosineAnnealingWarmRestarts(o, 3).step(-1)", "SequentialLR(o, [], [])",
        "SequentialLR(o, [s.StepLR(o, 3)], [2])", "SequentialLR(o, [s.StepLR(o, 3), s.StepLR(o, 3)], [])",
        "SequentialLR(o, [3], [])", "SequentialLR(o, [s.ReduceLROnPlateau(o)], [])", "ChainedScheduler([])",
        "ChainedScheduler([s.StepLR(o, 3), 4])", "ChainedScheduler([s.StepLR(o, 3), s.ReduceLROnPlateau(o)])",
        "ChainedScheduler([s.StepLR(o, 3)], lib.optim.SGD([lib.ones(1)]))",
        "SequentialLR(lib.optim.SGD([lib.ones(1)]), [s.StepLR(o, 3)], [])", "ReduceLROnPlateau(o, factor=1.0)",
        "ReduceLROnPlateau(3)", "ReduceLROnPlateau(o, min_lr=[1])", "ReduceLROnPlateau(o, 'mean')",
        "ReduceLROnPlateau(o, threshold_mode='none')", "CyclicLR(3, 1, 2)", "CyclicLR(o, [1], 2)",
        "CyclicLR(o, 1, [2])", "CyclicLR(o, 1, 2, mode='square')", "CyclicLR(o, 1, 2, base_momentum=[0])",
        "CyclicLR(lib.optim.Adagrad([lib.ones(1)]), 1, 2)", "OneCycleLR(lib.optim.Adagrad([lib.ones(1)]), 1, 2)",
        "OneCycleLR(3, 1, 2)", "OneCycleLR(o, 1)", "OneCycleLR(o, 1, epochs=3)", "OneCycleLR(o, 1, 0)",
        "OneCycleLR(o, 1, 2.5)", "OneCycleLR(o, 1, epochs=0, steps_per_epoch=3)",
        "OneCycleLR(o, 1, epochs=3, steps_per_epoch=-1)", "OneCycleLR(o, 1, 9, pct_start=1)",
        "OneCycleLR(o, 1, 9, pct_start=1.5)", "OneCycleLR(o, 1, 9, anneal_strategy='step')", "OneCycleLR(o, [1], 9)",
        "StepLR(o, 3, last_epoch=4)", "OneCycleLR(o, 1, 9, last_epoch=4)",
    )),
    "a = s.OneCycleLR(o, 1, 4)\nfor _ in range(5): o.step(); a.step()",
    "a = s.ReduceLROnPlateau(o, patience=0, min_lr=[0, 0]); o.add_param_group({'params': [lib.ones(3)]})\n"
    "for _ in range(3): o.step(); a.step(1.0)",
    "a = s.ReduceLROnPlateau(o, patience=0); o.add_param_group({'params': [lib.ones(3)]})\n"
    "for _ in range(3): o.step(); a.step(1.0)",
])  # fmt: skip
def test_warnings_and_errors_are_pytorchs(program: str) -> None:
    assert said(tg, program) == said(torch, program)


@pytest.mark.parametrize("make", ["StepLR(o, 3)", "LambdaLR(o, lambda t: 1)", "CosineAnnealingLR(o, 3)"])
def test_a_group_added_later(make: str) -> None:
    """Where each rate comes from its own group, it takes part; where the first rates are listed, both refuse."""
    ends = []
    for lib in (tg, torch):
        o = optimizer(lib)
        s = lib.optim.lr_scheduler
        scheduler = eval(make, {"o": o}, {n: getattr(s, n) for n in s.__all__})
        go(scheduler, 0)
        o.add_param_group({"params": [lib.ones(3)], "lr": 0.25})
        try:
            for t in range(1, 7):
                go(scheduler, t)
            ends.append(seen(scheduler))
        except ValueError as error:
            ends.append(type(error))
    assert ends[0] == ends[1]


def test_a_scheduler_of_the_users_own() -> None:
    """A subclass that overrides `get_lr`, with a closed form or without, and one that overrides `step`."""
    ends = []
    for lib in (tg, torch):

        class Square(lib.optim.lr_scheduler.LRScheduler):  # type: ignore[name-defined, misc]
            def get_lr(self) -> Any:
                return [lr / (1 + self.last_epoch) ** 2 for lr in self.base_lrs]

        class Named(Square):
            def _get_closed_form_lr(self) -> Any:
                return [lr / 7 for lr in self.base_lrs]

        class Stepped(Square):
            def step(self, epoch: Any = None) -> None:
                super().step()
                self.steps = getattr(self, "steps", 0) + 1

        path = []
        for kind in (Square, Named, Stepped):
            scheduler = kind(optimizer(lib))
            for epoch in (None, None, 5, None):
                scheduler.optimizer.step()
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    scheduler.step(epoch)
                path.append((scheduler.get_last_lr(), plain(scheduler.state_dict())))
        assert issubclass(lib.optim.lr_scheduler._LRScheduler, lib.optim.lr_scheduler.LRScheduler)
        ends.append(path)
    assert ends[0] == ends[1]


def test_every_name_of_pytorchs_is_here_with_its_signature() -> None:
    for name in torch.optim.lr_scheduler.__all__:
        ours, theirs = (inspect.signature(getattr(lib.optim.lr_scheduler, name)) for lib in (tg, torch))
        assert [(p.name, p.default, p.kind) for p in ours.parameters.values()] == [
            (p.name, p.default, p.kind) for p in theirs.parameters.values()
        ], name
