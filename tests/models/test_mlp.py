"""The multilayer perceptron against the lecture's formula, and its settings."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_pt as torch
from tinygrad_pt import nn
from tinygrad_pt.models import MLP

KINDS = {
    nn.Sigmoid: lambda z: 1 / (1 + np.exp(-z)),
    nn.Tanh: np.tanh,
    nn.ReLU: lambda z: np.maximum(z, 0),
    None: lambda z: z,
}


@given(
    st.lists(st.integers(1, 6), min_size=2, max_size=5),
    st.sampled_from([nn.Sigmoid, nn.Tanh, nn.ReLU]),
    st.sampled_from([None, nn.Sigmoid, nn.Tanh]),
    st.booleans(),
)
def test_each_layer_is_the_activation_of_wa_plus_b(sizes, activation, output, bias):
    network = MLP(sizes, activation, output, bias=bias).double()
    a = torch.randn(3, sizes[0], dtype=torch.float64)
    wanted = a.numpy()
    linear = [m for m in network if isinstance(m, nn.Linear)]
    for layer, kind in zip(linear, [activation] * (len(sizes) - 2) + [output], strict=True):
        z = wanted @ layer.weight.detach().numpy().T + (layer.bias.detach().numpy() if bias else 0)
        wanted = KINDS[kind](z)
    np.testing.assert_allclose(network(a).detach().numpy(), wanted, rtol=1e-12, atol=1e-12)


@given(st.lists(st.integers(1, 20), min_size=2, max_size=5), st.booleans())
def test_it_has_one_weight_per_connection_and_one_bias_per_neuron(sizes, bias):
    wanted = sum(m * n + bias * n for m, n in zip(sizes[:-1], sizes[1:], strict=True))
    assert sum(p.numel() for p in MLP(sizes, bias=bias).parameters()) == wanted


def test_it_is_the_sequential_one_would_write():
    torch.manual_seed(0)
    network = MLP([4, 8, 3], nn.ReLU)
    torch.manual_seed(0)
    plain = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    x = torch.randn(5, 4)
    assert torch.equal(network(x), plain(x))
    plain.load_state_dict(network.state_dict())


def test_dropout_stands_behind_hidden_activations_only_and_rests_in_eval():
    network = MLP([4, 50, 50, 3], nn.ReLU, dropout=0.5)
    assert [type(m).__name__ for m in network] == ["Linear", "ReLU", "Dropout"] * 2 + ["Linear"]
    x = torch.randn(2, 4)
    assert not torch.equal(network(x), network(x))
    network.eval()
    assert torch.equal(network(x), network(x))


def test_any_maker_of_a_module_is_an_activation():
    network = MLP([2, 2, 1], lambda: nn.Softmax(dim=-1), output=lambda: nn.Flatten(0))
    assert network(torch.zeros(3, 2)).shape == (3,)


@pytest.mark.parametrize("sizes", [[], [3], [2, 0, 1], [2, -1]])
def test_sizes_that_make_no_network_are_refused(sizes):
    with pytest.raises(ValueError, match="MLP: sizes="):
        MLP(sizes)


def test_a_wrong_input_is_refused_with_the_layer_that_refuses_it():
    with pytest.raises(RuntimeError, match=r"0 \(Linear\)"):
        MLP([2, 3, 1])(torch.zeros(4, 5))
