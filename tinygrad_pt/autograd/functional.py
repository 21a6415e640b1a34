"""Derivatives of functions: vector-Jacobian and Jacobian-vector products, Jacobians, Hessians."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from tinygrad_pt.autograd.engine import grad
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.graph import Handle, Leaf
from tinygrad_pt.modes import enable_grad
from tinygrad_pt.ops import reshape, stack

if TYPE_CHECKING:
    from tinygrad_pt.tensor import Tensor

Tensors = Any  # a tensor, or a tuple of them; results have the form of what was given

# What `strict` refuses, in PyTorch's words; {} is the number of an output or an input.
OUTPUT = (
    "Output {} of the user-provided function does not require gradients. The outputs must be computed in a "
    "differentiable manner from the input when running in strict mode."
)
MISSING = "{} of the user-provided function is independent of input {{}}. This is not allowed in strict mode."
CONSTANT = MISSING[:-1] + " when create_graph=True."
GRADIENT = (
    "The gradient with respect to input {} is independent of the inputs of the user-provided function. This is not "
    "allowed in strict mode."
)
ENTRY = (
    "The gradient with respect to the input is independent of entry {} in the grad_outputs when using the double "
    "backward trick to compute forward mode gradients. This is not allowed in strict mode."
)
HESSIAN = (
    "The hessian of the user-provided function is independent of entry {} in the grad_jacobian. This is not allowed in "
    "strict mode as it prevents from using the double backward trick to replace forward mode AD."
)
LINEAR = (
    "While computing the hessian, found that the jacobian of the user-provided function with respect to input {} is "
    "independent of the input. This is not allowed in strict mode. You should ensure that your function is twice "
    "differentiable and that the jacobian depends on the inputs (this would be violated by a linear function for "
    "example)."
)


def _tuple(x: Tensors, what: str, name: str) -> tuple[Any, ...]:
    found = x if isinstance(x, tuple) else (x,)
    for i, t in enumerate(found):
        if not isinstance(t, Handle):
            which = f"value at index {i}" if isinstance(x, tuple) else f"given {what}"
            raise TypeError(
                f"The {what} given to {name} must be either a Tensor or a tuple of Tensors but the {which} has type "
                f"{type(t)}."
            )
    return found


def _inputs(inputs: Tensors, create_graph: bool, name: str) -> tuple[Any, ...]:
    """Inputs as tensors to differentiate by: views of the user's own if the result is to be a graph."""
    return tuple(
        reshape(t, shape=t.array.shape) if create_graph and t.node is not None else _leaf(t)
        for t in _tuple(inputs, "inputs", name)
    )


def _leaf(t: Any) -> Any:
    if t.array.dtype.kind != "f":
        raise refuse(RuntimeError, "only Tensors of floating point dtype can require gradients")
    x = wrap(t.array, None, t.version)
    x.node = Leaf(x)
    return x


def _outputs(y: Tensors, strict: bool, name: str) -> tuple[Any, ...]:
    outputs = _tuple(y, "outputs of the user-provided function", name)
    for i, t in enumerate(outputs):
        if strict and t.node is None:
            raise RuntimeError(OUTPUT.format(i))
    return outputs


def _number(y: Tensors, strict: bool, name: str) -> Any:
    """The result of a function that is to have a Hessian, and the seed of its gradient."""
    _outputs(y, strict, name)
    if isinstance(y, tuple):
        raise RuntimeError(f"The function given to {name} should return a single Tensor")
    if y.array.size != 1:
        raise RuntimeError(f"The Tensor returned by the function given to {name} should contain a single element")
    return y, wrap(np.ones_like(y.array))


def _form(results: Any, like: Tensors) -> Tensors:
    return tuple(results) if isinstance(like, tuple) else results[0]


def _grads(
    outputs: Any, inputs: Any, seeds: Any, create_graph: bool, strict: bool, missing: str, constant: str
) -> tuple[Any, ...]:
    """Gradients of the outputs that can have any; zeros, or in strict mode an error, for what does not depend."""
    pairs = [(o, s) for o, s in zip(outputs, seeds, strict=True) if o.node is not None]
    found: tuple[Any, ...] = (None,) * len(inputs)
    if pairs:
        outs, seeds = zip(*pairs, strict=True)
        found = grad(outs, inputs, seeds, retain_graph=True, create_graph=create_graph, allow_unused=True)
    for i, g in enumerate(found):
        if strict and (g is None or (create_graph and g.node is None)):
            raise RuntimeError((missing if g is None else constant).format(i))
    return tuple(wrap(np.zeros_like(x.array)) if g is None else g for g, x in zip(found, inputs, strict=True))


def _vector(v: Tensors, like: Tensors, name: str, whose: str) -> tuple[Any, ...]:
    """What the derivative is multiplied by: of the form and the shapes of `like`; 1 where that is one number."""
    tensors = like if isinstance(like, tuple) else (like,)
    if v is None:
        if len(tensors) != 1 or tensors[0].array.size != 1:
            raise RuntimeError(f"The vector v can only be None if {whose} a single Tensor with a single element.")
        return (wrap(np.ones_like(tensors[0].array)),)
    vs = _tuple(v, "v", name)
    if len(vs) != len(tensors):
        if not isinstance(like, tuple):
            raise RuntimeError("The given v should contain a single Tensor.")
        raise RuntimeError(f"v is a tuple of invalid length: should be {len(tensors)} but got {len(vs)}.")
    for i, (a, b) in enumerate(zip(vs, tensors, strict=True)):
        if a.array.shape != b.array.shape:
            entry = f"Entry {i} in v" if isinstance(like, tuple) else "v"
            raise RuntimeError(
                f"{entry} has invalid size: should be torch.Size({list(b.array.shape)}) but got "
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
        xs = _inputs(inputs, create_graph, "vjp")
        y = func(*xs)
        outputs = _outputs(y, strict, "vjp")
        vs = _vector(v, y, "vjp", "the user-provided function returns")
        missing, constant = MISSING.format("The output"), CONSTANT.format("The jacobian")
        found = _grads(outputs, xs, vs, create_graph, strict, missing, constant)
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
        xs = _inputs(inputs, create_graph, "jvp")
        vs = _vector(v, inputs, "jvp", "the input to the user-provided function is")
        y = func(*xs)
        outputs = _outputs(y, strict, "jvp")
        us = tuple(_leaf(wrap(np.zeros_like(o.array))) for o in outputs)
        products = _grads(outputs, xs, us, True, strict, MISSING.format("The output"), GRADIENT)
        found = _grads(products, us, vs, create_graph, strict, ENTRY, CONSTANT.format("The jacobian"))
    return _result(y, create_graph), _form(found, y)


@overload
def jacobian(
    func: Callable[..., Tensor], inputs: Tensor, create_graph: bool = ..., strict: bool = ..., vectorize: bool = ...
) -> Tensor: ...
@overload
def jacobian(
    func: Callable[..., Any], inputs: Tensors, create_graph: bool = ..., strict: bool = ..., vectorize: bool = ...
) -> Tensors: ...
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
        xs = _inputs(inputs, create_graph, "jacobian")
        y = func(*xs)
        outputs = _outputs(y, strict, "jacobian")
        table = [_rows(o, xs, create_graph, strict, MISSING.format(f"Output {i}")) for i, o in enumerate(outputs)]
    return _form([_form(row, inputs) for row in table], y)


def _rows(output: Any, xs: tuple[Any, ...], create_graph: bool, strict: bool, missing: str) -> list[Any]:
    """The Jacobian of one output by each input."""
    x, constant = output.array, CONSTANT.format("The jacobian")
    rows = []
    for i in range(x.size):
        seed = np.zeros_like(x)
        seed.flat[i] = 1
        rows.append(_grads((output,), xs, (wrap(seed),), create_graph, strict, missing, constant))
    blocks = []
    for k, inp in enumerate(xs):
        shape = (*x.shape, *inp.array.shape)
        if not rows:
            blocks.append(wrap(np.zeros(shape, inp.array.dtype)))
        else:
            blocks.append(reshape(stack(*(r[k] for r in rows), axis=0), shape=shape))
    return blocks


@overload
def hessian(
    func: Callable[..., Tensor], inputs: Tensor, create_graph: bool = ..., strict: bool = ..., vectorize: bool = ...
) -> Tensor: ...
@overload
def hessian(
    func: Callable[..., Any], inputs: Tensors, create_graph: bool = ..., strict: bool = ..., vectorize: bool = ...
) -> Tensors: ...
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
        y, one = _number(func(*xs), strict, "hessian")
        return _form(_grads((y,), xs, (one,), True, strict, LINEAR, LINEAR), inputs)

    _tuple(inputs, "inputs", "hessian")
    return jacobian(gradient, inputs, create_graph, strict)


def vhp(
    func: Callable[..., Any], inputs: Tensors, v: Tensors = None, create_graph: bool = False, strict: bool = False
) -> tuple[Tensors, Tensors]:
    """(func(inputs), vᵀ·H) of a function with one scalar result: the vjp of its gradient."""
    return _product(func, inputs, v, create_graph, strict, "vhp", MISSING.format("The jacobian"))


def hvp(
    func: Callable[..., Any], inputs: Tensors, v: Tensors = None, create_graph: bool = False, strict: bool = False
) -> tuple[Tensors, Tensors]:
    """(func(inputs), H·v): the Hessian is symmetric, so this is `vhp`."""
    return _product(func, inputs, v, create_graph, strict, "hvp", HESSIAN)


def _product(
    func: Callable[..., Any], inputs: Tensors, v: Tensors, create_graph: bool, strict: bool, name: str, missing: str
) -> tuple[Tensors, Tensors]:
    with enable_grad():
        xs = _inputs(inputs, create_graph, name)
        vs = _vector(v, inputs, name, "the input to the user-provided function is")
        y, one = _number(func(*xs), strict, name)
        first = _grads((y,), xs, (one,), True, strict, MISSING.format("The output"), LINEAR)
        found = _grads(first, xs, vs, create_graph, strict, missing, CONSTANT.format("The hessian"))
    return _result(y, create_graph), _form(found, inputs)


def _result(y: Tensors, create_graph: bool) -> Tensors:
    if create_graph:
        return y
    return tuple(t.detach() for t in y) if isinstance(y, tuple) else y.detach()
