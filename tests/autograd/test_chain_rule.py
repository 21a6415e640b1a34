"""The chain rule as the head of `engine` shows it: run as it stands there, it finds what the engine finds."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
import pytest

import tinygrad_pt as torch
from tests.ops.table import ROWS, SEVERAL, Row
from tinygrad_pt import ops
from tinygrad_pt.autograd import engine
from tinygrad_pt.calling import wrap
from tinygrad_pt.graph import Leaf, Node


def shown() -> Any:
    """The function of the docstring."""
    text = engine.__doc__ or ""
    lines = [line for line in text.splitlines() if line.startswith("    ")]
    space: dict[str, Any] = {"order": engine.order, "Node": Node, "sum_to": ops.sum_to}
    exec(textwrap.dedent("\n".join(lines)), space)
    return space["chain_rule"]


def agree(y: Any, seed: Any) -> None:
    leaves = shown()(y.grad_fn, seed)
    assert leaves and all(isinstance(leaf, Leaf) for leaf in leaves)
    handles = [leaf.handle() for leaf in leaves]
    found = torch.autograd.grad(y, handles, wrap(np.asarray(seed)))
    for g, expected in zip(leaves.values(), found, strict=True):
        np.testing.assert_array_equal(g, expected.array)


@pytest.mark.parametrize(
    "row", [row for name, row in ROWS.items() if row.gradient and name not in SEVERAL], ids=lambda row: row.name
)
def test_every_op(row: Row) -> None:
    compared = 0
    for args, attrs in row.samples():
        given = [
            wrap(x.copy()).requires_grad_() if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x for x in args
        ]
        with np.errstate(all="ignore"):
            y = row.op.apply(*given, **attrs)
            if y.grad_fn is not None:
                agree(y, np.linspace(0.5, 1.5, y.numel()).reshape(y.shape))
                compared += 1
    assert compared, "no sample of this op has a gradient"


def test_a_network_with_broadcasting_and_a_value_used_three_times() -> None:
    torch.manual_seed(0)
    x, w, b = (torch.randn(*s, requires_grad=True) for s in ((5, 3), (3, 4), (4,)))
    h = torch.tanh(x @ w + b)
    y = ((h * h).sum(1) * torch.exp(-h.mean(1)) + b[0]).sum()
    agree(y, np.ones((), np.float32))


def test_it_is_short() -> None:
    """The dozen lines that are the chain rule."""
    lines = [line for line in (engine.__doc__ or "").splitlines() if line.startswith("    ")]
    assert len(lines) <= 12
