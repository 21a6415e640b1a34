"""How ops are declared: arrays by position, attributes by keyword, and the name that PyTorch gives the vertex."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

import tinygrad_pt as torch
from tests.ops.table import DEFINED, ROWS
from tinygrad_pt import graph

ARRAY = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
OURS = [op for op in graph.OPS.values() if op.name in DEFINED and inspect.isfunction(op.forward)]


def split(function: Any) -> tuple[list[str], set[str]]:
    """The names of what a function takes by position, and of what by keyword only."""
    parameters = inspect.signature(function).parameters.values()
    arrays = [p.name for p in parameters if p.kind in ARRAY]
    return arrays, {p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY}


@pytest.mark.parametrize("op", OURS, ids=repr)
def test_forward_and_rules_take_the_same_arrays_and_attributes(op: graph.Op) -> None:
    arrays, attributes = split(op.forward)
    assert len(arrays) + len(attributes) == len(inspect.signature(op.forward).parameters)
    for shapes, given in ROWS[op.name].cases:
        assert set(given) <= attributes, "an attribute is given by its name"
        for rule in op.rules_for(len(shapes)):
            if rule is not None:
                read, needed = split(rule)
                assert read[:2] == ["g", "y"] and needed == attributes
                assert len(read) - 2 == len(arrays)


# What PyTorch 2.13 prints as grad_fn of these, x being a leaf of shape (2, 3) and v one of shape (4,).
NAMES = {
    "x[0]": "SelectBackward0",
    "x[0:1]": "SliceBackward0",
    "x[None]": "UnsqueezeBackward0",
    "x[...]": "AliasBackward0",
    "x[..., 1:]": "SliceBackward0",
    "x[0, ...]": "SelectBackward0",
    "x[torch.tensor([0, 1])]": "IndexBackward0",
    "x + 1": "AddBackward0",
    "x.T": "PermuteBackward0",
    "x.t()": "TBackward0",
    "x.view(6)": "ViewBackward0",
    "x.sum()": "SumBackward0",
    "x.sum(0)": "SumBackward1",
    "x.mean()": "MeanBackward0",
    "x.mean(0)": "MeanBackward1",
    "x.max()": "MaxBackward1",
    "x.min()": "MinBackward1",
    "x.amax(0)": "AmaxBackward0",
    "x.amin(0)": "AminBackward0",
    "x ** 2": "PowBackward0",
    "x ** x": "PowBackward1",
    "2 ** x": "PowBackward2",
    "x.clamp(0, 1)": "ClampBackward1",
    "x.double()": "ToCopyBackward0",
    "torch.cat([x, x])": "CatBackward0",
    "torch.stack([x, x])": "StackBackward0",
    "x.split(1)[1]": "SplitBackward0",
    "x.unbind()[1]": "UnbindBackward0",
    "torch.nn.functional.linear(x, x)": "MmBackward0",
    "torch.nn.functional.linear(x, x, v[:2])": "AddmmBackward0",
}


@pytest.mark.parametrize("expression", NAMES)
def test_names_of_vertices_are_those_of_pytorch(expression: str) -> None:
    x, v = torch.ones(2, 3, requires_grad=True), torch.ones(4, requires_grad=True)
    y = eval(expression, {"torch": torch, "x": x, "v": v})
    assert y.grad_fn.name() == NAMES[expression]
    assert repr(y.grad_fn).startswith(f"<{NAMES[expression]} object at 0x")
