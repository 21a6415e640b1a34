"""Derivatives of functions against PyTorch: forms, values, what is a graph, and what is refused in which words."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest

import tinygrad_pt

torch = pytest.importorskip("torch")

DERIVATIVES = ["vjp", "jvp", "vhp", "hvp", "jacobian", "hessian"]

# Of a library: functions of a vector of 2, then of a vector of 2 and a number.
OF_ONE: dict[str, Callable[[Any], Any]] = {
    "square": lambda t: lambda x: x * x,
    "sum of cubes": lambda t: lambda x: (x**3).sum(),
    "one element": lambda t: lambda x: (x**3).sum().reshape(1, 1),
    "linear": lambda t: lambda x: x * 3,
    "linear number": lambda t: lambda x: (x * 3).sum(),
    "quadratic": lambda t: lambda x: x[0] * x[-1],
    "constant": lambda t: lambda x: ones(t, 2),
    "constant number": lambda t: lambda x: ones(t),
    "two": lambda t: lambda x: (x * 2, (x * x).sum()),
    "two, one constant": lambda t: lambda x: (x * 2, ones(t, 2)),
    "a tuple of one": lambda t: lambda x: ((x * x).sum(),),
    "an outer weight": lambda t: lambda x: (ones(t).requires_grad_() * x).sum(),
    "only an outer weight": lambda t: lambda x: (x * x, ones(t).requires_grad_() * 2),
    "a list": lambda t: lambda x: [x * x],
    "no tensor": lambda t: lambda x: 1.0,
    "a tuple with a number": lambda t: lambda x: (x * x, 1.0),
}
OF_TWO: dict[str, Callable[[Any], Any]] = {
    "product": lambda t: lambda x, y: (x * y).sum(),
    "product and sum": lambda t: lambda x, y: (x * y, x + y),
    "cubes": lambda t: lambda x, y: (x**3).sum() * y + y**3,
    "without the second": lambda t: lambda x, y: (x**3).sum(),
    "linear in the second": lambda t: lambda x, y: (x**3).sum() + y,
}


def ones(library: Any, *shape: int) -> Any:
    return library.ones(shape, dtype=library.float64)


def vectors(library: Any) -> dict[str, Any]:
    """What v may be: of the right form for some functions, of a wrong one for the others."""
    two, number = library.tensor([1.0, -2.0], dtype=library.float64), library.tensor(0.5, dtype=library.float64)
    return {
        "none": None, "two": two, "(two,)": (two,), "one": two[:1], "number": number, "float": 3.0,
        "two and number": (two, number), "two and two": (two, two), "two and float": (two, 3.0),
    }  # fmt: skip


def told(result: Any) -> Any:
    """Values, dtype and shape of tensors, and whether they are a graph."""
    if isinstance(result, tuple):
        return tuple(map(told, result))
    values = np.round(result.detach().numpy(), 12).tolist()
    return values, str(result.dtype), tuple(result.shape), result.requires_grad


def answer(library: Any, derivative: str, function: Any, inputs: Any, v: str, options: dict[str, bool]) -> Any:
    args = (vectors(library)[v],) if derivative not in ("jacobian", "hessian") else ()
    try:
        return told(getattr(library.autograd.functional, derivative)(function(library), inputs, *args, **options))
    except (RuntimeError, TypeError) as error:
        text = str(error).splitlines()[0].strip()
        if derivative == "jacobian" and text.endswith("when create_graph=True."):
            text = re.sub(r"input \d", "input", text)  # PyTorch gives the number of the output instead
        return type(error), text


def inputs_of(library: Any, which: str, leaves: bool) -> Any:
    x = library.tensor([1.0, 3.0], dtype=library.float64, requires_grad=leaves)
    y = library.tensor(2.0, dtype=library.float64, requires_grad=leaves)
    return {"x": x, "(x,)": (x,), "first": x[:1], "(x, y)": (x, y), "y, float": (y, 3.0), "float": 3.0}[which]


def same(derivative: str, function: Any, which: str, v: str, leaves: bool, **options: bool) -> None:
    ours, theirs = (
        answer(library, derivative, function, inputs_of(library, which, leaves), v, options)
        for library in (tinygrad_pt, torch)
    )
    assert ours == theirs, (which, v, leaves, options)


@pytest.mark.parametrize("name", OF_ONE)
@pytest.mark.parametrize("derivative", DERIVATIVES)
def test_of_one_vector(derivative: str, name: str) -> None:
    for v in ("none",) if derivative in ("jacobian", "hessian") else vectors(torch):
        for which in ("x", "(x,)", "first"):
            same(derivative, OF_ONE[name], which, v, False)
    for leaves, create, strict in product([False, True], repeat=3):
        for v in ("two", "number"):
            same(derivative, OF_ONE[name], "x", v, leaves, create_graph=create, strict=strict)


@pytest.mark.parametrize("name", OF_TWO)
@pytest.mark.parametrize("derivative", DERIVATIVES)
def test_of_a_vector_and_a_number(derivative: str, name: str) -> None:
    for v in ("two and number", "two and two", "two", "none"):
        same(derivative, OF_TWO[name], "(x, y)", v, False)
    for leaves, create, strict in product([False, True], repeat=3):
        for v in ("two and number", "number"):
            same(derivative, OF_TWO[name], "(x, y)", v, leaves, create_graph=create, strict=strict)


@pytest.mark.parametrize("derivative", DERIVATIVES)
@pytest.mark.parametrize("which", ["float", "y, float"])
def test_inputs_that_are_no_tensors(derivative: str, which: str) -> None:
    same(derivative, OF_TWO["product"], which, "none", False)
