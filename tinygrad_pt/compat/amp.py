"""`torch.amp`: mixed precision. Numbers are computed in the dtype that they have, so a block of `autocast` changes
nothing, and `GradScaler` scales by 1.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from tinygrad_pt import dtypes
from tinygrad_pt.optim import Optimizer
from tinygrad_pt.tensor import Tensor

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd", "is_autocast_available"]

P = ParamSpec("P")
R = TypeVar("R")
NO_AUTOCAST = "CUDA is not available or torch_xla is imported. Disabling autocast."
NO_SCALER = "torch.cuda.amp.GradScaler is enabled, but CUDA is not available.  Disabling."


class autocast:
    """A block, or the body of a function, that would compute in a narrower dtype; here nothing changes.

    >>> with torch.autocast("cpu", enabled=False):
    ...     y = torch.ones(2) @ torch.ones(2)
    >>> y.dtype
    torch.float32
    """

    def __init__(
        self, device_type: Any = "cuda", dtype: Any = None, enabled: bool = True, cache_enabled: bool | None = None
    ) -> None:
        if isinstance(device_type, bool):  # torch.cuda.amp.autocast(enabled)
            device_type, enabled = "cuda", device_type
        self.device, self.fast_dtype = device_type, dtypes.float32 if dtype is None else dtype
        if enabled and str(device_type) != "cpu":
            warnings.warn(NO_AUTOCAST, UserWarning, stacklevel=2)

    def __enter__(self) -> autocast:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def __call__(self, func: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(func)
        def inside(*args: P.args, **kwargs: P.kwargs) -> R:
            with self:
                return func(*args, **kwargs)

        return inside


class GradScaler:
    """PyTorch's guard against float16 gradients that underflow: here it scales by 1, and `step` is the optimizer's.

    >>> scaler = GradScaler("cpu", enabled=False)
    >>> scaler.scale(torch.tensor(2.0)), scaler.get_scale()
    (tensor(2.), 1.0)
    """

    def __init__(
        self, device: str = "cuda", init_scale: float = 65536.0, growth_factor: float = 2.0,
        backoff_factor: float = 0.5, growth_interval: int = 2000, enabled: bool = True,
    ) -> None:  # fmt: skip
        if enabled and device == "cuda":
            warnings.warn(NO_SCALER, UserWarning, stacklevel=2)

    def scale(self, outputs: Any) -> Any:
        """The outputs themselves."""
        return outputs

    def unscale_(self, optimizer: Optimizer) -> None:
        """Do nothing: the gradients are not scaled."""

    def step(self, optimizer: Optimizer, *args: Any, **kwargs: Any) -> Tensor | float | None:
        """`optimizer.step()`."""
        done: Any = optimizer.step(*args, **kwargs)
        return done

    def update(self, new_scale: Any = None) -> None:
        """Do nothing: the scale is 1."""

    def get_scale(self) -> float:
        """Always 1."""
        return 1.0

    def is_enabled(self) -> bool:
        """Always False."""
        return False

    def state_dict(self) -> dict[str, Any]:
        """Always empty."""
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Do nothing: there is no state."""


def custom_fwd(fwd: Any = None, **options: Any) -> Any:
    """The function itself; with options, a decorator that returns it."""
    return (lambda function: function) if fwd is None else fwd


custom_bwd = custom_fwd


def is_autocast_available(device_type: str) -> bool:
    """Always False."""
    return False
