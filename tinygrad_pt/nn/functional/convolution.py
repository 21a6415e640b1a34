"""Convolution over one, two and three axes, its transpose, and the columns that it is made of."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from tinygrad_pt import dtypes, ops
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.checks import is_int, no_overload, not_a, unsupported
from tinygrad_pt.nn.functional.check import only_tensors, spoken
from tinygrad_pt.ops import convolution as _ops
from tinygrad_pt.ops import pooling as _windows
from tinygrad_pt.ops.sliding import Slide, Window
from tinygrad_pt.tensor import Tensor
from tinygrad_pt.views import as_own

__all__ = [
    "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "fold", "unfold",
]  # fmt: skip

Ints = int | Sequence[int]


def conv1d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Ints = 1, padding: Ints | str = 0,
    dilation: Ints = 1, groups: int = 1,
) -> Tensor:  # fmt: skip
    """y = x ∗ w + b along one axis: input (N, in, L) or (in, L), weight (out, in/groups, k), bias (out,).

    The result (N, out, L') has L' = (L + 2 padding - dilation (k-1) - 1) // stride + 1; the padding "same" keeps L,
    "valid" is none. See `nn.Conv1d`.

    >>> torch.nn.functional.conv1d(torch.tensor([[1.0, 2.0, 4.0]]), torch.tensor([[[-1.0, 1.0]]]))
    tensor([[1., 2.]])
    """
    return _convolved(1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Ints = 1, padding: Ints | str = 0,
    dilation: Ints = 1, groups: int = 1,
) -> Tensor:  # fmt: skip
    """y = x ∗ w + b over two axes: input (N, in, H, W) or (in, H, W), weight (out, in/groups, k, l), bias (out,).

    Sizes as in `conv1d`, along each axis. Raises RuntimeError if sizes or dtypes do not fit. See `nn.Conv2d`.

    >>> torch.nn.functional.conv2d(torch.ones(1, 1, 3, 3), torch.ones(1, 1, 3, 3), padding="same")
    tensor([[[[4., 6., 4.],
              [6., 9., 6.],
              [4., 6., 4.]]]])
    """
    return _convolved(2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Ints = 1, padding: Ints | str = 0,
    dilation: Ints = 1, groups: int = 1,
) -> Tensor:  # fmt: skip
    """y = x ∗ w + b over three axes: input (N, in, D, H, W) or without N, weight (out, in/groups, j, k, l).

    Bias (out,); sizes as in `conv1d`, along each axis. See `nn.Conv3d`.

    >>> torch.nn.functional.conv3d(torch.ones(1, 3, 3, 3), torch.ones(2, 1, 2, 2, 2)).shape
    torch.Size([2, 2, 2, 2])
    """
    return _convolved(3, input, weight, bias, stride, padding, dilation, groups)


def conv_transpose1d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Ints = 1, padding: Ints = 0,
    output_padding: Ints = 0, groups: int = 1, dilation: Ints = 1,
) -> Tensor:  # fmt: skip
    """y = x ∗ wᵀ + b along one axis, the transpose of `conv1d`: input (N, in, L), weight (in, out/groups, k).

    The result has (L-1) stride - 2 padding + dilation (k-1) + output_padding + 1 elements. See `nn.ConvTranspose1d`.

    >>> torch.nn.functional.conv_transpose1d(torch.tensor([[1.0, 3.0]]), torch.ones(1, 1, 2), stride=2)
    tensor([[1., 1., 3., 3.]])
    """
    return _transposed(1, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Ints = 1, padding: Ints = 0,
    output_padding: Ints = 0, groups: int = 1, dilation: Ints = 1,
) -> Tensor:  # fmt: skip
    """y = x ∗ wᵀ + b over two axes, the transpose of `conv2d`: input (N, in, H, W), weight (in, out/groups, k, l).

    Sizes as in `conv_transpose1d`. See `nn.ConvTranspose2d`.

    >>> torch.nn.functional.conv_transpose2d(torch.ones(1, 1, 2, 2), torch.ones(1, 1, 2, 2))
    tensor([[[[1., 2., 1.],
              [2., 4., 2.],
              [1., 2., 1.]]]])
    """
    return _transposed(2, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose3d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Ints = 1, padding: Ints = 0,
    output_padding: Ints = 0, groups: int = 1, dilation: Ints = 1,
) -> Tensor:  # fmt: skip
    """y = x ∗ wᵀ + b over three axes, the transpose of `conv3d`; weight (in, out/groups, j, k, l).

    Sizes as in `conv_transpose1d`. See `nn.ConvTranspose3d`.

    >>> torch.nn.functional.conv_transpose3d(torch.ones(1, 2, 2, 2), torch.ones(1, 3, 2, 2, 2)).shape
    torch.Size([3, 3, 3, 3])
    """
    return _transposed(3, input, weight, bias, stride, padding, output_padding, groups, dilation)


# ------------------------------------------------------------------------------------------ arguments
def sizes(value: Any, n: int) -> tuple[int, ...] | None:
    """An integer for each of n axes; a sequence of integers as it is, whatever its length; None for anything else."""
    if value.__class__ is int:
        return (value,) * n
    if value.__class__ is tuple or isinstance(value, (tuple, list)):
        return tuple([int(v) for v in value]) if all(v.__class__ is int or is_int(v) for v in value) else None
    return (int(value),) * n if is_int(value) else None


def _expanded(value: tuple[int, ...], n: int, name: str, op: str, *tensors: Any) -> tuple[int, ...]:
    if len(value) == n:
        return value
    if len(value) == 1:
        return value * n
    text = f"expected {name} to be a single integer value or a list of {n} values to match the convolution dimensions, "
    raise refuse(RuntimeError, text + f"but got {name}={list(value)}", op, *tensors)


def _checked(
    n: int,
    op: str,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    given: dict[str, Any],
    groups: Any,
    words: bool = False,
) -> dict[str, tuple[int, ...]]:
    """Tensors and sizes of a convolution, checked as PyTorch does; the sizes, one for each axis."""
    transposed = "output_padding" in given
    found = {name: sizes(value, n) for name, value in given.items()}
    tensors = isinstance(input, Tensor) and isinstance(weight, Tensor) and (bias is None or isinstance(bias, Tensor))
    if not tensors or None in found.values() or not is_int(groups):
        if not transposed:
            settings = given | {"groups": groups}
            if not tensors:  # as a layer calls it
                raise no_overload(op, input, weight, bias, *settings.values())
            named = {k: v for k, v in settings.items() if v.__class__ is not int}
            raise no_overload(op, input, weight, *(() if bias is None else (bias,)), **named)
        only_tensors(op, input=input, weight=weight, **({} if bias is None else {"bias": bias}))
        wrong = next((name for name in found if found[name] is None), "groups")
        kind = "int" if wrong == "groups" else "tuple of ints"
        raise not_a(kind, (given | {"groups": groups})[wrong], op, wrong)
    x, w = input.array, weight.array
    tensors_ = (input, weight) if bias is None else (input, weight, bias)
    if x.ndim not in (n + 1, n + 2):
        text = f"Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to {op}, but got input of size: "
        mend = "the axes are (batch, channels, ...), or without the batch (channels, ...)"
        raise refuse(RuntimeError, text + str(list(x.shape)), op, *tensors_, mend=mend)
    if bias is not None and not transposed and bias.array.dtype is not x.dtype:
        names = [dtypes.of(t.array.dtype).c_name for t in (input, bias)]
        text = f"Input type ({names[0]}) and bias type ({names[1]}) should be the same"
        raise refuse(RuntimeError, text, op, *tensors_, mend=f"convert the input: x.to({bias.dtype})")
    axes = w.ndim - 2
    if axes < 1:
        raise refuse(RuntimeError, "weight should have at least three dimensions", op, *tensors_)
    if words and axes != n:
        text = f"Expected {w.ndim}-dimensional input for {w.ndim}-dimensional weight{list(w.shape)}, but got {n + 2}"
        raise refuse(RuntimeError, f"{text}-dimensional input of size {list(x.shape)} instead", op, *tensors_)
    sizes_ = {k: _expanded(v, axes, k, op, *tensors_) for k, v in found.items() if v is not None}
    if min(sizes_["dilation"]) < 0:
        raise refuse(RuntimeError, "dilation should be greater than zero", op, *tensors_)
    for name, values in sizes_.items():
        least, word = (0, "negative") if "padding" in name else (1, "non-positive")
        if min(values) < least:
            raise refuse(RuntimeError, f"{word} {name} is not supported", op, *tensors_)
    if groups <= 0:
        raise refuse(RuntimeError, "non-positive groups is not supported", op, *tensors_)
    if axes != n:
        size, got = list(w.shape), [1, *x.shape] if x.ndim == n + 1 else list(x.shape)
        text = (
            f"Expected {w.ndim}-dimensional input for {w.ndim}-dimensional weight {size}, but got {n + 2}-dimensional "
        )
        raise refuse(RuntimeError, f"{text}input of size {got} instead", op, *tensors_)
    _check_channels(op, input, weight, bias, groups, transposed)
    return sizes_


def _check_channels(op: str, input: Tensor, weight: Tensor, bias: Tensor | None, groups: int, transposed: bool) -> None:
    x, w, tensors = input.array, weight.array, (input, weight)
    n, size = w.ndim - 2, list(w.shape)
    head = "Given transposed=1" if transposed else f"Given groups={groups}"
    if w.shape[0] < groups:
        text = f"Given groups={groups}, expected weight to be at least {groups} at dimension 0, but got weight of size "
        raise refuse(RuntimeError, f"{text}{size} instead", op, *tensors)
    if w.shape[0] % groups:
        text = f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, but got weight of "
        raise refuse(RuntimeError, f"{text}size [{size}] instead", op, *tensors)
    batch = list(x.shape) if x.ndim == n + 2 else [1, *x.shape]
    channels = w.shape[0] if transposed else w.shape[1] * groups
    if batch[1] != channels:
        text = f"{head}, weight of size {size}, expected input{batch} to have {channels} channels, but got {batch[1]} "
        last = n == 2 and batch[-1] == channels
        mend = (
            f"this layer takes {channels} channels and got {batch[1]}: change in_channels"
            f"{', or put the channels first: x.permute(0, 3, 1, 2)' if last else ''}"
        )
        raise refuse(RuntimeError, f"{text}channels instead", op, *tensors, mend=mend)
    outputs = w.shape[1] * groups if transposed else w.shape[0]
    if bias is not None and bias.array.shape != (outputs,):
        head = "Given transposed=1, weight" if transposed else "Given weight"
        text = (
            f"{head} of size {size}, expected bias to be 1-dimensional with {outputs} elements, but got bias of size "
        )
        raise refuse(RuntimeError, f"{text}{list(bias.array.shape)} instead", op, *tensors, bias)


def _check_dtypes(op: str, kernel: str, input: Tensor, weight: Tensor, bias: Tensor | None) -> None:
    kind = input.array.dtype
    for name, t in (("weight", weight), ("bias", bias)):
        if t is not None and t.array.dtype is not kind:
            names = [dtypes.of(v.array.dtype).name for v in (input, t)]
            text = f"expected scalar type {spoken(input)} but found {spoken(t)}"
            if names[0] == "float32":
                text = (
                    f"Input type ({input.type()}) and {name} type ({t.type()}) should be the same or input should be "
                )
                text += f"a MKLDNN tensor and {name} is a dense tensor"
            mend = f"convert the input: x.to({t.dtype})"
            raise refuse(RuntimeError, text, op, input, weight, mend=mend)
    if kind.kind == "b":
        raise unsupported(kernel, op, input, weight)


# ------------------------------------------------------------------------------------------ convolutions
def _convolved(
    n: int, input: Tensor, weight: Tensor, bias: Tensor | None, stride: Any, padding: Any, dilation: Any, groups: int
) -> Tensor:
    op = f"conv{n}d"
    words = isinstance(padding, str)
    given = {"stride": stride, "padding": 0 if words else padding, "dilation": dilation}
    found = _checked(n, op, input, weight, bias, given, groups, words)
    steps, spread, x, w = found["stride"], found["dilation"], input.array, weight.array
    reach = [d * (k - 1) for d, k in zip(spread, w.shape[2:], strict=True)]
    if not words:
        before = found["padding"]
        padded = [size + 2 * p for size, p in zip(x.shape[-n:], before, strict=True)]
    else:
        if padding == "same":
            if max(steps) > 1:
                text = "padding='same' is not supported for strided convolutions"
                raise refuse(RuntimeError, text, op, input, weight)
        elif padding != "valid":
            raise refuse(RuntimeError, f"Invalid padding string: '{padding}'", op, input, weight)
        same = padding == "same"
        before = tuple(r // 2 if same else 0 for r in reach)  # an even kernel has the larger half behind
        padded = [size + (r if same else 0) for size, r in zip(x.shape[-n:], reach, strict=True)]
    windows = tuple([(size - r - 1) // s + 1 for size, r, s in zip(padded, reach, steps, strict=True)])
    if min(windows) < 1:
        text = f"Calculated padded input size per channel: ({_times(padded)}). Kernel size: "
        text += f"({_times([r + 1 for r in reach])}). Kernel size can't be greater than actual input size"
        raise refuse(RuntimeError, text, op, input, weight, mend="the input is too small for this layer")
    _check_dtypes(op, "slow_conv2d_cpu" if n < 3 else "slow_conv3d_cpu", input, weight, bias)
    batch = input if x.ndim == n + 2 else ops.unsqueeze(input, axis=0)
    how: dict[str, Any] = dict(windows=windows, slide=Slide(steps, before, spread), groups=groups)
    y = _ops.convolution(batch, weight, **how) if bias is None else _ops.convolution(batch, weight, bias, **how)
    return y if batch is input else as_own(ops.squeeze(y, axis=(0,)))


def _times(sizes: Sequence[int]) -> str:
    return " x ".join(map(str, sizes))


def _transposed(
    n: int, input: Tensor, weight: Tensor, bias: Tensor | None, stride: Any, padding: Any, output_padding: Any,
    groups: int, dilation: Any,
) -> Tensor:  # fmt: skip
    op = f"conv_transpose{n}d"
    given = {"stride": stride, "padding": padding, "output_padding": output_padding, "dilation": dilation}
    found = _checked(n, op, input, weight, bias, given, groups)
    _check_dtypes(
        op, "slow_conv_transpose2d_out_cpu" if n < 3 else "slow_conv_transpose3d_out_cpu", input, weight, bias
    )
    x, w = input.array, weight.array
    sizes = []
    axes = zip(x.shape[-n:], w.shape[2:], *found.values(), strict=True)
    for size, k, s, p, extra, d in axes:
        if extra >= s and extra >= d:
            raise refuse(RuntimeError, _too_much(n, found), op, input, weight)
        sizes.append((size - 1) * s - 2 * p + d * (k - 1) + extra + 1)
    if min(sizes) < 0 or (0 in sizes and (n == 3 or x.dtype.char != "f")):
        size = list(x.shape)
        text = f"Given input size per channel: ({_times(x.shape[-n:])}). Calculated output size per channel: "
        raise refuse(RuntimeError, f"{text}({_times(sizes)}). Output size is too small", op, input, weight)
    batch = input if x.ndim == n + 2 else ops.unsqueeze(input, axis=0)
    slide = Slide(found["stride"], found["padding"], found["dilation"])
    how: dict[str, Any] = dict(size=tuple(sizes), slide=slide, groups=groups)
    y = (
        _ops.convolution_transpose(batch, weight, **how)
        if bias is None
        else _ops.convolution_transpose(batch, weight, bias, **how)
    )
    return y if batch is input else as_own(ops.squeeze(y, axis=(0,)))


def _too_much(n: int, found: dict[str, tuple[int, ...]]) -> str:
    """PyTorch's sentence about an output padding that is not smaller than stride or dilation."""
    axes = ("depth", "height", "width")[-max(n, 2) :]
    lead = max(0, 2 - n)
    told = [
        f"{name}_{axis}: {value}"
        for name, first in (("output_padding", 0), ("stride", 1), ("dilation", 1))
        for axis, value in zip(axes, (first,) * lead + found[name], strict=True)
    ]
    return "output padding must be smaller than either stride or dilation, but got " + " ".join(told)


# ------------------------------------------------------------------------------------------ columns
def unfold(input: Tensor, kernel_size: Ints, dilation: Ints = 1, padding: Ints = 0, stride: Ints = 1) -> Tensor:
    """What each window of an image sees, as a column: input (N, C, H, W) or (C, H, W) → (N, C·k·l, windows).

    See `nn.Unfold`.

    >>> torch.nn.functional.unfold(torch.arange(4.0).reshape(1, 2, 2), (1, 2))
    tensor([[0., 2.],
            [1., 3.]])
    """
    op = "im2col"
    how = _window_arguments(op, input, kernel_size, dilation, padding, stride)
    x = input.array
    if x.ndim not in (3, 4) or 0 in x.shape[1 if x.ndim == 4 else 0 :]:
        text = (
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, "
        )
        raise refuse(RuntimeError, f"{text}but got: {list(x.shape)}", "unfold", input)
    windows = _windows_of(x.shape[-2:], how)
    if min(windows) < 1:
        text = (
            f"Given input with spatial size ({x.shape[-2]}, {x.shape[-1]}), {_told(how)}, calculated shape of the "
            f"array of sliding blocks as ({windows[0]}, {windows[1]}), but its components must be at least one."
        )
        raise refuse(RuntimeError, text, "unfold", input)
    batch = input if x.ndim == 4 else ops.unsqueeze(input, axis=0)
    y = _windows.im2col(batch, windows=windows, window=how)
    return y if batch is input else as_own(ops.squeeze(y, axis=(0,)))


def fold(
    input: Tensor, output_size: Ints, kernel_size: Ints, dilation: Ints = 1, padding: Ints = 0, stride: Ints = 1
) -> Tensor:
    """The sum of windows, each at its place: input (N, C·k·l, windows) → (N, C, *output_size), as `unfold` transposed.

    See `nn.Fold`.

    >>> torch.nn.functional.fold(torch.ones(4, 2), (2, 3), (2, 2))
    tensor([[[1., 2., 1.],
             [1., 2., 1.]]])
    """
    op = "col2im"
    how = _window_arguments(op, input, kernel_size, dilation, padding, stride, output_size)
    x, size = input.array, sizes(output_size, 2) or ()
    if len(size) != 2:
        raise refuse(RuntimeError, f"It is expected output_size equals to 2, but got size {len(size)}", "fold", input)
    if x.ndim not in (2, 3) or 0 in x.shape[x.ndim - 2 :]:
        text = "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero dimensions for "
        raise refuse(RuntimeError, f"{text}input, but got: {list(x.shape)}", "fold", input)
    places, kernel = prod(how.kernel), how.kernel
    if x.shape[-2] % places:
        text = "Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got "
        text += f"input.size(1)={x.shape[-2]} and kernel_size=({kernel[0]}, {kernel[1]})."
        raise refuse(RuntimeError, text, "fold", input)
    windows = _windows_of(size, how)
    if prod(windows) != x.shape[-1] or min(windows) < 1:
        told = f"Given output_size=({size[0]}, {size[1]}), {_told(how)}, expected "
        if prod(windows) != x.shape[-1]:
            told += f"size of input's dimension 2 to match the calculated number of sliding blocks {windows[0]} * "
            told += f"{windows[1]} = {prod(windows)}, but got input.size(2)={x.shape[-1]}."
        raise refuse(RuntimeError, told, "fold", input)
    batch = input if x.ndim == 3 else ops.unsqueeze(input, axis=0)
    y = _windows.col2im(batch, size=size, windows=windows, window=how)
    return y if batch is input else as_own(ops.squeeze(y, axis=(0,)))


def _window_arguments(
    op: str, input: Tensor, kernel_size: Any, dilation: Any, padding: Any, stride: Any, *more: Any
) -> Window:
    only_tensors(op, input=input)
    given = {"kernel_size": kernel_size, "dilation": dilation, "padding": padding, "stride": stride}
    found = {name: sizes(value, 2) for name, value in given.items()}
    for i, (name, values) in enumerate(found.items(), 2 + len(more)):
        if values is None:
            raise not_a("tuple of ints", given[name], op, name, i)
        if len(values) != 2:
            raise refuse(RuntimeError, f"It is expected {name} equals to 2, but got size {len(values)}", op, input)
    kernel, spread, before, steps = (v or () for v in found.values())
    for name, word, values, least in (
        ("kernel", "kernel_height", kernel, 1), ("dilation", "dilation_height", spread, 1),
        ("padding", "pad_height", before, 0), ("stride", "stride_height", steps, 1),
    ):  # fmt: skip
        if min(values) < least:
            wide = word.replace("height", "width")
            what = {"kernel": "kernel size", "padding": "padding"}.get(name, name)
            kind = "non-negative" if least == 0 else "greater than zero"
            text = f"{what} should be {kind}, but got {word}: {values[0]} {wide}: {values[1]}"
            raise refuse(RuntimeError, text, op, input)
    if input.array.dtype.kind != "f" and input.array.dtype != bool:
        raise unsupported(f"{op}_out_cpu", op, input)
    return Window(kernel, steps, before, spread)


def _windows_of(size: Sequence[int], how: Window) -> tuple[int, ...]:
    axes = zip(size, *how, strict=True)
    return tuple((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in axes)


def _told(how: Window) -> str:
    return f"kernel_size={how.kernel}, dilation={how.dilation}, padding={how.before}, stride={how.stride}"
