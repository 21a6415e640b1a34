"""The promises of the engine: right sums, nothing kept, nothing half-done, no recursion, no leaks between tasks."""

from __future__ import annotations

import asyncio
import gc
import math
import threading
import warnings
import weakref
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_pt as torch
from tinygrad_pt.listening import Tape, listen


def leaf(*values: float) -> Any:
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


# ------------------------------------------------------------------------------------------ sums over paths
def test_fan_out_adds_up() -> None:
    a = leaf(3.0)
    b = a + a
    c = b + b
    c.sum().backward()
    assert a.grad.item() == 4.0


def test_one_edge_per_argument() -> None:
    a = leaf(3.0)
    y = a * a
    assert [p for p, _ in y.grad_fn.next_functions] == [a.node, a.node]
    y.sum().backward()
    assert a.grad.item() == 6.0


def test_a_shared_parameter_is_one_leaf() -> None:
    w, x = leaf(2.0), leaf(5.0)
    (w * x + torch.sin(w)).sum().backward()
    assert w.grad.item() == pytest.approx(5 + math.cos(2)) and x.grad.item() == 2.0


PROGRAM = st.lists(st.tuples(st.sampled_from("+-*t"), st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=12)


@given(PROGRAM, st.lists(st.integers(-8, 8).map(lambda i: i / 8), min_size=2, max_size=3))
def test_random_graphs_against_forward_differentiation(program: Any, values: Any) -> None:
    """A naive engine carries every value with its gradient by all leaves, forwards; both must agree."""
    leaves = [leaf(v) for v in values]
    tensors = list(leaves)
    naive = [(v, np.eye(len(values))[i]) for i, v in enumerate(values)]
    for op, i, j in program:
        a, b = tensors[i % len(tensors)], tensors[j % len(tensors)]
        (x, dx), (y, dy) = naive[i % len(naive)], naive[j % len(naive)]
        if op == "t":
            tensors.append(torch.tanh(a))
            naive.append((math.tanh(x), dx * (1 - math.tanh(x) ** 2)))
        else:
            tensors.append(a + b if op == "+" else a - b if op == "-" else a * b)
            naive.append((x + y, dx + dy) if op == "+" else (x - y, dx - dy) if op == "-" else (x * y, y * dx + x * dy))
    tensors[-1].sum().backward()
    found = [0.0 if t.grad is None else t.grad.item() for t in leaves]
    np.testing.assert_allclose(found, naive[-1][1], rtol=1e-9, atol=1e-9)


def test_the_fifth_derivative() -> None:
    x = leaf(0.7)
    y = torch.sin(x).sum()
    for _ in range(5):
        (y,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    assert y.item() == pytest.approx(math.cos(0.7))


# ------------------------------------------------------------------------------------------ .grad
def test_grad_grows_in_place_and_is_memory_of_its_own() -> None:
    a, b = leaf(1.0, 2.0), leaf(3.0, 4.0)
    seed = torch.ones(2, dtype=torch.float64)
    (a + b).backward(seed)
    first = a.grad
    assert not any(np.shares_memory(p, q) for p, q in ((a.grad.array, b.grad.array), (a.grad.array, seed.array)))
    (a + b).backward(seed)
    assert a.grad is first and a.grad.tolist() == [2.0, 2.0]


def test_backward_inputs_and_non_leaves() -> None:
    a, b = leaf(2.0), leaf(3.0)
    h = a * b
    h.retain_grad()
    (h * h).sum().backward(inputs=[b])
    assert a.grad is None and b.grad.item() == 24.0
    (g,) = torch.autograd.grad((a * b).exp().sum(), a)
    assert g.item() == pytest.approx(3 * math.exp(6))


def test_only_the_rules_on_the_way_are_read() -> None:
    class Mined(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 1

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            raise AssertionError("this rule is not on the way")

    a, b = leaf(2.0), leaf(3.0)
    (g,) = torch.autograd.grad((a * Mined.apply(b)).sum(), a)
    assert g.item() == 3.0


def test_unused_inputs() -> None:
    a, b = leaf(2.0), leaf(3.0)
    with pytest.raises(RuntimeError, match="index 1 appears to not have been used"):
        torch.autograd.grad((a * a).sum(), [a, b], retain_graph=True)
    y = (a * a).sum()
    assert torch.autograd.grad(y, [a, b], allow_unused=True, retain_graph=True)[1] is None
    assert torch.autograd.grad(y, [a, b], materialize_grads=True)[1].tolist() == [0.0]


# ------------------------------------------------------------------------------------------ refused, and nothing done
def test_a_second_backward_changes_nothing() -> None:
    a = leaf(2.0)
    y = (a * a).sum()
    y.backward()
    with pytest.raises(RuntimeError, match="Trying to backward through the graph a second time"):
        y.backward()
    assert a.grad.item() == 4.0
    z = (a * a).sum()
    z.backward(retain_graph=True)
    z.backward()
    assert a.grad.item() == 12.0


def test_a_mutated_saved_value_changes_nothing() -> None:
    a, w = leaf(2.0), torch.tensor([5.0], dtype=torch.float64)
    y = (a * w).sum()
    w[0] = 7
    with pytest.raises(RuntimeError) as caught:
        y.backward()
    assert "is at version 1; expected version 0 instead" in str(caught.value) and "mul" in str(caught.value)
    assert a.grad is None
    b = leaf(2.0)
    y = (b + w).sum()  # add saves nothing, so it minds no change
    w[0] = 1
    y.backward()
    assert b.grad.item() == 1.0


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: leaf(1.0, 2.0).backward(), "grad can be implicitly created only for scalar outputs"),
        (lambda: torch.ones(1).sum().backward(), "does not require grad and does not have a grad_fn"),
        (lambda: (leaf(1.0, 2.0) * 2).backward(torch.ones(3)), "Mismatch in shape: grad_output[0]"),
        (lambda: leaf(1.0).add_(1), "a leaf Variable that requires grad is being used in an in-place operation."),
        (lambda: torch.ones(1).register_hook(print), "doesn't require gradient"),
    ],
)
def test_refusals(call: Any, text: str) -> None:
    with pytest.raises(RuntimeError) as caught:
        call()
    assert text in str(caught.value)


# ------------------------------------------------------------------------------------------ hooks
def test_hooks_see_and_replace() -> None:
    x = leaf(1.0, 2.0)
    order = []
    y = x * 3
    y.register_hook(lambda g: order.append("y"))
    handle = x.register_hook(lambda g: g * 10)
    x.register_post_accumulate_grad_hook(lambda p: order.append(p.grad.tolist()))
    y.sum().backward(retain_graph=True)
    assert order == ["y", [30.0, 30.0]]
    handle.remove()
    y.sum().backward()
    assert x.grad.tolist() == [33.0, 33.0]


def test_a_hook_may_not_change_the_size() -> None:
    x = leaf(1.0, 2.0)
    x.register_hook(lambda g: g.sum())
    with pytest.raises(RuntimeError, match="has changed the size"):
        (x * 2).sum().backward()
    assert x.grad is None


# ------------------------------------------------------------------------------------------ modes
def test_modes_nest_and_decorate() -> None:
    x = leaf(1.0)

    @torch.no_grad()
    def silent(deep: int) -> bool:
        return (x * 2).requires_grad if deep == 0 else silent(deep - 1)

    assert not silent(3) and (x * 2).requires_grad
    with torch.no_grad(), torch.enable_grad():
        assert (x * 2).requires_grad
    with torch.inference_mode():
        frozen = x * 2
    with pytest.raises(RuntimeError, match="Inference tensors cannot be saved for backward"):
        frozen * x
    torch.set_grad_enabled(False)
    try:
        assert not (x * 2).requires_grad
    finally:
        torch.set_grad_enabled(True)


def test_modes_stay_in_their_thread_and_task() -> None:
    seen = []
    with torch.no_grad():
        thread = threading.Thread(target=lambda: seen.append(torch.is_grad_enabled()))
        thread.start()
        thread.join()
    assert seen == [True]

    async def quiet(started: asyncio.Event, done: asyncio.Event) -> None:
        with torch.no_grad():
            started.set()
            await done.wait()

    async def main() -> bool:
        started, done = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(quiet(started, done))
        await started.wait()
        enabled = torch.is_grad_enabled()
        done.set()
        await task
        return enabled

    assert asyncio.run(main())


def test_threads_walk_graphs_of_their_own() -> None:
    results: list[float] = []

    def work(k: int) -> None:
        x = leaf(float(k))
        for _ in range(50):
            (x * x).sum().backward()
        results.append(x.grad.item() / k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(1, 9)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert results == [100.0] * 8


# ------------------------------------------------------------------------------------------ size and memory
@pytest.mark.long
def test_long_chains_need_no_recursion() -> None:
    x = leaf(1.0)
    y = x
    for _ in range(200_000):
        y = y * 1.0
    y.sum().backward()
    assert x.grad.item() == 1.0
    del y


def test_a_graph_dies_with_its_last_handle() -> None:
    gc.disable()
    try:
        x = leaf(1.0, 2.0)
        for after_backward in (False, True):
            loss = (torch.tanh(x * 2)[0] + x.view(2, 1).sum()).exp()
            links = [weakref.ref(loss.grad_fn), weakref.ref(loss.grad_fn.next_functions[0][0])]
            if after_backward:
                loss.backward()
            del loss
            assert [link() for link in links] == [None, None]
    finally:
        gc.enable()


def test_what_no_rule_reads_is_not_kept() -> None:
    x = leaf(1.0, 2.0)
    h = x * 3
    unread = weakref.ref(h.array)
    y = h + 1
    read = weakref.ref(y.array)
    z = y.exp() * y
    del h, y
    assert unread() is None and read() is not None
    z.sum().backward()
    assert read() is None


def test_inf_and_nan_are_values_even_where_warnings_are_errors() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        x = torch.tensor([0.0, -1.0, 1e30], requires_grad=True)
        y = torch.log(x) + x * x * x * x + x / (x - x) + torch.exp(x)
        y.sum().backward()
        torch.optim.SGD([x], lr=1e30).step()
    assert not np.isfinite(x.grad.numpy()).all()


def test_a_listener_hears_every_op_gradients_wanted_or_not() -> None:
    seen: list[str] = []
    x = torch.ones(2, 2)
    with listen(Tape(lambda op, args, attrs, result: seen.append(op.name))):
        y = (x * 2 > 1).sum()
        torch.relu(x @ x).view(4).split(2)
        torch.nn.functional.linear(x, x)
    assert y.item() == 4
    assert seen == ["mul", "gt", "cast", "sum", "mm", "relu", "reshape", "split", "linear"]
    x * 2
    assert len(seen) == 9
