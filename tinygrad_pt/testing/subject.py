"""A subject is a function to check, in one form for all: from arrays to arrays, with its vector-Jacobian product."""

from __future__ import annotations

import inspect
import re
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from functools import cached_property, partial
from typing import Any

import numpy as np

from tinygrad_pt import autograd
from tinygrad_pt.calling import wrap
from tinygrad_pt.debugging.holders import owner_of
from tinygrad_pt.errors import refuse
from tinygrad_pt.graph import Tensor
from tinygrad_pt.listening import Tape, listen
from tinygrad_pt.modes import is_grad_enabled
from tinygrad_pt.testing.wide import DOUBLE, WIDE, WIDER, computing

Array = np.ndarray[Any, Any]
Pull = Callable[[list[Array]], list[Array | None]]


class Flaw(Exception):
    """A backward that gives no gradient to compare: `kind` is a hint's word, `slot` the input's number if known."""

    def __init__(self, kind: str, text: str, slot: int | None = None) -> None:
        super().__init__(text)
        self.kind, self.slot = kind, slot


def array_of(x: Any) -> Any:
    """The array of a tensor; anything else unchanged."""
    return x.array if isinstance(x, Tensor) else x


def double(x: Any, kind: Any = DOUBLE) -> Any:
    """A copy in float64, or in another `kind`, if it is an array of floating point numbers; else it is unchanged."""
    if isinstance(x, np.ndarray):
        return np.array(x, kind) if x.dtype.kind == "f" else x
    return float(x) if isinstance(x, np.floating) else x


def results_of(results: Any) -> list[Any]:
    """What a function returned, one result or several, as a list."""
    return list(results) if isinstance(results, (tuple, list)) else [results]


def outputs_of(results: Any) -> list[Array]:
    """The floating point arrays among the results of a function."""
    arrays = [np.asarray(array_of(y)) for y in results_of(results)]
    return [y for y in arrays if y.dtype.kind == "f"]


def floating_tensors(results: Any) -> list[Tensor]:
    """The floating point tensors among the results of a function."""
    return [y for y in results_of(results) if isinstance(y, Tensor) and y.array.dtype.kind == "f"]


def signed(draw: np.random.Generator, shape: Any) -> Array:
    """Random numbers of both signs, away from 0."""
    return np.asarray(draw.uniform(0.5, 1.5, shape) * draw.choice([-1.0, 1.0], shape))


def floating(x: Any) -> bool:
    """Whether it is an array of floating point numbers: something a gradient can be asked for."""
    return isinstance(x, np.ndarray) and x.dtype.kind == "f"


def names_of(f: Callable[..., Any], count: int) -> list[str]:
    """The names of f's parameters, as far as it has some."""
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    named = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return [named[i] if i < len(named) else f"input {i}" for i in range(count)]


def slots_of(inputs: Sequence[Any], argnums: Sequence[int] | None, kind: str = "tensor") -> list[int]:
    """The positions to check: the given ones, or all floating point arrays."""
    found = [i for i, x in enumerate(inputs) if floating(array_of(x))]
    if argnums is None:
        if not found:
            raise refuse(ValueError, f"gradcheck needs a floating point {kind} among the inputs")
        return found
    for i in argnums:
        if i not in found:
            raise refuse(ValueError, f"argument {i} is no floating point {kind}: it has no gradient to check")
    return list(argnums)


class Subject:
    """A function and its derivative as the checker sees them; `inputs` are arrays in float64, or other things.

    `values(inputs)` gives the floating point results. `pull(inputs)` gives them too, and a function from one
    gradient per result to one gradient (or None) per checked input. `eps` is the coarsest rounding on the way.
    """

    inputs: list[Any]
    slots: list[int]
    kind: Any = DOUBLE  # the precision in which results are joined: float64, or WIDE
    eps: float = float(np.finfo(np.float64).eps)
    tensors: bool = False  # whether ops can be listened to
    function: Callable[..., Any]
    found: list[Array] | None = None  # the values at `inputs`

    @cached_property
    def names(self) -> list[str]:
        """The names of the inputs, which only a report needs."""
        return names_of(self.function, len(self.inputs))

    @property
    def first(self) -> list[Array]:
        """The values at `inputs`, computed once."""
        if self.found is None:
            self.found = [np.array(y) for y in self.values(self.fresh())]
        return self.found

    def values(self, inputs: Sequence[Any]) -> list[Array]:
        raise NotImplementedError

    def pull(self, inputs: Sequence[Any]) -> tuple[list[Array], Pull]:
        raise NotImplementedError

    def fresh(self) -> list[Any]:
        """The inputs, in memory of their own."""
        return [np.array(x) if isinstance(x, np.ndarray) else x for x in self.inputs]

    def wider(self) -> Subject | None:
        """The same function in extended precision; None where it, or the machine, knows nothing wider than float64."""
        if not WIDER or self.eps > float(np.finfo(np.float64).eps):
            return None
        other = copy(self)
        other.inputs, other.kind, other.eps, other.found = [double(x, WIDE) for x in self.inputs], WIDE, 0.0, None
        try:
            other.explore()
        except Exception:  # some step of it takes no such numbers
            return None
        return other if other.eps == float(np.finfo(WIDE).eps) else None

    def explore(self) -> None:
        """Call the function once, and note the coarsest dtype of what it computes from its inputs."""
        raise NotImplementedError

    def rounding(self, dtypes: Sequence[Any]) -> None:
        """Take note of the dtypes met on the way."""
        self.eps = max([self.eps, *(float(np.finfo(d).eps) for d in dtypes if np.dtype(d).kind == "f")])


class NumpySubject(Subject):
    """`f(*arrays) -> array` beside `vjp(g, *arrays) -> tuple of arrays`."""

    def __init__(self, f: Any, vjp: Any, inputs: Sequence[Any], argnums: Sequence[int] | None) -> None:
        raw = [array_of(x) for x in inputs]
        raw = [np.asarray(x, np.float64) if isinstance(x, (float, np.floating)) else x for x in raw]
        self.function, self.vjp, self.slots = f, vjp, slots_of(raw, argnums, "array")
        self.inputs = [double(x) for x in raw]
        try:
            self.explore()
        except (TypeError, ValueError, RuntimeError):
            if all(not floating(x) or x.dtype == np.float64 for x in raw):
                raise
            self.inputs = [np.array(x) if floating(x) else x for x in raw]
            self.explore()

    def explore(self) -> None:
        with np.errstate(all="ignore"):
            results = self.function(*self.fresh())
        self.joined = isinstance(results, (tuple, list))
        found = outputs_of(results)
        if not found:
            raise refuse(TypeError, "the function must return a floating point array, or a tuple with some")
        self.rounding([y.dtype for y in found])
        self.found = [np.array(y) for y in found]

    def values(self, inputs: Sequence[Any]) -> list[Array]:
        with np.errstate(all="ignore"):
            return outputs_of(self.function(*inputs))

    def pull(self, inputs: Sequence[Any]) -> tuple[list[Array], Pull]:
        ys = self.values(inputs)

        def apply(gs: list[Array]) -> list[Array | None]:
            try:
                with np.errstate(all="ignore"):
                    found = self.vjp(tuple(gs) if self.joined else gs[0], *inputs)
            except Exception as e:
                raise flaw_of(e) from e
            parts = list(found) if isinstance(found, (tuple, list)) else [found]
            if len(parts) == len(inputs):
                parts = [parts[i] for i in self.slots]
            elif len(parts) != len(self.slots):
                raise Flaw("count", f"the vjp returned {len(parts)} gradients for {len(inputs)} inputs")
            return [self.fitting(r, slot, inputs[slot]) for r, slot in zip(parts, self.slots, strict=True)]

        return ys, apply

    def fitting(self, r: Any, slot: int, x: Array) -> Array | None:
        """A gradient of an input, if it has the input's shape and is a floating point array."""
        if r is None:
            return None
        if not isinstance(r, (np.ndarray, np.generic, float, int)):
            raise Flaw("dtype", f"the vjp returned a {type(r).__name__} for {self.names[slot]}", slot)
        found = np.asarray(r)
        if found.dtype.kind != "f" and np.any(found):
            raise Flaw("dtype", f"the vjp returned {found.dtype} for {self.names[slot]}, which is {x.dtype}", slot)
        if found.shape != x.shape:
            raise misshapen(f"the gradient of {self.names[slot]}", found.shape, x.shape, slot)
        return found


def misshapen(what: str, got: tuple[int, ...], expected: tuple[int, ...], slot: int | None) -> Flaw:
    """The flaw of a gradient whose shape is not its input's."""
    text = f"{what} has shape {list(got)}, and should have {list(expected)}"
    try:
        wider = np.broadcast_shapes(got, expected) == got
    except ValueError:
        wider = False
    if sorted(got) == sorted(expected):
        return Flaw("transpose", f"transpose: {text}", slot)
    if wider:
        return Flaw("unsummed axis", f"unsummed axis: {text}; sum over the axes that were broadcast", slot)
    return Flaw("unsummed axis" if len(got) != len(expected) else "shape", f"wrong shape: {text}", slot)


class TensorSubject(Subject):
    """A function of tensors, differentiated by the engine.

    The tensors that f uses without being given them, a network's parameters for example, are `captured`. In float32
    they would make the results as coarse as themselves; so while f is called they show their values in float64 too.
    """

    tensors = True

    def __init__(self, f: Any, inputs: Sequence[Any], argnums: Sequence[int] | None) -> None:
        self.function, self.slots = f, slots_of(inputs, argnums)
        self.handles = [isinstance(x, Tensor) for x in inputs]
        self.leaves = False  # is f called with inputs that require grad, even where only values are asked for?
        self.captured: list[Tensor] = []
        self.shown: dict[Any, list[Array]] = {}  # per precision, the values of the captured tensors
        self.raised = False  # are those shown in float64?
        self.found = None
        self.unrecorded, self.recorded = autograd.no_grad(), autograd.enable_grad()
        arrays = [array_of(x) for x in inputs]
        self.inputs = [np.array(x) if floating(x) else x for x in arrays]
        self.explore()
        floats = [x for x in [*self.inputs, *(t.array for t in self.captured)] if floating(x)]
        if any(x.dtype != DOUBLE for x in floats):
            self.raise_to_double()

    def raise_to_double(self) -> None:
        """Compute in float64 what was given in less; unless f insists on less."""
        plain = self.inputs, self.eps
        for raised in [True, False] if self.captured else [False]:
            self.inputs, self.eps = [double(x) for x in self.inputs], Subject.eps
            self.raised = raised
            try:
                self.explore()
                return
            except (TypeError, ValueError, RuntimeError):
                self.inputs, self.eps, self.raised = *plain, False

    def explore(self) -> None:
        """Call f once; note the captured tensors, and the coarsest dtype among what is computed from the inputs.

        Then, whether its values are the same without a graph: if so, they will be computed without one.
        """
        args = self.arguments(self.inputs, True)
        made: list[Any] = []  # keeps what is told apart by its number
        depends = {id(owner_of(args[i].array)) for i in self.slots}
        known = {id(a) for a in args}
        met: set[Any] = set()
        captured: dict[int, Any] = {}

        def tape(op: Any, xs: Any, attrs: Any, result: Any) -> None:
            tensors = [x for x in xs if isinstance(x, Tensor)]
            for x in tensors:
                if id(x) not in known and floating(x.array) and id(owner_of(x.array)) not in depends:
                    captured.setdefault(id(x), weakref.ref(x))
            if any(id(owner_of(x.array)) in depends for x in tensors):
                depends.add(id(owner_of(result.array)))
                if floating(result.array):
                    met.add(result.array.dtype)
            known.add(id(result))
            made.append((result, result.array))

        with listen(Tape(tape)):
            results = self.call(args)
        ys = [y.array for y in floating_tensors(results)]
        if not ys:
            raise refuse(TypeError, "the function must return a floating point tensor, or a tuple with some")
        self.rounding([*met, *(y.dtype for y in ys)])
        made.clear()
        del results
        if not self.shown:
            self.captured = [t for t in (ref() for ref in captured.values()) if t is not None]
        self.leaves = False
        try:
            self.found = again = [np.array(y) for y in self.values(self.inputs)]
            self.leaves = len(again) != len(ys) or any(
                a.dtype != b.dtype or not np.array_equal(a, b, equal_nan=True) for a, b in zip(again, ys, strict=True)
            )
        except Exception:  # it differentiates something itself, or asks its inputs whether they require grad
            self.leaves = True
        if self.leaves:
            self.found = None

    def arguments(self, inputs: Sequence[Any], leaves: bool) -> list[Any]:
        """The inputs as tensors, as fresh leaves where they are to be differentiated."""
        fresh = [
            wrap(x) if isinstance(x, np.ndarray) and tensor else x
            for x, tensor in zip(inputs, self.handles, strict=True)
        ]
        if leaves:
            for i in self.slots:
                fresh[i].requires_grad_()
        return fresh

    def call(self, args: Sequence[Any]) -> Any:
        """f, in the subject's precision."""
        with np.errstate(all="ignore"):
            if self.kind is DOUBLE and not self.raised:
                return self.function(*args)
            with self.showing():
                return self.function(*args)

    @contextmanager
    def showing(self) -> Iterator[None]:
        """Inside, the captured tensors have their values in the subject's precision."""
        shown = self.shown.get(self.kind)
        if shown is None:
            shown = self.shown[self.kind] = [double(t.array, self.kind) for t in self.captured]
        before = [t.array for t in self.captured]
        with computing(self.kind):
            try:
                for t, array in zip(self.captured, shown, strict=True):
                    t.array = array
                yield
            finally:
                for t, array in zip(self.captured, before, strict=True):
                    t.array = array

    def values(self, inputs: Sequence[Any]) -> list[Array]:
        args = self.arguments(inputs, self.leaves)
        if self.leaves:
            return [y.array for y in floating_tensors(self.call(args))]
        with self.unrecorded:
            return [y.array for y in floating_tensors(self.call(args))]

    def run(self, inputs: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """The leaves and the floating point results as tensors, with a graph between them."""
        args = self.arguments(inputs, True)
        with self.recorded:
            results = self.call(args)
        return [args[i] for i in self.slots], floating_tensors(results)

    def pull(self, inputs: Sequence[Any]) -> tuple[list[Array], Pull]:
        xs, ys = self.run(inputs)
        return [y.array for y in ys], partial(self.back, xs, ys)

    def back(self, xs: Sequence[Any], ys: Sequence[Any], gs: Sequence[Any]) -> list[Array | None]:
        """The gradients of Σ g·y by the leaves of a run."""
        with computing(self.kind):
            return backward(xs, ys, gs)


def backward(xs: Sequence[Any], ys: Sequence[Any], gs: Sequence[Any], create: bool = False) -> list[Any]:
    """Gradients of Σ g·y by the engine; what it raises is a Flaw."""
    used = [(y, g) for y, g in zip(ys, gs, strict=True) if y.node is not None]
    if not used:
        return [None] * len(xs)
    try:
        with np.errstate(all="ignore"):
            found = autograd.grad(
                [y for y, _ in used], xs, [g if isinstance(g, Tensor) else wrap(g) for _, g in used],
                retain_graph=True, create_graph=create, allow_unused=True,
            )  # fmt: skip
    except Exception as e:
        raise flaw_of(e) from e
    return list(found) if create else [None if g is None else g.array for g in found]


def flaw_of(error: Exception) -> Flaw:
    """What an error raised inside the backward says about the gradient."""
    text = f"the backward raised {type(error).__name__}: {error}"
    shapes = re.search(r"got \[([\d, ]*)\] but expected shape compatible with \[([\d, ]*)\]", str(error))
    if shapes:
        got, expected = (tuple(int(n) for n in part.split(",") if n.strip()) for part in shapes.groups())
        return Flaw(misshapen("", got, expected, None).kind, text)
    if "incorrect number of gradients" in str(error):
        return Flaw("count", text)
    if "read-only" in str(error):
        return Flaw("mutation", f"{text}; a backward may not write into what it is given")
    return Flaw("raised", text)


class Derivative(TensorSubject):
    """The gradient of a function of tensors, as a function itself: (inputs, v) ↦ ∂(Σ v·f)/∂inputs."""

    def __init__(self, of: TensorSubject, seed: int, given: Sequence[Any] | None = None) -> None:
        self.of, self.count = of, len(of.inputs)
        draw = np.random.default_rng(seed)
        ys = of.values(of.inputs)
        seeds = [signed(draw, y.shape).astype(y.dtype) for y in ys]
        if given is not None:
            seeds = [np.array(array_of(v), s.dtype) for v, s in zip(given, seeds, strict=True)]
        self.inputs = [*of.inputs, *seeds]
        self.slots = [*of.slots, *range(self.count, self.count + len(seeds))]
        self.names = [*of.names, *(f"g{i}" for i in range(len(seeds)))]
        self.handles = [*of.handles, *[True] * len(seeds)]
        self.eps, self.leaves, self.unrecorded, self.recorded = of.eps, False, of.unrecorded, of.recorded

    def wider(self) -> Subject | None:
        of = self.of.wider()
        if of is None:
            return None
        other = copy(self)
        other.of, other.inputs = of, [double(x, WIDE) for x in self.inputs]  # type: ignore[assignment]
        other.kind, other.eps, other.found = WIDE, of.eps, None
        try:
            return other if all(y.dtype == WIDE for y in other.first) else None
        except Exception:
            return None

    def call(self, args: Sequence[Any]) -> Any:
        """∂(Σ v·f)/∂inputs as tensors, which can be differentiated again where gradients are recorded."""
        slots, create = self.of.slots, is_grad_enabled()
        given = [
            a.detach().requires_grad_() if i in slots and a.node is None else a
            for i, a in enumerate(args[: self.count])
        ]
        with self.recorded, computing(self.kind):
            ys = floating_tensors(self.of.call(given))
            xs = [given[i] for i in slots]
            found = backward(xs, ys, args[self.count :], create=True)
        if not create:
            found = [g if g is None else g.detach() for g in found]
        return tuple(wrap(np.zeros_like(x.array)) if g is None else g for g, x in zip(found, xs, strict=True))


class Flat:
    """A subject as a function from one vector, its checked inputs joined, to another, its results joined."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.shapes = [subject.inputs[i].shape for i in subject.slots]
        self.ends = np.cumsum([0, *(int(np.prod(s)) for s in self.shapes)])
        self.parts = [slice(int(a), int(b)) for a, b in zip(self.ends, self.ends[1:], strict=False)]
        parts = [np.ravel(subject.inputs[i]) for i in subject.slots]
        self.eps = subject.eps
        self.x = np.concatenate(parts).astype(np.float64) if parts else np.zeros(0)
        ys = subject.first
        self.results, self.dtypes = [y.shape for y in ys], [y.dtype for y in ys]
        self.y = self.joined(ys)

    def joined(self, ys: Sequence[Array]) -> Array:
        kind = self.subject.kind
        if len(ys) == 1:
            return ys[0].ravel().astype(kind)
        return np.concatenate([np.ravel(y) for y in ys]).astype(kind, copy=False) if ys else np.zeros(0, kind)

    def inputs(self, v: Array) -> list[Any]:
        """The inputs of the subject with the vector's parts in their places."""
        slots, given = self.subject.slots, self.subject.inputs
        args = [x.copy() if i not in slots and floating(x) else x for i, x in enumerate(given)]
        for slot, part, shape in zip(slots, self.parts, self.shapes, strict=True):
            args[slot] = v[part].reshape(shape).astype(given[slot].dtype, copy=False)
        return args

    def __call__(self, v: Array) -> Array:
        """The results at a vector; NaN where there is none, or where they have another shape."""
        try:
            ys = self.subject.values(self.inputs(v))
        except (ArithmeticError, ValueError, Flaw):
            return np.full(self.y.shape, np.nan)
        if [y.shape for y in ys] != self.results:
            return np.full(self.y.shape, np.nan)
        return self.joined(ys)

    def pulled(self, v: Array) -> Callable[[Array], tuple[Array, Array]]:
        """At a vector, the map from a gradient of the results to one of the inputs, and which of them are None."""
        _, pull = self.subject.pull(self.inputs(v.copy()))
        ends = np.cumsum([0, *(int(np.prod(s)) for s in self.results)])

        def apply(g: Array) -> tuple[Array, Array]:
            gs = [
                np.array(g[a:b], kind).reshape(shape)
                for a, b, shape, kind in zip(ends, ends[1:], self.results, self.dtypes, strict=False)
            ]
            found, given = np.zeros(self.x.size, self.subject.kind), np.zeros(len(self.shapes), bool)
            for k, r in enumerate(pull(gs)):
                if r is not None:
                    given[k] = True
                    found[self.parts[k]] = r.ravel()
            return found, given

        return apply

    def place(self, i: int) -> tuple[int, tuple[int, ...]]:
        """Which input the i-th element of the vector belongs to (by its number), and where in it."""
        k = int(np.searchsorted(self.ends, i, "right")) - 1
        return self.subject.slots[k], _index(i - int(self.ends[k]), self.shapes[k])

    def result_place(self, i: int) -> tuple[int, tuple[int, ...]]:
        """Which result the i-th element of the joined results belongs to, and where in it."""
        for output, shape in enumerate(self.results):
            size = int(np.prod(shape))
            if i < size:
                return output, _index(i, shape)
            i -= size
        raise IndexError(i)


def _index(i: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(int(k) for k in np.unravel_index(i, shape)) if shape else ()
