"""Views of a snapshot: modules as single boxes, repeated ones folded, the path of a chain rule brought out.

A view is a snapshot itself, so every painter draws it. A group of vertices becomes one box only if no path leaves the
group and comes back: otherwise the picture would have a cycle that the computation does not have.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from math import prod

from tinygrad_pt.errors import refuse
from tinygrad_pt.symbol import Symbol
from tinygrad_pt.viz.model import Edge, Scope, Snapshot, Vertex
from tinygrad_pt.viz.text import WORDS, clean

MAX_NODES = 400  # so many boxes are drawn at most, unless more are asked for
READABLE = 40  # so many boxes a person wants to look at: the module view opens modules up to there
RUN = 3  # so many equal modules in a row are folded

Chooser = Callable[[Scope, str], bool]


@dataclass(frozen=True)
class Group:
    """Vertices that are to become one box, and what stands on it."""

    title: str
    calls: int = 1


def arrange(
    snapshot: Snapshot, view: str, depth: int | None, collapse: str | Iterable[str] | Chooser | None, fold: bool,
    paths: Sequence[str], max_nodes: int, lang: str,
) -> Snapshot:  # fmt: skip
    """What `viz.draw` shows of a snapshot: see there."""
    if view not in ("op", "module"):
        raise refuse(ValueError, f"view={view!r}: expected one of op, module, neuron")
    if isinstance(max_nodes, bool) or not isinstance(max_nodes, int):
        raise refuse(TypeError, f"max_nodes must be an int, not {type(max_nodes).__name__}")
    if max_nodes < 2:
        raise refuse(ValueError, f"max_nodes={max_nodes}: expected at least 2")
    if view == "module" or depth is not None or collapse is not None:
        snapshot = modules(snapshot, depth, collapse, fold, lang)
    elif len(snapshot.vertices) > max_nodes:
        snapshot = modules(snapshot, None, None, fold, lang, max_nodes)
    snapshot = cut(snapshot, max_nodes, lang)
    return highlight(snapshot, paths) if paths else snapshot


# ------------------------------------------------------------------------------------------ modules as boxes
def modules(
    snapshot: Snapshot, depth: int | None = None, collapse: str | Iterable[str] | Chooser | None = None,
    fold: bool = True, lang: str = "en", most: int = READABLE,
) -> Snapshot:  # fmt: skip
    """Each module of a depth, or each that is chosen, as one box: its output, made by the module.

    Args:
        depth: modules inside so many others are closed, and those that have no modules inside: 0 closes the outermost.
            By default, where nothing else is chosen, the greatest depth that leaves at most `most` boxes.
        collapse: which modules to close: a pattern or several (`"layers.*"`, `"*Linear"`), compared with the path and
            the class; or a function of path and title.
        fold: whether equal modules in a row become one box, marked `× 12`.

    Raises:
        ValueError: a negative depth.
    """
    if depth is not None and (isinstance(depth, bool) or not isinstance(depth, int) or depth < 0):
        raise refuse(ValueError, f"depth={depth!r}: expected 0 (the outermost modules are closed), 1, 2, …")
    if collapse is not None or depth is not None:
        return _closed(snapshot, _chooser(snapshot.scopes, depth, collapse), fold, lang)
    deepest = max((len(vertex.scope) for vertex in snapshot.vertices), default=0)
    for level in range(deepest - 1, 0, -1):
        found = _closed(snapshot, _chooser(snapshot.scopes, level), fold, lang)
        if len(found.vertices) <= most:
            return found
    return _closed(snapshot, _chooser(snapshot.scopes, 0), fold, lang)


def _chooser(
    scopes: Iterable[Scope], depth: int | None, collapse: str | Iterable[str] | Chooser | None = None
) -> Chooser:
    if callable(collapse):
        return collapse
    patterns = (collapse,) if isinstance(collapse, str) else tuple(collapse or ())
    outer = {scope[:n] for scope in scopes for n in range(1, len(scope))}  # modules with modules inside

    def chosen(scope: Scope, title: str) -> bool:
        texts = (".".join(scope), ".".join(scope[1:]), title.rpartition(": ")[2], title)
        closed = depth is not None and (len(scope) - 1 == depth or scope not in outer)
        return closed or any(fnmatchcase(text, p) for text in texts for p in patterns)

    return chosen


def _closed(snapshot: Snapshot, chosen: Chooser, fold: bool, lang: str) -> Snapshot:
    outermost: dict[Scope, Scope | None] = {}

    def closed(scope: Scope) -> Scope | None:
        """The outermost chosen module around a vertex."""
        if scope not in outermost:
            paths = (scope[:n] for n in range(1, len(scope) + 1) if scope[:n] in snapshot.scopes)
            outermost[scope] = next((path for path in paths if chosen(path, snapshot.scopes[path])), None)
        return outermost[scope]

    inside: dict[str, Hashable] = {
        vertex.id: path for vertex in snapshot.vertices if (path := closed(vertex.scope)) is not None
    }
    groups: dict[Hashable, Group] = {
        path: Group(snapshot.scopes[path], _calls(snapshot, {key for key, at in inside.items() if at == path}))
        for path in dict.fromkeys(path for path in outermost.values() if path is not None)
    }
    if fold:
        inside, groups = _folded(snapshot, inside, groups)
    return quotient(snapshot, inside, groups, lang)


def _calls(snapshot: Snapshot, members: set[str]) -> int:
    """How often a module was called: as often as the least used of its parameters."""
    uses = Counter(edge.source for edge in snapshot.edges if edge.target in members)
    counts = [uses[v.id] for v in snapshot.vertices if v.id in members and v.kind == "param"]
    return min(counts, default=1)


def _folded(
    snapshot: Snapshot, inside: Mapping[str, Hashable], groups: Mapping[Hashable, Group]
) -> tuple[dict[str, Hashable], dict[Hashable, Group]]:
    """Runs of modules that compute the same from each other's results, each run as one group."""
    kinds: dict[Hashable, list[tuple[str, tuple[int, ...]]]] = defaultdict(list)
    for vertex in snapshot.vertices:
        if vertex.id in inside:
            kinds[inside[vertex.id]].append((vertex.primitive, vertex.shape))
    feeds: dict[Hashable, set[Hashable]] = defaultdict(set)
    for edge in snapshot.edges:
        a, b = inside.get(edge.source), inside.get(edge.target)
        if a is not None and b is not None and a != b:
            feeds[a].add(b)
    runs: dict[Hashable, list[Hashable]] = {}
    for key in groups:
        run = runs.setdefault(key, [key])
        for after in feeds[key]:
            alike = kinds[after] == kinds[key] and _kind(groups[after]) == _kind(groups[key])
            if alike and isinstance(key, tuple) and isinstance(after, tuple) and key[:-1] == after[:-1]:
                runs[after] = run
                run.append(after)
                break
    new: dict[Hashable, Hashable] = {}
    named: dict[Hashable, Group] = dict(groups)
    for run in {id(run): run for run in runs.values()}.values():
        if len(run) >= RUN:
            named[run[0]] = Group(_kind(groups[run[0]]), len(run) * groups[run[0]].calls)
            new |= dict.fromkeys(run, run[0])
    return {id_: new.get(key, key) for id_, key in inside.items()}, named


def _kind(group: Group) -> str:
    return group.title.rpartition(": ")[2]


# ------------------------------------------------------------------------------------------ one box for many
def quotient(
    snapshot: Snapshot, inside: Mapping[str, Hashable], groups: Mapping[Hashable, Group], lang: str = "en"
) -> Snapshot:
    """The snapshot in which every group is one box; vertices without a group stay as they are.

    A box has the id, the name and the value of what the group hands on; a group that hands on several values keeps
    them as boxes of their own, behind one that stands for the module. Into a box leads one edge per value that the
    group takes; between scalars it has a number, the sum over the paths through the group.
    """
    inside = dict(inside)
    users: dict[str, list[Edge]] = defaultdict(list)
    sources: dict[str, list[Edge]] = defaultdict(list)
    for edge in snapshot.edges:
        users[edge.source].append(edge)
        sources[edge.target].append(edge)
    for vertex in snapshot.vertices:  # a weight that others use too stays outside
        key = inside.get(vertex.id)
        if key is not None and not sources[vertex.id] and any(inside.get(e.target) != key for e in users[vertex.id]):
            del inside[vertex.id]
    order = _convex(snapshot, inside)
    members: dict[Hashable, list[Vertex]] = defaultdict(list)
    for vertex in snapshot.vertices:
        if vertex.id in inside:
            members[inside[vertex.id]].append(vertex)
    outputs = {v.id for v in snapshot.vertices if v.kind == "loss"}
    vertices: list[Vertex] = []
    edges: list[Edge] = []
    known = {vertex.id: vertex for vertex in snapshot.vertices}
    for item in order:
        if isinstance(item, Vertex):
            vertices.append(item)
            edges += sources[item.id]
            continue
        group, inner = groups[item.key], members[item.key]
        exits = [v for v in inner if v.id in outputs or any(inside.get(e.target) != item.key for e in users[v.id])]
        box, exits = _box(group, inner, exits, lang)
        vertices.append(box)
        entries = list(
            dict.fromkeys(e.source for v in inner for e in sources[v.id] if inside.get(e.source) != item.key)
        )
        flows = {e.source for v in inner for e in sources[v.id] if e.flows}
        through = _through(inner, sources, exits) if len(exits) == 1 else {}
        for slot, source in enumerate(entries):
            number = through.get(source)
            symbol = "" if number is None else f"∂{box.name}/∂{known[source].name}"
            edges.append(Edge(source, box.id, slot, symbol, number, flows=source in flows))
        if len(exits) > 1:
            vertices += [replace(v, op=f"{clean(group.title)}[{i}]") for i, v in enumerate(exits)]
            edges += [Edge(box.id, v.id, 0, flows=v.differentiable) for v in exits]
    kept = {vertex.scope[:n] for vertex in vertices for n in range(1, len(vertex.scope) + 1)}
    scopes = {scope: title for scope, title in snapshot.scopes.items() if scope in kept}
    return replace(snapshot, vertices=tuple(vertices), edges=tuple(edges), scopes=scopes)


@dataclass(frozen=True)
class _Place:
    """Where the box of a group comes in the order."""

    key: Hashable


def _convex(snapshot: Snapshot, inside: dict[str, Hashable]) -> list[Vertex | _Place]:
    """Vertices and groups, arguments first; groups that a path leaves and enters again are opened: not in `inside`."""
    while True:
        birth = {vertex.id: n for n, vertex in enumerate(snapshot.vertices)}
        item: dict[str, Hashable] = {
            v.id: ("group", inside[v.id]) if v.id in inside else v.id for v in snapshot.vertices
        }
        last: dict[Hashable, int] = {item[v.id]: birth[v.id] for v in snapshot.vertices}
        ahead: dict[Hashable, set[Hashable]] = defaultdict(set)
        for edge in snapshot.edges:
            if item[edge.source] != item[edge.target]:
                ahead[item[edge.source]].add(item[edge.target])
        waiting = Counter(target for targets in ahead.values() for target in targets)
        ready = [(n, i) for i, (key, n) in enumerate(last.items()) if not waiting[key]]
        keys = list(last)
        number = {key: i for i, key in enumerate(keys)}
        heapq.heapify(ready)
        order: list[Hashable] = []
        while ready:
            key = keys[heapq.heappop(ready)[1]]
            order.append(key)
            for target in ahead[key]:
                waiting[target] -= 1
                if not waiting[target]:
                    heapq.heappush(ready, (last[target], number[target]))
        left = set(last) - set(order)
        if not left:
            known = {vertex.id: vertex for vertex in snapshot.vertices}
            return [_Place(key[1]) if isinstance(key, tuple) else known[str(key)] for key in order]
        blocked = {key[1] for key in left if isinstance(key, tuple) and ahead[key] & left}
        for id_ in [id_ for id_, key in inside.items() if key in blocked]:
            del inside[id_]


def _box(group: Group, inner: Sequence[Vertex], exits: list[Vertex], lang: str) -> tuple[Vertex, list[Vertex]]:
    """The box of a group, and the values that it hands on."""
    exits = exits or [inner[-1]]
    title = clean(group.title) + (f" × {group.calls}" if group.calls > 1 else "")
    weights = sum(prod(v.shape) for v in inner if v.kind == "param")
    note = f"{weights:,} {WORDS[lang]['parameters' if weights != 1 else 'parameter']}" if weights else ""
    note = note.replace(",", ".") if lang == "pt" else note
    scope = inner[0].scope
    for vertex in inner:
        common = sum(1 for _ in _while_equal(scope, vertex.scope))
        scope = scope[:common]
    scope = scope[:-1] if scope else scope
    if len(exits) == 1:
        kind = "loss" if exits[0].kind == "loss" else "module"
        note = exits[0].note or note
        return replace(exits[0], op=title, kind=kind, note=note, scope=scope, primitive="", attrs={}), exits
    box = Vertex(
        f"{exits[0].id}m", title, "", "module", (), "", None, None, any(v.requires_grad for v in exits), scope, note
    )
    return box, [replace(v, scope=scope, primitive="", attrs={}) for v in exits]


def _while_equal(a: Scope, b: Scope) -> Iterable[str]:
    for x, y in zip(a, b, strict=False):
        if x != y:
            return
        yield x


def _through(
    inner: Sequence[Vertex], sources: Mapping[str, Sequence[Edge]], exits: Sequence[Vertex]
) -> dict[str, float]:
    """∂exit/∂source for every source outside: the sum over the paths of the products of their numbers.

    Only where every number on the paths is known, which is so between scalars.
    """
    factor: dict[str, float | None] = {exits[0].id: 1.0}
    for vertex in reversed(inner):
        here = factor.get(vertex.id, 0.0)
        for edge in sources[vertex.id]:
            if not edge.flows or (here == 0.0 and vertex.id not in factor):
                continue
            before = factor.get(edge.source, 0.0)
            unknown = here is None or before is None or edge.number is None
            factor[edge.source] = None if unknown else before + here * edge.number  # type: ignore[operator]
    ids = {vertex.id for vertex in inner}
    return {source: number for source, number in factor.items() if number is not None and source not in ids}


# ------------------------------------------------------------------------------------------ too many to show
def cut(snapshot: Snapshot, max_nodes: int, lang: str = "en") -> Snapshot:
    """The `max_nodes` youngest boxes, and one for all before them: `+214 more`."""
    more = len(snapshot.vertices) - max_nodes + 1
    if more <= 1:
        return snapshot
    old = {vertex.id for vertex in snapshot.vertices[:more]}
    rest = Vertex("more", f"+{more} {WORDS[lang]['more']}", "", "module", (), "", None, None, True)
    edges: list[Edge] = []
    slots: Counter[str] = Counter()
    for edge in snapshot.edges:
        if edge.target in old:
            continue
        if edge.source not in old:
            edges.append(replace(edge, rule=None) if _reads(edge, old) else edge)
        elif not slots[edge.target]:
            edges.append(replace(edge, source="more", symbol="", number=None, rule=None))
            slots[edge.target] += 1
    vertices = (rest, *snapshot.vertices[more:])
    kept = {vertex.scope[:n] for vertex in vertices for n in range(1, len(vertex.scope) + 1)}
    scopes = {scope: title for scope, title in snapshot.scopes.items() if scope in kept}
    return replace(snapshot, vertices=vertices, edges=tuple(edges), scopes=scopes)


def _reads(edge: Edge, gone: set[str]) -> bool:
    """Whether the rule of an edge speaks of a value that the picture no longer shows."""
    return isinstance(edge.rule, Symbol) and any(leaf.name in gone for leaf in edge.rule.leaves())


# ------------------------------------------------------------------------------------------ the path of a chain rule
MARKS = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"


def highlight(snapshot: Snapshot, names: str | Iterable[str]) -> Snapshot:
    """The paths from the values of these names to the output brought out, the factors on them numbered backwards.

    Raises:
        ValueError: no value has this name, or no gradient flows back to it.
    """
    wanted = [names] if isinstance(names, str) else list(names)
    by_name = {vertex.name: vertex.id for vertex in snapshot.vertices} | {v.id: v.id for v in snapshot.vertices}
    for name in wanted:
        if name not in by_name:
            mend = f"one of {', '.join(v.name for v in snapshot.vertices[:12])}"
            raise refuse(ValueError, f"highlight={name!r}: no value of the picture has this name", mend=mend)
    reached = {by_name[name] for name in wanted}
    for edge in snapshot.edges:  # sources come before targets
        if edge.flows and edge.source in reached:
            reached.add(edge.target)
    leads = {vertex.id for vertex in snapshot.vertices if vertex.kind == "loss"}
    for edge in reversed(snapshot.edges):
        if edge.flows and edge.target in leads:
            leads.add(edge.source)
    focus = reached & leads
    for name in wanted:
        if by_name[name] not in focus:
            raise refuse(ValueError, f"highlight={name!r}: no gradient flows back to it")
    on = [edge.flows and edge.source in focus and edge.target in focus for edge in snapshot.edges]
    marks = iter(MARKS)
    marked = [
        replace(edge, mark=next(marks, "")) if here else edge
        for edge, here in zip(reversed(snapshot.edges), reversed(on), strict=True)
    ]
    lit = focus | {edge.id for edge, here in zip(snapshot.edges, on, strict=True) if here}
    return replace(snapshot, edges=tuple(reversed(marked)), focus=frozenset(lit))
