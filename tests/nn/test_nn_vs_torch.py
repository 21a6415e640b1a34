"""`nn` against PyTorch where tests/nn/test_modules_vs_torch.py does not reach: init, functions, containers."""

from __future__ import annotations

import inspect
import math
import sys
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_pt as G

T = pytest.importorskip("torch")


def both(act: Any) -> tuple[Any, Any]:
    """What `act(torch)` gives here and there: a value or an error's type and first line; and warnings."""
    found = []
    for torch in (G, T):
        torch.manual_seed(0)
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            try:
                value = act(torch)
            except Exception as e:
                lines = [line for line in str(e.args[0]).split("\n") if not line.startswith("  ")]
                value = (type(e).__name__, "\n".join(lines))
        spoken = [(w.category.__name__, str(w.message)) for w in seen if w.category is not RuntimeWarning]  # NumPy's
        found.append((plain(value), spoken))
    return found[0], found[1]


def plain(value: Any) -> Any:
    """Tensors as lists, so that two libraries compare."""
    if hasattr(value, "detach"):
        return np.asarray(value.detach().numpy(), np.float64).tolist(), str(value.dtype)
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value


def agree(act: Any) -> None:
    ours, theirs = both(act)
    assert ours == theirs


def close(act: Any, tolerance: float = 2e-6) -> None:
    """`act(torch)` gives tensors or None, alike here and there, warnings included."""
    ours, theirs = both(act)
    assert ours[1] == theirs[1]
    compare(ours[0], theirs[0], tolerance)


def compare(a: Any, b: Any, tolerance: float) -> None:
    if isinstance(b, float):
        assert a == pytest.approx(b, rel=tolerance * 10, abs=tolerance, nan_ok=True)
    elif isinstance(b, (list, tuple)):
        assert isinstance(a, (list, tuple)) and len(a) == len(b), (a, b)
        for x, y in zip(a, b, strict=True):
            compare(x, y, tolerance)
    else:
        assert a == b


# ------------------------------------------------------------------------------------ initial weights
@given(n=st.integers(1, 40), m=st.integers(1, 40), bias=st.booleans(), seed=st.integers(0, 2**32))
def test_linear_starts_with_the_same_bits(n: int, m: int, bias: bool, seed: int) -> None:
    layers = []
    for torch in (G, T):
        torch.manual_seed(seed)
        layers.append(torch.nn.Sequential(torch.nn.Linear(n, m, bias=bias), torch.nn.Linear(m, 3)))
    for (name, p), (name_, q) in zip(*(layer.named_parameters() for layer in layers), strict=True):
        assert name == name_ and np.array_equal(p.detach().numpy(), q.detach().numpy())


INITS = [
    lambda i, w: i.uniform_(w, -1, 2),
    lambda i, w: i.normal_(w, 1.0, 2.0),
    lambda i, w: i.constant_(w, 3.5),
    lambda i, w: i.ones_(w),
    lambda i, w: i.zeros_(w),
    lambda i, w: i.eye_(w),
    lambda i, w: i.xavier_uniform_(w, 1.5),
    lambda i, w: i.xavier_normal_(w),
    lambda i, w: i.kaiming_uniform_(w, a=math.sqrt(5)),
    lambda i, w: i.kaiming_normal_(w, mode="fan_out", nonlinearity="relu"),
    lambda i, w: i.sparse_(w, 0.3),
    lambda i, w: i.trunc_normal_(w),
    lambda i, w: i.trunc_normal_(w, 0, 1, 0.2, 3.0),
]


@pytest.mark.parametrize("fill", INITS)
@given(rows=st.integers(1, 30), columns=st.integers(1, 30))
@settings(max_examples=15)
def test_init_fills_with_the_same_bits(fill: Any, rows: int, columns: int) -> None:
    agree(lambda torch: fill(torch.nn.init, torch.empty(rows, columns, requires_grad=True)))


def test_init_of_other_ranks_and_rare_intervals() -> None:
    close(lambda torch: torch.nn.init.trunc_normal_(torch.empty(50), 0, 1, 2.0, 5.0), 1e-5)
    close(lambda torch: torch.nn.init.orthogonal_(torch.empty(7, 5)), 1e-5)
    close(lambda torch: torch.nn.init.orthogonal_(torch.empty(3, 2, 4), gain=2), 1e-5)
    agree(lambda torch: torch.nn.init.dirac_(torch.empty(4, 2, 3, 3), 2))
    agree(lambda torch: torch.nn.init.dirac_(torch.empty(4, 2, 5)))
    agree(lambda torch: torch.nn.init.kaiming_uniform_(torch.empty(4, 2, 3, 3)))


@pytest.mark.parametrize(
    "act",
    [
        lambda i, torch: [
            i.calculate_gain(n) for n in ("linear", "conv2d", "sigmoid", "tanh", "relu", "leaky_relu", "selu")
        ],
        lambda i, torch: i.calculate_gain("leaky_relu", 0.2),
        lambda i, torch: i.calculate_gain("leaky_relu", "x"),
        lambda i, torch: i.calculate_gain("foo"),
        lambda i, torch: i.xavier_uniform_(torch.empty(3)),
        lambda i, torch: i.kaiming_uniform_(torch.empty(3, 2), mode="fan"),
        lambda i, torch: i.kaiming_normal_(torch.empty(0, 2)),
        lambda i, torch: i.eye_(torch.empty(2)),
        lambda i, torch: i.dirac_(torch.empty(2)),
        lambda i, torch: i.dirac_(torch.empty(3, 2, 2), 2),
        lambda i, torch: i.orthogonal_(torch.empty(2)),
        lambda i, torch: i.sparse_(torch.empty(2), 0.1),
        lambda i, torch: i.trunc_normal_(torch.empty(3), 9.0)[:0],
    ],
)
def test_init_says_the_same(act: Any) -> None:
    agree(lambda torch: act(torch.nn.init, torch))


# ------------------------------------------------------------------------------------ names
def test_functional_exports_the_functions_that_pytorch_has_and_no_helper() -> None:
    rooms = [room for name, room in sys.modules.items() if name.startswith(G.nn.functional.__name__ + ".")]
    assert len(rooms) > 5
    for room in rooms:
        for name, thing in vars(room).items():
            if inspect.isfunction(thing) and thing.__module__ == room.__name__ and not name.startswith("_"):
                assert hasattr(T.nn.functional, name) == hasattr(G.nn.functional, name), name


# ------------------------------------------------------------------------------------ layers
@given(
    shape=st.lists(st.integers(0, 4), min_size=0, max_size=3),
    features=st.integers(1, 4),
    kind=st.sampled_from(["float32", "float64", "int64"]),
    bias=st.booleans(),
)
def test_linear_takes_and_refuses_the_same(shape: list[int], features: int, kind: str, bias: bool) -> None:
    def act(torch: Any) -> Any:
        x = torch.ones(*shape, features, dtype=getattr(torch, kind))
        return torch.nn.Linear(3, 2, bias=bias)(x)

    ours, theirs = both(act)
    if isinstance(theirs[0][0], str):  # an error: PyTorch's words for vectors and for dtypes depend on its backend
        assert ours[0][0] == theirs[0][0] == "RuntimeError"
        if len(shape) >= 1 and kind == "float32":
            assert ours == theirs
    else:
        compare(ours[0], theirs[0], 1e-6)


# ------------------------------------------------------------------------------------ losses
options = st.fixed_dictionaries(
    {
        "shape": st.sampled_from([(4,), (5, 4), (2, 4, 3), (2, 4, 2, 2)]),
        "probabilities": st.booleans(),
        "weight": st.booleans(),
        "reduction": st.sampled_from(["none", "mean", "sum"]),
        "label_smoothing": st.sampled_from([0.0, 0.1, 1.0]),
        "ignore_index": st.sampled_from([-100, 1]),
        "ignored": st.sampled_from(["no", "some", "all"]),
        "seed": st.integers(0, 9),
    }
)


@given(o=options)
@settings(max_examples=150)
def test_cross_entropy_over_all_options(o: dict[str, Any]) -> None:
    def act(torch: Any) -> Any:
        torch.manual_seed(o["seed"])
        shape = o["shape"]
        x = torch.randn(shape).requires_grad_()
        axis = 0 if len(shape) == 1 else 1
        lead = () if len(shape) == 1 else (shape[0], *shape[2:])
        if o["probabilities"]:
            target = torch.softmax(torch.randn(shape), axis)
        else:
            target = torch.randint(0, 4, lead)
            if o["ignored"] == "all" or (o["ignored"] == "some" and not lead):
                target = torch.full(lead, o["ignore_index"], dtype=torch.int64)
            elif o["ignored"] == "some":
                target[0] = o["ignore_index"]
        weight = torch.tensor([1.0, 0.5, 2.0, 3.0]) if o["weight"] else None
        loss = torch.nn.functional.cross_entropy(
            x,
            target,
            weight,
            reduction=o["reduction"],
            label_smoothing=o["label_smoothing"],
            ignore_index=o["ignore_index"],
        )
        (g,) = torch.autograd.grad(loss.sum(), x, create_graph=True)
        (h,) = torch.autograd.grad((g * g).sum(), x)
        return [loss, g, h]

    close(act, 1e-5)


def test_what_only_the_functions_can() -> None:
    def act(torch: Any) -> Any:
        f = torch.nn.functional
        a, b = (torch.randn(4, 3, requires_grad=True) for _ in range(2))
        losses = [
            f.gaussian_nll_loss(a, b, 0.5),
            f.mse_loss(a, b, weight=torch.rand(4, 3)),
            f.l1_loss(a, b, weight=torch.rand(4, 3), reduction="sum"),
            f.huber_loss(a, b, weight=torch.rand(4, 3)),
            f.normalize(a).sum(),
        ]
        total = sum(losses)
        return [*losses, *torch.autograd.grad(total, (a, b))]

    close(act, 2e-5)


SAYINGS = [
    lambda t, f: f.cross_entropy(t.zeros(3, 4), t.tensor([1, 0, 4]), weight=t.ones(4)),
    lambda t, f: f.mse_loss(t.zeros(3), t.zeros(3, 1)),
    lambda t, f: f.mse_loss(t.zeros(3), t.zeros(2)),
    lambda t, f: f.mse_loss(t.zeros(3), t.zeros(3).double()),
    lambda t, f: f.mse_loss(t.zeros(3), t.zeros(3), size_average=False),
    lambda t, f: f.l1_loss(t.zeros(3), t.zeros(3), reduce=False),
    lambda t, f: f.binary_cross_entropy(t.tensor([0.5, 0.5]), t.tensor([[1.0], [0.0]])),
    lambda t, f: f.softmax(t.tensor([1.0, 2.0])),
    lambda t, f: f.log_softmax(t.ones(2, 2)),
    lambda t, f: f.softmax(t.tensor([1, 2]), 0),
    lambda t, f: f.dropout(t.ones(3), 1.5),
    lambda t, f: f.dropout(t.ones(4), p=0.5, training=False),
    lambda t, f: f.one_hot(t.tensor([0, 2])),
    lambda t, f: f.one_hot(t.tensor([0.0, 2.0])),
    lambda t, f: f.triplet_margin_loss(t.ones(3), t.ones(3), t.ones(3), margin=0),
    lambda t, f: f.pad(t.arange(6.0).reshape(1, 2, 3), (1, 2), mode="reflect"),
    lambda t, f: f.pad(t.arange(6.0).reshape(1, 2, 3), (1, 2), mode="circular"),
    lambda t, f: f.pad(t.arange(6.0).reshape(1, 2, 3), (1, 2), mode="replicate"),
    lambda t, f: f.pad(t.arange(6.0).reshape(2, 3), (1, 2, 0, 1), value=7.0),
    lambda t, f: t.nn.Parameter(t.tensor([1, 2])),
    lambda t, f: t.nn.Module()(1),
    lambda t, f: t.nn.Module(3),
    lambda t, f: t.nn.Module(a=3),
]


@pytest.mark.parametrize("act", SAYINGS)
def test_says_the_same(act: Any) -> None:
    close(lambda torch: act(torch, torch.nn.functional))


@pytest.mark.parametrize(
    "act",
    [
        lambda f, a, b: f.mse_loss(a, b),
        lambda f, a, b: f.binary_cross_entropy(a, b),
        lambda f, a, b: f.huber_loss(a, b),
        lambda f, a, b: f.smooth_l1_loss(a, b),
        lambda f, a, b: f.binary_cross_entropy_with_logits(a, b),
        lambda f, a, b: f.cross_entropy(a, b[:, 0].long()),
        lambda f, a, b: f.linear(a, b, b[0]),
        lambda f, a, b: f.dropout(a),
    ],
)
def test_vertices_bear_pytorchs_names(act: Any) -> None:
    def name(torch: Any) -> str:
        y = act(torch.nn.functional, torch.full((2, 2), 0.5, requires_grad=True), torch.ones(2, 2))
        return str(y.grad_fn).split(" ")[0].strip("<>")

    agree(name)


# ------------------------------------------------------------------------------------ modules
def net(torch: Any) -> Any:
    nn = torch.nn

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(nn.Linear(2, 3), nn.ReLU(inplace=True), nn.Sequential(nn.Dropout(), nn.Tanh()))
            self.list = nn.ModuleList([nn.Linear(1, 1), nn.Linear(1, 1), nn.ReLU()])
            self.dict = nn.ModuleDict({"a": nn.Linear(1, 1), "b": nn.Sequential()})
            self.params = nn.ParameterList([torch.zeros(2, 3), nn.Parameter(torch.ones(1))])
            self.named = nn.ParameterDict({"w": torch.zeros(1)})
            self.register_buffer("mean", torch.zeros(2))
            self.register_buffer("hidden", torch.zeros(2), persistent=False)
            self.scale = nn.Parameter(torch.ones(()))
            self.empty = None

        def extra_repr(self) -> str:
            return "two\nlines"

    return Net()


@pytest.mark.parametrize(
    "act",
    [
        lambda t, m: repr(m),
        lambda t, m: repr(m.list) + repr(m.params) + repr(m.named) + repr(t.nn.ModuleList()),
        lambda t, m: list(m.state_dict()),
        lambda t, m: sorted(m.state_dict()._metadata.items()),
        lambda t, m: (
            [n for n, _ in m.named_modules()] + [n for n, _ in m.named_parameters()] + [n for n, _ in m.named_buffers()]
        ),
        lambda t, m: [n for n, _ in m.named_children()] + [type(c).__name__ for c in m.children()],
        lambda t, m: [(n, p.requires_grad) for n, p in m.named_parameters(prefix="x", recurse=False)],
        lambda t, m: repr(m.load_state_dict(m.state_dict())),
        lambda t, m: m.load_state_dict({}),
        lambda t, m: m.load_state_dict({"mean": t.zeros(3), "x": t.zeros(1), "body.0.weight": 3}),
        lambda t, m: repr(m.load_state_dict({"scale": t.zeros(()), "x": t.zeros(1)}, strict=False)),
        lambda t, m: m.load_state_dict({"scale": t.zeros(3)}, strict=False),
        lambda t, m: m.load_state_dict(3),
        lambda t, m: m.foo,
        lambda t, m: setattr(m, "scale", t.zeros(1)),
        lambda t, m: setattr(m, "scale", 3),
        lambda t, m: setattr(m, "body", 3),
        lambda t, m: setattr(m, "mean", 3),
        lambda t, m: (setattr(m, "scale", None), list(m.state_dict()))[1],
        lambda t, m: (setattr(m, "mean", t.nn.Identity()), list(m.state_dict()))[1],
        lambda t, m: (delattr(m, "body"), list(m.state_dict()))[1],
        lambda t, m: delattr(m, "nothing"),
        lambda t, m: m.register_buffer("scale", t.zeros(1)),
        lambda t, m: m.register_buffer("a.b", t.zeros(1)),
        lambda t, m: m.register_buffer("", t.zeros(1)),
        lambda t, m: m.register_buffer("q", 3),
        lambda t, m: m.register_buffer(3, None),
        lambda t, m: m.register_parameter("w", t.zeros(1)),
        lambda t, m: m.register_parameter("mean", t.nn.Parameter(t.zeros(1))),
        lambda t, m: m.register_parameter("a.b", None),
        lambda t, m: m.register_parameter("", None),
        lambda t, m: m.add_module("a.b", t.nn.ReLU()),
        lambda t, m: m.add_module("", t.nn.ReLU()),
        lambda t, m: m.add_module("train", t.nn.ReLU()),
        lambda t, m: m.add_module("w", 3),
        lambda t, m: m.train(3),
        lambda t, m: [m.train() is m, m.eval().body[2].training, m.zero_grad(), m.requires_grad_(False) is m],
        lambda t, m: str(m.get_submodule("body.2.1")),
        lambda t, m: m.get_submodule("body.9"),
        lambda t, m: m.get_submodule("scale"),
        lambda t, m: m.get_parameter("body.0.bias"),
        lambda t, m: m.get_parameter("mean"),
        lambda t, m: m.get_buffer("mean"),
        lambda t, m: m.get_buffer("scale"),
        lambda t, m: [str(p.dtype) for p in m.double().state_dict().values()],
        lambda t, m: m.to(t.int64),
        lambda t, m: repr(m.body[1:]) + repr(m.body[-1]) + repr(m.body + m.body) + repr(m.body * 2),
        lambda t, m: m.body[7],
        lambda t, m: m.body + 3,
        lambda t, m: repr(m.body.append(t.nn.Tanh()).insert(0, t.nn.Identity()).extend([t.nn.ReLU()])),
        lambda t, m: [m.body.pop(1), repr(m.body)][1],
        lambda t, m: [
            m.list.insert(0, t.nn.Tanh()),
            repr(m.list.append(t.nn.Tanh())),
            repr(m.list[1:]),
            repr(m.list + m.list),
        ],
        lambda t, m: m.list.extend(3),
        lambda t, m: m.dict.update(3),
        lambda t, m: m.dict.update([3]),
        lambda t, m: [list(m.dict.keys()), "a" in m.dict, len(m.dict), repr(m.dict.pop("a")), list(m.dict)],
        lambda t, m: [
            len(m.params.append(t.ones(1))),
            repr(m.params),
            len(m.params[1:]),
            repr(m.params[1:]),
            repr(t.nn.ParameterList([3, t.ones(1)])),
        ],
        lambda t, m: [m.named.update({"v": t.ones(2)}), list(m.named.keys()), repr(m.named | {"u": t.ones(1)})],
        lambda t, m: repr(t.nn.ParameterDict({"a": 3})) + repr(t.nn.ParameterDict()) + repr(t.nn.ParameterList()),
        lambda t, m: [n for n in dir(m) if n in ("scale", "mean", "body", "forward", "0", "train")],
        lambda t, m: [t.nn.utils.parameters_to_vector(m.parameters()).shape[0]],
    ],
)
def test_modules_behave_and_speak_the_same(act: Any) -> None:
    agree(lambda torch: act(torch, net(torch)))


@given(
    values=st.lists(st.floats(-50, 50, width=32), min_size=3, max_size=3),
    bound=st.floats(0.1, 10),
    p=st.sampled_from([1, 2, 3.0, math.inf]),
)
def test_clipping(values: list[float], bound: float, p: float) -> None:
    def act(torch: Any) -> Any:
        a, b = torch.nn.Parameter(torch.zeros(2)), torch.nn.Parameter(torch.zeros(1))
        a.grad, b.grad = torch.tensor(values[:2]), torch.tensor(values[2:])
        total = torch.nn.utils.clip_grad_norm_([a, b], bound, p)
        first = [total, a.grad.clone(), b.grad.clone()]
        torch.nn.utils.clip_grad_value_([a, b], 0.5)
        return [*first, a.grad, b.grad]

    close(act, 1e-5)


def test_clipping_says_the_same() -> None:
    def act(torch: Any) -> Any:
        p = torch.nn.Parameter(torch.zeros(2))
        p.grad = torch.tensor([float("nan"), 1.0])
        return torch.nn.utils.clip_grad_norm_([p], 1.0, error_if_nonfinite=True)

    agree(act)
    agree(lambda torch: torch.nn.utils.clip_grad_norm_((p for p in ()), 1.0))
    agree(lambda torch: torch.nn.utils.vector_to_parameters(3, []))


def test_backward_hooks_see_the_same() -> None:
    def act(torch: Any) -> Any:
        seen: list[Any] = []
        m = torch.nn.Linear(2, 3)
        m.register_full_backward_hook(lambda mod, gi, go: seen.append([*gi, *go]))
        m.register_full_backward_pre_hook(lambda mod, go: (go[0] * 2,))
        m.register_full_backward_hook(lambda mod, gi, go: None if gi[0] is None else (gi[0] * 3,))
        x = torch.ones(1, 2, requires_grad=True)
        m(x).sum().backward()
        m(torch.ones(1, 2)).sum().backward()
        return [seen, x.grad, m.weight.grad]

    close(act)


def test_a_training_run_prints_the_same_losses() -> None:
    def act(torch: Any) -> Any:
        nn = torch.nn
        model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 3))
        x, t = torch.randn(32, 4), torch.randint(0, 3, (32,))
        losses = []
        for _ in range(50):
            loss = nn.CrossEntropyLoss(label_smoothing=0.05)(model(x), t)
            model.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            with torch.no_grad():
                for p in model.parameters():
                    p -= 0.5 * p.grad
            losses.append(f"{loss.item():.4f}")
        return losses

    agree(act)
