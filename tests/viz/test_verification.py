"""verify=True finds wrong rules, all of them, and blames no right one."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import tinygrad_pt as torch
from tests.ops.table import Row
from tests.ops.test_ops import SMOOTH, over, quiet, reading
from tests.viz.test_moments import PROGRAMS
from tests.viz.test_snapshot import scalar
from tinygrad_pt.graph import OPS
from tinygrad_pt.viz import Snapshot, draw, snapshot
from tinygrad_pt.viz.style import WRONG
from tinygrad_pt.viz.verification import disagrees


@over(SMOOTH)
def test_the_rule_of_every_op_agrees_with_finite_differences(row: Row) -> None:
    for args, attrs in row.samples():
        g, _, rules = reading(row, args, attrs)
        for slot, _ in rules:
            for part in range(len(g)) if isinstance(g, list) else (None,):
                with quiet():
                    assert not disagrees(row.op, args, attrs, slot, part), (args, attrs, slot, part)


def altered(op: Any, slot: int, count: int, change: Any) -> Any:
    """The op with another rule for one argument."""
    other = copy.copy(op)
    rules = list(op.rules_for(count))
    right = rules[slot]
    rules[slot] = lambda *args, **attrs: change(np.asarray(right(*args, **attrs)))
    other.rules = tuple(rules)
    return other


@over(SMOOTH)
def test_a_rule_that_is_wrong_by_a_hundredth_is_found_for_every_op(row: Row) -> None:
    slots: dict[int, list[bool]] = {}
    for args, attrs in row.samples():
        g, y, rules = reading(row, args, attrs)
        for slot, rule in rules:
            with quiet():
                if not np.any(rule(g, y, *args, **attrs)):
                    continue  # nothing arrives: a factor changes nothing
                wrong = altered(row.op, slot, len(args), lambda r: 1.01 * r)
                slots.setdefault(slot, []).append(
                    disagrees(wrong, args, attrs, slot, 0 if isinstance(g, list) else None)
                )
    assert all(any(found) for found in slots.values()), slots


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_no_edge_of_a_program_is_blamed(program: Any) -> None:
    torch.manual_seed(0)
    model, step = program()
    seen = snapshot(step(model), verify=True)
    assert [e.symbol for e in seen.edges if e.wrong] == [] and seen.caption == ""


def test_wrong_edges_are_marked_and_painted_red(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OPS["tanh"], "rules", (lambda g, y, a: g * (1 - y),))
    x = scalar(0.5)
    y = x.tanh() * 2
    seen = draw(y, verify=True).snapshot
    assert [(e.symbol, e.wrong) for e in seen.edges if e.flows] == [("∂h1/∂x = 1 − h1", True), ("∂y/∂h1 = 2", False)]
    assert (
        "finite differences" in seen.caption
        and "diferenças finitas" in draw(y, verify=True, lang="pt").snapshot.caption
    )
    assert Snapshot.from_json(seen.to_json()).edges[0].wrong
    assert not any(e.wrong for e in snapshot(y).edges)
    svg = draw(y, verify=True).svg
    assert svg.count('class="edge wrong"') == 1 and "✗ ∂h1/∂x" in svg
    assert 'class="edge wrong"' not in draw(y).svg and "✗" not in draw(y).svg
    assert draw(y, verify=True).dot.count(WRONG) == svg.count(WRONG) == 1


def test_a_transposed_gradient_and_a_corner() -> None:
    a = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    xs = [a.detach().numpy(), np.eye(2) + 1]
    assert disagrees(altered(OPS["mm"], 0, 2, np.transpose), xs, {}, 0) and not disagrees(OPS["mm"], xs, {}, 0)
    corner = [np.array([0.0, 0.0, 1.0])]
    assert not disagrees(OPS["relu"], corner, {}, 0) and not disagrees(OPS["abs"], corner, {}, 0)
    assert disagrees(altered(OPS["relu"], 0, 1, np.negative), [np.array([0.0, 1.0])], {}, 0)
    assert not disagrees(OPS["log"], [np.array([0.0, -1.0])], {}, 0)  # outside its domain nothing is said


def test_hidden_constants() -> None:
    a, x = scalar(2), scalar(3, False)
    y = a * 2 + x + torch.tensor(1.0, dtype=torch.float64)
    seen = snapshot(y, constants=False)
    assert [v.name for v in seen.vertices] == ["a", "p1", "x", "s1", "y"] and len(seen.edges) == 4
    assert [e.rule.args[1] for e in seen.edges[:1]] == [2]
    assert draw(y, constants=False).svg.count('class="node const') == 0
    assert len(snapshot(y).vertices) == 7
