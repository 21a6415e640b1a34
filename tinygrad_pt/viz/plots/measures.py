"""What training pictures show, as arrays: regions, confusions, tiles, a surface of the loss."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.creation import fresh
from tinygrad_pt.graph import Array
from tinygrad_pt.listening import Listener, listen
from tinygrad_pt.nn.module import Module
from tinygrad_pt.tensor import Tensor
from tinygrad_pt.viz.plots.recorders import State, Trail, array_of, state_of, undisturbed
from tinygrad_pt.viz.text import clean

Model = Callable[[Tensor], Tensor]


# ------------------------------------------------------------------------------------------------- histories
def series_of(history: Any) -> dict[str, dict[str, Array]]:
    """A history as network → quantity → numbers; a list is one loss, a flat mapping one network, called "".

    >>> series_of({"loss": [3.0, 1.0]})
    {'': {'loss': array([3., 1.])}}
    """
    if not isinstance(history, Mapping):
        history = {"loss": history}
    nested = any(isinstance(value, Mapping) for value in history.values())
    found = {
        str(network): {str(name): numbers(values, name) for name, values in own.items()}
        for network, own in (history if nested else {"": history}).items()
    }
    if not any(len(values) for own in found.values() for values in own.values()):
        raise empty("history")
    return found


def numbers(values: Any, name: object) -> Array:
    """One number per epoch or step; None counts as nan."""
    if isinstance(values, Tensor):
        values = values.array
    try:
        line = [math.nan if v is None else float(v) for v in values]
    except (TypeError, ValueError):
        raise refuse(TypeError, f"{clean(name)!r}: expected one number per epoch or step") from None
    return np.array(line, "float64")


def empty(what: str) -> Exception:
    """The error of a picture that would show nothing."""
    return refuse(ValueError, f"the {what} is empty: there is nothing to draw", mend="draw it after the training")


# ------------------------------------------------------------------------------------------------- classes
def classes_of(scores: Array, threshold: float) -> Array:
    """The class of each row: argmax of its scores, or whether its only number lies above the threshold."""
    if scores.ndim == 2 and scores.shape[1] > 1:
        return scores.argmax(1)
    return (scores.reshape(len(scores)) > threshold).astype(np.int64)


@dataclass(frozen=True)
class Region:
    """The class of every point of a grid, over the axes `x` and `y`, once per state: [states, y, x]."""

    x: Array
    y: Array
    classes: Array
    targets: Array


def region_of(
    model: Model, data: Array, targets: Array, states: Sequence[State | None], resolution: int, threshold: float
) -> Region:
    """The model's class at the points of a grid around the data."""
    if data.ndim != 2 or data.shape[1] != 2 or not len(data):
        text = f"decision_region draws models of 2 inputs: data of shape [n, 2] expected, but got {list(data.shape)}"
        raise refuse(ValueError, text)
    if len(targets) != len(data):
        raise refuse(ValueError, f"{len(data)} points, but {len(targets)} targets")
    if resolution < 2:
        raise refuse(ValueError, f"resolution={resolution}: expected at least 2")
    low, high = data.min(0).astype(float), data.max(0).astype(float)
    if not np.isfinite([low, high]).all():
        raise refuse(ValueError, "the data contain nan or inf: the points have no place in the picture")
    margin = np.where(high > low, 0.15 * (high - low), 1.0)
    x, y = (np.linspace(a, b, resolution) for a, b in zip(low - margin, high + margin, strict=True))
    points = np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)
    points = points.astype(data.dtype if data.dtype.kind == "f" else "float32")
    planes, outputs = [], 1
    for state in states:
        with undisturbed(model, state):
            parts = [model(fresh(part)).array for part in np.array_split(points, max(1, len(points) // 8192))]
        scores = np.concatenate([np.atleast_1d(part) for part in parts])
        if scores.ndim > 2 or len(scores) != len(points) or not scores.size:
            text = f"the model answers {len(points)} points with shape {list(scores.shape)}"
            raise refuse(ValueError, text, mend="it should answer with [n], [n, 1] or [n, classes]")
        outputs = scores.shape[1] if scores.ndim == 2 else 1
        planes.append(classes_of(scores, threshold).reshape(resolution, resolution))
    wide = targets.ndim == 2 and targets.shape[1] > 1
    own = classes_of(targets, threshold) if wide or outputs == 1 else targets.reshape(len(data)).astype(np.int64)
    return Region(x, y, np.stack(planes), own)


def confusion_of(predictions: Array, targets: Array, count: int | None) -> Array:
    """How often class i was taken for class j: [i, j]."""
    pair = []
    for name, values in (("predictions", predictions), ("targets", targets)):
        if values.ndim == 2 and values.shape[1] > 1:
            values = values.argmax(1)
        values = values.reshape(-1)
        if not values.size:
            raise empty(name)
        if values.dtype.kind not in "biu" and not (values == np.floor(values)).all():
            raise refuse(ValueError, f"{name}: expected classes 0, 1, …, or scores of shape [n, classes]")
        pair.append(values.astype(np.int64))
    found, wanted = pair
    if len(found) != len(wanted):
        raise refuse(ValueError, f"{len(found)} predictions, but {len(wanted)} targets")
    low, high = min(found.min(), wanted.min()), max(found.max(), wanted.max())
    width = max([high + 1, *(v.shape[1] for v in (predictions, targets) if v.ndim == 2)])
    count = int(width) if count is None else count
    if low < 0 or high >= count:
        raise refuse(ValueError, f"class {low if low < 0 else high} is none of the {count} classes")
    table = np.zeros((count, count), np.int64)
    np.add.at(table, (wanted, found), 1)
    return table


# ------------------------------------------------------------------------------------------------- images
def weight_of(layer: Any) -> Array:
    """The array to be shown: that of a tensor, or a layer's `weight`, or its only parameter."""
    if isinstance(layer, Module):
        own = dict(layer.named_parameters())
        if "weight" not in own and len(own) != 1:
            text = f"{type(layer).__name__} has {len(own)} parameters and none is called weight"
            raise refuse(ValueError, text, mend=f"give one of them: {', '.join(own)}" if own else "")
        layer = own["weight"] if "weight" in own else next(iter(own.values()))
    array = array_of(layer)
    if array.dtype.kind not in "biuf":
        raise refuse(TypeError, f"expected real numbers, but got {array.dtype}")
    if not array.size:
        raise empty("tensor")
    return array.astype("float64")


def tiles_of(array: Array, shape: Sequence[int] | None = None) -> Array:
    """An array as images: [n, h, w], or [n, h, w, 3] where the second of four axes has three channels.

    >>> tiles_of(np.zeros((10, 64)), (8, 8)).shape, tiles_of(np.zeros((6, 3, 5, 5))).shape
    ((10, 8, 8), (6, 5, 5, 3))
    """
    if shape is not None:
        shape = tuple(shape)
        if len(shape) not in (2, 3) or array.size % max(1, math.prod(shape)) or math.prod(shape) < 1:
            raise refuse(ValueError, f"shape={shape}: {list(array.shape)} does not consist of images of this shape")
        array = array.reshape(-1, *shape) if len(shape) == 2 else array.reshape(-1, *shape[-3:])
    if array.ndim == 4 and array.shape[1] == 3:
        return np.moveaxis(array, 1, -1)
    if array.ndim < 3:
        return array.reshape(1, *(array.shape if array.ndim == 2 else (1, array.size)))
    return array.reshape(-1, *array.shape[-2:])


def mosaic(tiles: Array, columns: int, gap: int = 1) -> Array:
    """Images [n, h, w, 4] row by row in one, transparent between them."""
    n, h, w, _ = tiles.shape
    whole = np.zeros((-(-n // columns) * (h + gap) - gap, columns * (w + gap) - gap, 4))
    for i, tile in enumerate(tiles):
        top, left = i // columns * (h + gap), i % columns * (w + gap)
        whole[top : top + h, left : left + w] = tile
    return whole


class _Heard(Listener):
    def __init__(self) -> None:
        self.outputs: dict[int, Array] = {}

    def called(self, module: Module, args: tuple[Any, ...], output: Any) -> None:
        while isinstance(output, (tuple, list)) and output:
            output = output[0]
        if isinstance(output, Tensor):
            self.outputs[id(module)] = output.array.copy()


def maps_of(model: Module, x: Tensor, layer: str | Module | None) -> tuple[str, Array]:
    """Path and output of a layer for the first sample of `x`."""
    heard = _Heard()
    with undisturbed(model), listen(heard):
        model(x)
    paths = {path: m for path, m in model.named_modules() if id(m) in heard.outputs}
    if layer is None:
        images = [path for path, m in paths.items() if path and heard.outputs[id(m)].ndim == 4]
        layer = images[0] if images else next((path for path in paths if path), "")
    path = next((p for p, m in paths.items() if m is layer or p == layer), None)
    if path is None:
        name = clean(layer if isinstance(layer, str) else type(layer).__name__)
        raise refuse(ValueError, f"no layer {name!r} was called", mend=f"one of {', '.join(p for p in paths if p)}")
    output = heard.outputs[id(paths[path])]
    if not output.size:
        raise empty(f"output of {path!r}")
    return path, output[0] if output.ndim > 1 else output


# ------------------------------------------------------------------------------------------------- the surface
@dataclass(frozen=True)
class Surface:
    """The loss at `centre + x·u + y·v`.

    `losses` is [y, x]. `path` are the coordinates of the trail's states in the plane, [states, 2], and `along` the
    losses where they really stand, which may be beside the plane. `shares` says how much of the path each direction
    holds, for those of a principal component analysis.
    """

    x: Array
    y: Array
    losses: Array
    path: Array
    along: Array
    shares: tuple[float, float] | None


def surface_of(
    model: Module, loss_fn: Callable[[Tensor, Tensor], Tensor], data: tuple[Tensor, Tensor], trail: Trail | None,
    directions: str, resolution: int, seed: int,
) -> Surface:  # fmt: skip
    """The loss in the plane of two directions through the last state of the trail, or the present one."""
    shapes = {p: (t.shape, t.array.dtype) for p, t in model.named_parameters() if t.array.dtype.kind == "f"}
    inputs, targets = data
    states = [state_of(model)] if trail is None else trail.states
    if not states:
        raise empty("trail")
    for state in states:
        if any(path not in state or state[path].shape != tuple(shape) for path, (shape, _) in shapes.items()):
            raise refuse(ValueError, "the trail is that of another model")
    rows = np.stack([np.concatenate([state[path].astype("float64").ravel() for path in shapes]) for state in states])
    centre, moved = rows[-1], rows - rows[-1]
    buffers = {path: array for path, array in states[-1].items() if path not in shapes}
    stream = np.random.default_rng(seed)
    u, v, shares = axes_of(moved, [states[-1][path].astype("float64") for path in shapes], directions, stream)
    path = np.linalg.lstsq(np.stack([u, v], 1), moved.T, rcond=None)[0].T

    def loss_at(vector: Array) -> float:
        state, at = dict(buffers), 0
        for name, (shape, dtype) in shapes.items():
            size = math.prod(shape)
            state[name] = vector[at : at + size].reshape(shape).astype(dtype)
            at += size
        with undisturbed(model, state):
            loss = loss_fn(model(inputs), targets)
        if loss.numel() != 1:
            raise refuse(ValueError, f"the loss has shape {list(loss.shape)}: expected one number")
        return float(loss.item())

    low, high = path.min(0), path.max(0)
    if shares is None:
        low, high = np.minimum(low, -1.0), np.maximum(high, 1.0)
    else:
        middle, half = (low + high) / 2, np.maximum((high - low) / 2, 0.2 * (high - low).max() / 2)
        low, high = middle - 1.3 * half, middle + 1.3 * half
    x, y = np.linspace(low[0], high[0], resolution), np.linspace(low[1], high[1], resolution)
    with np.errstate(all="ignore"):  # far from the path a loss may overflow
        losses = np.array([[loss_at(centre + a * u + b * v) for a in x] for b in y])
        along = np.array([loss_at(row) for row in rows])
    return Surface(x, y, losses, path, along, shares)


def axes_of(
    moved: Array, parameters: list[Array], directions: str, stream: np.random.Generator
) -> tuple[Array, Array, tuple[float, float] | None]:
    """Two directions, and for principal components the share of the path that each holds."""
    size = moved.shape[1]
    if size < 2:
        raise refuse(ValueError, f"a surface needs two directions, but the model has {size} parameters")
    if directions == "random":
        return filtered(parameters, stream), filtered(parameters, stream), None
    _, spread, rows = np.linalg.svd(moved - moved.mean(0), full_matrices=False)
    if not len(spread) or spread[0] <= 1e-12 * max(1.0, np.abs(moved).max(initial=0.0)):
        raise refuse(ValueError, "the trail does not move", mend='directions="random", or a trail of some steps')
    u = signed(rows[0])
    if len(spread) > 1 and spread[1] > 1e-9 * spread[0]:
        v = signed(rows[1])
    else:  # a straight path lies in many planes
        v = filtered(parameters, stream)
        v = v - (v @ u) * u
        if np.linalg.norm(v) == 0:
            v = np.eye(size)[int(np.abs(u).argmin())]
            v = v - (v @ u) * u
        v = v / np.linalg.norm(v)
    total = float((spread**2).sum())
    second = float(spread[1] ** 2) / total if len(spread) > 1 else 0.0
    return u, v, (float(spread[0] ** 2) / total, second)


def signed(direction: Array) -> Array:
    """The direction whose largest component is positive: a singular vector's sign is the machine's choice."""
    return direction if direction[np.abs(direction).argmax()] > 0 else -direction


def filtered(parameters: list[Array], stream: np.random.Generator) -> Array:
    """A random direction whose filters are as long as the model's own; it moves no bias (Li et al., 2018)."""
    plain = all(p.ndim < 2 for p in parameters)
    parts = []
    for p in parameters:
        d = stream.standard_normal(p.shape)
        over = tuple(range(1, p.ndim)) if p.ndim > 1 else None
        length, own = (np.sqrt((a**2).sum(axis=over, keepdims=True)) for a in (d, p))
        scale = np.where(own > 0, own, 1.0) / np.where(length > 0, length, 1.0)
        parts.append((d * scale if p.ndim > 1 or plain else np.zeros(p.shape)).ravel())
    return np.concatenate(parts)
