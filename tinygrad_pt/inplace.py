"""Writing in place: new elements for a tensor, a count of the change, and new vertices for all that share its memory.

A base and its views share one memory, so one write changes the values of all of them, and each gets a new vertex. If
the base is written, its vertex is that of the result; if a view is written, the base gets the vertex of `overwrite`,
an op that puts the result into its place. Each view then gets the vertex of the view ops that lead to it from the base.
A write also raises the version that base and views share: by it the backward walk notices that a value which a rule
has saved is no longer the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_pt import dtypes
from tinygrad_pt.calling import T, apply, bundle, vertex
from tinygrad_pt.errors import refuse
from tinygrad_pt.graph import OPS, SAVED, Leaf, Node, Op, Tensor, born
from tinygrad_pt.modes import current
from tinygrad_pt.texts import CUSTOM_WRITTEN, INFERENCE_WRITTEN, LEAF_WRITTEN, OVERLAP, PART_WRITTEN


# ------------------------------------------------------------------------------------------ may it be written?
def may_write(t: Tensor) -> bool:
    """Raise an error if `t` must not be written in place; return whether the change must be recorded in the graph."""
    state = current()
    base = t if t.base is None else t.base
    x = t.array
    if not x.flags.writeable or 0 in x.strides:
        if x.size and any(n > 1 and s == 0 for n, s in zip(x.shape, x.strides, strict=True)):
            raise refuse(RuntimeError, OVERLAP)
        if not x.flags.writeable and base is not t and base.array.flags.writeable:
            x.flags.writeable = True  # NumPy marks what it expands as read-only; the memory itself is not
        if not x.flags.writeable:
            raise refuse(RuntimeError, "the memory of this tensor is read-only", mend="clone() it first")
    if t.inference and not state.inference:
        raise refuse(RuntimeError, INFERENCE_WRITTEN)
    if not state.grad:
        return False
    if isinstance(base.node, Leaf):
        raise refuse(
            RuntimeError,
            LEAF_WRITTEN if base is t else "a view of " + LEAF_WRITTEN,
            mend="write inside `with torch.no_grad():`, or compute a new tensor",
        )
    if base.node is not None:
        check_single_view(t)
    return True


def check_single_view(t: Tensor) -> None:
    """Raise an error if `t` is one of several views that one op made, as `split` does: they must not be written."""
    for op, attrs in t.path:
        if "ctx" in attrs:
            name = op.name.rpartition(".")[2]
            text = PART_WRITTEN.format(attrs["part"], name) if "part" in attrs else CUSTOM_WRITTEN.format(name)
            raise refuse(RuntimeError, text)
        if "part" in attrs:
            raise refuse(RuntimeError, PART_WRITTEN.format(attrs["part"], op.name.capitalize()))


# ------------------------------------------------------------------------------------------ counting changes
last_change = [0]  # the time, on the clock of births, of the latest change in place of any tensor


def touched(t: Tensor) -> None:
    """Count a change of the memory of `t`, and tell the listeners."""
    t.version[0] += 1
    t.version[1] = last_change[0] = born()
    if listeners := current().listeners:
        for listener in listeners:
            listener.wrote(t)


# ------------------------------------------------------------------------------------------ what vertices have saved
def copy_saved(t: Tensor, node: Node | None, since: int) -> None:
    """Let the vertices born after `since`, from `node` backwards, keep copies of what they saved of `t`.

    They computed the value that is about to be written over `t`, and their rules need `t` as it was before.
    """
    stack: list[Any] = [node]
    while stack:
        node = stack.pop()
        if node.__class__ is not Node or node.born < since or node.args is None:
            continue
        args, guards, guard = list(node.args), list(node.guards), 0
        for i, a in enumerate(args):
            if isinstance(a, SAVED):
                if guards[guard] is t.version:
                    args[i] = np.array(a) if isinstance(a, np.ndarray) else a
                    guards[guard : guard + 2] = [[0, 0], 0]  # a copy never changes
                guard += 2
        node.args, node.guards = tuple(args), tuple(guards)
        stack.extend(node.parents)


def save_memory_of(t: Tensor, node: Node | None) -> None:
    """If `node` has saved its result, let it keep the memory of `t`, which now holds that result, instead.

    So the elements are stored once, and a later change of `t` is noticed.
    """
    if node is None or node.args is None:
        return
    y, *rest = node.args
    if y is not None:
        node.args = (t.array if t.array.ndim else y, *rest)
        node.guards = (t.version, t.version[0], *node.guards[2:])


# ------------------------------------------------------------------------------------------ writing
def write(t: Tensor, result: Tensor, since: int | None = None) -> Tensor:
    """Write the elements of `result` over those of `t`, and give new vertices to `t`, its base and all views.

    `since` is given where one or more ops have computed `result` from `t` itself: the time before the first of them.
    """
    recorded = may_write(t)
    x = t.array
    if result.array.shape != x.shape:
        raise refuse(
            RuntimeError,
            f"output with shape {list(x.shape)} doesn't match the broadcast shape {list(result.array.shape)}",
            mend="use the out-of-place form",
        )
    alike = result.array.dtype is x.dtype
    if not alike:
        source, target = dtypes.of(result.array.dtype), dtypes.of(x.dtype)
        alike = source is target
        if not dtypes.can_cast(source, target):
            text = f"result type {source.spoken} can't be cast to the desired output type {target.spoken}"
            raise refuse(RuntimeError, text, mend="convert the tensor first, e.g. x = x.float()")
    if recorded and result.node is not None:
        check_single_view(t)
    if recorded and since is not None:
        copy_saved(t, result.node, since)
    if alike:
        np.copyto(x, result.array)
    else:
        with np.errstate(all="ignore"):
            np.copyto(x, result.array, casting="unsafe")
    touched(t)
    if not recorded:
        return t
    if since is not None and alike:
        save_memory_of(t, result.node)
    base = t if t.base is None else t.base
    if result.node is not None and not alike:
        result = OPS["cast"](result, dtype=x.dtype)
    if base is t:
        t.node = result.node
    elif base.node is not None or result.node is not None:
        attrs, mask = {"path": t.path}, 3  # 3: the rules of both arguments; neither reads a value
        base.node = vertex(OPS["overwrite"], (base, result), attrs, base.array, mask, base.version, current().scope)
    else:
        return t
    for view in [view for link in base.views or () if (view := link()) is not None]:
        view.node = view_along(base, view.path).node
    return t


def view_along(a: T, path: Sequence[tuple[Op, dict[str, Any]]]) -> T:
    """The view to which a path leads from `a`: the view ops of the path, applied one after the other."""
    y: Any = a
    for op, attrs in path:
        if "part" in attrs:
            rest = {k: v for k, v in attrs.items() if k != "part"}
            y = bundle(op, (y,), rest)[attrs["part"]]
        else:
            y = apply(op, (y,), attrs)
    return y
