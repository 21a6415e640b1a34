"""Attention and Transformers against PyTorch's: values, gradients of both orders, streams, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_pt as G

T = pytest.importorskip("torch")


def numbers(t: Any) -> Any:
    return t.detach().numpy()


def compare(ours: Any, theirs: Any, tolerance: float = 1e-9) -> None:
    assert len(ours) == len(theirs)
    for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        assert a.shape == b.shape and a.dtype == b.dtype, i
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance, err_msg=str(i))


ATTENTIONS: list[tuple[Any, str, dict[str, Any]]] = [
    (((2, 3, 4), (2, 5, 4), (2, 5, 6)), "None", {}),
    (((2, 2, 3, 4), (2, 2, 5, 4), (2, 2, 5, 4)), "None", {"is_causal": True}),
    (((2, 5, 4), (2, 3, 4), (2, 3, 4)), "None", {"is_causal": True, "scale": 0.7}),
    (((2, 3, 4), (1, 5, 4), (5, 6)), "z(3, 5).bool() | (t([1, 0, 1, 0, 0]) > 0)", {}),
    (((3, 4), (5, 4), (5, 6)), "t([[1, 0, 1, 0, 0], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1]]) > 0", {}),
    (((1, 2, 3, 4), (1, 2, 3, 4), (1, 2, 3, 4)), "t([[0.5], [-1.0], [float('-inf')]])", {}),
    (((1, 2, 3, 4), (1, 2, 3, 4), (1, 2, 3, 4)), "t([[0.5, float('-inf'), 1.0]])", {"is_causal": True}),
    (((2, 4, 3, 4), (2, 2, 5, 4), (2, 2, 5, 4)), "None", {"enable_gqa": True}),
    (((2, 3, 4), (2, 5, 4), (2, 5, 6)), "None", {"dropout_p": 0.4}),
    (((2, 0, 4), (2, 5, 4), (2, 5, 6)), "None", {}), (((0, 3, 4), (0, 5, 4), (0, 5, 6)), "None", {}),
    (((2, 3, 4), (2, 0, 4), (2, 0, 6)), "None", {}),
]  # fmt: skip


@pytest.mark.parametrize(("shapes", "mask", "settings"), ATTENTIONS, ids=lambda x: str(x))
def test_attention(shapes: Any, mask: str, settings: dict[str, Any]) -> None:
    found = []
    for torch in (G, T):
        torch.manual_seed(0)
        draw = np.random.default_rng(0)
        xs = [torch.tensor(draw.normal(size=s), requires_grad=True) for s in shapes]
        given = eval(mask, {"z": torch.zeros, "t": torch.tensor})
        y = torch.nn.functional.scaled_dot_product_attention(*xs, given, **settings)
        grads = torch.autograd.grad(y, xs, torch.tensor(draw.normal(size=tuple(y.shape))))
        found.append([numbers(r) for r in (y, *grads, torch.rand(2))])
    compare(*found)


def test_a_gradient_of_a_gradient() -> None:
    found = []
    for torch in (G, T):
        draw = np.random.default_rng(0)
        shapes = ((2, 3, 4), (2, 5, 4), (2, 5, 6), (3, 5))
        xs = [torch.tensor(draw.normal(size=s), requires_grad=True) for s in shapes]
        y = torch.nn.functional.scaled_dot_product_attention(*xs)
        grads = torch.autograd.grad(y.pow(2).sum(), xs, create_graph=True)
        twice = torch.autograd.grad(sum(g.pow(2).sum() for g in grads), xs)
        found.append([numbers(r) for r in (y, *grads, *twice)])
    compare(*found)


HEADS: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
    ({}, {}, True), ({"bias": False, "batch_first": True}, {"need_weights": False}, True),
    ({"kdim": 3, "vdim": 5}, {"average_attn_weights": False}, True), ({"add_bias_kv": True}, {}, True),
    ({"add_zero_attn": True, "add_bias_kv": True}, {"attn_mask": "b(3, 5)", "key_padding_mask": "b(2, 5)"}, True),
    ({"dropout": 0.3}, {"attn_mask": "f(4, 3, 5)", "key_padding_mask": "f(2, 5)"}, True),
    ({"dropout": 0.3}, {"need_weights": False, "attn_mask": "b(4, 3, 5)"}, True),
    ({}, {"attn_mask": "b(3, 5)", "key_padding_mask": "b(5)"}, False), ({}, {"attn_mask": "f(2, 3, 5)"}, False),
    ({}, {"need_weights": False, "attn_mask": "b(3, 5)", "is_causal": True}, True),
    ({"kdim": 3, "vdim": 4, "bias": False}, {"need_weights": False, "key_padding_mask": "b(2, 5)"}, True),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "given", "batched"), HEADS, ids=lambda x: str(x))
def test_many_heads(settings: dict[str, Any], given: dict[str, Any], batched: bool) -> None:
    found = []
    for torch in (G, T):
        torch.manual_seed(0)
        draw = np.random.default_rng(0)
        names = {
            "f": lambda *s: torch.tensor(draw.normal(size=s)),  # noqa: B023
            "b": lambda *s: torch.tensor(draw.random(s) * np.arange(s[-1]) / s[-1] > 0.4),  # noqa: B023
        }
        m = torch.nn.MultiheadAttention(4, 2, **settings).double()
        m.in_proj_bias is None or m.in_proj_bias.data.normal_()
        sizes = [(3, 4), (5, settings.get("kdim", 4)), (5, settings.get("vdim", 4))]
        at = 0 if settings.get("batch_first") else 1
        xs = [
            torch.tensor(draw.normal(size=(*s[:at], 2, *s[at:]) if batched else s), requires_grad=True) for s in sizes
        ]
        more = {k: eval(v, names) if isinstance(v, str) else v for k, v in given.items()}
        y, weights = m(*xs, **more)
        results = [y] if weights is None else [y, weights]
        leaves = [*xs, *m.parameters()]
        loss = sum((r * torch.tensor(draw.normal(size=tuple(r.shape)))).sum() for r in results)
        grads = torch.autograd.grad(loss, leaves)
        found.append([numbers(r) for r in (*results, *grads, torch.rand(2))])
    compare(*found)


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("which", ["self", "memory", "shared value"])
def test_one_tensor_in_several_roles(batch_first: bool, which: str) -> None:
    found = []
    for torch in (G, T):
        torch.manual_seed(0)
        m = torch.nn.MultiheadAttention(4, 2, batch_first=batch_first)
        a, b = torch.randn(3, 3, 4, requires_grad=True), torch.randn(3, 3, 4, requires_grad=True)
        y, w = m(*{"self": (a, a, a), "memory": (a, b, b), "shared value": (a, b, a)}[which])
        y.pow(2).sum().backward()
        grads = [x.grad for x in (a, b, *m.parameters()) if x.grad is not None]
        found.append([numbers(r) for r in (y, w, *grads)])
    compare(*found, 1e-4)


WRONG = """A(z(4),z(5,4),z(5,6))
A(z(2,3,4),z(2,5,3),z(2,5,6))
A(z(2,3,4),z(2,5,4),z(2,6,6))
A(z(2,3,4),z(3,5,4),z(3,5,6))
A(z(2,3,4).double(),z(2,5,4),z(2,5,6))
A(z(2,3,4).long(),z(2,5,4).long(),z(2,5,6).long())
A(z(2,3,4),z(2,5,4),z(2,5,6),z(3,4))
A(z(2,3,4),z(2,5,4),z(2,5,6),z(3,5).long())
A(z(2,3,4),z(2,5,4),z(2,5,6),z(3,5).double())
A(z(2,3,4),z(2,5,4),z(2,5,6),z(3,5),is_causal=True)
A(z(2,3,4),z(2,5,4),z(2,5,6),dropout_p=2.)
A(z(2,8,3,4),z(2,2,5,4),z(2,2,5,6))
A(z(2,8,3,4),z(2,3,5,4),z(2,3,5,6),enable_gqa=True)
A(z(2,3,4),3,z(2,5,6))
A(z(2,3,4),z(2,5,4),z(2,5,6),3)
A(z(2,3,4),z(2,5,4),z(2,5,6),(z(2,1,1,5)==0))
M(5,2)
M(0,2)
M(4,2)(z(3,2,4),z(5,2,4),z(5,3,4))
M(4,2)(z(3,2,4),z(5,3,4),z(5,3,4))
M(4,2)(z(3,2,5),z(5,2,4),z(5,2,4))
M(4,2)(z(3,2,4),z(5,2,5),z(5,2,5))
M(4,2)(z(3,2,4),z(5,4),z(5,2,4))
M(4,2)(z(3,4),z(5,2,4),z(5,2,4))
M(4,2)(z(4),z(5,2,4),z(5,2,4))
M(4,2)(z(3,2,4),z(5,2,4),z(5,2,4),key_padding_mask=z(2,4)==1)
M(4,2)(z(3,2,4),z(5,2,4),z(5,2,4),key_padding_mask=z(3,5)==1)
M(4,2)(z(3,2,4),z(5,2,4),z(5,2,4),key_padding_mask=z(5)==1)
M(4,2)(z(3,2,4),z(5,2,4),z(5,2,4),key_padding_mask=z(2,5).long())
M(4,2)(z(3,2,4),z(5,2,4),z(5,2,4),attn_mask=z(3,4))
M(4,2)(z(3,2,4),z(5,2,4),z(5,2,4),attn_mask=z(3,3,5))
M(4,2)(z(3,2,4),z(5,2,4),z(5,2,4),attn_mask=z(5))
M(4,2)(z(3,2,4),z(5,2,4),z(5,2,4),attn_mask=z(3,5).long())
M(4,2)(z(3,2,4),z(5,2,4),z(5,2,4),is_causal=True)
M(4,2,kdim=3,vdim=5)(z(3,2,4),z(5,2,4),z(5,2,5))
M(4,2)(z(3,2,4).double(),z(5,2,4).double(),z(5,2,4).double())
M(4,2)(3,z(5,2,4),z(5,2,4))
M(4,2)(z(3,4),z(5,4),z(5,4),attn_mask=z(3,3,5))"""


def said(torch: Any, program: str) -> tuple[str, Any]:
    """What an expression gives, or the first line of its error."""
    names = {"nn": torch.nn, "A": torch.nn.functional.scaled_dot_product_attention, "M": torch.nn.MultiheadAttention}
    try:
        return "", repr(eval(program, names | {"z": torch.zeros, "t": torch.tensor, "torch": torch}))
    except Exception as error:
        return type(error).__name__, str(error.args[0]).split("\n")[0]


@pytest.mark.parametrize("program", WRONG.split("\n"))
def test_refusals(program: str) -> None:
    ours, theirs = said(G, program), said(T, program)
    assert ours[0]
    assert ours == theirs


def test_two_kinds_of_masks_warn() -> None:
    for torch in (G, T):
        m, x = torch.nn.MultiheadAttention(4, 2), torch.zeros(3, 2, 4)
        with pytest.warns(UserWarning, match="Support for mismatched key_padding_mask and attn_mask is deprecated"):
            m(x, x, x, attn_mask=torch.zeros(3, 3), key_padding_mask=torch.zeros(2, 3) > 0)


def test_halves() -> None:
    found = []
    for torch in (G, T):
        torch.manual_seed(0)
        xs = [torch.randn(2, 2, 3, 4).half().requires_grad_() for _ in range(3)]
        y = torch.nn.functional.scaled_dot_product_attention(*xs, is_causal=True)
        y.sum().backward()
        found.append([numbers(r) for r in (y, *(x.grad for x in xs))])
    compare(*found, 2e-2)
