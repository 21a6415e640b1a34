"""Ready parametrizations: a weight of given length, of spectral norm 1, or with orthonormal rows or columns."""

# fmt: off
from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from tinygrad_pt import functions as F
from tinygrad_pt import names
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.factorizations import solve
from tinygrad_pt.modes import no_grad
from tinygrad_pt.nn.functional.ranking import normalize
from tinygrad_pt.nn.module import Module
from tinygrad_pt.nn.utils.parametrize import register_parametrization
from tinygrad_pt.nn.utils.spectral_norm import as_matrix, usual_dim
from tinygrad_pt.nn.utils.weight_norm import lengthened, norm_except_dim
from tinygrad_pt.tensor import Tensor

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]

M = TypeVar("M", bound=Module)


def _weight_of(module: Module, name: str) -> Tensor:
    """The tensor of this name, checked."""
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        text = f"Module '{module}' has no parameter or buffer with name '{name}'"
        raise refuse(ValueError, text, "parametrizations", name)
    return weight


# ------------------------------------------------------------------------------------ lengths
class _WeightNorm(Module):
    """g v/|v|, from g and v."""

    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        return lengthened(weight_v, weight_g, self.dim)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """g and v of a weight."""
        return norm_except_dim(weight, self.dim), weight


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """Make a weight g v/|v|, of the parameters g, one length for each index of `dim`, and v (Salimans, Kingma, 2016).

    States of the older form, with `weight_g` and `weight_v`, load too.

    >>> m = torch.nn.utils.parametrizations.weight_norm(torch.nn.Linear(3, 2))
    >>> list(m.state_dict())
    ['bias', 'parametrizations.weight.original0', 'parametrizations.weight.original1']
    """
    register_parametrization(module, name, _WeightNorm(dim), unsafe=True)

    def rename(module: Module, state: dict[str, Any], prefix: str, *rest: Any) -> None:
        old = [f"{prefix}{name}_{part}" for part in "gv"]
        if all(key in state for key in old):
            for i, key in enumerate(old):
                state[f"{prefix}parametrizations.{name}.original{i}"] = state.pop(key)

    module.register_load_state_dict_pre_hook(rename)
    return module


class _SpectralNorm(Module):
    """W over its largest singular value, which the power method estimates."""

    _u: Tensor
    _v: Tensor

    def __init__(self, weight: Tensor, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        super().__init__()
        n = weight.ndim
        if not -n <= dim < n:
            text = f"Dimension out of range (expected to be in range of [-{n}, {n - 1}] but got {dim})"
            raise refuse(IndexError, text, "spectral_norm", weight)
        if n_power_iterations <= 0:
            text = "Expected n_power_iterations to be positive, but got n_power_iterations="
            raise refuse(ValueError, f"{text}{n_power_iterations}", "spectral_norm", weight)
        self.dim, self.eps = dim % n, eps
        if n > 1:
            self.n_power_iterations = n_power_iterations
            matrix = as_matrix(weight, self.dim)
            u, v = (weight.new_empty(length).normal_(0, 1) for length in matrix.shape)
            self.register_buffer("_u", normalize(u, dim=0, eps=eps))
            self.register_buffer("_v", normalize(v, dim=0, eps=eps))
            self._iterate(matrix, 15)

    def _iterate(self, matrix: Tensor, times: int) -> None:
        """Take steps of the power method, in the buffers."""
        with no_grad():
            for _ in range(times):
                self._u.copy_(normalize(F.mv(matrix, self._v), dim=0, eps=self.eps))
                self._v.copy_(normalize(F.mv(matrix.t(), self._u), dim=0, eps=self.eps))

    def forward(self, weight: Tensor) -> Tensor:
        if weight.ndim == 1:
            return normalize(weight, dim=0, eps=self.eps)
        matrix = as_matrix(weight, self.dim)
        if self.training:
            self._iterate(matrix, self.n_power_iterations)
        u, v = self._u.clone(), self._v.clone()  # the next call writes into the buffers, and this graph reads them
        return weight / F.dot(u, F.mv(matrix, v))

    def right_inverse(self, value: Tensor) -> Tensor:
        """The value itself: it may have been divided already."""
        return value


def spectral_norm(
    module: M, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> M:
    """Divide a weight by its largest singular value, estimated by the power method (Miyato et al., 2018).

    The buffers `_u`, `_v` are the singular vectors; each reading in training improves them, none in evaluation does.

    >>> m = torch.nn.utils.parametrizations.spectral_norm(torch.nn.Linear(3, 3)).eval()
    >>> round(float(torch.nn.utils.parametrize.type_before_parametrizations(m) is torch.nn.Linear))
    1
    """
    weight = _weight_of(module, name)
    dim = usual_dim(module) if dim is None else dim
    return register_parametrization(module, name, _SpectralNorm(weight, n_power_iterations, dim, eps))


# ------------------------------------------------------------------------------------ orthonormal matrices
def exponential(a: Tensor) -> Tensor:
    """The exponential of matrices: their Taylor series after halving, which squaring undoes."""
    size = float(np.max(np.sum(np.abs(a.array), axis=-1), initial=0))
    halvings = max(0, math.ceil(math.log2(size)) + 1) if 0 < size < math.inf else 0
    a = a * 0.5**halvings
    one = wrap(np.eye(a.array.shape[-1], dtype=a.array.dtype))
    y = one
    for n in range(18, 0, -1):
        y = one + a @ y / n
    for _ in range(halvings):
        y = y @ y
    return y


def reflected(a: Tensor) -> Tensor:
    """The first columns of the product of the reflections of which `a` has the vectors below its diagonal."""
    rows, columns = a.array.shape[-2:]
    vectors = F.tril(a, -1) + wrap(np.eye(rows, columns, dtype=a.array.dtype))
    y = wrap(np.eye(rows, columns, dtype=a.array.dtype))
    for i in reversed(range(columns)):
        v = vectors[..., i, None]
        y = y - v * (2 / F.sum(v * v, -2, keepdim=True)) @ (F.transpose(v, -2, -1) @ y)
    return y


def _orthonormal(a: np.ndarray) -> np.ndarray:
    """Orthonormal columns that span those of a matrix, each on the side of its own."""
    q, r = np.linalg.qr(a)
    return q * np.sign(np.diagonal(r, axis1=-2, axis2=-1))[..., None, :]


class _Orthogonal(Module):
    """A matrix with orthonormal rows or columns, of one without any condition."""

    base: Tensor | None

    def __init__(self, weight: Tensor, orthogonal_map: str, *, use_trivialization: bool = True) -> None:
        super().__init__()
        self.shape, self.orthogonal_map = weight.shape, orthogonal_map
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, X: Tensor) -> Tensor:
        wide = X.shape[-2] < X.shape[-1]
        x = F.transpose(X, -2, -1) if wide else X
        n, k = x.shape[-2:]
        if self.orthogonal_map == "householder":
            q = reflected(x) * wrap(np.diagonal(x.array, axis1=-2, axis2=-1).astype(np.int32)[..., None, :])
            q = q.to(x.dtype)
        else:
            x = F.tril(x)
            if n != k:
                x = F.cat([x, x.new_zeros((*x.shape[:-1], n - k))], -1)
            skew = x - F.transpose(x, -2, -1)
            q = exponential(skew) if self.orthogonal_map == "matrix_exp" else _cayley(skew)
            q = q[..., :k]
        if getattr(self, "base", None) is not None:
            q = self.base @ q
        return F.transpose(q, -2, -1) if wide else q

    def right_inverse(self, Q: Tensor) -> Tensor:
        """What the map takes to this matrix, or to the nearest that is orthonormal."""
        if Q.shape != self.shape:
            text = f"Expected a matrix or batch of matrices of shape {self.shape}. Got a tensor of shape {Q.shape}."
            raise refuse(ValueError, text, "orthogonal", Q)
        wide = Q.shape[-2] < Q.shape[-1]
        q = np.swapaxes(Q.array, -1, -2) if wide else Q.array
        n, k = q.shape[-2:]
        if "base" not in self._buffers:
            if self.orthogonal_map != "householder":
                text = (
                    "It is not possible to assign to the matrix exponential or the Cayley parametrizations when "
                    "use_trivialization=False."
                )
                raise refuse(NotImplementedError, text, "orthogonal", Q)
            a = _reflections(q)
            return wrap(np.ascontiguousarray(np.swapaxes(a, -1, -2) if wide else a))
        if n == k:
            eye = np.eye(k, dtype=q.dtype)
            close = np.allclose(np.swapaxes(q, -1, -2) @ q, eye, atol=10 * n * np.finfo(q.dtype).eps)
            q = q.copy() if close else _orthonormal(q)
        else:
            more = F.randn((*q.shape[:-2], n, n - k), dtype=Q.dtype).array
            q = _orthonormal(np.concatenate([q, more], -1))
        self.base = wrap(np.ascontiguousarray(q))
        return wrap(np.broadcast_to(-np.eye(*Q.shape[-2:], dtype=q.dtype), Q.shape).copy())


def _cayley(skew: Tensor) -> Tensor:
    """(1 - A/2)⁻¹ (1 + A/2)."""
    one = wrap(np.eye(skew.array.shape[-1], dtype=skew.array.dtype))
    y: Tensor = solve(one - skew * 0.5, one + skew * 0.5)
    return y


def _reflections(q: np.ndarray) -> np.ndarray:
    """The vectors of the reflections whose product has these columns, with their signs on the diagonal."""
    flat = q.reshape(-1, *q.shape[-2:])
    found = np.empty_like(flat)
    for i, matrix in enumerate(flat):
        a, tau = np.linalg.qr(matrix, mode="raw")
        found[i] = a.T
        diagonal = np.sign(np.diagonal(found[i]))
        np.fill_diagonal(found[i], np.where(tau == 0, -diagonal, diagonal))
    return found.reshape(q.shape)


def orthogonal(
    module: M, name: str = "weight", orthogonal_map: str | None = None, *, use_trivialization: bool = True
) -> M:
    """Make the rows or the columns of a weight, whichever are fewer, orthonormal.

    The map from a matrix without conditions is the exponential of a skew matrix ("matrix_exp", the default of square
    weights), the Cayley map ("cayley") or a product of reflections ("householder"). With `use_trivialization` it is
    taken times a fixed orthonormal matrix, so that the parametrized weight begins as the given one, if that is
    orthonormal (Lezcano Casado, 2019). Raises ValueError for a vector, or another map.

    >>> m = torch.nn.utils.parametrizations.orthogonal(torch.nn.Linear(4, 2))
    >>> torch.allclose(m.weight @ m.weight.T, torch.eye(2), atol=1e-5)
    True
    """
    weight = _weight_of(module, name)
    if weight.ndim < 2:
        text = f"Expected a matrix or batch of matrices. Got a tensor of {weight.ndim} dimensions."
        raise refuse(ValueError, text, "orthogonal", weight)
    if orthogonal_map is None:
        orthogonal_map = "matrix_exp" if weight.shape[-2] == weight.shape[-1] else "householder"
    if orthogonal_map not in ("matrix_exp", "cayley", "householder"):
        text = f'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". Got: {orthogonal_map}'
        raise refuse(ValueError, text, "orthogonal", weight)
    made = _Orthogonal(weight, orthogonal_map, use_trivialization=use_trivialization)
    return register_parametrization(module, name, made, unsafe=True)

if not TYPE_CHECKING:  # a name that is not here says so
    __getattr__ = names.namespace("nn.utils.parametrizations")
