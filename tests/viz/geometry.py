"""What a painted drawing looks like to a reader's eye: its boxes, its texts and its lines, read back from the SVG."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass

from tinygrad_pt.viz.layout import Box
from tinygrad_pt.viz.style import MONO
from tinygrad_pt.viz.text import width

SPACE = "{http://www.w3.org/2000/svg}"
SLACK = 0.05
Point = tuple[float, float]


@dataclass(frozen=True)
class Drawn:
    """One drawn thing: its group's id, its box, and what stands in it."""

    id: str
    box: Box
    texts: tuple[Box, ...]


@dataclass(frozen=True)
class Geometry:
    """All of a drawing, on the coordinates of its page."""

    page: Box
    nodes: tuple[Drawn, ...]
    chips: tuple[Drawn, ...]
    titles: tuple[Drawn, ...]
    lines: tuple[tuple[str, tuple[Point, ...]], ...]
    notes: tuple[Box, ...]


def overlap(one: Box, two: Box) -> bool:
    return (
        one.x + one.w > two.x + SLACK and two.x + two.w > one.x + SLACK
        and one.y + one.h > two.y + SLACK and two.y + two.h > one.y + SLACK
    )  # fmt: skip


def within(inner: Box, outer: Box) -> bool:
    return (
        outer.x <= inner.x + SLACK and inner.x + inner.w <= outer.x + outer.w + SLACK
        and outer.y <= inner.y + SLACK and inner.y + inner.h <= outer.y + outer.h + SLACK
    )  # fmt: skip


def read(svg: str) -> Geometry:
    root = ET.fromstring(svg)
    _, _, wide, high = map(float, root.attrib["viewBox"].split())
    found: dict[str, list[Drawn]] = {"node": [], "edge": [], "frame": []}
    lines, notes = [], []
    for group, x, y in _groups(root, 0.0, 0.0):
        kind = (group.get("class") or " ").split(" ")[0]
        if kind in found:
            rects = [_shifted(_rect(e), x, y) for e in group.iter(SPACE + "rect") if "map" not in _classes(e)]
            texts = tuple(_shifted(_text(e), x, y) for e in group.iter(SPACE + "text"))
            if rects:
                found[kind].append(Drawn(group.attrib["id"], rects[0], texts))
            for path in group.findall(SPACE + "path") if kind == "edge" else ():
                if "head" not in _classes(path):
                    lines.append((group.attrib["id"], tuple((a + x, b + y) for a, b in _points(path.attrib["d"]))))
        elif kind == "key":
            notes += [
                _shifted(_text(e), x + dx, y + dy) for g, dx, dy in _groups(group, 0, 0) for e in g if _is_text(e)
            ]
    notes += [_text(e) for e in root if _is_text(e)]
    return Geometry(
        Box(0, 0, wide, high), tuple(found["node"]), tuple(found["edge"]), tuple(found["frame"]), tuple(lines),
        tuple(notes),
    )  # fmt: skip


def check(svg: str) -> Geometry:
    """Fail where a text leaves its box, two boxes overlap, or a line runs through a box or a title."""
    drawn = read(svg)
    boxes = [thing.box for thing in (*drawn.nodes, *drawn.chips)]
    for box in [*boxes, *drawn.notes, *(title.box for title in drawn.titles)]:
        assert within(box, drawn.page), box
    for one, two in itertools.combinations(boxes, 2):
        assert not overlap(one, two), (one, two)
    for thing in (*drawn.nodes, *drawn.chips, *drawn.titles):
        for text in thing.texts:
            assert within(text, thing.box), thing
    for thing in drawn.nodes:
        for one, two in itertools.combinations(thing.texts, 2):
            assert not overlap(one, two), thing
    for id, points in drawn.lines:
        for piece in itertools.pairwise(points):
            for title in drawn.titles:
                assert not any(_meet(piece, text) for text in title.texts), (id, title)
            for thing in (*drawn.nodes, *drawn.chips):
                assert thing.id == id or not _meet(piece, _inner(thing.box)), (id, thing)
    return drawn


def _groups(element: ET.Element, x: float, y: float) -> Iterator[tuple[ET.Element, float, float]]:
    for child in element:
        if child.tag == SPACE + "g":
            moved = re.match(r"translate\(([-\d.]+) ([-\d.]+)\)", child.get("transform", ""))
            dx, dy = (float(moved[1]), float(moved[2])) if moved else (0.0, 0.0)
            yield child, x + dx, y + dy
            yield from _groups(child, x + dx, y + dy)


def _classes(element: ET.Element) -> list[str]:
    return element.get("class", "").split()


def _is_text(element: ET.Element) -> bool:
    return element.tag == SPACE + "text"


def _rect(element: ET.Element) -> Box:
    return Box(*(float(element.get(name, "0")) for name in ("x", "y", "width", "height")))


def _shifted(box: Box, x: float, y: float) -> Box:
    return Box(box.x + x, box.y + y, box.w, box.h)


def _inner(box: Box) -> Box:
    return Box(box.x + 1, box.y + 1, max(0.0, box.w - 2), max(0.0, box.h - 2))


def _text(element: ET.Element) -> Box:
    """The room of a text, by the widths that the layout reckons with; from the tops of its letters to its baseline."""
    size = float(element.attrib["font-size"])
    room = width(element.text or "", size, element.attrib["font-family"] == MONO, "font-weight" in element.attrib)
    left = float(element.attrib["x"]) - {"start": 0.0, "middle": 0.5, "end": 1.0}[element.attrib["text-anchor"]] * room
    return Box(left, float(element.attrib["y"]) - 0.75 * size, room, 0.75 * size)


def _points(d: str) -> Iterator[Point]:
    """Points along a path of M, L, C and Q, close enough for a line."""
    here = (0.0, 0.0)
    for letter, numbers in re.findall(r"([MLCQ])([^MLCQ]*)", d):
        flat = [float(x) for x in re.findall(r"-?[\d.]+", numbers)]
        ends = [here, *zip(flat[::2], flat[1::2], strict=True)]
        if letter in "ML":
            yield ends[-1]
        else:
            yield from (_bezier(ends, step / 8) for step in range(1, 9))
        here = ends[-1]


def _bezier(ends: list[Point], t: float) -> Point:
    while len(ends) > 1:
        ends = [((1 - t) * a + t * c, (1 - t) * b + t * d) for (a, b), (c, d) in itertools.pairwise(ends)]
    return ends[0]


def _meet(piece: tuple[Point, Point], box: Box) -> bool:
    """Whether a straight piece of line passes through the inside of a box (Liang and Barsky's clipping)."""
    (x0, y0), (x1, y1) = piece
    enter, leave = 0.0, 1.0
    for start, step, low, high in ((x0, x1 - x0, box.x, box.x + box.w), (y0, y1 - y0, box.y, box.y + box.h)):
        if step == 0:
            if not low < start < high:
                return False
        else:
            first, last = sorted(((low - start) / step, (high - start) / step))
            enter, leave = max(enter, first), min(leave, last)
    return enter < leave
