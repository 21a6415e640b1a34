"""`worksheet` turns a graph into an exercise: some numbers are left blank, and answers are checked and explained.

The answers stand in the key alone, never in the page that students get.
"""

from __future__ import annotations

import base64
import html
import json
import os
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_pt.errors import refuse
from tinygrad_pt.graph import OPS
from tinygrad_pt.language import chosen
from tinygrad_pt.symbol import Symbol
from tinygrad_pt.viz.algebra import simplify
from tinygrad_pt.viz.card import states
from tinygrad_pt.viz.drawing import Drawing, write_whole
from tinygrad_pt.viz.formula import render
from tinygrad_pt.viz.mistakes import Step, mistake
from tinygrad_pt.viz.model import Edge, Snapshot, Vertex
from tinygrad_pt.viz.options import Look
from tinygrad_pt.viz.text import clean, decimal
from tinygrad_pt.viz.written import evaluate

SMALL = 16  # elements of an array that is asked for
WIDE = 920  # pixels of the picture on its page
WORDS = {
    "en": {
        "title": "Worksheet", "key": "Key", "forward": "Forward pass", "backward": "Backward pass", "name": "Name",
        "task": "Fill in the blanks: the values from left to right, then the derivatives from right to left.",
        "right": "right", "wrong": "wrong", "open": "not answered", "score": "{} of {} right",
        "first": "The first wrong step is ({}): {}",
        "sign": "the sign is wrong", "overwritten": "= instead of +=: only the last of the paths is left",
        "path": "the path through {} is missing", "local": "the gradient that arrives was not multiplied in",
        "incoming": "the local derivative was not multiplied in", "transposed": "the matrix is transposed",
        "unsummed": "the copies made by broadcasting were not summed", "swapped": "the arguments are swapped",
        "inverse": "this is one over the right number", "carried": "right, given the earlier answers",
        "shape": "the shape is {}, not {}", "unknown": "compute this step again",
    },
    "pt": {
        "title": "Exercício", "key": "Gabarito", "forward": "Propagação para frente", "backward": "Retropropagação",
        "name": "Nome",
        "task": "Preencha as lacunas: os valores da esquerda para a direita, depois as derivadas da direita para a"
        " esquerda.",
        "right": "certo", "wrong": "errado", "open": "sem resposta", "score": "{} de {} certas",
        "first": "O primeiro passo errado é o ({}): {}",
        "sign": "o sinal está errado", "overwritten": "= em lugar de +=: só o último dos caminhos ficou",
        "path": "falta o caminho por {}", "local": "faltou multiplicar pelo gradiente que chega",
        "incoming": "faltou multiplicar pela derivada local", "transposed": "a matriz está transposta",
        "unsummed": "as cópias feitas pelo broadcasting não foram somadas", "swapped": "os argumentos estão trocados",
        "inverse": "este é o inverso do número certo", "carried": "certo, dadas as respostas anteriores",
        "shape": "a forma é {}, não {}", "unknown": "calcule este passo de novo",
    },
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Item:
    """One number that can be asked for: a value, a local derivative or a gradient, and how it is written."""

    kind: str  # "value", "local" or "grad"
    of: str  # the id of the vertex or the edge
    text: str
    answer: NDArray[Any]


@dataclass(frozen=True)
class Mark:
    """What was found of one blank: "right", "carried", "wrong" or "open", and the likely mistake."""

    number: int
    text: str
    verdict: str
    why: str = ""


@dataclass(frozen=True)
class Marks:
    """What was found of all blanks; printed, it says so in words."""

    marks: tuple[Mark, ...]
    lang: str

    @property
    def right(self) -> int:
        """How many are right, or follow from earlier answers."""
        return sum(mark.verdict in ("right", "carried") for mark in self.marks)

    @property
    def first_wrong(self) -> Mark | None:
        """The first wrong step."""
        return next((mark for mark in self.marks if mark.verdict == "wrong"), None)

    def __str__(self) -> str:
        words = WORDS[self.lang]
        lines = [words["score"].format(self.right, len(self.marks))]
        if self.first_wrong is not None:
            lines.append(words["first"].format(self.first_wrong.number, self.first_wrong.why))
        for mark in self.marks:
            said = words["right"] if mark.verdict == "carried" else words[mark.verdict]
            lines.append(f"({mark.number}) {mark.text}: {said}{', ' + mark.why if mark.why else ''}")
        return "\n".join(lines)


class Worksheet:
    """An exercise: the graph and the chain rule of a snapshot, with numbered blanks.

    Args:
        snapshot: the graph after its backward pass.
        blanks: the share of the numbers that are left out, from 0 to 1; at least one is.
        seed: the same seed leaves the same blanks.
        lang: "en" or "pt"; default: `viz.settings.lang`.

    Raises:
        ValueError: `blanks` is no share, or the snapshot has no number to ask for.
    """

    def __init__(self, snapshot: Snapshot, blanks: float = 0.4, seed: int = 0, lang: str | None = None) -> None:
        if isinstance(blanks, bool) or not isinstance(blanks, (int, float)) or not 0 < blanks <= 1:
            raise refuse(ValueError, f"blanks={blanks!r}: expected a share such as 0.4")
        self.snapshot, self.lang = snapshot, chosen(lang)
        self.items = tuple(_items(snapshot))
        if not self.items:
            mend = "call backward() first, and draw scalars or arrays of at most 16 elements"
            raise refuse(ValueError, "the graph has no number that a worksheet could ask for", mend=mend)
        count = max(1, round(blanks * len(self.items)))
        picked = sorted(random.Random(seed).sample(range(len(self.items)), count))
        self.blanks = {number: self.items[i] for number, i in enumerate(picked, 1)}
        self._number = {(item.kind, item.of): number for number, item in self.blanks.items()}

    # ---------------------------------------------------------------------------------------- showing
    def drawing(self, key: bool = False) -> Drawing:
        """The graph with its blanks as numbers in parentheses; with its answers as the key."""
        if key:
            return Drawing(self.snapshot, Look(lang=self.lang, theme="light", width=WIDE, edge_labels="both"))
        vertices = tuple(map(self._blank_vertex, self.snapshot.vertices))
        edges = tuple(map(self._blank_edge, self.snapshot.edges))
        seen = replace(self.snapshot, vertices=vertices, edges=edges)
        return Drawing(seen, Look(lang=self.lang, theme="light", width=WIDE, edge_labels="both"))

    def _blank_vertex(self, vertex: Vertex) -> Vertex:
        value, grad = self._number.get(("value", vertex.id)), self._number.get(("grad", vertex.id))
        notes = [f"{letter} ({number})" for letter, number in (("v", value), ("∇", grad)) if number]
        if not notes:
            return vertex
        return replace(
            vertex, value=None if value else vertex.value, grad=None if grad else vertex.grad,
            requires_grad=vertex.differentiable, note="  ".join(notes),
        )  # fmt: skip

    def _blank_edge(self, edge: Edge) -> Edge:
        number = self._number.get(("local", edge.id))
        if not number:
            return edge
        return replace(edge, symbol=f"{edge.symbol.partition(' = ')[0]} = ({number})", number=None, rule=None)

    def lines(self, key: bool = False) -> Iterator[tuple[str, str]]:
        """The steps in their order, each with its section: `("forward", "net = (1)")`."""
        for item in self.items:
            number = self._number.get((item.kind, item.of))
            answer = _shown(item.answer, self.lang)
            right = f"({number}) " + ("_" * 12 if not key else answer) if number else answer
            yield "forward" if item.kind == "value" else "backward", f"{item.text} = {right}"

    def _page(self, key: bool) -> str:
        words = WORDS[self.lang]
        title = clean(self.snapshot.title, 80) or words["title"]
        heading = f"{title}: {words['key']}" if key else title
        parts = [f"<h1>{html.escape(heading)}</h1>"]
        if not key:
            parts.append(f'<p class="who">{words["name"]}: <span></span></p><p>{html.escape(words["task"])}</p>')
        parts.append(f"<figure>{self.drawing(key).svg}</figure>")
        for section in ("forward", "backward"):
            steps = [line for where, line in self.lines(key) if where == section]
            rows = "".join(f"<li>{html.escape(line)}</li>" for line in steps)
            parts.append(f"<h2>{words[section]}</h2><ul>{rows}</ul>" if steps else "")
        return PAGE.format(
            lang="pt-BR" if self.lang == "pt" else "en", title=html.escape(heading), body="\n".join(parts)
        )

    @property
    def html(self) -> str:
        """The page for students."""
        return self._page(key=False)

    @property
    def key(self) -> str:
        """The page with the answers."""
        return self._page(key=True)

    @property
    def notebook(self) -> str:
        """A Jupyter notebook with the picture, the steps, and a dictionary of answers to fill in."""
        words = WORDS[self.lang]
        image = base64.b64encode(self.drawing().svg.encode()).decode()
        steps = "\n".join(f"- {line.replace('_', '＿')}" for _, line in self.lines())
        answers = "".join(f"    {number}: None,  # {item.text}\n" for number, item in self.blanks.items())
        cells = [
            _cell("markdown", f"# {clean(self.snapshot.title, 80) or words['title']}\n\n{words['task']}"),
            _cell("markdown", f"![](data:image/svg+xml;base64,{image})"),
            _cell("markdown", steps),
            _cell("code", "answers = {\n" + answers + "}"),
        ]
        kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
        data = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
        for number, cell in enumerate(cells):
            cell["id"] = f"c{number}"
        return json.dumps(data, ensure_ascii=False, indent=1, sort_keys=True) + "\n"

    def save(self, path: str | os.PathLike[str], key: bool = False) -> Path:
        """Write `.html`, `.pdf` (the picture with the steps below it) or `.ipynb`, with `key=True` the answers.

        The file appears whole or not at all. Raises ValueError for another suffix, or a notebook of the key, and
        EngineError where nothing can make a PDF.
        """
        path = Path(path)
        suffix = path.suffix.lower()
        if suffix == ".html":
            content = self._page(key).encode()
        elif suffix == ".pdf":
            content = self._sheet(key).pdf
        elif suffix == ".ipynb" and not key:
            content = self.notebook.encode()
        else:
            text = f"cannot write a worksheet to {path.name!r}: the name must end in .html, .pdf or .ipynb"
            raise refuse(ValueError, text, mend="the key is written as .html or .pdf" if key else "")
        write_whole(path, content)
        return path

    def _sheet(self, key: bool) -> Drawing:
        """The drawing with the steps as its caption."""
        drawing = self.drawing(key)
        steps = " · ".join(line for _, line in self.lines(key))
        return Drawing(replace(drawing.snapshot, caption=f"{WORDS[self.lang]['task']} {steps}"), drawing.look)

    def _repr_html_(self) -> str:
        page = html.escape(self.html, quote=True)
        title = WORDS[self.lang]["title"]
        return f'<iframe sandbox="" srcdoc="{page}" width="100%" height="600" title="{title}"></iframe>'

    def __repr__(self) -> str:
        return f"<Worksheet with {len(self.blanks)} blanks of {len(self.items)} numbers>"

    # ---------------------------------------------------------------------------------------- checking
    def check(self, answers: Mapping[int, Any]) -> Marks:
        """Compare answers with the numbers of the engine; of wrong ones say which comes first and what it may be.

        Args:
            answers: for the number of a blank a number, a nested list of numbers, or an expression in the names of the
                picture, as text: `0.25`, `"0,25"`, `"x*(1 - o)"`. None, or no entry, is not answered. An answer may be
                off by half a percent, or by 0.0006: that is rounding.

        Raises:
            ValueError: a number that is no blank's, or a text that is no expression.
        """
        for number in answers:
            if number not in self.blanks:
                mend = f"blanks are 1 … {len(self.blanks)}"
                raise refuse(ValueError, f"there is no blank ({number})", mend=mend)
        scalars = ((v.name, np.asarray(v.value)) for v in self.snapshot.vertices if v.value is not None)
        names = {name: float(value.reshape(())) for name, value in scalars if value.size == 1}
        given = {n: _read(a, names) for n, a in answers.items() if a is not None}
        truth = {(item.kind, item.of): item.answer for item in self.items}
        told: dict[tuple[str, str], NDArray[Any]] = dict(truth)
        marks = []
        for number, item in self.blanks.items():
            if number not in given:
                marks.append(Mark(number, item.text, "open"))
                continue
            answer = told[item.kind, item.of] = given[number]
            verdict, why = self._verdict(item, answer, truth, told)
            marks.append(Mark(number, item.text, verdict, why))
        return Marks(tuple(marks), self.lang)

    def _verdict(
        self, item: Item, answer: NDArray[Any], truth: Mapping[tuple[str, str], NDArray[Any]],
        told: Mapping[tuple[str, str], NDArray[Any]],
    ) -> tuple[str, str]:  # fmt: skip
        words = WORDS[self.lang]
        if near(answer, item.answer):
            return "right", ""
        step = Step(self.snapshot, item.kind, item.of, item.answer, truth, near)
        again = step.again(told)
        if again is not None and near(answer, again) and not near(again, item.answer):
            return "carried", words["carried"]
        word, *places = mistake(step, answer)
        return "wrong", words[word].format(*places)


def near(a: NDArray[Any], b: NDArray[Any]) -> bool:
    """Whether two answers differ by no more than rounding."""
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=5e-3, atol=6e-4, equal_nan=True))


def _items(snapshot: Snapshot) -> Iterator[Item]:
    """All numbers that can be asked for: values forward; then, backward, local derivatives and gradients.

    What a formula states, as ∂c/∂a = 1, is not asked for.
    """
    loss = clean(next((v.name for v in reversed(snapshot.vertices) if v.kind == "loss"), "E"))
    known = {vertex.id: vertex for vertex in snapshot.vertices}
    for vertex in snapshot.vertices:
        if vertex.kind in ("op", "loss") and vertex.value is not None and np.asarray(vertex.value).size <= SMALL:
            text = " = ".join(filter(None, (clean(vertex.name), _formula(snapshot, known, vertex))))
            yield Item("value", vertex.id, text, np.asarray(vertex.value, np.float64))
    users: dict[str, list[Edge]] = {}
    for edge in snapshot.edges:
        if edge.flows:
            users.setdefault(edge.source, []).append(edge)
    for vertex in reversed(snapshot.vertices):
        edges = users.get(vertex.id, [])
        for edge in edges:
            if edge.number is not None and not states(edge.symbol, edge.number):
                yield Item("local", edge.id, clean(edge.symbol, 60), np.asarray(edge.number))
        if vertex.grad is not None and edges and np.asarray(vertex.grad).size <= SMALL:
            yield Item("grad", vertex.id, _chain(loss, known, vertex, edges), np.asarray(vertex.grad, np.float64))


def _chain(loss: str, known: Mapping[str, Vertex], vertex: Vertex, edges: Sequence[Edge]) -> str:
    """`∂E/∂a = ∂E/∂b·∂b/∂a + ∂E/∂c·∂c/∂a`; of arrays the left side alone."""
    name = clean(vertex.name)
    if any(edge.number is None for edge in edges):
        return f"∂{loss}/∂{name}"
    parts = []
    for edge in edges:
        local, user = clean(edge.symbol.partition(" = ")[0]), known[edge.target]
        parts.append(local if user.kind == "loss" else f"∂{loss}/∂{clean(user.name)}·{local}")
    text = f"∂{loss}/∂{name}"
    return text if parts == [text] else f"{text} = {' + '.join(parts)}"


def _formula(snapshot: Snapshot, known: Mapping[str, Vertex], vertex: Vertex) -> str:
    """What a value is computed from; nothing for what has no formula."""
    edges = sorted((edge for edge in snapshot.edges if edge.target == vertex.id), key=lambda edge: edge.slot)
    if vertex.primitive not in OPS or [edge.slot for edge in edges] != list(range(len(edges))):
        return ""
    arguments: list[Any] = []
    for source in (known[edge.source] for edge in edges):
        number = source.kind == "const" and source.shape == () and source.value is not None
        arguments.append(float(np.asarray(source.value)) if number else Symbol(clean(source.name), source.shape))
    made = Symbol("", vertex.shape, np.dtype(vertex.dtype), OPS[vertex.primitive], tuple(arguments), dict(vertex.attrs))
    return clean(render(simplify(made)), 60)


def _read(answer: Any, names: Mapping[str, float]) -> NDArray[Any]:
    if isinstance(answer, str):
        return np.asarray(evaluate(answer, names))
    try:
        found = np.asarray(answer, np.float64)
    except (TypeError, ValueError):
        raise refuse(ValueError, f"{answer!r} is neither a number, a list of numbers nor an expression") from None
    return found


def _shown(value: NDArray[Any], lang: str) -> str:
    if value.ndim == 0:
        return decimal(float(value), lang=lang)
    inner: Iterable[str] = (_shown(part, lang) for part in value)
    return f"[{('; ' if lang == 'pt' else ', ').join(inner)}]"


def _cell(kind: str, source: str) -> dict[str, Any]:
    more: dict[str, Any] = {"execution_count": None, "outputs": []} if kind == "code" else {}
    return {"cell_type": kind, "metadata": {}, "source": source, **more}


PAGE = """<!DOCTYPE html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 Helvetica, Arial, "Liberation Sans", sans-serif; color: #1f2328; background: #fff;
  max-width: 60rem; margin: 1.5rem auto; padding: 0 1rem }}
h1 {{ font-size: 1.4rem }} h2 {{ font-size: 1.1rem; margin: 1.2rem 0 .3rem }}
figure {{ margin: 1rem 0 }} svg {{ max-width: 100%; height: auto }}
ul {{ columns: 18rem; list-style: none; padding: 0; margin: 0 }}
li {{ padding: .25rem 0; break-inside: avoid; font: 14px "DejaVu Sans Mono", Menlo, Consolas, monospace }}
.who span {{ display: inline-block; width: 18rem; border-bottom: 1px solid #6e7781 }}
@media print {{ body {{ margin: 0; max-width: none }} }}
</style>
</head>
<body>
{body}
</body>
</html>
"""
