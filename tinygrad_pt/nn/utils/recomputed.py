"""Recomputed: a hook that computes a weight anew, from other parameters, before each call of its module."""

from __future__ import annotations

from typing import Any, TypeVar

from tinygrad_pt.errors import refuse
from tinygrad_pt.nn.module import Module
from tinygrad_pt.tensor import Tensor

T = TypeVar("T", bound="Recomputed")


class Recomputed:
    """A hook before the forward of a module, which sets one of its attributes."""

    name: str  # of the attribute

    def computed(self, module: Module) -> Tensor:
        """The value of the attribute; every subclass defines it."""
        raise refuse(
            NotImplementedError, f"{type(self).__name__} does not say how its weight is computed", "computed", module
        )

    def __call__(self, module: Module, args: Any) -> None:
        setattr(module, self.name, self.computed(module))

    def unregister(self, module: Module) -> None:
        """Be called no more."""
        assert module._call_hooks is not None
        hooks = module._call_hooks.kinds["before"]
        for key, (hook, _) in list(hooks.items()):
            if hook is self:
                del hooks[key]


def found(module: Module, kind: type[T], name: str) -> T | None:
    """The hook of this kind that computes the attribute `name` of a module, if there is one."""
    for hook, _ in module._hooks("before"):
        if isinstance(hook, kind) and hook.name == name:
            return hook
    return None
