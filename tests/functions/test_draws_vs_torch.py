"""PyTorch draws in the order of memory, and what is `like` a tensor has its order of axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import tinygrad_pt

torch = pytest.importorskip("torch")

CALLS: dict[str, Callable[[Any, Any], Any]] = {
    **{name: lambda m, x, name=name: getattr(m, name)(x) for name in ("rand_like", "randn_like", "zeros_like")},
    **{name: lambda m, x, name=name: getattr(x, name)() for name in ("uniform_", "normal_", "bernoulli_", "random_")},
    "randint_like": lambda m, x: m.randint_like(x, 10),
    "filled empty_like": lambda m, x: m.empty_like(x).uniform_(),
    "filled clone": lambda m, x: x.clone().normal_(),
    "an initialization": lambda m, x: m.nn.init.xavier_normal_(x),
}
VIEWS: dict[str, Callable[[Any], Any]] = {
    "as it is": lambda x: x,
    "transposed": lambda x: x.transpose(0, 1),
    "channels last": lambda x: x.permute(0, 2, 3, 1),
    "every other": lambda x: x[:, :, ::2],
    "few": lambda x: x[:2, 0, 0].t(),
}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("call", CALLS)
def test_draws_follow_the_order_of_memory(call: str, view: str) -> None:
    found = []
    for m in (torch, tinygrad_pt):
        m.manual_seed(0)
        y = CALLS[call](m, VIEWS[view](m.zeros(3, 2, 4, 5)))
        found.append((y.tolist(), y.stride()))
    assert found[0][1] == found[1][1]
    assert found[1][0] == found[0][0] or torch.allclose(*map(torch.tensor, (found[0][0], found[1][0])), atol=1e-6)
