"""Views and writing beside PyTorch 2.13: random programs, and what each kind of view and of write gives or refuses."""

# ruff: noqa: E501

from __future__ import annotations

import copy
import os
import pickle
import warnings
from typing import Any

import pytest

import tinygrad_pt
from tests.functions import view_programs

torch = pytest.importorskip("torch")

PARTS, EACH = (10, 300) if os.environ.get("CI") else (4, 300)


@pytest.mark.parametrize("part", range(PARTS))
def test_random_programs_of_views_writes_modes_and_hooks(part: int) -> None:
    for seed in range(part * EACH, (part + 1) * EACH):
        program = view_programs.random_program(seed)
        if view_programs.compare(program):
            program = view_programs.shortened(program)
            raise AssertionError(f"seed {seed}: {program}\n{view_programs.compare(program)}")


def test_the_programs_notice_a_wrong_engine(monkeypatch: Any) -> None:
    monkeypatch.setattr("tinygrad_pt.inplace.replace_node", lambda t, node: setattr(t, "node", node))
    assert any(view_programs.compare([("times", 0, 0, 0, ""), ("retain_grad", 3, 0, 0, ""), (write, 3, 0, 0, "")])
               for write in ("mul_", "set row", "zero_"))  # fmt: skip


# ------------------------------------------------------------------------------------------ one snippet each
def outcome(library: Any, snippet: str) -> Any:
    """The value of `r` after a snippet, or its error: the type and the first line."""
    scope: dict[str, Any] = {"torch": library, "T": library.tensor, "copy": copy, "pickle": pickle, "nn": library.nn}
    scope["x"] = library.arange(1.0, 7.0).reshape(2, 3).requires_grad_()
    scope["a"] = scope["x"] * 1
    scope["z"] = library.arange(6.0).reshape(2, 3)
    scope["w"] = library.tensor([2.0, 3.0, 4.0], requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            exec(snippet, scope)
        except Exception as error:
            return type(error).__name__, str(error).splitlines()[0]
    return plain(scope.get("r"))


def plain(r: Any) -> Any:
    if isinstance(r, (list, tuple)):
        return [plain(part) for part in r]
    return plain(r.tolist()) if hasattr(r, "tolist") else r


def agree(snippets: list[str]) -> None:
    wrong = [(s, t, o) for s in snippets if (t := outcome(torch, s)) != (o := outcome(tinygrad_pt, s))]
    told = "\n".join(f"{s}\n  torch: {str(t)[:120]}\n  ours:  {str(o)[:120]}" for s, t, o in wrong[:9])
    assert not wrong, f"{len(wrong)} differ\n{told}"


ONE_VIEW = {
    "a[0]": 0, "a[1:]": 0, "a[..., 1]": 0, "a[None]": 0, "a.t()": 0, "a.T": 0, "a.mT": 0, "a.view(-1)": 0, "a.view_as(z)": 0,
    "a.reshape(3, 2)": 0, "a.narrow(0, 0, 1)": 0, "a.select(1, 1)": 0, "a.unsqueeze(0)": 0, "a.squeeze()": 0,
    "a.diagonal()": 0, "a.transpose(0, 1)": 0, "a.swapaxes(0, 1)": 0, "a.permute(1, 0)": 0, "a.movedim(0, 1)": 0,
    "a.flatten()": 0, "a.ravel()": 0, "a.unflatten(1, (3, 1))": 0, "a.expand(1, 2, 3)": 0, "a.unfold(0, 2, 2)": 0,
    "a.tensor_split(2)[1]": 0, "a[0][1:]": 0, "a.t()[1]": 0, "a[...]": 0,
}  # fmt: skip
SEVERAL = [
    "a.unbind()[1]",
    "a.chunk(2)[0]",
    "a.split(1)[1]",
    "list(a)[0]",
    "a.split([1, 2], 1)[0]",
    "a.unbind(1)[2][1:]",
]
WRITES = ["v.mul_(3)", "v.zero_()", "v.add_(v)", "v[...] = 5.", "v.copy_(v * 2)", "v.square_()", "v.fill_(2)", "v += 1",
          "v.masked_fill_(v > 2, 0.)"]  # fmt: skip


@pytest.mark.parametrize("mode", ["no_grad", "inference_mode"])
def test_a_view_made_in_a_mode_is_not_written_outside(mode: str) -> None:
    agree([
        f"with torch.{mode}():\n v = {view}\n{write}\nr = 0"
        for view in (*ONE_VIEW, *SEVERAL) for write in WRITES
    ])  # fmt: skip


def test_nor_is_its_base_or_a_view_of_it() -> None:
    after = ["r = v.requires_grad", "r = v.is_leaf", "r = v.grad_fn", "r = v * 2", "r = v.tolist()", "r = v.detach()",
             "r = repr(v)", "r = v[...]", "v.sum().backward()", "with torch.no_grad():\n r = v * 2", "v.mul_(2)",
             "r = torch.cat([v, v])", "copy.deepcopy(v)"]  # fmt: skip
    for write in (
        "a.mul_(3)",
        "a[0] = 1.",
        "with torch.no_grad():\n a.mul_(3)",
        "a.detach().mul_(3)",
        "a.view(-1).zero_()",
    ):
        for view in ("a[0]", "a.t()[1]", "a.unbind()[1]"):
            made = f"with torch.no_grad():\n v = {view}\n"
            agree([f"{made}{write}\n{use}" for use in after] + [f"{made}u = v[1:]\nu.mul_(2)"])


def test_what_pytorch_allows_has_its_gradients() -> None:
    both = "(a * T([[1., 10., 100.], [5., 50., 500.]])).sum().backward(); r = x.grad.tolist(), a._version"
    agree(
        [f"with torch.no_grad():\n v = {view}\n {write}\n{both}" for view in ONE_VIEW for write in WRITES]
        + [f"v = {view}\n{write}\n{both}" for view in ONE_VIEW for write in WRITES]
        + [f"v = {view}\nwith torch.no_grad():\n {write}\n{both}" for view in (*ONE_VIEW, *SEVERAL) for write in WRITES]
        + [f"v = {view}\nr = (v * v).sum().backward(), x.grad.tolist()" for view in (*ONE_VIEW, *SEVERAL)]
        + ["with torch.no_grad():\n v = x[0]\n(v * w).sum().backward()\nr = x.grad, v.grad, w.grad.tolist()"]
    )


def test_views_of_a_leaf_and_of_what_asks_for_nothing() -> None:
    agree([
        f"{made}v = {view.replace('a', name, 1)}\n{write}\nr = v.requires_grad, v._version"
        for made in ("", "with torch.no_grad():\n ") for view in (*ONE_VIEW, *SEVERAL) for name in "xz"
        for write in ("v.mul_(2)", "v.mul_(w[0])", f"{name}.mul_(w[0])")
    ])  # fmt: skip


def test_several_views_are_not_written_nor_do_they_follow_their_base() -> None:
    agree([
        f"v = {view}\n{step}\nr = 0" for view in SEVERAL
        for step in (*WRITES, "a.mul_(2); v + 1", "a.mul_(2); r = v.tolist()", "a[0].add_(1); v.sum()",
                     "with torch.no_grad():\n a.mul_(2)\nv.sum()")
    ])  # fmt: skip


VIEWS_OF_Z = [view.replace("a", "z", 1) for view in ONE_VIEW]
COPIES = ["z.flip(0)", "z[::1].clone()", "z.t().contiguous()", "z.t().reshape(-1)", "z[:, ::2].ravel()", "z.repeat(1, 2)",
          "z[T([0])]", "z[z > 1]", "z.roll(1)", "z.tril()", "z * 1", "z.diag()", "z.t().flatten()", "z[:, 1:].reshape(-1)"]  # fmt: skip


def test_views_share_memory_and_copies_do_not() -> None:
    facts = "r = v.tolist(), v._is_view(), v._base is z, v.stride(), v.is_contiguous(), v._version, list(v.shape)"
    agree([f"v = {view}\nz[1, 1] = 77.\n{facts}" for view in [*VIEWS_OF_Z, *COPIES]])
    agree([f"v = {view}\nr = v.data_ptr() - z.data_ptr()" for view in VIEWS_OF_Z])
    agree([f"v = {view}[...]\nr = v.stride(), v._base is z" for view in VIEWS_OF_Z])


def test_strides_are_those_of_pytorch() -> None:
    agree([f"r = {made}.stride()" for made in (
        "torch.ones(1, 5)", "torch.ones(1, 5).expand(1, 5)", "torch.ones(1, 5).expand(2, 5)", "torch.ones(5, 1).expand(3, 5, 1)",
        "torch.ones(()).expand(2, 1)", "torch.ones(2, 1, 3)", "torch.ones(2, 1, 3).mT",
        "torch.ones(2, 1, 3)[:, 0]", "torch.ones(3)[None]", "torch.ones(3)[:, None]", "torch.ones(3, 4)[:, None, 1:2]",
        "torch.ones(0)", "torch.ones(0, 3)", "torch.ones(2, 0, 3)", "torch.ones(2, 0, 3)[:1]", "torch.ones(0, 3).t()",
        "torch.ones(2, 3).unsqueeze(1)", "torch.ones(2, 3).t().unsqueeze(-1)", "torch.ones(2, 3)[:1].t()",
        "torch.ones(2, 3)[:, :1].squeeze(1)", "torch.ones(4, 6).view(4, 1, 6, 1)", "torch.ones(4, 6)[::2].unflatten(0, (1, 2))",
        "torch.ones(4, 6).t().unsqueeze(0).expand(2, 6, 4)", "torch.ones(3, 3).diagonal(2)", "torch.ones(6).unfold(0, 6, 2)",
        "torch.ones(6)[::2].ravel()", "torch.ones(2, 3, 4).permute(2, 0, 1)[:1]", "torch.ones(1, 4).narrow(1, 1, 1)",
        "torch.ones(5, 1).split(1)[2]", "torch.ones(5, 1).unbind(0)[2]", "torch.ones(2, 3)[0:0]", "torch.ones(8)[::3].view(3, 1)",
        "torch.ones(4, 1, 1).movedim(0, -1)", "torch.ones(1, 1, 1).squeeze(1)", "torch.ones(2, 3).reshape(1, 6, 1)",
        "torch.ones(3, 4).t().reshape(1, 4, 3)", "torch.ones(4, 3).t()[:, None].expand(3, 2, 4)", "torch.ones(2, 6)[:, ::2].flip(1)",
    )])  # fmt: skip


# ------------------------------------------------------------------------------------------ expanded views
EXPANDED = ["w.detach().clone().expand(2, 3)", "z[:1].expand(4, 3)", "T(1.).expand(3)", "T([[1.], [2.]]).expand(2, 3)",
            "z[0].expand_as(z)", "z[0].broadcast_to((2, 3))", "torch.broadcast_tensors(z[0], z)[0]"]  # fmt: skip


def test_writes_into_expanded_tensors() -> None:
    writes = [*(w.replace("v", "e") for w in WRITES), "e.fill_(T(2.))", "e.copy_(T(3.))", "e[T([0])] = 3.", "e[e > 1] = 3.",
              "e[0] = 4.", "e[0:1] = 3.", "e[:] = 3.", "e.index_put_((T([0]),), T(3.))", "e.tanh_()", "e.clamp_(0, 1)",
              "e.index_add_(0, T([0]), e[:1])", "e.scatter_(0, e[:1].long() * 0, 5.)", "e.bernoulli_(1.)",
              "torch.mul(e, 2., out=e)", "e[0].zero_()"]  # fmt: skip
    agree([f"e = {made}\n{write}\nr = e.tolist(), e._version" for made in EXPANDED for write in writes])


def test_a_part_of_an_expanded_tensor_is_written_and_has_gradients() -> None:
    ends = "e.sum().backward(); r = w.grad.tolist(), e.tolist(), b.tolist()"
    agree([f"b = w * 1\ne = b.expand(2, 3)\n{write}\n{ends}" for write in (
        "e[0] = torch.zeros(3)", "e[0] = w * 5", "e[1, 1] = 7.", "e[0, 1:] = w[0]", "e[1].mul_(3)", "e[0].copy_(w * w)",
        "e.unbind()[0]; b.mul_(2)", "b[0] = 3.", "e[1:].add_(1)",
    )])  # fmt: skip
    agree(["e = (w[:1] * 2).expand(3)\ne[1:2] = 9.\n(e * w).sum().backward(); r = w.grad.tolist()",
           "e = x[0].expand(2, 3)\ng = torch.autograd.grad(e.sum(), x)[0]\ng[0] = 3.\nr = g"])  # fmt: skip


def test_an_array_of_an_expanded_tensor_may_be_written() -> None:
    e = tinygrad_pt.zeros(3).expand(2, 3)
    e.numpy()[0, 1] = 5
    assert e.tolist() == [[0, 5, 0], [0, 5, 0]]


# ------------------------------------------------------------------------------------------ retain_grad and hooks
def test_retain_grad_follows_the_tensor_and_hooks_stay_with_the_value() -> None:
    writes = ["a.mul_(3)", "a[0] = 9.", "a.relu_()", "v = a[0]; v.mul_(3)", "a.zero_()", "a.copy_(w)", "a.view(-1)[2:].square_()",
              "with torch.no_grad():\n a.mul_(3)", "a.mul_(3); a.mul_(2)", "b = a * 2; a.add_(1); a = a + b"]  # fmt: skip
    hear = "heard = []\na.register_hook(lambda g: heard.append(('before', g.tolist())))\n"
    more = "a.register_hook(lambda g: heard.append(('after', g.tolist())))\n"
    ends = "(a * a).sum().backward(); r = c.grad, x.grad, c.retains_grad"
    agree([f"c = a\na.retain_grad()\n{write}\n{ends}" for write in writes])
    agree([f"c = a\n{write}\na.retain_grad()\n{ends}" for write in writes[:-1]])
    agree([
        f"c = a\n{hear}a.retain_grad()\n{write}\n{more}(a * a).sum().backward(); r = c.grad, x.grad, heard" for write in writes[:-1]
    ])  # fmt: skip
    agree([
        "v = a[0]; v.retain_grad(); a.mul_(3); (v.sum() + a.sum()).backward(); r = v.grad, x.grad",
        "v = a[0]; v.retain_grad(); v.mul_(3); (v.sum() + a.sum()).backward(); r = v.grad, x.grad",
        "v = a[1:]; v.retain_grad(); a.retain_grad(); v.mul_(2); a.mul_(3); v[0].mul_(5); (a * a).sum().backward()\n"
        "r = a.grad, v.grad, x.grad",
        "h = a.register_hook(lambda g: g * 10); a.mul_(2); h.remove(); a.sum().backward(); r = x.grad",
        "a.register_hook(lambda g: g * 10); a.mul_(2); a.sum().backward(); r = x.grad",
        "a.register_hook(lambda g: g * 10); a.retain_grad(); a.register_hook(lambda g: g + 1); a.sum().backward()\n"
        "r = a.grad, x.grad",
        "heard = []; x.register_post_accumulate_grad_hook(lambda p: heard.append(p.grad.tolist()))\n"
        "x.register_hook(lambda g: heard.append(g.tolist()))\nwith torch.no_grad():\n x.add_(3)\na.sum().backward(); r = heard",
        "heard = []; x.register_hook(lambda g: heard.append(g.tolist())); x.requires_grad_(False); x.requires_grad_()\n"
        "(x * 2).sum().backward(); r = heard, x.grad",
        "x.requires_grad_(False); a.sum().backward(); r = x.grad",
        "x.detach_(); a.sum().backward(); r = x.grad",
    ])  # fmt: skip


# ------------------------------------------------------------------------------------------ copies
def test_deep_copies_share_memory_where_their_originals_do() -> None:
    agree([
        "b, c = copy.deepcopy([z, z[1:]]); b[1, 0] = 99.; r = c, b._is_view(), c._is_view(), z",
        "b, c = copy.deepcopy([z.t(), z[0]]); c[1] = 99.; r = b, b.stride()",
        "b = copy.deepcopy(z[:, ::2]); r = b, b.stride()",
        "b = copy.deepcopy(T([1., 2.]).expand(3, 2)); r = b, b.stride()",
        "b = copy.deepcopy([z, z]); r = b[0] is b[1]",
        "b, c = copy.deepcopy([z, z.detach()]); b.fill_(5.); r = c",
        "p = nn.Parameter(torch.ones(3)); p.grad = torch.ones(3); q = copy.deepcopy(p); r = q, q.grad, type(q).__name__",
        "x.grad = torch.ones(2, 3); q = copy.deepcopy(x); r = q.grad, q.grad is x.grad, q.requires_grad",
        "z.note = [1]; q = copy.deepcopy(z); r = q.note, q.note is z.note",
        "z.note = [1]; q = copy.copy(z); q[0, 0] = 5.; r = q.note, z",
        "m = nn.Linear(2, 2); m.register_buffer('v', m.running if hasattr(m, 'running') else torch.ones(2)); m.u = m.v[:1]\n"
        "n = copy.deepcopy(m); n.v.fill_(3.); r = n.u, m.u",
        "m = nn.Linear(2, 2); m.again = m.weight; n = copy.deepcopy(m); r = n.again is n.weight",
        "b = pickle.loads(pickle.dumps(z.t())); r = b, b.stride()",
        "b = pickle.loads(pickle.dumps(T([1., 2.]).expand(3, 2))); r = b, b.stride()",
        "b = pickle.loads(pickle.dumps(z[:, ::2])); r = b",
        "copy.deepcopy(a)",
        "b = nn.Buffer(torch.ones(1), persistent=False); r = copy.deepcopy(b).persistent",
    ])  # fmt: skip


# ------------------------------------------------------------------------------------------ modes, out=, overlap
def test_the_inference_flag_across_the_border_of_the_mode() -> None:
    inside = ["z[0]", "z * 1", "x[0]", "z.chunk(2)[1]", "z.expand(2, 2, 3)", "z.contiguous()", "z.t().reshape(-1)", "z.data",
              "z.detach()", "i[0]", "i.detach()", "i.data", "i.clone()", "i.view(-1)", "i.unbind()[0]"]  # fmt: skip
    made = "with torch.inference_mode():\n i = torch.ones(2, 3)\n"
    facts = "r = v.is_inference(), v._is_view(), v.requires_grad"
    agree([f"{made} v = {view}\n{facts}" for view in inside])
    agree([f"{made}v = {view}\n{facts}" for view in inside])
    agree([f"{made}v = {view}\n{step}" for view in ("i[0]", "i.clone()", "i.view(-1)", "i.unbind()[0]", "i.t()") for step in
           ("v.mul_(2)", "v[0] = 1.", "v._version", "v.requires_grad_()", "r = v * w[0]", "r = v + w[0]", "v.zero_()")])  # fmt: skip


def test_a_result_written_into_out_is_not_recorded() -> None:
    agree([
        "torch.mul(a, a, out=z)", "torch.mul(z, 2., out=a)", "torch.exp(a, out=z)", "torch.add(z, 1, out=x)",
        "torch.sub(a, 1, out=z)", "torch.mul(x, 2., out=z)",
        "with torch.no_grad():\n torch.mul(a, 2., out=z)\nr = z, z.requires_grad, z._version",
        "b = torch.zeros(2, 3); c = torch.mul(z, 2., out=b); r = c is b, b",
    ])  # fmt: skip


def test_a_tensor_is_not_written_from_another_part_of_its_memory() -> None:
    agree([
        "z.add_(z[0])", "z[0].add_(z[0])", "z.view(-1)[1:].copy_(z.view(-1)[:-1])", "z.view(-1)[1:] = z.view(-1)[:-1]",
        "z += z[1]", "z.mul_(z)\nr = z", "z.view(-1).mul_(z.view(-1))\nr = z", "z[0].mul_(z[1])\nr = z", "z.fill_(z[0, 1])\nr = z",
        "s = torch.ones(2, 2); s.add_(s.t())", "z.copy_(z)\nr = z, z._version", "z[...] = z\nr = z",
    ])  # fmt: skip
