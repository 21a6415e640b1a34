"""Small networks for the tests of pages: a neuron, the lecture's 2-2-2 network, values that meet, arrays, playback."""

from __future__ import annotations

from typing import Any

import numpy as np

import tinygrad_pt as torch
from examples.lecture_network import Network, cost, twin
from tinygrad_pt import nn

Loss = tuple[torch.Tensor, dict[str, Any]]


def number(x: float, wanted: bool = True) -> torch.Tensor:
    return torch.tensor(x, dtype=torch.float64, requires_grad=wanted)


def neuron() -> Loss:
    x, w, b, t = number(2.0, False), number(0.5), number(-1.5), number(1.0, False)
    net = w * x + b
    o = torch.sigmoid(net)
    E = (o - t) ** 2 / 2
    E.backward()
    return E, {"x": x, "w": w, "b": b, "t": t, "net": net, "o": o, "E": E}


def meeting() -> Loss:
    """e = (a + b)·a·a: three paths meet in a."""
    a, b = number(2.0), number(1.0)
    c, d = a + b, a * a
    e = c * d
    e.backward()
    return e, {"a": a, "b": b, "c": c, "d": d, "e": e}


def lecture() -> Loss:
    """The lecture's network with two inputs, two hidden neurons and two outputs, on one example."""
    model = twin(Network([2, 2, 2], np.random.default_rng(0)))
    x, y = torch.tensor([[0.05, 0.10]], dtype=torch.float64), torch.tensor([[0.01, 0.99]], dtype=torch.float64)
    E = cost(model, x, y)
    E.backward()
    return E, {"model": model, "x": x, "y": y, "E": E}


def scalars() -> Loss:
    """The same in single numbers, with the lecture's weights."""
    x = [number(0.05, False), number(0.10, False)]
    t = [number(0.01, False), number(0.99, False)]
    w = [number(0.15 + 0.05 * i) for i in range(8)]
    b = [number(0.35), number(0.60)]
    h = [torch.sigmoid(w[2 * i] * x[0] + w[2 * i + 1] * x[1] + b[0]) for i in range(2)]
    o = [torch.sigmoid(w[4 + 2 * i] * h[0] + w[5 + 2 * i] * h[1] + b[1]) for i in range(2)]
    E = 0.5 * (t[0] - o[0]) ** 2 + 0.5 * (t[1] - o[1]) ** 2
    E.backward()
    return E, {"x": x, "t": t, "w": w, "b": b, "h": h, "o": o, "E": E}


def classes() -> Loss:
    """A layer and softmax cross-entropy, in float32: heat maps."""
    torch.manual_seed(1)
    layer = nn.Linear(3, 4)
    X, T = torch.randn(2, 3), torch.eye(4)[[1, 2]]
    h = torch.tanh(layer(X))
    L = -(T * torch.log_softmax(h, 1)).sum() / 2
    L.backward()
    return L, {"layer": layer, "X": X, "T": T, "h": h, "L": L}


def convolved() -> Loss:
    """What the page does not compute."""
    torch.manual_seed(2)
    layer = nn.Conv2d(1, 2, 3)
    X = torch.randn(1, 1, 5, 5)
    L = layer(X).square().mean()
    L.backward()
    return L, {"layer": layer, "X": X, "L": L}


ALL = {f.__name__: f for f in (neuron, meeting, lecture, scalars, classes, convolved)}
