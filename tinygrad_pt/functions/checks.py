"""How wrong arguments are refused: one text for each kind of mistake, and the decorator that names the function."""

from __future__ import annotations

import functools
import inspect
import operator
from collections.abc import Callable
from typing import Any, NoReturn, ParamSpec, TypeVar

import numpy as np

from tinygrad_pt import dtypes
from tinygrad_pt.errors import broadcast_text, name_op, refuse
from tinygrad_pt.graph import Tensor

P = ParamSpec("P")
R = TypeVar("R")


def expect_tensor(value: Any, function: str, name: str = "input", position: int = 1) -> Tensor:
    """`value` if it is a tensor, else PyTorch's TypeError."""
    if not isinstance(value, Tensor):
        raise not_a("Tensor", value, function, name, position)
    return value


def not_a(kind: str, value: Any, function: str, name: str, position: int = 0, mend: str = "") -> Exception:
    """PyTorch's TypeError about an argument of the wrong type; a keyword argument has position 0."""
    where = f" (position {position})" if position else ""
    text = f"{function}(): argument '{name}'{where} must be {kind}, not {type(value).__name__}"
    return refuse(TypeError, text, None, mend="wrap it in torch.tensor(...)" if kind == "Tensor" else mend)


def missing(name: str, function: str) -> Exception:
    """PyTorch's TypeError about an argument that is not given."""
    return refuse(TypeError, f'{function}() missing 1 required positional arguments: "{name}"', function)


def unsupported(kernel: str, op: str, value: Any, *others: Any) -> Exception:
    """PyTorch's error about a dtype for which it has no such computation."""
    kind = dtypes.of(value.array.dtype) if isinstance(value, Tensor) else dtypes.of_number(value)
    text = f"\"{kernel}\" not implemented for '{kind.spoken}'"
    return refuse(NotImplementedError, text, op, value, *others, mend="x.float()" if kind.rank < 2 else "")


def common_shape(op: str, a: Any, b: Any) -> tuple[int, ...]:
    """The shape to which two tensors, arrays or numbers broadcast; PyTorch's error where there is none."""
    shapes = [np.shape(x.array if isinstance(x, Tensor) else x) for x in (a, b)]
    text = broadcast_text(*shapes)
    if text:
        raise refuse(RuntimeError, text, op, a, b)
    return np.broadcast_shapes(*shapes)


def is_index(value: Any) -> bool:
    """Whether Python takes the value for an integer."""
    try:
        operator.index(value)
    except TypeError:
        return False
    return True


def _is_a(*kinds: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kinds)


def _holds_one(value: Any) -> bool:
    return isinstance(value, Tensor) and value.array.size == 1


def _all_of(test: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, (tuple, list)) and all(map(test, value))


# Types in signatures: a test of a value, and PyTorch's name. Values of other types are not tested.
TYPES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "Tensor": (_is_a(Tensor), "Tensor"),
    "Operand": (_is_a(Tensor, int, float, complex, np.ndarray, np.generic), "Tensor"),
    "Number": (_is_a(Tensor, int, float, complex, np.generic), "Number"),
    "float": (lambda v: isinstance(v, (int, float, np.generic)) or _holds_one(v), "float"),
    "int": (is_index, "int"),
    "str": (_is_a(str), "str"),
    "None": (lambda value: value is None, "None"),
    "Dims": (lambda value: value is None or is_index(value) or _all_of(is_index)(value), "tuple of ints"),
    "Sequence[Any]": (_is_a(tuple, list), "tuple"),
    "Sequence[int]": (_all_of(is_index), "tuple of ints"),
    "Sequence[Tensor]": (_all_of(_is_a(Tensor)), "tuple of Tensors"),
}


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """Decorator: a function's errors name it and its arguments, and are PyTorch's where Python or NumPy fail inside.

    The types in the signature tell which argument is wrong; they are looked up only when there is an error. The
    decorator costs one call, so functions on hot paths check their arguments themselves.
    """

    @functools.wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            _blame(error, function, args, kwargs)

    return guarded


def _blame(error: Exception, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> NoReturn:
    """Raise PyTorch's error about a call that failed, or Python's own if the call does not fit the signature."""
    signature = inspect.signature(function)
    try:
        given = signature.bind(*args, **kwargs).arguments
    except TypeError:
        raise error from None
    name = function.__name__
    if isinstance(error, RAW) and vars(error).get("op") is None:
        for i, (key, value) in enumerate(given.items()):
            parameter = signature.parameters[key]
            kinds = str(parameter.annotation).split(" | ")
            if parameter.kind is not parameter.VAR_POSITIONAL and all(k in TYPES for k in kinds):
                if not any(TYPES[k][0](value) for k in kinds):
                    position = 0 if parameter.kind is parameter.KEYWORD_ONLY else i + 1
                    raise not_a(TYPES[kinds[0]][1], value, name, "input" if key == "self" else key, position) from None
    shown = [x for x in (*args, *kwargs.values()) if isinstance(x, (Tensor, int, float)) and not isinstance(x, bool)]
    if name_op(error, name, *shown) or not isinstance(error, RAW):
        raise error
    kind = next((k for k in (TypeError, IndexError, ValueError) if isinstance(error, k)), TypeError)
    raise refuse(kind, str(error), name, *shown) from error


RAW = (AttributeError, TypeError, ValueError, LookupError, ArithmeticError)  # Python's and NumPy's, about an argument
