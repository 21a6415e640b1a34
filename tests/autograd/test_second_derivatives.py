"""Second derivatives that are zero, against PyTorch: a gradient requires grad where PyTorch's does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_pt
from tinygrad_pt.autograd import saved

torch = pytest.importorskip("torch")

VALUES = [[-3.0, -1.25, -0.25, 0.125], [0.25, 1.5, 3.0, 7.0]]  # away from the kinks
FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {  # of a library and a 2×4 matrix
    "relu": lambda t, x: t.relu(x),
    "relu_": lambda t, x: t.relu_(x * 1),
    "relu6": lambda t, x: t.nn.functional.relu6(x),
    "leaky_relu": lambda t, x: t.nn.functional.leaky_relu(x, 0.2),
    "leaky_relu(inplace=True)": lambda t, x: t.nn.functional.leaky_relu(x * 1, 0.2, inplace=True),
    "prelu": lambda t, x: t.nn.functional.prelu(x, t.tensor([0.25])),
    "threshold": lambda t, x: t.nn.functional.threshold(x, 0.5, 2.0),
    "hardtanh": lambda t, x: t.nn.functional.hardtanh(x),
    "hardtanh(inplace=True)": lambda t, x: t.nn.functional.hardtanh(x * 1, inplace=True),
    "hardshrink": lambda t, x: t.nn.functional.hardshrink(x),
    "softshrink": lambda t, x: t.nn.functional.softshrink(x),
    "nll_loss": lambda t, x: t.nn.functional.nll_loss(x, t.tensor([0, 3])),
    "pad": lambda t, x: t.nn.functional.pad(x, (1, 1)),
    "pad(reflect)": lambda t, x: t.nn.functional.pad(x, (1, 2), mode="reflect"),
    "pad(replicate)": lambda t, x: t.nn.functional.pad(x, (1, 2), mode="replicate"),
    "pad(circular)": lambda t, x: t.nn.functional.pad(x[None], (1, 2), mode="circular"),
    "clamp": lambda t, x: t.clamp(x, -1, 1),
    "abs": lambda t, x: t.abs(x),
    "maximum": lambda t, x: t.maximum(x, t.ones(4)),
    "max": lambda t, x: x.max(),
    "max(dim)": lambda t, x: x.max(1).values,
    "sort": lambda t, x: x.sort(1).values,
    "where": lambda t, x: t.where(x > 0, x, -x),
    "sum": lambda t, x: x.sum(0),
    "times a number": lambda t, x: x * 3,
    "times a constant": lambda t, x: x * t.ones(4),
    "times itself": lambda t, x: x * x,
    "matmul": lambda t, x: x @ t.ones(4),
    "view, slice": lambda t, x: x.view(4, 2)[1:],
    "cat": lambda t, x: t.cat([x, x]),
    "tanh": lambda t, x: t.tanh(x),
    "elu": lambda t, x: t.nn.functional.elu(x),
    "gelu": lambda t, x: t.nn.functional.gelu(x),
    "softmax": lambda t, x: t.softmax(x, 1),
    "cross_entropy": lambda t, x: t.nn.functional.cross_entropy(x, t.tensor([0, 3])),
    "l1_loss": lambda t, x: t.nn.functional.l1_loss(x, t.zeros(2, 4)),
    "mse_loss": lambda t, x: t.nn.functional.mse_loss(x, t.zeros(2, 4)),
    "a network": lambda t, x: t.relu(t.relu(x @ t.ones(4, 3)) - 1).sum(1),
}


def found(library: Any, f: Callable[[Any, Any], Any], own_seed: bool) -> Any:
    """Whether the gradient of a function requires grad, the gradient, and that of its sum by x and by the seed."""
    x = library.tensor(VALUES, requires_grad=True)
    y = f(library, x)
    ends = [x]
    if own_seed:
        values = np.cos(np.arange(y.numel(), dtype=np.float32)).reshape(tuple(y.shape))
        ends.append(library.tensor(values).requires_grad_())
        (g,) = library.autograd.grad(y, x, ends[1], create_graph=True)
    else:
        (g,) = library.autograd.grad(y.sum(), x, create_graph=True)
    if not g.requires_grad:
        return False, g.tolist()
    again = library.autograd.grad(g.sum(), ends, allow_unused=True)
    return True, g.tolist(), [None if h is None else (h + 0).tolist() for h in again]


@pytest.mark.parametrize("own_seed", [False, True], ids=["seed 1", "a seed that requires grad"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_as_in_pytorch(name: str, own_seed: bool) -> None:
    ours, theirs = found(tinygrad_pt, FUNCTIONS[name], own_seed), found(torch, FUNCTIONS[name], own_seed)
    assert ours[0] == theirs[0]
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-5, atol=1e-6)
    for a, b in zip(ours[2:], theirs[2:], strict=True):
        assert [h is None for h in a] == [h is None for h in b]
        for h, k in zip(a, b, strict=True):
            if h is not None:
                np.testing.assert_allclose(h, k, rtol=1e-5, atol=1e-6)


def test_zeros_come_through_what_lies_below() -> None:
    """The zeros of a flat function go on, so what it was computed from has a second derivative too."""
    t = tinygrad_pt
    w = t.tensor([1.0, -2.0], requires_grad=True)
    (g,) = t.autograd.grad(t.relu(t.exp(w)).sum(), w, create_graph=True)
    (h,) = t.autograd.grad(g.sum(), w)
    np.testing.assert_allclose(h.numpy(), np.exp([1.0, -2.0]), rtol=1e-6)
    layer, loss = t.nn.Linear(2, 2), None
    x = t.ones(2, requires_grad=True)
    (g,) = t.autograd.grad(t.relu(layer(x)).sum(), x, create_graph=True)
    loss = (g * g).sum()
    loss.backward()
    assert layer.weight.grad is not None and layer.bias.grad.tolist() == [0.0, 0.0]


def test_a_plain_walk_knows_nothing_of_it(monkeypatch: Any) -> None:
    monkeypatch.setattr(saved, "constant_in", None)
    x = tinygrad_pt.tensor(VALUES, requires_grad=True)
    tinygrad_pt.nn.functional.leaky_relu(tinygrad_pt.relu(x)).sum().backward()
    assert x.grad.tolist() == [[0.0, 0.0, 0.0, 1.0], [1.0] * 4]


@pytest.mark.parametrize("b", [[0.0, 3.0, 5.0, 0.0, 7.0], [0.0, 0.0, 5.0, 0.0, 7.0], [2.0, 3.0, 5.0, 0.0, 0.0]])
def test_products_that_are_scattered_have_the_second_derivatives_of_products_with_zeros(b: list[float]) -> None:
    t = tinygrad_pt
    x, places = t.tensor([2.0, 0.0], dtype=t.float64, requires_grad=True), t.tensor([0, 0, 0, 1, 1])
    factors = t.tensor(b, dtype=t.float64, requires_grad=True)
    assert t.autograd.gradgradcheck(lambda x, b: x.scatter_reduce(0, places, b, "prod"), (x, factors))
