"""Images as columns of windows, and back."""

from __future__ import annotations

from collections.abc import Sequence

from tinygrad_pt.nn import functional as NF
from tinygrad_pt.nn.module import Module
from tinygrad_pt.tensor import Tensor

__all__ = ["Fold", "Unfold"]

Ints = int | Sequence[int]


class Fold(Module):
    """The sum of windows, each at its place: input (N, C·k·l, windows), output (N, C, *output_size).

    It is the transpose of `Unfold`; places that several windows see receive the sum.
    Raises RuntimeError if the number of windows does not fit the sizes.

    >>> torch.nn.Fold((3, 3), 2)(torch.ones(1, 4, 4))[0, 0]
    tensor([[1., 2., 1.],
            [2., 4., 2.],
            [1., 2., 1.]])
    """

    _shown = ("output_size", "kernel_size", "dilation", "padding", "stride")

    def __init__(
        self, output_size: Ints, kernel_size: Ints, dilation: Ints = 1, padding: Ints = 0, stride: Ints = 1
    ) -> None:
        super().__init__()
        self.output_size, self.kernel_size = output_size, kernel_size
        self.dilation, self.padding, self.stride = dilation, padding, stride

    def forward(self, input: Tensor) -> Tensor:
        return NF.fold(input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)


class Unfold(Module):
    """What each window of an image sees, as a column: input (N, C, H, W), output (N, C·k·l, windows).

    Raises RuntimeError if no window fits into the image.

    >>> torch.nn.Unfold(2)(torch.ones(1, 3, 4, 4)).shape
    torch.Size([1, 12, 9])
    """

    _shown = ("kernel_size", "dilation", "padding", "stride")

    def __init__(self, kernel_size: Ints, dilation: Ints = 1, padding: Ints = 0, stride: Ints = 1) -> None:
        super().__init__()
        self.kernel_size, self.dilation, self.padding, self.stride = kernel_size, dilation, padding, stride

    def forward(self, input: Tensor) -> Tensor:
        return NF.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)
