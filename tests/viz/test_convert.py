"""PNG and PDF are our own painting, by whatever converter is here; where none is, one line says what mends it."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import tinygrad_pt as torch
from tests.viz.geometry import read
from tests.viz.samples import network, square, vertex
from tinygrad_pt import nn
from tinygrad_pt.demo import xor_drawings
from tinygrad_pt.models import MLP
from tinygrad_pt.viz import convert as module
from tinygrad_pt.viz.convert import CONVERTERS, Converter, Picture, convert, works
from tinygrad_pt.viz.drawing import Drawing
from tinygrad_pt.viz.engine import EngineError, dateless
from tinygrad_pt.viz.machine import WORDS, doctor, formats
from tinygrad_pt.viz.model import KINDS, Edge, Snapshot
from tinygrad_pt.viz.options import Look
from tinygrad_pt.viz.style import palettes
from tinygrad_pt.viz.svg import paint

ROOT = Path(__file__).resolve().parents[2]
HERE = [one for one in CONVERTERS if works(one)]


def pixels(png: bytes) -> NDArray[np.int64]:
    Image = pytest.importorskip("PIL.Image")
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA")).astype(np.int64)


def kinds() -> Snapshot:
    """A box of every kind."""
    made = ("op", "module", "loss")
    vertices = [
        vertex(i, kind, kind=kind, op="f" * (kind in made), value=0.5, grad=0.25) for i, kind in enumerate(KINDS)
    ]
    edges = [Edge("n0", v.id, 0, "∂b/∂a = a", 0.5) for v in vertices if v.kind in made]
    return Snapshot(tuple(vertices), tuple(edges), {}, "kinds")


def office(svg: str, folder: Path) -> bytes:
    return told(folder, svg, "soffice", f"-env:UserInstallation=file://{folder}/profile", "--headless", "--convert-to",
                "png", "--outdir", str(folder), str(folder / "a.svg"))  # fmt: skip


def inkscape(svg: str, folder: Path) -> bytes:
    return told(folder, svg, "inkscape", str(folder / "a.svg"), "-o", str(folder / "a.png"))


def told(folder: Path, svg: str, *argv: str) -> bytes:
    (folder / "a.svg").write_text(svg, "utf-8")
    environment = {**os.environ, "HOME": str(folder)}
    subprocess.run(argv, capture_output=True, check=True, timeout=240, env=environment)
    return (folder / "a.png").read_bytes()


def raster(pdf: bytes, folder: Path) -> bytes:
    (folder / "a.pdf").write_bytes(pdf)
    subprocess.run(["pdftoppm", "-r", "96", "-png", "-singlefile", "a.pdf", "a"], cwd=folder, check=True, timeout=60)
    return (folder / "a.png").read_bytes()


def painters() -> dict[str, Callable[[str, Path], bytes]]:
    """Every painter that is installed, those of slides among them, as functions from SVG to PNG."""
    found: dict[str, Callable[[str, Path], bytes]] = {}
    for one in HERE:
        if one.format == "png":
            found[one.name] = lambda svg, _, one=one: one.convert(Picture(svg))
        elif shutil.which("pdftoppm"):
            found[f"{one.name} pdf"] = lambda svg, folder, one=one: raster(one.convert(Picture(svg)), folder)
    for name, painter in (("inkscape", inkscape), ("soffice", office)):
        if shutil.which(name):
            found[name] = painter
    return found


PAINTERS = painters()


@pytest.mark.long
@pytest.mark.parametrize("theme", ["auto", "dark"])
@pytest.mark.parametrize("name", PAINTERS)
def test_every_painter_shows_every_kind_in_its_colour(name: str, theme: str, tmp_path: Path) -> None:
    svg = paint(kinds(), Look(theme=theme))
    seen, drawn = pixels(PAINTERS[name](svg, tmp_path)), read(svg)
    palette = palettes()[theme == "dark"]
    scale = seen.shape[1] / drawn.page.w

    def count(colour: str) -> int:
        rgb = np.frombuffer(bytes.fromhex(colour[1:]), np.uint8).astype(np.int64)
        return int((np.abs(seen[..., :3] - rgb).max(-1) <= 2).sum())

    for kind, node in zip(KINDS, drawn.nodes, strict=True):
        part = count(palette[f"box-{kind}"]) / (node.box.w * node.box.h * scale**2)
        assert 0.6 < part < 1.15, (kind, part)  # the rest is text; the loss has a second border, the legend a swatch
    boxes = sum(thing.box.w * thing.box.h for thing in (*drawn.nodes, *drawn.chips))
    assert count(palette["page"]) > 0.9 * (drawn.page.w * drawn.page.h - boxes) * scale**2
    for ink in ("forward", "backward"):
        assert count(palette[ink]) > 30 * scale**2
    if theme == "auto":
        assert (seen[..., :3].max(-1) < 30).mean() < 0.01  # no black boxes


def shares(seen: NDArray[np.int64]) -> dict[str, float]:
    """The part of a picture that has the colour of each kind of box."""
    light, _ = palettes()
    found = {}
    for kind in KINDS:
        rgb = np.frombuffer(bytes.fromhex(light[f"box-{kind}"][1:]), np.uint8).astype(np.int64)
        found[kind] = float((np.abs(seen[..., :3] - rgb).max(-1) <= 2).mean())
    return found


def shown() -> dict[str, str]:
    """The pictures of the docs and of the demo."""
    torch.manual_seed(0)
    drawings, _ = xor_drawings(MLP([2, 3, 1], output=nn.Sigmoid))
    pages = {path.stem: path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs/images").glob("*.svg"))}
    return pages | {name: drawing.svg for name, drawing in drawings.items()}


@pytest.mark.long
@pytest.mark.parametrize("name", PAINTERS)
def test_every_painter_shows_the_pictures_of_docs_and_demo_alike(name: str, tmp_path: Path) -> None:
    for title, svg in shown().items():
        (folder := tmp_path / title).mkdir()
        wanted = shares(pixels(PAINTERS["resvg-py"](svg, folder)))
        assert sum(share > 0.003 for share in wanted.values()) >= 3, (title, wanted)
        for kind, share in shares(pixels(PAINTERS[name](svg, folder))).items():
            assert share == pytest.approx(wanted[kind], rel=0.15, abs=0.002), (title, kind)


def test_in_ci_no_painter_is_missing() -> None:
    if os.environ.get("CI"):
        wanted = {"resvg-py", "cairosvg", "cairosvg pdf", "rsvg-convert", "rsvg-convert pdf", "browser", "browser pdf"}
        assert wanted | {"inkscape", "soffice"} <= set(PAINTERS)


@pytest.mark.parametrize(
    "converter", [one for one in HERE if not one.program], ids=lambda one: f"{one.name}-{one.format}"
)
def test_a_converter_gives_the_same_bytes_again(converter: Converter) -> None:
    picture = Picture(paint(network()))
    if (converter.name, converter.format) != ("vl-convert", "pdf"):  # which numbers its objects at random
        assert converter.convert(picture) == converter.convert(picture)


PNG = [one for one in HERE if one.format == "png"]


@pytest.mark.parametrize("converter", PNG, ids=lambda one: one.name)
def test_dpi_and_transparency(converter: Converter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONVERTERS", (converter,))
    wide, high = Picture(paint(square())).size
    for dpi in (96, 144):
        shape = pixels(Drawing(square(), Look(dpi=dpi)).png).shape
        assert np.allclose(shape[:2], (high * dpi / 96, wide * dpi / 96), atol=1)
    assert pixels(Drawing(square()).png)[2, 2].tolist() == [255, 255, 255, 255]
    assert pixels(Drawing(square(), Look(theme="dark")).png)[2, 2].tolist() == [0x16, 0x18, 0x1C, 255]
    assert pixels(Drawing(square(), Look(transparent=True)).png)[2, 2, 3] == 0


def test_files_are_those_of_the_drawing(tmp_path: Path) -> None:
    made = formats()
    for suffix, start in ((".png", b"\x89PNG"), (".pdf", b"%PDF")):
        drawing = Drawing(square())
        if made[suffix]:
            assert drawing.save(tmp_path / f"a{suffix}").read_bytes().startswith(start)
        else:
            with pytest.raises(EngineError, match="pip install"):
                drawing.save(tmp_path / f"a{suffix}")


def test_a_png_too_large_for_any_memory_is_refused() -> None:
    with pytest.raises(EngineError, match="million pixels. The mend: pass a smaller dpi="):
        convert(paint(square()), "png", dpi=1e5)


def fake(convert: Callable[[Picture], bytes]) -> tuple[Converter, ...]:
    return (Converter("fake", "png", convert),)


def fails(picture: Picture) -> bytes:
    raise OSError("no library called\n cairo-2")


def nothing(picture: Picture) -> bytes:
    raise ImportError("fake")


def blind(picture: Picture) -> bytes:
    return b"\x89PNG\r\n\x1a\n"


def late(picture: Picture) -> bytes:
    if "<rect" in picture.svg:
        raise ValueError("out of order")
    return b"\x89PNG\r\n\x1a\n" + picture.svg.encode()


@pytest.mark.parametrize(
    ("converter", "reason"),
    [
        (nothing, r'no converter is installed. The mend: pip install "tinygrad_pt\[images\]"'),
        (fails, r'no converter is installed. The mend: pip install "tinygrad_pt\[images\]"'),
        (blind, "fake: no fonts were found.*apt-get install fonts-dejavu-core"),
        (late, "fake: out of order"),
    ],
)
def test_what_is_missing_is_said_in_one_line(
    converter: Callable[[Picture], bytes], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CONVERTERS", fake(converter))
    with pytest.raises(EngineError, match=reason) as caught:
        convert(paint(square()), "png")
    assert "\n" not in str(caught.value)
    if converter is not late:
        for lang, words in WORDS.items():
            said = words["fonts"].format("fake") if converter is blind else words["none"]
            assert f".png         {said}" in doctor(lang) and "pip install" in doctor(lang)


def test_the_doctor_names_every_kind_of_file() -> None:
    assert WORDS["en"].keys() == WORDS["pt"].keys()
    report = doctor("en")
    for suffix, by in formats().items():
        said = {"builtin": "our own painter", "": "no converter"}.get(by, by)
        assert any(line.split() == [suffix, *said.split()] for line in report.splitlines())
    assert ("To mend" in report) == ("no converter" in report)


BARE = """
import sys
for name in ("pygraphviz", "resvg_py", "cairosvg", "vl_convert"):
    sys.modules[name] = None
from pathlib import Path
from tests.viz.samples import network
from tinygrad_pt.viz.drawing import Drawing
from tinygrad_pt.viz.options import Look
from tinygrad_pt.viz.engine import EngineError, engines
from tinygrad_pt.viz.machine import doctor
drawing, folder = Drawing(network()), Path(sys.argv[1])
assert engines() == ()
assert "no converter" in doctor() and 'pip install "tinygrad_pt[images]"' in doctor()
assert 'pip install "tinygrad_pt[dot]"' in doctor()
for name in ("a.dot", "a.gv", "a.svg"):
    drawing.save(folder / name)
for engine in ("auto", "dot", "pygraphviz"):
    other = Drawing(network(), Look(engine=engine))
    assert other._repr_svg_().startswith("<svg") and "image/png" not in other._repr_mimebundle_()
for name in ("a.png", "a.pdf"):
    try:
        drawing.save(folder / name)
    except EngineError as error:
        assert 'pip install "tinygrad_pt[images]"' in str(error)
    else:
        raise SystemExit("no error")
print(sorted(path.name for path in folder.iterdir()))
"""


def test_without_any_converter_and_with_an_empty_path(tmp_path: Path) -> None:
    environment = {"PATH": "", "PYTHONPATH": str(ROOT), "SYSTEMROOT": os.environ.get("SYSTEMROOT", "")}
    result = subprocess.run(
        [sys.executable, "-c", BARE, str(tmp_path)], env=environment, capture_output=True, text=True, check=False
    )
    assert result.stdout == "['a.dot', 'a.gv', 'a.svg']\n", result.stderr


def test_a_pdf_tells_no_time() -> None:
    assert dateless(b"/CreationDate (D:20261129055903Z)") == b"/CreationDate (D:20000101000000Z)"
    for one in HERE:
        if one.format == "pdf":
            assert not re.search(rb"/CreationDate \(D:(?!2000)", one.convert(Picture(paint(square()))))


def test_sizes_are_read_from_the_drawing() -> None:
    seen: Any = Picture(paint(square(), Look(fontsize=26)))
    assert seen.size == tuple(2 * x for x in Picture(paint(square())).size)
