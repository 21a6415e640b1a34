"""A worksheet asks for the engine's numbers, does not give them away, and names the mistake behind a wrong answer."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_pt as torch
from tinygrad_pt import nn, viz
from tinygrad_pt.viz.worksheet import WORDS, Worksheet


def scalar(x: float) -> Any:
    return torch.tensor(x, dtype=torch.float64, requires_grad=True)


def sheet(blanks: float = 1.0, seed: int = 0, lang: str = "en") -> Worksheet:
    """E = (σ(e·c) − t)²/2 with e = a·b + a, every number told apart."""
    a, b, c, t = scalar(0.7), scalar(-0.4), scalar(1.3), torch.tensor(0.9, dtype=torch.float64)
    d = a * b
    e = d + a
    net = e * c
    o = torch.sigmoid(net)
    E = (o - t) ** 2 / 2
    E.backward(retain_graph=True)
    return viz.worksheet(E, blanks, seed, lang=lang, title="XOR")


def number_of(worksheet: Worksheet, kind: str, text: str) -> int:
    return next(n for n, item in worksheet.blanks.items() if item.kind == kind and item.text.startswith(text + " ="))


def test_the_right_answers_are_right_as_shown() -> None:
    for lang in ("en", "pt"):
        worksheet = sheet(lang=lang)
        texts = dict(
            re.findall(r"\((\d+)\) (.+)$", "\n".join(line for _, line in worksheet.lines(key=True)), re.MULTILINE)
        )
        assert set(map(int, texts)) == set(worksheet.blanks)
        marks = worksheet.check({int(n): text.replace("−", "-") for n, text in texts.items()})
        assert marks.right == len(worksheet.blanks) and marks.first_wrong is None
        assert str(marks).splitlines()[0] == WORDS[lang]["score"].format(marks.right, marks.right)


@given(st.integers(0, 50), st.sampled_from([0.1, 0.4, 0.8]))
def test_a_share_of_the_numbers_is_blank_the_same_for_the_same_seed(seed: int, blanks: float) -> None:
    one, other = sheet(blanks, seed), sheet(blanks, seed)
    assert len(one.blanks) == max(1, round(blanks * len(one.items)))
    assert one.html == other.html and one.key == other.key and one.notebook == other.notebook


def test_the_page_for_students_does_not_give_the_answers_away() -> None:
    worksheet = sheet(1.0)
    given = {f"{x:.4f}" for x in (0.7, 0.4, 1.3, 0.9, 1.0)}  # leaves, and the gradient of the loss
    for item in worksheet.blanks.values():
        digits = f"{abs(float(item.answer)):.4f}"
        assert digits in given or digits not in worksheet.html.replace(",", "."), item.text
        assert digits in given or digits not in worksheet.notebook
        assert digits in worksheet.key
    assert "<script" not in worksheet.html and "http" not in re.sub(r'xmlns="[^"]*"|http-equiv', "", worksheet.html)


def test_blanks_have_the_same_numbers_in_picture_and_steps() -> None:
    worksheet = sheet(0.5, 3)
    figure, _, steps = worksheet.html.partition("</figure>")
    for number in worksheet.blanks:
        assert f"({number})" in figure and f"({number}) ____" in steps


# ------------------------------------------------------------------------------------------ mistakes
def said(worksheet: Worksheet, kind: str, text: str, answer: Any) -> str:
    number = number_of(worksheet, kind, text)
    mark = worksheet.check({number: answer}).first_wrong
    assert mark is not None and mark.number == number
    return mark.why


def truth(worksheet: Worksheet, kind: str, text: str) -> float:
    return float(worksheet.blanks[number_of(worksheet, kind, text)].answer)


def test_the_likely_mistake_is_named() -> None:
    worksheet = sheet()
    d, e = truth(worksheet, "grad", "∂E/∂d"), truth(worksheet, "grad", "∂E/∂e")
    assert said(worksheet, "grad", "∂E/∂a", e) == "the path through d is missing"
    assert said(worksheet, "grad", "∂E/∂a", d * -0.4) == "= instead of +=: only the last of the paths is left"
    assert said(worksheet, "grad", "∂E/∂c", -truth(worksheet, "grad", "∂E/∂c")) == "the sign is wrong"
    assert said(worksheet, "grad", "∂E/∂b", 0.7) == "the gradient that arrives was not multiplied in"
    assert (
        said(worksheet, "grad", "∂E/∂c", truth(worksheet, "grad", "∂E/∂net"))
        == "the local derivative was not multiplied in"
    )
    assert said(worksheet, "local", "∂net/∂c", 1.3) == "the arguments are swapped"
    assert said(worksheet, "value", "net", 99.0) == "compute this step again"
    assert said(sheet(lang="pt"), "grad", "∂E/∂c", -truth(worksheet, "grad", "∂E/∂c")) == "o sinal está errado"


def test_the_first_wrong_step_is_named_and_what_follows_from_it_counts() -> None:
    worksheet = sheet()
    answers: dict[int, Any] = {n: float(item.answer) for n, item in worksheet.blanks.items()}
    first = number_of(worksheet, "value", "d")
    answers[first] = 0.28  # the sign
    answers[number_of(worksheet, "value", "e")] = 0.98  # right, given that
    marks = worksheet.check(answers)
    assert marks.first_wrong is not None and marks.first_wrong.number == first
    verdicts = {mark.number: mark.verdict for mark in marks.marks}
    assert verdicts[number_of(worksheet, "value", "e")] == "carried"
    assert f"The first wrong step is ({first}): the sign is wrong" in str(marks)


def test_answers_may_be_expressions_in_the_names_of_the_picture() -> None:
    worksheet = sheet()
    number = number_of(worksheet, "local", "∂o/∂net")
    assert worksheet.check({number: "o*(1 - o)"}).right == 1
    assert worksheet.check({number: "0,2"}).right == 0
    with pytest.raises(ValueError, match="not allowed"):
        worksheet.check({number: "__import__('os')"})
    with pytest.raises(ValueError, match="'q' has no number"):
        worksheet.check({number: "q"})
    with pytest.raises(ValueError, match=r"there is no blank \(99\)"):
        worksheet.check({99: 1.0})
    with pytest.raises(ValueError, match="neither a number"):
        worksheet.check({number: [[1], [1, 2]]})


def test_matrices_transposed_and_sums_forgotten() -> None:
    torch.manual_seed(0)
    layer, x = nn.Linear(2, 3).double(), torch.tensor([[1.0, 2.0], [3.0, -1.0]], dtype=torch.float64)
    z = layer(x)
    E = (z**2).sum()
    E.backward(retain_graph=True)
    worksheet = viz.worksheet(E, 1.0, names={"layer": layer, "x": x, "z": z})
    blank = {item.text.split(" = ")[0]: n for n, item in worksheet.blanks.items()}
    w, b = (worksheet.blanks[blank[f"∂E/∂{name}"]].answer for name in ("weight", "bias"))
    marks = worksheet.check({blank["∂E/∂weight"]: w.T.tolist()})
    assert marks.first_wrong is not None and marks.first_wrong.why == "the matrix is transposed"
    each = 2 * z.detach().numpy()
    np.testing.assert_allclose(each.sum(axis=0), b)
    marks = worksheet.check({blank["∂E/∂bias"]: each.tolist()})
    assert marks.first_wrong is not None and "were not summed" in marks.first_wrong.why
    marks = worksheet.check({blank["∂E/∂bias"]: [1.0]})
    assert marks.first_wrong is not None and marks.first_wrong.why == "the shape is [3], not [1]"
    assert worksheet.check({blank["∂E/∂weight"]: w.tolist(), blank["∂E/∂bias"]: b.tolist()}).right == 2


# ------------------------------------------------------------------------------------------ files
class Balanced(HTMLParser):
    """Every element that is opened is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag not in ("meta", "rect", "path", "circle"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("rect", "path", "circle"):
            assert self.open.pop() == tag


def test_files(tmp_path: Path) -> None:
    worksheet = sheet(0.4, 7, "pt")
    for key in (False, True):
        text = worksheet.save(tmp_path / "a.html", key=key).read_text(encoding="utf-8")
        parser = Balanced()
        parser.feed(text)
        assert parser.open == [] and 'lang="pt-BR"' in text and ("Gabarito" in text) == key
    book = json.loads(worksheet.save(tmp_path / "a.ipynb").read_text(encoding="utf-8"))
    code = next(cell for cell in book["cells"] if cell["cell_type"] == "code")
    names: dict[str, Any] = {}
    exec(code["source"], names)  # a dictionary that this test's own worksheet wrote
    assert set(names["answers"]) == set(worksheet.blanks)
    with pytest.raises(ValueError, match="must end in"):
        worksheet.save(tmp_path / "a.doc")
    with pytest.raises(ValueError, match="the key is written as"):
        worksheet.save(tmp_path / "a.ipynb", key=True)


def test_the_notebook_is_one() -> None:
    nbformat = pytest.importorskip("nbformat")
    nbformat.validate(nbformat.reads(sheet().notebook, as_version=4))


def test_a_pdf_is_made_where_a_converter_is(tmp_path: Path) -> None:
    pytest.importorskip("cairosvg")
    assert sheet().save(tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")


def test_hostile_names_stay_text() -> None:
    a = scalar(2.0)
    E = a * a
    E.backward(retain_graph=True)
    page = viz.worksheet(E, 1.0, names={"<script>alert(1)</script>": a}).html
    assert "<script" not in page


@pytest.mark.parametrize("blanks", [0, -1, 1.5, True, "x"])
def test_a_share_is_between_0_and_1(blanks: Any) -> None:
    with pytest.raises(ValueError, match="expected a share"):
        sheet(blanks)


def test_without_numbers_there_is_no_worksheet() -> None:
    x = torch.randn(100, requires_grad=True)
    with pytest.raises(ValueError, match="no number that a worksheet could ask for"):
        viz.worksheet(x.exp())


def test_both_languages_have_all_words() -> None:
    assert WORDS["en"].keys() == WORDS["pt"].keys()
    for key, text in WORDS["en"].items():
        assert text.count("{}") == WORDS["pt"][key].count("{}"), key
