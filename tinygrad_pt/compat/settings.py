"""Settings of PyTorch's that change nothing here: threads, determinism, precision, the default device."""

from __future__ import annotations

import os
import warnings
from typing import Any

from tinygrad_pt import dtypes
from tinygrad_pt.errors import class_name, refuse
from tinygrad_pt.functions.creation import CPU, here
from tinygrad_pt.functions.creation import device as Device
from tinygrad_pt.functions.typed import dtype_named

__all__ = [
    "are_deterministic_algorithms_enabled", "compiled_with_cxx11_abi", "get_autocast_dtype", "get_default_device",
    "get_deterministic_debug_mode", "get_float32_matmul_precision", "get_num_interop_threads", "get_num_threads",
    "is_autocast_cache_enabled", "is_autocast_cpu_enabled", "is_autocast_enabled",
    "is_deterministic_algorithms_warn_only_enabled", "is_vulkan_available", "is_warn_always_enabled",
    "set_default_device", "set_default_tensor_type", "set_deterministic_debug_mode", "set_float32_matmul_precision",
    "set_flush_denormal", "set_num_interop_threads", "set_num_threads", "set_warn_always",
    "use_deterministic_algorithms",
]  # fmt: skip

chosen: dict[str, Any] = {
    "threads": os.cpu_count() or 1, "interop": os.cpu_count() or 1, "deterministic": False, "warn_only": False,
    "precision": "highest", "warn": False,
}  # fmt: skip


def _threads(n: Any, function: str) -> int:
    if not isinstance(n, int) or isinstance(n, bool):
        raise refuse(RuntimeError, f"{function} expects an int, but got {type(n).__name__}", function)
    if n < 1:
        raise refuse(RuntimeError, f"{function} expects a positive integer", function, n)
    return n


def set_num_threads(n: int) -> None:
    """Note a number. NumPy's own setting decides how many threads compute: OMP_NUM_THREADS in the environment."""
    chosen["threads"] = _threads(n, "set_num_threads")


def get_num_threads() -> int:
    """The number noted by `set_num_threads`; at first that of the processors."""
    n: int = chosen["threads"]
    return n


def set_num_interop_threads(n: int) -> None:
    """Note a number: ops run one after the other."""
    chosen["interop"] = _threads(n, "set_num_interop_threads")


def get_num_interop_threads() -> int:
    """The number noted by `set_num_interop_threads`; at first that of the processors."""
    n: int = chosen["interop"]
    return n


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Note the wish, which is always fulfilled: the same program gives the same bits."""
    chosen["deterministic"], chosen["warn_only"] = bool(mode), bool(warn_only)


def are_deterministic_algorithms_enabled() -> bool:
    """Whether `use_deterministic_algorithms(True)` was called."""
    return bool(chosen["deterministic"])


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Whether `use_deterministic_algorithms(True, warn_only=True)` was called."""
    return bool(chosen["warn_only"])


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """`use_deterministic_algorithms` by a number: 0 or "default", 1 or "warn", 2 or "error"."""
    level = (
        {"default": 0, "warn": 1, "error": 2}.get(debug_mode, debug_mode) if isinstance(debug_mode, str) else debug_mode
    )
    if level not in (0, 1, 2):
        raise refuse(RuntimeError, f"invalid value of debug_mode, expected 0, 1, or 2, but got {debug_mode}")
    use_deterministic_algorithms(level != 0, warn_only=level == 1)


def get_deterministic_debug_mode() -> int:
    """0, 1 or 2: what `set_deterministic_debug_mode` was given."""
    return (1 if chosen["warn_only"] else 2) if chosen["deterministic"] else 0


def set_float32_matmul_precision(precision: str) -> None:
    """Note "highest", "high" or "medium": products of float32 are always computed in float32."""
    if precision not in ("highest", "high", "medium"):
        text = f"{precision} is not one of 'highest', 'high', or 'medium'; the current"
        warnings.warn(f"{text}setFloat32MatmulPrecision call has no effect.", UserWarning, stacklevel=2)
        return
    chosen["precision"] = precision


def get_float32_matmul_precision() -> str:
    """What `set_float32_matmul_precision` was given; at first "highest"."""
    return str(chosen["precision"])


def set_flush_denormal(mode: bool) -> bool:
    """False: subnormal numbers are never taken for 0."""
    return False


def get_default_device() -> Device:
    """Always the CPU."""
    return CPU


def set_default_device(device: Any) -> None:
    """Do nothing for the CPU; refuse any other device."""
    if device is not None:
        here(device)


def set_default_tensor_type(t: Any) -> None:
    """`set_default_dtype` by one of PyTorch's older constructors: `torch.DoubleTensor`, or its name."""
    dtypes.set_default_dtype(dtype_named(t))


def set_warn_always(b: bool) -> None:
    """Note the wish: Python's filters of warnings decide."""
    chosen["warn"] = bool(b)


def is_warn_always_enabled() -> bool:
    """What `set_warn_always` was given."""
    return bool(chosen["warn"])


def is_autocast_enabled(device_type: str | None = None) -> bool:
    """Always False: numbers are computed in the dtype that they have."""
    return False


is_autocast_cpu_enabled = is_autocast_cache_enabled = is_autocast_enabled


def get_autocast_dtype(device_type: str) -> dtypes.dtype:
    """float32: numbers are computed in the dtype that they have."""
    return dtypes.float32


def is_vulkan_available() -> bool:
    """Always False."""
    return False


def compiled_with_cxx11_abi() -> bool:
    """Always True: nothing of C++ is here."""
    return True


def typename(obj: Any) -> str:
    """The name of a type, with its module."""
    return class_name(obj if isinstance(obj, type) else type(obj))
