"""A tracer remembers with each vertex the line that applied its op, and where gradients got lost."""

from __future__ import annotations

import weakref
from typing import Any, NamedTuple

from tinygrad_pt.graph import DETACH, Node, Op, Tensor, made_by
from tinygrad_pt.lines import Line, caller
from tinygrad_pt.listening import Listener, listen
from tinygrad_pt.modes import current


class Tracer(Listener):
    """Remembers the line of every op that is applied."""

    def applied(self, op: Op, args: tuple[Any, ...], attrs: dict[str, Any], result: Tensor) -> None:
        remember(op, args, result)


class trace(listen):
    """Context manager: results of ops inside remember the line that made them; see `line_of` and `Origin`.

    >>> import tinygrad_pt as torch
    >>> from tinygrad_pt.debugging.trace import line_of, trace
    >>> with trace():
    ...     y = torch.ones(2, requires_grad=True) * 2
    >>> line_of(y.grad_fn).function
    '<module>'
    """

    def __init__(self) -> None:
        super().__init__(Tracer())


class Cut(NamedTuple):
    """A place where a gradient got lost: an op was applied to a vertex and left none."""

    node: weakref.ref[Node]
    op: str
    line: Line | None
    reason: str


class Origin(NamedTuple):
    """How a tensor without a vertex came about, as a tracer saw it.

    `reason` is "no_grad", "inference_mode", "detach", "data", "rule" (the op has no derivative), "dtype" (of the
    result), or "arguments" (none of them required grad); `cuts` are the gradients that were lost on the way here.
    """

    op: str
    line: Line | None
    reason: str
    cuts: tuple[Cut, ...]


MOST_CUTS = 64


def remember(op: Op, args: tuple[Any, ...], result: Tensor) -> None:
    """Keep the line of an application with its vertex, or, where it left none, with the tensor, and why."""
    line, node = caller(), result.node
    cuts = tuple(cut for a in args if isinstance(a, Tensor) and a.node is None and a._origin for cut in a._origin.cuts)
    if node is not None and node.parents:
        made_by(node).set_note("line", line)
        if cuts:
            made_by(node).set_note("cuts", cuts[:MOST_CUTS])
    elif node is None:
        wanting = [a.node for a in args if isinstance(a, Tensor) and a.node is not None]
        reason = _reason(op, args, result, bool(wanting))
        cuts += tuple(Cut(weakref.ref(n), op.name, line, reason) for n in wanting)
        result._origin = Origin(op.name, line, reason, cuts[:MOST_CUTS])


def _reason(op: Op, args: tuple[Any, ...], result: Tensor, wanting: bool) -> str:
    if op is DETACH:
        return "detach" if result.version is args[0].version else "data"
    if not wanting:
        return "arguments"
    state = current()
    if not state.grad:
        return "inference_mode" if state.inference else "no_grad"
    return "rule" if not op.differentiable else "dtype"


def line_of(node: Node) -> Line | None:
    """The line that applied the op of a vertex recorded under `trace`; None if nobody traced."""
    found: Line | None = made_by(node).note("line")
    return found
