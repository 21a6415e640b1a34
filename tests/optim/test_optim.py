"""Optimizers, beyond the laws of tests/optim/test_optimizers.py: closures, hooks, names, and what is refused."""

import array
import linecache

import numpy as np
import pytest

import tinygrad_pt as torch
from tinygrad_pt.optim import SGD, Adam, AdamW, Optimizer


def leaf(values, dtype=np.float32):
    return torch.tensor(np.asarray(values, dtype), requires_grad=True)


def steps(optimizer, params, count, seed=0):
    """`count` steps with reproducible gradients."""
    draw = np.random.default_rng(seed)
    for _ in range(count):
        for p in params:
            p.grad = torch.tensor(draw.normal(size=p.array.shape).astype(p.array.dtype))
        optimizer.step()


def test_a_value_saved_before_the_step_is_refused_after_it():
    x = leaf([1.0, 2.0])
    y = (x * x).sum()
    x.grad = torch.ones(2)
    SGD([x], lr=0.1).step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


# -------------------------------------------------------------------------------- zero_grad, closures, hooks
def test_zero_grad():
    x = leaf([1.0, 2.0])
    optimizer = SGD([x], lr=0.1)
    x.grad = g = torch.ones(2)
    optimizer.zero_grad(set_to_none=False)
    assert x.grad is g and g.tolist() == [0.0, 0.0] and g._version == 1
    optimizer.zero_grad()
    assert x.grad is None


def test_closure_is_called_once_with_gradients_on_and_its_loss_returned():
    x = leaf([1.0])
    optimizer, calls = SGD([x], lr=0.5), []

    def closure():
        calls.append(torch.is_grad_enabled())
        optimizer.zero_grad()
        loss = (x * x).sum()
        loss.backward()
        return loss

    with torch.no_grad():
        loss = optimizer.step(closure)
    assert calls == [True] and loss.item() == 1.0 and x.item() == 0.0


def test_step_hooks():
    x = leaf([1.0])
    x.grad = torch.ones(1)
    optimizer, seen = SGD([x], lr=0.5), []
    before = optimizer.register_step_pre_hook(lambda o, a, k: seen.append(("before", o is optimizer, x.item())))
    optimizer.register_step_post_hook(lambda o, a, k: seen.append(("after", a, x.item())))
    optimizer.step()
    before.remove()
    optimizer.step(None)
    assert seen == [("before", True, 1.0), ("after", (), 0.5), ("after", (None,), 0.0)]


def test_own_optimizer_in_pytorch_style():
    class Signed(Optimizer):
        def __init__(self, params, lr):
            super().__init__(params, {"lr": lr})

        @torch.no_grad()
        def step(self, closure=None):
            for group in self.param_groups:
                for p in group["params"]:
                    p.add_(p.grad.sign() * -group["lr"])

    x = leaf([1.0, 1.0])
    x.grad = torch.tensor([3.0, -0.1])
    Signed([x], lr=0.25).step()
    assert x.tolist() == [0.75, 1.25]


def test_options_may_change_between_steps():
    x = leaf([1.0])
    optimizer = SGD([x], lr=0.5)
    x.grad = torch.ones(1)
    optimizer.step()
    optimizer.param_groups[0]["lr"] = 1.0
    optimizer.step()
    assert x.item() == -0.5


# -------------------------------------------------------------------------------- saving and loading
def test_loaded_state_is_a_copy_in_the_dtype_of_the_parameter():
    x, y = leaf([1.0, 2.0]), leaf([1.0, 2.0], np.float64)
    optimizer, wide = Adam([x]), Adam([y])
    steps(optimizer, [x], 1)
    saved = optimizer.state_dict()
    wide.load_state_dict(saved)
    assert wide.state[y]["exp_avg"].dtype is torch.float64 and wide.state[y]["step"].dtype is torch.float32
    kept = wide.state[y]["exp_avg"].tolist()
    steps(optimizer, [x], 1)
    assert wide.state[y]["exp_avg"].tolist() == kept


def test_state_of_every_kind_is_loaded_as_a_copy_its_tensors_in_the_dtype_of_the_parameter_but_for_steps():
    x, y = leaf([1.0, 2.0]), leaf([1.0, 2.0], np.float64)
    one, two = Optimizer([x], {}), Optimizer([y], {})
    entries = {"step": torch.tensor(3.0), "alpha": torch.ones(2), "trace": torch.ones(2)}
    one.state[x] = {**entries, "inner": {**entries}, "past": [torch.ones(2), (torch.ones(2), 5)], "kind": "wide",
                    "raw": b"12", "count": 7, "none": None}  # fmt: skip
    two.load_state_dict(one.state_dict())
    new, old = two.state[y], one.state[x]
    for mine, other in ((new, old), (new["inner"], old["inner"])):
        assert mine["step"].dtype is torch.float32 and mine["step"].item() == 3.0
        assert mine["alpha"].dtype is mine["trace"].dtype is torch.float64
        assert all(mine[k].tolist() == other[k].tolist() and mine[k] is not other[k] for k in entries)
    first, (second, five) = new["past"]
    assert first.dtype is second.dtype is torch.float64 and five == 5
    assert [new[k] for k in ("kind", "raw", "count", "none")] == ["wide", b"12", 7, None]
    old["inner"]["alpha"].zero_()
    assert new["inner"]["alpha"].tolist() == [1.0, 1.0]


def test_a_state_of_adams_goes_on_in_adamw_with_its_own_weight_decay():
    x, y = leaf([1.0]), leaf([1.0])
    adam, adamw = Adam([x], lr=0.5, weight_decay=0.5), AdamW([y])
    adamw.load_state_dict(adam.state_dict())
    y.grad = torch.zeros(1)
    adamw.step()
    assert y.item() == 0.75 and adamw.param_groups[0]["decoupled_weight_decay"] is True


def test_state_dict_layout():
    x = leaf([1.0, 2.0])
    optimizer = Adam([("w", x)])
    assert optimizer.state_dict()["state"] == {}
    x.grad = torch.ones(2)
    optimizer.step()
    saved = optimizer.state_dict()
    assert saved["param_groups"][0]["params"] == [0] and saved["param_groups"][0]["param_names"] == ["w"]
    assert list(saved["state"][0]) == ["step", "exp_avg", "exp_avg_sq"]
    assert saved["state"][0]["step"].shape == () and saved["state"][0]["step"].item() == 1.0


# -------------------------------------------------------------------------------- what is refused
def test_refusals():
    x, y = leaf([1.0]), leaf([2.0])
    refused = [
        (ValueError, "optimizer got an empty parameter list", lambda: SGD([])),
        (TypeError, "iterable of Tensors or dicts, but got torch.FloatTensor", lambda: SGD(x)),
        (ValueError, "can't optimize a non-leaf Tensor", lambda: SGD([x * 2])),
        (TypeError, "optimizer can only optimize Tensors, but one of the params is int$", lambda: SGD([1])),
        (TypeError, "one of the params is numpy.ndarray$", lambda: SGD([np.ones(1)])),
        (TypeError, "one of the params is array.array$", lambda: SGD([array.array("f", [1.0])])),
        (TypeError, "param_group must be a dict, but got <class 'list'>", lambda: SGD([{"params": [x]}, [y]])),
        (TypeError, "one of the params is dict$", lambda: SGD([x, {"params": [y]}])),
        (TypeError, "ordered collections", lambda: SGD([{"params": {x}}])),
        (ValueError, "more than one parameter group", lambda: SGD([{"params": [x]}, {"params": [x]}])),
        (ValueError, "Some param names are missing", lambda: SGD([("a", x), y])),
        (ValueError, "with/without names", lambda: SGD([{"params": [("a", x)]}, {"params": [y]}])),
    ]
    for kind, text, call in refused:
        with pytest.raises(kind, match=text):
            call()


class Slow(SGD):
    """A class of the user's own."""

    def __init__(self, params):
        super().__init__(params, lr=1e-6)


DUPLICATES = {
    "SGD([x, x])": lambda x: SGD([x, x]),
    'AdamW([{"params": [x, x]}])': lambda x: AdamW([{"params": [x, x]}]),
    'add_param_group({"params": [x, x]})': lambda x: Adam([leaf([1.0])]).add_param_group({"params": [x, x]}),
    "super().__init__(params, lr=1e-6)": lambda x: Slow([x, x]),
}


@pytest.mark.parametrize(("text", "call"), DUPLICATES.items(), ids=range(len(DUPLICATES)))
def test_duplicates_are_warned_of_at_the_users_line(text, call):
    with pytest.warns(UserWarning, match="parameter group with duplicate parameters") as seen:
        call(leaf([1.0]))
    (line,) = [linecache.getline(w.filename, w.lineno) for w in seen if w.filename == __file__]
    assert line.rstrip(",\n").endswith(text)


def test_a_refused_group_is_not_added():
    x, y = leaf([1.0]), leaf([2.0])
    optimizer = SGD([x], lr=0.1)
    group = {"params": [y, x]}
    with pytest.raises(ValueError, match="more than one parameter group"):
        optimizer.add_param_group(group)
    assert len(optimizer.param_groups) == 1 and list(group) == ["params"]


def test_repr():
    assert repr(SGD([leaf([1.0])], lr=0.1)) == (
        "SGD (\nParameter Group 0\n    dampening: 0\n    differentiable: False\n    foreach: None\n"
        "    fused: None\n    lr: 0.1\n    maximize: False\n    momentum: 0\n    nesterov: False\n"
        "    weight_decay: 0\n)"
    )
