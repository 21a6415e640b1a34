"""nn.summary: its table, its numbers, and that it changes nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_pt as torch
from tinygrad_pt import nn


class Twice(nn.Module):
    """A shared layer called twice, a layer that is not called, and a buffer that the call writes."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.again = self.first
        self.unused = nn.Linear(2, 3)
        self.body = nn.Sequential(nn.Dropout(0.5), nn.Sequential(nn.Linear(4, 2), nn.Tanh()))
        self.register_buffer("count", torch.zeros(1))

    def forward(self, x: Any, scale: Any = 1.0) -> Any:
        self.count += 1
        y = self.again(self.first(x)) * scale
        return {"y": self.body(y), "pair": (y, [y])}


def test_the_numbers() -> None:
    model = Twice()
    model.unused.requires_grad_(False)
    found = nn.summary(model, torch.ones(3, 4))
    assert (found.parameters, found.trainable) == (20 + 9 + 10, 30)
    assert found.parameter_memory == 39 * 4 and found.buffer_memory == 4
    assert found.output_memory == 4 * (2 * 12 + 12 + 6 + 6)
    by_path = {line.path: line for line in found.lines}
    assert by_path["first"].calls == 2 and by_path["again"].shared and by_path["again"].parameters == 0
    assert by_path["unused"].shapes == () and by_path["body.1.0"].shapes == ((3, 2),)
    assert by_path[""].shapes == ((3, 2), (3, 4), (3, 4)) and by_path[""].memory == 0
    assert "again: Linear (shared)" in found and "[3, 4] × 2" in found and repr(found) == str(found)


def test_nothing_is_changed() -> None:
    model = Twice()
    model.body[0].eval()
    before, state = {m: m.training for m in model.modules()}, torch.get_rng_state()
    nn.summary(model, torch.ones(3, 4))
    assert {m: m.training for m in model.modules()} == before and model.count.item() == 0
    assert np.array_equal(torch.get_rng_state().numpy(), state.numpy())
    assert not any(m._call_hooks for m in model.modules()) and all(p.grad is None for p in model.parameters())


def test_arguments_and_languages() -> None:
    model = Twice()
    first = nn.summary(model, torch.ones(3, 4))
    assert nn.summary(model, (torch.ones(3, 4), 2.0)) == nn.summary(model, {"x": torch.ones(3, 4)}) == first
    assert nn.summary(model).lines[0].shapes == ()
    large = nn.summary(nn.Linear(600, 500), torch.ones(2, 600), lang="pt")
    assert "Camada" in large and "300.500" in large and "1,1 MiB" in large and "treináveis" in large
    assert "300,500" in nn.summary(nn.Linear(600, 500), torch.ones(2, 600))


def test_refusals() -> None:
    with pytest.raises(TypeError, match=r"summary\(\) wants a module, not type"):
        nn.summary(nn.Linear)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="lang='de': expected one of en, pt"):
        nn.summary(nn.Linear(2, 2), lang="de")
    with pytest.raises(RuntimeError, match="module: Linear"):
        nn.summary(nn.Linear(2, 2), torch.ones(3))
    model = nn.Linear(2, 2)
    with pytest.raises(RuntimeError):
        nn.summary(model, torch.ones(3))
    assert model.training
