"""`torch.cuda`: there is no GPU. Questions are answered so, what would do nothing does nothing, the rest refuses."""

from __future__ import annotations

from typing import Any, NoReturn

from tinygrad_pt import dtypes
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.creation import USE_CPU
from tinygrad_pt.functions.typed import tensortype

FloatTensor, DoubleTensor, HalfTensor, LongTensor, IntTensor, ShortTensor, ByteTensor, CharTensor, BoolTensor = (
    tensortype(kind, "torch.cuda")
    for kind in (
        dtypes.float32, dtypes.float64, dtypes.float16, dtypes.int64, dtypes.int32, dtypes.int16, dtypes.uint8,
        dtypes.int8, dtypes.bool,
    )
)  # fmt: skip

__all__ = [
    "BoolTensor", "ByteTensor", "CharTensor", "DoubleTensor", "Event", "FloatTensor", "HalfTensor", "IntTensor",
    "LongTensor", "ShortTensor", "Stream", "current_device", "current_stream", "default_generators", "default_stream",
    "device", "device_count", "empty_cache", "get_arch_list", "get_device_capability", "get_device_name",
    "get_device_properties", "get_rng_state", "has_half", "init", "initial_seed", "ipc_collect", "is_available",
    "is_bf16_supported", "is_initialized", "manual_seed", "manual_seed_all", "max_memory_allocated",
    "max_memory_reserved", "mem_get_info", "memory_allocated", "memory_reserved", "reset_peak_memory_stats", "seed",
    "seed_all", "set_device", "set_rng_state", "stream", "synchronize",
]  # fmt: skip
default_generators: tuple[Any, ...] = ()
has_half = True


def is_available() -> bool:
    """Always False.

    >>> "cuda" if is_available() else "cpu"
    'cpu'
    """
    return False


def is_initialized() -> bool:
    """Always False."""
    return False


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Always False."""
    return False


def device_count() -> int:
    """Always 0."""
    return 0


def memory_allocated(device: Any = None) -> int:
    """Always 0: bytes on the GPU."""
    return 0


max_memory_allocated = memory_reserved = max_memory_reserved = memory_allocated


def get_arch_list() -> list[str]:
    """Always empty."""
    return []


def manual_seed(seed: int = 0) -> None:
    """Do nothing: there is no GPU to seed, to wait for, or to clear."""


manual_seed_all = manual_seed


def empty_cache() -> None:
    """Do nothing: there is no memory of a GPU."""


seed = seed_all = reset_peak_memory_stats = empty_cache


def synchronize(device: Any = None) -> None:
    """Do nothing: every op is done when it returns."""


def init() -> NoReturn:
    """Refuse: there is no GPU."""
    raise refuse(AssertionError, "Torch not compiled with CUDA enabled", "cuda", mend=USE_CPU)


def current_device(device: Any = None) -> NoReturn:
    """Refuse: there is no GPU that could be asked, or chosen."""
    init()


get_device_name = get_device_properties = get_device_capability = set_device = mem_get_info = current_device
get_rng_state = set_rng_state = initial_seed = ipc_collect = current_stream = default_stream = current_device


class device:
    """A block inside which a GPU would be the current one; here it changes nothing."""

    def __init__(self, device: Any = None) -> None:
        self.idx = -1

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: object) -> None:
        pass


stream = device


class Stream:
    """A queue of work for a GPU: to make one is PyTorch's error."""

    def __new__(cls, *args: Any, **words: Any) -> Any:
        raise refuse(RuntimeError, "torch.cuda.Stream requires CUDA support", "Stream", mend=USE_CPU)


class Event:
    """A mark in the work of a GPU: to make one is PyTorch's error."""

    def __new__(cls, *args: Any, **words: Any) -> Any:
        raise refuse(RuntimeError, "Tried to instantiate dummy base class Event", "Event", mend="time.perf_counter()")
