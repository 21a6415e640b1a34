"""The first loss of every program of tests/programs is derived, and its NumPy program has the engine's gradients."""

from __future__ import annotations

import ast
import contextlib
import io
import sys
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import tinygrad_pt as torch
from tests.programs.test_programs import PROGRAMS, Instead
from tests.viz.test_numpy_source import run, same_bits
from tinygrad_pt import viz
from tinygrad_pt.debugging.keeping import keep

OWN = {"custom_function"}  # a Function of the user's own has no NumPy text
NONE = {"hopfield"}  # it walks back through nothing
QUICK = {"lenet", "lstm_lm", "gpt", "mlp_classifier", "linear_regression", "cnn_batchnorm"}


class Stop(Exception):
    """The program has come to its first loss."""


def first_loss(path: Path, at: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a program until it calls `backward`; `at` gets the loss, and a function that walks back."""
    backward = torch.Tensor.backward

    def caught(loss: Any, *args: Any, **words: Any) -> None:
        at(loss, lambda: backward(loss, *args, **words))
        raise Stop

    monkeypatch.setattr(torch.Tensor, "backward", caught)
    tree = ast.fix_missing_locations(Instead().visit(ast.parse(path.read_text(encoding="utf-8"), str(path))))
    module = ModuleType("program")
    monkeypatch.setitem(sys.modules, "program", module)  # where dataclasses look for the module of a class
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(Stop), keep():
        warnings.simplefilter("ignore")
        exec(compile(tree, str(path), "exec"), vars(module))


@pytest.mark.parametrize(
    "path", [pytest.param(p, marks=() if p.stem in QUICK else pytest.mark.long, id=p.stem) for p in PROGRAMS]
)
def test_a_program_is_derived(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen = []

    def at(loss: Any, walk: Any) -> None:
        seen.append(loss)
        if loss.numel() != 1:
            return
        found = viz.derive(loss, names={})
        assert found.text and found.latex and found.mathml
        if path.stem in OWN:
            with pytest.raises(NotImplementedError, match="Function of your own"):
                found.python  # noqa: B018
            return
        program = found.program()
        values = tmp_path / "values.npz"
        np.savez(values, **program.arrays)
        space = run(program.text.replace("'values.npz'", repr(str(values))))
        walk()
        for leaf in program.wanted:
            grad = None if leaf.handle() is None else leaf.handle().grad
            assert grad is None or same_bits(space[program.grad[leaf]], grad.numpy()), program.name[leaf]

    first_loss(path, at, monkeypatch)
    assert seen or path.stem in NONE
