"""Applying ops: the one place where the graph grows.

`apply` is the general way. It brings the arguments to dtypes that meet, computes the forward, and records a vertex.
`single`, `pair` and `several` make the functions that apply an op of one, of two, or of any number of arguments. For
the usual arguments these functions do the same as `apply`, written out in one piece, because a small network spends
most of its time here: one shared function that makes vertices would slow a chain of ops by a fifth. A test over the
table of ops compares them with `apply`. At the end of the file stand `unary`, `binary` and `primitive`, with which the
files of `ops` declare their ops.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, overload
from weakref import ref

import numpy as np

from tinygrad_pt import dtypes
from tinygrad_pt.errors import broadcast_text, refuse
from tinygrad_pt.graph import INNER, OPS, Array, Constant, Node, Op, Rule, TensorBase, born, held_of, pick
from tinygrad_pt.half import for_halves
from tinygrad_pt.listening import announce
from tinygrad_pt.modes import Scope, current
from tinygrad_pt.quiet import SIGNALS
from tinygrad_pt.symbol import Symbol, symbol_of
from tinygrad_pt.texts import INFERENCE_SAVED
from tinygrad_pt.views import adopt_view

ndarray, asarray = np.ndarray, np.asarray
F16, F32, F64 = dtypes.float16.numpy, dtypes.float32.numpy, dtypes.float64.numpy
NONE: dict[str, Any] = {}
T = TypeVar("T")


class Applied(Protocol):
    """The function that applies an op. It answers arrays with arrays, tensors with tensors, symbols with symbols."""

    __name__: str
    op: Op

    @overload
    def __call__(self, a: float, b: T, /, *rest: Any, **attrs: Any) -> T: ...
    @overload
    def __call__(self, a: T, /, *rest: Any, **attrs: Any) -> T: ...


# ------------------------------------------------------------------------------------------ tensors around arrays
if TYPE_CHECKING:
    from tinygrad_pt.tensor import Tensor
else:
    Tensor = TensorBase  # until `tensor` has defined the class whose instances ops return
new: Any = object.__new__


def tensor_class(cls: type[T]) -> type[T]:
    """Class decorator: let ops return instances of `cls` from now on."""
    globals()["Tensor"] = cls
    return cls


def wrap(array: Any, node: Node | None = None, version: list[int] | None = None) -> Tensor:
    """A tensor around an array; a NumPy scalar becomes a 0-d array."""
    t: Tensor = new(Tensor)
    t.array = array if array.__class__ is ndarray else asarray(array)
    t.version = [0, 0] if version is None else version
    t.node = node
    return t


# ------------------------------------------------------------------------------------------ the general way
def apply(op: Op, args: tuple[Any, ...], attrs: dict[str, Any]) -> Any:
    """Apply an op: on tensors it is recorded, on symbols it builds an expression, on arrays it only computes."""
    tensors = sum(isinstance(a, TensorBase) for a in args)
    if not tensors:
        if any(isinstance(a, Symbol) for a in args):
            return Symbol(op=op, args=args, attrs=attrs)
        return op.forward(*args, **attrs)
    if op.domain or tensors < len(args):
        args = admit(op, args)
    xs = [a.array if isinstance(a, TensorBase) else a for a in args]
    op = for_halves(op, xs)
    return record(op, args, attrs, forward(op, xs, attrs))


def admit(op: Op, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments of an op as tensors and Python numbers, cast to the dtype in which `op.domain` lets them meet."""
    args = tuple(wrap(a) if isinstance(a, ndarray) else a.item() if isinstance(a, np.generic) else a for a in args)
    if not op.domain:
        return args
    for a in args:
        if not isinstance(a, (TensorBase, bool, int, float, complex)):
            text = f"{op.name}(): argument must be Tensor or Number, not {type(a).__name__}"
            raise refuse(TypeError, text, op.name, *args, mend="wrap it in torch.tensor(...)")
    target = dtypes.result_type(*(a.array if isinstance(a, TensorBase) else a for a in args))
    if op.domain == "float" and target.rank < 2:
        target = dtypes.get_default_dtype()
    if target.rank == 1:
        args = tuple(wrapped(a, target) if a.__class__ is int else a for a in args)
    cast, kind = OPS["cast"], target.numpy
    if kind is F16:  # a number beside halves is not rounded first: float32 stays, float64 becomes float32
        args = tuple(cast(a, dtype=F32) if isinstance(a, TensorBase) and a.array.dtype is F64 else a for a in args)
    return tuple(
        cast(a, dtype=target)
        if isinstance(a, TensorBase) and a.array.dtype != kind and (kind is not F16 or a.array.dtype is not F32)
        else a
        for a in args
    )


def wrapped(number: int, target: dtypes.dtype) -> int:
    """A Python integer as an integer dtype of n bits holds it: modulo 2ⁿ. NumPy would raise an error."""
    return int(np.array(number).astype(target.numpy))


def forward(op: Op, xs: Any, attrs: dict[str, Any]) -> Any:
    """The value of an op on arrays. An error of NumPy's becomes one with PyTorch's text, the op and the shapes."""
    try:
        return op.forward(*xs, **attrs)
    except SIGNALS:  # the user has turned warnings into errors, but inf and nan are ordinary values
        with np.errstate(all="ignore"):
            return op.forward(*xs, **attrs)
    except (ValueError, TypeError) as error:
        shapes = [np.shape(x) for x in xs]
        text = broadcast_text(*shapes) if op.elementwise and len(shapes) == 2 else ""
        if text and isinstance(error, ValueError):
            mend = "reshape, unsqueeze or expand one of them so that the shapes broadcast"
            raise refuse(RuntimeError, text, op.name, *xs, mend=mend) from None
        raise refuse(type(error), str(error), op.name, *xs) from None
    except MemoryError as error:
        raise refuse(RuntimeError, f"DefaultCPUAllocator: can't allocate memory: {error}", op.name, *xs) from None


def record(op: Op, args: tuple[Any, ...], attrs: dict[str, Any], y: Any, several: bool = False) -> Tensor:
    """A tensor around `y = op(*args, **attrs)`, with a vertex if an argument wants a gradient. Listeners are told."""
    t, state = wrap(y), current()
    if op.view:
        adopt_view(op, args[0], attrs, t, state, several)
    if state.inference:
        t.inference = not op.view or t.inference
    elif state.grad and op.differentiable and t.array.dtype.kind == "f":
        mask = sum(1 << i for i, a in enumerate(args) if isinstance(a, TensorBase) and a.node is not None)
        if mask:
            mask |= sum(1 << 32 + i for i, a in enumerate(args) if a is None)
            t.node = vertex(op, args, attrs, t.array, mask, t.version, state.scope)
    if state.listeners:
        announce(op, args, attrs, t)
    return t


def vertex(
    op: Op, args: tuple[Any, ...], attrs: dict[str, Any], y: Array, mask: int, version: list[int], scope: Scope | None
) -> Node:
    """The vertex of one application of an op: its parents, the values that its rules will read, and their guards.

    Bit i of `mask` says whether argument i wants a gradient, bit 32 + i whether it is None. A value is saved as the
    array itself, or as a NumPy scalar where all tensors are 0-d: those compute six times as fast as 0-d arrays.
    """
    key = mask if len(args) == op.arity else (mask, len(args))
    keep = op.keep.get(key)
    if keep is None:
        keep = read_by(op, mask, tuple(a.array if isinstance(a, TensorBase) else a for a in args), attrs)
        if not op.joins:
            op.keep[key] = keep
    shape = y.shape
    saved: list[Any] = [(y if shape else y[()]) if keep[0] else None]
    guards: tuple[Any, ...] = (version, version[0]) if keep[0] else ()
    parents: list[Any] = []
    i = 0
    for a in args:
        i += 1
        if a.__class__ is Tensor or isinstance(a, TensorBase):
            x, p = a.array, a.node
            if p is None:
                p = new(Constant)  # as `Node` below
                p.shape, p.dtype, p.handle = x.shape, x.dtype, ref(a)
                p.held = x if x.nbytes <= 512 and x.base is None else held_of(a, keep[i])
                if keep[i] and a.inference:
                    raise refuse(RuntimeError, INFERENCE_SAVED, op.name, *args)
            parents.append(p)
            if keep[i]:
                saved.append(x if shape or x.shape else x[()])
                guards += (a.version, a.version[0])
            else:
                saved.append(p)
        else:
            parents.append(a)
            saved.append(a)
    node = new(Node)  # `Node(…)` written out: the call would cost a linear layer 2 % of its time
    node.op, node.parents, node.args, node.attrs, node.guards = op, tuple(parents), tuple(saved), attrs, guards
    node.shape, node.dtype, node.born, node.scope, node.extra = shape, y.dtype, born(), scope, None
    return node


def read_by(op: Op, mask: int, args: tuple[Any, ...], attrs: dict[str, Any]) -> tuple[bool, ...]:
    """Which of `(y, *args)` are read by the rules of the arguments in `mask`: those rules are called with symbols, and
    the symbols that stand in the results are the values that they read.

    For `mul`, whose rules are g · b and g · a, that is (False, True, True); for `exp`, with g · y, (True, False).
    """
    if op.joins:
        return (False,) * (len(args) + 1)
    symbols = [a if a is None else symbol_of(str(i), a) for i, a in enumerate(args)]
    with np.errstate(all="ignore"):
        value = op.forward(*args, **attrs)
    several = isinstance(value, (list, tuple))
    y = symbol_of("y", value[0] if several else value)
    g = [symbol_of("g", v) for v in value] if several else symbol_of("g", value)
    used: set[int] = set()
    for slot, rule in enumerate(op.rules_for(len(args))):
        if mask >> slot & 1 and rule is not None:
            read = rule(g, y, *symbols, **attrs)
            used.update(map(id, read.leaves() if isinstance(read, Symbol) else ()))
    return tuple(id(s) in used for s in (y, *symbols))


def bundle(op: Op, args: tuple[Any, ...], attrs: dict[str, Any]) -> tuple[Tensor, ...]:
    """Apply an op with several results: the op has a vertex, and each result has a `pick` vertex with it as parent."""
    args = admit(op, args)
    xs = [a.array if isinstance(a, TensorBase) else a for a in args]
    op = for_halves(op, xs)
    ys = forward(op, xs, attrs)
    first = record(op, args, attrs, ys[0], True)
    results = [first, *map(wrap, ys[1:])]
    for i, t in enumerate(results):
        t.inference = first.inference
        if op.view:
            if i:
                adopt_view(op, args[0], attrs, t, current(), True)
            if t.base is not None:
                t.path = (*t.path[:-1], (op, attrs | {"part": i}))
    made: Any = first.node
    if made.__class__ in INNER:
        made.set_note("shapes", tuple(y.shape for y in ys))
        for i, (t, y) in enumerate(zip(results, ys, strict=True)):
            t.node = pick(made, i, y)
    return tuple(results)


# ------------------------------------------------------------------------------------------ written out for speed
def single(op: Op) -> Applied:
    """The function that applies an op of one array; on a tensor it does the same as `apply`, in one piece."""
    forward_, keep, domain, view, differentiable = op.forward, op.keep, op.domain, op.view, op.differentiable
    general = domain or not op.moves

    def function(a: Any, **attrs: Any) -> Any:
        if a.__class__ is ndarray:  # called by a rule in a plain walk
            return forward_(a, **attrs)
        if a.__class__ is not Tensor and not isinstance(a, TensorBase):
            return apply(op, (a,), attrs)
        x, parent, state = a.array, a.node, current()
        dtype = x.dtype
        if state.listeners or (general and dtype is not F32 and dtype is not F64 and (domain or dtype.char == "e")):
            return apply(op, (a,), attrs)
        try:
            kept = y = forward_(x, **attrs)  # kept stays a NumPy scalar where y becomes a 0-d array
        except (*SIGNALS, ValueError, TypeError, MemoryError):
            kept = y = forward(op, (x,), attrs)
        if y.__class__ is not ndarray:
            y = asarray(y)
        t = new(Tensor)
        t.array = y
        if view:
            t.node = None
            adopt_view(op, a, attrs, t, state)
        else:
            t.version = [0, 0]
        if parent is None or not state.grad or not differentiable or y.dtype.kind != "f":
            if not view:
                t.node = None
                if state.inference:
                    t.inference = True
            return t
        if 1 not in keep:
            t.node = vertex(op, (a,), attrs, y, 1, t.version, state.scope)
            return t
        node = t.node = new(Node)
        keep_y, keep_a = keep[1]
        if keep_a:
            node.args = (kept if keep_y else None, x if x.shape else x[()])
            node.guards = (t.version, 0, a.version, a.version[0]) if keep_y else (a.version, a.version[0])
        else:
            node.args = (kept if keep_y else None, parent)
            node.guards = (t.version, 0) if keep_y else ()
        node.op, node.parents, node.attrs, node.scope, node.extra = op, (parent,), attrs, state.scope, None
        node.shape, node.dtype, node.born = y.shape, y.dtype, born()
        return t

    return install(function, op)


def pair(op: Op) -> Applied:
    """The function that applies an op of two arguments; on tensors and Python numbers it is `apply` in one piece.

    An op that has rules gives a result of the same dtype for two arguments of one floating dtype.
    """
    forward_, keep, differentiable = op.forward, op.keep, op.differentiable

    def function(a: Any, b: Any) -> Any:
        if a.__class__ is ndarray and b.__class__ is ndarray:  # called by a rule in a plain walk
            return forward_(a, b)
        xa: Any
        xb: Any
        if a.__class__ is Tensor or isinstance(a, TensorBase):
            xa, pa = a.array, a.node
            dtype = xa.dtype
            if b.__class__ is Tensor or isinstance(b, TensorBase):
                xb, pb = b.array, b.node
                if dtype is not xb.dtype:
                    return apply_two(op, a, b)
                if not xa.shape and not xb.shape:  # NumPy's scalars are six times as fast as its 0-d arrays
                    xa, xb = xa[()], xb[()]
            elif b.__class__ is float or (b.__class__ is int and -1_000_000_000 < b < 1_000_000_000):
                xb, pb = b, None
                if not xa.shape:
                    xa = xa[()]
            else:
                return apply_two(op, a, b)
        elif isinstance(b, TensorBase) and (
            a.__class__ is float or (a.__class__ is int and -1_000_000_000 < a < 1_000_000_000)
        ):
            xa, pa, xb, pb = a, None, b.array, b.node
            dtype = xb.dtype
            if not xb.shape:
                xb = xb[()]
        else:
            return apply_two(op, a, b)
        state = current()
        if (dtype is not F32 and dtype is not F64) or state.listeners:
            return apply_two(op, a, b)
        try:
            kept = y = forward_(xa, xb)
        except (*SIGNALS, ValueError, TypeError, MemoryError):
            kept = y = forward(op, (xa, xb), NONE)
        t = new(Tensor)
        t.version = [0, 0]
        if y.__class__ is not ndarray:
            y = asarray(y)
        t.array = y
        if (pa is None and pb is None) or not state.grad or not differentiable:
            t.node = None
            if state.inference:
                t.inference = True
            return t
        mask = 2 if pa is None else 1 if pb is None else 3
        # Of two tensors of which one wants no gradient, that one's parent is a Constant: `vertex` makes it.
        if mask not in keep or (mask != 3 and xa is not a and xb is not b):
            t.node = vertex(op, (a, b), NONE, y, mask, t.version, state.scope)
            return t
        keep_y, keep_a, keep_b = keep[mask]
        node = t.node = new(Node)
        node.op, node.attrs, node.scope, node.extra = op, NONE, state.scope, None
        node.parents = parents = (a if pa is None else pa, b if pb is None else pb)
        node.args = (kept if keep_y else None, xa if keep_a else parents[0], xb if keep_b else parents[1])
        guards: tuple[Any, ...] = (t.version, 0) if keep_y else ()
        if keep_a and pa is not None:
            guards += (a.version, a.version[0])
        if keep_b and pb is not None:
            guards += (b.version, b.version[0])
        node.guards, node.shape, node.dtype, node.born = guards, y.shape, dtype, born()
        return t

    return install(function, op)


def apply_two(op: Op, a: Any, b: Any) -> Any:
    """The general way for two arguments; for a type that is none of ours, Python tries the other one's operator."""
    if isinstance(a, OPERANDS) and isinstance(b, OPERANDS):
        return apply(op, (a, b), NONE)
    return NotImplemented


OPERANDS = (TensorBase, ndarray, np.generic, int, float, complex, Symbol)


def several(op: Op) -> Applied:
    """The function that applies an op of any number of arguments; on tensors it is `apply` in one piece."""
    forward_, differentiable, domain, moves = op.forward, op.differentiable, op.domain, op.moves

    def function(*args: Any, **attrs: Any) -> Any:
        mask, absent, bit = 0, 0, 1
        xs: list[Any] = []
        for a in args:
            if a is None:
                absent |= bit
                bit += bit
                xs.append(a)
                continue
            if a.__class__ is not Tensor and not isinstance(a, TensorBase):
                if a.__class__ is ndarray and not xs and all(x.__class__ is ndarray or x is None for x in args):
                    return forward_(*args, **attrs)  # called by a rule in a plain walk
                return apply(op, args, attrs)
            if a.node is not None:
                mask |= bit
            bit += bit
            xs.append(a.array)
        state = current()
        if domain or state.listeners or xs[0].dtype is F16:
            return apply(op, args, attrs)
        try:
            y = forward_(*xs, **attrs)
        except (*SIGNALS, ValueError, TypeError, MemoryError):
            y = forward(op, xs, attrs)
        dtype = y.dtype
        exact = dtype is F32 or dtype is F64
        if not exact and not moves and any(x is not None and x.dtype.char == "e" for x in xs):
            return apply(op, args, attrs)
        t = new(Tensor)
        t.array = y = y if y.__class__ is ndarray else asarray(y)
        t.version = version = [0, 0]
        if mask and state.grad and differentiable and (exact or dtype.kind == "f"):
            t.node = vertex(op, args, attrs, y, mask | absent << 32, version, state.scope)
        else:
            t.node = None
            if state.inference:
                t.inference = True
        return t

    return install(function, op)


def install(function: Any, op: Op) -> Applied:
    """Give the function that applies an op the op's name, docstring, and the op itself, and the op the function."""
    function.__name__ = function.__qualname__ = op.name
    function.__doc__, function.op, op.apply = op.doc, op, function
    return function


# ------------------------------------------------------------------------------------------ declaring ops
def unary(
    name: str, forward_: Callable[..., Any], notation: str, rule: Rule | None, *, domain: str = "float", **traits: Any
) -> Applied:
    """An elementwise op of one argument."""
    return single(Op(name, forward_, (rule,), notation, elementwise=True, domain=domain, **traits))


def binary(
    name: str, forward_: Callable[..., Any], notation: str, rule_a: Rule | None, rule_b: Rule | None, *,
    domain: str = "promote", **traits: Any,
) -> Applied:  # fmt: skip
    """An elementwise op of two arguments."""
    return pair(Op(name, forward_, (rule_a, rule_b), notation, elementwise=True, domain=domain, **traits))


def primitive(notation: str, *rules: Rule | None, **traits: Any) -> Callable[[Callable[..., Any]], Applied]:
    """Decorator that makes an op of a function on arrays: arguments are positional, attributes are keywords.

    `each=` gives the rules of an op with any number of arguments: a function from i to the rule of argument i.
    """

    def make(forward_: Callable[..., Any]) -> Applied:
        name = traits.pop("name", forward_.__name__.rstrip("_"))
        op = Op(name, forward_, traits.pop("each", rules), notation, **traits)
        if len(rules) == 1:
            return single(op)
        if len(rules) == 2 and not forward_.__code__.co_kwonlyargcount:
            return pair(op)
        return several(op)

    return make
