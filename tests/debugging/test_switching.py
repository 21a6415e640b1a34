"""Whatever listens leaves nothing behind: out of order, from another task, from a generator that is dropped."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest

import tinygrad_pt as torch
from tinygrad_pt.debugging.trace import trace
from tinygrad_pt.modes import Mode, current

CONTEXTS: dict[str, Callable[[], Any]] = {
    "lint": torch.lint,
    "detect_anomaly": torch.autograd.detect_anomaly,
    "set_detect_anomaly": lambda: torch.autograd.set_detect_anomaly(True),
    "record_contributions": torch.autograd.record_contributions,
    "trace": trace,
    "no_grad": torch.no_grad,
}

LISTENING = [name for name in CONTEXTS if name != "no_grad"]  # which restores what was before it, as in PyTorch


def state() -> list[Any]:
    mode = [getattr(current(), name) for name in Mode.__slots__]
    return [*mode, torch.is_anomaly_enabled()]


def alone(function: Callable[..., Any], *args: Any) -> Any:
    """Call in a context of its own, so that what is left behind disturbs no other test."""
    return contextvars.copy_context().run(function, *args)


@pytest.mark.parametrize(
    ("first", "second"), [pair for pair in product(CONTEXTS, CONTEXTS) if pair != ("no_grad", "no_grad")]
)
def test_two_that_end_in_the_wrong_order(first: str, second: str) -> None:
    def wrong() -> list[Any]:
        one = CONTEXTS[first]()
        one.__enter__()
        other = CONTEXTS[second]()
        other.__enter__()
        one.__exit__(None, None, None)
        other.__exit__(None, None, None)
        return state()

    before = state()
    assert alone(wrong) == before


@pytest.mark.parametrize("name", LISTENING)
def test_one_that_begins_in_a_task_and_ends_in_another(name: str) -> None:
    async def main() -> list[Any]:
        context: list[Any] = []

        async def begin() -> None:
            context.append(CONTEXTS[name]())
            context[0].__enter__()

        async def end() -> None:
            context[0].__exit__(None, None, None)

        await asyncio.create_task(begin())
        await asyncio.create_task(end())
        return state()

    before = state()
    assert asyncio.run(main()) == before


@pytest.mark.parametrize("name", CONTEXTS)
def test_a_generator_that_is_dropped_in_the_middle(name: str) -> None:
    def steps() -> Iterator[int]:
        with CONTEXTS[name]():
            yield 1
            yield 2

    def dropped() -> list[Any]:
        numbers = steps()
        next(numbers)
        del numbers
        return state()

    before = state()
    assert alone(dropped) == before


def test_a_task_that_switches_off_what_its_parent_switched_on_does_so_for_itself() -> None:
    async def child() -> bool:
        torch.autograd.set_detect_anomaly(False)
        return torch.is_anomaly_enabled()

    async def parent() -> list[bool]:
        with torch.autograd.detect_anomaly():
            return [await asyncio.create_task(child()), torch.is_anomaly_enabled(), bool(current().listeners)]

    assert asyncio.run(parent()) == [False, True, True]
    assert not current().listeners


def test_what_is_set_inside_a_block_ends_with_it_and_one_object_may_be_entered_twice() -> None:
    mode = torch.autograd.detect_anomaly(check_nan=False)
    with mode:
        with mode:
            torch.autograd.set_detect_anomaly(True)
            torch.autograd.set_detect_anomaly(False)
            assert not torch.is_anomaly_enabled()
        assert torch.is_anomaly_enabled() and not torch.is_anomaly_check_nan_enabled() and current().listeners
    assert not torch.is_anomaly_enabled() and not current().listeners


def test_an_account_tells_of_what_was_added_to_grad_only() -> None:
    x = torch.ones(2, requires_grad=True)
    with torch.autograd.record_contributions():
        torch.autograd.grad((x * 2).sum(), x)
        (x * 3).sum().backward()
        torch.autograd.grad((x * 4).sum(), x)
    assert [one.value.tolist() for one in x.grad_contributions()] == [[3.0, 3.0]]


def test_two_accounts_at_once_count_once() -> None:
    x = torch.ones(2, requires_grad=True)
    with torch.autograd.record_contributions(), torch.autograd.record_contributions():
        (x * 2).sum().backward()
    assert [one.op for one in x.grad_contributions()] == ["mul"]


def test_what_cannot_be_asked_is_refused_in_words() -> None:
    with pytest.raises(TypeError, match=r"write @detect_anomaly\(\)"):
        torch.autograd.detect_anomaly(lambda: 1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="the loss must be a tensor, not int"):
        torch.ones(1, requires_grad=True).why_no_grad(3)
