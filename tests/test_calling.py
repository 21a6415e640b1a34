"""The ways of applying an op that are written out for speed do what the general way does."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest

import tinygrad_pt as torch
from tests.ops.table import ROWS, SEVERAL, Row
from tinygrad_pt.calling import apply, wrap
from tinygrad_pt.graph import OPS, Constant, Node, Op
from tinygrad_pt.modes import Scope, Switch

DTYPES = (np.float32, np.float64, np.float16)
MODES = {
    "plain": nullcontext,
    "no_grad": torch.no_grad,
    "inference": torch.inference_mode,
    "in a module": lambda: Switch(scope=Scope(None, "Net", "Net")),
}
SHAPES = ((), (1,), (2, 3))


def cases(row: Row) -> Iterator[tuple[list[Any], dict[str, Any]]]:
    """The samples of a row; of an elementwise op also every meeting of 0-d, one-element and larger arguments."""
    samples = list(row.samples())
    yield from samples
    if not row.op.elementwise or row.op.variadic:
        return
    args, attrs = samples[0]
    places = [i for i, x in enumerate(args) if isinstance(x, np.ndarray)]
    for shapes in itertools.product(SHAPES, repeat=len(places)):
        again = list(args)
        for i, shape in zip(places, shapes, strict=True):
            flat = args[i].ravel()
            again[i] = np.resize(flat, shape) if flat.size else np.zeros(shape, flat.dtype)
        yield again, attrs
    if len(args) == 2 and row.op.domain and row.gradient:
        for shape in SHAPES:
            yield [np.resize(args[0].ravel(), shape), 2.0], attrs
            yield [2, np.resize(args[1].ravel(), shape)], attrs


def tensors(args: list[Any], wanting: tuple[bool, ...], dtype: Any) -> list[Any]:
    made: list[Any] = []
    for x, wants in zip(args, wanting, strict=True):
        if isinstance(x, np.ndarray):
            t = wrap(x.astype(dtype) if x.dtype.kind == "f" else x.copy())
            made.append(t.requires_grad_() if wants else t)
        else:
            made.append(x)
    return made


def same(a: Any, b: Any, ya: Any, yb: Any) -> bool:
    """Whether two vertices hold the same thing: one array, one result each, one number, one parent."""
    if a is ya.array or b is yb.array:
        return a is ya.array and b is yb.array
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return a is b
    if isinstance(a, Constant):
        return isinstance(b, Constant) and a.handle is b.handle
    if isinstance(a, np.generic):
        return type(a) is type(b) and np.array_equal(a, b, equal_nan=True)
    return a is b or (type(a) is type(b) and not isinstance(a, Node) and a == b)


def difference(op: Op, args: list[Any], attrs: dict[str, Any]) -> str:
    """What the two ways disagree about, or ""."""
    with np.errstate(all="ignore"):
        try:
            general = apply(op, tuple(args), attrs)
        except (RuntimeError, ValueError) as error:
            with pytest.raises(type(error)) as caught:
                op.apply(*args, **attrs)
            return "" if str(caught.value) == str(error) else "the error"
        fast = op.apply(*args, **attrs)
    if fast.dtype != general.dtype or not np.array_equal(
        fast.array, general.array, equal_nan=fast.dtype.is_floating_point
    ):
        return "value"
    if (fast.inference, fast.version[0], fast.base is None) != (
        general.inference,
        general.version[0],
        general.base is None,
    ):
        return "tensor"
    m, n = fast.node, general.node
    if m is None or n is None:
        return "" if m is n else "whether there is a vertex"
    for name in ("op", "attrs", "shape", "dtype", "scope", "extra"):
        if getattr(m, name) != getattr(n, name):
            return name
    if len(m.parents) != len(n.parents) or not all(map(lambda a, b: same(a, b, fast, general), m.parents, n.parents)):
        return "parents"
    if len(m.args) != len(n.args) or not all(map(lambda a, b: same(a, b, fast, general), m.args, n.args)):
        return f"saved: {m.args} and {n.args}"
    mine = [fast.version if v is general.version else v for v in n.guards]
    if len(m.guards) != len(mine) or not all(a is b or a == b for a, b in zip(m.guards, mine, strict=True)):
        return "guards"
    return "" if m.ndim == n.ndim and m.name() == n.name() else "name"


@pytest.mark.parametrize("row", [r for name, r in ROWS.items() if name not in SEVERAL], ids=lambda row: row.name)
def test_the_fast_way_leaves_the_same_vertex_as_the_general_way(row: Row) -> None:
    op = OPS[row.name]
    for args, attrs in cases(row):
        floats = [isinstance(x, np.ndarray) and x.dtype.kind == "f" for x in args]
        for wanting in itertools.product(*((False, True) if f else (False,) for f in floats)):
            for dtype, (mode, enter) in itertools.product(DTYPES, MODES.items()):
                given = tensors(args, wanting, dtype)
                if not any(isinstance(x, torch.Tensor) for x in given):
                    continue
                for first in (True, False):  # the first application of an op finds out what its rules read
                    if first:
                        op.keep.clear()
                    with enter():
                        found = difference(op, given, attrs)
                    assert not found, (found, mode, dtype, wanting, [np.shape(x) for x in args])


def test_a_change_through_data_is_seen_or_not_the_same_way_every_time() -> None:
    """The gradient by b of x·b is x as it is at the time of the backward pass, as in PyTorch: nothing was counted."""
    for make in (torch.mul, torch.div, torch.maximum):
        for _ in range(2):
            x = torch.tensor(2.0, requires_grad=True)
            b = torch.ones(3, requires_grad=True)
            y = make(b, x)
            x.data.fill_(5.0)
            y.sum().backward()
            expected = {torch.mul: 5.0, torch.div: 0.2, torch.maximum: 0.0}[make]
            np.testing.assert_allclose(b.grad, [expected] * 3, rtol=1e-6)


def test_what_is_saved_depends_on_which_arguments_are_given() -> None:
    x, ones = torch.randn(3, 4, requires_grad=True), torch.ones(4)
    for given in ((), (ones, ones), (None, ones), (ones,), ()):
        torch.nn.functional.layer_norm(x, (4,), *given).sum().backward()
    assert x.grad.abs().max() < 1e-5
