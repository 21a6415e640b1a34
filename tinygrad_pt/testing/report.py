"""`Report` lists the findings of a check: each disagreement with its address and a hint, and the op to blame."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinygrad_pt.lines import Line

HINTS = (
    "factor", "sign", "constant", "transpose", "unsummed axis", "dropped input", "ties", "zero", "magnitude",
    "single element", "non-finite", "wrong formula", "second order", "shape", "dtype", "count", "raised", "cut",
    "mutation", "aliasing", "layout", "linearity", "re-entrancy", "non-deterministic",
    "freed", "forward mode",
)  # fmt: skip


@dataclass(frozen=True)
class Failure:
    """One entry of a Jacobian on which the two computations disagree or cannot be compared; or one broken law.

    `law` is "gradient" or "second order" for entries, and otherwise the law: "linearity",
    "mutation", "aliasing", "layout", "re-entrancy", "determinism", "freed", "forward mode". `hint` is a sentence about
    what the disagreement looks like, and `hint_kind` the word for it, one of `HINTS`; both "" where nothing is known.
    """

    law: str = "gradient"
    input: int = 0
    name: str = ""
    index: tuple[int, ...] = ()
    output: int = 0
    output_index: tuple[int, ...] = ()
    analytic: float = float("nan")
    numeric: float = float("nan")
    bound: float = float("nan")
    left: float = float("nan")
    right: float = float("nan")
    hint: str = ""
    hint_kind: str = ""

    @property
    def entry(self) -> bool:
        """Whether it is about an entry of a Jacobian, rather than about a law."""
        return self.law in ("gradient", "second order")

    @property
    def ratio(self) -> float:
        """analytic / numeric: the missing factor, if it is one."""
        return float(np.float64(self.analytic) / np.float64(self.numeric)) if self.numeric else float("nan")

    @property
    def severity(self) -> float:
        """The disagreement relative to the larger of the two."""
        gap = abs(self.analytic - self.numeric)
        return gap / max(abs(self.analytic), abs(self.numeric), 1e-300) if np.isfinite(gap) else float("inf")

    def __str__(self) -> str:
        if not self.entry:
            return f"{self.law}: {self.hint}" if self.hint else self.law
        if np.isnan(self.bound) and np.isnan(self.numeric) and self.hint:
            return self.hint
        place = f"{self.name}[{', '.join(map(str, self.index))}]"
        result = f"output {self.output}[{', '.join(map(str, self.output_index))}]"
        line = f"∂ {result} / ∂ {place}: analytic {self.analytic:.10g}, numeric {self.numeric:.10g}"
        if abs(self.left - self.right) > 1e-3 * (abs(self.left) + abs(self.right)):
            line += f" (from {min(self.left, self.right):.6g} to {max(self.left, self.right):.6g})"
        return f"{line}, error bound {self.bound:.1g}, ratio {self.ratio:.6g}"


@dataclass
class Guilty:
    """The op whose own rule is wrong at the point where it was applied: its name, module, line, and argument."""

    op: str
    module: str = ""
    line: Line | None = None
    slot: int | None = None

    def __str__(self) -> str:
        text = self.op + (f", in the gradient of its argument {self.slot}" if self.slot is not None else "")
        text += f", in module {self.module}" if self.module else ""
        return text + (f", applied at {self.line}" if self.line else "")


@dataclass
class Report:
    """What `gradcheck` found: `ok`, `verdict` ("pass", "fail" or "inconclusive"), and each disagreement."""

    checked: int = 0
    failures: list[Failure] = field(default_factory=list)
    inconclusive: list[Failure] = field(default_factory=list)
    order: int = 1
    guilty: Guilty | None = None
    wrong: int = 0  # how many entries are wrong, those not listed included
    unsure: int = 0

    @property
    def ok(self) -> bool:
        """No entry is wrong. (Of inconclusive ones nothing can be said, and nothing is held against them.)"""
        return not self.failures

    @property
    def verdict(self) -> str:
        return "fail" if self.failures else "inconclusive" if self.inconclusive else "pass"

    @property
    def hint(self) -> str:
        """The first hint there is, as a sentence."""
        return next((f.hint for f in self.failures if f.hint), "")

    def __str__(self) -> str:
        kind = {1: "gradient", 2: "second derivative"}[self.order]
        entries = [f for f in self.failures if f.entry]
        laws = [f for f in self.failures if not f.entry]
        wrong, unsure = max(self.wrong, len(entries)), max(self.unsure, len(self.inconclusive))
        lines = [f"{kind} check: {self.verdict}; {self.checked} entries, {wrong} wrong, {unsure} inconclusive"]
        if laws:
            lines[0] += f", {len(laws)} broken laws" if len(laws) > 1 else ", 1 broken law"
        for title, found, total in (("wrong", entries, wrong), ("inconclusive", self.inconclusive, unsure)):
            worst = sorted(found, key=lambda f: -f.severity)[:10]
            lines += [f"  {title}: {f}" for f in worst]
            if total > len(worst):
                lines.append(f"  {title}: … and {total - len(worst)} more")
        lines += [f"  broken law: {f}" for f in laws]
        hints = dict.fromkeys(f.hint for f in entries if f.hint and f.hint != str(f))
        lines += [f"  hint: {hint}" for hint in hints]
        if self.guilty is not None:
            lines.append(f"  guilty: {self.guilty}")
        return "\n".join(lines)


class GradientMismatch(AssertionError):
    """Raised by `assert_gradients`: `report` says what disagrees, and where."""

    def __init__(self, report: Report) -> None:
        super().__init__(str(report))
        self.report: Any = report
