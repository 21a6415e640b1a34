"""Making tensors: from data, filled, in ranges, at random."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from tinygrad_pt import dtypes, random
from tinygrad_pt.errors import class_name, refuse
from tinygrad_pt.functions.arguments import expect_tensor, number, positive_sizes, quiet
from tinygrad_pt.graph import Handle, Leaf, wrap
from tinygrad_pt.modes import current

__all__ = [
    "BoolTensor", "ByteTensor", "CharTensor", "DoubleTensor", "FloatTensor", "HalfTensor", "IntTensor", "LongTensor",
    "ShortTensor", "arange", "as_tensor", "asarray", "bernoulli", "device", "empty", "empty_like", "eye",
    "from_numpy", "full", "full_like", "get_rng_state", "linspace", "logspace", "multinomial", "normal", "ones",
    "ones_like", "rand", "rand_like", "randint", "randint_like", "randn", "randn_like", "randperm", "scalar_tensor",
    "set_rng_state", "tensor", "tril_indices", "triu_indices", "zeros", "zeros_like",
]  # fmt: skip


class device:
    """Where a tensor lives. There is one place: the CPU.

    >>> device("cpu")
    device(type='cpu')
    """

    __slots__ = ("index", "type")

    def __init__(self, type: Any = "cpu", index: int | None = None) -> None:
        name, _, number = str(getattr(type, "type", type)).partition(":")
        if name != "cpu":
            raise refuse(
                RuntimeError,
                f"tinygrad_pt runs on the CPU alone; device {str(type)!r} does not exist here",
                mend="use device('cpu'), or device = 'cuda' if torch.cuda.is_available() else 'cpu'",
            )
        self.type = name
        self.index = int(number) if number else index

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and self.type == other.type

    def __hash__(self) -> int:
        return hash(self.type)

    def __repr__(self) -> str:
        return (
            f"device(type='{self.type}')" if self.index is None else f"device(type='{self.type}', index={self.index})"
        )

    def __str__(self) -> str:
        return self.type


CPU = device("cpu")


def require(t: Any, requires_grad: bool) -> Any:
    """Make a fresh tensor a leaf that requires grad, if asked."""
    if requires_grad:
        if t.array.dtype.kind != "f":
            raise refuse(
                RuntimeError,
                "Only Tensors of floating point and complex dtype can require gradients",
                mend="give dtype=torch.float32, or write numbers with a decimal point"
                if t.array.dtype.kind != "c"
                else "complex gradients are not implemented: use real and imaginary parts",
            )
        t.node = Leaf(t)
    return t


def fresh(array: Any, requires_grad: bool = False, place: Any = None) -> Any:
    """A new tensor around a new array."""
    if place is not None:
        device(place)
    t = wrap(array)
    if current().inference:
        t.inference = True
    return require(t, requires_grad) if requires_grad else t


# ------------------------------------------------------------------------------------------ from data
@quiet
def _array(data: Any, dtype: Any) -> Any:
    """A new array of nested lists, numbers, arrays or tensors, in PyTorch's choice of dtype."""
    target = None if dtype is None else dtypes.of(dtype)
    if isinstance(data, Handle):
        x = data.array
    elif isinstance(data, (np.ndarray, np.generic)):
        x = _native(np.asarray(data))
    else:
        x = _nested(data, target)
        if target is not None and target.rank == 1 and x.dtype.kind in "if":
            _holds_all(target, x)
    return np.array(x, dtype=(dtypes.of(x.dtype) if target is None else target).numpy)


def _native(x: Any) -> Any:
    """The array, if its dtype is one of ours in this machine's byte order."""
    if not x.dtype.isnative:
        raise ValueError(
            "given numpy array has byte order different from the native byte order. Conversion between byte orders is "
            "currently not supported."
        )
    dtypes.of(x.dtype)
    return x


def _holds_all(target: dtypes.dtype, x: Any) -> None:
    """Every number must fit into the integer dtype."""
    info = np.iinfo(target.numpy)
    low = float(info.min or -info.max)
    if x.size and not np.all((x >= low) & (x <= float(info.max))):
        raise RuntimeError(f"value cannot be converted to type {target.name} without overflow")


def _nested(data: Any, target: Any) -> Any:
    """The array that nested lists of numbers stand for; with a target dtype, as wide as Python's numbers are."""
    if isinstance(data, (list, tuple, range, bytearray)):
        if data and isinstance(data[0], str):
            raise ValueError("too many dimensions 'str'")
        data = _plain(data)
    else:
        _number(data)
    try:
        x = np.asarray(data)
    except OverflowError:
        raise ValueError("Overflow when unpacking long long") from None
    if x.dtype.kind == "O" or x.dtype == np.uint64:
        raise ValueError("Overflow when unpacking long long")
    if x.size == 0 and not hasattr(data, "dtype"):
        return x.astype(dtypes.get_default_dtype().numpy)
    if target is not None:
        return x.astype(np.float32) if target is dtypes.float16 and x.dtype == np.float64 else x  # rounded twice
    if x.dtype == np.float64 and not _wide(data, np.float64):
        return x.astype(dtypes.get_default_dtype().numpy)
    if x.dtype == np.complex128 and not _wide(data, np.complex128):
        return x.astype(dtypes.of_number(1j).numpy)
    return x


def _number(value: Any) -> Any:
    """One element: a number, or something with one in it."""
    if isinstance(value, Handle):
        if value.array.size != 1:
            raise refuse(
                ValueError,
                "only one element tensors can be converted to Python scalars",
                mend="torch.stack(list) joins tensors, and keeps their gradients",
            )
        return value.array.reshape(())[()]
    if isinstance(value, (str, bytes)):
        raise TypeError(f"new(): invalid data type '{type(value).__name__}'")
    if not isinstance(value, (bool, int, float, complex, np.generic)) and not hasattr(value, "__array__"):
        raise RuntimeError(f"Could not infer dtype of {type(value).__name__}")
    return value


SEQUENCES = (list, tuple, range, bytearray)


def _plain(data: Any, level: int = 1) -> list[Any]:
    """Nested lists, rectangular, with numbers or arrays in them."""
    if len(data) and isinstance(data[0], SEQUENCES):
        n = len(data[0])
        for d in data:
            if not isinstance(d, SEQUENCES):
                _number(d)
                raise TypeError("not a sequence")
            if len(d) != n:
                raise ValueError(f"expected sequence of length {n} at dim {level} (got {len(d)})")
        return [_plain(d, level + 1) for d in data]
    for d in data:
        if isinstance(d, SEQUENCES):
            raise TypeError(f"'{type(d).__name__}' object cannot be interpreted as an integer")
    return [_number(d) for d in data]


def _wide(data: Any, kind: type) -> bool:
    """Whether nested data has its wide dtype from NumPy itself rather than from Python's numbers."""
    while isinstance(data, list) and data:
        data = data[0]
    return isinstance(data, (np.ndarray, np.generic)) and data.dtype == kind


def tensor(data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
    """A tensor holding a copy of `data`.

    Args:
        data: a number, nested lists, a NumPy array (its dtype is kept), or a tensor.
        dtype: default: int64 for ints, bool for bools, the default dtype for floats.

    >>> tensor([[1, 2], [3, 4]]), tensor([1.0, 2.5])
    (tensor([[1, 2],
            [3, 4]]), tensor([1.0000, 2.5000]))
    """
    if isinstance(data, Handle):
        warnings.warn(
            "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
            "sourceTensor.detach().clone().requires_grad_(True), rather than torch.tensor(sourceTensor).", UserWarning,
            stacklevel=2,
        )  # fmt: skip
    return fresh(_array(data, dtype), requires_grad, device)


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Any:
    """`data` as a tensor, sharing memory where it can: a tensor of this dtype is returned as it is."""
    if isinstance(data, Handle):
        return data if dtype is None or data.dtype is dtypes.of(dtype) else data.to(dtype)
    if isinstance(data, np.ndarray) and data.dtype.isnative and (dtype is None or dtypes.of(dtype).numpy == data.dtype):
        return from_numpy(data)
    return tensor(data, dtype=dtype, device=device)


def from_numpy(array: Any) -> Any:
    """A tensor that shares the memory of a NumPy array: a change of either shows in both.

    >>> a = np.zeros(2)
    >>> t = from_numpy(a); a[0] = 5; t
    tensor([5., 0.], dtype=torch.float64)
    """
    if not isinstance(array, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {class_name(type(array))})")
    return fresh(_native(array))


def asarray(obj: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None) -> Any:
    """`as_tensor`; with `copy=True` always in new memory."""
    return tensor(obj, dtype=dtype, device=device) if copy else as_tensor(obj, dtype, device)


class TypedTensor:
    """One of PyTorch's older constructors, and a name for `isinstance`: `LongTensor([1, 2])`, `FloatTensor(2, 3)`."""

    def __init__(self, kind: dtypes.dtype) -> None:
        self.kind = kind

    def __call__(self, *data: Any) -> Any:
        if len(data) == 1 and isinstance(data[0], (list, tuple, np.ndarray, Handle)):
            return tensor(data[0], dtype=self.kind)
        return empty(*data or (0,), dtype=self.kind)

    def __instancecheck__(self, value: Any) -> bool:
        return isinstance(value, Handle) and value.array.dtype == self.kind.numpy

    def __repr__(self) -> str:
        return f"<class 'torch.{self.kind.spoken}Tensor'>"


FloatTensor, DoubleTensor, HalfTensor = map(TypedTensor, (dtypes.float32, dtypes.float64, dtypes.float16))
LongTensor, IntTensor, ShortTensor = map(TypedTensor, (dtypes.int64, dtypes.int32, dtypes.int16))
ByteTensor, CharTensor, BoolTensor = map(TypedTensor, (dtypes.uint8, dtypes.int8, dtypes.bool))


def scalar_tensor(value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
    """A 0-d tensor of the default dtype."""
    return full((), value, dtype=dtype or dtypes.get_default_dtype(), device=device, requires_grad=requires_grad)


# ------------------------------------------------------------------------------------------ filled
def _kind(dtype: Any) -> Any:
    return dtypes.get_default_dtype().numpy if dtype is None else dtypes.of(dtype).numpy


def zeros(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
    """Zeros of a shape.

    >>> zeros(2, 3)
    tensor([[0., 0., 0.],
            [0., 0., 0.]])
    """
    return fresh(np.zeros(positive_sizes(size, "zeros"), _kind(dtype)), requires_grad, device)


def ones(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
    """Ones of a shape."""
    return fresh(np.ones(positive_sizes(size, "ones"), _kind(dtype)), requires_grad, device)


def empty(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
    """A tensor of a shape, its values not set."""
    return fresh(np.empty(positive_sizes(size, "empty"), _kind(dtype)), requires_grad, device)


def full(size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
    """A tensor of a shape filled with one number, whose type decides the dtype: `full((2,), 1)` is int64."""
    if not isinstance(size, (tuple, list)):
        raise TypeError(f"full(): argument 'size' (position 1) must be tuple of ints, not {type(size).__name__}")
    value = fill_value.item() if isinstance(fill_value, (Handle, np.generic)) else fill_value
    kind = dtypes.of_number(value) if dtype is None else dtypes.of(dtype)
    return fresh(np.full(positive_sizes((size,), "full"), number(value, kind)), requires_grad, device)


def _like(make: Any) -> Any:
    def like(input: Any, *args: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
        expect_tensor(input, f"{make.__name__}_like")
        dtype = input.dtype if dtype is None else dtype
        return make(input.array.shape, *args, dtype=dtype, device=device, requires_grad=requires_grad)

    like.__name__ = like.__qualname__ = f"{make.__name__}_like"
    like.__doc__ = f"`{make.__name__}` in the shape and dtype of `input`."
    return like


zeros_like, ones_like, empty_like, full_like = map(_like, (zeros, ones, empty, full))


# ------------------------------------------------------------------------------------------ ranges
@quiet
def arange(
    start: Any = None,
    end: Any = None,
    step: Any = 1,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """start, start + step, … below end; int64 if all three are ints.

    >>> arange(3), arange(1.0, 2.0, 0.5)
    (tensor([0, 1, 2]), tensor([1.0000, 1.5000]))
    """
    start, end, step = (x.item() if isinstance(x, Handle) else x for x in (start, end, step))
    if end is None:
        start, end = 0, start
    if end is None:
        raise TypeError('arange() missing 1 required positional arguments: "end"')
    start = 0 if start is None else start
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if (end - start) * step < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    if dtype is None:
        dtype = dtypes.int64 if all(isinstance(x, int) for x in (start, end, step)) else dtypes.get_default_dtype()
    n = math.ceil((end - start) / step)
    x = start + np.arange(n) * step
    return fresh(x.astype(dtypes.of(dtype).numpy), requires_grad, device)


@quiet
def linspace(
    start: Any, end: Any, steps: int, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Any:
    """`steps` numbers evenly from start to end, both included."""
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    start, end = (x.item() if isinstance(x, Handle) else x for x in (start, end))
    kind = _kind(dtype)
    if kind == np.float32:  # PyTorch counts from both ends, in the dtype of the result
        step = np.float32((np.float32(end) - np.float32(start)) / np.float32(max(1, steps - 1)))
        i = np.arange(steps, dtype=np.float64)
        below = np.float64(np.float32(start)) + i * np.float64(step)
        above = np.float64(np.float32(end)) - (steps - 1 - i) * np.float64(step)
        return fresh(np.where(i < steps // 2, below, above).astype(kind) if steps != 1 else
                     np.array([start], kind), requires_grad, device)  # fmt: skip
    return fresh(np.linspace(start, end, steps).astype(kind), requires_grad, device)


@quiet
def logspace(
    start: Any, end: Any, steps: int, base: float = 10.0, *, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Any:  # fmt: skip
    """base to the powers `linspace(start, end, steps)`."""
    return fresh(np.logspace(start, end, steps, base=base).astype(_kind(dtype)), requires_grad, device)


def eye(n: int, m: int | None = None, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
    """The identity matrix, n×n or n×m."""
    for name, size in (("n", n), ("m", m)):
        if size is not None and size < 0:
            raise RuntimeError(f"{name} must be greater or equal to 0, got {size}")
    return fresh(np.eye(n, m, dtype=_kind(dtype)), requires_grad, device)


def _triangle_indices(part: Any) -> Any:
    def function(row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None) -> Any:
        places = np.nonzero(part(np.ones((row, col), bool), offset))
        return fresh(np.stack(places).astype(np.int64 if dtype is None else dtypes.of(dtype).numpy), place=device)

    function.__name__ = function.__qualname__ = f"{part.__name__}_indices"
    function.__doc__ = f"The rows and the columns of the elements that `{part.__name__}` keeps."
    return function


tril_indices, triu_indices = map(_triangle_indices, (np.tril, np.triu))


# ------------------------------------------------------------------------------------------ at random
def _generator(generator: Any) -> Any:
    return random.default_generator if generator is None else generator


def rand(*size: Any, generator: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
    """Uniform numbers in [0, 1): the same as PyTorch's for the same seed.

    >>> import tinygrad_pt as torch
    >>> _ = torch.manual_seed(0); torch.rand(3)
    tensor([0.4963, 0.7682, 0.0885])
    """
    x = _generator(generator).uniform(positive_sizes(size, "rand"), dtype=_kind(dtype))
    return fresh(x, requires_grad, device)


def randn(*size: Any, generator: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
    """Standard normal numbers: the same as PyTorch's for the same seed."""
    x = _generator(generator).normal(positive_sizes(size, "randn"), dtype=_kind(dtype))
    return fresh(x, requires_grad, device)


def randint(
    low: Any, high: Any = None, size: Any = None, *, generator: Any = None, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Any:  # fmt: skip
    """Integers in [low, high), evenly; `randint(high, size)` starts at 0."""
    if size is None:
        low, high, size = 0, low, high
    kind = np.dtype(np.int64) if dtype is None else dtypes.of(dtype).numpy
    x = _generator(generator).integers(low, high, positive_sizes((size,), "randint"), dtype=kind)
    return fresh(x, requires_grad, device)


def randperm(
    n: int, *, generator: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Any:
    """0 … n-1 in a random order."""
    x = _generator(generator).permutation(n)
    return fresh(x.astype(np.int64 if dtype is None else dtypes.of(dtype).numpy), requires_grad, device)


def bernoulli(input: Any, *, generator: Any = None) -> Any:
    """1 with probability `input`, else 0, element by element."""
    return fresh(_generator(generator).bernoulli(expect_tensor(input, "bernoulli").array))


def multinomial(input: Any, num_samples: int, replacement: bool = False, *, generator: Any = None) -> Any:
    """Indices drawn with the weights in the last axis of `input`."""
    return fresh(_generator(generator).multinomial(expect_tensor(input, "multinomial").array, num_samples, replacement))


def normal(mean: Any, std: Any = 1.0, size: Any = None, *, generator: Any = None, dtype: Any = None) -> Any:
    """Normal numbers with the given means and standard deviations, numbers or tensors."""
    if size is not None:
        return fresh(_generator(generator).normal(positive_sizes((size,), "normal"), mean, std, dtype=_kind(dtype)))
    like = mean if isinstance(mean, Handle) else expect_tensor(std, "normal", "std", 2)
    m, s = (x.array if isinstance(x, Handle) else x for x in (mean, std))
    if np.any(np.asarray(s) < 0):
        raise RuntimeError("normal expects all elements of std >= 0.0")
    shape = np.broadcast_shapes(np.shape(m), np.shape(s))
    return fresh(_generator(generator).normal(shape, dtype=like.array.dtype) * s + m)


rand_like, randn_like = _like(rand), _like(randn)


def randint_like(input: Any, low: int, high: int | None = None, *, dtype: Any = None) -> Any:
    """`randint` in the shape and dtype of `input`."""
    low, high = (0, low) if high is None else (low, high)
    return randint(low, high, input.array.shape, dtype=input.dtype if dtype is None else dtype)


def get_rng_state() -> Any:
    """The state of the default random stream, as a uint8 tensor in PyTorch's layout."""
    return fresh(random.get_rng_state())


def set_rng_state(new_state: Any) -> None:
    """Continue the default random stream from a state that `get_rng_state` gave."""
    random.set_rng_state(expect_tensor(new_state, "set_rng_state", "new_state").array)
