"""One run of the linter: what happened so far, which rules hear of it, and what they found."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import Any

from tinygrad_pt.graph import Handle, Leaf, Node, made_by
from tinygrad_pt.lines import PACKAGE, Line, line_at
from tinygrad_pt.linting.facts import LOSSES, SQUASHING, VIEWS, Notes, Past, above, checksum, inside, source
from tinygrad_pt.linting.finding import Finding, LintError
from tinygrad_pt.linting.rule import EVENTS, Rule
from tinygrad_pt.listening import Tape, listen
from tinygrad_pt.nn.module import Module

calling: ContextVar[tuple[Any, ...]] = ContextVar("tinygrad_pt.linting.calling", default=())  # modules, outermost first


class Backward:
    """One call of `backward`: from where, through which vertices, to which leaves."""

    def __init__(self, tensors: Any, gradient: Any, create: bool, inputs: Any, line: Line | None) -> None:
        self.tensors = [tensors] if isinstance(tensors, Handle) else list(tensors)
        self.roots: list[Node] = [t.node for t in self.tensors if t.node is not None]
        self.nodes = above(self.roots)
        leaves = [node.handle() for node in self.nodes if isinstance(node, Leaf)]
        if inputs is not None:
            chosen = {id(t) for t in ([inputs] if isinstance(inputs, Handle) else inputs)}
            leaves = [t for t in leaves if id(t) in chosen]
        self.leaves: list[Any] = [t for t in leaves if t is not None]
        self.plain = gradient is None and not create  # a loss, not a row of a Jacobian or a gradient to differentiate
        self.line = line


class Optimized:
    """An optimizer and what it did."""

    def __init__(self, optimizer: Any, made: Line | None) -> None:
        self.optimizer, self.made = optimizer, made
        self.steps, self.stepped = 0, None  # how many, and the line of the last
        self.reached = False  # has a backward reached a parameter since the last step?
        self.cleared = False  # ... and was zero_grad() called after it?
        self.clearings = 0
        self.passes = 0  # backwards that reached a parameter

    stepped: Line | None

    @property
    def groups(self) -> list[dict[str, Any]]:
        """The groups, read where nobody watches."""
        groups: list[dict[str, Any]] = self.optimizer.__dict__["param_groups"]
        return groups

    @property
    def rates(self) -> list[float]:
        """The learning rate of each group that has one."""
        return [float(g["lr"]) for g in self.groups if isinstance(g.get("lr"), (int, float, Handle))]

    @property
    def parameters(self) -> list[Any]:
        """The tensors it holds that want a gradient."""
        return [p for group in self.groups for p in group["params"] if p.node is not None]

    @property
    def line(self) -> Line | None:
        """Where it was made; for one made before the linter came, where it steps."""
        return self.made or self.stepped

    @property
    def kind(self) -> str:
        return type(self.optimizer).__name__


class Session:
    """The facts that all rules share, and the rules themselves."""

    def __init__(self, rules: Iterable[type[Rule]], on: Any, ignore: Iterable[str]) -> None:
        self.findings: list[Finding] = []
        self.on, self.ignore = on, frozenset(ignore)
        self.seen: set[tuple[str, Any, Any]] = set()
        self.optimizers: dict[int, Optimized] = {}
        self.roots: dict[int, Any] = {}  # modules that were called by the user rather than by another module
        self.reached = Notes()  # leaf -> [backwards that reached it, checksum at the first]
        self.pasts = Notes()  # where tensors without a vertex came from, if from softmax and the like
        self.steps = 0  # of all optimizers
        self.wanted: Exception | None = None  # what `on` raised: no fault of a rule
        self.failed = False  # did the program end with an exception?
        self.rules = [rule(self) for rule in rules if rule.code not in self.ignore]
        self.ears: dict[str, list[Callable[..., None]]] = {
            event: [getattr(r, event) for r in self.rules if getattr(type(r), event) is not vars(Rule)[event]]
            for event in EVENTS
        }
        self.hears: dict[str, list[Callable[..., None]]] = {}
        for rule in self.rules:
            for name in rule.ops:
                self.hears.setdefault(name, []).append(rule.applied)
        self.listener = listen(Tape(self.tape))

    # ------------------------------------------------------------------------------------ what rules say
    def report(self, code: str, sentence: str, mend: str, line: Line | None) -> None:
        """Add a finding, unless one of this code stands at this line or the line silences it."""
        key = (code, line and line.file, line and line.number)
        finding = Finding(code, sentence, mend, line)
        if key in self.seen or finding.silenced:
            return
        self.seen.add(key)
        self.findings.append(finding)
        try:
            if self.on == "raise":
                raise LintError(finding)
            if self.on is not None:
                self.on(finding)
        except Exception as error:
            self.wanted = error
            raise

    def tell(self, event: str, *what: Any) -> None:
        """Let the rules hear of an event; one that breaks is left out from then on, and the program goes on."""
        ears = self.ears[event]
        for ear in tuple(ears):
            try:
                ear(*what)
            except Exception as error:
                if error is self.wanted:
                    raise
                ears.remove(ear)
                broken(ear, error)

    # ------------------------------------------------------------------------------------ what happens
    def tape(self, op: Any, args: tuple[Any, ...], attrs: dict[str, Any], result: Any) -> None:
        """An op was applied."""
        frame, losses = _user_and_losses()
        line = line_at(frame)
        if result.node is not None:
            if result.node.parents:
                made_by(result.node).set_note("line", line)
        elif op.name in SQUASHING:
            self.pasts.set(result, Past(op, attrs, result.array.shape, line))
        elif op.name in VIEWS and args[0] in self.pasts:
            self.pasts.set(result, self.pasts.get(args[0]))
        for name, given in losses:
            self.tell("judged", name, given, line)
        for hear in tuple(self.hears.get(op.name, ())) + tuple(self.hears.get("*", ())):
            try:
                hear(op, args, attrs, result, line)
            except Exception as error:
                if error is self.wanted:
                    raise
                for ears in self.hears.values():
                    if hear in ears:
                        ears.remove(hear)
                broken(hear, error)

    def called(self, module: Any, args: tuple[Any, ...], output: Any, outer: tuple[Any, ...], frame: Any) -> None:
        """A module was called, and returned."""
        if not outer and id(module) not in self.roots and (any(True for _ in module.parameters()) or hides(module)):
            self.roots[id(module)] = module
        self.tell("called", module, args, output, outer, line_at(frame))

    def before_backward(self, walk: Backward) -> None:
        """A backward begins."""
        self.tell("differentiated", walk.nodes)
        self.tell("before_backward", walk)

    def after_backward(self, walk: Backward) -> None:
        """A backward has ended."""
        leaves = {id(t) for t in walk.leaves}
        for t in walk.leaves:
            count = self.reached.get(t)
            if count is None:
                self.reached.set(t, [1, checksum(t.array)])
            else:
                count[0] += 1
        for record in self.optimizers.values():
            if any(id(p) in leaves for p in record.parameters):
                record.reached, record.cleared = True, False
                record.passes += 1
        for root in walk.roots:
            root.set_note("ended", walk.line)
        self.tell("after_backward", walk)

    def differentiated(self, nodes: set[Node]) -> None:
        """`autograd.grad` goes through these vertices."""
        self.tell("differentiated", nodes)

    def clipped(self, parameters: list[Any], line: Line | None) -> None:
        """Gradients are clipped."""
        self.tell("clipped", parameters, line)

    def record(self, optimizer: Any) -> Optimized:
        """What is known of an optimizer."""
        return self.optimizers.setdefault(id(optimizer), Optimized(optimizer, None))

    def made(self, optimizer: Any, line: Line | None) -> None:
        """An optimizer was made."""
        self.optimizers[id(optimizer)] = Optimized(optimizer, line)

    def cleared(self, optimizer: Any) -> None:
        """`zero_grad()` was called."""
        record = self.record(optimizer)
        record.cleared = record.reached
        record.clearings += 1

    def before_step(self, optimizer: Any, line: Line | None, closure: bool) -> None:
        """An optimizer is about to step."""
        record = self.record(optimizer)
        record.stepped = line
        self.tell("before_step", record, closure)

    def after_step(self, optimizer: Any, line: Line | None) -> None:
        """An optimizer has stepped."""
        record = self.record(optimizer)
        record.steps += 1
        self.steps += 1
        self.tell("after_step", record)
        record.reached = record.cleared = False

    def scheduled(self, optimizer: Any, scheduler: Any, line: Line | None) -> None:
        """An object that holds an optimizer reads its groups in its own `step()`."""
        self.tell("scheduled", self.record(optimizer), scheduler, line)

    def chosen(self, values: Any, result: Any) -> None:
        """The largest of some values were looked for: `argmax`, `max`, `topk`."""
        self.tell("chosen", values, result)

    def end(self) -> None:
        """The program has ended: what only the whole of it can show."""
        self.tell("end")

    # ------------------------------------------------------------------------------------ what rules ask
    def held(self) -> set[int]:
        """The identities of all tensors in optimizers."""
        return {id(p) for r in self.optimizers.values() for group in r.groups for p in group["params"]}

    def stepped(self) -> set[int]:
        """The identities of all tensors in optimizers that have stepped."""
        return {id(p) for r in self.optimizers.values() if r.steps for group in r.groups for p in group["params"]}

    def registered(self) -> dict[int, str]:
        """The names of all parameters of the modules that were called, by identity."""
        return {id(p): name for root in self.roots.values() for name, p in root.named_parameters()}

    def passes(self, p: Any) -> int:
        """How many backwards reached a leaf."""
        found = self.reached.get(p)
        return found[0] if found else 0

    def changed(self, p: Any) -> bool:
        """Whether the values of a leaf changed since the first backward that reached it."""
        found = self.reached.get(p)
        return found is not None and found[1] != checksum(p.array)

    def source(self, t: Any) -> Any:
        """The vertex, or without one the `Past`, whose values `t` shows."""
        return self.pasts.get(t) if t.node is None else source(t)

    def name(self, p: Any, names: dict[int, str] | None = None) -> str:
        """What to call a tensor."""
        name = (self.registered() if names is None else names).get(id(p)) or getattr(p, "name", None)
        return name or f"a tensor of shape {list(p.array.shape)}"


def hides(module: Any) -> bool:
    """Whether an attribute of a module is a list or dict with modules, or tensors that want a gradient, in it."""
    values = [v for v in vars(module).values() if type(v) in (list, tuple, dict)]
    return any(isinstance(t.node, Leaf) for t in inside(values, Handle)) or any(True for _ in inside(values, Module))


def broken(ear: Any, error: Exception) -> None:
    """Say that a rule fell over."""
    code = getattr(getattr(ear, "__self__", None), "code", "?")
    warnings.warn(
        f"lint: the rule {code} fell over and is off from here on: {type(error).__name__}: {error}", RuntimeWarning,
        stacklevel=2,
    )  # fmt: skip


def _user_and_losses() -> tuple[Any, list[tuple[str, dict[str, Any]]]]:
    """The innermost user's frame, and the losses of `nn.functional` that were entered from it."""
    frame: Any = sys._getframe(2)
    losses = []
    while frame is not None and frame.f_code.co_filename.startswith(PACKAGE):
        name = LOSSES.get(frame.f_code)
        if name is not None:
            losses.append((name, frame.f_locals))
        frame = frame.f_back
    return frame, losses
