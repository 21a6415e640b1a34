"""`stage` puts the package's painting on a page: its numbers exchangeable, its second layout a list of moves.

Nothing is known here of how the painter draws, except that a vertex's and an edge's group bear their ids, and that
groups of class `values`, `grads` and `locals` hold the numbers.
"""

from __future__ import annotations

import copy
import math
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinygrad_pt.viz.algebra import UNIT, plain, simplify
from tinygrad_pt.viz.card import BOTH_UP_TO, FEW, MANY, block
from tinygrad_pt.viz.expression import substitute
from tinygrad_pt.viz.model import INCOMING, Edge, Snapshot, Vertex
from tinygrad_pt.viz.options import Look
from tinygrad_pt.viz.svg import paint
from tinygrad_pt.viz.text import decimal

SPACE = "{http://www.w3.org/2000/svg}"
BROAD, SCREEN = 1500.0, 2.6  # pixels; the width of the page's drawing by its height
WIDE = -88.8888  # as wide as any number that `short` writes
MOVES = ("display", "x", "y", "d", "width", "height", "transform", "cx", "cy", "r", "rx", "points", "viewBox")


@dataclass(frozen=True)
class Stage:
    """An SVG to stand in a page, its styles, and what changes in it where the flow runs from top to bottom.

    `turned` is a list of [number of the element, attribute, value, …], or None if the second layout is made of
    other elements. `numeric` are the edges whose chips end in a number that may change.
    """

    svg: str
    css: str
    turned: list[list[Any]] | None
    numeric: list[str]


def short(value: Any, lang: str = "en") -> str:
    """A number in at most eight characters.

    >>> short(-12.3456), short(1234.5678), short(-1234567.0), short(-2.5e-11), short(3)
    ('−12.3456', '1234.57', '−1.23e6', '−2.5e−11', '3')
    """
    if not isinstance(value, (float, np.floating)) or not math.isfinite(value) or value == 0:
        return decimal(value, lang=lang)
    size = abs(float(value))
    if 5e-5 <= size < 99999.95:
        digits = 4 if size < 99.99995 else 3 if size < 999.9995 else 2 if size < 9999.995 else 1
        text = f"{value:.{digits}f}"
    else:
        mantissa, exponent = f"{value:.{2 if 1e-9 <= size < 1e10 else 1}e}".split("e")
        text = f"{mantissa}e{int(exponent)}"
    text = text.replace("-", "−")
    return text.replace(".", ",") if lang == "pt" else text


def stage(snapshot: Snapshot, lang: str) -> Stage:
    """The painting of a snapshot, with room for any number that a slider may lead to.

    Its edges bear formula and number where the drawing stays narrow enough for a screen, else numbers alone: the page
    says each formula when its step comes.
    """
    vertices, edges = tuple(map(_roomy, snapshot.vertices)), tuple(map(_roomy_edge, snapshot.edges))
    roomy = replace(snapshot, vertices=vertices, edges=edges, title="")
    labels = "both" if len(edges) <= BOTH_UP_TO else "num"
    first = ET.fromstring(paint(roomy, Look("LR", labels, lang, ratio=SCREEN)))
    if labels == "both" and float(first.attrib["viewBox"].split()[2]) > BROAD:
        labels = "num"
        roomy = replace(roomy, edges=tuple(replace(e, symbol="") if e.number is None else e for e in roomy.edges))
        first = ET.fromstring(paint(roomy, Look("LR", labels, lang, ratio=SCREEN)))
    second = ET.fromstring(paint(roomy, Look("TB", labels, lang)))
    folded, _ = _Folded(_bare(first)), _bare(second)
    _even(first, second)
    turned = _moves(first, second)
    for element in first.iter():
        folded.fold(element)
        if "id" in element.attrib:
            element.set("id", element.attrib["id"].partition("-")[2] or element.attrib["id"])
    _fill(first, snapshot, lang)
    ET.register_namespace("", SPACE[1:-1])
    svg = re.sub(r">\s+<", "><", ET.tostring(first, encoding="unicode")).replace(" />", "/>")
    numeric = [edge.id for edge in snapshot.edges if edge.flows and _roomy_edge(edge) is not edge]
    return Stage(svg, folded.css(), turned, numeric)


# ------------------------------------------------------------------------------------------ room for numbers
def _floating(vertex: Vertex) -> bool:
    value = np.asarray(vertex.value)
    return vertex.value is not None and vertex.kind != "const" and value.dtype.kind == "f" and value.size > 0


def _roomy(vertex: Vertex) -> Vertex:
    """The vertex with numbers as wide as they may become; the colours of a heat map stay what they are."""
    grad = _widest(vertex.grad)
    return replace(vertex, value=_widest(vertex.value) if _floating(vertex) else vertex.value, grad=grad)


def _widest(value: Any) -> Any:
    if value is None or np.size(value) == 0 or np.asarray(value).dtype.kind == "c":
        return value
    if np.size(value) <= FEW or np.size(value) > MANY:
        spread = math.sqrt(np.size(value)) if np.size(value) > MANY else 1.0  # of many, the norm is shown
        return np.full(np.shape(value), WIDE / spread)
    array = np.asarray(value, np.float64)
    size = np.abs(array[np.isfinite(array)])
    top = float(size.max()) if size.size else 0.0
    with np.errstate(all="ignore"):
        return array * (-WIDE / top) if top else array


def _roomy_edge(edge: Edge) -> Edge:
    known = edge.number is None or (edge.rule is not None and constant(edge.rule))
    return edge if known else replace(edge, number=WIDE)


def constant(rule: Any) -> bool:
    """Whether a local derivative is the same number at all values.

    >>> from tinygrad_pt.symbol import Symbol
    >>> constant(Symbol("g") + Symbol("g")), constant(Symbol("g") * Symbol("n1"))
    (True, False)
    """
    return plain(simplify(substitute(rule, {INCOMING: UNIT})))


# ------------------------------------------------------------------------------------------ one element for another
def _bare(root: ET.Element) -> str:
    """Leave of a drawing only what is seen, places to whole pixels; its styles."""
    styles = ""
    for parent in list(root.iter()):
        for child in [c for c in parent if c.tag in (f"{SPACE}style", f"{SPACE}title")]:
            styles += (child.text or "") if child.tag.endswith("style") else ""
            parent.remove(child)
        for key in ("role", "aria-label"):
            parent.attrib.pop(key, None)
        for key in MOVES:
            if key in parent.attrib:
                parent.set(key, STAYS.sub(r"M\1", re.sub(r"-?\d+\.\d+", lambda m: _n(float(m[0])), parent.attrib[key])))
    for key in ("width", "height"):
        root.attrib.pop(key, None)
    return styles


def _n(x: float) -> str:
    return str(round(x))


STAYS = re.compile(r"M(\S+ \S+?)L\1(?=[A-Z])")  # a line to where one is


# ------------------------------------------------------------------------------------------ the second layout
def _even(first: ET.Element, second: ET.Element) -> None:
    """Give both drawings the same frames: one that a layout does not have, since it is not cut into rows, is hidden."""
    bodies = [g for root in (first, second) for g in root.iter() if any("id" in child.attrib for child in g)]
    frames = [[g for g in body if g.get("class") == "frame"] for body in bodies]
    for number, (body, own, others) in enumerate(zip(bodies, frames, frames[::-1], strict=True)):
        for missing in others[len(own) :]:
            hidden = copy.deepcopy(missing)
            hidden.set("id", f"{hidden.get('id')}-{number}")
            hidden.set("display", "none")
            body.insert(list(body).index(own[-1]) + 1 if own else 0, hidden)


def _moves(first: ET.Element, second: ET.Element) -> list[list[Any]] | None:
    """What differs between two drawings of the same elements; a group that moves as a whole is moved as a whole."""
    ours, theirs = list(first.iter()), list(second.iter())
    if [e.tag for e in ours] != [e.tag for e in theirs]:
        return None
    moves: list[list[Any]] = []
    settled = -1
    for number, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        if number <= settled:
            continue
        by = _shift(a, b) if a.tag.endswith("g") and number and "transform" not in a.attrib else None
        if by is not None:
            settled = number + len(list(a.iter())) - 1
            if by != (0.0, 0.0):
                moves.append([number, "transform", f"translate({_n(by[0])} {_n(by[1])})"])
            continue
        changed = [part for key in MOVES if a.get(key) != b.get(key) for part in (key, b.get(key, ""))]
        if changed:
            moves.append([number, *changed])
    return moves


def _shift(a: ET.Element, b: ET.Element) -> tuple[float, float] | None:
    """How far the second group stands from the first, if all of it is moved alike."""
    by: tuple[float, float] | None = None
    for x, y in zip(a.iter(), b.iter(), strict=True):
        if any(x.get(key) != y.get(key) for key in MOVES if key not in ("x", "y", "d")):
            return None
        pairs = [_point(e) for e in (x, y)]
        if pairs[0] is None or pairs[1] is None:
            if x.get("d") != y.get("d"):
                return None
            continue
        here = pairs[1][0] - pairs[0][0], pairs[1][1] - pairs[0][1]
        by = by or here
        if max(abs(here[0] - by[0]), abs(here[1] - by[1])) > 1.01:  # of places that were rounded
            return None
    return by


def _point(element: ET.Element) -> tuple[float, float] | None:
    """Where an element stands, if one point says it: its x and y, or the start of a path whose steps are relative."""
    if "x" in element.attrib and "y" in element.attrib:
        return float(element.attrib["x"]), float(element.attrib["y"])
    m = re.fullmatch(r"M(-?[\d.]+) (-?[\d.]+)([a-z][-\d. ]*)*z?", element.get("d", ""))
    return (float(m[1]), float(m[2])) if m else None


PRESENTATION = {
    "fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-linejoin",
    "stroke-opacity", "opacity", "font-family", "font-size", "font-weight", "font-style", "text-anchor", "xml:space",
}  # fmt: skip


MEDIA = re.compile(r"@media\s*\(prefers-color-scheme:\s*dark\)\s*\{((?:[^{}]*\{[^{}]*\})*[^{}]*)\}")
TOKEN = re.compile(r'\[class~="([\w-]+)"\]\{([^}]*)\}')


class _Folded:
    """What a drawing says of its elements' looks, light and dark, as rules of CSS: one for each combination.

    The painter names each colour by a class, and gives its dark one in a style for dark systems. Here the page decides.
    """

    def __init__(self, styles: str) -> None:
        self.dark = {name: said for media in MEDIA.findall(styles) for name, said in TOKEN.findall(media)}
        self.rules: dict[tuple[str, str], str] = {}

    def fold(self, element: ET.Element) -> None:
        found = {key: element.attrib.pop(key) for key in sorted(PRESENTATION & set(element.attrib))}
        if found.get("font-size", "x")[-1].isdigit():
            found["font-size"] += "px"
        words = element.attrib.pop("class", "").split()
        light = ";".join(f"{key}:{value}" for key, value in found.items())
        dark = ";".join(self.dark[word] for word in words if word in self.dark)
        words = [word for word in words if word not in self.dark]
        if light or dark:
            words.append(self.rules.setdefault((light, dark), f"q{len(self.rules)}"))
        if words:
            element.set("class", " ".join(words))

    def css(self) -> str:
        """Light; dark where the reader's system is, unless the page says otherwise; dark where the page is."""
        light = "".join(f".{name}{{{text}}}" for (text, _), name in self.rules.items())
        dark = "".join(f".{name}{{{text}}}" for (_, text), name in self.rules.items() if text)
        auto = f"@media (prefers-color-scheme:dark){{:root:not([data-theme]){{{dark}}}}}"
        return f"{light}{auto}:root[data-theme=dark]{{{dark}}}"


# ------------------------------------------------------------------------------------------ the numbers themselves
def card_lines(value: Any, letter: str, missing: str, lang: str) -> list[str]:
    """What a card says of a value: as `card.block`, with numbers that fit."""
    if value is None or np.size(value) == 0 or np.asarray(value).dtype.kind == "c":
        return list(block(value, letter, missing, lang).lines)
    array = np.asarray(value)
    if array.ndim == 0:
        return [short(array[()], lang)]
    if array.size <= FEW:
        comma = "; " if lang == "pt" else ", "
        return [f"[{comma.join(short(x, lang) for x in row)}]" for row in array.reshape(-1, array.shape[-1])]
    return list(block(value, letter, missing, lang).lines)


def _fill(root: ET.Element, snapshot: Snapshot, lang: str) -> None:
    """Write the true numbers in place of the wide ones."""
    groups = {element.get("id"): element for element in root.iter() if "id" in element.attrib}
    for vertex in snapshot.vertices:
        for kind, value, letter, missing in (("values", vertex.value, "v", "?"), ("grads", vertex.grad, "∇", "·")):
            place = groups[vertex.id].find(f"./{SPACE}g[@class='{kind}']")
            if place is not None:
                lines = card_lines(value, letter, missing, lang)
                for text, line in zip(place.findall(f"{SPACE}text")[1:], lines, strict=False):
                    text.text = line
    for edge in snapshot.edges:
        place = groups[edge.id].find(f"./{SPACE}g[@class='locals']")
        if place is not None and edge.number is not None and _roomy_edge(edge) is not edge:
            texts = place.findall(f"{SPACE}text")
            texts[-1].text = "= " * (len(texts) > 1) + short(edge.number, lang)
