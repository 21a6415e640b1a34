"""Tools for testing gradients: numerical derivatives with error bounds, and a checker with readable reports."""

from tinygrad_pt.testing.gradcheck import assert_gradients, gradcheck, gradgradcheck
from tinygrad_pt.testing.numerical import numerical_gradient, numerical_jacobian
from tinygrad_pt.testing.report import HINTS, Failure, GradientMismatch, Guilty, Report

__all__ = [
    "HINTS", "Failure", "GradientMismatch", "Guilty", "Report", "assert_gradients", "gradcheck", "gradgradcheck",
    "numerical_gradient", "numerical_jacobian",
]  # fmt: skip
