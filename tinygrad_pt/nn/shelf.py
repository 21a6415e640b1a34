"""Shelf: a dictionary of a module's parameters, buffers or children; its entries are attributes of the module too."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tinygrad_pt.nn.module import Module

NEVER: tuple[Any, Any] = (None, None)


class Shelf(dict[str, Any]):
    """A dictionary whose entries are attributes of its module too.

    Reading `self.weight` then costs no more than reading any attribute; a `__getattr__` would cost a tenth of a
    small network's step.
    """

    __slots__ = ("owner",)

    def __init__(self, owner: Module, items: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self.owner = weakref.ref(owner)  # weak, so that a model is freed at once, without the garbage collector
        self.update(items or {})

    @property
    def attributes(self) -> dict[str, Any]:
        """The attributes of the module, for as long as it lives."""
        owner = self.owner()
        return {} if owner is None else owner.__dict__

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, value)
        self.attributes[name] = value
        if hasattr(value, "_entered"):  # errors and pictures show a child under the name that its parent gave it
            value.__dict__["_scope_name"], value.__dict__["_entered"] = name, NEVER

    def __delitem__(self, name: str) -> None:
        super().__delitem__(name)
        self.attributes.pop(name, None)

    def pop(self, name: str, *default: Any) -> Any:
        if name in self:
            self.attributes.pop(name, None)
        return super().pop(name, *default)

    def popitem(self) -> tuple[str, Any]:
        name = next(reversed(self))
        return name, self.pop(name)

    def clear(self) -> None:
        for name in list(self):
            del self[name]

    def update(self, *items: Any, **named: Any) -> None:
        for name, value in dict(*items, **named).items():
            self[name] = value

    def setdefault(self, name: str, default: Any = None) -> Any:
        if name not in self:
            self[name] = default
        return self[name]

    def __reduce__(self) -> tuple[Callable[..., dict[str, Any]], tuple[dict[str, Any]]]:
        return dict, (dict(self),)  # a copy is a plain dict, until the copied module makes shelves of its own


SHELVES = ("_parameters", "_buffers", "_modules")
