"""Differentiation: the backward walk, derivatives of functions, and operations the user writes."""

from typing import TYPE_CHECKING

from tinygrad_pt import names
from tinygrad_pt.autograd import functional
from tinygrad_pt.autograd.engine import backward, grad
from tinygrad_pt.autograd.function import Function
from tinygrad_pt.autograd.functional import hessian, hvp, jacobian, jvp, vhp, vjp
from tinygrad_pt.modes import enable_grad, inference_mode, no_grad, set_grad_enabled

if TYPE_CHECKING:
    from tinygrad_pt.compat.variable import Variable
    from tinygrad_pt.debugging.anomaly import detect_anomaly, set_detect_anomaly
    from tinygrad_pt.debugging.ledger import record_contributions
    from tinygrad_pt.testing.compat import GradcheckError, gradcheck, gradgradcheck

LEAVES = {  # PyTorch's names for what lives in leaves
    "detect_anomaly": "debugging.anomaly", "set_detect_anomaly": "debugging.anomaly",
    "record_contributions": "debugging.ledger", "Variable": "compat.variable",
    "gradcheck": "testing.compat", "gradgradcheck": "testing.compat", "GradcheckError": "testing.compat",
}  # fmt: skip

__all__ = [
    "Function", "GradcheckError", "Variable", "backward", "detect_anomaly", "enable_grad", "functional", "grad",
    "gradcheck", "gradgradcheck", "hessian", "hvp", "inference_mode", "jacobian", "jvp", "no_grad",
    "record_contributions", "set_detect_anomaly", "set_grad_enabled", "vhp", "vjp",
]  # fmt: skip

if not TYPE_CHECKING:  # to type checkers the names of the leaves are imported above
    __getattr__ = names.namespace("autograd", {name: f"{place}:{name}" for name, place in LEAVES.items()})
