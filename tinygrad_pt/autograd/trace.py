"""Listening to ops as they are applied, and remembering which line of the user's program applied them."""

from __future__ import annotations

import linecache
import os
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from tinygrad_pt.graph import PICK, Node
from tinygrad_pt.modes import Switch, current, enter

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
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


def caller() -> Line | None:
    """The innermost line outside this package that led here."""
    frame: Any = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame = frame.f_back
    return None if frame is None else Line(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)


class listen(Switch):
    """Context manager: call `tape(op, args, attrs, result)` after every op inside, gradients wanted or not.

    Listeners nest: an outer tape hears what an inner one hears, and hears it first.
    """

    def __init__(self, tape: Tape) -> None:
        super().__init__()
        self.tape = tape

    def __enter__(self) -> None:
        outer, inner = current().tape, self.tape

        def both(*application: Any) -> None:
            if outer is not None:
                outer(*application)
            inner(*application)

        self.before.append(current())
        enter(current().but(tape=inner if outer is None else both))


class trace(listen):
    """Context manager: every vertex recorded inside remembers the line that applied its op; see `line_of`.

    >>> import tinygrad_pt as torch
    >>> from tinygrad_pt.autograd.trace import line_of, trace
    >>> with trace():
    ...     y = torch.ones(2, requires_grad=True) * 2
    >>> line_of(y.grad_fn).function
    '<module>'
    """

    def __init__(self) -> None:
        super().__init__(_note_line)


def _note_line(op: Any, args: tuple[Any, ...], attrs: dict[str, Any], result: Any) -> None:
    node = result.node
    if node is not None and node.parents:
        made_by(node).set_note("line", caller())


def made_by(node: Node) -> Node:
    """The vertex of the op itself: for one result of several, that of the op that made them all."""
    return node.parents[0] if node.op is PICK else node


def line_of(node: Node) -> Line | None:
    """The line that applied the op of a vertex recorded under `trace`; None if nobody traced."""
    found: Line | None = made_by(node).note("line")
    return found
