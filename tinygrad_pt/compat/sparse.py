"""`torch.sparse`: dense tensors behind sparse names. The values are right, and no memory is saved."""

from __future__ import annotations

from typing import Any

import tinygrad_pt as torch
from tinygrad_pt import dtypes
from tinygrad_pt import functions as F
from tinygrad_pt.functions.typed import tensortype
from tinygrad_pt.nn import functional
from tinygrad_pt.tensor import Tensor

__all__ = [
    "DoubleTensor", "FloatTensor", "HalfTensor", "IntTensor", "LongTensor", "addmm", "log_softmax", "mm", "softmax",
    "sum", "torch",
]  # fmt: skip


class sparsetype(tensortype):
    """The type of the old constructors of sparse tensors: a call makes a dense one, and none counts as an instance."""

    def __call__(cls, indices: Any = None, values: Any = None, size: Any = None, **words: Any) -> Tensor:
        if indices is None:
            return F.zeros(0, dtype=cls.dtype)
        return F.sparse_coo_tensor(indices, values, size, dtype=cls.dtype)

    def __instancecheck__(cls, value: Any) -> bool:
        return False


FloatTensor, DoubleTensor, HalfTensor, LongTensor, IntTensor = (
    sparsetype(kind, "torch.sparse")
    for kind in (dtypes.float32, dtypes.float64, dtypes.float16, dtypes.int64, dtypes.int32)
)
mm, addmm = F.spmm, F.addmm


def sum(input: Tensor, dim: Any = None, dtype: Any = None) -> Tensor:
    """`torch.sum`."""
    return F.sum(input, dtype=dtype) if dim is None else F.sum(input, dim, dtype=dtype)


def _over_present(function: Any, empty: float, input: Tensor, dim: int) -> Tensor:
    present = F.ne(input.detach(), 0)
    return F.where(present, function(F.masked_fill(input, F.logical_not(present), -float("inf")), dim), empty)


def softmax(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """The softmax of the elements that are not 0; the others stay 0."""
    return _over_present(functional.softmax, 0.0, input if dtype is None else input.to(dtype), dim)


def log_softmax(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """The logarithm of the softmax of the elements that are not 0; the others stay 0."""
    return _over_present(functional.log_softmax, 0.0, input if dtype is None else input.to(dtype), dim)
