r"""`latex` and `mathml` write what `formula.render` writes, set as mathematics is: with fractions, powers, subscripts.

Names are the user's, and are not trusted: they are cleaned, escaped, and split into a name and its subscript (`w1`,
`net_h`, `w[0][1]`). A name between dollars is LaTeX of its own, as far as `notation.parse` reads it (`"$w_2$"`).
"""

from __future__ import annotations

from typing import Any

from tinygrad_pt.viz.formula import ATOM, BINDS, POWER, Writer, tree
from tinygrad_pt.viz.notation import FUNCTIONS, GREEK, Tree, named
from tinygrad_pt.viz.text import xml


class _Set(Writer):
    """What LaTeX and MathML share: fractions, roots and exponents need no parentheses."""

    binds = BINDS | {"over": POWER, "bar": ATOM, "hat": ATOM}

    def name(self, text: str) -> str:
        found = named(text)
        return self.letters(found.text) if found.kind == "name" else self.piece(found)

    def letters(self, text: str) -> str:
        raise NotImplementedError


# ------------------------------------------------------------------------------------------ LaTeX
COMMANDS = {letter: f"\\{name}" for name, letter in GREEK.items()} | {
    "Σ": r"\sum", "Π": r"\prod", "≠": r"\neq", "≤": r"\leq", "≥": r"\geq", "∧": r"\land", "∨": r"\lor",
    "⊕": r"\oplus", "¬": r"\lnot", "·": r"\cdot", "∗": r"\ast", "⊙": r"\odot", "mod": r"\bmod", "∞": r"\infty",
    "…": r"\ldots", "−": "-", "⌊": r"\lfloor", "⌋": r"\rfloor", "⌈": r"\lceil", "⌉": r"\rceil", "‖": r"\|",
    "∂": r"\partial", "→": r"\to", "<": r"\lt", ">": r"\gt", "≈": r"\approx",
}  # fmt: skip
ESCAPES = {
    "\\": r"\backslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"{\wedge}", "~": r"{\sim}", " ": r"\ ", "<": r"{\lt}", ">": r"{\gt}", "`": r"{\lq}", "|": r"{\vert}",
}  # fmt: skip
MARKS = str.maketrans("⁽⁾¹²³⁴⁵⁶⁷⁸⁹⁰", "()1234567890")


def escaped(text: str) -> str:
    """Cleaned text inside a group of LaTeX."""
    return "".join(ESCAPES.get(char) or (f"{COMMANDS[char]}{{}}" if char in COMMANDS else char) for char in text)


class _Latex(_Set):
    def letters(self, text: str) -> str:
        if len(text) == 1 and (text.isalpha() or text == "…"):
            return COMMANDS.get(text, text)
        return rf"\mathrm{{{escaped(text)}}}"

    def number(self, text: str) -> str:
        mantissa, _, power = text.replace("−", "-").partition("e")
        mantissa = mantissa.replace("∞", r"\infty").replace("nan", r"\mathrm{nan}")
        if self.comma:
            mantissa = mantissa.replace(".", "{,}")
        return rf"{mantissa} \times 10^{{{int(power)}}}" if power else mantissa

    def word(self, text: str) -> str:
        if text in FUNCTIONS or text == "top":
            return f"\\{text}"
        if text in COMMANDS or len(text) == 1:
            return COMMANDS.get(text, text)
        return rf"\operatorname{{{escaped(text)}}}"

    def code(self, text: str) -> str:
        return escaped(text) if text.replace(",", "").isdigit() or len(text) == 1 else rf"\mathrm{{{escaped(text)}}}"

    def sign(self, text: str) -> str:
        plain = text.strip()
        if text == "−":
            return "-"
        if plain in (",", ";"):
            return rf"{plain}\, "
        return rf" {COMMANDS.get(plain, plain)} " if plain else r"\, "

    def fenced(self, left: str, inner: str, right: str) -> str:
        return rf"\left{COMMANDS.get(left, left)} {inner} \right{COMMANDS.get(right, right)}"

    def over(self, a: Tree, b: Tree) -> str:
        return rf"\frac{{{self.write(a)}}}{{{self.write(b)}}}"

    def power(self, base: Tree, exponent: Tree) -> str:
        return f"{self.write(base, ATOM)}^{{{self.write(exponent)}}}"

    def sub(self, base: Tree, below: Tree) -> str:
        text = self.write(base, ATOM)
        text = f"{{{text}}}" if "_" in text else text  # TeX refuses a second subscript
        return f"{text}_{{{self.write(below)}}}"

    def transpose(self, x: Tree) -> str:
        return rf"{{{self.write(x, ATOM)}}}^{{\top}}"

    def root(self, x: Tree) -> str:
        return rf"\sqrt{{{self.write(x)}}}"

    def big(self, sign: Tree, x: Tree) -> str:
        return f"{self.write(sign)} {self.write(x, ATOM)}"

    def bar(self, x: Tree) -> str:
        return rf"\{'bar' if x.kind == 'name' else 'overline'}{{{self.write(x)}}}"

    def hat(self, x: Tree) -> str:
        return rf"\hat{{{self.write(x)}}}"

    def partial(self, y: Tree, x: Tree, mark: str) -> str:
        above = f"^{{{mark.translate(MARKS)}}}" if mark else ""
        return rf"\frac{{\partial {self.write(y, ATOM)}}}{{\partial {self.write(x, ATOM)}{above}}}"


def latex(x: Any, lang: str = "en") -> str:
    r"""A normal form, or the tree of a formula, as LaTeX; in Portuguese with a decimal comma.

    >>> from tinygrad_pt import ops
    >>> from tinygrad_pt.symbol import Symbol
    >>> from tinygrad_pt.viz.algebra import simplify
    >>> w, net = Symbol("w1", ()), Symbol("net", ())
    >>> print(latex(simplify(0.5 * ops.tanh(net) / (w + net))))
    \frac{\tanh\left( \mathrm{net} \right)}{2 \cdot \left( w_{1} + \mathrm{net} \right)}
    """
    return _Latex(lang).write(tree(x))


# ------------------------------------------------------------------------------------------ MathML
class _MathML(_Set):
    """Every piece is exactly one element, so that fractions and powers have the children they must have."""

    def letters(self, text: str) -> str:
        return f"<mi>{xml(text)}</mi>"

    def number(self, text: str) -> str:
        mantissa, _, power = text.partition("e")
        mantissa = f"<mn>{mantissa.replace('.', ',') if self.comma else mantissa}</mn>"
        if not power:
            return mantissa
        whole = str(int(power.replace("−", "-"))).replace("-", "−")
        return self.joined([mantissa, self.sign("×"), f"<msup><mn>10</mn><mn>{whole}</mn></msup>"])

    def word(self, text: str) -> str:
        return f"<mo>{xml(text)}</mo>" if text in "ΣΠ≠∂" else f"<mi>{xml({'top': 'T'}.get(text, text))}</mi>"

    def code(self, text: str) -> str:
        return f"<mn>{xml(text)}</mn>" if text.isdigit() else f"<mtext>{xml(text)}</mtext>"

    def sign(self, text: str) -> str:
        plain = text.strip()
        if plain in (",", ";"):
            return f'<mo separator="true">{plain}</mo>'
        form = ' form="prefix"' if text == "−" else ' form="infix"' if plain in "+−" and plain else ""
        return f"<mo{form}>{xml(plain)}</mo>" if plain else '<mspace width="0.17em"></mspace>'

    def joined(self, pieces: list[str]) -> str:
        return pieces[0] if len(pieces) == 1 else f"<mrow>{''.join(pieces)}</mrow>"

    def fenced(self, left: str, inner: str, right: str) -> str:
        opening, closing = (f'<mo form="{f}">{c}</mo>' for f, c in (("prefix", left), ("postfix", right)))
        return self.joined([opening, inner, closing])

    def over(self, a: Tree, b: Tree) -> str:
        return f"<mfrac>{self.write(a)}{self.write(b)}</mfrac>"

    def power(self, base: Tree, exponent: Tree) -> str:
        return f"<msup>{self.write(base, ATOM)}{self.write(exponent)}</msup>"

    def sub(self, base: Tree, below: Tree) -> str:
        return f"<msub>{self.write(base, ATOM)}{self.write(below)}</msub>"

    def transpose(self, x: Tree) -> str:
        return f"<msup>{self.write(x, ATOM)}<mi>T</mi></msup>"

    def root(self, x: Tree) -> str:
        return f"<msqrt>{self.write(x)}</msqrt>"

    def big(self, sign: Tree, x: Tree) -> str:
        return self.joined([self.write(sign), self.write(x, ATOM)])

    def bar(self, x: Tree) -> str:
        return f"<mover>{self.write(x)}<mo>¯</mo></mover>"

    def hat(self, x: Tree) -> str:
        return f"<mover>{self.write(x)}<mo>^</mo></mover>"

    def partial(self, y: Tree, x: Tree, mark: str) -> str:
        below = self.write(x, ATOM)
        if mark:
            below = f"<msup>{below}<mtext>{mark.translate(MARKS)}</mtext></msup>"
        above = self.joined([self.word("∂"), self.write(y, ATOM)])
        return f"<mfrac>{above}{self.joined([self.word('∂'), below])}</mfrac>"


def mathml(x: Any, lang: str = "en") -> str:
    """A normal form, or the tree of a formula, as one element of MathML, to stand inside `<math>`.

    >>> from tinygrad_pt.symbol import Symbol
    >>> from tinygrad_pt.viz.algebra import simplify
    >>> print(mathml(simplify(Symbol("w1", ()) / Symbol("x", ()))))
    <mfrac><msub><mi>w</mi><mn>1</mn></msub><mi>x</mi></mfrac>
    """
    return _MathML(lang).write(tree(x))
