"""Hooks of tensors: functions that see, and may replace, a gradient while a backward walk passes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_pt import dtypes
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.graph import Node, Tensor, born
from tinygrad_pt.inplace import touched
from tinygrad_pt.ops import clone

Hook = Callable[["Tensor"], "Tensor | None"]


class Removable:
    """The handle of a registered hook: `remove()` takes the hook away, and so does the end of a `with` block."""

    def __init__(self, hooks: dict[int, Any]) -> None:
        self.id, self.hooks = born(), hooks

    def remove(self) -> None:
        self.hooks.pop(self.id, None)

    def __enter__(self) -> Removable:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()


def pass_hooks(node: Node, g: Any, create: bool) -> Any:
    """Let the hooks of a vertex see and replace its gradient; keep it where `retain_grad` asked for it."""
    for hook in tuple(node.note("hooks", {}).values()):
        given = g if create else wrap(g)
        answer = hook(given)
        if answer is not None:
            check_answer(node, hook, given, answer)
            g = answer if create else answer.array
    for link in node.note("retained", ()):
        t = link()
        if t is not None:
            accumulate(t, clone(g), create)
    return g


def check_answer(node: Node, hook: Hook, given: Tensor, answer: Any) -> None:
    """Refuse what cannot take the place of a gradient."""
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


def accumulate(t: Any, g: Any, create: bool) -> None:
    """Add to a tensor's `.grad`: in place into the same object, unless the gradient is a graph."""
    seen = t._grad
    if seen is None:
        t._grad = g if create else wrap(g)
    elif create or seen.node is not None:
        t._grad = seen + (g if create else wrap(g))
    else:
        with np.errstate(all="ignore"):
            np.add(seen.array, g, out=seen.array)
        touched(seen)
