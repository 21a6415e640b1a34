"""A hint describes a disagreement: a missing factor, a sign, rows for columns, an axis that was not summed, …"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations
from math import e, log, pi, prod, sqrt

import numpy as np

from tinygrad_pt.testing.compare import Comparison
from tinygrad_pt.testing.subject import Array

Hint = tuple[str, str]  # a word of `HINTS`, and a sentence
SAME = 1e-6  # two numbers this close, relative to the larger, are the same; bounds are granted besides
LATE = 1e-2  # a relative error below this looks like a constant or a value that is slightly off


@dataclass
class View:
    """One input's entries: rows are results (or combinations of them), columns its elements."""

    name: str
    analytic: Array
    numeric: Array
    bound: Array
    wrong: Array
    kink: Array
    known: Array  # entries of which something can be said
    x: Array  # the elements
    places: Array  # their numbers
    y: Array | None  # the results, if each has a row
    shape: tuple[int, ...]  # of the input, if all its elements are here
    full: tuple[int, ...]  # of the input in any case
    results: tuple[int, ...] | None  # shape of the result, if there is one and each element has a row
    given: bool
    live: Array = field(init=False)  # entries that are not 0 on both sides

    def __post_init__(self) -> None:
        with np.errstate(all="ignore"):
            large = (np.abs(self.analytic) > self.bound) | (np.abs(self.numeric) > self.bound)
            self.live = self.known & (large | self.wrong)

    def equal(self, expected: Array, where: Array | None = None) -> bool:
        """Whether the analytic entries are the expected ones, within the bounds on both."""
        with np.errstate(all="ignore"):
            size = np.maximum(np.abs(self.analytic), np.abs(expected))
            off, gap = np.abs(self.analytic - expected), np.abs(self.analytic - self.numeric)
            near = off <= SAME * size + 4 * np.max(np.where(self.known, self.bound, 0))
            near &= ~self.wrong | (off <= 0.1 * gap)  # it explains what is wrong
        chosen = self.known if where is None else where
        return bool(np.all(near[chosen])) and bool(np.any(chosen))

    def columns(self, mask: Array) -> Array:
        return np.any(mask, axis=0)


def say(kind: str, text: str) -> Hint:
    return kind, f"{kind}: {text}"


def hints(found: Comparison) -> dict[int, Hint]:
    """A hint for every input some of whose entries are wrong, by the input's position."""
    return {found.flat.subject.slots[k]: hint(view) for k, view in views(found) if view.wrong.any()}


def views(found: Comparison) -> Iterator[tuple[int, View]]:
    flat = found.flat
    for k, shape in enumerate(flat.shapes):
        columns = (flat.ends[k] <= found.columns) & (found.columns < flat.ends[k + 1])
        whole = int(np.sum(columns)) == prod(shape)
        each = found.weights is None
        known = ~found.verdicts.unsure[:, columns] & np.isfinite(found.numeric.slope[:, columns])
        yield k, View(
            flat.subject.names[flat.subject.slots[k]], found.analytic[:, columns], found.numeric.slope[:, columns],
            found.verdicts.bound[:, columns], found.verdicts.wrong[:, columns], found.numeric.kink[:, columns], known,
            flat.x[found.columns[columns]], found.columns[columns] - flat.ends[k], flat.y if each else None,
            shape if whole else (), shape,
            flat.results[0] if each and len(flat.results) == 1 else None, bool(found.given[k]),
        )  # fmt: skip


def hint(view: View) -> Hint:
    """The first description that fits, from the plainest to the vaguest."""
    with np.errstate(all="ignore"):
        for look in (nonfinite, dropped, leak, corner, averaged, factor, transposed, unsummed, shifted, place, flipped,
                     related, late, partly, missing):  # fmt: skip
            said = look(view)
            if said is not None:
                return said
    return say("wrong formula", f"the gradient of {view.name} differs in no simple way")


def nonfinite(v: View) -> Hint | None:
    bad = v.wrong & ~np.isfinite(v.analytic)
    if not bad.any():
        return None
    places = v.columns(bad)
    word = "nan" if np.isnan(v.analytic[bad]).any() else "inf"
    if np.all(v.x[places] == 0):
        return say("zero", f"the gradient of {v.name} is {word} where {v.name} is 0")
    return say("non-finite", f"the gradient of {v.name} is {word} at {_count(places)}")


def dropped(v: View) -> Hint | None:
    if not np.all(v.analytic[v.live] == 0):
        return None
    how = "is 0 everywhere" if v.given else "does not arrive (None)"
    return say("dropped input", f"the gradient of {v.name} {how}, yet the function depends on it")


def leak(v: View) -> Hint | None:
    wrong = v.wrong & v.known
    if np.all(np.abs(v.numeric[wrong]) <= v.bound[wrong]) and np.all(v.numeric[v.live] == 0):
        return say("wrong formula", f"a gradient reaches {v.name}, on which the function does not depend here")
    return None


def corner(v: View) -> Hint | None:
    if not np.all(v.kink[v.wrong]):
        return None
    if np.all(v.x[v.columns(v.wrong)] == 0):
        return say("zero", f"the gradient of {v.name} is no subgradient at its corner at 0")
    return say("ties", f"the gradient of {v.name} is no subgradient where the function has a corner")


def averaged(v: View) -> Hint | None:
    """A mean where a sum was due, over axes along which the input was broadcast."""
    r = common(v, v.live)
    size = prod(v.shape) if v.shape else 1
    if r is None or v.results is None or not 0 < size < prod(v.results) or abs(r - size / prod(v.results)) > SAME:
        return None
    fan = np.sum(v.live, axis=0)
    if not np.all(fan == prod(v.results) // size):
        return None
    text = f"the gradient of {v.name} is the mean over the axes along which it was broadcast, and should be the sum: "
    return say("unsummed axis", f"{text}analytic = {spoken(r)} · numeric")


def common(v: View, where: Array, times: Array | None = None) -> float | None:
    """The ratio of analytic to numeric (times something), if it is one and the same in all of these entries."""
    numeric = v.numeric if times is None else v.numeric * times
    bound = v.bound if times is None else v.bound * (1 + np.abs(times))
    some = where & np.isfinite(numeric) & np.isfinite(v.analytic)
    a, n, bound = v.analytic[some], numeric[some], bound[some]
    if not a.size or not np.any(n):
        return None
    weights = 1 / np.maximum(bound, 1e-300) ** 2
    weights = weights / weights.max()
    r = float(np.sum(weights * a * n) / np.sum(weights * n * n))
    off = np.abs(a - r * n) > SAME * min(1.0, abs(r - 1) * 1e-2) * np.abs(a) + (1 + abs(r)) * bound
    return None if off.any() or not np.isfinite(r) else r


def factor(v: View) -> Hint | None:
    r = common(v, v.live)
    return None if r is None else ratio_hint(v, r, "")


def ratio_hint(v: View, r: float, where: str) -> Hint | None:
    """What a ratio says."""
    if abs(r + 1) <= SAME:
        return say("sign", f"analytic = -numeric{where}")
    if r == 0:
        return say("dropped input", f"the gradient of {v.name} is 0{where}")
    if abs(r - 1) < LATE:
        digit = int(np.ceil(-np.log10(abs(r - 1))))
        return say("constant", f"analytic = {r:.10g} · numeric{where}, a constant that is wrong in digit {digit}")
    lengths = {n for n in (*v.shape, *(v.results or ()), v.x.size) if n > 1}
    for n in sorted(lengths):
        if min(abs(r / n - 1), abs(r * n - 1)) <= SAME:
            if n > 2:
                form, missing = (f"{n}", "divided by") if r > 1 else (f"1/{n}", "multiplied by")
                text = f"analytic = {form} · numeric{where}: not {missing} n = {n}, the length of an axis"
                return say("factor", text)
    return say("factor", f"analytic = {spoken(r)} · numeric{where}")


CONSTANTS = {"π": pi, "e": e, "√2": sqrt(2), "√π": sqrt(pi), "√(2π)": sqrt(2 * pi), "ln 2": log(2), "ln 10": log(10)}


def spoken(r: float) -> str:
    """A ratio as one would write it.

    >>> spoken(2 / 3), spoken(-0.5), spoken(2.0**0.5), spoken(1 / 2.302585092994046)
    ('2/3', '-1/2', '√2', '1/ln 10')
    """
    simple = Fraction(r).limit_denominator(64)
    if simple and abs(float(simple) / r - 1) <= SAME and abs(simple.numerator) <= 4096:
        return str(simple)
    for name, c in CONSTANTS.items():
        for power in (1, -1):
            rest = Fraction(r / c**power).limit_denominator(8)
            if rest and abs(float(rest) * c**power / r - 1) <= SAME and abs(rest.numerator) <= 8:
                text = name if power == 1 else f"1/{name}"
                return text if rest == 1 else f"-{text}" if rest == -1 else f"{rest} · {text}"
    return f"{r:.7g}"


def transposed(v: View) -> Hint | None:
    """The entries of the numeric Jacobian with two of its axes exchanged."""
    if not v.shape:
        return None
    out = v.results if v.results is not None else (v.analytic.shape[0],)
    shape = (*out, *v.shape)
    if prod(shape) != v.analytic.size:
        return None
    table = v.numeric.reshape(shape)
    first = len(out)
    pairs = [(i, j) for i, j in combinations(range(len(shape)), 2) if shape[i] == shape[j] > 1]
    if v.results is None:
        pairs = [(i, j) for i, j in pairs if i >= first]
    for i, j in sorted(pairs, key=lambda p: (p[0] < first, p[1] < first)):
        if v.equal(np.swapaxes(table, i, j).reshape(v.analytic.shape)):
            if i >= first:
                what = f"axes {i - first} and {j - first} of the gradient of {v.name} are exchanged"
            elif j >= first:
                what = f"for {v.name} an operand is transposed: axis {i} of g meets its axis {j - first} the wrong way"
            elif prod(v.shape) < prod(out):
                text = f"the gradient of {v.name} sums g over the wrong one of axes {i} and {j} of the result"
                return say("unsummed axis", text)
            else:
                what = f"the gradient of {v.name} takes g with axes {i} and {j} exchanged"
            return say("transpose", what)
    return None


def unsummed(v: View) -> Hint | None:
    """A slice, or a mean, where a sum over an axis of the results was due; or a sum too many."""
    if v.results is None or not v.shape:
        return None
    table = v.numeric.reshape((*v.results, -1))
    live = (np.abs(v.numeric) > v.bound).reshape(table.shape)
    for axis, n in enumerate(v.results):
        fan = live.sum(axis)
        if n < 2 or not np.all(fan[fan > 0] > 1):  # no element meets this axis more than once
            continue
        for place in range(n):
            only = np.arange(n) == place
            kept = table * only.reshape([-1 if i == axis else 1 for i in range(table.ndim)])
            if v.equal(kept.reshape(v.analytic.shape)):
                text = f"the gradient of {v.name} takes g at {place} of axis {axis} of the result, and should sum over "
                return say("unsummed axis", f"{text}all {n}")
    pieces = [np.unique(np.nonzero(v.live & (np.abs(v.analytic) > v.bound))[0])]
    fans = (np.abs(v.numeric) > v.bound).sum(0)
    if np.all(fans[fans > 0] > 1) and pieces[0].size == 1 and prod(v.shape) * 2 <= prod(v.results):
        row = int(pieces[0][0])
        if v.equal(v.numeric * (np.arange(len(v.numeric)) == row)[:, None]):
            return say("unsummed axis", f"the gradient of {v.name} takes one element of g, not the sum")
    back = v.numeric.reshape((-1, *v.shape))
    for axis, n in enumerate(v.shape):
        if n > 1:
            total = np.broadcast_to(back.sum(axis + 1, keepdims=True), back.shape).reshape(v.analytic.shape)
            for r, how in ((1.0, "the sum"), (1.0 / n, "the mean")):
                if v.equal(r * total):
                    text = f"the gradient of {v.name} is {how} over its axis {axis}, along which it was not broadcast"
                    return say("unsummed axis", text)
    return None


def shifted(v: View) -> Hint | None:
    if not v.shape:
        return None
    table = v.numeric.reshape((-1, *v.shape))
    for axis, n in enumerate(v.shape):
        for by in {1, -1} if n > 2 else {1} if n > 1 else ():
            if v.equal(np.roll(table, by, axis + 1).reshape(v.analytic.shape)):
                return "wrong formula", f"shifted: the gradient of {v.name} is one place too far along axis {axis}"
        if n > 1 and v.equal(np.flip(table, axis + 1).reshape(v.analytic.shape)):
            return "wrong formula", f"reversed: the gradient of {v.name} is reversed along axis {axis}"
    return None


def place(v: View) -> Hint | None:
    """What the wrong elements have in common that the right ones have not."""
    bad, good = v.columns(v.wrong), v.columns(v.live & ~v.wrong) & ~v.columns(v.wrong)
    if not good.any():
        return None
    x, rest = np.abs(v.x[bad]), np.abs(v.x[good])
    if np.all(x == 0) and np.all(rest > 0):
        return say("zero", f"the gradient of {v.name} is wrong where it is 0, and right elsewhere")
    r = common(v, v.wrong)
    how = "" if r is None else f" (analytic = {spoken(r)} · numeric)"
    if x.min() > 30 * max(rest.max(), 1e-300) and x.min() > 30:
        return say("magnitude", f"the gradient of {v.name} is wrong where it is {x.min():.3g} or more{how}")
    if 0 < x.max() < rest.min() / 30 and x.max() < 1 / 30:
        return say("magnitude", f"the gradient of {v.name} is wrong where it is {x.max():.3g} or less{how}")
    if int(bad.sum()) == 1 and int(good.sum()) >= 2:
        at = np.unravel_index(int(v.places[bad][0]), v.full) if v.full else ()
        text = ", ".join(str(int(i)) for i in at)
        return say("single element", f"the gradient of {v.name} is wrong at [{text}] alone{how}")
    return None


def flipped(v: View) -> Hint | None:
    r = common(v, v.wrong)
    if r is None or abs(r + 1) > SAME:
        return None
    bad = v.columns(v.wrong)
    good = v.columns(v.live & ~v.wrong)
    where = f" where {v.name} is negative" if np.all(v.x[bad] < 0) and np.all(v.x[good] > 0) else f" at {_count(bad)}"
    return say("sign", f"analytic = -numeric{where}")


def related(v: View) -> Hint | None:
    """A factor that is the input, the result, or a power of them."""
    x = np.broadcast_to(v.x, v.analytic.shape)
    candidates = {v.name: x} | ({} if v.y is None else {"the result": np.broadcast_to(v.y[:, None], x.shape)})
    if int(v.live.sum()) < 2:
        return None
    for name, base in candidates.items():
        for power, form in ((1, "{}"), (-1, "1/{}"), (2, "{}²"), (-2, "1/{}²")):
            r = common(v, v.live, base**power)
            if r is not None and r != 0:
                text = "" if abs(r - 1) <= SAME else "-" if abs(r + 1) <= SAME else f"{spoken(r)} · "
                return say("factor", f"analytic = {text}{form.format(name)} · numeric")
    return None


def late(v: View) -> Hint | None:
    gap = np.abs(v.analytic - v.numeric)[v.wrong]
    size = np.maximum(np.abs(v.analytic), np.abs(v.numeric))[v.wrong]
    if not np.all(gap <= LATE * size):
        return None
    off = f"the gradient of {v.name} is off by at most {np.max(gap / size):.2g} of itself, but by no common factor: "
    return say("constant", off + "it reads a value, or a constant, that is slightly wrong")


def partly(v: View) -> Hint | None:
    r = common(v, v.wrong)
    if r is None or r == 0:
        return None
    return ratio_hint(v, r, f" at {_count(v.columns(v.wrong))}")


def missing(v: View) -> Hint | None:
    if not np.all(v.analytic[v.wrong] == 0):
        return None
    rows = np.any(v.wrong, axis=1)
    if v.results is not None and int(rows.sum()) == 1 and rows.size > 1:
        place = ", ".join(str(int(i)) for i in np.unravel_index(int(np.flatnonzero(rows)[0]), v.results))
        return say("dropped input", f"nothing flows back to {v.name} from element [{place}] of the result")
    return say("dropped input", f"the gradient of {v.name} is 0 at {_count(v.columns(v.wrong))}")


def _count(mask: Array) -> str:
    n = int(np.sum(mask))
    return f"{n} of {mask.size} elements" if mask.size > 1 else "its element"
