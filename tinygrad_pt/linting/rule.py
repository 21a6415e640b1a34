"""What a rule is: a code, a title, a mend, and the events it hears."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinygrad_pt.lines import Line

if TYPE_CHECKING:
    from tinygrad_pt.linting.session import Session

EVENTS = (
    "judged", "called", "differentiated", "before_backward", "after_backward", "clipped", "before_step",
    "after_step", "scheduled", "chosen", "end",
)  # fmt: skip


class Rule:
    """One kind of silent bug. The docstring of a rule states the exact condition under which it speaks."""

    code = ""
    title = ""  # the bug in a few words, for the table
    mend = ""
    ops: tuple[str, ...] = ()  # names of the ops to hear of in `applied`; "*": all

    def __init__(self, session: Session) -> None:
        self.session = session

    def report(self, line: Line | None, sentence: str, mend: str = "") -> None:
        """Say it."""
        self.session.report(self.code, sentence, mend or self.mend, line)

    def applied(self, op: Any, args: tuple[Any, ...], attrs: dict[str, Any], result: Any, line: Line | None) -> None:
        """An op was applied."""

    def judged(self, loss: str, given: dict[str, Any], line: Line | None) -> None:
        """A loss of `nn.functional` is being computed from the arguments `given`; told once per op inside."""

    def called(self, module: Any, args: Any, output: Any, outer: tuple[Any, ...], line: Line | None) -> None:
        """A module was called, by the innermost of the modules `outer`."""

    def differentiated(self, nodes: set[Any]) -> None:
        """`backward` or `grad` is about to go through these vertices."""

    def before_backward(self, walk: Any) -> None:
        """A backward begins."""

    def after_backward(self, walk: Any) -> None:
        """A backward has ended."""

    def clipped(self, parameters: list[Any], line: Line | None) -> None:
        """The gradients of these parameters are about to be clipped."""

    def before_step(self, record: Any, closure: bool) -> None:
        """An optimizer is about to step."""

    def after_step(self, record: Any) -> None:
        """An optimizer has stepped."""

    def scheduled(self, record: Any, scheduler: Any, line: Line | None) -> None:
        """A scheduler's `step()` reads the groups of an optimizer."""

    def chosen(self, values: Any, result: Any) -> None:
        """`argmax`, `max` or `topk` of some values gave a result."""

    def end(self) -> None:
        """The program has ended."""
