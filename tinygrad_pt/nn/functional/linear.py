"""Linear maps: y = x Wᵀ + b, and the bilinear form."""

from __future__ import annotations

import math

from tinygrad_pt import functions as F
from tinygrad_pt import ops
from tinygrad_pt.errors import broadcast_text, refuse
from tinygrad_pt.functions.linalg import MENDS, same_dtype
from tinygrad_pt.half import in_float32
from tinygrad_pt.nn.functional.check import only_tensors, spoken
from tinygrad_pt.tensor import Tensor
from tinygrad_pt.views import as_own

__all__ = ["bilinear", "linear"]


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """y = x Wᵀ + b: input (*, in), weight (out, in), bias (out,) → (*, out), all of one dtype.

    Raises RuntimeError if the sizes or the dtypes do not fit.

    >>> torch.nn.functional.linear(torch.ones(1, 2), torch.ones(3, 2), torch.zeros(3))
    tensor([[2., 2., 2.]])
    """
    try:
        x, w = input.array, weight.array
        b = None if bias is None else bias.array
    except AttributeError:
        only_tensors("linear", input=input, weight=weight, bias=bias)
        raise
    if w.ndim == 2 and x.ndim and x.shape[-1] == w.shape[1] and x.dtype is w.dtype:
        if b is None or (b.ndim == 1 and b.shape[0] == w.shape[0] and b.dtype is w.dtype):
            if x.ndim != 2:  # the op takes one row per example
                rows = ops.reshape(input, shape=(math.prod(x.shape[:-1]), x.shape[-1]))
                return as_own(ops.reshape(linear(rows, weight, bias), shape=(*x.shape[:-1], w.shape[0])))
            return ops.linear(input, weight) if bias is None else ops.linear(input, weight, bias)
    return _linear_slowly(input, weight, bias)


def _linear_slowly(input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """The rare cases of `linear`: a weight that is a vector, a bias that broadcasts, and errors."""
    x, w = input.array, weight.array
    if w.ndim > 2:
        text = f"t() expects a tensor with <= 2 dimensions, but self is {w.ndim}D"
        raise refuse(RuntimeError, text, "linear", input, weight)
    if x.ndim != 1:
        if w.ndim == 2 and x.ndim and x.shape[-1] != w.shape[1]:
            rows = x.size // x.shape[-1] if x.shape[-1] else 0
            text = f"mat1 and mat2 shapes cannot be multiplied ({rows}x{x.shape[-1]} and {w.shape[1]}x{w.shape[0]})"
            got = x.shape[-1]
            mend = f"this layer takes {w.shape[1]} features and got {got}: change in_features, or reshape the input"
            raise refuse(RuntimeError, text, "linear", input, weight, mend=mend)
        same_dtype(input, weight, "linear")
    y = F.matmul(input, F.t(weight))
    if bias is None:
        return y
    text = broadcast_text(bias.array.shape, y.array.shape)
    if text or bias.array.ndim > y.array.ndim:
        raise refuse(RuntimeError, text or "bias has too many dimensions", "linear", input, weight, bias, mend=MENDS)
    if bias.array.dtype != x.dtype:
        text = f"self and mat2 must have the same dtype, but got {spoken(bias)} and {spoken(weight)}"
        mend = f"convert the bias: b.to(torch.{weight.dtype.name})"
        raise refuse(RuntimeError, text, "linear", input, weight, bias, mend=mend)
    return y + bias


@in_float32
def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """yₒ = x₁ᵀ Wₒ x₂ + bₒ: inputs (*, in1) and (*, in2), weight (out, in1, in2) → (*, out); see `nn.Bilinear`.

    >>> torch.nn.functional.bilinear(torch.ones(1, 2), torch.ones(1, 3), torch.ones(1, 2, 3))
    tensor([[6.]])
    """
    given = {"input1": input1, "input2": input2, "weight": weight} | ({} if bias is None else {"bias": bias})
    only_tensors("bilinear", **given)
    a, b = input1.array, input2.array
    if a.ndim != b.ndim:
        text = f"bilinear(): input dimensions do not match: got {a.ndim} and {b.ndim}"
        raise refuse(RuntimeError, text, "bilinear", input1, input2)
    if not a.ndim:
        raise refuse(IndexError, "Dimension specified as -1 but tensor has no dimensions", "bilinear", input1, input2)
    lead = a.shape[:-1]
    if lead != b.shape[:-1]:
        text = f"bilinear(): input batch dimensions do not match at dim 0: got {lead[0]} and {b.shape[0]}"
        raise refuse(RuntimeError, text, "bilinear", input1, input2)
    if weight.array.ndim != 3:
        text = f"bilinear(): weight must have 3 dimensions: got {weight.array.ndim}"
        raise refuse(RuntimeError, text, "bilinear", input1, input2, weight)
    for i, x in ((1, input1), (2, input2)):
        size, expected = x.array.shape[-1], weight.array.shape[i]
        if size != expected:
            text = f"bilinear(): input{i} size does not match weight size: got {size} but expected {expected}"
            mend = f"change in{i}_features, or reshape the input"
            raise refuse(RuntimeError, text, "bilinear", input1, input2, weight, mend=mend)
    kinds = {x.array.dtype for x in (input1, input2, weight)}
    if len(kinds) > 1:
        listed = ", ".join(f"{name}: {x.dtype.c_name}" for name, x in given.items())
        text = f"All tensors must have the same dtype, got {listed}"
        raise refuse(RuntimeError, text, "bilinear", input1, input2, weight, mend="convert the inputs")
    rows = math.prod(lead)
    left, right = F.reshape(input1, (rows, a.shape[-1])), F.reshape(input2, (rows, b.shape[-1]))
    y = F.reshape(F.einsum("ni,oij,nj->no", left, weight, right), (*lead, weight.array.shape[0]))
    return y if bias is None else y + bias
