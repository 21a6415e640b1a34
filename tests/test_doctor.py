"""`python -m tinygrad_pt doctor script.py`: the names a script uses that are not here, read without running it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinygrad_pt.__main__ import main
from tinygrad_pt.compat.script import Missing, read, report

SCRIPT = """
import torch as t, numpy as np
import torch.multiprocessing as dist
import torch.nn.functional as F
import torch.nn
from torch import nn, stft as transform
from torch.nn import Linear, Lineer as L
from torch.utils.data import *
import os.path

class Net(nn.Module):
    def istft(self, x):
        return x

def f(x):
    y = t.sin(x) + F.relu(x) + nn.functional.rellu(x)
    z = torch.nn.Module, t.cuda.is_available(), t.cuda.nccl.version(), t.float32.itemsize
    x.stft(3)
    Net().istft(x)
    raise SystemError("it ran")

nn.modules.activation.Softmoid
t.Tensor.retain_grad, t.Tensor.refine_names
np.stft, os.path.stft
"""


def test_every_form_of_use_is_followed() -> None:
    assert read(SCRIPT) == [
        Missing("multiprocessing", (3,)),
        Missing("stft", (6,)),
        Missing("nn.Lineer", (7,)),
        Missing("nn.functional.rellu", (16,)),
        Missing("cuda.nccl", (17,)),
        Missing("nn.modules.activation.Softmoid", (22,)),
        Missing("Tensor.refine_names", (23,)),
        Missing("Tensor.stft", (18, 24), perhaps=True),
    ]


@pytest.mark.parametrize(
    "source, found",
    [
        ("import torch\ntorch.nn.Linear(1, 1)", []),
        ("import numpy as torch_like\ntorch_like.stft", []),
        ("import tinygrad_pt as torch\ntorch.rave", [Missing("rave", (2,))]),
        ("import torch.fft", [Missing("fft", (1,))]),
        ("from torch.fft import fft\nfft(1)", [Missing("fft", (1,))]),
        ("from torch import *", []),
        ("def f():\n    return g(torch.rave)\nimport torch", [Missing("rave", (2,))]),
        ("import torch\nx.stft = 1\nx.stft", []),
        ("x.stft", []),
        ("import torch\ntorch.backends.cudnn.benchmark = True\ntorch.cuda.amp.autocast()", []),
    ],
)
def test_scripts(source: str, found: list[Missing]) -> None:
    assert read(source) == found


def test_what_the_command_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "a.py"
    script.write_text("import torch\ntorch.Linear\ntorch.rave(torch.ones(2).stft())\n")
    assert main(["doctor", str(script), "--lang", "en"]) == 1
    assert capsys.readouterr().out == (
        f"{script}:2: torch.Linear is not in this package\n    use torch.nn.Linear\n"
        f"{script}:3: torch.rave is not in this package\n"
        f"{script}:3: perhaps torch.Tensor.stft: if .stft is meant of a tensor, it is not in this package\n"
        "    Fourier transforms are not provided: numpy.fft computes them, without gradients\n"
        "Names that are not here: 2. Perhaps: 1.\ndocs/names.md lists what is here; so does dir(torch).\n"
    )
    assert main(["doctor", str(script), "--lang", "pt"]) == 1
    said = capsys.readouterr().out
    assert "torch.rave não está neste pacote" in said and "Nomes que não estão aqui: 2. Talvez: 1." in said


def test_exit_status(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "a.py"
    script.write_text("import torch\nprint(torch.ones(2).sum())\n")
    assert main(["doctor", str(script), "--lang", "en"]) == 0
    assert capsys.readouterr().out == "All of PyTorch's names that the script uses are here.\n"
    script.write_text("import torch\nx.stft\n")  # perhaps
    assert main(["doctor", str(script)]) == 0
    script.write_text("import torch\nif")
    assert main(["doctor", str(script)]) == 2
    assert "cannot read" in report(tmp_path / "absent.py", "en")[0] and report(tmp_path / "absent.py")[1] == 2
    script.write_bytes(b"# -*- coding: latin-1 -*-\nimport torch\n# \xe9\n")
    assert report(script, "pt") == ("Todos os nomes do PyTorch que o programa usa estão aqui.", 0)
