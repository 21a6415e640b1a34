"""Layers, beyond the laws of tests/nn/test_modules.py: dropout that does nothing, frozen parts, padding."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_pt as torch
from tinygrad_pt import nn
from tinygrad_pt.nn import functional as F


def test_dropout_that_drops_nothing_is_its_input() -> None:
    x = torch.ones(2)
    assert F.dropout(x, 0.5, training=False) is x and F.dropout(x, 0.0) is x


def test_a_dropped_parameterless_layer_has_no_state() -> None:
    assert not nn.Sequential(nn.Dropout(), nn.ReLU(), nn.Flatten()).state_dict()


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


def test_pad_gradients_return_to_where_values_came_from() -> None:
    x = torch.tensor([[1.0, 2.0, 3.0]], requires_grad=True)
    F.pad(x, (1, 1), mode="reflect").sum().backward()
    assert x.grad.tolist() == [[1, 3, 1]]


@pytest.mark.parametrize("name", ["dropout", "linear", "mse_loss", "pad", "elu"])
def test_editors_know_the_functions(editor: Any, name: str) -> None:
    """Two of them have the name of their file."""
    (found,) = editor.Script(f"from tinygrad_pt.nn import functional as F\nF.{name}").infer()
    assert (found.type, found.name) == ("function", name)


@pytest.mark.parametrize("hard", [False, True])
@pytest.mark.parametrize("shape", [(3,), (4, 5), (2, 3, 4), (0, 3)])
def test_gumbel_softmax_draws_as_pytorch(hard: bool, shape: tuple[int, ...]) -> None:
    theirs = pytest.importorskip("torch")
    values, found = np.linspace(-1, 1, int(np.prod(shape))).reshape(shape).astype(np.float32), []
    for t in (torch, theirs):
        t.manual_seed(3)
        x = t.tensor(values, requires_grad=True)
        y = t.nn.functional.gumbel_softmax(x, tau=0.7, hard=hard)
        (y * y).sum().backward()
        found.append((y.detach().numpy(), x.grad.numpy()))
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
