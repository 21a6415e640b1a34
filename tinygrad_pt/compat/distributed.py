"""`torch.distributed`: a program is one process. Questions are answered so; what needs several is refused."""

from __future__ import annotations

from typing import Any, NoReturn

from tinygrad_pt.errors import refuse

__all__ = [
    "all_gather", "all_reduce", "barrier", "broadcast", "destroy_process_group", "get_rank", "get_world_size",
    "init_process_group", "is_available", "is_initialized", "is_nccl_available", "is_torchelastic_launched",
    "new_group", "reduce",
]  # fmt: skip
NO_GROUP = "Default process group has not been initialized, please make sure to call init_process_group."
MEND = "a program is one process here: guard it with torch.distributed.is_available()"


def is_available() -> bool:
    """Always False: a program is one process."""
    return False


is_initialized = is_nccl_available = is_torchelastic_launched = is_available


def init_process_group(*args: Any, **options: Any) -> NoReturn:
    """Refuse: there are no other processes."""
    raise refuse(RuntimeError, "torch.distributed is not available in this package", "init_process_group", mend=MEND)


def get_rank(group: Any = None) -> NoReturn:
    """PyTorch's error about processes that have not met."""
    raise refuse(ValueError, NO_GROUP, "distributed", mend=MEND)


def barrier(*args: Any, **options: Any) -> NoReturn:
    """PyTorch's error about processes that have not met."""
    raise refuse(ValueError, NO_GROUP, "distributed", mend=MEND)


get_world_size = get_rank
all_gather = all_reduce = broadcast = destroy_process_group = new_group = reduce = barrier
