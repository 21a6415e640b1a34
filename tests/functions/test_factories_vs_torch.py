"""What makes tensors takes exactly the words that PyTorch's takes: no combination is ignored, none is guessed at.

Every function is called with every combination of its arguments, the first ones by place and the others by name: where
PyTorch refuses a call, so do we, with an error of its type; where it answers, the shapes, the dtypes and what requires
gradients agree.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

import tinygrad_pt

torch = pytest.importorskip("torch")

TENSOR = object()  # stands for a tensor of two ones
VALUES: dict[str, Any] = {
    "size": (2, 3), "low": 3, "high": 9, "input": TENSOR, "fill_value": 1.5, "start": 1, "end": 4, "step": 2,
    "steps": 3, "base": 2.0, "n": 3, "m": 2, "row": 3, "col": 2, "offset": 0, "mean": 0.5, "std": 2.0, "data":
    [1, 2], "s": 2.0, "num_samples": 2, "replacement": True, "p": 0.5, "from": 1, "to": 3, "lambd": 2.0,
    "median": 1.0, "sigma": 2.0, "value": 3, "generator": "a generator", "dtype": "float32", "device": "cpu",
    "requires_grad": True, "pin_memory": False, "layout": "strided", "memory_format": "preserve_format",
    "foo": 1,
}  # fmt: skip
HOW = "dtype device requires_grad layout"
LIKE = f"input {HOW} memory_format"
FUNCTIONS = {
    **dict.fromkeys(("zeros", "ones", "empty"), f"size {HOW} pin_memory"),
    **dict.fromkeys(("rand", "randn"), f"size generator {HOW}"),
    **dict.fromkeys(("zeros_like", "ones_like", "empty_like", "rand_like", "randn_like"), LIKE),
    "full": f"size fill_value {HOW}", "full_like": f"input fill_value {HOW}",
    "randint": f"low high size generator {HOW}", "randint_like": f"input low high {HOW}",
    "randperm": f"n generator {HOW}", "arange": f"start end step {HOW}", "linspace": f"start end steps {HOW}",
    "logspace": f"start end steps base {HOW}", "eye": f"n m {HOW}",
    **dict.fromkeys(("tril_indices", "triu_indices"), "row col offset dtype device layout"),
    "normal": f"mean std size generator {HOW}",
    "bernoulli": "input p generator dtype", "multinomial": "input num_samples replacement generator dtype",
    "tensor": "data dtype device requires_grad pin_memory layout", "scalar_tensor": f"s {HOW}",
    "as_tensor": "data dtype device requires_grad",
    **dict.fromkeys(("Tensor.new_zeros", "Tensor.new_ones", "Tensor.new_empty"), f"size {HOW}"),
    "Tensor.new_full": f"size fill_value {HOW}", "Tensor.new_tensor": f"data {HOW}",
    "Tensor.uniform_": "from to generator", "Tensor.normal_": "mean std generator",
    "Tensor.random_": "from to generator", "Tensor.bernoulli_": "p generator", "Tensor.geometric_": "p generator",
    "Tensor.exponential_": "lambd generator", "Tensor.cauchy_": "median sigma generator",
    "Tensor.log_normal_": "mean std generator", "Tensor.fill_": "value", "Tensor.zero_": "",
}  # fmt: skip


def value(m: Any, name: str) -> Any:
    found = VALUES[name]
    if found is TENSOR:
        return m.ones(2)
    if name == "generator":
        return m.Generator()
    return getattr(m, found) if name in ("dtype", "layout", "memory_format") else found


def calls(names: list[str]) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """The names of what is given by place, and of what is given by name."""
    first = [name for name in names if name not in HOW.split()]
    for n in range(min(3, len(first)) + 1):
        for place in itertools.permutations(first, n) if n < 3 else [tuple(first[:3])]:
            for count in range(4):
                for words in itertools.combinations([*names, "foo"], count):
                    yield place, words


def answer(m: Any, function: str, place: tuple[str, ...], words: tuple[str, ...]) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            called = getattr(m.ones(2), function[7:]) if function.startswith("Tensor.") else getattr(m, function)
            y = called(*(value(m, name) for name in place), **{name: value(m, name) for name in words})
        except Exception as error:
            return type(error).__name__, str(error).splitlines()[0]
    return tuple(y.shape), str(y.dtype), y.requires_grad


@pytest.mark.parametrize("function", FUNCTIONS)
def test_it_takes_the_words_that_pytorch_takes(function: str) -> None:
    wrong = []
    for place, words in calls(FUNCTIONS[function].split()):
        theirs, ours = (answer(m, function, place, words) for m in (torch, tinygrad_pt))
        refused = isinstance(theirs[0], str)
        if ours[0] != theirs[0] if refused else ours != theirs:
            wrong.append(f"{function}({', '.join([*place, *(f'{w}=' for w in words)])}): {ours}, not {theirs}")
    assert not wrong, f"{len(wrong)}:\n" + "\n".join(wrong[:40])
