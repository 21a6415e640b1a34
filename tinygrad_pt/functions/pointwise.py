"""PyTorch's elementwise functions: ops with their arguments checked, and what is composed of them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from tinygrad_pt import dtypes, ops
from tinygrad_pt.calling import wrap, wrapped
from tinygrad_pt.errors import broadcast_text, refuse
from tinygrad_pt.functions.arguments import (
    Number,
    as_tensor_like,
    cast,
    flat_in,
    promoted,
    promoted_to,
    scalar_array,
    written_number,
)
from tinygrad_pt.functions.binding import described, in_place
from tinygrad_pt.functions.checks import (
    OVERLOADED,
    checked,
    common_shape,
    expect_tensor,
    into,
    is_operand,
    no_overload,
    not_a,
    unsupported,
)
from tinygrad_pt.graph import Tensor
from tinygrad_pt.half import in_float32
from tinygrad_pt.inplace import write_changed
from tinygrad_pt.ops import special

if TYPE_CHECKING:
    from tinygrad_pt.functions.arguments import Operand

__all__ = [
    "abs", "abs_", "absolute", "acos", "acos_", "acosh", "add", "addcdiv", "addcmul", "allclose", "arccos", "arcsin",
    "arctan", "asin", "asin_", "asinh", "atan", "atan2", "atan_", "atanh", "bitwise_and", "bitwise_not", "bitwise_or",
    "bitwise_xor", "ceil", "ceil_", "clamp", "clamp_", "clip", "clip_", "cos", "cos_", "cosh", "cosh_",
    "deg2rad", "div", "divide", "eq", "equal", "erf", "erf_", "exp", "exp2", "exp2_", "exp_", "expm1", "expm1_",
    "float_power", "floor", "floor_", "floor_divide", "fmod", "frac", "ge", "greater", "greater_equal", "gt", "hypot",
    "isclose", "isfinite", "isinf", "isnan", "le", "lerp", "less", "less_equal", "log", "log10", "log10_", "log1p",
    "log1p_", "log2", "log2_", "log_", "logaddexp", "logical_and", "logical_not", "logical_or", "logical_xor", "lt",
    "masked_fill", "maximum", "minimum", "mul", "multiply", "nan_to_num", "ne", "neg", "neg_", "negative",
    "not_equal", "positive", "pow", "rad2deg", "reciprocal", "reciprocal_", "relu", "relu_", "remainder", "round",
    "round_", "rsqrt", "rsqrt_", "rsub", "sgn", "sigmoid", "sigmoid_", "sign", "sin", "sin_", "sinh", "sinh_", "sqrt",
    "sqrt_", "square", "square_", "sub", "subtract", "tan", "tan_", "tanh", "tanh_", "true_divide", "trunc", "trunc_",
    "where",
]  # fmt: skip


def _unary(op: Any) -> Callable[..., Tensor]:
    name = op.__name__

    def function(input: Tensor, *, out: Tensor | None = None) -> Tensor:
        if not isinstance(input, Tensor):
            expect_tensor(input, name)
        return op(input) if out is None else into(out, name, op(input))

    return described(function, name, f"{op.__doc__ or ''}".split("\n")[0] or f"y = {name}(input), element by element.")


exp, expm1, exp2, log, log1p, log2, log10 = map(
    _unary, (ops.exp, ops.expm1, ops.exp2, ops.log, ops.log1p, ops.log2, ops.log10)
)
sqrt, rsqrt, reciprocal = map(_unary, (ops.sqrt, ops.rsqrt, ops.reciprocal))
sin, cos, tan, asin, acos, atan = map(_unary, (ops.sin, ops.cos, ops.tan, ops.asin, ops.acos, ops.atan))
sinh, cosh, tanh, asinh, acosh, atanh = map(_unary, (ops.sinh, ops.cosh, ops.tanh, ops.asinh, ops.acosh, ops.atanh))
sigmoid, erf = _unary(ops.sigmoid), _unary(special.erf)
isnan, isinf, isfinite, logical_not = map(_unary, (ops.isnan, ops.isinf, ops.isfinite, ops.logical_not))
arcsin, arccos, arctan = asin, acos, atan


def abs(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """|input|; at 0 the slope is 0."""
    if out is not None:
        return into(out, "abs", abs(input))
    if expect_tensor(input, "abs").array.dtype == bool:
        raise unsupported("abs_cpu", "abs", input)
    return ops.abs(input)


def sign(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """-1, 0 or 1; 0 for nan."""
    if out is not None:
        return into(out, "sign", sign(input))
    return ops.clone(input) if expect_tensor(input, "sign").array.dtype == bool else ops.sign(input)


def relu(input: Tensor) -> Tensor:
    """max(input, 0); at 0 the slope is 0."""
    if not isinstance(input, Tensor) or input.array.dtype == bool:
        raise refuse(RuntimeError, "Boolean inputs not supported for relu", "relu", expect_tensor(input, "relu"))
    return ops.relu(input)


def square(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """input²."""
    y = ops.square(input.long() if expect_tensor(input, "square").array.dtype == bool else input)
    return y if out is None else into(out, "square", y)


absolute = abs


def _whole(op: Any) -> Callable[..., Tensor]:
    """Rounding leaves integers as they are, and truth values have none."""
    name = op.__name__

    def function(input: Tensor, *, out: Tensor | None = None) -> Tensor:
        kind = expect_tensor(input, name).array.dtype.kind
        if kind == "b":
            raise unsupported(f"{name}_vml_cpu", name, input)
        y = ops.clone(input) if kind in "iu" else op(input)
        return y if out is None else into(out, name, y)

    return described(function, name, op.__doc__ or f"y = {name}(input), element by element; integers stay as they are.")


floor, ceil, trunc, _round = map(_whole, (ops.floor, ops.ceil, ops.trunc, ops.round))


@checked
@in_float32
def round(input: Tensor, *, decimals: int = 0, out: Tensor | None = None) -> Tensor:
    """The nearest whole number, halves to even; with `decimals`, the nearest multiple of 10^-decimals."""
    if decimals == 0:
        return _round(input)
    scale = 10.0**decimals if decimals < 309 else math.inf
    return _round(input * scale) / scale


@checked
def frac(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """input - trunc(input)."""
    if input.array.dtype.kind in "biu":
        raise unsupported("frac_cpu", "frac", input)
    return input - trunc(input)


@checked
def sgn(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The sign of a real tensor."""
    return sign(input)


# ------------------------------------------------------------------------------------------ arithmetic
INSTEAD = "is not supported. If you are trying to invert a mask, use the `~` or `logical_not()` operator instead."
BOOL_NEG = f"Negation, the `-` operator, on a bool tensor {INSTEAD}"
BOOL_SUB = f"Subtraction, the `-` operator, with a bool tensor {INSTEAD}"
TWO_BOOLS = "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()`"


def neg(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """-input."""
    if expect_tensor(input, "neg").array.dtype == bool:
        raise refuse(RuntimeError, BOOL_NEG, "neg", input)
    return ops.neg(input) if out is None else into(out, "neg", ops.neg(input))


@checked
def positive(input: Tensor) -> Tensor:
    """+input: the tensor itself."""
    if input.array.dtype == bool:
        raise refuse(RuntimeError, "The `+` operator, on a bool tensor is not supported.")
    return input


def _operand(value: Any, function: str, name: str = "input", position: int = 1) -> Any:
    """An argument of arithmetic: a tensor or a number; NumPy's numbers as Python's, NumPy's arrays as tensors."""
    if value.__class__ is int:
        if not -(2**63) <= value < 2**64:
            dtypes.result_type(value)  # raises
    elif not isinstance(value, (Tensor, int, float, complex)):
        if isinstance(value, np.generic):
            return value.item()
        if not isinstance(value, np.ndarray):
            return expect_tensor(value, function, name, position)
    return value


def _scaled(op: Any, input: Any, other: Any, alpha: Any) -> Tensor:
    """op(input, alpha · other), all in the dtype of the result."""
    if isinstance(alpha, np.generic):
        alpha = alpha.item()
    if not isinstance(alpha, (int, float, complex, Tensor)) or (isinstance(alpha, Tensor) and alpha.array.ndim):
        raise not_a("Number", alpha, op.__name__, "alpha")
    target: dtypes.dtype = dtypes.result_type(_value(input), _value(other))
    text, factor = "", alpha.item() if isinstance(alpha, Tensor) else alpha
    if isinstance(factor, bool) and target is not dtypes.bool:
        text = "Boolean alpha only supported for Boolean results."
    elif isinstance(factor, float) and target.rank < 2:
        text = "For integral input tensors, argument alpha must not be a floating point number."
    if text:
        mend = "give a whole number, or convert with .float()"
        raise refuse(RuntimeError, text, op.__name__, input, other, mend=mend)
    scalar_array(factor, target, op.__name__)  # raises for one that is too large
    factor = bool(factor) if target is dtypes.bool else factor
    b = promoted_to(target, other) if isinstance(other, Tensor) else wrap(cast(other, target.numpy))
    return _plus_product(op, input, b, factor)


@in_float32
def _plus_product(op: Any, input: Any, other: Tensor, factor: Number) -> Tensor:
    return op(input, ops.mul(other, factor))


def _value(x: Any) -> Any:
    """The array of a tensor; a number is its own value."""
    return x.array if isinstance(x, Tensor) else x


def _kind(x: Any) -> str:
    return np.asarray(_value(x)).dtype.kind


def add(input: Operand, other: Operand, *, alpha: Number = 1, out: Tensor | None = None) -> Tensor:
    """input + alpha · other; shapes broadcast, dtypes are promoted."""
    a, b = _operand(input, "add"), _operand(other, "add", "other", 2)
    y = ops.add(a, b) if alpha.__class__ is int and alpha == 1 else _scaled(ops.add, a, b, alpha)
    return y if out is None else into(out, "add", y)


def sub(input: Operand, other: Operand, *, alpha: Number = 1, out: Tensor | None = None) -> Tensor:
    """input - alpha · other."""
    a, b = _operand(input, "sub"), _operand(other, "sub", "other", 2)
    bools = _is_bool(a) + _is_bool(b)
    if bools:
        raise refuse(RuntimeError, f"{TWO_BOOLS} operator instead." if bools == 2 else BOOL_SUB, "sub", a, b)
    y = ops.sub(a, b) if alpha.__class__ is int and alpha == 1 else _scaled(ops.sub, a, b, alpha)
    return y if out is None else into(out, "sub", y)


def rsub(input: Tensor, other: Operand, *, alpha: Number = 1) -> Tensor:
    """other - alpha · input."""
    if not isinstance(input, Tensor):
        raise no_overload("rsub", input, other)
    return sub(other, input, alpha=alpha)


def mul(input: Operand, other: Operand, *, out: Tensor | None = None) -> Tensor:
    """input · other, element by element."""
    y = ops.mul(_operand(input, "mul"), _operand(other, "mul", "other", 2))
    return y if out is None else into(out, "mul", y)


def div(input: Operand, other: Operand, *, rounding_mode: str | None = None, out: Tensor | None = None) -> Tensor:
    """input / other; `rounding_mode` 'trunc' or 'floor' rounds the quotient."""
    if out is not None:
        return into(out, "div", div(input, other, rounding_mode=rounding_mode))
    a, b = _operand(input, "div"), _operand(other, "div", "other", 2)
    if rounding_mode is None:
        return ops.div(a, b)
    if not isinstance(rounding_mode, str):
        raise no_overload("div", a, b, rounding_mode=rounding_mode)
    if rounding_mode not in ("trunc", "floor"):
        text = "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found "
        raise refuse(RuntimeError, f"{text}'{rounding_mode}'", "div", a, b)
    if rounding_mode == "floor":
        return flat_in(floor_divide(a, b), a, b)
    kind = dtypes.result_type(*map(_value, (a, b)))
    if kind.rank > 1:
        return trunc(ops.div(a, b))
    _divisible("div_trunc", a, b)
    quotient, rest = floor_divide(a, b), fmod(a if isinstance(a, Tensor) else wrap(cast(a, kind.numpy)), b)
    below = rest.array != 0  # where the quotient is negative, its floor lies below
    below &= (rest.array < 0) != (cast(wrapped(b, kind) if isinstance(b, int) else _value(b), kind.numpy) < 0)
    return quotient + wrap(below)


def _binary(op: Any, doc: str, tensors: int = 0, check: Callable[..., None] | None = None) -> Callable[..., Tensor]:
    """The op with its arguments checked: the first `tensors` of them must be tensors, the others may be numbers.

    `tensors` is -1 where either of them may be a number, but not both.
    """
    name = op.__name__

    def function(input: Operand, other: Operand, *, out: Tensor | None = None) -> Tensor:
        a, b = input, other
        if not isinstance(a, Tensor):
            if (tensors > 0 and name in OVERLOADED) or (tensors < 0 and not isinstance(b, Tensor)):
                raise no_overload(name, a, b)
            a = expect_tensor(a, name) if tensors > 0 else _operand(a, name)
        if not isinstance(b, Tensor):
            b = expect_tensor(b, name, "other", 2) if tensors == 2 else _operand(b, name, "other", 2)
        if check is not None:
            check(name, a, b)
        return op(a, b) if out is None else into(out, name, op(a, b))

    return described(function, name, doc)


def _divisible(name: str, a: Any, b: Any) -> None:
    """Truth values are not divided, and an integer not by zero."""
    x, d = np.asarray(_value(a)), np.asarray(_value(b))
    if x.dtype.kind == d.dtype.kind == "b":
        raise unsupported("div_floor_cpu" if name == "floor_divide" else f"{name}_cpu", name, a, b)
    if b.__class__ is int and x.dtype.kind in "iu":
        d = np.asarray(wrapped(b, dtypes.of(x.dtype)))
    if x.dtype.kind in "iub" and d.dtype.kind in "iub" and not np.all(d):
        raise refuse(RuntimeError, broadcast_text(x.shape, d.shape) or "ZeroDivisionError", name, a, b)


floor_divide = _binary(ops.floor_divide, "⌊input / other⌋.", check=_divisible)
remainder = _binary(ops.remainder, "The remainder with the divisor's sign, as Python's %.", -1, _divisible)
fmod = _binary(ops.fmod, "The remainder with the dividend's sign, as C's fmod.", 1, _divisible)
maximum = _binary(ops.maximum, "The larger of two tensors, element by element; ties share the gradient evenly.", 2)
minimum = _binary(ops.minimum, "The smaller of two tensors, element by element; ties share the gradient evenly.", 2)
atan2 = _binary(ops.atan2, "The angle of the point (other, input).", 2)


def pow(input: Operand, exponent: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """inputᵉˣᵖᵒⁿᵉⁿᵗ; either may be a number.

    Integers to the power of a negative number are refused; to the power of a tensor with negative elements they are 0
    there, or ±1 for ±1.
    """
    if out is not None:
        return into(out, "pow", pow(input, exponent))
    if isinstance(exponent, np.generic):
        exponent = exponent.item()
    if not isinstance(exponent, (Tensor, int, float)):
        raise not_a("Tensor or Number", exponent, "pow", "exponent")
    if isinstance(exponent, Tensor):
        base = _operand(input, "pow")
        kinds = _kind(base) + _kind(exponent)
        if kinds == "bb":
            raise unsupported("pow", "pow", base, exponent)
        if not set(kinds) - set("biu") and np.any(exponent.array < 0):
            return _whole_power(base, exponent)
        return ops.pow(base, exponent)
    x = input if isinstance(input, Tensor) else expect_tensor(input, "pow")
    if x.array.dtype.kind in "biu":
        target = dtypes.result_type(x.array, exponent)
        if target.rank:
            scalar_array(exponent, target, "pow")  # raises for one that is too large
        if exponent < 0 and isinstance(exponent, int):
            text = "Integers to negative integer powers are not allowed."
            raise refuse(RuntimeError, text, "pow", input, exponent, mend="convert it first: x.float()")
        if isinstance(exponent, bool):
            return x.clone() if exponent else wrap(np.ones_like(x.array))
        if isinstance(exponent, float) or x.array.dtype.kind == "b":
            return ops.pow(x, exponent)
    if exponent == 2:
        return ops.square(x)
    if not -6e4 < exponent < 6e4:
        dtypes.result_type(exponent)  # raises for an integer of more than 64 bits
        if x.array.dtype == np.float16:
            scalar_array(exponent, dtypes.float16, "pow")
    return ops.power(x, n=exponent)


def _whole_power(input: Any, exponent: Any) -> Tensor:
    kind = dtypes.result_type(*map(_value, (input, exponent))).numpy
    common_shape("pow", input, exponent)
    a, b = (np.asarray(_value(x)).astype(kind) for x in (input, exponent))
    inverse = np.where(a == 1, 1, np.where(a == -1, 1 - 2 * (b & 1), 0))
    return wrap(np.where(b >= 0, np.power(a, np.maximum(b, 0)), inverse).astype(kind))


@checked
def float_power(input: Operand, exponent: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """input to the power of exponent, in float64."""
    a, b = _operand(input, "float_power"), _operand(exponent, "float_power", "exponent", 2)
    if not isinstance(a, Tensor) and not isinstance(b, Tensor):
        raise no_overload("float_power", input, exponent)
    return pow(*(x.double() if isinstance(x, Tensor) else float(x) for x in (a, b)))


def _is_bool(x: Any) -> bool:
    return isinstance(x, bool) or (isinstance(x, Tensor) and x.array.dtype == bool)


# ------------------------------------------------------------------------------------------ comparisons
def _compare(op: Any, tensors: int = 1) -> Callable[..., Tensor]:
    return _binary(op, f"Whether input {op.__name__} other, element by element: a bool tensor.", tensors)


eq, ne, lt, le, gt, ge = map(_compare, (ops.eq, ops.ne, ops.lt, ops.le, ops.gt, ops.ge))
logical_and, logical_or, logical_xor = map(_compare, (ops.logical_and, ops.logical_or, ops.logical_xor), (2, 2, 2))


def _have_bits(name: str, *operands: Any) -> None:
    common_shape(name, *operands)
    for x in operands:
        if _kind(x) not in "biu":
            raise unsupported(f"{name}_cpu", name, x)


bitwise_and = _binary(ops.bitwise_and, "input and other, bit by bit, of integers or truth values.", -1, _have_bits)
bitwise_or = _binary(ops.bitwise_or, "input or other, bit by bit, of integers or truth values.", -1, _have_bits)
bitwise_xor = _binary(ops.bitwise_xor, "input xor other, bit by bit, of integers or truth values.", -1, _have_bits)


def bitwise_not(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """~input of integers or truth values."""
    if out is not None:
        return into(out, "bitwise_not", bitwise_not(input))
    if expect_tensor(input, "bitwise_not").array.dtype.kind not in "biu":
        text = "~ (operator.invert) is only implemented on integer and Boolean-type tensors"
        raise refuse(TypeError, text, "bitwise_not", input)
    return ops.bitwise_not(input)


@checked
def isclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Tensor:
    """|input - other| ≤ atol + rtol · |other|."""
    a, b = (dtypes.of(x.array.dtype).spoken for x in (input, other))
    if a != b:
        raise refuse(RuntimeError, f"{a} did not match {b}")
    for name, bound in (("rtol", rtol), ("atol", atol)):
        if bound < 0:
            raise refuse(RuntimeError, f"{name} must be greater than or equal to zero, but got {bound:g}")
    common_shape("isclose", input, other)
    with np.errstate(all="ignore"):
        return wrap(np.isclose(input.array, other.array, float(rtol), float(atol), equal_nan))


@checked
def allclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Whether all elements are close."""
    return bool(isclose(input, other, rtol, atol, equal_nan).array.all())


@checked
def equal(input: Tensor, other: Tensor) -> bool:
    """Whether both have one shape and equal elements."""
    return input.array.shape == other.array.shape and bool(np.array_equal(input.array, other.array))


# ------------------------------------------------------------------------------------------ choices
UINT8_CONDITION = (
    "where received a uint8 condition tensor. This behavior is deprecated and will be removed in a future version of "
    "PyTorch. Use a boolean condition instead."
)


@overload
def where(condition: Tensor) -> tuple[Tensor, ...]: ...
@overload
def where(condition: Tensor, input: Operand, other: Operand, *, out: Tensor | None = None) -> Tensor: ...
def where(
    condition: Tensor, input: Operand | None = None, other: Operand | None = None, *, out: Tensor | None = None
) -> Tensor | tuple[Tensor, ...]:
    """input where condition holds, else other; with the condition alone, the indices where it holds."""
    if out is not None:
        return into(out, "where", where(condition, *(x for x in (input, other) if x is not None)))
    expect_tensor(condition, "where", "condition")
    if input is None and other is None:
        return tuple(wrap(i) for i in np.nonzero(np.atleast_1d(condition.array)))
    if condition.array.dtype != bool:
        if condition.array.dtype != np.uint8:
            kind = dtypes.of(condition.array.dtype).spoken
            text = f"where expected condition to be a boolean tensor, but got a tensor with dtype {kind}"
            raise refuse(RuntimeError, text, "where", condition, input, other, mend="condition != 0")
        warnings.warn(UINT8_CONDITION, UserWarning, stacklevel=2)
        condition = condition.bool()
    a, b = _operand(input, "where", "input", 2), _operand(other, "where", "other", 3)
    target = dtypes.result_type(*map(_value, (a, b)))
    a, b = (
        promoted_to(target, x) if isinstance(x, Tensor) else wrap(written_number(x, target, "where")) for x in (a, b)
    )
    shapes = [x.array.shape for x in (condition, a, b)]
    text = broadcast_text(shapes[1], shapes[2]) or broadcast_text(shapes[0], np.broadcast_shapes(*shapes[1:]))
    if text:
        raise refuse(RuntimeError, text, "where", condition, a, b)
    return ops.where(condition, a, b)


def clamp(
    input: Tensor, min: Operand | None = None, max: Operand | None = None, *, out: Tensor | None = None
) -> Tensor:
    """Bounded to [min, max]; either bound a number, a tensor or None. On the bounds the slope is 1."""
    if out is not None:
        return into(out, "clamp", clamp(input, min, max))
    expect_tensor(input, "clamp")
    if min is None and max is None:
        raise refuse(RuntimeError, "torch.clamp: At least one of 'min' or 'max' must not be None", "clamp", input)
    low, high = min, max
    if low.__class__ is not float or high.__class__ is not float:
        if not ((min is None or is_operand(min)) and (max is None or is_operand(max))):
            raise no_overload("clamp", input, **{k: x for k, x in (("min", min), ("max", max)) if x is not None})
        low = None if min is None else _operand(min, "clamp", "min", 2)
        high = None if max is None else _operand(max, "clamp", "max", 3)
        if isinstance(low, (Tensor, np.ndarray)) or isinstance(high, (Tensor, np.ndarray)):
            return _clamp_between(input, low, high)
    if input.array.dtype.kind != "f" or not ((low is None or _small(low)) and (high is None or _small(high))):
        input, low, high = _met_by_bounds(input, low, high)
    return ops.clamp(input, low=low, high=high)


def _small(x: Any) -> bool:
    """Whether a bound is a number that every floating point dtype can hold."""
    return (x.__class__ is float or x.__class__ is int) and -6e4 < x < 6e4


def _met_by_bounds(input: Tensor, low: Any, high: Any) -> tuple[Tensor, Any, Any]:
    """The input and two numbers in their common dtype."""
    target = dtypes.result_type(input.array, *[x for x in (low, high) if x is not None])
    if target.rank == 3:
        raise refuse(RuntimeError, "clamp is not supported for complex types", "clamp", input)
    if target is dtypes.bool:
        which = "max_" if low is None else "min_" if high is None else ""
        raise unsupported(f"clamp_{which}scalar_cpu", "clamp", input)
    low, high = (x if x is None else scalar_array(x, target, "clamp").item() for x in (low, high))
    return promoted_to(target, input), low, high


def _clamp_between(input: Tensor, low: Any, high: Any) -> Tensor:
    """Bounded by tensors, which broadcast; where low is above high, the result is high."""
    if any(isinstance(x, (int, float)) for x in (low, high)):
        if any(isinstance(x, (Tensor, np.ndarray)) and x.ndim for x in (low, high)):
            raise no_overload("clamp", input, low, high)
        return clamp(input, *(x.item() if isinstance(x, (Tensor, np.ndarray)) else x for x in (low, high)))
    bounds = [x if x is None else as_tensor_like(x, input) for x in (low, high)]
    given = [x for x in bounds if x is not None]
    target = dtypes.result_type(input.array, *(x.array for x in given))
    if target is dtypes.bool and len(given) == 2:
        raise unsupported("clamp_cpu", "clamp", input, *given)
    y = promoted_to(target, input)
    for x, op in zip(bounds, (ops.maximum, ops.minimum), strict=True):
        y = y if x is None else op(y, promoted_to(target, x))
    return y


clip = clamp


@checked
def nan_to_num(
    input: Tensor,
    nan: float | None = 0.0,
    posinf: float | None = None,
    neginf: float | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """NaN and infinities replaced by numbers."""
    if input.array.dtype.kind in "biu":
        return ops.clone(input)
    info = np.finfo(input.array.dtype)
    y = where(isnan(input), 0.0 if nan is None else nan, input)
    y = where(y == math.inf, float(info.max) if posinf is None else posinf, y)
    return where(y == -math.inf, float(info.min) if neginf is None else neginf, y)


@checked
def masked_fill(input: Tensor, mask: Tensor, value: Tensor | Number) -> Tensor:
    """input, but value where the mask holds."""
    if not isinstance(input, Tensor) or not isinstance(mask, Tensor):
        raise no_overload("masked_fill", input, mask, value)
    if mask.array.dtype != bool:
        text = f"masked_fill_ only supports boolean masks, but got mask with dtype {mask.dtype.c_name}"
        raise refuse(RuntimeError, text, mend="mask != 0")
    common_shape("masked_fill", mask, input)
    if not isinstance(value, Tensor):
        return ops.where(mask, wrap(scalar_array(value, input.dtype, "masked_fill")), input)
    if value.array.ndim:
        text = "masked_fill_ only supports a 0-dimensional value tensor, but got tensor with "
        mend = "torch.where(mask, value, input)"
        raise refuse(RuntimeError, f"{text}{value.array.ndim} dimension(s).", mend=mend)
    return ops.where(mask, value.to(input.dtype), input)


@checked
def lerp(input: Tensor, end: Tensor, weight: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """input + weight · (end - input); all of one floating point dtype."""
    tensors = isinstance(input, Tensor) and isinstance(end, Tensor)
    if not tensors or not isinstance(weight, (Tensor, int, float)):
        raise no_overload("lerp", input, end, weight)
    weight = _operand(weight, "lerp")
    for name, x in (("end", end), ("weight", weight)):
        if isinstance(x, Tensor) and x.array.dtype != input.array.dtype and (name == "end" or x.array.ndim):
            text = f"expected dtype {input.dtype.c_name} for `{name}` but got dtype {x.dtype.c_name}"
            raise refuse(RuntimeError, text, "lerp", input, end, weight, mend=f"convert it: x.to({input.dtype})")
    if input.array.dtype.kind in "biu":
        kernel = "lerp_kernel_tensor" if isinstance(weight, Tensor) and weight.array.ndim else "lerp_kernel_scalar"
        raise unsupported(kernel, "lerp", input, end, weight)
    return ops.lerp(input, end, weight)


@checked
@in_float32
def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1, out: Tensor | None = None) -> Tensor:
    """input + value · tensor1 · tensor2."""
    input, tensor1, tensor2, factor = _with_value("addcmul", input, tensor1, tensor2, value)
    if input.array.dtype == bool:
        raise unsupported("addcmul_cpu_out", "addcmul", input, tensor1, tensor2)
    return input + (tensor1 if factor == 1 else tensor1 * factor) * tensor2


INTEGER_ADDCDIV = (
    "Integer division with addcdiv is no longer supported, and in a future  release addcdiv will perform a true "
    "division of tensor1 and tensor2. The historic addcdiv behavior can be implemented as (input + value * "
    "torch.trunc(tensor1 / tensor2)).to(input.dtype) for integer inputs and as (input + value * tensor1 / tensor2) for "
    "float inputs. The future addcdiv behavior is just the latter implementation: (input + value * tensor1 / tensor2), "
    "for all dtypes."
)


@checked
@in_float32
def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1, out: Tensor | None = None) -> Tensor:
    """input + value · tensor1 / tensor2."""
    kinds = [expect_tensor(x, "addcdiv", f"tensor{i}", i + 1).array.dtype.kind for i, x in ((1, tensor1), (2, tensor2))]
    input, tensor1, tensor2, factor = _with_value("addcdiv", input, tensor1, tensor2, value)
    if not set(kinds) - set("biu"):
        raise refuse(RuntimeError, INTEGER_ADDCDIV, "addcdiv", input, tensor1, tensor2)
    return input + (tensor1 if factor == 1 else tensor1 * factor) / tensor2


def _with_value(name: str, input: Tensor, tensor1: Tensor, tensor2: Tensor, value: Any) -> tuple[Any, ...]:
    """Three tensors in their common dtype, and the factor as a number that this dtype can hold."""
    for i, (word, x) in enumerate((("input", input), ("tensor1", tensor1), ("tensor2", tensor2)), 1):
        expect_tensor(x, name, word, i)
    if isinstance(value, Tensor) and not value.array.ndim:
        value = value.item()
    if not isinstance(value, (int, float)):
        raise not_a("Number", value, name, "value")
    target = dtypes.result_type(input.array, tensor1.array, tensor2.array)
    if target is not dtypes.float16:
        held = scalar_array(value, target, name)  # raises for one that is too large
        value = held.item() if target.rank < 2 else value
    return (*(promoted_to(target, x) for x in (input, tensor1, tensor2)), value)


def _met(input: Tensor, other: Tensor, name: str) -> list[Tensor]:
    """Both in their common floating dtype."""
    kinds = (expect_tensor(x, name, n, i).array.dtype.kind for x, n, i in ((input, "input", 1), (other, "other", 2)))
    if not set(kinds) - set("biu"):
        raise unsupported(f"{name}_cpu", name, input, other)
    return promoted(input, other)


def logaddexp(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """ln(eⁱⁿᵖᵘᵗ + eᵒᵗʰᵉʳ) without overflow."""
    y = ops.logaddexp(*_met(input, other, "logaddexp"))
    return y if out is None else into(out, "logaddexp", y)


def hypot(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """√(input² + other²)."""
    y = ops.hypot(*_met(input, other, "hypot"))
    return y if out is None else into(out, "hypot", y)


def deg2rad(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Degrees as radians."""
    if out is not None:
        return into(out, "deg2rad", deg2rad(input))
    return expect_tensor(input, "deg2rad") * (math.pi / 180)


def rad2deg(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Radians as degrees."""
    if out is not None:
        return into(out, "rad2deg", rad2deg(input))
    return expect_tensor(input, "rad2deg") * (180 / math.pi)


multiply, divide, true_divide, subtract, negative = mul, div, div, sub, neg
greater, greater_equal, less, less_equal, not_equal = gt, ge, lt, le, ne


# ------------------------------------------------------------------------------------------ as methods
abs_, square_, relu_, neg_, round_ = in_place(abs), in_place(square), in_place(relu), in_place(neg), in_place(round)
clamp_, clip_ = in_place(clamp), in_place(clip)
acos_, asin_, atan_, cos_, cosh_, sin_, sinh_ = map(in_place, (acos, asin, atan, cos, cosh, sin, sinh))
tan_, tanh_, sigmoid_, erf_, sqrt_, rsqrt_ = map(in_place, (tan, tanh, sigmoid, erf, sqrt, rsqrt))
exp_, exp2_, expm1_, log_, log10_, log1p_, log2_ = map(in_place, (exp, exp2, expm1, log, log10, log1p, log2))
reciprocal_, floor_, ceil_, trunc_ = map(in_place, (reciprocal, floor, ceil, trunc))


class Pointwise:
    """The methods of a tensor that this file defines."""

    __slots__ = ()  # so that tensors are as small, and made as fast, as if the class were not there

    abs, absolute, acos, acosh, add, addcdiv, addcmul = abs, absolute, acos, acosh, add, addcdiv, addcmul
    allclose, arccos, arcsin, arctan, asin, asinh, atan = allclose, arccos, arcsin, arctan, asin, asinh, atan
    atan2, atanh, bitwise_and, bitwise_not, bitwise_or = atan2, atanh, bitwise_and, bitwise_not, bitwise_or
    bitwise_xor, ceil, clamp, clip, cos, cosh = bitwise_xor, ceil, clamp, clip, cos, cosh
    deg2rad, div, divide, eq, equal, erf, exp, exp2, expm1 = deg2rad, div, divide, eq, equal, erf, exp, exp2, expm1
    float_power, floor, floor_divide, fmod, frac, ge = float_power, floor, floor_divide, fmod, frac, ge
    greater, greater_equal, gt, hypot, isclose, isfinite = greater, greater_equal, gt, hypot, isclose, isfinite
    isinf, isnan, le, lerp, less, less_equal, log, log10 = isinf, isnan, le, lerp, less, less_equal, log, log10
    log1p, log2, logaddexp, logical_and, logical_not = log1p, log2, logaddexp, logical_and, logical_not
    logical_or, logical_xor, lt, masked_fill, maximum = logical_or, logical_xor, lt, masked_fill, maximum
    minimum, mul, multiply, nan_to_num, ne, neg, negative = minimum, mul, multiply, nan_to_num, ne, neg, negative
    not_equal, positive, pow, rad2deg, reciprocal, relu = not_equal, positive, pow, rad2deg, reciprocal, relu
    remainder, round, rsqrt, sgn, sigmoid, sign, sin, sinh = remainder, round, rsqrt, sgn, sigmoid, sign, sin, sinh
    sqrt, square, sub, subtract, tan, tanh, true_divide = sqrt, square, sub, subtract, tan, tanh, true_divide
    trunc = trunc
    abs_, acos_, asin_, atan_, ceil_, clamp_, clip_, cos_ = abs_, acos_, asin_, atan_, ceil_, clamp_, clip_, cos_
    cosh_, erf_, exp_, exp2_, expm1_, floor_, log_, log10_ = cosh_, erf_, exp_, exp2_, expm1_, floor_, log_, log10_
    log1p_, log2_, neg_, reciprocal_, relu_, round_, rsqrt_ = log1p_, log2_, neg_, reciprocal_, relu_, round_, rsqrt_
    sigmoid_, sin_, sinh_, sqrt_, square_, tan_, tanh_ = sigmoid_, sin_, sinh_, sqrt_, square_, tan_, tanh_
    trunc_ = trunc_

    # each of these, as those above with an underscore, changes the tensor itself
    add_, sub_, mul_, div_ = in_place(add), in_place(sub), in_place(mul), in_place(div)
    subtract_, multiply_, divide_, pow_, sign_, lerp_ = sub_, mul_, div_, in_place(pow), in_place(sign), in_place(lerp)
    addcdiv_, addcmul_, masked_fill_ = in_place(addcdiv), in_place(addcmul), in_place(masked_fill, write_changed)
    floor_divide_, fmod_, remainder_ = map(in_place, (floor_divide, fmod, remainder))
    eq_, ge_, gt_, le_, lt_, ne_ = map(in_place, (eq, ge, gt, le, lt, ne))
    logical_and_, logical_not_, logical_or_ = map(in_place, (logical_and, logical_not, logical_or))
