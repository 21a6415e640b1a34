"""Expressions as data: rules read with symbols, their names replaced by others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tinygrad_pt.symbol import Symbol


def substitute(expression: Any, known: Mapping[str, Any]) -> Any:
    """The expression with what is known in place of its names; what it shares stays shared.

    >>> from tinygrad_pt.symbol import Symbol
    >>> x, y = Symbol("x"), Symbol("y")
    >>> [s.name for s in substitute(x * y, {"x": Symbol("z")}).leaves()]
    ['z', 'y']
    """
    done: dict[int, Any] = {}
    stack: list[Any] = [expression]
    while stack:
        s = stack[-1]
        parts = s.args if isinstance(s, Symbol) else s if isinstance(s, (tuple, list)) else ()
        waiting = [p for p in parts if isinstance(p, (Symbol, tuple, list)) and id(p) not in done]
        if waiting:
            stack += waiting
            continue
        new = [done.get(id(p), p) for p in parts]
        if isinstance(s, (tuple, list)):
            done[id(s)] = type(s)(new)
        elif isinstance(s, Symbol) and s.op is None:
            done[id(s)] = known.get(s.name, s)
        elif isinstance(s, Symbol):
            done[id(s)] = Symbol(s.name, s._shape, s._dtype, s.op, tuple(new), s.attrs)
        stack.pop()
    return done.get(id(expression), expression)
