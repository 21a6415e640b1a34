"""Images in other sizes and at other places: interpolation, sampling by a grid, shuffles of pixels and channels."""

# fmt: off
from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_pt import functions as F
from tinygrad_pt import ops
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.checks import not_a, unsupported
from tinygrad_pt.half import in_float32
from tinygrad_pt.nn.functional.check import as_float, as_whole, only_tensors, spoken
from tinygrad_pt.nn.functional.convolution import sizes as as_sizes
from tinygrad_pt.ops.embedding import take_rows
from tinygrad_pt.ops.resampling import pick_along, resample
from tinygrad_pt.tensor import Tensor

__all__ = [
    "affine_grid", "channel_shuffle", "grid_sample", "interpolate", "native_channel_shuffle", "pixel_shuffle",
    "pixel_unshuffle", "upsample", "upsample_bilinear", "upsample_nearest",
]

Size = int | Sequence[int] | None
Factor = float | Sequence[float] | None
Taps = tuple[np.ndarray, np.ndarray]  # for each element of the result, the places and weights of what it adds


# ------------------------------------------------------------------------------------------ pixels and channels
def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """(*, C r², H, W) → (*, C, H r, W r): channels become pixels (Shi et al., 2016); see `nn.PixelShuffle`.

    >>> torch.nn.functional.pixel_shuffle(torch.arange(4.0).reshape(4, 1, 1), 2)
    tensor([[[0., 1.],
             [2., 3.]]])
    """
    only_tensors("pixel_shuffle", input=input)
    x, r = input.array.shape, as_whole(upscale_factor, "pixel_shuffle", "upscale_factor")
    _check_rank("pixel_shuffle", input)
    if r <= 0:
        text = f"pixel_shuffle expects a positive upscale_factor, but got {r}"
        raise refuse(RuntimeError, text, "pixel_shuffle", input)
    if x[-3] % (r * r):
        text = (
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, "
            f"but input.size(-3)={x[-3]} is not divisible by {r * r}"
        )
        raise refuse(RuntimeError, text, "pixel_shuffle", input)
    lead, (c, h, w) = x[:-3], x[-3:]
    n = len(lead)
    y = F.reshape(input, (*lead, c // (r * r), r, r, h, w))
    y = F.permute(y, (*range(n), n, n + 3, n + 1, n + 4, n + 2))
    return F.reshape(y, (*lead, c // (r * r), h * r, w * r))


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """(*, C, H r, W r) → (*, C r², H, W): the inverse of `pixel_shuffle`; see `nn.PixelUnshuffle`.

    >>> torch.nn.functional.pixel_unshuffle(torch.arange(4.0).reshape(1, 2, 2), 2).flatten()
    tensor([0., 1., 2., 3.])
    """
    only_tensors("pixel_unshuffle", input=input)
    x, r = input.array.shape, as_whole(downscale_factor, "pixel_unshuffle", "downscale_factor")
    _check_rank("pixel_unshuffle", input)
    if r <= 0:
        text = f"pixel_unshuffle expects a positive downscale_factor, but got {r}"
        raise refuse(RuntimeError, text, "pixel_unshuffle", input)
    for word, axis in (("height", -2), ("width", -1)):
        if x[axis] % r:
            text = (
                f"pixel_unshuffle expects {word} to be divisible by downscale_factor, but input.size({axis})={x[axis]} "
                f"is not divisible by {r}"
            )
            raise refuse(RuntimeError, text, "pixel_unshuffle", input)
    if not input.array.size:
        return F.clone(input)  # PyTorch leaves an empty input as it is
    lead, (c, h, w) = x[:-3], x[-3:]
    n = len(lead)
    y = F.reshape(input, (*lead, c, h // r, r, w // r, r))
    y = F.permute(y, (*range(n), n, n + 2, n + 4, n + 1, n + 3))
    return F.reshape(y, (*lead, c * r * r, h // r, w // r))


def _check_rank(op: str, input: Tensor) -> None:
    n = input.array.ndim
    if n < 3:
        text = f"{op} expects input to have at least 3 dimensions, but got input with {n} dimension(s)"
        raise refuse(RuntimeError, text, op, input)


def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """(N, g k, *) → the same: channel i k + j of the input becomes channel j g + i; see `nn.ChannelShuffle`.

    >>> torch.nn.functional.channel_shuffle(torch.arange(4.0).reshape(1, 4, 1), 2).flatten()
    tensor([0., 2., 1., 3.])
    """
    only_tensors("channel_shuffle", input=input)
    groups = as_whole(groups, "channel_shuffle", "groups")
    x = input.array.shape
    text = ""
    if len(x) < 3:
        text = f"channel_shuffle expects input with > 2 dims, but got input with sizes {list(x)}"
    elif groups <= 0:
        text = f"Number of groups to divide channels in must be positive. Value of groups:{groups}"
    elif x[1] % groups:
        text = f"Number of channels must be divisible by groups. Got {x[1]} channels and {groups} groups."
    if text:
        raise refuse(RuntimeError, text, "channel_shuffle", input)
    y = F.reshape(input, (x[0], groups, x[1] // groups, *x[2:]))
    return F.reshape(F.transpose(y, 1, 2), x)


native_channel_shuffle = channel_shuffle


# ------------------------------------------------------------------------------------------ interpolation
MODES = "nearest | linear | bilinear | bicubic | trilinear | lanczos | area | nearest-exact"
RANKS = {"linear": 3, "bilinear": 4, "bicubic": 4, "trilinear": 5, "lanczos": 4}
KERNELS = {"nearest": "compute_indices_weights_nearest", "nearest-exact": "compute_indices_weights_nearest"}


def interpolate(
    input: Tensor, size: Size = None, scale_factor: Factor = None, mode: str = "nearest",
    align_corners: bool | None = None, recompute_scale_factor: bool | None = None, antialias: bool = False,
) -> Tensor:
    """The input (N, C, *) at another size of its spatial axes, or at sizes multiplied by `scale_factor`.

    `mode` is "nearest", "nearest-exact", "area", or, by the number of spatial axes, "linear", "bilinear" or "bicubic",
    "trilinear". With `align_corners` the outermost pixels' centres meet, else their outer edges.
    `recompute_scale_factor` takes the factor of the sizes, rounded as they are. `antialias` widens the filter of
    "bilinear" and "bicubic" where an image becomes smaller. See `nn.Upsample`.

    >>> torch.nn.functional.interpolate(torch.tensor([[[1.0, 3.0]]]), scale_factor=2, mode="linear")
    tensor([[[1.0000, 1.5000, 2.5000, 3.0000]]])
    """
    only_tensors("interpolate", input=input)
    if mode in ("nearest", "area", "nearest-exact"):
        if align_corners is not None:
            text = "align_corners option can only be set with the interpolating modes: "
            text += "linear | bilinear | bicubic | trilinear"
            raise refuse(ValueError, text, "interpolate", input)
    shape = input.array.shape[2:]
    sizes, factors = _sizes(input, size, scale_factor)
    if recompute_scale_factor and size is not None:
        text = "recompute_scale_factor is not meaningful with an explicit size."
        raise refuse(ValueError, text, "interpolate", input)
    if recompute_scale_factor or (mode == "area" and sizes is None):
        assert factors is not None
        sizes, factors = [math.floor(_multiplied(n, f)) for n, f in zip(shape, factors, strict=True)], None
    if antialias and not (mode in ("bilinear", "bicubic", "lanczos") and input.array.ndim == 4):
        text = (
            "Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and requires a 4-D tensor as input"
        )
        raise refuse(ValueError, text, "interpolate", input)
    _check_mode(input, mode, bool(align_corners), antialias)
    if sizes is None:
        assert factors is not None
        sizes = [int(_multiplied(n, f)) for n, f in zip(shape, factors, strict=True)]
    _check_sizes(input, mode, sizes)
    kind = input.array.dtype
    if kind.kind != "f" and kind != np.uint8:
        raise unsupported(KERNELS.get(mode, f"upsample_{mode}{len(shape)}d"), "interpolate", input)
    return _resized(input, sizes, factors or [None] * len(sizes), mode, bool(align_corners), antialias)


def _sizes(input: Tensor, size: Size, factor: Factor) -> tuple[list[int] | None, list[float] | None]:
    """The sizes and the factors of the spatial axes, of which one is given."""
    shape = list(input.array.shape[2:])
    if size is not None and factor is not None:
        raise refuse(ValueError, "only one of size or scale_factor should be defined", "interpolate", input)
    if size is not None:
        if isinstance(size, (list, tuple)):
            if len(size) != len(shape):
                text = (
                    "Input and output must have the same number of spatial dimensions, but got input with spatial "
                    f"dimensions of {shape} and output size of {size}. Please provide input tensor in (N, C, d1, d2, "
                    "...,dK) format and output size in (o1, o2, ...,oK) format."
                )
                raise refuse(ValueError, text, "interpolate", input)
            if not all(_whole(n) for n in size):
                text = (
                    "expected size to be one of int or Tuple[int] or Tuple[int, int] or Tuple[int, int, int], but got "
                    f"size with types {[type(n) for n in size]}"
                )
                raise refuse(TypeError, text, "interpolate", input)
            return [int(n) for n in size], None
        if not _whole(size):
            text = f"expected size to be an integer or a tuple of integers, but got {type(size).__name__}"
            raise refuse(TypeError, text, "interpolate", input)
        return [int(size)] * len(shape), None  # type: ignore[arg-type]
    if factor is None:
        raise refuse(ValueError, "either size or scale_factor should be defined", "interpolate", input)
    if isinstance(factor, (list, tuple)):
        if len(factor) != len(shape):
            text = (
                "Input and scale_factor must have the same number of spatial dimensions, but got input with spatial "
                f"dimensions of {shape} and scale_factor of shape {factor}. Please provide input tensor in (N, C, d1, "
                "d2, ...,dK) format and scale_factor in (s1, s2, ...,sK) format."
            )
            raise refuse(ValueError, text, "interpolate", input)
        return None, [as_float(f, "interpolate", "scale_factor") for f in factor]
    return None, [as_float(factor, "interpolate", "scale_factor")] * len(shape)


def _multiplied(n: int, factor: float) -> float:
    """A size times a factor, unless it is too large for an integer."""
    y = n * factor
    if not abs(y) < 2**63:  # nan, too
        text = "value cannot be converted to type int64_t without overflow"
        raise refuse(RuntimeError, text, "interpolate", factor)
    return y


def _whole(n: object) -> bool:
    return isinstance(n, (int, np.integer)) or (isinstance(n, Tensor) and n.array.dtype.kind in "iu")


def _check_mode(input: Tensor, mode: str, align: bool, antialias: bool) -> None:
    ndim = input.array.ndim
    text, kind = "", NotImplementedError
    if ndim not in (3, 4, 5) or not isinstance(mode, str) or mode not in (*RANKS, "nearest", "nearest-exact", "area"):
        text = f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {ndim}D) for the modes: {MODES}"
        text += f" (got {mode})"
    elif RANKS.get(mode, ndim) != ndim:
        text = f"Got {ndim}D input, but {mode} mode needs {RANKS[mode]}D input"
    elif mode == "lanczos" and (align or not antialias):
        kind = ValueError  # type: ignore[assignment]
        text = "Lanczos mode does not support align_corners=True" if align else "Lanczos mode requires antialias=True"
    if text:
        raise refuse(kind, text, "interpolate", input)


def _check_sizes(input: Tensor, mode: str, sizes: list[int]) -> None:
    shape = input.array.shape
    names = ("D", "H", "W")[3 - len(sizes) :]
    if math.prod((*shape[:2], *map(abs, sizes), input.array.itemsize)) >= 2**63:
        text = f"Storage size calculation overflowed with sizes={[*shape[:2], *sizes]}"
        raise refuse(RuntimeError, text, "interpolate", input)
    if mode == "area":
        _check_area(input, sizes)
    elif min(sizes) <= 0 or min(shape[2:]) <= 0:
        before, after = (", ".join(f"{a}: {n}" for a, n in zip(names, ns, strict=True)) for ns in (shape[2:], sizes))
        text = f"Input and output sizes should be greater than 0, but got input ({before}){' and' * (len(sizes) == 1)}"
        text += f" output ({after})"
        raise refuse(RuntimeError, text, "interpolate", input)
    if mode != "area" and not shape[1]:
        text = f"Non-empty {len(shape)}D data tensor expected but got a tensor with sizes {list(shape)}"
        raise refuse(RuntimeError, text, "interpolate", input)


def _check_area(input: Tensor, sizes: list[int]) -> None:
    shape = input.array.shape
    text = ""
    if 0 in shape[2:]:
        text = f"adaptive_avg_pool{len(sizes)}d(): Expected input to have non-zero size for non-batch dimensions, but "
        text += f"input has sizes {list(shape)} with dimension {shape.index(0, 2)} being empty"
    elif min(sizes) < 0:
        text = f"adaptive_avg_pool{len(sizes)}d: elements of output_size must be greater than or equal to 0"
        text += f" but received {{{', '.join(map(str, sizes))}}}"
    if text:
        raise refuse(RuntimeError, text, "interpolate", input)


@in_float32
def _resized(
    input: Tensor, sizes: list[int], factors: Sequence[float | None], mode: str, align: bool, antialias: bool
) -> Tensor:
    y, kind = input, input.array.dtype
    if kind == np.uint8 and not mode.startswith("nearest"):
        y = y.float()
    work = np.dtype(np.float64 if kind == np.float64 else np.float32)
    for axis in range(len(sizes) + 1, 1, -1):
        n, m, factor = input.array.shape[axis], sizes[axis - 2], factors[axis - 2]
        scale = _scale(n, m, factor, align, work)
        if mode.startswith("nearest"):
            shift = 0.5 if mode == "nearest-exact" else 0.0
            places = (np.arange(m, dtype=work) + work.type(shift)) * scale
            index = np.minimum(np.floor(places).astype(np.int64), n - 1)
            if n != m or (index != np.arange(n)).any():
                y = pick_along(y, axis=axis, index=index)
        elif antialias:
            y = resample(y, axis=axis, **_filtered(n, m, float(scale), *FILTERS[mode]))
        elif n != m or mode == "area" or (mode == "bicubic" and scale != 1):
            taps = _averaged(n, m) if mode == "area" else TAPS[mode](n, m, scale, align)
            y = resample(y, axis=axis, index=taps[0], weight=taps[1])
        if kind == np.uint8 and y.array.dtype != kind:  # PyTorch rounds after each axis
            y = wrap(np.clip(np.floor(y.array + 0.5), 0, 255))
    if y.array.dtype != kind:
        y = wrap(y.array.astype(kind))
    return F.clone(y) if y is input else y


def _scale(n: int, m: int, factor: float | None, align: bool, work: np.dtype) -> Any:
    """How far one step in the result is in the input."""
    if align:
        return work.type((n - 1) / (m - 1)) if m > 1 else work.type(0)
    return work.type(1 / factor) if factor else work.type(n) / work.type(m)


def _places(m: int, scale: Any, align: bool) -> np.ndarray:
    i = np.arange(m, dtype=scale.dtype)
    return i * scale if align else (i + scale.dtype.type(0.5)) * scale - scale.dtype.type(0.5)


def _linear(n: int, m: int, scale: Any, align: bool) -> Taps:
    """The two neighbours, weighted by nearness."""
    x = np.maximum(_places(m, scale, align), 0)
    low = np.minimum(x.astype(np.int64), n - 1)
    t = np.clip(x - low, 0, 1)
    return np.stack([low, np.minimum(low + 1, n - 1)], 1), np.stack([1 - t, t], 1)


def _cubic(n: int, m: int, scale: Any, align: bool) -> Taps:
    """Four neighbours, weighted by Keys' kernel with a = -3/4; beyond the border the last pixel repeats."""
    x = _places(m, scale, align)
    low = np.minimum(np.floor(x).astype(np.int64), n - 1)
    t = np.clip(x - low, 0, 1)
    weights = [_keys(np.abs(t - k), -0.75) for k in range(-1, 3)]
    return np.clip(low[:, None] + np.arange(-1, 3), 0, n - 1), np.stack(weights, 1)


def _keys(x: Any, a: float) -> Any:
    """Keys' cubic kernel at |x| ≤ 2."""
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    return np.where(x <= 1, near, np.where(x < 2, ((x - 5) * x + 8) * x * a - 4 * a, 0))


TAPS: dict[str, Callable[..., Taps]] = {"linear": _linear, "bilinear": _linear, "trilinear": _linear, "bicubic": _cubic}


def _averaged(n: int, m: int) -> Taps:
    """The mean of the elements from ⌊i n/m⌋ to ⌈(i+1) n/m⌉."""
    i = np.arange(m)
    start, stop = i * n // m, -(-(i + 1) * n // m)
    index = start[:, None] + np.arange(max(int((stop - start).max(initial=1)), 1))
    inside = index < stop[:, None]
    return np.minimum(index, np.maximum(stop - 1, 0)[:, None]), inside / np.maximum(stop - start, 1)[:, None]


FILTERS: dict[str, tuple[int, Callable[[Any], Any]]] = {
    "bilinear": (2, lambda x: np.maximum(1 - np.abs(x), 0)),
    "bicubic": (4, lambda x: _keys(np.abs(x), -0.5)),
    "lanczos": (6, lambda x: np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0)),
}


def _filtered(n: int, m: int, scale: float, width: int, kernel: Callable[[Any], Any]) -> dict[str, np.ndarray]:
    """A kernel as wide as the step in the input: its weights are cut at the border and sum to 1."""
    stretch = max(scale, 1.0)
    support = width / 2 * stretch
    centre = scale * (np.arange(m) + 0.5)
    start = np.maximum((centre - support + 0.5).astype(np.int64), 0)
    stop = np.minimum((centre + support + 0.5).astype(np.int64), n)
    index = start[:, None] + np.arange(max(int((stop - start).max()), 1))
    weight = np.where(index < stop[:, None], kernel((index - centre[:, None] + 0.5) / stretch), 0)
    total = weight.sum(1, keepdims=True)
    return {"index": np.minimum(index, n - 1), "weight": weight / np.where(total == 0, 1, total)}


def upsample(
    input: Tensor, size: Size = None, scale_factor: Factor = None, mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:
    """The same as `interpolate`, deprecated.

    >>> import warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     torch.nn.functional.upsample(torch.tensor([[[1.0, 3.0]]]), scale_factor=2)
    tensor([[[1., 1., 3., 3.]]])
    """
    _warn_of_old("upsample")
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Tensor, size: Size = None, scale_factor: Factor = None) -> Tensor:
    """The same as `interpolate` with mode "nearest", deprecated.

    >>> import warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     torch.nn.functional.upsample_nearest(torch.tensor([[[1.0, 3.0]]]), scale_factor=2)
    tensor([[[1., 1., 3., 3.]]])
    """
    _warn_of_old("upsample_nearest")
    return interpolate(input, size, scale_factor, mode="nearest")


def upsample_bilinear(input: Tensor, size: Size = None, scale_factor: Factor = None) -> Tensor:
    """The same as `interpolate` with mode "bilinear" and `align_corners=True`, deprecated.

    >>> import warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     torch.nn.functional.upsample_bilinear(torch.ones(1, 1, 2, 2), size=3).shape
    torch.Size([1, 1, 3, 3])
    """
    _warn_of_old("upsample_bilinear")
    return interpolate(input, size, scale_factor, mode="bilinear", align_corners=True)


def _warn_of_old(name: str) -> None:
    text = f"`nn.functional.{name}` is deprecated. Use `nn.functional.interpolate` instead."
    warnings.warn(text, stacklevel=3)


# ------------------------------------------------------------------------------------------ sampling by a grid
DEFAULT = (
    "Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. Please specify "
    "align_corners=True if the old behavior is desired. See the documentation of grid_sample for details."
)


def affine_grid(theta: Tensor, size: Sequence[int], align_corners: bool | None = None) -> Tensor:
    """The grid (N, H, W, 2), or (N, D, H, W, 3), of the places to which affine maps `theta` (N, 2, 3) lead.

    Places run from -1 to 1, from edge to edge of the image, or with `align_corners` from centre to centre of its
    outermost pixels; see `grid_sample`.

    >>> torch.nn.functional.affine_grid(torch.tensor([[[1.0, 0, 0], [0, 1, 0]]]), (1, 1, 1, 2), align_corners=False)
    tensor([[[[-0.5000,  0.0000],
              [ 0.5000,  0.0000]]]])
    """
    only_tensors("affine_grid", theta=theta)
    if align_corners is None:
        warnings.warn(DEFAULT, stacklevel=2)
    t = theta.array
    if t.dtype.kind != "f":
        text = f"Expected theta to have floating point type, but got {theta.dtype}"
        raise refuse(ValueError, text, "affine_grid", theta)
    if not isinstance(size, (tuple, list)) or as_sizes(size, 1) is None:
        raise not_a("tuple of ints", size, "affine_grid_generator", "size", 2)
    size = tuple(size)
    n = len(size) - 2
    if n not in (2, 3):
        text = (
            "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively. "
            f"Got size {F.Size(size)}."
        )
        raise refuse(NotImplementedError, text, "affine_grid", theta)
    if t.ndim != 3 or t.shape[-2:] != (n, n + 1):
        text = f"Expected a batch of {n}D affine matrices of shape Nx{n}x{n + 1} for size {F.Size(size)}. "
        text += f"Got {theta.shape}."
        raise refuse(ValueError, text, "affine_grid", theta)
    if align_corners and min(size[2:]) == 1:
        warnings.warn(
            "Since version 1.3.0, affine_grid behavior has changed for unit-size grids when align_corners=True. This "
            "is not an intended use case of affine_grid. See the documentation of affine_grid for details.",
            stacklevel=2,
        )
    elif min(size) <= 0:
        raise refuse(ValueError, f"Expected non-zero, positive output size. Got {F.Size(size)}", "affine_grid", theta)
    places = []
    for m in size[2:]:
        along = np.linspace(-1, 1, m) if m > 1 else np.zeros(1)
        places.append(along if align_corners else along * (m - 1) / m)
    mesh = np.stack([*np.meshgrid(*places, indexing="ij")[::-1], np.ones(size[2:])], -1).astype(t.dtype)
    flat = F.matmul(wrap(mesh.reshape(1, -1, n + 1)), F.transpose(theta, 1, 2))
    return F.reshape(flat, (t.shape[0], *size[2:], n))


def grid_sample(
    input: Tensor, grid: Tensor, mode: str = "bilinear", padding_mode: str = "zeros", align_corners: bool | None = None
) -> Tensor:
    """The input (N, C, H, W) at the places of a grid (N, H', W', 2): (N, C, H', W'); or the same with three axes.

    The last axis of the grid is (x, y), from -1 to 1, as in `affine_grid`. `mode` is "bilinear", "nearest" or
    "bicubic". Outside, the input is 0 ("zeros"), goes on as at its "border", or is mirrored ("reflection").

    >>> g = torch.tensor([[[[-0.5, 0.0], [0.0, 0.0]]]])
    >>> torch.nn.functional.grid_sample(torch.tensor([[[[1.0, 3.0]]]]), g, align_corners=False)
    tensor([[[[1., 2.]]]])
    """
    only_tensors("grid_sampler", input=input, grid=grid)
    if mode not in ("bilinear", "nearest", "bicubic"):
        text = "nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: "
        raise refuse(ValueError, f"{text}'{mode}'", "grid_sample", input)
    if padding_mode not in ("zeros", "border", "reflection"):
        text = "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or 'reflection', but got: "
        raise refuse(ValueError, f"{text}'{padding_mode}'", "grid_sample", input)
    if align_corners is None:
        warnings.warn(DEFAULT, stacklevel=2)
    x, g = input.array, grid.array
    text, kind = "", RuntimeError
    if x.ndim < 3 or g.shape[-1:] != (x.ndim - 2,):
        text = f"expected grid to have size {x.ndim - 2} in last dimension, but got grid with sizes {list(g.shape)}"
    elif x.shape[0] != g.shape[0]:
        text = "expected grid and input to have same batch size, but got input with sizes "
        text += f"{list(x.shape)} and grid with sizes {list(g.shape)}"
    elif 0 in x.shape[2:]:
        axis = x.shape.index(0, 2)
        text = f"expected input to have non-empty spatial dimensions, but input has sizes {list(x.shape)} with "
        text += f"dimension {axis} being empty"
    elif x.ndim not in (4, 5) or x.ndim != g.ndim:
        text = "expected 4D or 5D input and grid with same number of dimensions, but got input with sizes "
        text += f"{list(x.shape)} and grid with sizes {list(g.shape)}"
    elif x.ndim == 5 and mode == "bicubic":
        text = "bicubic interpolation only supports 4D input"
    if text:
        raise refuse(kind, f"grid_sampler(): {text}", "grid_sample", input, grid)
    if x.dtype.kind != "f":
        raise unsupported("grid_sampler_2d_cpu_kernel_impl", "grid_sample", input)
    if x.dtype != g.dtype:
        text = f"expected scalar type {spoken(input)} but found {spoken(grid)}"
        raise refuse(RuntimeError, text, "grid_sample", input, grid)
    return _sampled(input, grid, mode, padding_mode, bool(align_corners))


@in_float32
def _sampled(input: Tensor, grid: Tensor, mode: str, padding: str, align: bool) -> Tensor:
    batch, channels, *sizes = input.array.shape
    rows = F.reshape(F.permute(input, (0, *range(2, input.array.ndim), 1)), (-1, channels))
    steps = [math.prod(sizes[i + 1 :]) for i in range(len(sizes))]
    start = (np.arange(batch) * math.prod(sizes)).reshape(-1, *(1,) * len(sizes))
    axes = []  # of each axis, the neighbours: (index, whether it is inside, weight)
    for i, n in enumerate(sizes):
        place = F.select(grid, -1, len(sizes) - 1 - i)
        place = (place + 1) * ((n - 1) / 2) if align else ((place + 1) * n - 1) / 2
        axes.append(_neighbours(place, n, mode, padding, align))
    result: Any = None
    for chosen in itertools.product(*axes):
        index, inside, weight = start, True, None
        for (at_, within, w), step in zip(chosen, steps, strict=True):
            index, inside = index + at_ * step, inside & within
            weight = w if weight is None or w is None else weight * w
        value = take_rows(rows, wrap(np.where(inside, index, 0)))
        if not np.all(inside):
            value = ops.where(wrap(np.asarray(inside)[..., None]), value, 0.0)
        value = value if weight is None else value * F.unsqueeze(weight, -1)
        result = value if result is None else result + value
    return F.permute(result, (0, result.array.ndim - 1, *range(1, result.array.ndim - 1))).contiguous()


def _neighbours(place: Tensor, n: int, mode: str, padding: str, align: bool) -> list[Any]:
    """The elements of one axis that a place is between, with their weights."""
    if mode == "bicubic":
        low = np.floor(place.array)
        t = place - wrap(low)
        found = []
        for k in range(-1, 3):
            i = _padded(wrap(low + k), n, padding, align).array
            d = t - k if k <= 0 else k - t  # the distance
            found.append((*_index(i, n), _keys_of(d, near=k in (0, 1))))
        return found
    place = _padded(place, n, padding, align)
    if mode == "nearest":
        return [(*_index(np.rint(place.array), n), ops.zero(place) + 1 if place.requires_grad else None)]
    low = np.floor(place.array)
    t = place - wrap(low)
    return [(*_index(low, n), 1 - t), (*_index(low + 1, n), t)]


def _index(i: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    inside = (i >= 0) & (i < n)
    return np.where(inside, i, 0).astype(np.int64), inside


def _keys_of(d: Tensor, near: bool) -> Tensor:
    a = -0.75
    return ((a + 2) * d - (a + 3)) * d * d + 1 if near else ((d - 5) * d + 8) * d * a - 4 * a


def _padded(place: Tensor, n: int, padding: str, align: bool) -> Tensor:
    """The place inside the image: at its border, or mirrored. The slope is 1, -1, or 0 at the border and beyond."""
    if padding == "zeros":
        return place
    x = place.array
    slope, shift = np.ones_like(x), np.zeros_like(x)
    if padding == "reflection":
        low, span = (0.0, n - 1.0) if align else (-0.5, float(n))
        if not span:
            return place * 0.0
        far = np.abs(x - low)
        flips, extra = np.floor(far / span), np.fmod(far, span)
        even = flips % 2 == 0
        mirrored = np.where(even, extra + low, span - extra + low)
        slope = np.where(even, 1, -1) * np.where(x < low, -1, 1).astype(x.dtype)
        x = mirrored.astype(x.dtype)
    inside = (x > 0) & (x < n - 1)
    x = np.clip(x, 0, n - 1)
    slope = np.where(inside, slope, 0).astype(x.dtype)
    shift = x - np.where(inside, slope * place.array, 0).astype(x.dtype)
    return ops.where(wrap(inside), place, 0.0) * wrap(slope) + wrap(shift.astype(x.dtype))
