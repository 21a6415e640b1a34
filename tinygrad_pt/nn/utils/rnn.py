"""Sequences of different lengths: padded to one tensor, or packed, step by step, without the padding."""

# fmt: off
from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from tinygrad_pt import dtypes, names, ops
from tinygrad_pt import functions as F
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import broadcast_text, refuse
from tinygrad_pt.functions.arguments import expect_tensor, scalar_array
from tinygrad_pt.tensor import Tensor

__all__ = [
    "PackedSequence", "invert_permutation", "pack_padded_sequence", "pack_sequence", "pad_packed_sequence",
    "pad_sequence", "unpack_sequence", "unpad_sequence",
]

P = TypeVar("P", bound="PackedSequence")


class PackedSequence_(NamedTuple):  # noqa: N801 - PyTorch's name
    """The fields of a packed sequence."""

    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(PackedSequence_):
    """The elements of several sequences, sorted by length: all first ones, all second ones, and so on.

    `batch_sizes` counts, for each step, the sequences that are that long. `sorted_indices` has sorted the batch, and
    `unsorted_indices` undoes it. `pack_sequence` and `pack_padded_sequence` make packed sequences.

    >>> pack_sequence([torch.tensor([1, 2, 3]), torch.tensor([4])]).data
    tensor([1, 4, 2, 3])
    """

    __slots__ = ()
    __module__ = "torch.nn.utils.rnn"

    def __new__(
        cls: type[P], data: Any, batch_sizes: Tensor | None = None, sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> P:
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        if batch_sizes is None:  # PackedSequence((data, batch_sizes))
            if not isinstance(data, (list, tuple)) or len(data) != 2:
                mend = "make it with pack_sequence or pack_padded_sequence"
                raise refuse(AssertionError, "Expected data to be a list or tuple of length 2", mend=mend)
            data, batch_sizes = data
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self: P, *args: Any, **kwargs: Any) -> P:
        """The same, with `data` in another dtype; itself if nothing changes."""
        data = self.data.to(*args, **kwargs)
        if data is self.data:
            return self
        return type(self)(data, self.batch_sizes, self.sorted_indices, self.unsorted_indices)

    def _as(kind: dtypes.dtype) -> Callable[[P], P]:  # type: ignore[misc]
        def convert(self: P) -> P:
            return self.to(kind)

        convert.__doc__ = f"The same, with `data` in {kind}."
        return convert

    double, float, half = _as(dtypes.float64), _as(dtypes.float32), _as(dtypes.float16)
    long, int, short = _as(dtypes.int64), _as(dtypes.int32), _as(dtypes.int16)
    char, byte = _as(dtypes.int8), _as(dtypes.uint8)
    del _as

    def cpu(self: P, *args: Any, **kwargs: Any) -> P:
        """Itself: there is only the CPU."""
        return self.to(*args, **kwargs) if args or kwargs else self

    def cuda(self: P, *args: Any, **kwargs: Any) -> P:
        """Refused: there is no other device."""
        return self.to(*args, **{"device": "cuda"} | kwargs)

    def pin_memory(self: P) -> P:
        """Itself: pages are pinned for devices, of which there are none."""
        return self

    @property
    def is_cuda(self) -> bool:
        """False."""
        return False

    def is_pinned(self) -> bool:
        """False."""
        return False


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The permutation that undoes this one; None for None.

    >>> invert_permutation(torch.tensor([2, 0, 1]))
    tensor([1, 2, 0])
    """
    if permutation is None:
        return None
    i = expect_tensor(permutation, "invert_permutation", "permutation").array
    found = np.empty_like(i)
    found[i] = np.arange(i.size)
    return wrap(found)


UNSORTED = (
    "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can pass "
    "`enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to sidestep this requirement if you do not "
    "need ONNX exportability."
)


def pack_padded_sequence(
    input: Tensor, lengths: Tensor | Sequence[int], batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Packs padded sequences, (T, B, *) or (with `batch_first`) (B, T, *), of these lengths.

    With `enforce_sorted` the lengths must not increase; without, the sequences are sorted, and a recurrent layer takes
    initial states, and gives final ones, in the order of the user. Raises RuntimeError for lengths that are not
    positive, not sorted, or not one per sequence.

    >>> pack_padded_sequence(torch.tensor([[1, 3], [2, 0]]), [2, 1])
    PackedSequence(data=tensor([1, 3, 2]), batch_sizes=tensor([2, 1]), sorted_indices=None, unsorted_indices=None)
    """
    name = "pack_padded_sequence"
    counts = lengths if isinstance(lengths, Tensor) else F.as_tensor(lengths, dtype=dtypes.int64)
    n = counts.array.astype(np.int64)
    expect_tensor(input, "_pack_padded_sequence")
    if not enforce_sorted:
        order = np.argsort(-n, kind="stable") if n.ndim == 1 else np.argsort(-n, -1, kind="stable")
        n, sorted_indices = np.take_along_axis(n, order, -1), wrap(order)
        input = F.index_select(input, 0 if batch_first else 1, sorted_indices)
    else:
        sorted_indices = None
    if n.ndim != 1:
        text = f"'lengths' argument should be a 1D CPU int64 tensor, but got {n.ndim}D cpu Long tensor"
        raise refuse(RuntimeError, text, name, input, counts)
    x = F.transpose(input, 0, 1) if batch_first else input
    if not x.array.size:
        raise refuse(RuntimeError, "Cannot pack empty tensors.", name, input)
    if x.array.ndim < 2:
        text = "Dimension out of range (expected to be in range of [-1, 0], but got 1)"
        raise refuse(IndexError, text, name, input, mend="give one axis of steps and one of sequences")
    batch = x.array.shape[1]
    if n.size != batch:
        text = f"Expected `len(lengths)` to be equal to batch_size, but got {n.size} (batch_size={batch})"
        raise refuse(RuntimeError, text, name, input, counts)
    if n.min() <= 0:
        text = "Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0"
        raise refuse(RuntimeError, text, name, input, counts, mend="leave out the sequences without elements")
    if (np.diff(n) > 0).any():
        raise refuse(RuntimeError, UNSORTED, name, input, counts)
    steps = int(n[0])
    if steps > x.array.shape[0]:
        text = f"Expected lengths of at most {x.array.shape[0]}, but got {steps}"
        raise refuse(RuntimeError, text, name, input, counts, mend="a sequence is no longer than its padded form")
    there = np.arange(steps)[:, None] < n
    step, sequence = np.nonzero(there)
    data = ops.getitem(x, index=(step, sequence))
    return PackedSequence(data, wrap(np.count_nonzero(there, 1).astype(np.int64)), sorted_indices, None)


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Tensor, Tensor]:
    """The inverse of packing: the padded sequences, (T, B, *) or (B, T, *), and their lengths, in the order they had.

    Raises ValueError if `total_length`, to which they are padded, is less than the longest.

    >>> pad_packed_sequence(pack_sequence([torch.tensor([1, 2]), torch.tensor([3])]), batch_first=True)
    (tensor([[1, 2],
            [3, 0]]), tensor([2, 1]))
    """
    name = "pad_packed_sequence"
    if not isinstance(sequence, PackedSequence):
        text = f"'{type(sequence).__name__}' object has no attribute 'batch_sizes'"
        raise refuse(AttributeError, text, name, sequence, mend="give what pack_sequence has made")
    data, sizes = sequence.data, sequence.batch_sizes.array
    steps, batch = len(sizes), int(sizes[0])
    if total_length is not None and total_length < steps:
        text = (
            "Expected total_length to be at least the length of the longest sequence in input, but got "
            f"total_length={total_length} and max sequence length being {steps}"
        )
        raise refuse(ValueError, text, name, data)
    height = steps if total_length is None else total_length
    there = np.arange(batch) < sizes[:, None]
    step, place = np.nonzero(there)
    x = data.array
    fill = scalar_array(padding_value, data.dtype, name)
    padded = wrap(np.full((height, batch, *x.shape[1:]), fill, x.dtype))
    padded = ops.index_put(padded, data, index=(step, place))
    if batch_first:
        padded = F.transpose(padded, 0, 1)
    lengths = wrap(np.count_nonzero(there, 0).astype(np.int64))
    back = sequence.unsorted_indices
    if back is not None:
        padded, lengths = F.index_select(padded, 0 if batch_first else 1, back), F.index_select(lengths, 0, back)
    return padded, lengths


def pad_sequence(
    sequences: Tensor | Iterable[Tensor], batch_first: bool = False, padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """Sequences of different lengths, (Lᵢ, *), as one tensor (T, B, *) or (B, T, *), filled up with `padding_value`.

    Raises RuntimeError for no sequences, for another side than left and right, and for other axes that differ.

    >>> pad_sequence([torch.tensor([1, 2]), torch.tensor([3])], batch_first=True, padding_side="left")
    tensor([[1, 2],
            [0, 3]])
    """
    name = "pad_sequence"
    if not isinstance(sequences, Iterable):
        text = f"pad_sequence: Expected iterable for input sequences, but got arg of type: {type(sequences)}"
        raise refuse(RuntimeError, text, name, sequences)
    found = tuple(sequences)
    for i, s in enumerate(found):
        if not isinstance(s, Tensor):
            text = f"expected Tensor as element {i} in argument 0, but got {type(s).__name__}"
            raise refuse(TypeError, text, name, *found)
    if not found:
        raise refuse(RuntimeError, "received an empty list of sequences", name)
    if padding_side not in ("left", "right"):
        text = f"Expected padding_side to be one of left or right, but got {padding_side}."
        raise refuse(RuntimeError, text, name, *found)
    first = found[0]
    if not first.array.ndim:
        raise refuse(RuntimeError, "ArrayRef: invalid slice, N = 1; size = 0", name, *found, mend="stack them")
    height = max(s.array.shape[0] if s.array.ndim else 1 for s in found)
    kind, rest = first.array.dtype, first.array.shape[1:]
    fill = scalar_array(padding_value, first.dtype, name).item()
    columns = []
    for s in found:
        x = s if s.array.dtype == kind else ops.cast(s, dtype=kind)
        n = s.array.shape[0] if s.array.ndim else 1
        if s.array.shape[1:] != rest:
            if text := broadcast_text((n, *rest), s.array.shape):
                raise refuse(RuntimeError, text, name, *found, mend="all axes but the first must be the same")
            x = ops.expand(x, shape=(n, *rest))
        side = (height - n, 0) if padding_side == "left" else (0, height - n)
        columns.append(ops.pad(x, widths=(side, *((0, 0) for _ in rest)), value=fill) if n < height else x)
    return ops.stack(*columns, axis=0 if batch_first else 1)


def unpad_sequence(padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False) -> list[Tensor]:
    """The sequences of these lengths in a padded tensor, (T, B, *) or (B, T, *), as a list.

    >>> unpad_sequence(torch.tensor([[1, 2], [3, 0]]), torch.tensor([2, 1]), batch_first=True)
    [tensor([1, 2]), tensor([3])]
    """
    name = "unpad_sequence"
    x, n = expect_tensor(padded_sequences, name, "padded_sequences"), expect_tensor(lengths, name, "lengths", 2).array
    x = x if batch_first else F.transpose(x, 0, 1)
    if n.size != x.array.shape[0]:
        word = "shorter" if n.size < x.array.shape[0] else "longer"
        raise refuse(ValueError, f"zip() argument 2 is {word} than argument 1", name, x, lengths)
    places = np.arange(x.array.shape[1])
    return [ops.getitem(x[i], index=(np.flatnonzero(places < k),)) for i, k in enumerate(n)]


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Packs a list of sequences (Lᵢ, *); see `pack_padded_sequence`.

    >>> pack_sequence([torch.tensor([1, 2]), torch.tensor([3])]).batch_sizes
    tensor([2, 1])
    """
    lengths = F.as_tensor([len(s) for s in sequences])
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The sequences that were packed, as a list, in the order they had.

    >>> unpack_sequence(pack_sequence([torch.tensor([1, 2]), torch.tensor([3])]))
    [tensor([1, 2]), tensor([3])]
    """
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)

if not TYPE_CHECKING:  # a name that is not here says so
    __getattr__ = names.namespace("nn.utils.rnn")
