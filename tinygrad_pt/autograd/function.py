"""Operations that the user writes: a forward and a backward on tensors, recorded as one vertex.

`Function.apply` calls `forward` without recording its ops and makes one vertex for the whole. The rules of that vertex
call the user's `backward`, so to the walk it is an op like any other.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from tinygrad_pt import texts
from tinygrad_pt.autograd.hooks import Gradient
from tinygrad_pt.autograd.saved import mutated_text
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.graph import OPS, Array, Constant, Node, Op, Rule, Tensor, pick
from tinygrad_pt.listening import announce
from tinygrad_pt.modes import current, enable_grad, no_grad

Saved = tuple[
    Array, Node | int | None, list[int], int
]  # array; vertex, or number of an output; version now; version then


# ------------------------------------------------------------------------------------------ what the user sees
class FunctionCtx:
    """The context of one application: `forward` leaves in it what `backward` needs, as attributes or saved tensors."""

    def __init__(self, needs: tuple[bool, ...]) -> None:
        self.needs_input_grad = needs  # one per argument of forward
        self.materialize = True
        self._saved: list[Saved | None] = []
        self._plain: set[int] = set()  # the ids of the outputs that are not differentiable
        self._master: weakref.ref[Node] | None = None  # the vertex
        self._results: tuple[object, tuple[Tensor | None, ...]] | None = None  # an incoming gradient, backward's answer
        self._outputs: list[tuple[tuple[int, ...], np.dtype[Any]] | None] = []  # the shape and dtype of each

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep tensors (or None) for backward, which raises an error if one of them has changed in place by then."""
        self._saved = [t if t is None else (t.array, t.node, t.version, t.version[0]) for t in tensors]

    @property
    def saved_tensors(self) -> tuple[Tensor, ...]:
        """The tensors that `save_for_backward` has kept, and None where it was given None."""
        found: list[Any] = []
        for entry in self._saved:
            if entry is None:
                found.append(None)
                continue
            array, node, version, expected = entry
            if version[0] != expected:
                raise refuse(RuntimeError, mutated_text(array, None, version[0], expected), mend="save a clone() of it")
            found.append(wrap(array, self._own(node, array) if isinstance(node, int) else node, version))
        return tuple(found)

    def _own(self, part: int, array: Array) -> Node | None:
        """The vertex of an output that the Function itself has saved."""
        master = self._master() if self._master is not None else None
        if master is None or master.note("shapes") is None:
            return master
        return pick(master, part, array)

    def mark_non_differentiable(self, *outputs: Tensor) -> None:
        """Let these outputs have requires_grad=False."""
        self._plain = {id(t) for t in outputs}

    def set_materialize_grads(self, value: bool) -> None:
        """Let missing gradients arrive in backward as zeros (True, the default) or as None (False)."""
        self.materialize = value

    def mark_dirty(self, *tensors: Tensor) -> NoReturn:
        """Raise an error: a Function must not write its inputs in place, but return a new tensor."""
        raise refuse(
            RuntimeError,
            "mark_dirty: a Function here may not change its inputs in place",
            mend="compute on a clone() and return that",
        )


class Function:
    """Base of operations with a derivative of their own.

    A subclass defines the static methods `forward(ctx, *args)` (or `forward(*args)` and `setup_context(ctx, inputs,
    output)`) and `backward(ctx, *grad_outputs)`. `backward` returns, for each argument of `forward`, a gradient of its
    shape, or None. `apply` calls the operation. If `backward` uses differentiable operations, its result can be
    differentiated again.

    >>> import tinygrad_pt as torch
    >>> class Cube(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x**3
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         (x,) = ctx.saved_tensors
    ...         return g * 3 * x**2
    >>> x = torch.tensor(2.0, requires_grad=True)
    >>> y = Cube.apply(x); y
    tensor(8., grad_fn=<CubeBackward>)
    >>> y.backward(); x.grad
    tensor(12.)
    """

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Compute the value."""
        raise refuse(NotImplementedError, texts.NO_FORWARD)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Keep in `ctx` what backward needs, for a `forward` that takes no `ctx`."""
        raise refuse(NotImplementedError, "setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Compute the gradients of the arguments."""
        raise refuse(NotImplementedError, texts.NO_BACKWARD)

    vjp = backward

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise refuse(RuntimeError, texts.LEGACY)

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Call forward, and record the result if an argument requires grad."""
        wanting = tuple(isinstance(a, Tensor) and a.node is not None for a in args)
        ctx = FunctionCtx(wanting)
        with no_grad():
            if cls.setup_context is not Function.setup_context:
                output = cls.forward(*args, **kwargs)
                cls.setup_context(ctx, args, output)
            else:
                output = cls.forward(ctx, *args, **kwargs)
        if not any(wanting) or not current().grad:
            return output
        return _recorded(cls, ctx, args, kwargs, output)


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator of a `backward` whose result is not to be differentiated again."""

    def guarded(ctx: FunctionCtx, *grads: Tensor | None) -> object:
        with no_grad():
            return backward(ctx, *grads)

    return guarded


# ------------------------------------------------------------------------------------------ the vertex
def _recorded(
    cls: type[Function], ctx: FunctionCtx, args: tuple[Any, ...], kwargs: dict[str, Any], output: object
) -> object:
    """The output of `forward`, with the vertex of this application."""
    outputs = output if isinstance(output, tuple) else (output,)
    results = [  # where forward returns an argument itself, the result is another tensor with the same memory
        wrap(t.array, None, t.version) if isinstance(t, Tensor) and any(t is a for a in args) else t for t in outputs
    ]
    last = {id(t): i for i, t in enumerate(results)}  # a tensor returned twice has its gradient at the last place
    smooth = [
        t for t, o in zip(results, outputs, strict=True)
        if isinstance(t, Tensor) and id(o) not in ctx._plain and t.array.dtype.kind == "f"
    ]  # fmt: skip
    if smooth:
        tensors = tuple(a for a in args if isinstance(a, Tensor))
        attrs: dict[str, Any] = {
            "ctx": ctx, "places": [i for i, a in enumerate(args) if isinstance(a, Tensor)], "count": len(args),
        }  # fmt: skip
        _number_outputs(ctx, smooth)
        first = smooth[0]
        node = _vertex(cls, tensors, attrs, first.array)
        ctx._master = weakref.ref(node)  # weak, because the vertex holds ctx
        if isinstance(output, tuple):
            part = {last[id(t)]: i for i, t in enumerate(smooth)}
            attrs["outputs"] = [part.get(i) for i in range(len(results))]
            ctx._outputs = [(t.array.shape, t.array.dtype) if isinstance(t, Tensor) else None for t in results]
            node.set_note("shapes", tuple(t.array.shape for t in smooth))
            node.set_note("dtypes", tuple(t.array.dtype for t in smooth))
            for i, t in enumerate(smooth):
                t.node = pick(node, i, t.array)
        else:
            first.node = node
        if current().listeners:
            places = attrs["places"]

            def again(*given: Tensor) -> object:
                """Apply the Function anew, to other tensors in the places of the first ones."""
                return cls.apply(*(given[places.index(i)] if i in places else a for i, a in enumerate(args)), **kwargs)

            announce(node.op, tensors, attrs | {"again": again}, first)
    return tuple(results) if isinstance(output, tuple) else results[0]


def _number_outputs(ctx: FunctionCtx, smooth: list[Tensor]) -> None:
    """Note the numbers of those outputs that the Function has saved, because they have no vertex yet."""
    number = {id(t.array): i for i, t in enumerate(smooth)}
    ctx._saved = [(e[0], number.get(id(e[0]), e[1]), *e[2:]) if e is not None else e for e in ctx._saved]


def _vertex(cls: type[Function], tensors: tuple[Tensor, ...], attrs: dict[str, Any], y: Array) -> Node:
    """The vertex of one application; it saves no values, because `ctx` has those that backward needs."""
    parents = tuple(Constant(t) if t.node is None else t.node for t in tensors)
    return Node(_op(cls), parents, (None, *parents), attrs, (), y.shape, y.dtype, current().scope)


_ops: dict[type[Function], Op] = {}


def _op(cls: type[Function]) -> Op:
    """The op of a Function class."""
    op = _ops.get(cls)
    if op is None:

        def rules(slot: int) -> Rule:
            return lambda g, y, *args, ctx, places, count, outputs=None: _gradient(
                cls, ctx, g, places[slot], count, outputs, args[slot]
            )

        name = f"{cls.__module__}.{cls.__qualname__}"
        op = _ops[cls] = Op(name, cls.forward, rules, label=f"{cls.__name__}Backward")
    return op


# ------------------------------------------------------------------------------------------ the rules
def _gradient(
    cls: type[Function], ctx: FunctionCtx, g: Gradient | list[Gradient | None], place: int, count: int,
    outputs: list[int | None] | None, like: Node | Constant,
) -> Gradient:  # fmt: skip
    """The gradient of the argument at a place; the first argument calls backward, the others find its answer."""
    if ctx._results is None or ctx._results[0] is not g:
        ctx._results = (g, _backward(cls, ctx, g, count, outputs))
    r = ctx._results[1][place]
    if r is None:
        return np.zeros(like.shape, like.dtype) if not _recording(g) else wrap(np.zeros(like.shape, like.dtype))
    if not isinstance(r, Tensor):
        text = f"{cls.__name__}.backward returned a {type(r).__name__}; a gradient is a Tensor or None"
        raise refuse(TypeError, text, cls.__name__, *ctx._results[1])
    if not _recording(g):
        return np.array(r.array, like.dtype)
    return r if r.array.dtype == like.dtype else OPS["cast"](r, dtype=like.dtype)


def _recording(g: Gradient | list[Gradient | None]) -> bool:
    """Whether the gradient is to be a graph."""
    return any(isinstance(part, Tensor) for part in g) if isinstance(g, list) else isinstance(g, Tensor)


def _backward(
    cls: type[Function], ctx: FunctionCtx, g: Gradient | list[Gradient | None], count: int,
    outputs: list[int | None] | None,
) -> tuple[Tensor | None, ...]:  # fmt: skip
    """What the user's backward answers to g, one gradient per argument of forward."""
    parts = g if isinstance(g, list) else [g]
    gs = [p if p is None or isinstance(p, Tensor) else wrap(p) for p in parts]
    if outputs is not None:  # forward returned a tuple: one gradient for each of its elements
        missing = [wrap(np.zeros(*o)) if o is not None and ctx.materialize else None for o in ctx._outputs]
        gs = [none if i is None else gs[i] for i, none in zip(outputs, missing, strict=True)]
    backward = cls.backward if cls.backward is not Function.backward else cls.vjp
    with enable_grad() if _recording(g) else no_grad():
        found = backward(ctx, *gs)
    found = found if isinstance(found, tuple) else (found,)
    while len(found) > count and found[-1] is None:
        found = found[:-1]
    if len(found) != count:
        text = texts.WRONG_COUNT.format(cls.__name__, count, len(found))
        raise refuse(RuntimeError, text, cls.__name__, mend="return one gradient, or None, per argument of forward")
    return found
