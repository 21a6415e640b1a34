"""vjp, jvp, Jacobians and Hessians against closed forms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import tinygrad_pt as torch
from tinygrad_pt.autograd import functional as F

VECTOR = arrays(np.float64, st.integers(0, 4), elements=st.floats(-2, 2, width=32), fill=st.nothing())


def quadratic(matrix: Any) -> Any:
    return lambda x: (x @ (matrix @ x)) / 2


@given(VECTOR)
def test_jacobian_of_an_elementwise_map_is_diagonal(v: Any) -> None:
    j = F.jacobian(lambda x: torch.sin(x) * x, torch.tensor(v))
    np.testing.assert_allclose(j.numpy(), np.diag(np.sin(v) + v * np.cos(v)), atol=1e-14)


@given(arrays(np.float64, (3, 2), elements=st.floats(-2, 2)), arrays(np.float64, 2, elements=st.floats(-2, 2)))
def test_products_agree_with_the_jacobian(a: Any, v: Any) -> None:
    matrix, x = torch.tensor(a), torch.tensor(v)

    def f(x: Any) -> Any:
        return torch.tanh(matrix @ x)

    j = F.jacobian(f, x).numpy()
    u = np.array([1.0, -2.0, 0.5])
    np.testing.assert_allclose(F.vjp(f, x, torch.tensor(u))[1].numpy(), u @ j, atol=1e-13)
    np.testing.assert_allclose(F.jvp(f, x, torch.tensor(v))[1].numpy(), j @ v, atol=1e-13)
    np.testing.assert_allclose(F.jvp(f, x, torch.tensor(v))[0].numpy(), np.tanh(a @ v), atol=1e-14)


def test_hessian_of_a_quadratic_form_is_its_symmetric_matrix() -> None:
    a = np.array([[2.0, 1.0], [0.0, 3.0]])
    h = F.hessian(quadratic(torch.tensor(a)), torch.tensor([0.3, -0.2], dtype=torch.float64))
    np.testing.assert_allclose(h.numpy(), (a + a.T) / 2, atol=1e-15)
    v = torch.tensor([1.0, 2.0], dtype=torch.float64)
    for product in (F.vhp, F.hvp):
        found = product(quadratic(torch.tensor(a)), torch.tensor([0.3, -0.2], dtype=torch.float64), v)[1]
        np.testing.assert_allclose(found.numpy(), (a + a.T) / 2 @ v.numpy(), atol=1e-15)


def test_several_inputs_and_outputs_nest() -> None:
    x, y = torch.tensor([1.0, 2.0]), torch.tensor(3.0)
    j = F.jacobian(lambda x, y: (x * y, x.sum()), (x, y))
    assert [[block.tolist() for block in row] for row in j] == [
        [[[3.0, 0.0], [0.0, 3.0]], [1.0, 2.0]],
        [[1.0, 1.0], 0.0],
    ]
    h = F.hessian(lambda x, y: (x * x).sum() * y, (x, y))
    assert h[0][1].tolist() == [2.0, 4.0] and h[1][1].tolist() == 0.0


def test_create_graph_differentiates_on() -> None:
    x = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    j = F.jacobian(lambda x: x**3, x, create_graph=True)
    (g,) = torch.autograd.grad(j.sum(), x)
    assert g.tolist() == [6.0, 12.0]
    _, p = F.jvp(lambda x: x**3, x, torch.ones(2, dtype=torch.float64), create_graph=True)
    (g,) = torch.autograd.grad(p.sum(), x)
    assert g.tolist() == [6.0, 12.0]


def test_inputs_are_left_alone() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    F.jacobian(lambda x: x * x, x)
    assert x.grad is None and x.is_leaf
    y = torch.tensor([1.0])
    F.vjp(lambda y: y * 2, y, torch.ones(1))
    assert not y.requires_grad


def test_independent_outputs_are_zero_or_strictly_refused() -> None:
    x = torch.tensor([1.0, 2.0])
    assert F.jacobian(lambda x: torch.ones(2), x).tolist() == [[0.0, 0.0], [0.0, 0.0]]
    with pytest.raises(RuntimeError, match="Output 0 of the user-provided function does not require gradients"):
        F.jacobian(lambda x: torch.ones(2), x, strict=True)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: F.vjp(lambda x: x * 2, torch.ones(2)), RuntimeError, "can only be None"),
        (lambda: F.vjp(lambda x: x * 2, torch.ones(2), torch.ones(3)), RuntimeError, "invalid size"),
        (
            lambda: F.jvp(lambda x: x.sum(), torch.ones(2)),
            RuntimeError,
            "if the input to the user-provided function is",
        ),
        (lambda: F.hessian(lambda x: x * 2, torch.ones(2)), RuntimeError, "given to hessian should contain a single"),
        (lambda: F.vhp(lambda x: x * 2, torch.ones(2), torch.ones(2)), RuntimeError, "given to vhp should contain a"),
        (lambda: F.hvp(lambda x: x * 2, torch.ones(2), torch.ones(2)), RuntimeError, "given to hvp should contain a"),
        (lambda: F.hvp(lambda x: (x, x), torch.ones(2), torch.ones(2)), RuntimeError, "should return a single Tensor"),
        (lambda: F.jacobian(lambda x: x, 3.0), TypeError, "must be either a Tensor or a tuple of Tensors"),
        (lambda: F.jacobian(lambda x: 3.0, torch.ones(2)), TypeError, "must be either a Tensor or a tuple of Tensors"),
        (lambda: F.vjp(lambda x: x * 2, torch.ones(0)), RuntimeError, "can only be None"),
        (lambda: F.vjp(lambda x: (), torch.ones(1)), RuntimeError, "can only be None"),
        (lambda: F.jacobian(lambda x: x * 1, torch.ones(2).long()), RuntimeError, "floating point"),
        (lambda: F.jacobian(lambda x: x * 1, torch.ones(2).bool()), RuntimeError, "floating point"),
    ],
)
def test_wrong_calls(call: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call()
