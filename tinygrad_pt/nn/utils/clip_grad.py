"""Functions that clip gradients."""

# fmt: off
from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from types import GeneratorType

import numpy as np

from tinygrad_pt import ops
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.arguments import expect_tensor
from tinygrad_pt.half import widened
from tinygrad_pt.inplace import touched
from tinygrad_pt.modes import current
from tinygrad_pt.tensor import Tensor

__all__ = ["clip_grad_norm", "clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm"]

Tensors = Tensor | Iterable[Tensor]
MEND = "give a tensor or an iterable of tensors: model.parameters()"


def listed(parameters: Tensors, op: str, name: str = "") -> list[Tensor]:
    """The tensors as a checked list."""
    if isinstance(parameters, Tensor):
        return [parameters]
    if not isinstance(parameters, Iterable):
        raise refuse(TypeError, f"'{type(parameters).__name__}' object is not iterable", op, parameters, mend=MEND)
    found = list(parameters)
    for t in found:
        if not isinstance(t, Tensor):
            raise refuse(AttributeError, f"'{type(t).__name__}' object has no attribute 'grad'", op, t, mend=MEND)
    if name and not found and isinstance(parameters, GeneratorType):
        warnings.warn(f"`{name}` is an empty generator, no gradient clipping will occur.", stacklevel=3)
    return found


def _float(value: float, op: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise refuse(type(error), str(error), op, value, mend="give a number") from None


def get_total_norm(
    tensors: Tensors, norm_type: float = 2.0, error_if_nonfinite: bool = False, foreach: bool | None = None
) -> Tensor:
    """The p-norm of all tensors laid end to end.

    >>> torch.nn.utils.get_total_norm([torch.tensor([3.0]), torch.tensor([4.0])])
    tensor(5.)
    """
    return _norms(listed(tensors, "get_total_norm"), norm_type, error_if_nonfinite)[1]


@np.errstate(all="ignore")  # a norm may be inf, also where NumPy's warnings are errors
def _norms(tensors: list[Tensor], norm_type: float, error_if_nonfinite: bool) -> tuple[Tensor, Tensor]:
    """The norm, that of halves in float32, and the norm in the dtype of the tensors."""
    norm_type = _float(norm_type, "get_total_norm")
    arrays = [widened(t.array) for t in tensors]
    if not arrays:
        zero = wrap(np.asarray(0.0, np.float32))
        return zero, zero
    total = _norm(np.stack([_norm(x, norm_type) for x in arrays]), norm_type)
    if error_if_nonfinite and not np.isfinite(total):
        text = (
            f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, so it cannot be "
            "clipped. To disable this error and scale the gradients by the non-finite norm anyway, set "
            "`error_if_nonfinite=False`"
        )
        raise refuse(RuntimeError, text, mend="look for the first nan or inf: torch.autograd.set_detect_anomaly(True)")
    wide = wrap(total)
    return wide, wide.half() if all(t.array.dtype.itemsize == 2 for t in tensors) else wide


def _norm(x: np.ndarray, p: float) -> np.ndarray | np.floating:
    if p == 2:
        return ops.norm.op.forward(x)
    if math.isinf(p):
        return np.max(np.abs(x), initial=0) if p > 0 else np.min(np.abs(x))
    return ops.pnorm.op.forward(x, p=p) if p else np.asarray(np.count_nonzero(x), x.dtype)


@np.errstate(all="ignore")
def clip_grads_with_norm_(
    parameters: Tensors, max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """Multiply every gradient by min(1, max_norm / (total_norm + 10⁻⁶)), in place.

    >>> p = torch.nn.Parameter(torch.zeros(2)); p.grad = torch.tensor([3.0, 4.0])
    >>> torch.nn.utils.clip_grads_with_norm_(p, 1.0, torch.tensor(5.0)); p.grad
    tensor([0.6000, 0.8000])
    """
    norm = expect_tensor(total_norm, "clip_grads_with_norm_", "total_norm", 3).array
    factor = np.minimum(_float(max_norm, "clip_grads_with_norm_") / (norm + np.float32(1e-6)), 1.0)
    for p in listed(parameters, "clip_grads_with_norm_"):
        if p.grad is not None:
            g = p.grad.array
            g *= factor if g.dtype.itemsize == 2 else factor.astype(g.dtype)
            touched(p.grad)


def clip_grad_norm_(
    parameters: Tensors, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale all gradients together, in place, to a joint norm of at most `max_norm`; return the norm.

    >>> p = torch.nn.Parameter(torch.zeros(2)); p.grad = torch.tensor([3.0, 4.0])
    >>> torch.nn.utils.clip_grad_norm_(p, 1.0), p.grad
    (tensor(5.), tensor([0.6000, 0.8000]))
    """
    found = listed(parameters, "clip_grad_norm_", "parameters")
    for listener in current().listeners:
        listener.clipping(found, max_norm)
    wide, total = _norms([p.grad for p in found if p.grad is not None], norm_type, error_if_nonfinite)
    clip_grads_with_norm_(found, max_norm, wide)
    return total


def clip_grad_value_(parameters: Tensors, clip_value: float, foreach: bool | None = None) -> None:
    """Cut every element of every gradient to [-clip_value, clip_value], in place.

    >>> p = torch.nn.Parameter(torch.zeros(2)); p.grad = torch.tensor([3.0, -0.5])
    >>> torch.nn.utils.clip_grad_value_(p, 1.0); p.grad
    tensor([ 1.0000, -0.5000])
    """
    bound = _float(clip_value, "clip_grad_value_")
    found = listed(parameters, "clip_grad_value_", "parameters")
    for listener in current().listeners:
        listener.clipping(found, clip_value)
    for p in found:
        if p.grad is not None:
            np.clip(p.grad.array, -bound, bound, out=p.grad.array)
            touched(p.grad)


def clip_grad_norm(
    parameters: Tensors, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The same as `clip_grad_norm_`; this older name is deprecated."""
    text = "`torch.nn.utils.clip_grad_norm` is now deprecated in favor of `torch.nn.utils.clip_grad_norm_`."
    warnings.warn(text, FutureWarning, stacklevel=2)
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite)
