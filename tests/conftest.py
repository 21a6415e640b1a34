"""Profiles of the suite: the same examples in every run; more, and the long tests, in CI; fresh ones on demand."""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

os.environ["TINYGRAD_PT_LANG"] = "en"  # whatever the machine speaks: the texts that tests read are the English ones

# Nothing here may depend on time: a shared machine can stall any example. Time is measured in tests/benchmarks.
ALIKE = settings(deadline=None, print_blob=True, database=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("newcomer", ALIKE, derandomize=True, max_examples=25)
settings.register_profile("ci", ALIKE, derandomize=True, max_examples=100)
settings.register_profile("search", ALIKE, derandomize=False, max_examples=500)
PROFILE = os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "newcomer")
settings.load_profile(PROFILE)

pytest_plugins = ["pytest_tinygrad_pt"]  # also where the package is not installed, only checked out

# Programs one runs, which import what a test run need not have; looking for examples in their docstrings, pytest would
# import them. Their tests are in tests/testing and in test_driver.py.
collect_ignore_glob = ["benchmarks/*", "conformance/[!t]*", "mutation/[!t]*"]
collect_ignore = [str(p) for p in Path(__file__).parent.glob("programs/*.py") if not p.name.startswith("test_")]


def pytest_configure(config: pytest.Config) -> None:
    """Leave long tests, and those in a browser, of a whole run to CI; who names tests or markers gets what he names."""
    whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    if PROFILE == "newcomer" and whole and not config.option.markexpr:
        config.option.markexpr = "not long and not browser"


@pytest.fixture(scope="session")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Jedi, which completes what editors complete. Its cache is this process's own: jedi reads files half written."""
    jedi = pytest.importorskip("jedi")
    jedi.settings.cache_directory = str(tmp_path_factory.mktemp("jedi"))
    return jedi
