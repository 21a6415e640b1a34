"""Convolution, and its transposes with respect to the input and to the weight: each is made of the others' rules.

All three are linear in both arguments: `convolution` takes x and w, `convolution_transpose` a gradient and w to what x
receives, `convolution_weight` x and a gradient to what w receives. The padding behind each axis follows from the number
of windows, so that it need not be symmetric, and no element is ever appended.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

from tinygrad_pt.calling import T, primitive
from tinygrad_pt.graph import Array
from tinygrad_pt.ops.reduce import sum
from tinygrad_pt.ops.sliding import (
    ALL,
    Sizes,
    Slide,
    blocks,
    channels_first,
    empty,
    gather_columns,
    scatter_columns,
    scratch,
    seen,
)


def over_channels(g: T) -> T:
    """The gradient of a bias: Σ g over all but the channels."""
    return sum(g, axis=(0, *range(2, g.ndim)), keepdims=False)  # type: ignore[attr-defined]


class _Layout:
    """How columns are made in one convolution: of (C, *size, N), for the windows of one block after another."""

    def __init__(
        self, shape: Sizes, kernel: Sizes, windows: Sizes, slide: Slide, groups: int, dtype: np.dtype[Any]
    ) -> None:
        (self.batch, self.channels, *size), self.kernel, self.windows = shape, kernel, windows
        self.size, self.slide, self.groups, self.dtype = tuple(size), slide, groups, dtype
        # In a convolution with a kernel of one element the array is its own columns.
        plain = prod(kernel) == 1 == prod(slide.stride) and not any(slide.before) and self.size == windows
        self.depth = 0 if plain else self.channels * prod(kernel) * self.batch * dtype.itemsize

    def blocks(self) -> Iterator[tuple[tuple[slice, ...], Any, Array | None]]:
        """Of each block: the slices of its windows, what each place in a window sees, and memory for its columns."""
        for block in blocks(self.windows, self.depth):
            counts = tuple(n for _, n in block)
            cut = (ALL, *[slice(i, i + n) for i, n in block])
            if not self.depth:
                yield cut, None, None
                continue
            axes = zip(self.size, self.kernel, *self.slide, block, strict=True)
            sights = [seen(size, n, k, s, d, p, i) for size, k, s, p, d, (i, n) in axes]
            yield cut, sights, scratch((self.channels, *self.kernel, *counts, self.batch), self.dtype)

    def matrices(self, col: Array) -> Array:
        """Columns as one matrix for each group: rows are places in the window, columns are windows and the batch."""
        return col.reshape(self.groups, self.channels // self.groups * prod(self.kernel), -1)

    def products(self, y: Array) -> Array:
        """A block of outputs as one matrix for each group: rows are channels."""
        return y.reshape(self.groups, y.shape[0] // self.groups, prod(y.shape[1:]), copy=False)


@primitive(
    r"a \ast b",
    lambda g, y, a, b, c=None, *, windows, slide, groups: convolution_transpose(
        g, b, size=a.shape[2:], slide=slide, groups=groups
    ),
    lambda g, y, a, b, c=None, *, windows, slide, groups: convolution_weight(
        a, g, kernel=b.shape[2:], slide=slide, groups=groups
    ),
    lambda g, y, a, b, c, *, windows, slide, groups: over_channels(g),
    label="ConvolutionBackward0",
)
def convolution(a: Array, b: Array, c: Array | None = None, *, windows: Sizes, slide: Slide, groups: int) -> Array:
    """y = a ∗ b + c: a channel of y is the sum of the products of its kernel, a row of b, with what a window sees."""
    y = empty((a.shape[0], b.shape[0], *windows), a.dtype)
    x, out = channels_first(a), channels_first(y)
    how = _Layout(a.shape, b.shape[2:], windows, slide, groups, a.dtype)
    w = b.reshape(groups, b.shape[0] // groups, prod(b.shape[1:]))
    for cut, sights, col in how.blocks():
        if col is None:
            col = x[cut]
        else:
            gather_columns(x, col, sights)
        part = out[cut]
        np.matmul(w, how.matrices(col), out=how.products(part))
        if c is not None:
            part += c.reshape(-1, *(1,) * (y.ndim - 1))
    return y


@primitive(
    r"a \ast {b}^{\top}",
    lambda g, y, a, b, c=None, *, size, slide, groups: convolution(
        g, b, windows=a.shape[2:], slide=slide, groups=groups
    ),
    lambda g, y, a, b, c=None, *, size, slide, groups: convolution_weight(
        g, a, kernel=b.shape[2:], slide=slide, groups=groups
    ),
    lambda g, y, a, b, c, *, size, slide, groups: over_channels(g),
    label="ConvolutionBackward0",
)
def convolution_transpose(
    a: Array, b: Array, c: Array | None = None, *, size: Sizes, slide: Slide, groups: int
) -> Array:
    """y = a ∗ bᵀ + c: each element of a times its kernel, added where the window stands."""
    y = empty((a.shape[0], b.shape[1] * groups, *size), a.dtype)
    x, out = channels_first(a), channels_first(y)
    how = _Layout(y.shape, b.shape[2:], a.shape[2:], slide, groups, a.dtype)
    w = b.reshape(groups, b.shape[0] // groups, prod(b.shape[1:])).swapaxes(1, 2)
    if how.depth or not prod(how.windows):
        out[...] = 0
    for cut, sights, col in how.blocks():
        np.matmul(w, how.products(x[cut]), out=how.matrices(out[cut] if col is None else col))
        if col is not None:
            scatter_columns(col, out, sights)
    if c is not None:
        out += c.reshape(-1, *(1,) * (y.ndim - 1))
    return y


@primitive(
    r"{a}^{\top} \ast b",
    lambda g, y, a, b, *, kernel, slide, groups: convolution_transpose(
        b, g, size=a.shape[2:], slide=slide, groups=groups
    ),
    lambda g, y, a, b, *, kernel, slide, groups: convolution(a, g, windows=b.shape[2:], slide=slide, groups=groups),
)
def convolution_weight(a: Array, b: Array, *, kernel: Sizes, slide: Slide, groups: int) -> Array:
    """y = aᵀ ∗ b: what each place of the kernel has met in a, weighted by b, one number for each window."""
    x, g = channels_first(a), channels_first(b)
    rows, depth = b.shape[1] // groups, a.shape[1] // groups * prod(kernel)
    y = np.zeros((groups, rows, depth), a.dtype)
    how = _Layout(a.shape, kernel, b.shape[2:], slide, groups, a.dtype)
    for cut, sights, col in how.blocks():
        if col is None:
            col = x[cut]
        else:
            gather_columns(x, col, sights)
        y += np.matmul(how.products(g[cut]), how.matrices(col).swapaxes(1, 2))
    return y.reshape(b.shape[1], a.shape[1] // groups, *kernel)
