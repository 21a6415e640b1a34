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


def manual_seed(seed: int = 0) -> None:
    """Do nothing: there is no GPU to seed, to wait for, or to clear."""


manual_seed_all = synchronize = empty_cache = manual_seed
