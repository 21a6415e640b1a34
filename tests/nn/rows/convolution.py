"""Rows of the convolutional layers, the pooling layers, and fold."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.nn.rows.row import *  # noqa: F403
from tests.ops.rows import convolution as by_window

MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def many(value: Any, n: int) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * n


def batched(n: int, x: Any, function: Any) -> Any:
    """`function` of an input with a batch; without one, if the input has none."""
    return function(x) if x.ndim == n + 2 else function(x[None])[0]


def bound(n: int, transposed: bool = False) -> Any:
    """Of the initial weights: 1 / √(inputs of one output)."""

    def of(settings: dict[str, Any]) -> float:
        channels = settings["out_channels" if transposed else "in_channels"] // settings.get("groups", 1)
        return 1 / float(np.sqrt(channels * np.prod(many(settings["kernel_size"], n))))

    return of


def convolution(n: int) -> Any:
    def reference(x: Any, state: Any, stride: Any, padding: Any, dilation: Any, groups: Any, padding_mode: Any) -> Any:
        w, stride, dilation = state["weight"], many(stride, n), many(dilation, n)
        reach = [d * (k - 1) for d, k in zip(dilation, w.shape[2:], strict=True)]
        wide = (
            [(p, p) for p in many(padding, n)]
            if not isinstance(padding, str)
            else [(r // 2, r - r // 2) for r in reach]
        )
        wide = [(0, 0)] * n if padding == "valid" else wide
        more = {"mode": MODES[padding_mode]} if padding_mode != "zeros" else {}

        def of(x: Any) -> Any:
            x = np.pad(x, [(0, 0), (0, 0), *wide], **more)
            windows = tuple((m - r - 1) // s + 1 for m, r, s in zip(x.shape[2:], reach, stride, strict=True))
            how = by_window.how(stride, (0,) * n, dilation, groups, windows=windows)
            return by_window.convolved(x, w, state.get("bias"), **how)

        return batched(n, x, of)

    return reference


def transpose(n: int) -> Any:
    def reference(
        x: Any, state: Any, stride: Any, padding: Any, output_padding: Any, groups: Any, dilation: Any
    ) -> Any:
        w = state["weight"]
        stride, padding, extra, dilation = (many(v, n) for v in (stride, padding, output_padding, dilation))

        def of(x: Any) -> Any:
            axes = zip(x.shape[2:], w.shape[2:], stride, padding, extra, dilation, strict=True)
            size = tuple((m - 1) * s - 2 * p + d * (k - 1) + e + 1 for m, k, s, p, e, d in axes)
            how = by_window.how(stride, padding, dilation, groups, size=size)
            return by_window.transposed(x, w, state.get("bias"), **how)

        return batched(n, x, of)

    return reference


LEAST = {"in_channels": 1, "out_channels": 2, "kernel_size": 2}
GROUPED = {"in_channels": 2, "out_channels": 2, "groups": 2}
for n in (1, 2, 3):
    size = (3, 2, 2)[:n]
    found = [Case(((2, 1, *size),), LEAST), Case(((1, *size),), LEAST), Case(((0, 1, *size),), LEAST)]
    long = (1, 1, 4, *size[1:])
    more = [
        Case(
            ((1, 2, 4, *size[1:]),),
            LEAST | GROUPED | {"stride": (2, 1, 1)[:n], "padding": (1, 0, 0)[:n], "bias": False},
        ),
        Case(((1, 1, 4, *size[1:]),), LEAST | {"padding": "same", "dilation": 2}),
        *[
            Case((long,), LEAST | {"padding": 1, "padding_mode": mode})
            for mode in (list(MODES) if n == 2 else ["circular"])
        ],
    ]
    row(
        f"Conv{n}d", convolution(n), real, found + more, bound=bound(n),
        wrong=[
            Wrong(LEAST | {"groups": 0}, None, ValueError, "groups must be a positive integer"),
            Wrong(LEAST | {"groups": 2}, None, ValueError, "in_channels must be divisible by groups"),
            Wrong(LEAST | {"padding": "same", "stride": 2}, None, ValueError, "padding='same' is not supported for strided convolutions"),
            Wrong(LEAST, (np.ones((1, 2, *size)),), RuntimeError,
                  f"Given groups=1, weight of size {[2, 1, *(2,) * n]}, expected input{[1, 2, *size]} to have 1 channels, but got 2 channels instead"),
            Wrong(LEAST, (np.ones(size),), RuntimeError,
                  f"Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to conv{n}d, but got input of size: {list(size)}"),
            Wrong(LEAST | {"kernel_size": 9}, (np.ones((1, 1, *size)),), RuntimeError,
                  f"Calculated padded input size per channel: ({' x '.join(map(str, size))}). Kernel size: ({' x '.join('9' * n)}). Kernel size can't be greater than actual input size"),
        ],
    )  # fmt: skip
    size = (2, 1, 2)[:n]
    found = [Case(((2, 1, *size),), LEAST), Case(((1, *size),), LEAST), Case(((0, 1, *size),), LEAST)]
    settings = {"stride": (2, 1, 2)[:n], "padding": 1, "output_padding": (1, 0, 0)[:n], "dilation": (1, 2, 2)[:n]}
    more = [Case(((1, 2, *size),), LEAST | GROUPED | settings | {"bias": False})]
    more += [Case(((1, 1, *size),), LEAST | {"padding_mode": "".join(("ze", "ros"))})]
    row(
        f"ConvTranspose{n}d", transpose(n), real, found + more, bound=bound(n, True),
        wrong=[
            Wrong(LEAST | {"groups": 2}, None, ValueError, "in_channels must be divisible by groups"),
            Wrong(LEAST | {"padding_mode": "circular"}, None, ValueError, f'Only "zeros" padding mode is supported for ConvTranspose{n}d'),
            Wrong(LEAST, (np.ones((1, 2, *size)),), RuntimeError,
                  f"Given transposed=1, weight of size {[1, 2, *(2,) * n]}, expected input{[1, 2, *size]} to have 1 channels, but got 2 channels instead"),
        ],
    )  # fmt: skip


# ------------------------------------------------------------------------------------------ pooling
def distinct(draw: Any, shape: Shape) -> Any:
    return draw.permutation(int(np.prod(shape))).reshape(shape) * 0.3 - 1.1


def windows_of(size: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool) -> Any:
    found = []
    for n, k, s, p, d in zip(size, kernel, stride, padding, dilation, strict=True):
        starts = [
            i
            for i in range(-p, n + p, s)
            if i + d * (k - 1) < n + p or (ceil_mode and i < n and i - s + d * (k - 1) + 1 < n + p)
        ]
        found.append(len(starts))
    return tuple(found)


def pool(n: int, reduce: Any) -> Any:
    """The arguments of pooling as those of the ops, and `reduce` of them."""

    def of(x: Any, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool, dilation: Any = 1, **more: Any) -> Any:
        kernel, padding, dilation = many(kernel_size, n), many(padding, n), many(dilation, n)
        stride = kernel if stride is None else many(stride, n)

        def pooled(x: Any) -> Any:
            windows = windows_of(x.shape[2:], kernel, stride, padding, dilation, ceil_mode)
            how = by_window.slid(windows, kernel, stride, padding, dilation)
            return reduce(x, how, **more)

        return batched(n, x, pooled)

    return of


def largest(n: int) -> Any:
    of = pool(n, lambda x, how: by_window.pooled(lambda v, _: max(v), x, **how))
    return lambda x, kernel_size, stride, padding, dilation, ceil_mode: of(
        x, kernel_size, stride, padding, ceil_mode, dilation
    )


def mean(x: Any, how: Any, counted: bool, divisor: Any) -> Any:
    """PyTorch's count: padding counts or not, what lies behind it never does."""
    y = by_window.pooled(lambda v, _: sum(v), x, **how)
    if divisor:
        return y / divisor
    for i, w in enumerate(how["windows"]):
        (k, s, p, _), size = [v[i] for v in how["window"]], x.shape[2 + i]
        low = [j * s - p for j in range(w)]
        counts = [min(a + k, size + p) - a if counted else min(a + k, size) - max(a, 0) for a in low]
        y = y / np.reshape(counts, [-1 if j == i + 2 else 1 for j in range(y.ndim)])
    return y


def average(n: int) -> Any:
    of = pool(n, mean)

    def along_one(x: Any, kernel_size: Any, stride: Any, padding: Any, ceil_mode: Any, count_include_pad: Any) -> Any:
        return of(x, kernel_size, stride, padding, ceil_mode, counted=count_include_pad, divisor=None)

    def along_more(
        x: Any,
        kernel_size: Any,
        stride: Any,
        padding: Any,
        ceil_mode: Any,
        count_include_pad: Any,
        divisor_override: Any,
    ) -> Any:
        return of(x, kernel_size, stride, padding, ceil_mode, counted=count_include_pad, divisor=divisor_override)

    return along_one if n == 1 else along_more


def norm(n: int) -> Any:
    def of(x: Any, norm_type: Any, kernel_size: Any, stride: Any, ceil_mode: bool) -> Any:
        return pool(n, lambda x, how: power_mean(x, how, norm_type))(x, kernel_size, stride, 0, ceil_mode)

    def power_mean(x: Any, how: Any, p: Any) -> Any:
        if p == inf:
            return by_window.pooled(lambda v, _: max(np.abs(v)), x, **how)
        return (mean(x**p, how, True, None) * np.prod(how["window"].kernel)) ** (1 / p)

    return of


def adaptive(n: int, reduce: Any) -> Any:
    def of(x: Any, output_size: Any) -> Any:
        def pooled(x: Any) -> Any:
            windows = tuple(m if k is None else k for k, m in zip(many(output_size, n), x.shape[2:], strict=True))
            y = np.zeros((*x.shape[:2], *windows))
            for w in np.ndindex(windows):
                axes = zip(w, x.shape[2:], windows, strict=True)
                cut = [slice(i * m // k, -(-(i + 1) * m // k)) for i, m, k in axes]
                y[(..., *w)] = reduce(x[(..., *cut)], tuple(range(2, n + 2)))
            return y

        return batched(n, x, pooled)

    return of


def unpooled(n: int) -> Any:
    def of(x: Any, i: Any, kernel_size: Any, stride: Any, padding: Any) -> Any:
        kernel, padding = many(kernel_size, n), many(padding, n)
        stride = kernel if stride is None else many(stride, n)

        def put(x: Any) -> Any:
            axes = zip(x.shape[2:], kernel, stride, padding, strict=True)
            size = tuple((m - 1) * s + k - 2 * p for m, k, s, p in axes)
            return by_window.put(x, np.reshape(i, x.shape), size)

        return batched(n, x, put)

    return of


def places(draw: Any, shape: Shape) -> Any:
    """Different places in each plane."""
    return np.arange(int(np.prod(shape))).reshape(shape) % 2


for n in (1, 2, 3):
    size = (5, 3, 2)[:n]
    shapes = [(2, 1, *size), (1, *size), (0, 1, *size)]
    twice = "should be greater than zero, but got " + " ".join(f"k{a}: -1" for a in "THW"[-n:]) if n > 1 else ""
    row(
        f"MaxPool{n}d", largest(n), distinct,
        over(shapes, {"kernel_size": 2}, {"kernel_size": (3, 2, 2)[:n], "stride": (1, 2, 2)[:n], "padding": (1, 0, 1)[:n]},
             {"kernel_size": 2, "dilation": (2, 1, 1)[:n], "ceil_mode": True}),
        wrong=[Wrong({"kernel_size": 2, "stride": 1, "padding": 2}, (np.ones((1, 1, *size)),), RuntimeError,
            "max_pool1d() padding should be at most half of kernel size, but got padding=2 and kernel_size=2" if n == 1 else
            "pad should be at most half of effective kernel size, but got pad=2, kernel_size=2 and dilation=1")],
    )  # fmt: skip
    settings = [{"kernel_size": 2}, {"kernel_size": (3, 2, 2)[:n], "stride": (1, 2, 2)[:n], "padding": (1, 0, 1)[:n]}]
    settings += [{"kernel_size": 2, "ceil_mode": True}, {"kernel_size": 2, "padding": 1, "count_include_pad": False}]
    settings += [{"kernel_size": 2, "divisor_override": -3}] if n > 1 else []
    row(f"AvgPool{n}d", average(n), real, over(shapes, *settings),
        wrong=[Wrong({"kernel_size": 2, "stride": 1, "padding": 2}, (np.ones((1, 1, *size)),), RuntimeError,
            "pad should be at most half of effective kernel size, but got pad=2, kernel_size=2 and dilation=1")])  # fmt: skip
    row(f"LPPool{n}d", norm(n), positive,
        over(shapes, {"norm_type": 2, "kernel_size": 2}, {"norm_type": 3.0, "kernel_size": 2, "stride": 1},
             {"norm_type": 1.5, "kernel_size": 2, "ceil_mode": True}))  # fmt: skip
    keeps: Any = 2 if n == 1 else (2, None, 2)[:n]
    row(f"AdaptiveAvgPool{n}d", adaptive(n, np.mean), real, over(shapes[:2], {"output_size": 2}, {"output_size": 1}, {"output_size": keeps})
        + [Case(((0, 1, *size),), {"output_size": 2})])  # fmt: skip
    row(f"AdaptiveMaxPool{n}d", adaptive(n, np.max), distinct, over(shapes[:2], {"output_size": 2}, {"output_size": keeps})
        + [Case(((0, 1, *size),), {"output_size": 2})])  # fmt: skip
    one = (2, 1, 1)[:n]
    row(
        f"MaxUnpool{n}d", unpooled(n), (real, places),
        over([((2, 1, *one), (2, 1, *one)), ((1, *one), (1, *one)), ((0, 1, *one), (0, 1, *one))], {"kernel_size": 2},
             {"kernel_size": 3, "stride": 2}, {"kernel_size": 3, "padding": 1}),
        wrong=[Wrong({"kernel_size": 2}, (np.ones((1, 1, *one)), np.full((1, 1, *one), 99)), RuntimeError,
            f"Found an invalid max index: 99 (output volumes are of size {'x'.join(map(str, ((4, 1), (4, 2), (4, 2, 2))[n - 1]))})")],
    )  # fmt: skip


def fractional(n: int) -> Any:
    def of_input(x: Any, output_size: Any, output_ratio: Any, kernel_size: Any) -> Any:
        """With these sizes the windows begin at 0 and at the end, whatever is drawn."""
        count = (
            many(output_size, n)
            if output_size
            else tuple(int(m * r) for m, r in zip(x.shape[-n:], many(output_ratio, n), strict=True))
        )
        k = many(kernel_size, n)

        def of(x: Any) -> Any:
            starts = [[0, 4 - w][-c:] for c, w in zip(count, k, strict=True)]
            y = np.zeros((*x.shape[:2], *count))
            for at in np.ndindex(count):
                cut = [slice(s[i], s[i] + w) for s, i, w in zip(starts, at, k, strict=True)]
                y[(..., *at)] = x[(..., *cut)].max(tuple(range(2, n + 2)))
            return y

        return batched(n, x, of)

    return of_input


for n in (2, 3):
    shapes = [(2, 1, *(4,) * n), (1, *(4,) * n), (0, 1, *(4,) * n)]
    samples = np.full((2, 1, n), 0.3)

    row(
        f"FractionalMaxPool{n}d", fractional(n), distinct,
        over(shapes[:1], {"kernel_size": 2, "output_size": 2, "_random_samples": samples}, {"kernel_size": 3, "output_ratio": 0.25, "_random_samples": samples})
        + [Case((shape,), {"kernel_size": 2, "output_size": 2, "_random_samples": samples[: shape[0] if len(shape) > n + 1 else 1]}) for shape in shapes[1:]],
        wrong=[
            Wrong({"kernel_size": 2}, None, ValueError, f"FractionalMaxPool{n}d requires specifying either an output size, or a pooling ratio"),
            Wrong({"kernel_size": 2, "output_size": 2, "output_ratio": 0.5}, None, ValueError, "only one of output_size and output_ratio may be specified"),
            Wrong({"kernel_size": 2, "output_ratio": 1.5}, None, ValueError, "output_ratio must be between 0 and 1 (got 1.5)"),
        ],
    )  # fmt: skip


# ------------------------------------------------------------------------------------------ columns
def columns(x: Any, kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> Any:
    kernel, dilation, padding, stride = (many(v, 2) for v in (kernel_size, dilation, padding, stride))

    def of(x: Any) -> Any:
        windows = windows_of(x.shape[2:], kernel, stride, padding, dilation, False)
        return by_window.columns(x, **by_window.slid(windows, kernel, stride, padding, dilation))

    return batched(2, x, of)


def folded(x: Any, output_size: Any, kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> Any:
    kernel, dilation, padding, stride = (many(v, 2) for v in (kernel_size, dilation, padding, stride))
    windows = windows_of(output_size, kernel, stride, padding, dilation, False)
    how = by_window.slid(windows, kernel, stride, padding, dilation)
    return batched(1, x, lambda x: by_window.folded(x, output_size, **how))


row("Unfold", columns, real,
    over([(1, 2, 3, 3), (1, 3, 3), (0, 1, 3, 3)], {"kernel_size": 2}, {"kernel_size": (2, 1), "dilation": 2, "padding": 1, "stride": (1, 2)}))  # fmt: skip
row("Fold", folded, real,
    over([(1, 4, 4), (4, 4), (0, 4, 4)], {"output_size": (3, 3), "kernel_size": 2})
    + [case((1, 2, 9), output_size=(3, 3), kernel_size=(2, 1), dilation=2, padding=1, stride=(1, 2))])  # fmt: skip
