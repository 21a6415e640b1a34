"""Checks of arguments that the functions of `nn` share, and results written in place."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tinygrad_pt import dtypes
from tinygrad_pt import functions as F
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.arguments import expect_tensor
from tinygrad_pt.functions.checks import is_int, not_a
from tinygrad_pt.half import in_float32
from tinygrad_pt.inplace import write
from tinygrad_pt.tensor import Tensor

Flag = bool | None  # `size_average` and `reduce` of losses, which PyTorch has deprecated
NUMBERS = (float, int, np.number, Tensor)  # a tensor may stand for a number


def only_tensors(op: str, **values: object) -> None:
    """Raise PyTorch's TypeError unless all of these are tensors."""
    for i, (name, value) in enumerate(values.items(), 1):
        if not isinstance(value, Tensor):
            expect_tensor(value, op, name, i)


def expect_number(value: object, op: str, name: str) -> None:
    """Raise PyTorch's TypeError unless this is a number."""
    if not isinstance(value, NUMBERS):
        raise wrong_type(op, name, "Number", value)


def expect_integer(value: object, op: str, name: str) -> None:
    """Raise PyTorch's TypeError unless this is an integer."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise wrong_type(op, name, "int", value)


def as_float(value: object, op: str, name: str) -> float:
    """A number, or a tensor of one element, as Python's float; PyTorch's TypeError about anything else."""
    if isinstance(value, Tensor) and value.array.size == 1:
        value = value.array.item()
    if not isinstance(value, (float, int, np.number)):
        raise wrong_type(op, name, "float", value)
    return float(value)


def as_whole(value: object, op: str, name: str, position: int = 2) -> int:
    """An integer, or a tensor of one, as Python's int; PyTorch's TypeError about anything else."""
    if not is_int(value):
        raise not_a("int", value, op, name, position)
    return int(value)  # type: ignore[call-overload]


def wrong_type(op: str, name: str, kind: str, value: object) -> Exception:
    """PyTorch's TypeError about an argument that is not of this kind."""
    return refuse(TypeError, f"{op}(): argument '{name}' must be {kind}, not {type(value).__name__}", op, value)


def as_integer(value: float, op: str) -> int:
    """A number without its fraction, for integer inputs; inf and nan are refused."""
    expect_number(value, op, "value")
    if not math.isfinite(value):
        raise refuse(RuntimeError, "value cannot be converted to type int64_t without overflow", op, value)
    return int(value)


def spoken(t: Tensor) -> str:
    """PyTorch's word for the dtype, such as `Float`."""
    return dtypes.of(t.array.dtype).spoken


def floating_only(input: Tensor, op: str, kernel: str) -> Tensor:
    """The input; PyTorch's error unless it is a tensor of floating point numbers."""
    if not isinstance(input, Tensor) or input.array.dtype.kind != "f":
        text = f"\"{kernel}\" not implemented for '{spoken(expect_tensor(input, op))}'"
        raise refuse(NotImplementedError, text, op, input, mend="convert it first: x.float()")
    return input


def written(function: Callable[[Tensor], Tensor], input: Tensor, inplace: bool, reads: bool = False) -> Tensor:
    """`function(input)`, written into the input if `inplace`; if the derivative `reads` the input, it gets a copy."""
    if input.array.dtype.itemsize == 2:
        function = in_float32(function)
    if not inplace:
        return function(input)
    return write(input, function(F.clone(input) if reads else input))
