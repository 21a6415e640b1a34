"""Rows of the layers for images, and of padding."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.nn.rows.row import *  # noqa: F403


def shuffled(x: Any, upscale_factor: int) -> Any:
    r, (*lead, c, h, w) = upscale_factor, x.shape
    y = np.zeros((*lead, c // (r * r), h * r, w * r))
    for i in range(r):
        for j in range(r):
            y[..., i::r, j::r] = x[..., i * r + j :: r * r, :, :]
    return y


def unshuffled(x: Any, downscale_factor: int) -> Any:
    if not x.size:
        return x
    r, (*lead, c, h, w) = downscale_factor, x.shape
    y = np.zeros((*lead, c * r * r, h // r, w // r))
    for i in range(r):
        for j in range(r):
            y[..., i * r + j :: r * r, :, :] = x[..., i::r, j::r]
    return y


def by_groups(x: Any, groups: int) -> Any:
    return np.concatenate([x[:, i :: x.shape[1] // groups] for i in range(x.shape[1] // groups)], 1)


EMPTY = "it has an error for the gradient of an empty input"
row("PixelShuffle", shuffled, real,
    [*over([(1, 4, 2, 3), (4, 1, 2)], {"upscale_factor": 2}, {"upscale_factor": 1}), Case(((0, 4, 2, 2),), {"upscale_factor": 2}, apart=EMPTY)],
    wrong=[Wrong({"upscale_factor": 2}, (np.zeros((1, 3, 2, 2)),), RuntimeError, "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, but input.size(-3)=3 is not divisible by 4"),
           Wrong({"upscale_factor": 2}, (np.zeros((2, 2)),), RuntimeError, "pixel_shuffle expects input to have at least 3 dimensions, but got input with 2 dimension(s)")])  # fmt: skip
row("PixelUnshuffle", unshuffled, real,
    [*over([(2, 1, 2, 4), (1, 4, 2)], {"downscale_factor": 2}, {"downscale_factor": 1}), Case(((0, 1, 2, 2),), {"downscale_factor": 2}, apart=EMPTY)],
    wrong=[Wrong({"downscale_factor": 2}, (np.zeros((1, 3, 2)),), RuntimeError, "pixel_unshuffle expects height to be divisible by downscale_factor, but input.size(-2)=3 is not divisible by 2")])  # fmt: skip
row("ChannelShuffle", by_groups, real, over([(1, 4, 2), (2, 4, 1, 2), (0, 4, 2)], {"groups": 2}, {"groups": 1}),
    wrong=[Wrong({"groups": 2}, (np.zeros((1, 3, 2)),), RuntimeError, "Number of channels must be divisible by groups. Got 3 channels and 2 groups."),
           Wrong({"groups": 2}, (np.zeros((1, 4)),), RuntimeError, "channel_shuffle expects input with > 2 dims, but got input with sizes [1, 4]")])  # fmt: skip


# ------------------------------------------------------------------------------------------ interpolation
def sampled(x: Any, axis: int, places: Any) -> Any:
    """Between the elements, by lines."""
    low = np.clip(np.floor(places).astype(int), 0, x.shape[axis] - 1)
    high, t = np.minimum(low + 1, x.shape[axis] - 1), np.clip(places - low, 0, 1)
    t = t.reshape([-1 if i == axis else 1 for i in range(x.ndim)])
    return x.take(low, axis) * (1 - t) + x.take(high, axis) * t


def interpolated(
    x: Any, size: Any, scale_factor: Any, mode: str, align_corners: Any, recompute_scale_factor: Any
) -> Any:
    n = x.ndim - 2
    factors = np.broadcast_to(1 if scale_factor is None else scale_factor, n)
    for axis in range(2, x.ndim):
        old = x.shape[axis]
        new = int(old * factors[axis - 2]) if size is None else int(np.broadcast_to(size, n)[axis - 2])
        step = 1 / factors[axis - 2] if size is None and not recompute_scale_factor else old / new
        if mode == "nearest":
            x = x.take(np.minimum(np.floor(np.arange(new) * step).astype(int), old - 1), axis)
        elif align_corners:
            x = sampled(x, axis, np.arange(new) * (old - 1) / max(new - 1, 1))
        else:
            x = sampled(x, axis, np.maximum((np.arange(new) + 0.5) * step - 0.5, 0))
    return x


NONE = Wrong({}, (np.zeros((1, 1, 2)),), ValueError, "either size or scale_factor should be defined")
row(
    "Upsample", interpolated, real,
    [*over([(2, 1, 3), (1, 2, 2, 3), (0, 1, 2), (1, 1, 2, 1, 2)], {"scale_factor": 2}, {"size": 5}, {"scale_factor": 1.6, "recompute_scale_factor": True},
           {"scale_factor": 1.6, "mode": "linear"}, {"size": (4,), "mode": "linear", "align_corners": True}),
     case((1, 1, 2, 3), size=(3, 2), mode="bilinear"), case((1, 1, 1, 2, 2), scale_factor=(2, 1, 1.5), mode="trilinear")],
    wrong=[NONE, Wrong({"scale_factor": 2}, (np.zeros((2, 3)),), NotImplementedError, "Input Error: Only 3D, 4D and 5D input Tensors supported (got 2D) for the modes: nearest | linear | bilinear | bicubic | trilinear | lanczos | area | nearest-exact (got nearest)"),
           Wrong({"scale_factor": 2, "mode": "bilinear"}, (np.zeros((1, 1, 3)),), NotImplementedError, "Got 3D input, but bilinear mode needs 4D input"),
           Wrong({"size": 0}, (np.zeros((1, 1, 3)),), RuntimeError, "Input and output sizes should be greater than 0, but got input (W: 3) and output (W: 0)")],
)  # fmt: skip


def resized(mode: str) -> Any:
    return lambda x, size, scale_factor: interpolated(x, size, scale_factor, mode, mode == "bilinear", False)


for name, mode in (("UpsamplingNearest2d", "nearest"), ("UpsamplingBilinear2d", "bilinear")):
    row(
        name, resized(mode), real,
        over([(2, 1, 2, 3), (0, 1, 2, 2)], {"scale_factor": 2}, {"size": (3, 4)}), wrong=[NONE],
    )  # fmt: skip


# ------------------------------------------------------------------------------------------ padding
def pads(x: Any, padding: Any, mode: str, **more: Any) -> Any:
    pairs = list(zip(padding[::2], padding[1::2], strict=True))[::-1]
    return np.pad(x, [(0, 0)] * (x.ndim - len(pairs)) + pairs, mode, **more)


def widened(mode: str) -> Any:
    return lambda x, padding: pads(x, padding, mode)


def filled(x: Any, padding: Any, value: float) -> Any:
    return pads(x, padding, "constant", constant_values=value)


LISTED = {1: (2, 1), 2: (1, 2, 0, 1), 3: (1, 0, 2, 1, 0, 1)}
for n in (1, 2, 3):
    shapes = [(1, 2, *(5, 3, 3)[:n]), (0, 2, *(5, 3, 3)[:n]), (2, *(3, 3, 5)[:n])]
    for name, mode in (
        ("Constant", "constant"),
        ("Zero", "constant"),
        ("Reflection", "reflect"),
        ("Replication", "edge"),
        ("Circular", "wrap"),
    ):
        more = {"value": 2.5} if name == "Constant" else {}
        row(
            f"{name}Pad{n}d", filled if more else widened(mode), real, over(shapes, {"padding": LISTED[n]} | more, {"padding": list(LISTED[n])} | more),
            wrong=[Wrong({"padding": LISTED[n]}, (np.zeros(3),), ValueError, f"expected {n + 1}D or {n + 2}D input (got 1D input)")] if name == "Circular" else [],
        )  # fmt: skip
