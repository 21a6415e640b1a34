"""`torch.profiler` and `torch.autograd.profiler`: blocks that measure nothing."""

from __future__ import annotations

import enum
import functools
from collections.abc import Callable
from typing import Any

__all__ = [
    "ProfilerAction", "ProfilerActivity", "emit_itt", "emit_nvtx", "mark", "profile", "range", "range_pop",
    "range_push", "record_function", "schedule", "tensorboard_trace_handler",
]  # fmt: skip
NOTHING = "tinygrad_pt does not profile; use python -m cProfile"


class ProfilerActivity(enum.Enum):
    """Whose work would be measured."""

    CPU, CUDA, XPU = 0, 1, 2


class ProfilerAction(enum.Enum):
    """What a profiler would do in a step."""

    NONE, WARMUP, RECORD, RECORD_AND_SAVE = 0, 1, 2, 3


class Averages(list[Any]):
    """The list of measured ops, which is empty."""

    def table(self, *args: Any, **options: Any) -> str:
        """A sentence that says that nothing was measured."""
        return NOTHING


class profile:
    """A block that would be measured: it runs, and nothing is measured."""

    def __init__(self, *args: Any, **options: Any) -> None:
        pass

    def __enter__(self) -> profile:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def __call__(self, func: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(func)
        def inside(*args: Any, **kwargs: Any) -> Any:
            with self:
                return func(*args, **kwargs)

        return inside

    def start(self) -> None:
        """Do nothing."""

    stop = step = start

    def key_averages(self, *args: Any, **options: Any) -> Averages:
        """An empty list, whose `table` says that nothing was measured."""
        return Averages()

    def events(self) -> Averages:
        """An empty list."""
        return Averages()

    def export_chrome_trace(self, path: str) -> None:
        """Write nothing: nothing was measured."""

    def __repr__(self) -> str:
        return f"<{NOTHING}>"


record_function = emit_nvtx = emit_itt = range = profile


def schedule(**options: Any) -> Callable[[int], ProfilerAction]:
    """A schedule by which nothing is measured."""
    return lambda step: ProfilerAction.NONE


def tensorboard_trace_handler(*args: Any, **options: Any) -> Callable[[Any], None]:
    """A handler that writes nothing."""
    return lambda profiler: None


def range_push(msg: str = "") -> int:
    """Do nothing; -1, as no range is open."""
    return -1


def range_pop() -> int:
    """Do nothing; -1, as no range is open."""
    return -1


mark = range_push
