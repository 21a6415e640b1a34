"""Activations as modules: each calls the function of its name in `functional`."""

# fmt: off
from __future__ import annotations

import warnings

from tinygrad_pt import dtypes
from tinygrad_pt import functions as F
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.arguments import expect_tensor
from tinygrad_pt.nn import functional as NF
from tinygrad_pt.nn.functional.check import expect_number
from tinygrad_pt.nn.module import Module
from tinygrad_pt.nn.parameter import Parameter
from tinygrad_pt.tensor import Tensor

__all__ = [
    "CELU", "ELU", "GELU", "GLU", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "LeakyReLU", "LogSigmoid",
    "LogSoftmax", "Mish", "PReLU", "RReLU", "ReLU", "ReLU6", "SELU", "SiLU", "Sigmoid", "Softmax", "Softmax2d",
    "Softmin", "Softplus", "Softshrink", "Softsign", "Tanh", "Tanhshrink", "Threshold",
]


class Sigmoid(Module):
    """y = σ(x) = 1 / (1 + e⁻ˣ).

    The input has any shape; the output has the same. Integers become float32.

    >>> torch.nn.Sigmoid()(torch.tensor([-4.0, -0.5, 0.0, 2.0]))
    tensor([0.0180, 0.3775, 0.5000, 0.8808])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.sigmoid(input)


class Tanh(Module):
    """y = tanh x.

    The input has any shape; the output has the same. Integers become float32.

    >>> torch.nn.Tanh()(torch.tensor([-4.0, -0.5, 0.0, 2.0]))
    tensor([-0.9993, -0.4621,  0.0000,  0.9640])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.tanh(input)


class LogSigmoid(Module):
    """y = ln σ(x).

    The input has any shape and a floating dtype; the output has the same. Integers raise NotImplementedError.

    >>> torch.nn.LogSigmoid()(torch.tensor([-4.0, -0.5, 0.0, 2.0]))
    tensor([-4.0181, -0.9741, -0.6931, -0.1269])
    """

    def forward(self, input: Tensor) -> Tensor:
        return NF.logsigmoid(input)


class Softsign(Module):
    """y = x / (1 + |x|).

    The input has any shape; the output has the same.

    >>> torch.nn.Softsign()(torch.tensor([-4.0, -0.5, 0.0, 2.0]))
    tensor([-0.8000, -0.3333,  0.0000,  0.6667])
    """

    def forward(self, input: Tensor) -> Tensor:
        return NF.softsign(input)


class Tanhshrink(Module):
    """y = x - tanh x.

    The input has any shape; the output has the same.

    >>> torch.nn.Tanhshrink()(torch.tensor([-4.0, -0.5, 0.0, 2.0]))
    tensor([-3.0007, -0.0379,  0.0000,  1.0360])
    """

    def forward(self, input: Tensor) -> Tensor:
        return NF.tanhshrink(input)


# ------------------------------------------------------------------------------------ with an inplace flag
class InPlace(Module):
    """An activation that can write its result into its input."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        return ", ".join(filter(None, (super().extra_repr(), "inplace=True" * bool(self.inplace))))


class ReLU(InPlace):
    """y = max(x, 0).

    The input has any shape; the output has the same shape and dtype. A boolean input raises RuntimeError.

    >>> torch.nn.ReLU()(torch.tensor([-4.0, -0.5, 0.0, 2.0]))
    tensor([0., 0., 0., 2.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.relu_(input) if self.inplace else F.relu(input)


class SiLU(InPlace):
    """y = x σ(x).

    The input has any shape and a floating dtype; the output has the same. Integers raise NotImplementedError.

    >>> torch.nn.SiLU()(torch.tensor([-4.0, -0.5, 0.0, 2.0]))
    tensor([-0.0719, -0.1888,  0.0000,  1.7616])
    """

    def forward(self, input: Tensor) -> Tensor:
        return NF.silu(input, self.inplace)


class Mish(InPlace):
    """y = x tanh(ln(1 + eˣ)).

    The input has any shape and a floating dtype; the output has the same. Integers raise NotImplementedError.

    >>> torch.nn.Mish()(torch.tensor([-4.0, -0.5, 0.0, 2.0]))
    tensor([-0.0726, -0.2207,  0.0000,  1.9440])
    """

    def forward(self, input: Tensor) -> Tensor:
        return NF.mish(input, self.inplace)


class SELU(InPlace):
    """The self-normalising ELU.

    λ and α keep mean 0 and variance 1 from layer to layer (Klambauer et al., 2017).
    The input has any shape and a floating dtype; the output has the same. Integers raise NotImplementedError.

    >>> torch.nn.SELU()(torch.tensor([-4.0, -0.5, 0.0, 2.0]))
    tensor([-1.7259, -0.6918,  0.0000,  2.1014])
    """

    def forward(self, input: Tensor) -> Tensor:
        return NF.selu(input, self.inplace)


class Hardsigmoid(InPlace):
    """y = min(max(x/6 + 1/2, 0), 1).

    The input has any shape and a floating dtype; the output has the same. Integers raise NotImplementedError.

    >>> torch.nn.Hardsigmoid()(torch.tensor([-4.0, -0.5, 0.0, 2.0]))
    tensor([0.0000, 0.4167, 0.5000, 0.8333])
    """

    extra_repr = Module.extra_repr  # PyTorch does not show the flag of this class

    def forward(self, input: Tensor) -> Tensor:
        return NF.hardsigmoid(input, self.inplace)


class Hardswish(InPlace):
    """y = x · hardsigmoid(x).

    The input has any shape and a floating dtype; the output has the same. Integers raise NotImplementedError.

    >>> torch.nn.Hardswish()(torch.tensor([-4.0, -0.5, 0.0, 2.0]))
    tensor([-0.0000, -0.2083,  0.0000,  1.6667])
    """

    extra_repr = Module.extra_repr

    def forward(self, input: Tensor) -> Tensor:
        return NF.hardswish(input, self.inplace)


class Hardtanh(InPlace):
    """y = x cut to [min_val, max_val].

    The input has any shape; the output has the same shape and dtype.
    Raises RuntimeError for a boolean input, AssertionError unless `max_val` is greater than `min_val`.

    >>> torch.nn.Hardtanh(-1.0, 1.5)(torch.tensor([-4.0, -0.5, 0.0, 2.0]))
    tensor([-1.0000, -0.5000,  0.0000,  1.5000])
    """

    _shown: tuple[str, ...] = ("min_val", "max_val")

    def __init__(
        self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False, min_value: float | None = None,
        max_value: float | None = None,
    ) -> None:
        super().__init__(inplace)
        for old, new, value in (("min_value", "min_val", min_value), ("max_value", "max_val", max_value)):
            if value is not None:
                text = f"keyword argument `{old}` is deprecated and renamed to `{new}`"
                warnings.warn(text, FutureWarning, stacklevel=2)
        min_val = min_val if min_value is None else min_value
        max_val = max_val if max_value is None else max_value
        expect_number(min_val, "Hardtanh", "min_val")
        expect_number(max_val, "Hardtanh", "max_val")
        if max_val <= min_val:
            text = f"max_val ({max_val}) must be greater than min_val ({min_val})"
            raise refuse(AssertionError, text, "Hardtanh", min_val, max_val)
        self.min_val, self.max_val = min_val, max_val

    def forward(self, input: Tensor) -> Tensor:
        return NF.hardtanh(input, self.min_val, self.max_val, self.inplace)


class ReLU6(Hardtanh):
    """y = min(max(x, 0), 6).

    The input has any shape; the output has the same shape and dtype. A boolean input raises RuntimeError.

    >>> torch.nn.ReLU6()(torch.tensor([-4.0, -0.5, 0.0, 2.0]))
    tensor([0., 0., 0., 2.])
    """

    _shown = ()

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)


class LeakyReLU(InPlace):
    """y = x where x > 0, else negative_slope · x.

    The input has any shape and a floating dtype; the output has the same. Integers raise NotImplementedError.

    >>> torch.nn.LeakyReLU()(torch.tensor([-4.0, -0.5, 0.0, 2.0]))
    tensor([-0.0400, -0.0050,  0.0000,  2.0000])
    """

    _shown = ("negative_slope",)

    def __init__(self, negative_slope: float = 1e-2, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.negative_slope = negative_slope

    def forward(self, input: Tensor) -> Tensor:
        return NF.leaky_relu(input, self.negative_slope, self.inplace)


class ELU(InPlace):
    """y = x where x > 0, else α (eˣ - 1).

    The input has any shape and a floating dtype; the output has the same. Integers raise NotImplementedError.

    >>> torch.nn.ELU(0.5)(torch.tensor([-4.0, -0.5, 0.0, 2.0]))
    tensor([-0.4908, -0.1967,  0.0000,  2.0000])
    """

    _shown = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Tensor) -> Tensor:
        return NF.elu(input, self.alpha, self.inplace)


class CELU(ELU):
    """y = x where x > 0, else α (eˣᐟᵅ - 1).

    The input has any shape and a floating dtype; the output has the same.
    An `alpha` of 0 raises RuntimeError. Integers raise NotImplementedError.

    >>> torch.nn.CELU(2.0)(torch.tensor([-4.0, -0.5, 0.0, 2.0]))
    tensor([-1.7293, -0.4424,  0.0000,  2.0000])
    """

    def forward(self, input: Tensor) -> Tensor:
        return NF.celu(input, self.alpha, self.inplace)


class Threshold(InPlace):
    """y = x where x > threshold, else value.

    The input has any shape; the output has the same shape and dtype.

    >>> torch.nn.Threshold(0.1, 20.0)(torch.tensor([-4.0, -0.5, 0.0, 2.0]))
    tensor([20., 20., 20.,  2.])
    """

    _shown = ("threshold", "value")

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.threshold, self.value = threshold, value

    def forward(self, input: Tensor) -> Tensor:
        return NF.threshold(input, self.threshold, self.value, self.inplace)


# ------------------------------------------------------------------------------------ with other settings
class GELU(Module):
    """y = x Φ(x).

    Φ is the normal distribution function; `approximate="tanh"` computes it by a tanh (Hendrycks and Gimpel, 2016).
    The input has any shape and a floating dtype; the output has the same. Integers raise NotImplementedError.

    >>> torch.nn.GELU()(torch.tensor([-4.0, -0.5, 0.0, 2.0]))
    tensor([-1.2668e-04, -1.5427e-01,  0.0000e+00,  1.9545e+00])
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        return NF.gelu(input, self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class Softplus(Module):
    """y = ln(1 + e^(βx)) / β.

    The input has any shape and a floating dtype; the output has the same. Integers raise NotImplementedError.

    >>> torch.nn.Softplus()(torch.tensor([-4.0, -0.5, 0.0, 2.0]))
    tensor([0.0181, 0.4741, 0.6931, 2.1269])
    """

    _shown = ("beta", "threshold")

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta, self.threshold = beta, threshold

    def forward(self, input: Tensor) -> Tensor:
        return NF.softplus(input, self.beta, self.threshold)


class Hardshrink(Module):
    """y = x where |x| > λ, else 0.

    The input has any shape and a floating dtype; the output has the same. Integers raise NotImplementedError.

    >>> torch.nn.Hardshrink()(torch.tensor([-4.0, -0.5, 0.0, 2.0]))
    tensor([-4.,  0.,  0.,  2.])
    """

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        return NF.hardshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return f"{self.lambd}"


class Softshrink(Hardshrink):
    """y = x moved towards 0 by λ.

    The input has any shape and a floating dtype; the output has the same.
    A negative `lambd` raises RuntimeError. Integers raise NotImplementedError.

    >>> torch.nn.Softshrink()(torch.tensor([-4.0, -0.5, 0.0, 2.0]))
    tensor([-3.5000,  0.0000,  0.0000,  1.5000])
    """

    def forward(self, input: Tensor) -> Tensor:
        return NF.softshrink(input, self.lambd)


class RReLU(InPlace):
    """y = x where x > 0, else s · x: in training each s is drawn from U(lower, upper), else it is their mean.

    The input has any shape and a floating dtype; the output has the same (Xu et al., 2015).
    Raises RuntimeError if lower > upper.

    >>> torch.nn.RReLU(0.25, 0.75).eval()(torch.tensor([-4.0, -0.5, 0.0, 2.0]))
    tensor([-2.0000, -0.2500,  0.0000,  2.0000])
    """

    _shown = ("lower", "upper")

    def __init__(self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.lower, self.upper = lower, upper

    def forward(self, input: Tensor) -> Tensor:
        return NF.rrelu(input, self.lower, self.upper, self.training, self.inplace)


class PReLU(Module):
    """y = x where x > 0, else w · x, with a parameter w, or one per channel.

    The input is (N, num_parameters, *), or of any shape if there is one w; the output has the same shape.
    Raises RuntimeError unless the channels are `num_parameters` and the dtypes agree.

    >>> torch.nn.PReLU()(torch.tensor([-4.0, -0.5, 0.0, 2.0]))
    tensor([-1.0000, -0.1250,  0.0000,  2.0000], grad_fn=<WhereBackward0>)
    """

    weight: Parameter
    _shown = ("num_parameters",)

    def __init__(
        self, num_parameters: int = 1, init: float = 0.25, device: F.device | str | None = None,
        dtype: dtypes.dtype | None = None,
    ) -> None:
        super().__init__()
        expect_number(init, "PReLU", "init")
        self.num_parameters, self.init = num_parameters, init
        self.weight = Parameter(F.full((num_parameters,), float(init), dtype=dtype, device=device))

    def forward(self, input: Tensor) -> Tensor:
        return NF.prelu(input, self.weight)


# ------------------------------------------------------------------------------------ along one axis
class AlongDim(Module):
    """A function along one axis."""

    _shown = ("dim",)

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim


class Softmax(AlongDim):
    """yᵢ = e^(xᵢ) / Σ e^(xⱼ) along `dim`.

    The input has any shape and a floating dtype; the output has the same. Raises IndexError if there is no axis `dim`.

    >>> torch.nn.Softmax(dim=0)(torch.tensor([0.0, 1.0, 2.0]))
    tensor([0.0900, 0.2447, 0.6652])
    """

    def forward(self, input: Tensor) -> Tensor:
        return NF.softmax(input, self.dim)


class Softmin(AlongDim):
    """The softmax of -x.

    The input has any shape and a floating dtype; the output has the same. Raises IndexError if there is no axis `dim`.

    >>> torch.nn.Softmin(dim=0)(torch.tensor([0.0, 1.0, 2.0]))
    tensor([0.6652, 0.2447, 0.0900])
    """

    def forward(self, input: Tensor) -> Tensor:
        return NF.softmin(input, self.dim)


class LogSoftmax(AlongDim):
    """y = x - ln Σ eˣ along `dim`.

    The input has any shape and a floating dtype; the output has the same. Raises IndexError if there is no axis `dim`.

    >>> torch.nn.LogSoftmax(dim=0)(torch.tensor([0.0, 1.0, 2.0]))
    tensor([-2.4076, -1.4076, -0.4076])
    """

    def forward(self, input: Tensor) -> Tensor:
        return NF.log_softmax(input, self.dim)


class Softmax2d(Module):
    """Softmax over the channels of (N, C, H, W) or (C, H, W).

    Raises ValueError for another number of axes.

    >>> torch.nn.Softmax2d()(torch.zeros(2, 1, 1)).flatten()
    tensor([0.5000, 0.5000])
    """

    def forward(self, input: Tensor) -> Tensor:
        if expect_tensor(input, "softmax2d").dim() not in (3, 4):
            text = f"Softmax2d: expected input to be 3D or 4D, got {input.dim()}D instead"
            raise refuse(ValueError, text, "softmax2d", input, mend="the input is (N, C, H, W) or (C, H, W)")
        return NF.softmax(input, -3)


class GLU(AlongDim):
    """y = a σ(b), where a and b are the halves of x along `dim`.

    Input (*, 2n, *), output (*, n, *), where `dim` is the middle axis.
    Raises RuntimeError if the size of `dim` is odd, IndexError if there is no such axis.

    >>> torch.nn.GLU()(torch.tensor([1.0, 2.0, 0.0, 0.0]))
    tensor([0.5000, 1.0000])
    """

    def __init__(self, dim: int = -1) -> None:
        super().__init__(dim)

    def forward(self, input: Tensor) -> Tensor:
        return NF.glu(input, self.dim if self.dim is not None else -1)
