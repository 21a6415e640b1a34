"""Rules about the parameters that a module registers and that an optimizer holds; most report at the end."""

from __future__ import annotations

import inspect
import linecache
import re
import weakref
from collections.abc import Iterator
from types import CodeType
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_pt.graph import Leaf, Op
from tinygrad_pt.lines import Line
from tinygrad_pt.linting.facts import Notes, inside, listed
from tinygrad_pt.linting.frames import users
from tinygrad_pt.linting.records import Optimized
from tinygrad_pt.linting.rule import Rule
from tinygrad_pt.modes import current
from tinygrad_pt.nn.container import ModuleList, Sequential
from tinygrad_pt.nn.module import SHELVES, Module
from tinygrad_pt.tensor import Tensor

if TYPE_CHECKING:
    from tinygrad_pt.linting.session import Session

OWN = frozenset((*SHELVES, "_entered", "_call_hooks", "_non_persistent_buffers_set", "_scope_name"))


def plain(module: Module) -> Iterator[tuple[str, Any]]:
    """The attributes of a module that it has not registered."""
    known = {name for shelf in SHELVES for name in module.__dict__.get(shelf, ())}
    for name, value in module.__dict__.items():
        if name not in known and name not in OWN:
            yield name, value


def assigned(owner: Any, attribute: str) -> Line | None:
    """The line of its class at which an attribute is first assigned."""
    for kind in type(owner).__mro__:
        for function in sorted(filter(inspect.isfunction, vars(kind).values()), key=lambda f: f.__name__ != "__init__"):
            code = function.__code__
            for number in sorted({n for _, _, n in code.co_lines() if n is not None}):
                text = linecache.getline(code.co_filename, number)
                if re.search(rf"\.{re.escape(attribute)}\b[^=]*=(?!=)", text):
                    return Line(code.co_filename, number, code.co_name)
    return None


class Hidden(Rule):
    """The search for parameters that a module has and does not find, for TG101 and TG102."""

    def hidden(self) -> Iterator[tuple[Module, str, Any, list[Tensor]]]:
        """(owner, attribute, its value, the forgotten parameters in it)."""
        held, session = self.session.held(), self.session
        for root in session.roots.values():
            registered = list(root.parameters())
            ids = {id(p) for p in registered}
            trained = session.trained()
            if registered and not any(id(p) in trained or session.changed(p) for p in registered):
                continue
            least = 1 if registered else 2
            for owner in root.modules():
                for attribute, value in plain(owner):
                    found = list(self.parameters(value))
                    lost = [
                        p for p in found
                        if id(p) not in ids | held and session.passes(p) >= least and not session.changed(p)
                    ]  # fmt: skip
                    if lost:
                        yield owner, attribute, value, lost

    def parameters(self, value: Any) -> Iterator[Tensor]:
        """The leaves of a value that want a gradient."""
        raise NotImplementedError

    def fallback(self) -> Line | None:
        """The line to report if the source of the class cannot be read: that of an optimizer."""
        return next((r.line for r in self.session.optimizers.values()), None)


class InList(Hidden):
    """A parameter, or a tensor that wants a gradient, is in a list, tuple or dict that is an attribute of a module.
    Or a tensor that wants a gradient is an attribute itself. Tensors with which a module was called do not count.

    The module was called, its parameters() does not find the tensor, a backward reached the tensor, no optimizer holds
    it and nobody changed it, while a registered parameter of the module was trained. If the module has registered no
    parameter, two backwards must have reached the tensor."""

    code = "TG101"
    title = "parameters in a plain list or dict, or a plain tensor as an attribute"
    mend = "nn.ParameterList or nn.ParameterDict; for one tensor nn.Parameter"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.inputs: Notes[bool] = Notes()  # tensors that modules were called with

    def called(self, module: Module, args: tuple[Any, ...], output: Any, line: Line | None) -> None:
        for t in inside(args, Tensor):
            if isinstance(t.node, Leaf):
                self.inputs.set(t, True)

    def parameters(self, value: Any) -> Iterator[Tensor]:
        return (t for t in inside(value, Tensor) if isinstance(t.node, Leaf) and t not in self.inputs)

    def end(self) -> None:
        for owner, attribute, value, lost in self.hidden():
            name, n = f"{type(owner).__name__}.{attribute}", len(lost)
            text = f"{name} holds {n} parameter{'s' * (n > 1)} in a plain {type(value).__name__}: parameters() does "
            text = f"{name} is a plain tensor: parameters() does " if isinstance(value, Tensor) else text
            self.report(assigned(owner, attribute) or self.fallback(), f"{text}not find it, it does not learn")


class ModulesInList(Hidden):
    """A list, tuple or dict that is an attribute of a module contains a module with a parameter that meets the
    condition of TG101."""

    code = "TG102"
    title = "modules in a plain list or dict"
    mend = "nn.ModuleList, nn.ModuleDict or nn.Sequential"

    def parameters(self, value: Any) -> Iterator[Tensor]:
        return (p for m in inside(value, Module) for p in m.parameters() if p.node is not None)

    def end(self) -> None:
        for owner, attribute, value, lost in self.hidden():
            self.report(
                assigned(owner, attribute) or self.fallback(),
                f"{type(owner).__name__}.{attribute} is a plain {type(value).__name__}: parameters() does not find the "
                f"{len(lost)} parameters of the modules in it, so they do not learn",
            )  # fmt: skip


class Replaced(Rule):
    """An optimizer that has stepped holds parameters that no backward reached and no called module has. A called module
    has parameters that backwards reached, that no optimizer holds and nobody changed. The optimizer holds others of
    that module, or as many of the same shapes."""

    code = "TG105"
    title = "parameters replaced after the optimizer was made"
    mend = "make the optimizer after the model has its final layers"

    def found(self) -> Iterator[tuple[Optimized, list[Tensor], list[Tensor], dict[int, str]]]:
        """(an optimizer's record, the parameters that it holds in vain, those that it lacks, names)."""
        session = self.session
        held, names = session.held(), session.registered()
        for record in session.optimizers.values():
            if not record.steps:
                continue
            mine = record.parameters
            vain = [p for p in mine if id(p) not in names and not session.passes(p)]
            if not vain:
                continue
            for root in session.roots.values():
                params: list[Tensor] = list(root.parameters())
                lost = [p for p in params if lonely(session, p, held)]
                shared = {id(p) for p in params} & {id(p) for p in mine}
                alike = sorted(p.array.shape for p in vain) == sorted(p.array.shape for p in lost)
                if lost and (shared or alike):
                    yield record, vain, lost, names

    def end(self) -> None:
        for record, vain, lost, names in self.found():
            self.report(
                record.line, f"this {record.kind} holds {len(vain)} parameters that the model no longer has, and lacks "
                f"{listed(self.session.name(p, names) for p in lost)}",
            )  # fmt: skip


def lonely(session: Session, p: Tensor, held: set[int]) -> bool:
    """Whether a backward reached a parameter that no optimizer holds and that nobody changed."""
    return p.node is not None and id(p) not in held and session.passes(p) > 0 and not session.changed(p)


class Missing(Rule):
    """A registered parameter of a called module wants a gradient, a backward reached it, no optimizer holds it and
    nobody changed it, while an optimizer that has stepped holds another parameter of that module. TG105 does not
    apply."""

    code = "TG103"
    title = "a parameter missing from the optimizer"
    mend = "give it to the optimizer, or freeze it with requires_grad_(False)"

    def end(self) -> None:
        session = self.session
        held, names = session.held(), session.registered()
        replaced = {id(p) for _, _, lost, _ in Replaced(session).found() for p in lost}
        for root in session.roots.values():
            params = list(root.parameters())
            lost = [p for p in params if lonely(session, p, held) and id(p) not in replaced]
            mine = {id(p) for p in params}
            record = next(
                (r for r in session.optimizers.values() if r.steps and any(id(p) in mine for p in r.parameters)), None
            )
            if lost and record is not None:
                some = listed(session.name(p, names) for p in lost)
                self.report(record.line, f"{some} of {type(root).__name__} gets gradients but is in no optimizer")


class Unreached(Rule):
    """An optimizer has stepped at least 3 times, backward reached some of its parameters, and never reached another one
    that wanted a gradient all the time. If that one belongs to a part of a model that was never called, the optimizer
    must have stepped 10 times.

    The rule stays silent if TG105 applies, if the part was called under no_grad only (it is frozen on purpose), or if
    the part was never called and backward reached another parameter of the optimizer in some steps only: a program
    that chooses among parts may never choose this one."""

    code = "TG104"
    title = "an optimizer with parameters that backward never reaches"
    mend = "use it in forward without detach, no_grad or numpy on the way, or leave it out of the optimizer"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.wanting: dict[int, int] = {}  # parameter -> steps at which it wanted a gradient and had none
        self.asked: Notes[bool] = Notes()  # module that was called -> whether ever with gradients

    def called(self, module: Module, args: tuple[Any, ...], output: Any, line: Line | None) -> None:
        self.asked.set(module, current().grad or self.asked.get(module, False))

    def after_step(self, record: Optimized) -> None:
        for p in record.parameters:
            self.wanting[id(p)] = self.wanting.get(id(p), 0) + (p._grad is None)

    def end(self) -> None:
        session = self.session
        names = session.registered()
        replaced = {id(p) for _, vain, _, _ in Replaced(session).found() for p in vain}
        asked = {id(p): alive for module, alive in self.asked for p in module.parameters(recurse=False)}
        for record in session.optimizers.values():
            mine = record.parameters
            chosen = any(0 < self.wanting.get(id(p), 0) < record.steps for p in mine)
            vain = [
                p for p in mine
                if not session.passes(p) and id(p) not in replaced and self.wanting.get(id(p), 0) == record.steps
                and asked.get(id(p), not chosen)
                and record.steps >= (10 if id(p) in names and id(p) not in asked else 3)
            ]  # fmt: skip
            if vain and any(session.passes(p) for p in mine):
                some = listed(session.name(p, names) for p in vain)
                self.report(record.line, f"no backward has reached {some} in {record.steps} steps of {record.kind}")


class Fleeting(Rule):
    """Three modules were called one after the other at one line of a module's forward, and each was gone when the next
    but one came. They have parameters that want a gradient, the calling module has not registered them, and no
    optimizer holds them."""

    code = "TG108"
    title = "a layer made anew in each forward"
    mend = "make the layer in __init__, and call it in forward"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.seen: dict[tuple[int, Line | None], list[weakref.ref[Module]]] = {}

    def called(self, module: Module, args: tuple[Any, ...], output: Any, line: Line | None) -> None:
        outer = self.session.calling()
        if not outer or isinstance(outer[-1], (Sequential, ModuleList)) or not current().grad:
            return
        links = self.seen.setdefault((id(outer[-1]), line), [])
        if any(link() is module for link in links):
            return
        params = [p for p in module.parameters() if p.node is not None]
        if not params or any(m is module for m in outer[0].modules()):
            return
        held = self.session.held()
        if any(id(p) in held for p in params):
            return
        links.append(weakref.ref(module))
        if len(links) >= 3 and links[-3]() is None:
            self.report(
                line, f"{type(outer[-1]).__name__} makes a new {type(module).__name__} in each forward: its random "
                "weights never learn",
            )  # fmt: skip


class Motionless(Rule):
    """An optimizer took at least 3 steps, and every learning rate was 0 at all of them."""

    code = "TG106"
    title = "a learning rate of 0"
    mend = "give it a positive lr, and check its computation: integer division, a schedule that starts at 0?"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.moving: set[int] = set()

    def before_step(self, record: Optimized, closure: bool) -> None:
        if any(record.rates) or not record.rates:
            self.moving.add(id(record))

    def end(self) -> None:
        for record in self.session.optimizers.values():
            if record.steps >= 3 and id(record) not in self.moving:
                self.report(record.line, f"all {record.steps} steps of this {record.kind} had the learning rate 0")


class Twins(Rule):
    """At 2 consecutive steps, all units of a layer (rows of the weight of `linear`, columns of the weight of `mm`) had
    equal weights and equal gradients up to rounding, and neither were 0 everywhere."""

    code = "TG107"
    title = "units that are all alike"
    mend = "start from random weights (nn.init); with constant weights all units of a layer stay equal"
    ops = ("linear", "mm")

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.times: dict[int, int] = {}
        self.units: Notes[int] = Notes()  # weight -> the axis of its units

    def applied(self, op: Op, args: tuple[Any, ...], attrs: dict[str, Any], result: Tensor, line: Line | None) -> None:
        if result.node is not None and isinstance(args[1].node, Leaf) and args[1].array.ndim == 2:
            self.units.set(args[1], 0 if op.name == "linear" else 1)

    def before_step(self, record: Optimized, closure: bool) -> None:
        for p in () if closure else record.parameters:
            axis, grad = self.units.get(p), p._grad
            if axis is None or grad is None or p.array.shape[axis] < 2:
                continue
            x, g = (p.array, grad.array) if axis == 0 else (p.array.T, grad.array.T)
            alike = x.any() and g.any() and even(x, 1e-5) and even(g, 1e-4)
            self.times[id(p)] = self.times.get(id(p), 0) + 1 if alike else 0
            if self.times[id(p)] == 2:
                self.report(
                    record.line, f"the {len(x)} units of {self.session.name(p)} have equal weights and equal "
                    "gradients: they do the work of one",
                )  # fmt: skip


def even(x: np.ndarray, tolerance: float) -> bool:
    """Whether all rows are equal up to rounding."""
    return bool(np.abs(x - x[:1]).max() <= tolerance * np.abs(x).max())


class Repeated(Rule):
    """A Sequential or ModuleList of a module that was called holds a row of one or more modules twice or more, one row
    right after the other: the very same objects. One of them has a parameter that wants a gradient, and no other
    module has registered that one, as it would if it were shared on purpose."""

    code = "TG109"
    title = "one layer several times in a container"
    mend = "make each: nn.Sequential(*[nn.Linear(4, 4) for _ in range(3)]); [layer] * 3 is one layer, three times"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.lines: dict[int, tuple[list[CodeType], Line | None]] = {}  # root -> the functions that called it, where

    def called(self, module: Module, args: tuple[Any, ...], output: Any, line: Line | None) -> None:
        if id(module) in self.session.roots and id(module) not in self.lines:
            self.lines[id(module)] = ([frame.f_code for frame in users()], line)

    def end(self) -> None:
        for root in self.session.roots.values():
            owners = list(root.modules())
            for box in owners:
                if not isinstance(box, (Sequential, ModuleList)):
                    continue
                found = repeated(list(box._modules.values()))
                elsewhere = {id(m) for owner in owners if owner is not box for m in owner._modules.values()}
                lost = [m for m in found if id(m) not in elsewhere and any(p.node is not None for p in m.parameters())]
                if lost:
                    times = sum(m is lost[0] for m in box._modules.values())
                    self.report(
                        self.place(root, box), f"this {type(box).__name__} holds one {type(lost[0]).__name__} {times} "
                        "times: they share their weights",
                    )  # fmt: skip

    def place(self, root: Module, box: Module) -> Line | None:
        """The line at which a container was written: in the class of its owner, or where `[…] * n` stands in one of the
        functions that led to the first call of the root; else the line of that call."""
        for owner in root.modules():
            for name, child in owner._modules.items():
                if child is box and (line := assigned(owner, name)) is not None:
                    return line
        codes, called = self.lines.get(id(root), ([], None))
        for code in codes:
            numbers = sorted({n for _, _, n in code.co_lines() if n is not None})
            found = [n for n in numbers if re.search(r"\]\s*\*\s*\w", linecache.getline(code.co_filename, n))]
            if len(found) == 1:
                return Line(code.co_filename, found[0], code.co_name)
        return called


def repeated(modules: list[Any]) -> list[Module]:
    """The modules of the first row that is followed by itself, the very same objects; [] if there is none."""
    n = len(modules)
    for size in range(1, n // 2 + 1):
        for start in range(n - 2 * size + 1):
            row, after = modules[start : start + size], modules[start + size : start + 2 * size]
            if all(a is b and a is not None for a, b in zip(row, after, strict=True)):
                return row
    return []
