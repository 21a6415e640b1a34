"""`Sequential.forward` writes out the calls of its modules, for speed: it must do all that the calls themselves do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import tinygrad_pt as torch
from tinygrad_pt import nn
from tinygrad_pt.errors import message
from tinygrad_pt.listening import Listener, listen
from tinygrad_pt.modes import current

Log = list[Any]


class Calls(nn.Sequential):
    """A Sequential that calls its modules."""

    def forward(self, input: Any) -> Any:
        for module in self:
            input = module(input)
        return input


class Probe(nn.Module):
    """Notes where it is called, and acts before it returns its input."""

    def __init__(self, log: Log, act: Callable[[], Any] = lambda: None) -> None:
        super().__init__()
        self.log, self.act = log, act

    def forward(self, input: Any) -> Any:
        self.log.append((str(current().scope), current().grad, current().inference))
        self.act()
        return input * 1


class Announced(Probe):
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.log.append("announced")
        return super().__call__(*args, **kwargs)


class OfItsOwn(Probe):
    def __call__(self, input: Any) -> Any:
        return input + 1


def fail() -> None:
    raise ValueError("failed")


def leave_no_grad() -> None:
    torch.set_grad_enabled(False)


def hooked(log: Log) -> nn.Module:
    probe = Probe(log)
    probe.register_forward_pre_hook(lambda m, args: log.append(("before", str(current().scope))))
    probe.register_forward_hook(lambda m, args, y: y * 2)
    probe.register_full_backward_hook(lambda m, grad_input, grad_output: log.append("backward"))
    return probe


def failing_and_hooked(log: Log) -> nn.Module:
    probe = Probe(log, fail)
    probe.register_forward_hook(lambda m, args, y: log.append(("after", y)), always_call=True)
    return probe


def replaced(log: Log) -> nn.Module:
    probe = Probe(log)
    probe.forward = lambda input: input - 1
    return probe


MODULES: dict[str, Callable[[Log], nn.Module]] = {
    "plain": Probe,
    "failing": lambda log: Probe(log, fail),
    "hooked": hooked,
    "failing and hooked": failing_and_hooked,
    "with a call that adds something": Announced,
    "with a call of its own": OfItsOwn,
    "with a forward of its own": replaced,
    "changing the mode": lambda log: Probe(log, leave_no_grad),
    "wrong in an op": lambda log: nn.Linear(7, 7),
    "a Sequential": lambda log: nn.Sequential(Probe(log), Probe(log)),
    "a Sequential that fails": lambda log: nn.Sequential(Probe(log), Probe(log, fail)),
}


def told(kind: type[nn.Sequential], make: Callable[[Log], nn.Module], around: Any) -> Log:
    """All that can be noticed of three calls of a network with this module between two others."""
    log: Log = []
    torch.manual_seed(0)
    m = kind(Probe(log), make(log), Probe(log))
    m.register_forward_hook(lambda *args: log.append(("network", str(current().scope))))
    with around(log):
        outside = current()  # the same in all calls, so that the modules know it from the second on
        for _ in range(3):
            x = torch.ones(1, 2, requires_grad=True)
            try:
                y = m(x)
                log.append((y.tolist(), y.requires_grad, str(y.grad_fn and y.grad_fn.scope)))
                if y.requires_grad:
                    y.sum().backward()
                    log.append(x.grad.tolist())
            except Exception as error:
                log.append((type(error), message(error)))
            log.append(current() is outside)
    return [str(entry).replace("Calls", "Sequential") for entry in log]


class Noting(Listener):
    def __init__(self, log: Log) -> None:
        self.log = log

    def applied(self, op: Any, args: tuple[Any, ...], attrs: dict[str, Any], result: Any) -> None:
        self.log.append((op.name, str(current().scope)))

    def called(self, module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        self.log.append((type(module).__name__, str(current().scope)))


AROUND = {
    "nothing": lambda log: torch.enable_grad(),
    "no_grad": lambda log: torch.no_grad(),
    "inference": lambda log: torch.inference_mode(),
    "a listener": lambda log: listen(Noting(log)),
}


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("module", MODULES)
def test_a_sequential_does_what_calls_of_its_modules_do(module: str, around: str) -> None:
    found = told(nn.Sequential, MODULES[module], AROUND[around])
    assert found == told(Calls, MODULES[module], AROUND[around]) and len(found) > 6
