"""Reading the graph behind a tensor into a `Snapshot`: values, gradients and local derivatives of one moment.

Nothing is kept by the engine for the sake of pictures. Values that no rule saved are computed again from
those that are still there; whatever has changed since, or is gone, is shown as unknown rather than guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tinygrad_pt.autograd.engine import order
from tinygrad_pt.errors import failure
from tinygrad_pt.graph import PICK, SAVED, Constant, Handle, Leaf, Node, Symbol
from tinygrad_pt.ops import sum_to
from tinygrad_pt.viz.formula import UNIT, op_sign, read
from tinygrad_pt.viz.model import Edge, Snapshot, Vertex
from tinygrad_pt.viz.naming import TARGETS, Known, known_tensors, names_of
from tinygrad_pt.viz.text import WORDS
from tinygrad_pt.viz.text import number as decimal

__all__ = ["MAX_NODES", "snapshot"]

MAX_NODES = 400


def snapshot(
    root: Any,
    names: Mapping[str, Any] | None = None,
    title: str = "",
    max_nodes: int = MAX_NODES,
    lang: str = "en",
) -> Snapshot:
    """The graph that `root` was computed by, as plain data: it keeps neither tensors nor graph alive.

    Args:
        root: a tensor with history.
        names: what the tensors are called, e.g. `locals()`; modules among them name their parameters.
        title: the heading of the picture.
        max_nodes: refuse to draw more.
        lang: of the notes, "en" or "pt".

    Raises:
        TypeError: `root` is no tensor. RuntimeError: it has no history. ValueError: the graph is too large.
    """
    if not isinstance(root, Handle):
        raise TypeError(f"draw() takes a tensor, not {type(root).__name__}")
    if root.node is None:
        raise failure(
            RuntimeError, "this tensor has no history to draw: it does not require grad", args=(root,),
            mend="compute it, outside no_grad(), from a tensor with requires_grad=True",
        )  # fmt: skip
    graph = _Graph(root.node)
    if len(graph.scope) > max_nodes:
        raise ValueError(
            f"the graph has {len(graph.scope)} values, more than can be read in one picture ({max_nodes})\n"
            "  mend: draw a smaller batch or a part of the network, or pass max_nodes="
        )
    return _Reader(graph, root, names or {}, lang).snapshot(title)


class _Number:
    """A Python number among the arguments: one box per use."""

    def __init__(self, value: Any) -> None:
        self.value, self.shape = np.asarray(value), ()
        self.raw, self.dtype = value, self.value.dtype


def source(node: Node) -> Node:
    """The vertex that holds op and arguments: of one result of many, that of the op that made them all."""
    return node.parents[0] if node.op is PICK else node


class _Graph:
    """What gets a box, arguments first, and how it hangs together.

    A box is a `Node`, a `Constant` (one however often its tensor was used) or a `_Number`.
    """

    def __init__(self, root: Node) -> None:
        nodes = [n for n in reversed(order([root])) if n.note("shapes") is None]
        self.nodes: list[Node] = nodes or [root]
        self.slots: dict[Node, list[Any]] = {}  # the boxes of the arguments; None where an argument is absent
        self.scope: dict[Any, Any] = {}  # per box, in order of birth: the module it was first used or made in
        self.first: dict[Any, int] = {}  # when it was first used
        self.constants: dict[int, Constant] = {}  # by the weak reference, which all uses of a tensor share
        for node in self.nodes:
            self.slots[node] = slots = [self._box(p) for p in source(node).parents]
            for box in slots:
                if box is not None:
                    self.scope.setdefault(box, node.scope)
                    self.first.setdefault(box, node.born)
            self.scope.setdefault(node, node.scope)

    def _box(self, p: Any) -> Any:
        if isinstance(p, Constant):
            return self.constants.setdefault(id(p.handle), p)
        return p if p is None or isinstance(p, Node) else _Number(p)

    def saved(self) -> dict[Any, Any]:
        """Values that rules keep, and that nothing has changed since."""
        found: dict[Any, Any] = {}
        for node in map(source, self.nodes):
            versions = zip(node.guards[::2], node.guards[1::2], strict=True)
            for owner, a in zip((node, *node.parents), node.args or (), strict=False):
                if isinstance(a, SAVED):
                    version, expected = next(versions)
                    if version[0] == expected:
                        found.setdefault(self._box(owner), np.asarray(a))
        return found


class _Reader:
    """One reading of one graph: values, then names, then gradients, then the picture."""

    def __init__(self, graph: _Graph, root: Any, names: Mapping[str, Any], lang: str) -> None:
        self.graph, self.root, self.lang, self.words = graph, root, lang, WORDS[lang]
        self.known: Known = known_tensors(names, graph.scope, graph.constants.values())
        self.handle: dict[Any, Any] = {t.node: t for t, *_ in self.known.values() if t.node is not None}
        self.handle |= {root.node: root}
        for box in graph.scope:
            if isinstance(box, (Leaf, Constant)):
                self.handle[box] = box.handle()
        self.changed: set[Any] = set()
        self.value: dict[Any, Any] = {}
        saved = graph.saved()
        for box in graph.scope:  # arguments first: what is computed again finds its arguments
            self.value[box] = self._value(box, saved)
        self.name = names_of(graph.scope, self.handle, self.known, source)
        if lang == "pt":
            self.name |= {b: self.name[b].replace(".", ",") for b in graph.scope if isinstance(b, _Number)}
        self.symbol = {box: Symbol(name, tuple(box.shape), box.dtype) for box, name in self.name.items()}
        self.grad = self._gradients()

    # ------------------------------------------------------------------------------------ values
    def _value(self, box: Any, saved: dict[Any, Any]) -> Any:
        """The value of a box when it was first used, or None if nobody knows any more."""
        if isinstance(box, _Number):
            return box.value
        t: Any = box if isinstance(box, Leaf) else self.handle.get(box)
        if t is not None:
            if t.version[1] <= self.graph.first.get(box, getattr(box, "born", 0)):
                return t.value if t is box else t.array
            if box in self.graph.first:
                self.changed.add(box)
        if box in saved:
            return saved[box]
        return self._again(box) if isinstance(box, Node) and not isinstance(box, Leaf) else None

    def _again(self, node: Node) -> Any:
        """The value of a node computed once more from its arguments; not by the user's own code."""
        made, boxes = source(node), self.graph.slots[node]
        xs = [getattr(box, "raw", self.value.get(box)) for box in boxes]
        gone = any(x is None and box is not None for x, box in zip(xs, boxes, strict=True))
        if gone or "ctx" in made.attrs:
            return None
        with np.errstate(all="ignore"):
            y = made.op.forward(*xs, **made.attrs)
        return np.asarray(y[node.attrs["part"]] if node.op is PICK else y)

    # ------------------------------------------------------------------------------------ gradients
    def _gradients(self) -> dict[Any, Any]:
        """∂root/∂node for every node, if a backward pass has run from the root; else nothing."""
        seed = self.root.node.note("seed")
        if seed is None:
            return {}
        grads: dict[Any, Any] = {self.root.node: np.asarray(getattr(seed, "array", seed))}
        unknown: set[Any] = set()
        for node in reversed(self.graph.nodes):
            if node.note("hooks"):  # what a hook made of the gradient only the hook knows
                unknown.add(node)
            g = grads.get(node)
            for slot, p in enumerate(self.graph.slots[node]):
                if not isinstance(p, Node) or self._rule(node, slot) is None:
                    continue
                r = None if g is None or node in unknown else self._local(node, slot, g)
                if r is not None:
                    grads[p] = grads[p] + r if p in grads else r
                elif g is not None or node in unknown:
                    unknown.add(p)
        unknown |= {leaf for leaf in grads if leaf.note("hooks")}
        return {node: g for node, g in grads.items() if node not in unknown}

    def _rule(self, node: Node, slot: int) -> Any:
        rules = source(node).op.rules_for(len(self.graph.slots[node]))
        return rules[slot] if slot < len(rules) else None

    def _local(self, node: Node, slot: int, g: Any) -> Any:
        """What an edge carries back when g arrives: the engine's own rule, read with arrays; None if unknown.

        Where a value is gone its symbol stands in, so a rule that needs it answers with a symbol.
        """
        attrs, boxes = source(node).attrs, self.graph.slots[node]
        if "ctx" in attrs:
            return _remembered(attrs, self._parts(node, g, np.zeros), slot, boxes[slot])
        xs = [getattr(box, "raw", self.value.get(box)) for box in boxes]
        xs = [self.symbol.get(box) if x is None else x for x, box in zip(xs, boxes, strict=True)]
        y = self.symbol[node] if self.value[node] is None else self.value[node]
        with np.errstate(all="ignore"):
            r = self._rule(node, slot)(self._parts(node, g, np.zeros), y, *xs, **attrs)
        if isinstance(r, Symbol):
            return None
        r = np.asarray(r)
        return r if r.shape == boxes[slot].shape else sum_to(r, shape=boxes[slot].shape)

    def _parts(self, node: Node, g: Any, zero: Any) -> Any:
        """What the op behind `node` received if `node` received g: of several results the others got 0."""
        if node.op is not PICK:
            return g
        parts = [zero(shape, dtype=node.dtype) for shape in node.parents[0].note("shapes")]
        parts[node.attrs["part"]] = g
        return parts

    # ------------------------------------------------------------------------------------ the picture
    def snapshot(self, title: str) -> Snapshot:
        """All that was read."""
        ids = {box: f"n{i}" for i, box in enumerate(self.graph.scope)}
        frames = _Frames()
        vertices = tuple(self._vertex(box, ids[box], frames) for box in ids)
        edges = tuple(
            self._edge(node, slot, box, ids)
            for node in self.graph.nodes for slot, box in enumerate(self.graph.slots[node]) if box is not None
        )  # fmt: skip
        return Snapshot(vertices, edges, frames.titles, title)

    def _vertex(self, box: Any, id_: str, frames: _Frames) -> Vertex:
        value, grad = self.value[box], self.grad.get(box)
        entry = self.known.get(id(self.handle.get(box)))
        outside = isinstance(box, (Leaf, Constant)) and entry is not None and not entry[2]
        made = source(box) if isinstance(box, Node) and box.parents else None
        return Vertex(
            id=id_, name=self.name[box], op="" if made is None else op_sign(made.op, made.attrs),
            kind=self._kind(box), shape=tuple(box.shape), dtype=str(box.dtype),
            value=None if value is None else np.array(value), grad=None if grad is None else np.array(grad),
            requires_grad=isinstance(box, Node), scope=() if outside else frames.path(self.graph.scope[box]),
            note=self._note(box, value, grad),
        )  # fmt: skip

    def _kind(self, box: Any) -> str:
        if box is self.root.node:
            return "loss"
        if isinstance(box, Node):
            return "param" if isinstance(box, Leaf) else "op"
        if isinstance(box, _Number) or id(self.handle[box]) not in self.known:
            return "const"
        return "target" if self.name[box].rpartition(".")[2].rstrip("0123456789_") in TARGETS else "input"

    def _note(self, box: Any, value: Any, grad: Any) -> str:
        """What the reader must know lest the numbers mislead."""
        if box in self.changed:
            return self.words["changed"]
        if value is None and isinstance(box, Constant):
            return self.words["unkept"]
        held = getattr(self.handle.get(box), "_grad", None)
        if held is None or self.root.node.note("seed") is None or not isinstance(box, Node):
            return ""
        x = held.array
        if grad is not None and np.allclose(x, grad, rtol=1e-5, atol=1e-8, equal_nan=True):
            return ""
        size = x.item() if x.size == 1 else float(np.linalg.norm(x.ravel()))
        return f"{'.grad' if x.size == 1 else '‖.grad‖'} = {decimal(size, lang=self.lang)}"

    def _edge(self, node: Node, slot: int, box: Any, ids: dict[Any, str]) -> Edge:
        made, boxes, rule = source(node), self.graph.slots[node], self._rule(node, slot)
        if rule is None or not isinstance(box, Node):
            return Edge(ids[box], ids[node], slot, flows=False)
        scalar = node.shape == () == tuple(box.shape)
        y = self.symbol[node]
        g = UNIT if scalar else Symbol("ḡ", y.shape, y.dtype)
        text = f"{op_sign(made.op)}.backward({g.name})"
        if "ctx" not in made.attrs:  # else it is code, not mathematics
            g = self._parts(node, g, lambda shape, dtype: Symbol("0", shape, dtype))
            xs = tuple(getattr(b, "raw", self.symbol.get(b)) for b in boxes)
            text = read(rule, g, y, xs, made.attrs, tuple(box.shape))
        which = f"⁽{'¹²³⁴⁵⁶⁷⁸⁹'[slot]}⁾" if boxes.count(box) > 1 and slot < 9 else ""
        if not scalar:
            return Edge(ids[box], ids[node], slot, f"∇{self.name[box]}{which} ← {text}")
        number = self._local(node, slot, np.ones((), node.dtype))
        symbol = f"∂{self.name[node]}/∂{self.name[box]}{which} = {text}"
        return Edge(ids[box], ids[node], slot, symbol, None if number is None else float(number))


def _remembered(attrs: dict[str, Any], g: Any, slot: int, like: Any) -> Any:
    """What a user's Function answered in the last backward pass; its code is not run for a picture.

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


class _Frames:
    """The module frames: a path and a title for every scope, none shared by two modules of one kind."""

    def __init__(self) -> None:
        self.titles: dict[tuple[str, ...], str] = {}
        self.parts: dict[tuple[Any, Any], str] = {}

    def path(self, scope: Any) -> tuple[str, ...]:
        """Where a scope is; a module without a name of its own is told apart by being another call's."""
        chain = []
        while scope is not None:
            chain.append(scope)
            scope = scope.parent
        path: tuple[str, ...] = ()
        for s in reversed(chain):
            key = (path, s.name if s.name != s.kind else id(s))
            if key not in self.parts:
                twins = sum(p == path and part.split("#")[0] == s.name for (p, _), part in self.parts.items())
                self.parts[key] = f"{s.name}#{twins + 1}" if twins else s.name
            path = (*path, self.parts[key])
            self.titles[path] = s.kind if s.name == s.kind else f"{s.name}: {s.kind}"
        return path
