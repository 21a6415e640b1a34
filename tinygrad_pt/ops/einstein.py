"""All sums of products, in Einstein's notation."""

from __future__ import annotations

import numpy as np

from tinygrad_pt.calling import primitive
from tinygrad_pt.graph import Array
from tinygrad_pt.ops.shape import sum_to


@primitive(
    r"\mathrm{einsum}(a,\, b)",
    each=lambda slot: (
        lambda g, y, *xs, terms, out: sum_to(
            einsum(g, *xs[:slot], *xs[slot + 1 :], terms=(out, *terms[:slot], *terms[slot + 1 :]), out=terms[slot]),
            shape=xs[slot].shape,
        )
    ),
)
def einsum(*xs: Array, terms: tuple[str, ...], out: str) -> Array:
    """y[out] = Σ Π xs[terms]; every label of a term occurs in the result or in another term."""
    big = sum(x.size for x in xs) > 4096
    y = np.einsum(",".join(terms) + "->" + out, *xs, optimize=big)
    return y.copy() if y.base is not None else y  # for a mere transposition NumPy returns a view
