"""`torch.special`: PyTorch's special functions under the names that they have there."""

from typing import TYPE_CHECKING

from tinygrad_pt import names
from tinygrad_pt.functions import (
    digamma,
    erf,
    erfc,
    erfinv,
    exp2,
    expm1,
    i0,
    log1p,
    log_softmax,
    logit,
    logsumexp,
    polygamma,
    round,
    sinc,
    softmax,
    xlogy,
)
from tinygrad_pt.functions import igamma as gammainc
from tinygrad_pt.functions import igammac as gammaincc
from tinygrad_pt.functions import lgamma as gammaln
from tinygrad_pt.functions import mvlgamma as multigammaln
from tinygrad_pt.functions import sigmoid as expit
from tinygrad_pt.functions.transcendental import entr, erfcx, i0e, i1, i1e, log_ndtr, ndtr, ndtri, xlog1py, zeta

psi = digamma

__all__ = [
    "digamma", "entr", "erf", "erfc", "erfcx", "erfinv", "exp2", "expit", "expm1", "gammainc", "gammaincc", "gammaln",
    "i0", "i0e", "i1", "i1e", "log1p", "log_ndtr", "log_softmax", "logit", "logsumexp", "multigammaln", "ndtr", "ndtri",
    "polygamma", "psi", "round", "sinc", "softmax", "xlog1py", "xlogy", "zeta",
]  # fmt: skip

if not TYPE_CHECKING:  # a name that is not here says so
    __getattr__ = names.namespace("special")
