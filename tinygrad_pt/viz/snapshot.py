"""Reading the graph behind a tensor into a `Snapshot`: values, gradients and local derivatives of one moment.

Nothing here is kept by the engine for the sake of pictures. Values that no rule saved are computed again from
those that are still there; whatever has changed since, or is gone, is shown as unknown rather than guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from tinygrad_pt.autograd.engine import order
from tinygrad_pt.errors import failure
from tinygrad_pt.graph import PICK, SAVED, Constant, Handle, Leaf, Node, Op, Symbol
from tinygrad_pt.ops import sum_to
from tinygrad_pt.viz.formula import number, op_sign, read
from tinygrad_pt.viz.model import Edge, Snapshot, Vertex

TARGETS = ("t", "y", "target", "targets", "label", "labels", "alvo", "Y", "T")
MAX_NODES = 400


def snapshot(root: Any, names: Mapping[str, Any] | None = None, title: str = "", max_nodes: int = MAX_NODES) -> Snapshot:
    """The graph that `root` was computed by.

    Args:
        root: a tensor with history.
        names: what the tensors are called, e.g. `locals()`; modules among them name their parameters.
        max_nodes: refuse to draw more.

    Raises:
        RuntimeError: `root` has no history. ValueError: the graph is too large to be read.
    """
    if not isinstance(root, Handle):
        raise TypeError(f"draw() takes a tensor, not {type(root).__name__}")
    if root.node is None:
        raise failure(
            RuntimeError, "this tensor has no history to draw: it does not require grad", args=(root,),
            mend="compute it, outside no_grad(), from a tensor with requires_grad=True",
        )  # fmt: skip
    return _Reader(root, names or {}, max_nodes).snapshot(title)


class _Reader:
    """One reading of one graph: its vertices in order of birth, then their names, values and gradients."""

    def __init__(self, root: Any, names: Mapping[str, Any], max_nodes: int) -> None:
        self.root = root
        nodes = [n for n in order([root.node]) if not isinstance(n.note("shapes"), tuple)]
        self.nodes: list[Node] = nodes[::-1]
        self.things: list[Any] = []  # what gets a box: nodes, leaves, constants, numbers; arguments first
        self.slots: dict[Any, list[Any]] = {}  # per node: its arguments as keys of things
        self.scope: dict[Any, Any] = {}
        seen: set[Any] = set()
        for node in self.nodes or [root.node]:
            keys = [self._thing(node, i, p) for i, p in enumerate(arguments(node))]
            for key in [*keys, node]:
                if key not in seen:
                    seen.add(key)
                    self.things.append(key)
                    self.scope[key] = node.scope
            self.slots[node] = keys
        if len(self.things) > max_nodes:
            raise ValueError(
                f"the graph has {len(self.things)} values, more than can be read in one picture ({max_nodes})\n"
                "  mend: draw a smaller batch or a part of the network, or pass max_nodes="
            )
        self.known = _known(names)
        self.handles = {t.node: t for t in self.known.values() if t.node is not None} | {root.node: root}
        self.value: dict[Any, Any] = {}
        for thing in self.things:
            self.value[thing] = self._value(thing)
        self.names = self._names()
        self.grads = self._gradients()

    # ------------------------------------------------------------------------------------ what there is
    def _thing(self, node: Node, slot: int, p: Any) -> Any:
        """The key of an argument: a vertex, a constant tensor (one however often used), or a number."""
        if isinstance(p, Node):
            return p
        if isinstance(p, Constant):
            t = p.handle()
            return _Constant(id(p if t is None else t), p, t)
        return _Number(node, slot, p)

    def _value(self, thing: Any) -> Any:
        """The value of a vertex when its consumers were computed, or None if nobody knows any more."""
        if isinstance(thing, _Number):
            return np.asarray(thing.value) if thing.value is not None else None
        if isinstance(thing, _Constant):
            t = thing.handle
            if t is None:
                return self._saved(thing.constant)
            return None if self._changed(thing, t.version) else t.array
        if isinstance(thing, Leaf):
            return None if self._changed(thing, thing.version) else thing.value
        t = self.handles.get(thing)
        if t is not None and t.version[1] <= self._last_use(thing):
            return t.array
        found = self._saved(thing)
        return self._again(thing) if found is None else found

    def _last_use(self, thing: Any) -> int:
        return max((n.born for n in self.nodes if thing in self.slots[n]), default=thing.born)

    def _changed(self, thing: Any, version: list[int]) -> bool:
        first = min((n.born for n in self.nodes if thing in self.slots[n]), default=version[1] + 1)
        return version[1] > first

    def _saved(self, thing: Any) -> Any:
        """A value that some rule saved, provided nothing has changed it since."""
        for node in self.nodes:
            if node.args is None:
                continue
            guards = node.guards
            kept = 0
            for owner, a in zip((node, *node.parents), node.args, strict=False):
                if isinstance(a, SAVED):
                    fresh = guards[kept][0] == guards[kept + 1] if kept + 1 < len(guards) else False
                    kept += 2
                    if (owner is thing) and fresh:
                        return np.asarray(a)
        return None

    def _again(self, node: Node) -> Any:
        """The value of a node computed once more from its arguments."""
        xs = [self.value.get(key) for key in self.slots[node]]
        if any(x is None and not (isinstance(k, _Number) and k.value is None) for x, k in zip(xs, self.slots[node], strict=True)):
            return None
        op, attrs = whole(node)
        if op.name not in PURE:
            return None
        xs = [k.value if isinstance(k, _Number) else x for k, x in zip(self.slots[node], xs, strict=True)]
        with np.errstate(all="ignore"):
            y = op.forward(*xs, **attrs)
        return np.asarray(y[node.attrs["part"]] if node.op is PICK else y)

    # ------------------------------------------------------------------------------------ names
    def _names(self) -> dict[Any, str]:
        """Given names, else names made of the op; each once."""
        by_node = {t.node: name for name, t in reversed(self.known.items()) if t.node is not None}
        by_handle = {id(t): name for name, t in reversed(self.known.items())}
        taken: set[str] = set()
        count: dict[str, int] = {}
        found = {}
        for thing in self.things:
            if isinstance(thing, _Number):
                name = number(thing.value) if thing.value is not None else "none"
                found[thing] = name
                continue
            if isinstance(thing, _Constant):
                name = getattr(thing.handle, "name", None) or by_handle.get(thing.key, "")
                stem = "c"
            else:
                handle = thing.handle() if isinstance(thing, Leaf) else self.handles.get(thing)
                name = getattr(handle, "name", None) or by_node.get(thing, "")
                stem = "w" if isinstance(thing, Leaf) else _stem(thing)
            while not name or name in taken:
                stem = name or stem
                count[stem] = count.get(stem, 0 if not name else 1) + 1
                name = f"{stem}{count[stem]}" if not name else f"{stem}_{count[stem]}"
            taken.add(name)
            found[thing] = name
        return found

    # ------------------------------------------------------------------------------------ gradients
    def _gradients(self) -> dict[Any, Any]:
        """∂root/∂vertex for every vertex, if a backward pass has run from the root; else nothing is computed yet."""
        seed = self.root.node.note("seed")
        if seed is None:
            return {}
        grads: dict[Any, Any] = {self.root.node: np.asarray(seed.array if isinstance(seed, Handle) else seed)}
        unknown: set[Any] = set()
        with np.errstate(all="ignore"):
            for node in reversed(self.nodes):
                g = grads.get(node)
                for slot, key in enumerate(self.slots[node]):
                    if not isinstance(key, Node):
                        continue
                    r = None if g is None else self._local(node, slot, g)
                    if r is None:
                        unknown.add(key)
                    else:
                        grads[key] = grads[key] + r if key in grads else r
                if node in unknown:
                    grads.pop(node, None)
        return {key: g for key, g in grads.items() if key not in unknown}

    def _local(self, node: Node, slot: int, g: Any) -> Any:
        """What one edge carries back when its node has gradient g: the node's own rule, read with arrays."""
        op, attrs = whole(node)
        if op.name not in PURE:
            return None
        keys = self.slots[node]
        xs = [k.value if isinstance(k, _Number) else self.value[k] for k in keys]
        xs = [Shaped(k.shape, k.dtype) if x is None and isinstance(k, (Node, _Constant)) else x for x, k in zip(xs, keys, strict=True)]
        rule = op.rules_for(len(keys))[slot]
        if rule is None:
            return None
        if node.op is PICK:
            parts = [np.zeros(s, node.dtype) for s in node.parents[0].note("shapes")]
            parts[node.attrs["part"]] = g
            g = parts
        try:
            r = np.asarray(rule(g, self.value[node], *xs, **attrs))
        except (TypeError, AttributeError):  # it wants a value that is gone
            return None
        return sum_to(r, shape=keys[slot].shape) if r.shape != keys[slot].shape else r

    # ------------------------------------------------------------------------------------ the picture
    def snapshot(self, title: str) -> Snapshot:
        ids = {thing: f"n{i}" for i, thing in enumerate(self.things)}
        scopes: dict[tuple[str, ...], str] = {}
        vertices = [self._vertex(thing, ids[thing], scopes) for thing in self.things]
        edges = [
            self._edge(node, slot, key, ids) for node in self.nodes for slot, key in enumerate(self.slots[node])
        ]
        return Snapshot(tuple(vertices), tuple(edges), scopes, title)

    def _vertex(self, thing: Any, id_: str, scopes: dict[tuple[str, ...], str]) -> Vertex:
        value, grad = self.value[thing], self.grads.get(thing)
        path: tuple[str, ...] = ()
        outside = isinstance(thing, _Constant) and self.names[thing] in self.known
        for name, kind in () if outside or self.scope[thing] is None else self.scope[thing].path():
            path = (*path, name)
            scopes[path] = kind if name == kind else f"{name}: {kind}"
        differentiable = isinstance(thing, Node)
        return Vertex(
            id=id_, name=self.names[thing], op=op_sign(whole(thing)[0]) if differentiable and not isinstance(thing, Leaf) else "",
            kind=self._kind(thing), shape=np.shape(thing.value) if isinstance(thing, _Number) else tuple(thing.shape),
            dtype=str(np.asarray(value).dtype if isinstance(thing, _Number) else thing.dtype),
            value=None if value is None else np.array(value), grad=None if grad is None else np.array(grad),
            requires_grad=differentiable, scope=path, note=self._note(thing, value, grad),
        )  # fmt: skip

    def _kind(self, thing: Any) -> str:
        if thing is self.root.node:
            return "loss"
        if isinstance(thing, Leaf):
            return "param"
        if isinstance(thing, Node):
            return "op"
        if isinstance(thing, _Number) or self.names[thing] not in self.known:
            return "const"
        return "target" if self.names[thing].rpartition(".")[2] in TARGETS else "input"

    def _note(self, thing: Any, value: Any, grad: Any) -> str:
        """What the reader must know lest the numbers mislead."""
        if value is None and isinstance(thing, (Leaf, _Constant)):
            handle = thing.handle() if isinstance(thing, Leaf) else thing.handle
            return "changed since" if handle is not None else ""
        if isinstance(thing, Leaf) and grad is not None:
            t = thing.handle()
            if t is not None and t._grad is not None and not np.array_equal(t._grad.array, grad, equal_nan=True):
                whole_ = t._grad.array
                return f".grad holds {number(whole_)} (accumulated)" if whole_.size == 1 else ".grad has accumulated more"
        return ""

    def _edge(self, node: Node, slot: int, key: Any, ids: dict[Any, str]) -> Edge:
        op, attrs = whole(node)
        keys = self.slots[node]
        rule = op.rules_for(len(keys))[slot] if isinstance(key, Node) else None
        if rule is None:
            return Edge(ids[key], ids[node], slot, flows=False)
        scalar = node.shape == () and all(np.shape(k.value) == () if isinstance(k, _Number) else k.shape == () for k in keys)
        names = [self.names[k] for k in keys]
        args = tuple(
            k.value if isinstance(k, _Number) else Symbol(n, tuple(k.shape), k.dtype) for k, n in zip(keys, names, strict=True)
        )
        y = Symbol(self.names[node], node.shape, node.dtype)
        g = Symbol("1" if scalar else "ḡ", node.shape, node.dtype)
        text = "" if node.op is PICK else read(rule, g, y, args, attrs, tuple(key.shape))
        if scalar:
            one = self._local(node, slot, node.dtype.type(1))
            left = f"∂{self.names[node]}/∂{self.names[key]}"
            return Edge(ids[key], ids[node], slot, f"{left} = {text}" if text else left, None if one is None else float(one))
        if node.op is PICK:
            text = f"ḡ → part {node.attrs['part']}"
        return Edge(ids[key], ids[node], slot, f"∇{self.names[key]} ← {text or 'its rule(ḡ)'}")


class _Constant:
    """A constant tensor among the arguments: equal if it is the same tensor."""

    def __init__(self, key: int, constant: Constant, handle: Any) -> None:
        self.key, self.constant, self.handle = key, constant, handle
        self.shape, self.dtype = constant.shape, constant.dtype

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Constant) and other.key == self.key

    def __hash__(self) -> int:
        return hash(self.key)


class _Number:
    """A Python number among the arguments: one per use."""

    def __init__(self, node: Node, slot: int, value: Any) -> None:
        self.value, self.born = value, node.born


class Shaped:
    """Stands for a value that is gone: a rule may ask its shape, not its numbers."""

    def __init__(self, shape: tuple[int, ...], dtype: Any) -> None:
        self.shape, self.dtype, self.ndim = shape, dtype, len(shape)


class _Pure:
    """The names of ops whose forward is a pure function of arrays: all but the user's own Functions."""

    def __contains__(self, name: str) -> bool:
        return "." not in name


PURE = _Pure()


def arguments(node: Node) -> Iterable[Any]:
    """The arguments of a vertex; of one result of many, those of the op that made them all."""
    return node.parents[0].parents if node.op is PICK else node.parents


def whole(node: Node) -> tuple[Op, dict[str, Any]]:
    """The op of a vertex and its attributes; of one result of many, those of the op that made them all."""
    master = node.parents[0] if node.op is PICK else node
    return master.op, master.attrs


def _stem(node: Node) -> str:
    return whole(node)[0].name.rpartition(".")[2].lower()


def _known(names: Mapping[str, Any]) -> dict[str, Any]:
    """Tensors by name: those named themselves, those in lists and dicts, and the parameters of modules."""
    found: dict[str, Any] = {}
    modules = [v for v in names.values() if hasattr(v, "named_parameters")]
    for name, value in names.items():
        if name.startswith("_"):
            continue
        if isinstance(value, Handle):
            found[name] = value
        elif hasattr(value, "named_parameters") and not isinstance(value, type):
            prefix = f"{name}." if len({id(m) for m in modules}) > 1 else ""
            found.update((prefix + path, p) for path, p in value.named_parameters())
        elif isinstance(value, (list, tuple)) and len(value) <= 256:
            found.update((f"{name}[{i}]", v) for i, v in enumerate(value) if isinstance(v, Handle))
        elif isinstance(value, dict) and len(value) <= 256:
            found.update((f"{name}[{k}]", v) for k, v in value.items() if isinstance(k, str) and isinstance(v, Handle))
    return found
