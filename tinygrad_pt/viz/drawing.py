"""`Drawing` is what `viz.draw` returns: the DOT, SVG and files of a snapshot, and a picture in a notebook."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinygrad_pt.errors import refuse
from tinygrad_pt.language import chosen
from tinygrad_pt.viz import engine as engines
from tinygrad_pt.viz.dot import digraph
from tinygrad_pt.viz.model import Snapshot
from tinygrad_pt.viz.svg import paint
from tinygrad_pt.viz.text import check

if TYPE_CHECKING:
    import graphviz

SUFFIXES = (".dot", ".gv", ".svg", ".png", ".pdf")


class Drawing:
    """A snapshot and how to draw it; nothing is computed before it is asked for.

    `rankdir` is `"LR"` (left to right) or `"TB"` (top to bottom), `lang` `"en"` or `"pt"` (decimal comma; by default
    that of `viz.settings`), `edge_labels` one of `"auto"`, `"none"`, `"num"`, `"sym"`, `"both"`. The SVG is our own
    painting, which needs no engine and is the same everywhere; `engine="dot"` or `"pygraphviz"` asks for Graphviz's
    instead, as does the path of such a program. PNG and PDF always come from Graphviz. Raises ValueError for unknown
    options.

    >>> from tinygrad_pt.viz.model import Edge, Vertex
    >>> a = Vertex("n0", "a", "", "param", (), "float32", 3.0, 6.0, True)
    >>> b = Vertex("n1", "b", "×", "loss", (), "float32", 9.0, 1.0, True)
    >>> Drawing(Snapshot((a, b), (Edge("n0", "n1", 0), Edge("n0", "n1", 1))))
    <Drawing of 2 values and 2 edges>
    """

    def __init__(
        self, snapshot: Snapshot, *, rankdir: str = "LR", lang: str | None = None, edge_labels: str = "auto",
        engine: str = "auto",
    ) -> None:  # fmt: skip
        check(rankdir=rankdir, edge_labels=edge_labels)
        engines.expect_engine(engine)
        self.snapshot, self.engine = snapshot, engine
        self.rankdir, self.lang, self.edge_labels = rankdir, chosen(lang), edge_labels

    @property
    def graphviz(self) -> graphviz.Digraph:
        """A fresh `graphviz.Digraph`, to be changed and rendered at will."""
        return digraph(self.snapshot, self.rankdir, self.edge_labels, self.lang)

    @cached_property
    def dot(self) -> str:
        """The drawing as DOT text."""
        return str(self.graphviz.source)

    @cached_property
    def svg(self) -> str:
        """The drawing as SVG text, by our own painter unless an engine was asked for by name."""
        if self.engine in ("auto", "builtin"):
            return paint(self.snapshot, self.rankdir, self.edge_labels, self.lang)
        return _plain(engines.render(self.dot, "svg", self.engine).decode())

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write `.dot`, `.gv`, `.svg`, `.png` or `.pdf`, as the suffix says, and return the path.

        Missing folders are made. The file appears whole or not at all. Raises ValueError for another
        suffix and EngineError where PNG or PDF has no engine.
        """
        path = Path(path)
        suffix = path.suffix.lower()
        if suffix not in SUFFIXES:
            raise refuse(ValueError, f"cannot draw to {path.name!r}: the name must end in {', '.join(SUFFIXES)}")
        if suffix in (".dot", ".gv"):
            content = self.dot.encode()
        elif suffix == ".svg":
            content = self.svg.encode()
        else:
            try:
                content = engines.render(self.dot, suffix[1:], self.engine)
            except engines.EngineError as error:
                instead = f"Without an engine save({path.stem + '.svg'!r}) works."
                raise engines.EngineError(f"{error}. {instead}") from None
        write_whole(path, content)
        return path

    def _repr_svg_(self) -> str:
        with contextlib.suppress(engines.EngineError):
            return self.svg
        return paint(self.snapshot, self.rankdir, self.edge_labels, self.lang)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"image/svg+xml": self._repr_svg_(), "text/plain": repr(self)}

    def __repr__(self) -> str:
        return f"<Drawing of {len(self.snapshot.vertices)} values and {len(self.snapshot.edges)} edges>"


def _plain(svg: str) -> str:
    """An engine's SVG without its document type and links; what a link's title said stays as a title."""
    svg = re.sub(r"<!DOCTYPE[^>]*>\s*", "", svg)
    svg = re.sub(r'<a xlink:title="([^"]*)">', r"<g><title>\1</title>", svg)
    return svg.replace("</a>", "</g>")


def write_whole(path: Path, content: bytes) -> None:
    """Put a file in its place in one step: a reader sees the old one or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with open(part, "xb") as file:
            file.write(content)
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
