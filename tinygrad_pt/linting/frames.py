"""Facts that only the call stack knows: the arguments of a loss, the line of a constructor, a scheduler's `step()`.

Events say what happened, and no room knows where in the user's program it did. A loss is written in ops, so an op
alone does not tell which loss it belongs to; a scheduler is a class of the user's, so it tells nobody that it steps.
All reading of frames and their local variables is in this file.
"""

from __future__ import annotations

import ast
import inspect
import linecache
import sys
from collections.abc import Iterator
from itertools import dropwhile, takewhile
from types import CodeType, FrameType
from typing import Any

from tinygrad_pt.lines import INSIDE, Line, line_at, user_frame
from tinygrad_pt.nn import functional as NF
from tinygrad_pt.nn.module import Module
from tinygrad_pt.optim.lr_scheduler import LRScheduler
from tinygrad_pt.optim.optimizer import Optimizer


def code_of(name: str) -> CodeType:
    """The code of a function of `nn.functional`, by which its frames are known."""
    code: CodeType = inspect.unwrap(getattr(NF, name)).__code__
    return code


LOSSES = {
    code_of(name): name
    for name in (
        "mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "binary_cross_entropy",
        "binary_cross_entropy_with_logits", "cross_entropy", "nll_loss", "kl_div", "multi_margin_loss",
        "multilabel_margin_loss", "multilabel_soft_margin_loss",
    )
}  # fmt: skip
DROPOUTS = frozenset(map(code_of, ("dropout", "dropout1d", "dropout2d", "dropout3d")))


def stack(frame: FrameType | None = None) -> Iterator[FrameType]:
    """All frames from this one outwards; from the caller's, if none is given."""
    frame = frame or sys._getframe(1)
    while frame is not None:
        yield frame
        frame = frame.f_back


def ours(frame: FrameType) -> bool:
    """Whether a frame belongs to this package, or to NumPy."""
    return frame.f_code.co_filename.startswith(INSIDE)


def users() -> Iterator[FrameType]:
    """The frames of the user's functions, innermost first."""
    return (frame for frame in stack() if not ours(frame))


def losses() -> list[tuple[str, dict[str, Any]]]:
    """The losses of `nn.functional` that the user is computing, innermost first, each with its arguments."""
    return [(LOSSES[f.f_code], f.f_locals) for f in takewhile(ours, stack()) if f.f_code in LOSSES]


def call_of_dropout() -> FrameType | None:
    """The user's frame that is calling a dropout of `nn.functional`."""
    for frame in takewhile(ours, stack()):
        outer = frame.f_back
        if frame.f_code in DROPOUTS and outer is not None and not ours(outer):
            return outer
    return None


def call_at(frame: FrameType) -> ast.Call | None:
    """The call that a frame is in the middle of, parsed from its source; None where that cannot be read."""
    positions = list(frame.f_code.co_positions())[frame.f_lasti // 2]
    first, last, start, end = positions
    if first is None or last is None or start is None or end is None:
        return None
    lines = [linecache.getline(frame.f_code.co_filename, n).encode() for n in range(first, last + 1)]
    if not all(lines):
        return None
    lines[-1] = lines[-1][:end]
    lines[0] = lines[0][start:]
    try:
        call = ast.parse(b"".join(lines).decode(), mode="eval").body
    except (SyntaxError, UnicodeDecodeError):
        return None
    return call if isinstance(call, ast.Call) else None


def place_of_making(thing: Any) -> Line | None:
    """The line that makes a thing in whose constructor we are: outside the constructors of the user's subclasses."""
    frame = user_frame()
    while frame is not None and frame.f_code.co_name == "__init__" and frame.f_back is not None:
        if not any(value is thing for value in frame.f_locals.values()):
            break
        frame = frame.f_back
    return line_at(frame)


def list_with(thing: Any) -> str:
    """The name of the user's list that holds a thing, or ""."""
    for frame in stack():
        if not ours(frame):
            for name, value in {**frame.f_globals, **frame.f_locals}.items():
                if type(value) is list and any(v is thing for v in value):
                    return name
    return ""


# ------------------------------------------------------------------------------------------ schedulers
def methods() -> Iterator[tuple[str, Any, FrameType]]:
    """(name, first argument, frame) of all functions that are being called, innermost first."""
    for frame in stack():
        code = frame.f_code
        if code.co_argcount:
            yield code.co_name, frame.f_locals.get(code.co_varnames[0]), frame


def scheduler_of(optimizer: Optimizer) -> tuple[Any, Line | None] | None:
    """The object whose `step()` reads the groups of an optimizer that it holds, and the line that called that `step()`.

    None in its constructor, or that of another scheduler, in the optimizer itself, and where `step(…)` was told which
    step it is.
    """
    found = None
    readers = dropwhile(lambda call: call[0] != "param_groups", methods())
    next(readers, None)  # the property itself
    for name, this, frame in readers:
        if found is not None:
            if name == "__init__" and (this is found[0] or isinstance(this, LRScheduler)):
                return None
        elif this is optimizer:
            return None
        elif name == "step" and not isinstance(this, (Optimizer, Module)):
            code = frame.f_code
            given = (frame.f_locals.get(n) is not None for n in code.co_varnames[1 : code.co_argcount])
            if not any(given) and any(value is optimizer for value in getattr(this, "__dict__", {}).values()):
                found = this, line_at(next((f for f in stack(frame.f_back) if not ours(f)), None))
    return found


def within(scheduler: Any) -> bool:
    """Whether we are in the `step()` of a scheduler."""
    return any(name == "step" and this is scheduler for name, this, _ in methods())
