"""The DOT text: one node per vertex, one edge per slot, nothing that Graphviz could take for more."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings

from tests.viz.samples import ALL, hostile, network, snapshots, square
from tinygrad_pt.viz.dot import digraph
from tinygrad_pt.viz.engine import engines, render
from tinygrad_pt.viz.model import Snapshot

EDGE = re.compile(r"^\s*(n\d+) -> (n\d+) \[", re.MULTILINE)
NODE = re.compile(r"^\s*(n\d+) \[", re.MULTILINE)

GOLDEN = """\
digraph tinygrad_pt {
	graph [bgcolor="#ffffff" charset="UTF-8" class="tinygrad-pt" fontname=Helvetica fontsize=12 id="graph" \
nodesep=0.2 pad=0.15 rankdir=LR ranksep=0.3 tooltip=" "]
	node [color="#6e7781" margin="0.04,0.02" shape=box]
	node [fontname=Helvetica fontsize=12]
	edge [arrowsize=0.7 color="#0b57d0" penwidth=1.2]
	edge [fontname=Courier fontsize=10]
"""


def test_golden_head_and_one_edge_per_slot() -> None:
    source = digraph(square()).source
    assert source.startswith(GOLDEN)
    assert EDGE.findall(source) == [("n0", "n1"), ("n0", "n1")]
    assert NODE.findall(source) == ["n0", "n1"]
    assert "∂b/∂a⁽¹⁾ = a" in source and "∂b/∂a⁽²⁾ = a" in source and "= 3.0000" in source
    assert "id=e_n1_0" in source and "id=e_n1_1" in source


@given(snapshots())
@settings(max_examples=60, deadline=None)
def test_any_graph_is_whole_and_inert(snapshot: Snapshot) -> None:
    source = digraph(snapshot, labels="both").source
    source.encode()
    assert sorted(NODE.findall(source)) == sorted(v.id for v in snapshot.vertices)
    assert EDGE.findall(source) == [(e.source, e.target) for e in snapshot.edges]
    attributes = set(re.findall(r"[ \[](\w+)=", re.sub(r'"[^"]*"', '""', re.sub(r"<<.*>>", "<>", source))))
    assert not {name.lower() for name in attributes} & {"url", "href", "image", "shapefile", "headurl", "edgeurl"}
    assert "shape=record" not in source and "concentrate" not in source
    assert source == digraph(snapshot, labels="both").source


def test_clusters_nest_and_untitled_scopes_have_none() -> None:
    source = digraph(network()).source
    assert source.count("subgraph cluster_") == 3
    depth = 0
    nesting = {}
    for line in source.splitlines():
        if match := re.search(r"subgraph (cluster_\d)", line):
            nesting[match[1]] = depth
        depth += line.rstrip().endswith("{")
        depth -= line.strip() == "}"
    assert nesting == {"cluster_1": 1, "cluster_2": 2, "cluster_3": 2} and depth == 0


def test_options() -> None:
    assert "rankdir=TB" in digraph(square(), "TB").source
    assert "3,0000" in digraph(square(), lang="pt").source
    assert "∂b" not in digraph(square(), labels="none").source.replace("tooltip", "").split("->")[0]
    for options in ({"rankdir": "BT"}, {"lang": "xx"}, {"labels": "x"}):
        with pytest.raises(ValueError, match="expected"):
            digraph(square(), **options)


@pytest.mark.parametrize("name", sorted(set(ALL) - {"large", "chain"}))
def test_every_engine_here_draws_every_edge(name: str) -> None:
    snapshot = ALL[name]()
    source = digraph(snapshot, labels="both").source
    for engine in engines():
        svg = render(source, "svg", engine.name).decode()
        assert svg.count('class="edge') == len(snapshot.edges), engine
        assert svg.count('class="node') == len(snapshot.vertices), engine
        assert "<script" not in svg and "xlink:href" not in svg


def test_hostile_names_come_out_of_an_engine_as_they_went_in() -> None:
    import xml.etree.ElementTree as ET

    from tinygrad_pt.viz.text import clean

    snapshot = hostile()
    for engine in engines():
        svg = render(digraph(snapshot, labels="none").source, "svg", engine.name).decode()
        groups = [g for g in ET.fromstring(svg).iter() if g.get("class", "").startswith("node")]
        shown = {
            g.get("id"): " ".join(("".join(t.itertext())) for t in g.iter() if t.tag.endswith("}text")) for g in groups
        }
        for v in snapshot.vertices:
            name = (clean(v.name) or v.id).replace("\\", "∖")
            assert "".join(name.split()) in "".join((shown[v.id] or "").split()), (engine.name, name)
