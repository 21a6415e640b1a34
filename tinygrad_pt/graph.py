"""The parts of a graph: operations, the vertices that record their application, and the tensors that hold vertices.

An operation (op) is data: a name, a pure forward on arrays, and one pure rule per argument,

    rule(g, y, a, b, …, **attrs) = g · ∂y/∂argument

Throughout, `a, b, c` are the arguments of an op, `y` is its output, and `g` is the gradient that arrives at `y`. A rule
is written once, and its own ops answer with what they are given: on arrays it computes the gradient, on tensors it
records the gradient as a graph, and on symbols it gives the derivative as mathematics.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tinygrad_pt.attached import Attached, Context, shown

if TYPE_CHECKING:
    from tinygrad_pt.modes import Scope

Array = npt.NDArray[Any]
Rule = Callable[..., Any]
SAVED = (np.ndarray, np.generic)  # the types of saved values: a 0-d array may be saved as a NumPy scalar
born = count(1).__next__  # the next time on the clock that dates the births of vertices and the changes in place


# ---------------------------------------------------------------------------------------------- operations
OPS: dict[str, Op] = {}  # all ops, by name


class Op:
    """A name, a pure forward on arrays, one pure rule per argument, and the value in the notation of mathematics.

    Attributes:
        rules: `rules[i](g, y, *args, **attrs)` is `g · ∂y/∂args[i]`; None in place of a rule where no gradient flows.
            An op with any number of arguments (`variadic`) has a function instead, from i to the rule.
        arity: the number of rules, or -1.
        elementwise: the op broadcasts its arguments, and the walk sums each gradient back to the shape of its argument.
            For other ops a gradient of the wrong shape is an error.
        domain: the dtype in which the arguments meet: "promote" (the one that PyTorch promotes them to), "float" (the
            same, but integers and truth values become the default float), or "" (each keeps its own).
        view: the result shares the memory of the first argument.
        joins: the rules read no more than g and the attributes. A walk calls them without the arguments, because an op
            that joins n of them has n rules, and would pass n² arguments.
        moves: op and rules only move elements (or take care of float16 themselves), as every view does.
        half: the form of the op for float16, which computes in float32 (see `half`); made when it is first needed.
        flat: the gradients are functions of y with derivative 0. Where they are graphs, they count as such (PyTorch).
        aside: the arguments from this number on are functions of those before, which the caller has computed already.
            Without them the op computes them itself; pictures leave them out.
        keep: for each set of arguments that want a gradient, which of `(y, *args)` the rules read.
    """

    __slots__ = (
        "apply", "arity", "aside", "differentiable", "doc", "domain", "elementwise", "flat", "forward", "half", "joins",
        "keep", "label", "moves", "name", "notation", "rules", "variadic", "view",
    )  # fmt: skip

    apply: Callable[..., Any]  # the function that applies the op; `calling` makes it
    half: Op | None
    label: str | Callable[[Node], str]  # PyTorch's name of a vertex, if it is not made of the op's name

    def __init__(
        self,
        name: str,
        forward: Callable[..., Any],
        rules: tuple[Rule | None, ...] | Callable[[int], Rule] = (),
        notation: str = "",
        *,
        elementwise: bool = False,
        domain: str = "",
        view: bool = False,
        joins: bool = False,
        moves: bool = False,
        flat: bool = False,
        aside: int | None = None,
        label: str | Callable[[Node], str] = "",
        doc: str = "",
    ) -> None:
        self.name, self.forward, self.rules, self.notation = name, forward, rules, notation
        self.variadic = callable(rules)
        self.arity = -1 if callable(rules) else len(rules)
        self.differentiable = callable(rules) or any(rules)
        self.elementwise, self.domain, self.view, self.flat, self.label = elementwise, domain, view, flat, label
        self.joins, self.moves, self.half, self.aside = joins, moves or view or joins, None, aside
        self.doc = doc or ("" if isinstance(forward, np.ufunc) else forward.__doc__ or "")  # NumPy's text is not ours
        self.keep: dict[Any, tuple[bool, ...]] = {}
        OPS[name] = self

    def rules_for(self, count: int) -> tuple[Rule | None, ...]:
        """The rules of `count` arguments."""
        return tuple(self.rules(slot) for slot in range(count)) if callable(self.rules) else self.rules

    def __call__(self, *args: Any, **attrs: Any) -> Any:
        return self.apply(*args, **attrs)

    def __repr__(self) -> str:
        return f"<op {self.name}>"


# ---------------------------------------------------------------------------------------------- vertices
class Node(Attached):
    """A vertex of the graph: one application of an op.

    Attributes:
        parents: for each argument, the vertex it comes from, a `Constant`, or the Python number itself.
        args: the arguments of the rules, `(y, a, b, …)`. A value that a rule reads is saved here as an array; in place
            of any other stands the parent, which has its shape and dtype: `3 * x` has (None, 3, the vertex of x). None
            after a backward walk has freed them.
        guards: (version, number, version, number, …): for each saved value the version of its memory (a list, see
            `TensorBase`), and the number that stood in it when the value was saved.
        born: the time of its birth; every vertex is born after its parents.
        scope: the call of a module in which the op was applied, or None.
        extra: what few vertices have, by name: hooks, tensors that retain their gradient, notes of listeners.
    """

    __slots__ = (
        "__weakref__", "args", "attrs", "born", "dtype", "guards", "op", "parents", "scope", "shape",
    )  # fmt: skip

    def __init__(
        self, op: Op, parents: tuple[Any, ...], args: tuple[Any, ...] | None, attrs: dict[str, Any],
        guards: tuple[Any, ...], shape: tuple[int, ...], dtype: np.dtype[Any], scope: Scope | None,
    ) -> None:  # fmt: skip
        self.op, self.parents, self.args, self.attrs, self.guards = op, parents, args, attrs, guards
        self.shape, self.dtype, self.born, self.scope = shape, dtype, born(), scope
        self.extra = None

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def name(self) -> str:
        """PyTorch's name for the vertex, as in `grad_fn=<MulBackward0>`."""
        label = self.op.label
        if callable(label):
            return label(self)
        return label or "".join(w.capitalize() for w in self.op.name.split("_")) + "Backward0"

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        """For each argument, the vertex that its gradient goes to, and 0 (PyTorch's form)."""
        return tuple((shown(p, INNER) if isinstance(p, Node) else None, 0) for p in self._whole().parents)

    def __repr__(self) -> str:
        return f"<{self.name().split('::')[-1]} object at {id(self):#x}>"


class FunctionNode(Node, Context):
    """The vertex of a custom `Function`, or of one of its results."""

    __slots__ = ()


class Leaf(Node):
    """The vertex of a leaf, a tensor that no op has made: the walk ends here and adds to the `.grad` of the tensor.

    `handle` is a weak reference to the tensor, because a tensor and its vertex must not keep each other alive.
    """

    __slots__ = ("handle", "value", "version")
    handle: Callable[[], TensorBase | None]

    def __init__(self, tensor: TensorBase) -> None:
        super().__init__(LEAF, (), (), {}, (), tensor.array.shape, tensor.array.dtype, None)
        self.handle = weakref.ref(tensor)
        self.value, self.version = tensor.array, tensor.version

    @property
    def variable(self) -> Tensor | None:
        """The tensor, for as long as it lives."""
        return self.handle()  # type: ignore[return-value]


Leaf.__name__ = "AccumulateGrad"  # PyTorch's, which programs print


def nobody() -> None:
    """The handle of a leaf whose tensor takes no gradient, though results know of it."""


class Constant:
    """A parent that wants no gradient: the shape and dtype of a tensor, and a weak reference to it, `handle`.

    Pictures and searches ask `held` for the value when the tensor is gone: see `held_of`.
    """

    __slots__ = ("dtype", "handle", "held", "shape")

    def __init__(self, tensor: TensorBase) -> None:
        self.shape, self.dtype = tensor.array.shape, tensor.array.dtype
        self.handle, self.held = weakref.ref(tensor), held_of(tensor, True)

    @property
    def ndim(self) -> int:
        return len(self.shape)


def held_of(tensor: TensorBase, saved: bool) -> Any:
    """What a constant holds of its tensor: the array, if it is as small as a vertex, or if a rule has saved it and it
    fits in four pages of memory; else, of a view, the tensor that owns its memory, weakly, and the path from there.
    """
    x, base = tensor.array, tensor.base
    size = (x if base is None else base.array).nbytes
    if size <= 512 or (saved and size <= 16384):
        return x
    return None if base is None else (weakref.ref(base), tensor.path)


INNER: set[Any] = {Node, FunctionNode}  # the classes of vertices that are no leaves
LEAF = Op("leaf", lambda a: a, label="torch::autograd::AccumulateGrad")
DETACH = Op("detach", lambda a: a)  # listeners are told of it; no vertex records it
# The op of a vertex that stands for one of several results. It has no rules: the walk collects the gradients itself.
PICK = Op("pick", lambda a, *, part: a, lambda slot: None, label=lambda node: node.parents[0].name())  # type: ignore[arg-type, return-value]


def pick(several: Node, part: int, y: Array) -> Node:
    """The vertex of one result `y`, number `part`, of an op that has several; `several` is the vertex of the op."""
    return several.__class__(PICK, (several,), (None, several), {"part": part}, (), y.shape, y.dtype, several.scope)


def made_by(node: Node) -> Node:
    """The vertex of the op that made a value; it differs from the vertex of the value if the op has several results."""
    return node.parents[0] if node.op is PICK else node


# ---------------------------------------------------------------------------------------------- tensors
class TensorBase:
    """The data of a tensor; `tensor.Tensor`, the user's class, adds the methods.

    Attributes:
        array: the elements.
        node: the vertex; None if the tensor wants no gradient.
        version: [number of changes in place, time of the last one]; all tensors that share memory share this list.
        base, path: for a view, the tensor that owns the memory, and the view ops that lead from it to the view.
        views: for a base, weak references to its views.
        creation: for a view, why a write into it cannot be recorded: it was made under "no_grad", in "inference" mode,
            as one of "several" results, or by a "custom" Function.
        inference: the tensor was made in `inference_mode` and can never take part in a gradient.
    """

    array: Array
    version: list[int]
    node: Node | None = None
    base: Any = None
    path: tuple[tuple[Op, dict[str, Any]], ...] = ()
    views: list[weakref.ref[TensorBase]] | None = None
    creation: str = ""
    inference: bool = False


# To type checkers and editors `Tensor` is the user's class. When a program runs, it is the base of that class, because
# the class itself is defined in a room that imports this one.
if TYPE_CHECKING:
    from tinygrad_pt.tensor import Tensor
else:
    Tensor = TensorBase
