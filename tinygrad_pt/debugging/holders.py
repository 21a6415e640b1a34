"""`tensor.graph_alive()` tells which tensors keep a graph alive, under the program's own names, and what it weighs."""

from __future__ import annotations

import gc
import sys
import types
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_pt.autograd.engine import order
from tinygrad_pt.debugging.trace import line_of
from tinygrad_pt.errors import describe
from tinygrad_pt.graph import SAVED, Leaf, Node, Tensor, made_by
from tinygrad_pt.lines import PACKAGE, Line

MOST_HOLDERS, DEEPEST, MOST_NAMES = 16, 6, 4
OPTIMIZED = 0x1  # the flag of code whose locals are no dict
NAMELESS = "nothing that has a name (an expression being evaluated, or a reference cycle that waits for gc.collect())"


@dataclass(frozen=True)
class Holder:
    """Tensors, or vertices, that hold the graph, under the same name.

    Attributes:
        names: who refers to them: variables, attributes, items.
        what: what they are, e.g. "float32[] made by add".
        count: how many of them the same container holds.
        nodes: how many vertices are reachable from them together.
        line: the line that made the newest of them, if somebody traced.
    """

    names: tuple[str, ...]
    what: str
    count: int
    nodes: int
    line: Line | None = None

    def __str__(self) -> str:
        many = f"{self.count} tensors, " if self.count > 1 else ""
        line = f"  ({self.line})" if self.line else ""
        return f"{' and '.join(self.names)}: {many}{self.what}, {self.nodes:,} vertices{line}"


@dataclass(frozen=True)
class Alive:
    """The size of a graph, and who holds it."""

    nodes: int
    saved_bytes: int
    holders: tuple[Holder, ...]
    more: int = 0

    def __str__(self) -> str:
        size = self.saved_bytes
        weight = f"{size:,} bytes" if size < 10_000 else f"{size / 1e6:,.2f} MB"
        lines = [f"{self.nodes:,} vertices, {weight} of saved values; held by"]
        lines += [f"  {holder}" for holder in self.holders] or ["  nobody"]
        if self.more:
            lines.append(f"  and {self.more} more tensors")
        return "\n".join(lines)

    __repr__ = __str__


def graph_alive(t: Tensor) -> Alive:
    """Who keeps the graph of a tensor alive: which variables, attributes and items, and how much there is of it.

    Every tensor that was computed from any part of a graph holds it: `total += loss` keeps the graphs of all losses.
    For a leaf the answer is about every graph that uses it. The answer holds names and numbers only.

    >>> import tinygrad_pt as torch
    >>> w, total = torch.ones(3, requires_grad=True), 0
    >>> for step in range(4):
    ...     loss = (w * w).sum()
    ...     total = total + loss
    >>> print(w.graph_alive())
    12 vertices, 0 bytes of saved values; held by
      total: float32[] made by add, 12 vertices
      loss: float32[] made by sum, 2 vertices
    """
    if t.node is None:
        return Alive(0, 0, ())
    part: set[Node] = {t.node} if isinstance(t.node, Leaf) else set(order([t.node]))
    holding = {n for n in computed_from(part) if not isinstance(n, Leaf)}
    pending: list[Any] = [o for o in gc.get_objects() if issubclass(type(o), Tensor) and o.node in holding]
    inside = {o.node for o in pending} | {p for n in holding for p in n.parents}
    pending += holding - inside  # vertices that nothing but a name holds
    pending.sort(key=_birth)
    inside.clear()
    graph = holding if isinstance(t.node, Leaf) else part
    holders: list[Holder] = []
    with_names = _Names(pending)
    while pending and len(holders) < MOST_HOLDERS:
        newest = pending.pop()
        names, container = with_names.of(newest)
        same = _siblings(container, pending)
        gone = {id(o) for o in same}
        pending[:] = [o for o in pending if id(o) not in gone]
        node = getattr(newest, "node", newest)
        roots = [getattr(o, "node", o) for o in (newest, *same)]
        made = made_by(node).op.name
        what = f"{describe(newest)} made by {made}" if isinstance(newest, Tensor) else f"the vertex of {made}"
        weight = sum(not isinstance(n, Leaf) for n in order(roots))
        holders.append(Holder(names, what, len(roots), weight, line_of(node)))
    holders.sort(key=lambda h: -h.nodes)
    return Alive(len(graph), _saved_bytes(graph), tuple(holders), len(pending))


def computed_from(roots: Iterable[Node]) -> list[Node]:
    """These vertices, and all that live and were computed from them, oldest first."""
    found = dict.fromkeys(roots)
    for n in sorted((o for o in gc.get_objects() if issubclass(type(o), Node)), key=lambda n: n.born):
        if any(p in found for p in n.parents if isinstance(p, Node)):
            found[n] = None
    return list(found)


def _birth(holder: Any) -> int:
    return int(getattr(holder, "node", holder).born)


def _siblings(container: Any, pending: list[Any]) -> list[Any]:
    """The holders that lie in the same list, tuple or dict."""
    if not isinstance(container, (list, tuple, dict, deque)):
        return []
    items = container.values() if isinstance(container, dict) else container
    wanted = {id(o) for o in pending}
    return [o for o in items if id(o) in wanted]


def _saved_bytes(graph: set[Node]) -> int:
    """What the rules of a graph keep, every array once, and not the leaves' own."""
    found: dict[int, int] = {}
    own = {id(owner_of(p.value)) for n in graph for p in n.parents if isinstance(p, Leaf)}
    for n in graph:
        kept = [a for a in n.args or () if isinstance(a, SAVED)]
        kept += [entry[0] for entry in getattr(n.attrs.get("ctx"), "_saved", None) or () if entry is not None]
        for a in kept:
            memory = owner_of(a)
            if id(memory) not in own:
                found[id(memory)] = memory.nbytes
    return sum(found.values())


def owner_of(a: Any) -> Any:
    """The array whose memory an array shows: itself, or the one it is a view of."""
    while isinstance(a, np.ndarray) and isinstance(a.base, np.ndarray):
        a = a.base
    return a


# ------------------------------------------------------------------------------------------ names
class _Names:
    """The names that a running program has for objects: variables of frames and modules, and what hangs on them."""

    def __init__(self, own: list[Any]) -> None:
        self.mine = {id(own)}  # our own containers are no holders
        self.modules = {id(frame.f_globals): "__main__" for frame in _frames()}
        self.modules |= {id(vars(m)): n for n, m in list(sys.modules.items()) if isinstance(m, types.ModuleType)}

    def of(self, thing: Any) -> tuple[tuple[str, ...], Any]:
        """Names of a thing, shortest first, and the container of the first one."""
        found: list[tuple[str, Any]] = []
        seen = {id(thing)}
        level: list[tuple[Any, str, Any]] = [(thing, "", None)]  # an object, how the thing hangs on it, its container
        self.mine |= {id(seen), id(level), id(found)}
        for _ in range(DEEPEST):
            following: list[tuple[Any, str, Any]] = []
            self.mine.add(id(following))
            for held, path, container in level:
                found += [(f"{name}{path}", container) for name in _locals_of(held)]
                for owner, access in self._owners(held):
                    if isinstance(owner, str):
                        found.append((f"{owner}{path}", container))
                    elif id(owner) not in seen:
                        seen.add(id(owner))
                        following.append((owner, access + path, container if container is not None else owner))
            if len(found) >= MOST_NAMES or not following:
                break
            level = following[:MOST_HOLDERS]
            self.mine.add(id(level))
        names = dict.fromkeys(name for name, _ in found)
        first = found[0][1] if found else None
        return tuple(names)[:MOST_NAMES] or (NAMELESS,), first

    def _owners(self, held: Any) -> Iterator[tuple[Any, str]]:
        """What refers to an object: a name (str), or another object and how it does."""
        referrers = gc.get_referrers(held)
        self.mine.add(id(referrers))
        for owner in referrers:
            if id(owner) in self.mine or isinstance(owner, (Node, types.ModuleType, type)):
                continue
            if isinstance(owner, types.FrameType):
                kept = any(isinstance(one, types.TracebackType) for one in gc.get_referrers(owner))
                if kept and owner not in _frames():  # those that run are asked for their variables by name
                    yield f"the traceback of an exception, in {owner.f_code.co_name} (sys.last_value?)", ""
                continue
            if isinstance(owner, dict):
                yield from self._of_dict(owner, held)
            elif isinstance(owner, (list, tuple, deque)):
                if owner.__class__ is tuple and any(isinstance(o, Node) for o in owner) and not isinstance(held, Node):
                    continue
                yield owner, f"[{next((i for i, x in enumerate(owner) if x is held), '?')}]"
            elif isinstance(owner, (set, frozenset)):
                yield owner, "{…}"
            elif isinstance(owner, types.CellType):
                functions = [f for f in gc.get_referrers(owner) if isinstance(f, tuple)]
                for f in (f for c in functions for f in gc.get_referrers(c) if isinstance(f, types.FunctionType)):
                    i = next((i for i, cell in enumerate(f.__closure__ or ()) if cell is owner), None)
                    if i is not None:
                        yield f"{f.__code__.co_freevars[i]}, variable of {f.__qualname__}", ""
            elif isinstance(owner, types.GeneratorType):
                if not owner.gi_code.co_filename.startswith(PACKAGE):
                    yield f"a local of the generator {owner.__qualname__}", ""
            elif type(owner).__module__ != "builtins":  # iterators, methods and the like are only passing
                yield owner, _attribute(owner, held)

    def _of_dict(self, owner: dict[Any, Any], held: Any) -> Iterator[tuple[Any, str]]:
        key = next((k for k, v in owner.items() if v is held), None)
        module = self.modules.get(id(owner))
        if module is not None:
            yield str(key) if module == "__main__" else f"{module}.{key}", ""
            return
        above = gc.get_referrers(owner)
        for one in above:
            if isinstance(one, type) and one.__dict__.get(str(key)) is held:
                yield f"{one.__qualname__}.{key}", ""
                return
        objects = [o for o in above if getattr(o, "__dict__", None) is owner]
        for one in objects:
            yield one, f".{key}"
        if not objects:
            yield owner, f"[{key!r}]"


def _attribute(owner: Any, held: Any) -> str:
    """Under which attribute an object holds another."""
    if isinstance(owner, Tensor) and held is owner._grad:
        return ".grad"
    names = [*getattr(owner, "__dict__", {}), *getattr(type(owner), "__slots__", ())]
    return next((f".{name}" for name in names if getattr(owner, name, None) is held), f"'s {type(owner).__name__}")


def _frames() -> list[types.FrameType]:
    """The running functions of all threads, outside this package."""
    found: list[types.FrameType] = []
    frame: types.FrameType | None
    for frame in sys._current_frames().values():
        while frame is not None:
            if not frame.f_code.co_filename.startswith(PACKAGE):
                found.append(frame)
            frame = frame.f_back
    return found


def _locals_of(held: Any) -> list[str]:
    """The variables of running functions that are this object."""
    found = []
    for frame in _frames():
        code = frame.f_code
        if not code.co_flags & OPTIMIZED:
            continue  # its variables are a namespace's, and found there
        variables = frame.f_locals
        where = f"{code.co_name} ({code.co_filename}:{frame.f_lineno})"
        found += [f"{name}, local of {where}" for name, value in variables.items() if value is held]
        if isinstance(variables, dict) and sys.getrefcount(variables) <= 3:
            variables.clear()  # a snapshot that the frame would keep, and with it what we were asked about
    return found
