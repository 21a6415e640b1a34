"""`convert` makes PNG and PDF of our SVG by the best converter that is installed, and says what mends an absence."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tinygrad_pt.language import said
from tinygrad_pt.viz.engine import EngineError, dateless, run

FORMATS = ("png", "pdf")
INCH = 96.0  # pixels
MOST_PIXELS = 2e8
REMEDY = {
    "png": 'pip install "tinygrad_pt[images]"',
    "pdf": 'pip install "tinygrad_pt[images]" and cairo (apt-get install libcairo2, brew install cairo), or without'
    " cairo: pip install vl-convert-python",
}
FONTS = (
    "no fonts were found, so the text would be missing: apt-get install fonts-dejavu-core (Debian, Ubuntu),"
    " apk add ttf-dejavu (Alpine), dnf install dejavu-sans-fonts (Fedora)"
)
_PROBE = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20" viewBox="0 0 40 20">{}</svg>'
_WORD = '<text x="2" y="16" font-family="DejaVu Sans,Arial,sans-serif" font-size="14" fill="#000000">wM</text>'


@dataclass(frozen=True)
class Picture:
    """An SVG to be converted, with its size in pixels and the resolution wanted, per inch of 96 pixels."""

    svg: str
    dpi: float = INCH

    @property
    def size(self) -> tuple[float, float]:
        found = re.search(r'<svg [^>]*?\bwidth="([\d.]+)" height="([\d.]+)"', self.svg)
        assert found is not None
        return float(found[1]), float(found[2])

    @property
    def scale(self) -> float:
        return self.dpi / INCH


def _resvg_png(picture: Picture) -> bytes:
    import resvg_py

    wide, high = picture.size
    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=picture.svg, font_dirs=_more_fonts(), sans_serif_family="DejaVu Sans",
            width=max(1, round(wide * picture.scale)), height=max(1, round(high * picture.scale)),
            monospace_family="DejaVu Sans Mono",  # its generic families would be Windows's fonts
        )
    )  # fmt: skip


def _more_fonts() -> list[str]:
    """The fonts that Matplotlib brings along, for a machine that has none."""
    found = importlib.util.find_spec("matplotlib")
    places = found.submodule_search_locations if found and found.submodule_search_locations else ()
    folders = [os.path.join(place, "mpl-data", "fonts", "ttf") for place in places]
    return [folder for folder in folders if os.path.isdir(folder)]


def _cairo_png(picture: Picture) -> bytes:
    import cairosvg

    return bytes(cairosvg.svg2png(bytestring=picture.svg.encode(), scale=picture.scale))


def _cairo_pdf(picture: Picture) -> bytes:
    import cairosvg

    return dateless(cairosvg.svg2pdf(bytestring=picture.svg.encode()))


def _vl_png(picture: Picture) -> bytes:
    import vl_convert

    return bytes(vl_convert.svg_to_png(picture.svg, scale=picture.scale))


def _vl_pdf(picture: Picture) -> bytes:
    import vl_convert

    return dateless(vl_convert.svg_to_pdf(picture.svg, scale=72 / INCH))


def _rsvg_png(picture: Picture) -> bytes:
    return run(("rsvg-convert", "--format=png", f"--zoom={picture.scale}"), picture.svg.encode())[0]


def _rsvg_pdf(picture: Picture) -> bytes:
    return dateless(run(("rsvg-convert", "--format=pdf"), picture.svg.encode())[0])


BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")


def _browser(picture: Picture, format: str, *options: str) -> bytes:
    """What a browser without a window makes of the picture, on a page of the picture's size."""
    wide, high = picture.size
    program = next(filter(None, map(shutil.which, BROWSERS)), "chromium")
    page = f"<!doctype html><meta charset=utf-8><style>@page{{size:{wide}px {high}px;margin:0}}html,body{{margin:0}}"
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "page.html")
        place.write_text(f"{page}svg{{display:block}}</style>{picture.svg}", "utf-8")
        made = Path(folder, f"made.{format}")  # browsers go by the suffix
        alone = ("--no-sandbox",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()
        run(
            (
                program, "--headless", "--disable-gpu", "--hide-scrollbars", *alone, f"--user-data-dir={folder}",
                *(option.format(made) for option in options), place.as_uri(),
            ), b"",
        )  # fmt: skip
        return made.read_bytes() if made.exists() else b""


def _browser_png(picture: Picture) -> bytes:
    wide, high = picture.size
    return _browser(
        picture, "png", "--screenshot={}", f"--window-size={round(wide)},{round(high)}",
        "--default-background-color=00000000", f"--force-device-scale-factor={picture.scale}",
    )  # fmt: skip


def _browser_pdf(picture: Picture) -> bytes:
    return dateless(_browser(picture, "pdf", "--print-to-pdf={}", "--no-pdf-header-footer"))


@dataclass(frozen=True)
class Converter:
    """A way from our SVG to a format: by a package that is imported, or, more slowly, by a `program` that is run."""

    name: str
    format: str
    convert: Callable[[Picture], bytes]
    program: bool = False


# The smallest that paint right come first.
CONVERTERS = (
    Converter("resvg-py", "png", _resvg_png), Converter("cairosvg", "png", _cairo_png),
    Converter("vl-convert", "png", _vl_png), Converter("rsvg-convert", "png", _rsvg_png, True),
    Converter("browser", "png", _browser_png, True),
    Converter("cairosvg", "pdf", _cairo_pdf), Converter("vl-convert", "pdf", _vl_pdf),
    Converter("rsvg-convert", "pdf", _rsvg_pdf, True), Converter("browser", "pdf", _browser_pdf, True),
)  # fmt: skip
_STARTS = {"png": b"\x89PNG\r\n\x1a\n", "pdf": b"%PDF"}


def _try(converter: Converter, picture: Picture) -> bytes:
    """The file; EngineError where the converter is not there, fails or makes something else."""
    try:
        made = converter.convert(picture)
    except ImportError:
        raise EngineError("not installed") from None
    except Exception as error:  # a converter's own errors are of every kind; libcairo's absence is an OSError
        raise EngineError(" ".join(str(error).split())[:200] or type(error).__name__) from None
    if not made.startswith(_STARTS[converter.format]):
        raise EngineError(f"what it made is no {converter.format.upper()}")
    return made


@cache
def works(converter: Converter) -> bool:
    """Whether a converter converts here at all."""
    try:
        _try(converter, Picture(_PROBE.format("")))
    except EngineError:
        return False
    return True


@cache
def writes(converter: Converter) -> bool:
    """Whether a converter finds fonts: with words a picture differs from one without."""
    return _try(converter, Picture(_PROBE.format(""))) != _try(converter, Picture(_PROBE.format(_WORD)))


def converters(format: str) -> tuple[Converter, ...]:
    """The converters that work here for a format, best first: each was tried once in this process."""
    return tuple(one for one in CONVERTERS if one.format == format and works(one))


def convert(svg: str, format: str, dpi: float = INCH, programs: bool = True) -> bytes:
    """Our SVG as `"png"` (of `dpi` pixels per 96 of its own) or `"pdf"`, by the first converter that makes it.

    Without `programs` only packages are asked, which take no longer than a notebook may wait. Raises EngineError with
    what mends it: where no converter is installed, where no fonts are, or where the PNG would be too large.
    """
    picture, troubles = Picture(svg, dpi), []
    pixels = picture.size[0] * picture.size[1] * picture.scale**2
    if format == "png" and pixels > MOST_PIXELS:
        text = f"cannot make PNG: it would have {pixels / 1e6:.0f} million pixels"
        raise EngineError(said(f"{text}. The mend: pass a smaller dpi= or width=, or save an .svg or a .pdf"))
    for one in CONVERTERS:
        if one.format == format and (programs or not one.program) and works(one):
            if not writes(one):
                troubles.append(f"{one.name}: {said(FONTS)}")
                continue
            try:
                return _try(one, picture)
            except EngineError as error:
                troubles.append(f"{one.name}: {error}")
    if troubles:
        raise EngineError(said(f"cannot make {format.upper()}: {'; '.join(troubles)}"))
    raise EngineError(said(f"cannot make {format.upper()}: no converter is installed. The mend: {REMEDY[format]}"))
