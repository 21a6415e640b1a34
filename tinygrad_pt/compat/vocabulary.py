"""PyTorch's public names, namespace by namespace, and which of them are here."""

from __future__ import annotations

from functools import cache
from typing import Any

from tinygrad_pt.names import module_at, recorded
from tinygrad_pt.tensor import Tensor


@cache
def vocabulary() -> dict[str, tuple[str, ...]]:
    """PyTorch's names by namespace; that of `torch` itself is ``."""
    return recorded()


def space_of(space: str) -> Any:
    """Our module (or the class of tensors) of a namespace; None if there is none."""
    return Tensor if space == "Tensor" else module_at(space)


def here(space: str, name: str) -> bool:
    """Whether a name of PyTorch's is here."""
    room = space_of(space)
    if room is None or space.startswith(("onnx", "hub")):
        return False
    try:
        getattr(room, name)
    except AttributeError:
        return space != "Tensor" and space_of(f"{space}.{name}" if space else name) is not None
    return True
