"""The plugin: nothing is imported before it is used, the option reaches the properties, graphs are compared."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import tinygrad_pt as torch
from tests.blocks import ROOT
from tinygrad_pt.testing.graph_text import graph_difference, graph_text
from tinygrad_pt.testing.pytest_plugin import StoredGraphs


def run(folder: Path, *arguments: str, code: str = "") -> str:
    """pytest in a process of its own, with the plugin, on what lies in a folder."""
    command = [sys.executable, "-c", code] if code else [sys.executable, "-m", "pytest", "-p", "pytest_tinygrad_pt"]
    path = os.pathsep.join((str(ROOT), str(ROOT / "tinygrad_pt" / "testing" / "plugin")))
    environment = os.environ | {"PYTHONPATH": path, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "COLUMNS": "200"}
    done = subprocess.run(
        [*command, *([] if code else ["-q", "-p", "no:cacheprovider", *arguments])],
        cwd=folder, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout + done.stderr


def test_nothing_is_imported_before_it_is_used(tmp_path: Path) -> None:
    (tmp_path / "test_user.py").write_text(
        "import sys\n"
        "def test_light():\n"
        "    assert 'pytest_tinygrad_pt' in sys.modules\n"
        "    assert not {'numpy', 'hypothesis', 'tinygrad_pt'} & set(sys.modules)\n"
        "def test_heavy(graph_snapshot):\n"
        "    assert {'numpy', 'tinygrad_pt'} <= set(sys.modules)\n"
        "    assert 'hypothesis' not in sys.modules\n"
    )
    assert "2 passed" in run(tmp_path)


def test_the_kit_is_not_imported_by_hypothesis(tmp_path: Path) -> None:
    code = "import hypothesis, sys; print(sorted(m for m in sys.modules if 'tinygrad' in m or m == 'numpy'))"
    assert run(tmp_path, code=code).strip() == "[]"
    assert "entry-points.hypothesis" not in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


PROPERTY = """
import tinygrad_pt as torch
from tinygrad_pt.testing import gradient_property, property
drawn = []
hold = property.assert_laws
property.assert_laws = lambda spec, args, **options: drawn.append(args[0].shape) or hold(spec, args, **options)
@gradient_property(shapes=[((2,),)], max_examples=7)
def test_tanh(a):
    return torch.tanh(a)
def test_count():
    print("drawn:", len(drawn))
"""


@pytest.mark.long
def test_the_number_of_examples(tmp_path: Path) -> None:
    (tmp_path / "test_user.py").write_text(PROPERTY)
    assert "drawn: 7\n" in run(tmp_path, "-s")
    assert "drawn: 3\n" in run(tmp_path, "-s", "--gradcheck-examples", "3")
    assert "must be at least 1" in run(tmp_path, "--gradcheck-examples", "0")


SNAPSHOT = """
import pytest
import tinygrad_pt as torch
from tinygrad_pt import nn
@pytest.mark.parametrize("width", [2, 3])
def test_graph(graph_snapshot, width):
    network = nn.Sequential(nn.Linear(width, 4), nn.Tanh(), nn.Linear(4, 1))
    y = network(torch.ones(5, width))
    graph_snapshot(y)
    graph_snapshot(y.mean(), name="loss")
"""


@pytest.mark.long
def test_a_graph_is_stored_compared_and_stored_again(tmp_path: Path) -> None:
    test = tmp_path / "test_user.py"
    test.write_text(SNAPSHOT)
    first = run(tmp_path)
    assert "2 failed" in first and "no graph is stored in" in first and "--graph-snapshot-update" in first
    assert "2 passed" in run(tmp_path, "--graph-snapshot-update")
    stored = sorted(p.name for p in (tmp_path / "__graph_snapshots__" / "test_user").iterdir())
    assert stored == [
        "test_graph[2]-loss.txt", "test_graph[2].txt", "test_graph[3]-loss.txt", "test_graph[3].txt",
    ]  # fmt: skip
    assert "2 passed" in run(tmp_path)
    test.write_text(SNAPSHOT.replace("nn.Tanh()", "nn.ReLU()"))
    changed = run(tmp_path)
    assert "2 failed" in changed
    assert "- tanh (4), of linear (3): float32[5, 4], in 1 (Tanh)" in changed
    assert "+ relu (4), of linear (3): float32[5, 4], in 1 (ReLU)" in changed
    assert "~ linear (7): argument 0 was tanh (4), now it is relu (4)" in changed
    assert "2 passed" in run(tmp_path, "--graph-snapshot-update") and "2 passed" in run(tmp_path)


# ------------------------------------------------------------------------------------------ text and differences
def graph(make: Any) -> str:
    return graph_text(make(torch.ones(2, 3, requires_grad=True), torch.ones(3, requires_grad=True)))


def test_the_text_is_the_same_whatever_was_computed_before() -> None:
    def make(w: Any, b: Any) -> Any:
        return torch.sigmoid(w @ torch.ones(3, 3) + b).sum()

    first = graph(make)
    kept = [torch.ones(2, requires_grad=True) * 2 for _ in range(10)]
    assert graph(make) == first and kept
    assert first.splitlines() == [
        "0 = leaf  float32[2, 3]",
        "1 = constant  float32[3, 3]",
        "2 = mm(0, 1)  float32[2, 3]",
        "3 = leaf  float32[3]",
        "4 = add(2, 3)  float32[2, 3]",
        "5 = sigmoid(4)  float32[2, 3]",
        "6 = sum(5; axis=None, keepdims=False)  float32[]",
        "returns 6",
    ]


def test_the_text_is_the_same_after_backward() -> None:
    w = torch.ones(2, requires_grad=True)
    loss = (w * w).sum()
    before = graph_text(loss)
    loss.backward()
    assert graph_text(loss) == before


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (lambda w, b: (w * b).sum(), ""),
        (lambda w, b: (w + b).sum(), "+ add (2), of leaf (0), leaf (1)"),
        (lambda w, b: (b * w).sum(), "~ mul (2): argument 0 was leaf"),
        (lambda w, b: (w * b).sum(0), "~ sum (3): had axis=None, keepdims=False, now it has axis=(0,)"),
        (lambda w, b: (w * b.exp()).sum(), "~ mul (3): argument 1 was leaf (1), now it is exp (2)"),
        (lambda w, b: w * b, "the results were sum (3), now they are mul (2)"),
        (lambda w, b: (w * b.detach()).sum(), "+ constant (1): float32[3]"),
        (lambda w, b: (w.double() * b).sum(), "float64[2, 3]"),
        (lambda w, b: (w * 2).sum(), "- leaf (1): float32[3]"),
    ],
)
def test_what_differs_is_said(new: Any, said: str) -> None:
    difference = graph_difference(graph(lambda w, b: (w * b).sum()), graph(new))
    assert bool(difference) == bool(said) and said in difference, difference


def test_a_line_more_at_the_beginning_is_one_difference() -> None:
    def chain(x: Any) -> Any:
        for _ in range(20):
            x = torch.tanh(x) * x
        return x

    old, new = graph(lambda w, b: chain(w)), graph(lambda w, b: chain(w.exp()))
    assert len(graph_difference(old, new).splitlines()) <= 3


def test_what_has_no_graph_is_refused() -> None:
    with pytest.raises(RuntimeError, match="does not require grad"):
        graph_text(torch.ones(2))
    with pytest.raises(TypeError):
        graph_text(1.0)


def test_a_snapshot_of_several_results(tmp_path: Path) -> None:
    x = torch.ones(2, requires_grad=True)
    StoredGraphs(tmp_path / "test_it.py", "test a/b", update=True)(x * 2, x.exp())
    (stored,) = (tmp_path / "__graph_snapshots__/test_it").iterdir()
    assert stored.name == "test_a_b.txt" and stored.read_text().endswith("returns 1, 2\n")
    StoredGraphs(tmp_path / "test_it.py", "test a/b")(x * 2, x.exp())
    with pytest.raises(AssertionError, match="results were"):
        StoredGraphs(tmp_path / "test_it.py", "test a/b")(x.exp(), x * 2)


def test_without_hypothesis_the_checker_works_and_the_rest_says_what_to_install(tmp_path: Path) -> None:
    code = """
import sys
sys.modules["hypothesis"] = None
import tinygrad_pt as torch
from tinygrad_pt.testing import gradcheck, gradient_property
print(gradcheck(torch.sin, torch.tensor([0.5], dtype=torch.float64)).verdict)
for use in (lambda: gradient_property(), lambda: __import__("tinygrad_pt.testing.strategies")):
    try:
        use()
    except ImportError as error:
        print(error)
"""
    assert run(tmp_path, code=code).splitlines() == [
        "pass",
        "gradient_property needs Hypothesis: pip install hypothesis",
        "tinygrad_pt.testing.strategies needs Hypothesis: pip install hypothesis",
    ]
