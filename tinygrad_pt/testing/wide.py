"""Extended precision: the digits beyond float64 in which the checker asks what rounding does to a function."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np

from tinygrad_pt import dtypes
from tinygrad_pt.graph import OPS, Array
from tinygrad_pt.listening import Listener, listen

DOUBLE, WIDE = np.dtype(np.float64), np.dtype(np.longdouble)
RATIO = float(np.finfo(WIDE).eps / np.finfo(DOUBLE).eps)  # of a rounding there to one in float64
WIDER = RATIO < 1e-2  # on x86 it is 2⁻¹¹; on some machines longdouble is float64, and then nothing is wider


def _gauss(a: Array, *, c: float) -> Array:
    """e^(-c a²); h² has no rounding, which e to its power would enlarge."""
    x = np.clip(a.astype(WIDE), -40, 40)
    h = x.astype(np.float32).astype(WIDE)
    return np.asarray(np.exp(-c * (h * h)) * np.exp(-c * ((x - h) * (x + h)))).astype(a.dtype)


def _erf_near(x: Array) -> Array:
    """erf x = 2/√π · e^(-x²) · Σ 2ⁿ x²ⁿ⁺¹ / (1·3·5·…·(2n+1)), in which nothing cancels; for |x| < 2."""
    x = np.clip(x, -2, 2)
    term = total = x * 2 / ROOT_PI
    for n in range(1, 60):
        term = term * (2 * x * x) / (2 * n + 1)
        total = total + term
    return np.asarray(total * _gauss(x, c=1))


def _erfc_far(x: Array) -> Array:
    """erfc x = e^(-x²)/√π · 1/(x + ½/(x + 1/(x + 1½/(x + …)))); for x > 2."""
    x = np.clip(x, 2, 40)
    t = x
    for n in range(240, 0, -1):
        t = x + n / (2 * t)
    return np.asarray(_gauss(x, c=1) / (ROOT_PI * t))


def _erfc(x: Array) -> Array:
    far = np.where(x > 0, _erfc_far(np.abs(x)), 2 - _erfc_far(np.abs(x)))
    return np.where(np.abs(x) < 2, 1 - _erf_near(x), far)


def _erf(a: Array) -> Array:
    x = np.asarray(a).astype(WIDE)
    far = np.sign(x) * (1 - _erfc_far(np.abs(x)))
    return np.asarray(np.where(np.abs(x) < 2, _erf_near(x), far) + 0 * x).astype(a.dtype)


def _normal(a: Array) -> Array:
    x = -np.asarray(a).astype(WIDE) / np.sqrt(WIDE.type(2))
    return np.asarray(_erfc(x) / 2 + 0 * x).astype(a.dtype)


ROOT_PI = np.sqrt(np.arccos(WIDE.type(-1)))
FORWARD: dict[str, Any] = {"erf": _erf, "gauss": _gauss, "normal": _normal}
"""Of ops whose own forward has no more digits than float64; a test over all ops finds which."""
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
        with listen(Listener()):  # who is listened to applies ops in the general way, which asks `op.forward`
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
