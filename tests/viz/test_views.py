"""Views show less than the graph, and nothing that is not so."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_pt as torch
from tests.viz.samples import snapshots
from tinygrad_pt import nn
from tinygrad_pt.viz import Edge, Snapshot, Vertex, draw, snapshot
from tinygrad_pt.viz.views import Group, cut, highlight, modules, quotient


def paths(seen: Snapshot, source: str) -> float:
    """∂output/∂source: the sum over the paths of the products of the drawn numbers."""
    into: dict[str, float] = defaultdict(float)
    into[seen.vertices[-1].id] = 1.0
    for edge in reversed(seen.edges):
        if edge.flows:
            assert edge.number is not None
            into[edge.source] += into[edge.target] * edge.number
    return into[source]


@st.composite
def scalar_graphs(draw: st.DrawFn) -> Snapshot:
    """A random scalar graph of products, sums and tanh, in float64, drawn after its backward pass."""
    values = [torch.tensor(draw(st.floats(-2, 2)), dtype=torch.float64, requires_grad=True) for _ in range(3)]
    leaves = list(values)
    for _ in range(draw(st.integers(1, 10))):
        a, b = (values[draw(st.integers(0, len(values) - 1))] for _ in range(2))
        values.append(
            draw(st.sampled_from([lambda a, b: a * b, lambda a, b: a + b, lambda a, b: (a - b).tanh()]))(a, b)
        )
    loss = values[-1] + sum(leaves) * 0.0 + 1.0
    loss.backward()
    return snapshot(loss, {f"x{i}": leaf for i, leaf in enumerate(leaves)})


@given(scalar_graphs(), st.data())
def test_between_scalars_the_number_of_a_box_is_the_sum_over_the_paths_through_it(seen: Snapshot, data: Any) -> None:
    ops = [v.id for v in seen.vertices if v.kind == "op"]
    inside = {id_: data.draw(st.integers(0, 2)) for id_ in ops if data.draw(st.booleans())}
    groups = {key: Group(f"g{key}") for key in inside.values()}
    found = quotient(seen, inside, groups)
    assert len(found.vertices) <= len(seen.vertices) + len(groups)
    if all(edge.number is not None for edge in found.edges if edge.flows):
        for vertex in found.vertices:
            if vertex.kind == "param":
                assert math.isclose(paths(found, vertex.id), float(vertex.grad), rel_tol=1e-9, abs_tol=1e-12)  # type: ignore[arg-type]


@given(snapshots(), st.data())
def test_any_grouping_gives_a_drawing(seen: Snapshot, data: Any) -> None:
    inside = {v.id: data.draw(st.integers(0, 3)) for v in seen.vertices if data.draw(st.booleans())}
    found = quotient(seen, inside, {key: Group("m") for key in inside.values()})  # a Snapshot refuses cycles
    assert {e.target for e in found.edges} <= {v.id for v in found.vertices}
    outputs = {v.id for v in seen.vertices if v.kind == "loss"}
    assert outputs <= {v.id for v in found.vertices}


def test_a_group_that_is_left_and_entered_again_is_opened() -> None:
    a, b, c = (Vertex(f"n{i}", "abc"[i], "", "op" if i else "input", (), "float32", 1.0, 1.0, True) for i in range(3))
    seen = Snapshot((a, b, c), (Edge("n0", "n1", 0, number=2.0), Edge("n1", "n2", 0, number=3.0)))
    assert len(quotient(seen, {"n0": 0, "n2": 0}, {0: Group("g")}).vertices) == 3
    assert [v.name for v in quotient(seen, {"n1": 0, "n2": 0}, {0: Group("g")}).vertices] == ["a", "c"]


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(10, 8)
        self.blocks = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 12)
        self.head = nn.Linear(8, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.blocks(self.embed(x)))


def transformer() -> tuple[Model, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    net, x = Model().eval(), torch.randint(0, 10, (2, 3))
    loss = net(x).square().mean()
    loss.backward(retain_graph=True)
    return net, x, loss


def test_a_transformer_of_twelve_layers_is_a_handful_of_boxes() -> None:
    net, x, loss = transformer()
    seen = draw(loss, {"net": net, "x": x}, view="module").snapshot
    by_op = {v.op: v for v in seen.vertices}
    assert "TransformerEncoderLayer × 12" in by_op and len(seen.vertices) <= 8
    weights = sum(p.numel() for p in net.blocks.parameters())
    assert by_op["TransformerEncoderLayer × 12"].note == f"{weights:,} parameters"
    assert by_op["embed: Embedding"].note == "80 parameters"
    apart = draw(loss, {"net": net, "x": x}, view="module", fold=False).snapshot
    assert sum("TransformerEncoderLayer" in v.op for v in apart.vertices) == 12


def test_modules_are_closed_by_depth_by_pattern_and_by_a_function() -> None:
    net, x, loss = transformer()
    names = {"net": net, "x": x}
    whole = draw(loss, names, depth=0).snapshot
    assert [v.op for v in whole.vertices if v.kind == "module"] == ["Model"]
    by_class = draw(loss, names, collapse="*EncoderLayer").snapshot
    assert "embed.weight" in {v.name for v in by_class.vertices}  # what is not chosen stays open
    by_path = draw(loss, names, collapse="blocks").snapshot
    assert [v.op for v in by_path.vertices if v.kind == "module"] == ["blocks: TransformerEncoder"]
    by_function = draw(loss, names, collapse=lambda scope, title: title.endswith("Linear") and len(scope) == 2).snapshot
    assert [v.op for v in by_function.vertices if v.kind == "module" and v.op] == ["head: Linear"]
    with pytest.raises(ValueError, match="depth=-1"):
        draw(loss, names, depth=-1)
    with pytest.raises(ValueError, match="view='bogus': expected one of op, module, neuron"):
        draw(loss, names, view="bogus")


def test_a_cell_called_in_a_loop_is_one_box_with_the_number_of_calls() -> None:
    cell, h, w = nn.RNNCell(2, 3), torch.zeros(1, 3), torch.randn(1, 2)
    for _ in range(6):
        h = cell(w, h)
    seen = draw(h.sum(), {"cell": cell}, depth=0).snapshot
    assert "RNNCell × 6" in {v.op for v in seen.vertices}


def test_a_module_with_several_results_keeps_them_apart() -> None:
    net, x = nn.LSTM(2, 3), torch.randn(4, 1, 2)
    out, (h, c) = net(x)
    seen = draw(out.sum() + h.sum() + c.sum(), {"net": net, "x": x}, depth=0).snapshot
    module = next(v for v in seen.vertices if v.kind == "module" and not v.dtype)
    assert sum(edge.source == module.id for edge in seen.edges) == 3
    assert module.value is None and "?" not in draw(out.sum() + h.sum(), depth=0).svg


def test_a_weight_that_others_use_too_stays_outside() -> None:
    layer, x = nn.Linear(3, 3), torch.ones(1, 3)
    seen = draw((layer(x) @ layer.weight).sum(), {"layer": layer, "x": x}, depth=0).snapshot
    assert "weight" in {v.name for v in seen.vertices}


def test_what_is_too_many_is_one_box() -> None:
    x = torch.ones((), dtype=torch.float64, requires_grad=True)
    y = x
    for _ in range(500):
        y = y * 1.001
    seen = draw(y, max_nodes=20).snapshot
    assert len(seen.vertices) == 20 and seen.vertices[0].name == f"+{1001 - 19} more"
    assert draw(y, max_nodes=20, lang="pt").snapshot.vertices[0].name == "+982 outros"
    assert Snapshot.from_json(seen.to_json()).vertices[0].name == seen.vertices[0].name
    assert len(draw(y, max_nodes=2000).snapshot.vertices) == 1001


@given(snapshots(), st.integers(2, 12))
def test_a_cut_keeps_the_youngest(seen: Snapshot, most: int) -> None:
    found = cut(seen, most)
    assert len(found.vertices) == min(most, len(seen.vertices))
    assert found.vertices[-1:] == seen.vertices[-1:]


def test_the_path_of_a_chain_rule_is_brought_out_and_its_factors_numbered() -> None:
    a, b = (torch.tensor(x, requires_grad=True) for x in (2.0, 3.0))
    c = a * b
    d = c.tanh()
    loss = d + a
    picture = draw(loss, {"a": a, "b": b, "c": c, "d": d, "loss": loss}, highlight="b")
    marked = {edge.mark: edge.symbol for edge in picture.snapshot.edges if edge.mark}
    assert marked == {"①": "∂loss/∂d = 1", "②": "∂d/∂c = 1 − d²", "③": "∂c/∂b = a"}
    assert picture.svg.count('opacity="0.3"') == 3  # the box of a, and its two edges
    assert draw(loss, {"a": a, "b": b}, highlight=[b]).snapshot.focus == picture.snapshot.focus
    with pytest.raises(ValueError, match="highlight='q': no value of the picture has this name"):
        draw(loss, highlight="q")


def test_a_value_without_gradient_has_no_path() -> None:
    a, k = torch.tensor(2.0, requires_grad=True), torch.tensor(3.0)
    with pytest.raises(ValueError, match="highlight='k': no gradient flows back to it"):
        draw(a * k, {"a": a, "k": k}, highlight="k")


@given(scalar_graphs())
def test_the_numbers_on_the_highlighted_paths_give_the_gradient(seen: Snapshot) -> None:
    for vertex in seen.vertices:
        if vertex.kind != "param":
            continue
        found = highlight(seen, vertex.name)
        lit = Snapshot(found.vertices, tuple(edge for edge in found.edges if edge.id in found.focus))
        assert math.isclose(paths(lit, vertex.id), float(np.asarray(vertex.grad)), rel_tol=1e-9, abs_tol=1e-12)


def test_the_default_depth_is_the_deepest_that_can_be_looked_at() -> None:
    net, x, loss = transformer()
    seen = snapshot(loss, {"net": net, "x": x})
    assert len(modules(seen).vertices) <= 40 < len(modules(seen, 3).vertices)
