"""What wrong gradients look like: each is found, and called by its name; the right ones beside them pass."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tinygrad_pt.testing import HINTS, gradcheck

DRAW = np.random.default_rng(0)
A, B = DRAW.normal(size=(3, 3)), DRAW.normal(size=(3, 3))
TIED = np.array([1.0, 3.0, 3.0, 2.0, 3.0])
LONG = DRAW.normal(size=1000)


def bump(x: Any, factor: float = 1.01) -> Any:
    return np.where(np.arange(x.size) == 667, factor, 1.0)


WRONG: dict[str, tuple[str, str, Any, Any, tuple[Any, ...]]] = {
    "twice": ("factor", "2 · numeric", np.sin, lambda g, x: (2 * g * np.cos(x),), (A,)),
    "chain rule": ("factor", "1/x", lambda x: np.exp(x * x), lambda g, x: (2 * g * np.exp(x * x),), (A,)),
    "half chain rule": ("factor", "1/2 · 1/x", lambda x: np.exp(x * x), lambda g, x: (g * np.exp(x * x),), (A,)),
    "ln 2": ("factor", "1/ln 2", lambda x: 2.0**x, lambda g, x: (g * 2.0**x,), (A,)),
    "mean": ("factor", "n = 9", lambda x: x.mean(), lambda g, x: (np.full(x.shape, g),), (A,)),
    "sixth digit": ("constant", "digit 6", np.sin, lambda g, x: (g * np.cos(x) * 1.000003,), (A,)),
    "a constant inside": ("constant", "slightly wrong", lambda x: np.tanh(0.044715 * x**3),
                          lambda g, x: (g * (1 - np.tanh(0.0447 * x**3) ** 2) * 3 * 0.0447 * x * x,), (A,)),
    "sign": ("sign", "-numeric", np.cos, lambda g, x: (g * np.sin(x),), (A,)),
    "half a sign": ("sign", "negative", np.abs, lambda g, x: (np.array(g),), (A,)),
    "operand": ("transpose", "operand", lambda a, b: a @ b, lambda g, a, b: (g @ b, a.T @ g), (A, B)),
    "other operand": ("transpose", "operand", lambda a, b: a @ b, lambda g, a, b: (g @ b.T, a @ g), (A, B)),
    "gradient": ("transpose", "gradient", lambda a, b: a @ b, lambda g, a, b: ((g @ b.T).T.copy(), a.T @ g), (A, B)),
    "incoming": ("transpose", "takes g", lambda a, b: a @ b, lambda g, a, b: (g.T @ b.T, a.T @ g), (A, B)),
    "a shape": ("transpose", "shape", lambda a: a.T * 1.0, lambda g, a: (np.array(g),), (A[:2],)),
    "one row of g": ("unsummed axis", "sum over all", lambda a, b: a + b, lambda g, a, b: (g.copy(), g[0].copy()),
                     (A, B[0])),
    "mean of g": ("unsummed axis", "mean", lambda a, b: a + b, lambda g, a, b: (g.copy(), g.mean(0)), (A, B[0])),
    "wide": ("unsummed axis", "[3, 3]", lambda a, b: a + b, lambda g, a, b: (g.copy(), g.copy()), (A, B[0])),
    "wrong axis": ("unsummed axis", "wrong one", lambda a, b: a + b, lambda g, a, b: (g.copy(), g.sum(1)), (A, B[0])),
    "none": ("dropped input", "None", lambda a, b: a * b, lambda g, a, b: (g * b, None), (A, B)),
    "zeros": ("dropped input", "is 0", lambda a, b: a * b, lambda g, a, b: (g * b, 0 * g), (A, B)),
    "all of a tie": ("ties", "tied", lambda x: x.max(), lambda g, x: (g * (x == x.max()),), (TIED,)),
    "none of a tie": ("ties", "tied", np.maximum, lambda g, a, b: (g * (a > b), g * (b > a)), (TIED, TIED + 0)),
    "a corner": ("ties", "corner", lambda x: np.clip(x, -1, 1),
                 lambda g, x: (g * np.where(x == 1, 2.0, np.abs(x) < 1),), (np.array([1.0, 0.5]),)),
    "relu at 0": ("zero", "0", lambda x: np.maximum(x, 0), lambda g, x: (g * np.where(x == 0, 2.0, x > 0),),
                  (np.array([0.0, 1.0, -1.0]),)),
    "0/0": ("zero", "nan", lambda x: x**3, lambda g, x: (g * 3 * x**3 / x,), (np.array([0.0, 1.0, 2.0]),)),
    "nan": ("non-finite", "nan", np.exp, lambda g, x: (g * np.nan,), (A,)),
    "large": ("magnitude", "2e+06", np.log, lambda g, x: (g / x * (1 + (x > 1e5)),), (np.array([1.0, 2e6, 3.0]),)),
    "tiny": ("magnitude", "or less", np.log, lambda g, x: (g / x * (1 + (x < 1e-5)),), (np.array([1.0, 2e-7, 3.0]),)),
    "one of 1000": ("single element", "[667]", np.sin, lambda g, x: (g * np.cos(x) * bump(x),), (LONG,)),
    "leak": ("wrong formula", "depend", np.floor, lambda g, x: (np.array(g),), (A,)),
    "shifted": ("wrong formula", "one place", lambda x: x.ravel() * np.arange(1.0, 10), lambda g, x: (
        np.roll((g * np.arange(1.0, 10)).reshape(3, 3), 1, 1),), (A,)),
    "another formula": ("wrong formula", "", np.sin, lambda g, x: (g * np.exp(x),), (A,)),
    "too few": ("count", "1 gradients for 2", lambda a, b: a * b, lambda g, a, b: (g * b,), (A, B)),
    "a string": ("dtype", "str", np.sin, lambda g, x: ("x",), (A,)),
    "integers": ("dtype", "int64", lambda x: x * 1.0, lambda g, x: (np.ones(x.shape, int),), (A,)),
    "an error": ("raised", "ZeroDivisionError", np.sin, lambda g, x: 1 / 0, (A,)),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_it_is_found_and_called_by_its_name(name: str) -> None:
    kind, words, f, vjp, inputs = WRONG[name]
    report = gradcheck(f, *inputs, vjp=vjp)
    assert report.verdict == "fail" and not report.ok and report.guilty is None
    said = report.failures[0]
    assert said.hint_kind == kind in HINTS, str(report)
    assert words in said.hint and said.hint in str(report), str(report)


RIGHT: dict[str, tuple[Any, Any, tuple[Any, ...]]] = {
    "matmul": (lambda a, b: a @ b, lambda g, a, b: (g @ b.T, a.T @ g), (A, B)),
    "bias": (lambda a, b: a + b, lambda g, a, b: (g.copy(), g.sum(0)), (A, B[0])),
    "half of a tie": (np.maximum, lambda g, a, b: (g * ((a > b) + 0.5 * (a == b)), g * ((b > a) + 0.5 * (a == b))),
                      (TIED, np.array([1.0, 2.0, 3.0, 4.0, 5.0]))),
    "the first of a tie": (np.maximum, lambda g, a, b: (g * (a >= b), g * (b > a)), (TIED, TIED + 0)),
    "shares of a tie": (lambda x: x.max(), lambda g, x: (g * (x == x.max()) / 3,), (TIED,)),
    "relu at 0, with weights of both signs": (
        lambda x: np.maximum(x, 0) @ np.array([1.0, -1.0, 2.0, -3.0, 1.0]),
        lambda g, x: (g * (x > 0) * np.array([1.0, -1.0, 2.0, -3.0, 1.0]),), (np.zeros(5),)),
    "slopes 1 and -1 at a bound": (
        lambda a, b: np.clip(a, 0, 1) - np.clip(b, 0, 1),
        lambda g, a, b: (g * ((a >= 0) & (a <= 1)), -g * ((b >= 0) & (b <= 1))), (np.zeros(2), np.ones(2))),
    "|a| - |b|": (lambda a, b: np.abs(a) - np.abs(b), lambda g, a, b: (g * np.sign(a), -g * np.sign(b)),
                  (np.zeros(3), np.zeros(3))),
    "huge": (lambda x: x**2, lambda g, x: (2 * g * x,), (np.array([1e12, -3e150, 1e-120, 0.0]),)),
    "domain edge": (np.log, lambda g, x: (g / x,), (np.array([1e-300, 1e-7, 1e300]),)),
    "no input": (np.sin, lambda g, x: (g * np.cos(x),), (np.zeros((0, 3)),)),
    "long": (np.sin, lambda g, x: (g * np.cos(x),), (LONG,)),
    "none where nothing depends": (lambda a, b: a * 2.0, lambda g, a, b: (g * 2, None), (A, B)),
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
def test_the_right_ones_pass(name: str) -> None:
    f, vjp, inputs = RIGHT[name]
    for seed in range(5):
        report = gradcheck(f, *inputs, vjp=vjp, seed=seed)
        assert report.verdict == "pass", str(report)


@pytest.mark.parametrize(("f", "vjp", "x"), [
    (np.floor, lambda g, x: (0 * g,), np.array([1.0])),
    (np.sqrt, lambda g, x: (g / (2 * np.sqrt(x)),), np.array([0.0])),
    (lambda x: 1e12 + 1e-3 * x, lambda g, x: (1e-3 * g,), np.array([1e-3])),
    (lambda x: x**0.5, lambda g, x: (g * 0.5 * x**-0.5,), np.array([0.0, 1.0])),
])  # fmt: skip
def test_of_some_points_nothing_can_be_said(f: Any, vjp: Any, x: Any) -> None:
    report = gradcheck(f, x, vjp=vjp)
    assert report.ok and report.verdict == "inconclusive" and report.inconclusive and "inconclusive" in str(report)


@pytest.mark.long
def test_large_inputs_move_in_blocks_and_the_wrong_element_is_located() -> None:
    x = np.random.default_rng(1).normal(size=5_000) * 10 ** np.random.default_rng(2).uniform(-6, 0.5, 5_000)
    calls = 0

    def f(v: Any) -> Any:
        nonlocal calls
        calls += 1
        return np.tanh(v)

    assert gradcheck(f, x, vjp=lambda g, v: (g / np.cosh(v) ** 2,)).ok
    assert calls < 5_000, "fewer evaluations than elements"
    report = gradcheck(f, x, vjp=lambda g, v: (g / np.cosh(v) ** 2 * bump(v),))
    assert {failure.index for failure in report.failures} == {(667,)}
    assert report.failures[0].output_index == (667,) and report.failures[0].ratio == pytest.approx(1.01)
    assert not gradcheck(f, x, vjp=lambda g, v: (g / np.cosh(v) ** 2 * (1 + 1e-2 * (-1.0) ** np.arange(v.size)),)).ok
    assert not gradcheck(f, x, vjp=lambda g, v: (0 * g,)).ok


def test_the_same_seed_gives_the_same_report() -> None:
    kind, _, f, vjp, inputs = WRONG["one of 1000"]
    assert str(gradcheck(f, *inputs, vjp=vjp, seed=4)) == str(gradcheck(f, *inputs, vjp=vjp, seed=4))


def test_tolerances_widen_the_bound() -> None:
    _, _, f, vjp, inputs = WRONG["sixth digit"]
    assert gradcheck(f, *inputs, vjp=vjp, rtol=1e-5).ok and gradcheck(f, *inputs, vjp=vjp, atol=1e-4).ok


def test_only_the_arguments_asked_for() -> None:
    _, _, f, vjp, inputs = WRONG["zeros"]
    assert gradcheck(f, *inputs, vjp=vjp, argnums=[0]).ok and not gradcheck(f, *inputs, vjp=vjp, argnums=[1]).ok
    with pytest.raises(ValueError, match="argument 0 is no floating point array"):
        gradcheck(f, np.arange(3), np.ones(3), vjp=vjp, argnums=[0])


def test_several_results_and_integer_arguments() -> None:
    def f(x: Any, i: Any) -> Any:
        return x[i], np.sum(x * x)

    def vjp(g: Any, x: Any, i: Any) -> Any:
        r = 2 * x * g[1]
        np.add.at(r, i, g[0])
        return r, None

    assert gradcheck(f, A[0], np.array([0, 2, 0]), vjp=vjp).verdict == "pass"
    report = gradcheck(f, A[0], np.array([0, 2, 0]), vjp=lambda g, x, i: (2 * x * g[1], None))
    assert {failure.output for failure in report.failures} == {0}


def test_what_cannot_be_checked_is_refused() -> None:
    with pytest.raises(ValueError, match="order 2 needs a function of tensors"):
        gradcheck(np.sin, A, vjp=lambda g, x: (g,), order=2)
    with pytest.raises(ValueError, match="floating point tensor"):
        gradcheck(np.sin, A)
    with pytest.raises(TypeError, match="floating point array"):
        gradcheck(lambda x: x > 0, A, vjp=lambda g, x: (g,))
