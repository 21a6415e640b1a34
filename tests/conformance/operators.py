"""Every sample of PyTorch's database of ops: the same call of both libraries, its value and its gradients.

A sample is one set of arguments in one dtype; it counts once for each way to call the entry that both libraries have:
as a function, as a method, in place. It agrees if value, dtype, shape, `requires_grad` and every gradient do.
"""

from __future__ import annotations

import fnmatch
import warnings
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import torch

import tinygrad_pt as tg
from tests.conformance import bridge
from tests.conformance.bridge import LeftOut, Translation, title
from tests.conformance.measure import Measure, call, difference, said

SEED = 20260713
UNDEFINED = {"empty", "empty_like", "new_empty", "empty_strided", "new_empty_strided"}  # values are what memory holds
INPUTS = ("sample", "reference")


@cache
def provided() -> tuple[Any, ...]:
    """The entries of the database that this package has, in the database's order."""
    return tuple(op for op in bridge.op_db if bridge.variants(op))


def chosen(names: str = "", part: int = 0, parts: int = 1) -> list[Any]:
    """The provided entries whose name matches a pattern; of these, every `parts`-th one."""
    found = [op for op in provided() if not names or fnmatch.fnmatch(title(op), names)]
    return found[part::parts]


def samples(op: Any, dtype: torch.dtype, kind: str = "sample", differentiable: bool = True) -> list[Any]:
    """The database's arguments for an entry, the same ones in each run."""
    torch.manual_seed(SEED)
    np.random.seed(SEED)
    wanted = differentiable and dtype.is_floating_point and dtype in op.supported_backward_dtypes("cpu")
    made = op.reference_inputs if kind == "reference" else op.sample_inputs
    try:
        return list(made("cpu", dtype, requires_grad=wanted and op.supports_autograd))
    except (RuntimeError, ValueError, NotImplementedError, TypeError) as error:
        raise LeftOut(f"the database has no arguments ({type(error).__name__})") from error


def arguments(sample: Any) -> tuple[Any, ...]:
    """The positional arguments of a sample."""
    return (sample.input, *sample.args)


def cotangents(results: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """Numbers that stand for the gradient that arrives at each result; the same ones in each run."""
    numbers = np.random.default_rng(7)
    return [torch.from_numpy(np.asarray(numbers.uniform(-1, 1, tuple(y.shape)))).to(y.dtype) for y in results]


def flat(value: Any) -> list[Any]:
    """The tensors in a result, in order."""
    if isinstance(value, (list, tuple)):
        return [leaf for item in value for leaf in flat(item)]
    return [value]


def gradients(library: Any, results: Any, inputs: Sequence[Any], arriving: Sequence[Any], **options: Any) -> list[Any]:
    """The gradients of results with respect to inputs; None where there is none."""
    return list(library.autograd.grad(results, inputs, arriving, allow_unused=True, **options))


def gradient_difference(theirs: Sequence[Any], ours: Sequence[Any], slack: float = 2.0) -> str:
    """Why our gradients are not PyTorch's; "" if they are. None stands for zeros."""
    for i, (a, b) in enumerate(zip(theirs, ours, strict=True)):
        if a is None and b is None:
            continue
        if a is None:
            text = "" if not b.detach().numpy().any() else "a gradient where PyTorch has none"
        elif b is None:
            text = "" if not a.numpy(force=True).any() else "no gradient where PyTorch has one"
        else:
            text = difference(a, b, slack, history=False)
        if text:
            return f"gradient {i}: {text}"
    return ""


class PyTorchRaises(LeftOut):
    """PyTorch refuses the sample itself."""


def compared(pair: tuple[Any, Any], way: str, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """One call of both libraries: what differs, or "". Raises LeftOut where there is nothing to compare."""
    translate = Translation()
    our_args, our_kwargs = translate(args), translate(kwargs)
    leaves = [(a, b) for a, b in translate.tensors.values() if a.requires_grad]

    def run(library: Any, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        library.manual_seed(0)
        if way == "in-place":  # into a copy, because a leaf must not be written to
            args = (args[0].clone(), *args[1:])
        return function(*args, **kwargs)

    try:
        expected = run(torch, pair[0], args, kwargs)
        wanted = [y for y in flat(expected) if isinstance(y, torch.Tensor) and y.requires_grad]
        for y in flat(expected):
            if isinstance(y, torch.Tensor) and (y.is_complex() or y.layout is not torch.strided):
                raise LeftOut("complex or sparse results")
        arriving = cotangents(wanted)
        there = gradients(torch, wanted, [a for a, _ in leaves], arriving) if wanted else []
    except LeftOut:
        raise
    except Exception as error:
        raise PyTorchRaises("PyTorch raises") from error
    try:
        result = run(tg, pair[1], our_args, our_kwargs)
        if name in UNDEFINED:
            return difference([(y.shape, y.dtype) for y in flat(expected)], [(y.shape, y.dtype) for y in flat(result)])
        text = difference(expected, result)
        if text or not wanted:
            return text
        there_and_here = zip(flat(expected), flat(result), strict=True)
        chosen = [ours for y, ours in there_and_here if isinstance(y, torch.Tensor) and y.requires_grad]
        here = gradients(tg, chosen, [b for _, b in leaves], [tg.from_numpy(g.numpy().copy()) for g in arriving])
        return gradient_difference(there, here)
    except Exception as error:
        return said(error)


def measure_entry(op: Any, kind: str = "sample", dtypes: Sequence[torch.dtype] = bridge.DTYPES) -> dict[str, Measure]:
    """All samples of one entry, by the way it is called."""
    ways = bridge.variants(op)
    found = {way: Measure(title(op)) for way in ways}
    supported = op.supported_dtypes("cpu")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for dtype in dtypes:
            if dtype not in supported:
                continue
            try:
                for sample in samples(op, dtype, kind):
                    for way, pair in ways.items():
                        measure_sample(op, way, pair, sample, found[way])
            except LeftOut as reason:
                for measure in found.values():
                    measure.left_out[str(reason)] += 1
    return found


def measure_sample(op: Any, way: str, pair: tuple[Any, Any], sample: Any, measure: Measure) -> None:
    """One sample, called in one way, counted in `measure`."""
    if way == "in-place" and sample.broadcasts_input:
        measure.left_out["in place of an input that broadcasts"] += 1
        return
    args = arguments(sample)
    try:
        text = compared(pair, way, op.name, args, sample.kwargs)
    except LeftOut as reason:
        measure.left_out[str(reason)] += 1
        return
    name = f"Tensor.{op.name}" if way == "method" else f"{op.name}_" if way == "in-place" else op.name
    measure.add(text and f"{title(op)} [{way}] {call(name, args, sample.kwargs)}: {text}")


def measures(names: str = "", part: int = 0, parts: int = 1, kind: str = "sample") -> list[Measure]:
    """The figures of this part of the comparison, one for each way of calling."""
    totals = {way: Measure(f"operators, {way}") for way in ("function", "method", "in-place")}
    for op in chosen(names, part, parts):
        for way, measure in measure_entry(op, kind).items():
            totals[way] += measure
    return list(totals.values())
