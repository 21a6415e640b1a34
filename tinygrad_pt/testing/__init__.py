"""Tools for testing gradients: numerical derivatives with error bounds, and a checker with readable reports."""

from tinygrad_pt.testing.gradcheck import Mismatch, Report, assert_gradients, gradcheck, gradgradcheck
from tinygrad_pt.testing.numerical import numerical_gradient, numerical_jacobian

__all__ = [
    "Mismatch", "Report", "assert_gradients", "gradcheck", "gradgradcheck", "numerical_gradient", "numerical_jacobian",
]  # fmt: skip
