"""`graph_text` writes the structure of a graph as text, the same in every run; `graph_difference` compares two."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

import numpy as np

from tinygrad_pt.debugging.replay import with_history
from tinygrad_pt.graph import Constant, Leaf, Node, Op, Tensor


def graph_text(*results: Tensor) -> str:
    """The graph behind one or several tensors, one line per value, arguments before what uses them.

    A line has the value's number, its op with the numbers of its arguments and its attributes, dtype and shape, and
    the module that was being called. No line depends on values, addresses or the order of birth of other graphs.

    >>> import tinygrad_pt as torch
    >>> w = torch.ones(2, 3, requires_grad=True)
    >>> print(graph_text((torch.tanh(w) * 2).sum(0)))
    0 = leaf  float32[2, 3]
    1 = tanh(0)  float32[2, 3]
    2 = mul(1, number)  float32[2, 3]
    3 = sum(2; axis=(0,), keepdims=False)  float32[3]
    returns 3
    """
    text = "this tensor has no graph: it does not require grad"
    roots = [with_history(t, "graph_text() takes tensors", text) for t in results]
    numbers: dict[Any, int] = {}
    lines: list[str] = []

    def say(key: Any, x: Any, text: str, module: Any = None) -> None:
        numbers[key] = len(numbers)
        where = "" if module is None else f"  in {module}"
        lines.append(f"{numbers[key]} = {text}  {np.dtype(x.dtype)}[{', '.join(map(str, x.shape))}]{where}")

    def argument(p: Any) -> str:
        if p is None or not isinstance(p, (Node, Constant)):
            return "none" if p is None else "number"  # its value is no structure: it may change from step to step
        key = ("constant", id(p.handle)) if isinstance(p, Constant) else p
        if key not in numbers:
            say(key, p, "constant")
        return str(numbers[key])

    for node in _reached(roots):
        inside = ", ".join(map(argument, node.parents))
        attrs = ", ".join(f"{k}={_attribute(v)}" for k, v in node.attrs.items() if k != "places")
        inside += f"; {attrs}" if attrs else ""
        name = getattr(node.handle(), "name", None) if isinstance(node, Leaf) else None
        op = f"{node.op.name} {name}" if name else node.op.name
        say(node, node, f"{op}({inside})" if inside else op, None if isinstance(node, Leaf) else node.scope)
    return "\n".join([*lines, f"returns {', '.join(str(numbers[root]) for root in roots)}"])


def _reached(roots: Iterable[Node]) -> list[Node]:
    """All vertices, arguments first, in an order that depends on the structure alone."""
    found: dict[Node, None] = {}
    stack = [(root, False) for root in reversed(list(roots))]
    while stack:
        node, ready = stack.pop()
        if ready:
            found[node] = None
        elif node not in found:
            stack.append((node, True))
            stack += [(p, False) for p in reversed(node.parents) if isinstance(p, Node) and p not in found]
    return list(found)


def _attribute(value: Any) -> str:
    """An attribute of an op as short text without addresses."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype}{list(value.shape)}" if value.size > 16 else f"{value.tolist()}"
    if isinstance(value, Op):
        return value.name
    if isinstance(value, (tuple, list)):
        inner = ", ".join(map(_attribute, value))
        return f"({inner}{',' if len(value) == 1 else ''})" if isinstance(value, tuple) else f"[{inner}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {_attribute(v)}" for k, v in value.items()) + "}"
    if isinstance(value, slice):
        return ":".join("" if v is None else str(v) for v in (value.start, value.stop, value.step)).removesuffix(":")
    if value is None or value is Ellipsis or isinstance(value, (bool, int, float, str, np.generic, np.dtype)):
        return "..." if value is Ellipsis else str(value)
    return type(value).__name__


# ------------------------------------------------------------------------------------------ what differs
LINE = re.compile(r"(\d+) = ([^(;]*?)(?:\((.*)\))?  (\S.*?\])(?:  in (.*))?$")


@dataclass(frozen=True)
class _Vertex:
    number: int
    op: str
    arguments: tuple[str, ...]
    attributes: str
    kind: str
    module: str

    @property
    def title(self) -> str:
        return f"{self.op} ({self.number})"


def _read(text: str) -> tuple[list[_Vertex], list[str]]:
    vertices, returned = [], []
    for line in text.splitlines():
        found = LINE.match(line)
        if found:
            number, op, inside, kind, module = found.groups()
            arguments, _, attributes = (inside or "").partition("; ")
            parts = tuple(arguments.split(", ")) if arguments else ()
            vertices.append(_Vertex(int(number), op, parts, attributes, kind, module or ""))
        elif line.startswith("returns "):
            returned = line.removeprefix("returns ").split(", ")
    return vertices, returned


def graph_difference(old: str, new: str) -> str:
    """What differs between two texts of `graph_text`: ops added, gone, changed; "" if nothing does.

    Ops are paired in order, so that one more op at the beginning is one difference, though all numbers behind it
    change. A number in brackets is that of the line: of the stored text for what is gone, else of the new one.

    >>> print(graph_difference(
    ...     "0 = leaf  float32[2]\\n1 = tanh(0)  float32[2]\\nreturns 1",
    ...     "0 = leaf  float32[2]\\n1 = exp(0)  float32[2]\\n2 = tanh(1)  float32[2]\\nreturns 2",
    ... ))
    + exp (1), of leaf (0): float32[2]
    ~ tanh (2): argument 0 was leaf (0), now it is exp (1)
    """
    if old == new:
        return ""
    (before, was), (after, now) = _read(old), _read(new)
    pairs = _paired(before, after)
    to_new = {before[i].number: after[j].number for i, j in pairs}
    old_by, new_by = {v.number: v for v in before}, {v.number: v for v in after}
    old_paired, new_paired = ({pair[side] for pair in pairs} for side in (0, 1))
    said: list[tuple[int, str]] = []
    for v in (v for i, v in enumerate(before) if i not in old_paired):
        place = max((to_new[w.number] for w in before[: before.index(v)] if w.number in to_new), default=-1)
        said.append((place * 2 + 1, f"- {_told(v, old_by)}"))
    said += [(v.number * 2, f"+ {_told(v, new_by)}") for j, v in enumerate(after) if j not in new_paired]
    for i, j in pairs:
        said += [(after[j].number * 2, f"~ {after[j].title}: {t}") for t in
                 _changes(before[i], after[j], to_new, old_by, new_by)]  # fmt: skip
    lines = [text for _, text in sorted(said, key=lambda pair: pair[0])]
    wanted = [str(to_new.get(int(n), "gone")) for n in was]
    if wanted != now:
        lines.append(f"~ the results were {_names(was, old_by)}, now they are {_names(now, new_by)}")
    return "\n".join(lines) or "the texts differ in form only; update the stored one"


def _paired(before: list[_Vertex], after: list[_Vertex]) -> list[tuple[int, int]]:
    """Which old vertices are which new ones: first those that are alike, then those of one op between them."""
    pairs: list[tuple[int, int]] = []
    old, new = ([(v.op, v.kind, v.attributes, v.module) for v in side] for side in (before, after))
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            pairs += zip(range(i1, i2), range(j1, j2), strict=True)
        elif tag == "replace":
            inner = SequenceMatcher(
                None, [v.op for v in before[i1:i2]], [v.op for v in after[j1:j2]], autojunk=False
            ).get_matching_blocks()
            pairs += [(i1 + b.a + k, j1 + b.b + k) for b in inner for k in range(b.size)]
    return sorted(pairs)


def _changes(
    a: _Vertex, b: _Vertex, to_new: dict[int, int], old_by: dict[int, _Vertex], new_by: dict[int, _Vertex]
) -> list[str]:
    found = []
    if a.kind != b.kind:
        found.append(f"was {a.kind}, now it is {b.kind}")
    if a.attributes != b.attributes:
        found.append(f"had {a.attributes or 'no attributes'}, now it has {b.attributes or 'none'}")
    if a.module != b.module:
        found.append(f"was called in {a.module or 'no module'}, now in {b.module or 'none'}")
    if len(a.arguments) != len(b.arguments):
        found.append(f"had {len(a.arguments)} arguments, now it has {len(b.arguments)}")
    for slot, (p, q) in enumerate(zip(a.arguments, b.arguments, strict=False)):
        if (str(to_new.get(int(p), "gone")) if p.isdigit() else p) != q:
            found.append(f"argument {slot} was {_names([p], old_by)}, now it is {_names([q], new_by)}")
    return found


def _names(numbers: list[str], by: dict[int, _Vertex]) -> str:
    return ", ".join(by[int(n)].title if n.isdigit() and int(n) in by else f"a {n}" for n in numbers)


def _told(v: _Vertex, by: dict[int, _Vertex]) -> str:
    arguments = f", of {_names(list(v.arguments), by)}" if v.arguments else ""
    return f"{v.title}{arguments}: {v.kind}" + (f", in {v.module}" if v.module else "")
