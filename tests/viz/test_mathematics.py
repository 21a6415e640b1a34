"""LaTeX and MathML say what the rule computes: both are read back and evaluated; no name breaks out of them."""

from __future__ import annotations

import math
import re
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.viz.samples import NASTY
from tests.viz.test_formula import DIFFERENTIABLE, FUNCTIONS, built, trees
from tinygrad_pt import ops
from tinygrad_pt.graph import OPS, Op
from tinygrad_pt.symbol import Symbol, symbol_of
from tinygrad_pt.viz.algebra import simplify
from tinygrad_pt.viz.formula import applied_rule, render, template, tree, unicode
from tinygrad_pt.viz.mathematics import latex, mathml
from tinygrad_pt.viz.notation import Tree, named, parse

# ------------------------------------------------------------------------------------------ read back
SIGNS = {
    "\\cdot": "*", "\\leq": "<=", "\\geq": ">=", "\\neq": "!=", "\\lt": "<", "\\gt": ">", "=": "==", "\\land": "and",
    "\\lor": "or", "\\times": "*", "\\infty": "inf", "·": "*", "≤": "<=", "≥": ">=", "≠": "!=", "∧": "and",
    "∨": "or", "×": "*", "−": "-", "∞": "inf", "\\sigma": "σ", "\\lnot": "not", "¬": "not",
}  # fmt: skip
OPENING = {"|": "abs(", "[": "float(", "(": "(", "\\lfloor": "floor(", "⌊": "floor("}
TOKEN = re.compile(
    r"\\(?:left|right)\s*(?:\\lfloor|\\rfloor|[()\[\]|])|\\operatorname\{\w+\}|\\[A-Za-z]+|\\,|[\d.]+|\S"
)


def python_of_latex(text: str) -> str:
    """LaTeX as Python: groups, fractions, roots and powers become parentheses."""
    tokens = TOKEN.findall(text)
    at = 0

    def until(end: str) -> str:
        nonlocal at
        out: list[str] = []
        while at < len(tokens):
            token = tokens[at]
            at += 1
            if token == end:
                break
            if token == "\\frac":
                out.append(f"(({group()})/({group()}))")
            elif token == "\\sqrt":
                out.append(f"sqrt({group()})")
            elif token in "^_":
                out.append(("**" if token == "^" else "_") + f"({group()})")
            elif token == "{":
                out.append(f"({until('}')})")
            elif token.startswith("\\left"):
                out.append(OPENING[token.removeprefix("\\left").strip()])
            elif token.startswith("\\right"):
                out.append(")")
            elif token.startswith("\\operatorname"):
                out.append(token[14:-1])
            else:
                out.append(SIGNS.get(token, token.removeprefix("\\")))
        return " ".join(out)

    def group() -> str:
        nonlocal at
        assert tokens[at] == "{"
        at += 1
        return until("}")

    return until("")


def python_of_mathml(element: ElementTree.Element) -> str:
    """MathML as Python."""
    parts = [python_of_mathml(e) for e in element]
    text = (element.text or "").strip()
    if element.tag == "mfrac":
        return f"(({parts[0]})/({parts[1]}))"
    if element.tag == "msup":
        return f"({parts[0]})**({parts[1]})"
    if element.tag == "msqrt":
        return f"sqrt({' '.join(parts)})"
    if element.tag == "mrow":
        return " ".join(parts)
    if element.tag == "mo" and element.get("form") in ("prefix", "postfix") and text != "−":
        return OPENING[text] if element.get("form") == "prefix" else ")"
    assert element.tag in ("mi", "mo", "mn"), element.tag
    return SIGNS.get(text, text)


def value_of(python: str, values: dict[str, Any]) -> Any:
    with np.errstate(all="ignore"):
        return eval(python, {"__builtins__": {}}, FUNCTIONS | values)  # noqa: S307


@settings(max_examples=200)
@given(trees, st.tuples(*[st.sampled_from([0.6, 1.3, 1.7, 0.9])] * 3))
def test_both_say_what_is_computed(tree: Any, point: tuple[float, ...]) -> None:
    values = dict(zip("abc", map(np.float64, point), strict=True))
    with np.errstate(all="ignore"):
        expected = np.float64(built(tree, values))
        form = simplify(built(tree, {name: Symbol(name, ()) for name in "abc"}))
    assume(np.isfinite(expected) and abs(expected) < 1e4)
    for python in (python_of_latex(latex(form)), python_of_mathml(ElementTree.fromstring(mathml(form)))):
        found = value_of(python, values)
        if np.isfinite(found):  # 0·∞: Iverson's [P] makes it 0, and Python does not
            assert math.isclose(found, expected, rel_tol=1e-3, abs_tol=1e-3), (python, render(form))


# ------------------------------------------------------------------------------------------ every op
CHILDREN = {
    "mfrac": 2,
    "msup": 2,
    "msub": 2,
    "mover": 2,
    "msqrt": 1,
    "mi": 0,
    "mo": 0,
    "mn": 0,
    "mtext": 0,
    "mspace": 0,
}


def check_mathml(text: str) -> None:
    """One element, and only elements that browsers draw, each with as many children as it must have."""
    for element in ElementTree.fromstring(f"<math>{text}</math>").iter():
        if element.tag in CHILDREN:
            assert len(element) == CHILDREN[element.tag], text
        else:
            assert element.tag in ("math", "mrow"), element.tag
            assert len(element) > 1 or element.tag == "math", text
    assert len(ElementTree.fromstring(f"<math>{text}</math>")) == 1


def check_latex(text: str) -> None:
    """Braces match, every \\left has its \\right, and commands are TeX's."""
    depth = 0
    for brace in re.sub(r"\\[{}|\\]", "", text):
        depth += {"{": 1, "}": -1}.get(brace, 0)
        assert depth >= 0, text
    assert depth == 0
    assert len(re.findall(r"\\left(?![a-z])", text)) == len(re.findall(r"\\right(?![a-z])", text))
    assert not re.search(r"[^\x00-\x7f]", text), text


@pytest.mark.parametrize("row", DIFFERENTIABLE, ids=lambda row: row.name)
def test_every_rule_can_be_set(row: Any) -> None:
    for args, attrs in row.samples():
        if any(0 in np.shape(a) for a in args):
            continue
        with np.errstate(all="ignore"):
            y = row.op.forward(*args, **attrs)
        several = isinstance(y, (list, tuple))
        names = [symbol_of(n, a) if isinstance(a, np.ndarray) else a for n, a in zip("abcdefhijk", args, strict=False)]
        g: Any = [symbol_of("ḡ", r) for r in y] if several else symbol_of("ḡ", y)
        for rule, a in zip(row.op.rules_for(len(args)), args, strict=False):
            if rule is not None and isinstance(a, np.ndarray) and a.dtype.kind == "f":
                out = symbol_of("y", y[0] if several else y)
                form = simplify(applied_rule(rule, g, out, tuple(names), attrs, a.shape))
                check_latex(latex(form))
                check_mathml(mathml(form))


@pytest.mark.parametrize("op", [op for op in OPS.values() if op.notation], ids=lambda op: op.name)
def test_every_notation_is_read_and_set(op: Op) -> None:
    check_latex(latex(template(op)))
    check_mathml(mathml(template(op)))
    assert unicode(template(op))


def test_what_is_set_can_be_read() -> None:
    """A formula that `parse` reads is written as LaTeX that it reads as the same formula."""
    for op in OPS.values():
        if op.notation:
            written = latex(parse(op.notation))
            assert latex(parse(written)) == written


@pytest.mark.parametrize("text", ["", "a +", "\\input{x}", "(a", "a)", "\\frac{a}", "a ++ b", "}", "$", "\\left(a"])
def test_what_is_no_formula_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="LaTeX"):
        parse(text)


# ------------------------------------------------------------------------------------------ golden texts
A, B, W1, NET = (Symbol(name, ()) for name in ("a", "b", "w1", "net"))
GOLDEN: list[tuple[Any, str, str]] = [
    (-(A + B) * A, r"-\left( a + b \right) \cdot a", ""),
    (A / (1 + A), r"\frac{a}{1 + a}",
     '<mfrac><mi>a</mi><mrow><mn>1</mn><mo form="infix">+</mo><mi>a</mi></mrow></mfrac>'),
    (W1 * 0.15, r"0.15 \cdot w_{1}", "<mrow><mn>0.15</mn><mo>·</mo><msub><mi>w</mi><mn>1</mn></msub></mrow>"),
    (ops.square(NET), r"\mathrm{net}^{2}", "<msup><mi>net</mi><mn>2</mn></msup>"),
    (A * 1e-9, r"1 \times 10^{-9} \cdot a", ""),
    (ops.sigmoid(A), r"\sigma\left( a \right)", ""),
    (ops.mm(ops.t(Symbol("X", (2, 2))), Symbol("ḡ", (2, 2))), r"{X}^{\top}\, \bar{g}", ""),
]  # fmt: skip


@pytest.mark.parametrize("expression, tex, xml", GOLDEN, ids=lambda v: v if isinstance(v, str) else "")
def test_golden(expression: Any, tex: str, xml: str) -> None:
    form = simplify(expression)
    assert latex(form) == tex
    assert not xml or mathml(form) == xml


def test_portuguese_has_a_decimal_comma() -> None:
    form = simplify(ops.maximum(W1 * 0.15, 0.5))
    assert render(form, "pt") == "max(0,15·w1; 0,5)"
    assert latex(form, "pt") == r"\max\left( 0{,}15 \cdot w_{1};\, 0{,}5 \right)"
    assert "<mn>0,15</mn>" in mathml(form, "pt") and '<mo separator="true">;</mo>' in mathml(form, "pt")


# ------------------------------------------------------------------------------------------ names
NAMES = {
    "w": "w", "w1": "w_{1}", "w_12": "w_{12}", "net": r"\mathrm{net}", "net1": r"\mathrm{net}_{1}",
    "net_h1": r"\mathrm{net}_{\mathrm{h1}}", "w[0][1]": "w_{0,1}", "fc.weight": r"\mathrm{fc.weight}",
    "0.weight": r"\mathrm{0.weight}", "σ": r"\sigma", "σ1": r"\sigma_{1}", "ḡ": r"\bar{g}", "ḡ₂": r"\bar{g}_{2}",
    "$w_2$": "w_{2}", "$\\delta^{2}$": r"\delta^{2}", "a_b_c": r"a_{\mathrm{b\_c}}",
    "ŷ": r"\hat{y}", "$\\hat{y}_2$": r"\hat{y}_{2}", "êxito": r"\mathrm{êxito}",
    "$\\input{x}$": r"\mathrm{\backslash{}input\{x\}}",
}  # fmt: skip


@pytest.mark.parametrize("name, tex", NAMES.items())
def test_names(name: str, tex: str) -> None:
    assert latex(Tree("name", name)) == tex
    check_mathml(mathml(Tree("name", name)))


@pytest.mark.parametrize("name", [n for n in NASTY if n.strip()])
def test_no_name_breaks_out(name: str) -> None:
    form = Tree.of("over", Tree("name", name), Tree.of("partial", Tree("name", name), Tree("name", name), text="⁽¹⁾"))
    text = latex(form)
    check_mathml(mathml(form))
    left = re.sub(r"\\[{}$&#%_, ]|\\[A-Za-z]+", "", text)
    assert not set("$&#%~\\`<>") & set(left), text
    assert left.count("{") == left.count("}")


@given(st.text(max_size=40))
def test_any_name(name: str) -> None:
    assume(named(name).text.strip() or named(name).parts)
    check_mathml(mathml(Tree("name", name)))
    left = re.sub(r"\\[{}$&#%_, ]|\\[A-Za-z]+", "", latex(Tree("name", name)))
    assert not set("$&#%~\\`<>") & set(left)
    assert left.count("{") == left.count("}")


def test_latex_names_are_plain_in_a_line() -> None:
    assert [unicode(Tree("name", n)) for n in ("$w_2$", "$\\delta^2$", "$\\input{x}$")] == ["w₂", "δ²", "\\input{x}"]


def test_a_tree_is_its_own_formula() -> None:
    assert tree(Tree("name", "x")) == Tree("name", "x")
