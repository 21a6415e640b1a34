"""PyTorch's public names, and the pages that say which of them are here, and which of NumPy's functions are covered.

Run `python -m tests.names_page`; with `--write` it writes docs/names.md and docs/numpy.md from the code, and, where
PyTorch is installed, tinygrad_pt/pytorch.txt: PyTorch's public names, namespace by namespace.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import textwrap
import warnings
from operator import attrgetter
from pathlib import Path
from types import ModuleType
from typing import Any

from tinygrad_pt.compat.instead import reason
from tinygrad_pt.compat.numpy_protocol import covered
from tinygrad_pt.compat.vocabulary import CLASSES, here, vocabulary

ROOT = Path(__file__).resolve().parents[1]
RECORD = ROOT / "tinygrad_pt" / "pytorch.txt"
PAGE = ROOT / "docs" / "names.md"
NUMPY_PAGE = ROOT / "docs" / "numpy.md"
SPACES = (
    "Tensor", "", "nn", "nn.Module", "nn.functional", "nn.init", "nn.utils", "nn.utils.rnn", "nn.utils.parametrize",
    "nn.utils.parametrizations", "nn.utils.prune", "nn.parallel", "nn.attention", "optim", "optim.lr_scheduler",
    "optim.swa_utils", "autograd", "autograd.functional", "autograd.forward_ad", "autograd.graph", "linalg", "special",
    "fft", "random", "distributions", "utils", "utils.data", "utils.checkpoint", "sparse", "cuda", "cuda.amp", "amp",
    "accelerator", "backends", "mps", "xpu", "jit", "compiler", "overrides", "func", "testing", "types", "profiler",
    "hub", "onnx",
)  # fmt: skip


LISTLESS = ("", "nn", "optim", "backends")  # their `__all__` is wanting, or has names that are not for users
CONSTANTS = ("dtype", "layout", "memory_format", "qscheme", "tensortype", "float")
OWN = {"Size", "Tensor", "Generator", "device", "dtype", "finfo", "iinfo", "layout", "memory_format", "no_grad"}


def public(space: str, package: Any) -> list[str]:
    """The public names of one of PyTorch's namespaces."""
    found = attrgetter(space)(package) if space in CLASSES else None
    room = found or importlib.import_module(f"torch.{space}".rstrip("."))
    listed = set() if space in LISTLESS else set(getattr(room, "__all__", ()))
    names = [name for name in dir(room) if not name.startswith("_")]
    return [name for name in names if space in CLASSES or (name in listed if listed else meant(room, space, name))]


def meant(room: Any, space: str, name: str) -> bool:
    """Whether PyTorch means the name to be used from this namespace, which has no list of them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        value = getattr(room, name)
    home = getattr(value, "__module__", None) or ""
    if isinstance(value, ModuleType):
        return space == "backends" and value.__name__ == f"torch.backends.{name}"
    if space == "" and isinstance(value, type):
        old = home == "torch" and name.endswith(("Tensor", "Storage"))
        return old or name in OWN or home == "torch.autograd.grad_mode"
    if type(value).__name__ in CONSTANTS:
        return True
    return callable(value) and (home.startswith("torch") or inspect.isbuiltin(value))


def record() -> str:
    """The text of tinygrad_pt/pytorch.txt."""
    import torch

    parts = [(space, public(space, torch)) for space in SPACES]
    return "\n\n".join(
        textwrap.fill(" ".join([f"{space}:", *names]), 120, break_long_words=False, break_on_hyphens=False)
        for space, names in parts
    ) + "\n"  # fmt: skip


HEAD = """# What is here of PyTorch's names

Of PyTorch 2.13's {theirs} public names in the namespaces below, {ours} are here. A name that is not here says so:

```python
>>> import tinygrad_pt as torch
>>> torch.stft
Traceback (most recent call last):
    ...
AttributeError: torch.stft is not in this package
  list: docs/names.md lists what is here; so does dir(torch)
  mend: Fourier transforms are not provided: numpy.fft computes them, without gradients

```

`python -m tinygrad_pt doctor script.py` lists the names that a script uses and that are not here, without running it.
This page is made by `python -m tests.names_page --write`.

{harmless}
"""
HARMLESS = """## Answers that change nothing

* **Other machines.** `torch.cuda`, `torch.mps`, `torch.xpu` and `torch.accelerator` say that they are not available.
  What asks for a GPU (`x.cuda()`, `torch.ones(2, device="cuda")`) is refused with PyTorch's text;
  `torch.device("cuda")` is a name, and may be made.
* **Settings.** Those of `torch.backends`, `use_deterministic_algorithms`, `set_float32_matmul_precision`,
  `set_num_threads` can be set and read, and change nothing. The same program gives the same bits anyway.
* **Compilers.** `torch.compile`, `torch.jit.script` and `torch.jit.trace` give back what they are given.
* **Mixed precision.** A block of `autocast` computes in the dtype that numbers have; `GradScaler` scales by 1.
* **Sparse tensors.** `torch.sparse_coo_tensor`, `to_sparse`, `coalesce`, `torch.sparse.mm` and `spmm` give and take
  **dense** tensors: values and gradients are right, and no memory is saved. `x.layout` stays `torch.strided`.
* **Profilers.** Blocks of `torch.profiler` run and measure nothing."""


def page() -> str:
    """The text of docs/names.md."""
    known = vocabulary()
    body, theirs, ours = [], 0, 0
    for space, names in known.items():
        provided = [name for name in names if here(space, name)]
        refused: dict[str, list[str]] = {}
        for name in names:
            if name not in provided:
                refused.setdefault(reason(space, name) or "", []).append(name)
        theirs, ours = theirs + len(names), ours + len(provided)
        title = ".".join(filter(None, ("torch", space)))
        body.append(f"## {title}\n\n{len(provided)} of {len(names)} are here.")
        if provided:
            body.append(wrapped(provided))
        for why, lacking in sorted(refused.items()):
            body.append(f"**Not here**{', since ' + why.rstrip('.') if why else ''}: " + wrapped(lacking))
    head = HEAD.format(theirs=f"{theirs:,}", ours=f"{ours:,}", harmless=HARMLESS)
    return "\n\n".join([head.rstrip(), *body]) + "\n"


NUMPY_HEAD = """# NumPy's functions on tensors

NumPy's own functions answer with tensors where tensors are among their arguments, and keep the gradient:

```python
>>> import numpy as np
>>> import tinygrad_pt as torch
>>> x = torch.tensor([1.0, 2.0], requires_grad=True)
>>> np.concatenate([np.sin(x), np.ones(1)]).requires_grad
True
>>> np.mean(x * x).backward(); x.grad
tensor([1., 2.])

```

Arguments are NumPy's; values are those of the function of PyTorch's that computes the same, and so are dtypes and
errors: `np.sin` of integers is float32. A function that is not covered is refused by name, and no graph is lost unseen:

```python
>>> np.fft.fft(x)
Traceback (most recent call last):
    ...
TypeError: np.fft.fft is not covered for tensors
  mend: np.fft.fft(x.detach().numpy()) computes it without gradients; docs/numpy.md lists what is covered

```

`array * tensor` and `tensor * array` are the tensor's operators. `np.asarray(tensor)` gives the array that shares its
memory, if it does not require grad. What writes into an array (`array += tensor`, `out=array`) takes a tensor that does
not require grad. When matplotlib, pandas, SciPy or NumPy itself call a function of NumPy's, they get arrays, for which
they are written. This page is made by `python -m tests.names_page --write`."""


def numpy_page() -> str:
    """The text of docs/numpy.md."""
    told = covered()
    parts = [
        ("ufuncs", "Elementwise (ufuncs)"),
        ("methods", "Methods of ufuncs, and `outer` of each that takes two arguments"),
        ("functions", "Functions that answer with tensors"),
        ("arrays", "Functions that answer with arrays, numbers or text"),
    ]  # fmt: skip
    return "\n\n".join([NUMPY_HEAD, *(f"## {title}\n\n{wrapped(told[part])}" for part, title in parts)]) + "\n"


def wrapped(names: list[str]) -> str:
    return textwrap.fill(", ".join(f"`{name}`" for name in names), 120, break_long_words=False, break_on_hyphens=False)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser("python -m tests.names_page", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write docs/names.md and tinygrad_pt/pytorch.txt")
    if not parser.parse_args().write:
        print(page())
        return
    if importlib.util.find_spec("torch"):
        RECORD.write_text(record(), encoding="utf-8")
        vocabulary.cache_clear()
    PAGE.write_text(page(), encoding="utf-8")
    NUMPY_PAGE.write_text(numpy_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
