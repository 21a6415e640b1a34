"""Lazy modules against PyTorch: what they are before and after the first call, their states, copies and refusals."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

import tinygrad_pt as G
from tests.nn.test_utils_vs_torch import compare

T = pytest.importorskip("torch")

LAYERS = [
    ("LazyLinear", (2,), {}, (5, 3)),
    ("LazyLinear", (2,), {"bias": False}, (3,)),
    *((f"LazyConv{n}d", (4, 2), {}, (2, 3, *(4,) * n)) for n in (1, 2, 3)),
    ("LazyConv2d", (4, 3), {"padding": 1, "groups": 2, "bias": False}, (2, 5, 5)),
    *((f"LazyConvTranspose{n}d", (4, 2), {}, (2, 3, *(4,) * n)) for n in (1, 2, 3)),
    ("LazyConvTranspose2d", (4, 3), {"stride": 2, "output_padding": 1, "groups": 2}, (2, 5, 5)),
    *((f"LazyBatchNorm{n}d", (), {}, (2, 3, *(4,) * n)) for n in (1, 2, 3)),
    *((f"LazyInstanceNorm{n}d", (), {"affine": False}, (2, 3, *(4,) * n)) for n in (1, 2, 3)),
    ("LazyBatchNorm1d", (0.1, None), {"track_running_stats": False}, (4, 3)),
]
HERE = [layer for layer in LAYERS if hasattr(G.nn, layer[0])]


@pytest.mark.parametrize(("name", "args", "settings", "shape"), HERE)
def test_the_first_call_makes_an_ordinary_layer(name: str, args: Any, settings: Any, shape: Any) -> None:
    def act(torch: Any) -> Any:
        m = getattr(torch.nn, name)(*args, **settings)
        found = [str(m), sorted(m.state_dict()), [str(p) for p in m.parameters()], m.has_uninitialized_params()]
        # PyTorch cannot copy a buffer without a shape
        twin = getattr(torch.nn, name)(*args, **settings) if "Norm" in name else copy.deepcopy(m)
        x = torch.randn(*shape)
        found += [m(x), m.state_dict(), str(m), type(m).__name__, m(x)]
        other = getattr(torch.nn, name)(*args, **settings)
        other.load_state_dict(m.state_dict())
        return [*found, other(x), str(other), twin(x), str(twin), sum(p.numel() for p in m.parameters())]

    compare(act)


def test_inside_a_model() -> None:
    def act(torch: Any) -> Any:
        m = torch.nn.Sequential(torch.nn.LazyLinear(4), torch.nn.ReLU(), torch.nn.LazyLinear(2)).double()
        before = str(m)
        m(torch.zeros(1, 3).double())
        optimizer = torch.optim.SGD(m.parameters(), lr=0.1)
        m(torch.ones(1, 3).double()).sum().backward()
        optimizer.step()
        return [before, str(m), m.state_dict()]

    compare(act)


def test_it_can_be_pickled_before_and_after() -> None:
    m = pickle.loads(pickle.dumps(G.nn.LazyLinear(2)))
    assert repr(m) == "LazyLinear(in_features=0, out_features=2, bias=True)" and m(G.zeros(1, 3)).shape == (1, 2)
    assert repr(pickle.loads(pickle.dumps(m))) == "Linear(in_features=3, out_features=2, bias=True)"


@pytest.mark.parametrize(
    "act",
    [
        lambda torch: torch.nn.UninitializedParameter().shape,
        lambda torch: str(torch.nn.UninitializedParameter()),
        lambda torch: torch.nn.Linear(3, 2).load_state_dict(torch.nn.LazyLinear(2).state_dict()),
        lambda torch: torch.nn.LazyConv2d(4, 3)(torch.zeros(3)),
        lambda torch: torch.nn.LazyConv2d(4, 3, groups=2)(torch.zeros(1, 3, 4, 4)),
        lambda torch: torch.nn.utils.spectral_norm(torch.nn.LazyLinear(2)),
    ],
)
def test_refusals(act: Any) -> None:
    compare(act)
