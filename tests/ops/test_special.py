"""The special functions in both tails, against numbers that mpmath computes to many digits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath as m
import numpy as np
import pytest
from mpmath import mp

import tinygrad_pt as torch
from tinygrad_pt import special as S

DRAW = np.random.default_rng(0)
Numbers = np.ndarray[Any, Any]


def sizes(low: float, high: float, n: int = 40) -> Numbers:
    """Positive numbers of all sizes between 10^low and 10^high."""
    return 10.0 ** DRAW.uniform(low, high, n)


def near(*points: float) -> Numbers:
    steps = sizes(-15, -1, 15)
    return np.concatenate([p + s * steps for p in points for s in (-1, 1)])


every = np.concatenate([sizes(-300, 300), sizes(-3, 3), DRAW.uniform(0, 12, 60)])
share = np.concatenate([sizes(-300, -1), DRAW.uniform(0, 1, 60), 1 - sizes(-15, -1)])
signed = np.concatenate([sizes(-300, 2), -sizes(-300, 2), DRAW.uniform(-6, 6, 60), DRAW.uniform(-26, 37, 60)])
middling = np.concatenate([sizes(-300, 4), DRAW.uniform(0, 40, 60)])
shape = np.concatenate([sizes(-6, 2.5), sizes(0, 4, 20)])


def phi(x: Any) -> Any:
    return m.erfc(-x / m.sqrt(2)) / 2


def inverse_phi(p: Any) -> Any:
    z = m.sqrt(2) * m.erfinv(2 * p - 1) if p > 1e-3 else -m.sqrt(-2 * m.log(p))
    for _ in range(12 if p <= 1e-3 else 0):
        z -= (m.log(phi(z)) - m.log(p)) * phi(z) / (m.exp(-z * z / 2) / m.sqrt(2 * m.pi))
    return z


# By name: our function, the exact one, the arguments, and the units in the last place that are allowed.
LAWS: dict[str, tuple[Callable[..., Any], Callable[..., Any], list[Numbers], float]] = {
    "lgamma": (torch.lgamma, m.loggamma, [np.concatenate([every, near(1, 2)])], 4),
    "digamma": (torch.digamma, m.digamma, [np.concatenate([every, near(1.4616321449683622)])], 10),
    **{f"polygamma {n}": (lambda x, n=n: torch.polygamma(n, x), lambda x, n=n: m.polygamma(n, x),
                          [np.concatenate([sizes(-10, 6), DRAW.uniform(0, 20, 30)])], 5) for n in (1, 2, 5, 10)},
    "zeta": (S.zeta, m.zeta, [1 + sizes(-6, 1.5), sizes(-3, 3)], 5),
    "igamma": (torch.igamma, lambda a, x: m.gammainc(a, 0, x, regularized=True),
               [shape, shape * 10 ** DRAW.uniform(-0.3, 0.3, shape.size)], 2000),
    "igammac": (torch.igammac, lambda a, x: m.gammainc(a, x, m.inf, regularized=True),
                [shape, shape * 10 ** DRAW.uniform(-0.3, 0.3, shape.size)], 2000),
    **{f"i{n}": (f, lambda x, n=n: m.besseli(n, x), [np.concatenate([sizes(-300, 2), DRAW.uniform(0, 710, 60)])], 6)
       for n, f in ((0, torch.i0), (1, S.i1))},
    **{f"i{n}e": (f, lambda x, n=n: m.besseli(n, x) * m.exp(-x), [middling], 6)
       for n, f in ((0, S.i0e), (1, S.i1e))},
    "erfc": (torch.erfc, m.erfc, [signed], 3),
    "erfcx": (S.erfcx, lambda x: m.exp(x * x) * m.erfc(x), [signed[signed > -26]], 4),
    "log_ndtr": (S.log_ndtr, lambda x: m.log(phi(x)), [signed], 4),
    "erfinv": (torch.erfinv, m.erfinv, [share], 3),
    "ndtri": (S.ndtri, inverse_phi, [share], 4),
    "logit": (torch.logit, lambda x: m.log(x / (1 - x)), [share], 3),
}  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("name", LAWS)
@pytest.mark.filterwarnings("ignore")
def test_both_tails_are_exact(name: str) -> None:
    f, exact, args, allowed = LAWS[name]
    found = f(*map(torch.from_numpy, args)).numpy()
    with mp.workdps(700 if name in ("erfcx", "log_ndtr") else 60):
        for y, *x in zip(found, *args, strict=True):
            expected = exact(*map(mp.mpf, map(float, x)))
            unit = max(abs(expected) * mp.mpf(2) ** -52, mp.mpf(2) ** -1074)
            large = np.isinf(y) and abs(expected) > 1e307
            assert large or abs(mp.mpf(float(y)) - expected) <= allowed * unit, (x, y, m.nstr(expected, 17))


def test_digits_are_kept_where_functions_are_0_or_arguments_small() -> None:
    x = torch.tensor([1 + 2.0**-40, 2 - 2.0**-41], dtype=torch.float64)
    assert torch.lgamma(x).tolist() == pytest.approx([-0.5772156649015329 * 2.0**-40, -0.4227843350984671 * 2.0**-41])
    assert S.log_ndtr(torch.tensor([-1e10])).item() == pytest.approx(-5e19)
    assert torch.erfc(torch.tensor([20.0], dtype=torch.float64)).item() == pytest.approx(5.395865611607901e-176)


@pytest.mark.parametrize("f", [torch.igamma, torch.igammac, S.zeta])
def test_a_derivative_that_does_not_exist_is_an_error_in_the_backward_pass(f: Any) -> None:
    a, x = torch.tensor([2.0], requires_grad=True), torch.tensor([3.0], requires_grad=True)
    y = f(a, x)
    assert y.requires_grad
    with pytest.raises(NotImplementedError, match="the derivative for '.*' is not implemented"):
        y.backward()
