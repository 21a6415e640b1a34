"""Elementwise functions that look at how numbers are made: signs, exponents, neighbours, common divisors, shifts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tinygrad_pt import dtypes, ops
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.arguments import Operand, flat_in, promoted, promoted_to
from tinygrad_pt.functions.binding import described
from tinygrad_pt.functions.checks import (
    checked,
    common_shape,
    expect_tensor,
    into,
    is_operand,
    no_overload,
    unsupported,
)
from tinygrad_pt.functions.pointwise import _operand, acosh, asinh, atan2, atanh, clamp, pow, trunc
from tinygrad_pt.functions.reduction import named
from tinygrad_pt.graph import Tensor
from tinygrad_pt.ops import numbers

__all__ = [
    "adjoint", "angle", "arccosh", "arcsinh", "arctan2", "arctanh", "bitwise_left_shift", "bitwise_right_shift",
    "clamp_max", "clamp_min", "conj", "conj_physical", "copysign", "fix", "fmax", "fmin", "frexp", "gcd", "heaviside",
    "imag", "is_conj", "is_neg", "isneginf", "isposinf", "isreal", "lcm", "ldexp", "logaddexp2", "nextafter", "real",
    "resolve_conj", "resolve_neg", "signbit",
]  # fmt: skip


# ------------------------------------------------------------------------------------------ signs
@checked
def copysign(input: Tensor, other: Operand, *, out: Tensor | None = None) -> Tensor:
    """|input| with the sign of other: floating point numbers; the sign of 0 counts.

    >>> import tinygrad_pt as torch
    >>> torch.copysign(torch.tensor([1.0, -2.0]), -0.0)
    tensor([-1., -2.])
    """
    other = _operand(other, "copysign", "other", 2)
    kind = dtypes.result_type(input.array, other.array if isinstance(other, Tensor) else other)
    kind = kind if kind.rank > 1 else dtypes.get_default_dtype()
    sign = np.copysign(kind.numpy.type(1), other.array if isinstance(other, Tensor) else other)
    common_shape("copysign", input, sign)
    y = flat_in(ops.abs(promoted_to(kind, input)) * wrap(sign.astype(kind.numpy)), other)
    return y if out is None else into(out, "copysign", y)


@checked
def signbit(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Whether the sign is negative; that of -0.0 is."""
    x = input.array
    y = wrap(np.signbit(x) if x.dtype.kind == "f" else x < 0 if x.dtype.kind == "i" else np.zeros(x.shape, bool))
    return y if out is None else into(out, "signbit", y)


@checked
def heaviside(input: Tensor, values: Tensor, *, out: Tensor | None = None) -> Tensor:
    """0 where input is negative, 1 where it is positive, and `values` where it is 0; both of one dtype."""
    if input.array.dtype != values.array.dtype:
        text = "heaviside is not yet implemented for tensors with different dtypes."
        raise refuse(RuntimeError, text, "heaviside", input, values, mend="values.to(input.dtype)")
    x, v = input.array, values.array
    common_shape("heaviside", input, values)
    y = wrap(np.where(x == 0, v, (x > 0).astype(v.dtype)))
    return y if out is None else into(out, "heaviside", y)


def _infinite(name: str, sign: float) -> Callable[..., Tensor]:
    def function(input: Tensor, *, out: Tensor | None = None) -> Tensor:
        x = input.array
        y = wrap(x == sign if x.dtype.kind == "f" else np.zeros(x.shape, bool))
        return y if out is None else into(out, name, y)

    return checked(described(function, name, f"Whether an element is {sign}."))


isposinf, isneginf = _infinite("isposinf", np.inf), _infinite("isneginf", -np.inf)


# ------------------------------------------------------------------------------------------ as complex numbers
@checked
def isreal(input: Tensor) -> Tensor:
    """Whether an element has no imaginary part: always."""
    return wrap(np.ones(input.array.shape, bool))


def _itself(name: str, doc: str) -> Callable[[Tensor], Tensor]:
    def function(input: Tensor) -> Tensor:
        return expect_tensor(input, name)

    return described(function, name, doc)


real = _itself("real", "The real part of a real tensor: itself.")
conj = _itself("conj", "The conjugate of a real tensor: itself.")
conj_physical = checked(_itself("conj_physical", "The conjugate of a real tensor: itself."))
resolve_conj = _itself("resolve_conj", "The tensor itself: no conjugation waits to be carried out.")
resolve_neg = _itself("resolve_neg", "The tensor itself: no negation waits to be carried out.")


def imag(input: Tensor) -> Tensor:
    """The imaginary part, which a real tensor does not have: an error."""
    text = "imag is not implemented for tensors with non-complex dtypes."
    raise refuse(RuntimeError, text, "imag", expect_tensor(input, "imag"))


def is_conj(input: Tensor) -> bool:
    """Whether a conjugation waits to be carried out: never."""
    return expect_tensor(input, "is_conj") is None


def is_neg(input: Tensor) -> bool:
    """Whether a negation waits to be carried out: never."""
    return expect_tensor(input, "is_neg") is None


@checked
def angle(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """0, or π for a negative number; nan for nan."""
    x = promoted_to(input.dtype if input.array.dtype.kind == "f" else dtypes.get_default_dtype(), input)
    a = x.array
    y = flat_in(wrap(np.where(np.isnan(a), a, np.where(a < 0, np.pi, 0)).astype(a.dtype)), x)
    return y if out is None else into(out, "angle", y)


def _swapped(name: str, matrices: str, most: int) -> Callable[[Tensor], Tensor]:
    """The function that transposes matrices, and leaves a number as it is."""

    def function(input: Tensor) -> Tensor:
        n = input.array.ndim
        if n == 1 or n > most:
            text = f"{name} is only supported on {matrices}. Got {n}-D tensor."
            text += " For batches of matrices, consider using tensor.mH" if n > most else ""
            raise refuse(RuntimeError, text, name, input)
        return ops.t(input) if n else input

    return described(function, name, "The last two axes swapped: the adjoint of a real matrix is its transpose.")


adjoint = checked(_swapped("tensor.adjoint()", "matrices or batches of matrices", 64))
described(adjoint, "adjoint", adjoint.__doc__)
_H = _swapped("tensor.H", "matrices (2-D tensors)", 2)
_mH = _swapped("tensor.mH", "matrices or batches of matrices", 64)


# ------------------------------------------------------------------------------------------ extremes
def _pair(
    name: str, compute: Callable[[Tensor, Tensor], Tensor], doc: str, kinds: str = "biuf"
) -> Callable[..., Tensor]:
    """A function of two tensors, in their common dtype, which must be of these kinds."""

    def function(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
        a, b = promoted(input, other)
        common_shape(name, a, b)
        if a.array.dtype.kind not in kinds:
            raise unsupported(f"{name}_cpu", name, a, b)
        y = compute(a, b)
        return y if out is None else into(out, name, y)

    return checked(described(function, name, doc))


def _first_of(first: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Callable[[Tensor, Tensor], Tensor]:
    """The choice between two tensors of the first, where it comes first, which gives it all of the gradient."""
    return lambda a, b: ops.where(wrap(first(a.array, b.array)), a, b)


fmax = _pair("fmax", _first_of(lambda a, b: (a >= b) | (b != b)),
             "The larger of two numbers, or the one that is no nan; ties give the gradient to input.")  # fmt: skip
fmin = _pair("fmin", _first_of(lambda a, b: (a <= b) | (b != b)),
             "The smaller of two numbers, or the one that is no nan; ties give the gradient to input.")  # fmt: skip
_at_least, _at_most = _first_of(lambda a, b: (a >= b) | (a != a)), _first_of(lambda a, b: (a <= b) | (a != a))


def _bound(word: str, bounded: Callable[[Tensor, Tensor], Tensor], doc: str) -> Callable[..., Tensor]:
    name = f"clamp_{word}"

    def function(input: Tensor, *bound: Operand, out: Tensor | None = None, **named: Operand) -> Tensor:
        given: list[Any] = [*bound, *named.values()]
        if not isinstance(input, Tensor) or len(given) != 1 or not is_operand(given[0]) or {*named} - {word}:
            raise no_overload(name, input, *bound, **named)
        b = _operand(given[0], name, word, 2)
        b = wrap(b) if isinstance(b, np.ndarray) else b
        if isinstance(b, Tensor):
            common_shape(name, input, b)
            y = bounded(*promoted(input, b))
        else:
            y = clamp(input, **{word: b})
        return y if out is None else into(out, name, y)

    return checked(described(function, name, doc))


clamp_max = _bound("max", _at_most, "min(input, max), where max is a number or a tensor.")
clamp_min = _bound("min", _at_least, "max(input, min), where min is a number or a tensor.")


# ------------------------------------------------------------------------------------------ exponents
@named
class Frexp(NamedTuple):
    """A number is mantissa · 2^exponent, with 1/2 ≤ |mantissa| < 1."""

    mantissa: Tensor
    exponent: Tensor


Frexp.__name__ = "frexp"


@checked
def frexp(input: Tensor, *, out: Any = None) -> Frexp:
    """(mantissa, exponent) with input = mantissa · 2^exponent, 1/2 ≤ |mantissa| < 1; the exponents are int32.

    >>> import tinygrad_pt as torch
    >>> torch.frexp(torch.tensor([1.5, -4.0])).exponent
    tensor([1, 3], dtype=torch.int32)
    """
    x = input.array
    if x.dtype.kind != "f":
        raise refuse(RuntimeError, "torch.frexp() only supports floating-point dtypes", "frexp", input)
    e = np.where(np.isfinite(x) & (x != 0), np.frexp(x)[1], 0).astype(np.int32)
    return Frexp(numbers.scale(input, n=-e), wrap(e))


@checked
def ldexp(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """input · 2^other."""
    kind = dtypes.result_type(input.array, other.array)
    kind = kind if kind.rank > 1 else dtypes.get_default_dtype()
    y = ops.mul(promoted_to(kind, input), promoted_to(kind, pow(2.0, other)))
    return y if out is None else into(out, "ldexp", y)


logaddexp2 = _pair("logaddexp2", numbers.logaddexp2, "log₂(2ⁱⁿᵖᵘᵗ + 2ᵒᵗʰᵉʳ) without overflow.", "f")
_next = _pair("nextafter", numbers.nextafter, "", "f")


@checked
def nextafter(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The next number after input that its dtype can hold, towards other.

    >>> import tinygrad_pt as torch
    >>> torch.nextafter(torch.tensor([1.0]), torch.tensor([2.0])).item() - 1 == torch.finfo(torch.float32).eps
    True
    """
    return _next(input, other, out=out)


# ------------------------------------------------------------------------------------------ integers
def _of_integers(ufunc: np.ufunc) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda a, b: wrap(ufunc(a.array, b.array))


gcd = _pair("gcd", _of_integers(np.gcd), "The greatest common divisor, element by element, of integers.", "iu")
lcm = _pair("lcm", _of_integers(np.lcm), "The least common multiple, element by element, of integers.", "iu")


def _left(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    far = (b < 0) | (b >= a.itemsize * 8)
    return np.where(far, a.dtype.type(0), np.left_shift(a, np.where(far, b.dtype.type(0), b)))


def _right(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    most = b.dtype.type(a.itemsize * 8 - 1)  # then there is nothing left but the sign
    y = np.right_shift(a, np.where((b < 0) | (b > most), most, b))
    return np.where((b < 0) | (b > most), a.dtype.type(0), y) if a.dtype.kind == "u" else y


def _shift(name: str, kernel: str, compute: Any, doc: str) -> Callable[..., Tensor]:
    def function(input: Operand, other: Operand, *, out: Tensor | None = None) -> Tensor:
        a, b = _operand(input, name), _operand(other, name, "other", 2)
        if not isinstance(a, Tensor) and not isinstance(b, Tensor):
            raise no_overload(name, a, b)
        kind = dtypes.result_type(*(x.array if isinstance(x, Tensor) else x for x in (a, b)))
        if kind.rank != 1:
            raise refuse(NotImplementedError, f"\"{kernel}\" not implemented for '{kind.spoken}'", name, a, b)
        common_shape(name, a, b)
        y = wrap(compute(*((x.array if isinstance(x, Tensor) else np.array(x)).astype(kind.numpy) for x in (a, b))))
        return y if out is None else into(out, name, y)

    return checked(described(function, name, doc))


bitwise_left_shift = _shift("bitwise_left_shift", "lshift_cpu", _left, "input · 2^other, of integers.")
bitwise_right_shift = _shift("bitwise_right_shift", "rshift_cpu", _right, "⌊input / 2^other⌋, of integers.")


# ------------------------------------------------------------------------------------------ as methods
fix, arctan2, arccosh, arcsinh, arctanh = trunc, atan2, acosh, asinh, atanh


class Numbers:
    """The methods of a tensor that this file defines."""

    __slots__ = ()  # so that tensors are as small, and made as fast, as if the class were not there

    adjoint, angle, arccosh, arcsinh, arctan2, arctanh = adjoint, angle, arccosh, arcsinh, arctan2, arctanh
    bitwise_left_shift, bitwise_right_shift, clamp_max = bitwise_left_shift, bitwise_right_shift, clamp_max
    clamp_min, conj, conj_physical, copysign, fix, fmax = clamp_min, conj, conj_physical, copysign, fix, fmax
    fmin, frexp, gcd, heaviside, is_conj, is_neg = fmin, frexp, gcd, heaviside, is_conj, is_neg
    isneginf, isposinf, isreal, lcm, ldexp, logaddexp2 = isneginf, isposinf, isreal, lcm, ldexp, logaddexp2
    nextafter, resolve_conj, resolve_neg, signbit = nextafter, resolve_conj, resolve_neg, signbit
    # a property has the type of its value
    real: Tensor = property(real, doc="The real part of a real tensor: itself.")  # type: ignore[assignment]
    imag: Tensor = property(imag, doc="The imaginary part, which a real tensor does not have: an error.")  # type: ignore[assignment]
    H: Tensor = property(_H, doc="The transpose of a real matrix.")  # type: ignore[assignment]
    mH: Tensor = property(_mH, doc="The last two axes swapped.")  # type: ignore[assignment]
