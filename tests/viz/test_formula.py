"""A rule as mathematics: what it says is what the rule computes, whatever the op and however deep."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.ops.table import ROWS
from tinygrad_pt import ops
from tinygrad_pt.graph import OPS, Op
from tinygrad_pt.symbol import Symbol
from tinygrad_pt.viz.algebra import UNIT, simplify
from tinygrad_pt.viz.formula import op_sign, read, render, template, unicode

DIFFERENTIABLE = [row for name, row in ROWS.items() if OPS[name].differentiable]
NAMELESS = set("erfcx i0 i0e i1 i1e igamma igammac lgamma log_ndtr logit polygamma where zeta".split())  # for Python
ELEMENTWISE = [row for row in DIFFERENTIABLE if row.op.elementwise and row.name not in NAMELESS]


def texts(op: Op, args: list[Any], attrs: dict[str, Any] | None = None) -> list[str]:
    """The text of each rule, arrays being called a, b, c; if all is scalar, that of the local derivative."""
    attrs = attrs or {}
    with np.errstate(all="ignore"):
        y = op.forward(*args, **attrs)
    results = y if isinstance(y, (list, tuple)) else [y]
    names = [
        Symbol(name, a.shape, a.dtype) if isinstance(a, np.ndarray) else a
        for name, a in zip("abcdefhijk", args, strict=False)
    ]
    scalar = all(np.shape(x) == () for x in (*args, *results)) and not isinstance(y, (list, tuple))
    gs = [UNIT if scalar else Symbol("ḡ", np.shape(r), np.asarray(r).dtype) for r in results]
    g: Any = gs if isinstance(y, (list, tuple)) else gs[0]
    out = Symbol("y", np.shape(results[0]), np.asarray(results[0]).dtype)
    return [
        read(rule, g, out, tuple(names), attrs, a.shape)
        for rule, a in zip(op.rules_for(len(args)), args, strict=False)
        if rule is not None and isinstance(a, np.ndarray) and a.dtype.kind == "f"
    ]


def local(name: str, *args: float, **attrs: Any) -> list[str]:
    return texts(OPS[name], [np.array(x) for x in args], attrs)


def arrays(name: str, *shapes: tuple[int, ...], **attrs: Any) -> list[str]:
    return texts(OPS[name], [np.ones(shape) for shape in shapes], attrs)


# ------------------------------------------------------------------------------------------ golden texts
SCALARS = {
    "add": ["1", "1"], "sub": ["1", "−1"], "mul": ["b", "a"], "div": ["1/b", "−a/b²"], "neg": ["−1"],
    "reciprocal": ["−y²"], "maximum": ["[a > b] + 0.5·[a = b]", "[a < b] + 0.5·[a = b]"],
    "minimum": ["[a < b] + 0.5·[a = b]", "[a > b] + 0.5·[a = b]"], "zero": ["0"], "sign": ["0"],
    "floor": ["0"],
    "remainder": ["1", "−⌊a/b⌋"], "abs": ["sign(a)"], "relu": ["[y > 0]"], "square": ["2·a"],
    "sqrt": ["1/(2·y)"],
    "rsqrt": ["−0.5·y³"], "pow": ["b·a^(b − 1)·[a ≠ 0 ∨ b ≠ 0]", "y·ln(a)·[a ≠ 0 ∨ b < 0]"], "exp": ["y"],
    "expm1": ["e^a"],
    "exp2": ["ln(2)·y"], "log": ["1/a"], "log1p": ["1/(1 + a)"], "logaddexp": ["σ(a − b)", "σ(b − a)"],
    "sigmoid": ["y·(1 − y)"], "tanh": ["1 − y²"], "log_sigmoid": ["σ(−a)"], "sin": ["cos(a)"],
    "cos": ["−sin(a)"],
    "tan": ["1 + y²"], "asin": ["1/√(1 − a²)"], "acos": ["−1/√(1 − a²)"], "atan": ["1/(1 + a²)"],
    "sinh": ["cosh(a)"],
    "cosh": ["sinh(a)"], "asinh": ["1/√(1 + a²)"], "acosh": ["1/(√(a − 1)·√(a + 1))"], "atanh": ["1/(1 − a²)"],
    "atan2": ["b/(b² + a²)", "−a/(a² + b²)"], "hypot": ["a/√(a² + b²)", "b/√(b² + a²)"],
    "log2": ["1.4427/a"], "log10": ["0.434294/a"], "fmod": ["1", "−trunc(a/b)"],
    "erf": ["1.12838·e^(−a²)"], "softsign": ["1/(1 + |a|)²"], "tanhshrink": ["tanh(a)²"],
    "normal": ["0.398942·e^(−0.5·a²)"], "gelu": ["Φ(a) + a·φ(a)"],
    "lerp": ["1 − c", "c", "b − a"], "clone": ["1"],
}  # fmt: skip


@pytest.mark.parametrize("name", SCALARS)
def test_local_derivative_of_scalars(name: str) -> None:
    assert local(name, *(1.5, 0.5, 0.25)[: len(SCALARS[name])]) == SCALARS[name]


@pytest.mark.parametrize(
    "n, text",
    [
        (0, "0"),
        (1, "1"),
        (2, "2·a"),
        (3, "3·a²"),
        (-1, "−1/a²"),
        (0.5, "1/(2·a^0.5)"),
        (2.5, "2.5·a^1.5"),
        (12, "12·a¹¹"),
    ],  # fmt: skip
)
def test_powers(n: float, text: str) -> None:
    assert local("power", 1.5, n=n) == [text]


@pytest.mark.parametrize(
    "low, high, text", [(-0.5, 0.5, "[−0.5 ≤ a ≤ 0.5]"), (-0.5, None, "[a ≥ −0.5]"), (None, 0.5, "[a ≤ 0.5]")]
)
def test_clamp(low: float | None, high: float | None, text: str) -> None:
    assert local("clamp", 0.25, low=low, high=high) == [text]


ARRAYS: list[tuple[Any, list[str]]] = [
    (("mm", (2, 3), (3, 2)), ["ḡ bᵀ", "aᵀ ḡ"]), (("mv", (2, 3), (3,)), ["ḡ bᵀ", "aᵀ ḡ"]),
    (("outer", (2,), (3,)), ["ḡ b", "ḡᵀ a"]), (("dot", (3,), (3,)), ["ḡ·b", "ḡ·a"]),
    (("bmm", (2, 2, 3), (3, 2)), ["ḡ bᵀ", "Σ(aᵀ ḡ)"]), (("linear", (2, 3), (4, 3), (4,)), ["ḡ b", "ḡᵀ a",
    "Σ ḡ"]),
    (("add", (2, 3), (3,)), ["ḡ", "Σ ḡ"]), (("sub", (2, 3), (3,)), ["ḡ", "−Σ ḡ"]),
    (("mul", (2, 3), (3,)), ["ḡ·b", "Σ(ḡ·a)"]), (("div", (3,), (2, 1)), ["Σ(ḡ/b)", "−Σ(ḡ·a/b²)"]),
    (("add", (), (2,)), ["Σ ḡ", "ḡ"]), (("tanh", (3,)), ["ḡ·(1 − y²)"]), (("sigmoid", (3,)), ["ḡ·y·(1 − y)"]),
    (("t", (2, 3)), ["ḡᵀ"]), (("square", (2, 3)), ["2·ḡ·a"]),
]  # fmt: skip


@pytest.mark.parametrize("call, found", ARRAYS, ids=lambda v: v[0] if isinstance(v, tuple) else "")
def test_rules_of_arrays(call: Any, found: list[str]) -> None:
    assert arrays(*call) == found


def test_gatherings() -> None:
    every = {"axis": None, "keepdims": False}
    assert arrays("sum", (2, 3), **every) == ["ḡ"]
    assert arrays("mean", (3,), **every) == ["ḡ/3"]
    assert arrays("softmax", (2, 3), axis=1) == ["y·(ḡ − Σ(ḡ·y))"]
    assert arrays("log_softmax", (2, 3), axis=1) == ["ḡ − e^y·Σ ḡ"]
    assert arrays("logsumexp", (3,), axis=(0,), keepdims=False) == ["ḡ·e^(a − y)"]
    assert arrays("var", (3,), correction=0, **every) == ["2·ḡ·(a − mean(a))/3"]
    assert arrays("norm", (3,), **every) == ["ḡ·a·[y ≠ 0]/y"]
    assert arrays("std", (3,), correction=1, **every) == ["ḡ·(a − mean(a))·[y ≠ 0]/(2·y)"]
    assert arrays("amax", (3,), **every) == ["ḡ·[a = y]/(Σ [a = y])"]


def test_pieces() -> None:
    assert arrays("cat", (2,), (3,), axis=0, edges=(0, 2, 5)) == ["ḡ[0:2]", "ḡ[2:5]"]
    assert arrays("stack", (2, 3), (2, 3), axis=2) == ["ḡ[:, :, 0]", "ḡ[:, :, 1]"]
    assert arrays("unbind", (3,), axis=0) == ["[ḡ, ḡ, ḡ]"]
    assert arrays("einsum", (2, 3), (3, 2), terms=("ij", "jk"), out="ik")[0] == "einsum(ik, jk → ij; ḡ, b)"
    condition = np.array([True, False])
    assert texts(OPS["where"], [condition, np.ones(2), np.ones(2)]) == ["ḡ·[a]", "ḡ·[¬a]"]


def test_absent_arguments_are_left_out() -> None:
    a, b = Symbol("a", (2, 3)), Symbol("b", (4, 3))
    assert render(simplify(OPS["linear"](a, b))) == "a bᵀ"


def test_python_numbers_are_folded() -> None:
    a = np.array(1.5)
    assert texts(OPS["mul"], [a, 2.0]) == ["2"]
    assert texts(OPS["mul"], [np.ones(2), -0.5]) == ["−0.5·ḡ"]
    assert texts(OPS["div"], [a, 3]) == ["1/3"]
    assert texts(OPS["pow"], [a, 2.0]) == ["2·a"]
    assert texts(OPS["maximum"], [a, 0.0]) == ["[a > 0] + 0.5·[a = 0]"]
    assert texts(OPS["logaddexp"], [a, -2.0]) == ["σ(a + 2)"]


def test_names_that_are_no_names_stand_in_parentheses() -> None:
    a, b = Symbol("x − 1", ()), Symbol("w[0][1]", ())
    assert render(simplify(a * b)) == "(x − 1)·w[0][1]"
    assert render(simplify(ops.square(Symbol("fc.weight", ())))) == "fc.weight²"


# ------------------------------------------------------------------------------------------ every op
@pytest.mark.parametrize("row", DIFFERENTIABLE, ids=lambda row: row.name)
def test_every_rule_has_a_text(row: Any) -> None:
    """No text is empty, Python's, LaTeX's, or a leftover of a template; brackets match."""
    for args, attrs in row.samples():
        if any(0 in np.shape(a) for a in args):
            continue
        for text in texts(row.op, args, attrs):
            assert text and text == text.strip()
            assert not re.search(r"operator|<op|np\.|lambda|\\|[{}]|array|None|True|False| if ", text), text
            assert not re.search(r" {2}|\(\)|·−|\+ −|− −", text), text
            for left, right in ("()", "[]", "⌊⌋"):
                assert text.count(left) == text.count(right), text
            assert not re.search(r"(?<![\d.])1·|·1(?![\d.])|/1(?![\d.])", text), text


@pytest.mark.parametrize("op", list(OPS.values()), ids=lambda op: op.name)
def test_every_op_has_a_sign_and_a_template(op: Op) -> None:
    assert op_sign(op) and len(op_sign(op, {"n": 3})) <= 60
    assert not re.search(r"[\\{}]", unicode(template(op)))


# ---------------------------------------------------------------------------------------- the text, computed
FUNCTIONS: dict[str, Any] = {
    "e": math.e, "ln": np.log, "sqrt": np.sqrt, "sign": np.sign, "trunc": np.trunc, "floor": np.floor,
    "abs": np.abs, "clamp": np.clip, "sech": lambda x: 1 / np.cosh(x),
    "max": np.maximum, "float": float, "nan": np.nan, "inf": np.inf,
    "σ": lambda x: 1 / (1 + np.exp(-x)), "erf": np.vectorize(math.erf),
    "Φ": np.vectorize(lambda x: math.erfc(-x / math.sqrt(2)) / 2),
    "φ": lambda x: np.exp(-x * x / 2) / math.sqrt(2 * math.pi),
    **{name: getattr(np, name) for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "exp")},
}  # fmt: skip
PYTHON = {"·": "*", "∞": "inf", "−": "-", "^": "**", "≤": "<=", "≥": ">=", "≠": "!=", " = ": " == ",
          "∧": "and", "∨": "or", "¬": "not ", "⌊": "floor(", "⌋": ")", "[": "float(", "]": ")"}  # fmt: skip
DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")


def computed(text: str, **values: Any) -> Any:
    """The text as Python would compute it, by mathematics' own precedence."""
    text = re.sub(r"√([a-z]|[\d.]+)", r"sqrt(\1)", text).replace("√(", "sqrt(")
    text = re.sub(r"(?<![\w)\]⌋⁰¹²³⁴⁵⁶⁷⁸⁹])\|", "abs(", text).replace("|", ")")
    text = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda m: "**" + m.group().translate(DIGITS), text)
    for sign, python in PYTHON.items():
        text = text.replace(sign, python)
    with np.errstate(all="ignore"):
        return eval(text, {"__builtins__": {}}, FUNCTIONS | values)  # noqa: S307


@pytest.mark.parametrize("row", ELEMENTWISE, ids=lambda r: r.name)
def test_what_the_text_says_is_what_the_rule_computes(row: Any) -> None:
    for seed in range(5):
        for shapes, attrs in row.cases:
            if any(shape not in ((), None) for shape in shapes):
                continue
            args, _ = row.sample((shapes, attrs), seed)
            with np.errstate(all="ignore"):
                y = row.op.forward(*args, **attrs)
                expected = [
                    rule(np.float64(1), y, *args, **attrs)
                    for rule, a in zip(row.op.rules, args, strict=False) if isinstance(a, np.ndarray)
                ]  # fmt: skip
            values = {"abcdefhijk"[i]: a for i, a in enumerate(args)} | {"y": y}
            for text, number in zip(texts(row.op, args, attrs), expected, strict=True):
                assert math.isclose(computed(text, **values), number, rel_tol=2e-5, abs_tol=1e-6), text


numbers = st.sampled_from([2, 3, 0.5, -1, -0.25, 1, 0, 4.0])
leaves = st.sampled_from("abc") | numbers
CALLS: dict[str, Any] = {
    "add": 2, "sub": 2, "mul": 2, "div": 2, "neg": 1, "square": 1, "sqrt": 1, "rsqrt": 1, "reciprocal": 1,
    "exp": 1,
    "tanh": 1, "sigmoid": 1, "log": 1, "abs": 1, "pow": 2, "cube": 1, "root": 1, "choice": 4, "floor": 1,
}  # fmt: skip
trees = st.recursive(
    leaves,
    lambda inner: st.sampled_from(sorted(CALLS)).flatmap(
        lambda name: st.tuples(st.just(name), *[inner] * CALLS[name]) if CALLS[name] else st.nothing()
    ),
    max_leaves=12,
)


def built(tree: Any, values: dict[str, Any]) -> Any:
    """The expression of a tree, of symbols or numbers; not of nan, of which neither [P] nor [¬P] is true."""
    y = made(tree, values)
    assume(isinstance(y, Symbol) or not np.isnan(y))
    return y


def made(tree: Any, values: dict[str, Any]) -> Any:
    if not isinstance(tree, tuple):
        return values[tree] if isinstance(tree, str) else np.float64(tree)
    name, *args = tree
    xs = [built(a, values) for a in args]
    if name in ("sqrt", "rsqrt", "log", "root", "pow") and not isinstance(args[0], str):
        xs[0] = ops.square(xs[0])
    if name == "choice":
        p, q, a, b = xs
        return ops.where(ops.logical_and(ops.lt(p, q), ops.ne(p, a)), a, ops.where(ops.ge(p, q), a, b))
    if name in ("cube", "root"):
        return OPS["power"](*xs, n=3 if name == "cube" else -0.5)
    return OPS[name](*xs)


@settings(max_examples=600)
@given(trees, st.tuples(*[st.sampled_from([0.6, 1.3, 1.7, 0.9])] * 3))
def test_any_expression_is_written_with_the_right_parentheses(tree: Any, point: tuple[float, ...]) -> None:
    symbols = {name: Symbol(name, ()) for name in "abc"}
    values = dict(zip("abc", map(np.float64, point), strict=True))
    with np.errstate(all="ignore"):
        expected = np.float64(built(tree, values))
        text = render(simplify(built(tree, symbols)))
    assume(np.isfinite(expected) and abs(expected) < 1e4)
    found = computed(text, **values)
    assume(np.isfinite(found))  # 0·∞: Iverson's [P] makes it 0, and Python does not
    assert math.isclose(found, expected, rel_tol=1e-3, abs_tol=1e-3), text
