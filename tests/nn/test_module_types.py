"""What type checkers and editors say of modules: the call of a module has the type of its forward."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRELUDE = """
import tinygrad_pt as torch
from tinygrad_pt import nn
from tinygrad_pt.models import MLP

class Pair(nn.Module):
    def forward(self, x: torch.Tensor, times: int = 2) -> tuple[torch.Tensor, int]:
        return x, times

def hook(module: nn.Linear, args: tuple[torch.Tensor], output: torch.Tensor) -> None: ...

x = torch.Tensor([1.0, 2.0])
layer = nn.Linear(2, 3)
model = nn.Sequential(layer, nn.Tanh())
"""
TYPES = {
    "layer(x)": "Tensor", "model(x)": "Tensor", "MLP([2, 1])(x)": "Tensor", "nn.Dropout(0.1)(x)": "Tensor",
    "nn.Identity()(x)": "Tensor", "nn.Flatten()(x)": "Tensor", "nn.Bilinear(1, 1, 1)(x, x)": "Tensor",
    "Pair()(x, times=3)": "tuple[Tensor, int]", "model[0](x)": "Any", "nn.Parameter(x)": "Parameter",
    "layer.weight": "Parameter", "layer.bias": "Parameter",
    "model.parameters()": "Iterator[Parameter]", "model.named_parameters()": "Iterator[tuple[str, Parameter]]",
    "model.buffers()": "Iterator[Tensor]", "model.modules()": "Iterator[Module]",
    "layer.get_parameter('weight')": "Parameter",
    "model.state_dict()": "OrderedDict[str, Tensor]", "model.load_state_dict({}).missing_keys": "list[str]",
    "model[0]": "Module", "model[:1]": "Sequential", "model.append(layer)": "Sequential", "next(iter(model))": "Module",
    "nn.ModuleList([layer]) + [layer]": "ModuleList", "nn.ModuleDict({'a': layer})['a']": "Module",
    "nn.ParameterDict({'a': x}) | {'b': x}": "ParameterDict", "layer.train()": "Linear", "layer.eval()": "Linear",
    "layer.to(torch.float64)": "Linear", "layer.double()": "Linear", "layer.apply(print)": "Linear",
    "layer.requires_grad_(False)": "Linear", "layer.register_forward_hook(hook)": "Removable",
    "layer.register_forward_pre_hook(lambda module, args: None)": "Removable",
    "nn.utils.clip_grad_norm_(model.parameters(), 1.0)": "Tensor",
    "nn.utils.parameters_to_vector(model.parameters())": "Tensor",
}  # fmt: skip
REFUSED = ["layer(x, x)", "layer('x')", "Pair()(x, times='x')", "nn.Linear('2', 3)", "layer.apply(3)"]


def test_mypy(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    program = tmp_path / "program.py"
    program.write_text(PRELUDE + "".join(f"reveal_type({e})\n" for e in TYPES) + "\n".join(REFUSED), encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--no-error-summary", "--follow-imports=silent", str(program)]
    options = ["--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(tmp_path / "cache")]
    lines = subprocess.run(command + options, capture_output=True, text=True, cwd=ROOT).stdout.splitlines()
    found = [line.partition('Revealed type is "')[2].rstrip('"') for line in lines if "Revealed" in line]
    short = dict(zip(TYPES, [re.sub(r"\b(\w+\.)+", "", kind) for kind in found], strict=True))
    assert {e: short[e] for e, kind in TYPES.items() if short[e] != kind} == {}
    first = PRELUDE.count("\n") + len(TYPES) + 1
    refused = {int(line.split(":")[1]) for line in lines if ": error: " in line}
    assert refused == set(range(first, first + len(REFUSED))), lines


@pytest.mark.parametrize(
    "expression, member",
    [
        ("layer(x).", "backward"),
        ("model(x).", "backward"),
        ("Pair()(x)[0].", "backward"),
        ("layer.weight.", "grad"),
        ("layer.", "in_features"),
        ("layer.train().", "state_dict"),
        ("model[0].", "state_dict"),
        ("list(model.parameters())[0].", "grad"),
        ("model.state_dict()['0.weight'].", "backward"),
    ],
)
def test_an_editor_completes(expression: str, member: str) -> None:
    jedi = pytest.importorskip("jedi")
    source = PRELUDE + expression
    project = jedi.Project(ROOT, load_unsafe_extensions=False)
    script = jedi.Script(source, path=ROOT / "program.py", project=project)
    assert member in {c.name for c in script.complete(source.count("\n") + 1, len(expression))}
