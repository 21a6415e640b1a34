"""The values that vertices have saved for their rules, and the errors about those that are freed or changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tinygrad_pt import dtypes
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.graph import PICK, SAVED, Array, Leaf, Node, Rule, Tensor, pick
from tinygrad_pt.ops.special import constant_in
from tinygrad_pt.texts import INVALID_GRADIENT, MUTATED, SECOND


def saved_values(node: Node) -> Iterator[tuple[int, Array | np.generic, Any, list[int], int]]:
    """Each value that a vertex has saved: its place among `(y, a, b, …)`, the value itself, its vertex (or, without
    one, the `Constant`), its version, and the number that the version had then.
    """
    guards = iter(node.guards)
    for i, (a, owner) in enumerate(zip(node.args or (), (node, *node.parents), strict=False)):
        if isinstance(a, SAVED):
            yield i, a, owner, next(guards), next(guards)


def as_tensors(node: Node) -> tuple[Any, ...]:
    """The arguments of the rules, `(y, a, b, …)`, where the gradient is to be a graph: saved values become tensors."""
    args = list(node.args or ())
    for i, a, owner, version, _ in saved_values(node):
        if owner is node and node.note("shapes"):  # y is the first of several results
            owner = pick(node, 0, np.asarray(a))
        args[i] = wrap(a, owner if isinstance(owner, Node) else None, version)
    return tuple(args)


def stale(guards: tuple[Any, ...]) -> bool:
    """Whether a saved value has been changed in place since it was saved."""
    for i in range(0, len(guards), 2):
        if guards[i][0] != guards[i + 1]:
            return True
    return False


def revive(node: Node) -> None:
    """Give a vertex that an earlier walk has freed its arguments again, if it had saved none; else raise an error.

    A Python number that a rule reads, as in `x * 2`, counts as saved, because PyTorch saves it as a tensor.
    """
    op, parents = node.op, node.parents
    mask = sum(1 << i for i, p in enumerate(parents) if isinstance(p, Node))
    keep = op.keep.get((mask, len(parents)), op.keep.get(mask, (op is not PICK and "ctx" not in node.attrs,)))
    if any(keep) and not op.joins:
        raise refuse(RuntimeError, SECOND, op.name, scope=node.scope)
    node.args = (None, *parents)


def flattened(node: Node, rules: tuple[Rule | None, ...]) -> tuple[Rule | None, ...]:
    """The rules of a vertex whose gradients are functions of its value y with derivative 0 (`Op.flat`)."""
    y = wrap(np.broadcast_to(np.zeros((), node.dtype), node.shape), node)

    def flat(rule: Rule) -> Rule:
        return lambda g, *args, **attrs: constant_in(rule(g, *args, **attrs), y)

    return tuple(None if rule is None else flat(rule) for rule in rules)


def mark_flat(y: Tensor) -> Tensor:
    """The result of functions which together are what `Op.flat` says of one op."""
    if y.node is not None and not isinstance(y.node, Leaf):
        y.node.set_note("flat", True)
    return y


def mutated_text(value: Array | np.generic, origin: object, version: int, expected: int) -> str:
    """PyTorch's sentence about a saved value that an in-place operation has changed; `origin` may be its vertex."""
    kind = f"[torch.{dtypes.of(value.dtype).spoken}Tensor {list(value.shape)}]"
    if isinstance(origin, Node) and not isinstance(origin, Leaf):
        kind += f", which is output 0 of {origin.name().split('Backward')[0]},"
    return MUTATED.format(kind, version, expected)


def mutated(node: Node) -> Exception:
    """The error about the first saved value of a vertex that has changed since."""
    text = next(
        mutated_text(a, owner, version[0], expected)
        for _, a, owner, version, expected in saved_values(node)
        if version[0] != expected
    )
    mend = f"{node.op.name} saved that value: change a clone() of it, or use the out-of-place form"
    return refuse(RuntimeError, text, node.op.name, *node.parents, scope=node.scope, mend=mend)


def wrong_shape(node: Node, slot: int, r: Array | Tensor) -> Exception:
    """The error about a rule whose result r does not have the shape of its argument."""
    text = INVALID_GRADIENT.format(node.name(), slot, list(r.shape), list(node.parents[slot].shape))
    mend = "return a gradient of the argument's own shape"
    return refuse(RuntimeError, text, node.op.name, *node.parents, scope=node.scope, mend=mend)
