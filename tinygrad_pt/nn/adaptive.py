"""AdaptiveLogSoftmaxWithLoss: a classifier of very many classes, the rare ones in clusters with smaller layers."""

# fmt: off
from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from tinygrad_pt import functions as F
from tinygrad_pt.errors import refuse
from tinygrad_pt.nn import functional as NF
from tinygrad_pt.nn.container import ModuleList, Sequential
from tinygrad_pt.nn.linear import Device, Dtype, Linear
from tinygrad_pt.nn.module import Module
from tinygrad_pt.tensor import Tensor

__all__ = ["AdaptiveLogSoftmaxWithLoss"]


class _ASMoutput(NamedTuple):
    """What the call of an `AdaptiveLogSoftmaxWithLoss` gives."""

    output: Tensor  # the log-probability of each target
    loss: Tensor


class AdaptiveLogSoftmaxWithLoss(Module):
    """A linear layer and log_softmax over very many classes, by frequency (Grave et al., 2017).

    The classes below the first of the `cutoffs` are in the head, which also says in which cluster a rarer class is;
    each cluster, from one cutoff to the next, has a layer of its own that first makes the input `div_value` times
    smaller than the one before.

    Input (N, in_features) and classes (N,), or (in_features,) and (); the call gives the log-probabilities (N,) of the
    targets, and their loss (). Raises ValueError if the cutoffs are not increasing and below n_classes, RuntimeError
    if sizes do not fit or a target is out of range.

    >>> m, x = torch.nn.AdaptiveLogSoftmaxWithLoss(16, 10, [2, 5]), torch.ones(3, 16)
    >>> m(x, torch.tensor([0, 4, 9])).output.shape, m.log_prob(x).shape
    (torch.Size([3]), torch.Size([3, 10]))
    """

    def __init__(
        self, in_features: int, n_classes: int, cutoffs: Sequence[int], div_value: float = 4.0,
        head_bias: bool = False, device: Device = None, dtype: Dtype = None,
    ) -> None:
        super().__init__()
        cutoffs = list(cutoffs)
        if not cutoffs:
            text = "cutoffs should be a sequence of length larger than 0"
            raise refuse(ValueError, text, "AdaptiveLogSoftmaxWithLoss", n_classes)
        inside = min(cutoffs) > 0 and max(cutoffs) < n_classes and all(int(c) == c for c in cutoffs)
        if not inside or any(a >= b for a, b in pairwise(cutoffs)):
            text = (
                "cutoffs should be a sequence of unique, positive integers sorted in an increasing order, where each "
                "value is between 1 and n_classes-1"
            )
            raise refuse(ValueError, text, "AdaptiveLogSoftmaxWithLoss", n_classes)
        self.in_features, self.n_classes, self.div_value, self.head_bias = in_features, n_classes, div_value, head_bias
        self.cutoffs = [*cutoffs, n_classes]
        self.shortlist_size, self.n_clusters = cutoffs[0], len(cutoffs)
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(in_features, self.head_size, bias=head_bias, device=device, dtype=dtype)
        self.tail = ModuleList()
        for i, (low, high) in enumerate(pairwise(self.cutoffs)):
            width = int(in_features // div_value ** (i + 1))
            self.tail.append(Sequential(
                Linear(in_features, width, bias=False, device=device, dtype=dtype),
                Linear(width, high - low, bias=False, device=device, dtype=dtype),
            ))

    def reset_parameters(self) -> None:
        """Draw new weights."""
        self.head.reset_parameters()
        for layer in self.tail.modules():
            if isinstance(layer, Linear):
                layer.reset_parameters()

    def forward(self, input_: Tensor, target_: Tensor) -> _ASMoutput:
        x, t = input_.array, target_.array
        text = ""
        if t.ndim == 1:
            if x.shape[:1] != t.shape:
                text = "Input and target should have the same size in the batch dimension."
            elif x.ndim != 2:
                text = f"1D target tensor expects 2D input tensors, but found inputs with size {input_.shape}"
        elif t.ndim == 0:
            if x.ndim != 1:
                text = f"0D target tensor expects 1D input tensors, but found inputs with size {input_.shape}"
        else:
            text = "0D or 1D target tensor expected, multi-target not supported"
        if not text and t.size and not ((t >= 0) & (t < self.n_classes)).all():
            text = f"Target values should be in [0, {self.n_classes - 1}], "
            text += f"but values in range [{t.min()}, {t.max()}] were found. "
        if text:
            raise refuse(RuntimeError, text, "AdaptiveLogSoftmaxWithLoss", input_, target_)
        input, t = (input_, t) if t.ndim else (input_.unsqueeze(0), t.reshape(1))
        cluster = np.searchsorted(self.cutoffs, t, side="right")
        rows = np.arange(t.size)
        head = NF.log_softmax(self.head(input), dim=1)
        output = head[rows, np.where(cluster == 0, t, self.shortlist_size + cluster - 1)]
        for i in range(self.n_clusters):
            (here,) = np.nonzero(cluster == i + 1)
            if here.size:
                inner = NF.log_softmax(self.tail[i](input[here]), dim=1)
                inner = inner[np.arange(here.size), t[here] - self.cutoffs[i]]
                output = F.index_add(output, 0, F.from_numpy(here), inner)
        return _ASMoutput(output if target_.ndim else output.squeeze(0), (-output).mean())

    def log_prob(self, input: Tensor) -> Tensor:
        """The log-probabilities of all classes: (N, in_features) gives (N, n_classes)."""
        head: Any = NF.log_softmax(self.head(input), dim=1)
        n = self.shortlist_size
        clusters = (NF.log_softmax(layers(input), dim=1) + head[:, n + i, None] for i, layers in enumerate(self.tail))
        return F.cat([head[:, :n], *clusters], 1)

    def predict(self, input: Tensor) -> Tensor:
        """The most probable class of each row: (N, in_features) gives (N,).

        As in PyTorch, a row whose head prefers one of its own classes to every cluster has that class.
        """
        scores = self.head(input)
        found = F.argmax(scores, dim=1)
        rare = (found >= self.shortlist_size).array
        if rare.any():
            found.array[rare] = F.argmax(self.log_prob(input[rare]), dim=1).array
        return found
