"""Data sets: samples by number or in a stream, and ways to join and split them."""

from __future__ import annotations

import bisect
import math
import warnings
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.creation import fresh
from tinygrad_pt.random import Generator, default_generator
from tinygrad_pt.tensor import Tensor

__all__ = ["ChainDataset", "ConcatDataset", "Dataset", "IterableDataset", "Subset", "TensorDataset", "random_split"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Samples(Protocol[T_co]):
    """Anything that has samples by number: a data set, a list, a range."""

    def __getitem__(self, index: int, /) -> T_co: ...

    def __len__(self) -> int: ...


class Dataset(Generic[T_co]):
    """Samples by number: a subclass defines `__getitem__(index)` and, for most samplers, `__len__()`.

    If it defines `__getitems__(indices)` too, a loader calls it once for all samples of a batch.
    """

    def __getitem__(self, index: Any) -> T_co:
        raise refuse(NotImplementedError, "Subclasses of Dataset should implement __getitem__.")

    def __add__(self, other: Dataset[T]) -> ConcatDataset[T_co | T]:
        return ConcatDataset([self, other])

    def _gathered(self, indices: Sequence[int]) -> list[Tensor] | None:
        """The batch of these samples, read at once; None if they must be read one by one and collated."""
        return None


class IterableDataset(Dataset[T_co]):
    """Samples in a stream: a subclass defines `__iter__()`."""

    def __iter__(self) -> Iterator[T_co]:
        raise refuse(NotImplementedError, "Subclasses of IterableDataset should implement __iter__.")

    def __add__(self, other: Dataset[T]) -> ChainDataset[T_co | T]:  # type: ignore[override]  # a stream has no numbers
        return ChainDataset([self, other])


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """Rows of tensors: sample i is `(a[i], b[i], …)` for tensors a, b, … of the same first size.

    Raises AssertionError if the first sizes differ.

    >>> TensorDataset(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([0, 1]))[1]
    (tensor([3., 4.]), tensor(1))
    """

    def __init__(self, *tensors: Tensor) -> None:
        if any(tensors[0].size(0) != t.size(0) for t in tensors):
            raise refuse(AssertionError, "Size mismatch between tensors")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(t[index] for t in self.tensors)

    def __len__(self) -> int:
        return int(self.tensors[0].size(0))

    def _gathered(self, indices: Sequence[int]) -> list[Tensor] | None:
        own = type(self).__getitem__ is TensorDataset.__getitem__ and not hasattr(self, "__getitems__")
        return rows(self.tensors, indices) if own else None


def rows(tensors: Sequence[Tensor], indices: Sequence[int]) -> list[Tensor] | None:
    """The rows `indices` of every tensor; None unless the tensors are plain data and the indices integers."""
    where = np.asarray(indices)
    if where.dtype.kind != "i" or where.ndim != 1 or any(t.node is not None for t in tensors):
        return None
    try:
        return [fresh(t.array[where]) for t in tensors]
    except IndexError:
        return None  # reading the sample itself gives a clearer error


class ConcatDataset(Dataset[T_co]):
    """The samples of several data sets, one after the other."""

    def __init__(self, datasets: Iterable[Samples[T_co] | Dataset[T_co]]) -> None:
        self.datasets: list[Any] = list(datasets)
        if not self.datasets:
            raise refuse(AssertionError, "datasets should not be an empty iterable")
        if any(isinstance(d, IterableDataset) for d in self.datasets):
            raise refuse(AssertionError, "ConcatDataset does not support IterableDataset")
        self.cumulative_sizes = list(accumulate(map(len, self.datasets)))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, index: int) -> T_co:
        if index < 0:
            if -index > len(self):
                raise refuse(ValueError, "absolute value of index should not exceed dataset length")
            index += len(self)
        which = bisect.bisect_right(self.cumulative_sizes, index)
        if which == len(self.datasets):
            raise refuse(IndexError, f"index {index} is out of range for {len(self)} samples")
        return self.datasets[which][index - (self.cumulative_sizes[which - 1] if which else 0)]


class ChainDataset(IterableDataset[T_co]):
    """The samples of several streams, one after the other."""

    def __init__(self, datasets: Iterable[Dataset[T_co]]) -> None:
        self.datasets: Iterable[Any] = datasets

    def __iter__(self) -> Iterator[T_co]:
        for d in self.datasets:
            if not isinstance(d, IterableDataset):
                raise refuse(AssertionError, "ChainDataset only supports IterableDataset")
            yield from d

    def __len__(self) -> int:
        return sum(len(d) for d in self.datasets)


class Subset(Dataset[T_co]):
    """The samples of `dataset` at `indices`, in that order."""

    def __init__(self, dataset: Samples[T_co] | Dataset[T_co], indices: Sequence[int]) -> None:
        self.dataset: Any = dataset
        self.indices = indices
        kind = type(self)
        if kind.__getitem__ is not Subset.__getitem__ and kind.__getitems__ is Subset.__getitems__:
            text = f"{kind.__name__} overrides __getitem__ but not __getitems__. When a subclass of Subset "
            text += "overrides the one, a loader needs the other too, e.g. return [self[i] for i in indices]."
            raise refuse(NotImplementedError, text)

    def __getitem__(self, index: Any) -> T_co:
        if isinstance(index, list):
            return self.dataset[[self.indices[i] for i in index]]
        return self.dataset[self.indices[index]]

    def __getitems__(self, indices: Sequence[int]) -> list[T_co]:
        chosen = [self.indices[i] for i in indices]
        if callable(getattr(self.dataset, "__getitems__", None)):
            return list(self.dataset.__getitems__(chosen))
        return [self.dataset[i] for i in chosen]

    def __len__(self) -> int:
        return len(self.indices)

    def _gathered(self, indices: Sequence[int]) -> list[Tensor] | None:
        own = type(self).__getitem__ is Subset.__getitem__ and type(self).__getitems__ is Subset.__getitems__
        gathered = getattr(self.dataset, "_gathered", None) if own else None
        try:
            return None if gathered is None else gathered([self.indices[i] for i in indices])
        except (IndexError, TypeError):
            return None


def random_split(
    dataset: Samples[T] | Dataset[T], lengths: Sequence[float], generator: Generator | None = None
) -> list[Subset[T]]:
    """Parts of a data set, drawn at random without overlap, of given lengths or fractions (that sum to 1).

    With fractions, each part gets its share rounded down, and the samples left over go one by one to the first parts.
    The parts are PyTorch's for the same seed. Raises ValueError if the lengths do not sum to the number of samples.

    >>> from tinygrad_pt.utils.data import random_split
    >>> [len(part) for part in random_split(range(10), [0.75, 0.25])]
    [8, 2]
    """
    n = len(dataset)  # type: ignore[arg-type]  # a data set without a length cannot be split
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1:
        for i, fraction in enumerate(lengths):
            if not 0 <= fraction <= 1:
                raise refuse(ValueError, f"Fraction at index {i} is not between 0 and 1")
        parts = [math.floor(n * fraction) for fraction in lengths]
        for i in range(n - sum(parts)):
            parts[i % len(parts)] += 1
        for i, length in enumerate(parts):
            if length == 0:
                text = f"Length of split at index {i} is 0. This might result in an empty dataset."
                warnings.warn(text, stacklevel=2)
        lengths = parts
    if sum(lengths) != n:
        raise refuse(ValueError, "Sum of input lengths does not equal the length of the input dataset!")
    order = (default_generator if generator is None else generator).permutation(n).tolist()
    ends = list(accumulate(lengths))
    return [Subset(dataset, order[int(b - a) : int(b)]) for a, b in zip(lengths, ends, strict=True)]
