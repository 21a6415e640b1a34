"""Every module of PyTorch's database of modules: output, gradients of inputs and parameters, and state.

Both libraries build the module with the same arguments, ours loads PyTorch's state, and both compute. Before that,
the state that ours begins with must be PyTorch's under the same seed, key by key.
"""

from __future__ import annotations

import fnmatch
import warnings
from typing import Any

import torch

import tinygrad_pt as tg
from tests.conformance import bridge
from tests.conformance.bridge import LeftOut, Translation
from tests.conformance.measure import Measure, call, difference, said
from tests.conformance.operators import PyTorchRaises, cotangents, flat, gradient_difference, gradients, in_float64

SEED = 20260713
DTYPES = (torch.float32, torch.float64)


def provided(names: str = "") -> list[Any]:
    """The entries whose module this package has."""
    found = [info for info in bridge.module_db if bridge.at(tg, info.name) is not None]
    return [info for info in found if not names or fnmatch.fnmatch(info.name, names)]


def compared(info: Any, given: Any, dtype: torch.dtype, training: bool) -> str:
    """One module with one input: what differs, or "". Raises LeftOut where there is nothing to compare."""
    translate = Translation()
    made, fed = given.constructor_input, given.forward_input
    made_here = translate(made.args), translate(made.kwargs)
    fed_here = translate(fed.args), translate(fed.kwargs)
    leaves = [(a, b) for a, b in translate.tensors.values() if a.requires_grad]
    try:
        torch.manual_seed(SEED)
        theirs = info.module_cls(*made.args, **made.kwargs).to(dtype).train(training)
        first = {key: value.clone() for key, value in theirs.state_dict().items()}
        torch.manual_seed(SEED)
        expected = theirs(*fed.args, **fed.kwargs)
        wanted = [y for y in flat(expected) if isinstance(y, torch.Tensor) and y.requires_grad]
        arriving = cotangents(wanted)
        there = gradients(torch, wanted, [*[a for a, _ in leaves], *theirs.parameters()], arriving) if wanted else []
    except Exception as error:
        raise PyTorchRaises("PyTorch raises") from error
    try:
        tg.manual_seed(SEED)
        ours = bridge.at(tg, info.name)(*made_here[0], **made_here[1]).to(translate(dtype)).train(training)
        if list(ours.state_dict()) != list(first):
            return f"state {list(ours.state_dict())} instead of {list(first)}"
        for key, value in ours.state_dict().items():
            if text := difference(first[key], value):
                return f"state {key}: {text}"
        if repr(ours) != repr(theirs):
            return f"{ours!r} instead of {theirs!r}"
        tg.manual_seed(SEED)
        result = ours(*fed_here[0], **fed_here[1])
        if text := difference(expected, result):
            return text
        for (key, value), (_, mine) in zip(theirs.state_dict().items(), ours.state_dict().items(), strict=True):
            if text := difference(value, mine):
                return f"state {key} afterwards: {text}"
        chosen = [b for a, b in zip(flat(expected), flat(result), strict=True) if any(a is w for w in wanted)]
        if not chosen:
            return ""
        weights = [tg.from_numpy(g.numpy().copy()) for g in arriving]
        here = gradients(tg, chosen, [*[b for _, b in leaves], *ours.parameters()], weights)
        if not gradient_difference(there, here):
            return ""
        exact = truth(info, given, first, training, [a for a, _ in leaves], arriving)
        return gradient_difference(there, here, truth=exact)
    except Exception as error:
        return said(error)


def truth(info: Any, given: Any, state: Any, training: bool, leaves: Any, arriving: Any) -> Any:
    """The gradients of PyTorch's module in float64, from the same state; None where it does not compute so."""
    seen: dict[int, torch.Tensor] = {}
    made, fed = given.constructor_input, given.forward_input
    try:
        module = info.module_cls(*in_float64(made.args, seen), **in_float64(made.kwargs, seen)).double().train(training)
        module.load_state_dict(state)
        torch.manual_seed(SEED)
        result = flat(module(*in_float64(fed.args, seen), **in_float64(fed.kwargs, seen)))
        wanted = [y for y in result if isinstance(y, torch.Tensor) and y.requires_grad]
        inputs = [*[seen[id(a)] for a in leaves], *module.parameters()]
        return gradients(torch, wanted, inputs, [g.double() for g in arriving])
    except Exception:
        return None


def measure_entry(info: Any) -> Measure:
    """All inputs of one module, in training and in evaluation."""
    found = Measure(info.name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for dtype in DTYPES:
            for training in (True, False):
                torch.manual_seed(SEED)
                inputs = info.module_inputs_func(info, device="cpu", dtype=dtype, requires_grad=True, training=training)
                for given in list(inputs):
                    try:
                        text = compared(info, given, dtype, training)
                    except LeftOut as reason:
                        found.left_out[str(reason)] += 1
                        continue
                    mode = "" if training else ".eval()"
                    built = call(info.name, given.constructor_input.args, given.constructor_input.kwargs)
                    fed = call("", given.forward_input.args, given.forward_input.kwargs)
                    found.add(text and f"{built}{mode}{fed}: {text}")
    return found


def measures(names: str = "", part: int = 0, parts: int = 1) -> list[Measure]:
    """The figures of this part of the comparison."""
    total = Measure("modules")
    for info in provided(names)[part::parts]:
        total += measure_entry(info)
    return [total]
