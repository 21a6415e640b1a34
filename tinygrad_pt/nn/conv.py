"""Convolutional layers: a kernel for each output channel slides over the input (LeCun et al., 1989)."""

# fmt: off
from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from tinygrad_pt import dtypes
from tinygrad_pt import functions as F
from tinygrad_pt.errors import refuse
from tinygrad_pt.nn import functional as NF
from tinygrad_pt.nn import init
from tinygrad_pt.nn.module import Module
from tinygrad_pt.nn.parameter import Parameter
from tinygrad_pt.tensor import Tensor

__all__ = ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]

Ints = int | Sequence[int]
Device = str | F.device | None
Dtype = dtypes.dtype | None
MODES = ("zeros", "reflect", "replicate", "circular")


def repeated(value: Any, n: int) -> Any:
    """A sequence as a tuple, whatever its length; anything else n times (PyTorch)."""
    return tuple(value) if hasattr(value, "__iter__") else (value,) * n


class Convolution(Module):
    """What all convolutional layers share: their settings, their weights, and what they begin with."""

    axes: ClassVar[int]
    transposed: ClassVar[bool] = False
    weight: Parameter
    bias: Parameter | None
    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    padding: str | tuple[int, ...]
    dilation: tuple[int, ...]
    output_padding: tuple[int, ...]

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Ints, stride: Ints, padding: Ints | str, dilation: Ints,
        output_padding: Ints, groups: int, bias: bool, padding_mode: str, device: Device, dtype: Dtype,
    ) -> None:
        super().__init__()
        n, name = self.axes, type(self).__name__
        if self.transposed and padding_mode != "zeros":
            raise refuse(ValueError, f'Only "zeros" padding mode is supported for {name}')
        self.kernel_size, self.stride, self.dilation = (repeated(v, n) for v in (kernel_size, stride, dilation))
        self.padding = padding if isinstance(padding, str) else repeated(padding, n)
        if groups <= 0:
            raise refuse(ValueError, "groups must be a positive integer")
        for word, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
            if channels % groups != 0:
                raise refuse(ValueError, f"{word} must be divisible by groups", mend=f"{channels} % {groups} must be 0")
        if isinstance(padding, str):
            if padding not in ("same", "valid"):
                text = f"Invalid padding string {padding!r}, should be one of {{'same', 'valid'}}"
                raise refuse(ValueError, text)
            if padding == "same" and any(s != 1 for s in self.stride):
                raise refuse(ValueError, "padding='same' is not supported for strided convolutions")
        if padding_mode not in MODES:
            listed = "{" + ", ".join(map(repr, MODES)) + "}"
            raise refuse(ValueError, f"padding_mode must be one of {listed}, but got padding_mode='{padding_mode}'")
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.output_padding, self.padding_mode = repeated(output_padding, n), padding_mode
        self._reversed_padding_repeated_twice = self._beside()
        first, second = (in_channels, out_channels) if self.transposed else (out_channels, in_channels)
        self.weight = Parameter(F.empty((first, second // groups, *self.kernel_size), dtype=dtype, device=device))
        if bias:
            self.bias = Parameter(F.empty(out_channels, dtype=dtype, device=device))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def _beside(self) -> list[int]:
        """The padding as `F.pad` takes it: (before, after) for each axis, the last one first."""
        if not isinstance(self.padding, str):
            return [p for p in reversed(self.padding) for _ in range(2)]
        found = []
        for d, k in reversed(list(zip(self.dilation, self.kernel_size, strict=False))):
            total = d * (k - 1) if self.padding == "same" else 0
            found += [total // 2, total - total // 2]
        return found

    def reset_parameters(self) -> None:
        """Draw new values of weight and bias: U(-1/√n, 1/√n), where n is the number of inputs of one output."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            inputs = self.weight.array[0].size if self.weight.array.shape[0] else 0
            bound = 1 / math.sqrt(inputs) if inputs > 0 else 0
            init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        n = self.axes
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        for name, usual in (("padding", 0), ("dilation", 1), ("output_padding", 0)):
            if (value := getattr(self, name)) != (usual,) * n:
                text += f", {name}={value}"
        text += "" if self.groups == 1 else f", groups={self.groups}"
        text += ", bias=False" if self.bias is None else ""
        return text if self.padding_mode == "zeros" else f"{text}, padding_mode={self.padding_mode}"

    def _convolved(self, function: Any, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if self.padding_mode == "zeros":
            return function(input, weight, bias, self.stride, self.padding, self.dilation, self.groups)
        wide = NF.pad(input, self._reversed_padding_repeated_twice, mode=self.padding_mode)
        return function(wide, weight, bias, self.stride, (0,) * self.axes, self.dilation, self.groups)

    def _output_padding(self, input: Tensor, output_size: Sequence[int] | None) -> tuple[int, ...]:
        """How many elements to add behind, so that the result has the `output_size`."""
        if output_size is None:
            return self.output_padding
        n, shape = self.axes, input.array.shape
        lead = 2 if len(shape) == n + 2 else 1
        size = list(output_size)[lead:] if len(output_size) == lead + n else list(output_size)
        if len(size) != n:
            text = f"ConvTranspose{n}D: for {len(shape)}D input, output_size must have {n} or {lead + n} elements "
            raise refuse(ValueError, f"{text}(got {len(size)})")
        axes: Any = zip(shape[lead:], self.stride, self.padding, self.dilation, self.kernel_size, strict=True)
        least = [(length - 1) * s - 2 * p + d * (k - 1) + 1 for length, s, p, d, k in axes]
        most = [m + s - 1 for m, s in zip(least, self.stride, strict=True)]
        if any(not low <= m <= high for low, m, high in zip(least, size, most, strict=True)):
            shown = size if isinstance(output_size, list) else type(output_size)(size)  # type: ignore[call-arg]
            text = f"requested an output size of {shown}, but valid sizes range from {least} to {most} (for an "
            raise refuse(ValueError, f"{text}input of {F.Size(shape[2:])})")
        return tuple(m - low for m, low in zip(size, least, strict=True))


class Conv1d(Convolution):
    """y = x ∗ w + b along one axis: input (N, in, L) or (in, L), output (N, out, L').

    L' = (L + 2 padding - dilation (k-1) - 1) // stride + 1. Weight (out, in/groups, k) and bias (out,) start as
    U(-1/√n, 1/√n), where n = k · in/groups. The padding may be "same" or "valid"; `padding_mode` fills it with zeros,
    or with the input ("reflect", "replicate", "circular").

    Raises ValueError if the settings do not fit, RuntimeError if the input does not.

    >>> torch.nn.Conv1d(2, 4, 3, padding=1)(torch.zeros(5, 2, 8)).shape
    torch.Size([5, 4, 8])
    """

    axes = 1

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Ints, stride: Ints = 1, padding: Ints | str = 0,
        dilation: Ints = 1, groups: int = 1, bias: bool = True, padding_mode: str = "zeros", device: Device = None,
        dtype: Dtype = None,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, 0, groups, bias,
                         padding_mode, device, dtype)

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return self._convolved(NF.conv1d, input, weight, bias)

    def forward(self, input: Tensor) -> Tensor:
        return self._conv_forward(input, self.weight, self.bias)


class Conv2d(Convolution):
    """y = x ∗ w + b over two axes: input (N, in, H, W) or (in, H, W), output (N, out, H', W').

    Weight (out, in/groups, k, l), bias (out,); sizes, initial values and settings as those of `Conv1d`.

    Raises ValueError if the settings do not fit, RuntimeError if the input does not.

    >>> torch.nn.Conv2d(3, 8, 3, stride=2, padding=1)(torch.zeros(5, 3, 32, 32)).shape
    torch.Size([5, 8, 16, 16])
    """

    axes = 2

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Ints, stride: Ints = 1, padding: Ints | str = 0,
        dilation: Ints = 1, groups: int = 1, bias: bool = True, padding_mode: str = "zeros", device: Device = None,
        dtype: Dtype = None,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, 0, groups, bias,
                         padding_mode, device, dtype)

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return self._convolved(NF.conv2d, input, weight, bias)

    def forward(self, input: Tensor) -> Tensor:
        return self._conv_forward(input, self.weight, self.bias)


class Conv3d(Convolution):
    """y = x ∗ w + b over three axes: input (N, in, D, H, W) or (in, D, H, W), output (N, out, D', H', W').

    Weight (out, in/groups, j, k, l), bias (out,); sizes, initial values and settings as those of `Conv1d`.

    Raises ValueError if the settings do not fit, RuntimeError if the input does not.

    >>> torch.nn.Conv3d(1, 2, 3)(torch.zeros(1, 1, 4, 5, 6)).shape
    torch.Size([1, 2, 2, 3, 4])
    """

    axes = 3

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Ints, stride: Ints = 1, padding: Ints | str = 0,
        dilation: Ints = 1, groups: int = 1, bias: bool = True, padding_mode: str = "zeros", device: Device = None,
        dtype: Dtype = None,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, 0, groups, bias,
                         padding_mode, device, dtype)

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return self._convolved(NF.conv3d, input, weight, bias)

    def forward(self, input: Tensor) -> Tensor:
        return self._conv_forward(input, self.weight, self.bias)


class ConvTranspose1d(Convolution):
    """y = x ∗ wᵀ + b along one axis, the transpose of `Conv1d`: input (N, in, L) or (in, L), output (N, out, L').

    L' = (L-1) stride - 2 padding + dilation (k-1) + output_padding + 1. Weight (in, out/groups, k) and bias (out,)
    start as U(-1/√n, 1/√n), where n = k · out/groups. The call may name the `output_size`.

    Raises ValueError if the settings do not fit, RuntimeError if the input does not.

    >>> torch.nn.ConvTranspose1d(2, 4, 2, stride=2)(torch.zeros(5, 2, 8)).shape
    torch.Size([5, 4, 16])
    """

    axes, transposed = 1, True

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Ints, stride: Ints = 1, padding: Ints = 0,
        output_padding: Ints = 0, groups: int = 1, bias: bool = True, dilation: Ints = 1, padding_mode: str = "zeros",
        device: Device = None, dtype: Dtype = None,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, output_padding, groups,
                         bias, padding_mode, device, dtype)

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        extra = self._output_padding(input, output_size)
        return NF.conv_transpose1d(
            input, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation,  # type: ignore[arg-type]
        )


class ConvTranspose2d(Convolution):
    """y = x ∗ wᵀ + b over two axes, the transpose of `Conv2d`: input (N, in, H, W) or (in, H, W).

    Weight (in, out/groups, k, l), bias (out,); sizes, initial values and settings as those of `ConvTranspose1d`.

    Raises ValueError if the settings do not fit, RuntimeError if the input does not.

    >>> torch.nn.ConvTranspose2d(3, 8, 4, stride=2, padding=1)(torch.zeros(5, 3, 7, 7)).shape
    torch.Size([5, 8, 14, 14])
    """

    axes, transposed = 2, True

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Ints, stride: Ints = 1, padding: Ints = 0,
        output_padding: Ints = 0, groups: int = 1, bias: bool = True, dilation: Ints = 1, padding_mode: str = "zeros",
        device: Device = None, dtype: Dtype = None,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, output_padding, groups,
                         bias, padding_mode, device, dtype)

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        extra = self._output_padding(input, output_size)
        return NF.conv_transpose2d(
            input, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation,  # type: ignore[arg-type]
        )


class ConvTranspose3d(Convolution):
    """y = x ∗ wᵀ + b over three axes, the transpose of `Conv3d`: input (N, in, D, H, W) or (in, D, H, W).

    Weight (in, out/groups, j, k, l), bias (out,); sizes, initial values and settings as those of `ConvTranspose1d`.

    Raises ValueError if the settings do not fit, RuntimeError if the input does not.

    >>> torch.nn.ConvTranspose3d(1, 2, 2)(torch.zeros(1, 1, 2, 3, 4)).shape
    torch.Size([1, 2, 3, 4, 5])
    """

    axes, transposed = 3, True

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Ints, stride: Ints = 1, padding: Ints = 0,
        output_padding: Ints = 0, groups: int = 1, bias: bool = True, dilation: Ints = 1, padding_mode: str = "zeros",
        device: Device = None, dtype: Dtype = None,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, output_padding, groups,
                         bias, padding_mode, device, dtype)

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        extra = self._output_padding(input, output_size)
        return NF.conv_transpose3d(
            input, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation,  # type: ignore[arg-type]
        )
