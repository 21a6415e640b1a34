"""Operations the user writes: recorded, differentiated once and twice, and refused clearly when wrong."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest

import tinygrad_pt as torch
from tinygrad_pt.autograd import Function


class Square(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return 2 * g * x


class Exp(Function):
    """Saves its own output."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        y = x.exp()
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (y,) = ctx.saved_tensors
        return g * y


class ScaleAndShift(Function):
    """Two results, and an argument that is no tensor."""

    @staticmethod
    def forward(ctx: Any, x: Any, k: float) -> Any:
        ctx.k = k
        return x * k, x + k

    @staticmethod
    def backward(ctx: Any, g: Any, h: Any) -> Any:
        return g * ctx.k + h, None


def leaf(*values: float) -> Any:
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


def test_first_and_second_derivative() -> None:
    x = leaf(3.0, -1.0)
    y = Square.apply(x)
    assert repr(y) == "tensor([9., 1.], dtype=torch.float64, grad_fn=<SquareBackward>)"
    (g,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    (h,) = torch.autograd.grad(g.sum(), x)
    assert g.tolist() == [6.0, -2.0] and h.tolist() == [2.0, 2.0]


def test_a_saved_output_is_differentiated_through_itself() -> None:
    x = leaf(0.5)
    g = x
    for _ in range(4):
        (g,) = torch.autograd.grad(Exp.apply(x) if g is x else g, x, create_graph=True)
    assert g.item() == pytest.approx(1.6487212707001282)


def test_a_saved_output_makes_no_cycle() -> None:
    gc.disable()
    try:
        x = leaf(0.5)
        y = Exp.apply(x)
        link = weakref.ref(y.grad_fn)
        del y
        assert link() is None
    finally:
        gc.enable()


def test_several_results_share_one_backward() -> None:
    x = leaf(1.0, 2.0)
    a, b = ScaleAndShift.apply(x, 3.0)
    (a.sum() + 2 * b.sum()).backward()
    assert x.grad.tolist() == [5.0, 5.0]


def test_a_result_nobody_uses_counts_as_zero() -> None:
    x = leaf(1.0)
    _, b = ScaleAndShift.apply(x, 3.0)
    b.sum().backward()
    assert x.grad.tolist() == [1.0]


def test_the_gradient_of_a_tensor_returned_twice_arrives_once_at_its_last_place() -> None:
    class Both(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            y = x * 1
            return y, x * 7, y

        @staticmethod
        def backward(ctx: Any, first: Any, middle: Any, last: Any) -> Any:
            return 100 * first + 10 * middle + last

    x = leaf(1.0)
    a, b, c = Both.apply(x)
    assert a is c
    (2 * a + 3 * b + 4 * c).sum().backward()
    assert x.grad.tolist() == [36.0]


@pytest.mark.parametrize("create", [False, True])
@pytest.mark.parametrize(("own", "answered"), [("float32", "float64"), ("float64", "float32"), ("float32", "float32")])
def test_gradients_have_the_dtype_of_what_they_are_gradients_of(own: str, answered: str, create: bool) -> None:
    seen: list[Any] = []

    class Mixed(Function):
        @staticmethod
        def forward(ctx: Any, x: Any, k: int) -> Any:
            return x.double(), x * k, k, x > 1, x.long()

        @staticmethod
        def backward(ctx: Any, *gs: Any) -> Any:
            seen.append([None if g is None else g.dtype for g in gs])
            return (gs[0] + 2 * gs[1]).to(getattr(torch, answered)), None

    x = torch.tensor([1.0, 2.0], dtype=getattr(torch, own), requires_grad=True)
    a, b, k, above, whole = Mixed.apply(x, 3)
    assert k == 3 and not above.requires_grad and not whole.requires_grad
    for y, slope in ((a, 1.0), (b, 2.0)):
        (g,) = torch.autograd.grad(y.sum(), x, retain_graph=True, create_graph=create)
        assert g.dtype is x.dtype and g.tolist() == [slope, slope]
    assert seen == [[torch.float64, x.dtype, None, torch.bool, torch.int64]] * 2


def test_backward_runs_once_for_all_arguments() -> None:
    calls = []

    class Product(Function):
        @staticmethod
        def forward(ctx: Any, a: Any, b: Any) -> Any:
            ctx.save_for_backward(a, b)
            return a * b

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            calls.append(ctx.needs_input_grad)
            a, b = ctx.saved_tensors
            return g * b, g * a

    a, b = leaf(2.0), leaf(5.0)
    Product.apply(a, b).sum().backward()
    assert (a.grad.item(), b.grad.item()) == (5.0, 2.0) and calls == [(True, True)]
    Product.apply(a, b.detach()).sum().backward()
    assert calls[1:] == [(True, False)] and b.grad.item() == 2.0


def test_setup_context_form() -> None:
    class Triple(Function):
        @staticmethod
        def forward(x: Any) -> Any:
            return 3 * x

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            ctx.factor = 3

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return ctx.factor * g

    x = leaf(1.0)
    Triple.apply(x).sum().backward()
    assert x.grad.item() == 3.0


def test_non_differentiable_outputs() -> None:
    class WithIndex(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            place = x.argmax()
            ctx.mark_non_differentiable(place)
            return x * 2, place

        @staticmethod
        def backward(ctx: Any, g: Any, _: Any) -> Any:
            return 2 * g

    x = leaf(1.0, 4.0)
    y, place = WithIndex.apply(x)
    assert not place.requires_grad and y.requires_grad
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_nothing_is_recorded_without_need() -> None:
    assert not Square.apply(torch.tensor([1.0])).requires_grad
    with torch.no_grad():
        assert not Square.apply(leaf(1.0)).requires_grad


def wrong(result: Any) -> Any:
    class Wrong(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 1

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return result(g)

    return Wrong


@pytest.mark.parametrize(
    ("result", "error", "text"),
    [
        (lambda g: (g, g), RuntimeError, "returned an incorrect number of gradients (expected 1, got 2)"),
        (
            lambda g: g.sum(),
            RuntimeError,
            "returned an invalid gradient at index 0 - got [] but expected shape compatible",
        ),
        (lambda g: torch.ones(2, 3), RuntimeError, "got [2, 3] but expected shape compatible with [2]"),
        (lambda g: 1.0, RuntimeError, "expected Variable or None (got float)"),
    ],
)
def test_a_wrong_backward_is_named_and_leaves_no_gradient(result: Any, error: type[Exception], text: str) -> None:
    x = leaf(1.0, 2.0)
    y = wrong(result).apply(x)
    with pytest.raises(error) as caught:
        y.sum().backward()
    assert text in str(caught.value) and "Wrong" in str(caught.value)
    assert x.grad is None


@pytest.mark.parametrize("create", [False, True])
def test_a_missing_gradient_is_none(create: bool) -> None:
    x, z = leaf(1.0), leaf(2.0)
    y = wrong(lambda g: None).apply(x * z).sum()
    y.backward(create_graph=create, retain_graph=True)
    assert x.grad is None and z.grad is None
    (y + 3 * x.sum()).backward(create_graph=create)
    assert x.grad.tolist() == [3.0] and z.grad is None
    with pytest.raises(RuntimeError, match="appears to not have been used in the graph"):
        torch.autograd.grad(wrong(lambda g: None).apply(x).sum(), x)


def test_a_saved_tensor_changed_in_place_is_an_error() -> None:
    x = leaf(1.0, 2.0)
    z = x * 1
    y = Square.apply(z)
    z.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()
    assert x.grad is None


def test_a_second_backward_needs_retain_graph() -> None:
    x = leaf(2.0)
    y = Square.apply(x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.item() == 8.0
    with pytest.raises(RuntimeError, match="a second time"):
        y.backward()
    assert x.grad.item() == 8.0


def test_calling_a_function_is_refused() -> None:
    with pytest.warns(DeprecationWarning, match="should not be instantiated"):
        instance = Square()
    with pytest.raises(RuntimeError, match="Legacy autograd function"):
        instance(torch.tensor(1.0))


def test_missing_methods_say_so() -> None:
    class NoForward(Function):
        pass

    class NoBackward(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 1

    with pytest.raises(NotImplementedError, match="must implement the forward function"):
        NoForward.apply(torch.tensor(1.0))
    x = leaf(1.0)
    with pytest.raises(NotImplementedError, match="backward or vjp"):
        NoBackward.apply(x).sum().backward()


def test_an_argument_handed_back_is_a_tensor_of_its_own() -> None:
    class Same(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return 7 * g

    x = leaf(1.0)
    y = Same.apply(x)
    assert y is not x and x.is_leaf
    y.sum().backward()
    assert x.grad.item() == 7.0


@pytest.mark.parametrize("materialize", [True, False])
def test_missing_gradients_arrive_as_zeros_or_as_none(materialize: bool) -> None:
    seen: list[Any] = []

    class Three(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.set_materialize_grads(materialize)
            whole = x.long()
            ctx.mark_non_differentiable(whole)
            return x * 2, whole, x * 3

        @staticmethod
        def backward(ctx: Any, *gs: Any) -> Any:
            seen[:] = gs
            return sum(g * k for g, k in zip(gs, (2, 0, 3), strict=True) if g is not None)

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    for create_graph in (False, True):
        (g,) = torch.autograd.grad(Three.apply(x)[0].sum(), x, create_graph=create_graph)
        assert g.tolist() == [2, 2]
        assert seen[0].tolist() == [1, 1]
        missing = [[0, 0], [0, 0]] if materialize else [None, None]
        assert [None if s is None else s.tolist() for s in seen[1:]] == missing
    a, _, c = Three.apply(x)
    (g,) = torch.autograd.grad(a.sum() + c.sum() + c.sum(), x)
    assert g.tolist() == [8, 8]
