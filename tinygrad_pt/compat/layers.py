"""Names under `nn.modules` that PyTorch's own files use, and programs import."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import repeat
from typing import TYPE_CHECKING, Any

from tinygrad_pt import names
from tinygrad_pt.nn.linear import Linear

__all__ = ["NonDynamicallyQuantizableLinear"]


class NonDynamicallyQuantizableLinear(Linear):
    """`Linear`, under the name that PyTorch's attention has for it."""


_LinearWithBias = NonDynamicallyQuantizableLinear


def _ntuple(n: int) -> Any:
    return lambda x: tuple(x) if isinstance(x, Iterable) else tuple(repeat(x, n))


_single, _pair, _triple, _quadruple = map(_ntuple, (1, 2, 3, 4))


def _reverse_repeat_tuple(t: Iterable[Any], n: int) -> tuple[Any, ...]:
    return tuple(x for x in reversed(tuple(t)) for _ in range(n))


def _list_with_default(out_size: Any, defaults: list[int]) -> Any:
    if isinstance(out_size, (int, type(None))):
        return out_size
    return [d if v is None else v for v, d in zip(out_size, defaults[-len(out_size) :], strict=True)]


def _addindent(s_: str, numSpaces: int) -> str:
    first, *rest = s_.split("\n")
    return "\n".join([first, *(numSpaces * " " + line for line in rest)])


if not TYPE_CHECKING:  # the bases of families, under the names that PyTorch's files have for them
    __getattr__ = names.namespace(
        "nn.modules",
        {
            "_Loss": "nn.loss:Loss", "_WeightedLoss": "nn.loss:WeightedLoss", "_ConvNd": "nn.conv:Convolution",
            "_BatchNorm": "nn.normalization:BatchNorm", "_InstanceNorm": "nn.normalization:InstanceNorm",
            "_NormBase": "nn.normalization:NormBase",
        },
    )  # fmt: skip
