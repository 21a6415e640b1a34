"""The strides of a tensor, as PyTorch counts them.

NumPy gives the same, except along axes of length 1 and in empty arrays: no element is reached by these strides, and
NumPy forgets them; PyTorch does not. They are found by following the view ops that lead from the base to the tensor.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_pt.graph import Leaf, TensorBase

__all__: list[str] = []

Axes = list[tuple[int, int]]  # of each axis the length and the stride


def strides_of(t: TensorBase) -> tuple[int, ...]:
    """The elements to step over, per axis."""
    settle(t)
    x = t.array
    known = [s // x.itemsize for s in x.strides]
    if x.size and 1 not in x.shape:
        return tuple(known)
    if t.base is None:
        return tuple(s for _, s in own_axes(x.shape, known, x.flags.c_contiguous))
    base = t.base.array
    steps = [s // base.itemsize for s in base.strides]
    found = own_axes(base.shape, steps, base.flags.c_contiguous)
    for op, attrs in t.path:
        found = AFTER[op.name](found, **attrs)
    return tuple(s if n == 1 or not x.size else k for (n, s), k in zip(found, known, strict=True))


def settle(t: TensorBase) -> bool:
    """Put a result of a convolution into row-major order, if it is not; False if the tensor is none.

    Such a result (N, C, …) has the batch as its last axis in memory, because the next layer reads it so (see
    `ops/sliding`). A user who asks for strides, or for a view that this order does not allow, gets what PyTorch gives.
    """
    base = t if t.base is None else t.base
    if not batch_last(base.array):
        return False
    base.array = np.ascontiguousarray(base.array)
    for view in [v for link in base.views or () if (v := link()) is not None]:
        y: Any = base.array
        for op, attrs in view.path:
            attrs = dict(attrs)
            part = attrs.pop("part", None)
            y = op.forward(y, **attrs) if part is None else op.forward(y, **attrs)[part]
        view.array = y
    if isinstance(base.node, Leaf):
        base.node.value = base.array
    return True


def batch_last(x: np.ndarray) -> bool:
    """Whether an array has the order of the results of convolutions: see `settle`."""
    if not 3 <= x.ndim <= 5 or x.base is not None or x.flags.c_contiguous:
        return False
    return x.transpose(*range(1, x.ndim), 0).flags.c_contiguous


def in_memory(t: TensorBase) -> Sequence[int]:
    """The axes of a tensor in the order of its memory, in which PyTorch draws; there, convolutions are row-major."""
    x = t.array
    if x.flags.c_contiguous or batch_last(x):
        return range(x.ndim)
    if t.base is not None and settle(t):
        x = t.array
    return sorted(range(x.ndim), key=lambda i: -abs(x.strides[i]))


def own_axes(shape: Sequence[int], steps: Sequence[int], contiguous: bool) -> Axes:
    """The axes of a tensor that is no view."""
    if contiguous:
        return row_major(shape)
    axes: Axes = []
    for n, s in zip(reversed(shape), reversed(steps), strict=True):
        axes.insert(0, (n, before(axes, 0) if n == 1 else s))
    return axes


def row_major(shape: Sequence[int]) -> Axes:
    """The axes of a contiguous tensor of a shape."""
    return [(n, math.prod(max(m, 1) for m in shape[i + 1 :])) for i, n in enumerate(shape)]


def before(axes: Axes, place: int) -> int:
    """The stride of a new axis of length 1 at a place."""
    return axes[place][0] * axes[place][1] if place < len(axes) else 1


# ------------------------------------------------------------------------------------------ after each view op
def after_reshape(axes: Axes, shape: Sequence[int]) -> Axes:
    """Axes that lie one after the other in memory are one run; each run, from the last, is divided anew."""
    if not math.prod(shape):
        return axes if list(shape) == [n for n, _ in axes] else row_major(shape)
    runs: list[tuple[int, int]] = []  # the elements and the smallest stride of each
    for n, s in reversed(axes):
        if runs and (n == 1 or s == runs[-1][0] * runs[-1][1]):
            runs[-1] = (runs[-1][0] * n, runs[-1][1])
        else:
            runs.append((n, s))
    found: Axes = []
    rest = list(shape)
    for elements, step in runs or [(1, 1)]:
        filled = 1
        while rest and (filled < elements or rest[-1] == 1):
            found.insert(0, (rest[-1], filled * step))
            filled *= rest.pop()
    return found


def after_expand(axes: Axes, shape: Sequence[int]) -> Axes:
    if not axes:
        return [(n, 0) for n in shape]
    found: Axes = []
    for i in range(1, len(shape) + 1):
        n, s = axes[-i] if i <= len(axes) else (1, before(found, 0))
        found.insert(0, (shape[-i], s if n == shape[-i] else 0))
    return found


def after_diagonal(axes: Axes, k: int, axis0: int, axis1: int) -> Axes:
    (m, s), (n, t) = axes[axis0], axes[axis1]
    length = max(0, min(m, n - k) if k >= 0 else min(m + k, n))
    return [a for i, a in enumerate(axes) if i not in (axis0, axis1)] + [(length, s + t)]


def after_permute(found: Axes, axes: Sequence[int]) -> Axes:
    return [found[i] for i in axes]


def after_transpose(axes: Axes, axis0: int, axis1: int) -> Axes:
    axes = list(axes)
    axes[axis0], axes[axis1] = axes[axis1], axes[axis0]
    return axes


def after_index(axes: Axes, index: tuple[Any, ...]) -> Axes:
    axes, place = list(axes), 0
    used = sum(1 for p in index if isinstance(p, (int, slice)))
    whole = len(axes) - used
    for p in index:
        if p is None:
            axes.insert(place, (1, before(axes, place)))
            place += 1
        elif p is Ellipsis:
            place += whole
        elif isinstance(p, slice):
            n, s = axes[place]
            axes[place] = (len(range(n)[p]), s * (1 if p.step is None else p.step))
            place += 1
        else:
            del axes[place]
    return axes


def after_unfold(axes: Axes, axis: int, size: int, step: int) -> Axes:
    n, s = axes[axis]
    return [*axes[:axis], ((n - size) // step + 1, s * step), *axes[axis + 1 :], (size, s)]


def _cut(axes: Axes, axis: int, length: int) -> Axes:
    return [*axes[:axis], (length, axes[axis][1]), *axes[axis + 1 :]]


AFTER: dict[str, Any] = {
    "reshape": after_reshape,
    "unsqueeze": lambda axes, axis: [*axes[:axis], (1, before(axes, axis)), *axes[axis:]],
    "squeeze": lambda axes, axis: [a for i, a in enumerate(axes) if i not in axis],
    "permute": after_permute,
    "transpose": after_transpose,
    "t": lambda axes: [*axes[:-2], *axes[-2:][::-1]],
    "expand": after_expand,
    "sum_to": lambda axes, shape: axes,
    "narrow": lambda axes, axis, start, length: _cut(axes, axis, length),
    "select": lambda axes, axis, index: [*axes[:axis], *axes[axis + 1 :]],
    "crop": lambda axes, widths: [(n - i - j, s) for (n, s), (i, j) in zip(axes, widths, strict=True)],
    "split": lambda axes, sizes, axis, part: _cut(axes, axis, sizes[part]),
    "unbind": lambda axes, axis, part: [*axes[:axis], *axes[axis + 1 :]],
    "diagonal": after_diagonal,
    "getitem": after_index,
    "unfold": after_unfold,
}  # fmt: skip
