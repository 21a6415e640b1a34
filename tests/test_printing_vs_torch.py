"""The printed form of arrays against PyTorch's own repr: the strings must be equal."""

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinygrad_pt import printing

torch = pytest.importorskip("torch")

DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64",
          "complex64", "complex128"]  # fmt: skip
SHAPES = st.one_of(
    hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=6),
    hnp.array_shapes(min_dims=1, max_dims=1, max_side=60),
    st.tuples(st.integers(1, 4), st.integers(1, 60)),
)
PLAIN = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, -1.0, np.nan, np.inf, -np.inf, 0.5, 1e-4, 1e8, 1e3]),
    st.integers(-2000, 2000).map(float),
    st.floats(-1000, 1000).map(lambda x: round(x, 3)),
)
LARGE = [(1001,), (2000,), (40, 40), (7, 6, 50), (2, 1000), (1000, 2), (3, 0), (0, 9)]


@contextlib.contextmanager
def both(**chosen):
    before = torch._tensor_str.get_printoptions()
    torch.set_printoptions(**chosen)
    try:
        with printing.printoptions(**chosen):
            yield
    finally:
        torch.set_printoptions(**before)


@st.composite
def arrays(draw):
    dtype, shape = np.dtype(draw(st.sampled_from(DTYPES))), draw(SHAPES)
    if dtype.kind == "f" and draw(st.booleans()):
        drawn = draw(hnp.arrays(np.float64, shape, elements=PLAIN))
        with np.errstate(over="ignore"):
            return drawn.astype(dtype)
    return draw(hnp.arrays(dtype, shape))


OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "precision": st.integers(0, 8),
        "threshold": st.integers(0, 30),
        "edgeitems": st.integers(0, 4),
        "linewidth": st.integers(0, 130),
        "sci_mode": st.sampled_from([None, True, False]),
        "profile": st.sampled_from(["default", "short", "full"]),
    },
)


@settings(max_examples=400, deadline=None)
@given(arrays())
def test_any_array_prints_as_in_torch(array):
    assert printing.tensor_str(array) == repr(torch.from_numpy(array.copy()))


@settings(max_examples=300, deadline=None)
@given(arrays(), OPTIONS)
def test_any_array_prints_as_in_torch_under_any_options(array, chosen):
    with both(**chosen):
        assert printing.get_printoptions() == torch._tensor_str.get_printoptions()
        assert printing.tensor_str(array) == repr(torch.from_numpy(array.copy()))


@settings(max_examples=100, deadline=None)
@given(hnp.arrays(st.sampled_from([np.float32, np.float64]), SHAPES, elements=PLAIN))
def test_suffixes_break_lines_as_in_torch(array):
    leaf = torch.from_numpy(array.copy()).requires_grad_()
    assert printing.tensor_str(array, extra=["requires_grad=True"]) == repr(leaf)
    result = leaf * 1
    shown = printing.tensor_str(array, extra=["grad_fn=<MulBackward0>"])
    assert shown == repr(result)


@pytest.mark.parametrize("shape", LARGE)
@pytest.mark.parametrize("dtype", DTYPES)
def test_large_arrays_are_summarised_as_in_torch(shape, dtype):
    array = np.random.default_rng(0).integers(0, 100, shape).astype(dtype)
    array = array / 7 if np.dtype(dtype).kind in "fc" else array
    assert printing.tensor_str(array) == repr(torch.from_numpy(array))


@pytest.mark.parametrize("default", ["float32", "float64", "float16"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (2,), (0,)])
def test_the_dtype_is_told_unless_it_goes_without_saying(default, dtype, shape):
    array = np.ones(shape, dtype)
    before = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, default))
    try:
        assert printing.tensor_str(array, default_dtype=default) == repr(torch.from_numpy(array))
    finally:
        torch.set_default_dtype(before)
