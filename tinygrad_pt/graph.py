"""The one place where the graph grows: operations, the nodes they leave behind.

An operation is data: a name, a pure forward on arrays, and one pure rule per argument,
`rule(g, y, *args, **attrs) = g · ∂y/∂arg`. A rule is written once and read to whoever asks: to arrays
(plain backward), to tensors (a gradient that can be differentiated again), to symbols (mathematics).
"""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from tinygrad_pt import dtypes
from tinygrad_pt.errors import broadcast_text, refuse
from tinygrad_pt.modes import Scope, current

ndarray, asarray = np.ndarray, np.asarray
SAVED = (np.ndarray, np.generic)  # what a node keeps of a value: an array, or a NumPy scalar for a 0-d one
F32, F64 = dtypes.float32.numpy, dtypes.float64.numpy
Rule = Callable[..., Any]

# inf and nan are values here as they are in PyTorch, so NumPy's warnings about them, where this package
# calls NumPy, are not shown; the user's own NumPy code keeps its warnings.
warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"tinygrad_pt\.")


# ---------------------------------------------------------------------------------------------- vertices
born = count(1).__next__  # one clock for births of nodes and for in-place changes


class Node:
    """A vertex of the graph: one op applied once.

    `parents` holds, per argument, the `Node` it came from, a `Constant`, or the Python scalar itself.
    `args` holds what the rules are read with, `(y, a, b, …)`: an array where a rule uses the value, and
    otherwise the parent, which still knows shape and dtype. None of it survives a backward pass.
    """

    __slots__ = (
        "__weakref__", "args", "attrs", "born", "dtype", "extra", "guards", "op", "parents", "scope", "shape",
    )  # fmt: skip

    op: Op
    parents: tuple[Any, ...]
    args: tuple[Any, ...] | None
    attrs: dict[str, Any]
    guards: tuple[Any, ...]  # (version, expected, version, expected, …) of the saved values
    shape: tuple[int, ...]
    dtype: Any
    born: int
    scope: Scope | None
    extra: dict[str, Any] | None  # hooks, retained handles, the seed of a backward: the rare things

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def note(self, key: str, default: Any = None) -> Any:
        """One of the rare things, or `default`."""
        return default if self.extra is None else self.extra.get(key, default)

    def set_note(self, key: str, value: Any) -> None:
        if self.extra is None:
            self.extra = {}
        self.extra[key] = value

    def name(self) -> str:
        """PyTorch's name for the vertex, as in `grad_fn=<MulBackward0>`."""
        return self.op.grad_name(self)

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        """The vertices that receive a gradient from this one, one per argument (PyTorch's form)."""
        return tuple((p if isinstance(p, Node) else None, 0) for p in self.parents)

    def __repr__(self) -> str:
        return f"<{self.name()} object at {id(self):#x}>"


class Leaf(Node):
    """The vertex of a tensor the user made: the walk ends here and adds to the tensor's `.grad`."""

    __slots__ = ("handle", "value", "version")

    def __init__(self, handle: Any) -> None:
        self.handle = weakref.ref(handle)  # weak: a tensor and its vertex must not keep each other alive
        self.value, self.version = handle.array, handle.version
        self.op, self.parents, self.args, self.attrs, self.guards = LEAF, (), (), {}, ()
        self.shape, self.dtype = self.value.shape, self.value.dtype
        self.born, self.scope, self.extra = born(), None, None


class Constant:
    """An argument that wants no gradient: its shape, and its tensor for as long as the user keeps it."""

    __slots__ = ("dtype", "handle", "shape")

    def __init__(self, handle: Any) -> None:
        self.shape, self.dtype = handle.array.shape, handle.array.dtype
        self.handle = weakref.ref(handle)

    @property
    def ndim(self) -> int:
        return len(self.shape)


class Handle:
    """What every tensor is to the engine; `tensor.Tensor` is the user's face of it.

    `array` is the NumPy array, `node` the vertex (None: wants no gradient), `version` the pair
    [number of in-place changes, clock of the last one] that all views of one storage share.
    """

    array: Any
    version: list[int]
    node: Node | None = None
    base: Any = None  # the tensor whose storage this one is a view of
    path: tuple[tuple[Op, dict[str, Any]], ...] = ()  # the view ops that lead there from the base
    views: list[Any] | None = None  # weak references to the views of this tensor
    inference: bool = False

    if TYPE_CHECKING:  # the methods of the user's face

        def __getattr__(self, name: str) -> Any: ...


HandleClass = TypeVar("HandleClass", bound=type[Handle])
Tensor: Any = Handle  # the class whose instances ops return
new: Any = object.__new__


def handle(cls: HandleClass) -> HandleClass:
    """Class decorator: from now on ops return instances of `cls`."""
    global Tensor
    Tensor = cls
    return cls


def wrap(array: Any, node: Node | None = None, version: list[int] | None = None) -> Any:
    """A tensor around an array (scalars become 0-d arrays)."""
    t = new(Tensor)
    t.array = array if array.__class__ is ndarray else asarray(array)
    t.version = [0, 0] if version is None else version
    t.node = node
    return t


# ---------------------------------------------------------------------------------------------- symbols
class Symbol:
    """A name, or an op applied to symbols: what a rule returns when it is read as mathematics."""

    __slots__ = ("args", "attrs", "name", "op", "_dtype", "_shape")
    __array_ufunc__ = None

    def __init__(
        self,
        name: str = "",
        shape: tuple[int, ...] | None = None,
        dtype: Any = F64,
        op: Op | None = None,
        args: tuple[Any, ...] = (),
        attrs: dict[str, Any] | None = None,
    ) -> None:
        self.name, self.op, self.args, self.attrs = name, op, args, attrs or {}
        self._shape, self._dtype = shape, dtype

    def _like(self) -> None:
        """Find shape and dtype of a compound by running its forward on zeros."""
        if self._shape is None and self.op is not None:
            dummies = [np.zeros(a.shape, a.dtype) if isinstance(a, Symbol) else a for a in self.args]
            with np.errstate(all="ignore"):
                y = self.op.forward(*dummies, **self.attrs)
            self._shape, self._dtype = np.shape(y), asarray(y).dtype

    @property
    def shape(self) -> tuple[int, ...]:
        self._like()
        return self._shape or ()

    @property
    def dtype(self) -> Any:
        self._like()
        return self._dtype

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def leaves(self) -> list[Symbol]:
        """The names whose values the expression uses, first use first."""
        found: dict[int, Symbol] = {}
        stack: list[Any] = [self]
        while stack:
            s = stack.pop()
            if isinstance(s, Symbol):
                if s.op is None:
                    found.setdefault(id(s), s)
                stack.extend(reversed(s.args))
            elif isinstance(s, (tuple, list)):
                stack.extend(reversed(s))
        return list(found.values())


def _symbol_of(name: str, value: Any) -> Symbol:
    return Symbol(name, np.shape(value), asarray(value).dtype)


def _operator(name: str, swapped: bool = False) -> Any:
    def operate(a: Any, b: Any = None) -> Symbol:
        args = (a,) if name == "neg" else (b, a) if swapped else (a, b)
        return Symbol(op=OPS[name], args=args)

    return operate


for _name, _op in {
    "add": "add", "sub": "sub", "mul": "mul", "truediv": "div", "pow": "pow", "matmul": "mm",
    "neg": "neg", "gt": "gt", "ge": "ge", "lt": "lt", "le": "le",
}.items():  # fmt: skip
    setattr(Symbol, f"__{_name}__", _operator(_op))
    if _name in ("add", "sub", "mul", "truediv", "pow"):
        setattr(Symbol, f"__r{_name}__", _operator(_op, swapped=True))


# ---------------------------------------------------------------------------------------------- operations
OPS: dict[str, Op] = {}


class Op:
    """A name, a pure forward on arrays, one pure rule per argument, and how mathematics writes the value.

    `rules[i](g, y, *args, **attrs)` is `g · ∂y/∂args[i]`, or None where nothing flows; one rule for a
    variadic op is given as a function of the slot. `domain` says how dtypes meet: "promote" (to a common
    one), "float" (integers become the default float first), "compare" or "" (left alone). `elementwise`
    ops have their broadcasting undone by the engine; anywhere else a gradient of the wrong shape is an error.
    """

    __slots__ = (
        "differentiable", "doc", "domain", "elementwise", "forward", "keep", "label", "name", "notation", "rules",
        "variadic", "view",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        forward: Callable[..., Any],
        rules: Any = (),
        notation: str = "",
        *,
        elementwise: bool = False,
        domain: str = "",
        view: bool = False,
        label: str | Callable[[Node], str] = "",
        doc: str = "",
    ) -> None:
        self.name, self.forward, self.notation = name, forward, notation
        self.variadic = callable(rules)
        self.rules = rules
        self.differentiable = self.variadic or any(rules)
        self.elementwise, self.domain, self.view = elementwise, domain, view
        self.label = label
        self.keep: dict[Any, tuple[bool, ...]] = {}
        self.doc = doc or forward.__doc__ or ""
        OPS[name] = self

    def rules_for(self, count: int) -> tuple[Rule | None, ...]:
        """One rule per argument, when there are `count` of them."""
        return tuple(self.rules(slot) for slot in range(count)) if self.variadic else self.rules

    def grad_name(self, node: Node) -> str:
        if callable(self.label):
            return self.label(node)
        return self.label or "".join(w.capitalize() for w in self.name.split("_")) + "Backward0"

    def keeps(self, mask: int, args: tuple[Any, ...], attrs: dict[str, Any]) -> tuple[bool, ...]:
        """Which of `(y, *args)` the rules of the slots in `mask` use, found by reading them with symbols."""
        symbols = [a if a is None else _symbol_of(str(i), a) for i, a in enumerate(args)]
        with np.errstate(all="ignore"):
            value = self.forward(*args, **attrs)
        several = isinstance(value, (list, tuple))
        y = _symbol_of("y", value[0] if several else value)
        g = [_symbol_of("g", v) for v in value] if several else _symbol_of("g", value)
        used: set[int] = set()
        for slot, rule in enumerate(self.rules_for(len(args))):
            if mask >> slot & 1 and rule is not None:
                read = rule(g, y, *symbols, **attrs)
                used.update(map(id, read.leaves() if isinstance(read, Symbol) else ()))
        return tuple(id(s) in used for s in (y, *symbols))

    def __call__(self, *args: Any, **attrs: Any) -> Any:
        return apply(self, args, attrs)

    def __repr__(self) -> str:
        return f"<op {self.name}>"


LEAF = Op("leaf", lambda a: a, (), label="torch::autograd::AccumulateGrad")
DETACH = Op("detach", lambda a: a, (None,))  # only heard, by tapes: it leaves no vertex


def apply(op: Op, args: tuple[Any, ...], attrs: dict[str, Any]) -> Any:
    """Read an op to its arguments: tensors are recorded, symbols build mathematics, arrays just compute."""
    tensors = 0
    for a in args:
        if a.__class__ is Tensor or isinstance(a, Handle):
            tensors += 1
    if not tensors:
        for a in args:
            if isinstance(a, Symbol):
                return Symbol(op=op, args=args, attrs=attrs)
        return op.forward(*args, **attrs)
    if op.domain or tensors < len(args):
        args = admit(op, args)
    xs = [a.array if isinstance(a, Handle) else a for a in args]
    try:
        y = op.forward(*xs, **attrs)
    except (RuntimeWarning, ValueError, TypeError):
        y = forward(op, xs, attrs)
    return record(op, args, attrs, y)


def forward(op: Op, xs: Any, attrs: dict[str, Any]) -> Any:
    """The op's value on arrays; where NumPy refuses, PyTorch's words for it."""
    try:
        return op.forward(*xs, **attrs)
    except RuntimeWarning:  # somebody turned NumPy's warnings into errors: inf and nan are still values
        with np.errstate(all="ignore"):
            return op.forward(*xs, **attrs)
    except ValueError as e:
        shapes = [np.shape(x) for x in xs]
        text = broadcast_text(*shapes) if op.elementwise and len(shapes) == 2 else ""
        raise explain(op, xs, text or str(e), RuntimeError if text else type(e)) from None
    except TypeError as e:
        raise explain(op, xs, str(e), TypeError) from None


def explain(op: Op, args: Any, text: str, kind: type[Exception] = RuntimeError, mend: str = "") -> Exception:
    """PyTorch's text with this op's name, the arguments' shapes and the module being called."""
    if not mend and text.startswith("The size of tensor a"):
        mend = "reshape, unsqueeze or expand one of them so that the shapes broadcast"
    return refuse(kind, text, op.name, *args, mend=mend)


def admit(op: Op, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Bring the arguments of an op to tensors and scalars of dtypes that may meet."""
    args = tuple(wrap(a) if isinstance(a, (ndarray, np.ndarray)) else a.item() if isinstance(a, np.generic) else a
                 for a in args)  # fmt: skip
    if not op.domain:
        return args
    for a in args:
        if not isinstance(a, (Handle, bool, int, float, complex)):
            raise explain(
                op, args, f"{op.name}(): argument must be Tensor or Number, not {type(a).__name__}", TypeError,
                "wrap it in torch.tensor(...)",
            )  # fmt: skip
    target = dtypes.result_type(*(a.array if isinstance(a, Handle) else a for a in args))
    if op.domain == "float" and target.rank < 2:
        target = dtypes.get_default_dtype()
    cast = OPS["cast"]
    if target.rank == 1:
        args = tuple(wrapped(a, target) if a.__class__ is int else a for a in args)
    return tuple(cast(a, dtype=target) if isinstance(a, Handle) and a.array.dtype != target.numpy else a for a in args)


def wrapped(number: int, target: Any) -> int:
    """A Python integer as the integer dtype holds it: modulo 2ⁿ, where NumPy would refuse."""
    if not -(2**63) <= number < 2**64:
        raise OverflowError("int too big to convert")
    return int(np.array(number).astype(target.numpy))


def record(op: Op, args: tuple[Any, ...], attrs: dict[str, Any], y: Any) -> Any:
    """A tensor around `y = op(*args, **attrs)`; if some argument wants a gradient, its vertex too."""
    t = wrap(y)
    y = t.array
    state = current()
    if op.view:
        adopt_view(op, args[0], attrs, t)
    if state.inference:
        t.inference = True
    elif state.grad and op.differentiable and y.dtype.kind == "f":
        mask = 0
        for i, a in enumerate(args):
            if isinstance(a, Handle) and a.node is not None:
                mask |= 1 << i
        if mask:
            t.node = vertex(op, args, attrs, y, mask, t.version, state.scope)
    if state.tape is not None:
        state.tape(op, args, attrs, t)
    return t


def vertex(
    op: Op, args: tuple[Any, ...], attrs: dict[str, Any], y: Any, mask: int, version: list[int], scope: Any
) -> Node:
    """The node of one application: its parents, what its rules will read, and guards on what may change."""
    key = (mask, len(args)) if op.variadic or len(args) != len(op.rules) else mask
    keep = op.keep.get(key)
    if keep is None:
        arrays = tuple(a.array if isinstance(a, Handle) else a for a in args)
        keep = op.keep[key] = op.keeps(mask, arrays, attrs)
    kept = y if keep[0] else None
    guards: tuple[Any, ...] = () if kept is None else (version, version[0])
    parents, saved, i = [], [kept if kept is None or y.shape else y[()]], 0
    for a in args:
        i += 1
        if a.__class__ is Tensor or isinstance(a, Handle):
            p = a.node
            if p is None:
                p = Constant(a)
                if keep[i] and a.inference:
                    raise explain(op, args, INFERENCE_SAVED)
            parents.append(p)
            if keep[i]:
                x = a.array
                saved.append(x if x.shape else x[()])
                guards += (a.version, a.version[0])
            else:
                saved.append(p)
        else:
            parents.append(a)
            saved.append(a)
    node = new(Node)
    node.op, node.parents, node.args, node.attrs = op, tuple(parents), tuple(saved), attrs
    node.guards, node.shape, node.dtype = guards, y.shape, y.dtype
    node.born, node.scope, node.extra = born(), scope, None
    return node


INFERENCE_SAVED = (
    "Inference tensors cannot be saved for backward. Please do not use Tensors created in inference mode in "
    "computation tracked by autograd. To work around this, you can make a clone to get a normal tensor and use "
    "it in autograd, or use `torch.no_grad()` instead of `torch.inference_mode()`."
)


def adopt_view(op: Op, a: Any, attrs: dict[str, Any], t: Any) -> None:
    """If `t` shares the memory of `a`, let it share the version too, and let the base know its views."""
    owner = a.array.base if a.array.base is not None else a.array
    if t.array is not a.array and t.array.base is not owner and t.array.base is not a.array:
        t.version = [0, 0]
        return
    t.version = a.version
    t.base = base = a if a.base is None else a.base
    t.path = (*a.path, (op, attrs))
    views = base.views
    if views is None:
        base.views = [weakref.ref(t)]
        return
    if len(views) >= 16 and len(views) & (len(views) - 1) == 0:  # at each power of two: drop the dead
        views[:] = [v for v in views if v() is not None]
    views.append(weakref.ref(t))


# ------------------------------------------------------------------------- the short ways for one and two
NONE: dict[str, Any] = {}


def named(function: Any, op: Op) -> Any:
    """Let the function that applies an op bear the op's name, words, and the op itself."""
    function.__name__ = function.__qualname__ = op.name
    function.__doc__ = op.doc
    function.op = op
    return function


def single(op: Op) -> Any:
    """The function that applies an op of one array; for a tensor it is `apply` in one piece."""
    forward_, keep, domain, view, attends = op.forward, op.keep, op.domain, op.view, op.differentiable

    def function(a: Any, **attrs: Any) -> Any:
        if a.__class__ is ndarray:  # a rule, read with arrays
            return forward_(a, **attrs)
        if a.__class__ is not Tensor and not isinstance(a, Handle):
            return apply(op, (a,), attrs)
        x, parent, state = a.array, a.node, current()
        dtype = x.dtype
        if state.tape is not None or (domain and dtype is not F32 and dtype is not F64):
            return apply(op, (a,), attrs)
        try:
            kept = y = forward_(x, **attrs)
        except (RuntimeWarning, ValueError, TypeError):
            kept = y = forward(op, (x,), attrs)
        if y.__class__ is not ndarray:
            y = asarray(y)
        t = new(Tensor)
        t.array = y
        if view:
            adopt_view(op, a, attrs, t)
        else:
            t.version = [0, 0]
        if parent is None or not state.grad or not attends or y.dtype.kind != "f":
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

    return named(function, op)


def pair(op: Op) -> Any:
    """The function that applies an op of two arguments, tensors or Python numbers, likewise in one piece.

    Where it has rules, two arguments of a floating dtype give a result of the same.
    """
    forward_, keep = op.forward, op.keep
    short = op.differentiable

    def function(a: Any, b: Any) -> Any:
        if a.__class__ is ndarray and b.__class__ is ndarray:  # a rule, read with arrays
            return forward_(a, b)
        if a.__class__ is Tensor or isinstance(a, Handle):
            xa, pa = a.array, a.node
            dtype = xa.dtype
            if b.__class__ is Tensor or isinstance(b, Handle):
                xb, pb = b.array, b.node
                if dtype is not xb.dtype:
                    return meet(op, a, b)
                if not xa.shape and not xb.shape:  # NumPy's scalars are six times as fast as its 0-d arrays
                    xa, xb = xa[()], xb[()]
            elif b.__class__ is float or b.__class__ is int:
                xb, pb = b, None
                if not xa.shape:
                    xa = xa[()]
            else:
                return meet(op, a, b)
        elif isinstance(b, Handle) and (a.__class__ is float or a.__class__ is int):
            xa, pa, xb, pb = a, None, b.array, b.node
            dtype = xb.dtype
            if not xb.shape:
                xb = xb[()]
        else:
            return meet(op, a, b)
        state = current()
        if (dtype is not F32 and dtype is not F64) or state.tape is not None or not short:
            return meet(op, a, b)
        try:
            kept = y = forward_(xa, xb)
        except (RuntimeWarning, ValueError):
            kept = y = forward(op, (xa, xb), NONE)
        t = new(Tensor)
        t.version = [0, 0]
        if y.__class__ is not ndarray:
            y = asarray(y)
        t.array = y
        if (pa is None and pb is None) or not state.grad:
            t.node = None
            if state.inference:
                t.inference = True
            return t
        mask = 2 if pa is None else 1 if pb is None else 3
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

    return named(function, op)


def several(op: Op) -> Any:
    """The function that applies an op of any number of arguments; in one piece where all are tensors."""
    forward_, attends, domain = op.forward, op.differentiable, op.domain

    def function(*args: Any, **attrs: Any) -> Any:
        mask, bit, xs = 0, 1, []
        for a in args:
            if a.__class__ is not Tensor and not isinstance(a, Handle):
                return apply(op, args, attrs)
            if a.node is not None:
                mask |= bit
            bit += bit
            xs.append(a.array)
        state = current()
        if domain or state.tape is not None:
            return apply(op, args, attrs)
        try:
            y = forward_(*xs, **attrs)
        except (RuntimeWarning, ValueError, TypeError):
            y = forward(op, xs, attrs)
        t = new(Tensor)
        t.array = y = y if y.__class__ is ndarray else asarray(y)
        t.version = version = [0, 0]
        if mask and state.grad and attends and y.dtype.kind == "f":
            t.node = vertex(op, args, attrs, y, mask, version, state.scope)
        else:
            t.node = None
            if state.inference:
                t.inference = True
        return t

    return named(function, op)


def meet(op: Op, a: Any, b: Any) -> Any:
    """The long way for two arguments; what an op cannot know is left to the other side (NotImplemented)."""
    if isinstance(a, OPERANDS) and isinstance(b, OPERANDS):
        return apply(op, (a, b), NONE)
    return NotImplemented


OPERANDS = (Handle, np.ndarray, np.generic, int, float, complex, Symbol)


def unary(name: str, forward_: Any, notation: str, rule: Rule | None, *, domain: str = "float", **traits: Any) -> Any:
    """An elementwise op of one argument."""
    return single(Op(name, forward_, (rule,), notation, elementwise=True, domain=domain, **traits))


def binary(
    name: str, forward_: Any, notation: str, rule_a: Rule | None, rule_b: Rule | None, *, domain: str = "promote",
    **traits: Any,
) -> Any:  # fmt: skip
    """An elementwise op of two arguments."""
    return pair(Op(name, forward_, (rule_a, rule_b), notation, elementwise=True, domain=domain, **traits))


def primitive(notation: str, *rules: Rule | None, **traits: Any) -> Callable[[Any], Any]:
    """Decorator: make an op of a NumPy function; its arrays are positional, its attributes keywords."""

    def make(forward_: Callable[..., Any]) -> Any:
        name = traits.pop("name", forward_.__name__.rstrip("_"))
        op = Op(name, forward_, traits.pop("each", rules), notation, **traits)
        if len(rules) == 1:
            return single(op)
        if len(rules) == 2 and not forward_.__code__.co_kwonlyargcount:
            return pair(op)
        return several(op)

    return make


# ------------------------------------------------------------------------- several results from one op
def bundle(op: Op, args: tuple[Any, ...], attrs: dict[str, Any]) -> tuple[Any, ...]:
    """Apply an op with several results: one vertex for the op, and one `pick` vertex per result."""
    args = admit(op, args)
    ys = forward(op, [a.array if isinstance(a, Handle) else a for a in args], attrs)
    shapes = tuple(y.shape for y in ys)
    first = record(op, args, attrs, ys[0])
    results = []
    for i, y in enumerate(ys):
        t = first if i == 0 else wrap(y)
        t.inference = first.inference
        if op.view:
            if i:
                adopt_view(op, args[0], attrs, t)
            if t.base is not None:
                t.path = (*t.path[:-1], (op, attrs | {"part": i}))
        results.append(t)
    if first.node is not None:
        master = first.node
        master.set_note("shapes", shapes)
        for i, t in enumerate(results):
            t.node = pick(master, i, ys[i])
    return tuple(results)


def pick(master: Node, part: int, y: Any) -> Node:
    """The vertex of one result of a vertex with several."""
    node = new(Node)
    node.op, node.parents, node.args, node.attrs, node.guards = PICK, (master,), (None, master), {"part": part}, ()
    node.shape, node.dtype, node.born, node.scope, node.extra = y.shape, y.dtype, born(), master.scope, None
    return node


PICK = Op("pick", lambda a, *, part: a, lambda slot: None, label=lambda node: node.parents[0].name())
