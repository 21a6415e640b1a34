"""The command line as a user meets it: what it prints and writes, and that both depend on the seed alone."""

import importlib.util
import io
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_pt as torch
from tinygrad_pt import nn
from tinygrad_pt.__main__ import main
from tinygrad_pt.demo import learn_both, learn_xor, neurons, progress, xor_drawings
from tinygrad_pt.models import MLP
from tinygrad_pt.viz import convert
from tinygrad_pt.viz.machine import formats

NAMES = ("xor", "xor_circles", "xor_neurons")
DRAWN = [name + suffix for name in NAMES for suffix in (".dot", ".svg")]
PAINTED = [name + ".png" for name in NAMES] if formats()[".png"] else []
PLOTTED = [f"loss_{name}.{kind}" for name in ("xor", "digits") for kind in ("svg", "png")]
PLOTTED = PLOTTED if importlib.util.find_spec("matplotlib") else []


def run(folder: Path, *args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`python -m tinygrad_pt …` in a process of its own, from another folder than the checkout."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), **environment}
    command = [sys.executable, "-m", "tinygrad_pt", *args]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, bytes]]:
    """stdout and files of one short demo."""
    return demo(tmp_path_factory.mktemp("first"), "7", PYTHONHASHSEED="1")


def demo(folder: Path, seed: str, **environment: str) -> tuple[str, dict[str, bytes]]:
    done = run(folder, "demo", "--epochs", "1", "--seed", seed, **environment)
    assert done.returncode == 0, done.stderr
    assert re.search(r"\d s\]", done.stderr) and not re.search(r"\d s\]", done.stdout)  # seconds differ each time
    assert "\r" not in done.stdout + done.stderr and done.stdout.isascii()
    return done.stdout, {file.name: file.read_bytes() for file in (folder / "tinygrad_pt-demo").iterdir()}


def test_the_demo_writes_what_it_says_and_nothing_else(first):
    printed, files = first
    assert sorted(files) == sorted([*DRAWN, *PAINTED, *PLOTTED, "xor_player.html"])
    listed = dict(re.findall(r"^  (\S+\.(?:dot|svg|png|html)) +([\d,]+) bytes$", printed, re.MULTILINE))
    assert listed == {name: f"{len(content):,}" for name, content in files.items()}


def test_same_seed_same_output_whatever_the_hash_seed(first, tmp_path):
    assert demo(tmp_path, "7", PYTHONHASHSEED="2") == first


def test_in_portuguese_it_prints_and_draws_the_same_numbers(first, tmp_path):
    done = run(tmp_path, "demo", "--epochs", "1", "--seed", "7", "--lang", "pt", PYTHONUTF8="1")
    assert done.returncode == 0, done.stderr
    printed = done.stdout.partition("Escrito em")[0]
    assert re.findall(r"\d+\.\d{4}", printed) == re.findall(r"\d+\.\d{4}", first[0])
    assert "taxa de aprendizado 5" in printed and "loss" not in printed
    svg = (tmp_path / "tinygrad_pt-demo" / "xor.svg").read_text(encoding="utf-8")
    assert "as quatro linhas de uma vez" in svg and "parâmetro" in svg


def test_another_seed_another_output(first, tmp_path):
    printed, files = demo(tmp_path, "8")
    assert printed != first[0]
    assert files["xor.svg"] != first[1]["xor.svg"]


def test_without_any_program_on_path_the_drawings_are_the_same(first, tmp_path):
    _, files = demo(tmp_path, "7", PATH="")
    assert {name: files[name] for name in DRAWN} == {name: first[1][name] for name in DRAWN}


def test_the_files_are_what_their_suffix_says(first):
    for name, content in first[1].items():
        if name.endswith(".svg"):
            assert ET.fromstring(content).tag.endswith("svg")
        else:
            assert content.startswith(
                {".dot": b"digraph", ".png": b"\x89PNG", ".html": b"<!DOCTYPE html>"}[Path(name).suffix]
            )


def test_all_four_answers_are_right_and_printed(first):
    rows = re.findall(r"^ +([01]) +([01]) +([01]) +([01]\.\d{4})$", first[0], re.MULTILINE)
    assert [(x0, x1) for x0, x1, _, _ in rows] == [("0", "0"), ("0", "1"), ("1", "0"), ("1", "1")]
    for x0, x1, wanted, answer in rows:
        assert int(wanted) == (x0 != x1)
        assert abs(float(answer) - int(wanted)) <= 0.1


@pytest.mark.long
@pytest.mark.parametrize("seed", [0, 1])
def test_the_lecture_learns_the_digits_and_the_better_network_reaches_97_percent(seed, capsys):
    curves = learn_both(seed, None)
    printed = capsys.readouterr().out
    lines = re.findall(r"^Epoch (\d+): (\d+) / 360$", printed, re.MULTILINE)
    assert [int(epoch) for epoch, _ in lines] == [*range(15), *range(30)]
    assert int(lines[14][1]) >= 0.93 * 360
    assert int(lines[-1][1]) >= 0.97 * 360
    assert f"held-out accuracy: {100 * int(lines[-1][1]) / 360:.1f} %" in printed
    for losses, _ in curves.values():
        assert losses[-1] < losses[0] / 2


def test_a_start_that_leads_nowhere_is_said_and_mended(capsys):
    _, losses = learn_xor(35)
    printed = capsys.readouterr().out
    assert printed.count("stuck") == 1
    assert "4 / 4" in printed
    assert losses[-1] < 0.02


# ---------------------------------------------------------------------------------------- the drawings
@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.tuples(st.floats(-2, 2), st.floats(-2, 2)), st.sampled_from([0.0, 1.0]))
def test_neuron_by_neuron_the_gradients_are_those_of_the_network(seed, inputs, target):
    torch.manual_seed(seed)
    network = MLP([2, 3, 1], output=nn.Sigmoid)
    whole = nn.MSELoss()(network(torch.tensor([inputs])), torch.tensor([[target]]))
    whole.backward()
    cost, named = neurons(network, inputs, target)
    cost.backward()
    assert cost.item() == pytest.approx(whole.item(), abs=1e-6)
    hidden, last = network[0], network[2]
    for i in range(3):
        assert named[f"b{i}"].grad.item() == pytest.approx(hidden.bias.grad[i].item(), abs=1e-6)
        assert named[f"v{i}"].grad.item() == pytest.approx(last.weight.grad[0, i].item(), abs=1e-6)
        for j in range(2):
            assert named[f"w{i}{j}"].grad.item() == pytest.approx(hidden.weight.grad[i, j].item(), abs=1e-6)
    assert named["c"].grad.item() == pytest.approx(last.bias.grad[0].item(), abs=1e-6)


def test_every_edge_on_which_a_gradient_flows_bears_its_local_derivative():
    torch.manual_seed(0)
    drawings, _ = xor_drawings(MLP([2, 3, 1], output=nn.Sigmoid))
    for name, drawing in drawings.items():
        flowing = [edge for edge in drawing.snapshot.edges if edge.flows]
        assert flowing
        assert all(edge.symbol for edge in flowing)
        assert name != "xor_neurons" or all(edge.number is not None for edge in flowing)
        assert all(vertex.value is not None for vertex in drawing.snapshot.vertices)
        assert all(vertex.grad is not None for vertex in drawing.snapshot.vertices if vertex.requires_grad)
    assert sum(vertex.kind == "param" for vertex in drawings["xor_neurons"].snapshot.vertices) == 13


# ---------------------------------------------------------------------------------------- what may go wrong
def test_without_engine_and_matplotlib_one_line_each_says_what_mends_it(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(convert, "CONVERTERS", ())
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main(["demo", "--epochs", "1", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted([*DRAWN, "xor_player.html"])
    lines = [line for line in printed.splitlines() if line.startswith("  not written: ")]
    for line, (name, extra) in zip(
        lines, [*((f"{name}.png", "images") for name in NAMES), ("loss_digits", "plots")], strict=True
    ):
        assert name in line and f'pip install "tinygrad_pt[{extra}]"' in line


def test_a_folder_that_cannot_be_is_refused_before_the_training(tmp_path, capsys):
    (tmp_path / "file").touch()
    assert main(["demo", "--out", str(tmp_path / "file" / "sub")]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("tinygrad_pt: cannot write into ") and printed.err.count("\n") == 1
    assert str(tmp_path / "file" / "sub") in printed.err


def test_a_disk_that_fails_leaves_no_half_files(tmp_path, capsys, monkeypatch):
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    assert main(["demo", "--epochs", "1", "--out", str(tmp_path)]) == 1
    assert "No space left on device" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "args",
    [[], ["dance"], ["demo", "--seed", "x"], ["demo", "--seed", "-1"], ["demo", "--seed", str(2**64)],
     ["demo", "--epochs", "0"], ["doctor", "--seed", "1"]],
)  # fmt: skip
def test_what_it_does_not_understand_ends_with_code_2(args, capsys):
    with pytest.raises(SystemExit) as end:
        main(args)
    assert end.value.code == 2
    assert "usage: python -m tinygrad_pt" in capsys.readouterr().err


@pytest.mark.parametrize("path", [os.environ.get("PATH", ""), ""])
def test_the_doctor_says_what_works(path, tmp_path):
    done = run(tmp_path, "doctor", PATH=path)
    assert (done.returncode, done.stderr) == (0, "")
    assert all(suffix in done.stdout for suffix in (".dot", ".svg", ".png", ".pdf"))


@pytest.mark.parametrize(
    "args, unused", [(["doctor"], ["demo", "linting"]), (["lint", "--explain", "TG101"], ["demo", "viz"])]
)
def test_a_command_imports_no_other_commands_code(args, unused):
    code = f"import sys; from tinygrad_pt.__main__ import main; main({args}); print(*sys.modules, sep='\\n')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {f"tinygrad_pt.{room}" for room in unused} & set(done.stdout.splitlines())


# ---------------------------------------------------------------------------------------- the progress bar
class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("with_tqdm", [True, False])
def test_the_bar_is_for_terminals_and_changes_no_batch(with_tqdm, monkeypatch):
    if not with_tqdm:
        monkeypatch.setitem(sys.modules, "tqdm", None)
    seen = []
    for stream in (io.StringIO(), Terminal()):
        monkeypatch.setattr(sys, "stderr", stream)
        assert list(progress(range(5), 5, "Epoch 3")) == list(range(5))
        seen.append(stream.getvalue())
    assert seen[0] == "" and "Epoch 3" in seen[1]
