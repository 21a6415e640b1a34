"""PyTorch's everyday names of sparse tensors, with dense tensors behind them: right values, and no memory saved."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_pt import ops
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.arguments import Dtype, sizes_from
from tinygrad_pt.functions.checks import checked, expect_tensor
from tinygrad_pt.functions.creation import Place, as_tensor, here, tensor, zeros
from tinygrad_pt.functions.indexing import index_put
from tinygrad_pt.functions.linalg import mm
from tinygrad_pt.graph import Tensor

__all__ = ["dsmm", "sparse_coo_tensor", "sparse_csr_tensor", "spmm"]


@checked
def sparse_coo_tensor(
    indices: Any, values: Any = None, size: Any = None, *, dtype: Dtype = None, device: Place = None,
    pin_memory: bool = False, requires_grad: bool = False, check_invariants: bool | None = None,
    is_coalesced: bool | None = None,
) -> Tensor:  # fmt: skip
    """A dense tensor with these values at these indices, one column for each, and zeros elsewhere.

    Values with the same indices are added. Gradients reach the values.

    >>> sparse_coo_tensor([[0, 1, 1], [2, 0, 0]], [3.0, 4.0, 5.0], (2, 3))
    tensor([[0., 0., 3.],
            [9., 0., 0.]])
    """
    if device is not None:
        here(device)
    if values is None:  # sparse_coo_tensor(size): all zeros
        return zeros(sizes_from((indices,), "sparse_coo_tensor"), dtype=dtype, requires_grad=requires_grad)
    places = as_tensor(indices).array.astype(np.int64)
    held = values if isinstance(values, Tensor) else tensor(values)
    held = held if dtype is None else held.to(dtype)
    places = places.reshape(1, -1) if places.ndim == 1 else places
    if places.ndim != 2:
        text = f"indices must be sparse_dim x nnz, but got: {list(places.shape)}"
        raise refuse(RuntimeError, text, "sparse_coo_tensor", held)
    if held.array.ndim == 0 or places.shape[1] != held.array.shape[0]:
        text = f"indices and values must have same nnz, but got nnz from indices: {places.shape[1]}, nnz from values: "
        raise refuse(RuntimeError, text + str(held.array.shape[0] if held.array.ndim else 1), "sparse_coo_tensor", held)
    if size is None:
        size = (*(int(row.max()) + 1 if row.size else 0 for row in places), *held.array.shape[1:])
    shape = sizes_from((size,), "sparse_coo_tensor")
    for axis, row in enumerate(places):
        if row.size and row.min() < 0:
            raise refuse(RuntimeError, f"found negative index {row.min()} for dim {axis}", "sparse_coo_tensor", held)
        if row.size and row.max() >= shape[axis]:
            text = (
                f"size is inconsistent with indices: for dim {axis}, size is {shape[axis]} but found index {row.max()}"
            )
            raise refuse(RuntimeError, text, "sparse_coo_tensor", held)
    y = index_put(zeros(shape, dtype=held.dtype), tuple(wrap(row) for row in places), held, True)
    return y.requires_grad_() if requires_grad and y.node is None else y


@checked
def sparse_csr_tensor(
    crow_indices: Any, col_indices: Any, values: Any, size: Any = None, *, dtype: Dtype = None, device: Place = None,
    requires_grad: bool = False, check_invariants: bool | None = None,
) -> Tensor:  # fmt: skip
    """A dense matrix with the values of each row, which `crow_indices` delimit, in the columns `col_indices`."""
    starts, columns = (as_tensor(x).array.astype(np.int64) for x in (crow_indices, col_indices))
    if starts.ndim != 1 or columns.ndim != 1 or np.any(np.diff(starts) < 0):
        raise refuse(RuntimeError, "crow_indices must be a vector of growing places, col_indices a vector")
    rows = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    if size is None:
        size = (len(starts) - 1, int(columns.max()) + 1 if columns.size else 0)
    places = wrap(np.stack([rows, columns]))
    return sparse_coo_tensor(places, values, size, dtype=dtype, device=device, requires_grad=requires_grad)


def spmm(input: Tensor, mat2: Tensor) -> Tensor:
    """`mm`, under the name of the product of a sparse with a dense matrix."""
    return mm(input, mat2)


dsmm = spmm


def to_sparse(input: Tensor, *args: Any, **options: Any) -> Tensor:
    """The tensor itself: it stays dense."""
    return expect_tensor(input, "to_sparse")


def to_dense(input: Tensor, dtype: Dtype = None, *, masked_grad: bool | None = None) -> Tensor:
    """The tensor itself, or in another dtype."""
    return input if dtype is None else input.to(dtype)


def coalesce(input: Tensor) -> Tensor:
    """The tensor itself: no element stands in it twice."""
    return input


def is_coalesced(input: Tensor) -> bool:
    """Always True."""
    return True


def indices(input: Tensor) -> Tensor:
    """The places of the elements that are not 0, one column for each."""
    return wrap(np.stack(input.array.nonzero()) if input.array.ndim else np.zeros((0, 1), np.int64))


def values(input: Tensor) -> Tensor:
    """The elements that are not 0, in the order of `indices`."""
    return ops.getitem(input, index=input.array.nonzero())


def sparse_dim(input: Tensor) -> int:
    """The number of axes."""
    return input.array.ndim


def dense_dim(input: Tensor) -> int:
    """Always 0."""
    return 0


def sparse_mask(input: Tensor, mask: Tensor) -> Tensor:
    """The elements where `mask` is not 0, and zeros elsewhere."""
    return ops.where(wrap(mask.array != 0), input, 0)


def _count(input: Tensor) -> int:
    return int(np.count_nonzero(input.array))


class Sparse:
    """The methods of a tensor that this file defines."""

    __slots__ = ()

    to_sparse = to_sparse_coo = to_sparse_csr = to_sparse_csc = to_sparse
    to_dense, coalesce, is_coalesced, sparse_mask = to_dense, coalesce, is_coalesced, sparse_mask
    indices, values, _indices, _values, _nnz = indices, values, indices, values, _count
    sparse_dim, dense_dim = sparse_dim, dense_dim
