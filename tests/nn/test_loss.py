"""Losses: values by formula, gradients against differences, and the edges where a naive formula fails."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import tinygrad_pt as torch
from tinygrad_pt import nn
from tinygrad_pt.nn import functional as F


def check(f: Any, *arrays: np.ndarray) -> None:
    """Gradients of both orders of `f(*tensors)` against central differences in float64."""

    def total(values: tuple[np.ndarray, ...]) -> float:
        return float(f(*map(torch.from_numpy, values)).sum().item())

    def differences(g: Any, values: tuple[np.ndarray, ...], slot: int) -> np.ndarray:
        found = np.zeros_like(values[slot])
        for i in np.ndindex(found.shape):
            ends = []
            for h in (1e-6, -1e-6):
                moved = [v.copy() for v in values]
                moved[slot][i] += h
                ends.append(g(tuple(moved)))
            found[i] = (ends[0] - ends[1]) / 2e-6
        return found

    def squares(values: tuple[np.ndarray, ...]) -> float:
        ts = [torch.from_numpy(v.copy()).requires_grad_() for v in values]
        return sum(float((g * g).sum().item()) for g in torch.autograd.grad(f(*ts).sum(), ts))

    ts = [torch.from_numpy(a.copy()).requires_grad_() for a in arrays]
    grads = torch.autograd.grad(f(*ts).sum(), ts, create_graph=True)
    power = sum((g * g).sum() for g in grads)
    second = torch.autograd.grad(power, ts, allow_unused=True) if power.requires_grad else [None] * len(ts)
    for slot, (g, h) in enumerate(zip(grads, second, strict=True)):
        assert np.allclose(g.detach().numpy(), differences(total, arrays, slot), atol=1e-7)
        expected = differences(squares, arrays, slot)
        assert np.allclose(0 if h is None else h.detach().numpy(), expected, atol=1e-5), slot


RNG = np.random.default_rng(3)
A, B = RNG.normal(size=(3, 4)), RNG.normal(size=(3, 4))
P, Q = RNG.uniform(0.1, 0.9, (3, 4)), RNG.uniform(0.1, 0.9, (3, 4))
CLASSES = torch.tensor([0, 3, 1])


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_gradients_of_both_orders(reduction: str) -> None:
    r = {"reduction": reduction}
    check(lambda a, b: F.mse_loss(a, b, **r), A, B)
    check(lambda a, b: F.l1_loss(a, b, **r), A, B)
    check(lambda a, b: F.huber_loss(a, b, delta=0.8, **r), A, B)
    check(lambda a, b: F.smooth_l1_loss(a, b, beta=0.8, **r), A, B)
    check(lambda a, b: F.binary_cross_entropy(a, b, **r), P, Q)
    check(lambda a, b: F.binary_cross_entropy_with_logits(a, b, **r), A, Q)
    check(lambda a: F.cross_entropy(a, CLASSES, **r), A)
    check(lambda a, p: F.cross_entropy(a, p, label_smoothing=0.1, **r), A, Q)
    check(lambda a: F.nll_loss(a, CLASSES, torch.tensor([1.0, 2.0, 3.0, 0.5], dtype=torch.float64), **r), A)
    check(lambda a, p: F.kl_div(a, p, **(r if reduction != "mean" else {"reduction": "batchmean"})), A, P)


def test_mse_is_the_mean_square() -> None:
    x, t = torch.randn(5, 2), torch.randn(5, 2)
    d = x.numpy() - t.numpy()
    assert F.mse_loss(x, t).item() == pytest.approx((d**2).mean(), rel=1e-6)
    assert nn.MSELoss(reduction="sum")(x, t).item() == pytest.approx((d**2).sum(), rel=1e-6)
    assert np.allclose(nn.MSELoss(reduction="none")(x, t).numpy(), d**2)


def test_cross_entropy_is_stable_and_learns_towards_the_target() -> None:
    x = torch.tensor([[1000.0, -1000.0, 0.0]], requires_grad=True)
    loss = F.cross_entropy(x, torch.tensor([1]))
    loss.backward()
    assert loss.item() == 2000 and x.grad.tolist() == [[1, -1, 0]]


def test_ignored_targets_count_nothing() -> None:
    x = torch.randn(3, 4, requires_grad=True)
    F.cross_entropy(x, torch.tensor([1, -100, 2])).backward()
    assert not x.grad[1].any()
    alone = F.cross_entropy(x[[0, 2]], torch.tensor([1, 2]))
    assert F.cross_entropy(x, torch.tensor([1, -100, 2])).item() == pytest.approx(alone.item(), rel=1e-6)
    nothing = torch.full((3,), -100)
    assert math.isnan(F.cross_entropy(x, nothing).item()) and F.cross_entropy(x, nothing, reduction="sum").item() == 0


def test_the_same_call_with_and_without_class_weights() -> None:
    """The vertex must keep the weights of a later call although an earlier one had none."""
    w = torch.tensor([1.0, 2.0, 3.0, 4.0])
    for weight in (None, w, None, w):
        x = torch.zeros(2, 4, requires_grad=True)
        F.nll_loss(x, torch.tensor([0, 3]), weight, reduction="sum").backward()
        expected = (1.0, 1.0) if weight is None else (1.0, 4.0)
        assert (-x.grad[0, 0].item(), -x.grad[1, 3].item()) == expected


def test_binary_losses_at_their_edges() -> None:
    assert F.binary_cross_entropy(torch.tensor([0.0]), torch.tensor([1.0])).item() == 100
    x = torch.tensor([1000.0, -1000.0], requires_grad=True)
    loss = F.binary_cross_entropy_with_logits(x, torch.tensor([0.0, 1.0]))
    loss.backward()
    assert loss.item() == 1000 and x.grad.tolist() == [0.5, -0.5]


def test_targets_of_two_dtypes() -> None:
    assert F.mse_loss(torch.ones(2), torch.ones(2, dtype=torch.int64)).dtype is torch.float32
    assert F.mse_loss(torch.ones(2, dtype=torch.float64), torch.ones(2)).dtype is torch.float64
    with pytest.raises(NotImplementedError, match="not implemented for 'Long'"):
        F.mse_loss(torch.ones(2).long(), torch.ones(2).long())


def test_errors_name_the_loss_and_the_mend() -> None:
    with pytest.raises(
        ValueError, match=r"(?s)Expected input batch_size \(3\).*op: nll_loss.*module: CrossEntropyLoss"
    ):
        nn.CrossEntropyLoss()(torch.zeros(3, 4), torch.tensor([1, 0]))
    with pytest.raises(RuntimeError, match="mend: class numbers are int64"):
        F.cross_entropy(torch.zeros(3, 4), torch.tensor([1.0, 0.0, 2.0]))


def test_a_weight_moves_with_its_loss() -> None:
    loss = nn.CrossEntropyLoss(weight=torch.ones(3))
    assert list(loss.state_dict()) == ["weight"] and loss.double().weight.dtype is torch.float64
    assert repr(loss) == "CrossEntropyLoss()"


def test_a_small_net_learns_xor() -> None:
    torch.manual_seed(0)
    x = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    t = torch.tensor([[0.0], [1.0], [1.0], [0.0]])
    net = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
    for _ in range(400):
        net.zero_grad()
        loss = F.binary_cross_entropy_with_logits(net(x), t)
        loss.backward()
        with torch.no_grad():
            for p in net.parameters():
                p -= 1.0 * p.grad
    assert ((net(x) > 0).float() == t).all() and loss.item() < 0.05
