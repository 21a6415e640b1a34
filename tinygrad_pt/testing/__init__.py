"""Tools for testing gradients: numerical derivatives with error bounds, and a checker with readable reports."""

from typing import TYPE_CHECKING

from tinygrad_pt import names
from tinygrad_pt.testing.gradcheck import assert_gradients, gradcheck, gradgradcheck
from tinygrad_pt.testing.graph_text import graph_difference, graph_text
from tinygrad_pt.testing.numerical import numerical_gradient, numerical_jacobian
from tinygrad_pt.testing.property import assert_laws, gradient_property
from tinygrad_pt.testing.report import HINTS, Failure, GradientMismatch, Guilty, Report
from tinygrad_pt.testing.spec import Domain, Edge, OpSpec, Refusal

__all__ = [
    "Domain", "Edge", "HINTS", "Failure", "GradientMismatch", "Guilty", "OpSpec", "Refusal", "Report",
    "assert_gradients", "assert_laws", "gradcheck", "gradgradcheck", "gradient_property", "graph_difference",
    "graph_text", "numerical_gradient", "numerical_jacobian",
]  # fmt: skip

if not TYPE_CHECKING:  # a name that is not here says so
    __getattr__ = names.namespace("testing")
