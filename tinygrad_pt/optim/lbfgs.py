"""Steps from a quadratic model of the loss, which the last steps and gradients make: L-BFGS."""

# fmt: off
from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.inplace import touched
from tinygrad_pt.modes import enable_grad, no_grad
from tinygrad_pt.optim.optimizer import Optimizer, Options, ParamsT, scalar
from tinygrad_pt.tensor import Tensor

__all__ = ["LBFGS"]

ENOUGH, FLAT = 1e-4, 0.9  # Wolfe's constants: of the decrease of the loss, and of that of its slope


class Point(NamedTuple):
    """A place on a line: how far along it is, the loss, its gradient, and its slope along the line."""

    t: Any
    loss: float
    g: np.ndarray
    slope: Any


def lowest(a: Point, b: Point, least: Any = None, most: Any = None) -> Any:
    """Where the cubic through two points, with their slopes, is lowest; within bounds, by default those points."""
    if least is None:
        least, most = (a.t, b.t) if a.t <= b.t else (b.t, a.t)
    d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = d1**2 - a.slope * b.slope
    if not square >= 0:
        return (least + most) / 2.0
    d2 = np.sqrt(square)
    if a.t <= b.t:
        t = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
    else:
        t = a.t - (a.t - b.t) * ((a.slope + d2 - d1) / (a.slope - b.slope + 2 * d2))
    return min(max(t, least), most)


def strong_wolfe(
    evaluate: Callable[[Any], Point], start: Point, t: Any, length: Any, shortest: float, most: int
) -> tuple[Point, int]:
    """A point that keeps the strong Wolfe conditions, or the best found in `most` evaluations; and their number.

    f(t) ≤ f(0) + c₁·t·f'(0) and |f'(t)| ≤ c₂·|f'(0)|. First the step grows until an interval holds such a point, then
    the interval shrinks, until it is shorter than `shortest` (times `length`, of the direction). Source: J. Nocedal,
    S. Wright, Numerical optimization, 2006, algorithms 3.5 and 3.6.
    """

    def too_high(p: Point) -> bool:
        return bool(p.loss > start.loss + ENOUGH * p.t * start.slope)

    def flat(p: Point) -> bool:
        return bool(abs(p.slope) <= -FLAT * start.slope)

    before, now = start, evaluate(t)
    tried, ends = 0, None
    while tried < most:
        if too_high(now) or (tried > 1 and now.loss >= before.loss):
            ends = [before, now]
            break
        if flat(now):
            return now, tried + 1
        if now.slope >= 0:
            ends = [before, now]
            break
        t = lowest(before, now, now.t + 0.01 * (now.t - before.t), now.t * 10)
        before, now = now, evaluate(t)
        tried += 1
    ends = ends or [start, now]
    low, high = (0, 1) if ends[0].loss <= ends[1].loss else (1, 0)
    slow = False
    while tried < most and not abs(ends[1].t - ends[0].t) * length < shortest:
        t = lowest(*ends)
        left, right = min(ends[0].t, ends[1].t), max(ends[0].t, ends[1].t)
        margin = 0.1 * (right - left)
        if min(right - t, t - left) < margin:  # close to an end once is accepted, twice is not
            if slow or t >= right or t <= left:
                t = right - margin if abs(t - right) < abs(t - left) else left + margin
                slow = False
            else:
                slow = True
        else:
            slow = False
        now = evaluate(t)
        tried += 1
        if too_high(now) or now.loss >= ends[low].loss:
            ends[high] = now
            low, high = (0, 1) if ends[0].loss <= ends[1].loss else (1, 0)
            continue
        if flat(now):
            ends[low] = now
            break
        if now.slope * (ends[high].t - ends[low].t) >= 0:
            ends[high] = ends[low]
        ends[low] = now
    return ends[low], tried + 1


def kept(value: Any) -> Any:
    """A number or array as a state keeps it: computed ones are tensors."""
    return wrap(np.asarray(value)) if isinstance(value, (np.ndarray, np.generic)) else value


class LBFGS(Optimizer):
    """L-BFGS: up to `max_iter` steps x ← x + t·d along d = -H·g, with gradient g of all parameters as one vector.

    H is the approximate inverse of the matrix of second derivatives that the last `history_size` steps and changes of
    g determine. t is `lr` (in the very first iteration lr·min(1, 1 / Σ|g|)), or with `line_search_fn="strong_wolfe"`
    the result of a search that begins there. `step` needs a closure, which computes the loss and its gradient anew,
    and which is called `max_eval` times at most (default 1.25·max_iter). It ends early where |g| ≤ `tolerance_grad`,
    or the parameters or the loss change by less than `tolerance_change`. There is one group of parameters. Raises
    ValueError for a negative lr or several groups, RuntimeError for another search. Source: J. Nocedal, S. Wright,
    Numerical optimization, 2006, algorithm 7.4.

    >>> x = torch.tensor([-1.5, 2.0], requires_grad=True)
    >>> optimizer = torch.optim.LBFGS([x], line_search_fn="strong_wolfe", max_iter=100)
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2
    ...     loss.backward()
    ...     return loss
    >>> optimizer.step(closure).item()
    12.5
    >>> x
    tensor([1.0000, 1.0000], requires_grad=True)
    """

    def __init__(
        self, params: ParamsT, lr: float | Tensor = 1, max_iter: int = 20, max_eval: int | None = None,
        tolerance_grad: float = 1e-7, tolerance_change: float = 1e-9, history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        super().__init__(params, {
            "lr": lr, "max_iter": max_iter, "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad, "tolerance_change": tolerance_change, "history_size": history_size,
            "line_search_fn": line_search_fn,
        })
        if len(self.param_groups) != 1:
            raise refuse(ValueError, "LBFGS doesn't support per-parameter options (parameter groups)")

    nonnegative = ("lr",)

    # ------------------------------------------------------------------------------- all parameters as one vector
    def _params(self) -> list[Tensor]:
        params: list[Tensor] = self.__dict__["param_groups"][0]["params"]
        return params

    def _gradient(self) -> np.ndarray:
        """The gradients in a row, 0 where there is none."""
        grads = ((p._grad, p.array) for p in self._params())
        return np.concatenate([np.zeros(x.size, x.dtype) if g is None else g.array.reshape(-1) for g, x in grads])

    def _move(self, t: Any, d: np.ndarray) -> None:
        """x ← x + t·d."""
        start = 0
        for p in self._params():
            x = p.array
            x += (d[start : start + x.size] * t).reshape(x.shape)
            start += x.size
            touched(p)

    def _search(
        self, closure: Callable[[], Any], t: Any, d: np.ndarray, start: Point, most: int
    ) -> tuple[Point, int]:
        """A point along d with little slope; the parameters stay where they are."""
        values = [np.array(p.array) for p in self._params()]

        def evaluate(t: Any) -> Point:
            self._move(t, d)
            loss = float(closure())
            g = self._gradient()
            for p, x in zip(self._params(), values, strict=True):
                p.array[...] = x
                touched(p)
            return Point(t, loss, g, g @ d)

        shortest = self.__dict__["param_groups"][0]["tolerance_change"]
        return strong_wolfe(evaluate, start, t, np.abs(d).max(), shortest, most)

    # ------------------------------------------------------------------------------- one step
    @no_grad()
    def step(self, closure: Callable[[], Any]) -> Any:  # type: ignore[override]
        """Improve the parameters in up to `max_iter` iterations; return the first loss that the closure gives."""
        again = enable_grad()(closure)
        (group,) = self.__dict__["param_groups"]
        state = self.state[self._params()[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        first = again()
        loss, g, evaluations = float(first), self._gradient(), 1
        state["func_evals"] += 1
        if not np.abs(g).max() <= group["tolerance_grad"]:
            with np.errstate(all="ignore"):
                self._iterate(again, group, state, loss, g, evaluations)
        return first

    def _iterate(
        self, closure: Callable[[], Any], group: Options, state: Options, loss: float, g: np.ndarray, evaluations: int
    ) -> None:
        lr, most, least = scalar(group["lr"]), group["max_iter"], group["tolerance_change"]
        for i in range(1, most + 1):
            state["n_iter"] += 1
            d = self._direction(state, group, g)
            begun = state["n_iter"] == 1
            state["prev_flat_grad"], state["prev_loss"], state["d"] = wrap(g.copy()), loss, wrap(d)
            t = min(1.0, 1.0 / np.abs(g).sum()) * lr if begun else lr
            slope = g @ d
            if slope > -least:
                state["t"] = kept(t)
                break
            before, calls = loss, 0
            if group["line_search_fn"] is not None:
                if group["line_search_fn"] != "strong_wolfe":
                    raise refuse(RuntimeError, "only 'strong_wolfe' is supported")
                here = Point(0, loss, g, slope)
                (t, loss, g, _), calls = self._search(closure, t, d, here, group["max_eval"] - evaluations)
                self._move(t, d)
            else:
                self._move(t, d)
                if i != most:  # the next step evaluates there anyway
                    loss, g, calls = float(closure()), self._gradient(), 1
            state["t"] = kept(t)
            evaluations += calls
            state["func_evals"] += calls
            if (
                evaluations >= group["max_eval"] or np.abs(g).max() <= group["tolerance_grad"]
                or np.abs(d * t).max() <= least or abs(loss - before) < least
            ):
                break

    @staticmethod
    def _direction(state: Options, group: Options, g: np.ndarray) -> np.ndarray:
        """-H·g by the recursion over the last steps s and changes y of the gradient; the newest joins them first."""
        if state["n_iter"] == 1:
            state.update(old_dirs=[], old_stps=[], ro=[], H_diag=1)
            return -g
        changes, steps, ro = state["old_dirs"], state["old_stps"], state["ro"]
        t = state["t"].array[()] if isinstance(state["t"], Tensor) else state["t"]
        y, s = g - state["prev_flat_grad"].array, state["d"].array * t
        curvature = y @ s
        if curvature > 1e-10:
            if len(changes) == group["history_size"]:
                for history in (changes, steps, ro):
                    history.pop(0)
            changes.append(wrap(y))
            steps.append(wrap(s))
            ro.append(kept(1.0 / curvature))
            state["H_diag"] = kept(curvature / (y @ y))
        al = state.setdefault("al", [None] * group["history_size"])
        d = -g
        for i in reversed(range(len(changes))):
            alpha = steps[i].array @ d * ro[i].array
            al[i] = kept(alpha)
            d -= changes[i].array * alpha
        scale = state["H_diag"]
        d *= scale.array if isinstance(scale, Tensor) else scale
        for i in range(len(changes)):
            d += steps[i].array * (al[i].array - changes[i].array @ d * ro[i].array)
        return d
