"""The sum of the singular values of a matrix, and the two ops that its derivatives are made of."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_pt.calling import primitive
from tinygrad_pt.graph import Array
from tinygrad_pt.ops.linalg import bmm
from tinygrad_pt.ops.shape import expand, t, unsqueeze


@primitive(
    r"\lVert a \rVert_{*}",
    lambda g, y, a: expand(unsqueeze(unsqueeze(g, axis=-1), axis=-1), shape=a.shape) * orthogonal_factor(a),
)
def singular_sum(a: Array) -> Array:
    """y = Σ σᵢ over the singular values of the last two axes; A must not be wider than it is high."""
    return np.linalg.svd(a, compute_uv=False).sum(-1)


def _factor_rule(g: Any, y: Any, a: Any) -> Any:
    """With A = Y H: Y K, where HK + KH = YᵀG - GᵀY, and, if A is higher than wide, (G - Y Yᵀ G) H⁻¹."""
    y = orthogonal_factor(a)  # once more, because what is saved of halves is rounded
    h, b = bmm(t(y), a), bmm(t(y), g)
    turned = bmm(y, lyapunov(h, b - t(b)))
    if a.shape[-1] == a.shape[-2]:
        return turned
    inverse = lyapunov(h, 4.0 * lyapunov(h, h))  # the inner solution is 1/2, and HK + KH = 2 has the solution H⁻¹
    return turned + bmm(g - bmm(y, b), inverse)


@primitive(r"\operatorname{orth} a", _factor_rule)
def orthogonal_factor(a: Array) -> Array:
    """Y = U Vᵀ of A = U S Vᵀ: the orthogonal factor of A = Y H."""
    u, _, v = np.linalg.svd(a, full_matrices=False)
    return np.matmul(u, v)


def _symmetric_rule(g: Any, y: Any, a: Any, b: Any) -> Any:
    x = lyapunov(a, g)
    return -(bmm(x, t(y)) + bmm(t(y), x))


@primitive(r"\operatorname{lyap}(a,\, b)", _symmetric_rule, lambda g, y, a, b: lyapunov(a, g))
def lyapunov(a: Array, b: Array) -> Array:
    """The solution Y of A Y + Y A = B, of a symmetric A."""
    values, v = np.linalg.eigh((a + np.swapaxes(a, -1, -2)) / 2)
    w = np.swapaxes(v, -1, -2)
    return v @ ((w @ b @ v) / (values[..., :, None] + values[..., None, :])) @ w
