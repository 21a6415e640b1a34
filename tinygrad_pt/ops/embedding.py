"""Rows of a matrix chosen by number, and sums of rows with the same number: each is the rule of the other."""

from __future__ import annotations

import numpy as np

from tinygrad_pt.calling import primitive
from tinygrad_pt.errors import refuse
from tinygrad_pt.graph import Array
from tinygrad_pt.ops.shape import Shape, in_blocks


def _check(b: Array, rows: int) -> None:
    if b.size and not (0 <= b.min() and b.max() < rows):
        raise refuse(IndexError, "index out of range in self", mend=f"indices are 0 … {rows - 1}")


@primitive(
    r"a_{b}",
    lambda g, y, a, b, c=None: add_rows(g if c is None else g * c, b, rows=a.shape[0]),
    None,
    None,
    moves=True,
    label="EmbeddingBackward0",
)
def take_rows(a: Array, b: Array, c: Array | None = None) -> Array:
    """y = the rows of a that the indices b name, in the shape of b; c, if given, is the share that each index has in
    the gradient, as layers with a padding index want it.
    """
    _check(b, len(a))
    return a[b] if b.ndim else a[b].copy()


@primitive(r"\mathrm{add}_{b}(a)", lambda g, y, a, b, *, rows: take_rows(g, b), None)
def add_rows(a: Array, b: Array, *, rows: int) -> Array:
    """y = as many rows of zeros, to row bᵢ of which aᵢ has been added.

    `np.add.at` would take ten times as long, and so would one reduction over all rows in the order of their indices.
    """
    shape: Shape = (rows, *a.shape[b.ndim :])
    y = np.zeros(shape, a.dtype)
    if not a.size:
        return y
    b = b.reshape(-1)
    a = a.reshape(b.size, *shape[1:])
    order = np.argsort(b.astype(np.uint16) if rows <= 65536 else b, kind="stable")  # of short integers it is linear
    b_ = b[order]
    starts = np.flatnonzero(np.concatenate(([True], b_[1:] != b_[:-1])))
    if a.dtype.char == "e":
        y[b_[starts]] = np.add.reduceat(a[order], starts, axis=0, dtype=np.float32)
    elif a.size <= 4096:
        y[b_[starts]] = np.add.reduceat(a[order], starts, axis=0)
    else:
        _add_rows(y, a, b, order, b_, starts)
    return y


def _add_rows(y: Array, a: Array, b: Array, order: Array, b_: Array, starts: Array) -> None:
    """Into y go the sums of rows of a with the same index b; b_ = b[order] is sorted, and each index `starts` there.

    An index that occurs often has a sum of its own; of the others all second rows are added at once, then all third.
    """
    stops = np.append(starts[1:], b.size)
    counts = stops - starts
    often = counts > (8 if 8 * starts.size > b.size else 0)
    if often.any():
        x = a[order]
        for i, start, stop in zip(*(k[often].tolist() for k in (b_[starts], starts, stops)), strict=True):
            rows = x[start:stop]
            np.add.reduce(rows if stop - start <= 128 else in_blocks(rows, 0), 0, None, y[i, ...])
        starts, counts = starts[~often], counts[~often]
    elif 2 * starts.size > b.size:  # most occur once
        y[b] = a
        starts, counts = starts[counts > 1], counts[counts > 1]
    if not starts.size:
        return
    starts = starts[np.argsort(-counts, kind="stable")]
    x = a[order[starts]]
    for k in range(1, counts.max()):
        n = np.count_nonzero(counts > k)
        x[:n] += a[order[starts[:n] + k]]
    y[b_[starts]] = x
