"""What recurrent layers and cells are made of: layers one above the other, in both directions, of packed sequences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinygrad_pt import functions as F
from tinygrad_pt import ops
from tinygrad_pt.calling import Applied, bundle
from tinygrad_pt.errors import refuse
from tinygrad_pt.nn.functional.check import spoken
from tinygrad_pt.nn.functional.dropout import dropout
from tinygrad_pt.ops import recurrent
from tinygrad_pt.tensor import Tensor

__all__: list[str] = []

KINDS: dict[str, tuple[Applied, dict[str, bool]]] = {
    "RNN_TANH": (recurrent.rnn_layer, {"relu": False}),
    "RNN_RELU": (recurrent.rnn_layer, {"relu": True}),
    "LSTM": (recurrent.lstm_layer, {}),
    "GRU": (recurrent.gru_layer, {}),
}
Tensors = Sequence[Tensor]


def same_kind(op: str, *tensors: Tensor) -> None:
    """Raise PyTorch's error unless all of these are of one dtype."""
    kind = tensors[0].array.dtype
    for t in tensors:
        if t.array.dtype is not kind and t.array.dtype != kind:
            text = f"mat1 and mat2 must have the same dtype, but got {spoken(t)} and {spoken(tensors[0])}"
            raise refuse(RuntimeError, text, op, *tensors, mend=f"convert it: x.to({tensors[0].dtype})")


def one_layer(mode: str, input: Tensor, states: Tensors, weights: Tensors, reverse: bool = False) -> tuple[Tensor, ...]:
    """The output (T, B, H) of one layer in one direction, and its states after the last step."""
    function, attrs = KINDS[mode]
    y, *results = bundle(function.op, (input, *states, *weights), attrs | {"reverse": reverse})
    if y.node is not None:  # y is not handed out: a walk need not fill its gradient with zeros
        y.node.parents[0].set_note("lean", True)
    return tuple(results)


def packed_layer(
    mode: str, input: Tensor, states: Tensors, weights: Tensors, reverse: bool, batch_sizes: np.ndarray
) -> tuple[Tensor, ...]:
    """The same for packed sequences: rows (ΣT, H). Steps with the same number of sequences are one part.

    Going forward, sequences end between two parts, and their states are final; going back, sequences begin there.
    """
    parts, start = [], 0
    edges = np.flatnonzero(np.diff(batch_sizes)) + 1
    for sizes in np.split(batch_sizes, edges):
        batch, steps = int(sizes[0]), len(sizes)
        parts.append((start, steps, batch))
        start += steps * batch
    outputs: list[Tensor] = []
    now = list(states)
    final: list[list[Tensor]] = []
    for start, steps, batch in reversed(parts) if reverse else parts:
        have = 0 if reverse and not outputs else now[0].array.shape[0]
        if reverse and have < batch:
            begun = [ops.narrow(s, axis=0, start=have, length=batch - have) for s in states]
            now = [F.cat(pair) for pair in zip(now, begun, strict=True)] if have else begun
        elif have > batch:
            final.append([ops.narrow(s, axis=0, start=batch, length=have - batch) for s in now])
            now = [ops.narrow(s, axis=0, start=0, length=batch) for s in now]
        rows = ops.narrow(input, axis=0, start=start, length=steps * batch)
        x = ops.reshape(rows, shape=(steps, batch, rows.array.shape[1]))
        output, *now = one_layer(mode, x, now, weights, reverse)
        outputs.append(ops.reshape(output, shape=(steps * batch, output.array.shape[2])))
    final.append(now)
    joined = [F.cat(list(s)) if len(final) > 1 else s[0] for s in zip(*reversed(final), strict=True)]
    if len(outputs) > 1:
        return F.cat(outputs[::-1] if reverse else outputs), *joined
    return outputs[0], *joined


def all_layers(
    mode: str, input: Tensor, states: Sequence[Tensors], weights: Sequence[Tensors], directions: int, p: float,
    batch_sizes: np.ndarray | None = None,
) -> tuple[Tensor, ...]:  # fmt: skip
    """The output of the last of several layers, and the final states of all, (layers · directions, B, H).

    Between two layers elements are dropped with probability p.
    """
    x, final = input, []
    for k in range(0, len(weights), directions):
        outputs = []
        for i in range(k, k + directions):
            if batch_sizes is None:
                y, *last = one_layer(mode, x, states[i], weights[i], i > k)
            else:
                y, *last = packed_layer(mode, x, states[i], weights[i], i > k, batch_sizes)
            outputs.append(y)
            final.append(last)
        x = outputs[0] if directions == 1 else F.cat(outputs, -1)
        if p and k + directions < len(weights):
            x = dropout(x, p)
    return x, *(ops.stack(*s, axis=0) for s in zip(*final, strict=True))
