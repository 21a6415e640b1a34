"""`tensor.why_no_grad()` answers why a tensor has no gradient: a sentence, the line and the mend."""

from __future__ import annotations

import gc
from collections.abc import Iterable
from dataclasses import dataclass

from tinygrad_pt import dtypes
from tinygrad_pt.autograd.engine import order
from tinygrad_pt.debugging.holders import computed_from
from tinygrad_pt.debugging.nans import Spot
from tinygrad_pt.debugging.trace import Cut, line_of
from tinygrad_pt.errors import describe, refuse, told
from tinygrad_pt.graph import Constant, Leaf, Node, Tensor, made_by
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
        return told(self.text, {"line": self.line, "mend": self.mend})

    __repr__ = __str__


TRACE = "to know, run the program inside `with torch.autograd.detect_anomaly():` and ask again"
ITSELF = "use the tensor itself where the gradient should flow"


# fmt: off
def why_no_grad(t: Tensor, loss: Tensor | None = None) -> Why:
    """Why `requires_grad` is False, or `.grad` is None; with the `loss`, why that does not reach this tensor.

    The answer says what is certain, and how to find out the rest: inside `autograd.detect_anomaly()` every tensor
    remembers the line that made it, and where gradients got lost on the way.

    >>> import tinygrad_pt as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> x.why_no_grad()
    no op recorded and still alive has used this leaf, so no backward pass has reached it
      mend: compute the loss from it, and call backward(); tensor.why_no_grad(loss) tells where a loss loses it
    >>> x.detach().why_no_grad()
    it is a detach() of a tensor that requires grad
      mend: use the tensor itself where the gradient should flow
    """
    if loss is not None and not isinstance(loss, Tensor):
        raise refuse(TypeError, f"why_no_grad(loss): the loss must be a tensor, not {type(loss).__name__}")
    if t._grad is not None:
        return Why("has grad", "it has a gradient: .grad is not None")
    if t.node is None:
        return _not_required(t)
    if isinstance(t.node, Leaf) or t.retains_grad:
        return _not_arrived(t, loss)
    text = f"it was computed (by {made_by(t.node).op.name}), and backward keeps gradients of leaves only"
    mend = "call retain_grad() on it before backward(), or torch.autograd.grad(loss, tensor)"
    return Why("non-leaf", text, line_of(t.node), mend)


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
}


def _not_required(t: Tensor) -> Why:
    """Why `requires_grad` is False."""
    origin = t._origin
    if origin is not None:
        key, text, mend = REASONS[origin.reason]
        text = text.format(op=origin.op)
        if origin.cuts and origin.reason == "arguments":
            text += f"; a gradient got lost before that\n{_cuts(origin.cuts)}"
        return Why(key, text, origin.line, mend)
    if t.array.dtype.kind != "f":
        text = f"its dtype is {dtypes.of(t.array.dtype).name}; only floating point tensors can require grad"
        return Why("dtype", text, None, "indices, masks and counts have no gradient; data: x.float() (whatever they "
                   "were made of is cut off here)")
    if t.inference:
        return Why("inference", "it was made inside inference_mode()", None, "compute it outside")
    if t.base is not None and t.base.node is not None:
        text = f"it is a view ({' of '.join(op.name for op, _ in reversed(t.path))}) of a tensor that requires grad, "
        text += "taken before requires_grad_()"
        return Why("early", text, None, "take the view again")
    if twin := _twin(t):
        what = "a detach()" if twin == "detached" else "the .data"
        return Why(twin, f"it is {what} of a tensor that requires grad", None, ITSELF)
    if type(t).__name__ == "Parameter":
        text = "it is a parameter that was frozen, by requires_grad_(False)"
        return Why("frozen", text, None, "requires_grad_(True)")
    here = "" if current().grad else " (nothing is recorded right here: this is inside no_grad())"
    text = "nobody asked for its gradient: either it was made with requires_grad=False, the default, or computed from "
    return Why("unknown", f"{text}such tensors, or inside no_grad(){here}; its history was not kept", None,
               f"if you made it: requires_grad=True, or requires_grad_(); if it was computed: {TRACE}")


def _twin(t: Tensor) -> str:
    """Whether another tensor, one that requires grad, has the same memory: "detached", "data" or ""."""
    for other in gc.get_objects():
        if issubclass(type(other), Tensor) and other is not t and other.node is not None and other.array is t.array:
            return "detached" if other.version is t.version else "data"
    return ""


def _cuts(cuts: Iterable[Cut]) -> str:
    told = (f"    {cut.op}, {cut.reason.replace('rule', 'has no derivative')}: {cut.line}" for cut in cuts)
    return "\n".join(dict.fromkeys(told))


def _not_arrived(t: Tensor, loss: Tensor | None) -> Why:
    """Why the `.grad` of a tensor that would take one is None."""
    assert t.node is not None
    account = t.node.note("account")
    if account is not None and (account.found or account.cleared):
        return _cleared("recorded backward passes have added to it")
    if loss is not None:
        return _reached_from(t.node, loss)
    made = computed_from([t.node])
    if len(made) == 1:
        leaf = "no op recorded and still alive has used this leaf, so no backward pass has reached it"
        return Why("unused", leaf if isinstance(t.node, Leaf) else "no backward pass has come from it, or through it",
                   None, "compute the loss from it, and call backward(); tensor.why_no_grad(loss) tells where a loss "
                   "loses it")
    if any(n.note("seed") is not None for n in made):
        return _cleared("backward() has run from a tensor that was computed from it")
    if any(n.args is None for n in made if not isinstance(n, Leaf)):
        return _cleared("a backward pass has freed a graph that it is part of")
    text = f"no backward pass has run yet: it is part of a graph that ends in {made_by(made[-1]).op.name}"
    return Why("no backward", text, line_of(made[-1]), "call backward() on the loss")


def _cleared(seen: str) -> Why:
    return Why("cleared", f"{seen}, yet .grad is None: it was cleared since (zero_grad() sets it to None), or the pass "
               "went only into other inputs= or through torch.autograd.grad, which fills no .grad", None,
               "read .grad between backward() and zero_grad()")


def _reached_from(wanted: Node, loss: Tensor) -> Why:
    """Why a backward pass from a loss gives the tensor of this vertex nothing."""
    if loss.node is None:
        text = "the loss does not require grad itself: " + str(_not_required(loss)).replace("\n", "\n  ")
        return Why("not reached", text, loss._origin.line if loss._origin else None)
    if _leads(loss.node, wanted):
        if not _ruled(loss.node, wanted):
            text = "it is an argument of ops of this loss that have no derivative for it"
            return Why("no derivative", text, None, "gradients must go another way around")
        if loss.node.note("seed") is not None:
            return _cleared("backward() has run from this loss, which reaches it")
        return Why("no backward", "the loss reaches it; no backward pass has run from there", None, "loss.backward()")
    nodes = order([loss.node])
    cuts = [(cut, cut.node()) for node in nodes for cut in made_by(node).note("cuts", ())]
    if lost := [cut for cut, n in cuts if n is not None and _leads(n, wanted)]:
        text = "the loss was computed from it, but the gradient got lost on the way\n" + _cuts(lost)
        return Why("cut", text, lost[0].line, "keep it a float tensor, recorded, up to the loss")
    if gone := [cut for cut, n in cuts if n is None]:
        text = "the loss was made from tensors that lost their gradient here, and are gone; they may have been "
        return Why("perhaps cut", f"{text}computed from this one\n{_cuts(gone)}", gone[0].line, ITSELF)
    plain = [
        f"    {describe(p) if isinstance(p, Constant) else repr(p)}, argument {slot} of {node.op.name}"
        + (f" ({line_of(node)})" if line_of(node) else "")
        for node in nodes for slot, p in enumerate(node.parents) if isinstance(p, (Constant, int, float))
    ]
    text = "the loss was not computed from it, as far as its graph knows"
    if not plain:
        return Why("not reached", text, None, "compute the loss from it")
    unknown = "NumPy leaves no trace" if any(map(line_of, nodes)) else TRACE
    return Why("not reached", "\n".join([text, "  what entered it without history:", *plain[:8]]), None,
               "if one of these came from this tensor, then through detach(), .data, .numpy(), .item(), float(), "
               f"no_grad(), or an integer dtype; {unknown}")


def _leads(root: Node, leaf: Node) -> bool:
    """Whether a vertex is another, or was computed from it."""
    return root is leaf or bool(order([root], {leaf}))


def _ruled(root: Node, leaf: Node) -> bool:
    """Whether some way from root to leaf has a derivative at every step."""
    reached = {root}
    for node in order([root]):
        if node in reached:
            rules = node.op.rules_for(len(node.parents))
            reached.update(p for p, rule in zip(node.parents, rules, strict=False) if rule and isinstance(p, Node))
    return leaf in reached
