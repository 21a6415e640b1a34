"""A `Spot` says which op made a nan or an inf, at which element, of which arguments, and what to write instead."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinygrad_pt.debugging.trace import line_of
from tinygrad_pt.errors import describe, label, told
from tinygrad_pt.graph import SAVED, Constant, Leaf, Node, Op, Tensor, made_by
from tinygrad_pt.lines import Line

LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Spot:
    """One application of an op that made nan or inf of arguments which had none (or, for nan, only inf).

    Attributes:
        what: "nan" or "inf".
        op: the op, with its arguments' dtypes and shapes in `call`.
        module: the path of the module being called, or "".
        line: the line that applied the op, if somebody traced.
        index: the first such element, of the result (of the gradient, where `backward`).
        count: how many elements there are.
        values: at that element: `a, b, …` of the arguments, `y` of the result, `g` of the gradient that arrived.
        mend: what to write instead.
        before: where an inf among the arguments came from.
    """

    what: str
    op: str
    call: str
    module: str
    line: Line | None
    index: tuple[int, ...]
    count: int
    values: dict[str, float]
    mend: str
    backward: bool = False
    before: Spot | None = None
    shape: tuple[int, ...] = field(default=(), repr=False)

    def facts(self) -> dict[str, object]:
        """Name and text of each thing known, as they stand in a message."""
        there = ", ".join(f"{name} = {value:.6g}" for name, value in self.values.items())
        return {"op": self.call, "module": self.module, "line": self.line,
                "element": place(self.index, self.shape, self.count), "there": there}  # fmt: skip

    def __str__(self) -> str:
        rule = "the derivative of " if self.backward else ""
        text = told(f"{self.what} came into being in {rule}{self.op}", {**self.facts(), "mend": self.mend})
        return text if self.before is None else f"{text}\n  {label('the inf before it')}: " + indented(self.before)


def indented(what: object, by: str = "  ") -> str:
    """The text of something, as part of a longer one."""
    return str(what).replace("\n", f"\n{by}")


def place(index: tuple[int, ...], shape: tuple[int, ...], count: int) -> str:
    """Which element, and how many there are."""
    if not index:
        return "the number itself"
    size = int(np.prod(shape))
    return f"{list(index)}, {'the only one' if count == 1 else f'the first of {count}'} of {size}"


def given(nodes: Sequence[Node]) -> str:
    """Which tensor that a graph was given, rather than computed, holds nan; "" if none is known to."""
    for node in reversed(nodes):  # the oldest last
        for slot, p in enumerate(node.parents):
            if not isinstance(p, (Leaf, Constant)):
                continue
            t = p.handle()
            x = p.value if isinstance(p, Leaf) else None if t is None else t.array
            if x is None or not bad(x, "nan").any():
                continue
            name, line = getattr(t, "name", None) or describe(p), line_of(node)
            return f"{name}, argument {slot} of {node.op.name}, holds nan itself" + (f" ({line})" if line else "")
    return ""


def array_of(x: Any) -> Any:
    """What arrives at a vertex, as an array; a list of them for an op of several results."""
    return x if isinstance(x, list) else x.array if isinstance(x, Tensor) else np.asarray(x)


def first_of(mask: np.ndarray) -> tuple[tuple[int, ...], int]:
    """The index of the first element of a mask, and how many there are."""
    return tuple(int(i) for i in np.argwhere(mask)[0]), int(np.count_nonzero(mask))


def bad(x: Any, what: str) -> np.ndarray:
    """Which elements of an array or number are nan, or inf."""
    x = np.asarray(x)
    if x.dtype.kind not in "fc":
        return np.zeros(x.shape, bool)
    return np.isnan(x) if what == "nan" else np.isinf(x)


def born(op: Op, xs: Sequence[Any], y: Any, what: str) -> np.ndarray:
    """Which elements of y = op(*xs) are nan (inf) though the arguments they are made of are not."""
    mask = bad(y, what)
    if not mask.any():
        return mask
    for slot, x in enumerate(xs):
        if x is None or own(op, slot):
            continue
        theirs = bad(x, what) if what == "nan" else bad(x, "inf") | bad(x, "nan")
        if op.elementwise and _broadcasts(theirs.shape, mask.shape):
            mask = mask & ~theirs
        elif theirs.any():
            return np.zeros_like(mask)
    return mask


def own(op: Op, slot: int) -> bool:
    """Whether an argument is made inside the function the user calls: the mean's weights in losses of many classes."""
    return op.name in ("nll_loss", "cross_entropy") and slot == 2


def _broadcasts(shape: tuple[int, ...], target: tuple[int, ...]) -> bool:
    return len(shape) <= len(target) and all(n in (1, m) for n, m in zip(shape[::-1], target[::-1], strict=False))


def element(x: Any, index: tuple[int, ...], shape: tuple[int, ...]) -> float | None:
    """The element of a value, broadcast to a shape, at an index; None if it has another shape or is no number."""
    x = np.asarray(x)
    if x.dtype.kind not in "biuf" or not _broadcasts(x.shape, shape):
        return None
    own = tuple(0 if n == 1 else i for i, n in zip(index[len(index) - x.ndim :], x.shape, strict=True))
    return float(x[own])


def spot(
    op: Op, xs: Sequence[Any], y: Any, mask: np.ndarray, what: str, *, scope: Any, line: Line | None,
    attrs: dict[str, Any], before: Spot | None = None,
) -> Spot:  # fmt: skip
    """The `Spot` of y = op(*xs) at the first element of a mask."""
    index, count = first_of(mask)
    y = np.asarray(y)
    values = {}
    if op.elementwise:
        for name, x in zip(LETTERS, xs, strict=False):
            number = None if x is None else element(x, index, y.shape)
            if number is not None:
                values[name] = number
        values |= {name: float(x) for name, x in attrs.items() if isinstance(x, (int, float))}
    values["y"] = float(y[index])
    return Spot(
        what, op.name, f"{op.name}({', '.join(map(describe, xs))})", str(scope or ""), line, index,
        count, values, mend_forward(op, xs, y, what, values), before=before, shape=y.shape,
    )  # fmt: skip


class Trail:
    """The edges of a backward pass, heard one after the other: the first nan, and where each inf came from."""

    def __init__(self) -> None:
        self.infs: dict[Any, Spot] = {}  # per vertex, where the inf in its gradient came from

    def hear(self, node: Node, slot: int, g: Any, y: Any, xs: Sequence[Any], r: Any) -> Spot | None:
        """What a rule answered, and what it had read; the spot of the first nan in it, if any."""
        p = made_by(node).parents[slot]
        if bad(r, "nan").any():
            return self._spot(node, slot, g, y, xs, r, "nan")
        if p not in self.infs and bad(r, "inf").any():
            self.infs[p] = self.infs.get(node) or self._spot(node, slot, g, y, xs, r, "inf")
        return None

    def _spot(self, node: Node, slot: int, g: Any, y: Any, xs: Sequence[Any], r: Any, what: str) -> Spot:
        made, values = made_by(node), {}
        index, count = first_of(bad(r, what))
        if made.op.elementwise:
            read = zip(["g", "y", *LETTERS], [g, y, *xs], strict=False)
        else:  # the index is one of the argument only
            read = zip([LETTERS[slot]], [xs[slot] if slot < len(xs) else None], strict=True)
        for name, x in read:
            if isinstance(x, (*SAVED, int, float)) and (number := element(x, index, r.shape)) is not None:
                values[name] = number
        return Spot(
            what, made.op.name, f"{made.op.name}({', '.join(map(describe, made.parents))})", str(made.scope or ""),
            line_of(made), index, count, values, mend_backward(made.op, what, values), True,
            self.infs.get(node), r.shape,
        )  # fmt: skip


# ------------------------------------------------------------------------------------------ mends
Values = dict[str, float]
EPS = "add a small number, or clamp(min=1e-12)"
FRACTIONAL = "a negative number to a fractional power is nan"

FORWARD: list[tuple[str, Callable[[Values], bool], str]] = [
    ("log log2 log10", lambda v: v["a"] == 0, f"log(0) is -inf: {EPS} under it; for x·log(x), which is 0 at 0, use "
     "torch.where(x > 0, x * torch.log(torch.where(x > 0, x, 1.0)), 0.0); for log of a softmax use log_softmax"),
    ("log log2 log10", lambda v: v["a"] < 0, "the logarithm of a negative number is nan: clamp it, or see why it is"),
    ("log1p", lambda v: v["a"] <= -1, "log1p needs numbers above -1"),
    ("sqrt rsqrt", lambda v: v["a"] < 0, "the root of a negative number is nan: clamp(min=0) under it"),
    ("rsqrt reciprocal", lambda v: v["a"] == 0, f"a division by 0: {EPS} below the line"),
    ("div", lambda v: v["b"] == 0 and v["a"] == 0, "0/0 is nan: torch.where(b != 0, a / torch.where(b != 0, b, 1.0), "
     "0.0), or a small number added to b"),
    ("div remainder fmod floor_divide", lambda v: v["b"] == 0, f"a division by 0: {EPS} below the line"),
    ("div", lambda v: abs(v["a"]) == abs(v["b"]) == np.inf, "inf/inf is nan: look where the inf comes from"),
    ("add sub", lambda v: abs(v["a"]) == abs(v["b"]) == np.inf, "inf - inf is nan: look where the inf comes from"),
    ("mul", lambda v: 0 in (v["a"], v["b"]), "0 · inf is nan: multiplying by 0 removes no inf, torch.where does"),
    ("exp exp2 expm1 sinh cosh", lambda v: np.isfinite(v["a"]), "an overflow: subtract the maximum first, or use the "
     "function made for it (log_softmax, logsumexp, log_sigmoid, cross_entropy, binary_cross_entropy_with_logits)"),
    ("pow", lambda v: v["a"] < 0 and v["b"] != round(v["b"]), FRACTIONAL),
    ("pow", lambda v: v["a"] == 0 and v["b"] < 0, f"0 to a negative power is inf: {EPS} below it"),
    ("power", lambda v: v["a"] < 0 and v["n"] != round(v["n"]), FRACTIONAL),
    ("power", lambda v: v["a"] == 0 and v["n"] < 0, f"0 to a negative power is inf: {EPS} below it"),
    ("asin acos atanh", lambda v: abs(v["a"]) >= 1, "its argument must lie between -1 and 1: clamp it a little inside"),
    ("acosh", lambda v: v["a"] < 1, "acosh needs numbers from 1 on"),
    ("cast", lambda v: np.isfinite(v["a"]), "the number is beyond the range of the new dtype: keep a wider one"),
]  # fmt: skip


def mend_forward(op: Op, xs: Sequence[Any], y: Any, what: str, values: Values) -> str:
    """What to write instead of an op that made nan or inf."""
    for names, holds, sentence in FORWARD:
        if op.name in names.split() and _holds(holds, values):
            return sentence
    if op.name in ("nll_loss", "cross_entropy", "class_weight") and what == "nan":
        return "every target is ignored (or every weight 0), so the mean is 0/0: skip such batches"
    if any(x is not None and bad(x, "inf").any() for x in xs):
        if op.name in ("softmax", "log_softmax", "logsumexp"):
            return "every score of a row is -inf (all masked), or one is +inf: keep at least one finite score per row"
        return "inf - inf or 0 · inf inside: look where the inf comes from"
    if any(np.size(x) == 0 for x in xs if x is not None):
        return "a mean of no elements is 0/0: skip empty batches and masks that select nothing"
    if op.name in ("var", "std"):
        return "the unbiased estimate divides by n - 1, which is 0 for one element: pass correction=0"
    if what == "inf" and y.dtype.kind == "f":
        most = f"an overflow: {y.dtype.name} ends at {np.finfo(y.dtype).max:.3g}. "
        return most + "Growing weights: a smaller learning rate, clip_grad_norm_, or normalised inputs"
    return ""


def _holds(condition: Callable[[Values], bool], values: Values) -> bool:
    try:
        return bool(condition(values))
    except (KeyError, ValueError, OverflowError):
        return False


STEEP = {
    **dict.fromkeys(["log", "log2", "log10"], f"the slope of a logarithm is infinite at 0: {EPS} under it"),
    **dict.fromkeys(["pow", "power"], "the slope of a fractional power is infinite at 0: add a small number to the "
                    "base"),
    "sqrt": "the slope of a root is infinite at 0: put a small number under it, torch.sqrt(x + 1e-12)",
    "rsqrt": f"the slope is infinite at 0: {EPS} under the root",
    "norm": "the slope of a norm is not defined at 0: add a small number under its root",
    "div": f"the slope of a/b is infinite at b = 0: {EPS} below the line",
    "reciprocal": f"the slope is infinite at 0: {EPS} below the line",
}  # fmt: skip
MASKED = (
    "the gradient that arrives is 0, as where a `where` or a mask took the other side, but 0 times an infinite slope "
    "is nan: make the argument safe before the op, too, e.g. torch.where(m, torch.log(torch.where(m, x, 1.0)), 0.0)"
)


def mend_backward(op: Op, what: str, values: Values) -> str:
    """What to write instead of an op whose derivative made nan or inf."""
    if what == "nan" and values.get("g") == 0:
        return MASKED
    return STEEP.get(op.name, "")
