"""PyTorch's `torch.linalg`: solutions, determinants, factorizations, norms and functions of matrices.

Matrices are the last two axes of a tensor; the axes before them are a batch. What only PyTorch's older names do
otherwise (`torch.svd`, `torch.qr`) stands in `matrices.py`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tinygrad_pt import dtypes, ops
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import LinAlgError, refuse
from tinygrad_pt.functions.arguments import Dims, Dtype, axis_from, promoted
from tinygrad_pt.functions.checks import checked
from tinygrad_pt.functions.linalg import matmul, mm
from tinygrad_pt.functions.reduction import amax, amin, named, sum
from tinygrad_pt.functions.reduction import norm as plain_norm
from tinygrad_pt.functions.shaping import broadcast_tensors
from tinygrad_pt.graph import Tensor
from tinygrad_pt.ops import factorizations as F

__all__ = [
    "cholesky", "cholesky_ex", "cond", "cross", "det", "diagonal", "eigh", "eigvalsh",
    "householder_product", "inv", "inv_ex", "lstsq", "lu", "lu_factor", "lu_factor_ex", "lu_solve", "matmul",
    "matrix_exp", "matrix_norm", "matrix_power", "matrix_rank", "multi_dot", "norm", "pinv", "qr", "slogdet", "solve",
    "solve_ex", "solve_triangular", "svd", "svdvals", "tensorinv", "tensorsolve", "vander", "vecdot", "vector_norm",
]  # fmt: skip


# ------------------------------------------------------------------------------------------ arguments
def matrices(a: Tensor, function: str, name: str = "A", square: bool = False, low: bool = False) -> Tensor:
    """`a` if it holds (square) matrices of a dtype that LAPACK computes in; else PyTorch's error."""
    x = a.array
    text = ""
    if x.ndim < 2:
        text = f"{function}: The input tensor {name} must have at least 2 dimensions."
    elif x.dtype.kind != "f":
        text = f"{function}: Expected a floating point or complex tensor as input. Got {a.dtype.spoken}"
    elif x.dtype.itemsize == 2 and not low:
        text = f"{function}: Low precision dtypes not supported. Got {a.dtype.spoken}"
    elif square and x.shape[-1] != x.shape[-2]:
        sizes = f"{x.shape[-2]} by {x.shape[-1]}"
        text = f"{function}: {name} must be batches of square matrices, but they are {sizes} matrices"
    if text:
        raise refuse(RuntimeError, text, function.rpartition(".")[2], a, mend="x.float() makes it float32")
    return a


def alike(a: Tensor, b: Tensor, function: str, names: tuple[str, str] = ("A", "B")) -> None:
    """Two tensors of one dtype, or PyTorch's error."""
    if a.array.dtype != b.array.dtype:
        (one, two), (x, y) = names, (a.dtype.spoken, b.dtype.spoken)
        text = f"{function}: Expected {one} and {two} to have the same dtype, but found {one} of "
        text += f"type {x} and {two} of type {y} instead"
        raise refuse(RuntimeError, text, function.rpartition(".")[2], a, b)


def first_fault(faults: np.ndarray) -> tuple[str, int]:
    """Where the first batch element fails, in PyTorch's words, and its number; 0 is no fault."""
    where = np.flatnonzero(faults)
    if not where.size:
        return "", 0
    return (f"(Batch element {where[0]}): " if faults.ndim else ""), int(faults.flat[where[0]])


def zero_pivots(x: np.ndarray) -> np.ndarray:
    """For each matrix the number, from 1, of its first pivot that is 0; 0 if it has none."""
    n = min(x.shape[-2:])
    compact = F.lu.op.forward(reordered(x, F.pivots(x)))
    zero = np.diagonal(compact, axis1=-2, axis2=-1) == 0
    return np.where(zero.any(-1), zero.argmax(-1) + 1, 0).astype(np.int32) if n else np.zeros(x.shape[:-2], np.int32)


def lost(y: Tensor) -> bool:
    """Whether LAPACK has refused a matrix: then all of its result is nan, at which a closer look is due."""
    return bool(y.array.size) and bool(np.isnan(y.array[..., 0, 0]).any())


def replaced(x: np.ndarray, faults: np.ndarray, other: np.ndarray | None = None) -> np.ndarray:
    """The matrices, the identity (or those of `other`) in the place of faulty ones."""
    other = np.eye(*x.shape[-2:], dtype=x.dtype) if other is None else other
    return np.where((faults != 0)[..., None, None], other, x)


def order(found: np.ndarray, rows: int) -> np.ndarray:
    """The rows of the matrices in the order to which exchanges, counted from 0, bring them."""
    places = np.broadcast_to(np.arange(rows), (*found.shape[:-1], rows)).copy()
    count = math.prod(found.shape[:-1])
    flat, each = places.reshape(count, rows), found.reshape(count, found.shape[-1])
    lines = np.arange(len(flat))
    for k in range(found.shape[-1]):
        best = each[:, k]
        flat[lines, k], flat[lines, best] = flat[lines, best], flat[lines, k].copy()
    return flat.reshape(places.shape)


def reordered(x: np.ndarray, found: np.ndarray) -> np.ndarray:
    return np.take_along_axis(x, order(found, x.shape[-2])[..., None], -2)


def column(x: Tensor, k: int) -> Tensor:
    return ops.select(x, axis=x.array.ndim - 2, index=k)


def part(x: Tensor, start: int, length: int, axis: int = -2) -> Tensor:
    """Some rows (or columns) of packed factors, as a tensor with memory of its own."""
    return ops.clone(ops.narrow(x, axis=x.array.ndim + axis, start=start, length=length))


def turned(x: Tensor) -> Tensor:
    """Each matrix transposed."""
    return ops.transpose(x, axis0=x.array.ndim - 2, axis1=x.array.ndim - 1)


# ------------------------------------------------------------------------------------------ inverse and solutions
@named
class Inverse(NamedTuple):
    inverse: Tensor
    info: Tensor


@named
class Solution(NamedTuple):
    result: Tensor
    info: Tensor


Inverse.__name__, Solution.__name__ = "linalg_inv_ex", "linalg_solve_ex"


@checked
def inv(A: Tensor) -> Tensor:
    """A⁻¹ of square matrices.

    Shape: (*, n, n) → (*, n, n). Raises LinAlgError if a matrix is singular.

    >>> torch.linalg.inv(torch.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    y = F.inverse(matrices(A, "linalg.inv", square=True))
    if lost(y):
        where, k = first_fault(zero_pivots(A.array))
        if k:
            text = f"linalg.inv: {where}The diagonal element {k} is zero, the inversion could not be completed because "
            raise refuse(LinAlgError, f"{text}the input matrix is singular.", "inv", A, mend="torch.linalg.pinv")
    return y


@checked
def inv_ex(A: Tensor, *, check_errors: bool = False) -> Inverse:
    """(A⁻¹, info): info is 0, or the number of the pivot that is 0; then the inverse holds no meaning."""
    y = F.inverse(matrices(A, "linalg.inv", square=True))
    faults = zero_pivots(A.array) if lost(y) else np.zeros(A.array.shape[:-2], np.int32)
    if faults.any():
        y = inv(A) if check_errors else wrap(replaced(y.array, faults, A.array))
    return Inverse(y, wrap(faults))


def _is_vector(A: Tensor, B: Tensor) -> bool:
    """PyTorch's rule: a right side is a batch of vectors if it has one axis less than A, and A's leading sizes."""
    a, b = A.array.shape, B.array.shape
    return len(b) == 1 or (len(a) - 1 == len(b) and a[:-1] == b)


@checked
def solve(A: Tensor, B: Tensor, *, left: bool = True) -> Tensor:
    """X of A X = B, or of X A = B with left=False.

    Shape: (*, n, n) and (*, n, k) or (*, n). Raises LinAlgError if a matrix is singular.

    >>> torch.linalg.solve(torch.tensor([[2.0, 0.0], [0.0, 4.0]]), torch.tensor([2.0, 2.0]))
    tensor([1.0000, 0.5000])
    """
    matrices(A, "linalg.solve", square=True)
    alike(A, B, "linalg.solve")
    vector = _is_vector(A, B)
    if vector and not left:
        text = "linalg.solve: Vector broadcasting of the left hand side is not supported for left=False. In this case "
        raise refuse(RuntimeError, f"{text}linalg.solve is equivalent to B / A.squeeze(-1)", "solve", A, B)
    b = ops.unsqueeze(B, axis=B.array.ndim) if vector else B
    _fits(A, b, left, "linalg.solve")
    y = F.solution(A, b) if left else turned(F.solution(turned(A), turned(b)))
    if lost(y):
        where, k = first_fault(zero_pivots(A.array))
        if k:
            text = f"torch.linalg.solve: {where}The solver failed because the input matrix is singular."
            raise refuse(LinAlgError, text, "solve", A, B, mend="torch.linalg.lstsq")
    return ops.squeeze(y, axis=(y.array.ndim - 1,)) if vector else y


def _fits(A: Tensor, b: Tensor, left: bool, function: str) -> None:
    n, shape = A.array.shape[-1], b.array.shape
    if len(shape) < 2 or shape[-2 if left else -1] != n:
        rows, cols = shape[-2:] if len(shape) > 1 else (*shape, 1)
        text = f"{function}: Incompatible shapes of A and B for the equation {'AX' if left else 'XA'} = B "
        text += f"({n}x{n} and {rows}x{cols})"
        raise refuse(RuntimeError, text, function.rpartition(".")[2], A, b)


@checked
def solve_ex(A: Tensor, B: Tensor, *, left: bool = True, check_errors: bool = False) -> Solution:
    """(X, info) of A X = B: info is 0, or the number of the pivot that is 0."""
    faults = zero_pivots(matrices(A, "linalg.solve", square=True).array)
    if faults.any() and not check_errors:
        A = wrap(replaced(A.array, faults))
    return Solution(solve(A, B, left=left), wrap(faults))


@checked
def solve_triangular(
    input: Tensor, B: Tensor, *, upper: bool, left: bool = True, unitriangular: bool = False
) -> Tensor:
    """X of A X = B for triangular A, of which only one triangle is read; a zero on its diagonal gives inf or nan.

    >>> torch.linalg.solve_triangular(torch.tensor([[2.0, 1.0], [0.0, 4.0]]), torch.tensor([[3.0], [4.0]]), upper=True)
    tensor([[1.],
            [1.]])
    """
    matrices(input, "linalg.solve_triangular", square=True)
    matrices(B, "linalg.solve_triangular", "B")
    alike(input, B, "linalg.solve_triangular")
    _fits(input, B, left, "linalg.solve_triangular")
    a = input if left else turned(input)
    b = B if left else turned(B)
    k = int(unitriangular)
    a = ops.triu(a, k=k) if upper == left else ops.tril(a, k=-k)
    if unitriangular:
        a = a + wrap(np.eye(a.array.shape[-1], dtype=a.array.dtype))
    y = substitution(a, b, upper == left)
    return y if left else turned(y)


def substitution(a: Tensor, b: Tensor, upper: bool) -> Tensor:
    """The solution for triangular matrices, also for singular ones, where it is inf or nan."""
    y = F.solution(a, b)
    if not lost(y):
        return y
    x, n = a.array, a.array.shape[-1]
    v = np.array(np.broadcast_to(b.array, y.array.shape))
    with np.errstate(all="ignore"):
        for i in reversed(range(n)) if upper else range(n):
            rest = slice(i + 1, n) if upper else slice(0, i)
            v[..., i, :] = (v[..., i, :] - (x[..., i, None, rest] @ v[..., rest, :])[..., 0, :]) / x[..., i, i, None]
    return wrap(v)


@named
class LeastSquares(NamedTuple):
    solution: Tensor
    residuals: Tensor
    rank: Tensor
    singular_values: Tensor


LeastSquares.__name__ = "linalg_lstsq"


@checked
def lstsq(input: Tensor, b: Tensor, rcond: float | None = None, *, driver: str | None = None) -> LeastSquares:
    """The X of least norm that minimises ‖A X - B‖, with the squared residuals, the rank and the singular values.

    Residuals are there if A is higher than wide and of full rank; singular values for the drivers 'gelsd' and 'gelss'.

    >>> torch.linalg.lstsq(torch.tensor([[1.0], [0.0]]), torch.tensor([[2.0], [3.0]])).solution
    tensor([[2.]])
    """
    a, y = input.array, b.array
    if a.ndim < 2:
        raise refuse(RuntimeError, "torch.linalg.lstsq: input must have at least 2 dimensions.", "lstsq", input, b)
    if y.ndim < 1:
        raise refuse(RuntimeError, "torch.linalg.lstsq: other must have at least 1 dimension.", "lstsq", input, b)
    if a.ndim - y.ndim not in (0, 1):
        text = "torch.linalg.lstsq: input.dim() must be greater or equal to other.dim() and "
        raise refuse(RuntimeError, f"{text}(input.dim() - other.dim()) <= 1", "lstsq", input, b)
    vector = a.ndim - 1 == y.ndim and a.shape[:-1] == y.shape
    if a.shape[-2] != (y.shape[-1] if vector else y.shape[-2] if y.ndim > 1 else None):
        axis = "-1" if vector or y.ndim < 2 else "-2"
        raise refuse(
            RuntimeError, f"torch.linalg.lstsq: input.size(-2) should match other.size({axis})", "lstsq", input, b
        )
    if a.dtype != y.dtype:
        text = "torch.linalg.lstsq: Expected input and other to have the same dtype, but got input's dtype "
        raise refuse(RuntimeError, f"{text}{input.dtype.spoken} and other's dtype {b.dtype.spoken}", "lstsq", input, b)
    if driver not in (None, "gels", "gelsy", "gelsd", "gelss"):
        text = f"torch.linalg.lstsq: parameter `driver` should be one of (gels, gelsy, gelsd, gelss) but got {driver}"
        raise refuse(RuntimeError, text, "lstsq", input, b)
    matrices(input, "linalg.lstsq")
    m, n = a.shape[-2:]
    cut = rcond if rcond is not None else np.finfo(a.dtype).eps * max(m, n)
    s = np.linalg.svd(a, compute_uv=False)
    largest = s.max(-1, initial=0) if s.size else np.zeros(a.shape[:-2], a.dtype)
    rank = (s > (cut * largest)[..., None]).sum(-1)
    right = ops.unsqueeze(b, axis=y.ndim) if vector else b
    x = matmul(F.pinv(input, atol=0.0, rtol=cut, hermitian=False), right)
    left = ops.narrow(ops.reshape(x, shape=(x.array.size,)), axis=0, start=0, length=0)
    if m > n and driver != "gelsy" and (rank == n).all():
        left = ops.sum(ops.power(matmul(input, x) - right, n=2), axis=(x.array.ndim - 2,), keepdims=False)
    if vector:
        x = ops.squeeze(x, axis=(x.array.ndim - 1,))
    counted = driver != "gels"
    values = s if driver in ("gelsd", "gelss") else np.zeros(0, a.dtype)
    return LeastSquares(x, left, wrap(rank if counted else np.zeros(0, np.int64)), wrap(values))


# ------------------------------------------------------------------------------------------ determinants
@named
class SignLogDet(NamedTuple):
    sign: Tensor
    logabsdet: Tensor


SignLogDet.__name__ = "linalg_slogdet"


@checked
def det(A: Tensor) -> Tensor:
    """det A of square matrices; the gradient, the cofactors, is right for singular matrices too.

    >>> torch.linalg.det(torch.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor(8.)
    """
    return F.det(matrices(A, "linalg.det", square=True))


@checked
def slogdet(A: Tensor) -> SignLogDet:
    """The sign of det A and log |det A|, which neither overflows nor underflows.

    >>> torch.linalg.slogdet(torch.eye(2) * 1e30).logabsdet
    tensor(138.1551)
    """
    matrices(A, "linalg.slogdet", square=True)
    size = F.log_abs_det(A)
    return SignLogDet(
        ops.zero(size) + wrap(np.asarray(np.linalg.slogdet(A.array)[0])), size
    )  # the sign's gradient is 0


# ------------------------------------------------------------------------------------------ factorizations
@named
class Cholesky(NamedTuple):
    L: Tensor
    info: Tensor


@named
class Eigen(NamedTuple):
    eigenvalues: Tensor
    eigenvectors: Tensor


@named
class SVD(NamedTuple):
    U: Tensor
    S: Tensor
    Vh: Tensor


@named
class QR(NamedTuple):
    Q: Tensor
    R: Tensor


@named
class LU(NamedTuple):
    P: Tensor
    L: Tensor
    U: Tensor


@named
class LUFactor(NamedTuple):
    LU: Tensor
    pivots: Tensor


@named
class LUFactorInfo(NamedTuple):
    LU: Tensor
    pivots: Tensor
    info: Tensor


Cholesky.__name__, Eigen.__name__, SVD.__name__, QR.__name__, LU.__name__, LUFactor.__name__, LUFactorInfo.__name__ = (
    "linalg_cholesky_ex", "linalg_eigh", "linalg_svd", "linalg_qr", "linalg_lu", "linalg_lu_factor",
    "linalg_lu_factor_ex",
)  # fmt: skip


def _minors(x: np.ndarray) -> np.ndarray:
    """For each matrix the order of its first leading minor that is not positive-definite; 0 if there is none."""
    flat = x.reshape(math.prod(x.shape[:-2]), *x.shape[-2:])
    found = np.zeros(len(flat), np.int32)
    for i, a in enumerate(flat):
        for k in range(1, a.shape[0] + 1):
            try:
                np.linalg.cholesky(a[:k, :k])
            except np.linalg.LinAlgError:
                found[i] = k
                break
    return found.reshape(x.shape[:-2])


@checked
def cholesky(input: Tensor, *, upper: bool = False) -> Tensor:
    """The lower triangle L of A = L Lᵀ, or with upper=True Lᵀ; A is symmetric, and only its lower triangle is read.

    Raises LinAlgError if a matrix is not positive-definite.

    >>> torch.linalg.cholesky(torch.tensor([[4.0, 2.0], [2.0, 5.0]]))
    tensor([[2., 0.],
            [1., 2.]])
    """
    matrices(input, "linalg.cholesky", square=True)
    y = F.cholesky(turned(input) if upper else input)
    if lost(y):
        where, k = first_fault(_minors(input.array))
        text = f"linalg.cholesky: {where}The factorization could not be completed because the input is not "
        text += f"positive-definite (the leading minor of order {k} is not positive-definite)."
        raise refuse(LinAlgError, text, "cholesky", input)
    return turned(y) if upper else y


@checked
def cholesky_ex(input: Tensor, *, upper: bool = False, check_errors: bool = False) -> Cholesky:
    """(L, info): info is 0, or the order of the leading minor that is not positive-definite."""
    y = F.cholesky(turned(matrices(input, "linalg.cholesky", square=True)) if upper else input)
    faults = _minors(input.array) if lost(y) else np.zeros(input.array.shape[:-2], np.int32)
    if faults.any():
        y = cholesky(input) if check_errors else wrap(replaced(y.array, faults, input.array))
    return Cholesky(turned(y) if upper else y, wrap(faults))


def _triangle(UPLO: str, function: str, A: Tensor) -> str:
    if UPLO not in ("L", "U", "l", "u"):
        text = f"Expected UPLO argument to be 'L' or 'U', but got {UPLO}"
        raise refuse(RuntimeError, text, function, A)
    return UPLO.upper()


@checked
def eigh(input: Tensor, UPLO: str = "L") -> Eigen:
    """Eigenvalues, ascending, and eigenvectors of symmetric matrices: A = V diag(λ) Vᵀ.

    Only one triangle of A is read. Where eigenvalues coincide, the eigenvectors have no gradient: it is inf or nan.

    >>> torch.linalg.eigh(torch.tensor([[2.0, 0.0], [0.0, 1.0]])).eigenvalues
    tensor([1., 2.])
    """
    matrices(input, "linalg.eigh", square=True)
    y = F.eigh(input, uplo=_triangle(UPLO, "eigh", input))
    return Eigen(column(y, 0), part(y, 1, input.array.shape[-1]))


@checked
def eigvalsh(input: Tensor, UPLO: str = "L") -> Tensor:
    """The eigenvalues of symmetric matrices, ascending."""
    matrices(input, "linalg.eigvalsh", square=True)
    return ops.clone(column(F.eigh(input, uplo=_triangle(UPLO, "eigvalsh", input)), 0))


def finite(A: Tensor, function: str) -> None:
    if not np.isfinite(A.array).all():
        text = f"{function}: The algorithm failed to converge because the input matrix contained non-finite values."
        raise refuse(LinAlgError, text, function.rpartition(".")[2], A)


@checked
def svd(A: Tensor, full_matrices: bool = True, *, driver: str | None = None) -> SVD:
    """U, S, Vᵀ of A = U diag(S) Vᵀ, S descending; U and V are square with full_matrices=True.

    Where singular values coincide, U and V have no gradient: it is inf or nan.

    >>> torch.linalg.svd(torch.tensor([[3.0, 0.0], [0.0, 4.0]])).S
    tensor([4., 3.])
    """
    matrices(A, "linalg.svd")
    if driver is not None:
        text = "torch.linalg.svd: keyword argument `driver=` is only supported on CUDA inputs with cuSOLVER backend."
        raise refuse(RuntimeError, text, "svd", A)
    finite(A, "linalg.svd")
    m, n = A.array.shape[-2:]
    y = F.svd(A)
    u, s, v = part(y, 0, m), ops.clone(column(y, m)), part(y, m + 1, n)
    if full_matrices and m != n:
        more, _, rest = np.linalg.svd(A.array)
        if m > n:
            u = ops.cat(u, wrap(more[..., n:]), axis=u.array.ndim - 1, edges=(0, n, m))
        else:
            v = ops.cat(v, wrap(np.swapaxes(rest[..., m:, :], -1, -2)), axis=v.array.ndim - 1, edges=(0, m, n))
    return SVD(u, s, ops.clone(turned(v)))


@checked
def svdvals(A: Tensor, *, driver: str | None = None) -> Tensor:
    """The singular values of A, descending."""
    return svd(matrices(A, "linalg.svdvals"), False, driver=driver).S


@checked
def qr(A: Tensor, mode: str = "reduced") -> QR:
    """Q, R of A = Q R, Q orthogonal and R upper triangular; 'complete' makes Q square, 'r' returns R alone.

    >>> q, r = torch.linalg.qr(torch.tensor([[3.0, 1.0], [4.0, 2.0]]))
    >>> torch.allclose(q @ r, torch.tensor([[3.0, 1.0], [4.0, 2.0]]))
    True
    """
    matrices(A, "linalg.qr")
    if mode not in ("reduced", "r", "complete"):
        text = f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', or 'complete'"
        raise refuse(RuntimeError, text, "qr", A)
    m, n = A.array.shape[-2:]
    if mode == "complete" and m > n:
        return QR(*map(wrap, np.linalg.qr(A.array, "complete")))
    k = min(m, n)
    first = A if m >= n else ops.narrow(A, axis=A.array.ndim - 1, start=0, length=m)
    y = F.qr(first)
    q, r = part(y, 0, m), turned(part(y, m, k))
    if n > m:
        rest = matmul(turned(q), ops.narrow(A, axis=A.array.ndim - 1, start=m, length=n - m))
        r = ops.cat(r, rest, axis=r.array.ndim - 1, edges=(0, m, n))
    if mode == "r":
        q = wrap(np.zeros(0, A.array.dtype))
    return QR(q, ops.clone(r))


def compact(A: Tensor, pivot: bool) -> tuple[Tensor, np.ndarray]:
    """L - I + U in one matrix, and the exchanges of rows, counted from 0."""
    x = A.array
    m, n = x.shape[-2:]
    found = F.pivots(x) if pivot else np.broadcast_to(np.arange(min(m, n), dtype=np.int32), (*x.shape[:-2], min(m, n)))
    a = ops.getitem(A, index=_rows(order(found, m))) if pivot and x.size else A
    if A.node is None or m == n:
        return F.lu(a), np.array(found)
    k = min(m, n)
    y = F.lu(ops.narrow(ops.narrow(a, axis=x.ndim - 2, start=0, length=k), axis=x.ndim - 1, start=0, length=k))
    unit = wrap(np.eye(k, dtype=x.dtype))
    axis = x.ndim - 2 if m > n else x.ndim - 1
    rest = ops.narrow(a, axis=axis, start=k, length=max(m, n) - k)
    more = (
        turned(F.solution(turned(ops.triu(y, k=0)), turned(rest)))
        if m > n
        else F.solution(ops.tril(y, k=-1) + unit, rest)
    )
    return ops.cat(y, more, axis=axis, edges=(0, k, max(m, n))), np.array(found)


def _rows(places: np.ndarray) -> tuple[Any, ...]:
    """The index of the rows of each matrix."""
    batch = [np.arange(size).reshape(-1, *[1] * (places.ndim - i - 1)) for i, size in enumerate(places.shape[:-1])]
    return (*batch, places, slice(None))


def triangles(y: Tensor) -> tuple[Tensor, Tensor]:
    """L, with ones on its diagonal, and U, of a compact factorization."""
    m, n = y.array.shape[-2:]
    k = min(m, n)
    unit = wrap(np.eye(m, k, dtype=y.array.dtype))
    lower = ops.tril(ops.narrow(y, axis=y.array.ndim - 1, start=0, length=k), k=-1) + unit
    return lower, ops.triu(ops.narrow(y, axis=y.array.ndim - 2, start=0, length=k), k=0)


def permutation(found: np.ndarray, rows: int, kind: np.dtype[Any]) -> np.ndarray:
    """P of A = P L U."""
    return np.swapaxes(np.eye(rows, dtype=kind)[order(found, rows)], -1, -2)


@checked
def lu(A: Tensor, *, pivot: bool = True) -> LU:
    """P, L, U of A = P L U, by exchanges of rows; pivot=False makes none, and P is empty."""
    matrices(A, "linalg.lu")
    y, found = compact(A, pivot)
    lower, upper = triangles(y)
    P = permutation(found, A.array.shape[-2], A.array.dtype) if pivot else np.zeros(0, A.array.dtype)
    return LU(wrap(P), lower, upper)


@checked
def lu_factor_ex(A: Tensor, *, pivot: bool = True, check_errors: bool = False) -> LUFactorInfo:
    """L - I + U in one matrix, the exchanges of rows counted from 1, and the number of a pivot that is 0."""
    matrices(A, "linalg.lu_factor_ex")
    y, found = compact(A, pivot)
    zero = np.diagonal(y.array, axis1=-2, axis2=-1) == 0
    info = np.where(zero.any(-1), zero.argmax(-1) + 1, 0) if zero.shape[-1] else np.zeros(zero.shape[:-1])
    where, k = first_fault(np.asarray(info))
    if check_errors and k:
        text = f"torch.linalg.lu_factor_ex: {where}U[{k},{k}] is zero and using it on lu_solve would result in a "
        text += "division by zero. If you still want to perform the factorization, consider calling linalg.lu(A, pivot)"
        raise refuse(LinAlgError, f"{text} or linalg.lu_factor_ex(A, pivot)", "lu_factor", A)
    return LUFactorInfo(y, wrap((found + 1).astype(np.int32)), wrap(np.asarray(info).astype(np.int32)))


@checked
def lu_factor(A: Tensor, *, pivot: bool = True) -> LUFactor:
    """L - I + U in one matrix, and the exchanges of rows, counted from 1: what `lu_solve` takes."""
    y, found, _ = lu_factor_ex(A, pivot=pivot)
    return LUFactor(y, found)


@checked
def lu_solve(LU: Tensor, pivots: Tensor, B: Tensor, *, left: bool = True, adjoint: bool = False) -> Tensor:
    """X of A X = B from the factors of A (adjoint=True: Aᵀ X = B; left=False: X A = B)."""
    matrices(LU, "torch.linalg.lu_solve", "LU", square=True)
    matrices(B, "torch.linalg.lu_solve", "B")
    if pivots.array.dtype != np.int32:
        text = "linalg.lu_solve: pivots should be a Tensor of scalar type torch.int32. "
        raise refuse(RuntimeError, f"{text}Got {pivots.dtype.spoken}", "lu_solve", LU, pivots, B)
    _fits(LU, B, left, "linalg.lu_solve")
    n = LU.array.shape[-1]
    lower, upper = triangles(LU)
    P = wrap(permutation(pivots.array - 1, n, LU.array.dtype))
    b = B if left else turned(B)
    if adjoint == left:
        y = matmul(P, substitution(turned(lower), substitution(turned(upper), b, False), True))
    else:
        y = substitution(upper, substitution(lower, matmul(turned(P), b), False), True)
    return y if left else turned(y)


@checked
def householder_product(input: Tensor, tau: Tensor) -> Tensor:
    """The first columns of H₁ H₂ …, with Hᵢ = I - τᵢ vᵢ vᵢᵀ and vᵢ below the diagonal of A (1 on it, 0 above)."""
    matrices(input, "torch.linalg.householder_product", "input")
    m, n = input.array.shape[-2:]
    v = ops.tril(input, k=-1) + wrap(np.eye(m, n, dtype=input.array.dtype))
    y = ops.zero(input) + wrap(np.eye(m, n, dtype=input.array.dtype))
    for i in reversed(range(tau.array.shape[-1])):
        w = ops.narrow(v, axis=v.array.ndim - 1, start=i, length=1)
        t = ops.unsqueeze(ops.narrow(tau, axis=tau.array.ndim - 1, start=i, length=1), axis=tau.array.ndim)
        y = y - matmul(w * t, matmul(turned(w), y))
    return y


# ------------------------------------------------------------------------------------------ ranks and pseudo-inverses
def _bounds(a: np.ndarray, atol: Any, rtol: Any) -> tuple[Any, Any]:
    """Up to which size, and which part of the largest, singular values count as 0."""
    atol, rtol = (x.array if isinstance(x, Tensor) else x for x in (atol, rtol))
    if rtol is None:
        default = float(np.finfo(a.dtype).eps) * max(a.shape[-2:])
        rtol = default if atol is None else np.where(np.asarray(atol) > 0, 0.0, default)
    return 0.0 if atol is None else atol, rtol


def _sizes(a: np.ndarray, hermitian: bool) -> np.ndarray:
    return np.abs(np.linalg.eigvalsh(a)) if hermitian else np.linalg.svd(a, compute_uv=False)


@checked
def pinv(input: Tensor, rcond: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None) -> Tensor:
    """The pseudo-inverse A⁺: singular values up to max(atol, rtol · the largest) count as 0.

    >>> torch.linalg.pinv(torch.tensor([[1.0], [1.0]]))
    tensor([[0.5000, 0.5000]])
    """
    matrices(input, "linalg.pinv", square=hermitian)
    a = input.array
    if a.size == 0:
        return ops.clone(turned(input))
    atol, rtol = _bounds(a, atol, rtol if rcond is None else rcond)
    return F.pinv(input, atol=atol, rtol=rtol, hermitian=hermitian)


@checked
def matrix_rank(
    input: Tensor, tol: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None
) -> Tensor:
    """How many singular values exceed max(atol, rtol · the largest): an int64 tensor without a gradient."""
    matrices(input, "linalg.matrix_rank", square=hermitian)
    a = input.array
    s = _sizes(a, hermitian)
    largest = s.max(-1, initial=0)
    if tol is None:
        atol, rtol = _bounds(a, atol, rtol)
        tol = np.maximum(atol, rtol * largest)
    cut = np.asarray(tol.array if isinstance(tol, Tensor) else tol)
    return wrap(np.asarray((s > cut[..., None]).sum(-1), np.int64))


# ------------------------------------------------------------------------------------------ functions of a matrix
@checked
def matrix_power(input: Tensor, n: int) -> Tensor:
    """Aⁿ by repeated squaring; a negative n takes the inverse, n = 0 gives the identity."""
    matrices(input, "linalg.matrix_power", square=True, low=True)
    if n < 0:
        input, n = inv(input), -n
    if n == 0:
        return ops.zero(input) + wrap(np.eye(input.array.shape[-1], dtype=input.array.dtype))
    y: Tensor | None = None
    while n:
        if n & 1:
            y = input if y is None else matmul(y, input)
        n >>= 1
        if n:
            input = matmul(input, input)
    assert y is not None
    return y if y is not input else ops.clone(y)


@checked
def matrix_exp(input: Tensor) -> Tensor:
    """exp A = Σ Aᵏ / k!, by scaling, Padé's approximation and squaring (Higham, 2005).

    >>> torch.linalg.matrix_exp(torch.zeros(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    return F.matrix_exp(matrices(input, "linalg.matrix_exp", square=True, low=True))


@checked
def multi_dot(tensors: Sequence[Tensor]) -> Tensor:
    """The product of several matrices, in the order of multiplications that costs least; the ends may be vectors."""
    xs = list(tensors)
    if len(xs) < 2:
        raise refuse(RuntimeError, f"multi_dot(): expected at least 2 tensors but got {len(xs)}", "multi_dot")
    for i, x in enumerate(xs):
        ends = i in (0, len(xs) - 1)
        if x.array.ndim != 2 and not (ends and x.array.ndim == 1):
            kind = "1D or 2D" if ends else "2D"
            text = f"multi_dot(): tensor {i} must be {kind} but got {x.array.ndim}D"
            raise refuse(RuntimeError, text, "multi_dot", *xs)
        if x.array.dtype != xs[0].array.dtype:
            text = "multi_dot(): all tensors must have be the same dtype but tensor 0 is "
            raise refuse(RuntimeError, f"{text}{xs[0].dtype.c_name} and tensor {i} {x.dtype.c_name}", "multi_dot", *xs)
    first, last = xs[0].array.ndim == 1, xs[-1].array.ndim == 1
    if first:
        xs[0] = ops.unsqueeze(xs[0], axis=0)
    if last:
        xs[-1] = ops.unsqueeze(xs[-1], axis=1)
    for i in range(len(xs) - 1):
        if xs[i].array.shape[1] != xs[i + 1].array.shape[0]:
            one, two = ("x".join(map(str, x.array.shape)) for x in xs[i : i + 2])
            text = f"multi_dot(): tensors {i} and {i + 1} with shapes {list(xs[i].array.shape)} and "
            text += f"{list(xs[i + 1].array.shape)} cannot be multiplied"
            raise refuse(RuntimeError, text, "multi_dot", *xs)
    y = _product(xs, _cheapest([x.array.shape[0] for x in xs] + [xs[-1].array.shape[1]]), 0, len(xs) - 1)
    axes = tuple(i for i, gone in enumerate((first, last)) if gone)
    return ops.squeeze(y, axis=axes) if axes else y


def _cheapest(sizes: list[int]) -> dict[tuple[int, int], int]:
    """Where to cut each run of matrices so that the multiplications are fewest."""
    n = len(sizes) - 1
    cost = {(i, i): 0 for i in range(n)}
    cuts: dict[tuple[int, int], int] = {}
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            options = {k: cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1] for k in range(i, j)}
            cuts[i, j] = min(options, key=options.__getitem__)
            cost[i, j] = options[cuts[i, j]]
    return cuts


def _product(xs: list[Tensor], cuts: dict[tuple[int, int], int], i: int, j: int) -> Tensor:
    return xs[i] if i == j else mm(_product(xs, cuts, i, cuts[i, j]), _product(xs, cuts, cuts[i, j] + 1, j))


# ------------------------------------------------------------------------------------------ norms
@checked
def vector_norm(
    input: Tensor, ord: float | str = 2, dim: Dims = None, keepdim: bool = False, *, dtype: Dtype = None
) -> Tensor:
    """(Σ |x|ᵖ)^(1/p) over some axes, or over all elements; p may be ±inf and 0.

    >>> torch.linalg.vector_norm(torch.tensor([3.0, -4.0]))
    tensor(5.)
    """
    if isinstance(ord, str):
        text = f"linalg_vector_norm(): argument 'ord' (position 2) must be Number, not {type(ord).__name__}"
        raise refuse(TypeError, text, "vector_norm", input)
    return plain_norm(_in(input, dtype, "linalg.vector_norm"), ord, dim if dim != () else None, keepdim)


def _in(x: Tensor, dtype: Dtype, function: str) -> Tensor:
    """The tensor in the dtype asked for, which must be a floating one."""
    if dtype is None:
        if x.array.dtype.kind != "f":
            text = f"{function}: Expected a floating point or complex tensor as input. Got {x.dtype.spoken}"
            raise refuse(RuntimeError, text, function.rpartition(".")[2], x, mend="x.float()")
        return x
    return x.to(dtype)


@checked
def matrix_norm(
    input: Tensor,
    ord: float | str = "fro",
    dim: Sequence[int] = (-2, -1),
    keepdim: bool = False,
    *,
    dtype: Dtype = None,
) -> Tensor:
    """A norm of matrices: 'fro', 'nuc', ±1 (columns), ±2 (singular values), ±inf (rows).

    >>> torch.linalg.matrix_norm(torch.tensor([[1.0, -2.0], [3.0, 4.0]]), ord=1)
    tensor(6.)
    """
    x = input.array
    if x.ndim < 2:
        raise refuse(
            RuntimeError,
            "linalg.matrix_norm: The input tensor A must have at least 2 dimensions.",
            "matrix_norm",
            input,
        )
    input = _in(input, dtype, "linalg.matrix_norm")
    if len(dim) != 2:
        text = f"linalg.matrix_norm: dim must be a 2-tuple. Got {' '.join(map(str, dim))}"
        raise refuse(RuntimeError, text, "matrix_norm", input)
    first, last = (axis_from(d, x.ndim) for d in dim)
    if first == last:
        text = f"linalg.matrix_norm: dims must be different. Got ({dim[0]}, {dim[1]})"
        raise refuse(RuntimeError, text, "matrix_norm", input)
    if isinstance(ord, str):
        if ord not in ("fro", "nuc"):
            raise refuse(RuntimeError, f"linalg.matrix_norm: Order {ord} not supported.", "matrix_norm", input)
        return plain_norm(input, ord, (first, last), keepdim)
    if abs(ord) == 2:
        rest = tuple(i for i in range(x.ndim) if i not in (first, last))
        s = svdvals(ops.permute(input, axes=(*rest, first, last)))
        y = (amax if ord > 0 else amin)(s, -1)
        return (
            ops.reshape(y, shape=tuple(1 if i in (first, last) else n for i, n in enumerate(x.shape))) if keepdim else y
        )
    if abs(ord) not in (1, math.inf):
        raise refuse(RuntimeError, f"linalg.matrix_norm: Order {ord} not supported.", "matrix_norm", input)
    along, best = (first, last) if abs(ord) == 1 else (last, first)
    y = (amax if ord > 0 else amin)(sum(abs(input), along, True), best, True)
    return y if keepdim else ops.squeeze(y, axis=(first, last))


@checked
def norm(
    input: Tensor, ord: float | str | None = None, dim: Dims = None, keepdim: bool = False, *, dtype: Dtype = None
) -> Tensor:
    """The norm of a matrix if `dim` names two axes (or, with an order, A has two), else the norm of vectors."""
    n = input.array.ndim
    if dim is not None or ord is not None:
        axes = () if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
        if dim is None and n not in (1, 2):
            text = "linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got "
            raise refuse(RuntimeError, f"{text}{n}D.", "norm", input)
        if dim is not None and len(axes) not in (1, 2):
            text = f"linalg.norm: If dim is specified, it must be of length 1 or 2. Got [{', '.join(map(str, axes))}]"
            raise refuse(RuntimeError, text, "norm", input)
        if ord is not None and (len(axes) == 2 or (dim is None and n == 2)):
            return matrix_norm(input, ord, axes or (0, 1), keepdim, dtype=dtype)
        if isinstance(ord, str):
            text = f"linalg.matrix_norm: dim must be a 2-tuple. Got {' '.join(map(str, axes))}"
            raise refuse(RuntimeError, text, "norm", input)
    return vector_norm(input, 2 if ord is None else ord, dim, keepdim, dtype=dtype)


@checked
def cond(input: Tensor, p: float | str | None = None) -> Tensor:
    """The condition number ‖A‖ ‖A⁻¹‖; by default the largest singular value by the least.

    >>> torch.linalg.cond(torch.tensor([[1.0, 0.0], [0.0, 4.0]]))
    tensor(4.)
    """
    if input.array.ndim < 2:
        raise refuse(RuntimeError, "linalg.cond: The input tensor A must have at least 2 dimensions.", "cond", input)
    if p is None or (not isinstance(p, str) and abs(p) == 2):
        s = svdvals(input)
        if s.array.shape[-1] == 0:
            return wrap(np.zeros(s.array.shape[:-1], s.array.dtype))
        axis = s.array.ndim - 1
        high, low = (ops.select(s, axis=axis, index=i) for i in (0, s.array.shape[-1] - 1))
        return low / high if p == -2 else high / low
    if p not in ("fro", "nuc", 1, -1, math.inf, -math.inf):
        text = f"linalg.cond got an invalid norm type: {p if isinstance(p, str) else float(p)}"
        raise refuse(RuntimeError, text, "cond", input)
    matrices(input, "linalg.cond", square=True)
    if input.array.size == 0:
        return wrap(np.zeros(input.array.shape[:-2], input.array.dtype))
    faults = zero_pivots(input.array)
    if faults.any():
        wide = np.where(faults, np.inf, 0).astype(input.array.dtype)
        safe = wrap(replaced(input.array, faults))
        return wrap(np.where(faults, wide, (matrix_norm(safe, p) * matrix_norm(inv(safe), p)).array))
    return matrix_norm(input, p) * matrix_norm(inv(input), p)


# ------------------------------------------------------------------------------------------ products
@checked
def vecdot(x: Tensor, y: Tensor, *, dim: int = -1) -> Tensor:
    """Σ x y along an axis; the other axes broadcast.

    >>> torch.linalg.vecdot(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([1.0, 1.0]))
    tensor([3., 7.])
    """
    return sum(x * y, dim)


@checked
def cross(input: Tensor, other: Tensor, *, dim: int = -1) -> Tensor:
    """The cross product of vectors of length 3 along an axis; the other axes broadcast.

    >>> torch.linalg.cross(torch.tensor([1.0, 0.0, 0.0]), torch.tensor([0.0, 1.0, 0.0]))
    tensor([0., 0., 1.])
    """
    a, b = input.array, other.array
    if a.ndim != b.ndim:
        text = "linalg.cross: inputs must have the same number of dimensions."
        raise refuse(RuntimeError, text, "cross", input, other)
    axis = axis_from(dim, a.ndim)
    if a.shape[axis] != 3 or b.shape[axis] != 3:
        text = f"linalg.cross: inputs dimension {dim} must have length 3. Got {a.shape[axis]} and {b.shape[axis]}"
        raise refuse(RuntimeError, text, "cross", input, other)
    one, two = broadcast_tensors(*promoted(input, other))
    axis = axis_from(dim, one.array.ndim)

    def turned_by(x: Tensor, k: int) -> Tensor:
        pieces = [ops.narrow(x, axis=axis, start=(i + k) % 3, length=1) for i in range(3)]
        return ops.cat(*pieces, axis=axis, edges=(0, 1, 2, 3))

    return turned_by(one, 1) * turned_by(two, 2) - turned_by(one, 2) * turned_by(two, 1)


@checked
def diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """The diagonals of matrices, as a view."""
    return A.diagonal(offset, dim1, dim2)


@checked
def vander(x: Tensor, N: int | None = None) -> Tensor:
    """The matrix of the powers x⁰, x¹, …, xᴺ⁻¹ of each element, one row for each.

    >>> torch.linalg.vander(torch.tensor([2.0, 3.0]), N=3)
    tensor([[1., 2., 4.],
            [1., 3., 9.]])
    """
    if x.array.ndim == 0 and N is None:
        raise refuse(RuntimeError, "linalg.vander: Expected dim of x to be at least 1, got 0", "vander", x)
    n = x.array.shape[-1] if N is None else N
    if n <= 1:
        text = f"N must be greater than 1. Got {n}"
        raise refuse(RuntimeError, text, "vander", x)
    kind = x.array.dtype if x.array.dtype.kind == "f" else np.dtype(np.int64)
    x = x if x.array.ndim else ops.unsqueeze(x, axis=0)
    base = x if x.array.dtype == kind else x.to(dtypes.of(kind))
    powers: list[Tensor] = [wrap(np.ones(base.array.shape, kind))]
    for _ in range(n - 1):
        powers.append(powers[-1] * base)
    return ops.stack(*powers, axis=base.array.ndim)


@checked
def tensorinv(input: Tensor, ind: int = 2) -> Tensor:
    """The inverse of the map that `tensordot(A, ·, dims)` is: the first `ind` axes of A are its result."""
    if ind <= 0:
        raise refuse(RuntimeError, "Expected a strictly positive integer for 'ind'", "tensorinv", input)
    shape = input.array.shape
    rows, cols = math.prod(shape[:ind]), math.prod(shape[ind:])
    if rows != cols:
        text = "Expected self to satisfy the requirement prod(self.shape[ind:]) == prod(self.shape[:ind]), but got "
        raise refuse(RuntimeError, f"{text}{cols} != {rows}", "tensorinv", input)
    return ops.reshape(inv(ops.reshape(input, shape=(rows, cols))), shape=shape[ind:] + shape[:ind])


@checked
def tensorsolve(input: Tensor, other: Tensor, dims: Sequence[int] | None = None) -> Tensor:
    """X of tensordot(A, X, X.ndim) = B; `dims` are axes of A that are moved to its end first."""
    n = input.array.ndim
    moved = [axis_from(d, n) for d in dims or ()]
    a = ops.permute(input, axes=(*(i for i in range(n) if i not in moved), *moved)) if moved else input
    shape = a.array.shape[other.array.ndim :]
    rows, cols = math.prod(other.array.shape), math.prod(shape)
    if rows != cols or math.prod(a.array.shape[: other.array.ndim]) != rows:
        text = (
            "Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == prod(self.shape[:other.ndim]), "
        )
        text += f"but got {cols} != {math.prod(a.array.shape[: other.array.ndim])}"
        raise refuse(RuntimeError, text, "tensorsolve", input, other)
    y = solve(ops.reshape(a, shape=(rows, cols)), ops.reshape(other, shape=(rows,)))
    return ops.reshape(y, shape=shape)
