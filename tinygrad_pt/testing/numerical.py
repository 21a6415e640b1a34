"""Derivatives by differences: slopes of a function from its values alone, each with a bound on its error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_pt.graph import Handle, wrap

Array = np.ndarray[Any, Any]
EPS = float(np.finfo(np.float64).eps)
NOISE = 10.0  # how many roundings one evaluation is granted
STEP = 2.0**-12  # ≈ ε^(1/5)/4, where truncation and round-off of the 5-point stencil meet


@dataclass(frozen=True)
class Slopes:
    """What differences say about one input: every array has shape (outputs, elements of the input)."""

    slope: Array
    error: Array  # |slope - truth| is at most this where the function is smooth
    left: Array  # the slope from the left and from the right, at the finer step
    right: Array
    kink: Array  # the two differ and do not approach each other: a corner
    jump: Array  # no slope is in sight: a discontinuity, a vertical tangent, or a corner beside the point


def flat_function(f: Callable[..., Any], inputs: tuple[Any, ...], slot: int) -> Callable[[Array], Array]:
    """`f` as a function of one input as a flat float64 vector, its results joined to one flat vector.

    If some input is a tensor, `f` is called with tensors, and otherwise with arrays.
    """
    tensors = any(isinstance(x, Handle) for x in inputs)
    arrays = [x.array if isinstance(x, Handle) else x for x in inputs]
    shape = np.shape(arrays[slot])

    def values(v: Array) -> Array:
        args: list[Any] = [double(x) for x in arrays]
        args[slot] = v.reshape(shape)
        if tensors:
            args = [wrap(x) if isinstance(x, np.ndarray) else x for x in args]
        with np.errstate(all="ignore"):
            results = f(*args)
        return np.concatenate([np.ravel(y) for y in outputs_of(results)] or [np.zeros(0)])

    return values


def double(x: Any) -> Any:
    """A copy in float64 if it is an array of floating point numbers; anything else unchanged."""
    if isinstance(x, np.ndarray) and x.dtype.kind == "f":
        return np.array(x, np.float64)
    return float(x) if isinstance(x, np.floating) else x


def outputs_of(results: Any) -> list[Array]:
    """The floating point arrays among the results of a function."""
    several = results if isinstance(results, (tuple, list)) else (results,)
    arrays = [np.asarray(y.array if isinstance(y, Handle) else y) for y in several]
    return [y for y in arrays if y.dtype.kind == "f"]


def scales(x: float) -> tuple[float, ...]:
    """The lengths over which a function may be expected to change at x: |x|, and near 0 also 1."""
    size = float(2.0 ** np.round(np.log2(max(abs(x), 1e-290))))
    if x == 0:
        return (1.0,)
    return (size,) if size > 1e-3 else (size, 1.0)


def slopes(values: Callable[[Array], Array], x: Array, step: float = STEP) -> Slopes:
    """Every slope of `values` at the vector x, by 5-point stencils at h and h/2 whose difference bounds the error.

    h is a power of two near |x|·2⁻¹², so x ± h are exact in floating point; a fixed h would leave the domain of
    log near 0 and drown in round-off where x is large.
    """
    y = values(x)
    columns = []
    for i, centre in enumerate(x):
        tried = [_column(values, x, y, i, scale * step) for scale in scales(float(centre))]
        best, *rest = tried
        for other in rest:
            better = (other[1] < best[1]) | (~np.isfinite(best[1]) & np.isfinite(other[1]))
            best = tuple(np.where(better, b, a) for a, b in zip(best, other, strict=True))
        columns.append(best)
    if not columns:
        empty = np.zeros((y.size, 0))
        return Slopes(empty, empty, empty, empty, empty.astype(bool), empty.astype(bool))
    slope, error, left, right, kink, jump, h = (np.stack(part, 1) for part in zip(*columns, strict=True))
    # A function that changes by slope·x when x changes by x has rounded numbers of that size on the way.
    inner = np.nansum(np.abs(slope * x), 1, keepdims=True)
    error = error + 3 * NOISE * EPS * inner / h
    return Slopes(slope, error, left, right, kink.astype(bool), jump.astype(bool))


def _column(values: Callable[[Array], Array], x: Array, y: Array, i: int, h: float) -> tuple[Array, ...]:
    """Slope, error, left, right, kink, jump and h, for every output along the i-th element, at steps h and h/2."""

    def at(offset: float) -> Array:
        moved = x.copy()
        moved[i] += offset
        return values(moved)

    with np.errstate(all="ignore"):
        far_left, l1, l2 = at(-2 * h), at(-h), at(-h / 2)
        far_right, r1, r2 = at(2 * h), at(h), at(h / 2)
        coarse = (8 * (r1 - l1) - (far_right - far_left)) / (12 * h)
        fine = (8 * (r2 - l2) - (r1 - l1)) / (6 * h)
        size = np.max(np.abs([y, far_left, l1, l2, l2, r1, r2, far_right]), axis=0)
        noise = 3 * NOISE * EPS * size / h
        error = np.abs(fine - coarse) + noise
        left1, left2 = (y - l1) / h, 2 * (y - l2) / h
        right1, right2 = (r1 - y) / h, 2 * (r2 - y) / h
        gap1, gap2 = np.abs(right1 - left1), np.abs(right2 - left2)
        visible = gap2 > 4 * noise + 1e-6 * (np.abs(left2) + np.abs(right2))
        astray = np.abs(fine - coarse) > noise + 1e-7 + 0.25 * np.maximum(np.abs(left2), np.abs(right2))
        jump = (visible & (gap2 > 1.2 * gap1)) | astray
        kink = visible & ~jump & (gap2 > 0.8 * gap1)
    return fine, error, left2, right2, kink, jump, np.full(y.shape, h)


def numerical_jacobian(
    f: Callable[..., Any], *inputs: Any, argnum: int = 0, method: str = "five_point", return_error: bool = False
) -> Any:
    """∂f/∂inputs[argnum] as an array of shape `f(...).shape + inputs[argnum].shape`, from values of f alone.

    Args:
        f: a function of NumPy arrays, or of tensors; with several results, their elements are joined to one axis.
        inputs: its arguments; floating point ones are cast to float64.
        argnum: the argument to vary.
        method: `"five_point"` (two 5-point stencils, with an error bound), `"central"` (two points), or
            `"complex"` (Im f(x + ih)/h: exact, for functions of NumPy arrays that are analytic).
        return_error: return also a bound on the error of each entry, round-off included ("five_point" only).

    >>> import numpy as np
    >>> jacobian, error = numerical_jacobian(np.sin, np.array([0.0, 1.0]), return_error=True)
    >>> bool(np.all(np.abs(jacobian - np.diag(np.cos([0.0, 1.0]))) <= error)), float(error.max()) < 1e-9
    (True, True)
    """
    values = flat_function(f, inputs, argnum)
    raw = inputs[argnum].array if isinstance(inputs[argnum], Handle) else np.asarray(inputs[argnum])
    x = np.array(raw, np.float64).ravel()
    if return_error and method != "five_point":
        raise ValueError(f"method {method!r} knows no bound of its error; use 'five_point'")
    shape = (*_output_shape(f, inputs, values, x), *raw.shape)
    if method == "five_point":
        found = slopes(values, x)
        jacobian = found.slope.reshape(shape)
        return (jacobian, found.error.reshape(shape)) if return_error else jacobian
    if method == "central":
        columns = [_central(values, x, i) for i in range(x.size)]
    elif method == "complex":
        columns = [_complex(f, inputs, argnum, x.reshape(raw.shape), i) for i in range(x.size)]
    else:
        raise ValueError(f"method must be 'five_point', 'central' or 'complex', not {method!r}")
    return np.stack(columns, -1).reshape(shape) if columns else np.zeros(shape)


def _output_shape(f: Any, inputs: Any, values: Any, x: Array) -> tuple[int, ...]:
    args = [double(v.array) if isinstance(v, Handle) else double(v) for v in inputs]
    if any(isinstance(v, Handle) for v in inputs):
        args = [wrap(v) if isinstance(v, np.ndarray) else v for v in args]
    with np.errstate(all="ignore"):
        found = outputs_of(f(*args))
    return found[0].shape if len(found) == 1 else (values(x).size,)


def _central(values: Callable[[Array], Array], x: Array, i: int) -> Array:
    h = 2.0**-17 * min(scales(float(x[i])))
    above, below = x.copy(), x.copy()
    above[i] += h
    below[i] -= h
    return (values(above) - values(below)) / (2 * h)


def _complex(f: Any, inputs: Any, argnum: int, x: Array, i: int) -> Array:
    args: list[Any] = [double(v) for v in inputs]
    args[argnum] = x.astype(complex)
    args[argnum].flat[i] += 1e-20j
    return np.ravel(np.imag(f(*args))) / 1e-20


def numerical_gradient(
    f: Callable[..., Any],
    *inputs: Any,
    argnum: int = 0,
    g: Any = None,
    method: str = "five_point",
    return_error: bool = False,
) -> Any:
    """∂(Σ g·f)/∂inputs[argnum], of that input's shape; g is 1 unless given. See `numerical_jacobian`.

    >>> import numpy as np
    >>> numerical_gradient(lambda x: (x**2).sum(), np.array([1.0, 3.0])).round(9)
    array([2., 6.])
    """
    found = numerical_jacobian(f, *inputs, argnum=argnum, method=method, return_error=return_error)
    jacobian, error = found if return_error else (found, None)
    shape = np.shape(inputs[argnum].array if isinstance(inputs[argnum], Handle) else inputs[argnum])
    rows = jacobian.reshape(-1, int(np.prod(shape)))
    weights = np.ones(len(rows)) if g is None else np.ravel(g.array if isinstance(g, Handle) else g)
    gradient = (weights @ rows).reshape(shape)
    if error is None:
        return gradient
    return gradient, (np.abs(weights) @ error.reshape(rows.shape)).reshape(shape)
