"""PyTorch's older constructors, which are types at the same time: `LongTensor([1, 2])`, `FloatTensor(2, 3)`."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_pt import dtypes
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.arguments import Size, is_int, positive_sizes
from tinygrad_pt.functions.checks import no_overload
from tinygrad_pt.functions.creation import USE_CPU, _array, fresh, here, is_sequence
from tinygrad_pt.functions.shaping import view_as
from tinygrad_pt.graph import Tensor

__all__ = [
    "BoolTensor", "ByteTensor", "CharTensor", "DoubleTensor", "FloatTensor", "HalfTensor", "IntTensor", "LongTensor",
    "ShortTensor",
]  # fmt: skip

OPTIONS = (
    "TensorOptions(dtype={}, device=cpu, layout=Strided, requires_grad=false (default), pinned_memory=false (default), "
    "memory_format=(nullopt))"
)


def built(kind: dtypes.dtype, args: tuple[Any, ...], words: dict[str, Any], any_tensor: bool = False) -> Tensor:
    """What an old constructor makes: of sizes a tensor whose values are not set, of data a copy in the dtype.

    A tensor is shared, and must have the dtype, unless `any_tensor`.
    """
    if (place := words.pop("device", None)) is not None:
        here(place)
    if "size" in words:
        args = (*args, Size(words.pop("size")))
    args = (*args, *(words.pop(name) for name in ("data", "other") if name in words))
    if words:
        raise refuse(TypeError, f"new() got an unexpected keyword argument '{next(iter(words))}'", "new")
    if not args:
        return fresh(np.empty(0, kind.numpy))
    first = args[0]
    if isinstance(first, Tensor) and len(args) == 1:
        if not any_tensor and first.array.dtype != kind.numpy:
            wanted, got = (OPTIONS.format(k.c_name) for k in (kind, dtypes.of(first.array.dtype)))
            mend = f"x.type(torch.{kind.spoken}Tensor), or x.to(torch.{kind.name})"
            raise refuse(TypeError, f"expected {wanted} (got {got})", "new", first, mend=mend)
        return view_as(first, first)
    if isinstance(first, Size) or (not isinstance(first, bool) and is_int(first)):
        for position, n in enumerate(() if isinstance(first, Size) else args):
            if not is_int(n):
                text = f"new(): argument 'size' failed to unpack the object at pos {position + 1} with error "
                raise refuse(TypeError, f'{text}"type must be tuple of ints,but got {type(n).__name__}"', "new")
        sizes = tuple(first) if isinstance(first, Size) else args
        return fresh(np.empty(positive_sizes((sizes,), "new"), kind.numpy))
    if len(args) > 1:
        raise no_overload("new", *args)
    if isinstance(first, (str, bytes)):
        raise refuse(TypeError, f"new(): invalid data type '{type(first).__name__}'", "new")
    if not is_sequence(first) and not isinstance(first, np.ndarray) and not hasattr(type(first), "__array__"):
        raise refuse(TypeError, f"new(): data must be a sequence (got {type(first).__name__})", "new", first)
    if isinstance(first, np.generic):
        raise refuse(TypeError, f"new(): data must be a sequence (got numpy.{type(first).__name__})", "new", first)
    return fresh(_array(first, kind))


class tensortype(type):
    """The type of the old constructors. Tensors of the dtype count as instances; a call makes a new tensor."""

    dtype: dtypes.dtype
    is_cuda: bool
    is_sparse = False

    def __new__(cls, kind: dtypes.dtype, module: str = "torch", title: str = "") -> tensortype:
        names = {"__module__": module, "dtype": kind, "is_cuda": module == "torch.cuda"}
        return super().__new__(cls, title or f"{kind.spoken}Tensor", (), names)

    def __init__(cls, *about: Any) -> None:
        pass

    def __call__(cls, *args: Any, **words: Any) -> Tensor:
        """A tensor of sizes, or of data: `FloatTensor(2, 3)`, `FloatTensor([2, 3])`."""
        if cls.is_cuda:
            raise no_cuda(cls)
        return built(cls.dtype, args, words)

    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, Tensor) and value.array.dtype == cls.dtype.numpy and not cls.is_cuda


def no_cuda(kind: tensortype) -> Exception:
    """PyTorch's error about a constructor of a machine that is not there."""
    text = f"type {kind.__module__}.{kind.__name__} not available. Torch not compiled with CUDA enabled."
    return refuse(TypeError, text, None, mend=f"torch.{kind.__name__}; {USE_CPU}")


FloatTensor, DoubleTensor, HalfTensor = map(tensortype, (dtypes.float32, dtypes.float64, dtypes.float16))
LongTensor, IntTensor, ShortTensor = map(tensortype, (dtypes.int64, dtypes.int32, dtypes.int16))
ByteTensor, CharTensor, BoolTensor = map(tensortype, (dtypes.uint8, dtypes.int8, dtypes.bool))


def dtype_named(kind: Any) -> dtypes.dtype:
    """The dtype that `x.type(kind)` means: a dtype, an old constructor, or the name of one."""
    if isinstance(kind, dtypes.dtype):
        return kind
    if isinstance(kind, tensortype):
        if kind.is_cuda:
            raise no_cuda(kind)
        return kind.dtype
    if kind is Tensor or (isinstance(kind, type) and kind.__name__ == "Tensor" and issubclass(kind, Tensor)):
        return dtypes.get_default_dtype()
    if not isinstance(kind, (str, type)):
        raise refuse(TypeError, "dtype must be a type, str, or dtype object", "type")
    named = {f"torch.{d.spoken}Tensor": d for d in dtypes.ALL} | {"torch.Tensor": dtypes.get_default_dtype()}
    if kind in named:
        return named[kind]
    if isinstance(kind, str) and kind.removeprefix("torch.cuda.") in {f"{d.spoken}Tensor" for d in dtypes.ALL}:
        raise refuse(AssertionError, "Torch not compiled with CUDA enabled", "type", mend=f"torch.{kind[11:]}")
    name = kind if isinstance(kind, str) else kind.__name__
    raise refuse(ValueError, f"invalid type: '{name}'", "type", mend="x.type(torch.FloatTensor), or x.float()")
