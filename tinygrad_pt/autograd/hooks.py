"""Hooks of tensors: functions that see a gradient when the backward walk has found it, and may replace it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_pt import dtypes
from tinygrad_pt.calling import T, wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.graph import Array, Node, Tensor, born
from tinygrad_pt.inplace import touched
from tinygrad_pt.ops import clone

Hook = Callable[[Tensor], Tensor | None]  # what it returns, if anything, replaces the gradient
Gradient = Array | np.generic | Tensor  # in a walk: a tensor if the gradient is to be a graph, else an array


class Removable:
    """What the registration of a hook returns: `remove()`, or the end of a `with` block, removes the hook."""

    def __init__(self, hooks: dict[int, Any]) -> None:
        self.id, self.hooks = born(), hooks

    def remove(self) -> None:
        self.hooks.pop(self.id, None)

    def __enter__(self) -> Removable:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()


def pass_hooks(node: Node, g: T, create: bool) -> T:
    """The gradient of a vertex, as its hooks leave it; tensors that retain their gradient receive it."""
    for hook in tuple(node.note("hooks", {}).values()):
        given: Any = g if create else wrap(g)
        answer = hook(given)
        if answer is not None:
            check_answer(node, hook, given, answer)
            g = answer if create else answer.array
    for link in node.note("retained", ()):
        t = link()
        if t is not None:
            accumulate(t, clone(g), create)
    return g


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
