"""The dtype of results, and numbers that a dtype cannot hold: PyTorch's answers, written out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_pt as torch

SMALL = (torch.uint8, torch.int8, torch.int16, torch.int32)


@pytest.mark.parametrize("dtype", SMALL, ids=str)
def test_a_sum_in_a_small_integer_dtype_stays_in_it(dtype: Any) -> None:
    x = torch.tensor([100, 100, 100])
    for name in ("sum", "prod"):
        y = getattr(torch, name)(x, dtype=dtype)
        exact = 300 if name == "sum" else 10**6
        assert y.dtype is dtype and y.item() == np.array(exact).astype(dtype.numpy)
        assert f"{y!r}".endswith(f"dtype={dtype})")
    for name in ("cumsum", "cumprod"):
        assert getattr(torch, name)(x, 0, dtype=dtype).dtype is dtype


def test_a_sum_of_truth_values_is_truth_if_asked() -> None:
    assert torch.tensor([0, 2]).sum(dtype=torch.bool).tolist() is True
    assert torch.tensor([0, 2]).prod(dtype=torch.bool).tolist() is False
    with pytest.raises(NotImplementedError, match="cumsum_out_cpu"):
        torch.tensor([0, 2]).cumsum(0, dtype=torch.bool)
    assert torch.ones(70_000, dtype=torch.float16).sum(dtype=torch.int32).item() == 70_000


@pytest.mark.parametrize("make", [
    lambda x, n: x + n, lambda x, n: n - x, lambda x, n: x * n, lambda x, n: n / x, lambda x, n: x // n,
    lambda x, n: x % n, lambda x, n: x == n, lambda x, n: x < n, lambda x, n: x**n, torch.fmod, torch.clamp,
    torch.result_type, torch.float_power, torch.full_like,
])  # fmt: skip
@pytest.mark.parametrize("dtype", [torch.int64, torch.float16, torch.float32], ids=str)
def test_an_integer_of_more_than_64_bits_is_refused(make: Any, dtype: Any) -> None:
    with pytest.raises(OverflowError, match="int too big to convert"):
        make(torch.ones(2, dtype=dtype), 2**70)


def test_but_it_makes_a_tensor_of_floats() -> None:
    assert torch.tensor(2**70, dtype=torch.float32).item() == 2.0**70
    assert torch.tensor([2**64], dtype=torch.float64).tolist() == [2.0**64]
    with pytest.raises(ValueError, match="Overflow when unpacking long long"):
        torch.tensor(2**64)


def test_nested_tensors_without_dimensions_promote() -> None:
    half, double, byte = torch.tensor(1.5).half(), torch.tensor(1.5).double(), torch.tensor(1, dtype=torch.uint8)
    for data, dtype in [
        ([double], torch.float64), ([half, torch.tensor(1)], torch.float16), ([half, 2.5], torch.float32),
        ([byte, torch.tensor(1, dtype=torch.int8)], torch.int16), ([byte, 2], torch.int64),
        ([[True], [half]], torch.float16), ([byte], torch.uint8), ([torch.tensor(True), False], torch.bool),
    ]:  # fmt: skip
        assert torch.tensor(data).dtype is dtype, data


def test_small_integers_meet_numbers_modulo_their_size() -> None:
    x = torch.tensor([3], dtype=torch.int8)
    assert (x * 300).tolist() == [(3 * 300 + 128) % 256 - 128]
    assert (torch.tensor([44], dtype=torch.uint8) == 300).tolist() == [True]
    assert torch.pow(300, torch.ones(1, dtype=torch.int8)).tolist() == [44]
    for divide in (torch.floor_divide, torch.remainder, torch.fmod):
        with pytest.raises(RuntimeError, match="ZeroDivisionError"):
            divide(x, 2**33)
    for refused in (lambda: x.pow(300), lambda: torch.clamp(x, 300), lambda: torch.where(x > 0, x, 300),
                    lambda: torch.addcmul(x, x, x, value=300), lambda: torch.add(x, x, alpha=300)):  # fmt: skip
        with pytest.raises(RuntimeError, match="value cannot be converted to type int8_t without overflow"):
            refused()
    with pytest.raises(RuntimeError, match="value cannot be converted to type uint8_t without overflow"):
        torch.full((2,), -0.3, dtype=torch.uint8)
    assert torch.full((1,), -3, dtype=torch.uint8).tolist() == [253]


def test_a_number_too_large_for_halves_fills_one_element_with_infinity_and_no_more() -> None:
    assert torch.full((1,), 1e10, dtype=torch.float16).item() == float("inf")
    assert torch.zeros((), dtype=torch.float16).fill_(1e10).item() == float("inf")
    for refused in (lambda: torch.full((2,), 1e10, dtype=torch.float16), lambda: torch.zeros(2).half().fill_(1e10),
                    lambda: torch.zeros(2).half().clamp(1e10), lambda: torch.ones(2).half() ** 1e10):  # fmt: skip
        with pytest.raises(RuntimeError, match="value cannot be converted to type c10::Half without overflow"):
            refused()


def test_integers_divide_towards_zero_without_floats() -> None:
    a, b = torch.tensor([7, -7, 2**62 + 1]), torch.tensor([2, 2, 1])
    assert torch.div(a, b, rounding_mode="trunc").tolist() == [3, -3, 2**62 + 1]
    assert torch.div(a, -2, rounding_mode="trunc").tolist() == [-3, 3, -(2**61)]
    assert torch.div(-7, b, rounding_mode="trunc").tolist() == [-3, -3, -7]
    assert torch.div(torch.tensor([200], dtype=torch.uint8), -3, rounding_mode="trunc").tolist() == [0]
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        torch.div(a, 0, rounding_mode="trunc")


def test_the_dtype_of_composed_functions() -> None:
    whole, byte = torch.tensor([2, 3]), torch.ones(2, dtype=torch.int8)
    assert torch.addcmul(byte, byte, byte, value=1.5).dtype is torch.int8
    assert torch.addcmul(whole, byte, byte).dtype is torch.int64
    assert torch.float_power(torch.tensor(2.0), whole).dtype is torch.float64
    assert torch.float_power(2, whole).tolist() == [4.0, 8.0]
    assert torch.clamp(byte, torch.tensor(0), torch.tensor(3.5)).dtype is torch.float32
    assert torch.clamp(byte > 0, torch.zeros((), dtype=torch.int64), byte).dtype is torch.int8
    assert torch.add(byte > 0, byte > 0, alpha=2).tolist() == [True, True]
    assert torch.rsub(whole, 1, alpha=2).tolist() == [-3, -5]
    for refused, words in [
        (lambda: torch.addcdiv(whole.float(), whole, byte), "Integer division with addcdiv is no longer supported"),
        (lambda: torch.lerp(whole, whole, 0.5), "lerp_kernel_scalar.*Long"),
        (lambda: torch.lerp(whole.float(), whole.double(), 0.5), "expected dtype float for `end` but got dtype double"),
        (lambda: torch.lerp(whole.float(), whole.float(), whole), "expected dtype float for `weight` but got"),
        (lambda: torch.add(whole, whole, alpha=True), "Boolean alpha only supported for Boolean results."),
        (lambda: torch.add(whole, whole, alpha=1.5), "argument alpha must not be a floating point number"),
        (lambda: torch.clamp(whole > 0, True), "clamp_min_scalar_cpu.*Bool"),
        (lambda: torch.dot(whole > 0, whole > 0), '"dot" not implemented for \'Bool\''),
    ]:  # fmt: skip
        with pytest.raises(RuntimeError, match=words):
            refused()


def test_ranges_of_integers() -> None:
    assert torch.linspace(0, 10, 4, dtype=torch.int32).tolist() == [0, 3, 6, 10]
    assert torch.linspace(-5, 5, 7, dtype=torch.int64).tolist() == [-5, -3, -1, 0, 1, 3, 5]
    assert torch.linspace(0.5, 3.7, 5, dtype=torch.int32).tolist() == [0, 0, 1, 2, 3]
    assert torch.linspace(0, 5, 1, dtype=torch.int32).tolist() == [0]
    assert torch.logspace(0, 2, 5, dtype=torch.int32).tolist() == [1, 3, 10, 31, 100]
    assert torch.arange(0, 5, 1.5, dtype=torch.int32).tolist() == [0, 1, 2, 3]
    assert torch.arange(0, 5, 1.5, dtype=torch.int64).tolist() == [0, 1, 2, 3, 4]
    with pytest.raises(RuntimeError, match="uint8_t without overflow"):
        torch.linspace(0, 300, 3, dtype=torch.uint8)
    for name in ("arange", "linspace", "logspace"):
        with pytest.raises(NotImplementedError, match=f"{name}_cpu"):
            getattr(torch, name)(0, 5, 2, dtype=torch.bool)
