"""Dropout of elements and of whole channels."""

# fmt: off
from __future__ import annotations

import warnings

import numpy as np

from tinygrad_pt import ops
from tinygrad_pt import random as streams
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.arguments import expect_tensor
from tinygrad_pt.functions.strides import in_memory
from tinygrad_pt.nn.functional.check import expect_number, only_tensors, spoken, written
from tinygrad_pt.tensor import Tensor

__all__ = ["alpha_dropout", "dropout", "dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout"]


def check_probability(p: float) -> None:
    """Raise unless 0 ≤ p ≤ 1."""
    expect_number(p, "dropout", "p")
    if not 0 <= p <= 1:
        text = f"dropout probability has to be between 0 and 1, but got {p}"
        raise refuse(ValueError, text, "dropout", p, mend="p is the probability that an element becomes 0")


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """In training each element is 0 with probability p, else x/(1-p) (Srivastava et al., 2014); see `nn.Dropout`.

    >>> torch.nn.functional.dropout(torch.ones(3), training=False)
    tensor([1., 1., 1.])
    """
    only_tensors("dropout", input=input)
    check_probability(p)
    return _dropped(input, p, input.array.shape, inplace) if training and p else input


def _dropped(input: Tensor, p: float, shape: tuple[int, ...], inplace: bool) -> Tensor:
    """The input times a random mask of this shape; the mask requires no gradient."""
    x = input.array
    if not x.size:
        return input
    if p == 1:
        mask = np.zeros((), x.dtype)
    else:
        axes = in_memory(input) if shape == x.shape else range(x.ndim)
        places = [shape[i] for i in axes]
        mask = np.asarray(streams.default_generator.bernoulli_fill(places, 1 - p, dtype=x.dtype)) / x.dtype.type(1 - p)
        mask = mask.transpose(np.argsort(axes))
    return written(lambda t: ops.mul(t, wrap(mask)), input, inplace)


def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Dropout of whole channels of (N, C, L) or (C, L): one draw per example and channel; see `nn.Dropout1d`.

    >>> torch.nn.functional.dropout1d(torch.ones(1, 3), 1.0)
    tensor([[0., 0., 0.]])
    """
    ndim = expect_tensor(input, "dropout1d").array.ndim
    if ndim not in (2, 3):
        check_probability(p)
        text = (
            f"dropout1d: Expected 2D or 3D input, but received a {ndim}D input. Note that dropout1d exists to provide "
            "channel-wise dropout on inputs with 1 spatial dimension, a channel dimension, and an optional batch "
            "dimension (i.e. 2D or 3D inputs)."
        )
        raise refuse(RuntimeError, text, "dropout1d", input)
    return _channels_dropped(input, p, training, inplace, lead=ndim - 1)


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Dropout of whole channels of (N, C, H, W): one draw per example and channel.

    As in PyTorch, three axes are read as (N, C, L), not as (C, H, W), with a warning; see `nn.Dropout2d`.

    >>> torch.nn.functional.dropout2d(torch.ones(1, 2, 1, 1), 1.0).sum()
    tensor(0.)
    """
    ndim = expect_tensor(input, "dropout2d").array.ndim
    check_probability(p)
    if ndim not in (3, 4):
        _warn_of_rank("dropout2d", ndim, 2)
    if ndim == 3:
        warnings.warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout behavior is "
            "desired - input is interpreted as shape (N, C, L), where C is the channel dim. This behavior will change "
            "in a future release to interpret the input as one without a batch dimension, i.e. shape (C, H, W). To "
            "maintain the 1D channel-wise dropout behavior, please switch to using dropout1d instead.", stacklevel=2,
        )
    return _channels_dropped(input, p, training, inplace, lead=2)


def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Dropout of whole channels of (N, C, D, H, W) or (C, D, H, W), one draw per channel; see `nn.Dropout3d`.

    >>> torch.nn.functional.dropout3d(torch.ones(1, 2, 1, 1, 1), 1.0).sum()
    tensor(0.)
    """
    ndim = expect_tensor(input, "dropout3d").array.ndim
    check_probability(p)
    if ndim not in (4, 5):
        _warn_of_rank("dropout3d", ndim, 3)
    return _channels_dropped(input, p, training, inplace, lead=2 if ndim == 5 else 1)


def _warn_of_rank(name: str, ndim: int, spatial: int) -> None:
    warnings.warn(
        f"{name}: Received a {ndim}-D input to {name}, which is deprecated and will result in an error in a future "
        "release. To retain the behavior and silence this warning, please use dropout instead. Note that "
        f"{name} exists to provide channel-wise dropout on inputs with {spatial} spatial dimensions, a channel "
        f"dimension, and an optional batch dimension (i.e. {spatial + 1}D or {spatial + 2}D inputs).", stacklevel=3,
    )


def _channels_dropped(input: Tensor, p: float, training: bool, inplace: bool, lead: int) -> Tensor:
    """Dropout with one draw per element of the first `lead` axes."""
    check_probability(p)
    shape = (*input.array.shape[:lead], *(1,) * (input.array.ndim - lead))
    return _dropped(input, p, shape, inplace) if training and p else input


ALPHA = 1.7580993408473766  # of SELU: α times its scale, where the values of dropped elements lie at -ALPHA


def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """In training each element is -1.758 with probability p, and all are rescaled so that mean 0 and variance 1 remain.

    It goes with SELU (Klambauer et al., 2017); see `nn.AlphaDropout`.

    >>> torch.nn.functional.alpha_dropout(torch.ones(3), 1.0, training=True)
    tensor([0., 0., 0.])
    """
    only_tensors("alpha_dropout", input=input)
    check_probability(p)
    return _alpha_dropped(input, p, input.array.shape, inplace, "alpha_dropout") if training and p else input


def feature_alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Alpha dropout of whole channels of (N, C, *): one draw per example and channel; see `nn.FeatureAlphaDropout`.

    >>> torch.nn.functional.feature_alpha_dropout(torch.ones(1, 1, 3), 1.0, training=True)
    tensor([[[0., 0., 0.]]])
    """
    only_tensors("feature_alpha_dropout", input=input)
    check_probability(p)
    ndim = input.array.ndim
    if not (training and p and input.array.size):
        return input
    if p < 1 and ndim < 2:
        text = "Feature dropout requires at least 2 dimensions in the input"
        raise refuse(RuntimeError, text, "feature_alpha_dropout", input)
    shape = (*input.array.shape[:2], *(1,) * (ndim - 2))
    return _alpha_dropped(input, p, shape, inplace, "feature_alpha_dropout")


def _alpha_dropped(input: Tensor, p: float, shape: tuple[int, ...], inplace: bool, op: str) -> Tensor:
    """x · kept · a + b: the scale a keeps the variance, b the mean, where what is dropped would be -ALPHA."""
    x = input.array
    if not x.size or p == 1:
        return _dropped(input, p, shape, inplace)
    if x.dtype.kind != "f":
        text = f"result type Float can't be cast to the desired output type {spoken(input)}"
        raise refuse(RuntimeError, text, op, input, mend="convert the input: x.float()")
    kept = np.asarray(streams.default_generator.bernoulli_fill(shape, 1 - p, dtype=x.dtype))
    a = 1 / ((ALPHA * ALPHA * p + 1) * (1 - p)) ** 0.5
    scale, shift = wrap(kept * x.dtype.type(a)), wrap(((kept - 1) * (ALPHA * a) + ALPHA * a * p).astype(x.dtype))
    return written(lambda t: ops.add(ops.mul(t, scale), shift), input, inplace)
