"""torch.linalg: laws of its factorizations as matrices, gradients through invariant results, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_pt as torch
from tinygrad_pt.testing import assert_gradients

SHAPES = [(3, 3), (4, 2), (2, 4), (2, 3, 3), (0, 3, 3), (2, 3, 2), (0, 0), (3, 0)]
SQUARE = [shape for shape in SHAPES if shape[-1] == shape[-2]]
KINDS = [torch.float32, torch.float64]


def drawn(*shape: int, dtype: Any = torch.float64, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape)).to(dtype)


def positive(*shape: int, dtype: Any = torch.float64, seed: int = 0) -> torch.Tensor:
    a = drawn(*shape, dtype=dtype, seed=seed)
    return a @ a.mT + torch.eye(shape[-1], dtype=dtype)


def same(a: torch.Tensor, b: torch.Tensor) -> None:
    assert a.dtype == b.dtype and a.shape == b.shape
    tolerance = 1e-4 if a.dtype == torch.float32 else 1e-11
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=tolerance, atol=tolerance)


def one(like: torch.Tensor, n: int) -> torch.Tensor:
    return torch.eye(n, dtype=like.dtype).expand(*like.shape[:-2], n, n)


# ------------------------------------------------------------------------------------------ laws
@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_factors_multiply_to_the_matrix(shape: tuple[int, ...], dtype: Any) -> None:
    a, (m, n) = drawn(*shape, dtype=dtype), shape[-2:]
    k = min(m, n)
    for full in (True, False):
        u, s, vh = torch.linalg.svd(a, full_matrices=full)
        same(u[..., :k] @ (s[..., None] * vh[..., :k, :]), a)
        same(u.mT @ u, one(a, u.shape[-1]))
        same(vh @ vh.mT, one(a, vh.shape[-2]))
    for mode in ("reduced", "complete"):
        q, r = torch.linalg.qr(a, mode)
        same(q @ r, a)
        same(q.mT @ q, one(a, q.shape[-1]))
        same(r, r.triu())
    p, lower, upper = torch.linalg.lu(a)
    same(p @ lower @ upper, a)
    same(lower, lower.tril())
    same(upper, upper.triu())
    x = torch.linalg.pinv(a)
    same(a @ x @ a, a)
    same(x @ a @ x, x)
    same(a @ x, (a @ x).mT)


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("shape", SQUARE)
def test_solutions_solve(shape: tuple[int, ...], dtype: Any) -> None:
    a, b = positive(*shape, dtype=dtype), drawn(*shape[:-1], 2, dtype=dtype, seed=1)
    same(a @ torch.linalg.solve(a, b), b)
    same(torch.linalg.solve(a, b.mT, left=False) @ a, b.mT)
    same(a @ torch.linalg.inv(a), one(a, shape[-1]))
    same(a @ torch.linalg.lu_solve(*torch.linalg.lu_factor(a), b), b)
    low = torch.linalg.cholesky(a)
    same(low @ low.mT, a)
    same(torch.linalg.cholesky(a, upper=True), low.mT)
    same(a @ torch.cholesky_solve(b, low), b)
    same(a @ torch.cholesky_inverse(low), one(a, shape[-1]))
    same(low @ torch.linalg.solve_triangular(low, b, upper=False), b)
    for uplo in "LU":
        values, v = torch.linalg.eigh(a, uplo)
        same(v @ (values[..., None] * v.mT), a)
        same(torch.linalg.eigvalsh(a, uplo), values)
    sign, size = torch.linalg.slogdet(a)
    same(sign * size.exp(), torch.linalg.det(a))


def test_layout_does_not_matter() -> None:
    a = positive(4, 4)
    for moved in (a.mT, a.repeat_interleave(2, 0)[::2], torch.stack([a, a], -1)[..., 0]):
        assert not moved.is_contiguous() or moved is a
        for f in (torch.linalg.inv, torch.linalg.det, torch.linalg.cholesky, torch.linalg.matrix_exp):
            same(f(moved), f(moved.contiguous()))


def test_exp_of_a_matrix() -> None:
    turn = torch.tensor([[0.0, -1.0], [1.0, 0.0]], dtype=torch.float64)
    for angle in (1e-3, 1.0, 50.0):
        right = torch.tensor([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], dtype=torch.float64)
        same(torch.linalg.matrix_exp(angle * turn), right)


# ------------------------------------------------------------------------------------------ gradients
def symmetric(a: torch.Tensor) -> torch.Tensor:
    return a @ a.mT + torch.eye(a.shape[-1], dtype=a.dtype)


INVARIANT = {
    "eigvalsh": lambda a: torch.linalg.eigvalsh(symmetric(a)).sin(),
    "eigvalsh U": lambda a: torch.linalg.eigvalsh(symmetric(a), "U").sin(),
    "eigh": lambda a: torch.linalg.eigh(symmetric(a)).eigenvectors.abs(),
    "svd": lambda a: torch.linalg.svd(a, full_matrices=False).U.abs(),
    "svdvals": lambda a: torch.linalg.svdvals(a),
    "cholesky": lambda a: torch.linalg.cholesky(symmetric(a)),
    "cholesky_solve": lambda a: torch.cholesky_solve(a, torch.linalg.cholesky(symmetric(a))),
    "qr": lambda a: torch.linalg.qr(a).R,
    "lu": lambda a: torch.linalg.lu(a).U,
    "solve": lambda a: torch.linalg.solve(a, a.sin()),
    "solve_triangular": lambda a: torch.linalg.solve_triangular(a, a.sin(), upper=True),
    "lstsq": lambda a: torch.linalg.lstsq(a, a.sin()).solution,
    "matrix_power": lambda a: torch.linalg.matrix_power(a, -2),
    "slogdet": lambda a: torch.linalg.slogdet(a).logabsdet,
    "cond": lambda a: torch.linalg.cond(a),
    "nuclear norm": lambda a: torch.linalg.matrix_norm(a, "nuc"),
    "spectral norm": lambda a: torch.linalg.matrix_norm(a, 2),
}


@pytest.mark.parametrize("name", INVARIANT)
def test_gradients_of_both_orders(name: str) -> None:
    a = (drawn(2, 2, seed=3) + 2 * torch.eye(2, dtype=torch.float64)).requires_grad_()
    assert_gradients(INVARIANT[name], a, order=2)


def test_the_gradient_of_a_determinant_is_there_for_singular_matrices() -> None:
    a = torch.tensor([[1.0, 2.0], [2.0, 4.0]], dtype=torch.float64, requires_grad=True)
    torch.linalg.det(a).backward()
    same(a.grad, torch.tensor([[4.0, -2.0], [-2.0, 1.0]], dtype=torch.float64))


@pytest.mark.parametrize("uplo", "LU")
def test_the_gradient_of_eigenvectors_is_symmetric(uplo: str) -> None:
    a = drawn(3, 3).requires_grad_()
    (torch.linalg.eigh(a, uplo).eigenvectors.abs() * drawn(3, 3, seed=1)).sum().backward()
    same(a.grad, a.grad.mT)


def test_values_that_coincide_have_gradients() -> None:
    a = torch.eye(3, dtype=torch.float64, requires_grad=True)
    torch.linalg.svdvals(a).sum().backward()
    same(a.grad, torch.eye(3, dtype=torch.float64))
    a.grad = None
    torch.linalg.eigvalsh(a).sum().backward()
    same(a.grad, torch.eye(3, dtype=torch.float64))


# ------------------------------------------------------------------------------------------ what is refused
SINGULAR = torch.tensor([[1.0, 2.0], [2.0, 4.0]])
BATCH = torch.stack([torch.eye(2), SINGULAR])


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: torch.linalg.inv(SINGULAR), "linalg.inv: The diagonal element 2 is zero, the inversion could not be"),
        (lambda: torch.linalg.inv(BATCH), "linalg.inv: (Batch element 1): The diagonal element 2 is zero"),
        (lambda: torch.linalg.solve(SINGULAR, torch.ones(2)), "torch.linalg.solve: The solver failed because the"),
        (lambda: torch.linalg.cholesky(-SINGULAR), "(the leading minor of order 1 is not positive-definite)."),
        (lambda: torch.linalg.svd(SINGULAR * float("nan")), "because the input matrix contained non-finite values."),
    ],
)
def test_matrices_that_do_not_allow_it(call: Any, words: str) -> None:
    with pytest.raises(torch.linalg.LinAlgError) as caught:
        call()
    assert words in str(caught.value)


def test_the_forms_with_info_name_the_fault_and_raise_nothing() -> None:
    assert torch.linalg.inv_ex(BATCH).info.tolist() == [0, 2]
    assert torch.linalg.cholesky_ex(torch.stack([torch.eye(2), -torch.eye(2)])).info.tolist() == [0, 1]
    assert torch.linalg.lu_factor_ex(SINGULAR).info.item() == 2
    with pytest.raises(torch.linalg.LinAlgError):
        torch.linalg.inv_ex(BATCH, check_errors=True)


@pytest.mark.parametrize("name", ["inv", "det", "cholesky", "eigh", "matrix_exp", "slogdet"])
def test_what_is_no_square_matrix(name: str) -> None:
    f = getattr(torch.linalg, name)
    with pytest.raises(RuntimeError, match="must be batches of square matrices, but they are 2 by 3 matrices"):
        f(torch.ones(2, 3))
    with pytest.raises(RuntimeError, match="must have at least 2 dimensions"):
        f(torch.ones(2))
    if name != "matrix_exp":  # which PyTorch computes of halves, too
        with pytest.raises(RuntimeError, match="Low precision dtypes not supported. Got Half"):
            f(torch.eye(2).half())
    with pytest.raises(RuntimeError, match="Expected a floating point or complex tensor as input. Got Long"):
        f(torch.ones(2, 2, dtype=torch.int64))


# ------------------------------------------------------------------------------------------ older names
@pytest.mark.parametrize("shape", [(8, 5), (5, 8), (2, 6, 4)])
def test_low_rank_is_found_by_random_projection(shape: tuple[int, ...]) -> None:
    a = drawn(*shape[:-1], 2) @ drawn(*shape[:-2], 2, shape[-1], seed=1)
    u, s, v = torch.svd_lowrank(a, q=2)
    same(u @ (s[..., None] * v.mT), a)
    u, s, v = torch.pca_lowrank(a, q=3)
    same(u @ (s[..., None] * v.mT), a - a.mean(-2, keepdim=True))


@pytest.mark.parametrize("shape", [(4, 3), (3, 4), (2, 3, 3)])
def test_reflections_multiply_as_their_product(shape: tuple[int, ...]) -> None:
    a = drawn(*shape)
    h, tau = torch.geqrf(a)
    q, c = torch.linalg.qr(a, "complete").Q, drawn(*shape[:-2], shape[-2], shape[-2], seed=1)
    same(torch.ormqr(h, tau, c), q @ c)
    same(torch.ormqr(h, tau, c, transpose=True), q.mT @ c)
    same(torch.ormqr(h, tau, c, left=False), c @ q)
    same(torch.ormqr(h, tau, c, left=False, transpose=True), c @ q.mT)
    same(torch.orgqr(h[..., : tau.shape[-1]], tau), q[..., : tau.shape[-1]])


@pytest.mark.parametrize(
    "equation, words",
    [
        ("ij->jji", "output subscript j appears more than once in the output"),
        ("ij->i->j", "invalid subscript given at index 5 in the equation string"),
        ("i.j", "found '.' for operand 0 that is not part of any ellipsis"),
        ("i$", "invalid subscript given at index 1 in the equation string"),
    ],
)
def test_equations_that_say_nothing(equation: str, words: str) -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.einsum(equation, torch.ones(2, 3))
    assert words in str(caught.value)


def test_products_over_pairs_of_axes() -> None:
    a, b = drawn(2, 3), drawn(3, 4)
    for dims in (1, torch.tensor(1), ([1], [0]), torch.tensor([[1], [0]])):
        same(torch.tensordot(a, b, dims), a @ b)
    with pytest.raises(RuntimeError, match="but first has size 3 in dim -1 and second has size 2 in dim 0"):
        torch.tensordot(a, a, 1)
