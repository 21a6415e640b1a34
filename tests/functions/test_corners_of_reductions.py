"""Corners of reductions, losses and products: zeros, ties, infinities, nan, long sums, axes of length 1."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_pt as torch
import tinygrad_pt.nn.functional as F
from tinygrad_pt.testing import assert_gradients

inf, nan = math.inf, math.nan


def slope(f: Callable[[Any], Any], x: Any) -> list[float]:
    leaf = torch.tensor(x, dtype=torch.float32, requires_grad=True)
    y = f(leaf)
    assert y.requires_grad
    y.sum().backward()
    return leaf.grad.tolist()


# ------------------------------------------------------------------------------------------ zeros, ties, nan
AT_ZERO = [1.5, 2, 2.5, 3, 4, 0.5, -1, 0]


@pytest.mark.parametrize("p", AT_ZERO)
def test_the_gradient_of_a_norm_is_zero_at_zero_and_beside_it(p: float) -> None:
    assert slope(lambda x: x.norm(p=p), [0, 0]) == [0, 0]
    found = slope(lambda x: x.norm(p=p, dim=1), [[0, 0], [-3, 0]])
    np.testing.assert_allclose(found, [[0, 0], [-1 if p > 0 else 0, 0]], rtol=1e-6)


def test_the_number_of_nonzero_elements_still_requires_grad() -> None:
    x = torch.tensor([0.0, 2.0, nan], requires_grad=True)
    y = x.norm(p=0)
    assert y.item() == 2 and y.requires_grad
    y.backward()
    assert x.grad.tolist() == [0, 0, 0]


BESIDE_NAN = {"max": torch.max, "min": torch.min, "amax": torch.amax, "amin": torch.amin, "median": torch.median}


@pytest.mark.parametrize("name", BESIDE_NAN)
def test_beside_a_nan_the_nan_gets_the_gradient(name: str) -> None:
    assert slope(BESIDE_NAN[name], [1, nan, 2, nan]) == [0, 0.5, 0, 0.5]


def test_ties_share() -> None:
    assert slope(torch.max, [inf, inf, 0]) == [0.5, 0.5, 0] and slope(torch.min, [1, 1, 2]) == [0.5, 0.5, 0]
    assert slope(lambda x: x.norm(p=inf), [-2, 2, 1]) == [-0.5, 0.5, 0]
    assert slope(lambda x: x.norm(p=-inf), [3, -2, 2]) == [0, -0.5, 0.5]


def test_products_with_zeros_and_numbers_whose_products_are_too_large() -> None:
    big = [[1e13, 0, 0], [1e13, 1e13, 0], [1e13, 1e13, 1e13]]
    assert slope(torch.prod, big) == [[0.0] * 3] * 3
    np.testing.assert_allclose(slope(lambda x: x.cumprod(0), [1, 0, 2, 0, 3]), [1, 3, 0, 0, 0])
    np.testing.assert_allclose(torch.tensor([3e38, 3e38, 1e-38, 1e-38]).prod().item(), 9, rtol=1e-5)
    np.testing.assert_allclose(torch.tensor([3e38, 3e38, 1e-38, 1e-38]).cumprod(0)[-1].item(), 9, rtol=1e-5)
    assert torch.tensor([0.0, inf]).prod().isnan() and torch.zeros(2, 0).prod(1).tolist() == [1, 1]


def test_empty_axes_and_single_elements() -> None:
    assert torch.zeros(2, 0).norm(dim=1).tolist() == [0, 0] and torch.zeros(0).norm(p=3).item() == 0
    assert torch.zeros(0).mean().isnan() and torch.zeros(2, 0).mean(1).isnan().all()
    assert torch.zeros(0, 2).mean(1).shape == (0,) and torch.zeros(0, 2).norm(dim=1).shape == (0,)
    assert torch.tensor([7.0]).std(correction=0).item() == 0 and torch.tensor([7.0]).norm(p=3).item() == 7


def test_sums_that_are_too_large_for_a_float_have_a_mean() -> None:
    x = torch.full((4, 3), 3e38)
    for mean in (x.mean(), x.mean(0), x.mean((0, 1), keepdim=True), F.l1_loss(x, x * 0)):
        np.testing.assert_allclose(mean.tolist(), np.float32(3e38), rtol=1e-6)
    np.testing.assert_allclose(F.mse_loss(torch.tensor([2e19, 1.0]), torch.zeros(2)).item(), 2e38, rtol=1e-6)


# ------------------------------------------------------------------------------------------ long sums
LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "rows": lambda x: x.sum(0),
    "mean of rows": lambda x: x.mean(0) * len(x),
    "whole": lambda x: x.sum().reshape(1),
    "every other column": lambda x: x[:, ::2].sum().reshape(1) * 2,
    "expanded": lambda x: x[:1].expand(len(x), 2).sum(0),
    "backwards": lambda x: x.flip(0).sum(0),
    "three axes": lambda x: x.reshape(1000, -1, 2).sum((0, 1)),
    "norm": lambda x: x.norm().reshape(1) ** 2 * 10,
    "loss": lambda x: F.mse_loss(x, x * 0, reduction="sum").reshape(1) * 10,
    "running": lambda x: x.cumsum(0)[-1],
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_million_tenths_add_up(name: str) -> None:
    y = LAYOUTS[name](torch.full((1_000_000, 2), 0.1))
    np.testing.assert_allclose(y.tolist(), 1e5 if len(y) == 2 else 2e5, rtol=1e-5)


def test_gradients_of_what_was_broadcast_a_million_times_add_up() -> None:
    bias = torch.zeros(2, requires_grad=True)
    (torch.zeros(1_000_000, 2) + bias).backward(torch.full((1_000_000, 2), 0.1))
    np.testing.assert_allclose(bias.grad.tolist(), 1e5, rtol=1e-5)
    layer = torch.nn.Linear(1, 2)
    layer(torch.zeros(300_000, 1)).backward(torch.full((300_000, 2), 0.1))
    np.testing.assert_allclose(layer.bias.grad.tolist(), 3e4, rtol=1e-5)


# ------------------------------------------------------------------------------------------ losses
def test_kl_div_as_pytorch() -> None:
    x, t = torch.full((3,), -1.0), torch.tensor([0.0, -1.0, 0.5], requires_grad=True)
    y = F.kl_div(x, t, reduction="none")
    np.testing.assert_allclose(y.tolist(), [0, nan, 0.5 * math.log(0.5) + 0.5], rtol=1e-6)
    y.sum().backward()
    np.testing.assert_allclose(t.grad.tolist(), [nan, nan, math.log(0.5) + 2], rtol=1e-6)


def test_gradients_of_losses_keep_their_digits_in_the_tails() -> None:
    for x, t, expected in ((20, 1, -math.exp(-20)), (-20, 0, math.exp(-20)), (80, 1, -math.exp(-80)), (-80, 1, -1)):
        target = torch.tensor([float(t)])
        np.testing.assert_allclose(
            slope(lambda a, t=target: F.binary_cross_entropy_with_logits(a, t), [x]), [expected], rtol=1e-6
        )
    norms = [torch.nn.Parameter(torch.zeros(2)) for _ in range(2)]
    for p, g in zip(norms, ([3e30, 0.0], [0.0, 4e30]), strict=True):
        p.grad = torch.tensor(g)
    np.testing.assert_allclose(torch.nn.utils.clip_grad_norm_(norms, 1.0).item(), 5e30, rtol=1e-6)
    np.testing.assert_allclose([norms[0].grad[0].item(), norms[1].grad[1].item()], [0.6, 0.8], rtol=1e-6)


def test_a_cosine_of_huge_vectors() -> None:
    x = torch.tensor([3e25, 4e25], requires_grad=True)
    assert F.cosine_similarity(x, torch.tensor([1.0, 0.0]), 0).item() == pytest.approx(0.6)


# ------------------------------------------------------------------------------------------ axes of length 1
EINSUMS = [
    ("ij,ij->j", (1, 3), (2, 3)), ("ij,ij->j", (2, 3), (1, 3)), ("ij,ij->ij", (1, 3), (2, 1)),
    ("ij,jk", (2, 1), (3, 4)), ("ij,ij,ij->", (1, 3), (2, 1), (2, 3)),
    ("ii,ij->j", (3, 3), (1, 2)), ("b...i,b...i->b...", (2, 1, 3), (2, 4, 3)),
    ("ii->i", (3, 3)), ("ij->ji", (2, 3)), ("iij->j", (3, 3, 2)), ("...ij->...ji", (2, 3, 4)), ("i->", (4,)),
]  # fmt: skip


@pytest.mark.parametrize("case", EINSUMS, ids=lambda case: f"{case[0]} {case[1:]}")
def test_einsum_broadcasts_forward_and_back(case: Any) -> None:
    equation, *shapes = case
    draw = np.random.default_rng(0)
    xs = [draw.normal(size=s) for s in shapes]
    leaves = [torch.tensor(x, requires_grad=True) for x in xs]
    y = torch.einsum(equation, *leaves)
    np.testing.assert_allclose(y.detach().numpy(), np.einsum(equation, *xs), rtol=1e-12)
    assert_gradients(lambda *a: torch.einsum(equation, *a), *leaves, order=2)
    assert y._is_view() is (equation in ("ii->i", "ij->ji", "...ij->...ji"))


def test_einsum_of_lists_of_labels() -> None:
    a, b = torch.arange(6.0).reshape(2, 3), torch.arange(12.0).reshape(3, 4)
    for y in (torch.einsum(a, [0, 1], b, [1, 2], [0, 2]), torch.einsum(a, [0, 1], b, [1, 2])):
        assert torch.equal(y, a @ b)
    assert torch.equal(torch.einsum(a, [..., 30], a, [..., 30], [...]), (a * a).sum(1))
    with pytest.raises(ValueError, match=r"not within the valid range \[0, 52\)"):
        torch.einsum(a, [0, 52])
    with pytest.raises(RuntimeError, match="is repeated for operand 0 but the sizes don't match, 3 != 1"):
        torch.einsum("ii", torch.ones(1, 3))


def test_tensordot_broadcasts_forward_and_back() -> None:
    a, b = (torch.ones(s, dtype=torch.float64, requires_grad=True) for s in ((1, 3), (2, 3)))
    assert_gradients(lambda a, b: torch.tensordot(a, b, dims=([0], [0])), a, b, order=2)
    with pytest.raises(
        RuntimeError, match="contracted dimensions need to match, but first has size 2 in dim 0 and second"
    ):
        torch.tensordot(torch.ones(2, 3), torch.ones(3, 3), dims=([0], [0]))


@pytest.mark.parametrize("cuts", [(2, 4), (-2,), (3, 1), (1, -1), (-1, 1), (0, 0), (10,), (-10, 2), (), (2, 2, 5)])
def test_tensor_split_takes_the_indices_of_slices(cuts: tuple[int, ...]) -> None:
    x = np.arange(5.0)
    expected = [x[i:j] for i, j in zip((0, *cuts), (*cuts, None), strict=True)]
    leaf = torch.tensor(x, requires_grad=True)
    pieces = leaf.tensor_split(cuts)
    assert [p.tolist() for p in pieces] == [e.tolist() for e in expected]
    torch.cat(pieces).sum().backward()
    assert leaf.grad.tolist() == [sum(i in e for e in expected) for i in x]
    assert [p.tolist() for p in torch.tensor(x).tensor_split(torch.tensor(cuts, dtype=torch.int64))] == [
        e.tolist() for e in expected
    ]


def test_einsum_of_integers_that_are_summed_first() -> None:
    a, b = torch.ones(1, 2, 3, dtype=torch.int32), torch.ones(3, dtype=torch.int32)
    assert torch.einsum("...ik,...j->ij", a, b).tolist() == [[3, 3, 3], [3, 3, 3]]
