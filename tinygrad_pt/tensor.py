"""Tensor: the user's face of the engine. Its class body binds functions; it defines no mathematics."""

from __future__ import annotations

import builtins
import warnings
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np

from tinygrad_pt import autograd, dtypes, leaves, ops, printing
from tinygrad_pt import functions as F
from tinygrad_pt.calling import handle, wrap
from tinygrad_pt.errors import broadcast_text, class_name, refuse
from tinygrad_pt.functions.arguments import Size
from tinygrad_pt.graph import DETACH, Handle, Leaf, Node, TensorBase, born
from tinygrad_pt.inplace import may_write, write
from tinygrad_pt.modes import current

NUMPY_GRAD = "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."
NO_HOOK = "cannot register a hook on a tensor that doesn't require gradient"
NON_LEAF_GRAD = (
    "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute won't be "
    "populated during autograd.backward(). If you indeed want the .grad field to be populated for a non-leaf Tensor, "
    "use .retain_grad() on the non-leaf Tensor. If you access the non-leaf Tensor by mistake, make sure you access the "
    "leaf Tensor instead. See github.com/pytorch/pytorch/pull/30531 for more information."
)


class Removable:
    """What registering a hook returns: `remove()` takes the hook away, as does leaving a `with` block."""

    def __init__(self, hooks: dict[int, Any]) -> None:
        self.id, self.hooks = born(), hooks

    def remove(self) -> None:
        self.hooks.pop(self.id, None)

    def __enter__(self) -> Removable:
        return self

    def __exit__(self, *error: Any) -> None:
        self.remove()


def in_place(function: Any) -> Any:
    """The method that computes `function(self, …)` and writes the result into `self`."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        may_write(self)
        since = born()
        return write(self, function(self, *args, **kwargs), since)

    method.__name__ = method.__qualname__ = f"{function.__name__}_"
    method.__doc__ = f"`{function.__name__}`, in place: the tensor itself is changed and returned."
    return method


def reflected(function: Any) -> Any:
    """The operator with its operands swapped; what is no number or array is left to the other side."""

    def method(self: Any, other: Any) -> Any:
        return function(_operand(other), self)

    return method


def operator(function: Any) -> Any:
    """The operator for tensors and numbers; anything else is left to the other side, or is a TypeError."""

    def method(self: Any, other: Any) -> Any:
        if other.__class__ is not float and other.__class__ is not int and not isinstance(other, Handle):
            if not isinstance(other, (np.ndarray, np.generic, int, float, complex)):
                return NotImplemented
            other = _operand(other)
        return function(self, other)

    return method


def writing(function: Any) -> Any:
    """The operator whose result is written into its left side; what is no number or array is left to the right side."""
    compute = operator(function)

    def method(self: Any, other: Any) -> Any:
        may_write(self)
        since = born()
        result = compute(self, other)
        return result if result is NotImplemented else write(self, result, since)

    return method


def _operand(other: Any) -> Any:
    if isinstance(other, np.ndarray):
        dtypes.of(other.dtype)
        return wrap(other)
    return other.item() if isinstance(other, np.generic) else other


def _leaf(cls: type, array: Any, requires_grad: bool) -> Any:
    """A tensor of this class around an array."""
    t: Any = object.__new__(cls)
    t.array, t.version, t.node = array, [0, 0], None
    if requires_grad:
        t.node = Leaf(t)
    return t


@handle
class Tensor(TensorBase):
    """An n-dimensional array that remembers how it was computed.

    `Tensor(data)` makes float32 of nested lists, `Tensor(2, 3)` an uninitialised tensor of that shape; `tensor`
    is the usual way. Arithmetic broadcasts and promotes as PyTorch's. If an argument requires grad, the result
    does, and `backward()` fills the `.grad` of every leaf it came from.

    >>> import tinygrad_pt as torch
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> y = (x * x).sum()
    >>> y
    tensor(5., grad_fn=<SumBackward0>)
    >>> y.backward(); x.grad
    tensor([2., 4.])
    """

    __array_ufunc__ = None  # NumPy's operators step back: `ndarray * tensor` is a tensor, its graph intact
    _grad: Any = None
    _origin: Any = None  # how it came about, where somebody traced: see `autograd.trace`
    name: str | None = None

    def __new__(cls, *data: Any, device: Any = None) -> Any:
        if len(data) == 1 and not isinstance(data[0], int):
            (source,) = data
            if isinstance(source, Size):
                x = np.empty(tuple(source), dtypes.get_default_dtype().numpy)
            elif isinstance(source, (builtins.float, complex)):
                raise TypeError(f"new(): data must be a sequence (got {type(source).__name__})")
            elif isinstance(source, Handle):
                x = source.array.astype(dtypes.get_default_dtype().numpy)
            else:
                x = F.tensor(source, dtype=dtypes.get_default_dtype()).array
        else:
            x = np.empty(data or (0,), dtypes.get_default_dtype().numpy)
        return _leaf(cls, x, False)

    # -------------------------------------------------------------------------------------- what it is
    @property
    def shape(self) -> Size:
        """The size of each axis."""
        return Size(self.array.shape)

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the size of one axis."""
        return self.shape if dim is None else self.array.shape[F.axis_from(dim, self.array.ndim)]

    @property
    def dtype(self) -> dtypes.dtype:
        """The type of the elements."""
        return dtypes.of(self.array.dtype)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.array.ndim

    def dim(self) -> int:
        """The number of axes."""
        return self.array.ndim

    ndimension = dim

    def numel(self) -> int:
        """The number of elements."""
        return self.array.size

    nelement = numel

    def element_size(self) -> int:
        """Bytes per element."""
        return self.array.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self.array.nbytes

    @property
    def itemsize(self) -> int:
        """Bytes per element."""
        return self.array.itemsize

    def stride(self, dim: int | None = None) -> Any:
        """Elements to step over per axis."""
        steps = tuple(s // self.array.itemsize for s in self.array.strides)
        return steps if dim is None else steps[F.axis_from(dim, self.array.ndim)]

    def is_contiguous(self) -> bool:
        """Whether the elements lie in memory in row-major order."""
        return self.array.flags.c_contiguous

    def contiguous(self) -> Any:
        """The tensor itself, or a row-major copy."""
        return self if self.array.flags.c_contiguous else ops.clone(self, order="C")

    def data_ptr(self) -> int:
        """The address of the first element."""
        return self.array.ctypes.data

    @property
    def device(self) -> Any:
        """Always the CPU."""
        return F.CPU

    is_cuda = is_sparse = is_quantized = False
    layout = "torch.strided"

    def is_floating_point(self) -> bool:
        """Whether the elements are floating point numbers."""
        return self.array.dtype.kind == "f"

    def is_complex(self) -> bool:
        """Whether the elements are complex."""
        return self.array.dtype.kind == "c"

    def is_signed(self) -> bool:
        """Whether the elements have a sign."""
        return self.dtype.is_signed

    # -------------------------------------------------------------------------------------- autograd
    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow to or through this tensor."""
        return self.node is not None

    @requires_grad.setter
    def requires_grad(self, flag: bool) -> None:
        self.requires_grad_(flag)

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        """Switch on (or off) the recording of what is computed from this leaf."""
        if self.node is not None and not isinstance(self.node, Leaf):
            if not requires_grad:
                raise refuse(
                    RuntimeError,
                    "you can only change requires_grad flags of leaf variables. If you want to use a computed variable "
                    "in a subgraph that doesn't require differentiation use var_no_grad = var.detach().",
                )
        elif not requires_grad:
            self.node = None
        elif self.node is None:
            if self.array.dtype.kind != "f":
                raise refuse(
                    RuntimeError,
                    "only Tensors of floating point dtype can require gradients",
                    mend="convert it first: x.float()",
                )
            if self.inference and not current().inference:
                raise RuntimeError(
                    "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed."
                )
            self.node = Leaf(self)
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether the user made it, rather than an op that was recorded."""
        return self.node is None or isinstance(self.node, Leaf)

    @property
    def grad_fn(self) -> Node | None:
        """The vertex of the op that computed this tensor; None for a leaf."""
        return None if isinstance(self.node, Leaf) else self.node

    @property
    def grad(self) -> Any:
        """The gradient that backward passes have added up, or None."""
        if self._grad is None and not self.is_leaf and not self.retains_grad:
            warnings.warn(NON_LEAF_GRAD, UserWarning, stacklevel=2)
        return self._grad

    @grad.setter
    def grad(self, value: Any) -> None:
        if value is not None:
            if not isinstance(value, Handle):
                raise TypeError(
                    f"assigned grad expected to be a Tensor or None but got grad of type {type(value).__name__}"
                )
            if value.array.shape != self.array.shape:
                raise refuse(
                    RuntimeError,
                    f"attempting to assign a gradient of size '{list(value.array.shape)}' to a tensor of size "
                    f"'{list(self.array.shape)}'. Please ensure that the gradient and the tensor are the same size",
                )
            if value.array.dtype != self.array.dtype:
                raise refuse(
                    RuntimeError,
                    f"attempting to assign a gradient with dtype '{dtypes.of(value.array.dtype).c_name}' to a tensor "
                    f"with grad_dtype '{self.dtype.spoken}'. The gradient must match the tensor's "
                    "grad_dtype (defaults to "
                    "the tensor's dtype). You can set the tensor's grad_dtype attribute with a specific "
                    "dtype, or None to "
                    "allow any dtype. Set grad_dtype with caution. Diverging the dtypes of a tensor and "
                    "its gradient may "
                    "break downstream systems that assume they match.",
                )
        self._grad = value

    @grad.deleter
    def grad(self) -> None:
        self._grad = None

    def backward(
        self, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False, inputs: Any = None
    ) -> None:
        """Run the chain rule from here: add ∂self/∂leaf to every leaf's `.grad`. See `autograd.backward`."""
        autograd.backward(self, gradient, retain_graph, create_graph, inputs)

    def retain_grad(self) -> None:
        """Let backward keep the gradient of this non-leaf in `.grad` too."""
        if self.node is None:
            raise refuse(RuntimeError, "can't retain_grad on Tensor that has requires_grad=False")
        if not isinstance(self.node, Leaf) and not self.retains_grad:
            self.node.set_note("retained", (*self.node.note("retained", ()), weakref.ref(self)))

    @property
    def retains_grad(self) -> bool:
        """Whether `retain_grad` was called on this non-leaf."""
        node = self.node
        if node is None or isinstance(node, Leaf):
            return False
        return builtins.any(link() is self for link in node.note("retained", ()))

    def _register(self, kind: str, hook: Any) -> Removable:
        assert self.node is not None
        hooks = self.node.note(kind)
        if hooks is None:
            hooks = {}
            self.node.set_note(kind, hooks)
        removable = Removable(hooks)
        hooks[removable.id] = hook
        return removable

    def register_hook(self, hook: Any) -> Removable:
        """Call `hook(grad)` whenever a gradient of this tensor is computed; what it returns replaces it."""
        if self.node is None:
            raise refuse(RuntimeError, NO_HOOK)
        return self._register("hooks", hook)

    def register_post_accumulate_grad_hook(self, hook: Any) -> Removable:
        """Call `hook(tensor)` after a backward pass has added to this leaf's `.grad`."""
        if self.node is None:
            raise refuse(RuntimeError, NO_HOOK)
        if not isinstance(self.node, Leaf):
            raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
        return self._register("post", hook)

    def detach(self) -> Any:
        """The same memory without its history."""
        t = wrap(self.array, None, self.version)
        t.inference = self.inference
        for listener in current().listeners:
            listener.applied(DETACH, (self,), {}, t)
        return t

    def detach_(self) -> Any:
        """Forget the history, in place."""
        if self.base is not None:
            raise RuntimeError("Can't detach views in-place. Use detach() instead.")
        self.node = None
        return self

    @property
    def data(self) -> Any:
        """The same memory without history, its changes not counted. Prefer `detach()`."""
        t = wrap(self.array)
        for listener in current().listeners:
            listener.applied(DETACH, (self,), {}, t)
        return t

    @data.setter
    def data(self, value: Any) -> None:
        if not isinstance(value, Handle):
            raise TypeError(f"Variable data has to be a tensor, but got {class_name(builtins.type(value))}")
        x = value.array
        if self.node is not None and x.dtype.kind != "f":
            raise refuse(
                RuntimeError,
                "data set to a tensor that requires gradients must be floating point or complex dtype",
                mend="convert it first: value.float()",
            )
        self.array = x
        if self.node is not None:
            self.node.dtype = x.dtype
        if isinstance(self.node, Leaf):
            self.node.value, self.node.shape = x, x.shape

    @property
    def _version(self) -> int:
        return self.version[0]

    @property
    def _base(self) -> Any:
        return self.base

    def _is_view(self) -> bool:
        return self.base is not None

    def is_inference(self) -> bool:
        """Whether it was made in `inference_mode`."""
        return self.inference

    def why_nan(self) -> Any:
        """The op that made the first nan or inf on the way to this value."""
        return leaves.fetch("debugging.why_nan:why_nan")(self)

    def why_no_grad(self, loss: Any = None) -> Any:
        """Why this tensor has no gradient; with the `loss`, why the loss does not reach it."""
        return leaves.fetch("debugging.why:why_no_grad")(self, loss)

    def grad_contributions(self) -> Any:
        """The summands of `.grad`, recorded inside `autograd.record_contributions()`."""
        return leaves.fetch("debugging.ledger:grad_contributions")(self)

    def graph_alive(self) -> Any:
        """The variables, attributes and items that hold the graph of this tensor."""
        return leaves.fetch("debugging.holders:graph_alive")(self)

    # -------------------------------------------------------------------------------------- to Python and NumPy
    def item(self) -> Any:
        """The one element, as a Python number."""
        if self.array.size != 1:
            raise refuse(
                RuntimeError,
                f"a Tensor with {self.array.size} elements cannot be converted to Scalar",
                mend="index it, reduce it, or call tolist()",
            )
        return self.array.item()

    def tolist(self) -> Any:
        """The elements as nested lists of Python numbers."""
        return self.array.tolist()

    def numpy(self, *, force: bool = False) -> Any:
        """The elements as a NumPy array that shares this memory."""
        if self.node is not None and not force:
            raise refuse(RuntimeError, NUMPY_GRAD)
        return self.array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        if self.node is not None:
            raise refuse(RuntimeError, NUMPY_GRAD)
        return np.array(self.array, dtype=dtype, copy=copy)

    def __dlpack__(self, **kwargs: Any) -> Any:
        if self.node is not None:
            raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
        return self.array.__dlpack__(**kwargs)

    def __dlpack_device__(self) -> Any:
        return self.array.__dlpack_device__()

    def _number(self) -> Any:
        if self.array.size != 1:
            raise ValueError("only one element tensors can be converted to Python scalars")
        return self.array.item()

    def __float__(self) -> float:
        return float(self._number())

    def __int__(self) -> int:
        return int(self._number())

    def __complex__(self) -> complex:
        return complex(self._number())

    def __index__(self) -> int:
        if self.array.dtype.kind not in "biu" or self.array.size != 1:
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self.item())

    def __bool__(self) -> bool:
        if self.array.size != 1:
            many = "more than one value" if self.array.size else "no values"
            raise refuse(RuntimeError, f"Boolean value of Tensor with {many} is ambiguous", mend="use .any() or .all()")
        return bool(self.array.item())

    def __len__(self) -> int:
        if self.array.ndim == 0:
            raise TypeError("len() of a 0-d tensor")
        return len(self.array)

    def __iter__(self) -> Iterator[Any]:
        if self.array.ndim == 0:
            raise TypeError("iteration over a 0-d tensor")
        return iter(F.unbind(self))

    def __contains__(self, value: Any) -> bool:
        if not isinstance(value, (Handle, int, float, complex, np.generic)):
            raise RuntimeError(
                f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {builtins.type(value)}."
            )
        return bool(np.any(self.array == (value.array if isinstance(value, Handle) else value)))

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        return printing.tensor_str(self.array, extra=self._history(), default_dtype=dtypes.get_default_dtype().numpy)

    def _history(self) -> list[str]:
        if self.node is None:
            return []
        return ["requires_grad=True"] if isinstance(self.node, Leaf) else [f"grad_fn=<{self.node.name()}>"]

    def __format__(self, spec: str) -> str:
        if self.array.ndim == 0:
            return format(self.array.item(), spec)
        if spec:
            raise TypeError("unsupported format string passed to Tensor.__format__")
        return repr(self)

    # -------------------------------------------------------------------------------------- copies, other dtypes
    def __deepcopy__(self, memo: Any) -> Any:
        if not self.is_leaf:
            raise refuse(
                RuntimeError,
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol "
                "at the moment.  If "
                "you were attempting to deepcopy a module, this may be because of a "
                "torch.nn.utils.weight_norm usage, see "
                "https://github.com/pytorch/pytorch/pull/103001",
                mend="copy a detach() of it",
            )
        if id(self) in memo:
            return memo[id(self)]
        twin = memo[id(self)] = _leaf(type(self), np.array(self.array), self.node is not None)
        twin.name = self.name
        if self._grad is not None:
            twin._grad = self._grad.__deepcopy__(memo)
        return twin

    def __reduce_ex__(self, protocol: Any) -> Any:
        if not self.is_leaf:
            raise refuse(RuntimeError, "only leaf tensors can be pickled", mend="pickle a detach() of it")
        return _leaf, (type(self), self.array, self.node is not None)

    def to(self, *args: Any, dtype: Any = None, device: Any = None, copy: bool = False, **ignored: Any) -> Any:
        """The tensor in another dtype (or that of another tensor); itself if nothing changes."""
        for a in args:
            if isinstance(a, Handle):
                dtype = dtypes.of(a.array.dtype)
            elif isinstance(a, (str, F.device)):
                device = a
            elif a is not None and not isinstance(a, bool):
                dtype = dtypes.of(a)
        if device is not None:
            F.device(device)
        if dtype is None or dtypes.of(dtype).numpy == self.array.dtype:
            return ops.clone(self) if copy else self
        return ops.cast(self, dtype=dtypes.of(dtype))

    def type(self, dtype: Any = None) -> Any:
        """PyTorch's name of the type, or the tensor in another dtype."""
        if dtype is None:
            return f"torch.{self.dtype.spoken}Tensor"
        if isinstance(dtype, str):
            named = {f"torch.{d.spoken}Tensor": d for d in dtypes.ALL}
            if dtype not in named:
                raise ValueError(f"invalid type: '{dtype}'")
            dtype = named[dtype]
        return self.to(dtype)

    def type_as(self, other: Any) -> Any:
        """The tensor in the dtype of another."""
        return self.to(other)

    def float(self) -> Any:
        """In float32."""
        return self.to(dtypes.float32)

    def double(self) -> Any:
        """In float64."""
        return self.to(dtypes.float64)

    def half(self) -> Any:
        """In float16."""
        return self.to(dtypes.float16)

    def long(self) -> Any:
        """In int64."""
        return self.to(dtypes.int64)

    def int(self) -> Any:
        """In int32."""
        return self.to(dtypes.int32)

    def short(self) -> Any:
        """In int16."""
        return self.to(dtypes.int16)

    def byte(self) -> Any:
        """In uint8."""
        return self.to(dtypes.uint8)

    def char(self) -> Any:
        """In int8."""
        return self.to(dtypes.int8)

    def bool(self) -> Any:
        """In bool."""
        return self.to(dtypes.bool)

    def cpu(self) -> Any:
        """The tensor itself: it lives on the CPU."""
        return self

    def cuda(self, *args: Any, **kwargs: Any) -> Any:
        """There is no GPU: an error that says so."""
        return self.to(device="cuda")

    def new_tensor(self, data: Any, **kwargs: Any) -> Any:
        """`torch.tensor(data)` in this dtype."""
        return F.tensor(data, **({"dtype": self.dtype} | kwargs))

    def new_zeros(self, *size: Any, **kwargs: Any) -> Any:
        """`torch.zeros(size)` in this dtype."""
        return F.zeros(*size, **({"dtype": self.dtype} | kwargs))

    def new_ones(self, *size: Any, **kwargs: Any) -> Any:
        """`torch.ones(size)` in this dtype."""
        return F.ones(*size, **({"dtype": self.dtype} | kwargs))

    def new_empty(self, *size: Any, **kwargs: Any) -> Any:
        """`torch.empty(size)` in this dtype."""
        return F.empty(*size, **({"dtype": self.dtype} | kwargs))

    def new_full(self, size: Any, fill_value: Any, **kwargs: Any) -> Any:
        """`torch.full(size, fill_value)` in this dtype."""
        return F.full(size, fill_value, **({"dtype": self.dtype} | kwargs))

    # -------------------------------------------------------------------------------------- written in place
    def copy_(self, source: Any, non_blocking: Any = False) -> Any:
        """The values of `source`, broadcast and converted, in place of these."""
        if not isinstance(source, Handle):
            source = F.as_tensor(source)
        text = broadcast_text(self.array.shape, source.array.shape)
        if text:
            raise refuse(RuntimeError, text, "copy_", self, source)
        shapes = np.broadcast_shapes(self.array.shape, source.array.shape)
        if shapes != self.array.shape:
            raise refuse(
                RuntimeError,
                f"output with shape {list(self.array.shape)} doesn't match the broadcast shape {list(shapes)}",
                "copy_",
                self,
                source,
            )
        may_write(self)
        return write(self, ops.copy(self, source))

    def fill_(self, value: Any) -> Any:
        """One number everywhere."""
        if isinstance(value, Handle) and value.array.ndim:
            raise RuntimeError(
                f"fill_ only supports 0-dimension value tensor but got tensor with {value.array.ndim} dimensions."
            )
        if not isinstance(value, (Handle, builtins.bool, builtins.int, builtins.float, complex, np.generic)):
            raise TypeError(f"fill_(): argument 'value' must be a Number, not {builtins.type(value).__name__}")
        return self.copy_(
            value if isinstance(value, Handle) else wrap(F.arguments.scalar_array(value, self.dtype, "fill_"))
        )

    def zero_(self) -> Any:
        """Zeros everywhere."""
        return self.fill_(0)

    def _drawn(self, draw: Any) -> Any:
        may_write(self)
        return write(self, wrap(np.asarray(draw(self.array.shape, self.array.dtype), self.array.dtype)))

    def uniform_(self, a: Any = 0.0, b: Any = 1.0, *, generator: Any = None) -> Any:
        """Uniform numbers in [a, b)."""
        return self._drawn(lambda shape, kind: F.creation._generator(generator).uniform(shape, a, b, dtype=kind))

    def normal_(self, mean: Any = 0.0, std: Any = 1.0, *, generator: Any = None) -> Any:
        """Normal numbers."""
        return self._drawn(lambda shape, kind: F.creation._generator(generator).normal(shape, mean, std, dtype=kind))

    def bernoulli_(self, p: Any = 0.5, *, generator: Any = None) -> Any:
        """1 with probability p, else 0."""
        g = F.creation._generator(generator)
        if isinstance(p, Tensor):
            return self._drawn(lambda shape, kind: g.bernoulli(np.array(F.expand(p, shape).array)))
        return self._drawn(lambda shape, kind: g.bernoulli_fill(shape, p, dtype=kind))

    def random_(self, low: Any = None, to: Any = ..., *, generator: Any = None) -> Any:
        """Integers: `random_(low, to)` in [low, to), `random_(to)` in [0, to), else as far as the dtype counts."""
        g = F.creation._generator(generator)
        if low is None and to is ...:
            return self._drawn(g.counts)
        low, to = (0, low) if to is ... else (low or 0, to)
        return self._drawn(lambda shape, kind: g.integers(low, to, shape, kind))

    def __getitem__(self, index: Any) -> Any:
        return F.getitem(self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        F.setitem(self, index, value)

    def where(self, condition: Any, other: Any) -> Any:
        """These elements where the condition holds, else those of `other`."""
        return F.where(condition, self, other)

    def scatter_(self, dim: Any, index: Any, src: Any = None, *, value: Any = None) -> Any:
        """`scatter`, in place."""
        may_write(self)
        return write(self, F.scatter(self, dim, index, src, value=value))

    # -------------------------------------------------------------------------------------- operators
    __add__, __radd__ = ops.add, reflected(ops.add)
    __sub__, __rsub__ = operator(F.sub), reflected(F.sub)
    __mul__, __rmul__ = ops.mul, reflected(ops.mul)
    __truediv__, __rtruediv__ = ops.div, reflected(ops.div)
    __floordiv__, __rfloordiv__ = operator(F.floor_divide), reflected(F.floor_divide)
    __mod__, __rmod__ = operator(F.remainder), reflected(F.remainder)
    __pow__, __rpow__ = operator(F.pow), reflected(F.pow)
    __matmul__, __rmatmul__ = operator(F.matmul), reflected(F.matmul)
    __and__, __rand__ = operator(F.bitwise_and), reflected(F.bitwise_and)
    __or__, __ror__ = operator(F.bitwise_or), reflected(F.bitwise_or)
    __xor__, __rxor__ = operator(F.bitwise_xor), reflected(F.bitwise_xor)
    __eq__, __ne__ = ops.eq, ops.ne  # type: ignore[assignment]
    __lt__, __le__, __gt__, __ge__ = ops.lt, ops.le, ops.gt, ops.ge
    __neg__, __pos__, __abs__, __invert__ = F.neg, F.positive, F.abs, F.bitwise_not
    __iadd__, __isub__, __imul__ = writing(ops.add), writing(F.sub), writing(ops.mul)
    __itruediv__, __ifloordiv__ = writing(ops.div), writing(F.floor_divide)
    __imod__, __ipow__ = writing(F.remainder), writing(F.pow)
    __iand__, __ior__, __ixor__ = writing(F.bitwise_and), writing(F.bitwise_or), writing(F.bitwise_xor)

    # -------------------------------------------------------------------------------------- methods
    T = property(F.reversed_axes, doc="All axes in reverse order; for a matrix, its transpose.")
    mT = property(F.mT, doc="The last two axes swapped.")

    abs, absolute, acos, acosh, add, addcdiv = F.abs, F.absolute, F.acos, F.acosh, F.add, F.addcdiv
    addcmul, addmm, all, allclose, amax, amin = F.addcmul, F.addmm, F.all, F.allclose, F.amax, F.amin
    aminmax, any, arccos, arcsin, arctan, argmax = F.aminmax, F.any, F.arccos, F.arcsin, F.arctan, F.argmax
    argmin, argsort, asin, asinh, atan, atan2 = F.argmin, F.argsort, F.asin, F.asinh, F.atan, F.atan2
    atanh, bernoulli, bincount, bitwise_and = F.atanh, F.bernoulli, F.bincount, F.bitwise_and
    bitwise_not, bitwise_or, bitwise_xor, bmm = F.bitwise_not, F.bitwise_or, F.bitwise_xor, F.bmm
    broadcast_to, ceil, chunk, clamp, clip, clone = F.broadcast_to, F.ceil, F.chunk, F.clamp, F.clip, F.clone
    cos, cosh, count_nonzero, cummax, cummin = F.cos, F.cosh, F.count_nonzero, F.cummax, F.cummin
    cumprod, cumsum, deg2rad, diag, diagonal, div = F.cumprod, F.cumsum, F.deg2rad, F.diag, F.diagonal, F.div
    divide, dot, eq, equal, exp, exp2, expand = F.divide, F.dot, F.eq, F.equal, F.exp, F.exp2, F.expand
    expand_as, expm1, flatten, flip, float_power = F.expand_as, F.expm1, F.flatten, F.flip, F.float_power
    floor, floor_divide, fmod, frac, gather, ge = F.floor, F.floor_divide, F.fmod, F.frac, F.gather, F.ge
    greater, greater_equal, gt, hypot, index_add = F.greater, F.greater_equal, F.gt, F.hypot, F.index_add
    index_select, isclose, isfinite, isinf, isnan = F.index_select, F.isclose, F.isfinite, F.isinf, F.isnan
    kthvalue, le, lerp, less, less_equal, log = F.kthvalue, F.le, F.lerp, F.less, F.less_equal, F.log
    log10, log1p, log2, log_softmax, logaddexp = F.log10, F.log1p, F.log2, F.log_softmax, F.logaddexp
    logical_and, logical_not, logical_or = F.logical_and, F.logical_not, F.logical_or
    logical_xor, logsumexp, lt, masked_fill = F.logical_xor, F.logsumexp, F.lt, F.masked_fill
    masked_select, matmul, max, maximum, mean = F.masked_select, F.matmul, F.max, F.maximum, F.mean
    median, min, minimum, mm, mode, movedim, mul = F.median, F.min, F.minimum, F.mm, F.mode, F.movedim, F.mul
    multinomial, multiply, mv, nan_to_num, nansum = F.multinomial, F.multiply, F.mv, F.nan_to_num, F.nansum
    positive = F.positive
    narrow, ne, neg, negative, nonzero, norm = F.narrow, F.ne, F.neg, F.negative, F.nonzero, F.norm
    not_equal, outer, permute, pow, prod, rad2deg = F.not_equal, F.outer, F.permute, F.pow, F.prod, F.rad2deg
    ravel, reciprocal, relu, remainder, repeat = F.ravel, F.reciprocal, F.relu, F.remainder, F.repeat
    repeat_interleave, reshape, reshape_as, roll = F.repeat_interleave, F.reshape, F.reshape_as, F.roll
    round, rsqrt, scatter, scatter_add, select = F.round, F.rsqrt, F.scatter, F.scatter_add, F.select
    sigmoid, sign, sgn, sin, sinh, softmax, sort = F.sigmoid, F.sign, F.sgn, F.sin, F.sinh, F.softmax, F.sort
    split, sqrt, square, squeeze, std, sub = F.split, F.sqrt, F.square, F.squeeze, F.std, F.sub
    subtract, sum, t, take, take_along_dim, tan = F.subtract, F.sum, F.t, F.take, F.take_along_dim, F.tan
    tanh, tensor_split, tile, topk, trace = F.tanh, F.tensor_split, F.tile, F.topk, F.trace
    transpose, tril, triu, true_divide, trunc = F.transpose, F.tril, F.triu, F.true_divide, F.trunc
    unbind, unflatten, unfold, unique, unsqueeze = F.unbind, F.unflatten, F.unfold, F.unique, F.unsqueeze
    var, view, view_as = F.var, F.view, F.view_as

    # each of these changes the tensor itself
    abs_, acos_, add_, addcdiv_ = in_place(F.abs), in_place(F.acos), in_place(F.add), in_place(F.addcdiv)
    addcmul_, asin_, atan_, ceil_ = in_place(F.addcmul), in_place(F.asin), in_place(F.atan), in_place(F.ceil)
    clamp_, clip_, cos_, cosh_ = in_place(F.clamp), in_place(F.clip), in_place(F.cos), in_place(F.cosh)
    div_, divide_, exp_, exp2_ = in_place(F.div), in_place(F.divide), in_place(F.exp), in_place(F.exp2)
    expm1_, eq_, floor_ = in_place(F.expm1), in_place(F.eq), in_place(F.floor)
    floor_divide_, fmod_, ge_ = in_place(F.floor_divide), in_place(F.fmod), in_place(F.ge)
    gt_, index_add_, le_, lerp_ = in_place(F.gt), in_place(F.index_add), in_place(F.le), in_place(F.lerp)
    log_, log10_, log1p_, log2_ = in_place(F.log), in_place(F.log10), in_place(F.log1p), in_place(F.log2)
    logical_and_, logical_not_ = in_place(F.logical_and), in_place(F.logical_not)
    logical_or_, lt_, masked_fill_ = in_place(F.logical_or), in_place(F.lt), in_place(F.masked_fill)
    mul_, multiply_, ne_, neg_ = in_place(F.mul), in_place(F.multiply), in_place(F.ne), in_place(F.neg)
    pow_, reciprocal_, remainder_ = in_place(F.pow), in_place(F.reciprocal), in_place(F.remainder)
    relu_, round_, rsqrt_ = in_place(F.relu), in_place(F.round), in_place(F.rsqrt)
    scatter_add_, sigmoid_, sign_ = in_place(F.scatter_add), in_place(F.sigmoid), in_place(F.sign)
    sin_, sinh_, sqrt_, square_ = in_place(F.sin), in_place(F.sinh), in_place(F.sqrt), in_place(F.square)
    sub_, subtract_, tan_, tanh_ = in_place(F.sub), in_place(F.subtract), in_place(F.tan), in_place(F.tanh)
    tril_, triu_, trunc_ = in_place(F.tril), in_place(F.triu), in_place(F.trunc)
