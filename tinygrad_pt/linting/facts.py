"""What every rule may ask: notes on things that may die, sums that tell whether an array changed, where values
came from."""

from __future__ import annotations

import ast
import inspect
import linecache
import weakref
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from tinygrad_pt.graph import Leaf, Node
from tinygrad_pt.lines import Line
from tinygrad_pt.nn import functional as NF

VIEWS = frozenset((
    "reshape", "unsqueeze", "squeeze", "permute", "transpose", "t", "getitem", "expand", "select", "narrow", "split",
    "unbind", "pick", "cast", "clone", "flip",
))  # fmt: skip
SQUASHING = frozenset(("softmax", "log_softmax", "sigmoid"))
JOINS = frozenset(("cat", "stack"))
LOSSES = {
    inspect.unwrap(getattr(NF, name)).__code__: name
    for name in (
        "mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "binary_cross_entropy",
        "binary_cross_entropy_with_logits", "cross_entropy", "nll_loss", "kl_div",
    )
}  # fmt: skip


class Notes:
    """Values by the identity of things (a tensor's `==` is an op); a note does not keep its thing alive."""

    def __init__(self) -> None:
        self.kept: dict[int, tuple[Any, Any]] = {}

    def get(self, thing: Any, default: Any = None) -> Any:
        """The value noted for `thing`."""
        found = self.kept.get(id(thing))
        return default if found is None or found[0]() is not thing else found[1]

    def set(self, thing: Any, value: Any) -> None:
        """Note a value, in place of an older one."""
        key, kept = id(thing), self.kept

        def gone(link: Any) -> None:
            if key in kept and kept[key][0] is link:
                del kept[key]

        kept[key] = weakref.ref(thing, gone), value

    def pop(self, thing: Any) -> Any:
        """Forget a note, and return it."""
        value = self.get(thing)
        self.kept.pop(id(thing), None)
        return value

    def __contains__(self, thing: Any) -> bool:
        found = self.kept.get(id(thing))
        return found is not None and found[0]() is thing

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        for link, value in list(self.kept.values()):
            thing = link()
            if thing is not None:
                yield thing, value


def checksum(x: Any) -> int:
    """A sum over the bytes of an array: unequal sums mean that it has changed."""
    return zlib.crc32(np.ascontiguousarray(x).view(np.uint8).data if np.size(x) else b"")


def inside(value: Any, kind: type) -> Iterator[Any]:
    """What there is of one kind in nested lists, tuples, sets and dicts."""
    stack, seen = [value], set()
    while stack:
        v = stack.pop()
        if isinstance(v, kind):
            yield v
        elif isinstance(v, (dict, list, tuple, set, frozenset)) and id(v) not in seen:
            seen.add(id(v))
            stack.extend(v.values() if isinstance(v, dict) else v)


def parents(node: Node) -> Iterator[Node]:
    """The vertices a vertex was computed from."""
    return (p for p in node.parents if isinstance(p, Node))


class Past:
    """Where a tensor without a vertex came from: an op's name, attributes and line."""

    def __init__(self, op: Any, attrs: dict[str, Any], shape: tuple[int, ...], line: Line | None) -> None:
        self.op, self.attrs, self.shape, self.line = op, attrs, shape, line


def source(t: Any) -> Node | None:
    """The vertex whose values `t` shows: through reshapes, transposes, indexing, casts, clamps, an added epsilon, and
    joins of one kind."""
    node = t.node
    while node is not None:
        name = node.op.name
        if name in VIEWS or name == "clamp" or (name == "add" and tiny(node)):
            node = next(parents(node), None)
        elif name in JOINS:
            kinds = [p for p in parents(node)]
            if len({_viewed(p) for p in kinds}) != 1 or len(kinds) < len(node.parents):
                return node
            node = kinds[0]
        else:
            return node
    return None


def tiny(node: Node) -> bool:
    """Whether a sum only adds a small number, as against log(0)."""
    return any(isinstance(p, float) and abs(p) < 1e-3 for p in node.parents)


def _viewed(node: Any) -> str:
    while isinstance(node, Node) and node.op.name in VIEWS:
        node = node.parents[0]
    return node.op.name if isinstance(node, Node) else ""


def above(roots: Iterable[Node]) -> set[Node]:
    """All vertices that the roots were computed from, and the roots."""
    seen = set(roots)
    stack = list(seen)
    while stack:
        for p in stack.pop().parents:
            if isinstance(p, Node) and p not in seen:
                seen.add(p)
                stack.append(p)
    return seen


def freed(node: Node) -> bool:
    """Whether a backward pass has gone through a vertex and let go of what it had saved."""
    return node.args is None and not isinstance(node, Leaf)


def call_at(frame: Any) -> ast.Call | None:
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


def listed(names: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`, or `a, b and 7 more`."""
    names = list(names)
    if len(names) > 4:
        names = [*names[:3], f"{len(names) - 3} more"]
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
