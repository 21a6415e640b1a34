"""Modules: what they hold, how a call knows where it is, and what loading, copying and hooks keep intact."""

from __future__ import annotations

import copy
import gc
import threading
import weakref
from typing import Any

import numpy as np
import pytest

import tinygrad_pt as torch
from tinygrad_pt import nn
from tinygrad_pt.listening import Tape, listen
from tinygrad_pt.modes import current


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(2, 3)
        self.rest = nn.Sequential(nn.Tanh(), nn.Linear(3, 1))

    def forward(self, x: Any) -> Any:
        return self.rest(self.first(x))


# ------------------------------------------------------------------------------------------ attributes
def test_what_is_registered_is_an_attribute_however_it_was_registered() -> None:
    m = nn.Module()
    p, q = nn.Parameter(torch.ones(1)), nn.Parameter(torch.zeros(1))
    m.w = p
    assert m.w is p and m._parameters["w"] is p
    m._parameters["w"] = q
    assert m.w is q and list(m.parameters()) == [q]
    m._parameters.update(v=p)
    assert m.v is p
    assert m._parameters.pop("v") is p and not hasattr(m, "v")
    assert m._parameters.setdefault("u", p) is m.u
    assert m._parameters.popitem() == ("u", p) and not hasattr(m, "u")
    del m.w
    assert not hasattr(m, "w") and not list(m.parameters())
    m._parameters["w"] = q
    m._parameters.clear()
    assert not hasattr(m, "w")


def test_a_name_changes_its_kind() -> None:
    m = nn.Module()
    m.a = 3
    m.a = nn.Parameter(torch.ones(1))
    assert list(m.state_dict()) == ["a"]
    m.b = nn.Buffer(torch.zeros(1), persistent=False)
    assert list(m.state_dict()) == ["a"] and [n for n, _ in m.named_buffers()] == ["b"]
    m.b = torch.ones(1)
    assert m._buffers["b"].item() == 1
    m.b = nn.Tanh()
    assert [n for n, _ in m.named_children()] == ["b"] and not list(m.buffers())
    m.b = None
    assert m.b is None


def test_before_init_the_error_says_what_is_missing() -> None:
    class Early(nn.Module):
        def __init__(self) -> None:
            self.layer = nn.Tanh()

    with pytest.raises(AttributeError, match=r"cannot assign module before Module.__init__\(\) call\n.*super"):
        Early()


def test_parameters_are_leaves_and_results_plain_tensors() -> None:
    p = nn.Parameter(torch.ones(2))
    assert p.requires_grad and p.is_leaf and type(p * 2) is torch.Tensor and type(p.detach()) is torch.Tensor
    frozen = nn.Parameter(torch.ones(2), requires_grad=False)
    y = (p * frozen).sum()
    y.backward()
    assert p.grad.tolist() == [1, 1] and frozen.grad is None
    assert repr(p) == "Parameter containing:\ntensor([1., 1.], requires_grad=True)"


def test_shared_modules_count_once_in_parameters_and_twice_in_state_dict() -> None:
    a = nn.Linear(1, 1)
    m = nn.Sequential(a, a)
    assert len(list(m.parameters())) == 2 and len(m.state_dict()) == 4


def test_a_module_nobody_holds_is_freed_at_once() -> None:
    gc.collect()
    gc.disable()
    try:
        m = Net()
        m(torch.ones(1, 2))
        link = weakref.ref(m.first.weight)
        del m
        assert link() is None
    finally:
        gc.enable()


# ------------------------------------------------------------------------------------------ where a call is
def test_vertices_know_the_module_they_were_born_in() -> None:
    y = Net()(torch.ones(1, 2))
    assert y.grad_fn.scope.path() == (("Net", "Net"), ("rest", "Sequential"), ("1", "Linear"))
    assert (y * 2).grad_fn.scope is None


def test_errors_name_the_module() -> None:
    with pytest.raises(RuntimeError, match=r"\(1x3 and 2x3\)\n(.*\n)*.*module: first \(Linear\)"):
        Net()(torch.ones(1, 3))
    assert current().scope is None


def test_every_error_has_an_address_on_every_call() -> None:
    """Also where the op does not know the module, and where a module in a row has been called before."""
    m = nn.Sequential(nn.Tanh(), nn.Sequential(nn.Identity(), nn.Softmax(5)))
    for _ in range(3):
        with pytest.raises(IndexError) as caught:
            m(torch.ones(2, 2))
        assert str(caught.value).count("\n  module: 1.1 (Softmax)") == 1
    m[1].register_forward_hook(lambda *args: None)
    with pytest.raises(IndexError) as caught:
        m(torch.ones(2, 2))
    assert str(caught.value).count("\n  module: 1.1 (Softmax)") == 1 and current().scope is None


def test_a_child_that_is_moved_goes_by_its_new_name() -> None:
    m = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1))
    m(torch.ones(1, 1))
    m.insert(0, nn.Identity())
    assert m(torch.ones(1, 1)).grad_fn.scope.name == "2"


def test_modes_reach_into_modules_and_end_with_them() -> None:
    m = Net()
    for _ in range(2):
        with torch.no_grad():
            assert not m(torch.ones(1, 2)).requires_grad
        assert m(torch.ones(1, 2)).requires_grad
    with torch.inference_mode():
        assert m(torch.ones(1, 2)).is_inference()
    seen: list[str] = []
    with listen(Tape(lambda op, args, attrs, y: seen.append(op.name))):
        m(torch.ones(1, 2))
    assert [name for name in seen if name != "t"] == ["linear", "tanh", "linear"]
    assert m._entered[0] is None or not m._entered[0].listeners


def test_threads_do_not_see_each_others_scopes() -> None:
    m, wrong = Net(), []

    def work() -> None:
        for _ in range(200):
            y = m(torch.ones(1, 2))
            if len(y.grad_fn.scope.path()) != 3:
                wrong.append(y)

    threads = [threading.Thread(target=work) for _ in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert not wrong


# ------------------------------------------------------------------------------------------ loading, copying
def test_loading_is_all_or_nothing() -> None:
    m = Net()
    before = {k: v.clone() for k, v in m.state_dict().items()}
    bad = {k: torch.full_like(v, 7.0) for k, v in before.items()}
    bad["rest.1.bias"] = torch.zeros(5)
    with pytest.raises(RuntimeError, match="size mismatch for rest.1.bias"):
        m.load_state_dict(bad)
    for k, v in m.state_dict().items():
        assert torch.equal(v, before[k])


def test_loading_keeps_the_parameters_and_assigning_replaces_them() -> None:
    m, other = Net(), Net()
    weight = m.first.weight
    m.load_state_dict(other.state_dict())
    assert m.first.weight is weight and torch.equal(weight, other.first.weight)
    m.load_state_dict({k: v.double() for k, v in other.state_dict().items()}, assign=True)
    assert m.first.weight is not weight and m.first.weight.dtype is torch.float64
    assert isinstance(m.first.weight, nn.Parameter) and m.first.weight.requires_grad


def test_loading_runs_its_hooks_and_extra_state() -> None:
    class Counter(nn.Module):
        count = 0

        def get_extra_state(self) -> Any:
            return self.count

        def set_extra_state(self, state: Any) -> None:
            self.count = state

    a, b = nn.Sequential(Counter(), nn.Linear(1, 1)), nn.Sequential(Counter(), nn.Linear(1, 1))
    a[0].count = 5
    state = a.state_dict()
    state["1.w"] = state.pop("1.weight")

    def rename(module: Any, given: Any, prefix: str, *rest: Any) -> None:
        given[prefix + "weight"] = given.pop(prefix + "w")

    b[1].register_load_state_dict_pre_hook(rename)
    found = []
    b.register_load_state_dict_post_hook(lambda module, keys: found.append(repr(keys)))
    b.load_state_dict(state)
    assert b[0].count == 5 and found == ["<All keys matched successfully>"]
    assert "1.w" in state  # the caller's dictionary is as it was


def test_state_dict_shares_memory_and_keeps_vars_if_asked() -> None:
    m = nn.Linear(1, 1)
    m.state_dict()["weight"].fill_(3.0)
    assert m.weight.item() == 3 and m.state_dict(keep_vars=True)["weight"] is m.weight


@pytest.mark.parametrize("copied", [copy.deepcopy, copy.copy])
def test_copies_are_whole(copied: Any) -> None:
    m = Net()
    x = torch.ones(1, 2)
    y = m(x)
    twin = copied(m)
    assert torch.equal(twin(x), y) and list(twin.state_dict()) == list(m.state_dict())
    assert twin.first.weight is twin.first._parameters["weight"]
    if copied is copy.deepcopy:
        with torch.no_grad():
            twin.first.weight.zero_()
        assert torch.equal(m(x), y) and twin.first.weight.requires_grad
    else:
        twin.extra = nn.Tanh()
        assert not hasattr(m, "extra")


def test_conversion_keeps_the_objects() -> None:
    m = Net()
    weight = m.first.weight
    m(torch.ones(1, 2)).sum().backward()
    m.register_buffer("steps", torch.tensor(3))
    m.double()
    assert m.first.weight is weight and weight.dtype is torch.float64 and weight.grad.dtype is torch.float64
    assert m.steps.dtype is torch.int64
    m(torch.ones(1, 2, dtype=torch.float64)).sum().backward()
    assert m.to(torch.zeros(1)) is m and weight.dtype is torch.float32
    with pytest.raises(AssertionError, match="^Torch not compiled with CUDA enabled\n"):
        m.to("cuda")


def test_zero_grad_forgets_or_zeroes() -> None:
    m = nn.Linear(1, 1)
    m(torch.ones(1, 1)).sum().backward()
    grad = m.weight.grad
    m.zero_grad(set_to_none=False)
    assert m.weight.grad.tolist() == [[0.0]] and np.shares_memory(m.weight.grad.array, grad.array)
    m.zero_grad()
    assert m.weight.grad is None


def test_apply_train_and_requires_grad_reach_all() -> None:
    m, names = Net(), []
    assert m.apply(lambda module: names.append(type(module).__name__)) is m
    assert names == ["Linear", "Tanh", "Linear", "Sequential", "Net"]
    m.eval()
    assert not any(c.training for c in m.modules())
    m.requires_grad_(False)
    assert not m(torch.ones(1, 2)).requires_grad


# ------------------------------------------------------------------------------------------ hooks
def test_forward_hooks_run_in_order_and_may_replace() -> None:
    m, log = nn.Identity(), []
    m.register_forward_pre_hook(lambda mod, args: log.append("second"))
    m.register_forward_pre_hook(lambda mod, args: (args[0] + 1,), prepend=True)
    m.register_forward_pre_hook(lambda mod, args, kwargs: ((args[0] * 10,), kwargs), with_kwargs=True)
    last = m.register_forward_hook(lambda mod, args, y: y + args[0])
    assert m(torch.ones(1)).item() == 40 and log == ["second"]
    last.remove()
    assert m(torch.ones(1)).item() == 20
    with m.register_forward_hook(lambda mod, args, kwargs, y: -y, with_kwargs=True):
        assert m(torch.ones(1)).item() == -20
    assert m(torch.ones(1)).item() == 20


def test_a_hook_that_is_always_called_sees_the_failure() -> None:
    m, log = nn.Linear(1, 1), []
    m.register_forward_hook(lambda mod, args, y: log.append(y), always_call=True)
    m.register_forward_hook(lambda mod, args, y: log.append("not called"))
    with pytest.raises(RuntimeError):
        m(torch.ones(1, 2))
    assert log == [None] and current().scope is None


def test_backward_hooks_replace_gradients_and_go_away() -> None:
    m = nn.Linear(1, 1)
    handle = m.register_full_backward_hook(lambda mod, grad_input, grad_output: (grad_input[0] * 0,))
    x = torch.ones(1, 1, requires_grad=True)
    m(x).sum().backward()
    assert x.grad.item() == 0 and m.weight.grad.item() == 1
    handle.remove()
    m(x).sum().backward()
    assert x.grad.item() == pytest.approx(m.weight.item())


@pytest.mark.parametrize("grads", [(), (None, None)])
def test_a_backward_hook_that_returns_a_wrong_number_of_gradients_is_refused(grads: Any) -> None:
    for register, words in (
        ("register_full_backward_pre_hook", "Backward pre hook returned an invalid number of grad_output"),
        ("register_full_backward_hook", "Backward hook returned an invalid number of grad_input"),
    ):
        m = nn.Linear(1, 1)
        getattr(m, register)(lambda *args: grads)
        y = m(torch.ones(1, 1, requires_grad=True))
        with pytest.raises(RuntimeError, match=f"{words}, got {len(grads)}, but expected 1"):
            y.sum().backward()


def test_backward_hooks_take_part_in_second_derivatives() -> None:
    class Cube(nn.Module):
        def forward(self, x: Any) -> Any:
            return x * x * x

    m, seen = Cube(), []
    m.register_full_backward_hook(lambda mod, gi, go: seen.append(gi[0].item()))
    x = torch.tensor(2.0, requires_grad=True)
    (g,) = torch.autograd.grad(m(x), x, create_graph=True)
    (h,) = torch.autograd.grad(g, x)
    assert (g.item(), h.item()) == (12, 12) and seen[0] == 12


# ------------------------------------------------------------------------------------------ containers
def test_sequential_from_a_dictionary_keeps_its_names() -> None:
    m = nn.Sequential({"a": nn.Linear(1, 2), "b": nn.Tanh()})
    assert [n for n, _ in m.named_children()] == ["a", "b"] and m.a is m[0]
    assert [n for n, _ in m[1:].named_children()] == ["b"]
    m[0] = nn.Identity()
    assert type(m.a) is nn.Identity and len(m) == 2
    del m[0]
    assert len(m) == 1 and type(m[0]) is nn.Tanh
    with pytest.raises(IndexError, match="index 3 is out of range"):
        m[3]


def test_lists_and_dictionaries_of_parameters_learn() -> None:
    m = nn.Module()
    m.list, m.dict = nn.ParameterList([torch.ones(1), 3]), nn.ParameterDict({"w": torch.ones(1)})
    assert len(list(m.parameters())) == 2 and m.list[1] == 3
    m.list[0] = torch.zeros(1)
    m.list += [torch.ones(2)]
    assert [p.numel() for p in m.parameters()] == [1, 2, 1] and list(m.list)[1] == 3
    assert m.dict.pop("w").item() == 1 and "w" not in m.dict
    m.dict["v"] = torch.ones(1)
    assert m.dict.popitem()[0] == "v" and m.dict.get("v") is None and len(m.dict) == 0
    with pytest.raises(KeyError):
        m.dict["v"]
    with pytest.raises(RuntimeError, match="should not be called"):
        m.list()


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        ((None, True), {}),
        ((torch.float64, "cpu"), {}),
        ((torch.float32, torch.float64), {}),
        ((), {"foo": 1}),
        ((), {"dtype": 5}),
        ((torch.float64,), {"copy": 5}),
        ((torch.float64,), {"dtype": torch.float32}),
        ((torch.ones(1), torch.float64), {}),
    ],
)
def test_conversions_that_fit_no_signature_are_refused(args: Any, kwargs: Any) -> None:
    for converted in (nn.Linear(1, 1), torch.ones(1)):
        with pytest.raises(TypeError, match=r"to\(\) received an invalid combination of arguments - got \("):
            converted.to(*args, **kwargs)


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        ((torch.float64,), {}),
        ((torch.float64, True), {}),
        ((torch.float64, False, True), {}),
        (("cpu", torch.float64), {}),
        ((None, torch.float64, True), {}),
        ((), {"device": "cpu", "dtype": torch.float64, "non_blocking": True}),
        ((), {"dtype": torch.float64}),
        ((torch.ones(1, dtype=torch.float64),), {}),
        ((float,), {}),
    ],
)
def test_conversions_by_every_signature(args: Any, kwargs: Any) -> None:
    assert nn.Linear(1, 1).to(*args, **kwargs).weight.dtype is torch.float64
    assert torch.ones(1).to(*args, **kwargs).dtype is torch.float64


def test_a_conversion_in_place_is_noticed_by_the_graph() -> None:
    m = nn.Linear(1, 1)
    y = m(torch.ones(1)) * m.weight
    m._apply(lambda t: t.zero_())
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_a_conversion_keeps_parameters_and_their_gradients() -> None:
    m = nn.Linear(1, 1)
    m(torch.ones(1)).sum().backward()
    weight, grad = m.weight, m.weight.grad
    m.double()
    assert m.weight is weight and m.weight.grad is grad and weight.dtype is grad.dtype is torch.float64


# ------------------------------------------------------------------------------------------ hooks of loading
def test_load_pre_hooks_see_the_part_of_their_module() -> None:
    m = nn.Sequential(nn.Linear(1, 1), nn.Sequential(nn.Linear(1, 1)))
    seen: dict[str, Any] = {}

    def hook(module: Any, part: Any, prefix: str, *rest: Any) -> None:
        seen[prefix] = list(part)
        if prefix == "1.":
            part["1.0.weight"] = torch.full((1, 1), 7.0)  # a hook may change what its module and those below it load
            part["0.weight"] = torch.full((1, 1), 8.0)  # what belongs to others is not looked at

    for module in m.modules():
        module.register_load_state_dict_pre_hook(hook)
    state = {k: torch.zeros_like(v) for k, v in m.state_dict().items()}
    m.load_state_dict(state)
    assert seen == {
        "": list(state),
        "0.": ["0.weight", "0.bias"],
        "1.": ["1.0.weight", "1.0.bias"],
        "1.0.": ["1.0.weight", "1.0.bias"],
    }
    assert m[1][0].weight.item() == 7.0 and m[0].weight.item() == 0.0


def test_load_post_hooks_see_what_was_loaded_and_may_forgive() -> None:
    m = nn.Sequential(nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False))
    heard: list[Any] = []

    def hook(module: Any, keys: Any) -> None:
        heard.append((module, m[0].weight.item()))
        keys.missing_keys.clear()

    m.register_load_state_dict_post_hook(hook)
    m[1].register_load_state_dict_post_hook(lambda module, keys: heard.append(module))
    assert not m.load_state_dict({"0.weight": torch.full((1, 1), 3.0)}).missing_keys
    assert heard == [m[1], (m, 3.0)]
    m[0].register_load_state_dict_post_hook(lambda module, keys: 5)
    with pytest.raises(AssertionError, match="not expected to return new values"):
        m.load_state_dict(m.state_dict())


def test_a_class_may_save_and_load_its_part_in_its_own_way() -> None:
    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w, self.inner = nn.Parameter(torch.ones(1)), nn.Linear(1, 1)
            self.serial: Any = None

        def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
            super()._save_to_state_dict(destination, prefix, keep_vars)
            destination[f"{prefix}serial"] = torch.full((1,), 7.0)

        def _load_from_state_dict(self, state_dict: Any, prefix: str, metadata: Any, *rest: Any) -> None:
            heard.append((sorted(state_dict), prefix, dict(metadata)))
            self.serial = state_dict.pop(f"{prefix}serial", None)
            super()._load_from_state_dict(state_dict, prefix, metadata, *rest)

    heard: list[Any] = []
    m = nn.Sequential(Own(), nn.Linear(1, 1))
    state = m.state_dict()
    assert list(state) == ["0.w", "0.serial", "0.inner.weight", "0.inner.bias", "1.weight", "1.bias"]
    state["0.w"] = torch.full((1,), 5.0)
    m.load_state_dict(state)
    assert m[0].w.item() == 5.0 and m[0].serial.item() == 7.0
    assert heard == [(["0.inner.bias", "0.inner.weight", "0.serial", "0.w"], "0.", {"version": 1})]
    del state["0.serial"]
    state["0.z"] = state["0.inner.z"] = torch.ones(1)
    assert m.load_state_dict(state, strict=False).unexpected_keys == ["0.z", "0.inner.z"]
    with pytest.raises(RuntimeError, match=r'Unexpected key\(s\) in state_dict: "0.z", "0.inner.z"'):
        m.load_state_dict(state)
    assert m.load_state_dict(m.state_dict(), assign=True).missing_keys == []
    assert heard[-1][2] == {"version": 1, "assign_to_params_buffers": True}


def test_members_that_a_function_names() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2))
    model.add_module("again", model[0])
    named = [name for name, _ in model._named_members(lambda m: m._parameters.items(), prefix="net")]
    assert named == ["net.0.weight", "net.0.bias", "net.1.weight", "net.1.bias"]
    assert dict(model._named_members(lambda m: m._buffers.items())).keys() == dict(model.named_buffers()).keys()
    assert not list(model._named_members(lambda m: m._parameters.items(), recurse=False))
