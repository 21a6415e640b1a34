"""Second derivatives of every entry of PyTorch's database that has them, against PyTorch's.

An entry agrees if every sample in float64 does: the derivatives of its gradients, with respect to the inputs and to
the gradient that arrives. None stands for zeros, but a gradient that PyTorch can differentiate must be one here, too.
"""

from __future__ import annotations

import warnings
from typing import Any

import torch

import tinygrad_pt as tg
from tests.conformance import bridge
from tests.conformance.bridge import LeftOut, Translation, title
from tests.conformance.measure import Measure, call, said
from tests.conformance.operators import (
    FREE_SIGNS,
    PyTorchRaises,
    arguments,
    chosen,
    cotangents,
    flat,
    gradient_difference,
    gradients,
    samples,
    without_signs,
)  # fmt: skip


def differentiable(names: str = "") -> list[Any]:
    """The provided entries with second derivatives."""
    return [op for op in chosen(names) if op.supports_gradgrad and op.supports_autograd]


def compared(pair: tuple[Any, Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """The second derivatives of one call: what differs, or "". Raises LeftOut where there are none."""
    translate = Translation()
    our_args, our_kwargs = translate(args), translate(kwargs)
    leaves = [(a, b) for a, b in translate.tensors.values() if a.requires_grad]
    try:
        torch.manual_seed(0)
        expected = flat(pair[0](*args, **kwargs))
        places = [i for i, y in enumerate(expected) if isinstance(y, torch.Tensor) and y.requires_grad]
        if not places:
            raise LeftOut("no result that requires grad")
        arriving = [g.requires_grad_() for g in cotangents([expected[i] for i in places])]
        inputs = [a for a, _ in leaves]
        first = gradients(torch, [expected[i] for i in places], inputs, arriving, create_graph=True)
        again = [i for i, g in enumerate(first) if g is not None and g.requires_grad]
        if not again:
            raise LeftOut("no gradient that requires grad")
        weights = cotangents([first[i] for i in again])
        there = gradients(torch, [first[i] for i in again], [*inputs, *arriving], weights)
    except LeftOut:
        raise
    except Exception as error:
        raise PyTorchRaises("PyTorch raises") from error
    try:
        tg.manual_seed(0)
        result = flat(pair[1](*our_args, **our_kwargs))
        here_arriving = [tg.from_numpy(g.detach().numpy().copy()).requires_grad_() for g in arriving]
        inputs = [b for _, b in leaves]
        ours = gradients(tg, [result[i] for i in places], inputs, here_arriving, create_graph=True)
        if text := gradient_difference([g if g is None else g.detach() for g in first], ours):
            return f"first {text}"
        here = gradients(
            tg, [ours[i] for i in again], [*inputs, *here_arriving], [tg.from_numpy(g.numpy().copy()) for g in weights]
        )
        text = gradient_difference(there, here, slack=10)
    except Exception as error:
        return said(error)
    if text and not passes(torch, pair[0], args, kwargs) and passes(tg, pair[1], our_args, our_kwargs):
        raise LeftOut("PyTorch's second derivative is not that of its own first one, ours is")
    if text and not gradient_difference([finite(a, b) for a, b in zip(there, here, strict=True)], here, slack=10):
        raise LeftOut("PyTorch's second derivative is nan where ours is finite")
    return text


def passes(library: Any, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether the second derivatives of a call are the slopes of its first ones."""
    wanted = [i for i, a in enumerate(args) if isinstance(a, library.Tensor) and a.requires_grad]

    def call_of(*inputs: Any) -> Any:
        given = list(args)
        for i, x in zip(wanted, inputs, strict=True):
            given[i] = x
        return function(*given, **kwargs)

    try:
        answer: bool = library.autograd.gradgradcheck(call_of, [args[i] for i in wanted], raise_exception=False)
    except Exception:
        return False
    return answer


def finite(theirs: torch.Tensor | None, ours: tg.Tensor | None) -> torch.Tensor | None:
    """PyTorch's gradient, with ours where PyTorch's alone is nan."""
    if theirs is None or ours is None:
        return theirs
    other = torch.from_numpy(ours.detach().numpy().copy())
    return torch.where(theirs.isnan() & other.isfinite(), other, theirs)


def measure_entry(op: Any) -> Measure:
    """All samples of one entry."""
    found = Measure(title(op))
    pair = bridge.variants(op).get("function")
    if pair and op.name in FREE_SIGNS:
        pair = tuple(without_signs(f, FREE_SIGNS[op.name]) for f in pair)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            for sample in samples(op, torch.float64) if pair else ():
                args = arguments(sample)
                try:
                    text = compared(pair, args, sample.kwargs)
                except LeftOut as reason:
                    found.left_out[str(reason)] += 1
                    continue
                found.add(text and f"{title(op)} {call(op.name, args, sample.kwargs)}: {text}")
        except LeftOut as reason:
            found.left_out[str(reason)] += 1
    return found


def by_entry(names: str = "", part: int = 0, parts: int = 1) -> dict[str, Measure]:
    """The figures of each entry."""
    return {title(op): measure_entry(op) for op in differentiable(names)[part::parts]}


def totals(found: dict[str, Measure]) -> list[Measure]:
    """Whole entries that agree, and samples."""
    entries, tried = Measure("second derivatives, entries"), Measure("second derivatives, samples")
    for name, measure in found.items():
        tried += measure
        if measure.total:
            entries.add(name if measure.failures else "")
    return [entries, tried]


def measures(names: str = "", part: int = 0, parts: int = 1) -> list[Measure]:
    """The figures of this part of the comparison."""
    return totals(by_entry(names, part, parts))
