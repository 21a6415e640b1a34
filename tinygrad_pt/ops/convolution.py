"""Convolution, and its transposes with respect to the input and to the weight: each is made of the others' rules.

All three are linear in both arguments: `convolution` takes x and w, `convolution_transpose` a gradient and w to what x
receives, `convolution_weight` x and a gradient to what w receives. `before` is the padding in front of each axis; what
is behind follows from the number of windows, so that padding need not be symmetric, and no element is ever appended.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

from tinygrad_pt.calling import primitive
from tinygrad_pt.graph import Array
from tinygrad_pt.ops.reduce import sum
from tinygrad_pt.ops.sliding import (
    ALL,
    Sizes,
    blocks,
    channels_first,
    empty,
    gather_columns,
    scatter_columns,
    scratch,
    seen,
)


def bias_rule(g: Any, *args: Any, **attrs: Any) -> Any:
    """The gradient of a bias: Σ g over all but the channels."""
    return sum(g, axis=(0, *range(2, g.ndim)), keepdims=False)


class _Layout:
    """How columns are made in one convolution: an array (C, *size, N), windows, and blocks of them."""

    def __init__(
        self, size: Sizes, kernel: Sizes, windows: Sizes, channels: int, batch: int, dtype: Any,
        stride: Sizes, before: Sizes, dilation: Sizes, groups: int,
    ) -> None:  # fmt: skip
        self.size, self.kernel, self.windows, self.channels, self.batch = size, kernel, windows, channels, batch
        self.stride, self.before, self.dilation, self.groups, self.dtype = stride, before, dilation, groups, dtype
        # In a convolution with a kernel of one element the array is its own columns.
        plain = prod(kernel) == 1 == prod(stride) and not any(before) and size == windows
        self.depth = 0 if plain else channels * prod(kernel) * batch * dtype.itemsize

    def blocks(self) -> Iterator[tuple[tuple[slice, ...], Any, Array | None]]:
        """Of each block: the slices of its windows, what each place in a window sees, and memory for its columns."""
        for block in blocks(self.windows, self.depth):
            counts = tuple(n for _, n in block)
            cut = (ALL, *[slice(i, i + n) for i, n in block])
            if not self.depth:
                yield cut, None, None
                continue
            axes = zip(self.size, self.kernel, self.stride, self.dilation, self.before, block, strict=True)
            sights = [seen(size, n, k, s, d, p, i) for size, k, s, d, p, (i, n) in axes]
            yield cut, sights, scratch((self.channels, *self.kernel, *counts, self.batch), self.dtype)

    def matrices(self, col: Array) -> Array:
        """Columns as one matrix for each group: rows are places in the window, columns are windows and the batch."""
        return col.reshape(self.groups, self.channels // self.groups * prod(self.kernel), -1)

    def products(self, y: Array) -> Array:
        """A block of outputs as one matrix for each group: rows are channels."""
        return y.reshape(self.groups, y.shape[0] // self.groups, prod(y.shape[1:]), copy=False)


@primitive(
    r"a \ast b",
    lambda g, y, a, b, c=None, *, windows, **how: convolution_transpose(g, b, size=a.shape[2:], **how),
    lambda g, y, a, b, c=None, *, windows, **how: convolution_weight(a, g, kernel=b.shape[2:], **how),
    bias_rule,
    label="ConvolutionBackward0",
)
def convolution(
    a: Array, b: Array, c: Array | None = None, *, windows: Sizes, stride: Sizes, before: Sizes, dilation: Sizes,
    groups: int,
) -> Array:  # fmt: skip
    """y = a ∗ b + c: a channel of y is the sum of the products of its kernel, a row of b, with what a window sees."""
    y = empty((a.shape[0], b.shape[0], *windows), a.dtype)
    x, out = channels_first(a), channels_first(y)
    how = _Layout(a.shape[2:], b.shape[2:], windows, a.shape[1], a.shape[0], a.dtype, stride, before, dilation, groups)
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
    lambda g, y, a, b, c=None, *, size, **how: convolution(g, b, windows=a.shape[2:], **how),
    lambda g, y, a, b, c=None, *, size, **how: convolution_weight(g, a, kernel=b.shape[2:], **how),
    bias_rule,
    label="ConvolutionBackward0",
)
def convolution_transpose(
    a: Array, b: Array, c: Array | None = None, *, size: Sizes, stride: Sizes, before: Sizes, dilation: Sizes,
    groups: int,
) -> Array:  # fmt: skip
    """y = a ∗ bᵀ + c: each element of a times its kernel, added where the window stands."""
    y = empty((a.shape[0], b.shape[1] * groups, *size), a.dtype)
    x, out = channels_first(a), channels_first(y)
    how = _Layout(size, b.shape[2:], a.shape[2:], out.shape[0], a.shape[0], a.dtype, stride, before, dilation, groups)
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
    lambda g, y, a, b, *, kernel, **how: convolution_transpose(b, g, size=a.shape[2:], **how),
    lambda g, y, a, b, *, kernel, **how: convolution(a, g, windows=b.shape[2:], **how),
)
def convolution_weight(
    a: Array, b: Array, *, kernel: Sizes, stride: Sizes, before: Sizes, dilation: Sizes, groups: int
) -> Array:
    """y = aᵀ ∗ b: what each place of the kernel has met in a, weighted by b, one number for each window."""
    x, g = channels_first(a), channels_first(b)
    rows, depth = b.shape[1] // groups, a.shape[1] // groups * prod(kernel)
    y = np.zeros((groups, rows, depth), a.dtype)
    how = _Layout(a.shape[2:], kernel, b.shape[2:], a.shape[1], a.shape[0], a.dtype, stride, before, dilation, groups)
    for cut, sights, col in how.blocks():
        if col is None:
            col = x[cut]
        else:
            gather_columns(x, col, sights)
        y += np.matmul(how.products(g[cut]), how.matrices(col).swapaxes(1, 2))
    return y.reshape(b.shape[1], a.shape[1] // groups, *kernel)
