"""How long pictures of large graphs take: the snapshot, its DOT text, and the refusal of what nobody can read.

Run `python -m tests.benchmarks.drawing`. Processor time is counted, the median of five.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import tinygrad_pt as torch
from tinygrad_pt import viz
from tinygrad_pt.viz import Drawing


def chain(steps: int) -> Any:
    """Scalars: products, sums and tanh, of ten weights used again and again."""
    weights = [torch.tensor(0.1 * i, requires_grad=True) for i in range(1, 11)]
    y = weights[0]
    for i in range(steps):
        y = torch.tanh(y * weights[i % 10] + weights[(i + 3) % 10]) if i % 3 == 0 else y * weights[i % 10]
    return y


def layers(steps: int) -> Any:
    """Arrays: one layer applied again and again, with a path around it."""
    layer, h = torch.nn.Linear(8, 8), torch.randn(4, 8)
    for _ in range(steps):
        h = torch.relu(layer(h)) + h * 0.5
    return h.sum()


def seconds(f: Callable[[], Any]) -> float:
    """The median of five."""
    times = []
    for _ in range(5):
        start = time.process_time()
        f()
        times.append(time.process_time() - start)
    return statistics.median(times)


def refused(y: Any) -> None:
    try:
        viz.snapshot(y)
    except ValueError:
        return
    raise AssertionError("a graph that nobody can read was not refused")


def main() -> None:
    for name, y in (("scalars", chain(1200)), ("arrays", layers(400))):
        y.backward()
        seen = viz.snapshot(y)
        taking = seconds(lambda y=y: viz.snapshot(y))  # type: ignore[misc]
        writing = seconds(lambda seen=seen: Drawing(seen).dot)  # type: ignore[misc]
        print(f"{len(seen.vertices):,} {name}: snapshot {taking:.2f} s, DOT {writing:.2f} s")
    y = chain(100_000)
    print(f"166,678 values refused in {seconds(lambda: refused(y)):.2f} s")


if __name__ == "__main__":
    main()
