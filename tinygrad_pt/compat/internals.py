"""`torch._C`: what programs ask of PyTorch's inside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinygrad_pt import names
from tinygrad_pt.functions import device
from tinygrad_pt.random import Generator
from tinygrad_pt.tensor import Tensor

__all__ = ["Generator", "Tensor", "TensorBase", "_TensorBase", "_get_tracing_state", "device"]
_TensorBase = TensorBase = Tensor
if not TYPE_CHECKING:  # PyTorch's name of torch.linalg.LinAlgError
    __getattr__ = names.namespace("_C", {"_LinAlgError": "linalg:LinAlgError"})


def _get_tracing_state() -> Any:
    return None
