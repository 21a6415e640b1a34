"""Padding of the last axes: with a number, mirrored, repeated or wrapped around."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tinygrad_pt import functions as F
from tinygrad_pt.autograd.saved import mark_flat
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.arguments import sizes_from
from tinygrad_pt.functions.checks import not_a, unsupported
from tinygrad_pt.functions.shaping import expect_pairs
from tinygrad_pt.functions.shaping import pad as _constant_pad
from tinygrad_pt.nn.functional.check import expect_number, only_tensors
from tinygrad_pt.ops.resampling import pick_along
from tinygrad_pt.tensor import Tensor

__all__ = ["pad"]

# The element that stands at place i of an axis of n elements, for places outside of it, too.
MODES: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "reflect": lambda i, n: n - 1 - np.abs(n - 1 - np.abs(i)),
    "replicate": lambda i, n: np.clip(i, 0, n - 1),
    "circular": lambda i, n: i % n,
}


def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """The input with its last axes widened: `pad` lists (before, after) from the last axis backwards.

    `mode` is "constant" (filled with `value`, default 0), "reflect", "replicate" or "circular".

    >>> torch.nn.functional.pad(torch.tensor([[1.0, 2.0, 3.0]]), (1, 2), mode="circular")
    tensor([[3., 1., 2., 3., 1., 2.]])
    """
    only_tensors("pad", input=input)
    if not isinstance(pad, (tuple, list)):
        raise not_a("tuple of ints", pad, "pad", "pad", 2)
    sizes_from((pad,), "pad")
    expect_pairs(len(pad), input)
    if value is not None:
        expect_number(value, "pad", "value")
    if mode == "constant":
        return _constant_pad(input, pad, 0.0 if value is None else value)
    if not isinstance(mode, str) or mode not in MODES:
        raise refuse(NotImplementedError, f"Unrecognised padding mode {mode}", "pad", input)
    if value:
        raise refuse(ValueError, f'Padding mode "{mode}" doesn\'t take in value argument', "pad", input, value)
    _check_kind(input, len(pad), mode)
    y = input
    for i in range(len(pad) // 2):
        axis, (before, after) = input.array.ndim - 1 - i, pad[2 * i : 2 * i + 2]
        size = y.array.shape[axis]
        if mode == "reflect" and max(before, after) >= size:
            text = (
                "Argument #4: Padding size should be less than the corresponding input dimension, but got: padding "
                f"({before}, {after}) at dimension {axis} of input {list(input.array.shape)}"
            )
            raise refuse(RuntimeError, text, "pad", input)
        text = ""
        if mode == "circular" and max(before, after) > size:
            text = "Padding value causes wrapping around more than once."
        elif size + before + after < (mode != "circular"):
            text = f"input (W: {size}) is too small. Calculated output W: {size + before + after}"
            text = "Negative padding value is resulting in an empty dimension" if mode == "circular" else text
        if text:
            raise refuse(RuntimeError, text, "pad", input)
        first, last = max(0, -before), size - max(0, -after)
        if mode == "circular" and first < last:  # what a negative width cuts is gone before the rest is wrapped around
            y, size, before, after = F.narrow(y, axis, first, last - first), last - first, max(0, before), max(0, after)
        places = np.arange(-before, size + after)  # in the other modes the other side still sees what is cut
        y = pick_along(y, axis=axis, index=MODES[mode](places, size))
    return y if mode == "circular" else mark_flat(y)


SUPPORTED = """Padding size {} is not supported for {}D input tensor.
Supported combinations for non-constant padding:
  - 2D or 3D input: padding size = 2 (pads last dimension)
  - 3D or 4D input: padding size = 4 (pads last 2 dimensions)
  - 4D or 5D input: padding size = 6 (pads last 3 dimensions)"""
KERNELS = {"reflect": "reflection_pad{}d", "replicate": "replication_pad{}d"}


def _check_kind(input: Tensor, count: int, mode: str) -> None:
    """Raise PyTorch's error unless padding that is not constant can be had of such an input."""
    x, axes = input.array, count // 2
    if axes not in (1, 2, 3) or x.ndim not in (axes + 1, axes + 2):
        raise refuse(NotImplementedError, SUPPORTED.format(count, x.ndim), "pad", input)
    if mode == "circular":
        return
    if 0 in x.shape[x.ndim - axes - 1 :]:
        text = (
            f"Expected {axes + 1}D or {axes + 2}D (batch mode) tensor with possibly 0 batch size and other non-zero "
            f"dimensions for input, but got: {list(x.shape)}"
        )
        raise refuse(RuntimeError, text, "pad", input)
    if x.dtype.kind == "b":
        raise unsupported(KERNELS[mode].format(axes), "pad", input)
