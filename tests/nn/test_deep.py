"""Modules, graphs and walks a thousand deep: no operation on them meets Python's limit of recursion."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

import tinygrad_pt as torch
from tinygrad_pt import nn

N = 1000


def nested(kind: Callable[[Any], Any] = nn.Sequential) -> Any:
    m: Any = nn.Linear(2, 2)
    for _ in range(N):
        m = kind(m)
    return m


class Wrapped(nn.Module):
    def __init__(self, inner: Any) -> None:
        super().__init__()
        self.inner = inner
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, x: Any) -> Any:
        return self.inner(x) * self.scale


OPERATIONS: dict[str, Callable[[Any], Any]] = {
    "state_dict": lambda m: m.load_state_dict(m.state_dict()),
    "load(assign)": lambda m: m.load_state_dict(m.state_dict(), assign=True),
    "apply": lambda m: m.apply(lambda m: None),
    "to": lambda m: m.to(torch.float64).float(),
    "half": lambda m: m.half().double(),
    "train": lambda m: m.eval().train(),
    "named_modules": lambda m: list(m.named_modules()),
    "named_modules(remove_duplicate=False)": lambda m: list(m.named_modules(remove_duplicate=False)),
    "parameters": lambda m: list(m.parameters()),
    "zero_grad": lambda m: m.zero_grad(set_to_none=False),
    "requires_grad_": lambda m: m.requires_grad_(False),
    "get_submodule": lambda m: m.get_submodule(".".join(name for name, _ in m.named_children())),
    "forward": lambda m: m(torch.ones(2)),
    "forward and backward": lambda m: m.requires_grad_()(torch.ones(2)).sum().backward(),
    "forward twice": lambda m: (m(torch.ones(2)), m(torch.ones(2))),
    "shallow copy": copy.copy,
    "share_memory": lambda m: m.share_memory(),
}


@pytest.mark.long
@pytest.mark.parametrize("kind", [nn.Sequential, Wrapped], ids=["Sequential", "own class"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_operations(name: str, kind: Any) -> None:
    OPERATIONS[name](nested(kind))


COPIES: dict[str, Callable[[Any], Any]] = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda m: pickle.loads(pickle.dumps(m)),
    "pickle, protocol 2": lambda m: pickle.loads(pickle.dumps(m, protocol=2)),
    "pickle in Python": lambda m: pickle._loads(pickle._dumps(m)),  # type: ignore[attr-defined]
}


@pytest.mark.parametrize("kind", [nn.Sequential, Wrapped], ids=["Sequential", "own class"])
@pytest.mark.parametrize("name", COPIES)
def test_copies(name: str, kind: Any) -> None:
    m = nested(kind)
    twin = COPIES[name](m)
    assert list(twin.state_dict()) == list(m.state_dict())
    assert torch.equal(twin(torch.ones(2)), m(torch.ones(2)))
    olds, news = list(m.modules()), list(twin.modules())
    assert len(news) == N + 1 and not {id(a) for a in olds} & {id(b) for b in news}
    assert all("<anchors>" not in vars(b) for b in news)


@pytest.mark.parametrize("name", COPIES)
def test_copies_keep_what_is_shared(name: str) -> None:
    m = nested()
    deep = m.get_submodule(".".join("0" * 900))
    m.friend, deep.weight = [deep], next(m.parameters())
    m.add_module("again", m.get_submodule(".".join("0" * 500)))
    deep.back = [m]  # a circle
    twin, other = COPIES[name]((m, deep))
    same = twin.get_submodule(".".join("0" * 900))
    assert same is other is twin.friend[0] and same.back[0] is twin
    assert twin.again is twin.get_submodule(".".join("0" * 500))
    assert same.weight is next(twin.parameters())


def test_a_method_of_its_own_is_called_and_governs_what_is_below() -> None:
    class Own(nn.Sequential):
        def train(self, mode: bool = True) -> Any:
            return super().train(False)

        def apply(self, fn: Any) -> Any:
            heard.append("apply")
            return super().apply(fn)

        def _apply(self, fn: Any, recurse: bool = True) -> Any:
            heard.append("_apply")
            return super()._apply(fn, recurse)

        def state_dict(self, *args: Any, **kwargs: Any) -> Any:
            heard.append("state_dict")
            return super().state_dict(*args, **kwargs)

        def named_modules(self, *args: Any, **kwargs: Any) -> Any:
            heard.append("named_modules")
            yield from super().named_modules(*args, **kwargs)

        def __repr__(self) -> str:
            return "one\ntwo"

    heard: list[str] = []
    own = Own(nn.Linear(1, 1))
    m = nn.Sequential(nn.Sequential(own), nn.Linear(1, 1))
    order: list[Any] = []
    m.train()
    assert [x.training for x in m.modules()] == [True, True, False, False, True]
    m.apply(order.append)
    assert order == [own[0], own, m[0], m[1], m]
    m.double()
    assert list(m.state_dict()) == ["0.0.0.weight", "0.0.0.bias", "1.weight", "1.bias"]
    assert heard == ["named_modules", "apply", "_apply", "state_dict"]
    assert repr(m).splitlines()[1:5] == ["  (0): Sequential(", "    (0): one", "    two", "  )"]
    own[0].train = lambda mode=True: heard.append("of the object")  # type: ignore[assignment]
    m.eval()
    assert heard[-1] == "of the object"


def test_the_representation() -> None:
    lines = repr(nested()).splitlines()
    assert len(lines) == 2 * N + 1
    assert lines[0] == "Sequential(" and lines[N] == "  " * N + "(0): Linear(in_features=2, out_features=2, bias=True)"
    assert lines[-2:] == ["  )", ")"]
    grouped = nn.ModuleList([nn.ModuleList([nn.Tanh(), nn.Tanh(), nn.ReLU()]) for _ in range(2)])
    assert str(grouped) == ("ModuleList(\n  (0-1): 2 x ModuleList(\n    (0-1): 2 x Tanh()\n    (2): ReLU()\n  )\n)")


def test_the_representation_of_a_huge_expanded_tensor() -> None:
    x = torch.ones(1).expand(2**40)
    assert repr(x) == str(x) == f"{x}" == "tensor([1., 1., 1.,  ..., 1., 1., 1.])"
    wide = torch.arange(3).view(3, 1, 1).expand(3, 2**29, 2**29)
    assert repr(wide).startswith("tensor([[[0, 0, 0,  ..., 0, 0, 0],")
    assert "2, 2, 2,  ..., 2, 2, 2]]])" in repr(wide)


# ------------------------------------------------------------------------------------------ walks inside walks
class Inner(torch.autograd.Function):
    """The identity; its backward walks another graph, and so on, n times."""

    @staticmethod
    def forward(ctx: Any, x: Any, n: int) -> Any:
        ctx.n = n
        return x.clone()

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        if not ctx.n:
            return g, None
        with torch.enable_grad():
            z = torch.ones(1, requires_grad=True)
            Inner.apply(z, ctx.n - 1).backward()
        assert not torch.is_grad_enabled()
        return g + z.grad, None


def test_a_walk_inside_a_walk_of_a_function() -> None:
    x = torch.ones(1, requires_grad=True)
    Inner.apply(x, N).backward()
    assert x.grad.item() == N + 1


@pytest.mark.parametrize("kind", ["register_hook", "register_post_accumulate_grad_hook"])
def test_a_walk_inside_a_walk_of_a_hook(kind: str) -> None:
    seen = []

    def walk(n: int) -> None:
        x = torch.ones(1, requires_grad=True)

        def hook(g: Any) -> None:
            seen.append(n)
            if n:
                with torch.enable_grad():
                    walk(n - 1)

        getattr(x, kind)(hook)
        (x * 2).backward()

    walk(N)
    assert seen == list(range(N, -1, -1))


def test_an_exception_comes_through_all_walks() -> None:
    class Fails(Exception):
        pass

    def walk(n: int) -> None:
        x = torch.ones(1, requires_grad=True)

        def hook(g: Any) -> None:
            if not n:
                raise Fails
            with torch.enable_grad():
                walk(n - 1)

        x.register_hook(hook)
        (x * 2).backward()

    with pytest.raises(Fails):
        walk(100)
    assert torch.is_grad_enabled()
