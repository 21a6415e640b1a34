"""The README, in both languages: what a reader meets first, so all its commands, code and pictures are tried."""

import re
import runpy
import tomllib

import pytest

from tests.blocks import ROOT, blocks, links, run
from tinygrad_pt import viz
from tinygrad_pt.language import settings

PAGE, PORTUGUESE = "README.md", "docs/LEIAME.md"
BOTH = pytest.mark.parametrize("page", [PAGE, PORTUGUESE])


@pytest.mark.parametrize(("page", "picture"), [(PAGE, "neuron.svg"), (PORTUGUESE, "neuronio.svg")])
def test_every_python_block_works(page, picture, tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "_lang", "en")  # the Portuguese page sets its own
    names = run(page, tmp_path)
    seen = viz.snapshot(names["loss"], names)
    assert all(v.value is not None and (v.grad is not None or not v.requires_grad) for v in seen.vertices)
    assert sorted(file.name for file in tmp_path.iterdir()) == [picture, "xor.svg"]


def test_the_picture_is_what_its_code_draws(tmp_path):
    runpy.run_path(str(ROOT / "docs/images/make.py"))["make"](tmp_path)
    for picture in ("neuron.svg", "slide.svg"):
        kept = (ROOT / "docs/images" / picture).read_bytes()
        assert (tmp_path / picture).read_bytes() == kept, "run python docs/images/make.py"


def test_the_commands_are_the_same_in_portuguese():
    def bare(page):
        return [[line.partition("#")[0].rstrip() for line in block.splitlines()] for block in blocks(page, "sh")]

    assert bare(PORTUGUESE) == bare(PAGE)


def test_the_portuguese_page_has_the_sections_and_the_code_of_the_english_one():
    def shape(page):
        text = (ROOT / page).read_text(encoding="utf-8")
        return len(re.findall("^## ", text, re.MULTILINE)), len(re.findall(r"^\* ", text, re.MULTILINE))

    assert shape(PORTUGUESE) == shape(PAGE)
    code = [block.count("\n") for block in blocks(PORTUGUESE, "python") if "settings.lang" not in block]
    assert code == [block.count("\n") for block in blocks(PAGE, "python")]


def test_the_first_two_commands_set_up_everything_themselves():
    demo, tests = blocks(PAGE, "sh")[:2]
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for command, last in ((demo, "-m tinygrad_pt demo"), (tests, "-m pytest -q -n auto")):
        steps = command.strip().split(" && ")
        assert command.count("\n") == 1
        assert steps[0] == "python3 -m venv .venv"
        assert steps[1].startswith(".venv/bin/pip install")
        assert steps[2] == f".venv/bin/python {last}"
        assert re.search(r'"\.\[(\w+)\]"', steps[1])[1] in extras


@BOTH
def test_the_first_screen_shows_a_picture_ten_lines_of_code_and_both_commands(page):
    screen = "\n".join((ROOT / page).read_text(encoding="utf-8").splitlines()[:40])
    assert "![" in screen
    assert screen.count("```sh") == 2
    code = [line for line in blocks(page, "python")[0].splitlines() if line and "import" not in line]
    assert len(code) <= 10


def test_the_english_page_leads_to_the_portuguese_one_at_once():
    assert f"]({PORTUGUESE})" in (ROOT / PAGE).read_text(encoding="utf-8").partition("![")[0]


@BOTH
def test_every_link_leads_somewhere(page):
    for target in links(page):
        assert target.exists(), target
