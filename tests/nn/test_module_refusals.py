"""Modules, containers and nn.utils refuse whatever makes no sense with an error of ours, not of Python or NumPy."""

from __future__ import annotations

import inspect
import traceback
import types
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_pt as torch
from tinygrad_pt import nn
from tinygrad_pt.models import MLP

PACKAGE = Path(torch.__file__).parent
ROOMS = [PACKAGE / "models" / "mlp.py"] + [
    PACKAGE / "nn" / f"{name}.py"
    for name in ("container", "dropout", "hooks", "linear", "module", "parameter", "shelf", "state", "utils")
]
JUNK: tuple[Callable[[], Any], ...] = (
    lambda: None, lambda: True, lambda: -1, lambda: 3, lambda: 2.5, lambda: 1j, lambda: "x", lambda: "", lambda: b"x",
    lambda: [], lambda: [1], lambda: (2,), lambda: {"a": 1}, lambda: {1}, object, lambda: np.ones(2),
    lambda: nn.Identity, lambda: slice(0, 1), lambda: torch.ones(2), lambda: torch.float32, nn.Tanh, lambda: iter([1]),
)  # fmt: skip
MADE: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "Module": (nn.Module, ()), "Identity": (nn.Identity, ()), "Linear": (nn.Linear, (2, 2)),
    "Bilinear": (nn.Bilinear, (2, 2, 2)), "Flatten": (nn.Flatten, (0, 1)), "Unflatten": (nn.Unflatten, (1, (1, 2))),
    "Dropout": (nn.Dropout, (0.5,)), "Dropout1d": (nn.Dropout1d, (0.5,)), "Dropout2d": (nn.Dropout2d, (0.5,)),
    "Dropout3d": (nn.Dropout3d, (0.5,)), "Sequential": (nn.Sequential, (nn.Linear(2, 2), nn.Tanh())),
    "ModuleList": (nn.ModuleList, ([nn.Tanh()],)), "ModuleDict": (nn.ModuleDict, ({"a": nn.Tanh()},)),
    "ParameterList": (nn.ParameterList, ([torch.ones(2), 3],)),
    "ParameterDict": (nn.ParameterDict, ({"a": torch.ones(2)},)), "MLP": (MLP, ([2, 2],)),
    "Parameter": (nn.Parameter, (torch.ones(2),)), "Buffer": (nn.Buffer, (torch.ones(2),)),
}  # fmt: skip
PYTHONS_OWN = {
    "__init__",
    "__class__",
    "__getattribute__",
    "__reduce_ex__",
    "__setstate__",
    "__delattr__",
    "__setattr__",
}


def try_(function: Any, *args: Any, **kwargs: Any) -> Any:
    """The result or the exception; an exception that no `raise` statement of the package made fails the test."""
    called = getattr(function, "forward", function)
    if getattr(called, "__name__", "") == "__call__":
        called = called.__self__.forward
    try:
        bound = inspect.signature(called).bind(*args, **kwargs)
    except TypeError as error:
        return error  # Python's own about the number of arguments
    for name, value in bound.arguments.items():
        flag = name == "prefix" or "bool" in str(bound.signature.parameters[name].annotation)
        if name == "memo" or (flag and isinstance(value, np.ndarray)):
            return None  # the set of a recursion; and an array has no truth value
    try:
        result = function(*args, **kwargs)
        return list(result) if isinstance(result, types.GeneratorType) else result
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        made = (last.line or "").startswith("raise ") or Path(last.filename) not in ROOMS
        assert made, f"{function} of {args} {kwargs}: {last.line}: {error!r}"
        return error


def attempts(base: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    """The arguments, with junk in place of each."""
    for i in range(max(1, len(base))):
        for junk in JUNK:
            yield (*base[:i], junk(), *base[i + 1 :])


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize("name", MADE)
def test_constructors_and_what_they_make(name: str) -> None:
    make, base = MADE[name]
    keywords = [p.name for p in inspect.signature(make).parameters.values() if p.default is not p.empty]
    given = [(args, {}) for args in attempts(base)]
    given += [(base[:1] if name == "Flatten" else base, {key: junk()}) for key in keywords for junk in JUNK]
    for args, kwargs in given:
        made = try_(make, *args, **kwargs)
        if not isinstance(made, nn.Module):
            assert isinstance(made, (torch.Tensor, Exception, type(None)))
            continue
        assert isinstance(repr(made), str) and len(made.state_dict()) >= 0
        for x in (torch.ones(2, 2), torch.ones(2, 2, 2)):
            try_(made, x)


@pytest.mark.parametrize("name", [name for name, (make, _) in MADE.items() if name not in ("Parameter", "Buffer")])
def test_methods(name: str) -> None:
    make, base = MADE[name]
    own = {n for n in vars(make) if callable(getattr(make, n, None))}
    inherited = {n for n in dir(make) if callable(getattr(make, n, None)) and not hasattr(object, n)}
    for method in sorted((inherited if name in ("Module", "Sequential") else own | {"__call__"}) - PYTHONS_OWN):
        if method.startswith("_") and not method.startswith("__"):
            continue
        keywords = {
            p.name: p for p in inspect.signature(getattr(make, method)).parameters.values() if p.default is not p.empty
        }
        for junk in JUNK:
            for args in ((junk(),), (junk(), nn.Tanh()), ("a", junk()), (junk(), junk())):
                try_(getattr(make(*base), method), *args)
            for key in keywords:
                try_(getattr(make(*base), method), **{key: junk()})


@pytest.mark.parametrize(
    "function, base",
    [
        (nn.utils.get_total_norm, ("p", 2.0)),
        (nn.utils.clip_grads_with_norm_, ("p", 1.0, torch.ones(()))),
        (nn.utils.clip_grad_norm_, ("p", 1.0, 2.0)),
        (nn.utils.clip_grad_value_, ("p", 1.0)),
        (nn.utils.parameters_to_vector, ("p",)),
        (nn.utils.vector_to_parameters, (torch.ones(2), "p")),
    ],
)
def test_functions_of_parameters(function: Any, base: tuple[Any, ...]) -> None:
    for args in attempts(base):
        p = nn.Parameter(torch.ones(2))
        p.grad = torch.ones(2)
        try_(function, *([p] if type(arg) is str and arg == "p" else arg for arg in args))


def test_attributes() -> None:
    for name in ("weight", "bias", "child", "steps", "training", "new"):
        for junk in JUNK:
            m = nn.Linear(2, 2)
            m.child = nn.Tanh()
            m.register_buffer("steps", torch.ones(1))
            try_(lambda m, name, junk: setattr(m, name, junk), m, name, junk())
            try_(lambda m: (repr(m), m.state_dict(), m(torch.ones(2, 2))), m)


@pytest.mark.parametrize(
    "wrong, error, words",
    [
        (lambda: nn.Sequential(nn.Tanh())["a"], TypeError, "'str' object cannot be interpreted as an integer"),
        (lambda: nn.Sequential(nn.Tanh(), None)(torch.ones(1)), TypeError, "'NoneType' object is not callable"),
        (lambda: nn.ParameterList(3), TypeError, "ParameterList.extend should be called with an iterable, but got int"),
        (lambda: nn.ParameterList(torch.ones(1)), TypeError, "ParameterList.extend should be called with an iterable"),
        (lambda: nn.ParameterDict().popitem(), KeyError, "popitem(): dictionary is empty"),
        (lambda: nn.ParameterDict(3), TypeError, "ParametersDict.update should be called with an iterable"),
        (lambda: nn.ModuleDict()["a"], KeyError, "'a'"),
        (lambda: nn.ModuleDict().pop("a"), KeyError, "'a'"),
        (lambda: nn.ParameterDict({"a": 3})["b"], KeyError, "'b'"),
        (lambda: nn.Linear(2, 2).get_parameter(3), AttributeError, "'int' object has no attribute 'rpartition'"),
        (lambda: nn.Linear(2, 2).state_dict(prefix=3), TypeError, "'int' object is not subscriptable"),
        (lambda: nn.Linear(2, 2).apply(3), TypeError, "'int' object is not callable"),
        (
            lambda: nn.Linear(2, 2).to(dtype="x"),
            TypeError,
            "to() received an invalid combination of arguments - got (dtype=str, )",
        ),
        (lambda: nn.Sequential(nn.Tanh), TypeError, "tinygrad_pt.nn.activation.Tanh is not a Module subclass"),
        (lambda: nn.Buffer("x"), TypeError, "Buffer data must be a Tensor, not str"),
        (lambda: nn.utils.clip_grad_norm_([3], 1.0), AttributeError, "'int' object has no attribute 'grad'"),
        (lambda: nn.utils.clip_grad_value_([], "x"), ValueError, "could not convert string to float: 'x'"),
        (lambda: MLP([2, "x"]), TypeError, "MLP: sizes=[2, 'x']: expected a sequence of integers"),
        (lambda: MLP([2, 2], nn.Tanh()), TypeError, "MLP: activation must be a class or function that makes a module"),
    ],
)
def test_the_words(wrong: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error) as caught:
        wrong()
    assert words in str(caught.value)


def test_a_name_that_cannot_be_one_leaves_a_parameter_dictionary_as_it_was() -> None:
    m = nn.ParameterDict({"a": torch.ones(1)})
    with pytest.raises(KeyError, match="attribute 'keys' already exists"):
        m["keys"] = torch.ones(1)
    assert list(m) == ["a"] and len(m) == 1 and "keys" not in m
