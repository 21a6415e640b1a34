"""Finding engines, asking them without risk, and doing without."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from tests.viz.samples import network
from tinygrad_pt.viz import engine as module
from tinygrad_pt.viz.dot import digraph
from tinygrad_pt.viz.engine import EngineError, engines, render


@pytest.fixture
def program(tmp_path: Path):  # type: ignore[no-untyped-def]
    """Make a fake engine of Python lines; `-V` and the probe succeed unless the lines say otherwise."""

    def make(body: str) -> str:
        path = tmp_path / "engine"
        path.write_text(
            f"#!{sys.executable}\nimport sys, time\n"
            "if '-V' in sys.argv: sys.exit()\nsource = sys.stdin.read()\n"
            f"probe = 'a -> b' in source\nif probe:\n    print('<svg/>')\n    sys.exit()\n{body}\n"
        )
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return str(path)

    if os.name == "nt":
        pytest.fail("these tests write programs that start with #!")
    return make


def test_an_engine_named_by_path(program) -> None:  # type: ignore[no-untyped-def]
    assert render("digraph {}", "svg", program("print('<svg>ok</svg>')")) == b"<svg>ok</svg>\n"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("sys.exit('boom')", "boom"),
        ("print('<svg/>'); print('Warning: lost n1 n2 edge', file=sys.stderr)", "lost n1 n2 edge"),
        ("print('<svg/>'); print('Error: syntax', file=sys.stderr)", "syntax"),
        ("print('hello')", "no SVG"),
        ("import os; os.kill(os.getpid(), 11)", "code -11"),
    ],
)
def test_a_bad_answer_is_a_failure_that_names_the_mend(program, body: str, reason: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(EngineError, match=reason) as caught:
        render("digraph {}", "svg", program(body))
    assert 'pip install "tinygrad_pt[dot]"' in str(caught.value)


def test_a_hanging_engine_is_ended(program, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    path = program("time.sleep(600)")
    assert module._probe("dot", (path,))
    monkeypatch.setattr(module, "TIMEOUT", 0.3)
    with pytest.raises(EngineError, match="no answer in 0.3 s"):
        render("digraph {}", "svg", path)


def test_an_endless_answer_is_cut(program, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(module, "OUTPUT_CAP", 1 << 20)
    with pytest.raises(EngineError, match="more than 1 MB"):
        render("digraph {}", "svg", program("while True: print('<svg>' * 1000)"))


def test_what_is_no_engine(tmp_path: Path) -> None:
    for path in (str(tmp_path / "absent"), str(tmp_path)):
        with pytest.raises(EngineError, match="no Graphviz was found"):
            render("digraph {}", "svg", path)
    with pytest.raises(ValueError, match="format"):
        render("digraph {}", "exe")
    with pytest.raises(EngineError):
        render("digraph {}", "svg", "builtin")


def test_every_engine_found_makes_what_it_says() -> None:
    source = digraph(network()).source
    for engine in engines():
        for format, start in (("svg", b"<"), ("png", b"\x89PNG"), ("pdf", b"%PDF")):
            picture = render(source, format, engine.name)
            assert picture.startswith(start)
            assert picture == render(source, format, engine.name), (engine.name, format)


def test_the_engine_named_by_the_environment_comes_first(program, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    path = program("print('<svg>mine</svg>')")
    monkeypatch.setenv("TINYGRAD_PT_DOT", path)
    assert engines()[0].command == (path,)
    assert render("digraph {}", "svg") == b"<svg>mine</svg>\n"
