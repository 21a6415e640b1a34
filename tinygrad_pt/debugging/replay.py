"""A replay computes the values and the gradients of a graph once more, where no rule saved them and nobody kept them.

A value that cannot be known any more is None rather than a guess. Where a value has changed since, there are two
answers: what is known of the values as they were, and all values anew from what stands now (`Replay.renew`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from tinygrad_pt.autograd import engine
from tinygrad_pt.autograd.engine import order
from tinygrad_pt.errors import refuse
from tinygrad_pt.graph import PICK, SAVED, Constant, Leaf, Node, Op, Tensor, made_by
from tinygrad_pt.ops import sum_to
from tinygrad_pt.symbol import Symbol


def with_history(t: Any, takes: str, text: str) -> Node:
    """The vertex of a tensor, for a function that takes tensors; `text` refuses one that has none."""
    if not isinstance(t, Tensor):
        raise refuse(TypeError, f"{takes}, not {type(t).__name__}")
    if t.node is None:
        mend = "compute it, outside no_grad(), from a tensor with requires_grad=True"
        raise refuse(RuntimeError, text, mend=mend)
    return t.node


class Number:
    """A Python number among the arguments: one box per use."""

    def __init__(self, value: Any) -> None:
        self.value, self.shape = np.asarray(value), ()
        self.raw, self.dtype = value, self.value.dtype


class Boxes:
    """What a graph is made of, arguments first, and how it hangs together.

    A box is a `Node`, a `Constant` (one however often its tensor was used) or a `Number`.
    """

    def __init__(self, *roots: Node) -> None:
        nodes = [n for n in reversed(order(roots)) if n.note("shapes") is None]
        self.nodes: list[Node] = [*dict.fromkeys(r for r in roots if not r.parents), *nodes]
        self.slots: dict[Node, list[Any]] = {}  # the boxes of the arguments; None where an argument is absent
        self.scope: dict[Any, Any] = {}  # per box, in order of birth: the module it was first used or made in
        self.first: dict[Any, int] = {}  # when it was first used
        # By the weak reference, which all uses of a tensor share, and whether it was written after this use.
        self.constants: dict[tuple[int, bool], Constant] = {}
        self.kept: dict[Any, Any] = {}  # what `viz.keep()` kept
        self.results = {made_by(n): n for n in reversed(self.nodes) if n.op is PICK}  # the first one here of several
        for node in self.nodes:
            made = made_by(node)
            self.slots[node] = slots = [self._box(p, made.born) for p in made.parents[: made.op.aside]]
            value, arguments = made.note("kept", (None, ()))
            for box, kept in zip(slots, arguments or (None,) * len(slots), strict=False):
                if box is not None:
                    self.scope.setdefault(box, node.scope)
                    self.first.setdefault(box, node.born)
                    if kept is not None:
                        self.kept.setdefault(box, kept)
            self.scope.setdefault(node, node.scope)
            if value is not None and made is node:
                self.kept[node] = value

    def _box(self, p: Any, born: int) -> Any:
        if isinstance(p, Constant):
            t: Any = p.handle()
            return self.constants.setdefault((id(p.handle), t is not None and t.version[1] > born), p)
        return p if p is None or isinstance(p, Node) else Number(p)

    def saved(self) -> dict[Any, Any]:
        """Values that rules keep, and that nothing has changed since."""
        found: dict[Any, Any] = {}
        for node in map(made_by, self.nodes):
            versions = zip(node.guards[::2], node.guards[1::2], strict=True)
            for owner, a in zip((node, *node.parents), node.args or (), strict=False):
                if isinstance(a, SAVED):
                    version, expected = next(versions)
                    if version[0] == expected:
                        found.setdefault(self._box(owner, node.born), np.asarray(a))
        return found


class Replay:
    """One reading of the values of a graph: `value[box]`, None where nobody knows; and of its gradients.

    `handle` gives tensors for boxes, where the reader knows any; those of leaves and constants are found.
    `changed` are the boxes whose tensor has been overwritten since they were used, unless they were kept.
    """

    def __init__(self, boxes: Boxes, handle: Mapping[Any, Any] | None = None) -> None:
        self.boxes, self.handle = boxes, dict(handle or {})
        for box in boxes.scope:
            if isinstance(box, (Leaf, Constant)):
                self.handle[box] = box.handle()
        self.changed: set[Any] = set()
        self.value: dict[Any, Any] = {}
        self.symbol: dict[Any, Symbol] = {}
        self.again: set[Node] = set()  # the nodes whose value was computed once more
        self.rules: dict[Node, tuple[Any, ...]] = {}
        saved = boxes.saved()
        self.first = {node: y for node, y in saved.items() if isinstance(node, Node) and node.note("shapes")}
        with np.errstate(all="ignore"):
            for box in boxes.scope:  # arguments first: what is computed again finds its arguments
                self.value[box] = self._value(box, saved)
                self.symbol[box] = Symbol("?", tuple(box.shape), box.dtype)

    # ---------------------------------------------------------------------------------------- values
    def _value(self, box: Any, saved: dict[Any, Any]) -> Any:
        """The value of a box when it was first used, or None if nobody knows any more."""
        if isinstance(box, Number):
            return box.value
        if box in self.boxes.kept:
            return self.boxes.kept[box]
        used = self.boxes.first.get(box, getattr(box, "born", 0))
        source: Any = box if isinstance(box, Leaf) else self.handle.get(box)
        if source is not None and source.version[1] > used:
            if box in self.boxes.first:
                self.changed.add(box)
        elif (now := self._present(box)) is not None:
            return now
        if box in saved:
            return saved[box]
        if not isinstance(box, Node) or isinstance(box, Leaf):
            return None
        self.again.add(box)
        return self._again(box)

    def _present(self, box: Any) -> Any:
        """What stands now in a leaf, a constant, or the tensor of a vertex; None where nobody holds it."""
        if isinstance(box, Leaf):
            return box.value
        t = self.handle.get(box)
        if t is not None:
            return t.array
        held = box.held if isinstance(box, Constant) else None
        if isinstance(held, tuple):  # a view: the tensor that owns the memory, and the way from there
            owner, path = held[0](), held[1]
            held = None if owner is None else owner.array
            for op, attrs in path if owner is not None else ():
                part = attrs.get("part")
                held = op.forward(held, **{key: value for key, value in attrs.items() if key != "part"})
                held = held if part is None else held[part]
        return held

    def renew(self, everything: bool = False) -> None:
        """Compute all that depends on what has changed once more, from what stands now: leaves, constants, values.

        With `everything` nothing that an op has made is taken as it was.
        """
        renewed = set(self.changed)
        with np.errstate(all="ignore"):
            for box in self.boxes.scope:
                if isinstance(box, (Leaf, Constant)):
                    if box in self.changed and (now := self._present(box)) is not None:
                        self.value[box] = now
                elif isinstance(box, Node) and (
                    everything or box in renewed or any(b in renewed for b in self.boxes.slots[box] if b is not None)
                ):
                    renewed.add(box)
                    self.first.pop(made_by(box), None)
                    self.value[box] = self._again(box)

    def disagrees(self) -> bool:
        """Whether a known value of an op is not what its known arguments give: something has changed unseen."""
        with np.errstate(all="ignore"):
            return any(
                not _close(y, self.value[node])
                for node in self.boxes.nodes
                if node not in self.again and self.value[node] is not None and not isinstance(node, Leaf)
                if (y := self._again(node)) is not None
            )

    def _again(self, node: Node) -> Any:
        """The value of a node computed once more from its arguments; not by the user's own code."""
        y = self._forward(node)
        if y is None or node.op is not PICK:
            return y if y is None else np.asarray(y)
        self.first[made_by(node)] = np.asarray(y[0])
        return np.asarray(y[node.attrs["part"]])

    def _forward(self, node: Node) -> Any:
        """What the op of a node gives, all of its results; None where an argument is unknown."""
        made, xs = made_by(node), self.arguments(node)
        gone = any(x is None and box is not None for x, box in zip(xs, self.boxes.slots[node], strict=True))
        if gone or "ctx" in made.attrs:
            return None
        return made.op.forward(*xs, **made.attrs)

    def result(self, node: Node) -> Any:
        """The y that the rules of a node's op read: of several results the first. None if unknown."""
        if node.op is not PICK or not node.attrs["part"]:
            return self.value[node]
        if made_by(node) not in self.first:
            self._again(node)
        return self.first.get(made_by(node))

    def arguments(self, node: Node) -> list[Any]:
        """What the op of a node was applied to: arrays, Python numbers, None where unknown."""
        return [getattr(box, "raw", self.value.get(box)) for box in self.boxes.slots[node]]

    # ---------------------------------------------------------------------------------------- gradients
    def gradients(self, seeds: Mapping[Node, Any], heard: Callable[..., None] | None = None) -> dict[Any, Any]:
        """Σ ∂root/∂node times its seed for every vertex where it can be known: the engine's own walk over twins.

        The twin of a vertex answers with what its rules say about the replayed values. What cannot be known is a
        symbol, and whatever is computed from a symbol is one. `heard(node, slot, g, r)` is told what every edge
        carries back.
        """
        twins = {node: self._twin(node, heard) for node in self.boxes.scope if isinstance(node, Node)}
        for node, twin in twins.items():
            twin.parents = tuple(twins.get(box, box) for box in self.boxes.slots.get(node, ()))
        nodes = [twins[node] for node in reversed(self.boxes.nodes)]
        grads: dict[Any, Any] = {twins[r]: np.asarray(getattr(seed, "array", seed)) for r, seed in seeds.items()}
        with np.errstate(all="ignore"):
            found = engine.run(nodes, grads, retain=True, create=False, wanted=set(twins.values()))
        known = {node: found[twin] for node, twin in twins.items() if twin in found}
        return {node: g for node, g in known.items() if not isinstance(g, Symbol) and not node.note("hooks")}

    def _twin(self, node: Node, heard: Callable[..., None] | None) -> Node:
        """A vertex whose rules answer from the replayed values."""

        def answer(slot: int, g: Any, *args: Any) -> Any:
            p = self.boxes.slots[node][slot]
            unknown = isinstance(g, Symbol) or node.note("hooks")  # what a hook made of g only the hook knows
            r = None if unknown else self.local(node, slot, g)
            if r is None:
                return Symbol("?", tuple(p.shape), p.dtype)
            if heard is not None:
                heard(node, slot, g, r)
            return r

        slots = range(len(self.boxes.slots[node])) if node in self.boxes.slots else ()
        op = object.__new__(Op)  # what the walk asks of an op; a true one would be entered in the table of ops
        op.name, op.elementwise, op.joins, op.flat = made_by(node).op.name, False, False, False
        op.rules = tuple(None if self.rule(node, slot) is None else partial(answer, slot) for slot in slots)
        return Node(op, (), (), {}, (), node.shape, node.dtype, node.scope)

    def rule(self, node: Node, slot: int) -> Any:
        """The rule of one argument of a node's op, or None."""
        rules = self.rules.get(node)
        if rules is None:
            rules = self.rules[node] = made_by(node).op.rules_for(len(self.boxes.slots[node]))
        return rules[slot] if slot < len(rules) else None

    def local(self, node: Node, slot: int, g: Any) -> Any:
        """What an edge carries back when g arrives: the engine's own rule, read with arrays; None if unknown.

        Where a value is gone its symbol stands in, so a rule that needs it answers with a symbol.
        """
        attrs, slots = made_by(node).attrs, self.boxes.slots[node]
        if "ctx" in attrs:
            return _remembered(attrs, self.parts(node, g, np.zeros), slot, slots[slot])
        xs = [self.symbol.get(box) if x is None else x for x, box in zip(self.arguments(node), slots, strict=True)]
        y = self.result(node)
        y = Symbol("?", tuple(made_by(node).shape), node.dtype) if y is None else y
        r = self.rule(node, slot)(self.parts(node, g, np.zeros), y, *xs, **attrs)
        if isinstance(r, Symbol):
            return None
        r = np.asarray(r)
        return r if r.shape == slots[slot].shape else sum_to(r, shape=slots[slot].shape)

    def parts(self, node: Node, g: Any, zero: Any) -> Any:
        """What the op behind `node` received if `node` received g: of several results the others got 0."""
        if node.op is not PICK:
            return g
        parts = [zero(shape, dtype=node.dtype) for shape in node.parents[0].note("shapes")]
        parts[node.attrs["part"]] = g
        return parts


def _close(y: Any, known: Any) -> bool:
    """Whether two values are the same but for the last digits: numbers and arrays are not rounded alike everywhere."""
    if np.array_equal(y, known, equal_nan=y.dtype.kind in "fc"):
        return True
    if y.dtype.kind not in "fc":
        return False
    margin = float(np.sqrt(np.finfo(y.dtype).eps))
    size = float(np.abs(y[np.isfinite(y)]).max(initial=0))
    return bool(np.allclose(y, known, rtol=margin, atol=margin * size, equal_nan=True))


def _remembered(attrs: dict[str, Any], g: Any, slot: int, like: Any) -> Any:
    """What a user's Function answered in the last backward pass; its code is not run again.

    A gradient is linear in g: for a scalar the answer to another g is the remembered one, scaled.
    """
    if attrs["ctx"]._results is None:
        return None
    asked, answers = attrs["ctx"]._results
    asked, g = (x if isinstance(x, list) else [x] for x in (asked, g))
    asked = [np.asarray(getattr(x, "array", x)) for x in asked]
    scale: Any = 1.0
    if len(g) == 1 and np.shape(g[0]) == () and asked[0] != 0:
        scale = np.asarray(g[0] / asked[0])
    elif not all(np.array_equal(x, y, equal_nan=True) for x, y in zip(asked, g, strict=True)):
        return None
    answer = answers[attrs["places"][slot]]
    return np.zeros(like.shape, like.dtype) if answer is None else np.asarray(answer.array * scale)
