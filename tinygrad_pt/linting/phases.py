"""Rules about train() and eval(), dead units, weights that are inf or nan, and the order of schedules."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_pt.graph import INNER, Leaf, Node, Op
from tinygrad_pt.language import said
from tinygrad_pt.lines import Line, line_at
from tinygrad_pt.linting.facts import Notes, checksum, inside
from tinygrad_pt.linting.frames import call_at, call_of_dropout, users, within
from tinygrad_pt.linting.records import Optimized
from tinygrad_pt.linting.rule import Rule
from tinygrad_pt.modes import current
from tinygrad_pt.nn.dropout import Dropout
from tinygrad_pt.nn.module import Module
from tinygrad_pt.tensor import Tensor

if TYPE_CHECKING:
    from tinygrad_pt.linting.session import Session


def changes_with_mode(module: Module) -> bool:
    """Whether a module computes something else in training than in evaluation."""
    return (isinstance(module, Dropout) and module.p > 0) or type(module).__name__.startswith("BatchNorm")


JUDGING = frozenset(("gt", "ge", "lt", "le", "eq", "ne", "argmax", "amax"))  # ops by which an answer is judged


Place = tuple[Line | None, ...]


class Evaluation(Rule):
    """The search for evaluations, for TG401 and TG403: a place in the program gives answers that are judged (a loss, a
    comparison, argmax, or a search for the largest elements), and none of them ever takes part in a backward. A place
    is a line, or all lines that are being executed, from the outermost function inwards."""

    ops = ("*",)

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.answers: Notes[Place] = Notes()  # tensor -> the place that it comes from
        self.graphs: Notes[Place] = Notes()  # vertex of an answer -> that place
        self.places: dict[Place, list[Any]] = {}  # place -> [judged?, harmless?, last input]

    def given(self, place: Place, inputs: list[int], answers: Iterable[Tensor]) -> None:
        """A place computes answers from inputs with these checksums. The same inputs twice in a row, without a step
        between: a sampling on purpose."""
        inputs = [*inputs, self.session.steps]
        seen = self.places.setdefault(place, [False, False, None])
        if inputs == seen[2]:
            seen[1] = True
        seen[2] = inputs
        for t in answers:
            self.answers.set(t, place)
            if t.node is not None:
                self.graphs.set(t.node, place)

    def applied(self, op: Op, args: tuple[Any, ...], attrs: dict[str, Any], result: Tensor, line: Line | None) -> None:
        if not self.answers.kept:
            return
        for a in args:
            if isinstance(a, Tensor) and a in self.answers:
                where = self.answers.get(a, ())
                if a.node is None and result.node is not None:
                    self.places[where][1] = True
                elif op.name in JUDGING or (op.name == "argsort" and attrs["descending"]):
                    self.places[where][0] = True
                self.answers.set(result, where)

    def judged(self, loss: str, given: dict[str, Any], line: Line | None) -> None:
        for t in (given["input"], given["target"]):
            if t in self.answers and (t.node is not None or not current().grad):
                self.places[self.answers.get(t, ())][0] = True

    def differentiated(self, nodes: frozenset[Node]) -> None:
        for node, place in self.graphs:
            if node in nodes:
                self.places[place][1] = True

    def evaluations(self) -> list[Line | None]:
        """The innermost lines of the places whose answers are judged and nothing else."""
        return [place[-1] for place, (judged, harmless, _) in self.places.items() if judged and not harmless]


class Noisy(Evaluation):
    """A module that was trained is called by the user in training mode, with an active dropout (or batch norm) inside,
    and its answer goes into a loss, a comparison, argmax, or a search for the largest elements (max, topk, a sort in
    descending order), but not into a backward.

    The rule stays silent about a line if its answers ever take part in a computation that is differentiated, or if it
    is called for the same input again and again: that samples a dropout on purpose."""

    code = "TG401"
    title = "evaluation in training mode"
    mend = "call model.eval() before, and model.train() after; and evaluate under torch.no_grad()"

    def called(self, module: Module, args: tuple[Any, ...], output: Any, line: Line | None) -> None:
        if self.session.calling() or not module.training:
            return
        if not any(changes_with_mode(m) and m.training for m in module.modules()):
            return
        stepped = self.session.trained()
        if any(id(p) in stepped for p in module.parameters()):
            self.given((line,), [checksum(t.array) for t in inside(args, Tensor)], inside(output, Tensor))

    def end(self) -> None:
        for line in self.evaluations():
            self.report(line, "the model is evaluated in training mode: its dropout is on, its answers are random")


class Asleep(Rule):
    """A module with dropout (or batch norm) was trained in training mode, was called in eval mode under no_grad, was
    trained on in eval mode, was evaluated again, and was trained on in eval mode again."""

    code = "TG402"
    title = "training goes on in eval mode"
    mend = "call model.train() at the beginning of each epoch"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.states: dict[int, list[Any]] = {}  # module -> [progress, (mode, line) of its last call with gradients]

    def called(self, module: Module, args: tuple[Any, ...], output: Any, line: Line | None) -> None:
        if self.session.calling() or not any(changes_with_mode(m) for m in module.modules()):
            return
        state = self.states.setdefault(id(module), [0, None, module])
        if current().grad:
            state[1] = (module.training, line)
        elif not module.training and state[0] in (1, 3):
            state[0] += 1

    def after_step(self, record: Optimized) -> None:
        mine = {id(p) for p in record.parameters}
        for state in self.states.values():
            progress, last, module = state
            if last is None or not any(id(p) in mine for p in module.parameters()):
                continue
            training, line = last
            state[1] = None
            if training:
                state[0] = 1
            elif progress in (2, 4):
                state[0] += 1
                if state[0] == 5:
                    self.report(line, "since its first evaluation the model trains in eval mode: its dropout is off")


class Deaf(Evaluation):
    """`functional.dropout` drops, and the call in the source does not give its argument `training`. It drops inside a
    module that is in eval mode; or after the first step of an optimizer, and what it gives, when called from the same
    lines, is judged as TG401 says and takes part in no backward."""

    code = "TG403"
    title = "functional dropout that ignores eval()"
    mend = "F.dropout(x, p, training=self.training), or an nn.Dropout"

    def applied(self, op: Op, args: tuple[Any, ...], attrs: dict[str, Any], result: Tensor, line: Line | None) -> None:
        super().applied(op, args, attrs, result, line)
        if op.name != "mul":
            return
        modules = self.session.calling()
        asleep = bool(modules) and not modules[-1].training
        if not asleep and not self.session.steps:
            return
        frame = call_of_dropout()
        call = None if frame is None else call_at(frame)
        if call is None or not silent(call):
            return
        if asleep:
            self.report(
                line_at(frame), f"{type(modules[-1]).__name__} is in eval mode, but this dropout drops: its argument "
                "training is True unless you say otherwise",
            )  # fmt: skip
        else:
            place = tuple(line_at(one) for one in users())[::-1]
            self.given(place, [checksum(args[0].array)], [result])

    def end(self) -> None:
        for line in self.evaluations():
            self.report(line, "this dropout drops in an evaluation: its argument training is True unless you say "
                        "otherwise")  # fmt: skip


def silent(call: ast.Call) -> bool:
    """Whether a call of dropout says nothing of `training`."""
    starred = any(isinstance(a, ast.Starred) for a in call.args) or any(k.arg is None for k in call.keywords)
    return not starred and len(call.args) < 3 and all(k.arg != "training" for k in call.keywords)


class Dead(Rule):
    """The value of a layer (`linear`, or `mm` with or without bias) goes straight into relu, and the result was 0 for
    every example: in all units for 10 calls with gradients in a row, or in at least half of the units for 30 such
    calls, if the layer has seen 64 different inputs."""

    code = "TG501"
    title = "dead ReLUs"
    mend = "a smaller learning rate, biases that do not start far below 0, or leaky_relu"
    ops = ("relu", "clamp")

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        # the weight's vertex -> (for how many calls each unit was 0, checksums of inputs)
        self.layers: Notes[tuple[np.ndarray, frozenset[int]]] = Notes()

    def applied(self, op: Op, args: tuple[Any, ...], attrs: dict[str, Any], result: Tensor, line: Line | None) -> None:
        node = args[0].node
        if result.node is None or node is None or result.array.ndim < 2:
            return
        if op.name == "clamp" and (attrs["low"] != 0 or attrs["high"] is not None):
            return
        if node.op.name == "add":
            node = next((p for p in node.parents if type(p) in INNER), node)
        if node.op.name not in ("linear", "mm") or not isinstance(node.parents[1], Leaf):
            return
        weight = node.parents[1]
        silent = ~result.array.reshape(-1, result.array.shape[-1]).any(axis=0)
        silences, inputs = self.layers.get(weight, (np.zeros(silent.size, int), frozenset()))
        silences = np.where(silent, silences + 1, 0)
        x = node.args[1] if node.args else None
        if isinstance(x, np.ndarray) and x.ndim == 2 and len(inputs) < 64:
            inputs |= {checksum(row) for row in x[:64]}
        self.layers.set(weight, (silences, inputs))
        dead, times = int((silences >= 10).sum()), 10
        if dead < silent.size:
            dead, times = int((silences >= 30).sum()), 30
            if 2 * dead < silent.size or len(inputs) < 64:
                return
        if dead:
            handle = weight.handle()
            name = self.session.name(handle) if isinstance(handle, Tensor) else said("a layer")
            self.report(
                line, f"{dead} of the {silent.size} units of {name} have been 0 for every example of the last "
                f"{times} batches: no gradient reaches them any more",
            )  # fmt: skip


class NoNumbers(Rule):
    """An element of a parameter that was finite before a step is inf or nan after it."""

    code = "TG502"
    title = "weights that become inf or nan"
    mend = "a smaller learning rate, clip_grad_norm_, or look for log(0), 0/0 and sqrt(0) in the loss"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.finite: list[Tensor] = []

    def before_step(self, record: Optimized, closure: bool) -> None:
        self.finite = [p for p in record.parameters if np.isfinite(p.array).all()]

    def after_step(self, record: Optimized) -> None:
        for p in self.finite:
            if not np.isfinite(p.array).all():
                cause = "" if p._grad is None or np.isfinite(p._grad.array).all() else ", as its gradient was"
                name = self.session.name(p)
                self.report(record.stepped, f"step {record.steps} of {record.kind} made {name} inf or nan{cause}")
        self.finite = []


class TooEarly(Rule):
    """An object holds an optimizer, and its `step()` was called without an argument before the first step of that
    optimizer and again after it, from the same line. Both calls lowered the learning rate: the decay began too early.
    The first call need not have lowered the rate if the object has a `last_epoch` that counts it as one too many, like
    PyTorch's schedulers, whose constructor makes the first step.

    The rule stays silent if that `step()` itself called the optimizer's, if the rate rose (a warm-up), if it fell far
    the first time only (the schedule brings its own first rate), or if the first and the second call stand at different
    lines (a schedule that is wound forward)."""

    code = "TG601"
    title = "a scheduler stepped before the optimizer"
    mend = "optimizer.step() first, scheduler.step() after it; else the first value of the schedule is skipped"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.watched: dict[tuple[int, int], Early] = {}  # by optimizer and scheduler

    def scheduled(self, record: Optimized, scheduler: Any, line: Line | None) -> None:
        key = (id(record), id(scheduler))
        if not record.steps:
            self.watched.setdefault(key, Early(record, scheduler, line))
        elif key in self.watched:
            self.watched[key].again = line

    def before_step(self, record: Optimized, closure: bool) -> None:
        for key, early in list(self.watched.items()):
            if early.record is not record:
                continue
            if early.after is None:
                early.after = record.rates
                early.counted = getattr(early.scheduler, "last_epoch", 0) or 0
                if within(early.scheduler):
                    del self.watched[key]
            elif early.again is not None:
                del self.watched[key]
                if early.again == early.line and early.decays(record.rates):
                    self.report(
                        early.line, f"{type(early.scheduler).__name__}.step() comes before {record.kind}.step(): the "
                        f"first value of the schedule, {early.before[0]:g}, is skipped or cut short",
                    )  # fmt: skip


class Early:
    """A scheduler that was stepped before its optimizer, with the learning rates."""

    def __init__(self, record: Optimized, scheduler: Any, line: Line | None) -> None:
        self.record, self.scheduler, self.line = record, scheduler, line
        self.before: list[float] = record.rates  # before the first call of step()
        self.after: list[float] | None = None  # at the first step of the optimizer
        self.counted: Any = 0  # last_epoch then
        self.again: Line | None = None  # the line of the second call

    def decays(self, now: list[float]) -> bool:
        """Whether the first call was a step of the decay that the second goes on with."""
        if not self.before or self.after is None:
            return False
        if self.after == self.before:  # of a step size, or an interval, not over yet
            return isinstance(self.counted, int) and self.counted >= 1 and now <= self.after
        for a, b, c in zip(self.before, self.after, now, strict=False):
            if a > b > c and (4 * (b - c) >= a - b or c / b <= b / a * 1.001):
                return True
        return False
