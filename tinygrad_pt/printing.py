"""The printed form of arrays: character for character what PyTorch 2.13 prints for the same values.

All numbers of an array share one column width and one notation, chosen from the values that will be seen:

* integral floats print as `1.`, other floats with `precision` decimals;
* scientific notation takes over if `max/min > 1000`, `max > 10⁸` or `min < 10⁻⁴` over the magnitudes of
  the finite non-zero values;
* more than `threshold` values are summarised: `edgeitems` at either end of every axis, `...` between.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from tinygrad_pt.errors import refuse

__all__ = ["format_array", "format_tensor", "get_printoptions", "printoptions", "set_printoptions", "tensor_str"]

Array = NDArray[Any]


@dataclass(frozen=True)
class Options:
    """How arrays print; see `set_printoptions`."""

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


PROFILES = {"default": Options(), "short": Options(precision=2, edgeitems=2), "full": Options(threshold=math.inf)}

options = Options()


def set_printoptions(
    precision: int | None = None, threshold: float | None = None, edgeitems: int | None = None,
    linewidth: int | None = None, profile: str | None = None, sci_mode: bool | None = None,
) -> None:  # fmt: skip
    """Set how arrays print; what is not named stays, except `sci_mode`, which returns to automatic.

    `precision` decimals; a summary above `threshold` values with `edgeitems` at either end; lines of `linewidth`
    characters; scientific notation always, never or (None) as the values need it. A `profile` (`"default"`, `"short"`,
    `"full"`) sets the first four at once. Raises ValueError on a negative number or an unknown profile.

    >>> with printoptions(precision=2):
    ...     print(tensor_str(1 / np.float32([3, 7])))
    tensor([0.33, 0.14])
    """
    global options
    if profile is not None and profile not in PROFILES:
        text = f"profile must be one of {', '.join(map(repr, PROFILES))}, but got {profile!r}"
        raise refuse(ValueError, text, "set_printoptions")
    given = {"precision": precision, "edgeitems": edgeitems, "linewidth": linewidth}
    changes: dict[str, Any] = {name: operator.index(value) for name, value in given.items() if value is not None}
    if threshold is not None:
        changes["threshold"] = threshold
    for name, value in changes.items():
        if not value >= 0:
            raise refuse(ValueError, f"{name} must not be negative, but got {value}", "set_printoptions")
    options = replace(PROFILES[profile] if profile is not None else options, **changes, sci_mode=sci_mode)


def get_printoptions() -> dict[str, Any]:
    """The options in force, as keyword arguments of `set_printoptions`."""
    return asdict(options)


@contextmanager
def printoptions(**changes: Any) -> Iterator[None]:
    """Within the `with` block arrays print with `changes`; see `set_printoptions`."""
    global options
    before = options
    set_printoptions(**changes)
    try:
        yield
    finally:
        options = before


class Column(NamedTuple):
    """How one value of an array is written, and how many characters every value takes."""

    write: Callable[[Any], str]
    width: int


def _column(values: Array) -> Column:
    """The notation that fits `values`, all those that will be seen."""
    if values.dtype.kind == "c":
        return _complex_column(_column(values.real), _column(values.imag))
    write = _float_notation(values) if values.dtype.kind == "f" else str
    seen = values[np.isfinite(values) & (values != 0)] if values.dtype.kind == "f" else values
    width = max((len(write(value)) for value in seen.ravel().tolist()), default=1)
    return Column(lambda value: write(value).rjust(width), width)


def _float_notation(values: Array) -> Callable[[float], str]:
    finite = np.abs(values[np.isfinite(values) & (values != 0)].astype(np.float64))
    scientific, whole = False, bool((finite == np.ceil(finite)).all())
    if finite.size:
        smallest, largest = finite.min(), finite.max()
        with np.errstate(over="ignore"):
            scientific = bool(largest / smallest > 1000.0 or largest > 1e8 or smallest < 1e-4)
        scientific = scientific if options.sci_mode is None else options.sci_mode
    if scientific:
        return f"{{:.{options.precision}e}}".format
    if whole:
        return lambda value: f"{value:.0f}." if math.isfinite(value) else f"{value:.0f}"
    return f"{{:.{options.precision}f}}".format


def _complex_column(real: Column, imaginary: Column) -> Column:
    def write(value: complex) -> str:
        tail = (imaginary.write(value.imag) + "j").lstrip()
        return real.write(value.real) + (tail if tail[0] in "+-" else "+" + tail)

    return Column(write, real.width + imaginary.width + 1)


def _summary(array: Array) -> Array:
    """The values a summary shows: the ends of every axis that is longer than both of them."""
    edge = options.edgeitems
    ends = [np.r_[:edge, n - edge : n] if n > 2 * edge else np.arange(n) for n in array.shape]
    return array[np.ix_(*ends)]  # at once, since an expanded array may have more elements than the memory


def _nested(array: Array, indent: int, summarise: bool, column: Column) -> str:
    """`array` in brackets, its inner lines starting `indent + 1` characters from the left."""
    if array.ndim == 0:
        return column.write(array.tolist())
    edge = options.edgeitems
    ends = [array[:edge], array[len(array) - edge :]] if summarise and len(array) > 2 * edge else [array]
    if array.ndim == 1:
        parts = [[column.write(value) for value in end.tolist()] for end in ends]
        items = _around(" ..." if edge else "...", parts)
        per_line = max(1, (options.linewidth - indent) // (column.width + 2))
        rows = [", ".join(items[i : i + per_line]) for i in range(0, len(items), per_line)]
        return "[" + f",\n{' ' * (indent + 1)}".join(rows) + "]"
    parts = [[_nested(inner, indent + 1, summarise, column) for inner in end] for end in ends]
    newlines = "\n" * (array.ndim - 1)
    return "[" + f",{newlines}{' ' * (indent + 1)}".join(_around("...", parts)) + "]"


def _around(dots: str, parts: list[list[str]]) -> list[str]:
    return parts[0] if len(parts) == 1 else [*parts[0], dots, *parts[1]]


def format_array(array: ArrayLike, indent: int = 0) -> str:
    """The values of `array`, any shape and dtype, in nested brackets; later lines are indented to match.

    >>> print(format_array(np.float32([[0, -1.5], [np.nan, 10]])))
    [[ 0.0000, -1.5000],
     [    nan, 10.0000]]
    """
    array = np.asarray(array)
    if array.size == 0:
        return "[]"
    summarise = array.size > options.threshold
    column = _column(_summary(array) if summarise else array)
    return _nested(array, indent, summarise, column)


def format_tensor(array: ArrayLike, *, suffixes: Sequence[str] = (), prefix: str = "tensor(") -> str:
    """`prefix`, the values, the `suffixes` each after a comma, and `)`.

    A suffix that would cross `linewidth` starts a line of its own.

    >>> format_tensor(np.arange(3), suffixes=["dtype=torch.int16", "requires_grad=True"])
    'tensor([0, 1, 2], dtype=torch.int16, requires_grad=True)'
    """
    text = prefix + format_array(array, len(prefix))
    column = len(text) - text.rfind("\n") + 1  # one or two too many, as PyTorch counts
    for suffix in suffixes:
        if column + len(suffix) + 2 > options.linewidth:
            text += ",\n" + " " * len(prefix) + suffix
            column = len(prefix) + len(suffix)
        else:
            text += ", " + suffix
            column += len(suffix) + 2
    return text + ")"


def tensor_str(
    array: ArrayLike, *, dtype_name: str | None = None, extra: Sequence[str] = (), prefix: str = "tensor(",
    default_dtype: DTypeLike = np.float32,
) -> str:  # fmt: skip
    """The `repr` of a tensor of these values: its shape and dtype are told where the values cannot tell.

    The shape of an empty array is shown unless it is `(0,)`. The dtype, as `dtype_name` or else `torch.` and NumPy's
    name, is shown unless it is the default one; if there are values, int64, bool and the default's complex counterpart
    go without saying too. `extra` suffixes come last.

    >>> tensor_str(np.zeros((2, 0)), extra=["requires_grad=True"])
    'tensor([], size=(2, 0), dtype=torch.float64, requires_grad=True)'
    >>> tensor_str(np.float32(2.5), extra=["grad_fn=<SumBackward0>"])
    'tensor(2.5000, grad_fn=<SumBackward0>)'
    """
    array = np.asarray(array)
    default = np.dtype(default_dtype)
    implied = {default}
    if array.size:
        implied |= {np.dtype(np.int64), np.dtype(np.bool), np.result_type(default, np.complex64)}
    suffixes = []
    if (array.size == 0 and array.ndim != 1) or (array.size and not options.edgeitems):
        suffixes.append(f"size={array.shape}")
    if array.dtype not in implied:
        suffixes.append(f"dtype={dtype_name or 'torch.' + array.dtype.name}")
    return format_tensor(array, suffixes=[*suffixes, *extra], prefix=prefix)
