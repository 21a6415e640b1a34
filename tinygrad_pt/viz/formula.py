"""Rules read as mathematics: a `Symbol` as one line of Unicode, such as `∂o/∂net = o·(1 − o)`."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from tinygrad_pt.graph import OPS, Op, Symbol

SIGNS = {
    r"\cdot": "·", r"\sigma": "σ", r"\sum": "Σ", r"\prod": "Π", r"\leq": "≤", r"\geq": "≥", r"\neq": "≠", r"\land": "∧",
    r"\lor": "∨", r"\lnot": "¬", r"\oplus": "⊕", r"\lfloor": "⌊", r"\rfloor": "⌋", r"\lceil": "⌈", r"\rceil": "⌉",
    r"\left|": "|", r"\right|": "|", r"\left\|": "‖", r"\right\|": "‖", r"\,": " ", r"\bmod": "mod", r"\textstyle": "",
    r"^{\top}": "ᵀ", r"^{\pi}": "ᵖ", "^{2}": "²", " - ": " − ", "-": "−",
}  # fmt: skip
WORD = re.compile(r"\\(?:operatorname|mathrm)\{(\w+)\}|\\([a-zA-Z]+)")
FRACTION = re.compile(r"\\frac\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}")
PLACE = re.compile(r"(?<![A-Za-z0-9_.])([abcnk])(?![A-Za-z0-9_])")
OPENING, CLOSING = "([⌊⌈{", ")]⌋⌉}"
BARE = ("reshape", "unsqueeze", "squeeze", "expand", "cast", "clone")  # change no value
SUPERSCRIPT = str.maketrans("0123456789-−.", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁻·")

# How tightly a template binds: what stands inside something tighter needs parentheses.
SUM, PRODUCT, PREFIX, POWER, ATOM = 1, 2, 3, 4, 5


def unicode(notation: str) -> str:
    r"""An op's notation, LaTeX, as plain Unicode with its placeholders a, b, c.

    >>> unicode(r"a \cdot b"), unicode(r"\frac{a}{b}"), unicode(r"{a}^{\top}"), unicode(r"\tanh a")
    ('a · b', 'a / b', 'aᵀ', 'tanh a')
    """
    text = FRACTION.sub(r"\1 / \2", notation)
    text = text.replace(r"\sqrt{a}", "√a")
    for sign in sorted(SIGNS, key=len, reverse=True):
        text = re.sub(re.escape(sign) + (r"(?![a-zA-Z])" if sign[-1].isalpha() else ""), SIGNS[sign], text)
    text = WORD.sub(lambda m: m.group(1) or m.group(2), text)
    text = re.sub(r"\{(\w)\}(?=[ᵀᵖ])", r"\1", text)
    return re.sub(r"\s+", " ", text).strip()


def binding(text: str) -> int:
    """How tightly a template holds its arguments: by the loosest sign outside all brackets.

    >>> binding("a + b"), binding("a · b"), binding("tanh a"), binding("aᵀ"), binding("σ(a)")
    (1, 2, 3, 4, 5)
    """
    depth, outside, bar = 0, "", False
    for c in text:
        if c in OPENING:
            depth += 1
        elif c in CLOSING:
            depth -= 1
        elif c in "|‖":
            bar = not bar
        elif depth == 0 and not bar:
            outside += c
    if re.search(r" [+−=<>≤≥≠∧∨⊕] |^−|¬", outside):
        return SUM
    if re.search(r" [·/] | mod ", outside) or re.fullmatch(r"[abc] [abc]ᵀ?", outside):
        return PRODUCT
    if re.search(r"^(?:[a-z]+\d*|Σ|Π|1 / n Σ) ", outside) or outside.startswith("√"):
        return PREFIX
    return POWER if re.search(r"[ᵀᵖ²^]", outside) else ATOM


def op_sign(op: Op) -> str:
    """What a drawing calls an op: the sign of its notation, or its name.

    >>> from tinygrad_pt import ops
    >>> op_sign(ops.mul.op), op_sign(ops.tanh.op), op_sign(ops.sum.op), op_sign(ops.mm.op), op_sign(ops.sigmoid.op)
    ('×', 'tanh', 'Σ', '@', 'σ')
    """
    special = {"mul": "×", "add": "+", "sub": "−", "div": "÷", "neg": "−", "mm": "@", "bmm": "@", "mv": "@", "dot": "@",
               "sum": "Σ", "mean": "mean", "prod": "Π", "sigmoid": "σ", "square": "( )²", "exp": "exp", "sqrt": "√",
               "log": "ln", "abs": "| |", "t": "ᵀ", "transpose": "ᵀ", "linear": "linear"}  # fmt: skip
    return special.get(op.name, op.name.rpartition(".")[2])


def number(x: Any) -> str:
    """A number as short as it is exact to six digits."""
    x = np.asarray(x)
    if x.size != 1:
        return "[…]"
    return f"{x.item():.6g}".replace("-", "−") if x.dtype.kind != "b" else str(bool(x.item()))


def is_number(x: Any, value: float | None = None) -> bool:
    if isinstance(x, Symbol):
        return x.op is None and x.name == "1" and value in (None, 1)
    return np.ndim(x) == 0 and np.asarray(x).dtype.kind in "biuf" and (value is None or x == value)


def simplify(x: Any) -> Any:
    """The same mathematics with 1·x, x/1, x + 0, −(−x), x·x and where-chains of one branch written shorter."""
    if not isinstance(x, Symbol) or x.op is None:
        return x
    args = tuple(simplify(a) for a in x.args)
    name = x.op.name
    if name in BARE or (name == "sum_to" and np.shape(x.args[0]) == x.attrs["shape"]):
        return args[0]
    if name == "zero":
        return 0.0
    if name in ("add", "sub", "mul", "div"):
        return _arithmetic(x, name, *args)
    if name == "neg":
        (a,) = args
        if isinstance(a, Symbol) and a.op is not None and a.op.name == "neg":
            return a.args[0]
        if is_number(a):
            return -1 if isinstance(a, Symbol) else -a
    if name == "power" and x.attrs["n"] == 1:
        return args[0]
    return Symbol(op=x.op, args=args, attrs=x.attrs)


def _arithmetic(x: Symbol, name: str, a: Any, b: Any) -> Any:
    if name == "mul":
        if is_number(a, 1):
            return b
        if is_number(b, 1):
            return a
        if is_number(a, 0) or is_number(b, 0):
            return 0.0
        if is_number(b) and not is_number(a):
            a, b = b, a
        if _is(b, "mul") and is_number(b.args[0]):
            return _arithmetic(x, "mul", b.args[0], _arithmetic(x, "mul", a, b.args[1]))
        if isinstance(a, Symbol) and a is b and a.op is None:
            return Symbol(op=_op("square"), args=(a,))
        if _is(a, "neg"):
            return simplify(Symbol(op=_op("neg"), args=(_arithmetic(x, "mul", a.args[0], b),)))
        if _is(b, "neg"):
            return simplify(Symbol(op=_op("neg"), args=(_arithmetic(x, "mul", a, b.args[0]),)))
    if name == "div" and is_number(b, 1):
        return a
    if name == "add" and is_number(a, 0):
        return b
    if name in ("add", "sub") and is_number(b, 0):
        return a
    if all(not isinstance(v, Symbol) and np.ndim(v) == 0 for v in (a, b)):
        with np.errstate(all="ignore"):
            return _op(name).forward(np.float64(a), np.float64(b))
    return Symbol(op=_op(name), args=(a, b), attrs=x.attrs)


def _is(x: Any, name: str) -> bool:
    return isinstance(x, Symbol) and x.op is not None and x.op.name == name


def _op(name: str) -> Op:
    return OPS[name]


def render(x: Any, outer: int = 0) -> str:
    """A simplified symbol as text, in parentheses where it binds less tightly than `outer` asks."""
    if not isinstance(x, Symbol):
        text = "[…]" if np.ndim(x) else number(x)
        return f"({text})" if outer > SUM and text.startswith("−") else text
    if x.op is None:
        return x.name
    text, level = _applied(x)
    return f"({text})" if level < outer else text


def _applied(x: Symbol) -> tuple[str, int]:
    op = x.op
    assert op is not None
    if op.name == "where":
        c, a, b = x.args
        return f"{render(a, PRODUCT)} if {render(c).removeprefix('[').removesuffix(']')} else {render(b)}", 0
    if op.domain == "compare":
        a, b = x.args
        return f"[{render(a)}{unicode(op.notation)[1:-1]}{render(b)}]", ATOM
    if op.name == "permute" and x.attrs["axes"] == (1, 0):
        return f"{render(x.args[0], ATOM)}ᵀ", POWER
    if op.name == "power":
        n = x.attrs["n"]
        text = number(n)
        return render(x.args[0], ATOM) + (text.translate(SUPERSCRIPT) if "e" not in text else f"^({text})"), POWER
    if op.name == "div":
        a, b = x.args
        return f"{render(a, PRODUCT)}/{render(b, PREFIX)}", PRODUCT
    if op.variadic or not op.notation:
        return f"{op_sign(op)}({', '.join(render(a) for a in x.args)})", ATOM
    template = unicode(op.notation)
    level = binding(template)
    values = dict(zip("abc", x.args, strict=False))
    parts, last = [], 0
    for m in PLACE.finditer(template):
        key = m.group(1)
        before = template[:m.start()]
        inside = sum(before.count(c) for c in OPENING) > sum(before.count(c) for c in CLOSING) or before.count("|") % 2
        if key in values:
            tight = 0 if inside else level
            if level in (PREFIX, POWER):
                tight = 0 if inside else ATOM
            elif key != "a" and not inside and re.search(r"[−/] $", before):
                tight = level + 1
            shown = render(values[key], tight)
        else:
            shown = number(x.attrs[key]) if key in x.attrs else key
        parts += [template[last : m.start()], shown]
        last = m.end()
    text = "".join(parts) + template[last:]
    return text.replace(" · ", "·"), level


def read(rule: Any, g: Symbol, y: Symbol, args: tuple[Any, ...], attrs: dict[str, Any], shape: tuple[int, ...]) -> str:
    """A rule, read to symbols and written in one line; "" where it cannot be read.

    `shape` is the argument's own: where broadcasting has stretched it, the engine sums the gradient over the copies.
    """
    try:
        found = rule(g, y, *args, **attrs)
        if isinstance(found, Symbol) and found.shape != shape:
            found = Symbol(op=_op("sum_to"), args=(found,), attrs={"shape": shape})
        return render(simplify(found))
    except (TypeError, AttributeError, ValueError, IndexError, RuntimeError):
        return ""  # a user's own Function is code, not mathematics
