"""Errors that say what PyTorch says, and then which op, which shapes, which module, and what mends it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def describe(value: Any) -> str:
    """`float32[2, 3]` for anything with dtype and shape, otherwise the value or its type, in short.

    >>> import numpy as np
    >>> describe(np.zeros((2, 3), "float32")), describe(2.5), describe([1])
    ('float32[2, 3]', '2.5', 'list')
    """
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        kind = getattr(value.dtype, "name", value.dtype)
        return f"{kind}{list(value.shape)}"
    if isinstance(value, (bool, int, float, complex)):
        return repr(value)
    return type(value).__name__


def class_name(kind: type) -> str:
    """A class with its module, unless it is built in.

    >>> import collections
    >>> class_name(int), class_name(collections.OrderedDict)
    ('int', 'collections.OrderedDict')
    """
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def failure(
    kind: type[Exception],
    text: str,
    *,
    op: str = "",
    args: Any = (),
    scope: Any = None,
    mend: str = "",
    facts: Mapping[str, Any] | None = None,
) -> Exception:
    """An exception of `kind`: PyTorch's text first, then the op with its arguments, the module, `facts`, the mend.

    >>> print(failure(ValueError, "bad", op="mul", args=(2.0,), mend="reshape one of them"))
    bad
      op: mul(2.0)
      mend: reshape one of them
    """
    lines = [text]
    if op:
        lines.append(f"  op: {op}({', '.join(map(describe, args))})")
    if scope:
        lines.append(f"  module: {scope}")
    lines += [f"  {name}: {fact}" for name, fact in (facts or {}).items() if fact]
    if mend:
        lines.append(f"  mend: {mend}")
    return kind("\n".join(lines))


def broadcast_text(a: tuple[int, ...], b: tuple[int, ...]) -> str:
    """PyTorch's sentence about two shapes that do not broadcast together, or "" if they do.

    >>> broadcast_text((3,), (4,))
    'The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 0'
    """
    width = max(len(a), len(b))
    for i in range(1, width + 1):
        m = a[-i] if i <= len(a) else 1
        n = b[-i] if i <= len(b) else 1
        if m != n and m != 1 and n != 1:
            return (
                f"The size of tensor a ({m}) must match the size of tensor b ({n}) "
                f"at non-singleton dimension {width - i}"
            )
    return ""


def axis_of(axis: Any, ndim: int) -> int:
    """`axis` as 0 … ndim-1; PyTorch's IndexError or TypeError where it is none. A 0-d array has axes -1 and 0."""
    if isinstance(axis, bool) or not hasattr(axis, "__index__"):
        raise TypeError(f"dim must be an int, not {type(axis).__name__}")
    axis = axis.__index__()
    width = ndim or 1
    if not -width <= axis < width:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-width}, {width - 1}], but got {axis})")
    return axis % width
