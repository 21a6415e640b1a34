"""Custom `Function`s and hooks of vertices against PyTorch: values, flags, and what is refused in which words.

Each case is a program that gets one of the two libraries, `L`, with short names for what most cases need.
"""

# ruff: noqa: E731
from __future__ import annotations

import warnings
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

import tinygrad_pt
from tinygrad_pt.autograd.function import once_differentiable

torch = pytest.importorskip("torch")

Case = Callable[[Any], Any]
CASES: dict[str, Case] = {}


def case(program: Case) -> Case:
    CASES[program.__name__] = program
    return program


def library(t: Any, once: Any) -> Any:
    """A library with a leaf of numbers, a custom Function of two functions, and so on."""

    def make(forward: Any, backward: Any, setup: Any = None) -> Any:
        own = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
        if setup is not None:
            own["setup_context"] = staticmethod(setup)
        return type("My", (t.autograd.Function,), own)

    return SimpleNamespace(
        torch=t, F=t.autograd.Function, once=once, mk=make, leaf=lambda *v: t.tensor(list(v), requires_grad=True)
    )


OURS = library(tinygrad_pt, once_differentiable)
THEIRS = library(torch, torch.autograd.function.once_differentiable)


def told(value: Any) -> Any:
    """A result in words that two libraries share."""
    if isinstance(value, (torch.Tensor, tinygrad_pt.Tensor)):
        name = None if value.grad_fn is None else value.grad_fn.name()
        return value.detach().numpy().tolist(), value.requires_grad, name
    if isinstance(value, dict):
        return {k: told(v) for k, v in value.items()}
    if isinstance(value, (tuple, list)):
        return type(value).__name__, [told(v) for v in value]
    return value


show = told  # of what a hook is given: at once, because tensors may change later


def outcome(program: Case, L: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return told(program(L))
        except Exception as error:
            return type(error).__name__, (str(error).splitlines() or [""])[0]


@case
def none_grad(L: Any) -> Any:
    Op = L.mk(lambda ctx, x: x * 2, lambda ctx, g: None)
    x = L.leaf(1.0, 2.0)
    Op.apply(x).sum().backward()
    return x.grad


@case
def none_grad_two(L: Any) -> Any:
    Op = L.mk(lambda ctx, x, y: x * y, lambda ctx, g: (None, g))
    x = L.leaf(1.0, 2.0)
    y = L.leaf(3.0, 4.0)
    Op.apply(x, y).sum().backward()
    return (x.grad, y.grad)


@case
def none_grad_up(L: Any) -> Any:
    Op = L.mk(lambda ctx, x: x * 2, lambda ctx, g: None)
    x = L.leaf(1.0, 2.0)
    z = x * 3
    Op.apply(z).sum().backward()
    return x.grad


@case
def none_plus(L: Any) -> Any:
    Op = L.mk(lambda ctx, x: x * 2, lambda ctx, g: None)
    x = L.leaf(1.0, 2.0)
    z = x * 3
    (Op.apply(z) + z).sum().backward()
    return x.grad


@case
def none_autograd_grad(L: Any) -> Any:
    Op = L.mk(lambda ctx, x: x * 2, lambda ctx, g: None)
    x = L.leaf(1.0, 2.0)
    return L.torch.autograd.grad(Op.apply(x).sum(), x)


@case
def none_autograd_grad_allow(L: Any) -> Any:
    Op = L.mk(lambda ctx, x: x * 2, lambda ctx, g: None)
    x = L.leaf(1.0, 2.0)
    return L.torch.autograd.grad(Op.apply(x).sum(), x, allow_unused=True)


@case
def dirty(L: Any) -> Any:

    def f(ctx, x):
        x.add_(1)
        ctx.mark_dirty(x)
        return x

    Op = L.mk(f, lambda ctx, g: g * 5)
    x = L.leaf(1.0, 2.0)
    z = x * 1
    y = Op.apply(z)
    r = y is z
    y.sum().backward()
    return (r, x.grad, show(z), z._version)


@case
def dirty_leaf(L: Any) -> Any:

    def f(ctx, x):
        x.add_(1)
        ctx.mark_dirty(x)
        return x

    Op = L.mk(f, lambda ctx, g: g * 5)
    x = L.leaf(1.0, 2.0)
    return Op.apply(x)


@case
def dirty_not_returned(L: Any) -> Any:

    def f(ctx, x):
        x.add_(1)
        ctx.mark_dirty(x)
        return x * 2

    Op = L.mk(f, lambda ctx, g: g * 5)
    x = L.leaf(1.0, 2.0) * 1
    return Op.apply(x)


@case
def dirty_norg(L: Any) -> Any:

    def f(ctx, x, y):
        x.add_(y)
        ctx.mark_dirty(x)
        return x

    Op = L.mk(f, lambda ctx, g: (None, g * 5))
    x = L.torch.ones(2)
    y = L.leaf(1.0, 2.0)
    r = Op.apply(x, y)
    r.sum().backward()
    return (r is x, x, y.grad)


@case
def dirty_two(L: Any) -> Any:

    def f(ctx, x, y):
        x.mul_(2)
        ctx.mark_dirty(x)
        return (x, y * 3)

    Op = L.mk(f, lambda ctx, g, h: (g * 2, h * 3))
    x = L.leaf(1.0, 2.0)
    z = x * 1
    y = L.leaf(1.0, 1.0)
    a, b = Op.apply(z, y)
    (a + b).sum().backward()
    return (a is z, x.grad, y.grad)


@case
def dirty_nonleaf_nograd(L: Any) -> Any:

    def f(ctx, x):
        x.mul_(2)
        ctx.mark_dirty(x)
        return x

    Op = L.mk(f, lambda ctx, g: g * 2)
    z = L.torch.ones(2)
    r = Op.apply(z)
    return (r is z, z)


@case
def inplace_unmarked(L: Any) -> Any:

    def f(ctx, x):
        x.mul_(2)
        return x

    Op = L.mk(f, lambda ctx, g: g * 2)
    x = L.leaf(1.0, 2.0)
    z = x * 1
    r = Op.apply(z)
    r.sum().backward()
    return (r is z, x.grad)


@case
def save_number(L: Any) -> Any:
    Op = L.mk(lambda ctx, x: (ctx.save_for_backward(x, 3), x * 2)[1], lambda ctx, g: g)
    return Op.apply(L.leaf(1.0))


@case
def save_str(L: Any) -> Any:
    Op = L.mk(lambda ctx, x: (ctx.save_for_backward("a"), x * 2)[1], lambda ctx, g: g)
    return Op.apply(L.leaf(1.0))


@case
def save_list(L: Any) -> Any:
    Op = L.mk(lambda ctx, x: (ctx.save_for_backward([x]), x * 2)[1], lambda ctx, g: g)
    return Op.apply(L.leaf(1.0))


@case
def save_number_norg(L: Any) -> Any:
    Op = L.mk(lambda ctx, x: (ctx.save_for_backward(x, 3), x * 2)[1], lambda ctx, g: g)
    return Op.apply(L.torch.ones(1))


@case
def save_twice(L: Any) -> Any:
    Op = L.mk(
        lambda ctx, x: (ctx.save_for_backward(x), ctx.save_for_backward(x * 3), x * 2)[2],
        lambda ctx, g: g * ctx.saved_tensors[0],
    )
    x = L.leaf(1.0)
    Op.apply(x).backward()
    return x.grad


@case
def saved_in_forward(L: Any) -> Any:

    def f(ctx, x):
        ctx.save_for_backward(x)
        return x * len(ctx.saved_tensors)

    Op = L.mk(f, lambda ctx, g: g)
    return Op.apply(L.leaf(1.0))


@case
def saved_none(L: Any) -> Any:
    Op = L.mk(
        lambda ctx, x: (ctx.save_for_backward(None, x), x * 2)[1],
        lambda ctx, g: g if ctx.saved_tensors[0] is None else None,
    )
    x = L.leaf(1.0)
    Op.apply(x).backward()
    return x.grad


@case
def saved_empty(L: Any) -> Any:
    Op = L.mk(lambda ctx, x: x * 2, lambda ctx, g: g * len(ctx.saved_tensors))
    x = L.leaf(1.0)
    Op.apply(x).backward()
    return x.grad


@case
def second_backward_saved(L: Any) -> Any:
    Op = L.mk(lambda ctx, x: (ctx.save_for_backward(x), x * 2)[1], lambda ctx, g: g * ctx.saved_tensors[0])
    x = L.leaf(1.0)
    y = Op.apply(x)
    y.backward()
    y.backward()
    return x.grad


@case
def second_backward_nosaved(L: Any) -> Any:
    Op = L.mk(lambda ctx, x: x * 2, lambda ctx, g: g * 2)
    x = L.leaf(1.0)
    y = Op.apply(x)
    y.backward()
    y.backward()
    return x.grad


@case
def second_backward_saved_unread(L: Any) -> Any:
    Op = L.mk(lambda ctx, x: (ctx.save_for_backward(x), x * 2)[1], lambda ctx, g: g * 2)
    x = L.leaf(1.0)
    y = Op.apply(x)
    y.backward()
    y.backward()
    return x.grad


@case
def gradfn_saved(L: Any) -> Any:
    Op = L.mk(lambda ctx, x: (ctx.save_for_backward(x), x * 2)[1], lambda ctx, g: g * 2)
    x = L.leaf(1.0)
    y = Op.apply(x)
    a = show(y.grad_fn.saved_tensors)
    y.backward()
    return (a, y.grad_fn.saved_tensors)


@case
def gradfn_attr(L: Any) -> Any:

    def f(ctx, x):
        ctx.k = 5
        return x * 2

    Op = L.mk(f, lambda ctx, g: g * 2)
    x = L.leaf(1.0)
    y = Op.apply(x)
    return (y.grad_fn.k, y.grad_fn.needs_input_grad, y.grad_fn.name())


@case
def defaults_setup(L: Any) -> Any:
    Op = L.mk(
        lambda x, k=3: x * k,
        lambda ctx, g: (g * ctx.k, None),
        setup=lambda ctx, inputs, output: setattr(ctx, "k", inputs[1]),
    )
    x = L.leaf(1.0)
    Op.apply(x).backward()
    return x.grad


@case
def kw_setup(L: Any) -> Any:
    Op = L.mk(
        lambda x, k=3: x * k,
        lambda ctx, g: (g * ctx.k, None),
        setup=lambda ctx, inputs, output: setattr(ctx, "k", inputs[1]),
    )
    x = L.leaf(1.0)
    Op.apply(x, k=4).backward()
    return x.grad


@case
def kw_ctx(L: Any) -> Any:

    def f(ctx, x, k=3):
        ctx.k = k
        return x * k

    Op = L.mk(f, lambda ctx, g: (g * ctx.k, None))
    x = L.leaf(1.0)
    Op.apply(x, k=4).backward()
    return x.grad


@case
def kw_ctx1(L: Any) -> Any:

    def f(ctx, x, k=3):
        ctx.k = k
        return x * k

    Op = L.mk(f, lambda ctx, g: g * ctx.k)
    x = L.leaf(1.0)
    Op.apply(x).backward()
    return x.grad


@case
def needs(L: Any) -> Any:
    seen = []

    def f(ctx, x, k, y):
        seen.append(ctx.needs_input_grad)
        return x * k * y

    Op = L.mk(f, lambda ctx, g: (seen.append(ctx.needs_input_grad), g, None, g)[1:])
    x = L.leaf(1.0)
    Op.apply(x, 3, L.torch.ones(1)).backward()
    return seen


@case
def needs_nograd(L: Any) -> Any:
    seen = []

    def f(ctx, x):
        seen.append(ctx.needs_input_grad)
        return x * 2

    Op = L.mk(f, lambda ctx, g: g)
    with L.torch.no_grad():
        Op.apply(L.leaf(1.0))
    return seen


@case
def gradmode_in(L: Any) -> Any:
    seen = []
    Op = L.mk(
        lambda ctx, x: (seen.append((L.torch.is_grad_enabled(), x.requires_grad)), x * 2)[1],
        lambda ctx, g: (seen.append((L.torch.is_grad_enabled(), g.requires_grad)), g)[1],
    )
    x = L.leaf(1.0)
    Op.apply(x).backward()
    L.torch.autograd.grad(Op.apply(x), x, create_graph=True)
    return seen


@case
def once(L: Any) -> Any:
    Op = L.mk(lambda ctx, x: (ctx.save_for_backward(x), x * x)[1], L.once(lambda ctx, g: g * 2 * ctx.saved_tensors[0]))
    x = L.leaf(3.0)
    (g,) = L.torch.autograd.grad(Op.apply(x), x, create_graph=True)
    return (g.requires_grad, g.detach())


@case
def once2(L: Any) -> Any:
    Op = L.mk(lambda ctx, x: (ctx.save_for_backward(x), x * x)[1], L.once(lambda ctx, g: g * 2 * ctx.saved_tensors[0]))
    x = L.leaf(3.0)
    (g,) = L.torch.autograd.grad(Op.apply(x), x, L.torch.ones(1, requires_grad=True), create_graph=True)
    return L.torch.autograd.grad(g.sum(), x)


@case
def once3(L: Any) -> Any:
    Op = L.mk(lambda ctx, x: (ctx.save_for_backward(x), x * x)[1], L.once(lambda ctx, g: g * 2 * ctx.saved_tensors[0]))
    x = L.leaf(3.0)
    (g,) = L.torch.autograd.grad(Op.apply(x * 1).pow(2).sum(), x, create_graph=True)
    return (g.requires_grad, L.torch.autograd.grad(g.sum(), x))


@case
def nontensor_out(L: Any) -> Any:
    Op = L.mk(lambda ctx, x: (x * 2, 5, "a", None), lambda ctx, g, a, b, c: g * 2 if (a, b, c) == (None,) * 3 else None)
    x = L.leaf(1.0)
    r = Op.apply(x)
    r[0].backward()
    return (r, x.grad)


@case
def list_out(L: Any) -> Any:
    Op = L.mk(lambda ctx, x: [x * 2, x * 3], lambda ctx, g, h: g * 2 + h * 3)
    x = L.leaf(1.0)
    r = Op.apply(x)
    return r


@case
def str_out(L: Any) -> Any:
    Op = L.mk(lambda ctx, x: "a", lambda ctx, g: g)
    return Op.apply(L.leaf(1.0))


@case
def none_out(L: Any) -> Any:
    Op = L.mk(lambda ctx, x: None, lambda ctx, g: g)
    return Op.apply(L.leaf(1.0))


@case
def one_tuple(L: Any) -> Any:
    Op = L.mk(lambda ctx, x: (x * 2,), lambda ctx, g: g * 2)
    x = L.leaf(1.0)
    r = Op.apply(x)
    r[0].backward()
    return (r, x.grad)


@case
def empty_tuple(L: Any) -> Any:
    Op = L.mk(lambda ctx, x: (), lambda ctx: None)
    return Op.apply(L.leaf(1.0))


@case
def int_out(L: Any) -> Any:
    Op = L.mk(lambda ctx, x: (x * 2, L.torch.tensor([1])), lambda ctx, g, h: g * 2 if h is not None else None)
    x = L.leaf(1.0)
    r = Op.apply(x)
    r[0].backward()
    return (r, x.grad)


@case
def nondiff(L: Any) -> Any:

    def f(ctx, x):
        a, b = (x * 2, x * 3)
        ctx.mark_non_differentiable(b)
        return (a, b)

    Op = L.mk(f, lambda ctx, g, h: g * 2 + h)
    x = L.leaf(1.0)
    a, b = Op.apply(x)
    a.backward()
    return (a, b, x.grad)


@case
def nondiff_all(L: Any) -> Any:

    def f(ctx, x):
        a = x * 2
        ctx.mark_non_differentiable(a)
        return a

    Op = L.mk(f, lambda ctx, g: g)
    return Op.apply(L.leaf(1.0))


@case
def nondiff_none_mat(L: Any) -> Any:

    def f(ctx, x):
        a, b = (x * 2, x * 3)
        ctx.mark_non_differentiable(b)
        ctx.set_materialize_grads(False)
        return (a, b)

    seen = []
    Op = L.mk(f, lambda ctx, g, h: (seen.append(h), g * 2)[1])
    x = L.leaf(1.0)
    a, b = Op.apply(x)
    a.backward()
    return (seen, x.grad)


@case
def mat_true(L: Any) -> Any:
    seen = []
    Op = L.mk(lambda ctx, x: (x * 2, x * 3), lambda ctx, g, h: (seen.append(show(h)), g * 2)[1])
    x = L.leaf(1.0)
    a, b = Op.apply(x)
    a.backward()
    return seen


@case
def wrong_count(L: Any) -> Any:
    Op = L.mk(lambda ctx, x: x * 2, lambda ctx, g: (g, g))
    x = L.leaf(1.0)
    Op.apply(x).backward()


@case
def wrong_count_none(L: Any) -> Any:
    Op = L.mk(lambda ctx, x: x * 2, lambda ctx, g: (g, None, None))
    x = L.leaf(1.0)
    Op.apply(x).backward()
    return x.grad


@case
def too_few(L: Any) -> Any:
    Op = L.mk(lambda ctx, x, y: x * 2, lambda ctx, g: g)
    x = L.leaf(1.0)
    Op.apply(x, x).backward()
    return x.grad


@case
def too_few_const(L: Any) -> Any:
    Op = L.mk(lambda ctx, x, y: x * 2, lambda ctx, g: g)
    x = L.leaf(1.0)
    Op.apply(x, 3).backward()
    return x.grad


@case
def grad_int(L: Any) -> Any:
    Op = L.mk(lambda ctx, x: x * 2, lambda ctx, g: 5)
    x = L.leaf(1.0)
    Op.apply(x).backward()


@case
def grad_shape(L: Any) -> Any:
    Op = L.mk(lambda ctx, x: x * 2, lambda ctx, g: L.torch.ones(3))
    x = L.leaf(1.0, 2.0)
    Op.apply(x).sum().backward()


@case
def grad_shape_bc(L: Any) -> Any:
    Op = L.mk(lambda ctx, x: x * 2, lambda ctx, g: L.torch.ones(3, 2))
    x = L.leaf(1.0, 2.0)
    Op.apply(x).sum().backward()
    return x.grad


@case
def grad_shape_exp(L: Any) -> Any:
    Op = L.mk(lambda ctx, x: x * 2, lambda ctx, g: L.torch.ones(1))
    x = L.leaf(1.0, 2.0)
    Op.apply(x).sum().backward()
    return x.grad


@case
def grad_for_nonrg(L: Any) -> Any:
    Op = L.mk(lambda ctx, x, y: x * y, lambda ctx, g: (g, g))
    x = L.leaf(1.0, 2.0)
    Op.apply(x, L.torch.ones(2)).sum().backward()
    return x.grad


@case
def grad_nontensor_arg(L: Any) -> Any:
    Op = L.mk(lambda ctx, x, k: x * k, lambda ctx, g: (g, g))
    x = L.leaf(1.0, 2.0)
    Op.apply(x, 3).sum().backward()
    return x.grad


@case
def list_grads(L: Any) -> Any:
    Op = L.mk(lambda ctx, x, k: x * k, lambda ctx, g: [g, None])
    x = L.leaf(1.0, 2.0)
    Op.apply(x, 3).sum().backward()
    return x.grad


@case
def identity(L: Any) -> Any:
    Op = L.mk(lambda ctx, x: x, lambda ctx, g: g * 3)
    x = L.leaf(1.0, 2.0)
    y = Op.apply(x)
    y.sum().backward()
    return (y is x, y, x.grad, y._is_view())


@case
def viewas(L: Any) -> Any:
    Op = L.mk(lambda ctx, x: x.view_as(x), lambda ctx, g: g * 3)
    x = L.leaf(1.0, 2.0)
    y = Op.apply(x)
    y.sum().backward()
    return (y is x, y, x.grad, y._is_view())


@case
def viewout(L: Any) -> Any:
    Op = L.mk(lambda ctx, x: x[:1], lambda ctx, g: L.torch.cat([g * 3, g]))
    x = L.leaf(1.0, 2.0)
    y = Op.apply(x)
    y.sum().backward()
    return (y, x.grad, y._is_view())


@case
def viewwrite(L: Any) -> Any:
    Op = L.mk(lambda ctx, x: x[:1], lambda ctx, g: L.torch.cat([g * 3, g]))
    x = L.leaf(1.0, 2.0) * 1
    y = Op.apply(x)
    y.add_(1)
    y.sum().backward()
    return y


@case
def twice_same(L: Any) -> Any:

    def f(ctx, x):
        y = x * 2
        return (y, y)

    Op = L.mk(f, lambda ctx, g, h: g * 2 + h * 10)
    x = L.leaf(1.0, 2.0)
    a, b = Op.apply(x)
    (a + b).sum().backward()
    return (a is b, x.grad)


@case
def double(L: Any) -> Any:
    Op = L.mk(lambda ctx, x: (ctx.save_for_backward(x), x**3)[1], lambda ctx, g: g * 3 * ctx.saved_tensors[0] ** 2)
    x = L.leaf(2.0)
    (g,) = L.torch.autograd.grad(Op.apply(x), x, create_graph=True)
    return (g, L.torch.autograd.grad(g.sum(), x))


@case
def nodouble_saved_attr(L: Any) -> Any:

    def f(ctx, x):
        ctx.x = x
        return x**3

    Op = L.mk(f, lambda ctx, g: g * 3 * ctx.x**2)
    x = L.leaf(2.0)
    (g,) = L.torch.autograd.grad(Op.apply(x), x, create_graph=True)
    return (g.requires_grad, g.detach())


@case
def saved_out(L: Any) -> Any:

    def f(ctx, x):
        y = x.exp()
        ctx.save_for_backward(y)
        return y

    Op = L.mk(f, lambda ctx, g: g * ctx.saved_tensors[0])
    x = L.leaf(0.0)
    (g,) = L.torch.autograd.grad(Op.apply(x), x, create_graph=True)
    return L.torch.autograd.grad(g.sum(), x)


@case
def saved_intermediate(L: Any) -> Any:

    def f(ctx, x):
        z = x.exp()
        ctx.save_for_backward(x, z)
        return z * 2

    Op = L.mk(f, lambda ctx, g: g * 2 * ctx.saved_tensors[1])
    x = L.leaf(0.0)
    (g,) = L.torch.autograd.grad(Op.apply(x), x, create_graph=True)
    return g


@case
def saved_modified_out(L: Any) -> Any:

    def f(ctx, x):
        y = x.exp()
        ctx.save_for_backward(y)
        return y

    Op = L.mk(f, lambda ctx, g: g * ctx.saved_tensors[0])
    x = L.leaf(0.0) * 1
    y = Op.apply(x)
    y.add_(1)
    y.backward()


@case
def vjp_name(L: Any) -> Any:
    Op = type("My", (L.F,), dict(forward=staticmethod(lambda ctx, x: x * 2), vjp=staticmethod(lambda ctx, g: g * 2)))
    x = L.leaf(1.0)
    Op.apply(x).backward()
    return x.grad


@case
def both_names(L: Any) -> Any:
    Op = type(
        "My",
        (L.F,),
        dict(
            forward=staticmethod(lambda ctx, x: x * 2),
            vjp=staticmethod(lambda ctx, g: g * 2),
            backward=staticmethod(lambda ctx, g: g * 2),
        ),
    )
    x = L.leaf(1.0)
    Op.apply(x).backward()
    return x.grad


@case
def no_backward(L: Any) -> Any:
    Op = type("My", (L.F,), dict(forward=staticmethod(lambda ctx, x: x * 2)))
    x = L.leaf(1.0)
    Op.apply(x).backward()
    return x.grad


@case
def no_forward(L: Any) -> Any:
    Op = type("My", (L.F,), dict(backward=staticmethod(lambda ctx, x: x * 2)))
    x = L.leaf(1.0)
    Op.apply(x)


@case
def ctx_passes(L: Any) -> Any:

    def f(ctx, x):
        ctx.a = 1
        return x * 2

    Op = L.mk(f, lambda ctx, g: g * ctx.a * ctx.b if hasattr(ctx, "b") else g * 7)
    x = L.leaf(1.0)
    Op.apply(x).backward()
    return x.grad


@case
def raises_fw(L: Any) -> Any:

    def f(ctx, x):
        raise ValueError("fw")

    Op = L.mk(f, lambda ctx, g: g)
    Op.apply(L.leaf(1.0))


@case
def raises_bw(L: Any) -> Any:

    def b(ctx, g):
        raise ValueError("bw")

    Op = L.mk(lambda ctx, x: x * 2, b)
    x = L.leaf(1.0)
    Op.apply(x).backward()


@case
def in_nograd(L: Any) -> Any:
    Op = L.mk(lambda ctx, x: x * 2, lambda ctx, g: g)
    with L.torch.no_grad():
        return Op.apply(L.leaf(1.0))


@case
def fwd_enable(L: Any) -> Any:

    def f(ctx, x):
        with L.torch.enable_grad():
            y = x * 2
        return y

    Op = L.mk(f, lambda ctx, g: g * 7)
    x = L.leaf(1.0)
    y = Op.apply(x)
    y.backward()
    return (y, x.grad)


@case
def inner_graph(L: Any) -> Any:

    def f(ctx, x):
        with L.torch.enable_grad():
            z = x.detach().requires_grad_()
            y = z**2
        ctx.z, ctx.y = (z, y)
        return y.detach()

    def b(ctx, g):
        ctx.y.backward(g)
        return ctx.z.grad

    Op = L.mk(f, b)
    x = L.leaf(3.0)
    y = Op.apply(x)
    y.backward()
    return (y, x.grad)


@case
def requires_hook(L: Any) -> Any:
    seen = []
    Op = L.mk(lambda ctx, x: x * 2, lambda ctx, g: g * 2)
    x = L.leaf(1.0)
    y = Op.apply(x)
    y.grad_fn.register_hook(lambda gi, go: seen.append((show(gi), show(go))))
    y.backward()
    return seen


@case
def dict_arg(L: Any) -> Any:
    Op = L.mk(lambda ctx, x, d: x * d["k"], lambda ctx, g: (g * 2, None))
    x = L.leaf(1.0)
    Op.apply(x, {"k": 2}).backward()
    return x.grad


@case
def tensor_in_list_arg(L: Any) -> Any:
    Op = L.mk(lambda ctx, xs: xs[0] * 2, lambda ctx, g: None)
    x = L.leaf(1.0)
    return Op.apply([x])


@case
def dtype_grad(L: Any) -> Any:
    Op = L.mk(lambda ctx, x: x * 2, lambda ctx, g: g.double())
    x = L.leaf(1.0)
    Op.apply(x).backward()
    return (x.grad, str(x.grad.dtype))


@case
def inference(L: Any) -> Any:
    Op = L.mk(lambda ctx, x: x * 2, lambda ctx, g: g)
    with L.torch.inference_mode():
        return Op.apply(L.leaf(1.0)).is_inference()


@case
def metadata(L: Any) -> Any:
    x = L.leaf(1.0)
    y = x * 2
    y.grad_fn.metadata["a"] = 1
    return y.grad_fn.metadata


@case
def hook_grad_fn(L: Any) -> Any:
    seen = []
    x = L.leaf(1.0, 2.0)
    y = x * 2
    h = y.grad_fn.register_hook(lambda gi, go: seen.append((show(gi), show(go))))
    y.sum().backward(retain_graph=True)
    h.remove()
    y.sum().backward()
    return seen


@case
def hook_grad_fn_replace(L: Any) -> Any:
    x = L.leaf(1.0, 2.0)
    y = x * 2
    y.grad_fn.register_hook(lambda gi, go: (gi[0] * 10,))
    y.sum().backward()
    return x.grad


@case
def hook_grad_fn_two(L: Any) -> Any:
    seen = []
    x = L.leaf(1.0, 2.0)
    w = L.leaf(3.0, 4.0)
    y = x * w
    y.grad_fn.register_hook(lambda gi, go: (seen.append(show(gi)), (gi[0] * 10, gi[1]))[1])
    y.sum().backward()
    return (x.grad, w.grad, seen)


@case
def hook_grad_fn_const(L: Any) -> Any:
    seen = []
    x = L.leaf(1.0, 2.0)
    y = x * L.torch.ones(2)
    y.grad_fn.register_hook(lambda gi, go: seen.append(show(gi)))
    y.sum().backward()
    return seen


@case
def hook_grad_fn_badlen(L: Any) -> Any:
    x = L.leaf(1.0, 2.0)
    y = x * 2
    y.grad_fn.register_hook(lambda gi, go: (gi[0], gi[0], gi[0]))
    y.sum().backward()
    return x.grad


@case
def hook_grad_fn_badtype(L: Any) -> Any:
    x = L.leaf(1.0, 2.0)
    y = x * 2
    y.grad_fn.register_hook(lambda gi, go: 5)
    y.sum().backward()
    return x.grad


@case
def hook_grad_fn_tensor(L: Any) -> Any:
    x = L.leaf(1.0, 2.0)
    y = x.exp()
    y.grad_fn.register_hook(lambda gi, go: gi[0] * 2)
    y.sum().backward()
    return x.grad


@case
def prehook(L: Any) -> Any:
    seen = []
    x = L.leaf(1.0, 2.0)
    y = x * 2
    y.grad_fn.register_prehook(lambda go: (seen.append(show(go)), (go[0] * 3,))[1])
    y.sum().backward()
    return (seen, x.grad)


@case
def prehook_none(L: Any) -> Any:
    x = L.leaf(1.0, 2.0)
    y = x * 2
    y.grad_fn.register_prehook(lambda go: None)
    y.sum().backward()
    return x.grad


@case
def prehook_bad(L: Any) -> Any:
    x = L.leaf(1.0, 2.0)
    y = x * 2
    y.grad_fn.register_prehook(lambda go: 5)
    y.sum().backward()
    return x.grad


@case
def prehook_tensor(L: Any) -> Any:
    x = L.leaf(1.0, 2.0)
    y = x * 2
    y.grad_fn.register_prehook(lambda go: go[0] * 2)
    y.sum().backward()
    return x.grad


@case
def accgrad(L: Any) -> Any:
    x = L.leaf(1.0)
    y = x * 2
    a = y.grad_fn.next_functions[0][0]
    return a.variable is x


@case
def accgrad_hook(L: Any) -> Any:
    seen = []
    x = L.leaf(1.0)
    y = x * 2
    a = y.grad_fn.next_functions[0][0]
    a.register_hook(lambda gi, go: seen.append((show(gi), show(go), show(x.grad))))
    a.register_prehook(lambda go: seen.append((show(go), show(x.grad))))
    y.backward()
    return seen


@case
def walks_twice(L: Any) -> Any:
    t, found = L.torch, {}
    constant = t.tensor([2.0, 3.0])
    for name, f in {
        "x + 1": lambda x: x + 1, "x - c": lambda x: x - constant, "1 - x": lambda x: 1 - x, "-x": lambda x: -x,
        "x * 2": lambda x: x * 2, "x * c": lambda x: x * constant, "x / 2": lambda x: x / 2, "exp": t.exp,
        "sum": lambda x: x.sum(), "mean": lambda x: x.mean(), "view": lambda x: x.view(2, 1),
        "cat": lambda x: t.cat([x, x]),
        "expand": lambda x: x.expand(3, 2), "slice": lambda x: x[:1], "select": lambda x: x[0], "clone": t.clone,
        "double": lambda x: x.double(), "flip": lambda x: x.flip(0), "roll": lambda x: x.roll(1), "diag": t.diag,
        "floor": t.floor, "relu": t.relu, "max": lambda x: x.max(), "add_": lambda x: (x + 0).add_(1),
        "mul_": lambda x: (x + 0).mul_(2), "matmul": lambda x: x @ constant, "pow": lambda x: x**2,
        "cumsum": lambda x: x.cumsum(0), "repeat": lambda x: x.repeat(2), "norm": lambda x: x.norm(), "sign": t.sign,
    }.items():  # fmt: skip
        x = L.leaf(1.0, 2.0)
        y = f(x)
        try:
            y.backward(t.ones_like(y))
            y.backward(t.ones_like(y))
            found[name] = x.grad.tolist()
        except RuntimeError as error:
            found[name] = str(error).split(" (")[0]
    return found


@case
def several_results_walk_one_by_one(L: Any) -> Any:
    x = L.leaf(1.0, 2.0, 3.0, 4.0)
    a, b, c, d = x.unbind(0)
    a.backward()
    (b + d).backward()
    first, second = x.chunk(2)
    first.sum().backward()
    second.sum().backward()
    return x.grad


@case
def batched(L: Any) -> Any:
    x = L.leaf(1.0, 2.0)
    eye = L.torch.eye(2)
    rows = L.torch.autograd.grad(x**2, x, eye, is_grads_batched=True)
    z = L.leaf(3.0)
    unused = L.torch.autograd.grad(x * 2, (x, z), eye, is_grads_batched=True, allow_unused=True)
    return rows, unused


@case
def batched_wrong(L: Any) -> Any:
    x = L.leaf(1.0, 2.0)
    return L.torch.autograd.grad(x**2, x, L.torch.ones(2), is_grads_batched=True)


@case
def dictionary_of_inputs(L: Any) -> Any:
    x, y = L.leaf(1.0, 2.0), L.leaf(3.0, 4.0)
    found = L.torch.autograd.grad((x * y).sum(), {"a": x, "b": y})
    L.torch.autograd.backward((x * y).sum(), inputs={"a": x})
    return list(found), [told(g) for g in found.values()], x.grad, y.grad


@case
def no_inputs(L: Any) -> Any:
    return L.torch.autograd.grad(L.leaf(1.0) * 2, [])


@case
def no_inputs_of_backward(L: Any) -> Any:
    return (L.leaf(1.0) * 2).backward(inputs=[])


@case
def only_inputs(L: Any) -> Any:
    x = L.leaf(1.0)
    return L.torch.autograd.grad(x * 2, x, only_inputs=False)


@case
def materialized_zeros_are_leaves(L: Any) -> Any:
    x, z = L.leaf(1.0, 2.0), L.leaf(3.0)
    found = L.torch.autograd.grad((x**2).sum(), (x, z), create_graph=True, materialize_grads=True)
    again = L.torch.autograd.grad([g.sum() for g in found], (x, z), allow_unused=True)
    plain = L.torch.autograd.grad((x**2).sum(), (x, z), materialize_grads=True)
    return found, again, plain


@case
def two_roots_and_one_gradient(L: Any) -> Any:
    x = L.leaf(1.0)
    return L.torch.autograd.backward([x * 2, x * 3], L.torch.ones(1))


@case
def a_root_without_grad(L: Any) -> Any:
    x = L.leaf(1.0)
    return L.torch.autograd.backward([x * 2, L.torch.ones(1)])


@case
def an_unused_input_is_refused_before_or_after(L: Any) -> Any:
    x, z = L.leaf(1.0), L.leaf(3.0)
    return L.torch.autograd.grad(x * 2, (x, z))


@pytest.mark.parametrize("name", CASES)
def test_programs_with_functions(name: str) -> None:
    assert outcome(CASES[name], OURS) == outcome(CASES[name], THEIRS)
