"""A picture shows numbers whenever it is drawn: before backward, after it, after a step, in the middle of a loop."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_pt as torch
from tests.viz.test_snapshot import programs, run, scalar
from tinygrad_pt import nn, optim, viz
from tinygrad_pt.datasets import XOR
from tinygrad_pt.graph import OPS
from tinygrad_pt.models import MLP
from tinygrad_pt.symbol import Symbol
from tinygrad_pt.testing.strategies import programs as array_programs
from tinygrad_pt.viz import Snapshot, draw, snapshot
from tinygrad_pt.viz.model import INCOMING
from tinygrad_pt.viz.naming import Names
from tinygrad_pt.viz.snapshot import taken


def whole(picture: Snapshot, gradients: bool) -> None:
    """Every box has its value, and its gradient where one has arrived."""
    assert [v.name for v in picture.vertices if v.value is None] == []
    assert [v.name for v in picture.vertices if (v.grad is None) == (gradients and v.requires_grad)] == []
    assert "keep" not in picture.caption


# ------------------------------------------------------------------------------------------ programs
def perceptron() -> tuple[nn.Module, Callable[[Any], Any]]:
    inputs, targets = XOR().tensors
    cost = nn.MSELoss()
    return MLP([2, 3, 1], activation=nn.Sigmoid, output=nn.Sigmoid), lambda model: cost(model(inputs), targets)


def slices() -> tuple[nn.Module, Callable[[Any], Any]]:
    """Batches that nobody holds, of data that somebody holds, and classes."""
    data, labels = torch.randn(2000, 16), torch.randint(0, 3, (2000,))
    model = nn.Sequential(nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 3))
    return model, lambda model: nn.CrossEntropyLoss()(model(data[64:96]), labels[64:96])


def shuffled() -> tuple[nn.Module, Callable[[Any], Any]]:
    """Batches that are copies, and weights of classes."""
    data, labels = torch.randn(200, 64), torch.randint(0, 10, (200,))
    model = nn.Sequential(nn.Linear(64, 8), nn.Tanh(), nn.Dropout(0.5), nn.Linear(8, 10))
    cost = nn.CrossEntropyLoss(weight=torch.arange(1.0, 11.0), label_smoothing=0.1)

    def step(model: Any) -> Any:
        order = torch.randperm(200)[:32]
        return cost(model(data[order]), labels[order])

    return model, step


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cell, self.head = nn.RNNCell(3, 4), nn.Linear(4, 2)

    def forward(self, x: Any) -> Any:
        h = torch.zeros(5, 4)
        for t in range(x.shape[0]):
            h = self.cell(x[t], h)
        return self.head(h)


def recurrent() -> tuple[nn.Module, Callable[[Any], Any]]:
    return Recurrent(), lambda model: model(torch.randn(4, 5, 3)).square().mean()


class Memory(nn.Module):
    """Layers whose ops have several results, of which some are used."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.gru = nn.LSTM(3, 4), nn.GRU(4, 2)

    def forward(self, x: Any) -> Any:
        return self.gru(self.lstm(x)[0])[1]


def layers() -> tuple[nn.Module, Callable[[Any], Any]]:
    return Memory(), lambda model: model(torch.randn(4, 5, 3)).square().mean()


def written() -> tuple[nn.Module, Callable[[Any], Any]]:
    """Writes in place that the graph records, and buffers."""
    x = torch.randn(4, 3)

    def step(model: Any) -> Any:
        y = model(x)
        y += 1
        y[0] = 2 * y[1]
        y.mul_(torch.full((2,), 0.5))
        return y.relu_().sum()

    return nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)), step


def penalised() -> tuple[nn.Module, Callable[[Any], Any]]:
    """A gradient inside the loss."""

    def step(model: Any) -> Any:
        x = torch.randn(4, 3, requires_grad=True)
        y = model(x).tanh().sum()
        (slope,) = torch.autograd.grad(y, x, create_graph=True)
        return y + (slope.norm(dim=1) - 1).square().mean()

    return nn.Linear(3, 2), step


def convolution() -> tuple[nn.Module, Callable[[Any], Any]]:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(18, 3))
    return model, lambda model: nn.CrossEntropyLoss()(model(torch.rand(4, 1, 8, 8)), torch.tensor([0, 1, 2, 0]))


PROGRAMS = [perceptron, slices, shuffled, recurrent, layers, written, penalised, convolution]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_every_box_has_its_numbers_at_every_moment(program: Any) -> None:
    torch.manual_seed(0)
    model, step = program()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        loss = step(model)
        before = snapshot(loss)
        whole(before, False)
        loss.backward()
        gc.collect()
        after = snapshot(loss)
        whole(after, True)
        assert before.caption == after.caption == "" and after.vertices[-1].value == loss.item()
        shown = {v.name: v for v in after.vertices}
        for name, p in model.named_parameters():
            np.testing.assert_allclose(shown[name].grad, p.grad.numpy(), rtol=1e-5, atol=1e-7)
            np.testing.assert_array_equal(shown[name].value, p.detach().numpy())
        optimizer.step()
        later = snapshot(loss)
        whole(later, True)
        assert "what stands now" in later.caption
        shown = {v.name: v for v in later.vertices}
        for name, p in model.named_parameters():
            np.testing.assert_array_equal(shown[name].value, p.detach().numpy())


def test_after_a_step_values_and_gradients_are_those_of_a_new_pass() -> None:
    torch.manual_seed(0)
    model, step = perceptron()
    optimizer = optim.SGD(model.parameters(), lr=1.0)
    loss = step(model)
    loss.backward()
    optimizer.step()
    shown = {v.name: v for v in snapshot(loss).vertices}
    optimizer.zero_grad()
    fresh = step(model)
    fresh.backward()
    assert shown["loss"].value == fresh.item() != loss.item()
    for name, p in model.named_parameters():
        np.testing.assert_allclose(shown[name].grad, p.grad.numpy(), rtol=1e-6)


@given(programs(), st.lists(st.floats(-2, 2), min_size=3, max_size=3))
@settings(max_examples=30)
def test_what_stands_now_is_what_a_new_pass_gives(program: Any, fresh: list[float]) -> None:
    values = run(program)
    values[-1].backward()
    leaves, root = values[: len(program[0])], values[-1]
    with torch.no_grad():
        for leaf, x in zip(leaves, fresh, strict=False):
            leaf.fill_(x)
    seen = {v.name: v for v in snapshot(root, {f"t{i}": t for i, t in enumerate(values)}).vertices}
    again = run((fresh[: len(leaves)], program[1]))
    for t in again:
        t.retain_grad()
    again[-1].backward()
    for i, t in enumerate(again):
        if f"t{i}" in seen:
            assert seen[f"t{i}"].value == pytest.approx(t.item(), rel=1e-12, abs=1e-12)
            assert seen[f"t{i}"].grad == pytest.approx(t.grad.item(), rel=1e-9, abs=1e-12)


# ------------------------------------------------------------------------------------------ what is kept
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_what_was_kept_is_shown_as_it_was(program: Any) -> None:
    torch.manual_seed(0)
    model, step = program()
    with viz.keep():
        loss = step(model)
    before = taken(loss, Names({"model": model, "loss": loss}))
    loss.backward()
    with torch.no_grad():
        for p in model.parameters():
            p.zero_()
    after = taken(loss, Names({"model": model, "loss": loss}))
    whole(after, True)
    assert after.caption == ""
    for one, other in zip(before.vertices, after.vertices, strict=True):
        np.testing.assert_array_equal(one.value, other.value)  # type: ignore[arg-type]


def test_a_function_of_the_users_own_is_kept() -> None:
    from tests.viz.test_snapshot import Cube

    w = scalar(2)

    def lost(w: Any) -> Any:
        return Cube.apply(w * 1, 7.0) * 3

    y = lost(w)
    (cube,) = (v for v in draw(y).snapshot.vertices if v.op == "Cube")
    assert cube.value is None and cube.note == "not kept: viz.keep()" and "with viz.keep():" in draw(y).snapshot.caption
    with viz.keep():
        y = lost(w)
    whole(draw(y).snapshot, False)


def test_keeping_ends_with_the_block_and_holds_no_tensor() -> None:
    w, x = scalar(2), torch.ones(3)
    with viz.keep() as nothing:
        y = (w * x).sum()
        link = weakref.ref(x)
        del x
        assert link() is None and nothing is None
    z = (w * torch.ones(3)).sum()
    assert y.node.note("kept") is not None and z.node.note("kept") is None
    gone = weakref.ref(y.node)
    del y
    assert gone() is None


# ------------------------------------------------------------------------------------------ what a graph holds
def test_a_constant_outlives_its_tensor_only_if_it_is_small() -> None:
    w = torch.ones((), requires_grad=True)

    def held(n: int, use: Callable[[Any], Any]) -> bool:
        x = torch.ones(n)
        link = weakref.ref(x.array)
        y = use(x)
        y.sum().backward()
        del x
        return link() is not None

    assert held(100, lambda x: w * x) and held(4000, lambda x: w * x) and not held(5000, lambda x: w * x)
    assert held(100, lambda x: w + x) and not held(4000, lambda x: w + x)  # which no rule has saved


def test_a_view_holds_no_memory_of_large_data() -> None:
    w, data = torch.ones((), requires_grad=True), torch.ones(100_000)
    y = (w * data[10:20]).sum()
    y.backward()
    (x,) = (v for v in snapshot(y).vertices if v.kind == "const")
    assert np.asarray(x.value).tolist() == [1.0] * 10
    link = weakref.ref(data.array)
    del data
    assert link() is None
    (x,) = (v for v in snapshot(y).vertices if v.kind == "const")
    assert x.value is None and x.note


# ------------------------------------------------------------------------------------------ arrays
def evaluated(x: Any, values: dict[str, Any]) -> Any:
    """An expression at these values of its names."""
    if isinstance(x, (tuple, list)):
        return type(x)(evaluated(part, values) for part in x)
    if not isinstance(x, Symbol):
        return x
    if x.name == "0":  # what arrives at a result that nobody used
        return np.zeros(x.shape, x.dtype)
    return values[x.name] if x.op is None else x.op.forward(*(evaluated(a, values) for a in x.args), **x.attrs)


@given(array_programs())
@settings(max_examples=25)
def test_every_drawn_rule_is_the_vector_jacobian_product(program: Any) -> None:
    """What a rule gives, at the values drawn, is what differences of the op's own forward give, along each element."""
    inputs = program.inputs()
    output = program(*inputs)
    loss = sum((t * t).sum() for t in (output if isinstance(output, tuple) else (output,)))
    if not isinstance(loss, torch.Tensor) or not loss.requires_grad:
        return
    loss.backward()
    seen = Snapshot.from_json(taken(loss, Names(None)).to_json())
    values = {v.id: v.value for v in seen.vertices}
    vertices = {v.id: v for v in seen.vertices}
    arriving: dict[str, Any] = {v.id: 0.0 for v in seen.vertices}
    for edge in seen.edges:
        if not edge.flows:
            continue
        target, x = vertices[edge.target], np.asarray(values[edge.source])
        g = np.asarray(target.grad)
        named = {INCOMING: g, **values}
        with np.errstate(all="ignore"):
            r = np.broadcast_to(evaluated(edge.rule, named), x.shape)
        arriving[edge.source] = arriving[edge.source] + r
        sources = {e.slot: values[e.source] for e in seen.edges if e.target == edge.target}
        args = [sources.get(slot) for slot in range(max(sources) + 1)]

        def total(
            moved: Any,
            op: Any = OPS[target.primitive],
            args: Any = args,
            slot: int = edge.slot,
            g: Any = g,
            v: Any = target,
        ) -> float:
            with np.errstate(all="ignore"):
                y = op.forward(*args[:slot], moved, *args[slot + 1 :], **v.attrs)
            return float((g * y).sum())

        if isinstance(OPS[target.primitive].forward(*args, **target.attrs), (list, tuple)):
            continue
        for at in range(x.size):
            step = np.zeros(x.size)
            step[at] = 1e-5 * max(1.0, abs(x.flat[at]))
            step = step.reshape(x.shape)
            slope = (total(x + step) - total(x - step)) / (2 * step.flat[at])
            assert slope == pytest.approx(r.flat[at], rel=1e-4, abs=1e-5 * max(1.0, float(np.abs(g).max(initial=0))))
    for vertex in seen.vertices:
        if vertex.grad is not None and vertex.kind != "loss":
            np.testing.assert_allclose(arriving[vertex.id], vertex.grad, rtol=1e-9, atol=1e-9)
