"""Data sets, samplers and the loader: which samples come, in which batches, and what is refused."""

import collections

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_pt as torch
from tinygrad_pt.datasets import XOR, Digits
from tinygrad_pt.random import Generator
from tinygrad_pt.utils.data import (
    BatchSampler,
    ChainDataset,
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
    default_collate,
    get_worker_info,
    random_split,
)


class Squares(Dataset):
    """Sample i is i²; asks for whole batches are remembered."""

    def __init__(self, n):
        self.n, self.asked = n, []

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        if not 0 <= i < self.n:
            raise IndexError(f"there is no square {i}")
        return i * i


class Stream(IterableDataset):
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return iter(range(self.n))


class Counted(Stream):
    def __len__(self):
        return self.n


def table(n=5):
    return TensorDataset(torch.arange(float(n)), torch.arange(n))


def lists(batches):
    return [[part.tolist() for part in batch] for batch in batches]


# ------------------------------------------------------------------------------ loader and batches
@given(n=st.integers(1, 30), size=st.integers(1, 12), drop=st.booleans(), shuffle=st.booleans())
def test_every_sample_comes_once(n, size, drop, shuffle):
    loader = DataLoader(table(n), batch_size=size, shuffle=shuffle, drop_last=drop)
    batches = list(loader)
    seen = [i for _, y in batches for i in y.tolist()]
    assert len(batches) == len(loader) == (n // size if drop else -(-n // size))
    assert len(set(seen)) == len(seen) == (n // size * size if drop else n)
    assert all(x.tolist() == [float(i) for i in y.tolist()] for x, y in batches)
    assert shuffle or seen == list(range(len(seen)))
    assert all(len(y) == size for _, y in batches[:-1])


def test_batches_are_copies():
    data = table()
    x, _ = next(iter(DataLoader(data, batch_size=5)))
    x.fill_(7.0)
    assert data.tensors[0].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]


@pytest.mark.parametrize("custom", ["collate_fn", "getitem", "grad", "getitems", "nested"])
def test_the_short_way_gives_what_the_long_way_gives(custom):
    class Doubled(TensorDataset):
        def __getitem__(self, index):
            x, y = super().__getitem__(index)
            return x * 2, y

    class Whole(TensorDataset):
        def __getitems__(self, indices):
            return [(self.tensors[0][i] * 2, self.tensors[1][i]) for i in indices]

    x, y = torch.arange(6.0), torch.arange(6)
    if custom == "collate_fn":
        loader = DataLoader(TensorDataset(x, y), 3, collate_fn=lambda batch: [len(batch), type(batch[0])])
        assert list(loader) == [[3, tuple], [3, tuple]]
    elif custom == "getitem":
        assert lists(DataLoader(Subset(Doubled(x, y), [5, 0]), 2)) == [[[10.0, 0.0], [5, 0]]]
    elif custom == "getitems":
        assert lists(DataLoader(Whole(x, y), 6))[0][0] == [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]
    elif custom == "grad":
        batch = next(iter(DataLoader(TensorDataset(x.requires_grad_()), 2)))[0]
        (batch * batch).sum().backward()
        assert x.grad.tolist() == [0.0, 2.0, 0.0, 0.0, 0.0, 0.0]
    else:
        part = Subset(Subset(TensorDataset(x, y), [4, 3, 2, 1]), np.array([0, 3]))
        assert lists(DataLoader(part, 2)) == [[[4.0, 1.0], [4, 1]]] == [lists([default_collate(list(part))])[0]]


def test_without_batches():
    assert lists(DataLoader(table(2), batch_size=None)) == [[0.0, 0], [1.0, 1]]
    (x, name), *_ = DataLoader([(np.ones(2), "a")], batch_size=None)
    assert isinstance(x, torch.Tensor) and name == "a"


def test_own_batch_sampler():
    assert lists(DataLoader(table(), batch_sampler=[[0, 4], [2]])) == [[[0.0, 4.0], [0, 4]], [[2.0], [2]]]
    assert [b.tolist() for b in DataLoader(Squares(4), sampler=[3, 1], batch_size=2)] == [[9, 1]]


def test_streams():
    assert [b.tolist() for b in DataLoader(Stream(3), batch_size=2)] == [[0, 1], [2]]
    assert [b.tolist() for b in DataLoader(Stream(3), batch_size=2, drop_last=True)] == [[0, 1]]
    assert list(DataLoader(Stream(2), batch_size=None)) == [0, 1]
    assert len(DataLoader(Counted(5), batch_size=2)) == 3
    assert list(ChainDataset([Stream(2), Stream(1)])) == [0, 1, 0] == list(Stream(2) + Stream(1))
    with pytest.raises(TypeError, match="has no len"):
        len(DataLoader(Stream(3)))


def test_a_stream_longer_than_it_said_warns():
    data = Counted(1)
    loader = DataLoader(data)
    assert len(loader) == 1
    data.n = 2
    with pytest.warns(UserWarning, match="was reported to be 1"):
        assert len(list(loader)) == 2


def test_workers_change_nothing():
    torch.manual_seed(3)
    alone = lists(DataLoader(table(), 2, shuffle=True))
    torch.manual_seed(3)
    assert lists(DataLoader(table(), 2, shuffle=True, num_workers=2)) == alone
    assert get_worker_info() is None


def test_a_bad_sample_raises_and_the_next_batch_still_comes():
    batches = iter(DataLoader(Squares(3), batch_sampler=[[0, 9], [2]]))
    with pytest.raises(IndexError, match="there is no square 9"):
        next(batches)
    assert next(batches).tolist() == [4]
    with pytest.raises(IndexError, match="out of bounds|out of range"):
        list(DataLoader(table(), sampler=[5]))


def test_an_epoch_draws_the_same_whatever_is_taken_from_it():
    torch.manual_seed(0)
    loader = DataLoader(table(), 2, shuffle=True)
    first = lists(loader)
    assert first != lists(loader)
    torch.manual_seed(0)
    next(iter(loader))
    after = torch.rand(1).item()
    torch.manual_seed(0)
    list(loader)
    assert torch.rand(1).item() == after


# ------------------------------------------------------------------------------ collation
def test_collation_of_nested_samples():
    Point = collections.namedtuple("Point", "x y")
    batch = default_collate([{"p": Point(1, [2.0, True]), "n": "a"}, {"p": Point(3, [4.0, False]), "n": "b"}])
    assert isinstance(batch["p"], Point) and batch["p"].x.tolist() == [1, 3] and batch["n"] == ["a", "b"]
    numbers, flags = batch["p"].y
    assert numbers.dtype is torch.float64 and flags.dtype is torch.bool
    ordered = default_collate([collections.OrderedDict(a=1), collections.OrderedDict(a=2)])
    assert isinstance(ordered, collections.OrderedDict)


def test_refused_collations():
    for kind, text, batch in [
        (RuntimeError, r"stack expects each tensor to be equal size", [torch.ones(1), torch.ones(2)]),
        (TypeError, "found <class 'NoneType'>", [None, None]),
        (TypeError, "found <U1", [np.array(["a"])]),
        (RuntimeError, "each element in list of batch should be of equal size", [[1, 2], [1]]),
    ]:
        with pytest.raises(kind, match=text):
            default_collate(batch)


# ------------------------------------------------------------------------------ data sets and samplers
@given(parts=st.lists(st.integers(1, 4), min_size=1, max_size=4), data=st.data())
def test_joined_data(parts, data):
    joined = ConcatDataset([[(k, i) for i in range(n)] for k, n in enumerate(parts)])
    flat = [(k, i) for k, n in enumerate(parts) for i in range(n)]
    i = data.draw(st.integers(-len(flat), len(flat) - 1))
    assert len(joined) == len(flat) and joined[i] == flat[i]
    with pytest.raises(IndexError):
        joined[len(flat)]


@given(n=st.integers(1, 50), shares=st.lists(st.integers(1, 9), min_size=1, max_size=4))
def test_split_by_fractions_loses_nothing(n, shares):
    fractions = [s / sum(shares) for s in shares]
    fractions[-1] = max(0.0, 1.0 - sum(fractions[:-1]))
    if sum(fractions) > 1 or n < len(shares) * sum(shares):
        return
    parts = random_split(range(n), fractions)
    assert sorted(i for part in parts for i in part) == list(range(n))
    assert all(abs(len(p) - n * f) <= 1 for p, f in zip(parts, fractions, strict=True))


def test_split_is_reproducible_and_checks_its_lengths():
    a, b = (random_split(range(9), [4, 5], generator=Generator().manual_seed(1)) for _ in range(2))
    assert [list(p) for p in a] == [list(p) for p in b]
    with pytest.raises(ValueError, match="Sum of input lengths does not equal"):
        random_split(range(10), [7, 4])
    with pytest.raises(ValueError, match="Fraction at index 0 is not between 0 and 1"):
        random_split(range(10), [1.5, -0.5])
    with pytest.warns(UserWarning, match="Length of split at index 1 is 0"):
        random_split(range(1), [0.5, 0.5])


@given(n=st.integers(1, 20), wanted=st.integers(1, 70))
def test_random_sampler_repeats_whole_orders(n, wanted):
    order = list(RandomSampler(range(n), num_samples=wanted))
    assert len(order) == wanted
    for i in range(0, wanted - n + 1, n):
        assert sorted(order[i : i + n]) == list(range(n))
    drawn = list(RandomSampler(range(n), replacement=True, num_samples=wanted))
    assert len(drawn) == wanted and set(drawn) <= set(range(n))


def test_other_samplers():
    assert sorted(SubsetRandomSampler([3, 5, 8])) == [3, 5, 8]
    assert set(WeightedRandomSampler([0.0, 1.0, 0.0], 6)) == {1}
    assert sorted(WeightedRandomSampler([1.0, 2.0, 3.0], 3, replacement=False)) == [0, 1, 2]
    batches = BatchSampler(SequentialSampler(range(5)), 2, True)
    assert list(batches) == [[0, 1], [2, 3]] and len(batches) == 2


def test_refusals():
    data = table()
    for kind, text, call in [
        (ValueError, "mutually exclusive with shuffle", lambda: DataLoader(data, 1, True, [0])),
        (ValueError, "batch_size should be a positive integer value", lambda: DataLoader(data, batch_size=0)),
        (ValueError, "mutually exclusive with drop_last", lambda: DataLoader(data, None, drop_last=True)),
        (ValueError, "mutually exclusive with batch_size", lambda: DataLoader(data, 2, batch_sampler=[[0]])),
        (ValueError, "num_workers option should be non-negative", lambda: DataLoader(data, num_workers=-1)),
        (ValueError, "expected unspecified shuffle option", lambda: DataLoader(Stream(2), shuffle=True)),
        (ValueError, "expected unspecified sampler option", lambda: DataLoader(Stream(2), sampler=[0])),
        (ValueError, "num_samples should be a positive integer", lambda: DataLoader([], shuffle=True)),
        (ValueError, "should not be set after", lambda: setattr(DataLoader(data), "batch_size", 2)),
        (AssertionError, "Size mismatch", lambda: TensorDataset(torch.ones(2), torch.ones(3))),
        (AssertionError, "empty iterable", lambda: ConcatDataset([])),
        (NotImplementedError, "should implement __getitem__", lambda: Dataset()[0]),
        (TypeError, "replacement should be a boolean", lambda: RandomSampler(data, replacement=1)),
        (ValueError, "num_samples should be a positive", lambda: WeightedRandomSampler([1.0], 0)),
    ]:  # fmt: skip
        with pytest.raises(kind, match=text):
            call()


# ------------------------------------------------------------------------------ what travels with the package
def test_xor_is_the_table():
    data = XOR()
    assert data.inputs.dtype is torch.float32 is data.targets.dtype and data.targets.shape == (4, 1)
    for (a, b), (y,) in zip(data.inputs.tolist(), data.targets.tolist(), strict=True):
        assert y == (a != b)
    x, y = next(iter(DataLoader(data, batch_size=4)))
    assert x.tolist() == data.inputs.tolist() and y.tolist() == data.targets.tolist()


def test_digits_are_split_without_loss_and_without_chance():
    torch.manual_seed(0)
    expected = torch.rand(1).item()
    torch.manual_seed(0)
    train, held_out = Digits(), Digits(train=False)
    assert torch.rand(1).item() == expected
    assert (len(train), len(held_out)) == (1437, 360)
    counts = np.bincount(np.concatenate([train.targets.array, held_out.targets.array]))
    assert counts.tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert np.bincount(held_out.targets.array).min() > 20
    assert train.inputs.array.max() == 1.0 and train.inputs.array.min() == 0.0
    assert np.array_equal(Digits().inputs.array, train.inputs.array)


def test_digits_options():
    raw = Digits(flatten=False, normalise=False, split=1700)
    assert raw.inputs.shape == (1700, 1, 8, 8) and raw.inputs.array.max() == 16.0
    assert np.array_equal(raw.inputs.array[:5].reshape(5, 64) / 16, Digits().inputs.array[:5])
    changed = Digits(transform=lambda x: x * 2, target_transform=lambda y: y + 1)
    x, y = next(iter(DataLoader(changed, batch_size=3)))
    assert np.array_equal(x.array, Digits().inputs.array[:3] * 2)
    assert np.array_equal(y.array, Digits().targets.array[:3] + 1)
    with pytest.raises(ValueError, match="split should be between 0 and 1797"):
        Digits(split=1798)
