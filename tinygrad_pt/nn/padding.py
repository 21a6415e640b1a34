"""Layers that widen their input: with a number, mirrored, with the border repeated, or with the other side."""

# fmt: off
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.arguments import expect_tensor
from tinygrad_pt.nn import functional as NF
from tinygrad_pt.nn.module import Module
from tinygrad_pt.tensor import Tensor

__all__ = [
    "CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d", "ConstantPad2d", "ConstantPad3d",
    "ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d", "ReplicationPad1d", "ReplicationPad2d",
    "ReplicationPad3d", "ZeroPad1d", "ZeroPad2d", "ZeroPad3d",
]

Padding = int | tuple[int, ...]


class Widening(Module):
    """A layer that widens the last `axes` axes; the padding lists (before, after) from the last axis backwards."""

    axes = 1
    mode = "constant"
    value: float | None = None
    padding: tuple[int, ...]

    def __init__(self, padding: Padding) -> None:
        super().__init__()
        given: Any = padding
        self.padding = tuple(given) if isinstance(given, Iterable) else (given,) * (2 * self.axes)

    def forward(self, input: Tensor) -> Tensor:
        return NF.pad(input, self.padding, self.mode, self.value)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ConstantPad(Widening):
    """Padding with a number."""

    def __init__(self, padding: Padding, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ZeroPad(Widening):
    """Padding with 0."""

    def __init__(self, padding: Padding) -> None:
        super().__init__(padding)
        self.value = 0.0


class CircularPad(Widening):
    """Padding with the other side."""

    mode = "circular"

    def forward(self, input: Tensor) -> Tensor:
        n = expect_tensor(input, "pad").array.ndim
        if n not in (self.axes + 1, self.axes + 2):
            raise refuse(ValueError, f"expected {self.axes + 1}D or {self.axes + 2}D input (got {n}D input)")
        return super().forward(input)


class ConstantPad1d(ConstantPad):
    """The input (N, C, W) or (C, W) widened by a number, `value`.

    >>> torch.nn.ConstantPad1d(1, 2.0)(torch.ones(1, 1, 3)).shape
    torch.Size([1, 1, 5])
    """

    axes = 1


class ConstantPad2d(ConstantPad):
    """The input (N, C, H, W) or (C, H, W) widened by a number, `value`.

    >>> torch.nn.ConstantPad2d(1, 2.0)(torch.ones(1, 1, 3, 3)).shape
    torch.Size([1, 1, 5, 5])
    """

    axes = 2


class ConstantPad3d(ConstantPad):
    """The input (N, C, D, H, W) or (C, D, H, W) widened by a number, `value`.

    >>> torch.nn.ConstantPad3d(1, 2.0)(torch.ones(1, 1, 3, 3, 3)).shape
    torch.Size([1, 1, 5, 5, 5])
    """

    axes = 3


class ZeroPad1d(ZeroPad):
    """The input (N, C, W) or (C, W) widened by 0.

    >>> torch.nn.ZeroPad1d(1)(torch.ones(1, 1, 3)).shape
    torch.Size([1, 1, 5])
    """

    axes = 1


class ZeroPad2d(ZeroPad):
    """The input (N, C, H, W) or (C, H, W) widened by 0.

    >>> torch.nn.ZeroPad2d(1)(torch.ones(1, 1, 3, 3)).shape
    torch.Size([1, 1, 5, 5])
    """

    axes = 2


class ZeroPad3d(ZeroPad):
    """The input (N, C, D, H, W) or (C, D, H, W) widened by 0.

    >>> torch.nn.ZeroPad3d(1)(torch.ones(1, 1, 3, 3, 3)).shape
    torch.Size([1, 1, 5, 5, 5])
    """

    axes = 3


class ReflectionPad1d(Widening):
    """The input (N, C, W) or (C, W) widened by its elements mirrored at the border.

    >>> torch.nn.ReflectionPad1d(1)(torch.ones(1, 1, 3)).shape
    torch.Size([1, 1, 5])
    """

    axes = 1
    mode = "reflect"


class ReflectionPad2d(Widening):
    """The input (N, C, H, W) or (C, H, W) widened by its elements mirrored at the border.

    >>> torch.nn.ReflectionPad2d(1)(torch.ones(1, 1, 3, 3)).shape
    torch.Size([1, 1, 5, 5])
    """

    axes = 2
    mode = "reflect"


class ReflectionPad3d(Widening):
    """The input (N, C, D, H, W) or (C, D, H, W) widened by its elements mirrored at the border.

    >>> torch.nn.ReflectionPad3d(1)(torch.ones(1, 1, 3, 3, 3)).shape
    torch.Size([1, 1, 5, 5, 5])
    """

    axes = 3
    mode = "reflect"


class ReplicationPad1d(Widening):
    """The input (N, C, W) or (C, W) widened by its border repeated.

    >>> torch.nn.ReplicationPad1d(1)(torch.ones(1, 1, 3)).shape
    torch.Size([1, 1, 5])
    """

    axes = 1
    mode = "replicate"


class ReplicationPad2d(Widening):
    """The input (N, C, H, W) or (C, H, W) widened by its border repeated.

    >>> torch.nn.ReplicationPad2d(1)(torch.ones(1, 1, 3, 3)).shape
    torch.Size([1, 1, 5, 5])
    """

    axes = 2
    mode = "replicate"


class ReplicationPad3d(Widening):
    """The input (N, C, D, H, W) or (C, D, H, W) widened by its border repeated.

    >>> torch.nn.ReplicationPad3d(1)(torch.ones(1, 1, 3, 3, 3)).shape
    torch.Size([1, 1, 5, 5, 5])
    """

    axes = 3
    mode = "replicate"


class CircularPad1d(CircularPad):
    """The input (N, C, W) or (C, W) widened by the elements of the other side.

    >>> torch.nn.CircularPad1d(1)(torch.ones(1, 1, 3)).shape
    torch.Size([1, 1, 5])
    """

    axes = 1


class CircularPad2d(CircularPad):
    """The input (N, C, H, W) or (C, H, W) widened by the elements of the other side.

    >>> torch.nn.CircularPad2d(1)(torch.ones(1, 1, 3, 3)).shape
    torch.Size([1, 1, 5, 5])
    """

    axes = 2


class CircularPad3d(CircularPad):
    """The input (N, C, D, H, W) or (C, D, H, W) widened by the elements of the other side.

    >>> torch.nn.CircularPad3d(1)(torch.ones(1, 1, 3, 3, 3)).shape
    torch.Size([1, 1, 5, 5, 5])
    """

    axes = 3
