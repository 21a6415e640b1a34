"""Every optimizer of PyTorch's database of optimizers: the path of the parameters, and the state at its end.

Two parameters, of 2-d and 1-d (for Muon both of 2-d), take ten steps down one loss, with each of the database's options
and each way of computing that the optimizer offers (`foreach`, `fused`, `differentiable`) as far as this package takes
the word.
"""

from __future__ import annotations

import fnmatch
import warnings
from collections.abc import Callable
from typing import Any

import torch

import tinygrad_pt as tg
from tests.conformance import bridge
from tests.conformance.bridge import LeftOut, Translation
from tests.conformance.measure import Measure, call, difference, said
from tests.conformance.operators import PyTorchRaises

SEED = 20260713
DTYPES = (torch.float32, torch.float64)
STEPS = 10


def provided(names: str = "") -> list[Any]:
    """The entries whose optimizer this package has."""
    found = [info for info in bridge.optim_db if bridge.at(tg.optim, info.name) is not None]
    return [info for info in found if not names or fnmatch.fnmatch(info.name, names)]


def descended(
    library: Any, make: Callable[..., Any], start: list[Any], data: Any, options: dict[str, Any], steps: int
) -> Any:
    """The parameters after each step, the losses and the state dictionary of the optimizer in the end."""
    w, b = (p.clone().requires_grad_() for p in start)
    optimizer = make([w, b], **options)
    path = []

    def closure() -> Any:
        optimizer.zero_grad()
        loss = ((data @ w).tanh() - b).square().sum()
        loss.backward()
        return loss

    for _ in range(steps):
        loss = optimizer.step(closure)
        path.append((w.detach().clone(), b.detach().clone(), loss.detach()))
    return path, optimizer.state_dict()


def state_difference(theirs: dict[str, Any], ours: dict[str, Any]) -> str:
    """Why two state dictionaries are not the same; "" if they are."""
    if list(theirs["state"]) != list(ours["state"]):
        return f"state of {list(ours['state'])} instead of {list(theirs['state'])}"
    pairs = [(f"state {i}", theirs["state"][i], ours["state"][i]) for i in theirs["state"]]
    pairs += [("group", a, b) for a, b in zip(theirs["param_groups"], ours["param_groups"], strict=True)]
    for where, a, b in pairs:
        if set(a) != set(b):
            return f"{where}: keys {sorted(b)} instead of {sorted(a)}"
        for key in a:
            if text := difference(a[key], b[key], slack=10):
                return f"{where}, {key}: {text}"
    return ""


def compared(info: Any, options: dict[str, Any], dtype: torch.dtype) -> str:
    """One optimizer with one set of options: what differs, or ""."""
    steps = STEPS
    if info.name == "LBFGS":  # one step has twenty iterations, and they multiply a difference in the last bit
        if dtype is torch.float32:
            raise LeftOut("iterations in single precision")
        steps = 1
    torch.manual_seed(SEED)
    second = (1, 3) if info.name == "Muon" else (3,)  # which takes matrices alone
    start, data = [torch.randn(4, 3, dtype=dtype), torch.randn(second, dtype=dtype)], torch.randn(5, 4, dtype=dtype)
    translate = Translation()
    ours = translate((start, data, options))
    try:
        path, state = descended(torch, info.optim_cls, start, data, options, steps)
    except Exception as error:
        raise PyTorchRaises("PyTorch raises") from error
    try:
        our_path, our_state = descended(tg, bridge.at(tg.optim, info.name), *ours, steps)
        return difference(path, our_path, slack=10) or state_difference(state, our_state)
    except Exception as error:
        return said(error)


def measure_entry(info: Any) -> Measure:
    """All options of one optimizer."""
    found = Measure(info.name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for dtype in DTYPES:
            for given in info.optim_inputs_func("cpu", dtype):
                ways = [{}, *({way: True} for way in info.supported_impls if way != "fused")]
                for options in ({**given.kwargs, **way} for way in ways):
                    try:
                        text = compared(info, options, dtype)
                    except LeftOut as reason:
                        found.left_out[str(reason)] += 1
                        continue
                    found.add(text and f"{call(info.name, (), options)} in {dtype}: {text}")
    return found


def measures(names: str = "", part: int = 0, parts: int = 1) -> list[Measure]:
    """The figures of this part of the comparison."""
    total = Measure("optimizers")
    for info in provided(names)[part::parts]:
        total += measure_entry(info)
    return [total]
