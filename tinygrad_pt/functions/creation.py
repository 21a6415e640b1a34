"""Making tensors: from data, filled, in ranges, at random."""

from __future__ import annotations

import functools
import inspect
import math
import operator
import warnings
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec

import numpy as np

from tinygrad_pt import dtypes, ops, random
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import class_name, refuse
from tinygrad_pt.functions.arguments import (
    Dtype,
    Number,
    Operand,
    cast,
    flat_in,
    positive_sizes,
    scalar_array,
    sizes_from,
    written_number,
)  # fmt: skip
from tinygrad_pt.functions.binding import described
from tinygrad_pt.functions.checks import checked, common_shape, expect_tensor, into, no_overload, not_a, unfit
from tinygrad_pt.functions.strides import in_memory
from tinygrad_pt.graph import Leaf, Tensor
from tinygrad_pt.modes import current
from tinygrad_pt.random import Generator

__all__ = [
    "arange", "as_tensor", "asarray", "bernoulli", "binomial", "device", "empty", "empty_like", "eye",
    "from_numpy", "full", "full_like", "get_rng_state", "layout", "linspace", "logspace", "multinomial", "normal",
    "ones", "ones_like", "poisson", "rand", "rand_like", "randint", "randint_like", "randn", "randn_like", "randperm",
    "scalar_tensor", "set_rng_state", "sparse_coo", "sparse_csc", "sparse_csr", "strided", "tensor", "tril_indices",
    "triu_indices", "zeros", "zeros_like",
]  # fmt: skip


P = ParamSpec("P")


KINDS = (  # of machines, as PyTorch lists them
    "cpu, cuda, ipu, xpu, mkldnn, opengl, opencl, ideep, hip, ve, fpga, maia, xla, lazy, vulkan, mps, meta, hpu, mtia, "
    "privateuseone"
)
USE_CPU = "use device('cpu'), or device = 'cuda' if torch.cuda.is_available() else 'cpu'"


class device:
    """The name of a place where a tensor may live. There is one here, the CPU; the use of another one is an error.

    >>> device("cpu"), device("cuda", 1)
    (device(type='cpu'), device(type='cuda', index=1))
    """

    __slots__ = ("index", "type")
    type: str
    index: int | None

    def __init__(self, type: str | device, index: int | None = None) -> None:
        if isinstance(type, int):
            raise refuse(RuntimeError, NO_ACCELERATOR, "device", type, mend=USE_CPU)
        if not isinstance(type, (str, device)):
            raise no_overload("device", type)
        name, colon, place = (type.type, "", "") if isinstance(type, device) else type.partition(":")
        if name not in KINDS.split(", "):
            text = f"Expected one of {KINDS} device type at start of device string: {name}"
            raise refuse(RuntimeError, text if type else "Device string must not be empty", "device", type)
        if colon and (not place.isdecimal() or (len(place) > 1 and place[0] == "0")):
            raise refuse(RuntimeError, f"Invalid device string: '{type}'", "device", type)
        if colon and index is not None:
            text = f"type (string) must not include an index because index was passed explicitly: {type}"
            raise refuse(RuntimeError, text, "device", type)
        self.type = name
        self.index = type.index if isinstance(type, device) else int(place) if place else index

    def __enter__(self) -> device:
        return here(self)  # what is made inside lives there, as everywhere

    def __exit__(self, *error: object) -> None:
        pass

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __repr__(self) -> str:
        return f"device(type='{self.type}'" + (")" if self.index is None else f", index={self.index})")

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __reduce__(self) -> tuple[Any, ...]:
        return device, (self.type, self.index)


NO_ACCELERATOR = "Cannot access accelerator device when none is available."


def here(place: Place) -> device:
    """A device, if it is the CPU; else PyTorch's error about a machine that is not there."""
    found = place if isinstance(place, device) else device(place)  # type: ignore[arg-type]
    if found.type == "cpu":
        return found
    if found.type in ("cuda", "xpu"):
        raise refuse(AssertionError, f"Torch not compiled with {found.type.upper()} enabled", "device", mend=USE_CPU)
    text = f"tinygrad_pt runs on the CPU alone; device '{found}' does not exist here"
    raise refuse(NotImplementedError, text, "device", mend=USE_CPU)


class layout:
    """How the elements of a tensor are stored. Every tensor here is strided; the other names are there to compare."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> str:
        return self.name


strided, sparse_coo, sparse_csr, sparse_csc = map(layout, ("strided", "sparse_coo", "sparse_csr", "sparse_csc"))
CPU = device("cpu")
Place = str | device | None


def fresh(array: Any, requires_grad: bool = False, place: Place = None) -> Tensor:
    """A new tensor around a new array; a leaf that requires grad, if asked."""
    if place is not None:
        here(place)
    t = wrap(array)
    if current().inference:
        t.inference = True
    if requires_grad:
        kind = t.array.dtype.kind
        if kind != "f":
            text = "Only Tensors of floating point and complex dtype can require gradients"
            mend = "give dtype=torch.float32, or write numbers with a decimal point"
            mend = "complex gradients are not implemented: use real and imaginary parts" if kind == "c" else mend
            raise refuse(RuntimeError, text, "requires_grad_", t, mend=mend)
        t.node = Leaf(t)
    return t


def maker(function: Callable[P, Tensor]) -> Callable[P, Tensor]:
    """Decorator: a function that makes tensors takes PyTorch's other words, too.

    `layout`, `memory_format` and `pin_memory` say where and how; there is one way here. A `size` may be given by name.
    A tensor `out` takes the numbers, in its own dtype. What has several signatures in PyTorch must be given the
    arguments of one of them.
    """
    name = function.__name__
    choices = SEVERAL.get(name)
    own = list(inspect.signature(function).parameters)
    writes = not name.endswith(("_like", "_indices")) and name != "scalar_tensor"
    sized = any(p.kind is p.VAR_POSITIONAL for p in inspect.signature(function).parameters.values())

    @functools.wraps(function)
    def made(*args: Any, **words: Any) -> Tensor:
        if words:
            if words.pop("layout", None) not in (None, strided):
                raise refuse(RuntimeError, "only the layout torch.strided exists here", name)
            words.pop("memory_format", None)
            if words.pop("pin_memory", None):
                raise refuse(RuntimeError, NO_PINNED, name)
            if sized and "size" in words:
                if args:
                    raise refuse(TypeError, f"{name}() got multiple values for argument 'size'", name)
                args = (words.pop("size"),)
            if writes and (out := words.pop("out", None)) is not None:
                words.setdefault("dtype", dtypes.of(expect_tensor(out, name, "out", 0).array.dtype))
                return into(out, name, function(*args, **words), quiet=True)
        if choices is not None:
            args, words = _of_one(choices, own, name, args, words)
        try:
            return function(*args, **words)
        except TypeError as error:
            raise unfit(error, function, args, words) from None

    return made


NO_PINNED = (
    "pin_memory=True requires a CUDA or other accelerator backend; no pinned memory allocator is available on this "
    "system."
)
# The arguments of each signature of PyTorch's, of functions that have several; other words may follow by name.
SEVERAL = {
    "arange": (("end",), ("start", "end"), ("start", "end", "step")),
    "normal": (("mean",), ("mean", "std"), ("mean", "std", "size")),
    "randint": (("high", "size"), ("low", "high", "size")),
    "randint_like": (("input", "high"), ("input", "low", "high")),
}


def _of_one(
    choices: tuple[tuple[str, ...], ...], own: list[str], name: str, args: tuple[Any, ...], words: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments in the order of our own signature, from those of the one signature of PyTorch's that they fit."""
    named = {k: v for k, v in words.items() if k in choices[-1]}
    fitting = [c for c in choices if len(args) <= len(c) and {*c[len(args) :]} == named.keys()]
    if not fitting:
        raise no_overload(name, *args, **words)
    given = dict(zip(fitting[0], args, strict=False)) | named
    last = max(own.index(k) for k in given)
    return tuple([given.get(k) for k in own[: last + 1]]), {k: v for k, v in words.items() if k not in named}


# ------------------------------------------------------------------------------------------ from data
SEQUENCES = (list, tuple, range, bytearray)
NO_SEQUENCES = (str, bytes, dict, Tensor, np.ndarray, np.generic)
NUMBERS = {bool, int, float, complex}
TOO_LONG = "Overflow when unpacking long long"
ONE_ELEMENT = "only one element tensors can be converted to Python scalars"
ONE_LENGTH = "all lists at one level must have one length"


def is_sequence(data: Any) -> bool:
    """Whether Python takes the data for a sequence of elements: a list, a range, a deque, an array of `array`, …"""
    if isinstance(data, SEQUENCES):
        return True
    kind = type(data)
    sized = hasattr(kind, "__getitem__") and hasattr(kind, "__len__")
    return sized and not isinstance(data, NO_SEQUENCES) and not hasattr(kind, "__array__")


def _array(data: Any, dtype: Dtype) -> np.ndarray:
    """A new array of nested lists, numbers, arrays or tensors, in PyTorch's choice of dtype."""
    target = None if dtype is None else dtypes.of(dtype)
    if isinstance(data, (Tensor, np.ndarray, np.generic)):
        x = data.array if isinstance(data, Tensor) else _native(np.asarray(data))
        return cast(x, (target or dtypes.of(x.dtype)).numpy)
    x = _nested(data, target)
    if target is None:
        kind = _natural(x, data)
        return x if x.dtype is kind else cast(x, kind)
    if target.rank == 1 and x.dtype.kind in "if":
        info = np.iinfo(target.numpy)
        low = info.min if info.min or x.dtype.kind == "f" else -info.max  # a negative integer is one modulo 2ⁿ
        if x.size and not np.all((x >= float(low)) & (x <= float(info.max))):
            text = f"value cannot be converted to type {target.name} without overflow"
            raise refuse(RuntimeError, text, "tensor", data)
    if target is dtypes.float16 and x.dtype == np.float64:  # PyTorch rounds twice
        x = cast(x, dtypes.float32.numpy)
    return cast(x, target.numpy)


def _native(x: np.ndarray) -> np.ndarray:
    """The array, if its dtype is one of ours in this machine's byte order."""
    if not x.dtype.isnative:
        text = "given numpy array has byte order different from the native byte order. Conversion between byte orders "
        mend = "array.astype(array.dtype.newbyteorder('='))"
        raise refuse(ValueError, f"{text}is currently not supported.", "from_numpy", x, mend=mend)
    dtypes.of(x.dtype)
    return x


def _nested(data: Any, target: dtypes.dtype | None = None) -> np.ndarray:
    """A new array of nested lists of numbers, as wide as Python's numbers are."""
    if data.__class__ not in NUMBERS:
        data = _plain(data) if is_sequence(data) else _element(data)
    try:
        x = np.array(data)
    except OverflowError:
        raise refuse(ValueError, TOO_LONG, "tensor", data) from None
    except ValueError:  # elements that are arrays of different shapes
        raise refuse(ValueError, ONE_ELEMENT, "tensor", data) from None
    if x.dtype.kind == "O" or x.dtype == np.uint64:
        if target is not None and target.rank != 1:
            return cast(data, np.dtype(float))
        raise refuse(ValueError, TOO_LONG, "tensor", data)
    return x


def _plain(data: Any, level: int = 1) -> list[Any]:
    """Nested lists, rectangular, with numbers or arrays in them."""
    if data.__class__ is list and NUMBERS.issuperset(map(type, data)):
        return data
    if not len(data) or not is_sequence(data[0]):
        if level == 1 and len(data) and isinstance(data[0], str):
            raise refuse(ValueError, "too many dimensions 'str'", "tensor", data)
        return [_element(d) for d in data]
    n = len(data[0])
    for d in data:
        if not is_sequence(d):
            _element(d)
            raise refuse(TypeError, "not a sequence", "tensor", data)
        if len(d) != n:
            text = f"expected sequence of length {n} at dim {level} (got {len(d)})"
            raise refuse(ValueError, text, "tensor", data, mend=ONE_LENGTH)
    return [_plain(d, level + 1) for d in data]


def _element(value: Any) -> Any:
    """One element: a number, or something with one in it."""
    if isinstance(value, Tensor):
        if value.array.size != 1:
            mend = "torch.stack(list) joins tensors, and keeps their gradients"
            raise refuse(ValueError, ONE_ELEMENT, "tensor", value, mend=mend)
        return value.array.reshape(())[()]
    if is_sequence(value):
        text = f"'{type(value).__name__}' object cannot be interpreted as an integer"
        raise refuse(TypeError, text, "tensor", value, mend=ONE_LENGTH)
    if isinstance(value, (str, bytes)):
        raise refuse(TypeError, f"new(): invalid data type '{type(value).__name__}'", "tensor", value)
    if not isinstance(value, (bool, int, float, complex, np.generic)) and not hasattr(value, "__array__"):
        raise refuse(RuntimeError, f"Could not infer dtype of {type(value).__name__}", "tensor", value)
    return value


def _kinds_in(data: Any, kinds: set[dtypes.dtype]) -> bool:
    """Collect the dtypes of the elements of nested lists; whether there are tensors among them."""
    if not isinstance(data, (list, tuple)) and not is_sequence(data):
        kinds.add(dtypes.of(data.dtype) if hasattr(data, "dtype") else dtypes.of_number(data))
        return isinstance(data, Tensor)
    types = set(map(type, data))
    return any([_kinds_in(d, kinds) for d in ([kind() for kind in types] if types <= NUMBERS else data)])


def _natural(x: np.ndarray, data: Any) -> np.dtype[Any]:
    """The dtype of an array of `data`: the default one for Python's floats, NumPy's own for its numbers."""
    if x.size == 0 and not hasattr(data, "dtype"):
        return dtypes.get_default_dtype().numpy
    kinds: set[dtypes.dtype] = set()
    if is_sequence(data) and _kinds_in(data, kinds):
        return functools.reduce(dtypes.promote_types, kinds).numpy
    if x.dtype.kind in "fc":
        while is_sequence(data):
            data = data[0]
        if data.__class__ in NUMBERS or not hasattr(data, "dtype") or data.dtype != x.dtype:
            if x.dtype == np.float64 or x.dtype == np.complex128:
                return dtypes.of_number(1.0 if x.dtype.kind == "f" else 1j).numpy
    return dtypes.of(x.dtype).numpy


def tensor(
    data: Any, *, dtype: Dtype = None, device: Place = None, requires_grad: bool = False, pin_memory: bool = False
) -> Tensor:
    """A tensor holding a copy of `data`.

    Args:
        data: a number, nested lists, a NumPy array (its dtype is kept), or a tensor.
        dtype: default: int64 for ints, bool for bools, the default dtype for floats.

    >>> tensor([[1, 2], [3, 4]]), tensor([1.0, 2.5])
    (tensor([[1, 2],
            [3, 4]]), tensor([1.0000, 2.5000]))
    """
    if isinstance(data, Tensor):
        text = "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
        text += "sourceTensor.detach().clone().requires_grad_(True), rather than torch.tensor(sourceTensor)."
        warnings.warn(text, UserWarning, stacklevel=2)
    if pin_memory:
        raise refuse(RuntimeError, NO_PINNED, "tensor")
    return fresh(_array(data, dtype), requires_grad, device)


def as_tensor(data: Any, dtype: Dtype = None, device: Place = None) -> Tensor:
    """`data` as a tensor, sharing memory where it can: a tensor of this dtype is returned as it is."""
    if isinstance(data, Tensor):
        t: Tensor = data
        return t if dtype is None or t.dtype is dtypes.of(dtype) else t.to(dtype)
    if isinstance(data, np.ndarray) and data.dtype.isnative and (dtype is None or dtypes.of(dtype).numpy == data.dtype):
        return from_numpy(data)
    return tensor(data, dtype=dtype, device=device)


@checked
def from_numpy(array: np.ndarray) -> Tensor:
    """A tensor that shares the memory of a NumPy array: a change of either shows in both.

    >>> a = np.zeros(2)
    >>> t = from_numpy(a); a[0] = 5; t
    tensor([5., 0.], dtype=torch.float64)
    """
    if not isinstance(array, np.ndarray):
        text = f"expected np.ndarray (got {class_name(type(array))})"
        raise refuse(TypeError, text, "from_numpy", array, mend="torch.tensor(...) takes lists and numbers")
    return fresh(_native(array))


@checked
def asarray(
    obj: Any, *, dtype: Dtype = None, device: Place = None, copy: bool | None = None, requires_grad: bool | None = None
) -> Tensor:
    """`as_tensor`; with `copy=True` always in new memory, with `copy=False` never.

    The result requires grad if `obj` does, unless `requires_grad` says otherwise.
    """
    if requires_grad is None:
        requires_grad = isinstance(obj, Tensor) and obj.requires_grad
        if requires_grad:
            text = "torch.asarray: unspecified requires_grad now defaults to obj.requires_grad instead of False. Pass "
            text += "requires_grad=False explicitly to get the old behavior and silence this warning."
            warnings.warn(text, UserWarning, stacklevel=3)
    t = as_tensor(obj, dtype, device)
    shared = t is obj or (isinstance(obj, np.ndarray) and np.shares_memory(t.array, obj))
    if copy is False and not shared:
        kind = (
            "arbitrary sequence" if not hasattr(obj, "dtype") else f"tensor with dtype '{dtypes.of(obj.dtype).spoken}'"
        )
        into = f"dtype '{t.dtype.spoken}'" if hasattr(obj, "dtype") else "a tensor"
        raise refuse(ValueError, f"can't alias {kind} into {into}.", "asarray", obj)
    if copy and shared:
        t = ops.clone(t)
    if not requires_grad and not t.is_leaf:
        t = t.detach()
    if requires_grad and t.array.dtype.kind != "f":
        raise refuse(
            RuntimeError, "Only Tensors of floating point and complex dtype can require gradients", "asarray", t
        )
    return t.requires_grad_(requires_grad) if t.is_leaf else t


@maker
@checked
def scalar_tensor(s: Number, *, dtype: Dtype = None, device: Place = None, requires_grad: bool = False) -> Tensor:
    """A 0-d tensor of the default dtype."""
    kind = dtypes.get_default_dtype() if dtype is None else dtype
    return full((), s, dtype=kind, device=device, requires_grad=requires_grad)


# ------------------------------------------------------------------------------------------ filled
def _kind(dtype: Dtype, default: np.dtype[Any] | None = None) -> np.dtype[Any]:
    """NumPy's dtype for one of ours; without one `default`, or else the default dtype."""
    return dtypes.of(dtype).numpy if dtype is not None else default or dtypes.get_default_dtype().numpy


LONG = dtypes.int64.numpy


@maker
@checked
def zeros(*size: int | Sequence[int], dtype: Dtype = None, device: Place = None, requires_grad: bool = False) -> Tensor:
    """Zeros of a shape.

    >>> zeros(2, 3)
    tensor([[0., 0., 0.],
            [0., 0., 0.]])
    """
    return fresh(np.zeros(positive_sizes(size, "zeros"), _kind(dtype)), requires_grad, device)


@maker
@checked
def ones(*size: int | Sequence[int], dtype: Dtype = None, device: Place = None, requires_grad: bool = False) -> Tensor:
    """Ones of a shape."""
    return fresh(np.ones(positive_sizes(size, "ones"), _kind(dtype)), requires_grad, device)


@maker
@checked
def empty(*size: int | Sequence[int], dtype: Dtype = None, device: Place = None, requires_grad: bool = False) -> Tensor:
    """A tensor of a shape, its values not set."""
    return fresh(np.empty(positive_sizes(size, "empty"), _kind(dtype)), requires_grad, device)


@maker
@checked
def full(
    size: Any, fill_value: Any, *, dtype: Dtype = None, device: Place = None, requires_grad: bool = False
) -> Tensor:
    """A tensor of a shape filled with one number, whose type decides the dtype: `full((2,), 1)` is int64."""
    if not isinstance(size, (tuple, list)):
        raise not_a("tuple of ints", size, "full", "size", 1)
    value = _number(fill_value, "full", "fill_value", 2, complex)
    kind = dtypes.of_number(value) if dtype is None else dtypes.of(dtype)
    shape = positive_sizes((size,), "full")
    number = written_number(value, kind, "full", math.prod(shape))
    return fresh(np.full(shape, number), requires_grad, device)


def _number(value: Any, function: str, name: str, position: int, *kinds: type) -> Any:
    """A number, or that of a tensor of one element, as a Python number: real, if no other `kinds` are allowed."""
    if isinstance(value, np.generic) or (isinstance(value, Tensor) and not value.array.ndim):
        value = value.item()
    if not isinstance(value, (int, float, *kinds)):
        raise not_a("Number", value, function, name, position)
    return value


def _laid_out(input: Tensor, make: Callable[..., Tensor], requires_grad: bool, **words: Any) -> Tensor:
    """A new tensor in the shape of `input`, with its axes in the same order in memory."""
    x = input.array
    axes = range(x.ndim) if 0 in x.strides or not x.size else in_memory(input)
    if list(axes) == list(range(x.ndim)):
        return make(x.shape, requires_grad=requires_grad, **words)
    y = (_paired if make is randn else make)(tuple(x.shape[i] for i in axes), **words)
    return fresh(y.array.transpose(np.argsort(axes)), requires_grad)


def _kind_like(input: Tensor, dtype: Dtype, name: str) -> Dtype:
    """The dtype that is given, or else that of the tensor, which must be one."""
    kind = expect_tensor(input, name).dtype
    return kind if dtype is None else dtype


def _paired(shape: tuple[int, ...], generator: Generator | None, dtype: Dtype, device: Place) -> Tensor:
    """Normal numbers in pairs, as PyTorch draws them where the memory is not row-major."""
    return fresh(_generator(generator).normal(shape, dtype=_kind(dtype), paired=True), False, device)


def _like(make: Any) -> Callable[..., Tensor]:
    name = f"{make.__name__}_like"

    def like(input: Tensor, *, dtype: Dtype = None, device: Place = None, requires_grad: bool = False) -> Tensor:
        kind = _kind_like(input, dtype, name)
        return _laid_out(input, make, requires_grad, dtype=kind, device=device)

    return maker(described(like, name, f"`{make.__name__}` in the shape and dtype of `input`."))


zeros_like, ones_like, empty_like = map(_like, (zeros, ones, empty))


@maker
def full_like(
    input: Tensor, fill_value: Any, *, dtype: Dtype = None, device: Place = None, requires_grad: bool = False
) -> Tensor:
    """`full` in the shape and dtype of `input`."""
    kind = _kind_like(input, dtype, "full_like")
    return full(input.array.shape, fill_value, dtype=kind, device=device, requires_grad=requires_grad)


# ------------------------------------------------------------------------------------------ ranges
@maker
@checked
def arange(
    start: Any = None, end: Any = None, step: Any = 1, *, dtype: Dtype = None, device: Place = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """start, start + step, … below end; int64 if all three are ints.

    >>> arange(3), arange(1.0, 2.0, 0.5)
    (tensor([0, 1, 2]), tensor([1.0000, 1.5000]))
    """
    start = _number(0 if start is None else start, "arange", "start", 1)
    end, step = _number(end, "arange", "end", 2), _number(step, "arange", "step", 3)
    if dtype is not None and dtypes.of(dtype) is dtypes.bool:
        raise no_bools("arange")
    if step == 0:
        raise refuse(RuntimeError, "step must be nonzero")
    if (end - start) * step < 0:
        raise refuse(RuntimeError, "upper bound and lower bound inconsistent with step sign")
    if not math.isfinite((end - start) / step):
        raise refuse(RuntimeError, f"unsupported range: {start} -> {end}")
    if (end - start) / step >= 2**60:
        raise refuse(RuntimeError, "invalid size, possible overflow?")
    whole = all(isinstance(x, int) for x in (start, end, step))
    kind = _kind(dtype, LONG if whole else None)
    if kind.kind in "iu" and not whole:
        number = math.ceil((end - start) / step)
        start, end, step = int(start), int(end), int(step)
        if kind == np.int64:  # PyTorch counts in integers then
            if step == 0:
                raise refuse(ValueError, "step must be nonzero")
            number = math.ceil((end - start) / step)
        return fresh(cast(start + np.arange(number) * step, kind), requires_grad, device)
    x = start + np.arange(math.ceil((end - start) / step)) * step
    return fresh(x if x.dtype == kind else cast(x, kind), requires_grad, device)


@maker
@checked
@np.errstate(all="ignore")
def linspace(
    start: Operand, end: Operand, steps: int, *, dtype: Dtype = None, device: Place = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """`steps` numbers evenly from start to end, both included."""
    low, high, steps = _interval(start, end, steps, "linspace")
    kind = _kind(dtype)
    return fresh(cast(_from_both_ends(low, high, steps, kind, "linspace"), kind), requires_grad, device)


def _from_both_ends(low: Any, high: Any, steps: int, kind: np.dtype[Any], op: str) -> np.ndarray:
    """Even steps in float64. PyTorch counts from both ends, with a step that the dtype of the result has rounded."""
    if kind.kind == "b":
        raise no_bools(op)
    wide = float if kind.kind == "f" else object  # Python's integers do not overflow
    start, end = (scalar_array(x, dtypes.of(kind), op).astype(wide)[()] for x in (low, high))
    step = np.float64((end - start) / max(1, steps - 1))
    step = np.float64(step.astype(kind)) if kind.kind == "f" else step
    i = np.arange(steps, dtype=np.float64)
    up, down = i * step, (steps - 1 - i) * step
    if kind == np.float16:
        up, down = up.astype(kind), down.astype(kind)
    return np.where(i < max(1, steps // 2), np.float64(start) + up, np.float64(end) - down)


def no_bools(op: str) -> Exception:
    """PyTorch's error about a range of truth values."""
    return refuse(NotImplementedError, f"\"{op}_cpu\" not implemented for 'Bool'", op)


@maker
@checked
@np.errstate(all="ignore")
def logspace(
    start: Operand, end: Operand, steps: int, base: float = 10.0, *, dtype: Dtype = None,
    device: Place = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """base to the powers `linspace(start, end, steps)`."""
    low, high, steps = _interval(start, end, steps, "logspace")
    base, kind = _number(base, "logspace", "base", 4), _kind(dtype)
    if kind.kind == "f":
        return fresh(np.logspace(low, high, steps, base=base).astype(kind), requires_grad, device)
    return fresh(cast(base ** _from_both_ends(low, high, steps, kind, "logspace"), kind), requires_grad, device)


def _interval(start: Any, end: Any, steps: Any, op: str) -> tuple[Any, Any, int]:
    """Both ends as Python numbers, and the number of steps, checked."""
    for name, x in (("start", start), ("end", end)):
        if isinstance(x, Tensor) and x.array.ndim:
            text = f"{op} only supports 0-dimensional start and end tensors, but got {name} with {x.array.ndim} "
            raise refuse(RuntimeError, f"{text}dimension(s).")
    (n,) = sizes_from((steps,), op)
    if n < 0:
        raise refuse(RuntimeError, "number of steps must be non-negative")
    return _number(start, op, "start", 1), _number(end, op, "end", 2), n


@maker
@checked
def eye(
    n: int, m: int | None = None, *, dtype: Dtype = None, device: Place = None, requires_grad: bool = False
) -> Tensor:
    """The identity matrix, n×n or n×m."""
    rows, columns = sizes_from((n, n if m is None else m), "eye")
    for name, size in (("n", rows), ("m", columns)):
        if size < 0:
            raise refuse(RuntimeError, f"{name} must be greater or equal to 0, got {size}")
    return fresh(np.eye(rows, columns, dtype=_kind(dtype)), requires_grad, device)


def _triangle_indices(part: Callable[..., np.ndarray]) -> Callable[..., Tensor]:
    name = f"{part.__name__}_indices"

    def function(row: int, col: int, offset: int = 0, *, dtype: Dtype = None, device: Place = None) -> Tensor:
        kind = dtypes.int64 if dtype is None else dtypes.of(dtype)
        if kind not in (dtypes.int32, dtypes.int64):
            raise refuse(NotImplementedError, f"\"{name}\" not implemented for '{kind.spoken}'", name)
        places = np.nonzero(part(np.ones(positive_sizes((row, col), name), bool), operator.index(offset)))
        return fresh(np.stack(places).astype(kind.numpy), place=device)

    return maker(
        checked(described(function, name, f"The rows and the columns of the elements that `{part.__name__}` keeps."))
    )


tril_indices, triu_indices = map(_triangle_indices, (np.tril, np.triu))


# ------------------------------------------------------------------------------------------ at random
def _generator(generator: Generator | None) -> Generator:
    if generator is None:
        return random.default_generator
    if not isinstance(generator, Generator):
        text = f"argument 'generator' must be torch.Generator, not {type(generator).__name__}"
        raise refuse(TypeError, text, "generator", generator, mend="torch.Generator().manual_seed(0)")
    return generator


@maker
@checked
def rand(
    *size: int | Sequence[int], generator: Generator | None = None, dtype: Dtype = None, device: Place = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Uniform numbers in [0, 1): the same as PyTorch's for the same seed.

    >>> import tinygrad_pt as torch
    >>> _ = torch.manual_seed(0); torch.rand(3)
    tensor([0.4963, 0.7682, 0.0885])
    """
    x = _generator(generator).uniform(positive_sizes(size, "rand"), dtype=_kind(dtype))
    return fresh(x, requires_grad, device)


@maker
@checked
def randn(
    *size: int | Sequence[int], generator: Generator | None = None, dtype: Dtype = None, device: Place = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Standard normal numbers: the same as PyTorch's for the same seed."""
    x = _generator(generator).normal(positive_sizes(size, "randn"), dtype=_kind(dtype))
    return fresh(x, requires_grad, device)


@maker
@checked
def randint(
    low: int | None = None, high: int = 0, size: Any = (), *,
    generator: Generator | None = None, dtype: Dtype = None, device: Place = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Integers in [low, high), evenly; `randint(high, size)`, in order or by name, starts at 0."""
    if not isinstance(size, (tuple, list)):
        raise not_a("tuple of ints", size, "randint", "size", 2 if low is None else 3)
    first, shape = 0 if low is None else low, positive_sizes((size,), "randint")
    x = _generator(generator).integers(first, high, shape, dtype=_kind(dtype, LONG))
    return fresh(x, requires_grad, device)


@maker
@checked
def randperm(
    n: int, *, generator: Generator | None = None, dtype: Dtype = None, device: Place = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """0 … n-1 in a random order."""
    return fresh(_generator(generator).permutation(n).astype(_kind(dtype, LONG)), requires_grad, device)


@checked
def bernoulli(
    input: Tensor, p: float | None = None, *, generator: Generator | None = None, out: Tensor | None = None
) -> Tensor:
    """1 with probability `input`, else 0, element by element; with probability p, if it is given."""
    x = expect_tensor(input, "bernoulli").array
    g = _generator(generator)
    drawn = g.bernoulli(x) if p is None else g.bernoulli_fill(x.shape, _number(p, "bernoulli", "p", 2), dtype=x.dtype)
    return flat_in(fresh(drawn), input)


@checked
def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *, generator: Generator | None = None,
    out: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Indices drawn with the weights in the last axis of `input`."""
    return fresh(_generator(generator).multinomial(input.array, num_samples, replacement))


@checked
def poisson(input: Tensor, generator: Generator | None = None, *, out: Tensor | None = None) -> Tensor:
    """Poisson numbers of the rates `input`: the same as PyTorch's for the same seed.

    >>> import tinygrad_pt as torch
    >>> _ = torch.manual_seed(0); torch.poisson(torch.tensor([2.0, 0.0, 50.0]))
    tensor([ 6.,  0., 47.])
    """
    return flat_in(fresh(_generator(generator).poisson(input.array)), input)


@checked
def binomial(count: Tensor, prob: Tensor, generator: Generator | None = None, *, out: Tensor | None = None) -> Tensor:
    """How many of `count` coins of the probability `prob` show heads: the same as PyTorch's for the same seed."""
    common_shape("binomial", count, prob)
    for t, name in ((count, "count"), (prob, "prob")):
        if t.array.dtype.kind != "f":
            text = f"binomial only supports floating-point dtypes for {name}, got: {t.dtype.spoken}"
            raise refuse(ValueError, text)
    if count.array.dtype != prob.array.dtype:
        kinds = f"Found dtype {prob.dtype.spoken} but expected {count.dtype.spoken}"
        raise refuse(RuntimeError, kinds)
    return flat_in(fresh(_generator(generator).binomial(count.array, prob.array)), count, prob)


@maker
@checked
def normal(
    mean: Tensor | float, std: Tensor | float = 1.0, size: Any = None, *, generator: Generator | None = None,
    dtype: Dtype = None, device: Place = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Normal numbers with the given means and standard deviations, numbers or tensors."""
    g = _generator(generator)
    if size is not None:
        m, s = _number(mean, "normal", "mean", 1), _number(std, "normal", "std", 2)
        return fresh(g.normal(positive_sizes((size,), "normal"), m, s, dtype=_kind(dtype)), requires_grad, device)
    like = mean if isinstance(mean, Tensor) else expect_tensor(std, "normal", "std", 2)
    m, s = (x.array if isinstance(x, Tensor) else x for x in (mean, std))
    if np.any(np.asarray(s) < 0):
        raise refuse(RuntimeError, "normal expects all elements of std >= 0.0")
    shape = common_shape("normal", mean, std)
    with np.errstate(all="ignore"):
        return flat_in(fresh(g.normal(shape, dtype=like.array.dtype) * s + m), mean, std)


def _random_like(make: Any) -> Callable[..., Tensor]:
    name = f"{make.__name__}_like"

    def like(
        input: Tensor, *, generator: Generator | None = None, dtype: Dtype = None, device: Place = None,
        requires_grad: bool = False,
    ) -> Tensor:  # fmt: skip
        kind = _kind_like(input, dtype, name)
        return _laid_out(input, make, requires_grad, generator=generator, dtype=kind, device=device)

    return maker(described(like, name, f"`{make.__name__}` in the shape and dtype of `input`."))


rand_like, randn_like = _random_like(rand), _random_like(randn)


@maker
@checked
def randint_like(
    input: Tensor, low: int | None = None, high: int = 0, *, generator: Generator | None = None,
    dtype: Dtype = None, device: Place = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """`randint` in the shape and dtype of `input`."""
    kind = input.dtype if dtype is None else dtype
    make = functools.partial(randint, 0 if low is None else low, high)
    return _laid_out(input, make, requires_grad, generator=generator, dtype=kind, device=device)


def get_rng_state() -> Tensor:
    """The state of the default random stream, as a uint8 tensor in PyTorch's layout."""
    return fresh(random.get_rng_state())


@checked
def set_rng_state(new_state: Tensor) -> None:
    """Continue the default random stream from a state that `get_rng_state` gave."""
    random.set_rng_state(expect_tensor(new_state, "set_rng_state", "new_state").array)
