"""Parameter and Buffer: tensors that a module trains, and tensors that it keeps without training them."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from tinygrad_pt import dtypes
from tinygrad_pt import functions as F
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.graph import Leaf
from tinygrad_pt.tensor import Tensor

__all__ = ["Buffer", "Parameter", "UninitializedBuffer", "UninitializedParameter"]


class Parameter(Tensor):
    """A leaf tensor that requires a gradient, and that a module registers when it is assigned as an attribute.

    It shares memory with `data`; operations on it give plain tensors.
    Raises RuntimeError if `requires_grad` is true and `data` is not of floating point dtype.

    >>> torch.nn.Parameter(torch.ones(2))
    Parameter containing:
    tensor([1., 1.], requires_grad=True)
    """

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Self:
        t = object.__new__(cls)
        t.array, t.version, t.node = _array(data, "Parameter"), [0, 0], None
        if requires_grad:
            if t.array.dtype.kind != "f":
                text = "Only Tensors of floating point and complex dtype can require gradients"
                raise refuse(RuntimeError, text, mend="convert it first: data.float(), or pass requires_grad=False")
            t.node = Leaf(t)
        return t

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        if id(self) not in memo:  # as in PyTorch, without its gradient
            memo[id(self)] = type(self)(wrap(np.array(self.array)), self.node is not None)
        return memo[id(self)]

    def __repr__(self, **kwargs: Any) -> str:
        return "Parameter containing:\n" + super().__repr__()


class Buffer(Tensor):
    """A tensor that a module keeps without training it; `state_dict` contains it if it is `persistent`.

    >>> m = torch.nn.Module()
    >>> m.steps = torch.nn.Buffer(torch.zeros(1))
    >>> list(m.state_dict())
    ['steps']
    """

    persistent = True

    def __new__(cls, data: Tensor | None = None, *, persistent: bool = True) -> Self:
        t = object.__new__(cls)
        t.array, t.version, t.persistent = _array(data, "Buffer"), [0, 0], persistent
        return t


class Uninitialized(Tensor):
    """A tensor whose shape is not known yet; `materialize` gives it one."""

    known: type[Tensor] = Tensor  # what it becomes

    def materialize(
        self, shape: tuple[int, ...], device: str | F.device | None = None, dtype: dtypes.dtype | None = None
    ) -> None:
        """Become a tensor of this shape, with any values in it."""
        kind = dtypes.of(self.array.dtype) if dtype is None else dtype
        self.__class__ = self.known  # type: ignore[assignment]
        self.data = F.empty(shape, dtype=kind, device=device)

    @property
    def shape(self) -> Any:
        """Raise an error: the shape is not known yet."""
        text = (
            "Can't access the shape of an uninitialized parameter or buffer. This error usually happens in "
            "`load_state_dict` when trying to load an uninitialized parameter into an initialized one. Call `forward` "
            "to initialize the parameters before accessing their attributes."
        )
        raise refuse(RuntimeError, text)

    def __repr__(self, **kwargs: Any) -> str:
        return f"<{type(self).__name__}>"


class UninitializedParameter(Uninitialized, Parameter):
    """A parameter of a lazy module, whose shape the first input will tell.

    >>> p = torch.nn.UninitializedParameter()
    >>> p.materialize((2, 3)); p.shape
    torch.Size([2, 3])
    """

    known = Parameter

    def __new__(
        cls, requires_grad: bool = True, device: str | F.device | None = None, dtype: dtypes.dtype | None = None
    ) -> Self:
        return super().__new__(cls, F.empty(0, dtype=dtype, device=device), requires_grad)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.node is not None, dtype=dtypes.of(self.array.dtype))
        return memo[id(self)]

    def __reduce_ex__(self, protocol: Any) -> Any:
        return type(self), (self.node is not None, None, dtypes.of(self.array.dtype))


class UninitializedBuffer(Uninitialized):
    """A buffer of a lazy module, whose shape the first input will tell.

    >>> b = torch.nn.UninitializedBuffer()
    >>> b.materialize((3,)); b.shape
    torch.Size([3])
    """

    persistent = True

    def __new__(
        cls,
        requires_grad: bool = False,
        device: str | F.device | None = None,
        dtype: dtypes.dtype | None = None,
        persistent: bool = True,
    ) -> Self:
        t = object.__new__(cls)
        t.array, t.version, t.node = F.empty(0, dtype=dtype, device=device).array, [0, 0], None
        t.persistent = persistent
        return t

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        if id(self) not in memo:
            memo[id(self)] = type(self)(dtype=dtypes.of(self.array.dtype), persistent=self.persistent)
        return memo[id(self)]

    def __reduce_ex__(self, protocol: Any) -> Any:
        return type(self), (False, None, dtypes.of(self.array.dtype), self.persistent)


def _array(data: Tensor | None, kind: str) -> np.ndarray:
    if data is not None and not isinstance(data, Tensor):
        text = f"{kind} data must be a Tensor, not {type(data).__name__}"
        raise refuse(TypeError, text, mend="wrap it in torch.tensor(...)")
    return np.empty(0, np.float32) if data is None else data.array


def refuse_uninitialized(tensor: Tensor, kind: str, norm: str) -> None:
    """Raise PyTorch's error about a parameter whose shape is not known yet."""
    if isinstance(tensor, UninitializedParameter):
        text = (
            f"The module passed to `{kind}` can't have uninitialized parameters. Make sure to run the dummy forward "
            f"before applying {norm} normalization"
        )
        raise refuse(ValueError, text, kind)
