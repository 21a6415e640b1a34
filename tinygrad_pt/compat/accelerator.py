"""`torch.accelerator`: there is none."""

from __future__ import annotations

from typing import Any, NoReturn

from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.creation import NO_ACCELERATOR, USE_CPU, device

__all__ = [
    "current_accelerator", "current_device_idx", "current_device_index", "current_stream", "device_count",
    "empty_cache", "is_available", "memory_allocated", "set_device_idx", "set_device_index", "set_stream",
    "synchronize",
]  # fmt: skip


def is_available() -> bool:
    """Always False."""
    return False


def current_accelerator(check_available: bool = False) -> device | None:
    """Always None.

    >>> "cpu" if current_accelerator() is None else "cuda"
    'cpu'
    """
    return None


def device_count() -> int:
    """Always 0."""
    return 0


def memory_allocated(device_index: Any = None) -> int:
    """Always 0."""
    return 0


def synchronize(device: Any = None) -> None:
    """Do nothing: every op is done when it returns."""


def empty_cache() -> None:
    """Do nothing: there is no memory of an accelerator."""


def current_device_index(device: Any = None) -> NoReturn:
    """Refuse: there is no accelerator that could be asked, or chosen."""
    raise refuse(RuntimeError, NO_ACCELERATOR, "accelerator", mend=USE_CPU)


current_device_idx = set_device_idx = set_device_index = current_stream = set_stream = current_device_index
