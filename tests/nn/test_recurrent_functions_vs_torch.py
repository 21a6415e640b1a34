"""`torch.lstm` and the other functions of recurrent layers and cells compute what PyTorch's compute."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_pt

pytorch = pytest.importorskip("torch")

GATES = {"lstm": 4, "gru": 3, "rnn_tanh": 1, "rnn_relu": 1}
NUMBERS = np.random.default_rng(0).normal(size=4000).astype(np.float32) / 2


def numbers(torch: Any, *shape: int) -> Any:
    return torch.tensor(NUMBERS[: int(np.prod(shape))].reshape(shape)).requires_grad_()


def flat(result: Any) -> list[Any]:
    return [t for part in result for t in flat(part)] if isinstance(result, (tuple, list)) else [result]


def agree(act: Any) -> None:
    """The results and the gradients of their sum agree."""
    found = []
    for torch in (tinygrad_pt, pytorch):
        leaves, result = act(torch)
        sum(t.sum() for t in flat(result)).backward()
        found.append([t.detach().numpy() for t in flat(result)] + [t.grad.numpy() for t in flat(leaves)])
    assert len(found[0]) == len(found[1])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, 1e-5, 1e-6)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("biases", [False, True])
@pytest.mark.parametrize("name", GATES)
def test_layers(name: str, biases: bool, bidirectional: bool, packed: bool) -> None:
    directions = 2 if bidirectional else 1

    def act(torch: Any) -> Any:
        x = numbers(torch, 7, 3) if packed else numbers(torch, 3, 4, 3)
        states = [numbers(torch, 2 * directions, 4 if packed else 3, 2) for _ in range(2 if name == "lstm" else 1)]
        params = []
        for layer in range(2):
            for _ in range(directions):
                rows = 2 * GATES[name]
                params += [numbers(torch, rows, 2 * directions if layer else 3), numbers(torch, rows, 2)]
                params += [numbers(torch, rows), numbers(torch, rows)] if biases else []
        hx = states if name == "lstm" else states[0]
        call = getattr(torch, name)
        if packed:
            result = call(x, torch.tensor([4, 2, 1]), hx, params, biases, 2, 0.0, True, bidirectional)
        else:
            result = call(x, hx, params, biases, 2, 0.0, True, bidirectional, batch_first=True)
        return [x, *states, *params], result

    agree(act)


@pytest.mark.parametrize("biases", [False, True])
@pytest.mark.parametrize("name", GATES)
def test_cells(name: str, biases: bool) -> None:
    def act(torch: Any) -> Any:
        x, rows = numbers(torch, 4, 3), 2 * GATES[name]
        states = [numbers(torch, 4, 2) for _ in range(2 if name == "lstm" else 1)]
        weights = [numbers(torch, rows, 3), numbers(torch, rows, 2)]
        weights += [numbers(torch, rows), numbers(torch, rows)] if biases else []
        return [x, *states, *weights], getattr(torch, f"{name}_cell")(
            x, states if name == "lstm" else states[0], *weights
        )

    agree(act)


@pytest.mark.parametrize("torch", [tinygrad_pt, pytorch])
def test_what_does_not_fit_is_refused(torch: Any) -> None:
    x, h, w, u = (torch.ones(*size) for size in ((2, 3), (2, 4), (16, 3), (16, 4)))
    for call, text in (
        (lambda: torch.lstm_cell(x, [h], w, u), "lstm_cell expects two hidden states"),
        (lambda: torch.gru_cell(torch.ones(2, 5), h, w[:12], u[:12]), "got 5 expected 3"),
        (lambda: torch.rnn_tanh_cell(x, torch.ones(2, 5), w[:4], u[:4]), "hidden0 has inconsistent hidden_size"),
        (lambda: torch.lstm(x, h), "invalid combination"),
        (lambda: torch.gru(x[None], h[None], [w[:12]], True, 1, 0.0, True, False, False), "parameters"),
    ):
        with pytest.raises((TypeError, RuntimeError), match=text):
            call()
