"""In-place forms of elementwise and running functions, beside those of `pointwise`: `x.atanh_()` writes into x."""

from __future__ import annotations

from tinygrad_pt import dtypes
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.arguments import Number
from tinygrad_pt.functions.binding import described, in_place
from tinygrad_pt.functions.numbers import (
    bitwise_left_shift,
    bitwise_right_shift,
    clamp_max,
    clamp_min,
    conj_physical,
    copysign,
    gcd,
    heaviside,
    lcm,
    ldexp,
    nextafter,
)
from tinygrad_pt.functions.pointwise import Pointwise as P
from tinygrad_pt.functions.pointwise import (
    acosh,
    asinh,
    atan2,
    atanh,
    bitwise_and,
    bitwise_not,
    bitwise_or,
    bitwise_xor,
    deg2rad,
    float_power,
    frac,
    hypot,
    logical_xor,
    nan_to_num,
    rad2deg,
    sgn,
)
from tinygrad_pt.functions.reduction import cumprod, cumsum
from tinygrad_pt.functions.statistics import renorm
from tinygrad_pt.graph import Tensor

__all__ = [
    "acosh_", "arccos_", "arccosh_", "arcsin_", "arcsinh_", "arctan_", "arctanh_", "asinh_", "atanh_",
    "clamp_max_", "clamp_min_", "conj_physical_", "deg2rad_", "fill", "fix_", "frac_", "gcd_", "lcm_", "ldexp_",
    "nan_to_num_", "negative_", "rad2deg_",
]  # fmt: skip


def fill(input: Tensor, value: Tensor | float) -> Tensor:
    """A tensor of the shape and dtype of `input` with one number everywhere."""
    return input.clone().fill_(value)


acosh_, asinh_, atanh_, frac_, deg2rad_, rad2deg_ = (
    in_place(acosh),
    in_place(asinh),
    in_place(atanh),
    in_place(frac),
    in_place(deg2rad),
    in_place(rad2deg),
)
arccosh_, arcsinh_, arctanh_ = acosh_, asinh_, atanh_
arccos_, arcsin_, arctan_, fix_, negative_ = P.acos_, P.asin_, P.atan_, P.trunc_, P.neg_
gcd_, lcm_, ldexp_, nan_to_num_ = in_place(gcd), in_place(lcm), in_place(ldexp), in_place(nan_to_num)
clamp_max_, clamp_min_ = in_place(clamp_max), in_place(clamp_min)
conj_physical_ = in_place(conj_physical)


def _float_power_(input: Tensor, exponent: Tensor | Number) -> Tensor:
    """`float_power`, in place: the tensor must be float64."""
    if input.dtype is not dtypes.float64:
        text = (
            f"the base given to float_power_ has dtype {input.dtype.spoken} but the operation's result requires dtype "
        )
        raise refuse(RuntimeError, f"{text}Double", "float_power_", input, exponent, mend="x.double()")
    return float_power(input, exponent)


float_power_ = described(in_place(_float_power_), "float_power_", _float_power_.__doc__)


class InPlace:
    """The methods of a tensor that this file defines: each of them changes the tensor itself."""

    __slots__ = ()  # so that tensors are as small, and made as fast, as if the class were not there

    absolute_, acosh_, arccos_, arccosh_, arcsin_ = P.abs_, acosh_, arccos_, arccosh_, arcsin_
    arcsinh_, arctan_, arctanh_, asinh_, atanh_ = arcsinh_, arctan_, arctanh_, asinh_, atanh_
    clamp_max_, clamp_min_, conj_physical_, deg2rad_ = clamp_max_, clamp_min_, conj_physical_, deg2rad_
    fix_, float_power_, frac_, gcd_, lcm_, ldexp_ = fix_, float_power_, frac_, gcd_, lcm_, ldexp_
    nan_to_num_, negative_, rad2deg_, true_divide_ = nan_to_num_, negative_, rad2deg_, P.div_
    greater_, greater_equal_, less_, less_equal_ = P.gt_, P.ge_, P.lt_, P.le_
    not_equal_ = P.ne_
    atan2_, hypot_ = in_place(atan2), in_place(hypot)
    arctan2_ = atan2_
    bitwise_and_, bitwise_not_, bitwise_or_ = in_place(bitwise_and), in_place(bitwise_not), in_place(bitwise_or)
    bitwise_xor_, logical_xor_, sgn_ = in_place(bitwise_xor), in_place(logical_xor), in_place(sgn)
    bitwise_left_shift_, bitwise_right_shift_ = in_place(bitwise_left_shift), in_place(bitwise_right_shift)
    copysign_, heaviside_, nextafter_ = in_place(copysign), in_place(heaviside), in_place(nextafter)
    cumprod_, cumsum_, renorm_ = in_place(cumprod), in_place(cumsum), in_place(renorm)
