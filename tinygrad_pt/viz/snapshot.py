"""`taken` reads the graph behind tensors: its values, gradients and local derivatives at one moment.

The engine keeps nothing for the sake of pictures, except small constants. Values that no rule saved are computed again
from those that are still there. If something has changed since, all is computed from what stands now, and the caption
says so; what is gone is shown as unknown, and the caption says what keeps it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_pt.debugging.replay import Boxes, Number, Replay, with_history
from tinygrad_pt.errors import refuse
from tinygrad_pt.graph import Constant, Leaf, Node, Tensor, made_by
from tinygrad_pt.language import chosen
from tinygrad_pt.modes import Scope
from tinygrad_pt.symbol import Symbol
from tinygrad_pt.viz.algebra import UNIT, simplify
from tinygrad_pt.viz.expression import copied, substitute
from tinygrad_pt.viz.formula import applied_rule, op_sign, render
from tinygrad_pt.viz.model import INCOMING, Edge, Snapshot, Vertex
from tinygrad_pt.viz.naming import TARGETS, Known, Names, names_of
from tinygrad_pt.viz.text import WORDS, decimal
from tinygrad_pt.viz.verification import disagrees

LARGEST = 20_000  # values: reading them takes seconds


def taken(
    outputs: Tensor | Sequence[Tensor], names: Names, title: str = "", max_nodes: int = LARGEST,
    lang: str | None = None, constants: bool = True, verify: bool = False,
) -> Snapshot:  # fmt: skip
    """The graph that the outputs were computed by, as plain data: it keeps neither tensors nor graph alive."""
    tensors = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
    if not tensors:
        raise refuse(ValueError, "there is nothing to draw: no tensor was given")
    takes, text = "draw() takes a tensor", "this tensor has no history to draw: it does not require grad"
    roots = {with_history(t, takes, text): t for t in tensors}
    lang = chosen(lang)
    graph = Boxes(*roots)
    if len(graph.scope) > max_nodes:
        text = f"the graph has {len(graph.scope)} values, more than are read for a picture ({max_nodes})"
        mend = "draw a smaller batch or a part of the network, or pass max_nodes="
        raise refuse(ValueError, text, mend=mend)
    found = Reader(graph, roots, names, lang, verify).snapshot(title)
    return found if constants else without_constants(found)


def without_constants(snapshot: Snapshot) -> Snapshot:
    """The snapshot without the vertices of constants; rules still speak of them."""
    vertices = tuple(v for v in snapshot.vertices if v.kind != "const")
    ids = {v.id for v in vertices}
    return replace(snapshot, vertices=vertices, edges=tuple(e for e in snapshot.edges if e.source in ids))


class Reader:
    """One reading of one graph: values, then names, then gradients, then the picture."""

    def __init__(self, graph: Boxes, roots: dict[Node, Any], names: Names, lang: str, verify: bool = False) -> None:
        self.verify = verify
        self.graph, self.roots, self.lang, self.words = graph, roots, lang, WORDS[lang]
        self.known: Known = names.tensors(graph.scope, graph.constants.values())
        self.handle: dict[Any, Any] = {t.node: t for t, *_ in self.known.values() if t.node is not None}
        self.handle |= roots
        self.replay = Replay(graph, self.handle)
        unseen = not self.replay.changed and self.replay.disagrees()
        self.renewed = unseen or bool(self.replay.changed)
        if self.renewed:
            self.replay.renew(everything=unseen)
        self.handle, self.value = self.replay.handle, self.replay.value
        self.name, self.latex = names_of(graph.scope, self.handle, self.known, made_by)
        if lang == "pt":
            self.name |= {b: self.name[b].replace(".", ",") for b in graph.scope if isinstance(b, Number)}
        self.id = {box: f"n{i}" for i, box in enumerate(graph.scope)}
        self.symbol = {box: Symbol(id_, tuple(box.shape), box.dtype) for box, id_ in self.id.items()}
        self.shown = {id_: Symbol(self.name[box], tuple(box.shape), box.dtype) for box, id_ in self.id.items()}
        self.dtypes = {dtype: str(dtype) for dtype in {box.dtype for box in graph.scope}}
        self.attrs = {
            node: {} if "ctx" in attrs else {key: copied(value) for key, value in attrs.items()}
            for node in graph.nodes
            for attrs in (made_by(node).attrs,)
        }
        self.seeds = {node: seed for node in roots if (seed := node.note("seed")) is not None}
        self.grad = self.replay.gradients(self.seeds) if self.seeds else {}

    # ------------------------------------------------------------------------------------ the picture
    def snapshot(self, title: str) -> Snapshot:
        """The picture of all that was read."""
        frames = _Frames()
        vertices = tuple(self._vertex(box, id_, frames) for box, id_ in self.id.items())
        with np.errstate(all="ignore"):
            edges = tuple(
                self._edge(node, slot, box)
                for node in self.graph.nodes for slot, box in enumerate(self.graph.slots[node]) if box is not None
            )  # fmt: skip
        return Snapshot(vertices, edges, frames.titles, title, self._caption(edges))

    def _caption(self, edges: Sequence[Edge]) -> str:
        """What a reader must know about all the numbers."""
        parts = [self.words["renewed"]] if self.renewed else []
        parts += [self.words["lost"]] if any(x is None for x in self.value.values()) else []
        parts += [self.words["wrong"]] if any(edge.wrong for edge in edges) else []
        return " ".join(parts)

    def _vertex(self, box: Any, id_: str, frames: _Frames) -> Vertex:
        value, grad = self.value[box], self.grad.get(box)
        entry = self.known.get(id(self.handle.get(box)))
        outside = isinstance(box, (Leaf, Constant)) and entry is not None and not entry[2]
        made = made_by(box) if isinstance(box, Node) and box.parents else None
        return Vertex(
            id=id_, name=self.name[box], op="" if made is None else op_sign(made.op, made.attrs),
            kind=self._kind(box), shape=tuple(box.shape), dtype=self.dtypes[box.dtype],
            value=None if value is None else np.array(value), grad=None if grad is None else np.array(grad),
            requires_grad=isinstance(box, Node), scope=() if outside else frames.path(self.graph.scope[box]),
            note=self._note(box, value, grad),
            primitive="" if made is None else made.op.name, attrs=self.attrs.get(box, {}),
            latex=self.latex.get(box, ""),
        )  # fmt: skip

    def _kind(self, box: Any) -> str:
        if box in self.roots:
            return "loss"
        if isinstance(box, Node):
            return "param" if isinstance(box, Leaf) else "op"
        if isinstance(box, Number) or id(self.handle[box]) not in self.known:
            return "const"
        return "target" if self.name[box].rpartition(".")[2].rstrip("0123456789_") in TARGETS else "input"

    def _note(self, box: Any, value: Any, grad: Any) -> str:
        """A warning to the reader where the numbers alone would mislead."""
        if value is None and (isinstance(box, Constant) or "ctx" in made_by(box).attrs):  # not where it spread to
            return self.words["unkept"]
        if self.renewed:  # `.grad` is that of the values as they were
            return ""
        held = getattr(self.handle.get(box), "_grad", None)
        if held is None or not self.seeds or not isinstance(box, Node):
            return ""
        x = held.array
        if grad is not None and np.allclose(x, grad, rtol=1e-5, atol=1e-8, equal_nan=True):
            return ""
        size = x.item() if x.size == 1 else float(np.linalg.norm(x.ravel()))
        return f"{'.grad' if x.size == 1 else '‖.grad‖'} = {decimal(size, lang=self.lang)}"

    def _edge(self, node: Node, slot: int, box: Any) -> Edge:
        made, boxes, ends = made_by(node), self.graph.slots[node], (self.id[box], self.id[node], slot)
        if self.replay.rule(node, slot) is None or not isinstance(box, Node):
            return Edge(*ends, flows=False)
        scalar, rule = node.shape == () == tuple(box.shape), self._rule(node, slot)
        g = UNIT if scalar else Symbol("ḡ", tuple(node.shape), node.dtype)
        if "ctx" in made.attrs:
            text = f"{op_sign(made.op)}.backward({g.name})"
        else:
            near = (self.id[b] for b in (*boxes, self.graph.results.get(made, node)) if b is not None)
            text = render(simplify(substitute(rule, {id_: self.shown[id_] for id_ in near} | {INCOMING: g})))
        which = f"⁽{'¹²³⁴⁵⁶⁷⁸⁹'[slot]}⁾" if boxes.count(box) > 1 and slot < 9 else ""
        wrong = self.verify and self._wrong(node, slot)
        mark = "✗" * wrong
        if not scalar:
            return Edge(*ends, f"∇{self.name[box]}{which} ← {text}", rule=rule, wrong=wrong, mark=mark)
        number = self.replay.local(node, slot, np.ones((), node.dtype))
        symbol = f"∂{self.name[node]}/∂{self.name[box]}{which} = {text}"
        return Edge(*ends, symbol, None if number is None else float(number), rule=rule, wrong=wrong, mark=mark)

    def _wrong(self, node: Node, slot: int) -> bool:
        """Whether finite differences disagree with a rule; of a user's own Function nothing is said."""
        made, xs = made_by(node), self.replay.arguments(node)
        gone = any(x is None and box is not None for x, box in zip(xs, self.graph.slots[node], strict=True))
        return "ctx" not in made.attrs and not gone and disagrees(made.op, xs, made.attrs, slot, node.attrs.get("part"))

    def _rule(self, node: Node, slot: int) -> Symbol | NDArray[Any] | float | None:
        """The rule of one argument, in the ids of the vertices; None for a user's own code."""
        made, boxes = made_by(node), self.graph.slots[node]
        if "ctx" in made.attrs:
            return None
        g = self.replay.parts(
            node, Symbol(INCOMING, tuple(node.shape), node.dtype), lambda shape, dtype: Symbol("0", shape, dtype)
        )
        xs = tuple(getattr(b, "raw", self.symbol.get(b)) for b in boxes)
        y = self._result(node)
        rule, shape = self.replay.rule(node, slot), node.shape
        if made.op.elementwise and all(b.shape == shape for b in boxes):  # nothing is broadcast
            return rule(g, y, *xs, **self.attrs[node])
        return applied_rule(rule, g, y, xs, self.attrs[node], tuple(boxes[slot].shape))

    def _result(self, node: Node) -> Symbol:
        """The y that the rules of a node's op read: of several results the first, which need not be in the picture."""
        made = made_by(node)
        first = self.graph.results.get(made, node)
        return Symbol("y", tuple(made.shape), made.dtype) if first.attrs.get("part") else self.symbol[first]


class _Frames:
    """The module frames: a path and a title for every scope, none shared by two modules of one kind."""

    def __init__(self) -> None:
        self.titles: dict[tuple[str, ...], str] = {}
        self.parts: dict[tuple[Any, Any], str] = {}

    def path(self, scope: Scope | None) -> tuple[str, ...]:
        """Where a scope is; a module without a name of its own is told apart by being another call's."""
        chain: list[Scope] = []
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
