"""How wrong arguments are refused: one text for each kind of mistake, and the decorator that names the function."""

from __future__ import annotations

import functools
import inspect
import operator
import warnings
from collections.abc import Callable
from typing import Any, NoReturn, ParamSpec, TypeVar

import numpy as np

from tinygrad_pt import dtypes
from tinygrad_pt.errors import broadcast_text, name_op, refuse
from tinygrad_pt.graph import Tensor
from tinygrad_pt.inplace import touched, write
from tinygrad_pt.modes import current
from tinygrad_pt.quiet import SIGNALS
from tinygrad_pt.texts import OUT_GRAD, RESIZED

P = ParamSpec("P")
R = TypeVar("R")


def expect_tensor(value: Any, function: str, name: str = "input", position: int = 1) -> Tensor:
    """`value` if it is a tensor, else PyTorch's TypeError."""
    if not isinstance(value, Tensor):
        raise not_a("Tensor", value, function, name, position)
    return value


def type_name(value: Any) -> str:
    """The name of a value's type in PyTorch's errors about arguments: `int`, `Tensor`, `torch.dtype`, `numpy.int64`."""
    kind = type(value)
    if kind.__module__ == "numpy":
        return f"numpy.{kind.__name__}"
    return f"torch.{kind.__name__}" if kind.__name__ in ("dtype", "device", "Size") else kind.__name__


def not_a(kind: str, value: Any, function: str, name: str, position: int = 0, mend: str = "") -> Exception:
    """PyTorch's TypeError about an argument of the wrong type; a keyword argument has position 0."""
    where = f" (position {position})" if position else ""
    text = f"{function}(): argument '{name}'{where} must be {kind}, not {type_name(value)}"
    if isinstance(value, (tuple, list)) and kind == "tuple of ints" and value:
        i = next((i for i, n in enumerate(value) if not is_int(n)), 0)
        text = text.rpartition(", not ")[0] + f", but found element of type {type_name(value[i])} at pos {i}"
    return refuse(TypeError, text, None, mend="wrap it in torch.tensor(...)" if kind == "Tensor" else mend)


# PyTorch's functions with several signatures: an argument that fits none of them is refused by this text.
OVERLOADED = frozenset(
    """
    addmm all any arange argsort baddbmm bitwise_and bitwise_or bitwise_xor clamp clamp_ clamp_max clamp_min clip
    clip_ count_nonzero div divide dsplit eq eye floor_divide fmod ge greater greater_equal gt hsplit le lerp less
    less_equal linspace logspace lt masked_fill max mean min moveaxis movedim multiply narrow ne normal not_equal
    prod rand rand_like randint randint_like randn randn_like randperm remainder repeat_interleave round rsub
    scatter searchsorted sort split squeeze std subtract sum tensor_split transpose true_divide var vsplit where
    """.split()
)


# Functions to which PyTorch gives `out=`, and which `checked` lets write there; with the namespace where the function
# of the same name in `torch` has none.
WITH_OUT = frozenset(
    """
    addcdiv addcmul addmm addmv all amax amin aminmax any argmax argmin baddbmm bernoulli binomial bmm cholesky
    cholesky_ex cholesky_inverse cholesky_solve cond conj_physical cross cummax cummin cumprod cumsum diag eigh
    eigvalsh float_power frac frexp gather geqrf householder_product index_add index_select inner inv inv_ex inverse
    kron kthvalue lerp linalg.det linalg.lu logsumexp lstsq lu_factor lu_factor_ex lu_solve lu_unpack masked_select
    matrix_norm matrix_power matrix_rank median mode multi_dot multinomial nan_to_num nanmedian nansum norm ormqr
    outer pinv poisson prod qr renorm round scatter scatter_add scatter_reduce searchsorted sgn slice_scatter
    slogdet solve solve_ex solve_triangular sort std svd svdvals take take_along_dim tensordot tensorinv tensorsolve
    topk triangular_solve tril triu var vdot vecdot vector_norm
    """.split()
)


def into(out: Any, name: str, y: Any, position: int = 0, quiet: bool = False, depth: int = 3) -> Any:
    """Write the result of a function into the tensor `out`, which takes its shape; several results into several.

    A tensor with elements that takes another shape gives a warning, unless `quiet`. Raises RuntimeError where a
    gradient would be needed, or where the dtype of `out` cannot hold the result.
    """
    if isinstance(y, tuple):
        if not isinstance(out, (tuple, list)) or len(out) != len(y):
            raise not_a("tuple of Tensors", out, name, "out", position)
        for place, part in zip(out, y, strict=True):
            into(place, name, part, position, quiet, depth + 1)
        return type(f"{type(y).__name__}_out", (type(y),), {})(*out) if hasattr(y, "_make") else tuple(out)
    expect_tensor(out, name, "out", position)
    if y.node is not None or (out.node is not None and current().grad):
        raise refuse(RuntimeError, OUT_GRAD.format(name), name, out, mend="write under torch.no_grad()")
    if out.array.shape != y.array.shape:
        if out.array.size and not quiet:
            text = RESIZED.format(list(out.array.shape), list(y.array.shape))
            warnings.warn(text, UserWarning, stacklevel=depth)
        out.array = np.empty(y.array.shape, out.array.dtype)
        touched(out)
    return write(out, y)


def no_overload(function: str, *args: Any, **kwargs: Any) -> Exception:
    """PyTorch's TypeError about a call that fits none of several signatures."""
    got = ", ".join([*map(type_name, args), *(f"{k}={type_name(v)}" for k, v in kwargs.items())])
    got += ", " if kwargs and not args else ""  # as PyTorch writes it
    text = f"{function}() received an invalid combination of arguments - got ({got}), but expected one of:"
    return refuse(TypeError, f"{text}\n * those of help(torch.{function})", None)


def missing(function: str, *names: str) -> Exception:
    """PyTorch's TypeError about arguments that are not given."""
    if function in OVERLOADED:
        return no_overload(function)
    kind = "arguments" if len(names) == 1 else "argument"  # as PyTorch writes it
    listed = ", ".join(f'"{name}"' for name in names)
    return refuse(TypeError, f"{function}() missing {len(names)} required positional {kind}: {listed}", function)


def unfit(error: TypeError, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Exception:
    """PyTorch's error where Python's is about arguments that are not given; else Python's own."""
    if "() missing " in str(error) and "op" not in vars(error):
        parameters = inspect.signature(function).parameters.values()
        needed = [p.name for p in parameters if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
        if absent := [name for name in needed[len(args) :] if name not in kwargs]:
            overloaded = function.__name__ in OVERLOADED
            return (
                no_overload(function.__name__, *args, **kwargs) if overloaded else missing(function.__name__, *absent)
            )
    return error


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
    except (TypeError, RuntimeError):
        return False
    return True


def is_int(value: Any) -> bool:
    """Whether PyTorch takes the value for an integer: a tensor must have one element, and truth values are none."""
    if isinstance(value, Tensor):
        x = value.array
        return x.dtype.kind in "iu" and x.size == 1
    return not isinstance(value, (bool, np.bool_)) and is_index(value)


def _is_a(*kinds: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kinds)


def _is_number(value: Any) -> bool:
    if isinstance(value, Tensor):
        return value.array.ndim == 0 and value.node is None
    return isinstance(value, (int, float, complex, np.number, np.bool_))


def _is_float(value: Any) -> bool:
    return _is_number(value) and not isinstance(value, (complex, np.complexfloating))


def is_operand(value: Any) -> bool:
    """Whether the value may be an argument of arithmetic: a tensor, an array or a number."""
    return isinstance(value, (Tensor, int, float, complex, np.ndarray, np.generic))


def _all_of(test: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, (tuple, list)) and all(map(test, value))


# Types in signatures: classes whose instances all fit, a test of other values, and PyTorch's name. Values of types that
# do not stand here are not tested.
NONE = type(None)
TYPES: dict[str, tuple[tuple[type, ...], Callable[[Any], bool], str]] = {
    "Tensor": ((), _is_a(Tensor), "Tensor"),
    "Operand": ((int, float), is_operand, "Tensor"),
    "Number": ((int, float, bool), _is_number, "Number"),
    "float": ((int, float, bool), _is_float, "float"),
    "int": ((int,), is_int, "int"),
    "bool": ((bool,), _is_a(), "bool"),
    "str": ((str,), _is_a(), "str"),
    "None": ((NONE,), _is_a(), "None"),
    "Dtype": ((NONE, dtypes.dtype), _is_a(dtypes.dtype, np.dtype, type), "torch.dtype"),
    "Dims": ((NONE, int), lambda value: is_int(value) or _all_of(is_int)(value), "tuple of ints"),
    "Sequence[Any]": ((), _is_a(tuple, list), "tuple"),
    "Sequence[int]": ((), _all_of(is_int), "tuple of ints"),
    "Sequence[Tensor]": ((), _all_of(_is_a(Tensor)), "tuple of Tensors"),
}


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """Decorator: arguments have the types of the signature, or PyTorch's error names the one that has not.

    Errors from inside the function name it and its arguments, and are PyTorch's where Python or NumPy fail. The
    decorator costs a call and a look at each argument, so functions on hot paths check their arguments themselves.
    """
    code = inspect.unwrap(function).__code__
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    kinds = {name: str(function.__annotations__.get(name)).split(" | ") for name in names}
    kinds = {name: several for name, several in kinds.items() if all(kind in TYPES for kind in several)}
    fits = {name: {c for kind in several for c in TYPES[kind][0]} for name, several in kinds.items()}
    room = "linalg." if function.__module__.endswith(".factorizations") else ""
    writes = not WITH_OUT.isdisjoint((function.__name__, room + function.__name__))
    positional = [fits.get(name) for name in names[: code.co_argcount]]

    @functools.wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        if writes and "out" in kwargs:
            out = kwargs.pop("out")
            y = guarded(*args, **kwargs)
            return y if out is None else into(out, function.__name__, y)
        for known, value in zip(positional, args):  # noqa: B905  # as many as there are
            if known is not None and value.__class__ not in known:
                _fit(function, kinds, fits, args, kwargs)
                break
        else:
            for name, value in kwargs.items():
                if name in fits and value.__class__ not in fits[name]:
                    _fit(function, kinds, fits, args, kwargs)
        try:
            return function(*args, **kwargs)
        except SIGNALS:
            with np.errstate(all="ignore"):
                return function(*args, **kwargs)
        except Exception as error:
            _blame(error, function, args, kwargs)

    return guarded


def _fit(
    function: Callable[..., Any], kinds: dict[str, list[str]], fits: dict[str, set[type]], args: Any, kwargs: Any
) -> None:
    """Raise PyTorch's error about the first argument that has none of the types it may have."""
    try:
        given = inspect.signature(function).bind(*args, **kwargs).arguments
    except TypeError:
        return  # Python says what is missing, or too much, when the function is called
    for i, (name, value) in enumerate(given.items()):
        if name not in kinds or any(value.__class__ in TYPES[kind][0] or TYPES[kind][1](value) for kind in kinds[name]):
            if isinstance(value, Tensor) and not {"Tensor", "Operand"}.isdisjoint(kinds.get(name, ())):
                fits[name].add(value.__class__)
        elif function.__name__ in OVERLOADED:
            raise no_overload(function.__name__, *args, **kwargs)
        else:
            kind, position = TYPES[kinds[name][0]][2], i + 1 if i < len(args) else 0
            raise not_a(kind, value, function.__name__, "input" if name == "self" else name, position)


def _blame(error: Exception, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> NoReturn:
    """Raise PyTorch's error about a call that failed, or Python's own if the call does not fit the signature."""
    try:
        given = inspect.signature(function).bind(*args, **kwargs).arguments
    except TypeError:
        if isinstance(error, TypeError):
            raise unfit(error, function, args, kwargs) from None
        raise error from None
    for name, value in given.items():
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            if "int" in (kinds := function.__annotations__.get(name, "")).split(" | "):
                raise refuse(ValueError, "Overflow when unpacking long long", function.__name__) from None
            if "Number" in kinds and not value < 2**64:
                raise refuse(OverflowError, "int too big to convert", function.__name__) from None
    shown = [x for x in (*args, *kwargs.values()) if isinstance(x, (Tensor, int, float)) and not isinstance(x, bool)]
    if name_op(error, function.__name__, *shown) or not isinstance(error, (MemoryError, *RAW)):
        raise error
    if isinstance(error, MemoryError):
        raise refuse(RuntimeError, NO_MEMORY.format(error), function.__name__, *shown) from None
    kind = next((k for k in (TypeError, IndexError, ValueError) if isinstance(error, k)), TypeError)
    raise refuse(kind, str(error), function.__name__, *shown) from error


NO_MEMORY = "DefaultCPUAllocator: can't allocate memory: {}"
RAW = (AttributeError, TypeError, ValueError, LookupError, ArithmeticError)  # Python's and NumPy's, about an argument
