"""Strategies for the axes and indices of a given tensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tinygrad_pt.errors import refuse
from tinygrad_pt.graph import Tensor
from tinygrad_pt.testing.strategies.numbers import Strategy


def axes_for(t: Tensor | Sequence[int], *, none: bool = True, several: bool = True) -> Strategy:
    """What `dim=` may be for a tensor (or a shape): one axis, counted from either end, a tuple of them, or None.

    Args:
        t: the tensor, or a shape. none, several: whether None and tuples are wanted.

    >>> import numpy as np
    >>> from hypothesis import given
    >>> @given(axes_for((2, 3)))
    ... def test_sum_of_ones(axis):
    ...     assert (np.ones((2, 3)).sum(axis) >= 2).all()
    >>> test_sum_of_ones()
    """
    ndim = len(getattr(t, "shape", t))
    choices: list[Strategy] = []
    if ndim:
        choices.append(st.sampled_from([*range(ndim), *range(-1, -ndim - 1, -1)]))
        if several:
            from_either_end = st.tuples(st.sets(st.integers(0, ndim - 1), min_size=1), st.booleans())
            choices.append(from_either_end.map(lambda s: tuple(a - ndim * s[1] for a in sorted(s[0]))))
    if none or not ndim:
        choices.append(st.none())
    return st.one_of(choices)


@st.composite
def indices_for(draw: Any, t: Tensor | Sequence[int], *, kind: str = "any") -> Any:
    """What may stand in `t[…]`: integers, slices, Ellipsis, None, integers with repeats, truth values, or a mixture.

    Args:
        t: the tensor, or a shape.
        kind: `"basic"` (makes a view), `"integer"` (arrays, with repeats), `"boolean"`, or `"any"` of these mixed. A
            single integer never stands beside arrays: NumPy and PyTorch disagree about where the axes then go.

    >>> import numpy as np
    >>> from hypothesis import given
    >>> @given(indices_for((2, 3)))
    ... def test_what_is_read_was_there(index):
    ...     assert set(np.ravel(np.arange(6).reshape(2, 3)[index])) <= set(range(6))
    >>> test_what_is_read_was_there()
    """
    shape = tuple(getattr(t, "shape", t))
    if kind not in ("any", "basic", "integer", "boolean"):
        raise refuse(ValueError, f"kind must be 'any', 'basic', 'integer' or 'boolean', not {kind!r}")
    if kind == "boolean":
        return draw(_mask(shape))
    count = draw(st.integers(0 if kind != "integer" or not shape else 1, len(shape)))
    # The length of all integer arrays of this index, so that they broadcast together; an axis without elements has
    # none to name.
    width = 0 if 0 in shape[:count] else draw(st.integers(0, 3))
    if kind == "any" and draw(st.booleans()):
        kind = "basic"
    parts: list[Any] = [draw(_part(side, kind, width)) for side in shape[:count]]
    if kind != "integer":
        # An Ellipsis anywhere, standing for the axes that are left; the parts behind it count from the end.
        for extra in draw(st.lists(st.sampled_from([None, Ellipsis]), max_size=2, unique=True)):
            place = len(parts) if extra is Ellipsis and count < len(shape) else draw(st.integers(0, len(parts)))
            parts.insert(place, extra)
        if any(p is Ellipsis for p in parts) and count < len(shape) and draw(st.booleans()):
            parts.append(draw(_part(shape[-1], kind, width if shape[-1] or not width else 0)))
        if kind == "any" and not parts:
            return draw(_mask(shape))
    return tuple(parts)


def _part(side: int, kind: str, width: int) -> Strategy:
    """An index along one axis of this many elements."""
    bound = st.none() | st.integers(-side - 1, side + 1)
    basic: list[Strategy] = [st.builds(slice, bound, bound, st.sampled_from([None, 1, 2]))]
    advanced = []
    if side:
        if kind == "basic":
            basic.insert(0, st.integers(-side, side - 1))
        advanced.append(st.tuples(*[st.integers(-side, side - 1)] * width).map(lambda i: np.array(i, np.int64)))
    if kind == "integer":
        return advanced[0] if advanced else st.just(np.zeros(0, np.int64))
    return st.one_of(*basic, *(advanced if kind == "any" else ()))


def _mask(shape: tuple[int, ...]) -> Strategy:
    size = int(np.prod(shape))
    return st.tuples(*[st.booleans()] * size).map(lambda b: (np.array(b, bool).reshape(shape),))
