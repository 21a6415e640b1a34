"""From one function to all its laws: what keeps them passes, and whoever breaks one is told which, and where."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_pt as torch
from tinygrad_pt.testing import Domain, OpSpec, assert_laws, gradient_property


def custom(forward: Any, backward: Any) -> Any:
    """A function of two tensors with the gradients it is told to have."""

    class Told(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, a: Any, b: Any) -> Any:
            ctx.save_for_backward(a, b)
            return forward(a, b)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return backward(g, *ctx.saved_tensors)

    return Told.apply


# ------------------------------------------------------------------------------------------ what keeps them
@gradient_property(shapes="broadcast", domain=("small", "nonzero"), reference=np.divide, max_examples=15)
def test_quotient(a: Any, b: Any) -> Any:
    return a / b


@gradient_property(shapes="matmul", reference=np.matmul, max_examples=15)
def test_matmul(a: Any, b: Any) -> Any:
    return a @ b


@gradient_property(domain="distinct", reference=lambda a: np.sort(a, axis=None), max_examples=15)
def test_sort(a: Any) -> Any:
    return torch.sort(a.reshape(-1)).values


@gradient_property(domain="any", kinks=(-1.0, 1.0), margin=0.01, reference=lambda a: np.clip(a, -1, 1), orders=(1,))
def test_clip(a: Any) -> Any:
    return torch.clamp(a, -1, 1)


@gradient_property(shapes=[((2, 3), (3,)), ((1, 1), (1,))], domain=Domain(0, 1), max_examples=15)
def test_listed_shapes(a: Any, b: Any) -> Any:
    assert a.ndim == 2 and b.ndim == 1
    return (a * b).sum(1)


@gradient_property(shapes=st.sampled_from([((2,), (2,))]), n=2, max_examples=5)
def test_any_number_of_arguments(*several: Any) -> Any:
    return torch.stack(several).sum(0)


# ------------------------------------------------------------------------------------------ what breaks one
WRONG = {
    "value": (lambda a, b: a * b + 1e-6, dict(reference=np.multiply), "the value is the reference's"),
    "shape": (lambda a, b: (a * b).reshape(-1), dict(reference=np.multiply), "the value is the reference's"),
    "gradient": (custom(lambda a, b: a * b, lambda g, a, b: (g * b, g * b)), {}, "the gradients are right"),
    "second": (custom(lambda a, b: a * b, lambda g, a, b: (g * b, g * a.detach())), {}, "the gradients are right"),
    "dtype": (lambda a, b: (a * b).double(), {}, "dtypes are kept"),
    "single": (lambda a, b: (a.double() + 1e8).to(a.dtype) * b - 1e8 * b, {}, "dtypes are kept"),
    "mutation": (custom(lambda a, b: a * b, lambda g, a, b: (g.mul_(b), g * a)), {}, "the gradients are right"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_broken_law_is_named(name: str) -> None:
    f, options, law = WRONG[name]

    def test_product(a: Any, b: Any) -> Any:
        return f(a, b)

    with pytest.raises(AssertionError) as caught:
        gradient_property(shapes="same", **options)(test_product)()
    text = str(caught.value)
    assert text.startswith(f"product: it does not hold that {law}"), text
    assert "  at product(torch." in text


@pytest.mark.long
def test_a_gradient_that_is_not_summed_over_a_broadcast_axis_is_found() -> None:
    def test_scaled(a: Any, b: Any) -> Any:
        return a * (b if a.shape == b.shape else b * 2)

    with pytest.raises(AssertionError, match="broadcasting is tiling"):
        gradient_property(shapes="broadcast", max_examples=200)(test_scaled)()


def test_the_example_shrinks_to_short_numbers() -> None:
    def test_far(a: Any) -> Any:
        return torch.where(a > 1, a.detach(), a)

    with pytest.raises(AssertionError) as caught:
        gradient_property(shapes=[((1,),)], orders=(1,))(test_far)()
    numbers = str(caught.value).split("[")[1].split("]")[0].split(", ")
    assert len(numbers) == 1 and all(len(n) <= 6 for n in numbers)


# ------------------------------------------------------------------------------------------ plain NumPy functions
def scaled_vjp(g: Any, x: Any, w: Any) -> Any:
    full = np.broadcast_shapes(x.shape, w.shape)

    def back(r: Any, a: Any) -> Any:
        lead = r.ndim - a.ndim
        axes = tuple(i for i in range(r.ndim) if i < lead or a.shape[i - lead] != full[i])
        return r.sum(axes).reshape(a.shape)

    return back(g * w, x), back(g * x, w)


@gradient_property(shapes="broadcast", vjp=scaled_vjp, reference=np.multiply, max_examples=15)
def test_scaled_arrays(x: Any, w: Any) -> Any:
    assert isinstance(x, np.ndarray)
    return x * w


@gradient_property(domain="positive", vjp=lambda g, x: (g[0] / x - g[1] * np.sin(x),), max_examples=10)
def test_several_results_of_arrays(x: Any) -> Any:
    return np.log(x), np.cos(x)


def test_a_wrong_vjp_is_found_and_shown_as_arrays() -> None:
    def test_scaled(x: Any, w: Any) -> Any:
        return x * w

    with pytest.raises(AssertionError, match="the gradients are right") as caught:
        gradient_property(shapes="same", vjp=lambda g, x, w: (g * w, 2 * g * x))(test_scaled)()
    assert "  at scaled(np.array(" in str(caught.value) and "factor" in str(caught.value)
    with pytest.raises(AssertionError, match="the gradients are right"):
        gradient_property(shapes=[((2, 3), (3,))], vjp=lambda g, x, w: (g * w, g * x))(test_scaled)()
    with pytest.raises(AssertionError, match="value is the reference's"):
        gradient_property(shapes="same", vjp=scaled_vjp, reference=np.add)(test_scaled)()
    with pytest.raises(ValueError, match="orders must be"):
        gradient_property(orders=(1, 2), vjp=scaled_vjp)(test_scaled)


# ------------------------------------------------------------------------------------------ what it is
def test_tensors_without_axes_and_empty_ones_are_always_among_them() -> None:
    seen = set()

    def test_seen(a: Any) -> Any:
        seen.add(tuple(a.shape))
        return a * 2

    gradient_property(max_examples=1, orders=(1,))(test_seen)()
    assert {(), (0,), (2, 0)} <= seen


def test_it_is_a_test_that_pytest_collects() -> None:
    assert test_quotient.__name__ == "test_quotient" and test_quotient.__module__ == __name__
    assert test_quotient.spec.name == "quotient" and test_quotient.spec.elementwise
    assert test_quotient.spec.domain(0).avoid == () and test_quotient.spec.domain(1).avoid == (0.0,)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="shapes must be one of"):
        gradient_property(shapes="square")(lambda a: a)
    with pytest.raises(ValueError, match="no domain is called"):
        gradient_property(domain="enormous")(lambda a: a)
    with pytest.raises(TypeError, match="say how many with n="):
        gradient_property()(lambda *several: several[0])


@settings(max_examples=20)
@given(st.floats(-1, 1))
def test_a_row_can_be_held_to_the_laws_at_one_point(x: float) -> None:
    row = OpSpec("twice", lambda a, *, n: a * n, lambda a, n: a * n, (Domain(-1, 1),), [(((2,),), {"n": 2})])
    assert assert_laws(row, [np.array([x, 1.0])], {"n": 2}).ok
    for args, attrs in row.samples():
        assert_laws(row, args, attrs, strict=True)
    with pytest.raises(AssertionError, match="value is the reference"):
        assert_laws(OpSpec("twice", row.f, lambda a, n: a * n + 1, row.domains, []), [np.array([x])], {"n": 2})
