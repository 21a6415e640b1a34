"""`disagrees` compares the rule of one edge with finite differences of the forward."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_pt.graph import Op
from tinygrad_pt.ops import sum_to

ELEMENTS, DIRECTIONS = 24, 2  # how many elements of an argument are moved one by one, and how many times all of them
AGREED = 1e-3  # relative to the larger of the two, and to the largest element of the gradient


def disagrees(op: Op, xs: Sequence[Any], attrs: dict[str, Any], slot: int, part: int | None = None) -> bool:
    """Whether the rule of argument `slot` is not the derivative of the forward at these arguments.

    Both are computed in float64. A sum of the result with positive weights g is differentiated: by the rule, and by
    differences along single elements and random directions. At a corner the rule may be any slope between those of the
    two sides. Where the forward leaves its domain, or rounding leaves no digits, nothing is said.
    """
    rng = np.random.default_rng(0)
    rules = op.rules_for(len(xs))
    # Arguments behind those that have rules are what was known already of the others, as the mean of a batch.
    xs = [_wide(x) for x in xs[: len(rules)]]
    with np.errstate(all="ignore"):
        return _disagrees(op, rules[slot], xs, attrs, slot, part, rng)


def _disagrees(
    op: Op, rule: Any, xs: list[Any], attrs: dict[str, Any], slot: int, part: int | None, rng: np.random.Generator
) -> bool:
    whole = op.forward(*xs, **attrs)
    results = list(map(np.asarray, whole)) if part is not None else [np.asarray(whole)]
    y = results[part or 0]
    weights = rng.uniform(0.5, 1.5, y.shape)
    g: Any = weights
    if part is not None:
        g = [weights if i == part else np.zeros(r.shape, r.dtype) for i, r in enumerate(results)]
    x: NDArray[Any] = np.asarray(xs[slot])
    r = np.asarray(rule(g, results[0], *xs, **attrs))
    r = r if r.shape == x.shape else np.asarray(sum_to(r, shape=x.shape))

    def value(moved: NDArray[Any]) -> tuple[float, float]:
        """The weighted sum of the result, and the size of what was added up."""
        found = op.forward(*xs[:slot], moved, *xs[slot + 1 :], **attrs)
        terms = weights * np.asarray(found if part is None else found[part])
        return float(terms.sum()), float(np.abs(terms).sum())

    eps = float(np.finfo(y.dtype).eps)
    middle = value(x)
    for direction, alone in _directions(x, rng):
        drawn = float((r * direction).sum()) if alone else float(np.vdot(r, direction))
        verdicts = []
        for size in _sizes(x, direction):
            h = size * eps ** (1 / 3)
            ahead, behind = value(x + h * direction), value(x - h * direction)
            right, left = (ahead[0] - middle[0]) / h, (middle[0] - behind[0]) / h
            if not (np.isfinite(right) and np.isfinite(left)):
                continue
            central = (right + left) / 2
            noise = 4 * eps * (ahead[1] + behind[1]) / h
            scale = max(abs(central), abs(drawn)) if np.isfinite(drawn) else abs(central)
            if noise > 0.01 * scale and noise > 0:
                continue
            margin = AGREED * max(scale, float(np.abs(r).max(initial=0)) if np.isfinite(r).all() else 0.0) + noise
            corner = abs(right - left) > 10 * margin
            if corner and not alone:
                continue
            low, high = (min(left, right), max(left, right)) if corner else (central, central)
            verdicts.append(bool(low - margin <= drawn <= high + margin))
        if verdicts and not any(verdicts):
            return True
    return False


def _wide(x: Any) -> Any:
    return x.astype(np.float64) if isinstance(x, (np.ndarray, np.generic)) and x.dtype.kind == "f" else x


def _directions(x: NDArray[Any], rng: np.random.Generator) -> Iterator[tuple[NDArray[Any], bool]]:
    """Single elements, and then directions in which all elements move."""
    for at in range(x.size) if x.size <= ELEMENTS else rng.choice(x.size, ELEMENTS, replace=False):
        direction = np.zeros(x.size)
        direction[at] = 1
        yield direction.reshape(x.shape), True
    if x.size > 1:
        for _ in range(DIRECTIONS):
            yield rng.uniform(0.5, 1.5, x.shape) * rng.choice([-1.0, 1.0], x.shape), False


def _sizes(x: NDArray[Any], direction: NDArray[Any]) -> Iterator[float]:
    """Over which lengths the forward may be expected to change: 1, and the size of what is moved."""
    yield 1.0
    own = float(np.abs(x[direction != 0]).max(initial=0))
    if own and not 0.1 < own < 10:
        yield own
