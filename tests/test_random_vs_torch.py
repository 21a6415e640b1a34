"""The streams of tinygrad_pt.random against PyTorch's own: equal seeds and draws must give equal bits."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_pt
from tinygrad_pt import random as tr

torch = pytest.importorskip("torch")

SEEDS = st.one_of(st.integers(0, 10), st.integers(-(2**63), 2**64 - 1))
SHAPES = st.lists(st.integers(0, 40), max_size=3).filter(lambda s: math.prod(s) < 5000).map(tuple)
FLOATS = st.sampled_from(["float16", "float32", "float64"])
INTEGERS = ["uint8", "int8", "int16", "int32", "int64"]
BOUNDS = st.floats(-60, 60, width=32)
SPREADS = st.sampled_from([1.0, 0.5, 0.02, 3.7, 60.0])
PROBABILITIES = st.one_of(st.sampled_from([0.0, 1.0, 0.1, 0.5]), st.floats(0, 1))


def torch_type(name: str):
    return getattr(torch, name)


@st.composite
def draws(draw):
    """A pair of functions of a generator, ours and PyTorch's, that should return equal arrays."""
    shape, name = draw(SHAPES), draw(FLOATS)
    dtype, empty = np.dtype(name), torch.empty(shape, dtype=torch_type(name))
    low, high = sorted((draw(BOUNDS), draw(BOUNDS)))
    spread, p = draw(SPREADS), draw(PROBABILITIES)
    kind = draw(st.sampled_from(
        ["unit", "uniform", "randn", "normal", "integers", "bernoulli", "fill", "permutation", "exponential",
         "choose", "race", "int64"]
    ))  # fmt: skip
    match kind:
        case "unit":
            pair = (lambda g: g.uniform(shape, dtype=dtype), lambda g: empty.uniform_(generator=g))
        case "uniform":
            pair = (lambda g: g.uniform(shape, low, high, dtype), lambda g: empty.uniform_(low, high, generator=g))
        case "randn":
            pair = (lambda g: g.normal(shape, dtype=dtype), lambda g: empty.normal_(generator=g))
        case "normal":
            pair = (lambda g: g.normal(shape, low, spread, dtype), lambda g: empty.normal_(low, spread, generator=g))
        case "integers":
            name = draw(st.sampled_from(INTEGERS))
            info = np.iinfo(name)
            start = draw(st.integers(int(info.min), int(info.max) - 1))
            stop = draw(st.integers(start + 1, int(info.max)))
            pair = (
                lambda g: g.integers(start, stop, shape, name),
                lambda g: torch.randint(start, stop, shape, dtype=torch_type(name), generator=g),
            )
        case "bernoulli":
            grid = np.linspace(0, p, math.prod(shape), dtype=dtype).reshape(shape)
            pair = (lambda g: g.bernoulli(grid), lambda g: torch.bernoulli(torch.tensor(grid), generator=g))
        case "fill":
            pair = (lambda g: g.bernoulli_fill(shape, p, dtype), lambda g: empty.bernoulli_(p, generator=g))
        case "permutation":
            n = draw(st.integers(0, 300))
            pair = (lambda g: g.permutation(n), lambda g: torch.randperm(n, generator=g))
        case "exponential":
            pair = (lambda g: g.exponential(shape, spread, dtype), lambda g: empty.exponential_(spread, generator=g))
        case "choose" | "race":
            rows = draw(st.sampled_from([(), (1,), (4,)]))
            classes = draw(st.integers(2, 30))
            weights = np.linspace(0.3, 5, math.prod(rows) * classes, dtype=dtype).reshape(*rows, classes)
            again = kind == "choose"
            if not again:  # PyTorch leaves the order of equal ratios open, and float16 has many
                weights = weights.astype(np.promote_types(dtype, np.float32))
            count = draw(st.integers(1, 50 if again else classes))
            pair = (
                lambda g: g.multinomial(weights, count, again),
                lambda g: torch.multinomial(torch.tensor(weights), count, again, generator=g),
            )
        case _:
            pair = (
                lambda g: np.asarray(g.random_int64()),
                lambda g: torch.empty((), dtype=torch.int64).random_(generator=g),
            )
    return kind, *pair


@settings(max_examples=300, deadline=None)
@given(SEEDS, st.lists(draws(), min_size=1, max_size=6))
def test_sequences_of_draws_are_equal_bit_by_bit(seed, sequence):
    ours, theirs = tr.Generator().manual_seed(seed), torch.Generator().manual_seed(seed)
    for kind, mine, other in sequence:
        got, want = mine(ours), other(theirs).numpy()
        assert (got.dtype, got.shape) == (want.dtype, want.shape), kind
        np.testing.assert_array_equal(got, want, err_msg=kind)
        assert got.flags.writeable


@pytest.mark.parametrize("name", ["float16", "float32", "float64"])
@pytest.mark.parametrize("seed", [0, 42, 2**31])
def test_large_arrays_are_equal(name, seed):
    ours, theirs = tr.Generator().manual_seed(seed), torch.Generator().manual_seed(seed)
    empty = torch.empty(50_003, dtype=torch_type(name))
    for _ in range(2):
        np.testing.assert_array_equal(ours.normal(50_003, dtype=name), empty.normal_(generator=theirs))
        np.testing.assert_array_equal(
            ours.uniform(50_003, -0.3, 0.7, name), empty.uniform_(-0.3, 0.7, generator=theirs)
        )
    np.testing.assert_array_equal(ours.permutation(20_011), torch.randperm(20_011, generator=theirs))


@pytest.mark.parametrize("width", [2**28 - 1, 2**28, 2**32 - 1, 2**32, 2**63 - 1, 2**64 - 1])
def test_integers_at_the_widths_where_the_recipe_changes(width):
    low = -(2**63) if width > 2**63 - 1 else 0
    ours = tr.Generator().integers(low, low + width, 100)
    theirs = torch.randint(low, low + width, (100,), generator=torch.Generator())
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("name", ["bool", "float16", "float32", "float64"])
def test_integers_in_other_dtypes(name):
    ours = tr.Generator().integers(0, 2, (3, 50), name)
    theirs = torch.randint(0, 2, (3, 50), dtype=torch_type(name), generator=torch.Generator())
    np.testing.assert_array_equal(ours, theirs)


NAMES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64", "complex64"]
INTERVALS = [(), (2,), (0,), (-1,), (1, 2), (0, 100), (2, 2), (-3, 300), (1, None), (0, None), (-9, None)]
WIDE = [("int32", (-(2**31), None)), ("int64", (-(2**63), None)), ("int64", (2**63 - 1, None)), ("int64", (0, 2**40))]


@pytest.mark.parametrize(("name", "bounds"), [*itertools.product(NAMES, INTERVALS), *WIDE])
def test_integers_drawn_in_place(name, bounds):
    seen = []
    for library in (torch, tinygrad_pt):
        x = library.zeros(200, dtype=getattr(library, name))
        try:
            seen.append(x.random_(*bounds, generator=library.Generator().manual_seed(4)).tolist())
        except (RuntimeError, ValueError, NotImplementedError) as error:
            seen.append((type(error), x.tolist()))
    assert seen[0] == seen[1]


def test_the_upper_bound_of_integers_has_a_name():
    for bounds in ((), (3,)):
        ours, theirs = (
            library.zeros(50).random_(*bounds, to=9, generator=library.Generator()).tolist()
            for library in (tinygrad_pt, torch)
        )
        assert ours == theirs


@pytest.mark.parametrize(("name", "low", "width"), [("float16", 1e4, 30), ("float32", 1e8, 32), ("float64", 1e17, 64)])
def test_a_uniform_rounded_up_to_its_bound_becomes_the_lower_one(name, low, width):
    ours = tr.Generator().uniform(1000, low, low + width, name)
    theirs = torch.empty(1000, dtype=torch_type(name)).uniform_(low, low + width, generator=torch.Generator())
    np.testing.assert_array_equal(ours, theirs)
    assert ours.max() < low + width


def test_layers_start_from_the_same_weights():
    torch.manual_seed(3)
    linear, conv, embedding = torch.nn.Linear(20, 30), torch.nn.Conv2d(3, 8, 5), torch.nn.Embedding(11, 6)
    g = tr.Generator().manual_seed(3)
    for layer, fan_in in ((linear, 20), (conv, 75)):
        std = math.sqrt(2 / (1 + 5)) / math.sqrt(fan_in)
        bound = math.sqrt(3) * std
        weight = g.uniform(tuple(layer.weight.shape), -bound, bound)
        bias = g.uniform(tuple(layer.bias.shape), -1 / math.sqrt(fan_in), 1 / math.sqrt(fan_in))
        np.testing.assert_array_equal(weight, layer.weight.detach())
        np.testing.assert_array_equal(bias, layer.bias.detach())
    np.testing.assert_array_equal(g.normal((11, 6)), embedding.weight.detach())


@given(SEEDS, st.floats(0, 0.95), st.integers(1, 600))
@settings(max_examples=60, deadline=None)
def test_dropout_masks(seed, p, n):
    torch.manual_seed(seed)
    kept = torch.nn.functional.dropout(torch.ones(n), p).numpy() != 0
    np.testing.assert_array_equal(tr.Generator().manual_seed(seed).bernoulli_fill(n, 1 - p, bool), kept)


def test_the_order_of_a_shuffled_loader():
    data = torch.utils.data.TensorDataset(torch.arange(50))
    torch.manual_seed(5)
    loader = torch.utils.data.DataLoader(data, batch_size=7, shuffle=True)
    g = tr.Generator().manual_seed(5)
    for _epoch in range(3):
        g.random_int64()
        order = tr.Generator().manual_seed(g.random_int64()).permutation(50)
        np.testing.assert_array_equal(order, torch.cat([batch for (batch,) in loader]))


@given(SEEDS, st.integers(0, 2000), st.booleans())
@settings(max_examples=60, deadline=None)
def test_states_travel_in_both_directions(seed, drawn, odd):
    ours, theirs = tr.Generator().manual_seed(seed), torch.Generator().manual_seed(seed)
    ours.uniform(drawn), torch.rand(drawn, generator=theirs)
    if odd:
        ours.normal(1), torch.randn(1, generator=theirs)
    there = torch.Generator().set_state(torch.from_numpy(ours.get_state()))
    back = tr.Generator().set_state(theirs.get_state().numpy())
    assert back.initial_seed() == theirs.initial_seed() == there.initial_seed() == ours.initial_seed()
    want = torch.randn(1500, generator=theirs)[None, :3].numpy(), torch.randn(3, generator=theirs).numpy()
    for g in (ours, back):
        np.testing.assert_array_equal(g.normal(1500)[None, :3], want[0])
        np.testing.assert_array_equal(g.normal(3), want[1])
    np.testing.assert_array_equal(torch.randn(1500, generator=there)[None, :3].numpy(), want[0])
    np.testing.assert_array_equal(torch.randn(3, generator=there).numpy(), want[1])


def test_a_fresh_state_is_equal_byte_for_byte():
    np.testing.assert_array_equal(
        tr.Generator().manual_seed(-3).get_state(), torch.Generator().manual_seed(-3).get_state()
    )


NAN, INF, CFLOAT = math.nan, math.inf, torch.complex64
WRONG = [
    (lambda g: g.uniform(2, 2, 1), lambda: torch.empty(2).uniform_(2, 1)),
    (lambda g: g.uniform(0, 2, 1), lambda: torch.empty(0).uniform_(2, 1)),
    (lambda g: g.uniform(2, NAN, 1), lambda: torch.empty(2).uniform_(NAN, 1)),
    (lambda g: g.uniform(2, 0, INF), lambda: torch.empty(2).uniform_(0, INF)),
    (lambda g: g.uniform(2, -3e38, 3e38), lambda: torch.empty(2).uniform_(-3e38, 3e38)),
    (lambda g: g.uniform(2, 0, 7e4, "float16"), lambda: torch.empty(2, dtype=torch.half).uniform_(0, 7e4)),
    (lambda g: g.uniform(2, dtype="int64"), lambda: torch.empty(2, dtype=torch.int64).uniform_()),
    (lambda g: g.uniform((2, -1)), lambda: torch.rand(2, -1)),
    (lambda g: g.normal(2, 0, -1.5), lambda: torch.empty(2).normal_(0, -1.5)),
    (lambda g: g.normal(2, 0, NAN), lambda: torch.empty(2).normal_(0, NAN)),
    (lambda g: g.normal(2, dtype="int8"), lambda: torch.empty(2, dtype=torch.int8).normal_()),
    (lambda g: g.exponential(2, -2.5), lambda: torch.empty(2).exponential_(-2.5)),
    (lambda g: g.exponential(2, dtype="int64"), lambda: torch.empty(2, dtype=torch.int64).exponential_()),
    (lambda g: g.integers(3, 3, 2), lambda: torch.randint(3, 3, (2,))),
    (lambda g: g.integers(5, 3, 0), lambda: torch.randint(5, 3, (0,))),
    (lambda g: g.integers(0, 300, 2, "uint8"), lambda: torch.randint(0, 300, (2,), dtype=torch.uint8)),
    (lambda g: g.integers(-1, 3, 2, "uint8"), lambda: torch.randint(-1, 3, (2,), dtype=torch.uint8)),
    (lambda g: g.integers(0, 3, 2, "bool"), lambda: torch.randint(0, 3, (2,), dtype=torch.bool)),
    (lambda g: g.integers(0, 2**40, 2, "int16"), lambda: torch.randint(0, 2**40, (2,), dtype=torch.int16)),
    (lambda g: g.integers(0, 2**63, 2), lambda: torch.randint(0, 2**63, (2,))),
    (lambda g: g.integers(0, 3, 2, "complex64"), lambda: torch.randint(0, 3, (2,), dtype=torch.complex64)),
    (lambda g: g.integers(0, 3, -2), lambda: torch.randint(0, 3, (-2,))),
    (lambda g: g.permutation(-1), lambda: torch.randperm(-1)),
    (lambda g: g.bernoulli([1.5]), lambda: torch.bernoulli(torch.tensor([1.5]))),
    (lambda g: g.bernoulli([NAN]), lambda: torch.bernoulli(torch.tensor([NAN]))),
    (lambda g: g.bernoulli([1]), lambda: torch.bernoulli(torch.tensor([1]))),
    (lambda g: g.bernoulli_fill(2, 1.5), lambda: torch.empty(2).bernoulli_(1.5)),
    (lambda g: g.bernoulli_fill(2, NAN), lambda: torch.empty(2).bernoulli_(NAN)),
    (lambda g: g.bernoulli_fill(2, 0.5, "complex64"), lambda: torch.empty(2, dtype=CFLOAT).bernoulli_()),
    (lambda g: g.multinomial([1.0, 2], 3), lambda: torch.multinomial(torch.tensor([1.0, 2]), 3)),
    (lambda g: g.multinomial([1.0, 2], 0), lambda: torch.multinomial(torch.tensor([1.0, 2]), 0)),
    (lambda g: g.multinomial(1.0, 1), lambda: torch.multinomial(torch.tensor(1.0), 1)),
    (lambda g: g.multinomial([1, 2], 1), lambda: torch.multinomial(torch.tensor([1, 2]), 1)),
    *(
        (lambda g, w=w, a=a: g.multinomial(w, *a), lambda w=w, a=a: torch.multinomial(torch.tensor(w), *a))
        for w in ([0.0, 0], [1.0, -1], [1, NAN], [1, INF], [[1.0, 2], [0, 0]])
        for a in ((1, False), (2, True))
    ),
    (lambda g: g.manual_seed(2**64), lambda: torch.Generator().manual_seed(2**64)),
    (lambda g: g.manual_seed(-(2**63) - 1), lambda: torch.Generator().manual_seed(-(2**63) - 1)),
    (lambda g: g.manual_seed(1.5), lambda: torch.Generator().manual_seed(1.5)),
    (lambda g: g.set_state(3), lambda: torch.Generator().set_state(3)),
    (lambda g: g.set_state(np.zeros(3)), lambda: torch.Generator().set_state(torch.zeros(3))),
    *(
        (lambda g, n=n: g.set_state(np.zeros(n, np.uint8)),
         lambda n=n: torch.Generator().set_state(torch.zeros(n, dtype=torch.uint8)))
        for n in (3, 5056)
    ),
]  # fmt: skip


@pytest.mark.parametrize(("ours", "theirs"), WRONG)
def test_wrong_arguments_raise_the_same_error_and_draw_nothing(ours, theirs):
    with pytest.raises(Exception) as want:
        theirs()
    g = tr.Generator().manual_seed(1)
    before = g.get_state()
    with pytest.raises(want.type) as got:
        ours(g)
    assert str(got.value).partition("\n  op: ")[0] == str(want.value)
    np.testing.assert_array_equal(g.get_state(), before)


RATES = (0.0, 0.3, 3.0, 9.99, 10.0, 25.0, 1000.0)
COINS = [(10.0, 0.3), (10.0, 0.8), (100.0, 0.3), (100.0, 0.05), (1000.0, 0.9), (1e5, 0.4), (0.0, 0.5), (5.0, 1.0),
         (5.0, 0.0), (7.5, 0.4)]  # fmt: skip


@pytest.mark.parametrize("kind", ["float16", "float32", "float64"])
def test_poisson_and_binomial_numbers_are_pytorchs(kind: str) -> None:
    for rate in RATES:
        assert drawn(torch, "poisson", kind, rate) == drawn(tinygrad_pt, "poisson", kind, rate)
    for n, p in COINS if kind != "float16" else ():
        assert drawn(torch, "binomial", kind, n, p) == drawn(tinygrad_pt, "binomial", kind, n, p)


def drawn(m: Any, name: str, kind: str, *numbers: float) -> tuple[list[float], str, float]:
    """Numbers drawn, their dtype, and the number that the stream gives next."""
    m.manual_seed(3)
    y = getattr(m, name)(*(m.full((300,), number, dtype=getattr(m, kind)) for number in numbers))
    return y.tolist(), str(y.dtype), m.rand(1).item()


@pytest.mark.parametrize("m", [torch, tinygrad_pt])
def test_what_poisson_and_binomial_refuse(m: Any) -> None:
    for call, kind, text in (
        (lambda: m.poisson(m.tensor([-1.0])), RuntimeError, "expected rate to be non-negative"),
        (lambda: m.poisson(m.tensor([1])), NotImplementedError, "\"poisson_cpu\" not implemented for 'Long'"),
        (lambda: m.binomial(m.tensor([1]), m.tensor([0.5])), ValueError, "for count, got: Long"),
        (lambda: m.binomial(m.tensor([1.0]).half(), m.tensor([0.5]).half()), NotImplementedError, "'Half'"),
        (lambda: m.binomial(m.ones(2).double(), m.ones(2)), RuntimeError, "Found dtype Float but expected Double"),
        (lambda: m.binomial(m.ones(2), m.ones(3)), RuntimeError, "must match the size"),
    ):
        with pytest.raises(kind, match=text):
            call()
    rates = m.full((2,), 3.0, requires_grad=True)
    m.poisson(rates).sum().backward()
    assert rates.grad.tolist() == [0, 0]
