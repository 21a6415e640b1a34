"""`Program` writes a graph as a student would by hand: its forward and its backward pass, straight on, in NumPy.

It is the engine's own walk (`autograd.engine`), each rule read with symbols and written by `numpy_source`: the same
operations in the same order, so the gradients have the engine's bits.
"""

from __future__ import annotations

import builtins
import keyword
import re
import textwrap
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_pt.autograd.engine import order
from tinygrad_pt.errors import refuse
from tinygrad_pt.graph import PICK, Constant, Node
from tinygrad_pt.ops import sum_to
from tinygrad_pt.symbol import Symbol
from tinygrad_pt.viz.algebra import UNIT, simplify
from tinygrad_pt.viz.expression import substitute
from tinygrad_pt.viz.formula import render
from tinygrad_pt.viz.numpy_source import Source, array_text, laid_out
from tinygrad_pt.viz.text import clean

LITERAL = 1000  # an array of more elements is read from a file
WIDTH = 120
RESERVED = {
    "np",
    *dir(builtins),
    *"math cmath operator functools itertools lru_cache SimpleNamespace NamedTuple".split(),
}
SHORT = 24  # what is no longer may stand twice

COMMENTS = {
    "en": {
        "title": "{y}, and its gradients by the chain rule", "values": "values", "forward": "forward pass",
        "backward": "backward pass, from the last operation to the first",
    },
    "pt": {
        "title": "{y} e seus gradientes pela regra da cadeia", "values": "valores",
        "forward": "ida (propagação para frente)", "backward": "volta (retropropagação), da última operação à primeira",
    },
}  # fmt: skip


class Program:
    """The text of a program, and the arrays that are too large to stand in it.

    Args:
        root: the vertex of the loss, which has one element.
        slots: of each vertex, the boxes of its arguments (`debugging.replay.Boxes`).
        names, values: of each box.
        wanted: the vertices whose gradients are asked for.
        file: where the large arrays are read from.
    """

    def __init__(
        self, root: Node, slots: Mapping[Node, list[Any]], names: Mapping[Any, str], values: Mapping[Any, Any],
        wanted: Iterable[Node], lang: str = "en", file: str = "values.npz",
    ) -> None:  # fmt: skip
        self.root, self.slots, self.values, self.wanted = root, slots, values, dict.fromkeys(wanted)
        self.shown, self.words, self.file = names, COMMENTS[lang], file
        self.nodes = order([root])[::-1]
        self.picks: dict[Node, dict[int, Node]] = {}  # of an op with several results, those that are used
        for node in self.nodes:
            if node.op is PICK:
                self.picks.setdefault(node.parents[0], {})[node.attrs["part"]] = node
        self.taken = {"stored", "file", *RESERVED}
        self.name: dict[Any, str] = {}
        for b, name in names.items():
            if isinstance(b, (Node, Constant)):
                self.name[b] = self.fresh(identifier(name))
        self.arrays: dict[str, NDArray[Any]] = {}
        grads = {f"d{self.name[root]}_d{name}" for name in self.name.values()}
        self.source = Source(self.taken | grads)
        self.symbols = {b: Symbol(n, tuple(b.shape), b.dtype) for b, n in self.name.items()}
        self.grad: dict[Any, str] = {}
        self.parts = 1
        if any(node.note("hooks") for node in (*self.nodes, *self.wanted)):
            raise refuse(NotImplementedError, "a hook changes a gradient: its code is not written as NumPy")
        forward, backward = self.forward(), self.backward()
        self.text = self.assembled(self.data(), forward, backward)

    def fresh(self, wish: str) -> str:
        name, count = wish, 1
        while name in self.taken:
            count += 1
            name = f"{wish}_{count}"
        self.taken.add(name)
        return name

    # ---------------------------------------------------------------------------------------- parts
    def assembled(self, data: list[str], forward: list[str], backward: list[str]) -> str:
        head = [f'"""{self.words["title"].format(y=self.name[self.root])}."""', ""]
        imports = sorted({"import numpy as np", *self.source.imports}, key=lambda line: line.split()[1])
        head += imports
        helpers = [line for f in self.source.functions for line in ("", "", f)]
        blank = ["", ""] if helpers else [""]
        parts = [*head, *helpers, *blank]
        for word, lines in (("values", data), ("forward", forward), ("backward", backward)):
            parts += [f"# {self.words[word]}", *lines, ""]
        return "\n".join(parts).rstrip() + "\n"

    def data(self) -> list[str]:
        """The values of leaves and constants."""
        lines: list[str] = []
        for b, name in self.name.items():
            if isinstance(b, Node) and b.parents:
                continue
            value = self.values[b]
            if value is None:
                mend = (
                    "call derive() before backward(), or keep the tensor in a variable of its own and do not change it"
                )
                raise refuse(RuntimeError, f"the value of {self.shown[b]} is not known any more", mend=mend)
            value = np.asarray(value)
            if value.size > LITERAL:
                if not self.arrays:
                    lines[:0] = [f"with np.load({self.file!r}) as file:", "    stored = dict(file)"]
                self.arrays[name], laid = laid_out(value)
                lines.append(f"{name} = stored[{name!r}]{laid}")
            else:
                lines += wrapped(f"{name} = {array_text(value)}")
        return lines

    def arguments(self, node: Node) -> tuple[Any, ...]:
        """The arguments of an op: symbols, Python numbers, None."""
        boxes = self.slots[self.picks[node][min(self.picks[node])] if node in self.picks else node]
        return tuple(getattr(b, "raw", self.symbols.get(b)) for b in boxes)

    def forward(self) -> list[str]:
        lines: list[str] = []
        scope = None
        for node in self.nodes:
            if node.op is PICK:
                continue
            if "ctx" in node.attrs:
                name = node.op.name.rpartition(".")[2]
                raise refuse(NotImplementedError, f"{name} is a Function of your own: its code is not written as NumPy")
            if node.scope is not scope:
                scope = node.scope
                lines += [] if scope is None else [f"# {clean(scope, 100)}"]
            text = self.source.text(Symbol(op=node.op, args=self.arguments(node), attrs=node.attrs))
            lines.append(f"{', '.join(self.results(node))} = {text}")
        return lines

    def results(self, node: Node) -> list[str]:
        """The names of what an op gives: one, or several, some of which nobody uses."""
        if node in self.name:
            return [self.name[node]]
        picks = self.picks[node]
        first = self.name[picks[min(picks)]]
        found = []
        for part, shape in enumerate(node.note("shapes")):
            if part not in picks:
                self.symbols[node, part] = Symbol(self.fresh(f"{first}_{part}"), shape, node.dtype)
            else:
                self.symbols[node, part] = self.symbols[picks[part]]
            found.append(self.symbols[node, part].name)
        return found

    # ---------------------------------------------------------------------------------------- the walk back
    def backward(self) -> list[str]:
        leading = set(self.wanted)
        for node in self.nodes:
            if any(p in leading for p in node.parents if isinstance(p, Node)):
                leading.add(node)
        y = self.name[self.root]
        seed = array_text(np.ones(self.root.shape, self.root.dtype))
        self.grad[self.root] = self.fresh(f"d{y}_d{y}")
        lines = [f"{self.grad[self.root]} = {seed}"]
        several: dict[Node, list[Symbol | None]] = {}
        for node in reversed(self.nodes):
            if node not in leading or (node not in self.grad and node not in several):
                continue
            if node.op is PICK:
                lines += self.collected(node, several)
                continue
            own = Symbol(self.grad[node], node.shape, node.dtype) if node in self.grad else None
            lines += self.visited(node, several.get(node, own), leading)
        for b in self.wanted:
            if b not in self.grad:
                self.grad[b] = self.fresh(f"d{y}_d{self.name[b]}")
                lines.append(f"{self.grad[b]} = np.zeros_like({self.name[b]})")
        return lines

    def collected(self, node: Node, several: dict[Node, list[Symbol | None]]) -> list[str]:
        """The gradient of one of several results joins the list of their gradients."""
        made = node.parents[0]
        lines = []
        if made not in several:
            shapes = made.note("shapes")
            kinds = made.note("dtypes", (made.dtype,) * len(shapes))
            several[made] = [None] * len(shapes)
            for part, (shape, kind) in enumerate(zip(shapes, kinds, strict=True)):
                if not made.note("lean"):
                    name = self.fresh(f"{self.grad[node]}_{part}")
                    lines.append(f"{name} = np.zeros({shape!r}, np.{kind})")
                    several[made][part] = Symbol(name, shape, kind)
        part, g = node.attrs["part"], Symbol(self.grad[node], node.shape, node.dtype)
        before = several[made][part]
        if before is None:
            several[made][part] = g
        else:
            lines.append(f"{before.name} = {before.name} + {g.name}")
        return lines

    def visited(self, node: Node, g: Any, leading: set[Node]) -> list[str]:
        """What one vertex sends back to its arguments."""
        op, args = node.op, self.arguments(node)
        value = self.symbols[node] if node in self.symbols else self.symbols[node, 0]
        rules = op.rules_for(len(args))
        sent: list[tuple[int, Node, Any]] = []
        for slot, p in enumerate(node.parents):
            rule = rules[slot] if isinstance(p, Node) and p in leading else None
            if rule is not None:
                with np.errstate(all="ignore"):
                    r = rule(g, value, *args, **node.attrs)
                if isinstance(r, Symbol) and r.shape != p.shape:
                    r = sum_to(r, shape=p.shape)
                sent.append((slot, p, r))
        lines, done = self.shared([r for *_, r in sent])
        for slot, p, r in sent:
            text = self.source.expression(r, {}, done)
            line = self.source.unparsed(text)
            if p in self.grad:
                lines.append(f"{self.grad[p]} = {self.grad[p]} + {self.source.bracketed(text)}")
            else:
                self.grad[p] = self.fresh(f"d{self.name[self.root]}_d{self.name.get(p, 'all')}")
                lines.append(f"{self.grad[p]} = {line}")
            comment = self.comment(node, p, slot, r, g)
            if comment:
                beside = len(lines[-1]) + len(comment) + 4 <= WIDTH
                lines[-1:] = [f"{lines[-1]}  # {comment}"] if beside else [f"# {comment}", lines[-1]]
        return lines

    def shared(self, results: list[Any]) -> tuple[list[str], dict[int, Any]]:
        """Lines for what stands more than once in the results of one vertex, and the names they give it."""
        parts = [s for r in results for s in inside(r)]  # arguments first
        keys: dict[int, Any] = {}
        for s in parts:
            of = (keys.get(id(a), getattr(a, "name", repr(a))) for a in s.args)
            keys.setdefault(id(s), (s.op.name, *of, repr(s.attrs)))  # type: ignore[union-attr]
        times: dict[Any, int] = {}
        stack = list(results)
        while stack:
            s = stack.pop()
            if id(s) in keys:
                times[keys[id(s)]] = times.get(keys[id(s)], 0) + 1
                stack += s.args if times[keys[id(s)]] == 1 else ()
        lines: list[str] = []
        done: dict[int, Any] = {}
        named: dict[Any, Any] = {}
        for s in parts:
            key = keys[id(s)]
            if times.get(key, 0) > 1 and key not in named:
                node = self.source.expression(s, {}, done)
                text = self.source.unparsed(node)
                if len(text) > SHORT:
                    name = self.fresh(f"part{self.parts}")
                    self.parts += 1
                    lines.append(f"{name} = {text}")
                    node = self.source.named(name)
                named[key] = node
            if key in named:
                done[id(s)] = named[key]
        return lines, done

    def comment(self, node: Node, p: Node, slot: int, r: Any, g: Any) -> str:
        """The local derivative as mathematics."""
        if not isinstance(g, Symbol) or node not in self.shown or p not in self.shown:
            return ""
        scalar = node.shape == () == p.shape
        names = {s.name: Symbol(self.shown[b], s.shape, s.dtype) for b, s in self.symbols.items() if b in self.shown}
        shown = substitute(r, {**names, g.name: UNIT if scalar else Symbol("ḡ", node.shape, node.dtype)})
        text = render(simplify(shown))
        y, x = self.shown[node], self.shown[p]
        text = f"∂{y}/∂{x} = {text}" if scalar else f"∇{x} ← {text}"
        return text if len(text) < WIDTH - 2 else ""


def identifier(name: str) -> str:
    """A name as Python's: `fc.weight` is fc_weight, `w[0][1]` is w_0_1, `0.bias` is bias_0.

    >>> [identifier(n) for n in ("w1", "fc.weight", "0.bias", "w[0][1]", "lambda", "h′", "")]
    ['w1', 'fc_weight', 'bias_0', 'w_0_1', 'lambda_', 'h', 'v']
    """
    parts = [p for p in re.split(r"\W+", unicodedata.normalize("NFKC", name.strip("$"))) if p]
    while parts and parts[0][0].isdigit() and any(not p[0].isdigit() for p in parts):
        parts.append(parts.pop(0))
    text = re.sub(r"_+", "_", "_".join(parts)).strip("_")
    text = text if text.isidentifier() else f"v{text}" if f"v{text}".isidentifier() else "v"
    return f"{text}_" if keyword.iskeyword(text) else text


def inside(x: Any) -> Iterator[Symbol]:
    """The applications of ops in an expression, arguments first, each once."""
    seen: set[int] = set()
    stack = [(x, False)]
    while stack:
        s, ready = stack.pop()
        if not isinstance(s, Symbol) or s.op is None or (id(s) in seen and not ready):
            continue
        if ready:
            yield s
        else:
            seen.add(id(s))
            stack += [(s, True), *((a, False) for a in reversed(s.args))]


def wrapped(line: str) -> list[str]:
    """A long line of numbers in several."""
    if len(line) <= WIDTH:
        return [line]
    return textwrap.wrap(line, WIDTH, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
