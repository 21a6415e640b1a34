"""Optimizers whose step looks at a whole parameter, or at all of them: Adafactor, Muon, LBFGS."""

from __future__ import annotations

import copy
import inspect
from typing import Any

import numpy as np
import pytest

import tinygrad_pt as tg
from tests.optim.table import WHOLE
from tinygrad_pt.optim.muon import orthogonal, to_bfloat16

torch = pytest.importorskip("torch")
LIBRARIES = (tg, torch)
OPTIONS: dict[str, list[dict[str, Any]]] = {
    "Adafactor": [
        {}, {"lr": 0.5, "weight_decay": 0.1}, {"maximize": True, "eps": (1e-3, 0.1)}, {"d": 2.0, "beta2_decay": -0.3},
        {"foreach": True},
    ],
    "Muon": [
        {}, {"lr": 0.1, "nesterov": False}, {"adjust_lr_fn": "match_rms_adamw", "momentum": 0.3}, {"ns_steps": 2},
        {"adjust_lr_fn": "original", "weight_decay": 0.0}, {"ns_coefficients": (2.0, -1.5, 0.5), "eps": 1.0},
    ],
}  # fmt: skip
SHAPES = {"Adafactor": ((3, 4), (5,), (), (2, 3, 4), (1, 1)), "Muon": ((3, 4), (6, 2), (1, 1), (1, 5))}
cases = pytest.mark.parametrize(("name", "options"), [(n, o) for n in OPTIONS for o in OPTIONS[n]])


def pair(name: str, options: Any, dtype: str = "float32", shapes: Any = None) -> list[Any]:
    """The same optimizer in both libraries, with its parameters."""
    both = []
    for lib in LIBRARIES:
        draw = np.random.default_rng(0)
        params = [lib.tensor(draw.normal(size=s).astype(dtype), requires_grad=True) for s in shapes or SHAPES[name]]
        both.append((params, getattr(lib.optim, name)(params, **options)))
    return both


def walk(lib: Any, params: Any, optimizer: Any, seeds: Any) -> None:
    for seed in seeds:
        draw = np.random.default_rng(seed)
        for p in params:
            p.grad = lib.tensor(np.asarray(draw.normal(size=tuple(p.shape)), p.detach().numpy().dtype))
        optimizer.step()


def same(a: Any, b: Any, tolerance: float) -> None:
    """Two states, of either library."""
    if isinstance(b, dict):
        assert list(a) == list(b)
        for key in b:
            same(a[key], b[key], tolerance)
    elif isinstance(b, (list, tuple)):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            same(x, y, tolerance)
    elif isinstance(b, torch.Tensor):
        a, b = a.detach().numpy(), b.detach().numpy()
        assert a.dtype == b.dtype and a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)
    else:
        assert type(a) is type(b) and a == (pytest.approx(b, rel=tolerance) if isinstance(b, float) else b)


def test_every_such_optimizer_is_tried_here() -> None:
    assert {*OPTIONS, "LBFGS"} == WHOLE
    for name in WHOLE:
        ours, theirs = (inspect.signature(getattr(lib.optim, name)).parameters.values() for lib in LIBRARIES)
        assert [(p.name, p.default, p.kind) for p in ours] == [(p.name, p.default, p.kind) for p in theirs]


@cases
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 2e-5), ("float64", 1e-11)])
def test_fifty_steps(name: str, options: Any, dtype: str, tolerance: float) -> None:
    (params, ours), (mirrors, theirs) = pair(name, options, dtype)
    if name == "Muon":  # its bfloat16 turns a last bit into a hundredth
        tolerance = max(tolerance, 2e-2)
    for seeds in (range(1), range(1, 50)):
        walk(tg, params, ours, seeds)
        walk(torch, mirrors, theirs, seeds)
        same(params, mirrors, tolerance)
        same(ours.state_dict(), theirs.state_dict(), tolerance)
    assert [p._version for p in params] == [q._version for q in mirrors]


@cases
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_going_on_from_a_state_is_going_on(name: str, options: Any, dtype: str) -> None:
    params, ours = pair(name, options, dtype)[0]
    walk(tg, params, ours, range(3))
    others = [tg.tensor(np.array(p.array), requires_grad=True) for p in params]
    fresh = type(ours)(others)
    fresh.load_state_dict(ours.state_dict())
    twin = copy.deepcopy(ours)
    copies = twin.param_groups[0]["params"]
    for ps, o in ((params, ours), (others, fresh), (copies, twin)):
        walk(tg, ps, o, range(3, 6))
    for p, q, r in zip(params, others, copies, strict=True):
        assert p.tolist() == q.tolist() == r.tolist() and p.array.dtype == dtype
        assert np.isfinite(p.array).all()


@cases
def test_a_rate_may_be_a_tensor_and_the_layout_does_not_matter(name: str, options: Any) -> None:
    results = []
    for lr, turned in ((0.25, False), (tg.tensor(0.25), False), (0.25, True)):
        x = np.random.default_rng(0).normal(size=(3, 4))
        p = tg.tensor(x.T.copy()).t().detach().requires_grad_() if turned else tg.tensor(x, requires_grad=True)
        walk(tg, [p], getattr(tg.optim, name)([p], **options | {"lr": lr}), range(2))
        results.append(np.array(p.array))
    tolerance = 2e-2 if name == "Muon" else 1e-12
    np.testing.assert_allclose(results[0], results[1], rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(results[0], results[2], rtol=tolerance, atol=tolerance)


def test_what_is_empty_or_has_no_gradient_stays() -> None:
    for name in OPTIONS:
        empty, skipped = tg.zeros(0, 3, requires_grad=True), tg.ones(2, 2, requires_grad=True)
        empty.grad = tg.zeros(0, 3)
        optimizer = getattr(tg.optim, name)([empty, skipped])
        optimizer.step()
        assert skipped.tolist() == [[1.0, 1.0], [1.0, 1.0]] and skipped not in optimizer.state


def test_adafactor_is_its_formula() -> None:
    draw = np.random.default_rng(1)
    x, g = draw.normal(size=(3, 4)), draw.normal(size=(3, 4))
    p = tg.tensor(x, requires_grad=True)
    p.grad = tg.tensor(g)
    tg.optim.Adafactor([p], lr=0.1, weight_decay=0.5).step()
    square = g * g
    v = square.mean(1, keepdims=True) * square.mean(0, keepdims=True) / square.mean()
    u = g / np.sqrt(v)
    rms = np.sqrt((x * x).mean())
    expected = x * (1 - 0.05) - rms * 0.1 * u / max(1.0, np.sqrt((u * u).mean()))
    np.testing.assert_allclose(p.array, expected, rtol=1e-12)


def test_bfloat16_is_pytorchs() -> None:
    x = np.concatenate([np.random.default_rng(0).normal(size=2000) * 10.0 ** np.arange(-20, 20).repeat(50), [0, -0.0]])
    x = np.concatenate([x.astype("float32"), np.float32([np.inf, -np.inf, np.nan, 1 + 2**-8, 1 + 3 * 2**-8])])
    np.testing.assert_array_equal(to_bfloat16(x), torch.tensor(x).bfloat16().float().numpy())


@pytest.mark.parametrize("shape", [(3, 8), (8, 3), (5, 5)])
def test_muon_steps_along_a_nearly_orthogonal_matrix(shape: Any) -> None:
    g = np.random.default_rng(2).normal(size=shape).astype("float32")
    values = np.linalg.svd(orthogonal(g, (3.4445, -4.775, 2.0315), 10, 1e-7), compute_uv=False)
    assert values.min() > 0.6 and values.max() < 1.3


# ------------------------------------------------------------------------------------------ LBFGS
def minimise(lib: Any, dtype: str, calls: int, **options: Any) -> tuple[Any, Any, list[float]]:
    """Rosenbrock's valley, and a parameter of another shape: parameters, optimizer, losses."""
    x = lib.tensor(np.array([-1.5, 2.0], dtype), requires_grad=True)
    w = lib.tensor(np.array([[0.5, -0.25, 1.0]], dtype), requires_grad=True)
    unused = lib.tensor(np.array([7.0], dtype), requires_grad=True)
    optimizer = lib.optim.LBFGS([x, w, unused], **options)

    def closure() -> Any:
        optimizer.zero_grad()
        loss = (1 - x[0]) ** 2 + 10 * (x[1] - x[0] ** 2) ** 2 + ((w - x[0]) ** 4).sum() + (w * w).sum()
        loss.backward()
        return loss

    return (x, w, unused), optimizer, [optimizer.step(closure).item() for _ in range(calls)]


@pytest.mark.parametrize("options", [
    {"lr": 0.05}, {"line_search_fn": "strong_wolfe"}, {"line_search_fn": "strong_wolfe", "history_size": 2},
    {"line_search_fn": "strong_wolfe", "max_eval": 3, "lr": 3.0}, {"lr": 0.02, "history_size": 3, "max_iter": 4},
    {"line_search_fn": "strong_wolfe", "max_iter": 1, "lr": 1e-3}, {"lr": 0.05, "tolerance_grad": 1.0},
    {"lr": 0.05, "tolerance_change": 0.05}, {"lr": 0.05, "max_eval": 1}, {"lr": 0.05, "max_iter": 1},
    {"line_search_fn": "strong_wolfe", "lr": 500.0, "max_iter": 3},
])  # fmt: skip
def test_lbfgs_goes_pytorchs_way(options: Any) -> None:
    """Parameters, losses, and the whole state, after one step and after two."""
    for calls in (1, 2):
        both = [minimise(lib, "float64", calls, **options) for lib in LIBRARIES]
        (params, ours, losses), (mirrors, theirs, wanted) = both
        assert losses == pytest.approx(wanted, rel=1e-6)
        same(params, mirrors, 1e-6)
        mine, other = ours.state_dict(), theirs.state_dict()
        assert mine["param_groups"] == other["param_groups"] and set(mine["state"][0]) == set(other["state"][0])
        for key in ("func_evals", "n_iter"):
            assert mine["state"][0][key] == other["state"][0][key]
        for key in ("d", "t", "old_dirs", "old_stps", "prev_flat_grad", "prev_loss"):
            if key in other["state"][0]:
                same(mine["state"][0][key], other["state"][0][key], 1e-5)


def test_lbfgs_finds_the_minimum_in_single_precision() -> None:
    (x, w, unused), _, losses = minimise(tg, "float32", 4, line_search_fn="strong_wolfe")
    assert losses == sorted(losses, reverse=True) and unused.tolist() == [7.0]
    assert np.abs(x.grad.numpy()).max() < 1e-2 and np.abs(w.grad.numpy()).max() < 1e-2


def test_lbfgs_goes_on_from_its_state() -> None:
    (x,), results = [tg.tensor([-1.5, 2.0], requires_grad=True)], []

    def run(x: Any, optimizer: Any, times: int) -> None:
        def closure() -> Any:
            optimizer.zero_grad()
            loss = (1 - x[0]) ** 2 + 10 * (x[1] - x[0] ** 2) ** 2
            loss.backward()
            return loss

        for _ in range(times):
            optimizer.step(closure)

    first = tg.optim.LBFGS([x], max_iter=3, line_search_fn="strong_wolfe")
    run(x, first, 2)
    y = x.detach().clone().requires_grad_()
    second = tg.optim.LBFGS([y])
    second.load_state_dict(first.state_dict())
    for p, optimizer in ((x, first), (y, second)):
        run(p, optimizer, 2)
        results.append(p.tolist())
    assert results[0] == results[1]


@pytest.mark.parametrize("program", [
    "o.Adafactor([m], lr=-1.0)", "o.Adafactor([m], lr=lib.ones(2))", "o.Adafactor([m], beta2_decay=0.1)",
    "o.Adafactor([m], eps=(-1.0, 1.0))", "o.Adafactor([m], eps=(None, -1.0))", "o.Adafactor([m], d=0.5)",
    "o.Adafactor([m], weight_decay=-1.0)", "o.Muon([m], lr=-1.0)", "o.Muon([m], lr=lib.ones(2))",
    "o.Muon([m], momentum=-1.0)", "o.Muon([m], weight_decay=-1.0)", "o.Muon([m], adjust_lr_fn='none')",
    "o.Muon([lib.ones(3)])", "step(o.Muon([m], ns_steps=100))", "step(o.Muon([m], ns_coefficients=(1.0, 2.0)))",
    "o.LBFGS([m], lr=-1.0)", "o.LBFGS([m], lr=lib.ones(2))", "o.LBFGS([{'params': [m]}, {'params': [lib.ones(1)]}])",
    "o.LBFGS([m], line_search_fn='armijo').step(lambda: m.sum())",
])  # fmt: skip
def test_errors_are_pytorchs(program: str) -> None:
    said = []
    for lib in LIBRARIES:
        m = lib.ones(2, 2, requires_grad=True)
        m.grad = lib.ones(2, 2)
        with pytest.raises((ValueError, RuntimeError)) as caught:
            eval(program, {"lib": lib, "o": lib.optim, "m": m, "step": lambda optimizer: optimizer.step()})
        said.append((caught.type, str(caught.value).split("\n")[0]))
    assert said[0] == said[1]
