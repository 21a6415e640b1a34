"""Half precision: every op, and whatever adds up, counts or divides, computes in float32 and rounds once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_pt as torch
from tests.ops.rows.factorizations import FACTORIZATIONS
from tests.ops.table import ROWS, Row
from tinygrad_pt import autograd
from tinygrad_pt.testing.property import gradients, seeds_for, tensors_of
from tinygrad_pt.testing.subject import floating, results_of

H = torch.float16


def wide(args: list[Any]) -> list[Any]:
    return [x.astype(np.float32) if floating(x) else x for x in args]


def rounded(y: Any) -> np.ndarray:
    y = np.asarray(y)
    with np.errstate(all="ignore"):
        return y.astype(np.float16) if y.dtype == np.float32 else y


def ulps(a: np.ndarray, b: np.ndarray, scale: float = 0.0) -> float:
    """How many spacings of float16 two arrays differ by at most, where numbers below `scale` count as large as it."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    with np.errstate(all="ignore"):
        size = np.spacing(np.maximum(np.abs(b), scale).astype(np.float16)).astype(np.float64)
        apart = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, np.abs(a - b) / size)
    return float(np.max(apart, initial=0.0))


IN_HALVES = [row for row in ROWS.values() if row.name not in ("cast", "class_weight", *FACTORIZATIONS)]


@pytest.mark.parametrize("row", IN_HALVES, ids=lambda row: row.name)
def test_an_op_in_half_is_the_op_in_float32_rounded(row: Row) -> None:
    for args, attrs in row.samples(np.float16):
        if not any(floating(x) for x in args):
            continue
        with np.errstate(all="ignore"):
            right = results_of(row(*tensors_of(wide(args), leaves=False), **attrs))
            got = results_of(row(*tensors_of(args, leaves=False), **attrs))
        for y, e in zip(got, right, strict=True):
            np.testing.assert_array_equal(y.array, rounded(e.array), str(attrs))


SMOOTH = [row for row in IN_HALVES if row.gradient]


@pytest.mark.parametrize("row", SMOOTH, ids=lambda row: row.name)
def test_its_gradient_is_that_of_float32_rounded(row: Row) -> None:
    """A rule that reads the result reads it rounded, and may cancel with it; hence not to the last digit."""
    for args, attrs in row.samples(np.float16):
        if not any(floating(x) for x in args):
            continue
        values, _ = gradients(row, args, attrs)
        seeds = [np.asarray(s) for s in seeds_for(values)]
        _, got = gradients(row, args, attrs, seeds)
        _, right = gradients(row, wide(args), attrs, wide(seeds))
        for g, e in zip(got, right, strict=True):
            if e is not None:
                assert g.dtype == np.float16
                assert ulps(g, rounded(e), 0.25) <= 2, attrs


def second(row: Row, args: list[Any], attrs: dict[str, Any]) -> list[Any]:
    """The gradients of Σ (∂Σy/∂x)², by a walk over the graph of the first."""
    xs = tensors_of(args)
    leaves = [x for x in xs if isinstance(x, torch.Tensor) and x.requires_grad]
    ys = [y for y in results_of(row(*xs, **attrs)) if y.requires_grad]
    first = autograd.grad([y.sum() for y in ys], leaves, create_graph=True, allow_unused=True)
    squares = [(g * g).sum() for g in first if g is not None and g.requires_grad]
    if not squares:
        return []
    return [None if g is None else g.array for g in autograd.grad(squares, leaves, allow_unused=True)]


@pytest.mark.parametrize("row", SMOOTH, ids=lambda row: row.name)
def test_its_second_derivative_is_that_of_float32_within_a_few_digits(row: Row) -> None:
    for args, attrs in row.samples(np.float16):
        if any(floating(x) for x in args):
            for g, e in zip(second(row, args, attrs), second(row, wide(args), attrs), strict=True):
                assert (g is None) == (e is None)
                if e is not None:
                    assert g.dtype == np.float16
                    assert ulps(g, rounded(e), float(np.max(np.abs(e), initial=1.0))) <= 16, attrs


# ------------------------------------------------------------------------------------------ many elements
def leaf(*values: Any) -> torch.Tensor:
    return torch.tensor(*values, dtype=H).requires_grad_()


@pytest.mark.parametrize("name", ["mean", "amax", "amin", "max", "min", "median", "std", "var", "norm"])
def test_a_gradient_shared_by_more_elements_than_float16_can_count(name: str) -> None:
    n = 70_000
    x = torch.cat([torch.full((n // 2,), 1.0), torch.full((n // 2,), -1.0)]).half()
    x = torch.ones(n, dtype=H) if name in ("amax", "amin", "max", "min", "median", "mean") else x
    wide_x, x = x.float().requires_grad_(), x.requires_grad_()
    y, wide_y = getattr(torch, name)(x), getattr(torch, name)(wide_x)
    assert ulps(y.detach().numpy(), rounded(wide_y.detach().numpy())) <= 1
    y.backward()
    wide_y.backward()
    assert ulps(x.grad.numpy(), rounded(wide_x.grad.numpy())) <= 1


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "cross_entropy"])
def test_the_mean_of_many_losses(name: str) -> None:
    x = torch.full((70_000, 2), 2.0, dtype=H).requires_grad_()
    target = torch.zeros(70_000, dtype=torch.int64) if name == "cross_entropy" else torch.zeros(70_000, 2, dtype=H)
    wide_x = x.detach().float().requires_grad_()
    loss = getattr(torch.nn.functional, name)
    y, wide_y = loss(x, target), loss(wide_x, target.float() if target.dtype is H else target)
    y.backward()
    wide_y.backward()
    assert ulps(y.detach().numpy(), rounded(wide_y.detach().numpy())) <= 1
    assert ulps(x.grad.numpy(), rounded(wide_x.grad.numpy())) <= 1


def test_adding_up_5000_ones() -> None:
    ones, places = torch.ones(5000, dtype=H), torch.zeros(5000, dtype=torch.int64)
    assert ones.cumsum(0)[-1].item() == 5000
    assert torch.zeros(1, dtype=H).scatter_add(0, places, ones).item() == 5000
    assert torch.zeros(1, dtype=H).index_add(0, places, ones).item() == 5000
    for pick in (
        lambda x: x.repeat_interleave(5000), lambda x: x.gather(0, places), lambda x: x[places],
        lambda x: x.index_select(0, places), lambda x: x.expand(5000), lambda x: x.repeat(5000),
        lambda x: x.take(places), lambda x: x + torch.zeros(5000, dtype=H), lambda x: x.tile((5000,)),
    ):  # fmt: skip
        x = leaf([1.0])
        pick(x).sum().backward()
        assert x.grad.item() == 5000


def test_intermediates_may_be_larger_than_float16_holds() -> None:
    assert leaf([300.0, 400.0]).norm().item() == 500
    assert leaf([300.0, -300.0]).std().item() == np.float16(300 * 2**0.5)
    assert torch.nn.functional.cosine_similarity(leaf([300.0, 400.0]), leaf([300.0, 400.0]), dim=0).item() == 1
    assert torch.nn.functional.normalize(leaf([300.0, 400.0]), dim=0).tolist() == [np.float16(0.6), np.float16(0.8)]
    assert torch.hypot(leaf([300.0]), leaf([400.0])).item() == 500


def test_a_function_of_several_ops_looks_for_halves_in_lists_and_keywords_too() -> None:
    a = torch.tensor([[300.0, 1.0]], dtype=H)
    for x, dtype in ((a, H), (a.float(), torch.float32)):
        assert torch.einsum("ij,kj->ik", [x, x]).dtype is dtype
        assert torch.lerp(input=x, end=x, weight=0.5).dtype is dtype
        assert torch.nn.functional.gelu(input=x).dtype is dtype


def test_a_number_beside_halves_is_not_rounded_first() -> None:
    x = leaf([65504.0])
    assert (x / 2e6).item() == np.float16(65504 / 2e6)
    assert (x * 1e-9).item() == np.float16(65504e-9)
    assert (x * 1e5 / 1e5).item() == np.inf
    y = x / 2e6
    y.backward()
    assert x.grad.item() == np.float16(1 / 2e6)
