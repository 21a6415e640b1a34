"""`read` writes a rule as mathematics, one line of Unicode such as `∂o/∂net = o·(1 − o)`.

The expression is first simplified (`algebra`), then written, with parentheses where a part binds less tightly
than its place asks. `[P]` is 1 where P holds, else 0 (Iverson's bracket), and `ḡ` the gradient that arrives.
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

# How tightly a text binds: a part that binds less than its place asks stands in parentheses.
ANY, SUM, PRODUCT, MATRIX, POWER, ATOM = range(6)

NAME = re.compile(r"[^\W\d][\w.′’]*(\[[\w.]*\])*|ḡ[₀-₉]*")
SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
KNOWN = {0.6931471805599453: "ln(2)", 2.302585092994046: "ln(10)"}


# ------------------------------------------------------------------------------------------ words and signs
WORDS = {
    "cdot": "·", "sigma": "σ", "sum": "Σ", "prod": "Π", "leq": "≤", "geq": "≥", "neq": "≠", "sqrt": "√",
    "land": "∧", "lor": "∨", "lnot": "¬", "oplus": "⊕", "lfloor": "⌊", "rfloor": "⌋", "lceil": "⌈",
    "rceil": "⌉", "left": "", "right": "", "operatorname": "", "mathrm": "", "overline": "", "textstyle": "",
    "bmod": "mod", "Phi": "Φ", "|": "‖", ",": " ",
}  # fmt: skip
TEMPLATES = {  # where the notation says less than a picture needs
    "mean": "mean(a)", "amax": "max(a)", "amin": "min(a)", "product_of_others": "Π≠ᵢ a", "clamp": "clamp(a, low, high)",
    "permute": "permute(a)", "flip": "flip(a)", "pad": "pad(a)", "crop": "crop(a)", "pick_class": "a[b]",
    "unpick_class": "put(a)", "log2": "log₂(a)", "log10": "log₁₀(a)", "secant": "1/√(1 + a²)", "agnesi": "1/(1 + a²)",
    "inversion": "a/(a² + b²)", "cosine": "a/√(a² + b²)", "hypot": "√(a² + b²)", "gauss": "e^(−c·a²)",
    "softsign": "a/(1 + |a|)", "one_minus_square": "1 − a²", "lerp": "a + c·(b − a)",
}  # fmt: skip
SIGNS = {
    "mul": "×", "add": "+", "sub": "−", "div": "÷", "neg": "−", "mm": "@", "bmm": "@", "mv": "@", "dot": "@",
    "sum": "Σ", "sum_to": "Σ", "sum_rows": "Σ", "prod": "Π", "amax": "max", "amin": "min", "norm": "‖ ‖",
    "abs": "| |", "sigmoid": "σ", "square": "( )²", "pow": "( )^", "reciprocal": "1/( )", "sqrt": "√",
    "log": "ln", "t": "ᵀ", "transpose": "ᵀ", "getitem": "[ ]", "narrow": "[ ]", "select": "[ ]",
}  # fmt: skip


@cache
def template(op: Op) -> str:
    r"""How an op is written: its LaTeX notation as plain Unicode with the placeholders a, b, c.

    >>> from tinygrad_pt import ops
    >>> [template(f.op) for f in (ops.tanh, ops.exp, ops.maximum, ops.mm, ops.t, ops.abs)]
    ['tanh(a)', 'e^a', 'max(a, b)', 'a b', 'aᵀ', '|a|']
    """
    if op.name in TEMPLATES:
        return TEMPLATES[op.name]
    text = op.notation.replace(r"^{\top}", "ᵀ").replace("^{2}", "²").replace("-", "−")
    text = re.sub(r"\\([a-zA-Z]+|[|,])", lambda m: WORDS.get(m.group(1), m.group(1)), text)
    text = re.sub(r"\s+", " ", text.translate({ord("{"): None, ord("}"): None})).strip()
    text = re.sub(r"(?<=[⌊⌈¬√]) | (?=[⌋⌉])", "", text)
    return re.sub(r"^([^\W\d_]{2,}) a$", r"\1(a)", text)


def op_sign(op: Op, attrs: Any = None) -> str:
    """What a card calls an op: the sign of its notation, or its name.

    >>> from tinygrad_pt import ops
    >>> op_sign(ops.mul.op), op_sign(ops.tanh.op), op_sign(ops.mm.op), op_sign(ops.power.op, {"n": 3})
    ('×', 'tanh', '@', '( )³')
    """
    if op.name == "power":
        return f"( ){exponent((attrs or {}).get('n', 'n'))}"
    return SIGNS.get(op.name) or op.name.rpartition(".")[2].removesuffix("_loss")


def exact(x: Any) -> str:
    """A number, as short as it is exact to six digits.

    >>> exact(0.5), exact(-3.0), exact(0.6931471805599453)
    ('0.5', '−3', 'ln(2)')
    """
    x = np.asarray(x)
    if x.dtype.kind == "b":
        return str(int(x.item()))
    return KNOWN.get(x.item()) or f"{x.item():.6g}".replace("inf", "∞").replace("-", "−")


def exponent(n: Any) -> str:
    """What stands above a base."""
    if isinstance(n, str) or not float(n).is_integer():
        text = n if isinstance(n, str) else exact(n)
        return f"^({text})" if text.startswith("−") else f"^{text}"
    return "" if n == 1 else ("⁻" if n < 0 else "") + str(abs(int(n))).translate(SUPERSCRIPT)


# ------------------------------------------------------------------------------------------ writing
def render(x: Any, place: int = ANY) -> str:
    """A normal form as text, in parentheses where it binds less tightly than its place asks."""
    if isinstance(x, Product) or plain(x):
        text, level = _product(product(x))
    elif x.op is None:
        text, level = x.name, ATOM if NAME.fullmatch(x.name) else ANY
    else:
        text, level = _applied(x)
    return f"({text})" if level < place else text


def _product(p: Product) -> tuple[str, int]:
    value = abs(p.number)
    above, below = [exact(value)], []
    if len(above[0]) > 6 and value not in KNOWN:
        ratio = Fraction(value).limit_denominator(1000) if np.isfinite(value) else Fraction(0)
        if ratio and abs(float(ratio) / value - 1) < 1e-14:
            above, below = [str(ratio.numerator)], [str(ratio.denominator)] if ratio.denominator > 1 else []
    elif value not in (0, 1) and (1 / value).is_integer() and any(n < 0 for _, n in p.powers):
        above, below = ["1"], [exact(1 / value)]
    if above == ["1"] and any(n > 0 for _, n in p.powers):
        above = []
    powers = sorted(p.powers, key=lambda power: condition(power[0]))
    for base, n in powers:
        last = n == 1 and base is powers[-1][0] and not below
        loose = last and (is_op(base, "sum", "sum_to", "sum_rows", "product_of_others") or len(powers) == 1)
        place = PRODUCT if loose else POWER if abs(n) == 1 else ATOM
        (above if n > 0 else below).append(render(base, place) + exponent(abs(n)))
    text = "·".join(above)
    if below:
        text += "/" + (below[0] if len(below) == 1 else f"({'·'.join(below)})")
    level = PRODUCT if below or len(above) > 1 else ATOM if not p.powers and "e" not in text else POWER
    return ("−" + text, SUM) if p.number < 0 else (text, level)


def _applied(x: Symbol) -> tuple[str, int]:
    assert x.op is not None
    name, args = x.op.name, x.args
    if name in ("add", "sub"):
        left, right = render(args[0], SUM), render(args[1], SUM if name == "add" else PRODUCT)
        minus = name == "sub" or right.startswith("−")
        return f"{left} {'−' if minus else '+'} {right.removeprefix('−')}", SUM
    if condition(x):
        return f"[{_truth(x)}]", ATOM
    if name in ("cat", "stack"):
        parts = [render(a) for a in args]
        if len(parts) > 4:
            zeros = ("…" if part == "0" else part for part in parts)
            parts = [part for part, _ in groupby(zeros)]
        return f"[{', '.join(parts)}]", ATOM
    if name in ("narrow", "select"):
        at, k = x.attrs.get("start", 0), x.attrs.get("index")
        place = f"{at}:{at + x.attrs['length']}" if k is None else str(k)
        return f"{render(args[0], ATOM)}[{':, ' * x.attrs['axis']}{place}]", ATOM
    if name == "einsum":
        terms = f"{', '.join(x.attrs['terms'])} → {x.attrs['out']}"
        return f"einsum({terms}; {', '.join(map(render, args))})", ATOM
    if name == "permute" and x.attrs["axes"] == (1, 0):
        return _filled("aᵀ", x)
    if x.op.variadic or not x.op.notation:
        return f"{op_sign(x.op)}({', '.join(render(a) for a in args if a is not None)})", ATOM
    text = template(x.op)
    return _filled(f"{name}(a)" if text == "a" else text, x)


def _truth(x: Any) -> str:
    """A condition without its brackets."""
    if is_op(x, "where"):
        return render(x.args[0])
    if is_op(x, "logical_and") and [a.op.name for a in x.args if is_op(a, *ORDER)] == ["ge", "le"]:
        (a, low), (b, high) = (c.args for c in x.args)
        if a is b:
            return f"{render(low, SUM)} ≤ {render(a, SUM)} ≤ {render(high, SUM)}"
    if is_op(x, "logical_and", "logical_or"):
        sign = " ∧ " if x.op.name == "logical_and" else " ∨ "
        return sign.join(_truth(a) if condition(a) else render(a) for a in x.args)
    return render(x.args[0], SUM) + template(x.op)[1:-1] + render(x.args[1], SUM)


PLACE = re.compile(r"(?<![A-Za-z0-9_.])(a|b|c|low|high)(?![A-Za-z0-9_(])")


def _filled(text: str, x: Symbol) -> tuple[str, int]:
    """A template with its arguments in place, and how tightly it binds."""
    values = dict(zip("abc", x.args, strict=False)) | x.attrs

    def fill(m: re.Match[str]) -> str:
        value = values.get(m.group(1))
        if value is None:
            return ""
        if text[0] == "√" and getattr(value, "op", None) is not None:
            return f"({render(value)})"
        inner = render(value, _asked(text[: m.start()], text[m.end() :]))
        return f"({inner})" if text[0] in "|‖" and set(inner) & set("|‖") else inner  # bars do not nest

    full = re.sub(r"(?<=[ΣΠᵢ]) \(", "(", PLACE.sub(fill, text))
    full = full.replace("(, ", "(−∞, ").replace(", )", ", ∞)") if "low" in text else full.replace("+ −", "− ")
    open_ = re.sub(r"\([^()]*\)|⌊[^⌋]*⌋|⌈[^⌉]*⌉|\|[^|]*\||‖[^‖]*‖|\[[^]]*\]", "", text)
    for signs, level in ((" [+−] |^−", SUM), ("[·/]|[ΣΠ] ", PRODUCT), (" ", MATRIX), (r"[\^ᵀ²√]", POWER)):
        if re.search(signs, open_):
            return full, POWER if level == PRODUCT and full.endswith(")") else level
    return full, ATOM


def _asked(before: str, after: str) -> int:
    """How tightly what stands between two pieces of a template must bind."""
    if re.search(r"[\^√] ?$|[ΣΠᵢ] $", before) or re.match(r"[ᵀ²^\[]", after):
        return ATOM
    if re.match(r" [abc]", after) or re.search(r"[abcᵀ] $", before):
        return MATRIX
    if re.search(r"[·/] ?$", before) or re.match(r" ?[·/]", after):
        return POWER
    if before.endswith("− "):
        return PRODUCT
    return SUM if before.endswith("+ ") or re.match(r" [+−]", after) else ANY


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
