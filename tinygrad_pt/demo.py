"""The demo: it trains on the XOR table and on handwritten digits, prints what it learns, and draws it.

stdout and the files depend on the seed alone; progress bars and seconds go to stderr.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TypeVar

import tinygrad_pt as torch
from tinygrad_pt import nn, optim, viz
from tinygrad_pt.datasets import XOR, Digits
from tinygrad_pt.language import said
from tinygrad_pt.models import MLP
from tinygrad_pt.tensor import Tensor
from tinygrad_pt.utils.data import DataLoader

T = TypeVar("T")
Cost = Callable[[Tensor, Tensor], Tensor]  # (the network's answers, the targets) -> a scalar
Curves = dict[str, tuple[list[float], list[float]]]  # per network: its loss and its error, epoch by epoch


# ---------------------------------------------------------------------------------------- the XOR table
def learn_xor(seed: int) -> tuple[MLP, list[float]]:
    """The lecture's network [2, 3, 1], trained until all four answers are right, and its loss per epoch."""
    torch.manual_seed(seed)
    print(said("XOR: [2, 3, 1], sigmoid, mean squared error, SGD with learning rate 5"))
    network, losses, learnt = descend_xor()
    while not learnt:  # about one start in a hundred leads to a plain where the gradient vanishes
        print(said("stuck: once more, from new weights"))
        network, losses, learnt = descend_xor()
    print("\n" + said(" x0 x1   wanted   answer"))
    for inputs, target in zip(*XOR().tensors, strict=True):
        x0, x1 = inputs.tolist()
        print(f"{x0:3.0f}{x1:3.0f}{target.item():9.0f}{network(inputs).item():9.4f}")
    return network, losses


def descend_xor(epochs: int = 3000) -> tuple[MLP, list[float], bool]:
    """One descent from new weights, all four rows in one batch: network, losses, and whether it got there."""
    inputs, targets = XOR().tensors
    network = MLP([2, 3, 1], activation=nn.Sigmoid, output=nn.Sigmoid)
    optimizer, cost = optim.SGD(network.parameters(), lr=5.0), nn.MSELoss()
    losses: list[float] = []
    for epoch in range(epochs + 1):
        answers = network(inputs)
        loss = cost(answers, targets)
        losses.append(loss.item())
        near = bool(((answers.detach() - targets).abs() < 0.1).all())
        if near or epoch % 100 == 0:
            right = int(((answers > 0.5) == (targets > 0.5)).sum())
            print(said(f"Epoch {epoch}: {right} / 4, loss {loss.item():.4f}"))
        if near:
            return network, losses, True
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network, losses, False


def neurons(network: MLP, inputs: Sequence[float], target: float) -> tuple[Tensor, dict[str, Tensor]]:
    """The cost C = (a − y)² of one example, every weight of `network` a number of its own; and all names.

    So the graph shows neurons where the network computes with arrays: per neuron z = w₀a₀ + w₁a₁ + … + b and
    a = σ(z). Hidden weights are called w, output weights v.
    """
    named = {f"x{i}": torch.tensor(x) for i, x in enumerate(inputs)}
    a = list(named.values())
    layers = [module for module in network if isinstance(module, nn.Linear)]
    for layer, (w, b, p, s, z, h) in zip(layers, (tuple("wbpszh"), tuple("vcqtua")), strict=True):
        rows, biases = layer.weight.tolist(), layer.bias.tolist()
        before, a = a, []
        for i, (row, bias) in enumerate(zip(rows, biases, strict=True)):
            neuron = str(i) if len(rows) > 1 else ""
            named[b + neuron] = total = torch.tensor(bias, requires_grad=True)
            for j, weight in enumerate(row):
                named[f"{w}{neuron}{j}"] = one = torch.tensor(weight, requires_grad=True)
                named[f"{p}{neuron}{j}"] = product = one * before[j]
                named[f"{s}{neuron}{j}" if j + 1 < len(row) else z + neuron] = total = product + total
            named[h + neuron] = torch.sigmoid(total)
            a.append(named[h + neuron])
    named["y"] = torch.tensor(target)
    named["e"] = a[0] - named["y"]
    named["C"] = named["e"] ** 2
    return named["C"], named


def xor_drawings(network: MLP) -> tuple[dict[str, viz.Drawing], viz.Player]:
    """The graph of the network's loss on the whole table; on the row 1 0 neuron by neuron, as circles, and to play."""
    x, y = XOR().tensors
    network.zero_grad()
    loss = nn.MSELoss()(network(x), y)
    loss.backward()
    cost, names = neurons(network, (1.0, 0.0), 1.0)
    cost.backward()
    title = said("XOR, neuron by neuron, for the row 1 0")
    drawings = {
        "xor": viz.draw(loss, title=said("XOR, all four rows at once"), width=1280),
        "xor_circles": viz.draw(loss, view="neuron", example=2, title=said("XOR, for the row 1 0")),
        "xor_neurons": viz.draw(cost, names, rankdir="TB", title=title),
    }
    return drawings, viz.play(cost, names=names, title=title)


# ---------------------------------------------------------------------------------------- digits
def quadratic(answers: Tensor, labels: Tensor) -> Tensor:
    """The lecture's cost: the mean over the examples of ½ ‖a − y‖², y a 1 at the label's place and else 0."""
    return ((answers - torch.eye(10)[labels]) ** 2).sum() / (2 * len(labels))


def learn_digits(
    network: MLP, cost: Cost, optimizer: optim.Optimizer, size: int, epochs: int
) -> tuple[list[float], list[float]]:
    """Train on 1,437 digits in shuffled mini-batches; per epoch the lecture's line on the 360 held out."""
    train, held_out = Digits(), Digits(train=False)
    loader: DataLoader = DataLoader(train, batch_size=size, shuffle=True)
    losses, errors = [], []
    for epoch in range(epochs):
        network.train()
        total = 0.0
        for images, labels in progress(loader, len(loader), f"Epoch {epoch}"):
            optimizer.zero_grad()
            loss = cost(network(images), labels)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(labels)
        network.eval()
        with torch.no_grad():
            right = int((network(held_out.inputs).argmax(1) == held_out.targets).sum())
        print(f"Epoch {epoch}: {right} / {len(held_out)}")
        losses.append(total / len(train))
        errors.append(100 - 100 * right / len(held_out))
    print(said(f"held-out accuracy: {100 - errors[-1]:.1f} %") + "\n")
    return losses, errors


def learn_both(seed: int, epochs: int | None) -> Curves:
    """The lecture's network on the digits, then a better one of the same kind."""
    curves: Curves = {}
    torch.manual_seed(seed)
    network = MLP([64, 30, 10], activation=nn.Sigmoid, output=nn.Sigmoid)
    descent: optim.Optimizer = optim.SGD(network.parameters(), lr=3.0)
    print(said("Digits, as in the lecture: [64, 30, 10], sigmoid, quadratic cost, SGD, batches of 10"))
    with timed(said("digits, lecture")):
        curves[said("lecture: quadratic cost")] = learn_digits(network, quadratic, descent, 10, epochs or 15)

    torch.manual_seed(seed)
    network = MLP([64, 256, 10], activation=nn.ReLU, dropout=0.3)
    descent, cost = optim.Adam(network.parameters(), lr=0.003), nn.CrossEntropyLoss(label_smoothing=0.1)
    text = "Digits, better: [64, 256, 10], ReLU, dropout 0.3, smoothed cross-entropy, Adam, batches of 16"
    print(said(text))
    with timed(said("digits, better")):
        curves[said("better: cross-entropy")] = learn_digits(network, cost, descent, 16, epochs or 30)
    return curves


def progress(batches: Iterable[T], total: int, what: str) -> Iterator[T]:
    """The batches, with a bar on stderr while somebody watches it."""
    if not sys.stderr.isatty():
        yield from batches
        return
    try:
        from tqdm import tqdm
    except ImportError:
        for done, batch in enumerate(batches, 1):
            yield batch
            bar = f"{'#' * (30 * done // total):<30} {done}/{total}"
            print(f"\r{what}: {bar}", end="", file=sys.stderr, flush=True)
        print("\r\033[K", end="", file=sys.stderr, flush=True)
    else:
        yield from tqdm(batches, what, total, leave=False, file=sys.stderr)


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print on stderr how long the block took, unless it raises."""
    start = time.perf_counter()
    yield
    print(f"[{what}: {time.perf_counter() - start:.1f} s]", file=sys.stderr, flush=True)


# ---------------------------------------------------------------------------------------- files
def write_drawings(drawings: dict[str, viz.Drawing], out: Path) -> Iterator[Path | str]:
    """Write each drawing as .dot, .svg and .png; the files written, or in words what is missing and why."""
    for name, drawing in drawings.items():
        for suffix in (".dot", ".svg", ".png"):
            try:
                yield drawing.save(out / (name + suffix))
            except viz.EngineError as error:
                yield f"{name}{suffix}: {error}"


def write_curves(xor: list[float], curves: Curves, out: Path) -> Iterator[Path | str]:
    """Write the loss curves as .svg and .png, the same bytes for the same numbers."""
    wrong = said("held-out digits answered wrongly, %")
    digits = {name: {"loss": losses, wrong: errors} for name, (losses, errors) in curves.items()}
    try:
        plots = {
            "loss_xor": viz.curves(xor, title="XOR, [2, 3, 1]"),
            "loss_digits": viz.curves(digits, log=["loss"], title=said("Digits: own cost of each")),
        }
    except ImportError as error:
        yield f"loss_xor, loss_digits: {error}"
        return
    for name, plot in plots.items():
        for suffix in (".svg", ".png"):
            yield plot.save(out / (name + suffix))


def run(out: Path, seed: int, epochs: int | None) -> None:
    """Train on XOR and on the digits, and write the drawings and curves into `out`. Raises OSError."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=out):  # better to fail now than after the training
        pass
    with timed("XOR"):
        network, losses = learn_xor(seed)
    print()
    curves = learn_both(seed, epochs)
    print(said(f"Written into {out}:"))
    with timed(said("pictures")):
        drawings, player = xor_drawings(network)
        written = (
            write_drawings(drawings, out),
            (player.save(out / "xor_player.html"),),
            write_curves(losses, curves, out),
        )
        for done in chain.from_iterable(written):
            if isinstance(done, Path):
                print(f"  {done.name:<18}{done.stat().st_size:>9,} bytes")
            else:
                print(f"  {said('not written')}: {done}")
    print(said("Open xor_player.html in a browser first: it goes through the chain rule of one answer, step by step."))
