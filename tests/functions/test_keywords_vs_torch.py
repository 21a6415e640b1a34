"""Every argument of PyTorch's functions may be given by the name that PyTorch has for it.

The calls are those of PyTorch's own database, with all arguments by name: where PyTorch takes them, so do we.
"""

from __future__ import annotations

import collections
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

import tinygrad_pt

pytorch = pytest.importorskip("torch")
pytestmark = pytest.mark.long

NUMPY_NAMES = {"a"}  # PyTorch's binding takes NumPy's name of `input`, too; it documents none


def ours(value: Any) -> Any:
    """A value of PyTorch's as one of ours."""
    if isinstance(value, pytorch.Tensor):
        return tinygrad_pt.from_numpy(value.detach().numpy().copy())
    if isinstance(value, (pytorch.dtype, pytorch.layout, pytorch.memory_format)):
        return getattr(tinygrad_pt, str(value).removeprefix("torch."))
    return type(value)(map(ours, value)) if type(value) in (list, tuple) else value


def signatures() -> dict[str, list[list[str]]]:
    """By name of a function, the names of the parameters of each of its signatures."""
    found = collections.defaultdict(list)
    for schema in pytorch._C._jit_get_all_schemas():
        if schema.name.startswith("aten::"):
            found[schema.name.removeprefix("aten::")].append([argument.name for argument in schema.arguments])
    return found


def calls() -> Iterator[tuple[str, Any, Any, Any, dict[str, Any]]]:
    """The path, PyTorch's and our function, the tensor of a method or None, and the arguments by name."""
    from torch.testing._internal.common_methods_invocations import op_db

    known = signatures()
    for op in op_db:
        space, _, name = op.name.rpartition(".")
        if space not in ("", "linalg", "special") or pytorch.float32 not in op.dtypes:
            continue
        room = tinygrad_pt if not space else getattr(tinygrad_pt, space, None)
        samples = list(op.sample_inputs("cpu", pytorch.float32)) if room is not None else []
        for sample in samples:
            for names in known[name]:
                if len(sample.args) < len(names):
                    by_name = dict(zip((n.replace("self", "input") for n in names[1:]), sample.args, strict=False))
                    if by_name.keys() & sample.kwargs:
                        continue
                    words = by_name | sample.kwargs
                    first = "input" if names[0] == "self" else names[0]
                    if hasattr(room, name) and first not in words and first not in NUMPY_NAMES:
                        theirs = getattr(getattr(pytorch, space) if space else pytorch, name)
                        yield op.name, theirs, getattr(room, name), None, {first: sample.input} | words
                    if not space and first == "input" and hasattr(tinygrad_pt.Tensor, name):
                        yield (
                            f"Tensor.{name}",
                            getattr(pytorch.Tensor, name),
                            getattr(tinygrad_pt.Tensor, name),
                            (sample.input),
                            words,
                        )


@pytest.mark.filterwarnings("ignore")
def test_every_argument_may_be_given_by_name() -> None:
    seen: set[Any] = set()
    refused: dict[str, str] = {}
    for path, theirs, mine, tensor, words in calls():
        key = path, frozenset((name, type(value)) for name, value in words.items())
        if key in seen:
            continue
        first = () if tensor is None else (tensor,)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                theirs(*first, **words)
            except Exception:
                continue
            seen.add(key)
            try:
                mine(*map(ours, first), **{name: ours(value) for name, value in words.items()})
            except TypeError as error:
                refused[f"{path}({', '.join(words)})"] = str(error).splitlines()[0]
            except Exception:
                continue  # another test's matter
    assert len(seen) > 400 and not refused, "\n".join(f"{call}: {text}" for call, text in refused.items())
