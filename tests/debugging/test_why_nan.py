"""`why_nan`: the first op that made nan or inf, at which element, of what, and what mends it."""

from __future__ import annotations

import gc
import inspect
import math
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_pt as torch
from tinygrad_pt import nn

F = nn.functional
INF, NAN = math.inf, math.nan
MASK = torch.tensor(-INF)


def leaf(*values: float, dtype: Any = torch.float32) -> Any:
    return torch.tensor(values, dtype=dtype, requires_grad=True)


def here() -> int:
    return inspect.currentframe().f_back.f_lineno  # type: ignore[union-attr]


# the loss, what was made, by which op, at which element, of which values, a word of the mend
VALUES: dict[str, tuple[Callable[[], Any], str, str, tuple[int, ...], dict[str, float], str]] = {
    "log of 0": (lambda: torch.log(leaf(1, 0)).sum(), "inf", "log", (1,), {"a": 0, "y": -INF}, "clamp"),
    "log of a negative": (lambda: torch.log(leaf(1, -2)).sum(), "nan", "log", (1,), {"a": -2}, "negative"),
    "x log x": (lambda: (lambda x: x * x.log())(leaf(0)).sum(), "nan", "mul", (0,), {"a": 0, "b": -INF}, "0 · inf"),
    "sqrt": (lambda: torch.sqrt(leaf(4, 9, -1)).mean(), "nan", "sqrt", (2,), {"a": -1}, "clamp(min=0)"),
    "0/0": (lambda: (lambda x: x / x)(leaf(1, 0)).sum(), "nan", "div", (1,), {"a": 0, "b": 0}, "0/0"),
    "1/0": (lambda: (1 / leaf(1, 0)).sum(), "inf", "div", (1,), {"a": 1, "b": 0}, "below the line"),
    "inf - inf": (lambda: (leaf(100).exp() - leaf(200).exp()).sum(), "nan", "sub", (0,), {"a": INF, "b": INF}, "inf"),
    "exp": (lambda: torch.exp(leaf(1, 100)).sum(), "inf", "exp", (1,), {"a": 100}, "log_softmax"),
    "own softmax": (lambda: (lambda e: (e / e.sum()).sum())(leaf(1, 100).exp()), "nan", "div", (1,), {"b": INF}, "inf"),
    "overflow": (lambda: (leaf(1e30) * 1e30).sum(), "inf", "mul", (0,), {"a": 1e30, "b": 1e30}, "float32 ends at 3.4"),
    "power": (lambda: (leaf(-2.0) ** 0.5).sum(), "nan", "power", (0,), {"a": -2.0, "n": 0.5}, "fractional"),
    "asin": (lambda: torch.asin(leaf(2.0)).sum(), "nan", "asin", (0,), {"a": 2.0}, "between -1 and 1"),
    "half": (lambda: leaf(1.0, 1e6).half().sum(), "inf", "cast", (1,), {"a": 1e6}, "wider"),
    "mean of nothing": (lambda: (leaf(1, 2)[:0]).mean(), "nan", "mean", (), {}, "no elements"),
    "std of one": (lambda: F.relu(leaf(1.0)).std(), "nan", "std", (), {}, "correction=0"),
    "all masked": (lambda: (leaf(1, 2) + MASK).softmax(0).sum(), "nan", "softmax", (0,), {}, "finite score"),
    "matmul": (lambda: (leaf(1e30).view(1, 1) @ leaf(1e30).view(1, 1)).sum(), "inf", "mm", (0, 0), {}, "overflow"),
    "broadcast": (lambda: (leaf(1, 2, 3).view(3, 1) / leaf(1, 0)).sum(), "inf", "div", (0, 1), {"a": 1, "b": 0}, "0"),
    "all ignored": (lambda: F.cross_entropy(leaf(1, 2).view(1, 2), torch.tensor([-100])), "nan", "cross_entropy",
                    (), {}, "ignored"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:std")
@pytest.mark.parametrize("name", VALUES)
def test_the_first_op_that_made_it(name: str) -> None:
    make, what, op, index, values, word = VALUES[name]
    loss = (make() + 1) * 2
    assert not math.isfinite(loss.item())
    found = loss.why_nan()
    assert found.kind == what and found.spot is not None, found
    assert (found.spot.op, found.spot.index) == (op, index) and word in found.spot.mend, found
    for letter, value in values.items():
        assert found.spot.values[letter] == pytest.approx(value)
    assert found.spot.line is None and f"{what} came into being in {op}" in str(found)


def test_the_inf_before_a_nan_is_followed_to_its_own_origin() -> None:
    x = leaf(2.0, 0.0)
    with torch.autograd.detect_anomaly(check_nan=False):
        line = here() + 1
        h = torch.log(x)
        loss = ((h + 1) * torch.tensor([1.0, 0.0])).sum()
    spot = loss.why_nan().spot
    assert spot.op == "mul" and spot.before.op == "log" and spot.before.index == (1,)
    assert spot.before.line.number == line and "the inf before it: inf came into being in log" in str(loss.why_nan())


def test_module_and_line_where_traced() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Sequential(nn.Linear(2, 2), nn.Tanh())

        def forward(self, x: Any) -> Any:
            self.line = here() + 1
            return torch.log(self.head(x) - 2)

    net = Net()
    with torch.autograd.detect_anomaly():
        loss = net(torch.ones(3, 2)).mean()
    spot = loss.why_nan().spot
    assert spot.module == "Net" and spot.line.number == net.line and spot.count == 6 and spot.shape == (3, 2)
    assert spot.call == "log(float32[3, 2])"


def test_only_what_the_value_is_made_of_is_blamed() -> None:
    x = leaf(1.0, -1.0, 0.0)
    masked = torch.where(x > 0, torch.log(x), torch.zeros(100, 3))  # nan and -inf, and not taken
    loss = (masked.sum() + (x / x).sum()) * 1
    assert loss.why_nan().spot.op == "div" and loss.why_nan().spot.index == (2,)
    assert "not certain" in str(loss.why_nan())  # the zeros are gone, and with them what `where` gave
    zeros = torch.zeros(3)
    loss = (torch.where(x > 0, torch.log(x), zeros).sum() + (x / x).sum()) * 1
    assert loss.why_nan().spot.op == "div" and "not certain" not in str(loss.why_nan())


@pytest.mark.parametrize("traced", [False, True])
def test_what_was_given_with_it(traced: bool) -> None:
    w, data = leaf(1.0, 2.0), torch.tensor([1.0, NAN])
    data.name = "data"
    with torch.autograd.detect_anomaly() if traced else torch.enable_grad():
        loss = (w * data).sum()
    found = loss.why_nan()
    assert found.kind == "given" and found.spot is None and "data entered the graph with it" in str(found)
    assert "[1], the only one of 2" in str(found) and (found.line is not None) is traced
    assert data.why_nan().kind == "given" and "clean the data" in data.why_nan().mend
    w.data[0] = NAN
    assert w.why_nan().kind == "given" and "optimizer step" in w.why_nan().mend
    assert (w.sum() * NAN).why_nan().kind == "given"


def test_a_tensor_without_a_graph_remembers_where_traced() -> None:
    x = torch.tensor([0.0])
    with torch.autograd.detect_anomaly():
        line = here() + 1
        y = x / x
    assert y.why_nan().kind == "given" and y.why_nan().line.number == line and "div" in str(y.why_nan())
    assert "detect_anomaly" in (x / x).why_nan().mend


def test_what_has_changed_since_is_not_guessed() -> None:
    w = leaf(0.0, 1.0)
    h = w * 1
    loss = (h.exp() / w).sum()
    with torch.no_grad():
        w.fill_(1.0)
    assert math.isinf(loss.item())
    found = loss.why_nan()
    assert found.kind == "unknown" and "not known any more" in str(found) and "detect_anomaly" in found.mend


def test_anomaly_mode_has_seen_what_cannot_be_computed_again() -> None:
    w = leaf(-1.0, 1.0)
    with torch.autograd.detect_anomaly():
        loss = (torch.sqrt(w) + w).sum()
    with torch.no_grad():
        w.fill_(1.0)
    assert loss.why_nan().spot.op == "sqrt" and loss.why_nan().spot.values["a"] == -1.0


def test_after_the_graph_was_freed_values_are_computed_again() -> None:
    x = leaf(1.0, -1.0)
    loss = torch.log(x * 2).exp().sum()
    loss.backward()
    assert loss.why_nan().spot.op == "log" and loss.why_nan().spot.values["a"] == -2.0


# ------------------------------------------------------------------------------------------ gradients
GRADIENTS: dict[str, tuple[Callable[[Any], Any], str, str, str]] = {
    "where": (lambda x: torch.where(x > 0, torch.log(x), 0.0).sum(), "nan", "log", "safe before the op"),
    "root of a zero": (lambda x: torch.sqrt(x).sum(), "inf", "sqrt", "infinite at 0"),
    "reciprocal": (lambda x: torch.where(x > 0, 1 / x, 0.0).sum(), "nan", "div", "safe before the op"),
}


@pytest.mark.parametrize("ran", [False, True])
@pytest.mark.parametrize("name", GRADIENTS)
def test_a_finite_loss_whose_gradient_is_not(name: str, ran: bool) -> None:
    f, what, op, word = GRADIENTS[name]
    x = leaf(1.0, 0.0)
    loss = f(x)
    assert math.isfinite(loss.item())
    if ran:
        loss.backward()
        assert not np.isfinite(x.grad.numpy()).all()
        assert x.why_nan().kind == "unknown" and "loss that backward ran from" in x.why_nan().mend
    found = loss.why_nan()
    assert (found.kind, found.spot.op) == (what, op) and found.spot.backward and word in str(found), found


def test_a_large_condition_is_freed_with_the_graph_and_nobody_else_has_it() -> None:
    x = leaf(*[1.0] * 20_000, 0.0)
    loss = torch.where(x > 0, torch.log(x), 0.0).sum()
    assert (loss.why_nan().kind, loss.why_nan().spot.op) == ("nan", "log")
    loss.backward()
    assert loss.why_nan().kind == "unknown" and "ask before backward()" in loss.why_nan().mend


def test_gradients_that_cancel_to_nan() -> None:
    x = leaf(0.0, 1.0)
    loss = (torch.sqrt(x) - 2 * torch.sqrt(x)).sum()
    found = loss.why_nan()
    assert found.kind == "nan" and found.spot.op == "sqrt" and "their sum is nan" in str(found)


def test_a_leaf_knows_where_contributions_were_recorded() -> None:
    x = leaf(1.0, 0.0)
    with torch.autograd.record_contributions():
        (x * 2).sum().backward()
        line = here() + 1
        torch.where(x > 0, torch.log(x), 0.0).sum().backward()
    found = x.why_nan()
    assert found.kind == "nan" and "log → where → sum" in str(found) and found.line.number == line


def test_finite_is_finite() -> None:
    x = leaf(1.0, 2.0)
    loss = (x * x).split(1)[0].sum()
    assert loss.why_nan().kind == x.why_nan().kind == torch.ones(2).why_nan().kind == "finite"
    loss.backward()
    assert loss.why_nan().kind == x.why_nan().kind == "finite"
    assert torch.tensor([1, 2]).why_nan().kind == "finite"


def test_several_results_of_one_op() -> None:
    x = leaf(1.0, 0.0)
    first, second = torch.log(x).split(1)
    assert (first + second).why_nan().spot.op == "log" and (first + second).why_nan().kind == "inf"
    assert first.why_nan().kind == "nan" and first.why_nan().spot.backward  # the other one's gradient: 0 · 1/0


def test_asking_keeps_nothing_alive_and_changes_nothing() -> None:
    gc.collect()
    gc.disable()
    try:
        x = leaf(1.0, 0.0)
        loss = (x * torch.log(x)).sum()
        links = [weakref.ref(x), weakref.ref(loss), weakref.ref(loss.grad_fn)]
        answer = loss.why_nan()
        loss.backward()
        assert x.grad is not None and answer.spot.op == "mul"
        del x, loss
        assert [link() for link in links] == [None] * 3
    finally:
        gc.enable()
