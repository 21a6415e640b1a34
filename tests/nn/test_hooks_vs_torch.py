"""Hooks of modules and tensors against PyTorch: what they are given, what they may answer, warnings and errors.

Each case is a program that gets one of the two libraries, `L`, with short names for what most cases need.
"""

from __future__ import annotations

import warnings
from collections import namedtuple
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

import tinygrad_pt

torch = pytest.importorskip("torch")

Case = Callable[[Any], Any]
CASES: dict[str, Case] = {}
P = namedtuple("P", "a b")


def case(program: Case) -> Case:
    CASES[program.__name__] = program
    return program


def library(t: Any) -> Any:
    """A library with a module made of a function, a leaf of numbers, and `runs`."""

    class M(t.nn.Module):
        def __init__(self, f: Any) -> None:
            super().__init__()
            self.f = f

        def forward(self, *args: Any, **kwargs: Any) -> Any:
            return self.f(*args, **kwargs)

    def leaf(*values: float) -> Any:
        return t.tensor(list(values), requires_grad=True)

    def runs(f: Any, take: Any = lambda r: r[0], full: Any = None, pre: Any = None, x: Any = None) -> Any:
        """What the hooks of a module with this forward hear when `take(result)` is walked."""
        heard: list[Any] = []
        m = M(f)
        if full is not False:
            m.register_full_backward_hook(full or (lambda m, i, o: heard.append(("full", told(i), told(o)))))
        if pre is not False:
            m.register_full_backward_pre_hook(pre or (lambda m, o: heard.append(("pre", told(o)))))
        x = leaf(1.0, 2.0) if x is None else x
        r = m(x)
        y = take(r)
        if isinstance(y, t.Tensor) and y.requires_grad:
            y.sum().backward()
        return r, heard, x.grad

    return SimpleNamespace(torch=t, nn=t.nn, M=M, leaf=leaf, runs=runs)


OURS, THEIRS = library(tinygrad_pt), library(torch)


def told(value: Any) -> Any:
    """A result in words that two libraries share."""
    if isinstance(value, (torch.Tensor, tinygrad_pt.Tensor)):
        return value.detach().numpy().tolist(), value.requires_grad
    if isinstance(value, dict):
        return {k: told(v) for k, v in value.items()}
    if isinstance(value, (tuple, list)):
        return type(value).__name__, [told(v) for v in value]
    return value


show = told


def outcome(program: Case, L: Any) -> Any:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            found = told(program(L))
        except Exception as error:
            found = type(error).__name__, (str(error).splitlines() or [""])[0].split("M.forward() ")[-1]
    return found, [(w.category, str(w.message)) for w in seen]


@case
def named(L: Any) -> Any:
    return L.runs(lambda x: P(x * 2, x * 3))


@case
def with_none(L: Any) -> Any:
    return L.runs(lambda x: (x * 2, None))


@case
def with_int(L: Any) -> Any:
    return L.runs(lambda x: (x * 2, 5))


@case
def with_tuple(L: Any) -> Any:
    return L.runs(lambda x: (x * 2, (x * 3,)))


@case
def listy(L: Any) -> Any:
    return L.runs(lambda x: [x * 2, x * 3])


@case
def dicty(L: Any) -> Any:
    return L.runs(lambda x: {"a": x * 2}, take=lambda r: r["a"])


@case
def stringy(L: Any) -> Any:
    return L.runs(lambda x: "a", take=lambda r: r)


@case
def none_out(L: Any) -> Any:
    return L.runs(lambda x: None, take=lambda r: r)


@case
def single(L: Any) -> Any:
    return L.runs(lambda x: x * 2, take=lambda r: r)


@case
def tuple1(L: Any) -> Any:
    return L.runs(lambda x: (x * 2,))


@case
def tuple0(L: Any) -> Any:
    return L.runs(lambda x: (), take=lambda r: r)


@case
def int_tensor(L: Any) -> Any:
    return L.runs(lambda x: (x * 2, L.torch.tensor([1, 2])))


@case
def norg_tensor(L: Any) -> Any:
    return L.runs(lambda x: (x * 2, L.torch.ones(2)))


@case
def only_norg(L: Any) -> Any:
    return L.runs(lambda x: L.torch.ones(2), take=lambda r: r)


@case
def second_used(L: Any) -> Any:
    return L.runs(lambda x: (x * 2, x * 3), take=lambda r: r[1])


@case
def both_used(L: Any) -> Any:
    return L.runs(lambda x: (x * 2, x * 3), take=lambda r: r[0] + r[1])


@case
def identity(L: Any) -> Any:
    return L.runs(lambda x: x, take=lambda r: r)


@case
def detached(L: Any) -> Any:
    return L.runs(lambda x: x.detach(), take=lambda r: r)


@case
def nograd_in(L: Any) -> Any:
    return L.runs(lambda x: x * L.leaf(3.0, 3.0), take=lambda r: r, x=L.torch.ones(2))


@case
def nograd_mode(L: Any) -> Any:
    with L.torch.no_grad():
        return L.runs(lambda x: x * 2, take=lambda r: r)


@case
def full_replace(L: Any) -> Any:
    return L.runs(lambda x: x * 2, take=lambda r: r, full=lambda m, i, o: (i[0] * 10,))


@case
def full_replace_list(L: Any) -> Any:
    return L.runs(lambda x: x * 2, take=lambda r: r, full=lambda m, i, o: [i[0] * 10])


@case
def full_replace_bad(L: Any) -> Any:
    return L.runs(lambda x: x * 2, take=lambda r: r, full=lambda m, i, o: (i[0], i[0]))


@case
def full_replace_none(L: Any) -> Any:
    return L.runs(lambda x: x * 2, take=lambda r: r, full=lambda m, i, o: (None,))


@case
def full_replace_int(L: Any) -> Any:
    return L.runs(lambda x: x * 2, take=lambda r: r, full=lambda m, i, o: 5)


@case
def pre_replace(L: Any) -> Any:
    return L.runs(lambda x: x * 2, take=lambda r: r, pre=lambda m, o: (o[0] * 10,))


@case
def pre_replace_bad(L: Any) -> Any:
    return L.runs(lambda x: x * 2, take=lambda r: r, pre=lambda m, o: (o[0], o[0]))


@case
def only_pre(L: Any) -> Any:
    return L.runs(lambda x: x * 2, take=lambda r: r, full=False)


@case
def only_full(L: Any) -> Any:
    return L.runs(lambda x: (x * 2, None), pre=False)


@case
def nograd_in_ret(L: Any) -> Any:
    return L.runs(lambda x: x * L.leaf(3.0, 3.0), take=lambda r: r, x=L.torch.ones(2), full=lambda m, i, o: (i[0],))


@case
def nograd_in_ret2(L: Any) -> Any:
    return L.runs(lambda x: x * L.leaf(3.0, 3.0), take=lambda r: r, x=L.torch.ones(2), full=lambda m, i, o: (o[0],))


@case
def double_backward(L: Any) -> Any:
    seen = []
    m = L.M(lambda x: x**3)
    m.register_full_backward_hook(lambda m, i, o: seen.append((show(i), show(o))))
    x = L.leaf(2.0)
    (g,) = L.torch.autograd.grad(m(x).sum(), x, create_graph=True)
    n = len(seen)
    L.torch.autograd.grad(g.sum(), x)
    return (n, seen)


@case
def double_backward2(L: Any) -> Any:
    seen = []
    m = L.nn.Sequential(L.nn.Linear(1, 1), L.nn.Tanh())
    for p in m.parameters():
        p.data.fill_(0.5)
    m.register_full_backward_hook(lambda m, i, o: seen.append((show(i), show(o))))
    x = L.leaf(2.0)
    (g,) = L.torch.autograd.grad(m(x).sum(), x, create_graph=True)
    (g.sum() ** 2).backward()
    return len(seen)


@case
def create_graph_hook(L: Any) -> Any:
    seen = []
    m = L.M(lambda x: x**3)
    m.register_full_backward_hook(
        lambda m, i, o: seen.append((L.torch.is_grad_enabled(), i[0].requires_grad, o[0].requires_grad))
    )
    x = L.leaf(2.0)
    L.torch.autograd.grad(m(x).sum(), x, create_graph=True)
    m(x).sum().backward()
    return seen


@case
def inplace_out(L: Any) -> Any:
    m = L.M(lambda x: x * 2)
    m.register_full_backward_hook(lambda m, i, o: None)
    y = m(L.leaf(1.0, 2.0))
    y.add_(1)
    return y


@case
def inplace_out_tuple(L: Any) -> Any:
    m = L.M(lambda x: (x * 2, x * 3))
    m.register_full_backward_hook(lambda m, i, o: None)
    y = m(L.leaf(1.0, 2.0))[1]
    y.add_(1)
    return y


@case
def inplace_in(L: Any) -> Any:
    m = L.M(lambda x: x.add_(1))
    m.register_full_backward_hook(lambda m, i, o: None)
    return m(L.leaf(1.0, 2.0) * 1)


@case
def inplace_out_prehook(L: Any) -> Any:
    m = L.M(lambda x: x * 2)
    m.register_full_backward_pre_hook(lambda m, o: None)
    y = m(L.leaf(1.0, 2.0))
    y.add_(1)
    return y


@case
def inplace_nograd_out(L: Any) -> Any:
    m = L.M(lambda x: x * 2)
    m.register_full_backward_hook(lambda m, i, o: None)
    y = m(L.torch.ones(2))
    y.add_(1)
    return y


@case
def inplace_after(L: Any) -> Any:
    m = L.M(lambda x: x * 2)
    m.register_full_backward_hook(lambda m, i, o: None)
    y = m(L.leaf(1.0, 2.0))
    with L.torch.no_grad():
        y.add_(1)
    return y


@case
def two_inputs(L: Any) -> Any:
    seen = []
    m = L.M(lambda x, y: x * y)
    m.register_full_backward_hook(lambda m, i, o: seen.append((show(i), show(o))))
    x = L.leaf(2.0)
    m(x, L.torch.ones(1)).backward()
    return seen


@case
def mixed_inputs(L: Any) -> Any:
    seen = []
    m = L.M(lambda x, k, y: x * k * y)
    m.register_full_backward_hook(lambda m, i, o: seen.append((show(i), show(o))))
    x = L.leaf(2.0)
    y = L.leaf(3.0)
    m(x, 5, y).backward()
    return seen


@case
def kwargs_inputs(L: Any) -> Any:
    seen = []
    m = L.M(lambda x, y=None: x * y)
    m.register_full_backward_hook(lambda m, i, o: seen.append((show(i), show(o))))
    x = L.leaf(2.0)
    y = L.leaf(3.0)
    m(x, y=y).backward()
    return (seen, y.grad)


@case
def only_kwargs(L: Any) -> Any:
    seen = []
    m = L.M(lambda y=None: 2 * y)
    m.register_full_backward_hook(lambda m, i, o: seen.append((show(i), show(o))))
    y = L.leaf(3.0)
    m(y=y).backward()
    return (seen, y.grad)


@case
def used_twice(L: Any) -> Any:
    seen = []
    m = L.M(lambda x: x * 2)
    m.register_full_backward_hook(lambda m, i, o: seen.append((show(i), show(o))))
    x = L.leaf(1.0)
    (m(x) + m(x * 3)).backward()
    return (seen, x.grad)


@case
def unused_in(L: Any) -> Any:
    seen = []
    m = L.M(lambda x, y: x * 2)
    m.register_full_backward_hook(lambda m, i, o: seen.append((show(i), show(o))))
    x = L.leaf(1.0)
    y = L.leaf(1.0)
    m(x, y).backward()
    return (seen, x.grad, y.grad)


@case
def removed(L: Any) -> Any:
    seen = []
    m = L.M(lambda x: x * 2)
    h = m.register_full_backward_hook(lambda m, i, o: seen.append(1))
    x = L.leaf(1.0)
    y = m(x)
    h.remove()
    y.backward()
    return seen


@case
def order(L: Any) -> Any:
    seen = []
    m = L.M(lambda x: (seen.append("fwd"), x * 2)[1])
    m.register_forward_hook(lambda *a: seen.append("post"))
    m.register_forward_pre_hook(lambda *a: seen.append("pre"))
    m.register_full_backward_hook(lambda *a: seen.append("bwd"))
    m.register_full_backward_pre_hook(lambda *a: seen.append("bpre"))
    m.register_forward_hook(lambda *a: seen.append("post0"), prepend=True)
    m.register_forward_pre_hook(lambda *a: seen.append("pre0"), prepend=True)
    m.register_full_backward_hook(lambda *a: seen.append("bwd0"), prepend=True)
    m.register_full_backward_pre_hook(lambda *a: seen.append("bpre0"), prepend=True)
    m(L.leaf(1.0)).backward()
    return seen


@case
def prehook_empty(L: Any) -> Any:
    m = L.M(lambda x: x * 2)
    m.register_forward_pre_hook(lambda m, a: ())
    return m(L.leaf(1.0))


@case
def prehook_linear_empty(L: Any) -> Any:
    m = L.nn.Linear(1, 1)
    m.register_forward_pre_hook(lambda m, a: ())
    return m(L.leaf(1.0))


@case
def prehook_none(L: Any) -> Any:
    m = L.M(lambda x: x * 2)
    m.register_forward_pre_hook(lambda m, a: None)
    return m(L.leaf(1.0))


@case
def prehook_single(L: Any) -> Any:
    m = L.M(lambda x: x * 2)
    m.register_forward_pre_hook(lambda m, a: a[0] * 5)
    return m(L.leaf(1.0))


@case
def prehook_list(L: Any) -> Any:
    m = L.M(lambda x: x)
    m.register_forward_pre_hook(lambda m, a: [a[0] * 5])
    return m(L.leaf(1.0))


@case
def prehook_kw_bad(L: Any) -> Any:
    m = L.M(lambda x: x)
    m.register_forward_pre_hook(lambda m, a, k: a, with_kwargs=True)
    return m(L.leaf(1.0))


@case
def prehook_kw(L: Any) -> Any:
    m = L.M(lambda x, k=1: x * k)
    m.register_forward_pre_hook(lambda m, a, k: (a, {"k": 7}), with_kwargs=True)
    return m(L.leaf(1.0))


@case
def always(L: Any) -> Any:
    seen = []

    def bad(x):
        raise ValueError("no")

    m = L.M(bad)
    m.register_forward_hook(lambda m, a, r: seen.append(("h", show(r))), always_call=True)
    m.register_forward_hook(lambda m, a, r: seen.append("never"))
    try:
        m(L.leaf(1.0))
    except ValueError as e:
        seen.append(str(e))
    return seen


@case
def always_raises(L: Any) -> Any:

    def bad(x):
        raise ValueError("no")

    def hook(m, a, r):
        raise KeyError("hook")

    m = L.M(bad)
    m.register_forward_hook(hook, always_call=True)
    m(L.leaf(1.0))


@case
def always_other_hook_raises(L: Any) -> Any:
    seen = []

    def hook(m, a, r):
        raise KeyError("hook")

    m = L.M(lambda x: x * 2)
    m.register_forward_hook(hook)
    m.register_forward_hook(lambda m, a, r: seen.append(show(r)), always_call=True)
    try:
        m(L.leaf(1.0))
    except KeyError as e:
        seen.append(str(e))
    return seen


@case
def always_kw(L: Any) -> Any:
    seen = []

    def bad(x, k=1):
        raise ValueError("no")

    m = L.M(bad)
    m.register_forward_hook(
        lambda m, a, k, r: seen.append((show(a), show(k), show(r))), always_call=True, with_kwargs=True
    )
    try:
        m(L.leaf(1.0), k=3)
    except ValueError as e:
        seen.append(str(e))
    return seen


@case
def fwd_replace(L: Any) -> Any:
    m = L.M(lambda x: x * 2)
    m.register_forward_hook(lambda m, a, r: r * 10)
    return m(L.leaf(1.0))


@case
def remove_self(L: Any) -> Any:
    seen = []
    m = L.M(lambda x: x * 2)

    def hook(m, a, r):
        seen.append("a")
        h.remove()

    h = m.register_forward_hook(hook)
    m.register_forward_hook(lambda *a: seen.append("b"))
    m(L.leaf(1.0))
    m(L.leaf(1.0))
    return seen


@case
def legacy(L: Any) -> Any:
    seen = []
    m = L.M(lambda x: x * 2)
    m.register_backward_hook(lambda m, i, o: seen.append((show(i), show(o))))
    x = L.leaf(1.0)
    m(x).backward()
    return seen


@case
def legacy_then_full(L: Any) -> Any:
    m = L.M(lambda x: x * 2)
    m.register_backward_hook(lambda m, i, o: None)
    m.register_full_backward_hook(lambda m, i, o: None)


@case
def full_then_legacy(L: Any) -> Any:
    m = L.M(lambda x: x * 2)
    m.register_full_backward_hook(lambda m, i, o: None)
    m.register_backward_hook(lambda m, i, o: None)


@case
def hook_raises(L: Any) -> Any:

    def h(m, i, o):
        raise ValueError("hook")

    m = L.M(lambda x: x * 2)
    m.register_full_backward_hook(h)
    x = L.leaf(1.0)
    try:
        m(x).backward()
    except ValueError as e:
        return (str(e), x.grad)


@case
def nested(L: Any) -> Any:
    seen = []
    a = L.M(lambda x: x * 2)
    b = L.M(lambda x: a(x) * 3)
    a.register_full_backward_hook(lambda m, i, o: seen.append(("a", show(i), show(o))))
    b.register_full_backward_hook(lambda m, i, o: seen.append(("b", show(i), show(o))))
    b(L.leaf(1.0)).backward()
    return seen


@case
def handle_with(L: Any) -> Any:
    seen = []
    m = L.M(lambda x: x * 2)
    with m.register_forward_hook(lambda *a: seen.append(1)):
        m(L.leaf(1.0))
    m(L.leaf(1.0))
    return seen


@case
def optim_in_backward(L: Any) -> Any:
    w = L.leaf(1.0, 2.0)
    w.register_post_accumulate_grad_hook(lambda p: p.sub_(p.grad))
    (w * w).sum().backward()
    return w


@case
def optim_in_backward2(L: Any) -> Any:
    w = L.leaf(1.0, 2.0)
    o = L.torch.optim.SGD([w], lr=0.1)

    def h(p):
        o.step()
        o.zero_grad()

    w.register_post_accumulate_grad_hook(h)
    (w * w).sum().backward()
    (w * w).sum().backward()
    return (w, w.grad)


@case
def backward_in_hook(L: Any) -> Any:
    x = L.leaf(1.0, 2.0)
    y = L.leaf(3.0, 4.0)
    x.register_hook(lambda g: (y * y).sum().backward())
    (x * x).sum().backward()
    return (x.grad, y.grad)


@case
def backward_in_hook_enable(L: Any) -> Any:
    x = L.leaf(1.0, 2.0)
    y = L.leaf(3.0, 4.0)

    def h(g):
        with L.torch.enable_grad():
            (y * y).sum().backward()

    x.register_hook(h)
    (x * x).sum().backward()
    return (x.grad, y.grad)


@case
def tensor_hook_removes_itself(L: Any) -> Any:
    seen = []
    x = L.leaf(1.0)

    def h(g):
        seen.append("a")
        k.remove()

    k = x.register_hook(h)
    x.register_hook(lambda g: seen.append("b"))
    (x * 2).backward()
    (x * 2).backward()
    return seen


@case
def hook_wrong(L: Any) -> Any:
    x = L.leaf(1.0)
    x.register_hook(lambda g: 5)
    (x * 2).backward()


@case
def hook_shape(L: Any) -> Any:
    x = L.leaf(1.0)
    x.register_hook(lambda g: L.torch.ones(3))
    (x * 2).backward()


@case
def hook_not_callable(L: Any) -> Any:
    x = L.leaf(1.0)
    x.register_hook(5)


@case
def mod_hook_not_callable(L: Any) -> Any:
    m = L.nn.Linear(1, 1)
    m.register_forward_hook(5)
    return m(L.torch.ones(1))


@case
def post_nonleaf(L: Any) -> Any:
    x = L.leaf(1.0) * 2
    x.register_post_accumulate_grad_hook(lambda p: None)


@case
def post_norg(L: Any) -> Any:
    x = L.torch.ones(1)
    x.register_post_accumulate_grad_hook(lambda p: None)


@case
def gradients_are_off_in_hooks(L: Any) -> Any:
    heard: list[Any] = []
    x = L.leaf(1.0, 2.0)
    x.register_hook(lambda g: heard.append((L.torch.is_grad_enabled(), g.requires_grad)))
    x.register_post_accumulate_grad_hook(lambda p: heard.append(L.torch.is_grad_enabled()))
    y = x * 2
    y.register_hook(lambda g: heard.append((L.torch.is_grad_enabled(), g.requires_grad)))
    y.retain_grad()
    y.sum().backward()
    return heard, y.grad, L.torch.is_grad_enabled()


@case
def gradients_are_on_in_hooks_of_gradients_that_are_graphs(L: Any) -> Any:
    heard: list[Any] = []
    x = L.leaf(1.0, 2.0)
    y = x * x
    y.register_hook(lambda g: heard.append((L.torch.is_grad_enabled(), g.requires_grad)))
    y.register_hook(lambda g: g * x)
    with L.torch.no_grad():
        (g,) = L.torch.autograd.grad((y * y).sum(), x, create_graph=True)
    return heard, g, L.torch.autograd.grad(g.sum(), x)


@pytest.mark.parametrize("name", CASES)
def test_programs_with_hooks(name: str) -> None:
    assert outcome(CASES[name], OURS) == outcome(CASES[name], THEIRS)


def test_a_tensor_may_stand_for_a_tuple_of_one() -> None:
    """PyTorch takes the length of the tensor for the number of gradients; its documentation does not."""
    L = OURS
    assert L.runs(lambda x: x * 2, take=lambda r: r, full=lambda m, i, o: i[0] * 10)[2].tolist() == [20.0, 20.0]
    assert L.runs(lambda x: x * 2, take=lambda r: r, pre=lambda m, o: o[0] * 10)[2].tolist() == [20.0, 20.0]
