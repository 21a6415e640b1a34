"""What mypy and an editor say about ordinary programs: a Tensor is a Tensor, and its members are listed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PRELUDE = """
import numpy as np
import tinygrad_pt as torch
from tinygrad_pt import nn, optim
from tinygrad_pt.autograd import functional
from tinygrad_pt.datasets import XOR
from tinygrad_pt.models import MLP
from tinygrad_pt.nn import functional as F
from tinygrad_pt.tensor import Tensor
from tinygrad_pt.utils.data import DataLoader, TensorDataset

x: Tensor = torch.Tensor([1.0, 2.0])
y = x * 2
layer = nn.Linear(2, 3)
model = nn.Sequential(layer, nn.ReLU())
sgd = optim.SGD(model.parameters(), lr=0.1)
loader = DataLoader(TensorDataset(x, y), batch_size=2)
written = x.detach()
written += 1

def cubes(x: Tensor) -> Tensor:
    return x**3

def total(x: Tensor) -> Tensor:
    return (x**3).sum()

def both(x: Tensor) -> tuple[Tensor, Tensor]:
    return x, x**2

class Pair(nn.Module):
    def forward(self, x: Tensor, times: int = 2) -> tuple[Tensor, int]:
        return x, times

def hook(module: nn.Linear, args: tuple[Tensor], output: Tensor) -> None: ...

def square(x: Tensor) -> Tensor:
    return (x * x).sum()
"""
TENSORS = [
    # operators
    "x + 1", "2 * x", "1.5 - x", "x - y", "x / 2", "2 // x", "x % 2", "x ** 2", "2 ** x", "x @ y", "-x", "abs(x)",
    "x == y", "x != 1", "x < y", "x >= 0", "~(x > 0)", "(x > 0) & (y > 0)", "written", "x[0]", "x[0:1]", "x[None]",
    # methods
    "x.add_(1)", "x.mul_(2)", "x.exp_()", "x.zero_()", "x.fill_(1)", "x.copy_(y)", "x.normal_()",
    "x.float()", "x.to(torch.float64)", "x.long()", "x.cpu()", "x.type_as(y)", "x.type(torch.int64)", "x.new_zeros(2)",
    "x.T", "x.mT", "x.detach()", "x.detach_()", "x.data", "x.requires_grad_()", "x.contiguous()", "x.where(x > 0, y)",
    "[row for row in x][0]", "next(iter(x))", "x.sum()", "x.mean()", "x.max()", "x.max(0).values", "x.max(0).indices",
    "x.min(0)[0]", "x.sort()[0]", "x.topk(1).values", "x.argmax()", "x.std()", "x.norm()", "x.cumsum(0)", "x.exp()",
    "x.sigmoid()", "x.relu()", "x.clamp(0, 1)", "x.pow(2)", "x.softmax(0)", "x.logsumexp(0)", "x.round()", "x.clone()",
    "x.reshape(2)", "x.view(2)", "x.t()", "x.unsqueeze(0)", "x.squeeze()", "x.flatten()", "x.expand(2, 2)",
    "x.swapaxes(0, 0)", "x.split(1)[0]", "x.chunk(2)[0]", "x.unbind()[0]", "x.matmul(y)", "x.dot(y)", "x.gather(0, y)",
    "x.scatter(0, y, x)", "x.masked_fill(x > 0, 0)", "x.add(1)", "x.eq(y)", "x.erf()",
    # functions
    "torch.zeros(2)", "torch.tensor([1.0])", "torch.Tensor([1.0])", "torch.stack([x])", "torch.cat([x, y])",
    "torch.exp(x)", "torch.exp_(x)", "torch.add(x, 1)", "torch.where(x > 0, x, y)", "torch.arange(3)", "torch.randn(2)",
    "torch.zeros_like(x)", "torch.from_numpy(np.ones(2))", "torch.sum(x)", "torch.max(x)", "torch.max(x, 0).values",
    "torch.softmax(x, 0)", "torch.einsum('i,i', x, y)", "torch.detach(x)", "torch.zero_(x)", "F.relu(x)",
    "F.one_hot(x)", "torch.index_put_(x, (y,), y)",
    # derivatives
    "functional.jacobian(cubes, x)", "functional.hessian(total, x)", "functional.hessian(lambda x: (x**3).sum(), x)",
    "functional.jvp(cubes, x, x)[1]", "functional.vjp(cubes, x, x)[0]", "functional.vhp(total, x, x)[1]",
    "functional.hvp(total, x, x)[1]", "torch.autograd.grad(total(x), x)[0]",
    "torch.autograd.grad(square(x), [x])[0]",
    # modules and their functions
    "layer(x)", "model(x)", "MLP([2, 1])(x)", "nn.Dropout(0.1)(x)", "nn.Identity()(x)", "nn.Flatten()(x)",
    "nn.Bilinear(1, 1, 1)(x, x)", "nn.ReLU()(x)", "nn.MSELoss()(x, y)", "nn.Parameter(x) + 1", "layer.weight * 2",
    "model.state_dict()['0.bias']", "F.mse_loss(x, y)", "F.cross_entropy(x, y)", "F.linear(x, layer.weight)",
    "F.softmax(x, 0)", "F.pad(x, (1, 1))", "nn.utils.clip_grad_norm_(model.parameters(), 1.0)",
    "nn.utils.parameters_to_vector(model.parameters())", "nn.init.zeros_(layer.weight)",
    # data
    "next(iter(loader))[0]", "[b for a, b in loader][0]", "next(iter(DataLoader([1.0])))", "TensorDataset(x, y)[0][1]",
    "XOR().tensors[0]", "XOR()[0][1]",
]  # fmt: skip
OTHERS = {
    "x.grad": "Tensor | None", "x.size()": "Size", "x.size(0)": "int", "x.shape": "Size", "x.stride(0)": "int",
    "x.stride()": "tuple[int, ...]", "x.item()": "int | float", "x.numpy()": "ndarray", "x.dtype": "dtype",
    "x.device": "device", "x.type()": "str", "x.ndim": "int", "x.requires_grad": "bool", "x.is_leaf": "bool",
    "x.grad_fn": "Node | None", "x.retains_grad": "bool", "x.register_hook(abs)": "Removable", "x.numel()": "int",
    "x.is_floating_point()": "bool", "x.allclose(y)": "bool", "len(x)": "int", "float(x)": "float", "bool(x)": "bool",
    "x.max(0)": "tuple[Tensor, Tensor", "torch.is_tensor(x)": "bool", "torch.float32": "dtype", "x.why_nan()": "Why",
    "optim.SGD(model.parameters(), lr=0.1)": "SGD", "torch.Size([1])": "Size", "torch.no_grad()": "no_grad",
    "functional.jacobian(both, (x,))": "tuple[tuple[Tensor, ...], ...]",
    "functional.jacobian(cubes, (x,))": "tuple[Tensor, ...]", "functional.vjp(cubes, (x,))[1]": "tuple[Tensor, ...]",
    "functional.jvp(both, x, x)[1]": "tuple[Tensor, ...]",
    "x.split(1)": "tuple[Tensor, ...]", "Pair()(x, times=3)": "tuple[Tensor, int]", "nn.Parameter(x)": "Parameter",
    "layer.weight": "Parameter", "layer.bias": "Parameter", "layer.get_parameter('weight')": "Parameter",
    "model.parameters()": "Iterator[Parameter]", "model.named_parameters()": "Iterator[tuple[str, Parameter]]",
    "model.buffers()": "Iterator[Tensor]", "model.modules()": "Iterator[Module]", "model[0]": "Module",
    "model.state_dict()": "OrderedDict[str, Tensor]", "model.load_state_dict({}).missing_keys": "list[str]",
    "model[:1]": "Sequential", "model.append(layer)": "Sequential", "next(iter(model))": "Module",
    "nn.ModuleList([layer]) + [layer]": "ModuleList", "nn.ModuleDict({'a': layer})['a']": "Module",
    "nn.ParameterDict({'a': x}) | {'b': x}": "ParameterDict", "layer.train()": "Linear", "layer.eval()": "Linear",
    "layer.to(torch.float64)": "Linear", "layer.double()": "Linear", "layer.apply(print)": "Linear",
    "layer.requires_grad_(False)": "Linear", "layer.register_forward_hook(hook)": "Removable",
    "layer.register_forward_pre_hook(lambda module, args: None)": "Removable", "sgd.step(lambda: 1.0)": "float",
    "next(iter(loader))": "list[Tensor]", "TensorDataset(x, y)[0]": "tuple[Tensor, ...]",
    "XOR().tensors": "tuple[Tensor, Tensor]",
}  # fmt: skip

REFUSED = {
    "torch.erff(x)": 'Module has no attribute "erff"', "layer(x, x)": "Too many arguments",
    "layer('x')": "incompatible type", "Pair()(x, times='x')": "incompatible type",
    "nn.Linear('2', 3)": "incompatible type", "layer.apply(3)": "incompatible type",
    "optim.SGD(3)": "incompatible type",
}  # fmt: skip


def told(expressions: list[str], folder: Path) -> dict[str, str]:
    """What mypy says of each expression, after the prelude: its type, or an error. One run, nothing cached before."""
    program = folder / "program.py"
    program.write_text(PRELUDE + "".join(f"reveal_type({e})\n" for e in expressions), encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--follow-imports=silent", "--no-error-summary", str(program)]
    options = ["--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(folder / "cache")]
    run = subprocess.run(command + options, capture_output=True, text=True, cwd=ROOT)
    assert not run.stderr, run.stderr
    found = dict.fromkeys(expressions, "")
    for line in run.stdout.splitlines():
        number, text = re.match(r".*program\.py:(\d+): (.*)$", line).groups()  # type: ignore[union-attr]
        place = int(number) - PRELUDE.count("\n") - 1
        assert place >= 0, line
        found[expressions[place]] += re.sub(r"\b(\w+\.)+", "", text.removeprefix("note: Revealed type is "))
    return found


@pytest.mark.long
def test_mypy_knows_the_types_of_ordinary_expressions(tmp_path: Path) -> None:
    found = told([*TENSORS, *OTHERS, *REFUSED], tmp_path)
    assert not {e: found[e] for e, error in REFUSED.items() if error not in found[e]}
    wrong = {e: found[e] for e in TENSORS if found[e] != '"Tensor"'}
    wrong |= {e: found[e] for e, kind in OTHERS.items() if not found[e].startswith(f'"{kind}')}
    assert not wrong


# Each of these ends where an editor would be asked. Jedi itself reads `2 * x` as an int and `-x` as nothing: it
# asks the left side first, whatever is on the right, and knows the minus of numbers alone.
COMPLETED = [
    "torch.tensor(1.).", "torch.tensor([1.]).", "(x + 1).", "x.sum().", "x.grad.", "x[0].", "(x * 2).", "(x - 2).",
    "x.add_(1).", "x.max(0).values.", "x.T.", "x.float().", "(x @ x).", "x.detach().", "x.exp().", "torch.zeros(2).",
    "torch.exp(x).", "x.view(2).", "layer(x).", "model(x).", "Pair()(x)[0].", "layer.weight.", "nn.MSELoss()(x, y).",
    "list(model.parameters())[0].", "model.state_dict()['0.weight'].", "F.mse_loss(x, y).", "XOR().inputs.",
    "TensorDataset(x, y)[0][0].", "[b for a, b in loader][0].", "next(iter(loader))[1].",
]  # fmt: skip
MEMBERS = {
    "torch.": {"nn", "optim", "zeros", "Tensor", "float32", "exp_"}, "torch.nn.": {"Linear"},
    "layer.": {"in_features", "weight", "state_dict"}, "layer.train().": {"state_dict"}, "model[0].": {"state_dict"},
} | dict.fromkeys(COMPLETED, {"backward", "grad", "sum", "reshape", "item", "exp_", "shape", "to"})  # fmt: skip


@pytest.mark.parametrize("expression", MEMBERS)
def test_an_editor_lists_the_members(editor: Any, expression: str) -> None:
    script = editor.Script(PRELUDE + expression, path=ROOT / "program.py", project=editor.Project(ROOT))
    names = {c.name for c in script.complete(PRELUDE.count("\n") + 1, len(expression))}
    assert names >= MEMBERS[expression]
