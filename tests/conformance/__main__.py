"""`python -m tests.conformance`: the figures of every part; with `--write`, docs/conformance.md."""

from __future__ import annotations

import argparse
import fnmatch
import importlib
import importlib.util
import time
from collections import Counter
from types import ModuleType
from typing import Any

from tests.conformance.measure import Measure

PARTS = ("operators", "second", "errors", "combinations", "modules", "optimizers")


def part(name: str) -> ModuleType:
    return importlib.import_module(f"tests.conformance.{name}")


def shown(found: list[Measure], pattern: str | None) -> None:
    """Print figures, and the samples that disagree and match a pattern."""
    for measure in found:
        print(f"{measure.name:32}{measure.agree:>9,} of {measure.total:>9,}{measure.percent:>9.2f} %", flush=True)
        for text in measure.failures if pattern else ():
            if fnmatch.fnmatch(text, f"*{pattern}*"):
                print("   ", text)
    left: Counter[str] = sum((m.left_out for m in found), Counter())
    if left:
        print(f"{'':8}left out: {', '.join(f'{n:,} {reason}' for reason, n in left.most_common())}", flush=True)


def written(entries: str, pattern: str | None) -> str:
    """The page, after all figures have been found; the failures that match a pattern are printed on the way."""
    page, operators, second = part("page"), part("operators"), part("second")
    samples, derivatives = operators.by_entry(entries), second.by_entry(entries)
    found = [*operators.totals(samples), *second.totals(derivatives)]
    shown(found, pattern)
    for name in PARTS[2:]:
        more = part(name).measures(entries)
        shown(more, pattern)
        found += more
    absent = page.absent_names(part("bridge").op_db, operators.provided())
    text: str = page.text(found, samples, derivatives, absent)
    return text


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    options.add_argument("--only", metavar="PART", choices=PARTS, help=f"one part: {', '.join(PARTS)}")
    options.add_argument("--entries", metavar="PATTERN", default="", help="only entries whose name matches, as 'nn.*'")
    told = "list the samples that disagree"
    options.add_argument("--failures", metavar="PATTERN", nargs="?", const="*", help=told)
    kinds = ("sample", "reference", "noncontiguous")
    told = "of the operators: the usual inputs, more and larger ones, or the usual ones with other strides"
    options.add_argument("--inputs", choices=kinds, default="sample", help=told)
    options.add_argument("--write", action="store_true", help="write docs/conformance.md")
    chosen = options.parse_args()
    start = time.perf_counter()
    if chosen.write:
        part("page").PAGE.write_text(written("", chosen.failures), encoding="utf-8")
    else:
        for name in PARTS:
            if chosen.only in (None, name):
                more: dict[str, Any] = {"kind": chosen.inputs} if name == "operators" else {}
                shown(part(name).measures(chosen.entries, **more), chosen.failures)
    print(f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
