"""Rows of a matrix looked up by number, one by one or combined in bags."""

# fmt: off
from __future__ import annotations

import numpy as np

from tinygrad_pt import functions as F
from tinygrad_pt import ops
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.arguments import expect_tensor
from tinygrad_pt.half import in_float32
from tinygrad_pt.inplace import touched
from tinygrad_pt.nn.functional.check import as_float, as_whole, only_tensors
from tinygrad_pt.ops.embedding import add_rows, take_rows
from tinygrad_pt.tensor import Tensor

__all__ = ["embedding", "embedding_bag"]

LONG, INT = np.dtype(np.int64), np.dtype(np.int32)


def _check_indices(indices: Tensor, op: str) -> None:
    kind = indices.array.dtype
    if kind is not LONG and kind not in (LONG, INT):
        got = "CPUBoolType" if kind.kind == "b" else str(indices.type())
        text = (
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got "
            f"{got} instead (while checking arguments for {op})"
        )
        raise refuse(RuntimeError, text, op, indices, mend="convert the indices: x.long()")


def _own_index(padding_idx: int, rows: int, text: str) -> int:
    """An index that may count from the end, as one of 0 … rows-1."""
    if not -rows <= padding_idx < rows:
        raise refuse(AssertionError, text, None)
    return padding_idx % rows


def _shares(indices: np.ndarray, padding: int | None, by_frequency: bool, dtype: np.dtype) -> Tensor | None:
    """The share of each index in the gradient: 0 for `padding`; 1/n for one that occurs n times, if by frequency."""
    if padding is None and not by_frequency:
        return None
    y = np.asarray(np.ones(indices.shape, dtype))
    if by_frequency:
        _, where, counts = np.unique(indices.reshape(-1), return_inverse=True, return_counts=True)
        y = np.asarray((1 / counts)[where.reshape(indices.shape)], dtype)
    if padding is not None:
        y[indices == padding] = 0
    return wrap(y[..., None])


def _shorten(weight: Tensor, indices: np.ndarray, max_norm: float, norm_type: float) -> None:
    """Rows that are used and longer than `max_norm` are shortened to it, in place and unrecorded."""
    used = np.unique(indices)
    if used.size and not 0 <= used[0] <= used[-1] < len(weight.array):
        raise refuse(IndexError, "index out of range in self", "embedding_renorm_", weight)
    max_norm, norm_type = as_float(max_norm, "embedding", "max_norm"), as_float(norm_type, "embedding", "norm_type")
    rows = weight.array[used].astype(np.float64)
    norms = np.linalg.norm(rows, norm_type, axis=1)
    long = norms > max_norm
    weight.array[used[long]] *= (max_norm / (norms[long] + 1e-7)).astype(weight.array.dtype)[:, None]
    touched(weight)


def embedding(
    input: Tensor, weight: Tensor, padding_idx: int | None = None, max_norm: float | None = None,
    norm_type: float = 2.0, scale_grad_by_freq: bool = False, sparse: bool = False,
) -> Tensor:
    """The rows of `weight` (V, D) that the indices (*) name: (*, D); see `nn.Embedding`.

    The row `padding_idx` gets no gradient. With `max_norm` the rows that are used are shortened to that norm, in place.
    With `scale_grad_by_freq` the gradient of a row is divided by the number of its uses. The gradient is dense, also
    if `sparse`.
    Raises IndexError if an index is outside 0 … V-1.

    >>> torch.nn.functional.embedding(torch.tensor([2, 0]), torch.tensor([[1.0], [2.0], [3.0]]))
    tensor([[3.],
            [1.]])
    """
    if not (isinstance(input, Tensor) and isinstance(weight, Tensor)):
        expect_tensor(weight, "embedding", "weight", 1)
        expect_tensor(input, "embedding", "indices", 2)
    if padding_idx is not None:
        padding_idx = as_whole(padding_idx, "embedding", "padding_idx", 3)
        padding_idx = _own_index(padding_idx, len(weight.array), "Padding_idx must be within num_embeddings")
    if weight.array.ndim != 2:
        mend = "the indices come first: embedding(input, weight)" if weight.array.dtype.kind in "iu" else ""
        raise refuse(RuntimeError, "'weight' must be 2-D", "embedding", input, weight, mend=mend)
    _check_indices(input, "embedding")
    if max_norm is not None:
        _shorten(weight, input.array, max_norm, norm_type)
    if padding_idx is None and not scale_grad_by_freq:
        return take_rows(weight, input)
    share = _shares(input.array, padding_idx, scale_grad_by_freq, weight.array.dtype)
    return take_rows(weight, input, share)


def embedding_bag(
    input: Tensor, weight: Tensor, offsets: Tensor | None = None, max_norm: float | None = None, norm_type: float = 2,
    scale_grad_by_freq: bool = False, mode: str = "mean", sparse: bool = False,
    per_sample_weights: Tensor | None = None, include_last_offset: bool = False, padding_idx: int | None = None,
) -> Tensor:
    """The sum, mean or maximum of the rows in each bag of indices: (B, L) or (L,) with offsets → (B, D).

    Bag i holds the indices from offsets[i] to offsets[i+1]; the last ends with the input, or with
    `include_last_offset` at the last offset. `padding_idx` does not count in a bag; an empty bag is 0.
    `per_sample_weights` multiply the rows of a sum. All else is as in `embedding`; see `nn.EmbeddingBag`.

    >>> w = torch.tensor([[1.0], [2.0], [3.0]])
    >>> torch.nn.functional.embedding_bag(torch.tensor([0, 1, 2]), w, torch.tensor([0, 2]), mode="sum")
    tensor([[3.],
            [3.]])
    """
    only_tensors("embedding_bag", input=input, weight=weight)
    if per_sample_weights is not None:
        expect_tensor(per_sample_weights, "embedding_bag", "per_sample_weights", 7)
    if padding_idx is not None:
        padding_idx = as_whole(padding_idx, "embedding_bag", "padding_idx", 9)
    if weight.array.dtype == LONG and input.array.dtype.kind == "f":
        input, weight = weight, input
    if per_sample_weights is not None and input.array.shape != per_sample_weights.array.shape:
        text = (
            f"embedding_bag: If per_sample_weights ({per_sample_weights.shape}) is not None, then it must have the "
            f"same shape as the input ({input.shape})"
        )
        raise refuse(ValueError, text, "embedding_bag", input)
    if weight.array.ndim != 2:
        text = f"weight has to be a 2D Tensor, but got Tensor of dimension {weight.array.ndim}"
        raise refuse(ValueError, text, "embedding_bag", input, weight)
    indices, starts, stops = _bags(input, offsets, include_last_offset)
    if mode not in ("sum", "mean", "max"):
        raise refuse(ValueError, "mode has to be one of sum, mean or max", "embedding_bag", mode)
    if mode == "max" and (scale_grad_by_freq or sparse):
        what = "scaling the gradient by the frequency" if scale_grad_by_freq else "sparse weights"
        raise refuse(ValueError, f"max mode does not support {what}", "embedding_bag", input)
    if max_norm is not None:
        _shorten(weight, indices, max_norm, norm_type)
    if per_sample_weights is not None and mode != "sum":
        text = (
            "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for mode='sum' (got "
            f"mode='{mode}'). Please open a feature request on GitHub."
        )
        raise refuse(NotImplementedError, text, "embedding_bag", input)
    rows = len(weight.array)
    _check_indices(input, "embedding_bag")
    if weight.array.dtype.kind != "f":
        text = (
            "Expected tensor for argument #1 'weight' to have one of the following scalar types: Half, BFloat16, "
            f"Float, Double; but got {weight.type()} instead (while checking arguments for embedding_bag)"
        )
        raise refuse(RuntimeError, text, "embedding_bag", weight, mend="convert it first: w.float()")
    if per_sample_weights is not None and per_sample_weights.array.dtype != weight.array.dtype:
        text = (
            "Expected tensor for argument #1 'weight' to have the same type as tensor for argument #1 "
            f"'per_sample_weights'; but type {weight.type()} does not equal {per_sample_weights.type()} (while "
            "checking arguments for embedding_bag)"
        )
        raise refuse(RuntimeError, text, "embedding_bag", weight, per_sample_weights)
    if padding_idx is not None and not -rows <= padding_idx < rows:
        text = f"padding_idx must be within the number of embeddings, {-rows} through {rows - 1}, but got {padding_idx}"
        raise refuse(RuntimeError, text, "embedding_bag", input, weight)
    wrong = np.flatnonzero((indices < 0) | (indices >= rows))
    if wrong.size:
        i = int(wrong[0])
        text = f"Index {i} of input takes value {indices[i]} which is not in the valid range [0, {rows})"
        raise refuse(RuntimeError, text, "embedding_bag", input, weight, mend=f"indices are 0 … {rows - 1}")
    weights = None if per_sample_weights is None else F.reshape(per_sample_weights, (-1, 1))
    padding = None if padding_idx is None else padding_idx % rows
    return _combined(weight, indices, starts, stops, mode, weights, padding, scale_grad_by_freq)


def _bags(input: Tensor, offsets: Tensor | None, to_last: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The indices of all bags, and where each bag begins and ends."""
    x = input.array
    if x.ndim == 2:
        if offsets is not None:
            text = (
                "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed length "
                f"sequences. However, found offsets of type {type(offsets)}"
            )
            raise refuse(ValueError, text, "embedding_bag", input, offsets)
        if not x.shape[1]:
            raise refuse(RuntimeError, "step must be nonzero", "embedding_bag", input)
        starts = np.arange(0, x.size, x.shape[1])
        return x.reshape(-1), starts, starts + x.shape[1]
    if x.ndim != 1:
        text = f"input has to be 1D or 2D Tensor, but got Tensor of dimension {x.ndim}"
        raise refuse(ValueError, text, "embedding_bag", input)
    if offsets is None:
        raise refuse(ValueError, "offsets has to be a 1D Tensor but got None", "embedding_bag", input)
    o = expect_tensor(offsets, "embedding_bag", "offsets", 3).array
    if o.ndim != 1:
        raise refuse(ValueError, "offsets has to be a 1D Tensor", "embedding_bag", input, offsets)
    _check_indices(offsets, "embedding_bag")
    if to_last and not o.size:
        text = "include_last_offset: number of offset should be at least 1"
        raise refuse(RuntimeError, text, "embedding_bag", input, offsets)
    text = ""
    if o.size and o[0] != 0:
        text = "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. "
        text += f"However, got {o[0]}"
    elif o.size and o[-1] > x.size:
        text = f"offsets[-1] can not be greater than input's length {x.size} but got offsets[-1] of {o[-1]}"
    elif (o[1:] < o[:-1]).any():
        text = "offsets must not decrease"
    if text:
        raise refuse(RuntimeError, text, "embedding_bag", input, offsets)
    if to_last:
        return x, o[:-1], o[1:]
    return x, o, np.append(o[1:], x.size)


@in_float32
def _combined(
    weight: Tensor, indices: np.ndarray, starts: np.ndarray, stops: np.ndarray, mode: str, weights: Tensor | None,
    padding: int | None, by_frequency: bool,
) -> Tensor:
    """The rows of each bag combined."""
    bag = np.repeat(np.arange(starts.size), stops - starts)
    used = np.arange(bag.size) if padding is None else np.flatnonzero(indices[: bag.size] != padding)
    share = _shares(indices, None, by_frequency, weight.array.dtype)
    share = None if share is None else wrap(share.array[used])
    chosen, bag = wrap(indices[used]), bag[used]
    counts = np.bincount(bag, minlength=starts.size)
    if mode == "max":
        return _largest(weight, chosen.array, counts)
    rows = take_rows(weight, chosen) if share is None else take_rows(weight, chosen, share)
    if weights is not None:
        rows = rows * (weights if used.size == weights.array.size else F.index_select(weights, 0, wrap(used)))
    y = add_rows(rows, wrap(bag), rows=starts.size)
    if mode == "mean":
        y = y / wrap(np.maximum(counts, 1).astype(weight.array.dtype)[:, None])
    return y


def _largest(weight: Tensor, indices: np.ndarray, counts: np.ndarray) -> Tensor:
    """The largest element of each column in each bag: its row is found first, and the gradient goes there alone."""
    width = weight.array.shape[1]
    full = np.flatnonzero(counts)
    where = np.zeros((counts.size, width), np.int64)
    if full.size:
        starts = (np.cumsum(counts) - counts)[full]
        rows = weight.array[indices]
        top = np.maximum.reduceat(rows, starts, axis=0)
        top = np.repeat(top, counts[full], axis=0)
        hit = (rows == top) | np.isnan(rows)
        place = np.where(hit, np.arange(len(rows))[:, None], len(rows))
        where[full] = indices[np.minimum.reduceat(place, starts, axis=0)]
    flat = take_rows(F.reshape(weight, (-1, 1)), wrap(where * width + np.arange(width)))
    y = F.reshape(flat, where.shape)
    return y if full.size == counts.size else ops.where(wrap(counts > 0).unsqueeze(1), y, 0.0)
