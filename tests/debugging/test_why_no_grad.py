"""`why_no_grad`: one row per situation, with the keyword of its answer; what cannot be known is said to be so."""

from __future__ import annotations

import gc
import inspect
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_pt as torch
from tinygrad_pt import nn


def leaf(*values: float) -> Any:
    return torch.tensor(values or (1.0, 2.0), requires_grad=True)


def here() -> int:
    return inspect.currentframe().f_back.f_lineno  # type: ignore[union-attr]


def quietly(f: Callable[[], Any]) -> Any:
    with torch.no_grad():
        return f()


def inferred(f: Callable[[], Any]) -> Any:
    with torch.inference_mode():
        return f()


X = leaf()
KEPT: list[Any] = []


def early() -> Any:
    """A view of a leaf that was made before the leaf required a gradient."""
    KEPT.append(torch.ones(2))
    view = KEPT[-1][:1]
    KEPT[-1].requires_grad_()
    return view


FROZEN = nn.Linear(2, 1).requires_grad_(False)

# what it is, and the answer without and with a trace of how it was made
NOT_REQUIRED: dict[str, tuple[Callable[[], Any], str, str]] = {
    "plain": (lambda: torch.ones(2), "unknown", "unknown"),
    "computed from plain": (lambda: torch.ones(2) * 2, "unknown", "arguments"),
    "no_grad": (lambda: quietly(lambda: X * 2), "unknown", "no_grad"),
    "a view made too early": (early, "early", "arguments"),
    "inference_mode": (lambda: inferred(lambda: X * 2), "inference", "inference"),
    "detach": (lambda: X.detach(), "detached", "detached"),
    "data": (lambda: X.data, "data", "data"),
    "a number of it": (lambda: torch.tensor(X.detach().sum().item()), "unknown", "unknown"),
    "from NumPy": (lambda: torch.from_numpy(np.ones(2)), "unknown", "unknown"),
    "integers": (lambda: torch.arange(3), "dtype", "dtype"),
    "cast to integers": (lambda: X.long(), "dtype", "dtype"),
    "comparison": (lambda: X > 0, "dtype", "no derivative"),
    "no derivative": (lambda: torch.logical_not(X), "dtype", "no derivative"),
    "frozen parameter": (lambda: FROZEN.weight, "frozen", "frozen"),
    "output of a frozen module": (lambda: FROZEN(torch.ones(2)), "unknown", "arguments"),
}


@pytest.mark.parametrize("name", NOT_REQUIRED)
def test_why_requires_grad_is_false(name: str) -> None:
    make, plain, traced = NOT_REQUIRED[name]
    t = make()
    assert not t.requires_grad
    answer = t.why_no_grad()
    assert answer.kind == plain and answer.line is None and answer.mend, answer
    if plain == "unknown":
        assert "detect_anomaly" in str(answer)
    with torch.autograd.detect_anomaly(check_nan=False):
        t = make()
    answer = t.why_no_grad()
    assert answer.kind == traced, answer
    if traced not in ("unknown", "frozen") and name != "integers":
        assert answer.line.file == __file__ and str(answer.line) in str(answer)


def test_a_gradient_lost_earlier_is_told_with_its_line() -> None:
    with torch.autograd.detect_anomaly(check_nan=False):
        line = here() + 1
        h = leaf().long()
        t = h.float() * 2
    answer = t.why_no_grad()
    assert answer.kind == "arguments" and f"cast, dtype: {__file__}:{line} in" in str(answer)


def unused() -> Any:
    return leaf()


def waiting() -> Any:
    x = leaf()
    x.keep = (x * x).sum()
    return x


def cleared() -> Any:
    x = leaf()
    x.keep = (x * x).sum()
    x.keep.backward()
    x.grad = None
    return x


def computed() -> Any:
    return leaf() * 2


def retained() -> Any:
    h = leaf() * 2
    h.retain_grad()
    return h


def with_grad() -> Any:
    x = leaf()
    (x * x).sum().backward()
    return x


def of_others() -> Any:
    x, w = leaf(), leaf()
    x.keep = (x * w).sum()
    x.keep.backward(inputs=[w])
    return x


def freed_by_grad() -> Any:
    x = leaf()
    x.keep = (x * x).sum()
    torch.autograd.grad(x.keep, x)
    return x


GRAD_IS_NONE = {
    unused: "unused", waiting: "no backward", cleared: "cleared", computed: "non-leaf", retained: "unused",
    with_grad: "has grad", of_others: "cleared", freed_by_grad: "cleared",
}  # fmt: skip


@pytest.mark.parametrize("make", GRAD_IS_NONE, ids=lambda f: f.__name__)
def test_why_grad_is_none(make: Callable[[], Any]) -> None:
    t = make()
    answer = t.why_no_grad()
    assert answer.kind == GRAD_IS_NONE[make], answer
    assert str(answer) == repr(answer) and (answer.mend or answer.kind == "has grad")


def test_recorded_contributions_tell_that_it_was_cleared() -> None:
    x = leaf()
    with torch.autograd.record_contributions():
        (x * x).sum().backward()  # no graph is left
    x.grad = None
    assert x.why_no_grad().kind == "cleared"


def test_the_line_of_a_non_leaf() -> None:
    with torch.autograd.detect_anomaly():
        line = here() + 1
        h = leaf() * 2
    assert h.why_no_grad().line.number == line and "retain_grad()" in h.why_no_grad().mend


# ------------------------------------------------------------------------------------------ from a loss
def kept_then_detached(x: Any, w: Any) -> Any:
    w.keep = x * 3
    return (w.keep.detach() * w).sum()


LOSSES: dict[str, tuple[Callable[[Any, Any], Any], str, str]] = {
    "reaches it": (lambda x, w: (x * w).sum(), "no backward", "no backward"),
    "other tensors": (lambda x, w: (w * 2).sum(), "not reached", "not reached"),
    "detached": (lambda x, w: (x.detach() * w).sum(), "not reached", "cut"),
    "data": (lambda x, w: (x.data.exp() * w).sum(), "not reached", "cut"),
    "no_grad": (lambda x, w: (quietly(lambda: x * 2) * w).sum(), "not reached", "cut"),
    "integers and back": (lambda x, w: (x.long().float() * w).sum(), "not reached", "cut"),
    "item": (lambda x, w: (w * x.detach().sum().item()).sum(), "not reached", "not reached"),
    "no gradient at all": (lambda x, w: x.detach().sum(), "not reached", "not reached"),
    "later than a graph": (lambda x, w: ((x * 3).detach() * w).sum(), "not reached", "perhaps cut"),
    "later than a graph that lives": (kept_then_detached, "not reached", "cut"),
}


@pytest.mark.parametrize("name", LOSSES)
def test_why_a_loss_does_not_reach_it(name: str) -> None:
    f, plain, traced = LOSSES[name]
    x, w = leaf(), leaf()
    assert x.why_no_grad(f(x, w)).kind == plain
    with torch.autograd.detect_anomaly(check_nan=False):
        loss = f(x, w)
    answer = x.why_no_grad(loss)
    assert answer.kind == traced, answer
    if "cut" in traced:
        assert answer.line.file == __file__ and str(answer.line) in str(answer)
    if name == "item":
        assert ".item()" in answer.mend and "argument 1 of mul" in str(answer)


def test_after_a_backward_pass_from_that_loss() -> None:
    x = leaf()
    loss = (x * x).sum()
    loss.backward()
    x.grad = None
    assert x.why_no_grad(loss).kind == "cleared"


def test_an_argument_without_a_derivative() -> None:
    class Half(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, w: Any) -> Any:
            return x * w

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return None, g

    x, w = leaf(), leaf()
    assert x.why_no_grad((torch.where(x > 0, w, 0.0)).sum()).kind == "not reached"
    loss = Half.apply(x, w).sum()
    loss.backward()
    assert x.grad is not None or x.why_no_grad(loss).kind in ("cleared", "no derivative")


def test_asking_keeps_nothing_alive() -> None:
    gc.collect()
    gc.disable()
    try:
        x = leaf()
        loss = (x * x).sum()
        links = [weakref.ref(x), weakref.ref(loss), weakref.ref(loss.grad_fn)]
        answers = [x.why_no_grad(), x.why_no_grad(loss), loss.why_no_grad(), x.detach().why_no_grad()]
        del x, loss
        assert [link() for link in links] == [None] * 3 and len(answers) == 4
    finally:
        gc.enable()


def test_what_entered_the_loss_is_told_without_quotes_and_a_traced_program_is_not_sent_to_be_traced() -> None:
    w, v = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    loss = (torch.from_numpy((w * 2).detach().numpy()) * v).sum()
    assert "    float32[2], argument 0 of mul" in str(w.why_no_grad(loss))
    assert "detect_anomaly" in w.why_no_grad(loss).mend
    with torch.autograd.detect_anomaly():
        loss = (torch.from_numpy((w * 2).detach().numpy()) * v).sum()
    assert "NumPy leaves no trace" in w.why_no_grad(loss).mend
    assert "detect_anomaly" not in w.why_no_grad(loss).mend
