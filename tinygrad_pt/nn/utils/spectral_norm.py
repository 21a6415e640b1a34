"""spectral_norm in its older form: a weight over its largest singular value, computed by a hook before each call."""

from __future__ import annotations

from typing import TypeVar

from tinygrad_pt import functions as F
from tinygrad_pt.errors import refuse
from tinygrad_pt.modes import no_grad
from tinygrad_pt.nn.functional.ranking import normalize
from tinygrad_pt.nn.module import Module
from tinygrad_pt.nn.parameter import Parameter, refuse_uninitialized
from tinygrad_pt.nn.utils.recomputed import Recomputed, found
from tinygrad_pt.tensor import Tensor

__all__ = ["remove_spectral_norm", "spectral_norm"]

M = TypeVar("M", bound=Module)


def as_matrix(weight: Tensor, dim: int) -> Tensor:
    """A weight as a matrix with one row for each index of `dim`."""
    if dim:
        weight = F.permute(weight, (dim, *(d for d in range(weight.ndim) if d != dim)))
    return F.reshape(weight, (weight.shape[0], -1))


def usual_dim(module: Module) -> int:
    """The axis of the outputs of a layer's weight."""
    return int(type(module).__name__.startswith("ConvTranspose"))


class SpectralNorm(Recomputed):
    """The hook of `spectral_norm`."""

    def __init__(self, name: str, n_power_iterations: int, dim: int, eps: float) -> None:
        self.name, self.n_power_iterations, self.dim, self.eps = name, n_power_iterations, dim, eps
        if n_power_iterations <= 0:
            text = "Expected n_power_iterations to be positive, but got n_power_iterations="
            raise refuse(ValueError, f"{text}{n_power_iterations}", "spectral_norm", n_power_iterations)

    def computed(self, module: Module, iterate: bool | None = None) -> Tensor:
        weight, u, v = (getattr(module, f"{self.name}_{part}") for part in ("orig", "u", "v"))
        matrix = as_matrix(weight, self.dim)
        if module.training if iterate is None else iterate:
            with no_grad():
                for _ in range(self.n_power_iterations):
                    v.copy_(normalize(F.mv(matrix.t(), u), dim=0, eps=self.eps))
                    u.copy_(normalize(F.mv(matrix, v), dim=0, eps=self.eps))
                u, v = u.clone(), v.clone()  # the next call writes into the buffers, and this graph reads them
        sigma: Tensor = F.dot(u, F.mv(matrix, v))
        return weight / sigma


def spectral_norm(
    module: M, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> M:
    """Divide a weight by its largest singular value before each call (Miyato et al., 2018).

    The value is estimated by `n_power_iterations` steps of the power method in each call in training. The weight itself
    is the parameter `weight_orig`; the buffers `weight_u`, `weight_v` are the singular vectors so far.

    >>> m = torch.nn.utils.spectral_norm(torch.nn.Linear(3, 2))
    >>> list(m.state_dict())
    ['bias', 'weight_orig', 'weight_u', 'weight_v']
    """
    if found(module, SpectralNorm, name) is not None:
        text = f"Cannot register two spectral_norm hooks on the same parameter {name}"
        raise refuse(RuntimeError, text, "spectral_norm", name)
    hook = SpectralNorm(name, n_power_iterations, usual_dim(module) if dim is None else dim, eps)
    if name not in module._parameters:
        raise refuse(KeyError, repr(name), "spectral_norm", name)
    weight = module._parameters[name]
    if weight is None:
        text = f"`SpectralNorm` cannot be applied as parameter `{name}` is None"
        raise refuse(ValueError, text, "spectral_norm", name)
    refuse_uninitialized(weight, "SpectralNorm", "spectral")
    with no_grad():
        rows, columns = as_matrix(weight, hook.dim).shape
        u, v = (normalize(weight.new_empty(n).normal_(0, 1), dim=0, eps=eps) for n in (rows, columns))
    delattr(module, name)
    module.register_parameter(f"{name}_orig", weight)
    setattr(module, name, weight.data)
    module.register_buffer(f"{name}_u", u)
    module.register_buffer(f"{name}_v", v)
    module.register_forward_pre_hook(hook)
    return module


def remove_spectral_norm(module: M, name: str = "weight") -> M:
    """Make the divided weight a parameter, without the hook of `spectral_norm`.

    >>> m = torch.nn.utils.spectral_norm(torch.nn.Linear(3, 2))
    >>> list(torch.nn.utils.remove_spectral_norm(m).state_dict())
    ['bias', 'weight']
    """
    hook = found(module, SpectralNorm, name)
    if hook is None:
        raise refuse(ValueError, f"spectral_norm of '{name}' not found in {module}", "remove_spectral_norm", name)
    with no_grad():
        weight = hook.computed(module, iterate=False)
    for part in ("", "_u", "_v", "_orig"):
        delattr(module, name + part)
    module.register_parameter(name, Parameter(weight.detach()))
    hook.unregister(module)
    return module
