"""Lazy modules: layers that learn the size of their input from the first one, and are ordinary layers from then on."""

# fmt: off
from __future__ import annotations

from itertools import chain
from typing import Any, ClassVar

from tinygrad_pt import functions as F
from tinygrad_pt.errors import refuse
from tinygrad_pt.nn.conv import Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d, Ints
from tinygrad_pt.nn.linear import Device, Dtype, Linear
from tinygrad_pt.nn.module import Module
from tinygrad_pt.nn.normalization import (
    BatchNorm1d,
    BatchNorm2d,
    BatchNorm3d,
    InstanceNorm1d,
    InstanceNorm2d,
    InstanceNorm3d,
)
from tinygrad_pt.nn.parameter import Uninitialized, UninitializedBuffer, UninitializedParameter
from tinygrad_pt.nn.state import entries
from tinygrad_pt.tensor import Tensor

__all__ = [
    "LazyBatchNorm1d", "LazyBatchNorm2d", "LazyBatchNorm3d", "LazyConv1d", "LazyConv2d", "LazyConv3d",
    "LazyConvTranspose1d", "LazyConvTranspose2d", "LazyConvTranspose3d", "LazyInstanceNorm1d", "LazyInstanceNorm2d",
    "LazyInstanceNorm3d", "LazyLinear",
]


def _infer(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Before the first call: give the parameters their shapes, and let the module be of its ordinary class."""
    module.initialize_parameters(*args, **kwargs)
    if module.has_uninitialized_params():
        text = f"module {module._get_name()} has not been fully initialized"
        raise refuse(RuntimeError, text, mend="initialize_parameters must call materialize on all of them")
    for kind, hook in (("before", _infer), ("load_before", _take_shapes)):
        hooks = module._call_hooks.kinds[kind]
        for key, found in list(hooks.items()):
            if found is hook or (isinstance(found, tuple) and found[0] is hook):
                del hooks[key]
    if module.cls_to_become is not None:
        module.__class__ = module.cls_to_become


def _take_shapes(module: Any, state: dict[str, Any], prefix: str, *rest: Any) -> None:
    """Before a state is loaded: give the parameters the shapes that they have in it."""
    for name, value in entries(module):
        new = state.get(prefix + name)
        if isinstance(value, Uninitialized) and isinstance(new, Tensor) and not isinstance(new, Uninitialized):
            value.materialize(tuple(new.shape))


class LazyModuleMixin(Module):
    """What lazy modules share: a class of yours names it before an ordinary layer, and defines two things.

    `cls_to_become` is the ordinary class; `initialize_parameters` is called before the first call of the module, with
    the same arguments, and gives each uninitialized parameter its shape: `self.weight.materialize(shape)`.
    """

    cls_to_become: ClassVar[type[Module] | None] = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.register_load_state_dict_pre_hook(_take_shapes)
        self.register_forward_pre_hook(_infer, with_kwargs=True)

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Give the parameters their shapes; every lazy class defines how."""
        text = f"initialize_parameters is not implemented for {type(self).__name__}"
        raise refuse(NotImplementedError, text)

    def has_uninitialized_params(self) -> bool:
        """Whether a parameter or a buffer has no shape yet."""
        return any(isinstance(t, Uninitialized) for t in chain(self._parameters.values(), self._buffers.values()))

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        for name, value in entries(self):
            destination[prefix + name] = value if keep_vars or isinstance(value, Uninitialized) else value.detach()


class LazyLinear(LazyModuleMixin, Linear):
    """`Linear` that takes `in_features` from its first input, and is a `Linear` from then on.

    >>> m = torch.nn.LazyLinear(2)
    >>> m
    LazyLinear(in_features=0, out_features=2, bias=True)
    >>> m(torch.zeros(5, 3)).shape, m
    (torch.Size([5, 2]), Linear(in_features=3, out_features=2, bias=True))
    """

    cls_to_become = Linear

    def __init__(self, out_features: int, bias: bool = True, device: Device = None, dtype: Dtype = None) -> None:
        super().__init__(0, 0, False)
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        self.out_features = out_features
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def reset_parameters(self) -> None:
        """Draw new values, once there are shapes."""
        if not self.has_uninitialized_params() and self.in_features:
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor) -> None:
        """Take the number of features of this input."""
        if self.has_uninitialized_params():
            self.in_features = input.shape[-1]
            _materialize(self.weight, self.out_features, self.in_features)
            _materialize(self.bias, self.out_features)
            self.reset_parameters()
        if not self.in_features:  # a state with all shapes was loaded
            known, found = self.weight.shape[-1], input.shape[-1]
            if known != found:
                text = f"The in_features inferred from input: {found} is not equal to in_features from self.weight: "
                raise refuse(AssertionError, f"{text}{known}", "LazyLinear", input)
            self.in_features = found


def _materialize(tensor: Any, *shape: int) -> None:
    """Give a parameter or a buffer its shape, if there is one."""
    if tensor is not None:
        tensor.materialize(shape)


# ------------------------------------------------------------------------------------ convolutions
class LazyConvolution(LazyModuleMixin):
    """What lazy convolutions share: the number of input channels is that of the first input."""

    axes: ClassVar[int]
    transposed: ClassVar[bool]
    weight: Any
    bias: Any
    groups: int
    kernel_size: tuple[int, ...]

    def _begin(self, out_channels: int, bias: bool, device: Device, dtype: Dtype) -> None:
        """Make parameters without shapes."""
        self.out_channels = out_channels
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def reset_parameters(self) -> None:
        """Draw new values, once there are shapes."""
        if not self.has_uninitialized_params() and self.in_channels:
            super().reset_parameters()  # type: ignore[misc]

    def initialize_parameters(self, input: Tensor, *args: Any, **kwargs: Any) -> None:
        """Take the number of channels of this input."""
        if not self.has_uninitialized_params():
            return
        n = self.axes + 1
        if input.ndim not in (n, n + 1):
            text = f"Expected {n}D (unbatched) or {n + 1}D (batched) input to {type(self).__name__}, but got input "
            raise refuse(RuntimeError, f"{text}of size: {input.shape}", type(self).__name__, input)
        self.in_channels: int = input.shape[-n]
        if self.in_channels % self.groups:
            raise refuse(ValueError, "in_channels must be divisible by groups", type(self).__name__, input)
        first, second = (self.in_channels, self.out_channels)[:: 1 if self.transposed else -1]
        _materialize(self.weight, first, second // self.groups, *self.kernel_size)
        _materialize(self.bias, self.out_channels)
        self.reset_parameters()


class LazyForward(LazyConvolution):
    """The constructor of the lazy convolutions that are not transposed."""

    def __init__(
        self, out_channels: int, kernel_size: Ints, stride: Ints = 1, padding: Ints | str = 0, dilation: Ints = 1,
        groups: int = 1, bias: bool = True, padding_mode: str = "zeros", device: Device = None, dtype: Dtype = None,
    ) -> None:
        super().__init__(0, 0, kernel_size, stride, padding, dilation, groups, False, padding_mode)
        self._begin(out_channels, bias, device, dtype)


class LazyTransposed(LazyConvolution):
    """The constructor of the lazy transposed convolutions."""

    def __init__(
        self, out_channels: int, kernel_size: Ints, stride: Ints = 1, padding: Ints = 0, output_padding: Ints = 0,
        groups: int = 1, bias: bool = True, dilation: Ints = 1, padding_mode: str = "zeros", device: Device = None,
        dtype: Dtype = None,
    ) -> None:
        super().__init__(0, 0, kernel_size, stride, padding, output_padding, groups, False, dilation, padding_mode)
        self._begin(out_channels, bias, device, dtype)


class LazyConv1d(LazyForward, Conv1d):
    """`Conv1d` that takes `in_channels` from its first input, and is a `Conv1d` from then on.

    >>> torch.nn.LazyConv1d(2, 2)(torch.zeros(5, 3, 7)).shape
    torch.Size([5, 2, 6])
    """

    cls_to_become = Conv1d


class LazyConv2d(LazyForward, Conv2d):
    """`Conv2d` that takes `in_channels` from its first input, and is a `Conv2d` from then on.

    >>> torch.nn.LazyConv2d(2, 2)(torch.zeros(5, 3, 7, 7)).shape
    torch.Size([5, 2, 6, 6])
    """

    cls_to_become = Conv2d


class LazyConv3d(LazyForward, Conv3d):
    """`Conv3d` that takes `in_channels` from its first input, and is a `Conv3d` from then on.

    >>> torch.nn.LazyConv3d(2, 2)(torch.zeros(5, 3, 7, 7, 7)).shape
    torch.Size([5, 2, 6, 6, 6])
    """

    cls_to_become = Conv3d


class LazyConvTranspose1d(LazyTransposed, ConvTranspose1d):
    """`ConvTranspose1d` that takes `in_channels` from its first input, and is a `ConvTranspose1d` from then on.

    >>> torch.nn.LazyConvTranspose1d(2, 2)(torch.zeros(5, 3, 7)).shape
    torch.Size([5, 2, 8])
    """

    cls_to_become = ConvTranspose1d


class LazyConvTranspose2d(LazyTransposed, ConvTranspose2d):
    """`ConvTranspose2d` that takes `in_channels` from its first input, and is a `ConvTranspose2d` from then on.

    >>> torch.nn.LazyConvTranspose2d(2, 2)(torch.zeros(5, 3, 7, 7)).shape
    torch.Size([5, 2, 8, 8])
    """

    cls_to_become = ConvTranspose2d


class LazyConvTranspose3d(LazyTransposed, ConvTranspose3d):
    """`ConvTranspose3d` that takes `in_channels` from its first input, and is a `ConvTranspose3d` from then on.

    >>> torch.nn.LazyConvTranspose3d(2, 2)(torch.zeros(5, 3, 7, 7, 7)).shape
    torch.Size([5, 2, 8, 8, 8])
    """

    cls_to_become = ConvTranspose3d


# ------------------------------------------------------------------------------------ norms
class LazyNorm(LazyModuleMixin):
    """What lazy batch norms and instance norms share: the number of features is that of the first input."""

    weight: Any
    bias: Any
    num_features: int
    num_batches_tracked: Tensor | None

    def __init__(
        self, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True, track_running_stats: bool = True,
        device: Device = None, dtype: Dtype = None, *, bias: bool = True,
    ) -> None:
        super().__init__(0, eps, momentum, False, False)
        self.affine, self.track_running_stats = affine, track_running_stats
        if affine:
            self.weight = UninitializedParameter(device=device, dtype=dtype)
            if bias:
                self.bias = UninitializedParameter(device=device, dtype=dtype)
        if track_running_stats:
            self.running_mean: Any = UninitializedBuffer(device=device, dtype=dtype)
            self.running_var: Any = UninitializedBuffer(device=device, dtype=dtype)
            self.num_batches_tracked = F.tensor(0)

    def reset_parameters(self) -> None:
        """Set the beginning values, once there are shapes."""
        if not self.has_uninitialized_params() and self.num_features:
            super().reset_parameters()  # type: ignore[misc]

    def initialize_parameters(self, input: Tensor) -> None:
        """Take the number of features of this input."""
        if self.has_uninitialized_params():
            self.num_features = input.shape[1]
            for tensor in (self.weight, self.bias, self.running_mean, self.running_var):
                _materialize(tensor, self.num_features)
            self.reset_parameters()


class LazyBatchNorm1d(LazyNorm, BatchNorm1d):
    """`BatchNorm1d` that takes `num_features` from its first input, and is a `BatchNorm1d` from then on.

    >>> m = torch.nn.LazyBatchNorm1d()
    >>> m(torch.zeros(2, 3, 4)).shape, m.num_features
    (torch.Size([2, 3, 4]), 3)
    """

    cls_to_become = BatchNorm1d


class LazyBatchNorm2d(LazyNorm, BatchNorm2d):
    """`BatchNorm2d` that takes `num_features` from its first input, and is a `BatchNorm2d` from then on.

    >>> m = torch.nn.LazyBatchNorm2d()
    >>> m(torch.zeros(2, 3, 4, 4)).shape, m.num_features
    (torch.Size([2, 3, 4, 4]), 3)
    """

    cls_to_become = BatchNorm2d


class LazyBatchNorm3d(LazyNorm, BatchNorm3d):
    """`BatchNorm3d` that takes `num_features` from its first input, and is a `BatchNorm3d` from then on.

    >>> m = torch.nn.LazyBatchNorm3d()
    >>> m(torch.zeros(2, 3, 4, 4, 4)).shape, m.num_features
    (torch.Size([2, 3, 4, 4, 4]), 3)
    """

    cls_to_become = BatchNorm3d


class LazyInstanceNorm1d(LazyNorm, InstanceNorm1d):
    """`InstanceNorm1d` that takes `num_features` from its first input, and is a `InstanceNorm1d` from then on.

    >>> m = torch.nn.LazyInstanceNorm1d()
    >>> m(torch.zeros(2, 3, 4)).shape, m.num_features
    (torch.Size([2, 3, 4]), 3)
    """

    cls_to_become = InstanceNorm1d


class LazyInstanceNorm2d(LazyNorm, InstanceNorm2d):
    """`InstanceNorm2d` that takes `num_features` from its first input, and is a `InstanceNorm2d` from then on.

    >>> m = torch.nn.LazyInstanceNorm2d()
    >>> m(torch.zeros(2, 3, 4, 4)).shape, m.num_features
    (torch.Size([2, 3, 4, 4]), 3)
    """

    cls_to_become = InstanceNorm2d


class LazyInstanceNorm3d(LazyNorm, InstanceNorm3d):
    """`InstanceNorm3d` that takes `num_features` from its first input, and is a `InstanceNorm3d` from then on.

    >>> m = torch.nn.LazyInstanceNorm3d()
    >>> m(torch.zeros(2, 3, 4, 4, 4)).shape, m.num_features
    (torch.Size([2, 3, 4, 4, 4]), 3)
    """

    cls_to_become = InstanceNorm3d
