"""Training steps and scalar chains against PyTorch eager, hand-written NumPy and, where installed, JAX jit.

Run `python -m tests.benchmarks.training`. Each row times all contenders in turn, round after round, on one core
and one thread, and prints medians and the median of the paired ratios: noise of the machine hits all alike.
"""

from __future__ import annotations

import argparse
import os
import sys

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

import gc
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import tinygrad_pt

try:
    import torch

    torch.set_num_threads(1)
except ImportError:
    torch = None
try:
    import jax
except ImportError:
    jax = None

Step = Callable[[], Any]


def paired(contenders: dict[str, Step], rounds: int, repeats: int) -> dict[str, list[float]]:
    """Seconds of processor time per step of each contender, one sample per round, the contenders taking turns."""
    for step in contenders.values():
        for _ in range(3):
            step()
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, step in contenders.items():
            start = time.process_time()
            for _ in range(repeats):
                step()
            times[name].append((time.process_time() - start) / repeats)
    return times


def report(title: str, times: dict[str, list[float]], bound: float | None) -> float | None:
    """Print a row: medians in microseconds, and our time as a multiple of PyTorch's, round by round."""
    ours = times["tinygrad_pt"]
    cells = [f"{name} {statistics.median(t) * 1e6:,.1f} µs" for name, t in times.items()]
    ratio = None
    for name, t in times.items():
        if name == "tinygrad_pt":
            continue
        r = statistics.median(a / b for a, b in zip(ours, t, strict=True))
        if name == "PyTorch":
            ratio = r
        cells.append(f"{r:.2f}× {name}")
    limit = (
        "" if bound is None else f"  (bound {bound}× PyTorch{'' if ratio is None or ratio <= bound else ', MISSED'})"
    )
    print(f"{title}: {', '.join(cells)}{limit}", flush=True)
    return ratio


# ------------------------------------------------------------------------------------------ one step in any framework
def step_of(t: Any, sizes: list[int], batch: int, activation: str, loss: str, optimizer: str) -> Step:
    """A training step written for PyTorch, run by whichever module `t` is."""
    t.manual_seed(0)
    layers: list[Any] = []
    for i, (n, m) in enumerate(zip(sizes, sizes[1:], strict=False)):
        layers.append(t.nn.Linear(n, m))
        if i < len(sizes) - 2 or loss == "MSELoss":
            layers.append(getattr(t.nn, activation)())
    model = t.nn.Sequential(*layers)
    criterion = getattr(t.nn, loss)()
    opt = getattr(t.optim, optimizer)(model.parameters(), lr=1e-3)
    x = t.rand(batch, sizes[0])
    y = t.rand(batch, sizes[-1]) if loss == "MSELoss" else t.randint(0, sizes[-1], (batch,))

    def step() -> None:
        opt.zero_grad()
        criterion(model(x), y).backward()
        opt.step()

    return step


def numpy_step(sizes: list[int], batch: int, activation: str, loss: str, optimizer: str) -> Step:
    """The same step by hand: forward, backward and update on NumPy arrays, float32."""
    rng = np.random.default_rng(0)
    f = np.float32
    ws = [rng.uniform(-1, 1, (m, n)).astype(f) / f(np.sqrt(n)) for n, m in zip(sizes, sizes[1:], strict=False)]
    bs = [np.zeros(m, f) for m in sizes[1:]]
    x = rng.random((batch, sizes[0]), dtype=f)
    mse = loss == "MSELoss"
    y = rng.random((batch, sizes[-1]), dtype=f) if mse else rng.integers(0, sizes[-1], batch)
    rows = np.arange(batch)
    params = [p for pair in zip(ws, bs, strict=True) for p in pair]
    first, second = [np.zeros_like(p) for p in params], [np.zeros_like(p) for p in params]
    lr, count = f(1e-3), 0

    def step() -> None:
        nonlocal count
        acts = [x]
        for i, (w, b) in enumerate(zip(ws, bs, strict=True)):
            z = acts[-1] @ w.T + b
            if i == len(ws) - 1 and not mse:
                acts.append(z)
            elif activation == "ReLU":
                acts.append(np.maximum(z, 0))
            else:
                acts.append(1 / (1 + np.exp(-z)))
        out = acts[-1]
        if mse:
            g = (out - y) * f(2 / out.size) * (out * (1 - out))
        else:
            p = np.exp(out - out.max(1, keepdims=True))
            p /= p.sum(1, keepdims=True)
            p[rows, y] -= 1
            g = p / f(batch)
        grads: list[Any] = [None] * len(params)
        for i in range(len(ws) - 1, -1, -1):
            grads[2 * i], grads[2 * i + 1] = g.T @ acts[i], g.sum(0)
            if i:
                a = acts[i]
                g = (g @ ws[i]) * ((a > 0) if activation == "ReLU" else a * (1 - a))
        count += 1
        for p, d, m, v in zip(params, grads, first, second, strict=True):
            if optimizer == "SGD":
                p -= lr * d
            else:
                m += f(0.1) * (d - m)
                v += f(0.001) * (d * d - v)
                p -= lr / f(1 - 0.9**count) * m / (np.sqrt(v) / f(np.sqrt(1 - 0.999**count)) + f(1e-8))

    return step


def jax_step(sizes: list[int], batch: int, activation: str, loss: str, optimizer: str) -> Step | None:
    """The same step under `jax.jit`; only plain SGD, for JAX itself has no optimizers."""
    if jax is None or optimizer != "SGD":
        return None
    jnp = jax.numpy
    rng = np.random.default_rng(0)
    params = [
        (jnp.asarray(rng.uniform(-1, 1, (m, n)).astype(np.float32)), jnp.zeros(m))
        for n, m in zip(sizes, sizes[1:], strict=False)
    ]
    x, y = jnp.asarray(rng.random((batch, sizes[0]), dtype=np.float32)), jnp.asarray(rng.random((batch, sizes[-1])))

    def error(params: Any) -> Any:
        a = x
        for w, b in params:
            a = jax.nn.sigmoid(a @ w.T + b)
        return jnp.mean((a - y) ** 2)

    @jax.jit
    def update(params: Any) -> Any:
        return [
            (w - 1e-3 * dw, b - 1e-3 * db) for (w, b), (dw, db) in zip(params, jax.grad(error)(params), strict=True)
        ]

    state = [params]

    def step() -> None:
        state[0] = jax.block_until_ready(update(state[0]))

    return step


STEPS = [
    ("[2,3,1] on XOR, batch 4, sigmoid, MSE, SGD", ([2, 3, 1], 4, "Sigmoid", "MSELoss", "SGD"), 0.35, 200, 20),
    ("[784,30,10], batch 10, sigmoid, MSE, SGD", ([784, 30, 10], 10, "Sigmoid", "MSELoss", "SGD"), 0.40, 200, 10),
    ("[64,64,64,10], batch 32, ReLU, cross-entropy, Adam",
     ([64, 64, 64, 10], 32, "ReLU", "CrossEntropyLoss", "Adam"), 0.6, 150, 10),
    ("[784,512,512,10], batch 128, ReLU, cross-entropy, Adam",
     ([784, 512, 512, 10], 128, "ReLU", "CrossEntropyLoss", "Adam"), 1.1, 40, 2),
]  # fmt: skip


# ------------------------------------------------------------------------------------------ scalar chain
def chain_of(t: Any, length: int = 400) -> Step:
    """y = y·x + x, `length` times, and the backward pass."""
    x = t.tensor(1.001, requires_grad=True)

    def step() -> None:
        y = x
        for _ in range(length):
            y = y * x + x
        y.backward()
        x.grad = None

    return step


def main(argv: list[str] | None = None) -> int:
    """Run all rows, or those whose title holds one of the words given; exit 1 if a bound is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*")
    words = parser.parse_args(argv).words
    missed = 0
    if torch is None:
        print("PyTorch is not installed: no ratios to it (pip install torch==2.13.0)")
    rows: list[tuple[str, dict[str, Step], float, int, int]] = []
    for title, setting, bound, rounds, repeats in STEPS:
        contenders = {"tinygrad_pt": step_of(tinygrad_pt, *setting)}
        if torch is not None:
            contenders["PyTorch"] = step_of(torch, *setting)
        contenders["NumPy by hand"] = numpy_step(*setting)
        compiled = jax_step(*setting)
        if compiled is not None:
            contenders["JAX jit"] = compiled
        rows.append((title, contenders, bound, rounds, repeats))
    chains = {"tinygrad_pt": chain_of(tinygrad_pt)} | ({} if torch is None else {"PyTorch": chain_of(torch)})
    rows.append(("400 scalar y = y*x + x, forward and backward", chains, 0.6, 60, 2))
    for title, contenders, bound, rounds, repeats in rows:
        if not words or any(word in title for word in words):
            gc.collect()
            ratio = report(title, paired(contenders, rounds, repeats), bound)
            missed += ratio is not None and ratio > bound
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
