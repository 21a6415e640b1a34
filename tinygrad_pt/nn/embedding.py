"""Layers that look up rows of their weight by number."""

# fmt: off
from __future__ import annotations

from typing import Self

from tinygrad_pt import dtypes
from tinygrad_pt import functions as F
from tinygrad_pt.errors import refuse
from tinygrad_pt.modes import no_grad
from tinygrad_pt.nn import functional as NF
from tinygrad_pt.nn import init
from tinygrad_pt.nn.module import Module
from tinygrad_pt.nn.parameter import Parameter
from tinygrad_pt.tensor import Tensor

__all__ = ["Embedding", "EmbeddingBag"]

Device = str | F.device | None
Dtype = dtypes.dtype | None


class Rows(Module):
    """A layer whose weight (num_embeddings, embedding_dim) begins as N(0, 1), with 0 in the row `padding_idx`."""

    weight: Parameter
    num_embeddings: int
    embedding_dim: int
    padding_idx: int | None

    def _make(
        self, rows: int, width: int, padding: int | None, weight: Tensor | None, freeze: bool, word: str,
        device: Device, dtype: Dtype,
    ) -> None:
        self.num_embeddings, self.embedding_dim = rows, width
        if padding is not None:
            if not -rows <= padding < max(rows, 1):
                raise refuse(AssertionError, f"{word} must be within num_embeddings")
            padding = padding + rows if padding < 0 else padding
        self.padding_idx = padding
        if weight is None:
            self.weight = Parameter(F.empty((rows, width), dtype=dtype, device=device), requires_grad=not freeze)
            self.reset_parameters()
        elif tuple(weight.shape) != (rows, width):
            raise refuse(AssertionError, "Shape of weight does not match num_embeddings and embedding_dim")
        else:
            self.weight = Parameter(weight, requires_grad=not freeze)

    def reset_parameters(self) -> None:
        """Draw a new weight."""
        init.normal_(self.weight)
        self._fill_padding_idx_with_zero()

    def _fill_padding_idx_with_zero(self) -> None:
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx].fill_(0)


def _expect_matrix(embeddings: Tensor) -> tuple[int, int]:
    if embeddings.dim() != 2:
        text = "Embeddings parameter is expected to be 2-dimensional"
        raise refuse(AssertionError, text, "from_pretrained", embeddings)
    rows, width = embeddings.shape
    return rows, width


class Embedding(Rows):
    """The rows of the weight (num_embeddings, embedding_dim) that the indices name: a vector for each word.

    Input (*) of integers, output (*, embedding_dim). The weight begins as N(0, 1). The row `padding_idx` begins as 0
    and gets no gradient; `max_norm` shortens rows that are used, in place; `scale_grad_by_freq` divides the gradient of
    a row by the number of its uses. The gradient is dense; `sparse` is accepted.
    Raises IndexError if an index is outside 0 … num_embeddings-1.

    >>> torch.nn.Embedding(10, 3)(torch.tensor([[1, 2], [4, 5]])).shape
    torch.Size([2, 2, 3])
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None, max_norm: float | None = None,
        norm_type: float = 2.0, scale_grad_by_freq: bool = False, sparse: bool = False, _weight: Tensor | None = None,
        _freeze: bool = False, device: Device = None, dtype: Dtype = None,
    ) -> None:
        super().__init__()
        self.max_norm, self.norm_type = max_norm, norm_type
        self.scale_grad_by_freq, self.sparse = scale_grad_by_freq, sparse
        self._make(num_embeddings, embedding_dim, padding_idx, _weight, _freeze, "Padding_idx", device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        return NF.embedding(
            input, self.weight, self.padding_idx, self.max_norm, self.norm_type, self.scale_grad_by_freq, self.sparse
        )

    def extra_repr(self) -> str:
        shown = [str(self.num_embeddings), str(self.embedding_dim)]
        if self.padding_idx is not None:
            shown.append(f"padding_idx={self.padding_idx}")
        if self.max_norm is not None:
            shown.append(f"max_norm={self.max_norm}")
        if self.norm_type != 2:
            shown.append(f"norm_type={self.norm_type}")
        if self.scale_grad_by_freq is not False:
            shown.append(f"scale_grad_by_freq={self.scale_grad_by_freq}")
        if self.sparse is not False:
            shown.append("sparse=True")
        return ", ".join(shown)

    @classmethod
    def from_pretrained(
        cls, embeddings: Tensor, freeze: bool = True, padding_idx: int | None = None, max_norm: float | None = None,
        norm_type: float = 2.0, scale_grad_by_freq: bool = False, sparse: bool = False,
    ) -> Self:
        """A layer whose weight is this matrix, which it shares; with `freeze` it gets no gradient."""
        rows, width = _expect_matrix(embeddings)
        return cls(
            rows, width, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse, _weight=embeddings,
            _freeze=freeze,
        )


class EmbeddingBag(Rows):
    """The sum, mean or maximum of the rows of the weight in each bag of indices.

    Input (B, L), or (L,) with `offsets` (B,), where each bag begins; output (B, embedding_dim). Indices that are
    `padding_idx` do not count, and an empty bag is 0. `per_sample_weights` multiply the rows of a sum.
    Raises RuntimeError if an index is outside 0 … num_embeddings-1, ValueError if the offsets do not fit.

    >>> torch.nn.EmbeddingBag(10, 3)(torch.tensor([1, 2, 4, 5]), torch.tensor([0, 3])).shape
    torch.Size([2, 3])
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, max_norm: float | None = None, norm_type: float = 2.0,
        scale_grad_by_freq: bool = False, mode: str = "mean", sparse: bool = False, _weight: Tensor | None = None,
        include_last_offset: bool = False, padding_idx: int | None = None, device: Device = None, dtype: Dtype = None,
    ) -> None:
        super().__init__()
        self.max_norm, self.norm_type = max_norm, norm_type
        self.scale_grad_by_freq, self.mode, self.sparse = scale_grad_by_freq, mode, sparse
        self.include_last_offset = include_last_offset
        self._make(num_embeddings, embedding_dim, padding_idx, _weight, False, "padding_idx", device, dtype)

    def forward(
        self, input: Tensor, offsets: Tensor | None = None, per_sample_weights: Tensor | None = None
    ) -> Tensor:
        return NF.embedding_bag(
            input, self.weight, offsets, self.max_norm, self.norm_type, self.scale_grad_by_freq, self.mode,
            self.sparse, per_sample_weights, self.include_last_offset, self.padding_idx,
        )

    def extra_repr(self) -> str:
        shown = [str(self.num_embeddings), str(self.embedding_dim)]
        if self.max_norm is not None:
            shown.append(f"max_norm={self.max_norm}")
        if self.norm_type != 2:
            shown.append(f"norm_type={self.norm_type}")
        if self.scale_grad_by_freq is not False:
            shown.append(f"scale_grad_by_freq={self.scale_grad_by_freq}")
        shown.append(f"mode={self.mode!r}")
        if self.padding_idx is not None:
            shown.append(f"padding_idx={self.padding_idx}")
        return ", ".join(shown)

    @classmethod
    def from_pretrained(
        cls, embeddings: Tensor, freeze: bool = True, max_norm: float | None = None, norm_type: float = 2.0,
        scale_grad_by_freq: bool = False, mode: str = "mean", sparse: bool = False, include_last_offset: bool = False,
        padding_idx: int | None = None,
    ) -> Self:
        """A layer whose weight is this matrix, which it shares; with `freeze` it gets no gradient."""
        rows, width = _expect_matrix(embeddings)
        layer = cls(
            rows, width, max_norm, norm_type, scale_grad_by_freq, mode, sparse, _weight=embeddings,
            include_last_offset=include_last_offset, padding_idx=padding_idx,
        )
        layer.weight.requires_grad = not freeze
        return layer
