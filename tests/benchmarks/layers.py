"""Layers, forward and backward, against PyTorch eager: `python -m tests.benchmarks.layers [words of a title]`.

Each row is the same program run by both libraries in turn, on one core and one thread.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Callable
from typing import Any

from tests.benchmarks.training import Step, paired, report, torch  # first of all: it sets the number of threads

import tinygrad_pt  # isort: skip

Build = Callable[[Any], Step]
ROWS: list[tuple[str, Build, float | None, int, int]] = []


def row(title: str, bound: float | None, rounds: int = 15, repeats: int = 1) -> Callable[[Build], Build]:
    """Register a function that builds a step with whichever library it is given; the bound is a multiple of PyTorch."""

    def register(build: Build) -> Build:
        ROWS.append((title, build, bound, rounds, repeats))
        return build

    return register


@row("cross-entropy [64, 10]", 0.9, 100, 20)
def cross_entropy(t: Any) -> Step:
    t.manual_seed(0)
    x, y = t.randn(64, 10, requires_grad=True), t.randint(0, 10, (64,))

    def step() -> None:
        x.grad = None
        t.nn.functional.cross_entropy(x, y).backward()

    return step


def main(argv: list[str] | None = None) -> int:
    """Run all rows, or those whose title holds one of the words given; exit 1 if a bound is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*")
    words = parser.parse_args(argv).words
    missed = 0
    for title, build, bound, rounds, repeats in ROWS:
        if not words or any(word.lower() in title.lower() for word in words):
            gc.collect()
            contenders = {"tinygrad_pt": build(tinygrad_pt)} | ({} if torch is None else {"PyTorch": build(torch)})
            ratio = report(title, paired(contenders, rounds, repeats), bound)
            missed += ratio is not None and bound is not None and ratio > bound
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
