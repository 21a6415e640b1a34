"""One run of the linter: it listens, keeps the facts, tells the rules of events, and collects the findings."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable
from typing import Any

from tinygrad_pt.graph import Leaf, Node, Op, made_by
from tinygrad_pt.language import said
from tinygrad_pt.lines import Line, caller
from tinygrad_pt.linting import frames
from tinygrad_pt.linting.facts import SQUASHING, VIEWS, Notes, Past, checksum, inside, source
from tinygrad_pt.linting.finding import Finding, LintError
from tinygrad_pt.linting.records import Backward, Optimized
from tinygrad_pt.linting.rule import EVENTS, Rule
from tinygrad_pt.listening import Listener, Walk
from tinygrad_pt.modes import Scope, current
from tinygrad_pt.nn.module import Module
from tinygrad_pt.optim.optimizer import Optimizer
from tinygrad_pt.random import Generator
from tinygrad_pt.tensor import Tensor
from tinygrad_pt.utils.data import DataLoader


class Session(Listener):
    """The facts that all rules share, and the rules themselves.

    Args:
        rules: the classes of the rules.
        on: "raise", a function that is called with each finding, or None.
        ignore: the codes that are left out.
    """

    outside: Scope | None = None  # the call of a module in which the linter begins

    def __init__(
        self, rules: Iterable[type[Rule]], on: Callable[[Finding], Any] | str | None, ignore: Iterable[str]
    ) -> None:
        self.findings: list[Finding] = []
        self.on, self.ignore = on, frozenset(ignore)
        self.seen: set[tuple[str, str | None, int | None]] = set()
        self.optimizers: dict[int, Optimized] = {}
        self.roots: dict[int, Module] = {}  # modules that were called by the user rather than by another module
        self.reached: Notes[list[int]] = Notes()  # leaf -> [backwards that reached it, checksum at the first]
        self.pasts: Notes[Past] = Notes()  # where tensors without a vertex came from, if from softmax and the like
        self.steps = 0  # of all optimizers
        self.wanted: Exception | None = None  # the exception that `on` raised: no fault of a rule
        self.crashed = False  # did the program end with an exception?
        self.rules = [rule(self) for rule in rules if rule.code not in self.ignore]
        self.ears: dict[str, list[Callable[..., None]]] = {
            event: [getattr(r, event) for r in self.rules if getattr(type(r), event) is not vars(Rule)[event]]
            for event in EVENTS
        }
        self.hears: dict[str, list[Callable[..., None]]] = {}  # per name of an op
        for rule in self.rules:
            for name in rule.ops:
                self.hears.setdefault(name, []).append(rule.applied)

    # ------------------------------------------------------------------------------------ findings
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
            if callable(self.on):
                self.on(finding)
        except Exception as error:
            self.wanted = error
            raise

    def tell(self, event: str, *what: Any) -> None:
        """Let the rules hear of an event."""
        self._tell([self.ears[event]], *what)

    def _tell(self, lists: list[list[Callable[..., None]]], *what: Any) -> None:
        """Call the methods of rules in some lists; one that raises is left out from then on, the program goes on."""
        for ear in [ear for ears in lists for ear in ears]:
            try:
                ear(*what)
            except Exception as error:
                if error is self.wanted:
                    raise
                for ears in (*self.ears.values(), *self.hears.values()):
                    if ear in ears:
                        ears.remove(ear)
                _warn_of(ear, error)

    # ------------------------------------------------------------------------------------ events
    def applied(self, op: Op, args: tuple[Any, ...], attrs: dict[str, Any], result: Tensor) -> None:
        line = caller()
        if result.node is not None:
            if result.node.parents:
                made_by(result.node).set_note("line", line)
        elif op.name in SQUASHING:
            self.pasts.set(result, Past(op, attrs, result.array.shape, line))
        elif op.name in VIEWS and (past := self.pasts.get(args[0])) is not None:
            self.pasts.set(result, past)
        for name, given in frames.losses():
            self.tell("judged", name, given, line)
        self._tell([self.hears.get(name, []) for name in (op.name, "*")], op, args, attrs, result, line)

    def called(self, module: Module, args: tuple[Any, ...], output: Any) -> None:
        if id(module) not in self.roots and not self.calling():
            if any(True for _ in module.parameters()) or hides(module):
                self.roots[id(module)] = module
        self.tell("called", module, args, output, caller())

    def walking(self, walk: Walk) -> None:
        self.tell("differentiated", frozenset(walk.nodes))
        if walk.adds:
            record = walk.notes[self] = Backward(walk, caller())
            self.tell("before_backward", record)

    def walked(self, walk: Walk) -> None:
        if not walk.adds:
            return
        record: Backward = walk.notes[self]
        leaves = {id(t) for t in record.leaves}
        for t in record.leaves:
            count = self.reached.get(t)
            if count is None:
                self.reached.set(t, [1, checksum(t.array)])
            else:
                count[0] += 1
        for optimizer in self.optimizers.values():
            if any(id(p) in leaves for p in optimizer.parameters):
                optimizer.reached, optimizer.cleared = True, False
                optimizer.passes += 1
        for root in record.roots:
            root.set_note("ended", record.line)
        self.tell("after_backward", record)

    def clipping(self, parameters: list[Tensor], limit: float) -> None:
        if limit != math.inf:
            self.tell("clipping", parameters, caller())

    def record(self, optimizer: Optimizer) -> Optimized:
        """The record of an optimizer."""
        return self.optimizers.setdefault(id(optimizer), Optimized(optimizer, None))

    def made(self, optimizer: Optimizer) -> None:
        record = self.optimizers[id(optimizer)] = Optimized(optimizer, frames.place_of_making(optimizer))
        self.tell("made", record)

    def read(self, optimizer: Optimizer) -> None:
        found = frames.scheduler_of(optimizer)
        if found is not None:
            self.tell("scheduled", self.record(optimizer), *found)

    def cleared(self, optimizer: Optimizer) -> None:
        record = self.record(optimizer)
        record.cleared = record.reached
        record.clearings += 1

    def stepping(self, optimizer: Optimizer, closure: bool) -> None:
        record = self.record(optimizer)
        record.stepped = caller()
        self.tell("before_step", record, closure)

    def stepped(self, optimizer: Optimizer) -> None:
        record = self.record(optimizer)
        record.steps += 1
        self.steps += 1
        self.tell("after_step", record)
        record.reached = record.cleared = False

    def seeding(self, generator: Generator, seed: int) -> None:
        self.tell("seeding", generator, seed, caller())

    def began(self, loader: DataLoader[Any]) -> None:
        self.tell("began", loader, caller())

    def gave(self, loader: DataLoader[Any], batch: Any) -> None:
        self.tell("gave", loader, batch)

    def end(self) -> None:
        """The program has ended; some rules report only now. The rules go, because they and their session hold each
        other."""
        self.tell("end")
        self.rules.clear()
        self.ears.clear()
        self.hears.clear()

    # ------------------------------------------------------------------------------------ facts that rules ask for
    def calling(self) -> tuple[Module, ...]:
        """The modules that are being called, outermost first."""
        found, scope = [], current().scope
        while scope is not None and scope is not self.outside:
            module = None if scope.module is None else scope.module()
            if module is not None:
                found.append(module)
            scope = scope.parent
        return tuple(reversed(found))

    def held(self) -> set[int]:
        """The identities of all tensors in optimizers."""
        return {id(p) for r in self.optimizers.values() for p in r.held}

    def trained(self) -> set[int]:
        """The identities of all tensors in optimizers that have stepped."""
        return {id(p) for r in self.optimizers.values() if r.steps for p in r.held}

    def registered(self) -> dict[int, str]:
        """The names of all parameters of the modules that were called, by identity."""
        return {id(p): name for root in self.roots.values() for name, p in root.named_parameters()}

    def passes(self, p: Tensor) -> int:
        """How many backwards reached a leaf."""
        found = self.reached.get(p)
        return found[0] if found else 0

    def changed(self, p: Tensor) -> bool:
        """Whether the values of a leaf changed since the first backward that reached it."""
        found = self.reached.get(p)
        return found is not None and found[1] != checksum(p.array)

    def source(self, t: Tensor) -> Node | Past | None:
        """The vertex, or without one the `Past`, whose values `t` shows."""
        return self.pasts.get(t) if t.node is None else source(t)

    def name(self, p: Tensor, names: dict[int, str] | None = None) -> str:
        """The name of a tensor in a sentence."""
        name = (self.registered() if names is None else names).get(id(p)) or getattr(p, "name", None)
        return name or said(f"a tensor of shape {list(p.array.shape)}")


def hides(module: Module) -> bool:
    """Whether an attribute of a module is a list or dict with modules, or tensors that want a gradient, in it."""
    values = [v for v in vars(module).values() if type(v) in (list, tuple, dict)]
    return any(isinstance(t.node, Leaf) for t in inside(values, Tensor)) or any(True for _ in inside(values, Module))


def _warn_of(ear: Callable[..., None], error: Exception) -> None:
    """Warn that a rule raised an exception."""
    code = getattr(getattr(ear, "__self__", None), "code", "?")
    text = f"lint: the rule {code} failed and is off from here on: {type(error).__name__}: {error}"
    warnings.warn(text, RuntimeWarning, stacklevel=2)
