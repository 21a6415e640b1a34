"""Listening to a backward pass: what every edge carries back, and which vertex an exception came from."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tinygrad_pt.autograd import engine
from tinygrad_pt.graph import PICK, Node
from tinygrad_pt.modes import watcher


class Pass:
    """One backward pass, as a listener hears it; a subclass overrides what it wants to hear."""

    def __init__(self, roots: Sequence[Node], seeds: Sequence[Any], nodes: list[Node], adds: bool) -> None:
        self.roots, self.seeds, self.nodes, self.adds = roots, seeds, nodes, adds

    def edge(self, node: Node, slot: int, g: Any, r: Any) -> None:
        """The rule of one argument answered r to g; the shapes are still as the rule left them."""

    def failed(self, error: Exception, node: Node | None) -> None:
        """The pass ends in an exception, while at this vertex; it will be raised again."""

    def done(self, found: dict[Node, Any]) -> None:
        """The pass is over, and has found these gradients; no `.grad` has changed yet."""


class Watch:
    """What the engine calls in its own place while somebody listens: the same pass, overheard."""

    def __init__(self, listeners: tuple[type[Pass], ...]) -> None:
        self.listeners = listeners

    def __call__(self, roots: Sequence[Node], seeds: Sequence[Any], adds: bool, **options: Any) -> dict[Node, Any]:
        nodes = engine.order(roots, options["wanted"])
        passes = [listener(roots, seeds, nodes, adds) for listener in dict.fromkeys(self.listeners)]
        try:
            with _overheard(nodes, passes):
                found = engine.walk(roots, seeds, unwatched=True, **options)
            for one in passes:
                one.done(found)
        except Exception as error:
            node = _at(error)
            for one in passes:
                one.failed(error, node)
            raise
        return found


@contextmanager
def _overheard(nodes: list[Node], passes: list[Pass]) -> Iterator[None]:
    """For as long as a pass lasts its vertices bear ops whose rules report; the loop that reads them is the same."""
    real = [(node, node.op) for node in nodes if node.op is not PICK]
    try:
        for node, op in real:
            node.op = _reporting(node, op, passes)
        yield
    finally:
        for node, op in real:
            node.op = op


def _reporting(node: Node, op: Any, passes: list[Pass]) -> Any:
    twin = copy.copy(op)

    def report(slot: int, rule: Any) -> Any:
        def reported(g: Any, *args: Any, **attrs: Any) -> Any:
            r = rule(g, *args, **attrs)
            for one in passes:
                one.edge(node, slot, g, r)
            return r

        return reported

    twin.rules = tuple(rule and report(slot, rule) for slot, rule in enumerate(op.rules_for(len(node.parents))))
    return twin


def _at(error: Exception) -> Node | None:
    """The vertex this pass was at: what the engine's loop held when the exception went through it."""
    trace = error.__traceback__
    while trace is not None:
        frame = trace.tb_frame
        if frame.f_code in (engine.run.__code__, engine.check.__code__):
            node = frame.f_locals.get("node")
            return node if isinstance(node, Node) else None
        trace = trace.tb_next
    return None


def attend(listener: Any) -> None:
    """Let a listener hear the backward passes of this task or thread from now on."""
    _become((*_listeners(), listener))


def forget(listener: Any) -> None:
    """Let it hear them no more (once, if it asked twice); the others go on, whichever began first."""
    rest = _listeners()
    at = max((i for i, one in enumerate(rest) if one is listener), default=None)
    if at is not None:
        _become(rest[:at] + rest[at + 1 :])


def _listeners() -> tuple[Any, ...]:
    old = watcher.get()
    return () if old is None else old.listeners


def _become(listeners: tuple[Any, ...]) -> None:
    watcher.set(Watch(listeners) if listeners else None)
