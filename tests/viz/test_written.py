"""A formula that is typed is computed as Python would compute it, and nothing else is ever done with it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_pt.__main__ import main
from tinygrad_pt.viz.written import FUNCTIONS, written

LEAVES = st.one_of(st.sampled_from(["a", "b"]), st.floats(0.5, 3).map(lambda x: f"{x:.3f}"))


def nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    binary = st.tuples(inner, st.sampled_from(["+", "-", "*", "/"]), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})")
    unary = st.tuples(st.sampled_from(["sin", "tanh", "exp", "cos"]), inner).map(lambda t: f"{t[0]}({t[1]})")
    return binary | unary | inner.map(lambda t: f"-{t}")


@given(st.recursive(LEAVES, nested, max_leaves=12), st.floats(0.5, 2), st.floats(0.5, 2))
def test_it_means_what_python_means(text: str, a: float, b: float) -> None:
    given = {"a": a, "b": b}
    here = {name: value for name, value in given.items() if name in text.replace("tanh", "")}
    known: dict[str, Any] = {name: getattr(math, name) for name in ("sin", "tanh", "exp", "cos")}
    try:
        wanted = eval(text, {**known, **given})  # a formula that this test wrote
    except (OverflowError, ZeroDivisionError):
        return
    if here:
        found, _ = written(text, here)
        assert math.isclose(found.item(), wanted, rel_tol=1e-9, abs_tol=1e-12)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')", "a.numpy()", "a.__class__", "(lambda: a)()", "[a for a in (1,)]",
        "a if a else a",
        "a and a", "a < 1", "f'{a}'", "a[0]", "a := 1", "exp(a, out=a)", "exp(*a)", "open('x')", "a @ 'x'", "a + True",
        "a + 1j", "import os", "del a", "a = 1; a", "x = a; x = a; x", "x, y = a; x", "a +", "(a", "", ";", "a\0",
        "exp()",
        "9**9**9**9*a", "a + nothing", "(" * 100 + "a" + ")" * 100, "+".join(["a"] * 500), "a" * 3000, "-" * 500 + "a",
    ],
)  # fmt: skip
def test_anything_else_is_refused_and_nothing_is_run(text: str) -> None:
    with pytest.raises(ValueError, match=r"formula|allowed|number|stand|Numerical|arguments|positional|more than"):
        written(text, {"a": 1.0})


def test_names_are_those_of_the_formula() -> None:
    loss, names = written("net = w*x + b; o = sigmoid(net); (o - t)^2/2", {"w": 0.5, "x": 2, "b": 1, "t": 1.0}, ["w"])
    loss.backward()
    o = 1 / (1 + math.exp(-2))
    assert math.isclose(names["w"].grad.item(), (o - 1) * o * (1 - o) * 2, rel_tol=1e-12)  # type: ignore[union-attr]
    assert set(names) == {"w", "x", "b", "t", "net", "o"} and names["x"].grad is None
    with pytest.raises(ValueError, match="'q' does not stand in"):
        written("w*2", {"w": 1, "q": 2})
    with pytest.raises(ValueError, match="'b' does not stand in"):
        written("w*2", {"w": 1}, ["b"])
    with pytest.raises(ValueError, match="depends on none of the names"):
        written("2*3", {})


def test_lists_are_arrays() -> None:
    loss, names = written("mean((x*w - 1)**2)", {"x": [1, 2, 3], "w": 0.5}, ["w"])
    x = np.array([1.0, 2, 3])
    loss.backward()
    assert math.isclose(names["w"].grad.item(), (2 * (x * 0.5 - 1) * x).mean())  # type: ignore[union-attr]
    with pytest.raises(ValueError, match="expected a number, or a list of numbers"):
        written("x", {"x": [[1], [1, 2]]})


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_function_is_computed_and_differentiated(name: str) -> None:
    two = name in ("maximum", "minimum", "mse_loss")
    loss, names = written(
        f"sum({name}(a, b))" if two else f"sum({name}(a))", {"a": [0.2, 0.4]} | ({"b": [0.3, 0.3]} if two else {})
    )
    loss.backward()
    assert np.isfinite(loss.item()) and names["a"].grad is not None


# ------------------------------------------------------------------------------------------ the command line
def test_draw_writes_the_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "p.svg"
    assert (
        main(["draw", "net = w*x + b; sigmoid(net)", "--at", "w=0,5", "x=2", "b=1", "--wrt", "w", "-o", str(out)]) == 0
    )
    assert capsys.readouterr().out.strip() == str(out)
    text = out.read_text(encoding="utf-8")
    assert "∂net/∂p1 = 1" in text and "net = w*x + b; sigmoid(net)" in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["w*"], "not a formula"), (["w*x", "--at", "w=1"], "give it one: --at x=1"), (["w", "--at", "w"], "w=0.5"),
        (["w", "--at", "w=a"], "w=0.5"), (["w", "--at", "w=1", "w=2"], "two numbers"),
        (["w*x", "--at", "w=[1,2]", "x=1"], "take the sum or the mean"),
    ],
)  # fmt: skip
def test_bad_formulas_end_with_2_and_a_sentence(arguments: list[str], said: str, capsys: Any) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["draw", *arguments])
    assert ended.value.code == 2 and said in capsys.readouterr().err


def test_explain_writes_the_chain_rule_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "net = w*x + b; sigmoid(net)", "--at", "w=0.5", "x=2", "b=1", "--wrt", "w"]) == 0
    said = capsys.readouterr().out
    assert "∂y/∂w = ∂y/∂net · ∂net/∂w" in said and "∂net/∂w = x = 2" in said
    assert main(["explain", "w*w", "--at", "w=0,5", "--lang", "pt"]) == 0
    assert "y = w² = 0,25" in capsys.readouterr().out


def test_draw_writes_the_player(tmp_path: Path) -> None:
    assert main(["draw", "sigmoid(w*x)", "--at", "w=0.5", "x=2", "-o", str(tmp_path / "p.html")]) == 0
    assert "Content-Security-Policy" in (tmp_path / "p.html").read_text(encoding="utf-8")
