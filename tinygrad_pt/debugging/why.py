"""The answer to a question: why does this tensor have no gradient?"""

from __future__ import annotations

import gc
from dataclasses import dataclass
from typing import Any

from tinygrad_pt import dtypes
from tinygrad_pt.autograd.engine import order
from tinygrad_pt.debugging.nans import Spot
from tinygrad_pt.debugging.trace import Cut, line_of
from tinygrad_pt.errors import describe
from tinygrad_pt.graph import Constant, Handle, Leaf, Node, made_by
from tinygrad_pt.lines import Line
from tinygrad_pt.modes import current


@dataclass(frozen=True)
class Why:
    """An answer: `kind` is its keyword, `str` the sentence, the line, and the mend.

    `spot` is the op that made a nan or inf, where the question was that.
    """

    kind: str
    text: str
    line: Line | None = None
    mend: str = ""
    spot: Spot | None = None

    def __str__(self) -> str:
        lines = [self.text]
        if self.line is not None:
            lines.append(f"  line: {self.line}")
        if self.mend:
            lines.append(f"  mend: {self.mend}")
        return "\n".join(lines)

    __repr__ = __str__


TRACE = "to know, run the program inside `with torch.autograd.detect_anomaly():` and ask again"


# ------------------------------------------------------------------------------------------ no gradient
def why_no_grad(t: Any, loss: Any = None) -> Why:
    """Why `requires_grad` is False, or `.grad` is None; with the `loss`, why that does not reach this tensor.

    The answer says what is certain, and of what is not how to find out: inside `autograd.detect_anomaly()` every
    tensor remembers the line that made it, and where gradients got lost on the way.

    >>> import tinygrad_pt as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> x.why_no_grad()
    no op recorded and still alive has used this leaf, so no backward pass has reached it
      mend: compute the loss from it, and call backward(); tensor.why_no_grad(loss) tells where a loss loses it
    >>> x.detach().why_no_grad()
    it is a detach() of a tensor that requires grad
      mend: use the tensor itself where the gradient should flow
    """
    if loss is not None and not isinstance(loss, Handle):
        raise TypeError(f"why_no_grad(loss): the loss must be a tensor, not {type(loss).__name__}")
    if t._grad is not None:
        return Why("has grad", "it has a gradient: .grad is not None")
    if t.node is None:
        return _not_required(t)
    if not isinstance(t.node, Leaf):
        if t.retains_grad:
            return _not_arrived(t, loss)
        return Why(
            "non-leaf", f"it was computed (by {made_by(t.node).op.name}), and backward keeps gradients of leaves only",
            line_of(t.node), "call retain_grad() on it before backward(), or torch.autograd.grad(loss, tensor)",
        )  # fmt: skip
    return _not_arrived(t, loss)


ITSELF = "use the tensor itself where the gradient should flow"
REASONS = {
    "no_grad": ("no_grad", "it was made by {op} where nothing is recorded: inside no_grad()",
                "compute it outside no_grad()"),
    "inference_mode": ("inference", "it was made by {op} inside inference_mode()", "compute it outside"),
    "detach": ("detached", "it is a detach() of another tensor", ITSELF),
    "data": ("data", "it is the .data of another tensor", ITSELF),
    "rule": ("no derivative", "it was made by {op}, which has no derivative", "gradients must go another way around"),
    "dtype": ("dtype", "it was made by {op}, and its dtype can hold no gradient", "keep what is to be trained float"),
    "arguments": ("arguments", "it was made by {op} of tensors of which none requires grad",
                  "call requires_grad_() on what is to be trained, before it is used"),
}  # fmt: skip


def _not_required(t: Any) -> Why:
    """Why `requires_grad` is False."""
    origin, kind = t._origin, t.array.dtype.kind
    if origin is not None:
        key, text, mend = REASONS[origin.reason]
        text = text.format(op=origin.op)
        if origin.cuts and origin.reason == "arguments":
            text += f"; a gradient got lost before that\n{_cuts(origin.cuts)}"
        return Why(key, text, origin.line, mend)
    if kind != "f":
        name = dtypes.of(t.array.dtype).name
        return Why(
            "dtype", f"its dtype is {name}; only floating point tensors can require grad", None,
            "indices, masks and counts have no gradient; data: x.float() (whatever they were made of is cut off here)",
        )  # fmt: skip
    if t.inference:
        return Why("inference", "it was made inside inference_mode()", None, "compute it outside")
    if t.base is not None and t.base.node is not None:
        return Why(
            "no_grad", f"it is a view ({' of '.join(op.name for op, _ in reversed(t.path))}) of a tensor that requires "
            "grad, taken where nothing was recorded, inside no_grad(), or before requires_grad_()", None,
            "take the view again, outside",
        )  # fmt: skip
    twin = _twin(t)
    if twin:
        return Why(
            twin, f"it is {'a detach()' if twin == 'detached' else 'the .data'} of a tensor that requires grad", None,
            ITSELF,
        )  # fmt: skip
    if type(t) is not Handle and type(t).__name__ == "Parameter":
        return Why(
            "frozen", "it is a parameter that was frozen, by requires_grad_(False)", None, "requires_grad_(True)"
        )
    here = "" if current().grad else " (nothing is recorded right here: this is inside no_grad())"
    return Why(
        "unknown", "nobody asked for its gradient: either it was made with requires_grad=False, the default, or "
        f"computed from such tensors, or inside no_grad(){here}; its history was not kept", None,
        f"if you made it: requires_grad=True, or requires_grad_(); if it was computed: {TRACE}",
    )  # fmt: skip


def _twin(t: Any) -> str:
    """Whether another tensor, one that requires grad, has the same memory: "detached", "data" or ""."""
    for other in gc.get_objects():
        if issubclass(type(other), Handle) and other is not t and other.node is not None and other.array is t.array:
            return "detached" if other.version is t.version else "data"
    return ""


def _cuts(cuts: tuple[Cut, ...]) -> str:
    told = dict.fromkeys(f"    {cut.op}, {cut.reason.replace('rule', 'has no derivative')}: {cut.line}" for cut in cuts)
    return "\n".join(told)


def _not_arrived(t: Any, loss: Any) -> Why:
    """Why the `.grad` of a tensor that would take one is None."""
    account = t.node.note("account")
    if account is not None and (account.found or account.cleared):
        return _cleared("recorded backward passes have added to it")
    if loss is not None:
        return _reached_from(t, loss)
    nodes = sorted((n for n in gc.get_objects() if issubclass(type(n), Node)), key=lambda n: n.born)
    known, tops = {t.node}, [t.node]
    for n in nodes:
        if any(p in known for p in n.parents if isinstance(p, Node)):
            known.add(n)
            tops.append(n)
    if len(tops) == 1:
        return Why(
            "unused", "no op recorded and still alive has used this leaf, so no backward pass has reached it"
            if isinstance(t.node, Leaf) else "no backward pass has come from it, or through it", None,
            "compute the loss from it, and call backward(); tensor.why_no_grad(loss) tells where a loss loses it",
        )  # fmt: skip
    if any(n.note("seed") is not None for n in tops):
        return _cleared("backward() has run from a tensor that was computed from it")
    if any(n.args is None for n in tops if not isinstance(n, Leaf)):
        return _cleared("a backward pass has freed a graph that it is part of")
    last = tops[-1]
    return Why(
        "no backward", f"no backward pass has run yet: it is part of a graph that ends in {made_by(last).op.name}",
        line_of(last), "call backward() on the loss",
    )  # fmt: skip


def _cleared(seen: str) -> Why:
    return Why(
        "cleared", f"{seen}, yet .grad is None: it was cleared since (zero_grad() sets it to None), or the pass went "
        "only into other inputs= or through torch.autograd.grad, which fills no .grad", None,
        "read .grad between backward() and zero_grad()",
    )  # fmt: skip


def _reached_from(t: Any, loss: Any) -> Why:
    """Why a backward pass from a loss gives this tensor nothing."""
    if loss.node is None:
        return Why(
            "not reached", "the loss does not require grad itself: " + str(_not_required(loss)).replace("\n", "\n  "),
            loss._origin.line if loss._origin else None,
        )  # fmt: skip
    if loss.node is t.node or order([loss.node], {t.node}):
        if _ruled(loss.node, t.node):
            if loss.node.note("seed") is not None:
                return _cleared("backward() has run from this loss, which reaches it")
            return Why(
                "no backward", "the loss reaches it; no backward pass has run from there", None, "loss.backward()"
            )
        return Why("no derivative", "it is an argument of ops of this loss that have no derivative for it", None,
                   "gradients must go another way around")  # fmt: skip
    nodes = order([loss.node])
    cuts = [cut for node in nodes for cut in made_by(node).note("cuts", ())]
    lost = [cut for cut in cuts if (n := cut.node()) is not None and (n is t.node or order([n], {t.node}))]
    if lost:
        return Why(
            "cut", "the loss was computed from it, but the gradient got lost on the way\n" + _cuts(tuple(lost)),
            lost[0].line, "keep it a float tensor, recorded, up to the loss",
        )  # fmt: skip
    if gone := [cut for cut in cuts if cut.node() is None]:
        return Why(
            "perhaps cut", "the loss was made from tensors that lost their gradient here, and are gone; they may have "
            "been computed from this one\n" + _cuts(tuple(gone)), gone[0].line, ITSELF,
        )  # fmt: skip
    plain = [
        f"    {describe(p) if isinstance(p, Constant) else repr(p)}, argument {slot} of {node.op.name}"
        + (f" ({line_of(node)})" if line_of(node) else "")
        for node in nodes for slot, p in enumerate(node.parents) if isinstance(p, (Constant, int, float))
    ]  # fmt: skip
    traced = any(line_of(node) for node in nodes)
    entered = "\n  what entered it without history:\n" + "\n".join(plain[:8]) if plain else ""
    return Why(
        "not reached", f"the loss was not computed from it, as far as its graph knows{entered}", None,
        "if one of these came from this tensor, then through detach(), .data, .numpy(), .item(), float(), no_grad(), "
        f"or an integer dtype; {'NumPy leaves no trace' if traced else TRACE}" if plain else "compute the loss from it",
    )  # fmt: skip


def _ruled(root: Node, leaf: Node) -> bool:
    """Whether some way from root to leaf has a derivative at every step."""
    reached = {root}
    for node in order([root]):
        if node in reached:
            rules = node.op.rules_for(len(node.parents))
            reached.update(p for p, rule in zip(node.parents, rules, strict=False) if rule and isinstance(p, Node))
    return leaf in reached
