"""Averages of models against PyTorch: parameters, buffers, statistics, rates, errors."""

from __future__ import annotations

import copy
import inspect
import pickle
from typing import Any

import numpy as np
import pytest

import tinygrad_pt as tg

torch = pytest.importorskip("torch")
LIBRARIES = (tg, torch)


def model(lib: Any) -> Any:
    """A network with statistics; its numbers are set by `change`."""
    nn = lib.nn
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2))


def change(lib: Any, net: Any, seed: int) -> None:
    """The same numbers in both libraries."""
    draw = np.random.default_rng(seed)
    with lib.no_grad():
        for p in net.parameters():
            p.copy_(lib.tensor(draw.normal(size=tuple(p.shape)).astype("float32")))
        net(lib.tensor(draw.normal(size=(5, 3)).astype("float32")))


def numbers(net: Any) -> dict[str, Any]:
    return {name: np.asarray(t.detach().numpy()) for name, t in net.state_dict().items()}


def same(ours: Any, theirs: Any, tolerance: float = 1e-6) -> None:
    a, b = numbers(ours), numbers(theirs)
    assert list(a) == list(b)
    for name in a:
        assert a[name].dtype == b[name].dtype
        np.testing.assert_allclose(a[name], b[name], rtol=tolerance, atol=tolerance, err_msg=name)


WAYS: dict[str, Any] = {
    "the mean": lambda s: {},
    "avg_fn": lambda s: {"avg_fn": s.get_ema_avg_fn(0.7)},
    "a function": lambda s: {"avg_fn": lambda a, x, n: a * 0.25 + x * 0.75},
    "mean of each": lambda s: {"avg_fn": s.get_swa_avg_fn()},
    "multi_avg_fn": lambda s: {"multi_avg_fn": s.get_ema_multi_avg_fn(0.7)},
    "mean of lists": lambda s: {"multi_avg_fn": s.get_swa_multi_avg_fn()},
    "avg_fn of buffers": lambda s: {"avg_fn": s.get_ema_avg_fn(0.5), "use_buffers": True},
    "multi_avg_fn of buffers": lambda s: {"multi_avg_fn": s.get_ema_multi_avg_fn(0.5), "use_buffers": True},
}


@pytest.mark.parametrize("way", WAYS)
def test_the_average_of_five_models(way: str) -> None:
    both = []
    for lib in LIBRARIES:
        net = model(lib)
        change(lib, net, 0)
        average = lib.optim.swa_utils.AveragedModel(net, **WAYS[way](lib.optim.swa_utils))
        both.append((lib, net, average))
    same(both[0][2], both[1][2])
    for seed in range(1, 6):
        for lib, net, average in both:
            change(lib, net, seed)
            average.update_parameters(net)
        same(both[0][2], both[1][2])
    assert both[0][2].n_averaged.item() == 5
    x = np.random.default_rng(9).normal(size=(2, 3)).astype("float32")
    ours, theirs = (average.eval()(lib.tensor(x)).detach().numpy() for lib, _, average in both)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_an_average_goes_on_from_its_state_and_from_a_copy() -> None:
    net = model(tg)
    change(tg, net, 0)
    average = tg.optim.swa_utils.AveragedModel(net)
    for seed in (1, 2):
        change(tg, net, seed)
        average.update_parameters(net)
    other = tg.optim.swa_utils.AveragedModel(model(tg))
    other.load_state_dict(average.state_dict())
    twins = [other, copy.deepcopy(average), pickle.loads(pickle.dumps(average))]
    change(tg, net, 3)
    for one in (average, *twins):
        one.update_parameters(net)
    for twin in twins:
        same(twin, average, 0)


def test_the_averaged_model_is_a_copy_that_gradients_reach() -> None:
    net = model(tg)
    average = tg.optim.swa_utils.AveragedModel(net, device="cpu")
    assert all(a is not x for a, x in zip(average.parameters(), net.parameters(), strict=True))
    average.update_parameters(net)
    average(tg.ones(2, 3)).sum().backward()
    assert all(p.grad is not None and p.requires_grad and p.is_leaf for p in average.parameters())
    assert all(p.grad is None for p in net.parameters())


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("pairs", [True, False])
def test_statistics_are_computed_anew(training: bool, pairs: bool) -> None:
    draw = np.random.default_rng(3)
    batches = [draw.normal(size=(n, 3)).astype("float32") for n in (4, 6, 5)]
    both = []
    for lib in LIBRARIES:
        net = model(lib)
        change(lib, net, 0)
        net[1].momentum = 0.3
        net.train(training)
        given = [(lib.tensor(b), 7) if pairs else lib.tensor(b) for b in batches]
        assert lib.optim.swa_utils.update_bn(given, net, device="cpu") is None
        assert net.training is training and net[1].training is training and net[1].momentum == 0.3
        both.append(net)
    same(*both)
    assert both[0][1].num_batches_tracked.item() == 3


def test_a_model_without_statistics_is_left_alone() -> None:
    tg.optim.swa_utils.update_bn(iter(()), tg.nn.Linear(1, 1))

    def never() -> Any:
        raise AssertionError("no batch is needed")
        yield

    tg.optim.swa_utils.update_bn(never(), tg.nn.Linear(1, 1))


@pytest.mark.parametrize("options", [
    {"swa_lr": 0.05}, {"swa_lr": [0.05, 0.5]}, {"swa_lr": 0.05, "anneal_epochs": 0},
    {"swa_lr": 0.2, "anneal_strategy": "linear", "anneal_epochs": 4}, {"swa_lr": 0.2, "anneal_epochs": 1},
])  # fmt: skip
def test_rates(options: Any) -> None:
    both = []
    for lib in LIBRARIES:
        params = [lib.ones(1, requires_grad=True) for _ in range(2)]
        o = lib.optim.SGD([{"params": [params[0]]}, {"params": [params[1]], "lr": 0.01}], lr=0.5)
        lib.optim.lr_scheduler.ExponentialLR(o, 0.9)
        both.append((o, lib.optim.swa_utils.SWALR(o, **options)))
    states = []
    for t in range(15):
        assert both[0][1].get_last_lr() == both[1][1].get_last_lr()
        assert [g["lr"] for g in both[0][0].param_groups] == [g["lr"] for g in both[1][0].param_groups]
        assert both[0][1].state_dict() == both[1][1].state_dict()
        for o, scheduler in both:
            o.step()
            scheduler.step()
        states.append(copy.deepcopy(both[1][1].state_dict()))
        if t == 3:
            both[0][1].load_state_dict(states[-1])


@pytest.mark.parametrize("program", [
    "s.get_ema_avg_fn(1.5)", "s.get_ema_avg_fn(-0.1)", "s.get_ema_multi_avg_fn(1.5)",
    "s.AveragedModel(lib.nn.Linear(1, 1), avg_fn=abs, multi_avg_fn=abs)", "s.SWALR(o, 0.1, anneal_strategy='step')",
    "s.SWALR(o, 0.1, anneal_epochs=-1)", "s.SWALR(o, 0.1, anneal_epochs=1.5)", "s.SWALR(o, [0.1, 0.2])",
])  # fmt: skip
def test_errors_are_pytorchs(program: str) -> None:
    said = []
    for lib in LIBRARIES:
        o = lib.optim.SGD([lib.ones(1)])
        with pytest.raises((ValueError, AssertionError)) as caught:
            eval(program, {"lib": lib, "s": lib.optim.swa_utils, "o": o})
        said.append((caught.type, str(caught.value).split("\n")[0]))
    assert said[0] == said[1]


def test_every_signature_is_pytorchs() -> None:
    assert set(tg.optim.swa_utils.__all__) == set(torch.optim.swa_utils.__all__)
    for name in torch.optim.swa_utils.__all__:
        ours, theirs = (inspect.signature(getattr(lib.optim.swa_utils, name)) for lib in LIBRARIES)
        assert [(p.name, p.default, p.kind) for p in ours.parameters.values()] == [
            (p.name, p.default, p.kind) for p in theirs.parameters.values()
        ], name
