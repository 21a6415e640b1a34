"""`place` gives the items of a layout their positions across the columns: rules keep them apart, links pull them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tinygrad_pt.viz.model import Scope

INFINITY = float("inf")
ROUNDS, MOMENTUM, STRAIGHTENINGS = 60, 0.8, 3
GAP = {"vertex": 14.0, "chip": 6.0, "trunk": 8.0, "frame": 12.0}


class Link(NamedTuple):
    """A piece of a line across one gap: from the middle of `left` to `right`, `port` off its middle."""

    left: int
    right: int
    port: float


@dataclass
class Items:
    """Everything that takes up room, column by column, in parallel lists; item 0 is the page itself.

    An item of kind vertex, chip, trunk or frame covers the columns lo..hi, lies in frame `parent`, is
    `extent` long across the columns and takes `room` along them. A frame is at least `title` long, and an item keeps
    `clear` of the titles of frames: it stands that far behind their upper borders.
    """

    pad: float
    head: float
    kind: list[str] = field(default_factory=list)
    lo: list[int] = field(default_factory=list)
    hi: list[int] = field(default_factory=list)
    parent: list[int] = field(default_factory=list)
    extent: list[float] = field(default_factory=list)
    room: list[float] = field(default_factory=list)
    title: dict[int, float] = field(default_factory=dict)
    clear: dict[int, list[tuple[int, float]]] = field(default_factory=dict)
    scope: dict[int, Scope] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.kind)

    def add(self, kind: str, lo: int, hi: int, parent: int, extent: float, room: float) -> int:
        lists: tuple[list[Any], ...] = (self.kind, self.lo, self.hi, self.parent, self.extent, self.room)
        for known, value in zip(lists, (kind, lo, hi, parent, extent, room), strict=True):
            known.append(value)
        return len(self.kind) - 1

    def holding(self, frame: int, lo: int, hi: int) -> int:
        """The innermost of `frame` and the frames around it that reaches over the columns lo..hi."""
        while frame and not (self.lo[frame] <= lo and hi <= self.hi[frame]):
            frame = self.parent[frame]
        return frame

    def sequence(self, key: Sequence[float]) -> list[int]:
        """All items but the page, top to bottom, each frame followed by what it holds."""
        children: dict[int, list[int]] = {}
        for item in range(1, len(self)):
            children.setdefault(self.parent[item], []).append(item)
        for held in children.values():
            held.sort(key=lambda item: (key[item], item), reverse=True)
        result: list[int] = []
        stack = children.get(0, [])[:]
        while stack:
            item = stack.pop()
            result.append(item)
            stack.extend(children.get(item, ()))
        return result


class Spacing:
    """The rules `position[after] − position[before] ≥ distance` that an order of the items implies.

    Item i has its middle at position i; a frame has its upper border there and its lower border at
    position i + n. The rules are listed by their lower end, so one pass in either direction settles all.
    """

    def __init__(self, items: Items, sequence: Sequence[int]) -> None:
        self.items, self.size = items, len(items)
        self.above: list[tuple[int, int, float]] = []
        known: set[tuple[int, int]] = set()
        last: dict[tuple[int, int], int] = {}
        open_frames: list[int] = []

        def rule(before: int, after: int) -> None:
            if (before, after) not in known:
                known.add((before, after))
                self.above.append((before, after, self._distance(before, after)))

        def close(frame: int) -> None:
            end = frame + self.size
            rule(frame, end)
            for column in range(items.lo[frame], items.hi[frame] + 1):
                if (frame, column) in last:
                    rule(last[frame, column], end)
                last[items.parent[frame], column] = end

        for item in sequence:
            parent = items.parent[item]
            while open_frames and open_frames[-1] != parent:
                close(open_frames.pop())
            for column in range(items.lo[item], items.hi[item] + 1):
                before = last.get((parent, column), parent)
                if before:
                    rule(before, item)
                for frame, _ in items.clear.get(item, ()):
                    rule(frame, item)
                if items.kind[item] != "frame":
                    last[parent, column] = item
            if items.kind[item] == "frame":
                open_frames.append(item)
        while open_frames:
            close(open_frames.pop())
        self.frames = [item for item in reversed(sequence) if items.kind[item] == "frame"]

    def _distance(self, before: int, after: int) -> float:
        items, size = self.items, self.size
        if after == before + size:
            return max(items.head + items.pad, items.title.get(before, 0.0))
        if items.kind[before % size] == "frame" and before < size:  # from a border to what lies below it
            frame = items.kind[after % size] == "frame"
            clear = dict(items.clear.get(after, ())).get(before, 0.0)
            return max(clear, items.head + (0 if frame else items.extent[after] / 2))
        half = 0.0 if before >= size else items.extent[before] / 2
        if after >= size:
            return half + items.pad
        gap = max(GAP[items.kind[before % size]], GAP[items.kind[after]])
        return half + gap + items.extent[after] / 2

    def settle(self, wish: Sequence[float]) -> list[float]:
        """The positions that keep every rule, each halfway between pushing down and pushing up.

        Both the least positions ≥ wish and the greatest ≤ wish keep all rules, and rules of this kind
        survive averaging; so half of every conflict is carried by either side.
        """
        down = list(wish) + [-INFINITY] * self.size
        up = list(wish) + [INFINITY] * self.size
        for frame in self.frames:
            down[frame], up[frame] = -INFINITY, INFINITY
        for before, after, distance in self.above:
            if down[before] + distance > down[after]:
                down[after] = down[before] + distance
        for before, after, distance in reversed(self.above):
            if up[after] - distance < up[before]:
                up[before] = up[after] - distance
        settled = [(low + high) / 2 for low, high in zip(down, up, strict=True)]
        top, _ = borders(self.items, settled, 0, self.items.hi[0])
        for frame in self.frames:
            settled[frame] = top.get(frame, INFINITY)
        return settled[: self.size]


def borders(items: Items, across: Sequence[float], lo: int, hi: int) -> tuple[dict[int, float], dict[int, float]]:
    """The upper and lower borders of the frames, as tight around what they hold in the columns lo..hi as may be.

    Where a title needs more room a frame grows, upwards to no more than its own position, which the rules allow.
    """
    top: dict[int, float] = {}
    bottom: dict[int, float] = {}
    for item in range(1, len(items)):
        frame = items.parent[item]
        if frame and items.kind[item] != "frame" and lo <= items.hi[item] and items.lo[item] <= hi:
            half = items.extent[item] / 2
            top[frame] = min(top.get(frame, INFINITY), across[item] - half - items.head)
            bottom[frame] = max(bottom.get(frame, -INFINITY), across[item] + half + items.pad)
    for item, kept in items.clear.items():
        if lo <= items.lo[item] <= hi:
            for frame, distance in kept:
                top[frame] = min(top.get(frame, INFINITY), across[item] - distance)
    for frame in list(items.scope)[:0:-1]:  # inner before outer, without the page
        if frame in top:
            bottom[frame] = max(bottom.get(frame, -INFINITY), top[frame])
            short = items.title.get(frame, 0.0) - (bottom[frame] - top[frame])
            if short > 0 and lo <= items.lo[frame]:
                above = min(short, max(0.0, top[frame] - across[frame]))
                top[frame], bottom[frame] = top[frame] - above, bottom[frame] + short - above
            outer = items.parent[frame]
            if outer:
                top[outer] = min(top.get(outer, INFINITY), top[frame] - items.head)
                bottom[outer] = max(bottom.get(outer, -INFINITY), bottom[frame] + items.pad)
    return top, bottom


def place(items: Items, order: tuple[Sequence[int], Sequence[float]]) -> list[float]:
    """The middle of every item across the columns.

    Every line is a spring that pulls both of its ends alike, so that no pull drags the page along with it.
    Settling may lengthen lines again; so the best round is kept: short lines on a low page.
    """
    sequence, wish = order
    spacing = Spacing(items, sequence)
    degree = [1] * len(items)
    for left, right, _ in items.links:
        degree[left] += 1
        degree[right] += 1
    stiff = [0.9 / max(degree[left], degree[right]) for left, right, _ in items.links]
    before = here = best = spacing.settle(wish)
    least = INFINITY
    for _ in range(ROUNDS):
        length = sum(abs(here[right] + port - here[left]) for left, right, port in items.links)
        cost = length + 3 * (max(here) - min(here))
        if cost < least:
            best, least = here, cost
        wish = [now + MOMENTUM * (now - past) for past, now in zip(before, here, strict=True)]
        for (left, right, port), part in zip(items.links, stiff, strict=True):
            move = part * (here[right] + port - here[left])
            wish[left] += move
            wish[right] -= move
        before, here = here, spacing.settle(wish)
    return _straightened(items, spacing, best)


def _straightened(items: Items, spacing: Spacing, here: list[float]) -> list[float]:
    """Labels move to the height of their line's source, and vertices of one argument to that of their label."""
    into: dict[int, list[Link]] = {}
    for link in items.links:
        into.setdefault(link.right, []).append(link)
    for _ in range(STRAIGHTENINGS):
        wish = list(here)
        for item, links in into.items():
            if len(links) == 1 and items.kind[item] != "trunk":
                wish[item] = wish[links[0].left] - links[0].port
        here = spacing.settle(wish)
    return here
