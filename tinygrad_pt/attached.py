"""What users attach to the vertices of a graph: hooks, notes, and the context of a custom `Function`."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import count
from typing import Any

number = count().__next__  # of the next hook


class Removable:
    """What the registration of a hook returns: `remove()`, or the end of a `with` block, removes the hook."""

    def __init__(self, hooks: dict[int, Any]) -> None:
        self.id, self.hooks = number(), hooks

    def remove(self) -> None:
        self.hooks.pop(self.id, None)

    def __enter__(self) -> Removable:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()


class Attached:
    """A vertex as the keeper of what few vertices have: `extra`, by name, or None."""

    __slots__ = ("extra",)

    extra: dict[str, Any] | None
    attrs: dict[str, Any]
    parents: tuple[Any, ...]

    def note(self, key: str, default: Any = None) -> Any:
        """The entry `key` of `extra`, or `default`."""
        return default if self.extra is None else self.extra.get(key, default)

    def set_note(self, key: str, value: Any) -> None:
        if self.extra is None:
            self.extra = {}
        self.extra[key] = value

    def attach(self, kind: str, hook: Any) -> Removable:
        """Add a hook of a kind; hooks of one kind are called in this order."""
        hooks = self.note(kind)
        if hooks is None:
            hooks = {}
            self.set_note(kind, hooks)
        removable = Removable(hooks)
        hooks[removable.id] = hook
        return removable

    def _whole(self) -> Any:
        """The vertex of the op, for that of one of its several results."""
        return self.parents[0] if "part" in self.attrs and len(self.parents) == 1 else self

    def register_hook(self, hook: Callable[..., Any]) -> Removable:
        """Call `hook(grad_inputs, grad_outputs)` when a walk has called the rules; a tuple that it returns replaces
        the gradients of the arguments.
        """
        removable: Removable = self._whole().attach("after", hook)
        return removable

    def register_prehook(self, hook: Callable[..., Any]) -> Removable:
        """Call `hook(grad_outputs)` before a walk calls the rules; a tuple that it returns replaces them."""
        removable: Removable = self._whole().attach("before", hook)
        return removable

    @property
    def metadata(self) -> dict[Any, Any]:
        """A dictionary for what the user wants to note."""
        if self.note("metadata") is None:
            self.set_note("metadata", {})
        found: dict[Any, Any] = self.note("metadata")
        return found


class Context(Attached):
    """Gives the vertex of a custom `Function` the attributes of its context. Not each vertex can do so: a class with
    `__getattr__` reads all attributes more slowly."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        """An attribute of the context of a custom `Function`, whose vertex is its context in PyTorch."""
        known = name[:2] != "__" and name not in ("attrs", "parents", "extra")  # which a vertex in the making lacks
        if known and (ctx := self._whole().attrs.get("ctx")) is not None:
            return getattr(ctx, name)
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'", name=name, obj=self)


@cache
def titled(cls: type, title: str) -> type:
    """The class of vertices of a kind that bears PyTorch's name of them."""
    return type(title, (cls,), {"__slots__": (), "__module__": "builtins"})


def shown(node: Any, inner: set[type]) -> Any:
    """A vertex as it is handed to the user: its class bears PyTorch's name, `type(y.grad_fn).__name__`.

    Vertices are made without it, because most are never looked at; `inner` are the classes that the walk knows.
    """
    kind: Any = node.__class__
    if kind in inner and kind.__module__ != "builtins":
        node.__class__ = titled(kind, node.name().split("::")[-1])
        inner.add(node.__class__)
    return node
