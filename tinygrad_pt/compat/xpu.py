"""`torch.xpu`: Intel's GPU, which is not used here."""

from __future__ import annotations

__all__ = [
    "device_count", "empty_cache", "is_available", "is_bf16_supported", "is_initialized", "manual_seed",
    "manual_seed_all", "memory_allocated", "seed", "synchronize",
]  # fmt: skip


def is_available() -> bool:
    """Always False."""
    return False


def device_count() -> int:
    """Always 0."""
    return 0


is_initialized = is_bf16_supported = is_available
memory_allocated = device_count


def manual_seed(seed: int = 0) -> None:
    """Do nothing: there is no such machine to seed, to wait for, or to clear."""


manual_seed_all = seed = empty_cache = synchronize = manual_seed
