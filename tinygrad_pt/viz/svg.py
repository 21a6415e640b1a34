"""`paint` draws a snapshot as one self-contained SVG: boxes placed by the built-in layout, no script and no link."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from tinygrad_pt.viz.card import Block, Card, card, chips, edge_tip
from tinygrad_pt.viz.layout import Box, Layout, Point, layout
from tinygrad_pt.viz.model import Edge, Snapshot, Vertex
from tinygrad_pt.viz.style import level_name, stylesheet
from tinygrad_pt.viz.text import WORDS, check, clean, path_text, width, xml

ROOT = "tinygrad-pt"
LINE, HEADER, PADDING, CAPTION, CHIP_LINE = 17.0, 24.0, 9.0, 18.0, 14.0
APART = 3.0  # half the distance between the forward and the backward line of an edge
TITLE_ROOM, LEGEND_ROOM = 30.0, 28.0
FAINT = ' opacity="0.3"'


def paint(snapshot: Snapshot, rankdir: str = "LR", labels: str = "auto", lang: str = "en") -> str:
    """The whole drawing as SVG text: always valid XML, the same bytes for the same snapshot.

    Raises ValueError for an unknown `rankdir`, `labels` or `lang`.
    """
    check(lang=lang)
    cards = {vertex.id: card(vertex, lang) for vertex in snapshot.vertices}
    words = chips(snapshot, labels, lang)
    sizes = {key: measure(entry) for key, entry in cards.items()}
    plan = layout(snapshot, sizes, [_chip_size(lines) for lines in words], rankdir)
    body = list(_frames(snapshot, plan))
    names = {key: entry.name for key, entry in cards.items()}
    for edge, lines, route, box in zip(snapshot.edges, words, plan.routes, plan.chips, strict=True):
        faint = bool(snapshot.focus) and edge.id not in snapshot.focus
        body.extend(_edge(edge, lines, route, box, plan.rankdir, edge_tip(edge, names, lang), faint))
    for vertex in snapshot.vertices:
        faint = bool(snapshot.focus) and vertex.id not in snapshot.focus
        body.extend(_vertex(vertex, cards[vertex.id], plan.vertices[vertex.id], lang, faint))
    return _document(snapshot, plan, "\n".join(body), lang)


def _document(snapshot: Snapshot, plan: Layout, body: str, lang: str) -> str:
    title = clean(snapshot.title, 80)
    legend, legend_width = _legend(lang)
    top = TITLE_ROOM if title else 0.0
    wide = max(plan.width, legend_width, width(title, 15, bold=True) + 32)
    high = plan.height + top + LEGEND_ROOM
    words = WORDS[lang]
    counts = f"{len(snapshot.vertices)} {words['values']}, {len(snapshot.edges)} {words['edges']}"
    about = f"{title or words['graph']}: {counts}"
    # Two drawings may stand on one page: identifiers carry the drawing's own mark.
    mark = "g" + hashlib.sha256(body.encode()).hexdigest()[:8]
    body = body.replace(' id="', f' id="{mark}-')
    heading = f'<text class="heading" x="16" y="24">{xml(title)}</text>\n' if title else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{ROOT}" role="img" aria-label="{xml(about)}"'
        f' width="{_n(wide)}" height="{_n(high)}" viewBox="0 0 {_n(wide)} {_n(high)}">\n'
        f"<title>{xml(about)}</title>\n<style>\n{stylesheet(ROOT)}\n</style>\n"
        f'<rect class="page" width="{_n(wide)}" height="{_n(high)}"/>\n{heading}'
        f'<g transform="translate(0 {_n(top)})">\n{body}\n</g>\n'
        f'<g transform="translate(16 {_n(high - 14)})">{legend}</g>\n</svg>\n'
    )


def _legend(lang: str) -> tuple[str, float]:
    parts, x = [], 0.0
    words = WORDS[lang]
    for line, name in (("fwd", words["value"]), ("bwd", words["gradient"])):
        ahead = line == "fwd"
        path = f'<path class="{line}" d="M{_n(x)} -4h28"/>'
        tip = _head((x + 28, -4.0), (1, 0), "fh") if ahead else _head((x, -4.0), (-1, 0), "bh")
        parts.append(f'{path}{tip}<text class="small muted" x="{_n(x + 34)}" y="0">{xml(name)}</text>')
        x += 52 + width(name, 11)
    name = words["local"]
    parts.append(
        f'<rect class="chip" x="{_n(x)}" y="-10" width="22" height="12" rx="3"/>'
        f'<text class="mono small grad mid" x="{_n(x + 11)}" y="0">∂</text>'
        f'<text class="small muted" x="{_n(x + 28)}" y="0">{xml(name)}</text>'
    )
    return "".join(parts), x + 60 + width(name, 11)


def _n(value: float) -> str:
    """A coordinate in at most two decimals."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


# Vertices ---------------------------------------------------------------------------------------


def _block_size(block: Block) -> tuple[float, float]:
    text = max(width(line, 12, mono=True) for line in block.lines)
    if not block.heat:
        return text, LINE * len(block.lines)
    cell = block.cell
    return cell * len(block.heat[0]) + 8 + text, max(LINE, cell * len(block.heat) + 6)


def measure(entry: Card) -> tuple[float, float]:
    """The width and height of a vertex's box."""
    head = width(entry.name, 13, bold=True) + 2 * PADDING
    head += width(entry.shape, 11, mono=True) + 6 if entry.shape else 0
    head += width(entry.op, 14) + 14 if entry.op else 0
    wide, high = max(head, width(entry.note, 11) + 2 * PADDING), HEADER
    for block in (entry.value, entry.grad):
        if block:
            across, down = _block_size(block)
            wide, high = max(wide, across + CAPTION + 2 * PADDING), high + down
    return float(round(wide)), high + (LINE if entry.note else 0) + 6


def _vertex(vertex: Vertex, entry: Card, box: Box, lang: str, faint: bool) -> Iterator[str]:
    leaf = vertex.kind not in ("op", "module", "loss")
    dashed = " nograd" if entry.grad is None else ""
    spoken = xml(entry.tip.replace("\n", ", "))
    yield f'<g class="node {vertex.kind}{dashed}" id="{vertex.id}" role="img" aria-label="{spoken}"{FAINT * faint}>'
    yield f"<title>{xml(entry.tip)}</title>"
    if vertex.kind == "loss":
        yield _rect(Box(box.x - 3, box.y - 3, box.w + 6, box.h + 6), "box outer", 5)
    yield _rect(box, "box", 11 if leaf else 3)
    left, right = box.x + PADDING, box.x + box.w - PADDING
    at = left + width(entry.name, 13, bold=True) + 6
    shape = f'<text class="mono small muted" x="{_n(at)}" y="{_n(box.y + 17)}">{xml(entry.shape)}</text>'
    name = f'<text class="name" x="{_n(left)}" y="{_n(box.y + 17)}">{xml(entry.name)}</text>'
    yield name + shape if entry.shape else name
    if entry.op:
        yield f'<text class="end" x="{_n(right)}" y="{_n(box.y + 17)}">{xml(entry.op)}</text>'
    yield f'<path class="rule" d="M{_n(box.x)} {_n(box.y + HEADER)}h{_n(box.w)}"/>'
    top = box.y + HEADER + 3
    for block, caption, style in ((entry.value, "v", "value"), (entry.grad, "∇", "grad")):
        if block:
            yield f'<g class="{style}s">'  # what the player writes anew at each step
            yield from _block(block, caption, style, left, right, top)
            yield "</g>"
            top += _block_size(block)[1]
    if entry.note:
        yield f'<text class="small note" x="{_n(left)}" y="{_n(top + 12)}">{xml(entry.note)}</text>'
    yield "</g>"


def _block(block: Block, caption: str, style: str, left: float, right: float, top: float) -> Iterator[str]:
    middle = top + _block_size(block)[1] / 2 + 4
    first = top + 12.5 if not block.heat else middle
    yield f'<text class="mono muted" x="{_n(left)}" y="{_n(first)}">{caption}</text>'
    if block.heat:
        yield from _heat(block, left + CAPTION, top + 2)
    for number, line in enumerate(block.lines):
        y = first + LINE * number
        yield f'<text class="mono {style} end" x="{_n(right)}" y="{_n(y)}">{xml(line)}</text>'


def _heat(block: Block, left: float, top: float) -> Iterator[str]:
    """One path per level; in cells large enough a minus or plus repeats the sign without colour."""
    cell = block.cell
    squares: dict[str, list[str]] = {}
    signs: list[str] = []
    for i, row in enumerate(block.heat):
        for j, level in enumerate(row):
            x, y = left + j * cell, top + i * cell
            square = f"M{_n(x)} {_n(y)}h{_n(cell)}v{_n(cell)}h{_n(-cell)}z"
            squares.setdefault(level_name(level), []).append(square)
            if level and cell >= 8:
                signs.append(f"M{_n(x + cell / 2 - 2)} {_n(y + cell / 2)}h4")
                if level > 0:
                    signs.append(f"M{_n(x + cell / 2)} {_n(y + cell / 2 - 2)}v4")
    for name in sorted(squares):
        yield f'<path class="cell {name}" d="{"".join(squares[name])}"/>'
    if signs:
        yield f'<path class="sign" d="{"".join(signs)}"/>'
    yield _rect(Box(left, top, cell * len(block.heat[0]), cell * len(block.heat)), "rule map", 0)


def _rect(box: Box, style: str, radius: float) -> str:
    rounded = f' rx="{_n(radius)}"' if radius else ""
    place = f'x="{_n(box.x)}" y="{_n(box.y)}" width="{_n(box.w)}" height="{_n(box.h)}"'
    return f'<rect class="{style}" {place}{rounded}/>'


# Edges and frames -------------------------------------------------------------------------------


def _chip_size(lines: Sequence[str]) -> tuple[float, float] | None:
    if not lines:
        return None
    return float(round(max(width(line, 11, mono=True) for line in lines) + 12)), CHIP_LINE * len(lines) + 5


def _edge(
    edge: Edge, lines: Sequence[str], route: Sequence[Point], box: Box | None, rankdir: str, tip: str, faint: bool
) -> Iterator[str]:
    turned = rankdir == "TB"
    ahead = (0, 1) if turned else (1, 0)
    yield f'<g class="edge{"" if edge.flows else " noflow"}" id="{edge.id}"{FAINT * faint}><title>{xml(tip)}</title>'
    shift = APART if edge.flows else 0.0
    path, _, end = _curve(route, -shift, turned, 0.0, 6.0)
    yield f'<path class="fwd" d="{path}"/>{_head(end, ahead, "fh")}'
    if edge.flows:
        path, start, _ = _curve(route, shift, turned, 6.0, 0.0)
        yield f'<path class="bwd" d="{path}"/>{_head(start, (-ahead[0], -ahead[1]), "bh")}'
    if box:
        yield f'<g class="locals">{_rect(box, "chip", 4)}'
        for number, line in enumerate(lines):
            x, y = box.x + box.w / 2, box.y + 13 + CHIP_LINE * number
            yield f'<text class="mono small grad mid" x="{_n(x)}" y="{_n(y)}">{xml(line)}</text>'
        yield "</g>"
    yield "</g>"


def _curve(
    route: Sequence[Point], shift: float, turned: bool, cut_start: float, cut_end: float
) -> tuple[str, Point, Point]:
    """The path of a route moved sideways by `shift`, with the tips of its arrow heads.

    Where the curve is steep a sideways shift alone would bring the two lines together, so its control
    points move along the flow too, to the side of the turn.
    """

    def turn(a: float, c: float) -> str:
        return f"{_n(c)} {_n(a)}" if turned else f"{_n(a)} {_n(c)}"

    points = [(y, x + shift) if turned else (x, y + shift) for x, y in route]
    tip_start, tip_end = points[0], points[-1]
    points[0] = (points[0][0] + cut_start, points[0][1])
    points[-1] = (points[-1][0] - cut_end, points[-1][1])
    path = "M" + turn(*points[0])
    for number, ((a0, c0), (a1, c1)) in enumerate(zip(points, points[1:], strict=False)):
        if number % 2 == 0 or abs(c1 - c0) < 0.5:
            path += "L" + turn(a1, c1)
        else:
            steep = max(-1.0, min(1.0, (c1 - c0) / 40))
            middle = (a0 + a1) / 2 - shift * steep
            path += f"C{turn(middle, c0)} {turn(middle, c1)} {turn(a1, c1)}"
    if turned:
        tip_start, tip_end = tip_start[::-1], tip_end[::-1]
    return path, tip_start, tip_end


def _head(tip: Point, ahead: tuple[int, int], style: str) -> str:
    """An arrow head that ends in `tip`; drawn as a shape, for a marker would need a link to its name."""
    (x, y), (dx, dy) = tip, ahead
    back_x, back_y = x - 8 * dx, y - 8 * dy
    return (
        f'<path class="head {style}" d="M{_n(x)} {_n(y)}L{_n(back_x - 3.2 * dy)} {_n(back_y + 3.2 * dx)}'
        f'L{_n(back_x + 3.2 * dy)} {_n(back_y - 3.2 * dx)}z"/>'
    )


def _frames(snapshot: Snapshot, plan: Layout) -> Iterator[str]:
    for number, (scope, box) in enumerate(plan.frames.items()):
        title = clean(snapshot.scopes[scope], 80)
        shown = title
        while shown and width(shown, 11) > box.w - 20:
            shown = clean(title, len(shown) - 1)
        yield f'<g class="frame" id="frame{number}"><title>{xml(title)}\n{xml(path_text(scope))}</title>'
        yield _rect(box, "border", 8)
        yield f'<text class="small muted" x="{_n(box.x + 10)}" y="{_n(box.y + 14)}">{xml(shown)}</text></g>'
