"""Rows of convolution, pooling and the columns that they are made of: the reference looks at one window at a time."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from tests.ops.rows.row import *  # noqa: F403
from tinygrad_pt.ops.sliding import Slide, Window


def seen(size: Any, windows: Any, kernel: Any, stride: Any, before: Any, dilation: Any) -> Any:
    """For each window its number, and the places in it that see an element, with the elements that they see."""
    for window in product(*map(range, windows)):
        start = [i * s - p for i, s, p in zip(window, stride, before, strict=True)]
        found = []
        for tap in product(*map(range, kernel)):
            at = tuple(o + t * d for o, t, d in zip(start, tap, dilation, strict=True))
            if all(0 <= i < n for i, n in zip(at, size, strict=True)):
                found.append((tap, at))
        yield window, found


def shares(x: Any, w: Any, groups: int) -> Any:
    """For each group, which channels go in and which come out."""
    i, o = x // groups, w // groups
    return [(slice(k * i, k * i + i), slice(k * o, k * o + o)) for k in range(groups)]


def convolved(a: Any, b: Any, c: Any = None, *, windows: Any, slide: Any, groups: int) -> Any:
    y = np.zeros((a.shape[0], b.shape[0], *windows))
    for window, found in seen(a.shape[2:], windows, b.shape[2:], *slide):
        for tap, at in found:
            for i, o in shares(a.shape[1], b.shape[0], groups):
                y[(slice(None), o, *window)] += a[(slice(None), i, *at)] @ b[(o, slice(None), *tap)].T
    return y if c is None else y + np.reshape(c, (-1, *(1,) * len(windows)))


def transposed(a: Any, b: Any, c: Any = None, *, size: Any, slide: Any, groups: int) -> Any:
    y = np.zeros((a.shape[0], b.shape[1] * groups, *size))
    for window, found in seen(size, a.shape[2:], b.shape[2:], *slide):
        for tap, at in found:
            for o, i in shares(b.shape[0], y.shape[1], groups):
                y[(slice(None), i, *at)] += a[(slice(None), o, *window)] @ b[(o, slice(None), *tap)]
    return y if c is None else y + np.reshape(c, (-1, *(1,) * len(size)))


def of_weight(a: Any, b: Any, *, kernel: Any, slide: Any, groups: int) -> Any:
    y = np.zeros((b.shape[1], a.shape[1] // groups, *kernel))
    for window, found in seen(a.shape[2:], b.shape[2:], kernel, *slide):
        for tap, at in found:
            for i, o in shares(a.shape[1], b.shape[1], groups):
                y[(o, slice(None), *tap)] += b[(slice(None), o, *window)].T @ a[(slice(None), i, *at)]
    return y


def how(stride: Any, before: Any, dilation: Any, groups: int, **more: Any) -> dict[str, Any]:
    return dict(slide=Slide(stride, before, dilation), groups=groups) | more


PLAIN, WIDE = how((1,), (0,), (1,), 1), how((2, 1), (1, 0), (1, 2), 2)
row("convolution", convolved, real, [
    (((2, 2, 4), (3, 2, 2), (3,)), PLAIN | {"windows": (3,)}), (((1, 2, 3, 3), (2, 1, 2, 2)), WIDE | {"windows": (2, 1)}),
    (((2, 2, 3), (1, 2, 1)), PLAIN | {"windows": (3,)}), (((0, 1, 2), (1, 1, 2)), PLAIN | {"windows": (1,)}),
])  # fmt: skip
row("convolution_transpose", transposed, real, [
    (((2, 3, 3), (3, 2, 2), (2,)), PLAIN | {"size": (4,)}), (((1, 2, 2, 1), (2, 1, 2, 2)), WIDE | {"size": (3, 3)}),
    (((2, 1, 3), (1, 2, 1)), PLAIN | {"size": (3,)}), (((0, 1, 1), (1, 1, 2)), PLAIN | {"size": (2,)}),
])  # fmt: skip
row("convolution_weight", of_weight, real, [
    (((2, 2, 4), (2, 3, 3)), PLAIN | {"kernel": (2,)}), (((1, 2, 3, 3), (1, 2, 2, 1)), WIDE | {"kernel": (2, 2)}),
    (((2, 2, 3), (2, 1, 3)), PLAIN | {"kernel": (1,)}), (((0, 1, 2), (0, 1, 1)), PLAIN | {"kernel": (2,)}),
])  # fmt: skip


# ------------------------------------------------------------------------------------------ pooling
def pooled(function: Any, a: Any, windows: Any, window: Any) -> Any:
    """`function` of the elements that each window sees, with their numbers in the plane."""
    y = np.zeros((*a.shape[:2], *windows))
    numbers = np.arange(np.prod(a.shape[2:], dtype=int)).reshape(a.shape[2:])
    for at_, found in seen(a.shape[2:], windows, *window):
        for n, c in np.ndindex(a.shape[:2]):
            y[(n, c, *at_)] = function([a[(n, c, *at)] for _, at in found], [numbers[at] for _, at in found])
    return y


def largest(values: Any, numbers: Any) -> Any:
    return numbers[np.argmax(values)]


def places(a: Any, **how: Any) -> Any:
    return pooled(largest, a, **how).astype(int)


def flat(a: Any) -> Any:
    return a.reshape(*a.shape[:2], int(np.prod(a.shape[2:])))


def taken(a: Any, b: Any) -> Any:
    return np.take_along_axis(flat(a), flat(b), -1).reshape(b.shape)


def put(a: Any, b: Any, size: Any, adds: bool = True) -> Any:
    y = np.zeros((*b.shape[:2], int(np.prod(size))))
    for n, c in np.ndindex(b.shape[:2]):
        for v, i in zip(a[n, c].ravel(), b[n, c].ravel(), strict=True):
            y[n, c, i] = v + (y[n, c, i] if adds else 0)
    return y.reshape(*b.shape[:2], *size)


def slid(windows: Any, kernel: Any, stride: Any, before: Any, dilation: Any) -> dict[str, Any]:
    return dict(windows=windows, window=Window(kernel, stride, before, dilation))


APART, LAPPED = slid((2,), (2,), (2,), (0,), (1,)), slid((3, 2), (2, 2), (1, 1), (1, 0), (1, 2))
POOLS = [(2, 2, 4), (1, 1, 2, 4), (0, 2, 4)]
POOLED = [((s,), APART if len(s) == 3 else LAPPED) for s in POOLS]
POOLED += [(((2, 1, 3),), slid((1,), (3,), (3,), (1,), (1,)))]  # the last element is in no window
NAN = np.array([[[1.0, np.nan, np.nan, 0.0]]])
row("max_pool", lambda a, **how: pooled(lambda x, _: max(x), a, **how), distinct, POOLED,
    Edge((NAN,), [[[np.nan, np.nan]]], ([[[0, 1, 1, 0]]],), APART),
    Edge((np.array([[[2.0, 2.0, -np.inf, -np.inf]]]),), [[[2.0, -np.inf]]], ([[[1, 0, 1, 0]]],), APART))  # fmt: skip
row("max_pool_transpose", lambda a, b, **how: put(a, places(b, **how), b.shape[2:]), (real, distinct),
    [(((*s[:2], *h["windows"]), s), h) for (s,), h in POOLED])  # fmt: skip
row(
    "max_pool_pick",
    lambda a, b, **how: taken(a, places(b, **how)),
    (real, distinct),
    [((s, s), h) for (s,), h in POOLED],
)
row("max_pool_places", places, distinct, POOLED, Edge((NAN,), [[[1, 2]]], (), APART), gradient=False)
row("adaptive_max_places", lambda a, windows: places(a, **EVENLY[windows]), distinct,
    [(((1, 2, 5),), {"windows": (2,)}), (((1, 1, 2, 3),), {"windows": (1, 3)}), (((0, 1, 5),), {"windows": (2,)})],
    gradient=False)  # fmt: skip
EVENLY: Any = {(2,): slid((2,), (3,), (2,), (0,), (1,)), (1, 3): slid((1, 3), (2, 1), (1, 1), (0, 0), (1, 1))}
row("fractional_places", lambda a, b, windows, kernel: places(a, **slid(windows, kernel, (1, 3), (0, 0), (1, 1))),
    (distinct, Domain(0, 0.3)), [(((1, 2, 3, 5), (1, 2, 2)), {"windows": (2, 2), "kernel": (2, 2)})], gradient=False)  # fmt: skip
PLACES = Domain(0, 3, kind="int")
row(
    "take_places",
    taken,
    (real, PLACES),
    cases([((2, 2, 4), (2, 2, 3)), ((1, 1, 2, 2), (1, 1, 1, 3)), ((0, 1, 4), (0, 1, 2))]),
)
row("put_places", put, (real, PLACES),
    [(((2, 2, 3), (2, 2, 3)), {"size": (4,)}), (((1, 1, 1, 3), (1, 1, 1, 3)), {"size": (2, 2)}),
     (((0, 1, 2), (0, 1, 2)), {"size": (4,)})])  # fmt: skip
row("max_unpool", lambda a, b, size: put(a, b, size, False), (real, PLACES),
    [(((2, 2, 1), (2, 2, 1)), {"size": (4,)}), (((1, 2, 1, 1), (1, 2, 1, 1)), {"size": (2, 2)}),
     (((0, 1, 2), (0, 1, 2)), {"size": (4,)})])  # fmt: skip


def averaged(a: Any, windows: Any, window: Any, divisor: Any, counted: bool) -> Any:
    if divisor:
        return pooled(lambda x, _: sum(x) / divisor, a, windows, window)
    if not counted:
        return pooled(lambda x, _: sum(x) / len(x), a, windows, window)
    a = np.pad(a, [(0, 0), (0, 0), *[(p, p) for p in window.before]])
    return pooled(lambda x, _: sum(x) / len(x), a, windows, window._replace(before=(0,) * len(windows)))


def adjoint(function: Any, a: Any, size: Any, **how: Any) -> Any:
    """The transpose of a linear function of an array, found by what it makes of each unit."""
    y = np.zeros((*a.shape[:2], *size))
    for i in np.ndindex(y.shape):
        unit = np.zeros(y.shape)
        unit[i] = 1
        y[i] = np.sum(function(unit, windows=a.shape[2:], **how) * a)
    return y


MEANS = [
    (((2, 1, 4),), dict(windows=(2,), window=Window((2,), (2,), (0,), (1,)), divisor=None, counted=True)),
    (((1, 2, 3, 3),), dict(windows=(2, 2), window=Window((2, 3), (2, 2), (1, 0), (1, 1)), divisor=None, counted=True)),
    (((1, 1, 3, 2),), dict(windows=(3, 1), window=Window((3, 2), (1, 1), (1, 0), (1, 1)), divisor=None, counted=False)),
    (((1, 1, 3),), dict(windows=(2,), window=Window((2,), (1,), (0,), (1,)), divisor=-3, counted=True)),
    (((0, 1, 2),), dict(windows=(1,), window=Window((2,), (1,), (0,), (1,)), divisor=None, counted=True)),
]  # fmt: skip
row("avg_pool", averaged, real, MEANS)
row("avg_pool_transpose", lambda a, **how: adjoint(averaged, a, **how), real,
    [(((*s[:2], *h["windows"]),), {k: v for k, v in h.items() if k != "windows"} | {"size": s[2:]}) for (s,), h in MEANS])  # fmt: skip


def evenly(a: Any, windows: Any) -> Any:
    y = np.zeros((*a.shape[:2], *windows))
    for window in np.ndindex(windows):
        cut = [slice(i * n // m, -(-(i + 1) * n // m)) for i, n, m in zip(window, a.shape[2:], windows, strict=True)]
        y[(..., *window)] = a[(..., *cut)].mean(tuple(range(2, a.ndim)))
    return y


EVEN = [(((1, 2, 5),), {"windows": (2,)}), (((1, 1, 2, 3),), {"windows": (1, 4)}), (((0, 1, 5),), {"windows": (2,)})]
row("adaptive_avg_pool", evenly, real, EVEN)
row("adaptive_avg_pool_transpose", lambda a, size: adjoint(evenly, a, size), real,
    [(((*s[:2], *h["windows"]),), {"size": s[2:]}) for (s,), h in EVEN])  # fmt: skip


def columns(a: Any, windows: Any, window: Any) -> Any:
    kernel = window.kernel
    y = np.zeros((*a.shape[:2], *kernel, *windows))
    for at_, found in seen(a.shape[2:], windows, *window):
        for tap, at in found:
            y[(slice(None), slice(None), *tap, *at_)] = a[(slice(None), slice(None), *at)]
    return y.reshape(a.shape[0], a.shape[1] * int(np.prod(kernel)), int(np.prod(windows)))


def folded(a: Any, size: Any, windows: Any, window: Any) -> Any:
    kernel = window.kernel
    y = np.zeros((a.shape[0], a.shape[1] // int(np.prod(kernel)), *size))
    col = a.reshape(*y.shape[:2], *kernel, *windows)
    for at_, found in seen(size, windows, *window):
        for tap, at in found:
            y[(slice(None), slice(None), *at)] += col[(slice(None), slice(None), *tap, *at_)]
    return y


SLID = slid((2, 2), (2, 2), (2, 1), (1, 0), (1, 2))
row("im2col", columns, real, [(((1, 2, 3, 4),), SLID), (((0, 1, 3, 4),), SLID)])
row("col2im", folded, real, [(((1, 8, 4),), SLID | {"size": (3, 4)}), (((0, 4, 4),), SLID | {"size": (3, 4)})])
