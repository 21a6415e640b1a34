"""Pooling: the largest element of each window, or the mean; windows that are cut out and added up; places in planes.

Each transpose adds what arrives at a window to the elements that the window was made of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from math import prod
from typing import Any

import numpy as np

from tinygrad_pt.calling import primitive
from tinygrad_pt.graph import Array, Node
from tinygrad_pt.ops.masked import BITS, kept
from tinygrad_pt.ops.sliding import ALL, Cut, Seen, Sizes, Slide, Window, padded, scatter_columns, seen, sight


def sights_of(size: Sizes, windows: Sizes, window: Window) -> list[Seen]:
    """For each axis what the windows see of it."""
    return [seen(n, count, k, s, d, p) for n, count, k, s, p, d in zip(size, windows, *window, strict=True)]


def cuts(sights: Sequence[Seen]) -> Iterator[tuple[Cut, Cut]]:
    """For each place in a window: which windows see an element there, and which elements of (N, C, *size)."""
    for place in product(*sights):
        yield (ALL, ALL, *[w for w, _ in place]), (ALL, ALL, *[e for _, e in place])


def _ground(x: Array, dtype: Any, size: Sizes, windows: Sizes, window: Window) -> tuple[Array, bool]:
    """An array laid out as x to which windows are added, and whether they lie apart; zeros, unless they fill it."""
    y = np.empty_like(x, dtype=dtype, shape=(*x.shape[:2], *size))
    steps = list(zip(size, windows, *window, strict=True))
    apart = all(k == 1 or (s >= k and d == 1) for _, _, k, s, _, d in steps)
    if not (apart and all(k == s and count * k == n and not p for n, count, k, s, p, _ in steps)):
        y[...] = 0
    return y, apart


def _least(dtype: Any) -> Any:
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


def name_of(vertex: str) -> Callable[[Node], str]:
    """PyTorch's name of a vertex; over one axis, it pools an image and squeezes the result."""
    return lambda node: "SqueezeBackward1" if len(node.shape) == 3 else vertex.format(len(node.shape) - 2)


def _planes(a: Array) -> Array:
    """(N, C, *size) as (N, C, elements of a plane)."""
    return a.reshape(*a.shape[:2], prod(a.shape[2:]))


def _combined(a: Array, combine: np.ufunc, nothing: Any, windows: Sizes, window: Window) -> Array:
    """What each window sees, combined to one element: along one axis after the other."""
    y = a
    for axis, (count, taps) in enumerate(zip(windows, sights_of(a.shape[2:], windows, window), strict=True), 2):
        if taps == [(slice(0, count), slice(0, y.shape[axis], 1))]:
            continue
        lead: Cut = (ALL,) * axis
        x, y = y, np.empty_like(a, shape=(*y.shape[:axis], count, *a.shape[axis + 1 :]))
        if len(taps) > 1 and all(w == slice(0, count) for w, _ in taps):
            (_, first), (_, second), *taps = taps
            combine(x[(*lead, first)], x[(*lead, second)], out=y)
        else:
            y[...] = nothing
        for w, e in taps:
            part = y[(*lead, w)]
            combine(part, x[(*lead, e)], out=part)
    return a.copy(order="K") if y is a else y


# ------------------------------------------------------------------------------------------ the largest element
@primitive(
    r"\max a",
    lambda g, y, a, *, windows, window: max_pool_transpose(g, a, windows=windows, window=window),
    moves=True,
    label=name_of("MaxPool{}DWithIndicesBackward0"),
)
def max_pool(a: Array, *, windows: Sizes, window: Window) -> Array:
    """y = the largest element of each window; nan if there is one."""
    return _combined(a, np.maximum, _least(a.dtype), windows, window)


@primitive(
    r"\mathrm{put}_{\max b}(a)",
    lambda g, y, a, b, *, windows, window: max_pool_pick(g, b, windows=windows, window=window),
    None,
    moves=True,
)
def max_pool_transpose(a: Array, b: Array, *, windows: Sizes, window: Window) -> Array:
    """y = zeros of the shape of b, with each a added where its window of b has its largest element, the first such."""
    largest = max_pool.op.forward(b, windows=windows, window=window)
    if a.dtype.char == "e" or (b.dtype.kind == "f" and largest.size and np.isnan(largest.max())):
        return put_places.op.forward(a, max_pool_places.op.forward(b, windows=windows, window=window), size=b.shape[2:])
    y, apart = _ground(b, a.dtype, b.shape[2:], windows, window)
    kind = BITS[a.dtype]  # a product of bits with 0 or 1 is 0 or the bits: nan and inf stay where they are
    given, taken, rest = a.view(kind), y.view(kind), np.ones_like(largest, dtype=bool)
    *places, last = cuts(sights_of(b.shape[2:], windows, window))
    for w, e in (*places, last):
        here = rest[w]
        if e is not last[1]:
            here = here & (b[e] == largest[w])
            rest[w] ^= here
        if apart:
            np.multiply(given[w], here.view(np.int8), out=taken[e])
        else:
            y[e] += kept(here, a[w])
    return y


@primitive(
    r"a_{\max b}",
    lambda g, y, a, b, *, windows, window: max_pool_transpose(g, b, windows=windows, window=window),
    None,
    moves=True,
)
def max_pool_pick(a: Array, b: Array, *, windows: Sizes, window: Window) -> Array:
    """y = the elements of a where each window of b has its largest element."""
    return take_places.op.forward(a, max_pool_places.op.forward(b, windows=windows, window=window))


@primitive(r"\arg\max a", None, moves=True)
def max_pool_places(a: Array, *, windows: Sizes, window: Window) -> Array:
    """y = where the largest element of each window stands in its plane, row by row: the first, or the last nan."""
    sights = sights_of(a.shape[2:], windows, window)
    numbers = np.arange(prod(a.shape[2:])).reshape(1, 1, *a.shape[2:])
    best, y = np.full((*a.shape[:2], *windows), _least(a.dtype), a.dtype), np.full((*a.shape[:2], *windows), -1)
    for w, e in cuts(sights):
        x = a[e]
        better = (x > best[w]) | (x != x) | (y[w] < 0)
        best[w] = np.where(better, x, best[w])
        y[w] = np.where(better, numbers[e], y[w])
    return y


def adaptive_edges(size: int, count: int) -> tuple[tuple[int, int], ...]:
    """Where `count` windows that cover an axis evenly begin and end; they may overlap."""
    return tuple((i * size // count, -(-(i + 1) * size // count)) for i in range(count))


@primitive(r"\arg\max a", None, moves=True)
def adaptive_max_places(a: Array, *, windows: Sizes) -> Array:
    """y = where the largest element of windows that cover each axis evenly stands: the first, or the last nan."""
    y = np.empty((*a.shape[:2], *windows), np.int64)
    numbers = np.arange(prod(a.shape[2:])).reshape(a.shape[2:])
    edges: Any = [enumerate(adaptive_edges(n, count)) for n, count in zip(a.shape[2:], windows, strict=True)]
    for place in product(*map(list, edges)):
        cut: Any = tuple(slice(*edge) for _, edge in place)
        x = a[(ALL, ALL, *cut)].reshape(*a.shape[:2], prod(numbers[cut].shape))
        y[(ALL, ALL, *[i for i, _ in place])] = numbers[cut].reshape(-1)[_largest(x)]
    return y


def _largest(x: Array) -> Array:
    """Where the largest element stands along the last axis: the first such, or the last nan."""
    first = np.argmax(x, -1)
    wrong = x != x
    if wrong.any():
        first = np.where(wrong.any(-1), x.shape[-1] - 1 - np.argmax(wrong[..., ::-1], -1), first)
    return first


@primitive(r"\arg\max a", None, None, moves=True)
def fractional_places(a: Array, b: Array, *, windows: Sizes, kernel: Sizes) -> Array:
    """y = where the largest element stands of windows that begin at places drawn from b (N, C, axes) (Graham, 2014)."""
    n, lead = len(windows), a.shape[:2]
    b = b[: lead[0]]
    places: Any = 0
    for axis, (size, count, k) in enumerate(zip(a.shape[2:], windows, kernel, strict=True)):
        u = b[..., axis if n == 3 else 1 - axis, None]  # of an image the first number is for the width
        starts = np.full((*lead, count), size - k)
        if count > 1:
            alpha = u.dtype.type(size - k) / u.dtype.type(count - 1)
            steps = ((np.arange(count - 1).astype(u.dtype) + u) * alpha).astype(np.int64)
            starts[..., :-1] = steps - (u * alpha).astype(np.int64)
        seen_by = (starts[..., None] + np.arange(k)).reshape(
            *lead, *(count if i == axis else 1 for i in range(n)), *(k if i == axis else 1 for i in range(n))
        )
        places = places * size + seen_by
    places = places.reshape(*lead, prod(windows), prod(kernel))
    x = np.take_along_axis(_planes(a)[:, :, None], places, -1)
    return np.take_along_axis(places, _largest(x)[..., None], -1).reshape(*lead, *windows)


# ------------------------------------------------------------------------------------------ the mean
def divisors(size: Sizes, windows: Sizes, window: Window, counted: bool) -> Any:
    """How many elements each window has: those of the padding count or do not, those behind it never do."""
    y: Any = 1
    for n, count, k, s, p, _ in zip(size, windows, *window, strict=True):
        start = np.arange(count) * s - p
        end = np.minimum(start + k, n + p)
        y = np.multiply.outer(y, end - start if counted else np.minimum(end, n) - np.maximum(start, 0))
    return y.flat[0] if y.size and (y == y.flat[0]).all() else y


@primitive(
    r"\overline{a}",
    lambda g, y, a, *, windows, window, divisor, counted: avg_pool_transpose(
        g, size=a.shape[2:], window=window, divisor=divisor, counted=counted
    ),
    label=name_of("AvgPool{}DBackward0"),
)
def avg_pool(a: Array, *, windows: Sizes, window: Window, divisor: int | None, counted: bool) -> Array:
    """y = the sum of each window by `divisor`, or by the number of its elements, where padding is `counted` or not."""
    y = _combined(a, np.add, 0, windows, window)
    return _divided(y, y, divisor or divisors(a.shape[2:], windows, window, counted))


def _divided(a: Array, y: Array | None, divisor: Any) -> Array:
    if a.dtype.kind != "f":  # integers are rounded towards 0
        return (np.sign(a) * np.sign(divisor) * (np.abs(a) // np.abs(divisor))).astype(a.dtype)
    return np.divide(a, np.asarray(divisor, a.dtype), out=y)


@primitive(
    r"{\overline{a}}^{\top}",
    lambda g, y, a, *, size, window, divisor, counted: avg_pool(
        g, windows=a.shape[2:], window=window, divisor=divisor, counted=counted
    ),
)
def avg_pool_transpose(a: Array, *, size: Sizes, window: Window, divisor: int | None, counted: bool) -> Array:
    """y = zeros with each a, divided as in `avg_pool`, added to all elements of its window."""
    windows = a.shape[2:]
    share = _divided(a, None, divisor or divisors(size, windows, window, counted))
    y, apart = _ground(a, a.dtype, size, windows, window)
    for w, e in cuts(sights_of(size, windows, window)):
        if apart:
            y[e] = share[w]
        else:
            y[e] += share[w]
    return y


@primitive(
    r"\overline{a}",
    lambda g, y, a, *, windows: adaptive_avg_pool_transpose(g, size=a.shape[2:]),
    label=name_of("AdaptiveAvgPool{}DBackward0"),
)
def adaptive_avg_pool(a: Array, *, windows: Sizes) -> Array:
    """y = the means of windows that cover each axis evenly."""
    for axis, count in enumerate(windows, 2):
        before: Any = (ALL,) * axis
        edges = adaptive_edges(a.shape[axis], count)
        y = np.empty_like(a, shape=(*a.shape[:axis], count, *a.shape[axis + 1 :]))
        for i, (start, end) in enumerate(edges):
            np.add.reduce(a[(*before, slice(start, end))], axis=axis, out=y[(*before, i)])
            y[(*before, i)] /= end - start
        a = y
    return a


@primitive(r"{\overline{a}}^{\top}", lambda g, y, a, *, size: adaptive_avg_pool(g, windows=a.shape[2:]))
def adaptive_avg_pool_transpose(a: Array, *, size: Sizes) -> Array:
    """y = zeros of `size` with each a, divided by the elements of its window, added to all of them."""
    for axis, n in enumerate(size, 2):
        before: Any = (ALL,) * axis
        edges = adaptive_edges(n, a.shape[axis])
        y = np.empty_like(a, shape=(*a.shape[:axis], n, *a.shape[axis + 1 :]))
        y[...] = 0
        for i, (start, end) in enumerate(edges):
            y[(*before, slice(start, end))] += a[(*before, slice(i, i + 1))] / (end - start)
        a = y
    return a


# ------------------------------------------------------------------------------------------ places in planes
@primitive(
    r"a_{b}",
    lambda g, y, a, b: put_places(g, b, size=a.shape[2:]),
    None,
    moves=True,
    label=name_of("AdaptiveMaxPool{}DBackward0"),
)
def take_places(a: Array, b: Array) -> Array:
    """y = the elements of each plane of a at the places b, counted row by row."""
    found = np.take_along_axis(_planes(a), _planes(b), -1)
    return found.reshape(b.shape)


@primitive(r"\mathrm{put}_{b}(a)", lambda g, y, a, b, *, size: take_places(g, b), None, moves=True)
def put_places(a: Array, b: Array, *, size: Sizes) -> Array:
    """y = zeros of (N, C, *size) with a added at the places b of each plane."""
    planes, n = prod(b.shape[:2]), prod(size)
    kind = np.float32 if a.dtype.char == "e" else a.dtype
    y = np.zeros(planes * n, kind)
    np.add.at(
        y,
        (np.arange(planes)[:, None] * n + b.reshape(planes, prod(b.shape[2:]))).reshape(-1),
        a.reshape(-1).astype(kind),
    )
    return y.reshape(*b.shape[:2], *size).astype(a.dtype, copy=False)


@primitive(
    r"\mathrm{put}_{b}(a)",
    lambda g, y, a, b, *, size: take_places(g, b),
    None,
    moves=True,
    label=name_of("MaxUnpool{}DBackward0"),
)
def max_unpool(a: Array, b: Array, *, size: Sizes) -> Array:
    """y = zeros of (N, C, *size) with a at the places b of each plane; of several at one place the last one stays."""
    y = np.zeros((*a.shape[:2], prod(size)), a.dtype)
    np.put_along_axis(y, _planes(b), _planes(a), -1)
    return y.reshape(*a.shape[:2], *size)


# ------------------------------------------------------------------------------------------ windows as columns
@primitive(
    r"\mathrm{windows}(a)",
    lambda g, y, a, *, windows, window: col2im(g, size=a.shape[2:], windows=windows, window=window),
    moves=True,
    label="Im2ColBackward0",
)
def im2col(a: Array, *, windows: Sizes, window: Window) -> Array:
    """y (N, C · places in the window, windows): what each window of a sees, as one column for each window."""
    y = np.empty((prod(a.shape[:2]), *window.kernel, *windows, 1), a.dtype)
    planes, (kernel, *slide) = a.reshape(1, *y.shape[:1], *a.shape[2:]), window
    y[...] = sight(padded(planes, kernel, windows, Slide(*slide)), kernel, windows, Slide(*slide))
    return y.reshape(a.shape[0], a.shape[1] * prod(window.kernel), prod(windows))


@primitive(
    r"\mathrm{fold}(a)",
    lambda g, y, a, *, size, windows, window: im2col(g, windows=windows, window=window),
    label="Col2ImBackward0",
)
def col2im(a: Array, *, size: Sizes, windows: Sizes, window: Window) -> Array:
    """y = zeros of `size` with each element of the columns added where its window sees it."""
    channels = a.shape[1] // prod(window.kernel)
    y = np.zeros((a.shape[0], channels, *size), a.dtype)
    col = a.reshape(a.shape[0], channels, *window.kernel, *windows)
    sights = sights_of(size, windows, window)
    scatter_columns(np.moveaxis(col, 0, -1), np.moveaxis(y, 0, -1), sights)
    return y
