"""The laws that a gradient keeps whatever its value: it is linear in g, owns its memory and can be repeated.

Each law is a function that raises `Broken` where a subject breaks it; `broken_laws` tries them in turn.
"""

from __future__ import annotations

import functools
import gc
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from tinygrad_pt.autograd import engine
from tinygrad_pt.calling import wrap
from tinygrad_pt.graph import Leaf, Node, Tensor
from tinygrad_pt.testing.numerical import elements, visible_noise
from tinygrad_pt.testing.report import Failure
from tinygrad_pt.testing.subject import Array, Flat, Flaw, Subject, TensorSubject, backward, floating, signed

LOOSE = 1e-9  # how far two computations of the same may differ by the order of their sums, relative to the largest
ENOUGH = 64  # elements whose noise is looked at
FATAL = ("mutation", "determinism")  # after these nothing else can be trusted


@dataclass
class Broken(Exception):
    """A law that does not hold."""

    law: str
    text: str
    kind: str = ""
    slot: int | None = None


def broken_laws(trial: Trial) -> list[Failure]:
    """Every law that a subject breaks; after one that spoils the rest, that one alone."""
    subject, failures = trial.subject, []
    enabled = gc.isenabled()
    gc.disable()  # `freed` asks whether the graph is gone without it
    try:
        for law in (leaves_no_trace, owns_its_memory, repeatable, linear, blind_to_layout, freed):
            try:
                law(trial)
            except Broken as b:
                slot = subject.slots[0] if b.slot is None else b.slot
                kind = b.kind or b.law
                failures.append(Failure(law=b.law, input=slot, name=subject.names[slot], hint=b.text, hint_kind=kind))
                if b.law in FATAL:
                    break
    finally:
        if enabled:
            gc.enable()
    return failures


class Trial:
    """One subject with its inputs, two random gradients, and what a first backward gave."""

    def __init__(self, subject: Subject, seed: int) -> None:
        self.subject, self.seed, self.draw = subject, seed, np.random.default_rng([seed, 1])
        self.ys = subject.first
        self.gs, self.others = self.gradients(), self.gradients()
        self.first: list[Array | None] = []  # as it was returned, and what it was when it was
        self.copies: list[Array | None] = []
        self.kept: list[Array] = []  # what a gradient may not share memory with
        self.pull: Callable[[list[Array]], list[Array | None]] = lambda gs: []
        self.nodes: list[weakref.ref[Any]] = []  # the vertices of the results of that first run

    def gradients(self) -> list[Array]:
        return [np.asarray(signed(self.draw, y.shape), y.dtype) for y in self.ys]

    @functools.cached_property
    def second(self) -> list[Array | None]:
        """What the other gradients give."""
        return _copies(self.pull([g.copy() for g in self.others]))

    @property
    def rows(self) -> tuple[Array, Array]:
        """Both random gradients, and what they gave, as vectors: combinations of the rows of the Jacobian."""
        sizes = [int(np.size(self.subject.inputs[slot])) for slot in self.subject.slots]
        given = [np.concatenate([np.ravel(g) for g in gs]) for gs in (self.gs, self.others)]
        found = [
            np.concatenate([np.zeros(n) if r is None else np.ravel(r) for r, n in zip(grads, sizes, strict=True)])
            for grads in (self.copies, self.second)
        ]
        return np.array(given), np.array(found)

    @functools.cached_property
    def wider(self) -> Trial | None:
        """The same trial in extended precision, with its first backward behind it."""
        subject = self.subject.wider()
        if subject is None:
            return None
        trial = Trial(subject, self.seed)
        leaves_no_trace(trial)
        return trial

    def stays(self, k: int | None, gap: float, again: Callable[[Trial], float]) -> bool:
        """Whether a difference is there in extended precision too; if it is round-off, little of it is left there.

        Where nothing is wider, a gradient may be as noisy as the values are to be seen to be.
        """
        try:
            if self.wider is not None:
                return not again(self.wider) < 0.05 * gap
        except Exception:  # no such numbers
            pass
        flat = Flat(self.subject)
        lines = elements(flat.x) if k is None else elements(flat.x, range(flat.ends[k], flat.ends[k + 1]))
        noise = visible_noise(flat, flat.x, lines[:ENOUGH])
        size = 1.0 if k is None else np.array([line.sizes[0] for line in lines[:ENOUGH]])
        return not gap <= np.max(1e3 * noise / size, initial=0)

    def broken(self, law: str, text: str, k: int | None = None) -> Broken:
        """A law that does not hold, for the checked input number k."""
        return Broken(law, f"{law}: {text}", slot=None if k is None else self.subject.slots[k])

    def name(self, k: int) -> str:
        return self.subject.names[self.subject.slots[k]]

    def noise(self) -> tuple[list[Array], list[Array | None]]:
        """How much values and gradients change when the inputs, and g, are rounded a little differently: the most of
        several times, for where a gradient cancels to 0 some roundings cancel too.
        """
        ys, grads = self.moved()
        for _ in range(7):
            other_ys, other_grads = self.moved()
            ys = [np.fmax(a, b) for a, b in zip(ys, other_ys, strict=True)]
            pairs = zip(grads, other_grads, strict=True)
            grads = [None if a is None or b is None else np.fmax(a, b) for a, b in pairs]
        return ys, grads

    def moved(self) -> tuple[list[Array], list[Array | None]]:
        """How much values and gradients change when the inputs, and g, are moved by a few roundings."""
        eps = self.subject.eps
        inputs = [
            x + np.where(x == 0, 1, x) * eps * self.draw.uniform(-8, 8, x.shape) if floating(x) else x
            for x in self.subject.fresh()
        ]
        ys, pull = self.subject.pull([np.asarray(x, o.dtype) if floating(o) else x
                                      for x, o in zip(inputs, self.subject.inputs, strict=True)])  # fmt: skip
        rounded = [g * (1 + eps * self.draw.uniform(-8, 8, g.shape)) for g in self.gs]
        grads = pull([np.asarray(r, g.dtype) for r, g in zip(rounded, self.gs, strict=True)])
        with np.errstate(all="ignore"):
            values = [np.abs(a - b) for a, b in zip(ys, self.ys, strict=True)]
            pairs = zip(grads, self.copies, strict=True)
            return values, [None if a is None or b is None else np.abs(a - b) for a, b in pairs]

    def cancelled(self, k: int) -> Array:
        """What round-off leaves of a gradient whose parts cancel to 0: some of the size of g·y/x, that of the parts."""
        x = np.abs(self.subject.inputs[self.subject.slots[k]])
        parts = sum(
            np.sum((2 * np.abs(g) + 3 * np.abs(h)) * np.where(np.isfinite(y), np.abs(y), 0))
            for g, h, y in zip(self.gs, self.others, self.ys, strict=True)
        )
        return np.asarray(10 * self.subject.eps * parts / np.where(x == 0, 1, x))

    def differ(self, a: Array | None, b: Array | None, size: Array | None, noise: Callable[[], Any]) -> bool:
        """Whether two arrays that should be the same are not, round-off apart; of `size`, or as large as b."""
        if a is None or b is None:
            return (a is None) != (b is None) and bool(np.any(b if a is None else a))
        if _same(a, b):
            return False
        scale = np.asarray(_size(b) if size is None else size)
        with np.errstate(all="ignore"):
            if np.max(np.abs(a - b), initial=0) <= LOOSE * np.max(scale, initial=0):
                return False
            gap = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, np.abs(a - b))
            gap = np.where(np.isfinite(scale), gap, 0.0)
            scale = np.where(np.isfinite(scale), np.abs(scale), 0)
            allowed = 1e-6 * scale + max(LOOSE, 1e3 * self.subject.eps) * np.max(scale, initial=0)
            if np.all(gap <= allowed):
                return False
            unsteady = noise()
            extra = 100 * np.max(np.where(np.isfinite(unsteady), unsteady, 0), initial=0) if unsteady is not None else 0
            return not bool(np.all(gap <= allowed + extra))


# ---------------------------------------------------------------------------------------------- the laws
def leaves_no_trace(t: Trial) -> None:
    """The same inputs give the same values; and neither function nor backward changes its inputs, g, the results, or
    what was saved.
    """
    inputs, gs = t.subject.fresh(), [g.copy() for g in t.gs]
    watched: list[tuple[str, Array, Array]] = []
    hooked: list[Node] = []
    if isinstance(t.subject, TensorSubject):
        xs, tensors = t.subject.run(inputs)
        ys = [y.array for y in tensors]
        watched, hooked = watch(tensors)
        t.nodes = [weakref.ref(y.node) for y in tensors if y.node is not None and not isinstance(y.node, Leaf)]
        t.pull = functools.partial(t.subject.back, xs, tensors)
    else:
        ys, t.pull = t.subject.pull(inputs)
    if len(ys) != len(t.ys) or not all(_same(a, b) for a, b in zip(ys, t.ys, strict=True)):
        text = "non-deterministic: the same inputs give other values the second time; fix the seed of whatever is "
        raise Broken("determinism", text + "random in the function, or pass it in", "non-deterministic")
    _unchanged(t, inputs, "the function changes its input {} in place")
    before = [y.copy() for y in ys]
    t.first = t.pull(gs)
    t.copies = _copies(t.first)
    for node in hooked:
        del node.note("hooks")["watch"]
    for g, original in zip(gs, t.gs, strict=True):
        if not _same(g, original):
            raise t.broken("mutation", "the backward changes the incoming gradient g in place")
    for what, array, copy in watched:
        if not _same(array, copy):
            raise t.broken("mutation", f"a backward changes {what} in place")
    _unchanged(t, inputs, "the backward changes the input {} in place")
    if not all(_same(a, b) for a, b in zip(ys, before, strict=True)):
        raise t.broken("mutation", "the backward changes the function's result in place")
    t.kept = [*(x for x in inputs if floating(x)), *gs, *ys]


def watch(tensors: Sequence[Any]) -> tuple[list[tuple[str, Array, Array]], list[Node]]:
    """Arrays inside a graph that a backward must not change: saved values, and gradients as they pass.

    For these the vertices that are returned have a hook.
    """
    found: list[tuple[str, Array, Array]] = []
    hooked: list[Node] = []

    def hook(name: str, g: Tensor) -> None:
        found.append((f"the gradient of the result of {name}", g.array, g.array.copy()))

    for node in engine.order([y.node for y in tensors if y.node is not None]):
        name = node.op.name
        for a in node.args or ():
            if isinstance(a, np.ndarray):
                found.append((f"a value saved for {name}", a, a.copy()))
        if node.note("shapes") is None:
            node.set_note("hooks", {**node.note("hooks", {}), "watch": functools.partial(hook, name)})
            hooked.append(node)
    return found, hooked


def owns_its_memory(t: Trial) -> None:
    """A gradient shares no memory with inputs, g, results, or another gradient, and nobody writes it later."""
    grads = [(k, r) for k, r in enumerate(t.first) if r is not None and r.size]
    for k, r in grads:
        for other in t.kept:
            if _shared(r, other):
                text = f"the gradient of {t.name(k)} shares memory with an input, g or the result; return a copy"
                raise t.broken("aliasing", text, k)
    for (k, r), (j, s) in combinations(grads, 2):
        if _shared(r, s):
            raise t.broken("aliasing", f"the gradients of {t.name(k)} and {t.name(j)} share memory; return a copy", k)
    t.second  # noqa: B018 - another backward, which may write
    for k, r in grads:
        if not _same(r, t.copies[k]):
            text = f"the next backward writes into the memory of the gradient of {t.name(k)}"
            raise t.broken("aliasing", text, k)


def repeatable(t: Trial) -> None:
    """The same backward, run twice, gives the same bits."""
    again = t.pull([g.copy() for g in t.gs])
    for k, (a, b) in enumerate(zip(again, t.copies, strict=True)):
        if (a is None) != (b is None) or (a is not None and not _same(a, b)):
            text = f"the same backward gives another gradient of {t.name(k)} the second time"
            raise t.broken("re-entrancy", text, k)


def linear(t: Trial) -> None:
    """vjp(2g - 3h) = 2 vjp(g) - 3 vjp(h), and vjp(0) = 0 exactly."""
    for k, r in enumerate(t.pull([np.zeros_like(g) for g in t.gs])):
        b = t.copies[k]
        if r is not None and np.any(r) and (b is None or np.all(np.isfinite(b))):
            raise t.broken("linearity", f"for g = 0 the gradient of {t.name(k)} is not 0", k)
    second = t.second  # before the next backward, which may write into the same memory
    mixed = t.pull([np.asarray(2 * g - 3 * h, g.dtype) for g, h in zip(t.gs, t.others, strict=True)])
    for k, (m, a, b) in enumerate(zip(mixed, t.copies, second, strict=True)):
        if m is None or a is None or b is None:
            continue
        with np.errstate(all="ignore"):
            expected, size = 2 * a - 3 * b, 2 * np.abs(a) + 3 * np.abs(b)
        unequal = t.differ(m, expected, size, lambda k=k: t.noise()[1][k] + t.cancelled(k))  # type: ignore[misc]
        if unequal and t.stays(k, _gap(m, expected), functools.partial(unlinear, k=k)):
            text = f"the gradient of {t.name(k)} is not linear in g: vjp(2g - 3h) is not 2 vjp(g) - 3 vjp(h)"
            raise t.broken("linearity", text, k)


def unlinear(t: Trial, k: int) -> float:
    """How far vjp(2g - 3h) is from 2 vjp(g) - 3 vjp(h), for the checked input number k."""
    a, b = t.copies[k], t.second[k]
    mixed = t.pull([np.asarray(2 * g - 3 * h, g.dtype) for g, h in zip(t.gs, t.others, strict=True)])[k]
    return float("inf") if a is None or b is None or mixed is None else _gap(mixed, 2 * a - 3 * b)


def blind_to_layout(t: Trial) -> None:
    """Inputs and gradients in other layouts of memory give the same."""
    many = any(x.ndim > 1 for x in [*t.subject.inputs, *t.gs] if floating(x))
    layouts: dict[str, Callable[[Array], Array]] = {"reversed and strided": strided}
    if many:
        layouts["Fortran-ordered"] = functools.partial(np.array, order="F")
    layouts["expanded (read-only)"] = expanded
    for name, layout in layouts.items():
        _compared(t, name, layout)


def laid_out(t: Trial, layout: Callable[[Array], Array]) -> tuple[Any, Any, Any, Any]:
    """Values and gradients of inputs in a layout, and what is expected; None for all where they are refused.

    An expanded array has other values, so another expectation.
    """
    inputs, gs = [layout(x) if floating(x) else x for x in t.subject.fresh()], [layout(g) for g in t.gs]
    ys, grads = t.ys, t.copies
    try:
        if layout is expanded:
            plain, pull = t.subject.pull([np.array(x) if floating(x) else x for x in inputs])
            grads = _copies(pull([np.array(g) for g in gs]))
            if [y.shape for y in plain] != [y.shape for y in t.ys]:
                return None, None, None, None
            ys = [y.copy() for y in plain]
        found, pull = t.subject.pull(inputs)
    except (Flaw, ArithmeticError, ValueError, RuntimeError, TypeError):
        return None, None, None, None  # the function refuses such inputs, which is no matter of its gradient
    if any(a.shape != b.shape for a, b in zip(found, ys, strict=True)):
        return None, None, None, None
    return found, ys, functools.partial(pull, gs), grads


def _compared(t: Trial, name: str, layout: Callable[[Array], Array]) -> None:
    found, ys, pull, grads = laid_out(t, layout)
    if found is None:
        return
    for i, (a, b) in enumerate(zip(found, ys, strict=True)):
        unequal = t.differ(a, b, None, lambda: [np.max(n[np.isfinite(n)], initial=0) for n in t.noise()[0]])

        def values(w: Trial, i: int = i) -> float:
            there, here, _, _ = laid_out(w, layout)
            return _gap(there[i], here[i])

        if unequal and t.stays(None, _gap(a, b), values):
            raise t.broken("layout", f"{name} inputs give other values than contiguous ones")
    try:
        results = pull()
    except Flaw as flaw:
        law = "mutation" if flaw.kind == "mutation" else "layout"
        raise t.broken(law, f"with {name} inputs and gradients {flaw}") from flaw
    for k, (r, b) in enumerate(zip(results, grads, strict=True)):
        unequal = t.differ(r, b, None, lambda k=k: t.noise()[1][k])  # type: ignore[misc]

        def gradients(w: Trial, k: int = k) -> float:
            _, _, again, expected = laid_out(w, layout)
            return _gap(again()[k], expected[k])

        if unequal and (r is None or b is None or t.stays(k, _gap(r, b), gradients)):
            text = f"{name} inputs and g give another gradient of {t.name(k)} than contiguous ones"
            raise t.broken("layout", text, k)


def freed(t: Trial) -> None:
    """When nobody holds the results, the graph is gone at once: it has no reference cycles."""
    t.pull = lambda gs: []
    if any(node() is not None for node in t.nodes):
        gc.collect()
        if not any(node() is not None for node in t.nodes):  # else somebody keeps it on purpose
            text = "the graph holds a reference cycle, so its memory waits for the garbage collector"
            raise t.broken("freed", text)


def forward_is_reverse(subject: TensorSubject, seed: int) -> list[Failure]:
    """<v, J u> from the jvp (the vjp of the vjp) against the vjp; the jvp is a matter of second order here."""
    draw = np.random.default_rng([seed, 2])
    xs, ys = subject.run(subject.fresh())
    vs = [draw.uniform(-1, 1, y.array.shape).astype(y.array.dtype) for y in ys]
    us = [draw.uniform(-1, 1, x.array.shape).astype(x.array.dtype) for x in xs]
    reverse = sum(float(np.sum(r * u)) for r, u in zip(backward(xs, ys, vs), us, strict=True) if r is not None)
    leaves = [wrap(v.copy()).requires_grad_() for v in vs]
    products = backward(xs, ys, leaves, create=True)
    pairs = [(p, u) for p, u in zip(products, us, strict=True) if isinstance(p, Tensor) and p.node is not None]
    forward = 0.0
    if pairs:
        jvp = backward(leaves, [p for p, _ in pairs], [u for _, u in pairs])
        forward = sum(float(np.sum(r * v)) for r, v in zip(jvp, vs, strict=True) if r is not None)
    size = max(abs(forward), abs(reverse), 1e-300)
    if np.isfinite(size) and abs(forward - reverse) > max(1e-6, 1e4 * subject.eps) * size and size > 1e-9:
        text = f"forward mode: <v, J u> is {forward:.10g} by the jvp and {reverse:.10g} by the vjp"
        return [Failure(law="forward mode", input=subject.slots[0], name=subject.names[subject.slots[0]],
                        analytic=forward, numeric=reverse, hint=text, hint_kind="forward mode")]  # fmt: skip
    return []


# ---------------------------------------------------------------------------------------------- layouts
def strided(x: Array) -> Array:
    """The same array, every second element of a larger one, read backwards."""
    if not x.ndim:
        return np.array(x)
    room = np.full((*x.shape[:-1], 2 * x.shape[-1]), np.nan, x.dtype)
    view = room[(*(slice(None, None, -1),) * (x.ndim - 1), slice(None, None, -2))]
    view[...] = x
    return view


def expanded(x: Array) -> Array:
    """One element, read again and again: read-only, with strides 0."""
    return np.broadcast_to(np.array(x.ravel()[:1]).reshape((1,) * x.ndim), x.shape) if x.size else x


# ---------------------------------------------------------------------------------------------- small helpers
def _same(a: Array, b: Array | None) -> bool:
    return b is not None and a.shape == b.shape and (a.tobytes() == b.tobytes() or np.array_equal(a, b, equal_nan=True))


def _gap(a: Array, b: Array) -> float:
    """The largest difference; of nan and nan it is 0."""
    with np.errstate(all="ignore"):
        return float(np.max(np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, np.abs(a - b)), initial=0))


def _copies(grads: Sequence[Array | None]) -> list[Array | None]:
    return [None if r is None else np.array(r) for r in grads]


def _size(x: Array) -> float:
    """The largest of the finite elements, in size."""
    return float(np.max(np.abs(np.where(np.isfinite(x), x, 0)), initial=0))


def _shared(a: Array, b: Array) -> bool:
    if not np.may_share_memory(a, b):
        return False
    try:
        return bool(np.shares_memory(a, b, max_work=10_000))  # type: ignore[arg-type]
    except np.exceptions.TooHardError:
        return True


def _unchanged(t: Trial, inputs: Sequence[Any], words: str) -> None:
    for i, (x, original) in enumerate(zip(inputs, t.subject.inputs, strict=True)):
        if isinstance(x, np.ndarray) and not _same(x, original):
            raise Broken("mutation", "mutation: " + words.format(t.subject.names[i]), slot=i)
