"""`Snapshot` holds the vertices, edges and module frames of a graph at one moment, as plain data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from tinygrad_pt.errors import refuse
from tinygrad_pt.symbol import Symbol

Scope = tuple[str, ...]
KINDS = ("input", "param", "const", "target", "op", "loss")
INCOMING = "g"  # the name, in rules, of the gradient that arrives
_ID = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}", re.ASCII)


@dataclass(frozen=True, eq=False)
class Vertex:
    """One value of the graph: what made it, what it holds, and what flowed back to it.

    `value` is None where it was not kept (drawn as `?`), `grad` is None where it is not computed
    yet (drawn as `·`). `op` is the sign on the card, `primitive` and `attrs` what the engine applied (empty for
    leaves). `name`, `op` and `note` are untrusted text: every painter cleans them.
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
    the target; None where a rule is a user's code.
    """

    source: str
    target: str
    slot: int
    symbol: str = ""
    number: float | None = None
    flows: bool = True
    rule: Symbol | NDArray[Any] | float | None = None

    @property
    def id(self) -> str:
        return f"e_{self.target}_{self.slot}"


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Vertices in order of birth, one edge per argument slot, and the titles of the module frames.

    A scope without a title gets no frame of its own (a list of layers, which computes nothing itself). Every edge must
    lead from an older vertex to a younger one, so that a drawing needs no search for an order and cannot meet a cycle.

    >>> a = Vertex("n0", "a", "", "param", (), "float32", 3.0, 6.0, True)
    >>> b = Vertex("n1", "b", "×", "loss", (), "float32", 9.0, 1.0, True)
    >>> len(Snapshot((a, b), (Edge("n0", "n1", 0), Edge("n0", "n1", 1))).edges)
    2
    """

    vertices: tuple[Vertex, ...]
    edges: tuple[Edge, ...] = ()
    scopes: Mapping[Scope, str] = field(default_factory=dict)
    title: str = ""

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
