"""The loader: a data set, an order, and batches."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import repeat
from typing import Any, Generic, Never, TypeVar, overload

from tinygrad_pt.errors import refuse
from tinygrad_pt.modes import current
from tinygrad_pt.random import Generator, default_generator
from tinygrad_pt.tensor import Tensor
from tinygrad_pt.utils.data.collate import Array, default_collate, default_convert
from tinygrad_pt.utils.data.dataset import Dataset, IterableDataset, Samples
from tinygrad_pt.utils.data.sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler

__all__ = ["DataLoader", "get_worker_info"]

TYPE_CHECKING = False  # type checkers read it as true anyway; jedi knows no overloads
T_co = TypeVar("T_co", covariant=True)
FIXED = ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers")


def get_worker_info() -> None:
    """None: there are no worker processes."""
    return None


class _Forever(Sampler[None]):
    """The sampler of a stream, whose samples have no indices."""

    def __iter__(self) -> Iterator[None]:
        return repeat(None)


class DataLoader(Generic[T_co]):
    """Batches of a data set, in order or shuffled; iterating over it again starts a new epoch.

    `dataset` has numbered samples, or is an `IterableDataset`. Samples come in the order of `sampler` (by
    default 0, 1, 2, …, or with `shuffle` a new random order each epoch, PyTorch's for the same seed),
    `batch_size` at a time, and `collate_fn` makes them one batch (`default_collate`: tuples become lists of
    tensors). `batch_sampler` gives whole lists of indices instead; `batch_size=None` gives single samples.
    `drop_last` leaves out a last batch that is short. `generator` replaces the default random stream.

    Everything happens in the calling process: with `num_workers` > 0 the batches and their order are the
    same, `worker_init_fn`, `prefetch_factor`, `timeout` and `pin_memory` have no effect, and no process is
    started.

    Raises ValueError for options that exclude one another, TypeError from `len` if the samples cannot be
    counted.

    >>> from tinygrad_pt.utils.data import DataLoader, TensorDataset
    >>> data = TensorDataset(torch.arange(5.0), torch.arange(5))
    >>> for x, y in DataLoader(data, batch_size=2):
    ...     print(x, y)
    tensor([0., 1.]) tensor([0, 1])
    tensor([2., 3.]) tensor([2, 3])
    tensor([4.]) tensor([4])
    """

    _ready = False

    # fmt: off
    @overload  # another collate_fn makes batches of its own kind
    def __init__(
        self: DataLoader[Any], dataset: Any, batch_size: int | None = 1, shuffle: bool | None = None, *args: Any,
        collate_fn: Callable[[Any], Any], **options: Any,
    ) -> None: ...
    @overload
    def __init__(
        self, dataset: Samples[T_co] | Dataset[T_co], batch_size: int | None = 1, shuffle: bool | None = None,
        sampler: Iterable[Any] | None = None, batch_sampler: Iterable[Sequence[Any]] | None = None,
        num_workers: int = 0, collate_fn: None = None, pin_memory: bool = False, drop_last: bool = False,
        timeout: float = 0, worker_init_fn: Callable[[int], None] | None = None, multiprocessing_context: Any = None,
        generator: Generator | None = None, *, prefetch_factor: int | None = None, persistent_workers: bool = False,
        pin_memory_device: str = "", in_order: bool = True,
    ) -> None: ...
    def __init__(  # type: ignore[misc]  # it takes the options of the overloads and no others
        self, dataset: Any, batch_size: int | None = 1, shuffle: bool | None = None,
        sampler: Any = None, batch_sampler: Any = None, num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None, pin_memory: bool = False, drop_last: bool = False,
        timeout: float = 0, worker_init_fn: Callable[[int], None] | None = None, multiprocessing_context: Any = None,
        generator: Generator | None = None, *, prefetch_factor: int | None = None, persistent_workers: bool = False,
        pin_memory_device: str = "", in_order: bool = True,
    ) -> None:
        # fmt: on
        _check_workers(num_workers, timeout, prefetch_factor, persistent_workers, multiprocessing_context)
        stream = isinstance(dataset, IterableDataset)
        if stream:
            _check_stream(shuffle, sampler, batch_sampler)
        if sampler is not None and shuffle:
            raise refuse(ValueError, "sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                others = "batch_size, shuffle, sampler, and drop_last"
                raise refuse(ValueError, f"batch_sampler option is mutually exclusive with {others}")
            batch_size, drop_last = None, False
        elif batch_size is None and drop_last:
            text = "batch_size=None option disables auto-batching and is mutually exclusive with drop_last"
            raise refuse(ValueError, text)
        if sampler is None:
            if stream:
                sampler = _Forever()
            else:
                sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
        if batch_size is not None and batch_sampler is None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        if collate_fn is None:
            collate_fn = default_convert if batch_sampler is None else default_collate
        self.dataset, self.batch_size, self.drop_last = dataset, batch_size, drop_last
        self.sampler, self.batch_sampler, self.generator = sampler, batch_sampler, generator
        self.collate_fn, self.num_workers, self.persistent_workers = collate_fn, num_workers, persistent_workers
        self.prefetch_factor = 2 if num_workers and prefetch_factor is None else prefetch_factor
        self.pin_memory, self.pin_memory_device, self.timeout = pin_memory, pin_memory_device, timeout
        self.worker_init_fn, self.multiprocessing_context = worker_init_fn, multiprocessing_context
        self.in_order = in_order
        self._begun = False
        self._announced: int | None = None
        self._ready = True

    def __setattr__(self, name: str, value: Any) -> None:
        if self._ready and name in FIXED:
            text = f"{name} attribute should not be set after {type(self).__name__} is initialized"
            raise refuse(ValueError, text)
        super().__setattr__(name, value)

    if TYPE_CHECKING:

        @overload
        def __iter__(self: DataLoader[Never]) -> Iterator[Any]: ...  # of samples whose type is not known
        @overload
        def __iter__(self: DataLoader[Array]) -> Iterator[Tensor]: ...
        @overload
        def __iter__(self: DataLoader[tuple[Array, ...]]) -> Iterator[list[Tensor]]: ...
        @overload
        def __iter__(self) -> Iterator[Any]: ...

    def __iter__(self) -> Iterator[list[Tensor]]:  # type: ignore[misc]  # the most frequent type, which jedi reads
        for listener in current().listeners:
            listener.began(self)
        return _Epoch(self)

    def __len__(self) -> int:
        if not isinstance(self.dataset, IterableDataset):
            return len(self.sampler if self.batch_sampler is None else self.batch_sampler)
        self._announced = n = len(self.dataset)  # type: ignore[arg-type]  # TypeError where a stream has no length
        if self.batch_size is None:
            return n
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)


class _Epoch:
    """One pass over the batches. A sample that fails raises, and the pass goes on with the next batch."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        self.loader = loader
        self.batched = loader.batch_sampler is not None
        order: Iterable[Any] = loader.batch_sampler if self.batched else loader.sampler
        self.order, self.length = iter(order), order
        self.samples = iter(loader.dataset) if isinstance(loader.dataset, IterableDataset) else None
        self.ended, self.given, self.announced = False, 0, loader._announced
        if not (loader.persistent_workers and loader._begun):
            # PyTorch draws a seed for its workers here; without this draw, later numbers would differ from PyTorch's
            generator = default_generator if loader.generator is None else loader.generator
            generator.random_int64()
        loader._begun = True

    def __iter__(self) -> _Epoch:
        return self

    def __len__(self) -> int:
        return len(self.length)  # type: ignore[arg-type]

    def __next__(self) -> Any:
        batch = self._batch()
        for listener in current().listeners:
            listener.gave(self.loader, batch)
        return batch

    def _batch(self) -> Any:
        loader = self.loader
        index = next(self.order)
        if self.samples is not None:
            return self._streamed(index)
        dataset = loader.dataset
        if not self.batched:
            return loader.collate_fn(dataset[index])
        if loader.collate_fn is default_collate and hasattr(dataset, "_gathered"):
            batch = dataset._gathered(index)
            if batch is not None:
                return batch
        if getattr(dataset, "__getitems__", None):
            return loader.collate_fn(dataset.__getitems__(index))
        return loader.collate_fn([dataset[i] for i in index])

    def _streamed(self, index: Any) -> Any:
        loader, samples = self.loader, self.samples
        assert samples is not None
        if self.ended:
            raise StopIteration
        if not self.batched:
            batch = next(samples)
        else:
            batch = []
            for _ in index:
                try:
                    batch.append(next(samples))
                except StopIteration:
                    self.ended = True
                    break
            if not batch or (loader.drop_last and len(batch) < len(index)):
                raise StopIteration
        batch = loader.collate_fn(batch)
        self.given += 1
        if self.announced is not None and self.given > self.announced:
            text = f"Length of IterableDataset {loader.dataset} was reported to be {self.announced}"
            text += f"(when accessing len(dataloader)), but {self.given} samples have been fetched. "
            warnings.warn(text, stacklevel=2)
        return batch


def _check_workers(
    num_workers: int, timeout: float, prefetch_factor: int | None, persistent_workers: bool, context: Any
) -> None:
    """Raise ValueError for options of workers that PyTorch refuses."""
    prefetch = "prefetch_factor option could only be specified in multiprocessing."
    prefetch += "let num_workers > 0 to enable multiprocessing, otherwise set prefetch_factor to None."
    process = "multiprocessing_context can only be used with multi-process loading (num_workers > 0)"
    alone, given = num_workers == 0, prefetch_factor is not None
    for wrong, text in (
        (num_workers < 0, "num_workers option should be non-negative; use num_workers=0 to disable multiprocessing."),
        (timeout < 0, "timeout option should be non-negative"),
        (alone and given, prefetch),
        (given and (prefetch_factor or 0) < 0, "prefetch_factor option should be non-negative"),
        (alone and persistent_workers, "persistent_workers option needs num_workers > 0"),
        (alone and context is not None, f"{process}, but got num_workers={num_workers}"),
    ):
        if wrong:
            raise refuse(ValueError, text)


def _check_stream(shuffle: bool | None, sampler: Any, batch_sampler: Any) -> None:
    """Raise ValueError for options that a stream cannot have."""
    for name, value in {"shuffle": shuffle or None, "sampler": sampler, "batch_sampler": batch_sampler}.items():
        if value is not None:
            text = f"DataLoader with IterableDataset: expected unspecified {name} option, but got {name}={value}"
            raise refuse(ValueError, text)
