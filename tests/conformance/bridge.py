"""The way from PyTorch to this package: its database, its tensors and its functions, translated."""

from __future__ import annotations

import functools
import types
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

import tinygrad_pt as tg

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from hypothesis import settings

    profile = settings.get_current_profile_name()
    from torch.testing._internal import common_methods_invocations, common_modules, common_optimizers

    settings.load_profile(profile)  # the database loads a profile of its own

op_db = common_methods_invocations.op_db
module_db = common_modules.module_db
optim_db = common_optimizers.optim_db

DTYPES = (
    torch.float32, torch.float64, torch.int64, torch.float16, torch.bool, torch.uint8, torch.int8, torch.int16,
    torch.int32,
)  # fmt: skip
OURS = {getattr(torch, str(kind).removeprefix("torch.")): kind for kind in tg.dtypes.ALL}


class LeftOut(Exception):
    """A sample holds something that is not a part of this package; the text says what."""


def title(op: Any) -> str:
    """The name of an entry of the database."""
    return f"{op.name}/{op.variant_test_name}" if op.variant_test_name else op.name


# ------------------------------------------------------------------------------------------ functions
def wrapper_set_seed(op: Any, *args: Any, **kwargs: Any) -> Any:
    """The call with the random stream of seed 42, as the database does it for PyTorch."""
    tg.manual_seed(42)
    return op(*args, **kwargs)


SCOPE = {"torch": tg, "wrapper_set_seed": wrapper_set_seed, "__builtins__": __builtins__}


def at(root: Any, path: str) -> Any:
    """The function at a dotted path; None where there is none."""
    for name in path.split("."):
        root = getattr(root, name, None)
    return None if isinstance(root, tg.dtype) else root


def rebound(function: types.FunctionType) -> types.FunctionType:
    """A function of the database, with this package under the name `torch`."""
    scope = vars(common_methods_invocations) | SCOPE if function.__code__.co_name != "<lambda>" else SCOPE
    return types.FunctionType(function.__code__, scope, function.__name__, function.__defaults__, function.__closure__)


def translated(function: Any, path: str) -> Any:
    """Our function for one of PyTorch's that is called by a name; None where there is none."""
    if isinstance(function, types.FunctionType) and "torch.testing" in (function.__module__ or "torch.testing"):
        provided = at(tg, path) or at(tg.Tensor, path)
        return rebound(function) if provided is not None else None
    return at(tg, path) if at(tg, path) is not None else at(tg.Tensor, path)


def variants(op: Any) -> dict[str, tuple[Any, Any]]:
    """The ways to call an entry that both libraries have: by name, PyTorch's callable and ours."""
    found = {}
    ours = translated(op.op, op.name)
    if ours is not None:
        found["function"] = (op.op, ours)
    for name, theirs in (("method", op.method_variant), ("in-place", op.inplace_variant)):
        if theirs is None or theirs is op.op:
            continue
        if isinstance(theirs, types.FunctionType) and theirs.__code__.co_name == "<lambda>":
            ours = rebound(theirs) if "function" in found else None
        elif isinstance(theirs, functools.partial):
            ours = at(tg.nn.functional, theirs.func.__name__)
            ours = ours and functools.partial(ours, *theirs.args, **theirs.keywords)
        else:
            owner = tg.nn.functional if "functional" in (getattr(theirs, "__module__", "") or "") else tg.Tensor
            ours = at(owner, theirs.__name__)
        if ours is not None:
            found[name] = (theirs, ours)
    return found


# ------------------------------------------------------------------------------------------ values
# How the arguments of a layer's constructor are read off the layer.
SETTINGS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "PairwiseDistance": lambda m: {"p": m.norm, "eps": m.eps, "keepdim": m.keepdim},
    "TransformerEncoderLayer": lambda m: {
        "d_model": m.linear1.in_features, "nhead": m.self_attn.num_heads, "dim_feedforward": m.linear1.out_features,
        "dropout": m.dropout.p, "activation": m.activation, "layer_norm_eps": m.norm1.eps,
        "batch_first": m.self_attn.batch_first, "norm_first": m.norm_first, "bias": m.linear1.bias is not None,
        "dtype": m.linear1.weight.dtype,
    },
}  # fmt: skip


class Translation:
    """Arguments of one call, from PyTorch's to ours: what is one object or one memory there is one here."""

    def __init__(self) -> None:
        self.tensors: dict[int, tuple[torch.Tensor, tg.Tensor]] = {}
        self.memories: dict[int, np.ndarray] = {}

    def __call__(self, value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            if id(value) not in self.tensors:
                self.tensors[id(value)] = (value, self.tensor(value))
            return self.tensors[id(value)][1]
        if isinstance(value, torch.Size):
            return tg.Size(value) if hasattr(tg, "Size") else tuple(value)
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return type(value)(*map(self, value))
        if isinstance(value, (list, tuple)):
            return type(value)(map(self, value))
        if isinstance(value, dict):
            return {key: self(item) for key, item in value.items()}
        if isinstance(value, slice):
            return slice(self(value.start), self(value.stop), self(value.step))
        if isinstance(value, torch.dtype):
            if value not in OURS:
                raise LeftOut(f"dtype {value}")
            return complex_refused(OURS[value])
        if isinstance(value, torch.device):
            return tg.device(str(value))
        if isinstance(value, torch.layout):
            if value is not torch.strided:
                raise LeftOut("layout")
            return tg.strided
        if isinstance(value, torch.memory_format):
            raise LeftOut("memory_format")
        if isinstance(value, complex):
            raise LeftOut("complex numbers")
        if isinstance(value, torch.Generator):
            return tg.Generator().manual_seed(value.initial_seed())
        if isinstance(value, (types.FunctionType, types.BuiltinFunctionType)):
            if getattr(torch.nn.functional, value.__name__, None) is value:
                return getattr(tg.nn.functional, value.__name__)
            return rebound(value) if isinstance(value, types.FunctionType) else value
        return self.module(value) if isinstance(value, torch.nn.Module) else value

    def module(self, value: torch.nn.Module) -> tg.nn.Module:
        """A layer of ours with the settings and the state of PyTorch's."""
        name = type(value).__name__
        if name not in SETTINGS:
            raise LeftOut("a layer as an argument")
        made: tg.nn.Module = getattr(tg.nn, name)(**{k: self(v) for k, v in SETTINGS[name](value).items()})
        made.load_state_dict({key: tg.from_numpy(t.numpy().copy()) for key, t in value.state_dict().items()})
        return made.train(value.training)

    def tensor(self, value: torch.Tensor) -> tg.Tensor:
        """A tensor of ours with the strides, the sharing, the name and the flags of PyTorch's."""
        if value.layout is not torch.strided:
            raise LeftOut("sparse tensors")
        if value.dtype not in OURS:
            raise LeftOut(f"dtype {value.dtype}")
        complex_refused(OURS[value.dtype])
        if value.is_neg():
            raise LeftOut("the neg bit")
        if value.device.type != "cpu":
            raise LeftOut("devices")
        array = value.detach().numpy()
        storage = value.untyped_storage()
        if array.size:
            memory = self.memories.get(storage.data_ptr())
            if memory is None:
                memory = torch.tensor([], dtype=torch.uint8).set_(storage).numpy().copy()
                self.memories[storage.data_ptr()] = memory
            kind = array.dtype
            array = np.ndarray(array.shape, kind, memory, value.storage_offset() * kind.itemsize, array.strides)
        else:
            array = array.copy()
        ours = tg.from_numpy(array)
        return ours.requires_grad_() if value.requires_grad else ours


def complex_refused(kind: Any) -> Any:
    """The dtype, unless it is complex, which this package does not compute with."""
    if kind.is_complex:
        raise LeftOut("complex numbers")
    return kind
