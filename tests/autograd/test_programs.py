"""Whole random programs: their gradients, theirs again, a second walk over one graph, and float32 beside float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

import tinygrad_pt as torch
from tinygrad_pt import autograd
from tinygrad_pt.autograd.engine import order
from tinygrad_pt.testing import assert_gradients
from tinygrad_pt.testing.property import seeds_for
from tinygrad_pt.testing.strategies import programs
from tinygrad_pt.testing.subject import results_of

SMOOTH = (
    "add sub mul tanh sigmoid sin cos softplus sum mean matmul linear einsum softmax reshape transpose cat stack split "
    "index_basic index_repeated index_mixed expand write_part write_view view_then_write cumsum"
).split()


def gradients(program: Any, dtype: Any = None) -> tuple[list[Any], list[Any], Any, bool]:
    """Values, gradients (None where there is none), a function that takes them again from the same graph, and whether
    a vertex of the graph has saved a value.
    """
    leaves = program.inputs(dtype)
    ys = results_of(program(*leaves))
    used = [(y, torch.from_numpy(s)) for y, s in zip(ys, seeds_for(ys), strict=True) if y.requires_grad]

    def again(retain: bool) -> list[Any]:
        found = autograd.grad(
            [y for y, _ in used], leaves, [s for _, s in used], retain_graph=retain, allow_unused=True
        )
        return [None if g is None else g.numpy() for g in found]

    recorded = any(y.grad_fn is not None for y, _ in used)
    saves = any(node.guards for node in order([y.node for y, _ in used]))
    return [y.detach().numpy() for y in ys], again(True) if used else [], again if recorded else None, saves


@settings(max_examples=60)
@given(programs())
def test_gradients_are_the_numerical_ones(program: Any) -> None:
    assert_gradients(program, *program.inputs(requires_grad=False))


@settings(max_examples=25)
@given(programs(depth=6))
def test_second_derivatives_too(program: Any) -> None:
    assert_gradients(program, *program.inputs(requires_grad=False), order=2)


@settings(max_examples=100)
@given(programs())
def test_a_second_walk_gives_the_same_bits_and_a_third_is_refused(program: Any) -> None:
    _, first, again, saves = gradients(program)
    if again is None:
        return
    for g, h in zip(first, again(False), strict=True):
        assert (g is None) == (h is None)
        if g is not None:
            np.testing.assert_array_equal(g, h)
    if saves:
        with pytest.raises(RuntimeError, match="second time"):
            again(False)


@settings(max_examples=100)
@given(programs(ops=SMOOTH))
def test_single_precision_is_double_precision_rounded(program: Any) -> None:
    values, grads, *_ = gradients(program, torch.float32)
    wide_values, wide_grads, *_ = gradients(program)
    assert all(v.dtype == np.float32 for v in values)
    for a, b in zip(values + grads, wide_values + wide_grads, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            size = np.max(np.abs(b), initial=1.0)
            assert a.dtype == np.float32
            np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-3 * size)
