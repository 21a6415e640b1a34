"""Inverse, solution and the factorizations of matrices, over the last two axes.

A factorization has several factors. Its op returns them as one array, one factor below the other, so that it has one
vertex, is computed once, and its rule reads them in its own value y. Functions cut the factors out.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_pt.calling import primitive
from tinygrad_pt.errors import LinAlgError
from tinygrad_pt.graph import Array
from tinygrad_pt.ops.elementwise import eq, where, zero
from tinygrad_pt.ops.linalg import bmm
from tinygrad_pt.ops.reduce import sum as total
from tinygrad_pt.ops.shape import cat, narrow, squeeze, sum_to, t, unsqueeze
from tinygrad_pt.ops.triangles import tril, triu, undiagonal


# ------------------------------------------------------------------------------------------ words of the rules
def rows(a: Any, start: int, length: int) -> Any:
    """Some rows of matrices."""
    return narrow(a, axis=len(a.shape) - 2, start=start, length=length)


def columns(a: Any, start: int, length: int) -> Any:
    """Some columns of matrices."""
    return narrow(a, axis=len(a.shape) - 1, start=start, length=length)


def eye(row: Any) -> Any:
    """Identity matrices, one for each row vector (…, 1, n)."""
    n, axis = row.shape[-1], len(row.shape) - 2
    ones = squeeze(zero(row) + 1.0, axis=(axis,))
    return undiagonal(ones, k=0, axis0=axis, axis1=axis + 1, shape=(*row.shape[:-2], n, n))


def scalar(g: Any) -> Any:
    """A number for each matrix, as a matrix of one element."""
    g = unsqueeze(g, axis=len(g.shape))
    return unsqueeze(g, axis=len(g.shape))


def over(a: Any, b: Any) -> Any:
    """a / b, and 0 where a is 0: factors that nobody reads have gradient 0, also where values coincide."""
    return a / where(eq(a, 0.0), 1.0, b)


def skew(a: Any) -> Any:
    return a - t(a)


# ------------------------------------------------------------------------------------------ solutions
def attempted(f: Callable[..., Array], shape: tuple[int, ...], *arrays: Array) -> Array:
    """What LAPACK computes of a batch, of this shape; nan for each matrix that it refuses, and for that one alone."""
    try:
        return f(*arrays)
    except np.linalg.LinAlgError:
        y = np.full(shape, np.nan, arrays[0].dtype)
        if len(shape) > 2:
            xs = [np.broadcast_to(a, (*shape[:-2], *a.shape[-2:])) for a in arrays]
            for place in np.ndindex(*shape[:-2]):
                y[place] = attempted(f, shape[-2:], *(x[place] for x in xs))
        return y


@primitive(r"{a}^{-1}", lambda g, y, a: -bmm(bmm(t(y), g), t(y)))
def inverse(a: Array) -> Array:
    """Y = A⁻¹, nan for a singular matrix."""
    return attempted(np.linalg.inv, a.shape, a)


@primitive(
    r"{a}^{-1} b",
    lambda g, y, a, b: sum_to(-bmm(solution(t(a), g), t(y)), shape=a.shape),
    lambda g, y, a, b: sum_to(solution(t(a), g), shape=b.shape),
)
def solution(a: Array, b: Array) -> Array:
    """The solution Y of A Y = B, whose leading axes broadcast; nan for a singular matrix."""
    return attempted(np.linalg.solve, (*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), *b.shape[-2:]), a, b)


# ------------------------------------------------------------------------------------------ determinants
@primitive(r"\det a", lambda g, y, a: scalar(g) * cofactors(a))
def det(a: Array) -> Array:
    """y = det A. The rule reads the cofactors, which are there for singular matrices too."""
    return np.linalg.det(a)


def _cofactors_rule(g: Any, y: Any, a: Any) -> Any:
    inverse_t = t(inverse(a))
    trace = scalar(total(g * y, axis=(-2, -1), keepdims=False))
    return trace * inverse_t - bmm(bmm(y, t(g)), inverse_t)


@primitive(r"\operatorname{cof} a", _cofactors_rule)
def cofactors(a: Array) -> Array:
    """Yᵢⱼ = ∂(det A)/∂Aᵢⱼ: det(U Vᵀ) U S' Vᵀ of A = U S Vᵀ, where S' holds the products of all but one of S."""
    u, s, vt = np.linalg.svd(a)
    n = s.shape[-1]
    if n == 0:
        return np.zeros_like(a)
    others = np.repeat(s[..., None, :], n, axis=-2)
    others[..., range(n), range(n)] = 1
    sign = np.linalg.det(u) * np.linalg.det(vt)
    return (u * (np.round(sign)[..., None] * others.prod(-1))[..., None, :]) @ vt


@primitive(r"\log |\det a|", lambda g, y, a: scalar(g) * t(inverse(a)))
def log_abs_det(a: Array) -> Array:
    """y = log |det A|, -∞ for a singular matrix."""
    return np.linalg.slogdet(a)[1]


# ------------------------------------------------------------------------------------------ factorizations
def _eigh_rule(g: Any, y: Any, a: Any, *, uplo: str) -> Any:
    """V (W̄ + (VᵀV̄) / (λⱼ - λᵢ)) Vᵀ, made symmetric as in PyTorch; of VᵀV̄ nothing is read on the diagonal."""
    n = a.shape[-1]
    values, v = rows(y, 0, 1), rows(y, 1, n)
    unit = eye(values)
    turned = bmm(t(v), rows(g, 1, n)) * (1.0 - unit)
    inner = over(turned, values - t(values) + unit)
    return bmm(bmm(v, (inner + t(inner)) * 0.5 + unit * rows(g, 0, 1)), t(v))


@primitive(r"\operatorname{eigh} a", _eigh_rule)
def eigh(a: Array, *, uplo: str) -> Array:
    """(λ; V) of a symmetric A = V diag(λ) Vᵀ, λ ascending, from the lower (L) or the upper (U) triangle."""
    try:
        values, v = np.linalg.eigh(a, uplo)
    except np.linalg.LinAlgError as error:
        raise LinAlgError(str(error)) from None
    return np.concatenate((values[..., None, :], v), axis=-2)


def _svd_rule(g: Any, y: Any, a: Any) -> Any:
    m, n = a.shape[-2:]
    u, s, v = rows(y, 0, m), rows(y, m, 1), rows(y, m + 1, n)
    gu, gs, gv = rows(g, 0, m), rows(g, m, 1), rows(g, m + 1, n)
    unit = eye(s)
    apart = s * s - t(s * s) + unit
    inner = over(skew(bmm(t(u), gu)), apart) * s + t(s) * over(skew(bmm(t(v), gv)), apart) + unit * gs
    answer = bmm(bmm(u, inner), t(v))
    if m > n:
        answer = answer + bmm(over(gu - bmm(u, bmm(t(u), gu)), s), t(v))
    if n > m:
        answer = answer + bmm(u, t(over(gv - bmm(v, bmm(t(v), gv)), s)))
    return answer


@primitive(r"\operatorname{svd} a", _svd_rule)
def svd(a: Array) -> Array:
    """(U; s; V) of A = U diag(s) Vᵀ, with as many columns as A has rows or columns, whichever are fewer."""
    try:
        u, s, vt = np.linalg.svd(a, full_matrices=False)
    except np.linalg.LinAlgError as error:
        raise LinAlgError(str(error)) from None
    return np.concatenate((u, s[..., None, :], np.swapaxes(vt, -1, -2)), axis=-2)


def _cholesky_rule(g: Any, y: Any, a: Any) -> Any:
    """L⁻ᵀ P L⁻¹, made symmetric, with P the lower triangle of LᵀL̄, its diagonal halved."""
    p = bmm(t(y), g)
    p = (tril(p, k=0) + t(tril(p, k=-1))) * 0.5
    return t(solution(t(y), t(solution(t(y), p))))


@primitive(r"\operatorname{chol} a", _cholesky_rule)
def cholesky(a: Array) -> Array:
    """The lower triangle L of A = L Lᵀ, from the lower triangle of A; nan if A is not positive-definite."""
    return attempted(np.linalg.cholesky, a.shape, a)


def _qr_rule(g: Any, y: Any, a: Any) -> Any:
    """(Q̄ + Q M) R⁻ᵀ, with M the upper triangle of R̄ Rᵀ - QᵀQ̄ and its mirror image."""
    m, n = a.shape[-2:]
    q, r, gq, gr = rows(y, 0, m), t(rows(y, m, n)), rows(g, 0, m), t(rows(g, m, n))
    p = bmm(gr, t(r)) - bmm(t(q), gq)
    return t(solution(r, t(gq + bmm(q, triu(p, k=0) + t(triu(p, k=1))))))


@primitive(r"\operatorname{qr} a", _qr_rule)
def qr(a: Array) -> Array:
    """(Q; Rᵀ) of A = Q R; A must not be wider than it is high."""
    q, r = np.linalg.qr(a)
    return np.concatenate((q, np.swapaxes(r, -1, -2)), axis=-2)


def _lu_rule(g: Any, y: Any, a: Any) -> Any:
    """L⁻ᵀ (the lower triangle of LᵀL̄, the upper one of Ū Uᵀ) U⁻ᵀ."""
    unit = eye(rows(y, 0, 1))
    lower, upper = tril(y, k=-1) + unit, triu(y, k=0)
    inner = tril(bmm(t(lower), tril(g, k=-1)), k=-1) + triu(bmm(triu(g, k=0), t(upper)), k=0)
    return t(solution(upper, t(solution(t(lower), inner))))


@primitive(r"\operatorname{lu} a", _lu_rule)
def lu(a: Array) -> Array:
    """L - I + U of a square A = L U, in one matrix: A comes with its rows in the order of the pivots."""
    y = np.array(a)
    for k in range(min(y.shape[-2:])):
        pivot = y[..., k, k, None]
        y[..., k + 1 :, k] /= np.where(pivot == 0, 1, pivot)
        y[..., k + 1 :, k + 1 :] -= y[..., k + 1 :, k, None] * y[..., k, None, k + 1 :]
    return y


def pivots(a: Array) -> Array:
    """The row, counted from 0, with which each row is exchanged in turn: the largest element of the column leads."""
    *batch, m, n = a.shape
    y = np.array(a).reshape(math.prod(batch), m, n)
    found = np.zeros((len(y), min(m, n)), np.int32)
    each = np.arange(len(y))
    for k in range(min(m, n)):
        found[:, k] = best = k + np.abs(y[:, k:, k]).argmax(1)
        y[each, k], y[each, best] = y[each, best], y[each, k]
        pivot = y[:, k, k, None]
        y[:, k + 1 :, k] /= np.where(pivot == 0, 1, pivot)
        y[:, k + 1 :, k + 1 :] -= y[:, k + 1 :, k, None] * y[:, k, None, k + 1 :]
    return found.reshape(*batch, min(m, n))


# ------------------------------------------------------------------------------------------ functions of a matrix
def _pinv_rule(g: Any, y: Any, a: Any, *, atol: Any, rtol: Any, hermitian: bool) -> Any:
    """Golub and Pereyra, 1973, for matrices whose rank does not change."""
    first = -bmm(bmm(t(y), g), t(y))
    gt, yt = t(g), t(y)
    second = bmm(gt - bmm(a, bmm(y, gt)), bmm(y, yt))
    third = bmm(bmm(yt, y), gt - bmm(bmm(gt, y), a))
    return first + second + third


@primitive(r"{a}^{+}", _pinv_rule)
def pinv(a: Array, *, atol: Any, rtol: Any, hermitian: bool) -> Array:
    """Y = A⁺, the pseudo-inverse: singular values up to max(atol, rtol · the largest) count as 0."""
    u, s, vt = svd_of(a, hermitian)
    size = np.abs(s)
    cut = np.maximum(atol, rtol * size.max(-1, initial=0))
    weight = np.where(size > np.asarray(cut)[..., None], 1 / np.where(s == 0, 1, s), 0).astype(a.dtype)
    return np.swapaxes(vt, -1, -2) @ (weight[..., :, None] * np.swapaxes(u, -1, -2))


def svd_of(a: Array, hermitian: bool = False) -> tuple[Array, Array, Array]:
    """U, s, Vᵀ by NumPy; of a symmetric matrix from its lower triangle, with eigenvalues of either sign."""
    if not hermitian:
        return np.linalg.svd(a, full_matrices=False)
    values, v = np.linalg.eigh(a)
    return v, values, np.swapaxes(v, -1, -2)


def _exp_rule(g: Any, y: Any, a: Any) -> Any:
    """The upper right block of exp (Aᵀ Ȳ; 0 Aᵀ). Mathias, 1996."""
    n = a.shape[-1]
    b = t(a)
    first, axis = len(a.shape) - 2, len(a.shape) - 1
    upper = cat(b, g, axis=axis, edges=(0, n, 2 * n))
    lower = cat(zero(b), b, axis=axis, edges=(0, n, 2 * n))
    return columns(rows(matrix_exp(cat(upper, lower, axis=first, edges=(0, n, 2 * n))), 0, n), n, n)


PADE = (64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800, 129060195264000, 10559470521600,
        670442572800, 33522128640, 1323241920, 40840800, 960960, 16380, 182, 1)  # fmt: skip


@primitive(r"\exp a", _exp_rule)
def matrix_exp(a: Array) -> Array:
    """Y = Σ Aᵏ / k!, by scaling, Padé's approximation of degree 13, and squaring. Higham, 2005."""
    if a.size == 0:
        return a.copy()
    kind = a.dtype
    a = a.astype(np.float64)
    size = np.abs(a).sum(-2).max()
    times = max(0, math.ceil(math.log2(size / 5.371920351148152))) if 0 < size < np.inf else 0
    a = a / 2.0**times
    one = np.eye(a.shape[-1])
    a2 = a @ a
    a4 = a2 @ a2
    a6 = a2 @ a4
    b = PADE
    u = a @ (a6 @ (b[13] * a6 + b[11] * a4 + b[9] * a2) + b[7] * a6 + b[5] * a4 + b[3] * a2 + b[1] * one)
    v = a6 @ (b[12] * a6 + b[10] * a4 + b[8] * a2) + b[6] * a6 + b[4] * a4 + b[2] * a2 + b[0] * one
    y = np.linalg.solve(v - u, v + u)
    for _ in range(times):
        y = y @ y
    return y.astype(kind)
