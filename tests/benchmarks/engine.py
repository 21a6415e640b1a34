"""What the engine promises besides speed: long chains, memory, freeing, the cost of importing.

Run `python -m tests.benchmarks.engine`. Memory is the growth of a fresh process's peak resident size over one
training step; import times are whole processes, run in turn.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def chain() -> bool:
    """Backward through, and freeing of, chains of growing length: seconds per operation stay the same."""
    import tinygrad_pt as torch

    rows = []
    for n in (10_000, 100_000, 1_000_000):
        x = torch.tensor(1.0, requires_grad=True)
        y = x
        t0 = time.perf_counter()
        for _ in range(n):
            y = y * 1.0
        t1 = time.perf_counter()
        y.backward()
        t2 = time.perf_counter()
        del y
        t3 = time.perf_counter()
        assert x.grad is not None and x.grad.item() == 1.0
        rows.append([(b - a) / n * 1e6 for a, b in ((t0, t1), (t1, t2), (t2, t3))])
        print(
            f"chain of {n:>9,} ops: forward {rows[-1][0]:.2f}, backward {rows[-1][1]:.2f}, freeing "
            f"{rows[-1][2]:.2f} µs per op"
        )
    return rows[-1][1] <= 3 * rows[0][1]


MEMORY = """
import {module} as torch
def peak():  # of this very process: what getrusage tells may be its parent's
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
torch.manual_seed(0)
layers = []
for _ in range(50):
    layers += [torch.nn.Linear(256, 256), torch.nn.Tanh()]
model = torch.nn.Sequential(*layers)
opt = torch.optim.SGD(model.parameters(), lr=1e-3)
def step(x):
    opt.zero_grad()
    (model(x) ** 2).mean().backward()
    opt.step()
step(torch.rand(2, 256))
before = peak()
step(torch.rand(4096, 256))
print(peak() - before)
"""


def python(code: str) -> str:
    """What a fresh interpreter prints."""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return run.stdout


def memory() -> bool:
    """Peak growth over a step of a 50-layer tanh network, batch 4096, width 256."""
    ours = statistics.median(int(python(MEMORY.format(module="tinygrad_pt"))) for _ in range(3)) / 1024
    try:
        theirs = statistics.median(int(python(MEMORY.format(module="torch"))) for _ in range(3)) / 1024
    except subprocess.CalledProcessError:
        print(f"50-layer tanh MLP, batch 4096: {ours:.0f} MiB; PyTorch is not installed")
        return True
    print(
        f"50-layer tanh MLP, batch 4096, peak of a step: {ours:.0f} MiB, {ours / theirs:.2f}× PyTorch's "
        f"{theirs:.0f} MiB (bound 1.2×)"
    )
    return ours <= 1.2 * theirs


def importing(rounds: int = 15) -> bool:
    """`import tinygrad_pt` against `import numpy`, whole processes in turn."""
    times: dict[str, list[float]] = {"tinygrad_pt": [], "numpy": []}
    code = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"
    for name in times:
        python(code.format(name))
    for _ in range(rounds):
        for name, seconds in times.items():
            seconds.append(float(python(code.format(name))))
    ratio = statistics.median(a / b for a, b in zip(*times.values(), strict=True))
    medians = [statistics.median(t) * 1e3 for t in times.values()]
    print(f"import: {medians[0]:.0f} ms, {ratio:.2f}× numpy's {medians[1]:.0f} ms (bound 1.6×)")
    return ratio <= 1.6


def freeing() -> bool:
    """With the collector off, `del loss` frees the graph and its arrays at once."""
    import gc
    import weakref

    import tinygrad_pt as torch

    gc.disable()
    model = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
    loss = model(torch.rand(4, 8)).mean()
    links, stack = [], [loss.grad_fn]
    while stack:
        node = stack.pop()
        links.append(weakref.ref(node))
        stack += [parent for parent, _ in node.next_functions if parent is not None and parent.next_functions]
    del loss, node
    gone = all(link() is None for link in links)
    gc.enable()
    print(f"graph after `del loss`, collector off: {'freed at once' if gone else 'STILL ALIVE'}")
    return gone


ALL = {"chain": chain, "memory": memory, "importing": importing, "freeing": freeing}


def main(argv: list[str] | None = None) -> int:
    """Run all measures, or those named; exit 1 if a bound is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*ALL, []])
    names = parser.parse_args(argv).names or list(ALL)
    results = [ALL[name]() for name in names]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
