"""The multilayer perceptron (MLP): affine layers with an activation after each."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence

from tinygrad_pt import nn
from tinygrad_pt.errors import refuse

Maker = Callable[[], nn.Module]


class MLP(nn.Sequential):
    r"""The lecture's network `MLP([2, 3, 1])`: 2 inputs, 3 hidden neurons, 1 output.

    Every layer computes, from the activations `a` of the layer before it,

        a' = σ(W a + b)

    with σ the `activation`, a class of `nn` or any callable that makes a module. The last layer ends in
    `output` instead: by default in nothing, so that it gives the logits `nn.CrossEntropyLoss` expects; the
    lecture's networks end in `nn.Sigmoid`. With `dropout` > 0 each hidden activation is dropped with that
    probability while training. `bias=False` leaves out every b.

    Input: shape (..., sizes[0]). Output: shape (..., sizes[-1]), in the dtype of the parameters.
    Raises ValueError for fewer than two sizes, or one below 1.

    Source: the lecture "Redes Neurais"; D. Rumelhart, G. Hinton, R. Williams, Learning representations by
    back-propagating errors, Nature 323, 1986.

    >>> from tinygrad_pt import nn
    >>> network = MLP([2, 3, 1], output=nn.Sigmoid)
    >>> network
    MLP(
      (0): Linear(in_features=2, out_features=3, bias=True)
      (1): Sigmoid()
      (2): Linear(in_features=3, out_features=1, bias=True)
      (3): Sigmoid()
    )
    >>> network(torch.zeros(4, 2)).shape
    torch.Size([4, 1])
    >>> list(network.state_dict())
    ['0.weight', '0.bias', '2.weight', '2.bias']
    """

    def __init__(
        self, sizes: Sequence[int], activation: Maker = nn.Sigmoid, output: Maker | None = None, *, bias: bool = True,
        dropout: float = 0.0,
    ) -> None:  # fmt: skip
        try:
            sizes = [operator.index(n) for n in sizes]
        except TypeError:
            text = f"MLP: sizes={sizes}: expected a sequence of integers"
            raise refuse(TypeError, text, mend="MLP([2, 3, 1])") from None
        for name, maker in (("activation", activation), ("output", output or activation)):
            if isinstance(maker, nn.Module) or not callable(maker):
                kind = type(maker).__name__
                mend = f"nn.{kind} instead of nn.{kind}()" if hasattr(nn, kind) else "nn.Sigmoid"
                text = f"MLP: {name} must be a class or function that makes a module, not {kind}"
                raise refuse(TypeError, text, mend=mend)
        if len(sizes) < 2 or min(sizes) < 1:
            text = f"MLP: sizes={sizes}: expected two numbers or more, each at least 1: "
            raise refuse(
                ValueError, text + "neurons of the input layer, of every hidden layer, and of the output layer"
            )
        layers: list[nn.Module] = []
        for before, after in zip(sizes[:-2], sizes[1:-1], strict=True):
            layers += [nn.Linear(before, after, bias=bias), activation()]
            if dropout:
                layers.append(nn.Dropout(dropout))
        layers.append(nn.Linear(sizes[-2], sizes[-1], bias=bias))
        if output is not None:
            layers.append(output())
        super().__init__(*layers)
