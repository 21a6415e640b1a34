"""The neuron view shows the numbers of the engine, whichever way a perceptron is written."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_pt as torch
from tinygrad_pt import nn
from tinygrad_pt.models import MLP
from tinygrad_pt.viz import draw, snapshot
from tinygrad_pt.viz.neurons import RADIUS, network
from tinygrad_pt.viz.text import width


def by_hand(weights: list[Any], x: Any, target: Any) -> tuple[list[Any], list[Any], list[Any]]:
    """Net inputs, outputs, and ∂E/∂net of a sigmoid network with E = Σ(o − t)²/2, layer by layer."""
    nets, outs = [], [x]
    for w, b in weights:
        nets.append(w @ outs[-1] + b)
        outs.append(1 / (1 + np.exp(-nets[-1])))
    delta = (outs[-1] - target) * outs[-1] * (1 - outs[-1])
    deltas = [delta]
    for (w, _), o in zip(reversed(weights[1:]), reversed(outs[1:-1]), strict=True):
        deltas.append(w.T @ deltas[-1] * o * (1 - o))
    return nets, outs, deltas[::-1]


def written(form: str, weights: list[Any], x: Any, target: Any) -> Any:
    """The cost of the same network, written in one of the usual ways, and its backward pass."""
    leaves = [[torch.tensor(a, requires_grad=True) for a in pair] for pair in weights]
    a, t = torch.tensor(x), torch.tensor(target)
    names: dict[str, Any] = {"x": a, "t": t}
    if form == "linear":
        for w, b in leaves:
            a = torch.sigmoid(nn.functional.linear(a, w, b))
    elif form == "columns":
        a = names["x"] = a.reshape(-1, 1)
        t = names["t"] = t.reshape(-1, 1)
        leaves = [[w, b.detach().reshape(-1, 1).requires_grad_()] for w, b in leaves]
        for w, b in leaves:
            a = torch.sigmoid(w @ a + b)
    else:
        a, t = a.reshape(1, -1), t.reshape(1, -1)
        names = {"x": a, "t": t}
        leaves = [[w.detach().t().contiguous().requires_grad_(), b] for w, b in leaves]
        for w, b in leaves:
            a = torch.sigmoid(a @ w + b)
    cost = ((a - t) ** 2).sum() / 2
    cost.backward(retain_graph=True)
    return snapshot(cost, names)


@pytest.mark.parametrize("form", ["linear", "columns", "rows"])
@given(st.lists(st.integers(1, 4), min_size=2, max_size=4), st.integers(0, 1000))
def test_the_numbers_are_those_of_backpropagation_by_hand(form: str, sizes: list[int], seed: int) -> None:
    if form == "linear" and len(sizes) < 2:
        return
    rng = np.random.default_rng(seed)
    pairs = list(zip(sizes[:-1], sizes[1:], strict=True))
    weights = [(rng.normal(size=(m, n)), rng.normal(size=m)) for n, m in pairs]
    x, target = rng.normal(size=sizes[0]), rng.random(sizes[-1])
    nets, outs, deltas = by_hand(weights, x, target)
    found = network(written(form, weights, x, target))
    assert [len(layer) for layer in found.layers] == sizes
    np.testing.assert_allclose(found.layers[0].out, x)
    for k, layer in enumerate(found.layers[1:]):
        assert layer.activation == "σ" and layer.biased
        np.testing.assert_allclose(layer.net, nets[k], rtol=1e-10)
        np.testing.assert_allclose(layer.out, outs[k + 1], rtol=1e-10)
        np.testing.assert_allclose(layer.net_grad, deltas[k], rtol=1e-9, atol=1e-15)
        np.testing.assert_allclose(layer.weight, weights[k][0])
        np.testing.assert_allclose(layer.weight_grad, np.outer(deltas[k], outs[k]), rtol=1e-9, atol=1e-15)
        np.testing.assert_allclose(layer.bias_grad, deltas[k], rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(found.target, target)
    assert math.isclose(found.value or 0.0, float(((outs[-1] - target) ** 2).sum() / 2), rel_tol=1e-10)


def test_one_call_draws_any_mlp() -> None:
    torch.manual_seed(0)
    net, x, t = MLP([2, 3, 1]), torch.tensor([[0.0, 1.0], [1.0, 1.0]]), torch.tensor([[1.0], [0.0]])
    E = nn.MSELoss()(net(x), t)
    E.backward(retain_graph=True)
    picture = draw(E, view="neuron", example=1)
    assert picture.svg.count("<circle") == 6 + 2  # neurons, and the 1 of every bias
    assert "example 2 of 2" in picture.svg and ">x1<" in picture.svg and ">h1,3<" in picture.svg
    w = float(net.state_dict()["0.weight"][2, 1])
    assert f"w {w:.4f}".replace("-", "−") in picture.svg
    assert "os dos pesos, de todos" in draw(E, view="neuron", lang="pt").svg
    with pytest.raises(ValueError, match="example=2: the batch has 2 examples"):
        draw(E, view="neuron", example=2)


def test_a_large_network_shows_some_neurons_and_how_many_more() -> None:
    net, x = MLP([64, 30, 10]), torch.randn(5, 64)
    picture = draw(nn.functional.cross_entropy(net(x), torch.arange(5)), {"net": net, "x": x}, view="neuron")
    assert [more for more in re.findall(r"⋮ \+(\d+)", picture.svg)] == ["60", "26", "6"]


def test_words_fit_into_their_circles() -> None:
    net, x = nn.Sequential(nn.Linear(2, 2), nn.Sigmoid()), torch.full((1, 2), -123.4567)
    picture = draw(net(x).sum(), {"net": net, "x": x}, view="neuron").svg
    for words in re.findall(r">((?:net|out) [^<]+)<", picture):
        assert math.hypot(width(words, 11, mono=True) / 2, 5) <= RADIUS + 4


def test_what_is_no_perceptron_is_refused_with_a_sentence() -> None:
    a = torch.ones(2, requires_grad=True)
    with pytest.raises(ValueError, match="no layer was found"):
        draw((a * a).sum(), view="neuron")
    w, v = (torch.ones(2, 2, requires_grad=True) for _ in range(2))
    x = torch.ones(1, 2)
    with pytest.raises(ValueError, match="draws a chain of layers"):
        draw((x @ w + x @ v).sum(), view="neuron")


def test_before_the_backward_pass_gradients_are_open() -> None:
    net, x = nn.Linear(2, 1), torch.ones(1, 2)
    assert "∂net ·" in draw(net(x).sum(), {"net": net, "x": x}, view="neuron").svg
