"""A name of PyTorch's that is not here says so, in every namespace; Python guesses no other name."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import tinygrad_pt as torch
from tinygrad_pt import names
from tinygrad_pt.compat.instead import INSTEAD, instead

ROOT = Path(__file__).parents[1]
SPACES = (
    "", "nn", "nn.functional", "nn.init", "nn.utils", "optim", "utils", "utils.data", "autograd", "random", "cuda",
    "cuda.amp", "backends", "jit", "sparse", "nn.modules", "nn.modules.conv", "nn.parallel", "accelerator", "overrides",
    "autograd.functional", "nn.utils.rnn", "nn.utils.parametrize", "nn.utils.parametrizations", "linalg", "testing",
    *(space for space in ("special", "optim.lr_scheduler", "distributions") if names.module_at(space)),
)  # fmt: skip


def run(code: str) -> str:
    """The last lines of what a program says that ends in an error."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 1
    return done.stderr


@pytest.mark.parametrize("space", SPACES)
def test_a_name_that_is_not_here_says_so_in_every_namespace(space: str) -> None:
    room = importlib.import_module("tinygrad_pt" + (space and f".{space}"))
    path = ".".join(filter(None, ("torch", space, "sigmoyd")))
    with pytest.raises(AttributeError, match=rf"^{path} is not in this package\n  list: docs/names.md") as caught:
        room.sigmoyd  # noqa: B018
    assert caught.value.name is None and caught.value.obj is None
    assert not hasattr(room, "sigmoyd") and getattr(room, "sigmoyd", 3) == 3
    with pytest.raises(ImportError, match=rf"^{path} is not in this package\n  list: docs/names.md"):
        exec(f"from {room.__name__} import sigmoyd")


def test_python_adds_no_guess() -> None:
    said = run("import tinygrad_pt as torch; torch.rave")
    assert said.endswith("AttributeError: torch.rave is not in this package\n"
                         "  list: docs/names.md lists what is here; so does dir(torch)\n")  # fmt: skip
    said = run("import tinygrad_pt as torch; torch.ones(1).istft")
    assert "AttributeError: torch.Tensor.istft is not in this package\n" in said and "Did you mean" not in said
    said = run("from tinygrad_pt.nn import Liner")
    assert "ImportError: torch.nn.Liner is not in this package\n" in said and "Did you mean" not in said
    said = run("import tinygrad_pt.fft")
    assert "ModuleNotFoundError: torch.fft is not in this package\n" in said and "numpy.fft" in said


@pytest.mark.parametrize(
    "name, mend",
    [
        ("Linear", "use torch.nn.Linear"), ("one_hot", "use torch.nn.functional.one_hot"), ("SGD", "torch.optim.SGD"),
        ("nn.ReLu", "use torch.nn.ReLU"), ("nn.relu", "use torch.nn.ReLU"), ("nn.functional.ReLU", "torch.nn.func"),
        ("bfloat16", "NumPy has no such type"), ("qint8", "quantised"),
        ("multiprocessing", "use Python's multiprocessing"),
        ("Tensor.bfloat16", "x.float()"), ("fft", "numpy.fft"), ("onnx", "not exported"), ("jit.save", "state_dict"),
        ("cuda.nccl", "no GPU"), ("view_as_complex", "complex"), ("_foo", "inside"), ("absent", ""),
    ],
)  # fmt: skip
def test_what_to_use_instead(name: str, mend: str) -> None:
    space, _, name = name.rpartition(".")
    assert mend in instead(space, name) if mend else instead(space, name) == ""


def test_what_is_recommended_exists() -> None:
    """A recommendation whose names are not here yet is not given."""
    for path in INSTEAD:
        space, _, name = path.rpartition(".")
        told = instead(space, name)
        assert told.startswith("use ") or "torch." not in told


def test_methods_that_are_not_here() -> None:
    x = torch.ones(2)
    assert not hasattr(x, "istft") and getattr(x, "istft", 4) == 4 and not hasattr(torch.Tensor, "istft")
    assert "istft" not in dir(x) and "sum" in dir(x)
    x.istft = 5  # an attribute of the user's own
    assert x.istft == 5
    with pytest.raises(AttributeError, match="^'Tensor' object has no attribute 'summ'$"):
        x.summ  # noqa: B018


def test_methods_of_modules_that_are_not_here() -> None:
    model = torch.nn.Linear(1, 1)
    with pytest.raises(
        AttributeError, match="^torch.nn.Module.bfloat16 is not in this package\n  list: .*\n  mend: NumPy"
    ):
        model.bfloat16  # noqa: B018
    assert not hasattr(model, "bfloat16") and "bfloat16" not in dir(model) and "half" in dir(model)
    model.bfloat16 = 3  # an attribute of the user's own
    assert model.bfloat16 == 3


def test_a_typo_on_a_module_keeps_the_text_of_pytorch() -> None:
    with pytest.raises(AttributeError, match="^'Linear' object has no attribute 'wieght'"):
        torch.nn.Linear(1, 1).wieght  # noqa: B018


def test_dunder_names_are_python_s_own() -> None:
    for room in (torch, torch.nn, torch.cuda):
        with pytest.raises(AttributeError, match="has no attribute '__wrapped__'"):
            room.__wrapped__  # noqa: B018


# ------------------------------------------------------------------------------------------ module paths
@pytest.mark.parametrize("path", names.PATHS)
def test_every_module_path_can_be_imported_and_named(path: str) -> None:
    module = importlib.import_module(f"tinygrad_pt.{path}")
    found = torch
    for part in path.split("."):
        found = getattr(found, part)
    assert found is module
    for name in dir(module):
        if not name.startswith("_"):
            assert hasattr(module, name), name


def test_forms_of_import() -> None:
    code = (
        "import tinygrad_pt.nn.modules.activation, tinygrad_pt.backends.cudnn as cudnn\n"
        "from tinygrad_pt.nn.modules.linear import Linear, NonDynamicallyQuantizableLinear, _LinearWithBias\n"
        "from tinygrad_pt.nn.modules import Module, loss\n"
        "from tinygrad_pt.nn.modules.utils import _pair\n"
        "from tinygrad_pt.cuda.amp import GradScaler, autocast\n"
        "from tinygrad_pt.nn.parallel import DistributedDataParallel as DDP, data_parallel\n"
        "from tinygrad_pt.autograd.variable import Variable\n"
        "from tinygrad_pt._jit_internal import Optional, List\n"
        "from tinygrad_pt.types import Device\n"
        "from tinygrad_pt.sparse import mm\n"
        "from tinygrad_pt import Tensor, nn, cuda, backends\n"
        "import tinygrad_pt as torch\n"
        "cudnn.benchmark = True\n"
        "assert torch.backends.cudnn.benchmark and torch.nn.modules.linear.Linear is nn.Linear is Linear\n"
        "assert torch.nn.modules.activation.ReLU is nn.ReLU and _pair(2) == (2, 2) and loss.MSELoss is nn.MSELoss\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_compat_is_loaded_when_it_is_asked_for() -> None:
    code = "import sys, tinygrad_pt; print([m for m in sys.modules if m.startswith('tinygrad_pt.compat')])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == "[]\n"


def test_every_file_of_compat_lists_its_names() -> None:
    for file in pkgutil.iter_modules(importlib.import_module("tinygrad_pt.compat").__path__):
        module = importlib.import_module(f"tinygrad_pt.compat.{file.name}")
        for name in getattr(module, "__all__", ()):
            assert hasattr(module, name), f"{file.name}: {name}"
