"""Matrices under the names that stand in `torch` itself, and as methods: most are those of `torch.linalg`."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np

from tinygrad_pt import dtypes, ops
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions import factorizations as L
from tinygrad_pt.functions.arguments import promoted
from tinygrad_pt.functions.checks import checked, into, unsupported
from tinygrad_pt.functions.creation import randn
from tinygrad_pt.functions.factorizations import matrix_exp, matrix_power
from tinygrad_pt.functions.linalg import matmul
from tinygrad_pt.functions.pointwise import where
from tinygrad_pt.functions.reduction import named, norm
from tinygrad_pt.graph import Tensor

__all__ = [
    "cdist", "chain_matmul", "cholesky", "cholesky_inverse", "cholesky_solve", "cross", "det", "geqrf", "inverse",
    "kron", "logdet", "lu", "lu_solve", "lu_unpack", "matrix_exp", "matrix_power", "orgqr", "ormqr", "pca_lowrank",
    "pinverse", "qr", "slogdet", "svd", "svd_lowrank", "triangular_solve",
]  # fmt: skip


@named
class SVD(NamedTuple):
    """U, S, V of A = U diag(S) Vᵀ."""

    U: Tensor
    S: Tensor
    V: Tensor


@named
class QR(NamedTuple):
    """Q, R of A = Q R."""

    Q: Tensor
    R: Tensor


@named
class SignLogDet(NamedTuple):
    """The sign of a determinant, and the logarithm of its size."""

    sign: Tensor
    logabsdet: Tensor


@named
class Reflections(NamedTuple):
    """R and the reflections of A = Q R, and their factors."""

    a: Tensor
    tau: Tensor


@named
class Triangular(NamedTuple):
    """The solution, and a copy of the coefficients."""

    solution: Tensor
    cloned_coefficient: Tensor


@named
class Unpacked(NamedTuple):
    """P, L, U of A = P L U."""

    P: Tensor
    L: Tensor
    U: Tensor


for _kind, _name in (
    (SVD, "svd"), (QR, "qr"), (Reflections, "geqrf"),
    (SignLogDet, "slogdet"), (Triangular, "triangular_solve"), (Unpacked, "lu_unpack"),
):  # fmt: skip
    _kind.__name__ = _name


@checked
def inverse(input: Tensor) -> Tensor:
    """A⁻¹: `torch.linalg.inv`."""
    return L.inv(input)


@checked
def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """The pseudo-inverse: `torch.linalg.pinv`; singular values up to rcond · the largest count as 0."""
    return L.pinv(input, rtol=rcond)


@checked
def logdet(input: Tensor) -> Tensor:
    """log det A: -inf for a singular matrix, nan for a negative determinant.

    >>> torch.logdet(torch.eye(2) * 2)
    tensor(1.3863)
    """
    sign, size = L.slogdet(L.matrices(input, "logdet", square=True))
    return where(sign == -1, float("nan"), size)


@checked
def det(input: Tensor) -> Tensor:
    """det A: `torch.linalg.det`."""
    return L.det(input)


@checked
def slogdet(input: Tensor) -> SignLogDet:
    """The sign of det A and log |det A|: `torch.linalg.slogdet`."""
    return SignLogDet(*L.slogdet(input))


@checked
def cholesky(input: Tensor, upper: bool = False) -> Tensor:
    """The lower triangle L of A = L Lᵀ: `torch.linalg.cholesky`."""
    return L.cholesky(input, upper=upper)


def _triangle(a: Tensor, upper: bool) -> Tensor:
    """The lower triangle L of A = L Lᵀ; the gradient is that of all elements of a, as in PyTorch."""
    other = np.triu(a.array, 1) if not upper else np.tril(a.array, -1)
    full = a - wrap(other) if other.any() else a
    return L.turned(full) if upper else full


@checked
def cholesky_solve(input: Tensor, input2: Tensor, upper: bool = False) -> Tensor:
    """X of A X = B, from B and the triangle of A that `cholesky` returns."""
    b, a = input, input2
    if b.array.ndim < 2 or a.array.ndim < 2:
        which, n = ("b", b.array.ndim) if b.array.ndim < 2 else ("u", a.array.ndim)
        text = f"{which} should have at least 2 dimensions, but has {n} dimensions instead"
        raise refuse(RuntimeError, text, "cholesky_solve", input, input2)
    L.matrices(a, "cholesky_solve", square=True)
    L.alike(a, b, "cholesky_solve")
    L._fits(a, b, True, "cholesky_solve")
    low = _triangle(a, upper)
    return L.substitution(L.turned(low), L.substitution(low, b, False), True)


@checked
def cholesky_inverse(input: Tensor, upper: bool = False) -> Tensor:
    """A⁻¹ from the triangle of A that `cholesky` returns."""
    L.matrices(input, "cholesky_inverse", square=True)
    low = _triangle(input, upper)
    one = wrap(np.broadcast_to(np.eye(low.array.shape[-1], dtype=low.array.dtype), low.array.shape).copy())
    return L.substitution(L.turned(low), L.substitution(low, one, False), True)


@checked
def qr(input: Tensor, some: bool = True) -> QR:
    """Q, R of A = Q R: `torch.linalg.qr`; some=False makes Q square."""
    return QR(*L.qr(input, "reduced" if some else "complete"))


@checked
def svd(input: Tensor, some: bool = True, compute_uv: bool = True) -> SVD:
    """U, S, V (not Vᵀ) of A = U diag(S) Vᵀ; some=False makes U and V square, compute_uv=False leaves them 0."""
    if compute_uv:
        u, s, vh = L.svd(input, not some)
        return SVD(u, s, ops.clone(L.turned(vh)))
    *batch, m, n = L.matrices(input, "linalg.svd").array.shape
    u, v = (wrap(np.zeros((*batch, size, size), input.array.dtype)) for size in (m, n))
    return SVD(u, L.svdvals(input), v)


def lu(A: Tensor, pivot: bool = True, get_infos: bool = False, out: Any = None) -> tuple[Tensor, ...]:
    """(LU, pivots), and with get_infos=True the number of a pivot that is 0: `torch.linalg.lu_factor_ex`."""
    text = "torch.lu is deprecated in favor of torch.linalg.lu_factor / torch.linalg.lu_factor_ex and will be removed "
    warnings.warn(f"{text}in a future PyTorch release.", UserWarning, stacklevel=2)
    y, found, info = L.lu_factor_ex(A, pivot=pivot, check_errors=not get_infos)
    parts = (y, found, info) if get_infos else (y, found)
    return parts if out is None else into(out, "lu", parts)


@checked
def lu_solve(input: Tensor, LU_data: Tensor, LU_pivots: Tensor) -> Tensor:
    """X of A X = B from the factors of A: `torch.linalg.lu_solve`."""
    return L.lu_solve(LU_data, LU_pivots, input)


@checked
def lu_unpack(LU_data: Tensor, LU_pivots: Tensor, unpack_data: bool = True, unpack_pivots: bool = True) -> Unpacked:
    """P, L, U of what `torch.linalg.lu_factor` returns; what is not asked for is empty."""
    none = wrap(np.zeros(0, LU_data.array.dtype))
    P, lower, upper = none, none, none
    if unpack_pivots:
        if LU_pivots.array.dtype != np.int32:
            text = "torch.lu_unpack: LU_pivots is expected to be a contiguous tensor of torch.int32 dtype.\n"
            raise refuse(RuntimeError, f"{text}Note: this function is intended to be used with the output produced by "
                         "torch.linalg.lu_factor", "lu_unpack", LU_data, LU_pivots)  # fmt: skip
        P = wrap(np.ascontiguousarray(L.permutation(LU_pivots.array - 1, LU_data.array.shape[-2], LU_data.array.dtype)))
    if unpack_data:
        lower, upper = L.triangles(LU_data)
    return Unpacked(P, lower, upper)


@checked
def triangular_solve(
    input: Tensor, A: Tensor, upper: bool = True, transpose: bool = False, unitriangular: bool = False
) -> Triangular:
    """X of A X = B for a triangular A: `torch.linalg.solve_triangular`."""
    a = L.turned(A) if transpose else A
    x = L.solve_triangular(a, input, upper=upper != transpose, unitriangular=unitriangular)
    return Triangular(x, ops.clone(A))


@checked
def orgqr(input: Tensor, input2: Tensor) -> Tensor:
    """The product of Householder reflections: `torch.linalg.householder_product`."""
    return L.householder_product(input, input2)


@checked
def geqrf(input: Tensor) -> Reflections:
    """A = Q R as LAPACK keeps it: R above the diagonal of `a`, below it the vectors of reflections, and their factors.

    Without a gradient; `torch.linalg.qr` has one.
    """
    if input.array.ndim < 2:
        raise refuse(RuntimeError, "torch.geqrf: input must have at least 2 dimensions.", "geqrf", input)
    x = L.matrices(input, "geqrf").array
    h, tau = np.linalg.qr(x, "raw")
    return Reflections(wrap(np.ascontiguousarray(np.swapaxes(h, -1, -2))), wrap(tau))


def _unfit_reflections(input: Tensor, tau: Tensor, other: Tensor, axis: int) -> str:
    """PyTorch's sentence about reflections that do not fit a matrix along its `axis`, or nothing."""
    a, t, c = input.array, tau.array, other.array
    for name, x in (("input", a), ("other", c)):
        if x.ndim < 2:
            return f"{name} must have at least 2 dimensions."
    if c.shape[axis] != a.shape[-2]:
        return f"other.shape[{axis}] must be equal to input.shape[-2]"
    if t.shape[-1] != min(c.shape[axis], a.shape[-1]):
        return f"tau.shape[-1] must be equal to min(other.shape[{axis}], input.shape[-1])"
    if t.ndim != a.ndim - 1:
        text = "Expected tau to have one dimension less than input, but got tau.ndim equal to "
        return f"{text}{t.ndim} and input.ndim is equal to {a.ndim}"
    if c.ndim != a.ndim:
        text = "Expected other to have the same number of dimensions as input, but got other.ndim equal to "
        return f"{text}{c.ndim} and input.ndim is equal to {a.ndim}"
    for name, sizes in (("tau", t.shape[:-1]), ("other", c.shape[:-2])):
        if sizes != a.shape[:-2]:
            return f"Expected batch dimensions of {name} to be equal to input.shape[:-2], but got {list(sizes)}"
    for name, y in (("tau", t), ("other", c)):
        if y.dtype != a.dtype:
            kinds = (dtypes.of(z.dtype).spoken for z in (a, y))
            text = "Expected input and {0} to have the same dtype, but input has dtype{1} and {0} has dtype {2}"
            return text.format(name, *kinds)
    return ""


@checked
def ormqr(input: Tensor, input2: Tensor, input3: Tensor, left: bool = True, transpose: bool = False) -> Tensor:
    """Q C, or Qᵀ C, or with left=False C Q or C Qᵀ, where reflections Q = H₁ H₂ … are those of `geqrf`."""
    if text := _unfit_reflections(input, input2, input3, -2 if left else -1):
        raise refuse(RuntimeError, f"torch.ormqr: {text}", "ormqr", input, input2, input3)
    a = input.array
    if a.dtype.kind != "f":
        raise unsupported("ormqr_cpu", "ormqr", input)
    v = ops.tril(input, k=-1) + wrap(np.eye(*a.shape[-2:], dtype=a.dtype))
    y, count = (input3 if left else L.turned(input3)), input2.array.shape[-1]
    for i in range(count) if left == transpose else reversed(range(count)):
        w = ops.narrow(v, axis=a.ndim - 1, start=i, length=1)
        t = ops.unsqueeze(ops.narrow(input2, axis=input2.array.ndim - 1, start=i, length=1), axis=input2.array.ndim)
        y = y - matmul(w * t, matmul(L.turned(w), y))
    return y if left else L.turned(y)


@checked
def svd_lowrank(A: Tensor, q: int | None = 6, niter: int | None = 2, M: Tensor | None = None) -> tuple[Tensor, ...]:
    """U, S, V of the q largest singular values of A - M, by random projection and `niter` steps of a power iteration.

    Halko, Martinsson, Tropp, 2009, algorithm 5.1. Same seed, PyTorch's random numbers.
    """
    a = A if M is None else A - M
    wide = a.array.shape[-2] < a.array.shape[-1]
    if wide:
        a = L.turned(a)
    basis = L.qr(matmul(a, randn(a.array.shape[-1], 6 if q is None else q, dtype=a.dtype))).Q
    for _ in range(2 if niter is None else niter):
        basis = L.qr(matmul(a, L.qr(matmul(L.turned(a), basis)).Q)).Q
    u, s, vh = L.svd(matmul(L.turned(basis), a), False)
    u, v = matmul(basis, u), L.turned(vh)
    return (v, s, u) if wide else (u, s, v)


@checked
def pca_lowrank(A: Tensor, q: int | None = None, center: bool = True, niter: int = 2) -> tuple[Tensor, ...]:
    """U, S, V of the rows of A around their mean: the columns of V are the q first principal directions."""
    m, n = L.matrices(A, "pca_lowrank").array.shape[-2:]
    if q is None:
        q = min(6, m, n)
    elif not 0 <= q <= min(m, n):
        text = f"q(={q}) must be non-negative integer and not greater than min(m, n)={min(m, n)}"
        raise refuse(ValueError, text, "pca_lowrank", A)
    if niter < 0:
        raise refuse(ValueError, f"niter(={niter}) must be non-negative integer", "pca_lowrank", A)
    return svd_lowrank(A - A.mean(-2, keepdim=True) if center else A, q, niter)


def chain_matmul(*matrices: Tensor) -> Tensor:
    """The product of matrices in the cheapest order: `torch.linalg.multi_dot`."""
    return matrices[0] if len(matrices) == 1 else L.multi_dot(matrices)


@checked
def kron(input: Tensor, other: Tensor) -> Tensor:
    """The Kronecker product: each element of A times all of B.

    >>> torch.kron(torch.tensor([1, 2]), torch.tensor([1, 10]))
    tensor([ 1, 10,  2, 20])
    """
    a, b = promoted(input, other)
    n = max(a.array.ndim, b.array.ndim)
    one, two = ((1,) * (n - x.array.ndim) + x.array.shape for x in (a, b))
    left = ops.reshape(a, shape=tuple(k for size in one for k in (size, 1)))
    right = ops.reshape(b, shape=tuple(k for size in two for k in (1, size)))
    return ops.reshape(left * right, shape=tuple(i * j for i, j in zip(one, two, strict=True)))


@checked
def cross(input: Tensor, other: Tensor, dim: int | None = None) -> Tensor:
    """The cross product along an axis of length 3: the first one if none is given."""
    if dim is None:
        dim = next((i for i, size in enumerate(input.array.shape) if size == 3), None)
        if dim is None:
            text = "no dimension of size 3 in input"
            raise refuse(RuntimeError, text, "cross", input, other)
    return L.cross(input, other, dim=dim)


@checked
def cdist(x1: Tensor, x2: Tensor, p: float = 2.0, compute_mode: str | None = None) -> Tensor:
    """The p-norm of the difference of each row of x1 with each row of x2; at distance 0 the gradient is 0.

    Shape: (*, m, k), (*, n, k) → (*, m, n).

    >>> torch.cdist(torch.tensor([[0.0, 0.0]]), torch.tensor([[3.0, 4.0], [0.0, 1.0]]))
    tensor([[5., 1.]])
    """
    for which, x in (("X1", x1), ("X2", x2)):
        if x.array.ndim < 2:
            text = f"cdist only supports at least 2D tensors, {which} got: {x.array.ndim}D"
            raise refuse(RuntimeError, text, "cdist", x1, x2)
    if x1.array.shape[-1] != x2.array.shape[-1]:
        text = f"X1 and X2 must have the same number of columns. X1: {x1.array.shape[-1]} X2: {x2.array.shape[-1]}"
        raise refuse(RuntimeError, text, "cdist", x1, x2)
    for which, x in (("X1", x1), ("X2", x2)):
        if x.array.dtype.kind != "f":
            text = f"cdist only supports floating-point dtypes, {which} got: {x.dtype.spoken}"
            raise refuse(RuntimeError, text, "cdist", x1, x2)
    if p < 0:
        raise refuse(RuntimeError, "cdist only supports non-negative p values", "cdist", x1, x2)
    modes = ("use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist")
    if compute_mode is not None and compute_mode not in modes:
        raise refuse(ValueError, f"{compute_mode} is not a valid value for compute_mode", "cdist", x1, x2)
    a = ops.unsqueeze(x1, axis=x1.array.ndim - 1)
    b = ops.unsqueeze(x2, axis=x2.array.ndim - 2)
    return norm(a - b, p, -1)


# ------------------------------------------------------------------------------------------ as methods
class Matrices:
    """The methods of a tensor that this file defines."""

    __slots__ = ()

    cholesky, cholesky_inverse, cholesky_solve, cross, det = cholesky, cholesky_inverse, cholesky_solve, cross, det
    inverse, kron, logdet, lu, lu_solve, matrix_exp = inverse, kron, logdet, lu, lu_solve, matrix_exp
    matrix_power, orgqr, pinverse, qr, slogdet, svd = matrix_power, orgqr, pinverse, qr, slogdet, svd
    triangular_solve, geqrf, ormqr = triangular_solve, geqrf, ormqr
