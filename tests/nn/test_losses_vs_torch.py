"""The losses that are not one formula against PyTorch: CTC, the adaptive softmax, a linear layer with its loss."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_pt as G

T = pytest.importorskip("torch")


def compare(act: Any, tolerance: float = 1e-5) -> None:
    """`act(torch)` gives tensors, of which the first that require gradients are summed and differentiated."""
    ours, theirs = act(G), act(T)
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert tuple(a.shape) == tuple(b.shape) and str(a.dtype) == str(b.dtype)
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), tolerance, tolerance)


LP = np.random.default_rng(0).normal(size=(6, 2, 4)).astype(np.float32)
ROWS = [[1, 2, 3], [1, 1, 2]]


@pytest.mark.parametrize(
    ("labels", "steps", "wanted", "settings"),
    [
        (ROWS, [6, 6], [3, 3], {}),
        (ROWS, [6, 6], [3, 3], {"reduction": "sum"}),
        (ROWS, [6, 5], [3, 2], {"reduction": "none"}),
        (sum(ROWS, []), [6, 6], [3, 3], {}),
        ([1, 2, 3, 1], [6, 4], [3, 1], {}),
        (ROWS, [6, 6], [0, 3], {"reduction": "none"}),
        (ROWS, [2, 6], [3, 3], {"zero_infinity": True}),
        (ROWS, [0, 6], [3, 3], {"zero_infinity": True, "reduction": "none"}),
        ([[1, 2, 0], [1, 1, 2]], [6, 6], [3, 3], {"blank": 3}),
        ([[1, 0, 2], [1, 1, 2]], [6, 6], [3, 3], {"reduction": "none"}),  # a blank among the labels
    ],
)
def test_ctc(labels: Any, steps: Any, wanted: Any, settings: dict[str, Any]) -> None:
    def act(torch: Any) -> Any:
        x = torch.tensor(LP).requires_grad_()
        given = [torch.tensor(v) for v in (labels, steps, wanted)]
        y = torch.nn.CTCLoss(**settings)(x.log_softmax(2), *given)
        raw = torch.tensor(LP).log_softmax(2).requires_grad_()
        torch.nn.functional.ctc_loss(raw, *given, **settings).sum().backward()
        y.sum().backward()
        return y, x.grad, raw.grad

    compare(act)


def test_the_class_of_an_input_without_a_batch_may_stand_in_a_list() -> None:
    def act(torch: Any) -> Any:
        x, t = torch.tensor([0.5, 2.0, -1.0]), torch.tensor([1])
        F = torch.nn.functional
        return F.nll_loss(x, t), F.cross_entropy(x, t)

    compare(act)


def test_ctc_of_one_sequence_and_of_lengths_in_tuples() -> None:
    def act(torch: Any) -> Any:
        x = torch.tensor(LP).log_softmax(2)
        loss = torch.nn.functional.ctc_loss
        return (
            loss(x[:, 0], torch.tensor([1, 2]), torch.tensor(6), torch.tensor(2), reduction="none"),
            loss(x[:, 0], torch.tensor([1, 2]), (6,), (2,)),
            loss(x, torch.tensor(ROWS), (6, 6), (3, 3)),
            loss(x.double(), torch.tensor(ROWS).int(), (6, 6), (3, 3)),
        )

    compare(act)


def test_ctc_of_what_cannot_be_is_infinite() -> None:
    x = G.tensor(LP).log_softmax(2)
    args = G.tensor(ROWS), G.tensor([2, 6]), G.tensor([3, 3])
    assert G.nn.functional.ctc_loss(x, *args, reduction="none").isinf().tolist() == [True, False]


def test_ctc_second_derivative_is_the_numerical_one() -> None:
    x = G.tensor(LP[:4, :, :3].astype(np.float64)).requires_grad_()
    args = G.tensor([[1, 2], [1, 1]]), (4, 4), (2, 2)
    assert G.autograd.gradgradcheck(lambda x: G.nn.functional.ctc_loss(x.log_softmax(2), *args), (x,))


@pytest.mark.parametrize("target", [[0, 1, 4, 8], [0, 0, 1, 1], [8, 8, 7, 6]])
def test_adaptive_softmax(target: list[int]) -> None:
    def act(torch: Any) -> Any:
        torch.manual_seed(0)
        m = torch.nn.AdaptiveLogSoftmaxWithLoss(8, 9, [2, 5], div_value=2.0)
        x = torch.randn(4, 8).requires_grad_()
        output, loss = m(x, torch.tensor(target))
        loss.backward()
        one = m(x[0], torch.tensor(target[0]))
        m.reset_parameters()
        grads = [p.grad for p in m.parameters() if p.grad is not None]
        return (output, loss, *one, m.log_prob(x), m.predict(x), m.predict(x * 30), x.grad, *grads, *m.parameters())

    compare(act)


@pytest.mark.parametrize(
    ("settings", "shape", "target"),
    [
        ({}, (4, 3), [0, 1, 4, 2]),
        ({"bias": True, "reduction": "none", "ignore_index": 1}, (4, 3), [0, 1, 4, 2]),
        ({"out_features": (2,), "label_smoothing": 0.2}, (2, 3), [[0, 1], [4, 2]]),
        ({}, (3,), 2),
    ],
)
def test_a_linear_layer_with_its_loss(settings: dict[str, Any], shape: Any, target: Any) -> None:
    def act(torch: Any) -> Any:
        torch.manual_seed(0)
        m = torch.nn.LinearCrossEntropyLoss(3, 5, **settings)
        x = torch.randn(*shape).requires_grad_()
        y = m(x, torch.tensor(target))
        y.sum().backward()
        return y, x.grad, m.linear.weight.grad

    compare(act)
    assert repr(G.nn.LinearCrossEntropyLoss(3, 5, **settings)) == repr(T.nn.LinearCrossEntropyLoss(3, 5, **settings))


def test_distances_of_all_pairs() -> None:
    for p in (0.0, 1.0, 1.5, 2.0, float("inf")):

        def act(torch: Any, p: float = p) -> Any:
            x = torch.tensor([[0.5, 1.0], [2.0, -1.0], [0.0, 0.25], [0.0, 0.25]]).requires_grad_()
            y = torch.nn.functional.pdist(x, p)
            y.sum().backward()
            return y, x.grad

        compare(act)


def test_ctc_of_classes_that_cannot_be_has_gradients() -> None:
    x = np.log(np.random.default_rng(0).dirichlet(np.ones(4), (5, 2)))
    x[2, :, 3] = -np.inf

    def slope(torch: Any) -> Any:
        a = torch.tensor(x, requires_grad=True)
        lengths = torch.tensor([5, 4]), torch.tensor([2, 1])
        torch.nn.functional.ctc_loss(a, torch.tensor([[1, 3], [2, 0]]), *lengths, reduction="sum").backward()
        return a.grad.numpy()

    ours, theirs = slope(G), slope(T)
    assert np.isfinite(ours).all()
    known = np.isfinite(theirs)  # PyTorch's is nan for the class that cannot be
    assert known.mean() > 0.9
    np.testing.assert_allclose(ours[known], theirs[known], atol=1e-9)
