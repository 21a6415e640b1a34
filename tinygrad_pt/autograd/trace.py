"""Listening to ops as they are applied, and remembering which line of the user's program applied them."""

from __future__ import annotations

import linecache
import os
import sys
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tinygrad_pt.graph import DETACH, PICK, Handle, Node
from tinygrad_pt.inplace import listeners
from tinygrad_pt.modes import current, enter

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
INSIDE = (PACKAGE, os.path.dirname(np.__file__) + os.sep)  # NumPy's decorators stand between our functions
Tape = Callable[[Any, tuple[Any, ...], dict[str, Any], Any], None]


class Line(NamedTuple):
    """A line of the user's program."""

    file: str
    number: int
    function: str

    @property
    def text(self) -> str:
        """What stands there, or "" where the source cannot be read."""
        return linecache.getline(self.file, self.number).strip()

    def __str__(self) -> str:
        return f"{self.file}:{self.number} in {self.function}" + (f": {self.text}" if self.text else "")


def user_frame() -> Any:
    """The innermost frame outside this package (and NumPy) that led here, or None."""
    frame: Any = sys._getframe()
    while frame is not None and frame.f_code.co_filename.startswith(INSIDE):
        frame = frame.f_back
    return frame


def line_at(frame: Any) -> Line | None:
    """The line at which a frame stands."""
    return None if frame is None else Line(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)


def caller() -> Line | None:
    """The innermost line outside this package (and NumPy) that led here."""
    return line_at(user_frame())


class _Several:
    """The tapes that listen, as one: they hear in the order in which they began."""

    def __init__(self, tapes: tuple[Tape, ...]) -> None:
        self.tapes = tapes

    def __call__(self, *application: Any) -> None:
        for tape in self.tapes:
            tape(*application)


def _tapes() -> tuple[Tape, ...]:
    tape = current().tape
    return tape.tapes if isinstance(tape, _Several) else () if tape is None else (tape,)


def _enter(tapes: tuple[Tape, ...]) -> None:
    enter(current().but(tape=_Several(tapes) if tapes else None))


def attend(tape: Tape) -> None:
    """Let a tape hear the ops of this task or thread from now on."""
    _enter((*_tapes(), tape))


def forget(tape: Tape) -> None:
    """Let it hear them no more (once, if it hears them twice); the others go on, whichever began first."""
    tapes = _tapes()
    at = max((i for i, one in enumerate(tapes) if one is tape), default=None)
    if at is not None:
        _enter(tapes[:at] + tapes[at + 1 :])


class listen:
    """Context manager: call `tape(op, args, attrs, result)` after every op inside, gradients wanted or not.

    Listeners nest: an outer tape hears what an inner one hears, and hears it first.
    """

    def __init__(self, tape: Tape) -> None:
        self.tape = tape

    def __enter__(self) -> None:
        attend(self.tape)

    def __exit__(self, *error: Any) -> None:
        forget(self.tape)


class trace(listen):
    """Context manager: what is made inside remembers the line that made it; see `line_of` and `Origin`.

    >>> import tinygrad_pt as torch
    >>> from tinygrad_pt.autograd.trace import line_of, trace
    >>> with trace():
    ...     y = torch.ones(2, requires_grad=True) * 2
    >>> line_of(y.grad_fn).function
    '<module>'
    """

    def __init__(self) -> None:
        super().__init__(remember)


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


def remember(op: Any, args: tuple[Any, ...], attrs: dict[str, Any], result: Any) -> None:
    """Keep the line of an application with its vertex, or, where it left none, with the tensor, and why."""
    line, node = caller(), result.node
    cuts = tuple(cut for a in args if isinstance(a, Handle) and a.node is None and a._origin for cut in a._origin.cuts)
    if node is not None and node.parents:
        made_by(node).set_note("line", line)
        if cuts:
            made_by(node).set_note("cuts", cuts[:MOST_CUTS])
    elif node is None:
        wanting = [a.node for a in args if isinstance(a, Handle) and a.node is not None]
        reason = _reason(op, args, result, bool(wanting))
        cuts += tuple(Cut(weakref.ref(n), op.name, line, reason) for n in wanting)
        result._origin = Origin(op.name, line, reason, cuts[:MOST_CUTS])


def _reason(op: Any, args: tuple[Any, ...], result: Any, wanting: bool) -> str:
    if op is DETACH:
        return "detach" if result.version is args[0].version else "data"
    if not wanting:
        return "arguments"
    state = current()
    if not state.grad:
        return "inference_mode" if state.inference else "no_grad"
    return "rule" if not op.differentiable else "dtype"


def made_by(node: Node) -> Node:
    """The vertex of the op itself: for one result of several, that of the op that made them all."""
    return node.parents[0] if node.op is PICK else node


def line_of(node: Node) -> Line | None:
    """The line that applied the op of a vertex recorded under `trace`; None if nobody traced."""
    found: Line | None = made_by(node).note("line")
    return found


# ------------------------------------------------------------------------------------------ in-place changes
MOST_CHANGES = 10_000
_changes: OrderedDict[int, Line | None] = OrderedDict()  # per clock of a change, the line that made it; the latest ones
_asking: set[Any] = set()  # who wants them
_lock = threading.Lock()


def _changed(clock: int) -> None:
    _changes[clock] = caller()
    while len(_changes) > MOST_CHANGES:
        _changes.popitem(last=False)


def hear_changes(who: Any, on: bool) -> None:
    """Remember the line of every in-place change, of optimizer steps too, as long as somebody asks for it."""
    with _lock:
        (_asking.add if on else _asking.discard)(who)
        if _changed in listeners:
            listeners.remove(_changed)
        if _asking:
            listeners.append(_changed)
        else:
            _changes.clear()


def line_of_change(clock: int) -> Line | None:
    """The line of the in-place change at this time of the engine's clock, if somebody listened."""
    return _changes.get(clock)
