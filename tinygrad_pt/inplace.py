"""Writing in place: new elements for a tensor, a count of the change, and new vertices for all that share its memory.

A base and its views share one memory, so one write changes the values of all of them, and each gets a new vertex. If
the base is written, its vertex is that of the result; if a view is written, the base gets the vertex of `overwrite`,
an op that puts the result into its place. Each view then gets the vertex of the view ops that lead to it from the base,
unless it was made where that cannot be recorded (`TensorBase.creation`): then each later use of it is an error. A write
also raises the version that base and views share: by it the backward walk notices that a value which a rule has saved
is no longer the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_pt import dtypes, texts
from tinygrad_pt.calling import T, apply, vertex
from tinygrad_pt.errors import refuse
from tinygrad_pt.graph import INNER, OPS, SAVED, Leaf, Node, Op, Tensor, born
from tinygrad_pt.modes import Switch, current
from tinygrad_pt.views import forbidden, owner_of, spoil, views_of


# ------------------------------------------------------------------------------------------ may it be written?
def may_write(t: Tensor, overlap: bool = False, wanting: bool = False) -> bool:
    """Raise an error if `t` must not be written in place; return whether the change must be recorded in the graph.

    `wanting` says that what is written requires a gradient. With `overlap` several elements of `t` may lie at one
    place, as after `expand`: the write leaves no doubt what is there afterwards.
    """
    state = current()
    base = t if t.base is None else t.base
    x = t.array
    if state.grad:
        if t.creation and (wanting or base.node is not None or t.requires_grad):
            raise forbidden(t, "is being")
        if isinstance(base.node, Leaf) or (base.node is None and t.node is not None):  # wanting, but of a leaf
            raise refuse(
                RuntimeError,
                texts.LEAF_WRITTEN if base is t else "a view of " + texts.LEAF_WRITTEN,
                mend="write inside `with torch.no_grad():`, or compute a new tensor",
            )
    if not x.flags.writeable or 0 in x.strides:
        if x.size and not overlap and any(n > 1 and s == 0 for n, s in zip(x.shape, x.strides, strict=True)):
            raise refuse(RuntimeError, texts.OVERLAP)
        make_writeable(x)
    if t.inference and not state.inference:
        raise refuse(RuntimeError, texts.INFERENCE_WRITTEN)
    return state.grad


def check_apart(t: Tensor, other: Any) -> None:
    """Raise an error if `t` is to be written from another view of its memory, of which it covers a part."""
    x, y = t.array, other.array
    if not (x.flags.forc and y.flags.forc and x.size and y.size):
        return  # nor does PyTorch look further
    first, second = x.ctypes.data, y.ctypes.data
    if first + x.nbytes <= second or second + y.nbytes <= first:
        return
    if first != second or x.nbytes != y.nbytes or t.stride() != other.stride():
        raise refuse(RuntimeError, texts.PARTIAL_OVERLAP)


def make_writeable(x: np.ndarray) -> None:
    """Let an array be written that NumPy has marked as read-only because it is expanded, or a view of such a one."""
    if not x.flags.writeable:
        if not owner_of(x).flags.writeable:
            raise refuse(RuntimeError, "the memory of this tensor is read-only", mend="clone() it first")
        x.flags.writeable = True


# ------------------------------------------------------------------------------------------ counting changes
last_change = [0]  # the time, on the clock of births, of the latest change in place of any tensor


def touched(t: Tensor) -> None:
    """Count a change of the memory of `t`, and tell the listeners."""
    t.version[0] += 1
    t.version[1] = last_change[0] = born()
    base = t if t.base is None else t.base
    for view in views_of(base) if base.views is not None else ():
        if view.creation:
            if view.base.node is not None or vars(view)["node"].__class__ in INNER:
                spoil(view)
        elif view.base.node is not None and view.node is not None and view.node.extra is not None:
            renew(view)  # its hooks heard of the value before
    if listeners := current().listeners:
        for listener in listeners:
            listener.wrote(t)


# ------------------------------------------------------------------------------------------ the views of a base
def view_along(a: T, path: Sequence[tuple[Op, dict[str, Any]]]) -> T:
    """The view to which a path leads from `a`: the view ops of the path, applied one after the other."""
    y: Any = a
    for op, attrs in path:
        y = apply(op, (y,), attrs)
    return y


def renew(view: Tensor) -> None:
    """Give a view the vertex that leads to it from what its base is now."""
    with Switch(grad=True, inference=False):
        replace_node(view, view_along(view.base, view.path).node)


def replace_node(t: Tensor, node: Node | None) -> None:
    """Give `t` a new vertex. Its hooks stay with the old one; it retains the gradient of the new one, if it did."""
    old, t.node = t.node, node
    links = () if old is None else old.note("retained", ())
    if links and node is not None and node is not old:
        mine = tuple(link for link in links if link() is t)
        old.set_note("retained", tuple(link for link in links if link not in mine))  # type: ignore[union-attr]
        node.set_note("retained", (*node.note("retained", ()), *mine))


# ------------------------------------------------------------------------------------------ what vertices have saved
def copy_saved(t: Tensor, node: Node | None, since: int) -> None:
    """Let the vertices born after `since`, from `node` backwards, keep copies of what they saved of `t`.

    They computed the value that is about to be written over `t`, and their rules need `t` as it was before.
    """
    stack: list[Any] = [node]
    while stack:
        node = stack.pop()
        if node.__class__ not in INNER or node.born < since or node.args is None:
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
def write(t: Tensor, result: Tensor, since: int | None = None, overlap: bool = False) -> Tensor:
    """Write the elements of `result` over those of `t`, and give new vertices to `t`, its base and all views.

    `since` is given where one or more ops have computed `result` from `t` itself: the time before the first of them.
    """
    recorded = may_write(t, overlap, result.node is not None)
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
        replace_node(t, result.node)
    elif base.node is not None or result.node is not None:
        attrs, mask = {"path": t.path}, 3  # 3: the rules of both arguments; neither reads a value
        node = vertex(OPS["overwrite"], (base, result), attrs, base.array, mask, base.version, current().scope)
        replace_node(base, node)
    else:
        return t
    for view in views_of(base) if base.node is not None else ():
        if view.base is base:
            spoil(view) if view.creation else replace_node(view, view_along(base, view.path).node)
    return t


def write_changed(t: Tensor, result: Tensor, since: int) -> Tensor:
    """`write` for an op that leaves some elements as they are: several elements of `t` may lie at one place."""
    x, y = t.array, result.array
    if result.node is not None or 0 not in x.strides:
        return write(t, result, since)
    may_write(t, overlap=True)
    np.copyto(x, y, where=x != y)
    touched(t)
    return t
