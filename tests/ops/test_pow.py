"""aᵇ where b is 0: a constant in a, but not in b."""

from __future__ import annotations

import pytest

import tinygrad_pt as torch
from tinygrad_pt.testing import assert_gradients


@pytest.mark.parametrize("a", [0.5, 1.0, 3.0])
def test_the_second_derivative_at_exponent_zero(a: float) -> None:
    x, n = torch.tensor([a], dtype=torch.float64), torch.tensor([0.0], dtype=torch.float64)
    assert_gradients(torch.pow, x, n, order=2)  # ∂²aᵇ/∂a∂b = 1/a there
    x.requires_grad_(), n.requires_grad_()
    (slope,) = torch.autograd.grad(torch.pow(x, n).sum(), x, create_graph=True)
    (mixed,) = torch.autograd.grad(slope.sum(), n)
    assert slope.item() == 0 and mixed.item() == pytest.approx(1 / a)


def test_zero_to_the_zero_stays_finite() -> None:
    x = torch.zeros(1, requires_grad=True)
    n = torch.zeros(1, requires_grad=True)
    torch.pow(x, n).sum().backward()
    assert x.grad.item() == 0 and n.grad.item() == 0
