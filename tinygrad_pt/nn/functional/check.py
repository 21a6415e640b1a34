"""What the functions of `nn` share: refusals with an address, and results written in place."""

from __future__ import annotations

from collections.abc import Callable

from tinygrad_pt import dtypes
from tinygrad_pt import functions as F
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.arguments import expect_tensor
from tinygrad_pt.graph import Handle
from tinygrad_pt.inplace import write
from tinygrad_pt.tensor import Tensor


def only_tensors(op: str, **values: object) -> None:
    """PyTorch's TypeError unless all of these are tensors."""
    for i, (name, value) in enumerate(values.items(), 1):
        if not isinstance(value, Handle):
            expect_tensor(value, op, name, i)


def spoken(t: Tensor) -> str:
    return dtypes.of(t.array.dtype).spoken


def floating_only(input: Tensor, op: str, kernel: str) -> Tensor:
    """The input, if it is a tensor of floating point numbers; for others PyTorch has no such kernel."""
    if expect_tensor(input, op).array.dtype.kind != "f":
        text = f"\"{kernel}\" not implemented for '{spoken(input)}'"
        raise refuse(NotImplementedError, text, op, input, mend="convert it first: x.float()")
    return input


def written(function: Callable[[Tensor], Tensor], input: Tensor, inplace: bool, reads: bool = False) -> Tensor:
    """`function(input)`, written back into the input if asked; a derivative that `reads` the input gets a copy."""
    if not inplace:
        return function(input)
    return write(input, function(F.clone(input) if reads else input))
