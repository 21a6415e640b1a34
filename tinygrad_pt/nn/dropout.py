"""Dropout: in training, elements or whole channels are zero at random (Srivastava et al., 2014)."""

from __future__ import annotations

from tinygrad_pt.nn import functional as NF
from tinygrad_pt.nn.functional.dropout import check_probability
from tinygrad_pt.nn.module import Module
from tinygrad_pt.tensor import Tensor

__all__ = ["AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "FeatureAlphaDropout"]


class Dropout(Module):
    """In training each element is 0 with probability p, else multiplied by 1/(1-p); else y = x.

    >>> torch.nn.Dropout(0.2).eval()(torch.ones(3))
    tensor([1., 1., 1.])
    """

    _shown = ("p", "inplace")

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        check_probability(p)
        self.p, self.inplace = p, inplace

    def forward(self, input: Tensor) -> Tensor:
        return NF.dropout(input, self.p, self.training, self.inplace)


class Dropout1d(Dropout):
    """Dropout of whole channels of (N, C, L) or (C, L).

    The output has the input's shape and dtype.
    Raises ValueError unless p is a probability, RuntimeError for another number of axes.

    >>> torch.nn.Dropout1d(1.0)(torch.ones(2, 3)).sum()
    tensor(0.)
    """

    def forward(self, input: Tensor) -> Tensor:
        return NF.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(Dropout):
    """Dropout of whole channels of (N, C, H, W) or (C, H, W).

    The output has the input's shape and dtype. Three axes are read as (N, C, L), with PyTorch's warning.
    Raises ValueError unless p is a probability.

    >>> torch.nn.Dropout2d(1.0)(torch.ones(1, 2, 1, 1)).sum()
    tensor(0.)
    """

    def forward(self, input: Tensor) -> Tensor:
        return NF.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(Dropout):
    """Dropout of whole channels of (N, C, D, H, W) or (C, D, H, W).

    The output has the input's shape and dtype. Raises ValueError unless p is a probability.

    >>> torch.nn.Dropout3d(1.0)(torch.ones(1, 2, 1, 1, 1)).sum()
    tensor(0.)
    """

    def forward(self, input: Tensor) -> Tensor:
        return NF.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(Dropout):
    """Dropout for networks of SELU: what is dropped becomes -1.758, and mean 0 and variance 1 remain.

    The output has the input's shape and dtype (Klambauer et al., 2017). Raises ValueError unless p is a probability.

    >>> torch.nn.AlphaDropout(1.0)(torch.ones(3))
    tensor([0., 0., 0.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return NF.alpha_dropout(input, self.p, self.training, self.inplace)


class FeatureAlphaDropout(Dropout):
    """Alpha dropout of whole channels of (N, C, *).

    The output has the input's shape and dtype. Raises ValueError unless p is a probability.

    >>> torch.nn.FeatureAlphaDropout(1.0)(torch.ones(1, 1, 3))
    tensor([[[0., 0., 0.]]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return NF.feature_alpha_dropout(input, self.p, self.training, self.inplace)
