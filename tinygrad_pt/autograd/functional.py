"""Derivatives of functions: vector-Jacobian and Jacobian-vector products, Jacobians, Hessians."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_pt.autograd.engine import grad
from tinygrad_pt.errors import failure
from tinygrad_pt.graph import Handle, Leaf, wrap
from tinygrad_pt.modes import enable_grad
from tinygrad_pt.ops import reshape, stack

Tensors = Any  # a tensor, or a tuple of them; results have the form of what was given


def _tuple(x: Tensors, what: str) -> tuple[Any, ...]:
    found = x if isinstance(x, tuple) else (x,)
    for i, t in enumerate(found):
        if not isinstance(t, Handle):
            raise TypeError(
                f"The {what} given to this function must be either a Tensor or a tuple of Tensors but the "
                "value at index "
                f"{i} has type {type(t)}."
            )
    return found


def _inputs(inputs: Tensors, create_graph: bool) -> tuple[Any, ...]:
    """Inputs as tensors to differentiate by: views of the user's own if the result is to be a graph."""
    if create_graph:
        return tuple(
            reshape(t, shape=t.array.shape) if t.node is not None else _leaf(t) for t in _tuple(inputs, "inputs")
        )
    return tuple(_leaf(t) for t in _tuple(inputs, "inputs"))


def _leaf(t: Any) -> Any:
    if t.array.dtype.kind != "f":
        raise failure(RuntimeError, "only Tensors of floating point dtype can require gradients", args=(t,))
    x = wrap(t.array, None, t.version)
    x.node = Leaf(x)
    return x


def _form(results: Any, like: Tensors) -> Tensors:
    return tuple(results) if isinstance(like, tuple) else results[0]


def _grads(outputs: Any, inputs: Any, seeds: Any, create_graph: bool, strict: bool, retain: bool = True) -> Any:
    """Gradients of the outputs that can have any; zeros for what does not depend."""
    pairs = [(o, s) for o, s in zip(outputs, seeds, strict=True) if o.node is not None]
    if strict and len(pairs) < len(outputs):
        raise RuntimeError("An output of the user-provided function is independent of the input in strict mode.")
    if not pairs:
        return tuple(wrap(np.zeros_like(x.array)) for x in inputs)
    outs, seeds = zip(*pairs, strict=True)
    found = grad(outs, inputs, seeds, retain_graph=retain, create_graph=create_graph, allow_unused=True)
    if strict and any(g is None for g in found):
        raise RuntimeError("The output of the user-provided function is independent of an input in strict mode.")
    return tuple(wrap(np.zeros_like(x.array)) if g is None else g for g, x in zip(found, inputs, strict=True))


def _seeds(v: Tensors, outputs: tuple[Any, ...], what: str) -> tuple[Any, ...]:
    if v is None:
        if len(outputs) == 1 and outputs[0].array.size == 1:
            return (wrap(np.ones_like(outputs[0].array)),)
        raise RuntimeError(
            "The vector v can only be None if the user-provided function returns a single Tensor with a "
            f"single element ({what})."
        )
    vs = _tuple(v, "v")
    if len(vs) != len(outputs):
        raise RuntimeError(f"v is a tuple of invalid length: should be {len(outputs)} but got {len(vs)}.")
    for i, (a, b) in enumerate(zip(vs, outputs, strict=True)):
        if a.array.shape != b.array.shape:
            raise RuntimeError(
                f"Entry {i} in v has invalid size: should be torch.Size({list(b.array.shape)}) but got "
                f"torch.Size({list(a.array.shape)})."
            )
    return vs


def vjp(
    func: Callable[..., Any], inputs: Tensors, v: Tensors = None, create_graph: bool = False, strict: bool = False
) -> tuple[Tensors, Tensors]:
    """(func(inputs), vᵀ·J): one backward walk.

    >>> import tinygrad_pt as torch
    >>> torch.autograd.functional.vjp(lambda x: x**2, torch.tensor([1.0, 2.0]), torch.ones(2))[1]
    tensor([2., 4.])
    """
    with enable_grad():
        xs = _inputs(inputs, create_graph)
        y = func(*xs)
        outputs = _tuple(y, "outputs")
        seeds = _seeds(v, outputs, "vjp")
        found = _grads(outputs, xs, seeds, create_graph, strict)
    return _result(y, create_graph), _form(found, inputs)


def jvp(
    func: Callable[..., Any], inputs: Tensors, v: Tensors = None, create_graph: bool = False, strict: bool = False
) -> tuple[Tensors, Tensors]:
    """(func(inputs), J·v): two backward walks, for uᵀJ is linear in u and its own vjp with v is J·v.

    >>> import tinygrad_pt as torch
    >>> torch.autograd.functional.jvp(lambda x: x**2, torch.tensor([1.0, 2.0]), torch.ones(2))[1]
    tensor([2., 4.])
    """
    with enable_grad():
        xs = _inputs(inputs, create_graph)
        vs = _seeds(v, xs, "jvp")
        y = func(*xs)
        outputs = _tuple(y, "outputs")
        us = tuple(_leaf(wrap(np.zeros_like(o.array))) for o in outputs)
        products = _grads(outputs, xs, us, True, strict)
        found = _grads(products, us, vs, create_graph, False)
    return _result(y, create_graph), _form(found, y)


def jacobian(
    func: Callable[..., Any], inputs: Tensors, create_graph: bool = False, strict: bool = False, vectorize: bool = False
) -> Tensors:
    """∂func/∂inputs, of shape output.shape + input.shape; nested tuples for several outputs or inputs.

    One backward walk per output element. `vectorize` is accepted; the results are the same.

    >>> import tinygrad_pt as torch
    >>> torch.autograd.functional.jacobian(lambda x: x**2, torch.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    with enable_grad():
        xs = _inputs(inputs, create_graph)
        y = func(*xs)
        table = [_rows(o, xs, create_graph, strict) for o in _tuple(y, "outputs")]
    rows = [_form(row, inputs) for row in table]
    return tuple(rows) if isinstance(y, tuple) else rows[0]


def _rows(output: Any, xs: tuple[Any, ...], create_graph: bool, strict: bool) -> list[Any]:
    """The Jacobian of one output by each input."""
    x = output.array
    rows = []
    for i in range(x.size):
        seed = np.zeros_like(x)
        seed.flat[i] = 1
        rows.append(_grads((output,), xs, (wrap(seed),), create_graph, strict))
    blocks = []
    for k, inp in enumerate(xs):
        shape = (*x.shape, *inp.array.shape)
        if not rows:
            blocks.append(wrap(np.zeros(shape, inp.array.dtype)))
        else:
            blocks.append(reshape(stack(*(r[k] for r in rows), axis=0), shape=shape))
    return blocks


def hessian(
    func: Callable[..., Any], inputs: Tensors, create_graph: bool = False, strict: bool = False, vectorize: bool = False
) -> Tensors:
    """∂²func/∂inputs², of a function with one scalar result: the Jacobian of the gradient.

    >>> import tinygrad_pt as torch
    >>> torch.autograd.functional.hessian(lambda x: (x**3).sum(), torch.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """

    def gradient(*xs: Any) -> Any:
        y = func(*xs)
        if not isinstance(y, Handle) or y.array.size != 1:
            raise RuntimeError("The Tensor returned by the function given to hessian should contain a single element")
        found = _grads((y,), xs, (wrap(np.ones_like(y.array)),), True, strict)
        return found if isinstance(inputs, tuple) else found[0]

    return jacobian(gradient, inputs, create_graph, strict)


def vhp(
    func: Callable[..., Any], inputs: Tensors, v: Tensors = None, create_graph: bool = False, strict: bool = False
) -> Any:
    """(func(inputs), vᵀ·H)."""
    with enable_grad():
        xs = _inputs(inputs, create_graph)
        vs = _seeds(v, xs, "vhp")
        y = func(*xs)
        first = _grads((y,), xs, (wrap(np.ones_like(y.array)),), True, strict)
        found = _grads(first, xs, vs, create_graph, False)
    return _result(y, create_graph), _form(found, inputs)


def hvp(
    func: Callable[..., Any], inputs: Tensors, v: Tensors = None, create_graph: bool = False, strict: bool = False
) -> Any:
    """(func(inputs), H·v): the Hessian is symmetric, so this is `vhp`."""
    return vhp(func, inputs, v, create_graph, strict)


def _result(y: Tensors, create_graph: bool) -> Tensors:
    if create_graph:
        return y
    return tuple(t.detach() for t in y) if isinstance(y, tuple) else y.detach()
