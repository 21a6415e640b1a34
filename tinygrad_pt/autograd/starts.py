"""Where a backward walk starts and where it ends: what `backward` and `grad` are given, checked and in one form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from tinygrad_pt.autograd.hooks import Gradient
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.graph import Leaf, Node, Tensor
from tinygrad_pt.ops import cast, getitem, stack
from tinygrad_pt.texts import BATCH_SHAPE, SEED_SHAPE

Tensors = Tensor | Iterable[Tensor]
Inputs = Tensors | dict[Any, Tensor]


def listed(tensors: Tensors) -> tuple[Tensor, ...]:
    """One tensor or several, as a tuple."""
    return (tensors,) if isinstance(tensors, Tensor) else tuple(tensors)


def inputs_of(inputs: Inputs, name: str) -> tuple[Tensor, ...]:
    """The tensors by which `grad` or `backward` is to differentiate, of which there must be one, as a tuple."""
    if isinstance(inputs, Mapping):
        if type(inputs) is not dict:
            text = f"`inputs` argument to `{name}()` must be a dict, not {type(inputs).__name__}. "
            raise refuse(TypeError, text + "Other Mapping types are not supported.")
        inputs = inputs.values()
    xs = listed(inputs)
    if not xs:
        raise refuse(RuntimeError, f"`inputs` argument to `{name}()` cannot be empty.")
    for i, x in enumerate(xs):
        if not isinstance(x, Tensor):
            text = f"`inputs` argument to `{name}()` must be tensors, but got {type(x).__name__}"
            raise refuse(TypeError, text)
        if x.node is None:
            mend = f"call requires_grad_() on inputs[{i}] before it is used"
            raise refuse(RuntimeError, "One of the differentiated Tensors does not require grad", mend=mend)
    return xs


def ends_of(inputs: Inputs) -> dict[Node, Tensor]:
    """The tensors whose `.grad` `backward` is to add to, by their vertices."""
    return {t.node: t for t in inputs_of(inputs, "backward") if t.node is not None}


def seed_of(t: Tensor, grad: Tensor | None, index: int, create: bool) -> Gradient:
    """The gradient that the walk starts with at the root `t`: the one given, or 1 for a tensor with one element."""
    x = t.array
    if grad is None:
        if x.size != 1:
            mend = "reduce it first, e.g. loss.sum().backward(), or pass gradient="
            raise refuse(RuntimeError, "grad can be implicitly created only for scalar outputs", mend=mend)
        if not x.shape and not create:
            return x.dtype.type(1)
        return wrap(np.ones_like(x)) if create else np.ones_like(x)
    if not isinstance(grad, Tensor):
        raise refuse(TypeError, f"gradients can be either Tensors or None, but got {type(grad).__name__}")
    if grad.array.shape != x.shape:
        text = SEED_SHAPE.format(index, list(grad.array.shape), list(x.shape))
        raise refuse(RuntimeError, text, mend="the gradient of a tensor has the tensor's shape")
    seed = grad if create else grad.array
    return seed if grad.array.dtype == x.dtype else cast(seed, dtype=x.dtype)


def start(outputs: Sequence[Tensor], grads: Any, create: bool) -> tuple[Sequence[Node], Sequence[Gradient]]:
    """The roots and seeds of a walk, all checked."""
    given = (None,) * len(outputs) if grads is None else listed(grads if isinstance(grads, Iterable) else (grads,))
    if len(outputs) != len(given):
        raise refuse(RuntimeError, f"got {len(outputs)} tensors and {len(given)} gradients")
    roots, seeds = [], []
    for i, t in enumerate(outputs):
        if t.node is None:
            text = f"element {i} of tensors does not require grad and does not have a grad_fn"
            mend = "some tensor it was computed from must have requires_grad=True, outside no_grad()"
            raise refuse(RuntimeError, text, mend=mend)
        roots.append(t.node)
        seeds.append(seed_of(t, given[i], i, create))
    return roots, seeds


def unbatched(
    once: Callable[[tuple[Tensor | None, ...], bool], tuple[Tensor | None, ...]], outputs: Tensors, grads: Any
) -> tuple[Tensor | None, ...]:
    """The gradients for several seeds at once: `once(seeds, last)` for each row of the given ones, stacked."""
    given = listed(grads)
    for i, (t, g) in enumerate(zip(listed(outputs), given, strict=False)):
        if g is not None and g.array.shape[1:] != t.array.shape:
            raise refuse(RuntimeError, BATCH_SHAPE.format(i, list(g.array.shape[1:]), list(t.array.shape)))
    size = next(len(g.array) for g in given if g is not None)
    rows = [
        once(tuple(g if g is None else getitem(g, index=i) for g in given), i == size - 1) for i in range(size)
    ]  # fmt: skip
    return tuple(None if column[0] is None else stack(*column, axis=0) for column in zip(*rows, strict=True))


def zeros_like(t: Tensor, requires_grad: bool) -> Tensor:
    """The gradient of an input on which nothing depends; where gradients are graphs, a leaf that requires grad."""
    zeros = wrap(np.zeros_like(t.array))
    if requires_grad:
        zeros.node = Leaf(zeros)
    return zeros
