"""Each room tells listeners what it does: optimizers, clipping, choices among elements, and where a walk starts."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

import tinygrad_pt as torch
from tinygrad_pt import nn, optim
from tinygrad_pt.listening import Listener, Walk, listen
from tinygrad_pt.optim.optimizer import Optimizer


class Heard(Listener):
    """Writes down what it hears of."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def applied(self, op: Any, args: Any, attrs: Any, result: Any) -> None:
        self.events.append(op.name)

    def made(self, optimizer: Optimizer) -> None:
        self.events.append(("made", type(optimizer).__name__))

    def read(self, optimizer: Optimizer) -> None:
        self.events.append("read")

    def stepping(self, optimizer: Optimizer, closure: bool) -> None:
        self.events.append(("stepping", closure))

    def stepped(self, optimizer: Optimizer) -> None:
        self.events.append("stepped")

    def cleared(self, optimizer: Optimizer) -> None:
        self.events.append("cleared")

    def clipping(self, parameters: Any, limit: float) -> None:
        self.events.append(("clipping", len(parameters), limit))


class Own(optim.SGD):
    """Overrides what it can."""

    def __init__(self, params: Any) -> None:
        super().__init__(params, lr=0.5)

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Twice."""
        super().step()
        return super().step(closure)

    def zero_grad(self, set_to_none: bool = True) -> None:
        super().zero_grad(set_to_none)


class Alone(Optimizer):
    """Calls nothing of the base class's."""

    def __init__(self, params: Any) -> None:
        super().__init__(params, {"lr": 0.5})

    def step(self, closure: Any = None) -> Any:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                p.data -= group["lr"] * p.grad.data
        return 7


def parameter() -> nn.Parameter:
    p = nn.Parameter(torch.ones(2))
    p.grad = torch.ones(2)
    return p


@pytest.mark.parametrize("make", [lambda params: optim.SGD(params, lr=0.5), optim.Adam, Own])
def test_an_optimizer_is_heard_and_only_from_outside(make: Callable[..., Optimizer]) -> None:
    heard, p = Heard(), parameter()
    with listen(heard):
        optimizer = make([p])
        assert heard.events.pop() == ("made", type(optimizer).__name__)
        heard.events.clear()
        optimizer.step()
        optimizer.step(closure=lambda: 1.0)
        optimizer.zero_grad()
        assert heard.events == [("stepping", False), "stepped", ("stepping", True), "stepped", "cleared"]
        heard.events.clear()
        assert optimizer.param_groups[0]["params"] == [p]
        assert heard.events == ["read"]
    optimizer.step()
    assert heard.events == ["read"] and p.grad is None


def test_a_step_that_calls_no_other_is_heard_and_answers() -> None:
    heard = Heard()
    optimizer = Alone([parameter()])
    with listen(heard):
        assert optimizer.step(None) == 7
    assert heard.events[0] == ("stepping", False) and heard.events[-1] == "stepped"
    assert Own.step.__name__ == "step" and Own.step.__doc__ == "Twice."


def test_a_step_that_fails_is_not_told_as_done_and_the_next_is_heard() -> None:
    heard, optimizer = Heard(), optim.SGD([parameter()], lr=0.5)

    def closure() -> float:
        raise ZeroDivisionError

    with listen(heard):
        with pytest.raises(ZeroDivisionError):
            optimizer.step(closure)
        optimizer.step()
    assert heard.events == [("stepping", True), ("stepping", False), "stepped"]


def test_an_optimizer_that_steps_another_is_two() -> None:
    class Outer(Alone):
        def step(self, closure: Any = None) -> Any:  # type: ignore[override]
            return inner.step(closure)

    heard, p = Heard(), parameter()
    inner = optim.SGD([p], lr=0.5)
    with listen(heard):
        Outer([p]).step()
    assert heard.events.count("stepped") == 2


def test_groups_are_stored_under_their_name() -> None:
    optimizer = optim.SGD([parameter()], lr=0.5)
    assert vars(optimizer)["param_groups"] is optimizer.param_groups
    for twin in (copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))):
        assert twin.param_groups[0]["lr"] == 0.5 and twin.param_groups is not optimizer.param_groups
        twin.param_groups = [{"params": [], "lr": 1.0}]
        assert vars(twin)["param_groups"] == [{"params": [], "lr": 1.0}]
    with pytest.raises(AttributeError, match="'SGD' object has no attribute 'param_groups'"):
        optim.SGD.__new__(optim.SGD).param_groups  # noqa: B018


def test_groups_that_belong_to_another_optimizer() -> None:
    class Around(Optimizer):
        def __init__(self, optimizer: Optimizer) -> None:
            self.optimizer = optimizer

        @property
        def param_groups(self) -> Any:  # type: ignore[override]
            return self.optimizer.param_groups

    p = parameter()
    around = Around(optim.SGD([p], lr=0.5))
    with torch.lint() as findings:
        around.zero_grad()
    assert p.grad is None and findings == []


def test_clipping_is_heard_before_it_happens() -> None:
    heard, p = Heard(), parameter()
    with listen(heard):
        nn.utils.clip_grad_norm_([p], 9.0)
        nn.utils.clip_grad_value_((q for q in [p]), 2.0)
    assert [e for e in heard.events if e[0] == "clipping"] == [("clipping", 1, 9.0), ("clipping", 1, 2.0)]


def test_choices_are_ops() -> None:
    x = torch.tensor([[1.0, 3.0], [2.0, 0.0]])
    for choose, name in (
        (lambda: x.argmax(), "argmax"), (lambda: x.argmin(1), "argmin"), (lambda: x.max(1), "argmax"),
        (lambda: x.min(0), "argmin"), (lambda: x.max(), "amax"), (lambda: x.topk(1), "argsort"),
        (lambda: torch.sort(x), "argsort"), (lambda: x.argsort(0), "argsort"),
    ):  # fmt: skip
        heard = Heard()
        with listen(heard):
            choose()
        assert heard.events[0] == name


def test_a_walk_knows_the_tensors_that_it_starts_from() -> None:
    found: list[Any] = []

    class Starts(Listener):
        def walking(self, walk: Walk) -> None:
            found.append(walk.outputs)

    x = torch.ones(2, requires_grad=True)
    a, b = (x * 2).sum(), x.sum()
    with listen(Starts()):
        torch.autograd.backward((t for t in (a, b)), retain_graph=True)
        a.backward(retain_graph=True)
        torch.autograd.grad((t for t in [b]), x)
    assert [len(one) for one in found] == [2, 1, 1]
    assert found[0][0] is a and found[0][1] is b and found[1][0] is a and found[2][0] is b
