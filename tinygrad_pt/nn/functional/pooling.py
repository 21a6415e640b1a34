"""Pooling: the largest element of each window, the mean, the p-norm; over windows of one size, or of one number."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, prod
from typing import Any, Literal, overload

import numpy as np

from tinygrad_pt import functions as F
from tinygrad_pt import ops
from tinygrad_pt import random as streams
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.checks import expect_tensor, is_int, not_a, unsupported
from tinygrad_pt.nn.functional.activation import relu
from tinygrad_pt.nn.functional.check import spoken
from tinygrad_pt.nn.functional.convolution import Ints, sizes
from tinygrad_pt.ops import pooling as _ops
from tinygrad_pt.ops.sliding import Window
from tinygrad_pt.tensor import Tensor
from tinygrad_pt.views import as_own

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d",
    "adaptive_max_pool1d_with_indices", "adaptive_max_pool2d", "adaptive_max_pool2d_with_indices",
    "adaptive_max_pool3d", "adaptive_max_pool3d_with_indices", "avg_pool1d", "avg_pool2d", "avg_pool3d",
    "fractional_max_pool2d", "fractional_max_pool2d_with_indices", "fractional_max_pool3d",
    "fractional_max_pool3d_with_indices", "lp_pool1d", "lp_pool2d", "lp_pool3d", "max_pool1d",
    "max_pool1d_with_indices", "max_pool2d", "max_pool2d_with_indices", "max_pool3d", "max_pool3d_with_indices",
    "max_unpool1d", "max_unpool2d", "max_unpool3d",
]  # fmt: skip

Pair = tuple[Tensor, Tensor]
Ratios = float | Sequence[float] | None
MaybeInts = Ints | None | Sequence[int | None]
WORDS = ("zero", "one", "two", "three")
AXES = ("T", "H", "W")
FIRST, SMALL = "the axes are (batch, channels, ...)", "the input is too small for this layer"


# ------------------------------------------------------------------------------------------ arguments
def _named(name: str, values: Sequence[int], n: int, first: int = 1) -> str:
    """`kH: 2 kW: 3`; one axis is the width of an image whose height is `first`."""
    values = (first, *values) if n == 1 else values
    return " ".join(f"{name}{axis}: {value}" for axis, value in zip(AXES[-len(values) :], values, strict=True))


def _arguments(op: str, n: int, input: Any, given: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    """Sizes of windows, one for each axis, with PyTorch's error where their number or type is wrong."""
    expect_tensor(input, op)
    found: dict[str, tuple[int, ...]] = {}
    for i, (name, value) in enumerate(given.items(), 2):
        if value is None and name == "stride":
            value = ()
        values = sizes(value, n)
        if values is None:
            raise not_a("tuple of ints", value, op, name, i)
        if name == "stride" and not values:
            values = found["kernel_size"]
        if len(values) != n:
            if len(values) != 1:
                raise refuse(RuntimeError, _wrong_count(op, n, name, len(values)), op, input)
            values = values * n
        found[name] = values
    return found


def _wrong_count(op: str, n: int, name: str, count: int) -> str:
    if n == 1:
        if op == "avg_pool1d":
            return f"avg_pool1d() argument '{name}' should contain one int (got {count})"
        none, comma = ("None, " if name == "stride" else ""), ("," if name in ("stride", "padding") else "")
        return (
            f"{op}() {name} must be {none}an int, list of ints{comma} or tuple of ints of size 1 but got size {count}"
        )
    kind, omitted = f"a single int, or a tuple of {WORDS[n]} ints", "omitted, " if name == "stride" else ""
    if op == "avg_pool3d":
        return f"{op}: {name} must be {omitted}{kind}"
    if name == "dilation":
        return f"{op}: {name} must be either {kind}"
    return f"{op}: {name} must either be {omitted}{kind}"


def _counts(op: str, n: int, input: Tensor, how: dict[str, tuple[int, ...]], ceil_mode: Any) -> tuple[int, ...]:
    """How many windows there are along each axis; PyTorch's errors about sizes."""
    if ceil_mode.__class__ is not bool:
        raise not_a("bool", ceil_mode, op, "ceil_mode", 6 if "max" in op else 5)
    x, kernel, stride, pad = input.array, how["kernel_size"], how["stride"], how["padding"]
    spread = how.get("dilation", (1,) * n)
    batch, shape = x.ndim == n + 2, x.shape
    if not batch and x.ndim != n + 1:
        raise refuse(*_wrong_rank(op, n, input), op, input, mend=FIRST)
    if op == "max_pool1d":
        _check_one_axis(op, input, how)
    for k, s, p, d in zip(kernel, stride, pad, spread, strict=True):
        if s == 0:
            raise refuse(RuntimeError, "stride should not be zero", op, input)
        if p < 0:
            raise refuse(RuntimeError, f"pad must be non-negative, but got pad: {p}", op, input)
        if p > int(((k - 1) * d + 1) / 2):
            text = f"pad should be at most half of effective kernel size, but got pad={p}, kernel_size={k} and "
            raise refuse(RuntimeError, f"{text}dilation={d}", op, input)
    for what, name, values in (("kernel size", "k", kernel), ("stride", "d", stride), ("dilation", "dilation", spread)):
        if min(values) <= 0:
            text = f"{what} should be greater than zero, but got {_named(name, values, n)}"
            raise refuse(RuntimeError, text, op, input)
    if 0 in shape[1 if batch else 0 :]:
        raise refuse(RuntimeError, _empty(op, n, input), op, input)
    if any(p > k // 2 for p, k in zip(pad, kernel, strict=True)):
        told = f"padW = {pad[-1]}, padH = {pad[0]}, kW = {kernel[-1]}, kH = {kernel[0]}"
        if n == 3:
            told = f"kT: {kernel[0]} kW: {kernel[2]} kH: {kernel[1]} padT: {pad[0]} padW: {pad[2]} padH: {pad[1]}"
        text = f"pad should be smaller than or equal to half of kernel size, but got {told}"
        raise refuse(RuntimeError, text, op, input)
    found = []
    for size, k, s, p, d in zip(shape[-n:], kernel, stride, pad, spread, strict=True):
        count = (size + 2 * p - d * (k - 1) - 1 + (s - 1 if ceil_mode else 0)) // s + 1
        if ceil_mode and (count - 1) * s >= size + p:
            count -= 1  # no window begins behind the input and the padding before it
        found.append(count)
    if min(found) < 1 or (op == "avg_pool3d" and any(m < k for m, k in zip(shape[-n:], kernel, strict=True))):
        raise refuse(RuntimeError, _too_small(op, n, input, found, kernel), op, input, mend=SMALL)
    return tuple(found)


def _check_one_axis(op: str, input: Tensor, how: dict[str, tuple[int, ...]]) -> None:
    if 0 in input.array.shape[-2:]:
        raise refuse(RuntimeError, _wrong_rank(op, 1, input)[1], op, input)
    for name, least in (("kernel_size", 1), ("stride", 1), ("padding", 0), ("dilation", 1)):
        (value,) = how[name]
        if value < least:
            word = "greater than zero" if least else "non-negative"
            raise refuse(RuntimeError, f"{op}() {name} must be {word}, but got {value}", op, input)
    (k,), (p,) = how["kernel_size"], how["padding"]
    if p > k // 2:
        text = f"{op}() padding should be at most half of kernel size, but got padding={p} and kernel_size={k}"
        raise refuse(RuntimeError, text, op, input)


def _wrong_rank(op: str, n: int, input: Tensor) -> tuple[type[Exception], str]:
    ndim, shape = input.array.ndim, list(input.array.shape)
    if op == "max_pool1d":
        text = "max_pool1d: Expected 2D or 3D (batch mode) tensor with optional 0 dim batch size for input, but got:"
        text += str(shape)
    elif n == 1:
        text = f"Expected 2 to 3 dimensions, but got {ndim}-dimensional tensor for argument #1 'self' (while checking "
        text += f"arguments for {op.removesuffix('_with_indices')})"
    elif op == "avg_pool2d" and ndim < 3:
        text = f"Dimension out of range (expected to be in range of [{-ndim}, {ndim - 1}], but got -3)"
        return IndexError, text if ndim else "Dimension specified as -3 but tensor has no dimensions"
    elif op == "avg_pool2d":
        text = f"Expected 3D or 4D (batch mode) tensor with optional 0 dim batch size for input, but got:{shape}"
    else:
        text = f"non-empty {n + 1}D or {n + 2}D (batch mode) tensor expected for input"
    return RuntimeError, text


def _empty(op: str, n: int, input: Tensor) -> str:
    shape = list(input.array.shape)
    if n == 3:
        head = "max_pool3d_with_indices_out_cpu_template" if op == "max_pool3d" else op
        text = f"{head}(): Expected input's non-batch dimensions to have positive length, but input has a shape of "
        return f"{text}{shape} and non-batch dimension 0 has length zero!"
    shape = [*shape[:-1], 1, shape[-1]] if n == 1 else shape
    return f"Expected 3D or 4D (batch mode) tensor with optional 0 dim batch size for input, but got:{shape}"


def _too_small(op: str, n: int, input: Tensor, found: Sequence[int], kernel: Sequence[int]) -> str:
    size, channels = list(input.array.shape[-n:]), input.array.shape[-n - 1]
    if op == "max_pool1d":
        return f"max_pool1d() Invalid computed output size: {found[0]}"
    if op == "avg_pool3d":
        return f"input image ({_named('', size, 3)}) smaller than kernel size ({_named('k', kernel, 3)})"
    lead = [1] if n == 1 else []
    given, made = ("x".join(map(str, [channels, *lead, *numbers])) for numbers in (size, found))
    return f"Given input size: ({given}). Calculated output size: ({made}). Output size is too small"


def _batched(input: Tensor, n: int) -> Tensor:
    return input if input.array.ndim == n + 2 else ops.unsqueeze(input, axis=0)


def _like(y: Tensor, input: Tensor) -> Tensor:
    """The result for an input without a batch has none."""
    return y if y.array.ndim == input.array.ndim else as_own(ops.squeeze(y, axis=(0,)))


# ------------------------------------------------------------------------------------------ the largest element
def _max_pooled(
    n: int, input: Tensor, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool, places: bool
) -> Any:
    op = f"max_pool{n}d"
    given = {"kernel_size": kernel_size, "stride": stride, "padding": padding, "dilation": dilation}
    found = _arguments(op, n, input, given)
    windows = _counts("max_pool1d_with_indices" if n == 1 and places else op, n, input, found, ceil_mode)
    if input.array.dtype == bool or (n == 1 and not places and input.array.dtype.kind != "f"):
        raise unsupported("max_pool1d_impl" if n == 1 and not places else f"max_pool{max(n, 2)}d", op, input)
    how: dict[str, Any] = dict(windows=windows, window=Window(*found.values()))
    batch = _batched(input, n)
    y = _like(_ops.max_pool(batch, **how), input)
    return (y, _like(_ops.max_pool_places(batch.detach(), **how), input)) if places else y


@overload
def max_pool1d(
    input: Tensor, kernel_size: Ints, stride: Ints | None = ..., padding: Ints = ..., dilation: Ints = ...,
    ceil_mode: bool = ..., return_indices: Literal[False] = ...,
) -> Tensor: ...  # fmt: skip
@overload
def max_pool1d(
    input: Tensor, kernel_size: Ints, stride: Ints | None = ..., padding: Ints = ..., dilation: Ints = ...,
    ceil_mode: bool = ..., *, return_indices: Literal[True],
) -> Pair: ...  # fmt: skip
def max_pool1d(
    input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, dilation: Ints = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Tensor | Pair:  # fmt: skip
    """The largest element of each window of (N, C, L) or (C, L), nan if there is one; see `nn.MaxPool1d`.

    >>> torch.nn.functional.max_pool1d(torch.tensor([[1.0, 5.0, 2.0, 3.0]]), 2)
    tensor([[5., 3.]])
    """
    return _max_pooled(1, input, kernel_size, stride, padding, dilation, ceil_mode, bool(return_indices))


@overload
def max_pool2d(
    input: Tensor, kernel_size: Ints, stride: Ints | None = ..., padding: Ints = ..., dilation: Ints = ...,
    ceil_mode: bool = ..., return_indices: Literal[False] = ...,
) -> Tensor: ...  # fmt: skip
@overload
def max_pool2d(
    input: Tensor, kernel_size: Ints, stride: Ints | None = ..., padding: Ints = ..., dilation: Ints = ...,
    ceil_mode: bool = ..., *, return_indices: Literal[True],
) -> Pair: ...  # fmt: skip
def max_pool2d(
    input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, dilation: Ints = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Tensor | Pair:  # fmt: skip
    """The largest element of each window of (N, C, H, W) or (C, H, W), nan if there is one; see `nn.MaxPool2d`.

    The gradient goes to the first of several equal elements. With `return_indices` the second result says where the
    elements stand in their planes, counted row by row.

    >>> torch.nn.functional.max_pool2d(torch.arange(16.0).reshape(1, 4, 4), 2)
    tensor([[[ 5.,  7.],
             [13., 15.]]])
    """
    return _max_pooled(2, input, kernel_size, stride, padding, dilation, ceil_mode, bool(return_indices))


@overload
def max_pool3d(
    input: Tensor, kernel_size: Ints, stride: Ints | None = ..., padding: Ints = ..., dilation: Ints = ...,
    ceil_mode: bool = ..., return_indices: Literal[False] = ...,
) -> Tensor: ...  # fmt: skip
@overload
def max_pool3d(
    input: Tensor, kernel_size: Ints, stride: Ints | None = ..., padding: Ints = ..., dilation: Ints = ...,
    ceil_mode: bool = ..., *, return_indices: Literal[True],
) -> Pair: ...  # fmt: skip
def max_pool3d(
    input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, dilation: Ints = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Tensor | Pair:  # fmt: skip
    """The largest element of each window of (N, C, D, H, W) or (C, D, H, W), nan if there is one; see `nn.MaxPool3d`.

    >>> torch.nn.functional.max_pool3d(torch.arange(8.0).reshape(1, 2, 2, 2), 2)
    tensor([[[[7.]]]])
    """
    return _max_pooled(3, input, kernel_size, stride, padding, dilation, ceil_mode, bool(return_indices))


def max_pool1d_with_indices(
    input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, dilation: Ints = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Pair:  # fmt: skip
    """`max_pool1d`, and where the elements stand in their rows.

    >>> torch.nn.functional.max_pool1d_with_indices(torch.tensor([[1.0, 5.0]]), 2)
    (tensor([[5.]]), tensor([[1]]))
    """
    return _max_pooled(1, input, kernel_size, stride, padding, dilation, ceil_mode, True)


def max_pool2d_with_indices(
    input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, dilation: Ints = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Pair:  # fmt: skip
    """`max_pool2d`, and where the elements stand in their planes, counted row by row.

    >>> torch.nn.functional.max_pool2d_with_indices(torch.arange(4.0).reshape(1, 2, 2), 2)
    (tensor([[[3.]]]), tensor([[[3]]]))
    """
    return _max_pooled(2, input, kernel_size, stride, padding, dilation, ceil_mode, True)


def max_pool3d_with_indices(
    input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, dilation: Ints = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Pair:  # fmt: skip
    """`max_pool3d`, and where the elements stand in their volumes, counted row by row.

    >>> torch.nn.functional.max_pool3d_with_indices(torch.arange(8.0).reshape(1, 2, 2, 2), 2)[1]
    tensor([[[[7]]]])
    """
    return _max_pooled(3, input, kernel_size, stride, padding, dilation, ceil_mode, True)


# ------------------------------------------------------------------------------------------ back to the places
def _unpooled(
    n: int, input: Tensor, indices: Tensor, kernel_size: Any, stride: Any, padding: Any, output_size: Any
) -> Tensor:
    op = f"max_unpool{n}d"
    expect_tensor(input, op)
    expect_tensor(indices, op, "indices", 2)
    given = {"kernel_size": kernel_size, "stride": stride, "padding": padding}
    found = _arguments(op, n, input, given)
    x, i = input.array, indices.array
    if x.ndim < n:
        raise refuse(IndexError, "tuple index out of range", op, input, mend=FIRST)
    axes = zip(x.shape[-n:], found["kernel_size"], found["stride"], found["padding"], strict=True)
    usual = [(size - 1) * s + k - 2 * p for size, k, s, p in axes]
    size = list(usual)
    if output_size is not None:
        if not isinstance(output_size, (tuple, list)) or sizes(output_size, n) is None:
            raise not_a("tuple of ints", output_size, op, "output_size", 6)
        size = list(output_size)
        if len(size) == n + 2:
            size = size[2:]
        if len(size) != n:
            text = f"output_size should be a sequence containing {n} or {n + 2} elements, but it has a length of "
            raise refuse(ValueError, f"{text}'{len(size)}'", op, input)
        for d, (made, most, s) in enumerate(zip(size, usual, found["stride"], strict=True)):
            if not most - s < made < most + s:
                shown = type(output_size)(size) if isinstance(output_size, list) else tuple(size)
                text = f'invalid output_size "{shown}" (dim {d} must be between {most - s} and {most + s})'
                raise refuse(ValueError, text, op, input)
    if i.dtype != np.int64:
        text = "elements in indices should be type int64" + ("" if n == 3 else f" but got: {spoken(indices)}")
        raise refuse(RuntimeError, text, op, input, indices, mend="indices.long()")
    if x.ndim not in (n + 1, n + 2):
        shown = [*x.shape, 1] if n == 1 else list(x.shape)
        text = f"Input to max_unpooling{max(n, 2)}d should be a {max(n, 2) + 1}d or {max(n, 2) + 2}d Tensor, but got a "
        raise refuse(RuntimeError, f"{text}tensor with {len(shown)} dimensions.", op, input)
    if i.shape != x.shape:
        shown = [[*s, 1] if n == 1 else list(s) for s in (i.shape, x.shape)]
        text = f"Expected shape of indices to be same as that of the input tensor ({shown[1]}) but got indices tensor "
        raise refuse(RuntimeError, f"{text}with shape: {shown[0]}", op, input, indices)
    plane = prod(size)
    if i.size and (i.min() < 0 or i.max() >= plane):
        wrong = i[(i < 0) | (i >= plane)].flat[0]
        told = "x".join(map(str, size + [1] * (n == 1)))
        text = f"Found an invalid max index: {wrong} (output volumes are of size {told})"
        raise refuse(RuntimeError, text, op, input, indices)
    if x.dtype.kind != "f":
        raise unsupported(f"max_unpool{max(n, 2)}d", op, input)
    return _like(_ops.max_unpool(_batched(input, n), _batched(indices, n), size=tuple(size)), input)


def max_unpool1d(
    input: Tensor, indices: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:  # fmt: skip
    """Zeros with each element where `max_pool1d` has found it; see `nn.MaxUnpool1d`.

    >>> torch.nn.functional.max_unpool1d(torch.tensor([[5.0, 3.0]]), torch.tensor([[1, 3]]), 2)
    tensor([[0., 5., 0., 3.]])
    """
    return _unpooled(1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(
    input: Tensor, indices: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:  # fmt: skip
    """Zeros with each element where `max_pool2d` has found it; see `nn.MaxUnpool2d`.

    >>> torch.nn.functional.max_unpool2d(torch.tensor([[[5.0]]]), torch.tensor([[[2]]]), 2)
    tensor([[[0., 0.],
             [5., 0.]]])
    """
    return _unpooled(2, input, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(
    input: Tensor, indices: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:  # fmt: skip
    """Zeros with each element where `max_pool3d` has found it; see `nn.MaxUnpool3d`.

    >>> torch.nn.functional.max_unpool3d(torch.ones(1, 1, 1, 1), torch.zeros(1, 1, 1, 1).long(), 2).sum()
    tensor(1.)
    """
    return _unpooled(3, input, indices, kernel_size, stride, padding, output_size)


# ------------------------------------------------------------------------------------------ the mean
def _averaged(
    n: int, input: Tensor, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool, counted: bool, divisor: Any
) -> Tensor:
    op = f"avg_pool{n}d"
    given = {"kernel_size": kernel_size, "stride": stride, "padding": padding}
    found = _arguments(op, n, input, given)
    if counted.__class__ is not bool:
        raise not_a("bool", counted, op, "count_include_pad", 6)
    if divisor is not None and not is_int(divisor):
        raise not_a("int", divisor, op, "divisor_override", 7)
    windows = _counts(op, n, input, found, ceil_mode)
    if divisor == 0:
        raise refuse(RuntimeError, "divisor must be not zero", op, input)
    if input.array.dtype == bool or (n == 3 and input.array.dtype.char == "e"):
        raise unsupported("avg_pool3d_out_frame" if n == 3 else "avg_pool2d", op, input)
    window, by = (
        Window(found["kernel_size"], found["stride"], found["padding"], (1,) * n),
        None if divisor is None else int(divisor),
    )
    y = _ops.avg_pool(_batched(input, n), windows=windows, window=window, divisor=by, counted=counted)
    return _like(y, input)


def avg_pool1d(
    input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:  # fmt: skip
    """The mean of each window of (N, C, L) or (C, L); see `nn.AvgPool1d`.

    >>> torch.nn.functional.avg_pool1d(torch.tensor([[1.0, 5.0, 2.0, 3.0]]), 2)
    tensor([[3.0000, 2.5000]])
    """
    return _averaged(1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


def avg_pool2d(
    input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None,
) -> Tensor:  # fmt: skip
    """The mean of each window of (N, C, H, W) or (C, H, W); see `nn.AvgPool2d`.

    Padding counts as zeros, unless `count_include_pad` is False; `divisor_override` divides in place of the count.

    >>> torch.nn.functional.avg_pool2d(torch.arange(16.0).reshape(1, 4, 4), 2)
    tensor([[[ 2.5000,  4.5000],
             [10.5000, 12.5000]]])
    """
    return _averaged(2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def avg_pool3d(
    input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None,
) -> Tensor:  # fmt: skip
    """The mean of each window of (N, C, D, H, W) or (C, D, H, W); see `nn.AvgPool3d`.

    >>> torch.nn.functional.avg_pool3d(torch.arange(8.0).reshape(1, 2, 2, 2), 2)
    tensor([[[[3.5000]]]])
    """
    return _averaged(3, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


# ------------------------------------------------------------------------------------------ a number of windows
def _output_size(op: str, n: int, input: Tensor, output_size: Any) -> tuple[int, ...]:
    """The number of windows along each axis; None keeps the size of the input."""
    expect_tensor(input, op)
    x = input.array
    if n > 1 and isinstance(output_size, (tuple, list)):
        if x.ndim <= len(output_size):
            raise refuse(ValueError, f"Input dimension should be at least {len(output_size) + 1}", op, input)
        tail = x.shape[x.ndim - len(output_size) :]
        output_size = tuple(size if m is None else m for m, size in zip(output_size, tail, strict=True))
    found = sizes(output_size, n)
    if found is None:
        raise not_a("tuple of ints", output_size, op, "output_size", 2)
    if len(found) != n:
        text = f"{op}: output_size must be {n}"
        if n == 1:
            text = f"{op}() argument 'output_size' should contain one int (got {len(found)})"
        elif "max" in op:
            text = f"{op}(): internal error: output_size.size() must be {n}"
        raise refuse(RuntimeError, text, op, input)
    if x.ndim not in (n + 1, n + 2):
        if n == 1:
            raise refuse(*_wrong_rank(op, 1, input), op, input, mend=FIRST)
        colon = ":" if "max" in op else ""
        text = f"{op}(): Expected {n + 1}D or {n + 2}D tensor, but got{colon} {list(x.shape)}"
        raise refuse(RuntimeError, text, op, input)
    return found


def _full(op: str, input: Tensor, lead: int) -> None:
    """Raise unless all axes but the first `lead` have elements."""
    shape = list(input.array.shape)
    for i in range(lead, len(shape)):
        if not shape[i]:
            name = op
            if op == "adaptive_avg_pool1d":
                shape.insert(-1, 1)
                name, i = "adaptive_avg_pool2d", i + 1
            text = (
                f"{name}(): Expected input to have non-zero size for non-batch dimensions, but input has sizes {shape} "
            )
            raise refuse(RuntimeError, f"{text}with dimension {i} being empty", op, input)


def _adaptively_averaged(n: int, input: Tensor, output_size: Any) -> Tensor:
    op = f"adaptive_avg_pool{n}d"
    windows = _output_size(op, n, input, output_size)
    x = input.array
    if min(windows) < 0:
        name, shown = f"adaptive_avg_pool{max(n, 2)}d", windows if n > 1 else (1, *windows)
        told = f"{{{shown[0]}, {shown[1]}" + (f",{shown[2]}}}" if n == 3 else "}")
        text = f"{name}: elements of output_size must be greater than or equal to 0 but received {told}"
        raise refuse(RuntimeError, text, op, input)
    if all(m == 1 for m in windows) and (x.dtype.kind != "f" or 0 not in x.shape[-n:]):
        return F.mean(input, tuple(range(-n, 0)), keepdim=True)
    _full(op, input, 1 if n == 3 else x.ndim - n)
    if x.dtype.kind != "f" and (n == 3 or x.size):
        raise unsupported("adaptive_avg_pool3d_cpu" if n == 3 else "adaptive_avg_pool2d", op, input)
    if x.dtype.kind != "f":
        return wrap(np.zeros((*x.shape[:-n], *windows), x.dtype))
    return _like(_ops.adaptive_avg_pool(_batched(input, n), windows=windows), input)


def adaptive_avg_pool1d(input: Tensor, output_size: Ints) -> Tensor:
    """The means of `output_size` windows that cover (N, C, L) or (C, L) evenly; see `nn.AdaptiveAvgPool1d`.

    >>> torch.nn.functional.adaptive_avg_pool1d(torch.tensor([[1.0, 2.0, 6.0]]), 2)
    tensor([[1.5000, 4.0000]])
    """
    return _adaptively_averaged(1, input, output_size)


def adaptive_avg_pool2d(input: Tensor, output_size: MaybeInts) -> Tensor:
    """The means of windows that cover (N, C, H, W) or (C, H, W) evenly; see `nn.AdaptiveAvgPool2d`.

    >>> torch.nn.functional.adaptive_avg_pool2d(torch.arange(9.0).reshape(1, 3, 3), (1, None))
    tensor([[[3., 4., 5.]]])
    """
    return _adaptively_averaged(2, input, output_size)


def adaptive_avg_pool3d(input: Tensor, output_size: MaybeInts) -> Tensor:
    """The means of windows that cover (N, C, D, H, W) or (C, D, H, W) evenly; see `nn.AdaptiveAvgPool3d`.

    >>> torch.nn.functional.adaptive_avg_pool3d(torch.arange(8.0).reshape(1, 2, 2, 2), 1)
    tensor([[[[3.5000]]]])
    """
    return _adaptively_averaged(3, input, output_size)


def _adaptive_places(n: int, input: Tensor, output_size: Any) -> Pair:
    op = f"adaptive_max_pool{n}d"
    windows = _output_size(op, n, input, output_size)
    x = input.array
    _full(op, input, x.ndim - n - 1)
    if min(windows) < 0:
        shown = [*x.shape[:-n], *((1,) if n == 1 else ()), *windows]
        text = f"Trying to create tensor with negative dimension {min(windows)}: {shown}"
        raise refuse(RuntimeError, text, op, input)
    if x.dtype.kind != "f":
        raise unsupported("adaptive_max_pool3d_cpu" if n == 3 else "adaptive_max_pool2d", op, input)
    batch = _batched(input, n)
    places = _ops.adaptive_max_places(batch.detach(), windows=windows)
    return _like(_ops.take_places(batch, places), input), _like(places, input)


@overload
def adaptive_max_pool1d(input: Tensor, output_size: Ints, return_indices: Literal[False] = ...) -> Tensor: ...
@overload
def adaptive_max_pool1d(input: Tensor, output_size: Ints, return_indices: Literal[True]) -> Pair: ...
def adaptive_max_pool1d(input: Tensor, output_size: Ints, return_indices: bool = False) -> Tensor | Pair:
    """The largest elements of `output_size` windows that cover (N, C, L) evenly; see `nn.AdaptiveMaxPool1d`.

    >>> torch.nn.functional.adaptive_max_pool1d(torch.tensor([[1.0, 2.0, 6.0]]), 2)
    tensor([[2., 6.]])
    """
    found = _adaptive_places(1, input, output_size)
    return found if return_indices else found[0]


@overload
def adaptive_max_pool2d(input: Tensor, output_size: MaybeInts, return_indices: Literal[False] = ...) -> Tensor: ...
@overload
def adaptive_max_pool2d(input: Tensor, output_size: MaybeInts, return_indices: Literal[True]) -> Pair: ...
def adaptive_max_pool2d(input: Tensor, output_size: MaybeInts, return_indices: bool = False) -> Tensor | Pair:
    """The largest elements of windows that cover (N, C, H, W) evenly; see `nn.AdaptiveMaxPool2d`.

    >>> torch.nn.functional.adaptive_max_pool2d(torch.arange(9.0).reshape(1, 3, 3), (1, None))
    tensor([[[6., 7., 8.]]])
    """
    found = _adaptive_places(2, input, output_size)
    return found if return_indices else found[0]


@overload
def adaptive_max_pool3d(input: Tensor, output_size: MaybeInts, return_indices: Literal[False] = ...) -> Tensor: ...
@overload
def adaptive_max_pool3d(input: Tensor, output_size: MaybeInts, return_indices: Literal[True]) -> Pair: ...
def adaptive_max_pool3d(input: Tensor, output_size: MaybeInts, return_indices: bool = False) -> Tensor | Pair:
    """The largest elements of windows that cover (N, C, D, H, W) evenly; see `nn.AdaptiveMaxPool3d`.

    >>> torch.nn.functional.adaptive_max_pool3d(torch.arange(8.0).reshape(1, 2, 2, 2), 1)
    tensor([[[[7.]]]])
    """
    found = _adaptive_places(3, input, output_size)
    return found if return_indices else found[0]


def adaptive_max_pool1d_with_indices(input: Tensor, output_size: Ints, return_indices: bool = False) -> Pair:
    """`adaptive_max_pool1d`, and where the elements stand.

    >>> torch.nn.functional.adaptive_max_pool1d_with_indices(torch.tensor([[1.0, 2.0, 6.0]]), 1)
    (tensor([[6.]]), tensor([[2]]))
    """
    return _adaptive_places(1, input, output_size)


def adaptive_max_pool2d_with_indices(input: Tensor, output_size: MaybeInts, return_indices: bool = False) -> Pair:
    """`adaptive_max_pool2d`, and where the elements stand in their planes.

    >>> torch.nn.functional.adaptive_max_pool2d_with_indices(torch.ones(1, 2, 2), 1)
    (tensor([[[1.]]]), tensor([[[0]]]))
    """
    return _adaptive_places(2, input, output_size)


def adaptive_max_pool3d_with_indices(input: Tensor, output_size: MaybeInts, return_indices: bool = False) -> Pair:
    """`adaptive_max_pool3d`, and where the elements stand in their volumes.

    >>> torch.nn.functional.adaptive_max_pool3d_with_indices(torch.ones(1, 2, 2, 2), 1)[1]
    tensor([[[[0]]]])
    """
    return _adaptive_places(3, input, output_size)


# ------------------------------------------------------------------------------------------ the p-norm
def _normed(n: int, input: Tensor, p: Any, kernel_size: Any, stride: Any, ceil_mode: bool) -> Tensor:
    op = f"lp_pool{n}d"
    expect_tensor(input, op)
    if isinstance(p, (int, float)) and abs(p) == inf:
        largest = _max_pooled(n, F.abs(input) if p > 0 else -F.abs(input), kernel_size, stride, 0, 1, ceil_mode, False)
        return largest if p > 0 else -largest
    y = _averaged(n, F.pow(input, p), kernel_size, stride, 0, ceil_mode, True, None)
    count = prod(sizes(kernel_size, n) or ())
    if isinstance(p, (int, float)) and p == 0:
        raise refuse(ZeroDivisionError, "float division by zero", op, input)
    return F.pow(F.sign(y) * relu(F.abs(y)) * count, 1.0 / p)


def lp_pool1d(
    input: Tensor, norm_type: float, kernel_size: Ints, stride: Ints | None = None, ceil_mode: bool = False
) -> Tensor:
    """(Σ xᵖ)^(1/p) of each window of (N, C, L) or (C, L); see `nn.LPPool1d`.

    >>> torch.nn.functional.lp_pool1d(torch.tensor([[3.0, 4.0]]), 2, 2)
    tensor([[5.]])
    """
    return _normed(1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(
    input: Tensor, norm_type: float, kernel_size: Ints, stride: Ints | None = None, ceil_mode: bool = False
) -> Tensor:
    """(Σ xᵖ)^(1/p) of each window of (N, C, H, W) or (C, H, W); see `nn.LPPool2d`.

    >>> torch.nn.functional.lp_pool2d(torch.ones(1, 2, 2), 2, 2)
    tensor([[[2.]]])
    """
    return _normed(2, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(
    input: Tensor, norm_type: float, kernel_size: Ints, stride: Ints | None = None, ceil_mode: bool = False
) -> Tensor:
    """(Σ xᵖ)^(1/p) of each window of (N, C, D, H, W) or (C, D, H, W); see `nn.LPPool3d`.

    >>> torch.nn.functional.lp_pool3d(torch.ones(1, 2, 2, 2), 3, 2)
    tensor([[[[2.]]]])
    """
    return _normed(3, input, norm_type, kernel_size, stride, ceil_mode)


# ------------------------------------------------------------------------------------------ windows at random
def _fractional(
    n: int, input: Tensor, kernel_size: Any, output_size: Any, output_ratio: Any, samples: Tensor | None
) -> Pair:
    op = f"fractional_max_pool{n}d"
    x = expect_tensor(input, op).array
    if output_size is None:
        if output_ratio is None:
            text = f"{op} requires specifying either an output_size or an output_ratio"
            raise refuse(ValueError, text, op, input)
        ratios = output_ratio if isinstance(output_ratio, (tuple, list)) else (output_ratio,) * n
        if len(ratios) > n and n == 2:
            text = f"{op} requires output_ratio to either be a single Int or tuple of Ints."
            raise refuse(ValueError, text, op, input)
        output_size = [int(size * r) for size, r in zip(x.shape[-n:], ratios, strict=True)]
    kernel, windows = sizes(kernel_size, n), sizes(output_size, n)
    if kernel is None or windows is None:
        name, value = ("kernel_size", kernel_size) if kernel is None else ("output_size", output_size)
        raise not_a("tuple of ints", value, op, name, 2 if kernel is None else 3)
    for name, values in (("kernel_size", kernel), ("output_size", windows)):
        if len(values) != n:
            text = f"{op}: {name} must either be a single int or tuple of {WORDS[n]} ints"
            raise refuse(RuntimeError, text, op, input)
    if x.ndim not in (n + 1, n + 2) or 0 in x.shape[x.ndim - n - 1 :]:
        if x.ndim in (n + 1, n + 2):
            where = x.shape[x.ndim - n - 1 :].index(0) + x.ndim - n - 1
            text = (
                f"{op}(): Expected input to have non-zero  size for non-batch dimensions, but got {list(x.shape)} with "
            )
            raise refuse(RuntimeError, f"{text}dimension {where} being empty.", op, input)
        text = f"{op}(): Expected {n + 1}D or {n + 2}D tensor, but got: {list(x.shape)}"
        raise refuse(RuntimeError, text, op, input)
    axes = zip(("time", "height", "width")[-n:], x.shape[-n:], windows, kernel, strict=True)
    for axis, size, count, k in axes:
        if count + k - 1 > size - (n == 3):
            text = f"{op}{'_out' if n == 3 else ''}(): pool {axis} {k} too large relative to input {axis} {size}"
            raise refuse(RuntimeError, text, op, input)
    if x.dtype.kind != "f":
        raise unsupported(f"{op}_out_frame", op, input)
    batch = _batched(input, n)
    if samples is None:
        shape = (*batch.array.shape[:2], n)
        samples = wrap(np.asarray(streams.default_generator.uniform(shape, dtype=x.dtype)))
    expect_tensor(samples, op, "_random_samples", 4)
    _check_samples(samples, batch, n, op)
    places = _ops.fractional_places(batch.detach(), samples.detach(), windows=windows, kernel=kernel)
    return _like(_ops.take_places(batch, places), input), _like(places, input)


def _check_samples(samples: Tensor, batch: Tensor, n: int, op: str) -> None:
    u, x, text = samples.array, batch.array, ""
    if u.dtype != x.dtype:
        text = "Expect _random_samples to have the same dtype as input"
    elif u.ndim != 3:
        text = f"Expect _random_samples to have 3 dimensions, got {u.ndim}"
    elif u.shape[0] < x.shape[0]:
        text = "Expect _random_samples.size(0) no less then input batch size."
    elif u.shape[1] != x.shape[1]:
        text = "Expect _random_samples.size(1) equals to input channel size."
    elif u.shape[2] != n:
        text = f"Expect _random_samples.size(2) equals to {n}; got {u.shape[2]}."
    if text:
        raise refuse(RuntimeError, text, op, batch, samples)


@overload
def fractional_max_pool2d(
    input: Tensor, kernel_size: Ints, output_size: Ints | None = ..., output_ratio: Ratios = ...,
    return_indices: Literal[False] = ..., _random_samples: Tensor | None = ...,
) -> Tensor: ...  # fmt: skip
@overload
def fractional_max_pool2d(
    input: Tensor, kernel_size: Ints, output_size: Ints | None = ..., output_ratio: Ratios = ...,
    *, return_indices: Literal[True], _random_samples: Tensor | None = ...,
) -> Pair: ...  # fmt: skip
def fractional_max_pool2d(
    input: Tensor, kernel_size: Ints, output_size: Ints | None = None,
    output_ratio: Ratios = None, return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Tensor | Pair:  # fmt: skip
    """The largest elements of windows that begin at random places (Graham, 2014); see `nn.FractionalMaxPool2d`.

    >>> torch.nn.functional.fractional_max_pool2d(torch.ones(1, 5, 5), 2, output_size=3).shape
    torch.Size([1, 3, 3])
    """
    found = _fractional(2, input, kernel_size, output_size, output_ratio, _random_samples)
    return found if return_indices else found[0]


@overload
def fractional_max_pool3d(
    input: Tensor, kernel_size: Ints, output_size: Ints | None = ..., output_ratio: Ratios = ...,
    return_indices: Literal[False] = ..., _random_samples: Tensor | None = ...,
) -> Tensor: ...  # fmt: skip
@overload
def fractional_max_pool3d(
    input: Tensor, kernel_size: Ints, output_size: Ints | None = ..., output_ratio: Ratios = ...,
    *, return_indices: Literal[True], _random_samples: Tensor | None = ...,
) -> Pair: ...  # fmt: skip
def fractional_max_pool3d(
    input: Tensor, kernel_size: Ints, output_size: Ints | None = None,
    output_ratio: Ratios = None, return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Tensor | Pair:  # fmt: skip
    """The largest elements of windows that begin at random places (Graham, 2014); see `nn.FractionalMaxPool3d`.

    >>> torch.nn.functional.fractional_max_pool3d(torch.ones(1, 5, 5, 5), 2, output_ratio=0.5).shape
    torch.Size([1, 2, 2, 2])
    """
    found = _fractional(3, input, kernel_size, output_size, output_ratio, _random_samples)
    return found if return_indices else found[0]


def fractional_max_pool2d_with_indices(
    input: Tensor, kernel_size: Ints, output_size: Ints | None = None,
    output_ratio: Ratios = None, return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Pair:  # fmt: skip
    """`fractional_max_pool2d`, and where the elements stand in their planes.

    >>> torch.nn.functional.fractional_max_pool2d_with_indices(torch.ones(1, 5, 5), 2, 3)[1].shape
    torch.Size([1, 3, 3])
    """
    return _fractional(2, input, kernel_size, output_size, output_ratio, _random_samples)


def fractional_max_pool3d_with_indices(
    input: Tensor, kernel_size: Ints, output_size: Ints | None = None,
    output_ratio: Ratios = None, return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Pair:  # fmt: skip
    """`fractional_max_pool3d`, and where the elements stand in their volumes.

    >>> torch.nn.functional.fractional_max_pool3d_with_indices(torch.ones(1, 5, 5, 5), 2, 3)[1].shape
    torch.Size([1, 3, 3, 3])
    """
    return _fractional(3, input, kernel_size, output_size, output_ratio, _random_samples)
