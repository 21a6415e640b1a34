"""Layers, forward and backward, against PyTorch eager: `python -m tests.benchmarks.layers [words of a title]`.

Each row is the same program run by both libraries in turn, on one core and one thread.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import sys
from collections.abc import Callable
from typing import Any

from tests.benchmarks.engine import python
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


@row("CTC loss of 50 steps, batch 32, 28 classes, 10 labels", None, 20)
def ctc(t: Any) -> Step:
    t.manual_seed(0)
    x, y = t.randn(50, 32, 28).log_softmax(2).detach().requires_grad_(), t.randint(1, 28, (32, 10))
    steps, labels = t.full((32,), 50, dtype=t.int64), t.full((32,), 10, dtype=t.int64)

    def step() -> None:
        x.grad = None
        t.nn.functional.ctc_loss(x, y, steps, labels).backward()

    return step


# ------------------------------------------------------------------------------------------ convolution and pooling
def convolution(t: Any, *sizes: int, batch: int, side: int, wanted: bool = True, **settings: Any) -> Step:
    """Forward and backward of a convolution; the gradient of the input only if it is wanted."""
    t.manual_seed(0)
    layer = t.nn.Conv2d(*sizes, **settings)
    x = t.randn(batch, sizes[0], side, side, requires_grad=wanted)
    seed = layer(x).detach().clone()

    def step() -> None:
        x.grad = None
        layer.zero_grad()
        layer(x).backward(seed)

    return step


@row("convolution 3 -> 32, 3x3, 32x32, batch 32", 0.5, 20)
def convolution_of_few_channels(t: Any) -> Step:
    return convolution(t, 3, 32, 3, batch=32, side=32, wanted=False, padding=1)


@row("convolution 32 -> 64, 3x3, 32x32, batch 32", 1.3, 12)
def convolution_of_many_channels(t: Any) -> Step:
    return convolution(t, 32, 64, 3, batch=32, side=32, padding=1)


@row("LeNet-5 step, batch 64", 1.0, 20)
def lenet(t: Any) -> Step:
    nn = t.nn
    t.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip
    optimizer, loss = t.optim.SGD(model.parameters(), lr=0.01, momentum=0.9), nn.CrossEntropyLoss()
    x, y = t.randn(64, 1, 28, 28), t.randint(0, 10, (64,))

    def step() -> None:
        optimizer.zero_grad()
        loss(model(x), y).backward()
        optimizer.step()

    return step


def resnet(t: Any) -> Any:
    """ResNet-18 for images of 32 × 32 (He et al., 2015): 3x3 kernels at the start, and no pooling before the end."""
    nn = t.nn

    def convolved(n: int, m: int, kernel: int, stride: int) -> list[Any]:
        return [nn.Conv2d(n, m, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(m)]

    class Block(nn.Module):
        def __init__(self, n: int, m: int, stride: int) -> None:
            super().__init__()
            self.body = nn.Sequential(*convolved(n, m, 3, stride), nn.ReLU(), *convolved(m, m, 3, 1))
            self.shortcut = nn.Sequential(*convolved(n, m, 1, stride)) if n != m else nn.Identity()

        def forward(self, x: Any) -> Any:
            return t.relu(self.body(x) + self.shortcut(x))

    widths = [(64, 64, 1), (64, 64, 1), (64, 128, 2), (128, 128, 1), (128, 256, 2), (256, 256, 1), (256, 512, 2)]
    blocks = [Block(*width) for width in [*widths, (512, 512, 1)]]
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10)]
    return nn.Sequential(*convolved(3, 64, 3, 1), nn.ReLU(), *blocks, *head)


@row("ResNet-18 step on 32x32, batch 8", 1.6, 7)
def resnet_step(t: Any) -> Step:
    t.manual_seed(0)
    model = resnet(t)
    optimizer, loss = t.optim.SGD(model.parameters(), lr=0.01, momentum=0.9), t.nn.CrossEntropyLoss()
    x, y = t.randn(8, 3, 32, 32), t.randint(0, 10, (8,))

    def step() -> None:
        optimizer.zero_grad()
        loss(model(x), y).backward()
        optimizer.step()

    return step


MEMORY = """
import ctypes, {module}
from tests.benchmarks.layers import resnet_step, resident
step = resnet_step({module})
ctypes.CDLL(None).malloc_trim(0)  # what was freed goes back to the system
before = resident("VmRSS")
step()
print(resident("VmHWM") - before)
"""


def resident(which: str) -> int:
    """The resident KiB of this process: VmRSS now, VmHWM at most."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(which))


def resnet_memory(bound: float) -> bool:
    """How far the first step of ResNet-18 makes a process grow at its peak, gradients and momentum included."""

    def grown(module: str) -> float:
        return statistics.median(int(python(MEMORY.format(module=module))) for _ in range(3)) / 1024

    ours, theirs = grown("tinygrad_pt"), 0.0 if torch is None else grown("torch")
    told = "" if torch is None else f", {ours / theirs:.2f}× PyTorch's {theirs:.0f} MiB (bound {bound}×)"
    print(f"{RESNET_MEMORY}: {ours:.0f} MiB{told}", flush=True)
    return torch is None or ours <= bound * theirs


RESNET_MEMORY = "memory of a ResNet-18 step on 32x32, batch 8"


def pooling(t: Any, name: str) -> Step:
    t.manual_seed(0)
    layer, x = getattr(t.nn, name)(2), t.randn(32, 32, 32, 32, requires_grad=True)
    seed = layer(x).detach().clone()

    def step() -> None:
        x.grad = None
        layer(x).backward(seed)

    return step


@row("max pooling 2x2, [32, 32, 32, 32]", 0.5, 20)
def max_pooling(t: Any) -> Step:
    return pooling(t, "MaxPool2d")


@row("average pooling 2x2, [32, 32, 32, 32]", 0.4, 20)
def average_pooling(t: Any) -> Step:
    return pooling(t, "AvgPool2d")


def layer_step(build: Callable[[Any], Any], *shape: int, indices: int = 0) -> Build:
    """Forward and backward of a layer on normal numbers, or on indices below a number."""

    def step_of(t: Any) -> Step:
        t.manual_seed(0)
        m = build(t)
        x = t.randint(0, indices, shape) if indices else t.randn(*shape, requires_grad=True)
        g = t.ones_like(m(x))

        def step() -> None:
            x.grad = None
            for p in m.parameters():
                p.grad = None
            m(x).backward(g)

        return step

    return step_of


row("batch norm [32, 64, 32, 32]", 0.9, 15)(layer_step(lambda t: t.nn.BatchNorm2d(64), 32, 64, 32, 32))
row("batch norm [64, 16, 10, 10]", 0.9, 50)(layer_step(lambda t: t.nn.BatchNorm2d(16), 64, 16, 10, 10))
row("batch norm [8, 512, 4, 4]", 0.9, 50)(layer_step(lambda t: t.nn.BatchNorm2d(512), 8, 512, 4, 4))
row("batch norm [128, 256]", 0.9, 50)(layer_step(lambda t: t.nn.BatchNorm1d(256), 128, 256))
row("layer norm [16, 64, 128]", 0.7, 50)(layer_step(lambda t: t.nn.LayerNorm(128), 16, 64, 128))
row("layer norm [64, 512]", 0.7, 50)(layer_step(lambda t: t.nn.LayerNorm(512), 64, 512))
row("group norm [16, 64, 16, 16]", None, 15)(layer_step(lambda t: t.nn.GroupNorm(8, 64), 16, 64, 16, 16))
row("instance norm [16, 64, 16, 16]", None, 15)(layer_step(lambda t: t.nn.InstanceNorm2d(64), 16, 64, 16, 16))
row("RMS norm [16, 64, 128]", None, 15)(layer_step(lambda t: t.nn.RMSNorm(128), 16, 64, 128))
row("embedding 10,000 × 128 of [32, 64]", 1.3, 30)(
    layer_step(lambda t: t.nn.Embedding(10_000, 128), 32, 64, indices=10_000)
)
row("embedding 65 × 128 of [16, 64]", 1.3, 30)(layer_step(lambda t: t.nn.Embedding(65, 128), 16, 64, indices=65))
row("bilinear upsampling of [8, 32, 32, 32]", None, 15)(
    layer_step(lambda t: t.nn.Upsample(scale_factor=2, mode="bilinear"), 8, 32, 32, 32)
)
row("nearest upsampling of [8, 32, 32, 32]", None, 15)(
    layer_step(lambda t: t.nn.Upsample(scale_factor=2), 8, 32, 32, 32)
)
row("reflection padding of [8, 32, 32, 32]", None, 15)(layer_step(lambda t: t.nn.ReflectionPad2d(2), 8, 32, 32, 32))


def recurrent(kind: str) -> Build:
    """A layer of 128 cells over 50 steps of 64 features, batch 32."""

    def build(t: Any) -> Step:
        t.manual_seed(0)
        layer, x, g = getattr(t.nn, kind)(64, 128), t.randn(50, 32, 64), t.randn(50, 32, 128)

        def step() -> None:
            layer.zero_grad()
            layer(x)[0].backward(g)

        return step

    return build


row("LSTM 64 to 128, 50 steps, batch 32", 1.25)(recurrent("LSTM"))
row("GRU 64 to 128, 50 steps, batch 32", 1.25)(recurrent("GRU"))


@row("GPT, 4 layers, width 128, context 64, batch 16, Adam", 1.1, 7)
def gpt(t: Any) -> Step:
    t.manual_seed(0)
    nn, F = t.nn, t.nn.functional

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm1, self.norm2, self.qkv = nn.LayerNorm(128), nn.LayerNorm(128), nn.Linear(128, 384)
            self.out, self.up, self.down = nn.Linear(128, 128), nn.Linear(128, 512), nn.Linear(512, 128)

        def forward(self, x: Any) -> Any:
            q, k, v = (p.view(16, 64, 4, 32).transpose(1, 2) for p in self.qkv(self.norm1(x)).split(128, dim=2))
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.out(y.transpose(1, 2).reshape(16, 64, 128))
            return x + self.down(F.gelu(self.up(self.norm2(x))))

    tokens, places = nn.Embedding(65, 128), nn.Embedding(64, 128)
    rest = nn.Sequential(*(Block() for _ in range(4)), nn.LayerNorm(128), nn.Linear(128, 65, bias=False))
    optimizer = t.optim.Adam([*tokens.parameters(), *places.parameters(), *rest.parameters()])
    x, y = t.randint(0, 65, (16, 64)), t.randint(0, 65, (16, 64))

    def step() -> None:
        logits = rest(tokens(x) + places(t.arange(64)))
        optimizer.zero_grad()
        F.cross_entropy(logits.view(-1, 65), y.view(-1)).backward()
        optimizer.step()

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
    if not words or any(word.lower() in RESNET_MEMORY.lower() for word in words):
        missed += not resnet_memory(1.3)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
