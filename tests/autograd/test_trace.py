"""Listening to ops, and the lines that applied them."""

from __future__ import annotations

import inspect
from typing import Any

import tinygrad_pt as torch
from tinygrad_pt.autograd.trace import line_of, listen, trace


def here() -> int:
    return inspect.currentframe().f_back.f_lineno  # type: ignore[union-attr]


def test_a_vertex_remembers_the_line_that_made_it() -> None:
    x = torch.ones(3, requires_grad=True)
    with trace():
        y = torch.nn.functional.softmax(x * 2, 0)
        expected = here() - 1
        inner = y.grad_fn.parents[0]
    assert line_of(y.grad_fn).number == line_of(inner).number == expected
    assert line_of(y.grad_fn).file == __file__ and "softmax(x * 2, 0)" in str(line_of(y.grad_fn))
    assert line_of((x * 2).grad_fn) is None, "nobody traces outside"


def test_one_of_several_results_and_a_users_function_have_lines() -> None:
    class Twice(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 2

    x = torch.ones(4, requires_grad=True)
    with trace():
        parts = x.split(2)
        y = Twice.apply(x)
    assert line_of(parts[1].grad_fn).function == line_of(y.grad_fn).function == inspect.currentframe().f_code.co_name
    assert line_of(parts[1].grad_fn).number + 1 == line_of(y.grad_fn).number


def test_listeners_nest() -> None:
    heard: list[str] = []
    with listen(lambda op, *_: heard.append(f"outer {op.name}")):
        with listen(lambda op, *_: heard.append(f"inner {op.name}")):
            torch.ones(2).exp()
        torch.ones(2).sin()
    torch.ones(2).cos()
    assert heard == ["outer exp", "inner exp", "outer sin"]
