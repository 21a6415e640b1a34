"""The printed form of arrays on its own: PyTorch 2.13's transcripts as golden rows, options, odd arrays."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinygrad_pt import printing
from tinygrad_pt.printing import format_array, format_tensor, printoptions, tensor_str

# What repr(torch.from_numpy(array)) gives.
GOLDEN = [
    (np.float32(1), "tensor(1.)"),
    (np.float32(2.5), "tensor(2.5000)"),
    (np.float32([1, 2.5]), "tensor([1.0000, 2.5000])"),
    (np.float32([-0.0]), "tensor([-0.])"),
    (np.float32([-0.0, 0.25]), "tensor([-0.0000, 0.2500])"),
    (np.float32([1, np.nan, -np.inf]), "tensor([1., nan, -inf])"),
    (np.float32([0.5, np.nan, np.inf]), "tensor([0.5000,    nan,    inf])"),
    (np.float32([np.nan, np.inf]), "tensor([nan, inf])"),
    (np.float32([1e-10, 1]), "tensor([1.0000e-10, 1.0000e+00])"),
    (np.float32([1e5, 1]), "tensor([1.0000e+05, 1.0000e+00])"),
    (np.float32([1e9]), "tensor([1.0000e+09])"),
    (np.float32([1e8]), "tensor([100000000.])"),
    (np.float32([1e-4]), "tensor([1.0000e-04])"),
    (np.float32([9e-5]), "tensor([9.0000e-05])"),
    (np.float32([1, 1000]), "tensor([   1., 1000.])"),
    (np.float32([1, 1001]), "tensor([1.0000e+00, 1.0010e+03])"),
    (np.float32([123456.789]), "tensor([123456.7891])"),
    (np.float32([0, 0]), "tensor([0., 0.])"),
    (np.float32([5e-5, np.nan, 0, -np.inf]), "tensor([5.0000e-05,        nan, 0.0000e+00,       -inf])"),
    (np.float64([0.1, 0.12345678]), "tensor([0.1000, 0.1235], dtype=torch.float64)"),
    (np.float16([0.1, 2]), "tensor([0.1000, 2.0000], dtype=torch.float16)"),
    (np.float64(3), "tensor(3., dtype=torch.float64)"),
    (np.bool([True, False]), "tensor([ True, False])"),
    (np.bool(True), "tensor(True)"),
    (np.int64([[1, -20], [300, 4]]),
     "tensor([[  1, -20],\n"
     "        [300,   4]])"),
    (np.int32([7]), "tensor([7], dtype=torch.int32)"),
    (np.uint8([]), "tensor([], dtype=torch.uint8)"),
    (np.int64([]), "tensor([], dtype=torch.int64)"),
    (np.zeros((2, 0), np.float32), "tensor([], size=(2, 0))"),
    (np.zeros((0, 3), np.float64), "tensor([], size=(0, 3), dtype=torch.float64)"),
    (np.zeros(0, np.float32), "tensor([])"),
    (np.complex64(1 + 2j), "tensor(1.+2.j)"),
    (np.complex64([1.5 - 2j, complex(np.nan, np.inf), -0.0]),
     "tensor([1.5000-2.j,    nan+infj, -0.0000+0.j])"),
    (np.complex128([1e-9 + 1j]), "tensor([1.0000e-09+1.j], dtype=torch.complex128)"),
    (np.arange(24, dtype=np.float32).reshape(2, 3, 4),
     "tensor([[[ 0.,  1.,  2.,  3.],\n"
     "         [ 4.,  5.,  6.,  7.],\n"
     "         [ 8.,  9., 10., 11.]],\n"
     "\n"
     "        [[12., 13., 14., 15.],\n"
     "         [16., 17., 18., 19.],\n"
     "         [20., 21., 22., 23.]]])"),
    (np.arange(30, dtype=np.float32),
     "tensor([ 0.,  1.,  2.,  3.,  4.,  5.,  6.,  7.,  8.,  9., 10., 11., 12., 13.,\n"
     "        14., 15., 16., 17., 18., 19., 20., 21., 22., 23., 24., 25., 26., 27.,\n"
     "        28., 29.])"),
    (np.arange(2000, dtype=np.float32),
     "tensor([0.0000e+00, 1.0000e+00, 2.0000e+00,  ..., 1.9970e+03, 1.9980e+03,\n"
     "        1.9990e+03])"),
    (np.arange(1001), "tensor([   0,    1,    2,  ...,  998,  999, 1000])"),
    (np.ones((1, 1, 1, 2), np.float32), "tensor([[[[1., 1.]]]])"),
    (np.arange(1200).reshape(300, 4),
     "tensor([[   0,    1,    2,    3],\n"
     "        [   4,    5,    6,    7],\n"
     "        [   8,    9,   10,   11],\n"
     "        ...,\n"
     "        [1188, 1189, 1190, 1191],\n"
     "        [1192, 1193, 1194, 1195],\n"
     "        [1196, 1197, 1198, 1199]])"),
    (np.arange(25, dtype=np.float64),
     "tensor([ 0.,  1.,  2.,  3.,  4.,  5.,  6.,  7.,  8.,  9., 10., 11., 12., 13.,\n"
     "        14., 15., 16., 17., 18., 19., 20., 21., 22., 23., 24.],\n"
     "       dtype=torch.float64)"),
    (np.full(17, 0.5),
     "tensor([0.5000, 0.5000, 0.5000, 0.5000, 0.5000, 0.5000, 0.5000, 0.5000, 0.5000,\n"
     "        0.5000, 0.5000, 0.5000, 0.5000, 0.5000, 0.5000, 0.5000, 0.5000],\n"
     "       dtype=torch.float64)"),
]  # fmt: skip

# Options, then the repr of torch.tensor([1e-5, 1, 2.25, 3.5, 5]) and of torch.arange(12).reshape(4, 3).
WITH_OPTIONS = [
    (dict(precision=2),
     "tensor([1.00e-05, 1.00e+00, 2.25e+00, 3.50e+00, 5.00e+00])",
     "tensor([[ 0,  1,  2],\n"
     "        [ 3,  4,  5],\n"
     "        [ 6,  7,  8],\n"
     "        [ 9, 10, 11]])"),
    (dict(profile="short"),
     "tensor([1.00e-05, 1.00e+00, 2.25e+00, 3.50e+00, 5.00e+00])",
     "tensor([[ 0,  1,  2],\n"
     "        [ 3,  4,  5],\n"
     "        [ 6,  7,  8],\n"
     "        [ 9, 10, 11]])"),
    (dict(sci_mode=True),
     "tensor([1.0000e-05, 1.0000e+00, 2.2500e+00, 3.5000e+00, 5.0000e+00])",
     "tensor([[ 0,  1,  2],\n"
     "        [ 3,  4,  5],\n"
     "        [ 6,  7,  8],\n"
     "        [ 9, 10, 11]])"),
    (dict(threshold=3, edgeitems=1),
     "tensor([1.0000e-05,  ..., 5.0000e+00])",
     "tensor([[ 0,  ...,  2],\n"
     "        ...,\n"
     "        [ 9,  ..., 11]])"),
    (dict(edgeitems=0),
     "tensor([1.0000e-05, 1.0000e+00, 2.2500e+00, 3.5000e+00, 5.0000e+00], size=(5,))",
     "tensor([[ 0,  1,  2],\n"
     "        [ 3,  4,  5],\n"
     "        [ 6,  7,  8],\n"
     "        [ 9, 10, 11]], size=(4, 3))"),
    (dict(threshold=3, edgeitems=0),
     "tensor([...], size=(5,))",
     "tensor([...], size=(4, 3))"),
    (dict(linewidth=20),
     "tensor([1.0000e-05,\n"
     "        1.0000e+00,\n"
     "        2.2500e+00,\n"
     "        3.5000e+00,\n"
     "        5.0000e+00])",
     "tensor([[ 0,  1,  2],\n"
     "        [ 3,  4,  5],\n"
     "        [ 6,  7,  8],\n"
     "        [ 9, 10, 11]])"),
    (dict(linewidth=0),
     "tensor([1.0000e-05,\n"
     "        1.0000e+00,\n"
     "        2.2500e+00,\n"
     "        3.5000e+00,\n"
     "        5.0000e+00])",
     "tensor([[ 0,\n"
     "          1,\n"
     "          2],\n"
     "        [ 3,\n"
     "          4,\n"
     "          5],\n"
     "        [ 6,\n"
     "          7,\n"
     "          8],\n"
     "        [ 9,\n"
     "         10,\n"
     "         11]])"),
    (dict(precision=0),
     "tensor([1e-05, 1e+00, 2e+00, 4e+00, 5e+00])",
     "tensor([[ 0,  1,  2],\n"
     "        [ 3,  4,  5],\n"
     "        [ 6,  7,  8],\n"
     "        [ 9, 10, 11]])"),
    (dict(sci_mode=False),
     "tensor([0.0000, 1.0000, 2.2500, 3.5000, 5.0000])",
     "tensor([[ 0,  1,  2],\n"
     "        [ 3,  4,  5],\n"
     "        [ 6,  7,  8],\n"
     "        [ 9, 10, 11]])"),
]  # fmt: skip


@pytest.mark.parametrize(("array", "want"), GOLDEN)
def test_golden_rows(array, want):
    assert tensor_str(array) == want


@pytest.mark.parametrize(("chosen", "floats", "integers"), WITH_OPTIONS)
def test_golden_rows_under_options(chosen, floats, integers):
    before = printing.get_printoptions()
    with printoptions(**chosen):
        assert tensor_str(np.float32([1e-5, 1, 2.25, 3.5, 5])) == floats
        assert tensor_str(np.arange(12).reshape(4, 3)) == integers
    assert printing.get_printoptions() == before


@pytest.mark.parametrize(
    ("array", "extra", "want"),
    [
        (np.float32([1, 2]), ["requires_grad=True"], "tensor([1., 2.], requires_grad=True)"),
        (np.float32(3), ["grad_fn=<SumBackward0>"], "tensor(3., grad_fn=<SumBackward0>)"),
        (
            np.full(9, 0.5),
            ["requires_grad=True"],
            "tensor([0.5000, 0.5000, 0.5000, 0.5000, 0.5000, 0.5000, 0.5000, 0.5000, 0.5000],\n"
            "       dtype=torch.float64, requires_grad=True)",
        ),
        (
            np.exp(np.full((3, 2), 0.5, np.float32)),
            ["grad_fn=<ExpBackward0>"],
            "tensor([[1.6487, 1.6487],\n        [1.6487, 1.6487],\n        [1.6487, 1.6487]], grad_fn=<ExpBackward0>)",
        ),
        (
            np.arange(16, dtype=np.float32),
            ["grad_fn=<MulBackward0>"],
            "tensor([ 0.,  1.,  2.,  3.,  4.,  5.,  6.,  7.,  8.,  9., 10., 11., 12., 13.,\n"
            "        14., 15.], grad_fn=<MulBackward0>)",
        ),
    ],
)
def test_suffixes(array, extra, want):
    assert tensor_str(array, extra=extra) == want


def test_names_and_prefixes():
    assert tensor_str(np.float64([1]), dtype_name="our.double") == "tensor([1.], dtype=our.double)"
    assert tensor_str(np.float64([1]), default_dtype="float64") == "tensor([1.])"
    assert format_tensor([[1], [2]], prefix="Named(") == "Named([[1],\n       [2]])"
    assert format_array([[1], [2]], indent=2) == "[[1],\n   [2]]"


def test_options_survive_an_error_and_accept_their_own_dictionary():
    before = printing.get_printoptions()
    assert set(before) == {"precision", "threshold", "edgeitems", "linewidth", "sci_mode"}
    with pytest.raises(KeyError), printoptions(precision=1):
        assert printing.get_printoptions() == before | {"precision": 1}
        raise KeyError
    assert printing.get_printoptions() == before
    with printoptions(sci_mode=True, threshold=math.inf):
        kept = printing.get_printoptions()
        printing.set_printoptions(precision=7)
        assert printing.get_printoptions() == kept | {"precision": 7, "sci_mode": None}
        printing.set_printoptions(**kept)
        assert printing.get_printoptions() == kept
        printing.set_printoptions(profile="default")
        assert printing.get_printoptions() == before


@pytest.mark.parametrize(
    ("chosen", "error"),
    [
        ({"precision": -1}, ValueError),
        ({"precision": 2.5}, TypeError),
        ({"edgeitems": -1}, ValueError),
        ({"threshold": math.nan}, ValueError),
        ({"profile": "long", "precision": 2}, ValueError),
    ],
)
def test_wrong_options_raise_and_change_nothing(chosen, error):
    before = printing.get_printoptions()
    with pytest.raises(error):
        printing.set_printoptions(**chosen)
    assert printing.get_printoptions() == before


@settings(max_examples=300)
@given(
    hnp.arrays(
        st.one_of(hnp.scalar_dtypes(), hnp.unicode_string_dtypes(), hnp.byte_string_dtypes()),
        hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=7),
    ),
    st.integers(0, 40),
)
def test_any_array_of_any_dtype_prints(array, threshold):
    with printoptions(threshold=threshold, edgeitems=1):
        shown = tensor_str(array)
    assert shown.startswith("tensor(") and shown.endswith(")")


def test_odd_arrays_print():
    odd = [
        np.array([None, "a", {}], object),
        np.array([[object()]]),
        np.zeros(3, "i4,f8"),
        np.longdouble([1.5, np.inf]),
        np.array(["2020-01-01", "NaT"], "datetime64[D]"),
        np.ma.array([1.0, 2.0], mask=[True, False]),
        np.broadcast_to(np.float32(1), (3, 2)),
        np.arange(10.0)[::-2],
        np.arange(4, dtype=">f4"),
        np.ones((1,) * 30),
        np.float64([5e-324, 1.7e308]),
        [[1, 2], [3, 4]],
    ]
    for array in odd:
        assert tensor_str(array).startswith("tensor(")
