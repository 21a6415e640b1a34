"""The checker is checked: right gradients pass wherever they are defined, wrong ones are found and addressed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_pt as torch
from tinygrad_pt.testing import assert_gradients, gradcheck, gradgradcheck, numerical_gradient, numerical_jacobian


def custom(value: Any, slope: Any) -> Any:
    """A function with the derivative it is told to have."""

    class Told(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return value(x)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return slope(g, *ctx.saved_tensors)

    return Told.apply


def tensor(*values: float) -> Any:
    return torch.tensor(values, dtype=torch.float64)


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (torch.log, tensor(1e-7, 1e6)),
        (lambda x: x**2, tensor(1e12, -3.0, 0.0)),
        (torch.sqrt, tensor(1e-5, 2.0)),
        (torch.relu, tensor(0.0, 5e-7, -5e-7, 1.0)),
        (torch.abs, tensor(0.0, -2.0)),
        (lambda x: torch.tanh(x).sum(), torch.zeros(2, 0, dtype=torch.float64)),
        (torch.exp, torch.tensor(0.5)),
        (lambda x: (x.sum(), x * 2), tensor(1.0, 2.0)),
    ],
)
def test_right_gradients_pass(f: Any, x: Any) -> None:
    assert gradcheck(f, x).verdict == "pass"


WRONG = {
    "factor": custom(lambda x: x**3, lambda g, x: g * 2 * x**2),
    "sign": custom(torch.cos, lambda g, x: g * torch.sin(x)),
    "sixth digit": custom(lambda x: x * 0.044715, lambda g, x: g * 0.0447),
    "dropped": custom(torch.exp, lambda g, x: g * 0),
    "nan": custom(torch.exp, lambda g, x: g * float("nan")),
    "at zero": custom(torch.relu, lambda g, x: g * torch.where(x == 0, 2.0, (x > 0).double())),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_gradients_are_found(name: str) -> None:
    report = gradcheck(WRONG[name], tensor(0.0, 0.7, 1.3))
    assert report.verdict == "fail" and not report.ok
    with pytest.raises(AssertionError, match="gradient check: fail"):
        assert_gradients(WRONG[name], tensor(0.0, 0.7, 1.3))


def test_one_wrong_element_of_many_is_addressed() -> None:
    def slope(g: Any, x: Any) -> Any:
        r = g * 2 * x
        mask = torch.ones_like(x)
        mask[7, 3] = 1.01
        return r * mask

    x = torch.tensor(np.arange(1.0, 101.0).reshape(20, 5))
    report = gradcheck(custom(lambda x: x**2, slope), x)
    assert len(report.failures) == 1
    (found,) = report.failures
    assert (found.input, found.index) == (0, (7, 3))
    assert found.analytic == pytest.approx(2 * 39 * 1.01) and found.numeric == pytest.approx(2 * 39)
    assert found.ratio == pytest.approx(1.01) and "1.01" in str(report) and "[7, 3]" in str(report)


def test_only_the_second_order_may_be_wrong() -> None:
    f = custom(torch.sin, lambda g, x: g * torch.cos(x).detach())
    assert gradcheck(f, tensor(0.3)).ok
    assert not gradgradcheck(f, tensor(0.3)).ok
    assert gradgradcheck(torch.sin, tensor(0.3)).ok


FUNCTIONS = {
    "exp": (np.exp, np.exp, (-12, 2)), "sin": (np.sin, np.cos, (-12, 3)), "log": (np.log, lambda x: 1 / x, (-12, 8)),
    "cube": (lambda x: x**3, lambda x: 3 * x * x, (-8, 8)), "inverse": (lambda x: 1 / x, lambda x: -1 / x**2, (-8, 8)),
    "tanh": (np.tanh, lambda x: 1 / np.cosh(x) ** 2, (-12, 1)),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_error_bound_holds_over_decades(name: str) -> None:
    f, truth, (low, high) = FUNCTIONS[name]
    points = 10 ** np.random.default_rng(0).uniform(low, high, 200)
    held = 0
    for x in points:
        slope, error = numerical_gradient(lambda v: f(v).sum(), np.array([x]), return_error=True)
        held += abs(slope.item() - truth(x)) <= error.item()
    assert held >= 0.99 * len(points)


def test_plain_numpy_functions_and_jacobians() -> None:
    j = numerical_jacobian(lambda a, b: a @ b, np.eye(2), np.ones((2, 2)), argnum=0)
    assert j.shape == (2, 2, 2, 2)
    np.testing.assert_allclose(j, np.einsum("ik,lj->ijkl", np.eye(2), np.ones((2, 2))), atol=1e-9)


def test_pytorchs_signature() -> None:
    from tinygrad_pt.testing import compat

    x = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    assert compat.gradcheck(torch.sin, (x,)) and compat.gradgradcheck(torch.sin, (x,))
    with pytest.raises(compat.GradcheckError):
        compat.gradcheck(WRONG["factor"], (x,))
    assert not compat.gradcheck(WRONG["factor"], (x,), raise_exception=False)
