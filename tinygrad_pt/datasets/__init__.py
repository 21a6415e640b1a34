"""Small data sets inside the package: the XOR table and handwritten digits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_pt import names
from tinygrad_pt.datasets.digits_file import read_digits
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.creation import fresh, tensor
from tinygrad_pt.random import Generator
from tinygrad_pt.tensor import Tensor
from tinygrad_pt.utils.data.dataset import TensorDataset, rows

__all__ = ["XOR", "Digits", "read_digits"]


class XOR(TensorDataset):
    """The exclusive or: four samples that no single line separates.

    `inputs`: float32, shape (4, 2), the rows 00, 01, 10, 11. `targets`: float32, shape (4, 1): 1 where
    exactly one input is 1. Source: M. Minsky, S. Papert, Perceptrons, 1969.

    >>> data = XOR()
    >>> for x, y in data:
    ...     print(x, y)
    tensor([0., 0.]) tensor([0.])
    tensor([0., 1.]) tensor([1.])
    tensor([1., 0.]) tensor([1.])
    tensor([1., 1.]) tensor([0.])
    """

    tensors: tuple[Tensor, Tensor]
    inputs: Tensor
    targets: Tensor

    def __init__(self) -> None:
        self.inputs = tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
        self.targets = tensor([[0.0], [1.0], [1.0], [0.0]])
        super().__init__(self.inputs, self.targets)


class Digits(TensorDataset):
    """1,797 handwritten digits of 13 writers, 8×8 pixels, in a part to train on and a part held out.

    A fixed shuffle, which draws nothing from the default random stream, puts `split` digits (1,437) into the
    training part and the rest (360) into the other; `train` chooses. Sample i is (`inputs[i]`, `targets[i]`).

    `inputs`: float32, shape (n, 64), or (n, 1, 8, 8) with `flatten=False`, ink from 0 to 1, or as it was
    counted, 0 to 16, with `normalise=False`. `targets`: int64, shape (n,), the digit 0 to 9. `transform` is
    called with the input of a sample, `target_transform` with its target. Raises ValueError unless 0 <= split
    <= 1797.

    Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning
    Repository, 1998 (CC BY 4.0); see `digits.md`.

    >>> train, held_out = Digits(), Digits(train=False)
    >>> len(train), len(held_out), train.inputs.shape
    (1437, 360, torch.Size([1437, 64]))
    >>> image, label = Digits(flatten=False)[0]
    >>> image.shape, image.max(), label.dtype
    (torch.Size([1, 8, 8]), tensor(1.), torch.int64)
    """

    classes = tuple("0123456789")
    tensors: tuple[Tensor, Tensor]
    inputs: Tensor
    targets: Tensor

    def __init__(
        self, train: bool = True, *, split: int = 1437, flatten: bool = True, normalise: bool = True,
        transform: Callable[[Tensor], Any] | None = None, target_transform: Callable[[Tensor], Any] | None = None,
    ) -> None:  # fmt: skip
        images, labels = read_digits()
        if not 0 <= split <= len(labels):
            text = f"split should be between 0 and {len(labels)}, the number of digits, but got split={split}"
            raise refuse(ValueError, text)
        order = Generator().manual_seed(0).permutation(len(labels))
        chosen = order[:split] if train else order[split:]
        pixels = images[chosen].astype(np.float32)
        if normalise:
            pixels /= 16
        self.train, self.transform, self.target_transform = train, transform, target_transform
        self.inputs = fresh(pixels.reshape((-1, 64) if flatten else (-1, 1, 8, 8)))
        self.targets = fresh(labels[chosen].astype(np.int64))
        super().__init__(self.inputs, self.targets)

    def __getitem__(self, index: Any) -> tuple[Tensor, Tensor]:
        image, label = super().__getitem__(index)
        if self.transform is not None:
            image = self.transform(image)
        if self.target_transform is not None:
            label = self.target_transform(label)
        return image, label

    def _gathered(self, indices: Sequence[int]) -> list[Tensor] | None:
        changed = self.transform is not None or self.target_transform is not None
        own = type(self).__getitem__ is Digits.__getitem__ and not hasattr(self, "__getitems__")
        return rows(self.tensors, indices) if own and not changed else None


if not TYPE_CHECKING:  # a name that is not here says so
    __getattr__ = names.namespace("datasets")
