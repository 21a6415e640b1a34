"""Rows of the recurrent layers, written out step by step."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.ops.rows.row import *  # noqa: F403


def sigma(a: Any) -> Any:
    return 1 / (1 + np.exp(-a))


def steps(y: list[Any], outputs: list[Any], h: Any, reverse: bool, *more: Any) -> list[Any]:
    """What the steps have computed, in the order of time, as the results of an op."""
    if reverse:
        y, outputs = y[::-1], outputs[::-1]
    return [np.array(y).transpose(0, 2, 1), np.array(outputs), h, *more]


def rnn(x: Any, h: Any, w_ih: Any, w_hh: Any, *bias: Any, relu: bool, reverse: bool) -> list[Any]:
    hs = []
    for a in x[::-1] if reverse else x:
        a = a @ w_ih.T + h @ w_hh.T + sum(bias)
        h = np.maximum(a, 0) if relu else np.tanh(a)
        hs.append(h)
    return steps(hs, hs, h, reverse)


def lstm(x: Any, h: Any, c: Any, w_ih: Any, w_hh: Any, *rest: Any, reverse: bool) -> list[Any]:
    bias = sum(rest[:2]) if len(rest) > 1 else 0
    ys, hs = [], []
    for a in x[::-1] if reverse else x:
        i, f, g, o = np.split(a @ w_ih.T + h @ w_hh.T + bias, 4, -1)
        i, f, g, o = sigma(i), sigma(f), np.tanh(g), sigma(o)
        c = f * c + i * g
        h = o * np.tanh(c)
        h = h @ rest[-1].T if len(rest) % 2 else h
        hs.append(h)
        ys.append(np.concatenate([i, f, g, o, c, h], -1))
    return steps(ys, hs, h, reverse, c)


def gru(x: Any, h: Any, w_ih: Any, w_hh: Any, *bias: Any, reverse: bool) -> list[Any]:
    ys, hs = [], []
    for a in x[::-1] if reverse else x:
        (ra, za, na), (rh, zh, u) = (
            np.split(v @ w.T + (bias[k] if bias else 0), 3, -1) for k, (v, w) in enumerate([(a, w_ih), (h, w_hh)])
        )
        r, z = sigma(ra + rh), sigma(za + zh)
        n = np.tanh(na + r * u)
        h = (1 - z) * n + z * h
        hs.append(h)
        ys.append(np.concatenate([r, z, n, u, h], -1))
    return steps(ys, hs, h, reverse)


small = Domain(-0.9, 0.9)


def shapes(gates: int, states: int, low: int = 2, size: int = 2, bias: bool = True, steps: int = 2) -> Any:
    """Of the input, the states, the weights, and, if there are any, the biases and the projection."""
    rows = gates * size
    state = [(2, low), (2, size)][:states]
    return (
        (steps, 2, 1), *state, (rows, 1), (rows, low), *([(rows,), (rows,)] if bias else []),
        *([(low, size)] if low != size else []),
    )  # fmt: skip


row("rnn_layer", rnn, small, [
    (shapes(1, 1, bias=False), dict(relu=False, reverse=False)), (shapes(1, 1), dict(relu=False, reverse=True)),
])  # fmt: skip
row("lstm_layer", lstm, small, [
    (shapes(4, 2, bias=False), dict(reverse=False)), (shapes(4, 2, 1), dict(reverse=True)),
])  # fmt: skip
row("gru_layer", gru, small, [
    (shapes(3, 1, bias=False), dict(reverse=False)), (shapes(3, 1), dict(reverse=True)),
])  # fmt: skip
