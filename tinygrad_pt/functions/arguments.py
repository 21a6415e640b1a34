"""How PyTorch's arguments are read: tensors, dims, sizes, scalars; one check and one error text for each."""

from __future__ import annotations

import functools
import math
import sys
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numpy as np

from tinygrad_pt import dtypes
from tinygrad_pt.errors import axis_of, refuse
from tinygrad_pt.graph import OPS, Handle, wrap

__all__ = ["Size", "is_complex", "is_floating_point", "is_nonzero", "is_tensor", "numel"]

P = ParamSpec("P")
R = TypeVar("R")


def quiet(function: Callable[P, R]) -> Callable[P, R]:
    """Decorator: where somebody made NumPy's warnings errors, inf and nan are values all the same.

    The function must be one that may run twice; as long as nothing overflows it costs nothing but a call.
    """

    @functools.wraps(function)
    def patient(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except RuntimeWarning:
            with np.errstate(all="ignore"):
                return function(*args, **kwargs)

    return patient


class Size(tuple):
    """The shape of a tensor: a tuple that prints as PyTorch's.

    >>> Size((2, 3)), Size((2, 3)).numel()
    (torch.Size([2, 3]), 6)
    """

    def numel(self) -> int:
        """The product of the sizes."""
        n = 1
        for m in self:
            n *= m
        return n

    def __repr__(self) -> str:
        return f"torch.Size({list(self)})"

    def __getitem__(self, index: Any) -> Any:
        found = tuple.__getitem__(self, index)
        return Size(found) if isinstance(index, slice) else found


def expect_tensor(value: Any, function: str, name: str = "input", position: int = 1) -> Any:
    """`value` if it is a tensor, else PyTorch's TypeError."""
    if not isinstance(value, Handle):
        raise refuse(
            TypeError,
            f"{function}(): argument '{name}' (position {position}) must be Tensor, not {type(value).__name__}",
            mend="wrap it in torch.tensor(...)",
        )
    return value


def as_tensor_like(value: Any, like: Any) -> Any:
    """A tensor of a number or an array, in the dtype in which it would meet `like`."""
    if isinstance(value, Handle):
        return value
    if isinstance(value, np.ndarray):
        dtypes.of(value.dtype)
        return wrap(value)
    return wrap(np.asarray(value, dtypes.result_type(like.array, value).numpy))


def unsupported(kernel: str, value: Any) -> Exception:
    """PyTorch's error about a dtype for which it has no such computation."""
    kind = (dtypes.of(value.array.dtype) if isinstance(value, Handle) else dtypes.of_number(value)).spoken
    return NotImplementedError(f"\"{kernel}\" not implemented for '{kind}'")


@quiet
def number(value: Any, kind: dtypes.dtype, spoken: str = "") -> Any:
    """A Python number as a 0-d array of a dtype that can hold it."""
    x = value.array if isinstance(value, Handle) else value
    if isinstance(x, int) and not -(2**63) <= x < 2**64:
        raise OverflowError("int too big to convert")
    if kind.rank == 1 and not isinstance(x, np.ndarray):
        info = np.iinfo(kind.numpy)
        if isinstance(x, float) and math.isfinite(x):
            x = int(x)
        if isinstance(x, float) or (isinstance(x, int) and not (info.min or -info.max) <= x <= info.max):
            raise RuntimeError(f"value cannot be converted to type {spoken or kind.name + '_t'} without overflow")
    if kind.rank < 2 and not isinstance(x, (bool, int, float, np.ndarray)):
        raise TypeError(f"a Number is expected, not {type(x).__name__}")
    if kind.numpy == np.float32 and isinstance(x, float) and math.isfinite(x) and abs(x) > 3.4028235677973366e38:
        raise RuntimeError("value cannot be converted to type float without overflow")
    return np.asarray(x).astype(kind.numpy)


def promoted(*tensors: Any) -> list[Any]:
    """The tensors in the dtype in which they meet."""
    target = dtypes.result_type(*(t.array for t in tensors))
    return [t if t.array.dtype == target.numpy else OPS["cast"](t, dtype=target) for t in tensors]


def axis_from(dim: Any, ndim: int) -> int:
    """One dim, checked, as 0 … ndim-1."""
    try:
        return axis_of(dim, ndim)
    except (IndexError, TypeError) as error:
        raise _addressed(error) from None


def _addressed(error: Exception) -> Exception:
    """The error with the name and the tensor of the public function that was called; looked up only now."""
    called: Any = sys._getframe(2)
    while called.f_code.co_name.startswith("_"):
        called = called.f_back
    name = called.f_code.co_name
    name = called.f_locals.get("name", name) if name == "function" else name  # one made for several names
    tensors = [x for x in called.f_locals.values() if isinstance(x, Handle)][:1]
    return refuse(type(error), str(error), name, *tensors)


def axes_from(dim: Any, ndim: int) -> tuple[int, ...] | None:
    """A dim, several, or None for all, checked; a dim named twice is an error."""
    if dim is None:
        return None
    if isinstance(dim, (tuple, list)):
        if not dim:
            return None
        dims = dim
    else:
        dims = (dim,)
    try:
        axes = tuple([axis_of(d, ndim) for d in dims])
    except (IndexError, TypeError) as error:
        raise _addressed(error) from None
    for a in axes:
        if axes.count(a) > 1:
            raise _addressed(RuntimeError(f"dim {a} appears multiple times in the list of dims"))
    return axes if ndim else None


def sizes_from(sizes: tuple[Any, ...], function: str = "size") -> tuple[int, ...]:
    """`f(2, 3)`, `f((2, 3))`, `f([2, 3])`, `f(torch.Size([2, 3]))` alike."""
    if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)):
        sizes = tuple(sizes[0])
    found = []
    for position, n in enumerate(sizes):
        if isinstance(n, bool) or not hasattr(n, "__index__"):
            raise TypeError(
                f"{function}(): argument 'size' must be tuple of ints, but found element of type "
                f"{type(n).__name__} at pos {position}"
            )
        found.append(n.__index__())
    return tuple(found)


def positive_sizes(sizes: tuple[Any, ...], function: str) -> tuple[int, ...]:
    """Sizes of a new tensor: none may be negative."""
    if not sizes:
        raise TypeError(f'{function}() missing 1 required positional arguments: "size"')
    found = sizes_from(sizes, function)
    for n in found:
        if n < 0:
            if function == "zeros":
                raise RuntimeError("zeros: Dimension size must be non-negative.")
            raise RuntimeError(f"Trying to create tensor with negative dimension {n}: {list(found)}")
    return found


def inferred_shape(sizes: tuple[int, ...], numel: int) -> tuple[int, ...]:
    """A shape with its one -1 filled in, checked against the number of elements."""
    text = f"shape '{list(sizes)}' is invalid for input of size {numel}"
    known, unknown = 1, -1
    for i, n in enumerate(sizes):
        if n == -1:
            if unknown >= 0:
                raise RuntimeError("only one dimension can be inferred")
            unknown = i
        elif n < 0:
            raise RuntimeError(f"invalid shape dimension {n} at index {i} of shape {list(sizes)}")
        else:
            known *= n
    if unknown < 0:
        if known != numel:
            raise refuse(RuntimeError, text, mend=f"the sizes must multiply to {numel}")
        return sizes
    if known == 0:
        if numel:
            raise refuse(RuntimeError, text)
        raise RuntimeError(
            f"cannot reshape tensor of 0 elements into shape {list(sizes)} because the unspecified dimension size -1 "
            "can be any value and is ambiguous"
        )
    if numel % known:
        raise refuse(RuntimeError, text, mend=f"{numel} is not a multiple of {known}")
    return (*sizes[:unknown], numel // known, *sizes[unknown + 1 :])


# ------------------------------------------------------------------------------------------ what an object is
def is_tensor(obj: Any) -> bool:
    """Whether `obj` is a tensor."""
    return isinstance(obj, Handle)


def numel(input: Any) -> int:
    """The number of elements."""
    return expect_tensor(input, "numel").array.size


def is_floating_point(input: Any) -> bool:
    """Whether the elements of a tensor are floating point numbers."""
    return expect_tensor(input, "is_floating_point").array.dtype.kind == "f"


def is_complex(input: Any) -> bool:
    """Whether the elements of a tensor are complex."""
    return expect_tensor(input, "is_complex").array.dtype.kind == "c"


def is_nonzero(input: Any) -> bool:
    """The truth value of a tensor of one element."""
    return bool(expect_tensor(input, "is_nonzero"))
