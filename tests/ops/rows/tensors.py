"""Rows of the ops on the representation of numbers, on strides, of reductions at indices, and of running ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.ops.rows.row import *  # noqa: F403

# ------------------------------------------------------------------------------------------ numbers
row("scale", lambda a, n: a * 2.0**n, real, cases(ONE, dict(n=3), dict(n=-1)),
    at([inf, 0, nan], [inf, 0, nan], [0.5, 0.5, 0.5], n=-1))  # fmt: skip
binary("logaddexp2", lambda a, b: np.log2(np.exp2(a) + np.exp2(b)), real,
       both([1000, inf, -inf], [1000, 0, 0], [1001, inf, 0], [0.5, 1, 0], [0.5, 0, 1]))  # fmt: skip
binary("nextafter", np.nextafter, distinct, both([1, 0], [1, 0], [1, 0], [0, 0], [0, 0]))

# ------------------------------------------------------------------------------------------ strides
row("as_strided", lambda a, geometry, origin: np.array(a).reshape(-1)[_places(geometry)], real,
    [(((6,),), dict(geometry=((2, 2), (1, 2), 1), origin=((6,), (1,), 0))),
     (((2, 3),), dict(geometry=((3, 2), (1, 1), 0), origin=((2, 3), (3, 1), 0))),
     (((2, 3),), dict(geometry=((), (), 4), origin=((2, 3), (3, 1), 0)))])  # fmt: skip


def _places(geometry: Any) -> Any:
    shape, strides, offset = geometry
    return offset + sum(i * s for i, s in zip(np.indices(shape), strides, strict=True)) + np.zeros(shape, int)


# ------------------------------------------------------------------------------------------ at indices
def _at(ufunc: Any, a: Any, b: Any, index: Any) -> Any:
    y = np.array(a, float)
    for place, value in zip(np.stack(np.broadcast_arrays(*index), -1).reshape(-1, y.ndim), b.ravel(), strict=True):
        y[tuple(place)] = ufunc(y[tuple(place)], value)
    return y


PLACES = [(((4,), (3,)), dict(index=(np.array([0, 2, 2]),))),
          (((2, 3), (2, 2)), dict(index=(np.array([[0], [1]]), np.array([[0, 0], [2, 1]]))))]  # fmt: skip
row("scatter_extreme", lambda a, b, index, largest: _at(np.maximum if largest else np.minimum, a, b, index), distinct,
    [(shapes, attrs | dict(largest=largest)) for shapes, attrs in PLACES for largest in (True, False)],
    Edge((np.array([1.0, 2.0]), np.array([1.0, 5.0, 5.0])), [1, 5], ([0.5, 0], [0.5, 0.5, 0.5]),
         dict(index=(np.array([0, 1, 1]),), largest=True)))  # fmt: skip
row("scatter_prod", lambda a, b, index: _at(np.multiply, a, b, index), nonzero, PLACES,
    Edge((np.array([2.0, 3.0, 1.0]), np.array([0.0, 4.0, 0.0, 0.0])), [0, 0, 1], ([0, 0, 1], [8, 0, 0, 0]),
         dict(index=(np.array([0, 0, 1, 1]),))))  # fmt: skip

# ------------------------------------------------------------------------------------------ running


def _decayed(a: Any, b: Any) -> Any:
    y = np.array(a)
    for k in range(1, y.shape[-1]):
        y[..., k] += np.exp(b[..., k]) * y[..., k - 1]
    return y


row("decayed", _decayed, real, cases([((3,), (3,)), ((2, 4), (2, 4)), ((1,), (1,))]))
row("logcumsumexp", lambda a: np.log(np.cumsum(np.exp(a), -1)), real, cases([((3,),), ((2, 4),), ((1,),)]),
    at([1000, 1000], [1000, 1000 + np.log(2)], [1.5, 0.5]), at([-inf, 0], [-inf, 0], [0, 1]))  # fmt: skip
