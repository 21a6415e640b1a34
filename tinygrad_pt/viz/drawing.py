"""`Drawing` is what `viz.draw` returns: the DOT, SVG and files of a snapshot, and a picture in a notebook."""

from __future__ import annotations

import base64
import contextlib
import os
import re
from collections.abc import Collection
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from tinygrad_pt.errors import refuse
from tinygrad_pt.files import whole
from tinygrad_pt.viz import engine as engines
from tinygrad_pt.viz.convert import convert
from tinygrad_pt.viz.dot import digraph
from tinygrad_pt.viz.model import Snapshot
from tinygrad_pt.viz.options import Look
from tinygrad_pt.viz.svg import paint

if TYPE_CHECKING:
    import graphviz

SUFFIXES = (".dot", ".gv", ".svg", ".png", ".pdf")


class Drawing:
    """A snapshot and how it looks; nothing is painted before it is asked for.

    Every format shows one picture, our own painting, the same on every machine; PNG and PDF are converted from it. Only
    where a `Look` asks for `engine="dot"` or another Graphviz does Graphviz paint.

    >>> from tinygrad_pt.viz.model import Edge, Vertex
    >>> a = Vertex("n0", "a", "", "param", (), "float32", 3.0, 6.0, True)
    >>> b = Vertex("n1", "b", "×", "loss", (), "float32", 9.0, 1.0, True)
    >>> Drawing(Snapshot((a, b), (Edge("n0", "n1", 0), Edge("n0", "n1", 1))))
    <Drawing of 2 values and 2 edges>
    """

    def __init__(self, snapshot: Snapshot, look: Look | None = None) -> None:
        self.snapshot, self.look = snapshot, look or Look()

    def painted(self, look: Look) -> str:
        """Our own painting, as SVG text."""
        return paint(self.snapshot, look)

    @property
    def graphviz(self) -> graphviz.Digraph:
        """A fresh `graphviz.Digraph`, to be changed and rendered at will."""
        look = self.look
        return digraph(self.snapshot, "TB" if look.rankdir == "TB" else "LR", look.edge_labels, look.language)

    @cached_property
    def dot(self) -> str:
        """The drawing as DOT text."""
        return str(self.graphviz.source)

    @cached_property
    def svg(self) -> str:
        """The drawing as SVG text. EngineError where a Graphviz was asked for and is not there."""
        if self._ours:
            return self.painted(self.look)
        return _plain(engines.render(self.dot, "svg", self.look.engine).decode())

    @property
    def png(self) -> bytes:
        """The drawing as a PNG, `dpi` pixels per 96 of the picture. EngineError where nothing can make one."""
        return self._converted("png")

    @property
    def pdf(self) -> bytes:
        """The drawing as a PDF. EngineError where nothing can make one."""
        return self._converted("pdf")

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write `.dot`, `.gv`, `.svg`, `.png` or `.pdf`, as the suffix says, and return the path.

        Missing folders are made. The file appears whole or not at all. Raises ValueError for another
        suffix and EngineError, with what mends it, where PNG or PDF cannot be made.
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
            content = self._converted(suffix[1:])
        write_whole(path, content)
        return path

    @property
    def _ours(self) -> bool:
        return self.look.engine in ("auto", "builtin")

    def _converted(self, format: str, programs: bool = True) -> bytes:
        if not self._ours:
            return engines.render(self.dot, format, self.look.engine)
        look = self.look if self.look.theme != "auto" else replace(self.look, theme="light")
        return convert(self.painted(look), format, look.dpi, programs)

    # ----------------------------------------------------------------------------------- notebooks
    def _repr_svg_(self) -> str:
        """The picture; our own where the Graphviz that was asked for fails: a repr must not raise."""
        with contextlib.suppress(engines.EngineError):
            return _fluid(self.svg)
        return _fluid(self.painted(self.look))

    def _repr_html_(self) -> str:
        """The picture inside a page: no wider than its place there, its names its own."""
        return self._repr_svg_()

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> dict[str, str]:
        """Every form of the picture that can be made here: readers who do not show one show another."""

        def wanted(kind: str) -> bool:
            return (include is None or kind in include) and (exclude is None or kind not in exclude)

        bundle = {"text/plain": repr(self), "image/svg+xml": self._repr_svg_(), "text/html": self._repr_html_()}
        for kind, format in (("image/png", "png"), ("application/pdf", "pdf")):
            if wanted(kind):
                with contextlib.suppress(engines.EngineError):
                    bundle[kind] = base64.b64encode(self._converted(format, programs=False)).decode()
        return {kind: text for kind, text in bundle.items() if wanted(kind)}

    def __repr__(self) -> str:
        return f"<Drawing of {len(self.snapshot.vertices)} values and {len(self.snapshot.edges)} edges>"


def _fluid(svg: str) -> str:
    """An SVG that becomes narrower with its place: in files this would be the only style some painters obey."""
    return svg.replace("<svg ", '<svg style="max-width:100%;height:auto" ', 1)


def _plain(svg: str) -> str:
    """An engine's SVG without its document type and links; what a link's title said stays as a title."""
    svg = re.sub(r"<!DOCTYPE[^>]*>\s*", "", svg)
    svg = re.sub(r'<a xlink:title="([^"]*)">', r"<g><title>\1</title>", svg)
    return svg.replace("</a>", "</g>")


def write_whole(path: Path, content: bytes) -> None:
    """Put a file in its place in one step: a reader sees the old one or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as file:
        file.write(content)
