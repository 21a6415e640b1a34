"""How PyTorch's arguments are read: numbers, dtypes, dims and sizes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, SupportsIndex, TypeAlias, overload

import numpy as np

from tinygrad_pt import dtypes
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import axis_of, refuse
from tinygrad_pt.functions.checks import expect_tensor, is_index, missing, not_a
from tinygrad_pt.graph import OPS, Tensor

__all__ = ["Size", "is_complex", "is_floating_point", "is_nonzero", "is_tensor", "numel"]

Dims = int | Sequence[int] | None
Dtype = dtypes.dtype | np.dtype[Any] | type | None
Number = float | complex
Operand: TypeAlias = Tensor | float | complex | np.ndarray | np.generic


def cast(x: Any, kind: np.dtype[Any]) -> np.ndarray:
    """A number or an array in a dtype, as a new array; what is too large becomes inf."""
    if (x.__class__ is float or x.__class__ is int) and -6e4 < x < 6e4:  # every dtype holds it
        return np.asarray(x).astype(kind)
    return _cast_quietly(x, kind)


@np.errstate(all="ignore")  # no warning of NumPy's, whatever the filters of `warnings` are; it costs half a microsecond
def _cast_quietly(x: Any, kind: np.dtype[Any]) -> np.ndarray:
    return np.asarray(x).astype(kind)


class Size(tuple[int, ...]):
    """The shape of a tensor: a tuple that prints as PyTorch's.

    >>> Size((2, 3)), Size((2, 3)).numel()
    (torch.Size([2, 3]), 6)
    """

    def numel(self) -> int:
        """The product of the sizes."""
        return math.prod(self)

    def __repr__(self) -> str:
        return f"torch.Size({list(self)})"

    @overload
    def __getitem__(self, index: SupportsIndex) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> Size: ...
    def __getitem__(self, index: SupportsIndex | slice) -> int | Size:
        return Size(tuple.__getitem__(self, index)) if isinstance(index, slice) else tuple.__getitem__(self, index)


# ------------------------------------------------------------------------------------------ numbers and dtypes
def as_tensor_like(value: Any, like: Tensor) -> Tensor:
    """A tensor of a number or an array, in the dtype of an operation with `like`."""
    if isinstance(value, Tensor):
        return value
    if isinstance(value, np.ndarray):
        dtypes.of(value.dtype)
        return wrap(value)
    return wrap(np.asarray(value, dtypes.result_type(like.array, value).numpy))


def scalar_array(value: Any, kind: dtypes.dtype, op: str = "") -> np.ndarray:
    """A Python number as a 0-d array of a dtype that can hold it."""
    x = value.array if isinstance(value, Tensor) else value
    if kind.rank > 1 and (x.__class__ is float or x.__class__ is int) and -6e4 < x < 6e4:
        return cast(x, kind.numpy)
    if kind.rank == 2 and isinstance(x, complex):
        x = x if x.imag else x.real
    held = (bool, int, float, np.ndarray, *((complex, np.generic) if kind.rank > 1 else ()))
    if not isinstance(x, held) or (isinstance(x, np.ndarray) and x.dtype.kind not in "biufc"):
        raise refuse(TypeError, f"a Number is expected, not {type(x).__name__}", op, value)
    if isinstance(x, int) and not -(2**63) <= x < 2**64:
        raise refuse(OverflowError, "int too big to convert", op, value)
    too_large = ""
    if kind.rank == 1 and not isinstance(x, np.ndarray):
        info = np.iinfo(kind.numpy)
        x = int(x) if isinstance(x, float) and math.isfinite(x) else x
        if isinstance(x, float) or not (info.min or -info.max) <= x <= info.max:
            too_large = f"{kind.name}_t"
    elif isinstance(x, complex):
        too_large = "float" if kind.rank == 2 else ""
    elif kind.numpy == np.float32 and isinstance(x, float) and math.isfinite(x) and abs(x) > 3.4028235677973366e38:
        too_large = "float"
    if too_large:
        raise refuse(RuntimeError, f"value cannot be converted to type {too_large} without overflow", op, value)
    return cast(x, kind.numpy)


def promoted(*tensors: Tensor) -> list[Tensor]:
    """The tensors in their common dtype."""
    target = dtypes.result_type(*(t.array for t in tensors))
    return [promoted_to(target, t) for t in tensors]


def promoted_to(target: dtypes.dtype, t: Tensor) -> Tensor:
    """The tensor in a dtype; itself, if it has it."""
    return t if t.array.dtype == target.numpy else OPS["cast"](t, dtype=target)


# ------------------------------------------------------------------------------------------ dims and sizes
def axis_from(dim: Any, ndim: int, op: str = "", *tensors: Any) -> int:
    """One dim, checked, as 0 … ndim-1; `op` and its tensors are for the error."""
    try:
        return axis_of(dim, ndim)
    except (IndexError, TypeError) as error:
        raise refuse(type(error), str(error), op, *tensors) from None


def axes_from(dim: Any, ndim: int, op: str = "", *tensors: Any) -> tuple[int, ...] | None:
    """A dim, several, or None for all, checked; a dim named twice is an error."""
    if dim is None:
        return None
    dims = dim if isinstance(dim, (tuple, list)) else (dim,)
    try:
        axes = tuple([axis_of(d, ndim) for d in dims])
    except (IndexError, TypeError) as error:
        raise refuse(type(error), str(error), op, *tensors) from None
    if len(axes) > 1 and len(set(axes)) < len(axes):
        twice = next(a for a in axes if axes.count(a) > 1)
        raise refuse(RuntimeError, f"dim {twice} appears multiple times in the list of dims", op, *tensors)
    return axes if axes and ndim else None


def sizes_from(sizes: Sequence[Any], function: str = "size") -> tuple[int, ...]:
    """`f(2, 3)`, `f((2, 3))`, `f([2, 3])`, `f(torch.Size([2, 3]))` alike."""
    if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)):
        sizes = sizes[0]
    found = []
    for position, n in enumerate(sizes):
        if n.__class__ is not int and (isinstance(n, bool) or not is_index(n)):
            wrong = f"but found element of type {type(n).__name__} at pos {position}"
            raise refuse(TypeError, f"{function}(): argument 'size' must be tuple of ints, {wrong}", function)
        found.append(n.__index__())
    return tuple(found)


def positive_sizes(sizes: Sequence[Any], function: str) -> tuple[int, ...]:
    """Sizes of a new tensor: none may be negative."""
    if not sizes:
        raise missing("size", function)
    found = sizes_from(sizes, function)
    for n in found:
        if n < 0:
            text = f"Trying to create tensor with negative dimension {n}: {list(found)}"
            text = "zeros: Dimension size must be non-negative." if function == "zeros" else text
            raise refuse(RuntimeError, text, function)
    return found


def inferred_shape(sizes: tuple[int, ...], numel: int, op: str, *tensors: Any) -> tuple[int, ...]:
    """A shape with its one -1 filled in, checked against the number of elements."""
    known, text, mend = 1, "", ""
    for i, n in enumerate(sizes):
        if n >= 0:
            known *= n
        elif n < -1:
            text = f"invalid shape dimension {n} at index {i} of shape {list(sizes)}"
            break
        elif -1 in sizes[:i]:
            text = "only one dimension can be inferred"
            break
    else:
        if known == numel and -1 not in sizes:
            return sizes
        if known and numel % known == 0 and -1 in sizes:
            return tuple([numel // known if n == -1 else n for n in sizes])
        text = f"shape '{list(sizes)}' is invalid for input of size {numel}"
        if -1 not in sizes:
            mend = f"the sizes must multiply to {numel}"
        elif known:
            mend = f"{numel} is not a multiple of {known}"
        elif numel == 0:
            text = f"cannot reshape tensor of 0 elements into shape {list(sizes)} because the unspecified dimension "
            text += "size -1 can be any value and is ambiguous"
    raise refuse(RuntimeError, text, op, *tensors, mend=mend)


def length_of(input: Tensor, axis: int) -> int:
    """The length of an axis; 1 for a 0-d tensor, which counts as one element along it."""
    return input.array.shape[axis] if input.array.ndim else 1


# ------------------------------------------------------------------------------------------ what an object is
def is_tensor(obj: Any) -> bool:
    """Whether `obj` is a tensor."""
    return isinstance(obj, Tensor)


def numel(input: Tensor) -> int:
    """The number of elements."""
    try:
        return input.array.size
    except AttributeError:
        raise not_a("Tensor", input, "numel", "input", 1) from None


def is_floating_point(input: Tensor) -> bool:
    """Whether the elements of a tensor are floating point numbers."""
    try:
        return input.array.dtype.kind == "f"
    except AttributeError:
        raise not_a("Tensor", input, "is_floating_point", "input", 1) from None


def is_complex(input: Tensor) -> bool:
    """Whether the elements of a tensor are complex."""
    return expect_tensor(input, "is_complex").array.dtype.kind == "c"


def is_nonzero(input: Tensor) -> bool:
    """The truth value of a tensor of one element."""
    return bool(expect_tensor(input, "is_nonzero"))
