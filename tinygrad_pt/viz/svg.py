"""`paint` draws a snapshot as one self-contained SVG, plain enough for every painter: no script, no link, no variable.

Every element carries its colours and fonts as attributes. What a reader's dark theme changes stands in one media
query, which painters that know none pass over.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from tinygrad_pt.viz.card import Block, Card, card, chips, edge_tip
from tinygrad_pt.viz.layout import Box, Layout, Point, layout
from tinygrad_pt.viz.model import KINDS, Edge, Snapshot, Vertex
from tinygrad_pt.viz.options import Look
from tinygrad_pt.viz.sheet import TITLE
from tinygrad_pt.viz.style import MONO, SANS, WRONG, Palette, dark_style, level_name, palettes
from tinygrad_pt.viz.text import WORDS, clean, path_text, width, xml

ROOT = "tinygrad-pt"
LINE, HEADER, PADDING, CAPTION, CHIP_LINE = 17.0, 24.0, 9.0, 18.0, 15.0
FAINT = ' opacity="0.3"'  # what is not in the focus
RING = 3.0  # between the two borders of the loss
APART = 3.0  # half the distance between the forward and the backward line of an edge
TURN = 7.0  # the radius of a line's corners
TITLE_ROOM, NOTE_LINE, EDGE = 30.0, 18.0, 12.0
LEAST = 320.0  # the width that a legend may take under a narrower drawing

# Of each kind of text: family, size, weight, colour.
TEXT = {
    "heading": (SANS, 15, "bold", "text"), "name": (SANS, 13, "bold", "text"), "op": (SANS, 13, "", "text"),
    "shape": (MONO, 11, "", "muted"), "letter": (MONO, 12, "", "muted"), "value": (MONO, 12, "", "forward"),
    "grad": (MONO, 12, "", "backward"), "note": (SANS, 12, "", "note"), "chip-text": (MONO, 12, "", "backward"),
    "title": (SANS, 12, "", "muted"), "small-value": (MONO, 11, "", "forward"),
    "small-grad": (MONO, 11, "", "backward"),
    "legend": (SANS, 12, "", "muted"), "caption": (SANS, 12, "", "note"),
}  # fmt: skip


def paint(snapshot: Snapshot, look: Look | None = None) -> str:
    """The whole drawing as SVG text: always valid XML, the same bytes for the same snapshot and look."""
    return GraphPainter(snapshot, look or Look()).document()


def n(value: float) -> str:
    """A coordinate in at most two decimals."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


class Brush:
    """Writes elements with their colours, and keeps in mind which colours were used."""

    def __init__(self, look: Look) -> None:
        light, dark = palettes(look.colours)
        self.dark: Palette = dark
        self.colours = dark if look.theme == "dark" else light
        self.used: set[str] = set()

    def ink(self, style: str, fill: str = "none", stroke: str = "none") -> str:
        """Class and colours of an element."""
        classes, colours = [style] if style else [], ""
        for what, name, attribute in (("f", fill, "fill"), ("s", stroke, "stroke")):
            if name != "none":
                classes.append(f"{what}-{name}")
                self.used.add(classes[-1])
            colours += f' {attribute}="{self.colours.get(name, name)}"'
        return f'class="{" ".join(classes)}"{colours}'

    def text(self, style: str, x: float, y: float, words: str, anchor: str = "start", ink: str = "") -> str:
        family, size, weight, colour = TEXT[style]
        colour = ink or colour
        bold = f' font-weight="{weight}"' if weight else ""
        return (
            f'<text {self.ink(style, colour)} x="{n(x)}" y="{n(y)}" font-family="{family}" font-size="{size}"{bold}'
            f' text-anchor="{anchor}">{xml(words)}</text>'
        )

    def rect(self, box: Box, style: str, fill: str, stroke: str, radius: float = 0, more: str = "") -> str:
        rounded = f' rx="{n(radius)}"' if radius else ""
        place = f'x="{n(box.x)}" y="{n(box.y)}" width="{n(box.w)}" height="{n(box.h)}"'
        return f"<rect {self.ink(style, fill, stroke)} {place}{rounded}{more}/>"

    def line(self, style: str, d: str) -> str:
        """A line of the forward or of the backward pass."""
        dash = ' stroke-dasharray="5 3"' if style == "bwd" else ""
        colour = "backward" if style == "bwd" else "forward"
        return f'<path {self.ink(style, stroke=colour)} stroke-width="1.4"{dash} d="{d}"/>'

    def head(self, tip: Point, ahead: tuple[int, int], style: str) -> str:
        """An arrow head that ends in `tip`; drawn as a shape, for a marker would need a link to its name."""
        (x, y), (dx, dy) = tip, ahead
        back_x, back_y = x - 8 * dx, y - 8 * dy
        return (
            f'<path {self.ink(f"head {style}", "forward" if style == "fh" else "backward")} d="M{n(x)} {n(y)}'
            f'L{n(back_x - 3.2 * dy)} {n(back_y + 3.2 * dx)}L{n(back_x + 3.2 * dy)} {n(back_y - 3.2 * dx)}z"/>'
        )


class Painter:
    """A page with title, caption and legend around a picture, which a kind of picture gives as `size` and `body`."""

    size: tuple[float, float]

    def __init__(self, snapshot: Snapshot, look: Look) -> None:
        self.snapshot, self.look, self.lang = snapshot, look, look.language
        self.words, self.brush = WORDS[self.lang], Brush(look)
        self.title, self.caption = clean(snapshot.title, 80), clean(snapshot.caption, 400)

    def body(self) -> Iterator[str]:
        """The picture itself."""
        raise NotImplementedError

    def about(self) -> str:
        """What a screen reader says of it."""
        raise NotImplementedError

    def legend(self) -> Iterator[tuple[float, list[str]]]:
        """The entries of the legend, each with its width: what there is in this drawing, and nothing else."""
        raise NotImplementedError

    def entry(self, room: float, words: str, *parts: str) -> tuple[float, list[str]]:
        """A sign of the legend and its words."""
        return room + 6 + width(words, 12) + 16, [*parts, self.brush.text("legend", room + 6, 0, words)]

    # ------------------------------------------------------------------------------------ the page
    def _page(self, wide: float, high: float) -> tuple[float, float]:
        """The page around a plan of this size: with title, caption and legend."""
        wide = max(wide, LEAST if self.snapshot.vertices else 0.0, width(self.title, 15, bold=True) + 2 * EDGE)
        notes = len(self._caption(wide)) + len(list(self._rows(self.legend(), wide)))
        return wide, high + (TITLE_ROOM if self.title else 0.0) + NOTE_LINE * notes + EDGE / 2

    def document(self) -> str:
        """The whole SVG."""
        brush, title = self.brush, self.title
        inner = list(self.body())
        wide, high = self._page(*self.size)
        scale = self.look.scale(wide, high)
        top = TITLE_ROOM if title else 0.0
        about = xml(f"{title or self.words['graph']}: {self.about()}")
        page = [] if self.look.transparent else [brush.rect(Box(0, 0, wide, high), "page", "page", "none")]
        heading = [brush.text("heading", EDGE, 24, title)] if title else []
        shift = max(0.0, (wide - self.size[0]) / 2)
        notes = [*page, *heading, f'<g transform="translate({n(shift)} {n(top)})">', *inner, "</g>"]
        notes += self._notes(wide, top + self.size[1])
        # Two drawings may stand on one page: identifiers and rules carry the drawing's own mark.
        text = "\n".join(notes)
        mark = "g" + hashlib.sha256(f"{sorted(brush.used)}{self.look.theme}{text}".encode()).hexdigest()[:8]
        text = text.replace(' id="', f' id="{mark}-')
        auto = self.look.theme == "auto"
        style = f"<style>{dark_style(mark, brush.used, brush.dark)}</style>\n" if auto else ""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="{ROOT} {mark}" role="img" aria-label="{about}"'
            f' width="{n(wide * scale)}" height="{n(high * scale)}" viewBox="0 0 {n(wide)} {n(high)}">\n'
            f"<title>{about}</title>\n{style}{text}\n</svg>\n"
        )

    def _notes(self, wide: float, y: float) -> Iterator[str]:
        """Caption and legend, line under line."""
        for line in self._caption(wide):
            y += NOTE_LINE
            yield self.brush.text("caption", EDGE, y - 6, line)
        for row in self._rows(self.legend(), wide):
            x, y = EDGE, y + NOTE_LINE
            for room, entry in row:
                yield f'<g class="key" transform="translate({n(x)} {n(y - 6)})">{"".join(entry)}</g>'
                x += room

    def _caption(self, wide: float) -> list[str]:
        lines: list[str] = []
        for word in self.caption.split():
            if lines and width(f"{lines[-1]} {word}", 12) <= wide - 2 * EDGE:
                lines[-1] += f" {word}"
            else:
                lines.append(word)
        return lines

    def _rows(self, entries: Iterable[tuple[float, list[str]]], wide: float) -> Iterator[list[tuple[float, list[str]]]]:
        row: list[tuple[float, list[str]]] = []
        for entry in entries:
            if row and sum(room for room, _ in row) + entry[0] > wide - 2 * EDGE + 16:
                yield row
                row = []
            row.append(entry)
        if row:
            yield row


class GraphPainter(Painter):
    """Boxes and edges."""

    def __init__(self, snapshot: Snapshot, look: Look) -> None:
        super().__init__(snapshot, look)
        self.cards = {vertex.id: card(vertex, self.lang) for vertex in snapshot.vertices}
        self.chips = chips(snapshot, look.edge_labels, self.lang)
        self.plan = self._plan()
        self.size = self.plan.width, self.plan.height

    def about(self) -> str:
        counts = len(self.snapshot.vertices), len(self.snapshot.edges)
        return f"{counts[0]} {self.words['values']}, {counts[1]} {self.words['edges']}"

    def body(self) -> Iterator[str]:
        yield from self._frames()
        names = {key: entry.name for key, entry in self.cards.items()}
        routes = zip(self.snapshot.edges, self.chips, self.plan.routes, self.plan.chips, strict=True)
        for edge, lines, route, box in routes:
            yield from self._edge(edge, lines, route, box, edge_tip(edge, names, self.lang))
        for vertex in self.snapshot.vertices:
            yield from self._vertex(vertex, self.cards[vertex.id], self.plan.vertices[vertex.id])

    def _plan(self) -> Layout:
        look = self.look
        sizes = {vertex.id: measure(self.cards[vertex.id], vertex.kind) for vertex in self.snapshot.vertices}

        def fit(wide: float, high: float) -> float:
            return look.fit(*self._page(wide, high))

        def plan(rankdir: str) -> Layout:
            labels = [_chip_size(lines) for lines in self.chips]
            return layout(self.snapshot, sizes, labels, rankdir, int(look.wrap or 1), fit if look.wraps else None)

        if look.rankdir != "auto":
            return plan(look.rankdir)
        if not (look.wraps and look.width and look.ratio):
            return plan("LR")
        plans = [plan("LR"), plan("TB")]
        return max(plans, key=lambda one: fit(one.width, one.height))

    def legend(self) -> Iterator[tuple[float, list[str]]]:
        brush, entry, words, snapshot = self.brush, self.entry, self.words, self.snapshot
        if not snapshot.vertices:
            return

        if snapshot.edges:
            yield entry(28, words["value"], brush.line("fwd", "M0 -4h22"), brush.head((28, -4), (1, 0), "fh"))
        if any(edge.flows for edge in snapshot.edges):
            yield entry(28, words["gradient"], brush.line("bwd", "M28 -4h-22"), brush.head((0, -4), (-1, 0), "bh"))
        if any(self.chips):
            chip = brush.rect(Box(0, -10, 22, 12), "chip", "page", "backward", 3)
            yield entry(22, words["local"], chip, brush.text("chip-text", 11, 0, "∂", "middle"))
        kinds = {vertex.kind for vertex in snapshot.vertices}
        for kind in (kind for kind in KINDS if kind in kinds):
            swatch = brush.rect(
                Box(0, -10, 16, 11), f"{kind} swatch", f"box-{kind}", f"rim-{kind}", _radius(kind) / 2.5
            )
            yield entry(16, words[kind], swatch)
        if any("ḡ" in line for lines in self.chips for line in lines):
            yield entry(8, words["incoming"], brush.text("chip-text", 0, 0, "ḡ"))
        blocks = [block for entry in self.cards.values() for block in (entry.value, entry.grad) if block]
        if any(block.heat for block in blocks):
            cells = [f'<path {brush.ink("", level_name(i))} d="M{n(8 * i + 56)} -10h8v11h-8z"/>' for i in range(-4, 5)]
            ends = brush.text("legend", 0, 0, "−m"), brush.text("legend", 100, 0, "m")
            yield entry(112, words["map"], *ends, *cells)
        if any("‖" in line for block in blocks for line in block.lines):
            yield entry(18, words["norm"], brush.text("letter", 0, 0, "‖v‖"))

    def _faint(self, id: str) -> str:
        focus = self.snapshot.focus
        return FAINT if focus and id not in focus else ""

    # ------------------------------------------------------------------------------------ vertices
    def _vertex(self, vertex: Vertex, entry: Card, box: Box) -> Iterator[str]:
        brush, kind = self.brush, vertex.kind
        colours = f"box-{kind}", f"rim-{kind}"
        spoken = xml(entry.tip.replace("\n", ", "))
        more = ' stroke-width="1.2"' + (' stroke-dasharray="4 3"' if entry.grad is None else "")
        nograd = " nograd" if entry.grad is None else ""
        faint = self._faint(vertex.id)
        yield f'<g class="node {kind}{nograd}" id="{vertex.id}" role="img" aria-label="{spoken}"{faint}>'
        yield f"<title>{xml(entry.tip)}</title>"
        if kind == "loss":
            yield brush.rect(box, "box outer", *colours, _radius(kind) + RING, more)
            box = Box(box.x + RING, box.y + RING, box.w - 2 * RING, box.h - 2 * RING)
        yield brush.rect(box, "box", *colours, _radius(kind), more)
        left, right = box.x + PADDING, box.x + box.w - PADDING
        yield brush.text("name", left, box.y + 17, entry.name)
        if entry.shape:
            at = left + width(entry.name, 13, bold=True) + 6
            yield brush.text("shape", at, box.y + 17, entry.shape)
        if entry.op:
            yield brush.text("op", right, box.y + 17, entry.op, "end")
        if entry.value or entry.grad or entry.note:
            yield f'<path {brush.ink("rule", stroke=f"rim-{kind}")} d="M{n(box.x)} {n(box.y + HEADER)}h{n(box.w)}"/>'
        top = box.y + HEADER + 3
        for block, letter, style in ((entry.value, "v", "value"), (entry.grad, "∇", "grad")):
            if block:
                yield f'<g class="{style}s">'  # what the player writes anew at each step
                yield from self._block(block, letter, style, left, right, top)
                yield "</g>"
                top += _block_size(block)[1]
        if entry.note:
            yield brush.text("note", left, top + 12, entry.note)
        yield "</g>"

    def _block(self, block: Block, letter: str, style: str, left: float, right: float, top: float) -> Iterator[str]:
        middle = top + _block_size(block)[1] / 2 + 4
        first = top + 12.5 if not block.heat else middle
        yield self.brush.text("letter", left, first, letter)
        if block.heat:
            yield from self._heat(block, left + CAPTION, top + 2)
        for number, line in enumerate(block.lines):
            yield self.brush.text(style, right, first + LINE * number, line, "end")

    def _heat(self, block: Block, left: float, top: float) -> Iterator[str]:
        """One path per level; in cells large enough a minus or plus repeats the sign without colour."""
        brush, cell = self.brush, block.cell
        squares: dict[str, list[str]] = {}
        signs: list[str] = []
        for i, row in enumerate(block.heat):
            for j, level in enumerate(row):
                x, y = left + j * cell, top + i * cell
                square = f"M{n(x)} {n(y)}h{n(cell)}v{n(cell)}h{n(-cell)}z"
                squares.setdefault(level_name(level), []).append(square)
                if level and cell >= 8:
                    signs.append(f"M{n(x + cell / 2 - 2)} {n(y + cell / 2)}h4")
                    if level > 0:
                        signs.append(f"M{n(x + cell / 2)} {n(y + cell / 2 - 2)}v4")
        for name in sorted(squares):
            yield f'<path {brush.ink("cell", name)} d="{"".join(squares[name])}"/>'
        if signs:
            yield f'<path {brush.ink("sign", stroke="text")} stroke-linecap="round" d="{"".join(signs)}"/>'
        yield brush.rect(Box(left, top, cell * len(block.heat[0]), cell * len(block.heat)), "map", "none", "line")

    # ---------------------------------------------------------------------------- edges and frames
    def _edge(
        self, edge: Edge, lines: Sequence[str], route: Sequence[Point], box: Box | None, tip: str
    ) -> Iterator[str]:
        brush, turned = self.brush, self.plan.rankdir == "TB"
        ahead = (0, 1) if turned else (1, 0)
        noflow, faint = "" if edge.flows else " noflow", self._faint(edge.id)
        wrong = " wrong" if edge.wrong else ""
        yield f'<g class="edge{noflow}{wrong}" id="{edge.id}"{faint}><title>{xml(tip)}</title>'
        if wrong:
            yield f'<path fill="none" stroke="{WRONG}" stroke-width="9" d="{_curve(route, 0.0, turned, 0.0, 0.0)[0]}"/>'
        shift = APART if edge.flows else 0.0
        path, _, end = _curve(route, -shift, turned, 0.0, 6.0)
        yield brush.line("fwd", path) + brush.head(end, ahead, "fh")
        if edge.flows:
            path, start, _ = _curve(route, shift, turned, 6.0, 0.0)
            yield brush.line("bwd", path) + brush.head(start, (-ahead[0], -ahead[1]), "bh")
        if box:
            fill, ink = ("backward", "page") if edge.wrong else ("page", "backward")
            yield '<g class="locals">' + brush.rect(box, "chip", fill, "backward", 4)
            for number, line in enumerate(lines):
                x, y = box.x + box.w / 2, box.y + 14 + CHIP_LINE * number
                yield brush.text("chip-text", x, y, line, "middle", ink)
            yield "</g>"
        yield "</g>"

    def _frames(self) -> Iterator[str]:
        number = 0
        pieces = (piece for route in self.plan.routes for piece in pairwise(route))
        curves = [piece for piece in pieces if piece[0][0] != piece[1][0] and piece[0][1] != piece[1][1]]
        for scope, boxes in self.plan.frames.items():
            title = clean(self.snapshot.scopes[scope])
            for part, box in enumerate(boxes):
                shown = f"{title} …" if part else title
                while shown and width(shown, 12) > self._title_room(box, curves):
                    shown = clean(title, len(shown) - 1) if len(shown) > 1 else ""
                yield f'<g class="frame" id="frame{number}"><title>{xml(title)}\n{xml(path_text(scope))}</title>'
                yield self.brush.rect(box, "border", "frame", "line", 8, ' stroke-dasharray="6 4"')
                if shown and not (part and self.plan.rankdir == "TB"):  # where lines enter from above
                    yield self.brush.text("title", box.x + 10, box.y + 14, shown)
                yield "</g>"
                number += 1

    def _title_room(self, box: Box, curves: Sequence[tuple[Point, Point]]) -> float:
        """How long a frame's title may be: up to the first line that leaves the frame through the title's strip."""
        room = box.w - 20
        if self.plan.rankdir == "LR":
            for (x0, y0), (x1, y1) in curves:
                if box.x < x0 and x1 < box.x + box.w and min(y0, y1) < box.y + TITLE and max(y0, y1) > box.y:
                    room = min(room, x0 - APART - box.x - 10)
        return room


def _radius(kind: str) -> float:
    return 3.0 if kind in ("op", "module", "loss") else 11.0


# Sizes and paths --------------------------------------------------------------------------------
def _block_size(block: Block) -> tuple[float, float]:
    text = max(width(line, 12, mono=True) for line in block.lines)
    if not block.heat:
        return text, LINE * len(block.lines)
    cell = block.cell
    return cell * len(block.heat[0]) + 8 + text, max(LINE, cell * len(block.heat) + 6)


def measure(entry: Card, kind: str) -> tuple[float, float]:
    """The width and height of a vertex's box."""
    ring = 2 * RING if kind == "loss" else 0.0
    head = width(entry.name, 13, bold=True) + 2 * PADDING
    head += width(entry.shape, 11, mono=True) + 6 if entry.shape else 0
    head += width(entry.op, 13) + 14 if entry.op else 0
    wide, high = max(head, width(entry.note, 12) + 2 * PADDING), HEADER
    for block in (entry.value, entry.grad):
        if block:
            across, down = _block_size(block)
            wide, high = max(wide, across + CAPTION + 2 * PADDING), high + down
    return round(wide) + ring, high + (LINE if entry.note else 0) + 6 + ring


def _chip_size(lines: Sequence[str]) -> tuple[float, float] | None:
    if not lines:
        return None
    return float(round(max(width(line, 12, mono=True) for line in lines) + 10)), CHIP_LINE * len(lines) + 5


def _curve(
    route: Sequence[Point], shift: float, turned: bool, cut_start: float, cut_end: float
) -> tuple[str, Point, Point]:
    """The path of a route moved sideways by `shift`, with the tips of its arrow heads.

    Straight lines keep their distance around corners, which are rounded. A curve across a gap leaves and arrives along
    the flow; where it is steep its control points move along the flow too, to the side of the turn, since a sideways
    shift alone would bring the two lines together.
    """
    points = [(y, x) for x, y in route] if turned else list(route)
    ways = [_way(a, b) for a, b in pairwise(points)]
    around = [ways[0], *ways, ways[-1]]
    moved = []
    for (along, across), (ax, ay), (bx, by) in zip(points, around, around[1:], strict=False):
        # The sides of both stretches: where they are one the point moves once, at a corner with either.
        side = {(-ay, ax), (-by, bx)}
        moved.append((along + shift * sum(x for x, _ in side), across + shift * sum(y for _, y in side)))
    tip_start, tip_end = moved[0], moved[-1]
    moved[0] = (moved[0][0] + cut_start, moved[0][1])
    moved[-1] = (moved[-1][0] - cut_end, moved[-1][1])

    def turn(point: Point) -> str:
        return f"{n(point[1])} {n(point[0])}" if turned else f"{n(point[0])} {n(point[1])}"

    path = "M" + turn(moved[0])
    for number, ((a0, c0), (a1, c1)) in enumerate(pairwise(moved)):
        if abs(a1 - a0) > 0.01 and abs(c1 - c0) >= 0.5:
            middle = (a0 + a1) / 2 - shift * max(-1.0, min(1.0, (c1 - c0) / 40))
            path += f"C{turn((middle, c0))} {turn((middle, c1))} {turn((a1, c1))}"
        elif (
            number + 1 < len(ways)
            and ways[number][0] * ways[number + 1][0] + ways[number][1] * ways[number + 1][1] == 0
        ):
            (dx, dy), (ex, ey), corner = ways[number], ways[number + 1], (a1, c1)
            path += f"L{turn((a1 - TURN * dx, c1 - TURN * dy))}Q{turn(corner)} {turn((a1 + TURN * ex, c1 + TURN * ey))}"
        else:
            path += "L" + turn((a1, c1))
    (a0, c0), (a1, c1) = tip_start, tip_end
    return (path, (c0, a0), (c1, a1)) if turned else (path, (a0, c0), (a1, c1))


def _way(a: Point, b: Point) -> tuple[int, int]:
    """The direction of a stretch along and across the flow; a curve begins and ends along it."""
    if a[0] == b[0] and a[1] != b[1]:
        return 0, 1 if b[1] > a[1] else -1
    return 1 if b[0] >= a[0] else -1, 0
