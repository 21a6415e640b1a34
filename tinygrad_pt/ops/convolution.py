"""Convolution, and its transposes with respect to the input and to the weight: each is made of the others' rules.

All three are linear in both arguments: `convolution` takes x and w, `convolution_transpose` a gradient and w to what x
receives, `convolution_weight` x and a gradient to what w receives. The padding behind each axis follows from the number
of windows, so that it need not be symmetric, and no element is ever appended.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache
from math import prod
from typing import Any

import numpy as np

from tinygrad_pt.calling import T, primitive
from tinygrad_pt.graph import Array
from tinygrad_pt.ops.reduce import sum
from tinygrad_pt.ops.sliding import (
    ALL,
    Cut,
    Sizes,
    Slide,
    blocks,
    channels_first,
    cut_of,
    empty,
    narrow,
    padded,
    scatter_columns,
    scratch,
    seen,
    sight,
)

SMALL = 1_000_000  # multiplications of a product that OpenBLAS carries out without packing its arguments


def over_channels(g: T) -> T:
    """The gradient of a bias: Σ g over all but the channels."""
    return sum(g, axis=(0, *range(2, g.ndim)), keepdims=False)  # type: ignore[attr-defined]


@cache
def _parts(rows: int, depth: int, columns: int) -> int:
    """Into how many equal parts the columns of a product are divided: BLAS is quicker at products that are small."""
    most = SMALL // max(1, rows * depth)
    if columns <= most or most < 128:
        return 1
    least = -(-columns // most)
    return next((n for n in range(least, 2 * least) if not columns % n), 1)


@lru_cache(maxsize=1024)
class _Columns:
    """How columns are made in convolutions of one shape: of (N, C, *size), for one block of windows after another."""

    def __init__(
        self, shape: Sizes, rows: int, kernel: Sizes, windows: Sizes, slide: Slide, groups: int, dtype: np.dtype[Any]
    ) -> None:
        (batch, channels, *size), self.kernel, self.windows = shape, kernel, windows
        self.slide, self.groups, self.dtype = slide, groups, dtype
        self.rows, self.depth = rows // groups, channels // groups * prod(kernel)
        # In a convolution with a kernel of one element the array is its own columns.
        self.plain = prod(kernel) == 1 == prod(slide.stride) and not any(slide.before) and tuple(size) == windows
        # The columns of a block take no more memory than the weights, or stay in the cache.
        window = 0 if self.plain else groups * self.depth * dtype.itemsize
        self.blocks = list(blocks(windows, window * batch, self.rows * window))
        self.cuts = [cut_of(block) for block in self.blocks]
        self.sights = [
            [seen(m, n, k, s, d, p, i) for m, k, s, p, d, (i, n) in zip(size, kernel, *slide, block, strict=True)]
            for block in self.blocks
        ]

    def of(self, a: Array) -> Iterator[tuple[Cut, Array]]:
        """Of each block: the slices of its windows, and the columns of `a`."""
        if self.plain:
            yield from [(cut, channels_first(a)) for cut in self.cuts]
            return
        view = sight(padded(a, self.kernel, self.windows, self.slide), self.kernel, self.windows, self.slide)
        for cut in self.cuts:
            yield cut, self.filled(view[(ALL,) * len(self.kernel) + cut])

    def filled(self, part: Array) -> Array:
        """A copy in memory that the next block uses again."""
        col = scratch("columns", part.shape, self.dtype)
        col[...] = part
        return col

    def matrices(self, col: Array) -> Array:
        """Columns as matrices (groups, parts, places in the window, windows and the batch)."""
        return self.divided(col.reshape(self.groups, self.depth, -1))

    def products(self, y: Array) -> Array:
        """A block of outputs as matrices (groups, parts, channels, windows and the batch)."""
        return self.divided(y.reshape(self.groups, self.rows, prod(y.shape[1:]), copy=False))

    def divided(self, a: Array) -> Array:
        parts = _parts(self.rows, self.depth, a.shape[2])
        return a.reshape(*a.shape[:2], parts, a.shape[2] // parts).swapaxes(1, 2)


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
    out = channels_first(y)
    how = _Columns(a.shape, b.shape[0], b.shape[2:], windows, slide, groups, a.dtype)
    w = b.reshape(groups, 1, how.rows, how.depth)
    for cut, col in how.of(a):
        part = out[cut]
        np.matmul(w, how.matrices(col), out=how.products(part))
        if c is not None:
            with narrow():
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
    how = _Columns(y.shape, a.shape[1], b.shape[2:], a.shape[2:], slide, groups, a.dtype)
    w = b.reshape(groups, 1, how.rows, how.depth).swapaxes(2, 3)
    if not how.plain or not how.blocks:
        out[...] = 0
    for cut, sights in zip(how.cuts, how.sights, strict=True):
        part = x[cut]
        col = out if how.plain else scratch("columns", (y.shape[1], *how.kernel, *part.shape[1:]), a.dtype)
        np.matmul(w, how.products(part), out=how.matrices(col))
        if not how.plain:
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
    g = channels_first(b)
    how = _Columns(a.shape, b.shape[1], kernel, b.shape[2:], slide, groups, a.dtype)
    y = None
    for cut, col in how.of(a):
        x, z = how.matrices(col), how.products(g[cut])
        if how.rows < 128:  # BLAS is quicker where the first matrix has more rows
            part = np.matmul(x, z.swapaxes(2, 3)).swapaxes(2, 3)
        else:
            part = np.matmul(z, x.swapaxes(2, 3))
        total = part[:, 0] if part.shape[1] == 1 else np.add.reduce(part, axis=1)
        y = total if y is None else np.add(y, total, out=y)
    shape = (b.shape[1], a.shape[1] // groups, *kernel)
    return np.zeros(shape, a.dtype) if y is None else np.ascontiguousarray(y).reshape(shape)
