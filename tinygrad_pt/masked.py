"""Reductions and normalisations of the elements that a mask keeps: `torch.masked`.

A mask is True where an element counts. The others are replaced by what changes nothing: 0 in a sum, 1 in a product, -∞
in a maximum or an exponent.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_pt import dtypes
from tinygrad_pt import functions as F
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.arguments import Dims, Dtype, axes_from
from tinygrad_pt.functions.binding import described
from tinygrad_pt.graph import Tensor

__all__ = [
    "amax", "amin", "argmax", "argmin", "cumprod", "cumsum", "log_softmax", "logaddexp", "logsumexp", "mean", "median",
    "norm", "normalize", "prod", "softmax", "softmin", "std", "sum", "var",
]  # fmt: skip


def _lowest(input: Tensor) -> float:
    kind = input.array.dtype
    return -math.inf if kind.kind == "f" else 0 if kind.kind == "b" else int(np.iinfo(kind).min)


def _highest(input: Tensor) -> float:
    kind = input.array.dtype
    return math.inf if kind.kind == "f" else 1 if kind.kind == "b" else int(np.iinfo(kind).max)


def _kept(input: Tensor, mask: Tensor) -> Tensor:
    """The mask in the shape of the input."""
    if mask.array.ndim > input.array.ndim:
        text = "_input_mask expected broadcastable mask (got mask dimensionality higher than of the input)"
        raise refuse(IndexError, text, "masked", input, mask)
    return F.broadcast_to(mask, input.array.shape).to(dtypes.bool)


def _filled(input: Tensor, mask: Tensor | None, value: float) -> Tensor:
    """The input with a number in place of what the mask does not keep."""
    if mask is None:
        return input
    return F.where(_kept(input, mask), input, wrap(np.array(value).astype(input.array.dtype)))


def _axes(input: Tensor, dim: Dims) -> tuple[int, ...]:
    """The axes, in order: all of them for None and ()."""
    axes = axes_from(None if dim == () else dim, input.array.ndim)
    return tuple(sorted(axes)) if axes is not None else tuple(range(input.array.ndim))


def _counted(input: Tensor, dtype: Dtype) -> Any:
    """The dtype of a sum or a product: int64 for integers."""
    if dtype is not None:
        return dtypes.of(dtype)
    return dtypes.int64 if input.array.dtype.kind in "biu" else input.dtype


# ------------------------------------------------------------------------------------------ sums and products
def sum(
    input: Tensor, dim: Dims = None, *, keepdim: bool | None = False, dtype: Dtype = None, mask: Tensor | None = None
) -> Tensor:
    """Σ of the elements that the mask keeps.

    >>> import tinygrad_pt as torch
    >>> torch.masked.sum(torch.tensor([1, 2, 3]), mask=torch.tensor([True, False, True]))
    tensor(4)
    """
    kind = _counted(input, dtype)
    return F.sum(_filled(input, mask, 0), _axes(input, dim) or None, bool(keepdim), dtype=kind)


def prod(
    input: Tensor, dim: Dims = None, *, keepdim: bool | None = False, dtype: Dtype = None, mask: Tensor | None = None
) -> Tensor:
    """Π of the elements that the mask keeps."""
    y, kind = _filled(input, mask, 1), _counted(input, dtype)
    for axis in reversed(_axes(input, dim)):
        y = F.prod(y, axis, bool(keepdim))
    return y.to(kind)


def _along(running: Any, neutral: float) -> Callable[..., Tensor]:
    def function(input: Tensor, dim: int, *, dtype: Dtype = None, mask: Tensor | None = None) -> Tensor:
        return running(_filled(input, mask, neutral), dim, dtype=input.dtype if dtype is None else dtype)

    return described(function, running.__name__, f"`{running.__name__}` of the elements that the mask keeps.")


cumsum, cumprod = _along(F.cumsum, 0), _along(F.cumprod, 1)


# ------------------------------------------------------------------------------------------ extremes
def _extreme(extreme: Any, neutral: Callable[[Tensor], float]) -> Callable[..., Tensor]:
    def function(
        input: Tensor, dim: Dims = None, *, keepdim: bool | None = False, dtype: Dtype = None,
        mask: Tensor | None = None,
    ) -> Tensor:  # fmt: skip
        y = extreme(_filled(input, mask, neutral(input)), _axes(input, dim), bool(keepdim))
        return y if dtype is None else y.to(dtype)

    return described(function, extreme.__name__, f"`{extreme.__name__}` of the elements that the mask keeps.")


amax, amin = _extreme(F.amax, _lowest), _extreme(F.amin, _highest)


def _place(place: Any, neutral: Callable[[Tensor], float]) -> Callable[..., Tensor]:
    def function(
        input: Tensor, dim: int | None = None, *, keepdim: bool | None = False, dtype: Dtype = None,
        mask: Tensor | None = None,
    ) -> Tensor:  # fmt: skip
        y = place(_filled(input, mask, neutral(input)), dim, bool(keepdim))
        return y.to(input.dtype if dtype is None else dtype)  # as PyTorch, even if that is a floating point dtype

    return described(function, place.__name__, f"`{place.__name__}` of the elements that the mask keeps.")


argmax, argmin = _place(F.argmax, _lowest), _place(F.argmin, _highest)


# ------------------------------------------------------------------------------------------ means and spreads
def _number(input: Tensor, dim: Dims, keepdim: bool, mask: Tensor | None) -> Tensor:
    """How many elements count."""
    kept = wrap(np.ones(input.array.shape, bool)) if mask is None else _kept(input, mask)
    return F.sum(kept, _axes(input, dim) or None, keepdim)


def mean(
    input: Tensor, dim: Dims = None, *, keepdim: bool | None = False, dtype: Dtype = None, mask: Tensor | None = None
) -> Tensor:
    """The mean of the elements that the mask keeps; nan where it keeps none."""
    kind = input.dtype if dtype is None else dtypes.of(dtype)
    if kind.rank < 2:
        source = "Input" if dtype is None else "Optional"
        text = f"mean(): Could not infer output dtype. {source} dtype must be either a floating point or complex dtype."
        raise refuse(ValueError, f"{text} Got: {kind}", "masked.mean", input)
    return sum(input, dim, keepdim=keepdim, dtype=kind, mask=mask) / _number(input, dim, bool(keepdim), mask)


def median(
    input: Tensor, dim: int = -1, *, keepdim: bool = False, dtype: Dtype = None, mask: Tensor | None = None
) -> Tensor:
    """The median along `dim` of the elements that the mask keeps; nan where it keeps none."""
    wide = input if input.is_floating_point() else input.to(dtypes.float32)
    y = F.nanmedian(_filled(wide, mask, math.nan), dim, keepdim).values
    if input.is_floating_point():
        return y
    if np.isnan(y.array).any():
        text = "masked median expects no fully masked out rows if dtype is not floating point"
        raise refuse(ValueError, text, "masked.median", input)
    return y.to(input.dtype if dtype is None else dtype)


def _spread(root: bool) -> Callable[..., Tensor]:
    def function(
        input: Tensor, dim: Dims = None, unbiased: bool | None = None, *, correction: float | None = None,
        keepdim: bool | None = False, dtype: Dtype = None, mask: Tensor | None = None,
    ) -> Tensor:  # fmt: skip
        less = 1.0 if unbiased is None and correction is None else float(unbiased if correction is None else correction)  # type: ignore[arg-type]
        kind = dtypes.of(dtype) if dtype is not None else input.dtype if input.is_floating_point() else dtypes.float32
        compute = kind if kind.rank > 1 else dtypes.float32
        count = _number(input, dim, True, mask)
        x = F.sub(input, sum(input, dim, keepdim=True, dtype=kind, mask=mask) / count)
        total = sum(x * x, dim, keepdim=keepdim, dtype=compute, mask=mask)
        count = count if keepdim else count.reshape(total.shape)
        if less:
            count = F.clamp_min(count.to(compute) - less, 0)
        y = (total / count).to(kind)
        return F.sqrt(y) if root else y

    name = "std" if root else "var"
    return described(function, name, f"`{name}` of the elements that the mask keeps.")


var, std = _spread(False), _spread(True)


def norm(
    input: Tensor, ord: float | None = 2.0, dim: Dims = None, *, keepdim: bool | None = False, dtype: Dtype = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The norm of the elements that the mask keeps."""
    y = _filled(input, mask, math.inf if ord == -math.inf else 0)
    return F.norm(y, ord, _axes(input, dim) or None, bool(keepdim), dtype=dtype)


def normalize(
    input: Tensor, ord: float, dim: int, *, eps: float = 1e-12, dtype: Dtype = None, mask: Tensor | None = None
) -> Tensor:
    """The elements that the mask keeps, divided by their norm along `dim`; 0 elsewhere."""
    x = input if dtype is None else input.to(dtype)
    length = norm(x, ord, dim, keepdim=True, dtype=dtype, mask=mask)
    return _filled(x, mask, 0) / F.maximum(length, wrap(np.full((), eps, length.array.dtype)))


# ------------------------------------------------------------------------------------------ exponentials
def logsumexp(
    input: Tensor, dim: Dims = None, *, keepdim: bool = False, dtype: Dtype = None, mask: Tensor | None = None
) -> Tensor:
    """ln Σ eˣ over the elements that the mask keeps."""
    y = F.logsumexp(_filled(input, mask, _lowest(input)), _axes(input, dim), keepdim)
    return y.to(input.dtype if dtype is None else dtype)


def logaddexp(
    input: Tensor, other: Tensor, *, dtype: Dtype = None, input_mask: Tensor | None = None,
    other_mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """ln(eˣ + eʸ) of the elements that the masks keep."""
    y = F.logaddexp(_filled(input, input_mask, -math.inf), _filled(other, other_mask, -math.inf))
    return y.to(input.dtype if dtype is None else dtype)


def softmax(input: Tensor, dim: int, *, dtype: Dtype = None, mask: Tensor | None = None) -> Tensor:
    """`softmax` over the elements that the mask keeps; 0 elsewhere."""
    x = input if dtype is None else input.to(dtype)
    return F.softmax(_filled(x, mask, -math.inf), dim)


def log_softmax(input: Tensor, dim: int, *, dtype: Dtype = None, mask: Tensor | None = None) -> Tensor:
    """`log_softmax` over the elements that the mask keeps; -∞ elsewhere."""
    x = input if dtype is None else input.to(dtype)
    return F.log_softmax(_filled(x, mask, -math.inf), dim)


def softmin(input: Tensor, dim: int, *, dtype: Dtype = None, mask: Tensor | None = None) -> Tensor:
    """softmax(-x) over the elements that the mask keeps; 0 elsewhere."""
    x = input if dtype is None else input.to(dtype)
    return F.softmax(-_filled(x, mask, math.inf), dim)
