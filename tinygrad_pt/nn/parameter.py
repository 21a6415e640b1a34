"""Parameters, the tensors that a module learns, and buffers, the tensors that it only keeps."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from tinygrad_pt.errors import refuse
from tinygrad_pt.graph import Leaf
from tinygrad_pt.tensor import Tensor


class Parameter(Tensor):
    """A leaf tensor that requires a gradient, and that a module registers when it is assigned as an attribute.

    It shares memory with `data`; what is computed from it is a plain `Tensor`.

    Raises:
        RuntimeError: `data` is not of floating point dtype and `requires_grad` is true.

    >>> import tinygrad_pt as torch
    >>> torch.nn.Parameter(torch.ones(2))
    Parameter containing:
    tensor([1., 1.], requires_grad=True)
    """

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Self:
        t = object.__new__(cls)
        t.array, t.version, t.node = _array(data, "Parameter"), [0, 0], None
        if requires_grad:
            if t.array.dtype.kind != "f":
                raise refuse(
                    RuntimeError,
                    "Only Tensors of floating point and complex dtype can require gradients",
                    mend="convert it first: data.float(), or pass requires_grad=False",
                )
            t.node = Leaf(t)
        return t

    def __repr__(self, **kwargs: Any) -> str:
        return "Parameter containing:\n" + super().__repr__()


class Buffer(Tensor):
    """A tensor that a module keeps without learning it; `persistent` says whether `state_dict` shows it.

    >>> import tinygrad_pt as torch
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
        raise refuse(
            TypeError, f"{kind} data must be a Tensor, not {type(data).__name__}", mend="wrap it in torch.tensor(...)"
        )
    return np.empty(0, np.float32) if data is None else data.array
