"""Losses, beyond the laws of tests/nn/test_modules.py: what is ignored, weights that come and go, learning."""

from __future__ import annotations

import inspect
import math
import warnings
from typing import Any

import pytest

import tinygrad_pt as torch
from tinygrad_pt import nn
from tinygrad_pt.nn import functional as F


def test_ignored_targets_count_nothing() -> None:
    x = torch.randn(3, 4, requires_grad=True)
    F.cross_entropy(x, torch.tensor([1, -100, 2])).backward()
    assert not x.grad[1].any()
    alone = F.cross_entropy(x[[0, 2]], torch.tensor([1, 2]))
    assert F.cross_entropy(x, torch.tensor([1, -100, 2])).item() == pytest.approx(alone.item(), rel=1e-6)
    nothing = torch.full((3,), -100)
    assert math.isnan(F.cross_entropy(x, nothing).item()) and F.cross_entropy(x, nothing, reduction="sum").item() == 0
    only = torch.tensor([[2.0], [3.0]])
    assert F.nll_loss(only, torch.tensor([0, -100]), reduction="none").tolist() == [-2, 0]  # class 0 is all there is
    weighted = F.nll_loss(only, torch.tensor([0, -100]), torch.tensor([2.0]), reduction="none")
    assert weighted.tolist() == [-4, 0]


@pytest.mark.parametrize("ignored", [0, 1, -1, -7])
def test_any_class_number_may_be_the_one_to_ignore(ignored: int) -> None:
    x, targets = (
        torch.tensor([[1.0, 2.0], [3.0, 5.0]]),
        torch.tensor([ignored, 1 - ignored if ignored in (0, 1) else 1]),
    )
    assert F.nll_loss(x, targets, ignore_index=ignored, reduction="none").tolist() == [
        0,
        -x[1, targets[1].item()].item(),
    ]


def test_what_is_ignored_may_be_impossible() -> None:
    x = torch.tensor([[-math.inf, 0.0], [-1.0, -2.0]], requires_grad=True)
    loss = F.nll_loss(x, torch.tensor([0, 1]), ignore_index=0)
    loss.backward()
    assert loss.item() == 2 and x.grad.tolist() == [[0, 0], [0, -1]]


@pytest.mark.parametrize(("targets", "named"), [([0, 3], 3), ([1, -1], -1), ([5, 7], 5), ([-2, 9], -2), ([9, -2], 9)])
def test_the_first_target_that_is_no_class_is_named(targets: list[int], named: int) -> None:
    for x, t in [(torch.ones(2, 3), targets), (torch.ones(2, 3, 1), [[n] for n in targets])]:
        with pytest.raises(IndexError, match=f"Target {named} is out of bounds"):
            F.nll_loss(x, torch.tensor(t))


def test_the_same_call_with_and_without_class_weights() -> None:
    """The vertex must keep the weights of a later call although an earlier one had none."""
    w = torch.tensor([1.0, 2.0, 3.0, 4.0])
    for weight in (None, w, None, w):
        x = torch.zeros(2, 4, requires_grad=True)
        F.nll_loss(x, torch.tensor([0, 3]), weight, reduction="sum").backward()
        expected = (1.0, 1.0) if weight is None else (1.0, 4.0)
        assert (-x.grad[0, 0].item(), -x.grad[1, 3].item()) == expected


def test_targets_of_two_dtypes() -> None:
    assert F.mse_loss(torch.ones(2), torch.ones(2, dtype=torch.int64)).dtype is torch.float32
    assert F.mse_loss(torch.ones(2, dtype=torch.float64), torch.ones(2)).dtype is torch.float64
    with pytest.raises(NotImplementedError, match="not implemented for 'Long'"):
        F.mse_loss(torch.ones(2).long(), torch.ones(2).long())


def test_a_variance_may_be_infinite() -> None:
    var = torch.tensor([math.inf, 4.0], requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of NumPy too, whose filter the package sets
        each = F.gaussian_nll_loss(torch.tensor([1.0, 1.0]), torch.tensor([3.0, 3.0]), var, reduction="none")
        each.sum().backward()
    assert each.tolist() == [math.inf, pytest.approx(1.1931, abs=1e-4)] and var.grad.tolist() == [0.0, 0.0]


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


FLAGGED = [f for f in vars(F).values() if inspect.isfunction(f) and "size_average" in inspect.signature(f).parameters]


@pytest.mark.parametrize("loss", FLAGGED, ids=lambda loss: loss.__name__)
def test_the_old_flags_warn_where_the_loss_is_called(loss: Any) -> None:
    xs = [torch.full((2, 3), 0.5) for p in inspect.signature(loss).parameters.values() if p.default is p.empty]
    if loss in (F.nll_loss, F.cross_entropy, F.multi_margin_loss):
        xs[-1] = torch.tensor([0, 1])
    elif loss is F.multilabel_margin_loss:
        xs[-1] = torch.tensor([[0, -1, 1], [2, 0, -1]])
    elif loss is F.cosine_embedding_loss:
        xs[-1] = torch.ones(2)
    with pytest.warns(UserWarning, match="please use reduction='sum' instead") as seen:
        value = loss(*xs, size_average=False)
    assert seen[0].filename == __file__ and value.item() == loss(*xs, reduction="sum").item()


def test_a_target_that_is_almost_certain_has_a_loss_and_slopes() -> None:
    for dtype, far in ((torch.float32, 60.0), (torch.float64, 600.0)):
        x = torch.tensor([[0.0, -far, -far - 1]], dtype=dtype, requires_grad=True)
        loss = F.cross_entropy(x, torch.tensor([0]))
        loss.backward()
        rest = [math.exp(-far), math.exp(-far - 1)]
        assert loss.item() == pytest.approx(sum(rest), rel=1e-5)
        assert x.grad[0].tolist() == pytest.approx([-sum(rest), *rest], rel=1e-5)


def test_the_derivative_of_cross_entropy_is_drawn_as_softmax_minus_one_hot() -> None:
    logits, target = torch.randn(2, 3, requires_grad=True), torch.tensor([2, 0])
    drawing = torch.viz.draw(F.cross_entropy(logits, target))
    assert "∇logits ← 0.5·ḡ·(softmax(logits) − onehot(target))" in drawing.svg
