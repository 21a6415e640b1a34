"""PyTorch's typed constructors, its other words for arguments, and sequences of every kind, line by line."""

from __future__ import annotations

import array
import collections
import inspect
import warnings
from typing import Any

import numpy as np
import pytest

import tinygrad_pt

pytorch = pytest.importorskip("torch")

LINES = """
torch.FloatTensor(torch.Size([2, 3])).shape
torch.FloatTensor()
torch.FloatTensor(3).shape
torch.FloatTensor(2, 3).shape
torch.FloatTensor((2, 3))
torch.FloatTensor(size=(2, 3)).shape
torch.FloatTensor(data=[1])
torch.FloatTensor(range(3))
torch.FloatTensor(np.zeros(3))
torch.FloatTensor(torch.zeros(3))
torch.FloatTensor(torch.zeros(3, dtype=torch.int64))
torch.FloatTensor(2.5)
torch.FloatTensor(True)
torch.FloatTensor(None)
torch.FloatTensor('a')
torch.FloatTensor({1, 2})
torch.FloatTensor(2, None)
torch.FloatTensor(2, 3.0)
torch.FloatTensor(-1)
torch.FloatTensor(np.float32(3))
torch.FloatTensor([[1, 2], [3]])
torch.DoubleTensor([1, 2])
torch.HalfTensor([1.5])
torch.LongTensor([1.5, 2])
torch.LongTensor(range(3))
torch.LongTensor(np.arange(3))
torch.LongTensor(collections.deque([1, 2]))
torch.IntTensor([1]), torch.ShortTensor([1]), torch.CharTensor([1])
torch.BoolTensor([1, 0])
torch.ByteTensor([-1])
torch.ByteTensor([300])
torch.FloatTensor.dtype, torch.FloatTensor.__name__, torch.FloatTensor.__module__
issubclass(torch.FloatTensor, torch.Tensor)
isinstance(torch.ones(2), (torch.LongTensor, torch.FloatTensor)), isinstance(torch.ones(2), torch.DoubleTensor)
isinstance(torch.nn.Parameter(torch.ones(2)), torch.FloatTensor)
torch.ones(2).type(torch.LongTensor)
torch.ones(2).type('torch.DoubleTensor')
torch.ones(2).type(dtype=torch.LongTensor, non_blocking=True)
torch.ones(2).type(torch.float64)
torch.ones(2).type(torch.Tensor)
torch.ones(2).type('float')
torch.ones(2).type(float)
torch.ones(2).type(3)
torch.ones(2).type(), torch.nn.Parameter(torch.ones(2)).type()
torch.Tensor(range(3)), torch.Tensor(collections.deque([1, 2]))
torch.Tensor(torch.ones(2, dtype=torch.float64)), torch.Tensor(torch.tensor([1]))
torch.Tensor(np.ones(2)), torch.Tensor(), torch.Tensor(torch.Size([2])).shape
torch.Tensor(True)
torch.Tensor(None)
torch.ones(2).new(3).shape, torch.ones(2).new([1, 2]), torch.zeros(2, dtype=torch.int64).new([1, 2])
torch.ones(2, 3).new(torch.ones(2, 3).size()).shape
torch.tensor(collections.deque([1.0, 2.0])), torch.tensor(collections.deque([[1.0, 2.0], (3, 4)]))
torch.tensor([range(2), range(2)]), torch.tensor([collections.deque([1, 2.5])])
torch.tensor(array.array('d', [1, 2])), torch.tensor(bytearray(b'ab')), torch.tensor(memoryview(b'ab'))
torch.tensor(collections.UserList([1, 2])), torch.tensor(collections.UserList([torch.tensor(1), torch.tensor(2)]))
torch.tensor({1, 2})
torch.tensor({1: 2})
torch.tensor('ab')
torch.tensor(i for i in range(3))
torch.randint(9, size=(3,)), torch.randint(high=9, size=(3,)), torch.randint(3, 9, (3,)), torch.randint(9, (3,))
torch.randint(low=3, high=9, size=[3]), torch.randint(3, high=9, size=torch.Size([2]))
torch.randint(9)
torch.randint(size=(3,))
torch.randint(3, (2,), (3,))
torch.randint(9, 3)
torch.randint_like(torch.ones(2), high=3), torch.randint_like(torch.ones(2), 3)
torch.zeros(size=(2,)), torch.ones(size=[2]), torch.rand(size=(2,)), torch.randn(size=(2,))
torch.empty(size=(2,)).shape
torch.full(size=(2,), fill_value=3.0)
torch.ones(2).new_zeros(size=(2,)), torch.ones(2).new_full(size=(2,), fill_value=1.0)
torch.arange(6).reshape(shape=(2, 3)), torch.reshape(torch.arange(6), shape=(2, -1)), torch.arange(6).view(size=(3, 2))
torch.ones(1, 2).expand(size=(3, 2)), torch.broadcast_to(torch.ones(2), size=(2, 2))
torch.ones(2).repeat(repeats=(2, 2))
torch.ones(2).tile(dims=(2,)), torch.tile(torch.ones(2), dims=(2, 1)), torch.ones(2, 3).permute(dims=(1, 0)).shape
torch.arange(5).split(split_size=2), torch.split(torch.arange(5), split_size_or_sections=2, dim=0)
torch.arange(5).tensor_split(sections=2), torch.arange(5).tensor_split(indices=(1, 3))
torch.max(torch.tensor([1, 5]), other=torch.tensor([4, 2])), torch.tensor([1, 5]).min(other=torch.tensor([4, 2]))
torch.ones(2).float(memory_format=torch.preserve_format), torch.ones(2).cpu(), torch.ones(2).get_device()
torch.zeros(2, 3, 4, 5).contiguous(memory_format=torch.channels_last).stride()
torch.zeros(2, 3, 4, 5).clone(memory_format=torch.channels_last).is_contiguous(memory_format=torch.channels_last)
torch.zeros(2, 3, 4, 5, 6).to(memory_format=torch.channels_last_3d).stride()
torch.zeros(2, 3).contiguous(memory_format=torch.channels_last)
torch.zeros(2, pin_memory=False, layout=torch.strided, device='cpu')
torch.strided, torch.channels_last, torch.sparse_coo
torch.autograd.Variable(torch.ones(2)), torch.autograd.Variable(torch.ones(2), True), torch.autograd.Variable()
torch.autograd.Variable(data=torch.ones(2) * 2, requires_grad=True).is_leaf
torch.autograd.Variable([1])
torch.autograd.Variable(torch.ones(2), volatile=True, requires_grad=True)
torch.autograd.Variable(torch.ones(2), volatile=True)
torch.autograd.Variable(torch.tensor([1]), requires_grad=True)
isinstance(torch.ones(2), torch.autograd.Variable), isinstance(3, torch.autograd.Variable)
torch.device('cuda:1'), torch.device('cpu', 0), str(torch.device('cuda:1')), torch.device(torch.device('mps'))
torch.device('cpu') == torch.device('cpu:0'), torch.device('cpu') == torch.device('cpu'), torch.device('cuda').index
torch.device(type='cpu', index=0), hash(torch.device('cpu')) == hash(torch.device('cpu'))
torch.device('foo')
torch.device('')
torch.device('cpu:a')
torch.device('cpu:-1')
torch.device(None)
torch.device(0)
torch.ones(2, device='cuda')
torch.ones(2).to('cuda:0')
torch.ones(2).cuda()
torch.nn.Linear(2, 2).cuda()
torch.ones(2).pin_memory()
""".strip().splitlines()


def answer(line: str, package: Any) -> tuple[str, list[str]]:
    """What a line gives, or the first line of its error; and the warnings."""
    names = {"torch": package, "np": np, "collections": collections, "array": array}
    package.manual_seed(0)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        try:
            said = repr(eval(line, names))
        except Exception as error:
            said = f"{type(error).__name__}: {str(error).splitlines()[0]}"
    return said, [f"{w.category.__name__}: {w.message}" for w in heard]


@pytest.mark.parametrize("line", LINES)
def test_a_line_gives_what_it_gives_in_pytorch(line: str) -> None:
    assert answer(line, tinygrad_pt) == answer(line, pytorch)


def test_old_constructors_share_a_tensor_of_their_dtype() -> None:
    for package in (pytorch, tinygrad_pt):
        a = package.zeros(3)
        package.FloatTensor(a)[0] = 1
        package.Tensor(a)[1] = 2
        assert a.tolist() == [1, 2, 0]


def test_a_type_can_be_a_hint() -> None:
    assert str(tinygrad_pt.FloatTensor | None) == "torch.FloatTensor | None"
    assert repr(tinygrad_pt.LongTensor) == "<class 'torch.LongTensor'>"


# ------------------------------------------------------------------------------------------ every documented keyword
SPACES = ("nn", "nn.functional", "nn.init", "nn.utils", "optim", "utils.data", "autograd", "autograd.functional")
INTERNAL = {"orig_func", "remove_duplicate", "grad_variables"}  # of decorators, or deprecated


def space(package: Any, path: str) -> Any:
    for part in path.split("."):
        package = getattr(package, part)
    return package


def names_of(callable_: Any) -> set[str] | None:
    """The names of the parameters; None if they cannot be told, or if every keyword is taken."""
    try:
        parameters = inspect.signature(callable_).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return None
    return {p.name for p in parameters if not p.name.startswith("_") and p.kind is not p.VAR_POSITIONAL}


@pytest.mark.parametrize("path", SPACES)
def test_every_keyword_of_pytorch_is_taken(path: str) -> None:
    lacking = {}
    for name, ours in vars(space(tinygrad_pt, path)).items():
        theirs = getattr(space(pytorch, path), name, None)
        own = str(getattr(ours, "__module__", "")).startswith("tinygrad_pt")  # and no import of a file
        if own and not name.startswith("_") and callable(theirs) and callable(ours):
            wanted, known = names_of(theirs), names_of(ours)
            if wanted is not None and known is not None and wanted - known - INTERNAL:
                lacking[name] = wanted - known - INTERNAL
    assert not lacking
