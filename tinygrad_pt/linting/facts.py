"""Facts that every rule may ask for: notes on things that may die, checksums of arrays, the op a value comes from."""

from __future__ import annotations

import weakref
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, Generic, TypeVar, overload

import numpy as np
import numpy.typing as npt

from tinygrad_pt.graph import Leaf, Node, Op
from tinygrad_pt.language import said
from tinygrad_pt.lines import Line
from tinygrad_pt.tensor import Tensor

T = TypeVar("T")
D = TypeVar("D")

VIEWS = frozenset((
    "reshape", "unsqueeze", "squeeze", "permute", "transpose", "t", "getitem", "expand", "select", "narrow", "split",
    "unbind", "pick", "cast", "clone", "flip",
))  # fmt: skip
SQUASHING = frozenset(("softmax", "log_softmax", "sigmoid"))
JOINS = frozenset(("cat", "stack"))


class Notes(Generic[T]):
    """Values by the identity of things (a tensor's `==` is an op); a note does not keep its thing alive."""

    def __init__(self) -> None:
        self.kept: dict[int, tuple[weakref.ref[Any], T]] = {}

    @overload
    def get(self, thing: object) -> T | None: ...
    @overload
    def get(self, thing: object, default: D) -> T | D: ...
    def get(self, thing: object, default: Any = None) -> Any:
        """The value noted for `thing`, or `default`."""
        found = self.kept.get(id(thing))
        return default if found is None or found[0]() is not thing else found[1]

    def set(self, thing: Any, value: T) -> None:
        """Note a value, in place of an older one."""
        key, me = id(thing), weakref.ref(self)  # a strong reference would keep the notes alive in a cycle

        def gone(link: weakref.ref[Any]) -> None:
            notes = me()
            if notes is not None and key in notes.kept and notes.kept[key][0] is link:
                del notes.kept[key]

        self.kept[key] = weakref.ref(thing, gone), value

    def pop(self, thing: object) -> T | None:
        """Forget a note, and return it."""
        value = self.get(thing)
        self.kept.pop(id(thing), None)
        return value

    def __contains__(self, thing: object) -> bool:
        found = self.kept.get(id(thing))
        return found is not None and found[0]() is thing

    def __iter__(self) -> Iterator[tuple[Any, T]]:
        for link, value in list(self.kept.values()):
            thing = link()
            if thing is not None:
                yield thing, value


def checksum(x: npt.ArrayLike) -> int:
    """A checksum of the bytes of an array: if it changes, the array has changed."""
    return zlib.crc32(np.ascontiguousarray(x).view(np.uint8).data if np.size(x) else b"")


def inside(value: Any, kind: type[T]) -> Iterator[T]:
    """The things of one kind in nested lists, tuples, sets and dicts."""
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
    """The op that a tensor without a vertex comes from: with its attributes, the shape of its value, and its line."""

    def __init__(self, op: Op, attrs: dict[str, Any], shape: tuple[int, ...], line: Line | None) -> None:
        self.op, self.attrs, self.shape, self.line = op, attrs, shape, line


def source(t: Tensor) -> Node | None:
    """The vertex whose values `t` shows: through reshapes, transposes, indexing, casts, clamps, an added epsilon, and
    joins of values of one kind."""
    return origin(t.node)


def origin(node: Node | None) -> Node | None:
    """The vertex whose values a vertex shows, as `source` finds it."""
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
    """Whether a sum only adds a small number, for example to avoid log(0)."""
    return any(isinstance(p, float) and abs(p) < 1e-3 for p in node.parents)


def _viewed(node: Any) -> str:
    while isinstance(node, Node) and node.op.name in VIEWS:
        node = node.parents[0]
    return node.op.name if isinstance(node, Node) else ""


def freed(node: Node) -> bool:
    """Whether a backward pass has gone through a vertex and freed the values that it had saved."""
    return node.args is None and not isinstance(node, Leaf)


def listed(names: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`, or `a, b and 7 more`."""
    names = list(names)
    if len(names) > 4:
        names = [*names[:3], said(f"{len(names) - 3} more")]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {said('and')} {names[-1]}"
