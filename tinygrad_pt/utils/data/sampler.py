"""Samplers: the order and the batches in which a loader takes the samples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Sized
from itertools import islice
from typing import Generic, TypeVar

from tinygrad_pt import dtypes
from tinygrad_pt import functions as F
from tinygrad_pt.errors import refuse
from tinygrad_pt.random import Generator, default_generator
from tinygrad_pt.tensor import Tensor

__all__ = [
    "BatchSampler", "RandomSampler", "Sampler", "SequentialSampler", "SubsetRandomSampler", "WeightedRandomSampler",
]  # fmt: skip

T_co = TypeVar("T_co", covariant=True)
DRAW = 32  # the number of indices that PyTorch draws at a time with replacement


class Sampler(Generic[T_co]):
    """Gives indices (or lists of them) by `__iter__`; most know their number by `__len__`."""

    def __iter__(self) -> Iterator[T_co]:
        raise refuse(NotImplementedError, "Subclasses of Sampler should implement __iter__.")


class SequentialSampler(Sampler[int]):
    """0, 1, 2, …, in order."""

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """All indices in random order, or with `replacement` `num_samples` independent ones.

    Without a `generator`, every pass draws one integer from the default stream and seeds a stream of its own
    with it: the order is PyTorch's for the same seed. More than len(data_source) samples without replacement
    are several random orders in a row. Raises TypeError or ValueError for invalid options.

    >>> _ = torch.manual_seed(0); list(RandomSampler(range(5)))
    [1, 3, 4, 2, 0]
    """

    def __init__(
        self, data_source: Sized, replacement: bool = False, num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:  # fmt: skip
        self.data_source, self.replacement, self.generator = data_source, replacement, generator
        self._num_samples = num_samples
        if not isinstance(replacement, bool):
            raise refuse(TypeError, f"replacement should be a boolean value, but got replacement={replacement}")
        n = self.num_samples
        if not isinstance(n, int) or n <= 0:
            raise refuse(ValueError, f"num_samples should be a positive integer value, but got num_samples={n}")

    @property
    def num_samples(self) -> int:
        """The number of indices of one pass; by default the current number of samples."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        n, wanted, generator = len(self.data_source), self.num_samples, self.generator
        if generator is None:
            generator = Generator().manual_seed(default_generator.random_int64())
        while wanted > 0:
            if self.replacement:
                drawn = generator.integers(0, n, (min(wanted, DRAW),)).tolist()
            else:
                drawn = generator.permutation(n).tolist()[:wanted]
            yield from drawn
            wanted -= len(drawn)
        if generator is self.generator and not self.replacement and self.num_samples % n == 0:
            generator.permutation(n)  # PyTorch draws one more order and does not use it

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """The given indices in random order."""

    def __init__(self, indices: Sequence[int], generator: Generator | None = None) -> None:
        self.indices, self.generator = indices, generator

    def __iter__(self) -> Iterator[int]:
        generator = default_generator if self.generator is None else self.generator
        for i in generator.permutation(len(self.indices)).tolist():
            yield self.indices[i]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """`num_samples` of the indices 0 … len(weights)-1, drawn in proportion to their weights.

    Raises ValueError unless `weights` has one dimension and `num_samples` is a positive integer.
    """

    def __init__(
        self, weights: Tensor | Sequence[float], num_samples: int, replacement: bool = True,
        generator: Generator | None = None,
    ) -> None:  # fmt: skip
        n = num_samples
        if not isinstance(n, int) or isinstance(n, bool) or n <= 0:
            raise refuse(ValueError, f"num_samples should be a positive integer value, but got num_samples={n}")
        if not isinstance(replacement, bool):
            raise refuse(ValueError, f"replacement should be a boolean value, but got replacement={replacement}")
        self.weights: Tensor = F.as_tensor(weights, dtype=dtypes.float64)
        if self.weights.ndim != 1:
            shape = tuple(self.weights.shape)
            raise refuse(ValueError, f"weights should be a 1d sequence but given weights have shape {shape}")
        self.num_samples, self.replacement, self.generator = num_samples, replacement, generator

    def __iter__(self) -> Iterator[int]:
        drawn = F.multinomial(self.weights, self.num_samples, self.replacement, generator=self.generator)
        yield from drawn.tolist()

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """Lists of `batch_size` indices of another sampler; the last may be shorter, unless `drop_last`.

    >>> list(BatchSampler(SequentialSampler(range(5)), batch_size=2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool) -> None:
        if not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size <= 0:
            text = f"batch_size should be a positive integer value, but got batch_size={batch_size}"
            raise refuse(ValueError, text)
        if not isinstance(drop_last, bool):
            raise refuse(ValueError, f"drop_last should be a boolean value, but got drop_last={drop_last}")
        self.sampler, self.batch_size, self.drop_last = sampler, batch_size, drop_last

    def __iter__(self) -> Iterator[list[int]]:
        indices = iter(self.sampler)
        while batch := list(islice(indices, self.batch_size)):
            if len(batch) < self.batch_size and self.drop_last:
                return
            yield batch

    def __len__(self) -> int:
        n = len(self.sampler)  # type: ignore[arg-type]
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)
