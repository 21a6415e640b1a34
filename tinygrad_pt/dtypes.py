"""The names of the number types, and the rule of their promotion."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from tinygrad_pt.errors import refuse

__all__ = [
    "bool", "can_cast", "cdouble", "cfloat", "complex64", "complex128", "double", "dtype", "finfo", "float", "float16",
    "float32", "float64", "get_default_dtype", "half", "iinfo", "int", "int8", "int16", "int32", "int64", "long",
    "promote_types", "result_type", "set_default_dtype", "short", "uint8",
]  # fmt: skip


class dtype:
    """A number type: PyTorch's name around NumPy's. One object per type, so `is` compares.

    >>> float32, float32.itemsize, float32.is_floating_point
    (torch.float32, 4, True)
    >>> long is int64
    True
    """

    __slots__ = (
        "c_name",
        "is_complex",
        "is_floating_point",
        "is_signed",
        "itemsize",
        "name",
        "numpy",
        "rank",
        "spoken",
    )

    def __init__(self, name: str, spoken: str, c_name: str, rank: builtins.int) -> None:
        self.name = name
        self.spoken = spoken  # the name PyTorch's error texts use
        self.c_name = c_name  # C++'s name, which some of them use
        self.rank = rank  # 0 bool < 1 integer < 2 floating point < 3 complex
        self.numpy = np.dtype(name)
        self.itemsize = self.numpy.itemsize
        self.is_floating_point, self.is_complex = rank == 2, rank == 3
        self.is_signed = self.numpy.kind not in "ub"

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> str:
        return self.name  # copies and unpickled twins are the one object


bool = dtype("bool", "Bool", "bool", 0)
uint8 = dtype("uint8", "Byte", "unsigned char", 1)
int8 = dtype("int8", "Char", "signed char", 1)
int16 = dtype("int16", "Short", "short int", 1)
int32 = dtype("int32", "Int", "int", 1)
int64 = dtype("int64", "Long", "long int", 1)
float16 = dtype("float16", "Half", "c10::Half", 2)
float32 = dtype("float32", "Float", "float", 2)
float64 = dtype("float64", "Double", "double", 2)
complex64 = dtype("complex64", "ComplexFloat", "c10::complex<float>", 3)
complex128 = dtype("complex128", "ComplexDouble", "c10::complex<double>", 3)
short, int, long, half, float, double = int16, int32, int64, float16, float32, float64
cfloat, cdouble = complex64, complex128

ALL = (bool, uint8, int8, int16, int32, int64, float16, float32, float64, complex64, complex128)
_by_numpy = {t.numpy: t for t in ALL}
_by_name: dict[Any, dtype] = {builtins.bool: bool, builtins.int: int64, builtins.float: float64, complex: complex128}
_default = float32


def of(kind: Any) -> dtype:
    """The dtype meant by one of ours, a NumPy dtype, or Python's types: `float` is float64 here, as in NumPy.

    >>> of(np.float32), of(np.dtype("int64")), of(type(1.0))
    (torch.float32, torch.int64, torch.float64)
    """
    if isinstance(kind, dtype):
        return kind
    if isinstance(kind, type) and kind in _by_name:
        return _by_name[kind]
    if not isinstance(kind, (type, np.dtype)):
        raise refuse(TypeError, f"dtype must be torch.dtype, not {type(kind).__name__}", None)
    try:
        found = _by_numpy.get(np.dtype(kind))
    except (TypeError, ValueError):
        found = None
    if found is None:
        name = f"numpy.{kind.type.__name__}" if isinstance(kind, np.dtype) else getattr(kind, "__name__", kind)
        known = "complex128, complex64, float64, float32, float16, int64, int32, int16, int8, uint8, and bool."
        text = f"can't convert np.ndarray of type {name}. The only supported types are: {known}"
        raise refuse(TypeError, text, None)
    return found


def numpy_of(kind: Any) -> np.dtype[Any]:
    """The NumPy dtype behind `kind`."""
    return kind if isinstance(kind, np.dtype) else of(kind).numpy


def get_default_dtype() -> dtype:
    """The dtype of tensors made from Python floats: float32 until `set_default_dtype`.

    >>> get_default_dtype()
    torch.float32
    """
    return _default


def set_default_dtype(kind: dtype) -> None:
    """Make `kind`, a floating point dtype, the dtype of tensors made from Python floats."""
    global _default
    kind = of(kind)
    if not kind.is_floating_point:
        raise refuse(TypeError, "only floating-point types are supported as the default type", "set_default_dtype")
    _default = kind


def of_number(value: Any) -> dtype:
    """The dtype of a tensor made from a Python number: floats have the default one.

    >>> of_number(1), of_number(1.0), of_number(1j)
    (torch.int64, torch.float32, torch.complex64)
    """
    kind = of(type(value))
    if kind.rank < 2:
        return kind
    return _default if kind.rank == 2 else complex128 if _default is float64 else complex64


def promote_types(a: dtype, b: dtype) -> dtype:
    """The dtype that holds both: the wider of one category, else the one of the higher category.

    >>> promote_types(float32, int64), promote_types(uint8, int8), promote_types(float64, complex64)
    (torch.float32, torch.int16, torch.complex128)
    """
    if a is b:
        return a
    low, high = (a, b) if a.rank <= b.rank else (b, a)
    if low.rank == high.rank or (low.rank == 2 and high.rank == 3):
        return of(np.promote_types(low.numpy, high.numpy))
    return high


def result_type(*operands: Any) -> dtype:
    """The common dtype of tensors and Python numbers (PyTorch's promotion).

    Operands are arrays, tensors (anything with `.dtype` and `.ndim`) or Python scalars. They fall into three
    priorities: arrays with dimensions, 0-d arrays, Python scalars. A lower priority decides only where its category
    (bool < integer < floating point < complex) is higher.

    >>> result_type(np.ones(2, "float32"), np.float64(1.0)), result_type(np.ones(2, "int64"), 1.5)
    (torch.float32, torch.float32)
    """
    levels: list[dtype | None] = [None, None, None]
    for x in operands:
        if isinstance(x, (np.ndarray, np.generic)) or hasattr(x, "ndim"):
            level, kind = (0 if x.ndim else 1), of(x.dtype)
        else:
            level, kind = 2, of_number(x)
            if isinstance(x, builtins.int) and not -(2**63) <= x < 2**64:
                text = "int too big to convert" if x > 0 else "can't convert negative int to unsigned"
                raise refuse(OverflowError, text, "", x)
        seen = levels[level]
        levels[level] = kind if seen is None else promote_types(seen, kind)
    result: dtype | None = None
    for level, found in enumerate(levels):
        if found is not None and (result is None or found.rank > result.rank):
            weak = level == 2 and found.rank == 2  # a Python float asks for the default width
            result = found if result is None else promote_types(result, _default if weak else found)
    if result is None:
        raise refuse(ValueError, "result_type expects at least one operand", "result_type")
    return result


def can_cast(source: dtype, target: dtype) -> builtins.bool:
    """Whether an in-place result of `source` may be stored in `target`: the category may not fall.

    >>> can_cast(float64, float32), can_cast(float32, int64)
    (True, False)
    """
    return of(source).rank <= of(target).rank


# ------------------------------------------------------------------------------------------ limits
class finfo:
    """What a floating point dtype can hold: `bits, eps, min, max, tiny, smallest_normal, resolution`.

    >>> finfo(float32).eps, finfo(float16).max
    (1.1920928955078125e-07, 65504.0)
    """

    def __init__(self, kind: Any = None) -> None:
        dtype_ = _default if kind is None else of(kind)
        if dtype_.rank < 2:
            text = "torch.finfo() requires a floating point input type. Use torch.iinfo to handle 'torch.finfo'"
            raise refuse(TypeError, text)
        info = np.finfo(dtype_.numpy)
        self.dtype, self.bits = info.dtype.name, info.bits
        self.eps, self.min, self.max = info.eps.item(), info.min.item(), info.max.item()
        self.tiny = self.smallest_normal = info.tiny.item()
        self.resolution = info.resolution.item()

    def __repr__(self) -> str:
        names = ("resolution", "min", "max", "eps", "smallest_normal", "tiny")
        return f"finfo({', '.join(f'{n}={getattr(self, n):g}' for n in names)}, dtype={self.dtype})"


class iinfo:
    """What an integer dtype can hold: `bits, min, max`.

    >>> iinfo(int8)
    iinfo(min=-128, max=127, dtype=int8)
    """

    def __init__(self, kind: Any) -> None:
        dtype_ = of(kind)
        if dtype_.rank != 1:
            text = "torch.iinfo() requires an integer input type. Use torch.finfo to handle 'torch.iinfo'"
            raise refuse(TypeError, text)
        info = np.iinfo(dtype_.numpy)
        self.dtype, self.bits, self.min, self.max = info.dtype.name, info.bits, info.min, info.max

    def __repr__(self) -> str:
        return f"iinfo(min={self.min}, max={self.max}, dtype={self.dtype})"
