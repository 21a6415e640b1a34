"""Collation: from a list of samples to one batch."""

from __future__ import annotations

import copy
from collections.abc import Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any, TypeAlias, overload

import numpy as np

from tinygrad_pt import dtypes
from tinygrad_pt import functions as F
from tinygrad_pt.errors import refuse
from tinygrad_pt.tensor import Tensor

__all__ = ["default_collate", "default_convert"]

Array: TypeAlias = Tensor | np.ndarray | float  # samples of one of these types become one tensor
UNKNOWN = "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found "


@overload
def default_collate(batch: Sequence[Array]) -> Tensor: ...
@overload
def default_collate(batch: Sequence[tuple[Array, ...]]) -> list[Tensor]: ...
@overload
def default_collate(batch: Any) -> Any: ...
def default_collate(batch: Any) -> Any:
    """One batch of many samples of one type: numbers and tensors are stacked along a new first axis.

    Tensors and NumPy arrays of one shape are stacked; Python floats become float64, ints int64, bools bool;
    strings stay a list. Of mappings, named tuples and lists the entries are collated one by one, and tuples
    become a list. Raises RuntimeError for different shapes or lengths, TypeError for anything else.

    >>> default_collate([(1, 2.5), (3, 4.5)])
    [tensor([1, 3]), tensor([2.5000, 4.5000], dtype=torch.float64)]
    >>> default_collate([{"name": "a", "y": 0}, {"name": "b", "y": 1}])
    {'name': ['a', 'b'], 'y': tensor([0, 1])}
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return F.stack(batch)
    if isinstance(first, np.ndarray):
        if first.dtype.kind in "OSU":
            raise refuse(TypeError, f"{UNKNOWN}{first.dtype}")
        return F.stack([F.as_tensor(b) for b in batch])
    if isinstance(first, np.generic) and not isinstance(first, (str, bytes)):
        return F.as_tensor(batch)
    if isinstance(first, float):
        return F.tensor(batch, dtype=dtypes.float64)
    if isinstance(first, int):
        return F.tensor(batch)
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, Mapping):
        return _rebuilt(first, {key: default_collate([b[key] for b in batch]) for key in first})
    if isinstance(first, Sequence):
        if isinstance(first, tuple) and hasattr(first, "_fields"):
            return type(first)(*map(default_collate, zip(*batch, strict=False)))
        if any(len(b) != len(first) for b in batch):
            raise refuse(RuntimeError, "each element in list of batch should be of equal size")
        entries = [default_collate(column) for column in zip(*batch, strict=True)]
        return entries if isinstance(first, tuple) else _rebuilt(first, entries)
    raise refuse(TypeError, f"{UNKNOWN}{type(first)}")


def default_convert(data: Any) -> Any:
    """The sample with its NumPy arrays and scalars as tensors: the default of a loader without batches."""
    if isinstance(data, (Tensor, str, bytes)):
        return data
    if isinstance(data, (np.ndarray, np.generic)):
        return data if data.dtype.kind in "OSU" else F.as_tensor(data)
    if isinstance(data, Mapping):
        return _rebuilt(data, {key: default_convert(data[key]) for key in data})
    if isinstance(data, Sequence):
        if isinstance(data, tuple):
            entries = [default_convert(d) for d in data]
            return type(data)(*entries) if hasattr(data, "_fields") else entries
        return _rebuilt(data, [default_convert(d) for d in data])
    return data


def _rebuilt(like: Any, entries: Any) -> Any:
    """A container like `like` with other entries, or plain `entries` if its type cannot be copied."""
    try:
        if not isinstance(like, (MutableMapping, MutableSequence)):
            return type(like)(entries)
        clone = copy.copy(like)  # a copy keeps the other attributes of the container
        for key, entry in entries.items() if isinstance(entries, dict) else enumerate(entries):
            clone[key] = entry
        return clone
    except TypeError:
        return entries
