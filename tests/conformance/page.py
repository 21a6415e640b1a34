"""The page docs/conformance.md: what is provided, what agrees, and what is left out, and why."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.conformance.measure import Measure

PAGE = Path(__file__).parents[2] / "docs" / "conformance.md"

HEAD = """# Conformance

PyTorch's wheel carries the database with which PyTorch tests itself: for each of its functions arguments of many
shapes, strides, dtypes and options, for modules and optimizers likewise, and wrong inputs with the errors they must
raise. The tests in `tests/conformance/` make every one of these calls twice, with PyTorch 2.13 and with this package,
and compare. This page is written by the same command:

```sh
pip install -e ".[dev]" torch==2.13.0
python -m tests.conformance                                      # all figures: several minutes
python -m tests.conformance --entries 'nn.functional.*'          # entries whose name matches
python -m tests.conformance --only operators --entries sort --failures  # each call that disagrees, and how
python -m tests.conformance --write                              # this page
```

A sample is one set of arguments in one dtype (float32, float64, float16, bool, and five integers), called in one way:
as a function, as a method, or in place. It agrees if the value, its dtype and shape, whether it requires grad, and
every gradient are PyTorch's, up to rounding. Where PyTorch's own rounding is the larger one, its result in float64
decides. Where elements are equal, an index of any of them is right, unless the order is to be stable. Of an entry with
more than 100 samples in a dtype, at most 100 are taken, evenly.

"""

LEFT = """
## What is left out

These samples were not compared, for the reason that is given. PyTorch itself raises where an entry is listed with a
dtype or form that its kernels do not have.

| reason | samples |
|---|---:|
"""

ENTRIES = """
## What is provided

Each entry of PyTorch's database that the package has, with the samples that agree. The last column counts second
derivatives: of the gradients, with respect to the inputs and to the gradient that arrives, in float64.

| entry | samples | agree | second derivatives |
|---|---:|---:|---:|
"""

ABSENT = """
## What is not provided

The package has no function of these names (complex and sparse tensors are out of its scope):

"""


def counted(found: Iterable[Measure]) -> tuple[int, int]:
    """How many samples agree, of how many."""
    several = list(found)
    return sum(m.agree for m in several), sum(m.total for m in several)


def row(name: str, samples: tuple[int, int], second: tuple[int, int]) -> str:
    """One entry as a row of the table."""
    derivatives = f"{second[0]} of {second[1]}" if second[1] else ""
    return f"| `{name}` | {samples[1]:,} | {samples[0]:,} | {derivatives} |"


def figures(found: Iterable[Measure]) -> str:
    """The table of the parts."""
    lines = [f"| {m.name} | {m.agree:,} of {m.total:,} | {m.percent:.2f} % |" for m in found]
    return "\n".join(["| what | agree | |", "|---|---:|---:|", *lines, ""])


def text(
    parts: list[Measure], operators: dict[str, dict[str, Measure]], second: dict[str, Measure], absent: list[str]
) -> str:
    """The whole page."""
    reasons: Counter[str] = Counter()
    for measure in [m for ways in operators.values() for m in ways.values()]:
        reasons += measure.left_out
    left = [f"| {reason} | {n:,} |" for reason, n in reasons.most_common()]
    rows = [
        row(name, counted(ways.values()), counted([second[name]] if name in second else []))
        for name, ways in sorted(operators.items())
    ]
    names = ", ".join(f"`{name}`" for name in sorted(set(absent)))
    return "".join(
        [HEAD, figures(parts), LEFT, "\n".join(left), "\n", ENTRIES, "\n".join(rows), "\n", ABSENT, names, ".\n"]
    )


ROW = re.compile(r"^\| `([^`]+)` \| ([\d,]+) \| ([\d,]+) \| (?:(\d+) of (\d+))? ?\|$", re.MULTILINE)
FIGURE = re.compile(r"^\| ([^`|]+) \| ([\d,]+) of ([\d,]+) \| ([\d.]+) % \|$", re.MULTILINE)


def number(digits: str | None) -> int:
    return int((digits or "0").replace(",", ""))


def quoted_entries() -> dict[str, tuple[tuple[int, int], tuple[int, int]]]:
    """By entry, what the page says: (agree, total) of the samples, and of the second derivatives."""
    rows = ROW.findall(PAGE.read_text(encoding="utf-8"))
    return {name: ((number(b), number(a)), (number(c), number(d))) for name, a, b, c, d in rows}


def quoted_figures() -> dict[str, tuple[int, int]]:
    """By part, what the page says: (agree, total)."""
    return {name: (number(a), number(b)) for name, a, b, _ in FIGURE.findall(PAGE.read_text(encoding="utf-8"))}


def absent_names(database: Iterable[Any], provided: Iterable[Any]) -> list[str]:
    """The public names of the database that the package lacks."""
    have = {op.name for op in provided}
    return [op.name for op in database if op.name not in have and not op.name.startswith(("_", "torch."))]
