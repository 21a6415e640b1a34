"""Recurrent layers, cells and packed sequences against PyTorch's: values, gradients of both orders, refusals."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import tinygrad_pt as G

T = pytest.importorskip("torch")

ONE = {"input_size": 3, "hidden_size": 4}
LAYERS: list[tuple[str, dict[str, Any], bool, list[int] | None]] = [
    ("RNN", {}, False, None),
    ("RNN", {"bidirectional": True, "num_layers": 2, "nonlinearity": "relu"}, True, [3, 5, 3, 1]),
    ("RNN", {"bias": False, "batch_first": True}, True, None), ("LSTM", {}, True, None),
    ("LSTM", {"num_layers": 2, "bidirectional": True, "dropout": 0.4}, True, None),
    ("LSTM", {"num_layers": 2, "bidirectional": True, "proj_size": 2, "batch_first": True}, True, [2, 5, 1, 5]),
    ("LSTM", {"bias": False, "proj_size": 1}, True, None),
    ("LSTM", {"num_layers": 2, "dropout": 0.4}, False, [1, 4, 2, 3]),
    ("GRU", {}, True, None), ("GRU", {"bias": False, "bidirectional": True}, True, [4, 4, 4, 4]),
    ("GRU", {"num_layers": 2, "dropout": 1.0, "batch_first": True}, False, None),
]  # fmt: skip


def numbers(t: Any) -> Any:
    return t.detach().numpy()


def layer(
    torch: Any, kind: str, settings: dict[str, Any], stated: bool, lengths: list[int] | None, second: bool
) -> Any:
    """Outputs, gradients, and gradients of the gradients, of one layer."""
    draw = np.random.default_rng(0)
    torch.manual_seed(3)
    m = getattr(torch.nn, kind)(**ONE, **settings).double()
    batch = 4
    x = torch.tensor(draw.normal(size=(batch, 5, 3) if m.batch_first else (5, batch, 3)), requires_grad=True)
    states, given = [], x
    if stated:
        rows = m.num_layers * (1 + m.bidirectional)
        sizes = [m.proj_size or 4] + [4] * (kind == "LSTM")
        states = [torch.tensor(draw.normal(size=(rows, batch, n)), requires_grad=True) for n in sizes]
    if lengths:
        given = torch.nn.utils.rnn.pack_padded_sequence(x, lengths, m.batch_first, enforce_sorted=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        y, found = m(given, *([tuple(states) if kind == "LSTM" else states[0]] if stated else []))
    if lengths:
        y, _ = torch.nn.utils.rnn.pad_packed_sequence(y, padding_value=0.5)
    results = [y, *(found if kind == "LSTM" else [found])]
    leaves = [x, *states, *m.parameters()]
    loss = sum((r * torch.tensor(draw.normal(size=tuple(r.shape)))).sum() for r in results)
    grads = torch.autograd.grad(loss, leaves, create_graph=second)
    every = [*results, *grads, torch.rand(2)]
    if second:
        power = sum((k + 1) * (g * g).sum() for k, g in enumerate(grads))
        every += torch.autograd.grad(power, leaves)
    return [numbers(r) for r in every]


def compare(ours: Any, theirs: Any, tolerance: float = 1e-9) -> None:
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert a.shape == b.shape and a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("kind", "settings", "stated", "lengths"), LAYERS, ids=lambda x: str(x))
def test_values_and_gradients(kind: str, settings: Any, stated: bool, lengths: Any) -> None:
    second = stated  # in the others a gradient may not depend on some leaf
    compare(*(layer(torch, kind, settings, stated, lengths, second) for torch in (G, T)))


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("shape", [(5, 3), (1, 1, 3), (4, 0, 3), (40, 70, 3)], ids=str)
def test_shapes(kind: str, shape: tuple[int, ...]) -> None:
    found = []
    for torch in (G, T):
        torch.manual_seed(0)
        m = getattr(torch.nn, kind)(3, 4, 2, bidirectional=True)
        x = torch.randn(shape, requires_grad=True)
        y, states = m(x)
        states = states if kind == "LSTM" else (states,)
        (y.sum() + sum((s * s).sum() for s in states)).backward()
        found.append([numbers(t) for t in (y, *states, x.grad, *(p.grad for p in m.parameters()))])
    compare(*found, 2e-4)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("batched", [True, False])
@pytest.mark.parametrize("bias", [True, False])
def test_cells(kind: str, batched: bool, bias: bool) -> None:
    found = []
    for torch in (G, T):
        torch.manual_seed(0)
        m = getattr(torch.nn, kind + "Cell")(3, 4, bias).double()
        x = torch.randn(4, *([2] if batched else []), 3, dtype=torch.float64, requires_grad=True)
        h = None
        for k in range(4):
            h = m(x[k], h)
        h = h if kind == "LSTM" else (h,)
        grads = torch.autograd.grad(sum(s.pow(3).sum() for s in h), [x, *m.parameters()], create_graph=True)
        twice = torch.autograd.grad(sum(g.square().sum() for g in grads), [x, *m.parameters()])
        found.append([numbers(t) for t in (*h, *grads, *twice)])
    compare(*found)


def test_halves() -> None:
    for kind in ("RNN", "LSTM", "GRU"):
        found = []
        for torch in (G, T):
            torch.manual_seed(0)
            m = getattr(torch.nn, kind)(3, 4).half()
            y, _ = m(torch.randn(5, 2, 3).half())
            y.sum().backward()
            found.append([numbers(y), *(numbers(p.grad) for p in m.parameters())])
        compare(*found, 2e-2)


WRONG = """nn.LSTM(3,4)(z(0,2,3))
nn.LSTM(3,4)(z(5,2,3).double())
nn.GRU(3,4)(z(5,2,3),z(1,2,4).double())
nn.RNN(3,4)(z(5,2,3),z(1,3,4))
nn.RNN(3,4)(z(5,2,3),z(2,4))
nn.RNN(3,4)(z(5,3),z(2,1,4))
nn.LSTM(3,4)(z(5,2,3),z(2,1,4))
nn.LSTM(3,4)(z(5,2,3),(z(1,2,4),))
nn.LSTM(3,4)(z(5,2,3),(z(1,2,4),z(1,2,4),z(1,2,4)))
nn.LSTM(3,4)(z(5,2,3),(z(1,2,4),z(1,2,5)))
nn.LSTM(3,4)(z(5,2,3),(z(1,3,4),z(1,2,4)))
nn.LSTM(3,4)(z(5,2,3),3)
nn.LSTM(3,4)(3)
nn.RNN(3,4)(z(5,2,3).long())
nn.RNN(3,4)(z(3))
nn.LSTM(3,4)(z(3))
nn.GRU(3,4)(z(1,2,2,3))
nn.RNN(3,4)(z(5,2,2))
nn.RNN(3,4,2,batch_first=True)(z(2,5,3),z(2,5,4))
nn.GRU(3,4)(R.pack_sequence([z(2),z(1)]))
nn.GRU(3,4)(R.pack_sequence([z(2,2),z(1,2)]))
nn.GRU(3,4)(R.pack_sequence([z(2,3),z(1,3)]),z(1,3,4))
nn.RNNCell(3,4)(z(2,2))
nn.RNNCell(3,4)(z(2,3),z(3,4))
nn.RNNCell(3,4)(z(2,3),z(2,5))
nn.RNNCell(3,4)(z(2,2,3))
nn.RNNCell(3,4)(z(2,3),z(2,2,4))
nn.RNNCell(3,4,nonlinearity='x')(z(2,3))
nn.RNNCell(3,4)(z(2,3).double())
nn.RNNCell(3,4)(3)
nn.LSTMCell(3,4)(z(2,2))
nn.LSTMCell(3,4)(z(2,3),(z(2,4),z(3,4)))
nn.LSTMCell(3,4)(z(2,3),(z(2,4),z(2,5)))
nn.LSTMCell(3,4)(z(2,3),z(2,4))
nn.LSTMCell(3,4)(z(2,2,3))
nn.LSTMCell(3,4)(z(2,3),(z(2,2,4),z(2,4)))
nn.LSTMCell(3,4)(z(2,3),(z(2,4),))
nn.GRUCell(3,4)(z(2,3),z(2,5))
R.pack_padded_sequence(z(4,2),[4,0])
R.pack_padded_sequence(z(4,2),[2,4])
R.pack_padded_sequence(z(4,2),[4])
R.pack_padded_sequence(z(4),[3,2])
R.pack_padded_sequence(z(4,0,2),[])
R.pack_padded_sequence(z(4,2),t([[4,3]]))
R.pack_padded_sequence(3,[3,2])
R.pad_sequence([z(2,3),z(3,3)],padding_side='up')
R.pad_sequence([z(2,3),z(3,2)])
R.pad_sequence([])
R.pad_sequence(3)
R.pad_sequence([1,2])
R.pad_sequence([z(()),z(())])
R.pad_packed_sequence(3)
R.pad_packed_sequence(R.pack_sequence([t([1,2]),t([3])]),total_length=1)
R.PackedSequence(z(3))"""

SHOWN = """R.pack_padded_sequence(t([[1,2],[3,4],[5,6]]),[3,2])
R.pack_padded_sequence(t([[1,2,3],[4,5,6]]),t([2,3]),True,False)
R.pack_padded_sequence(t([[1.,2],[3,4],[5,6]]),t([3.7,2.2]))
R.pack_sequence([t([1]),t([3,4])],enforce_sorted=False)
R.pack_sequence([t([[1,2],[3,4]]),t([[5,6]])])
R.pad_sequence([t([1,2]),t([3])],padding_value=9.5)
R.pad_sequence([t([1,2]),t([3])],padding_value=7,padding_side='left',batch_first=True)
R.pad_sequence([t([[1.,2],[3,4]]),t([[5,6]])],padding_value=.5)
R.pad_sequence([z(2,3),z(3)])
R.pad_sequence(t([[1,2],[3,4]]))
R.pad_sequence([z(2,0),z(3,0)])
R.pad_packed_sequence(R.pack_sequence([t([1,2]),t([3])]),total_length=4,padding_value=-1.5)
R.pad_packed_sequence(R.pack_sequence([t([1.]),t([2.,3.])],False),batch_first=True)
R.unpad_sequence(z(3,2),t([3,2]))
R.unpack_sequence(R.pack_sequence([t([1]),t([3,4]),t([5,6,7])],False))
R.invert_permutation(t([2,0,1])), R.invert_permutation(None)
R.PackedSequence((z(3),t([2,1])))
R.pack_sequence([t([1,2])]).double(), R.pack_sequence([t([1,2])]).is_cuda
R.pack_sequence([t([1,2])]).to(torch.int64), R.pack_sequence([t([1,2])]).is_pinned()
[len(w) for w in nn.LSTM(3,4,2,bidirectional=True,proj_size=2).all_weights]
nn.LSTM(3,4,2,batch_first=True)(z(2,5,3))[0].stride()"""


def said(torch: Any, program: str) -> tuple[str, Any]:
    """What an expression gives, or the first line of its error."""
    names = {"nn": torch.nn, "R": torch.nn.utils.rnn, "z": torch.zeros, "t": torch.tensor, "torch": torch}
    try:
        return "", repr(eval(program, names))
    except Exception as error:
        return type(error).__name__, str(error.args[0]).split("\n")[0]


@pytest.mark.parametrize("program", WRONG.split("\n"))
def test_refusals(program: str) -> None:
    ours, theirs = said(G, program), said(T, program)
    assert ours[0]
    assert ours == theirs


@pytest.mark.parametrize("program", SHOWN.split("\n"))
def test_sequences(program: str) -> None:
    ours, theirs = said(G, program), said(T, program)
    assert not ours[0], ours
    assert ours == theirs


def test_a_layer_with_dropout_and_no_layer_above_warns() -> None:
    for torch in (G, T):
        with pytest.warns(UserWarning, match="but got dropout=0.5 and num_layers=1"):
            torch.nn.LSTM(3, 4, dropout=0.5)


@pytest.mark.long
def test_a_language_model_learns_the_same_four_decimals() -> None:
    text = "the quick brown fox jumps over the lazy dog; " * 20
    letters = sorted(set(text))
    found = []
    for torch in (G, T):
        torch.manual_seed(1)
        lstm, head = torch.nn.LSTM(len(letters), 32, 2, batch_first=True), torch.nn.Linear(32, len(letters))
        parameters = [*lstm.parameters(), *head.parameters()]
        optimizer = torch.optim.Adam(parameters, lr=3e-3)
        codes = torch.tensor([letters.index(c) for c in text])
        eye, losses = torch.eye(len(letters)), []
        for _ in range(60):
            i = torch.randint(0, len(text) - 21, (8,))
            rows = torch.stack([codes[int(k) : int(k) + 21] for k in i])
            y, _ = lstm(eye[rows[:, :-1]])
            loss = torch.nn.functional.cross_entropy(head(y).flatten(0, 1), rows[:, 1:].flatten())
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            losses.append(f"{loss.item():.4f}")
        found.append(losses)
    assert found[0] == found[1]
    assert float(found[0][-1]) < 3.1
