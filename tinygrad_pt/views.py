"""Views: what they share with the tensor they were made of, and which of them cannot follow when that is written.

A base and its views share one memory and one version, so that a change of one is known to all. When the memory is
written, `inplace` gives each view a new vertex, if the making of the view was recorded. A view that was made under
`no_grad`, in `inference_mode`, as one of several, or by a custom Function is spoiled by a write: as in PyTorch, nobody
guesses what its gradient is.
"""

from __future__ import annotations

import weakref
from functools import cache
from typing import Any, NoReturn, TypeVar

import numpy as np

from tinygrad_pt import texts
from tinygrad_pt.errors import refuse
from tinygrad_pt.graph import INNER, Leaf, Node, Op, Tensor, TensorBase, nobody
from tinygrad_pt.modes import Mode, current

T = TypeVar("T", bound=Tensor)


def adopt_view(op: Op, a: TensorBase, attrs: dict[str, Any], t: TensorBase, state: Mode, several: bool = False) -> None:
    """If `t` shares the memory of `a`, let it share the version too, and add it to the views of their base."""
    x, y = a.array, t.array
    owner = x if x.base is None else x.base
    if y is not x and y.base is not owner and y.base is not x and not np.may_share_memory(x, y):
        t.version, t.inference = [0, 0], state.inference
        return
    t.version = a.version
    if a.inference:  # it has no version that could tell of a change, so it is no view to be followed
        t.inference = True
        return
    base = a if a.base is None else a.base
    t.path = (*a.path, (op, attrs))
    if not state.grad:
        t.creation = "inference" if state.inference or a.creation == "inference" else "no_grad"
        if base.node is not None and y.dtype.kind == "f":
            t.node = Leaf(t)  # as in PyTorch: what is computed from it outside requires a gradient, which ends here
            t.node.handle = nobody
    elif several or a.creation:
        t.creation = "several" if several else a.creation
    attach(t, base)


def attach(t: TensorBase, base: TensorBase) -> None:
    """Let `t` be a view of `base`."""
    t.base, views = base, base.views
    if views is None:
        base.views = [weakref.ref(t)]
        return
    if len(views) >= 16 and len(views) & (len(views) - 1) == 0:  # at each power of two, remove the views that are gone
        views[:] = [v for v in views if v() is not None]
    views.append(weakref.ref(t))


def views_of(base: Tensor) -> list[Any]:
    """The views that are alive."""
    return [view for link in base.views or () if (view := link()) is not None]


def as_own(t: T) -> T:
    """A view of what a function has made on its way, and nobody else has: to the user it is no view."""
    t.base, t.path, t.creation = None, (), ""
    return t


def owner_of(x: np.ndarray) -> np.ndarray:
    """The array that owns the memory of `x`."""
    below: Any = x
    while below is not None:
        if isinstance(below, np.ndarray):
            x = below
        below = getattr(below, "base", None)  # between arrays may stand what NumPy makes of strides
    return x


# ------------------------------------------------------------------------------------------ views that cannot follow
def forbidden(t: Tensor, written: str) -> Exception:
    """PyTorch's error about a write that cannot be recorded because of the place where the view `t` was made.

    `written` is "is being", if `t` is to be written, or says that its memory has been written before.
    """
    node: Any = vars(t).get("node")
    mode = t.creation
    name = ""
    if node.__class__ in INNER:
        name = f"Output {node.attrs.get('part', 0)} of {node.name().rpartition('Backward')[0]}"
    if mode in ("no_grad", "inference") or not name:
        how = "inference mode" if mode == "inference" else "no_grad mode"
        when = "in normal mode" if mode == "inference" else "with grad mode enabled"
        made = f"{name} is a view of a view which was" if name else "A view was"
        text = f"{made} created in {how} and {written} modified inplace {when}."
    else:
        text = f"{name} is a view and {written} modified inplace."
    return refuse(RuntimeError, text + texts.CREATIONS[mode])


def spoil(view: Tensor) -> None:
    """Let each later use of a view be an error: what it holds now could not be recorded."""
    kind: Any = view.__class__
    view.__class__ = spoiled(kind)


@cache
def spoiled(cls: Any) -> Any:
    """The class of a spoiled view: like `cls`, but to read its vertex is an error, unless nothing is recorded."""
    if "spoils" in vars(cls):
        return cls

    def node(t: Tensor) -> Node | None:
        if current().grad:
            raise forbidden(t, "its base or another view of its base has been")
        return vars(t)["node"]

    def history(t: Tensor) -> NoReturn:
        raise forbidden(t, "its base or another view of its base has been")

    def keep(t: Tensor, node: Node | None) -> None:
        vars(t)["node"] = node

    members = {
        "spoils": True, "node": property(node, keep), "requires_grad": property(lambda t: True, cls.requires_grad.fset),
        "is_leaf": property(history), "grad_fn": property(history), "_history": lambda t: ["grad_fn=<Invalid>"],
        "__module__": cls.__module__, "__qualname__": cls.__qualname__,
    }  # fmt: skip
    return type(cls.__name__, (cls,), members)
