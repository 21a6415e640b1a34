"""`page` is the HTML of the player; without a script it shows the finished drawing, and every step as text."""

from __future__ import annotations

from collections.abc import Mapping

from tinygrad_pt.graph import OPS
from tinygrad_pt.symbol import Symbol
from tinygrad_pt.viz.algebra import simplify
from tinygrad_pt.viz.formula import render
from tinygrad_pt.viz.model import Edge, Snapshot, Vertex
from tinygrad_pt.viz.player.stage import card_lines
from tinygrad_pt.viz.player.words import WORDS
from tinygrad_pt.viz.text import clean, xml

LANGUAGE = {"en": "en", "pt": "pt-BR"}
SHAPES = {
    "first": '<path d="M3 3h3v14H3zM18 3v14L7 10z"/>', "back": '<path d="M15 3v14L4 10z"/>',
    "next": '<path d="M5 3v14l11-7z"/>', "last": '<path d="M2 3v14l11-7zM14 3h3v14h-3z"/>',
    "play": '<path class="playing" d="M4 2v16l14-8z"/><path class="pausing" d="M4 3h4v14H4zM12 3h4v14h-4z"/>',
    "fit": '<path d="M2 2h6v2H4v4H2zM12 2h6v6h-2V4h-4zM2 12h2v4h4v2H2zM16 12h2v6h-6v-2h4z"/>',
    "larger": '<path d="M9 3h2v6h6v2h-6v6H9v-6H3V9h6z"/>', "smaller": '<path d="M3 9h14v2H3z"/>',
    "help": '<path d="M3 4h14v2H3zM3 9h14v2H3zM3 14h14v2H3z"/><circle cx="7" cy="5" r="2.5"/>'
            '<circle cx="13" cy="10" r="2.5"/><circle cx="6" cy="15" r="2.5"/>',
    "present": '<path d="M1 3h18v11H1zm2 2v7h14V5zM6 16h8v2H6z"/>',
}  # fmt: skip


class _Words:
    """Pieces of the page that bear words, which the script exchanges when the reader asks for the other language."""

    def __init__(self, lang: str) -> None:
        self.words = WORDS[lang]

    def text(self, key: str, tag: str = "span") -> str:
        return f'<{tag} data-t="{key}">{xml(self.words[key])}</{tag}>'

    def label(self, key: str) -> str:
        word = xml(self.words[key])
        return f'data-l="{key}" aria-label="{word}"'

    def button(self, id_: str, more: str = "") -> str:
        shape = f'<svg viewBox="0 0 20 20" aria-hidden="true">{SHAPES[id_]}</svg>'
        return f'<button type="button" id="{id_}" {self.label(id_)}{more}>{shape}</button>'

    def choice(self, id_: str, key: str, options: Mapping[str, str]) -> str:
        inner = "".join(f'<option value="{value}"{said}</option>' for value, said in options.items())
        return f'<select id="{id_}" {self.label(key)}>{inner}</select>'

    def told(self, *keys: str) -> dict[str, str]:
        """Options by the words' keys."""
        return {key: f' data-t="{key}">{xml(self.words[key])}' for key in keys}


def page(
    title: str, lang: str, svg: str, steps: str, css: str, script: str, data: str, policy: str
) -> str:  # fmt: skip
    """The document, of pieces that are already HTML; `title` is text."""
    w = _Words(lang)
    speeds = {str(x): f"{' selected' if x == 1 else ''}>{x:g} ×" for x in (0.25, 0.5, 1, 2, 4)}
    modes = w.told("byedge", "bynode")
    heads = "".join(f'<th scope="col">{w.text(key)}</th>' for key in ("name", "op", "value", "gradient", "locals"))
    return f"""<!DOCTYPE html>
<html lang="{LANGUAGE[lang]}" class="still">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{xml(title)}</title>
<style>{css}</style>
</head>
<body data-lm-suppress-shortcuts="true">
<main>
<header>
<h1>{xml(title)}</h1>
<span class="live bar">
{w.choice("lang", "language", {"pt": ">Português", "en": ">English"})}
{w.button("present", ' aria-pressed="false"')}{w.button("help", ' aria-expanded="false" aria-controls="keys"')}
</span>
</header>
<section id="keys" class="panel" hidden>
<div class="bar">
<label>{w.text("theme")} {w.choice("theme", "theme", w.told("auto", "light", "dark"))}</label>
<label>{w.text("speed")} {w.choice("speed", "speed", speeds)}</label>
<label>{w.text("each")} {w.choice("mode", "each", {"edge": modes["byedge"], "node": modes["bynode"]})}</label>
</div>
{w.text("keys", "p")}
</section>
<p id="note" class="panel" hidden></p>
<section id="stage" class="panel" role="group" {w.label("graph")}>
{svg}
<div class="zoom live">{w.button("larger")}{w.button("smaller")}{w.button("fit")}</div>
</section>
<section class="bar live" role="group" {w.label("scrub")}>
{w.button("first")}{w.button("back")}{w.button("play", ' aria-pressed="false"')}{w.button("next")}{w.button("last")}
<input type="range" id="scrub" min="0" max="1" value="0" step="1" {w.label("scrub")}>
<span id="phase" class="start"></span><span id="where"></span>
</section>
<div class="columns live">
<section id="equation" class="panel" aria-live="polite"></section>
<aside id="learning" class="panel">
<div id="cost"></div>
<svg id="chart" viewBox="0 0 300 112" role="img"></svg>
<div class="learn">
<label>{w.text("rate")} <input type="range" id="rate" min="-3" max="1.5" step="0.05">
<output id="eta" for="rate"></output></label>
<button type="button" id="descend">{w.text("descend")}</button>
<button type="button" id="many">{w.text("many")}</button>
<button type="button" id="restore">{w.text("restore")}</button>
</div>
</aside>
</div>
<details id="knobs" class="panel live" open><summary>{w.text("numbers")}</summary>
<div id="dials"></div></details>
<details id="steps" class="panel" open><summary>{w.text("steps")}</summary><ol id="list">{steps}</ol></details>
<details id="table" class="panel live"><summary>{w.text("table")}</summary>
<div class="wide" tabindex="0" role="group" {w.label("table")}><table>
<thead><tr>{heads}</tr></thead>
<tbody id="cells"></tbody>
</table></div></details>
<footer>tinygrad_pt · {w.text("frozen")}</footer>
</main>
<script type="application/json" id="data">{data}</script>
<script>{script}</script>
</body>
</html>
"""


# ------------------------------------------------------------------------------------------ without a script
class Words:
    """The numbers and names of a snapshot, for its steps as text."""

    def __init__(self, snapshot: Snapshot, lang: str) -> None:
        self.snapshot, self.lang = snapshot, lang
        self.vertex = {v.id: v for v in snapshot.vertices}
        self.name = {v.id: clean(v.name) or v.id for v in snapshot.vertices}
        self.symbol = {v.id: Symbol(self.name[v.id], v.shape) for v in snapshot.vertices}
        self.into: dict[str, list[Edge]] = {}
        for edge in sorted(snapshot.edges, key=lambda e: e.slot):
            self.into.setdefault(edge.target, []).append(edge)

    def value(self, vertex: Vertex) -> str:
        return " ".join(card_lines(vertex.value, "v", "?", self.lang))

    def grad(self, vertex: Vertex) -> str:
        return " ".join(card_lines(vertex.grad, "∇", "·", self.lang)) if vertex.differentiable else "—"

    def steps(self) -> str:
        """Every step as an item of a list: forward in order of birth, backward the other way."""
        items = [f"{self.name[v.id]} = {self._formula(v)}{self.value(v)}" for v in self.snapshot.vertices if v.op]
        for vertex in reversed(self.snapshot.vertices):
            for edge in self.into.get(vertex.id, ()):
                if edge.flows and vertex.grad is not None:
                    items.append(self._flow(edge))
        return "".join(f"<li>{xml(item)}</li>" for item in items)

    def _formula(self, vertex: Vertex) -> str:
        op, edges = OPS.get(vertex.primitive), self.into.get(vertex.id, [])
        if op is None or not edges:
            return ""
        slots = {e.slot: self.symbol[e.source] for e in edges}
        args = tuple(slots.get(i) for i in range(max(slots) + 1))
        return f"{render(simplify(Symbol(op=op, args=args, attrs=dict(vertex.attrs))))} = "

    def _flow(self, edge: Edge) -> str:
        loss = self.name[self.snapshot.vertices[-1].id]
        source, target = self.vertex[edge.source], self.vertex[edge.target]
        if source.shape != () or target.shape != ():
            return f"{clean(edge.symbol, 200)}, {self.grad(source)}"
        above, below = (f"∂{loss}/∂{self.name[id_]}" for id_ in (edge.target, edge.source))
        return f"{below} ← {above} · {clean(edge.symbol, 200)}; {below} = {self.grad(source)}"
