"""Operations the user writes: a forward and a backward on tensors, recorded as one vertex."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from tinygrad_pt.autograd.saved import mutated_text
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.graph import OPS, Constant, Handle, Node, Op, pick
from tinygrad_pt.modes import current, enable_grad, no_grad
from tinygrad_pt.texts import SECOND


class FunctionCtx:
    """What `forward` leaves for `backward`; attributes may be added at will."""

    def __init__(self, needs: tuple[bool, ...]) -> None:
        self.needs_input_grad = needs
        self.materialize = True
        self._saved: list[Any] | None = []
        self._plain: set[int] = set()
        self._master: weakref.ref[Node] | None = None
        self._results: tuple[Any, Any] | None = None
        self._outputs: list[Any] = []  # the shape and dtype of each

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors (or None) for backward; a change of one in place is then an error."""
        self._saved = [t if t is None else (t.array, t.node, t.version, t.version[0]) for t in tensors]

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What `save_for_backward` kept."""
        if self._saved is None:
            raise refuse(RuntimeError, SECOND)
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

    def _own(self, part: int, array: Any) -> Node | None:
        """The vertex of an output of this Function, saved by the Function itself."""
        master = self._master() if self._master is not None else None
        if master is None or master.note("shapes") is None:
            return master
        return pick(master, part, array)

    def mark_non_differentiable(self, *outputs: Any) -> None:
        """These outputs are to have requires_grad=False."""
        self._plain = {id(t) for t in outputs}

    def set_materialize_grads(self, value: bool) -> None:
        """Whether missing gradients arrive in backward as zeros (the default) or as None."""
        self.materialize = value

    def mark_dirty(self, *tensors: Any) -> None:
        """In-place Functions are not supported: return a new tensor instead."""
        raise refuse(
            RuntimeError,
            "mark_dirty: a Function here may not change its inputs in place",
            mend="compute on a clone() and return that",
        )


class Function:
    """Base of operations with a derivative of their own.

    Subclass it with static methods `forward(ctx, *args)` (or `forward(*args)` and `setup_context(ctx, inputs,
    output)`) and `backward(ctx, *grad_outputs)`, which returns one gradient, of the argument's shape, or None per
    argument of forward. Then call `apply`. If backward is written in differentiable operations, so is its result.

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
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Compute the gradients of the arguments."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom autograd.Function to use it with "
            "backward mode AD."
        )

    vjp = backward

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(
            "Legacy autograd function with non-static forward method is deprecated. Please use new-style autograd "
            "function with static forward method. (Example: "
            "https://pytorch.org/docs/stable/autograd.html#torch.autograd.Function)"
        )

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run forward and record the result."""
        wanting = tuple(isinstance(a, Handle) and a.node is not None for a in args)
        ctx = FunctionCtx(wanting)
        with no_grad():
            if "setup_context" in {name for c in cls.__mro__ for name in vars(c)}:
                output = cls.forward(*args, **kwargs)
                cls.setup_context(ctx, args, output)  # type: ignore[attr-defined]
            else:
                output = cls.forward(ctx, *args, **kwargs)
        if not any(wanting) or not current().grad:
            return output
        return _recorded(cls, ctx, args, kwargs, output)


def _recorded(cls: type[Function], ctx: FunctionCtx, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> Any:
    """Hang the outputs of a Function on a vertex whose rules call its backward."""
    outputs = output if isinstance(output, tuple) else (output,)
    results = [  # an argument handed back is a view of it
        wrap(t.array, None, t.version) if isinstance(t, Handle) and any(t is a for a in args) else t for t in outputs
    ]
    last = {id(t): i for i, t in enumerate(results)}  # what is returned twice has its gradient at the last place
    smooth = [
        t for t, o in zip(results, outputs, strict=True)
        if isinstance(t, Handle) and id(o) not in ctx._plain and t.array.dtype.kind == "f"
    ]  # fmt: skip
    if smooth:
        tensors = tuple(a for a in args if isinstance(a, Handle))
        attrs: dict[str, Any] = {
            "ctx": ctx, "places": [i for i, a in enumerate(args) if isinstance(a, Handle)], "count": len(args),
        }  # fmt: skip
        _own_outputs(ctx, smooth)
        first = smooth[0]
        node = _vertex(cls, tensors, attrs, first.array)
        ctx._master = weakref.ref(node)  # weak: the vertex holds ctx
        if isinstance(output, tuple):
            part = {last[id(t)]: i for i, t in enumerate(smooth)}
            attrs["outputs"] = [part.get(i) for i in range(len(results))]
            ctx._outputs = [(t.array.shape, t.array.dtype) if isinstance(t, Handle) else None for t in results]
            node.set_note("shapes", tuple(t.array.shape for t in smooth))
            node.set_note("dtypes", tuple(t.array.dtype for t in smooth))
            for i, t in enumerate(smooth):
                t.node = pick(node, i, t.array)
        else:
            first.node = node
        listeners = current().listeners
        if listeners:
            places = attrs["places"]

            def again(*given: Any) -> Any:
                """Apply the Function anew, other tensors in the places of those it was given."""
                return cls.apply(*(given[places.index(i)] if i in places else a for i, a in enumerate(args)), **kwargs)

            for listener in listeners:
                listener.applied(node.op, tensors, attrs | {"again": again}, first)
    return tuple(results) if isinstance(output, tuple) else results[0]


def _vertex(cls: type[Function], tensors: tuple[Any, ...], attrs: dict[str, Any], y: Any) -> Node:
    """The vertex of an application; it keeps no values, for what backward needs is in ctx."""
    parents = tuple(Constant(t) if t.node is None else t.node for t in tensors)
    return Node(_op(cls), parents, (None, *parents), attrs, (), y.shape, y.dtype, current().scope)


def _own_outputs(ctx: FunctionCtx, smooth: list[Any]) -> None:
    """Among what is saved, replace the vertex of an output, which does not exist yet, by the output's number."""
    number = {id(t.array): i for i, t in enumerate(smooth)}
    ctx._saved = [
        (e[0], number[id(e[0])], *e[2:]) if e is not None and id(e[0]) in number else e for e in ctx._saved or ()
    ]


_ops: dict[type, Op] = {}


def _op(cls: type[Function]) -> Op:
    """The op of a Function class: its rules call `backward` once and hand out the results."""
    op = _ops.get(cls)
    if op is None:

        def rules(slot: int) -> Any:
            return lambda g, y, *args, ctx, places, count, outputs=None: _gradient(
                cls, ctx, g, places[slot], count, outputs, args[slot]
            )

        name = f"{cls.__module__}.{cls.__qualname__}"
        op = _ops[cls] = Op(name, cls.forward, rules, label=f"{cls.__name__}Backward")
    return op


def _gradient(cls: type, ctx: FunctionCtx, g: Any, place: int, count: int, outputs: Any, like: Any) -> Any:
    """The gradient of one argument; backward itself runs once per incoming gradient."""
    if ctx._results is None or ctx._results[0] is not g:
        ctx._results = (g, _backward(cls, ctx, g, count, outputs))
    r = ctx._results[1][place]
    if r is None:
        return np.zeros(like.shape, like.dtype) if not _recording(g) else wrap(np.zeros(like.shape, like.dtype))
    if not isinstance(r, Handle):
        raise TypeError(f"{cls.__name__}.backward returned a {type(r).__name__}; a gradient is a Tensor or None")
    if not _recording(g):
        return np.array(r.array, like.dtype)
    return r if r.array.dtype == like.dtype else OPS["cast"](r, dtype=like.dtype)


def _recording(g: Any) -> bool:
    return any(isinstance(part, Handle) for part in g) if isinstance(g, list) else isinstance(g, Handle)


def _backward(cls: Any, ctx: FunctionCtx, g: Any, count: int, outputs: Any) -> tuple[Any, ...]:
    parts = g if isinstance(g, list) else [g]
    gs = [p if p is None or isinstance(p, Handle) else wrap(p) for p in parts]
    if outputs is not None:
        missing = [wrap(np.zeros(*o)) if o is not None and ctx.materialize else None for o in ctx._outputs]
        gs = [none if i is None else gs[i] for i, none in zip(outputs, missing, strict=True)]
    backward = cls.backward if cls.backward is not Function.backward else cls.vjp
    with enable_grad() if _recording(g) else no_grad():
        found = backward(ctx, *gs)
    found = found if isinstance(found, tuple) else (found,)
    while len(found) > count and found[-1] is None:
        found = found[:-1]
    if len(found) != count:
        raise refuse(
            RuntimeError,
            f"function {cls.__name__}Backward returned an incorrect number of gradients (expected {count}, "
            f"got {len(found)})",
            cls.__name__,
            mend="return one gradient, or None, per argument of forward",
        )
    return found


def once_differentiable(backward: Any) -> Any:
    """Decorator of a `backward` that may not be differentiated again."""

    def guarded(ctx: Any, *grads: Any) -> Any:
        with no_grad():
            return backward(ctx, *grads)

    return guarded
