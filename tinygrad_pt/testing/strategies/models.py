"""Strategies for small networks with drawn weights, for their inputs, and for optimizers that have stepped before."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

import tinygrad_pt as torch
from tinygrad_pt import nn, optim
from tinygrad_pt.calling import wrap
from tinygrad_pt.modes import no_grad
from tinygrad_pt.testing.strategies.numbers import Strategy, given_or
from tinygrad_pt.testing.strategies.tensors import tensors

SMOOTH = (nn.Tanh, nn.Sigmoid, nn.GELU, nn.SiLU, nn.Softplus, nn.Softmin, nn.LogSigmoid)
KINKED = (nn.ReLU, nn.LeakyReLU, nn.Hardtanh, nn.ELU)


@st.composite
def modules(draw: Any, features: Any = None, depth: Any = None, kinks: bool = False) -> Any:
    """Networks of linear layers and activations, with weights drawn anew, for inputs of shape (batch, features).

    Args:
        features: the number of inputs (default: 1 to 3). depth: the number of linear layers (default: 1 to 3).
        kinks: whether activations with kinks, such as ReLU, are wanted too.

    They shrink to one linear layer with one input.

    >>> from hypothesis import given
    >>> from hypothesis.strategies import data
    >>> @given(data())
    ... def test_rows_do_not_meet(data):
    ...     network = data.draw(modules())
    ...     x = data.draw(inputs_for(network))
    ...     assert network(x).shape[0] == x.shape[0]
    >>> test_rows_do_not_meet()
    """
    width = draw(st.integers(1, 3) if features is None else given_or(features))
    layers: list[Any] = []
    stream = torch.get_rng_state()
    for _ in range(draw(st.integers(1, 3) if depth is None else given_or(depth))):
        after = draw(st.integers(1, 3))
        layers.append(nn.Linear(width, after, bias=not draw(st.booleans())))
        activation = draw(st.sampled_from([None, *SMOOTH, *(KINKED if kinks else ())]))
        if activation is not None:
            layers.append(activation(1) if activation is nn.Softmin else activation())
        width = after
    torch.set_rng_state(stream)  # the constructors took from the user's stream
    network = nn.Sequential(*layers)
    values = np.random.default_rng(draw(st.integers(0, 2**16)))
    with no_grad():
        for parameter in network.parameters():
            parameter.copy_(wrap(values.uniform(-1, 1, parameter.array.shape)))
    return network.double()


def inputs_for(module: Any, batch: Any = None, requires_grad: Any = False) -> Strategy:
    """Float64 inputs of shape (batch, features) for a network that begins with a linear layer."""
    features = next(m.in_features for m in module.modules() if hasattr(m, "in_features"))
    shape = given_or(st.integers(1, 3) if batch is None else batch).map(lambda n: (n, features))
    return tensors(shape=shape, elements="small", requires_grad=requires_grad)


OPTIMIZERS: dict[Any, list[dict[str, Any]]] = {
    optim.SGD: [{"lr": 0.1}, {"lr": 0.1, "momentum": 0.9}, {"lr": 0.1, "momentum": 0.9, "nesterov": True}],
    optim.Adagrad: [{"lr": 0.1}, {"lr": 0.1, "weight_decay": 0.1}],
    optim.RMSprop: [{"lr": 0.01}, {"lr": 0.01, "momentum": 0.9, "centered": True}],
    optim.Adam: [{"lr": 0.01}, {"lr": 0.01, "amsgrad": True}, {"lr": 0.01, "weight_decay": 0.1}],
    optim.AdamW: [{"lr": 0.01}, {"lr": 0.01, "maximize": True}],
}


@st.composite
def optimizers(draw: Any, parameters: Any = None, steps: Any = None) -> Any:
    """Optimizers of every kind, with a few steps behind them and so with a state.

    Args:
        parameters: what they optimize: tensors, or a module; default: one or two float64 parameters of their own.
        steps: how many steps lie behind them (default: 0 to 3), on gradients that are drawn.

    >>> from hypothesis import given
    >>> @given(optimizers())
    ... def test_a_state_can_be_read_back(optimizer):
    ...     optimizer.load_state_dict(optimizer.state_dict())
    >>> test_a_state_can_be_read_back()
    """
    if isinstance(parameters, nn.Module):
        parameters = list(parameters.parameters())
    elif parameters is None:
        forms = draw(st.lists(st.sampled_from([(2,), (), (2, 3)]), min_size=1, max_size=2))
        parameters = [nn.Parameter(draw(tensors(shape=s, elements="small", layout="C"))) for s in forms]
    kind, options = draw(st.sampled_from([(k, o) for k, row in OPTIMIZERS.items() for o in row]))
    optimizer = kind(parameters, **options)
    values = np.random.default_rng(draw(st.integers(0, 2**16)))
    for _ in range(draw(st.integers(0, 3) if steps is None else given_or(steps))):
        for p in parameters:
            p.grad = wrap(values.uniform(-1, 1, p.array.shape).astype(p.array.dtype))
        optimizer.step()
    optimizer.zero_grad()
    return optimizer
