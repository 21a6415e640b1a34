"""Listening to ops, and the lines that applied them."""

from __future__ import annotations

import inspect
from itertools import permutations
from typing import Any

import tinygrad_pt as torch
from tinygrad_pt.debugging.trace import line_of, trace
from tinygrad_pt.listening import Tape, attend, forget, listen


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


def test_a_users_function_is_heard_once_with_the_first_of_its_results() -> None:
    class Two(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, k: float, x: Any) -> Any:
            return x > k, x * k, x + k

    heard: list[Any] = []
    x = torch.ones(4, requires_grad=True)
    with listen(Tape(lambda op, args, attrs, result: heard.append((op.name.rpartition(".")[2], args, result)))):
        _, y, _ = Two.apply(2.0, x)
    assert [name for name, _, _ in heard] == ["gt", "mul", "add", "Two"]
    assert heard[-1][1] == (x,) and heard[-1][2] is y


def test_listeners_nest() -> None:
    heard: list[str] = []
    with listen(Tape(lambda op, *_: heard.append(f"outer {op.name}"))):
        with listen(Tape(lambda op, *_: heard.append(f"inner {op.name}"))):
            torch.ones(2).exp()
        torch.ones(2).sin()
    torch.ones(2).cos()
    assert heard == ["outer exp", "inner exp", "outer sin"]


def test_each_listener_ends_by_itself_whichever_began_first() -> None:
    def listener(heard: list[str]) -> Any:
        return Tape(lambda op, *_: heard.append(op.name))

    for ends in permutations(range(3)):
        heard: list[list[str]] = [[], [], []]
        tapes = [listener(one) for one in heard]
        for tape in tapes:
            attend(tape)
        for name, end in zip(("exp", "sin", "cos"), ends, strict=True):
            getattr(torch, name)(torch.ones(2))
            forget(tapes[end])
        torch.tanh(torch.ones(2))
        forget(tapes[0])  # who does not listen may end all the same
        assert [heard[end] for end in ends] == [["exp"], ["exp", "sin"], ["exp", "sin", "cos"]]


def test_a_tensor_without_a_vertex_remembers_why() -> None:
    x = torch.ones(3, requires_grad=True)
    with trace():
        with torch.no_grad():
            quiet = x * 2
        with torch.inference_mode():
            never = x * 2
        made = [quiet, never, x.detach(), x.data, x > 0, x.long(), torch.ones(3).exp()]
        loss = (quiet.sin() * x).sum()
    assert [t._origin.reason for t in made] == [
        "no_grad", "inference_mode", "detach", "data", "rule", "dtype", "arguments"
    ]  # fmt: skip
    assert all(cut.node() is x.node for t in made for cut in t._origin.cuts)
    assert [len(t._origin.cuts) for t in made] == [1] * 6 + [0]
    (cut,) = loss.grad_fn.parents[0].note("cuts")
    assert cut.reason == "no_grad" and cut.line == quiet._origin.line
    assert x.detach()._origin is None, "nobody traces outside"
