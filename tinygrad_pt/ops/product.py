"""Products of many numbers, in which partial products may be far larger or smaller than the result.

Where a partial product might leave the range of ordinary numbers, wide numbers take its place: pairs of arrays (m, e)
that stand for m · 2ᵉ, with |m| < 1 and an integer e, which has no bounds.
"""

from __future__ import annotations

import numpy as np

from tinygrad_pt.calling import primitive
from tinygrad_pt.graph import Array
from tinygrad_pt.ops.elementwise import where
from tinygrad_pt.ops.reduce import sum
from tinygrad_pt.ops.shape import expand, unsqueeze

Wide = tuple[Array, Array]


def _tame(a: Array) -> bool:
    """Whether all products of elements of one row, whichever they are, are normal numbers (or 0 times something)."""
    if a.dtype.kind != "f" or not a.size:
        return True
    kind, e = np.finfo(a.dtype), np.frexp(a)[1]  # 2ᵉ⁻¹ ≤ |a| < 2ᵉ
    largest = np.add.reduce(np.maximum(e, 0), axis=-1, dtype=np.int64)
    smallest = np.add.reduce(np.minimum(e - 1, 0), axis=-1, dtype=np.int64)
    return bool(np.all(largest < kind.maxexp) and np.all(smallest > kind.minexp))


def _wide(a: Array) -> Wide:
    m, e = np.frexp(a.astype(np.float64))
    return m, np.where(np.isfinite(m), e, 0).astype(np.int64)


def _times(a: Wide, b: Wide) -> Wide:
    m, e = np.frexp(a[0] * b[0])
    return m, a[1] + b[1] + np.where(np.isfinite(m), e, 0)


def _running(a: Wide) -> Wide:
    """The running products over the last axis: step 1 multiplies neighbours, each next step what is twice as far."""
    step = 1
    while step < a[0].shape[-1]:
        met = _times((a[0][..., :-step], a[1][..., :-step]), (a[0][..., step:], a[1][..., step:]))
        a = tuple(np.concatenate([x[..., :step], y], -1) for x, y in zip(a, met, strict=True))  # type: ignore[assignment]
        step *= 2
    return a


def _narrow(a: Wide, dtype: np.dtype) -> Array:
    return np.ldexp(a[0], np.clip(a[1], -9999, 9999).astype(np.int32)).astype(dtype)


@primitive(r"\prod a", lambda g, y, a: unsqueeze(g, axis=-1) * product_of_others(a))
def prod(a: Array) -> Array:
    """y = the product over the last axis."""
    if _tame(a):
        return np.multiply.reduce(a, axis=-1)
    m, e = _running(_wide(a))
    return _narrow((m[..., -1], e[..., -1]), a.dtype)


def _square(a: Array, mask: Array) -> Array:
    """A square matrix, each row of which is a, with 1 in place of the elements where the mask is False."""
    n = a.shape[-1]
    return where(mask, expand(unsqueeze(a, axis=-2), shape=(*a.shape[:-1], n, n)), 1.0)


@primitive(
    r"\prod_{\neq i} a",
    lambda g, y, a: sum(
        where(
            ~np.eye(a.shape[-1], dtype=bool),
            unsqueeze(g, axis=-1) * product_of_others(_square(a, ~np.eye(a.shape[-1], dtype=bool))),
            0.0,
        ),
        axis=-2,
        keepdims=False,
    ),
)
def product_of_others(a: Array) -> Array:
    """yᵢ = the product of all elements of the last axis but the i-th, which, unlike y/aᵢ, exists for aᵢ = 0."""
    one = np.ones((*a.shape[:-1], 1), a.dtype)
    before, after = np.concatenate([one, a[..., :-1]], -1), np.concatenate([one, a[..., :0:-1]], -1)
    if _tame(a):
        y = np.cumprod(before, -1) * np.cumprod(after, -1)[..., ::-1]
    else:
        m, e = _running(_wide(after))
        y = _narrow(_times(_running(_wide(before)), (m[..., ::-1], e[..., ::-1])), a.dtype)
    return y[..., : a.shape[-1]]


@primitive(
    r"\mathrm{cumprod}\, a",
    lambda g, y, a: sum(
        where(
            np.tri(a.shape[-1], dtype=bool),
            unsqueeze(g, axis=-1) * product_of_others(_square(a, np.tri(a.shape[-1], dtype=bool))),
            0.0,
        ),
        axis=-2,
        keepdims=False,
    ),
)
def cumprod(a: Array) -> Array:
    """yₖ = a₀ · … · aₖ over the last axis."""
    return np.cumprod(a, -1) if _tame(a) else _narrow(_running(_wide(a)), a.dtype)
