"""Writing in place: memory, version, and a new vertex for the tensor and for every view of its storage."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_pt import dtypes
from tinygrad_pt.calling import apply, bundle, vertex
from tinygrad_pt.errors import refuse
from tinygrad_pt.graph import OPS, SAVED, Leaf, Node, born
from tinygrad_pt.modes import current
from tinygrad_pt.texts import LEAF_WRITTEN, OVERLAP


def may_write(t: Any) -> bool:
    """Raise unless `t` may be written in place; say whether the graph must hear of it."""
    state = current()
    base = t if t.base is None else t.base
    x = t.array
    if not x.flags.writeable or 0 in x.strides:
        if x.size and any(n > 1 and s == 0 for n, s in zip(x.shape, x.strides, strict=True)):
            raise refuse(RuntimeError, OVERLAP)
        if not x.flags.writeable and base is not t and base.array.flags.writeable:
            x.flags.writeable = True  # NumPy expands to read-only memory; the memory itself may be written
        if not x.flags.writeable:
            raise refuse(RuntimeError, "the memory of this tensor is read-only", mend="clone() it first")
    if t.inference and not state.inference:
        raise refuse(
            RuntimeError,
            "Inplace update to inference tensor outside InferenceMode is not allowed. You can make a clone to get "
            "a normal tensor before doing inplace update.",
        )
    if not state.grad:
        return False
    if isinstance(base.node, Leaf):
        raise refuse(
            RuntimeError,
            LEAF_WRITTEN if base is t else "a view of " + LEAF_WRITTEN,
            mend="write inside `with torch.no_grad():`, or compute a new tensor",
        )
    if base.node is not None:
        no_part(t)
    return True


def no_part(t: Any) -> None:
    """Raise if `t` is one of several views made at once: those cannot be rebased on what is written."""
    for op, attrs in t.path:
        if "part" in attrs:
            raise RuntimeError(
                f"Output {attrs['part']} of {op.name.capitalize()} is a view and is being modified "
                "inplace. This view is "
                "the output of a function that returns multiple views. Such functions do not allow the "
                "output views to be "
                "modified inplace. You should replace the inplace operation by an out-of-place one."
            )


last_change = [0]  # the time of the latest change of anything in place


def touched(t: Any) -> None:
    """Count a change of the storage under `t`."""
    t.version[0] += 1
    t.version[1] = last_change[0] = born()
    for listener in current().listeners:
        listener.wrote(t)


def spare(t: Any, node: Any, since: int) -> None:
    """Give the vertices born `since` then copies of what they saved of `t`, which is about to be overwritten."""
    stack = [node]
    while stack:
        node = stack.pop()
        if node.__class__ is not Node or node.born < since or node.args is None:
            continue
        args, guards, kept = list(node.args), list(node.guards), 0
        for i, a in enumerate(args):
            if isinstance(a, SAVED):
                if guards[kept] is t.version:
                    args[i] = np.array(a) if isinstance(a, np.ndarray) else a
                    guards[kept : kept + 2] = [[0, 0], 0]
                kept += 2
        node.args, node.guards = tuple(args), tuple(guards)
        stack.extend(node.parents)


def share(t: Any, node: Any) -> None:
    """What the last op saved of its result is now the memory of `t`: kept once, and watched for changes."""
    if node is None:
        return
    y, *rest = node.args
    if y is not None:
        node.args = (t.array if t.array.ndim else y, *rest)
        node.guards = (t.version, t.version[0], *node.guards[2:])


def write(t: Any, result: Any, since: int | None = None) -> Any:
    """Let `result` become the value of `t` in place: memory, version, and the vertices of all its views.

    `since` is the clock before `result` was computed from `t`, by one op at least, if it was.
    """
    heard = may_write(t)
    x = t.array
    if result.array.shape != x.shape:
        raise refuse(
            RuntimeError,
            f"output with shape {list(x.shape)} doesn't match the broadcast shape {list(result.array.shape)}",
            mend="use the out-of-place form",
        )
    source, target = dtypes.of(result.array.dtype), dtypes.of(x.dtype)
    if not dtypes.can_cast(source, target):
        raise refuse(
            RuntimeError,
            f"result type {source.spoken} can't be cast to the desired output type {target.spoken}",
            mend="convert the tensor first, e.g. x = x.float()",
        )
    if heard and result.node is not None:
        no_part(t)
    if heard and since is not None:
        spare(t, result.node, since)
    np.copyto(x, result.array, casting="unsafe")
    touched(t)
    if not heard:
        return t
    if since is not None and source is target:
        share(t, result.node)
    base = t if t.base is None else t.base
    if result.node is not None and source is not target:
        result = OPS["cast"](result, dtype=target)
    if base is t:
        t.node = result.node
    elif base.node is not None or result.node is not None:
        attrs, mask = {"path": t.path}, 3  # for both rules, and none reads a value
        base.node = vertex(OPS["overwrite"], (base, result), attrs, base.array, mask, base.version, current().scope)
    else:
        return t
    for view in [view for link in base.views or () if (view := link()) is not None]:
        view.node = follow(base, view.path).node
    return t


def follow(t: Any, path: Any) -> Any:
    """Apply a path of view ops."""
    for op, attrs in path:
        if "part" in attrs:
            rest = {k: v for k, v in attrs.items() if k != "part"}
            t = bundle(op, (t,), rest)[attrs["part"]]
        else:
            t = apply(op, (t,), attrs)
    return t
