"""A derivation says what the engine computes: its paths add up to the gradient, its texts to its numbers."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import tinygrad_pt as torch
from tests.blocks import run as run_page
from tests.viz.test_mathematics import check_latex, check_mathml
from tests.viz.test_numpy_source import run, same_bits
from tinygrad_pt import nn, viz
from tinygrad_pt.debugging.replay import Boxes
from tinygrad_pt.models import MLP
from tinygrad_pt.testing import strategies as some

Leaf = Any


def leaf(value: float) -> Leaf:
    return torch.tensor(value, dtype=torch.float64, requires_grad=True)


def neuron(**names: str) -> tuple[Any, dict[str, Any]]:
    """The lecture's neuron, with a quadratic cost."""
    w, b = leaf(0.5), leaf(0.25)
    x, t = torch.tensor(2.0, dtype=torch.float64), torch.tensor(1.0, dtype=torch.float64)
    net = w * x + b
    o = torch.sigmoid(net)
    E = 0.5 * (o - t) ** 2
    return E, {"w": w, "b": b, "x": x, "t": t, "net": net, "o": o, "E": E}


# ------------------------------------------------------------------------------------------ golden texts
NEURON = """\
net = w·x + b = 1.25
o   = σ(net) ≈ 0.7773
E   = 0.5·(o − t)² ≈ 0.0248

∂E/∂w = ∂E/∂o · ∂o/∂net · ∂net/∂w

∂E/∂o   = o − t ≈ −0.2227
∂o/∂net = o·(1 − o) ≈ 0.1731
∂net/∂w = x = 2

∂E/∂w ≈ (−0.2227) · 0.1731 · 2
      ≈ −0.0771"""


def test_the_lectures_chain_rule() -> None:
    E, names = neuron()
    found = viz.derive(E, names["w"], names)
    assert found.text == NEURON
    assert found.paths[0].names == ("E", "o", "net", "w")
    assert math.isclose(found.value, -0.0771009202, rel_tol=1e-8)
    (check,) = found.check()
    assert math.isclose(check.numerical, found.value, rel_tol=1e-7)


def test_portuguese_writes_a_decimal_comma() -> None:
    E, names = neuron()
    found = viz.derive(E, names["w"], names, lang="pt")
    assert found.text == NEURON.replace(".", ",")
    assert r"\approx 0{,}7773" in found.latex and "<mn>0,7773</mn>" in found.mathml


def test_in_full_every_op_stands_there_and_uses_are_told_apart() -> None:
    a, b = leaf(2.0), leaf(1.0)
    d = a * a
    c = a + b
    e = c * d
    names = {"a": a, "b": b, "c": c, "d": d, "e": e}
    full = viz.derive(e, a, names, simplify=False)
    assert "∂e/∂a = ∂e/∂c · ∂c/∂a + ∂e/∂d · ∂d/∂a⁽¹⁾ + ∂e/∂d · ∂d/∂a⁽²⁾" in full.text
    assert "∂e/∂a = 4 · 1 + 3 · 2 + 3 · 2\n      = 16" in full.text
    assert r"\frac{\partial d}{\partial a^{(1)}}" in full.latex
    assert "∂d/∂a = 2·a = 4" in viz.derive(e, a, names).text
    assert full.count == 3 and [path.product for path in full.paths] == [4.0, 6.0, 6.0]


def test_too_many_paths_are_counted_and_the_recursive_form_is_written() -> None:
    a = leaf(2.0)
    y = a
    for _ in range(30):
        y = y + y
    found = viz.derive(y, a, {"a": a, "y": y})
    assert found.count == 1 and found.value == 2.0**30  # contracted, each doubling is a factor 2
    full = viz.derive(y, a, {"a": a, "y": y}, simplify=False)
    assert full.count == 2**30 and full.value == 2.0**30 and not full.paths
    assert full.text.endswith("1,073,741,824 paths")
    assert "1.073.741.824 caminhos" in viz.derive(y, a, {"a": a, "y": y}, simplify=False, lang="pt").text
    full.check()
    with pytest.raises(ValueError, match="1073741824 paths are too many"):
        viz.derive(y, a, simplify=False, style="paths")


def test_arrays_have_matrix_form_and_shapes() -> None:
    torch.manual_seed(0)
    X, W, b = torch.randn(4, 3), torch.randn(2, 3, requires_grad=True), torch.zeros(2, requires_grad=True)
    Z = nn.functional.linear(X, W, b)
    A = Z.tanh()
    E = (A * A).sum()
    found = viz.derive(E, [W, b], {"X": X, "W": W, "b": b, "Z": Z, "A": A, "E": E})
    lines = re.sub(" +", " ", found.text).splitlines()
    assert "Z = X Wᵀ + b [4×2]" in lines
    assert "∂E/∂A = 2·A [4×2]" in lines
    assert "∂E/∂Z = ∂E/∂A·(1 − A²) [4×2]" in lines
    assert "∂E/∂W = (∂E/∂Z)ᵀ X [2×3]" in re.sub(r" ≈ \[.*?\]\]", "", "\n".join(lines))
    assert any(line.startswith("∂E/∂b = Σ(∂E/∂Z) ≈ [") and line.endswith("[2]") for line in lines)
    assert set(found.value) == {"W", "b"} and found.value["W"].shape == (2, 3)
    found.check()
    with pytest.raises(ValueError, match="arrays on the way"):
        viz.derive(E, W, style="paths")


def test_names_are_latex_where_they_are_given_so() -> None:
    w, x = leaf(3.0), leaf(2.0)
    y = w * x
    found = viz.derive(y, w, {"$w_2$": w, "x1": x, "y": y})
    assert found.text == "y = w₂·x1 = 6\n\n∂y/∂w₂ = x1 = 2"
    assert r"\frac{\partial y}{\partial w_{2}} &= x_{1} = 2" in found.latex


def test_exact_and_rounded_are_told_apart() -> None:
    a = leaf(1 / 3)
    y = a * 0.5
    assert viz.derive(y, a, {"a": a, "y": y}).text == "y = 0.5·a ≈ 0.1667\n\n∂y/∂a = 0.5"
    assert "≈ 0.17\n" in viz.derive(y, a, {"a": a, "y": y}, digits=2).text


def test_the_loss_by_itself_and_by_what_it_does_not_reach() -> None:
    a = leaf(2.0)
    y = a * a
    assert viz.derive(y, y, {"y": y}).text.endswith("∂y/∂y = 1")
    with pytest.raises(ValueError, match="does not depend"):
        viz.derive(y, leaf(1.0))


# ------------------------------------------------------------------------------------------ refusals
def test_what_cannot_be_derived_says_why() -> None:
    a = torch.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="one element"):
        viz.derive(a * 2, a)
    with pytest.raises(RuntimeError, match="no history"):
        viz.derive(torch.ones(()), a)
    y = (a * a).sum()
    with pytest.raises(ValueError, match="style='banana'"):
        viz.derive(y, a, style="banana")
    with pytest.raises(ValueError, match="digits=0"):
        viz.derive(y, a, digits=0)
    with pytest.raises(TypeError, match="wrt must be"):
        viz.derive(y, ["a"])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="wrt is empty"):
        viz.derive(y, [])
    with pytest.raises(ValueError, match="expected one of en, pt"):
        viz.derive(y, a, lang="fr")


def test_what_is_not_known_any_more_says_so() -> None:
    """A large constant that nobody holds, after a backward pass has freed the graph; `keep` keeps it."""

    def made() -> tuple[Any, Any]:
        a = torch.ones(200_000, dtype=torch.float64, requires_grad=True)
        y = (a.exp() * torch.randn(200_000, dtype=torch.float64)).sum()
        y.backward()
        return a, y

    a, y = made()
    found = viz.derive(y, a, {"a": a, "y": y})
    assert found.value is None and "∂y/∂a" in found.text
    with pytest.raises(RuntimeError, match="the gradient of a is not known"):
        found.check()
    with pytest.raises(RuntimeError, match="the value of c1 is not known any more"):
        found.python  # noqa: B018
    with viz.keep():
        a, y = made()
    kept = viz.derive(y, a, {"a": a, "y": y})
    kept.check()
    assert np.array_equal(kept.value, a.grad.numpy())


def test_after_a_backward_pass_the_same_is_written() -> None:
    E, names = neuron()
    E.backward()
    assert viz.derive(E, names["w"], names).text == NEURON


# ------------------------------------------------------------------------------------------ laws
UNARY = ("tanh", "sigmoid", "exp", "sin", "neg", "square", "sqrt_of_square", "relu")
BINARY = ("add", "sub", "mul", "div_by_square")


@st.composite
def scalar_graphs(draw: st.DrawFn) -> tuple[Any, list[Any], dict[str, Any]]:
    """A loss of scalars, its leaves, and names for some of what lies between."""
    leaves = [
        leaf(draw(st.floats(-1.5, 1.5).map(lambda x: round(x, 2) or 0.5))) for _ in range(draw(st.integers(1, 3)))
    ]
    values = list(leaves)
    for _ in range(draw(st.integers(1, 7))):
        a, b = draw(st.sampled_from(values)), draw(st.sampled_from(values))
        op = draw(st.sampled_from(UNARY + BINARY))
        if op in BINARY:
            values.append(a / (b * b + 1.0) if op == "div_by_square" else getattr(torch, op)(a, b))
        elif op == "sqrt_of_square":
            values.append((a * a + 0.5).sqrt())
        else:
            values.append(getattr(torch, op)(a))
    names = {f"v{i}": v for i, v in enumerate(values[:-1]) if i < len(leaves) or draw(st.booleans())}
    return values[-1], leaves, names | {"E": values[-1]}


@settings(max_examples=100, deadline=None)
@given(scalar_graphs(), st.booleans())
def test_the_paths_add_up_to_the_gradient(graph: Any, simplified: bool) -> None:
    loss, leaves, names = graph
    reached = [t for t in leaves if t.node in Boxes(loss.node).scope]
    assume(reached and loss.abs() < 1e6)
    found = viz.derive(loss, reached, names, simplify=simplified)
    found.check()
    check_latex(found.latex.replace("aligned", "").replace("\\begin{}", "").replace("\\end{}", ""))
    program = run(found.python)
    loss.backward()
    for t in reached:
        name = next(n for n, v in names.items() if v is t)
        paths = [p for p in found.paths if p.names[-1] == name]
        if found.paths:
            assert math.isclose(math.fsum(p.product or 0.0 for p in paths), t.grad.item(), rel_tol=1e-9, abs_tol=1e-12)
        assert math.isclose(found.value[name], t.grad.item(), rel_tol=1e-9, abs_tol=1e-300)
        assert same_bits(program[f"dE_d{name}"], t.grad.numpy())
    numbers_agree(found.text)


def numbers_agree(text: str) -> None:
    """Each last line of numbers is the sum of products of the line before it, as far as its digits say."""
    lines = re.sub(r"\n +\+", " +", text).splitlines()
    for before, last in zip(lines, lines[1:], strict=False):
        m = re.fullmatch(r"\s+[=≈] ([−\d.e]+)", last)
        if m:
            python = re.split("[=≈] ", before)[-1].replace("·", "*").replace("−", "-")
            assert re.fullmatch(r"[-+*()\d.e ]+", python), python
            found, shown = eval(python), float(m[1].replace("−", "-"))  # noqa: S307
            size = sum(abs(float(n)) for n in re.findall(r"[\d.]+(?:e-?\d+)?", python))
            assert math.isclose(found, shown, rel_tol=0.01, abs_tol=0.005 * max(size, 1)), (before, last)


@settings(max_examples=40, deadline=None)
@given(some.programs())
def test_random_programs_are_derived(program: Any) -> None:
    leaves = program.inputs()
    results = program(*leaves)
    first, *others = [y.sum() for y in (results if isinstance(results, tuple) else (results,))]
    loss = sum(others, first)
    assume(loss.requires_grad and loss.node.parents)
    found = viz.derive(loss, None, dict(zip(program.arguments, leaves, strict=True)))
    assert found.text and found.markdown.count("$$") % 2 == 0
    for line in found.mathml.splitlines():
        check_mathml(line)


# ------------------------------------------------------------------------------------------ the lecture, and networks
def lecture() -> tuple[Any, dict[str, Any]]:
    """Two inputs, two hidden neurons, two outputs, with the numbers of the lecture's example."""
    names: dict[str, Any] = {}
    for i, value in enumerate((0.15, 0.20, 0.25, 0.30, 0.40, 0.45, 0.50, 0.55), 1):
        names[f"w{i}"] = torch.tensor(value, requires_grad=True)
    names |= {"b1": torch.tensor(0.35, requires_grad=True), "b2": torch.tensor(0.60, requires_grad=True)}
    names |= {"i1": torch.tensor(0.05), "i2": torch.tensor(0.10), "t1": torch.tensor(0.01), "t2": torch.tensor(0.99)}
    n = names
    for k in (1, 2):
        n[f"net_h{k}"] = n[f"w{2 * k - 1}"] * n["i1"] + n[f"w{2 * k}"] * n["i2"] + n["b1"]
        n[f"h{k}"] = torch.sigmoid(n[f"net_h{k}"])
    for k in (1, 2):
        n[f"net_o{k}"] = n[f"w{2 * k + 3}"] * n["h1"] + n[f"w{2 * k + 4}"] * n["h2"] + n["b2"]
        n[f"o{k}"] = torch.sigmoid(n[f"net_o{k}"])
        n[f"E{k}"] = 0.5 * (n[f"t{k}"] - n[f"o{k}"]) ** 2
    n["E"] = n["E1"] + n["E2"]
    return n["E"], names


def test_the_lectures_network() -> None:
    E, names = lecture()
    found = viz.derive(E, names["w5"], names)
    assert "∂E/∂w5 = ∂E/∂E1 · ∂E1/∂o1 · ∂o1/∂net_o1 · ∂net_o1/∂w5" in found.text
    assert "≈ 0.7414" in found.text and "≈ 0.1868" in found.text and found.text.endswith("≈ 0.08217")
    both = viz.derive(E, names["w1"], names)
    assert both.count == 2 and both.text.endswith("≈ 0.0004386")
    assert "\n       + ∂E/∂E2 · ∂E2/∂o2 · ∂o2/∂net_o2 · ∂net_o2/∂h1 · ∂h1/∂net_h1 · ∂net_h1/∂w1\n" in both.text


def networks() -> dict[str, Any]:
    """Losses of small networks."""
    torch.manual_seed(1)
    X, y = torch.randn(5, 3), torch.tensor([0, 1, 2, 1, 0])
    perceptron = nn.Linear(3, 1)
    mlp = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 3))
    cell, h, c = nn.LSTMCell(3, 2), torch.randn(5, 2), torch.randn(5, 2)
    gru = nn.GRU(3, 2, batch_first=True)
    lenet = nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(16, 6), nn.ReLU(), nn.Linear(6, 3),
    )  # fmt: skip
    image = torch.randn(5, 1, 14, 14)
    state, memory = cell(X, (h, c))
    return {
        "perceptron": nn.functional.mse_loss(torch.sigmoid(perceptron(X))[:, 0], y * 0.5),
        "lecture": lecture()[0],
        "cross entropy": nn.functional.cross_entropy(mlp(X), y),
        "LSTM cell": (state * state).sum() + memory.sum(),
        "GRU": gru(X[None])[0].square().mean(),
        "LeNet": nn.functional.cross_entropy(lenet(image), y),
        "batch norm": (nn.BatchNorm1d(3)(X * 2) ** 3).sum(),
        "MLP": nn.functional.mse_loss(MLP([3, 4, 1], output=nn.Sigmoid)(X)[:, 0], y * 0.5),
        "attention": nn.MultiheadAttention(4, 2)(*[torch.randn(3, 2, 4)] * 3)[0].square().sum(),
    }


@pytest.mark.parametrize("name", sorted(networks()))
def test_the_program_of_a_network_has_the_engines_bits(name: str, tmp_path: Path) -> None:
    """It runs in an interpreter that can import NumPy, but not this package."""
    loss = networks()[name]
    found = viz.derive(loss, names={})
    found.check()
    path = found.save(tmp_path / "derived.py")
    program = found.program()
    show = "\n".join(f"np.save({n!r}, {n})" for n in program.grad.values())
    path.write_text(
        "import sys\nsys.modules['tinygrad_pt'] = None\n" + path.read_text(encoding="utf-8") + show, encoding="utf-8"
    )
    subprocess.run([sys.executable, "-P", path.name], cwd=tmp_path, check=True, timeout=60)
    loss.backward()
    for node in program.wanted:
        tensor = node.handle()  # type: ignore[attr-defined]
        if tensor is not None:
            assert same_bits(np.load(tmp_path / f"{program.grad[node]}.npy"), tensor.grad.numpy()), program.grad[node]


def test_the_page_of_the_documentation_does_what_it_says(tmp_path: Path) -> None:
    run_page("docs/derivation.md", tmp_path)


def test_every_format_is_saved(tmp_path: Path) -> None:
    E, names = neuron()
    found = viz.derive(E, names["w"], names)
    for kind, start in (
        (".txt", "net"),
        (".md", "$$"),
        (".tex", "\\begin{aligned}"),
        (".html", "<!DOCTYPE"),
        (".py", '"""'),
    ):
        assert found.save(tmp_path / f"d{kind}").read_text(encoding="utf-8").startswith(start)
    with pytest.raises(ValueError, match=r"d.pdf"):
        found.save(tmp_path / "d.pdf")
    assert found._repr_latex_().startswith("$$\n\\begin{aligned}") and found._repr_markdown_() == found.markdown
    assert str(found) == found.text
