"""Programs with and without silent bugs, run under the linter: `python -m tests.lint.run` prints the counts.

Every function of bad_*.py is a program with one or more bugs, and the lines at which the linter is to speak end in
`# <- CODE`. Every function of good_*.py is a program without, many of them near misses of a rule. Helpers have names
that begin with an underscore.
"""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import io
import re
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tinygrad_pt as torch

HERE = Path(__file__).parent


def programs(kind: str) -> dict[str, Callable[[], Any]]:
    """The programs of one kind, "bad" or "good", by name."""
    found: dict[str, Callable[[], Any]] = {}
    for path in sorted(HERE.glob(f"{kind}_*.py")):
        spec = importlib.util.spec_from_file_location(f"lint_{path.stem}", path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for name, program in vars(module).items():
            if inspect.isfunction(program) and program.__module__ == module.__name__ and name[0] != "_":
                assert name not in found, f"two programs are called {name}"
                found[name] = program
    return found


def expected(program: Callable[[], Any]) -> set[tuple[str, int]]:
    """(code, line) of every mark in the source of a program."""
    lines, first = inspect.getsourcelines(program)
    return {(code, first + i) for i, text in enumerate(lines) for code in re.findall(r"# <- (TG\d+)", text)}


def flagged(program: Callable[[], Any]) -> list[Any]:
    """The findings of the linter in a program; a rule that fails is an error."""
    torch.manual_seed(0)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        warnings.filterwarnings("error", message="lint: the rule")
        with torch.lint() as findings:
            program()
    return findings


def verdict(program: Callable[[], Any]) -> tuple[set[tuple[str, int]], set[tuple[str, int]]]:
    """(what was missed, what was said without cause), as (code, line)."""
    findings = flagged(program)
    said = {(f.code, f.line.number) for f in findings if f.line and f.line.file == program.__code__.co_filename}
    elsewhere = {(f.code, 0) for f in findings if not f.line or f.line.file != program.__code__.co_filename}
    return expected(program) - said, (said | elsewhere) - expected(program)


def main() -> None:
    start = time.perf_counter()
    for kind in ("bad", "good"):
        clean = 0
        found = programs(kind)
        for name, program in found.items():
            missed, false = verdict(program)
            clean += not missed and not false
            if missed or false:
                print(f"  {kind} {name}: missed {sorted(missed)}, false {sorted(false)}")
        word = "flagged, each with its codes at its lines and no other" if kind == "bad" else "passed without a word"
        print(f"{kind}: {clean} of {len(found)} {word}")
    codes = {code for program in programs("bad").values() for code, _ in expected(program)}
    print(f"{len(codes)} codes, {time.perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main()
