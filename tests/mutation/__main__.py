"""Run `python -m tests.mutation --help`; docs/mutation.md says what it does and what came of it.

Answers with 0 when at least 95 % of the mutants of each group are noticed.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import json
import math
import multiprocessing
import multiprocessing.connection
import os
import re
import sys
import time
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"
os.environ["CI"] = "1"  # the same examples in every run

from tests.mutation.mutants import GROUPS, ROOT, Mutant, choose, files_of  # noqa: E402
from tests.mutation.places import lines_that_run  # noqa: E402
from tests.mutation.suite import IGNORED, Exchanged, survey, trial  # noqa: E402

FORK = multiprocessing.get_context("fork")
WANTED = 0.95
LIMIT = 900.0  # seconds for one mutant, whatever happens
FIRST = 25  # tests of the first stage


# ------------------------------------------------------------------------------------------ one child
def ask(target: Any, *args: Any) -> Any:
    """What a forked child answers."""
    ours, theirs = FORK.Pipe(duplex=False)
    child = FORK.Process(target=target, args=(theirs, *args))
    child.start()
    theirs.close()
    answer = ours.recv()
    child.join()
    return answer


class Knowledge:
    """Which test runs which line and how long it takes, and which tests have noticed faults so far."""

    def __init__(self, found: dict[str, Any], budget: float) -> None:
        self.budget = budget
        self.times: dict[str, float] = found["times"]
        self.lines = {file: {int(n): tests for n, tests in rows.items()} for file, rows in found["lines"].items()}
        self.kills: Counter[str] = Counter()

    def tests_for(self, mutant: Mutant) -> list[str]:
        """The tests that may notice a fault: one of each function at home with the module, one of each other, the rest.

        At home are tests that have words of the module's path in theirs, and all of them are tried: what is remembered
        from one test to the next hides which of them would have run a line. Of a function's tests those come first
        that run the lines nearest to the fault, that noticed most faults so far, and that are quick.
        """
        rows, near = self.lines[mutant.file], words(mutant.file)
        distance: dict[str, int] = {}
        for i, lines in enumerate(lines_that_run(mutant)):  # the nearest code first, then what lies around it
            for test in {test for n in lines for test in rows.get(n, ())} & self.times.keys():
                distance.setdefault(test, i)
        home = {test for test in self.times if near & words(file_of(test))}
        turns: Counter[str] = Counter()
        placed = []
        order = {t: (distance.get(t, 9), -self.kills[t], self.times[t], t) for t in home | distance.keys()}
        for test in sorted(order, key=order.__getitem__):
            function = test.split("[")[0]
            placed.append((turns[function] > 0, test not in home, turns[function], *order[test]))
            turns[function] += 1
        found, spent = [test for *_, test in sorted(placed)], 0.0
        for i, test in enumerate(found):
            spent += self.times[test]
            if spent > self.budget:
                return found[: max(i, FIRST)]
        return found

    def stages(self, mutant: Mutant) -> list[dict[str, float]]:
        """The tests in two parts: a few out of the two files that notice most, which are soon collected; the rest."""
        tests = self.tests_for(mutant)
        votes = Counter(file_of(test) for test in tests[:FIRST])
        for test in tests:
            votes[file_of(test)] += 5 * self.kills[test]
        best = {file for file, _ in votes.most_common(2)}
        first = [test for test in tests if file_of(test) in best][:FIRST]
        chosen = frozenset(first)
        rest = [test for test in tests if test not in chosen]
        return [{test: self.times[test] for test in part} for part in (first, rest) if part]


def file_of(test: str) -> str:
    return test.split("::")[0]


@cache
def words(path: str) -> set[str]:
    """What a path is made of: `tests/autograd/test_engine.py` has "autograd" and "engine"."""
    return {*re.split(r"\W|_", path)} - {"tests", "test", "tinygrad", "pt", "py", ""}


def learn(folder: Path, paths: list[str], groups: list[str], budget: float) -> Knowledge:
    """Survey the suite without a fault, as far as it has changed since; then import what the tests import."""
    files = sorted({file for group in [*GROUPS, *groups] for file in files_of(group)})
    sources = [*ROOT.glob("tinygrad_pt/**/*.py"), *(p for p in ROOT.glob("tests/**/*.py") if "test_" not in p.name)]
    state = digest(*(p for p in sources if p.parent != Path(__file__).parent))
    parts = {str(p.relative_to(ROOT)): digest(p) for p in sorted(ROOT.glob("tests/**/test_*.py"))}
    parts = {p: text for p, text in parts.items() if not any(p.startswith(i) for i in IGNORED)}
    kept = folder / "survey.json"
    found = json.loads(kept.read_text()) if kept.exists() else {}
    if (found.get("state"), found.get("paths"), found.get("files")) != (state, paths, files):
        found = {"state": state, "paths": paths, "files": files, "parts": {}, "times": {}, "lines": {}, "modules": []}
    changed = sorted(p for p, text in parts.items() if found["parts"].get(p) != text)
    if changed or not found["times"]:
        print("running the suite without a fault …", flush=True)
        fresh = ask(survey, files, changed if found["times"] else paths)
        if fresh["failed"]:
            print("these fail here without a fault, and are left out:", *fresh["failed"])
            if len(fresh["failed"]) > 5:
                raise SystemExit("too many: mend the suite first")
        gone = {t for t in found["times"] if file_of(t) in changed or not (ROOT / file_of(t)).exists()}
        times = {t: time for t, time in found["times"].items() if t not in gone} | fresh["times"]
        found["times"] = {t: time for t, time in times.items() if t not in fresh["failed"]}
        for file, rows in fresh["lines"].items():
            old = found["lines"].setdefault(file, {})
            for n in {*old, *map(str, rows)}:
                old[n] = sorted({*old.get(n, ())} - gone | {*rows.get(int(n), ())})
        found["modules"] = list(dict.fromkeys([*found["modules"], *fresh["modules"]]))
        kept.write_text(json.dumps(found | {"parts": parts}))
    for module in found["modules"]:
        try:
            __import__(module)
        except Exception:  # parts of libraries that are not meant to be imported by name
            pass
    assert not any(m.split(".")[0] == "tinygrad_pt" for m in sys.modules), "the children must import it themselves"
    gc.collect()
    gc.freeze()  # what is here before the fork, no child need look through again
    return Knowledge(found, budget)


def digest(*paths: Path) -> str:
    state = hashlib.sha256()
    for path in sorted(paths):
        state.update(f"{path.relative_to(ROOT)} ".encode() + path.read_bytes())
    return state.hexdigest()[:12]


def control(knowledge: Knowledge) -> None:
    """All tests in one child, in another order and without a fault, must pass: else nothing below means anything."""
    order = dict(sorted(knowledge.times.items(), key=lambda item: item[1]))
    answer = ask(trial, None, [order])
    if answer[0] != "survived":
        raise SystemExit(f"a fault is noticed where there is none: {answer}")


# ------------------------------------------------------------------------------------------ many children
def run(mutants: list[Mutant], knowledge: Knowledge, jobs: int) -> Iterator[dict[str, Any]]:
    """The outcome of each mutant, as they come."""
    waiting, running = list(reversed(mutants)), {}
    while waiting or running:
        while waiting and len(running) < jobs:
            mutant = waiting.pop()
            code = mutant.code()
            if code is None:
                yield {"key": mutant.key, "outcome": "none"}
                continue
            stages = knowledge.stages(mutant)
            if not stages:
                yield row(mutant, ("survived", "", "no test runs this line"), 0, 0.0)
                continue
            ours, theirs = FORK.Pipe(duplex=False)
            child = FORK.Process(target=trial, args=(theirs, Exchanged(mutant.module, mutant.file, code), stages))
            child.start()
            theirs.close()
            running[ours] = mutant, child, time.monotonic(), sum(map(len, stages))
        ready = multiprocessing.connection.wait(list(running), 1.0)
        for pipe, (mutant, child, start, tests) in list(running.items()):
            taken = time.monotonic() - start
            if pipe in ready:
                try:
                    answer = pipe.recv()
                except EOFError:
                    answer = ("crash", "", f"exit code {child.exitcode}")
            elif taken > LIMIT:
                child.kill()
                answer = ("timeout", "", "the whole run took too long")
            else:
                continue
            child.join()
            del running[pipe]
            if answer[0] == "killed":
                knowledge.kills[answer[1]] += 1
            yield row(mutant, answer, tests, taken)


def row(mutant: Mutant, answer: tuple[str, str, str], tests: int, taken: float) -> dict[str, Any]:
    outcome, test, why = answer
    return {
        "key": mutant.key, "file": mutant.file, "line": mutant.start[0], "family": mutant.family, "outcome": outcome,
        "test": test, "why": why, "tests": tests, "seconds": round(taken, 2), "diff": mutant.diff(),
        "state": state_of(mutant.file),
    }  # fmt: skip


def state_of(file: str) -> str:
    return digest(ROOT / file)


# ------------------------------------------------------------------------------------------ figures
def wilson(k: int, n: int) -> tuple[float, float]:
    """The 95 % interval of a share of which k of n were seen (Wilson 1927)."""
    if not n:
        return 0.0, 1.0
    z, p = 1.959963984540054, k / n
    middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


@cache
def equivalents() -> dict[tuple[str, str, str], str]:
    """Survivors that were looked at and found to do what the original does: why, by file, old and new lines."""
    listed = tomllib.loads((Path(__file__).parent / "equivalent.toml").read_text(encoding="utf-8"))
    return {
        (f"tinygrad_pt/{m['file']}", was, now): m["why"]
        for m in listed["mutants"]
        for was in [m["was"]]
        for now in m["now"]
    }


def why_equivalent(r: dict[str, Any]) -> str | None:
    was, now = (" ".join(" ".join(x[2:].split()) for x in r["diff"] if x[0] == sign) for sign in "-+")
    return equivalents().get((r["file"], was, now))


def alive(r: dict[str, Any]) -> bool:
    return r["outcome"] == "survived" and why_equivalent(r) is None


def line(name: str, rows: list[dict[str, Any]]) -> str:
    same = sum(r["outcome"] == "survived" and why_equivalent(r) is not None for r in rows)
    n, killed = len(rows) - same, sum(r["outcome"] != "survived" for r in rows)
    low, high = wilson(killed, n)
    share, raw = (killed / k if k else math.nan for k in (n, len(rows)))
    text = f"{name:<28} {killed:>5} of {n:>5} noticed  {share:6.1%}  [{low:.1%}, {high:.1%}]"
    return text + (f"  ({raw:.1%} with the {same} equivalent)" if same else "")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--modules", nargs="+", default=list(GROUPS), help="groups, or files such as ops/loss.py")
    parser.add_argument("--sample", type=int, help="so many mutants of each group, at random; otherwise all of them")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--tests", nargs="+", default=["tests", "tinygrad_pt"], help="only the tests below these paths")
    parser.add_argument("--results", type=Path, default=ROOT / ".mutation", help="folder of the results")
    parser.add_argument("--again", choices=["survived", "all"], help="try mutants anew that have a result already")
    parser.add_argument(
        "--budget",
        type=float,
        default=math.inf,
        help="seconds of tests per mutant, one of each kind first; default: all",
    )
    parser.add_argument("--no-control", action="store_true", help="skip the run of all tests without a fault")
    parser.add_argument("--list-survivors", action="store_true", help="run nothing; show the survivors known")
    options = parser.parse_args()
    options.results.mkdir(parents=True, exist_ok=True)
    sys.dont_write_bytecode, sys.pycache_prefix = False, str(options.results.resolve() / "bytecode")
    log = options.results / "results.jsonl"
    known: dict[tuple[str, str], dict[str, Any]] = {}
    if log.exists():
        for text in log.read_text(encoding="utf-8").splitlines():
            r = json.loads(text)
            known[r["key"], r["state"]] = r

    knowledge = None
    good, everything = True, []
    for group in options.modules:
        chosen, total = choose(group, options.sample, options.seed)
        rows, open_ = [], []
        for m in chosen:
            r = known.get((m.key, state_of(m.file)))
            if r is None or options.again == "all" or (options.again == "survived" and r["outcome"] == "survived"):
                open_.append(m)
            else:
                rows.append(r)
        if open_ and not options.list_survivors:
            if knowledge is None:
                knowledge = learn(options.results, options.tests, options.modules, options.budget)
                if not options.no_control:
                    control(knowledge)
            with log.open("a", encoding="utf-8") as out:
                for i, r in enumerate(run(open_, knowledge, options.jobs), 1):
                    r.setdefault("state", state_of(r["key"].split(":")[0]))
                    rows.append(r)
                    out.write(json.dumps(r) + "\n")
                    out.flush()
                    if i % 50 == 0:
                        print(f"  {group}: {i} of {len(open_)}", flush=True)
        rows = [r for r in rows if r["outcome"] != "none"]
        if options.list_survivors:
            for r in sorted(rows, key=lambda r: (r["file"], r["line"])):
                if alive(r):
                    print(f"{r['key']}  ({r['tests']} tests{', ' + r['why'] if r['why'] else ''})")
                    print("    " + "\n    ".join(r["diff"]))
        print(line(f"{group} ({total} places)", rows), flush=True)
        everything += rows
        different = [r for r in rows if r["outcome"] != "survived" or alive(r)]
        good &= bool(different) and sum(map(alive, different)) <= (1 - WANTED) * len(different)
    print(line("all", everything))
    families = defaultdict(list)
    for r in everything:
        families[r["family"]].append(r)
    for family, rows in sorted(families.items()):
        print("  " + line(family, rows))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
