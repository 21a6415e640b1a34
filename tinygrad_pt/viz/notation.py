r"""`Tree` is a formula as it is set: what stands in it, in rows, fractions, powers; `parse` reads LaTeX to one.

Ops declare how they are written in LaTeX (`a\,{b}^{\top} + c`); the names in it are the places of their arguments.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from tinygrad_pt.errors import refuse
from tinygrad_pt.viz.text import clean


@dataclass(frozen=True)
class Tree:
    """One piece of a formula: its kind, and its parts, which are trees or texts.

    name, number, word, code: a text. sum, product, chain (a product of derivatives), row, list:
    any number of trees. neg, root, bar, hat, not, transpose:
    one. over, power, sub: two. call: a word, then the arguments. big: a sign such as Σ, what it gathers. fence: the
    left sign is the text. infix: trees, with the signs between them in the text. index: a tree, then the places.
    partial: what is differentiated, by what; the text is a mark that tells one use from another.

    >>> Tree.of("sum", Tree("name", "a"), Tree.of("neg", Tree("name", "b"))).parts[1].kind
    'neg'
    """

    kind: str
    text: str = ""
    parts: tuple[Tree, ...] = ()

    @classmethod
    def of(cls, kind: str, *parts: Tree, text: str = "") -> Tree:
        return cls(kind, text, parts)


GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η", "theta": "θ",
    "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ",
    "tau": "τ", "upsilon": "υ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω", "Gamma": "Γ", "Delta": "Δ",
    "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
}  # fmt: skip
FUNCTIONS = frozenset("ln log exp sin cos tan sinh cosh tanh arcsin arccos arctan max min det arg".split())
APPLIED = frozenset("σφψζΓΦΨIPQ")  # letters that stand for functions
INFIX = {
    "=": "=", "neq": "≠", "<": "<", "leq": "≤", "lt": "<", "gt": ">", ">": ">", "geq": "≥", "land": "∧", "lor": "∨",
    "oplus": "⊕", "bmod": "mod",
}  # fmt: skip
CLOSE = {"(": ")", "[": "]", "|": "|", "‖": "‖", "⌊": "⌋", "⌈": "⌉"}
SPELLED = {"lfloor": "⌊", "rfloor": "⌋", "lceil": "⌈", "rceil": "⌉", "lVert": "‖", "rVert": "‖", "|": "‖"}
TOKEN = re.compile(
    r"\\(?:mathrm|operatorname)\{(?P<word>[^{}\\]*)\}|\\(?P<command>[A-Za-z]+|[|,])|(?P<number>\d+(?:\.\d+)?)"
    r"|(?P<letters>low|high|[^\W\d_]|∞)|(?P<sign>\S)"
)


def parse(latex: str) -> Tree:
    r"""LaTeX of the kind that formulas of ops and names are written in, as a tree.

    Raises:
        ValueError: it is not of that kind.

    >>> tree = parse(r"\frac{a}{1 + |a|}")
    >>> tree.kind, tree.parts[1].kind
    ('over', 'sum')
    """
    reader = _Reader(latex)
    tree = reader.relation()
    if reader.at < len(reader.tokens):
        raise reader.wrong()
    return tree


class _Reader:
    """The grammar: a relation of sums of products of rows of operands."""

    def __init__(self, latex: str) -> None:
        self.latex, self.at, self.open = latex, 0, ""
        self.tokens = list(_tokens(latex))

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")

    def take(self) -> tuple[str, str]:
        self.at += 1
        return self.tokens[self.at - 1] if self.at <= len(self.tokens) else ("end", "")

    def skip(self, sign: str) -> None:
        if self.take()[1] != sign:
            raise self.wrong()

    def wrong(self) -> Exception:
        return refuse(ValueError, f"this LaTeX is not a formula that can be read: {self.latex!r}")

    def separated(self, signs: Mapping[str, str], part: Callable[[], Tree]) -> tuple[list[Tree], list[str]]:
        parts, between = [part()], []
        while self.peek()[1] in signs and self.peek()[1] != self.open:
            between.append(signs[self.take()[1]])
            parts.append(part())
        return parts, between

    def relation(self) -> Tree:
        parts, signs = self.separated(INFIX, self.sum)
        return Tree.of("infix", *parts, text=" ".join(signs)) if signs else parts[0]

    def sum(self) -> Tree:
        sign = self.take()[1] if self.peek()[1] in ("-", "+") else "+"
        terms = [self.product() if sign == "+" else Tree.of("neg", self.product())]
        while self.peek()[1] in ("-", "+"):
            sign = self.take()[1]
            terms.append(self.product() if sign == "+" else Tree.of("neg", self.product()))
        return terms[0] if len(terms) == 1 else Tree.of("sum", *terms)

    def product(self) -> Tree:
        parts, signs = self.separated({"cdot": "·", "/": "/", "ast": "∗", "odot": "⊙"}, self.row)
        tree = parts[0]
        for sign, part in zip(signs, parts[1:], strict=True):
            if sign == "/":
                tree = Tree.of("over", tree, part)
            else:
                tree = Tree.of("product", tree, part) if sign == "·" else Tree.of("infix", tree, part, text=sign)
        return tree

    def row(self) -> Tree:
        parts = [self.operand()]
        while self.starts():
            parts.append(self.operand())
        return parts[0] if len(parts) == 1 else Tree.of("row", *parts)

    def starts(self) -> bool:
        """Whether an operand begins here."""
        kind, text = self.peek()
        if kind in ("word", "letters", "number"):
            return True
        if kind == "command":
            return text not in INFIX and text not in ("cdot", "ast", "odot", "top")
        return (text in CLOSE or text == "{") and text != self.open

    def operand(self) -> Tree:
        tree = self.base()
        while self.peek()[1] in ("^", "_", "[") and self.peek()[1]:
            sign = self.take()[1]
            if sign == "[":
                tree = Tree.of("index", tree, *self.list("]"))
            elif sign == "_":
                tree = Tree.of("sub", tree, self.group())
            else:
                above = self.group()
                transposed = above == Tree("word", "top")
                tree = Tree.of("transpose", tree) if transposed else Tree.of("power", tree, above)
        return self.applied(tree) if self.function(tree) else tree

    @staticmethod
    def function(tree: Tree) -> bool:
        while tree.kind in ("power", "sub"):
            tree = tree.parts[0]
        return tree.kind == "word" and (tree.text in FUNCTIONS or tree.text in APPLIED or tree.text[1:].isalnum())

    def applied(self, word: Tree) -> Tree:
        """A function with what it is applied to; the word alone where nothing follows."""
        if self.peek()[1] == "(":
            self.take()
            return Tree.of("call", word, *self.list(")"))
        if not self.starts():
            return word
        return Tree.of("call", word, self.operand())

    def list(self, close: str) -> list[Tree]:
        before, self.open = self.open, ""
        parts, _ = self.separated({",": ","}, self.relation)
        self.open = before
        self.skip(close)
        return parts

    def group(self) -> Tree:
        """What stands in braces, or one sign."""
        if self.peek()[1] != "{":
            return self.base()
        self.take()
        before, self.open = self.open, ""
        kind, text = self.peek()
        if text in ("+", "*") or (text == "top"):
            self.take()
            tree = Tree("word", text)
        elif text == "neq":
            self.take()
            tree = Tree.of("row", Tree("word", "≠"), self.base())
        else:
            tree = self.relation()
        self.open = before
        self.skip("}")
        return tree

    def base(self) -> Tree:
        kind, text = self.take()
        if kind == "number":
            return Tree("number", text)
        if kind == "word":
            return Tree("word", text)
        if kind == "letters":
            return Tree("word" if text in APPLIED else "name", text)
        if kind == "command":
            return self.command(text)
        if text in CLOSE:
            return self.fenced(text)
        if text == "{":
            self.at -= 1
            return self.group()
        raise self.wrong()

    def fenced(self, left: str) -> Tree:
        before, self.open = self.open, CLOSE[left]
        parts, _ = self.separated({",": ","}, self.relation)
        self.open = before
        self.skip(CLOSE[left])
        if left == "[":
            return Tree.of("list", *parts)
        return parts[0] if left == "(" else Tree.of("fence", parts[0], text=left)

    def command(self, text: str) -> Tree:
        if text == "frac":
            return Tree.of("over", self.group(), self.group())
        if text in ("sqrt", "overline", "bar", "hat"):
            return Tree.of({"sqrt": "root", "overline": "bar"}.get(text, text), self.group())
        if text in ("sum", "prod"):
            sign = Tree("word", "Σ" if text == "sum" else "Π")
            if self.peek()[1] == "_":
                self.take()
                sign = Tree.of("sub", sign, self.group())
            return Tree.of("big", sign, self.row())
        if text == "lnot":
            return Tree.of("not", self.operand())
        if text in GREEK:
            letter = GREEK[text]
            return Tree("word" if letter in APPLIED else "name", letter)
        if text in FUNCTIONS or text in ("top", "partial"):
            return Tree("word", {"partial": "∂"}.get(text, text))
        raise self.wrong()


def _tokens(latex: str) -> Iterator[tuple[str, str]]:
    for m in TOKEN.finditer(latex):
        kind = m.lastgroup or ""
        text = m.group(kind)
        if kind != "command":
            yield kind, text
        elif text in SPELLED:
            yield "sign", SPELLED[text]
        elif text not in ("left", "right", "textstyle", ","):  # spaces, and the sizes of brackets
            yield kind, text


def filled(tree: Tree, values: Mapping[str, Any]) -> Tree | None:
    """A tree with other trees for its names; what an absent argument (None) stands in is left out.

    >>> filled(parse("a + c"), {"a": Tree("number", "2"), "c": None})
    Tree(kind='number', text='2', parts=())
    """
    if tree.kind == "name" and tree.text in values:
        found: Tree | None = values[tree.text]
        return found
    if not tree.parts:
        return tree
    parts = [filled(p, values) for p in tree.parts]
    there = [p for p in parts if p is not None]
    if tree.kind == "sum":
        there = [p for part in there for p in (part.parts if part.kind == "sum" else (part,))]
    if tree.kind in ("product", "row") and len(there) > 1:
        there = [p for p in there if p != Tree("number", "1")]
    if tree.kind in ("sum", "product", "row") and len(there) == 1:
        return there[0]
    whole = len(there) >= len(parts) or tree.kind in ("sum", "product", "row", "call")
    return Tree(tree.kind, tree.text, tuple(there)) if there and whole else None


SUB = re.compile(r"(?P<base>[^\W\d_]+[′’]?)(?:_?(?P<digits>\d+)|_(?P<below>\w+)|(?P<places>(?:\[\w+\])+))")
LOW = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
ACCENTS = {"\u0304": "bar", "\u0302": "hat"}


@cache
def named(text: str) -> Tree:
    r"""A name as a tree: the base and its subscript, letters with a bar, LaTeX between dollars.

    >>> [named(name).kind for name in ("w", "w1", "ḡ", "$w_2$", "$\\input{x}$")]
    ['name', 'sub', 'bar', 'sub', 'name']
    """
    text = clean(text)
    if len(text) > 2 and text[0] == text[-1] == "$":
        try:
            return parse(text[1:-1])
        except ValueError:
            return Tree("name", text.strip("$"))
    if not text:
        return Tree("name")
    letter, *rest = list(unicodedata.normalize("NFD", text.translate(LOW)))
    if rest and rest[0] in ACCENTS and (not rest[1:] or "".join(rest[1:]).isdigit()):
        accented = Tree.of(ACCENTS[rest[0]], Tree("name", letter))
        return Tree.of("sub", accented, Tree("code", "".join(rest[1:]))) if rest[1:] else accented
    m = SUB.fullmatch(text.translate(LOW))
    if m is None:
        return Tree("name", text)
    below = m["digits"] or m["below"] or m["places"][1:-1].replace("][", ",")
    return Tree.of("sub", Tree("name", m["base"]), Tree("code", below))
