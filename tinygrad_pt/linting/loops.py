"""Rules about the training loop: what it does anew in each round, and what it should do once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinygrad_pt.lines import Line
from tinygrad_pt.linting.facts import checksum, inside
from tinygrad_pt.linting.records import Backward, Optimized
from tinygrad_pt.linting.rule import Rule
from tinygrad_pt.modes import current
from tinygrad_pt.nn.module import Module
from tinygrad_pt.random import Generator, default_generator
from tinygrad_pt.tensor import Tensor
from tinygrad_pt.utils.data import DataLoader, SequentialSampler

if TYPE_CHECKING:
    from tinygrad_pt.linting.session import Session


class SameBatch(Rule):
    """At one line, four passes over a loader in a row were begun with gradients on, each gave one batch and no more,
    the four batches were equal, and an optimizer stepped after each. The loader goes through its data set in order,
    and has more than one batch."""

    code = "TG701"
    title = "the same first batch in every step"
    mend = "for batch in loader:, or one iterator made before the loop; next(iter(loader)) begins anew each time"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.begun: tuple[int, Line | None] | None = None  # the loader and the line of the latest pass
        self.given: list[int] = []  # checksums of its batches
        self.before: list[int] = []  # those of the pass before it
        self.steps = 0  # of all optimizers when it began
        self.times = 0  # how many passes in a row gave this batch

    def began(self, loader: DataLoader[Any], line: Line | None) -> None:
        key = (id(loader), line)
        alike = key == self.begun and len(self.given) == 1 and self.given == (self.before or self.given)
        alike = alike and self.session.steps > self.steps and current().grad and ordered(loader)
        self.times = self.times + 1 if alike else 0
        self.before = self.given if alike else []
        self.begun, self.given, self.steps = key, [], self.session.steps

    def gave(self, loader: DataLoader[Any], batch: Any) -> None:
        if self.begun is None or self.begun[0] != id(loader):
            self.begun = None
            return
        self.given.append(sum(checksum(t.array) for t in inside(batch, Tensor)))
        if self.times == 3 and self.given == self.before:
            self.report(self.begun[1], "each step begins a new pass over the loader and takes its first batch: the "
                        "others are never seen")  # fmt: skip


def ordered(loader: DataLoader[Any]) -> bool:
    """Whether a loader has several batches, which come in the same order in each pass."""
    return isinstance(loader.sampler, SequentialSampler) and len(loader) > 1


class SameSeed(Rule):
    """One line seeded the default stream of random numbers three times in a row with the same seed. Between these times
    numbers were drawn from the stream, an optimizer stepped, and no optimizer was made. If a module was called after
    the seed and before a backward, it was first called in training mode with gradients. (Another run of an experiment,
    or an evaluation, is seeded on purpose.)"""

    code = "TG702"
    title = "a seed set in the training loop"
    mend = "set the seed once, before the loop"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.rounds: dict[tuple[int, Line | None], Round] = {}  # by seed and line

    def seeding(self, generator: Generator, seed: int, line: Line | None) -> None:
        if generator is not default_generator:
            return
        key = (seed, line)
        last = self.rounds.get(key)
        here = self.rounds[key] = Round(self.session.steps)
        if last is not None and last.trains and self.session.steps > last.steps and not generator._unseeded:
            here.times = last.times + 1
            if here.times == 3:
                self.report(line, f"the seed {seed} is set again in every round of training: each round draws the same "
                            "random numbers (order of the data, dropout, noise)")  # fmt: skip

    def made(self, record: Optimized) -> None:
        self.rounds.clear()

    def called(self, module: Module, args: tuple[Any, ...], output: Any, line: Line | None) -> None:
        if not self.session.calling():
            self.first(module.training and current().grad)

    def before_backward(self, walk: Backward) -> None:
        self.first(True)

    def first(self, trains: bool) -> None:
        """A module is called, or a backward begins: the first since a stream was seeded tells what the seed is for."""
        for last in self.rounds.values():
            if last.trains is None:
                last.trains = trains


class Round:
    """What happened since a stream was seeded: how many steps there were before, whether training came first."""

    def __init__(self, steps: int) -> None:
        self.steps, self.times = steps, 1
        self.trains: bool | None = None


class Anew(Rule):
    """One line made three optimizers of one kind for the same parameters, with the same learning rates, and each of
    the first two had stepped once when the next was made."""

    code = "TG703"
    title = "an optimizer made anew in each step"
    mend = "make the optimizer once, before the loop"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.last: dict[Line | None, tuple[Optimized, int, list[float]]] = {}  # by line; how often; the rates before

    def made(self, record: Optimized) -> None:
        last, times, rates = self.last.get(record.made, (record, 1, []))
        held = [id(p) for p in record.held]
        if last.steps == 1 and last.kind == record.kind and [id(p) for p in last.held] == held:
            times = times + 1 if rates in ([], last.rates) else 1
            self.last[record.made] = (record, times, last.rates)
            if times == 3:
                self.report(record.made, f"each step makes a new {record.kind} for the same parameters: what it "
                            "remembers of the steps before (momentum, averages, their number) is lost")  # fmt: skip
        else:
            self.last[record.made] = (record, 1, [])
