"""Anomaly mode: which op, which module, which line of the forward pass, and what went in."""

from __future__ import annotations

import inspect
import threading
import warnings
from typing import Any

import numpy as np
import pytest

import tinygrad_pt as torch
from tinygrad_pt import nn
from tinygrad_pt.autograd import detect_anomaly, set_detect_anomaly
from tinygrad_pt.modes import current


def here() -> int:
    return inspect.currentframe().f_back.f_lineno  # type: ignore[union-attr]


def leaf(*values: float) -> Any:
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


@pytest.fixture(autouse=True)
def nothing_is_left() -> Any:
    yield
    assert not torch.is_anomaly_enabled() and not current().listeners


def test_the_exception_names_op_module_line_and_what_went_in() -> None:
    class Root(nn.Module):
        def forward(self, x: Any) -> Any:
            self.line = here() + 1
            return torch.sqrt(x)

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.root = Root()

        def forward(self, x: Any) -> Any:
            return self.root(x) * torch.tensor([1.0, 0.0])

    net, x = Net(), torch.tensor([1.0, 0.0], requires_grad=True)
    with pytest.raises(RuntimeError) as caught, detect_anomaly():
        net(x).sum().backward()
    first, *rest = str(caught.value).splitlines()
    assert first == "Function 'SqrtBackward0' returned nan values in its 0th output."
    facts = {name.strip(): text for name, _, text in (line.partition(": ") for line in rest)}
    assert facts["op"] == "sqrt(float32[2])" and facts["module"] == "root (Root)"
    assert facts["line"] == f"{__file__}:{net.root.line} in forward: return torch.sqrt(x)"
    assert facts["element"].startswith("[1], the only one of 2") and facts["there"] == "g = 0, y = 0"
    assert facts["g is 0 because of"].startswith("mul") and "torch.where" in facts["mend"]
    assert x.grad is None


def test_where_and_the_branch_it_did_not_take() -> None:
    x = leaf(1.0, 0.0)
    with pytest.raises(RuntimeError, match=r"'LogBackward0'.*0th") as caught, detect_anomaly():
        y = torch.log(x)
        line = here() + 1
        torch.where(x > 0, y, 0.0).sum().backward()
    assert f"g is 0 because of: where {__file__}:{line} in" in str(caught.value)
    assert "there: g = 0, a = 0" in str(caught.value) and "make the argument safe before the op" in str(caught.value)


def test_an_inf_that_became_nan_further_down_is_followed_to_where_it_was_made() -> None:
    x = leaf(2.0)
    with pytest.raises(RuntimeError, match="'MulBackward0'") as caught, detect_anomaly():
        h = x * 0
        line = here() + 1
        y = torch.sqrt(h)
        (y + 1).sum().backward()
    text = str(caught.value)
    assert "there: g = inf, b = 0" in text
    assert "earlier: inf came into being in the derivative of sqrt" in text and f":{line} in" in text
    assert "mend: the slope of a root is infinite at 0" in text.rpartition("\n")[2]


def test_the_slot_is_the_number_of_the_output() -> None:
    b = leaf(0.0)
    with pytest.raises(RuntimeError, match="Function 'DivBackward0' returned nan values in its 1th output"):
        with detect_anomaly():
            (torch.where(b > 0, torch.ones(1) / b, 0.0)).sum().backward()


def test_gradients_that_cancel_to_nan() -> None:
    x = leaf(0.0)
    with pytest.raises(RuntimeError, match="inf and -inf, and their sum is nan") as caught, detect_anomaly():
        h = x * 1
        (h * 1e308 * 10 - h * 1e308 * 10).backward(torch.full((1,), 10.0, dtype=torch.float64))
    assert str(caught.value).count(f"mul {__file__}") == 2
    with pytest.raises(RuntimeError, match="sum is nan") as caught, detect_anomaly():
        (x * 1e308 * 10 - x * 1e308 * 10).backward(torch.full((1,), 10.0, dtype=torch.float64))
    assert "gradient of: float64[1]" in str(caught.value) and x.grad is None


def test_a_seed_or_a_hook_that_is_nan_is_told_as_such() -> None:
    x = leaf(1.0)
    with pytest.raises(RuntimeError, match=r"the gradient given to backward\(\) holds nan"), detect_anomaly():
        (x * 2).backward(torch.full((1,), torch.nan, dtype=torch.float64))
    with pytest.raises(RuntimeError, match="a hook of this tensor may have made it"), detect_anomaly():
        h = x * 2
        h.register_hook(lambda g: g * torch.nan)
        (h * 3).sum().backward()
    assert x.grad is None


@pytest.mark.parametrize("use", [lambda y: y.sum(), lambda y: (y * y).sum()], ids=["finite gradient", "nan gradient"])
def test_a_loss_that_is_nan_raises_and_names_the_op_that_made_it(use: Any) -> None:
    x = leaf(1.0, -1.0)
    with pytest.raises(RuntimeError) as caught, detect_anomaly():
        line = here() + 1
        y = torch.log(x)
        use(y + x).backward()
    assert "nan came into being in log" in str(caught.value) and f"{__file__}:{line} in" in str(caught.value)
    assert "there: a = -1, y = nan" in str(caught.value) and x.grad is None


def test_a_loss_that_is_nan_because_the_data_is() -> None:
    w, data = leaf(1.0, 1.0), torch.tensor([1.0, torch.nan], dtype=torch.float64)
    data.name = "data"
    with pytest.raises(RuntimeError, match="in the forward pass data, argument 1 of mul, holds nan itself"):
        with detect_anomaly():
            (w * data).sum().backward()


def test_nan_that_no_gradient_meets_is_no_error() -> None:
    x = leaf(2.0, -1.0)
    with detect_anomaly():
        y = torch.log(x)  # nan at -1, and masked
        torch.where(x > 0, y, 0.0).sum().backward()
    assert x.grad.tolist() == [0.5, 0.0]


def test_check_forward_raises_at_the_op() -> None:
    with detect_anomaly(check_forward=True):
        torch.log(torch.zeros(2))  # inf is no nan
        with pytest.raises(RuntimeError, match="Function 'sub' returned nan values in its forward pass") as caught:
            line = here() + 1
            torch.log(torch.zeros(2)) - torch.log(torch.zeros(2))
        nan = torch.tensor([torch.nan])
        nan * 2  # not made here
    assert f"{__file__}:{line} in" in str(caught.value) and "a = -inf, b = -inf" in str(caught.value)


@pytest.mark.parametrize("check_nan", [True, False])
def test_a_value_changed_in_place_names_both_lines(check_nan: bool) -> None:
    x = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation") as caught:
        with detect_anomaly(check_nan):
            h = x * 2
            used = here() + 1
            loss = (h * h).sum()
            changed = here() + 1
            h[0] = 3.0
            loss.backward()
    text = str(caught.value)
    assert f"  line: {__file__}:{used} in" in text and f"  changed in place: {__file__}:{changed} in" in text


def test_an_optimizer_step_between_is_a_change_too() -> None:
    net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    for make in (torch.optim.SGD, torch.optim.Adam):
        optimizer = make(net.parameters(), lr=0.1)
        with pytest.raises(RuntimeError, match="is at version") as caught, detect_anomaly():
            loss = net(torch.ones(1, 2)).sum()
            loss.backward(retain_graph=True)
            line = here() + 1
            optimizer.step()
            loss.backward()
        assert f"changed in place: {__file__}:{line} in" in str(caught.value)
        assert "module: 2 (Linear)" in str(caught.value)


def test_what_a_function_saved_and_somebody_changed() -> None:
    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return 2 * g * x

    with pytest.raises(RuntimeError, match="modified by an inplace operation") as caught, detect_anomaly():
        h = leaf(1.0) * 1
        y = Square.apply(h)
        line = here() + 1
        h.zero_()
        y.sum().backward()
    assert f"changed in place: {__file__}:{line} in" in str(caught.value)


@pytest.mark.parametrize("kind", [RuntimeError, KeyError, ZeroDivisionError])
def test_any_exception_in_backward_gets_the_forward_line(kind: type[Exception]) -> None:
    class Broken(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 1

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            raise kind("mine")

    with pytest.raises(kind) as caught, detect_anomaly():
        line = here() + 1
        y = Broken.apply(leaf(1.0))
        (y * 2).sum().backward()
    text = "\n".join([str(caught.value), *getattr(caught.value, "__notes__", ())])
    assert "mine" in text and text.count("  line: ") == 1 and f"{__file__}:{line} in" in text and "op: " in text


def test_a_hook_of_the_wrong_size_gets_it_too() -> None:
    x = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match="hook '<lambda>' has changed the size of value") as caught, detect_anomaly():
        line = here() + 1
        h = x * 2
        h.register_hook(lambda g: g[:1])
        (h * 3).sum().backward()
    assert f"{__file__}:{line} in" in str(caught.value)


def test_a_second_pass_names_the_op_and_the_first_pass() -> None:
    w, hidden = leaf(1.0), torch.zeros(1, dtype=torch.float64)
    with pytest.raises(RuntimeError, match="Trying to backward through the graph a second time") as caught:
        with detect_anomaly():
            for _ in range(2):
                used = here() + 1
                hidden = torch.tanh(hidden + w)  # kept for the next step, and its graph with it
                freed = here() + 1
                hidden.sum().backward()
    text = str(caught.value)
    assert "op: tanh(" in text
    assert f"  line: {__file__}:{used} in" in text and f"  freed by: {__file__}:{freed} in" in text


def test_ops_from_outside_have_no_line_and_say_so() -> None:
    x = leaf(1.0)
    h = x * 2
    loss = (h * h).sum()
    h.add_(1)
    with pytest.raises(RuntimeError, match="line: not known: the op was applied outside anomaly mode") as caught:
        with detect_anomaly():
            loss.backward()
    assert "changed in place: not known" in str(caught.value)


def test_gradients_are_the_same_inside() -> None:
    torch.manual_seed(0)
    net, x = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 2)), torch.randn(7, 4)
    grads = []
    for mode in (torch.enable_grad, detect_anomaly):
        net.zero_grad()
        with mode():
            sum(part.square().mean() for part in net(x).split(1, 1)).backward()
        grads.append([p.grad.numpy().copy() for p in net.parameters()])
    for plain, watched_ in zip(*grads, strict=True):
        np.testing.assert_array_equal(plain, watched_)


def test_second_order_and_autograd_grad() -> None:
    x = leaf(2.0)
    with detect_anomaly():
        (g,) = torch.autograd.grad((x**3).sum(), x, create_graph=True)
        (gg,) = torch.autograd.grad(g.sum(), x)
        assert gg.tolist() == [12.0]
        with pytest.raises(RuntimeError, match="'SqrtBackward0' returned nan"):
            torch.autograd.grad((torch.sqrt(x - 2) * 0).sum(), x, create_graph=True)
        with pytest.raises(RuntimeError, match="'SqrtBackward0' returned nan"):
            torch.autograd.functional.jacobian(lambda x: torch.sqrt(x - 2) * 0, x)


# ------------------------------------------------------------------------------------------ switching
def test_the_mode_and_its_names() -> None:
    assert not torch.is_anomaly_enabled() and not torch.is_anomaly_check_nan_enabled()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with detect_anomaly():
            assert torch.is_anomaly_enabled() and torch.is_anomaly_check_nan_enabled()
            with detect_anomaly(check_nan=False):
                assert torch.is_anomaly_enabled() and not torch.is_anomaly_check_nan_enabled()
                leaf(0.0).sqrt().mul(0).sum().backward()
            with set_detect_anomaly(False):
                assert not torch.is_anomaly_enabled()
                leaf(0.0).sqrt().mul(0).sum().backward()
            assert torch.is_anomaly_check_nan_enabled()
    with pytest.raises(ZeroDivisionError), detect_anomaly():
        _ = 1 // 0


def test_set_detect_anomaly_switches_at_once() -> None:
    set_detect_anomaly(True, check_nan=False)
    try:
        assert torch.is_anomaly_enabled() and not torch.is_anomaly_check_nan_enabled()
        set_detect_anomaly(True)
        with pytest.raises(RuntimeError, match="returned nan values"):
            leaf(0.0).sqrt().mul(0).sum().backward()
    finally:
        set_detect_anomaly(False)
    set_detect_anomaly(False)
    leaf(0.0).sqrt().mul(0).sum().backward()


def test_as_a_decorator() -> None:
    @detect_anomaly(check_nan=False)
    def enabled(depth: int) -> list[bool]:
        """Words."""
        return [torch.is_anomaly_enabled()] + (enabled(depth - 1) if depth else [])

    assert enabled(2) == [True] * 3 and enabled.__doc__ == "Words." and not torch.is_anomaly_enabled()


def test_the_mode_belongs_to_its_thread() -> None:
    seen: list[bool] = []
    with detect_anomaly():
        thread = threading.Thread(target=lambda: seen.append(torch.is_anomaly_enabled()))
        thread.start()
        thread.join()
    assert seen == [False]


def test_nothing_hangs_on_the_vertices_afterwards() -> None:
    x = leaf(1.0, 2.0)
    with detect_anomaly():
        y = (x * x).sum()
        y.backward(retain_graph=True)
    assert y.grad_fn.parents[0].op is torch.graph.OPS["mul"]
    y.backward()
    assert x.grad.tolist() == [4.0, 8.0]
