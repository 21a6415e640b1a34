"""Functions that turn parameters into one vector and back."""

from __future__ import annotations

from collections.abc import Iterable

from tinygrad_pt import functions as F
from tinygrad_pt.errors import refuse, typename
from tinygrad_pt.modes import no_grad
from tinygrad_pt.nn.utils.clip_grad import listed
from tinygrad_pt.tensor import Tensor

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All parameters laid end to end in one vector, with gradients.

    >>> torch.nn.utils.parameters_to_vector(torch.nn.Linear(3, 2).parameters()).shape
    torch.Size([8])
    """
    return F.cat([F.reshape(p, -1) for p in listed(parameters, "parameters_to_vector")])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """The inverse of `parameters_to_vector`: each parameter takes its part of the vector as its value.

    >>> layer = torch.nn.Linear(1, 1)
    >>> torch.nn.utils.vector_to_parameters(torch.tensor([2.0, 3.0]), layer.parameters()); layer.bias.item()
    3.0
    """
    if not isinstance(vec, Tensor):
        raise refuse(TypeError, f"expected torch.Tensor, but got: {typename(vec)}", "vector_to_parameters", vec)
    start = 0
    with no_grad():
        for p in listed(parameters, "vector_to_parameters"):
            n = p.numel()
            p.data = F.reshape(vec[start : start + n], tuple(p.shape)).data
            start += n
