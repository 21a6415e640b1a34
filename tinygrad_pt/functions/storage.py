"""The memory of a tensor as a row of bytes or of elements: `untyped_storage` and `storage`.

A storage shares what the tensor and its views share: to write into it is to write into them.
"""

from __future__ import annotations

import operator
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np

from tinygrad_pt import dtypes
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.checks import expect_tensor
from tinygrad_pt.functions.creation import CPU, device
from tinygrad_pt.graph import Tensor
from tinygrad_pt.inplace import touched
from tinygrad_pt.views import owner_of

__all__ = ["TypedStorage", "UntypedStorage", "is_storage"]

DEPRECATED = (
    "TypedStorage is deprecated. It will be removed in the future and UntypedStorage will be the only storage class. "
    "This should only matter to you if you are using storages directly.  To access UntypedStorage directly, use "
    "tensor.untyped_storage() instead of tensor.storage()"
)


class _Storage(ABC):
    """What both kinds have in common: a row of numbers, and the tensor that keeps count of what is written."""

    device: device = CPU

    def __init__(self, tensor: Tensor, row: np.ndarray) -> None:
        self._tensor, self._row = tensor, row

    def data_ptr(self) -> int:
        """The address of the first byte."""
        return self._row.ctypes.data

    def nbytes(self) -> int:
        """The number of bytes."""
        return self._row.nbytes

    def element_size(self) -> int:
        """The bytes of an element."""
        return self._row.itemsize

    def size(self) -> int:
        """The number of elements, which are bytes if there is no dtype."""
        return self._row.size

    def tolist(self) -> list[Any]:
        """The elements as Python's numbers."""
        return self._row.tolist()

    def is_shared(self) -> bool:
        """Whether other processes share it: never."""
        return False

    def share_memory_(self) -> _Storage:
        """Itself: there is one process."""
        return self

    def fill_(self, value: Any) -> _Storage:
        """The same number everywhere."""
        self[:] = value
        return self

    def __len__(self) -> int:
        return self._row.size

    def __iter__(self) -> Iterator[Any]:
        return iter(self.tolist())

    def __setitem__(self, index: Any, value: Any) -> None:
        self._row[index] = getattr(value, "_row", value)
        touched(self._tensor)

    def _place(self, index: Any) -> int:
        n = self._row.size
        if not hasattr(index, "__index__"):
            raise refuse(TypeError, f"can't index a {type(self).__name__} with {type(index).__name__}", None)
        i = operator.index(index)
        if not -n <= i < n:
            raise refuse(IndexError, f"index {i} out of range for storage of size {n}", None)
        return i

    def __repr__(self) -> str:
        shown = [f" {x}" for x in self.tolist()]
        if len(shown) > 1000:
            shown = [*shown[:500], "...", *shown[-500:]]
        return "\n".join([*shown, f"[torch.storage.{self._title()} of size {len(self)}]"])

    @abstractmethod
    def _title(self) -> str:
        """What kind of storage it is, as its printed form says it."""

    def _at(self) -> tuple[int, int]:
        return self.data_ptr(), self.nbytes()


class UntypedStorage(_Storage):
    """The memory of a tensor as bytes.

    >>> x = torch.tensor([1, 2]).to(torch.int16)
    >>> s = x[1:].untyped_storage()
    >>> s.nbytes(), s.tolist(), s.data_ptr() == x.data_ptr()
    (4, [1, 0, 2, 0], True)
    """

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return UntypedStorage(self._tensor, self._row[index])
        return int(self._row[self._place(index)])

    def untyped(self) -> UntypedStorage:
        """Itself."""
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UntypedStorage) and self._at() == other._at()

    def __hash__(self) -> int:
        return hash(self._at())

    def _title(self) -> str:
        return "UntypedStorage(device=cpu)"


class TypedStorage(_Storage):
    """The memory of a tensor as a row of elements of its dtype.

    >>> import warnings; warnings.simplefilter("ignore")
    >>> s = torch.arange(4.0).reshape(2, 2)[1].storage()
    >>> len(s), s[1], s.tolist()
    (4, 1.0, [0.0, 1.0, 2.0, 3.0])
    """

    @property
    def dtype(self) -> dtypes.dtype:
        """The type of the elements."""
        return dtypes.of(self._row.dtype)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            text = "slices are only supported in UntypedStorage.__getitem__"
            raise refuse(RuntimeError, text, None, mend="x.flatten()[a:b] is a tensor of these elements")
        return self._row[self._place(index)].item()

    def untyped(self) -> UntypedStorage:
        """The same memory as bytes."""
        return UntypedStorage(self._tensor, self._row.view(np.uint8))

    def _title(self) -> str:
        return f"TypedStorage(dtype={self.dtype}, device=cpu)"


def is_storage(obj: object) -> bool:
    """Whether `obj` is a storage."""
    return isinstance(obj, _Storage)


def _memory(input: Tensor, name: str) -> tuple[Tensor, np.ndarray]:
    """The tensor that others are views of, and all of its memory as one row."""
    x = expect_tensor(input, name).array
    owner = owner_of(x)
    return input, np.ndarray(owner.nbytes // x.itemsize, x.dtype, owner.T if owner.flags.f_contiguous else owner)


def untyped_storage(input: Tensor) -> UntypedStorage:
    """The memory of a tensor, which it shares with its views, as bytes."""
    tensor, row = _memory(input, "untyped_storage")
    return UntypedStorage(tensor, row.view(np.uint8))


@cache
def _warn_once() -> None:
    warnings.warn(DEPRECATED, UserWarning, stacklevel=3)


def storage(input: Tensor) -> TypedStorage:
    """The memory of a tensor, which it shares with its views, as a row of elements."""
    _warn_once()
    return TypedStorage(*_memory(input, "storage"))
