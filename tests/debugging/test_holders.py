"""`graph_alive`: every way to hold a graph is named, the dead are not, and asking holds nothing."""

from __future__ import annotations

import gc
import sys
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import tinygrad_pt as torch
from tinygrad_pt.autograd import detect_anomaly

pytestmark = pytest.mark.long  # the collector looks at all that a long run has left behind
AT_MODULE_LEVEL: dict[str, Any] = {}


def leaf(*values: float) -> Any:
    return torch.tensor(values or (1.0, 2.0, 3.0), requires_grad=True)


@pytest.fixture(autouse=True)
def no_collector() -> Iterator[None]:
    """What dies here dies by reference counting: nothing may wait for the collector."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def names(alive: Any) -> list[str]:
    return [name for holder in alive.holders for name in holder.names]


def test_the_loss_added_up_with_its_graph() -> None:
    w = leaf()

    def train(accumulate: Callable[[Any], Any]) -> tuple[Any, Any]:
        total: Any = 0.0
        for _ in range(10):
            loss = (w * w).exp().sum()
            total = total + accumulate(loss)
        return total, loss

    total, loss = train(lambda loss: loss)
    alive = w.graph_alive()
    assert alive.nodes == 40 and alive.saved_bytes == 10 * 3 * 4
    assert [h.names[0].split(",")[0] for h in alive.holders] == ["total", "loss"]
    assert [h.nodes for h in alive.holders] == [40, 3] and alive.holders[0].what == "float32[] made by add"
    held = loss.graph_alive()
    assert held.nodes == 3 and any(name.startswith("total, local of test_the_loss_added_up") for name in names(held))
    assert f"({__file__}:" in str(held) and "40 vertices, 120 bytes of saved values; held by" in str(alive)
    del total, alive, held
    total, loss = train(lambda loss: loss.item())
    assert w.graph_alive().nodes == 3 and names(w.graph_alive()) == names(loss.graph_alive())


def test_a_list_of_losses_is_one_holder() -> None:
    w = leaf()
    losses = [(w * k).sum() for k in range(30)]
    (holder,) = w.graph_alive().holders
    assert holder.count == 30 and holder.nodes == 60
    assert holder.names[0].startswith("losses, local of ") and holder.names[0].endswith("[29]")
    assert "30 tensors, float32[] made by sum" in str(w.graph_alive()) and losses


def kept_in(where: str, h: Any) -> Any:
    """Something that holds h, and goes out of scope here but for what is returned."""
    if where == "dict":
        return {"kept": {"deep": [h]}}
    if where == "attribute":
        return SimpleNamespace(kept=h)
    if where == "slot":
        return Slotted(h)
    if where == "deque":
        return deque([h])
    if where == "closure":
        kept = h
        return lambda: kept
    if where == "grad_fn":
        return h.grad_fn
    if where == "set":
        return {h.grad_fn}
    if where == "module":
        module = ModuleType("somewhere")
        module.kept = h  # type: ignore[attr-defined]
        sys.modules["somewhere"] = module
        return module
    assert where == "view"
    return SimpleNamespace(kept=h[:1])


class Slotted:
    __slots__ = ("kept",)

    def __init__(self, kept: Any) -> None:
        self.kept = kept


PLACES = {
    "dict": "holder, local of test_every_place_is_named", "attribute": ".kept", "slot": ".kept", "deque": "[0]",
    "closure": "kept, variable of kept_in.<locals>.<lambda>", "grad_fn": "holder, local of", "set": "{…}",
    "module": "somewhere.kept", "view": ".kept",
}  # fmt: skip


@pytest.mark.parametrize("where", PLACES)
def test_every_place_is_named(where: str) -> None:
    w = leaf()
    holder = kept_in(where, w * 2)
    try:
        alive = w.graph_alive()
        assert len(alive.holders) == (2 if where == "view" else 1), alive  # a view keeps its base
        assert any(PLACES[where] in name for name in alive.holders[0].names), alive
        if where == "dict":
            assert any(name.endswith("['kept']['deep'][0]") for name in names(alive))
        assert alive.holders[0].what.startswith("the vertex of mul" if where in ("grad_fn", "set") else "float32[")
    finally:
        sys.modules.pop("somewhere", None)
    del holder
    gc.collect()
    assert w.graph_alive().holders == () and w.graph_alive().nodes == 0


def test_at_module_level_and_in_other_threads() -> None:
    w = leaf()
    AT_MODULE_LEVEL["kept"] = w * 2
    try:
        assert any(name.endswith("AT_MODULE_LEVEL['kept']") for name in names(w.graph_alive()))
    finally:
        AT_MODULE_LEVEL.clear()
    ready, over = threading.Event(), threading.Event()

    def work() -> None:
        mine = w * 3
        ready.set()
        over.wait(5)
        assert mine is not None

    thread = threading.Thread(target=work)
    thread.start()
    assert ready.wait(5)
    try:
        assert any(name.startswith("mine, local of work") for name in names(w.graph_alive()))
    finally:
        over.set()
        thread.join()


def test_a_cycle_that_nobody_can_reach_is_told_as_such() -> None:
    w = leaf()

    def lose() -> None:
        one = SimpleNamespace(kept=w * 2)
        one.itself = one

    lose()
    (holder,) = w.graph_alive().holders
    assert "waits for gc.collect()" in holder.names[0]
    gc.collect()
    assert w.graph_alive().holders == ()


def test_saved_bytes_go_with_backward() -> None:
    w = leaf()
    h = w * 2
    loss = (h * h).tanh().sum()
    before = loss.graph_alive()
    assert before.saved_bytes == 2 * 12 and before.nodes == 4  # h, shared by both arguments of mul, and the tanh
    loss.backward()
    after = loss.graph_alive()
    assert after.saved_bytes == 0 and after.nodes == 4
    x = torch.ones(10, 4)
    view = w.new_ones(4).requires_grad_() * x.T.t()[:, :]
    assert view.graph_alive().saved_bytes == 160


def test_what_a_function_saved_counts() -> None:
    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x * 1)
            return x * x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            raise AssertionError

    y = Square.apply(leaf() * 1)
    assert y.graph_alive().saved_bytes == 12


def test_the_line_where_traced() -> None:
    w = leaf()
    with detect_anomaly():
        loss = (w * 2).sum()
    (holder,) = w.graph_alive().holders
    assert holder.line.text == "loss = (w * 2).sum()" and str(holder.line) in str(holder) and loss is not None


def test_many_holders_are_counted() -> None:
    gc.freeze()  # what was there before is not looked through: 16 holders take a while in a large program
    w = leaf()
    boxes = {f"v{i}": SimpleNamespace(kept=w * i) for i in range(20)}
    alive = w.graph_alive()
    assert len(alive.holders) == 16 and alive.more == 4 and "and 4 more tensors" in str(alive) and boxes
    gc.unfreeze()


def test_without_a_graph() -> None:
    assert torch.ones(2).graph_alive().nodes == 0 and "nobody" in str(torch.ones(2).graph_alive())
    assert leaf().graph_alive().holders == ()


def test_asking_holds_nothing_and_takes_nothing() -> None:
    w = leaf()
    loss, other = (w * w).sum(), 5
    links = [weakref.ref(loss), weakref.ref(loss.grad_fn)]
    snapshot = locals()
    alive = [loss.graph_alive(), w.graph_alive()]
    assert snapshot["other"] == 5 and loss is not None  # the user's own locals() survives
    del snapshot, loss
    locals()  # what Python itself keeps of a frame's variables is renewed
    assert [link() for link in links] == [None, None] and len(alive) == 2 and other == 5


def test_asking_inside_a_class_body_and_a_comprehension() -> None:
    w = leaf()

    class Body:
        kept = w * 2
        alive = [w.graph_alive() for _ in range(1)][0]

    assert Body.alive.nodes == 1 and any("Body.kept" in name for name in names(w.graph_alive()))


def test_the_traceback_of_an_exception_that_somebody_kept() -> None:
    w = torch.ones(3, requires_grad=True)

    def fails() -> None:
        h = (w * w).sum()
        raise ValueError(h.shape)

    try:
        fails()
    except ValueError as error:
        kept, mine = error, (w * 2).sum()
    assert [name.split(",")[0] for one in w.graph_alive().holders for name in one.names] == [
        "mine", "the traceback of an exception",
    ]  # fmt: skip
    del mine
    (holder,) = w.graph_alive().holders
    assert holder.names[0].startswith("the traceback of an exception, in fails"), holder
    del kept
    assert not w.graph_alive().holders
