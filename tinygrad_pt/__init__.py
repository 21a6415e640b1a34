"""Automatic differentiation one can read, under PyTorch's names: `import tinygrad_pt as torch`.

>>> import tinygrad_pt as torch
>>> w = torch.tensor([1.0, -2.0], requires_grad=True)
>>> loss = (w * w).sum()
>>> loss.backward()
>>> w.grad
tensor([ 2., -4.])
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinygrad_pt import autograd as autograd
from tinygrad_pt import cuda as cuda
from tinygrad_pt import functions, leaves
from tinygrad_pt import random as random
from tinygrad_pt.dtypes import *  # noqa: F403
from tinygrad_pt.functions import *  # noqa: F403
from tinygrad_pt.modes import *  # noqa: F403
from tinygrad_pt.printing import set_printoptions as set_printoptions
from tinygrad_pt.random import Generator as Generator
from tinygrad_pt.random import default_generator as default_generator
from tinygrad_pt.random import initial_seed as initial_seed
from tinygrad_pt.random import manual_seed as manual_seed
from tinygrad_pt.random import seed as seed
from tinygrad_pt.tensor import Tensor as Tensor

__version__ = "0.1.0"
e, inf, nan, pi = 2.718281828459045, 1e999, 1e999 - 1e999, 3.141592653589793
newaxis = None
tensor = functions.tensor  # importing Tensor bound this name to its module; here it is the function
detach, detach_, fill_, zero_ = Tensor.detach, Tensor.detach_, Tensor.fill_, Tensor.zero_
is_inference, is_signed, is_distributed = Tensor.is_inference, Tensor.is_signed, Tensor.is_distributed
get_device = Tensor.get_device

# Rooms, and names of leaves, that are loaded when they are first named: the import stays cheap.
LAZY = {room: room for room in ("nn", "optim", "utils", "datasets", "models", "viz", "testing")} | {
    "lint": "linting:lint",
    "is_anomaly_enabled": "debugging.anomaly:is_anomaly_enabled",
    "is_anomaly_check_nan_enabled": "debugging.anomaly:is_anomaly_check_nan_enabled",
}

if TYPE_CHECKING:  # type checkers do not read an `__all__` that is computed; `x as x` tells them that x is public
    from tinygrad_pt import datasets as datasets
    from tinygrad_pt import models as models
    from tinygrad_pt import nn as nn
    from tinygrad_pt import optim as optim
    from tinygrad_pt import testing as testing
    from tinygrad_pt import utils as utils
    from tinygrad_pt import viz as viz
    from tinygrad_pt.debugging.anomaly import is_anomaly_check_nan_enabled as is_anomaly_check_nan_enabled
    from tinygrad_pt.debugging.anomaly import is_anomaly_enabled as is_anomaly_enabled
    from tinygrad_pt.linting import lint as lint
else:
    hidden = {"hidden", "LAZY", "annotations", "functions", "leaves", "Any", "TYPE_CHECKING"}
    __all__ = [name for name in dir() if not name.startswith("_") and name not in hidden]

    def __getattr__(name: str) -> Any:
        if name in LAZY:
            return leaves.fetch(LAZY[name])
        raise AttributeError(f"module 'tinygrad_pt' has no attribute '{name}'")

    def __dir__() -> list[str]:
        return sorted([*__all__, *LAZY, "__version__"])
