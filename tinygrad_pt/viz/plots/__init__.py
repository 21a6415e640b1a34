"""Pictures of training, one call each: curves, regions, weights, feature maps, confusions, gradients, the loss surface.

They are figures of matplotlib's (extra `[plots]`), which is imported when one is made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import cycle
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_pt.errors import refuse
from tinygrad_pt.graph import Array
from tinygrad_pt.language import chosen
from tinygrad_pt.nn.module import Module
from tinygrad_pt.tensor import Tensor
from tinygrad_pt.viz.plots.measures import (
    Model,
    confusion_of,
    empty,
    maps_of,
    mosaic,
    numbers,
    region_of,
    series_of,
    surface_of,
    tiles_of,
    weight_of,
)
from tinygrad_pt.viz.plots.recorders import GradientNorms, Trail, array_of
from tinygrad_pt.viz.plots.words import WORDS, percent, word
from tinygrad_pt.viz.text import clean, decimal

if TYPE_CHECKING:
    from tinygrad_pt.viz.plots.figures import Film, Ink, Plot

REMEDY = 'pip install "tinygrad_pt[plots]"'
WRITTEN = 20  # a confusion matrix of more classes bears no numbers


def _ink(theme: str, lang: str | None) -> Ink:
    """The colours and words of a picture. Raises ImportError, and says what to install, where matplotlib is missing."""
    try:
        import matplotlib  # noqa: F401 - asked for by name, since ours may be loaded when it is gone

        from tinygrad_pt.viz.plots.figures import Ink
    except ImportError as error:
        raise ImportError(f"{WORDS[chosen(lang)]['missing']} {REMEDY}") from error
    return Ink(theme, lang)


def _film(plot: Plot, length: int, show: Callable[[int], None], rate: float) -> Film:
    from tinygrad_pt.viz.plots.figures import Film

    show(length - 1)
    return Film(plot, length, show, rate)


# ------------------------------------------------------------------------------------------------- over time
def curves(
    history: Sequence[float] | Mapping[str, Any], *, over: str = "epoch", log: Sequence[str] = (), title: str = "",
    lang: str | None = None, theme: str = "auto",
) -> Plot:  # fmt: skip
    """Draw loss, accuracy and whatever else was noted, over epochs or steps, for one network or several.

    There is one panel for each quantity and one line for each network. A quantity `val_loss` stands in the panel of
    `loss`, dashed. nan and None are gaps.

    Args:
        history: numbers, those of one loss; `{"loss": [...], "accuracy": [...]}`; or such a mapping for each network,
            `{"SGD": {"loss": [...]}, "Adam": {"loss": [...]}}`.
        over: what the numbers are counted by, "epoch", "step" or a word of yours.
        log: the quantities drawn on a logarithmic axis.
        title: the heading.
        lang: "en" or "pt"; default: `viz.settings.lang`.
        theme: "auto" (an SVG follows its reader, all else is light), "light" or "dark".

    Returns:
        A `matplotlib.figure.Figure` with `.save(path)`; notebooks show it.

    Raises:
        ValueError: nothing was noted, or an unknown option. TypeError: what was noted are no numbers. ImportError:
            matplotlib is missing.

    >>> figure = curves({"SGD": {"loss": [3.0, 2.0, 1.5]}, "Adam": {"loss": [3.0, 1.0, 0.5]}})
    >>> [line.get_label() for line in figure.axes[0].get_lines()]
    ['SGD', 'Adam']
    """
    ink = _ink(theme, lang)
    networks = series_of(history)
    quantities = list(dict.fromkeys(_quantity(name) for own in networks.values() for name in own))
    if unknown := [name for name in log if name not in quantities]:
        raise refuse(ValueError, f"log={unknown}: expected some of {', '.join(quantities)}")
    from matplotlib.ticker import MaxNLocator

    with ink.settled():
        columns = min(3, len(quantities))
        rows = -(-len(quantities) // columns)
        figure = ink.figure(max(6.0, 4.6 * columns), 3.6 * rows)
        for at, quantity in enumerate(quantities, 1):
            axes = figure.add_subplot(rows, columns, at)
            for i, (network, own) in enumerate(networks.items()):
                for name, values in own.items():
                    if _quantity(name) == quantity and len(values):
                        axes.plot(
                            values, "--" if name.startswith("val_") else "-", color=ink.lines[i % len(ink.lines)],
                            label=_label(network, name, f"val_{name}" in own, ink), marker=_marker(i), markersize=4,
                            markevery=max(1, len(values) // 12),
                        )  # fmt: skip
            axes.set(title=word(quantity, ink.lang).capitalize(), xlabel=word(over, ink.lang))
            axes.set_ylabel(word(quantity, ink.lang))
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            if quantity in log:
                axes.set_yscale("log")
            if len(axes.get_lines()) > 1 or networks.keys() != {""}:
                axes.legend()
        if title:
            figure.suptitle(clean(title, 100))
        return figure.numbered()


def _quantity(name: str) -> str:
    return name.removeprefix("val_").removeprefix("train_")


def _marker(i: int) -> str:
    from tinygrad_pt.viz.plots.figures import MARKERS

    return MARKERS[i % len(MARKERS)]


def _label(network: str, name: str, validated: bool, ink: Ink) -> str:
    """The network, and whether the numbers are those of training or validation where both are there."""
    part = "val" if name.startswith("val_") else "train" if validated or name.startswith("train_") else ""
    return ", ".join(filter(None, (clean(network, 40), ink.words.get(part, "")))) or word(name, ink.lang)


def gradient_norms(
    history: GradientNorms | Mapping[str, Sequence[float]], *, over: str = "step", title: str = "",
    lang: str | None = None, theme: str = "auto",
) -> Plot:  # fmt: skip
    """Draw the norm of every layer's gradient over time: where the first layers lie far below, the gradient vanishes.

    The axis is logarithmic; a norm of 0 is a gap in its line. The colours run from the first layer to the last.

    Args:
        history: a `GradientNorms` that has listened to the training, or numbers by layer.
        over: what the numbers are counted by.
        title, lang, theme: as in `curves`.

    Returns:
        A `matplotlib.figure.Figure` with `.save(path)`.

    Raises:
        ValueError: no backward pass was heard, or an unknown option.

    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1))
    >>> with GradientNorms(model) as norms:
    ...     for _ in range(3):
    ...         model(torch.ones(4, 2)).sum().backward()
    >>> len(gradient_norms(norms).axes[0].get_lines())
    2
    """
    ink = _ink(theme, lang)
    given = history.history if isinstance(history, GradientNorms) else history
    layers = {str(name): numbers(values, name) for name, values in given.items()}
    if not any(len(values) for values in layers.values()):
        raise empty("history of gradients")
    from matplotlib import colormaps
    from matplotlib.ticker import MaxNLocator

    with ink.settled():
        figure = ink.figure(7.6, 4.0)
        axes = figure.add_subplot()
        ends = (0.35, 1.0) if theme == "dark" else (0.0, 0.8)
        for i, (name, values) in enumerate(layers.items()):
            shade = colormaps["plasma"](np.interp(i / max(1, len(layers) - 1), (0, 1), ends))
            axes.plot(
                np.where(values > 0, values, np.nan), color=shade, label=clean(name, 40), marker=_marker(i),
                markersize=4, markevery=max(1, len(values) // 10),
            )  # fmt: skip
        if any((values > 0).any() for values in layers.values()):
            axes.set_yscale("log")
        axes.set(title=clean(title, 100) or ink.words["norms"], xlabel=word(over, ink.lang))
        axes.set_ylabel(ink.words["norm"])
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        figure.legend(loc="outside right upper", ncols=-(-len(layers) // 16), fontsize=9)
        return figure.numbered()


# ------------------------------------------------------------------------------------------------- two inputs
def decision_region(
    model: Model, data: Tensor | Array, targets: Tensor | Array, *, trail: Trail | None = None,
    classes: Sequence[str] = (), threshold: float = 0.5, resolution: int = 200, rate: float = 8.0, title: str = "",
    lang: str | None = None, theme: str = "auto",
) -> Plot | Film:  # fmt: skip
    """Colour the plane by the class in which a model of 2 inputs puts each point, and draw the data into it.

    The class is the argmax of the model's answers or, if it has one only, whether that lies above the threshold. The
    model evaluates (no dropout) and is left as it was.

    Args:
        model: a module or function, [n, 2] to [n, classes], [n, 1] or [n].
        data: points, [n, 2].
        targets: their classes, [n], or what the model should answer.
        trail: a `Trail` of the model's training: the picture becomes a film of it.
        classes: the names of the classes.
        threshold: for one answer: 0.5 for a probability, 0 for a logit.
        resolution: the number of points along each side.
        rate: frames per second.
        title, lang, theme: as in `curves`.

    Returns:
        A `matplotlib.figure.Figure` with `.save(path)`; with a trail a film, whose `.save(path)` takes `.gif` and
        `.html`.

    Raises:
        ValueError: the model does not have 2 inputs, lengths differ, or an unknown option.

    >>> xor = torch.datasets.XOR()
    >>> figure = decision_region(lambda x: (x[:, :1] - x[:, 1:]).abs(), *xor.tensors)
    >>> figure.axes[0].get_title()
    'Decision region'
    """
    ink = _ink(theme, lang)
    points, wanted = array_of(data), array_of(targets)
    if trail is not None and not trail.states:
        raise empty("trail")
    states = [None] if trail is None else trail.states
    region = region_of(model, points, wanted, states, resolution, threshold)
    low = int(min(region.classes.min(), region.targets.min()))
    count = max(int(max(region.classes.max(), region.targets.max())) + 1, len(classes), 2)
    if low < 0:
        raise refuse(ValueError, f"class {low}: expected classes 0, 1, …")
    from matplotlib.colors import ListedColormap, to_rgba
    from matplotlib.ticker import MaxNLocator

    with ink.settled():
        figure = ink.figure(5.6, 4.8)
        axes = figure.add_subplot()
        tints = [to_rgba(colour, 0.32) for _, colour in zip(range(count), cycle(ink.lines), strict=False)]
        half = [(line[1] - line[0]) / 2 for line in (region.x, region.y)]
        x, y = ((line[0] - h, line[-1] + h) for line, h in zip((region.x, region.y), half, strict=True))
        image = axes.imshow(
            region.classes[-1], ListedColormap(tints), vmin=-0.5, vmax=count - 0.5, extent=(*x, *y), origin="lower",
            interpolation="nearest", aspect="auto",
        )  # fmt: skip
        for i in range(count):
            own = points[region.targets == i]
            if len(own):
                name = clean(classes[i], 30) if i < len(classes) else str(i)
                axes.plot(
                    own[:, 0], own[:, 1], _marker(i), color=ink.lines[i % len(ink.lines)], markersize=8,
                    markeredgecolor=ink.colours["page"], markeredgewidth=1, label=f"{ink.words['class']} {name}",
                )  # fmt: skip
        axes.set(xlabel="x₀", ylabel="x₁", xlim=x, ylim=y)
        axes.grid(False)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
        figure.legend(loc="outside lower center", ncols=min(count, 5))
        heading = clean(title, 60) or ink.words["region"]
        axes.set_title(heading)
        figure.numbered()
    if trail is None:
        return figure
    steps = trail.steps

    def show(i: int) -> None:
        image.set_data(region.classes[i])
        axes.set_title(f"{heading}, {ink.words['step']} {steps[i]}")

    return _film(figure, len(steps), show, rate)


# ------------------------------------------------------------------------------------------------- images
def weights(
    layer: Module | Tensor | Array, *, shape: Sequence[int] | None = None, most: int = 64, title: str = "",
    lang: str | None = None, theme: str = "auto",
) -> Plot:  # fmt: skip
    """Show a weight as images: a matrix as one, a convolution's kernels as a grid of them.

    Purple is negative, orange positive, grey nan; all images have one scale. Kernels over three channels are shown in
    colour, each scaled by its own largest weight, grey for 0.

    Args:
        layer: a module (its `weight`), or a tensor of any shape.
        shape: of the images that each row consists of: `(8, 8)` for a layer whose inputs are images of 8×8.
        most: how many images to show; `+n more` says how many there are besides.
        title, lang, theme: as in `curves`.

    Returns:
        A `matplotlib.figure.Figure` with `.save(path)`.

    Raises:
        ValueError: an empty tensor, a layer without a weight, a shape that does not fit. TypeError: complex numbers.

    >>> figure = weights(torch.nn.Conv2d(1, 6, 5))
    >>> figure.axes[0].get_title()
    'Weights [6×1×5×5]'
    """
    ink = _ink(theme, lang)
    array = weight_of(layer)
    heading = clean(title, 100) or f"{ink.words['weights']} {_shape(array)}"
    tiles = tiles_of(array, shape)
    figure = _images(tiles, heading, most, ink)
    if array.ndim == 2 and shape is None:
        figure.axes[0].set(xlabel=ink.words["input"], ylabel=ink.words["output"])
    return figure


def feature_maps(
    model: Module, x: Tensor, layer: str | Module | None = None, *, most: int = 64, title: str = "",
    lang: str | None = None, theme: str = "auto",
) -> Plot:  # fmt: skip
    """Show what a layer answers to the first sample of `x`: one image per channel, on one scale.

    The model evaluates and is left as it was; nothing is hung on it.

    Args:
        model: a module.
        x: a batch, as the model takes it.
        layer: the layer, or its path in the model; default: the first whose answer is a batch of images.
        most: how many maps to show.
        title, lang, theme: as in `curves`.

    Returns:
        A `matplotlib.figure.Figure` with `.save(path)`.

    Raises:
        ValueError: no such layer was called. TypeError: the model is no module.

    >>> model = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.ReLU())
    >>> feature_maps(model, torch.ones(1, 1, 8, 8), "1").axes[0].get_title()
    'Feature maps 1: ReLU [4×6×6]'
    """
    ink = _ink(theme, lang)
    if not isinstance(model, Module):
        raise refuse(TypeError, f"feature_maps: expected a module, but got {type(model).__name__}")
    path, maps = maps_of(model, x, layer)
    named = f"{path}: {type(model.get_submodule(path)).__name__}"
    heading = clean(title, 100) or f"{ink.words['maps']} {clean(named, 60)} {_shape(maps)}"
    return _images(tiles_of(weight_of(maps)[None] if maps.ndim == 1 else weight_of(maps)), heading, most, ink)


def _shape(array: Array) -> str:
    return f"[{'×'.join(map(str, array.shape))}]"


def _images(tiles: Array, heading: str, most: int, ink: Ink) -> Plot:
    """A grid of images [n, h, w] on one scale, or in colour [n, h, w, 3]."""
    if most < 1:
        raise refuse(ValueError, f"most={most}: expected at least 1")
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    shown, left = tiles[:most], max(0, len(tiles) - most)
    n, h, w = shown.shape[:3]
    with ink.settled():
        key = None
        if shown.ndim == 4:
            size = np.nan_to_num(np.abs(shown), posinf=0.0).max(axis=(1, 2, 3), keepdims=True)
            colours = np.clip(0.5 + np.nan_to_num(shown) / (2 * np.where(size > 0, size, 1.0)), 0, 1)
            painted = np.concatenate([colours, np.ones((n, h, w, 1))], -1)
        else:
            finite = shown[np.isfinite(shown)]
            top = float(np.abs(finite).max(initial=0.0)) or 1.0
            negative = bool((finite < 0).any())
            scale = Normalize(-top if negative else 0.0, top)
            key = ScalarMappable(scale, ink.signed if negative else ink.positive)
            painted = key.cmap(scale(np.ma.masked_invalid(shown)))
        columns = max(1, min(n, round(float(np.sqrt(n * h / w * 1.6)))))
        times = -(-24 // min(h, w))  # larger pixels: a gap is finer than a weight
        painted = painted.repeat(times, 1).repeat(times, 2) if n > 1 else painted
        whole = mosaic(painted, columns, max(1, min(h, w) * times // 8))
        tall, wide = whole.shape[:2]
        inches = 5.2 * min(1.0, max(0.16, tall / wide))
        figure = ink.figure(max(3.6, min(6.4, 5.2 * wide / tall)) + 1.0, inches + 1.1)
        axes = figure.add_subplot()
        axes.imshow(whole, interpolation="nearest")
        axes.set_title(fill(heading, round(9 * figure.get_figwidth())))
        axes.grid(False)
        axes.set(xticks=[], yticks=[])
        for spine in axes.spines.values():
            spine.set_visible(n == 1)
        if left:
            axes.set_xlabel(f"+{left} {ink.words['more']}")
        if key is not None:
            figure.colorbar(key, ax=axes, label=ink.words["value"], shrink=0.9, pad=0.02)
        return figure.numbered()


# ------------------------------------------------------------------------------------------------- classes
def confusion(
    predictions: Tensor | Array, targets: Tensor | Array, classes: Sequence[str] | None = None, *, title: str = "",
    lang: str | None = None, theme: str = "auto",
) -> Plot:  # fmt: skip
    """Count how often each class was taken for which: rows are the true classes, columns the predicted ones.

    The colour is the share of the row. Above stands the accuracy, the share of the diagonal.

    Args:
        predictions: classes, [n], or scores, [n, classes], of which the largest counts.
        targets: the true classes, [n].
        classes: their names; default: 0, 1, …
        title, lang, theme: as in `curves`.

    Returns:
        A `matplotlib.figure.Figure` with `.save(path)`.

    Raises:
        ValueError: nothing was predicted, lengths differ, or a number is no class.

    >>> figure = confusion([0, 1, 1, 1], [0, 0, 1, 1], ["cat", "dog"])
    >>> figure.axes[0].get_title(), [text.get_text() for text in figure.axes[0].texts]
    ('Confusion matrix: 3 of 4 right, 75.0 %', ['1', '1', '0', '2'])
    """
    ink = _ink(theme, lang)
    words = ink.words
    table = confusion_of(array_of(predictions), array_of(targets), None if classes is None else len(classes))
    count, total, right = len(table), int(table.sum()), int(table.trace())
    names = [str(i) for i in range(count)] if classes is None else [clean(name, 20) for name in classes]
    rows = table.sum(1, keepdims=True)
    shares = table / np.where(rows > 0, rows, 1)
    with ink.settled():
        side = max(3.6, min(8.0, 0.5 * count + 1.6))
        figure = ink.figure(side + 1.4, side + 0.6)
        axes = figure.add_subplot()
        image = axes.imshow(shares, ink.positive, vmin=0, vmax=1)
        figure.colorbar(image, ax=axes, label=words["rows"], shrink=0.9, pad=0.02)
        axes.grid(False)
        marks = range(0, count, max(1, count // WRITTEN))
        long = max(map(len, names)) > 3
        axes.set_xticks(marks, [names[i] for i in marks], rotation=45 if long else 0, ha="right" if long else "center")
        axes.set_yticks(marks, [names[i] for i in marks])
        if count <= WRITTEN:
            for i, j in np.ndindex(table.shape):
                red, green, blue, _ = ink.positive(shares[i, j])
                light = 0.299 * red + 0.587 * green + 0.114 * blue > 0.5
                axes.text(j, i, str(table[i, j]), ha="center", va="center", color="#000000" if light else "#fefefe")
        counted = f"{right} {words['of']} {total} {words['right']}, {percent(right / total, ink.lang)}"
        heading = f"{words['confusion']}: {counted}"
        axes.set(title=clean(title, 100) or heading, xlabel=words["predicted"], ylabel=words["true"])
        return figure.numbered()


# ------------------------------------------------------------------------------------------------- the surface
def loss_surface(
    model: Module, loss_fn: Callable[[Tensor, Tensor], Tensor], data: tuple[Tensor, Tensor], *,
    trail: Trail | None = None, directions: str = "auto", resolution: int = 31, seed: int = 0, animate: bool = False,
    rate: float = 8.0, title: str = "", lang: str | None = None, theme: str = "auto",
) -> Plot | Film:  # fmt: skip
    """Draw the loss in a plane through the model's parameters, and the optimizer's path projected onto it.

        f(α, β) = L(θ + α u + β v)

    θ are the trail's last parameters, or the present ones. With "pca" u and v are the first two principal directions of
    the trail; with "random" they are random, filter by filter as long as the weights, and move no bias. Where the path
    leaves the plane its losses differ from those of the plane. The model evaluates and is left as it was.

    Args:
        model: a module.
        loss_fn: answers and targets to one number.
        data: inputs and targets.
        trail: a `Trail` of the training.
        directions: "pca", "random", or "auto": "pca" where there is a trail.
        resolution: the number of points along each side; the model is called for each of them.
        seed: of the random directions.
        animate: make a film of the path.
        rate: frames per second.
        title, lang, theme: as in `curves`.

    Returns:
        A `matplotlib.figure.Figure` with `.save(path)`; with `animate` a film, whose `.save(path)` takes `.gif` and
        `.html`.

    Raises:
        ValueError: the trail is empty, stands still or is that of another model; a film or "pca" without a trail.
        TypeError: the model is no module.

    Source: H. Li, Z. Xu, G. Taylor, C. Studer, T. Goldstein, Visualizing the loss landscape of neural nets, 2018.

    >>> model, (x, y) = torch.nn.Linear(2, 1), torch.datasets.XOR().tensors
    >>> figure = loss_surface(model, torch.nn.MSELoss(), (x, y), resolution=5)
    >>> figure.axes[0].get_title()
    'Loss surface'
    """
    ink = _ink(theme, lang)
    words = ink.words
    if not isinstance(model, Module):
        raise refuse(TypeError, f"loss_surface: expected a module, but got {type(model).__name__}")
    if directions not in ("auto", "pca", "random"):
        raise refuse(ValueError, f"directions={directions!r}: expected one of auto, pca, random")
    if trail is None and (animate or directions == "pca"):
        raise refuse(ValueError, "there is no path", mend="with viz.Trail(model) as trail: … around the training")
    if resolution < 2:
        raise refuse(ValueError, f"resolution={resolution}: expected at least 2")
    if directions == "auto":
        directions = "random" if trail is None else "pca"
    seen = surface_of(model, loss_fn, data, trail, directions, resolution, seed)
    finite = seen.losses[np.isfinite(seen.losses)]
    if not finite.size:
        raise refuse(ValueError, "the loss is nan or inf everywhere in this plane")
    from matplotlib.colors import LogNorm, Normalize
    from matplotlib.patheffects import withStroke

    low, high = float(finite.min()), float(finite.max())
    logarithmic = low > 0 and high > 20 * low
    high = high if high > low else low + max(1e-12, abs(low) * 1e-6)
    levels = np.geomspace(low, high, 24) if logarithmic else np.linspace(low, high, 24)
    norm = LogNorm(low, high) if logarithmic else Normalize(low, high)
    with ink.settled():
        figure = ink.figure(6.6, 4.8)
        axes = figure.add_subplot()
        axes.set_facecolor(ink.colours["line"])
        held = np.ma.masked_invalid(seen.losses)
        filled = axes.contourf(seen.x, seen.y, held, levels, cmap="cividis", norm=norm, extend="both")
        axes.contour(seen.x, seen.y, held, levels[::2], colors="#000000", linewidths=0.4, alpha=0.5, norm=norm)
        bar = figure.colorbar(filled, ax=axes, label=words["loss"], pad=0.02)
        figure.numbered()
        marks = levels[np.linspace(0, len(levels) - 1, 6).astype(int)]
        bar.set_ticks(marks, labels=[_short(mark, ink.lang) for mark in marks])
        bar.ax.minorticks_off()
        halo = [withStroke(linewidth=3.5, foreground="#fefefe")]
        (line,) = axes.plot([], [], color="#a01010", linewidth=2, path_effects=halo)
        begin, end = seen.path[0], seen.path[-1]
        mark: dict[str, Any] = {"color": "#a01010", "markeredgecolor": "#fefefe", "markeredgewidth": 1}
        if trail is not None:
            axes.plot(*begin, "s", **mark, markersize=9, label=words["start"])
        (head,) = axes.plot(*end, "*", **mark, markersize=15, label=words["end"])
        labels = [f"{words['direction']} {i}" for i in (1, 2)]
        if seen.shares is not None:
            labels = [f"{text} ({percent(s, ink.lang)})" for text, s in zip(labels, seen.shares, strict=True)]
        heading = clean(title, 60) or words["surface"]
        axes.set(title=heading, xlabel=labels[0], ylabel=labels[1])
        axes.grid(False)
        if trail is not None:
            line.set_data(*seen.path.T)
            axes.legend()
    if trail is None or not animate:
        return figure
    steps = trail.steps

    def show(i: int) -> None:
        line.set_data(*seen.path[: i + 1].T)
        head.set_data([seen.path[i, 0]], [seen.path[i, 1]])
        axes.set_title(f"{heading}, {words['step']} {steps[i]}: {_short(seen.along[i], ink.lang)}")

    return _film(figure, len(steps), show, rate)


def _short(value: float, lang: str) -> str:
    """A number with three digits."""
    text = f"{value:.3g}".replace("-", "−") if 1e-4 <= abs(value) < 1e5 or value == 0 else decimal(value, 2, lang)
    return text.replace(".", ",") if lang == "pt" else text
