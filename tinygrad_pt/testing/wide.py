"""Extended precision: the digits beyond float64 in which the checker asks what rounding does to a function."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np

from tinygrad_pt import dtypes
from tinygrad_pt.graph import OPS, Array

DOUBLE, WIDE = np.dtype(np.float64), np.dtype(np.longdouble)
RATIO = float(np.finfo(WIDE).eps / np.finfo(DOUBLE).eps)  # of a rounding there to one in float64
WIDER = RATIO < 1e-2  # on x86 it is 2⁻¹¹; on some machines longdouble is float64, and then nothing is wider


def _erf(a: Array) -> Array:
    """erf a = 2/√π · e^(-a²) · Σ 2ⁿ a²ⁿ⁺¹ / (1·3·5·…·(2n+1)), in which nothing cancels."""
    x = np.clip(np.asarray(a), -7, 7)  # beyond, it is ±1 to the last digit
    term = total = x * 2 / np.sqrt(np.arccos(WIDE.type(-1)))
    for n in range(1, 240):
        term = term * (2 * x * x) / (2 * n + 1)
        total = total + term
    return np.asarray(total * np.exp(-x * x))


FORWARD = {"erf": _erf}  # of ops whose own forward has no more digits than float64
_inside = 0


def computing(kind: Any) -> Any:
    """Context manager: inside, tensors may have this precision."""
    return _extended() if kind is WIDE else nullcontext()


@contextmanager
def _extended() -> Iterator[None]:
    global _inside
    _inside += 1
    if _inside == 1:
        _exchange()
    try:
        yield
    finally:
        _inside -= 1
        if not _inside:
            _exchange()


EXTENDED = dtypes.dtype("longdouble", "LongDouble", "long double", 2)


def _exchange() -> None:
    """Let dtypes know extended precision, or forget it; and exchange the forwards."""
    if dtypes._by_numpy.pop(WIDE, None) is None:
        dtypes._by_numpy[WIDE] = EXTENDED
    for name, forward in FORWARD.items():
        FORWARD[name], OPS[name].forward = OPS[name].forward, forward
