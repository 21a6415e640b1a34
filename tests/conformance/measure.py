"""What a part of the comparison found, and how two results are compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

import tinygrad_pt as tg

# By dtype: the relative and the absolute error that two right answers may differ by. The absolute one is a share of the
# largest element: where large terms cancel, the order of a summation decides the last digits of the small rest.
TOLERANCE = {"float16": (2e-3, 1e-3), "float32": (1e-5, 2e-6), "float64": (1e-9, 1e-12)}


@dataclass
class Measure:
    """How many samples agree, of how many, and what is said of each one that does not."""

    name: str
    agree: int = 0
    total: int = 0
    failures: list[str] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)  # by reason: how many samples were not tried

    def add(self, complaint: str) -> None:
        """Count one sample; an empty complaint means that it agrees."""
        self.total += 1
        if complaint:
            self.failures.append(complaint)
        else:
            self.agree += 1

    def __iadd__(self, other: Measure) -> Measure:
        self.agree, self.total = self.agree + other.agree, self.total + other.total
        self.failures += other.failures
        self.left_out += other.left_out
        return self

    @property
    def percent(self) -> float:
        """The share that agrees; 100 where nothing was tried."""
        return 100 * self.agree / self.total if self.total else 100.0

    def __str__(self) -> str:
        return f"{self.name}: {self.agree:,} of {self.total:,} = {self.percent:.2f} %"


def difference(theirs: Any, ours: Any, slack: float = 1.0, history: bool = True, truth: Any = None) -> str:
    """Why our result is not PyTorch's, in a few words; "" if it is.

    `slack` multiplies the tolerance. With `history`, whether a result requires grad counts, too. An element may be
    that of `truth` instead, the same result computed in float64: the nearer of two roundings is no fault.
    """
    if isinstance(theirs, torch.Tensor):
        if not isinstance(ours, tg.Tensor):
            return f"a {type(ours).__name__} instead of a tensor"
        if history and theirs.requires_grad != ours.requires_grad:
            return f"requires_grad is {ours.requires_grad}, PyTorch's is {theirs.requires_grad}"
        if str(theirs.dtype) != str(ours.dtype):
            return f"{ours.dtype} instead of {theirs.dtype}"
        if tuple(theirs.shape) != tuple(ours.shape):
            return f"shape {tuple(ours.shape)} instead of {tuple(theirs.shape)}"
        exact = truth.numpy(force=True) if isinstance(truth, torch.Tensor) else None
        return array_difference(theirs.numpy(force=True), ours.detach().numpy(), slack, exact)
    if isinstance(theirs, (tuple, list)):
        if not isinstance(ours, (tuple, list)) or isinstance(theirs, tuple) != isinstance(ours, tuple):
            return f"a {type(ours).__name__} instead of a {type(theirs).__name__}"
        if len(theirs) != len(ours):
            return f"{len(ours)} results instead of {len(theirs)}"
        exacts = truth if isinstance(truth, (tuple, list)) else [None] * len(theirs)
        found = [difference(a, b, slack, history, c) for a, b, c in zip(theirs, ours, exacts, strict=True)]
        return next((f"result {i}: {text}" for i, text in enumerate(found) if text), "")
    if isinstance(theirs, (torch.dtype, torch.device)):
        return "" if str(theirs) == str(ours) else f"{ours} instead of {theirs}"
    if type(theirs) is not type(ours):
        return f"a {type(ours).__name__} instead of a {type(theirs).__name__}"
    if isinstance(theirs, float):
        return array_difference(np.asarray(theirs), np.asarray(ours), slack)
    return "" if theirs == ours else f"{ours!r} instead of {theirs!r}"


@np.errstate(all="ignore")
def array_difference(theirs: np.ndarray, ours: np.ndarray, slack: float = 1.0, truth: np.ndarray | None = None) -> str:
    """Why two arrays of one shape and dtype differ by more than rounding; "" if they do not."""
    if theirs.dtype.kind not in "fc":
        same = theirs == ours
    else:
        same = near(theirs, ours, slack)
        if truth is not None and truth.shape == theirs.shape:
            same |= near(truth.astype(theirs.dtype), ours, slack)
    if same.all():
        return ""
    place = tuple(int(i) for i in np.argwhere(~same)[0])
    where = f" at {list(place)}" if place else ""
    return f"{ours[place]!s} instead of {theirs[place]!s}{where} ({(~same).sum()} of {same.size} elements)"


def near(theirs: np.ndarray, ours: np.ndarray, slack: float) -> np.ndarray:
    """Which elements differ by no more than the tolerance of their dtype."""
    relative, absolute = TOLERANCE[theirs.dtype.name]
    a, b = theirs.astype(np.float64), ours.astype(np.float64)
    finite = np.abs(a[np.isfinite(a)])
    bound = slack * (relative * np.abs(a) + absolute * max(1.0, finite.max() if finite.size else 1.0))
    return (a == b) | (np.isnan(a) & np.isnan(b)) | (np.abs(a - b) <= bound)


def shown(value: Any) -> str:
    """An argument as one would write it, a larger tensor by its shape."""
    if isinstance(value, torch.Tensor):
        kind = str(value.dtype).removeprefix("torch.")
        leaf = ", requires_grad=True" if value.requires_grad else ""
        try:
            strides = "" if value.is_contiguous() else f", strides {tuple(value.stride())}"
            if value.numel() <= 6:
                return f"tensor({value.tolist()}, {kind}{strides}{leaf})"
        except (RuntimeError, NotImplementedError):
            strides = f", {value.layout}"
        return f"tensor({kind} {tuple(value.shape)}{strides}{leaf})"
    if isinstance(value, (list, tuple)):
        text = ", ".join(map(shown, value))
        return f"[{text}]" if isinstance(value, list) else f"({text}{',' if len(value) == 1 else ''})"
    if callable(value) and hasattr(value, "__name__"):
        return value.__name__
    return repr(value)


def call(name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> str:
    """A call as one would write it."""
    return f"{name}({', '.join([*map(shown, args), *(f'{k}={shown(v)}' for k, v in kwargs.items())])})"


def said(error: BaseException) -> str:
    """An error in one line."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else ''}"
