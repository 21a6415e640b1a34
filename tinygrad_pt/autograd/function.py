"""Operations that the user writes: a forward and a backward on tensors, recorded as one vertex.

`Function.apply` calls `forward` without recording its ops and makes one vertex for the whole. The rules of that vertex
call the user's `backward`, so to the walk it is an op like any other.
"""

from __future__ import annotations

import functools
import inspect
import warnings
import weakref
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from tinygrad_pt import texts
from tinygrad_pt.autograd.depth import deeper
from tinygrad_pt.autograd.hooks import Gradient, NoGradient
from tinygrad_pt.autograd.saved import mutated_text
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.graph import OPS, Array, Constant, FunctionNode, Leaf, Node, Op, Rule, Tensor, pick
from tinygrad_pt.inplace import touched, write
from tinygrad_pt.listening import announce
from tinygrad_pt.modes import current, enable_grad, no_grad
from tinygrad_pt.ops import sum_to
from tinygrad_pt.views import attach

Saved = tuple[Array, Node | int | None, list[int], int] | None
# array; vertex, or number of an output; version; number that stood in it


# ------------------------------------------------------------------------------------------ what the user sees
class FunctionCtx:
    """The context of one application: `forward` leaves in it what `backward` needs, as attributes or saved tensors."""

    def __init__(self, needs: tuple[bool, ...]) -> None:
        self.needs_input_grad = needs  # one per argument of forward
        self.materialize = True
        self._given: tuple[Tensor | None, ...] = ()  # what save_for_backward was given, until the vertex is made
        self._plain: tuple[Tensor, ...] = ()  # the outputs that are not differentiable
        self._dirty: tuple[Tensor, ...] = ()  # the inputs that forward has changed in place
        self._count = 0  # of the saved tensors; the vertex holds them, so that a walk can free them
        self._master: weakref.ref[Node] | None = None  # the vertex
        self._results: tuple[object, tuple[Tensor | None, ...]] | None = None  # an incoming gradient, backward's answer
        self._outputs: list[tuple[tuple[int, ...], np.dtype[Any]] | None] = []  # the shape and dtype of each

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep tensors (or None) for backward, which raises an error if one of them has changed in place by then."""
        self._given = tensors

    @property
    def saved_tensors(self) -> tuple[Tensor | None, ...]:
        """The tensors that `save_for_backward` has kept, and None where it was given None."""
        saved = self._saved
        if len(saved) < self._count:
            raise refuse(RuntimeError, texts.SECOND)
        master = self._master() if self._master is not None else None
        found: list[Tensor | None] = []
        for entry in saved:
            if entry is None:
                found.append(None)
                continue
            array, node, version, expected = entry
            if version[0] != expected:
                origin = master if isinstance(node, int) else node
                text = mutated_text(array, origin, version[0], expected)
                raise refuse(RuntimeError, text, mend="save a clone() of it")
            found.append(wrap(array, self._own(node, array) if isinstance(node, int) else node, version))
        return tuple(found)

    @property
    def _saved(self) -> list[Saved]:
        """What the vertex holds of the saved tensors; nothing once a walk has freed it."""
        master = self._master() if self._master is not None else None
        held = () if master is None or master.args is None else master.args[len(master.parents) + 1 :]
        return held[0] if held else []

    def _own(self, part: int, array: Array) -> Node | None:
        """The vertex of an output that the Function itself has saved."""
        master = self._master() if self._master is not None else None
        if master is None or master.note("shapes") is None:
            return master
        return pick(master, part, array)

    def _keep(self, smooth: list[Tensor]) -> list[Saved]:
        """What the vertex is to hold of the saved tensors; outputs, which have no vertex yet, by their numbers."""
        number = {id(t.array): i for i, t in enumerate(smooth)}
        kept: list[Saved] = []
        for i, t in enumerate(self._given):
            if t is not None and not isinstance(t, Tensor):
                text = f"save_for_backward can only save variables, but argument {i} is of type {type(t).__name__}"
                raise refuse(TypeError, text, mend="keep what is no tensor as an attribute: ctx.value = value")
            entry = None if t is None else (t.array, number.get(id(t.array), t.node), t.version, t.version[0])
            kept.append(entry)
        self._given, self._count = (), len(kept)
        return kept

    def mark_non_differentiable(self, *outputs: Tensor) -> None:
        """Let these outputs have requires_grad=False."""
        self._plain = outputs

    def set_materialize_grads(self, value: bool) -> None:
        """Let missing gradients arrive in backward as zeros (True, the default) or as None (False)."""
        if not isinstance(value, bool):
            text = "set_materialize_grads received an invalid combination of arguments - got ("
            raise refuse(TypeError, f"{text}{type(value).__name__}), but expected (bool)")
        self.materialize = value

    def mark_dirty(self, *tensors: Tensor) -> None:
        """Say that forward has changed these inputs in place; it must return each of them."""
        self._dirty = tensors

    def _check_marks(self) -> None:
        """Raise an error if something other than a tensor was marked."""
        for i, t in enumerate(self._dirty):
            if not isinstance(t, Tensor):
                text = f"mark_dirty can only accept variables, but argument {i} is of type {type(t).__name__}"
                raise refuse(RuntimeError, text)
        for t in self._plain:
            if not isinstance(t, Tensor):
                text = f"mark_non_differentiable only accepts variable arguments, but got {type(t).__name__}"
                raise refuse(RuntimeError, text)


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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        warnings.warn(texts.INSTANTIATED.format(type(self)), DeprecationWarning, stacklevel=2)

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise refuse(RuntimeError, texts.LEGACY)

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Call forward, and record the result if an argument requires grad."""
        if cls.setup_context is not Function.setup_context:
            args, kwargs = _with_defaults(cls.forward, args, kwargs)
        wanting = tuple(isinstance(a, Tensor) and a.node is not None for a in args)
        ctx = FunctionCtx(wanting)
        with no_grad():
            if cls.setup_context is not Function.setup_context:
                output = cls.forward(*args, **kwargs)
                cls.setup_context(ctx, args, output)
            else:
                output = cls.forward(ctx, *args, **kwargs)
        ctx._check_marks()
        if not any(wanting) or not current().grad:
            for t in ctx._dirty:
                touched(t)
            return output
        return _recorded(cls, ctx, args, kwargs, output)


def _with_defaults(
    forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a call as its function gets them: the default values are there too."""
    bound = inspect.signature(forward).bind(*args, **kwargs)
    bound.apply_defaults()
    return bound.args, bound.kwargs


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator of a `backward` whose result is not to be differentiated again: that raises an error."""

    @functools.wraps(backward)
    def guarded(ctx: FunctionCtx, *grads: Tensor | None) -> object:
        with no_grad():
            found = backward(ctx, *grads)
        if not current().grad or not any(isinstance(g, Tensor) and g.node is not None for g in grads):
            return found
        results = found if isinstance(found, tuple) else (found,)
        results = tuple(DelayedError.apply(_leaf(t)) if isinstance(t, Tensor) else t for t in results)
        return results if isinstance(found, tuple) else results[0]

    return guarded


def _leaf(t: Tensor) -> Tensor:
    """A leaf of the same memory."""
    twin = wrap(t.array)
    twin.node = Leaf(twin)
    return twin


class DelayedError(Function):
    """The identity, whose backward is an error."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """x."""
        return x

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> NoReturn:
        """Raise the error."""
        raise refuse(RuntimeError, "trying to differentiate twice a function that was marked with @once_differentiable")


# ------------------------------------------------------------------------------------------ the vertex
def _recorded(
    cls: type[Function], ctx: FunctionCtx, args: tuple[Any, ...], kwargs: dict[str, Any], output: object
) -> object:
    """The output of `forward`, with the vertex of this application."""
    outputs = output if isinstance(output, tuple) else (output,)
    dirty = {id(t) for t in ctx._dirty}
    for t in ctx._dirty:
        if not any(t is o for o in outputs):
            raise refuse(RuntimeError, texts.DIRTY_LOST)
        if isinstance((t.base if t.base is not None else t).node, Leaf):
            raise refuse(RuntimeError, texts.LEAF_WRITTEN.replace("is being", "has been"))
    results = [t if id(t) in dirty else _apart(t, args) for t in outputs]
    last = {id(t): i for i, t in enumerate(results)}  # a tensor returned twice has its gradient at the last place
    smooth = [
        t for t, o in zip(results, outputs, strict=True)
        if isinstance(t, Tensor) and not any(o is p for p in ctx._plain) and t.array.dtype.kind == "f"
    ]  # fmt: skip
    if smooth:
        tensors = tuple(a for a in args if isinstance(a, Tensor))
        attrs: dict[str, Any] = {
            "ctx": ctx, "places": [i for i, a in enumerate(args) if isinstance(a, Tensor)], "count": len(args),
        }  # fmt: skip
        first = smooth[0]
        node = _vertex(cls, tensors, attrs, first.array)
        ctx._master = weakref.ref(node)  # weak, because the vertex holds ctx
        nodes: list[Any] = [node]
        if isinstance(output, tuple):
            part = {last[id(t)]: i for i, t in enumerate(smooth)}
            attrs["outputs"] = [part.get(i) for i in range(len(results))]
            ctx._outputs = [(t.array.shape, t.array.dtype) if isinstance(t, Tensor) else None for t in results]
            node.set_note("shapes", tuple(t.array.shape for t in smooth))
            node.set_note("dtypes", tuple(t.array.dtype for t in smooth))
            nodes = [pick(node, i, t.array) for i, t in enumerate(smooth)]
        for t, made in zip(smooth, nodes, strict=True):
            if id(t) in dirty:
                write(t, wrap(t.array, made, t.version))
            else:
                t.node = made
                if t.base is not None:  # this view must not be written, and cannot follow its base
                    t.creation = "several" if len(smooth) > 1 else "custom"
        kept = ctx._keep(smooth)
        node.args = (*node.args, kept) if kept else node.args  # type: ignore[misc]
        if current().listeners:
            places = attrs["places"]

            def again(*given: Tensor) -> object:
                """Apply the Function anew, to other tensors in the places of the first ones."""
                return cls.apply(*(given[places.index(i)] if i in places else a for i, a in enumerate(args)), **kwargs)

            announce(node.op, tensors, attrs | {"again": again}, first)
    return tuple(results) if isinstance(output, tuple) else results[0]


def _apart(t: Any, args: tuple[Any, ...]) -> Any:
    """An output of `forward`; if it is an argument or shares the memory of one, then another view of that memory."""
    if not isinstance(t, Tensor):
        return t
    base = t if t.base is None else t.base
    if not any(isinstance(a, Tensor) and (a if a.base is None else a.base) is base for a in args):
        return t
    twin = wrap(t.array, None, t.version)
    twin.path, twin.inference = t.path, t.inference
    attach(twin, base)
    return twin


def _vertex(cls: type[Function], tensors: tuple[Tensor, ...], attrs: dict[str, Any], y: Array) -> Node:
    """The vertex of one application; it saves no values, because `ctx` has those that backward needs."""
    parents = tuple(Constant(t) if t.node is None else t.node for t in tensors)
    return FunctionNode(_op(cls), parents, (None, *parents), attrs, (), y.shape, y.dtype, current().scope)


_ops: dict[type[Function], Op] = {}


def _op(cls: type[Function]) -> Op:
    """The op of a Function class."""
    op = _ops.get(cls)
    if op is None:

        def rules(slot: int) -> Rule:
            return lambda g, y, *args, ctx, places, count, outputs=None: _gradient(
                cls, ctx, g, places[slot], count, places, outputs, args[slot]
            )

        name = f"{cls.__module__}.{cls.__qualname__}"
        op = _ops[cls] = Op(name, cls.forward, rules, label=f"{cls.__name__}Backward")
    return op


# ------------------------------------------------------------------------------------------ the rules
def _gradient(
    cls: type[Function], ctx: FunctionCtx, g: Gradient | list[Gradient | None], place: int, count: int,
    places: list[int], outputs: list[int | None] | None, like: Node | Constant,
) -> Gradient:  # fmt: skip
    """The gradient of the argument at a place; the first argument calls backward, the others find its answer."""
    if ctx._results is None or ctx._results[0] is not g:
        ctx._results = (g, _backward(cls, ctx, g, count, places, outputs))
    r = ctx._results[1][place]
    if r is None:
        raise NoGradient
    if not isinstance(r, Tensor):
        text = f"expected Variable or None (got {type(r).__name__})"
        raise refuse(RuntimeError, text, cls.__name__, *ctx._results[1], mend="return tensors, or None")
    given = r if _recording(g) else r.array
    if r.array.dtype != like.dtype:
        given = OPS["cast"](given, dtype=like.dtype)
    if r.array.shape != like.shape and expands(like.shape, r.array.shape):
        return sum_to(given, shape=like.shape)
    return given if given is not r.array else np.array(given)


def expands(shape: tuple[int, ...], wide: tuple[int, ...]) -> bool:
    """Whether a tensor of a shape can be expanded to another one."""
    return len(shape) <= len(wide) and all(m in (1, n) for m, n in zip(shape[::-1], wide[::-1], strict=False))


def _recording(g: Gradient | list[Gradient | None]) -> bool:
    """Whether the gradient is to be a graph."""
    return any(isinstance(part, Tensor) for part in g) if isinstance(g, list) else isinstance(g, Tensor)


def _backward(
    cls: type[Function], ctx: FunctionCtx, g: Gradient | list[Gradient | None], count: int,
    places: list[int], outputs: list[int | None] | None,
) -> tuple[Tensor | None, ...]:  # fmt: skip
    """What the user's backward answers to g, one gradient per argument of forward."""
    parts = g if isinstance(g, list) else [g]
    gs = [p if p is None or isinstance(p, Tensor) else wrap(p) for p in parts]
    if outputs is not None:  # forward returned a tuple: one gradient for each of its elements
        missing = [wrap(np.zeros(*o)) if o is not None and ctx.materialize else None for o in ctx._outputs]
        gs = [none if i is None else gs[i] for i, none in zip(outputs, missing, strict=True)]
    if cls.backward is not Function.backward and cls.vjp is not Function.vjp:
        raise refuse(RuntimeError, texts.TWO_BACKWARDS)
    backward = cls.backward if cls.backward is not Function.backward else cls.vjp
    with enable_grad() if _recording(g) else no_grad():
        found = deeper(backward, ctx, *gs)
    found = found if isinstance(found, tuple) else (found,)
    while len(found) > count and found[-1] is None:
        found = found[:-1]
    if len(found) != count:
        text = texts.WRONG_COUNT.format(cls.__name__, count, len(found))
        raise refuse(RuntimeError, text, cls.__name__, mend="return one gradient, or None, per argument of forward")
    for i, r in enumerate(found):
        if r is not None and i not in places:
            raise refuse(RuntimeError, texts.NOT_A_VARIABLE.format(cls.__name__, i + 1), cls.__name__)
    return found
