"""The engine against a naive one: a machine that computes, writes, detaches, goes back, again and again, in any order.

The naive engine keeps one dictionary per value: of which leaves it depends on, and its whole Jacobian by each, carried
forwards. It has no graph, no walk, no freeing; so it cannot be wrong in the same way.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

import tinygrad_pt as torch
from tinygrad_pt import graph
from tinygrad_pt.testing import strategies as some

UNARY = {
    "tanh": (torch.tanh, np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "sin": (torch.sin, np.sin, np.cos),
    "square": (lambda t: t * t, lambda x: x * x, lambda x: 2 * x),  # one value on both sides
    "sigmoid": (torch.sigmoid, lambda x: 1 / (1 + np.exp(-x)), lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2),
}
BINARY = {
    "add": (lambda a, b: a + b, lambda x, y: (1 + 0 * y, 1 + 0 * x)),
    "sub": (lambda a, b: a - b, lambda x, y: (1 + 0 * y, -1 + 0 * x)),
    "mul": (lambda a, b: a * b, lambda x, y: (y + 0 * x, x + 0 * y)),
}
LINEAR = {
    "sum": (lambda t: t.sum(), lambda x: x.sum()),
    "first": (lambda t: t[0] if t.ndim else t * 1, lambda x: x[0] if x.ndim else x * 1),
    "twice": (lambda t: t[[0, 0]] if t.ndim else t * 1, lambda x: x[[0, 0]] if x.ndim else x * 1),
    "turned": (lambda t: t.reshape(-1).flip(0), lambda x: x.reshape(-1)[::-1]),
    "stretched": (lambda t: t.expand(2, *t.shape), lambda x: np.broadcast_to(x, (2, *x.shape))),
}
LIMIT = 50.0


class Naive:
    """A value, and by the number of each leaf it depends on ∂value/∂leaf, of shape value.shape + leaf.shape."""

    def __init__(self, x: Any, slopes: dict[int, Any]) -> None:
        self.x, self.slopes = np.array(x, float), slopes

    def mapped(self, f: Any) -> Naive:
        """A linear map of the elements: the same for the value and for its slopes."""
        return Naive(f(self.x), {k: _over_leading(f, s, self.x.ndim) for k, s in self.slopes.items()})


def _over_leading(f: Any, slope: Any, ndim: int) -> Any:
    """Apply a map of the leading axes to every entry along the others."""
    columns = slope.reshape((*slope.shape[:ndim], -1))
    mapped = np.stack([f(columns[..., i]) for i in range(columns.shape[-1])], -1)
    return mapped.reshape((*mapped.shape[:-1], *slope.shape[ndim:]))


def _times(factor: Any, slope: Any, ndim: int) -> Any:
    """factor · slope, element by element of the value."""
    return factor.reshape((*factor.shape, *(1,) * (slope.ndim - ndim))) * slope


def _stretched(slope: Any, ndim: int, shape: tuple[int, ...]) -> Any:
    """The slopes of a value that is broadcast to a shape."""
    rest = slope.shape[ndim:]
    lead = slope.reshape((*(1,) * (len(shape) - ndim), *slope.shape))
    return np.broadcast_to(lead, (*shape, *rest))


class Engines(RuleBasedStateMachine):
    """Every value is a pair: a tensor, and what the naive engine knows of it."""

    values = Bundle("values")

    def __init__(self) -> None:
        super().__init__()
        self.leaves: list[Any] = []
        self.grads: list[Any] = []  # what .grad should be, None before the first backward

    @initialize(target=values)
    def begin(self) -> Any:
        return self.leaf(np.array([0.5, -1.0]))

    def leaf(self, x: Any) -> Any:
        t = torch.tensor(x.tolist(), dtype=torch.float64, requires_grad=True)
        self.leaves.append(t)
        self.grads.append(None)
        slope = np.eye(x.size).reshape((*x.shape, *x.shape))
        return t, Naive(x, {len(self.leaves) - 1: slope})

    @precondition(lambda self: len(self.leaves) < 3)
    @rule(target=values, x=some.arrays(st.sampled_from([(), (2,), (2, 2), (1, 2)]), elements="small", layout="C"))
    def another_leaf(self, x: Any) -> Any:
        return self.leaf(x)

    # ---------------------------------------------------------------------------------- computing
    @rule(target=values, a=values, name=st.sampled_from(sorted(UNARY)))
    def unary(self, a: Any, name: str) -> Any:
        f, g, slope = UNARY[name]
        t, n = a
        if name == "square" and np.max(np.abs(n.x), initial=0) > 7:
            return multiple()
        factor = slope(n.x)
        return f(t), Naive(g(n.x), {k: _times(factor, s, n.x.ndim) for k, s in n.slopes.items()})

    @rule(target=values, a=values, b=values, name=st.sampled_from(sorted(BINARY)))
    def binary(self, a: Any, b: Any, name: str) -> Any:
        f, slopes = BINARY[name]
        (t, n), (u, m) = a, b
        try:
            shape = np.broadcast_shapes(n.x.shape, m.x.shape)
        except ValueError:
            with pytest.raises(RuntimeError, match="must match the size"):
                f(t, u)
            return multiple()
        x = f(n.x, m.x)
        if x.size > 16 or np.max(np.abs(x), initial=0) > LIMIT:
            return multiple()
        total: dict[int, Any] = {}
        for side, factor in zip((n, m), slopes(n.x, m.x), strict=True):
            for k, s in side.slopes.items():
                part = _times(np.broadcast_to(factor, shape), _stretched(s, side.x.ndim, shape), len(shape))
                total[k] = total[k] + part if k in total else part
        return f(t, u), Naive(x, total)

    @rule(target=values, a=values, name=st.sampled_from(sorted(LINEAR)))
    def linear(self, a: Any, name: str) -> Any:
        f, g = LINEAR[name]
        t, n = a
        if n.x.size > 8 or n.x.ndim > 3:
            return multiple()
        return f(t), n.mapped(g)

    @rule(target=values, a=values)
    def detached(self, a: Any) -> Any:
        t, n = a
        return t.detach().clone(), Naive(n.x, {})

    @rule(target=values, a=values)
    def without_recording(self, a: Any) -> Any:
        t, n = a
        with torch.no_grad():
            return t * 2, Naive(n.x * 2, {})

    @rule(target=values, a=values, b=values, add=st.booleans())
    def written_in_place(self, a: Any, b: Any, add: bool) -> Any:
        """A copy of a, part of which becomes b, or gets b added."""
        (t, n), (u, m) = a, b
        if not n.x.ndim or m.x.shape != n.x.shape[1:]:
            return multiple()
        copy = t.clone()
        x, slopes = n.x.copy(), {k: s.copy() for k, s in n.slopes.items()}
        if add:
            copy[0] += u
            x[0] += m.x
        else:
            copy[0] = u
            x[0] = m.x
            for s in slopes.values():
                s[0] = 0
        for k, s in m.slopes.items():
            slopes.setdefault(k, np.zeros((*x.shape, *self.leaves[k].shape)))[0] += s
        return copy, Naive(x, slopes)

    # ---------------------------------------------------------------------------------- going back
    @rule(a=values, twice=st.booleans())
    def backward(self, a: Any, twice: bool) -> None:
        """∂Σa/∂leaf is added to every leaf's .grad; the graph stays, for other values share it."""
        t, n = a
        if not t.requires_grad:
            with pytest.raises(RuntimeError, match="does not require grad"):
                t.sum().backward()
            return
        for _ in range(1 + twice):
            t.sum().backward(retain_graph=True)
            for k, s in n.slopes.items():
                g = s.sum(tuple(range(n.x.ndim)))
                self.grads[k] = g if self.grads[k] is None else self.grads[k] + g

    @rule(a=values, b=values)
    def grad_of_several(self, a: Any, b: Any) -> None:
        """autograd.grad of two values at once, by all leaves; no .grad changes."""
        (t, n), (u, m) = a, b
        roots = [(x, y) for x, y in ((t, n), (u, m)) if x.requires_grad]
        if not roots:
            return
        found = torch.autograd.grad(
            [x.sum() for x, _ in roots], self.leaves, retain_graph=True, allow_unused=True, materialize_grads=True
        )
        for k, g in enumerate(found):
            expected = sum((y.slopes[k].sum(tuple(range(y.x.ndim))) for _, y in roots if k in y.slopes), 0.0)
            np.testing.assert_allclose(g.numpy(), np.broadcast_to(expected, g.shape), rtol=1e-9, atol=1e-9)

    @rule(a=values)
    def freed(self, a: Any) -> None:
        """After a backward that frees its graph a second one is refused, and changes nothing."""
        t, _ = a
        loss = torch.tanh(t.detach().clone().requires_grad_() * 2).sum()
        loss.backward()
        with pytest.raises(RuntimeError, match="second time"):
            loss.backward()

    @rule()
    def zeroed(self) -> None:
        for k, leaf in enumerate(self.leaves):
            leaf.grad = None
            self.grads[k] = None

    # ---------------------------------------------------------------------------------- always
    @rule(a=values)
    def value_agrees(self, a: Any) -> None:
        t, n = a
        np.testing.assert_allclose(t.detach().numpy(), n.x, rtol=1e-9, atol=1e-9)
        assert t.requires_grad == bool(n.slopes)

    @invariant()
    def gradients_agree(self) -> None:
        for leaf, expected in zip(self.leaves, self.grads, strict=True):
            assert (leaf.grad is None) == (expected is None)
            if expected is not None:
                assert leaf.grad.shape == leaf.shape
                np.testing.assert_allclose(leaf.grad.numpy(), expected, rtol=1e-9, atol=1e-9)


TestEngines = Engines.TestCase
TestEngines.settings = settings(max_examples=60, stateful_step_count=25)


def test_the_machine_notices_a_wrong_engine(monkeypatch: Any) -> None:
    """A machine that cannot fail would prove nothing."""
    monkeypatch.setattr(graph.OPS["tanh"], "rules", (lambda g, y, a: g * (1 - y),))
    options = settings(
        max_examples=200, database=None, deadline=None, phases=[Phase.generate], report_multiple_bugs=False
    )
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        run_state_machine_as_test(Engines, settings=options)
