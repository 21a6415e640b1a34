"""Tensors made of numbers: what is given arrives."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_pt as torch


def test_numbers_given_with_a_dtype_are_never_narrowed_on_the_way() -> None:
    assert torch.tensor([0.1, 1e308], dtype=torch.float64).tolist() == [0.1, 1e308]
    assert torch.tensor(123456789.0, dtype=torch.int64).item() == 123456789
    assert torch.tensor([1e-50], dtype=torch.bool).tolist() == [True]
    assert torch.tensor(0.1 + 1e-9j, dtype=torch.complex128).item() == 0.1 + 1e-9j
    assert torch.tensor([0.1]).item() == np.float32(0.1)


@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.tensor([1e300, float("nan")]),
        lambda: torch.as_tensor(np.array([1e300]), dtype=torch.float16),
        lambda: torch.full((2,), float("inf"), dtype=torch.float16),
        lambda: torch.linspace(float("-inf"), 1e38, 3),
        lambda: torch.logspace(0, 500, 3),
        lambda: torch.where(torch.ones(2) > 0, torch.ones(2, dtype=torch.float16), 1e300),
        lambda: torch.zeros(2, dtype=torch.float16).masked_fill(torch.ones(2) > 0, float("inf")),
    ],
)
def test_numpy_does_not_warn_of_inf_and_nan_whatever_the_filters(make: Callable[[], Any]) -> None:
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        make()
    assert not heard
