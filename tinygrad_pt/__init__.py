"""Automatic differentiation one can read, under PyTorch's names: `import tinygrad_pt as torch`.

>>> import tinygrad_pt as torch
>>> w = torch.tensor([1.0, -2.0], requires_grad=True)
>>> loss = (w * w).sum()
>>> loss.backward()
>>> w.grad
tensor([ 2., -4.])
"""

from __future__ import annotations

import importlib
from typing import Any

from tinygrad_pt import autograd, cuda, functions, random
from tinygrad_pt.dtypes import (
    bool, can_cast, cdouble, cfloat, complex64, complex128, double, dtype, finfo, float, float16, float32, float64,
    get_default_dtype, half, iinfo, int, int8, int16, int32, int64, long, promote_types, result_type, set_default_dtype, short, uint8,
)  # fmt: skip
from tinygrad_pt.functions import (
    BoolTensor, ByteTensor, CharTensor, DoubleTensor, FloatTensor, HalfTensor, IntTensor, LongTensor, ShortTensor, Size, abs, absolute, acos,
    acosh, add, addcdiv, addcmul, addmm, addmv, all, allclose, amax, amin, aminmax, any, arange, arccos, arcsin, arctan, argmax,
    argmin, argsort, as_tensor, asarray, asin, asinh, atan, atan2, atanh, baddbmm, bernoulli, bincount, bitwise_and, bitwise_not,
    bitwise_or, bitwise_xor, bmm, broadcast_shapes, broadcast_tensors, broadcast_to, cat, ceil, chunk, clamp, clip, clone,
    concat, concatenate, cos, cosh, count_nonzero, cummax, cummin, cumprod, cumsum, deg2rad, device, diag, diagonal, div,
    divide, dot, einsum, empty, empty_like, eq, equal, exp, exp2, expm1, eye, flatten, flip, fliplr, flipud, float_power, floor,
    floor_divide, fmod, frac, from_numpy, full, full_like, gather, ge, get_rng_state, greater, greater_equal, gt, hstack, hypot, index_add,
    index_select, inner, is_complex, is_floating_point, is_nonzero, is_tensor, isclose, isfinite, isinf, isnan, kthvalue, le, lerp, less, less_equal,
    linspace, log, log1p, log2, log10, log_softmax, logaddexp, logical_and, logical_not, logical_or, logical_xor, logspace,
    logsumexp, lt, masked_fill, masked_select, matmul, max, maximum, mean, median, meshgrid, min, minimum, mm, mode,
    moveaxis, movedim, mul, multinomial, multiply, mv, nan_to_num, nansum, narrow, ne, neg, negative, nonzero, norm, normal,
    not_equal, numel, ones, ones_like, outer, permute, positive, pow, prod, rad2deg, rand, rand_like, randint, randint_like,
    randn, randn_like, randperm, ravel, reciprocal, relu, remainder, repeat_interleave, reshape, roll, round,
    rsqrt, rsub, scalar_tensor, scatter, scatter_add, searchsorted, select, set_rng_state, sgn, sigmoid, sign, sin, sinh, softmax, sort,
    split, sqrt, square, squeeze, stack, std, sub, subtract, sum, swapaxes, swapdims, t, take, take_along_dim, tan, tanh, tensor_split,
    tensordot, tile, topk, trace, transpose, tril, tril_indices, triu, triu_indices, true_divide, trunc, unbind, unflatten, unique, unsqueeze, var,
    vdot, vstack, where, zeros, zeros_like,
)  # fmt: skip
from tinygrad_pt.modes import (
    enable_grad, inference_mode, is_grad_enabled, is_inference_mode_enabled, no_grad, set_grad_enabled,
)  # fmt: skip
from tinygrad_pt.printing import set_printoptions
from tinygrad_pt.random import Generator, default_generator, initial_seed, manual_seed, seed
from tinygrad_pt.tensor import Tensor

__version__ = "0.1.0"
e, inf, nan, pi = 2.718281828459045, 1e999, 1e999 - 1e999, 3.141592653589793
newaxis = None
tensor = functions.tensor  # importing Tensor bound this name to its module; here it is the function

LAZY = ("nn", "optim", "utils", "datasets", "models", "viz", "testing")  # loaded when first named: import stays cheap

__all__ = [name for name in dir() if not name.startswith("_") and name not in ("Any", "LAZY", "annotations", "functions", "importlib")]


def __getattr__(name: str) -> Any:
    if name in LAZY:
        return importlib.import_module(f"tinygrad_pt.{name}")
    raise AttributeError(f"module 'tinygrad_pt' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted([*__all__, *LAZY, "__version__"])
