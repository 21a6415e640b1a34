"""`mistake` names the likely error behind a wrong answer: a missing path, `=` for `+=`, a sign, a transposed matrix."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_pt.graph import OPS
from tinygrad_pt.symbol import Symbol
from tinygrad_pt.viz.model import INCOMING, Edge, Snapshot, Vertex

Array = NDArray[Any]
Answers = Mapping[tuple[str, str], Array]


@dataclass(frozen=True, eq=False)
class Step:
    """One step of a worksheet: what is asked for, its right answer, and the right answers of all steps."""

    snapshot: Snapshot
    kind: str
    of: str
    answer: Array
    truth: Answers
    near: Callable[[Array, Array], bool]

    @property
    def vertex(self) -> Vertex:
        return next(v for v in self.snapshot.vertices if v.id == self.of)

    @property
    def edge(self) -> Edge:
        return next(e for e in self.snapshot.edges if e.id == self.of)

    def values(self, told: Answers) -> dict[str, Any]:
        """The values of the vertices, as told where they were asked for."""
        return {v.id: told.get(("value", v.id), v.value) for v in self.snapshot.vertices}

    def contributions(self, told: Answers) -> list[tuple[Edge, Array]]:
        """What each path's first edge adds to a gradient, in the order in which the walk back meets them."""
        found = []
        values, birth = self.values(told), {v.id: i for i, v in enumerate(self.snapshot.vertices)}
        grads = {v.id: told.get(("grad", v.id), v.grad) for v in self.snapshot.vertices}
        edges = [e for e in self.snapshot.edges if e.source == self.of and e.flows]
        for edge in sorted(edges, key=lambda e: (birth[e.target], e.slot), reverse=True):
            g = grads[edge.target]
            local = told.get(("local", edge.id))
            if g is None:
                return []
            if local is not None:
                found.append((edge, np.asarray(g, np.float64) * local))
                continue
            r = evaluated(edge.rule, values | {INCOMING: np.asarray(g, np.float64)})
            if r is None:
                return []
            found.append((edge, r))
        return found

    def again(self, told: Answers) -> Array | None:
        """The answer that follows from the earlier ones; None where it cannot be computed."""
        if self.kind == "grad":
            parts = [part for _, part in self.contributions(told)]
            return np.asarray(sum(parts)) if parts else None
        values = self.values(told)
        if self.kind == "local":
            return evaluated(self.edge.rule, values | {INCOMING: np.ones(())})
        arguments = self.arguments(values)
        return None if arguments is None else applied(self.vertex.primitive, arguments, self.vertex.attrs)

    def arguments(self, values: Mapping[str, Any]) -> list[Any] | None:
        """What the op of the vertex is applied to; None where an argument is unknown or not drawn."""
        edges = sorted((e for e in self.snapshot.edges if e.target == self.of), key=lambda e: e.slot)
        arguments = [values[e.source] for e in edges]
        whole = [e.slot for e in edges] == list(range(len(edges)))
        return arguments if whole and edges and all(a is not None for a in arguments) else None


def mistake(step: Step, answer: Array) -> tuple[str, ...]:
    """The word for the likely mistake, and what stands in its sentence."""
    right, near = step.answer, step.near
    if answer.shape != right.shape:
        if answer.ndim == 2 and answer.T.shape == right.shape and near(answer.T, right):
            return ("transposed",)
        if answer.size > right.size and any(near(summed, right) for summed in _sums(answer, right.shape)):
            return ("unsummed",)
        return "shape", _shape(right), _shape(answer)
    if answer.ndim == 2 and near(answer.T, right):
        return ("transposed",)
    if near(-answer, right):
        return ("sign",)
    if step.kind == "grad":
        parts = step.contributions(step.truth)
        if len(parts) > 1 and near(answer, parts[-1][1]):
            return ("overwritten",)
        for edge, part in parts if len(parts) > 1 else ():
            if near(answer, right - part):
                return "path", _name(step.snapshot, edge.target)
        users = [e for e in step.snapshot.edges if e.source == step.of and e.flows]
        locals_ = [e.number for e in users if e.number is not None]
        if len(locals_) == len(users) and near(answer, np.asarray(sum(locals_))):
            return ("local",)
        grads = [step.truth.get(("grad", e.target)) for e in users]
        known = [g for g in grads if g is not None]
        if known and len(known) == len(users) and near(answer, np.asarray(sum(known))):
            return ("incoming",)
    if step.kind == "local":
        others = [e for e in step.snapshot.edges if e.target == step.edge.target and e.id != step.of]
        if any(e.number is not None and near(answer, np.asarray(e.number)) for e in others):
            return ("swapped",)
        if right.size == 1 and float(right) != 0 and near(answer * right, np.ones_like(right)):
            return ("inverse",)
    if step.kind == "value":
        arguments = step.arguments(step.values(step.truth))
        if arguments is not None and len(arguments) == 2:
            swapped = applied(step.vertex.primitive, arguments[::-1], step.vertex.attrs)
            if swapped is not None and near(answer, swapped):
                return ("swapped",)
    return ("unknown",)


def _sums(answer: Array, shape: tuple[int, ...]) -> list[Array]:
    """The sums of an answer over axes that give it another shape."""
    axes = range(answer.ndim)
    found = [np.asarray(answer.sum(axis=axis, keepdims=keep)) for axis in axes for keep in (False, True)]
    found.append(np.asarray(answer.sum()))
    return [a for a in found if a.shape == shape]


def _shape(a: Array) -> str:
    return str(list(a.shape))


def _name(snapshot: Snapshot, id_: str) -> str:
    return next(v.name for v in snapshot.vertices if v.id == id_)


def applied(primitive: str, arguments: list[Any], attrs: Mapping[str, Any]) -> Array | None:
    """An op's forward on numbers; None where it refuses."""
    if primitive not in OPS:
        return None
    try:
        with np.errstate(all="ignore"):
            found = OPS[primitive].forward(*(np.asarray(a, np.float64) for a in arguments), **attrs)
        return np.asarray(found)
    except (TypeError, ValueError, IndexError):
        return None


def evaluated(rule: Any, values: Mapping[str, Any]) -> Array | None:
    """A rule on numbers; None where a value is unknown, or the rule is a user's own code."""
    if rule is None:
        return None
    if not isinstance(rule, Symbol):
        return np.asarray(rule, np.float64)
    done: dict[int, Any] = {}
    stack: list[Any] = [rule]
    while stack:
        s = stack[-1]
        waiting = [a for a in s.args if isinstance(a, Symbol) and id(a) not in done]
        if waiting:
            stack += waiting
            continue
        if s.op is None:
            value = values.get(s.name)
            if value is None:
                return None
            done[id(s)] = np.asarray(value, np.float64)
        else:
            try:
                with np.errstate(all="ignore"):
                    done[id(s)] = s.op.forward(*(done.get(id(a), a) for a in s.args), **s.attrs)
            except (TypeError, ValueError, IndexError):
                return None
        stack.pop()
    return np.asarray(done[id(rule)])
