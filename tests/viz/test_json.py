"""A snapshot in JSON is the snapshot: it is painted as the same picture, and its rules compute the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

import tinygrad_pt as torch
from tests.ops.table import Row
from tests.ops.test_ops import SMOOTH, evaluate, over, quiet, reading, same
from tests.viz.samples import ALL, snapshots
from tinygrad_pt import nn
from tinygrad_pt.graph import OPS
from tinygrad_pt.symbol import Symbol
from tinygrad_pt.viz import Snapshot, snapshot
from tinygrad_pt.viz.algebra import simplify
from tinygrad_pt.viz.expression import from_data, to_data
from tinygrad_pt.viz.formula import render
from tinygrad_pt.viz.options import Look
from tinygrad_pt.viz.svg import paint


def there_and_back(seen: Snapshot) -> Snapshot:
    text = seen.to_json()
    again = Snapshot.from_json(text)
    assert again.to_json() == text and text.isascii()
    return again


@given(snapshots())
@settings(max_examples=40)
def test_the_json_of_any_snapshot_is_painted_as_the_snapshot(seen: Snapshot) -> None:
    assert paint(there_and_back(seen)) == paint(seen)


@pytest.mark.parametrize("name", sorted(ALL))
def test_samples(name: str) -> None:
    assert paint(there_and_back(ALL[name]()), Look(lang="pt")) == paint(ALL[name](), Look(lang="pt"))


def network() -> tuple[Any, dict[str, Any]]:
    torch.manual_seed(0)
    x, labels = torch.randn(2, 1, 6, 6), torch.tensor([0, 2])
    model = nn.Sequential(
        nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(0.5), nn.Linear(18, 3)
    )
    loss = nn.CrossEntropyLoss()(model(x), labels)
    loss.backward()
    return loss, {"x": x, "labels": labels, "model": model}


def test_a_network_keeps_values_rules_and_frames() -> None:
    seen = snapshot(*network(), title="convolution")
    again = there_and_back(seen)
    assert paint(again) == paint(seen) and again.scopes == seen.scopes
    for before, after in zip(seen.vertices, again.vertices, strict=True):
        assert (before.name, before.primitive, before.shape) == (after.name, after.primitive, after.shape)
        for one, other in ((before.value, after.value), (before.grad, after.grad)):
            assert (one is None) == (other is None)
            assert one is None or (np.array_equal(one, other) and one.dtype == other.dtype)  # type: ignore[union-attr, arg-type]
    for edge, other in zip(seen.edges, again.edges, strict=True):
        assert type(edge.rule) is type(other.rule) and edge.symbol == other.symbol
        if isinstance(edge.rule, Symbol):
            assert render(simplify(edge.rule)) == render(simplify(other.rule))
            assert edge.rule.shape == other.rule.shape  # type: ignore[union-attr]


@over(SMOOTH)
def test_the_rule_of_every_op_computes_the_same_after_a_journey_through_json(row: Row) -> None:
    for args, attrs in row.samples():
        g, y, rules = reading(row, args, attrs)
        values = {f"a{i}": a for i, a in enumerate(args)} | {"y": y}
        values |= {f"g{i}": part for i, part in enumerate(g)} if isinstance(g, list) else {"g": g}
        names = {key: Symbol(key, np.shape(v), np.asarray(v).dtype) for key, v in values.items() if v is not None}
        gs: Any = [names[f"g{i}"] for i in range(len(g))] if isinstance(g, list) else names["g"]
        xs = [names.get(f"a{i}") for i in range(len(args))]
        for _, rule in rules:
            read = rule(gs, names["y"], *xs, **attrs)
            again = from_data(json.loads(json.dumps(to_data(read), allow_nan=False)))
            if isinstance(read, Symbol):
                assert {s.name for s in again.leaves()} == {s.name for s in read.leaves()}
                assert all(s.shape == names[s.name].shape for s in again.leaves())
            found = {id(s): values[s.name] for s in again.leaves()} if isinstance(again, Symbol) else {}
            with quiet():
                same(evaluate(again, found), evaluate(read, {id(s): values[key] for key, s in names.items()}), 0)


def test_what_attributes_are_made_of() -> None:
    things = [
        slice(1, None, 2), Ellipsis, None, True, 3, -0.0, float("nan"), 2 + 3j, "mean", "inf", np.dtype("float32"),
        OPS["mul"], np.zeros((0, 3), np.float32), np.array([1 + 2j, np.inf]),
        np.array([[True], [False]]), np.float32(0.1), (1, (2, 3)), {"index": (0, slice(2))},
    ]  # fmt: skip
    for thing in things:
        again = from_data(json.loads(json.dumps(to_data(thing), allow_nan=False)))
        if isinstance(thing, (np.ndarray, np.generic)):
            np.testing.assert_array_equal(again, thing)
            assert again.dtype == thing.dtype and again.shape == thing.shape
        else:
            assert repr(again) == repr(thing)
    with pytest.raises(TypeError, match="no JSON is defined for object"):
        to_data(object())


@pytest.mark.parametrize(
    "text", ["{}", "[]", '{"format": "tinygrad_pt.snapshot/1"}', '{"format": "tinygrad_pt.snapshot/2", "vertices": []}']
)
def test_what_is_no_snapshot_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="this is not the JSON of a snapshot"):
        Snapshot.from_json(text)


def test_an_unknown_op_and_a_broken_graph_are_refused() -> None:
    text = ALL["square"]().to_json()
    with pytest.raises(ValueError, match="this is not the JSON of an expression"):
        Snapshot.from_json(text.replace('"rule": null', '"rule": {"op": "system", "args": []}'))
    with pytest.raises(ValueError, match="the source must be born before the target"):
        Snapshot.from_json(text.replace('"source": "n0", "symbol"', '"source": "n1", "symbol"'))


PROGRAM = """
from tests.viz.test_json import network
from tinygrad_pt.viz import snapshot
print(snapshot(*network()).to_json())
"""


def test_the_same_bytes_in_every_process() -> None:
    root = Path(__file__).parents[2]
    out = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM], capture_output=True, check=True, cwd=root,
            env=os.environ | {"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    ]  # fmt: skip
    assert out[0] == out[1] and b"convolution" in out[0]
