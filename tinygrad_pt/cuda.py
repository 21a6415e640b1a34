"""PyTorch's questions about a GPU: there is none here, and every tensor lives on the CPU."""


def is_available() -> bool:
    """Always False.

    >>> "cuda" if is_available() else "cpu"
    'cpu'
    """
    return False


def device_count() -> int:
    """Always 0."""
    return 0


def manual_seed_all(seed: int) -> None:
    """Do nothing: there is no stream to seed."""


manual_seed = manual_seed_all


def synchronize() -> None:
    """Do nothing: there is nothing to wait for."""


def empty_cache() -> None:
    """Do nothing: there is no cache."""
