"""`torch.types`: names for annotations."""

from __future__ import annotations

from tinygrad_pt.dtypes import dtype
from tinygrad_pt.functions import Size, device
from tinygrad_pt.tensor import Tensor

__all__ = ["Device", "Number", "Size", "Tensor", "dtype", "_TensorOrTensors", "_bool", "_device", "_dtype",
           "_float", "_int", "_size", "_size_1_t", "_size_2_t", "_size_3_t", "_size_any_t"]  # fmt: skip
Number = int | float | bool
Device = device | str | int | None
_TensorOrTensors = Tensor | tuple[Tensor, ...]
_int, _float, _bool, _dtype, _device = int, float, bool, dtype, device
_size = Size | list[int] | tuple[int, ...]
_size_1_t, _size_2_t, _size_3_t = int | tuple[int], int | tuple[int, int], int | tuple[int, int, int]
_size_any_t = int | tuple[int, ...]
