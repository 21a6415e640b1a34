"""skip_init: a module without the work of drawing initial weights."""

from __future__ import annotations

import inspect
from typing import Any, TypeVar

from tinygrad_pt.errors import refuse
from tinygrad_pt.nn.module import Module
from tinygrad_pt.random import default_generator

__all__ = ["skip_init"]

M = TypeVar("M", bound=Module)


def skip_init(module_cls: type[M], *args: Any, **kwargs: Any) -> M:
    """A module of this class, whose parameters may have any values; the random stream stays where it is.

    Raises RuntimeError for what is no class of modules, or takes no `device`.

    >>> torch.nn.utils.skip_init(torch.nn.Linear, 3, 2).weight.shape
    torch.Size([2, 3])
    """
    if not issubclass(module_cls, Module):
        raise refuse(RuntimeError, f"Expected a Module; got {module_cls}", "skip_init")
    if "device" not in inspect.signature(module_cls).parameters:
        text = "Module must support a 'device' arg to skip initialization"
        raise refuse(RuntimeError, text, "skip_init", mend="make the module itself: it has no choice of device")
    state = default_generator.get_state()
    try:
        return module_cls(*args, **kwargs)
    finally:
        default_generator.set_state(state)
