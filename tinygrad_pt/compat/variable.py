"""`autograd.Variable`: PyTorch's older name for a tensor with a gradient."""

from __future__ import annotations

import warnings
from typing import Any

from tinygrad_pt.errors import class_name, refuse
from tinygrad_pt.functions import empty
from tinygrad_pt.tensor import Tensor

VOLATILE = "volatile was removed and now has no effect. Use `with torch.no_grad():` instead."
VOLATILE_GRAD = "Variable can't be volatile and require_grad at the same time!"


class VariableMeta(type):
    """Every tensor counts as a Variable, and a call gives a tensor."""

    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, Tensor)

    def __call__(
        cls, data: Tensor | None = None, requires_grad: Any = False, volatile: Any = False, *, name: str | None = None
    ) -> Tensor:
        if data is None:
            data = empty(0)
        if not isinstance(data, Tensor):
            text = f"Variable data has to be a tensor, but got {class_name(type(data))}"
            raise refuse(TypeError, text, "Variable", data, mend="torch.tensor(...)")
        if volatile:
            warnings.warn(VOLATILE, UserWarning, stacklevel=2)
        if volatile and requires_grad:
            raise refuse(ValueError, VOLATILE_GRAD, "Variable", data)
        made = data.detach()
        if requires_grad and not made.is_floating_point():
            text = "Only Tensors of floating point and complex dtype can require gradients"
            raise refuse(RuntimeError, text, "Variable", data, mend="convert it first: x.float()")
        made.name = name
        return made.requires_grad_(bool(requires_grad))


class Variable(metaclass=VariableMeta):
    """PyTorch's older name: `Variable(x, requires_grad=True)` is `x.detach().requires_grad_()`.

    >>> from tinygrad_pt.autograd import Variable
    >>> x = Variable(torch.ones(2), requires_grad=True)
    >>> x, isinstance(x, Variable)
    (tensor([1., 1.], requires_grad=True), True)
    """
