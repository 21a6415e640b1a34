"""Tensors made of numbers: what is given arrives."""

from __future__ import annotations

import numpy as np

import tinygrad_pt as torch


def test_numbers_given_with_a_dtype_are_never_narrowed_on_the_way() -> None:
    assert torch.tensor([0.1, 1e308], dtype=torch.float64).tolist() == [0.1, 1e308]
    assert torch.tensor(123456789.0, dtype=torch.int64).item() == 123456789
    assert torch.tensor([1e-50], dtype=torch.bool).tolist() == [True]
    assert torch.tensor(0.1 + 1e-9j, dtype=torch.complex128).item() == 0.1 + 1e-9j
    assert torch.tensor([0.1]).item() == np.float32(0.1)
