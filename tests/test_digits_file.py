"""The digits in the wheel are the 1,797 of the UCI test part, whole, unchanged and small."""

import hashlib
from importlib.resources import files

import numpy as np
import pytest

from tinygrad_pt.datasets.digits_file import read_digits

SHA256 = "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"
HERE = files("tinygrad_pt.datasets")


def test_shapes_and_dtypes():
    images, labels = read_digits()
    assert (images.shape, images.dtype) == ((1797, 8, 8), np.uint8)
    assert (labels.shape, labels.dtype) == ((1797,), np.uint8)


def test_values_span_the_documented_range():
    images, labels = read_digits()
    assert (images.min(), images.max()) == (0, 16)
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_arrays_are_those_of_the_source():
    images, labels = read_digits()
    assert hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest() == SHA256


def test_a_caller_may_change_what_it_got():
    images, labels = read_digits()
    images[:], labels[:] = 0, 0
    again, labels_again = read_digits()
    assert again.any() and labels_again.any()


def test_the_file_is_small_and_holds_nothing_else():
    assert len(HERE.joinpath("digits.npz").read_bytes()) <= 48 * 1024
    with HERE.joinpath("digits.npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        assert sorted(arrays) == ["images", "labels"]


@pytest.mark.parametrize("fact", ["UCI Machine Learning", "Alpaydin", "Kaynak", "1998", "CC BY 4.0", SHA256])
def test_the_note_beside_it_states_source_licence_and_checksum(fact):
    assert fact in HERE.joinpath("digits.md").read_text(encoding="utf-8")
