"""Normalization: (a - m)/√(v + ε), with the mean m and the variance v of a over some axes, and its derivative's parts.

The statistics are arguments of the ops, because they are computed before (a layer tracks them), but the ops depend on
them as functions of `a`: `mean_of` and `scale_of` say what they are, so that second derivatives see it too.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from tinygrad_pt.calling import primitive, several
from tinygrad_pt.graph import Array, Op, Rule
from tinygrad_pt.ops.reduce import count
from tinygrad_pt.ops.shape import Shape, expand, sum_to, total

Axes = tuple[int, ...]
ones = lru_cache(maxsize=64)(np.ones)


# ------------------------------------------------------------------------------------------ sums in order of memory
def _folded(a: Array, axis: Axes) -> tuple[Axes, Array, Axes] | None:
    """An array as (before, kept, behind) in the order of its memory, where `axis` is summed over: the permutation, the
    folded array, and which axes are kept. None if the memory has gaps, or the axes that are kept are not neighbours.
    """
    long = [i for i in range(a.ndim) if a.shape[i] != 1]
    long.sort(key=lambda i: -a.strides[i])
    gone = [i in axis for i in long]
    first = 0 if all(gone) else gone.index(False)
    last = len(long) if all(gone) else len(long) - gone[::-1].index(False)
    if any(gone[first:last]) and not all(gone):
        return None
    order = (*long, *(i for i in range(a.ndim) if a.shape[i] == 1))
    x = a.transpose(order)
    if not x.flags.c_contiguous:
        return None
    kept = () if all(gone) else tuple(long[first:last])
    before = 1 if all(gone) else int(np.prod([a.shape[i] for i in long[:first]], dtype=int))
    middle = int(np.prod([a.shape[i] for i in kept], dtype=int))
    return order, x.reshape(before, middle, a.size // (before * middle) if a.size else 0), kept


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


@primitive(
    r"a\,c + b\,d + e",
    lambda g, y, a, b, c, d, e: g * c,
    lambda g, y, a, b, c, d, e: g * d,
    lambda g, y, a, b, c, d, e: g * a,
    lambda g, y, a, b, c, d, e: g * b,
    lambda g, y, a, b, c, d, e: g,
    elementwise=True,
    domain="promote",
)
def combine(a: Array, b: Array, c: Array, d: Array, e: Array) -> Array:
    """y = a c + b d + e."""
    y = a * c + b * d
    return np.add(y, e, out=y) if y.shape == np.broadcast_shapes(np.shape(y), np.shape(e)) and np.ndim(y) else y + e


# ------------------------------------------------------------------------------------------ the statistics
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
class Joint(Op):
    """An op whose rules share what several of them need: `make()` gives rules that do, to each vertex its own."""

    __slots__ = ("make", "own")

    def __init__(self, name: str, forward: Callable[..., Any], make: Callable[[], Any], notation: str) -> None:
        self.make = make
        self.own = lambda slot: make()[slot]
        super().__init__(name, forward, self.own, notation)

    def rules_for(self, count: int) -> tuple[Rule | None, ...]:
        """The rules of `count` arguments."""
        if self.rules is not self.own:  # those of its form for float16
            return super().rules_for(count)
        rules: tuple[Rule | None, ...] = self.make()
        return rules[:count]


def _alike(w: Any, axis: Axes) -> bool:
    """Whether the weight is the same wherever one mean is taken."""
    return all(w.shape[i] == 1 for i in axis)


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

    def by_input(g, y, a, w=None, b=None, m=None, r=None, *, axis, eps):  # type: ignore[no-untyped-def]
        m, r = mean_of(a, m, axis=axis), scale_of(a, m, r, axis=axis, eps=eps)
        n, k = count(a.shape, axis) or 1, r
        if w is None or _alike(w, axis):
            s, t = sums(g, a, m, axis)
            if w is not None:
                s, t, k = s * w, t * w, r * w
        else:
            g = g * w
            s, t = sums(g, a, m, axis)
        d = -(r * r * r * t / n)
        return combine(g, a, k, d, -(r * s / n + d * m))

    def by_weight(g, y, a, w, b=None, m=None, r=None, *, axis, eps):  # type: ignore[no-untyped-def]
        m, r = mean_of(a, m, axis=axis), scale_of(a, m, r, axis=axis, eps=eps)
        if not _alike(w, axis):
            return _sum_like(g, (a - m) * r, w.shape)
        return sum_to(sums(g, a, m, axis)[1] * r, shape=w.shape)

    def by_bias(g, y, a, w, b, m=None, r=None, *, axis, eps):  # type: ignore[no-untyped-def]
        if known[0] is g and known[1] is a and _alike(b, axis):
            return sum_to(known[2][0], shape=b.shape)
        return _sum_like(g, None, b.shape)

    return by_input, by_weight, by_bias, None, None


def _sum_like(g: Any, x: Any, shape: Shape) -> Any:
    """Σ g or Σ g x, summed to a shape with as many axes."""
    axis = tuple(i for i, n in enumerate(shape) if n == 1)
    return sum_along(g, axis=axis) if x is None else dot_along(g, x, axis=axis)


def _normalize(
    a: Array, w: Array | None = None, b: Array | None = None, m: Array | None = None, r: Array | None = None, *,
    axis: Axes, eps: float,
) -> Array:  # fmt: skip
    """y = (a - m) r w + b, with the mean m of a over `axis` and r = 1/√(v + ε)."""
    if m is None or r is None:
        m, v = moments(a, axis)
        r = 1 / np.sqrt(v + a.dtype.type(eps))
    if w is not None and _alike(w, axis):
        k = r * w
        y = a * k
        y += (-m * k) if b is None or not _alike(b, axis) else b - m * k
        return y if b is None or _alike(b, axis) else np.add(y, b, out=y)
    y = a * r
    y += -m * r
    if w is not None:
        y *= w
    if b is not None:
        y += b
    return y


# An op of its own for stability and a measured gain: its parts would be eight vertices, and as many arrays.
normalize = several(
    Joint("normalize", _normalize, _rules, r"\frac{a - \overline{a}}{\sqrt{\operatorname{var} a + \epsilon}}\, b + c")
)
