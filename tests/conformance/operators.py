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
LIMIT = 100  # samples of an entry in one dtype: three entries have a thousand and more, and they would be half of all
UNDEFINED = {
    "empty",
    "empty_like",
    "new_empty",
    "empty_strided",
    "new_empty_strided",
    "empty_permuted",
}  # values are what memory holds
WAYS = ("function", "method", "in-place")


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
        found = list(made("cpu", dtype, requires_grad=wanted and op.supports_autograd))
        found = found[:: max(1, -(-len(found) // LIMIT))]
        return [sample.noncontiguous() for sample in found] if kind == "noncontiguous" else found
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


def gradient_difference(
    theirs: Sequence[Any], ours: Sequence[Any], slack: float = 2.0, truth: Sequence[Any] | None = None
) -> str:
    """Why our gradients are not PyTorch's; "" if they are. None stands for zeros."""
    exacts = truth or [None] * len(theirs)
    for i, (a, b, exact) in enumerate(zip(theirs, ours, exacts, strict=True)):
        if a is None and b is None:
            continue
        if a is None:
            text = "" if not b.detach().numpy().any() else "a gradient where PyTorch has none"
        elif b is None:
            text = "" if not a.numpy(force=True).any() else "no gradient where PyTorch has one"
        else:
            text = difference(a, b, slack, history=False, truth=exact)
        if text:
            return f"gradient {i}: {text}"
    return ""


class PyTorchRaises(LeftOut):
    """PyTorch refuses the sample itself."""


def run(library: Any, function: Any, way: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The call, from the start of the random stream; in place of a copy, because a leaf must not be written to."""
    library.manual_seed(0)
    return function(args[0].clone(), *args[1:], **kwargs) if way == "in-place" else function(*args, **kwargs)


def theirs(function: Any, way: str, args: tuple[Any, ...], kwargs: dict[str, Any], leaves: Sequence[Any]) -> Any:
    """PyTorch's result, what arrives at those parts of it that require grad, and the gradients of the leaves."""
    try:
        result = run(torch, function, way, args, kwargs)
        wanted = [y for y in flat(result) if isinstance(y, torch.Tensor) and y.requires_grad]
        for y in flat(result):
            if isinstance(y, torch.Tensor) and (y.is_complex() or y.layout is not torch.strided):
                raise LeftOut("complex or sparse results")
        arriving = cotangents(wanted)
        return result, arriving, gradients(torch, wanted, leaves, arriving) if wanted else []
    except LeftOut:
        raise
    except Exception as error:
        raise PyTorchRaises("PyTorch raises") from error


def in_float64(value: Any, seen: dict[int, torch.Tensor]) -> Any:
    """The same arguments with float64 in place of what is narrower; one tensor stays one."""
    if isinstance(value, torch.Tensor):
        if not value.is_floating_point():
            return value
        if id(value) not in seen:
            seen[id(value)] = value.detach().double().requires_grad_(value.requires_grad)
        return seen[id(value)]
    if isinstance(value, torch.dtype):
        return torch.float64 if value.is_floating_point else value
    if isinstance(value, (list, tuple)) and not hasattr(value, "_fields") and not isinstance(value, torch.Size):
        return type(value)(in_float64(v, seen) for v in value)
    return {k: in_float64(v, seen) for k, v in value.items()} if isinstance(value, dict) else value


def truth(function: Any, way: str, args: Any, kwargs: Any, leaves: Sequence[Any]) -> tuple[Any, Any]:
    """PyTorch's result and gradients in float64; None where the call does not work so."""
    seen: dict[int, torch.Tensor] = {}
    wide_args, wide_kwargs = in_float64(args, seen), in_float64(kwargs, seen)
    try:
        result, _, found = theirs(function, way, wide_args, wide_kwargs, [seen[id(a)] for a in leaves])
    except LeftOut:
        return None, None
    return result, found


# Where elements are equal any of them may be named: PyTorch leaves open which one, and so the index is no fault as long
# as it leads to an equal element. The place of `dim` among the positional arguments.
TIES = {"sort": 1, "argsort": 1, "topk": 2, "kthvalue": 2, "mode": 1}


def chosen_alike(name: str, args: Sequence[Any], kwargs: dict[str, Any], expected: Any, result: Any) -> bool:
    """Whether indices that differ lead to equal elements, and each to another one."""
    if name not in TIES or kwargs.get("stable"):
        return False
    x = args[0].numpy(force=True)
    dim = args[TIES[name]] if len(args) > TIES[name] else kwargs.get("dim", -1)
    at = [v[-1] if isinstance(v, tuple) else v for v in (expected, result)]
    i, j = (np.asarray(v.numpy()) for v in at)
    if difference(expected[0], result[0]) if isinstance(expected, tuple) else i.shape != j.shape or j.dtype != i.dtype:
        return False
    if i.ndim < x.ndim:
        i, j = np.expand_dims(i, dim), np.expand_dims(j, dim)
    ordered = np.sort(j, dim)
    twice = (np.diff(ordered, axis=dim) == 0).any()
    return not twice and np.array_equal(*(np.take_along_axis(x, k, dim) for k in (i, j)), equal_nan=True)


# Vectors whose sign is free: LAPACKs differ in it. PyTorch's own tests compare sizes too, with the gradient of these.
FREE_SIGNS = {"linalg.eigh": (1,), "linalg.svd": (0, 2), "svd": (0, 2), "svd_lowrank": (0, 2), "pca_lowrank": (0, 2)}


def without_signs(function: Any, places: tuple[int, ...]) -> Any:
    """The function, with the sizes of the results whose signs are free."""
    return lambda *args, **kwargs: tuple(abs(y) if i in places else y for i, y in enumerate(function(*args, **kwargs)))


def compared(pair: tuple[Any, Any], way: str, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """One call of both libraries: what differs, or "". Raises LeftOut where there is nothing to compare."""
    if name in FREE_SIGNS:
        pair = tuple(without_signs(f, FREE_SIGNS[name]) for f in pair)
    translate = Translation()
    our_args, our_kwargs = translate(args), translate(kwargs)
    leaves = [(a, b) for a, b in translate.tensors.values() if a.requires_grad]
    inputs = [a for a, _ in leaves]
    expected, arriving, there = theirs(pair[0], way, args, kwargs, inputs)
    try:
        result = run(tg, pair[1], way, our_args, our_kwargs)
        if name in UNDEFINED:
            return difference([(y.shape, y.dtype) for y in flat(expected)], [(y.shape, y.dtype) for y in flat(result)])
        text = difference(expected, result)
        if text and chosen_alike(name, args, kwargs, expected, result):
            return ""
        if text:
            return difference(expected, result, truth=truth(pair[0], way, args, kwargs, inputs)[0])
        if not arriving:
            return ""
        there_and_here = zip(flat(expected), flat(result), strict=True)
        chosen = [ours for y, ours in there_and_here if isinstance(y, torch.Tensor) and y.requires_grad]
        here = gradients(tg, chosen, [b for _, b in leaves], [tg.from_numpy(g.numpy().copy()) for g in arriving])
        if not gradient_difference(there, here):
            return ""
        return gradient_difference(there, here, truth=truth(pair[0], way, args, kwargs, inputs)[1])
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


def by_entry(names: str = "", part: int = 0, parts: int = 1, kind: str = "sample") -> dict[str, dict[str, Measure]]:
    """The figures of each entry, by the way it is called."""
    return {title(op): measure_entry(op, kind) for op in chosen(names, part, parts)}


def totals(entries: dict[str, dict[str, Measure]], kind: str = "sample") -> list[Measure]:
    """The sums over entries, one for each way of calling."""
    sums = {way: Measure(f"{kind} inputs, {way}") for way in WAYS}
    for found in entries.values():
        for way, measure in found.items():
            sums[way] += measure
    return list(sums.values())


def measures(names: str = "", part: int = 0, parts: int = 1, kind: str = "sample") -> list[Measure]:
    """The figures of this part of the comparison."""
    return totals(by_entry(names, part, parts, kind), kind)
