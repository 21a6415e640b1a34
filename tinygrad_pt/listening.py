"""Listener: the one way to hear what happens, from outside and without changing it.

The checker, anomaly mode, the account of gradients and lint are listeners. They stand in the mode of a task or thread
(`Mode.listeners`). Each room tells them what it does: an op is applied, a tensor is written in place, a module is
called, the backward walk carries a gradient along an edge, an optimizer steps. If nobody listens, nothing is told, and
that costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from tinygrad_pt.modes import current, enter

if TYPE_CHECKING:
    from tinygrad_pt.graph import Node, Op
    from tinygrad_pt.nn.module import Module
    from tinygrad_pt.optim.optimizer import Optimizer
    from tinygrad_pt.random import Generator
    from tinygrad_pt.tensor import Tensor
    from tinygrad_pt.utils.data.dataloader import DataLoader


class Walk:
    """One backward walk.

    Attributes:
        listeners: those who hear of it, each once.
        outputs: the tensors it starts from.
        roots, seeds: the vertices of these, and their gradients.
        nodes: the vertices whose rules it reads, in the order in which it reads them.
        wanted: the vertices whose gradients were asked for; None for those of all leaves.
        adds: the gradients found are added to `.grad`, as `backward()` does.
        create: the gradients are a graph themselves.
        given: the caller gave the seeds; otherwise they are 1.
        found: the gradients, when the walk is over.
        notes: what a listener wants to remember of this walk until it ends.
    """

    __slots__ = (
        "adds", "create", "found", "given", "listeners", "nodes", "notes", "outputs", "roots", "seeds", "wanted",
    )  # fmt: skip

    def __init__(
        self, listeners: tuple[Listener, ...], outputs: Sequence[Tensor], roots: Sequence[Node], seeds: Sequence[Any],
        nodes: list[Node], wanted: set[Node] | None = None, adds: bool = False, create: bool = False,
        given: bool = False,
    ) -> None:  # fmt: skip
        self.listeners, self.outputs = tuple(dict.fromkeys(listeners)), outputs
        self.roots, self.seeds, self.nodes, self.wanted = roots, seeds, nodes, wanted
        self.adds, self.create, self.given = adds, create, given
        self.found: dict[Node, Any] = {}
        self.notes: dict[Listener, Any] = {}

    def tell(self, event: str, *what: Any) -> None:
        """Tell all who listen to this walk: `walking`, `edge`, `finding`, `walked` or `failed`."""
        for listener in self.listeners:
            getattr(listener, event)(self, *what)


class Listener:
    """Hears what happens in a task or thread; a subclass overrides what it wants to hear.

    An exception that a listener raises goes through to the user: that is how anomaly mode stops a program.

    >>> import tinygrad_pt as torch
    >>> class Names(Listener):
    ...     def applied(self, op, args, attrs, result):
    ...         print(op.name, tuple(result.shape))
    >>> with listen(Names()):
    ...     _ = (torch.ones(2) * 3).sum()
    mul (2,)
    sum ()
    """

    def applied(self, op: Op, args: tuple[Any, ...], attrs: dict[str, Any], result: Tensor) -> None:
        """An op was applied, whether or not a gradient is wanted."""

    def wrote(self, t: Tensor) -> None:
        """A tensor was changed in place; `t.version[1]` is the time on the engine's clock."""

    def called(self, module: Module, args: tuple[Any, ...], output: Any) -> None:
        """A module was called and has returned; `current().scope` is the call around it, if there is one."""

    def walking(self, walk: Walk) -> None:
        """A backward walk begins; everything has been checked but the saved values."""

    def edge(self, walk: Walk, node: Node, slot: int, g: Any, r: Any) -> None:
        """The rule of one argument of a vertex answered r to g; the shapes are still as the rule left them."""

    def finding(self, walk: Walk) -> None:
        """A backward walk is over and has found `walk.found`; no `.grad` has changed yet."""

    def walked(self, walk: Walk) -> None:
        """A backward walk is over, and the `.grad` of its leaves have changed if it adds."""

    def failed(self, walk: Walk, error: Exception, node: Node | None) -> None:
        """A backward walk ends in an exception at this vertex; the exception goes on to the user."""

    def made(self, optimizer: Optimizer) -> None:
        """An optimizer was made; the constructor of its own class may go on."""

    def read(self, optimizer: Optimizer) -> None:
        """The `param_groups` of an optimizer are read, other than by its own step: learning-rate schedulers do."""

    def stepping(self, optimizer: Optimizer, closure: bool) -> None:
        """An optimizer is about to step, with or without a closure."""

    def stepped(self, optimizer: Optimizer) -> None:
        """An optimizer has stepped; a step that its `step()` takes in a base class is not told again."""

    def cleared(self, optimizer: Optimizer) -> None:
        """`zero_grad()` of an optimizer has cleared the gradients."""

    def clipping(self, parameters: list[Tensor], limit: float) -> None:
        """The gradients of parameters are about to be clipped, to a norm or to values; inf only asks for the norm."""

    def seeding(self, generator: Generator, seed: int) -> None:
        """A stream of random numbers is about to start from a seed, in [0, 2⁶⁴)."""

    def began(self, loader: DataLoader[Any]) -> None:
        """A loader begins a pass over its batches."""

    def gave(self, loader: DataLoader[Any], batch: Any) -> None:
        """A loader gives a batch."""


class Tape(Listener):
    """Calls a function for every op that is applied: `function(op, args, attrs, result)`."""

    def __init__(self, function: Callable[..., None]) -> None:
        self.function = function

    def applied(self, op: Op, args: tuple[Any, ...], attrs: dict[str, Any], result: Tensor) -> None:
        self.function(op, args, attrs, result)


def attend(listener: Listener) -> None:
    """Let a listener hear this task or thread from now on, after those who listen already."""
    state = current()
    enter(state.but(listeners=(*state.listeners, listener)))


def forget(listener: Listener) -> None:
    """Let a listener hear no more (once, if it hears twice); the others go on, whichever began first."""
    state = current()
    at = max((i for i, one in enumerate(state.listeners) if one is listener), default=None)
    if at is not None:
        enter(state.but(listeners=state.listeners[:at] + state.listeners[at + 1 :]))


def announce(op: Op, args: tuple[Any, ...], attrs: dict[str, Any], result: Tensor) -> None:
    """Tell all who listen here that an op was applied."""
    for listener in current().listeners:
        listener.applied(op, args, attrs, result)


class listen:
    """Context manager: let a listener hear what happens inside. Listeners nest; the outer one hears first."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener

    def __enter__(self) -> None:
        attend(self.listener)

    def __exit__(self, *error: object) -> None:
        forget(self.listener)
