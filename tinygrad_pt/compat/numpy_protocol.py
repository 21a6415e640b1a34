"""NumPy's own functions on tensors: `np.sin(x)`, `np.concatenate([x, y])` answer with tensors and keep the gradient.

NumPy asks `__array_ufunc__` and `__array_function__` of its arguments. The tables below say which of our functions
computes what NumPy's does; NAMED are the ufuncs, by our function's name where it differs. What is in none of them is
refused by name, so that no graph is lost unseen.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

import numpy as np

from tinygrad_pt import dtypes
from tinygrad_pt import functions as F
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.arguments import as_tensor_like
from tinygrad_pt.functions.binding import _operand
from tinygrad_pt.graph import TensorBase
from tinygrad_pt.tensor import Tensor

# ------------------------------------------------------------------------------------------ ufuncs
NAMED = {
    "absolute": "abs", "arccos": "acos", "arccosh": "acosh", "arcsin": "asin", "arcsinh": "asinh", "arctan": "atan",
    "arctan2": "atan2", "arctanh": "atanh", "degrees": "rad2deg", "divide": "div", "equal": "eq", "fabs": "abs",
    "greater": "gt", "greater_equal": "ge", "invert": "bitwise_not", "left_shift": "bitwise_left_shift", "less": "lt",
    "less_equal": "le", "multiply": "mul", "negative": "neg", "not_equal": "ne", "power": "pow", "radians": "deg2rad",
    "right_shift": "bitwise_right_shift", "rint": "round", "subtract": "sub", "conjugate": "positive",
    "expit": "sigmoid", "gammaln": "lgamma", "psi": "digamma",  # SciPy's
}  # fmt: skip
REDUCED = {"add": "sum", "multiply": "prod", "maximum": "amax", "minimum": "amin", "logical_and": "all",
           "logical_or": "any"}  # fmt: skip
OPERATORS = """
    add subtract multiply divide floor_divide remainder power equal not_equal greater greater_equal less less_equal
    bitwise_and bitwise_or bitwise_xor
""".split()
PLAIN = {"casting": "same_kind", "order": "K", "subok": True, "where": True, "initial": None}  # NumPy's defaults
ACCUMULATED = {"add": "cumsum", "multiply": "cumprod"}
COMPOSED: dict[str, Callable[..., Any]] = {
    "divmod": lambda a, b: (F.floor_divide(a, b), F.remainder(a, b)),
    "modf": lambda a: (F.frac(a), F.trunc(a)),
    "cbrt": lambda a: F.sign(a) * F.abs(a) ** (1 / 3),
    "spacing": lambda a: F.nextafter(F.abs(a), F.full_like(a, math.inf)) - F.abs(a),
    "vecdot": lambda a, b: (a * b).sum(-1),
    "matvec": lambda a, b: F.matmul(a, b[..., None])[..., 0],
    "vecmat": lambda a, b: F.matmul(a[..., None, :], b)[..., 0, :],
}


def ufunc_of(name: str) -> Callable[..., Any] | None:
    """Our function of the name of a ufunc."""
    return COMPOSED.get(name) or getattr(F, NAMED.get(name, name), None)


def apply_ufunc(ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
    """What `ufunc(*inputs)`, or a method of it, gives where tensors are among the inputs or outputs."""
    name = ufunc.__name__
    if from_library(sys._getframe(2)):
        return getattr(ufunc, method)(*as_arrays(inputs), **as_arrays(options))
    out = options.pop("out", None)
    if out is not None and not any(isinstance(x, TensorBase) for x in out):
        if any(isinstance(x, TensorBase) and x.node is not None for x in inputs):
            mend = "detach the tensor, or leave out= away: the result is a tensor then"
            raise refuse(
                TypeError, f"np.{name}(out=...) cannot write a tensor that requires grad into an array", mend=mend
            )
        return getattr(ufunc, method)(*map(plain, inputs), out=out if len(out) > 1 else out[0], **options)
    result = _applied(name, method, [_operand(x) for x in inputs], options)
    if out is not None:
        return out[0].copy_(result)
    return result


def _applied(name: str, method: str, inputs: list[Any], options: dict[str, Any]) -> Any:
    label = f"np.{name}" + ("" if method == "__call__" else f".{method}")
    kind = options.pop("dtype", None)
    for word in [word for word, default in PLAIN.items() if options.get(word, default) is default]:
        options.pop(word, None)
    function = ufunc_of(name)
    if method == "__call__" and function is not None and not options:
        if kind is not None:
            inputs = [x.to(kind) if isinstance(x, Tensor) else x for x in inputs]
        if name not in OPERATORS:  # the function takes no numbers
            first = next(x for x in inputs if isinstance(x, Tensor))
            inputs = [as_tensor_like(x, first) for x in inputs]
        return function(*inputs)
    axis, keepdims = options.pop("axis", 0), options.pop("keepdims", False)
    if not options and method == "reduce" and name in REDUCED:
        return ARRAY_FUNCTIONS[getattr(np, REDUCED[name])](inputs[0], axis=axis, dtype=kind, keepdims=keepdims)
    if not options and method == "accumulate" and name in ACCUMULATED:
        return getattr(F, ACCUMULATED[name])(inputs[0], axis, dtype=kind)
    if not options and method == "outer" and function is not None:
        a, b = (x if isinstance(x, Tensor) else F.tensor(x) for x in inputs)
        return function(a.reshape(*a.shape, *(1,) * b.ndim), b)
    raise not_covered(label)


def not_covered(name: str) -> Exception:
    """The error about a function of NumPy's that is in no table."""
    mend = f"{name}(x.detach().numpy()) computes it without gradients; docs/numpy.md lists what is covered"
    return refuse(TypeError, f"{name} is not covered for tensors", None, mend=mend)


# ------------------------------------------------------------------------------------------ libraries
LIBRARIES = ("numpy", "matplotlib", "mpl_toolkits", "pandas", "scipy", "sklearn", "seaborn", "PIL", "skimage", "xarray")


def from_library(frame: FrameType) -> bool:
    """Whether a library asks that is written for arrays: it gets arrays, as if tensors knew nothing of NumPy."""
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] in LIBRARIES


def as_arrays(value: Any) -> Any:
    """The value with arrays in the place of tensors; the error of `numpy()` about one that requires grad."""
    if isinstance(value, Tensor):
        return value.numpy()
    if isinstance(value, (list, tuple)) and type(value) in (list, tuple):
        return type(value)(map(as_arrays, value))
    return {key: as_arrays(v) for key, v in value.items()} if isinstance(value, dict) else value


# ------------------------------------------------------------------------------------------ other functions
ARRAY_FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {}
AS_ARRAYS = """
    allclose array2string array_equal array_equiv array_repr array_str can_cast common_type copyto digitize histogram
    histogram2d histogram_bin_edges histogramdd iscomplexobj isrealobj may_share_memory min_scalar_type ndim result_type
    save savetxt savez savez_compressed shape shares_memory size unravel_index lexsort
""".split()  # they give numbers, truth values or text, and no gradient is lost


def plain(value: Any) -> Any:
    """The value with arrays in the place of tensors, inside lists, tuples and dictionaries, too."""
    if isinstance(value, TensorBase):
        return value.array
    if isinstance(value, (list, tuple)) and type(value) in (list, tuple):
        return type(value)(map(plain, value))
    if isinstance(value, dict):
        return {key: plain(v) for key, v in value.items()}
    return value


def apply_function(func: Callable[..., Any], types: Sequence[type], args: Any, kwargs: Any) -> Any:
    """What `func(*args, **kwargs)` gives where tensors are among the arguments."""
    if not all(issubclass(kind, (TensorBase, np.ndarray)) for kind in types):
        return NotImplemented
    if from_library(sys._getframe(2)):
        return func(*as_arrays(args), **as_arrays(kwargs))
    name = f"{func.__module__}.{func.__name__}".replace("numpy", "np", 1)
    if func in ARRAY_FUNCTIONS:
        given = kwargs if kwargs.get("out") is None else {k: v for k, v in kwargs.items() if k != "out"}
        result = ARRAY_FUNCTIONS[func](*args, **{k: v for k, v in given.items() if v is not np._NoValue})
        out = kwargs.get("out")
        if out is None:
            return result
        if isinstance(out, Tensor):
            return out.copy_(result)
        raise refuse(TypeError, f"{name}(out=array) is not covered for tensors", mend="leave out= away")
    if name.removeprefix("np.") in AS_ARRAYS:
        return func(*plain(args), **plain(kwargs))
    raise not_covered(name)


def implements(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: the function computes what these functions of NumPy's do."""

    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        for name in names:
            room: Any = np
            for part in name.split("."):
                room = getattr(room, part, None)
            if room is not None:
                ARRAY_FUNCTIONS[room] = function
        return function

    return enter


def of(value: Any) -> Tensor:
    """A tensor of a tensor, an array, a number, or nested lists of numbers."""
    if isinstance(value, Tensor):
        return value
    return wrap(value) if isinstance(value, (np.ndarray, np.generic)) else F.tensor(value)


def each(values: Any) -> list[Tensor]:
    """The tensors of a sequence."""
    return list(values) if isinstance(values, Tensor) else [of(v) for v in values]


def whole(**options: Any) -> None:
    """Refuse the options that our functions have not."""
    for word, value in options.items():
        default = {"order": "C", "casting": "same_kind", "where": True, "subok": True, "method": "linear"}.get(word)
        if value is not default and value != default:
            raise refuse(TypeError, f"the argument '{word}' is not covered for tensors", mend="leave it out")


def dims_of(axis: Any, x: Tensor) -> Any:
    return tuple(range(x.ndim)) if axis is None else axis


def _reduction(name: str) -> Callable[..., Any]:
    function = getattr(F, name)

    def reduced(a: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False, **options: Any) -> Any:
        whole(**options)
        x = of(a)
        x = x if dtype is None else x.to(dtype)
        if axis is None and not keepdims:
            return function(x)
        dims = dims_of(axis, x)
        if isinstance(dims, tuple) and name in ONE_DIM:  # one axis after the other
            for d in sorted((d % x.ndim for d in dims), reverse=True):
                x = function(x, d, keepdim=keepdims)
            return x
        return function(x, dims, keepdim=keepdims)

    return reduced


ONE_DIM = ("prod", "all", "any")
for numpy_name, our_name in {
    "sum": "sum", "prod": "prod", "mean": "mean", "amax": "amax", "amin": "amin", "max": "amax", "min": "amin",
    "all": "all", "any": "any", "nansum": "nansum", "nanmean": "nanmean", "count_nonzero": "count_nonzero",
}.items():  # fmt: skip
    if hasattr(F, our_name):
        implements(numpy_name)(_reduction(our_name))


def _arg(name: str) -> Callable[..., Any]:
    def place(a: Any, axis: int | None = None, keepdims: bool = False) -> Tensor:
        return getattr(F, name)(of(a), axis, keepdims)

    return place


implements("argmax")(_arg("argmax"))
implements("argmin")(_arg("argmin"))


def _spread(name: str) -> Callable[..., Any]:
    def spread(
        a: Any, axis: Any = None, dtype: Any = None, ddof: float = 0, keepdims: bool = False, correction: Any = None,
        **options: Any,
    ) -> Any:  # fmt: skip
        whole(**options)
        x = of(a) if dtype is None else of(a).to(dtype)
        x = x if x.is_floating_point() else x.to(dtypes.get_default_dtype())
        return getattr(F, name)(
            x, dims_of(axis, x), correction=ddof if correction is None else correction, keepdim=keepdims
        )

    return spread


implements("var")(_spread("var"))
implements("std")(_spread("std"))


@implements("ptp")
def ptp(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    x = of(a)
    dims = dims_of(axis, x)
    return F.amax(x, dims, keepdims) - F.amin(x, dims, keepdims)


@implements("nanmax")
def nanmax(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    x = of(a)
    return F.amax(F.where(F.isnan(x), -math.inf, x), dims_of(axis, x), keepdims)


@implements("nanmin")
def nanmin(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    x = of(a)
    return F.amin(F.where(F.isnan(x), math.inf, x), dims_of(axis, x), keepdims)


@implements("quantile")
def quantile(a: Any, q: Any, axis: Any = None, keepdims: bool = False, **options: Any) -> Any:
    whole(**options)
    x = of(a)
    return F.quantile(x, of(q).to(x.dtype), axis, keepdims)


@implements("percentile")
def percentile(a: Any, q: Any, axis: Any = None, keepdims: bool = False, **options: Any) -> Any:
    share = q / 100 if isinstance(q, Tensor) else np.asarray(q) / 100
    return quantile(a, share, axis, keepdims, **options)


@implements("median")
def median(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return quantile(a, 0.5, axis, keepdims)


@implements("average")
def average(a: Any, axis: Any = None, weights: Any = None, returned: bool = False, keepdims: bool = False) -> Any:
    x = of(a)
    dims = dims_of(axis, x)
    w = F.ones_like(x) if weights is None else of(weights)
    if w.shape != x.shape:
        w = w.reshape(*(n if i == axis % x.ndim else 1 for i, n in enumerate(x.shape)))
    total = F.sum(w.expand(x.shape) if w.shape != x.shape else w, dims, keepdim=keepdims)
    mean = F.sum(x * w, dims, keepdim=keepdims) / total
    return (mean, total) if returned else mean


def _running(name: str) -> Callable[..., Any]:
    def running(a: Any, axis: int | None = None, dtype: Any = None) -> Tensor:
        x = of(a)
        return getattr(F, name)(x.reshape(-1) if axis is None else x, 0 if axis is None else axis, dtype=dtype)

    return running


implements("cumsum")(_running("cumsum"))
implements("cumprod")(_running("cumprod"))


# ------------------------------------------------------------------------------------------ shapes
@implements("reshape")
def reshape(a: Any, shape: Any = None, order: str = "C", *, newshape: Any = None, copy: Any = None) -> Tensor:
    whole(order=order)
    return F.reshape(of(a), shape if newshape is None else newshape)


@implements("ravel")
def ravel(a: Any, order: str = "C") -> Tensor:
    whole(order=order)
    return F.reshape(of(a), (-1,))


@implements("transpose", "permute_dims")
def transpose(a: Any, axes: Any = None) -> Tensor:
    x = of(a)
    return F.permute(x, tuple(range(x.ndim))[::-1] if axes is None else tuple(axes))


@implements("matrix_transpose")
def matrix_transpose(x: Any) -> Tensor:
    return F.transpose(of(x), -1, -2)


@implements("expand_dims")
def expand_dims(a: Any, axis: Any) -> Tensor:
    x = of(a)
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    width = x.ndim + len(axes)
    for d in sorted(d % width for d in axes):
        x = F.unsqueeze(x, d)
    return x


@implements("squeeze")
def squeeze(a: Any, axis: Any = None) -> Tensor:
    x = of(a)
    if axis is None:
        return F.squeeze(x)
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    if any(x.shape[d] != 1 for d in axes):
        raise refuse(
            ValueError, "cannot select an axis to squeeze out which has size not equal to one", "np.squeeze", x
        )
    return F.squeeze(x, tuple(axes))


@implements("broadcast_to")
def broadcast_to(array: Any, shape: Any, subok: bool = False) -> Tensor:
    return F.broadcast_to(of(array), shape)


@implements("broadcast_arrays")
def broadcast_arrays(*args: Any, subok: bool = False) -> tuple[Tensor, ...]:
    return tuple(F.broadcast_tensors(*each(args)))


@implements("concatenate", "concat")
def concatenate(arrays: Any, axis: int | None = 0, *, dtype: Any = None, casting: Any = "same_kind") -> Tensor:
    parts = each(arrays)
    if axis is None:
        parts, axis = [F.reshape(p, (-1,)) for p in parts], 0
    y = F.cat(parts, axis)
    return y if dtype is None else y.to(dtype)


@implements("stack")
def stack(arrays: Any, axis: int = 0, *, dtype: Any = None, casting: Any = "same_kind") -> Tensor:
    y = F.stack(each(arrays), axis)
    return y if dtype is None else y.to(dtype)


def _of_list(name: str) -> Callable[..., Any]:
    function = getattr(F, name)

    def joined(tup: Any, **options: Any) -> Tensor:
        whole(**options)
        result: Tensor = function(each(tup))
        return result

    return joined


for _name in ("vstack", "hstack", "dstack", "column_stack"):
    if hasattr(F, _name):
        implements(_name)(_of_list(_name))


def _atleast(name: str) -> Callable[..., Any]:
    def at_least(*arrays: Any) -> Any:
        made = tuple(getattr(F, name)(x) for x in each(arrays))
        return made[0] if len(made) == 1 else made

    return at_least


for _name in ("atleast_1d", "atleast_2d", "atleast_3d"):
    if hasattr(F, _name):
        implements(_name)(_atleast(_name))


@implements("split", "array_split")
def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    cuts = indices_or_sections
    return list(F.tensor_split(of(ary), cuts if isinstance(cuts, int) else tuple(int(c) for c in cuts), axis))


@implements("tile")
def tile(A: Any, reps: Any) -> Tensor:
    return F.tile(of(A), reps if isinstance(reps, (tuple, list)) else (int(reps),))


@implements("repeat")
def repeat(a: Any, repeats: Any, axis: int | None = None) -> Tensor:
    return F.repeat_interleave(of(a), repeats if isinstance(repeats, int) else of(repeats), axis)


@implements("flip")
def flip(m: Any, axis: Any = None) -> Tensor:
    x = of(m)
    return F.flip(x, dims_of(axis, x))


@implements("roll")
def roll(a: Any, shift: Any, axis: Any = None) -> Tensor:
    x = of(a)
    return F.roll(x.reshape(-1), shift, 0).reshape(x.shape) if axis is None else F.roll(x, shift, axis)


@implements("where")
def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    place = of(condition)
    place = place if place.dtype is dtypes.bool else place != 0
    return F.nonzero(place, as_tuple=True) if x is None and y is None else F.where(place, _operand(x), _operand(y))


@implements("nonzero")
def nonzero(a: Any) -> Any:
    return F.nonzero(of(a), as_tuple=True)


@implements("flatnonzero")
def flatnonzero(a: Any) -> Tensor:
    return F.nonzero(of(a).reshape(-1), as_tuple=True)[0]


@implements("clip")
def clip(a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None, **options: Any) -> Tensor:
    whole(**options)
    low, high = (_operand(v) for v in (a_min if min is None else min, a_max if max is None else max))
    return F.clamp(of(a), low, high)


@implements("take")
def take(a: Any, indices: Any, axis: int | None = None, mode: str = "raise") -> Tensor:
    x, i = of(a), of(indices)
    x, axis = (x.reshape(-1), 0) if axis is None else (x, axis % x.ndim)
    return x[(*(slice(None),) * axis, i)]


@implements("take_along_axis")
def take_along_axis(arr: Any, indices: Any, axis: int | None = -1) -> Tensor:
    x = of(arr)
    return F.gather(x.reshape(-1) if axis is None else x, 0 if axis is None else axis, of(indices))


@implements("pad")
def pad(array: Any, pad_width: Any, mode: str = "constant", constant_values: Any = 0, **options: Any) -> Tensor:
    x = of(array)
    if mode != "constant" or options or not isinstance(constant_values, (int, float)):
        raise not_covered(f"np.pad(mode={mode!r})")
    widths = np.broadcast_to(np.asarray(pad_width), (x.ndim, 2)).tolist()
    from tinygrad_pt.nn.functional import pad as padded

    return padded(x, [n for pair in reversed(widths) for n in pair], value=constant_values)


@implements("append")
def append(arr: Any, values: Any, axis: int | None = None) -> Tensor:
    return concatenate([arr, values], axis)


@implements("copy")
def copy(a: Any, order: str = "K", subok: bool = False) -> Tensor:
    return F.clone(of(a))


@implements("sort")
def sort(a: Any, axis: int | None = -1, **options: Any) -> Tensor:
    x = of(a)
    return F.sort(x.reshape(-1) if axis is None else x, -1 if axis is None else axis)[0]


@implements("argsort")
def argsort(a: Any, axis: int | None = -1, **options: Any) -> Tensor:
    x = of(a)
    return F.argsort(x.reshape(-1) if axis is None else x, -1 if axis is None else axis)


@implements("unique")
def unique(ar: Any, return_index: bool = False, return_inverse: bool = False, return_counts: bool = False,
           axis: int | None = None, **options: Any) -> Any:  # fmt: skip
    if return_index:
        raise not_covered("np.unique(return_index=True)")
    return F.unique(of(ar), True, return_inverse, return_counts, axis)


@implements("searchsorted")
def searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None) -> Tensor:
    x = of(a)
    return F.searchsorted(x, of(v).to(x.dtype), side=side, sorter=None if sorter is None else of(sorter))


@implements("diff")
def diff(a: Any, n: int = 1, axis: int = -1, **options: Any) -> Tensor:
    whole(**options)
    return F.diff(of(a), n, axis)


@implements("trapezoid")
def trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Tensor:
    return F.trapezoid(of(y), dx=dx, dim=axis) if x is None else F.trapezoid(of(y), of(x), dim=axis)


@implements("isin")
def isin(element: Any, test_elements: Any, assume_unique: bool = False, invert: bool = False, **options: Any) -> Tensor:
    return F.isin(of(element), of(test_elements), assume_unique=assume_unique, invert=invert)


@implements("bincount")
def bincount(x: Any, weights: Any = None, minlength: int = 0) -> Tensor:
    return F.bincount(of(x), None if weights is None else of(weights), minlength)


@implements("diag")
def diag(v: Any, k: int = 0) -> Tensor:
    return F.diag(of(v), k)


@implements("diagonal")
def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    return F.diagonal(of(a), offset, axis1, axis2)


@implements("trace")
def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Tensor:
    return F.sum(F.diagonal(of(a), offset, axis1, axis2), -1, dtype=dtype)


def _triangle(name: str) -> Callable[..., Any]:
    return lambda m, k=0: getattr(F, name)(of(m), k)


implements("tril")(_triangle("tril"))
implements("triu")(_triangle("triu"))


@implements("meshgrid")
def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> tuple[Tensor, ...]:
    whole(sparse=sparse or None)
    return tuple(F.meshgrid(*each(xi), indexing=indexing))


def _like(name: str) -> Callable[..., Any]:
    def like(a: Any, *value: Any, dtype: Any = None, shape: Any = None, **options: Any) -> Tensor:
        x = of(a)
        kind = x.dtype if dtype is None else dtypes.of(dtype)
        if "fill_value" in options:
            value = (options["fill_value"],)
        sizes = x.shape if shape is None else shape
        return getattr(F, name)(sizes, *map(_operand, value), dtype=kind)

    return like


for _name in ("zeros", "ones", "empty", "full"):
    implements(f"{_name}_like")(_like(_name))


# ------------------------------------------------------------------------------------------ numbers and products
@implements("dot")
def dot(a: Any, b: Any) -> Any:
    x, y = of(a), of(b)
    if not x.ndim or not y.ndim:
        return x * y
    return F.matmul(x, y) if y.ndim < 3 else F.tensordot(x, y, ([-1], [-2]))


@implements("vdot")
def vdot(a: Any, b: Any) -> Tensor:
    return F.dot(of(a).reshape(-1), of(b).reshape(-1))


@implements("inner")
def inner(a: Any, b: Any) -> Tensor:
    return F.inner(of(a), of(b))


@implements("outer", "linalg.outer")
def outer(a: Any, b: Any) -> Tensor:
    return F.outer(of(a).reshape(-1), of(b).reshape(-1))


@implements("tensordot", "linalg.tensordot")
def tensordot(a: Any, b: Any, axes: Any = 2) -> Tensor:
    pairs = axes if isinstance(axes, int) else tuple([d] if isinstance(d, int) else list(d) for d in axes)
    return F.tensordot(of(a), of(b), pairs)


@implements("einsum")
def einsum(subscripts: str, *operands: Any, optimize: Any = False, **options: Any) -> Tensor:
    return F.einsum(subscripts, *each(operands))


@implements("round", "around")
def rounded(a: Any, decimals: int = 0) -> Tensor:
    return F.round(of(a), decimals=decimals) if decimals else F.round(of(a))


@implements("fix")
def fix(x: Any) -> Tensor:
    return F.trunc(of(x))


@implements("nan_to_num")
def nan_to_num(x: Any, copy: bool = True, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Tensor:
    return F.nan_to_num(of(x), nan, posinf, neginf)


@implements("isclose")
def isclose(a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    x, y = of(a), of(b)
    return F.isclose(x, y.to(x.dtype), rtol, atol, equal_nan)


@implements("real", "real_if_close")
def real(val: Any) -> Tensor:
    return of(val)


@implements("linalg.norm")
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Tensor:
    a = of(x)
    room = linalg()
    if room is not None:
        return room.norm(a, ord, axis, keepdims)
    if ord is not None and not (a.ndim == 1 or isinstance(axis, int)):
        raise not_covered("np.linalg.norm(ord=...) of a matrix")
    return F.norm(a, 2 if ord is None else ord, axis, keepdims)


def linalg() -> Any:
    """Our `torch.linalg`, if it is there."""
    from tinygrad_pt.names import module_at

    return module_at("linalg")


def _matrix(name: str) -> Callable[..., Any]:
    return lambda *args, **options: getattr(linalg(), name)(*map(_tensors, args), **options)


def _tensors(value: Any) -> Any:
    return wrap(value) if isinstance(value, np.ndarray) else value


for _name in ("inv", "det", "slogdet", "solve", "cholesky", "qr", "eigh", "eigvalsh", "svd", "pinv", "matrix_power",
              "matrix_rank", "multi_dot", "cross"):  # fmt: skip
    if linalg() is not None and hasattr(linalg(), _name):
        implements(f"linalg.{_name}")(_matrix(_name))


def _same(name: str) -> Callable[..., Any]:
    """A function that has NumPy's arguments in NumPy's order."""
    return lambda *args, **options: getattr(F, name)(*map(_tensors, args), **options)


for _name in (
    "swapaxes", "moveaxis", "fliplr", "flipud", "argwhere", "rot90", "kron", "cross", "sinc", "hsplit", "vsplit",
    "dsplit", "i0", "isposinf", "isneginf",
):  # fmt: skip
    if hasattr(F, _name):
        implements(_name)(_same(_name))


# ------------------------------------------------------------------------------------------ the page
def covered() -> dict[str, list[str]]:
    """What is covered: ufuncs, methods of ufuncs, functions that answer with tensors, and those that do not."""
    ufuncs = {getattr(np, n).__name__ for n in dir(np) if isinstance(getattr(np, n), np.ufunc)}
    functions = {f"{f.__module__}.{f.__name__}".replace("numpy", "np", 1) for f in ARRAY_FUNCTIONS}
    return {
        "ufuncs": sorted(f"np.{n}" for n in ufuncs if ufunc_of(n) is not None),
        "methods": sorted([*(f"np.{n}.reduce" for n in REDUCED), *(f"np.{n}.accumulate" for n in ACCUMULATED)]),
        "functions": sorted(functions),
        "arrays": sorted(f"np.{n}" for n in AS_ARRAYS if hasattr(np, n)),
    }
