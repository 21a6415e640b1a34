"""`storage` and `untyped_storage`: what PyTorch's print and answer, and that they share the memory of the tensor."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

import tinygrad_pt
from tinygrad_pt.functions import storage

pytorch = pytest.importorskip("torch")

LINES = """
y.untyped_storage().nbytes()
y.untyped_storage().size()
len(y.untyped_storage())
y.untyped_storage()[4:8].tolist()
y.untyped_storage()[6]
y.untyped_storage().tolist()
repr(y.untyped_storage())
str(y.untyped_storage())
y.untyped_storage().data_ptr() == x.data_ptr()
y.untyped_storage() == x.untyped_storage()
y.untyped_storage() == x.clone().untyped_storage()
y.untyped_storage().device
y.untyped_storage().element_size()
y.untyped_storage()[24]
y.untyped_storage().is_shared()
x.t().untyped_storage().tolist()
y.storage().size()
len(y.storage())
y.storage()[1]
y.storage()[-1]
y.storage()[7]
y.storage()[0:2]
y.storage().tolist()
list(y.storage())
repr(y.storage())
str(y.storage())
y.storage().dtype
y.storage().data_ptr() == x.data_ptr()
y.storage().nbytes()
y.storage().element_size()
y.storage().untyped().size()
x.t().storage().tolist()
torch.zeros(()).storage().tolist()
torch.zeros(0).storage().size()
torch.arange(3).storage().tolist()
torch.tensor([True]).storage().tolist()
x.double().storage().fill_(2).tolist()
torch.is_storage(y.storage())
torch.is_storage(y.untyped_storage())
torch.is_storage(y)
isinstance(y.untyped_storage(), torch.UntypedStorage)
isinstance(y.storage(), torch.storage.TypedStorage)
torch.equal(write(x.storage(), 1, 9.0), x)
write(x.storage(), 1, 9.0) and x
write(x.t().untyped_storage(), 3, 64) and x
""".strip().splitlines()


def write(storage: Any, place: int, value: float) -> Any:
    storage[place] = value
    return True


def answer(torch: Any, line: str) -> str:
    x = torch.arange(6.0).reshape(2, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = eval(line, {"torch": torch, "x": x, "y": x[1], "write": write})
        except Exception as error:
            return f"{type(error).__name__}: {error}".splitlines()[0]
    return f"{found}"


@pytest.mark.parametrize("line", LINES)
def test_it_answers_as_pytorchs(line: str) -> None:
    assert answer(tinygrad_pt, line) == answer(pytorch, line)


def test_the_typed_one_warns_once_of_its_end_at_the_line_of_the_caller() -> None:
    storage._warn_once.cache_clear()
    with pytest.warns(UserWarning, match="TypedStorage is deprecated") as heard:
        tinygrad_pt.ones(2).storage()
        tinygrad_pt.ones(2).storage()
    assert [w.filename for w in heard] == [__file__]


def test_a_write_is_noticed_by_the_graph() -> None:
    x = tinygrad_pt.ones(2)
    w = tinygrad_pt.ones(2, requires_grad=True)
    y = (w * x).sum()
    x.untyped_storage()[0] = 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()
