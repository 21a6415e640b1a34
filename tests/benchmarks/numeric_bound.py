"""How far numerical slopes are from the truth, and whether the error bound we give holds: mpmath's 50 digits know.

Run `python -m tests.benchmarks.numeric_bound`. Every function is differentiated at 400 points whose sizes are spread
over 16 decades (or over the part of them in which the function has values), of both signs where its domain has both.
A bound holds if |slope - truth| ≤ bound; a bound that is not finite, or wider than a thousandth of the slope, is
counted as *useless* beside. The steps of other checkers are run at the same points. The last function is shown but not
counted: its own values are wrong (of 1 - cos x no digit is left below 1e-8), and no method that sees nothing but values
can tell.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from tests.benchmarks.checkers import show
from tinygrad_pt.testing import numerical_gradient


@dataclass(frozen=True)
class Function:
    """A function in NumPy, its derivative in mpmath, and the decades of |x|: 16 unless it leaves the doubles before."""

    name: str
    f: Callable[[Any], Any]
    slope: Callable[[Any], Any]
    low: float
    high: float
    signed: bool = True
    counted: bool = True

    def points(self, count: int, seed: int) -> Any:
        """Points whose sizes are spread evenly over the decades."""
        draw = np.random.default_rng([seed, *map(ord, self.name)])
        x = 10 ** draw.uniform(self.low, self.high, count)
        return x * draw.choice([-1.0, 1.0], count) if self.signed else x


def _gelu(x: Any) -> Any:
    return 0.5 * x * (1 + np.tanh(0.7978845608028654 * (x + 0.044715 * x**3)))


def functions() -> list[Function]:
    """Twelve and more: entire ones, some with an edge, a pole or tails, and some that cancel."""
    from mpmath import mp, mpf

    mp.dps = 50

    def gelu_slope(x: Any) -> Any:
        k, c = mpf(0.7978845608028654), mpf(0.044715)
        u = mp.tanh(k * (x + c * x**3))
        return (1 + u) / 2 + x / 2 * (1 - u**2) * k * (1 + 3 * c * x**2)

    def sigmoid(x: Any) -> Any:
        return 1 / (1 + mp.exp(-x))

    return [
        Function("sin", np.sin, mp.cos, -12, 4),
        Function("exp", np.exp, mp.exp, -13.3, 2.7),
        Function("log", np.log, lambda x: 1 / x, -8, 8, False),
        Function("sqrt", np.sqrt, lambda x: 1 / (2 * mp.sqrt(x)), -8, 8, False),
        Function("1/x", lambda x: 1 / x, lambda x: -1 / x**2, -8, 8),
        Function("x³", lambda x: x**3, lambda x: 3 * x**2, -8, 8),
        Function("x² - 2x", lambda x: x * x - 2 * x, lambda x: 2 * x - 2, -8, 8),
        Function("tanh", np.tanh, lambda x: mp.sech(x) ** 2, -13.5, 2.5),
        Function("sigmoid", lambda x: 1 / (1 + np.exp(-x)), lambda x: sigmoid(x) * sigmoid(-x), -13.4, 2.6),
        Function("softplus", lambda x: np.logaddexp(0, x), sigmoid, -12, 4),
        Function("atan", np.arctan, lambda x: 1 / (1 + x * x), -8, 8),
        Function("log1p", np.log1p, lambda x: 1 / (1 + x), -8, 8, False),
        Function("√(1 + x²)", lambda x: np.sqrt(1 + x * x), lambda x: x / mp.sqrt(1 + x * x), -8, 8),
        Function("x·sin(1/x)", lambda x: x * np.sin(1 / x), lambda x: mp.sin(1 / x) - mp.cos(1 / x) / x, -4, 12),
        Function("gelu, tanh form", _gelu, gelu_slope, -14, 2),
        Function(
            "(1 - cos x)/x", lambda x: (1 - np.cos(x)) / x, lambda x: (x * mp.sin(x) - 1 + mp.cos(x)) / x**2, -12, 4,
            counted=False,
        ),
    ]  # fmt: skip


def central(h: Callable[[float], float]) -> Callable[[Any, float], float]:
    """Central differences with a step that depends on x."""

    def slope(f: Any, x: float) -> float:
        step = h(x)
        return float((f(np.float64(x + step)) - f(np.float64(x - step))) / (2 * step))

    return slope


OTHERS: dict[str, Callable[[Any, float], float]] = {
    "PyTorch's step, 1e-6": central(lambda x: 1e-6),
    "JAX's step, 1e-4": central(lambda x: 1e-4),
    "autograd's step, 5e-7": central(lambda x: 5e-7),
    "central, ∛ε·|x|": central(lambda x: 6.0554544523933395e-06 * abs(x)),
}


def ours(f: Any, x: float) -> tuple[float, float]:
    """Our slope and the bound on its error."""
    slope, bound = numerical_gradient(lambda v: f(v).sum(), np.array([x]), return_error=True)
    return float(slope.item()), float(bound.item())


def relative(slope: float, truth: Any) -> float:
    """The relative error; the truth is never 0 here but by underflow."""
    if not np.isfinite(slope):
        return float("inf")
    size = max(abs(truth), 1e-300)
    return float(abs(slope - truth) / size)


def main(argv: list[str] | None = None) -> int:
    """Measure; exit 1 if the bound holds at fewer than 99.9 % of all points."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-v", "--verbose", action="store_true", help="print every point at which the bound fails")
    options = parser.parse_args(argv)
    if find_spec("mpmath") is None:
        print("mpmath is not installed (pip install 'tinygrad_pt[bench]')")
        return 2
    from mpmath import mpf

    rows: list[tuple[str, ...]] = [
        ("function", "|x|", "bound held", "useless", "median error", "p99 error", "median bound")
    ]
    held = total = useless = 0
    all_errors: dict[str, list[float]] = {"ours": [], **{name: [] for name in OTHERS}}
    start = time.perf_counter()
    with np.errstate(all="ignore"):
        for function in functions():
            good, vague, errors, bounds = 0, 0, [], []
            for x in function.points(options.points, options.seed):
                truth = function.slope(mpf(float(x)))
                slope, bound = ours(function.f, float(x))
                fine = abs(mpf(slope) - truth) <= mpf(bound) if np.isfinite(slope) and np.isfinite(bound) else True
                good += bool(fine)
                vague += not (np.isfinite(bound) and bound <= 1e-3 * abs(truth))
                errors.append(relative(slope, truth))
                bounds.append(bound / max(float(abs(truth)), 1e-300))
                if options.verbose and not fine:
                    print(f"{function.name} at {float(x)!r}: {slope!r}, truth {float(truth)!r}, bound {bound:.3g}")
                for name, other in OTHERS.items() if function.counted else ():
                    all_errors[name].append(relative(other(function.f, float(x)), truth))
            if function.counted:
                all_errors["ours"] += errors
                held, total, useless = held + good, total + len(errors), useless + vague
            rows.append((
                function.name + ("" if function.counted else " (not counted)"),
                f"1e{function.low:g} … 1e{function.high:g}", f"{100 * good / len(errors):.2f} %", str(vague),
                f"{np.median(errors):.1e}", f"{np.quantile(errors, 0.99):.1e}", f"{np.median(bounds):.1e}",
            ))  # fmt: skip
    show(rows)
    print()
    table: list[tuple[str, ...]] = [("relative error over all points", "median", "p90", "p99", "share above 1e-3")]
    for name, errors in all_errors.items():
        quantiles = [f"{q:.1e}" for q in np.quantile(errors, [0.5, 0.9, 0.99], method="lower")]
        table.append((name, *quantiles, f"{100 * np.mean(np.array(errors) > 1e-3):.1f} %"))
    show(table)
    share = held / total
    demand = "≥ 99.9 %" if share >= 0.999 else "≥ 99.9 %, MISSED"
    print(f"\nthe bound holds at {held} of {total} points, {100 * share:.3f} % ({demand})")
    print(f"useless at {useless}; {time.perf_counter() - start:.0f} s")
    return 0 if share >= 0.999 else 1


if __name__ == "__main__":
    sys.exit(main())
