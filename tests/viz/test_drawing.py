"""The object a user holds: its texts, its files, its pictures in a notebook."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import tinygrad_pt as torch
from tests.viz.samples import hostile, network, square, vertex
from tinygrad_pt.viz import draw
from tinygrad_pt.viz import engine as engines
from tinygrad_pt.viz.drawing import Drawing
from tinygrad_pt.viz.model import Edge, Snapshot, Vertex

ROOT = Path(__file__).resolve().parents[2]


def test_texts_and_files_agree(tmp_path: Path) -> None:
    drawing = Drawing(network())
    assert drawing.save(tmp_path / "new" / "folder" / "a.svg").read_text("utf-8") == drawing.svg
    assert drawing.save(tmp_path / "a.dot").read_text("utf-8") == drawing.dot == drawing.graphviz.source
    assert drawing.save(str(tmp_path / "A.GV")).read_text("utf-8") == drawing.dot
    assert sorted(path.name for path in tmp_path.iterdir()) == ["A.GV", "a.dot", "new"]


def test_pictures_where_an_engine_is(tmp_path: Path) -> None:
    made = engines.formats()
    for suffix, start in ((".png", b"\x89PNG"), (".pdf", b"%PDF")):
        if made[suffix]:
            assert Drawing(square()).save(tmp_path / f"a{suffix}").read_bytes().startswith(start)
        else:
            with pytest.raises(engines.EngineError, match="pip install"):
                Drawing(square()).save(tmp_path / f"a{suffix}")


def test_an_engine_may_paint_the_svg_and_its_links_are_taken_off() -> None:
    for engine in engines.engines():
        svg = Drawing(hostile(), engine=engine.name).svg
        assert "<!DOCTYPE" not in svg and "<a " not in svg and "</a>" not in svg and "xlink:href" not in svg
        assert Drawing(square(), engine=engine.name).svg.count('class="edge flow"') == 2


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.svg"
    path.write_text("old")

    def refuse(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError, match="disk full"):
        Drawing(square()).save(path)
    assert path.read_text() == "old" and [p.name for p in tmp_path.iterdir()] == ["a.svg"]


@pytest.mark.parametrize("name", ["a.html", "a", "a.svg.exe", ".svg"])
def test_an_unknown_suffix_writes_nothing(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="must end in"):
        Drawing(square()).save(tmp_path / "folder" / name)
    assert not list(tmp_path.iterdir())


def test_notebooks_get_a_picture_whatever_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*_: object, **__: object) -> bytes:
        raise engines.EngineError("none")

    monkeypatch.setattr(engines, "render", nothing)
    for engine in ("auto", "builtin", "dot", "/absent"):
        bundle = Drawing(square(), engine=engine)._repr_mimebundle_()
        assert bundle["image/svg+xml"] == Drawing(square()).svg
        assert bundle["text/plain"] == "<Drawing of 2 values and 2 edges>"


@pytest.mark.parametrize("options", [{"rankdir": "RL"}, {"lang": "fr"}, {"edge_labels": "all"}])
def test_unknown_options(options: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(options))}=.*expected one of"):
        Drawing(square(), **options)


def test_the_graphviz_object_is_the_readers_own() -> None:
    drawing = Drawing(square())
    before = drawing.dot
    drawing.graphviz.node("more")
    assert drawing.dot == before


HASH = """
import hashlib
from tests.viz.samples import ALL
from tinygrad_pt.viz.drawing import Drawing
for name in sorted(ALL):
    drawing = Drawing(ALL[name]())
    print(name, *(hashlib.sha256(text.encode()).hexdigest() for text in (drawing.dot, drawing.svg)))
"""


@pytest.mark.long
def test_the_same_bytes_under_any_hash_seed() -> None:
    said = set()
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        done = subprocess.run([sys.executable, "-c", HASH], env=environment, capture_output=True, text=True, check=True)
        said.add(done.stdout)
    assert len(said) == 1


def test_importing_the_painter_does_not_import_graphviz() -> None:
    code = "import sys, tinygrad_pt.viz.drawing; sys.exit('graphviz' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0


def test_a_snapshot_refuses_what_is_no_graph() -> None:
    a, b = square().vertices
    for edges in (
        (Edge("n1", "n0", 0),), (Edge("n0", "n9", 0),), (Edge("n0", "n1", -1),),
        (Edge("n0", "n1", 0), Edge("n0", "n1", 0)),
    ):  # fmt: skip
        with pytest.raises(ValueError, match="edge n"):
            Snapshot((a, b), edges)
    with pytest.raises(ValueError, match="share one id"):
        Snapshot((a, a))
    with pytest.raises(ValueError, match="kind"):
        vertex(0, kind="leaf")
    with pytest.raises(ValueError, match="vertex id"):
        Vertex('n0"]', "a", "", "param", (), "", 0.0, None, True)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        (option, value)
        for option in ("rankdir", "lang", "edge_labels", "engine")
        for value in ("banana", "", None, 3, [])
        if (option, value) != ("lang", None)  # that is the language which is set
    ],
)
def test_options_that_drawings_do_not_know_are_refused(option: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"{option}=.*: expected one of"):
        draw(torch.ones(2, requires_grad=True).sum(), **{option: value})


def test_an_engine_may_be_the_path_of_a_program() -> None:
    assert draw(torch.ones(2, requires_grad=True).sum(), engine="/opt/graphviz/bin/dot").engine.endswith("dot")


def test_names_and_limits_of_another_type_are_refused() -> None:
    y = torch.ones(2, requires_grad=True).sum()
    with pytest.raises(TypeError, match="names must be a mapping"):
        draw(y, [y])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="max_nodes must be an int"):
        draw(y, max_nodes="x")  # type: ignore[arg-type]
