"""The painter: valid and inert XML whatever the names are, with everything a reader needs in it."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.viz.samples import ALL, NASTY, hostile, network, snapshots, square, vertex
from tinygrad_pt.viz.model import Edge, Snapshot
from tinygrad_pt.viz.svg import paint
from tinygrad_pt.viz.text import clean

TAGS = {"svg", "title", "style", "rect", "g", "path", "text"}
SPACE = "{http://www.w3.org/2000/svg}"
ATTRIBUTES = {"class", "id", "role", "aria-label", "x", "y", "width", "height", "rx", "d", "transform", "viewBox"}


def parse(svg: str) -> ET.Element:
    """The tree of an SVG, after the rules that hold for every one."""
    svg.encode()
    root = ET.fromstring(svg)
    ids = []
    for element in root.iter():
        assert element.tag.removeprefix("{http://www.w3.org/2000/svg}") in TAGS
        assert set(element.attrib) <= ATTRIBUTES
        ids += [element.attrib["id"]] if "id" in element.attrib else []
        if element.tag.endswith("path"):
            assert re.fullmatch(r"[MLChvz\d .\-]*", element.attrib["d"])
    assert len(ids) == len(set(ids))
    return root


def marked(root: ET.Element, name: str) -> list[ET.Element]:
    return [element for element in root.iter() if name in element.attrib.get("class", "").split()]


def words(element: ET.Element) -> list[str]:
    return [text.text or "" for text in element.iter("{http://www.w3.org/2000/svg}text")]


def tip(element: ET.Element) -> str:
    return element[0].text or ""


@pytest.mark.long
@given(snapshots(), st.sampled_from(["LR", "TB"]), st.sampled_from(["both", "num", "sym", "none"]))
@settings(max_examples=60, deadline=None)
def test_any_graph_is_valid_and_whole(snapshot: Snapshot, rankdir: str, labels: str) -> None:
    svg = paint(snapshot, rankdir, labels, "pt")
    root = parse(svg)
    nodes, edges = marked(root, "node"), marked(root, "edge")
    assert len(nodes) == len(snapshot.vertices) and len(edges) == len(snapshot.edges)
    for v, node in zip(snapshot.vertices, nodes, strict=True):
        assert words(node)[0] == (clean(v.name) or v.id)
    assert svg == paint(snapshot, rankdir, labels, "pt")


@pytest.mark.parametrize("name", sorted(ALL))
def test_samples_in_both_directions(name: str) -> None:
    for rankdir in ("LR", "TB"):
        parse(paint(ALL[name](), rankdir))


def test_hostile_names_stay_text() -> None:
    svg = paint(hostile(), labels="both")
    root = parse(svg)
    assert "<script" not in svg and "href" not in svg and "http" not in svg.replace("http://www.w3.org/2000/svg", "")
    assert [words(node)[0] for node in marked(root, "node")][1:7] == [clean(text) for text in NASTY[1:7]]
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08\x0e-\x1f]", svg)


def test_each_slot_has_its_own_two_lines_and_derivative() -> None:
    edges = marked(parse(paint(square())), "edge")
    assert [words(edge) for edge in edges] == [["∂b/∂a⁽¹⁾ = a", "= 3.0000"], ["∂b/∂a⁽²⁾ = a", "= 3.0000"]]
    for edge in edges:
        assert len(marked(edge, "fwd")) == len(marked(edge, "bwd")) == 1
        assert tip(edge).startswith("a → b")


def test_the_backward_line_points_to_the_source() -> None:
    edge = marked(parse(paint(square())), "edge")[0]
    start = {name: re.match(r"M([\d.]+)", marked(edge, name)[0].attrib["d"]) for name in ("fh", "bh")}
    assert start["fh"] and start["bh"] and float(start["fh"][1]) > float(start["bh"][1])


def test_no_gradient_no_red_line() -> None:
    a, b = square().vertices
    edge = marked(parse(paint(Snapshot((a, b), (Edge("n0", "n1", 0, flows=False),)))), "edge")[0]
    assert marked(edge, "fwd") and not marked(edge, "bwd") and not marked(edge, "chip")


def test_values_gradients_and_what_is_missing() -> None:
    root = parse(
        paint(Snapshot((vertex(0, "w", value=0.15, grad=None), vertex(1, "x", requires_grad=False))), lang="pt")
    )
    w, x = marked(root, "node")
    assert words(w) == ["w", "v", "0,1500", "∇", "·"] and words(x) == ["x", "v", "1,0000"]
    assert "nograd" in x.attrib["class"] and "ainda não calculado" in tip(w)
    assert w.attrib["aria-label"] == tip(w).replace("\n", ", ")


def test_frames_carry_their_titles() -> None:
    frames = marked(parse(paint(network())), "frame")
    assert [words(frame) for frame in frames] == [["MLP"], ["Linear(3)"], ["Linear(90)"]]


def test_heat_maps_show_signs_without_colour() -> None:
    value = np.array([[1.0, -1.0, 0.0], [np.nan, 0.3, -0.3]])
    node = marked(parse(paint(Snapshot((vertex(0, value=value, shape=(2, 3)),)))), "node")[0]
    assert [e.attrib["class"] for e in marked(node, "cell")] == [
        f"cell {n}" for n in ("m2", "m4", "nan", "p2", "p4", "z")
    ]
    assert len(re.findall("h4", marked(node, "sign")[0].attrib["d"])) == 4
    assert len(re.findall("v4", marked(node, "sign")[0].attrib["d"])) == 2


def test_text_stays_in_its_box_by_the_measure_used() -> None:
    from tinygrad_pt.viz.text import width

    for node in marked(parse(paint(network())), "node"):
        box = marked(node, "box")[0].attrib
        for text in node.iter("{http://www.w3.org/2000/svg}text"):
            room = width(text.text or "", 12 if "mono" in text.attrib["class"] else 13, "mono" in text.attrib["class"])
            left = float(text.attrib["x"]) - (room if "end" in text.attrib["class"] else 0)
            assert left >= float(box["x"]) - 1


def test_style_follows_the_reader() -> None:
    svg = paint(square())
    assert "prefers-color-scheme:dark" in svg and "@import" not in svg and "url(" not in svg
    style = next(e.text or "" for e in parse(svg).iter() if e.tag.endswith("style"))
    for rule in re.findall(r"([^{}]+)\{", style):  # nothing outside the drawing is styled
        assert all(part.strip().startswith((".tinygrad-pt", "@media")) for part in rule.split(","))


def test_two_drawings_share_no_ids() -> None:
    ids = [set(re.findall(' id="([^"]+)"', paint(f()))) for f in (square, network)]
    assert not set.intersection(*ids) and all(ids)
    assert all(a != b for a, b in itertools.combinations(sorted(ids[0]), 2))


def test_what_a_player_writes_anew_stands_in_groups_of_its_own() -> None:
    root = ET.fromstring(paint(network()))
    for group, inside in (("values", "value"), ("grads", "grad")):
        texts = root.findall(f".//{SPACE}g[@class='{group}']/{SPACE}text")
        assert texts and all(inside in t.attrib["class"].split() or t.text in "v∇" for t in texts)
        everywhere = [t for t in root.iter(f"{SPACE}text") if inside in t.attrib["class"].split()]
        assert all(t in texts for t in everywhere if "mid" not in t.attrib["class"].split())
    assert len(root.findall(f".//{SPACE}g[@class='locals']")) == sum(edge.flows for edge in network().edges)


def test_unknown_options() -> None:
    for given_options in ({"rankdir": "RL"}, {"labels": "some"}, {"lang": "de"}):
        with pytest.raises(ValueError, match="expected"):
            paint(square(), **given_options)
