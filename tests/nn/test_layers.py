"""Layers: shapes, the names they keep, dropout's statistics, and gradients against differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_pt as torch
from tinygrad_pt import nn
from tinygrad_pt.nn import functional as F


def slope(f: Any, x: np.ndarray, h: float = 1e-6) -> np.ndarray:
    """∂ Σ f(x) / ∂x by central differences, in float64."""
    g = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[i] += h
        down[i] -= h
        g[i] = (f(torch.from_numpy(up)).sum().item() - f(torch.from_numpy(down)).sum().item()) / (2 * h)
    return g


SMOOTH = [
    F.sigmoid,
    F.tanh,
    F.relu,
    F.relu6,
    F.leaky_relu,
    F.elu,
    F.selu,
    F.celu,
    F.gelu,
    F.silu,
    F.mish,
    F.softplus,
    F.logsigmoid,
    F.hardtanh,
    F.hardsigmoid,
    F.hardswish,
    F.softsign,
    F.tanhshrink,
    F.hardshrink,
    F.softshrink,
    F.glu,
]


@pytest.mark.parametrize("f", SMOOTH, ids=lambda f: f.__name__)
def test_gradients_of_activations_of_both_orders(f: Any) -> None:
    x = np.random.default_rng(0).normal(size=(3, 4)) * 1.7
    t = torch.from_numpy(x.copy()).requires_grad_()
    (g,) = torch.autograd.grad(f(t).sum(), t, create_graph=True)
    assert np.allclose(g.detach().numpy(), slope(f, x), atol=1e-7)
    if g.requires_grad:
        (h,) = torch.autograd.grad(g.sum(), t)

        def first(v: Any) -> Any:
            v = v.requires_grad_()
            return torch.autograd.grad(f(v).sum(), v)[0]

        assert np.allclose(h.numpy(), slope(first, x), atol=1e-6)


@pytest.mark.parametrize("f", SMOOTH, ids=lambda f: f.__name__)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16])
def test_activations_keep_the_dtype(f: Any, dtype: Any) -> None:
    assert f(torch.ones(2, 2, dtype=dtype)).dtype is dtype


def test_in_place_layers_change_their_input() -> None:
    for layer in (
        nn.ReLU(True),
        nn.LeakyReLU(inplace=True),
        nn.ELU(inplace=True),
        nn.SiLU(True),
        nn.Dropout(1.0, True),
    ):
        x = -torch.ones(2)
        y = layer(x)
        assert y is x and x.tolist() != [-1, -1], layer


def test_dropout_drops_and_scales_and_its_gradient_is_the_mask() -> None:
    torch.manual_seed(1)
    x = torch.ones(100, 100, requires_grad=True)
    y = nn.Dropout(0.25)(x)
    y.sum().backward()
    kept = (y.detach() != 0).float().mean().item()
    assert abs(kept - 0.75) < 0.02 and y.max().item() == pytest.approx(4 / 3)
    assert torch.equal(x.grad, y.detach())
    assert F.dropout(x, 0.5, training=False) is x and F.dropout(x, 0.0) is x
    assert not F.dropout(x, 1.0).any()


def test_channel_dropout_drops_whole_channels() -> None:
    y = F.dropout2d(torch.ones(5, 6, 3, 3), 0.5)
    flat = y.reshape(30, 9).numpy()
    assert all(len(set(row)) == 1 for row in flat) and 0 < (flat == 0).sum() < flat.size


def test_a_dropped_parameterless_layer_has_no_state() -> None:
    assert not nn.Sequential(nn.Dropout(), nn.ReLU(), nn.Flatten()).state_dict()


@pytest.mark.parametrize("shape", [(3,), (5, 3), (2, 5, 3), (0, 3), (2, 0, 3)])
@pytest.mark.parametrize("bias", [True, False])
def test_linear_takes_any_leading_axes(shape: tuple[int, ...], bias: bool) -> None:
    layer = nn.Linear(3, 4, bias=bias)
    x = torch.randn(*shape, requires_grad=True)
    y = layer(x)
    y.sum().backward()
    assert y.shape == (*shape[:-1], 4) and x.grad.shape == shape
    rows = x.detach().numpy().reshape(-1, 3)
    assert np.allclose(layer.weight.grad.numpy(), np.tile(rows.sum(0), (4, 1)), atol=1e-6)


def test_linear_with_frozen_parts() -> None:
    """Which arguments want a gradient differs from call to call, and so does the number of arguments."""
    x, layer = torch.ones(2, 3), nn.Linear(3, 4)
    for wants in [(True, True), (True, False), (False, True)]:
        layer.zero_grad()
        layer.weight.requires_grad_(wants[0])
        layer.bias.requires_grad_(wants[1])
        for given in (None, layer.bias):
            y = F.linear(x, layer.weight, given)
            if y.requires_grad:
                y.sum().backward()
        assert (layer.weight.grad is not None, layer.bias.grad is not None) == wants


def test_linear_says_what_it_takes() -> None:
    with pytest.raises(RuntimeError, match="takes 3 features and got 4"):
        nn.Linear(3, 2)(torch.zeros(5, 4))
    with pytest.raises(RuntimeError, match="same dtype"):
        nn.Linear(3, 2)(torch.zeros(5, 3, dtype=torch.float64))


def test_dtype_argument() -> None:
    assert nn.Linear(2, 2, dtype=torch.float64).weight.dtype is torch.float64
    assert nn.Bilinear(2, 2, 2, dtype=torch.float64).bias.dtype is torch.float64
    assert nn.PReLU(dtype=torch.float64).weight.dtype is torch.float64


def test_flatten_and_unflatten_undo_each_other() -> None:
    x = torch.randn(2, 3, 4)
    assert torch.equal(nn.Unflatten(1, (3, 4))(nn.Flatten()(x)), x)


def test_pad_gradients_return_to_where_values_came_from() -> None:
    x = torch.tensor([[1.0, 2.0, 3.0]], requires_grad=True)
    F.pad(x, (1, 1), mode="reflect").sum().backward()
    assert x.grad.tolist() == [[1, 3, 1]]
