"""Tensor: an array, the vertex of the graph that computed it, and the version of its memory.

This file has what makes it a tensor: shape and dtype, `requires_grad` and `grad`, `backward`, hooks, `detach`, and the
operators. All other methods come from `functions`; the class binds functions and defines no mathematics.
"""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Self, overload

from tinygrad_pt import autograd, dtypes, ops, printing
from tinygrad_pt import functions as F
from tinygrad_pt.attached import Removable, shown
from tinygrad_pt.autograd.hooks import Hook
from tinygrad_pt.calling import tensor_class, wrap
from tinygrad_pt.errors import class_name, refuse
from tinygrad_pt.functions.arguments import Size, axis_from, expect_tensor, size_of
from tinygrad_pt.functions.binding import Operator, operator, plain, reflected, writing
from tinygrad_pt.functions.copying import leaf
from tinygrad_pt.functions.methods import Methods
from tinygrad_pt.graph import DETACH, INNER, Leaf, Node, nobody
from tinygrad_pt.listening import announce
from tinygrad_pt.modes import current
from tinygrad_pt.texts import DETACH_VIEW, GRAD_DTYPE, GRAD_SIZE, INFERENCE_GRAD, NO_HOOK, NON_LEAF_GRAD, NOT_A_LEAF

if TYPE_CHECKING:
    from collections.abc import Sequence


@tensor_class
class Tensor(Methods):
    """An n-dimensional array that remembers how it was computed.

    `tensor(data)` is the usual way to make one. `Tensor(data)` makes a float32 tensor of nested lists, and
    `Tensor(2, 3)` an uninitialised tensor of that shape. Arithmetic broadcasts and promotes as in PyTorch. The result
    of an op requires grad if an argument does; its `backward()` adds to the `.grad` of every leaf it was computed from.

    >>> import tinygrad_pt as torch
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> y = (x * x).sum()
    >>> y
    tensor(5., grad_fn=<SumBackward0>)
    >>> y.backward(); x.grad
    tensor([2., 4.])
    """

    _grad: Tensor | None = None
    _notes: Any = None  # the hooks of a leaf that asks for no gradient now
    _origin: Any = None  # the line that made it, if `autograd.detect_anomaly` is on
    name: str | None = None

    def __new__(cls, *data: Any, **words: Any) -> Self:
        made: Any = F.typed.built(dtypes.get_default_dtype(), data, words, any_tensor=True)
        return made if cls is Tensor else leaf(cls, made.array, False)

    # -------------------------------------------------------------------------------------- shape, dtype, device
    @property
    def shape(self) -> Size:
        """The size of each axis."""
        return size_of(Size, self.array.shape)

    @overload
    def size(self) -> Size: ...
    @overload
    def size(self, dim: int) -> int: ...
    def size(self, dim: int | None = None) -> Size | int:
        """The shape, or the size of one axis."""
        return self.shape if dim is None else self.array.shape[axis_from(dim, self.array.ndim)]

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

    @property
    def device(self) -> F.device:
        """Always the CPU."""
        return F.creation.CPU

    # -------------------------------------------------------------------------------------- its place in the graph
    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow to or through this tensor."""
        return self.node is not None

    @requires_grad.setter
    def requires_grad(self, flag: bool) -> None:
        self.requires_grad_(flag)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Record the ops on this leaf from now on, or, with False, do not."""
        if not self.is_leaf:
            if not requires_grad:
                raise refuse(RuntimeError, NOT_A_LEAF)
        elif not requires_grad:
            if isinstance(self.node, Leaf):
                self._notes, self.node.handle, self.node = self.node.extra, nobody, None
        elif not isinstance(self.node, Leaf) or self.node.handle is nobody:
            if self.array.dtype.kind != "f":
                text = "only Tensors of floating point dtype can require gradients"
                raise refuse(RuntimeError, text, mend="convert it first: x.float()")
            if self.inference and not current().inference:
                raise refuse(RuntimeError, INFERENCE_GRAD)
            self.node = Leaf(self)
            self.node.extra = self._notes
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded op has computed this tensor."""
        return self.node is None or isinstance(self.node, Leaf)

    @property
    def grad_fn(self) -> Node | None:
        """The vertex of the op that has computed this tensor; None for a leaf."""
        node = self.node
        return None if node is None or isinstance(node, Leaf) else shown(node, INNER)

    # -------------------------------------------------------------------------------------- its gradient
    @property
    def grad(self) -> Tensor | None:
        """The sum of the gradients of all backward passes, or None."""
        if self._grad is None and not self.is_leaf and not self.retains_grad:
            warnings.warn(NON_LEAF_GRAD, UserWarning, stacklevel=2)
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            if not isinstance(value, Tensor):
                text = f"assigned grad expected to be a Tensor or None but got grad of type {type(value).__name__}"
                raise refuse(TypeError, text)
            x = value.array
            if x.shape != self.array.shape:
                raise refuse(RuntimeError, GRAD_SIZE.format(list(x.shape), list(self.array.shape)))
            if x.dtype != self.array.dtype:
                raise refuse(RuntimeError, GRAD_DTYPE.format(dtypes.of(x.dtype).c_name, self.dtype.spoken))
        self._grad = value

    @grad.deleter
    def grad(self) -> None:
        self._grad = None

    def backward(
        self,
        gradient: Tensor | None = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Tensor | Sequence[Tensor] | None = None,
    ) -> None:
        """Add ∂self/∂leaf to the `.grad` of every leaf, by the chain rule. See `autograd.backward`."""
        autograd.backward(self, gradient, retain_graph, create_graph, inputs)

    def retain_grad(self) -> None:
        """Let backward store the gradient of this tensor in `.grad`, although it is no leaf."""
        if self.node is None:
            raise refuse(RuntimeError, "can't retain_grad on Tensor that has requires_grad=False")
        if not isinstance(self.node, Leaf) and not self.retains_grad:
            self.node.set_note("retained", (*self.node.note("retained", ()), weakref.ref(self)))

    @property
    def retains_grad(self) -> bool:
        """Whether this tensor is no leaf and `retain_grad` was called on it."""
        node = self.node
        if node is None or isinstance(node, Leaf):
            return False
        return any(link() is self for link in node.note("retained", ()))

    def register_hook(self, hook: Hook) -> Removable:
        """Call `hook(grad)` whenever a gradient of this tensor is computed; a tensor that it returns replaces it."""
        return self._register("hooks", hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], None]) -> Removable:
        """Call `hook(tensor)` after a backward pass has added to this leaf's `.grad`."""
        if not self.is_leaf:
            text = "post accumulate grad hooks cannot be registered on non-leaf tensors"
            raise refuse(RuntimeError, text)
        return self._register("post", hook)

    def _register(self, kind: str, hook: Hook) -> Removable:
        if self.node is None:
            raise refuse(RuntimeError, NO_HOOK)
        return self.node.attach(kind, hook)

    # -------------------------------------------------------------------------------------- without its history
    def detach(self) -> Tensor:
        """The same memory without its history."""
        try:  # this is `torch.detach`, too, and may be given anything
            t = wrap(self.array, None, self.version)
            if (views := (self if self.base is None else self.base).views) is not None:
                t.views = views  # they hear of writes through it
        except AttributeError:
            expect_tensor(self, "detach")
            raise
        t.inference = self.inference
        if current().listeners:
            announce(DETACH, (self,), {}, t)
        return t

    def detach_(self) -> Tensor:
        """Forget the history, in place."""
        if expect_tensor(self, "detach_").base is not None:
            raise refuse(RuntimeError, DETACH_VIEW)
        if isinstance(self.node, Leaf):
            return self.requires_grad_(False)
        self.node = None
        return self

    @property
    def data(self) -> Tensor:
        """The same memory without its history. Backward does not notice changes made through it: prefer `detach()`."""
        t = wrap(self.array)
        t.inference = self.inference
        if current().listeners:
            announce(DETACH, (self,), {}, t)
        return t

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, Tensor):
            raise refuse(TypeError, f"Variable data has to be a tensor, but got {class_name(type(value))}")
        x = value.array
        if self.node is not None and x.dtype.kind != "f":
            text = "data set to a tensor that requires gradients must be floating point or complex dtype"
            raise refuse(RuntimeError, text, mend="convert it first: value.float()")
        self.array = x
        if self.node is not None:
            self.node.dtype = x.dtype
        if isinstance(self.node, Leaf):
            self.node.value, self.node.shape = x, x.shape

    # -------------------------------------------------------------------------------------- printing
    def __repr__(self) -> str:
        return printing.tensor_str(self.array, extra=self._history(), default_dtype=dtypes.get_default_dtype().numpy)

    def _history(self) -> list[str]:
        if self.node is None:
            return []
        return ["requires_grad=True"] if isinstance(self.node, Leaf) else [f"grad_fn=<{self.node.name()}>"]

    # -------------------------------------------------------------------------------------- operators
    # `plain` takes an op as it is, since an op leaves strangers to the other side; `operator` does so for a function.
    __add__, __radd__ = plain(ops.add), reflected(ops.add)
    __sub__, __rsub__ = operator(F.sub), reflected(F.sub)
    __mul__, __rmul__ = plain(ops.mul), reflected(ops.mul)
    __truediv__, __rtruediv__ = plain(ops.div), reflected(ops.div)
    __floordiv__, __rfloordiv__ = operator(F.floor_divide), reflected(F.floor_divide)
    __mod__, __rmod__ = operator(F.remainder), reflected(F.remainder)
    __pow__, __rpow__ = operator(F.pow), reflected(F.pow)
    __matmul__, __rmatmul__ = operator(F.matmul), reflected(F.matmul)
    __and__, __rand__ = operator(F.bitwise_and), reflected(F.bitwise_and)
    __or__, __ror__ = operator(F.bitwise_or), reflected(F.bitwise_or)
    __xor__, __rxor__ = operator(F.bitwise_xor), reflected(F.bitwise_xor)
    __lshift__, __rlshift__ = operator(F.bitwise_left_shift), reflected(F.bitwise_left_shift)
    __rshift__, __rrshift__ = operator(F.bitwise_right_shift), reflected(F.bitwise_right_shift)
    __eq__: ClassVar[Operator] = plain(ops.eq)  # type: ignore[assignment]  # element by element, not one bool
    __ne__: ClassVar[Operator] = plain(ops.ne)  # type: ignore[assignment]
    __lt__, __le__, __gt__, __ge__ = plain(ops.lt), plain(ops.le), plain(ops.gt), plain(ops.ge)
    __neg__, __pos__, __abs__, __invert__ = F.neg, F.positive, F.abs, F.bitwise_not
    __iadd__, __isub__, __imul__ = writing(ops.add), writing(F.sub), writing(ops.mul)
    __itruediv__, __ifloordiv__ = writing(ops.div), writing(F.floor_divide)
    __imod__, __ipow__ = writing(F.remainder), writing(F.pow)
    __ilshift__, __irshift__ = writing(F.bitwise_left_shift), writing(F.bitwise_right_shift)
    __iand__, __ior__, __ixor__ = writing(F.bitwise_and), writing(F.bitwise_or), writing(F.bitwise_xor)

    def __hash__(self) -> int:
        return id(self)
