"""Layers that normalize: over the batch, over features, over groups of channels, over neighbouring channels."""

# fmt: off
from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from tinygrad_pt import dtypes
from tinygrad_pt import functions as F
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.arguments import expect_tensor
from tinygrad_pt.inplace import touched
from tinygrad_pt.nn import functional as NF
from tinygrad_pt.nn import init
from tinygrad_pt.nn.functional.check import spoken
from tinygrad_pt.nn.module import Module
from tinygrad_pt.nn.parameter import Parameter
from tinygrad_pt.tensor import Tensor

__all__ = [
    "BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "CrossMapLRN2d", "GroupNorm", "InstanceNorm1d", "InstanceNorm2d",
    "InstanceNorm3d", "LayerNorm", "LocalResponseNorm", "RMSNorm",
]

Device = str | F.device | None
Dtype = dtypes.dtype | None


class Affine(Module):
    """A layer with a weight that begins as 1 and a bias that begins as 0, or without them."""

    weight: Parameter | None
    bias: Parameter | None

    def _make(self, shape: tuple[int, ...], weight: bool, bias: bool, device: Device, dtype: Dtype) -> None:
        for name, made in (("weight", weight), ("bias", weight and bias)):
            self.register_parameter(name, Parameter(F.empty(shape, dtype=dtype, device=device)) if made else None)

    def reset_parameters(self) -> None:
        """Set the weight to 1 and the bias to 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)


# ------------------------------------------------------------------------------------------ over the batch
class NormBase(Affine):
    """A layer that normalizes channels, with running statistics or without."""

    _version = 2
    _since: Mapping[str, int] = {"num_batches_tracked": 2}
    ranks: tuple[int, ...] = ()  # of the inputs that it takes
    function = "batch_norm"
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True,
        track_running_stats: bool = True, device: Device = None, dtype: Dtype = None, *, bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        self._make((num_features,), affine, bias, device, dtype)
        kept = track_running_stats
        self.register_buffer("running_mean", F.zeros(num_features, dtype=dtype, device=device) if kept else None)
        self.register_buffer("running_var", F.ones(num_features, dtype=dtype, device=device) if kept else None)
        self.register_buffer("num_batches_tracked", F.tensor(0, device=device) if kept else None)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Set the running mean to 0, the running variance to 1, and the number of batches to 0."""
        for t, value in ((self.running_mean, 0), (self.running_var, 1), (self.num_batches_tracked, 0)):
            if self.track_running_stats and t is not None:
                t.fill_(value)

    def reset_parameters(self) -> None:
        """Set the weight to 1, the bias to 0, and the running statistics to their beginning."""
        self.reset_running_stats()
        super().reset_parameters()

    def _check_input_dim(self, input: Tensor) -> None:
        if expect_tensor(input, self.function).array.ndim not in self.ranks:
            expected = " or ".join(f"{n}D" for n in self.ranks)
            raise refuse(ValueError, f"expected {expected} input (got {input.array.ndim}D input)")

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class BatchNorm(NormBase):
    """Batch normalization: see `BatchNorm2d`."""

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        training, tracking = self.training, self.track_running_stats
        share = 0.0 if self.momentum is None else self.momentum
        if training and tracking and self.num_batches_tracked is not None:
            number = self.num_batches_tracked
            number.array[...] += 1  # `add_` would take a tenth of the time of a small layer
            touched(number)
            if self.momentum is None:
                share = 1.0 / float(number)
        kept = not training or tracking
        mean, var = (self.running_mean, self.running_var) if kept else (None, None)
        by_batch = training or (self.running_mean is None and self.running_var is None)
        return NF.batch_norm(input, mean, var, self.weight, self.bias, by_batch, share, self.eps)


class BatchNorm1d(BatchNorm):
    """y = (x - m)/√(v + ε) · w + b for each of the C features of (N, C) or (N, C, L); see `BatchNorm2d`.

    >>> torch.nn.BatchNorm1d(3)(torch.ones(4, 3)).shape
    torch.Size([4, 3])
    """

    ranks = (2, 3)


class BatchNorm2d(BatchNorm):
    """y = (x - m)/√(v + ε) · w + b for each channel of (N, C, H, W) (Ioffe and Szegedy, 2015).

    In training m and v are mean and (biased) variance of the batch; the running statistics move towards them by
    `momentum` (None: they are the means of all batches), and keep the unbiased variance. In evaluation m and v are
    the running statistics, or with `track_running_stats=False` those of the batch.
    Raises ValueError for another number of axes, or for one value per channel in training.

    >>> torch.nn.BatchNorm2d(3)(torch.ones(2, 3, 4, 4)).shape
    torch.Size([2, 3, 4, 4])
    """

    ranks = (4,)


class BatchNorm3d(BatchNorm):
    """y = (x - m)/√(v + ε) · w + b for each channel of (N, C, D, H, W); see `BatchNorm2d`.

    >>> torch.nn.BatchNorm3d(3)(torch.ones(2, 3, 4, 4, 4)).shape
    torch.Size([2, 3, 4, 4, 4])
    """

    ranks = (5,)


# ------------------------------------------------------------------------------------------ over one example
class InstanceNorm(NormBase):
    """Batch normalization of each example by itself: see `InstanceNorm2d`."""

    function = "instance_norm"

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float = 0.1, affine: bool = False,
        track_running_stats: bool = False, device: Device = None, dtype: Dtype = None, *, bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        single = self.ranks[0]  # the number of axes of one example
        axis = input.array.ndim - single
        size = input.array.shape[axis]
        if size != self.num_features:
            if self.affine:
                text = f"expected input's size at dim={axis} to match num_features ({self.num_features}), "
                text += f"but got: {size}."
                raise refuse(ValueError, text, mend=f"InstanceNorm with num_features={size}")
            warnings.warn(
                f"input's size at dim={axis} does not match num_features. You can silence this warning by not passing "
                "in num_features, which is not used because affine=False", stacklevel=2,
            )
        if input.array.ndim == single:
            return F.squeeze(self._normalized(F.unsqueeze(input, 0)), 0)
        return self._normalized(input)

    def _normalized(self, input: Tensor) -> Tensor:
        return NF.instance_norm(
            input, self.running_mean, self.running_var, self.weight, self.bias,
            self.training or not self.track_running_stats, 0.0 if self.momentum is None else self.momentum, self.eps,
        )


class InstanceNorm1d(InstanceNorm):
    """y = (x - m)/√(v + ε) · w + b for each channel of each example, (N, C, L) or (C, L); see `InstanceNorm2d`.

    >>> torch.nn.InstanceNorm1d(3)(torch.ones(2, 3, 4)).sum()
    tensor(0.)
    """

    ranks = (2, 3)


class InstanceNorm2d(InstanceNorm):
    """y = (x - m)/√(v + ε) · w + b for each channel of each example, (N, C, H, W) or (C, H, W) (Ulyanov et al., 2016).

    Weight and bias exist with `affine=True`, running statistics with `track_running_stats=True`; only these are
    used in evaluation then.

    >>> torch.nn.InstanceNorm2d(3)(torch.ones(2, 3, 4, 4)).sum()
    tensor(0.)
    """

    ranks = (3, 4)


class InstanceNorm3d(InstanceNorm):
    """y = (x - m)/√(v + ε) · w + b for each channel of each example, (N, C, D, H, W) or (C, D, H, W).

    See `InstanceNorm2d`.

    >>> torch.nn.InstanceNorm3d(3)(torch.ones(2, 3, 4, 4, 4)).sum()
    tensor(0.)
    """

    ranks = (4, 5)


class GroupNorm(Affine):
    """y = (x - m)/√(v + ε) · w + b for each of `num_groups` groups of channels of each example (Wu and He, 2018).

    Input (N, C, *), output the same; weight and bias (C,).
    Raises ValueError unless the groups divide the channels.

    >>> torch.nn.GroupNorm(2, 4)(torch.ones(2, 4, 3)).shape
    torch.Size([2, 4, 3])
    """

    def __init__(
        self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True, device: Device = None,
        dtype: Dtype = None, *, bias: bool = True,
    ) -> None:
        super().__init__()
        if num_channels % num_groups != 0:
            text = f"num_channels ({num_channels}) must be divisible by num_groups ({num_groups})"
            raise refuse(ValueError, text)
        self.num_groups, self.num_channels, self.eps, self.affine = num_groups, num_channels, eps, affine
        self._make((num_channels,), affine, bias, device, dtype)
        self.reset_parameters()

    def forward(self, input: Tensor) -> Tensor:
        return NF.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


# ------------------------------------------------------------------------------------------ over features
def _shape_of(normalized_shape: Any) -> tuple[int, ...]:
    whole = isinstance(normalized_shape, (int, np.integer))
    shape: tuple[int, ...] = (normalized_shape,) if whole else tuple(normalized_shape)
    return shape


class LayerNorm(Affine):
    """y = (x - m)/√(v + ε) · w + b, with mean and (biased) variance over the last axes (Ba et al., 2016).

    Input (*, *normalized_shape), output the same; weight and bias have the normalized shape.
    Raises RuntimeError if the input ends with another shape.

    >>> torch.nn.LayerNorm(4)(torch.ones(2, 3, 4)).shape
    torch.Size([2, 3, 4])
    """

    def __init__(
        self, normalized_shape: int | list[int] | tuple[int, ...], eps: float = 1e-5, elementwise_affine: bool = True,
        bias: bool = True, device: Device = None, dtype: Dtype = None,
    ) -> None:
        super().__init__()
        self.normalized_shape, self.eps = _shape_of(normalized_shape), eps
        self.elementwise_affine = elementwise_affine
        self._make(self.normalized_shape, elementwise_affine, bias, device, dtype)
        self.reset_parameters()

    def forward(self, input: Tensor) -> Tensor:
        return NF.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )


class RMSNorm(Module):
    """y = x/√(mean x² + ε) · w over the last axes (Zhang and Sennrich, 2019); without `eps`, ε is that of the dtype.

    Input (*, *normalized_shape), output the same.
    Raises RuntimeError if the input ends with another shape.

    >>> torch.nn.RMSNorm(4)(torch.ones(1, 4))
    tensor([[1., 1., 1., 1.]], grad_fn=<MulBackward0>)
    """

    weight: Parameter | None

    def __init__(
        self, normalized_shape: int | list[int] | tuple[int, ...], eps: float | None = None,
        elementwise_affine: bool = True, device: Device = None, dtype: Dtype = None,
    ) -> None:
        super().__init__()
        self.normalized_shape, self.eps = _shape_of(normalized_shape), eps
        self.elementwise_affine = elementwise_affine
        made = Parameter(F.empty(self.normalized_shape, dtype=dtype, device=device)) if elementwise_affine else None
        self.register_parameter("weight", made)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the weight to 1."""
        if self.weight is not None:
            init.ones_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        return NF.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class LocalResponseNorm(Module):
    """y = x / (k + α Σ x²/size)^β, with the sum over `size` neighbouring channels (Krizhevsky et al., 2012).

    Input (N, C, *), output the same. Raises ValueError for fewer than three axes.

    >>> torch.nn.LocalResponseNorm(2)(torch.ones(1, 3, 4)).shape
    torch.Size([1, 3, 4])
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, input: Tensor) -> Tensor:
        return NF.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


class CrossMapLRN2d(LocalResponseNorm):
    """`LocalResponseNorm` of images, with a window of an odd number of channels: one less for an even `size`.

    Input (N, C, H, W), floating, output the same. Raises ValueError for another number of axes. PyTorch's leaves the
    first channel in the windows of all later ones, and so its values differ where a window is past that channel.

    >>> torch.nn.CrossMapLRN2d(3)(torch.ones(1, 2, 1, 1)).shape
    torch.Size([1, 2, 1, 1])
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1) -> None:
        super().__init__(size, alpha, beta, k)

    def forward(self, input: Tensor) -> Tensor:
        if (n := expect_tensor(input, "CrossMapLRN2d").array.ndim) != 4:
            text = f"CrossMapLRN2d: Expected input to be 4D, got {n}D instead."
            raise refuse(ValueError, text, "CrossMapLRN2d", input, mend="the axes are (batch, channels, height, width)")
        if not input.is_floating_point():
            text = f"result type Float can't be cast to the desired output type {spoken(input)}"
            raise refuse(RuntimeError, text, "CrossMapLRN2d", input, mend="x.float()")
        odd = self.size - (self.size % 2 == 0)
        return NF.local_response_norm(input, odd, self.alpha * odd / self.size, self.beta, self.k)
