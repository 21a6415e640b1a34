"""What training pictures are painted on: figures and films of matplotlib's, in our colours, whatever is set in it."""

from __future__ import annotations

import base64
import hashlib
import html
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import LogFormatter, ScalarFormatter

from tinygrad_pt.errors import refuse
from tinygrad_pt.language import chosen
from tinygrad_pt.viz.drawing import write_whole
from tinygrad_pt.viz.plots.words import WORDS
from tinygrad_pt.viz.style import DARK, HEAT_DARK, HEAT_LIGHT, LIGHT
from tinygrad_pt.viz.text import clean

THEMES = ("auto", "light", "dark")

# Okabe and Ito's hues, which stay apart for every kind of colour vision, dark enough for white and light for black.
LINES_LIGHT = ("#0072b2", "#c44e00", "#007a5a", "#a8487f", "#806000", "#4b4ba8", "#555555")
LINES_DARK = ("#56b4e9", "#ff9f6b", "#3fd1a4", "#e7a1c8", "#f0c14a", "#a9a9ff", "#c0c0c0")
MARKERS = "os^DvPX"
SUFFIXES = (".png", ".svg", ".pdf")
FILMS = (".gif", ".html")


class Ink:
    """The colours, the words and the numbers of one picture."""

    def __init__(self, theme: str, lang: str | None) -> None:
        if theme not in THEMES:
            raise refuse(ValueError, f"theme={theme!r}: expected one of {', '.join(THEMES)}")
        dark = theme == "dark"
        self.theme, self.lang = theme, chosen(lang)
        self.words = WORDS[self.lang]
        self.colours = DARK if dark else LIGHT
        self.lines = LINES_DARK if dark else LINES_LIGHT
        heat = list((HEAT_DARK if dark else HEAT_LIGHT).values())
        bad = self.colours["line"]
        self.signed = LinearSegmentedColormap.from_list("signed", heat).with_extremes(bad=bad)
        self.positive = LinearSegmentedColormap.from_list("positive", heat[4:]).with_extremes(bad=bad)

    @contextmanager
    def settled(self) -> Iterator[None]:
        """Inside, matplotlib has its own defaults and our colours, whatever style the user has set."""
        c = self.colours
        with matplotlib.rc_context():
            matplotlib.rcdefaults()
            matplotlib.rcParams.update(
                {
                    "figure.dpi": 120, "figure.facecolor": c["page"], "axes.facecolor": c["page"],
                    "savefig.facecolor": c["page"], "savefig.dpi": "figure", "text.color": c["text"],
                    "axes.edgecolor": c["line"], "axes.labelcolor": c["text"], "xtick.color": c["line"],
                    "ytick.color": c["line"], "xtick.labelcolor": c["muted"], "ytick.labelcolor": c["muted"],
                    "axes.grid": True, "grid.color": c["line"], "grid.alpha": 0.25, "axes.axisbelow": True,
                    "axes.spines.top": False, "axes.spines.right": False, "axes.titlesize": 12,
                    "legend.facecolor": c["page"], "legend.edgecolor": c["line"], "legend.framealpha": 0.85,
                    "font.size": 10, "lines.markeredgewidth": 0, "svg.hashsalt": "tinygrad_pt",
                    "text.parse_math": False,
                }
            )  # fmt: skip
            yield

    def figure(self, width: float, height: float) -> Plot:
        """An empty picture, in inches."""
        return Plot(self, width, height)


class Plot(Figure):
    """A figure of matplotlib's that no window, backend or style touches: `save`, `savefig`, shown by notebooks.

    An SVG with `theme="auto"` follows its reader's light or dark; all else is then light.
    """

    def __init__(self, ink: Ink, width: float, height: float) -> None:
        super().__init__(figsize=(width, height), layout=ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1))
        self.ink = ink
        FigureCanvasAgg(self)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write `.png`, `.svg` or `.pdf`, the same bytes for the same numbers, and return the path.

        Missing folders are made. The file appears whole or not at all. Raises ValueError for another suffix.
        """
        path = Path(path)
        write_whole(path, self.data(suffix_of(path, SUFFIXES)))
        return path

    def data(self, format: str) -> bytes:
        """The bytes of a file: "png", "svg" or "pdf"."""
        file = io.BytesIO()
        self.savefig(file, format=format, metadata=_UNDATED[format])
        content = file.getvalue()
        return _following(content.decode()).encode() if format == "svg" and self.ink.theme == "auto" else content

    def savefig(self, *args: Any, **kwargs: Any) -> None:
        """matplotlib's own `savefig`, with our settings."""
        with self.ink.settled():
            super().savefig(*args, **kwargs)

    def numbered(self) -> Plot:
        """Write the numbers on all axes in the picture's language."""
        for axes in self.axes:
            for axis in (axes.xaxis, axes.yaxis):
                if axis.get_scale() == "log":
                    axis.set_major_formatter(_Powers(self.ink.lang))
                    axis.set_minor_formatter(_Powers(self.ink.lang))
                elif type(axis.get_major_formatter()) is ScalarFormatter:
                    axis.set_major_formatter(_Numbers(self.ink.lang))
        return self

    def _repr_png_(self) -> bytes:
        return self.data("png")

    def _repr_svg_(self) -> str:
        return self.data("svg").decode()


_UNDATED: dict[str, dict[str, None]] = {
    "svg": {"Date": None}, "png": {"Software": None}, "pdf": {"CreationDate": None, "Producer": None, "Creator": None},
}  # fmt: skip


def suffix_of(path: Path, allowed: tuple[str, ...]) -> str:
    """The suffix of a file's name, without its dot."""
    if path.suffix.lower() not in allowed:
        raise refuse(ValueError, f"cannot write {clean(path.name)!r}: the name must end in {', '.join(allowed)}")
    return path.suffix.lower()[1:]


class _Numbers(ScalarFormatter):
    """Plain numbers, with a decimal comma in Portuguese."""

    def __init__(self, lang: str) -> None:
        super().__init__()
        self.lang = lang

    def __call__(self, x: float, pos: int | None = None) -> str:
        text = str(super().__call__(x, pos))
        return text.replace(".", ",") if self.lang == "pt" else text

    def get_offset(self) -> str:
        text = str(super().get_offset())
        return text.replace(".", ",") if self.lang == "pt" else text


_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class _Powers(LogFormatter):
    """On logarithmic axes 10⁻³, or 0.02: names in a picture are text, so no mathematics is set in it."""

    def __init__(self, lang: str) -> None:
        super().__init__(labelOnlyBase=False)
        self.lang = lang

    def __call__(self, x: float, pos: int | None = None) -> str:
        if not super().__call__(x, pos):  # too many in one decade
            return ""
        mantissa, _, exponent = f"{x:.2e}".partition("e")
        power = f"10{str(int(exponent)).translate(_RAISED)}"
        if float(mantissa) == 1:
            return power
        text = f"{x:.3g}" if -4 < int(exponent) < 4 else f"{float(mantissa):g}·{power}"
        return text.replace(".", ",") if self.lang == "pt" else text


def _following(svg: str) -> str:
    """The SVG with dark colours for readers who prefer them; what it contains styles nothing outside."""
    mark = f"plot-{hashlib.sha256(svg.encode()).hexdigest()[:8]}"
    pairs = [(LIGHT[name], DARK[name]) for name in ("page", "text", "muted", "line")]
    pairs += zip(LINES_LIGHT, LINES_DARK, strict=True)
    rules = "".join(
        f'.{mark} [style*="{what}: {light}"]{{{what}:{dark}!important}}'
        for light, dark in pairs
        for what in ("fill", "stroke")
    )
    style = f"<style>@media (prefers-color-scheme:dark){{{rules}}}</style>"
    head, start, rest = svg.partition("<svg ")
    inside, end, body = rest.partition(">")
    return f'{head}{start}class="{mark}" {inside}{end}\n {style}{body}'


class Film:
    """A picture that moves: one frame per moment, written as `.gif` or as a page of its own, `.html`.

    The page loads nothing: it has a button, a slider and, without JavaScript, the last frame. Notebooks show it.

    Args:
        plot: the figure, which shows the last frame.
        length: the number of frames.
        show: changes the figure so that it shows frame i.
        rate: frames per second.
    """

    def __init__(self, plot: Plot, length: int, show: Callable[[int], None], rate: float) -> None:
        if not rate > 0:
            raise refuse(ValueError, f"rate={rate}: expected frames per second")
        self.plot, self.length, self.rate = plot, length, rate
        self._show = show
        self._frames: list[bytes] = []

    @property
    def frames(self) -> list[bytes]:
        """The frames as PNG files of 128 colours."""
        if not self._frames:
            from PIL import Image

            found = []
            for i in range(self.length):
                self._show(i)
                file = io.BytesIO()
                image = Image.open(io.BytesIO(self.plot.data("png"))).convert("RGB")
                image.quantize(128, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
                found.append(file.getvalue())
            self._frames = found
        return self._frames

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write `.gif` or `.html`, or the last frame as `.png`, `.svg` or `.pdf`, and return the path.

        Missing folders are made. The file appears whole or not at all. Raises ValueError for another suffix.
        """
        path = Path(path)
        suffix = suffix_of(path, FILMS + SUFFIXES)
        if suffix == "html":
            write_whole(path, self.html.encode())
        elif suffix == "gif":
            write_whole(path, self.gif)
        else:
            self.plot.save(path)
        return path

    @property
    def gif(self) -> bytes:
        """The film as a GIF, which repeats itself."""
        from PIL import Image

        images = [Image.open(io.BytesIO(frame)) for frame in self.frames]
        file = io.BytesIO()
        pause = round(1000 / self.rate)
        images[0].save(
            file, "GIF", save_all=True, append_images=images[1:], loop=0, optimize=False,
            duration=[pause] * (len(images) - 1) + [max(pause, 1500)],
        )  # fmt: skip
        return file.getvalue()

    @property
    def html(self) -> str:
        """The film as a page."""
        words, colours = self.plot.ink.words, self.plot.ink.colours
        title = html.escape(self.plot.get_suptitle() or words["learning"])
        style = _STYLE.format(**colours)
        script = _SCRIPT.replace("PAUSE", str(round(1000 / self.rate)))
        script = script.replace("PLAY_WORD", words["play"]).replace("STOP_WORD", words["pause"])
        allowed = " ".join(f"{kind}-src '{_hash(text)}';" for kind, text in (("style", style), ("script", script)))
        last = self.length - 1
        images = "".join(
            f'<img alt="{words["frame"]} {i + 1}"{"" if i == last else " hidden"} '
            f'src="data:image/png;base64,{base64.b64encode(frame).decode()}">'
            for i, frame in enumerate(self.frames)
        )
        return (
            f'<!DOCTYPE html>\n<html lang="{self.plot.ink.lang}"><head><meta charset="utf-8">'
            f'<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; {allowed}">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{title}</title><style>{style}</style></head>\n<body><main>{images}</main>\n"
            f'<p hidden><button type="button">{words["play"]}</button> '
            f'<input type="range" min="0" max="{last}" value="{last}" aria-label="{words["frame"]}"></p>\n'
            f"<script>{script}</script></body></html>\n"
        )

    def _repr_html_(self) -> str:
        w, h = (self.plot.get_size_inches() * self.plot.dpi).round().astype(int)
        return (
            f'<iframe sandbox="allow-scripts" style="border:0;width:100%;max-width:{w + 20}px;height:{h + 70}px" '
            f'srcdoc="{html.escape(self.html)}"></iframe>'
        )

    def __repr__(self) -> str:
        return f"<Film of {self.length} frames>"


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


_STYLE = """
body{{margin:0;padding:8px;background:{page};color:{text};font:16px sans-serif}}
img{{max-width:100%;height:auto}} [hidden]{{display:none}}
p{{display:flex;gap:12px;margin:8px 0;max-width:760px}} input{{flex:1}}
button{{font:inherit;min-width:6em;padding:6px;color:{text};background:{page};border:1px solid {line}}}
"""

_SCRIPT = """
const images = [...document.images], bar = document.querySelector("p"), slider = document.querySelector("input");
const button = document.querySelector("button");
let clock = 0;
function show() { images.forEach((image, i) => { image.hidden = i !== +slider.value; }); }
function stop() { clearInterval(clock); clock = 0; button.textContent = "PLAY_WORD"; }
function on() { if (+slider.value === images.length - 1) stop(); else { slider.value = +slider.value + 1; show(); } }
button.addEventListener("click", () => {
  if (clock) { stop(); return; }
  if (+slider.value === images.length - 1) { slider.value = 0; show(); }
  button.textContent = "STOP_WORD"; clock = setInterval(on, PAUSE);
});
slider.addEventListener("input", () => { stop(); show(); });
bar.hidden = false;
"""
