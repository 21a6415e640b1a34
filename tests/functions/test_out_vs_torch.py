"""`out=`: every function that takes it writes the same as PyTorch's, whatever shape and dtype the tensor has."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import tinygrad_pt

torch = pytest.importorskip("torch")

ONE = """
    abs ceil floor trunc round neg sign square exp sigmoid frac sgn deg2rad rad2deg all any amax amin logsumexp:0 norm
    nonzero mean std var diag tril triu nan_to_num bitwise_not:int
""".split()
TWO = """
    add sub mul div pow maximum minimum fmod remainder atan2 hypot logaddexp eq ne lt le gt ge logical_and floor_divide
    matmul mm inner float_power
""".split()
CALLS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "cat": lambda m, x, out: m.cat([x, x], 1, out=out),
    "vstack": lambda m, x, out: m.vstack([x, x], out=out),
    "where": lambda m, x, out: m.where(x > 0, x, -x, out=out),
    "stack": lambda m, x, out: m.stack([x, x], out=out),
    "hstack": lambda m, x, out: m.hstack([x, x], out=out),
    "bmm": lambda m, x, out: m.bmm(x[None], x[None], out=out),
    "mv": lambda m, x, out: m.mv(x, x[0], out=out),
    "dot": lambda m, x, out: m.dot(x[0], x[1], out=out),
    "kron": lambda m, x, out: m.kron(x, x, out=out),
    "tensordot": lambda m, x, out: m.tensordot(x, x, 1, out=out),
    "outer": lambda m, x, out: m.outer(x[0], x[1], out=out),
    "addmm": lambda m, x, out: m.addmm(x, x, x, out=out),
    "addcmul": lambda m, x, out: m.addcmul(x, x, x, value=0.5, out=out),
    "lerp": lambda m, x, out: m.lerp(x, -x, 0.25, out=out),
    "clamp": lambda m, x, out: m.clamp(x, -1, 1, out=out),
    "gather": lambda m, x, out: m.gather(x, 0, m.zeros(1, 2, dtype=m.int64), out=out),
    "index_select": lambda m, x, out: m.index_select(x, 0, m.tensor([1, 0, 1]), out=out),
    "masked_select": lambda m, x, out: m.masked_select(x, x > 0, out=out),
    "cumsum": lambda m, x, out: m.cumsum(x, 1, out=out),
    "cumprod": lambda m, x, out: m.cumprod(x, 0, out=out),
    "sum over": lambda m, x, out: m.sum(x, 0, True, out=out),
    "mean over": lambda m, x, out: m.mean(x, dim=1, out=out),
    "max of two": lambda m, x, out: m.max(x, -x, out=out),
    "zeros": lambda m, x, out: m.zeros(2, 3, out=out),
    "full": lambda m, x, out: m.full((2, 2), 1.5, out=out),
    "linspace": lambda m, x, out: m.linspace(0, 1, 3, out=out),
    "eye": lambda m, x, out: m.eye(2, out=out),
    "randn": lambda m, x, out: (m.manual_seed(0), m.randn(3, 2, out=out))[1],
    **{name: (lambda m, x, out, name=name: getattr(m, name)(x, 0, out=out)) for name in ("max", "min", "median")},
    **{name: (lambda m, x, out, name=name: getattr(m, name)(x, 1, out=out)) for name in ("sort", "topk", "cummax")},
    "histogram": lambda m, x, out: m.histogram(x, 3, out=out),
}
SEVERAL = {"max", "min", "median", "sort", "topk", "cummax", "histogram"}


def unary(word: str) -> Callable[[Any, Any, Any], Any]:
    name, _, kind = word.partition(":")

    def call(m: Any, x: Any, out: Any) -> Any:
        x = x.long() if kind == "int" else x.abs() / 3 if kind == "p" else x
        if kind == "p":
            m.manual_seed(1)
        return getattr(m, name)(x, *((0,) if kind == "0" else ()), out=out)

    return call


CALLS |= {word.partition(":")[0]: unary(word) for word in ONE}
CALLS |= {name: (lambda m, x, out, name=name: getattr(m, name)(x, x.t().contiguous(), out=out)) for name in TWO}


def answer(m: Any, call: Callable[[Any, Any, Any], Any], size: tuple[int, ...], kind: str, several: bool) -> Any:
    """What a call returns, whether that is `out` itself, and the warnings; or the error."""
    x = m.tensor([[1.5, -2.0], [0.25, 3.0]])
    out = m.zeros(size, dtype=getattr(m, kind))
    if several:
        second = m.zeros(size, dtype=m.float32 if kind == "float32" and call is CALLS["histogram"] else m.int64)
        out = (out, second)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        try:
            y = call(m, x, out)
        except Exception as error:
            return type(error), str(error).split("\n")[0]
    parts = list(y) if several else [y]
    same = all(a is b for a, b in zip(parts, out if several else [out], strict=True))
    shown = [([f"{float(v) + 0.0:.4g}" for v in p.flatten()], tuple(p.shape), str(p.dtype)) for p in parts]
    return type(y).__name__, same, shown, {str(w.message).partition(" (Triggered")[0] for w in heard}


@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize("size", [(0,), (2, 2), (3,)], ids=str)
@pytest.mark.parametrize("name", CALLS)
def test_it_writes_what_pytorch_writes(name: str, size: tuple[int, ...], kind: str) -> None:
    theirs = answer(torch, CALLS[name], size, kind, name in SEVERAL)
    ours = answer(tinygrad_pt, CALLS[name], size, kind, name in SEVERAL)
    if isinstance(theirs[0], type):  # some of PyTorch's kernels do not convert to the dtype of `out`; ours may
        assert isinstance(ours[0], type) or ours[1]
    else:
        assert ours == theirs


@pytest.mark.parametrize("name", ["matmul", "exp", "mm", "add", "maximum"])
def test_what_it_refuses_pytorch_refuses(name: str) -> None:
    theirs = answer(torch, CALLS[name], (2, 2), "int64", False)
    assert answer(tinygrad_pt, CALLS[name], (2, 2), "int64", False)[0] is theirs[0]
    said = []
    for m in (torch, tinygrad_pt):
        x = m.ones(2, 2, requires_grad=True)
        with pytest.raises(RuntimeError, match="don't support automatic differentiation") as caught:
            CALLS[name](m, x, m.empty(2, 2))
        said.append(str(caught.value).split("\n")[0])
    assert said[0] == said[1]


def with_out() -> Iterator[tuple[str, Any, Any]]:
    """The functions to which PyTorch's database gives `out=`: a name, PyTorch's entry, and our function."""
    from tests.conformance.bridge import op_db, title, variants

    for op in op_db:
        found = variants(op)
        if op.supports_out and torch.float32 in op.dtypes and "function" in found and not op.name.startswith("nn."):
            yield title(op), op, found["function"][1]


def writes(entry: Any, function: Any, sample: Any) -> str:
    """What is wrong with what our function writes into empty tensors; "" if nothing is."""
    from tests.conformance.bridge import Translation

    given, named = Translation()(([sample.input, *sample.args], sample.kwargs))
    wanted = entry(sample.input, *sample.args, **sample.kwargs)
    several = isinstance(wanted, (tuple, list))
    parts = list(wanted) if several else [wanted]
    if not all(isinstance(part, torch.Tensor) for part in parts):
        return ""
    empty = [torch.empty(0, dtype=part.dtype) for part in parts]
    try:
        entry(sample.input, *sample.args, **sample.kwargs, out=tuple(empty) if several else empty[0])
    except Exception:
        return ""  # with these arguments PyTorch writes nowhere
    ours = [tinygrad_pt.empty(0, dtype=getattr(tinygrad_pt, str(part.dtype)[6:])) for part in parts]
    y = function(*given, **named, out=tuple(ours) if several else ours[0])
    if not all(a is b for a, b in zip(y if several else [y], ours, strict=True)):
        return "it returns something else"
    return "" if all(tuple(a.shape) == tuple(b.shape) for a, b in zip(ours, empty, strict=True)) else "the shape"


@pytest.mark.filterwarnings("ignore")
def test_every_function_that_writes_in_pytorch_writes() -> None:
    pytest.importorskip("expecttest")
    from tests.conformance.bridge import LeftOut

    tried, wrong = 0, []
    for name, entry, function in with_out():
        for sample in itertools.islice(entry.sample_inputs("cpu", torch.float32), 4):
            with torch.no_grad(), tinygrad_pt.no_grad():
                try:
                    text = writes(entry, function, sample)
                except LeftOut:
                    continue
                except Exception as error:
                    text = f"{type(error).__name__}: {error}".split("\n")[0]
            tried += 1
            wrong += [f"{name}: {text}"] if text else []
    assert tried > 500 and not wrong, "\n".join(wrong)


def test_what_pytorch_lets_write_only_in_linalg_writes_only_there() -> None:
    for m in (torch, tinygrad_pt):
        assert m.linalg.det(m.eye(2), out=m.zeros(())).item() == 1
        with pytest.raises(TypeError, match="out"):
            m.det(m.eye(2), out=m.zeros(()))


def test_a_sum_is_of_the_dtype_of_out() -> None:
    for m in (torch, tinygrad_pt):
        assert m.sum(m.tensor([1.5, 2.5]), 0, out=m.tensor(0)).item() == 3


def test_a_warning_names_the_line_of_the_caller() -> None:
    x = tinygrad_pt.ones(2, 2)
    for call in (
        lambda: tinygrad_pt.matmul(x, x, out=tinygrad_pt.zeros(3)),
        lambda: tinygrad_pt.cumsum(x, 0, out=tinygrad_pt.zeros(3)),
        lambda: tinygrad_pt.topk(x, 1, out=(tinygrad_pt.zeros(3), tinygrad_pt.zeros(3).long())),
    ):
        with pytest.warns(UserWarning, match="was resized") as heard:
            call()
        assert {w.filename for w in heard} == {__file__}


def test_functions_without_out_refuse_it() -> None:
    for m in (torch, tinygrad_pt):
        with pytest.raises(TypeError, match="got an unexpected keyword argument 'out'"):
            m.zeros_like(m.ones(2), out=m.ones(2))
