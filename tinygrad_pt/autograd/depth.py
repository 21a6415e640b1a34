"""Walks inside walks: a hook or the backward of a `Function` may call `backward()`, and so on, a thousand deep.

Python counts the calls that have not returned, and stops at a thousand, but in each thread it counts anew. So at every
few levels the user's function is called in a thread of its own, while this one waits, as in PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar, copy_context
from threading import Thread
from typing import Any

LEVELS = 20  # of walks inside walks in one thread
depth: ContextVar[int] = ContextVar("tinygrad_pt.depth", default=0)


def deeper(function: Callable[..., Any], *args: Any) -> Any:
    """What the user's function answers when a walk calls it."""
    level = depth.get() + 1
    token = depth.set(level)
    try:
        return function(*args) if level % LEVELS else elsewhere(function, *args)
    finally:
        depth.reset(token)


def elsewhere(function: Callable[..., Any], *args: Any) -> Any:
    """What a function answers in a thread of its own, which has the modes of this one."""
    answers: list[Any] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            answers.append(function(*args))
        except BaseException as error:
            errors.append(error)

    thread = Thread(target=copy_context().run, args=(run,), daemon=True)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return answers[0]
