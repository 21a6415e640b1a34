"""Graphs to draw: a square, a diamond, a network in frames, nasty names, and random ones for Hypothesis."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from tinygrad_pt.viz.model import KINDS, Edge, Snapshot, Vertex

NASTY = (
    '"></text><script>alert(1)</script>', "</svg>", r"a\N\G\E", "\\", "<b>bold</b>", "&lt;&amp;",
    "\u202eevil\u2066", "x\x00\x1b[31m\n\ty", "\ud800lone", "]]>", "-->", "'\"`;{}|", "javascript:alert(1)",
    "é" * 80, "日本語の名前がとても長い時", "a\u0301\u0301\u0301\u0301b",
    "", "   ", "{a|b}|<p>", '\\"', "<x>", "\ufffe\x85",
    "<", "a->b", "node", "#", "%n",
)  # fmt: skip


def vertex(number: int, name: str = "", **given: Any) -> Vertex:
    known: dict[str, Any] = {
        "op": "", "kind": "param", "shape": (), "dtype": "float32", "value": float(number), "grad": None,
        "requires_grad": True,
    }  # fmt: skip
    return Vertex(f"n{number}", name or f"v{number}", **(known | given))


def square() -> Snapshot:
    a = vertex(0, "a", value=3.0, grad=6.0)
    b = vertex(1, "b", op="×", kind="loss", value=9.0, grad=1.0)
    symbols = ("∂b/∂a⁽¹⁾ = a", "∂b/∂a⁽²⁾ = a")
    return Snapshot((a, b), tuple(Edge("n0", "n1", i, text, 3.0) for i, text in enumerate(symbols)))


def diamond() -> Snapshot:
    names = (("a", ""), ("b", ""), ("c", "+"), ("d", "×"), ("e", "×"), ("f", "+"))
    vertices = tuple(vertex(i, name, op=op, kind="op" if op else "param") for i, (name, op) in enumerate(names))
    pairs = ((0, 2, 0), (1, 2, 1), (0, 3, 0), (0, 3, 1), (2, 4, 0), (3, 4, 1), (4, 5, 0), (0, 5, 1))
    return Snapshot(vertices, tuple(Edge(f"n{a}", f"n{b}", i, "∂y/∂a = 1", 1.0) for a, b, i in pairs), title="◇")


def network() -> Snapshot:
    """Two linear layers with arrays of all sizes, in nested frames."""
    rng = np.random.default_rng(0)
    vertices = [vertex(0, "X", kind="input", shape=(4, 2), value=np.eye(4, 2), requires_grad=False)]
    edges: list[Edge] = []
    scopes: dict[tuple[str, ...], str] = {("MLP",): "MLP"}
    last = 0
    for layer, wide in enumerate((3, 90)):
        scope = ("MLP", "layers", str(layer))
        scopes[scope] = f"Linear({wide})"
        for name, op, args, shape in (
            (f"W{layer}", "", (), (wide, 2)), (f"b{layer}", "", (), (wide,)), ("net", "@", (0, 1), (4, wide)),
        ):  # fmt: skip
            here = len(vertices)
            value = rng.normal(size=shape)
            vertices.append(
                vertex(
                    here, name, op=op, kind="op" if op else "param", shape=shape, value=value, grad=value, scope=scope
                )
            )
            if args:
                sources = (last, here - 2, here - 1)
                edges += [Edge(f"n{s}", f"n{here}", i, "ā = ḡ·bᵀ", flows=s != 0) for i, s in enumerate(sources)]
                last = here
    return Snapshot(tuple(vertices), tuple(edges), scopes, "MLP")


def hostile() -> Snapshot:
    """Every nasty text in every place that takes text."""
    vertices = []
    edges = []
    for i, text in enumerate(NASTY):
        here: dict[str, Any] = {"op": text, "scope": (text, text), "note": text, "dtype": text}
        vertices.append(vertex(i, text, **here) if text else vertex(i, **here))
        if i:
            edges.append(Edge(f"n{i - 1}", f"n{i}", 0, text, [0.5, float("nan"), float("inf"), -0.0][i % 4]))
    scopes = {(text,) * depth: text for text in NASTY for depth in (1, 2)}
    return Snapshot(tuple(vertices), tuple(edges), scopes, NASTY[0])


def large(count: int = 400) -> Snapshot:
    """`count` scalars, each made of up to three of the thirty before it."""
    rng = np.random.default_rng(7)
    vertices, edges = [], []
    for i in range(count):
        args = [] if i < 5 else [int(j) for j in rng.integers(max(0, i - 30), i, rng.integers(0, 4))]
        vertices.append(vertex(i, op="+" if args else "", kind="op" if args else "param"))
        edges += [Edge(f"n{a}", f"n{i}", slot, "∂", 1.0) for slot, a in enumerate(args)]
    return Snapshot(tuple(vertices), tuple(edges))


def chain(count: int = 200) -> Snapshot:
    """y = y·x, over and over: one x that every step reads."""
    vertices = [vertex(0, "x"), vertex(1, "y")]
    edges = []
    for i in range(2, count):
        vertices.append(vertex(i, op="×", kind="op"))
        edges += [Edge(f"n{i - 1}", f"n{i}", 0, "= x", 1.0), Edge("n0", f"n{i}", 1, "= y", 1.0)]
    return Snapshot(tuple(vertices), tuple(edges))


ALL = {f.__name__: f for f in (square, diamond, network, hostile, large, chain)}

texts = st.one_of(st.sampled_from(NASTY), st.text(max_size=50))
scalars = st.one_of(st.none(), st.floats(width=32), st.integers(-9, 9), st.booleans())
arrays = st.tuples(st.integers(0, 9), st.integers(0, 9)).map(lambda shape: np.full(shape, -1.5))


@st.composite
def snapshots(draw: st.DrawFn, most: int = 14) -> Snapshot:
    """Any small graph: any wiring, scopes shared or nested or entered again, any text, any value."""
    parts = draw(st.lists(texts, min_size=2, max_size=3))
    scope = st.lists(st.sampled_from(parts), max_size=3).map(tuple)
    vertices: list[Vertex] = []
    edges: list[Edge] = []
    for i in range(draw(st.integers(0, most))):
        sources = draw(st.lists(st.integers(0, i - 1), max_size=3)) if i else []
        value = draw(st.one_of(scalars, arrays))
        vertices.append(
            Vertex(
                f"n{i}", draw(texts), draw(texts) if sources else "",
                draw(st.sampled_from(KINDS[4:] if sources else KINDS[:4])),
                np.shape(value) if value is not None else (), "float32", value,
                draw(st.one_of(scalars, arrays)),
                draw(st.booleans()), draw(scope), draw(texts),
            )
        )  # fmt: skip
        for slot, source in enumerate(sources):
            number = draw(st.one_of(st.none(), st.floats()))
            edges.append(Edge(f"n{source}", f"n{i}", slot, draw(texts), number, draw(st.booleans())))
    used = {v.scope[:d] for v in vertices for d in range(1, len(v.scope) + 1)}
    scopes = {one: draw(texts) for one in sorted(used) if draw(st.booleans())}
    return Snapshot(tuple(vertices), tuple(edges), scopes, draw(texts))
