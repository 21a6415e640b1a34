"""Any reading of a memory by strides, as a view."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_pt.calling import primitive
from tinygrad_pt.graph import Array
from tinygrad_pt.ops.index import getitem, scatter_add
from tinygrad_pt.views import owner_of

Geometry = tuple[tuple[int, ...], tuple[int, ...], int]  # shape, strides and offset, counted in elements


def addresses(geometry: Geometry) -> np.ndarray:
    """The places in memory at which the elements lie."""
    shape, strides, offset = geometry
    found = np.full(shape, offset)
    for axis, (n, s) in enumerate(zip(shape, strides, strict=True)):
        found += (np.arange(n) * s).reshape(-1, *(1,) * (len(shape) - axis - 1))
    return found


def geometry_of(a: Array) -> Geometry:
    """How an array lies in the memory of its owner."""
    owner = owner_of(a)
    offset = a.ctypes.data - owner.ctypes.data if a.size else 0
    return a.shape, tuple(s // a.itemsize for s in a.strides), offset // a.itemsize


def reach(geometry: Geometry) -> int:
    """The number of elements that a memory must have."""
    shape, strides, offset = geometry
    if 0 in shape:
        return 0
    return offset + sum((n - 1) * s for n, s in zip(shape, strides, strict=True)) + 1


def _moved_back(g: Any, y: Any, a: Any, *, geometry: Geometry, origin: Geometry) -> Any:
    """g added up at the places it was read from, and read by the places of a; equal places of a share it evenly."""
    n = max(reach(geometry), reach(origin), 1)
    whole = scatter_add(g, shape=(n,), index=(addresses(geometry),))
    places = addresses(origin)
    if 0 in origin[1]:
        times = np.bincount(places.ravel(), minlength=n)[places]
        return getitem(whole, index=(places,)) / times.astype(a.dtype)
    return getitem(whole, index=(places,))


@primitive(r"a", _moved_back, view=True)
def as_strided(a: Array, *, geometry: Geometry, origin: Geometry) -> Array:
    """y = the elements at other places of the memory of a, which lies as `origin` says."""
    shape, strides, offset = geometry
    steps = tuple(s * a.itemsize for s in strides)
    if geometry_of(a) == origin or not a.size:
        owner = owner_of(a)
        if math.prod(shape) == 0:
            return np.empty(shape, a.dtype)
        memory = owner if owner.flags.c_contiguous else owner.ravel(order="K")
        return np.ndarray(shape, a.dtype, memory, offset * a.itemsize, steps)
    memory = np.zeros(max(reach(geometry), reach(origin)), a.dtype)  # a copy of a, in another layout
    memory[addresses(origin)] = a
    return np.ndarray(shape, a.dtype, memory, offset * a.itemsize, steps)
