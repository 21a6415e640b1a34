"""All aids at once, on random programs full of inf and nan: they agree with the engine, and with one another."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_pt as torch
from tinygrad_pt.autograd import detect_anomaly, record_contributions

STEPS: dict[str, Any] = {
    **{name: (lambda a, b, name=name: getattr(a, name)()) for name in
       ("exp", "log", "sqrt", "tanh", "relu", "square", "abs", "reciprocal", "sum", "mean", "sin")},
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b, "div": lambda a, b: a / b,
    "where": lambda a, b: torch.where(a > 0, a, b), "part": lambda a, b: a.reshape(-1).split(1)[0],
    "twice": lambda a, b: torch.stack([a, a]).amax(0), "none": lambda a, b: a.detach(),
}  # fmt: skip
PROGRAM = st.lists(st.tuples(st.sampled_from([*STEPS]), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=7)
VALUES = st.lists(st.sampled_from([-2.0, -1.0, 0.0, 0.5, 1.0, 3.0, 1e200]), min_size=3, max_size=3)


def loss_of(program: Any, leaves: list[Any]) -> Any:
    values = [*leaves]
    for name, i, j in program:
        values.append(STEPS[name](values[i % len(values)], values[j % len(values)]))
    return values[-1].sum() + values[-2].sum()


def has_nan(x: Any) -> bool:
    return x is not None and bool(np.isnan(x).any())


@given(PROGRAM, VALUES, VALUES)
def test_the_aids_agree_with_the_engine(program: Any, first: list[float], second: list[float]) -> None:
    leaves = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (first, second)]
    loss = loss_of(program, leaves)
    answer = loss.why_nan()
    finite = bool(np.isfinite(loss.item()))
    if answer.kind == "finite":
        assert finite
    elif answer.kind == "given":  # by a detach()
        assert "none" in {name for name, *_ in program}
    elif answer.kind != "unknown":
        assert answer.spot is not None and str(answer)
        assert finite or not answer.spot.backward
    if not loss.requires_grad:
        return
    loss.backward()
    plain = [None if x.grad is None else x.grad.numpy().copy() for x in leaves]
    wrong = bool(np.isnan(loss.item())) or any(map(has_nan, plain))
    if finite and wrong:
        assert answer.kind in ("nan", "unknown"), answer
    for x in leaves:
        x.grad = None
    with detect_anomaly(), record_contributions():
        loss = loss_of(program, leaves)
        if wrong:
            with pytest.raises(RuntimeError, match=r"returned nan values in its \dth output|starts from is nan"):
                loss.backward()
            assert [x.grad for x in leaves] == [None, None]
            return
        loss.backward()
    for x, expected in zip(leaves, plain, strict=True):
        assert (x.grad is None) == (expected is None)
        if expected is not None:
            np.testing.assert_array_equal(x.grad.numpy(), expected)
            np.testing.assert_allclose(x.grad_contributions().total, expected, rtol=1e-9)
            assert x.why_no_grad().kind == "has grad"
