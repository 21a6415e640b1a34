"""The driver of the mutation run: which mutants it makes, which tests it tries, and that it tells dead from alive."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("cosmic_ray", reason="pip install 'tinygrad_pt[dev]'")
pytest.importorskip("coverage", reason="pip install 'tinygrad_pt[dev]'")

from tests.mutation import mutants, places  # noqa: E402
from tests.mutation.__main__ import wilson  # noqa: E402

SOURCE = '''\
from __future__ import annotations
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    size = 1 + 1
"""1 + 1"""
limit: int | None = 3
rule = lambda g, y: (
    g * y
)
def f(a: int | None, b: int = 4) -> int | None:
    return a < b
'''


@pytest.fixture
def file(tmp_path, monkeypatch):
    """A file to be mutated, in a checkout of its own."""
    (tmp_path / "tinygrad_pt").mkdir()
    (tmp_path / "tinygrad_pt" / "small.py").write_text(SOURCE)
    monkeypatch.setattr(mutants, "ROOT", tmp_path)
    for cached in (mutants.read, places.tree_of):
        cached.cache_clear()
    yield "tinygrad_pt/small.py"
    for cached in (mutants.read, places.tree_of):
        cached.cache_clear()


def test_mutants_are_faults_and_none_is_idle(file):
    found = list(mutants.mutants_of(file))
    changes = {tuple(m.diff()) for m in found}
    assert ("- limit: int | None = 3", "+ limit: int | None = 4") in changes
    assert ("- g * y", "+ g / y") in changes
    assert ("- return a < b", "+ return a >= b") in changes
    assert any("b: int = 5" in change[1] for change in changes)
    assert not any("size" in line or '"""' in line or "int + None" in line for change in changes for line in change)
    assert not any("<<" in line or " ^ " in line for change in changes for line in change)
    assert all(m.code() is not None for m in found)


def test_a_mutant_that_compiles_to_the_same_or_not_at_all_is_none(file):
    idle = mutants.Mutant(file, "core/NoOp", 0, (1, 0), (1, 0))
    assert idle.source() == SOURCE and idle.code() is None
    (mutants.ROOT / file).write_text("f = lambda *args, **options: args\n")
    mutants.read.cache_clear()
    assert not [m for m in mutants.mutants_of(file) if m.code() is not None and "*options" not in m.source()]


def test_the_nearest_lines_come_first(file):
    found = {m.diff()[1][2:]: places.lines_that_run(m) for m in mutants.mutants_of(file)}
    assert found["g / y"] == [range(8, 9), range(7, 10)]  # inside a function: its lines are enough
    assert found["return a >= b"][:2] == [range(11, 12), range(11, 13)]
    assert found["limit: int | None = 4"][0] == range(6, 7)
    assert found["limit: int | None = 4"][-1] == range(1, 13)  # at import: it may show anywhere


def test_samples_are_the_same_for_a_seed_and_shared_out_among_the_files():
    chosen, total = mutants.choose("graph", 50, 1)
    assert chosen == mutants.choose("graph", 50, 1)[0] != mutants.choose("graph", 50, 2)[0]
    everything = mutants.choose("graph", None, 0)[0]
    assert len(everything) == total and len(set(chosen)) == 50 and set(chosen) <= set(everything)
    assert all(len(set(mutants.choose("graph", 50, seed)[0])) == 50 for seed in range(20))
    for file in mutants.files_of("graph"):
        share = sum(m.file == file for m in everything) / total * 50
        assert abs(sum(m.file == file for m in chosen) - share) <= 2


def test_the_interval_is_that_of_the_textbook():
    assert wilson(0, 0) == (0, 1)
    low, high = wilson(81, 263)  # E. Wilson's interval as in R. Newcombe, Statistics in Medicine 17, 1998
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)


def test_a_run_tells_dead_from_alive_and_goes_on_where_it_was(tmp_path):
    """A handful of mutants of one small file, tried by the tests of one file."""
    command = [
        sys.executable, "-m", "tests.mutation", "--modules", "ops/special.py", "--sample", "8", "--seed", "1",
        "--tests", "tests/ops/test_ops.py::test_edges", "--results", str(tmp_path), "--no-control",
    ]  # fmt: skip
    root = Path(__file__).resolve().parents[2]
    environment = os.environ | {"PYTHONPATH": str(root)}
    first = subprocess.run(command, capture_output=True, text=True, cwd=root, env=environment)
    rows = [json.loads(line) for line in (tmp_path / "results.jsonl").read_text().splitlines()]
    dead = [r for r in rows if r["outcome"] == "killed"]
    tried = [r for r in rows if r["outcome"] != "none"]  # some faults change nothing that is compiled
    assert len(dead) >= 3 and all("test_edges" in r["test"] for r in dead), first.stdout + first.stderr
    assert f"{len(dead)} of     {len(tried)} noticed" in first.stdout and first.returncode == (len(dead) < len(tried))
    again = subprocess.run(command, capture_output=True, text=True, cwd=root, env=environment)
    assert again.stdout.splitlines()[-3:] == first.stdout.splitlines()[-3:]
    assert len((tmp_path / "results.jsonl").read_text().splitlines()) == len(rows)
