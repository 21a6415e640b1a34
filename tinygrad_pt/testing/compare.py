"""`compare` holds the analytic Jacobian of a subject against the numerical one, whole or in random combinations."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from tinygrad_pt.testing.kinks import DOUBT, LEAST, ROUNDING, Tie, Verdicts, joint, judge
from tinygrad_pt.testing.numerical import (
    EPS,
    GRANTED,
    Direction,
    Slopes,
    clear_slopes,
    elements,
    sizes,
    slopes,
    visible_noise,
)
from tinygrad_pt.testing.subject import Array, Flat, signed
from tinygrad_pt.testing.wide import RATIO

T = TypeVar("T", Slopes, Verdicts)
FULL = 2**16  # entries of a Jacobian that is looked at whole
ROWS = 256  # results of which each gets a backward of its own
BLOCKS = 256  # blocks of elements that are moved together, where there are too many
FOLLOWED = 8  # blocks whose elements are looked for at a time
LOCATED = 3  # wrong elements for which the result that disagrees is looked for
LISTED = 100  # wrong entries that get an address
DRIFT = 1e-4
ALIKE = 2.0**12  # elements that move together contribute alike, the largest this much more than the least
EVEN = 2.0**10  # how many times more than another a result may change, of those whose sum is looked at
NOISY = 1e-9  # noise of a result, relative to it and to what it changes by: from here on float64 is not enough
REACH = (1.0, 2.0**6, 2.0**11)  # by which steps are longer in extended precision, where most of the digits cancel
EXCUSE = 100.0  # how often the noise of a function, over |x|, may be found in its gradient


@dataclass
class Comparison:
    """Both Jacobians at one point, of all results or of `weights` of them, and what was said of each entry.

    `columns` are the elements looked at one by one; `None` gradients count as zeros, and `given` says which of the
    checked inputs got one.
    """

    flat: Flat
    weights: Array | None
    columns: Array
    analytic: Array
    numeric: Slopes
    verdicts: Verdicts
    given: Array
    ties: list[Tie]
    checked: int
    located: dict[int, tuple[int, list[float]]]  # per column: the result that disagrees most, and its numbers


def compare(
    flat: Flat, *, seed: int, rtol: float = 0.0, atol: float = 0.0, max_elements: int = 4096,
    rows: tuple[Array, Array] | None = None,
) -> Comparison:  # fmt: skip
    """Hold the gradients of a subject against slopes of its values.

    First random signed directions move whole blocks of elements at once, blocks of like contributions: one wrong
    entry shows in their sum. Where such a sum leaves any doubt, the elements are looked at one by one; if there are
    more than `max_elements`, those of the blocks that fail. Of a large Jacobian two random signed combinations of the
    results are looked at (the second weighs them by 1/|y|, so that large results do not hide small ones). Where
    combinations of the rows of the analytic Jacobian are known already, weights and `rows`, and these are right beyond
    doubt, the Jacobian is.

    Nothing is called wrong on the evidence of float64 alone where there is more to be had: what disagrees there, or
    drowns in round-off, is looked at in extended precision (see `Finer`).
    """
    draw = np.random.default_rng(seed)
    n, m = flat.x.size, flat.y.size
    if rows is not None and 0 < m <= ROWS and 2 < n <= max_elements and right_at_once(flat, *rows, draw):
        none = np.zeros((m, 0))
        truth = none.astype(bool)
        empty = Slopes(none, none, none, none, truth, truth, none)
        said, given = Verdicts(truth, truth, none), np.ones(len(flat.shapes), bool)
        return Comparison(flat, None, np.zeros(0, np.intp), none, empty, said, given, [], m * n, {})
    weights = None if m <= ROWS and m * n <= FULL else combinations(draw, flat.y)
    analytic, given = jacobian(flat, flat.x, weights)
    eps, finer = flat.eps, Finer(flat, weights, analytic, draw, rtol, atol)

    def look(lines: list[Direction], thorough: bool = False) -> Slopes:
        return slopes(flat, flat.x, lines, y=flat.y, eps=eps, thorough=thorough, weights=weights)

    def closer(some: Any) -> tuple[Slopes, Verdicts]:
        """With all that can be known; but no rounding makes inf or nan of a gradient where the slopes are finite."""
        found, said = finer(columns[some])
        surely = verdicts.wrong[:, some] & ~np.isfinite(entries[:, some])
        return found, said._replace(wrong=said.wrong | surely, unsure=said.unsure & ~surely)

    checked = n * (m if weights is None else 1) if n <= max_elements else n
    if n > max_elements:
        columns = suspects(flat, analytic, look, draw, eps, rtol, atol, max_elements)
    else:
        columns = in_bulk(flat, analytic, look, lambda: finer.noisy, draw, eps, rtol, atol)
    entries = analytic[:, columns]
    found = look(elements(flat.x, columns))
    # Round-off in other inputs' shares of a result is round-off in the result.
    verdicts = judge(entries, found, eps=eps, rtol=rtol, atol=atol, least=finer.least[:, columns])
    # Where nothing moves, a step may have fallen on one tread of a staircase.
    if np.any((found.slope == 0) & (entries == 0) & ~found.kink) and finer.noisy:
        found, verdicts = closer(slice(None))
    else:
        wrong = np.any(verdicts.wrong, axis=0)
        for doubtful in (np.flatnonzero(wrong), np.flatnonzero(np.any(verdicts.unsure, axis=0) & ~wrong)):
            for some in (doubtful[i : i + LISTED] for i in range(0, doubtful.size, LISTED)):
                exact, said = closer(some)
                found, verdicts = _replaced(found, some, exact), _replaced(verdicts, some, said)
                if said.wrong.any() or (not wrong[some].any() and np.any(said.unsure, axis=0).all()):
                    break  # the others are like these
    ties: list[Tie] = []
    if not verdicts.wrong.any() and np.any(np.sum(found.kink, axis=1) > 1):
        whole = _spread(found, columns, n) if columns.size < n else found
        values = flat if weights is None else (lambda v: weights @ flat(v))
        y, grain = (flat.y, finer.grain) if weights is None else (weights @ flat.y, np.abs(weights) @ finer.grain)
        ties = joint(values, flat.x, y, analytic, whole, draw, eps, grain)
    located = {}
    if weights is not None:
        for column in np.flatnonzero(np.any(verdicts.wrong, axis=0))[:LOCATED]:
            located[int(column)] = locate(flat, int(columns[column]), eps)
    return Comparison(flat, weights, columns, entries, found, verdicts, given, ties, checked, located)


class Finer:
    """A second look at some elements, with all that can be known about rounding.

    Where a function and its gradient can be computed in extended precision, the two results tell how much rounding
    does to them in float64: `grain` is that of the values. Where they cannot, the noise that is visible in the values
    counts. A gradient is allowed to be as noisy as the function it belongs to.
    """

    def __init__(self, flat: Flat, weights: Array | None, analytic: Array, draw: Any, rtol: float, atol: float) -> None:
        self.flat, self.weights, self.analytic, self.draw, self.rtol, self.atol = (
            flat, weights, analytic, draw, rtol, atol,
        )  # fmt: skip
        self.size = sizes(flat.x)

    @functools.cached_property
    @np.errstate(all="ignore")
    def least(self) -> Array:
        """Slopes that are as good as none: of those that move a result by a ten millionth of itself, the small ones."""
        y = np.abs(self.flat.y if self.weights is None else self.weights @ self.flat.y)
        return LEAST * np.minimum(1.0, np.where(np.isfinite(y), y, 1.0)[:, None] / self.size)

    @functools.cached_property
    def fine(self) -> Flat | None:
        """The function in extended precision, if there is such a thing."""
        wider = self.flat.subject.wider()
        fine = None if wider is None else Flat(wider)
        return fine if fine is not None and fine.results == self.flat.results else None

    @functools.cached_property
    @np.errstate(all="ignore")
    def grain(self) -> Array:
        """What rounding does to each result, here and beside, as far as is known."""
        flat, fine = self.flat, self.fine
        if fine is None:
            return np.zeros(flat.y.shape)
        beside = flat.x + self.size * 2.0**-12 * self.draw.uniform(-1, 1, flat.x.size)
        gaps = [np.abs(fine.y - flat.y), np.abs(fine(beside) - flat(beside))]
        grain = np.max([np.where(np.isfinite(g), g, 0) for g in gaps], axis=0, initial=0)
        return 4 * np.asarray(grain, np.float64)

    @property
    @np.errstate(all="ignore")
    def noisy(self) -> bool:
        """Whether float64 has hardly a digit left of some result."""
        y, grain, shares = self.flat.y, self.grain, np.abs(self.analytic) * self.size
        if self.weights is not None:
            y, grain = self.weights @ y, np.abs(self.weights) @ grain
        change = np.max(np.where(np.isfinite(shares), shares, 0), axis=1, initial=0)
        return bool(np.any(grain > NOISY * np.fmax(np.abs(y), change)))

    @np.errstate(all="ignore")
    def __call__(self, columns: Array) -> tuple[Slopes, Verdicts]:
        """Slopes along these elements, and what is to be said of their entries."""
        flat, eps = self.flat, self.flat.eps
        entries = self.analytic[:, columns]
        unsteady = self.unsteadiness[:, columns]
        if self.fine is None:
            lines = elements(flat.x, columns)
            grain = visible_noise(flat, flat.x, lines)
            found = slopes(flat, flat.x, lines, y=flat.y, eps=eps, thorough=True, weights=self.weights, grain=grain)
            mine = grain if self.weights is None else np.abs(self.weights) @ grain
            extra = unsteady + EXCUSE * mine / self.size[columns]
            given: dict[str, Any] = dict(eps=eps, rtol=self.rtol, atol=self.atol, least=self.least[:, columns])
            return found, judge(entries, found, extra=extra, **given)
        fine = self.fine
        lines = elements(flat.x, columns, REACH)
        found = slopes(fine, flat.x, lines, y=fine.y, eps=fine.eps, weights=self.weights, coarse=flat)
        mine = self.grain if self.weights is None else np.abs(self.weights) @ self.grain
        excuse = EXCUSE * mine[:, None] / self.size[columns]
        blind = ~np.isfinite(flat.y if self.weights is None else self.weights @ flat.y)[:, None]
        if self.widely is None:
            verdicts = judge(entries, found, eps=eps, rtol=self.rtol, atol=self.atol, extra=unsteady + excuse)
        else:
            verdicts = self.both(entries, self.widely[:, columns], found, unsteady, excuse, self.own[:, columns])
        return found, verdicts._replace(wrong=verdicts.wrong & ~blind, unsure=verdicts.unsure | blind)

    @np.errstate(all="ignore")
    def both(
        self, entries: Array, wide: Array, found: Slopes, unsteady: Array, excuse: Array, beside: Array
    ) -> Verdicts:
        """The rules are right if they are in extended precision; and then float64 may lose what noise excuses."""
        own = np.abs(entries - wide)
        extra = GRANTED * RATIO * np.fmax(np.where(np.isfinite(own), own, 0), beside)
        said = judge(wide, found, eps=self.flat.eps, rtol=self.rtol, atol=self.atol, extra=extra)
        size = np.maximum(np.abs(wide), np.abs(found.slope))
        most = DOUBT * size + excuse + unsteady + said.bound
        lost = ~(own <= most) & (excuse < 0.1 * size) & ~said.unsure & ~found.kink
        vague = ~said.wrong & (extra > DOUBT * size) & (extra > 1e-7) & (size > 0) & ~found.kink
        bound = said.bound + np.where(np.isfinite(own), np.minimum(own, most), 0)
        return Verdicts(said.wrong | lost, (said.unsure | vague) & ~lost, np.asarray(bound, np.float64))

    @functools.cached_property
    def widely(self) -> Array | None:
        """The analytic Jacobian in extended precision."""
        assert self.fine is not None
        try:
            return np.asarray(jacobian(self.fine, self.fine.x, self.weights)[0])
        except Exception:  # a rule that takes no such numbers
            return None

    @functools.cached_property
    @np.errstate(all="ignore")
    def own(self) -> Array:
        """What rounding does to the gradient at points beside this one: here it may have done nothing by chance."""
        assert self.fine is not None
        most = np.zeros(self.analytic.shape)
        for _ in range(3):
            x = self.flat.x + self.size * 2.0**-12 * self.draw.uniform(-1, 1, self.flat.x.size)
            pair = [jacobian(flat, x, self.weights)[0] for flat in (self.flat, self.fine)]
            gap = np.abs(pair[0] - pair[1]).astype(np.float64)
            most = np.fmax(most, np.where(np.isfinite(gap) & (gap <= np.abs(pair[1]) + np.abs(pair[0])), gap, 0))
        return most

    @functools.cached_property
    def unsteadiness(self) -> Array:
        return unsteadiness(self.flat, self.weights, self.analytic, self.draw, self.flat.eps)


@np.errstate(all="ignore")
def in_bulk(
    flat: Flat, analytic: Array, look: Any, noisy: Any, draw: Any, eps: float, rtol: float, atol: float
) -> Array:
    """The elements that are to be looked at one by one, after all were moved together.

    A random direction moves elements that contribute alike, the largest of them 2¹² times as much as the least; those
    that contribute nothing have one of their own. Where the slope agrees beyond doubt, only the elements of entries
    remain that the others of their row may hide: a thousandth of them is below the bound of the whole.
    """
    n = flat.x.size
    size = sizes(flat.x)
    shares = np.abs(analytic) * size
    largest = shares.max(0, initial=0)
    if n < 3 or not np.all(np.isfinite(largest)):
        return np.arange(n)
    decade = np.where(largest > 0, np.ceil(np.log2(largest / max(largest.max(), 1e-300)) / np.log2(ALIKE)), 1)
    blocks = [np.flatnonzero(decade == d) for d in np.unique(decade)]
    if 2 * len(blocks) > n:
        return np.arange(n)
    lines = directions(blocks, size, draw)
    found = look(lines)
    along = np.stack([analytic[:, line.index] @ line.weight for line in lines], axis=1)
    if np.any(found.kink) or np.any(found.jump):
        return np.arange(n)
    verdicts = judge(along, found, eps=eps, rtol=rtol, atol=atol)
    if np.any((found.slope == 0) & (along == 0)) and noisy():
        return np.arange(n)
    sharp = found.error <= 1e-6 * np.stack([shares[:, b].max(1) for b in blocks], axis=1) + 1e-9
    if verdicts.wrong.any() or verdicts.unsure.any() or not sharp.all():
        return np.arange(n)
    limit = 1e3 * (found.error + max(ROUNDING, 256 * eps) * np.abs(along))
    hidden = [b[np.any((shares[:, b] > 0) & (shares[:, b] < limit[:, k, None]), 0)] for k, b in enumerate(blocks)]
    return np.sort(np.concatenate(hidden))


@np.errstate(all="ignore")
def right_at_once(flat: Flat, weights: Array, rows: Array, draw: Any) -> bool:
    """Whether a few combinations of the rows leave no doubt about any of them: no backward per result is needed.

    All elements move at once. Each must contribute, and so must each result, and none much less than another, which
    would hide it. What this does not settle is looked at row by row.
    """
    size = sizes(flat.x)
    shares = np.abs(rows) * size
    if flat.eps > EPS or not shares.max(0).min() * ALIKE >= shares.max():  # nan is not
        return False
    (line,) = directions([np.arange(flat.x.size)], size, draw)
    found = clear_slopes(flat, flat.x, flat.y, [line])
    if found is None or not np.abs(found[0]).min() * EVEN >= np.abs(found[0]).max():
        return False
    slope, along = weights @ found[0][:, 0], rows @ line.weight
    error = np.abs(weights) @ found[1][:, 0] + ROUNDING * np.maximum(np.abs(along), np.abs(slope))
    return bool(np.all((np.abs(along - slope) <= error) & (1e3 * error <= shares.min(1))))


def directions(blocks: Sequence[Array], size: Array, draw: Any) -> list[Direction]:
    """A random signed direction for each block of elements."""
    return [
        Direction(b, size[b] * draw.uniform(0.5, 1.0, b.size) * draw.choice([-1.0, 1.0], b.size),
                 (1.0, 2.0**-8, 2.0**-16)) for b in blocks
    ]  # fmt: skip


@np.errstate(all="ignore")
def locate(flat: Flat, column: int, eps: float) -> tuple[int, list[float]]:
    """Of the results of which combinations were looked at, the one whose derivative by an element is most wrong."""
    found = slopes(flat, flat.x, elements(flat.x, [column]), y=flat.y, eps=eps)
    pull = flat.pulled(flat.x)
    likely = np.argsort(-np.abs(np.nan_to_num(found.slope[:, 0])), kind="stable")[:ROWS]
    entries = np.zeros(flat.y.size)
    for k in likely:
        entries[k] = pull(np.eye(1, flat.y.size, k)[0])[0][column]
    worst = int(likely[np.argmax(np.abs(entries - found.slope[:, 0])[likely])])
    numbers = [entries[worst], *(t[worst, 0] for t in (found.slope, found.error, found.left, found.right))]
    return worst, [float(v) for v in numbers]


def combinations(draw: Any, y: Array) -> Array:
    """Two rows of random signed weights for the results."""
    plain = signed(draw, y.size)
    size = np.where(np.isfinite(y) & (y != 0), np.abs(y), 1.0)
    even = signed(draw, y.size) / np.clip(size, 1e-150, 1e150)
    return np.array([plain, even])


def jacobian(flat: Flat, x: Array, weights: Array | None) -> tuple[Array, Array]:
    """The analytic Jacobian, one backward per row, and which inputs got a gradient in some row."""
    pull, seeds = flat.pulled(x), np.eye(flat.y.size) if weights is None else weights
    rows, given = np.zeros((len(seeds), flat.x.size), flat.subject.kind), np.zeros(len(flat.shapes), bool)
    for k, g in enumerate(seeds):
        rows[k], some = pull(g)
        given |= some
    return rows, given


@np.errstate(all="ignore")
def unsteadiness(flat: Flat, weights: Array | None, analytic: Array, draw: Any, eps: float) -> Array:
    """How much the analytic Jacobian changes when the inputs are rounded a little differently: what it is worth.

    A change of more than 0.1 % is no round-off but another branch, and counts for nothing.
    """
    most = np.zeros(analytic.shape)
    for _ in range(3):
        x = flat.x * (1 + 4 * eps * draw.choice([-1.0, 1.0], flat.x.size))
        change = np.abs(jacobian(flat, x, weights)[0] - analytic)
        most = np.maximum(most, np.where(change <= 1e-3 * np.abs(analytic), change, 0))
        # Where equal numbers are subtracted all that is left is round-off. How much, curvature says: what moving x by
        # a part DRIFT does to the gradient, in the proportion of one rounding to that.
        x = flat.x * (1 + DRIFT * draw.uniform(-1, 1, flat.x.size))
        change = np.abs(jacobian(flat, x, weights)[0] - analytic)
        most = np.maximum(most, 4 * eps / DRIFT * np.where(np.isfinite(change), change, 0))
    return 8 * most


def suspects(
    flat: Flat, analytic: Array, look: Any, draw: Any, eps: float, rtol: float, atol: float, most: int
) -> Array:
    """Elements that may be wrong: those of the blocks along whose random directions the slopes disagree."""
    size = sizes(flat.x)
    with np.errstate(all="ignore"):
        share = np.max(np.abs(analytic), axis=0) * size
    order = np.argsort(np.where(np.isfinite(share), share, np.inf), kind="stable")  # like contributions side by side
    blocks = [b for b in np.array_split(order, BLOCKS) if b.size]
    found: list[int] = []
    budget = most
    while blocks and budget > 0:
        lines = directions(blocks, size, draw)
        budget -= len(lines)
        along = np.stack([analytic[:, line.index] @ line.weight for line in lines], axis=1)
        verdicts = judge(along, look(lines), eps=eps, rtol=rtol, atol=atol)
        bad = np.flatnonzero(np.any(verdicts.wrong, axis=0))
        doubtful = np.setdiff1d(np.flatnonzero(np.any(verdicts.unsure, axis=0)), bad)
        split: list[Array] = []
        for i in bad[:FOLLOWED] if bad.size else doubtful[:FOLLOWED]:
            if blocks[i].size <= 16:
                found.extend(blocks[i])
            else:
                split.extend(np.array_split(blocks[i], 4))
        if len(found) >= LISTED:
            break
        blocks = split[: max(budget, 0)]
    return np.array(sorted(found[:LISTED]), int)


def _replaced(s: T, columns: Array, by: T) -> T:
    """Tables, and in some of their columns those of others."""
    found = type(s)(*(table.copy() for table in s))
    for table, part in zip(found, by, strict=True):
        table[:, columns] = part
    return found


def _spread(s: Slopes, columns: Array, n: int) -> Slopes:
    """Slopes of some elements in their places among all."""
    empty = np.zeros((s.slope.shape[0], n))
    truth = empty.astype(bool)
    return _replaced(Slopes(empty, empty, empty, empty, truth, truth, empty), columns, s)
