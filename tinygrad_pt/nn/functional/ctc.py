"""The loss of connectionist temporal classification: a sequence of labels whose places in the input are not known."""

# fmt: off
from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_pt import functions as F
from tinygrad_pt import ops
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.arguments import no_overload, sizes_from
from tinygrad_pt.graph import Array
from tinygrad_pt.nn.functional.check import spoken
from tinygrad_pt.nn.functional.reduction import REDUCTIONS
from tinygrad_pt.ops.alignment import NEVER, alignments
from tinygrad_pt.ops.embedding import take_rows
from tinygrad_pt.tensor import Tensor

__all__ = ["ctc_loss"]

Lengths = Tensor | tuple[int, ...] | list[int]
SHAPES = "log_probs (T, N, C), targets (N, S) or one row, and N lengths of each: at most T steps, S labels below C"
WIDE = np.dtype(np.float64)


def ctc_loss(
    log_probs: Tensor, targets: Tensor, input_lengths: Lengths, target_lengths: Lengths, blank: int = 0,
    reduction: str = "mean", zero_infinity: bool = False,
) -> Tensor:
    """The mean of -ln P(targets) over all alignments (Graves et al., 2006); see `nn.CTCLoss`.

    As in PyTorch, the gradient takes it that `log_probs` are those of a log_softmax: it is p - P(class | targets) at
    each step, and 0 after the end of an input.

    >>> x = torch.full((3, 1, 2), 0.5).log()
    >>> torch.nn.functional.ctc_loss(x, torch.tensor([[1]]), torch.tensor([3]), torch.tensor([1]))
    tensor(0.2877)
    """
    op = "ctc_loss"
    if reduction not in REDUCTIONS:
        text = f"{reduction} is not a valid value for reduction"
        raise refuse(ValueError, text, op, mend="it is 'mean', 'sum' or 'none'")
    given = (log_probs, targets, input_lengths, target_lengths, blank, REDUCTIONS.index(reduction), zero_infinity)
    if (
        not isinstance(log_probs, Tensor) or not isinstance(targets, Tensor)
        or not isinstance(input_lengths, (Tensor, tuple, list)) or not isinstance(target_lengths, (Tensor, tuple, list))
        or isinstance(blank, bool) or not isinstance(blank, int)
    ):
        raise no_overload(op, *given)
    kind, batched = log_probs.array.dtype, log_probs.array.ndim == 3
    x = log_probs if batched or not log_probs.array.ndim else ops.unsqueeze(log_probs, axis=1)
    steps, wanted = _lengths(input_lengths, "input_lengths"), _lengths(target_lengths, "target_lengths")
    wrong = _wrong(x, targets, steps, wanted, blank)
    if wrong:
        raise refuse(RuntimeError, wrong, op, log_probs, targets, steps, wanted, mend=SHAPES)
    if kind.kind != "f" or kind.itemsize == 2:
        text = f"\"ctc_loss_cpu\" not implemented for '{spoken(x)}'"
        raise refuse(NotImplementedError, text, op, log_probs, targets, mend="convert them first: log_probs.float()")
    labels = _labels(x, targets, wanted, blank)
    # In float32 a sum over many steps leaves few digits to the differences of which the gradient is made.
    loss = ops.cast(_of_alignments(ops.cast(x, dtype=WIDE), labels, steps, wanted, blank, zero_infinity), dtype=kind)
    if not batched:
        loss = F.reshape(loss, ())
    if reduction == "mean":
        return F.mean(loss / wrap(np.maximum(wanted, 1).astype(loss.array.dtype).reshape(loss.array.shape)))
    return F.sum(loss) if reduction == "sum" else loss


def _lengths(lengths: Lengths, name: str) -> Array:
    """Lengths as an array of integers."""
    found = lengths.array if isinstance(lengths, Tensor) else np.array(sizes_from(lengths, "ctc_loss"), np.int64)
    if found.dtype.kind not in "iu":
        raise refuse(RuntimeError, f"{name} must be integral", "ctc_loss", lengths)
    return found.reshape(-1).astype(np.int64)


def _wrong(x: Tensor, targets: Tensor, steps: Array, wanted: Array, blank: int) -> str:
    """PyTorch's sentence about sizes and lengths that do not fit, or ""."""
    checking = "(while checking arguments for ctc_loss_allocate_outputs)"
    a, t = x.array, targets.array
    if not a.size:
        return "log_probs tensor must not be empty"
    if a.ndim != 3:
        text = f"Expected 3-dimensional tensor, but got {a.ndim}-dimensional tensor"
        return f"{text} for argument #1 'log_probs' {checking}"
    time, batch, classes = a.shape
    if not 0 <= blank < classes:
        return "blank must be in label range"
    named = (("input_lengths", steps), ("target_lengths", wanted))
    for name, lengths in named:
        if lengths.size != batch:
            return f"{name} must be of size batch_size"
    for name, lengths in named:
        if (lengths < 0).any():
            return f"Expected {name} to have value at least 0, but got value {lengths[lengths < 0][0]} {checking}"
    size = ""
    if t.ndim == 1 and t.size != wanted.sum():
        size = f"size {wanted.sum()} at dimension 0, but got size {t.size}"
    elif t.ndim == 2 and t.shape[0] != batch:
        size = f"size {batch} at dimension 0, but got size {t.shape[0]}"
    elif t.ndim == 2 and t.shape[1] < wanted.max():
        size = f"size at least {wanted.max()} at dimension 1, but got size {t.shape[1]}"
    if size:
        return f"Expected tensor to have {size} for argument #2 'targets' {checking}"
    if t.ndim not in (1, 2):
        text = f"Expected 1 to 2 dimensions, but got {t.ndim}-dimensional tensor"
        return f"{text} for argument #2 'targets' {checking}"
    if (steps > time).any():
        return f"Expected input_lengths to have value at most {time}, but got value {steps.max()} {checking}"
    return ""


def _labels(x: Tensor, targets: Tensor, wanted: Array, blank: int) -> Array:
    """The labels of each sequence in a row of their own (N, S)."""
    t = targets.array
    longest = int(wanted.max())
    inside = np.arange(longest) < wanted[:, None]
    labels = np.full((wanted.size, longest), blank)
    labels[inside] = (t if t.ndim == 1 else t[:, :longest][inside]).astype(np.int64)
    classes = x.array.shape[2]
    if ((labels < 0) | (labels >= classes)).any():  # PyTorch reads beyond its memory there
        mend = f"they are 0 … {classes - 1}"
        raise refuse(RuntimeError, "targets must be in label range", "ctc_loss", x, targets, mend=mend)
    return labels


def _of_alignments(x: Tensor, labels: Array, steps: Array, wanted: Array, blank: int, zero: bool) -> Tensor:
    """-ln P of each sequence, by the recursion over the steps in which it can stand before, in or after each label."""
    batch, classes = x.array.shape[1:]
    states = 2 * labels.shape[1] + 1  # a blank, and a label and a blank for each label
    path = np.full((batch, states), blank)
    path[:, 1::2] = labels
    skips = np.full((batch, states), NEVER)  # from the label before, if it is another one
    skips[:, 2:][path[:, 2:] != path[:, :-2]] = 0
    rows = np.arange(batch)[:, None]
    time = max(int(steps.max()), 1)
    by_class = F.reshape(ops.permute(ops.narrow(x, axis=0, start=0, length=time), axes=(1, 2, 0)), (-1, time))
    score = ops.permute(take_rows(by_class, wrap(rows * classes + path)), axes=(2, 0, 1))
    alpha = alignments(score, wrap(skips))
    last = np.stack([2 * wanted, np.maximum(2 * wanted - 1, 0)], 1)
    ends = alpha[np.maximum(steps - 1, 0)[:, None], rows, last]
    ends = ends + wrap(np.where(np.arange(2) > 2 * wanted[:, None], NEVER, 0).astype(WIDE))
    loss = -ops.logsumexp(ends, axis=(1,), keepdims=False)
    if not steps.all():
        loss = ops.where(wrap(steps == 0), wrap(np.where(wanted > 0, -NEVER, 0).astype(WIDE)), loss)
    possible = loss.array < -NEVER / 2
    if not possible.all():
        steps = np.where(possible, steps, 0)
        factor = np.where(possible, 1, np.inf)
        loss = ops.where(wrap(possible), loss, 0.0) if zero else loss * wrap(factor)
    return loss + _unit_slope(x, steps)


def _unit_slope(x: Tensor, steps: Array) -> Tensor:
    """0 for each sequence, with the derivative eˣ at each step: that of ln Σ eˣ where the sum is 1."""
    if x.node is None:
        return wrap(np.zeros(steps.shape))
    inside = wrap((np.arange(x.array.shape[0])[:, None, None] < steps[:, None]).astype(WIDE))
    total: Any = F.sum(ops.exp(x) * inside, (0, 2))
    return total - total.detach()
