"""`digraph` writes a snapshot in Graphviz's language: a table per vertex, an edge per argument, nested clusters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tinygrad_pt.viz.card import Block, Card, card, chips, edge_tip
from tinygrad_pt.viz.model import Scope, Snapshot, Vertex
from tinygrad_pt.viz.style import HEAT_LIGHT, LIGHT, WRONG
from tinygrad_pt.viz.text import check, clean, dot_html, dot_quoted, path_text

if TYPE_CHECKING:
    import graphviz


def digraph(snapshot: Snapshot, rankdir: str = "LR", labels: str = "auto", lang: str = "en") -> graphviz.Digraph:
    """The drawing as a `graphviz.Digraph`, the same source for the same snapshot.

    Only HTML-like tables are used (records lose edges), no URL and no image; fonts are Helvetica and
    Courier, whose widths every engine knows. Raises ValueError for unknown options.
    """
    import graphviz  # here, because few programs that compute also draw

    check(rankdir=rankdir, lang=lang)
    dot = graphviz.Digraph("tinygrad_pt", graph_attr=_graph_attributes(snapshot, rankdir))
    dot.attr("node", shape="box", margin="0.04,0.02", color=LIGHT["line"])
    dot.attr("node", fontname="Helvetica", fontsize="12")
    dot.attr("edge", color=LIGHT["forward"], arrowsize="0.7", penwidth="1.2")
    dot.attr("edge", fontname="Courier", fontsize="10")
    cards = {vertex.id: card(vertex, lang) for vertex in snapshot.vertices}
    _clusters(dot, snapshot, cards)
    names = {key: entry.name for key, entry in cards.items()}
    for edge, lines in zip(snapshot.edges, chips(snapshot, labels, lang), strict=True):
        attributes = {"id": edge.id, "class": "flow" if edge.flows else "noflow"}
        attributes["tooltip"] = dot_quoted(edge_tip(edge, names, lang))
        if lines:
            attributes["label"] = _chip(lines)
        if edge.wrong:
            attributes |= {"color": WRONG, "penwidth": "4"}
        dot.edge(edge.source, edge.target, **attributes)
    return dot


def _graph_attributes(snapshot: Snapshot, rankdir: str) -> dict[str, str]:
    attributes = {
        "id": "graph", "class": "tinygrad-pt", "rankdir": rankdir, "charset": "UTF-8",
        "bgcolor": LIGHT["page"], "fontname": "Helvetica", "fontsize": "12",
        "nodesep": "0.2", "ranksep": "0.3", "pad": "0.15",
    }  # fmt: skip
    title = clean(snapshot.title, 80)
    attributes["tooltip"] = dot_quoted(title or " ")
    if title:
        attributes |= {"label": f"<<B>{dot_html(title)}</B>>", "labelloc": "t", "labeljust": "l"}
    return attributes


def _clusters(dot: graphviz.Digraph, snapshot: Snapshot, cards: dict[str, Card]) -> None:
    """Write vertices into the clusters of their titled scopes, in order of birth, without recursion."""
    lines: dict[Scope, list[str]] = {(): []}
    order: list[Scope] = [()]

    def frame(scope: Scope) -> Scope:
        while scope and scope not in snapshot.scopes:
            scope = scope[:-1]
        return scope

    for vertex in snapshot.vertices:
        for depth in range(1, len(vertex.scope) + 1):
            scope = vertex.scope[:depth]
            if scope in snapshot.scopes and scope not in lines:
                lines[scope] = []
                order.append(scope)
    graphs: dict[Scope, graphviz.Digraph] = {(): dot}
    for number, scope in enumerate(order):
        if scope:
            graphs[scope] = _cluster(number, snapshot.scopes[scope], scope)
    for vertex in snapshot.vertices:
        entry = cards[vertex.id]
        graphs[frame(vertex.scope)].node(vertex.id, _table(entry), **_node_attributes(vertex, entry))
    for scope in sorted(order[1:], key=len, reverse=True):  # inner clusters first: each is copied when added
        graphs[frame(scope[:-1])].subgraph(graphs[scope])


def _cluster(number: int, title: str, scope: Scope) -> graphviz.Digraph:
    import graphviz

    shown = dot_html(clean(title, 60)) or " "
    attributes = {
        "id": f"frame{number}", "class": "frame", "style": "rounded,dashed,filled",
        "fillcolor": LIGHT["frame"], "color": LIGHT["line"], "fontcolor": LIGHT["muted"],
        "fontsize": "11", "labeljust": "l",
        "label": f"<{shown}>", "tooltip": dot_quoted(path_text(scope)) or " ",
    }  # fmt: skip
    return graphviz.Digraph(f"cluster_{number}", graph_attr=attributes)


def _node_attributes(vertex: Vertex, entry: Card) -> dict[str, str]:
    style = ["filled", *["rounded"] * (vertex.kind not in ("op", "module", "loss")), *["dashed"] * (entry.grad is None)]
    attributes = {
        "id": vertex.id, "class": vertex.kind, "style": ",".join(style),
        "fillcolor": LIGHT[vertex.kind], "tooltip": dot_quoted(entry.tip),
    }  # fmt: skip
    return attributes | ({"peripheries": "2"} if vertex.kind == "loss" else {})


def _font(text: str, colour: str, size: int = 0, mono: bool = False) -> str:
    face = ' FACE="Courier"' if mono else ""
    points = f' POINT-SIZE="{size}"' if size else ""
    return f'<FONT COLOR="{LIGHT[colour]}"{face}{points}>{dot_html(text)}</FONT>'


def _table(entry: Card) -> str:
    """Name, shape and op; then the value, the gradient and the note, a row each."""
    shape = f" {_font(entry.shape, 'muted', 10, True)}" if entry.shape else ""
    name = f"<B>{_font(entry.name, 'text')}</B>{shape}"
    operation = _font(entry.op, "text") if entry.op else ""
    rows = [f'<TR><TD ALIGN="LEFT">{name}</TD><TD ALIGN="RIGHT">{operation}</TD></TR>']
    if entry.value or entry.note:  # a rule under nothing is an error
        rows.append("<HR/>")
    for block, caption, colour in ((entry.value, "v", "forward"), (entry.grad, "∇", "backward")):
        if block:
            rows.append(
                f'<TR><TD ALIGN="LEFT">{_font(caption, "muted", 10, True)}</TD>'
                f'<TD ALIGN="RIGHT">{"".join(_block(block, colour))}</TD></TR>'
            )
    if entry.note:
        rows.append(f'<TR><TD COLSPAN="2" ALIGN="LEFT">{_font(entry.note, "note", 10)}</TD></TR>')
    return f'<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="2">{"".join(rows)}</TABLE>>'


def _block(block: Block, colour: str) -> Iterator[str]:
    text = '<BR ALIGN="RIGHT"/>'.join(_font(line, colour, 11, True) for line in block.lines)
    if not block.heat:
        yield text + ('<BR ALIGN="RIGHT"/>' if len(block.lines) > 1 else "")
        return
    cell = int(block.cell)
    yield '<TABLE BORDER="0" CELLSPACING="0" CELLPADDING="0"><TR><TD>'
    yield '<TABLE BORDER="1" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0">'
    for row in block.heat:
        yield "<TR>"
        for level in row:
            fill = LIGHT["line"] if level is None else HEAT_LIGHT[level]
            sign = "−" if level and level < 0 else "+" if level else ""
            mark = f'<FONT POINT-SIZE="7">{sign}</FONT>' if sign and cell >= 8 else ""
            yield f'<TD FIXEDSIZE="TRUE" WIDTH="{cell}" HEIGHT="{cell}" BGCOLOR="{fill}">{mark}</TD>'
        yield "</TR>"
    yield f'</TABLE></TD><TD CELLPADDING="4">{text}</TD></TR></TABLE>'


def _chip(lines: Sequence[str]) -> str:
    rows = "".join(f"<TR><TD>{_font(line, 'backward', 10, True)}</TD></TR>" for line in lines)
    return (
        f'<<TABLE BORDER="1" STYLE="ROUNDED" COLOR="{LIGHT["backward"]}" CELLBORDER="0" CELLSPACING="0"'
        f' CELLPADDING="1" BGCOLOR="{LIGHT["page"]}">{rows}</TABLE>>'
    )
