"""Strategies for arrays and tensors: of every shape and layout, that broadcast together, or that can be multiplied."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from tinygrad_pt import dtypes as kinds
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.graph import Tensor
from tinygrad_pt.testing.spec import Array, Domain, Example, OpSpec
from tinygrad_pt.testing.strategies.numbers import Strategy, given_or, kind_of, values

LAYOUTS = ("C", "F", "strided", "reversed", "broadcast")
EMPTY = st.sampled_from([(0,), (0, 2), (2, 0), (1, 0, 2)])


def shapes(min_dims: int = 0, max_dims: int = 3, min_side: int = 0, max_side: int = 3) -> Strategy:
    """Shapes, 0-d and empty ones among them. They shrink to no axes, and to sides of `min_side`.

    >>> from hypothesis import given
    >>> @given(shapes(max_dims=2, min_side=1, max_side=4))
    ... def test_few(shape):
    ...     assert len(shape) <= 2 and all(1 <= n <= 4 for n in shape)
    >>> test_few()
    """
    side = st.integers(min_side, max_side)
    return st.lists(side, min_size=min_dims, max_size=max_dims).map(tuple)


def laid_out(x: Array, layout: str) -> Array:
    """The same elements in other memory; "broadcast" repeats the first along every axis that has one."""
    if layout == "C":
        return np.ascontiguousarray(x).reshape(x.shape)
    if layout == "F":
        return np.array(x, order="F")
    if layout == "strided":  # every other element of something larger
        return np.repeat(x, 2, -1)[..., ::2] if x.ndim else x
    if layout == "reversed":
        return np.flip(np.flip(x).copy()) if x.ndim else x
    if layout == "broadcast":  # strides 0, read-only
        return np.broadcast_to(x[(slice(0, 1),) * x.ndim] if x.size else x, x.shape)
    names = ", ".join(map(repr, LAYOUTS))
    raise refuse(ValueError, f"no layout is called {layout!r}; there are {names}, '0d' and 'empty'")


def arrays(
    shape: Any = None, dtype: Any = kinds.float64, elements: Any = None, layout: Any = None, slot: int = 0
) -> Strategy:
    """NumPy arrays, as `tensors` draws them: for functions of arrays, and for gradients of other frameworks."""
    return _arrays(shape, given_or(dtype), elements, layout, slot)


@st.composite
def _arrays(draw: Any, shape: Any, dtype: Any, elements: Any, layout: Any, slot: int) -> Any:
    manner = draw(st.sampled_from(LAYOUTS) if layout is None else given_or(layout))
    if shape is None or (isinstance(shape, st.SearchStrategy) and manner in ("0d", "empty")):
        shape = () if manner == "0d" else EMPTY if manner == "empty" else shapes() if shape is None else shape
    form = draw(given_or(shape))
    form = (form,) if isinstance(form, int) else tuple(form)
    if (manner == "0d" and form) or (manner == "empty" and 0 not in form):
        raise refuse(ValueError, f"a tensor of shape {form} cannot have the layout {manner!r}")
    kind = kind_of(draw(dtype))
    if elements is None:
        elements = "any" if kind.kind == "f" else "bool" if kind.kind == "b" else Domain(0, 7, kind="int")
    x = draw(values(form, elements, slot))
    return laid_out(x.astype(kind), "C" if manner in ("0d", "empty") else manner)


def tensors(
    shape: Any = None, dtype: Any = kinds.float64, elements: Any = None, requires_grad: Any = False, layout: Any = None
) -> Strategy:
    """Tensors; each property is a value or a strategy.

    Args:
        shape: default: up to three axes of up to three elements, 0-d and empty ones included.
        dtype: a dtype or its name, such as "float32"; see `dtypes`.
        elements: a domain (see `safe_floats`), or a strategy for single elements; default: floats of ±1000.
        requires_grad: whether they are leaves that want a gradient.
        layout: how they lie in memory: `"C"`, `"F"`, `"strided"`, `"reversed"` or `"broadcast"` (one element again
            and again), `"0d"` or `"empty"` for those shapes; default: any of the first five.

    >>> from hypothesis import given
    >>> @given(tensors(shape=(2, 3), elements="positive", layout="F", requires_grad=True))
    ... def test_columns_first(t):
    ...     assert t.requires_grad and t.stride() == (1, 2) and (t > 0).all()
    >>> test_columns_first()
    """

    def made(x: Array, wants: bool) -> Tensor:
        return wrap(x).requires_grad_(wants and x.dtype.kind == "f")

    return st.builds(made, arrays(shape, dtype, elements, layout), given_or(requires_grad))


def distinct(shape: Any, gap: float = 0.2) -> Strategy:
    """Float64 tensors whose elements differ by at least `gap`: for max, sort and pooling, without ties.

    >>> from hypothesis import given
    >>> @given(distinct((2, 2), gap=0.5))
    ... def test_no_ties(t):
    ...     assert (t.ravel().sort().values.numpy()[1:] - t.ravel().sort().values.numpy()[:-1] > 0.49).all()
    >>> test_no_ties()
    """
    return tensors(shape=shape, elements=Domain(gap=gap), layout="C")


def tied(shape: Any) -> Strategy:
    """Float64 tensors of 0, ½ and 1, so that ties are the rule: what a subgradient is there for.

    >>> from hypothesis import given
    >>> @given(tied((4,)))
    ... def test_ties(t):
    ...     assert len(set(t.tolist())) < 4
    >>> test_ties()
    """
    return tensors(shape=shape, elements=st.sampled_from((0.0, 1.0, 0.5)), layout="C")


# ------------------------------------------------------------------------------------------ several that fit
@st.composite
def broadcastable_shapes(draw: Any, n: int = 2, max_dims: int = 3, max_side: int = 3) -> Any:
    """Tuples of n shapes that broadcast together; they shrink to equal ones without axes.

    >>> import numpy as np
    >>> from hypothesis import given
    >>> @given(broadcastable_shapes(3))
    ... def test_together(several):
    ...     assert len(np.broadcast_shapes(*several)) == max(map(len, several))
    >>> test_together()
    """
    full = draw(shapes(0, max_dims, 0, max_side))
    found = []
    for _ in range(n):
        kept = full[draw(st.integers(0, len(full))) :] if full else full
        found.append(tuple(1 if side != 1 and draw(st.booleans()) else side for side in kept))
    return tuple(found)


def broadcastable_tensors(
    n: int = 2, dtype: Any = kinds.float64, elements: Any = None, requires_grad: Any = False, layout: Any = None
) -> Strategy:
    """Tuples of n tensors whose shapes broadcast together; the other properties as of `tensors`.

    >>> from hypothesis import given
    >>> @given(broadcastable_tensors(2, elements="small"))
    ... def test_addition_commutes(ab):
    ...     assert (ab[0] + ab[1] == ab[1] + ab[0]).all()
    >>> test_addition_commutes()
    """
    return _together(broadcastable_shapes(n), dtype, elements, requires_grad, layout)


@st.composite
def _together(draw: Any, several: Any, dtype: Any, elements: Any, requires_grad: Any, layout: Any) -> Any:
    kind = draw(given_or(dtype))
    found = []
    for slot, shape in enumerate(draw(several)):
        x = draw(arrays(shape, kind, elements, layout, slot))
        found.append(wrap(x).requires_grad_(draw(given_or(requires_grad)) and x.dtype.kind == "f"))
    return tuple(found)


@st.composite
def matmul_shapes(draw: Any, max_side: int = 3, max_batch: int = 2) -> Any:
    """Two shapes that `matmul` takes: vectors, matrices, and batches of them that broadcast."""
    side = st.integers(0, max_side)
    a_rank, b_rank = draw(st.sampled_from([(2, 2), (1, 1), (2, 1), (1, 2), (3, 3), (3, 2), (2, 3), (4, 3), (3, 1)]))
    n, k, m = draw(side), draw(side), draw(side)
    batch = draw(broadcastable_shapes(2, max_batch, 2))
    a = ((n, k) if a_rank > 1 else (k,)) if a_rank < 3 else (*batch[0], n, k)
    b = ((k, m) if b_rank > 1 else (k,)) if b_rank < 3 else (*batch[1], k, m)
    return a, b


def matmul_operands(
    dtype: Any = kinds.float64, elements: Any = "small", requires_grad: Any = False, layout: Any = None
) -> Strategy:
    """Pairs of tensors that `matmul` takes, of all ranks: vectors, matrices, batches that broadcast.

    >>> from hypothesis import given
    >>> @given(matmul_operands())
    ... def test_shape_of_products(ab):
    ...     assert (ab[0] @ ab[1]).shape == (ab[0].numpy() @ ab[1].numpy()).shape
    >>> test_shape_of_products()
    """
    return _together(matmul_shapes(), dtype, elements, requires_grad, layout)


@st.composite
def arguments_for(draw: Any, spec: OpSpec, dtype: Any = kinds.float64, layout: Any = "C") -> Any:
    """Examples for a row of a table of functions: `.args` (arrays and Python numbers) and `.attrs`.

    The shapes are those of one of its cases or, if its arguments broadcast, others that do.
    """
    forms, attrs = draw(st.sampled_from(list(spec.cases)))
    numbers = [form is None for form in forms]
    if spec.elementwise and draw(st.booleans()):
        forms = draw(broadcastable_shapes(len(forms)))
    args = []
    for slot, (form, number) in enumerate(zip(forms, numbers, strict=True)):
        domain = spec.domain(slot)
        kind = dtype if domain.kind == "float" else kinds.bool if domain.kind == "bool" else kinds.int64
        if number:
            args.append(draw(values((), domain, slot)).item())
        else:
            args.append(draw(arrays(form, kind, domain, layout, slot)))
    return Example(spec, args, attrs)
