"""`Marker` turns expressions into MathML as data: nested lists, whose leaves are values' names or numbers in turn.

The page sets each equation twice, once with names and once with numbers, from the same data. A list is an element,
`["mfrac", …, …]`; a string in place of an element is the id of a vertex, or `INCOMING` for the gradient that arrives.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from typing import Any

from tinygrad_pt.symbol import Symbol
from tinygrad_pt.viz.algebra import UNIT, simplify
from tinygrad_pt.viz.expression import substitute
from tinygrad_pt.viz.mathematics import mathml
from tinygrad_pt.viz.model import INCOMING

Markup = str | list[Any]

TAGS = {
    "mi", "mn", "mo", "mtext", "mrow", "mfrac", "msup", "msub", "msubsup", "msqrt", "mroot", "mover", "munder",
    "munderover", "mtable", "mtr", "mtd", "mspace",
}  # fmt: skip
LEAVES = {"mi", "mn", "mo", "mtext"}
LETTERS = str.maketrans("0123456789_", "abcdefghijk")  # a name with digits would be set with a subscript


def code(id_: str) -> str:
    """A name that no writer of mathematics takes apart, in place of an id.

    >>> code("n12"), code("g")
    ('qnbc', 'qg')
    """
    return f"q{id_.translate(LETTERS)}"


class Marker:
    """Writes the expressions of one graph, whose values are `symbols`, by id.

    >>> x = Symbol("n1", ())
    >>> Marker({"n1": x}).markup(x * x)
    ['msup', 'n1', ['mn', '2']]
    """

    def __init__(self, symbols: Mapping[str, Symbol]) -> None:
        self.ids = {code(id_): id_ for id_ in (*symbols, INCOMING)}
        self.known = {id_: Symbol(code(id_), s.shape, s.dtype) for id_, s in symbols.items()}

    def markup(self, expression: Any, g: Symbol | None = None) -> Markup:
        """The simplified expression as data; in place of the gradient that arrives stands `g`, 1 or like the target."""
        known = self.known
        if g is not None:
            known = known | {INCOMING: g if g is UNIT else Symbol(code(INCOMING), g.shape, g.dtype)}
        return _data(ET.fromstring(mathml(simplify(substitute(expression, known)))), self.ids)


def name(text: str) -> Markup:
    """A name as data.

    >>> name("w1")
    ['msub', ['mi', 'w'], ['mn', '1']]
    """
    return _data(ET.fromstring(mathml(Symbol(text, ()))), {})


def _data(element: ET.Element, ids: Mapping[str, str]) -> Markup:
    tag = element.tag
    assert tag in TAGS, tag
    if tag in LEAVES:
        text = element.text or ""
        return ids.get(text) or [tag, text]
    return [tag, *(_data(child, ids) for child in element)]
