"""How PyTorch's arguments are read: numbers, dtypes, dims and sizes."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from typing import Any, SupportsIndex, TypeAlias, overload

import numpy as np

from tinygrad_pt import dtypes
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import axis_of, refuse
from tinygrad_pt.functions.checks import OVERLOADED, expect_tensor, is_int, missing, no_overload, not_a
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
    """The shape of a tensor: a tuple of integers that prints as PyTorch's, as do its parts, sums and multiples.

    Raises TypeError if one of the sizes is no integer.

    >>> Size((2, 3)), Size((2, 3)).numel()
    (torch.Size([2, 3]), 6)
    >>> Size((2, 3)) + (4,)
    torch.Size([2, 3, 4])
    """

    def __new__(cls, sizes: Iterable[SupportsIndex] = ()) -> Size:
        return size_of(cls, map(_size, sizes, count()))

    def numel(self) -> int:
        """The product of the sizes."""
        return math.prod(self)

    def __repr__(self) -> str:
        return f"torch.Size({list(self)})"

    def __reduce__(self) -> tuple[type[Size], tuple[tuple[int, ...]]]:
        return Size, (tuple(self),)

    @overload
    def __getitem__(self, index: SupportsIndex) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> Size: ...
    def __getitem__(self, index: SupportsIndex | slice) -> int | Size:
        found = tuple.__getitem__(self, index)
        return size_of(Size, found) if isinstance(index, slice) else found  # type: ignore[arg-type, return-value]

    def __add__(self, other: tuple[int, ...]) -> Size:  # type: ignore[override]  # PyTorch's, too, is narrower
        if not isinstance(other, tuple):
            raise refuse(TypeError, f"can only concatenate tuple (not {type(other).__name__}) to torch.Size", None)
        return Size((*self, *other))

    def __radd__(self, other: tuple[int, ...]) -> Size:
        if not isinstance(other, tuple):
            return NotImplemented
        return Size((*other, *self))

    def __mul__(self, times: SupportsIndex) -> Size:
        if not hasattr(times, "__index__"):
            raise refuse(TypeError, f"can't multiply sequence by non-int of type '{type(times).__name__}'", None)
        return size_of(Size, tuple.__mul__(self, times))

    __rmul__ = __mul__


size_of: Callable[[type[Size], Iterable[int]], Size] = tuple.__new__  # without a look at each size


def _size(value: Any, place: int) -> int:
    """A size as Python's integer."""
    if value.__class__ is int:
        if value.bit_length() > 63:
            raise refuse(ValueError, "Overflow when unpacking long long", None)
        return value
    integral = hasattr(value, "__index__") and not (isinstance(value, Tensor) and value.array.dtype.kind not in "biu")
    if not integral:
        text = f"torch.Size() takes an iterable of 'int' (item {place} is '{type(value).__name__}')"
        raise refuse(TypeError, text, None)
    return operator.index(value)


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
    if isinstance(x, int):
        dtypes.result_type(x)  # raises for one of more than 64 bits
    too_large = ""
    if kind.rank == 1 and not isinstance(x, np.ndarray):
        info = np.iinfo(kind.numpy)
        low = info.min if info.min or isinstance(x, float) else -info.max  # a negative integer is one modulo 2ⁿ
        if not low <= x <= info.max:
            too_large = "int" if kind is dtypes.int32 else f"{kind.name}_t"
    elif isinstance(x, complex):
        too_large = "float" if kind.rank == 2 else ""
    elif kind.numpy == np.float32 and isinstance(x, float) and math.isfinite(x) and abs(x) > 3.4028235677973366e38:
        too_large = "float"
    elif kind is dtypes.float16 and not isinstance(x, np.ndarray) and 65520 <= abs(x) < math.inf:
        too_large = "c10::Half"
    if too_large:
        raise refuse(RuntimeError, f"value cannot be converted to type {too_large} without overflow", op, value)
    return cast(x, kind.numpy)


def written_number(value: Any, kind: dtypes.dtype, op: str, size: int = 1) -> np.ndarray:
    """`scalar_array` of a number that is written into a tensor: as one element, what is too large for halves is inf."""
    held = isinstance(value, float) or (isinstance(value, int) and -(2**63) <= value < 2**64)
    alone = size == 1 and kind is dtypes.float16
    return cast(value, kind.numpy) if held and alone else scalar_array(value, kind, op)


def promoted(*tensors: Tensor) -> list[Tensor]:
    """The tensors in their common dtype."""
    target = dtypes.result_type(*(t.array for t in tensors))
    return [promoted_to(target, t) for t in tensors]


def promoted_to(target: dtypes.dtype, t: Tensor) -> Tensor:
    """The tensor in a dtype; itself, if it has it."""
    return t if t.array.dtype == target.numpy else OPS["cast"](t, dtype=target)


def flat_in(y: Tensor, *tensors: Any) -> Tensor:
    """y, whose derivative with respect to these tensors is 0: it requires grad if one of them does."""
    for x in tensors:
        if isinstance(x, Tensor) and x.node is not None:
            y = OPS["constant_in"](y, x)
    return y


# ------------------------------------------------------------------------------------------ dims and sizes
def axis_from(dim: Any, ndim: int, op: str = "", *tensors: Any) -> int:
    """One dim, checked, as 0 … ndim-1; `op` and its tensors are for the error."""
    try:
        return axis_of(dim, ndim)
    except (IndexError, TypeError, ValueError) as error:
        raise _wrong_dim(error, "int", dim, op, tensors) from None


def axes_from(dim: Any, ndim: int, op: str = "", *tensors: Any) -> tuple[int, ...] | None:
    """A dim, several, or None for all, checked; a dim named twice is an error."""
    if dim is None:
        return None
    dims = dim if isinstance(dim, (tuple, list)) else (dim,)
    try:
        axes = tuple([axis_of(d, ndim) for d in dims])
    except (IndexError, TypeError, ValueError) as error:
        raise _wrong_dim(error, "tuple of ints", dim, op, tensors) from None
    if len(axes) > 1 and len(set(axes)) < len(axes):
        twice = next(a for a in axes if axes.count(a) > 1)
        raise refuse(RuntimeError, f"dim {twice} appears multiple times in the list of dims", op, *tensors)
    return axes if axes and ndim else None


def _wrong_dim(error: Exception, kind: str, dim: Any, op: str, tensors: tuple[Any, ...]) -> Exception:
    """The error about a dim, with the op; about one of another type, PyTorch's with the name of the argument."""
    if not op or not isinstance(error, TypeError):
        return refuse(type(error), str(error), op, *tensors)
    return no_overload(op, *tensors, dim) if op in OVERLOADED else not_a(kind, dim, op, "dim", 2)


def truth(function: str, **flags: Any) -> bool:
    """Whether one of several names of a flag is set; each must be a bool."""
    for name, flag in flags.items():
        if flag.__class__ is not bool:
            raise not_a("bool", flag, function, name)
    return any(flags.values())


# PyTorch's name of the argument that lists sizes or dims.
LISTED = {
    "reshape": "shape",
    "permute": "dims",
    "tile": "dims",
    "flip": "dims",
    "repeat": "repeats",
    "roll": "shifts",
    "pad": "pad",
}


def sizes_from(sizes: Sequence[Any], function: str = "size") -> tuple[int, ...]:
    """`f(2, 3)`, `f((2, 3))`, `f([2, 3])`, `f(torch.Size([2, 3]))` alike."""
    given: Any = sizes
    if len(sizes) == 1:
        given = sizes[0]
        if isinstance(given, (tuple, list)):
            sizes = given
    found = []
    for position, n in enumerate(sizes):
        if n.__class__ is int and -(2**63) <= n < 2**63:
            found.append(n)
            continue
        if not is_int(n):
            raise not_a("tuple of ints", given, function, LISTED.get(function, "size"), 1)
        if not -(2**63) <= (i := n.__index__()) < 2**63:
            text = f"{function}(): argument '{LISTED.get(function, 'size')}' failed to unpack the object at pos "
            text += f'{position + 1} with error "Overflow when unpacking long long'
            raise refuse(TypeError, text, function)
        found.append(i)
    return tuple(found)


def positive_sizes(sizes: Sequence[Any], function: str) -> tuple[int, ...]:
    """Sizes of a new tensor: none may be negative."""
    if not sizes:
        raise missing(function, "size")
    found = sizes_from(sizes, function)
    for n in found:
        if n < 0:
            text = f"Trying to create tensor with negative dimension {n}: {list(found)}"
            text = "zeros: Dimension size must be non-negative." if function == "zeros" else text
            raise refuse(RuntimeError, text, function)
    if math.prod(found) >= 2**60:
        text = f"Storage size calculation overflowed with sizes={list(found)}"
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


# ------------------------------------------------------------------------------------------ conversions
CONVERSIONS = (  # what `to` takes at each place, by what comes first
    ("tensor", "non_blocking", "copy"),
    ("dtype", "non_blocking", "copy"),
    ("device", "dtype", "non_blocking", "copy"),
)


def conversion(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[dtypes.dtype | None, Any, bool]:
    """The arguments of `to`: the dtype, the device (each None where it stays as it is), and whether to copy always."""
    named = [kwargs[k] for k in ("tensor", "dtype") if k in kwargs and "device" not in kwargs]
    first = args[0] if args else named[0] if named else None
    names = CONVERSIONS[0 if isinstance(first, Tensor) else 1 if _is_dtype(first) else 2]
    if len(args) > 4:
        raise refuse(TypeError, f"to() takes from 0 to 4 positional arguments but {len(args)} were given", None)
    given = {"memory_format": kwargs.get("memory_format")} | dict(zip(names, args, strict=False))
    wrong = len(args) > len(names) or any(k in given or k not in names for k in kwargs if k != "memory_format")
    given |= kwargs
    dtype, tensor = given.get("dtype"), given.get("tensor")
    flags = [given.get("non_blocking", False), given.get("copy", False)]
    wrong |= not all(isinstance(flag, bool) for flag in flags) or not (dtype is None or _is_dtype(dtype))
    if wrong or not (tensor is None or isinstance(tensor, Tensor)):
        raise no_overload("to", *args, **kwargs)
    if tensor is not None:
        dtype = dtypes.of(tensor.array.dtype)
    return None if dtype is None else dtypes.of(dtype), given.get("device"), flags[1] is True


def _is_dtype(value: Any) -> bool:
    return isinstance(value, (dtypes.dtype, np.dtype, type))
