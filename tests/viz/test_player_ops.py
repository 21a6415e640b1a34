"""The page's table of ops against the engine's: values and rules on all samples, to twelve digits."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import tinygrad_pt as torch
from tests.ops.table import ROWS, Row
from tinygrad_pt.graph import OPS
from tinygrad_pt.symbol import Symbol
from tinygrad_pt.viz import snapshot
from tinygrad_pt.viz.expression import to_data
from tinygrad_pt.viz.player import operations
from tinygrad_pt.viz.player.data import computed, number, ops_in

TABLE = re.findall(r"^table\.(\w+) = ", operations(), re.MULTILINE)
CALCULATED = """(asked) => asked.map(([x, known]) => Ops.evaluate(x, (name) => {
    const [shape, data] = known[name];
    return { shape, data: data.map(Ops.real) };
}))"""


def test_every_op_of_the_table_is_an_op_of_the_engine() -> None:
    assert len(TABLE) > 100
    assert set(TABLE) <= set(OPS)


def test_a_page_gets_only_the_ops_that_its_graph_needs() -> None:
    a, b = torch.tensor(2.0, requires_grad=True), torch.tensor(3.0, requires_grad=True)
    found = re.findall(r"^table\.(\w+) = ", operations(snapshot(torch.tanh(a * b), {"a": a, "b": b})), re.MULTILINE)
    assert found == ["add", "sub", "mul", "tanh"]  # `add` is how gradients meet


def arrays(known: dict[str, Any]) -> dict[str, Any]:
    return {name: [list(x.shape), [number(v) for v in x.ravel()]] for name, x in known.items()}


def expressions(row: Row, args: list[Any], attrs: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """The op itself, and its rules as the engine reads them, of arguments that are named a0, a1, …"""
    known = {f"a{i}": np.asarray(a) for i, a in enumerate(args) if a is not None}
    with np.errstate(all="ignore"):
        y = np.asarray(row.op.forward(*args, **attrs))
    symbols = {name: Symbol(name, x.shape, x.dtype) for name, x in known.items()}
    xs = tuple(symbols.get(f"a{i}") if isinstance(a, np.ndarray) else a for i, a in enumerate(args))
    found: list[Any] = [Symbol(op=row.op, args=xs, attrs=attrs)]
    known |= {"y": y, "g": np.random.default_rng(3).normal(size=y.shape)}
    for rule, _ in zip(row.op.rules_for(len(args)), args, strict=False):
        if rule is not None and y.dtype.kind == "f":
            found.append(rule(Symbol("g", y.shape, y.dtype), Symbol("y", y.shape, y.dtype), *xs, **attrs))
    return found, known


def lacks(x: Any) -> bool:
    """Whether an expression has an op that is not in the table, or an index that the page does not read."""
    return bool(ops_in(x) - set(TABLE)) or bool(re.search(r"'index': .*'array': (\[|True|False)", str(to_data(x))))


@pytest.mark.browser
def test_the_table_computes_what_the_engine_computes(page: Any) -> None:
    names, asked, expected = [], [], []
    for name in sorted(set(TABLE) & set(ROWS)):
        for args, attrs in ROWS[name].samples():
            if any(isinstance(a, np.ndarray) and a.size > 64 for a in args):
                continue
            rules, known = expressions(ROWS[name], args, attrs)
            for rule in rules:
                if not lacks(rule):
                    names.append(f"{name} {attrs}")
                    asked.append([to_data(rule, {*known}), arrays(known)])
                    expected.append(np.asarray(computed(rule, known)))
    window = page()
    window.add_script_tag(content=operations())
    for name, found, y in zip(names, window.evaluate(CALCULATED, asked), expected, strict=True):
        assert tuple(found["shape"]) == y.shape, name
        x = np.array([np.nan if v is None else v for v in found["data"]]).reshape(y.shape)
        np.testing.assert_allclose(x, y.astype(float), rtol=1e-12, atol=1e-12, err_msg=name)
    assert set(TABLE) - {name.split()[0] for name in names} == {"leaf"}
