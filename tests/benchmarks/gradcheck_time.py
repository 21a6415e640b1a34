"""How long a gradient check of a small network takes, beside PyTorch's `gradcheck` in its slow mode.

Run `python -m tests.benchmarks.gradcheck_time`. Both check the same float64 networks with their default options, in
one process, on one thread, in turn; the ratio is that of the medians. First by the data alone, with the weights inside
the network; then by data and weights together.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"  # before NumPy asks for it


import numpy as np  # noqa: E402

from tests.benchmarks.checkers import show  # noqa: E402

SIZES = {"4-8-3": (4, 8, 3, 2), "2-16-16-1": (2, 16, 16, 1, 4), "10-20-5": (10, 20, 5, 4)}  # widths, and the batch


def network(torch: Any, sizes: tuple[int, ...]) -> tuple[Callable[..., Any], Callable[..., Any], list[Any]]:
    """In one framework: the function of the data, that of data and weights, and these; the same numbers in both."""
    *widths, batch = sizes
    draw = np.random.default_rng(0)
    x = torch.tensor(draw.normal(size=(batch, widths[0])), requires_grad=True)
    layers = []
    for m, n in zip(widths, widths[1:], strict=False):
        layer = torch.nn.Linear(m, n).double()
        with torch.no_grad():
            layer.weight.copy_(torch.tensor(draw.normal(size=(n, m)) / np.sqrt(m)))
            layer.bias.copy_(torch.tensor(draw.normal(size=n)))
        layers += [layer, torch.nn.Tanh()]
    model = torch.nn.Sequential(*layers[:-1])
    weights = [torch.tensor(p.detach().numpy().copy(), requires_grad=True) for p in model.parameters()]

    def of_all(x: Any, *ws: Any) -> Any:
        for i in range(0, len(ws), 2):
            x = torch.nn.functional.linear(x, ws[i], ws[i + 1])
            x = torch.tanh(x) if i + 2 < len(ws) else x
        return x

    return model, of_all, [x, *weights]


def ours(f: Callable[..., Any], inputs: list[Any]) -> None:
    from tinygrad_pt.testing import gradcheck

    assert gradcheck(f, *inputs).verdict == "pass"


def theirs(f: Callable[..., Any], inputs: list[Any]) -> None:
    import torch

    assert torch.autograd.gradcheck(f, tuple(inputs))


def pinned() -> None:
    """Keep to one core, where the system lets us."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def measure(pairs: int) -> list[tuple[str, float, float]]:
    """Per network and form the medians of both, in seconds."""
    import torch

    import tinygrad_pt

    torch.set_num_threads(1)
    found = []
    for name, sizes in SIZES.items():
        a, b = network(tinygrad_pt, sizes), network(torch, sizes)
        for form in (0, 1):
            seconds: tuple[list[float], list[float]] = ([], [])
            count = 1 if form == 0 else None
            for round in range(pairs + 1):
                for which, (check, side) in enumerate(((ours, a), (theirs, b))):
                    start = time.process_time()
                    check(side[form], side[2][:count])
                    if round:  # the first warms up
                        seconds[which].append(time.process_time() - start)
            label = f"{name}, {'the data' if form == 0 else 'data and weights'}"
            found.append((label, statistics.median(seconds[0]), statistics.median(seconds[1])))
    return found


def main(argv: list[str] | None = None) -> int:
    """Measure; exit 1 if ours takes longer."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=7)
    options = parser.parse_args(argv)
    if find_spec("torch") is None:
        print("torch is not installed")
        return 2
    pinned()
    found = measure(options.pairs)
    show([
        ("network", "ours", "PyTorch", "ratio"),
        *((name, f"{1e3 * a:.1f} ms", f"{1e3 * b:.1f} ms", f"{a / b:.2f}") for name, a, b in found),
    ])  # fmt: skip
    slow = [name for name, a, b in found if a > b]
    print("time ≤ 1.0 × PyTorch's gradcheck" + (f": MISSED at {', '.join(slow)}" if slow else " everywhere"))
    return int(bool(slow))


if __name__ == "__main__":
    sys.exit(main())
