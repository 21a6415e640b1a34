"""Views and in-place writes, in random order, against PyTorch 2.13: values, versions, gradients and refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_pt

torch = pytest.importorskip("torch")

STEPS = {
    # each takes a tensor and the leaf w (a vector of 6), and returns a new tensor or None
    "row": lambda t, w: t[0] if t.ndim else None,
    "last": lambda t, w: t[..., -1] if t.ndim else None,
    "tail": lambda t, w: t[1:] if t.ndim else None,
    "every second": lambda t, w: t[::2] if t.ndim else None,
    "flat": lambda t, w: t.reshape(-1),
    "transpose": lambda t, w: t.t() if t.ndim == 2 else None,
    "unsqueeze": lambda t, w: t.unsqueeze(0),
    "copy": lambda t, w: t * 1.5,
    "mul_": lambda t, w: (t.mul_(2.0), None)[1],
    "mul_ by w": lambda t, w: (t.mul_(w[0]), None)[1],
    "add_ w": lambda t, w: (t.add_(w[1]), None)[1],
    "exp_": lambda t, w: (t.mul_(0.1), t.exp_(), None)[2],
    "zero_": lambda t, w: (t.zero_(), None)[1],
    "set first": lambda t, w: (t.__setitem__(0, w[2]), None)[1] if t.ndim else None,
    "set slice": lambda t, w: (t.__setitem__(slice(1, None), 3.0), None)[1] if t.ndim else None,
    "set mask": lambda t, w: (t.__setitem__(t > 0.5, w[3]), None)[1],
    "copy_": lambda t, w: (t.copy_(w[4]), None)[1],
    "square": lambda t, w: t * t,
}  # fmt: skip
PROGRAM = st.lists(st.tuples(st.sampled_from(list(STEPS)), st.integers(0, 9)), min_size=1, max_size=7)


def run(library: Any, program: Any) -> Any:
    """What a program leaves: values, versions and gradients, or the first line of the error that ended it."""
    w = library.tensor([0.5, -1.0, 2.0, 0.25, 1.5, -0.75], dtype=library.float64, requires_grad=True)
    live = [(w * library.tensor([1.0, 2.0, 3.0, 1.0, -1.0, 0.5], dtype=library.float64)).reshape(2, 3)]
    log: list[Any] = []
    for name, which in program:
        try:
            made = STEPS[name](live[which % len(live)], w)
        except (RuntimeError, IndexError, ValueError) as error:
            return log, type(error), str(error).splitlines()[0][:60]
        if made is not None:
            live.append(made)
        log.append([(t.detach().tolist(), t._version) for t in live])
    loss = sum((t * (i + 1)).sum() for i, t in enumerate(live))
    try:
        loss.backward()
    except RuntimeError as error:
        return log, type(error), "saved" if "modified by an inplace" in str(error) else str(error).splitlines()[0]
    return log, w.grad.tolist()


@settings(max_examples=600)
@given(PROGRAM)
def test_programs_of_views_and_writes(program: Any) -> None:
    theirs, ours = run(torch, program), run(tinygrad_pt, program)
    assert len(theirs) == len(ours) and theirs[1:-1] == ours[1:-1], (theirs[-1], ours[-1])
    for a, b in zip(theirs[0], ours[0], strict=True):
        assert [version for _, version in a] == [version for _, version in b]
        for (x, _), (y, _) in zip(a, b, strict=True):
            np.testing.assert_allclose(y, x, rtol=1e-12)
    if len(theirs) == 2:
        np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-10)
    else:
        assert theirs[2] == ours[2]
