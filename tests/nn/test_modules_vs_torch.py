"""Every module against PyTorch's of the same name: the same numbers, gradients, forms, keys, streams and refusals."""

from __future__ import annotations

import inspect
import warnings
from functools import partial
from typing import Any

import numpy as np
import pytest

import tinygrad_pt as G
from tests.nn.table import ROWS, Case, Row, build, tensor

T = pytest.importorskip("torch")

EVERY = [row for row in ROWS.values() if not row.ours]
CALLED = [row for row in EVERY if row.reference]


def over(rows: list[Row]) -> Any:
    return pytest.mark.parametrize("row", rows, ids=lambda row: row.name)


def numbers(t: Any) -> Any:
    return None if t is None else np.array(t.detach().numpy(force=True))


def attempt(act: Any) -> tuple[Any, list[Any]]:
    """What `act()` gives, or the type and PyTorch's part of its error; and the warnings."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            value = act()
        except Exception as e:
            value = (type(e).__name__, str(e.args[0]).split("\n")[0])
    return value, [(w.category.__name__, str(w.message)) for w in seen if w.category is not RuntimeWarning]  # NumPy's


def close(a: Any, b: Any, tolerance: float, of: Any = "") -> None:
    assert len(a) == len(b), of
    for x, y in zip(a, b, strict=True):
        if x is None or y is None:
            assert x is y, of
        else:
            assert x.shape == y.shape and x.dtype == y.dtype, of
            np.testing.assert_allclose(x, y, rtol=tolerance, atol=tolerance, err_msg=str(of))


def given(torch: Any, row: Row, inputs: list[Any], dtype: Any) -> list[Any]:
    xs = [tensor(torch, x, dtype) for x in inputs]
    return [x.requires_grad_() if x.is_floating_point() and i not in row.constant else x for i, x in enumerate(xs)]


def value(torch: Any, row: Row, m: Any, inputs: list[Any], dtype: Any) -> list[Any]:
    return [numbers(m(*given(torch, row, inputs, dtype)))]


def everything(torch: Any, row: Row, m: Any, inputs: list[Any], dtype: Any) -> list[Any]:
    """Value, gradients by inputs and parameters, and in float64 the gradients of their squares."""
    xs = given(torch, row, inputs, dtype)
    y = m(*xs)
    leaves = [x for x in (*xs, *m.parameters()) if x.requires_grad]
    seed = np.random.default_rng(5).uniform(0.5, 1.5, tuple(y.shape))
    grads = torch.autograd.grad(y, leaves, tensor(torch, seed, dtype), create_graph=True)
    if not row.second or dtype == np.float32:
        return [numbers(y), *map(numbers, grads)]
    power = sum((g * g).sum() for g in grads)
    second = (None,) * len(leaves)
    if power.requires_grad:
        second = torch.autograd.grad(power, leaves, allow_unused=True)
    zeros = [np.zeros(numbers(x).shape, dtype) for x in leaves]
    second = [z if g is None else numbers(g) for g, z in zip(second, zeros, strict=True)]
    return [numbers(y), *map(numbers, grads), *second]


def distinct(row: Row) -> list[Case]:
    """One case for each choice of settings."""
    return [c for i, c in enumerate(row.cases) if not any(c.settings is d.settings for d in row.cases[:i])]


# ------------------------------------------------------------------------------------------ numbers
@over(CALLED)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_value_and_gradients_of_both_orders(row: Row, dtype: Any) -> None:
    for case, inputs in row.samples():
        G.manual_seed(0)
        ours, theirs = (build(torch, row, case.settings, dtype) for torch in (G, T))
        state = {name: T.tensor(t.array) for name, t in ours.state_dict().items()}
        theirs.load_state_dict(state)  # strict: the keys are PyTorch's
        act = value if case.apart else everything
        one, two = (attempt(partial(act, torch, row, m, inputs, dtype)) for torch, m in ((G, ours), (T, theirs)))
        assert one[1] == two[1], case
        close(one[0], two[0], 2e-5 if dtype == np.float32 else row.accuracy, case)


@over(EVERY)
def test_the_same_bits_to_start_with_and_the_same_stream_after(row: Row) -> None:
    for case in distinct(row):
        found = []
        for torch in (G, T):
            torch.manual_seed(7)
            m = build(torch, row, case.settings, np.float32)
            found.append([*map(numbers, m.state_dict().values()), numbers(torch.rand(3))])
        for a, b in zip(*found, strict=True):
            np.testing.assert_array_equal(a, b)


@over([row for row in EVERY if row.random])
def test_the_same_draws(row: Row) -> None:
    for case, inputs in row.samples(np.float32):
        found = []
        for torch in (G, T):
            torch.manual_seed(7)
            m = build(torch, row, case.settings, np.float32).train()
            (x,) = given(torch, row, inputs, np.float32)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                y = m(x)
            y.sum().backward()
            found.append([numbers(y), numbers(x.grad), numbers(torch.rand(3))])
        close(found[0], found[1], 1e-6 if row.draws else 1e-5, case)  # the gradient of a norm is a difference


# ------------------------------------------------------------------------------------------ forms and keys
@over(EVERY)
def test_form_keys_and_signature(row: Row) -> None:
    for case in distinct(row):
        ours, theirs = (build(torch, row, case.settings, np.float32) for torch in (G, T))
        assert repr(ours) == repr(theirs)
        if "inplace" in inspect.signature(row.kind).parameters:
            assert len({repr(build(torch, row, case.settings | {"inplace": True})) for torch in (G, T)}) == 1
        assert list(ours.state_dict()) == list(theirs.state_dict())
        for names in ("named_parameters", "named_buffers", "named_modules", "named_children"):
            assert [n for n, _ in getattr(ours, names)()] == [n for n, _ in getattr(theirs, names)()]
        public = {n for n in vars(theirs) if not n.startswith("_")}
        assert public <= set(vars(ours)) | set(dir(ours)), public - set(vars(ours))
    mine, their = (inspect.signature(getattr(torch.nn, row.name)).parameters.values() for torch in (G, T))
    ours, theirs = ([(p.name, getattr(p.default, "__name__", p.default), p.kind) for p in ps] for ps in (mine, their))
    assert ours == theirs


@over(EVERY)
def test_loading_says_the_same(row: Row) -> None:
    for case in distinct(row):
        states = [{"nobody": 1}, {}]
        m = build(G, row, case.settings, np.float32)
        keys = list(m.state_dict())
        states += [{k: (7, 7) for k in keys}, {k: (7, 7) for k in keys[1:]}]
        for shapes in states:
            found = []
            for torch in (G, T):
                m = build(torch, row, case.settings, np.float32)
                given = {k: torch.zeros(s) for k, s in shapes.items()}
                try:
                    found.append(repr(m.load_state_dict(given)))
                except RuntimeError as e:
                    found.append([line for line in str(e).split("\n") if not line.startswith("  ")])
            assert found[0] == found[1]


# ------------------------------------------------------------------------------------------ edges and refusals
@over([row for row in CALLED if row.edges])
def test_edges_are_pytorchs(row: Row) -> None:
    """The table's edges are what PyTorch returns: this guards the table."""
    for edge in row.edges:
        if edge.apart:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            m = build(T, row, edge.settings)
            xs = given(T, row, [np.asarray(x) for x in edge.inputs], np.float64)
            y = m(*xs)
        np.testing.assert_allclose(numbers(y), np.asarray(edge.value, float), rtol=1e-8, atol=1e-15)
        if edge.grads:
            y.sum().backward()
        for x, g in zip(xs, edge.grads, strict=False):
            if g is not None:
                for a, b in zip(numbers(x.grad).ravel(), np.ravel(np.array(g, object)), strict=True):
                    assert b is None or np.isclose(a, float(b), rtol=1e-7, atol=1e-15, equal_nan=True), (edge, a, b)


@over([row for row in EVERY if row.wrong])
def test_refusals_are_pytorchs(row: Row) -> None:
    for wrong in row.wrong:

        def act(torch: Any, wrong: Any = wrong) -> Any:
            m = build(torch, row, wrong.settings, np.float32)
            return m(*(tensor(torch, x, np.float32) for x in wrong.inputs)) if wrong.inputs is not None else m

        (kind, words), _ = attempt(lambda: act(T))
        assert (kind, words) == (wrong.error.__name__, wrong.words)


@over(CALLED)
@pytest.mark.parametrize("kind", [np.int64, np.bool_, np.float16])
def test_other_dtypes_are_taken_or_refused_alike(row: Row, kind: Any) -> None:
    """The same dtype and shape of the result, or a RuntimeError here as there (their words are about kernels)."""
    for case in distinct(row):
        shaped = [np.ones(s).astype(kind) for s in case.shapes]

        def act(torch: Any, shaped: Any = shaped, case: Any = case) -> Any:
            y = build(torch, row, case.settings, np.float32)(*(tensor(torch, x) for x in shaped))
            return str(y.dtype), tuple(y.shape)

        ours, theirs = attempt(lambda: act(G)), attempt(lambda: act(T))
        refused = [value[0][0] in ("RuntimeError", "NotImplementedError") for value in (ours, theirs)]
        assert all(refused) or ours[0] == theirs[0], (case, ours, theirs)
