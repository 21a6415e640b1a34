"""Optimizers against PyTorch: the same parameters, state and options after the same gradients."""

import inspect

import numpy as np
import pytest

import tinygrad_pt
from tests.optim.table import ROWS, SHAPES, gradients, near
from tinygrad_pt import optim

torch = pytest.importorskip("torch")

every = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)


def pairs(shapes, dtype, seed):
    """The same leaves in both libraries."""
    draw = np.random.default_rng(seed)
    arrays = [draw.normal(size=s).astype(dtype) for s in shapes]
    ours = [tinygrad_pt.tensor(a, requires_grad=True) for a in arrays]
    theirs = [torch.tensor(a, requires_grad=True) for a in arrays]
    return ours, theirs, draw


def train(ours, theirs, params, mirrors, draw, steps):
    for _ in range(steps):
        for p, q in zip(params, mirrors, strict=True):
            g = draw.normal(size=p.array.shape).astype(p.array.dtype)
            p.grad, q.grad = tinygrad_pt.tensor(g), torch.tensor(g)
        ours.step()
        theirs.step()


def close(a, b, tolerance):
    assert near(a.array, b.detach().numpy(), tolerance), (a, b)


def alike(ours, theirs, tolerance):
    """The same options, and the same state."""
    mine, other = ours.state_dict(), theirs.state_dict()
    assert mine["param_groups"] == other["param_groups"]
    assert mine["state"].keys() == other["state"].keys()
    for i, state in other["state"].items():
        assert set(mine["state"][i]) == set(state)
        for key, value in state.items():
            close(mine["state"][i][key], value, tolerance)


@every
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("float64", 1e-11)])
def test_every_combination_of_options(row, dtype, tolerance):
    """One step and four; the parameters are of every rank, and one of them has no gradient."""
    for options in row.combinations():
        params, mirrors, _ = pairs([*SHAPES, (2,)], dtype, 0)
        ours, theirs = row(params, **options), getattr(torch.optim, row.name)(mirrors, **options)
        for step, grads in enumerate(gradients(4)):
            for p, q, g in zip(params, mirrors, grads, strict=False):
                p.grad, q.grad = tinygrad_pt.tensor(g.astype(dtype)), torch.tensor(g.astype(dtype))
            ours.step()
            theirs.step()
            if step in (0, 3):
                for p, q in zip(params, mirrors, strict=True):
                    close(p, q, tolerance)
                alike(ours, theirs, tolerance)


@pytest.mark.parametrize("beta", [0.25, 0.5, 0.75])
def test_the_average_has_pytorchs_very_bits(beta):
    """It is counted from the nearer end, and from the gradient where both are as near."""
    (p,), (q,), draw = pairs([(500,)], "float32", 0)
    ours, theirs = optim.Adam([p], betas=(beta, 0.9)), torch.optim.Adam([q], betas=(beta, 0.9))
    train(ours, theirs, [p], [q], draw, 3)
    assert ours.state[p]["exp_avg"].tolist() == theirs.state[q]["exp_avg"].tolist()


@pytest.mark.parametrize("maximize", [False, True])
def test_a_single_element_moves_to_pytorchs_very_bits(maximize):
    """Which rounds once here, as in PyTorch."""
    params, mirrors, draw = pairs([()] * 100 + [(1,)] * 100, "float32", 5)
    ours, theirs = (o.SGD(p, lr=0.1, maximize=maximize) for o, p in ((optim, params), (torch.optim, mirrors)))
    train(ours, theirs, params, mirrors, draw, 3)
    assert [p.item() for p in params] == [q.item() for q in mirrors]


@every
def test_fifty_steps_and_the_number_of_writes(row):
    for options in row.few():
        params, mirrors, draw = pairs([(4, 3), ()], "float32", 7)
        ours, theirs = row(params, **options), getattr(torch.optim, row.name)(mirrors, **options)
        train(ours, theirs, params, mirrors, draw, 50)
        for p, q in zip(params, mirrors, strict=True):
            close(p, q, 1e-5)
            assert p._version == q._version
        alike(ours, theirs, 1e-5)


@every
def test_every_signature_is_pytorchs(row):
    ours, theirs = (inspect.signature(getattr(o, row.name)).parameters.values() for o in (optim, torch.optim))
    assert [(p.name, p.default, p.kind) for p in ours] == [(p.name, p.default, p.kind) for p in theirs]


@every
def test_a_state_of_pytorchs_goes_on_here(row):
    for options in row.few():
        params, mirrors, draw = pairs(SHAPES, "float64", 0)
        ours, theirs = row(params, **options), getattr(torch.optim, row.name)(mirrors, **options)
        train(ours, theirs, params, mirrors, draw, 2)
        saved = theirs.state_dict()
        state = {
            i: {k: tinygrad_pt.tensor(v.numpy()) for k, v in entries.items()} for i, entries in saved["state"].items()
        }
        others = [tinygrad_pt.tensor(q.detach().numpy(), requires_grad=True) for q in mirrors]
        fresh = row(others)
        fresh.load_state_dict({"state": state, "param_groups": saved["param_groups"]})
        train(fresh, theirs, others, mirrors, draw, 2)
        for p, q in zip(others, mirrors, strict=True):
            close(p, q, 1e-11)


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW"])
def test_hundred_steps_of_a_large_parameter(name):
    params, mirrors, draw = pairs([(200, 150)], "float32", 3)
    ours, theirs = getattr(optim, name)(params, lr=1e-3), getattr(torch.optim, name)(mirrors, lr=1e-3)
    train(ours, theirs, params, mirrors, draw, 100)
    close(params[0], mirrors[0], 5e-7)


@pytest.mark.parametrize("name", ["SGD", "Adam", "RMSprop"])
def test_half_precision(name):
    params, mirrors, draw = pairs([(30,), ()], "float16", 4)
    ours, theirs = getattr(optim, name)(params, lr=0.01), getattr(torch.optim, name)(mirrors, lr=0.01)
    if name != "SGD":
        ours.param_groups[0]["eps"] = theirs.param_groups[0]["eps"] = 1e-3
    train(ours, theirs, params, mirrors, draw, 5)
    for p, q in zip(params, mirrors, strict=True):
        close(p, q, 5e-3)


@every
def test_defaults_signature_and_form(row):
    params, mirrors, _ = pairs([(2,)], "float32", 0)
    ours, theirs = row(params), getattr(torch.optim, row.name)(mirrors)
    assert ours.defaults == theirs.defaults and repr(ours) == repr(theirs)
    mine, other = (inspect.signature(type(o)).parameters.values() for o in (ours, theirs))
    assert [(p.name, p.default, p.kind) for p in mine] == [(p.name, p.default, p.kind) for p in other]


@every
def test_the_tables_refusals_are_pytorchs(row):
    for options, words in row.wrong:
        (_,), (q,), _ = pairs([(2,)], "float32", 0)
        with pytest.raises(ValueError) as theirs:
            getattr(torch.optim, row.name)([q], **options)
        assert str(theirs.value) == words


BAD = {
    "empty": lambda o, p: o.Adam([]),
    "tensor": lambda o, p: o.Adam(p),
    "string": lambda o, p: o.Adam(["p"]),
    "non-leaf": lambda o, p: o.Adam([p * 2]),
    "group": lambda o, p: o.SGD([p]).add_param_group([p]),
    "twice": lambda o, p: o.SGD([p]).add_param_group({"params": p}),
    "array": lambda o, p: o.SGD([np.ones(1)]),
    "group after parameter": lambda o, p: o.SGD([p, {"params": [p]}]),
    "parameter after group": lambda o, p: o.SGD([{"params": [p]}, [p]]),
    "set": lambda o, p: o.SGD([{"params": {p}}]),
    "load groups": lambda o, p: o.SGD([p]).load_state_dict({"state": {}, "param_groups": []}),
    "load size": lambda o, p: o.SGD([p]).load_state_dict({"state": {}, "param_groups": [{"params": [0, 1]}]}),
    "fused foreach": lambda o, p: o.SGD([p], fused=True, foreach=True),
}


@pytest.mark.parametrize("case", BAD.values(), ids=BAD.keys())
def test_errors_have_the_same_first_line(case):
    (p,), (q,), _ = pairs([(2,)], "float32", 0)
    with pytest.raises(Exception) as theirs:
        case(torch.optim, q)
    with pytest.raises(type(theirs.value)) as ours:
        case(optim, p)
    assert str(ours.value).splitlines()[0] == str(theirs.value).splitlines()[0]
