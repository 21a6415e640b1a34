"""The object a user holds: its texts, its files, its pictures in a notebook."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import tinygrad_pt as torch
from tests.viz.samples import hostile, network, square, vertex
from tinygrad_pt.viz import convert, draw
from tinygrad_pt.viz import engine as engines
from tinygrad_pt.viz.drawing import Drawing
from tinygrad_pt.viz.model import Edge, Snapshot, Vertex
from tinygrad_pt.viz.options import Look

ROOT = Path(__file__).resolve().parents[2]


def test_texts_and_files_agree(tmp_path: Path) -> None:
    drawing = Drawing(network())
    assert drawing.save(tmp_path / "new" / "folder" / "a.svg").read_text("utf-8") == drawing.svg
    assert drawing.save(tmp_path / "a.dot").read_text("utf-8") == drawing.dot == drawing.graphviz.source
    assert drawing.save(str(tmp_path / "A.GV")).read_text("utf-8") == drawing.dot
    assert sorted(path.name for path in tmp_path.iterdir()) == ["A.GV", "a.dot", "new"]


@pytest.mark.parametrize("engine", [engine.name for engine in engines.engines()])
def test_graphviz_paints_where_it_is_asked_for_by_name(engine: str, tmp_path: Path) -> None:
    svg = Drawing(hostile(), Look(engine=engine)).svg
    assert "<!DOCTYPE" not in svg and "<a " not in svg and "</a>" not in svg and "xlink:href" not in svg
    drawing = Drawing(square(), Look(engine=engine))
    assert drawing.svg.count('class="edge flow"') == 2 and "by graphviz" in drawing.save(tmp_path / "a.svg").read_text()
    assert drawing.png == drawing.save(tmp_path / "a.png").read_bytes() != Drawing(square()).png


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
        bundle = Drawing(square(), Look(engine=engine))._repr_mimebundle_()
        whole = bundle["image/svg+xml"].replace(' style="max-width:100%;height:auto"', "", 1)
        assert whole == Drawing(square()).svg != bundle["image/svg+xml"] == bundle["text/html"]
        assert bundle["text/plain"] == "<Drawing of 2 values and 2 edges>"


def test_notebooks_get_png_and_pdf_beside_it_where_a_package_makes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    drawing = Drawing(square())
    made = {one.format for one in convert.CONVERTERS if not one.program and convert.works(one) and convert.writes(one)}
    bundle = drawing._repr_mimebundle_()
    assert ("image/png" in bundle, "application/pdf" in bundle) == ("png" in made, "pdf" in made)
    for kind, start in (("image/png", b"\x89PNG"), ("application/pdf", b"%PDF")):
        assert base64.b64decode(bundle.get(kind, "")).startswith(start if kind in bundle else b"")
    assert set(drawing._repr_mimebundle_(include={"image/svg+xml"})) == {"image/svg+xml"}
    assert set(drawing._repr_mimebundle_(exclude={"image/png"})) == set(bundle) - {"image/png"}
    monkeypatch.setattr(convert, "CONVERTERS", ())
    assert set(drawing._repr_mimebundle_()) == {"text/plain", "image/svg+xml", "text/html"}


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
        for option in ("rankdir", "lang", "edge_labels", "engine", "theme")
        for value in ("banana", "neato", "", None, 3, [])
        if (option, value) != ("lang", None)  # that is the language which is set
    ],
)
def test_options_that_drawings_do_not_know_are_refused(option: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"{option}=.*: expected one of"):
        draw(torch.ones(2, requires_grad=True).sum(), **{option: value})


def test_an_engine_may_be_the_path_of_a_program() -> None:
    assert draw(torch.ones(2, requires_grad=True).sum(), engine="/opt/graphviz/bin/dot").look.engine.endswith("dot")


def test_names_and_limits_of_another_type_are_refused() -> None:
    y = torch.ones(2, requires_grad=True).sum()
    with pytest.raises(TypeError, match="names must be a mapping"):
        draw(y, [y])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="max_nodes must be an int"):
        draw(y, max_nodes="x")  # type: ignore[arg-type]


def test_a_loss_draws_itself_with_the_names_around_the_call() -> None:
    weight = torch.tensor(2.0, requires_grad=True)
    square = weight * weight
    assert [vertex.name for vertex in square.draw().snapshot.vertices] == ["weight", "square"]
    assert square.draw({"w": weight}, title="t").snapshot.title == "t"
