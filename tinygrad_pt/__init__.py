"""Automatic differentiation one can read, under PyTorch's names: `import tinygrad_pt as torch`.

>>> import tinygrad_pt as torch
>>> w = torch.tensor([1.0, -2.0], requires_grad=True)
>>> loss = (w * w).sum()
>>> loss.backward()
>>> w.grad
tensor([ 2., -4.])
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinygrad_pt import autograd as autograd
from tinygrad_pt import functions, names
from tinygrad_pt import heap as heap
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

# Rooms, names of leaves, and what does little here, loaded when they are first named: the import stays cheap.
SETTINGS = """
    are_deterministic_algorithms_enabled compiled_with_cxx11_abi get_autocast_dtype get_default_device
    get_deterministic_debug_mode get_float32_matmul_precision get_num_interop_threads get_num_threads
    is_autocast_cache_enabled is_autocast_cpu_enabled is_autocast_enabled is_deterministic_algorithms_warn_only_enabled
    is_vulkan_available is_warn_always_enabled set_default_device set_default_tensor_type set_deterministic_debug_mode
    set_float32_matmul_precision set_flush_denormal set_num_interop_threads set_num_threads set_warn_always typename
    use_deterministic_algorithms
""".split()
LAZY = {
    **{room: room for room in "linalg special masked nn optim utils datasets models viz testing serialization".split()},
    **{name: f"compat.settings:{name}" for name in SETTINGS},
    "save": "serialization:save", "load": "serialization:load",
    "lint": "linting:lint", "compile": "compat.jit:compile", "autocast": "compat.amp:autocast",
    "is_anomaly_enabled": "debugging.anomaly:is_anomaly_enabled",
    "is_anomaly_check_nan_enabled": "debugging.anomaly:is_anomaly_check_nan_enabled",
}  # fmt: skip
LAZY |= {  # layers that are functions of PyTorch's first room, too
    name: f"nn.functional:{name}"
    for name in (
        "adaptive_avg_pool1d", "adaptive_max_pool1d", "avg_pool1d", "conv1d", "conv2d", "conv3d", "conv_transpose1d",
        "conv_transpose2d", "conv_transpose3d", "max_pool1d", "max_pool1d_with_indices", "max_pool2d", "max_pool3d",
    )
}  # fmt: skip
RECURRENT = "gru gru_cell lstm lstm_cell rnn_relu rnn_relu_cell rnn_tanh rnn_tanh_cell".split()
LAZY |= {name: f"compat.recurrent:{name}" for name in RECURRENT}

if TYPE_CHECKING:  # type checkers do not read an `__all__` that is computed; `x as x` tells them that x is public
    from tinygrad_pt import datasets as datasets
    from tinygrad_pt import linalg as linalg
    from tinygrad_pt import masked as masked
    from tinygrad_pt import models as models
    from tinygrad_pt import nn as nn
    from tinygrad_pt import optim as optim
    from tinygrad_pt import serialization as serialization
    from tinygrad_pt import special as special
    from tinygrad_pt import testing as testing
    from tinygrad_pt import utils as utils
    from tinygrad_pt import viz as viz
    from tinygrad_pt.compat import accelerator as accelerator
    from tinygrad_pt.compat import amp as amp
    from tinygrad_pt.compat import backends as backends
    from tinygrad_pt.compat import cuda as cuda
    from tinygrad_pt.compat import jit as jit
    from tinygrad_pt.compat import mps as mps
    from tinygrad_pt.compat import profiler as profiler
    from tinygrad_pt.compat import sparse as sparse
    from tinygrad_pt.compat import version as version
    from tinygrad_pt.compat import xpu as xpu
    from tinygrad_pt.compat.amp import autocast as autocast
    from tinygrad_pt.compat.jit import compile as compile
    from tinygrad_pt.compat.recurrent import *  # noqa: F403
    from tinygrad_pt.compat.settings import *  # noqa: F403
    from tinygrad_pt.debugging.anomaly import is_anomaly_check_nan_enabled as is_anomaly_check_nan_enabled
    from tinygrad_pt.debugging.anomaly import is_anomaly_enabled as is_anomaly_enabled
    from tinygrad_pt.linting import lint as lint
    from tinygrad_pt.nn.functional import adaptive_avg_pool1d as adaptive_avg_pool1d
    from tinygrad_pt.nn.functional import adaptive_max_pool1d as adaptive_max_pool1d
    from tinygrad_pt.nn.functional import avg_pool1d as avg_pool1d
    from tinygrad_pt.nn.functional import conv1d as conv1d
    from tinygrad_pt.nn.functional import conv2d as conv2d
    from tinygrad_pt.nn.functional import conv3d as conv3d
    from tinygrad_pt.nn.functional import conv_transpose1d as conv_transpose1d
    from tinygrad_pt.nn.functional import conv_transpose2d as conv_transpose2d
    from tinygrad_pt.nn.functional import conv_transpose3d as conv_transpose3d
    from tinygrad_pt.nn.functional import max_pool1d as max_pool1d
    from tinygrad_pt.nn.functional import max_pool1d_with_indices as max_pool1d_with_indices
    from tinygrad_pt.nn.functional import max_pool2d as max_pool2d
    from tinygrad_pt.nn.functional import max_pool3d as max_pool3d
    from tinygrad_pt.serialization import load as load
    from tinygrad_pt.serialization import save as save
else:
    hidden = {"hidden", "LAZY", "RECURRENT", "SETTINGS", "TYPE_CHECKING", "annotations"}
    hidden |= {"compat", "functions", "leaves", "names"}
    __all__ = [name for name in dir() if not name.startswith("_") and name not in hidden]

    __getattr__ = names.namespace("", LAZY)

    def __dir__() -> list[str]:
        inner = (path for path in names.PATHS if "." not in path and not path.startswith("_"))
        return sorted({*__all__, *LAZY, *inner, "__version__"})
