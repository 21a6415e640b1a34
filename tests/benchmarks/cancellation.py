"""Right gradients of functions that subtract nearly equal numbers, and of float32 networks: none may be called wrong.

Run `python -m tests.benchmarks.cancellation`. Inside each of 24 functions almost all digits cancel, and what is left is
made large again: there the values of the function are a staircase, or noise, that no single step of differences sees
through. Each is checked at 24 points: eight ordinary ones, and sixteen into the tail where it cancels; then with wrong
gradients (1.5 times the right one, and none at all). Below stand small float32 networks with activations and losses of
all kinds.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import tinygrad_pt as torch
from tests.benchmarks.checkers import show
from tinygrad_pt import nn, ops
from tinygrad_pt.nn import functional as F
from tinygrad_pt.testing import gradcheck

ORDINARY, TAIL = 8, 16


@dataclass(frozen=True)
class Function:
    """A function of a tensor, its ordinary points, and the tail (in decades, or evenly spaced) where it cancels."""

    name: str
    f: Callable[[Any], Any]
    ordinary: tuple[float, float] = (0.3, 3.0)
    tail: tuple[float, float] = (-8.0, -1.0)
    decades: bool = True

    def points(self, seed: int) -> tuple[list[float], list[float]]:
        """Ordinary points, and points of the tail."""
        draw = np.random.default_rng([seed, *map(ord, self.name)])
        tail = draw.uniform(*self.tail, TAIL)
        return list(draw.uniform(*self.ordinary, ORDINARY)), list(10**tail if self.decades else tail)


def _variance(x: Any) -> Any:
    several = torch.stack([x, x * 1.001, x * 0.998])
    return ((several * several).mean(0) - several.mean(0) ** 2) / x


FUNCTIONS = [
    Function("log(1 - σ(x))", lambda x: torch.log(1 - torch.sigmoid(x)), (-3, 3), (5, 36), False),
    Function("acos(1 - x)", lambda x: torch.acos(1 - x), (0.1, 0.9), (-13, -2)),
    Function("(1 - cos x)/x²", lambda x: (1 - torch.cos(x)) / (x * x)),
    Function("(eˣ - 1)/x", lambda x: (torch.exp(x) - 1) / x),
    Function("(x - sin x)/x³", lambda x: (x - torch.sin(x)) / x**3, tail=(-5, -0.5)),
    Function("(√(1 + x) - 1)/x", lambda x: (torch.sqrt(1 + x) - 1) / x),
    Function("(1/x - 1/(x + 1))·x²", lambda x: (1 / x - 1 / (x + 1)) * x * x, tail=(1, 7)),
    Function("log(1 + x)/x", lambda x: torch.log(1 + x) / x, tail=(-12, -1)),
    Function("(√(x + 1) - √x)·√x", lambda x: (torch.sqrt(x + 1) - torch.sqrt(x)) * torch.sqrt(x), tail=(1, 12)),
    Function("(1 - tanh x)·e²ˣ", lambda x: (1 - torch.tanh(x)) * torch.exp(2 * x), (-2, 2), (3, 18), False),
    Function("(log(eˣ + e⁻ˣ) - x)·e²ˣ", lambda x: (torch.log(torch.exp(x) + torch.exp(-x)) - x) * torch.exp(2 * x),
             (-1, 2), (3, 17), False),
    Function("(eˣ - e⁻ˣ)/2x", lambda x: (torch.exp(x) - torch.exp(-x)) / (2 * x)),
    Function("log(1 - tanh x)", lambda x: torch.log(1 - torch.tanh(x)), (-2, 2), (3, 18), False),
    Function("((1e4 + x)² - 1e8)/x", lambda x: ((1e4 + x) ** 2 - 1e8) / x),
    Function("(atan x - x)/x³", lambda x: (torch.atan(x) - x) / x**3, tail=(-5, -0.5)),
    Function("(1/(1 - x) - 1 - x)/x²", lambda x: (1 / (1 - x) - 1 - x) / (x * x), (0.2, 0.8), (-7, -1)),
    Function("(mean x² - (mean x)²)/x", _variance, tail=(-3, 6)),
    Function("log(1 - softmax₀)", lambda x: torch.log(1 - torch.softmax(torch.stack([x, x * 0, -x]), 0)[0]), (-2, 2),
             (4, 35), False),
    Function("(√(x² + 1) - x)·x", lambda x: (torch.sqrt(x * x + 1) - x) * x, tail=(1, 7)),
    Function("((1 + x)³ - 1)/x", lambda x: ((1 + x) ** 3 - 1) / x, tail=(-10, -1)),
    Function("(log x - log(x - 1))·x", lambda x: (torch.log(x) - torch.log(x - 1)) * x, (1.5, 4), (1, 12)),
    Function("(eˣ - 1 - x)/x²", lambda x: (torch.exp(x) - 1 - x) / (x * x), tail=(-6, -1)),
    Function("(π/2 - asin(1 - x))/√x", lambda x: (np.pi / 2 - torch.asin(1 - x)) / torch.sqrt(x), (0.1, 0.9),
             (-12, -2)),
    Function("(1 - erf x)·eˣ", lambda x: (1 - torch.erf(x)) * torch.exp(x), (-1, 2), (2.5, 5.8), False),
]  # fmt: skip


def spoilt(f: Callable[[Any], Any], factor: float) -> Callable[[Any], Any]:
    """The same values with a gradient that is wrong by a factor: as if one rule inside were."""
    return lambda x: f(ops.mul(x, factor) + x.detach() * (1 - factor)) if factor else f(x.detach()) + 0 * x


# ------------------------------------------------------------------------------------------ networks
ACTIVATIONS = {
    "tanh": nn.Tanh, "relu": nn.ReLU, "sigmoid": nn.Sigmoid, "gelu": nn.GELU, "silu": nn.SiLU, "softplus": nn.Softplus,
    "elu": nn.ELU, "leaky relu": nn.LeakyReLU, "log sigmoid": nn.LogSigmoid, "softsign": nn.Softsign,
}  # fmt: skip


def _losses(draw: Any) -> dict[str, Callable[[Any], Any]]:
    """Losses of a batch of four rows of three, with float32 targets."""

    def single(x: Any) -> Any:
        return torch.tensor(x.astype(np.float32))

    target, classes = single(draw.normal(size=(4, 3))), torch.tensor(draw.integers(0, 3, 4))
    shares, weight = single(draw.uniform(0.1, 0.9, (4, 3))), single(draw.uniform(0.5, 2, 3))
    return {
        "none": lambda y: y,
        "mse": lambda y: F.mse_loss(y, target), "l1": lambda y: F.l1_loss(y, target),
        "huber": lambda y: F.huber_loss(y, target), "smooth l1": lambda y: F.smooth_l1_loss(y, target),
        "cross entropy": lambda y: F.cross_entropy(y, classes, weight=weight),
        "nll": lambda y: F.nll_loss(F.log_softmax(y, dim=1), classes),
        "bce with logits": lambda y: F.binary_cross_entropy_with_logits(y, shares),
        "bce": lambda y: F.binary_cross_entropy(torch.sigmoid(y), shares),
        "one hot": lambda y: ((torch.softmax(y, 1) - F.one_hot(classes, 3).float()) ** 2).sum(),
    }  # fmt: skip


def networks(seed: int) -> Iterator[tuple[str, Callable[..., Any], tuple[Any, ...]]]:
    """Right float32 networks: a name, the function, and what it is checked at (the data, or its own parameters)."""
    torch.manual_seed(seed)
    draw = np.random.default_rng([seed, 99])
    losses = _losses(draw)
    for number, (name, activation) in enumerate(ACTIVATIONS.items()):
        for word, loss in list(losses.items())[number % 2 :: 2]:
            middle = [nn.Linear(8, 8), nn.Dropout(0.5).eval()][number % 2]
            network = nn.Sequential(nn.Linear(5, 8), activation(), middle, activation(), nn.Linear(8, 3))
            x = torch.tensor(draw.normal(size=(4, 5)).astype(np.float32))
            yield f"{name}, {word}", lambda x, network=network, loss=loss: loss(network(x)), (x,)
    for name in ("tanh", "relu", "gelu", "silu"):
        first, second, act = nn.Linear(5, 6), nn.Linear(6, 3), ACTIVATIONS[name]()
        x = torch.tensor(draw.normal(size=(4, 5)).astype(np.float32))

        def of_weights(w: Any, b: Any, first: Any = first, second: Any = second, act: Any = act, x: Any = x) -> Any:
            return losses["cross entropy"](second(act(F.linear(x, w, b))))

        yield f"{name}, its weights", of_weights, (first.weight, first.bias)


# ------------------------------------------------------------------------------------------ measuring
def cancelling(seed: int, verbose: bool = False) -> tuple[dict[str, Counter[str]], Counter[str], Counter[str]]:
    """Per function the verdicts; of all at ordinary points; and of wrong gradients, in all."""
    table: dict[str, Counter[str]] = {}
    ordinary: Counter[str] = Counter()
    power: Counter[str] = Counter()
    for function in FUNCTIONS:
        table[function.name] = found = Counter()
        usual, tail = function.points(seed)
        for place, xs in (("ordinary", usual), ("tail", tail)):
            for x in xs:
                t = torch.tensor([x], dtype=torch.float64)
                report = gradcheck(function.f, t)
                found[f"{place} {report.verdict}"] += 1
                if place == "ordinary":
                    ordinary[report.verdict] += 1
                if verbose and report.verdict != "pass":
                    print(f"{function.name} at {x!r} ({place}): {report}")
                for factor in (1.5, 0.0):
                    wrong = gradcheck(spoilt(function.f, factor), t, laws=False).verdict
                    found[f"wrong {wrong}"] += 1
                    power[f"{place} {wrong}"] += 1
                    if verbose and wrong == "pass":
                        print(f"{function.name} at {x!r} ({place}): missed, {factor} times the gradient")
    return table, ordinary, power


def network_verdicts(seed: int, verbose: bool = False) -> Counter[str]:
    """The verdicts on right float32 networks."""
    found: Counter[str] = Counter()
    for name, f, inputs in networks(seed):
        report = gradcheck(f, *inputs)
        found[report.verdict] += 1
        if verbose and report.verdict != "pass":
            print(f"{name}: {report}")
    return found


def main(argv: list[str] | None = None) -> int:
    """Measure; exit 1 if a right gradient is called wrong, or too much is left open."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--networks", type=int, default=2, help="how many rounds of networks")
    parser.add_argument("-v", "--verbose", action="store_true", help="print each check that does not pass")
    options = parser.parse_args(argv)
    warnings.simplefilter("ignore")
    table, ordinary, power = cancelling(options.seed, options.verbose)
    columns = ("ordinary pass", "ordinary inconclusive", "ordinary fail", "tail pass", "tail inconclusive", "tail fail",
               "wrong fail", "wrong inconclusive", "wrong pass")  # fmt: skip
    rows: list[tuple[str, ...]] = [("function", *columns)]
    rows += [(name, *(str(found[c]) for c in columns)) for name, found in table.items()]
    show(rows)
    failed = sum(found[f"{place} fail"] for found in table.values() for place in ("ordinary", "tail"))
    points = len(FUNCTIONS) * (ORDINARY + TAIL)
    unsure = ordinary["inconclusive"] / sum(ordinary.values())
    everywhere = sum(found[f"{place} inconclusive"] for found in table.values() for place in ("ordinary", "tail"))
    missed = sum(power[f"{place} pass"] for place in ("ordinary", "tail"))
    seen = power["ordinary fail"] / sum(n for k, n in power.items() if k.startswith("ordinary"))
    nets: Counter[str] = sum((network_verdicts(k, options.verbose) for k in range(options.networks)), Counter())
    count = max(1, sum(nets.values()))
    bounds = [
        (f"right gradients called wrong: {failed} of {points} (0)", failed == 0),
        (f"inconclusive at ordinary points: {100 * unsure:.1f} % (≤ 15 %)", unsure <= 0.15),
        (f"inconclusive at all points: {100 * everywhere / points:.1f} %", True),
        (f"wrong gradients found at ordinary points: {100 * seen:.1f} % (≥ 85 %)", seen >= 0.85),
        (f"wrong gradients called right: {missed} of {2 * points}", True),
        (f"float32 networks: {nets['fail']} of {count} called wrong (0)", nets["fail"] == 0),
        (f"float32 networks: {100 * nets['inconclusive'] / count:.1f} % inconclusive (≤ 5 %)",
         nets["inconclusive"] <= 0.05 * count),
    ]  # fmt: skip
    print()
    for text, good in bounds:
        print(text if good else f"{text} MISSED")
    return int(not all(good for _, good in bounds))


if __name__ == "__main__":
    sys.exit(main())
