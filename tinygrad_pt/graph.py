"""What a graph is made of: operations, the vertices that they leave behind, and the tensors that hold on to vertices.

An operation is data: a name, a pure forward on arrays, and one pure rule per argument,
`rule(g, y, *args, **attrs) = g · ∂y/∂arg`. A rule is written once and read to whoever asks: to arrays
(plain backward), to tensors (a gradient that can be differentiated again), to symbols (mathematics).
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from tinygrad_pt.modes import Scope

Array = npt.NDArray[Any]
Rule = Callable[..., Any]
SAVED = (np.ndarray, np.generic)  # a value that a vertex keeps: an array, or a NumPy scalar for a 0-d one
born = count(1).__next__  # one clock for births of vertices and for changes in place


# ---------------------------------------------------------------------------------------------- operations
OPS: dict[str, Op] = {}  # all there are, by name


class Op:
    """A name, a pure forward on arrays, one pure rule per argument, and how mathematics writes the value.

    `rules[i](g, y, *args, **attrs)` is `g · ∂y/∂args[i]`, or None where nothing flows; one rule for a
    variadic op is given as a function of the slot. `domain` says how dtypes meet: "promote" (to a common
    one), "float" (integers become the default float first), "compare" or "" (left alone). `elementwise`
    ops have their broadcasting undone by the walk; anywhere else a gradient of the wrong shape is an error.
    A `view` shares the memory of its first argument.
    """

    __slots__ = (
        "apply", "differentiable", "doc", "domain", "elementwise", "forward", "keep", "label", "name", "notation",
        "rules", "variadic", "view",
    )  # fmt: skip

    apply: Callable[..., Any]  # the function that applies the op: see `calling`
    label: str | Callable[[Node], str]  # PyTorch's name of a vertex, where it is not made of the op's name

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
        label: str | Callable[[Node], str] = "",
        doc: str = "",
    ) -> None:
        self.name, self.forward, self.rules, self.notation = name, forward, rules, notation
        self.variadic = callable(rules)
        self.differentiable = callable(rules) or any(rules)
        self.elementwise, self.domain, self.view, self.label = elementwise, domain, view, label
        self.doc = doc or ("" if isinstance(forward, np.ufunc) else forward.__doc__ or "")  # NumPy's text is not ours
        self.keep: dict[Any, tuple[bool, ...]] = {}  # per choice of rules, which of (y, *args) they read
        OPS[name] = self

    def rules_for(self, count: int) -> tuple[Rule | None, ...]:
        """One rule per argument, when there are `count` of them."""
        return tuple(self.rules(slot) for slot in range(count)) if callable(self.rules) else self.rules

    def __call__(self, *args: Any, **attrs: Any) -> Any:
        return self.apply(*args, **attrs)

    def __repr__(self) -> str:
        return f"<op {self.name}>"


# ---------------------------------------------------------------------------------------------- vertices
class Node:
    """A vertex of the graph: one op applied once.

    Attributes:
        parents: per argument, the `Node` it came from, a `Constant`, or the Python number itself.
        args: what the rules are read with, `(y, a, b, …)`: an array where a rule uses the value, and otherwise the
            parent, which still knows shape and dtype. None after a backward pass, which frees it.
        guards: (version, expected, version, expected, …) of the saved values.
        born: its time on the engine's clock; no vertex is older than its arguments.
        scope: the call of a module in which the op was applied.
        extra: the rare things: hooks, tensors that retain their gradient, the seed of a backward pass, its line.
    """

    __slots__ = (
        "__weakref__", "args", "attrs", "born", "dtype", "extra", "guards", "op", "parents", "scope", "shape",
    )  # fmt: skip

    def __init__(
        self, op: Op, parents: tuple[Any, ...], args: tuple[Any, ...] | None, attrs: dict[str, Any],
        guards: tuple[Any, ...], shape: tuple[int, ...], dtype: np.dtype[Any], scope: Scope | None,
    ) -> None:  # fmt: skip
        self.op, self.parents, self.args, self.attrs, self.guards = op, parents, args, attrs, guards
        self.shape, self.dtype, self.born, self.scope = shape, dtype, born(), scope
        self.extra: dict[str, Any] | None = None

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
        label = self.op.label
        if callable(label):
            return label(self)
        return label or "".join(w.capitalize() for w in self.op.name.split("_")) + "Backward0"

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        """The vertices that receive a gradient from this one, one per argument (PyTorch's form)."""
        return tuple((p if isinstance(p, Node) else None, 0) for p in self.parents)

    def __repr__(self) -> str:
        return f"<{self.name()} object at {id(self):#x}>"


class Leaf(Node):
    """The vertex of a tensor the user made: the walk ends here and adds to the tensor's `.grad`."""

    __slots__ = ("handle", "value", "version")

    def __init__(self, handle: TensorBase) -> None:
        super().__init__(LEAF, (), (), {}, (), handle.array.shape, handle.array.dtype, None)
        self.handle = weakref.ref(handle)  # weak: a tensor and its vertex must not keep each other alive
        self.value, self.version = handle.array, handle.version


class Constant:
    """An argument that wants no gradient: its shape, and its tensor for as long as the user keeps it."""

    __slots__ = ("dtype", "handle", "shape")

    def __init__(self, handle: TensorBase) -> None:
        self.shape, self.dtype = handle.array.shape, handle.array.dtype
        self.handle = weakref.ref(handle)

    @property
    def ndim(self) -> int:
        return len(self.shape)


LEAF = Op("leaf", lambda a: a, label="torch::autograd::AccumulateGrad")
DETACH = Op("detach", lambda a: a)  # listeners hear of it; it leaves no vertex
PICK = Op("pick", lambda a, *, part: a, lambda slot: None, label=lambda node: node.parents[0].name())  # type: ignore[arg-type, return-value]


def pick(several: Node, part: int, y: Array) -> Node:
    """The vertex of one result of an op that has several."""
    return Node(PICK, (several,), (None, several), {"part": part}, (), y.shape, y.dtype, several.scope)


def made_by(node: Node) -> Node:
    """The vertex of the op itself: for one result of several, that of the op that made them all."""
    made: Node = node.parents[0] if node.op is PICK else node
    return made


# ---------------------------------------------------------------------------------------------- tensors
class TensorBase:
    """What every tensor is to the engine; `tensor.Tensor`, the user's class, adds to it what a user does with it.

    Attributes:
        array: the elements.
        node: the vertex; None if the tensor wants no gradient.
        version: [number of changes in place, time of the last one], shared by all views of one storage.
        base, path: the tensor that it is a view of, and the view ops that lead there from it.
        views: weak references to the views of this tensor.
        inference: the tensor can never take part in a gradient.
    """

    array: Array
    version: list[int]
    node: Node | None = None
    base: Any = None
    path: tuple[tuple[Op, dict[str, Any]], ...] = ()
    views: list[weakref.ref[Any]] | None = None
    inference: bool = False


# To type checkers and editors `Tensor` is the user's class; when a program runs it is the base of that class.
if TYPE_CHECKING:
    from tinygrad_pt.tensor import Tensor
else:
    Tensor = TensorBase
Handle = Tensor
