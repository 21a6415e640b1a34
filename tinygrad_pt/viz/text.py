"""The text of drawings: it is cleaned, escaped for the format it goes into, and numbers are written in one way."""

from __future__ import annotations

import html
import math
import unicodedata
from collections.abc import Iterable
from itertools import islice
from numbers import Integral

import numpy as np

from tinygrad_pt.errors import refuse

# Whatever steers instead of showing: controls, surrogates, format marks (among them the bidirectional
# overrides, which reorder a whole row of a page), private use and separators of lines.
_STEERING = {"Cc", "Cs", "Cf", "Co", "Zl", "Zp"}
_NONCHARACTERS = {0xFFFE, 0xFFFF}

WORDS = {
    "en": {
        "input": "input", "param": "parameter", "const": "constant", "target": "target", "op": "operation",
        "loss": "loss", "value": "value", "gradient": "gradient", "unkept": "not kept: viz.keep()",
        "pending": "not computed yet", "none": "no gradient", "min": "min", "mean": "mean", "max": "max",
        "argument": "argument", "values": "values", "graph": "computation graph", "edges": "edges", "empty": "empty",
        "local": "local derivative", "module": "module", "parameter": "parameter", "parameters": "parameters",
        "incoming": "gradient that arrives", "map": "colours of arrays; |v| ≤ m", "norm": "√ of the sum of squares",
        "more": "more", "weight": "weight", "hidden": "hidden", "output": "output",
        "one of many": "The numbers of neurons are those of example {} of {}; those of weights are of all.",
        "renewed": "Something has changed since this was computed, as weights do in optimizer.step(): all numbers are "
        "those that the graph gives with what stands now.",
        "wrong": "Red edges: the rule is not what finite differences of the forward give.",
        "lost": "? is not known any more: with viz.keep(): around the computation keeps it.",
    },
    "pt": {
        "input": "entrada", "param": "parâmetro", "const": "constante", "target": "alvo", "op": "operação",
        "loss": "erro", "value": "valor", "gradient": "gradiente", "unkept": "não guardado: viz.keep()",
        "pending": "ainda não calculado", "none": "sem gradiente", "min": "mín", "mean": "média", "max": "máx",
        "argument": "argumento", "values": "valores", "graph": "grafo de computação",
        "edges": "arestas", "empty": "vazio", "local": "derivada local",
        "incoming": "gradiente que chega", "map": "cores de arrays; |v| ≤ m", "norm": "√ da soma dos quadrados",
        "module": "módulo", "parameter": "parâmetro", "parameters": "parâmetros", "more": "outros",
        "weight": "peso", "hidden": "oculta", "output": "saída",
        "one of many": "Os números dos neurônios são os do exemplo {} de {}; os dos pesos, de todos.",
        "renewed": "Algo mudou desde que isto foi calculado, como os pesos em optimizer.step(): todos os números são "
        "os que o grafo dá com o que vale agora.",
        "wrong": "Arestas vermelhas: a regra não é o que dão diferenças finitas do cálculo.",
        "lost": "? não se sabe mais: with viz.keep(): em volta do cálculo guarda o valor.",
    },
}  # fmt: skip


OPTIONS = {
    "rankdir": ("auto", "LR", "TB"), "lang": tuple(WORDS), "edge_labels": ("auto", "none", "num", "sym", "both"),
    "theme": ("auto", "light", "dark"),
}  # fmt: skip


def check(**options: object) -> None:
    """Refuse options that drawings do not know."""
    for name, value in options.items():
        if not isinstance(value, str) or value not in OPTIONS[name]:
            raise refuse(ValueError, f"{name}={value!r}: expected one of {', '.join(OPTIONS[name])}")


def path_text(scope: Iterable[str]) -> str:
    """The path of a module, of at most twelve parts."""
    return ".".join(clean(part) for part in islice(scope, 12))


def clean(text: object, limit: int = 32) -> str:
    r"""One printable line of at most `limit` characters, an ellipsis standing for what was cut.

    Controls, lone surrogates, bidirectional and other invisible marks are dropped, every run of white
    space becomes one space, and no letter keeps more than two combining marks.

    >>> clean("w\u202e1\n\n[0]")
    'w1 [0]'
    >>> clean("a" * 50, 8)
    'aaaaaaa…'
    """
    kept: list[str] = []
    marks = 0
    for char in str(text)[: 16 * limit]:
        if char.isspace():
            char = " "
        elif unicodedata.category(char) in _STEERING or ord(char) & 0xFFFF in _NONCHARACTERS:
            continue
        marks = marks + 1 if unicodedata.combining(char) else 0
        if marks <= 2:
            kept.append(char)
    line = " ".join("".join(kept).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def xml(text: str) -> str:
    """Cleaned text made safe inside an XML element or a quoted attribute.

    >>> xml("</text>'\\"&")
    '&lt;/text&gt;&#x27;&quot;&amp;'
    """
    return html.escape(text, quote=True)


def dot_html(text: str) -> str:
    r"""Cleaned text made safe inside a Graphviz HTML-like label.

    Graphviz expands `\N`, `\G` and their like there even when the backslash is doubled or written as an
    entity; so a backslash becomes U+2216, which looks the same and means nothing.

    >>> dot_html(r"\N <b>")
    '∖N &lt;b&gt;'
    """
    return html.escape(text.replace("\\", "∖"), quote=True)


def dot_quoted(text: str) -> str:
    r"""Cleaned text (line breaks allowed) made safe as a quoted DOT string, without its quotes.

    >>> print(dot_quoted('say "hi" & \\N'))
    say &quot;hi&quot; &amp; ∖N
    """
    text = text.replace("\\", "∖").replace("&", "&amp;").replace('"', "&quot;")
    return text.replace("<", "&lt;").replace(">", "&gt;").replace("\n", "\\n")


def decimal(value: object, digits: int = 4, lang: str = "en") -> str:
    """A number with `digits` decimals and a true minus; whole numbers and truth values as they are.

    What would round to nothing, or grow long, is written with an exponent: 0.0000 stands for zero only.

    >>> decimal(-0.5), decimal(3), decimal(2.5e-7), decimal(float("-inf")), decimal(0.15, lang="pt")
    ('−0.5000', '3', '2.50e−7', '−∞', '0,1500')
    """
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, Integral):
        text = str(int(value))
        text = text if len(text) <= 12 else f"{float(value):.{digits}e}"
    elif isinstance(value, (complex, np.complexfloating)):
        imaginary = decimal(float(value.imag), digits, lang)
        sign = "" if imaginary.startswith("−") else "+"
        return f"{decimal(float(value.real), digits, lang)}{sign}{imaginary}i"
    else:
        text = _real(float(value), digits)  # type: ignore[arg-type]
    text = text.replace("-", "−")
    return text.replace(".", ",") if lang == "pt" else text


def _real(value: float, digits: int) -> str:
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if value == 0:
        return f"{0:.{digits}f}"
    if 0.5 * 10.0**-digits <= abs(value) < 1e6:
        return f"{value:.{digits}f}"
    mantissa, exponent = f"{value:.2e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def relation(value: float, digits: int = 4, lang: str = "en") -> str:
    """The number behind `=` where the digits shown are all of it, behind `≈` where it was rounded.

    >>> relation(0.25), relation(1 / 3)
    ('= 0.2500', '≈ 0.3333')
    """
    text = decimal(value, digits, lang)
    plain = text.replace("−", "-").replace(",", ".").replace("∞", "inf")
    # A float32 carries seven digits: what differs behind them is not a rounding of ours.
    exact = math.isnan(value) or math.isclose(float(plain), value, rel_tol=1e-6)
    return f"{'=' if exact else '≈'} {text}"


def shape_text(shape: tuple[int, ...]) -> str:
    """A shape as `[2×3]`; nothing at all for a scalar.

    >>> shape_text((2, 3)), shape_text(())
    ('[2×3]', '')
    """
    return f"[{'×'.join(map(str, shape))}]" if shape else ""


def width(text: str, size: float, mono: bool = False, bold: bool = False) -> float:
    """The room in pixels that a cleaned line needs at most, in the usual fonts of each family."""
    return sum(map(_mono if mono else _sans, text)) * size * (1.08 if bold else 1.0)


def _mono(char: str) -> float:
    if unicodedata.combining(char):
        return 0.0
    # A fallback font need not keep the pitch outside Latin, Greek and the mathematical signs.
    return 1.25 if unicodedata.east_asian_width(char) in "WF" else 0.605 if ord(char) < 0x2600 else 0.9


def _sans(char: str) -> float:
    if unicodedata.combining(char):
        return 0.0
    if unicodedata.east_asian_width(char) in "WF":
        return 1.25
    if char in " .,:;|!'ijlIft()[]/":
        return 0.4
    if char in "mwMW@%—…∂" or ord(char) > 0x2600:
        return 1.0
    return 0.76 if char.isupper() else 0.66
