"""Pooling layers: one number for each window of each channel."""

# fmt: off
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinygrad_pt.errors import refuse
from tinygrad_pt.nn import functional as NF
from tinygrad_pt.nn.conv import repeated
from tinygrad_pt.nn.module import Module
from tinygrad_pt.tensor import Tensor

__all__ = [
    "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d", "AvgPool1d", "AvgPool2d", "AvgPool3d", "FractionalMaxPool2d", "FractionalMaxPool3d",
    "LPPool1d", "LPPool2d", "LPPool3d", "MaxPool1d", "MaxPool2d", "MaxPool3d", "MaxUnpool1d", "MaxUnpool2d",
    "MaxUnpool3d",
]

Ints = int | Sequence[int]
MaybeInts = int | None | Sequence[int | None]
Ratios = float | Sequence[float] | None
Pair = tuple[Tensor, Tensor]


# ------------------------------------------------------------------------------------------ the largest element
class MaxPool(Module):
    """What the layers share that take the largest element of each window."""

    _shown = ("kernel_size", "stride", "padding", "dilation", "ceil_mode")

    def __init__(
        self, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, dilation: Ints = 1,
        return_indices: bool = False, ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size, self.padding, self.dilation = kernel_size, padding, dilation
        self.stride = kernel_size if stride is None else stride
        self.return_indices, self.ceil_mode = return_indices, ceil_mode


class MaxPool1d(MaxPool):
    """The largest element of each window of (N, C, L) or (C, L).

    The stride is the kernel's size unless given. Padding, up to half a kernel, is -∞. With n elements along an axis
    there are (n + 2 padding - dilation (k-1) - 1) // stride + 1 windows; `ceil_mode` rounds up. A window with nan gives
    nan; the gradient goes to the first of equal elements. With `return_indices` the second result says where those are.

    Raises RuntimeError if the sizes do not fit.

    >>> torch.nn.MaxPool1d(2)(torch.tensor([[1.0, 5.0, 2.0, 3.0]]))
    tensor([[5., 3.]])
    """

    def forward(self, input: Tensor) -> Tensor | Pair:
        return NF.max_pool1d(
            input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode,
            return_indices=self.return_indices,  # type: ignore[call-overload]
        )


class MaxPool2d(MaxPool):
    """The largest element of each window of (N, C, H, W) or (C, H, W).

    The settings are those of `MaxPool1d`, one number for all axes or one for each.

    Raises RuntimeError if the sizes do not fit.

    >>> torch.nn.MaxPool2d(2)(torch.arange(16.0).reshape(1, 4, 4))
    tensor([[[ 5.,  7.],
             [13., 15.]]])
    """

    def forward(self, input: Tensor) -> Tensor | Pair:
        return NF.max_pool2d(
            input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode,
            return_indices=self.return_indices,  # type: ignore[call-overload]
        )


class MaxPool3d(MaxPool):
    """The largest element of each window of (N, C, D, H, W) or (C, D, H, W).

    The settings are those of `MaxPool1d`, one number for all axes or one for each.

    Raises RuntimeError if the sizes do not fit.

    >>> torch.nn.MaxPool3d(2)(torch.zeros(1, 4, 4, 4)).shape
    torch.Size([1, 2, 2, 2])
    """

    def forward(self, input: Tensor) -> Tensor | Pair:
        return NF.max_pool3d(
            input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode,
            return_indices=self.return_indices,  # type: ignore[call-overload]
        )


class MaxUnpool(Module):
    """What the layers share that put elements back where `MaxPool` has found them."""

    axes: int
    _shown = ("kernel_size", "stride", "padding")

    def __init__(self, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0) -> None:
        super().__init__()
        self.kernel_size, self.padding = repeated(kernel_size, self.axes), repeated(padding, self.axes)
        self.stride = repeated(kernel_size if stride is None else stride, self.axes)


class MaxUnpool1d(MaxUnpool):
    """Zeros with each element where `MaxPool1d` has found it, by its indices; (N, C, L) or (C, L).

    The call may name the `output_size`, which must be within one stride of (n-1) stride - 2 padding + k.
    Raises ValueError if it is not, RuntimeError if the indices do not fit.

    >>> torch.nn.MaxUnpool1d(2)(torch.tensor([[5.0, 3.0]]), torch.tensor([[1, 3]]))
    tensor([[0., 5., 0., 3.]])
    """

    axes = 1

    def forward(self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        return NF.max_unpool1d(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class MaxUnpool2d(MaxUnpool):
    """Zeros with each element where `MaxPool2d` has found it, by its indices; (N, C, H, W) or (C, H, W).

    The call may name the `output_size`, which must be within one stride of (n-1) stride - 2 padding + k.
    Raises ValueError if it is not, RuntimeError if the indices do not fit.

    >>> torch.nn.MaxUnpool2d(2)(torch.tensor([[[5.0]]]), torch.tensor([[[2]]]))
    tensor([[[0., 0.],
             [5., 0.]]])
    """

    axes = 2

    def forward(self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        return NF.max_unpool2d(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class MaxUnpool3d(MaxUnpool):
    """Zeros with each element where `MaxPool3d` has found it, by its indices; (N, C, D, H, W) or (C, D, H, W).

    The call may name the `output_size`, which must be within one stride of (n-1) stride - 2 padding + k.
    Raises ValueError if it is not, RuntimeError if the indices do not fit.

    >>> torch.nn.MaxUnpool3d(2)(torch.ones(1, 1, 1, 1), torch.tensor([[[[7]]]])).sum()
    tensor(1.)
    """

    axes = 3

    def forward(self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        return NF.max_unpool3d(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class FractionalMaxPool2d(Module):
    """The largest elements of windows that begin at random places, drawn for each plane (Graham, 2014).

    (N, C, H, W) or (C, H, W); the `output_size` is given, or its ratio to the size of the input.
    Raises ValueError if both are given or none is, or if a ratio is not between 0 and 1.

    >>> torch.nn.FractionalMaxPool2d(2, output_size=3)(torch.ones(1, 5, 5)).shape
    torch.Size([1, 3, 3])
    """

    _random_samples: Tensor | None

    def __init__(
        self, kernel_size: Ints, output_size: Ints | None = None, output_ratio: Ratios = None,
        return_indices: bool = False, _random_samples: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size, self.return_indices = repeated(kernel_size, 2), return_indices
        self.register_buffer("_random_samples", _random_samples)
        self.output_size = None if output_size is None else repeated(output_size, 2)
        self.output_ratio = None if output_ratio is None else repeated(output_ratio, 2)
        if output_size is None and output_ratio is None:
            text = "FractionalMaxPool2d requires specifying either an output size, or a pooling ratio"
            raise refuse(ValueError, text)
        if output_size is not None and output_ratio is not None:
            raise refuse(ValueError, "only one of output_size and output_ratio may be specified")
        if self.output_ratio is not None and not all(0 < r < 1 for r in self.output_ratio):
            raise refuse(ValueError, f"output_ratio must be between 0 and 1 (got {output_ratio})")

    def forward(self, input: Tensor) -> Tensor | Pair:
        found = NF.fractional_max_pool2d_with_indices(
            input, self.kernel_size, self.output_size, self.output_ratio, _random_samples=self._random_samples
        )
        return found if self.return_indices else found[0]


class FractionalMaxPool3d(Module):
    """The largest elements of windows that begin at random places, drawn for each plane (Graham, 2014).

    (N, C, D, H, W) or (C, D, H, W); the `output_size` is given, or its ratio to the size of the input.
    Raises ValueError if both are given or none is, or if a ratio is not between 0 and 1.

    >>> torch.nn.FractionalMaxPool3d(2, output_size=3)(torch.ones(1, 5, 5, 5)).shape
    torch.Size([1, 3, 3, 3])
    """

    _random_samples: Tensor | None

    def __init__(
        self, kernel_size: Ints, output_size: Ints | None = None, output_ratio: Ratios = None,
        return_indices: bool = False, _random_samples: Tensor | None = None,
    ) -> None:
        super().__init__()
        if any(k <= 0 for k in repeated(kernel_size, 3)):
            raise refuse(ValueError, f"kernel_size must be greater than 0, but got {kernel_size}")
        self.kernel_size, self.return_indices = repeated(kernel_size, 3), return_indices
        self.register_buffer("_random_samples", _random_samples)
        self.output_size = None if output_size is None else repeated(output_size, 3)
        self.output_ratio = None if output_ratio is None else repeated(output_ratio, 3)
        if output_size is None and output_ratio is None:
            text = "FractionalMaxPool3d requires specifying either an output size, or a pooling ratio"
            raise refuse(ValueError, text)
        if output_size is not None and output_ratio is not None:
            raise refuse(ValueError, "only one of output_size and output_ratio may be specified")
        if self.output_ratio is not None and not all(0 < r < 1 for r in self.output_ratio):
            raise refuse(ValueError, f"output_ratio must be between 0 and 1 (got {output_ratio})")

    def forward(self, input: Tensor) -> Tensor | Pair:
        found = NF.fractional_max_pool3d_with_indices(
            input, self.kernel_size, self.output_size, self.output_ratio, _random_samples=self._random_samples
        )
        return found if self.return_indices else found[0]


# ------------------------------------------------------------------------------------------ means and norms
class AvgPool1d(Module):
    """The mean of each window of (N, C, L) or (C, L).

    The stride is the kernel's size unless given. Padding, up to half a kernel, counts as zeros unless
    `count_include_pad` is False; what `ceil_mode` lets a window see behind it never counts.

    Raises RuntimeError if the sizes do not fit.

    >>> torch.nn.AvgPool1d(2)(torch.tensor([[1.0, 5.0, 2.0, 3.0]]))
    tensor([[3.0000, 2.5000]])
    """

    _shown = ("kernel_size", "stride", "padding")

    def __init__(
        self, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size, self.padding = repeated(kernel_size, 1), repeated(padding, 1)
        self.stride = repeated(kernel_size if stride is None else stride, 1)
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        return NF.avg_pool1d(
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad
        )


class AvgPool(Module):
    """What the layers share that take the mean of each window of an image or a volume."""

    _shown = ("kernel_size", "stride", "padding")

    def __init__(
        self, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, ceil_mode: bool = False,
        count_include_pad: bool = True, divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size, self.padding, self.ceil_mode = kernel_size, padding, ceil_mode
        self.stride = kernel_size if stride is None else stride
        self.count_include_pad, self.divisor_override = count_include_pad, divisor_override


class AvgPool2d(AvgPool):
    """The mean of each window of (N, C, H, W) or (C, H, W).

    The settings are those of `AvgPool1d`; a `divisor_override` divides in place of the number of elements.
    Raises RuntimeError if the sizes do not fit.

    >>> torch.nn.AvgPool2d(2)(torch.arange(16.0).reshape(1, 4, 4))
    tensor([[[ 2.5000,  4.5000],
             [10.5000, 12.5000]]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return NF.avg_pool2d(
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad,
            self.divisor_override,
        )


class AvgPool3d(AvgPool):
    """The mean of each window of (N, C, D, H, W) or (C, D, H, W).

    The settings are those of `AvgPool1d`; a `divisor_override` divides in place of the number of elements.
    Raises RuntimeError if the sizes do not fit.

    >>> torch.nn.AvgPool3d(2)(torch.arange(8.0).reshape(1, 2, 2, 2))
    tensor([[[[3.5000]]]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return NF.avg_pool3d(
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad,
            self.divisor_override,
        )


class LPPool(Module):
    """What the layers share that take the p-norm of each window."""

    _shown = ("norm_type", "kernel_size", "stride", "ceil_mode")

    def __init__(
        self, norm_type: float, kernel_size: Ints, stride: Ints | None = None, ceil_mode: bool = False
    ) -> None:
        super().__init__()
        self.norm_type, self.kernel_size, self.stride, self.ceil_mode = norm_type, kernel_size, stride, ceil_mode


class LPPool1d(LPPool):
    """(Σ xᵖ)^(1/p) of each window of (N, C, L) or (C, L); p = ∞ is the largest |x|.

    Raises RuntimeError if the sizes do not fit.

    >>> torch.nn.LPPool1d(2, 2)(torch.tensor([[3.0, 4.0]]))
    tensor([[5.]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return NF.lp_pool1d(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)


class LPPool2d(LPPool):
    """(Σ xᵖ)^(1/p) of each window of (N, C, H, W) or (C, H, W); p = ∞ is the largest |x|.

    Raises RuntimeError if the sizes do not fit.

    >>> torch.nn.LPPool2d(2, 2)(torch.ones(1, 2, 2))
    tensor([[[2.]]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return NF.lp_pool2d(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)


class LPPool3d(LPPool):
    """(Σ xᵖ)^(1/p) of each window of (N, C, D, H, W) or (C, D, H, W); p = ∞ is the largest |x|.

    Raises RuntimeError if the sizes do not fit.

    >>> torch.nn.LPPool3d(3, 2)(torch.ones(1, 2, 2, 2))
    tensor([[[[2.]]]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return NF.lp_pool3d(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)


# ------------------------------------------------------------------------------------------ a number of windows
class AdaptivePool(Module):
    """What the layers share that cover each axis evenly with a number of windows."""

    _shown = ("output_size",)
    output_size: Any

    def __init__(self, output_size: MaybeInts) -> None:
        super().__init__()
        self.output_size = output_size


class AdaptiveMaxPool(AdaptivePool):
    """What the layers share that take the largest element of such windows."""

    def __init__(self, output_size: MaybeInts, return_indices: bool = False) -> None:
        super().__init__(output_size)
        self.return_indices = return_indices


class AdaptiveMaxPool1d(AdaptiveMaxPool):
    """The largest elements of `output_size` windows that cover each axis evenly; (N, C, L) or (C, L).

    Of n elements, window i of m sees those from ⌊i n/m⌋ to ⌈(i+1) n/m⌉.
    Raises RuntimeError if the sizes do not fit.

    >>> torch.nn.AdaptiveMaxPool1d(2)(torch.tensor([[1.0, 2.0, 6.0]]))
    tensor([[2., 6.]])
    """

    def forward(self, input: Tensor) -> Tensor | Pair:
        found = NF.adaptive_max_pool1d_with_indices(input, self.output_size)
        return found if self.return_indices else found[0]


class AdaptiveMaxPool2d(AdaptiveMaxPool):
    """The largest elements of `output_size` windows that cover each axis evenly; (N, C, H, W) or (C, H, W).

    Of n elements, window i of m sees those from ⌊i n/m⌋ to ⌈(i+1) n/m⌉. None keeps the size of an axis.
    Raises RuntimeError if the sizes do not fit.

    >>> torch.nn.AdaptiveMaxPool2d((1, None))(torch.arange(9.0).reshape(1, 3, 3))
    tensor([[[6., 7., 8.]]])
    """

    def forward(self, input: Tensor) -> Tensor | Pair:
        found = NF.adaptive_max_pool2d_with_indices(input, self.output_size)
        return found if self.return_indices else found[0]


class AdaptiveMaxPool3d(AdaptiveMaxPool):
    """The largest elements of `output_size` windows that cover each axis evenly; (N, C, D, H, W) or (C, D, H, W).

    Of n elements, window i of m sees those from ⌊i n/m⌋ to ⌈(i+1) n/m⌉. None keeps the size of an axis.
    Raises RuntimeError if the sizes do not fit.

    >>> torch.nn.AdaptiveMaxPool3d(1)(torch.arange(8.0).reshape(1, 2, 2, 2))
    tensor([[[[7.]]]])
    """

    def forward(self, input: Tensor) -> Tensor | Pair:
        found = NF.adaptive_max_pool3d_with_indices(input, self.output_size)
        return found if self.return_indices else found[0]


class AdaptiveAvgPool1d(AdaptivePool):
    """The means of `output_size` windows that cover each axis evenly; (N, C, L) or (C, L).

    Of n elements, window i of m sees those from ⌊i n/m⌋ to ⌈(i+1) n/m⌉.
    Raises RuntimeError if the sizes do not fit.

    >>> torch.nn.AdaptiveAvgPool1d(2)(torch.tensor([[1.0, 2.0, 6.0]]))
    tensor([[1.5000, 4.0000]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return NF.adaptive_avg_pool1d(input, self.output_size)


class AdaptiveAvgPool2d(AdaptivePool):
    """The means of `output_size` windows that cover each axis evenly; (N, C, H, W) or (C, H, W).

    Of n elements, window i of m sees those from ⌊i n/m⌋ to ⌈(i+1) n/m⌉. None keeps the size of an axis.
    Raises RuntimeError if the sizes do not fit.

    >>> torch.nn.AdaptiveAvgPool2d((1, None))(torch.arange(9.0).reshape(1, 3, 3))
    tensor([[[3., 4., 5.]]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return NF.adaptive_avg_pool2d(input, self.output_size)


class AdaptiveAvgPool3d(AdaptivePool):
    """The means of `output_size` windows that cover each axis evenly; (N, C, D, H, W) or (C, D, H, W).

    Of n elements, window i of m sees those from ⌊i n/m⌋ to ⌈(i+1) n/m⌉. None keeps the size of an axis.
    Raises RuntimeError if the sizes do not fit.

    >>> torch.nn.AdaptiveAvgPool3d(1)(torch.arange(8.0).reshape(1, 2, 2, 2))
    tensor([[[[3.5000]]]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return NF.adaptive_avg_pool3d(input, self.output_size)
