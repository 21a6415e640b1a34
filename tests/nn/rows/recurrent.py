"""Rows of the recurrent layers and cells; tests/nn/test_recurrent_vs_torch.py compares what they compute."""

from __future__ import annotations

from typing import Any

from tests.nn.rows.row import *  # noqa: F403


def recurrent(name: str, *settings: dict[str, Any], wrong: tuple[Wrong, ...] = ()) -> None:
    """A row of a layer that gives several results, and is not called by the laws."""
    sizes = {"input_size": 3, "hidden_size": 4}
    found = [Case((), sizes | more) for more in ({}, *settings)]
    row(name, None, real, found, wrong=wrong, bound=lambda given: given["hidden_size"] ** -0.5)


def refused(error: type[Exception], words: str, **settings: Any) -> Wrong:
    return Wrong({"input_size": 3, "hidden_size": 4} | settings, None, error, words)


MANY = {"num_layers": 2, "bidirectional": True, "bias": False, "batch_first": True, "dropout": 0.5}
SHARE = "dropout should be a number in range [0, 1] representing the probability of an element being zeroed"
NO_PROJECTION = refused(ValueError, "proj_size argument is only supported for LSTM, not RNN or GRU", proj_size=2)

recurrent(
    "RNN", {"nonlinearity": "relu", "num_layers": 2}, MANY,
    wrong=(refused(ValueError, "Unknown nonlinearity 'gelu'. Select from 'tanh' or 'relu'.", nonlinearity="gelu"), NO_PROJECTION),
)  # fmt: skip
recurrent(
    "LSTM", {"proj_size": 2, "num_layers": 2}, MANY,
    wrong=(
        refused(ValueError, SHARE, dropout=2), refused(ValueError, SHARE, dropout=True),
        refused(TypeError, "input_size should be of type int, got: float", input_size=3.0),
        refused(TypeError, "hidden_size should be of type int, got: float", hidden_size=4.0),
        refused(TypeError, "bias should be of type bool, got: int", bias=1),
        refused(TypeError, "batch_first should be of type bool, got: int", batch_first=1),
        refused(ValueError, "input_size must be greater than zero", input_size=0),
        refused(ValueError, "hidden_size must be greater than zero", hidden_size=0),
        refused(ValueError, "num_layers must be greater than zero", num_layers=0),
        refused(ValueError, "proj_size should be a positive integer or zero to disable projections", proj_size=-1),
        refused(ValueError, "proj_size has to be smaller than hidden_size", proj_size=4),
    ),
)  # fmt: skip
recurrent("GRU", MANY, wrong=(NO_PROJECTION,))
recurrent("RNNCell", {"bias": False, "nonlinearity": "relu"})
recurrent("LSTMCell", {"bias": False})
recurrent("GRUCell", {"bias": False})
