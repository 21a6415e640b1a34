"""Right gradients that are nothing but round-off, or of tensors without axes: found by drawing examples at random."""

from __future__ import annotations

from typing import Any

import pytest

import tinygrad_pt as torch
from tinygrad_pt.testing import gradcheck


@pytest.mark.parametrize("x", [1.5295084971874737, 0.1, -1234.567])
def test_the_difference_of_equal_numbers_is_round_off(x: float) -> None:
    """a - mean a is one rounding there, and the numerical slope exactly 0."""
    a = torch.tensor([x] * 3, dtype=torch.float64)
    assert gradcheck(lambda a: torch.var(a, correction=0), a).ok
    assert gradcheck(lambda a: ((a - a.mean()) ** 2).sum(), a).ok


def test_a_gradient_that_is_not_zero_is_no_round_off() -> None:
    class Constant(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * 0

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 1e-8 * ctx.saved_tensors[0]

    assert not gradcheck(Constant.apply, torch.tensor([1.5], dtype=torch.float64)).ok


@pytest.mark.parametrize("order", [1, 2])
def test_unsteady_gradients_of_a_tensor_without_axes(order: int) -> None:
    def one(x: Any) -> Any:
        y = torch.logaddexp(x, x)
        return torch.div(y, y)

    assert gradcheck(one, torch.tensor(0.0, dtype=torch.float64), order=order).ok


def test_a_wrong_gradient_of_a_tensor_without_axes_is_reported() -> None:
    a, b = torch.tensor(1.0, dtype=torch.float64), torch.tensor(-1.0, dtype=torch.float64)
    report = gradcheck(lambda a, b: a * b.detach(), a, b)
    assert report.verdict == "fail" and report.failures[0].name == "b"


@pytest.mark.parametrize("x", [0.7647542485937369, 0.1, 3.3, -0.7, 1e-5, 1234.5])
@pytest.mark.parametrize("order", [1, 2])
def test_a_gradient_that_cancels_is_linear_up_to_round_off(x: float, order: int) -> None:
    assert gradcheck(lambda a: a / a, torch.tensor(x, dtype=torch.float64), order=order).ok
    assert gradcheck(lambda a: a * 3.3 - a * 1.1 - a * 2.2, torch.tensor(x, dtype=torch.float64), order=order).ok
