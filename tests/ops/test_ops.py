"""The laws every op keeps, each one test, multiplied over the rows of the table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_pt as torch
from tests.ops.table import DEFINED, ROWS, STRUCTURE, Row
from tinygrad_pt import autograd, calling, graph
from tinygrad_pt.calling import wrap
from tinygrad_pt.graph import Tensor
from tinygrad_pt.symbol import Symbol
from tinygrad_pt.testing import assert_laws
from tinygrad_pt.testing.property import gradients, seeds_for, tensors_of
from tinygrad_pt.testing.strategies import LAYOUTS, arguments_for
from tinygrad_pt.testing.strategies.tensors import laid_out
from tinygrad_pt.testing.subject import floating, results_of

EVERY = list(ROWS.values())
SMOOTH = [row for row in EVERY if row.gradient]


def over(rows: list[Row]) -> Any:
    return pytest.mark.parametrize("row", rows, ids=lambda row: row.name)


def same(a: Any, b: Any, tolerance: float = 1e-12) -> None:
    np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=tolerance, atol=tolerance)


def quiet() -> Any:
    return np.errstate(all="ignore")


def test_every_op_has_a_row() -> None:
    assert set(DEFINED) - set(ROWS) == set(), "an op without a row in tests/ops/table.py"
    assert set(ROWS) <= set(DEFINED)
    assert STRUCTURE <= set(graph.OPS)


# ------------------------------------------------------------------------------------------ laws
@over(EVERY)
def test_every_case_keeps_every_law(row: Row) -> None:
    for args, attrs in row.samples():
        assert_laws(row, args, attrs, strict=True)


@pytest.mark.long
@over(EVERY)
@settings(max_examples=15)
@given(data=st.data())
def test_other_shapes_and_values_keep_them_too(row: Row, data: Any) -> None:
    example = data.draw(arguments_for(row), label="at")
    assert_laws(row, example.args, example.attrs)


@over(EVERY)
def test_arguments_that_are_tensors_arrays_and_numbers_give_the_same(row: Row) -> None:
    for args, attrs in row.samples():
        with quiet():
            raw = results_of(row.op.forward(*args, **attrs))
        for y, e in zip(results_of(row(*tensors_of(args, leaves=False), **attrs)), raw, strict=True):
            np.testing.assert_array_equal(y.array, e)


CONSTANT = [row for row in EVERY if not row.gradient]  # `gradcheck` holds the others to the laws about memory


@over(CONSTANT)
def test_layout_of_memory_does_not_matter(row: Row) -> None:
    for args, attrs in row.samples():
        for layout in LAYOUTS[1:]:
            moved = [laid_out(x, layout) if isinstance(x, np.ndarray) else x for x in args]
            found = row(*(wrap(x) if isinstance(x, np.ndarray) else x for x in moved), **attrs)
            np.testing.assert_array_equal(found.array, row(*tensors_of(moved), **attrs).array)


@over(CONSTANT)
def test_arguments_are_left_alone(row: Row) -> None:
    for args, attrs in row.samples():
        before = [np.array(x) for x in args]
        xs = tensors_of(args)
        for x in xs:
            if isinstance(x, Tensor):
                x.array.flags.writeable = False
        row(*xs, **attrs)
        for x, b in zip(xs, before, strict=True):
            np.testing.assert_array_equal(x.array if isinstance(x, Tensor) else x, b)


@over([row for row in EVERY if row.name not in ("cast", "class_weight")])
def test_halves_stay_halves(row: Row) -> None:
    for args, attrs in row.samples(np.float16):
        if any(floating(x) for x in args):
            results = results_of(row(*tensors_of(args), **attrs))
            assert all(y.array.dtype in (np.float16, np.bool_, np.int64) for y in results), attrs
            if row.gradient:
                _, grads = gradients(row, args, attrs)
                assert all(g is None or g.dtype == np.float16 for g in grads), attrs


def test_sums_of_halves_do_not_stand_still() -> None:
    x = torch.ones(4096, 2, dtype=torch.float16, requires_grad=True)
    assert x.sum(0).tolist() == [4096, 4096]
    assert x.mean(0).tolist() == [1, 1]
    (torch.ones(2, dtype=torch.float16, requires_grad=True) * x).sum().backward()
    assert torch.full((70000,), 2.0, dtype=torch.float16).mean().item() == 2
    bias = torch.zeros(2, dtype=torch.float16, requires_grad=True)
    (torch.ones(4096, 2, dtype=torch.float16) + bias).backward(torch.ones(4096, 2, dtype=torch.float16))
    assert bias.grad.tolist() == [4096, 4096]


# ------------------------------------------------------------------------------------------ edges, refusals
@over([row for row in EVERY if row.edges])
def test_edges(row: Row) -> None:
    for edge in row.edges:
        xs = tensors_of(list(edge.args))
        y = row(*xs, **edge.attrs)
        same(y.array, edge.value)
        if edge.grads:
            y.sum().backward()
            for x, g in zip(xs, edge.grads, strict=True):
                if g is not None:
                    same(x.grad.array, g)
                    assert x.grad.shape == x.shape


@over([row for row in EVERY if row.refusals])
def test_refusals(row: Row) -> None:
    for wrong in row.refusals:
        draw = np.random.default_rng(0)
        arrays = [draw.integers(0, 3, s) if not row.gradient else draw.random(s) for s in wrong.shapes]
        xs = [wrap(x.copy()) for x in arrays]
        with pytest.raises(wrong.error) as caught:
            row(*xs, **wrong.attrs)
        assert wrong.words in str(caught.value)
        for x, array in zip(xs, arrays, strict=True):
            np.testing.assert_array_equal(x.array, array)
            assert x.version[0] == 0


# ------------------------------------------------------------------------------------------ memory
@over(EVERY)
def test_a_result_shares_memory_only_if_it_is_a_known_view(row: Row) -> None:
    for args, attrs in row.samples():
        xs = tensors_of(args, leaves=False)
        for y in results_of(row(*xs, **attrs)):
            for x in xs:
                if isinstance(x, Tensor) and x.array.size and np.shares_memory(x.array, y.array):
                    assert row.op.view and y.version is x.version and y.base is x


# ------------------------------------------------------------------------------------------ one rule, three readers
class Hull:
    """What a node keeps of a value no rule reads: shape and dtype. Whoever computes with it, fails."""

    def __init__(self, x: Any) -> None:
        self.shape, self.dtype, self.ndim = np.shape(x), np.asarray(x).dtype, np.ndim(x)


def evaluate(s: Any, values: dict[int, Any]) -> Any:
    """The value of an expression of symbols."""
    if isinstance(s, (list, tuple)):
        return type(s)(evaluate(part, values) for part in s)
    if not isinstance(s, Symbol):
        return s
    if s.op is None:
        return values[id(s)]
    return s.op.forward(*(evaluate(a, values) for a in s.args), **s.attrs)


def reading(row: Row, args: list[Any], attrs: Any) -> tuple[Any, Any, list[tuple[int, Any]]]:
    """g, y and the rules of one application, as arrays."""
    with quiet():
        y = row.op.forward(*args, **attrs)
    several = isinstance(y, (list, tuple))
    g = seeds_for([np.asarray(v) for v in (y if several else [y])])
    rules = [
        (i, r)
        for i, r in enumerate(row.op.rules_for(len(args)))
        if r is not None and i < len(args) and floating(args[i])
    ]
    return (g if several else g[0]), (y[0] if several else y), rules


def symbol(x: Any) -> Any:
    return Symbol("s", np.shape(x), np.asarray(x).dtype)


@over(SMOOTH)
def test_a_rule_says_the_same_to_arrays_tensors_and_symbols(row: Row) -> None:
    for args, attrs in row.samples():
        g, y, rules = reading(row, args, attrs)
        for _, rule in rules:
            with quiet():
                arrays = rule(g, y, *args, **attrs)
            ts = [wrap(np.array(x)) if isinstance(x, np.ndarray) else x for x in args]
            gt = [wrap(v) for v in g] if isinstance(g, list) else wrap(g)
            same(rule(gt, wrap(y), *ts, **attrs).array, arrays, 1e-13)
            names = [symbol(x) for x in args]
            sg, sy = [symbol(v) for v in g] if isinstance(g, list) else symbol(g), symbol(y)
            read = rule(sg, sy, *names, **attrs)
            values = {id(s): v for s, v in zip([sy, *names], [y, *args], strict=True)}
            values |= {id(s): v for s, v in zip(sg, g, strict=True)} if isinstance(g, list) else {id(sg): g}
            with quiet():
                same(evaluate(read, values), arrays, 1e-13)
            assert np.shape(arrays) == getattr(read, "shape", np.shape(read))


@over(SMOOTH)
def test_a_rule_reads_the_same_values_whatever_the_sample(row: Row) -> None:
    kept: dict[tuple[int, int], Any] = {}
    for args, attrs in row.samples():
        for mask in range(1, 1 << len(args)):
            if all(floating(x) for i, x in enumerate(args) if mask >> i & 1):
                found = calling.read_by(row.op, mask, tuple(args), attrs)
                assert kept.setdefault((mask, len(args)), found) == found, (args, attrs)


@over(SMOOTH)
def test_what_a_rule_does_not_keep_it_does_not_need(row: Row) -> None:
    for args, attrs in row.samples():
        g, y, rules = reading(row, args, attrs)
        for slot, rule in rules:
            keep = calling.read_by(row.op, 1 << slot, tuple(args), attrs)
            hulls = [
                v if k or not isinstance(v, (np.ndarray, np.generic)) else Hull(v)
                for k, v in zip(keep, [y, *args], strict=True)
            ]
            with quiet():
                same(rule(g, *hulls, **attrs), rule(g, y, *args, **attrs), 1e-15)


@over(SMOOTH)
def test_only_the_gradients_asked_for_are_computed(row: Row) -> None:
    for args, attrs in row.samples():
        _, grads = gradients(row, args, attrs)
        places = [i for i, x in enumerate(args) if floating(x)]
        for k, place in enumerate(places):
            xs = [wrap(x).requires_grad_(i == place) if isinstance(x, np.ndarray) else x for i, x in enumerate(args)]
            ys = results_of(row(*xs, **attrs))
            seeds = seeds_for(ys)
            used = [(y, wrap(s)) for y, s in zip(ys, seeds, strict=True) if y.requires_grad]
            if used:
                (g,) = autograd.grad([y for y, _ in used], [xs[place]], [s for _, s in used], allow_unused=True)
                assert (g is None) == (grads[k] is None)
                if g is not None:
                    np.testing.assert_array_equal(g.array, grads[k])
