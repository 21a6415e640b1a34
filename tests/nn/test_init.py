"""Initial weights: their bounds and variances, and that they are drawn into the tensor they are given."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tinygrad_pt as torch
from tinygrad_pt import nn
from tinygrad_pt.nn import init


@pytest.mark.parametrize(
    ("fill", "std"),
    [
        (lambda w: init.xavier_uniform_(w), math.sqrt(2 / 500)),
        (lambda w: init.xavier_normal_(w, gain=2.0), 2 * math.sqrt(2 / 500)),
        (lambda w: init.kaiming_uniform_(w, nonlinearity="relu"), math.sqrt(2 / 300)),
        (lambda w: init.kaiming_normal_(w, mode="fan_out", nonlinearity="linear"), math.sqrt(1 / 200)),
        (lambda w: init.normal_(w, 0, 3.0), 3.0),
        (lambda w: init.uniform_(w, -1, 1), 1 / math.sqrt(3)),
        (lambda w: init.orthogonal_(w), 1 / math.sqrt(300)),
    ],
)
def test_spread(fill: object, std: float) -> None:
    torch.manual_seed(0)
    w = torch.empty(200, 300, requires_grad=True)
    assert fill(w) is w and w.requires_grad and w.is_leaf  # type: ignore[operator]
    assert w.std().item() == pytest.approx(std, rel=0.02) and abs(w.mean().item()) < 0.05 * std


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 2, 3)])
def test_orthogonal_rows_or_columns(shape: tuple[int, ...]) -> None:
    q = init.orthogonal_(torch.empty(*shape), gain=2).numpy().reshape(shape[0], -1) / 2
    small = q @ q.T if q.shape[0] <= q.shape[1] else q.T @ q
    assert np.allclose(small, np.eye(len(small)), atol=1e-6)


def test_truncated_normal_stays_inside_and_keeps_its_shape() -> None:
    w = init.trunc_normal_(torch.empty(20000), 0.0, 1.0, -1.0, 0.5)
    assert w.min() >= -1 and w.max() <= 0.5
    far = init.trunc_normal_(torch.empty(20000), 0.0, 1.0, 1.5, 5.0)
    assert far.min() >= 1.5 and far.mean().item() == pytest.approx(1.9386, abs=0.02)


def test_truncation_at_a_bound_beyond_the_dtype_warns_of_nothing() -> None:
    assert init.trunc_normal_(torch.empty(100), 0.0, 1.0, -1.0, 1e300).min() >= -1


def test_a_generator_of_ones_own_leaves_the_default_stream_alone() -> None:
    torch.manual_seed(0)
    init.normal_(torch.empty(9), generator=torch.Generator().manual_seed(7))
    after = torch.rand(1).item()
    torch.manual_seed(0)
    assert torch.rand(1).item() == after


def test_sparse_zeroes_a_share_of_each_column() -> None:
    assert (init.sparse_(torch.empty(10, 4), 0.3) == 0).sum(0).tolist() == [3, 3, 3, 3]


def test_dirac_passes_channels_through() -> None:
    w = init.dirac_(torch.empty(2, 2, 3)).numpy()
    assert w.sum() == 2 and w[0, 0, 1] == w[1, 1, 1] == 1


def test_parameters_to_vector_and_back() -> None:
    a, b = nn.Linear(3, 2), nn.Linear(3, 2)
    v = nn.utils.parameters_to_vector(a.parameters())
    assert v.shape == (8,) and v.requires_grad
    nn.utils.vector_to_parameters(v, b.parameters())
    assert torch.equal(a.weight, b.weight) and b.weight.is_leaf and b.weight.requires_grad
    b(torch.ones(1, 3)).sum().backward()
    assert b.weight.grad is not None and a.weight.grad is None
