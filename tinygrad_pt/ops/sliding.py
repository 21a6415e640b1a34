"""Windows that slide over the axes of an array: which elements they see, and memory whose first axis is the channel.

Convolution and pooling read an array (N, C, *size) with the batch as its last axis in memory: (C, *size, N). Then the
elements that one place of all windows sees lie in long runs, and each product of a convolution is one call of BLAS.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from itertools import product
from math import prod
from typing import Any, NamedTuple

import numpy as np

from tinygrad_pt.graph import Array

Sizes = tuple[int, ...]
Seen = list[tuple[slice, slice]]
WHOLE, BLOCK = 1 << 22, 1 << 20  # bytes of columns: up to the first they are made at once, else in blocks of the second
ALL = slice(None)


class Slide(NamedTuple):
    """How windows slide: one number for each axis. `before` is the padding in front of it."""

    stride: Sizes
    before: Sizes
    dilation: Sizes


class Window(NamedTuple):
    """The size of windows, and how they slide."""

    kernel: Sizes
    stride: Sizes
    before: Sizes
    dilation: Sizes


def channels_first(a: Array) -> Array:
    """An array (N, C, …) as (C, …, N), contiguous."""
    return np.ascontiguousarray(a.transpose(*range(1, a.ndim), 0))


def batch_first(a: Array) -> Array:
    """An array (C, …, N) as (N, C, …), in the same memory."""
    return a.transpose(a.ndim - 1, *range(a.ndim - 1))


@cache
def _pattern(ndim: int, dtype: Any) -> Array:
    return batch_first(np.empty((2,) * ndim, dtype))


def empty(shape: Sizes, dtype: Any) -> Array:
    """An uninitialised array (N, C, …) that owns its memory, in which the batch is the last axis."""
    return np.empty_like(_pattern(len(shape), dtype), shape=shape)


@lru_cache(maxsize=4096)
def seen(size: int, count: int, kernel: int, stride: int, dilation: int, before: int, first: int = 0) -> Seen:
    """For each place in a window: which of `count` windows, from the `first` one, see an element there, and which.

    The window number i sees the elements i · stride - before + k · dilation for k = 0 … kernel-1.
    """
    found = []
    for k in range(kernel):
        at = k * dilation - before
        low = min(max(-(at // stride), first), first + count)
        high = max(low, min((size - 1 - at) // stride + 1, first + count))
        start = low * stride + at
        elements = slice(start, start + (high - low - 1) * stride + 1, stride) if high > low else slice(0, 0)
        found.append((slice(low - first, high - first), elements))
    return found


def blocks(windows: Sizes, depth: int) -> Iterator[tuple[tuple[int, int], ...]]:
    """The windows in blocks: (first, count) along each axis. A window has `depth` bytes of columns, over the batch."""
    whole = tuple((0, n) for n in windows)
    if prod(windows) * depth <= WHOLE:
        if prod(windows):
            yield whole
        return
    row = prod(windows[1:]) * depth
    rows = max(1, BLOCK // row)
    across = [whole[1:]]
    if row > BLOCK and len(windows) > 1:
        n = max(1, -(-windows[1] // -(-row // BLOCK)))
        across = [((j, min(n, windows[1] - j)), *whole[2:]) for j in range(0, windows[1], n)]
    for i in range(0, windows[0], rows):
        for rest in across:
            yield ((i, min(rows, windows[0] - i)), *rest)


_local = threading.local()


def scratch(shape: Sizes, dtype: Any) -> Array:
    """Memory for columns, the same one at each call in a thread: fresh memory would cost more than its contents."""
    size = prod(shape) * dtype.itemsize
    memory = getattr(_local, "memory", None)
    if memory is None or memory.nbytes < size:
        memory = np.empty(size, np.uint8)
        if size <= 4 * WHOLE:
            _local.memory = memory
    return memory[:size].view(dtype).reshape(shape)


def gather_columns(x: Array, col: Array, sights: Sequence[Seen]) -> None:
    """Write into col (C, *kernel, *windows, N) what each place of each window sees of x (C, *size, N), 0 outside."""
    for place in product(*map(enumerate, sights)):
        taps: Any = (ALL, *[k for k, _ in place])
        part = col[taps]
        lead: tuple[slice, ...] = (ALL,)
        for i, (_, (windows, _)) in enumerate(place):
            if windows.start:
                part[(*lead, slice(0, windows.start))] = 0
            if windows.stop < part.shape[i + 1]:
                part[(*lead, slice(windows.stop, None))] = 0
            lead = (*lead, windows)
        part[lead] = x[(ALL, *[s[1] for _, s in place])]


def scatter_columns(col: Array, x: Array, sights: Sequence[Seen]) -> None:
    """Add to x (C, *size, N) each element of col (C, *kernel, *windows, N) where its window sees it."""
    for place in product(*map(enumerate, sights)):
        taps: Any = (ALL, *[k for k, _ in place], *[s[0] for _, s in place])
        part = x[(ALL, *[s[1] for _, s in place])]
        part += col[taps]
