"""The tools of nn.utils that compute weights, against PyTorch."""

from __future__ import annotations

import copy
import importlib
import warnings
from typing import Any

import numpy as np
import pytest

import tinygrad_pt as G

T = pytest.importorskip("torch")


def plain(value: Any) -> Any:
    """Tensors as arrays, inside lists and dictionaries too."""
    if hasattr(value, "detach"):
        return np.array(value.detach().numpy())
    if isinstance(value, dict):
        return [(k, plain(v)) for k, v in value.items()]
    return [plain(v) for v in value] if isinstance(value, (list, tuple)) else value


def same(a: Any, b: Any) -> None:
    if isinstance(b, np.ndarray):
        assert a.dtype == b.dtype and a.shape == b.shape
        np.testing.assert_allclose(a, b, 1e-5, 1e-5)
    elif isinstance(b, (list, tuple)):
        assert len(a) == len(b), (a, b)
        for x, y in zip(a, b, strict=True):
            same(x, y)
    else:
        assert a == b


OURS = ("  op:", "  mend:", "  module:")  # lines that we add


def compare(act: Any) -> None:
    """`act(torch)` gives the same here and there: tensors, states, words; or refuses in the same words."""
    found = []
    for torch in (G, T):
        torch.manual_seed(0)
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            try:
                value = plain(act(torch))
            except Exception as error:
                lines = str(error.args[0]).split("\n") if error.args else [""]
                value = [type(error).__name__, [line for line in lines if not line.startswith(OURS)]]
        found.append([value, sorted({(w.category.__name__, str(w.message)) for w in seen})])
    same(*found)


def trained(torch: Any, m: Any, steps: int = 3) -> list[Any]:
    """Outputs of a few steps of a module, its gradients and its state."""
    x, found = torch.randn(4, 3), []
    optimizer = torch.optim.SGD(m.parameters(), lr=0.1)
    for _ in range(steps):
        y = m(x)
        optimizer.zero_grad()
        y.square().sum().backward()
        found += [y, [p.grad for p in m.parameters()]]
        optimizer.step()
    return [*found, m.state_dict(), m.eval()(x), m(x)]


# ------------------------------------------------------------------------------------------ hooks
@pytest.mark.parametrize("dim", [0, 1, None])
def test_weight_norm(dim: Any) -> None:
    def act(torch: Any) -> Any:
        m = torch.nn.utils.weight_norm(torch.nn.Linear(3, 2), dim=dim)
        found = trained(torch, m)
        torch.nn.utils.remove_weight_norm(m)
        return [*found, m.state_dict(), str(m)]

    compare(act)


@pytest.mark.parametrize("steps", [1, 3])
def test_spectral_norm(steps: int) -> None:
    def act(torch: Any) -> Any:
        m = torch.nn.utils.spectral_norm(torch.nn.Linear(3, 2), n_power_iterations=steps)
        found = trained(torch, m)
        other = torch.nn.utils.spectral_norm(torch.nn.Linear(3, 2))
        other.load_state_dict(m.state_dict())
        found.append(other.eval()(torch.ones(1, 3)))
        torch.nn.utils.remove_spectral_norm(m)
        return [*found, m.state_dict()]

    compare(act)


def test_a_graph_survives_the_next_iteration_of_spectral_norm() -> None:
    m = G.nn.utils.spectral_norm(G.nn.Linear(3, 2))
    first, second = m(G.ones(1, 3)).sum(), m(G.ones(1, 3)).sum()
    second.backward()
    first.backward()


@pytest.mark.parametrize(
    "act",
    [
        lambda u, nn: u.weight_norm(u.weight_norm(nn.Linear(3, 2))),
        lambda u, nn: u.spectral_norm(u.spectral_norm(nn.Linear(3, 2))),
        lambda u, nn: u.spectral_norm(nn.Linear(3, 2), n_power_iterations=0),
        lambda u, nn: u.spectral_norm(nn.Linear(3, 2, bias=False), name="bias"),
        lambda u, nn: u.remove_weight_norm(nn.Linear(3, 2)),
        lambda u, nn: u.remove_spectral_norm(nn.Linear(3, 2)),
    ],
)
def test_hooks_refuse_in_the_same_words(act: Any) -> None:
    compare(lambda torch: act(torch.nn.utils, torch.nn))


# ------------------------------------------------------------------------------------------ parametrizations
def symmetric(torch: Any) -> Any:
    class Symmetric(torch.nn.Module):  # type: ignore[misc, name-defined]
        def forward(self, x: Any) -> Any:
            return x.triu() + x.triu(1).transpose(0, 1)

    return Symmetric()


def symmetric_layer(torch: Any) -> Any:
    m = torch.nn.Linear(3, 3)
    return torch.nn.utils.parametrize.register_parametrization(m, "weight", symmetric(torch))


def with_length(torch: Any) -> Any:
    return torch.nn.utils.parametrizations.weight_norm(torch.nn.Linear(3, 3))


def doubled(torch: Any) -> Any:
    class Doubled(torch.nn.Module):  # type: ignore[misc, name-defined]
        def forward(self, x: Any) -> Any:
            return 2 * x

        def right_inverse(self, x: Any) -> Any:
            return x / 2

    return Doubled()


def test_parametrize() -> None:
    def act(torch: Any) -> Any:
        p = torch.nn.utils.parametrize
        m = p.register_parametrization(torch.nn.Linear(3, 3), "weight", symmetric(torch))
        found = [str(m), type(m).__name__, p.is_parametrized(m), p.is_parametrized(m, "bias"), *trained(torch, m)]
        p.register_parametrization(m, "weight", doubled(torch))
        p.register_parametrization(m, "bias", doubled(torch))
        found += [m.weight, m.bias, str(m), m.state_dict(), [n for n, _ in m.named_parameters()]]
        m.bias = torch.ones(3)
        found += [m.bias, m.parametrizations.bias.original, m.parametrizations.bias.original.requires_grad]
        twin = copy.deepcopy(m)
        with torch.no_grad():
            twin.parametrizations.bias.original += 1
        found += [twin.bias, m.bias, type(twin).__name__, twin(torch.ones(1, 3))]
        with p.cached():
            found += [m.weight is m.weight, (m.weight.sum() * 2).requires_grad]
        found += [m.weight is m.weight, p.type_before_parametrizations(m).__name__]
        p.remove_parametrizations(m, "weight")
        p.remove_parametrizations(m, "bias", leave_parametrized=False)
        return [*found, str(m), m.state_dict(), type(m).__name__, hasattr(m, "parametrizations")]

    compare(act)


@pytest.mark.parametrize("dim", [0, 1, None])
def test_weight_norm_as_a_parametrization(dim: Any) -> None:
    def act(torch: Any) -> Any:
        m = torch.nn.utils.parametrizations.weight_norm(torch.nn.Linear(3, 2), dim=dim)
        found = [str(m), *trained(torch, m)]
        old = torch.nn.utils.weight_norm(torch.nn.Linear(3, 2), dim=dim)
        m.load_state_dict(old.state_dict())
        found += [m.weight, copy.deepcopy(m)(torch.ones(1, 3))]
        m.weight = torch.ones(2, 3)
        found += [m.state_dict()]
        torch.nn.utils.parametrize.remove_parametrizations(m, "weight")
        return [*found, m.state_dict()]

    compare(act)


def test_spectral_norm_as_a_parametrization() -> None:
    def act(torch: Any) -> Any:
        m = torch.nn.utils.parametrizations.spectral_norm(torch.nn.Linear(3, 2))
        vector = torch.nn.utils.parametrizations.spectral_norm(torch.nn.Linear(3, 2), "bias")
        return [str(m), *trained(torch, m), vector.bias, vector.state_dict()]

    compare(act)


@pytest.mark.parametrize("size", [(3, 3), (3, 5), (3, 2)])
@pytest.mark.parametrize("kind", [None, "matrix_exp", "cayley", "householder"])
@pytest.mark.parametrize("trivial", [True, False])
def test_orthogonal(size: tuple[int, int], kind: Any, trivial: bool) -> None:
    def act(torch: Any) -> Any:
        m = torch.nn.Linear(*size)
        if kind in (None, "householder"):
            torch.nn.init.orthogonal_(m.weight)
        torch.nn.utils.parametrizations.orthogonal(m, orthogonal_map=kind, use_trivialization=trivial)
        found = [m.weight, m.state_dict() if trivial or kind == "householder" else str(m), *trained(torch, m)]
        return [*found, m.weight @ m.weight.T if size[0] >= size[1] else m.weight.T @ m.weight]

    compare(act)


@pytest.mark.parametrize(
    "act",
    [
        lambda p, nn, torch: p.register_parametrization(nn.Linear(3, 3), "foo", symmetric(torch)),
        lambda p, nn, torch: p.register_parametrization(nn.Linear(3, 3), "weight", nn.Linear(3, 2)),
        lambda p, nn, torch: p.remove_parametrizations(nn.Linear(3, 3), "weight"),
        lambda p, nn, torch: setattr(symmetric_layer(torch), "weight", torch.ones(3, 3)),
        lambda p, nn, torch: p.register_parametrization(symmetric_layer(torch), "weight", nn.Linear(3, 2)),
        lambda p, nn, torch: p.remove_parametrizations(with_length(torch), "weight", False),
        lambda p, nn, torch: p.ParametrizationList([], torch.ones(2)),
        lambda p, nn, torch: nn.utils.parametrizations.spectral_norm(nn.Linear(3, 3), n_power_iterations=0),
        lambda p, nn, torch: nn.utils.parametrizations.spectral_norm(nn.Linear(3, 3), dim=4),
        lambda p, nn, torch: nn.utils.parametrizations.spectral_norm(nn.Linear(3, 3), "foo"),
        lambda p, nn, torch: nn.utils.parametrizations.orthogonal(nn.Linear(3, 3), "bias"),
        lambda p, nn, torch: nn.utils.parametrizations.orthogonal(nn.Linear(3, 3), orthogonal_map="x"),
        lambda p, nn, torch: p.register_parametrization(nn.Linear(3, 3), "weight", symmetric(torch)).__getstate__(),
    ],
)  # fmt: skip
def test_parametrizations_refuse_in_the_same_words(act: Any) -> None:
    compare(lambda torch: [act(torch.nn.utils.parametrize, torch.nn, torch), 0][1])


# ------------------------------------------------------------------------------------------ pruning
def pruned(torch: Any, *steps: Any) -> Any:
    """What becomes of a layer that is pruned several times, trained, copied and left as it is."""
    prune = importlib.import_module(f"{torch.__name__}.nn.utils.prune")
    m = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 2))
    found: list[Any] = []
    for step in steps:
        step(prune, m)
        found += [m[0].weight, m.state_dict(), prune.is_pruned(m)]
    found += trained(torch, m)
    twin = copy.deepcopy(m.state_dict())
    m.load_state_dict(twin)
    for layer in m:
        if prune.is_pruned(layer):
            prune.remove(layer, "weight")
    return [*found, m.state_dict(), prune.is_pruned(m)]


@pytest.mark.parametrize(
    "steps",
    [
        [lambda p, m: p.identity(m[0], "weight")],
        [lambda p, m: p.l1_unstructured(m[0], "weight", 0.3)],
        [lambda p, m: p.l1_unstructured(m[0], "weight", 3), lambda p, m: p.l1_unstructured(m[0], "weight", 2)],
        [lambda p, m: p.random_unstructured(m[0], "weight", 0.5)],
        [lambda p, m: p.ln_structured(m[0], "weight", 0.5, 2, 0), lambda p, m: p.l1_unstructured(m[0], "weight", 2)],
        [lambda p, m: p.random_structured(m[0], "weight", 2, 1), lambda p, m: p.ln_structured(m[0], "weight", 1, 1, 0)],
        [lambda p, m: p.custom_from_mask(m[0], "weight", (m[0].weight > 0).detach())],
        [lambda p, m: p.global_unstructured([(m[0], "weight"), (m[1], "weight")], p.L1Unstructured, amount=0.4)],
        [lambda p, m: p.l1_unstructured(m[0], "weight", 2, importance_scores=-m[0].weight.detach().abs())],
    ],
)
def test_pruning(steps: Any) -> None:
    compare(lambda torch: pruned(torch, *steps))


@pytest.mark.parametrize(
    "step",
    [
        lambda p, m: p.l1_unstructured(m[0], "weight", 1.5),
        lambda p, m: p.l1_unstructured(m[0], "weight", -1),
        lambda p, m: p.l1_unstructured(m[0], "weight", "x"),
        lambda p, m: p.l1_unstructured(m[0], "weight", 99),
        lambda p, m: p.ln_structured(m[0], "bias", 1, 2, 0),
        lambda p, m: p.ln_structured(m[0], "weight", 1, 2, 3),
        lambda p, m: p.remove(m[0], "weight"),
        lambda p, m: p.global_unstructured(3, p.L1Unstructured, amount=1),
    ],
)
def test_pruning_refuses_in_the_same_words(step: Any) -> None:
    compare(lambda torch: pruned(torch, step))


# ------------------------------------------------------------------------------------------ calls and layers
def test_functional_call() -> None:
    def act(torch: Any) -> Any:
        call = torch.nn.utils.stateless.functional_call
        m, x = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.Linear(3, 3)), torch.ones(1, 3)
        w = torch.ones(3, 3).requires_grad_()
        y = call(m, {"0.weight": w}, (x,))
        y.sum().backward()
        m[1].weight = m[0].weight
        return [y, w.grad, m[0].weight.grad is None, call(m, {"0.weight": w}, x), call(m, {}, x), m.state_dict()]

    compare(act)


@pytest.mark.parametrize(
    "act",
    [
        lambda call, m, torch: call(m, {"weight": torch.ones(3, 3)}, torch.ones(1, 3), strict=True),
        lambda call, m, torch: call(
            m, {"weight": torch.ones(3, 3), "foo": torch.ones(1)}, torch.ones(1, 3), strict=True
        ),
    ],
)
def test_functional_call_refuses_in_the_same_words(act: Any) -> None:
    compare(lambda torch: act(torch.nn.utils.stateless.functional_call, torch.nn.Linear(3, 3), torch))


def test_skip_init_leaves_the_stream_where_it_is() -> None:
    def act(torch: Any) -> Any:
        m = torch.nn.utils.skip_init(torch.nn.Linear, 3, 2, bias=False)
        return [list(m.weight.shape), str(m), torch.rand(2)]

    compare(act)
    compare(lambda torch: torch.nn.utils.skip_init(torch.nn.ReLU))


@pytest.mark.parametrize("bias", [True, False])
def test_weights_fused_with_a_batch_norm(bias: bool) -> None:
    def act(torch: Any) -> Any:
        w, b, *rest = (torch.rand(n) for n in ((4, 3), (4,), (4,), (4,), (4,), (4,)))
        mean, var, scale, shift = rest
        b = b if bias else None
        u = torch.nn.utils
        return [
            u.fuse_linear_bn_weights(w, b, mean, var, 1e-5, scale, shift),
            u.fuse_conv_bn_weights(w[:, :, None, None], b, mean, var, 1e-5, scale, shift),
            u.fuse_conv_bn_weights(w.t()[:, :, None], b, mean, var, 1e-5, None, None, transpose=True),
        ]

    compare(act)
