"""Cleaning, escaping and writing numbers, and what is written on cards and chips."""

from __future__ import annotations

import html
import math
import unicodedata
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.viz.samples import NASTY, square, texts, vertex
from tinygrad_pt.viz.card import card, chips, edge_tip
from tinygrad_pt.viz.model import Edge, Snapshot
from tinygrad_pt.viz.style import DARK, LIGHT
from tinygrad_pt.viz.text import WORDS, clean, decimal, dot_html, dot_quoted, relation, width, xml


@given(st.one_of(texts, st.text(st.characters(), max_size=200)), st.integers(2, 40))
def test_cleaned_text_is_one_short_line_that_steers_nothing(text: str, limit: int) -> None:
    line = clean(text, limit)
    assert len(line) <= limit
    assert line == clean(line, limit)
    assert not {unicodedata.category(char) for char in line} & {"Cc", "Cs", "Cf", "Zl", "Zp"}
    line.encode()


@given(texts)
def test_xml_escape_reads_back(text: str) -> None:
    line = clean(text)
    root = ET.fromstring(f'<a b="{xml(line)}">{xml(line)}</a>')
    assert (root.text or "") == line == root.get("b")


@given(texts)
def test_dot_escapes_leave_no_way_out(text: str) -> None:
    line = clean(text)
    for escaped in (dot_html(line), dot_quoted(line)):
        assert "\\" not in escaped and '"' not in escaped and "<" not in escaped and ">" not in escaped
        assert html.unescape(escaped) == line.replace("\\", "∖")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0000"), (-0.0, "0.0000"), (-0.5, "−0.5000"), (1e-9, "1.00e−9"), (0.00004, "4.00e−5"),
        (0.00005, "0.0001"), (123456.0, "123456.0000"), (1e6, "1.00e6"), (float("nan"), "nan"),
        (float("inf"), "∞"), (float("-inf"), "−∞"), (True, "True"), (np.bool_(False), "False"), (7, "7"),
        (np.int8(-3), "−3"), (np.float32(0.1), "0.1000"), (10**20, "1.0000e+20"), (1 - 2j, "1.0000−2.0000i"),
    ],
)  # fmt: skip
def test_number(value: object, text: str) -> None:
    assert decimal(value) == text
    assert decimal(value, lang="pt") == text.replace(".", ",")


@given(st.floats(-1e300, 1e300))
def test_number_reads_back_within_its_digits_and_only_zero_is_zero(value: float) -> None:
    back = float(decimal(value).replace("−", "-"))
    assert math.isclose(back, value, rel_tol=0.006, abs_tol=5.1e-5)
    assert (back == 0) == (value == 0)


def test_equality_is_claimed_only_where_it_holds() -> None:
    assert relation(0.25) == "= 0.2500"
    assert relation(1 / 3) == "≈ 0.3333"
    assert relation(float(np.float32(0.05))) == "= 0.0500"
    assert relation(float("inf")) == "= ∞"


def test_the_two_languages_have_the_same_words() -> None:
    assert WORDS["en"].keys() == WORDS["pt"].keys()


def test_what_is_not_there_is_said_and_is_not_a_zero() -> None:
    blank = card(vertex(0, value=None, grad=None))
    assert blank.value.lines == ("?",) and blank.grad is not None and blank.grad.lines == ("·",)
    assert "not computed yet" in blank.tip and "ainda não calculado" in card(vertex(0), "pt").tip
    assert card(vertex(0, requires_grad=False)).grad is None


def test_arrays_by_size() -> None:
    few = card(vertex(0, shape=(2, 2), value=np.array([[1, 2], [3, 4]]))).value
    assert few.lines == ("[1, 2]", "[3, 4]") and not few.heat
    assert card(vertex(0, shape=(2,), value=np.array([0.5, 1])), "pt").value.lines == ("[0,5000; 1,0000]",)
    some = card(vertex(0, shape=(2, 3), value=np.array([[0, 1, -2], [np.nan, np.inf, 2.0]]))).value
    assert some.lines == ("|v| ≤ 2.0000",) and some.heat == ((0, 2, -4), (None, 4, 4))
    many = card(vertex(0, shape=(9, 9), value=np.ones((9, 9)))).value
    assert many.lines == ("‖v‖ = 9.0000",) and not many.heat
    assert card(vertex(0, shape=(0, 3), value=np.ones((0, 3)))).value.lines == ("empty",)


def test_chips_hold_formula_and_number() -> None:
    snapshot = square()
    assert chips(snapshot)[0] == ("∂b/∂a⁽¹⁾ = a", "= 3.0000")
    assert chips(snapshot, "num") == (("3.0000",), ("3.0000",))
    assert chips(snapshot, "sym", "pt")[1] == ("∂b/∂a⁽²⁾ = a",)
    assert chips(snapshot, "none") == ((), ())
    one = Snapshot(snapshot.vertices, (Edge("n0", "n1", 0, "∂b/∂a = −1", -1.0), Edge("n0", "n1", 1, "ā = ḡ·Wᵀ")))
    assert chips(one) == (("∂b/∂a = −1",), ("ā = ḡ·Wᵀ",))
    assert chips(one, "num")[1] == ("ā = ḡ·Wᵀ",)
    still = Snapshot(snapshot.vertices, (Edge("n0", "n1", 0, "∂b/∂a = 1", 1.0, flows=False),))
    assert chips(still) == ((),)
    assert "no gradient" in edge_tip(still.edges[0], {"n0": "a", "n1": "b"})
    with pytest.raises(ValueError, match="edge_labels"):
        chips(snapshot, "all")


def test_width_never_shrinks_by_more_text() -> None:
    for text in NASTY:
        line = clean(text)
        assert width(line, 12) <= width(line + "x", 12) and width(line, 12) <= width(line, 12, bold=True)


def _contrast(one: str, two: str) -> float:
    def light(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((light(one), light(two)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_contrast(colours: dict[str, str]) -> None:
    fills = ("page", "input", "param", "const", "target", "op", "module", "loss")
    for ink in ("text", "forward", "backward", "note"):
        assert min(_contrast(colours[ink], colours[fill]) for fill in fills) >= 5.0, ink
    assert min(_contrast(colours["muted"], colours[fill]) for fill in (*fills, "frame")) >= 4.5
    assert _contrast(colours["line"], colours["page"]) >= 4.0
