"""`data_of` makes a snapshot into what the page computes with: values, gradients, rules and equations as plain JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_pt.graph import OPS
from tinygrad_pt.symbol import Symbol
from tinygrad_pt.viz.algebra import UNIT
from tinygrad_pt.viz.card import block
from tinygrad_pt.viz.expression import to_data
from tinygrad_pt.viz.model import INCOMING, Edge, Snapshot, Vertex
from tinygrad_pt.viz.player.markup import Marker, name
from tinygrad_pt.viz.text import clean

LARGEST = 256  # elements of an array that the page computes with

Array = NDArray[Any]


# ------------------------------------------------------------------------------------------ the backward pass
def computed(expression: Any, known: Mapping[str, Any]) -> Any:
    """The value of an expression, as an array; None if a value that it needs is unknown."""
    if isinstance(expression, (tuple, list)):
        parts = [computed(part, known) for part in expression]
        return None if any(part is None for part in parts) else type(expression)(parts)
    if not isinstance(expression, Symbol):
        return expression
    if expression.op is None:
        return known.get(expression.name)
    args = [None if a is None else computed(a, known) for a in expression.args]
    if any(a is None and b is not None for a, b in zip(args, expression.args, strict=True)):
        return None
    with np.errstate(all="ignore"):
        return np.asarray(expression.op.forward(*args, **expression.attrs))


def ops_in(expression: Any) -> set[str]:
    """The names of the ops of an expression."""
    parts = expression.args if isinstance(expression, Symbol) else expression
    own = {expression.op.name} if isinstance(expression, Symbol) and expression.op is not None else set()
    return own.union(*map(ops_in, parts)) if isinstance(parts, (tuple, list)) else own


def walked(snapshot: Snapshot) -> tuple[Snapshot, dict[str, Array]]:
    """The snapshot with the gradients of a backward pass, run by its own rules if none has run; and what flows along
    each edge, by the edge's id.
    """
    known: dict[str, Any] = {v.id: np.asarray(v.value) for v in snapshot.vertices if v.value is not None}
    given = {v.id: v.grad for v in snapshot.vertices if v.grad is not None}
    into: dict[str, list[Edge]] = {}
    for edge in snapshot.edges:
        into.setdefault(edge.target, []).append(edge)
    roots = (v for v in snapshot.vertices if v.kind == "loss" and v.id in known)
    found: dict[str, Any] = {v.id: np.ones_like(known[v.id]) for v in roots} | given
    sums: dict[str, Array] = {}
    parts: dict[str, Array] = {}
    for vertex in reversed(snapshot.vertices):
        g = found.get(vertex.id, sums.get(vertex.id))
        if g is None:
            continue
        found[vertex.id] = g
        for edge in sorted(into.get(vertex.id, ()), key=lambda e: e.slot):
            part = computed(edge.rule, {**known, INCOMING: np.asarray(g)}) if edge.flows else None
            if part is not None:
                parts[edge.id] = np.asarray(part)
                sums[edge.source] = sums[edge.source] + part if edge.source in sums else parts[edge.id]
    vertices = tuple(replace(v, grad=found.get(v.id)) for v in snapshot.vertices)
    return replace(snapshot, vertices=vertices), parts


# ------------------------------------------------------------------------------------------ plain data
def number(x: Any) -> int | float | str:
    """A number with as many digits as tell it from all others of its dtype.

    >>> number(np.float32(0.1)), number(0.1), number(float("nan")), number(np.True_)
    (0.1, 0.1, 'nan', 1)
    """
    if not isinstance(x, (float, np.floating)):
        return int(x)
    text = str(x)
    if text in ("nan", "inf", "-inf"):
        return text
    return int(value) if (value := float(text)).is_integer() and abs(value) < 1e6 else value


def shown(value: Array | float | None, letter: str) -> Any:
    """An array as the page gets it: its elements row after row, or of a large one what its card says."""
    if value is None:
        return None
    array = np.asarray(value)
    if array.size > LARGEST or array.dtype.kind not in "biuf":
        return {"lines": list(block(array, letter, "", "en").lines)}
    return [number(x) for x in array.ravel()]


# ------------------------------------------------------------------------------------------ the whole
def data_of(snapshot: Snapshot, parts: Mapping[str, Array]) -> dict[str, Any]:
    """Vertices in order of birth and edges in order of their targets, for the page."""
    symbols = {v.id: Symbol(v.id, v.shape, _dtype(v)) for v in snapshot.vertices}
    marker = Marker(symbols)
    args: dict[str, dict[int, str]] = {}
    for edge in snapshot.edges:
        args.setdefault(edge.target, {})[edge.slot] = edge.source
    paths = Counter(edge.source for edge in snapshot.edges if edge.flows)  # where one flows alone, it is the gradient
    return {
        "nodes": [_vertex(v, args.get(v.id, {}), symbols, marker) for v in snapshot.vertices],
        "edges": [_edge(e, symbols, marker, parts if paths[e.source] > 1 else {}) for e in snapshot.edges],
    }


def _dtype(vertex: Vertex) -> np.dtype[Any]:
    return np.dtype(np.float64) if vertex.value is None else np.asarray(vertex.value).dtype


def _vertex(
    vertex: Vertex, slots: Mapping[int, str], symbols: Mapping[str, Symbol], marker: Marker
) -> dict[str, Any]:  # fmt: skip
    label = clean(vertex.name) or vertex.id
    said: dict[str, Any] = {
        "id": vertex.id, "name": label, "mark": name(f"${vertex.latex}$" if vertex.latex else label),
        "kind": vertex.kind, "shape": list(vertex.shape), "dtype": clean(vertex.dtype, 16),
        "value": shown(vertex.value, "v"), "grad": shown(vertex.grad, "∇"), "wants": vertex.differentiable,
    }  # fmt: skip
    if vertex.op or vertex.primitive:
        names = [slots.get(i) for i in range(max(slots, default=-1) + 1)]
        op, xs = OPS.get(vertex.primitive), tuple(None if n is None else symbols[n] for n in names)
        said |= {"sign": clean(vertex.op, 16), "op": vertex.primitive, "args": names}
        if op is not None:
            said["form"] = marker.markup(Symbol(op=op, args=xs, attrs=dict(vertex.attrs)))
        try:
            said["attrs"] = {key: to_data(value, symbols) for key, value in vertex.attrs.items()}
        except TypeError:  # an attribute that no JSON holds, of an op that the page does not know
            said["op"] = ""
    return said


def _edge(
    edge: Edge, symbols: Mapping[str, Symbol], marker: Marker, parts: Mapping[str, Array]
) -> dict[str, Any]:  # fmt: skip
    said: dict[str, Any] = {"source": edge.source, "target": edge.target, "slot": edge.slot}
    if not edge.flows:
        return said
    said |= {"flows": True} | ({"part": shown(parts[edge.id], "∇")} if edge.id in parts else {})
    if edge.rule is not None:
        source, target = symbols[edge.source], symbols[edge.target]
        said["local"] = marker.markup(edge.rule, UNIT if source.shape == () == target.shape else target)
        try:
            said["rule"] = to_data(edge.rule, {*symbols, INCOMING})
        except TypeError:
            said["rule"] = {"op": "", "args": []}
    else:
        said["symbol"] = clean(edge.symbol, 80)
    return said
