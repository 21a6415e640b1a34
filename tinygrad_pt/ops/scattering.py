"""Reductions that an index steers: b is multiplied into a, or compared with it, at the places that an index names."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_pt.calling import primitive
from tinygrad_pt.graph import Array
from tinygrad_pt.ops.elementwise import cast, eq, where
from tinygrad_pt.ops.index import getitem, scatter_add
from tinygrad_pt.ops.reduce import same


def _share(g: Any, y: Any, a: Any, b: Any, index: Any) -> tuple[Any, Any]:
    """g shared evenly by the elements that are the extreme y; and whether those of b are."""
    chosen = cast(same(b, getitem(y, index=index)), dtype=a.dtype)
    number = cast(same(a, y), dtype=a.dtype) + scatter_add(chosen, shape=a.shape, index=index)
    return g / number, chosen


def _share_of_a(g: Any, y: Any, a: Any, b: Any, *, index: Any, largest: bool) -> Any:
    return where(same(a, y), _share(g, y, a, b, index)[0], 0.0)


def _share_of_b(g: Any, y: Any, a: Any, b: Any, *, index: Any, largest: bool) -> Any:
    share, chosen = _share(g, y, a, b, index)
    return chosen * getitem(share, index=index)


@primitive(r"\mathrm{extreme}(a,\, b)", _share_of_a, _share_of_b)
def scatter_extreme(a: Array, b: Array, *, index: Any, largest: bool) -> Array:
    """y = the largest (or smallest) of a and the elements of b that go there; ties share the gradient evenly."""
    y = np.array(a)
    (np.maximum if largest else np.minimum).at(y, index, b)
    return y


def _factors_of_a(g: Any, y: Any, a: Any, b: Any, *, index: Any) -> Any:
    return g * scatter_prod(where(eq(a, a), 1.0, a), b, index=index)


def _factors_of_b(g: Any, y: Any, a: Any, b: Any, *, index: Any) -> Any:
    """The product of all other factors: y/b, or, for a 0 among the factors of b, the product of those that are not 0.

    Of two zeros each has the other as a factor, which the second derivative needs; more zeros leave nothing.
    """
    zero = eq(b, 0)
    count, total = (
        getitem(scatter_add(t, shape=a.shape, index=index), index=index)
        for t in (cast(zero, dtype=a.dtype), where(zero, b, 0.0))
    )
    others = getitem(g * scatter_prod(a, where(zero, 1.0, b), index=index), index=index)
    at_zero = where(eq(count, 1), others, where(eq(count, 2), others * (total - b), 0.0))
    return where(zero, at_zero, getitem(g * y, index=index) / where(zero, 1.0, b))


@primitive(r"a \prod b", _factors_of_a, _factors_of_b)
def scatter_prod(a: Array, b: Array, *, index: Any) -> Array:
    """y = a times the elements of b that go there."""
    y = np.array(a)
    np.multiply.at(y, index, b)
    return y
