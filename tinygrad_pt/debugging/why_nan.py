"""`tensor.why_nan()` answers where the nan, or inf, in a tensor, or in its gradients, comes from."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_pt.debugging.nans import Spot, Trail, bad, first_of, own, place, spot
from tinygrad_pt.debugging.replay import Boxes, Number, Replay
from tinygrad_pt.debugging.trace import line_of
from tinygrad_pt.debugging.why import TRACE, Why
from tinygrad_pt.errors import describe
from tinygrad_pt.graph import Leaf, Node, Tensor, made_by
from tinygrad_pt.lines import Line


# fmt: off
def why_nan(t: Tensor) -> Why:
    """The first op (by birth) that made nan, or inf, of arguments that had none, on the way to this value.

    Values that no rule has saved are computed again; nothing else runs twice. If the value is finite, the gradient
    is asked for: that which a backward pass from here computes, or the one in a leaf's `.grad`.

    >>> import tinygrad_pt as torch
    >>> x = torch.tensor([1.0, 0.0], requires_grad=True)
    >>> loss = (x * torch.log(x)).sum()
    >>> print(loss.why_nan())
    nan came into being in mul
      op: mul(float32[2], float32[2])
      element: [1], the only one of 2
      there: a = 0, b = -inf, y = nan
      mend: 0 · inf is nan: multiplying by 0 removes no inf, torch.where does
      the inf before it: inf came into being in log
        op: log(float32[2])
        element: [1], the only one of 2
        there: a = 0, y = -inf
        mend: log(0) is -inf: ...
    """
    what = _what(t.array)
    if what:
        if t.node is None or isinstance(t.node, Leaf):
            return _given(t, what)
        replay = Replay(Boxes(t.node), {t.node: t})
        replay.value[t.node] = t.array
        return _Search(replay, what).answer(t.node, bad(t.array, what))
    if t._grad is not None and (what := _what(t._grad.array)):
        return _stored(t, what)
    if t.node is None or isinstance(t.node, Leaf):
        return Why("finite", "neither its value nor its .grad has nan or inf")
    return _gradient(t, t.node)


def _what(x: Any) -> str:
    return "nan" if bad(x, "nan").any() else "inf" if bad(x, "inf").any() else ""


def _given(t: Tensor, what: str) -> Why:
    """A tensor without history holds it."""
    index, count = first_of(bad(t.array, what))
    element = place(index, t.array.shape, count)
    if t._origin is not None and t._origin.op != "detach":
        text = f"{what} in a tensor made by {t._origin.op}, outside any graph; element {element}"
        mend = "ask inside detect_anomaly(check_forward=True), which raises at the op"
        return Why("given", text, t._origin.line, mend)
    if isinstance(t.node, Leaf):
        return Why("given", f"this leaf holds {what} itself; element {element}", None, "if it had none at first, then "
                   "an optimizer step with such a gradient put it there: call loss.why_nan() before optimizer.step(), "
                   "or run the step inside torch.autograd.detect_anomaly()")
    return Why("given", f"this tensor holds {what} itself, and has no history; element {element}", None,
               "clean the data; if it was computed: " + TRACE)


def _found(found: Spot, doubt: str = "") -> Why:
    return Why(found.what, str(found) + doubt, None, "", found)


class _Search:
    """From a value back to where its nan, or inf, was made: along those elements only that it is made of."""

    def __init__(self, replay: Replay, what: str) -> None:
        self.replay, self.what = replay, what
        self.masks: dict[Any, Any] = {}  # per box, the elements that matter
        self.births: list[tuple[int, Any, Any]] = []  # when, and where: a node with a mask, or a box that was given
        self.lost: list[Node] = []  # vertices behind which nothing is known

    def answer(self, node: Node, mask: np.ndarray) -> Why:
        """The earliest of the places where it came into being."""
        self.masks[node] = mask
        self.follow()
        if not self.births:
            return self._unknown(node)
        _, box, mask = min(self.births, key=lambda one: one[0])
        if not _computed(box):
            return self._entered(box)
        doubt = "\n  not certain: values in between are not known any more" if self.lost else ""
        return _found(self._spot(box, mask), doubt)

    def follow(self) -> None:
        """Go back from the masks there are."""
        for at in reversed(self.replay.boxes.nodes):  # users first
            if at in self.masks:
                self._step(at, self.masks[at])

    def _step(self, node: Node, mask: np.ndarray) -> None:
        made, slots, xs = made_by(node), self.replay.boxes.slots[node], self.replay.arguments(node)
        inherited = np.zeros_like(mask)
        for slot, (box, x) in enumerate(zip(slots, xs, strict=True)):
            if box is None or own(made.op, slot):
                continue
            theirs = np.ones(box.shape, bool) if x is None else bad(x, self.what)  # what is not known may be anything
            if not theirs.any():
                continue
            if _elementwise(made, theirs, mask):
                there = theirs & mask & self._taken(made, slot, xs, mask.shape)
                inherited |= there
                theirs = _folded(there, theirs.shape)
            else:
                inherited |= True
            if not theirs.any():
                continue
            if x is not None or _computed(box):
                self._mark(box, theirs)
            if x is None:
                self.lost.append(node)
        if (mask & ~inherited).any() and self.replay.value[node] is not None:
            self.births.append((node.born, node, mask & ~inherited & bad(self.replay.value[node], self.what)))

    def _taken(self, made: Node, slot: int, xs: list[Any], shape: tuple[int, ...]) -> np.ndarray | bool:
        """Which elements of an argument are used at all."""
        if made.op.name != "where" or xs[0] is None:
            return True
        condition = np.broadcast_to(np.asarray(xs[0]), shape)
        return condition if slot == 1 else ~condition

    def _mark(self, box: Any, mask: np.ndarray) -> None:
        if _computed(box):
            self.masks[box] = self.masks[box] | mask if box in self.masks else mask
        else:
            self.births.append((self.replay.boxes.first[box], box, mask))

    def _spot(self, node: Node, mask: np.ndarray) -> Spot:
        made, xs = made_by(node), self.replay.arguments(node)
        before = self._inf_before(node, mask) if self.what == "nan" else None
        return spot(made.op, xs, self.replay.value[node], mask, self.what, scope=made.scope, line=line_of(node),
                    attrs=made.attrs, before=before)

    def _inf_before(self, node: Node, mask: np.ndarray) -> Spot | None:
        """Where the inf that nan was made of came from."""
        search, made = _Search(self.replay, "inf"), made_by(node)
        for box, x in zip(self.replay.boxes.slots[node], self.replay.arguments(node), strict=True):
            if x is None or not _computed(box):
                continue
            theirs = bad(x, "inf")
            if _elementwise(made, theirs, mask):
                theirs = _folded(theirs & mask, theirs.shape)
            if theirs.any():
                search._mark(box, theirs)
        search.follow()
        births = [one for one in search.births if _computed(one[1])]
        return search._spot(*min(births, key=lambda one: one[0])[1:]) if births else None

    def _entered(self, box: Any) -> Why:
        """A value that came in from outside."""
        if isinstance(box, Number):
            return Why("given", f"the Python number {box.raw} is an argument of the graph", self._line(box))
        t = self.replay.handle.get(box)
        name = getattr(t, "name", None) or describe(box)
        why = _given(t, self.what) if t is not None else Why("given", f"a tensor that is gone holds {self.what}")
        return Why("given", f"{name} entered the graph with it: {why.text}", why.line or self._line(box), why.mend)

    def _line(self, box: Any) -> Line | None:
        return next((line_of(n) for n in self.replay.boxes.nodes if box in self.replay.boxes.slots[n]), None)

    def _unknown(self, node: Node) -> Why:
        noted = [n.note("nan") for n in self.replay.boxes.nodes if isinstance(n.note("nan"), Spot)]
        if noted and self.what == "nan":  # anomaly mode has seen it
            return _found(noted[0])
        at = min(self.lost, key=lambda n: n.born, default=node)
        text = f"it was in the result of {made_by(node).op.name}, and the trail ends in {made_by(at).op.name}: what "
        text += "that was given is not known any more, for it was changed since (by an optimizer step?), is gone, or "
        return Why("unknown", text + "was made by a Function", line_of(at), "ask before optimizer.step(); " + TRACE)


def _elementwise(made: Node, theirs: np.ndarray, mask: np.ndarray) -> bool:
    """Whether an element of the result is made of one element of this argument alone."""
    return made.op.elementwise and np.broadcast_shapes(theirs.shape, mask.shape) == mask.shape


def _computed(box: Any) -> bool:
    """Whether a box is the result of an op."""
    return isinstance(box, Node) and not isinstance(box, Leaf)


def _folded(mask: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """A mask over a broadcast shape as one over the argument's own."""
    lead = mask.ndim - len(shape)
    axes = tuple(i for i, n in enumerate((1,) * lead + shape) if n == 1 and (i < lead or mask.shape[i] != 1))
    return mask.any(axis=axes, keepdims=True).reshape(shape)


def _gradient(t: Tensor, root: Node) -> Why:
    """The first nan, or else inf, in the gradients that a backward pass from here computes."""
    seed = root.note("seed")
    if seed is None:
        seed = np.ones(t.array.shape, t.array.dtype)
    replay, trail = Replay(Boxes(root), {root: t}), Trail()
    first: list[Spot] = []

    def heard(node: Node, slot: int, g: Any, r: Any) -> None:
        if not first:
            found = trail.hear(node, slot, g, replay.value[node], replay.arguments(node), r)
            first.extend([found] if found is not None else [])

    grads = replay.gradients({root: seed}, heard)
    if first:
        return _found(first[0])
    inf = min(trail.infs.items(), key=lambda one: -one[0].born)[1] if trail.infs else None
    if any(bad(g, "nan").any() for g in grads.values()):
        text = "the value is finite, but the gradients of two uses are inf and -inf, and their sum is nan"
        return Why("nan", text + (f"\n{inf}" if inf else ""), None, "", inf)
    if inf is not None:
        return _found(inf)
    unknown = [n for n in replay.boxes.nodes if n not in grads]
    if unknown:
        text = "the value is finite, and so are the gradients, as far as they are known: not those of "
        mend = "ask before backward() frees the graph; " + TRACE
        return Why("unknown", f"{text}{len(unknown)} vertices", line_of(unknown[-1]), mend)
    return Why("finite", "neither the value nor the gradients of a backward pass from here have nan or inf")


def _stored(t: Tensor, what: str) -> Why:
    """A gradient that was added up has it: only an account tells from where."""
    account = t.node.note("account") if t.node is not None else None
    for one in account.found if account is not None else ():
        if bad(one.value, what).any():
            where = f" (module {one.module})" if one.module else ""
            text = f"{what} in .grad came with contribution {one.number}: {one}{where}; backward was called at "
            return Why(what, f"{text}{one.call}", one.line, "loss.why_nan() tells which op made it")
    text = f"the value is finite, but .grad holds {what}; a leaf does not know who used it"
    return Why("unknown", text, None, "call why_nan() on the loss that backward ran from, or run the step inside "
               "torch.autograd.detect_anomaly(), or torch.autograd.record_contributions()")
