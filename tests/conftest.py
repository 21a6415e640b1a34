"""Hypothesis profiles: the same examples in every run, more of them in CI, and fresh ones for those who search."""

import os

from hypothesis import HealthCheck, settings

# Nothing here may depend on time: a shared machine can stall any example. Time is measured in tests/benchmarks.
ALIKE = settings(deadline=None, print_blob=True, database=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("newcomer", ALIKE, derandomize=True, max_examples=50)
settings.register_profile("ci", ALIKE, derandomize=True, max_examples=100)
settings.register_profile("search", ALIKE, derandomize=False, max_examples=500)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "newcomer"))

pytest_plugins = ["pytest_tinygrad_pt"]  # also where the package is not installed, only checked out

# Programs one runs, which import what a test run need not have; looking for examples in their docstrings, pytest would
# import them. Their tests are in tests/testing and in test_driver.py.
collect_ignore_glob = ["benchmarks/*", "conformance/[!t]*", "mutation/[!t]*"]
