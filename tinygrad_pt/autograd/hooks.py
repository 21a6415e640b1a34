"""Hooks of tensors: functions that see a gradient when the backward walk has found it, and may replace it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

from tinygrad_pt import dtypes
from tinygrad_pt.autograd.depth import deeper
from tinygrad_pt.calling import T, wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.graph import Array, Leaf, Node, Rule, Tensor
from tinygrad_pt.inplace import touched
from tinygrad_pt.modes import Switch
from tinygrad_pt.ops import clone, sum_to

Hook = Callable[[Tensor], Tensor | None]  # what it returns, if anything, replaces the gradient
Gradient = Array | np.generic | Tensor  # in a walk: a tensor if the gradient is to be a graph, else an array


class NoGradient(Exception):  # noqa: N818 - not an error
    """A rule raises it where no gradient flows to its argument, which for the others depends on values."""


def call_hooks(hooks: dict[int, Any] | None, create: bool, *args: Any) -> None:
    """Call hooks whose answer does not matter; gradients are off inside unless the gradient is to be a graph."""
    if hooks:
        with Switch(grad=create):
            for hook in tuple(hooks.values()):  # a hook may remove itself
                deeper(hook, *args)


def pass_hooks(node: Node, g: T, create: bool) -> T:
    """The gradient of a vertex, as its hooks leave it; tensors that retain their gradient receive it."""
    if hooks := node.note("hooks"):
        with Switch(grad=create):
            for hook in tuple(hooks.values()):
                given: Any = g if create else wrap(g)
                answer = deeper(hook, given)
                if answer is not None:
                    check_answer(node, hook, given, answer)
                    g = answer if create else answer.array
    if hooks := node.note("before"):
        g = list_or_one(g, heed(hooks, node, as_list(g), create))
    for link in node.note("retained", ()):
        t = link()
        if t is not None:
            accumulate(t, clone(g), create)
    return g


def as_list(g: Any) -> list[Any]:
    """The gradients of the results of an op: a list already if the op has several."""
    return g if isinstance(g, list) else [g]


def list_or_one(like: Any, found: list[Any]) -> Any:
    """The inverse of `as_list`."""
    return found if isinstance(like, list) else found[0]


def heed(hooks: dict[int, Any], node: Node, found: list[Any], create: bool, *more: Any) -> list[Any]:
    """The gradients after all hooks of `register_hook` or `register_prehook` of a vertex; each may replace them."""
    with Switch(grad=create):
        for hook in tuple(hooks.values()):
            answer = deeper(hook, as_grads(found), *more)
            if answer is None:
                continue
            if not isinstance(answer, tuple):
                raise refuse(TypeError, f"expected tuple, but hook returned '{type(answer).__name__}'")
            if len(answer) != len(found):
                name = getattr(hook, "__name__", "<unknown>")
                counts = f"(got {len(answer)}, but expected {len(found)})"
                raise refuse(RuntimeError, f"hook '{name}' has returned an incorrect number of values {counts}")
            found = [a if a is None or create else a.array for a in answer]
    return found


def as_grads(found: list[Any]) -> tuple[Tensor | None, ...]:
    """Gradients as hooks get them."""
    return tuple(r if r is None or isinstance(r, Tensor) else wrap(r) for r in found)


def heeding(
    hooks: dict[int, Any], node: Node, rules: tuple[Rule | None, ...], g: Any, args: tuple[Any, ...],
    allowed: set[Node] | None, create: bool,
) -> tuple[Rule, ...]:  # fmt: skip
    """Rules that give the gradients of the arguments as the hooks of the vertex leave them."""
    found: list[Any] = [None] * len(node.parents)
    for slot, (p, rule) in enumerate(zip(node.parents, rules, strict=True)):
        if isinstance(p, Node) and rule is not None and (allowed is None or p in allowed):
            with suppress(NoGradient):
                found[slot] = r = rule(g, *args, **node.attrs)
                if r.shape != p.shape and node.op.elementwise:
                    found[slot] = sum_to(r, shape=p.shape)
    return tuple(map(giving, heed(hooks, node, found, create, as_grads(as_list(g)))))


def giving(r: Any) -> Rule:
    """The rule that gives r."""

    def rule(*args: Any, **attrs: Any) -> Any:
        if r is None:
            raise NoGradient
        return r

    return rule


def tell_grown(node: Node, end: Tensor, g: Any, create: bool) -> None:
    """Call the hooks that wait until the `.grad` of a tensor has grown by g."""
    call_hooks(node.note("post"), create, end)
    if isinstance(node, Leaf):
        call_hooks(node.note("after"), create, (), as_grads([g]))


def check_answer(node: Node, hook: Hook, given: Tensor, answer: object) -> None:
    """Raise an error if the answer of a hook cannot take the place of the gradient that the hook was given."""
    if not isinstance(answer, Tensor):
        raise refuse(TypeError, f"expected Variable, but hook returned '{type(answer).__name__}'")
    if answer.array.shape != node.shape:
        what, should = "size of value", f"shape {list(node.shape)}"
    elif answer.array.dtype != given.array.dtype:
        was, got = (f"torch.{dtypes.of(t.array.dtype).spoken}Tensor" for t in (given, answer))
        what, should = f"type of value (was {was} got {got})", f"dtype {given.array.dtype}"
    else:
        return
    text = f"hook '{getattr(hook, '__name__', '<unknown>')}' has changed the {what}"
    raise refuse(RuntimeError, text, node.op.name, answer, mend=f"return a tensor of {should}, or None")


def accumulate(t: Tensor, g: Any, create: bool) -> None:
    """Add g to the `.grad` of a tensor: in place, unless g or that `.grad` is a graph."""
    seen = t._grad
    if seen is None:
        t._grad = g if create else wrap(g)
    elif create or seen.node is not None:
        t._grad = seen + (g if create else wrap(g))
    else:
        with np.errstate(all="ignore"):
            np.add(seen.array, g, out=seen.array)
        touched(seen)
