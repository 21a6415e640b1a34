"""PyTorch's elementwise functions: ops with their arguments checked, and what is composed of them."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from tinygrad_pt import dtypes, ops
from tinygrad_pt.errors import broadcast_text, refuse
from tinygrad_pt.functions.arguments import as_tensor_like, expect_tensor, number, promoted, quiet, unsupported
from tinygrad_pt.functions.binding import in_place
from tinygrad_pt.graph import Handle, wrap
from tinygrad_pt.inplace import write
from tinygrad_pt.ops import special

__all__ = [
    "abs", "abs_", "absolute", "acos", "acos_", "acosh", "add", "addcdiv", "addcmul", "allclose", "arccos", "arcsin",
    "arctan", "asin", "asin_", "asinh", "atan", "atan2", "atan_", "atanh", "bitwise_and", "bitwise_not", "bitwise_or",
    "bitwise_xor", "ceil", "ceil_", "clamp", "clamp_", "clip", "clip_", "clone", "cos", "cos_", "cosh", "cosh_",
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


def _unary(op: Any, name: str = "") -> Any:
    name = name or op.__name__

    def function(input: Any, *, out: Any = None) -> Any:
        if not isinstance(input, Handle):
            expect_tensor(input, name)
        return op(input) if out is None else write(out, op(input))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{op.__doc__ or ''}".split("\n")[0] or f"y = {name}(input), element by element."
    return function


exp, expm1, exp2, log, log1p, log2, log10 = map(
    _unary, (ops.exp, ops.expm1, ops.exp2, ops.log, ops.log1p, ops.log2, ops.log10)
)
sqrt, rsqrt, reciprocal = map(_unary, (ops.sqrt, ops.rsqrt, ops.reciprocal))
sin, cos, tan, asin, acos, atan = map(_unary, (ops.sin, ops.cos, ops.tan, ops.asin, ops.acos, ops.atan))
sinh, cosh, tanh, asinh, acosh, atanh = map(_unary, (ops.sinh, ops.cosh, ops.tanh, ops.asinh, ops.acosh, ops.atanh))
sigmoid, erf = _unary(ops.sigmoid), _unary(special.erf)
isnan, isinf, isfinite, logical_not = map(_unary, (ops.isnan, ops.isinf, ops.isfinite, ops.logical_not))
clone = _unary(ops.clone)
arcsin, arccos, arctan = asin, acos, atan


def abs(input: Any) -> Any:
    """|input|; at 0 the slope is 0."""
    if expect_tensor(input, "abs").array.dtype == bool:
        raise unsupported("abs_cpu", input)
    return ops.abs(input)


def sign(input: Any) -> Any:
    """-1, 0 or 1; 0 for nan."""
    return clone(input) if expect_tensor(input, "sign").array.dtype == bool else ops.sign(input)


def relu(input: Any) -> Any:
    """max(input, 0); at 0 the slope is 0."""
    if not isinstance(input, Handle) or input.array.dtype == bool:
        expect_tensor(input, "relu")
        raise RuntimeError("Boolean inputs not supported for relu")
    return ops.relu(input)


def square(input: Any) -> Any:
    """input²."""
    return ops.square(input.long() if expect_tensor(input, "square").array.dtype == bool else input)


absolute = abs


def _whole(op: Any) -> Any:
    """Rounding leaves integers as they are, and truth values have none."""

    def function(input: Any) -> Any:
        kind = expect_tensor(input, op.__name__).array.dtype.kind
        if kind == "b":
            raise unsupported(f"{op.__name__}_vml_cpu", input)
        return clone(input) if kind in "iu" else op(input)

    function.__name__ = function.__qualname__ = op.__name__
    function.__doc__ = op.__doc__
    return function


floor, ceil, trunc, _round = map(_whole, (ops.floor, ops.ceil, ops.trunc, ops.round))


def round(input: Any, *, decimals: int = 0) -> Any:
    """The nearest whole number, halves to even; with `decimals`, the nearest multiple of 10^-decimals."""
    if decimals == 0:
        return _round(input)
    return _round(input * 10.0**decimals) / 10.0**decimals


def frac(input: Any) -> Any:
    """input - trunc(input)."""
    if expect_tensor(input, "frac").array.dtype.kind in "biu":
        raise unsupported("frac_cpu", input)
    return input - trunc(input)


def sgn(input: Any) -> Any:
    """The sign of a real tensor."""
    return sign(input)


# ------------------------------------------------------------------------------------------ arithmetic
def neg(input: Any) -> Any:
    """-input."""
    if expect_tensor(input, "neg").array.dtype == bool:
        raise RuntimeError(
            "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use "
            "the `~` or `logical_not()` operator instead."
        )
    return ops.neg(input)


def positive(input: Any) -> Any:
    """+input: the tensor itself."""
    if expect_tensor(input, "positive").array.dtype == bool:
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


def _scaled(input: Any, other: Any, alpha: Any, name: str) -> Any:
    """alpha · other, which must be a number or a tensor."""
    if not isinstance(other, (Handle, int, float, complex, np.ndarray, np.generic)):
        expect_tensor(other, name, "other", 2)
    if alpha == 1:
        return other
    if isinstance(alpha, float) and all(_kind(x) in "biu" for x in (input, other)):
        raise RuntimeError("For integral input tensors, argument alpha must not be a floating point number.")
    return other * alpha


def _kind(x: Any) -> str:
    return (x.array if isinstance(x, Handle) else np.asarray(x)).dtype.kind


def add(input: Any, other: Any, *, alpha: Any = 1, out: Any = None) -> Any:
    """input + alpha · other; shapes broadcast, dtypes are promoted."""
    y = ops.add(_operand(input, "add"), _scaled(input, other, alpha, "add"))
    return y if out is None else write(out, y)


def sub(input: Any, other: Any, *, alpha: Any = 1, out: Any = None) -> Any:
    """input - alpha · other."""
    if _is_bool(input) or _is_bool(other):
        if _is_bool(input) and _is_bool(other):
            raise RuntimeError(
                "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or "
                "`logical_xor()` operator instead."
            )
        raise RuntimeError(
            "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, "
            "use the `~` or `logical_not()` operator instead."
        )
    y = ops.sub(_operand(input, "sub"), _scaled(input, other, alpha, "sub"))
    return y if out is None else write(out, y)


def rsub(input: Any, other: Any) -> Any:
    """other - input."""
    return sub(other, input)


def mul(input: Any, other: Any, *, out: Any = None) -> Any:
    """input · other, element by element."""
    y = ops.mul(_operand(input, "mul"), _scaled(input, other, 1, "mul"))
    return y if out is None else write(out, y)


def div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Any:
    """input / other; `rounding_mode` 'trunc' or 'floor' rounds the quotient."""
    if rounding_mode is None:
        return ops.div(_operand(input, "div"), _scaled(input, other, 1, "div"))
    if rounding_mode == "floor":
        return floor_divide(input, other)
    if rounding_mode != "trunc":
        raise RuntimeError(
            f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'"
        )
    y = trunc(ops.div(input, other))
    kind = dtypes.result_type(*(x.array if isinstance(x, Handle) else x for x in (input, other)))
    return y if kind.rank > 1 else y.to(kind)


def _divisor(input: Any, other: Any, kernel: str) -> None:
    """Integer division by zero has no value, and truth values are not divided."""
    arrays = [x.array if isinstance(x, Handle) else np.asarray(x) for x in (input, other)]
    if all(x.dtype.kind == "b" for x in arrays):
        raise unsupported(f"{kernel}_cpu", True)
    if all(x.dtype.kind in "iub" for x in arrays) and not np.all(arrays[1]):
        text = broadcast_text(arrays[0].shape, arrays[1].shape)
        raise RuntimeError(text or "ZeroDivisionError")


def floor_divide(input: Any, other: Any) -> Any:
    """⌊input / other⌋."""
    _divisor(input, other, "div_floor")
    return ops.floor_divide(_operand(input, "floor_divide"), _scaled(input, other, 1, "floor_divide"))


def remainder(input: Any, other: Any) -> Any:
    """The remainder with the divisor's sign, as Python's %."""
    _divisor(input, other, "remainder")
    return ops.remainder(_operand(input, "remainder"), _scaled(input, other, 1, "remainder"))


def fmod(input: Any, other: Any) -> Any:
    """The remainder with the dividend's sign, as C's fmod."""
    _divisor(input, other, "fmod")
    return ops.fmod(_operand(input, "fmod"), _scaled(input, other, 1, "fmod"))


def pow(input: Any, exponent: Any) -> Any:
    """inputᵉˣᵖᵒⁿᵉⁿᵗ; either may be a number.

    Integers to the power of a negative number are refused; to the power of a tensor with negative elements they
    are 0 there, or ±1 for ±1.
    """
    if isinstance(exponent, np.generic):
        exponent = exponent.item()
    if not isinstance(exponent, (Handle, int, float)):
        raise TypeError(f"pow(): argument 'exponent' must be Tensor or Number, not {type(exponent).__name__}")
    if isinstance(exponent, Handle):
        kinds = _kind(input) + _kind(exponent)
        if kinds == "bb":
            raise unsupported("pow", True)
        if not set(kinds) - set("biu") and np.any(exponent.array < 0):
            return _whole_power(input, exponent)
        return ops.pow(_operand(input, "pow"), exponent)
    if input.array.dtype.kind in "biu":
        if exponent < 0 and isinstance(exponent, int):
            raise RuntimeError("Integers to negative integer powers are not allowed.")
        if isinstance(exponent, bool):
            return clone(input) if exponent else ones_where(input)
        if isinstance(exponent, float) or input.array.dtype.kind == "b":
            return ops.pow(input, exponent)
    return ops.square(input) if exponent == 2 else ops.power(input, n=exponent)


def ones_where(input: Any) -> Any:
    """1 everywhere, in the shape and dtype of input."""
    return wrap(np.ones_like(input.array))


def _whole_power(input: Any, exponent: Any) -> Any:
    kind = dtypes.result_type(*(x.array if isinstance(x, Handle) else x for x in (input, exponent))).numpy
    a, b = (np.asarray(x.array if isinstance(x, Handle) else x, kind) for x in (input, exponent))
    inverse = np.where(a == 1, 1, np.where(a == -1, 1 - 2 * (b & 1), 0))
    return wrap(np.where(b >= 0, np.power(a, np.maximum(b, 0)), inverse).astype(kind))


def rpow(input: Any, other: Any) -> Any:
    """otherⁱⁿᵖᵘᵗ."""
    return pow(other, input)


def float_power(input: Any, exponent: Any) -> Any:
    """input to the power of exponent, in float64."""
    return pow(input.double(), exponent)


def _operand(value: Any, function: str) -> Any:
    return value if isinstance(value, (Handle, int, float, complex)) else expect_tensor(value, function)


def _is_bool(x: Any) -> bool:
    return isinstance(x, bool) or (isinstance(x, Handle) and x.array.dtype == bool)


# ------------------------------------------------------------------------------------------ comparisons
def _compare(op: Any) -> Any:
    def function(input: Any, other: Any) -> Any:
        return op(expect_tensor(input, op.__name__), _scaled(input, other, 1, op.__name__))

    function.__name__ = function.__qualname__ = op.__name__
    function.__doc__ = f"Whether input {op.__name__} other, element by element: a bool tensor."
    return function


eq, ne, lt, le, gt, ge = map(_compare, (ops.eq, ops.ne, ops.lt, ops.le, ops.gt, ops.ge))
logical_and, logical_or, logical_xor = map(_compare, (ops.logical_and, ops.logical_or, ops.logical_xor))


def _bits(op: Any) -> Any:
    def function(input: Any, other: Any) -> Any:
        for x in (input, other):
            if (x.array.dtype.kind if isinstance(x, Handle) else np.asarray(x).dtype.kind) not in "biu":
                raise unsupported(f"{op.__name__}_cpu", x)
        return op(input, other)

    function.__name__ = function.__qualname__ = op.__name__
    function.__doc__ = f"{op.__name__} of integers or truth values."
    return function


bitwise_and, bitwise_or, bitwise_xor = map(_bits, (ops.bitwise_and, ops.bitwise_or, ops.bitwise_xor))


def _spoken(x: Any) -> str:
    return (dtypes.of(x.array.dtype) if isinstance(x, Handle) else dtypes.of_number(x)).spoken


def bitwise_not(input: Any) -> Any:
    """~input of integers or truth values."""
    if input.array.dtype.kind not in "biu":
        raise TypeError("~ (operator.invert) is only implemented on integer and Boolean-type tensors")
    return ops.bitwise_not(input)


def isclose(input: Any, other: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Any:
    """|input - other| ≤ atol + rtol · |other|."""
    if input.array.dtype != other.array.dtype:
        raise RuntimeError(f"{_spoken(input)} did not match {_spoken(other)}")
    return wrap(np.isclose(input.array, other.array, rtol, atol, equal_nan))


def allclose(input: Any, other: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Whether all elements are close."""
    if input.array.dtype != other.array.dtype:
        raise RuntimeError(f"{_spoken(input)} did not match {_spoken(other)}")
    return bool(np.allclose(input.array, other.array, rtol, atol, equal_nan))


def equal(input: Any, other: Any) -> bool:
    """Whether both have one shape and equal elements."""
    return input.array.shape == other.array.shape and bool(np.array_equal(input.array, other.array))


# ------------------------------------------------------------------------------------------ choices
def maximum(input: Any, other: Any) -> Any:
    """The larger of two tensors, element by element; at ties each gets half of the gradient."""
    return ops.maximum(expect_tensor(input, "maximum"), expect_tensor(other, "maximum", "other", 2))


def minimum(input: Any, other: Any) -> Any:
    """The smaller of two tensors, element by element; at ties each gets half of the gradient."""
    return ops.minimum(expect_tensor(input, "minimum"), expect_tensor(other, "minimum", "other", 2))


@quiet
def _converted(x: Any, kind: Any) -> Any:
    return np.asarray(x).astype(kind)


def where(condition: Any, input: Any = None, other: Any = None) -> Any:
    """input where condition holds, else other; with the condition alone, the indices where it holds."""
    expect_tensor(condition, "where", "condition")
    if input is None and other is None:
        return tuple(wrap(i) for i in np.nonzero(condition.array))
    if condition.array.dtype != bool:
        if condition.array.dtype != np.uint8:
            raise RuntimeError(
                f"where expected condition to be a boolean tensor, but got a tensor with dtype {_spoken(condition)}"
            )
        warnings.warn(
            "where received a uint8 condition tensor. This behavior is deprecated and will be removed in "
            "a future version "
            "of PyTorch. Use a boolean condition instead.", UserWarning, stacklevel=2,
        )  # fmt: skip
        condition = condition.bool()
    target = dtypes.result_type(*(x.array if isinstance(x, Handle) else x for x in (input, other)))
    input, other = (
        (x if x.array.dtype == target.numpy else ops.cast(x, dtype=target)) if isinstance(x, Handle)
        else wrap(_converted(x, target.numpy)) for x in (input, other)
    )  # fmt: skip
    shapes = [x.array.shape for x in (condition, input, other)]
    text = broadcast_text(shapes[1], shapes[2]) or broadcast_text(shapes[0], np.broadcast_shapes(*shapes[1:]))
    if text:
        raise refuse(RuntimeError, text, "where", condition, input, other)
    return ops.where(condition, input, other)


def clamp(input: Any, min: Any = None, max: Any = None) -> Any:
    """Bounded to [min, max]; either bound a number, a tensor or None. On the bounds the slope is 1."""
    expect_tensor(input, "clamp")
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    if isinstance(min, Handle) or isinstance(max, Handle):
        y = input if min is None else ops.maximum(input, as_tensor_like(min, input))
        return y if max is None else ops.minimum(y, as_tensor_like(max, input))
    numbers = [x for x in (min, max) if x is not None]
    target = dtypes.result_type(input.array, *numbers)
    return ops.clamp(input if input.array.dtype == target.numpy else ops.cast(input, dtype=target), low=min, high=max)


clip = clamp


def nan_to_num(input: Any, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Any:
    """NaN and infinities replaced by numbers."""
    if input.array.dtype.kind in "biu":
        return clone(input)
    info = np.finfo(input.array.dtype)
    y = where(isnan(input), nan, input)
    y = where(y == math.inf, float(info.max) if posinf is None else posinf, y)
    return where(y == -math.inf, float(info.min) if neginf is None else neginf, y)


def masked_fill(input: Any, mask: Any, value: Any) -> Any:
    """input, but value where the mask holds."""
    if mask.array.dtype != bool:
        raise RuntimeError(f"masked_fill_ only supports boolean masks, but got mask with dtype {mask.dtype.c_name}")
    if not isinstance(value, Handle):
        value = wrap(number(value, input.dtype))
    elif value.array.ndim:
        raise RuntimeError(
            "masked_fill_ only supports a 0-dimensional value tensor, but got tensor with "
            f"{value.array.ndim} dimension(s)."
        )
    return ops.where(mask, value.to(input.dtype), input)


def lerp(input: Any, end: Any, weight: Any) -> Any:
    """input + weight · (end - input)."""
    return input + weight * (end - input)


def addcmul(input: Any, tensor1: Any, tensor2: Any, *, value: float = 1) -> Any:
    """input + value · tensor1 · tensor2."""
    return input + tensor1 * tensor2 * value


def addcdiv(input: Any, tensor1: Any, tensor2: Any, *, value: float = 1) -> Any:
    """input + value · tensor1 / tensor2."""
    return input + tensor1 / tensor2 * value


def atan2(input: Any, other: Any) -> Any:
    """The angle of the point (other, input)."""
    return ops.atan2(expect_tensor(input, "atan2"), expect_tensor(other, "atan2", "other", 2))


def logaddexp(input: Any, other: Any) -> Any:
    """ln(eⁱⁿᵖᵘᵗ + eᵒᵗʰᵉʳ) without overflow."""
    if _kind(input) in "biu" and _kind(other) in "biu":
        raise unsupported("logaddexp_cpu", input)
    return ops.logaddexp(*promoted(input, other))


def hypot(input: Any, other: Any) -> Any:
    """√(input² + other²)."""
    if _kind(input) in "biu" and _kind(other) in "biu":
        raise unsupported("hypot_cpu", input)
    input, other = promoted(input, other)
    return ops.sqrt(input * input + other * other)


def deg2rad(input: Any) -> Any:
    """Degrees as radians."""
    return input * (math.pi / 180)


def rad2deg(input: Any) -> Any:
    """Radians as degrees."""
    return input * (180 / math.pi)


multiply, divide, true_divide, subtract, negative = mul, div, div, sub, neg
greater, greater_equal, less, less_equal, not_equal = gt, ge, lt, le, ne


# ------------------------------------------------------------------------------------------ as methods
abs_, acos_, asin_, atan_, ceil_ = in_place(abs), in_place(acos), in_place(asin), in_place(atan), in_place(ceil)
clamp_, clip_, cos_, cosh_, erf_ = in_place(clamp), in_place(clip), in_place(cos), in_place(cosh), in_place(erf)
exp_, exp2_, expm1_, floor_, log_ = in_place(exp), in_place(exp2), in_place(expm1), in_place(floor), in_place(log)
log10_, log1p_, log2_, neg_ = in_place(log10), in_place(log1p), in_place(log2), in_place(neg)
reciprocal_, relu_, round_, rsqrt_ = in_place(reciprocal), in_place(relu), in_place(round), in_place(rsqrt)
sigmoid_, sin_, sinh_, sqrt_ = in_place(sigmoid), in_place(sin), in_place(sinh), in_place(sqrt)
square_, tan_, tanh_, trunc_ = in_place(square), in_place(tan), in_place(tanh), in_place(trunc)


class Pointwise:
    """The methods of a tensor that this file defines."""

    abs, absolute, acos, acosh, add, addcdiv, addcmul = abs, absolute, acos, acosh, add, addcdiv, addcmul
    allclose, arccos, arcsin, arctan, asin, asinh, atan = allclose, arccos, arcsin, arctan, asin, asinh, atan
    atan2, atanh, bitwise_and, bitwise_not, bitwise_or = atan2, atanh, bitwise_and, bitwise_not, bitwise_or
    bitwise_xor, ceil, clamp, clip, clone, cos, cosh = bitwise_xor, ceil, clamp, clip, clone, cos, cosh
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
    add_, addcdiv_, addcmul_, div_ = in_place(add), in_place(addcdiv), in_place(addcmul), in_place(div)
    divide_, eq_, floor_divide_, fmod_ = in_place(divide), in_place(eq), in_place(floor_divide), in_place(fmod)
    ge_, gt_, le_, lerp_, logical_and_ = in_place(ge), in_place(gt), in_place(le), in_place(lerp), in_place(logical_and)
    logical_not_, logical_or_, lt_ = in_place(logical_not), in_place(logical_or), in_place(lt)
    masked_fill_, mul_, multiply_, ne_ = in_place(masked_fill), in_place(mul), in_place(multiply), in_place(ne)
    pow_, remainder_, sign_, sub_ = in_place(pow), in_place(remainder), in_place(sign), in_place(sub)
    subtract_ = in_place(subtract)
