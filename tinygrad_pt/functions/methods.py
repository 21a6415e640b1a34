"""The methods of a tensor that are not needed to understand what a tensor is: `Methods`, on which `Tensor` stands.

The bound functions come from their own files; here are conversions to Python, NumPy and other dtypes, copies, fills and
random numbers in place. A method that passes its tensor on to functions names `Tensor` as the type of `self`.
"""

from __future__ import annotations

import builtins
import functools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from tinygrad_pt import dtypes, leaves, ops
from tinygrad_pt import functions as F
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.arguments import Dtype, axis_from, conversion, written_number
from tinygrad_pt.functions.binding import described
from tinygrad_pt.functions.calculus import Calculus
from tinygrad_pt.functions.checks import checked, common_shape, expect_tensor, no_overload
from tinygrad_pt.functions.coordinates import Sparse
from tinygrad_pt.functions.copying import attributes, leaf, located, twin_of
from tinygrad_pt.functions.creation import NO_ACCELERATOR, _generator, here
from tinygrad_pt.functions.in_place import InPlace
from tinygrad_pt.functions.indexing import Indexing
from tinygrad_pt.functions.joining import Joining
from tinygrad_pt.functions.layouts import in_format, lies_in
from tinygrad_pt.functions.linalg import Linalg
from tinygrad_pt.functions.matrices import Matrices
from tinygrad_pt.functions.memory import Memory
from tinygrad_pt.functions.numbers import Numbers
from tinygrad_pt.functions.pointwise import Pointwise
from tinygrad_pt.functions.reduction import Reduction
from tinygrad_pt.functions.scattering import Scattering
from tinygrad_pt.functions.shaping import Shaping, expand
from tinygrad_pt.functions.statistics import Statistics
from tinygrad_pt.functions.storage import storage, untyped_storage
from tinygrad_pt.functions.strides import batch_last, in_memory, settle, strides_of
from tinygrad_pt.functions.transcendental import Transcendental
from tinygrad_pt.functions.typed import built, dtype_named, tensortype
from tinygrad_pt.graph import Tensor, TensorBase
from tinygrad_pt.inplace import check_apart, may_write, write
from tinygrad_pt.modes import current
from tinygrad_pt.names import absent_from, mark_absent, recorded
from tinygrad_pt.random import Generator
from tinygrad_pt.texts import NO_VERSION
from tinygrad_pt.views import owner_of

if TYPE_CHECKING:
    from tinygrad_pt.debugging.holders import Alive
    from tinygrad_pt.debugging.ledger import Contributions
    from tinygrad_pt.debugging.why import Why

Number = int | float  # what one element is in Python

DEEPCOPY_NON_LEAF = (
    "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment.  If you "
    "were attempting to deepcopy a module, this may be because of a torch.nn.utils.weight_norm usage, see "
    "https://github.com/pytorch/pytorch/pull/103001"
)
NUMPY_GRAD = "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."


def _like(make: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The method that makes a tensor as `make` does, in the dtype of this one unless told otherwise."""

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return make(*args, **({"dtype": self.dtype} | kwargs))

    return described(method, f"new_{make.__name__}", f"`torch.{make.__name__}` in this dtype.")


def _as(kind: dtypes.dtype) -> Callable[[Tensor], Tensor]:
    """The method that converts to a dtype."""

    def method(self: Tensor, memory_format: Any = None) -> Tensor:
        return self.to(kind)

    return described(method, kind.name, f"The tensor in {kind.name}.")


def _from(method: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Decorator: the argument `low` may be given by PyTorch's name, which is a word of Python's: `**{"from": 1}`."""

    @functools.wraps(method)
    def called(self: Tensor, *args: Any, **words: Any) -> Tensor:
        if "from" in words:
            if method.__name__ == "random_" and "to" not in words:
                raise no_overload("random_", *args, **words)
            words["low"] = words.pop("from")
        return method(self, *args, **words)

    return called


class Methods(
    TensorBase, Pointwise, Reduction, Shaping, Indexing, Linalg, Matrices, Numbers, InPlace, Joining, Scattering,
    Memory, Statistics, Calculus, Sparse, Transcendental,
):  # fmt: skip
    """What a tensor can do beyond being one."""

    # -------------------------------------------------------------------------------------- memory
    numel, nelement, clone = F.numel, F.numel, F.clone
    is_floating_point, is_complex, is_nonzero = F.is_floating_point, F.is_complex, F.is_nonzero
    is_cpu = True
    is_cuda = is_ipu = is_maia = is_meta = is_mkldnn = is_mps = is_mtia = is_nested = is_quantized = is_sparse = False
    is_sparse_csr = is_vulkan = is_xla = is_xpu = False
    layout = F.strided

    @property
    def itemsize(self) -> int:
        """Bytes per element."""
        return self.array.itemsize

    def element_size(self) -> int:
        """Bytes per element."""
        return self.array.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self.array.nbytes

    def data_ptr(self) -> int:
        """The address of the first element."""
        return self.array.ctypes.data

    storage, untyped_storage = storage, untyped_storage

    @overload
    def stride(self) -> tuple[int, ...]: ...
    @overload
    def stride(self, dim: int) -> int: ...
    def stride(self, dim: int | None = None) -> tuple[int, ...] | int:
        """The elements to step over, per axis or along one."""
        steps = strides_of(self)
        return steps if dim is None else steps[axis_from(dim, self.array.ndim)]

    def is_contiguous(self: Tensor, memory_format: F.memory_format | None = None) -> bool:
        """Whether the elements lie in memory in row-major order, or in that of a memory format."""
        if memory_format is not None:
            return lies_in(self, memory_format)
        return self.array.flags.c_contiguous or (settle(self) and self.array.flags.c_contiguous)

    def contiguous(self: Tensor, memory_format: F.memory_format | None = None) -> Tensor:
        """The tensor itself, or a row-major copy, or a copy that lies in a memory format."""
        if memory_format is not None:
            return in_format(self, memory_format)
        return self if self.is_contiguous() else ops.clone(self, order="C")

    def is_signed(self: Tensor) -> bool:
        """Whether the elements have a sign."""
        return expect_tensor(self, "is_signed").dtype.is_signed

    def is_inference(self) -> bool:
        """Whether it was made in `inference_mode`."""
        return expect_tensor(self, "is_inference").inference

    @property
    def _version(self) -> int:
        if self.inference:
            raise refuse(RuntimeError, NO_VERSION)
        return self.version[0]

    @property
    def _base(self) -> Tensor | None:
        return self.base

    def _is_view(self) -> bool:
        return self.base is not None

    # -------------------------------------------------------------------------------------- to Python and NumPy
    def item(self) -> Number:
        """The one element, as a Python number."""
        if self.array.size != 1:
            text = f"a Tensor with {self.array.size} elements cannot be converted to Scalar"
            raise refuse(RuntimeError, text, mend="index it, reduce it, or call tolist()")
        return self.array.item()

    def tolist(self) -> Any:
        """The elements as nested lists of Python numbers."""
        return self.array.tolist()

    def numpy(self, *, force: bool = False) -> NDArray[Any]:
        """The elements as a NumPy array that shares this memory."""
        if self.node is not None and not force and current().grad:
            raise refuse(RuntimeError, NUMPY_GRAD)
        if not self.array.flags.writeable and owner_of(self.array).flags.writeable:
            self.array.flags.writeable = True  # it is expanded; PyTorch's array of it may be written, too
        return self.array

    def get_device(self) -> int:
        """Always -1, PyTorch's number of the CPU."""
        return -1

    def is_pinned(self, device: Any = None) -> bool:
        """Always False: no GPU reads this memory."""
        return False

    def is_shared(self) -> bool:
        """Always False: no other process reads this memory."""
        return False

    def is_distributed(self) -> bool:
        """Always False."""
        return False

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        return leaves.fetch("compat.numpy_protocol:apply_ufunc")(ufunc, method, *inputs, **options)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return leaves.fetch("compat.numpy_protocol:apply_function")(func, types, args, kwargs)

    def __dlpack__(self, **kwargs: Any) -> Any:
        if self.node is not None:
            raise refuse(BufferError, "Can't export tensors that require gradient, use tensor.detach()")
        return self.array.__dlpack__(**kwargs)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.array.__dlpack_device__()

    def _number(self) -> Any:
        if self.array.size != 1:
            raise refuse(ValueError, "only one element tensors can be converted to Python scalars", None)
        return self.array.item()

    def __float__(self) -> float:
        return float(self._number())

    def __int__(self) -> int:
        return int(self._number())

    def __complex__(self) -> complex:
        return complex(self._number())

    def __index__(self) -> int:
        if self.array.dtype.kind not in "biu" or self.array.size != 1:
            raise refuse(TypeError, "only integer tensors of a single element can be converted to an index", None)
        return int(self.array.item())

    def __bool__(self) -> bool:
        if self.array.size != 1:
            many = "more than one value" if self.array.size else "no values"
            raise refuse(RuntimeError, f"Boolean value of Tensor with {many} is ambiguous", mend="use .any() or .all()")
        return bool(self.array.item())

    def __len__(self) -> int:
        if self.array.ndim == 0:
            raise refuse(TypeError, "len() of a 0-d tensor", None)
        return len(self.array)

    def __iter__(self: Tensor) -> Iterator[Tensor]:
        if self.array.ndim == 0:
            raise refuse(TypeError, "iteration over a 0-d tensor", None)
        return iter(F.unbind(self))

    def __reversed__(self: Tensor) -> Tensor:
        return F.flip(self, 0) if self.array.ndim else self

    def __contains__(self, value: Any) -> bool:
        if not isinstance(value, (Tensor, int, float, complex, np.generic)):
            text = f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(value)}."
            raise refuse(RuntimeError, text)
        return bool(np.any(self.array == (value.array if isinstance(value, Tensor) else value)))

    def __dir__(self) -> list[str]:
        absent = absent_from(type(self))
        return [name for name in object.__dir__(self) if name not in absent]

    def __format__(self, spec: str) -> str:
        if self.array.ndim == 0:
            return format(self.array.item(), spec)
        if spec:
            raise refuse(TypeError, "unsupported format string passed to Tensor.__format__")
        return repr(self)

    # -------------------------------------------------------------------------------------- copies
    def __deepcopy__(self: Tensor, memo: dict[int, Any]) -> Tensor:
        if not self.is_leaf:
            raise refuse(RuntimeError, DEEPCOPY_NON_LEAF, mend="copy a detach() of it")
        return memo[id(self)] if id(self) in memo else twin_of(self, memo)

    def __reduce_ex__(self: Tensor, protocol: Any) -> Any:
        memory, layout = (self.array, None) if self.array.flags.forc else located(self.array)
        return leaf, (type(self), memory, self.node is not None, layout, attributes(self))

    # -------------------------------------------------------------------------------------- written in place
    def copy_(self: Tensor, source: Any, non_blocking: bool = False) -> Tensor:
        """The values of `source`, broadcast and converted, in place of these."""
        if isinstance(source, (int, float)):
            dtypes.result_type(source)  # raises for an integer that is too large
            source = wrap(np.asarray(source))  # not in the default dtype, which may be narrower
        elif not isinstance(source, Tensor):
            source = F.as_tensor(source)
        may_write(self, wanting=source.requires_grad)
        if source.version is self.version and source is not self:
            check_apart(self, source)
        shape = self.array.shape
        if source.array.ndim and source.array.shape != shape and (wide := common_shape("copy_", self, source)) != shape:
            text = f"output with shape {list(shape)} doesn't match the broadcast shape {list(wide)}"
            raise refuse(RuntimeError, text, "copy_", self, source)
        return write(self, ops.copy(self, source))

    @checked
    def fill_(self: Tensor, value: Tensor | complex | np.generic) -> Tensor:
        """One number everywhere."""
        if not isinstance(value, Tensor):
            if not isinstance(value, (int, float, complex, np.generic)):
                raise refuse(TypeError, f"fill_(): argument 'value' must be a Number, not {type(value).__name__}")
            value = wrap(written_number(value, self.dtype, "fill_", self.array.size))
            may_write(self, overlap=True)  # where several elements lie at one place, they are equal afterwards, too
            return write(self, ops.copy(self, value), overlap=True)
        if value.array.ndim:
            text = f"fill_ only supports 0-dimension value tensor but got tensor with {value.array.ndim} dimensions."
            raise refuse(RuntimeError, text)
        may_write(self)
        return write(self, ops.copy(self, value))

    @checked
    def zero_(input: Tensor) -> Tensor:  # noqa: N805  # PyTorch's name of the argument of `torch.zero_`
        """Zeros everywhere."""
        return input.fill_(0)

    def _drawn(self: Tensor, draw: Any) -> Tensor:
        may_write(self)
        axes, shape = in_memory(self), self.array.shape
        drawn = np.asarray(draw(tuple(shape[i] for i in axes), self.array.dtype), self.array.dtype)
        return self._written(wrap(drawn.transpose(np.argsort(axes)) if drawn.ndim > 1 else drawn))

    def _written(self: Tensor, drawn: Tensor) -> Tensor:
        return write(self, ops.copy(self, drawn) if self.node is not None else drawn)

    @_from
    def uniform_(self, low: float = 0.0, to: float = 1.0, *, generator: Generator | None = None) -> Tensor:
        """Uniform numbers in [low, to); PyTorch's name of `low` is `from`."""
        g = _generator(generator)
        return self._drawn(lambda shape, kind: g.uniform(shape, low, to, dtype=kind))

    def normal_(self, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None) -> Tensor:
        """Normal numbers."""
        g = _generator(generator)
        paired = not (self.array.flags.c_contiguous or batch_last(self.array))
        return self._drawn(lambda shape, kind: g.normal(shape, mean, std, dtype=kind, paired=paired))

    def bernoulli_(self, p: Tensor | float = 0.5, *, generator: Generator | None = None) -> Tensor:
        """1 with probability p, else 0."""
        g = _generator(generator)
        if isinstance(p, Tensor):
            drawn = g.bernoulli(np.array(expand(p, self.array.shape).array))
            return self._written(wrap(np.asarray(drawn, self.array.dtype)))
        return self._drawn(lambda shape, kind: g.bernoulli_fill(shape, p, dtype=kind))

    @_from
    def random_(self, low: int | None = None, to: Any = ..., *, generator: Generator | None = None) -> Tensor:
        """Integers: `random_(low, to)` in [low, to), `random_(to)` in [0, to), else as far as the dtype counts."""
        g = _generator(generator)
        if low is None and to is ...:
            return self._drawn(g.counts)
        low, to = (0, low) if to is ... else (low or 0, to)
        return self._drawn(lambda shape, kind: g.integers(low, to, shape, kind))

    def exponential_(self: Tensor, lambd: float = 1.0, *, generator: Generator | None = None) -> Tensor:
        """Exponential numbers of the rate `lambd`."""
        g = _generator(generator)
        return self._drawn(lambda shape, kind: g.exponential(shape, lambd, dtype=kind))

    def cauchy_(self: Tensor, median: float = 0.0, sigma: float = 1.0, *, generator: Generator | None = None) -> Tensor:
        """Cauchy numbers."""
        g = _generator(generator)
        return self._drawn(lambda shape, kind: g.cauchy(shape, median, sigma, dtype=kind))

    def log_normal_(self: Tensor, mean: float = 1.0, std: float = 2.0, *, generator: Generator | None = None) -> Tensor:
        """Numbers whose logarithm is normal."""
        g = _generator(generator)
        return self._drawn(lambda shape, kind: g.log_normal(shape, mean, std, dtype=kind))

    def geometric_(self: Tensor, p: float, *, generator: Generator | None = None) -> Tensor:
        """The number of the first head among coins of probability p."""
        g = _generator(generator)
        return self._drawn(lambda shape, kind: g.geometric(shape, p, dtype=kind))

    # -------------------------------------------------------------------------------------- debugging
    def why_nan(self) -> Why:
        """The op that made the first nan, or inf, of arguments that had none."""
        return leaves.fetch("debugging.why_nan:why_nan")(self)

    def why_no_grad(self, loss: Tensor | None = None) -> Why:
        """The reason why `requires_grad` is False, or `.grad` None, or why the `loss` does not reach this tensor."""
        return leaves.fetch("debugging.why:why_no_grad")(self, loss)

    def grad_contributions(self) -> Contributions:
        """The terms of which `.grad` is the sum, recorded inside `autograd.record_contributions()`."""
        return leaves.fetch("debugging.ledger:grad_contributions")(self)

    def graph_alive(self) -> Alive:
        """The variables that keep the graph of this tensor alive, and the size of that graph."""
        return leaves.fetch("debugging.holders:graph_alive")(self)

    # -------------------------------------------------------------------------------------- drawing
    if TYPE_CHECKING:
        from tinygrad_pt.viz import draw
    else:

        @property
        def draw(self):
            """Its computation graph as a picture: `loss.draw(...)` is `viz.draw(loss, ...)`."""
            return functools.partial(
                leaves.fetch("viz:draw"), self
            )  # called in the frame of the user, whose variables it reads

    # -------------------------------------------------------------------------------------- like this one
    bernoulli, multinomial = F.bernoulli, F.multinomial

    def where(self: Tensor, condition: Tensor, other: Tensor | Number) -> Tensor:
        """These elements where the condition holds, else those of `other`."""
        return F.where(condition, self, other)

    new_tensor, new_zeros, new_ones = _like(F.tensor), _like(F.zeros), _like(F.ones)
    new_empty, new_full = _like(F.empty), _like(F.full)

    def new(self: Tensor, *args: Any, **words: Any) -> Tensor:
        """PyTorch's older constructor in this dtype: `x.new(2, 3)` of sizes, `x.new([2, 3])` of data."""
        return built(self.dtype, args, words)

    # -------------------------------------------------------------------------------------- in other dtypes
    def to(self: Tensor, *args: Tensor | Dtype | F.device | str | bool | None, **kwargs: Any) -> Tensor:
        """The tensor in another dtype (or that of another tensor); itself if nothing changes.

        `to(dtype)`, `to(device, dtype)` or `to(tensor)`, and the flags `non_blocking` and `copy`.
        """
        dtype, device, copy = conversion(args, kwargs)
        if device is not None:
            here(device)
        if dtype is None or dtype.numpy == self.array.dtype:
            y = ops.clone(self) if copy else self
        else:
            y = ops.cast(self, dtype=dtype)
        return in_format(y, kwargs["memory_format"]) if "memory_format" in kwargs else y

    def type_as(self, other: Tensor) -> Tensor:
        """The tensor in the dtype of another."""
        return self.to(other)

    def cpu(self: Tensor, memory_format: Any = None) -> Tensor:
        """The tensor itself: it lives on the CPU."""
        return self.to(memory_format=memory_format)

    def cuda(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """There is no GPU: an error that says so."""
        return self.to(device="cuda")

    def xpu(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """There is no GPU: an error that says so."""
        return self.to(device="xpu")

    def pin_memory(self, device: Any = None) -> Tensor:
        """There is no memory that a GPU reads: an error that says so."""
        raise refuse(RuntimeError, NO_ACCELERATOR, "pin_memory", self, mend="leave it out: on a CPU it does nothing")

    @overload
    def type(self, dtype: None = None) -> str: ...
    @overload
    def type(self, dtype: dtypes.dtype | tensortype | str, non_blocking: builtins.bool = False) -> Tensor: ...
    def type(self: Tensor, dtype: Any = None, non_blocking: builtins.bool = False) -> str | Tensor:
        """PyTorch's name of the type, or the tensor in another dtype."""
        if dtype is None:
            return f"torch.{self.dtype.spoken}Tensor"
        return self.to(dtype_named(dtype))

    double, half, long = _as(dtypes.float64), _as(dtypes.float16), _as(dtypes.int64)
    short, byte, char = _as(dtypes.int16), _as(dtypes.uint8), _as(dtypes.int8)
    # the names of Python's types last: below them, in this class, they are these methods
    float, int, bool = _as(dtypes.float32), _as(dtypes.int32), _as(dtypes.bool)


mark_absent(Methods, "Tensor", recorded()["Tensor"])
