"""`Sheet` gives columns their places along the flow, cut into rows like a text into lines, and edges their routes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tinygrad_pt.viz.placing import Items, Link, borders

Point = tuple[float, float]
Size = tuple[float, float]
Row = tuple[int, int]  # its first and its last column

MARGIN, COLUMN_GAP, FRAME_PAD, TITLE = 12.0, 22.0, 10.0, 16.0
LANE = 14.0  # between two lines that lead from one row to the next
CLEAR, OUT = 11.0, 14.0  # between these lines and what else there is: beside a row, at its end


@dataclass(frozen=True)
class Box:
    """A rectangle: its upper left corner, its width and its height."""

    x: float
    y: float
    w: float
    h: float


class Sheet:
    """A placed drawing on its page; `rows` are the columns of each row, by default all in one.

    Column r covers `start[r]` to `end[r]` along the flow. Between `come[r]` and `go[r]`, the outer borders of the
    frames that begin or end there, every line runs straight, so that none crosses a frame's title.
    """

    def __init__(self, items: Items, across: Sequence[float], rankdir: str, rows: Sequence[Row] = ()) -> None:
        self.items, self.across, self.turned = items, across, rankdir == "TB"
        last = items.hi[0]
        self.rows = tuple(rows) or ((0, last),)
        self.row_of = [number for number, (lo, hi) in enumerate(self.rows) for _ in range(lo, hi + 1)]
        self._frames_in_rows()
        lead = self._crossings()
        steep = [0.0] * (last + 2)
        for link in items.links:
            at = items.lo[link.right]
            steep[at] = max(steep[at], abs(across[link.right] + link.port - across[link.left]))
        room = [0.0] * (last + 1)
        for item, kind in enumerate(items.kind):
            if kind in ("vertex", "chip"):
                room[items.lo[item]] = max(room[items.lo[item]], items.room[item])
        self.start, self.end, self.come, self.go = ([0.0] * (last + 1) for _ in range(4))
        total, here, self.shift, self.floor = 0.0, MARGIN, [], []
        for number, (lo, hi) in enumerate(self.rows):
            along = MARGIN + max(lead, default=0.0)
            for r in range(lo, hi + 1):
                along += max(COLUMN_GAP, min(70.0, 0.22 * steep[r])) if r > lo else 0.0
                self.come[r] = along
                self.start[r] = along + self.before.get((number, r), 0.0)
                self.end[r] = self.start[r] + room[r]
                along = self.go[r] = self.end[r] + self.after.get((number, r), 0.0)
            lines = len(self.exits[number])
            total = max(total, along + (OUT + LANE * (lines - 1) if lines else 0.0))
            top, bottom = self._reach(number)
            self.shift.append(here - top)
            self.floor.append(here + bottom - top)
            here += bottom - top + 2 * CLEAR + LANE * max(0, lines - 1)
        self._size = round(total + MARGIN, 2), round(self.floor[-1] + MARGIN, 2)
        self.width, self.height = self._size[::-1] if self.turned else self._size

    def _frames_in_rows(self) -> None:
        """The parts of the frames in each row, how they nest, and the room that their borders take along the flow."""
        items = self.items
        self.parts: dict[tuple[int, int], tuple[float, float, float, float]] = {}
        self.before: dict[tuple[int, int], float] = {}
        self.after: dict[tuple[int, int], float] = {}
        self.held: list[list[int]] = [[] for _ in self.rows]
        for item in range(1, len(items)):
            if items.kind[item] != "frame":
                for number in range(self.row_of[items.lo[item]], self.row_of[items.hi[item]] + 1):
                    self.held[number].append(item)
        for number, (lo, hi) in enumerate(self.rows):
            top, bottom = borders(items, self.across, lo, hi)
            nest: dict[int, tuple[float, float]] = {}
            for frame in sorted(top, reverse=True):  # inner before outer
                first, last = max(lo, items.lo[frame]), min(hi, items.hi[frame])
                head = TITLE if self.turned and first == items.lo[frame] else 0.0
                ahead, behind = nest.get(frame, (0.0, 0.0))
                ahead, behind = ahead + FRAME_PAD + head, behind + FRAME_PAD
                self.parts[frame, number] = (ahead, behind, top[frame], bottom[frame])
                self.before[number, first] = max(self.before.get((number, first), 0.0), ahead)
                self.after[number, last] = max(self.after.get((number, last), 0.0), behind)
                outer = items.parent[frame]
                old_ahead, old_behind = nest.get(outer, (0.0, 0.0))
                nest[outer] = (
                    max(old_ahead, ahead if first == max(lo, items.lo[outer]) else 0.0),
                    max(old_behind, behind if last == min(hi, items.hi[outer]) else 0.0),
                )

    # ---------------------------------------------------------------------- from one row to the next
    def _crossings(self) -> list[float]:
        """The lines out of each row: where they leave it and where they enter the next; the room before each row.

        A line belongs to the vertex or trunk that it comes from: all its edges share it.
        """
        items = self.items
        self.exits: list[list[int]] = []
        self.entries: list[dict[int, float]] = [{}]
        lead = []
        starts: dict[int, list[Link]] = {}
        for link in items.links:
            starts.setdefault(items.lo[link.right], []).append(link)
        for _, hi in self.rows:
            if hi == items.hi[0]:
                self.exits.append([])
                break
            ends: dict[int, list[float]] = {}
            for link in starts.get(hi + 1, ()):
                ends.setdefault(link.left, []).append(self.across[link.right])
            for item, kind in enumerate(items.kind):
                if kind == "trunk" and items.lo[item] <= hi < items.hi[item]:
                    ends[item] = [self.across[item]]
            self.exits.append(sorted(ends, key=lambda item: (self.across[item], item)))
            wish = {item: (min(heights) + max(heights)) / 2 for item, heights in ends.items()}
            entry: dict[int, float] = {}
            for item in sorted(wish, key=lambda item: (wish[item], item)):
                entry[item] = max(wish[item], max(entry.values(), default=-1e9) + LANE)
            self.entries.append(entry)
            steep = max((abs(entry[item] - y) for item, heights in ends.items() for y in heights), default=0.0)
            lead.append(LANE * len(entry) + max(COLUMN_GAP, min(70.0, 0.22 * steep)))
        self.lead = [0.0, *lead]
        return lead

    def _reach(self, number: int) -> tuple[float, float]:
        """From where to where a row reaches across the flow."""
        items = self.items
        tops = [part[2] for (_, row), part in self.parts.items() if row == number]
        bottoms = [part[3] for (_, row), part in self.parts.items() if row == number]
        for item in self.held[number]:
            tops.append(self.across[item] - items.extent[item] / 2)
            bottoms.append(self.across[item] + items.extent[item] / 2)
        heights = list(self.entries[number].values())
        return min(tops + heights, default=0.0), max(bottoms + heights, default=0.0)

    def _connection(self, number: int, item: int) -> Iterator[Point]:
        """The corners of an item's line from one row to the next: out to the right, below the row, in from the left."""
        exits, entry = self.exits[number], self.entries[number + 1]
        place = exits.index(item)
        rank = sorted(entry, key=lambda key: entry[key]).index(item)
        lo = self.rows[number + 1][0]
        y, into = self.across[item] + self.shift[number], entry[item] + self.shift[number + 1]
        right = self.go[self.rows[number][1]] + OUT + LANE * (len(exits) - 1 - place)
        below = self.floor[number] + CLEAR + LANE * (len(exits) - 1 - place)
        inner = self.come[lo] - (self.lead[number + 1] - LANE * len(entry))
        left = inner - LANE * (rank + 0.5)
        yield from ((right, y), (right, below), (left, below), (left, into), (inner, into))

    # -------------------------------------------------------------------------------- the whole page
    def _turn(self, along: float, across: float) -> Point:
        return (round(across, 2), round(along, 2)) if self.turned else (round(along, 2), round(across, 2))

    def box(self, item: int, size: Size) -> Box:
        """The box of a vertex or chip of some size."""
        lo = self.items.lo[item]
        x, y = self._turn((self.start[lo] + self.end[lo]) / 2, self.across[item] + self.shift[self.row_of[lo]])
        return Box(round(x - size[0] / 2, 2), round(y - size[1] / 2, 2), *size)

    def frames(self) -> Iterator[tuple[int, Box]]:
        """Every frame, outer before inner, with its box in each row it reaches into."""
        for (frame, number), (ahead, behind, top, bottom) in sorted(self.parts.items()):
            lo, hi = self.rows[number]
            first, last = max(lo, self.items.lo[frame]), min(hi, self.items.hi[frame])
            x0, y0 = self._turn(self.start[first] - ahead, top + self.shift[number])
            x1, y1 = self._turn(self.end[last] + behind, bottom + self.shift[number])
            yield frame, Box(x0, y0, round(x1 - x0, 2), round(y1 - y0, 2))

    def routes(self) -> tuple[tuple[Point, ...], ...]:
        """The points of every edge, in order."""
        items = self.items
        to_target = {link.left: link for link in items.links if items.kind[link.left] == "chip"}
        to_trunk = {link.right: link.left for link in items.links if items.kind[link.right] == "trunk"}
        routes = []
        for link in items.links:
            if items.kind[link.right] != "chip":
                continue
            chip = link.right
            spans = [(chip, items.lo[chip], items.hi[chip])]
            piece = link.left
            while items.kind[piece] == "trunk":
                spans.append((piece, items.lo[piece], spans[-1][1] - 1))
                piece = to_trunk[piece]
            routes.append(self._route(piece, spans[::-1], to_target[chip]))
        return tuple(routes)

    def _route(self, source: int, spans: Sequence[tuple[int, int, int]], arrival: Link) -> tuple[Point, ...]:
        items = self.items
        a, c = items.lo[source], items.lo[arrival.right]
        number, before = self.row_of[a], source
        y = self.across[source] + self.shift[number]
        points = [((self.start[a] + self.end[a] + items.room[source]) / 2, y), (self.go[a], y)]
        for item, lo, hi in spans:
            while lo <= hi:
                if self.row_of[lo] != number:
                    points += self._connection(number, before)
                    number += 1
                before, last = item, min(hi, self.rows[number][1])
                y = self.across[item] + self.shift[number]
                points += [(self.come[lo], y), (self.go[last], y)]
                lo = last + 1
        y = self.across[arrival.right] + arrival.port + self.shift[number]
        points += [(self.come[c], y), ((self.start[c] + self.end[c] - items.room[arrival.right]) / 2, y)]
        return tuple(self._turn(*point) for point in _without_idle(points))


def _without_idle(points: Sequence[Point]) -> list[Point]:
    """The points but those in the middle of a straight line."""
    kept = [points[0]]
    for here, ahead in pairwise([*points[1:], points[-1]]):
        (x, y), behind = here, kept[-1]
        if here == behind or any(behind[axis] == here[axis] == ahead[axis] for axis in (0, 1)) and here != points[-1]:
            continue
        kept.append((x, y))
    return kept if len(kept) > 1 else [*kept, points[-1]]


# Where to cut ------------------------------------------------------------------------------------
def rows_of(sheet: Sheet, count: int) -> list[Row]:
    """Cut the one row of a sheet into `count` rows of about one length, where few lines and few frames are cut.

    Rows end after a column of vertices. Least Σ (length / mean length)² and costs of the cuts, by dynamic programming.
    """
    items, last = sheet.items, sheet.items.hi[0]
    stops = list(range(0, last + 1, 2))
    count = min(count, len(stops))
    mean = max(1.0, (sheet.go[last] - sheet.come[0]) / count)
    lines, frames = [0] * (last + 2), [0] * (last + 2)
    for item, kind in enumerate(items.kind):
        for column in range(items.lo[item], items.hi[item]):
            lines[column] += kind == "trunk"
            frames[column] += kind == "frame" and item > 0
    for left in {(link.left, items.lo[link.right] - 1) for link in items.links}:
        lines[left[1]] += 1
    cost = [0.12 * lines[stop] + 0.25 * frames[stop] for stop in stops]
    best: list[dict[int, tuple[float, int]]] = [{-1: (0.0, -1)}]
    for _ in range(count):
        now: dict[int, tuple[float, int]] = {}
        for before, (spent, _) in best[-1].items():
            if before + 1 == len(stops):
                continue
            begin = sheet.come[2 * before + 1 if before >= 0 else 0]
            for stop in range(before + 1, len(stops)):
                length = (sheet.go[stops[stop]] - begin) / mean
                if length > 3 and stop > before + 1:
                    break
                whole = spent + length * length + (cost[stop] if stop + 1 < len(stops) else 0.0)
                if stop not in now or whole < now[stop][0]:
                    now[stop] = whole, before
        best.append(now)
    used = max(n for n, known in enumerate(best) if len(stops) - 1 in known)
    rows: list[Row] = []
    stop = len(stops) - 1
    for known in best[used:0:-1]:
        before = known[stop][1]
        rows.append((2 * before + 1 if before >= 0 else 0, stops[stop] if stop + 1 < len(stops) else last))
        stop = before
    return rows[::-1]
