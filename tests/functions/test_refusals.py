"""Wrong arguments: whatever a function is given, an error is ours, and never one of Python or NumPy from inside."""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import re
import traceback
import types
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_pt as torch

PACKAGE = Path(torch.__file__).parent
FILES = (
    "arguments",
    "creation",
    "indexing",
    "layouts",
    "linalg",
    "pointwise",
    "reduction",
    "shaping",
    "coordinates",
    "typed",
)
MODULES = [importlib.import_module(f"tinygrad_pt.functions.{name}") for name in FILES]
METHODS = ("expand", "expand_as", "mT", "pad", "repeat", "reshape_as", "reversed_axes", "unfold", "view", "view_as")
FUNCTIONS = {
    name: getattr(module, name)
    for module in MODULES
    for name in (*module.__all__, "one_hot", *METHODS)
    if isinstance(getattr(module, name, None), types.FunctionType)
}
JUNK: dict[str, Any] = {
    "None": lambda: None,
    "a string": lambda: "x",
    "an object": object,
    "[1]": lambda: [1],
    "['a']": lambda: ["a"],
    "[[1], 2]": lambda: [[1], 2],
    "{}": dict,
    "an int": lambda: 2,
    "a negative int": lambda: -7,
    "a float": lambda: 1.5,
    "nan": lambda: float("nan"),
    "a complex": lambda: 1j,
    "True": lambda: True,
    "an array": lambda: np.zeros(2),
    "an array of strings": lambda: np.array(["a", "b"]),
    "a dtype": lambda: torch.float32,
    "an int tensor": lambda: torch.tensor([[1, -9], [3, 4]]),
    "a bool tensor": lambda: torch.tensor([True, False, True]),
    "a 0-d tensor": lambda: torch.tensor(1.5),
    "an empty tensor": lambda: torch.zeros(0, 3),
    "a tensor of another shape": lambda: torch.zeros(5, 1, 7),
    "a tensor of another dtype": lambda: torch.zeros(3, 3, dtype=torch.float64),
    "a complex tensor": lambda: torch.zeros(3, 3, dtype=torch.complex64),
}
SQUARE = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]
GOOD: dict[str, Any] = {  # by the name of a parameter
    "dim": 0, "dim0": 0, "dim1": 0, "dim2": 1, "start_dim": 0, "end_dim": 1, "dims": 0, "k": 1, "n": 3, "m": 3,
    "index": torch.tensor([[0, 1, 2]]), "indices": torch.tensor([[0, 1, 2]]), "mask": torch.tensor([True, False, True]),
    "condition": torch.tensor([True, False, True]), "value": 1.0, "size": (2, 3), "shape": (9,), "sizes": (3, 1),
    "source": 0, "destination": 1, "repeats": 2, "chunks": 2, "split_size_or_sections": 2, "indices_or_sections": 2,
    "start": 0, "end": 1, "step": 1, "steps": 3, "length": 1, "dimension": 0, "shifts": 1, "num_samples": 1, "low": 0,
    "high": 5, "row": 3, "col": 3, "fill_value": 1.0, "exponent": 2.0, "weight": 0.5, "p": 2, "offset": 0, "base": 10.0,
    "equation": "ij->ji", "data": [1.0], "array": np.zeros(3), "obj": [1.0], "widths": (1, 1), "num_classes": 5,
    "minlength": 0, "std": 1.0, "mean": 0.0, "diagonal": 0, "alpha": 2, "beta": 2, "decimals": 2, "correction": 1,
    "rounding_mode": "trunc", "indexing": "ij", "new_state": torch.get_rng_state(), "rtol": 1e-5, "atol": 1e-8,
    "min": 0.0, "max": 1.0, "nan": 0.0, "posinf": 1.0, "neginf": 0.0, "generator": None, "dtype": torch.float32,
    "device": "cpu", "out": torch.zeros(3, 3), "args": (),
    **dict.fromkeys(("keepdim", "unbiased", "replacement", "as_tuple", "equal_nan", "descending", "stable"), False),
    "accumulate": False,
    **dict.fromkeys(("largest", "sorted", "return_inverse", "return_counts"), True), "axis": 0,
    "a": torch.tensor(SQUARE), "b": torch.tensor(SQUARE),
}  # fmt: skip
LISTS = ("cat", "concat", "concatenate", "stack", "hstack", "vstack")
VECTORS = ("dot", "vdot", "outer", "ger", "vec", "vec1", "vec2", "sorted_sequence")
OWN: dict[str, dict[str, Any]] = {
    "bincount": {"input": torch.tensor([1, 2, 2]), "weights": torch.ones(3)}, "one_hot": {"tensor": torch.tensor([1])},
    "take": {"index": torch.tensor([0])}, "index_select": {"index": torch.tensor([0])},
    "index_add": {"index": torch.tensor([0, 1, 2]), "source": torch.ones(3, 3)},
    "bitwise_not": {"input": torch.ones(2).int()},
    "bernoulli": {"input": torch.ones(3), "p": 0.5}, "lerp": {"end": torch.ones(3, 3)}, "roll": {"dims": 0},
    "tensordot": {"dims": 1}, "flip": {"axes": (0,)}, "permute": {"order": (1, 0)}, "tile": {"times": (2,)},
    "bmm": {"input": torch.ones(1, 3, 3), "mat2": torch.ones(1, 3, 3)},
    "baddbmm": {"input": torch.ones(3), "batch1": torch.ones(1, 3, 3), "batch2": torch.ones(1, 3, 3)},
    "where": {"input": 1.0, "other": 2.0}, "unfold": {"size": 2}, "randint_like": {"low": 0, "high": 5},
    "is_nonzero": {"input": torch.tensor([1.0])}, "addmv": {"input": torch.ones(3)}, "expand": {"sizes": (2, 3, 3)},
    "broadcast_to": {"sizes": (2, 3, 3)}, "broadcast_shapes": {"shapes": ((2, 3), (3,))},
    "swapaxes": {"axis0": 0, "axis1": 1}, "scalar_tensor": {"s": 1.0},
    "repeat": {"times": (2, 1)}, "reshape": {"sizes": (9,)}, "select": {"index": 0},
    **{f"bitwise_{n}": {"input": torch.ones(2).int(), "other": torch.ones(2).int()} for n in ("and", "or", "xor")},
    **{n: {"indices": (torch.tensor([0, 2]),), "values": torch.ones(3)} for n in ("index_put", "index_put_")},
    "masked_scatter": {"source": torch.ones(3, 3)}, "addmv_": {"input": torch.ones(3)},
    "addbmm": {"batch1": torch.ones(1, 3, 3), "batch2": torch.ones(1, 3, 3)},
    "sparse_coo_tensor": {"indices": [[0, 1]], "values": [1.0, 2.0], "size": (2,)},
    "sparse_csr_tensor": {"crow_indices": [0, 1], "col_indices": [0], "values": [1.0], "size": (1, 2)},
    "scatter": {"src": 1.0, "reduce": "add"}, "unique": {"dim": 0}, "searchsorted": {"side": "left", "sorter": None},
    "linspace": {"start": 0.0, "end": 1.0}, "logspace": {"start": 0.0, "end": 1.0},
}  # fmt: skip
SIGNATURE = re.compile(r"\(\) (missing \d+ required|takes |got an unexpected|got multiple|got some positional)")


def good(name: str, parameter: str) -> Any:
    """An argument that fits."""
    if parameter in OWN.get(name, {}):
        return OWN[name][parameter]
    if parameter in GOOD:
        return GOOD[parameter]
    if parameter == "tensors":
        return [torch.tensor(SQUARE[0])] if name == "meshgrid" else [torch.tensor(SQUARE)]
    return torch.tensor(SQUARE[0] if name in VECTORS or parameter in VECTORS else SQUARE)


def fresh(value: Any) -> Any:
    return value.clone() if isinstance(value, torch.Tensor) else value


def calls(name: str) -> Iterator[tuple[str, list[Any], dict[str, Any]]]:
    """Calls in which one argument at a time is junk, all those before it are good, and those after it are left out
    where they have a default."""
    parameters = list(inspect.signature(FUNCTIONS[name]).parameters.values())
    for bad in parameters:
        if bad.annotation in ("bool", "bool | None"):  # everything is true or false
            continue
        for kind, make in JUNK.items():
            args: list[Any] = []
            keywords: dict[str, Any] = {}
            for p in parameters:
                if p is not bad and p.kind is p.KEYWORD_ONLY:
                    continue
                value = make() if p is bad else fresh(good(name, p.name))
                if p.kind is p.KEYWORD_ONLY:
                    keywords[p.name] = value
                elif p.kind is p.VAR_POSITIONAL:
                    args += [value] if p is bad or name in LISTS or not isinstance(value, (tuple, list)) else value
                else:
                    args.append(value)
            yield f"{bad.name} is {kind}", args, keywords


@functools.cache
def raises(path: str) -> set[int]:
    """The lines of the `raise` statements of a file."""
    tree = ast.parse(Path(path).read_text(encoding="utf-8"))
    spans = [(n.lineno, n.end_lineno) for n in ast.walk(tree) if isinstance(n, ast.Raise)]
    return {line for first, last in spans for line in range(first, (last or first) + 1)}


def is_ours(error: Exception) -> bool:
    """Whether a `raise` statement of the package made the error, or Python's check of a signature."""
    if "\n  op: " in str(error) or "\n  mend: " in str(error) or SIGNATURE.search(str(error)):
        return True
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return Path(frame.filename).is_relative_to(PACKAGE) and frame.lineno in raises(frame.filename)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_junk_is_refused_by_the_package_itself(name: str) -> None:
    wrong = []
    for what, args, keywords in calls(name):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                FUNCTIONS[name](*args, **keywords)
            except MemoryError:
                pass
            except Exception as error:
                if not is_ours(error):
                    wrong.append(f"{name}: {what}: {type(error).__name__}: {str(error)[:90]}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_good_arguments_are_good(name: str) -> None:
    """Else the test above would hide behind the first argument that is wrong."""
    parameters = inspect.signature(FUNCTIONS[name]).parameters.values()
    args: list[Any] = []
    for p in parameters:
        if p.kind is p.VAR_POSITIONAL:
            value = good(name, p.name)
            args += value if isinstance(value, (tuple, list)) else [fresh(value)]
        elif p.kind is not p.KEYWORD_ONLY:
            args.append(fresh(good(name, p.name)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        FUNCTIONS[name](*args)


def test_an_error_names_the_function_that_was_called_and_its_arguments() -> None:
    x = torch.zeros(2, 3)
    for call, text in (
        (
            lambda: torch.topk(x, 9),
            "selected index k out of range\n  op: topk(float32[2, 3], 9)\n  mend: k is at most 3",
        ),
        (lambda: x.narrow(2, 0, 1), "but got 2)\n  op: narrow(float32[2, 3], 2, 0, 1)"),
        (lambda: torch.hstack([x, torch.zeros(3, 3)]), "\n  op: cat(float32[2, 3], float32[3, 3])"),
        (lambda: torch.Tensor.view_as(3, x), "view_as(): argument 'input' (position 1) must be Tensor, not int"),
        (lambda: torch.tril(x, x), "tril(): argument 'diagonal' (position 2) must be int, not Tensor"),
    ):
        with pytest.raises((RuntimeError, IndexError, TypeError)) as error:
            call()
        assert text in str(error.value) and str(error.value).count("  op: ") <= 1
