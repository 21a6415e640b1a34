"""The laws every optimizer keeps, each one test, multiplied over the rows of the table and their options."""

from __future__ import annotations

import copy
import importlib
import inspect
import pkgutil
from typing import Any

import numpy as np
import pytest

import tinygrad_pt as torch
from tests.optim.table import FLAGS, PUBLIC, ROWS, WHOLE, Row, gradients, near, start

every = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)


def leaf(values: Any, dtype: Any = np.float64) -> Any:
    return torch.tensor(np.asarray(values, dtype), requires_grad=True)


def walk(optimizer: Any, params: list[Any], steps: list[list[Any]]) -> None:
    """One step for each list of gradients."""
    for grads in steps:
        for p, g in zip(params, grads, strict=True):
            p.grad = None if g is None else torch.tensor(np.asarray(g, p.array.dtype))
        optimizer.step()


def snapshot(optimizer: Any, params: list[Any]) -> tuple[Any, ...]:
    """Everything a step may change, copied."""
    entries = {
        (i, k): np.array(v.array if hasattr(v, "array") else v)
        for i, state in optimizer.state_dict()["state"].items()
        for k, v in state.items()
    }
    values = {("value", i): np.array(p.array) for i, p in enumerate(params)}
    return values | entries, copy.deepcopy(optimizer.state_dict()["param_groups"])


def same(a: Any, b: Any) -> None:
    assert a[0].keys() == b[0].keys() and a[1] == b[1]
    for key, value in a[0].items():
        np.testing.assert_array_equal(value, b[0][key], err_msg=str(key))


# ------------------------------------------------------------------------------------------ the table is whole
def test_every_optimizer_has_a_row() -> None:
    assert set(PUBLIC) == {*ROWS, *WHOLE}, "a public optimizer without a row in tests/optim/table.py"


def test_every_optimizer_is_exported() -> None:
    for file in pkgutil.iter_modules(torch.optim.__path__, "tinygrad_pt.optim."):
        for name, thing in vars(importlib.import_module(file.name)).items():
            here = inspect.isclass(thing) and issubclass(thing, torch.optim.Optimizer) and thing.__module__ == file.name
            if here and not name.startswith("_"):
                assert vars(torch.optim).get(name) is thing, f"{name} is not in `tinygrad_pt.optim`"


def test_a_method_without_a_formula_says_so() -> None:
    x = leaf([1.0])
    x.grad = torch.ones_like(x)
    with pytest.raises(NotImplementedError):
        torch.optim.Optimizer([x], {}).step()


@every
def test_every_option_is_tried(row: Row) -> None:
    parameters = inspect.signature(PUBLIC[row.name]).parameters
    assert set(row.options) == set(parameters) - {"params"} - FLAGS
    for name, values in row.options.items():
        assert any(v != parameters[name].default for v in values), name
        assert {repr(o[name]) for o in row.combinations()} == {repr(v) for v in values}


# ------------------------------------------------------------------------------------------ values
@every
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-11), (np.float32, 2e-5)])
def test_steps_follow_the_formula(row: Row, dtype: Any, tolerance: float) -> None:
    """One step and four, for every combination of options and parameters of every rank and size."""
    for options in row.combinations():
        params = [leaf(x, dtype) for x in start()]
        origin = [np.array(p.array, np.float64) for p in params]
        steps = [[np.asarray(g.astype(dtype), np.float64) for g in grads] for grads in gradients(4)]
        optimizer = row(params, **options)
        for done, upto in ((0, 1), (1, 4)):
            walk(optimizer, params, steps[done:upto])
            for i, (p, x) in enumerate(zip(params, origin, strict=True)):
                expected = row.expected(x, [grads[i] for grads in steps[:upto]], options)
                assert p.array.dtype == dtype and p.array.shape == np.shape(x)
                assert near(p.array, expected, tolerance), (options, p.array, expected)


@every
def test_half_precision_follows_the_formula(row: Row) -> None:
    """Computed in float32 and rounded; where a small square is not the divisor, for that is 0 in half precision."""
    for options in row.few():
        if options.get("eps", 1.0) < 1.0:
            continue
        x = start(((40,),))[0]
        p = leaf(x, np.float16)
        steps = gradients(3, ((40,),))
        walk(row([p], **options), [p], steps)
        expected = row.expected(x, [g for (g,) in steps], options)
        assert p.dtype is torch.float16
        np.testing.assert_allclose(p.array, expected, rtol=1e-2, atol=1e-2)


@every
def test_size_and_layout_of_memory_do_not_matter(row: Row) -> None:
    """Large parameters pass in blocks, strange ones in pieces: the same bits in the same place."""
    for n in (3, 130):
        x, g = start(((n, 2 * n), (n, 2 * n)))
        for options in row.few():
            plain = leaf(x)
            turned = torch.tensor(x.T.copy()).transpose(0, 1).detach().requires_grad_()
            spread = torch.tensor(np.repeat(x, 2, axis=1))[:, ::2].detach().requires_grad_()
            backward = torch.from_numpy(np.flip(np.flip(x).copy())).requires_grad_()
            results = []
            for p, grad in ((plain, g), (turned, g), (spread, np.asarray(g, order="F")), (backward, np.flip(g))):
                address = p.array.ctypes.data
                p.grad = torch.zeros_like(p)
                p.grad.array = grad if p is not backward else np.flip(np.flip(g).copy())
                optimizer = row([p], **options)
                optimizer.step()
                optimizer.step()
                assert p.array.ctypes.data == address
                results.append(np.array(p.array))
            for other in results[1:]:
                np.testing.assert_array_equal(results[0], other)


@every
def test_nan_and_inf_are_values(row: Row) -> None:
    for options in row.few():
        x = leaf([1.0, 2.0, 3.0])
        walk(row([x], **options), [x], [[np.array([np.nan, np.inf, 0.5])]])
        still = options["lr"] == 0 or row.name == "Rprop"  # which sees signs, and nan has none
        assert (np.isnan(x.array[0]) or still) and np.isfinite(x.array[2])


@every
def test_a_rate_may_be_a_tensor(row: Row) -> None:
    options = row.few()[0]
    results = []
    for lr in (0.5, torch.tensor(0.5), torch.tensor([0.5])):
        x = leaf([1.0, -2.0])
        walk(row([x], **options | {"lr": lr}), [x], [[np.array([0.3, 0.1])]] * 2)
        results.append(x.tolist())
    assert results[0] == results[1] == results[2]


# ------------------------------------------------------------------------------------------ what is left alone
@every
def test_a_step_is_one_change_and_leaves_gradients_and_the_rest_alone(row: Row) -> None:
    for options in row.combinations():
        params = [leaf(x) for x in start()]
        skipped, empty = leaf([1.0, 2.0]), leaf([3.0])
        optimizer = row([*params, skipped, empty], **options)
        steps = gradients(1)[0]
        for p, g in zip(params, steps, strict=True):
            p.grad = torch.tensor(g)
        kept = [p.grad for p in params]
        group = optimizer.param_groups[0]
        writes = row.writes + bool(group.get("decoupled_weight_decay") and group["weight_decay"])
        optimizer.step()
        for p, g, k in zip(params, steps, kept, strict=True):
            assert p.grad is k and p._version == writes and k._version == 0 and p.is_leaf and p.requires_grad
            np.testing.assert_array_equal(k.array, g)
        assert skipped._version == empty._version == 0 and skipped.grad is None
        assert skipped.tolist() == [1.0, 2.0] and empty.tolist() == [3.0]
        if row.name != "Adagrad":  # whose state begins with the optimizer
            assert not optimizer.state.get(skipped)


@every
@pytest.mark.parametrize("trouble", ["read-only", "shape", "closure"])
def test_a_failing_step_changes_nothing(row: Row, trouble: str) -> None:
    for options in row.few():
        params = [leaf([1.0, 2.0]), leaf([3.0, 4.0])]
        optimizer = row(params, **options)
        walk(optimizer, params, gradients(2, ((2,), (2,))))
        before, versions = snapshot(optimizer, params), [p._version for p in params]
        closure = None
        if trouble == "read-only":
            params[1].array.flags.writeable = False
        elif trouble == "shape":
            params[1].grad.array = np.ones(3)
        else:
            closure = lambda: 1 / 0  # noqa: E731
        with pytest.raises(ZeroDivisionError if closure else RuntimeError):
            optimizer.step(closure)
        same(before, snapshot(optimizer, params))
        assert [p._version for p in params] == versions


@every
def test_wrong_options_are_refused(row: Row) -> None:
    for options, words in row.wrong:
        x = leaf([1.0])
        with pytest.raises(ValueError) as caught:
            row([x], **options)
        assert str(caught.value).split("\n")[0] == words
        assert x.tolist() == [1.0] and x._version == 0
    for flag in ("capturable", "differentiable"):
        if flag in inspect.signature(PUBLIC[row.name]).parameters:
            with pytest.raises(RuntimeError, match=f"{flag}=True"):
                row([leaf([1.0])], **{flag: True})


# ------------------------------------------------------------------------------------------ groups
@every
def test_groups_are_optimizers_side_by_side(row: Row) -> None:
    few = row.few()
    steps = gradients(3, ((2, 3), (2,)))
    for one, two in zip(few, reversed(few), strict=True):
        x, y = start(((2, 3), (2,)))
        params, others = [leaf(x), leaf(y)], [leaf(x), leaf(y)]
        walk(row([{"params": [params[0]], **one}, {"params": params[1], **two}]), params, steps)
        walk(row([others[0]], **one), others[:1], [s[:1] for s in steps])
        walk(row([others[1]], **two), others[1:], [s[1:] for s in steps])
        for p, q in zip(params, others, strict=True):
            np.testing.assert_array_equal(p.array, q.array)


@every
def test_a_group_added_later_begins_then(row: Row) -> None:
    options = row.few()[-1]
    x, y = leaf([1.0, 2.0]), leaf([3.0])
    optimizer = row([x], **options)
    walk(optimizer, [x], gradients(2, ((2,),)))
    optimizer.add_param_group({"params": [y]})
    alone = leaf([3.0])
    walk(optimizer, [x, y], [[None, np.array([0.5])]])
    walk(row([alone], **options), [alone], [[np.array([0.5])]])
    assert y.tolist() == alone.tolist()


# ------------------------------------------------------------------------------------------ saving and loading
@every
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_going_on_from_a_state_is_going_on(row: Row, dtype: Any) -> None:
    """k steps, saved, loaded into another optimizer, and n more are k + n steps, bit for bit."""
    for options in row.combinations():
        params = [leaf(x, dtype) for x in start()]
        optimizer = row(params, **options)
        steps = gradients(4)
        walk(optimizer, params, steps[:2])
        others = [leaf(np.array(p.array), dtype) for p in params]
        fresh = row(others)
        saved = optimizer.state_dict()
        groups = copy.deepcopy(saved["param_groups"])
        fresh.load_state_dict(saved)
        assert saved["param_groups"] == groups, "loading has changed what was loaded"
        same(snapshot(optimizer, params), snapshot(fresh, others))
        walk(optimizer, params, steps[2:])
        walk(fresh, others, steps[2:])
        same(snapshot(optimizer, params), snapshot(fresh, others))


@every
def test_a_state_of_an_older_version_goes_on(row: Row) -> None:
    """Which counted steps in Python numbers, and did not know all of today's flags."""
    for options in row.few():
        x, y = leaf([1.0, 2.0]), leaf([1.0, 2.0])
        optimizer, fresh = row([x], **options), row([y])
        steps = gradients(4, ((2,),))
        walk(optimizer, [x], steps[:2])
        old = copy.deepcopy(optimizer.state_dict())
        for name, value in fresh.defaults.items():
            if (value is None or isinstance(value, bool)) and old["param_groups"][0][name] == value:
                del old["param_groups"][0][name]
        for entries in old["state"].values():
            if "step" in entries:
                entries["step"] = int(entries["step"].item())
        y.array[...] = x.array
        fresh.load_state_dict(old)
        assert fresh.param_groups[0].keys() == optimizer.param_groups[0].keys()
        for o, p in ((optimizer, x), (fresh, y)):
            walk(o, [p], steps[2:])
        same(snapshot(optimizer, [x]), snapshot(fresh, [y]))


@every
def test_a_state_is_loaded_in_the_dtype_of_the_parameter_but_for_its_clock(row: Row) -> None:
    for options in row.few():
        x, y = leaf([1.0, 2.0], np.float32), leaf([1.0, 2.0])
        optimizer, fresh = row([x], **options), row([y])
        walk(optimizer, [x], gradients(1, ((2,),)))
        fresh.load_state_dict(optimizer.state_dict())
        assert fresh.state[y].keys() == optimizer.state[x].keys()
        for name, value in fresh.state[y].items():
            clock = name in ("step", *PUBLIC[row.name].scalars)
            assert value.dtype is (torch.float32 if clock else torch.float64)
            assert value.tolist() == optimizer.state[x][name].tolist()


@every
def test_a_deep_copy_goes_its_own_way(row: Row) -> None:
    for options in row.few():
        x = leaf([1.0, 2.0])
        optimizer = row([x], **options)
        steps = gradients(4, ((2,),))
        walk(optimizer, [x], steps[:2])
        twin = copy.deepcopy(optimizer)
        (y,) = twin.param_groups[0]["params"]
        before = snapshot(twin, [y])
        walk(optimizer, [x], steps[2:])
        same(before, snapshot(twin, [y]))
        walk(twin, [y], steps[2:])
        same(snapshot(optimizer, [x]), snapshot(twin, [y]))


def damaged(saved: Any, how: Any) -> Any:
    entries = saved["state"].get(1) or {}
    tensors = [k for k in entries if k != "step"]
    if how == "groups":
        saved["param_groups"].append(saved["param_groups"][0])
    elif how == "size":
        saved["param_groups"][0]["params"].append(7)
    elif how == "option":
        del saved["param_groups"][0]["lr"]
    elif how == "flag":
        saved["param_groups"][0]["differentiable"] = True
    elif how == "no state":
        del saved["state"]
    elif not tensors:
        return None
    elif how == "entry":
        del entries[tensors[0]]
    elif isinstance(how, tuple):
        entries[tensors[-1]] = torch.zeros(how)
    elif how == "kind":
        entries[tensors[-1]] = "nothing"
    return saved


@every
@pytest.mark.parametrize("how", ["groups", "size", "option", "flag", "no state", "entry", (5,), (), (0,), "kind"])
def test_loading_a_bad_state_changes_nothing(row: Row, how: Any) -> None:
    for options in row.few():
        params = [leaf([1.0, 2.0]), leaf([3.0])]
        optimizer = row(params, **options)
        walk(optimizer, params, gradients(2, ((2,), (1,))))
        before = snapshot(optimizer, params)
        bad = damaged(copy.deepcopy(optimizer.state_dict()), how)
        if bad is None or (how == "entry" and row.name == "SGD"):  # which has one entry, and may begin without
            continue
        with pytest.raises((ValueError, RuntimeError, KeyError)):
            optimizer.load_state_dict(bad)
        same(before, snapshot(optimizer, params))
