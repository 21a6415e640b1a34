"""Rules about backward and step: gradients that are old, missing, doubled, or computed from changed values."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from tinygrad_pt.debugging.trace import line_of
from tinygrad_pt.graph import SAVED, Leaf, Node, Op
from tinygrad_pt.lines import Line
from tinygrad_pt.linting.facts import Notes, checksum, freed, parents
from tinygrad_pt.linting.finding import place
from tinygrad_pt.linting.frames import list_with
from tinygrad_pt.linting.records import Backward, Optimized
from tinygrad_pt.linting.rule import Rule
from tinygrad_pt.nn.module import Module
from tinygrad_pt.tensor import Tensor

if TYPE_CHECKING:
    from tinygrad_pt.linting.session import Session


def nonzero(grad: Tensor | None) -> TypeGuard[Tensor]:
    """Whether there is a gradient, and not only zeros."""
    return grad is not None and bool(np.any(grad.array))


class Stale(Rule):
    """An optimizer steps along a gradient that still contains, unchanged, the gradient of its step before. Or, without
    an optimizer, a leaf is changed twice in a row between backwards that add to the same gradient."""

    code = "TG301"
    title = "no zero_grad between two steps"
    mend = "call optimizer.zero_grad() before each backward (after each step, if you add up several on purpose)"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.used: Notes[int] = Notes()  # parameter -> checksum of the gradient that its last step used
        self.carried: Notes[bool] = Notes()  # parameters whose next backward adds to a used gradient
        # other leaves -> (checksum, the gradient's checksum, both after backward; times in a row)
        self.last: Notes[tuple[int, int, int]] = Notes()

    def before_backward(self, walk: Backward) -> None:
        held = self.session.held()
        for p in walk.leaves:
            if id(p) in held:
                if p in self.used and nonzero(p._grad) and checksum(p._grad.array) == self.used.get(p):
                    self.carried.set(p, True)
                elif not nonzero(p._grad):
                    self.carried.pop(p)
                    self.used.pop(p)
            elif (last := self.last.get(p)) is not None:
                value, grad, times = last
                kept = nonzero(p._grad) and checksum(p._grad.array) == grad and checksum(p.array) != value
                times = times + 1 if kept else 0
                self.last.set(p, (value, grad, times))
                if times == 2:
                    self.report(
                        walk.line, f"{self.session.name(p)} was changed along its gradient, and backward adds the next "
                        "gradient to the same one", "set .grad = None after each change",
                    )  # fmt: skip

    def after_backward(self, walk: Backward) -> None:
        held = self.session.held()
        for p in walk.leaves:
            if id(p) not in held and nonzero(p._grad):
                times = self.last.get(p, (0, 0, 0))[2]
                self.last.set(p, (checksum(p.array), checksum(p._grad.array), times))

    def after_step(self, record: Optimized) -> None:
        stale = [p for p in record.parameters if p in self.carried and nonzero(p._grad)]
        if stale:
            names = self.session.registered()
            self.report(
                record.stepped, f"the gradient of {self.session.name(stale[0], names)} still contains that of the step "
                f"before: no zero_grad between two steps of {record.kind}",
            )  # fmt: skip
        for p in record.parameters:
            self.carried.pop(p)
            if nonzero(p._grad):
                self.used.set(p, checksum(p._grad.array))


class NoGradient(Rule):
    """At two steps from one line of the program, no parameter had a gradient, or all gradients were zeros since
    zero_grad().

    If a backward reached a parameter before the step, the gradients were cleared too early, and the rule reports it at
    once. Otherwise it reports at the end, unless another rule knows the cause: TG306, if each backward between them
    began at a tensor without history, or TG105, if the optimizer holds the parameters of a former network."""

    code = "TG302"
    title = "steps without any gradient"
    mend = "the order is zero_grad(), backward(), step()"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.empty: dict[tuple[int, Line | None], int] = {}
        self.waiting: dict[tuple[int, Line | None], Optimized] = {}

    def before_step(self, record: Optimized, closure: bool) -> None:
        if closure:
            return
        some = any(nonzero(p._grad) for p in record.parameters)
        none = all(p._grad is None for p in record.parameters)
        if some or not (none or record.cleared) or not record.parameters:
            return
        key = (id(record), record.stepped)
        cleared = record.reached
        self.empty[key] = self.empty.get(key, 0) + 1
        if self.empty[key] < 2:
            return
        if cleared:
            self.report(
                record.stepped, f"{record.kind} steps without a gradient: the gradients are cleared after backward"
            )
        else:
            self.waiting[key] = record

    def end(self) -> None:
        for (_, line), record in self.waiting.items():
            places = {f.line for f in self.session.findings if f.code in ("TG105", "TG306")}
            if not places and not any(self.session.passes(p) for p in record.parameters):
                self.report(
                    line, f"{record.kind} steps, but no backward has ever reached one of its parameters",
                    "compute the loss from them, without detach, item or numpy on the way, and call backward()",
                )  # fmt: skip


class NeverSteps(Rule):
    """An optimizer never stepped, though its gradients were computed at least 3 times and cleared by it at least 3
    times, and no parameter that it holds changed."""

    code = "TG303"
    title = "an optimizer that never steps"
    mend = "call optimizer.step() after backward()"

    def end(self) -> None:
        for record in self.session.optimizers.values():
            if not record.steps and record.passes >= 3 and record.clearings >= 3 and record.parameters:
                if not any(self.session.changed(p) for p in record.parameters):
                    self.report(record.line, f"{record.kind} is given gradients, clears them, and never steps")


class Accumulated(Rule):
    """A sum wants a gradient, and backward has already gone through and freed the graphs of two or more of its terms,
    both times from the same line. Or a sum of at least 3 numbers grew at one line, each time after another call of a
    module with parameters, and neither backward nor grad ever went through it."""

    code = "TG304"
    title = "a loss added up together with its graph"
    mend = "total += loss.item(); and evaluate under torch.no_grad()"
    ops = ("add",)

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.calls = 0
        # vertex -> (line, how often it grew, calls of modules until then)
        self.sums: Notes[tuple[Line | None, int, int]] = Notes()
        self.grown: set[Line | None] = set()
        self.used: set[Line | None] = set()

    def called(self, module: Module, args: tuple[Any, ...], output: Any, line: Line | None) -> None:
        if not self.session.calling() and id(module) in self.session.roots:
            self.calls += 1

    def applied(self, op: Op, args: tuple[Any, ...], attrs: dict[str, Any], result: Tensor, line: Line | None) -> None:
        if result.node is None or result.node.shape not in ((), (1,)):
            return
        before = [self.sums.get(p) for p in parents(result.node)]
        same = [b for b in before if b is not None and b[0] == line]
        times = same[0][1] + (self.calls > same[0][2]) if same else 1
        self.sums.set(result.node, (line, times, self.calls))
        if times >= 3:
            self.grown.add(line)
        ended: list[Any] = []
        stack = list(parents(result.node))
        for _ in range(100):
            if not stack:
                return
            node = stack.pop()
            if freed(node):
                where = node.note("ended")
                if where is not None and where in ended:
                    self.report(line, "the sum keeps the graph of every loss in it, though backward is done with them")
                    return
                ended.append(where)
            elif node.op.name in ("add", "cast") or (
                node.op.name in ("mul", "div") and sum(isinstance(p, Node) for p in node.parents) == 1
            ):
                stack.extend(parents(node))

    def differentiated(self, nodes: frozenset[Node]) -> None:
        self.used |= {found[0] for node in nodes if (found := self.sums.get(node)) is not None}

    def end(self) -> None:
        for line in set() if self.session.crashed else self.grown - self.used:
            self.report(line, "the sum keeps the graph of everything in it, and nothing ever differentiates it")


class Kept(Rule):
    """Five losses are alive at once whose graphs a backward at one line has freed, with a step of an optimizer between
    each of them."""

    code = "TG305"
    title = "losses kept together with their graphs"
    mend = "keep loss.item() or loss.detach()"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.roots: dict[Line | None, Notes[int]] = {}  # per line of backward: loss -> how many steps were over
        self.said: set[Line | None] = set()

    def after_backward(self, walk: Backward) -> None:
        roots = self.roots.setdefault(walk.line, Notes())
        for t in walk.tensors:
            if t.node is not None and freed(t.node):
                roots.set(t, self.session.steps)
        alive = [t for t, _ in roots]
        if len({steps for _, steps in roots}) >= 5 and walk.line not in self.said:
            self.said.add(walk.line)
            name = list_with(alive[0])
            where = f", in the list `{name}`" if name else ""
            self.report(
                walk.line, f"{len(alive)} losses of this line are alive with their graphs{where}: memory grows with "
                "every step",
            )  # fmt: skip


class NoHistory(Rule):
    """Twice, a backward began at a tensor that has no history and is no parameter, and the next step was of an
    optimizer that had got no gradient since its last step."""

    code = "TG306"
    title = "backward from a tensor without history"
    mend = "compute the loss with tensor operations only: torch.tensor(x), item() and numpy() end the graph"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.line: Line | None = None
        self.times = 0

    def after_backward(self, walk: Backward) -> None:
        bare = all(isinstance(node, Leaf) for node in walk.roots)
        held = self.session.held() | set(self.session.registered())
        self.line = walk.line if bare and not any(id(t) in held for t in walk.tensors) else None

    def after_step(self, record: Optimized) -> None:
        if self.line is not None and not record.reached:
            self.times += 1
            if self.times == 2:
                self.report(self.line, f"backward begins at a new tensor, so {record.kind} gets no gradients from it")
        self.line = None


class Doubled(Rule):
    """Between two clearings of a parameter's gradient, backward went through one loss twice: first through the loss,
    then through it again, by itself or inside a larger loss. An optimizer then stepped along the sum. Both backwards
    were without an explicit gradient and without create_graph."""

    code = "TG307"
    title = "one loss counted twice"
    mend = "call backward once per step on the sum of all losses; retain_graph=True is for something else"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        # parameter -> (roots whose gradients were added to its own, and where; checksum of that after the last)
        self.roots: Notes[tuple[tuple[tuple[weakref.ref[Node], Line | None], ...], int]] = Notes()
        self.twice: Notes[tuple[Line | None, Line | None]] = Notes()  # parameter -> (line of the second, of the first)
        self.fresh: tuple[tuple[weakref.ref[Node], Line | None], ...] = ()  # the roots of the backward that runs

    def after_backward(self, walk: Backward) -> None:
        for p in walk.leaves:
            if nonzero(p._grad):
                roots = self.roots.get(p, ((), 0))[0]
                self.roots.set(p, ((*roots, *self.fresh), checksum(p._grad.array)))

    def before_backward(self, walk: Backward) -> None:
        self.fresh = ()
        for p in walk.leaves:
            roots, sum_ = self.roots.get(p, ((), 0))
            if not nonzero(p._grad) or checksum(p._grad.array) != sum_:
                self.roots.pop(p)
                self.twice.pop(p)
                continue
            for link, line in roots:
                node = link()
                if walk.plain and node is not None and node in walk.nodes:
                    self.twice.set(p, (walk.line, line))
        if walk.plain:
            self.fresh = tuple((weakref.ref(node), walk.line) for node in walk.roots if not isinstance(node, Leaf))

    def after_step(self, record: Optimized) -> None:
        for p in record.parameters:
            again = self.twice.pop(p)
            if again is not None and nonzero(p._grad):
                line, first = again
                where = "" if first == line else f" (first at {place(first)})"
                self.report(line, f"{record.kind} steps along a gradient in which one loss is counted twice{where}")
            self.roots.pop(p)


class Overwritten(Rule):
    """When a backward begins, an array that an op saved has changed, and no in-place operation was counted: it was
    written through `.data`, `.numpy()`, or the array that was given to from_numpy."""

    code = "TG308"
    title = "a saved value changed without the graph's knowledge"
    mend = "write through the tensor itself (then backward can tell), after backward, or into a clone()"
    ops = ("*",)

    def applied(self, op: Op, args: tuple[Any, ...], attrs: dict[str, Any], result: Tensor, line: Line | None) -> None:
        node = result.node
        if node is not None and not isinstance(node, Leaf) and node.args is not None and node.op is op:
            node.set_note("sums", sums(node))

    def before_backward(self, walk: Backward) -> None:
        for node in walk.nodes:
            before = node.note("sums")
            if before is None or node.args is None:
                continue
            guards = node.guards
            if any(guards[i][0] != guards[i + 1] for i in range(0, len(guards), 2)):
                continue  # counted: backward itself will refuse
            now = sums(node)
            if len(now) == len(before) and any(a is not None and a != b for a, b in zip(before, now, strict=True)):
                where = line_of(node)
                self.report(
                    where or walk.line, f"a value that {node.op.name} saved here was changed afterwards without the "
                    "graph's knowledge: its gradient is wrong",
                )  # fmt: skip


def sums(node: Node) -> tuple[int | None, ...]:
    """A checksum of each array that a vertex has saved."""
    return tuple(checksum(a) if isinstance(a, SAVED) else None for a in node.args or ())


class InVain(Rule):
    """The gradients of an optimizer's parameters were clipped at one line at least twice, never to any effect: there
    were no gradients yet, or they were cleared before the optimizer stepped along them."""

    code = "TG309"
    title = "gradients clipped where it has no effect"
    mend = "the order is backward(), clip_grad_norm_(), step()"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.vain: dict[Line | None, int] = {}
        self.useful: set[Line | None] = set()
        self.open: dict[Line | None, list[Tensor]] = {}
        self.whose: dict[Line | None, set[int]] = {}

    def clipping(self, parameters: list[Tensor], line: Line | None) -> None:
        self.whose[line] = {id(p) for p in parameters}
        self.open.pop(line, None)
        if any(nonzero(p._grad) for p in parameters):
            self.open[line] = parameters
        else:
            self.vain[line] = self.vain.get(line, 0) + 1

    def before_step(self, record: Optimized, closure: bool) -> None:
        mine = {id(p) for p in record.parameters}
        for line, parameters in list(self.open.items()):
            if any(id(p) in mine and nonzero(p._grad) for p in parameters):
                self.useful.add(line)
                del self.open[line]

    def before_backward(self, walk: Backward) -> None:
        for line, parameters in list(self.open.items()):
            del self.open[line]
            if any(nonzero(p._grad) for p in parameters):
                self.useful.add(line)
            else:
                self.vain[line] = self.vain.get(line, 0) + 1

    def end(self) -> None:
        for line, times in self.vain.items():
            if times >= 2 and line not in self.useful and self.whose[line] & self.session.trained():
                self.report(line, f"{times} times gradients are clipped here, and no step ever uses the clipped ones")
