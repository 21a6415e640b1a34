"""Layers that normalize, in training: running statistics, layouts of memory, halves, and refusals, beside PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_pt as G

T = pytest.importorskip("torch")
from tests.nn.test_modules_vs_torch import attempt  # noqa: E402

LAYERS: list[tuple[str, tuple[int, ...], dict[str, Any]]] = [
    ("BatchNorm1d", (5, 3), {}),
    ("BatchNorm1d", (2, 3, 4), {"momentum": None}),
    ("BatchNorm2d", (4, 3, 5, 6), {"momentum": 0.3, "eps": 0.01}),
    ("BatchNorm2d", (2, 3, 16, 16), {"affine": False}),
    ("BatchNorm3d", (2, 3, 2, 2, 3), {"track_running_stats": False}),
    ("InstanceNorm1d", (2, 3, 5), {"affine": True, "track_running_stats": True}),
    ("InstanceNorm2d", (2, 3, 9, 9), {"track_running_stats": True, "momentum": 0.2}),
    ("InstanceNorm3d", (3, 2, 2, 3), {}),
]


@pytest.mark.parametrize(("name", "shape", "settings"), LAYERS)
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_three_steps_and_evaluation(name: str, shape: tuple[int, ...], settings: dict[str, Any], dtype: str) -> None:
    draw = np.random.default_rng(0)
    batches = [draw.normal(1, 2, shape) for _ in range(4)]
    found: list[list[Any]] = []
    for torch in (G, T):
        m = getattr(torch.nn, name)(3, **settings).to(getattr(torch, dtype))
        kept = []
        for i, batch in enumerate(batches):
            x = torch.tensor(batch).to(getattr(torch, dtype)).requires_grad_()
            if i == 3:
                m.eval()
            y = m(x)
            (y * y * y).sum().backward()
            kept += [y, x.grad, *(p.grad for p in m.parameters()), *m.state_dict().values()]
        found.append([t.detach().numpy() for t in kept])
    tolerance = {"float32": 2e-5, "float64": 1e-10, "float16": 1e-2}[dtype]
    for a, b in zip(*found, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, tolerance, tolerance * max(1, np.abs(b).max(initial=0)))


ACTS = {
    "batch_norm": lambda F, t, p, q: F.batch_norm(t, None, None, p, q, True),
    "instance_norm": lambda F, t, p, q: F.instance_norm(t, weight=p, bias=q),
    "group_norm": lambda F, t, p, q: F.group_norm(t, 2, p, q),
    "layer_norm": lambda F, t, p, q: F.layer_norm(t.transpose(1, 3), (6,), p, q),
}


@pytest.mark.parametrize("order", [(1, 2, 3, 0), (0, 2, 3, 1), (3, 2, 1, 0), (0, 1, 3, 2)])
@pytest.mark.parametrize("function", ACTS)
def test_any_layout_of_memory(function: str, order: tuple[int, ...]) -> None:
    """The axes lie in memory in another order than they are counted."""
    x = np.random.default_rng(1).normal(3, 2, (4, 6, 7, 8))
    moved = np.ascontiguousarray(x.transpose(order)).transpose(np.argsort(order))
    w, b = np.random.default_rng(2).normal(size=(2, 6))
    found = []
    for torch, data in ((G, moved), (G, x), (T, x)):
        t, p, q = torch.from_numpy(data).requires_grad_(), torch.tensor(w).requires_grad_(), torch.tensor(b)
        y = ACTS[function](torch.nn.functional, t, p, q)
        (y * y * y).sum().backward()
        found.append([y.detach().numpy(), t.grad.numpy(), p.grad.numpy()])
    for ours in found[:2]:
        for a, e in zip(ours, found[2], strict=True):
            np.testing.assert_allclose(a, e, 1e-9, 1e-9)


def test_long_sums_and_a_mean_far_from_zero_lose_no_digits() -> None:
    for shape, axes in (((3, 4, 100_000), None), ((100_000, 4), None), ((200, 4, 3, 3), None)):
        x = np.random.default_rng(3).normal(1000, 1, shape).astype(np.float32)
        y, e = (torch.nn.functional.batch_norm(torch.tensor(x), None, None, training=True).numpy() for torch in (G, T))
        exact = x.astype(np.float64)
        axes = (0, *range(2, x.ndim))
        exact = (exact - exact.mean(axes, keepdims=True)) / np.sqrt(exact.var(axes, keepdims=True) + 1e-5)
        assert np.abs(y - exact).max() <= 2 * np.abs(e - exact).max() + 1e-5


WRONG = {
    "one value": lambda t, F: F.batch_norm(t.ones(1, 3), None, None, training=True),
    "weight": lambda t, F: F.batch_norm(t.ones(2, 3), None, None, t.ones(4), training=True),
    "no mean": lambda t, F: F.batch_norm(t.ones(2, 3), None, None),
    "no variance": lambda t, F: F.batch_norm(t.ones(2, 3), t.zeros(3), None),
    "one axis": lambda t, F: F.batch_norm(t.ones(3), None, None, training=True),
    "mixed": lambda t, F: F.batch_norm(t.ones(2, 3).double(), None, None, t.ones(3), training=True),
    "mixed parameters": lambda t, F: F.batch_norm(t.ones(2, 3), None, None, t.ones(3).double(), t.ones(3), True),
    "halves": lambda t, F: F.batch_norm(t.ones(2, 3).half(), t.zeros(3), t.ones(3), t.ones(3).half(), training=True),
    "eps": lambda t, F: F.batch_norm(t.ones(2, 3), None, None, training=True, eps=0.0),
    "negative eps": lambda t, F: F.batch_norm(t.ones(2, 3), t.zeros(3), t.ones(3), eps=-1.0),
    "mean with gradient": lambda t, F: F.batch_norm(t.ones(2, 3), t.zeros(3).requires_grad_(), t.ones(3)),
    "layer: no shape": lambda t, F: F.layer_norm(t.ones(2, 3), ()),
    "layer: an integer": lambda t, F: F.layer_norm(t.ones(2, 3), 3),
    "layer: weight": lambda t, F: F.layer_norm(t.ones(2, 3), (3,), t.ones(4)),
    "layer: integers": lambda t, F: F.layer_norm(t.ones(2, 3).long(), (3,)),
    "layer: mixed": lambda t, F: F.layer_norm(t.ones(2, 3).double(), (3,), t.ones(3)),
    "instance: one statistic": lambda t, F: F.instance_norm(t.ones(2, 3, 4), t.zeros(3)),
    "instance: none": lambda t, F: F.instance_norm(t.ones(2, 3, 4), use_input_stats=False),
    "instance: weight": lambda t, F: F.instance_norm(t.ones(2, 3, 4), weight=t.ones(4)),
    "group: division": lambda t, F: F.group_norm(t.ones(2, 3, 4), 2),
    "group: zero": lambda t, F: F.group_norm(t.ones(2, 3, 4), 0),
    "group: bias": lambda t, F: F.group_norm(t.ones(2, 4, 4), 2, t.ones(4), t.ones(3)),
    "rms: weight": lambda t, F: F.rms_norm(t.ones(2, 3), (3,), t.ones(4)),
    "rms: integers": lambda t, F: F.rms_norm(t.ones(2, 3).long(), (3,)),
}


@pytest.mark.parametrize("case", WRONG)
def test_refusals(case: str) -> None:
    ours, theirs = (attempt(lambda torch=torch: WRONG[case](torch, torch.nn.functional))[0] for torch in (G, T))
    assert ours == theirs


def test_a_checkpoint_from_before_the_count_of_batches_loads() -> None:
    for torch in (G, T):
        m = torch.nn.BatchNorm1d(2)
        state = {k: v for k, v in m.state_dict().items() if k != "num_batches_tracked"}
        assert repr(m.load_state_dict(state)) == "<All keys matched successfully>"


@pytest.mark.parametrize("sizes", [(7,), (2, 3), ()])
def test_embedding_beside_pytorch(sizes: tuple[int, ...]) -> None:
    w = np.random.default_rng(4).normal(size=(5, 3))
    i = np.random.default_rng(5).integers(0, 5, sizes)
    for settings in (
        {}, {"padding_idx": 1}, {"padding_idx": -1, "scale_grad_by_freq": True}, {"max_norm": 1.0},
        {"max_norm": 0.5, "norm_type": 1.0},
    ):  # fmt: skip
        found = []
        for torch in (G, T):
            m = torch.nn.Embedding.from_pretrained(torch.tensor(w), freeze=False, **settings)
            y = m(torch.tensor(i))
            (y * y).sum().backward()
            found.append([y.detach().numpy(), m.weight.grad.numpy(), m.weight.detach().numpy()])
        for a, b in zip(*found, strict=True):
            np.testing.assert_allclose(a, b, 1e-12)


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_bags_beside_pytorch(mode: str) -> None:
    w = np.random.default_rng(6).normal(size=(5, 3))
    i, offsets = np.array([0, 1, 4, 4, 2, 1, 4]), np.array([0, 2, 2, 5, 7])
    for settings in (
        {"include_last_offset": True}, {"include_last_offset": False}, {"padding_idx": 4},
        {"padding_idx": -4, "include_last_offset": True},
    ):  # fmt: skip
        for weights in (None, np.linspace(-1, 2, 7)) if mode == "sum" else (None,):
            found = []
            for torch in (G, T):
                m = torch.nn.EmbeddingBag.from_pretrained(torch.tensor(w), freeze=False, mode=mode, **settings)
                p = None if weights is None else torch.tensor(weights).requires_grad_()
                y = m(torch.tensor(i), torch.tensor(offsets), p)
                (y * y).sum().backward()
                found.append([t.detach().numpy() for t in (y, m.weight.grad, *(() if p is None else (p.grad,)))])
            for a, b in zip(*found, strict=True):
                np.testing.assert_allclose(a, b, 1e-12, 1e-12)
