"""A subject is a function to check, in one form for all: from arrays to arrays, with its vector-Jacobian product."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_pt import autograd
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.graph import Tensor
from tinygrad_pt.listening import Tape, listen

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


def double(x: Any) -> Any:
    """A copy in float64 if it is an array of floating point numbers; anything else unchanged."""
    if isinstance(x, np.ndarray):
        return np.array(x, np.float64) if x.dtype.kind == "f" else x
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
    names: list[str]
    eps: float = float(np.finfo(np.float64).eps)
    tensors: bool = False  # whether ops can be listened to
    function: Callable[..., Any]

    def values(self, inputs: Sequence[Any]) -> list[Array]:
        raise NotImplementedError

    def pull(self, inputs: Sequence[Any]) -> tuple[list[Array], Pull]:
        raise NotImplementedError

    def fresh(self) -> list[Any]:
        """The inputs, in memory of their own."""
        return [np.array(x) if isinstance(x, np.ndarray) else x for x in self.inputs]

    def tried(self, inputs: list[Any], call: Callable[[], Any]) -> Any:
        """A first call, with the inputs in float64, or in their own dtypes where the function insists on those."""
        self.inputs = [double(x) for x in inputs]
        try:
            return call()
        except (TypeError, ValueError, RuntimeError):
            if all(not floating(x) or x.dtype == np.float64 for x in inputs):
                raise
            self.inputs = [np.array(x) if floating(x) else x for x in inputs]
            return call()

    def rounding(self, dtypes: Sequence[Any]) -> None:
        """Take note of the dtypes met on the way."""
        self.eps = max([self.eps, *(float(np.finfo(d).eps) for d in dtypes if np.dtype(d).kind == "f")])


class NumpySubject(Subject):
    """`f(*arrays) -> array` beside `vjp(g, *arrays) -> tuple of arrays`."""

    def __init__(self, f: Any, vjp: Any, inputs: Sequence[Any], argnums: Sequence[int] | None) -> None:
        raw = [array_of(x) for x in inputs]
        raw = [np.asarray(x, np.float64) if isinstance(x, (float, np.floating)) else x for x in raw]
        self.function, self.vjp = f, vjp
        self.slots, self.names = slots_of(raw, argnums, "array"), names_of(f, len(raw))
        results = self.tried(raw, lambda: f(*self.inputs))
        self.joined = isinstance(results, (tuple, list))
        found = outputs_of(results)
        if not found:
            raise refuse(TypeError, "the function must return a floating point array, or a tuple with some")
        self.rounding([y.dtype for y in found])

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
    """A function of tensors, differentiated by the engine."""

    tensors = True

    def __init__(self, f: Any, inputs: Sequence[Any], argnums: Sequence[int] | None) -> None:
        self.function, self.slots, self.names = f, slots_of(inputs, argnums), names_of(f, len(inputs))
        self.handles = [isinstance(x, Tensor) for x in inputs]
        self.leaves = False  # does f insist on inputs that require grad, even where only values are asked for?
        self.tried([array_of(x) for x in inputs], self.explore)

    def explore(self) -> None:
        """Call f once, and note the coarsest dtype among all that it computes."""
        met = set()

        def tape(op: Any, args: Any, attrs: Any, result: Any) -> None:
            if result.array.dtype.kind == "f":
                met.add(result.array.dtype)

        with listen(Tape(tape)):
            try:
                results = self.function(*self.arguments(self.inputs, False))
            except RuntimeError:
                self.leaves = True
                results = self.function(*self.arguments(self.inputs, True))
        if not floating_tensors(results):
            raise refuse(TypeError, "the function must return a floating point tensor, or a tuple with some")
        self.rounding(list(met))

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

    def values(self, inputs: Sequence[Any]) -> list[Array]:
        with np.errstate(all="ignore"):
            results = self.function(*self.arguments(inputs, self.leaves))
        return [y.array for y in floating_tensors(results)]

    def run(self, inputs: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """The leaves and the floating point results as tensors, with a graph between them."""
        args = self.arguments(inputs, True)
        with np.errstate(all="ignore"):
            results = self.function(*args)
        return [args[i] for i in self.slots], floating_tensors(results)

    def pull(self, inputs: Sequence[Any]) -> tuple[list[Array], Pull]:
        xs, ys = self.run(inputs)
        return [y.array for y in ys], lambda gs: backward(xs, ys, gs)


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
        self.eps, self.leaves, self.function = of.eps, False, self.gradient

    def gradient(self, *args: Any) -> Any:
        """∂(Σ v·f)/∂inputs as tensors that can be differentiated again."""
        slots = self.of.slots
        given = [
            a.detach().requires_grad_() if i in slots and a.node is None else a
            for i, a in enumerate(args[: self.count])
        ]
        with autograd.enable_grad():
            ys = floating_tensors(self.of.function(*given))
            xs = [given[i] for i in slots]
            found = backward(xs, ys, args[self.count :], create=True)
        return tuple(wrap(np.zeros_like(x.array)) if g is None else g for g, x in zip(found, xs, strict=True))


class Flat:
    """A subject as a function from one vector, its checked inputs joined, to another, its results joined."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.shapes = [subject.inputs[i].shape for i in subject.slots]
        self.ends = np.cumsum([0, *(int(np.prod(s)) for s in self.shapes)])
        parts = [np.ravel(subject.inputs[i]) for i in subject.slots]
        self.x = np.concatenate(parts).astype(np.float64) if parts else np.zeros(0)
        ys = subject.values(subject.inputs)
        self.results, self.dtypes = [y.shape for y in ys], [y.dtype for y in ys]
        self.y = self.joined(ys)

    def joined(self, ys: Sequence[Array]) -> Array:
        return np.concatenate([np.ravel(y) for y in ys]).astype(np.float64) if ys else np.zeros(0)

    def inputs(self, v: Array) -> list[Any]:
        """The inputs of the subject with the vector's parts in their places."""
        args = [x.copy() if floating(x) else x for x in self.subject.inputs]
        for k, slot in enumerate(self.subject.slots):
            args[slot] = v[self.ends[k] : self.ends[k + 1]].reshape(self.shapes[k]).astype(args[slot].dtype, copy=False)
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
        _, pull = self.subject.pull(self.inputs(v))
        ends = np.cumsum([0, *(int(np.prod(s)) for s in self.results)])

        def apply(g: Array) -> tuple[Array, Array]:
            gs = [
                np.array(g[a:b], kind).reshape(shape)
                for a, b, shape, kind in zip(ends, ends[1:], self.results, self.dtypes, strict=False)
            ]
            found, given = np.zeros(self.x.size), np.zeros(len(self.shapes), bool)
            for k, r in enumerate(pull(gs)):
                if r is not None:
                    given[k] = True
                    found[self.ends[k] : self.ends[k + 1]] = np.ravel(r)
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
