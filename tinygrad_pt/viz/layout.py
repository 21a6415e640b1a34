"""The built-in layered layout: columns by longest path, orders with few crossings, nothing ever overlapping.

Each edge slot owns a place of its own between its columns (a *chip*, with or without a label), and all
long edges out of one vertex share a straight *trunk* until they branch off. Vertices, chips, trunks and
module frames are *items*: each covers an interval of columns and is kept apart from all others in them,
so no line ever runs behind a box. Everything is computed left to right and turned for `rankdir="TB"`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tinygrad_pt.viz.model import Scope, Snapshot
from tinygrad_pt.viz.ordering import arrange
from tinygrad_pt.viz.placing import Items, Link, place
from tinygrad_pt.viz.text import check

Point = tuple[float, float]
Size = tuple[float, float]

MARGIN, COLUMN_GAP, FRAME_PAD, TITLE = 16.0, 22.0, 10.0, 16.0


@dataclass(frozen=True)
class Box:
    """A rectangle: its upper left corner, its width and its height."""

    x: float
    y: float
    w: float
    h: float


@dataclass(frozen=True)
class Layout:
    """Where everything stands.

    `routes[i]` are the points of edge i from its source's side to its target's: the first stretch runs
    straight to the end of the column, the second is a curve across the gap, and so on in turn. `chips[i]`
    is the box of its label, or None. `frames` are in order from outer to inner.
    """

    width: float
    height: float
    vertices: Mapping[str, Box]
    chips: tuple[Box | None, ...]
    routes: tuple[tuple[Point, ...], ...]
    frames: Mapping[Scope, Box]
    rankdir: str


def columns(snapshot: Snapshot) -> dict[str, int]:
    """The column of each vertex: the longest path to it, leaves standing beside their first consumer.

    What is made of one leaf alone (a weight's transpose) moves along with it. A value that enters or
    leaves a module's frame stays to the left of the leaves that it meets there: so no leaf is caught
    under a frame it does not belong to, and frames follow one another.
    """
    vertices = {vertex.id: vertex for vertex in snapshot.vertices}
    into: dict[str, list[str]] = {key: [] for key in vertices}
    out: dict[str, list[str]] = {key: [] for key in vertices}
    for edge in snapshot.edges:
        into[edge.target].append(edge.source)
        out[edge.source].append(edge.target)
    depth: dict[str, int] = {}  # of leaves, and of what is made of one leaf alone: these may move freely
    for key, sources in into.items():
        if not sources:
            depth[key] = 1
        elif len(sources) == 1 and sources[0] in depth and len(out[sources[0]]) == 1:
            depth[key] = depth[sources[0]] + 1

    def steps(source: str, target: str) -> int:
        beside = (key for key in into[target] if key in depth and key != source)
        here = vertices[source].scope
        ahead = (depth[key] for key in beside if leaves(here, vertices[key].scope, source not in depth))
        return 1 + max(ahead, default=0)

    def leaves(here: Scope, there: Scope, fixed: bool) -> bool:
        """Whether a line from `here` crosses a frame on its way to what stands `there`."""
        return here[: len(there)] != there or (fixed and here != there)

    column: dict[str, int] = {}
    distance = {(edge.source, edge.target): steps(edge.source, edge.target) for edge in snapshot.edges}
    for key, sources in into.items():
        column[key] = max((column[source] + distance[source, key] for source in sources), default=0)
    for key in reversed(vertices):
        if key in depth and out[key]:
            column[key] = min(column[target] - distance[key, target] for target in out[key])
    return column


def layout(snapshot: Snapshot, sizes: Mapping[str, Size], chips: Sequence[Size | None], rankdir: str = "LR") -> Layout:
    """Place a snapshot whose vertices have these sizes and whose edges have these labels (None: no label).

    After Sugiyama, Tagawa and Toda (1981): columns, orders by barycentres and transpositions, positions.
    """
    check(rankdir=rankdir)
    turned = rankdir == "TB"
    column = columns(snapshot)
    items = _items(snapshot, column, sizes, chips, turned)
    order = arrange(items)
    across = place(items, order, MARGIN)
    along = _along(items, across, turned)
    return _assemble(snapshot, items, across, along, sizes, chips, rankdir)


def _items(
    snapshot: Snapshot, column: Mapping[str, int], sizes: Mapping[str, Size], chips: Sequence[Size | None], turned: bool
) -> Items:
    """Vertices take the even columns 2r, chips the odd ones before their target, trunks all between."""
    items = Items(pad=FRAME_PAD, head=FRAME_PAD if turned else TITLE + FRAME_PAD / 2)
    frame = _frames(snapshot, column, items)
    index: dict[str, int] = {}
    slots: dict[str, int] = {}
    last: dict[str, int] = {}
    for edge in snapshot.edges:
        slots[edge.target] = max(slots.get(edge.target, 0), edge.slot + 1)
        last[edge.source] = max(last.get(edge.source, 0), column[edge.target])
    for vertex in snapshot.vertices:
        at, size = 2 * column[vertex.id], sizes[vertex.id]
        index[vertex.id] = items.add("vertex", at, at, frame[vertex.scope], *(size if turned else size[::-1]))
    trunks = _trunks(snapshot, column, items, frame, index)
    scope = {vertex.id: vertex.scope for vertex in snapshot.vertices}
    for number, edge in enumerate(snapshot.edges):
        at, target = 2 * column[edge.target] - 1, index[edge.target]
        inside = items.holding(frame[scope[edge.target]], at, at)
        size = chips[number] or (0.0, 0.0)
        chip = items.add("chip", at, at, inside, *(size if turned else size[::-1]))
        port = items.extent[target] * ((edge.slot + 1) / (slots[edge.target] + 1) - 0.5)
        items.links.append(Link(trunks.get((edge.source, at - 1), index[edge.source]), chip, 0.0))
        items.links.append(Link(chip, target, port))
    return items


def _trunks(
    snapshot: Snapshot, column: Mapping[str, int], items: Items, frame: Mapping[Scope, int], index: Mapping[str, int]
) -> dict[tuple[str, int], int]:
    """The trunk piece of each vertex in each column that its long edges pass: one piece per frame passed."""
    targets: dict[str, list[tuple[int, Scope]]] = {}
    scope = {vertex.id: vertex.scope for vertex in snapshot.vertices}
    for edge in snapshot.edges:
        targets.setdefault(edge.source, []).append((2 * column[edge.target] - 1, scope[edge.target]))
    trunk: dict[tuple[str, int], int] = {}
    for vertex in snapshot.vertices:
        piece = index[vertex.id]
        ahead = sorted(targets.get(vertex.id, ()))
        common = _common_after(ahead)
        lo, hi = 2 * column[vertex.id] + 1, max((at for at, _ in ahead), default=0) - 1
        near = 0
        for at in range(lo, hi + 1) if hi > lo else ():
            while ahead[near][0] <= at:
                near += 1
            there = items.holding(frame[common[near]], at, at)
            here = items.holding(frame[vertex.scope], at, at)
            held = max(here, there, key=lambda f: len(items.scope[f]))
            if items.kind[piece] == "trunk" and items.parent[piece] == held:
                items.hi[piece] = at
            else:
                before, piece = piece, items.add("trunk", at, at, held, 0.0, 0.0)
                items.links.append(Link(before, piece, 0.0))
            trunk[vertex.id, at] = piece
    return trunk


def _common_after(ahead: Sequence[tuple[int, Scope]]) -> list[Scope]:
    """For each place in a list of targets, the innermost scope that holds it and all that follow."""
    common: list[Scope] = []
    for _, scope in reversed(ahead):
        same = 0
        limit = min(len(scope), len(common[-1])) if common else len(scope)
        while same < limit and (not common or common[-1][same] == scope[same]):
            same += 1
        common.append(scope[:same])
    return common[::-1]


def _frames(snapshot: Snapshot, column: Mapping[str, int], items: Items) -> dict[Scope, int]:
    """One frame per titled scope, outer before inner; the page itself is the empty scope and item 0.

    A scope without a title (a list of layers, which computes nothing itself) shares its parent's frame.
    """
    span: dict[Scope, tuple[int, int]] = {(): (0, 0)}
    for vertex in snapshot.vertices:
        at = 2 * column[vertex.id]
        for depth in range(len(vertex.scope) + 1):
            low, high = span.get(vertex.scope[:depth], (at, at))
            span[vertex.scope[:depth]] = min(low, at), max(high, at)
    frame: dict[Scope, int] = {}
    for scope, (lo, hi) in sorted(span.items(), key=lambda entry: len(entry[0])):
        if scope and scope not in snapshot.scopes:
            frame[scope] = frame[scope[:-1]]
        else:
            frame[scope] = items.add("frame", lo, hi, frame[scope[:-1]] if scope else -1, 0, 0)
            items.scope[frame[scope]] = scope
    return frame


@dataclass(frozen=True)
class _Along:
    """Start and room of each column, and the sides of each frame, along the direction of flow."""

    start: list[float]
    room: list[float]
    sides: dict[int, tuple[float, float]]
    total: float


def _along(items: Items, across: Sequence[float], turned: bool) -> _Along:
    count = items.hi[0] + 1
    room = [0.0] * count
    before, after = [0.0] * (count + 1), [0.0] * (count + 1)
    nest: dict[int, tuple[float, float]] = {}
    head = TITLE if turned else 0.0
    for item in range(len(items)):
        if items.kind[item] in ("vertex", "chip"):
            room[items.lo[item]] = max(room[items.lo[item]], items.room[item])
    for item in reversed(range(1, len(items))):  # inner frames before outer
        if items.kind[item] != "frame":
            continue
        ahead, behind = nest.get(item, (0.0, 0.0))
        ahead, behind = ahead + FRAME_PAD + head, behind + FRAME_PAD
        nest[item] = ahead, behind
        lo, hi, outer = items.lo[item], items.hi[item], items.parent[item]
        before[lo], after[hi] = max(before[lo], ahead), max(after[hi], behind)
        outer_ahead, outer_behind = nest.get(outer, (0.0, 0.0))
        nest[outer] = (
            max(outer_ahead, ahead if lo == items.lo[outer] else 0.0),
            max(outer_behind, behind if hi == items.hi[outer] else 0.0),
        )
    steep = [0.0] * (count + 1)
    for link in items.links:
        at = items.lo[link.right]
        steep[at] = max(steep[at], abs(across[link.right] + link.port - across[link.left]))
    start, here = [], MARGIN
    for r in range(count):
        gap = max(COLUMN_GAP, min(70.0, 0.22 * steep[r])) if r else 0.0
        here += gap + before[r] + (after[r - 1] if r else 0.0)
        start.append(here)
        here += room[r]
    sides = {
        item: (start[items.lo[item]] - ahead, start[items.hi[item]] + room[items.hi[item]] + behind)
        for item, (ahead, behind) in nest.items()
        if item
    }
    return _Along(start, room, sides, here + after[count - 1] + MARGIN)


def _assemble(
    snapshot: Snapshot, items: Items, across: Sequence[float], along: _Along, sizes: Mapping[str, Size],
    chips: Sequence[Size | None], rankdir: str,
) -> Layout:  # fmt: skip
    turned = rankdir == "TB"

    def turn(a: float, c: float) -> Point:
        return (round(c, 2), round(a, 2)) if turned else (round(a, 2), round(c, 2))

    def boxed(item: int, size: Size) -> Box:
        lo = items.lo[item]
        x, y = turn(along.start[lo] + along.room[lo] / 2, across[item])
        return Box(round(x - size[0] / 2, 2), round(y - size[1] / 2, 2), *size)

    first = {kind: items.kind.index(kind) for kind in ("vertex", "chip") if kind in items.kind}
    vertices = {v.id: boxed(first["vertex"] + i, sizes[v.id]) for i, v in enumerate(snapshot.vertices)}
    labels = tuple(boxed(first["chip"] + i, size) if size else None for i, size in enumerate(chips))
    routes = tuple(tuple(turn(*point) for point in route) for route in _routes(items, across, along))
    frames = {}
    for item, (a0, a1) in sorted(along.sides.items()):
        (x0, y0), (x1, y1) = turn(a0, items.top[item]), turn(a1, items.bottom[item])
        frames[items.scope[item]] = Box(x0, y0, round(x1 - x0, 2), round(y1 - y0, 2))
    w, h = turn(along.total, items.bottom[0])
    return Layout(w, h, vertices, labels, routes, frames, rankdir)


def _routes(items: Items, across: Sequence[float], along: _Along) -> list[list[Point]]:
    """The points of every edge in order: straight to the end of a column, a curve over the gap, and so on."""
    start, end = along.start, [a + b for a, b in zip(along.start, along.room, strict=True)]
    to_target = {link.left: link for link in items.links if items.kind[link.left] == "chip"}
    to_trunk = {link.right: link.left for link in items.links if items.kind[link.right] == "trunk"}
    routes = []
    for link in items.links:
        if items.kind[link.right] != "chip":
            continue
        chip, target = link.right, to_target[link.right].right
        port = across[target] + to_target[chip].port
        b, c = items.lo[chip], items.lo[target]
        points = [(start[c] + (along.room[c] - items.room[target]) / 2, port), (start[c], port)]
        points += [(end[b], across[chip]), (start[b], across[chip])]
        piece, leave = link.left, b - 1
        while items.kind[piece] == "trunk":
            points += [(end[leave], across[piece]), (start[items.lo[piece]], across[piece])]
            leave = items.lo[piece] - 1
            piece = to_trunk[piece]
        a = items.lo[piece]
        inset = (along.room[a] - items.room[piece]) / 2
        points += [(end[a], across[piece]), (end[a] - inset, across[piece])]
        routes.append(points[::-1])
    return routes
