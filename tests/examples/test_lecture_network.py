"""The proof a student reads first: derivatives by hand and by the framework agree, and so does training."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examples.lecture_network import SGD, Network, digits, main, mini_batches, twin, xor_table
from examples.lecture_network import largest_difference as difference

HELD_OUT = digits(train=False)


def noise(sizes, n, rng):
    """Examples of any size: inputs at random, targets that are one of the output neurons."""
    targets = np.eye(sizes[-1])
    return [(rng.standard_normal((sizes[0], 1)), targets[:, [rng.integers(sizes[-1])]]) for _ in range(n)]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("sizes", [[2, 3, 1], [2, 1], [2, 5, 4, 3, 1]])
def test_gradients_agree_on_the_xor_table(sizes, seed):
    assert difference(Network(sizes, np.random.default_rng(seed)), xor_table()) <= 1e-12


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("sizes", [[64, 30, 10], [64, 10], [64, 20, 15, 10]])
def test_gradients_agree_on_digits(sizes, seed):
    assert difference(Network(sizes, np.random.default_rng(seed)), HELD_OUT) <= 1e-12


@settings(max_examples=30)
@given(st.lists(st.integers(1, 9), min_size=2, max_size=6), st.integers(1, 8), st.integers(0, 2**32 - 1))
def test_gradients_agree_whatever_the_sizes(sizes, n, seed):
    rng = np.random.default_rng(seed)
    network = Network(sizes, rng)
    assert difference(network, noise(sizes, n, rng)) <= 1e-12


def test_a_wrong_derivative_by_hand_is_noticed():
    network = Network([2, 3, 1], np.random.default_rng(0))
    network.cost_derivative = lambda a, y: 1.001 * (a - y)
    assert difference(network, xor_table()) > 1e-5


@pytest.mark.parametrize(
    "sizes, training, epochs, size, eta, test",
    [
        ([2, 3, 1], xor_table(), 60, 2, 3.0, xor_table()),
        ([64, 30, 10], HELD_OUT[:200], 4, 10, 3.0, HELD_OUT[200:]),
        ([64, 20, 15, 10], HELD_OUT[:203], 3, 7, 2.0, HELD_OUT[203:]),
    ],
    ids=["2-3-1", "64-30-10", "64-20-15-10, last batch smaller"],
)
def test_both_train_alike(sizes, training, epochs, size, eta, test):
    network = Network(sizes, np.random.default_rng(0))
    model = twin(network)
    by_hand = network.SGD(training, epochs, size, eta, test, np.random.default_rng(1))
    by_framework = SGD(model, training, epochs, size, eta, test, np.random.default_rng(1))
    assert by_hand == by_framework
    assert len(by_hand) == epochs
    assert all(re.fullmatch(rf"Epoch {i}: \d+ / {len(test)}", line) for i, line in enumerate(by_hand))
    values = [v for w, b in zip(network.weights, network.biases, strict=True) for v in (w, b[:, 0])]
    for by_hand, found in zip(values, model.parameters(), strict=True):
        np.testing.assert_allclose(found.detach().numpy(), by_hand, rtol=0, atol=1e-9)


def test_training_a_network_leaves_its_twin_alone():
    network = Network([2, 3, 1], np.random.default_rng(0))
    model, before = twin(network), [w.copy() for w in network.weights]
    SGD(model, xor_table(), 3, 2, 3.0, xor_table(), np.random.default_rng(1))
    assert all(np.array_equal(a, b) for a, b in zip(before, network.weights, strict=True))


@given(st.integers(0, 50), st.integers(1, 20), st.integers(0, 100))
def test_an_epoch_meets_every_example_once(n, size, seed):
    batches = list(mini_batches(n, size, np.random.default_rng(seed)))
    assert sorted(i for batch in batches for i in batch) == list(range(n))
    assert all(len(batch) == size for batch in batches[:-1])


def test_the_program_prints_the_proof(capsys):
    main()
    printed = capsys.readouterr().out
    differences = [float(d) for d in re.findall(r"gradients (\S+)", printed)]
    assert len(differences) == 2 and max(differences) <= 1e-12
    rows = re.findall(r"^(Epoch \d+: \d+ / 360) +(Epoch \d+: \d+ / 360)$", printed, re.MULTILINE)
    assert len(rows) == 10 and all(left == right for left, right in rows)
    assert int(rows[-1][0].split()[2]) >= 0.9 * 360
