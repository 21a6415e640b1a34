"""Rule: the base class of all rules; a rule has a code, a title and a mend, and hears events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinygrad_pt.graph import Node, Op
from tinygrad_pt.lines import Line
from tinygrad_pt.linting.records import Backward, Optimized
from tinygrad_pt.nn.module import Module
from tinygrad_pt.random import Generator
from tinygrad_pt.tensor import Tensor
from tinygrad_pt.utils.data import DataLoader

if TYPE_CHECKING:
    from tinygrad_pt.linting.session import Session

EVENTS = (
    "judged", "called", "differentiated", "before_backward", "after_backward", "clipping", "made", "before_step",
    "after_step", "scheduled", "seeding", "began", "gave", "end",
)  # fmt: skip


class Rule:
    """One kind of silent bug. The docstring of a rule states the exact condition under which it reports."""

    code = ""
    title = ""  # the bug in a few words, for the table
    mend = ""
    ops: tuple[str, ...] = ()  # names of the ops that `applied` hears of; "*": all

    def __init__(self, session: Session) -> None:
        self.session = session

    def report(self, line: Line | None, sentence: str, mend: str = "") -> None:
        """Add a finding."""
        self.session.report(self.code, sentence, mend or self.mend, line)

    def applied(self, op: Op, args: tuple[Any, ...], attrs: dict[str, Any], result: Tensor, line: Line | None) -> None:
        """An op was applied."""

    def judged(self, loss: str, given: dict[str, Any], line: Line | None) -> None:
        """A loss of `nn.functional` is being computed from the arguments `given`; told once per op inside."""

    def called(self, module: Module, args: tuple[Any, ...], output: Any, line: Line | None) -> None:
        """A module was called, inside the modules of `session.calling()`."""

    def differentiated(self, nodes: frozenset[Node]) -> None:
        """A backward walk, of `backward`, `grad` or another function, is about to go through these vertices."""

    def before_backward(self, walk: Backward) -> None:
        """A backward begins."""

    def after_backward(self, walk: Backward) -> None:
        """A backward has ended."""

    def clipping(self, parameters: list[Tensor], line: Line | None) -> None:
        """The gradients of these parameters are about to be clipped."""

    def made(self, record: Optimized) -> None:
        """An optimizer was made; the constructor of its own class may go on."""

    def before_step(self, record: Optimized, closure: bool) -> None:
        """An optimizer is about to step."""

    def after_step(self, record: Optimized) -> None:
        """An optimizer has stepped."""

    def scheduled(self, record: Optimized, scheduler: Any, line: Line | None) -> None:
        """The `step()` of a scheduler reads the groups of an optimizer."""

    def seeding(self, generator: Generator, seed: int, line: Line | None) -> None:
        """A stream of random numbers is about to start from a seed."""

    def began(self, loader: DataLoader[Any], line: Line | None) -> None:
        """A loader begins a pass over its batches."""

    def gave(self, loader: DataLoader[Any], batch: Any) -> None:
        """A loader gives a batch."""

    def end(self) -> None:
        """The program has ended."""
