"""How functions become methods: those that write into their tensor, and the operators of Python."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np

from tinygrad_pt import dtypes
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.checks import expect_tensor
from tinygrad_pt.graph import Tensor, TensorBase, born
from tinygrad_pt.inplace import check_apart, may_write, write, write_changed

P = ParamSpec("P")


F = TypeVar("F", bound=Callable[..., Any])


def described(function: F, name: str, doc: str | None) -> F:
    """The function under a name of its own, with its docstring: for functions that are made by the dozen."""
    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function


def in_place(
    function: Callable[Concatenate[Tensor, P], Tensor], write: Callable[[Tensor, Tensor, int], Tensor] = write
) -> Callable[Concatenate[Tensor, P], Tensor]:
    """The function that computes `function(input, …)` and writes the result into `input`."""
    overlap = write is write_changed

    @functools.wraps(function)
    def method(input: Tensor, /, *args: P.args, **kwargs: P.kwargs) -> Tensor:
        try:
            may_write(
                input, overlap, wanting=bool(input.creation) and any(getattr(a, "requires_grad", False) for a in args)
            )
        except AttributeError:
            expect_tensor(input, method.__name__)
            raise
        for a in args:
            if isinstance(a, TensorBase) and a.version is input.version and a is not input:
                check_apart(input, a)
        since = born()
        return write(input, function(input, *args, **kwargs), since)

    name = function.__name__
    return described(method, f"{name}_", f"`{name}`, in place: the tensor itself is changed and returned.")


# ------------------------------------------------------------------------------------------ operators
Operator = Callable[["Tensor", Any], "Tensor"]  # of a tensor and anything; NotImplemented asks the other side


def plain(op: Any) -> Operator:
    """An op of two arguments as an operator: it returns NotImplemented for what is no tensor, number or array."""
    return op


def operator(function: Callable[..., Tensor]) -> Operator:
    """The function as an operator: NotImplemented, or a TypeError, for what is no tensor, number or array."""

    def method(self: Tensor, other: Any) -> Tensor:
        if other.__class__ is not float and other.__class__ is not int and not isinstance(other, Tensor):
            if not isinstance(other, (np.ndarray, np.generic, int, float, complex)):
                return NotImplemented
            other = _operand(other)
        return function(self, other)

    return method


def reflected(function: Callable[..., Tensor]) -> Operator:
    """The operator with its operands swapped."""

    def method(self: Tensor, other: Any) -> Tensor:
        if not isinstance(self, Tensor):
            text = f"descriptor '__r{function.__name__}__' for 'Tensor' objects doesn't apply to a "
            raise refuse(TypeError, f"{text}'{type(self).__name__}' object")
        return function(_operand(other), self)

    return method


def writing(function: Callable[..., Tensor]) -> Operator:
    """The operator that writes its result into its left side."""
    compute = operator(function)

    def method(self: Tensor, other: Any) -> Tensor:
        may_write(self)
        if isinstance(other, TensorBase) and other.version is self.version and other is not self:
            check_apart(self, other)
        since = born()
        result = compute(self, other)
        return result if result is NotImplemented else write(self, result, since)

    return method


def _operand(other: Any) -> Any:
    if isinstance(other, np.ndarray):
        dtypes.of(other.dtype)
        return wrap(other)
    return other.item() if isinstance(other, np.generic) else other
