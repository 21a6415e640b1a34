"""The test suite inside a forked child: once to learn which test runs which line, then once per mutant until one fails.

The parent has imported NumPy, pytest, Hypothesis and whatever else the tests need, but not the package; the child
imports the package afresh, with one module's code exchanged, so that faults in what runs at import (the rules of the
ops are lambdas there) are tried too. Nothing is written to the checkout.
"""

from __future__ import annotations

import gc
import importlib.abc
import importlib.util
import os
import resource
import signal
import sys
import time
from multiprocessing.connection import Connection
from types import CodeType
from typing import Any

import pytest

from tests.mutation.mutants import ROOT

# Left out, for the time they would take: whole programs, most in processes of their own, which would not see the fault;
# and what is far from the engine (how numbers and drawings look, each module of nn, the linter, the debugging aids).
IGNORED = [
    "tests/debugging/test_debugging_at_random.py", "tests/autograd/test_holders.py", "tests/autograd/test_ledger.py",
    "tests/debugging/test_why_nan.py", "tests/autograd/test_why_no_grad.py", "tests/benchmarks", "tests/data",
    "tests/examples", "tests/lint", "tests/mutation", "tests/nn/test_modules.py", "tests/nn/test_modules_vs_torch.py",
    "tests/test_docs.py", "tests/test_layering.py", "tests/test_main.py", "tests/test_printing.py",
    "tests/test_printing_vs_torch.py", "tests/test_readme.py", "tests/viz/test_dot.py", "tests/viz/test_drawing.py",
    "tests/viz/test_engine.py", "tests/viz/test_layout.py", "tests/viz/test_svg.py", "tests/viz/test_text.py",
    "tinygrad_pt/debugging/holders.py",
]  # fmt: skip
OPTIONS = [
    "-q", "--tb=line", "--no-header", "--no-summary", "-pno:cacheprovider",
    "-p_hypothesis_pytestplugin", "--hypothesis-profile=mutation", "-Wignore::pytest.PytestAssertRewriteWarning",
]  # fmt: skip
PATIENCE = 10.0  # seconds a test may take beyond five times what it took without a fault
MEMORY = 4 << 30  # bytes of address space a child may add


def pytest_main(paths: list[str], plugin: Any) -> int:
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    return int(pytest.main([*OPTIONS, *(f"--ignore={p}" for p in IGNORED), *paths], plugins=[plugin, Profile()]))


class Profile:
    """The same examples in every run, and no shrinking: a failing example is enough."""

    def pytest_load_initial_conftests(self) -> None:
        from hypothesis import Phase, settings

        phases = [Phase.explicit, Phase.generate]
        settings.register_profile("mutation", deadline=None, derandomize=True, database=None, phases=phases)


def hush() -> None:
    """Send what the tests print nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


# ------------------------------------------------------------------------------------------ without a fault
class Survey:
    """Notes for each test its outcome, its time and the lines of the measured files that it ran."""

    def __init__(self, coverage: Any) -> None:
        self.coverage, self.times, self.failed = coverage, {}, []

    def pytest_collection_finish(self) -> None:
        gc.collect()
        gc.freeze()  # tests that look for garbage need not look through every library each time

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: Any) -> Any:
        self.coverage.switch_context(item.nodeid)
        start = time.process_time()
        result = yield
        self.times[item.nodeid] = time.process_time() - start
        return result

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            self.failed.append(report.nodeid)

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            self.failed.append(report.nodeid)


def survey(answer: Connection, files: list[str], paths: list[str]) -> None:
    """Run the whole suite; answer with each test's time, the tests of each line, and what is imported by then."""
    import coverage

    hush()
    os.environ["COVERAGE_CORE"] = "ctrace"  # the one that can tell the tests apart
    before = set(sys.modules)
    measured = coverage.Coverage(data_file=None, config_file=False, include=[str(ROOT / f) for f in files])
    measured.start()
    plugin = Survey(measured)
    pytest_main(paths, plugin)
    measured.stop()
    data, lines = measured.get_data(), {}
    for file in files:
        found: dict[int, list[str]] = data.contexts_by_lineno(str(ROOT / file))
        lines[file] = {line: sorted(contexts) for line, contexts in found.items()}
    foreign = [m for m in sys.modules if m not in before and m.split(".")[0] not in ("tinygrad_pt", "tests")]
    answer.send({"times": plugin.times, "lines": lines, "failed": plugin.failed, "modules": foreign})


# ------------------------------------------------------------------------------------------ with one
class Exchanged(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Finds and loads the one module whose code is exchanged."""

    def __init__(self, module: str, file: str, code: CodeType) -> None:
        self.module, self.file, self.code = module, str(ROOT / file), code

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> Any:
        if fullname != self.module:
            return None
        inside = [os.path.dirname(self.file)] if self.file.endswith("__init__.py") else None
        return importlib.util.spec_from_file_location(
            fullname, self.file, loader=self, submodule_search_locations=inside
        )

    def get_code(self, fullname: str) -> CodeType:
        return self.code

    def get_source(self, fullname: str) -> str:
        return open(self.file, encoding="utf-8").read()


class Trial:
    """Runs the given tests in the given order, each for so long, and ends the process at the first that fails."""

    def __init__(self, answer: Connection, order: dict[str, float]) -> None:
        self.answer, self.order = answer, order
        signal.signal(signal.SIGALRM, lambda *_: self.end("timeout", self.now))
        self.now = ""

    def end(self, outcome: str, test: str, why: str = "") -> None:
        self.answer.send((outcome, test, why))
        self.answer.close()
        os._exit(0)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        places = {test: i for i, test in enumerate(self.order)}
        items[:] = sorted((i for i in items if i.nodeid in places), key=lambda i: places[i.nodeid])

    def pytest_collection_finish(self) -> None:
        gc.freeze()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: Any) -> Any:
        self.now = item.nodeid
        signal.setitimer(signal.ITIMER_REAL, PATIENCE + 5 * self.order[item.nodeid])
        result = yield
        signal.setitimer(signal.ITIMER_REAL, 0)
        return result

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            self.end("killed", report.nodeid, last_line(report))

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            self.end("killed", f"collecting {report.nodeid}", last_line(report))


def last_line(report: Any) -> str:
    return str(report.longrepr).strip().splitlines()[-1][:200] if report.longrepr else ""


def trial(answer: Connection, exchanged: Exchanged | None, stages: list[dict[str, float]]) -> None:
    """Answer with the outcome, the test that noticed, and its words; the stages hold the tests and their times."""
    hush()
    used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    plugin = Trial(answer, {})
    if exchanged is not None:
        sys.meta_path.insert(0, exchanged)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    try:
        importlib.import_module("tinygrad_pt")
        if exchanged is not None:  # now, for pytest would read a file with doctests from the disk
            importlib.import_module(exchanged.module)
    except BaseException as e:
        plugin.end("killed", "import tinygrad_pt", f"{type(e).__name__}: {e}"[:200])
    signal.setitimer(signal.ITIMER_REAL, 0)
    for order in stages:
        plugin.order = order
        paths = sorted({test.split("::")[0] for test in order})
        try:
            status = pytest_main(paths, plugin)
        except BaseException as e:
            plugin.end("killed", plugin.now, f"{type(e).__name__}: {e}"[:200])
        if status not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):  # that tests are gone is no failure
            plugin.end("killed", "the runner", pytest.ExitCode(status).name)
    plugin.end("survived", "")
