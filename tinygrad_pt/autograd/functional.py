"""Derivatives of functions: vector-Jacobian and Jacobian-vector products, Jacobians, Hessians.

Each of these calls the function once, on tensors of its own, and reads the derivative off the graph by backward walks.
A result has the form of what it belongs to: a tensor for a tensor, a tuple for a tuple.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar, overload

import numpy as np

from tinygrad_pt import names, texts
from tinygrad_pt.autograd.engine import grad
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.graph import Leaf, Tensor
from tinygrad_pt.modes import enable_grad
from tinygrad_pt.ops import reshape, stack

Tensors = Tensor | tuple[Tensor, ...]
Blocks = Tensor | tuple[Tensors, ...]  # a Jacobian: per output, per input
X = TypeVar("X", Tensor, tuple[Tensor, ...])  # the inputs
Y = TypeVar("Y", Tensor, tuple[Tensor, ...])  # the outputs
E = TypeVar("E")


# ------------------------------------------------------------------------------------------ inputs and results
def _tuple(x: Tensors, what: str, name: str) -> tuple[Tensor, ...]:
    """One tensor or several, checked, as a tuple."""
    found = x if isinstance(x, tuple) else (x,)
    for i, t in enumerate(found):
        if not isinstance(t, Tensor):
            which = f"value at index {i}" if isinstance(x, tuple) else f"given {what}"
            raise refuse(TypeError, texts.NO_TENSORS.format(what, name, which, type(t)))
    return found


@overload
def _form(results: Sequence[E], like: Tensor) -> E: ...
@overload
def _form(results: Sequence[E], like: tuple[Tensor, ...]) -> tuple[E, ...]: ...
def _form(results: Sequence[E], like: Tensors) -> E | tuple[E, ...]:
    """A tuple of the results if `like` is a tuple, else the only one."""
    return tuple(results) if isinstance(like, tuple) else results[0]


def _leaf(t: Tensor) -> Tensor:
    """A leaf that requires grad and shares the memory of `t`."""
    if t.array.dtype.kind != "f":
        raise refuse(RuntimeError, texts.NO_FLOAT)
    x = wrap(t.array, None, t.version)
    x.node = Leaf(x)
    return x


def _inputs(inputs: Tensors, create_graph: bool, name: str) -> tuple[Tensor, ...]:
    """The tensors to call the function on: leaves, or, if the result is to be a graph, views of the user's tensors."""
    return tuple(
        reshape(t, shape=t.array.shape) if create_graph and t.node is not None else _leaf(t)
        for t in _tuple(inputs, "inputs", name)
    )


def _outputs(y: Tensors, strict: bool, name: str) -> tuple[Tensor, ...]:
    """The results of the function, checked, as a tuple; `strict` refuses those that do not require grad."""
    outputs = _tuple(y, "outputs of the user-provided function", name)
    for i, t in enumerate(outputs):
        if strict and t.node is None:
            raise refuse(RuntimeError, texts.NO_GRAPH.format(i), name, t)
    return outputs


def _scalar(y: Tensors, strict: bool, name: str) -> tuple[Tensor, Tensor]:
    """The result of a function that is to have a Hessian, and the seed of its gradient, 1."""
    _outputs(y, strict, name)
    if isinstance(y, tuple):
        raise refuse(RuntimeError, f"The function given to {name} should return a single Tensor", name, *y)
    if y.array.size != 1:
        text = f"The Tensor returned by the function given to {name} should contain a single element"
        raise refuse(RuntimeError, text, name, y, mend="reduce it, e.g. with sum()")
    return y, wrap(np.ones_like(y.array))


def _vector(v: Tensors | None, like: Tensors, name: str, whose: str) -> tuple[Tensor, ...]:
    """The factor of a product, of the form and the shapes of `like`; 1 if it is None and `like` is one number."""
    tensors = like if isinstance(like, tuple) else (like,)
    if v is None:
        if len(tensors) != 1 or tensors[0].array.size != 1:
            raise refuse(RuntimeError, texts.V_MISSING.format(whose), name, *tensors)
        return (wrap(np.ones_like(tensors[0].array)),)
    vs = _tuple(v, "v", name)
    if len(vs) != len(tensors):
        text = texts.V_LENGTH.format(len(tensors), len(vs)) if isinstance(like, tuple) else texts.V_SINGLE
        raise refuse(RuntimeError, text, name, *vs)
    for i, (a, b) in enumerate(zip(vs, tensors, strict=True)):
        if a.array.shape != b.array.shape:
            entry = f"Entry {i} in v" if isinstance(like, tuple) else "v"
            raise refuse(RuntimeError, texts.V_SIZE.format(entry, list(b.array.shape), list(a.array.shape)), name, a)
    return vs


def _result(y: Y, create_graph: bool) -> Y:
    """The results of the function as the user gets them: without their history, unless it is wanted."""
    if create_graph:
        return y
    return tuple(t.detach() for t in y) if isinstance(y, tuple) else y.detach()


def _grads(
    outputs: Sequence[Tensor], inputs: Sequence[Tensor], seeds: Sequence[Tensor], create_graph: bool, strict: bool,
    missing: str, constant: str,
) -> tuple[Tensor, ...]:  # fmt: skip
    """∂(Σ outputᵢ · seedᵢ)/∂input for each input; 0 where the outputs do not depend on it.

    `strict` refuses such an input with the text `missing`, and a gradient that is no graph, though it should be one,
    with the text `constant`.
    """
    pairs = [(o, s) for o, s in zip(outputs, seeds, strict=True) if o.node is not None]
    found: tuple[Tensor | None, ...] = (None,) * len(inputs)
    if pairs:
        outs, seeds = zip(*pairs, strict=True)
        found = grad(outs, inputs, seeds, retain_graph=True, create_graph=create_graph, allow_unused=True)
    for i, g in enumerate(found):
        if strict and (g is None or (create_graph and g.node is None)):
            raise refuse(RuntimeError, (missing if g is None else constant).format(i))
    return tuple(wrap(np.zeros_like(x.array)) if g is None else g for g, x in zip(found, inputs, strict=True))


# ------------------------------------------------------------------------------------------ products with the Jacobian
def vjp(
    func: Callable[..., Y], inputs: X, v: Tensors | None = None, create_graph: bool = False, strict: bool = False
) -> tuple[Y, X]:
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
        missing, constant = texts.INDEPENDENT.format("The output"), texts.CONSTANT.format("The jacobian")
        found = _grads(outputs, xs, vs, create_graph, strict, missing, constant)
    return _result(y, create_graph), _form(found, inputs)


def jvp(
    func: Callable[..., Y], inputs: X, v: Tensors | None = None, create_graph: bool = False, strict: bool = False
) -> tuple[Y, Y]:
    """(func(inputs), J·v): two backward walks. The first gives uᵀ·J, which is linear in u; its own vjp with v is J·v.

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
        products = _grads(
            outputs, xs, us, True, strict, texts.INDEPENDENT.format("The output"), texts.CONSTANT_GRADIENT
        )
        found = _grads(
            products, us, vs, create_graph, strict, texts.CONSTANT_ENTRY, texts.CONSTANT.format("The jacobian")
        )
    return _result(y, create_graph), _form(found, y)


# ------------------------------------------------------------------------------------------ the whole Jacobian
@overload
def jacobian(
    func: Callable[..., Y], inputs: Tensor, create_graph: bool = False, strict: bool = False,
    vectorize: bool = False, strategy: str = ...,
) -> Y: ...  # fmt: skip
@overload
def jacobian(
    func: Callable[..., Y], inputs: tuple[Tensor, ...], create_graph: bool = False, strict: bool = False,
    vectorize: bool = False, strategy: str = ...,
) -> tuple[Y, ...]: ...  # fmt: skip
def jacobian(
    func: Callable[..., Tensors], inputs: Tensors, create_graph: bool = False, strict: bool = False,
    vectorize: bool = False, strategy: str = "reverse-mode",
) -> Blocks:  # fmt: skip
    """∂func/∂inputs, of shape output.shape + input.shape; nested tuples for several outputs or inputs.

    One backward walk per output element. `vectorize` and `strategy` are accepted; the results are the same.

    >>> import tinygrad_pt as torch
    >>> torch.autograd.functional.jacobian(lambda x: x**2, torch.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    _check_strategy(strategy, texts.STRATEGY + texts.STRATEGY_HINT, create_graph, strict, vectorize)
    return _jacobian(func, inputs, create_graph, strict)


def _check_strategy(strategy: str, text: str, create_graph: bool, strict: bool, vectorize: bool) -> None:
    """Raise PyTorch's error about options that do not go together."""
    if strategy not in ("forward-mode", "reverse-mode"):
        raise refuse(AssertionError, text)
    if strategy == "forward-mode":
        if create_graph:
            raise refuse(NotImplementedError, texts.FORWARD_MODE.format("create_graph"))
        if strict:
            raise refuse(RuntimeError, texts.FORWARD_MODE.format("strict"))
        if not vectorize:
            raise refuse(NotImplementedError, texts.FORWARD_VECTORIZED)
    elif strict and vectorize:
        raise refuse(RuntimeError, texts.STRICT_VECTORIZED)


def _jacobian(func: Callable[..., Tensors], inputs: Tensors, create_graph: bool, strict: bool) -> Blocks:
    """`jacobian`, for a function of which the checker knows no more than that it answers with tensors."""
    with enable_grad():
        xs = _inputs(inputs, create_graph, "jacobian")
        y = func(*xs)
        outputs = _outputs(y, strict, "jacobian")
        blocks = [
            _blocks(o, xs, create_graph, strict, texts.INDEPENDENT.format(f"Output {i}")) for i, o in enumerate(outputs)
        ]
    return _form([_form(row, inputs) for row in blocks], y)


def _blocks(output: Tensor, xs: tuple[Tensor, ...], create_graph: bool, strict: bool, missing: str) -> list[Tensor]:
    """The Jacobian of one output by each input, row by row."""
    x, constant = output.array, texts.CONSTANT.format("The jacobian")
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


# ------------------------------------------------------------------------------------------ second derivatives
@overload
def hessian(
    func: Callable[..., Tensor], inputs: Tensor, create_graph: bool = False, strict: bool = False,
    vectorize: bool = False, outer_jacobian_strategy: str = ...,
) -> Tensor: ...  # fmt: skip
@overload
def hessian(
    func: Callable[..., Tensor], inputs: tuple[Tensor, ...], create_graph: bool = False, strict: bool = False,
    vectorize: bool = False, outer_jacobian_strategy: str = ...,
) -> tuple[tuple[Tensor, ...], ...]: ...  # fmt: skip
def hessian(
    func: Callable[..., Tensor], inputs: Tensors, create_graph: bool = False, strict: bool = False,
    vectorize: bool = False, outer_jacobian_strategy: str = "reverse-mode",
) -> Blocks:  # fmt: skip
    """∂²func/∂inputs², of a function with one scalar result: the Jacobian of the gradient.

    >>> import tinygrad_pt as torch
    >>> torch.autograd.functional.hessian(lambda x: (x**3).sum(), torch.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """

    def gradient(*xs: Tensor) -> Tensors:
        y, one = _scalar(func(*xs), strict, "hessian")
        return _form(_grads((y,), xs, (one,), True, strict, texts.LINEAR, texts.LINEAR), inputs)

    _tuple(inputs, "inputs", "hessian")
    _check_strategy(outer_jacobian_strategy, texts.STRATEGY, create_graph, strict, vectorize)
    return _jacobian(gradient, inputs, create_graph, strict)


def vhp(
    func: Callable[..., Tensor], inputs: X, v: Tensors | None = None, create_graph: bool = False, strict: bool = False
) -> tuple[Tensor, X]:
    """(func(inputs), vᵀ·H) of a function with one scalar result: the vjp of its gradient."""
    return _product(func, inputs, v, create_graph, strict, "vhp", texts.INDEPENDENT.format("The jacobian"))


def hvp(
    func: Callable[..., Tensor], inputs: X, v: Tensors | None = None, create_graph: bool = False, strict: bool = False
) -> tuple[Tensor, X]:
    """(func(inputs), H·v): the Hessian is symmetric, so this is `vhp`."""
    return _product(func, inputs, v, create_graph, strict, "hvp", texts.CONSTANT_HESSIAN)


def _product(
    func: Callable[..., Tensor], inputs: X, v: Tensors | None, create_graph: bool, strict: bool, name: str, missing: str
) -> tuple[Tensor, X]:
    """(func(inputs), vᵀ·H): the gradient, and a second walk from it with the seed v."""
    with enable_grad():
        xs = _inputs(inputs, create_graph, name)
        vs = _vector(v, inputs, name, "the input to the user-provided function is")
        y, one = _scalar(func(*xs), strict, name)
        first = _grads((y,), xs, (one,), True, strict, texts.INDEPENDENT.format("The output"), texts.LINEAR)
        found = _grads(first, xs, vs, create_graph, strict, missing, texts.CONSTANT.format("The hessian"))
    return _result(y, create_graph), _form(found, inputs)


if not TYPE_CHECKING:  # a name that is not here says so
    __getattr__ = names.namespace("autograd.functional")
