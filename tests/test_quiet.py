"""No warning of NumPy's comes from this package, whatever the filters are; the user's own NumPy keeps its warnings."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import tinygrad_pt as torch
from tests.functions import test_refusals as functions
from tests.nn import test_refusals as of_nn
from tinygrad_pt.nn import functional as F

CORNERS = [0.0, -0.0, np.inf, np.nan, -3e38, 3e38, -1.0, 1e-45, -np.inf]
LOUD: dict[str, tuple[str, dict[str, str]]] = {  # a filter of `warnings`, and how NumPy treats floating point errors
    "shown": ("always", {}), "errors": ("error", {}), "raised": ("ignore", {"all": "raise"}),
    "underflow too": ("always", {"all": "warn"}),
}  # fmt: skip


@contextmanager
def loud(how: str) -> Iterator[list[Any]]:
    """NumPy's warnings as loud as they can be."""
    action, errors = LOUD[how]
    with warnings.catch_warnings(record=True) as log, np.errstate(**errors):  # type: ignore[arg-type]
        warnings.simplefilter(action)  # type: ignore[arg-type]
        warnings.filterwarnings("ignore", category=UserWarning)
        yield log


def cornered(value: Any, dtype: str) -> Any:
    """The same argument with corners of arithmetic in place of its floating point numbers."""
    if isinstance(value, torch.Tensor) and value.is_floating_point():
        with np.errstate(all="ignore"):
            return torch.from_numpy(np.resize(CORNERS, value.shape).astype(dtype)).requires_grad_()
    if isinstance(value, (list, tuple)):
        return type(value)(cornered(v, dtype) for v in value)
    return functions.fresh(value)


def called(function: Callable[..., Any], args: list[Any], kwargs: dict[str, Any]) -> None:
    """The call, its gradient and its second derivative; what it refuses is another test's matter."""
    leaves = [a for a in (*args, *kwargs.values()) if isinstance(a, torch.Tensor) and a.requires_grad]
    try:
        result = function(*args, **kwargs)
        for t in result if isinstance(result, (tuple, list)) else [result]:
            if isinstance(t, torch.Tensor) and t.requires_grad and not t.is_leaf:
                found = torch.autograd.grad(t.sum(), leaves, create_graph=True, allow_unused=True)
                sums = [g.sum() for g in found if g is not None and g.requires_grad]
                if sums:
                    torch.autograd.grad(sum(sums[1:], sums[0]), leaves, allow_unused=True)
    except (RuntimeWarning, FloatingPointError):
        raise
    except Exception as error:
        assert " encountered in " not in str(error)


@pytest.mark.parametrize("how", LOUD)
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_functions_of_tensors_are_silent(dtype: str, how: str) -> None:
    for name, function in functions.FUNCTIONS.items():
        args: list[Any] = []
        for p in inspect.signature(function).parameters.values():
            if p.kind is p.VAR_POSITIONAL:
                value = functions.good(name, p.name)
                args += value if isinstance(value, (tuple, list)) else [value]
            elif p.kind is not p.KEYWORD_ONLY:
                args.append(functions.good(name, p.name))
        with loud(how) as log:
            called(function, [cornered(a, dtype) for a in args], {})
        assert not [f"{name}: {w.message} ({w.filename}:{w.lineno})" for w in log]


@pytest.mark.parametrize("how", LOUD)
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_functions_of_networks_are_silent(dtype: str, how: str) -> None:
    for function in of_nn.functions(F):
        given = of_nn.right(function.__name__, inspect.signature(function).parameters.values())
        with loud(how) as log:
            called(function, [], {name: cornered(value, dtype) for name, value in given.items()})
        assert not [f"{function.__name__}: {w.message} ({w.filename}:{w.lineno})" for w in log]


@pytest.mark.parametrize("how", LOUD)
def test_operators_writes_conversions_and_optimizers_are_silent(how: str) -> None:
    big, huge = torch.tensor([3e38, -3e38, 0.0]), torch.tensor([1e300, 0.0, 1.0], dtype=torch.float64)
    with loud(how) as log:
        assert (big + big).isinf().tolist() == [True, True, False]
        assert (1 / torch.zeros(2)).tolist() == [np.inf] * 2
        assert (torch.ones(2) // 0).isinf().all() and (torch.ones(2) % 0).isnan().all()
        assert big.clone().mul_(big).isinf().tolist() == [True, True, False]
        assert torch.zeros(3).copy_(huge).tolist() == huge.float().tolist() == [np.inf, 0.0, 1.0]
        assert big.half().isinf().tolist() == [True, True, False]
        assert big.var().isinf() and torch.full((2, 2), 3e38).matmul(torch.full((2, 2), 3e38)).isinf().all()
        p = torch.tensor([1.0], requires_grad=True)
        for _ in range(2):  # the second gradient is added to the first
            (p * 1.0).backward(torch.tensor([3e38]))
        torch.optim.SGD([p], lr=1e10, momentum=0.9).step()
        torch.optim.Adam([p]).step()
        repr(big), repr(huge)
    assert not log


def test_the_users_own_numpy_keeps_its_warnings_and_errors() -> None:
    class Halving(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return torch.from_numpy(x.detach().numpy() / np.zeros(1))

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return torch.from_numpy(g.numpy() / np.zeros(1))

    x = torch.ones(1, dtype=torch.float64, requires_grad=True)
    with warnings.catch_warnings(record=True) as log:
        warnings.simplefilter("always")
        np.array([1.0]) / np.zeros(1)
        np.var(np.array([np.inf, 1.0]))
        assert len(log) == 2
        Halving.apply(x).sum().backward()
        assert len(log) == 4 and all(w.filename == __file__ for w in log[2:])
        y = Halving.apply(x)
    with np.errstate(all="raise"), pytest.raises(FloatingPointError):
        y.sum().backward()


def test_other_warnings_of_the_package_are_shown() -> None:
    with warnings.catch_warnings(record=True) as log:
        warnings.simplefilter("always")
        torch.tensor([1.0]).std()
    assert [w.category for w in log] == [UserWarning]
