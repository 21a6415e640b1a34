"""Initial weights: each function fills a tensor in place, with PyTorch's numbers for the same seed, and returns it."""

# fmt: off
from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import numpy as np

from tinygrad_pt import functions as F
from tinygrad_pt import names
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.arguments import expect_tensor
from tinygrad_pt.modes import no_grad
from tinygrad_pt.nn.functional.check import expect_integer, expect_number, wrong_type
from tinygrad_pt.random import Generator
from tinygrad_pt.tensor import Tensor

P = ParamSpec("P")
R = TypeVar("R")
GAINS = {"sigmoid": 1, "tanh": 5 / 3, "relu": math.sqrt(2), "selu": 3 / 4}
LINEAR = {"linear", *(f"conv{t}{n}d" for t in ("", "_transpose") for n in (1, 2, 3))}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor of the weights' standard deviation that preserves the variance through this activation.

    >>> calculate_gain("relu"), calculate_gain("leaky_relu", 1.0), calculate_gain("tanh")
    (1.4142135623730951, 1.0, 1.6666666666666667)
    """
    name = nonlinearity if isinstance(nonlinearity, str) else ""
    if name in LINEAR:
        return 1
    if name in GAINS:
        return GAINS[name]
    if name == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, (int, float)) or 1e150 < abs(slope) < math.inf:
            raise refuse(ValueError, f"negative_slope {param} not a valid number", "calculate_gain", param)
        return math.sqrt(2 / (1 + slope**2))
    mend = f"it is one of {', '.join(sorted((*GAINS, *LINEAR, 'leaky_relu')))}"
    raise refuse(ValueError, f"Unsupported nonlinearity {nonlinearity}", "calculate_gain", nonlinearity, mend=mend)


def _check(op: str, tensor: Tensor, generator: Generator | None = None, **numbers: float) -> None:
    """Raise PyTorch's TypeError unless the arguments are a tensor, a generator (or None) and numbers."""
    expect_tensor(tensor, op, "tensor")
    for name, value in numbers.items():
        expect_number(value, op, name)
    if generator is not None and not isinstance(generator, Generator):
        raise wrong_type(op, "generator", "Generator", generator)


def _check_rank(op: str, tensor: Tensor, allowed: tuple[int, ...], words: str) -> None:
    if expect_tensor(tensor, op, "tensor").array.ndim not in allowed:
        raise refuse(ValueError, f"Only tensors with {words} are supported", op, tensor)


# ------------------------------------------------------------------------------------ plain
def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """U(a, b).

    >>> torch.nn.init.uniform_(torch.empty(2, 3), 0.0, 2.0).shape
    torch.Size([2, 3])
    """
    _check("uniform_", tensor, generator, a=a, b=b)
    with no_grad():
        return tensor.uniform_(a, b, generator=generator)


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Tensor:
    """N(mean, std²).

    >>> torch.nn.init.normal_(torch.empty(2, 3)).shape
    torch.Size([2, 3])
    """
    _check("normal_", tensor, generator, mean=mean, std=std)
    with no_grad():
        return tensor.normal_(mean, std, generator=generator)


def trunc_normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:
    """N(mean, std²) between a and b: numbers outside are drawn again.

    >>> torch.nn.init.trunc_normal_(torch.empty(2, 3)).shape
    torch.Size([2, 3])
    """
    _check("trunc_normal_", tensor, generator, mean=mean, std=std, a=a, b=b)
    if mean < a - 2 * std or mean > b + 2 * std:
        text = "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. "
        warnings.warn(text + "The distribution of values may be incorrect.", stacklevel=2)
    if std == 0:
        raise refuse(ZeroDivisionError, "float division by zero", "trunc_normal_", tensor, mend="std must be positive")
    inside = (math.erf((b - mean) / std / math.sqrt(2)) - math.erf((a - mean) / std / math.sqrt(2))) / 2
    with no_grad(), np.errstate(all="ignore"):  # a bound may be inf in the tensor's dtype
        x = tensor.detach()
        if inside > 0.3:
            low, high = x.array.dtype.type(a), x.array.dtype.type(b)
            tensor.normal_(mean, std, generator=generator)
            while (outside := (x.array < low) | (x.array > high)).any():
                again = F.empty_like(x).normal_(mean, std, generator=generator)
                tensor.copy_(F.where(wrap(outside), again, x))
            return tensor
        # Few normal numbers are between a and b: uniform ones are drawn, and accepted in proportion to the density.
        nearest = (max(a, min(mean, b)) - mean) / std
        if abs(nearest) > 1e150:
            raise refuse(OverflowError, "[a, b] is too many std from the mean", "trunc_normal_", tensor, mean, std)
        peak = -0.5 * nearest**2
        pending = np.ones(x.shape, bool)
        while pending.any():
            candidates = F.empty_like(x).uniform_(a, b, generator=generator)
            tensor.copy_(F.where(wrap(pending.copy()), candidates, x))
            density = ((candidates - mean) / std).square() * -0.5 - peak
            pending &= (F.empty_like(x).uniform_(generator=generator).log() > density).array
        return tensor


def constant_(tensor: Tensor, val: float) -> Tensor:
    """One number everywhere.

    >>> torch.nn.init.constant_(torch.empty(2), 0.5)
    tensor([0.5000, 0.5000])
    """
    _check("constant_", tensor, val=val)
    with no_grad():
        return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """Ones.

    >>> torch.nn.init.ones_(torch.empty(2))
    tensor([1., 1.])
    """
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Zeros.

    >>> torch.nn.init.zeros_(torch.empty(2))
    tensor([0., 0.])
    """
    return constant_(tensor, 0.0)


def eye_(tensor: Tensor) -> Tensor:
    """The identity matrix.

    >>> torch.nn.init.eye_(torch.empty(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    _check_rank("eye_", tensor, (2,), "2 dimensions")
    with no_grad():
        return tensor.copy_(wrap(np.eye(*tensor.shape, dtype=tensor.array.dtype)))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """The convolution weight that passes each channel through unchanged, per group.

    >>> torch.nn.init.dirac_(torch.empty(2, 2, 3)).shape
    torch.Size([2, 2, 3])
    """
    _check_rank("dirac_", tensor, (3, 4, 5), "3, 4, or 5 dimensions")
    expect_integer(groups, "dirac_", "groups")
    sizes = tensor.shape
    if groups == 0 or sizes[0] % groups:
        raise refuse(ValueError, "dim 0 must be divisible by groups", "dirac_", tensor, groups)
    per_group = sizes[0] // groups
    w = np.zeros(sizes, tensor.array.dtype)
    for group in range(groups):
        for channel in range(min(per_group, sizes[1])):
            w[(group * per_group + channel, channel, *(n // 2 for n in sizes[2:]))] = 1
    with no_grad():
        return tensor.copy_(wrap(w))


# ------------------------------------------------------------------------------------ by the fans
def _calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    """(fan in, fan out): the inputs per output of this weight, and the outputs per input."""
    if tensor.ndim < 2:
        text = "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions"
        raise refuse(ValueError, text, "init", tensor, mend="start a vector with uniform_, normal_ or zeros_")
    window = math.prod(tensor.shape[2:])
    return tensor.shape[1] * window, tensor.shape[0] * window


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """U(-b, b), b = gain √(6/(fan_in + fan_out)) (Glorot and Bengio, 2010).

    >>> torch.nn.init.xavier_uniform_(torch.empty(2, 3)).shape
    torch.Size([2, 3])
    """
    _check("xavier_uniform_", tensor, generator, gain=gain)
    bound = math.sqrt(3.0) * gain * math.sqrt(2.0 / sum(_calculate_fan_in_and_fan_out(tensor)))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """N(0, σ²), σ = gain √(2/(fan_in + fan_out)) (Glorot and Bengio, 2010).

    >>> torch.nn.init.xavier_normal_(torch.empty(2, 3)).shape
    torch.Size([2, 3])
    """
    _check("xavier_normal_", tensor, generator, gain=gain)
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / sum(_calculate_fan_in_and_fan_out(tensor))), generator)


def _kaiming_std(
    op: str, tensor: Tensor, a: float, mode: str, nonlinearity: str, generator: Generator | None
) -> float | None:
    """gain/√fan; None for a tensor without elements."""
    _check(op, tensor, generator)
    if 0 in tensor.shape:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=3)
        return None
    modes, mode = ["fan_in", "fan_out"], str(mode).lower()
    if mode not in modes:
        raise refuse(ValueError, f"Mode {mode} not supported, please use one of {modes}", op, tensor)
    fan = _calculate_fan_in_and_fan_out(tensor)[modes.index(mode)]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def kaiming_uniform_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """U(-b, b), b = gain √(3/fan) (He et al., 2015); a is the slope of the leaky ReLU that follows.

    >>> torch.nn.init.kaiming_uniform_(torch.empty(2, 3)).shape
    torch.Size([2, 3])
    """
    std = _kaiming_std("kaiming_uniform_", tensor, a, mode, nonlinearity, generator)
    if std is None:
        return tensor
    bound = math.sqrt(3.0) * std
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """N(0, σ²), σ = gain/√fan (He et al., 2015).

    >>> torch.nn.init.kaiming_normal_(torch.empty(2, 3)).shape
    torch.Size([2, 3])
    """
    std = _kaiming_std("kaiming_normal_", tensor, a, mode, nonlinearity, generator)
    return tensor if std is None else normal_(tensor, 0, std, generator)


# ------------------------------------------------------------------------------------ by structure
def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None) -> Tensor:
    """Orthonormal rows or columns, trailing axes flattened, times gain (Saxe et al., 2013).

    >>> w = torch.nn.init.orthogonal_(torch.empty(2, 2))
    >>> torch.allclose(w @ w.T, torch.eye(2), atol=1e-6)
    True
    """
    _check("orthogonal_", tensor, generator, gain=gain)
    if tensor.ndim < 2:
        _check_rank("orthogonal_", tensor, (), "2 or more dimensions")
    if not tensor.numel():
        return tensor
    rows = tensor.shape[0]
    a = F.empty((rows, tensor.numel() // rows), dtype=tensor.dtype).normal_(0, 1, generator=generator).array
    wide = a.shape[0] < a.shape[1]
    q, r = np.linalg.qr(a.T if wide else a)
    q = q * np.sign(np.diagonal(r))
    with no_grad():
        tensor.copy_(wrap(np.ascontiguousarray(q.T if wide else q).reshape(tensor.shape)))
        return tensor.mul_(gain)


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None) -> Tensor:
    """N(0, std²) with the share `sparsity` of each column set to 0 (Martens, 2010).

    >>> (torch.nn.init.sparse_(torch.empty(4, 1), 0.5) == 0).sum()
    tensor(2)
    """
    _check_rank("sparse_", tensor, (2,), "2 dimensions")
    _check("sparse_", tensor, generator, sparsity=sparsity, std=std)
    rows, columns = tensor.shape
    if not math.isfinite(sparsity):
        raise refuse(ValueError, f"sparsity must be finite, but got {sparsity}", "sparse_", tensor, sparsity)
    zeros = math.ceil(sparsity * rows)
    with no_grad():
        tensor.normal_(0, std, generator=generator)
        for column in range(columns):
            tensor[F.randperm(rows)[:zeros], column] = 0
    return tensor


# ------------------------------------------------------------------------------------ older names
def _older(function: Callable[P, R]) -> Callable[P, R]:
    """The same function under its older name, without "_" at the end, which warns."""
    new = getattr(function, "__name__", "")

    @functools.wraps(function)
    def renamed(*args: P.args, **kwargs: P.kwargs) -> R:
        text = f"`nn.init.{new[:-1]}` is now deprecated in favor of `nn.init.{new}`."
        warnings.warn(text, FutureWarning, stacklevel=2)
        return function(*args, **kwargs)

    renamed.__name__ = renamed.__qualname__ = new[:-1]
    renamed.__doc__ = f"The older name of `{new}`, which is deprecated."
    return renamed


uniform = _older(uniform_)
normal = _older(normal_)
constant = _older(constant_)
eye = _older(eye_)
dirac = _older(dirac_)
xavier_uniform = _older(xavier_uniform_)
xavier_normal = _older(xavier_normal_)
kaiming_uniform = _older(kaiming_uniform_)
kaiming_normal = _older(kaiming_normal_)
orthogonal = _older(orthogonal_)
sparse = _older(sparse_)

if not TYPE_CHECKING:  # a name that is not here says so
    __getattr__ = names.namespace("nn.init")
