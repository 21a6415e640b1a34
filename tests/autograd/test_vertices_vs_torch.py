"""What a vertex shows of itself: the names that PyTorch's has, and the classes that bear them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import tinygrad_pt

torch = pytest.importorskip("torch")

CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "mul": lambda t, x: x * 2,
    "add": lambda t, x: x + x,
    "addmm": lambda t, x: t.nn.functional.linear(x, x, x[0]),
    "sum": lambda t, x: x.sum(),
    "sum over": lambda t, x: x.sum(0),
    "select": lambda t, x: x[0],
    "index": lambda t, x: x[t.tensor([0])],
    "a part": lambda t, x: x.split(1)[1],
    "a base that is written": lambda t, x: written(x * 1),
    "pow": lambda t, x: x**2,
    "relu": lambda t, x: t.relu(x),
    "cross_entropy": lambda t, x: t.nn.functional.cross_entropy(x, t.tensor([0, 1])),
    "custom": lambda t, x: custom(t).apply(x),
    "leaf": lambda t, x: x,
}


def written(y: Any) -> Any:
    y[0].mul_(2)
    return y


SAME = ("mul", "add", "sum", "sum over", "select", "a part", "relu", "custom")  # whose arguments PyTorch records so


def custom(t: Any) -> Any:
    class Twice(t.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 2

    return Twice


def names(t: Any, call: Callable[[Any, Any], Any]) -> list[str]:
    """The class of the vertex, of what `name` and `repr` say, and of the vertices before it."""
    y = call(t, t.ones(2, 2, requires_grad=True))
    fn = y.grad_fn
    if fn is None:
        return [str(fn)]
    before = [type(f).__name__ for f, _ in fn.next_functions] if call in map(CALLS.get, SAME) else []
    return [type(fn).__name__, fn.__class__.__name__, fn.name().split("::")[-1], *before]


@pytest.mark.parametrize("name", CALLS)
def test_classes_of_vertices_bear_pytorchs_names(name: str) -> None:
    assert names(tinygrad_pt, CALLS[name]) == names(torch, CALLS[name])


def test_a_vertex_that_was_shown_is_the_one_that_was_recorded() -> None:
    x = tinygrad_pt.ones(2, requires_grad=True)
    y = (x * 3).exp()
    first = y.grad_fn
    assert first is y.grad_fn is y.node and first.next_functions[0][0] is first.parents[0]
    assert isinstance(first, tinygrad_pt.graph.Node) and repr(type(first)) == "<class 'ExpBackward0'>"
    z = y[0] * y[1]
    assert type(z.grad_fn) is not type(first) and type((x * 3).exp().grad_fn) is type(first)
    z.backward()
    assert x.grad is not None and (x.grad > 0).all()


def test_a_vertex_that_was_shown_is_walked_through_in_every_way() -> None:
    for several in (False, True):
        x = tinygrad_pt.arange(4.0).requires_grad_()
        y = x * x
        parts = y.split(2) if several else (y[:2], y[2:])
        _ = y.grad_fn, [part.grad_fn for part in parts], parts[0].grad_fn.next_functions
        heard: list[Any] = []
        y.grad_fn.register_hook(lambda *grads, heard=heard: heard.append(grads))
        (g,) = tinygrad_pt.autograd.grad((parts[0] * parts[1]).sum(), x, create_graph=True)
        _ = g.grad_fn
        g.sum().backward()
        assert heard and x.grad is not None
    b = tinygrad_pt.ones(3, requires_grad=True) * 1
    view = b[:2]
    _ = b.grad_fn, view.grad_fn
    b.mul_(2)
    assert type(view.grad_fn).__name__ in ("AsStridedBackward0", "SliceBackward0")
    view.sum().backward()
