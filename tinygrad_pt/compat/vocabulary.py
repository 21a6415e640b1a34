"""PyTorch's public names, namespace by namespace, and which of them are here."""

from __future__ import annotations

from functools import cache
from typing import Any

from tinygrad_pt.names import module_at, recorded


@cache
def vocabulary() -> dict[str, tuple[str, ...]]:
    """PyTorch's names by namespace; that of `torch` itself is ``."""
    return recorded()


CLASSES = ("Tensor", "nn.Module")


def space_of(space: str) -> Any:
    """Our module, or class, of a namespace; None if there is none."""
    room, _, name = space.rpartition(".")
    return getattr(module_at(room), name) if space in CLASSES else module_at(space)


def here(space: str, name: str) -> bool:
    """Whether a name of PyTorch's is here."""
    room = space_of(space)
    if room is None or space.startswith(("onnx", "hub")):
        return False
    try:
        getattr(room, name)
    except AttributeError:
        return space not in CLASSES and space_of(f"{space}.{name}" if space else name) is not None
    return True
