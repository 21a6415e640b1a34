"""The account of `.grad`: every backward call, every use, and what else happened to it."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_pt as torch
from tests.autograd.test_engine import APPLY, STEPS, tangled
from tinygrad_pt import nn
from tinygrad_pt.autograd import record_contributions
from tinygrad_pt.modes import current


def leaf(*values: float) -> Any:
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


def here() -> int:
    return inspect.currentframe().f_back.f_lineno  # type: ignore[union-attr]


def told(t: Any) -> list[Any]:
    return [(one.kind, one.op, one.slot, one.value.tolist()) for one in t.grad_contributions()]


def test_two_uses_and_two_calls_are_told_apart() -> None:
    w = leaf(1.0, 2.0)
    with record_contributions():
        line = here() + 1
        y = w * w
        y.sum().backward()
        (w * 10).sum().backward(), (w * 5).sum().backward()
    assert told(w) == [
        ("path", "mul", 0, [1.0, 2.0]), ("path", "mul", 1, [1.0, 2.0]), ("path", "mul", 0, [10.0, 10.0]),
        ("path", "mul", 0, [5.0, 5.0]),
    ]  # fmt: skip
    found = w.grad_contributions()
    numbers = [one.number for one in found]
    assert numbers[0] == numbers[1] < numbers[2] < numbers[3]
    assert [one.call.number - line for one in found] == [1, 1, 2, 2]
    assert found[0].line.number == line and found[0].path == ("mul", "sum")
    assert np.array_equal(found.total, w.grad.numpy())
    text = str(found)
    assert text.startswith(".grad is the sum of 4 contributions of 3 calls of backward")
    assert "mul → sum, argument 1: [1., 2.]" in text and f"{__file__}:{line} in" in text


@given(STEPS, st.lists(st.floats(-1, 1, width=16), min_size=1, max_size=3), st.integers(1, 3))
def test_one_entry_per_edge_and_call_and_they_add_up(program: Any, values: list[float], calls: int) -> None:
    tensors = leaves = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in values]
    with record_contributions():
        for op, i, j in tangled(program, leaves):
            tensors = [*tensors, APPLY[op](tensors[i], tensors[j])]
        for _ in range(calls):
            tensors[-1].backward(retain_graph=True)
    reached, stack = set(), [tensors[-1].node]
    while stack:
        node = stack.pop()
        if node not in reached:
            reached.add(node)
            stack.extend(node.parents)
    for x in leaves:
        found = x.grad_contributions()
        edges = sum(p is x.node for node in reached for p in node.parents)
        assert len(found) == calls * edges
        if x.grad is not None:
            np.testing.assert_allclose(found.total, x.grad.numpy(), rtol=1e-12, atol=1e-12)


def test_a_shared_parameter_names_every_use() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encode = nn.Linear(2, 2, bias=False)

        def forward(self, x: Any) -> Any:
            return torch.tanh(self.encode(x)) @ self.encode.weight

    net = Net()
    with record_contributions():
        net(torch.tensor([[1.0, 2.0]])).sum().backward()
    found = net.encode.weight.grad_contributions()
    assert {(one.op, one.module) for one in found} == {("linear", "encode (Linear)"), ("mm", "Net")}
    np.testing.assert_allclose(found.total, net.encode.weight.grad.numpy(), rtol=1e-6)


def test_steps_without_zero_grad_show_and_cleared_ones_go() -> None:
    w = leaf(1.0)
    optimizer = torch.optim.SGD([w], lr=0.1)
    with record_contributions():
        for _ in range(3):
            (w * 2).sum().backward()
        assert [one.value.tolist() for one in w.grad_contributions()] == [[2.0]] * 3
        optimizer.zero_grad()
        assert told(w) == [] and w.grad_contributions().cleared == 3
        (w * 5).sum().backward()
        optimizer.zero_grad(set_to_none=False)
        (w * 7).sum().backward()
    assert told(w) == [("path", "mul", 0, [7.0])] and w.grad_contributions().cleared == 4
    assert "4 earlier ones were cleared" in str(w.grad_contributions())


def test_what_else_changed_grad_is_an_entry_of_its_own() -> None:
    w = leaf(3.0, 4.0)
    with record_contributions():
        (w * w).sum().backward()
        torch.nn.utils.clip_grad_norm_([w], 1.0)
        (w * 2).sum().backward()
    (w * 10).sum().backward()
    kinds = [one.kind for one in w.grad_contributions()]
    assert kinds == ["path", "path", "outside", "path", "outside"]
    np.testing.assert_allclose(w.grad_contributions().total, w.grad.numpy(), rtol=1e-12)
    assert "not by a recorded backward pass: [10., 10.]" in str(w.grad_contributions())


def test_hooks_seeds_and_kept_gradients_of_non_leaves() -> None:
    x = leaf(1.0, 2.0)
    x.register_hook(lambda g: g * 10)
    with record_contributions():
        h = x * 2
        h.retain_grad()
        (h * 3 + h).sum().backward()
        x.backward(torch.tensor([5.0, 0.0], dtype=torch.float64))
    assert [(kind, value) for kind, *_, value in told(x)] == [
        ("path", [8.0, 8.0]), ("hook", [72.0, 72.0]), ("seed", [5.0, 0.0]), ("hook", [45.0, 0.0]),
    ]  # fmt: skip
    assert [(op, value) for _, op, _, value in told(h)] == [("add", [1.0, 1.0]), ("mul", [3.0, 3.0])]
    assert x.grad_contributions()[0].path == ("mul", "(2 uses)")


def test_several_results_and_broadcasts() -> None:
    x, b = leaf(1.0, 2.0, 3.0), leaf(1.0)
    with record_contributions():
        sum(part.exp().sum() * k for k, part in enumerate(x.split(1), 1)).backward(retain_graph=True)
        (x + b).sum().backward()
    assert [one.op for one in x.grad_contributions()] == ["split", "add"]
    assert x.grad_contributions()[0].path == ("split", "(3 uses)")
    assert told(b) == [("path", "add", 1, [3.0])]


def test_autograd_grad_adds_nothing_and_create_graph_does() -> None:
    x = leaf(2.0)
    with record_contributions():
        torch.autograd.grad((x * x).sum(), x)
        assert told(x) == []
        (x**3).sum().backward(create_graph=True)
    assert told(x) == [("path", "pow", 0, [12.0])] or told(x) == [("path", "power", 0, [12.0])]
    assert x.grad_contributions()[0].value.__class__ is np.ndarray


def test_chosen_inputs_only() -> None:
    x, w = leaf(2.0), leaf(3.0)
    with record_contributions():
        (x * w).sum().backward(inputs=[w])
    assert told(x) == [] and told(w) == [("path", "mul", 1, [2.0])]


def test_nothing_recorded_is_said() -> None:
    x = leaf(1.0)
    assert "record_contributions" in str(x.grad_contributions()) and told(x) == []
    (x * 2).sum().backward()
    assert told(x) == [("outside", "", 0, [2.0])] and "nothing was recorded" in str(x.grad_contributions())
    with pytest.raises(RuntimeError, match="does not require grad"):
        torch.ones(2).grad_contributions()


def test_the_mode_goes_with_its_block_and_a_failed_pass_leaves_no_entry() -> None:
    x = leaf(1.0)
    with record_contributions():
        y = x * 2
        y.register_hook(lambda g: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            y.sum().backward()
        with torch.autograd.detect_anomaly():
            (x * 3).sum().backward()
    assert told(x) == [("path", "mul", 0, [3.0])]
    assert not current().listeners

    @record_contributions()
    def step() -> None:
        (x * 4).sum().backward()

    step()
    assert told(x)[1:] == [("path", "mul", 0, [4.0])] and not current().listeners
