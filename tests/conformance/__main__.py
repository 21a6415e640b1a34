"""`python -m tests.conformance`: the figures of every part; with `--write`, docs/conformance.md."""

from __future__ import annotations

import argparse
import fnmatch
import importlib
import multiprocessing
import os
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
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


def by_entry(name: str, entries: str, **more: Any) -> dict[str, Any]:
    """The figures of each entry, found by as many processes as there are cores."""
    slices = 8 * (os.cpu_count() or 1)
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as pool:
        tasks = [pool.submit(part(name).by_entry, entries, i, slices, **more) for i in range(slices)]
        return {entry: found for task in tasks for entry, found in task.result().items()}


def written(entries: str, pattern: str | None) -> str:
    """The page, after all figures have been found; the failures that match a pattern are printed on the way."""
    page, operators, second = part("page"), part("operators"), part("second")
    samples, derivatives = by_entry("operators", entries), by_entry("second", entries)
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
                if name == "operators":
                    found = by_entry(name, chosen.entries, kind=chosen.inputs)
                    found = part(name).totals(found, chosen.inputs)
                elif name == "second":
                    found = part(name).totals(by_entry(name, chosen.entries))
                else:
                    found = part(name).measures(chosen.entries)
                shown(found, chosen.failures)
    print(f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
