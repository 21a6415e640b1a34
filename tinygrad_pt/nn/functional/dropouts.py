"""Dropout of elements and of whole channels."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from tinygrad_pt import ops
from tinygrad_pt import random as streams
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.arguments import expect_tensor
from tinygrad_pt.nn.functional.checks import only_tensors, written


def check_probability(p: float) -> None:
    """Raise unless 0 ≤ p ≤ 1."""
    if not 0 <= p <= 1:
        raise refuse(
            ValueError,
            f"dropout probability has to be between 0 and 1, but got {p}",
            mend="p is the probability that an element becomes 0",
        )


def dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """In training each element is 0 with probability p, else x/(1-p) (Srivastava et al., 2014).

    Shapes and errors are those of `nn.Dropout`.

    >>> import tinygrad_pt as torch
    >>> torch.nn.functional.dropout(torch.ones(3), training=False)
    tensor([1., 1., 1.])
    """
    only_tensors("dropout", input=input)
    check_probability(p)
    return _dropped(input, p, input.array.shape, inplace) if training and p else input


def _dropped(input: Any, p: float, shape: tuple[int, ...], inplace: bool) -> Any:
    """The input times a mask of this shape: the mask is an argument like any other, and wants no gradient."""
    x = input.array
    if not x.size:
        return input
    if p == 1:
        mask = np.zeros((), x.dtype)
    else:
        mask = np.asarray(streams.default_generator.bernoulli_fill(shape, 1 - p, dtype=x.dtype)) / x.dtype.type(1 - p)
    return written(lambda t: ops.mul(t, wrap(mask)), input, inplace)


def dropout1d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Dropout of whole channels of (N, C, L) or (C, L): one draw per example and channel.

    Shapes and errors are those of `nn.Dropout1d`.

    >>> import tinygrad_pt as torch
    >>> torch.nn.functional.dropout1d(torch.ones(1, 3), 1.0)
    tensor([[0., 0., 0.]])
    """
    ndim = expect_tensor(input, "dropout1d").array.ndim
    if ndim not in (2, 3):
        check_probability(p)
        raise refuse(
            RuntimeError,
            f"dropout1d: Expected 2D or 3D input, but received a {ndim}D input. Note that dropout1d exists to provide "
            "channel-wise dropout on inputs with 1 spatial dimension, a channel dimension, and an optional batch "
            "dimension (i.e. 2D or 3D inputs).",
            "dropout1d", input,
        )  # fmt: skip
    return _channels_dropped(input, p, training, inplace, lead=ndim - 1)


def dropout2d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Dropout of whole channels of (N, C, H, W): one draw per example and channel.

    Three axes are (N, C, L), and not (C, H, W), as in PyTorch, which warns of it.

    Shapes and errors are those of `nn.Dropout2d`.

    >>> import tinygrad_pt as torch
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
            "maintain the 1D channel-wise dropout behavior, please switch to using dropout1d instead.",
            UserWarning, stacklevel=2,
        )  # fmt: skip
    return _channels_dropped(input, p, training, inplace, lead=2)


def dropout3d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Dropout of whole channels of (N, C, D, H, W) or (C, D, H, W): one draw per example and channel.

    Shapes and errors are those of `nn.Dropout3d`.

    >>> import tinygrad_pt as torch
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
        f"dimension, and an optional batch dimension (i.e. {spatial + 1}D or {spatial + 2}D inputs).",
        UserWarning, stacklevel=3,
    )  # fmt: skip


def _channels_dropped(input: Any, p: float, training: bool, inplace: bool, lead: int) -> Any:
    """Dropout with one draw per element of the first `lead` axes."""
    check_probability(p)
    shape = (*input.array.shape[:lead], *(1,) * (input.array.ndim - lead))
    return _dropped(input, p, shape, inplace) if training and p else input
