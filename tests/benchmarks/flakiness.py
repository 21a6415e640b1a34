"""Twenty thousand fresh examples over the whole op table and whole programs: none may fail that is right.

Run `python -m tests.benchmarks.flakiness --examples 20000`. Each run draws from a new seed, which it prints; `--seed`
repeats one. A failure is printed with the example that Hypothesis shrank it to.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"

import argparse
import secrets
import sys
import time
import warnings
from collections import Counter
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.ops.table import ROWS
from tinygrad_pt.calling import wrap
from tinygrad_pt.testing import assert_gradients, assert_laws
from tinygrad_pt.testing.strategies import arguments_for, programs

PROGRAMS = 0.2  # of all examples
Verdicts = Counter[str]


def row_test(row: Any, verdicts: Verdicts) -> Any:
    """The test of one row of the table: every law, at drawn arguments."""

    def test(example: Any) -> None:
        verdicts["examples"] += 1
        report = assert_laws(row, example.args, example.attrs)
        verdicts["inconclusive"] += report is not None and report.verdict == "inconclusive"

    test.__name__ = f"test_{row.name}"
    return given(arguments_for(row))(test)


def program_test(verdicts: Verdicts) -> Any:
    """The test of whole programs: their gradients, and theirs again."""

    def test_programs(program: Any) -> None:
        verdicts["examples"] += 1
        report = assert_gradients(program, *map(wrap, program.arguments.values()), order=1 + verdicts["examples"] % 2)
        verdicts["inconclusive"] += report.verdict == "inconclusive"

    return given(st.deferred(programs))(test_programs)


def run(examples: int, start: int, names: list[str]) -> tuple[Verdicts, list[str]]:
    """Draw that many examples; what was met, and the failures."""
    verdicts: Verdicts = Counter()
    failures: list[str] = []
    tests = [(name, row_test(ROWS[name], verdicts)) for name in names if name in ROWS]
    whole = examples if not tests else round(examples * PROGRAMS) if "programs" in names else 0
    wanted = [-(-(examples - whole) // len(tests))] * len(tests) if tests else []
    if whole:
        tests.append(("programs", program_test(verdicts)))
        wanted.append(whole)
    for number, ((name, test), count) in enumerate(zip(tests, wanted, strict=True)):
        before, began = verdicts["examples"], time.process_time()
        try:
            # Of a row with few cases Hypothesis may have seen everything early: then it starts again, from a new seed.
            for again in range(10):
                left = count - (verdicts["examples"] - before)
                if left > 0:
                    once(test, left, start + 1000 * again + number)
        except Exception as error:
            notes = "\n".join(getattr(error, "__notes__", []))
            failures.append(f"{name}: {type(error).__name__}: {error}\n{notes}")
            print(f"FAILED {failures[-1]}", flush=True)
        spent = 1e3 * (time.process_time() - began)
        drawn = verdicts["examples"] - before
        print(f"{name:36} {drawn:6} examples {spent / max(1, drawn):7.1f} ms each", flush=True)
    return verdicts, failures


def once(test: Any, examples: int, number: int) -> None:
    """Let Hypothesis draw so many examples from this seed."""
    options = settings(
        max_examples=examples, database=None, deadline=None, suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate, Phase.shrink], print_blob=False,
    )  # fmt: skip
    seed(number)(options(test))()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=None, help="default: a new one")
    parser.add_argument("names", nargs="*", help="rows of the table, or 'programs' (default: all)")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    start = secrets.randbelow(2**31) if options.seed is None else options.seed
    print(f"seed {start}", flush=True)
    began, clock = time.process_time(), time.perf_counter()
    verdicts, failures = run(options.examples, start, options.names or [*ROWS, "programs"])
    drawn = verdicts["examples"]
    print(
        f"{drawn} examples, {len(failures)} failed, {verdicts['inconclusive']} of them inconclusive "
        f"({100 * verdicts['inconclusive'] / max(1, drawn):.2f} %); {time.process_time() - began:.0f} s of one core, "
        f"{time.perf_counter() - clock:.0f} s in all"
    )
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
