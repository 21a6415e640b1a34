"""Parameter and Buffer: tensors that a module trains, and tensors that it keeps without training them."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.graph import Leaf
from tinygrad_pt.tensor import Tensor

__all__ = ["Buffer", "Parameter"]


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


def _array(data: Tensor | None, kind: str) -> np.ndarray:
    if data is not None and not isinstance(data, Tensor):
        text = f"{kind} data must be a Tensor, not {type(data).__name__}"
        raise refuse(TypeError, text, mend="wrap it in torch.tensor(...)")
    return np.empty(0, np.float32) if data is None else data.array
