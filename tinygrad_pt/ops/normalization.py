"""Normalization: (a - m)/√(v + ε), with the mean m and the variance v of a over some axes, and its derivative's parts.

The statistics are arguments of the ops, because they are computed before (a layer tracks them), but the ops depend on
them as functions of `a`: `mean_of` and `scale_of` say what they are, so that second derivatives see it too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from tinygrad_pt.calling import primitive, several
from tinygrad_pt.graph import Array, Node, Op, Rule
from tinygrad_pt.ops.reduce import count
from tinygrad_pt.ops.shape import Shape, expand, reshape, sum_to, total

Axes = tuple[int, ...]
ones = lru_cache(maxsize=64)(np.ones)


# ------------------------------------------------------------------------------------------ sums in order of memory
@lru_cache(maxsize=512)
def _layout(shape: Shape, strides: Shape, axis: Axes) -> tuple[Axes, Shape, Axes] | None:
    """How to see an array as (before, kept, behind) in the order of its memory, where `axis` is summed over: the order
    of its axes, that shape, and which axes are kept. None if those that are kept are not neighbours.
    """
    long = [i for i in range(len(shape)) if shape[i] != 1]
    long.sort(key=lambda i: -strides[i])
    order = (*long, *(i for i in range(len(shape)) if shape[i] == 1))
    gone = [i in axis for i in long]
    if all(gone):
        return order, (1, 1, math.prod(shape)), ()
    first, last = gone.index(False), len(long) - gone[::-1].index(False)
    if any(gone[first:last]):
        return None
    parts = long[:first], long[first:last], long[last:]
    before, middle, behind = (math.prod(shape[i] for i in part) for part in parts)
    return order, (before, middle, behind), tuple(parts[1])


def _folded(a: Array, axis: Axes) -> tuple[Axes, Array, Axes] | None:
    """The order of axes, the array as (before, kept, behind), and the axes that are kept; None if that is no view."""
    layout = _layout(a.shape, a.strides, axis) if a.size else None
    if layout is None:
        return None
    x = a.transpose(layout[0])
    return (layout[0], x.reshape(layout[1]), layout[2]) if x.flags.c_contiguous else None


def _columns(x: Array, y: Array | None) -> Array:
    """Σᵢ xᵢⱼ (yᵢⱼ) of matrices: sums are added by BLAS, and those of more than 1024 rows in blocks."""
    n = len(x)
    if n > 1024:
        whole = n // 512 * 512
        blocks = x[:whole].reshape(-1, 512, x.shape[1])
        if y is None:
            y_ = np.matmul(ones(512, x.dtype.char), blocks)
        else:
            y_ = np.einsum("kij,kij->kj", blocks, y[:whole].reshape(blocks.shape))
        s = np.add.reduce(y_, 0)
        return s if whole == n else s + _columns(x[whole:], None if y is None else y[whole:])
    return ones(n, x.dtype.char).dot(x) if y is None else np.einsum("ij,ij->j", x, y)


def _rows(x: Array, y: Array | None) -> Array:
    """Σⱼ xᵢⱼ (yᵢⱼ) of matrices; BLAS would add up long rows in too few parts."""
    n = x.shape[1]
    if y is None:
        return x.dot(ones(n, x.dtype.char)) if n <= 4096 else np.add.reduce(x, 1)
    if n <= 4096:
        return np.vecdot(x, y)
    whole = n // 4096 * 4096
    parts = np.vecdot(x[:, :whole].reshape(len(x), -1, 4096), y[:, :whole].reshape(len(x), -1, 4096))
    return np.add.reduce(parts, 1) + np.vecdot(x[:, whole:], y[:, whole:])


def _summed(a: Array, b: Array | None, axis: Axes) -> Array:
    """Σ a or Σ a b over `axis`, which is kept with length 1."""
    shape = tuple(1 if i in axis else n for i, n in enumerate(a.shape))
    found = _folded(a, axis) if a.dtype.char in "fd" and a.size else None
    if found is None:
        return np.asarray(total(a if b is None else a * b, axis, True))
    order, x, kept = found
    y = None
    if b is not None:
        y = b.transpose(order)
        y = (y if y.flags.c_contiguous else np.ascontiguousarray(y)).reshape(x.shape)
    before, middle, behind = x.shape
    if behind == 1:
        s = _columns(x[:, :, 0], None if y is None else y[:, :, 0])
    elif before == 1:
        s = _rows(x[0], None if y is None else y[0])
    elif behind < 64:
        s = _columns(x.reshape(before, -1), None if y is None else y.reshape(before, -1))
        s = _rows(s.reshape(middle, behind), None)
    else:
        s = _rows(x.reshape(-1, behind), None if y is None else y.reshape(-1, behind))
        s = _columns(s.reshape(before, middle), None)
    if kept != tuple(sorted(kept)):
        s = s.reshape([a.shape[i] for i in kept]).transpose(np.argsort(kept))
    return s.reshape(shape)


@primitive(r"\sum a", lambda g, y, a, *, axis: expand(g, shape=a.shape))
def sum_along(a: Array, *, axis: Axes) -> Array:
    """y = Σ a over axes that are kept with length 1, computed in the order in which a lies in memory."""
    return _summed(a, None, axis)


@primitive(r"\sum a\,b", lambda g, y, a, b, *, axis: g * b, lambda g, y, a, b, *, axis: g * a)
def dot_along(a: Array, b: Array, *, axis: Axes) -> Array:
    """y = Σ a b, of arrays of one shape, over axes that are kept with length 1."""
    return _summed(a, b, axis)


@primitive(r"\sum a\,b", lambda g, y, a, b, *, axis: g * b, lambda g, y, a, b, *, axis: sum_to(g * a, shape=b.shape))
def sum_weighted(a: Array, b: Array, *, axis: Axes) -> Array:
    """y = Σ a b over axes that are kept with length 1, for weights b that differ along these axes alone."""
    shape = tuple(1 if i in axis else n for i, n in enumerate(a.shape))
    x, n = a, a.ndim
    if a.flags.c_contiguous and a.dtype is b.dtype and a.dtype.char in "fd" and a.size:
        if axis == tuple(range(n - len(axis), n)):
            x = a.reshape(-1, b.size)
            if b.size <= 4096:
                return x.dot(b.reshape(-1)).reshape(shape)
        if axis == tuple(range(len(axis))) and b.size <= 4096:
            return b.reshape(-1).dot(a.reshape(b.size, -1)).reshape(shape)
    return np.asarray(total(a * b, axis, True))


def _blocks(a: Array) -> Iterator[tuple[int, slice]]:
    """An axis and its slices that cut an array into blocks that the second cache holds."""
    axis = max(range(a.ndim), key=lambda i: a.strides[i] if a.shape[i] > 1 else -1)
    n = a.shape[axis]
    step = max(1, BLOCK * n // a.size)
    for start in range(0, n, step):
        yield axis, slice(start, start + step)


BLOCK = 32768  # elements


def _part(a: Array, axis: int, place: slice) -> Array:
    """The block of an array, or of a factor that is broadcast along this axis."""
    return a if a.shape[axis] == 1 else a[(slice(None),) * axis + (place,)]


def _spread(c: Array, a: Array) -> Array:
    """A factor as numbers for whole rows in memory, where it would meet only a few neighbours at a time."""
    inside, i = 1, c.ndim
    while i and c.shape[i - 1] == 1:
        i -= 1
        inside *= a.shape[i]
    if not 1 < inside < 64 or c.size * inside * 4 > a.size or not a.flags.c_contiguous:
        return c
    return np.ascontiguousarray(np.broadcast_to(c, (*c.shape[:i], *a.shape[i:])))


def _combined(a: Array, b: Array, c: Array, d: Array, e: Array, f: Array | None) -> Array:
    c, d, e = (_spread(x, b) for x in (c, d, e))
    y = np.empty_like(b)
    room: Array | None = None
    for axis, place in _blocks(b) if b.size > BLOCK else ((0, slice(None)),):
        into, x = _part(y, axis, place), _part(b, axis, place)
        if room is None or room.shape != x.shape:
            room = np.empty_like(x)
        np.multiply(_part(a, axis, place), _part(c, axis, place), into)
        if f is not None:
            np.multiply(into, _part(f, axis, place), into)
        np.multiply(x, _part(d, axis, place), room)
        np.add(into, room, into)
        np.add(into, _part(e, axis, place), into)
    return y


# An op of its own for a measured gain: it computes block by block, so that the four operations share a cache.
@primitive(
    r"a\,c\,f + b\,d + e",
    lambda g, y, a, b, c, d, e, f=None: g * c if f is None else g * c * f,
    lambda g, y, a, b, c, d, e, f=None: g * d,
    lambda g, y, a, b, c, d, e, f=None: g * a if f is None else g * a * f,
    lambda g, y, a, b, c, d, e, f=None: g * b,
    lambda g, y, a, b, c, d, e, f=None: g,
    lambda g, y, a, b, c, d, e, f: g * a * c,
    elementwise=True,
)
def combine(a: Array, b: Array, c: Array, d: Array, e: Array, f: Array | None = None) -> Array:
    """y = a c f + b d + e."""
    xs = [x for x in (a, b, c, d, e, f) if x is not None]
    if b.ndim and b.size and a.shape == b.shape and all(x.dtype is b.dtype and x.ndim == b.ndim for x in xs):
        if np.broadcast_shapes(*(x.shape for x in xs)) == b.shape:
            return _combined(a, b, c, d, e, f)
    return (a * c if f is None else a * c * f) + b * d + e


# ------------------------------------------------------------------------------------------ the statistics
@np.errstate(all="ignore")  # it is called beside the op, whose call would compute again without the user's errors
def moments(a: Array, axis: Axes) -> tuple[Array, Array]:
    """The mean and the (biased) variance over axes that are kept with length 1."""
    n = count(a.shape, axis)
    m = _summed(a, None, axis) / a.dtype.type(n)
    q = _summed(a, a, axis) / a.dtype.type(n)
    v = q - m * m
    if not (a.size and np.logical_and.reduce(q <= 5 * v, None)):  # the difference has lost digits
        d = a - m
        m = m + _summed(d, None, axis) / a.dtype.type(n)
        v = _summed(d, d, axis) / a.dtype.type(n)
    return m, v


@primitive(r"\overline{a}", lambda g, y, a, m=None, *, axis: expand(g / count(a.shape, axis), shape=a.shape), None)
def mean_of(a: Array, m: Array | None = None, *, axis: Axes) -> Array:
    """y = the mean of a over `axis`, which is m if that is given."""
    return moments(a, axis)[0] if m is None else m


@primitive(
    r"\frac{1}{\sqrt{\operatorname{var} a + \epsilon}}",
    lambda g, y, a, m=None, r=None, *, axis, eps: (
        -(g * (y * y * y) / count(a.shape, axis)) * (a - mean_of(a, m, axis=axis))
    ),
    None,
    None,
)
def scale_of(a: Array, m: Array | None = None, r: Array | None = None, *, axis: Axes, eps: float) -> Array:
    """y = 1/√(v + ε) of the variance v of a over `axis`, which is r if that is given."""
    return 1 / np.sqrt(moments(a, axis)[1] + a.dtype.type(eps)) if r is None else r


# ------------------------------------------------------------------------------------------ normalization
def _label(node: Node) -> str:
    return "NativeBatchNormBackward0" if 0 in node.attrs["axis"] else "NativeLayerNormBackward0"


class Joint(Op):
    """An op whose rules share what several of them need: `make()` gives rules that do, to each vertex its own."""

    __slots__ = ("make", "own")

    def __init__(self, name: str, forward: Callable[..., Any], make: Callable[[], Any], notation: str) -> None:
        self.make = make
        self.own = lambda slot: make()[slot]
        super().__init__(name, forward, self.own, notation, aside=3, label=_label)

    def rules_for(self, count: int) -> tuple[Rule | None, ...]:
        """The rules of `count` arguments."""
        if self.rules is not self.own:  # those of its form for float16
            return super().rules_for(count)
        rules: tuple[Rule | None, ...] = self.make()
        return rules[:count]


def _alike(shape: Shape, axis: Axes) -> bool:
    """Whether weights of this shape are the same wherever one mean is taken."""
    return all(shape[i] == 1 for i in axis)


def _apart(shape: Shape, of: Shape, axis: Axes) -> bool:
    """Whether weights of this shape differ along the axes of a mean, all of them, and along no others."""
    return shape == tuple(n if i in axis else 1 for i, n in enumerate(of)) and len(axis) < len(of)


def _rules() -> tuple[Rule | None, ...]:
    """The rules of `normalize`. With â = (a - m) r, n elements in each mean, and h = g w, that of a is
    r (h - Σh/n - â Σ(h â)/n), where the sums are also those of weight and bias, if these are the same in one mean.
    """
    known: list[Any] = [None, None, None]

    def sums(g: Any, a: Any, m: Any, axis: Axes) -> Any:
        """Σ g and Σ g (a - m); the last ones that were computed are known."""
        if known[0] is not g or known[1] is not a:
            s = sum_along(g, axis=axis)
            known[:] = g, a, (s, dot_along(g, a, axis=axis) - m * s)
        return known[2]

    def product(g: Any, a: Any) -> Any:
        """g a; the last one that was computed is known."""
        if known[0] is not g or known[1] is not a:
            known[:] = g, a, g * a
        return known[2]

    def by_input(g, y, a, w=None, b=None, m=None, r=None, *, axis, eps, like):  # type: ignore[no-untyped-def]
        w = w if w is None or like is None else reshape(w, shape=like)
        m, r = mean_of(a, m, axis=axis), scale_of(a, m, r, axis=axis, eps=eps)
        n, k, f = count(a.shape, axis) or 1, r, None
        if w is None or _alike(w.shape, axis):
            s, t = sums(g, a, m, axis)
            if w is not None:
                s, t, k = s * w, t * w, r * w
        elif _apart(w.shape, a.shape, axis):
            s, f = sum_weighted(g, w, axis=axis), w
            t = sum_weighted(product(g, a), w, axis=axis) - m * s
        else:
            g = g * w
            s = sum_along(g, axis=axis)
            t = dot_along(g, a, axis=axis) - m * s
        d = -(r * r * r * t / n)
        e = -(r * s / n + d * m)
        return combine(g, a, k, d, e) if f is None else combine(g, a, k, d, e, f)

    def by_weight(g, y, a, w, b=None, m=None, r=None, *, axis, eps, like):  # type: ignore[no-untyped-def]
        m, r = mean_of(a, m, axis=axis), scale_of(a, m, r, axis=axis, eps=eps)
        shape = w.shape if like is None else like
        if _alike(shape, axis):
            found = sum_to(sums(g, a, m, axis)[1] * r, shape=shape)
        elif _apart(shape, a.shape, axis):
            rest = tuple(i for i in range(a.ndim) if i not in axis)
            found = sum_weighted(product(g, a), r, axis=rest) - sum_weighted(g, m * r, axis=rest)
        else:
            found = _sum_like(g, (a - m) * r, shape)
        return found if like is None else reshape(found, shape=w.shape)

    def by_bias(g, y, a, w, b, m=None, r=None, *, axis, eps, like):  # type: ignore[no-untyped-def]
        shape = b.shape if like is None else like
        known_sum = known[0] is g and known[1] is a and _alike(shape, axis)
        found = sum_to(known[2][0], shape=shape) if known_sum else _sum_like(g, None, shape)
        return found if like is None else reshape(found, shape=b.shape)

    return by_input, by_weight, by_bias, None, None


def _sum_like(g: Any, x: Any, shape: Shape) -> Any:
    """Σ g or Σ g x, summed to a shape with as many axes."""
    axis = tuple(i for i, n in enumerate(shape) if n == 1)
    return sum_along(g, axis=axis) if x is None else dot_along(g, x, axis=axis)


def _normalize(
    a: Array, w: Array | None = None, b: Array | None = None, m: Array | None = None, r: Array | None = None, *,
    axis: Axes, eps: float, like: Shape | None = None,
) -> Array:  # fmt: skip
    """y = (a - m) r w + b, with the mean m of a over `axis` and r = 1/√(v + ε); w and b are taken in shape `like`."""
    if like is not None:
        w, b = w if w is None else w.reshape(like), b if b is None else b.reshape(like)
    if m is None or r is None:
        m, v = moments(a, axis)
        r = 1 / np.sqrt(v + a.dtype.type(eps))
    k, many = r, count(a.shape, axis) > 1  # of one element, a r - m r is exactly 0
    if w is not None and many and _alike(w.shape, axis):
        k, w = r * w, None
    c = -m * k
    if w is None and b is not None and many and _alike(b.shape, axis):
        c, b = c + b, None
    k, c = _spread(k, a), _spread(c, a)
    y = np.empty_like(a)
    for i, place in _blocks(a) if a.size > BLOCK else ((0, slice(None)),):
        into = _part(y, i, place)
        np.multiply(_part(a, i, place), _part(k, i, place), into)
        np.add(into, _part(c, i, place), into)
        if w is not None:
            np.multiply(into, _part(w, i, place), into)
        if b is not None:
            np.add(into, _part(b, i, place), into)
    return y


# An op of its own for stability and a measured gain: its parts would be eight vertices, and as many arrays.
normalize = several(
    Joint("normalize", _normalize, _rules, r"\frac{a - \overline{a}}{\sqrt{\operatorname{var} a + \epsilon}}\, b + c")
)
