"""The lecture's network twice: once with every derivative written by hand, once with none.

    python examples/lecture_network.py

`Network` is the class of the lecture in NumPy, with its backpropagation (retropropagação) spelled out. The
framework gets the same data, the same weights (pesos) and biases (vieses), and the forward pass alone; it
finds the derivatives itself. Both print the same gradients, to the last bits of float64, and train alike.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

import tinygrad_pt as torch
from tinygrad_pt import nn
from tinygrad_pt.datasets import XOR, Digits
from tinygrad_pt.models import MLP

Array = NDArray[np.float64]
Random = np.random.Generator
Examples = list[tuple[Array, Array]]  # pairs (x, y) of column vectors: an input, and the output wanted for it


# ---------------------------------------------------------------------------------------- shared by both
def mini_batches(n: int, size: int, rng: Random) -> Iterator[list[int]]:
    """The numbers 0 … n − 1 in random order, `size` at a time: one epoch (época)."""
    order = rng.permutation(n).tolist()
    return (order[k : k + size] for k in range(0, n, size))


def decision(a: Array) -> int:
    """The answer that a column of outputs stands for: above 0.5 or not; of several, the strongest."""
    return int(a[0, 0] > 0.5) if len(a) == 1 else int(a.argmax())


# ---------------------------------------------------------------------------------------- by hand
def sigmoid(z: Array) -> Array:
    """σ(z) = 1 / (1 + e⁻ᶻ), the activation function (função de ativação)."""
    return 1.0 / (1.0 + np.exp(-z))


def sigmoid_prime(z: Array) -> Array:
    """σ'(z) = σ(z) (1 − σ(z))."""
    return sigmoid(z) * (1.0 - sigmoid(z))


class Network:
    """The lecture's network: `Network([2, 3, 1], rng)` has 2 inputs, 3 hidden neurons and 1 output."""

    def __init__(self, sizes: list[int], rng: Random) -> None:
        self.num_layers = len(sizes)
        self.sizes = sizes
        self.biases = [rng.standard_normal((y, 1)) for y in sizes[1:]]
        self.weights = [rng.standard_normal((y, x)) for x, y in zip(sizes[:-1], sizes[1:], strict=True)]

    def feedforward(self, a: Array) -> Array:
        """The output for the input `a`: layer by layer (camada por camada) a' = σ(W a + b)."""
        for w, b in zip(self.weights, self.biases, strict=True):
            a = sigmoid(w @ a + b)
        return a

    def backprop(self, x: Array, y: Array) -> tuple[list[Array], list[Array]]:
        """(∂C/∂b, ∂C/∂W), layer by layer, of the cost (custo) C = ½ ‖a − y‖² of one example."""
        # Forward pass (passo para frente): remember every weighted input z = W a + b and activation a = σ(z).
        activation, activations, zs = x, [x], []
        for w, b in zip(self.weights, self.biases, strict=True):
            zs.append(w @ activation + b)
            activation = sigmoid(zs[-1])
            activations.append(activation)

        # Backward pass (passo para trás): the chain rule (regra da cadeia), from the last layer to the first.
        # δ = ∂C/∂z;  last layer: δ = (a − y) ⊙ σ'(z);  others: δ = (Wᵀ δ of the layer behind it) ⊙ σ'(z).
        delta = self.cost_derivative(activations[-1], y) * sigmoid_prime(zs[-1])
        nabla_b, nabla_w = [delta], [delta @ activations[-2].T]
        for layer in range(2, self.num_layers):
            delta = self.weights[-layer + 1].T @ delta * sigmoid_prime(zs[-layer])
            nabla_b.insert(0, delta)  # ∂C/∂b = δ
            nabla_w.insert(0, delta @ activations[-layer - 1].T)  # ∂C/∂W = δ aᵀ
        return nabla_b, nabla_w

    def cost_derivative(self, output_activations: Array, y: Array) -> Array:
        """∂C/∂a = a − y."""
        return output_activations - y

    def gradients(self, examples: Examples) -> tuple[list[Array], list[Array]]:
        """The sums of (∂C/∂b, ∂C/∂W) over some examples."""
        sum_b, sum_w = [np.zeros_like(b) for b in self.biases], [np.zeros_like(w) for w in self.weights]
        for x, y in examples:
            for total, part in zip(sum_b + sum_w, sum(self.backprop(x, y), []), strict=True):
                total += part
        return sum_b, sum_w

    def update_mini_batch(self, examples: Examples, eta: float) -> None:
        """One step of gradient descent: new weight = old weight − learning rate · mean derivative."""
        nabla_b, nabla_w = self.gradients(examples)
        for parameter, nabla in zip(self.biases + self.weights, nabla_b + nabla_w, strict=True):
            parameter -= eta / len(examples) * nabla

    def SGD(self, training: Examples, epochs: int, size: int, eta: float, test: Examples, rng: Random) -> list[str]:
        """Stochastic gradient descent (descida do gradiente estocástica); one line per epoch."""
        lines = []
        for epoch in range(epochs):
            for batch in mini_batches(len(training), size, rng):
                self.update_mini_batch([training[i] for i in batch], eta)
            lines.append(f"Epoch {epoch}: {self.evaluate(test)} / {len(test)}")
        return lines

    def evaluate(self, test: Examples) -> int:
        """How many of the examples are answered rightly."""
        return sum(decision(self.feedforward(x)) == decision(y) for x, y in test)


# ---------------------------------------------------------------------------------------- with the framework
def twin(network: Network) -> MLP:
    """The same network as an `MLP`, with the same weights and biases."""
    model = MLP(network.sizes, activation=nn.Sigmoid, output=nn.Sigmoid).double()
    values = [v for w, b in zip(network.weights, network.biases, strict=True) for v in (w, b[:, 0])]
    with torch.no_grad():
        for parameter, value in zip(model.parameters(), values, strict=True):
            parameter.copy_(torch.tensor(value))
    return model


def cost(model: MLP, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The mean of C = ½ ‖a − y‖² over the rows of `x` and `y`: all that the framework is told."""
    return ((model(x) - y) ** 2).sum() / (2 * len(x))


def SGD(model: MLP, training: Examples, epochs: int, size: int, eta: float, test: Examples, rng: Random) -> list[str]:
    """`Network.SGD`, in the framework's words."""
    (x, y), (x_test, _) = rows(training), rows(test)
    optimizer = torch.optim.SGD(model.parameters(), lr=eta)
    lines = []
    for epoch in range(epochs):
        for batch in mini_batches(len(x), size, rng):
            optimizer.zero_grad()
            cost(model, x[batch], y[batch]).backward()
            optimizer.step()
        with torch.no_grad():
            answers = columns(model(x_test))
        right = sum(decision(a) == decision(y) for a, (_, y) in zip(answers, test, strict=True))
        lines.append(f"Epoch {epoch}: {right} / {len(test)}")
    return lines


def rows(examples: Examples) -> tuple[torch.Tensor, torch.Tensor]:
    """The examples as two tensors, one example per row."""
    x, y = zip(*examples, strict=True)
    return torch.tensor(np.hstack(x).T), torch.tensor(np.hstack(y).T)


# ---------------------------------------------------------------------------------------- the proof
def largest_difference(network: Network, examples: Examples) -> float:
    """The largest |by hand − by the framework| among all elements of all gradients of the mean cost."""
    model = twin(network)
    cost(model, *rows(examples)).backward()
    nabla_b, nabla_w = network.gradients(examples)
    by_hand = [v / len(examples) for w, b in zip(nabla_w, nabla_b, strict=True) for v in (w, b[:, 0])]
    found = [p.grad.numpy() for p in model.parameters()]
    return max(float(np.abs(a - b).max()) for a, b in zip(by_hand, found, strict=True))


def xor_table() -> Examples:
    """The four rows of the XOR table as column vectors."""
    data = XOR()
    return list(zip(columns(data.inputs), columns(data.targets), strict=True))


def digits(train: bool) -> Examples:
    """Handwritten digits: 64 inks from 0 to 1, and the digit as ten numbers, a 1 at its place and else 0."""
    data = Digits(train=train)
    return list(zip(columns(data.inputs), columns(torch.eye(10)[data.targets]), strict=True))


def columns(values: torch.Tensor) -> list[Array]:
    """Each row of a tensor as a column vector in float64."""
    return [row[:, None].astype(np.float64) for row in values.numpy()]


def main() -> None:
    """Compare the gradients on the XOR table and on digits, then train both networks on the digits."""
    for sizes, examples in (([2, 3, 1], xor_table()), ([64, 30, 10], digits(train=False))):
        difference = largest_difference(Network(sizes, np.random.default_rng(0)), examples)
        print(f"{sizes}: largest difference between any two gradients {difference:.1e}")

    network = Network([64, 30, 10], np.random.default_rng(0))
    model = twin(network)
    settings = (digits(train=True), 10, 10, 3.0, digits(train=False))  # 10 epochs, batches of 10, eta = 3
    by_hand = network.SGD(*settings, np.random.default_rng(1))
    by_framework = SGD(model, *settings, np.random.default_rng(1))
    print(f"\n{'by hand':<22}with tinygrad_pt")
    for left, right in zip(by_hand, by_framework, strict=True):
        print(f"{left:<22}{right}")


if __name__ == "__main__":
    main()
