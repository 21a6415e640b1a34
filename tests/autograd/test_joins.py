"""A join of n parts takes n steps, forward and back: counted in what the rules are given, not in time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import tinygrad_pt as torch
from tinygrad_pt import graph

JOINS: dict[str, Callable[[list[Any]], Any]] = {
    "cat": torch.cat,
    "stack": torch.stack,
    "hstack": torch.hstack,
    "vstack": torch.vstack,
    "parameters_to_vector": torch.nn.utils.parameters_to_vector,
    "cat of chunks": lambda parts: torch.cat(torch.cat(parts).chunk(len(parts))),
    "stack of rows": lambda parts: torch.stack(torch.stack(parts).unbind()),
}


@contextmanager
def counted() -> Iterator[list[int]]:
    """Inside, the number of arguments that each call of a rule of `cat` and `stack` gets."""
    found: list[int] = []

    def counting(rule: Any) -> Any:
        def counted(*args: Any, **attrs: Any) -> Any:
            found.append(len(args))
            return rule(*args, **attrs)

        return counted

    joins = [op for op in graph.OPS.values() if op.joins]
    before = [op.rules for op in joins]
    for op, rules in zip(joins, before, strict=True):
        op.rules = lambda slot, rules=rules: counting(rules(slot))
    try:
        yield found
    finally:
        for op, rules in zip(joins, before, strict=True):
            op.rules = rules


@pytest.mark.parametrize("name", JOINS)
@pytest.mark.parametrize("create", [False, True])
def test_the_rules_of_n_parts_are_given_n_times_a_few_values(name: str, create: bool) -> None:
    for n in (3, 60):
        parts = [torch.tensor([1.0, i], requires_grad=True) for i in range(n)]
        with counted() as found:
            y = JOINS[name](parts)
            assert found == [], "nothing is asked of the rules before the walk"
            weights = torch.arange(2.0 * n).reshape(y.shape)
            grads = torch.autograd.grad((y * y * weights).sum(), parts, create_graph=create)
        assert len(found) in (n, 2 * n) and max(found) <= 2  # g and y: not the n parts
        np.testing.assert_allclose(
            [g.tolist() for g in grads], [[4 * i, 2 * (2 * i + 1) * i] for i in range(n)], rtol=1e-6
        )
        if create:
            (second,) = torch.autograd.grad(sum(g.sum() for g in grads), [parts[1]])
            assert second.tolist() == [4, 6]


@pytest.mark.parametrize("op", [op for op in graph.OPS.values() if op.joins], ids=lambda op: op.name)
def test_what_a_join_of_each_number_of_parts_keeps_is_not_remembered(op: graph.Op) -> None:
    before = len(op.keep)
    for n in range(2, 9):
        torch.cat([torch.ones(1, requires_grad=True)] * n), torch.stack([torch.ones(1, requires_grad=True)] * n)
    assert len(op.keep) == before
