"""Slopes from values alone: the bound holds over decades, corners and jumps are known for what they are."""

from __future__ import annotations

import math
from typing import Any

import mpmath as mp
import numpy as np
import pytest

from tinygrad_pt.testing import numerical_gradient, numerical_jacobian
from tinygrad_pt.testing.numerical import Plain, Slopes, elements, slopes
from tinygrad_pt.testing.subject import Flat

C = math.sqrt(2 / math.pi)


def truths() -> dict[str, Any]:
    mp.mp.dps = 50

    def gelu(x: Any) -> Any:
        c, a = mp.mpf(C), mp.mpf("0.044715")
        t = mp.tanh(c * (x + a * x**3))
        return (1 + t) / 2 + x / 2 * (1 - t * t) * c * (1 + 3 * a * x * x)

    return {
        "exp": (np.exp, mp.exp, (-8, 2.8), True), "log": (np.log, lambda x: 1 / x, (-290, 8), False),
        "sin": (np.sin, mp.cos, (-8, 8), True), "tanh": (np.tanh, lambda x: mp.sech(x) ** 2, (-8, 8), True),
        "sqrt": (np.sqrt, lambda x: 1 / (2 * mp.sqrt(x)), (-290, 8), False),
        "inverse": (lambda x: 1 / x, lambda x: -1 / x**2, (-8, 8), True),
        "cube": (lambda x: x**3, lambda x: 3 * x * x, (-8, 8), True),
        "gelu": (lambda x: 0.5 * x * (1 + np.tanh(C * (x + 0.044715 * x**3))), gelu, (-8, 8), True),
        "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), lambda x: mp.sech(x / 2) ** 2 / 4, (-8, 2.8), True),
        "log1p": (np.log1p, lambda x: 1 / (1 + x), (-8, 8), False), "expm1": (np.expm1, mp.exp, (-8, 2.8), True),
        "atan": (np.arctan, lambda x: 1 / (1 + x * x), (-8, 8), True),
        "cos - 1": (lambda x: np.cos(x) - 1, lambda x: -mp.sin(x), (-8, 8), True),
    }  # fmt: skip


@pytest.mark.parametrize("name", [
    "exp", "log", "sin", "tanh", "sqrt", "inverse", "cube", "gelu", "sigmoid", "log1p", "expm1", "atan", "cos - 1",
])  # fmt: skip
def test_the_error_bound_holds_over_decades(name: str) -> None:
    f, truth, (low, high), signed = truths()[name]
    draw = np.random.default_rng(3)
    points = 10 ** draw.uniform(low, high, 150) * (draw.choice([-1.0, 1.0], 150) if signed else 1.0)
    missed, bounds = [], []
    for x in points:
        slope, error = numerical_gradient(lambda v: f(v).sum(), np.array([x]), return_error=True)
        true = truth(mp.mpf(float(x)))
        if not (abs(mp.mpf(slope.item()) - true) <= error.item() or not np.isfinite(error.item())):
            missed.append((x, slope.item(), error.item(), float(true)))
        bounds.append(error.item() / max(abs(float(true)), 1e-300))
    assert len(missed) <= 1, missed
    assert np.median(bounds) < 1e-5, "a bound that says nothing is no bound"


def one(f: Any, x: float) -> Slopes:
    flat = Flat(Plain(f, (np.array([x]),), 0))
    return slopes(flat, flat.x, elements(flat.x), y=flat.y)


@pytest.mark.parametrize(
    ("f", "x", "left", "right"),
    [
        (np.abs, 0.0, -1, 1), (lambda x: np.maximum(x, 0), 0.0, 0, 1), (lambda x: np.clip(x, -0.5, 0.5), 0.5, 1, 0),
        (lambda x: np.maximum(x * x, x), 1.0, 1, 2), (lambda x: np.abs(np.exp(x) - 1), 0.0, -1, 1),
        (lambda x: np.where(x < 1e6, x, 3 * x - 2e6), 1e6, 1, 3),
    ],
)  # fmt: skip
def test_a_corner_has_two_slopes(f: Any, x: float, left: float, right: float) -> None:
    found = one(f, x)
    assert found.kink.item() and not found.jump.item()
    assert found.left.item() == pytest.approx(left, abs=1e-3) and found.right.item() == pytest.approx(right, abs=1e-3)


@pytest.mark.parametrize(("f", "x"), [(np.floor, 1.0), (np.sign, 0.0), (lambda x: np.sqrt(np.abs(x)), 0.0)])
def test_a_jump_and_a_vertical_tangent_have_none(f: Any, x: float) -> None:
    assert one(f, x).jump.item()


@pytest.mark.parametrize("distance", [3e-4, 1e-5, 1e-7])
def test_a_corner_beside_the_point_is_seen_past(distance: float) -> None:
    found = one(lambda x: np.maximum(x, 0.75) * 2, 0.75 + distance)
    assert not found.jump.item() and not found.kink.item()
    assert abs(found.slope.item() - 2) <= found.error.item() < 1e-2


@pytest.mark.parametrize("x", [-1e-300, -1e-7, -1e-3])
def test_zero_is_no_corner_for_those_who_are_not_at_zero(x: float) -> None:
    found = one(lambda x: np.maximum(x, 0), x)
    assert found.slope.item() == 0 and not found.kink.item() and not found.jump.item()


def test_a_corner_of_the_second_derivative_stays_inside_the_bound() -> None:
    draw = np.random.default_rng(0)
    for distance in [0.0, *10 ** draw.uniform(-9, -3, 100)]:
        x = 1.0 + distance
        found = one(lambda x: np.where(np.abs(x) < 1, x * x / 2, np.abs(x) - 0.5), x)
        assert abs(found.slope.item() - 1.0) <= found.error.item() or found.jump.item()


@pytest.mark.parametrize("x", [884599.549708029, 206728330.00022444, 20012.61521750798])
def test_whole_steps_do_not_make_a_line_of_a_staircase(x: float) -> None:
    flat = Flat(Plain(np.floor, (np.array([x]),), 0))
    found = slopes(flat, flat.x, elements(flat.x), y=flat.y, thorough=True)
    assert found.jump.item() or abs(found.slope.item()) <= found.error.item()


def test_a_wave_that_long_steps_skip_is_seen_by_short_ones() -> None:
    x = 280525.5163534284  # |x|·h is nearly 28π
    found = one(np.sin, x)
    assert abs(found.slope.item() - np.cos(x)) <= found.error.item() < 1e-4


def test_edges_of_a_domain() -> None:
    for x in (1e-300, 1e-8, 1.0, 1e300):
        found = one(np.log, x)
        assert found.slope.item() == pytest.approx(1 / x, rel=1e-9)
    assert one(np.arcsin, 1 - 1e-6).slope.item() == pytest.approx(1 / math.sqrt(2e-6 - 1e-12), rel=1e-4)
    assert not np.isfinite(one(np.sqrt, 0.0).slope.item())


@pytest.mark.parametrize("method", ["five_point", "central", "ridders", "complex"])
def test_every_method_and_its_error(method: str) -> None:
    x = np.array([[0.3, -1.2], [2.0, 0.05]])
    slope, error = numerical_gradient(lambda v: np.sum(np.sin(v) * v), x, method=method, return_error=True)
    truth = np.sin(x) + x * np.cos(x)
    assert slope.shape == error.shape == x.shape
    held = np.abs(slope - truth) <= error
    assert np.all(held) or (method == "ridders" and np.mean(held) > 0.5), "Ridders' estimate is no bound, and says so"
    assert np.all(error < 1e-4)
    alone = numerical_gradient(lambda v: np.sum(np.sin(v) * v), x, method=method)
    np.testing.assert_allclose(alone, truth, rtol=1e-6)


@pytest.mark.parametrize("method", ["five_point", "central", "ridders", "complex"])
def test_empty_and_several_results(method: str) -> None:
    assert numerical_jacobian(np.exp, np.zeros((0, 2)), method=method).shape == (0, 2, 0, 2)
    found = numerical_jacobian(lambda x: (x * 2, x.sum()), np.ones(2), method=method)
    np.testing.assert_allclose(found, [[2, 0], [0, 2], [1, 1]], atol=1e-9)


def test_float32_inside_is_known_to_be_coarse() -> None:
    slope, error = numerical_gradient(lambda x: np.sin(x.astype(np.float32)).sum(), np.array([0.7]), return_error=True)
    assert abs(slope.item() - math.cos(0.7)) <= error.item()


def test_unknown_methods_are_refused() -> None:
    with pytest.raises(ValueError, match="five_point"):
        numerical_jacobian(np.sin, np.ones(1), method="magic")


@pytest.mark.parametrize(("method", "digits"), [("five_point", 7), ("central", 4), ("ridders", 3), ("complex", 12)])
@pytest.mark.parametrize("x", [1e-290, 1e-20, 1.0, 1e5, 1e12, 1e150, 1e300])
def test_every_method_has_steps_for_every_size(method: str, digits: int, x: float) -> None:
    slope = numerical_jacobian(np.log, np.array([x]), method=method)
    assert slope.item() * x == pytest.approx(1, abs=10.0**-digits)


@pytest.mark.parametrize("method", ["five_point", "central", "ridders", "complex"])
@pytest.mark.parametrize("x", [0.0, 1e-8, 3.0, 1e3, 1e6])
def test_no_method_steps_over_waves(method: str, x: float) -> None:
    assert numerical_jacobian(np.sin, np.array([x]), method=method).item() == pytest.approx(np.cos(x), abs=1e-4)
