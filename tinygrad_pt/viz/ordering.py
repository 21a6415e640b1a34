"""`arrange` orders the items of each column by barycentre sweeps and transpositions, for the fewest crossings."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Callable, Sequence

from tinygrad_pt.viz.placing import Items, Spacing

SWEEPS = 12


def arrange(items: Items) -> tuple[list[int], list[float]]:
    """The sequence of all items with the fewest crossings found, and rough positions in that sequence.

    One number per item, its height on the page, decides every order: so two frames, or a frame and a
    passing line, stand in the same order in all columns they share, and frames are never torn apart.
    """
    large = len(items) > 2500
    best: tuple[tuple[int, float], list[int], list[float]] | None = None
    for start in range(1 if large else 3):
        key = _first_guess(items, start)
        for number in range(SWEEPS // 2 if large else SWEEPS):
            _lift_frames(items, key)
            sequence = items.sequence(key)
            here = Spacing(items, sequence).settle(key)
            if number % 3 == 2:
                sequence, here = _transposed(items, sequence, here)
            lanes = _lanes(items, sequence)
            length = sum(abs(here[right] + port - here[left]) for left, right, port in items.links)
            score = crossings(items, lanes), round(length, 3)
            if best is None or score < best[0]:
                best = score, sequence, here
            key = _sweep(items, lanes, here, rightwards=(number + start) % 2 == 0)
    assert best is not None
    return best[1], best[2]


def _first_guess(items: Items, start: int) -> list[float]:
    """Leaves numbered as met on the way back from the results: slot by slot, from the last slot, by birth."""
    if start == 2:
        return [40.0 * item for item in range(len(items))]
    args: dict[int, list[int]] = {}
    fed: set[int] = set()
    for link in items.links:
        args.setdefault(link.right, []).append(link.left)
        fed.add(link.left)
    key = [0.0] * len(items)
    seen: set[int] = set()
    leaves = 0
    stack = [(item, False) for item in range(len(items) - 1, 0, -1) if item not in fed]
    while stack:
        item, done = stack.pop()
        before = args.get(item, ())
        if done:
            key[item] = sum(key[arg] for arg in before) / len(before)
        elif item not in seen:
            seen.add(item)
            if before:
                stack.append((item, True))
                stack.extend((arg, False) for arg in (reversed(before) if start == 0 else before))
            else:
                leaves += 1
                key[item] = 40.0 * leaves
    return key if start == 0 else [-height for height in key]


def _lift_frames(items: Items, key: list[float]) -> None:
    """A frame stands where the vertices in it stand on average."""
    total: dict[int, float] = {}
    count: dict[int, int] = {}
    for item in range(1, len(items)):
        if items.kind[item] == "vertex":
            frame = items.parent[item]
            while frame:
                total[frame] = total.get(frame, 0.0) + key[item]
                count[frame] = count.get(frame, 0) + 1
                frame = items.parent[frame]
    for frame, whole in total.items():
        key[frame] = whole / count[frame]


def _lanes(items: Items, sequence: Sequence[int]) -> list[list[int]]:
    """The items of each column from top to bottom, frames left out."""
    lanes: list[list[int]] = [[] for _ in range(items.hi[0] + 1)]
    for item in sequence:
        if items.kind[item] != "frame":
            for column in range(items.lo[item], items.hi[item] + 1):
                lanes[column].append(item)
    return lanes


def _sweep(items: Items, lanes: Sequence[Sequence[int]], here: Sequence[float], rightwards: bool) -> list[float]:
    """New heights, column after column: the mean of the neighbours behind, kept apart within the column."""
    key = list(here)
    behind: dict[int, list[tuple[int, float]]] = {}
    for left, right, port in items.links:
        if rightwards:
            behind.setdefault(right, []).append((left, -port))
        else:
            behind.setdefault(left, []).append((right, port))
    for column in range(len(lanes)) if rightwards else reversed(range(len(lanes))):
        new = [i for i in lanes[column] if (items.lo if rightwards else items.hi)[i] == column]
        wish = {}
        for item in new:
            near = behind.get(item)
            wish[item] = sum(key[i] + at for i, at in near) / len(near) if near else key[item]
        new.sort(key=lambda item: (wish[item], here[item], item))
        for item, height in zip(new, _apart(items, new, [wish[i] for i in new]), strict=True):
            key[item] = height
    return key


def _apart(items: Items, column: Sequence[int], wish: Sequence[float]) -> list[float]:
    """Sorted heights spread until the items fit, each conflict halved between pushing down and up."""
    steps = [(items.extent[a] + items.extent[b]) / 2 + 8.0 for a, b in zip(column, column[1:], strict=False)]
    down, up = list(wish), list(wish)
    for i, step in enumerate(steps):
        down[i + 1] = max(down[i + 1], down[i] + step)
    for i in reversed(range(len(steps))):
        up[i] = min(up[i], up[i + 1] - steps[i])
    return [(a + b) / 2 for a, b in zip(down, up, strict=True)]


def crossings(items: Items, lanes: Sequence[Sequence[int]]) -> int:
    """How many pairs of line pieces cross, over all gaps between two columns."""
    spot = [{item: place for place, item in enumerate(lane)} for lane in lanes]
    pieces: list[list[tuple[int, float]]] = [[] for _ in lanes]
    for left, right, port in items.links:
        gap = items.lo[right]
        place = spot[gap][right] + port / (items.extent[right] + 1.0)  # still within the vertex's own place
        pieces[gap].append((spot[gap - 1][left], place))
    for item in range(len(items)):
        if items.kind[item] == "trunk":
            for gap in range(items.lo[item] + 1, items.hi[item] + 1):
                pieces[gap].append((spot[gap - 1][item], spot[gap][item]))
    return sum(map(_inversions, pieces))


def _inversions(piece: list[tuple[int, float]]) -> int:
    piece.sort()
    passed: list[float] = []
    total = 0
    for _, right in piece:
        total += len(passed) - bisect_right(passed, right)
        insort(passed, right)
    return total


def _transposed(items: Items, sequence: list[int], here: list[float], rounds: int = 4) -> tuple[list[int], list[float]]:
    """Let neighbours of one column and one frame change places wherever that leaves fewer crossings.

    A trunk stays, and the other one steps over it: so nothing changes in the trunk's other columns.
    """
    order = {item: float(place) for place, item in enumerate(sequence)}
    here = list(here)
    ends = _ends(items)
    lanes = _lanes(items, sequence)
    steps = 0
    for _ in range(rounds):
        before = steps
        for column, lane in enumerate(lanes):
            for place in range(len(lane) - 1):
                a, b = lane[place], lane[place + 1]
                trunks = (items.kind[a] == "trunk") + (items.kind[b] == "trunk")
                if trunks == 2 or items.parent[a] != items.parent[b]:
                    continue
                if _gain(ends(a, column), ends(b, column), order) <= 0:
                    continue
                lane[place], lane[place + 1] = b, a
                steps += 1
                if not trunks:
                    order[a], order[b] = order[b], order[a]
                    here[a], here[b] = here[b], here[a]
                elif items.kind[a] == "trunk":
                    order[b], here[b] = order[a] - 1 / (1 + steps), here[a]
                else:
                    order[a], here[a] = order[b] + 1 / (1 + steps), here[b]
        if steps == before:
            break
    better = items.sequence([order.get(item, 0.0) for item in range(len(items))])
    return better, Spacing(items, better).settle(here)


End = tuple[bool, int, float]  # on the right side? which item, at which port of it


def _ends(items: Items) -> Callable[[int, int], list[End]]:
    """What an item is joined to in the columns on either side of a given one."""
    known: dict[tuple[int, int], list[End]] = {}
    for left, right, port in items.links:
        known.setdefault((left, items.lo[right] - 1), []).append((True, right, port))
        known.setdefault((right, items.lo[right]), []).append((False, left, 0.0))

    def ends(item: int, column: int) -> list[End]:
        found = known.get((item, column), [])
        if items.kind[item] == "trunk":
            found = found + [(False, item, 0.0)] * (column > items.lo[item])
            found = found + [(True, item, 0.0)] * (column < items.hi[item])
        return found

    return ends


def _gain(of_a: Sequence[End], of_b: Sequence[End], order: dict[int, float]) -> int:
    """The crossings saved, on both sides of the column, by drawing b above a instead of below."""
    gain = 0
    for side, one, port_one in of_a:
        for other_side, two, port_two in of_b:
            if side == other_side:
                first, second = (order[one], port_one), (order[two], port_two)
                gain += (first > second) - (first < second)
    return gain
