"""Switching the linter on: while one runs, calls of modules, backward and optimizers pass through here.

Nothing of this is in place while no linter runs: the functions are put in from outside, when the first begins, and
taken out when the last ends. A linter hears the task or thread that began it, as with `no_grad`.
"""

from __future__ import annotations

import functools
import math
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from typing import Any

import tinygrad_pt
from tinygrad_pt import autograd
from tinygrad_pt.graph import Handle
from tinygrad_pt.lines import PACKAGE, caller, line_at, user_frame
from tinygrad_pt.linting import gradients, losses, parameters, phases
from tinygrad_pt.linting.facts import above
from tinygrad_pt.linting.finding import Finding
from tinygrad_pt.linting.rule import Rule
from tinygrad_pt.linting.session import Backward, Session, calling
from tinygrad_pt.nn import utils
from tinygrad_pt.nn.module import Module
from tinygrad_pt.optim.optimizer import Optimizer
from tinygrad_pt.tensor import Tensor

RULES: tuple[type[Rule], ...] = tuple(
    sorted((*parameters.RULES, *losses.RULES, *gradients.RULES, *phases.RULES), key=lambda rule: rule.code)
)
CODES = {rule.code: rule for rule in RULES}

active: ContextVar[tuple[Session, ...]] = ContextVar("tinygrad_pt.linting.active", default=())
stepping: ContextVar[tuple[Any, ...]] = ContextVar("tinygrad_pt.linting.stepping", default=())  # optimizers
ABSENT = object()


# --------------------------------------------------------------------------------------- what is put in
def called(original: Any) -> Any:
    @functools.wraps(original)
    def __call__(self: Any, *args: Any, **kwargs: Any) -> Any:
        sessions = active.get()
        if not sessions:
            return original(self, *args, **kwargs)
        outer = calling.get()
        token = calling.set((*outer, self))
        try:
            output = original(self, *args, **kwargs)
        finally:
            calling.reset(token)
        for session in sessions:
            session.called(self, args, output, outer, user_frame())
        return output

    return __call__


def backwards(original: Any) -> Any:
    @functools.wraps(original)
    def backward(
        tensors: Any, grad_tensors: Any = None, retain_graph: Any = None, create_graph: bool = False, inputs: Any = None
    ) -> None:
        sessions = active.get()
        if not sessions:
            return original(tensors, grad_tensors, retain_graph, create_graph, inputs)
        walk = Backward(tensors, grad_tensors, create_graph, inputs, caller())
        for session in sessions:
            session.before_backward(walk)
        given = tensors if isinstance(tensors, Handle) else walk.tensors  # an iterator has been used up
        original(given, grad_tensors, retain_graph, create_graph, inputs)
        for session in sessions:
            session.after_backward(walk)

    return backward


def differentiated(original: Any) -> Any:
    @functools.wraps(original)
    def grad(outputs: Any, *args: Any, **kwargs: Any) -> Any:
        sessions = active.get()
        if sessions:
            outputs = [outputs] if isinstance(outputs, Handle) else list(outputs)
            nodes = above(t.node for t in outputs if t.node is not None)
            for session in sessions:
                session.differentiated(nodes)
        return original(outputs, *args, **kwargs)

    return grad


def clipped(original: Any) -> Any:
    @functools.wraps(original)
    def clip(parameters: Any, *args: Any, **kwargs: Any) -> Any:
        sessions = active.get()
        limit = args[0] if args else kwargs.get("max_norm", kwargs.get("clip_value"))
        if sessions and limit != math.inf:  # a limit of inf only asks for the norm
            found = [parameters] if isinstance(parameters, Handle) else list(parameters)
            if isinstance(parameters, Iterator):  # it has been used up
                parameters = (p for p in found)
            for session in sessions:
                session.clipped(found, caller())
        return original(parameters, *args, **kwargs)

    return clip


def initialised(original: Any) -> Any:
    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        if active.get():
            watch(type(self))
            frame = user_frame()
            while (
                frame is not None
                and frame.f_back is not None
                and frame.f_code.co_name == "__init__"
                and any(value is self for value in frame.f_locals.values())
            ):
                frame = frame.f_back  # out of the constructor of a class of the user's own
            for session in active.get():
                session.made(self, line_at(frame))

    return __init__


def stepped(original: Any) -> Any:
    @functools.wraps(original)
    def step(self: Any, *args: Any, **kwargs: Any) -> Any:
        sessions, inside = active.get(), stepping.get()
        if not sessions or any(optimizer is self for optimizer in inside):
            return original(self, *args, **kwargs)
        closure = bool(args or kwargs) and (args or tuple(kwargs.values()))[0] is not None
        line = caller()
        token = stepping.set((*inside, self))
        try:
            for session in sessions:
                session.before_step(self, line, closure)
            result = original(self, *args, **kwargs)
        finally:
            stepping.reset(token)
        for session in sessions:
            session.after_step(self, line)
        return result

    return step


def cleared(original: Any) -> Any:
    @functools.wraps(original)
    def zero_grad(self: Any, *args: Any, **kwargs: Any) -> Any:
        for session in active.get():
            session.cleared(self)
        return original(self, *args, **kwargs)

    return zero_grad


def chosen(original: Any) -> Any:
    @functools.wraps(original)
    def choose(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        for session in active.get():
            session.chosen(args[0] if args else kwargs.get("input"), result)
        return result

    return choose


def _read(self: Any) -> Any:
    try:
        groups = self.__dict__["param_groups"]
    except KeyError:
        raise AttributeError(f"'{type(self).__name__}' object has no attribute 'param_groups'") from None
    sessions = active.get()
    if sessions:
        found = scheduler_of(self, sys._getframe(1))
        if found is not None:
            for session in sessions:
                session.scheduled(self, *found)
    return groups


def _write(self: Any, groups: Any) -> None:
    self.__dict__["param_groups"] = groups


def scheduler_of(optimizer: Any, frame: Any) -> tuple[Any, Any] | None:
    """The object in whose `step()` we are and that holds the optimizer, and the line that called that `step()`.

    None in its constructor, in the optimizer itself, and where `step(…)` was told which step it is.
    """
    found = None
    for _ in range(12):
        if frame is None:
            break
        names = frame.f_code.co_varnames
        name = frame.f_code.co_name
        this = frame.f_locals.get(names[0]) if names and frame.f_code.co_argcount else None
        if this is optimizer:
            return None
        if found is not None:
            if this is found[0] and name == "__init__":
                return None
        elif name == "step" and this is not None and not isinstance(this, (Optimizer, Module)):
            given = any(frame.f_locals.get(n) is not None for n in names[1 : frame.f_code.co_argcount])
            if not given and any(value is optimizer for value in getattr(this, "__dict__", {}).values()):
                outer = frame.f_back
                while outer is not None and outer.f_code.co_filename.startswith(PACKAGE):
                    outer = outer.f_back
                found = (this, line_at(outer))
        frame = frame.f_back
    return found


# --------------------------------------------------------------------------------------- in and out
lock = threading.RLock()
put: list[tuple[Any, str, Any]] = []  # (owner, name, what stood there)
running = 0


def put_in(owner: Any, name: str, value: Any) -> None:
    """Set an attribute, and remember what stood there."""
    put.append((owner, name, owner.__dict__.get(name, ABSENT)))
    setattr(owner, name, value)


def watch(kind: type) -> None:
    """Listen to the steps and clearings of a class of optimizers and of its bases."""
    with lock:
        for owner in kind.__mro__:
            if not issubclass(owner, Optimizer):
                continue
            for name, around in (("step", stepped), ("update", stepped), ("zero_grad", cleared)):
                if name in owner.__dict__ and not any(o is owner and n == name for o, n, _ in put):
                    put_in(owner, name, around(owner.__dict__[name]))


def install() -> None:
    """Put everything in, if this is the first linter."""
    global running
    with lock:
        running += 1
        if running > 1:
            return
        put_in(Module, "__call__", called(Module.__call__))
        put_in(autograd, "backward", backwards(autograd.backward))
        put_in(autograd, "grad", differentiated(autograd.grad))
        for name in ("clip_grad_norm_", "clip_grad_value_"):
            put_in(utils, name, clipped(getattr(utils, name)))
        put_in(Optimizer, "__init__", initialised(Optimizer.__init__))
        put_in(Optimizer, "param_groups", property(_read, _write))
        for name in ("argmax", "max", "topk"):
            put_in(Tensor, name, chosen(getattr(Tensor, name)))
            put_in(tinygrad_pt, name, chosen(getattr(tinygrad_pt, name)))
        kinds = [Optimizer]
        while kinds:
            kind = kinds.pop()
            watch(kind)
            kinds.extend(kind.__subclasses__())


def take_out() -> None:
    """Put everything back, if this was the last linter."""
    global running
    with lock:
        running -= 1
        while not running and put:
            owner, name, before = put.pop()
            if before is ABSENT:
                delattr(owner, name)
            else:
                setattr(owner, name, before)


def known(codes: Iterable[str] | str) -> list[str]:
    """The codes in `"TG101,TG301"`, or in a list of such; an error for one that there is not."""
    if not isinstance(codes, str) and not (isinstance(codes, Iterable) and all(isinstance(c, str) for c in codes)):
        raise TypeError(f"codes are strings such as 'TG301', not {codes!r}")
    found = [code for text in ([codes] if isinstance(codes, str) else codes) for code in text.replace(",", " ").split()]
    unknown = [code for code in found if code not in CODES]
    if unknown:
        raise ValueError(f"lint knows no code {unknown[0]!r}; it knows {', '.join(CODES)}")
    return found


class lint:
    """Context manager: watch a program for the silent bugs that people lose days to.

    Entering gives the list of findings, which grows as they are found; those that only the whole program can show are
    added at the end. `on` is called with each finding (`on=print`), or is "raise", for a `LintError` where the bug is.
    `ignore` names codes that are not looked for; `rules` are the classes of all rules, see `linting.Rule`. Inside,
    every op is slower; outside, nothing is. A linter hears the thread or task that began it, and linters nest.

    A comment `# lint: ignore[TG301]` silences a line.

    >>> import tinygrad_pt as torch
    >>> logits = torch.zeros(2, 3, requires_grad=True)
    >>> with torch.lint() as findings:
    ...     loss = torch.nn.functional.cross_entropy(logits.softmax(1), torch.tensor([0, 2]))
    >>> [finding.code for finding in findings]
    ['TG201']
    """

    def __init__(
        self, on: Callable[[Finding], Any] | str | None = None, ignore: Iterable[str] | str = (),
        rules: Iterable[type[Rule]] = RULES,
    ) -> None:  # fmt: skip
        codes = known(ignore)
        if not (on is None or on == "raise" or callable(on)):
            raise TypeError(f"on must be None, 'raise' or a function, not {on!r}")
        self.session = Session(rules, on, codes)
        self.used = self.running = False

    def __enter__(self) -> list[Finding]:
        if self.used:
            raise RuntimeError("this lint() has been in use: call lint() again for another")
        self.used = self.running = True
        install()
        active.set((*active.get(), self.session))
        self.session.listener.__enter__()
        return self.session.findings

    def __exit__(self, kind: Any, *error: Any) -> None:
        if not self.running:
            return
        self.running = False
        self.session.listener.__exit__()
        active.set(tuple(session for session in active.get() if session is not self.session))
        take_out()
        if kind is not None:
            self.session.failed = True
            if self.session.on == "raise":
                self.session.on = None  # one exception is enough
        self.session.end()
