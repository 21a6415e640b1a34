"""`python -m tests.conformance`: the figures of every part."""

from __future__ import annotations

import argparse
import fnmatch
import importlib
import importlib.util
import time

PARTS = ("operators", "second", "errors", "combinations", "modules", "optimizers")


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    options.add_argument("--only", metavar="PART", choices=PARTS, help=f"one part: {', '.join(PARTS)}")
    options.add_argument("--entries", metavar="PATTERN", default="", help="only entries whose name matches, as 'nn.*'")
    options.add_argument("--failures", metavar="PATTERN", nargs="?", const="*", help="list the samples that disagree")
    chosen = options.parse_args()
    for name in PARTS:
        if chosen.only not in (None, name) or importlib.util.find_spec(f"tests.conformance.{name}") is None:
            continue
        start = time.perf_counter()
        found = importlib.import_module(f"tests.conformance.{name}").measures(chosen.entries)
        for measure in found:
            if measure.total or not chosen.entries:
                print(
                    f"{measure.name:24}{measure.agree:>9,} of {measure.total:>9,}{measure.percent:>9.2f} %", flush=True
                )
            if chosen.failures:
                pattern = f"*{chosen.failures}*"
                for text in measure.failures:
                    if fnmatch.fnmatch(text, pattern):
                        print("   ", text)
        print(f"{'':24}left out: {dict(sum((m.left_out for m in found), type(found[0].left_out)()))}")
        print(f"{'':24}{time.perf_counter() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
