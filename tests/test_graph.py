"""What the graph promises of every op, whichever of the ways through `graph` its arguments take."""

from __future__ import annotations

import inspect
import itertools
import weakref
from typing import Any

import numpy as np
import pytest

import tinygrad_pt as torch
from tests.ops.table import ROWS, Row
from tinygrad_pt import calling, graph, ops
from tinygrad_pt.autograd import engine
from tinygrad_pt.calling import wrap
from tinygrad_pt.graph import Constant, Leaf, Tensor
from tinygrad_pt.listening import Listener, Tape, listen
from tinygrad_pt.modes import Mode, Scope, Switch, current
from tinygrad_pt.symbol import Symbol

SMOOTH = [row for row in ROWS.values() if row.gradient]


def floating(x: Any) -> bool:
    return isinstance(x, np.ndarray) and x.dtype.kind == "f"


def joined(result: Any) -> list[Any]:
    return list(result) if isinstance(result, (tuple, list)) else [result]


def inner(args: list[Any], wanting: int) -> list[Any]:
    """The arguments as tensors that are no leaves, so that they may be written; those in the mask want gradients."""
    found = []
    for i, x in enumerate(args):
        if not isinstance(x, np.ndarray):
            found.append(x)
        elif wanting >> i & 1:
            found.append(ops.clone(wrap(x.copy()).requires_grad_()))
        else:
            found.append(wrap(x.copy()))
    return found


def rewritten(t: Any) -> None:
    """Write a tensor's own values into it: a change that changes no number."""
    with torch.no_grad():
        t.copy_(wrap(t.array.copy()))


def walk_back(ys: list[Any]) -> None:
    used = [y for y in ys if y.requires_grad]
    torch.autograd.backward(used, [torch.ones_like(y) for y in used])


# ------------------------------------------------------------------------------------------ what is saved is guarded
def masks(row: Row, args: list[Any]) -> Any:
    """Each choice of arguments that want gradients, as bits."""
    places = [i for i, x in enumerate(args) if floating(x)]
    for some in itertools.product((False, True), repeat=len(places)):
        if any(some):
            yield sum(1 << i for i, wants in zip(places, some, strict=True) if wants)


@pytest.mark.parametrize("row", SMOOTH, ids=lambda row: row.name)
def test_a_write_after_the_forward_pass_is_noticed_if_and_only_if_a_rule_reads_what_was_written(row: Row) -> None:
    for args, attrs in row.samples():
        for mask in masks(row, args):
            keep = calling.read_by(row.op, mask, tuple(args), attrs)
            for round_ in range(2):  # the second time the op knows already what it keeps
                for i, x in enumerate(args):
                    if not isinstance(x, np.ndarray):
                        continue
                    xs = inner(args, mask)
                    for t in xs:  # before the op is applied, they may change as they like
                        if isinstance(t, Tensor):
                            rewritten(t)
                    ys = joined(row(*xs, **attrs))
                    rewritten(xs[i])
                    seen = keep[i + 1] or (keep[0] and ys[0].version is xs[i].version)
                    if seen:
                        with pytest.raises(RuntimeError, match="is at version 2; expected version 1 instead") as caught:
                            walk_back(ys)
                        assert row.name in str(caught.value), round_
                    elif row.name in ("split", "unbind"):  # none of several views follows a write into their base
                        with pytest.raises(RuntimeError, match="its base or another view of its base has been modif"):
                            walk_back(ys)
                    else:
                        walk_back(ys)
            xs = inner(args, mask)
            ys = joined(row(*xs, **attrs))
            if not row.op.view:
                rewritten(ys[0])
                if keep[0]:
                    with pytest.raises(RuntimeError, match="is at version 1; expected version 0 instead"):
                        walk_back(ys)
                else:
                    walk_back(ys)
            break  # one sample of each op is enough: what is kept does not depend on the values


def test_the_versions_that_an_error_names_are_those_of_what_was_written() -> None:
    a, b = (ops.clone(torch.ones(2, requires_grad=True)) for _ in range(2))
    for _ in range(3):
        rewritten(a)
    y = a * b
    rewritten(b)
    with pytest.raises(RuntimeError, match="is at version 1; expected version 0 instead"):
        walk_back([y])


@pytest.mark.parametrize("row", SMOOTH, ids=lambda row: row.name)
def test_a_vertex_knows_its_parents_and_what_it_saved(row: Row) -> None:
    for args, attrs in row.samples():
        for mask in masks(row, args):
            keep = calling.read_by(row.op, mask, tuple(args), attrs)
            for _ in range(2):
                xs = inner(args, mask)
                ys = joined(row(*xs, **attrs))
                node = ys[0].node if len(ys) == 1 and row.name not in ("split", "unbind") else ys[0].node.parents[0]
                assert node.op is row.op and node.scope is None and node.dtype == ys[0].array.dtype
                assert node.shape == ys[0].array.shape and node.born > max(
                    [0, *(x.node.born for x in xs if isinstance(x, Tensor) and x.node)]
                )
                assert len(node.parents) == len(xs) == len(node.args) - 1
                guards = iter(node.guards[::2])
                assert node.args[0] is None or next(guards) is ys[0].version
                assert (node.args[0] is not None) == keep[0]
                for x, p, saved, kept in zip(xs, node.parents, node.args[1:], keep[1:], strict=True):
                    if not isinstance(x, Tensor):
                        assert p is saved is x
                        continue
                    assert p is x.node if x.node is not None else (isinstance(p, Constant) and p.handle() is x)
                    assert (p.shape, p.dtype, p.ndim) == (x.array.shape, x.array.dtype, x.array.ndim)
                    if kept:
                        assert isinstance(saved, graph.SAVED) and np.array_equal(saved, x.array, equal_nan=True)
                        assert isinstance(saved, np.generic) or saved is x.array
                        assert next(guards) is x.version
                    else:
                        assert saved is p
        break


def test_an_argument_that_no_rule_reads_may_be_written() -> None:
    """Of a product, the gradient of either factor is the other one."""
    for wanting in (0, 1):
        for _ in range(2):  # the second time the op knows already what it keeps
            factors = [torch.ones(2), torch.ones(2)]
            factors[wanting].requires_grad_()
            y = factors[0] * factors[1]
            rewritten(factors[wanting])
            y.sum().backward()
            assert factors[wanting].grad.tolist() == [1, 1]


@pytest.mark.parametrize("wanting", [0, 1])
@pytest.mark.parametrize(("a", "b"), [((2, 3), (5, 3, 4)), ((5, 2, 3), (3, 4)), ((1, 2, 3), (5, 3, 4))])
def test_a_matrix_that_was_broadcast_gets_a_gradient_of_its_own_shape(a: Any, b: Any, wanting: int) -> None:
    draw = np.random.default_rng(0)
    arrays = [draw.normal(size=a), draw.normal(size=b)]
    g = draw.normal(size=np.matmul(*arrays).shape)
    full = (g @ arrays[1].swapaxes(-1, -2), arrays[0].swapaxes(-1, -2) @ g)[wanting]
    shape = arrays[wanting].shape
    for _ in range(2):  # the second time the op knows already what it keeps
        xs = [wrap(x) for x in arrays]
        xs[wanting].requires_grad_()
        ops.bmm(*xs).backward(wrap(g))
        expected = full if full.shape == shape else full.sum(0).reshape(shape)
        np.testing.assert_allclose(xs[wanting].grad.numpy(), expected, strict=True)


# ------------------------------------------------------------------------------------------ the modes, on every way
def applications() -> dict[str, Any]:
    """One application of ops in each of the ways: of one, of two, of several, with views, numbers and casts."""
    return {
        "one": lambda x: torch.exp(x),
        "one, a view": lambda x: x.t(),
        "two tensors": lambda x: x * x,
        "a tensor and a float": lambda x: x * 2.0,
        "a tensor and an int": lambda x: x * 2,
        "a float and a tensor": lambda x: 2.0 * x,
        "an int and a tensor": lambda x: 2 - x,
        "two dtypes": lambda x: x * torch.ones(2, 2, dtype=torch.float64),
        "an array": lambda x: x * np.ones((2, 2), np.float32),
        "a scalar of NumPy": lambda x: x * np.float32(2),
        "several": lambda x: torch.nn.functional.linear(x, x),
        "several, variadic": lambda x: torch.cat([x, x]),
        "several results": lambda x: x.split(1)[-1],
        "an index": lambda x: x[0],
        "another dtype": lambda x: x.double(),
    }


@pytest.mark.parametrize("way", applications())
def test_modes_hold_on_every_way(way: str) -> None:
    apply = applications()[way]
    for scalar in (False, True):
        if scalar and not ("one" in way or "two" in way or " a" in way) or (scalar and "view" in way):
            continue
        x = torch.ones((), requires_grad=True) if scalar else torch.ones(2, 2, requires_grad=True)
        y = apply(x)
        assert y.requires_grad and not y.is_leaf and not y.inference and y.version[0] == 0
        assert isinstance(y.array, np.ndarray)
        assert not apply(x.detach()).requires_grad
        assert apply(torch.nn.Parameter(x.detach())).requires_grad
        with torch.no_grad():
            y = apply(x)
            assert y.is_leaf and y.requires_grad == y._is_view() and not y.inference and y.version[0] == 0
        with torch.inference_mode():
            y = apply(x)
            assert y.is_leaf and y.inference != y._is_view() and y.version[0] == 0
            assert apply(y.clone()).inference
        heard: list[str] = []
        with listen(Tape(lambda op, args, attrs, result, heard=heard: heard.append(op.name))):
            assert apply(x).requires_grad and heard
            assert apply(torch.nn.Parameter(x.detach())).requires_grad
        with Switch(scope=Scope(None, "Net", "Net")):
            assert str(apply(x).node.scope) == "Net"


@pytest.mark.parametrize("make", [lambda x: x.long(), lambda x: x.bool(), lambda x: x > 0, lambda x: x.isnan(),
                                  lambda x: torch.floor_divide(x, 2.0), lambda x: x // x, lambda x: x.argmax(0),
                                  lambda x: torch.cat([x.long(), x.long()])])  # fmt: skip
def test_what_has_no_gradient_leaves_no_vertex(make: Any) -> None:
    for listeners in ((), (Listener(),)):
        with Switch(listeners=listeners):
            y = make(torch.ones(2, 2, requires_grad=True))
        assert y.node is None and not y.requires_grad and y.is_leaf


@pytest.mark.parametrize("number", [2, -3, 2.5, 2**40, -(2**62)])
def test_a_number_meets_a_tensor_in_the_same_way_whether_anybody_listens_or_not(number: Any) -> None:
    for x in (torch.tensor(0.3), torch.tensor([0.3, 7.0], dtype=torch.float64), torch.nn.Parameter(torch.ones(2))):
        for apply in (
            lambda x: x * number,
            lambda x: number - x,
            lambda x: ops.maximum(number, x),
            lambda x: x > number,
        ):
            y = apply(x)
            with listen(Listener()):
                heard = apply(x)
            assert (y.tolist(), y.dtype) == (heard.tolist(), heard.dtype)


def test_views_share_the_version_of_their_storage_and_nothing_else_does() -> None:
    x = torch.ones(2, 2)
    row, turned = x[0], x.t()
    nested = turned[1]
    parts = x.split(1)
    with_views = [row, turned, nested, *parts, *x.unbind()]
    for view in with_views:
        assert view.version is x.version and view._base is x and view._is_view()
    for other in (x * 2, x.clone(), x.flip(0), x.sum(0), x[torch.tensor([0])], x.repeat(1, 2)):
        assert other.version is not x.version and other._base is None and not other._is_view()
        assert other.version == [0, 0]
    nested.add_(1)
    assert x.tolist() == [[1, 2], [1, 2]] and all(view._version == 1 for view in with_views)
    assert [op.name for op, _ in nested.path] == ["t", "select"] or len(nested.path) == 2
    assert [attrs["part"] for part in parts for _, attrs in part.path] == [0, 1]


def test_views_that_are_gone_are_forgotten() -> None:
    x = torch.zeros(4)
    kept = x[1:]
    for _ in range(3000):
        x[0:2]
    assert len(x.views) < 1100 and any(link() is kept for link in x.views)
    y = torch.zeros(4)
    held = [y[i:] for i in (0, 1, 2, 3) * 10]
    assert [link() for link in y.views] == held
    for _ in range(3000):
        y[0:2]
    assert len(y.views) < 1100 and [link() for link in y.views if link() is not None] == held


# ------------------------------------------------------------------------------------------ the short ways
def no_long_way(*args: Any, **kwargs: Any) -> Any:
    raise AssertionError("this is what the short way is to spare us")


@pytest.mark.parametrize("shape", [(2, 2), ()])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", [torch.nn.Parameter, lambda x: x], ids=["parameter", "tensor"])
def test_the_two_usual_dtypes_take_the_short_way(monkeypatch: Any, dtype: Any, shape: Any, kind: Any) -> None:
    x, c = torch.full(shape, 0.5, dtype=dtype, requires_grad=True), torch.full(shape, 0.25, dtype=dtype)
    x, row = kind(x), torch.full((2,), 0.125, dtype=dtype)

    def program() -> list[Any]:
        short = [ops.exp(x), ops.neg(x), ops.relu(x), ops.tanh(c)]
        short += [ops.mul(x, x), ops.add(x, c), ops.div(c, x), ops.sub(x, 2.0), ops.mul(3, x), ops.mul(x, 2)]
        if shape:
            short += [ops.linear(x, x), ops.linear(c, x, row)]
        return short

    expected = [y.tolist() for y in program()]  # and now every op knows what it keeps
    monkeypatch.setattr(calling, "apply", no_long_way)
    monkeypatch.setattr(calling, "apply_two", no_long_way)
    assert [y.tolist() for y in program()] == expected
    monkeypatch.setattr(calling, "vertex", no_long_way)
    ops.exp(x), ops.neg(x), ops.mul(x, x), ops.sub(x, 2.0), ops.mul(3, x)
    with pytest.raises(AssertionError):
        ops.linear(x, x)  # of several arguments, the record is made the general way


def test_all_else_takes_the_long_way_and_gives_what_pytorch_gives() -> None:
    whole, half = torch.tensor([4]), torch.tensor([4.0], dtype=torch.float16)
    assert torch.sqrt(whole).dtype is torch.float32 and torch.sqrt(half).dtype is torch.float16
    assert (whole * half).dtype is torch.float16 and (whole / whole).dtype is torch.float32
    assert (whole * 2.5).dtype is torch.float32 and (2.5 * whole).dtype is torch.float32
    assert (half * torch.ones(1)).dtype is torch.float32 and (half > whole).dtype is torch.bool
    assert (torch.ones(1) == 1).dtype is torch.bool


def test_dtypes_that_differ_meet_in_the_wider_one_and_each_gradient_has_its_own() -> None:
    narrow, wide = torch.ones(2, requires_grad=True), torch.ones(2, dtype=torch.float64, requires_grad=True)
    for product in (narrow * wide, wide * narrow):
        product.sum().backward()
        assert (product.dtype, narrow.grad.dtype, wide.grad.dtype) == (torch.float64, torch.float32, torch.float64)
    whole = torch.tensor([3])
    assert (narrow * whole).dtype is (whole * narrow).dtype is torch.float32
    assert (whole == torch.tensor([3.5])).tolist() == [False]
    assert (torch.tensor([2**53 + 1]) == torch.tensor([2**53])).tolist() == [False]
    for number in (np.float64(2), np.int64(2), np.array(2.0), True):
        assert ops.mul(number, narrow).dtype is ops.mul(narrow, number).dtype is torch.float32
    assert torch.exp(torch.tensor([1j])).dtype is torch.complex64


def test_an_op_of_three_arguments_meets_their_dtypes_as_one_of_two_does(monkeypatch: Any) -> None:
    monkeypatch.setattr(graph, "OPS", dict(graph.OPS))

    @calling.primitive("a + b c", lambda g, y, a, b, c: g, lambda g, y, a, b, c: g * c, lambda g, y, a, b, c: g * b,
                     elementwise=True, domain="promote")  # fmt: skip
    def fused(a: Any, b: Any, c: Any) -> Any:
        """a + b·c, in the dtype of a."""
        return (a + b * c).astype(np.result_type(a))

    whole, x = torch.tensor([1, 2]), torch.tensor([0.5, 0.25], requires_grad=True)
    y = fused(whole, x, torch.ones(2, dtype=torch.float64))
    assert y.dtype is torch.float64 and y.tolist() == [1.5, 2.25]
    y.sum().backward()
    assert x.grad.tolist() == [1, 1] and x.grad.dtype is torch.float32


@pytest.mark.parametrize("kind", [bool, int, complex])
def test_a_custom_op_whose_result_is_not_floating_leaves_no_vertex(monkeypatch: Any, kind: Any) -> None:
    monkeypatch.setattr(graph, "OPS", dict(graph.OPS))
    x = torch.ones(2, requires_grad=True)
    for count in (1, 3):
        convert = calling.primitive("", *[lambda g, *rest: g] * count)(lambda *xs: sum(xs).astype(kind))
        y = convert(*[x] * count)
        assert y.node is None and not y.requires_grad


def test_traits_are_given_by_name() -> None:
    for function in (calling.unary, calling.binary, graph.Op.__init__, engine.walk):
        parameters = inspect.signature(function).parameters
        traits = [n for n in ("domain", "elementwise", "view", "label", "doc", "retain", "create") if n in parameters]
        assert traits and all(parameters[n].kind is inspect.Parameter.KEYWORD_ONLY for n in traits)


# ------------------------------------------------------------------------------------------ what may meet
@pytest.mark.parametrize("number", [2**64, -(2**63) - 1, 2**65])
def test_an_integer_that_no_dtype_holds_is_refused(number: int) -> None:
    with pytest.raises(OverflowError, match="int too big to convert|can't convert negative int"):
        torch.ones(1, dtype=torch.int64) + number


@pytest.mark.parametrize(
    ("dtype", "number", "sum_"),
    [(torch.int64, 2**64 - 1, -1), (torch.int64, -(2**63), -(2**63)), (torch.uint8, 257, 1), (torch.int8, -129, 127)],
)
def test_an_integer_goes_round_in_its_dtype(dtype: Any, number: int, sum_: int) -> None:
    assert (torch.zeros(1, dtype=dtype) + number).tolist() == [sum_]


def test_what_is_no_tensor_and_no_number_is_refused_with_the_mend() -> None:
    assert ops.maximum(torch.ones(1), "1") is NotImplemented  # the other side may know how
    with pytest.raises(TypeError, match="wrap it in torch.tensor") as caught:
        calling.apply(ops.maximum.op, (torch.ones(1), "1"), {})
    assert "maximum(): argument must be Tensor or Number, not str" in str(caught.value)
    with pytest.raises(RuntimeError, match="reshape, unsqueeze or expand one of them") as caught:
        torch.ones(2) + torch.ones(3)
    assert "The size of tensor a (2) must match the size of tensor b (3)" in str(caught.value)
    with pytest.raises(ValueError) as refused:
        ops.mm(torch.ones(2, 3), torch.ones(2, 3))
    assert "reshape, unsqueeze" not in str(refused.value) and "mm" in str(refused.value)
    with pytest.raises(ValueError, match=r"where\(bool\[2\], float32\[3\], float32\[4\]\)"):
        ops.where(torch.ones(2) > 0, torch.ones(3), torch.ones(4))
    with pytest.raises(TypeError, match=r"bitwise_not\(float32\[1\]\)"):
        ops.bitwise_not(torch.ones(1))


def test_what_an_op_does_not_know_is_left_to_the_other_side() -> None:
    class Lazy:
        def __rmatmul__(self, other: Any) -> str:
            return "a lazy product"

        __rmul__ = __rmatmul__

    assert torch.ones(2, 2) @ Lazy() == torch.ones(2) * Lazy() == "a lazy product"
    assert ops.mv(torch.ones(2, 2), Lazy()) is NotImplemented


def test_an_array_may_stand_on_either_side() -> None:
    x, a = torch.ones(2, requires_grad=True), np.array([0.0, 3.0], np.float32)
    for y in (ops.maximum(a, x), ops.maximum(x, a), ops.logaddexp(a, x), ops.atan2(x, a)):
        assert isinstance(y, Tensor) and y.requires_grad and y.dtype is torch.float32


def test_what_numpy_refuses_of_one_argument_is_said_in_its_words() -> None:
    with pytest.raises(ValueError, match="Integers to negative integer powers are not allowed") as caught:
        ops.power(torch.tensor([2]), n=-1)
    assert "power(int64[1])" in str(caught.value)


def test_numbers_and_arrays_become_what_the_op_can_record() -> None:
    x = torch.ones(2, requires_grad=True)
    y = ops.where(np.array([True, False]), x, np.float32(3))
    assert y.tolist() == [1, 3]
    assert isinstance(y.node.parents[0], Constant) and y.node.parents[2] == 3 and type(y.node.parents[2]) is float
    y.sum().backward()
    assert x.grad.tolist() == [1, 0]
    z = ops.where(np.array([True, False]), x, x)
    assert z.tolist() == [1, 1] and isinstance(z.node.parents[0], Constant)


# ------------------------------------------------------------------------------------------ vertices, leaves, symbols
def test_notes_of_a_vertex() -> None:
    node = (torch.ones(1, requires_grad=True) * 2).grad_fn
    assert node.extra is None and node.note("hooks") is None and node.note("hooks", 3) == 3
    node.set_note("line", 1)
    node.set_note("scope", 2)
    assert (node.note("line"), node.note("scope"), node.note("other", "none")) == (1, 2, "none")


def test_a_leaf_and_its_tensor_do_not_keep_each_other_alive() -> None:
    x = torch.ones(2, 3, requires_grad=True)
    node, link = x.node, weakref.ref(x)
    assert isinstance(node, Leaf) and node.handle() is x and node.value is x.array and node.version is x.version
    assert (node.shape, node.ndim, node.dtype, node.parents) == ((2, 3), 2, np.float32, ())
    assert node.name() == "torch::autograd::AccumulateGrad" and node.next_functions == ()
    del x
    assert link() is None and node.handle() is None


def test_next_functions_name_the_vertices_that_receive_a_gradient() -> None:
    x = torch.ones(1, requires_grad=True)
    assert (x * 2).grad_fn.next_functions == ((x.node, 0), (None, 0))
    assert (torch.ones(1) * x).grad_fn.next_functions == ((None, 0), (x.node, 0))


def test_symbols_have_the_shape_and_dtype_of_what_they_stand_for() -> None:
    a, b = Symbol("a", (2, 3), np.dtype(np.float32)), Symbol("b", (3,), np.dtype(np.float64))
    for s, shape, dtype in [
        (a, (2, 3), np.float32), (a + b, (2, 3), np.float64), (ops.sum(a, axis=(0,)), (3,), np.float32),
        (-b, (3,), np.float64), (a > 0, (2, 3), bool), (a @ Symbol("c", (3, 4)), (2, 4), np.float64),
        (Symbol("s", ()), (), np.float64), (2 / b, (3,), np.float64), (Symbol("n"), (), np.float64),
    ]:  # fmt: skip
        assert (s.shape, s.dtype, s.ndim) == (shape, dtype, len(shape))
    assert (
        (a * b + a).leaves() == [a, b]
        and ops.cat(b, a, b, axis=0, edges=(0, 1, 2, 3)).leaves() == [b, a]
        and (a * 2).leaves() == [a]
    )
    assert a.leaves() == [a]


@pytest.mark.parametrize("word", ["+", "-", "*", "/", "**", "@", "<", "<=", ">", ">="])
def test_operators_of_symbols_apply_the_ops_in_the_order_written(word: str) -> None:
    a, b = Symbol("a", (2, 2)), Symbol("b", (2, 2))
    names = dict(zip(["+", "-", "*", "/", "**", "@", "<", "<=", ">", ">="],
                     ["add", "sub", "mul", "div", "pow", "mm", "lt", "le", "gt", "ge"], strict=True))  # fmt: skip
    s = eval(f"a {word} b", {"a": a, "b": b})
    assert s.op is graph.OPS[names[word]] and s.args == (a, b)
    if word in ("+", "-", "*", "/", "**"):
        s = eval(f"2 {word} b", {"b": b})
        assert s.op is graph.OPS[names[word]] and s.args == (2, b)


def test_an_op_reads_to_whatever_comes() -> None:
    assert ops.mul(np.array([2.0]), 3).tolist() == [6.0] and ops.exp(0.0) == 1.0
    s = Symbol("s", (2,))
    assert ops.exp(s).args == (s,) and ops.mul(2, s).args == (2, s) and ops.mul(s, 2).op.name == "mul"
    assert repr(ops.mul.op) == "<op mul>" and ops.mul.__name__ == ops.mul.__qualname__ == "mul"
    assert ops.sum.__doc__ == ops.sum.op.doc == "y = Σ a."


# ------------------------------------------------------------------------------------------ several results
def test_results_of_one_op_are_picked_from_one_vertex() -> None:
    x = torch.arange(6.0).requires_grad_()
    parts = x.split([1, 2, 3])
    masters = {part.node.parents[0] for part in parts}
    (master,) = masters
    assert master.note("shapes") == ((1,), (2,), (3,)) and master.op.name == "split"
    for i, part in enumerate(parts):
        node = part.node
        assert node.attrs == {"part": i} and node.shape == part.array.shape and node.dtype == part.array.dtype
        assert node.name() == "SplitWithSizesBackward0" and node.args == (None, master) and node.guards == ()
        assert node.born > master.born
    (parts[0].sum() + 2 * parts[2].sum()).backward()
    assert x.grad.tolist() == [1, 0, 0, 2, 2, 2]
    loose = torch.arange(4.0).split(2)
    assert [p.node for p in loose] == [None, None]


def test_a_rule_of_an_op_with_several_results_reads_the_first(monkeypatch: Any) -> None:
    monkeypatch.setattr(graph, "OPS", dict(graph.OPS))

    def rule(g: Any, y: Any, a: Any) -> Any:
        assert y.shape == (1,)
        return ops.cat(g[0] * y, g[1], axis=0, edges=(0, 1, 3))

    op = graph.Op("behead", lambda a: (a[:1] ** 2 / 2, a[1:].copy()), (rule,))
    x = torch.tensor([3.0, 1.0, 1.0], requires_grad=True)
    head, tail = calling.bundle(op, (x,), {})
    (head * 2 + tail.sum()).backward()
    assert x.grad.tolist() == [9, 1, 1]


# ------------------------------------------------------------------------------------------ modes and scopes
def test_a_scope_says_where_it_is() -> None:
    net = Scope(None, "", "Net")
    layer = Scope(Scope(net, "rest", "Sequential"), "1", "Linear")
    assert layer.path() == (("", "Net"), ("rest", "Sequential"), ("1", "Linear"))
    assert (str(net), str(Scope(None, "head", "Net")), str(layer)) == ("Net", "Net", "rest.1 (Linear)")
    assert str(Scope(net, "fc", "Linear")) == "fc (Linear)" and str(Scope(Scope(None, "n", "N"), "", "L")) == "n (L)"


def test_a_mode_but_for_something() -> None:
    plain = Mode()
    assert (plain.grad, plain.inference, plain.scope, plain.listeners) == (True, False, None, ())
    changed = plain.but(grad=False)
    assert (changed.grad, changed.inference, plain.grad) == (False, False, True)
    scope = Scope(None, "", "Net")
    assert changed.but(scope=scope).scope is scope and not changed.but(scope=scope).grad


def test_switches_restore_what_was_before() -> None:
    before = current()
    with torch.no_grad():
        assert not torch.is_grad_enabled() and not torch.is_inference_mode_enabled()
        with torch.enable_grad():
            assert torch.is_grad_enabled()
        assert not torch.is_grad_enabled()
    with torch.inference_mode():
        assert torch.is_inference_mode_enabled() and not torch.is_grad_enabled()
        with torch.inference_mode(False):
            assert not torch.is_inference_mode_enabled() and torch.is_grad_enabled()
    switch = torch.no_grad()
    with pytest.raises(KeyError), switch:
        raise KeyError
    assert current() is before
    with torch.set_grad_enabled(False):
        assert not torch.is_grad_enabled()
    assert torch.is_grad_enabled() and current() is before
    switch = torch.set_grad_enabled(False)
    assert not torch.is_grad_enabled()
    with switch:
        assert not torch.is_grad_enabled()
    assert torch.is_grad_enabled()


@pytest.mark.parametrize("decorator", [torch.no_grad, torch.no_grad(), torch.inference_mode, torch.inference_mode()])
def test_modes_decorate_with_and_without_brackets(decorator: Any) -> None:
    @decorator
    def silent(x: Any, *, times: int = 1) -> Any:
        """Words."""
        return x * times, torch.is_inference_mode_enabled()

    y, inference = silent(torch.ones(1, requires_grad=True), times=3)
    assert y.item() == 3 and not y.requires_grad and silent.__name__ == "silent" and silent.__doc__ == "Words."
    assert inference == y.inference == ("inference" in getattr(decorator, "__name__", type(decorator).__name__))


def test_enable_grad_decorates_too() -> None:
    @torch.enable_grad
    def loud(x: Any) -> Any:
        return x * 2

    with torch.no_grad():
        assert loud(torch.ones(1, requires_grad=True)).requires_grad
        assert not torch.is_grad_enabled()
