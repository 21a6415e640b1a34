"""The words of a drawing, for every painter: a card for each vertex and a chip for each edge."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_pt.viz.model import Edge, Snapshot, Vertex
from tinygrad_pt.viz.text import WORDS, check, clean, decimal, path_text, relation, shape_text

MISSING_VALUE, MISSING_GRAD = "?", "·"
FEW, MANY = 4, 64  # up to FEW elements are written out, up to MANY are shown as a heat map
SYMBOL_LENGTH = 40
BOTH_UP_TO = 64


@dataclass(frozen=True)
class Block:
    """A value or gradient as it is shown: lines of text, and for small arrays a heat map above them.

    `heat` holds one level per element, from −4 (most negative) over 0 (zero) to 4; None marks a nan.
    """

    lines: tuple[str, ...]
    heat: tuple[tuple[int | None, ...], ...] = ()

    @property
    def cell(self) -> float:
        """The side of the heat map's cells: large enough for their signs where the map is small."""
        return max(3.0, min(12.0, 96.0 // max(len(self.heat), len(self.heat[0]))))


@dataclass(frozen=True)
class Card:
    """The cleaned, unescaped words of one vertex.

    `grad` is None where no gradient can arrive; a module that hands on several values has neither value nor gradient.
    """

    name: str
    op: str
    shape: str
    value: Block | None
    grad: Block | None
    note: str
    tip: str


def card(vertex: Vertex, lang: str = "en") -> Card:
    """Everything that is written on a vertex.

    >>> card(Vertex("n0", "x", "", "input", (), "float32", 0.05, None, False)).value.lines
    ('0.0500',)
    """
    none = vertex.kind == "module" and not vertex.dtype  # it hands on several values
    value = None if none else block(vertex.value, "v", MISSING_VALUE, lang)
    grad = block(vertex.grad, "∇", MISSING_GRAD, lang) if vertex.differentiable and not none else None
    return Card(
        clean(vertex.name) or vertex.id, clean(vertex.op, 32 if vertex.kind == "module" else 16),
        clean(shape_text(vertex.shape), 24), value, grad, clean(vertex.note, 32), _tip(vertex, lang),
    )  # fmt: skip


def block(value: NDArray[Any] | float | None, letter: str, missing: str, lang: str) -> Block:
    """How an array is shown: its elements, a heat map with its scale, or its norm."""
    if value is None:
        return Block((missing,))
    array = np.asarray(value)
    if array.size == 0:
        return Block((WORDS[lang]["empty"],))
    if array.ndim == 0:
        return Block((decimal(array[()], lang=lang),))
    rows = array.reshape(-1, array.shape[-1])
    if array.size <= FEW:
        comma = "; " if lang == "pt" else ", "
        return Block(tuple(f"[{comma.join(decimal(x, lang=lang) for x in row)}]" for row in rows))
    size = np.abs(array.astype(np.complex128 if np.iscomplexobj(array) else np.float64))
    if array.size > MANY or np.iscomplexobj(array):
        with np.errstate(all="ignore"):
            norm = float(np.sqrt((size * size).sum()))
        return Block((f"‖{letter}‖ {relation(norm, lang=lang)}",))
    finite = size[np.isfinite(size)]
    top = float(finite.max()) if finite.size else 0.0
    return Block((f"|{letter}| ≤ {decimal(top, lang=lang)}",), _levels(rows, top))


def _levels(rows: NDArray[Any], top: float) -> tuple[tuple[int | None, ...], ...]:
    with np.errstate(all="ignore"):
        scaled = np.clip(rows.astype(np.float64) / (top or 1.0), -1, 1)
    steps = np.sign(scaled) * np.ceil(np.abs(scaled) * 4)
    return tuple(tuple(None if np.isnan(x) else int(x) for x in row) for row in steps)


def _tip(vertex: Vertex, lang: str) -> str:
    words = WORDS[lang]
    head = f"{clean(vertex.name, 200) or vertex.id} · {words[vertex.kind]}"
    if vertex.op:
        head += f" {clean(vertex.op, 60)}"
    lines = [head, " ".join(filter(None, (clean(vertex.dtype, 40), clean(shape_text(vertex.shape), 80))))]
    if vertex.kind != "module" or vertex.dtype:
        lines.append(f"{words['value']}: {_summary(vertex.value, words['unkept'], lang)}")
        pending = f"{words['gradient']}: {_summary(vertex.grad, words['pending'], lang)}"
        lines.append(pending if vertex.differentiable else words["none"])
    if vertex.scope:
        lines.append(path_text(vertex.scope))
    if vertex.note:
        lines.append(clean(vertex.note, 200))
    return "\n".join(filter(None, lines))


def _summary(value: NDArray[Any] | float | None, missing: str, lang: str) -> str:
    if value is None:
        return missing
    array = np.asarray(value)
    if array.size <= FEW or np.iscomplexobj(array):
        return " ".join(block(array, "v", missing, lang).lines)
    words, wide = WORDS[lang], array.astype(np.float64)
    with np.errstate(all="ignore"):
        parts = {"min": wide.min(), "mean": wide.mean(), "max": wide.max()}
    return ", ".join(f"{words[key]} {decimal(float(part), lang=lang)}" for key, part in parts.items())


def chips(snapshot: Snapshot, labels: str = "auto", lang: str = "en") -> tuple[tuple[str, ...], ...]:
    """The lines of each edge's chip, in the order of the edges; an empty tuple is no chip.

    `labels="both"` writes formula and number, `"sym"` the formula, `"num"` the number (an array edge
    has none and keeps its rule), `"none"` nothing. `"auto"` is both on up to 64 edges, else `"num"`.

    >>> a = Vertex("n0", "a", "", "param", (), "float32", 3.0, 6.0, True)
    >>> b = Vertex("n1", "b", "exp", "loss", (), "float32", 20.0855, 1.0, True)
    >>> chips(Snapshot((a, b), (Edge("n0", "n1", 0, "∂b/∂a = b", 20.0855),)))
    (('∂b/∂a = b', '= 20.0855'),)
    """
    check(edge_labels=labels)
    if labels == "auto":
        labels = "both" if len(snapshot.edges) <= BOTH_UP_TO else "num"
    return tuple(_chip(edge, labels, lang) for edge in snapshot.edges)


def _chip(edge: Edge, labels: str, lang: str, limit: int = SYMBOL_LENGTH) -> tuple[str, ...]:
    if labels == "none" or not edge.flows:
        return ()
    symbol = clean(f"{edge.mark} {edge.symbol}" if edge.mark else edge.symbol, limit)
    if lang == "pt":
        symbol = re.sub(r"(?<![\w.])(\d+)\.(\d+)(?![\w.])", r"\1,\2", symbol)
    if edge.number is None or (labels == "sym" and symbol):
        return (symbol,) if symbol else ()
    if labels == "num" or not symbol:
        return (decimal(edge.number, lang=lang),)
    if states(symbol, edge.number):
        return (symbol,)
    return (symbol, relation(edge.number, lang=lang))


def states(symbol: str, value: float) -> bool:
    """Whether the formula ends in this very number, as `∂c/∂a = 1` does."""
    last = symbol.rpartition("=")[2].strip().replace("−", "-").replace(",", ".")
    return bool(re.fullmatch(r"-?\d+(\.\d+)?", last)) and float(last) == value


def edge_tip(edge: Edge, names: Mapping[str, str], lang: str = "en") -> str:
    """The words that appear over an edge: which argument it is, and the whole local derivative."""
    ends = f"{names[edge.source]} → {names[edge.target]}"
    lines = [f"{ends} · {WORDS[lang]['argument']} {edge.slot + 1}"]
    lines.append(" ".join(_chip(edge, "both", lang, 200)) if edge.flows else WORDS[lang]["none"])
    return "\n".join(filter(None, lines))
