"""Padding that cuts: no more than is there, whatever is put on the other side."""

import pytest

import tinygrad_pt as torch
from tinygrad_pt.nn import functional


@pytest.mark.parametrize(
    ("shape", "widths"),
    [((2, 0), (1, -1)), ((1,), (-2, 3)), ((1,), (-2, 1)), ((0, 2), (0, 0, 1, -1)), ((2,), (-1, -2)), ((2,), (-3, 4))],
)
def test_what_is_not_there_cannot_be_cut(shape: tuple[int, ...], widths: tuple[int, ...]) -> None:
    with pytest.raises(RuntimeError, match=r"narrow\(\): length must be non-negative"):
        functional.pad(torch.ones(shape), widths)


def test_all_that_is_there_can_be_cut() -> None:
    x = torch.ones(3, requires_grad=True)
    y = functional.pad(x, (2, -3))
    assert y.shape == (2,)
    y.sum().backward()
    assert x.grad.tolist() == [0, 0, 0]
