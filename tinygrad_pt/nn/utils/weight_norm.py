"""weight_norm in its older form: a weight as length times direction, computed by a hook before each call."""

from __future__ import annotations

import warnings
from typing import TypeVar

from tinygrad_pt import functions as F
from tinygrad_pt.errors import refuse
from tinygrad_pt.nn.module import Module
from tinygrad_pt.nn.parameter import Parameter, refuse_uninitialized
from tinygrad_pt.nn.utils.recomputed import Recomputed, found
from tinygrad_pt.tensor import Tensor

__all__ = ["remove_weight_norm", "weight_norm"]

M = TypeVar("M", bound=Module)


def norm_except_dim(v: Tensor, dim: int) -> Tensor:
    """|v| over all axes but one, which stays, as do the others with length 1; over all axes if `dim` is -1."""
    return F.norm(v) if dim == -1 else F.norm(v, 2, [i for i in range(v.ndim) if i != dim], keepdim=True)


def lengthened(v: Tensor, g: Tensor, dim: int) -> Tensor:
    """g v/|v|."""
    return v * (g / norm_except_dim(v, dim))


class WeightNorm(Recomputed):
    """The hook of `weight_norm`."""

    def __init__(self, name: str, dim: int) -> None:
        self.name, self.dim = name, dim

    def computed(self, module: Module) -> Tensor:
        return lengthened(getattr(module, f"{self.name}_v"), getattr(module, f"{self.name}_g"), self.dim)


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """Replace a weight by its length `weight_g`, for each index of `dim`, and its direction `weight_v`.

    The weight g v/|v| is computed before each call (Salimans and Kingma, 2016); `dim=None` takes one length for all.
    Deprecated in PyTorch in favour of `parametrizations.weight_norm`.

    >>> import warnings; warnings.simplefilter("ignore", FutureWarning)
    >>> m = torch.nn.utils.weight_norm(torch.nn.Linear(3, 2))
    >>> {k: tuple(v.shape) for k, v in m.state_dict().items()}
    {'bias': (2,), 'weight_g': (2, 1), 'weight_v': (2, 3)}
    """
    text = "`torch.nn.utils.weight_norm` is deprecated in favor of `torch.nn.utils.parametrizations.weight_norm`."
    warnings.warn(text, FutureWarning, stacklevel=2)
    if found(module, WeightNorm, name) is not None:
        text = f"Cannot register two weight_norm hooks on the same parameter {name}"
        raise refuse(RuntimeError, text, "weight_norm", name)
    hook, weight = WeightNorm(name, -1 if dim is None else dim), getattr(module, name)
    refuse_uninitialized(weight, "WeightNorm", "weight")
    del module._parameters[name]
    module.register_parameter(f"{name}_g", Parameter(norm_except_dim(weight.detach(), hook.dim)))
    module.register_parameter(f"{name}_v", Parameter(weight.data))
    setattr(module, name, hook.computed(module))
    module.register_forward_pre_hook(hook)
    return module


def remove_weight_norm(module: M, name: str = "weight") -> M:
    """Make one parameter of the length and the direction that `weight_norm` made.

    >>> import warnings; warnings.simplefilter("ignore", FutureWarning)
    >>> m = torch.nn.utils.weight_norm(torch.nn.Linear(3, 2))
    >>> [name for name, _ in torch.nn.utils.remove_weight_norm(m).named_parameters()]
    ['bias', 'weight']
    """
    hook = found(module, WeightNorm, name)
    if hook is None:
        raise refuse(ValueError, f"weight_norm of '{name}' not found in {module}", "remove_weight_norm", name)
    weight = hook.computed(module)
    delattr(module, name)
    del module._parameters[f"{name}_g"], module._parameters[f"{name}_v"]
    setattr(module, name, Parameter(weight.data))
    hook.unregister(module)
    return module
