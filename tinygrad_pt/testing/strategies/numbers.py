"""Strategies for numbers to fill tensors with: away from kinks, apart from each other, tied on purpose, or special."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tinygrad_pt import dtypes as kinds
from tinygrad_pt.errors import refuse
from tinygrad_pt.testing.spec import domain_of

Strategy = st.SearchStrategy[Any]
NUMBERS = st.integers(0, 2**32 - 1)


def given_or(value: Any) -> Strategy:
    """A strategy as it is; a value as the strategy of that value."""
    return value if isinstance(value, st.SearchStrategy) else st.just(value)


def kind_of(dtype: Any) -> np.dtype[Any]:
    """The NumPy dtype behind a dtype, or behind its name.

    >>> kind_of("float32")
    dtype('float32')
    """
    if not isinstance(dtype, str):
        return kinds.numpy_of(dtype)
    found = next((t for t in kinds.ALL if t.name == dtype.removeprefix("torch.")), None)
    if found is None:
        names = ", ".join(repr(t.name) for t in kinds.ALL)
        raise refuse(ValueError, f"no dtype is called {dtype!r}; there are {names}")
    return found.numpy


def safe_floats(domain: Any = "any", *, avoid: Sequence[float] = (), margin: float | None = None) -> Strategy:
    """Floats of a domain, at least `margin` away from every point to avoid, by construction.

    Args:
        domain: `"any"` (±1000), `"small"` (±2), `"positive"`, `"nonzero"`, `"unit"` (inside 0 … 1), `"ball"` (inside
            -1 … 1), `"above one"`, or a `Domain`.
        avoid: kinks and poles. margin: how far to stay away from them (default: 1/16).

    They shrink to whole numbers, halves, quarters, eighths.

    >>> from hypothesis import given
    >>> @given(safe_floats("any", avoid=(0.0,)))
    ... def test_inverse(x):
    ...     assert abs(1 / (1 / x) - x) <= 1e-15 * abs(x)
    >>> test_inverse()
    """
    chosen = domain_of(domain, avoid, margin)
    if chosen.kind == "bool":
        return st.booleans()
    if chosen.kind == "int":
        return st.integers(int(chosen.low), int(chosen.high))
    return NUMBERS.map(chosen.at)


SPECIAL = (0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan)


def special_floats(dtype: Any = "float64", *, finite: bool = False) -> Strategy:
    """The floats at which formulas break: zeros of both signs, the largest and smallest of a dtype, inf and nan.

    >>> from hypothesis import given
    >>> @given(special_floats())
    ... def test_abs(x):
    ...     assert not abs(x) < 0
    >>> test_abs()
    """
    info = np.finfo(kind_of(dtype))
    extreme = [float(x) for x in (info.max, info.tiny, info.smallest_subnormal, info.eps)]
    every = [*SPECIAL, *extreme, *(-x for x in extreme)]
    return st.sampled_from([x for x in every if math.isfinite(x) or not finite])


def dtypes(kind: str = "float") -> Strategy:
    """The dtypes of a kind: `"float"`, `"int"`, `"bool"`, or `"any"` of them; float64 and int64 are the simplest.

    >>> from hypothesis import given
    >>> @given(dtypes("float"))
    ... def test_floating(dtype):
    ...     assert dtype.is_floating_point
    >>> test_floating()
    """
    table = {
        "float": (kinds.float64, kinds.float32, kinds.float16),
        "int": (kinds.int64, kinds.int32, kinds.int16, kinds.int8, kinds.uint8),
        "bool": (kinds.bool,),
    }
    if kind != "any" and kind not in table:
        raise refuse(ValueError, f"kind must be 'float', 'int', 'bool' or 'any', not {kind!r}")
    return st.sampled_from([d for k, row in table.items() if kind in (k, "any") for d in row])


def values(shape: tuple[int, ...], elements: Any, slot: int = 0) -> Strategy:
    """Arrays of one shape; `elements` is a domain, the name of one, or a strategy for single elements."""
    size = math.prod(shape)
    if not isinstance(elements, st.SearchStrategy):
        domain = domain_of(elements)
        if domain.gap and domain.kind == "float":
            return st.permutations(range(size)).map(lambda order: domain.apart(order, shape, slot))
        elements = safe_floats(domain)
    # One draw per element: a fill shared by many would make ties by accident.
    return st.tuples(*[elements] * size).map(lambda x: np.array(x if x else np.zeros(0)).reshape(shape))
