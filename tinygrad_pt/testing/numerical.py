"""Numerical derivatives: slopes of a function, taken from differences of its values, each with a bound on its error."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.graph import Tensor
from tinygrad_pt.testing.subject import Array, Flat, Subject, array_of, double, floating, outputs_of, results_of
from tinygrad_pt.testing.wide import RATIO

EPS = float(np.finfo(np.float64).eps)
TINY = float(np.finfo(np.float64).tiny)
NOISE = 10.0  # how many roundings one evaluation is granted
CLEAN = 1e-7  # a slope known this well, relative to its size, needs no second step
OFFSETS = (-2.0, -1.0, -0.5, 0.5, 1.0, 2.0)
ROOM = 2**21  # how many numbers a chunk of stencils may hold
GRANTED = 16.0  # how many times more than at the points looked at rounding may do

Values = Callable[[Array], Array]


# ---------------------------------------------------------------------------------------------- what is found
class Slopes(NamedTuple):
    """The slopes of some lines through x as differences show them: every array has shape (outputs, lines)."""

    slope: Array
    error: Array  # |slope - truth| is at most this where the function is smooth
    left: Array  # the slopes from the two sides; at a sum of corners, the least and the largest slope
    right: Array
    kink: Array  # the two differ and do not approach each other: a corner
    jump: Array  # no slope is in sight: a discontinuity, a vertical tangent, or a corner beside the point
    doubt: Array  # what the error must be at least, for two steps excluded each other

    def columns(self, lines: Any) -> Slopes:
        """Some of the lines."""
        return Slopes(*(table[:, lines] for table in self))


class Direction(NamedTuple):
    """A line through x: x[index] + t·weight, and the lengths of t over which the function may be expected to change."""

    index: Any
    weight: Any
    sizes: tuple[float, ...]


def ladder(x: float) -> tuple[float, ...]:
    """Lengths over which a function may change at x: first |x| (at 0: 1), then others for where that does not do.

    Powers of two. Shorter ones see past a corner or the edge of a domain nearby; 1 and the
    mean between 1 and |x| serve functions with a scale of their own; the longer one drowns out round-off.
    """
    if x == 0:
        return (1.0, 2.0**-10, 2.0**-20, 2.0**-30)
    exponent = float(np.clip(np.round(np.log2(abs(x))), -1010, 1010))
    size = 2.0**exponent
    others = [1.0] if size < 2**-9 or size > 2 else []
    if abs(exponent) > 12:
        others.append(2.0 ** np.round(exponent / 2))
    return (size, *others, size * 2.0**-8, size * 2.0**-16, size * 2.0**-24, size * 64)


@np.errstate(all="ignore")
def sizes(x: Array) -> Array:
    """The first length of the ladder of each element."""
    return np.where(x == 0, 1.0, 2.0 ** np.clip(np.round(np.log2(np.abs(x))), -1010, 1010))


def elements(x: Array, which: Any = None, reach: Sequence[float] = (1.0,)) -> list[Direction]:
    """One line per element; each length of its ladder is tried times each of `reach`."""
    chosen = range(x.size) if which is None else which
    return [Direction(int(i), 1.0, tuple(s * r for s in ladder(float(x[i])) for r in reach)) for i in chosen]


class Noise(NamedTuple):
    """What is known of the rounding of values."""

    eps: float = EPS  # a rounding of a result, relative to it
    grain: Any = 0.0  # what roundings inside leave in a result, absolute; per output, or per output and line
    here: Any = 0.0  # the same at x itself; per output
    coarse: Values | None = None  # the same function in float64, for values that are computed in extended precision

    def columns(self, lines: Any) -> Noise:
        """That of some of the lines."""
        return self._replace(grain=self.grain[:, lines]) if np.ndim(self.grain) == 2 else self

    def of(self, found: Array, x: Array, lines: Sequence[Direction], ts: Array) -> Array | float:
        """The error of `found`, values at some points of each line; the least precise of them counts.

        What rounding does in extended precision is what it does in float64, in the proportion of the two: there the
        same roundings happen at the same places. And in float64 it can be seen, as the difference of the two.
        """
        grain = self.grain[:, None] if np.ndim(self.grain) == 1 else self.grain
        if self.coarse is None:
            return grain
        gap = np.abs(found - evaluate(self.coarse, x, lines, ts)).max(0)
        return np.asarray(grain + GRANTED * RATIO * np.where(np.isnan(gap), np.inf, gap), np.float64)


# ---------------------------------------------------------------------------------------------- stencils
def step_for(eps: float) -> float:
    """The step of the 5-point stencil, ≈ ε^(1/5)/4: there its truncation error and its round-off are of like size.

    The step has few bits, so that x ± h is exact. It is no power of two: a function that is constant between whole
    numbers would look like a line at whole steps from x.
    """
    return float(2.0 ** np.round(np.log2(eps**0.2 / 4))) * 1.37109375


def evaluate(values: Values, x: Array, lines: Sequence[Direction], ts: Array) -> Array:
    """Values at x + t·line for the t of each line; shape (len(ts per line), outputs, lines)."""
    rows = []
    for line, steps in zip(lines, ts, strict=True):
        for t in steps:
            moved = x.copy()
            moved[line.index] += t * line.weight
            rows.append(values(moved))
    found = np.array(rows).reshape(len(lines), ts.shape[1], -1)
    return found.transpose(1, 2, 0)


def exact(x: Array, line: Direction, h: float) -> bool:
    """Whether x + h and its like are what they are meant to be: h is not lost in the rounding of x."""
    if np.ndim(line.index):
        return True
    at = float(x[line.index])
    return all((at + t * h) - at == t * h for t in OFFSETS)


def differences(seen: Array, y: Array, h: Array | float) -> tuple[Array, Array, Array]:
    """The finer slope of six values, how far the coarser is from it, and what is uneven in them (see `stencil`)."""
    far_left, l1, l2, r2, r1, far_right = seen
    coarse = (8 * (r1 - l1) - (far_right - far_left)) / (12 * h)
    fine = (8 * (r2 - l2) - (r1 - l1)) / (6 * h)
    uneven = np.abs((far_right - y + (far_left - y)) - 20 * (r1 - y + (l1 - y)) + 64 * (r2 - y + (l2 - y))) / 2
    return fine, np.abs(fine - coarse), uneven


@np.errstate(all="ignore")
def clear_slopes(values: Values, x: Array, y: Array, lines: Sequence[Direction]) -> tuple[Array, Array] | None:
    """Slopes and their errors, as of a `stencil` at the first length of each line; None where any leaves a doubt.

    There is no corner and no jump where both are small: the differences of the two stencils, and what is uneven.
    """
    h = step_for(EPS)
    seen = evaluate(values, x, lines, h * np.array([OFFSETS] * len(lines)))
    slope, gap, uneven = differences(seen, y[:, None], h)
    size = np.abs(slope)
    error = 2 * gap + (uneven / 8 + 3 * NOISE * (EPS * (np.abs(seen).max(0) + size) + TINY * EPS)) / h
    return (slope, error) if (error <= CLEAN * size).all() else None


@np.errstate(all="ignore")
def stencil(values: Values, x: Array, y: Array, lines: Sequence[Direction], h: Array, known: Noise) -> Slopes:
    """Two 5-point stencils per line, at h and h/2.

    The error of the finer one is at most the difference of the two (they differ by 15 times that error where h⁴ is
    the next term, and by as much as it at a corner of the second derivative), and what the even part of the six
    values shows that no even polynomial of degree 4 explains (round-off, and corners beside the point), and the
    round-off of values of this size.
    """
    eps = known.eps
    seen = evaluate(values, x, lines, h[:, None] * np.array(OFFSETS))
    _, l1, l2, r2, r1, _ = seen
    grain = known.of(seen, x, lines, h[:, None] * np.array(OFFSETS))
    here = np.maximum(known.here[:, None] if np.ndim(known.here) else known.here, grain)
    y = y[:, None]
    fine, gap, uneven = differences(seen, y, h)
    size = np.maximum(np.abs(seen).max(0), np.abs(y))
    noise = 3 * (NOISE * (eps * size + TINY * EPS) + grain) / h
    uneven = np.maximum(uneven - 45 * here - 85 * grain, 0) / (8 * h)  # that much of it is known to be rounding
    left2, right2 = 2 * (y - l2) / h, 2 * (r2 - y) / h
    gap2, sides = np.abs(right2 - left2), np.abs(left2) + np.abs(right2)
    # A function that changes by slope·x when x changes by x has rounded numbers of that size on the way.
    reach = np.array([abs(x[line.index]) if np.ndim(line.index) == 0 else 1.0 for line in lines])
    inner = 3 * NOISE * eps * np.abs(fine) * reach / h
    error = 2 * gap + uneven + noise
    # A flat spot, as of x⁵ at 0, is no chaos: there the slopes are small beside the length 1 that is supposed.
    floor = np.array([1e-7 if np.ndim(line.index) == 0 and x[line.index] == 0 else 0.0 for line in lines])
    most = noise + here / h + floor + 0.25 * np.maximum(np.abs(left2), np.abs(right2))
    corner = gap2 > 4 * (noise + here / h) + 1e-6 * sides
    flat = (seen == y).all(0)
    astray = gap > most
    jump = ((astray & ~flat) | (uneven > most)) & ~corner
    kink, left, right = np.zeros(fine.shape, bool), fine, fine
    if corner.any():
        left1, right1 = (y - l1) / h, (r1 - y) / h
        gap1, bend = np.abs(right1 - left1), np.abs(left2 - left1) + np.abs(right2 - right1)
        smooth = ~corner | ~(gap2 > 0.8 * gap1)  # of a smooth function, the gap halves with the step
        kink = ~smooth & ~astray & (gap2 < 1.2 * gap1) & (bend < 0.25 * gap2)
        jump = (~smooth & ~kink) | (astray & ~flat) | (smooth & (uneven > most))
        error = np.where(kink, noise + 1e-2 * bend, error)
        left, right = np.where(kink, 2 * left2 - left1, fine), np.where(kink, 2 * right2 - right1, fine)
    if flat.any():
        # Where nothing moves, nothing finer can be excluded than what rounding hides in values of the size of x.
        length = np.array([max(line.sizes[0], t / step_for(eps)) for line, t in zip(lines, h, strict=True)])
        error = np.where(flat, noise + NOISE * eps * length / h, error)
    error = error + np.where(np.isfinite(inner), inner, 0)
    kept = np.array([exact(x, line, t) for line, t in zip(lines, h, strict=True)])
    error, jump = np.where(kept, error, np.inf), jump & kept
    fine, error, left, right = (np.asarray(v, np.float64) for v in (fine, error, left, right))
    return Slopes(fine, error, left, right, kink, jump, np.zeros(fine.shape))


def valid(s: Slopes) -> Array:
    return np.isfinite(s.slope) & np.isfinite(s.error) & ~s.jump


@np.errstate(all="ignore")
def better(a: Slopes, b: Slopes) -> tuple[Slopes, Array]:
    """Of two findings about the same lines, entry by entry, the one with the smaller error; and where that is b.

    Where both claim a slope and their bounds exclude each other, neither is trusted: the doubt covers both.
    """
    good_a, good_b = valid(a), valid(b)
    quarrel = quarrels(a, b)
    error_a, error_b = np.where(a.kink, np.inf, a.error), np.where(b.kink, np.inf, b.error)
    take = good_b & (~good_a | (error_b < error_a))
    gap = np.abs(a.slope - b.slope)
    found = Slopes(*(np.where(take, y, x) for x, y in zip(a, b, strict=True)))
    doubt = np.maximum(np.where(quarrel, a.error + b.error + gap, 0), np.maximum(a.doubt, b.doubt))
    return found._replace(doubt=doubt), take


@np.errstate(all="ignore")
def quarrels(a: Slopes, b: Slopes) -> Array:
    """Where two findings claim slopes that exclude each other."""
    return valid(a) & valid(b) & ~a.kink & ~b.kink & (np.abs(a.slope - b.slope) > a.error + b.error)


@np.errstate(all="ignore")
def unclear(s: Slopes, y: Array) -> Array:
    """Lines of which another step might say more."""
    known = (s.error <= CLEAN * np.abs(s.slope)) | ((s.slope == 0) & (s.error < 1e-6))
    known |= s.kink & (s.error <= 1e-3 * np.abs(s.right - s.left))
    known |= np.abs(s.slope) + s.error < 1e-9 * np.max(np.abs(s.slope), axis=1, keepdims=True, initial=0)
    return np.any((~known | ~valid(s)) & np.isfinite(y)[:, None], axis=0)


def slopes(
    values: Values, x: Array, lines: Sequence[Direction], *, y: Array | None = None, eps: float = EPS,
    thorough: bool = False, weights: Array | None = None, grain: Any = 0.0, coarse: Values | None = None,
) -> Slopes:  # fmt: skip
    """Every slope of `values` along the lines through x; of their rounding `eps`, `grain`, `coarse` tell (see `Noise`).

    Steps are relative to each element: a fixed one would leave the domain of log near 0 and drown in round-off
    where x is large. Where the first step leaves doubt, other lengths are tried. `thorough` doubts slopes of 0
    too, and measures at every step how rough the values are, on 17 points more. With `weights` (rows of them) the
    results are these combinations of the function's results, each result having been looked at by itself.
    """
    y = values(x) if y is None else y
    if not lines:
        empty = np.zeros((y.size if weights is None else len(weights), 0))
        return Slopes(empty, empty, empty, empty, empty.astype(bool), empty.astype(bool), empty)
    chunk = max(1, ROOM // (8 * max(1, y.size)))
    here: Any = 0.0
    if coarse is not None:
        gap = np.abs(y - coarse(x))
        here = np.asarray(GRANTED * RATIO * np.where(np.isnan(gap), np.inf, gap), np.float64)
    known = Noise(eps, grain, here, coarse)
    found = [
        _slopes(values, x, y, lines[i : i + chunk], known.columns(slice(i, i + chunk)), thorough)
        for i in range(0, len(lines), chunk)
    ]
    parts = found if weights is None else [combined(part, weights) for part in found]
    return parts[0] if len(parts) == 1 else Slopes(*(np.concatenate(t, axis=1) for t in zip(*parts, strict=True)))


def _slopes(values: Values, x: Array, y: Array, lines: Sequence[Direction], known: Noise, thorough: bool) -> Slopes:
    best, chosen, rough = None, np.zeros(0), np.zeros(0)  # per entry: its step, and the shortest at which it is rough
    pending: Any = np.arange(len(lines))
    for rung in range(max(len(line.sizes) for line in lines)):
        pending = np.array([i for i in pending if rung < len(lines[i].sizes)], np.intp)
        if not pending.size:
            break
        some = [lines[i] for i in pending]
        h = steps(x, some, np.array([line.sizes[rung] for line in some]) * step_for(known.eps))
        found = stencil(values, x, y, some, h, known.columns(pending))
        if thorough and y.size:
            found = found._replace(error=found.error + np.where(found.kink, 0, roughness(values, x, some, h)))
        if best is None:
            if not (
                thorough or np.any(found.kink) or np.any(found.jump) or np.any(h >= 1) or np.any(unclear(found, y))
            ):
                return found
            best, chosen = found, np.broadcast_to(h, found.slope.shape).copy()
            rough = np.where(found.jump, chosen, np.inf)
        else:
            before = best.columns(pending)
            fight = np.flatnonzero(np.any(quarrels(before, found), axis=0))
            if fight.size:  # a wave that the longer steps skip, or round-off that the shorter ones show?
                settle(before, found, fight, values, x, [some[i] for i in fight], chosen[:, pending].max(0), h)
            after, take = better(before, found)
            for table, part in zip(best, after, strict=True):
                table[:, pending] = part
            chosen[:, pending] = np.where(take, h, chosen[:, pending])
            rough[:, pending] = np.minimum(rough[:, pending], np.where(found.jump, h, np.inf))
        now = best.columns(pending)
        still = np.any(now.slope == 0, axis=0) if thorough else False  # flat at one length may be steep at another
        pending = pending[unclear(now, y) | still]
    assert best is not None
    with np.errstate(all="ignore"):
        # Smooth from afar and rough from near is rough; and steps longer than 1 that give no clear slope see waves.
        waves = (chosen >= 1) & (best.error > 1e-3 * np.abs(best.slope)) & (best.slope != 0) & ~best.kink
    best = best._replace(jump=best.jump | (chosen > rough) | waves)
    shortest = np.min(chosen, axis=0, initial=np.inf)
    corners = np.flatnonzero(np.any(best.kink, axis=0))
    if corners.size:
        confirm(best, corners, values, x, y, lines, shortest, known)
    return best._replace(error=np.maximum(best.error, best.doubt))


@np.errstate(all="ignore")
def settle(a: Slopes, b: Slopes, fight: Array, values: Values, x: Array, lines: Any, at_a: Array, at_b: Array) -> None:
    """Where two steps exclude each other, widen both errors by the roughness of values; the worse step is dropped."""
    grain = [roughness(values, x, lines, at[fight]) for at in (at_a, at_b)]
    hid = [g > 10 * s.error[:, fight] for g, s in zip(grain, (a, b), strict=True)]
    for g, s, mine, other in ((grain[0], a, hid[0], hid[1]), (grain[1], b, hid[1], hid[0])):
        s.error[:, fight] += np.where(mine & ~other, np.inf, g)


def steps(x: Array, lines: Sequence[Direction], h: Array) -> Array:
    """The steps to take where steps of about h are asked for: at large x not whole ones, see `step_for`."""
    place = np.array([abs(x[line.index]) if np.ndim(line.index) == 0 else 0.0 for line in lines])
    return np.where((h >= 1) & (place > 0) & (place < 2.0**42), h + 0.37109375, h)


def confirm(
    best: Slopes, corners: Array, values: Values, x: Array, y: Array, lines: Any, h: Array, known: Noise
) -> None:
    """Look at corners with shorter steps: all of these show a corner, but not chaos or a corner beside the point."""
    for nearer in (2.0**-10, 2.0**-18):
        corners = corners[np.any(best.kink[:, corners], axis=0)]
        if not corners.size:
            return
        near = stencil(values, x, y, [lines[i] for i in corners], h[corners] * nearer, known.columns(corners))
        far = best.columns(corners)
        with np.errstate(all="ignore"):
            gap, there = np.abs(far.right - far.left), np.abs(near.right - near.left)
            smooth = far.kink & valid(near) & ~near.kink & (near.error < 0.25 * gap)
            grain = known.columns(corners).grain
            grain = grain[:, None] if np.ndim(grain) == 1 else grain
            rounding = NOISE * known.eps * np.abs(y)[:, None] + grain
            dim = 3 * rounding / (h[corners] * nearer) >= 0.25 * gap  # round-off hides it
            same = far.kink & ((near.kink & (np.abs(there - gap) <= 0.25 * gap)) | dim)
        if nearer == 2.0**-18:  # nearer than that nobody can look
            lost = far.kink & ~smooth & ~same
            best.jump[:, corners] |= lost
            best.kink[:, corners] &= ~lost
        for table, closer in zip(best, near, strict=True):
            table[:, corners] = np.where(smooth, closer, table[:, corners])
        corners = corners[np.any(far.kink & ~smooth & ~same, axis=0)]


# Irregular, and of few bits: values rounded to steps of their own cannot look like a line at all of these.
SPREAD = np.array([-64, -55, -46, -41, -30, -23, -13, -5, 0, 7, 11, 22, 29, 38, 47, 53, 64]) / 64
UNEXPLAINED = np.eye(17) - (lambda q: q @ q.T)(np.linalg.qr(np.vander(SPREAD, 6))[0])  # what no quintic explains


@np.errstate(all="ignore")
def roughness(values: Any, x: Array, lines: Sequence[Direction], h: Array) -> Array:
    """The error that the round-off visible in 17 values leaves in a slope at step h."""
    v = evaluate(values, x, lines, h[:, None] * SPREAD)
    rest = np.abs(np.einsum("ij,jkl->ikl", UNEXPLAINED, v - v[8]))
    return 8 * rest.max(0) / h


@np.errstate(all="ignore")
def visible_noise(values: Values, x: Array, lines: Sequence[Direction]) -> Array:
    """The noise of values that can be seen in values, per output and line; for where there is nothing finer to ask.

    It is what no quintic explains of 17 values close to each other; the height of the steps of a staircase, where
    several neighbours are equal, and others are equal among themselves; and that of a single jump between neighbours.
    """
    most: Any = 0.0
    size = np.array([line.sizes[0] for line in lines]) * 0.7390851332151607  # round steps are rounded alike everywhere
    for scale in (2.0**-20, 2.0**-12, 2.0**-6, 0.125, 0.5, 1.0):
        v = evaluate(values, x, lines, (size * scale)[:, None] * SPREAD)
        step, same = np.abs(np.diff(v, axis=0)), v[1:] == v[:-1]
        treads = np.sum(same[1:] & ~same[:-1], axis=0) + same[0]
        found = np.where(treads > 1, step.max(0), 0)
        if scale < 0.1:
            found = np.fmax(found, np.abs(np.einsum("ij,jkl->ikl", UNEXPLAINED, v - v[8])).max(0))
        else:
            d = np.diff(v, axis=0) / np.diff(SPREAD)[:, None, None]
            before, after = d[:-2], d[2:]
            jump = np.abs(d[1:-1] - (before + after) / 2)
            usual = np.abs(before - after) + np.maximum(np.abs(before), np.abs(after)) / 2
            found = np.fmax(found, np.where(jump > 3 * usual, step[1:-1], 0).max(0))
        most = np.fmax(most, found)
    return np.asarray(most)


@np.errstate(all="ignore")
def combined(s: Slopes, weights: Array) -> Slopes:
    """Slopes of weighted sums of the results; at corners, from the least to the largest that the parts allow."""
    size = np.abs(weights)
    flat = (s.slope == 0) & ~s.kink & ~s.jump
    error = size @ np.where(flat, 0, s.error)
    quiet = np.where(flat, s.error, 0).max(0, initial=0)
    slope = weights @ s.slope
    low, high = np.minimum(s.left, s.right), np.maximum(s.left, s.right)
    up, down = np.maximum(weights, 0), np.minimum(weights, 0)
    least, most = up @ low + down @ high, up @ high + down @ low
    used = (weights != 0).astype(float)
    kink = used @ s.kink.astype(float) > 0
    jump = used @ s.jump.astype(float) > 0
    return Slopes(
        slope, error + quiet * size.max(1, keepdims=True, initial=0), np.where(kink, least, slope),
        np.where(kink, most, slope), kink & ~jump, jump, np.zeros(slope.shape),
    )  # fmt: skip


# ---------------------------------------------------------------------------------------------- for users
class Plain(Subject):
    """A function of arrays, or of tensors if one of the inputs is one, without a derivative."""

    def __init__(self, f: Callable[..., Any], inputs: Sequence[Any], slot: int) -> None:
        self.function, self.tensors = f, any(isinstance(x, Tensor) for x in inputs)
        self.inputs = [double(array_of(x)) for x in inputs]
        if not isinstance(self.inputs[slot], np.ndarray) or not floating(self.inputs[slot]):
            self.inputs[slot] = np.asarray(self.inputs[slot], np.float64)
        self.slots, self.names = [slot], [f"input {i}" for i in range(len(inputs))]

    def values(self, inputs: Sequence[Any]) -> list[Array]:
        args = [wrap(x) if isinstance(x, np.ndarray) else x for x in inputs] if self.tensors else list(inputs)
        with np.errstate(all="ignore"):
            return outputs_of(self.function(*args))


def numerical_jacobian(
    f: Callable[..., Any], *inputs: Any, argnum: int = 0, method: str = "five_point", return_error: bool = False
) -> Any:
    """∂f/∂inputs[argnum] as an array of shape `f(...).shape + inputs[argnum].shape`, from values of f alone.

    Args:
        f: a function of NumPy arrays, or of tensors; with several results, their elements are joined to one axis.
        inputs: its arguments; floating point ones are cast to float64.
        argnum: the argument to vary.
        method: `"five_point"` (two 5-point stencils with relative steps), `"central"` (two points, the textbook's
            form), `"ridders"` (extrapolation of central differences to step 0), or `"complex"` (Im f(x + ih)/h:
            exact to round-off, for functions of NumPy arrays that are analytic and know complex numbers).
        return_error: return also the error of each entry. Of "five_point" it is a bound, round-off included, where
            the function is smooth. Of "ridders" it is ten times Ridders' own estimate and a few roundings, which
            covers about nine errors in ten, for his estimate covers half. Of "central" it is the difference from
            the step twice as long, and round-off; of "complex" it is a few roundings.

    >>> import numpy as np
    >>> jacobian, error = numerical_jacobian(np.sin, np.array([0.0, 1.0]), return_error=True)
    >>> bool(np.all(np.abs(jacobian - np.diag(np.cos([0.0, 1.0]))) <= error)), float(error.max()) < 1e-9
    (True, True)
    """
    if method not in METHODS and method != "five_point":
        names = ", ".join(map(repr, ("five_point", *METHODS)))
        raise refuse(ValueError, f"method must be one of {names}, not {method!r}")
    flat = Flat(Plain(f, inputs, argnum))
    if method == "five_point":
        found = slopes(flat, flat.x, elements(flat.x), y=flat.y, thorough=return_error)
        jacobian, error = found.slope, np.where(found.kink, np.abs(found.right - found.left), 0) + found.error
        error = np.where(found.jump, np.inf, error)
    else:
        columns = [METHODS[method](f, flat, argnum, i) for i in range(flat.x.size)]
        empty = np.zeros((flat.y.size, 0))
        jacobian, error = (np.stack(part, -1) for part in zip(*columns, strict=True)) if columns else (empty, empty)
    shape = (*(flat.results[0] if len(flat.results) == 1 else (flat.y.size,)), *flat.shapes[0])
    return (jacobian.reshape(shape), error.reshape(shape)) if return_error else jacobian.reshape(shape)


def _difference(flat: Flat, i: int, h: float) -> tuple[Array, Array]:
    """The central difference along one element, and its round-off."""
    above, below = flat.x.copy(), flat.x.copy()
    above[i] += h
    below[i] -= h
    a, b = flat(above), flat(below)
    with np.errstate(all="ignore"):
        slope = (a - b) / (above[i] - below[i])
        size = np.maximum(np.abs(a), np.abs(b)) + np.abs(slope * flat.x[i])
        return slope, 2 * NOISE * EPS * size / h


def _step(x: float, share: float, least: float) -> float:
    """A share of |x|, or of 1 where |x| is larger, for functions that wave; but never below `least` of |x|."""
    return max(share * (min(ladder(x)[0], 1.0) if x else 1.0), least * abs(x))


def _central(f: Any, flat: Flat, argnum: int, i: int) -> tuple[Array, Array]:
    h = _step(float(flat.x[i]), 2.0**-17, 2.0**-26)
    slope, noise = _difference(flat, i, h)
    with np.errstate(all="ignore"):
        return slope, np.abs(slope - _difference(flat, i, 2 * h)[0]) + noise


def _ridders(f: Any, flat: Flat, argnum: int, i: int) -> tuple[Array, Array]:
    """Neville's table of central differences at steps h, h/√2, h/2, …; the entry that differs least from its elders.

    C. Ridders, "Accurate computation of F'(x) and F'(x)F''(x)", Advances in Engineering Software 4 (1982).
    """
    h = _step(float(flat.x[i]), 0.125, 2.0**-30)
    row = [_difference(flat, i, h)[0]]
    best, error = row[0], np.full(row[0].shape, np.inf)
    with np.errstate(all="ignore"):
        for _ in range(11):
            h /= np.sqrt(2)
            new, power = [_difference(flat, i, h)[0]], 2.0
            for k, elder in enumerate(row):
                new.append((power * new[k] - elder) / (power - 1))
                power *= 2
                gap = np.maximum(np.abs(new[-1] - new[-2]), np.abs(new[-1] - elder))
                closer = gap < error
                best, error = np.where(closer, new[-1], best), np.where(closer, gap, error)
            row = new
        return best, 10 * error + 4 * EPS * np.abs(best)


def _complex(f: Any, flat: Flat, argnum: int, i: int) -> tuple[Array, Array]:
    args: list[Any] = flat.inputs(flat.x)
    args[argnum] = args[argnum].astype(complex)
    x = abs(float(flat.x[i]))
    h = 1e-10 * x if 0 < x < 1 else 1e-20 * max(x, 1)  # errs by (h/x)², and neither h nor h/x is a subnormal number
    args[argnum].flat[i] += h * 1j
    results = [np.asarray(y) for y in results_of(f(*args))]
    slope = np.concatenate([np.ravel(np.imag(y)) for y in results if y.dtype.kind in "fc"]) / h
    return slope, 8 * EPS * np.abs(slope)


METHODS = {"central": _central, "ridders": _ridders, "complex": _complex}


def numerical_gradient(
    f: Callable[..., Any], *inputs: Any, argnum: int = 0, g: Any = None, method: str = "five_point",
    return_error: bool = False,
) -> Any:  # fmt: skip
    """∂(Σ g·f)/∂inputs[argnum], of that input's shape; g is 1 unless given. See `numerical_jacobian`.

    >>> import numpy as np
    >>> numerical_gradient(lambda x: (x**2).sum(), np.array([1.0, 3.0])).round(9)
    array([2., 6.])
    """
    found = numerical_jacobian(f, *inputs, argnum=argnum, method=method, return_error=return_error)
    jacobian, error = found if return_error else (found, None)
    shape = np.shape(array_of(inputs[argnum]))
    rows = jacobian.reshape(-1, int(np.prod(shape)))
    weights = np.ones(len(rows)) if g is None else np.ravel(array_of(g))
    gradient = (weights @ rows).reshape(shape)
    if error is None:
        return gradient
    return gradient, (np.abs(weights) @ error.reshape(rows.shape)).reshape(shape)
