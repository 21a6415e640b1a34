"""The values that rules have saved: whether they are still there and still the same, and what to say where not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tinygrad_pt import dtypes
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.graph import SAVED, Leaf, Node
from tinygrad_pt.texts import SECOND


def saved_values(node: Node) -> Iterator[tuple[int, Any, Any, list[int], int]]:
    """(place among y and the arguments, value, owner, version, expected version) of each value a vertex has saved."""
    guards = iter(node.guards)
    for i, (a, owner) in enumerate(zip(node.args or (), (node, *node.parents), strict=False)):
        if isinstance(a, SAVED):
            yield i, a, owner, next(guards), next(guards)


def as_tensors(node: Node) -> tuple[Any, ...]:
    """What the rules of a vertex are read with when the gradient is recorded: saved values as tensors again."""
    args = list(node.args or ())
    for i, a, owner, version, _ in saved_values(node):
        args[i] = wrap(a, owner if isinstance(owner, Node) else None, version)
    return tuple(args)


def freed(node: Node) -> Exception:
    """The error about a vertex whose saved values a backward pass has freed."""
    return refuse(RuntimeError, SECOND, node.op.name, scope=node.scope)


def mutated_text(value: Any, origin: Any, version: int, expected: int) -> str:
    """PyTorch's sentence about a saved value that an in-place operation has changed."""
    kind = f"[torch.{dtypes.of(value.dtype).spoken}Tensor {list(value.shape)}]"
    if isinstance(origin, Node) and not isinstance(origin, Leaf):
        kind += f", which is output 0 of {origin.name().split('Backward')[0]},"
    return (
        f"one of the variables needed for gradient computation has been modified by an inplace operation: {kind} is "
        f"at version {version}; expected version {expected} instead. Hint: enable anomaly detection to find the "
        "operation that failed to compute its gradient, with torch.autograd.set_detect_anomaly(True, check_nan=False)."
    )


def mutated(node: Node) -> Exception:
    """The error about the first value a vertex has saved that has changed since."""
    text = next(
        mutated_text(a, owner, version[0], expected)
        for _, a, owner, version, expected in saved_values(node)
        if version[0] != expected
    )
    mend = f"{node.op.name} saved that value: change a clone() of it, or use the out-of-place form"
    return refuse(RuntimeError, text, node.op.name, *node.parents, scope=node.scope, mend=mend)


def wrong_shape(node: Node, slot: int, r: Any) -> Exception:
    """The error about a rule whose gradient does not have the shape of its argument."""
    text = (
        f"Function {node.name()} returned an invalid gradient at index {slot} - got {list(r.shape)} but expected shape "
        f"compatible with {list(node.parents[slot].shape)}"
    )
    mend = "return a gradient of the argument's own shape"
    return refuse(RuntimeError, text, node.op.name, *node.parents, scope=node.scope, mend=mend)
