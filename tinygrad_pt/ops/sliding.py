"""Windows that slide over the axes of an array: which elements they see, and memory whose first axis is the channel.

Convolution and pooling read an array (N, C, *size) with the batch as its last axis in memory: (C, *size, N). Then the
elements that one place of all windows sees lie in long runs, and each product of a convolution is one call of BLAS.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache
from itertools import product
from math import prod
from typing import Any, NamedTuple

import numpy as np

from tinygrad_pt.graph import Array

Sizes = tuple[int, ...]
Seen = list[tuple[slice, slice]]
Cut = tuple[slice, ...]
Block = tuple[tuple[int, int], ...]
BLOCK, KEPT = 1 << 20, 1 << 24  # bytes: of columns made at a time, which stay in the cache; of memory that is reused
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


def blocks(windows: Sizes, depth: int, least: int) -> Iterator[Block]:
    """The windows in blocks: (first, count) along each axis. A window has `depth` bytes of columns, over the batch.

    A block has `BLOCK` bytes of columns or fewer, but need not have fewer than `least`.
    """
    limit = max(BLOCK, least)
    whole = tuple((0, n) for n in windows)
    if prod(windows) * depth <= limit:
        if prod(windows):
            yield whole
        return
    row = prod(windows[1:]) * depth
    rows = max(1, limit // row)
    across = [whole[1:]]
    if row > limit and len(windows) > 1:
        n = max(1, -(-windows[1] // -(-row // limit)))
        across = [((j, min(n, windows[1] - j)), *whole[2:]) for j in range(0, windows[1], n)]
    for i in range(0, windows[0], rows):
        for rest in across:
            yield ((i, min(rows, windows[0] - i)), *rest)


def cut_of(block: Block) -> Cut:
    """The slices of (C, *windows, N) that hold a block."""
    return (ALL, *[slice(i, i + n) for i, n in block])


@contextmanager
def narrow() -> Iterator[None]:
    """Small buffers: NumPy copies strided operands into its buffers if these are larger than the runs in memory."""
    size = np.setbufsize(512)
    try:
        yield
    finally:
        np.setbufsize(size)


_local = threading.local()


def scratch(use: str, shape: Sizes, dtype: np.dtype[Any]) -> Array:
    """Memory for one use, the same one at each call in a thread: fresh memory would cost more than its contents."""
    size = prod(shape) * dtype.itemsize
    memory = getattr(_local, use, None)
    if memory is None or memory.nbytes < size:
        memory = np.empty(size, np.uint8)
        if size <= KEPT:
            setattr(_local, use, memory)
    return memory[:size].view(dtype).reshape(shape)


def padded(a: Array, kernel: Sizes, windows: Sizes, slide: Slide) -> Array:
    """An array (N, C, *size) as (C, *reach, N), contiguous: with zeros around it, as far as the windows reach."""
    x = a.transpose(*range(1, a.ndim), 0)
    axes = list(zip(a.shape[2:], kernel, windows, *slide, strict=True))
    reach = [(count - 1) * s + (k - 1) * d + 1 for _, k, count, s, _, d in axes]
    if not any(slide.before) and all(m <= n for m, n in zip(reach, x.shape[1:], strict=False)):
        return np.ascontiguousarray(x)
    y = scratch("padded", (a.shape[1], *reach, a.shape[0]), a.dtype)
    inner: tuple[slice, ...] = (ALL,)
    for m, (n, _, _, _, p, _) in zip(reach, axes, strict=True):
        stop = max(p, min(p + n, m))
        y[(*inner, slice(0, p))] = y[(*inner, slice(stop, None))] = 0
        inner = (*inner, slice(p, stop))
    y[inner] = x[(ALL, *[slice(0, s.stop - s.start) for s in inner[1:]])]
    return y


def sight(x: Array, kernel: Sizes, windows: Sizes, slide: Slide) -> Array:
    """What each place of each window sees of x, which is `padded`, as a view of it: (C, *kernel, *windows, N)."""
    first, *steps, last = x.strides
    taps = [n * d for n, d in zip(steps, slide.dilation, strict=True)]
    jumps = [n * s for n, s in zip(steps, slide.stride, strict=True)]
    return np.ndarray((len(x), *kernel, *windows, x.shape[-1]), x.dtype, x, 0, (first, *taps, *jumps, last))


def scatter_columns(col: Array, x: Array, sights: Sequence[Seen]) -> None:
    """Add to x (C, *size, N) each element of col (C, *kernel, *windows, N) where its window sees it."""
    with narrow():
        for place in product(*map(enumerate, sights)):
            taps: Any = (ALL, *[k for k, _ in place], *[s[0] for _, s in place])
            part = x[(ALL, *[s[1] for _, s in place])]
            part += col[taps]
