"""lint: the context manager that lets all rules hear what happens, and the table of the rules.

A linter is a listener: it hears the task or thread that began it, as with `no_grad`. Without one, nobody listens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

from tinygrad_pt.linting import gradients, loops, losses, parameters, phases
from tinygrad_pt.linting.finding import Finding
from tinygrad_pt.linting.rule import Rule
from tinygrad_pt.linting.session import Session
from tinygrad_pt.listening import attend, forget
from tinygrad_pt.modes import current


def by_code(*files: ModuleType) -> dict[str, type[Rule]]:
    """The rules that are defined in some files, by code; TypeError if two have one code."""
    found: dict[str, type[Rule]] = {}
    for file in files:
        for kind in vars(file).values():
            if isinstance(kind, type) and issubclass(kind, Rule) and kind.code and kind.__module__ == file.__name__:
                other = found.setdefault(kind.code, kind)
                if other is not kind:
                    raise TypeError(f"two rules have the code {kind.code}: {other.__name__} and {kind.__name__}")
    return dict(sorted(found.items()))


CODES = by_code(parameters, losses, gradients, phases, loops)
RULES = tuple(CODES.values())


def known(codes: Iterable[str] | str) -> list[str]:
    """The codes in `"TG101,TG301"`, or in a list of such strings; ValueError for a code that does not exist."""
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
        self.session.outside = current().scope
        attend(self.session)
        return self.session.findings

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if not self.running:
            return
        self.running = False
        forget(self.session)
        if kind is not None:
            self.session.crashed = True
            if self.session.on == "raise":
                self.session.on = None  # one exception is enough
        self.session.end()
