"""`compare` holds the analytic Jacobian of a subject against the numerical one, whole or in random combinations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_pt.testing.kinks import Tie, Verdicts, joint, judge
from tinygrad_pt.testing.numerical import Direction, Slopes, elements, ladder, slopes
from tinygrad_pt.testing.subject import Array, Flat, signed

FULL = 2**16  # entries of a Jacobian that is looked at whole
ROWS = 256  # results of which each gets a backward of its own
BLOCKS = 256  # blocks of elements that are moved together, where there are too many
FOLLOWED = 8  # blocks whose elements are looked for at a time
LOCATED = 3  # wrong elements for which the result that disagrees is looked for
LISTED = 100  # wrong entries that get an address
DRIFT = 1e-4


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


def compare(flat: Flat, *, seed: int, rtol: float = 0.0, atol: float = 0.0, max_elements: int = 4096) -> Comparison:
    """Hold the gradients of a subject against slopes of its values.

    A small Jacobian is looked at entry by entry. Of a large one, two random signed combinations of the results are
    (the second weighs them by 1/|y|, so that large results do not hide small ones); if the inputs have more than
    `max_elements` elements, random signed directions that move a block of them at once, blocks of like
    contributions, and the elements of a block that fails.
    """
    draw = np.random.default_rng(seed)
    n, m = flat.x.size, flat.y.size
    weights = None if m <= ROWS and m * n <= FULL else combinations(draw, flat.y)
    analytic, given = jacobian(flat, flat.x, weights)
    eps = flat.subject.eps

    def look(lines: list[Direction], thorough: bool = False) -> Slopes:
        return slopes(flat, flat.x, lines, y=flat.y, eps=eps, thorough=thorough, weights=weights)

    if n <= max_elements:
        columns = np.arange(n)
        checked = n * (m if weights is None else 1)
    else:
        columns = suspects(flat, analytic, look, draw, eps, rtol, atol, max_elements)
        checked = n
    found = look(elements(flat.x, columns))
    entries = analytic[:, columns]
    # Round-off in other inputs' shares of a result is round-off in the result.
    verdicts = judge(entries, found, eps=eps, rtol=rtol, atol=atol)
    again = np.flatnonzero(np.any(verdicts.wrong, axis=0))
    if again.size:
        again = again[:LISTED]
        found = _replaced(found, again, look(elements(flat.x, columns[again]), thorough=True))
        extra = np.zeros(entries.shape)
        extra[:, again] = unsteadiness(flat, weights, analytic, draw, eps)[:, columns[again]]
        verdicts = judge(entries, found, eps=eps, rtol=rtol, atol=atol, extra=extra)
    ties: list[Tie] = []
    if not verdicts.wrong.any() and np.any(np.sum(found.kink, axis=1) > 1):
        whole = _spread(found, columns, n) if columns.size < n else found
        values = flat if weights is None else (lambda v: weights @ flat(v))
        ties = joint(values, flat.x, flat.y if weights is None else weights @ flat.y, analytic, whole, draw, eps)
    located = {}
    if weights is not None:
        for column in np.flatnonzero(np.any(verdicts.wrong, axis=0))[:LOCATED]:
            located[int(column)] = locate(flat, int(columns[column]), eps)
    return Comparison(flat, weights, columns, entries, found, verdicts, given, ties, checked, located)


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
    pull = flat.pulled(x)
    count = flat.y.size if weights is None else len(weights)
    rows, given = np.zeros((count, flat.x.size)), np.zeros(len(flat.shapes), bool)
    for k in range(count):
        rows[k], some = pull(np.eye(1, flat.y.size, k)[0] if weights is None else weights[k])
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
    size = np.array([ladder(float(v))[0] for v in flat.x])
    with np.errstate(all="ignore"):
        share = np.max(np.abs(analytic), axis=0) * size
    order = np.argsort(np.where(np.isfinite(share), share, np.inf), kind="stable")  # like contributions side by side
    blocks = [b for b in np.array_split(order, BLOCKS) if b.size]
    found: list[int] = []
    budget = most
    while blocks and budget > 0:
        lines = [
            Direction(b, size[b] * draw.uniform(0.5, 1.0, b.size) * draw.choice([-1.0, 1.0], b.size),
                 (1.0, 2.0**-8, 2.0**-16)) for b in blocks
        ]  # fmt: skip
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


def _replaced(s: Slopes, columns: Array, by: Slopes) -> Slopes:
    found = Slopes(*(table.copy() for table in s))
    for table, part in zip(found, by, strict=True):
        table[:, columns] = part
    return found


def _spread(s: Slopes, columns: Array, n: int) -> Slopes:
    """Slopes of some elements in their places among all."""
    empty = np.zeros((s.slope.shape[0], n))
    truth = empty.astype(bool)
    return _replaced(Slopes(empty, empty, empty, empty, truth, truth, empty), columns, s)
