"""`judge` compares an entry with its slope: within a bound where the function is smooth, in an interval at a corner."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tinygrad_pt.testing.numerical import EPS, NOISE, Slopes, ladder
from tinygrad_pt.testing.subject import Array

ROUNDING = 1e-10  # what the analytic gradient may lose to round-off of its own, relative to its size
UNDERFLOW = 1e-150  # a slope this small may have been lost on the way: its square is no number any more
LEAST = 1e-7  # a slope this small is as good as none, where results are about 1 or more
DOUBT = 1e-3  # a bound wider than this part of the slope proves nothing
NEAR, STRIDE = 2.0**-17, 2.0**-20  # how far from a corner its slopes are taken, and over which length


class Verdicts(NamedTuple):
    """What is said of each entry: wrong, or unsure, and within which bound it was to agree."""

    wrong: Array
    unsure: Array
    bound: Array


@np.errstate(all="ignore")
def judge(
    analytic: Array, numeric: Slopes, *, eps: float, rtol: float, atol: float, extra: Array | float = 0.0,
    least: Array | float = LEAST,
) -> Verdicts:  # fmt: skip
    """Hold entries against slopes; `extra` widens the bound by what the analytic side is known to lose.

    A bound below `least` is good enough for an entry that is smaller than that.

    At a corner any value between the slopes from the two sides is right: the subgradients of |x| at 0 are [-1, 1].
    Where the function jumps or is not finite nothing is said, and nothing either where the bound means nothing.
    """
    size = np.maximum(np.abs(analytic), np.abs(numeric.slope))
    bound = numeric.error + max(ROUNDING, 256 * eps) * size + rtol * np.abs(analytic) + atol + extra + UNDERFLOW
    low, high = np.minimum(numeric.left, numeric.right), np.maximum(numeric.left, numeric.right)
    slack = np.where(numeric.kink, 1e-2 * (high - low), 0) + bound
    agree = np.where(
        numeric.kink, (low - slack <= analytic) & (analytic <= high + slack), np.abs(analytic - numeric.slope) <= bound
    )
    blind = ~np.isfinite(numeric.slope) | ~np.isfinite(numeric.error) | numeric.jump
    # Beside an infinite slope the zeros of a row become 0·∞: reverse mode cannot do better, and is not blamed.
    spoilt = ~np.isfinite(analytic) & np.any(blind, axis=0, keepdims=True)
    blind = blind | spoilt
    largest = np.max(np.abs(np.where(np.isfinite(analytic), analytic, 0)), axis=1, keepdims=True, initial=0)
    nothing = (np.abs(analytic) <= 1e-9 * largest) & (numeric.error <= 1e-6 * largest)
    vague = (numeric.error > DOUBT * size) & (numeric.error > least) & ~numeric.kink & (size > 0) & ~nothing
    return Verdicts(~agree & ~blind, blind | (agree & vague), bound)


class Tie(NamedTuple):
    """A direction along which a gradient leaves the range of slopes; `row` of the results, `column` of the vector."""

    row: int
    column: int
    analytic: float
    low: float
    high: float
    slack: float


@np.errstate(all="ignore")
def joint(
    values: Callable[[Array], Array], x: Array, y: Array, analytic: Array, numeric: Slopes, draw: np.random.Generator,
    eps: float = EPS, grain: Array | float = 0.0,
) -> list[Tie]:  # fmt: skip
    """Hold the gradient at corners against slopes in directions that move several tied elements at once.

    Element by element a tie of max allows any weight from 0 to 1, so "1 for all" would pass. A generalised gradient
    g satisfies more: for every direction d, <g, d> lies between the least and the largest slope along d at points
    nearby. They are sampled: at the point itself forwards and backwards, and at points beside it, some of them on the
    side from which g was taken where that is plain.
    """
    rows = np.flatnonzero(np.sum(numeric.kink, axis=1) > 1)
    if not rows.size:
        return []
    kinked = np.flatnonzero(np.any(numeric.kink[rows], axis=0))
    size = np.array([ladder(float(x[i]))[0] for i in kinked])
    g = analytic[np.ix_(rows, kinked)]
    left, right = numeric.left[np.ix_(rows, kinked)], numeric.right[np.ix_(rows, kinked)]
    gap = np.abs(right - left)
    side = np.sum(
        np.where(np.abs(g - right) < 1e-3 * gap, 1, 0) - np.where(np.abs(g - left) < 1e-3 * gap, 1, 0), axis=0
    )

    def at(offset: Array) -> Array:
        moved = x.copy()
        moved[kinked] += offset * size
        return values(moved)[rows]

    def signs() -> Array:
        return draw.choice([-1.0, 1.0], kinked.size)

    found: dict[int, Tie] = {}
    here = y[rows]
    noise = 4 * (NOISE * eps * np.abs(here) + (grain[rows] if isinstance(grain, np.ndarray) else grain)) / STRIDE
    for d in [np.ones(kinked.size), *(signs() * draw.uniform(0.5, 1.5, kinked.size) for _ in range(4))]:
        seen = [(at(STRIDE * d) - here) / STRIDE, (here - at(-STRIDE * d)) / STRIDE]
        some = signs()
        for sides in (np.sign(d), -np.sign(d), some, -some, signs(), np.ones(kinked.size), -np.ones(kinked.size)):
            for chosen in (sides, np.where(side != 0, np.sign(side), sides)):
                base = NEAR * chosen * draw.uniform(0.5, 1.0, kinked.size)
                seen.append((at(base + STRIDE * d) - at(base)) / STRIDE)
        slopes = np.array(seen)
        low, high = np.nanmin(slopes, axis=0), np.nanmax(slopes, axis=0)
        along = g @ (d * size)
        span = np.abs(g) @ np.abs(d * size)
        slack = 1e-2 * (high - low) + 1e-3 * np.maximum(np.maximum(np.abs(low), np.abs(high)), span) + noise
        for k in np.flatnonzero((along < low - slack) | (along > high + slack)):
            row = int(rows[k])
            first = int(kinked[np.flatnonzero(numeric.kink[row, kinked])[0]])
            found.setdefault(row, Tie(row, first, *(float(v[k]) for v in (along, low, high, slack))))
    return list(found.values())
