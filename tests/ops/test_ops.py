"""The laws every op keeps, each one test, multiplied over the rows of the table."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import tinygrad_pt as torch
from tests.ops.table import DEFINED, ROWS, STRUCTURE, Row
from tinygrad_pt import autograd, graph
from tinygrad_pt.graph import Handle, Symbol, wrap
from tinygrad_pt.testing import gradcheck, gradgradcheck

EVERY = list(ROWS.values())
SMOOTH = [row for row in EVERY if row.gradient]


def over(rows: list[Row]) -> Any:
    return pytest.mark.parametrize("row", rows, ids=lambda row: row.name)


def floating(x: Any) -> bool:
    return isinstance(x, np.ndarray) and x.dtype.kind == "f"


def tensors(args: list[Any], leaves: bool = True) -> list[Any]:
    """The arguments as tensors, in memory of their own; floating point ones as leaves."""
    return [wrap(x.copy()).requires_grad_(leaves and floating(x)) if isinstance(x, np.ndarray) else x for x in args]


def joined(result: Any) -> list[Any]:
    return list(result) if isinstance(result, (tuple, list)) else [result]


def seeds_for(ys: list[Any], seed: int = 0) -> list[Any]:
    draw = np.random.default_rng(seed)
    return [
        np.asarray(draw.uniform(0.5, 1.5, y.shape)).astype(y.dtype if isinstance(y, np.ndarray) else y.array.dtype)
        for y in ys
    ]


def gradients(row: Row, args: list[Any], attrs: Any, seeds: list[Any] | None = None) -> tuple[list[Any], list[Any]]:
    """Values and the gradients of Σ seed·value with respect to every tensor among the arguments."""
    xs = tensors(args)
    ys = joined(row(*xs, **attrs))
    leaves = [x for x in xs if isinstance(x, Handle) and x.requires_grad]
    seeds = seeds_for(ys) if seeds is None else seeds
    used = [(y, wrap(s)) for y, s in zip(ys, seeds, strict=True) if y.requires_grad]
    found = autograd.grad([y for y, _ in used], leaves, [s for _, s in used], allow_unused=True)
    return [y.array for y in ys], [None if g is None else g.array for g in found]


def same(a: Any, b: Any, tolerance: float = 1e-12) -> None:
    np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=tolerance, atol=tolerance)


def quiet() -> Any:
    return np.errstate(all="ignore")


def test_every_op_has_a_row() -> None:
    assert set(DEFINED) - set(ROWS) == set(), "an op without a row in tests/ops/table.py"
    assert set(ROWS) <= set(DEFINED)
    assert STRUCTURE <= set(graph.OPS)


# ------------------------------------------------------------------------------------------ values
@over(EVERY)
def test_value(row: Row) -> None:
    for args, attrs in row.samples():
        expected = joined(row.reference(*args, **attrs))
        results = joined(row(*tensors(args), **attrs))
        assert len(results) == len(expected)
        for y, e in zip(results, expected, strict=True):
            assert isinstance(y.array, np.ndarray) and y.array.shape == np.shape(e)
            same(y.array, e, row.tolerance)


@over(EVERY)
def test_arguments_that_are_tensors_arrays_and_numbers_give_the_same(row: Row) -> None:
    for args, attrs in row.samples():
        with quiet():
            raw = joined(row.op.forward(*args, **attrs))
        for y, e in zip(joined(row(*tensors(args, leaves=False), **attrs)), raw, strict=True):
            np.testing.assert_array_equal(y.array, e)


@over(EVERY)
def test_layout_of_memory_does_not_matter(row: Row) -> None:
    for args, attrs in row.samples():
        plain, plain_grads = gradients(row, args, attrs) if row.gradient else (None, None)
        plain = plain or [y.array for y in joined(row(*tensors(args), **attrs))]
        for layout in (fortran, strided, reversed_, repeated):
            moved = [layout(x) if isinstance(x, np.ndarray) else x for x in args]
            if layout is repeated:  # another value, so another expectation
                even = [np.array(x) if isinstance(x, np.ndarray) else x for x in moved]
                expected = (
                    gradients(row, even, attrs)
                    if row.gradient
                    else ([y.array for y in joined(row(*tensors(even), **attrs))], [])
                )
            else:
                expected = (plain, plain_grads or [])
            xs = [wrap(x).requires_grad_(floating(x)) if isinstance(x, np.ndarray) else x for x in moved]
            ys = joined(row(*xs, **attrs))
            for y, e in zip(ys, expected[0], strict=True):
                same(y.array, e, 1e-13)
            if row.gradient:
                leaves = [x for x in xs if isinstance(x, Handle) and x.requires_grad]
                used = [(y, wrap(s)) for y, s in zip(ys, seeds_for(ys), strict=True) if y.requires_grad]
                found = autograd.grad([y for y, _ in used], leaves, [s for _, s in used], allow_unused=True)
                for g, e in zip(found, expected[1], strict=True):
                    assert (g is None) == (e is None)
                    if g is not None:
                        np.testing.assert_allclose(g.array, e, rtol=1e-12, atol=1e-13)


def fortran(x: Any) -> Any:
    return np.array(x, order="F")


def strided(x: Any) -> Any:
    if x.ndim == 0:
        return x
    return np.repeat(x, 2, -1)[..., ::2]


def reversed_(x: Any) -> Any:
    return np.asarray(np.flip(np.flip(x).copy()))


def repeated(x: Any) -> Any:
    """One element, read again and again: read-only, with strides 0."""
    return np.broadcast_to(x.ravel()[:1].reshape((1,) * x.ndim), x.shape) if x.size else x


@over(EVERY)
def test_dtype_is_kept(row: Row) -> None:
    for dtype in (np.float16, np.float32, np.float64):
        for args, attrs in row.samples(dtype):
            if row.name in ("cast", "class_weight") or not any(floating(x) for x in args):
                continue
            xs = tensors(args)
            ys = joined(row(*xs, **attrs))
            for y in ys:
                if y.array.dtype.kind == "f":
                    assert y.array.dtype == dtype, (row.name, attrs)
            if row.gradient:
                _, grads = gradients(row, args, attrs)
                assert all(g is None or g.dtype == dtype for g in grads), (row.name, dtype, attrs)


@over([row for row in SMOOTH if row.name not in ("cast",)])
def test_float32_is_float64_rounded(row: Row) -> None:
    for args, attrs in row.samples(np.float32):
        wide = [x.astype(np.float64) if floating(x) else x for x in args]
        seeds = seeds_for(joined(row(*tensors(args), **attrs)))
        value, grads = gradients(row, args, attrs, seeds)
        value64, grads64 = gradients(row, wide, attrs, [s.astype(np.float64) for s in seeds])
        for a, b in zip(value + grads, value64 + grads64, strict=True):
            if a is not None:
                np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5)


def test_sums_of_halves_do_not_stand_still() -> None:
    x = torch.ones(4096, 2, dtype=torch.float16, requires_grad=True)
    assert x.sum(0).tolist() == [4096, 4096]
    assert x.mean(0).tolist() == [1, 1]
    (torch.ones(2, dtype=torch.float16, requires_grad=True) * x).sum().backward()
    assert torch.full((70000,), 2.0, dtype=torch.float16).mean().item() == 2
    bias = torch.zeros(2, dtype=torch.float16, requires_grad=True)
    (torch.ones(4096, 2, dtype=torch.float16) + bias).backward(torch.ones(4096, 2, dtype=torch.float16))
    assert bias.grad.tolist() == [4096, 4096]


# ------------------------------------------------------------------------------------------ gradients
@over(SMOOTH)
def test_gradient_is_the_numerical_gradient(row: Row) -> None:
    for args, attrs in row.samples():
        if any(floating(x) for x in args):
            report = gradcheck(lambda *xs, attrs=attrs: row(*xs, **attrs), *tensors(args, leaves=False))
            assert report.verdict == "pass", f"{row.name}{[np.shape(x) for x in args]} {attrs}\n{report}"


@over(SMOOTH)
def test_second_derivative_is_the_numerical_one(row: Row) -> None:
    for args, attrs in row.samples():
        if any(floating(x) for x in args):
            report = gradgradcheck(lambda *xs, attrs=attrs: row(*xs, **attrs), *tensors(args, leaves=False))
            assert report.verdict == "pass", f"{row.name}{[np.shape(x) for x in args]} {attrs}\n{report}"


@over([row for row in EVERY if not row.gradient])
def test_no_gradient_flows_through_what_has_none(row: Row) -> None:
    for args, attrs in row.samples():
        assert not row.op.differentiable
        assert all(not y.requires_grad for y in joined(row(*tensors(args), **attrs)))


@over([row for row in SMOOTH if row.op.elementwise and len(row.domains) + len(row.cases[0][0]) > 2])
def test_broadcasting_is_tiling_and_its_undoing_a_sum(row: Row) -> None:
    for args, attrs in row.samples():
        shape = np.broadcast_shapes(*(np.shape(x) for x in args))
        arrays = [x for x in args if isinstance(x, np.ndarray)]
        tiled = [np.broadcast_to(x, shape).copy() if isinstance(x, np.ndarray) else x for x in args]
        value, grads = gradients(row, args, attrs)
        tiled_value, tiled_grads = gradients(row, tiled, attrs)
        same(value[0], tiled_value[0])
        wanted = [x for x in arrays if floating(x)]
        for x, g, big in zip(wanted, grads, tiled_grads, strict=True):
            assert g.shape == x.shape
            axes = tuple(
                i for i in range(len(shape)) if i < len(shape) - x.ndim or x.shape[i - len(shape) + x.ndim] != shape[i]
            )
            same(g, big.sum(axes).reshape(x.shape))


# ------------------------------------------------------------------------------------------ edges, refusals
@over([row for row in EVERY if row.edges])
def test_edges(row: Row) -> None:
    for edge in row.edges:
        xs = tensors(list(edge.args))
        y = row(*xs, **edge.attrs)
        same(y.array, edge.value)
        if edge.grads:
            y.sum().backward()
            for x, g in zip(xs, edge.grads, strict=True):
                if g is not None:
                    same(x.grad.array, g)
                    assert x.grad.shape == x.shape


@over([row for row in EVERY if row.wrong])
def test_refusals(row: Row) -> None:
    for wrong in row.wrong:
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
def test_arguments_are_read_only_in_spirit(row: Row) -> None:
    for args, attrs in row.samples():
        before = [np.array(x) for x in args]
        xs = tensors(args)
        for x in xs:
            if isinstance(x, Handle):
                x.array.flags.writeable = False
        ys = joined(row(*xs, **attrs))
        if row.gradient:
            seeds = [wrap(s) for s in seeds_for(ys)]
            for s in seeds:
                s.array.flags.writeable = False
            for y, s in zip(ys, seeds, strict=True):
                if y.requires_grad:
                    y.backward(s, retain_graph=True)
        for x, b in zip(xs, before, strict=True):
            np.testing.assert_array_equal(x.array if isinstance(x, Handle) else x, b)


@over(SMOOTH)
def test_gradients_are_memory_of_their_own(row: Row) -> None:
    for args, attrs in row.samples():
        xs = tensors(args)
        ys = joined(row(*xs, **attrs))
        seeds = [wrap(s) for s in seeds_for(ys)]
        torch.autograd.backward(
            [y for y in ys if y.requires_grad], [s for y, s in zip(ys, seeds, strict=True) if y.requires_grad]
        )
        grads = [x.grad.array for x in xs if isinstance(x, Handle) and x.grad is not None]
        others = [x.array for x in [*xs, *ys, *seeds] if isinstance(x, Handle)]
        for g in grads:
            assert g.flags.writeable
            assert not any(np.shares_memory(g, other) for other in others)
        for g, h in itertools.combinations(grads, 2):
            assert not np.shares_memory(g, h)


@over(EVERY)
def test_a_result_shares_memory_only_if_it_is_a_known_view(row: Row) -> None:
    for args, attrs in row.samples():
        xs = tensors(args, leaves=False)
        for y in joined(row(*xs, **attrs)):
            for x in xs:
                if isinstance(x, Handle) and x.array.size and np.shares_memory(x.array, y.array):
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
                found = row.op.keeps(mask, tuple(args), attrs)
                assert kept.setdefault((mask, len(args)), found) == found, (args, attrs)


@over(SMOOTH)
def test_what_a_rule_does_not_keep_it_does_not_need(row: Row) -> None:
    for args, attrs in row.samples():
        g, y, rules = reading(row, args, attrs)
        for slot, rule in rules:
            keep = row.op.keeps(1 << slot, tuple(args), attrs)
            hulls = [
                v if k or not isinstance(v, (np.ndarray, np.generic)) else Hull(v)
                for k, v in zip(keep, [y, *args], strict=True)
            ]
            with quiet():
                same(rule(g, *hulls, **attrs), rule(g, y, *args, **attrs), 1e-15)


@over(SMOOTH)
def test_a_rule_is_linear_in_the_incoming_gradient(row: Row) -> None:
    for args, attrs in row.samples():
        g, y, rules = reading(row, args, attrs)
        several = isinstance(g, list)
        other = [v[::-1] * 0.5 if v.ndim else v * 0.5 for v in g] if several else np.flip(g) * 0.5
        for _, rule in rules:
            with quiet():
                one, two = rule(g, y, *args, **attrs), rule(other, y, *args, **attrs)
                mixed = [3 * v - 2 * w for v, w in zip(g, other, strict=True)] if several else 3 * g - 2 * other
                same(rule(mixed, y, *args, **attrs), 3 * one - 2 * two, 1e-11)
                nothing = rule([0 * v for v in g] if several else 0 * g, y, *args, **attrs)
            assert not np.any(nothing), "a gradient of zeros must stay exactly zero"


@over(SMOOTH)
def test_only_the_gradients_asked_for_are_computed(row: Row) -> None:
    for args, attrs in row.samples():
        _, grads = gradients(row, args, attrs)
        places = [i for i, x in enumerate(args) if floating(x)]
        for k, place in enumerate(places):
            xs = [wrap(x).requires_grad_(i == place) if isinstance(x, np.ndarray) else x for i, x in enumerate(args)]
            ys = joined(row(*xs, **attrs))
            seeds = seeds_for(ys)
            used = [(y, wrap(s)) for y, s in zip(ys, seeds, strict=True) if y.requires_grad]
            if used:
                (g,) = autograd.grad([y for y, _ in used], [xs[place]], [s for _, s in used], allow_unused=True)
                assert (g is None) == (grads[k] is None)
                if g is not None:
                    np.testing.assert_array_equal(g.array, grads[k])
