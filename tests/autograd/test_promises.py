"""The small print of backward, grad, Functions and derivatives of functions: what each option and corner does."""

from __future__ import annotations

import copy
import pickle
import warnings
from typing import Any

import numpy as np
import pytest

import tinygrad_pt as torch
from tinygrad_pt.autograd import functional
from tinygrad_pt.calling import wrap


def leaf(*values: float, dtype: Any = torch.float64) -> Any:
    return torch.tensor(values, dtype=dtype, requires_grad=True)


# ------------------------------------------------------------------------------------------ seeds and roots
def test_the_same_root_twice_adds_its_seeds() -> None:
    x = leaf(3.0)
    y = x * x
    torch.autograd.backward([y, y], [torch.ones(1, dtype=torch.float64), torch.full((1,), 2.0, dtype=torch.float64)])
    assert x.grad.tolist() == [18.0]


def test_a_leaf_may_be_the_root_and_its_gradient_is_not_the_seed() -> None:
    x, seed = leaf(3.0, 4.0), torch.tensor([1.0, 2.0], dtype=torch.float64)
    x.backward(seed)
    assert x.grad.tolist() == [1.0, 2.0] and not np.shares_memory(x.grad.array, seed.array)
    y = x * 2
    y.retain_grad()
    y.backward(seed)
    assert y.grad.tolist() == [1.0, 2.0] and not np.shares_memory(y.grad.array, seed.array)
    assert seed.tolist() == [1.0, 2.0]


@pytest.mark.parametrize("create", [False, True])
@pytest.mark.parametrize(("own", "other"), [("float32", "float64"), ("float64", "float32"), ("float32", "int64")])
def test_a_seed_of_another_dtype_is_converted(own: str, other: str, create: bool) -> None:
    x = leaf(1.0, 2.0, dtype=getattr(torch, own))
    (x * x).backward(torch.ones(2, dtype=getattr(torch, other)), create_graph=create)
    assert x.grad.dtype is x.dtype and x.grad.tolist() == [2.0, 4.0] and x.grad.requires_grad is create
    (g,) = torch.autograd.grad(x + 1, x, torch.ones(2, dtype=getattr(torch, other)), create_graph=create)
    assert g.dtype is x.dtype


def test_scalars_of_any_shape_have_a_seed_of_their_own() -> None:
    x = leaf(2.0)
    (x * x).view(1, 1).backward()
    assert x.grad.tolist() == [4.0]
    with pytest.raises(TypeError, match="can be either Tensors or None, but got float"):
        (x * x).backward(1.0)
    with pytest.raises(RuntimeError, match="got 2 tensors and 1 gradients"):
        torch.autograd.backward([x * x, x], [None])
    y = torch.tensor([[1.0]], requires_grad=True)
    with pytest.raises(RuntimeError, match=r"grad_output\[1\] has a shape of torch.Size\(\[2\]\) and output\[1\]"):
        torch.autograd.backward([y, y], [torch.ones(1, 1), torch.ones(2)])
    with pytest.raises(RuntimeError, match="element 1 of tensors does not require grad"):
        torch.autograd.backward([y, torch.ones(1)])


# ------------------------------------------------------------------------------------------ who gets a gradient
@pytest.mark.parametrize("first", [True, False])
def test_leaves_whose_tensor_is_gone_are_passed_over(first: bool) -> None:
    gone, x, z = leaf(2.0), leaf(3.0), leaf(4.0)
    y = gone * x * z if first else x * z * gone
    del gone
    y.sum().backward()
    assert x.grad.tolist() == [8.0] and z.grad.tolist() == [6.0]


def test_inputs_are_the_only_ones_to_grow() -> None:
    a, b = leaf(2.0), leaf(3.0)
    h = a * b
    (h * h).sum().backward(inputs=h, retain_graph=True)
    assert h.grad.tolist() == [12.0] and a.grad is None
    (h * h).sum().backward(inputs=[a, h])
    assert h.grad.tolist() == [24.0] and a.grad.tolist() == [36.0] and b.grad is None
    with pytest.raises(RuntimeError, match="cannot be empty"):
        (a * b).backward(inputs=[])
    with pytest.raises(RuntimeError, match=r"does not require grad\n.*inputs\[1\]"):
        (a * b).backward(inputs=[a, torch.ones(1)])
    assert torch.autograd.grad((a * b).sum(), (a, b), retain_graph=True)[1].tolist() == [2.0]


def test_an_inner_input_stops_nothing() -> None:
    x = leaf(2.0)
    h = x * 3
    y = h * h
    gx, gh = torch.autograd.grad(y, [x, h])
    assert gx.tolist() == [36.0] and gh.tolist() == [12.0]
    (gy,) = torch.autograd.grad(h * 1, h)
    assert gy.tolist() == [1.0]
    (own,) = torch.autograd.grad(x, x)
    assert own.tolist() == [1.0]


def test_options_of_grad() -> None:
    a, b, c = leaf(2.0), leaf(3.0), torch.ones(1)
    y = a * a
    with pytest.raises(ValueError, match="allow_unused=False"):
        torch.autograd.grad(y, [a], allow_unused=False, materialize_grads=True)
    with pytest.raises(RuntimeError, match="does not require grad"):
        torch.autograd.grad(y, [a, c])
    with pytest.raises(RuntimeError, match="index 0 appears to not have been used"):
        torch.autograd.grad(y, [b, a])
    with pytest.raises(RuntimeError, match="index 0 appears to not have been used"):
        torch.autograd.grad(y, [b, a], allow_unused=False)
    unused, used = torch.autograd.grad(y, [b, a], allow_unused=True)
    assert unused is None and used.tolist() == [4.0] and not used.requires_grad
    with pytest.raises(RuntimeError, match="second time"):
        torch.autograd.grad(y, a)
    zeros, _ = torch.autograd.grad(a * a, [b, a], materialize_grads=True)
    assert zeros.tolist() == [0.0] and zeros.dtype is b.dtype
    assert a.grad is b.grad is None
    z = a * a
    torch.autograd.grad(z, a, create_graph=True)
    torch.autograd.grad(z, a, create_graph=True, retain_graph=False)
    with pytest.raises(RuntimeError, match="second time"):
        torch.autograd.grad(z, a)


def test_gradients_that_are_graphs_add_up_as_graphs() -> None:
    x = leaf(3.0)
    (x * x * x).sum().backward(create_graph=True)
    first = x.grad
    (x * x * x).sum().backward(create_graph=True)
    assert x.grad.tolist() == [54.0] and x.grad.requires_grad and first.tolist() == [27.0]
    (second,) = torch.autograd.grad(x.grad, x)
    assert second.tolist() == [36.0]
    x.grad = None
    (x * x).sum().backward()
    plain = x.grad
    (x * x).sum().backward(create_graph=True)
    assert x.grad.tolist() == [12.0] and x.grad.requires_grad and plain.tolist() == [6.0]
    (x * x).sum().backward()  # onto a graph: added as a graph, not into its memory
    assert x.grad.tolist() == [18.0]


def test_a_gradient_grown_in_place_counts_as_changed() -> None:
    x = leaf(3.0)
    (x * 2).sum().backward()
    assert x.grad._version == 0
    (x * 2).sum().backward()
    assert x.grad._version == 1


# ------------------------------------------------------------------------------------------ errors that address
def test_a_mutated_value_is_named_with_its_type_shape_and_origin() -> None:
    x = torch.ones(2, 3, requires_grad=True)
    h = x * 2
    y = h * torch.full((2, 3), 3.0)
    z = torch.sin(h)
    h.add_(1)
    y.sum().backward(retain_graph=True)  # the rule of h reads the constant only
    with pytest.raises(RuntimeError) as caught:
        z.sum().backward()
    text = str(caught.value)
    assert "[torch.FloatTensor [2, 3]], which is output 0 of Mul, is at version 1; expected version 0 instead" in text
    assert "op: sin" in text and "sin saved that value" in text
    a, c = torch.ones(2, requires_grad=True), torch.ones(2)
    y = a * c
    c.mul_(2)
    c.mul_(2)
    with pytest.raises(RuntimeError, match=r"\[torch.FloatTensor \[2\]\] is at version 2; expected version 0"):
        y.sum().backward()
    y = torch.exp(a)
    y.mul_(2)
    with pytest.raises(RuntimeError, match="which is output 0 of Exp, is at version 1"):
        torch.autograd.grad(y.sum(), a)


def test_a_rule_of_the_wrong_shape_is_named() -> None:
    class Wrong(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, a: Any, b: Any) -> Any:
            return a * 2 + b

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g, g.sum()

    a, b = leaf(1.0, 2.0), leaf(3.0, 4.0)
    with pytest.raises(RuntimeError) as caught:
        Wrong.apply(a, b).sum().backward()
    text = (
        "Function WrongBackward returned an invalid gradient at index 1 - got [] but expected shape compatible with [2]"
    )
    assert text in str(caught.value)
    assert a.grad is None and b.grad is None


def test_sums_of_infinities_are_values_where_warnings_are_errors() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        x = leaf(1.0)
        y = x * np.inf - x * np.inf + x
        (torch.stack([y, y]).sum() + (y * 1e308).sum() * 1e308).backward()
        (x * np.inf).sum().backward()
    assert np.isnan(x.grad.numpy()).all()


# ------------------------------------------------------------------------------------------ hooks and kept gradients
@pytest.mark.parametrize("create", [False, True])
def test_hooks_run_in_turn_and_each_sees_what_the_last_gave(create: bool) -> None:
    x = leaf(1.0, 2.0)
    h = x * 3
    h.register_hook(lambda g: g * 2)
    h.register_hook(lambda g: None)
    seen = []
    with h.register_hook(lambda g: seen.append((g.tolist(), g.requires_grad))):
        h.retain_grad()
        (h * h).sum().backward(create_graph=create, retain_graph=True)
    assert seen == [([12.0, 24.0], create)]
    assert h.grad.tolist() == [12.0, 24.0] and x.grad.tolist() == [36.0, 72.0]
    (h * 1).sum().backward()
    assert len(seen) == 1 and h.grad.tolist() == [14.0, 26.0] and x.grad.tolist() == [42.0, 78.0]


def test_retain_grad_is_for_those_inside() -> None:
    x = leaf(1.0, 1.0)
    assert not x.retains_grad and not torch.ones(1).retains_grad
    x.retain_grad()
    assert not x.retains_grad
    h = x * 2
    assert not h.retains_grad
    h.retain_grad()
    h.retain_grad()
    assert h.retains_grad and len(h.node.note("retained")) == 1
    (h * 3).sum().backward()
    assert h.grad.tolist() == [3.0, 3.0] and x.grad.tolist() == [6.0, 6.0]
    with pytest.raises(RuntimeError, match="can't retain_grad"):
        torch.ones(1).retain_grad()
    with pytest.warns(UserWarning, match="not a leaf Tensor is being accessed") as caught:
        assert (x * 2).grad is None
    assert caught[0].filename == __file__, "the line that asked"


def test_hooks_of_leaves_see_the_sum_over_all_paths_once() -> None:
    x, seen = leaf(2.0), []
    x.register_hook(lambda g: seen.append(g.tolist()))
    x.register_post_accumulate_grad_hook(lambda t: seen.append(t.grad.tolist()))
    (x * x + x).sum().backward()
    assert seen == [[5.0], [5.0]]
    with pytest.raises(RuntimeError, match="cannot be registered on non-leaf"):
        (x * 2).register_post_accumulate_grad_hook(print)
    with pytest.raises(RuntimeError, match="cannot register a hook on a tensor that doesn't require gradient"):
        torch.ones(1).register_post_accumulate_grad_hook(print)


def test_results_that_nobody_used_have_gradient_zero() -> None:
    x = leaf(1.0, 2.0, 3.0)
    a, b, c = x.split(1)
    (b * b).sum().backward(retain_graph=True)
    assert x.grad.tolist() == [0.0, 4.0, 0.0]
    (g,) = torch.autograd.grad((b * b * c).sum(), x, create_graph=True)
    assert g.tolist() == [0.0, 12.0, 4.0]
    (second,) = torch.autograd.grad(g.sum(), x)
    assert second.tolist() == [0.0, 10.0, 4.0]


# ------------------------------------------------------------------------------------------ written in place
def test_writing_another_dtype_into_a_tensor_keeps_its_own() -> None:
    x = leaf(1.0, 2.0, dtype=torch.float32)
    h = x * 1
    h.mul_(torch.tensor([2.0, 3.0], dtype=torch.float64))
    assert h.dtype is torch.float32 and h.node.dtype == np.float32
    h.sum().backward()
    assert x.grad.tolist() == [2.0, 3.0] and x.grad.dtype is torch.float32
    plain = torch.ones(2)
    plain.mul_(leaf(2.0, 3.0))
    assert plain.requires_grad and plain.tolist() == [2.0, 3.0]


def test_a_tensor_may_be_written_by_what_was_computed_from_it() -> None:
    for write, slope in [
        (lambda h: h.mul_(h), lambda v: 2 * v), (lambda h: h.log_(), lambda v: 1 / v),
        (lambda h: h.exp_(), np.exp), (lambda h: h.sqrt_(), lambda v: 0.5 / np.sqrt(v)),
        (lambda h: h.pow_(h), lambda v: v**v * (np.log(v) + 1)), (lambda h: h.mul_(h).mul_(h), lambda v: 4 * v**3),
        (lambda h: h.sigmoid_(), lambda v: np.exp(-v) / (1 + np.exp(-v)) ** 2),
        (lambda h: h.addcmul_(h, h), lambda v: 1 + 2 * v),
    ]:  # fmt: skip
        x = leaf(1.5, 2.0)
        h = x * 1
        assert write(h) is h
        h.sum().backward()
        np.testing.assert_allclose(x.grad.numpy(), slope(np.array([1.5, 2.0])), rtol=1e-12)


@pytest.mark.parametrize("first", ["h", "y"])
def test_what_else_an_op_in_place_saved_is_watched(first: str) -> None:
    h, y = leaf(1.0, 2.0) * 1, leaf(3.0, 4.0) * 1
    {"h": h, "y": y}[first].add_(1)
    h.mul_(y)
    h.sum().backward(retain_graph=True)
    y.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        h.sum().backward()


def test_what_is_computed_in_double_precision_is_differentiated_in_it() -> None:
    base, exponent = torch.tensor([3.0, 7.0]), leaf(1.1, 2.3)
    base.pow_(exponent)
    assert base.dtype is torch.float32
    base.sum().backward()
    v, e = np.array([3.0, 7.0]), np.array([1.1, 2.3])
    np.testing.assert_allclose(exponent.grad.numpy(), v**e * np.log(v), rtol=1e-14)


def test_what_an_earlier_op_saved_is_not_spared() -> None:
    x = leaf(1.0, 2.0)
    h = x * 1
    y = h * h
    h.add_(y)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        h.sum().backward()
    assert x.grad is None


def test_what_an_op_in_place_saved_of_its_result_is_the_memory_itself_and_watched() -> None:
    x = leaf(1.0, 2.0)
    h = x * 1
    h.exp_()
    assert h.node.args[0] is h.array and h.node.guards[0] is h.version
    h.add_(1)
    with pytest.raises(RuntimeError, match="is at version 2; expected version 1 instead"):
        h.sum().backward()


def test_several_views_made_at_once_do_not_follow_their_base() -> None:
    for cut in (lambda h: h.split([1, 1], dim=1), lambda h: h.unbind(1)):
        x = torch.ones(1, 2, requires_grad=True)
        h = x * 1
        a, b = cut(h)
        h.mul_(3)
        assert a.tolist() in ([3.0], [[3.0]]) and b.requires_grad
        with pytest.raises(RuntimeError, match="Output 1 of .* is a view and its base or another view of its base"):
            b.sum()
        with torch.no_grad():
            assert b.sum().item() == 3.0 and a.detach().sum().item() == 3.0
        h.sum().backward()
        assert x.grad.tolist() == [[3.0, 3.0]]


def test_one_of_several_views_made_at_once_may_be_written_without_gradients_only() -> None:
    x = torch.zeros(4)
    a, b = x.split(2)
    a.add_(1)
    assert x.tolist() == [1, 1, 0, 0]
    with pytest.raises(RuntimeError, match="This view is the output of a function that returns multiple views"):
        b.mul_(torch.ones(2, requires_grad=True))
    h = leaf(1.0, 2.0) * 1
    with pytest.raises(RuntimeError, match="Output 0 of Unbind is a view"):
        h.unbind()[0].add_(1)
    with torch.no_grad():
        h.unbind()[0].add_(1)
    assert h.tolist() == [2.0, 2.0]


@pytest.mark.parametrize("shape", [(2, 0), (0, 2), (0,)])
def test_what_has_no_elements_may_be_written(shape: Any) -> None:
    x = torch.zeros(shape)
    assert x.add_(1) is x and x.copy_(torch.ones(shape)) is x and x._version == 2
    with pytest.raises(RuntimeError, match="more than one element of the written-to tensor"):
        torch.ones(1).expand(2).add_(1)
    torch.ones(1).expand(1).add_(1)


def test_writes_through_inference_and_read_only_memory_are_refused() -> None:
    with torch.inference_mode():
        frozen = torch.ones(2) * 2
        frozen.add_(1)
    with pytest.raises(RuntimeError, match="Inplace update to inference tensor outside InferenceMode"):
        frozen.add_(1)
    with pytest.raises(RuntimeError, match="Setting requires_grad=True on inference tensor"):
        frozen.requires_grad_()
    assert frozen.detach().is_inference() and not frozen.clone().is_inference()
    array = np.ones(2, np.float32)
    array.flags.writeable = False
    for constant in (wrap(array), wrap(array)[1:]):
        with pytest.raises(RuntimeError, match="the memory of this tensor is read-only"):
            constant.add_(1)


def test_elements_that_share_memory_may_not_be_written_however_they_came_to() -> None:
    array = np.zeros(1)
    x = torch.from_numpy(np.lib.stride_tricks.as_strided(array, (3,), (0,)))
    with pytest.raises(RuntimeError, match="more than one element of the written-to tensor"):
        x.add_(1)
    assert array.tolist() == [0.0]
    array = np.zeros(3)
    torch.from_numpy(array[::-1]).expand(1, 3).add_(torch.arange(3.0))  # backwards, but each once
    assert array.tolist() == [2.0, 1.0, 0.0]


def test_a_leaf_is_told_from_a_view_of_one() -> None:
    for x in (leaf(1.0), leaf(1.0, 2.0)):
        for t, start in ((x, "a leaf Variable"), (x[:], "a view of a leaf Variable")):
            with pytest.raises(
                RuntimeError, match=f"^{start} that requires grad is being used in an in-place operation"
            ):
                t.add_(1)


# ------------------------------------------------------------------------------------------ Functions
class Twice(torch.autograd.Function):
    """2·a, with more gradients than arguments: the surplus is None."""

    @staticmethod
    def forward(ctx: Any, a: Any) -> Any:
        ctx.save_for_backward(None, a, None, a * 3)
        return a * 2

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        none, a, nothing, thrice = ctx.saved_tensors
        assert none is nothing is None and (a.tolist(), thrice.tolist()) == ([5.0], [15.0])
        return g * 2, None, None


def test_surplus_gradients_of_none_are_dropped_and_earlier_writes_forgotten() -> None:
    x = leaf(4.0)
    h = x * 1
    h.add_(1)
    Twice.apply(h).sum().backward()
    assert x.grad.tolist() == [2.0]


@pytest.mark.parametrize("surplus", [0, 1, 2, 3])
def test_any_number_of_surplus_nones_is_dropped(surplus: int) -> None:
    class Same(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, a: Any, b: Any) -> Any:
            return a * b, a.long(), (b * 2).view(-1)

        @staticmethod
        def backward(ctx: Any, g: Any, whole: Any, twice: Any) -> Any:
            return (g, None, *[None] * surplus)

    x, c = leaf(3.0), leaf(4.0)
    y, whole, twice = Same.apply(x, c)
    assert y.requires_grad and twice.requires_grad and not whole.requires_grad and whole.dtype is torch.int64
    y.backward()
    assert x.grad.tolist() == [1.0] and c.grad is None

    class Whole(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, a: Any) -> Any:
            return a.long()

    assert not Whole.apply(x).requires_grad


@pytest.mark.parametrize(("answer", "count"), [((1, 2, None), None), ((1, 2, 0), 3), ((1, None, 0), 3), ((1,), 1)])
def test_only_nones_at_the_end_are_surplus(answer: Any, count: int | None) -> None:
    class Sum(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, a: Any, b: Any) -> Any:
            return a + b

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return tuple(k if k is None else k * g for k in answer)

    x, z = leaf(3.0), leaf(4.0)
    y = Sum.apply(x, z)
    if count is None:
        y.backward()
        assert (x.grad.item(), z.grad.item()) == (1.0, 2.0)
    else:
        with pytest.raises(RuntimeError, match=rf"expected 2, got {count}\)"):
            y.backward()


def test_an_output_saved_among_several_is_differentiated_through() -> None:
    class Exp(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, a: Any) -> Any:
            y = a.exp()
            ctx.save_for_backward(y)
            return a * 1, y

        @staticmethod
        def backward(ctx: Any, g: Any, h: Any) -> Any:
            return g + h * ctx.saved_tensors[0]

    x = leaf(0.5)
    y = Exp.apply(x)[1]
    for _ in range(3):
        (y,) = torch.autograd.grad(y, x, create_graph=True)
    assert y.item() == pytest.approx(np.exp(0.5))


def test_what_a_function_saved_may_not_change() -> None:
    x = leaf(5.0)
    h = x * 1
    y = Twice.apply(h)
    h.add_(1)
    with pytest.raises(RuntimeError, match="is at version 1; expected version 0 instead") as caught:
        y.backward()
    assert "save a clone() of it" in str(caught.value)


def test_what_a_function_must_return() -> None:
    class Few(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, a: Any, b: Any) -> Any:
            return a + b

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g

    class Bare(Few):
        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return (None,)

    class Plain(Few):
        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return 1.0, None

    class Nothing(torch.autograd.Function):
        pass

    x = leaf(1.0)
    with pytest.raises(
        RuntimeError, match=r"FewBackward returned an incorrect number of gradients \(expected 2, got 1"
    ):
        Few.apply(x, x).backward()
    with pytest.raises(RuntimeError, match=r"BareBackward .* \(expected 2, got 1\)"):
        Bare.apply(x, x).backward()
    with pytest.raises(RuntimeError, match=r"expected Variable or None \(got float\)"):
        Plain.apply(x, x).backward()
    with pytest.warns(DeprecationWarning, match="should not be instantiated"):
        instance = Nothing()
    with pytest.raises(RuntimeError, match="Legacy autograd function"):
        instance(x)


def test_vjp_is_another_name_of_backward() -> None:
    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, a: Any) -> Any:
            ctx.save_for_backward(a)
            return a**3

        @staticmethod
        def vjp(ctx: Any, g: Any) -> Any:
            return g * 3 * ctx.saved_tensors[0] ** 2

    x = leaf(2.0)
    Cube.apply(x).backward()
    assert x.grad.tolist() == [12.0]


# ------------------------------------------------------------------------------------------ derivatives of functions
def square(x: Any) -> Any:
    return x * x


def test_v_may_be_left_out_for_one_number_only() -> None:
    x = leaf(1.0, 2.0)
    assert functional.vjp(lambda x: square(x).sum(), x)[1].tolist() == [2.0, 4.0]
    for several in (square, lambda x: (x.sum(), x.sum())):
        with pytest.raises(RuntimeError, match=r"can only be None if the user-provided function returns a single"):
            functional.vjp(several, x)
    for derive in (functional.jvp, functional.vhp, functional.hvp):
        assert derive(lambda x: square(x).sum(), x[:1])[1].tolist() in ([2.0], 2.0)
        for inputs in (x, (x[:1], x[:1])):
            with pytest.raises(RuntimeError, match="None if the input to the user-provided function is a single"):
                derive(lambda *xs: xs[0].sum(), inputs)
    with pytest.raises(RuntimeError, match="The given v should contain a single Tensor"):
        functional.vjp(square, x, (x, x))
    with pytest.raises(RuntimeError, match="should be 2 but got 1"):
        functional.vjp(lambda x: (x * 1, x * 2), x, x)
    with pytest.raises(RuntimeError, match=r"Entry 1 in v has invalid size: should be torch.Size\(\[2\]\)"):
        functional.vjp(lambda x: (x * 1, x * 2), x, (torch.ones(2), torch.ones(3)))
    for wrong in (torch.ones(1), torch.ones(3), torch.ones(1, 2), torch.ones(())):
        with pytest.raises(RuntimeError, match="^v has invalid size"):
            functional.vjp(square, x, wrong)
    with pytest.raises(TypeError, match="given to vjp .* index 1 has type"):
        functional.vjp(square, (x, 1.0))


def constant(x: Any) -> Any:
    return torch.ones(2, dtype=torch.float64)


def linear(x: Any) -> Any:
    return (x * 3).sum()


def test_what_does_not_depend_has_derivative_zero() -> None:
    x, v = leaf(1.0, 2.0), torch.ones(2, dtype=torch.float64)
    assert functional.vjp(constant, x, v)[1].tolist() == [0.0, 0.0]
    assert functional.jvp(constant, x, v)[1].tolist() == [0.0, 0.0]
    assert functional.jvp(lambda x: x * 3, x, v)[1].tolist() == [3.0, 3.0]
    assert functional.hessian(linear, x).tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert functional.jacobian(constant, x).tolist() == [[0.0, 0.0], [0.0, 0.0]]
    for derive in (functional.vhp, functional.hvp):
        assert derive(linear, x, v)[1].tolist() == [0.0, 0.0]
        assert derive(lambda x: torch.ones(()), x, v)[1].tolist() == [0.0, 0.0]
    one, other = functional.jacobian(lambda a, b: a * 2, (x, x))
    assert one.tolist() == [[2.0, 0.0], [0.0, 2.0]] and not other.array.any()


def test_strictly_everything_must_depend() -> None:
    x, v = leaf(1.0, 2.0), torch.ones(2, dtype=torch.float64)
    w = leaf(3.0, 4.0)
    for derive in (functional.vjp, functional.jvp):
        with pytest.raises(RuntimeError, match="Output 0 of the user-provided function does not require gradients"):
            derive(constant, x, v, strict=True)
        with pytest.raises(RuntimeError, match=r"jacobian .* independent of input 0\. .* when create_graph=True"):
            derive(lambda x: x * 3, x, v, strict=True, create_graph=True)
        assert derive(lambda x: x * 3, x, v, strict=True)[1].tolist() == [3.0, 3.0]
    with pytest.raises(RuntimeError, match="The output of .* is independent of input 1"):
        functional.vjp(lambda a, b: a * 2, (x, x), v, strict=True)
    with pytest.raises(RuntimeError, match="is independent of entry 1 in the grad_outputs"):
        functional.jvp(lambda x: (x * x, w * 1), x, v, strict=True)
    with pytest.raises(RuntimeError, match="Output 1 of .* is independent of input 0"):
        functional.jacobian(lambda x: (x * x, w * 1), x, strict=True)
    for derive, told in ((functional.vhp, "The jacobian of"), (functional.hvp, "The hessian of")):
        with pytest.raises(RuntimeError, match="Output 0 of .* does not require gradients"):
            derive(lambda x: torch.ones(()), x, v, strict=True)
        with pytest.raises(RuntimeError, match="found that the jacobian .* with respect to input 0 is independent"):
            derive(linear, x, v, strict=True)
        with pytest.raises(RuntimeError, match=told):
            derive(lambda x: (w * x).sum(), x, v, strict=True)
    with pytest.raises(RuntimeError, match="found that the jacobian .* with respect to input 0 is independent"):
        functional.hessian(linear, x, strict=True)


@pytest.mark.parametrize("result", [lambda x: x[:0], lambda x: x])
def test_hessians_are_of_one_number(result: Any) -> None:
    with pytest.raises(RuntimeError, match="should contain a single element"):
        functional.hessian(result, leaf(1.0, 2.0))
    with pytest.raises(TypeError, match="outputs of the user-provided function given to hessian must be"):
        functional.hessian(lambda x: 1.0, leaf(1.0, 2.0))


def test_results_are_detached_unless_they_are_to_be_differentiated() -> None:
    x, v = leaf(1.0, 2.0), torch.ones(2, dtype=torch.float64)
    for create in (False, True):
        y, g = functional.vjp(square, x, v, create_graph=create)
        assert y.requires_grad is g.requires_grad is create
        (y, z), g = functional.vjp(lambda x: (x * 2, x * x), x, (v, v), create_graph=create)
        assert y.requires_grad is z.requires_grad is g.requires_grad is create
        assert functional.jvp(square, x, v, create_graph=create)[1].requires_grad is create
        assert functional.jacobian(square, x, create_graph=create).requires_grad is create
        assert functional.hessian(lambda x: (x**3).sum(), x, create_graph=create).requires_grad is create
    plain = torch.tensor([1.0, 2.0])
    assert functional.vjp(square, plain, torch.ones(2))[1].tolist() == [2.0, 4.0] and not plain.requires_grad
    assert functional.jacobian(lambda x: x[:0], x).shape == (0, 2)
    with pytest.raises(RuntimeError, match="floating point dtype"):
        functional.vjp(square, torch.tensor([1, 2]), torch.ones(2))


# ------------------------------------------------------------------------------------------ copies
def test_copies_of_leaves_and_of_nothing_else() -> None:
    x = leaf(1.0, 2.0)
    x.name = "w"
    (x * x).sum().backward()
    twin = copy.deepcopy([x, x])
    assert twin[0] is twin[1] is not x and twin[0].tolist() == [1.0, 2.0] and twin[0].name == "w"
    assert twin[0].grad.tolist() == [2.0, 4.0] and twin[0].grad is not x.grad
    assert twin[0].requires_grad and twin[0].is_leaf and not np.shares_memory(twin[0].array, x.array)
    assert not copy.deepcopy(torch.ones(1)).requires_grad and copy.deepcopy(torch.ones(1)).grad is None
    for revived in (pickle.loads(pickle.dumps(x)), copy.copy(x)):
        assert revived.tolist() == [1.0, 2.0] and revived.requires_grad and revived._version == 0
    assert not pickle.loads(pickle.dumps(torch.ones(1))).requires_grad
    x.grad.requires_grad_()
    assert copy.deepcopy(x).grad.requires_grad
    with pytest.raises(RuntimeError, match="Only Tensors created explicitly by the user"):
        copy.deepcopy(x * 2)
    revived = pickle.loads(pickle.dumps(x * 2))  # without its history, as in PyTorch
    assert revived.tolist() == [2.0, 4.0] and revived.requires_grad and revived.is_leaf
