"""Convolutional networks: the same numbers as PyTorch, and strides and views as if results lay in row-major order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_pt as torch
from tinygrad_pt import nn
from tinygrad_pt.nn import functional as F


def made() -> Any:
    """A result whose memory has the batch as its last axis."""
    torch.manual_seed(0)
    y = torch.relu(nn.Conv2d(2, 3, 3, padding=1)(torch.randn(4, 2, 5, 6)))
    assert not y.array.flags.c_contiguous
    return y


def test_features_of_each_example_are_a_view_without_a_copy() -> None:
    y = made()
    before = y.array
    for flat in (y.view(4, -1), y.view(y.size(0), 3 * 5 * 6), torch.flatten(y, 1), y.reshape(4, -1)):
        assert flat._base is y and np.shares_memory(flat.array, before)
    assert y.array is before


@pytest.mark.parametrize("shape", [(-1,), (12, 30), (4 * 3, 5, 6), (2, 2, 3, 30), (-1, 6)])
def test_any_view_that_pytorch_allows_is_one(shape: tuple[int, ...]) -> None:
    y = made()
    values = np.array(y.array)
    z = y.view(*shape)
    np.testing.assert_array_equal(z.array, values.reshape(shape))
    with torch.no_grad():
        y.mul_(2)
    np.testing.assert_array_equal(z.array, values.reshape(shape) * 2)


def test_strides_are_those_of_row_major_order() -> None:
    assert made().stride() == (90, 30, 6, 1)
    assert made().is_contiguous()
    y = made()
    assert y.contiguous() is y
    part = made()[:, 1]
    assert part.stride() == (90, 6, 1) and not part.is_contiguous()


def test_views_that_stand_follow_when_their_base_is_put_in_order() -> None:
    y = made()
    part, halves = y[:, 1:].permute(0, 2, 3, 1), y.split(2, 1)
    y.view(-1)
    with torch.no_grad():
        y.fill_(7.0)
    assert part.array.min() == 7 and halves[1].array.min() == 7


def test_a_gram_matrix_and_its_gradient() -> None:
    """As in programs about the style of images, which view what a convolution returns."""
    y = made()
    features = y.view(12, 30)
    (features @ features.t()).sum().backward()


def test_a_convolution_of_what_a_view_holds() -> None:
    x = torch.randn(5, 6, 2, 4).permute(3, 2, 0, 1)
    w = torch.randn(3, 2, 3, 3)
    assert torch.allclose(F.conv2d(x, w), F.conv2d(x.contiguous(), w))


def lenet(torch: Any) -> list[str]:
    """The losses of an epoch, as a program prints them."""
    nn = torch.nn
    torch.manual_seed(3)

    class LeNet(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
            self.conv2 = nn.Conv2d(6, 16, 5)
            self.fc1, self.fc2, self.fc3 = nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, 10)

        def forward(self, x: Any) -> Any:
            x = nn.functional.max_pool2d(torch.relu(self.conv1(x)), (2, 2))
            x = nn.functional.max_pool2d(torch.relu(self.conv2(x)), 2)
            x = x.view(-1, x.size(1) * x.size(2) * x.size(3))
            return self.fc3(torch.relu(self.fc2(torch.relu(self.fc1(x)))))

    images, labels = torch.randn(320, 1, 28, 28), torch.randint(0, 10, (320,))
    model, criterion = LeNet(), nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(images, labels), batch_size=32, shuffle=True)
    lines = []
    for step, (x, y) in enumerate(data):
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        lines.append(f"{step} {loss.item():.4f}")
    lines.append(f"{sum(p.abs().sum().item() for p in model.parameters()):.4f}")
    return lines


def test_an_epoch_of_lenet_prints_what_pytorch_prints() -> None:
    assert lenet(torch) == lenet(pytest.importorskip("torch"))


@pytest.mark.parametrize("shape", [(2, 3, 6, 5), (4, 3, 1, 1)], ids=str)
def test_dropout_after_a_convolution_drops_what_pytorch_drops(shape: tuple[int, ...]) -> None:
    found = []
    for m in (pytest.importorskip("torch"), torch):
        m.manual_seed(0)
        y = m.nn.Conv2d(3, 4, 1)(m.rand(*shape)) + 5
        pooled = m.nn.functional.adaptive_avg_pool2d(y, 1)
        seen = [y, m.cat([y, y], 1), pooled, pooled.view(shape[0], -1), y[:, :2], y.permute(0, 2, 3, 1), y.flatten(2)]
        found.append([(m.nn.functional.dropout(x, 0.5) == 0).tolist() for x in seen])
    assert found[0] == found[1]
