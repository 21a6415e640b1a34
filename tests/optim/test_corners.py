"""Corners of the optimizers: bounds of their options, the ways a step may take, what warnings and layouts change."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import tinygrad_pt as torch
from tinygrad_pt.optim import SGD, Adagrad, Adam, AdamW, RMSprop, optimizer, sgd
from tinygrad_pt.optim.optimizer import BLOCK

CLASSES = [SGD, Adam, AdamW, RMSprop, Adagrad]
every_class = pytest.mark.parametrize("cls", CLASSES)
NUMBERS = {
    cls: [name for name, p in inspect.signature(cls).parameters.items() if type(p.default) in (int, float)]
    for cls in CLASSES
}


def leaf(values: Any, dtype: Any = np.float32) -> Any:
    return torch.tensor(np.asarray(values, dtype), requires_grad=True)


def stepped(x: Any, g: Any, cls: Any, times: int = 1, **options: Any) -> Any:
    """The values of x after so many steps along the gradient g."""
    method = cls([x], **options)
    for _ in range(times):
        x.grad = torch.tensor(np.asarray(g, x.array.dtype))
        method.step()
    return x.array


# ------------------------------------------------------------------------------------------ options
@pytest.mark.parametrize(("cls", "option"), [(cls, name) for cls in CLASSES for name in NUMBERS[cls]])
def test_every_number_may_be_zero_and_none_negative(cls: Any, option: str) -> None:
    with np.errstate(all="ignore"):
        stepped(leaf([1.0, 2.0]), [1.0, 1.0], cls, **{option: 0.0})
    if option != "dampening":
        with pytest.raises(ValueError, match="Invalid|Nesterov"):
            cls([leaf([1.0])], **{option: -0.1})


@pytest.mark.parametrize(("cls", "option"), [(cls, name) for cls in CLASSES for name in NUMBERS[cls]])
def test_a_number_may_be_a_tensor_that_is_changed_between_steps(cls: Any, option: str) -> None:
    results = []
    for number in (0.25, torch.tensor(0.25)):
        x = leaf([1.0, -2.0])
        method = cls([x], **{"momentum": 0.5, option: number} if option == "dampening" else {option: number})
        for _ in range(3):
            x.grad = torch.tensor([0.5, 0.25])
            method.step()
            method.param_groups[0][option] *= 2  # a tensor in place
        results.append(x.tolist())
    assert results[0] == results[1]


@every_class
def test_options_are_by_position_as_far_as_pytorch_takes_them_so(cls: Any) -> None:
    x = leaf([1.0])
    named = [n for n, p in inspect.signature(cls).parameters.items() if p.kind is p.POSITIONAL_OR_KEYWORD][1:]
    expected = {
        SGD: ["lr", "momentum", "dampening", "weight_decay", "nesterov"],
        Adam: ["lr", "betas", "eps", "weight_decay", "amsgrad"],
        AdamW: ["lr", "betas", "eps", "weight_decay", "amsgrad"],
        RMSprop: ["lr", "alpha", "eps", "weight_decay", "momentum", "centered", "capturable", "foreach", "maximize",
                  "differentiable"],
        Adagrad: ["lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps", "foreach"],
    }  # fmt: skip
    assert named == expected[cls]
    group = cls([x]).param_groups[0]
    assert not any(group.get(f) for f in ("maximize", "foreach", "fused", "capturable", "differentiable", "amsgrad"))


@pytest.mark.parametrize("cls", [Adam, AdamW])
@pytest.mark.parametrize("i", [0, 1])
def test_betas_are_from_zero_up_to_one(cls: Any, i: int) -> None:
    for beta in (-0.1, 1.0, 1.5):
        betas = [0.5, 0.5]
        betas[i] = beta
        with pytest.raises(ValueError, match=f"Invalid beta parameter at index {i}"):
            cls([leaf([1.0])], betas=tuple(betas))
        betas[i] = 0.0
        assert cls([leaf([1.0])], betas=tuple(betas)).param_groups[0]["betas"] == tuple(betas)


def test_betas_and_rates_that_are_tensors_have_one_element() -> None:
    one, two, none = torch.tensor([0.5]), torch.tensor([0.5, 0.5]), torch.zeros(0)
    for i in (0, 1):
        for wrong in (two, none):
            betas = [one, one]
            betas[i] = wrong
            with pytest.raises((ValueError, RuntimeError)):
                Adam([leaf([1.0])], betas=tuple(betas))
    assert Adam([leaf([1.0])], betas=(one, torch.tensor(0.25))).param_groups[0]["betas"] == (0.5, 0.25)
    with pytest.raises(ValueError, match="either both floats or both Tensors"):
        Adam([leaf([1.0])], betas=(one, 0.5))
    for cls in CLASSES:
        for wrong in (two, none):
            with pytest.raises(ValueError, match="Tensor lr must be 1-element"):
                cls([leaf([1.0])], lr=wrong)


def test_the_average_is_counted_from_the_nearer_end() -> None:
    """m + (g - m)·w loses g beside a large m, and g - (g - m)·(1 - w) loses m beside a large g."""
    for beta, grads, average in [
        (0.0, [1e8, 1.0], 1.0),
        (0.25, [1e8, 0.0, 0.0, 4.0], None),
        (0.9999, [1.0, 1e8], None),
    ]:
        x = leaf([0.0])
        method = Adam([x], betas=(beta, 0.9))
        m = 0.0
        for g in grads:
            x.grad = torch.tensor([g])
            method.step()
            m = beta * m + (1 - beta) * g
        assert method.state[x]["exp_avg"].item() == pytest.approx(average or m, rel=3e-6)


def test_dampening_of_either_sign() -> None:
    for dampening, moved in ((0.5, -(1 + 1.0)), (-0.5, -(1 + 2.0)), (-1.0, -(1 + 2.5)), (0.0, -(1 + 1.5))):
        x = stepped(leaf([0.0]), [1.0], SGD, 2, lr=1.0, momentum=0.5, dampening=dampening)
        assert x.tolist() == [moved]


def test_a_step_that_cannot_be_taken_says_why() -> None:
    for size in (1, 3):
        x = leaf([1.0, 2.0])
        x.grad = torch.ones(2)
        x.data = torch.ones(size)
        words = rf"The size of the parameter \[{size}\] must match the size of its gradient \[2\]"
        with pytest.raises(RuntimeError, match=words):
            SGD([x]).step()
    y = leaf([1.0, 2.0])
    y.grad = torch.ones(2)
    y.array.flags.writeable = False
    with pytest.raises(RuntimeError, match="the memory of a parameter is read-only"):
        SGD([y]).step()


def test_a_hook_before_the_step_may_exchange_its_arguments() -> None:
    x = leaf([1.0])
    method = SGD([x], lr=0.5)
    seen: list[Any] = []
    with method.register_step_pre_hook(lambda o, args, kwargs: ((lambda: "other",), {})):
        method.register_step_post_hook(lambda o, args, kwargs: seen.append((len(args), kwargs)))
        assert method.step(lambda: "own") == "other" and seen == [(1, {})]
    assert method.step(lambda: "own") == "own"
    for wrong in ((1, 2, 3), [(), {}], 5, ((),)):
        with method.register_step_pre_hook(lambda o, args, kwargs, wrong=wrong: wrong):
            with pytest.raises(RuntimeError, match=r"must return None or a tuple of \(new_args, new_kwargs\)"):
                method.step()


@every_class
def test_flags_that_are_not_here_are_refused_and_those_that_change_no_number_taken(cls: Any) -> None:
    known = inspect.signature(cls).parameters
    for flag in ("capturable", "differentiable"):
        if flag in known:
            with pytest.raises(RuntimeError, match=f"do not support {flag}=True"):
                cls([leaf([1.0])], **{flag: True})
    assert cls([leaf([1.0])], foreach=True).param_groups[0]["foreach"] is True
    if "fused" in known:
        assert cls([leaf([1.0])], fused=True).param_groups[0]["fused"] is True
        with pytest.raises(RuntimeError, match="cannot be `True` together"):
            cls([leaf([1.0])], fused=True, foreach=True)


# ------------------------------------------------------------------------------------------ ways a step may take
METHODS = [
    (SGD, {"lr": 0.1}), (SGD, {"lr": 0.1, "momentum": 0.9}), (Adam, {"lr": 0.1}), (RMSprop, {"lr": 0.1}),
    (Adagrad, {"lr": 0.1}), (SGD, {"lr": 0.1, "weight_decay": 0.1, "maximize": True}),
]  # fmt: skip
every_method = pytest.mark.parametrize(("cls", "options"), METHODS)


@every_method
@pytest.mark.parametrize(("blocks", "more"), [(0, 1), (0, 2), (1, -1), (1, 0), (1, 1), (2, 0), (2, 1), (3, 7)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_element_takes_the_same_step_whatever_the_size(
    cls: Any, options: Any, blocks: int, more: int, dtype: Any
) -> None:
    """Elements do not know of each other, so a large parameter of copies moves as one of two elements does."""
    size = blocks * BLOCK + more
    few = stepped(leaf([0.5, -2.0], dtype), [0.25, 3.0], cls, 3, **options)
    many = stepped(leaf(np.resize([0.5, -2.0], size), dtype), np.resize([0.25, 3.0], size), cls, 3, **options)
    np.testing.assert_allclose(many, np.resize(few, size), rtol=1e-6 if dtype is np.float32 else 1e-14)


def never(*args: Any, **kwargs: Any) -> Any:
    raise AssertionError("this way is for large or strange arrays only")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_small_parameters_are_updated_where_they_lie(monkeypatch: Any, dtype: Any) -> None:
    monkeypatch.setattr(np, "nditer", never)
    for cls, options in METHODS:
        for shape in ((), (1,), (3,), (2, 3), (BLOCK,)):
            stepped(leaf(np.ones(shape), dtype), np.ones(shape), cls, **options)
        if cls is not SGD or len(options) > 1:
            with pytest.raises(AssertionError):
                stepped(leaf(np.ones(BLOCK + 1), dtype), np.ones(BLOCK + 1), cls, **options)
    monkeypatch.setattr(sgd, "sweep", never)
    for size in (1, 2, BLOCK, 2 * BLOCK):
        stepped(leaf(np.ones(size), dtype), np.ones(size), SGD)
    for size in (0, 2 * BLOCK + 1):
        with pytest.raises(AssertionError):
            stepped(leaf(np.ones(size), dtype), np.ones(size), SGD)


@every_method
def test_halves_are_stepped_as_singles_and_rounded_once(cls: Any, options: Any) -> None:
    values, g = [0.5, -2.0, 1.0], [0.25, 3.0, 1e-3]
    half = stepped(leaf(values, np.float16), g, cls, **options)
    single = stepped(leaf(values, np.float32), np.asarray(g, np.float16), cls, **options)
    assert half.dtype == np.float16
    np.testing.assert_allclose(half, single, rtol=1e-3)


def test_constants_are_arrays_of_the_dtype_in_which_the_step_is_taken() -> None:
    for kind, used in ((np.float16, np.float32), (np.float32, np.float32), (np.float64, np.float64)):
        table = optimizer.constants(np.dtype(kind))
        half = table[0.5]
        assert half.shape == () and half.dtype == used == table.dtype and half == 0.5 and table[None] is None
        for i in range(2000):
            assert table[float(i)] == i
        assert len(table) < 1000 and table[None] is None and table[0.5] == 0.5


@pytest.mark.parametrize("dtypes", [(np.float16, np.float32, np.float64), (np.float64, np.float32, np.float16)])
@every_method
def test_each_parameter_of_a_group_is_stepped_in_its_own_precision(cls: Any, options: Any, dtypes: Any) -> None:
    params = [leaf(np.linspace(-2, 2, 9), dtype) for dtype in dtypes]
    method = cls(params, **options)
    for p in params:
        p.grad = torch.ones_like(p)
    method.step()
    for p in params:
        alone = stepped(leaf(np.linspace(-2, 2, 9), p.array.dtype), np.ones(9), cls, **options)
        assert p.array.dtype == alone.dtype and p.tolist() == alone.tolist()


@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
def test_a_single_element_moves_by_the_product_and_is_rounded_once(shape: Any) -> None:
    """x - lr·g in float64 to the next float32, which a rounded product would often miss."""
    draw = np.random.default_rng(0)
    for x, g in draw.normal(size=(40, 2)).astype(np.float32):
        moved = stepped(leaf(np.full(shape, x)), np.full(shape, g), SGD, lr=0.1)
        assert moved == np.float32(np.float64(x) - np.float64(g) * np.float64(np.float32(0.1)))


def test_a_rate_of_zero_does_the_same_whatever_rates_came_before() -> None:
    """Zeros of both signs are equal, and what was made for one of them must not serve the other."""
    signs = []
    for maximize in (False, True):
        for i in range(600):
            stepped(leaf([1.0, 1.0]), [1.0, 1.0], SGD, lr=1.0 + i)
        stepped(leaf([1.0, 1.0]), [1.0, 1.0], SGD, lr=0.0, maximize=maximize)
        signs.append(np.signbit(stepped(leaf([-0.0, -0.0]), [1.0, -1.0], SGD, lr=0.0)).tolist())
    assert signs[0] == signs[1]


@every_method
def test_infinities_are_values_where_numpy_is_told_to_raise(cls: Any, options: Any) -> None:
    with np.errstate(all="raise"):
        x = stepped(leaf([1.0, 1.0, 1.0]), [np.inf, 3e38, 1.0], cls, 2, **options)
    assert not np.isfinite(x[0]) and np.isfinite(x[2])


# ------------------------------------------------------------------------------------------ gradients and states
@every_method
def test_zero_grad_forgets_or_fills(cls: Any, options: Any) -> None:
    x, y = leaf([1.0, 2.0]), leaf([3.0])
    method = cls([{"params": [x]}, {"params": [y]}], **options)
    x.grad = torch.tensor([1.0, 1.0])
    kept = x.grad
    method.zero_grad(set_to_none=False)
    assert x.grad is kept and kept.tolist() == [0.0, 0.0] and kept._version == 1 and y.grad is None
    (x * x).sum().backward(create_graph=True)
    graph = x.grad
    assert graph.requires_grad
    method.zero_grad(False)
    assert x.grad is graph and not graph.requires_grad and graph.tolist() == [0.0, 0.0]
    frozen = torch.tensor([2.0, 2.0])
    frozen.array.flags.writeable = False
    x.grad, y.grad = frozen, torch.ones(1)
    method.zero_grad(False)
    assert x.grad is not frozen and x.grad.tolist() == [0.0, 0.0] and y.grad.tolist() == [0.0]
    method.zero_grad()
    assert x.grad is None and y.grad is None


@every_class
def test_clocks_count_the_steps_of_each_parameter(cls: Any) -> None:
    x, late = leaf([1.0]), leaf([1.0])
    method = cls([x, late])
    for i in range(3):
        x.grad = torch.ones(1)
        late.grad = torch.ones(1) if i == 2 else None
        method.step()
    if cls is not SGD:
        assert [method.state[p]["step"].item() for p in (x, late)] == [3.0, 1.0]
        assert method.state[x]["step"].dtype is torch.float32 and method.state[x]["step"].shape == ()
    once = leaf([1.0])
    stepped(once, [1.0], cls)
    assert late.item() == once.item() and x.item() < late.item()
    writes = 2 if cls is AdamW else 1  # PyTorch's decay of weights is a write of its own
    assert x._version == 3 * writes and late._version == writes


@every_class
def test_names_travel_with_the_groups(cls: Any) -> None:
    x, y = leaf([1.0]), leaf([2.0])
    method = cls([("x", x), ("y", y)])
    assert method.param_groups[0]["param_names"] == ["x", "y"] and method.param_groups[0]["params"] == [x, y]
    with pytest.raises(ValueError, match="cannot add param group without names"):
        method.add_param_group({"params": [leaf([1.0])]})
    with pytest.raises(ValueError, match="Some param names are missing"):
        cls([("x", x), y])
    saved = method.state_dict()
    del saved["param_groups"][0]["param_names"]
    method.load_state_dict(saved)
    assert method.param_groups[0]["param_names"] == ["x", "y"]
    with pytest.raises(ValueError, match="cannot add param group with names"):
        cls([x]).add_param_group({"params": [("y", y)]})


@every_class
def test_parameters_are_numbered_in_order_over_the_groups(cls: Any) -> None:
    x, y, z = leaf([1.0]), leaf([2.0]), leaf([3.0])
    method = cls([{"params": [x, y]}, {"params": z, "lr": 0.5}])
    z.grad = torch.ones(1)
    method.step()
    saved = method.state_dict()
    assert [group["params"] for group in saved["param_groups"]] == [[0, 1], [2]]
    assert [group["lr"] for group in saved["param_groups"]] == [method.defaults["lr"], 0.5]
    assert set(saved["state"]) >= ({2} if cls is not SGD else set())
    other = cls([{"params": [x, y]}, {"params": z}])
    other.load_state_dict(saved)
    assert other.param_groups[1]["lr"] == 0.5 and other.param_groups[1]["params"] == [z]
    for groups in ([[x]], [[x], [y], [z]]):
        with pytest.raises(ValueError, match="different number of parameter groups"):
            cls([{"params": group} for group in groups]).load_state_dict(saved)
    for groups in ([[x], [y, z]], [[x, y, leaf([4.0])], [z]]):
        with pytest.raises(ValueError, match="doesn't match the size of optimizer's group"):
            cls([{"params": group} for group in groups]).load_state_dict(saved)
