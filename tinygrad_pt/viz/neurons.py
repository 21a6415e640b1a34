"""The neuron view: a multilayer perceptron as circles in columns, its weights on the lines between them.

`network` reads the layers from a snapshot: what multiplies a parameter is the net input of a layer, and what is
computed from it element by element, up to the next product, is the layer's output.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import hypot
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_pt.errors import refuse
from tinygrad_pt.viz.card import MISSING_GRAD, MISSING_VALUE
from tinygrad_pt.viz.drawing import Drawing
from tinygrad_pt.viz.model import Snapshot, Vertex
from tinygrad_pt.viz.options import Look
from tinygrad_pt.viz.sheet import Box, Point
from tinygrad_pt.viz.svg import Painter, n
from tinygrad_pt.viz.text import clean, decimal, width, xml

Numbers = NDArray[np.float64] | None  # None: unknown
PRODUCTS = ("linear", "mm", "mv")
SHAPING = ("reshape", "squeeze", "unsqueeze", "flatten", "clone", "cast", "t", "transpose")


@dataclass(frozen=True, eq=False)
class Layer:
    """The neurons of one column for one example: net input, output, and the cost's derivatives by both.

    The weights lead into them: `weight[j, i]` from neuron i of the layer before to neuron j. What is unknown is None.
    Inputs have an output alone.
    """

    names: tuple[str, ...]
    activation: str
    net: Numbers
    out: Numbers
    net_grad: Numbers
    out_grad: Numbers
    weight: Numbers = None
    weight_grad: Numbers = None
    bias: Numbers = None
    bias_grad: Numbers = None
    biased: bool = False

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True, eq=False)
class Network:
    """The layers, the inputs first; the cost, and how many examples it was computed from."""

    layers: tuple[Layer, ...]
    cost: str
    value: float | None
    target: Numbers
    example: int
    examples: int


def network(snapshot: Snapshot, example: int = 0) -> Network:
    """The perceptron behind a cost.

    Raises:
        ValueError: the graph is no chain of layers, or there is no such example.

    >>> import tinygrad_pt as torch
    >>> from tinygrad_pt import nn, viz
    >>> net, x = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)), torch.ones(4, 2)
    >>> found = network(viz.snapshot(net(x).square().sum(), {"net": net, "x": x}))
    >>> [(len(layer), layer.activation) for layer in found.layers], found.examples
    ([(2, ''), (3, 'tanh'), (1, '')], 4)
    """
    return _Reading(snapshot, example).network()


class _Reading:
    def __init__(self, snapshot: Snapshot, example: int) -> None:
        self.snapshot, self.example = snapshot, example
        self.known = {vertex.id: vertex for vertex in snapshot.vertices}
        self.into: dict[str, list[Vertex]] = defaultdict(list)
        self.users: dict[str, list[Vertex]] = defaultdict(list)
        for edge in sorted(snapshot.edges, key=lambda edge: edge.slot):
            self.into[edge.target].append(self.known[edge.source])
        for edge in snapshot.edges:
            self.users[edge.source].append(self.known[edge.target])

    def network(self) -> Network:
        products = [v for v in self.snapshot.vertices if self._weight(v) is not None]
        if not products:
            raise refuse(ValueError, "view='neuron' draws a multilayer perceptron, and no layer was found", mend=MEND)
        shape = self._input(products[0]).shape
        columns = self._first(products[0]) == 0  # W @ x: the examples stand in columns
        examples = 1 if len(shape) < 2 else shape[1 if columns else 0]
        if not -examples <= self.example < examples:
            raise refuse(ValueError, f"example={self.example}: the batch has {examples} examples")
        layers = [self._inputs(products[0], columns)]
        here = ""
        for number, product in enumerate(products, 1):
            start = self._input(product)
            if number > 1 and start.id != here:
                ends = f"{product.name} is not computed from {self.known[here].name}"
                text = f"view='neuron' draws a chain of layers, and {ends}"
                raise refuse(ValueError, text, mend=MEND)
            layer, here = self._layer(product, number, number == len(products), columns)
            layers.append(layer)
        cost = self.snapshot.vertices[-1]
        value = None if cost.value is None or np.size(cost.value) != 1 else float(np.asarray(cost.value).reshape(()))
        return Network(tuple(layers), cost.name, value, self._target(here, columns), self.example, examples)

    # ------------------------------------------------------------------------------------ reading
    def _weight(self, vertex: Vertex) -> Vertex | None:
        """The parameter of two axes that a vertex multiplies."""
        if vertex.primitive not in PRODUCTS:
            return None
        found = (a for a in self.into[vertex.id] if not self.into[a.id] and a.requires_grad and len(a.shape) == 2)
        return next(found, None)

    def _first(self, product: Vertex) -> int:
        """The slot of the weight."""
        return [a.id for a in self.into[product.id]].index(self._weight(product).id)  # type: ignore[union-attr]

    def _input(self, product: Vertex) -> Vertex:
        """What the weight is multiplied with."""
        return self.into[product.id][1 - self._first(product)]

    def _row(self, value: NDArray[Any] | float | None, columns: bool) -> Numbers:
        """One example's numbers."""
        if value is None:
            return None
        a = np.asarray(value, np.float64)
        if a.ndim < 2:
            return a.reshape(-1)
        return (a[:, self.example] if columns else a.reshape(-1, a.shape[-1])[self.example]).copy()

    def _inputs(self, product: Vertex, columns: bool) -> Layer:
        x = self._input(product)
        out = self._row(x.value, columns)
        weight = self._weight(product)
        assert weight is not None
        return Layer(
            _names("x", weight.shape[1 if self._rows(product) else 0]), "", None, out, None, self._row(x.grad, columns)
        )

    def _matrix(self, product: Vertex, grad: bool = False) -> Numbers:
        """The weight, or its gradient, with one row for each neuron of the layer."""
        weight = self._weight(product)
        assert weight is not None
        value = weight.grad if grad else weight.value
        if value is None:
            return None
        return np.asarray(value, np.float64) if self._rows(product) else np.asarray(value, np.float64).T

    def _rows(self, product: Vertex) -> bool:
        """Whether a weight has one row for each neuron of the layer, else one column."""
        return product.primitive == "linear" or self._first(product) == 0

    def _layer(self, product: Vertex, number: int, last: bool, columns: bool) -> tuple[Layer, str]:
        """A layer, and the vertex that holds its output."""
        arguments = self.into[product.id]
        bias = arguments[2] if product.primitive == "linear" and len(arguments) > 2 else None
        net, after = product, self._next(product)
        if bias is None and after is not None and after.primitive == "add":
            bias = next((a for a in self.into[after.id] if not self.into[a.id] and a.requires_grad), None)
            if bias is not None:
                net, after = after, self._next(after)
        out, names = net, []
        while after is not None and not self._costs(after, last):
            if after.primitive not in SHAPING:
                names.append(after.op)
            out, after = after, self._next(after)
        weight = self._weight(product)
        assert weight is not None
        count = weight.shape[0 if self._rows(product) else 1]
        layer = Layer(
            _names("o" if last else f"h{number}", count, joint="" if last else ","), ", ".join(names),
            self._row(net.value, columns), self._row(out.value, columns),
            self._row(net.grad, columns), self._row(out.grad, columns),
            self._matrix(product), self._matrix(product, grad=True),
            None if bias is None or bias.value is None else np.asarray(bias.value, np.float64).reshape(-1),
            None if bias is None or bias.grad is None else np.asarray(bias.grad, np.float64).reshape(-1),
            bias is not None,
        )  # fmt: skip
        return layer, out.id

    def _next(self, vertex: Vertex) -> Vertex | None:
        """The only user of a value, if it is no product."""
        users = self.users[vertex.id]
        return users[0] if len(users) == 1 and self._weight(users[0]) is None else None

    def _costs(self, vertex: Vertex, last: bool) -> bool:
        """Whether a vertex belongs to the cost, no more to a layer: another value joins, or the elements are united."""
        if vertex.kind == "loss":
            return True
        others = [a for a in self.into[vertex.id] if np.prod(a.shape) > 1 and a.requires_grad]
        same = np.prod(vertex.shape) == np.prod(self.into[vertex.id][0].shape)
        joins = any(a.kind in ("target", "input") for a in self.into[vertex.id])
        return not same or len(others) > 1 or joins or (last and vertex.primitive == "square")

    def _target(self, output: str, columns: bool) -> Numbers:
        """What the cost compares the output with, where it is one number per output."""
        shape = self.known[output].shape
        for vertex in self.snapshot.vertices:
            if vertex.kind in ("target", "input", "const") and vertex.shape == shape and vertex.value is not None:
                if any(self._leads(output, user) for user in self.users[vertex.id]):
                    return self._row(vertex.value, columns)
        return None

    def _leads(self, source: str, target: Vertex) -> bool:
        """Whether a value is computed from another."""
        stack = [target]
        while stack:
            here = stack.pop()
            if here.id == source:
                return True
            stack += self.into[here.id]
        return False


MEND = "draw the cost of an nn.Linear, or of nn.Linear layers with activations between them; view='op' draws any graph"


def _names(stem: str, count: int, joint: str = "") -> tuple[str, ...]:
    return tuple(f"{stem}{joint}{i}" for i in range(1, count + 1))


# ------------------------------------------------------------------------------------------ painting
RADIUS, BIAS, GAP, ROW = 42.0, 15.0, 230.0, 152.0
SHOWN, LABELLED = 5, 32  # so many neurons of a layer, so many weights between two layers with their numbers
CHIP = 12.0  # the size of the text on a line


@dataclass(frozen=True)
class _Line:
    """A weight on its way: from circle to circle, with what is written on it."""

    start: Point
    end: Point
    texts: tuple[tuple[str, str], ...]  # (style, words)
    tip: str


class NeuronDrawing(Drawing):
    """A drawing of neurons. Raises ValueError where the snapshot is no perceptron, as `network`."""

    def __init__(self, snapshot: Snapshot, look: Look | None = None, example: int = 0) -> None:
        super().__init__(snapshot, look)
        self.network = network(snapshot, example)

    def painted(self, look: Look) -> str:
        return _NeuronPainter(self.network, self.snapshot, look).document()


class _NeuronPainter(Painter):
    """Circles, lines between them, and the cost."""

    def __init__(self, net: Network, snapshot: Snapshot, look: Look) -> None:
        super().__init__(snapshot, look)
        self.net = net
        if net.examples > 1:
            which = self.words["one of many"].format(net.example % net.examples + 1, net.examples)
            self.caption = f"{self.caption} {which}".strip()
        self.rows = [_shown(len(layer)) for layer in net.layers]
        self.biased = [after.biased for after in net.layers[1:]] + [False]
        places = [len(rows) + 0.5 * biased for rows, biased in zip(self.rows, self.biased, strict=True)]
        self.top, self.high = 34.0, max(places) * ROW
        self.x = [16 + RADIUS + column * (2 * RADIUS + GAP) for column in range(len(net.layers))]
        self.cost = Box(self.x[-1] + RADIUS + 90, self.top + self.high / 2 - 26, self._cost_width(), 52)
        self.size = self.cost.x + self.cost.w + 16, self.top + self.high

    def _y(self, column: int, row: int) -> float:
        """The middle of a circle; the bias stands half a row below the last."""
        count = len(self.rows[column]) + 0.5 * self.biased[column]
        bias = row == len(self.rows[column])
        return self.top + (self.high - count * ROW) / 2 + (row + (0.3 if bias else 0.5)) * ROW

    def number(self, values: Numbers, *at: int) -> str:
        return MISSING_VALUE if values is None else decimal(float(values[at]), lang=self.lang)

    def slope(self, values: Numbers, *at: int) -> str:
        return MISSING_GRAD if values is None else decimal(float(values[at]), lang=self.lang)

    def about(self) -> str:
        return " – ".join(str(len(layer)) for layer in self.net.layers)

    def legend(self) -> Iterator[tuple[float, list[str]]]:
        brush, words, cost = self.brush, self.words, clean(self.net.cost)
        yield self.entry(28, words["weight"], brush.line("fwd", "M0 -4h22"), brush.head((28, -4), (1, 0), "fh"))
        yield self.entry(8, f"∂{cost}/∂w", brush.text("small-grad", 0, 0, "∂"))
        yield self.entry(28, f"∂{cost}/∂net", brush.text("small-grad", 0, 0, "∂net"))
        yield self.entry(28, f"∂{cost}/∂out", brush.text("small-grad", 0, 0, "∂out"))

    def body(self) -> Iterator[str]:
        net, last = self.net, len(self.net.layers) - 1
        lines = list(self._lines())
        for line in lines:
            yield from self._arrow(line)
        for row, neuron in enumerate(self.rows[last]):
            if neuron is not None:
                start = self.x[last] + RADIUS, self._y(last, row)
                yield from self._arrow(_Line(start, (self.cost.x - 3, self.cost.y + self.cost.h / 2), (), ""))
        yield from self._chips(lines)
        for column, layer in enumerate(net.layers):
            yield from self._column(column, layer)
        yield from self._cost()

    def _cost_width(self) -> float:
        value = "" if self.net.value is None else decimal(self.net.value, lang=self.lang)
        return max(90.0, width(clean(self.net.cost), 13, bold=True) + 24, width(value, 12, mono=True) + 24)

    # ------------------------------------------------------------------------------------ lines
    def _lines(self) -> Iterator[_Line]:
        for column, layer in enumerate(self.net.layers[1:], 1):
            before, cost = self.net.layers[column - 1], clean(self.net.cost)
            many = len(self.rows[column]) * len(self.rows[column - 1]) > LABELLED
            many = many or None in self.rows[column - 1] or None in self.rows[column]
            for row, j in enumerate(self.rows[column]):
                end = self.x[column], self._y(column, row)
                if j is None:
                    continue
                for above, i in enumerate(self.rows[column - 1]):
                    if i is not None:
                        w, grad = self.number(layer.weight, j, i), self.slope(layer.weight_grad, j, i)
                        tip = f"{before.names[i]} → {layer.names[j]}\nw = {w}\n∂{cost}/∂w = {grad}"
                        texts = () if many else (("value", f"w {w}"), ("grad", f"∂ {grad}"))
                        start = self.x[column - 1], self._y(column - 1, above)
                        yield _Line(*_between(start, end, RADIUS, RADIUS), texts, tip)
                if layer.biased:
                    b, grad = self.number(layer.bias, j), self.slope(layer.bias_grad, j)
                    tip = f"{layer.names[j]}\nb = {b}\n∂{cost}/∂b = {grad}"
                    texts = () if many else (("value", f"b {b}"), ("grad", f"∂ {grad}"))
                    start = self.x[column - 1], self._y(column - 1, len(self.rows[column - 1]))
                    yield _Line(*_between(start, end, BIAS, RADIUS), texts, tip)

    def _arrow(self, line: _Line) -> Iterator[str]:
        """A line with its head at the target."""
        (x0, y0), (x1, y1) = line.start, line.end
        length = hypot(x1 - x0, y1 - y0)
        dx, dy = (x1 - x0) / length, (y1 - y0) / length
        back = x1 - 8 * dx, y1 - 8 * dy
        ink = self.brush.ink("fwd", stroke="forward" if line.texts or not line.tip else "line")
        corners = (x1, y1), (back[0] - 3.2 * dy, back[1] + 3.2 * dx), (back[0] + 3.2 * dy, back[1] - 3.2 * dx)
        head = "M" + "L".join(f"{n(x)} {n(y)}" for x, y in corners) + "z"
        tip = f"<title>{xml(line.tip)}</title>" if line.tip else ""
        ahead = self.brush.ink("head", "forward" if line.texts or not line.tip else "line")
        yield (
            f'<g class="weight">{tip}<path {ink} stroke-width="1.2" d="M{n(x0)} {n(y0)}L{n(back[0])} {n(back[1])}"/>'
            f'<path {ahead} d="{head}"/></g>'
        )

    def _chips(self, lines: Sequence[_Line]) -> Iterator[str]:
        """The numbers of the lines, each where the fewest others are covered."""
        placed: list[Box] = []
        for line in lines:
            if not line.texts:
                continue
            wide = max(width(words, CHIP, mono=True) for _, words in line.texts) + 10
            tall = 15.0 * len(line.texts) + 5
            boxes = [_along(line, t / 20, wide, tall) for t in (6, 7, 5, 8, 4, 9, 10, 11, 12, 13, 14, 15)]
            box = min(boxes, key=lambda b: self._covered(b, placed, lines, line))
            placed.append(box)
            yield f'<g class="chip"><title>{xml(line.tip)}</title>' + self.brush.rect(box, "", "page", "line", 4)
            for k, (style, words) in enumerate(line.texts):
                yield self.brush.text(style, box.x + box.w / 2, box.y + 14 + 15 * k, words, "middle")
            yield "</g>"

    @staticmethod
    def _covered(box: Box, placed: Sequence[Box], lines: Sequence[_Line], own: _Line) -> float:
        overlaps = sum(_overlap(box, other) for other in placed)
        return 10 * overlaps + sum(_crosses(box, line) for line in lines if line is not own)

    # ------------------------------------------------------------------------------------ circles
    def _column(self, column: int, layer: Layer) -> Iterator[str]:
        brush, x, last = self.brush, self.x[column], column == len(self.net.layers) - 1
        kind = "input" if column == 0 else "loss" if last else "op"
        role = self.words["input" if column == 0 else "output" if last else "hidden"]
        heading = " · ".join(filter(None, (role, clean(layer.activation, 24))))
        yield brush.text("title", x, self.top - 14, heading, "middle")
        for row, i in enumerate(self.rows[column]):
            y = self._y(column, row)
            if i is None:
                more = len(layer) - sum(k is not None for k in self.rows[column])
                yield brush.text("name", x, y + 4, f"⋮ +{more}", "middle")
                continue
            yield f'<g class="neuron {kind}" role="img" aria-label="{xml(self._spoken(layer, i))}">'
            yield f"<title>{xml(self._spoken(layer, i))}</title>"
            ink = brush.ink("box", f"box-{kind}", f"rim-{kind}")
            yield f'<circle {ink} stroke-width="1.2" cx="{n(x)}" cy="{n(y)}" r="{n(RADIUS)}"/>'
            yield brush.text("name", x, y - RADIUS - 7, layer.names[i], "middle")
            if column:
                yield brush.text("small-value", x, y - 5, f"net {self.number(layer.net, i)}", "middle")
                yield brush.text("small-value", x, y + 13, f"out {self.number(layer.out, i)}", "middle")
                lines = (
                    f"∂{name} {self.slope(grad, i)}"
                    for name, grad in (("net", layer.net_grad), ("out", layer.out_grad))
                )
                for k, words in enumerate(lines):
                    wide, base = width(words, 11, mono=True), y + RADIUS + 15 + 14 * k
                    yield brush.rect(Box(x - wide / 2, base - 10, wide, 13), "", "page", "none")
                    yield brush.text("small-grad", x, base, words, "middle")
            else:
                yield brush.text("value", x, y + 4, self.number(layer.out, i), "middle")
            if last and self.net.target is not None and i < len(self.net.target):
                words = f"{self.words['target']} {decimal(float(self.net.target[i]), lang=self.lang)}"
                yield brush.text("title", x, y - RADIUS - 22, words, "middle")
            yield "</g>"
        if self.biased[column]:
            y = self._y(column, len(self.rows[column]))
            ink = brush.ink("box", "box-const", "rim-const")
            yield f'<circle {ink} stroke-width="1.2" stroke-dasharray="4 3" cx="{n(x)}" cy="{n(y)}" r="{n(BIAS)}"/>'
            yield brush.text("value", x, y + 4, "1", "middle")

    def _spoken(self, layer: Layer, i: int) -> str:
        parts = [layer.names[i]]
        for name, values in (
            ("net", layer.net),
            ("out", layer.out),
            ("∂net", layer.net_grad),
            ("∂out", layer.out_grad),
        ):
            if values is not None and (name == "out" or layer.activation or layer.weight is not None):
                parts.append(f"{name} {self.number(values, i)}")
        return ", ".join(parts)

    def _cost(self) -> Iterator[str]:
        box = self.cost
        more = ' stroke-width="1.2"'
        yield self.brush.rect(Box(box.x - 3, box.y - 3, box.w + 6, box.h + 6), "outer", "box-loss", "rim-loss", 5, more)
        yield self.brush.rect(box, "box", "box-loss", "rim-loss", 3, more)
        yield self.brush.text("name", box.x + box.w / 2, box.y + 20, clean(self.net.cost), "middle")
        value = MISSING_VALUE if self.net.value is None else decimal(self.net.value, lang=self.lang)
        yield self.brush.text("value", box.x + box.w / 2, box.y + 40, value, "middle")


def _shown(count: int) -> list[int | None]:
    """Which neurons are drawn; None stands for those between."""
    return list(range(count)) if count <= SHOWN else [0, 1, 2, None, count - 1]


def _between(a: Point, b: Point, radius: float, other: float) -> tuple[Point, Point]:
    """From the rim of one circle to that of another."""
    (x0, y0), (x1, y1) = a, b
    length = hypot(x1 - x0, y1 - y0)
    dx, dy = (x1 - x0) / length, (y1 - y0) / length
    return (x0 + radius * dx, y0 + radius * dy), (x1 - other * dx, y1 - other * dy)


def _along(line: _Line, t: float, wide: float, tall: float) -> Box:
    x, y = (a + t * (b - a) for a, b in zip(line.start, line.end, strict=True))
    return Box(x - wide / 2, y - tall / 2, wide, tall)


def _overlap(a: Box, b: Box) -> bool:
    return a.x < b.x + b.w + 2 and b.x < a.x + a.w + 2 and a.y < b.y + b.h + 2 and b.y < a.y + a.h + 2


def _crosses(box: Box, line: _Line) -> bool:
    """Whether a line runs under a box."""
    (x0, y0), (x1, y1) = line.start, line.end
    low, high = 0.0, 1.0
    for start, end, side, size in ((x0, x1, box.x, box.w), (y0, y1, box.y, box.h)):
        step = end - start
        if step == 0:
            if not side <= start <= side + size:
                return False
            continue
        near, far = sorted(((side - start) / step, (side + size - start) / step))
        low, high = max(low, near), min(high, far)
    return low < high
