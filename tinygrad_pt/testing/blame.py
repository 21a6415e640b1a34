"""The search for the op whose rule is wrong: every op that was applied is checked by itself, at the same arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinygrad_pt.calling import apply, bundle, wrap
from tinygrad_pt.debugging.holders import owner_of
from tinygrad_pt.graph import Op, Tensor, made_by
from tinygrad_pt.lines import Line, caller
from tinygrad_pt.listening import Tape, listen
from tinygrad_pt.testing.compare import compare
from tinygrad_pt.testing.hints import Hint, hints
from tinygrad_pt.testing.laws import Trial, broken_laws
from tinygrad_pt.testing.report import Failure, Guilty
from tinygrad_pt.testing.subject import Array, Derivative, Flat, Flaw, Subject, TensorSubject, floating

MOST = 2000  # applications that are looked at
Options = dict[str, Any]  # of `compare`


@dataclass
class Application:
    """One op as it was applied: its arguments then, which of them want a gradient, and where in the program."""

    op: Op
    args: list[Any]
    wanting: list[int]
    attrs: dict[str, Any]
    again: Callable[..., Any] | None
    module: str
    line: Line | None

    def subject(self) -> TensorSubject:
        """The op by itself, as something to check."""
        args = [wrap(a) if isinstance(a, np.ndarray) else a for a in self.args]
        return TensorSubject(self.function(), args, self.wanting)

    def function(self) -> Callable[..., Any]:
        if self.again is not None:
            return self.again
        op, attrs = self.op, self.attrs
        with np.errstate(all="ignore"):
            several = isinstance(op.forward(*self.args, **attrs), (tuple, list))
        way = bundle if several else apply
        return lambda *args: way(op, args, attrs)

    @property
    def name(self) -> str:
        """The op's name; of a Function, that of its class."""
        return str(self.op.name).rsplit(".", 1)[-1]


class Record:
    """What a run of a subject applied, and where the chain from inputs to results is cut."""

    def __init__(self, subject: TensorSubject) -> None:
        self.applications: list[Application] = []
        self.cuts: list[str] = []
        self.known: dict[int, Array] = {}  # memory of tensors that have a history, by the number of its owner
        self.unrecorded: list[tuple[Line | None, str]] = []
        try:
            with listen(Tape(self.tape)):
                args = subject.arguments(subject.fresh(), True)
                for i in subject.slots:
                    self.remember(args[i].array)
                subject.call(args)
        except Flaw:
            pass  # what was applied until then is known
        self.cuts += [text for _, text in self.unrecorded]

    def remember(self, array: Array) -> None:
        owner = owner_of(array)
        self.known[id(owner)] = owner

    def tape(self, op: Op, args: tuple[Any, ...], attrs: dict[str, Any], result: Tensor) -> None:
        line = caller()
        if result.node is None:
            if op.differentiable and floating(result.array) and any(_alive(a) for a in args):
                self.unrecorded.append((line, f"{op.name} was applied under no_grad, at {line}"))
            return
        for a in args:
            if isinstance(a, Tensor) and a.node is None and floating(a.array) and id(owner_of(a.array)) in self.known:
                self.cuts.append(f"an argument of {op.name} is a detached tensor, at {line}")
        self.remember(result.array)
        again = attrs.get("again")
        if again is not None:  # the ops inside a Function's forward are rightly not recorded
            self.unrecorded = [u for u in self.unrecorded if u[0] is None or u[0].function != "forward"]
        if len(self.applications) < MOST:
            values = [np.array(a.array) if isinstance(a, Tensor) else a for a in args]
            wanting = [i for i, a in enumerate(args) if _alive(a) and floating(values[i])]
            scope = made_by(result.node).scope
            module = "" if scope is None else str(scope)
            self.applications.append(Application(op, values, wanting, attrs, again, module, line))


def _alive(a: Any) -> bool:
    return isinstance(a, Tensor) and a.node is not None


# ---------------------------------------------------------------------------------------------- the search
def blame(subject: Subject, failures: Sequence[Failure], options: Options) -> tuple[Guilty | None, list[Failure]]:
    """The op that is to blame for the failures, and the failures with what its own check says about it."""
    if not isinstance(subject, TensorSubject):
        return None, list(failures)
    laws = {f.law for f in failures} - {"gradient", "second order", "forward mode"}
    record = Record(subject)
    found = search(record.applications, laws, 1, options)
    order = 1
    if found is None and isinstance(subject, Derivative) and not laws:
        order = 2
        found = search(Record(subject.of).applications, laws, 2, options)
    if found is None:
        return None, cut(record, failures) if not laws else list(failures)
    application, said, slot = found
    kind, text = said
    guilty = Guilty(application.name, application.module, application.line, slot)
    if isinstance(subject, Derivative):
        what = "the first derivatives are right, the second are not"
        kind, text = "second order", f"second order: {what}" + (f"; of {application.name}, {text}" if text else "")
    elif kind and not laws:
        text = f"{text} (in {application.name})" if order == 1 else text
    if not kind:
        return guilty, list(failures)
    return guilty, [
        replace(f, hint=text, hint_kind=kind) if f.hint_kind != "ties" or kind == "ties" else f for f in failures
    ]


def search(
    applications: Sequence[Application], laws: set[str], order: int, options: Options
) -> tuple[Application, Hint, int | None] | None:
    """The first application that fails by itself; with `laws`, the first that breaks one of them."""
    for application in applications:
        if not application.wanting or application.name in STRUCTURE:
            continue
        try:
            own = application.subject()
            if laws:
                broken = [f for f in broken_laws(Trial(own, options["seed"])) if f.law in laws]
                if broken:
                    return application, (broken[0].hint_kind, broken[0].hint), None
                continue
            own = Derivative(own, options["seed"]) if order == 2 else own
            found = compare(Flat(own), **options)
        except Flaw as flaw:
            return application, (flaw.kind, str(flaw)), flaw.slot
        except Exception:  # the op cannot be applied again as it was: nothing is known about it
            continue
        if found.verdicts.wrong.any() or found.ties:
            said = hints(found)
            first = next(iter(said), None)
            if first is None:
                slot = found.flat.place(found.ties[0].column)[0]
                return application, ("ties", "ties: tied arguments get shares that are no subgradient"), slot
            return application, said[first], first if order == 1 else None
    return None


STRUCTURE = ("leaf", "pick")  # vertices that compute nothing


def cut(record: Record, failures: Sequence[Failure]) -> list[Failure]:
    """Where every op is right by itself, part of the function is not on the graph."""
    where = record.cuts[0] if record.cuts else "look for detach(), .data, .numpy(), item() or no_grad()"
    text = f"every op is right by itself, so the graph is cut: {where}"
    return [
        replace(f, hint=f"{f.hint}; {text}" if f.hint_kind == "dropped input" else f"cut: {text}",
                hint_kind=f.hint_kind if f.hint_kind == "dropped input" else "cut")
        for f in failures
    ]  # fmt: skip
