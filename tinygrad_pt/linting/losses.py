"""Rules about the arguments of a loss: values that are squashed twice, not squashed at all, or broadcast."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_pt.debugging.trace import line_of
from tinygrad_pt.graph import Leaf, Node, Op
from tinygrad_pt.language import said
from tinygrad_pt.lines import Line
from tinygrad_pt.linting.facts import SQUASHING, VIEWS, Notes, Past, inside, origin, parents, source
from tinygrad_pt.linting.finding import place
from tinygrad_pt.linting.rule import Rule
from tinygrad_pt.nn.module import Module
from tinygrad_pt.tensor import Tensor

if TYPE_CHECKING:
    from tinygrad_pt.linting.session import Session

REGRESSION = ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss")
BINARY = ("binary_cross_entropy", "binary_cross_entropy_with_logits")


def made(node: Node | Past) -> str:
    """` (file:line)` of the op that made a value."""
    line = node.line if isinstance(node, Past) else line_of(node)
    return "" if line is None else f" ({place(line)})"


class Squashed(Rule):
    """The input of `cross_entropy` comes, through views, from softmax, log_softmax or sigmoid."""

    code = "TG201"
    title = "softmax, log_softmax or sigmoid before cross_entropy"
    mend = "give cross_entropy the logits themselves"

    def judged(self, loss: str, given: dict[str, Any], line: Line | None) -> None:
        if loss != "cross_entropy":
            return
        node = self.session.source(given["input"])
        if node is None or node.op.name not in SQUASHING:
            return
        name = node.op.name
        rest = (
            "which changes nothing the second time" if name == "log_softmax" else
            "so its gradients are far too small" if name == "softmax" else "so no class can get a probability near 1"
        )  # fmt: skip
        self.report(line, f"cross_entropy applies log_softmax to values that {name}{made(node)} has squashed, {rest}")


class TwoSigmoids(Rule):
    """The input of `binary_cross_entropy_with_logits` comes, through views, from sigmoid or softmax."""

    code = "TG202"
    title = "sigmoid before binary_cross_entropy_with_logits"
    mend = "give it the logits themselves, or use binary_cross_entropy"

    def judged(self, loss: str, given: dict[str, Any], line: Line | None) -> None:
        if loss != "binary_cross_entropy_with_logits":
            return
        node = self.session.source(given["input"])
        if node is not None and node.op.name in ("sigmoid", "softmax"):
            self.report(
                line, f"the loss applies sigmoid to values that {node.op.name}{made(node)} has squashed: "
                "no answer can come nearer to 0 or 1 than 0.5 and 0.73",
            )  # fmt: skip


class NotLogarithms(Rule):
    """The input of `nll_loss` or `kl_div` comes, through views, from softmax or sigmoid. Or the input of `nll_loss`
    wants a gradient and has an element above 0.001."""

    code = "TG203"
    title = "nll_loss or kl_div of values that are no log-probabilities"
    mend = "use log_softmax instead, or cross_entropy on the logits"

    def judged(self, loss: str, given: dict[str, Any], line: Line | None) -> None:
        if loss not in ("nll_loss", "kl_div") or exchanged(loss, given):
            return
        node = self.session.source(given["input"])
        if node is not None and node.op.name in ("softmax", "sigmoid"):
            self.report(line, f"{loss} wants log-probabilities, but its input comes from {node.op.name}{made(node)}")
        elif loss == "nll_loss" and given["input"].node is not None and np.any(given["input"].array > 1e-3):
            self.report(
                line, "nll_loss wants log-probabilities, which are never positive, but its input reaches "
                f"{given['input'].array.max():.3g}",
            )  # fmt: skip


class Broadcast(Rule):
    """The input and the target of a regression loss broadcast to more elements than either has. The rule stays silent
    if both have the same number of axes and `reduction="none"` returns the wide result: such a table of all pairs is
    on purpose."""

    code = "TG204"
    title = "a loss between (N, 1) and (N,)"
    mend = "give both one shape, e.g. target.unsqueeze(1) or input.squeeze(1)"

    def judged(self, loss: str, given: dict[str, Any], line: Line | None) -> None:
        if loss not in REGRESSION:
            return
        x, t = given["input"].array.shape, given["target"].array.shape
        wide = crossed(x, t)
        if wide and not (len(x) == len(t) and given["reduction"] == "none"):
            self.report(
                line, f"{loss} of input {list(x)} and target {list(t)} broadcasts both to {list(wide)}: every answer "
                "is compared with every target",
            )  # fmt: skip


def crossed(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    """The shape to which two shapes broadcast, if it has more elements than either; else ()."""
    try:
        wide = np.broadcast_shapes(a, b)
    except ValueError:
        return ()
    n = int(np.prod(wide))
    return wide if n > int(np.prod(a)) and n > int(np.prod(b)) else ()


class OwnBroadcast(Rule):
    """A difference of (N, 1) and (N,), N > 1, is squared or made absolute, reduced to one number, and differentiated.
    One of the two is computed from parameters, the other is data. The rule stays silent if the former was made of an
    (N,) by a new axis (`unsqueeze`, `[:, None]`), or if the line of the difference makes one: all pairs are meant
    then."""

    code = "TG205"
    title = "a difference of (N, 1) and (N,) in a loss of your own"
    mend = "give both one shape, e.g. target.unsqueeze(1) or input.squeeze(1)"
    ops = ("sub", "square", "power", "pow", "abs", "mul", "div", "neg", "mean", "sum", "norm")

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        # vertex -> (how far: 1 difference, 2 distance, 3 number; line; text)
        self.marks: Notes[tuple[int, Line | None, str]] = Notes()

    def applied(self, op: Op, args: tuple[Any, ...], attrs: dict[str, Any], result: Tensor, line: Line | None) -> None:
        node = result.node
        if node is None:
            return
        if op.name == "sub":
            x, t = (getattr(a, "shape", ()) for a in args)
            n = max((*x, *t), default=0)
            if n > 1 and {tuple(x), tuple(t)} == {(n, 1), (n,)}:
                a, b = (a.node for a in args)
                if (a is None) != (b is None) and not isinstance(a or b, Leaf) and not widened(a or b, line):
                    text = f"{list(x)} - {list(t)} is {[n, n]}: every answer is compared with every target"
                    self.marks.set(node, (1, line, said(text)))
            return
        found = [self.marks.get(p) for p in parents(node)]
        if not found or found[0] is None or any(f is not found[0] for f in found):
            return
        far, where, text = found[0]
        if op.name in ("square", "power", "pow", "abs") or (op.name == "mul" and len(found) == 2):
            far = max(far, 2)
        elif op.name == "norm" or (op.name in ("mean", "sum") and far == 2):
            far = 2 if node.shape else 3
        elif op.name in ("mean", "sum"):
            return  # a mean of signed differences is the difference of the means: no harm done
        self.marks.set(node, (far, where, text))

    def differentiated(self, nodes: frozenset[Node]) -> None:
        for node, (far, where, text) in self.marks:
            if far == 3 and node in nodes:
                self.report(where, text)


def widened(node: Node, line: Line | None) -> bool:
    """Whether a new axis was put in on purpose: by the op of a vertex, or at a line."""
    before = next(parents(node), None)
    if node.op.name in VIEWS and before is not None and before.shape == node.shape[:-1]:
        return True
    return line is not None and re.search(r"unsqueeze|newaxis|\bNone\b", line.text) is not None


class OneClass(Rule):
    """The class axis of `cross_entropy` has length 1. Or the input of any loss is, through views, a softmax or
    log_softmax along an axis of length 1."""

    code = "TG206"
    title = "softmax over a single class"
    mend = "for two classes from one number use binary_cross_entropy_with_logits, without softmax"

    def judged(self, loss: str, given: dict[str, Any], line: Line | None) -> None:
        x = given["input"]
        if x.node is None:
            return
        if loss == "cross_entropy":
            if x.array.shape and x.array.shape[min(1, x.array.ndim - 1)] == 1:
                self.report(line, f"cross_entropy of {list(x.array.shape)} has a single class: it is always 0")
            return
        node = self.session.source(x)
        if node is not None and node.op.name in ("softmax", "log_softmax") and node.shape[node.attrs["axis"]] == 1:
            value = 1 if node.op.name == "softmax" else 0
            self.report(line, f"{node.op.name}{made(node)} along an axis of length 1 is always {value}: nothing learns")


class OtherAxis(Rule):
    """The input of `nll_loss` has the shape (N, C, …), N > 1, and is a softmax or log_softmax along another axis than
    1, or the logarithm of one."""

    code = "TG207"
    title = "softmax along the batch instead of the classes"
    mend = "dim=1"

    def judged(self, loss: str, given: dict[str, Any], line: Line | None) -> None:
        x = given["input"]
        if loss != "nll_loss" or x.node is None or x.array.ndim < 2 or x.array.shape[0] == 1:
            return
        node = x.node
        if node.op.name == "log" and isinstance(node.parents[0], Node):
            node = node.parents[0]
        if node.op.name in ("softmax", "log_softmax") and node.attrs["axis"] != 1:
            self.report(
                line, f"the classes of {list(x.array.shape)} are along dim 1, but {node.op.name}{made(node)} went "
                f"along dim {node.attrs['axis']}",
            )  # fmt: skip


class Swapped(Rule):
    """The target of a binary cross entropy wants a gradient, and its input does not. Or the input of `kl_div` is
    nowhere negative, as no log-probability is, its target, which should be probabilities (`log_target=False`), is
    nowhere positive, and neither is 0 everywhere."""

    code = "TG208"
    title = "input and target of a loss swapped"
    mend = "loss(input, target): first the answer of the network (for kl_div its log-probabilities), then the target"

    def judged(self, loss: str, given: dict[str, Any], line: Line | None) -> None:
        if loss in BINARY and given["input"].node is None and given["target"].node is not None:
            self.report(line, "the target comes from the network and the input does not: they are swapped")
        elif exchanged(loss, given):
            text = "kl_div wants log-probabilities as input and probabilities as target, but was given the reverse"
            self.report(line, f"{text}: they are swapped")


def exchanged(loss: str, given: dict[str, Any]) -> bool:
    """Whether a loss is a `kl_div` of probabilities and log-probabilities, in this order."""
    if loss != "kl_div" or given["log_target"]:
        return False
    p, q = given["input"].array, given["target"].array
    return bool(p.any() and q.any()) and not (np.any(p < 0) or np.any(q > 0))  # nan counts as either


class Rectified(Rule):
    """The input of `cross_entropy` or `binary_cross_entropy_with_logits`, or the argument of the log_softmax before
    `nll_loss`, wants a gradient and comes, through views, from relu."""

    code = "TG209"
    title = "ReLU on the logits"
    mend = "no activation after the last layer: logits may be negative"

    def judged(self, loss: str, given: dict[str, Any], line: Line | None) -> None:
        node = source(given["input"])
        if loss == "nll_loss" and node is not None and node.op.name in ("softmax", "log_softmax", "log"):
            node = origin(next(parents(node), None))
            if node is not None and node.op.name == "softmax":
                node = origin(next(parents(node), None))
        elif loss not in ("cross_entropy", "binary_cross_entropy_with_logits"):
            return
        if node is not None and node.op.name == "relu":
            rest = "no probability can be below 0.5" if loss in BINARY else "no class can be told apart below 0"
            self.report(line, f"the logits of {loss} come from relu{made(node)}: {rest}, and where relu is 0, nothing "
                        "learns")  # fmt: skip


class OverBatch(Rule):
    """A softmax or log_softmax runs along axis 0 of the (N, C) answer that a module, called by the user, gave for N
    examples, or is that answer; N, C > 1. And it, or its logarithm, is judged along the classes: it is the input of a
    loss (of `nll_loss`, see TG207), or one element of each row is taken, or the largest of each row is looked for."""

    code = "TG210"
    title = "softmax over the batch: answers of different examples compete"
    mend = "dim=1"
    ops = ("*",)

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.answers: Notes[bool] = Notes()  # what modules answered to the user
        self.within: Notes[Line | None] = Notes()  # softmax along axis 0 inside a module that is being called
        self.marks: Notes[Line | None] = Notes()  # the same over the batch, and what shows it

    def called(self, module: Module, args: tuple[Any, ...], output: Any, line: Line | None) -> None:
        if self.session.calling() or not isinstance(output, Tensor) or output.array.ndim != 2:
            return
        n = output.array.shape[0]
        if min(output.array.shape) > 1 and any(t.array.ndim > 1 and len(t.array) == n for t in inside(args, Tensor)):
            self.answers.set(output, True)
            if output in self.within:
                self.marks.set(output, self.within.get(output))

    def applied(self, op: Op, args: tuple[Any, ...], attrs: dict[str, Any], result: Tensor, line: Line | None) -> None:
        t = args[0] if args else None
        if op.name in ("softmax", "log_softmax") and attrs["axis"] == 0 and result.array.ndim == 2:
            if t in self.answers:
                self.marks.set(result, line)
            elif self.session.calling():
                self.within.set(result, line)
            return
        for notes in (self.within, self.marks):
            if t not in notes:
                continue
            where = notes.get(t)
            if op.name in ("log", "clamp", "cast", "clone", "neg") or (op.name == "add" and len(args) == 2):
                notes.set(result, where)
            elif notes is self.marks and across(op, attrs):
                self.say(where)

    def judged(self, loss: str, given: dict[str, Any], line: Line | None) -> None:
        if given["input"] in self.marks and loss not in ("nll_loss", "cross_entropy"):
            self.say(self.marks.get(given["input"]))

    def say(self, line: Line | None) -> None:
        self.report(line, "the softmax runs along the batch: the probabilities of each class add up to 1 over the "
                    "examples, those of one example do not")  # fmt: skip


def across(op: Op, attrs: dict[str, Any]) -> bool:
    """Whether an op compares the columns of a row: it takes one element of each, or looks for the largest."""
    if op.name == "getitem":
        index = attrs["index"]
        return isinstance(index, tuple) and sum(isinstance(i, np.ndarray) and i.dtype.kind == "i" for i in index) == 2
    return op.name in ("argmax", "amax", "argsort") and attrs["axis"] in (1, -1, (1,), (-1,))
