"""How ops are declared: arrays by position, attributes by keyword, and the name that PyTorch gives the vertex."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import tinygrad_pt as torch
from tests.ops.table import DEFINED, ROWS
from tinygrad_pt import graph, ops

ARRAY = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
OURS = [op for op in graph.OPS.values() if op.name in DEFINED and inspect.isfunction(op.forward)]


def split(function: Any) -> tuple[list[str], set[str]]:
    """The names of what a function takes by position, and of what by keyword only."""
    parameters = inspect.signature(function).parameters.values()
    arrays = [p.name for p in parameters if p.kind in ARRAY]
    return arrays, {p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY}


def test_forward_and_rules_take_the_same_arrays_and_attributes() -> None:
    for op in OURS:
        arrays, attributes = split(op.forward)
        assert len(arrays) + len(attributes) == len(inspect.signature(op.forward).parameters), op
        for shapes, given in ROWS[op.name].cases:
            assert set(given) <= attributes, f"{op}: an attribute is given by its name"
            for rule in op.rules_for(len(shapes)):
                if rule is not None:
                    read, needed = split(rule)
                    assert read[:2] == ["g", "y"] and needed == attributes, op
                    assert len(read) - 2 == len(arrays), op


def test_an_op_of_one_argument_says_whether_it_works_element_by_element() -> None:
    a = np.random.default_rng(0).permutation(np.arange(1, 17) / 17).reshape(4, 4)
    for op in OURS:
        if not op.variadic and len(op.rules) == 1 and split(op.forward) == (["a"], set()):
            whole = np.asarray(op.forward(a + 1 if op.name == "acosh" else a))
            single = np.asarray(op.forward(a[1:3, 2:] + 1 if op.name == "acosh" else a[1:3, 2:]))
            apart = whole.shape == a.shape and np.array_equal(whole[1:3, 2:], single)
            assert op.elementwise is apart, op


def test_soft_extremes_of_what_is_far_below_zero_are_those_of_the_differences() -> None:
    near, far = np.array([[0.0, -1.0, -2.0]]), np.array([[0.0, -1.0, -2.0]]) - 5000
    for op in (ops.softmax, ops.log_softmax):
        np.testing.assert_allclose(op(far, axis=1), op(near, axis=1), rtol=1e-9)
    np.testing.assert_allclose(ops.logsumexp(far, axis=1), ops.logsumexp(near, axis=1) - 5000, rtol=1e-12)


def test_a_sigmoid_is_that_of_complex_numbers_too() -> None:
    z = np.array([0.5j, 1 - 2j])
    np.testing.assert_allclose(ops.sigmoid(z), 1 / (1 + np.exp(-z)), rtol=1e-14)


def test_crop_and_pad_undo_each_other_with_negative_widths_too() -> None:
    a = np.arange(1.0, 5.0)
    for widths, cropped in [
        ((0, 0), a), ((1, 0), a[1:]), ((0, 1), a[:3]), ((1, 2), a[1:2]), ((-1, 0), [0, 1, 2, 3, 4]),
        ((0, -1), [1, 2, 3, 4, 0]), ((-1, 1), [0, 1, 2, 3]), ((2, -2), [3, 4, 0, 0]), ((-1, -1), [0, 1, 2, 3, 4, 0]),
    ]:  # fmt: skip
        assert ops.crop(a, widths=(widths,)).tolist() == list(cropped)
        mirrored = tuple(-w for w in widths)
        assert ops.pad(a, widths=(mirrored,), value=0.0).tolist() == list(cropped)
    assert ops.pad(a[:1], widths=((1, 2),), value=7.0).tolist() == [7, 1, 7, 7]
    assert ops.crop(np.ones((2, 2)), widths=((0, 0), (-1, 0))).tolist() == [[0, 1, 1], [0, 1, 1]]


@pytest.mark.parametrize("name", ["sum", "mean", "var", "std", "norm", "amax", "amin"])
def test_a_reduction_is_over_all_axes_and_drops_them_unless_told_otherwise(name: str) -> None:
    a = np.arange(6.0).reshape(2, 3)
    assert np.shape(DEFINED[name](a)) == () and DEFINED[name](a, axis=(0,)).shape == (3,)
    assert DEFINED[name](a, axis=(0,), keepdims=True).shape == (1, 3)
    assert ops.logsumexp(a, axis=(0,)).shape == (3,)


def test_a_variance_is_the_unbiased_one_unless_told_otherwise() -> None:
    a = np.array([1.0, 2.0, 6.0])
    assert ops.var(a) == 7 and ops.std(a) == 7**0.5 and ops.var(a, correction=0) == 14 / 3


# What PyTorch 2.13 prints as grad_fn of these, x being a leaf of shape (2, 3) and v one of shape (4,).
NAMES = {
    "x[0]": "SelectBackward0",
    "x[0:1]": "SliceBackward0",
    "x[None]": "UnsqueezeBackward0",
    "x[...]": "AliasBackward0",
    "x[..., 1:]": "SliceBackward0",
    "x[0, ...]": "SelectBackward0",
    "x[None, 0]": "SelectBackward0",
    "x[0, None]": "UnsqueezeBackward0",
    "x[0:1, 0]": "SelectBackward0",
    "x[0, 0:1]": "SliceBackward0",
    "x[torch.tensor([0, 1])]": "IndexBackward0",
    "x + 1": "AddBackward0",
    "x.T": "PermuteBackward0",
    "x.t()": "TBackward0",
    "x.view(6)": "ViewBackward0",
    "x.sum()": "SumBackward0",
    "x.sum(0)": "SumBackward1",
    "x.mean()": "MeanBackward0",
    "x.mean(0)": "MeanBackward1",
    "x.max()": "MaxBackward1",
    "x.min()": "MinBackward1",
    "x.amax(0)": "AmaxBackward0",
    "x.amin(0)": "AminBackward0",
    "x ** 2": "PowBackward0",
    "x ** x": "PowBackward1",
    "2 ** x": "PowBackward2",
    "x.clamp(0, 1)": "ClampBackward1",
    "x.double()": "ToCopyBackward0",
    "torch.cat([x, x])": "CatBackward0",
    "torch.stack([x, x])": "StackBackward0",
    "x.split(1)[1]": "SplitBackward0",
    "x.unbind()[1]": "UnbindBackward0",
    "torch.nn.functional.linear(x, x)": "MmBackward0",
    "torch.nn.functional.linear(x, x, v[:2])": "AddmmBackward0",
    "torch.nn.functional.nll_loss(v, torch.tensor(1))": "NllLossBackward0",
    "torch.nn.functional.nll_loss(x, torch.tensor([0, 1]))": "NllLossBackward0",
    "torch.nn.functional.nll_loss(x[None], torch.tensor([[0, 1, 0]]))": "NllLoss2DBackward0",
    "torch.nn.functional.nll_loss(x[None, None, :, 0], torch.tensor([[0, 0]]))": "NllLoss2DBackward0",
    "torch.nn.functional.nll_loss(x[None, :, None], torch.tensor([[[0, 1, 0]]]))": "NllLoss2DBackward0",
}


@pytest.mark.parametrize("expression", NAMES)
def test_names_of_vertices_are_those_of_pytorch(expression: str) -> None:
    x, v = torch.ones(2, 3, requires_grad=True), torch.ones(4, requires_grad=True)
    y = eval(expression, {"torch": torch, "x": x, "v": v})
    assert y.grad_fn.name() == NAMES[expression]
    assert repr(y.grad_fn).startswith(f"<{NAMES[expression]} object at 0x")


VIEWS = [
    "x[0]", "x[0:1]", "x[None]", "x[...]", "x[1, ::2]", "x.t()", "x.T", "x.transpose(0, 1)", "x.permute(1, 0)",
    "x.view(6)", "x.view(2, 3)", "x.reshape(3, 2)", "x.flatten()", "x.unsqueeze(1)", "x[None].squeeze(0)",
    "x.select(1, 2)", "x.narrow(1, 1, 2)", "x.diagonal()", "x.diagonal(1)", "x.t().diagonal(-1)", "x.split(2, 1)[0]",
    "x.chunk(2)[1]", "x.unbind(1)[2]",
]  # fmt: skip
COPIES = [
    "x.clone()", "x.diag()", "x.diag(1)", "x.flip(0)", "x[[0, 1]]", "x.repeat(1, 1)", "x[:1, :1].repeat(3, 2)",
    "x.tile(1)", "x.roll(0, 0)", "x.roll(3, 1)", "x.roll(1, 1)", "x.t().contiguous()",
]  # fmt: skip


@pytest.mark.parametrize("expression", [*VIEWS, *COPIES])
def test_what_is_a_view_in_pytorch_is_one_here_and_is_written_through(expression: str) -> None:
    x = torch.arange(6.0).reshape(2, 3).clone()
    y = eval(expression, {"x": x})
    before, shares = x.sum().item(), expression in VIEWS
    assert y._is_view() is shares and (y._base is x) is shares
    y.add_(100)
    assert x.sum().item() == before + 100 * y.numel() * shares
    assert y._version == 1 and x._version == shares


def test_a_diagonal_that_was_written_passes_its_gradient_on() -> None:
    w = torch.ones(3, 3, requires_grad=True)
    y = w * 2
    y.diagonal().mul_(5)
    y.sum().backward()
    assert w.grad.tolist() == [[10, 2, 2], [2, 10, 2], [2, 2, 10]]
    with pytest.raises(RuntimeError, match="more than one element of the written-to tensor"):
        torch.ones(1).expand(3, 3).diagonal().add_(1)
