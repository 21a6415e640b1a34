"""The normal form of an expression: numbers folded, like powers gathered, conditions as factors 1 or 0."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np

from tinygrad_pt.graph import OPS
from tinygrad_pt.symbol import Symbol

UNIT = Symbol("1")  # what flows into a scalar when its local derivative is asked for

KEEP = {"reshape", "unsqueeze", "squeeze", "expand", "cast", "clone"}  # change no value
# One element alone is its own sum, maximum, product, …
GATHER = {"sum", "sum_to", "sum_rows", "mean", "amax", "amin", "prod", "logsumexp"}
MOVE = GATHER | {
    "permute", "transpose", "t", "flip", "pad", "crop", "narrow", "select", "getitem",
    "scatter_add", "cumsum",
}  # fmt: skip


# ----------------------------------------------------------------------------------------- products of powers
@dataclass(frozen=True)
class Product:
    """number · baseᵖ · base'ᵖ' · …, with numbers for exponents."""

    number: float
    powers: tuple[tuple[Any, float], ...] = ()


def plain(x: Any) -> bool:
    """Whether x is a number."""
    return not isinstance(x, (Symbol, Product)) and np.ndim(x) == 0


def product(x: Any) -> Product:
    if isinstance(x, Product):
        return x
    return Product(float(x)) if plain(x) else Product(1.0, ((x, 1.0),))


def lean(p: Product) -> Any:
    """A product that is only a number, or only one thing, as that."""
    if not p.powers or p.number == 0:
        return p.number
    return p.powers[0][0] if p.number == 1 and len(p.powers) == 1 and p.powers[0][1] == 1 else p


def times(a: Any, b: Any, power: float = 1.0) -> Any:
    """a · bᵖ, where like powers meet: y·y = y², [a ≥ b]·[a ≠ b] = [a > b]; but a/a stays, for a may be 0."""
    a, b = product(a), product(b)
    with np.errstate(all="ignore"):
        value = float(np.float64(a.number) * np.float64(b.number) ** power)
    powers = list(a.powers)
    for base, n in b.powers:
        n *= power
        for i, (other, m) in enumerate(powers):
            both = meet(other, base) if n == m == 1 else None
            if both is not None:
                powers[i] = (both, 1.0)
                break
            if other is base and n * m > 0:
                powers[i] = (base, m + n)
                break
        else:
            powers.append((base, n))
    return lean(Product(value, tuple(powers)))


def negative(x: Any) -> Any:
    return times(-1.0, x)


def applied(name: str, *args: Any, **attrs: Any) -> Symbol:
    """An op applied to normal forms; its shape no longer matters."""
    return Symbol(shape=(), op=OPS[name], args=args, attrs=attrs)


def is_op(x: Any, *names: str) -> bool:
    return isinstance(x, Symbol) and x.op is not None and x.op.name in names


# ----------------------------------------------------------------- conditions: [P] is 1 where P holds, else 0
ORDER = {"lt": "<", "le": "<=", "eq": "=", "ne": "<>", "ge": "=>", "gt": ">"}  # which of < = > the op allows
NAMED = {frozenset(signs): name for name, signs in ORDER.items()}
MIRROR = str.maketrans("<>", "><")


def compared(signs: str, a: Any, b: Any) -> Any:
    """The comparison of a and b that allows these signs; a number stands on the right."""
    if plain(a):
        return compared(signs.translate(MIRROR), b, a)
    return applied(NAMED[frozenset(signs)], a, b)


def meet(p: Any, q: Any) -> Any:
    """Two comparisons of the same things as one; None where they are not that."""
    if not (is_op(p, *ORDER) and is_op(q, *ORDER)):
        return None
    signs = ORDER[q.op.name]
    if p.args[0] is q.args[1] and p.args[1] is q.args[0]:
        signs = signs.translate(MIRROR)
    elif not all(x is y or (plain(x) and plain(y) and x == y) for x, y in zip(p.args, q.args, strict=True)):
        return None
    left = frozenset(signs) & frozenset(ORDER[p.op.name])
    return compared("".join(left), *p.args) if left else None


def condition(x: Any) -> bool:
    """Whether x is written in brackets, and is 1 or 0."""
    return is_op(x, *ORDER, "logical_and", "logical_or") or (is_op(x, "where") and len(x.args) == 1)


def negated(c: Any) -> Any:
    """¬c, carried inwards."""
    if plain(c):
        return not c
    if is_op(c, *ORDER):
        return compared("".join(frozenset("<=>") - frozenset(ORDER[c.op.name])), *c.args)
    if is_op(c, "logical_and", "logical_or"):
        return applied("logical_or" if c.op.name == "logical_and" else "logical_and", *map(negated, c.args))
    return c.args[0] if is_op(c, "logical_not") else applied("logical_not", c)


def gated(x: Any, c: Any) -> Any:
    """x·[c]; cases keep each their own condition."""
    if is_op(x, "add") and x.attrs.get("cases"):
        return cases(*(gated(part, c) for part in x.args))
    return times(x, c if condition(c) else applied("where", c))


def cases(a: Any, b: Any) -> Any:
    if plain(a) and a == 0:
        return b
    return a if plain(b) and b == 0 else applied("add", a, b, cases=True)


# ------------------------------------------------------------------------------------------ simplifying
def simplify(x: Any) -> Any:
    """The normal form of a symbol: numbers folded, 0 and 1 gone, what changes no value left out."""
    if x is UNIT:
        return 1.0
    if not isinstance(x, Symbol):
        return x if np.ndim(x) == 0 else Symbol("mask" if np.asarray(x).dtype == bool else "…")
    if x.op is None:
        return x
    name = x.op.name
    if name in KEEP or (name in MOVE and still(x)):
        return simplify(x.args[0])
    args = [simplify(a) for a in x.args]
    if name == "same":
        return compared("=", *args)
    if name in ORDER:
        return bool(x.op.forward(*args)) if all(map(plain, args)) else compared(ORDER[name], *args)
    if name in ("logical_and", "logical_or") and any(map(plain, args)):
        decided, other = args if plain(args[0]) else reversed(args)
        return other if bool(decided) == (name == "logical_and") else bool(decided)
    if name == "where":
        c, a, b = args
        return (a if c else b) if plain(c) else cases(gated(b, negated(c)), gated(a, c))
    found = arithmetic(name, x.attrs, *args)
    return Symbol(shape=(), op=x.op, args=tuple(args), attrs=x.attrs) if found is None else found


def still(x: Symbol) -> bool:
    """Whether a gathering or moving op has nothing to gather or to move."""
    shape = np.shape(x.args[0])
    alone = x.shape == shape and x.op is not None and x.op.name in GATHER
    return alone or (np.prod(shape) == 1 and np.prod(x.shape) == 1)


def arithmetic(name: str, attrs: dict[str, Any], a: Any = None, b: Any = None, *more: Any) -> Any:
    """The normal form of the ops that products and sums are made of; None for all others."""
    if name in ("add", "sub"):
        return added(a, b if name == "add" else negative(b))
    if name == "mul":
        return times(a, b)
    if name == "div":
        return divided(a, b)
    if name == "neg":
        return negative(a)
    if name in ("reciprocal", "rsqrt"):
        return times(1.0, a if name == "reciprocal" else applied("sqrt", a), -1.0)
    if name in SQUARES:
        return SQUARES[name](a, b)
    if name == "gauss":
        return applied("exp", times(-attrs["c"], raised(a, 2)))
    if name in ("square", "power") or (name == "pow" and plain(b)):
        return raised(a, 2 if name == "square" else attrs.get("n", b))
    if name in ("sum", "sum_to", "sum_rows") and isinstance(a, Product) and a.number != 1:
        return times(a.number, applied(name, lean(Product(1.0, a.powers))))
    return 0.0 if name == "zero" else None


def divided(a: Any, b: Any) -> Any:
    """a/b; where b is infinite in one of two cases, a·[the other case]/b."""
    for infinite, other in permutations(b.args) if is_op(b, "add") and b.attrs.get("cases") else ():
        if product(infinite).number == math.inf and isinstance(other, Product):
            for base, n in other.powers:
                a = times(a, base, n if condition(base) else -n)
            return times(a, other.number, -1.0)
    return times(a, b, -1.0)


def added(a: Any, b: Any) -> Any:
    if plain(a) and plain(b):
        return float(a) + float(b)
    if plain(b) and b == 0:
        return a
    if plain(a) and a == 0:
        return b
    p, q = product(a), product(b)
    if p.powers and alike(p.powers, q.powers):
        return lean(Product(p.number + q.number, p.powers))
    if q.number < 0:
        return applied("sub", a, negative(b))
    return applied("add", a, b)


def alike(p: tuple[tuple[Any, float], ...], q: tuple[tuple[Any, float], ...]) -> bool:
    """Whether two products have the same powers, in the same order."""
    return len(p) == len(q) and all(a is b and m == n for (a, m), (b, n) in zip(p, q, strict=True))


def _over(a: Any, square: Any, root: bool) -> Any:
    """a over a sum of squares, or over its root."""
    return times(a, applied("sqrt", square) if root else square, -1.0)


# Ops for numbers that must not overflow or cancel, as what they are.
SQUARES: dict[str, Any] = {
    "one_minus_square": lambda a, b: added(1.0, negative(raised(a, 2))),
    "secant": lambda a, b: _over(1.0, added(1.0, raised(a, 2)), root=True),
    "agnesi": lambda a, b: _over(1.0, added(1.0, raised(a, 2)), root=False),
    "cosine": lambda a, b: _over(a, added(raised(a, 2), raised(b, 2)), root=True),
    "inversion": lambda a, b: _over(a, added(raised(a, 2), raised(b, 2)), root=False),
}


def raised(a: Any, n: float) -> Any:
    if n == 0:
        return 1.0
    whole = float(n).is_integer() or not isinstance(a, Product)
    return times(1.0, a, float(n)) if whole else Product(1.0, ((a, float(n)),))
