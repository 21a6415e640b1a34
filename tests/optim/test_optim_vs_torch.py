"""Optimizers against PyTorch: the same parameters, state and options after the same gradients."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_pt
from tinygrad_pt import optim

torch = pytest.importorskip("torch")

SHAPES = [(4, 3), (5,), (1,), ()]
rates = st.floats(1e-4, 0.5)
decays = st.sampled_from([0, 0.01, 0.5])
flags = st.booleans()
# with a small β₂ the step hangs on the last bit of a gradient near 0, in PyTorch's float32 as much as in ours
betas = st.tuples(st.sampled_from([0.0, 0.3, 0.5, 0.9]), st.sampled_from([0.9, 0.999]))

SGD = st.fixed_dictionaries(
    {
        "lr": rates, "momentum": st.sampled_from([0, 0.5, 0.9]), "dampening": st.sampled_from([0, 0.3]),
        "weight_decay": decays, "maximize": flags,
    }
)  # fmt: skip
NESTEROV = st.fixed_dictionaries(
    {"lr": rates, "momentum": st.floats(0.1, 0.9), "nesterov": st.just(True), "weight_decay": decays}
)
ADAM = st.fixed_dictionaries(
    {
        "lr": rates, "betas": betas, "eps": st.sampled_from([1e-8, 1e-3]), "weight_decay": decays,
        "amsgrad": flags, "maximize": flags,
    }
)  # fmt: skip
RMSPROP = st.fixed_dictionaries(
    {
        "lr": rates, "alpha": st.sampled_from([0.9, 0.99]), "eps": st.sampled_from([1e-8, 1e-3]),
        "weight_decay": decays, "momentum": st.sampled_from([0, 0.9]), "maximize": flags,
    }
)  # fmt: skip
CENTERED = st.fixed_dictionaries({"lr": rates, "centered": st.just(True), "eps": st.just(1e-3)})
ADAGRAD = st.fixed_dictionaries(
    {
        "lr": rates, "lr_decay": st.sampled_from([0, 0.1]), "weight_decay": decays, "maximize": flags,
        "initial_accumulator_value": st.sampled_from([0, 0.5]),
    }
)  # fmt: skip
CASES = [
    ("SGD", SGD), ("SGD", NESTEROV), ("Adam", ADAM), ("AdamW", ADAM), ("RMSprop", RMSPROP),
    ("RMSprop", CENTERED), ("Adagrad", ADAGRAD),
]  # fmt: skip


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
    assert np.allclose(a.array, b.detach().numpy(), rtol=tolerance, atol=tolerance), (a, b)


@pytest.mark.parametrize(("name", "options"), CASES, ids=[f"{n}-{i}" for i, (n, _) in enumerate(CASES)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@settings(max_examples=20)
@given(data=st.data())
def test_twenty_steps(name, options, dtype, data):
    chosen = data.draw(options)
    params, mirrors, draw = pairs(SHAPES, dtype, data.draw(st.integers(0, 999)))
    ours, theirs = getattr(optim, name)(params, **chosen), getattr(torch.optim, name)(mirrors, **chosen)
    train(ours, theirs, params, mirrors, draw, 20)
    tolerance = 1e-6 if dtype == "float32" else 1e-12
    for p, q in zip(params, mirrors, strict=True):
        scale = max(1.0, float(np.abs(p.array).max()))
        assert np.abs(p.array - q.detach().numpy()).max() <= tolerance * 4 * scale
    mine, other = ours.state_dict(), theirs.state_dict()
    assert {k: v for k, v in mine["param_groups"][0].items()} == other["param_groups"][0]
    assert mine["state"].keys() == other["state"].keys()
    for i, state in other["state"].items():
        assert set(mine["state"][i]) == set(state)
        for key, value in state.items():
            close(mine["state"][i][key], value, tolerance * 10)


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


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad"])
def test_defaults_and_repr(name):
    params, mirrors, _ = pairs([(2,)], "float32", 0)
    ours, theirs = getattr(optim, name)(params), getattr(torch.optim, name)(mirrors)
    assert ours.defaults == theirs.defaults and repr(ours) == repr(theirs)


BAD = {
    "negative rate": lambda o, p: o.SGD([p], lr=-0.5),
    "negative decay": lambda o, p: o.Adam([p], weight_decay=-1.0),
    "beta": lambda o, p: o.AdamW([p], betas=(0.9, 1.5)),
    "empty": lambda o, p: o.Adam([]),
    "tensor": lambda o, p: o.Adam(p),
    "string": lambda o, p: o.Adam(["p"]),
    "non-leaf": lambda o, p: o.Adam([p * 2]),
    "dampened nesterov": lambda o, p: o.SGD([p], momentum=0.9, dampening=0.1, nesterov=True),
    "group": lambda o, p: o.SGD([p]).add_param_group([p]),
    "twice": lambda o, p: o.SGD([p]).add_param_group({"params": p}),
    "set": lambda o, p: o.SGD([{"params": {p}}]),
    "alpha": lambda o, p: o.RMSprop([p], alpha=-1),
    "lr_decay": lambda o, p: o.Adagrad([p], lr_decay=-1),
    "accumulator": lambda o, p: o.Adagrad([p], initial_accumulator_value=-1),
    "rate nan": lambda o, p: o.Adam([p], lr=float("nan")),
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
