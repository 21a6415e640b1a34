"""Triangles and diagonals of matrices; the rule of each op is another of these ops."""

from __future__ import annotations

import numpy as np

from tinygrad_pt.calling import primitive
from tinygrad_pt.graph import Array


@primitive(r"\mathrm{tril}(a)", lambda g, y, a, *, k: tril(g, k=k), moves=True)
def tril(a: Array, *, k: int) -> Array:
    """y = a on and below the k-th diagonal, 0 above it."""
    return np.tril(a, k)


@primitive(r"\mathrm{triu}(a)", lambda g, y, a, *, k: triu(g, k=k), moves=True)
def triu(a: Array, *, k: int) -> Array:
    """y = a on and above the k-th diagonal, 0 below it."""
    return np.triu(a, k)


@primitive(
    r"\mathrm{diag}(a)",
    lambda g, y, a, *, k, axis0, axis1: undiagonal(g, k=k, axis0=axis0, axis1=axis1, shape=a.shape),
    view=True,
)
def diagonal(a: Array, *, k: int, axis0: int, axis1: int) -> Array:
    """y = the k-th diagonal over two axes, as the last axis."""
    y = np.diagonal(a, k, axis0, axis1)
    y.flags.writeable = a.flags.writeable  # NumPy makes a diagonal read-only for historical reasons
    return y


@primitive(
    r"\mathrm{diag}(a)",
    lambda g, y, a, *, k, axis0, axis1, shape: diagonal(g, k=k, axis0=axis0, axis1=axis1),
    moves=True,
)
def undiagonal(a: Array, *, k: int, axis0: int, axis1: int, shape: tuple[int, ...]) -> Array:
    """y = zeros of `shape` with a on the k-th diagonal over two axes."""
    y = np.zeros(shape, a.dtype)
    moved = np.moveaxis(y, (axis0, axis1), (-2, -1))
    i = np.arange(a.shape[-1])
    moved[..., i + max(0, -k), i + max(0, k)] = a
    return y
