"""`torch.overrides`: functions are never taken over by the classes of their arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from tinygrad_pt.tensor import Tensor

__all__ = [
    "handle_torch_function", "has_torch_function", "has_torch_function_unary", "has_torch_function_variadic",
    "is_tensor_like", "is_tensor_method_or_property",
]  # fmt: skip


def has_torch_function(relevant_args: Iterable[Any]) -> bool:
    """Always False."""
    return False


def has_torch_function_unary(obj: Any) -> bool:
    """Always False."""
    return False


def has_torch_function_variadic(*relevant_args: Any) -> bool:
    """Always False."""
    return False


def handle_torch_function(
    public_api: Callable[..., Any], relevant_args: Iterable[Any], *args: Any, **kwargs: Any
) -> Any:
    """`public_api(*args, **kwargs)`."""
    return public_api(*args, **kwargs)


def is_tensor_like(inp: Any) -> bool:
    """Whether it is a tensor."""
    return isinstance(inp, Tensor)


def is_tensor_method_or_property(func: Any) -> bool:
    """Whether it is an attribute of the class of tensors."""
    return any(value is func for value in vars(Tensor).values())
