"""Finding: a code, a sentence, the user's line and the mend; and the comment that silences it."""

from __future__ import annotations

import linecache
import re
from dataclasses import dataclass

from tinygrad_pt.errors import label
from tinygrad_pt.language import said
from tinygrad_pt.lines import Line

SILENCED = re.compile(r"#\s*lint:\s*ignore(?:\[([\w\s,]*)\])?")


@dataclass(frozen=True)
class Finding:
    """A silent bug at a line of the user's program; `str` tells it in the language that is set.

    >>> str(Finding("TG301", "old gradients are still there", "call zero_grad()", Line("train.py", 12, "<module>")))
    'train.py:12: TG301 old gradients are still there  mend: call zero_grad()'
    """

    code: str
    sentence: str
    mend: str
    line: Line | None

    def __str__(self) -> str:
        return f"{place(self.line)}: {self.code} {said(self.sentence)}  {label('mend')}: {said(self.mend)}"

    @property
    def silenced(self) -> bool:
        """Whether its line ends in `# lint: ignore`, or in `# lint: ignore[…]` with this code among others."""
        if self.line is None:
            return False
        found = SILENCED.search(linecache.getline(self.line.file, self.line.number))
        return found is not None and (found[1] is None or self.code in re.split(r"[\s,]+", found[1]))


class LintError(Exception):
    """Raised for the first finding by `lint(on="raise")`."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding


def place(line: Line | None) -> str:
    """`file:line`."""
    return "<unknown>:0" if line is None else f"{line.file}:{line.number}"
