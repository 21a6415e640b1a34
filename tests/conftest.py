"""Hypothesis profiles: the same examples on every run in CI, fresh ones on a developer's machine."""

import os

from hypothesis import settings

# A shared machine may stall any single example, so time is measured in tests/benchmarks and never here.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "local")

pytest_plugins = ["pytest_tinygrad_pt"]  # also where the package is not installed, only checked out

# Programs one runs, which import what a test run need not have; looking for examples in their docstrings, pytest would
# import them. Their tests are in tests/testing and in test_driver.py.
collect_ignore_glob = ["benchmarks/*", "conformance/[!t]*", "mutation/[!t]*"]
