"""Random programs for tests: functions made of ops on drawn inputs, which print themselves as scripts one can run.

A program is drawn as plain numbers and then built line by line, each line being run at once on the inputs; so a
line is only ever added where its arguments have the shapes it takes and lie inside its domain, away from its kinks.
"""

from __future__ import annotations

import functools
import linecache
import math
import re
from collections.abc import Callable, Iterable
from itertools import count
from typing import Any

import numpy as np
from hypothesis import strategies as st

import tinygrad_pt as torch
from tinygrad_pt.calling import wrap
from tinygrad_pt.graph import OPS
from tinygrad_pt.modes import no_grad
from tinygrad_pt.nn import functional
from tinygrad_pt.testing.spec import Array, Domain, literal
from tinygrad_pt.testing.strategies.numbers import Strategy, kind_of, values

MARGIN = 0.05  # how far arguments stay away from kinks and poles
LARGEST, MOST = 30.0, 12  # of a value in size, and of elements in one
NAMESPACE = {"torch": torch, "functional": functional}
FILE = "<program>"
NAME = re.compile(r"\b[xw]\d+\b")  # of a value, while a program is built


class Program:
    """A function of tensors, as source: `program(*program.inputs())` runs it, `repr` is a script.

    Attributes:
        lines: the body of the function, one op per line.
        arguments: the inputs, by name, as arrays. results: the names of what it returns.
    """

    def __init__(self, arguments: dict[str, Any], lines: list[str], results: list[str]) -> None:
        self.arguments, self.lines, self.results = arguments, lines, results
        source = self.source()
        self.text = (len(source), None, source.splitlines(True), FILE)
        names: dict[str, Any] = dict(NAMESPACE)
        exec(compile(source, FILE, "exec"), names)
        self.function = names["program"]

    def __call__(self, *tensors: Any) -> Any:
        # Where reports and tracebacks look for a line. One name for all programs, for by file and line Hypothesis
        # tells one bug from another while it tries programs.
        linecache.cache[FILE] = self.text
        return self.function(*tensors)

    def inputs(self, dtype: Any = None, requires_grad: bool = True) -> list[Any]:
        """The inputs as fresh leaves, in float64 or another dtype, which may be given by name."""
        kind = kind_of("float64" if dtype is None else dtype)
        return [wrap(x.astype(kind)).requires_grad_(requires_grad) for x in self.arguments.values()]

    def source(self) -> str:
        """The function alone."""
        body = [*self.lines, f"return {', '.join(self.results)}"]
        return f"def program({', '.join(self.arguments)}):\n" + "".join(f"    {line}\n" for line in body)

    def script(self) -> str:
        """A script that runs by itself: imports, inputs, the function, its drawing, the check of its gradients."""
        head = ["import tinygrad_pt as torch"]
        if any("functional." in line for line in self.lines):
            head.append("from tinygrad_pt.nn import functional")
        head.append("from tinygrad_pt.testing import assert_gradients")
        inputs = [f"{name} = {literal(x)[:-1]}, requires_grad=True)" for name, x in self.arguments.items()]
        names = ", ".join(self.arguments)
        loss = f"program({names}).sum()" if len(self.results) == 1 else f"sum(y.sum() for y in program({names}))"
        tail = [f'torch.viz.draw({loss}).save("program.svg")', f"assert_gradients(program, {names}, order=2)"]
        return "\n".join([*head, "", *inputs, "", "", self.source(), "", *tail, ""])

    def loss(self) -> Any:
        """The sum of all results, on fresh inputs: a scalar with the whole graph behind it."""
        return self._sum(self.inputs())

    def draw(self, path: Any) -> Any:
        """Save a drawing of the graph behind the sum of the results; the ending of `path` chooses the format."""
        leaves = self.inputs()
        loss = self._sum(leaves)
        loss.backward()
        return torch.viz.draw(loss, dict(zip(self.arguments, leaves, strict=True))).save(path)

    def _sum(self, leaves: list[Any]) -> Any:
        found = self(*leaves)
        first, *others = (y.sum() for y in (found if isinstance(found, tuple) else (found,)))
        return sum(others, first)

    def __repr__(self) -> str:
        return self.script()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Hypothesis prints with this: the script as it is, not indented, so that it can be copied."""
        printer.text("\n\n" + self.script() + "\n")


# ------------------------------------------------------------------------------------------ what lines may say
AGO = (0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 4)  # what a die of twelve sides says of how long ago

Fits = Callable[[Array], Any] | None  # whether a value is one that an op takes; None: every value is


class Scene:
    """What a line may choose from: the values so far, latest first, and dice drawn for this line."""

    def __init__(self, values: dict[str, Array], dice: tuple[int, ...], fresh: Callable[[], str]) -> None:
        self.values, self.fresh = values, fresh
        self.dice = iter(dice)

    def __getitem__(self, name: str) -> Array:
        return self.values[name]

    def die(self, sides: int) -> int:
        """A number below `sides`; it shrinks to 0."""
        return next(self.dice, 0) % max(1, sides)

    def choose(self, *options: Any) -> Any:
        """One of several; it shrinks to the first."""
        return options[self.die(len(options))]

    def pick(self, fits: Fits = None, but: str = "") -> str:
        """The name of a value that fits, rather a late one; `but` only where there is no choice, or by chance."""
        names = [n for n, x in reversed(self.values.items()) if fits is None or fits(x)]
        if not names:
            raise Unfit
        if but in names:
            names.remove(but)
            names.append(but)
        return names[AGO[next(self.dice, 0)] % len(names)]

    def second(self, a: str, fits: Callable[[Array, Array], Any] | None = None) -> str:
        """The name of a value that broadcasts with the value named a, and fits it."""
        x = self[a]
        return self.pick(lambda y: _meet(x, y) and (fits is None or fits(x, y)), a)

    def like(self, a: str) -> str:
        """The name of a value of the same shape."""
        return self.pick(lambda y: y.shape == self[a].shape, a)

    def axis(self, name: str) -> int:
        """An axis of a value."""
        ndim = self[name].ndim
        if not ndim:
            raise Unfit
        return (ndim - 1) - self.die(ndim)


class Unfit(Exception):
    """No value fits: the line is left out."""


Word = Callable[[Scene], "str | list[str]"]
VOCABULARY: dict[str, Word] = {}


def says(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: the words this makes lines for; it is called with the scene and the word."""

    def decorate(make: Callable[..., Any]) -> Callable[..., Any]:
        VOCABULARY.update({name: functools.partial(make, name=name) for name in names})
        return make

    return decorate


def _inside(low: float = -math.inf, high: float = math.inf, avoid: Iterable[float] = ()) -> Callable[[Array], bool]:
    """Whether all elements lie between two bounds and away from some points."""
    return lambda x: bool(
        np.all((x >= low) & (x <= high)) and all(np.min(np.abs(x - p), initial=1.0) > MARGIN for p in avoid)
    )


def _apart(x: Array) -> bool:
    """Whether no two elements are near each other: no maximum is attained twice."""
    return x.size > 0 and bool(np.all(np.diff(np.sort(x, axis=None)) > MARGIN))


def _unwhole(x: Array) -> bool:
    """Whether all elements are away from whole numbers and halves."""
    return bool(np.all(np.abs(x * 2 - np.round(x * 2)) > 2 * MARGIN))


def _broadcast(*shapes: tuple[int, ...]) -> tuple[int, ...] | None:
    """The shape that several broadcast to; None if they do not."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        return None


def _meet(x: Array, y: Array) -> bool:
    """Whether two values broadcast together to one that is not too large."""
    shape = _broadcast(x.shape, y.shape)
    return shape is not None and math.prod(shape) <= MOST


def _rank(n: int) -> Callable[[Array], bool]:
    return lambda x: x.ndim == n


def _matrices(x: Array) -> bool:
    return x.ndim >= 2


def _filled(x: Array) -> bool:
    """Whether it has an axis, and elements along it."""
    return bool(x.ndim and x.size)


NONZERO = _inside(avoid=[0.0])

# fmt: off
UNARY: dict[str, Fits] = {
    **dict.fromkeys("neg square exp expm1 exp2 sigmoid tanh sin cos atan sinh cosh asinh clone".split()),
    "tril": _matrices, "triu": _matrices,
    **dict.fromkeys(["log", "log2", "log10", "sqrt", "rsqrt"], _inside(low=0.1)),
    **dict.fromkeys(["asin", "acos", "atanh"], _inside(-0.9, 0.9)),
    **dict.fromkeys(["abs", "relu", "sign", "reciprocal"], NONZERO),
    **dict.fromkeys(["floor", "ceil", "trunc", "round"], _unwhole),
    **dict.fromkeys(["erfc", "i0"]), "lgamma": _inside(low=0.1), "erfinv": _inside(-0.9, 0.9),
    "logit": _inside(0.1, 0.9),
    "log1p": _inside(low=-0.9), "tan": _inside(-1.2, 1.2), "acosh": _inside(low=1.1),
}
NUMBERED = {
    "add_number": "{} + {}", "mul_number": "{} * {}", "rsub_number": "{1} - {0}", "div_number": "{} / {}",
    "rdiv_number": "{1} / {0}",
}
OPERATORS = {"add": "+", "sub": "-", "mul": "*"}
BINARY: dict[str, Callable[[Array, Array], Any] | None] = {
    "logaddexp": None, "logaddexp2": None, "div": lambda x, y: NONZERO(y),
    **dict.fromkeys(["atan2", "hypot"], lambda x, y: NONZERO(np.hypot(x, y))),
    **dict.fromkeys(["maximum", "minimum"], lambda x, y: NONZERO(x - y)),
    "pow": lambda x, y: np.all(x > 0.1), "xlogy": lambda x, y: NONZERO(x) and np.all(y > 0.1),
    **dict.fromkeys(["remainder", "fmod"], lambda x, y: NONZERO(y) and _unwhole(np.divide(x, y))),
}
REDUCED: dict[str, Fits] = {
    "sum": None, "mean": lambda x: x.size, "logsumexp": lambda x: x.size,
    "norm": lambda x: x.size and np.min(np.abs(x)) > MARGIN, "amax": _apart, "amin": _apart,
    "var": lambda x: x.size and min(x.shape, default=0) > 1,
    "std": lambda x: x.size and min(x.shape, default=0) > 1 and _apart(x), "prod": None,
}
# fmt: on


@says(*UNARY)
def _unary(scene: Scene, name: str) -> str:
    a = scene.pick(UNARY[name])
    return f"torch.{name}({a}, {scene.die(3) - 1})" if name in ("tril", "triu") else f"torch.{name}({a})"


# Any other op of one argument with a function of its name; where it has poles or kinks, it belongs into UNARY.
# (torch.normal draws random numbers, the op of that name is torch.special.ndtr; torch.igamma and torch.igammac take a
# tensor for the static argument, too.)
OTHER_UNARY = [
    n for n, op in OPS.items()
    if op.elementwise and op.differentiable and len(op.rules_for(1)) == 1
    and n not in (*UNARY, "clamp", "igamma", "igammac", "normal", "polygamma") and hasattr(torch, n)
]  # fmt: skip


@says(*OTHER_UNARY)
def _other_unary(scene: Scene, name: str) -> str:
    return f"torch.{name}({scene.pick()})"


@says("logsigmoid", "gelu", "silu", "softplus")
def _activation(scene: Scene, name: str) -> str:
    return f"functional.{name}({scene.pick()})"


VOCABULARY["clamp"] = lambda scene: f"torch.clamp({scene.pick(_inside(avoid=[-0.5, 0.5]))}, -0.5, 0.5)"


VOCABULARY["ndtr"] = lambda scene: f"torch.special.ndtr({scene.pick()})"


VOCABULARY["polygamma"] = lambda scene: f"torch.polygamma({scene.die(3)}, {scene.pick(_inside(low=0.1))})"


@says(*NUMBERED)
def _with_number(scene: Scene, name: str) -> str:
    number = scene.choose(2.0, 0.5, -1.5, 0.75)
    return NUMBERED[name].format(scene.pick(NONZERO if name == "rdiv_number" else None), number)


VOCABULARY["power"] = lambda s: (
    f"{s.pick(None if (n := s.choose(2, 3, 1, 0, -1, 0.5, 2.5, -1.5)) in (0, 1, 2, 3) else _inside(low=0.1))} ** {n}"
)


@says(*OPERATORS, *BINARY)
def _binary(scene: Scene, name: str) -> str:
    a = scene.pick()
    b = scene.second(a, BINARY.get(name))
    return f"{a} {OPERATORS[name]} {b}" if name in OPERATORS else f"torch.{name}({a}, {b})"


@says("where")
def _where(scene: Scene, name: str) -> str:
    a = scene.pick(_inside(avoid=[0.1]))
    b = scene.second(a)
    return f"torch.where({a} > 0.1, {b}, {scene.second(b, lambda _, y: _meet(scene[a], y))})"


@says(*REDUCED)
def _reduction(scene: Scene, name: str) -> str:
    a = scene.pick(REDUCED[name])
    word = "torch.linalg.vector_norm" if name == "norm" and hasattr(torch, "linalg") else f"torch.{name}"
    if name != "logsumexp" and scene.die(2) == 0:
        return f"{'torch.' + name[1:] if name in ('amax', 'amin') else word}({a})"
    axis = scene.axis(a)
    if not scene[a].shape[axis] and name != "sum":
        raise Unfit
    return f"{word}({a}, dim={axis}{', keepdim=True' if scene.die(2) else ''})"


@says("cumsum", "cumprod", "logcumsumexp", "softmax", "log_softmax", "flip", "roll")
def _along(scene: Scene, name: str) -> str:
    a = scene.pick(_filled)
    axis = scene.axis(a)
    where = {"roll": f"1, {axis}", "flip": f"dims=({axis},)"}.get(name, f"dim={axis}")
    return f"torch.{name}({a}, {where})"


@says("max", "min", "sort")
def _with_places(scene: Scene, name: str) -> str:
    a = scene.pick(lambda x: x.ndim and _apart(x))
    return f"torch.{name}({a}, dim={scene.axis(a)}).values"


# fmt: off
VOCABULARY.update({
    "reshape": lambda s: f"{(a := s.pick())}.reshape({s.choose(*_reshaped(s[a]))})",
    "unsqueeze": lambda s: f"{(a := s.pick(lambda x: x.ndim < 4))}.unsqueeze({s.die(s[a].ndim + 1)})",
    "squeeze": lambda s: f"{s.pick(lambda x: 1 in x.shape)}.squeeze()",
    "permute": lambda s: f"{(a := s.pick(_matrices))}.permute({_rotated(s[a].ndim, 1 + s.die(s[a].ndim - 1))})",
    "transpose": lambda s: f"{(a := s.pick(_matrices))}.transpose({s.die(s[a].ndim)}, -1)",
    "t": lambda s: f"{s.pick(_rank(2))}.t()",
    "expand": lambda s: f"{(a := s.pick(lambda x: x.size * 2 <= MOST and x.ndim < 4))}.expand({(2, *s[a].shape)})",
    "unbind_first": lambda s: f"{(a := s.pick(lambda x: x.ndim and x.shape[0]))}.unbind(0)[{s.die(s[a].shape[0])}]",
    "cat": lambda s: f"torch.cat([{(a := s.pick(lambda x: x.ndim))}, {s.like(a)}], dim={s.die(s[a].ndim)})",
    "stack": lambda s: f"torch.stack([{(a := s.pick())}, {s.like(a)}], dim={s.die(s[a].ndim + 1)})",
    "split": lambda s: _split(s, s.pick(lambda x: x.ndim and x.shape[-1] >= 2)),
    "narrow": lambda s: _part(s, "torch.narrow({}, {}, {}, {})"),
    "select": lambda s: _part(s, "{}.select({}, {})"),
    "pad": lambda s: f"functional.pad({s.pick(lambda x: x.ndim and x.shape[-1])}, ({s.die(2)}, {s.die(3) - 1}))",
    "diagonal": lambda s: f"torch.diagonal({s.pick(_matrices)}, {s.die(3) - 1})",
    "diag": lambda s: f"torch.diag({s.pick(lambda x: x.ndim == 1 and x.size <= 3)})",
})
# fmt: on


def _reshaped(x: Array) -> list[tuple[int, ...]]:
    if not x.size:
        return [(1, *x.shape)]
    return [(-1,), (1, *x.shape), (*x.shape, 1), *([x.shape[::-1]] if x.ndim >= 2 else [])]


def _rotated(n: int, k: int) -> tuple[int, ...]:
    return (*range(k, n), *range(k))


def _split(scene: Scene, a: str) -> str:
    return f"{scene.fresh()}, {scene.fresh()} = {a}.split([1, {scene[a].shape[-1] - 1}], dim=-1)"


def _part(scene: Scene, form: str) -> str:
    """Some of the elements along an axis: from a start on, so many of them, or one."""
    a = scene.pick(_filled)
    axis = scene.axis(a)
    side = scene[a].shape[axis]
    start = scene.die(side)
    return form.format(a, axis, start, *([scene.die(side - start + 1)] if "narrow" in form else []))


@says("index_basic", "index_repeated", "index_mask", "index_mixed", "gather", "index_select")
def _index(scene: Scene, name: str) -> str:
    a = scene.pick(_filled)
    x = scene[a]
    side = x.shape[0]
    i, j = scene.die(side), scene.die(side)
    if name == "index_basic":
        return f"{a}[{scene.choose(f'{i}', f'{i}:', 'None', '..., 0', '..., -1', f':{j + 1}, None')}]"
    if name == "index_mixed":
        return f"{a}[None, [{i}, {j}]]" if x.ndim < 2 else f"{a}[[{i}, {j}], ..., [{scene.die(x.shape[-1])}, 0]]"
    return {
        "index_repeated": f"{a}[[{i}, {j}, {i}]]",
        # Of literals: a mask that the inputs decide would change its shape where the checker moves them.
        "index_mask": f"{a}[torch.tensor({[k in (i, j) for k in range(side)]})]",
        "index_select": f"torch.index_select({a}, 0, torch.tensor([{j}, {i}, {j}]))",
        "gather": f"torch.gather({a}, 0, torch.tensor({np.full((1, *x.shape[1:]), i).tolist()}))",
    }[name]


# ------------------------------------------------------------------------------------------ products, losses
# fmt: off
VOCABULARY.update({
    "matmul": lambda s: f"{(a := s.pick(lambda x: x.ndim))} @ {s.pick(lambda y: _multiply(s[a], y), a)}",
    "dot": lambda s: f"torch.dot({(a := s.pick(_rank(1)))}, {s.like(a)})",
    "outer": lambda s: f"torch.outer({s.pick(_rank(1))}, {s.pick(_rank(1))})",
    "linear": lambda s: _linear(s, s.pick(_rank(2))),
    "einsum": lambda s: _einsum(s, s.pick(_rank(2))),
    "gram": lambda s: f"{(a := s.pick(_matrices))} @ {a}.transpose(-1, -2)",  # the same value on both sides
    "matrix_exp": lambda s: f"torch.matrix_exp({s.pick(lambda x: _matrices(x) and x.shape[-1] == x.shape[-2])})",
    "baddbmm": lambda s: f"torch.bmm({(a := s.pick(_rank(3)))}, {a}.transpose(1, 2))",
})
# fmt: on


def _multiply(x: Array, y: Array) -> bool:
    inner = y.ndim and y.shape[-2 if y.ndim > 1 else 0] == x.shape[-1]
    return bool(inner) and _broadcast(x.shape[:-2], y.shape[:-2]) is not None


def _linear(scene: Scene, a: str) -> str:
    b = scene.pick(lambda y: y.ndim == 2 and y.shape[1] == scene[a].shape[1])
    bias = [n for n, v in scene.values.items() if v.shape == scene[b].shape[:1]]
    return f"functional.linear({a}, {b}{', ' + bias[-1] if bias else ''})"


def _einsum(scene: Scene, a: str) -> str:
    b = scene.pick(lambda y: y.ndim == 2 and y.shape[0] == scene[a].shape[1])
    return f'torch.einsum("{scene.choose("ij,jk->ik", "ij,jk->ki", "ij,jk->j")}", {a}, {b})'


@says("mse_loss", "huber_loss", "smooth_l1_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits")
def _loss(scene: Scene, name: str) -> str:
    near = _inside(-3, 3)  # the sigmoid of which is a probability away from 0 and 1
    a = scene.pick(lambda x: x.size and (name != "binary_cross_entropy" or near(x)))

    def fits(y: Array) -> bool:  # huber is smooth but for its second derivative
        return y.shape == scene[a].shape and (name[0] not in "hs" or _inside(avoid=[-1.0, 1.0])(scene[a] - y))

    manner = scene.choose("mean", "sum", "none")
    first = f"torch.sigmoid({a})" if name == "binary_cross_entropy" else a
    return f'functional.{name}({first}, {scene.pick(fits, a)}, reduction="{manner}")'


@says("cross_entropy", "nll_loss")
def _cross_entropy(scene: Scene, name: str) -> str:
    a = scene.pick(lambda x: x.ndim == 2 and x.size)
    rows, classes = scene[a].shape
    return f"functional.{name}({a}, torch.tensor({[(scene.die(classes) + i) % classes for i in range(rows)]}))"


# ------------------------------------------------------------------------------------------ writes
@says("write_all", "write_part", "write_view", "write_index", "view_then_write")
def _write(scene: Scene, name: str) -> list[str]:
    """Values changed in place: clones, so that nothing saved is lost; wholly, in part, through a view, under one."""
    a = scene.pick(_filled)
    shape, c = scene[a].shape, scene.fresh()
    part = shape if name == "write_all" else shape[1:]
    b = scene.pick(lambda y: _broadcast(y.shape, part) == part, a)
    clone = f"{c} = {a}.clone()"
    if name == "write_all":
        return [clone, scene.choose(f"{c}.mul_({b})", f"{c} += {b}", f"{c}.copy_({b})", f"{c}.sub_({b})")]
    i = scene.die(shape[0])
    if name == "write_part":
        return [clone, scene.choose(f"{c}[{i}] = {b}", f"{c}[{i}:] = {b}", f"{c}[..., 0] = {i}.5")]
    if name == "write_index":
        return [clone, f"{c}[[{i}]] = {b}"]
    if name == "write_view":
        return [clone, scene.choose(f"{c}.select(0, {i}).mul_({b})", f"{c}.transpose(0, -1).mul_(2.0)")]
    v = scene.fresh()
    return [clone, f"{v} = {c}[{i}]", scene.choose(f"{c}.add_({b})", f"{c}.mul_(0.5)")]


# ------------------------------------------------------------------------------------------ building
INPUTS = Domain(-2, 2)
FORMS = (
    (), (1,), (2,), (3,), (1, 1), (2, 1), (2, 2), (2, 3), (3, 2), (1, 3), (1, 2, 2), (2, 2, 2), (2, 1, 3), (0,), (2, 0),
)  # fmt: skip
TRIES = 6


def programs(ops: Iterable[str] | None = None, depth: int = 12, inputs: int = 3, elements: Any = INPUTS) -> Strategy:
    """Random programs: functions of tensors that share values, broadcast, reduce, index, multiply, view and write.

    Args:
        ops: the words they are made of (default: all of `programs.vocabulary()`), e.g. `("add", "mul", "tanh")`.
        depth: the largest number of steps. inputs: the largest number of inputs.
        elements: what the inputs are filled with: a domain, or a strategy for elements.

    Returns:
        A strategy of `Program`: call it with `*program.inputs()`, print it, `draw` it.

    They shrink to the shortest program, with the shortest numbers, that still shows what is wrong.

    >>> from hypothesis import given, settings
    >>> from tinygrad_pt.testing import assert_gradients
    >>> @settings(max_examples=10)
    ... @given(programs(ops=["mul", "tanh", "sum"], depth=4))
    ... def test_gradients(program):
    ...     assert_gradients(program, *program.inputs())
    >>> test_gradients()
    """
    words = list(VOCABULARY) if ops is None else list(ops)
    for word in words:
        if word not in VOCABULARY:
            raise ValueError(f"no word of programs is {word!r}; there are {', '.join(VOCABULARY)}")
    die = st.integers(0, 11)
    step = st.tuples(st.integers(0, len(words) - 1), st.tuples(*[die] * 6))
    # The steps come first, and a number and then that many of them: where Hypothesis varies an example by copying one
    # part over another, whatever stands behind a part of another length becomes as simple as possible.
    chosen = st.integers(1, depth).flatmap(lambda n: st.tuples(*[step] * n))
    drawn = st.lists(st.sampled_from(FORMS), min_size=1, max_size=inputs).flatmap(
        lambda forms: st.tuples(*(values(form, elements, slot) for slot, form in enumerate(forms)))
    )
    return st.builds(build, chosen, st.integers(0, 3), drawn, st.just(words))


programs.vocabulary = lambda: list(VOCABULARY)  # type: ignore[attr-defined] # the words, as `ops` takes them


def build(
    steps: tuple[tuple[int, tuple[int, ...]], ...], results: int, inputs: tuple[Any, ...], words: list[str]
) -> Program:
    """The program that these steps say, without the lines on which no result depends.

    A step is the place of its word, and dice; where that word fits nothing, one of the words behind it stands in.
    """
    arguments = {f"x{i}": np.asarray(x, np.float64) for i, x in enumerate(inputs)}
    namespace: dict[str, Any] = dict(NAMESPACE) | {n: wrap(x.copy()) for n, x in arguments.items()}
    live = dict(arguments)
    blocks: list[tuple[list[str], list[str]]] = []  # lines, and the names they leave
    numbers = count()
    for place, dice in steps:
        names: list[str] = []

        def fresh(names: list[str] = names) -> str:
            names.append(f"w{next(numbers)}")
            return names[-1]

        for word in (words[place:] + words[:place])[:TRIES]:
            try:
                made = VOCABULARY[word](Scene(live, dice, fresh))
                break
            except Unfit:
                names.clear()
        else:
            continue
        lines = [made] if isinstance(made, str) else made
        if not names:
            lines[-1] = f"{fresh()} = {lines[-1]}"
        with no_grad(), np.errstate(all="ignore"):
            exec("\n".join(lines), namespace)
        found = {n: namespace[n].array for n in names}
        if all(x.size <= MOST and x.ndim <= 4 and np.all(np.abs(x) <= LARGEST) for x in found.values()):
            blocks.append((lines, names))
            # Copies: a later line may write where an earlier value lies.
            live.update((n, np.array(x)) for n, x in found.items())
    return _tidy(arguments, blocks, results)


def _tidy(arguments: dict[str, Any], blocks: list[tuple[list[str], list[str]]], results: int) -> Program:
    """Choose the results, drop what none of them needs, and number the names anew."""
    made = [n for _, names in blocks for n in names] or list(arguments)[-1:]
    used = {w for lines, names in blocks for w in NAME.findall("\n".join(lines)) if w not in names}
    wanted = [made[-1], *[n for n in reversed(made[:-1]) if n not in used][:results]]
    needed, kept = set(wanted), []
    for lines, names in reversed(blocks):
        if needed & set(names):
            kept.append((lines, names))
            needed |= {w for line in lines for w in NAME.findall(line)}
    kept.reverse()
    arguments = {n: x for n, x in arguments.items() if n in needed} or dict(list(arguments.items())[:1])
    new = {old: f"x{i}" for i, old in enumerate(arguments)}
    new |= {old: f"v{i}" for i, old in enumerate(n for _, names in kept for n in names)}
    lines = [NAME.sub(lambda m: new.get(m.group(), m.group()), line) for block, _ in kept for line in block]
    return Program({new[n]: x for n, x in arguments.items()}, lines, [new[n] for n in wanted])
