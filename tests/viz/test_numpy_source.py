"""The NumPy text of an op computes the bits that the op computes, over the whole table, with NumPy alone."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np
import pytest

from tests.ops.table import ROWS
from tinygrad_pt import ops
from tinygrad_pt.graph import OPS
from tinygrad_pt.symbol import Symbol, symbol_of
from tinygrad_pt.viz.numpy_source import PLAIN, Source, array_text

ALLOWED = {
    "numpy",
    "contextlib",
    "math",
    "cmath",
    "functools",
    "itertools",
    "types",
    "threading",
    "collections",
    "typing",
}


def program_of(source: Source, body: str) -> str:
    return "\n".join(["import numpy as np", *sorted(source.imports), *source.functions, body])


def run(program: str, **given: Any) -> dict[str, Any]:
    """The names of a program after it has run; it may import NumPy and the standard library's mathematics only."""
    for node in ast.walk(ast.parse(program)):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            assert {n.partition(".")[0] for n in names} <= ALLOWED, names
    space: dict[str, Any] = dict(given)
    with np.errstate(all="ignore"):
        exec(compile(program, "<program>", "exec"), space)
    return space


def same_bits(a: Any, b: Any) -> bool:
    a, b = np.asarray(a), np.asarray(b)
    return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()


def check(row: Any, samples: Any) -> None:
    for args, attrs in samples:
        with np.errstate(all="ignore"):
            expected = OPS[row.name].forward(*args, **attrs)
        symbols = [symbol_of(f"x{i}", a) if isinstance(a, np.ndarray) else a for i, a in enumerate(args)]
        values = {f"x{i}": a for i, a in enumerate(args) if isinstance(a, np.ndarray)}
        source = Source(values)
        text = source.text(Symbol(op=OPS[row.name], args=tuple(symbols), attrs=attrs))
        found = run(program_of(source, f"y = {text}"), **values)["y"]
        if isinstance(expected, (list, tuple)):
            assert len(found) == len(expected)
            assert all(map(same_bits, found, expected)), text
        else:
            assert same_bits(found, expected), (text, found, expected)


@pytest.mark.parametrize("name", sorted(PLAIN))
def test_a_plain_form_has_the_bits_of_its_op(name: str) -> None:
    if name in ROWS:
        check(ROWS[name], ROWS[name].samples())


@pytest.mark.parametrize("row", ROWS.values(), ids=lambda row: row.name)
def test_an_ops_own_source_has_its_bits(row: Any) -> None:
    check(row, list(row.samples())[:1])


@pytest.mark.long
@pytest.mark.parametrize("row", ROWS.values(), ids=lambda row: row.name)
def test_text_and_op_have_the_same_bits(row: Any) -> None:
    check(row, row.samples())


def test_short_forwards_stand_in_the_expression() -> None:
    a, b = Symbol("a", (2, 3)), Symbol("b", (3,))
    source = Source()
    assert source.text(ops.exp(a * b) / (a - (b - 1.5))) == "np.exp(a * b) / (a - (b - 1.5))"
    assert source.text(ops.reshape(a, shape=(6,))) == "np.reshape(a, (6,))"
    assert source.text(ops.softmax(a, axis=1)) == "softmax(a, 1)"
    assert len(source.functions) == 1 and source.functions[0].startswith("def softmax(z, axis):")


def test_names_of_the_program_are_left_alone() -> None:
    source = Source({"softmax", "sigmoid"})
    assert source.text(ops.softmax(Symbol("softmax", (2, 2)), axis=0)) == "softmax_(softmax, 0)"


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, bool])
@pytest.mark.parametrize("layout", ["C", "F", "permuted"])
def test_an_array_is_written_exactly(dtype: Any, layout: str) -> None:
    rng = np.random.default_rng(0)
    highest = 30 if np.dtype(dtype).kind == "f" else 15
    a = (rng.normal(size=(2, 3, 4)) * 10.0 ** rng.integers(-30, highest, (2, 3, 4))).astype(dtype)
    if np.dtype(dtype).kind == "f":
        a[0, 0, :3] = np.nan, np.inf, -np.inf
    a = {"C": a, "F": np.asfortranarray(a), "permuted": a.transpose(1, 0, 2)}[layout]
    found = eval(array_text(a), {"np": np, "bool": bool})  # noqa: S307
    assert same_bits(found, a) and found.strides == a.strides
