"""PyTorch's special functions: the families of the gamma, the error and the Bessel functions, and logarithms."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_pt import dtypes, ops
from tinygrad_pt.autograd import Function
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.arguments import Operand, promoted, promoted_to, scalar_array
from tinygrad_pt.functions.binding import described, in_place
from tinygrad_pt.functions.checks import checked, common_shape, expect_tensor, into, no_overload, unsupported
from tinygrad_pt.functions.pointwise import _operand, clamp
from tinygrad_pt.graph import Tensor
from tinygrad_pt.half import in_float32
from tinygrad_pt.modes import current
from tinygrad_pt.ops import bessel, gamma, probability, special

__all__ = [
    "digamma", "erfc", "erfc_", "erfinv", "i0", "i0_", "igamma", "igammac", "lgamma", "logit", "logit_", "mvlgamma",
    "polygamma", "sinc", "sinc_", "xlogy", "xlogy_",
]  # fmt: skip


class _NoDerivative(Function):
    """y, which cannot be differentiated by x: the walk raises PyTorch's error."""

    @staticmethod
    def forward(ctx: Any, y: Tensor, x: Tensor, name: str) -> Tensor:
        ctx.name = name
        return ops.clone(y)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        text = f"the derivative for '{ctx.name}' is not implemented."
        raise refuse(NotImplementedError, text, mend="detach() that argument")


def _of_one(op: Any, doc: str, name: str = "") -> Callable[..., Tensor]:
    name = name or op.__name__

    def function(input: Tensor, *, out: Tensor | None = None) -> Tensor:
        y = op(expect_tensor(input, name))
        return y if out is None else into(out, name, y)

    return described(function, name, doc)


# ------------------------------------------------------------------------------------------ the gamma function
lgamma = _of_one(gamma.lgamma, "ln |Γ(input)|.")
digamma = _of_one(lambda x: gamma.polygamma(x, n=0), "ψ(input), the derivative of ln Γ.", "digamma")


@checked
def polygamma(n: int, input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The n-th derivative of ψ = (ln Γ)'.

    >>> import tinygrad_pt as torch
    >>> torch.polygamma(1, torch.tensor([1.0, 0.5]))
    tensor([1.6449, 4.9348])
    """
    if n < 0:
        raise refuse(RuntimeError, "polygamma(n, x) does not support negative n.", "polygamma", input)
    y = gamma.polygamma(input, n=n)
    return y if out is None else into(out, "polygamma", y)


@checked
@in_float32
def mvlgamma(input: Tensor, p: int, *, out: Tensor | None = None) -> Tensor:
    """ln of the gamma function of p dimensions: Σ ln Γ(input - j/2) over j < p, and p(p-1)/4 · ln π."""
    if p < 1:
        raise refuse(RuntimeError, "p has to be greater than or equal to 1", "mvlgamma", input)
    x = input if input.array.dtype.kind == "f" else promoted_to(dtypes.get_default_dtype(), input)
    y = p * (p - 1) / 4 * math.log(math.pi) + gamma.lgamma(x)
    for j in range(1, p):
        y = y + gamma.lgamma(x - j / 2)
    return y if out is None else into(out, "mvlgamma", y)


def _by_second(op: Any, a: Tensor, b: Tensor, name: str) -> Tensor:
    """The op of b, of which a is a setting; if a requires a gradient, the walk will say that there is none."""
    common_shape(op.__name__, a, b)
    y = op(b, s=a.array)
    return _NoDerivative.apply(y, a, name) if a.node is not None and current().grad else y


def _of_two(op: Any, doc: str) -> Callable[..., Tensor]:
    name = op.__name__

    def function(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
        a, b = promoted(input, other)
        if a.array.dtype.kind != "f":
            raise unsupported(f"{name}_cpu", name, a, b)
        y = _by_second(op, a, b, f"{name}: input")
        return y if out is None else into(out, name, y)

    return checked(described(function, name, doc))


igamma = _of_two(gamma.igamma, "The share of Γ(input) = ∫ tⁱⁿᵖᵘᵗ⁻¹ e⁻ᵗ dt that lies below other.")
igammac = _of_two(gamma.igammac, "The share of Γ(input) = ∫ tⁱⁿᵖᵘᵗ⁻¹ e⁻ᵗ dt that lies above other.")


# ------------------------------------------------------------------------------------------ with numbers
def _with_numbers(op: Any, doc: str, name: str = "") -> Callable[..., Tensor]:
    """A function of two floating point tensors, either of which may be a number."""
    name = name or op.__name__

    def function(input: Operand, other: Operand, *, out: Tensor | None = None) -> Tensor:
        a, b = _operand(input, name), _operand(other, name, "other", 2)
        if not isinstance(a, Tensor) and not isinstance(b, Tensor):
            raise no_overload(name, a, b)
        kind = dtypes.result_type(*(x.array if isinstance(x, Tensor) else x for x in (a, b)))
        kind = kind if kind.rank > 1 else dtypes.get_default_dtype()
        common_shape(name, a, b)
        a, b = (promoted_to(kind, x) if isinstance(x, Tensor) else wrap(scalar_array(x, kind, name)) for x in (a, b))
        y = op(a, b)
        return y if out is None else into(out, name, y)

    return checked(described(function, name, doc))


def _zeta(a: Tensor, b: Tensor) -> Tensor:
    return _by_second(gamma.zeta, a, b, "special_zeta: self")


xlogy = _with_numbers(probability.xlogy, "input · ln other, which is 0 where input is 0.")
xlog1py = _with_numbers(probability.xlog1py, "input · ln(1 + other), which is 0 where input is 0.", "special_xlog1py")
zeta = _with_numbers(_zeta, "The zeta function of Hurwitz: Σ 1/(other + k)ⁱⁿᵖᵘᵗ.", "special_zeta")


# ------------------------------------------------------------------------------------------ the error function
erfc = _of_one(probability.erfc, "1 - erf(input), with its digits where that is small.")
erfinv = _of_one(probability.erfinv, "The number of which erf is input.")
erfcx = _of_one(probability.erfcx, "e^(input²) · erfc(input).", "special_erfcx")
ndtr = _of_one(special.normal, "Φ(input), the distribution function of the normal distribution.", "special_ndtr")
ndtri = _of_one(probability.ndtri, "The number of which Φ is input.", "special_ndtri")
log_ndtr = _of_one(probability.log_ndtr, "ln Φ(input).", "special_log_ndtr")


@checked
@in_float32
def logit(input: Tensor, eps: float | None = None, *, out: Tensor | None = None) -> Tensor:
    """ln(x / (1 - x)), the inverse of the sigmoid; with `eps`, x is first bounded to [eps, 1 - eps].

    >>> import tinygrad_pt as torch
    >>> torch.logit(torch.tensor([0.5, 1.0]), eps=1e-6)
    tensor([ 0.0000, 13.8023])
    """
    x = input if input.array.dtype.kind == "f" else promoted_to(dtypes.get_default_dtype(), input)
    y = probability.logit(x if eps is None else clamp(x, eps, 1 - eps))
    return y if out is None else into(out, "logit", y)


@checked
@in_float32
def entr(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """-x ln x: 0 for 0, -∞ for a negative number."""
    x = input if input.array.dtype.kind == "f" else promoted_to(dtypes.get_default_dtype(), input)
    a = x.array
    y = ops.where(wrap((a >= 0) | (a != a)), -(x * ops.log(ops.where(wrap(a == 0), wrap(np.ones((), a.dtype)), x))),
                  wrap(np.array(-np.inf, a.dtype)))  # fmt: skip
    return y if out is None else into(out, "special_entr", y)


@checked
@in_float32
def sinc(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """sin(πx) / (πx), and 1 for 0."""
    x = input if input.array.dtype.kind == "f" else promoted_to(dtypes.get_default_dtype(), input)
    one, zero = wrap(np.ones((), x.array.dtype)), wrap(x.array == 0)
    z = ops.where(zero, one, x) * math.pi
    y = ops.where(zero, one, ops.div(ops.sin(z), z))
    return y if out is None else into(out, "sinc", y)


# ------------------------------------------------------------------------------------------ the Bessel functions
i0 = _of_one(bessel.i0, "I₀(input), the modified Bessel function of order 0.")
i0e = _of_one(bessel.i0e, "e^(-|input|) · I₀(input).", "special_i0e")
i1 = _of_one(bessel.i1, "I₁(input), the modified Bessel function of order 1.", "special_i1")
i1e = _of_one(bessel.i1e, "e^(-|input|) · I₁(input).", "special_i1e")


# ------------------------------------------------------------------------------------------ as methods
erfc_, i0_, logit_, sinc_, xlogy_ = in_place(erfc), in_place(i0), in_place(logit), in_place(sinc), in_place(xlogy)


def _polygamma(input: Tensor, n: int) -> Tensor:
    """The n-th derivative of ψ: `torch.polygamma` has its arguments in the other order."""
    return polygamma(n, input)


class Transcendental:
    """The methods of a tensor that this file defines."""

    __slots__ = ()  # so that tensors are as small, and made as fast, as if the class were not there

    digamma, erfc, erfinv, i0, igamma, igammac = digamma, erfc, erfinv, i0, igamma, igammac
    lgamma, logit, mvlgamma, polygamma, sinc, xlogy = lgamma, logit, mvlgamma, _polygamma, sinc, xlogy

    # each of these changes the tensor itself
    erfc_, i0_, logit_, sinc_, xlogy_ = erfc_, i0_, logit_, sinc_, xlogy_
    digamma_, erfinv_, lgamma_, mvlgamma_ = in_place(digamma), in_place(erfinv), in_place(lgamma), in_place(mvlgamma)
    igamma_, igammac_ = in_place(igamma), in_place(igammac)
    polygamma_ = described(in_place(_polygamma), "polygamma_", "`polygamma`, in place: the tensor itself is changed.")
