"""The laws every module keeps, each one test, multiplied over the rows of the table."""

from __future__ import annotations

import copy
import importlib
import inspect
import pkgutil
import warnings
from typing import Any

import numpy as np
import pytest

import tinygrad_pt as torch
from tests.nn.table import ABSTRACT, BASES, PUBLIC, ROWS, Case, Row, build, tensor
from tinygrad_pt import nn
from tinygrad_pt.modes import current
from tinygrad_pt.testing import gradcheck, gradgradcheck

EVERY = list(ROWS.values())
CALLED = [row for row in EVERY if row.reference]
# settings with laws of their own; the last two are old names
SHARED = (
    "device",
    "dtype",
    "inplace",
    "size_average",
    "reduce",
    "min_value",
    "max_value",
    "return_indices",
    "padding_mode",
)
NO_HALVES = ("AvgPool3d", "LPPool3d")  # nor does PyTorch take them there
ONE_RANK = (  # the inputs of the cases have one number of axes
    "BatchNorm2d", "BatchNorm3d", "CrossMapLRN2d", "EmbeddingBag", "UpsamplingBilinear2d", "UpsamplingNearest2d",
)  # fmt: skip
FLOATS = (np.float16, np.float32, np.float64)


def over(rows: list[Row]) -> Any:
    return pytest.mark.parametrize("row", rows, ids=lambda row: row.name)


class Parent(nn.Module):
    """A module around another, so that there is a path."""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, *xs: Any) -> Any:
        return self.layer(*xs)


def call(row: Row, m: Any, *xs: Any) -> Any:
    with warnings.catch_warnings():
        if row.warns:
            warnings.simplefilter("ignore", UserWarning)
        return m(*xs)


def tensors(row: Row, inputs: list[Any], dtype: Any = np.float64) -> list[Any]:
    """The inputs as tensors; those that have a gradient as leaves."""
    return leaves(row, [tensor(torch, x, dtype) for x in inputs])


def leaves(row: Row, xs: list[Any]) -> list[Any]:
    return [x.requires_grad_() if x.is_floating_point() and i not in row.constant else x for i, x in enumerate(xs)]


def arrays(m: Any) -> dict[str, Any]:
    """A module's state, copied."""
    return {name: np.array(t.array) for name, t in m.state_dict().items()}


def gradients(row: Row, m: Any, xs: list[Any]) -> list[Any]:
    """The value, and the gradients of Σ seed·value with respect to inputs and parameters."""
    y = call(row, m, *xs)
    wanted = [x for x in (*xs, *m.parameters()) if x.requires_grad]
    seed = np.random.default_rng(5).uniform(0.5, 1.5, y.shape)
    found = torch.autograd.grad(y, wanted, tensor(torch, seed, y.array.dtype)) if y.requires_grad else ()
    return [y.array, *(g.array for g in found)]


def same(a: Any, b: Any) -> None:
    for x, y in zip(a, b, strict=True):
        np.testing.assert_array_equal(x, y)


# ------------------------------------------------------------------------------------------ the table is whole
def test_every_module_has_a_row() -> None:
    assert set(PUBLIC) - ABSTRACT == set(ROWS), "a public module of nn without a row in tests/nn/table.py"


def test_every_module_is_public() -> None:
    files = [importlib.import_module(f"tinygrad_pt.nn.{file.name}") for file in pkgutil.iter_modules(nn.__path__)]
    kinds = {
        name
        for file in files
        for name, thing in vars(file).items()
        if inspect.isclass(thing) and issubclass(thing, nn.Module) and thing.__module__ == file.__name__
    }
    assert kinds == set(PUBLIC) | BASES, "a module that tinygrad_pt/nn/__init__.py does not import"


@over(EVERY)
def test_the_docstring_has_an_example(row: Row) -> None:
    assert f"torch.nn.{row.name}" in (row.kind.__doc__ or "")


@over(EVERY)
def test_every_setting_is_tried(row: Row) -> None:
    """The cases, refusals or edges give every argument of the constructor a value other than its default."""
    parameters = inspect.signature(row.kind).parameters.values()
    settings = [thing.settings for thing in (*row.cases, *row.edges, *row.wrong)]
    for p in parameters:
        if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) or p.name in SHARED:
            continue
        tried = [s[p.name] for s in settings if p.name in s]
        assert any(v is not p.default and not (v == p.default if np.isscalar(v) else False) for v in tried), p.name


@over(CALLED)
def test_every_kind_of_shape_is_tried(row: Row) -> None:
    shapes = [case.shapes[0] for case in row.cases]
    assert any(0 in s for s in shapes) and any(1 in s for s in shapes)
    assert len({len(s) for s in shapes}) > (row.name not in ONE_RANK)


# ------------------------------------------------------------------------------------------ values
@over(CALLED)
def test_value_is_the_formula(row: Row) -> None:
    for dtype, tolerance in ((np.float64, 1e-11), (np.float32, 2e-5)):
        for case, inputs in row.samples():
            m = build(torch, row, case.settings, dtype)
            y = call(row, m, *tensors(row, inputs, dtype))
            state = {k: v.astype(np.float64) for k, v in arrays(m).items()}
            rounded = [x.astype(dtype).astype(np.float64) if x.dtype.kind == "f" else x for x in inputs]
            expected = row.expected(case, rounded, state)
            assert y.array.shape == np.shape(expected), case
            np.testing.assert_allclose(y.array, expected, rtol=tolerance, atol=tolerance, err_msg=str(case))


@over(CALLED)
def test_dtype_is_kept(row: Row) -> None:
    for dtype in FLOATS[row.name in NO_HALVES :]:
        for case, inputs in row.samples():
            m = build(torch, row, case.settings, dtype)
            found = gradients(row, m, tensors(row, inputs, dtype))
            assert all(x.dtype == dtype for x in found), case


@over(CALLED)
def test_layout_of_memory_does_not_matter(row: Row) -> None:
    def turned(x: Any) -> Any:
        return np.array(x, order="F")

    def spread(x: Any) -> Any:
        return np.repeat(x, 2, -1)[..., ::2] if x.ndim else x

    def backwards(x: Any) -> Any:
        return np.asarray(np.flip(np.flip(x).copy()))

    def repeated(x: Any) -> Any:
        return np.broadcast_to(x[:1], x.shape) if x.ndim and x.size else x

    for case, inputs in row.samples():
        m = build(torch, row, case.settings)
        for layout in (turned, spread, backwards, repeated):
            moved = [layout(x) for x in inputs]
            even = gradients(row, m, tensors(row, [np.array(x) for x in moved]))
            xs = [
                torch.from_numpy(x) if x.flags.writeable else tensor(torch, x[:1]).expand(x.shape).detach()
                for x in moved
            ]
            xs = leaves(row, xs)
            for a, b in zip(gradients(row, m, xs), even, strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)


# ------------------------------------------------------------------------------------------ gradients
def functional(row: Row, case: Case, inputs: list[Any]) -> tuple[Any, list[Any]]:
    """The module as a function of its inputs with a gradient and its parameters, and where to evaluate it."""
    m = build(torch, row, case.settings)
    xs = [tensor(torch, x) for x in inputs]
    varied = [i for i in range(len(xs)) if i not in row.constant]
    named = [(m.get_submodule(path.rpartition(".")[0]), path.rpartition(".")[2]) for path, _ in m.named_parameters()]
    n = len(varied)

    def f(*args: Any) -> Any:
        for (owner, name), t in zip(named, args[n:], strict=True):
            owner._parameters[name] = t
        given = dict(zip(varied, args, strict=False))
        return call(row, m, *(given.get(i, x) for i, x in enumerate(xs)))

    f.__name__ = row.name
    return f, [*(xs[i] for i in varied), *(p.detach().clone() for p in m.parameters())]


@over(CALLED)
def test_gradient_is_the_numerical_gradient(row: Row) -> None:
    for case, inputs in row.samples():
        f, at = functional(row, case, inputs)
        report = gradcheck(f, *at)
        assert report.verdict == "pass", f"{case}\n{report}"


@over(CALLED)
def test_second_derivative_is_the_numerical_one(row: Row) -> None:
    for case, inputs in row.samples():
        f, at = functional(row, case, inputs)
        report = gradgradcheck(f, *at)
        assert report.ok, f"{case}\n{report}"


@over([row for row in CALLED if row.edges])
def test_edges(row: Row) -> None:
    for edge in row.edges:
        m = build(torch, row, edge.settings)
        xs = tensors(row, [np.asarray(x) for x in edge.inputs])
        y = call(row, m, *xs)
        np.testing.assert_allclose(y.array, np.asarray(edge.value, float), rtol=1e-8, err_msg=str(edge.settings))
        if edge.grads:
            y.sum().backward()
        for x, expected in zip(xs, edge.grads, strict=False):
            if expected is None:
                continue
            wanted = np.array([0 if v is None else v for v in np.ravel(np.array(expected, object))], float)
            mask = np.array([v is not None for v in np.ravel(np.array(expected, object))], bool)
            found = x.grad.array.ravel()[mask]
            np.testing.assert_allclose(found, wanted[mask], rtol=1e-7, atol=1e-15, err_msg=str(edge.settings))


# ------------------------------------------------------------------------------------------ what is left alone
@over(CALLED)
def test_a_call_changes_neither_the_module_nor_its_inputs(row: Row) -> None:
    for case, inputs in row.samples():
        m = build(torch, row, case.settings)
        xs = tensors(row, inputs)
        before, names = arrays(m), {n for n in vars(m) if n != "_entered"}
        versions = [t._version for t in m.parameters()]
        gradients(row, m, xs)
        assert {n for n in vars(m) if n != "_entered"} == names and current().scope is None
        same(arrays(m).values(), before.values())
        same([x.array for x in xs], inputs)
        assert not any(x._version for x in xs) and [t._version for t in m.parameters()] == versions
        assert all(t.grad is None for t in (*xs, *m.parameters()) if t.is_leaf)


@over([row for row in EVERY if row.wrong])
def test_what_is_wrong_is_refused_with_an_address_and_changes_nothing(row: Row) -> None:
    for wrong in row.wrong:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if wrong.inputs is None:
                with pytest.raises(wrong.error) as caught:
                    build(torch, row, wrong.settings, np.float32)
                assert str(caught.value.args[0]).split("\n")[0] == wrong.words
                continue
            m = Parent(build(torch, row, wrong.settings, np.float32))
            xs = [tensor(torch, x, np.float32) for x in wrong.inputs]
            before, inputs = arrays(m), [np.array(x.array) for x in xs]
            with pytest.raises(wrong.error) as caught:
                m(*xs)
        text = "\n".join([str(caught.value.args[0]), *getattr(caught.value, "__notes__", ())])
        assert text.split("\n")[0] == wrong.words
        where = "layer.0 (Linear)" if row.name == "Sequential" else f"layer ({row.name})"
        assert text.count("  module: ") == 1 and f"  module: {where}" in text, text
        assert current().scope is None
        same(arrays(m).values(), before.values())
        same([x.array for x in xs], inputs)
        assert all(x._version == 0 for x in xs)


@over([row for row in CALLED if row.name not in ("Identity", "Sequential")])
def test_what_is_no_tensor_is_refused(row: Row) -> None:
    case, inputs = row.samples()[0]
    m, xs = build(torch, row, case.settings), tensors(row, inputs)
    for i in range(len(xs)):
        for wrong in (None, inputs[i], inputs[i].tolist()):
            name = rf"(numpy\.)?{type(wrong).__name__}"
            words = rf"must be (a )?Tensor, not {name}|invalid combination of arguments - got \(.*{name}"
            with pytest.raises(TypeError, match=words):
                call(row, m, *xs[:i], wrong, *xs[i + 1 :])


@over(CALLED)
def test_no_graph_is_made_where_none_is_wanted(row: Row) -> None:
    case, inputs = row.samples()[0]
    m = build(torch, row, case.settings)
    with torch.no_grad():
        y = call(row, m, *(xs := tensors(row, inputs)))
        assert not y.requires_grad or y is xs[0] or y._base is xs[0]  # a view of what requires grad does so, too
    m.requires_grad_(False)
    assert not call(row, m, *(tensor(torch, x) for x in inputs)).requires_grad
    assert call(row, m, *(xs := tensors(row, inputs))).requires_grad == any(x.requires_grad for x in xs)


# ------------------------------------------------------------------------------------------ state
def modules(row: Row) -> list[Any]:
    """One module for each choice of settings."""
    seen: list[Any] = []
    for case in row.cases:
        if not any(case.settings is s for s in seen):
            seen.append(case.settings)
    return [build(torch, row, s) for s in seen]


def disturbed(m: Any) -> Any:
    """The module with other values in all that it keeps."""
    with torch.no_grad():
        for t in m.state_dict().values():
            t.mul_(-0.5).add_(0.25) if t.is_floating_point() else t.add_(3)
    return m


@over(EVERY)
def test_state_travels(row: Row) -> None:
    for m, other in zip(modules(row), map(disturbed, modules(row)), strict=True):
        kept = list(other.parameters())
        assert repr(other.load_state_dict(m.state_dict())) == "<All keys matched successfully>"
        same(arrays(other).values(), arrays(m).values())
        assert all(p is q for p, q in zip(other.parameters(), kept, strict=True))
        disturbed(other)
        for name, t in m.state_dict().items():
            assert not np.shares_memory(t.array, other.state_dict()[name].array)


@over(EVERY)
def test_loading_is_all_or_nothing(row: Row) -> None:
    for m in modules(row):
        before = arrays(m)
        good = disturbed(copy.deepcopy(m)).state_dict()
        bad = {"unexpected": {**good, "nobody": torch.ones(1)}}
        if good:
            first, last = list(good)[0], list(good)[-1]
            bad["missing"] = {k: v for k, v in good.items() if k != first}  # older states lack num_batches_tracked
            bad["size mismatch"] = {**good, last: torch.zeros(7, 7)}
            bad["expected torch.Tensor"] = {**good, last: "a word"}
        for words, state in bad.items():
            with pytest.raises(RuntimeError) as caught:
                m.load_state_dict(state)
            assert words in str(caught.value).lower() or words in str(caught.value)
            same(arrays(m).values(), before.values())


@over(EVERY)
def test_a_deep_copy_goes_its_own_way(row: Row) -> None:
    for m in modules(row):
        twin = copy.deepcopy(m)
        before = arrays(m)
        assert type(twin) is type(m) and repr(twin) == repr(m) and twin.training == m.training
        same(arrays(twin).values(), before.values())
        assert [p.requires_grad for p in twin.parameters()] == [p.requires_grad for p in m.parameters()]
        disturbed(twin)
        same(arrays(m).values(), before.values())
        assert not {id(t) for t in (*m.modules(), *m.parameters())} & {
            id(t) for t in (*twin.modules(), *twin.parameters())
        }


@over(EVERY)
def test_parameters_are_found_once(row: Row) -> None:
    for m in modules(row):
        found = list(m.parameters())
        assert len({id(p) for p in found}) == len(found) and all(p.is_leaf and p.requires_grad for p in found)
        twice = nn.ModuleList([m, Parent(m)])
        assert [id(p) for p in twice.parameters()] == [id(p) for p in found]
        assert len(twice.state_dict()) == 2 * len(m.state_dict())


@over(EVERY)
def test_conversion_reaches_all_and_keeps_the_objects(row: Row) -> None:
    for m in modules(row):
        kept, seen = list(m.parameters()), []
        assert m.apply(seen.append) is m and set(map(id, seen)) == set(map(id, m.modules())) and seen[-1] is m
        for convert, dtype in (
            (nn.Module.half, torch.float16), (nn.Module.float, torch.float32), (nn.Module.double, torch.float64),
            (lambda m: m.to(torch.float32), torch.float32), (lambda m: m.to(torch.zeros(1).double()), torch.float64),
        ):  # fmt: skip
            assert convert(m) is m
            floats = [*m.parameters(), *(b for b in m.buffers() if b.is_floating_point())]
            assert all(t.dtype is dtype for t in floats)
        assert all(p is q for p, q in zip(m.parameters(), kept, strict=True))


@over(EVERY)
def test_training_and_evaluation(row: Row) -> None:
    for m in modules(row):
        assert m.train() is m and all(c.training for c in m.modules())
        assert m.eval() is m and not any(c.training for c in m.modules())
    if row.reference and not row.random:
        for case, inputs in row.samples():
            m, xs = build(torch, row, case.settings), tensors(row, inputs)
            torch.manual_seed(0)
            same([call(row, m.train(), *xs).array], [call(row, m.eval(), *xs).array])
            drawn = torch.rand(1).item()
            torch.manual_seed(0)
            assert torch.rand(1).item() == drawn, "a module that is not random has drawn random numbers"


@over([row for row in EVERY if row.draws])
def test_dropout_draws_as_often_as_it_says(row: Row) -> None:
    """Each draw is 0 or 1/(1 - p), shared by a whole channel; the gradient is the mask; all is drawn anew each time."""
    torch.manual_seed(1)
    assert row.draws is not None
    for case, inputs in row.samples():
        ndim, p = inputs[0].ndim, row.settings(case)["p"]
        shape = tuple(7 if i < row.draws(ndim) else 3 for i in range(ndim))
        m = build(torch, row, case.settings).train()
        masks = []
        for _ in range(400 if ndim == 0 else 12):
            x = torch.ones(shape, dtype=torch.float64, requires_grad=True)
            y = call(row, m, x)
            masks.append(y.detach().numpy())
            y.sum().backward()
            same([x.grad.array], [masks[-1]])
        mask = np.stack(masks)
        assert set(np.unique(mask)) <= {0.0, 1 / (1 - p) if p < 1 else 0.0}
        lead = (..., *(slice(0, 1),) * (ndim - row.draws(ndim)))
        assert (mask == mask[lead]).all(), "elements of one channel were drawn apart"
        drawn = mask[lead] != 0
        assert abs(drawn.mean() - (1 - p)) < 5 * (p * (1 - p) / drawn.size) ** 0.5 + 1e-12
        for axis in range(row.draws(ndim) + 1) if 0 < p < 1 else ():
            assert (drawn.max(axis) != drawn.min(axis)).any(), "what should be drawn apart was drawn together"


@over([row for row in EVERY if row.bound])
def test_weights_begin_uniform_within_their_bound(row: Row) -> None:
    torch.manual_seed(1)
    for case in row.cases:
        assert row.bound is not None
        modules = [build(torch, row, case.settings) for _ in range(60)]
        values = np.concatenate([p.detach().numpy().ravel() for m in modules for p in m.parameters()])
        bound = row.bound(case.settings)
        assert np.abs(values).max() <= bound and np.abs(values).max() > 0.95 * bound
        assert abs(values.mean()) < 0.15 * bound and abs(values.std() - bound / 3**0.5) < 0.1 * bound


# ------------------------------------------------------------------------------------------ settings many share
@over([row for row in CALLED if "inplace" in inspect.signature(row.kind).parameters])
def test_in_place_is_the_same_in_its_input(row: Row) -> None:
    for case, inputs in row.samples():
        m, writes = build(torch, row, case.settings), build(torch, row, case.settings | {"inplace": True})
        results = []
        for module in (m.train(), writes.train()):
            torch.manual_seed(3)
            (x,) = tensors(row, inputs)
            given = x * 1
            y = call(row, module, given)
            assert (y is given) == (module is writes or (row.random and y is given))
            if module is writes and inputs[0].size:
                same([given.array], [y.array])
            results.append([y.array, *(g.array for g in torch.autograd.grad(y.sum(), (x, *module.parameters())))])
        same(*results)


@over([row for row in CALLED if "reduce" in inspect.signature(row.kind).parameters])
def test_the_flags_of_old_mean_a_reduction(row: Row) -> None:
    case, inputs = row.samples()[0]
    for flags, reduction in (
        ({"reduce": False}, "none"), ({"size_average": False}, "sum"), ({"reduce": True}, "mean"),
        ({"size_average": False, "reduce": False}, "none"), ({"size_average": True, "reduce": True}, "mean"),
    ):  # fmt: skip
        with pytest.warns(UserWarning, match=f"please use reduction='{reduction}' instead"):
            m = build(torch, row, flags)
        assert m.reduction == reduction
        new = build(torch, row, {"reduction": reduction})
        same([call(row, m, *tensors(row, inputs)).array], [call(row, new, *tensors(row, inputs)).array])


@over([row for row in EVERY if "dtype" in inspect.signature(row.kind).parameters])
def test_dtype_and_device_of_the_constructor(row: Row) -> None:
    for dtype in (torch.float16, torch.float32, torch.float64):
        m = row.kind(**row.cases[0].settings, dtype=dtype, device="cpu")
        assert all(p.dtype is dtype for p in m.parameters())
    with pytest.raises(AssertionError, match="Torch not compiled with CUDA enabled"):
        row.kind(**row.cases[0].settings, device="cuda")
