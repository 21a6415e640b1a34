"""std where all elements agree: a corner whose gradient is 0, whatever g is."""

from __future__ import annotations

import tinygrad_pt as torch
from tinygrad_pt.testing import gradgradcheck


def test_the_gradient_of_a_constant_row_does_not_depend_on_g() -> None:
    x = torch.tensor([[1.5, 1.5, 1.5], [1.0, 2.0, 3.0]], dtype=torch.float64, requires_grad=True)
    g = torch.ones(2, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(torch.std(x, 1, correction=0), x, g, create_graph=True)
    assert slope[0].tolist() == [0, 0, 0]
    (second,) = torch.autograd.grad((slope * torch.tensor([1.0, 2.0, 4.0])).sum(), g)
    assert second[0].item() == 0 and second[1].item() > 0
    report = gradgradcheck(lambda a: torch.std(a, 1, correction=0), x.detach())
    assert report.ok, report
