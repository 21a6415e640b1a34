"""How the elements of a tensor lie in memory: PyTorch's memory formats."""

from __future__ import annotations

from typing import Any

from tinygrad_pt import ops
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.checks import expect_tensor, not_a
from tinygrad_pt.functions.strides import batch_last, settle
from tinygrad_pt.graph import Tensor

__all__ = [
    "channels_last", "channels_last_3d", "clone", "contiguous_format", "memory_format", "preserve_format",
]  # fmt: skip


class memory_format:
    """An order of the axes in memory: `torch.contiguous_format`, `torch.channels_last`, …"""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> str:
        return self.name


contiguous_format, preserve_format = memory_format("contiguous_format"), memory_format("preserve_format")
channels_last, channels_last_3d = memory_format("channels_last"), memory_format("channels_last_3d")

# A memory format with the axes in the order in which they lie in memory, and the way back to the order of the tensor.
CHANNELS_LAST = {channels_last: ((0, 2, 3, 1), (0, 3, 1, 2)), channels_last_3d: ((0, 2, 3, 4, 1), (0, 4, 1, 2, 3))}


def clone(input: Tensor, *, memory_format: memory_format | None = None) -> Tensor:
    """A copy, through which gradients flow; the strides are kept unless a memory format is asked for.

    >>> import tinygrad_pt as torch
    >>> torch.zeros(2, 3, 4, 5).clone(memory_format=torch.channels_last).stride()
    (60, 1, 15, 3)
    """
    if memory_format is None or asked(memory_format, "clone") is preserve_format:
        settle(expect_tensor(input, "clone"))
        y = ops.clone(input)
        if batch_last(y.array):  # the user's own order, not that of a convolution: a view of an array is left as it is
            y.array = y.array[...]
        return y
    if memory_format not in CHANNELS_LAST:
        return ops.clone(expect_tensor(input, "clone"), order="C")
    there, back = CHANNELS_LAST[_of_rank(input, memory_format)]
    return ops.permute(ops.clone(ops.permute(input, axes=there), order="C"), axes=back)


def in_format(input: Tensor, wanted: Any) -> Tensor:
    """The tensor itself if it lies in this memory format, or else a copy that does."""
    return (
        input
        if wanted is None or wanted is preserve_format or lies_in(input, wanted)
        else clone(input, memory_format=wanted)
    )


def lies_in(input: Tensor, wanted: Any) -> bool:
    """Whether the elements lie in memory in this format, one after the other."""
    if asked(wanted, "contiguous") not in CHANNELS_LAST:
        return bool(input.array.flags.c_contiguous or (settle(input) and input.array.flags.c_contiguous))
    there = CHANNELS_LAST[wanted][0]
    return input.array.ndim == len(there) and bool(input.array.transpose(there).flags.c_contiguous)


def asked(value: Any, function: str) -> Any:
    """The value, if it is a memory format; else PyTorch's error."""
    if not isinstance(value, memory_format):
        raise not_a("torch.memory_format", value, function, "memory_format")
    return value


def _of_rank(input: Tensor, wanted: Any) -> Any:
    """The format, if it is one of tensors with so many axes."""
    rank = len(CHANNELS_LAST[wanted][0])
    if input.array.ndim != rank:
        text = f"required rank {rank} tensor to use {wanted.name} format"
        raise refuse(RuntimeError, text, "contiguous", input)
    return wanted
