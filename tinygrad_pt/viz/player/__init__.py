"""`Player` is what `viz.play` returns: a page, in one file, that steps forward and backward through a graph."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

from tinygrad_pt.errors import refuse
from tinygrad_pt.viz.drawing import write_whole
from tinygrad_pt.viz.model import Snapshot
from tinygrad_pt.viz.options import Look
from tinygrad_pt.viz.player.data import data_of, ops_in, walked
from tinygrad_pt.viz.player.page import Words, page
from tinygrad_pt.viz.player.stage import stage
from tinygrad_pt.viz.player.words import WORDS
from tinygrad_pt.viz.style import DARK, HEAT_DARK, HEAT_LIGHT, LIGHT, level_name
from tinygrad_pt.viz.svg import paint
from tinygrad_pt.viz.text import clean, xml

SCRIPTS = ("equations.js", "picture.js", "player.js")
THEMES, MODES = ("auto", "light", "dark"), ("edge", "node")


class Player:
    """A snapshot and the page that plays it; nothing is computed before it is asked for.

    `rate` is the learning rate η at the beginning, `mode` says whether one step of the backward pass is one argument of
    an op ("edge", the engine's own order, in which gradients that meet are added one by one) or a whole value ("node").
    `height` is that of the frame in a notebook, in pixels.

    Raises:
        ValueError: an unknown language, theme or mode, a rate or height that is not positive.

    >>> from tinygrad_pt.viz.model import Edge, Vertex
    >>> a = Vertex("n0", "a", "", "param", (), "float32", 3.0, 6.0, True)
    >>> Player(Snapshot((a,)))
    <Player of 1 values and 0 edges>
    """

    def __init__(
        self, snapshot: Snapshot, *, lang: str = "en", theme: str = "auto", rate: float = 0.5, mode: str = "edge",
        height: int = 780,
    ) -> None:  # fmt: skip
        for name, value, allowed in (("lang", lang, WORDS), ("theme", theme, THEMES), ("mode", mode, MODES)):
            if value not in allowed:
                raise refuse(ValueError, f"{name}={value!r}: expected one of {', '.join(allowed)}")
        for name, size in (("rate", rate), ("height", height)):
            if not size > 0:
                raise refuse(ValueError, f"{name}={size!r}: expected a positive number")
        self.snapshot, self.lang, self.theme = snapshot, lang, theme
        self.rate, self.mode, self.height = float(rate), mode, int(height)

    @property
    def title(self) -> str:
        """The heading of the page."""
        return clean(self.snapshot.title, 80) or WORDS[self.lang]["graph"]

    @cached_property
    def html(self) -> str:
        """The page: one document that loads nothing, and whose policy lets no script run but its own."""
        snapshot, parts = walked(self.snapshot)
        drawn, said = stage(snapshot, self.lang), Words(snapshot, self.lang)
        data = data_of(snapshot, parts) | {
            "lang": self.lang, "theme": self.theme, "eta": self.rate, "mode": self.mode, "turned": drawn.turned,
            "numeric": drawn.numeric, "words": WORDS,
        }  # fmt: skip
        sheet = re.sub(r" ?([{};,:]) ", r"\1", _file("player.css").replace("\n", " "))
        css = f"{_colours()}{drawn.css}{sheet}"
        script = "".join(("(() => {\n'use strict';\n", operations(snapshot), *map(_file, SCRIPTS), "})();\n"))
        policy = (
            f"default-src 'none'; script-src {_digest(script)}; style-src {_digest(css)}; "
            "img-src data:; base-uri 'none'; form-action 'none'"
        )
        return page(self.title, self.lang, drawn.svg, said.steps(), css, script, _json(data), policy)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page to a file whose name ends in `.html` or `.htm`, and return the path.

        Missing folders are made. The file appears whole or not at all. Raises ValueError for another ending.
        """
        path = Path(path)
        if path.suffix.lower() not in (".html", ".htm"):
            raise refuse(ValueError, f"cannot play in {path.name!r}: the name must end in .html")
        write_whole(path, self.html.encode())
        return path

    def _repr_html_(self) -> str:
        return (
            f'<iframe sandbox="allow-scripts" title="{xml(self.title)}" width="100%" height="{self.height}"'
            f' style="border:0;min-height:{self.height}px;max-height:{self.height}px" allow="fullscreen"'
            f' srcdoc="{xml(self.html)}"></iframe>'
        )

    def _repr_svg_(self) -> str:
        return paint(walked(self.snapshot)[0], Look(lang=self.lang))

    def __repr__(self) -> str:
        return f"<Player of {len(self.snapshot.vertices)} values and {len(self.snapshot.edges)} edges>"


def _text(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _lean(text: str) -> str:
    """A script or sheet without comments and indentation; in these files both stand on lines of their own."""
    lines = (line.strip() for line in text.splitlines())
    return "".join(f"{line}\n" for line in lines if line and not line.startswith(("//", "/*")))


def _file(name: str) -> str:
    return _lean(_text(name))


DEFINED = re.compile(r"(?:const|function|table\.) ?(\w+)")


def operations(snapshot: Snapshot | None = None) -> str:
    """The table of ops, and the interpreter of rules, with the ops that a snapshot needs (None: with all).

    The file is a list of definitions; those stay that are wanted, and what they mention.
    """
    head, *pieces = re.split(r"(?m)^  (?=(?:const|function|table\.|return)\b)", _text("ops.js"))
    names = [m[1] if (m := DEFINED.match(piece)) else "" for piece in pieces]
    wanted, stack = set[int](), [pieces[-1], "table"]
    if snapshot is None:
        stack += pieces
    else:
        rules = (op for edge in snapshot.edges for op in ops_in(edge.rule))
        stack += [f"table.{name}" for name in ("add", *(v.primitive for v in snapshot.vertices), *rules)]
    while stack:
        said = set(re.findall(r"(?:table\.)?\b\w+", stack.pop()))
        for i, piece in enumerate(pieces):
            own = f"table.{names[i]}" if piece.startswith("table.") else names[i]
            if i not in wanted and (own in said or not own):
                wanted.add(i)
                stack.append(piece)
    return _lean(head + "".join(piece for i, piece in enumerate(pieces) if i in wanted))


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _json(data: Any) -> str:
    """JSON that nothing in a page can take for its own end."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":")).replace(',"attrs":{}', "")
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


def _colours() -> str:
    """The drawing's colours as the page's variables, and the cells of heat maps, whose colours change as one plays."""

    def rules(colours: dict[str, str], heat: dict[int, str], sheet: str, edge: str) -> str:
        levels = {level_name(level): colour for level, colour in heat.items()}
        return "".join(f"--{k}:{v};" for k, v in {**colours, **levels, "sheet": sheet, "edge": edge}.items())

    light, dark = rules(LIGHT, HEAT_LIGHT, "#fbfcfd", "#d0d7de"), rules(DARK, HEAT_DARK, "#1b1e23", "#3a4048")
    cells = "".join(f"#stage svg .cell.f-{level_name(n)}{{fill:var(--{level_name(n)})}}" for n in HEAT_LIGHT)
    return (
        f":root{{{light}}}@media (prefers-color-scheme:dark){{:root:not([data-theme]){{{dark}color-scheme:dark}}}}"
        f":root[data-theme=dark]{{{dark}}}{cells}"
    )
