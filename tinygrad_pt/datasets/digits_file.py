"""The reader of the handwritten digits that the package contains."""

from importlib.resources import files

import numpy as np
from numpy.typing import NDArray


def read_digits() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the 1,797 handwritten digits of 13 writers as `(images, labels)`.

    images: uint8, shape (1797, 8, 8), ink per pixel from 0 (none) to 16 (full).
    labels: uint8, shape (1797,), the digit that was written, 0 to 9.

    Every call reads the file again, so the arrays belong to the caller and may be changed.

    Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning
    Repository, 1998 (CC BY 4.0); `digits.md` beside the file lists the changes.

    >>> images, labels = read_digits()
    >>> images.shape, int(images.max()), int(labels[0])
    ((1797, 8, 8), 16, 0)
    >>> print("\\n".join("".join(".:+#@"[ink // 4] for ink in row) for row in images[0]))
    ..:#+...
    ..##+#:.
    ..#..++.
    .:#..++.
    .:+..++.
    .:+..#:.
    ..#:+#..
    ..:#+...
    """
    with files("tinygrad_pt.datasets").joinpath("digits.npz").open("rb") as file:
        with np.load(file, allow_pickle=False) as arrays:
            return arrays["images"], arrays["labels"]
