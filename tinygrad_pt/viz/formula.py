"""A normal form (`algebra`) as a formula: a tree of sums, fractions and powers, written in one line of Unicode.

`[P]` is 1 where P holds, else 0 (Iverson's bracket), and `ḡ` the gradient that arrives. `mathematics` writes the same
trees as LaTeX and MathML.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import cache
from itertools import groupby
from typing import Any

import numpy as np

from tinygrad_pt.graph import OPS, Op
from tinygrad_pt.symbol import Symbol
from tinygrad_pt.viz.algebra import ORDER, Product, condition, is_op, plain, product, simplify
from tinygrad_pt.viz.notation import Tree, filled, named, parse

KNOWN = {0.6931471805599453: "2", 2.302585092994046: "10"}  # numbers that are logarithms

NOTATIONS = {  # where the notation of an op says less than a picture needs
    "mean": r"\mathrm{mean}(a)", "product_of_others": r"\prod_{\neq i} a", "clamp": r"\mathrm{clamp}(a, low, high)",
    "permute": r"\mathrm{permute}(a)", "pick_class": "a[b]", "unpick_class": r"\mathrm{put}(a)",
    "convolution": r"a \ast b + c", "polygamma": r"\psi_{n}(a)", "lerp": r"a + c \cdot (b - a)",
    "gauss": r"e^{-c \cdot a^{2}}", "nll_loss": r"-\sum (c \cdot a[b])", "log_abs_det": r"\ln |\det a|",
    "cross_entropy": r"-\overline{\ln ((\operatorname{softmax}(a))[b])}",
}  # fmt: skip
SIGNS = {
    "mul": "×", "add": "+", "sub": "−", "div": "÷", "neg": "−", "mm": "@", "bmm": "@", "mv": "@", "dot": "@",
    "sum": "Σ", "sum_to": "Σ", "sum_rows": "Σ", "prod": "Π", "amax": "max", "amin": "min", "norm": "‖ ‖",
    "abs": "| |", "sigmoid": "σ", "square": "( )²", "pow": "( )^", "reciprocal": "1/( )", "sqrt": "√",
    "log": "ln", "t": "ᵀ", "transpose": "ᵀ", "getitem": "[ ]", "narrow": "[ ]", "select": "[ ]",
}  # fmt: skip


@cache
def template(op: Op) -> Tree:
    r"""How an op is written: its notation, with the names a, b, c for its arguments.

    >>> from tinygrad_pt import ops
    >>> [unicode(template(f.op)) for f in (ops.tanh, ops.exp, ops.maximum, ops.mm, ops.t, ops.abs)]
    ['tanh(a)', 'e^a', 'max(a, b)', 'a b', 'aᵀ', '|a|']
    """
    tree = parse(NOTATIONS.get(op.name, op.notation or "a"))
    if tree == Tree("name", "a"):  # it moves elements, and the notation does not say how
        return Tree.of("call", Tree("word", op.name), tree)
    return _multiplied(tree) if op.elementwise else tree


def _multiplied(tree: Tree) -> Tree:
    """A tree in which things side by side are a product, as between numbers."""
    return Tree("product" if tree.kind == "row" else tree.kind, tree.text, tuple(map(_multiplied, tree.parts)))


def op_sign(op: Op, attrs: Any = None) -> str:
    """What a card calls an op: the sign of its notation, or its name.

    >>> from tinygrad_pt import ops
    >>> op_sign(ops.mul.op), op_sign(ops.tanh.op), op_sign(ops.mm.op), op_sign(ops.power.op, {"n": 3})
    ('×', 'tanh', '@', '( )³')
    """
    if op.name == "power":
        n = (attrs or {}).get("n", "n")
        return f"( ){_above(Tree('name', n) if isinstance(n, str) else tree(n))}"
    return SIGNS.get(op.name) or op.name.rpartition(".")[2].removesuffix("_loss")


def exact(x: Any) -> str:
    """A number, as short as it is exact to six digits.

    >>> exact(0.5), exact(-3.0), exact(0.6931471805599453)
    ('0.5', '−3', 'ln(2)')
    """
    x = np.asarray(x)
    if x.dtype.kind == "b":
        return str(int(x.item()))
    if x.item() in KNOWN:
        return f"ln({KNOWN[x.item()]})"
    return f"{x.item():.6g}".replace("inf", "∞").replace("-", "−")


# ------------------------------------------------------------------------------------------ normal form → tree
def tree(x: Any) -> Tree:
    """The formula of a normal form; a tree is one already."""
    if isinstance(x, Tree):
        return x
    if isinstance(x, Product) or plain(x):
        return _product(product(x))
    return Tree("name", x.name) if x.op is None else _applied(x)


def number(value: Any) -> Tree:
    """A number that is not negative."""
    if value in KNOWN:
        return Tree.of("call", Tree("word", "ln"), Tree("number", KNOWN[value]))
    return Tree("number", exact(value))


def multiplied(*factors: Tree) -> Tree:
    return factors[0] if len(factors) == 1 else Tree.of("product", *factors)


def _product(p: Product) -> Tree:
    value = abs(p.number)
    above, below = [number(value)], []
    if len(above[0].text) > 6:
        ratio = Fraction(value).limit_denominator(1000) if np.isfinite(value) else Fraction(0)
        if ratio and abs(float(ratio) / value - 1) < 1e-14:
            above = [number(ratio.numerator)]
            below = [number(ratio.denominator)] if ratio.denominator > 1 else []
    elif value not in (0, 1) and (1 / value).is_integer() and any(n < 0 for _, n in p.powers):
        above, below = [Tree("number", "1")], [number(1 / value)]
    if above == [Tree("number", "1")] and any(n > 0 for _, n in p.powers):
        above = []
    for base, n in sorted(p.powers, key=lambda power: condition(power[0])):
        raised = tree(base) if abs(n) == 1 else Tree.of("power", tree(base), number(abs(n)))
        (above if n > 0 else below).append(raised)
    found = Tree.of("over", multiplied(*above), multiplied(*below)) if below else multiplied(*above)
    return Tree.of("neg", found) if p.number < 0 else found


def _applied(x: Symbol) -> Tree:
    assert x.op is not None
    name, args = x.op.name, x.args
    if name in ("add", "sub"):
        left, right = map(tree, args)
        if name == "sub":
            right = right.parts[0] if right.kind == "neg" else Tree.of("neg", right)
        return Tree.of("sum", *(p for t in (left, right) for p in (t.parts if t.kind == "sum" else (t,))))
    if condition(x):
        return Tree.of("list", _truth(x))
    if name in ("cat", "stack"):
        parts = [tree(a) for a in args]
        if len(parts) > 4:
            zeros = (Tree("word", "…") if part == Tree("number", "0") else part for part in parts)
            parts = [part for part, _ in groupby(zeros)]
        return Tree.of("list", *parts)
    if name in ("narrow", "select"):
        at, k = x.attrs.get("start", 0), x.attrs.get("index")
        place = f"{at}:{at + x.attrs['length']}" if k is None else str(k)
        return Tree.of("index", tree(args[0]), Tree("code", f"{':, ' * x.attrs['axis']}{place}"))
    if name == "einsum":
        terms = Tree("code", f"{', '.join(x.attrs['terms'])} → {x.attrs['out']}")
        return Tree.of("call", Tree("word", name), terms, *map(tree, args), text=";")
    if name == "permute" and x.attrs["axes"] == (1, 0):
        return Tree.of("transpose", tree(args[0]))
    if x.op.variadic or not x.op.notation:
        return Tree.of("call", Tree("word", op_sign(x.op)), *(tree(a) for a in args if a is not None))
    absent = dict.fromkeys("abcdef"[len(args) : x.op.arity])
    values = dict(zip("abcdef", args, strict=False)) | absent | x.attrs
    if name == "clamp":
        values |= {k: s * np.inf for k, s in (("low", -1), ("high", 1)) if values[k] is None}
    trees = {k: None if v is None else _value(v) for k, v in values.items()}
    return filled(template(x.op), trees) or Tree("word", op_sign(x.op))


def _value(v: Any) -> Tree:
    """An argument or an attribute in a template."""
    known = isinstance(v, (Symbol, Product, bool, int, float, np.generic))
    return tree(v) if known else Tree("name", "…")


def _truth(x: Any) -> Tree:
    """A condition without its brackets."""
    if is_op(x, "where"):
        return tree(x.args[0])
    if is_op(x, "logical_and") and [a.op.name for a in x.args if is_op(a, *ORDER)] == ["ge", "le"]:
        (a, low), (b, high) = (c.args for c in x.args)
        if a is b:
            return Tree.of("infix", tree(low), tree(a), tree(high), text="≤ ≤")
    if is_op(x, "logical_and", "logical_or"):
        parts = [_truth(a) if condition(a) else tree(a) for a in x.args]
        return Tree.of("infix", *parts, text="∧" if x.op.name == "logical_and" else "∨")
    return Tree.of("infix", *map(tree, x.args), text=template(x.op).text)


# ------------------------------------------------------------------------------------------ tree → text
# How tightly a piece binds: one that binds less than its place asks stands in parentheses.
ANY, SUM, PRODUCT, MATRIX, POWER, ATOM = range(6)
BINDS = {
    "infix": ANY, "sum": SUM, "neg": SUM, "product": PRODUCT, "chain": PRODUCT, "over": PRODUCT, "big": PRODUCT,
    "row": MATRIX, "power": POWER, "transpose": POWER, "root": POWER, "not": POWER, "partial": POWER,
}  # fmt: skip


class Writer:
    """The one way through a tree; writers for other languages say how each piece looks there."""

    binds = BINDS

    def __init__(self, lang: str = "en") -> None:
        self.comma = lang == "pt"

    def write(self, t: Tree, place: int = ANY) -> str:
        """A piece, in parentheses where it binds less tightly than its place asks."""
        text = self.piece(t)
        return self.fenced("(", text, ")") if self.level(t) < place else text

    def level(self, t: Tree) -> int:
        return self.binds.get(t.kind, ATOM)

    def piece(self, t: Tree) -> str:
        kind, parts = t.kind, t.parts
        if not parts:
            return str(getattr(self, kind)(t.text))
        if kind == "sum":
            return self.joined([self.term(p, first=not i) for i, p in enumerate(parts)])
        if kind == "neg":
            return self.joined([self.sign("−"), self.write(parts[0], PRODUCT)])
        if kind == "product":
            last = parts[-1]
            factors = [self.write(p, POWER) for p in parts[:-1]]
            return self.between(self.sign("·"), [*factors, self.write(last, PRODUCT if last.kind == "big" else POWER)])
        if kind == "chain":
            return self.between(self.sign(" · "), [self.write(p, POWER) for p in parts])
        if kind == "row":
            return self.between(self.sign(" "), [self.write(p, MATRIX) for p in parts])
        if kind == "infix":
            return self.infix(t)
        if kind == "call":
            return self.joined([self.write(parts[0]), self.fenced("(", self.separated(parts[1:], t.text), ")")])
        if kind == "list":
            return self.fenced("[", self.separated(parts), "]")
        if kind == "index":
            return self.joined([self.write(parts[0], ATOM), self.fenced("[", self.separated(parts[1:]), "]")])
        if kind == "fence":
            return self.fenced(t.text, self.write(parts[0]), CLOSING[t.text])
        if kind == "not":
            return self.joined([self.sign("¬"), self.write(parts[0], ATOM)])
        if kind == "partial":
            return self.partial(parts[0], parts[1], t.text)
        return str(getattr(self, kind)(*parts))

    def term(self, p: Tree, first: bool) -> str:
        """A term of a sum with its sign."""
        if first:
            return self.write(p, SUM)
        if p.kind == "neg":
            return self.sign(" − ") + self.write(p.parts[0], PRODUCT)
        return self.sign(" + ") + self.write(p, SUM)

    def infix(self, t: Tree) -> str:
        """Operands with their signs; the sides of a connective are relations themselves."""
        signs = t.text.split(" ")
        signs = signs * (len(t.parts) - 1) if len(signs) == 1 else signs
        place = {"mod": POWER, "∗": POWER, "⊙": POWER, "∧": ANY, "∨": ANY, "⊕": ANY}.get(signs[0], SUM)
        written = [self.write(p, place) for p in t.parts]
        return self.joined([written[0], *(self.sign(f" {s} ") + w for s, w in zip(signs, written[1:], strict=True))])

    def separated(self, parts: tuple[Tree, ...], first: str = "") -> str:
        """A list; after its first part another sign may stand."""
        comma = ";" if self.comma else ","
        signs = ["", first or comma, *[comma] * len(parts)]
        return "".join((self.sign(f"{s} ") if s else "") + self.write(p) for s, p in zip(signs, parts, strict=False))

    def joined(self, pieces: list[str]) -> str:
        return "".join(pieces)

    def between(self, sign: str, pieces: list[str]) -> str:
        return self.joined([piece for p in pieces for piece in (sign, p)][1:])

    # ---------------------------------------------------------------------------- what languages say differently
    def sign(self, text: str) -> str:
        return text

    def fenced(self, left: str, inner: str, right: str) -> str:
        raise NotImplementedError

    def partial(self, y: Tree, x: Tree, mark: str) -> str:
        raise NotImplementedError


CLOSING = {"(": ")", "[": "]", "|": "|", "‖": "‖", "⌊": "⌋", "⌈": "⌉"}
NAME = re.compile(r"[^\W\d][\w.′’]*(\[[\w.]*\])*|ḡ[₀-₉]*|…")
SUPERSCRIPT = str.maketrans("0123456789−+*", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺*")
SUBSCRIPT = {ord(a): b for a, b in zip("0123456789i≠", "₀₁₂₃₄₅₆₇₈₉ᵢ≠", strict=True)}


class Unicode(Writer):
    """One line of text."""

    def level(self, t: Tree) -> int:
        if t.kind == "name":
            return ATOM if NAME.fullmatch(t.text.strip("$")) else ANY
        if t.kind == "number" and "e" in t.text:
            return POWER
        if t.kind == "big" and self.piece(t).endswith(")"):
            return POWER
        return super().level(t)

    def name(self, text: str) -> str:
        return self.piece(named(text)) if text[:1] == "$" and named(text).parts else text.strip("$")

    def number(self, text: str) -> str:
        return text.replace(".", ",") if self.comma else text

    def word(self, text: str) -> str:
        return text

    code = word

    def fenced(self, left: str, inner: str, right: str) -> str:
        nested = left in "|‖" and set(inner) & set("|‖")  # bars do not nest
        return f"{left}({inner}){right}" if nested else left + inner + right

    def over(self, a: Tree, b: Tree) -> str:
        above = self.piece(a) if a.kind == "product" else self.write(a, POWER)
        return f"{above}/{self.write(b, POWER)}"

    def power(self, base: Tree, exponent: Tree) -> str:
        return self.write(base, ATOM) + self.above(exponent)

    def above(self, exponent: Tree) -> str:
        text = self.write(exponent)
        if re.fullmatch(r"−?\d+|[+*]", text):
            return text.translate(SUPERSCRIPT)
        return f"^{self.write(exponent, ATOM)}"

    def sub(self, base: Tree, below: Tree) -> str:
        text = self.write(below).replace(" ", "")
        low = all(ord(char) in SUBSCRIPT for char in text)
        return self.write(base, ATOM) + (text.translate(SUBSCRIPT) if low else f"_{self.write(below, ATOM)}")

    def transpose(self, x: Tree) -> str:
        return f"{self.write(x, ATOM)}ᵀ"

    def root(self, x: Tree) -> str:
        simple = not x.parts and self.level(x) == ATOM
        return f"√{self.write(x)}" if simple else f"√({self.write(x)})"

    def big(self, sign: Tree, x: Tree) -> str:
        loose = self.level(x) >= ATOM
        return f"{self.write(sign)} {self.write(x)}" if loose else f"{self.write(sign)}({self.write(x)})"

    def bar(self, x: Tree) -> str:
        return f"{x.text}\u0304" if len(x.text) == 1 else f"mean({self.write(x)})"

    def hat(self, x: Tree) -> str:
        return f"{self.write(x, ATOM)}\u0302"

    def partial(self, y: Tree, x: Tree, mark: str) -> str:
        return f"∂{self.write(y, ATOM)}/∂{self.write(x, ATOM)}{mark}"


def unicode(t: Tree, lang: str = "en") -> str:
    """A tree as one line of Unicode."""
    return Unicode(lang).write(t)


def _above(t: Tree) -> str:
    return Unicode().above(t)


def render(x: Any, lang: str = "en") -> str:
    """A normal form as one line of Unicode.

    >>> from tinygrad_pt import ops
    >>> a, b = Symbol("a", ()), Symbol("b", ())
    >>> render(simplify(-(a + b) / ops.exp(b)))
    '−(a + b)/e^b'
    """
    return unicode(tree(x), lang)


def applied_rule(
    rule: Any, g: Any, y: Symbol, args: tuple[Any, ...], attrs: dict[str, Any], shape: tuple[int, ...]
) -> Any:
    """A rule, read to symbols.

    `shape` is the argument's own: where broadcasting has stretched it, the engine sums over the copies.
    """
    found = rule(g, y, *args, **attrs)
    if isinstance(found, Symbol) and found.shape != shape:
        found = Symbol(op=OPS["sum_to"], args=(found,), attrs={"shape": shape})
    return found


def read(rule: Any, g: Any, y: Symbol, args: tuple[Any, ...], attrs: dict[str, Any], shape: tuple[int, ...]) -> str:
    """A rule, read to symbols, in one line."""
    return render(simplify(applied_rule(rule, g, y, args, attrs, shape)))
