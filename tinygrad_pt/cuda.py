"""The GPU there is not: programs that ask get the answer, and run on the CPU."""


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
    """Nothing: there is no stream to seed."""


manual_seed = manual_seed_all


def synchronize() -> None:
    """Nothing: there is nothing to wait for."""


def empty_cache() -> None:
    """Nothing: there is no cache."""
