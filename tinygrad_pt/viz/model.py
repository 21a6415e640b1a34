"""`Snapshot` holds the vertices, edges and module frames of a graph at one moment, as plain data, in JSON too."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_pt.errors import refuse
from tinygrad_pt.symbol import Symbol
from tinygrad_pt.viz.expression import from_data, to_data

Scope = tuple[str, ...]
KINDS = ("input", "param", "const", "target", "op", "module", "loss")
INCOMING = "g"  # the name, in rules, of the gradient that arrives
FORMAT = "tinygrad_pt.snapshot/1"  # what the JSON of a snapshot begins with
_ID = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}", re.ASCII)


@dataclass(frozen=True, eq=False)
class Vertex:
    """One value of the graph: what made it, what it holds, and what flowed back to it.

    `value` is None where it was not kept (drawn as `?`), `grad` is None where it is not computed
    yet (drawn as `·`). `op` is the sign on the card, `primitive` and `attrs` what the engine applied (empty for
    leaves). `latex` is the name in LaTeX where the user gave it so, of commands that are known to be harmless. `name`,
    `op` and `note` are untrusted text: every painter cleans them.
    """

    id: str
    name: str
    op: str
    kind: str
    shape: tuple[int, ...]
    dtype: str
    value: NDArray[Any] | float | None
    grad: NDArray[Any] | float | None
    requires_grad: bool
    scope: Scope = ()
    note: str = ""
    primitive: str = ""
    attrs: Mapping[str, Any] = field(default_factory=dict)
    latex: str = ""

    @property
    def differentiable(self) -> bool:
        """Whether a gradient can arrive."""
        return self.requires_grad or self.grad is not None

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise refuse(ValueError, f"vertex id {self.id!r}: expected a letter, then letters, digits or _")
        if self.kind not in KINDS:
            raise refuse(ValueError, f"vertex {self.id}: kind {self.kind!r} is none of {', '.join(KINDS)}")


@dataclass(frozen=True)
class Edge:
    """One argument slot of an operation: `source` is argument number `slot` of `target`.

    `symbol` is the local derivative as mathematics (`∂c/∂a = b`, or `ā = ḡ·Wᵀ` for arrays), `number`
    its value where both ends are scalars, `flows` whether a gradient travels back along the edge. `rule` is the
    engine's rule read with symbols: an expression in the ids of vertices and `INCOMING`, the gradient that arrives at
    the target; None where a rule is a user's code. `wrong` is set by `verify=True` where finite differences disagree.
    `mark` stands before the text: the number of a factor.
    """

    source: str
    target: str
    slot: int
    symbol: str = ""
    number: float | None = None
    flows: bool = True
    rule: Symbol | NDArray[Any] | float | None = None
    wrong: bool = False
    mark: str = ""

    @property
    def id(self) -> str:
        return f"e_{self.target}_{self.slot}"


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Vertices in order of birth, one edge per argument slot, and the titles of the module frames.

    `focus` has the ids of the vertices and edges that are brought out; all others are drawn faintly.

    A scope without a title gets no frame of its own (a list of layers, which computes nothing itself). Every edge must
    lead from an older vertex to a younger one, so that a drawing needs no search for an order and cannot meet a cycle.
    `caption` says what a reader must know about all numbers: that they are those of today's weights, for example.

    >>> a = Vertex("n0", "a", "", "param", (), "float32", 3.0, 6.0, True)
    >>> b = Vertex("n1", "b", "×", "loss", (), "float32", 9.0, 1.0, True)
    >>> len(Snapshot((a, b), (Edge("n0", "n1", 0), Edge("n0", "n1", 1))).edges)
    2
    """

    vertices: tuple[Vertex, ...]
    edges: tuple[Edge, ...] = ()
    scopes: Mapping[Scope, str] = field(default_factory=dict)
    title: str = ""
    caption: str = ""
    focus: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        birth = {vertex.id: number for number, vertex in enumerate(self.vertices)}
        if len(birth) != len(self.vertices):
            raise refuse(ValueError, "two vertices share one id")
        taken: set[tuple[str, int]] = set()
        for edge in self.edges:
            name = f"edge {edge.source} → {edge.target}"
            if edge.source not in birth or edge.target not in birth:
                raise refuse(ValueError, f"{name}: an end is not among the vertices")
            if birth[edge.source] >= birth[edge.target]:
                raise refuse(ValueError, f"{name}: the source must be born before the target")
            if edge.slot < 0 or (edge.target, edge.slot) in taken:
                raise refuse(ValueError, f"{name}: slot {edge.slot} is negative or taken")
            taken.add((edge.target, edge.slot))

    # ---------------------------------------------------------------------------------------- JSON
    def to_data(self) -> dict[str, Any]:
        """The snapshot as dictionaries, lists, strings and numbers: the content of `to_json`."""
        known = {INCOMING, *(vertex.id for vertex in self.vertices)}
        return {
            "format": FORMAT, "title": self.title, "caption": self.caption, "focus": sorted(self.focus),
            "vertices": [_entry(vertex, known, VERTEX) for vertex in self.vertices],
            "edges": [_entry(edge, known, EDGE) for edge in self.edges],
            "scopes": [{"path": list(path), "title": title} for path, title in self.scopes.items()],
        }  # fmt: skip

    def to_json(self, indent: int | None = None) -> str:
        """The snapshot as JSON in ASCII: the same bytes for the same numbers, on every machine.

        `docs/drawing.md` says what it consists of.

        >>> a = Vertex("n0", "a", "", "loss", (), "float32", 3.0, float("inf"), True)
        >>> text = Snapshot((a,), title="one").to_json()
        >>> text[:53], Snapshot.from_json(text).vertices[0].grad
        ('{"caption": "", "edges": [], "focus": [], "format": "', inf)
        """
        return json.dumps(self.to_data(), indent=indent, sort_keys=True, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Snapshot:
        """The snapshot that `to_json` wrote; it is drawn as the first one was.

        Raises:
            ValueError: the text is no JSON, not of this format, or says what no snapshot can be.
        """
        data = json.loads(text)
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            raise refuse(ValueError, f"this is not the JSON of a snapshot: expected the format {FORMAT!r}")
        try:
            vertices = tuple(Vertex(**_read(entry, VERTEX, {})) for entry in data["vertices"])
            symbols = {v.id: Symbol(v.id, v.shape, _dtype(v.dtype)) for v in vertices}
            edges = []
            for entry in data["edges"]:
                target = symbols[entry["target"]]
                g = {INCOMING: Symbol(INCOMING, target.shape, target.dtype)}
                edges.append(Edge(**_read(entry, EDGE, symbols | g)))
            scopes = {tuple(map(str, scope["path"])): str(scope["title"]) for scope in data["scopes"]}
            focus = frozenset(map(str, data["focus"]))
            return cls(vertices, tuple(edges), scopes, str(data["title"]), str(data["caption"]), focus)
        except (KeyError, TypeError, AttributeError) as error:
            raise refuse(ValueError, f"this is not the JSON of a snapshot: {error!r}") from None


VERTEX, EDGE = (tuple(f.name for f in fields(kind)) for kind in (Vertex, Edge))
PLAIN = {
    "id",
    "source",
    "target",
    "name",
    "op",
    "kind",
    "dtype",
    "note",
    "primitive",
    "latex",
    "symbol",
    "mark",
}  # text as it is


def _entry(thing: Vertex | Edge, known: set[str], names: tuple[str, ...]) -> dict[str, Any]:
    entry = {name: getattr(thing, name) for name in names}
    if "attrs" in entry:
        entry["attrs"] = {key: to_data(value, known) for key, value in entry["attrs"].items()}
    return {name: x if name in PLAIN or name == "attrs" else to_data(x, known) for name, x in entry.items()}


def _read(entry: Mapping[str, Any], names: tuple[str, ...], known: Mapping[str, Symbol]) -> dict[str, Any]:
    found = {name: entry[name] for name in names}
    if "attrs" in found:
        found["attrs"] = {key: from_data(value, known) for key, value in found["attrs"].items()}
    return {
        name: str(x) if name in PLAIN else x if name == "attrs" else from_data(x, known) for name, x in found.items()
    }


def _dtype(name: str) -> np.dtype[Any]:
    try:
        return np.dtype(name)
    except (TypeError, ValueError):  # a vertex made by hand
        return np.dtype(np.float64)
