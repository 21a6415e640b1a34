"""The program of a graph gives the engine's gradients, bit by bit, and runs with NumPy alone."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

import tinygrad_pt as torch
from tests.viz.samples import NASTY
from tests.viz.test_numpy_source import run, same_bits
from tinygrad_pt import nn
from tinygrad_pt.debugging.replay import Boxes
from tinygrad_pt.graph import Leaf
from tinygrad_pt.testing import strategies as some
from tinygrad_pt.viz.naming import Names
from tinygrad_pt.viz.program import Program, identifier
from tinygrad_pt.viz.snapshot import Reader


def written(loss: Any, names: Any) -> tuple[Program, list[Any]]:
    graph = Boxes(loss.node)
    reader = Reader(graph, {loss.node: loss}, Names(names), "en")
    leaves = [b for b in graph.scope if isinstance(b, Leaf)]
    return Program(loss.node, graph.slots, reader.name, reader.value, leaves), leaves


def check(loss: Any, names: Any, tmp_path: Any = None) -> str:
    program, leaves = written(loss, names)
    if program.arrays:
        program.file = tmp_path / "values.npz"
        np.savez(program.file, **program.arrays)
    space = run(program.text.replace("'values.npz'", repr(str(program.file))))
    loss.backward()
    assert leaves
    for leaf in leaves:
        assert same_bits(space[program.grad[leaf]], leaf.handle().grad.numpy()), (program.text, program.name[leaf])
    return program.text


@settings(max_examples=100, deadline=None)
@given(some.programs())
def test_random_programs(program: Any) -> None:
    leaves = program.inputs()
    results = program(*leaves)
    first, *others = [y.sum() for y in (results if isinstance(results, tuple) else (results,))]
    loss = sum(others, first)
    if loss.requires_grad and loss.node.parents:
        check(loss, dict(zip(program.arguments, leaves, strict=True)))


def test_what_stands_several_times_is_computed_once() -> None:
    torch.manual_seed(0)
    layer, x = nn.LayerNorm(6), torch.randn(5, 6)
    text = check((layer(x) ** 3).sum(), {"layer": layer, "x": x})
    assert "part1 = scale_of(" in text


def test_a_layer_of_several_results_is_called_once() -> None:
    torch.manual_seed(0)
    cell, x = nn.LSTMCell(3, 2), torch.randn(1, 3)
    h, c = cell(x)
    text = check((h * c).sum(), {"cell": cell, "x": x, "h": h, "c": c})
    assert text.count(" = lstm_layer(") == 1 and "# LSTMCell" in text


def test_large_arrays_are_read_from_a_file(tmp_path: Any) -> None:
    x = torch.randn(40, 40, dtype=torch.float64).t()
    w = torch.randn(40, 40, requires_grad=True, dtype=torch.float64)
    y = torch.randn(1, 40, dtype=torch.float64)
    text = check(((x @ w) * y).sum(), {"x": x, "w": w, "y": y}, tmp_path)
    assert 'x = stored["x"].transpose(1, 0)' in text.replace("'", '"') and "y = np.array(" in text


def test_writes_in_place_are_written() -> None:
    w = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    a = w * 2
    a[1:].mul_(3)
    a[0] = 5.0
    check((a * a).sum(), {"w": w})


@pytest.mark.parametrize(
    "name, found", [("w", "w"), ("class", "class_"), ("np", "np_2"), ("ação", "ação"), ("$w_2$", "w_2")]
)
def test_names_are_pythons(name: str, found: str) -> None:
    w = torch.tensor(2.0, requires_grad=True)
    program, (leaf,) = written(w * w, {name: w})
    assert program.name[leaf] == found or identifier(name) == found


def test_a_function_of_the_users_own_is_refused() -> None:
    class Double(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 2

    w = torch.tensor(2.0, requires_grad=True)
    with pytest.raises(NotImplementedError, match="Double is a Function of your own"):
        written(Double.apply(w), {"w": w})


def test_a_hook_is_refused() -> None:
    w = torch.tensor(2.0, requires_grad=True)
    y = w * w
    y.register_hook(lambda g: g * 2)
    with pytest.raises(NotImplementedError, match="hook"):
        written(y * 3, {"w": w})


@pytest.mark.parametrize("name", [*NASTY, "input", "max", "math", "dE_dE", "part1", "sigmoid", "file"])
def test_no_name_breaks_the_program(name: str) -> None:
    w, v = torch.tensor(2.0, requires_grad=True), torch.tensor(0.5, requires_grad=True)
    E = torch.sigmoid(w) * torch.erf(v)
    names = {name: w, name + "′": v, '"""; pwn = 1; """': E} if name.strip() else {"w": w}
    text = check(E, names)
    assert "pwn" not in {n.id for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Name)}


def test_half_precision() -> None:
    w = torch.tensor([1.5, 2.5], dtype=torch.float16, requires_grad=True)
    with pytest.raises(NotImplementedError, match="cannot be written"):
        check((w * w).sum(), {"w": w})
