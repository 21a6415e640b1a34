"""The README: its commands, code and picture are what a reader meets first, so all of them are tried."""

import re
import runpy
import tomllib

from tests.blocks import ROOT, blocks, links, run
from tinygrad_pt import viz

PAGE = "README.md"


def test_every_python_block_works(tmp_path):
    names = run(PAGE, tmp_path)
    seen = viz.snapshot(names["loss"], names)
    assert all(v.value is not None and (v.grad is not None or not v.requires_grad) for v in seen.vertices)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["neuron.svg", "xor.svg"]


def test_the_picture_is_what_its_code_draws(tmp_path):
    runpy.run_path(str(ROOT / "docs/images/make.py"))["make"](tmp_path)
    for picture in ("neuron.svg", "slide.svg"):
        kept = (ROOT / "docs/images" / picture).read_bytes()
        assert (tmp_path / picture).read_bytes() == kept, "run python docs/images/make.py"


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


def test_the_first_screen_shows_a_picture_ten_lines_of_code_and_both_commands():
    screen = "\n".join((ROOT / PAGE).read_text(encoding="utf-8").splitlines()[:40])
    assert "![" in screen
    assert screen.count("```sh") == 2
    code = [line for line in blocks(PAGE, "python")[0].splitlines() if line and "import" not in line]
    assert len(code) <= 10


def test_every_link_leads_somewhere():
    for target in links(PAGE):
        assert target.exists(), target
