"""`torch.lstm`, `torch.gru_cell` and the others: recurrent layers and cells as functions of lists of weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tinygrad_pt import functions as F
from tinygrad_pt import ops
from tinygrad_pt.calling import wrap
from tinygrad_pt.errors import refuse
from tinygrad_pt.functions.binding import described
from tinygrad_pt.functions.checks import expect_tensor, no_overload, not_a
from tinygrad_pt.nn.functional.recurrent import all_layers, one_layer, same_kind
from tinygrad_pt.tensor import Tensor
from tinygrad_pt.views import as_own

__all__ = [
    "gru", "gru_cell", "lstm", "lstm_cell", "rnn_relu", "rnn_relu_cell", "rnn_tanh", "rnn_tanh_cell",
]  # fmt: skip

WHOLE = "input hx params has_biases num_layers dropout train bidirectional batch_first".split()
PACKED = "data batch_sizes hx params has_biases num_layers dropout train bidirectional".split()


def _layers(mode: str) -> Callable[..., tuple[Tensor, ...]]:
    """The function of several layers: of one tensor, or of packed sequences."""
    name = mode.lower()

    def function(*args: Any, **words: Any) -> tuple[Tensor, ...]:
        packed = "batch_sizes" in words or (len(args) > 3 and isinstance(args[3], (list, tuple)))
        names = PACKED if packed else WHOLE
        given = dict(zip(names, args, strict=False)) | words
        if given.keys() != {*names} or len(args) + len(words) > len(names):
            raise no_overload(name, *args, **words)
        x = expect_tensor(given["data" if packed else "input"], name)
        states = _tensors(given["hx"], name, "hx") if mode == "LSTM" else [expect_tensor(given["hx"], name, "hx", 2)]
        params, directions = _tensors(given["params"], name, "params"), 2 if given["bidirectional"] else 1
        if mode == "LSTM" and len(states) != 2:
            raise refuse(RuntimeError, "lstm expects two hidden states", name, x, *states)
        if x.array.ndim != (2 if packed else 3):
            text = f"input must have {2 if packed else 3} dimensions, got {x.array.ndim}"
            raise refuse(RuntimeError, text, name, x, *states)
        rows = int(given["num_layers"]) * directions
        if len(params) % rows or len(params) // rows < (4 if given["has_biases"] else 2):
            text = f"got an incorrect number of RNN parameters: {len(params)} for {rows} layers and directions"
            raise refuse(RuntimeError, text, name, x, *states)
        each = len(params) // rows
        weights = [params[i : i + each] for i in range(0, len(params), each)]
        first = not packed and given["batch_first"]
        x = F.transpose(x, 0, 1) if first else x
        batch = int(given["batch_sizes"].array[0]) if packed else x.array.shape[1]
        for s in states:
            if s.array.ndim != 3 or s.array.shape[:2] != (rows, batch):
                text = f"Expected hidden size ({rows}, {batch}, ·), got {list(s.array.shape)}"
                raise refuse(RuntimeError, text, name, x, s, mend="a state is (layers · directions, batch, hidden)")
        same_kind(name, weights[0][0], x, *states)
        layers = [tuple(ops.select(s, axis=0, index=i) for s in states) for i in range(rows)]
        p = float(given["dropout"]) if given["train"] else 0.0
        counts = given["batch_sizes"].array if packed else None
        y, *final = all_layers(mode, x, layers, weights, directions, p, counts)
        return as_own(F.transpose(y, 0, 1)) if first else y, *final

    doc = "The output of recurrent layers, and their last states; the module of `nn` says what they compute."
    return described(function, name, doc)


def _tensors(values: Any, function: str, name: str) -> Sequence[Tensor]:
    if not isinstance(values, (list, tuple)) or not all(isinstance(v, Tensor) for v in values):
        raise not_a("tuple of Tensors", values, function, name)
    return values


def _cell(mode: str) -> Callable[..., Any]:
    """The function of one step."""
    name = f"{mode.lower()}_cell"

    def function(
        input: Tensor, hx: Any, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None
    ) -> Any:
        states = _tensors(hx, name, "hx") if mode == "LSTM" else [expect_tensor(hx, name, "hx", 2)]
        if mode == "LSTM" and len(states) != 2:
            raise refuse(RuntimeError, "lstm_cell expects two hidden states", name, input, *states)
        x = expect_tensor(input, name).array
        if x.ndim != 2 or x.shape[1] != w_ih.array.shape[1]:
            text = f"input has inconsistent input_size: got {x.shape[-1] if x.ndim else 1} expected "
            raise refuse(RuntimeError, f"{text}{w_ih.array.shape[1]}", name, input, *states)
        for i, s in enumerate(states):
            if s.array.shape != (x.shape[0], w_hh.array.shape[1]):
                text = f"hidden{i} has inconsistent hidden_size: got {s.array.shape[-1]}, expected "
                raise refuse(RuntimeError, f"{text}{w_hh.array.shape[1]}", name, input, *states)
        same_kind(name, w_ih, input, *states)
        weights = [w_ih, w_hh]
        if b_ih is not None or b_hh is not None:
            zero = wrap(w_ih.array[:, 0] * 0)
            weights += [zero if b is None else b for b in (b_ih, b_hh)]
        _, *new = one_layer(mode, ops.unsqueeze(input, axis=0), states, weights)
        return tuple(new) if mode == "LSTM" else new[0]

    return described(function, name, "The state after one step of a recurrent cell; the class of `nn` has the formula.")


lstm, gru, rnn_tanh, rnn_relu = map(_layers, ("LSTM", "GRU", "RNN_TANH", "RNN_RELU"))
lstm_cell, gru_cell, rnn_tanh_cell, rnn_relu_cell = map(_cell, ("LSTM", "GRU", "RNN_TANH", "RNN_RELU"))
