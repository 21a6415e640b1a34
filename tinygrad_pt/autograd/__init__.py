"""Differentiation: the backward walk, derivatives of functions, and operations the user writes."""

import importlib
from typing import Any

from tinygrad_pt.autograd import functional
from tinygrad_pt.autograd.anomaly import detect_anomaly, set_detect_anomaly
from tinygrad_pt.autograd.engine import backward, grad
from tinygrad_pt.autograd.function import Function
from tinygrad_pt.autograd.functional import hessian, hvp, jacobian, jvp, vhp, vjp
from tinygrad_pt.autograd.ledger import record_contributions
from tinygrad_pt.modes import enable_grad, inference_mode, no_grad, set_grad_enabled

__all__ = [
    "Function", "backward", "detect_anomaly", "enable_grad", "functional", "grad", "hessian", "hvp", "inference_mode",
    "jacobian", "jvp", "no_grad", "record_contributions", "set_detect_anomaly", "set_grad_enabled", "vhp", "vjp",
]  # fmt: skip

CHECKERS = ("gradcheck", "gradgradcheck", "GradcheckError")  # PyTorch's names for what lives in `testing.compat`


def __getattr__(name: str) -> Any:
    """The checkers are loaded when first named: the leaf they live in stands on this room, not under it."""
    if name in CHECKERS:
        return getattr(importlib.import_module("tinygrad_pt.testing.compat"), name)
    raise AttributeError(f"module 'tinygrad_pt.autograd' has no attribute {name!r}")
