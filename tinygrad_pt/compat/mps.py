"""`torch.mps`: Apple's GPU, which is not used here."""

from __future__ import annotations

__all__ = [
    "current_allocated_memory", "device_count", "driver_allocated_memory", "empty_cache", "is_available",
    "manual_seed", "seed", "synchronize",
]  # fmt: skip


def is_available() -> bool:
    """Always False."""
    return False


def device_count() -> int:
    """Always 0."""
    return 0


current_allocated_memory = driver_allocated_memory = device_count


def manual_seed(seed: int = 0) -> None:
    """Do nothing: there is no such machine to seed, to wait for, or to clear."""


seed = empty_cache = synchronize = manual_seed
