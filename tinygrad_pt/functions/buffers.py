"""Tensors of buffers, closed ranges, and matrices of powers."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from tinygrad_pt import dtypes
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.arguments import Dtype
from tinygrad_pt.functions.checks import checked, missing
from tinygrad_pt.functions.creation import Place, fresh, maker
from tinygrad_pt.functions.pointwise import pow
from tinygrad_pt.functions.shaping import stack
from tinygrad_pt.graph import Tensor

__all__ = ["frombuffer", "range", "vander"]


NOT_WRITABLE = (
    "The given buffer is not writable, and PyTorch does not support non-writable tensors. This means you can write to "
    "the underlying (supposedly non-writable) buffer using the tensor. You may want to copy the buffer to protect its "
    "data or make it writable before converting it to a tensor. This type of warning will be suppressed for the rest "
    "of this program."
)


def frombuffer(
    buffer: Any, *, dtype: Dtype = None, count: int = -1, offset: int = 0, requires_grad: bool = False
) -> Tensor:
    """The bytes of a buffer as a vector that shares its memory: `count` elements (-1: all) from the byte `offset` on.

    >>> frombuffer(bytearray(b"ab"), dtype=dtypes.uint8)
    tensor([97, 98], dtype=torch.uint8)
    """
    if dtype is None:
        raise missing("frombuffer", "dtype")
    try:
        memory = memoryview(buffer).cast("B")
    except TypeError:
        raise refuse(ValueError, "object does not implement Python buffer protocol.", "frombuffer") from None
    kind, length = dtypes.of(dtype).numpy, len(memory)
    left, text = length - offset, ""
    if length == 0 or count == 0:
        text = f"both buffer length ({length}) and count ({count}) must not be 0"
    elif not 0 <= offset < length:
        text = (
            f"offset ({offset} bytes) must be non-negative and no greater than buffer length ({length} bytes) minus 1"
        )
    elif count < 0 and left % kind.itemsize:
        text = f"buffer length ({left} bytes) after offset ({offset} bytes) must be a multiple of element size "
        text += f"({kind.itemsize})"
    elif count > 0 and count * kind.itemsize > left:
        text = f"requested buffer length ({count} * {kind.itemsize} bytes) after offset ({offset} bytes) must not be "
        text += f"greater than actual buffer length ({length} bytes)"
    if text:
        raise refuse(ValueError, text, "frombuffer")
    if memory.readonly:
        warnings.warn(NOT_WRITABLE, UserWarning, stacklevel=2)
    return fresh(np.frombuffer(memory, kind, count, offset), requires_grad)


@maker
@checked
def range(
    start: float = 0, end: float | None = None, step: float = 1, *, dtype: Dtype = None, device: Place = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """start, start + step, … up to end, which it contains, as PyTorch's older `range`; prefer `arange`."""
    if end is None:
        start, end = 0, start
    if step == 0:
        raise refuse(RuntimeError, "step must be nonzero", "range")
    if (end - start) * step < 0:
        raise refuse(RuntimeError, "upper bound and lower bound inconsistent with step sign", "range")
    kind = dtypes.get_default_dtype() if dtype is None else dtypes.of(dtype)
    x = start + step * np.arange(int((end - start) / step + 1))
    return fresh(x.astype(kind.numpy), requires_grad, device)


@checked
def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:
    """The powers of the elements of a vector, N of them, as columns; the highest first unless `increasing`.

    >>> import tinygrad_pt as torch
    >>> torch.vander(torch.tensor([2, 3]), 3)
    tensor([[4, 2, 1],
            [9, 3, 1]])
    """
    if x.array.ndim != 1:
        raise refuse(RuntimeError, "x must be a one-dimensional tensor.", "vander", x)
    n = x.array.size if N is None else N
    if n < 0:
        raise refuse(RuntimeError, "N must be non-negative.", "vander", x)
    if n == 0:
        return fresh(np.empty((x.array.size, 0), x.array.dtype))
    exponents = np.arange(n).tolist()
    return stack([pow(x, k) for k in (exponents if increasing else exponents[::-1])], 1)
