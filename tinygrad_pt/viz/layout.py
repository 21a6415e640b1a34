"""The built-in layered layout: columns by longest path, orders with few crossings, nothing ever overlapping.

Each edge slot owns a place of its own between its columns (a *chip*, with or without a label), and all
long edges out of one vertex share a straight *trunk* until they branch off. Vertices, chips, trunks and
module frames are *items*: each covers an interval of columns and is kept apart from all others in them,
so no line ever runs behind a box. Everything is computed left to right and turned for `rankdir="TB"`; a long
drawing may be cut into rows, like a text into lines.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tinygrad_pt.viz.model import Scope, Snapshot
from tinygrad_pt.viz.ordering import arrange
from tinygrad_pt.viz.placing import Items, Link, place
from tinygrad_pt.viz.sheet import FRAME_PAD, TITLE, Box, Point, Sheet, Size, rows_of
from tinygrad_pt.viz.text import check, clean, width

Fit = Callable[[float, float], float]  # how well a page of some width and height would do
MOST_ROWS = 40
NEAR = 3  # so far from a leaf what is made of it alone still moves along with it


@dataclass(frozen=True)
class Layout:
    """Where everything stands.

    `routes[i]` are the points of edge i from its source's side to its target's: what runs along an axis is a straight
    line, what does not is a curve across the gap between two columns. `chips[i]` is the box of its label, or None.
    `frames` are in order from outer to inner: a box for each row that a frame reaches into.
    """

    width: float
    height: float
    vertices: Mapping[str, Box]
    chips: tuple[Box | None, ...]
    routes: tuple[tuple[Point, ...], ...]
    frames: Mapping[Scope, tuple[Box, ...]]
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
        elif len(sources) == 1 and depth.get(sources[0], NEAR) < NEAR and len(out[sources[0]]) == 1:
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


def layout(
    snapshot: Snapshot, sizes: Mapping[str, Size], chips: Sequence[Size | None], rankdir: str = "LR",
    rows: int = 1, fit: Fit | None = None,
) -> Layout:  # fmt: skip
    """Place a snapshot whose vertices have these sizes and whose edges have these labels (None: no label).

    With `fit` the number of rows is the one for which it answers with the highest number. After Sugiyama, Tagawa and
    Toda (1981): columns, orders by barycentres and transpositions, positions.
    """
    check(rankdir=rankdir)
    items = _items(snapshot, columns(snapshot), sizes, chips, rankdir == "TB")
    across = place(items, arrange(items))
    sheet = best = Sheet(items, across, rankdir)
    if fit:
        scores = [fit(sheet.width, sheet.height)]
        for count in range(2, 1 + min(MOST_ROWS, len(sheet.start) // 2 + 1)):
            other = Sheet(items, across, rankdir, rows_of(sheet, count))
            scores.append(fit(other.width, other.height))
            if scores[-1] == max(scores):
                best = other
            elif max(scores[-3:]) < max(scores):
                break
    elif rows > 1:
        best = Sheet(items, across, rankdir, rows_of(sheet, rows))
    return _assemble(snapshot, best, sizes, chips, rankdir)


def _assemble(
    snapshot: Snapshot, sheet: Sheet, sizes: Mapping[str, Size], chips: Sequence[Size | None], rankdir: str
) -> Layout:
    kinds = sheet.items.kind
    first = {kind: kinds.index(kind) for kind in ("vertex", "chip") if kind in kinds}
    vertices = {v.id: sheet.box(first["vertex"] + i, sizes[v.id]) for i, v in enumerate(snapshot.vertices)}
    labels = tuple(sheet.box(first["chip"] + i, size) if size else None for i, size in enumerate(chips))
    frames: dict[Scope, tuple[Box, ...]] = {}
    for frame, box in sheet.frames():
        scope = sheet.items.scope[frame]
        frames[scope] = (*frames.get(scope, ()), box)
    return Layout(sheet.width, sheet.height, vertices, labels, sheet.routes(), frames, rankdir)


def _items(
    snapshot: Snapshot, column: Mapping[str, int], sizes: Mapping[str, Size], chips: Sequence[Size | None], turned: bool
) -> Items:
    """Vertices take the even columns 2r, chips the odd ones before their target, trunks all between."""
    items = Items(pad=FRAME_PAD, head=FRAME_PAD if turned else TITLE + FRAME_PAD / 2)
    frame = _frames(snapshot, column, items)
    index: dict[str, int] = {}
    slots: dict[str, int] = {}
    for edge in snapshot.edges:
        slots[edge.target] = max(slots.get(edge.target, 0), edge.slot + 1)
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
    if turned:
        _keep_titles_clear(snapshot, items)
    return items


def _keep_titles_clear(snapshot: Snapshot, items: Items) -> None:
    """Where edges enter frames from above, beside the titles: their lines keep to the right of these."""
    first_port: dict[int, float] = {}
    for link in items.links:
        if items.kind[link.right] == "vertex":
            first_port[link.right] = min(first_port.get(link.right, 0.0), link.port)
    for frame, scope in items.scope.items():
        if scope:
            items.title[frame] = width(clean(snapshot.scopes[scope]), 12) + 2 * FRAME_PAD
    for item, kind in enumerate(items.kind):
        if kind == "trunk" or item in first_port:
            frame, port = items.parent[item], first_port.get(item, 0.0)
            while frame and items.lo[frame] == items.lo[item]:
                items.clear.setdefault(item, []).append((frame, items.title[frame] - port))
                frame = items.parent[frame]


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
