"""Wrong gradients, each beside the right one at the same inputs: the seeds of the contest of gradient checkers.

A *breaker* (see `breakers`) turns a rule `rule(g, y, *args, **attrs)` into a wrong one: twice as large, transposed, nan
at 0, correct but for a write into `g`, … A *seed* is an op, the slots whose rules are broken, the breaker, and how to
draw inputs that show it. `SEEDS` applies breakers where they do harm, to every differentiable op of
`tests/ops/table.py`; that each of them does, and that the right versions are right, is tested in
`tests/testing/test_contest.py`.

A seed is met in two forms. As plain callables on NumPy arrays, `f(*arrays)`, `vjp(g, *arrays)` and, for the second
order, `vjp2(gg, g, *arrays)`: what any checker can be given. And as a small program of tensors in which the op itself
is broken, under `with seed.broken():`, among ops that are right: what a checker that names the guilty op is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

import tinygrad_pt as torch
from tests.benchmarks.breakers import (
    Breaker,
    Rule,
    accumulating,
    all_to_each,
    averaged,
    constant_g,
    detached,
    dropped,
    ignoring,
    instead,
    memory_order,
    misshapen,
    noisy,
    offset,
    one_element,
    one_output,
    plus_at_zero,
    raw,
    share_at_ties,
    shifted,
    single_precision,
    sixth_digit,
    squared,
    stale,
    times,
    times_size,
    transposed,
    unsummed,
    where,
    workspace,
    writes_g,
    writes_input,
)  # fmt: skip
from tests.ops.table import ROWS, SEVERAL, Row
from tinygrad_pt import ops
from tinygrad_pt.calling import wrap

Array = Any
Draw = Callable[[int], tuple[list[Any], dict[str, Any]]]


# ------------------------------------------------------------------------------------------ seeds
HINTS: dict[str, tuple[str, ...]] = {
    "factor": ("factor",),
    "sixth digit": ("constant", "factor"),
    "sign": ("sign",),
    "transpose": ("transpose",),
    "unsummed axis": ("unsummed axis",),
    "dropped input": ("dropped input",),
    "ties": ("ties",),
    "at zero": ("zero",),
    "one element": ("single element",),
    "lost result": ("single element", "dropped input"),
    "shift": ("wrong formula", "transpose"),
    "large magnitude": ("magnitude", "factor"),
    "tiny magnitude": ("magnitude", "factor"),
    "stale value": ("wrong formula", "constant", "factor"),
    "linearity": ("linearity",),
    "leak": ("wrong formula", "zero"),
    "second order": ("second order",),
    "mutation": ("mutation",),
    "aliasing": ("aliasing", "re-entrancy"),
    "wrong formula": ("wrong formula", "factor"),
    "swapped arguments": ("wrong formula", "factor", "sign"),
    "lost precision": ("constant", "wrong formula", "dtype"),
    "layout": ("layout",),
    "noise": ("non-deterministic", "re-entrancy"),
    "state": ("re-entrancy", "non-deterministic"),
    "half-line": ("factor", "magnitude", "wrong formula"),
    "two mistakes": ("factor", "sign"),
    "shape": ("shape", "raised", "unsummed axis"),
    "nan": ("non-finite",),
}
"""Of every kind of mistake, the words for it (`tinygrad_pt.testing.report.HINTS`) any of which is a right hint."""


@dataclass
class Given:
    """Drawn arguments of an op, and the slots of those that are differentiated."""

    args: list[Any]
    attrs: dict[str, Any]

    def __post_init__(self) -> None:
        self.slots = [i for i, a in enumerate(self.args) if isinstance(a, np.ndarray) and a.dtype.kind == "f"]

    @property
    def arrays(self) -> list[Array]:
        """Copies of the floating point arguments."""
        return [self.args[i].copy() for i in self.slots]

    def filled(self, values: Any) -> list[Any]:
        """All arguments, `values` in the place of the floating point ones."""
        args = list(self.args)
        for i, x in zip(self.slots, values, strict=True):
            args[i] = x
        return args


@dataclass(frozen=True)
class Seed:
    """A wrong gradient: an op, the slots whose rules are broken, how, and inputs that show it."""

    op: str
    kind: str
    how: str
    breaker: Breaker
    slots: tuple[int, ...]
    draw: Draw
    order: int = 1
    more_hints: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.op}: {self.kind}" + (f", {self.how}" if self.how else "")

    @property
    def row(self) -> Row:
        return ROWS[self.op]

    @property
    def hints(self) -> tuple[str, ...]:
        """The words, any of which is the right hint."""
        turns_to_nan = self.how.startswith(("0/0", "0·ln 0"))
        return HINTS[self.kind] + self.more_hints + (("non-finite",) if turns_to_nan else ())

    def given(self, seed: int = 0) -> Given:
        """Inputs at which the wrong gradient is wrong; other ones for every seed."""
        args, attrs = self.draw(seed)
        return Given(args, attrs)

    # -------------------------------------------------------------------------- as callables on arrays
    def _rules(self, count: int, wrong: bool) -> list[Rule | None]:
        rules = list(self.row.op.rules_for(count))
        for slot in self.slots if wrong else ():
            rules[slot] = self.breaker(rules[slot], slot)  # type: ignore[arg-type]
        return rules

    def f(self, given: Given) -> Callable[..., Array]:
        """The function; several results come as one vector."""

        def f(*arrays: Array) -> Array:
            with np.errstate(all="ignore"):
                y = self.row.op.forward(*given.filled(arrays), **given.attrs)
            return np.concatenate([np.ravel(part) for part in y]) if self.op in SEVERAL else np.array(y)

        return f

    def vjp(self, given: Given, wrong: bool = False) -> Callable[..., tuple[Array, ...]]:
        """(g, *arrays) -> one gradient per array."""
        op, rules = self.row.op, self._rules(len(given.args), wrong)

        def vjp(g: Array, *arrays: Array) -> tuple[Array, ...]:
            args = given.filled(arrays)
            with np.errstate(all="ignore"):
                y = op.forward(*args, **given.attrs)
                if self.op in SEVERAL:
                    cuts = np.cumsum([part.size for part in y])[:-1]
                    g = [p.reshape(part.shape) for p, part in zip(np.split(g, cuts), y, strict=True)]  # type: ignore[assignment]
                found = []
                for i in given.slots:
                    rule = rules[i]
                    r = np.zeros(args[i].shape) if rule is None else np.asarray(rule(g, y, *args, **given.attrs))
                    if r.shape != args[i].shape and op.elementwise:
                        r = ops.sum_to(r, shape=args[i].shape)
                    found.append(r if wrong and self.kind == "aliasing" else np.array(r, np.float64))
            return tuple(found)

        return vjp

    def vjp2(self, given: Given, wrong: bool = False) -> Callable[..., tuple[Array, ...]]:
        """(gg, g, *arrays) -> the gradients of Σ ggᵢ · vjp(g, *arrays)ᵢ by g and by every array."""
        f = self._of_tensors(given)

        def vjp2(gg: Any, g: Array, *arrays: Array) -> tuple[Array, ...]:
            with self.broken() if wrong else _nothing():
                xs = [torch.tensor(x, requires_grad=True) for x in arrays]
                seed = torch.tensor(g, requires_grad=True)
                first = torch.autograd.grad(f(*xs), xs, seed, create_graph=True, materialize_grads=True)
                used = [(r, wrap(np.array(v))) for r, v in zip(first, gg, strict=True) if r.node is not None]
                if not used:
                    return tuple(np.zeros(np.shape(x)) for x in (g, *arrays))
                outputs, seeds = zip(*used, strict=True)
                found = torch.autograd.grad(outputs, [seed, *xs], seeds, materialize_grads=True)
            return tuple(np.array(r.array) for r in found)

        return vjp2

    # -------------------------------------------------------------------------- as a program of tensors
    @contextmanager
    def broken(self) -> Iterator[None]:
        """Inside, the op itself has the wrong rules, and every value it could read is kept for it."""
        op = self.row.op
        rules, keep = op.rules, dict(op.keep)
        if op.variadic:
            wrong = {slot: self.breaker(rules(slot), slot) for slot in self.slots}
            op.rules = lambda slot: wrong[slot] if slot in wrong else rules(slot)
            counts = range(1, 6)
        else:
            op.rules = tuple(self._rules(len(rules), True))
            counts = range(1, len(rules) + 1)
        op.keep.clear()
        for n in counts:
            for mask in range(1, 2**n):
                op.keep[(mask, n)] = op.keep[mask] = (True,) * (n + 1)
        try:
            yield
        finally:
            op.rules = rules
            op.keep.clear()
            op.keep.update(keep)

    def _of_tensors(self, given: Given) -> Callable[..., Any]:
        def f(*xs: Any) -> Any:
            args = [wrap(a) if isinstance(a, np.ndarray) else a for a in given.filled(xs)]
            return self.row(*args, **given.attrs)

        return f

    def program(self, given: Given) -> tuple[Callable[..., Any], list[Any]]:
        """The op among others, and the tensors to check it at; at these the op meets the given arguments exactly.

        What writes into memory, or keeps it, does its harm to others: there the op reads the inputs themselves,
        and shares its incoming gradient with a neighbour.
        """
        op = self._of_tensors(given)
        arrays = given.arrays
        double: Any = (lambda x: x / 0.5) if self.op == "mul" else lambda x: x * 2.0
        quarter: Any = (lambda x: x * 0.25) if self.op == "div" else lambda x: x / 4.0
        inner = self.kind not in ("mutation", "aliasing")

        def ours(*xs: Any) -> Any:
            beside = xs[len(arrays) :]
            y = op(*(double(x) if inner else x for x in xs[: len(arrays)]))
            parts = y if isinstance(y, tuple) else (y,)
            if not inner:
                parts = tuple(_joined(self.op, part, b) for part, b in zip(parts, beside, strict=True))
            found = tuple(quarter(part) for part in parts) if inner else parts
            return (*found, -xs[0]) if self.op != "neg" and inner else found if len(found) > 1 else found[0]

        if inner:
            return ours, [torch.tensor(x / 2) for x in arrays]
        y = self.row.op.forward(*given.args, **given.attrs)
        shapes = [np.shape(part) for part in (y if self.op in SEVERAL else (y,))]
        draw = np.random.default_rng(0)
        return ours, [torch.tensor(x) for x in [*arrays, *(draw.uniform(1, 2, s) for s in shapes)]]


def _joined(op: str, y: Any, beside: Any) -> Any:
    """y + beside, or y - beside: both sides are handed one and the same gradient."""
    return y - ops.clone(beside) if op in ("add", "clone") else y + ops.clone(beside)


@contextmanager
def _nothing() -> Iterator[None]:
    yield


# ------------------------------------------------------------------------------------------ how inputs are drawn
def usual(op: str, wanted: Callable[..., bool] = lambda shapes, attrs: True, least: int = 2) -> Draw:
    """Of an op's row, the cases that have no empty argument, no Python number and `least` elements in each array."""
    row = ROWS[op]

    def fits(case: Any) -> bool:
        shapes, attrs = case
        return all(s is not None and np.prod(s) >= least for s in shapes) and wanted(shapes, attrs)

    found = [case for case in row.cases if fits(case)]
    assert found, op
    return lambda seed: _copied(row.sample(found[seed % len(found)], 1000 + seed))


def shaped(op: str, *shapes: tuple[int, ...], **attrs: Any) -> Draw:
    """The op's own domain, in these shapes."""
    return lambda seed: _copied(ROWS[op].sample((shapes, attrs), 2000 + seed))


def planted(draw: Draw, plant: Callable[[list[Any], Any], None]) -> Draw:
    """Drawn, and then changed: `plant(args, random)` writes the points where the error shows into the arguments."""

    def planting(seed: int) -> tuple[list[Any], dict[str, Any]]:
        args, attrs = draw(seed)
        plant(args, np.random.default_rng([seed, 7]))
        return args, attrs

    return planting


def _copied(sample: Any) -> tuple[list[Any], dict[str, Any]]:
    args, attrs = sample
    return [a.copy() if isinstance(a, np.ndarray) else a for a in args], attrs


def zeros(slot: int = 0) -> Callable[[list[Any], Any], None]:
    """Plant: some elements are 0, and not all."""

    def plant(args: list[Any], draw: Any) -> None:
        flat = args[slot].reshape(-1)
        flat[draw.permutation(flat.size)[: max(1, flat.size // 3)]] = 0.0

    return plant


def spread(slot: int, low: float, high: float, positive: bool = False) -> Callable[[list[Any], Any], None]:
    """Plant: every second element is ±10ᵘ, u between low and high; its sign is as drawn, or +."""

    def plant(args: list[Any], draw: Any) -> None:
        flat = args[slot].reshape(-1)
        flat[::2] = np.sign(flat[::2]) ** (2 if positive else 1) * 10 ** draw.uniform(low, high, flat[::2].size)

    return plant


def between(slot: int, low: float, high: float) -> Callable[[list[Any], Any], None]:
    """Plant: every second element lies between two bounds."""

    def plant(args: list[Any], draw: Any) -> None:
        flat = args[slot].reshape(-1)
        flat[::2] = draw.uniform(low, high, flat[::2].size)

    return plant


def put(slot: int, place: Any, value: float) -> Callable[[list[Any], Any], None]:
    """Plant: a value at a place of one argument."""
    return lambda args, draw: args[slot].__setitem__(place, value)


def tied(args: list[Any], draw: Any) -> None:
    """Plant: of two arguments, some elements agree."""
    a, b = args
    b[...] = np.where(draw.permutation(b.size).reshape(b.shape) < max(1, b.size // 2), a, b)


def tied_within(sign: float) -> Callable[[list[Any], Any], None]:
    """Plant: the largest (sign 1) or smallest element of every line occurs twice."""

    def plant(args: list[Any], draw: Any) -> None:
        (a,) = args
        two = draw.permutation(a.shape[-1])[:2]
        a[..., two] = sign * (np.max(sign * a, -1, keepdims=True) + 0.5)

    return plant


# ------------------------------------------------------------------------------------------ every op, several ways
SEEDS: list[Seed] = []
STEPS = ("zero", "sign", "floor", "ceil", "trunc", "round")
LEFT_OUT = (  # which hands g on, or 0; which their rows check at few numbers
    "constant_in", "lyapunov", "unfold", "rnn_layer", "lstm_layer", "gru_layer", "convolution",
    "convolution_transpose", "convolution_weight", "max_pool", "max_pool_transpose", "max_pool_pick", "max_unpool",
    "take_places", "put_places", "avg_pool", "avg_pool_transpose", "adaptive_avg_pool", "adaptive_avg_pool_transpose",
    "im2col", "col2im", "nextafter", "attention_weights", "combine", "softmax_slope", "lu",
    "softmax_error", "cross_entropy", "alignments", "flow", "flow_back",
)  # fmt: skip
OPS = [name for name, row in ROWS.items() if row.op.differentiable and name not in LEFT_OUT]
CURVED = [
    "mul", "div", "reciprocal", "square", "sqrt", "rsqrt", "pow", "exp", "expm1", "exp2", "log", "log1p", "log2", "log10",
    "logaddexp", "sigmoid", "tanh", "erf", "log_sigmoid", "sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh",
    "cosh", "asinh", "acosh", "atanh", "norm", "prod", "cumprod", "product_of_others", "logsumexp", "softmax", "log_softmax", "dot",
    "mv", "outer", "mm", "bmm", "linear", "binary_cross_entropy", "binary_cross_entropy_with_logits", "var", "std",
    "mse_loss", "power", "einsum",
]  # fmt: skip
"""Ops whose rules read values: there a wrong value, or one taken for a constant, does harm."""


def seed(
    op: str, kind: str, breaker: Breaker, draw: Draw, how: str = "", slots: tuple[int, ...] = (0,), *hints: str,
    order: int = 1,
) -> None:  # fmt: skip
    SEEDS.append(Seed(op, kind, how, breaker, slots, draw, order, hints))


def slots_of(op: str, draw: Draw) -> tuple[int, ...]:
    """The arguments that have a rule, in the first sample."""
    given = Given(*draw(0))
    rules = ROWS[op].op.rules_for(len(given.args))
    return tuple(i for i in given.slots if rules[i] is not None and (op != "copy" or i == 1))


SPECIAL = {
    "narrow": lambda shapes, attrs: attrs["length"] > 0, "diagonal": lambda shapes, attrs: attrs["k"] < 2,
    "overwrite": lambda shapes, attrs: len(attrs["path"]) > 0,
    "power": lambda shapes, attrs: attrs["n"] not in (0, 1), "product_of_others": lambda shapes, attrs: shapes[0][-1] > 2,
    "prod": lambda shapes, attrs: shapes[0][-1] > 1, "cumprod": lambda shapes, attrs: shapes[0][-1] > 1,
    "einsum": lambda shapes, attrs: len(shapes) == 2 and attrs["out"] == "ik",
    "linear": lambda shapes, attrs: len(shapes) == 3 and shapes[0] == (2, 3),
    "index_put": lambda shapes, attrs: np.prod(shapes[1]) < np.prod(shapes[0]),
    "cat": lambda shapes, attrs: len(shapes) == 2, "stack": lambda shapes, attrs: len(shapes) == 2,
    "pick_class": lambda shapes, attrs: attrs["ignore"] < 0, "unpick_class": lambda shapes, attrs: attrs["ignore"] < 0,
    "nll_loss": lambda shapes, attrs: attrs["ignore"] < 0,
    "clamp": lambda shapes, attrs: attrs["low"] is None or attrs["high"] is None,
    "softmax": lambda shapes, attrs: shapes[0] in ((3,), (2, 3)), "log_softmax": lambda shapes, attrs: shapes[0] in ((3,), (2, 3)),
    "where": lambda shapes, attrs: shapes[0] == (3,) and shapes[1] == (3,),
    "norm": lambda shapes, attrs: shapes[0] in ((3,), (2, 3)), "var": lambda shapes, attrs: shapes[0] in ((3,), (2, 3)),
    "std": lambda shapes, attrs: shapes[0] in ((3,), (2, 3)), "logsumexp": lambda shapes, attrs: attrs["axis"] != (),
}  # fmt: skip
"""Cases in which nothing hides the harm: an inactive clamp, a sum of one, an ignored class."""


def drawn(op: str) -> Draw:
    """The usual inputs of an op; where they hide what is wrong, others."""
    if op == "where":
        return planted(shaped(op, (4,), (4,), (4,)), lambda args, draw: np.copyto(args[0], [True, False, True, False]))
    if op == "clamp":
        return planted(usual(op, SPECIAL[op]), between(0, -0.4, 0.4))
    if op == "relu":
        return planted(usual(op), between(0, 0.5, 2))
    if op in ("maximum", "minimum"):
        return planted(shaped(op, (4,), (4,)), lambda args, draw: np.copyto(args[1], args[0] + [0.7, -0.7, 0.4, -0.9]))
    if op in ("remainder", "fmod"):
        return planted(shaped(op, (4,), (4,)), lambda args, draw: np.copyto(args[0], args[1] * [1.4, 2.3, 2.6, 1.7]))
    return usual(op, SPECIAL.get(op, lambda shapes, attrs: True), least=1 if op in LOOSE else 2)


LOOSE = ("nll_loss", "cat", "select")


SIZES = [(times(2.0), "twice"), (times(0.5), "half"), (times_size(1), "times n"), (times_size(-1), "over n")]
WRITES = [(writes_g, "of g"), (writes_input, "of an input"), (workspace, "one workspace")]


def sweep() -> None:
    """For every op: its size, its sign, its place or its values, and what it writes or keeps."""
    for i, op in enumerate(o for o in OPS if o not in STEPS):
        draw = drawn(op)
        slots = slots_of(op, draw)
        one, other = (slots[i % len(slots)],), (slots[(i + 1) % len(slots)],)
        breaker, how = SIZES[i % 4]
        seed(op, "factor", breaker, draw, how, one)
        seed(op, "sign", times(-1.0), draw, slots=other)
        if op in CURVED and i % 2 and op != "norm":
            seed(op, "stale value", stale, draw)
        elif i % 3:
            seed(op, "dropped input", dropped, draw, slots=other)
        else:
            seed(op, "sixth digit", sixth_digit, draw, slots=one)
        breaker, how = WRITES[i % 3]
        if breaker is workspace:
            seed(op, "aliasing", breaker, unsummed_inputs(op, draw, slots), how, one)
        else:
            seed(op, "mutation", breaker, draw, how, one)
        if i % 4 == 1:
            breaker, how = (ignoring, "g taken for 1") if i % 8 == 1 else (squared, "g squared")
            seed(op, "linearity", breaker, draw, how, one)
    for op in STEPS:
        draw = drawn(op)
        seed(op, "leak", instead(lambda g, y, *args, **attrs: g), draw, "g passed straight through")
        seed(op, "leak", instead(lambda g, y, *args, **attrs: g * 1e-3), draw, "a thousandth of g")
        seed(op, "mutation", writes_g, draw, "of g")


def unsummed_inputs(op: str, draw: Draw, slots: tuple[int, ...]) -> Draw:
    """Inputs that nothing broadcasts: where a gradient is summed, the sum is fresh memory whatever the rule returns."""
    if op in ("maximum", "minimum", "remainder", "fmod", "where") or not ROWS[op].op.elementwise:
        return draw
    return shaped(op, (4,), (4,)) if len(slots) == 2 else draw


SQUARE = (3, 3)
IN_ROWS = dict(axis=(1,), keepdims=False)


def transposes() -> None:
    """Rows for columns: where shapes are square nothing but values can tell."""
    for op, shapes, attrs, slot in [
        ("mm", (SQUARE, SQUARE), {}, 0), ("mm", (SQUARE, SQUARE), {}, 1), ("mv", (SQUARE, (3,)), {}, 0),
        ("bmm", ((2, *SQUARE), (2, *SQUARE)), {}, 0), ("bmm", ((2, *SQUARE), SQUARE), {}, 1),
        ("linear", (SQUARE, SQUARE, (3,)), {}, 0), ("linear", (SQUARE, SQUARE, (3,)), {}, 1),
        ("einsum", (SQUARE, SQUARE), dict(terms=("ij", "jk"), out="ik"), 0), ("t", (SQUARE,), {}, 0),
        ("transpose", (SQUARE,), dict(axis0=0, axis1=1), 0), ("permute", (SQUARE,), dict(axes=(1, 0)), 0),
        ("reshape", (SQUARE,), dict(shape=(9,)), 0), ("flip", (SQUARE,), dict(axis=(0,)), 0), ("tril", (SQUARE,), dict(k=0), 0),
        ("triu", (SQUARE,), dict(k=1), 0), ("diagonal", (SQUARE,), dict(k=1, axis0=0, axis1=1), 0),
        ("sum", (SQUARE,), IN_ROWS, 0), ("mean", (SQUARE,), IN_ROWS, 0), ("var", (SQUARE,), IN_ROWS | dict(correction=1), 0),
        ("amax", (SQUARE,), IN_ROWS, 0), ("logsumexp", (SQUARE,), IN_ROWS, 0), ("softmax", (SQUARE,), dict(axis=1), 0),
        ("log_softmax", (SQUARE,), dict(axis=1), 0), ("cumsum", (SQUARE,), dict(axis=1), 0), ("cumprod", (SQUARE,), {}, 0),
        ("sum_rows", (SQUARE,), {}, 0), ("getitem", (SQUARE,), dict(index=(slice(0, 2), ...)), 0),
    ]:  # fmt: skip
        seed(op, "transpose", transposed, shaped(op, *shapes, **attrs), f"of argument {slot}", (slot,))
    for op, shapes, wrong, slot in [
        ("mm", (SQUARE, SQUARE), lambda g, y, a, b: ops.mm(g, b), 0),
        ("mm", (SQUARE, SQUARE), lambda g, y, a, b: ops.mm(a, g), 1),
        ("mv", (SQUARE, (3,)), lambda g, y, a, b: ops.mv(a, g), 1),
        ("outer", ((3,), (3,)), lambda g, y, a, b: ops.mv(ops.t(g), b), 0),
    ]:  # fmt: skip
        seed(op, "transpose", instead(wrong), shaped(op, *shapes), f"left out in argument {slot}", (slot,))


def broadcasts() -> None:
    """A sum over a broadcast axis that is not taken."""

    def apart(args: list[Any], draw: Any) -> None:
        args[0] += 10.0  # so that the larger is never in doubt

    for i, op in enumerate("add sub mul div pow atan2 logaddexp remainder fmod maximum minimum".split()):
        rows, columns = ((3,), (2, 3)), ((2, 1), (2, 3))
        slot = 1 if op == "minimum" else 0
        for shapes, breaker, how in [(rows, unsummed, "rows"), (columns, averaged, "columns, averaged")]:
            draw = shaped(op, *(shapes[::-1] if slot else shapes))
            draw = planted(draw, apart) if op in ("maximum", "minimum") else draw
            mean = ["factor"] if breaker is averaged else []
            seed(op, "unsummed axis", breaker, draw, how, (slot,), *mean)
        if i < 5:
            seed(op, "unsummed axis", unsummed, shaped(op, (4, 3), (1, 3)), "of argument 1", (1,))
    mask = planted(shaped("where", (3,), (), (3,)), lambda args, draw: np.copyto(args[0], [True, True, False]))
    seed("where", "unsummed axis", unsummed, mask, "to a scalar", (1,))
    seed("copy", "unsummed axis", unsummed, shaped("copy", (2, 3), (3,)), "rows", (1,))
    for op, shapes, attrs, wrong, slot in [
        ("expand", ((1, 3),), dict(shape=(2, 3)), lambda g, y, a, *, shape: ops.getitem(g, index=(slice(0, 1), ...)), 0),
        ("expand", ((3,),), dict(shape=(2, 2, 3)), lambda g, y, a, *, shape: ops.sum_to(g, shape=a.shape) * 0.25, 0),
        ("bmm", ((2, 2, 3), (3, 2)), {}, lambda g, y, a, b: ops.getitem(ops.bmm(ops.t(a), g), index=(0, ...)), 1),
        ("linear", ((4, 3), (2, 3), (2,)), {}, lambda g, y, a, b, c: ops.getitem(g, index=(0, ...)), 2),
    ]:  # fmt: skip
        mean = ["factor"] if op == "expand" and len(shapes[0]) == 1 else []
        seed(op, "unsummed axis", instead(wrong), shaped(op, *shapes, **attrs), f"{shapes[slot]}", (slot,), *mean)


def digits() -> None:
    """A constant inside a rule, wrong in its sixth digit."""
    for op, wrong in {
        "exp2": lambda g, y, a: g * (y * 0.693145),
        "log2": lambda g, y, a: g / (a * 0.693149),
        "log10": lambda g, y, a: g / (a * 2.302580),
        "erf": lambda g, y, a: g * (ops.exp(-(a * a)) * 1.128372),
    }.items():
        seed(op, "sixth digit", instead(wrong), usual(op), "of its constant")


def ties() -> None:
    """Where elements agree, shares of g that do not add up to g."""
    for op in ("maximum", "minimum"):
        draw = planted(shaped(op, (4,), (4,)), tied)
        for mine, how in ((1.0, "all"), (0.0, "nothing")):
            breaker = share_at_ties(op, mine)
            seed(op, "ties", breaker, draw, f"argument 0 gets {how}", (0,))
            seed(op, "ties", breaker, draw, f"argument 1 gets {how}", (1,))
            seed(op, "ties", breaker, draw, f"both get {how}", (0, 1))
    for op, sign in {"amax": 1.0, "amin": -1.0}.items():
        for shape in ((4,), (2, 3)):
            draw = planted(shaped(op, shape, axis=(-1,), keepdims=False), tied_within(sign))
            seed(op, "ties", instead(all_to_each), draw, f"each of {shape} gets all")
            seed(op, "ties", times(0.5), draw, f"each of {shape} gets a quarter")


def corners() -> None:
    """At 0, or on a bound: where a rule has to decide, and where quotients turn to nan."""
    for op, wrong, how in [
        ("relu", lambda g, y, a: ops.where(ops.lt(a, 0), 0.0, ops.where(ops.eq(a, 0), g * 2.0, g)), "slope 2"),
        ("relu", lambda g, y, a: ops.where(ops.lt(a, 0), 0.0, ops.where(ops.eq(a, 0), -g, g)), "slope -1"),
        ("relu", lambda g, y, a: g * (y / a), "0/0"),
        ("abs", lambda g, y, a: g * (a / y), "0/0"),
        ("abs", lambda g, y, a: g * (ops.sign(a) + np.where(raw(a) == 0, 2.0, 0.0)), "slope 2"),
        ("abs", lambda g, y, a: g * (ops.sign(a) - np.where(raw(a) == 0, 1.5, 0.0)), "slope -1.5"),
        ("square", lambda g, y, a: g * 2.0 * (y / a), "0/0"),
    ]:  # fmt: skip
        seed(op, "at zero", instead(wrong), planted(shaped(op, (4,)), zeros()), how)

    two = planted(planted(shaped("pow", (4,), (4,)), zeros()), put(1, ..., 2.0))
    above_one = planted(
        planted(shaped("pow", (4,), (4,)), zeros()), lambda args, draw: np.add(args[1] ** 2, 1.5, out=args[1])
    )
    rows = dict(axis=(1,), keepdims=False)
    for op, draw, wrong, how, slot in [
        ("power", planted(shaped("power", (4,), n=3), zeros()), lambda g, y, a, *, n: g * n * (y / a), "0/0, cubed", 0),
        ("pow", two, lambda g, y, a, b: g * b * (y / a), "0/0 in the base", 0),
        ("pow", above_one, lambda g, y, a, b: g * y * ops.log(a), "0·ln 0 in the exponent", 1),
        ("prod", planted(shaped("prod", (3,)), zeros()), lambda g, y, a: ops.unsqueeze(g * y, axis=-1) / a, "0/0", 0),
        ("prod", planted(shaped("prod", (2, 3)), put(0, (0, 1), 0.0)),
         lambda g, y, a: ops.where(ops.eq(a, 0.0), 0.0, ops.unsqueeze(g * y, axis=-1) / a), "0 for the zero itself", 0),
        ("cumprod", planted(shaped("cumprod", (3,)), zeros()),
         lambda g, y, a: ops.flip(ops.cumsum(ops.flip(g * y, axis=(-1,)), axis=-1), axis=(-1,)) / a, "0/0", 0),
        ("norm", planted(shaped("norm", (2, 3), **rows), put(0, 0, 0.0)),
         lambda g, y, a, *, axis, keepdims: ops.unsqueeze(g / y, axis=1) * a, "0/0", 0),
        ("std", planted(shaped("std", (2, 3), **rows, correction=1), put(0, 0, 0.75)),
         lambda g, y, a, *, axis, keepdims, correction: ops.unsqueeze(g / (2 * y), axis=1) * (a - ops.mean(a, axis=1, keepdims=True)),
         "0/0 at the mean", 0),
    ]:  # fmt: skip
        seed(op, "at zero", instead(wrong), draw, how, (slot,))

    for op in "sin tanh sigmoid exp atan asinh sinh expm1 log1p tan asin erf softmax".split():
        draw = shaped(op, (4,), axis=0) if op == "softmax" else shaped(op, (4,))
        seed(op, "at zero", plus_at_zero, planted(draw, zeros()), "one g too many")
    for op, slot in (("mul", 0), ("sub", 1), ("atan2", 0), ("logaddexp", 0)):
        draw = planted(shaped(op, (4,), (4,)), zeros(slot))
        if op == "atan2":  # left of the origin it jumps
            draw = planted(draw, lambda args, draw: np.abs(args[1], out=args[1]))
        seed(op, "at zero", plus_at_zero, draw, f"of argument {slot}", (slot,))
    for low, high, bound in ((-0.5, 0.5, 0.5), (0.0, None, 0.0)):
        draw = planted(shaped("clamp", (4,), low=low, high=high), put(0, slice(2), bound))
        breaker: Breaker = where(lambda a, bound=bound: a == bound, 2.0)
        seed("clamp", "at zero", breaker, draw, f"slope 2 on the bound {bound}", (0,), "ties")


def magnitudes() -> None:
    """Right where tests usually look, wrong far out or close to 0."""
    for op, slot, low, high, factor in [
        ("log", 0, 6, 8, 2.0), ("square", 0, 12, 13, 1.01), ("sqrt", 0, 9, 11, 2.0), ("reciprocal", 0, 6, 8, 2.0),
        ("rsqrt", 0, 6, 8, 2.0), ("power", 0, 4, 5, 1.01), ("mul", 0, 8, 9, 1.01), ("div", 1, 6, 8, 2.0), ("atan", 0, 5, 6, 2.0),
        ("asinh", 0, 8, 9, 2.0), ("log1p", 0, 7, 9, 2.0), ("log2", 0, 6, 8, 2.0), ("log10", 0, 6, 8, 2.0), ("abs", 0, 9, 10, 1.01),
        ("relu", 0, 9, 10, 1.01), ("acosh", 0, 7, 9, 2.0), ("add", 1, 8, 9, 1.01), ("mse_loss", 0, 6, 7, 1.01),
        ("sinh", 0, 1.3, 1.7, 1.01), ("exp", 0, 1.3, 1.7, 1.01), ("pow", 0, 5, 6, 2.0),
    ]:  # fmt: skip
        far: Breaker = where(lambda a, b=10.0**low: np.abs(a) >= b * 0.999, factor)
        seed(op, "large magnitude", far, spread_out(op, slot, low, high), f"from 1e{low}", (slot,))
    for op, slot, low, high, factor in [
        ("log", 0, -9, -7, 2.0), ("sqrt", 0, -9, -7, 2.0), ("reciprocal", 0, -7, -6, 2.0), ("rsqrt", 0, -8, -7, 1.01),
        ("square", 0, -9, -8, 2.0), ("power", 0, -6, -5, 2.0), ("log2", 0, -9, -7, 1.01), ("log10", 0, -9, -7, 1.01),
        ("sin", 0, -9, -7, 1.01), ("tanh", 0, -9, -7, 1.01), ("relu", 0, -8, -7, 2.0), ("abs", 0, -8, -7, 2.0),
        ("expm1", 0, -9, -8, 1.01), ("log1p", 0, -9, -8, 1.01), ("div", 1, -7, -6, 1.01), ("asin", 0, -9, -8, 1.01),
        ("pow", 0, -7, -6, 2.0), ("mse_loss", 0, -8, -7, 2.0),
    ]:  # fmt: skip
        near: Breaker = where(lambda a, b=10.0**high: np.abs(a) <= b * 1.001, factor)
        seed(op, "tiny magnitude", near, spread_out(op, slot, low, high), f"up to 1e{high}", (slot,))
    for op, low, high in [("sigmoid", -35, -25), ("exp", -35, -25), ("log_sigmoid", 25, 35), ("exp2", -50, -40)]:
        draw = planted(shaped(op, (4,)), between(0, low, high))
        seed(op, "tiny magnitude", where(lambda a: np.abs(a) > 20, 2.0), draw, "of the slope, in the tail")


def spread_out(op: str, slot: int, low: float, high: float) -> Draw:
    """Every second element of one argument between 10**low and 10**high."""
    if op == "power":
        draw = shaped(op, (4,), n=3)
    elif op == "mse_loss":
        draw = planted(shaped(op, (4,), (4,), reduction="none"), put(1, ..., 0.0))
    else:
        draw = shaped(op, *[(4,)] * len(ROWS[op].op.rules))
    return planted(draw, spread(slot, low, high, positive=op == "relu"))


def single_ones() -> None:
    """One element of many, one result of several, everything one place too far."""
    for op in ("sin", "exp", "square", "tanh", "relu", "abs", "log", "neg", "clone", "sigmoid"):
        draw = shaped(op, (1000,))
        draw = planted(draw, lambda args, draw: np.abs(args[0], out=args[0])) if op == "relu" else draw
        seed(op, "one element", one_element(1.01), draw, "of 1000, by 1 %")
    for op in ("add", "mul", "div"):
        seed(op, "one element", one_element(1.01), shaped(op, (1000,), (1000,)), "of 1000, by 1 %", (1,))
    for op, attrs in {
        "sum": dict(axis=None, keepdims=False), "mean": dict(axis=None, keepdims=False), "norm": dict(axis=None, keepdims=False),
        "logsumexp": dict(axis=(0,), keepdims=False), "var": dict(axis=None, keepdims=False, correction=1),
    }.items():  # fmt: skip
        seed(op, "one element", one_element(1.01), shaped(op, (1000,), **attrs), "of 1000, by 1 %")
    seed("dot", "one element", one_element(1.01), shaped("dot", (1000,), (1000,)), "of 1000, by 1 %", (1,))
    draw = shaped("mse_loss", (1000,), (1000,), reduction="mean")
    seed("mse_loss", "one element", one_element(1.01), draw, "of 1000, by 1 %")
    for op in (
        "mm", "bmm", "linear", "mv", "outer", "sum", "cumsum", "cumprod", "softmax", "log_softmax", "getitem", "scatter_add", "cat",
        "stack", "split", "unbind", "pad", "crop", "expand", "diagonal", "undiagonal", "tril", "flip", "permute", "index_put",
        "unpick_class", "reshape", "einsum",
    ):  # fmt: skip
        draw = OUTPUTS.get(op) or drawn(op)
        slots = slots_of(op, draw)
        seed(op, "lost result", one_output, draw, "the last", slots[-1:] if op in ("cat", "stack") else slots[:1])
    for op, shapes, attrs in [
        ("narrow", ((5,),), dict(axis=0, start=1, length=3)), ("select", ((2, 3),), dict(axis=1, index=1)),
        ("pad", ((2, 3),), dict(widths=((1, 0), (0, 2)), value=0.0)), ("crop", ((2, 5),), dict(widths=((0, 0), (1, 1)))),
        ("getitem", ((4,),), dict(index=(slice(1, 3), ...))), ("scatter_add", ((3,),), dict(shape=(4,), index=(np.array([0, 2, 3]),))),
        ("cat", ((3,), (2,)), dict(axis=0, edges=(0, 3, 5))), ("split", ((5,),), dict(sizes=(2, 3), axis=0)), ("unbind", ((4,),), dict(axis=0)),
        ("squeeze", ((1, 3),), dict(axis=(0,))), ("unsqueeze", ((3,),), dict(axis=0)), ("flip", ((4,),), dict(axis=(0,))),
        ("pick_class", ((2, 3), (2,)), dict(axis=1, ignore=-100)), ("index_put", ((4,), (2,)), dict(index=(np.array([0, 2]),))),
        ("tril", ((3, 3),), dict(k=0)), ("undiagonal", ((3,),), dict(k=0, axis0=0, axis1=1, shape=(3, 3))),
    ]:  # fmt: skip
        seed(op, "shift", shifted, shaped(op, *shapes, **attrs), "by one place")


OUTPUTS = {
    "sum": shaped("sum", (2, 3), axis=(1,), keepdims=False), "getitem": shaped("getitem", (4,), index=(slice(1, 4), ...)),
    "unpick_class": planted(shaped("unpick_class", (2,), (2,), classes=3, axis=1, ignore=-100), lambda args, draw: np.copyto(args[1], [0, 2])),
    "scatter_add": shaped("scatter_add", (3,), shape=(4,), index=(np.array([0, 2, 3]),)),
    "pad": shaped("pad", (2, 3), widths=((1, 0), (0, 0)), value=0.0), "crop": shaped("crop", (4, 3), widths=((1, 0), (0, 2))),
    "undiagonal": shaped("undiagonal", (3,), k=0, axis0=0, axis1=1, shape=(3, 3)), "tril": shaped("tril", (3, 3), k=0),
    "split": shaped("split", (5,), sizes=(2, 3), axis=0), "index_put": shaped("index_put", (3,), (1,), index=(np.array([0]),)),
    "diagonal": shaped("diagonal", (3, 3), k=0, axis0=0, axis1=1),
}  # fmt: skip
"""Inputs whose last result depends on the broken argument."""


def second_orders() -> None:
    """Right once, wrong when differentiated again."""
    for op in CURVED:
        if op in ("binary_cross_entropy",):
            continue
        draw = drawn(op)
        for slot in slots_of(op, draw)[:1]:
            seed(op, "second order", detached, draw, f"argument {slot} reads constants", (slot,), order=2)


def held_out() -> None:
    """Kinds of mistakes that were written down after the checker was built, to see what it makes of them."""
    for op, wrong, how in [
        ("tanh", lambda g, y, a: g * (1 - y), "1 - y"), ("sigmoid", lambda g, y, a: g * y * (1 + y), "y (1 + y)"),
        ("exp", lambda g, y, a: g * a, "a"), ("log", lambda g, y, a: g / (1 + a), "1/(1 + a)"), ("sqrt", lambda g, y, a: g / (2 * a), "1/2a"),
        ("rsqrt", lambda g, y, a: g * (-0.5 * (y * y)), "-y²/2"), ("tan", lambda g, y, a: g * (1 - y * y), "1 - y²"),
        ("asin", lambda g, y, a: g / (1 - a * a), "no root"), ("atan", lambda g, y, a: g / (1 + a), "1/(1 + a)"),
        ("atanh", lambda g, y, a: g / (1 + a * a), "1/(1 + a²)"), ("acosh", lambda g, y, a: g / ops.sqrt(a * a + 1), "a² + 1"),
        ("sinh", lambda g, y, a: g * y, "sinh"), ("log_sigmoid", lambda g, y, a: g * ops.sigmoid(a), "σ(a)"),
        ("erf", lambda g, y, a: g * (ops.exp(-a) * 1.1283791670955126), "e⁻ᵃ"), ("expm1", lambda g, y, a: g * y, "y"),
        ("reciprocal", lambda g, y, a: -(g * y), "-y"), ("square", lambda g, y, a: g * a * a, "a²"),
    ]:  # fmt: skip
        seed(op, "wrong formula", instead(wrong), usual(op), how)
    for op, wrong, how in [
        ("softmax", lambda g, y, a, *, axis: g * y * (1 - y), "the diagonal only"),
        ("log_softmax", lambda g, y, a, *, axis: g - y * ops.sum(g, axis=axis, keepdims=True), "y for eʸ"),
        ("cumsum", lambda g, y, a, *, axis: ops.cumsum(g, axis=axis), "not reversed"),
        ("prod", lambda g, y, a: ops.unsqueeze(g * y, axis=-1) * a, "times instead of over"),
        ("mean", lambda g, y, a, *, axis, keepdims: ops.zero(a) + ops.sum(g, axis=None, keepdims=False), "the sum of g"),
        ("huber_loss", lambda g, y, a, b, *, delta, reduction: g * (a - b), "not clamped"),
        ("binary_cross_entropy_with_logits", lambda g, y, a, b, *, reduction: g * (a - b), "σ left out"),
        ("norm", lambda g, y, a, *, axis, keepdims: ops.zero(a) + ops.sum(g, axis=None, keepdims=False), "1"),
    ]:  # fmt: skip
        plain = {
            "huber_loss": shaped("huber_loss", (4,), (4,), delta=0.1, reduction="none"),
            "binary_cross_entropy_with_logits": shaped(
                "binary_cross_entropy_with_logits", (4,), (4,), reduction="none"
            ),
        }
        mirrored = ["transpose"] if op == "cumsum" else []  # its Jacobian is a triangle, and this one the other
        seed(op, "wrong formula", instead(wrong), plain.get(op) or drawn(op), how, (0,), *mirrored)
    for op, shape in [
        ("sub", (4,)), ("div", (4,)), ("mul", (4,)), ("pow", (4,)), ("atan2", (4,)), ("logaddexp", (4,)), ("dot", (4,)),
        ("mm", SQUARE), ("outer", (3,)),
    ]:  # fmt: skip
        rules = ROWS[op].op.rules
        seed(op, "swapped arguments", lambda rule, slot, r=rules: r[1 - slot], shaped(op, shape, shape), "", (0, 1))
    for op in ("exp", "mul", "mm", "softmax", "log", "linear", "mean", "div"):
        draw = shaped(op, (8,), (8,)) if op in ("mul", "div") else drawn(op)
        seed(op, "lost precision", single_precision, draw, "to float32 and back", slots_of(op, draw)[:1])
    for op in ("sin", "mul", "square", "div", "sigmoid", "neg"):
        shapes = (SQUARE, SQUARE) if len(ROWS[op].op.rules) == 2 else (SQUARE,)
        seed(op, "layout", memory_order(True), shaped(op, *shapes), "of g")
    for op in ("sin", "log", "mul", "mm"):
        several = len(ROWS[op].op.rules) == 2  # there the rule of one argument reads the other
        breaker: Breaker = lambda rule, slot, read=int(several): memory_order(False)(rule, read)  # noqa: E731
        seed(op, "layout", breaker, shaped(op, *(SQUARE,) * (2 if several else 1)), "of the input")
    for op in ("exp", "mm", "softmax", "sum", "reshape"):
        seed(op, "noise", noisy, drawn(op), "a thousandth")
        seed(op, "state", accumulating, drawn(op), "earlier gradients added")
    for op in ("sin", "tanh", "mul", "relu", "abs", "square", "exp"):
        shapes = ((6,), (6,)) if op == "mul" else ((6,),)
        draw = planted(shaped(op, *shapes), lambda args, draw: args[0].__setitem__(slice(2), -np.abs(args[0][:2])))
        breaker = where(lambda a: a < 0, 1.5) if op != "relu" else where(lambda a: a > 1, 1.5)
        if op == "relu":
            draw = planted(draw, lambda args, draw: args[0].__setitem__(-1, 1.7))
        seed(op, "half-line", breaker, draw, "by half on one side")
    for op in ("sin", "mm", "log_softmax", "add", "cumprod", "getitem"):
        draw = drawn(op)
        seed(op, "two mistakes", times(-2.0), draw, "-2 times", slots_of(op, draw)[:1])
        seed(op, "sixth digit", times(1 + 2e-8), draw, "and the eighth", slots_of(op, draw)[:1])
        seed(op, "wrong formula", offset, draw, "an offset", slots_of(op, draw)[:1])
        seed(op, "nan", times(np.nan), draw, "everywhere", slots_of(op, draw)[:1])
    for op in ("mm", "sum", "softmax", "reshape", "cumsum", "mv"):
        seed(op, "shape", misshapen, drawn(op), "an axis too many")
    for op in ("mul", "add", "sin", "mm", "sum", "softmax", "getitem", "relu"):
        draw = drawn(op)
        seed(op, "second order", constant_g, draw, "g is read as a constant", slots_of(op, draw)[:1], order=2)


for add in (sweep, transposes, broadcasts, digits, ties, corners, magnitudes, single_ones, second_orders, held_out):
    add()
