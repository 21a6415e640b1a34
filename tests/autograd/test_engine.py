"""The engine held to its word: sums over paths, all or nothing, hooks, modes, memory, threads, inf and nan."""

from __future__ import annotations

import asyncio
import gc
import math
import re
import threading
import warnings
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_pt as torch
from tinygrad_pt import ops


def leaf(*values: float) -> Any:
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


def number(value: float) -> Any:
    return torch.tensor(value, dtype=torch.float64, requires_grad=True)


def told(slope: Callable[[Any], Any]) -> Any:
    """The identity, with the backward it is told to have."""

    class Told(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 1

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return slope(g)

    return Told.apply


@pytest.fixture
def no_collector() -> Iterator[None]:
    """What dies here dies by reference counting."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


# ------------------------------------------------------------------------------------------ sums over paths
@pytest.mark.parametrize(
    ("f", "slope"),
    [
        (lambda a: a + a, lambda a: 2.0),
        (lambda a: a - a, lambda a: 0.0),
        (lambda a: a * a, lambda a: 2 * a),
        (lambda a: a / a, lambda a: 0.0),
        (lambda a: a * a * a, lambda a: 3 * a * a),
        (lambda a: (a + 1) * (a + 2), lambda a: 2 * a + 3),
        (lambda a: a.exp() * a.sin(), lambda a: math.exp(a) * (math.sin(a) + math.cos(a))),
    ],
    ids=["a+a", "a-a", "a*a", "a/a", "a*a*a", "diamond", "product"],
)
@pytest.mark.parametrize("value", [-1.5, 0.25, 3.0])
def test_gradients_add_up_where_paths_meet(f: Any, slope: Any, value: float) -> None:
    a = number(value)
    f(a).backward()
    assert a.grad.item() == pytest.approx(slope(value), abs=1e-12)


def test_a_stack_of_diamonds_has_two_to_the_depth_paths() -> None:
    a = number(1.0)
    b = a
    for _ in range(60):
        b = b + b
    b.backward()
    assert a.grad.item() == 2.0**60


def test_a_node_waits_for_the_longest_path() -> None:
    x = number(0.5)
    h = x.sin()
    long = h
    for _ in range(5):
        long = long * 1
    seen: list[float] = []
    h.register_hook(lambda g: seen.append(g.item()))
    (h * 2 + long * 3).backward()
    assert seen == [5.0]
    assert x.grad.item() == pytest.approx(5 * math.cos(0.5))


def test_a_shared_parameter_collects_from_every_use() -> None:
    w = torch.tensor([[2.0, 0.0], [1.0, 1.0]], dtype=torch.float64, requires_grad=True)
    x = torch.tensor([[1.0], [3.0]], dtype=torch.float64)
    (w @ (w @ x)).sum().backward()
    ones, a = np.ones((2, 1)), w.detach().numpy()
    np.testing.assert_allclose(w.grad.numpy(), ones @ (a @ x.numpy()).T + (a.T @ ones) @ x.numpy().T)


@pytest.mark.parametrize(
    "f",
    [
        lambda a, b: a + b,
        lambda a, b: a.view(3) + b.view(3),
        lambda a, b: a.expand(3) + b.expand(3),
        lambda a, b: torch.cat([a, b]),
        lambda a, b: torch.stack([a, b]),
    ],
    ids=["add", "view", "expand", "cat", "stack"],
)
def test_two_parents_of_one_g_own_their_gradients(f: Any) -> None:
    a, b = leaf(1.0, 2.0, 3.0), leaf(4.0, 5.0, 6.0)
    y = f(a, b)
    seed = torch.ones_like(y)
    y.backward(seed)
    grads = [a.grad.numpy(), b.grad.numpy(), seed.numpy()]
    for i, one in enumerate(grads):
        assert not any(np.shares_memory(one, other) for other in grads[:i])
    a.grad.zero_()
    assert b.grad.tolist() == [1, 1, 1] and (seed == 1).all()


@pytest.mark.parametrize("f", [lambda a, b: a + b, lambda a, b: a.view(3) + b.expand(3)], ids=["add", "view"])
def test_inner_inputs_own_their_gradients(f: Any) -> None:
    a, b = leaf(1.0, 2.0, 3.0) * 1, leaf(4.0, 5.0, 6.0) * 1
    y = f(a, b)
    seed = torch.ones_like(y)
    grads = [*torch.autograd.grad(y, [a, b, y], seed), seed]
    for i, one in enumerate(grads):
        assert not any(np.shares_memory(one.numpy(), other.numpy()) for other in grads[:i])


def test_grad_is_one_object_that_grows() -> None:
    x = leaf(1.0, 2.0)
    (x * x).sum().backward()
    kept, memory = x.grad, x.grad.numpy()
    (x * 3).sum().backward()
    assert x.grad is kept and np.shares_memory(x.grad.numpy(), memory)
    assert memory.tolist() == [5.0, 7.0]
    x.grad = None
    (x * 3).sum().backward()
    assert x.grad is not kept and memory.tolist() == [5.0, 7.0]


def tangled(program: Any, tensors: list[Any]) -> list[tuple[str, int, int]]:
    """The steps of a program as (op, argument, argument), the arguments being positions of earlier values."""
    count = len(tensors)
    return [(op, i % (count + k), j % (count + k)) for k, (op, i, j) in enumerate(program)]


APPLY: dict[str, Any] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "tanh": lambda a, b: a.tanh() if hasattr(a, "tanh") else math.tanh(a),
}
PARTIAL: dict[str, Any] = {
    "+": lambda a, b: (1.0, 1.0),
    "-": lambda a, b: (1.0, -1.0),
    "*": lambda a, b: (b, a),
    "tanh": lambda a, b: (1 - math.tanh(a) ** 2, 0.0),
}
STEPS = st.lists(st.tuples(st.sampled_from([*APPLY]), st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=9)


@given(STEPS, st.lists(st.floats(-1, 1, width=16), min_size=1, max_size=3))
def test_random_graphs_against_the_sum_over_all_paths(program: Any, values: list[float]) -> None:
    leaves = [number(v) for v in values]
    steps, tensors, numbers = tangled(program, leaves), [*leaves], [*values]
    for op, i, j in steps:
        tensors.append(APPLY[op](tensors[i], tensors[j]))
        numbers.append(APPLY[op](numbers[i], numbers[j]))

    def paths(top: int, bottom: int) -> float:
        if top == bottom:
            return 1.0
        if top < len(values):
            return 0.0
        op, i, j = steps[top - len(values)]
        left, right = PARTIAL[op](numbers[i], numbers[j])
        return left * paths(i, bottom) + (right * paths(j, bottom) if op != "tanh" else 0.0)

    tensors[-1].backward()
    assert tensors[-1].item() == pytest.approx(numbers[-1], rel=1e-12, abs=1e-12)
    for k, x in enumerate(leaves):
        expected = paths(len(numbers) - 1, k)
        assert (0.0 if x.grad is None else x.grad.item()) == pytest.approx(expected, rel=1e-9, abs=1e-9)


# ------------------------------------------------------------------------------------------ all or nothing
def test_retain_graph_allows_another_backward() -> None:
    x = number(2.0)
    y = x**3
    y.backward(retain_graph=True)
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.item() == 36.0
    with pytest.raises(RuntimeError, match="a second time"):
        y.backward()
    assert x.grad.item() == 36.0


def test_a_partly_freed_graph_changes_nothing() -> None:
    x, w = number(2.0), number(5.0)
    shared = x.exp()
    (shared * 2).backward()
    x.grad = None
    with pytest.raises(RuntimeError, match="Trying to backward through the graph a second time"):
        (w * 7 + shared * 3).backward()
    assert x.grad is None and w.grad is None


@pytest.mark.parametrize("change", ["add_", "mul_", "zero_", "fill_", "setitem"])
def test_a_mutated_saved_value_is_pytorchs_error_and_changes_nothing(change: str) -> None:
    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
    h = x * 2
    loss = (h * h * w).sum() + w.sum()
    if change == "setitem":
        h[0] = 1.0
    else:
        getattr(h, change)(*() if change == "zero_" else (3,))
    text = (
        "one of the variables needed for gradient computation has been modified by an inplace operation: "
        "[torch.DoubleTensor [2]], which is output 0 of "
    )
    with pytest.raises(RuntimeError, match=re.escape(text)) as caught:
        loss.backward()
    assert re.search(r"is at version 1; expected version 0 instead\. Hint: enable anomaly", str(caught.value))
    assert x.grad is None and w.grad is None
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        torch.autograd.grad(loss, [x, w])


@pytest.mark.parametrize(("changed", "shape", "origin"), [(0, [2, 1], "Mul"), (1, [3], "Exp"), (2, [2, 3], "Pow")])
def test_among_several_saved_values_the_changed_one_is_named(changed: int, shape: list[int], origin: str) -> None:
    x = torch.ones(2, 1, dtype=torch.float64, requires_grad=True)
    base, exponent = x * 2, leaf(1.0, 2.0, 3.0).exp()
    y = base**exponent
    (base, exponent, y)[changed].mul_(2)
    with pytest.raises(RuntimeError, match=re.escape(f"DoubleTensor {shape}], which is output 0 of {origin}, is at")):
        y.sum().backward()


def test_a_change_of_what_no_rule_reads_is_allowed() -> None:
    x = leaf(1.0, 2.0)
    h = x * 2
    y = h + 1
    h.zero_()
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


REFUSED: dict[str, tuple[Any, str]] = {
    "no element": (lambda x: (x * 2)[:0].backward(), "grad can be implicitly created only for scalar outputs"),
    "more gradients": (lambda x: torch.autograd.backward([x.sum()], [None, None]), "got 1 tensors and 2 gradients"),
    "non-scalar": (lambda x: (x * 2).backward(), "grad can be implicitly created only for scalar outputs"),
    "no grad": (
        lambda x: x.detach().sum().backward(),
        "element 0 of tensors does not require grad and does not have a grad_fn",
    ),
    "shape of gradient": (
        lambda x: (x * 2).backward(torch.ones(3, dtype=torch.float64)),
        "Mismatch in shape: grad_output[0] has a shape of torch.Size([3]) and output[0] has a shape of torch.Size([2])",
    ),
    "scalar for a vector": (lambda x: (x * 2).backward(torch.tensor(1.0)), "Mismatch in shape: grad_output[0]"),
    "no inputs": (lambda x: x.sum().backward(inputs=[]), "`inputs` argument to `backward()` cannot be empty."),
    "input without grad": (lambda x: x.sum().backward(inputs=[x.detach()]), "does not require grad"),
    "grad of no grad": (
        lambda x: torch.autograd.grad(x.sum(), x.detach()),
        "One of the differentiated Tensors does not require grad",
    ),
    "unused": (
        lambda x: torch.autograd.grad(x.sum(), leaf(1.0)),
        "The differentiated Tensor at index 0 appears to not have been used in the graph.",
    ),
    "second of two roots": (
        lambda x: torch.autograd.backward([x.sum(), x * 2]),
        "grad can be implicitly created only for scalar outputs",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_changes_nothing(case: str) -> None:
    call, text = REFUSED[case]
    x = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match=re.escape(text)):
        call(x)
    assert x.grad is None


def test_seeds() -> None:
    x = leaf(1.0, 2.0)
    (x * x).backward(torch.tensor([1.0, 10.0], dtype=torch.float64))
    assert x.grad.tolist() == [2.0, 40.0]
    (x[:1] * 3).backward()  # one element needs no seed, whatever its shape
    assert x.grad.tolist() == [5.0, 40.0]
    torch.autograd.backward([x.sum(), x * 2], [None, torch.ones(2, dtype=torch.float64)])
    assert x.grad.tolist() == [8.0, 43.0]
    with pytest.raises(TypeError, match="gradients can be either Tensors or None"):
        (x * x).backward(1.0)


# ------------------------------------------------------------------------------------------ hooks
def test_hooks_run_in_order_and_replace() -> None:
    x = leaf(1.0, 2.0)
    seen: list[Any] = []
    x.register_hook(lambda g: seen.append(("first", g.tolist())))
    doubling = x.register_hook(lambda g: g * 2)
    x.register_hook(lambda g: seen.append(("last", g.tolist())))
    (x * 3).sum().backward()
    assert seen == [("first", [3.0, 3.0]), ("last", [6.0, 6.0])] and x.grad.tolist() == [6.0, 6.0]
    doubling.remove()
    doubling.remove()  # as often as one likes
    x.grad = None
    (x * 3).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


def test_a_hook_between_sees_the_whole_gradient_and_what_flows_on() -> None:
    x = number(2.0)
    h = x * x
    h.retain_grad()
    h.register_hook(lambda g: g + 1)
    (h * 3 + h).backward()
    assert h.grad.item() == 5.0 and x.grad.item() == 20.0


class Answer:
    """A hook without a name."""

    def __call__(self, g: Any) -> Any:
        return torch.cat([g, g])


@pytest.mark.parametrize(
    ("hook", "error", "text"),
    [
        (lambda g: g[:1], RuntimeError, "hook '<lambda>' has changed the size of value"),
        (lambda g: g.view(2, 1), RuntimeError, "hook '<lambda>' has changed the size of value"),
        (Answer(), RuntimeError, "hook '<unknown>' has changed the size of value"),
        (
            lambda g: g.float(),
            RuntimeError,
            "hook '<lambda>' has changed the type of value (was torch.DoubleTensor got torch.FloatTensor)",
        ),
        (lambda g: 2.0, TypeError, "expected Variable, but hook returned 'float'"),
    ],
)
@pytest.mark.parametrize("between", [False, True])
@pytest.mark.parametrize("create", [False, True])
def test_a_hook_with_a_wrong_answer_changes_nothing(
    hook: Any, error: type[Exception], text: str, between: bool, create: bool
) -> None:
    x, w = leaf(1.0, 2.0), leaf(1.0, 2.0)
    h = x * 2
    (h if between else x).register_hook(hook)
    with pytest.raises(error, match="^" + re.escape(text)):
        (h * w).sum().backward(create_graph=create)
    assert x.grad is None and w.grad is None


def test_a_hook_may_not_widen_its_gradient_either() -> None:
    x = torch.ones(2, requires_grad=True)
    x.register_hook(lambda g: g.double())
    with pytest.raises(RuntimeError, match=r"type of value \(was torch.FloatTensor got torch.DoubleTensor\)"):
        x.sum().backward()


def test_hooks_beside_the_way_to_the_inputs_are_not_called() -> None:
    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
    aside, seed = w * 2, torch.ones(2, dtype=torch.float64)
    calls: list[Any] = []
    for t in (aside, w):
        t.register_hook(calls.append)
    aside.retain_grad()
    assert torch.autograd.grad([x * 3, aside, w], x, [seed, seed, seed])[0].tolist() == [3.0, 3.0]
    torch.autograd.backward([x * 3, aside, w], [seed, seed, seed], inputs=[x])
    assert not calls and aside.grad is None and w.grad is None and x.grad.tolist() == [3.0, 3.0]


def test_a_hook_that_raises_changes_nothing() -> None:
    x, w = number(1.0), number(2.0)

    def fail(g: Any) -> None:
        raise KeyError("mine")

    x.register_hook(fail)
    with pytest.raises(KeyError, match="mine"):
        (x * w).backward()
    assert x.grad is None and w.grad is None


def test_hooks_run_once_per_walk_and_for_autograd_grad() -> None:
    x = number(2.0)
    seen: list[float] = []
    x.register_hook(lambda g: seen.append(g.item()))
    (x * x + x).backward()
    torch.autograd.grad(x * 4, x)
    assert seen == [5.0, 4.0]


def test_post_accumulate_hooks_see_the_finished_grad() -> None:
    x = leaf(1.0, 2.0)
    seen: list[Any] = []
    handle = x.register_post_accumulate_grad_hook(lambda t: seen.append((t is x, t.grad.tolist())))
    (x * 3).sum().backward()
    (x * 4).sum().backward()
    assert seen == [(True, [3.0, 3.0]), (True, [7.0, 7.0])]
    handle.remove()
    torch.autograd.grad((x * 5).sum(), x)
    x.sum().backward()
    assert len(seen) == 2
    with pytest.raises(RuntimeError, match="post accumulate grad hooks cannot be registered on non-leaf tensors"):
        (x * 2).register_post_accumulate_grad_hook(print)


def test_an_optimizer_step_may_live_in_a_hook() -> None:
    x = leaf(1.0, 2.0)
    optimizer = torch.optim.SGD([x], lr=0.5)

    def step(_: Any) -> None:
        optimizer.step()
        optimizer.zero_grad()

    x.register_post_accumulate_grad_hook(step)
    (x * 2).sum().backward()
    assert x.tolist() == [0.0, 1.0] and x.grad is None


def test_hooks_want_a_gradient() -> None:
    with pytest.raises(RuntimeError, match="cannot register a hook on a tensor that doesn't require grad"):
        torch.ones(2).register_hook(print)
    with pytest.raises(RuntimeError, match="can't retain_grad on Tensor that has requires_grad=False"):
        torch.ones(2).retain_grad()


def test_retain_grad() -> None:
    x = leaf(1.0, 2.0)
    h, other = x * 2, x * 5
    h.retain_grad()
    h.retain_grad()
    x.retain_grad()
    assert h.retains_grad and not x.retains_grad and not other.retains_grad
    (h * 3 + other).sum().backward()
    assert h.grad.tolist() == [3.0, 3.0] and x.grad.tolist() == [11.0, 11.0]
    with pytest.warns(UserWarning, match="is not a leaf Tensor"):
        assert other.grad is None


# ------------------------------------------------------------------------------------------ chosen inputs
def test_backward_into_chosen_inputs() -> None:
    x, w = number(2.0), number(3.0)
    h = x * w
    (h * h).backward(inputs=[w], retain_graph=True)
    assert x.grad is None and w.grad.item() == 24.0
    (h * h).backward(inputs=h, retain_graph=True)
    assert x.grad is None and w.grad.item() == 24.0 and h._grad.item() == 12.0


def test_autograd_grad_touches_no_grad_and_takes_any_input() -> None:
    x = number(2.0)
    h = x * x
    y = h.exp() + x
    dy_dh, dy_dx, dy_dy = torch.autograd.grad(y, [h, x, y])
    assert dy_dh.item() == pytest.approx(math.exp(4))
    assert dy_dx.item() == pytest.approx(4 * math.exp(4) + 1)
    assert dy_dy.item() == 1.0 and x.grad is None


def test_several_outputs_add_up() -> None:
    x = leaf(1.0, 2.0)
    seeds = [torch.tensor([1.0, 0.0], dtype=torch.float64), None]
    (g,) = torch.autograd.grad([x * 3, x.sum()], x, seeds)
    assert g.tolist() == [4.0, 1.0]
    y = x.sum()
    assert torch.autograd.grad([y, y], x)[0].tolist() == [2.0, 2.0]


def test_unused_inputs_are_none_or_zeros() -> None:
    x, unused = number(2.0), leaf(1.0, 2.0)
    g, none = torch.autograd.grad(x * 2, [x, unused], allow_unused=True)
    assert g.item() == 2.0 and none is None
    g, zeros = torch.autograd.grad(x * 2, [x, unused], materialize_grads=True)
    assert g.item() == 2.0 and zeros.tolist() == [0.0, 0.0]
    with pytest.raises(ValueError, match="Expected allow_unused to be True or not passed"):
        torch.autograd.grad(x * 2, [x, unused], allow_unused=False, materialize_grads=True)


def test_only_the_rules_on_the_way_are_read() -> None:
    def refuse(g: Any) -> Any:
        raise AssertionError("a rule nobody needs was read")

    x, aside = number(2.0), number(3.0)
    y = x.sin() * told(refuse)(aside)
    (g,) = torch.autograd.grad(y, x, retain_graph=True)
    assert g.item() == pytest.approx(3 * math.cos(2.0))
    y.backward(inputs=[x], retain_graph=True)
    assert x.grad.item() == pytest.approx(3 * math.cos(2.0))
    with pytest.raises(AssertionError, match="nobody needs"):
        y.backward()


def test_where_nothing_flows_nothing_else_is_stopped() -> None:
    x = leaf(0.5, 2.0)
    older = x.exp()
    condition = x * 2  # no rule of where leads here
    ops.where(condition, older, older * 3).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), np.exp([0.5, 2.0]))


def test_a_frozen_branch_leaves_no_rules() -> None:
    x, frozen = number(2.0), torch.tensor(3.0, dtype=torch.float64)
    assert frozen.exp().grad_fn is None
    y = x * frozen.exp()
    assert [p for p, _ in y.grad_fn.next_functions][1] is None
    y.backward()
    assert frozen.grad is None


# ------------------------------------------------------------------------------------------ higher orders
def test_five_derivatives_of_sine() -> None:
    x = leaf(-1.0, 0.0, 0.5, 2.0)
    y = torch.sin(x)
    for k in range(1, 6):
        (y,) = torch.autograd.grad(y.sum(), x, create_graph=True)
        np.testing.assert_allclose(y.detach().numpy(), np.sin(x.detach().numpy() + k * np.pi / 2), atol=1e-15)
    assert x.grad is None


def test_a_gradient_is_plain_unless_asked() -> None:
    x = number(3.0)
    (plain,) = torch.autograd.grad(x**3, x)
    (recorded,) = torch.autograd.grad(x**3, x, create_graph=True)
    assert not plain.requires_grad and plain.item() == recorded.item() == 27.0
    assert torch.autograd.grad(recorded, x)[0].item() == 18.0


def test_mixed_derivatives_and_a_penalty_on_the_gradient() -> None:
    x, w = number(2.0), number(3.0)
    (g,) = torch.autograd.grad(x**2 * w**3, x, create_graph=True)
    (g**2).backward()
    # g = 2xw³, so ∂g²/∂x = 8xw⁶ and ∂g²/∂w = 24x²w⁵
    assert x.grad.item() == pytest.approx(8 * 2 * 3**6)
    assert w.grad.item() == pytest.approx(24 * 4 * 3**5)


def test_a_gradient_that_depends_on_nothing_is_a_tensor_too() -> None:
    x, w = leaf(1.0, 2.0), leaf(1.0, 2.0)
    torch.autograd.backward([x.sum(), w[:1]], create_graph=True)
    found = [t.grad for t in (x, w)]
    assert [g.tolist() for g in found] == [[1.0, 1.0], [1.0, 0.0]]
    assert not any(g.requires_grad for g in found)
    x.grad = None
    x.sum().backward(create_graph=True)
    assert isinstance(x.grad, torch.Tensor) and x.grad.tolist() == [1.0, 1.0]


def test_backward_with_create_graph() -> None:
    x = number(2.0)
    (x**4).backward(create_graph=True)
    first, x.grad = x.grad, None
    assert first.requires_grad and first.item() == 32.0
    first.backward()
    assert x.grad.item() == 48.0


def test_create_graph_records_even_within_no_grad() -> None:
    x = number(2.0)
    y = x**3
    with torch.no_grad():
        (g,) = torch.autograd.grad(y, x, create_graph=True)
    assert g.requires_grad and torch.autograd.grad(g, x)[0].item() == 12.0


# ------------------------------------------------------------------------------------------ modes
MODES: dict[str, tuple[Any, bool]] = {
    "no_grad": (lambda: torch.no_grad(), False),
    "enable_grad": (lambda: torch.enable_grad(), True),
    "inference_mode": (lambda: torch.inference_mode(), False),
    "set_grad_enabled": (lambda: torch.set_grad_enabled(False), False),
}


@pytest.mark.parametrize("name", MODES)
@pytest.mark.parametrize("outer", [True, False])
def test_modes_as_context_managers_and_decorators(name: str, outer: bool) -> None:
    make, recording = MODES[name]
    x = number(1.0)

    def double() -> Any:
        """The docstring survives."""
        return x * 2

    with torch.enable_grad() if outer else torch.no_grad():
        with make():
            assert torch.is_grad_enabled() is (x * 2).requires_grad is recording
        assert torch.is_grad_enabled() is outer
        with pytest.raises(ZeroDivisionError), make():
            _ = 1 // 0
        assert torch.is_grad_enabled() is outer
        if name != "set_grad_enabled":  # which switches at once, when it is called
            decorated = make()(double)
            assert torch.is_grad_enabled() is outer
            assert decorated().requires_grad is recording and decorated.__doc__ == double.__doc__
            assert torch.is_grad_enabled() is outer
    assert torch.is_grad_enabled()


def test_a_mode_decorates_without_parentheses_and_through_recursion() -> None:
    @torch.no_grad
    def depth(n: int) -> list[bool]:
        return [] if n == 0 else [torch.is_grad_enabled(), *depth(n - 1), torch.is_grad_enabled()]

    assert depth(3) == [False] * 6 and torch.is_grad_enabled()


def test_set_grad_enabled_switches_at_once() -> None:
    try:
        torch.set_grad_enabled(False)
        assert not torch.is_grad_enabled()
    finally:
        torch.set_grad_enabled(True)
    assert torch.is_grad_enabled()


def test_one_context_manager_nests_in_itself() -> None:
    quiet = torch.no_grad()
    with quiet, torch.enable_grad(), quiet:
        assert not torch.is_grad_enabled()
    assert torch.is_grad_enabled()


def test_modes_belong_to_their_thread() -> None:
    inside, outside = threading.Event(), threading.Event()
    seen: dict[str, bool] = {}

    def quiet() -> None:
        with torch.no_grad():
            inside.set()
            outside.wait(5)
            seen["thread"] = torch.is_grad_enabled()

    thread = threading.Thread(target=quiet)
    thread.start()
    assert inside.wait(5)
    seen["main"] = torch.is_grad_enabled()
    outside.set()
    thread.join()
    assert seen == {"main": True, "thread": False}


def test_modes_belong_to_their_task() -> None:
    async def work(mode: Any, expected: bool) -> list[bool]:
        with mode:
            seen = []
            for _ in range(5):
                await asyncio.sleep(0)
                seen.append(torch.is_grad_enabled() is expected)
            return seen

    async def main() -> list[list[bool]]:
        return await asyncio.gather(
            work(torch.no_grad(), False), work(torch.enable_grad(), True), work(torch.inference_mode(), False)
        )

    assert asyncio.run(main()) == [[True] * 5] * 3


def test_inference_tensors_stay_out_of_graphs() -> None:
    w = leaf(1.0, 2.0)
    with torch.inference_mode():
        x = torch.ones(2, dtype=torch.float64) * 3
        y = w * 2
    assert x.is_inference() and y.is_inference() and not y.requires_grad
    with pytest.raises(RuntimeError, match="Inference tensors cannot be saved for backward"):
        w * x
    with pytest.raises(RuntimeError, match="Inplace update to inference tensor outside InferenceMode"):
        x.add_(1)
    with torch.inference_mode():
        x.add_(1)
    (w + x).sum().backward()  # nothing of x is saved
    (w * x.clone()).sum().backward()
    assert w.grad.tolist() == [5.0, 5.0]


# ------------------------------------------------------------------------------------------ size and memory
@pytest.mark.long
def test_a_chain_of_200_000_ops_is_walked_and_freed_without_recursion() -> None:
    x = number(1.0)
    y = x
    for _ in range(200_000):
        y = y + 1.0
    link = weakref.ref(y.grad_fn)
    y.backward()
    assert x.grad.item() == 1.0
    del y
    assert link() is None
    z = x
    for _ in range(200_000):  # and one that no backward pass has emptied
        z = z * 1.0
    link = weakref.ref(z.grad_fn)
    del z
    assert link() is None


LOSSES: dict[str, Any] = {
    "elementwise": lambda x: (x.tanh() * x).sum(),
    "views": lambda x: (x.view(3, 1).t() * 2)[0, 1],
    "softmax": lambda x: x.softmax(0).log()[0],
    "matmul": lambda x: (x.view(1, 3) @ x.view(3, 1)).sum(),
    "several results": lambda x: sum(part.sum() for part in x.exp().split(1)),
    "in place": lambda x: (x * 2).mul_(3).exp().sum(),
}


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("after", ["nothing", "backward", "retained", "create_graph", "hook", "error"])
@pytest.mark.usefixtures("no_collector")
def test_a_graph_dies_with_its_last_handle(name: str, after: str) -> None:
    x = leaf(0.1, 0.2, 0.3)
    loss = LOSSES[name](x)
    links, stack = [], [loss.grad_fn]
    while stack:
        node = stack.pop()
        if node is not None and node is not x.node:
            links.append(weakref.ref(node))
            stack.extend(p for p, _ in node.next_functions)
    del stack, node
    if after == "hook":
        loss.register_hook(lambda g: g * 2)
        loss.retain_grad()
    if after == "create_graph":
        torch.autograd.grad(loss, x, create_graph=True)
    elif after == "error":
        with pytest.raises(RuntimeError):
            loss.backward(torch.ones(7))
    elif after != "nothing":
        loss.backward(retain_graph=after == "retained")
    del loss
    assert links and not [link() for link in links if link() is not None]


@pytest.mark.usefixtures("no_collector")
def test_arrays_that_no_rule_reads_are_not_kept() -> None:
    x = leaf(*np.linspace(0.1, 1, 5))
    unread, read = [], []
    h = x
    for _ in range(4):
        h = h + 1
        unread.append(weakref.ref(h.array))
        h = h * 2
        unread.append(weakref.ref(h.array))
        h = h.tanh()
        read.append(weakref.ref(h.array))
    loss = h.sum()
    del h
    assert [link() for link in unread] == [None] * 8
    assert all(link() is not None for link in read)
    loss.backward()
    assert [link() for link in read] == [None] * 4  # and backward lets go of the rest, loss or no loss


@pytest.mark.usefixtures("no_collector")
def test_a_constant_factor_is_kept_for_the_other_side_only() -> None:
    n = 2049  # of 8 bytes each: a constant of four pages or less stays, for pictures
    w, x = leaf(*[1.0] * n), torch.full((n,), 3.0, dtype=torch.float64)
    h = w + 0
    factor, product = weakref.ref(x.array), weakref.ref(h.array)
    y = h * x
    del h, x
    assert factor() is not None and product() is None
    y.sum().backward()
    assert factor() is None and w.grad.tolist() == [3.0] * n


@pytest.mark.usefixtures("no_collector")
def test_a_dead_leaf_takes_its_gradient_along() -> None:
    x, w = leaf(1.0), leaf(2.0)
    y = x * w
    link = weakref.ref(x)
    del x
    assert link() is None
    y.backward()
    assert w.grad.tolist() == [1.0]


def test_threads_with_graphs_of_their_own() -> None:
    results: dict[int, bool] = {}

    def train(seed: int) -> None:
        draw = np.random.default_rng(seed)
        w, x = torch.tensor(draw.normal(size=(8, 8)), requires_grad=True), torch.tensor(draw.normal(size=(8, 8)))
        for _ in range(20):
            w.grad = None
            (w @ x).tanh().sum().backward()
        t = np.tanh(w.detach().numpy() @ x.numpy())
        results[seed] = np.allclose(w.grad.numpy(), (1 - t**2) @ x.numpy().T)

    threads = [threading.Thread(target=train, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == dict.fromkeys(range(6), True)


# ------------------------------------------------------------------------------------------ inf and nan
FORWARD: dict[str, tuple[Any, Any, float]] = {
    "log 0": (torch.log, [0.0], -math.inf),
    "log -1": (torch.log, [-1.0], math.nan),
    "0/0": (lambda x: x / x, [0.0], math.nan),
    "1/0": (lambda x: 1 / x, [0.0], math.inf),
    "exp": (torch.exp, [1e4], math.inf),
    "overflow": (lambda x: x * x, [1e300], math.inf),
    "inf - inf": (lambda x: x - x, [math.inf], math.nan),
    "sqrt": (torch.sqrt, [-1.0], math.nan),
    "power": (lambda x: x**-2.0, [0.0], math.inf),
    "matmul": (lambda x: x.view(1, 1) @ x.view(1, 1), [1e300], math.inf),
    "sum": (lambda x: x.sum(), [1e308, 1e308], math.inf),
}


@pytest.mark.parametrize("name", FORWARD)
@pytest.mark.parametrize("dim", [0, 1])
def test_inf_and_nan_are_values_where_warnings_are_errors(name: str, dim: int) -> None:
    f, values, expected = FORWARD[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        x = number(values[0]) if dim == 0 and len(values) == 1 else leaf(*values)
        y = f(x)
        y.sum().backward()
    np.testing.assert_equal(y.detach().numpy().ravel()[0], expected)
    (plain,) = torch.autograd.grad(f(x).sum(), x)  # where nobody made warnings errors
    np.testing.assert_array_equal(x.grad.numpy(), plain.numpy())


BACKWARD: dict[str, tuple[Any, float, float]] = {
    "log at 0": (torch.log, 0.0, math.inf),
    "sqrt at 0": (torch.sqrt, 0.0, math.inf),
    "1/x at 0": (lambda x: 1 / x, 0.0, -math.inf),
    "overflow": (lambda x: x * 1e300 * 1e300, 1e-300, math.inf),
    "0 · inf": (lambda x: torch.log(x) * 0, 0.0, math.nan),
    "two paths": (lambda x: x * 1.5e308 + x * 1.5e308, 0.0, math.inf),
}


@pytest.mark.parametrize("name", BACKWARD)
@pytest.mark.parametrize("dim", [0, 1])
@pytest.mark.parametrize("create", [False, True])
def test_so_are_they_in_backward(name: str, dim: int, create: bool) -> None:
    f, value, expected = BACKWARD[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        x = leaf(value) if dim else number(value)
        f(x).sum().backward(create_graph=create)
    np.testing.assert_equal(x.grad.detach().numpy().ravel()[0], expected)


def test_so_are_they_where_gradients_accumulate() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for x in (number(1.0), leaf(1.0)):
            for _ in range(2):
                (x * 1.5e308).sum().backward()
            assert x.grad.numpy().ravel()[0] == math.inf


@pytest.mark.parametrize(
    "make",
    [
        lambda p: torch.optim.SGD(p, lr=1e300),
        lambda p: torch.optim.SGD(p, lr=1e300, momentum=0.9, weight_decay=0.1),
        lambda p: torch.optim.Adam(p, lr=1e300),
        lambda p: torch.optim.AdamW(p, lr=1e300),
    ],
    ids=["sgd", "momentum", "adam", "adamw"],
)
def test_so_are_they_in_an_optimizer_step(make: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        x = leaf(1e308, 0.0)
        optimizer = make([x])
        for _ in range(3):
            optimizer.zero_grad()
            (x * 1e200).sum().backward()
            optimizer.step()
    assert not np.isfinite(x.detach().numpy()).all()


CREATED: dict[str, tuple[Any, list[float]]] = {
    "tensor": (lambda: torch.tensor([1e308, 1.0]), [math.inf, 1.0]),
    "float16": (lambda: torch.tensor([1e6, 1.0], dtype=torch.float16), [math.inf, 1.0]),
    "from NumPy": (lambda: torch.tensor(np.array([1e308]), dtype=torch.float32), [math.inf]),
    "full": (lambda: torch.full((1,), 1e6, dtype=torch.float16), [math.inf]),
    "fill": (lambda: torch.zeros(1, dtype=torch.float16).fill_(1e6), [math.inf]),
    "where": (lambda: torch.where(torch.tensor([False]), torch.zeros(1, dtype=torch.float16), 1e6), [math.inf]),
    "arange": (lambda: torch.arange(0, 1e308, 5e307), [0.0, math.inf]),
    "logspace": (lambda: torch.logspace(0, 400, 3), [1.0, math.inf, math.inf]),
    "converted": (lambda: torch.tensor([1e308], dtype=torch.float64).float(), [math.inf]),
}


@pytest.mark.parametrize("name", CREATED)
def test_so_are_they_where_tensors_are_made(name: str) -> None:
    make, expected = CREATED[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert make().tolist() == expected


def test_so_are_they_in_a_norm() -> None:
    p = torch.ones(2, requires_grad=True)
    p.grad = torch.full((2,), 3e38)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert torch.nn.utils.clip_grad_norm_([p], 1.0).item() == math.inf
    assert p.grad.tolist() == [0.0, 0.0]


def test_a_root_remembers_what_its_backward_pass_began_with() -> None:
    """Drawings show it at the result's end."""
    x = torch.ones(2, requires_grad=True)
    y = x * 2
    assert y.grad_fn.note("seed") is None
    y.backward(torch.tensor([3.0, 4.0]))
    assert np.asarray(y.grad_fn.note("seed")).tolist() == [3, 4]
