"""The checker knows how much of a function is rounding: where that is most of it, nothing right is called wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_pt as torch
from tests.benchmarks import cancellation
from tests.ops.rows.factorizations import FACTORIZATIONS
from tests.ops.table import ROWS
from tinygrad_pt import nn
from tinygrad_pt.calling import wrap
from tinygrad_pt.nn import functional as F
from tinygrad_pt.testing import gradcheck, gradgradcheck, subject
from tinygrad_pt.testing.wide import FORWARD, WIDE, WIDER, computing

BY_FUNCTION = pytest.mark.parametrize("function", cancellation.FUNCTIONS, ids=lambda f: f.name)
NEEDS_DIGITS = pytest.mark.skipif(not WIDER, reason="longdouble is float64 here")


def at(x: Any) -> Any:
    return torch.tensor([x], dtype=torch.float64)


# ------------------------------------------------------------------------------------------ cancellation
@BY_FUNCTION
@pytest.mark.parametrize("wider", [True, False])
def test_right_gradients_behind_a_cancellation_never_fail(
    function: cancellation.Function, wider: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not wider:  # as on machines where longdouble is float64
        monkeypatch.setattr(subject, "WIDER", False)
    ordinary, tail = function.points(1)
    for x in [*ordinary[:2], *tail[:4]]:
        report = gradcheck(function.f, at(x))
        assert report.verdict != "fail", f"at {x!r}: {report}"
        assert report.verdict == "pass" or x in tail or not wider, f"at {x!r}: {report}"


@BY_FUNCTION
def test_wrong_gradients_behind_a_cancellation_are_found(function: cancellation.Function) -> None:
    ordinary, tail = function.points(1)
    for x in ordinary[:2]:
        for factor in (1.5, 0.0):
            assert gradcheck(cancellation.spoilt(function.f, factor), at(x), laws=False).verdict == "fail"
    for x in tail[:2] if function.name.startswith(("log", "acos")) else []:
        verdict = gradcheck(cancellation.spoilt(function.f, 0.0), at(x), laws=False).verdict
        assert verdict != "pass" or not WIDER, "the steps fell on one tread of a staircase"


@pytest.mark.parametrize("f, vjp, xs", [
    (lambda x: np.log(1 - 1 / (1 + np.exp(-x))), lambda g, x: (-g / (1 + np.exp(-x)),), (25.0, 29.3, 33.1, 36.2)),
    (lambda x: np.arccos(1 - x), lambda g, x: (g / np.sqrt(2 * x - x * x),), (1e-12, 1e-8, 2.3e-8, 1e-7)),
    (lambda x: (1 - np.cos(x)) / x**2, lambda g, x: (g * (x * np.sin(x) - 2 * (1 - np.cos(x))) / x**3,),
     (1e-8, 1.1e-8, 1e-6, 1e-4)),
])  # fmt: skip
@pytest.mark.parametrize("blind", [False, True])
def test_functions_of_arrays_too(f: Any, vjp: Any, xs: Any, blind: bool) -> None:
    def narrow(x: Any) -> Any:  # what calls another library knows no longdouble
        return f(np.asarray(x, np.float64))

    for x in xs:
        assert gradcheck(narrow if blind else f, np.array([x]), vjp=vjp).verdict != "fail"
    wrong = gradcheck(narrow if blind else f, np.array([0.7]), vjp=lambda g, x: (1.01 * vjp(g, x)[0],))
    assert wrong.verdict == "fail"


@NEEDS_DIGITS
def test_second_derivatives_behind_a_cancellation() -> None:
    for x in (1e-3, 0.02, 25.0):
        f = cancellation.FUNCTIONS[0].f if x > 1 else cancellation.FUNCTIONS[2].f
        assert gradgradcheck(f, at(x)).verdict != "fail"


@NEEDS_DIGITS
def test_an_unstable_rule_of_a_steady_function_is_wrong() -> None:
    """Not every loss of digits is excused: here the function loses none."""

    class Unstable(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * 1

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return g * (((x + 1e13) - 1e13) / x)

    assert gradcheck(Unstable.apply, at(0.5)).verdict == "pass"
    assert gradcheck(Unstable.apply, at(0.3), laws=False).verdict == "fail"


# ------------------------------------------------------------------------------------------ float32
@pytest.mark.parametrize("number", range(0, 54, 3))
def test_right_float32_networks_pass(number: int) -> None:
    name, f, inputs = list(cancellation.networks(3))[number]
    assert gradcheck(f, *inputs).verdict == "pass", name


def test_a_wrong_float32_network_is_found_to_the_sixth_digit() -> None:
    class Off(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return torch.tanh(x)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * (1 - torch.tanh(ctx.saved_tensors[0]) ** 2) * 1.000003

    first, second = nn.Linear(3, 4), nn.Linear(4, 2)
    report = gradcheck(lambda x: second(Off.apply(first(x))), torch.ones(2, 3))
    assert report.verdict == "fail" and report.guilty is not None and report.guilty.op == "Off"


def test_a_network_is_left_as_it_was() -> None:
    network = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    arrays = [p.array for p in network.parameters()]
    assert gradcheck(network, torch.ones(2, 3)).verdict == "pass"

    def failing(x: Any) -> Any:
        if x.dtype == torch.float64:
            raise RuntimeError("no")
        return network(x)

    gradcheck(failing, torch.ones(2, 3))
    assert all(p.array is a for p, a in zip(network.parameters(), arrays, strict=True))
    assert all(p.grad is None for p in network.parameters())


def test_what_insists_on_float32_is_checked_in_it() -> None:
    f = torch.tanh
    report = gradcheck(lambda x: f(x.float()), torch.tensor([0.5, -1.0]))
    assert report.ok
    assert not gradcheck(lambda x: f(x.float()) + x.detach() ** 2, torch.tensor([0.5, -1.0])).ok


# ------------------------------------------------------------------------------------------ what it costs
def test_it_evaluates_few_times_and_without_a_graph() -> None:
    network = nn.Sequential(nn.Linear(10, 16), nn.Tanh(), nn.Linear(16, 4)).double()
    calls = {True: 0, False: 0}

    def f(x: Any) -> Any:
        calls[torch.is_grad_enabled()] += 1
        return network(x)

    assert gradcheck(f, torch.ones(5, 10, dtype=torch.float64)).verdict == "pass"
    assert calls[False] <= 7 and calls[True] <= 6, "100 evaluations are 2 per element"


def test_where_all_is_right_a_backward_per_result_is_not_needed() -> None:
    a = np.random.default_rng(0).normal(size=(40, 5))
    calls = 0

    def vjp(g: Any, x: Any) -> tuple[Any]:
        nonlocal calls
        calls += 1
        return (a.T @ (g * np.cos(a @ x)),)

    assert gradcheck(lambda x: np.sin(a @ x), np.linspace(-1, 1, 5), vjp=vjp).verdict == "pass"
    assert calls <= 9, "the laws need that many"


def test_a_function_without_results_is_right() -> None:
    a = np.zeros((0, 3))
    assert gradcheck(lambda x: a @ x, np.ones(3), vjp=lambda g, x: (a.T @ g,)).verdict == "pass"


@pytest.mark.parametrize("place", [(0, 0), (3, 1), (5, 4)])
@pytest.mark.parametrize("scale", [1.0, 1e-7])
def test_a_single_entry_hides_neither_among_others_nor_behind_larger_ones(place: tuple[int, int], scale: float) -> None:
    a = np.random.default_rng(1).normal(size=(6, 5))
    a[place[0]] *= scale
    wrong = a.copy()
    wrong[place] *= 1 + 1e-5
    x = np.linspace(-1, 1.5, 5)
    for b in (a, wrong):
        report = gradcheck(lambda x: a @ x, x, vjp=lambda g, x, b=b: (b.T @ g,))
        assert report.ok == (b is a)
    assert report.failures[0].output_index == (place[0],) and report.failures[0].index == (place[1],)


def test_a_gradient_that_is_nan_is_wrong_even_beside_a_jump_in_extended_precision() -> None:
    def f(x: Any) -> Any:  # in float64 both thirds are the same
        third = 1 / 3 if x[0] == 0 else x.dtype.type(1) / 3
        return np.array([np.abs(x[0]), x[1] * third], x.dtype)

    x = np.array([0.0, 1.0])
    with np.errstate(invalid="ignore"):
        report = gradcheck(f, x, vjp=lambda g, x: (np.array([g[0] * x[0] / np.abs(x[0]), g[1] / 3]),))
    assert not report.ok and report.failures[0].index == (0,) and np.isnan(report.failures[0].analytic)
    assert gradcheck(f, x, vjp=lambda g, x: (np.array([g[0] * np.sign(x[0]), g[1] / 3]),)).ok


def test_the_deviation_of_equal_numbers_has_no_jump_beside_other_rows() -> None:
    x = torch.tensor([[0.75, 0.75, 0.75], [0.1, -0.4, 0.2]], dtype=torch.float64)
    assert gradcheck(lambda x: x.std(1), x).verdict == "pass"


def test_a_function_that_needs_a_graph_for_its_values_gets_one() -> None:
    def penalty(x: Any) -> Any:
        x = x if x.requires_grad else x.detach().requires_grad_()
        (g,) = torch.autograd.grad((x**3).sum(), x, create_graph=True)
        return (g * g).sum()

    assert gradcheck(penalty, torch.tensor([0.5, -1.0], dtype=torch.float64)).verdict == "pass"
    plain = gradcheck(lambda x: x * (2.0 if torch.is_grad_enabled() else 3.0), at(1.0))
    assert plain.verdict == "pass", "with and without a graph it is not the same function; the one with it counts"


# ------------------------------------------------------------------------------------------ extended precision
LAPACK = {"singular_sum", "orthogonal_factor", "lyapunov", *FACTORIZATIONS}  # which has no extended precision
SERIES = {  # which are summed in float64, to its digits; in extended precision they have no more
    "lgamma", "polygamma", "zeta", "igamma", "igammac", "i0", "i0e", "i1", "i1e", "erfc", "erfcx", "erfinv", "log_ndtr",
    "ndtri", "max_pool_transpose",
}  # fmt: skip
WIDENED = [n for n, row in ROWS.items() if row.op.differentiable and n not in LAPACK | SERIES | {"cast"}]


@NEEDS_DIGITS
@pytest.mark.parametrize("name", WIDENED)
def test_every_op_computes_in_extended_precision(name: str) -> None:
    """What a change beyond the digits of float64 does to values, it does to them in extended precision."""
    row = ROWS[name]
    seen = changed = 0
    for args, attrs in row.samples():
        wide = [a.astype(WIDE) if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a for a in args]
        moved, far = (
            [np.asarray(a * (1 + WIDE.type(part))) if a is not b else a for a, b in zip(wide, args, strict=True)]
            for part in (2.0**-56, 2.0**-20)
        )
        with computing(WIDE), np.errstate(all="ignore"):
            one, two, three = (row(*(wrap(a) if isinstance(a, np.ndarray) else a for a in xs), **attrs)
                               for xs in (wide, moved, far))  # fmt: skip
        for a, b, c in zip(*(y if isinstance(y, tuple) else (y,) for y in (one, two, three)), strict=True):
            if a.array.dtype.kind == "f":
                assert a.array.dtype == WIDE
                seen += not np.array_equal(a.array, c.array, equal_nan=True)
                changed += not np.array_equal(a.array, b.array, equal_nan=True)
    assert changed or not seen, "give `tinygrad_pt.testing.wide.FORWARD` a forward with more digits"


@NEEDS_DIGITS
@pytest.mark.parametrize("name, truth, attrs", [
    ("erf", "erf", {}), ("normal", "ncdf", {}), ("gauss", "exp", {"c": 1}), ("gauss", "exp", {"c": 0.5}),
])  # fmt: skip
def test_special_functions_in_extended_precision(name: str, truth: str, attrs: dict[str, float]) -> None:
    import mpmath as mp

    for x in (0.0, 1e-5, 0.5, -1.7, 1.99, -2.01, 3.0, -4.2, 5.5, -9.0):
        found = FORWARD[name](np.array([x], WIDE), **attrs)[0]
        with mp.workdps(60):
            right = getattr(mp, truth)(mp.mpf(x) if not attrs else -attrs["c"] * mp.mpf(x) ** 2)
            assert abs(mp.mpf(np.format_float_positional(found, 30, unique=False, fractional=False)) - right) <= mp.mpf(
                "1e-17"
            ) * abs(right)


def test_longdouble_is_no_dtype_outside_of_the_checker() -> None:
    gradcheck(torch.erf, at(0.5))
    with pytest.raises(TypeError, match="can't convert np.ndarray of type numpy.longdouble"):
        torch.tensor(np.ones(2, WIDE)) if WIDER else torch.tensor(np.ones(2, "V8"))
    assert F.gelu(at(0.5)).dtype == torch.float64
