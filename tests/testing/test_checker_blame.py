"""The laws, and who is to blame: the op, its module, the line, the argument."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import tinygrad_pt as torch
from tinygrad_pt import graph, nn, ops
from tinygrad_pt.testing import GradientMismatch, assert_gradients, gradcheck, gradgradcheck

X = torch.tensor([0.3, 0.7, 1.3], dtype=torch.float64)


@contextmanager
def broken(name: str, *rules: Any) -> Iterator[None]:
    """Inside, an op has other rules, and keeps everything they may read."""
    op = graph.OPS[name]
    before, kept = op.rules, dict(op.keep)
    op.rules = rules
    op.keep.clear()
    op.keep.update({mask: (True,) * (len(rules) + 1) for mask in range(1, 2 ** len(rules))})
    try:
        yield
    finally:
        op.rules = before
        op.keep.clear()
        op.keep.update(kept)


def constant(x: Any) -> Any:
    return x.detach() if isinstance(x, torch.Tensor) else x


def function(forward: Any, backward: Any) -> Any:
    """A Function with the backward it is told to have."""

    class Told(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *xs: Any) -> Any:
            ctx.save_for_backward(*[x for x in xs if isinstance(x, torch.Tensor)])
            return forward(*xs)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return backward(g, *ctx.saved_tensors)

    return Told.apply


def test_the_op_the_line_and_the_slot_are_named() -> None:
    def program(x: Any, w: Any) -> Any:
        y = torch.exp(x) + 1
        z = torch.tanh(y @ w)
        return (z * z).sum()

    start = inspect.getsourcelines(program)[1]
    w = torch.tensor(np.random.default_rng(0).normal(size=(3, 3)))
    x = torch.tensor(np.random.default_rng(1).normal(size=(2, 3)))
    with broken("mm", lambda g, y, a, b: g @ b, lambda g, y, a, b: a.T @ g):
        report = gradcheck(program, x, w)
    guilty = report.guilty
    assert guilty is not None and (guilty.op, guilty.slot, guilty.module) == ("mm", 0, "")
    assert guilty.line is not None and guilty.line.number == start + 2 and guilty.line.file == __file__
    assert report.failures[0].hint_kind == "transpose" and "(in mm)" in str(report)
    assert f"guilty: {guilty}" in str(report) and "torch.tanh(y @ w)" in str(report)


def test_the_module_is_named() -> None:
    network = nn.Sequential(nn.Linear(3, 4), nn.Sigmoid(), nn.Linear(4, 1)).double()
    with broken("sigmoid", lambda g, y, a: g * y):
        report = gradcheck(network, torch.tensor(np.random.default_rng(1).normal(size=(2, 3))))
    assert report.guilty is not None and report.guilty.op == "sigmoid" and report.guilty.module == "1 (Sigmoid)"


def test_a_function_of_the_users_own_is_named() -> None:
    def backward(g: Any, x: Any) -> Any:
        return g * 2 * x**2, None

    cube = function(lambda x, n: x**n, backward)
    report = gradcheck(lambda x: torch.exp(cube(x, 3)) * 2, X)
    assert report.guilty is not None and report.guilty.op == "Told" and report.guilty.slot == 0
    assert report.failures[0].hint_kind == "factor" and "2/3" in report.failures[0].hint


def test_of_the_second_order_the_op_whose_rule_is_cut_is_named() -> None:
    def program(x: Any) -> Any:
        return torch.exp(torch.sin(x * 2))

    with broken("sin", lambda g, y, a: g * ops.cos(constant(a))):
        assert gradcheck(program, X).ok
        report = gradcheck(program, X, order=2)
        alone = gradgradcheck(program, X)
    for r in (report, alone):
        assert r.verdict == "fail" and r.order == 2 and r.guilty is not None and r.guilty.op == "sin"
        assert {f.hint_kind for f in r.failures} == {"second order"}
        assert {f.law for f in r.failures} == {"second order"} and "second derivative check: fail" in str(r)


def test_an_op_that_only_the_backward_applies_is_named() -> None:
    with broken("cos", lambda g, y, a: g * ops.sin(a)):
        report = gradcheck(lambda x: torch.sin(x), X, order=2)
    assert report.guilty is not None and report.guilty.op == "cos"


def test_wrong_second_derivatives_because_the_first_are() -> None:
    with broken("exp", lambda g, y, a: 2 * g * y):
        report = gradgradcheck(torch.exp, X)
    assert report.guilty is not None and report.guilty.op == "exp"
    assert report.failures[0].hint_kind == "factor"


@pytest.mark.parametrize(
    ("cut", "words"),
    [
        (lambda x: torch.exp(x).detach() * x, "detached"),
        (lambda x: torch.tensor(np.exp(x.detach().numpy())) * x, "look for detach()"),
        (lambda x: _quietly(x) * x, "no_grad"),
    ],
)
def test_where_every_op_is_right_the_graph_is_cut(cut: Any, words: str) -> None:
    report = gradcheck(cut, X)
    assert report.verdict == "fail" and report.guilty is None
    assert report.failures[0].hint_kind == "cut" and words in report.failures[0].hint


def _quietly(x: Any) -> Any:
    with torch.no_grad():
        return torch.exp(x)


@pytest.mark.parametrize("f", [
    lambda x: torch.relu(x) - torch.relu(-x), lambda x: torch.clamp(torch.maximum(x, -x * 0), -1, 0) * 2,
    lambda x: torch.maximum(x, torch.relu(x)),
])  # fmt: skip
def test_corners_that_cancel_are_nobodys_fault(f: Any) -> None:
    report = gradcheck(f, torch.tensor([0.0, 1.5], dtype=torch.float64))
    assert report.ok and report.guilty is None
    assert report.verdict == "pass" or "chain rule" in report.inconclusive[0].hint
    wrong = gradcheck(lambda x: f(x) + x * x.detach(), torch.tensor([0.0, 1.5], dtype=torch.float64))
    assert wrong.verdict == "fail"


def test_no_gradient_at_all() -> None:
    report = gradcheck(lambda x, y: x.detach() * y, X, X)
    assert report.failures[0].hint_kind == "dropped input" and "graph is cut" in report.failures[0].hint


# ------------------------------------------------------------------------------------------ errors in the backward
@pytest.mark.parametrize(
    ("backward", "kind"),
    [
        (lambda g, x: 1 / 0, "raised"), (lambda g, x: (g, g), "count"), (lambda g, x: g.sum(), "unsummed axis"),
        (lambda g, x: g.array, "raised"), (lambda g, x: g * float("nan"), "non-finite"),
        (lambda g, x: None, "dropped input"),
    ],
)  # fmt: skip
def test_errors_inside_the_backward_are_failures_with_a_name(backward: Any, kind: str) -> None:
    report = gradcheck(lambda x: function(torch.exp, backward)(x) * 2, X)
    assert report.verdict == "fail" and report.failures[0].hint_kind == kind, str(report)
    assert report.guilty is not None and report.guilty.op == "Told"
    assert str(report)


# ------------------------------------------------------------------------------------------ laws
WORKSPACE = np.zeros(3)


def workspace(g: Any, x: Any) -> Any:
    WORKSPACE[...] = g * np.cos(x)
    return (WORKSPACE,)


def writes(g: Any, x: Any) -> Any:
    r = g * np.cos(x)
    g *= 2
    return (r,)


def writes_input(g: Any, x: Any) -> Any:
    r = g * np.cos(x)
    x *= 2
    return (r,)


COUNT = iter(range(10**9))

LAWS = {
    "linearity": lambda g, x: (np.sign(g) * np.cos(x) * g * g,),
    "linearity at 0": lambda g, x: (g * np.cos(x) + 1e-12,),
    "mutation": writes, "mutation of an input": writes_input, "aliasing": workspace,
    "re-entrancy": lambda g, x: (g * np.cos(x) * (1 + 1e-15 * (next(COUNT) % 7)),),
    "layout": lambda g, x: (g * np.cos(np.array(x, copy=True) if x.flags.c_contiguous else x + 1),),
}  # fmt: skip


@pytest.mark.parametrize("name", LAWS)
def test_broken_laws_are_found(name: str) -> None:
    report = gradcheck(np.sin, X.numpy(), vjp=LAWS[name])
    assert name.split(" ")[0] in {f.law for f in report.failures}, str(report)
    assert report.failures[0].hint and "broken law" in str(report) and not report.ok
    assert name == "re-entrancy" or gradcheck(np.sin, X.numpy(), vjp=lambda g, x: (g * np.cos(x),)).ok


def test_gradients_that_share_memory() -> None:
    shared = gradcheck(lambda a, b: a + b, X.numpy(), X.numpy(), vjp=lambda g, a, b: (g, g))
    each = gradcheck(lambda a, b: a + b, X.numpy(), X.numpy(), vjp=lambda g, a, b: (g * 1,) * 2)
    assert {f.law for f in shared.failures + each.failures} == {"aliasing"}
    assert gradcheck(lambda a, b: a + b, X.numpy(), X.numpy(), vjp=lambda g, a, b: (g, g), laws=False).ok


def test_a_rule_that_writes_into_g_is_named() -> None:
    def wrong(g: Any, y: Any, a: Any) -> Any:
        r = g * ops.cos(a)
        if isinstance(g, np.ndarray):
            g *= 2
        return r

    with broken("sin", wrong):
        report = gradcheck(lambda x: torch.sin(x * 2) + x, X)
    assert report.failures[0].law == report.failures[0].hint_kind == "mutation"
    assert report.guilty is not None and report.guilty.op == "sin"


def test_chance_is_reported_as_such() -> None:
    draw = np.random.default_rng(0)
    report = gradcheck(lambda x: x * torch.tensor(draw.random(3)), X)
    assert [f.law for f in report.failures] == ["determinism"]
    assert report.failures[0].hint_kind == "non-deterministic" and "seed" in str(report)


def test_a_graph_in_a_cycle() -> None:
    class Looped(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.me = [ctx]
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 2

    assert gradcheck(lambda x: Looped.apply(x), X).ok, "a cycle of the context alone holds no vertex"

    def cyclic(x: Any) -> Any:
        y = x * 2
        if y.grad_fn is not None:
            y.grad_fn.set_note("self", y.grad_fn)
        return y

    report = gradcheck(cyclic, X)
    assert [f.law for f in report.failures] == ["freed"] and "cycle" in str(report)
    kept = []
    assert gradcheck(lambda x: kept.append(x * 2) or kept[-1], X).ok, "what somebody keeps on purpose is no cycle"


def test_an_assertion_carries_the_report() -> None:
    with pytest.raises(GradientMismatch) as caught, broken("sin", lambda g, y, a: g * a):
        assert_gradients(torch.sin, X, order=2)
    assert isinstance(caught.value, AssertionError) and caught.value.report.guilty.op == "sin"
    assert str(caught.value) == str(caught.value.report)
    assert assert_gradients(torch.sin, X, order=2).verdict == "pass"


# ------------------------------------------------------------------------------------------ what right programs do
@pytest.mark.parametrize("f", [
    lambda x: torch.tanh(x).sum(), lambda x: (x.sum(), x * 2), lambda x: torch.relu(x - 0.7), lambda x: x.detach() * 0,
    lambda x: torch.softmax(x, 0), lambda x: x.to(torch.float32) * 2, lambda x: x.reshape(3, 1) @ x.reshape(1, 3),
    lambda x: torch.stack(list(x.split(1))).max(), lambda x: function(torch.sin, lambda g, x: g * torch.cos(x))(x),
    lambda x: torch.autograd.grad((x.requires_grad_() ** 3).sum(), x, create_graph=True)[0],
])  # fmt: skip
def test_right_programs_pass_both_orders(f: Any) -> None:
    report = gradcheck(f, X, order=1 if "float32" in inspect.getsource(f) else 2)
    assert report.ok, str(report)


def test_a_function_that_insists_on_float32() -> None:
    w = torch.tensor([1.0, 2.0, 3.0])

    def insisting(x: Any) -> Any:
        if x.dtype != torch.float32:
            raise TypeError("float32, please")
        return torch.tanh(x * w)

    x = torch.tensor([0.3, 0.7, 1.3])
    assert gradcheck(insisting, x).ok
    with broken("tanh", lambda g, y, a: g * (1 - y)):
        report = gradcheck(insisting, x)
    assert not report.ok and report.guilty is not None and report.guilty.op == "tanh"


def test_pytorchs_names() -> None:
    x = X.clone().requires_grad_()
    assert torch.autograd.gradcheck(torch.sin, (x,), check_forward_ad=True, nondet_tol=1e-3)
    assert torch.autograd.gradgradcheck(torch.sin, (x,), torch.ones(3, dtype=torch.float64))
    with broken("sin", lambda g, y, a: g * a), pytest.raises(torch.autograd.GradcheckError) as caught:
        torch.autograd.gradcheck(torch.sin, x)
    assert "Jacobian mismatch for output 0 with respect to input 0," in str(caught.value)
    assert caught.value.report.guilty.op == "sin"
    draw = np.random.default_rng(0)
    with pytest.raises(torch.autograd.GradcheckError, match="not reentrant"):
        torch.autograd.gradcheck(lambda x: x * draw.random(), x)
    with pytest.raises(AttributeError, match="torch.autograd.gradchecks is not in this package"):
        torch.autograd.gradchecks  # noqa: B018
