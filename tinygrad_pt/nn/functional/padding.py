"""Widened inputs: filled with a number, mirrored, repeated or wrapped around."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_pt import functions as F
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.shaping import pad as _constant_pad
from tinygrad_pt.nn.functional.checks import only_tensors

MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def pad(input: Any, pad: Any, mode: str = "constant", value: float | None = None) -> Any:
    """The input with its last axes widened: `pad` lists (before, after) from the last axis backwards.

    `mode` is "constant" (filled with `value`, default 0), "reflect", "replicate" or "circular".

    >>> import tinygrad_pt as torch
    >>> torch.nn.functional.pad(torch.tensor([1.0, 2.0, 3.0]), (1, 2), mode="circular")
    tensor([3., 1., 2., 3., 1., 2.])
    """
    only_tensors("pad", input=input)
    if mode == "constant":
        return _constant_pad(input, pad, 0.0 if value is None else value)
    if mode not in MODES:
        raise refuse(NotImplementedError, f"Unrecognised padding mode {mode}", "pad", input)
    if value:
        raise ValueError(f'Padding mode "{mode}" doesn\'t take in value argument')
    y = input
    for i in range(len(pad) // 2):
        axis, (before, after) = input.array.ndim - 1 - i, pad[2 * i : 2 * i + 2]
        size = y.array.shape[axis]
        if mode == "reflect" and max(before, after) >= size:
            raise refuse(
                RuntimeError,
                "Argument #4: Padding size should be less than the corresponding input dimension, but "
                "got: padding "
                f"({before}, {after}) at dimension {axis} of input {list(input.array.shape)}",
                "pad",
                input,
            )
        places = np.pad(
            np.arange(size)[max(0, -before) : size - max(0, -after)],
            (max(0, before), max(0, after)),
            MODES[mode],
        )  # type: ignore[call-overload]
        y = F.index_select(y, axis, wrap(places))
    return y
