"""Copies of tensors that keep their strides, and share memory with each other where the originals do."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, TypeVar

import numpy as np

from tinygrad_pt.graph import Leaf, Tensor
from tinygrad_pt.views import owner_of

__all__: list[str] = []

T = TypeVar("T", bound="Tensor")
Layout = tuple[np.dtype[Any], tuple[int, ...], tuple[int, ...], int]  # dtype, shape, strides, offset, in bytes
OWN = {"_grad", "_notes", "_origin", "array", "base", "creation", "inference", "node", "path", "version", "views"}


def leaf(cls: type[T], array: np.ndarray, requires_grad: bool, layout: Layout | None = None, more: Any = None) -> T:
    """A tensor of this class around an array, or around a part of a vector that the layout tells."""
    t = object.__new__(cls)
    t.array, t.version, t.node = array if layout is None else _placed(array, layout), [0, 0], None
    if requires_grad:
        t.node = Leaf(t)
    if more:
        vars(t).update(more)
    return t


def attributes(t: Tensor) -> dict[str, Any]:
    """What the user has added to a tensor, and its name."""
    return {key: value for key, value in vars(t).items() if key not in OWN}


def twin_of(t: T, memo: dict[Any, Any]) -> T:
    """A deep copy: two tensors with one memory get copies with one memory."""
    memory, layout = located(t.array)
    key = ("memory", memory.ctypes.data, memory.nbytes)
    if layout is None:
        x = np.array(t.array)
    else:
        if key not in memo:
            memo[key] = memory.copy()
        x = _placed(memo[key], layout)
    twin = memo[id(t)] = leaf(type(t), x, t.node is not None)
    vars(twin).update(deepcopy(attributes(t), memo))
    if t._grad is not None:
        twin._grad = deepcopy(t._grad, memo)
    return twin


def located(x: np.ndarray) -> tuple[np.ndarray, Layout | None]:
    """The whole memory of an array, as a vector, and where in it the array is; None if it is not in one piece."""
    owner = owner_of(x)
    if not owner.flags.forc or not x.size:
        return x, None
    memory = owner.ravel(order="K")
    return memory, (x.dtype, x.shape, x.strides, x.ctypes.data - memory.ctypes.data)


def _placed(memory: np.ndarray, layout: Layout) -> np.ndarray:
    dtype, shape, strides, offset = layout
    return np.ndarray(shape, dtype, memory, offset, strides)
