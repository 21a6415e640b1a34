"""Wrong calls of functions, modules, loaders and optimizers: PyTorch's refusals, types and texts."""

from __future__ import annotations

import itertools
import math
import re
import warnings
from collections.abc import Callable
from typing import Any

import pytest

import tinygrad_pt

torch = pytest.importorskip("torch")


def F(m: Any) -> Any:
    return m.nn.functional


def D(m: Any) -> Any:
    return m.utils.data


def calls(t: Callable[..., None]) -> None:
    """Tell `t` a name and a function of a library, for each call."""
    for a, b, c in [
        ((2, 3), (2, 3), (3,)),
        ((2, 3), (2, 3), (2, 1)),
        ((3,), (3,), (1,)),
        ((2, 3), (2, 4), (2,)),
        ((2, 3), (3,), (2,)),
        ((2, 2, 3), (2, 2, 3), (2,)),
        ((2, 2, 3), (2, 2, 3), (2, 2)),
        ((3,), (3,), ()),
        ((2, 3), (2, 3), ()),
        ((), (), ()),
    ]:
        t(
            f"cosine_embedding {a}{b}{c}",
            lambda m, a=a, b=b, c=c: F(m).cosine_embedding_loss(m.ones(a), m.ones(b), m.ones(c)),
        )
    pools = [(kind, n) for kind in ("max", "avg") for n in (1, 2, 3)]
    shapes = ((2, 2, 9, 9, 9), (0, 9, 9, 9), (1, 2, 0, 3, 4), (0, 1, 49, 50), (3,), ())
    kernels = [{}, {"padding": -1}, {"padding": 4}, {"kernel_size": 3, "padding": 3}, {"stride": 0}, {"stride": -1},
               {"kernel_size": 0}, {"kernel_size": -1}, {"padding": 1}]  # fmt: skip
    spread = [{"dilation": 0}, {"padding": 1, "dilation": 3}, {"padding": -1, "return_indices": True}]
    for (kind, n), shape in itertools.product(pools, shapes):
        for how in kernels + (spread if kind == "max" else []):
            size, how = shape[: n + 2], {"kernel_size": 2, "stride": 50} | how
            name = f"{kind}_pool{n}d"
            t(f"{name} {shape} {how}", lambda m, a=(name, size, how): getattr(F(m), a[0])(m.ones(a[1]), **a[2]))
    for a, b in [
        ((4, 3), (5,)),
        ((4, 3), (4,)),
        ((4, 3), (4, 2)),
        ((4, 3), ()),
        ((3,), (4,)),
        ((), ()),
        ((4, 3, 2), (5, 3, 2)),
        ((4, 3, 2), (4, 3)),
        ((4, 3, 2), (4, 2)),
        ((4, 3, 2, 2), (5, 2, 2)),
        ((4, 3, 2, 2), (4, 2, 3)),
    ]:
        for floating in (True, False):

            def loss(m: Any, a: Any = a, b: Any = b, floating: bool = floating) -> Any:
                return F(m).cross_entropy(m.ones(a), m.ones(b) if floating else m.ones(b).long())

            t(f"cross_entropy {a}{b} {floating}", loss)
    for a, b, c in [
        ((3, 3), (3,), (3,)),
        ((3,), (2,), (3,)),
        ((3, 3), (4,), (5, 3)),
        ((3, 3), (2,), (3, 3)),
        ((2, 3, 3), (3,), (3, 3)),
        ((2, 3, 3), (2, 3), (3, 3)),
        ((2, 3, 3), (1, 3), (2, 3, 3)),
        ((2, 3, 3), (2, 3), (1, 3, 3)),
    ]:
        for left in (True, False):
            t(
                f"ormqr {a}{b}{c} {left}",
                lambda m, a=a, b=b, c=c, left=left: m.ormqr(m.ones(a), m.ones(b), m.ones(c), left),
            )
    t("ormqr long", lambda m: m.ormqr(*(m.ones(size).long() for size in ((3, 3), 3, (3, 3)))))
    t("ormqr dtypes", lambda m: m.ormqr(m.ones(3, 3), m.ones(3).double(), m.ones(3, 3)))
    for cut in ("hsplit", "vsplit", "dsplit"):
        for pieces in ("abc", 2.0, [2.0], ["a"]):
            t(f"{cut} {pieces}", lambda m, a=(cut, pieces): getattr(m, a[0])(m.ones(4, 4, 4), a[1]))
    for size, where in [
        ((5, 5), (2, 0, 2)),
        ((5, 5), (-3, 0, 2)),
        ((9,), (0, 3, -1)),
        ((9,), (0, -3, -1)),
        ((), (3, 2, 0)),
    ]:
        t(f"narrow_copy {size} {where}", lambda m, a=(size, where): m.narrow_copy(m.ones(a[0]), *a[1]))
    for bound in ("max", "min"):
        for value in (None, "a"):
            t(f"clamp_{bound} {value}", lambda m, a=(bound, value): getattr(m, f"clamp_{a[0]}")(m.ones(3), a[1]))
            t(f"clamp {bound} {value}", lambda m, a=(bound, value): m.clamp(m.ones(3), **{a[0]: a[1]}))
    for mode in ("circular", "reflect", "replicate"):
        for shape, widths in [
            ((1, 2, 3), (4, 0)),
            ((1, 2, 3), (3, 0)),
            ((1, 2, 3), (0, 7)),
            ((1, 2, 3), (-4, 0)),
            ((2, 3), (1, 1)),
            ((2, 3, 4, 5), (1, 1, 1, 1)),
            ((1, 2, 3), (1,)),
            ((1, 2, 3), (1, 1, 1, 1)),
            ((0, 2, 3), (1, 1)),
        ]:
            t(
                f"pad {mode} {shape} {widths}",
                lambda m, shape=shape, widths=widths, mode=mode: F(m).pad(m.ones(shape), widths, mode=mode),
            )
    t("pad const -", lambda m: F(m).pad(m.ones(3), (-4, 0)))
    t("pad const odd", lambda m: F(m).pad(m.ones(3), (1,)))
    t("pad many", lambda m: F(m).pad(m.ones(3), (1, 1, 1, 1)))
    t("pad float", lambda m: F(m).pad(m.ones(3), (1.5, 1)))
    t("pad str", lambda m: F(m).pad(m.ones(3), "x"))
    t("pad mode", lambda m: F(m).pad(m.ones(1, 3), (1, 1), mode="banana"))
    t("pad int dtype", lambda m: F(m).pad(m.ones(1, 3, dtype=m.int64), (1, 1), mode="reflect"))
    t("logspace -1", lambda m: m.logspace(0, 1, -1))
    t("linspace -1", lambda m: m.linspace(0, 1, -1))
    t("arange inf", lambda m: m.arange(math.inf))
    t("arange nan", lambda m: m.arange(math.nan))
    t("arange -inf", lambda m: m.arange(0, -math.inf, -1))
    t("arange 1e20", lambda m: m.arange(1e30))
    t("arange str", lambda m: m.arange("a"))
    t("arange step0", lambda m: m.arange(0, 5, 0))
    t("zeros huge", lambda m: m.zeros(2**40, 2**40))
    t("zeros big", lambda m: m.zeros(2**45))
    t("zeros neg", lambda m: m.zeros(-1))
    t("eye neg", lambda m: m.eye(-1))
    t("rand neg", lambda m: m.rand(-2))
    t("ones huge", lambda m: m.ones(2**62))
    t("empty huge", lambda m: m.empty(2**63 - 1))
    t("full neg", lambda m: m.full((-1,), 0.0))
    t("randperm neg", lambda m: m.randperm(-1))
    t("randint bad", lambda m: m.randint(5, 5, (2,)))
    t("expand huge add", lambda m: m.ones(1).expand(2**45) + 1)
    t("repeat huge", lambda m: m.ones(4).repeat(2**60))
    t("tile huge", lambda m: m.ones(4).tile(2**60))
    t("reshape neg", lambda m: m.ones(4).reshape(-2))
    t("repeat neg", lambda m: m.ones(4).repeat(-1))
    t("bincount neg", lambda m: m.bincount(m.tensor([-1])))
    t("bincount float", lambda m: m.bincount(m.tensor([1.0])))
    t("bincount 2d", lambda m: m.bincount(m.ones(2, 2, dtype=m.int64)))
    t("bincount w", lambda m: m.bincount(m.tensor([1]), m.ones(2)))
    t("bincount minl", lambda m: m.bincount(m.tensor([1]), minlength=-1))
    t("bincount huge", lambda m: m.bincount(m.tensor([2**60])))
    t("hstack []", lambda m: m.hstack([]))
    t("hstack int", lambda m: m.hstack([1]))
    t("hstack shape", lambda m: m.hstack([m.ones(2, 2), m.ones(3, 2)]))
    t("hstack tensor", lambda m: m.hstack(m.ones(2, 2)))
    t("vstack shape", lambda m: m.vstack([m.ones(2, 2), m.ones(2, 3)]))
    t("cat []", lambda m: m.cat([]))
    t("stack []", lambda m: m.stack([]))
    t("cat dim", lambda m: m.cat([m.ones(2)], 3))
    t("cat 0d", lambda m: m.cat([m.tensor(1.0)]))
    t("cat None", lambda m: m.cat([None]))
    t("cat mixed", lambda m: m.cat([m.ones(2), 3]))
    t("roll", lambda m: m.ones(3).roll(1, 5))
    t("roll2", lambda m: m.ones(3).roll((1, 2), 0))
    t("roll f", lambda m: m.ones(3).roll(1.5))
    t("roll ()", lambda m: m.ones(3).roll(()))
    t("movedim", lambda m: m.ones(2, 3).movedim(0, 5))
    t("movedim2", lambda m: m.ones(2, 3).movedim((0, 0), (0, 1)))
    t("narrow", lambda m: m.ones(3).narrow(0, True, 1))
    t("narrow2", lambda m: m.ones(3).narrow(0, 4, 1))
    t("narrow3", lambda m: m.ones(3).narrow(0, 0, -1))
    t("narrow4", lambda m: m.ones(3).narrow(0, 2, 2))
    t("narrow5", lambda m: m.ones(3).narrow(0, 1.5, 1))
    t("narrow6", lambda m: m.ones(3).narrow(True, 0, 1))
    t("fliplr", lambda m: m.ones(3).fliplr())
    t("flipud", lambda m: m.tensor(1.0).flipud())
    t("flip dup", lambda m: m.ones(3).flip(0, 0))
    t("flip f", lambda m: m.ones(3).flip(1.5))
    t("index_add", lambda m: m.zeros(3, 2).index_add(0, m.tensor([0, 1]), m.ones(2, 3)))
    t("index_add2", lambda m: m.zeros(3, 2).index_add(0, m.tensor([0, 1]), m.ones(3, 2)))
    t("meshgrid", lambda m: m.meshgrid(m.ones(2, 2), indexing="ij"))
    t("addcdiv int", lambda m: m.addcdiv(m.tensor([1]), m.tensor([1]), m.tensor([2])))
    t("lerp", lambda m: m.lerp(m.ones(2), m.ones(2).double(), 0.5))
    t("prelu", lambda m: F(m).prelu(m.ones(2, 3), m.ones(2, 2)))
    t(
        "hook ()",
        lambda m: [k := m.nn.Linear(2, 2), k.register_forward_pre_hook(lambda mod, i: ()), k(m.ones(1, 2))][-1],
    )
    t(
        "hook None",
        lambda m: [k := m.nn.Linear(2, 2), k.register_forward_pre_hook(lambda mod, i: 3), k(m.ones(1, 2))][-1],
    )
    t("module()", lambda m: m.nn.Linear(2, 2)())
    t("module kw", lambda m: m.nn.Linear(2, 2)(m.ones(1, 2), foo=1))
    t("Sequential 2", lambda m: m.nn.Sequential(m.nn.ReLU())(m.ones(1), 2))
    t("Linear str", lambda m: m.nn.Linear("a", 2))
    t("Linear neg", lambda m: m.nn.Linear(-1, 2))
    t("Linear float", lambda m: m.nn.Linear(2.5, 2))
    t("Dropout", lambda m: m.nn.Dropout(1.5))
    t("Flatten", lambda m: m.nn.Flatten(0, 5)(m.ones(2, 2)))
    t("Softmax", lambda m: m.nn.Softmax(3)(m.ones(2, 2)))
    t("Softmax None", lambda m: m.nn.Softmax("x")(m.ones(2, 2)))
    t("Embedding", lambda m: m.nn.Bilinear(2, 2, 3)(m.ones(2, 3), m.ones(2, 2)))
    t("Linear shape", lambda m: m.nn.Linear(3, 2)(m.ones(2, 2)))
    t("Linear dtype", lambda m: m.nn.Linear(3, 2)(m.ones(2, 3).double()))
    t("Linear int", lambda m: m.nn.Linear(3, 2)(m.ones(2, 3, dtype=m.int64)))
    t("PReLU huge", lambda m: m.nn.PReLU(2**62))
    t("Linear huge", lambda m: m.nn.Linear(2**40, 2**40))
    t("ModuleList", lambda m: m.nn.ModuleList([m.nn.ReLU()])[3])
    t("ModuleDict", lambda m: m.nn.ModuleDict({"a": m.nn.ReLU()})["b"])
    t("ParameterList", lambda m: m.nn.ParameterList([m.ones(2)])[5])
    t("loader bs", lambda m: D(m).DataLoader([1, 2], batch_size=0))
    t("loader bs-", lambda m: D(m).DataLoader([1, 2], batch_size=-1))
    t("loader bsf", lambda m: D(m).DataLoader([1, 2], batch_size=1.5))
    t("loader nw", lambda m: D(m).DataLoader([1, 2], num_workers=-1))
    t("loader timeout", lambda m: D(m).DataLoader([1, 2], timeout=-1))
    t("loader s+sh", lambda m: D(m).DataLoader([1, 2], shuffle=True, sampler=[0]))
    t("loader bsampler", lambda m: D(m).DataLoader([1, 2], batch_sampler=[[0]], batch_size=3))
    t("loader drop", lambda m: D(m).DataLoader([1, 2], batch_size=None, drop_last=True))
    t("TensorDataset", lambda m: D(m).TensorDataset(m.ones(2), m.ones(3)))
    t("random_split", lambda m: D(m).random_split([1, 2, 3], [1, 1]))
    t("random_split2", lambda m: D(m).random_split([1, 2, 3], [0.5, 0.6]))
    t("RandomSampler", lambda m: D(m).RandomSampler([1], replacement="x"))
    t("RandomSampler n", lambda m: D(m).RandomSampler([1], num_samples=-1))
    t("RandomSampler 0", lambda m: D(m).RandomSampler([]))
    t("BatchSampler", lambda m: D(m).BatchSampler([0], 0, False))
    t("BatchSampler2", lambda m: D(m).BatchSampler([0], 1, "x"))
    t("Weighted", lambda m: D(m).WeightedRandomSampler([1.0], 0))
    t("Weighted2", lambda m: D(m).WeightedRandomSampler([1.0], 1, "x"))
    t("Subset", lambda m: D(m).Subset([1, 2], [5])[0])
    t("Concat", lambda m: D(m).ConcatDataset([]))
    t("collate", lambda m: D(m).default_collate([m.ones(2), m.ones(3)]))
    t("collate obj", lambda m: D(m).default_collate([object()]))
    t("collate []", lambda m: D(m).default_collate([]))
    t("iter dict", lambda m: list(D(m).DataLoader(object())))
    for o in ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad"):

        def make(m, given=None, o=o, **kw):
            return getattr(m.optim, o)([m.nn.Parameter(m.ones(2))] if given is None else given, **kw)

        for kw in (
            dict(lr=-1),
            dict(lr="x"),
            dict(lr=None),
            dict(weight_decay=-1),
            dict(eps=-1),
            dict(momentum=-1),
            dict(betas=(1.0, 0.9)),
            dict(betas=(0.9,)),
            dict(betas=0.9),
            dict(lr=float("nan")),
            dict(foo=1),
            dict(nesterov=True),
            dict(alpha=-1),
            dict(lr_decay=-1),
        ):
            t(f"{o} {kw}", lambda m, kw=kw, make=make: make(m, **kw))
        t(f"{o} of nothing", lambda m, make=make: make(m, []))
        t(f"{o} of a tensor", lambda m, make=make: make(m, m.ones(2)))
        t(f"{o} of a number", lambda m, make=make: make(m, [1]))
        t(f"{o} of a result", lambda m, make=make: make(m, [m.ones(2, requires_grad=True) * 2]))
        t(f"{o} of a text", lambda m, make=make: make(m, "ab"))
        t(f"{o} of a group", lambda m, make=make: make(m, [{}]))
        t(f"{o} loads", lambda m, make=make: make(m).load_state_dict({"state": {}, "param_groups": []}))
        t(f"{o} adds", lambda m, make=make: make(m).add_param_group(3))
        t(f"{o} steps", lambda m, make=make: make(m).step(3))


CALLS: dict[str, Callable[[Any], Any]] = {}
calls(CALLS.setdefault)


def answer(call: Callable[[Any], Any], library: Any) -> tuple[str, str]:
    """The type of the exception and the first line of its text; "" if there is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            call(library)
        except Exception as error:
            return type(error).__name__, (str(error).splitlines() or [""])[0]
    return "", ""


# Python's own words, the position of an argument, which differs for methods, and the machine's about its memory
SPOKEN = re.compile(
    r" *\(Could this error message be improved.*\)|\(position \d+\)|got \(.*\)|got:.*|not supported between|"
    r"must be a number|must be a pair"
)
OWN = re.compile(r"alloc_cpu|failed to unpack|not supported between|tuple index out of range|is not subscriptable")


@pytest.mark.parametrize("name", CALLS)
def test_wrong_calls_are_refused_as_by_pytorch(name: str) -> None:
    (theirs, text), (ours, own) = (answer(CALLS[name], library) for library in (torch, tinygrad_pt))
    assert ours == theirs, f"{own!r} instead of {text!r}"
    if not OWN.search(text):
        assert SPOKEN.sub("", own) == SPOKEN.sub("", text)
