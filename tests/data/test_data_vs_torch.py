"""The loader against PyTorch: the same batches in the same order for the same seed."""

import collections

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_pt
from tinygrad_pt import datasets, optim
from tinygrad_pt.datasets.digits_file import read_digits
from tinygrad_pt.utils import data as ours

torch = pytest.importorskip("torch")
theirs = torch.utils.data

Pair = collections.namedtuple("Pair", "a b")
seeds = st.integers(0, 2**40)


def plain(value):
    """A batch of either library as nested Python data with dtypes, so that equal means equal."""
    if isinstance(value, (tinygrad_pt.Tensor, torch.Tensor)):
        return str(value.dtype), tuple(value.shape), value.tolist()
    if isinstance(value, dict):
        return type(value).__name__, {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value).__name__, [plain(v) for v in value]
    return value


def both(seed, run):
    """What `run(library, its utils.data)` gives in each library after the same seed, and a draw after it."""
    results = []
    for library, data in ((tinygrad_pt, ours), (torch, theirs)):
        library.manual_seed(seed)
        results.append((plain(run(library, data)), plain(library.rand(2))))
    return results


@settings(max_examples=40)
@given(seed=seeds, n=st.integers(1, 40), size=st.integers(1, 9), drop=st.booleans(), shuffle=st.booleans())
def test_epochs(seed, n, size, drop, shuffle):
    def run(library, data):
        table = data.TensorDataset(library.arange(n), library.rand(n, 2))
        loader = data.DataLoader(table, batch_size=size, shuffle=shuffle, drop_last=drop)
        return [list(loader), list(loader)]

    mine, other = both(seed, run)
    assert mine == other


@given(seed=seeds, n=st.integers(1, 20))
def test_own_generator(seed, n):
    def run(library, data):
        generator = library.random.Generator() if library is tinygrad_pt else torch.Generator()
        generator.manual_seed(seed)
        loader = data.DataLoader(range(n), 3, shuffle=True, generator=generator)
        return [list(loader), list(loader)]

    mine, other = both(1, run)
    assert mine == other


@given(seed=seeds, n=st.integers(1, 20), wanted=st.integers(1, 80), replacement=st.booleans())
def test_samplers(seed, n, wanted, replacement):
    def run(library, data):
        return [
            list(data.RandomSampler(range(n), replacement=replacement, num_samples=wanted)),
            list(data.SubsetRandomSampler(list(range(0, 3 * n, 3)))),
            [list(part) for part in data.random_split(range(n + 1), [n + 1 - n // 2, n // 2])],
        ]

    mine, other = both(seed, run)
    assert mine == other


@given(seed=seeds, weights=st.lists(st.floats(0.1, 5.0), min_size=1, max_size=9), replacement=st.booleans())
def test_weighted_sampler(seed, weights, replacement):
    def run(library, data):
        count = 20 if replacement else len(weights)
        return list(data.WeightedRandomSampler(weights, count, replacement))

    mine, other = both(seed, run)
    assert mine == other


@given(n=st.integers(3, 40), shares=st.lists(st.sampled_from([0.1, 0.25, 0.3, 0.5, 0.75]), min_size=1, max_size=3))
def test_split_by_fractions(n, shares):
    shares = [*shares, max(0.0, 1 - sum(shares))]
    results = []
    for library, data in ((tinygrad_pt, ours), (torch, theirs)):
        library.manual_seed(5)
        try:
            results.append([list(part) for part in data.random_split(range(n), shares)])
        except (ValueError, UserWarning) as error:  # a part without samples warns, and warnings are errors here
            results.append((type(error), str(error)))
    assert results[0] == results[1]


SAMPLES = {
    "ints": lambda t: [1, 2],
    "floats": lambda t: [1.5, 2.5],
    "bools": lambda t: [True, False],
    "strings": lambda t: ["a", "b"],
    "bytes": lambda t: [b"a", b"b"],
    "numpy scalars": lambda t: [np.float32(1.0), np.float32(2.0)],
    "numpy ints": lambda t: [np.int64(1), np.int64(2)],
    "numpy arrays": lambda t: [np.ones(2, np.float32), np.zeros(2, np.float32)],
    "0-d arrays": lambda t: [np.array(1), np.array(2)],
    "tensors": lambda t: [t.ones(2, 1), t.zeros(2, 1)],
    "tuples": lambda t: [(1, t.ones(2)), (2, t.zeros(2))],
    "lists": lambda t: [[1, 2.0], [3, 4.0]],
    "dicts": lambda t: [{"x": 1, "y": {"z": t.ones(1)}}, {"x": 2, "y": {"z": t.zeros(1)}}],
    "ordered": lambda t: [collections.OrderedDict(b=1, a=2), collections.OrderedDict(b=3, a=4)],
    "named": lambda t: [Pair(1, "x"), Pair(2, "y")],
    "ranges": lambda t: [range(2), range(2)],
    "deep": lambda t: [([{"a": (1, 2.0)}],), ([{"a": (3, 4.0)}],)],
}


@pytest.mark.parametrize("make", SAMPLES.values(), ids=SAMPLES.keys())
def test_collation_and_conversion(make):
    assert plain(ours.default_collate(make(tinygrad_pt))) == plain(theirs.default_collate(make(torch)))
    assert plain(ours.default_convert(make(tinygrad_pt))) == plain(theirs.default_convert(make(torch)))


class Streams:
    """The same stream for both libraries."""

    def __iter__(self):
        return iter([(i, float(i)) for i in range(5)])


class Ours(Streams, ours.IterableDataset):
    pass


class Theirs(Streams, torch.utils.data.IterableDataset):
    pass


@pytest.mark.parametrize("options", [{}, {"batch_size": 2}, {"batch_size": 2, "drop_last": True}, {"batch_size": None}])
def test_streams(options):
    assert plain(list(ours.DataLoader(Ours(), **options))) == plain(list(theirs.DataLoader(Theirs(), **options)))


BAD = {
    "shuffle and sampler": lambda t, d: d.DataLoader([1], shuffle=True, sampler=[0]),
    "zero": lambda t, d: d.DataLoader([1], batch_size=0),
    "batch sampler": lambda t, d: d.DataLoader([1], batch_sampler=[[0]], drop_last=True),
    "no batches": lambda t, d: d.DataLoader([1], batch_size=None, drop_last=True),
    "workers": lambda t, d: d.DataLoader([1], num_workers=-1),
    "prefetch": lambda t, d: d.DataLoader([1], prefetch_factor=2),
    "persistent": lambda t, d: d.DataLoader([1], persistent_workers=True),
    "timeout": lambda t, d: d.DataLoader([1], timeout=-1),
    "late": lambda t, d: setattr(d.DataLoader([1]), "sampler", None),
    "empty": lambda t, d: d.DataLoader([], shuffle=True),
    "drop": lambda t, d: d.BatchSampler([1], 1, 1),
    "sizes": lambda t, d: d.TensorDataset(t.ones(2), t.ones(3)),
    "split": lambda t, d: d.random_split([1, 2], [1, 2]),
    "fraction": lambda t, d: d.random_split([1, 2], [1.5, -0.5]),
    "weights": lambda t, d: d.WeightedRandomSampler([[1.0]], 1),
    "samples": lambda t, d: d.RandomSampler([1], num_samples=0),
    "shapes": lambda t, d: d.default_collate([t.ones(1), t.ones(2)]),
    "none": lambda t, d: d.default_collate([None]),
    "lengths": lambda t, d: d.default_collate([[1], [1, 2]]),
    "strings": lambda t, d: d.default_collate([np.array("a")]),
    "abstract": lambda t, d: d.Dataset()[0],
    "joined": lambda t, d: d.ConcatDataset([[1]])[-2],
}


@pytest.mark.parametrize("case", BAD.values(), ids=BAD.keys())
def test_errors_have_the_same_first_line(case):
    with pytest.raises(Exception) as other:
        case(torch, theirs)
    with pytest.raises(type(other.value)) as mine:
        case(tinygrad_pt, ours)
    assert str(mine.value).splitlines()[0] == str(other.value).splitlines()[0]


def test_digits_come_in_a_fixed_order_that_pytorch_can_draw():
    images, labels = read_digits()
    raw = datasets.Digits(split=1797, normalise=False)
    order = torch.randperm(1797, generator=torch.Generator().manual_seed(0)).numpy()
    assert np.array_equal(raw.inputs.array, images.reshape(1797, 64)[order])
    assert np.array_equal(raw.targets.array, labels[order])


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_three_shuffled_epochs_of_training(name):
    """Order, gradients and steps together: the losses of a small network agree to the seventh digit."""

    def run(library, data, optimizer):
        library.manual_seed(0)
        table = data.TensorDataset(library.rand(23, 4), library.rand(23, 2))
        params = [library.randn(4, 5), library.zeros(5), library.randn(5, 2), library.zeros(2)]
        for p in params:
            p.requires_grad_()
        w, b, u, c = params
        method, losses = optimizer(params, lr=0.05), []
        for _ in range(3):
            for x, y in data.DataLoader(table, batch_size=5, shuffle=True):
                method.zero_grad()
                loss = ((((x @ w + b).tanh() @ u + c) - y) ** 2).mean()
                loss.backward()
                method.step()
                losses.append(loss.item())
        return losses

    mine = run(tinygrad_pt, ours, getattr(optim, name))
    assert np.allclose(mine, run(torch, theirs, getattr(torch.optim, name)), rtol=2e-6)
