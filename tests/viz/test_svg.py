"""The painter: valid and inert XML whatever the names are, with everything a reader needs in it."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.viz.samples import ALL, NASTY, chain, hostile, network, snapshots, square, vertex
from tinygrad_pt.viz.model import Edge, Snapshot
from tinygrad_pt.viz.options import Look
from tinygrad_pt.viz.style import DARK, HEAT_DARK, HEAT_LIGHT, LIGHT
from tinygrad_pt.viz.svg import paint
from tinygrad_pt.viz.text import clean

TAGS = {"svg", "title", "style", "rect", "g", "path", "text"}
SPACE = "{http://www.w3.org/2000/svg}"
ATTRIBUTES = {
    "class", "id", "role", "aria-label", "x", "y", "width", "height", "rx", "d", "transform", "viewBox", "fill",
    "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "font-family", "font-size", "font-weight",
    "text-anchor", "opacity",
}  # fmt: skip


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
            assert re.fullmatch(r"[MLCQhvz\d .\-]*", element.attrib["d"])
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
    look = Look(rankdir, labels, "pt")
    svg = paint(snapshot, look)
    root = parse(svg)
    nodes, edges = marked(root, "node"), marked(root, "edge")
    assert len(nodes) == len(snapshot.vertices) and len(edges) == len(snapshot.edges)
    for v, node in zip(snapshot.vertices, nodes, strict=True):
        assert words(node)[0] == (clean(v.name) or v.id)
    assert svg == paint(snapshot, look)


@pytest.mark.parametrize("name", sorted(ALL))
def test_samples_in_both_directions(name: str) -> None:
    for rankdir in ("LR", "TB"):
        parse(paint(ALL[name](), Look(rankdir)))


def test_hostile_names_stay_text() -> None:
    svg = paint(hostile(), Look(edge_labels="both"))
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
        paint(Snapshot((vertex(0, "w", value=0.15, grad=None), vertex(1, "x", requires_grad=False))), Look(lang="pt"))
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
        f"cell f-{n}" for n in ("m2", "m4", "nan", "p2", "p4", "z")
    ]
    assert len(re.findall("h4", marked(node, "sign")[0].attrib["d"])) == 4
    assert len(re.findall("v4", marked(node, "sign")[0].attrib["d"])) == 2


def test_a_wrong_rule_is_painted_red() -> None:
    from dataclasses import replace

    seen = square()
    seen = replace(seen, edges=(seen.edges[0], replace(seen.edges[1], wrong=True)))
    chips = [marked(edge, "chip")[0].attrib["fill"] for edge in marked(parse(paint(seen)), "edge")]
    assert chips == [LIGHT["page"], LIGHT["backward"]]


SAFE = {"none", *LIGHT.values(), *HEAT_LIGHT.values()}


@pytest.mark.parametrize("name", sorted(set(ALL) - {"large", "chain"}))
def test_every_element_has_its_own_colours_and_fonts(name: str) -> None:
    for element in parse(paint(ALL[name]())).iter():
        tag = element.tag.removeprefix(SPACE)
        if tag in ("rect", "path", "text"):
            assert {element.attrib["fill"], element.attrib["stroke"]} <= SAFE
            assert element.attrib["fill"] != "none" or element.attrib["stroke"] != "none"
        if tag == "text":
            assert {"font-family", "font-size", "text-anchor"} <= element.attrib.keys()


def test_the_only_style_is_dark_and_reaches_no_other_drawing() -> None:
    svg = paint(network())
    root = parse(svg)
    (style,) = (element for element in root.iter() if element.tag == SPACE + "style")
    mark = root.attrib["class"].split()[1]
    rules = re.fullmatch(r"@media \(prefers-color-scheme:dark\)\{((?:[^{}]+\{[^{}]+\})+)\}", style.text or "")
    assert rules and "var(" not in svg and "--" not in svg and "url(" not in svg and "@import" not in svg
    for selector, wanted in re.findall(r"([^{}]+)\{([^{}]+)\}", rules[1]):
        assert re.fullmatch(rf'\.{mark} \[class~="[fs]-[a-z0-9-]+"\]', selector)
        assert wanted.split(":")[1] in {*DARK.values(), *HEAT_DARK.values()}
    used = {use for e in root.iter() for use in e.attrib.get("class", "").split() if re.match("[fs]-", use)}
    assert used == set(re.findall(r'~="([^"]+)"', rules[1]))  # nothing is forgotten


@pytest.mark.parametrize(("theme", "colours"), [("light", (LIGHT, HEAT_LIGHT)), ("dark", (DARK, HEAT_DARK))])
def test_a_theme_asked_for_holds_for_every_reader(theme: str, colours: tuple[dict[str, str], dict[int, str]]) -> None:
    svg = paint(network(), Look(theme=theme))
    assert "<style" not in svg
    known = {"none", *colours[0].values(), *colours[1].values()}
    painted = {e.attrib[a] for e in parse(svg).iter() for a in ("fill", "stroke") if a in e.attrib}
    assert painted <= known and colours[0]["page"] in painted


def test_transparent_means_no_ground() -> None:
    assert marked(parse(paint(square())), "page") and not marked(parse(paint(square(), Look(transparent=True))), "page")


def test_a_legend_explains_what_there_is_and_nothing_else() -> None:
    def legend(snapshot: Snapshot, lang: str = "en") -> str:
        return " ".join(
            t.text or "" for key in marked(parse(paint(snapshot, Look(lang=lang))), "key") for t in key.iter()
        )

    assert "parameter" in legend(square()) and "input" not in legend(square()) and "|v|" not in legend(square())
    assert "|v| ≤ m" in legend(network()) and "‖v‖" in legend(network()) and "ḡ" in legend(network())
    assert "parâmetro" in legend(network(), "pt") and "raiz" in legend(network(), "pt").replace("√", "raiz")
    assert legend(Snapshot(())).strip() == ""


def test_a_caption_is_broken_into_lines_and_stays_on_the_page() -> None:
    from dataclasses import replace

    from tests.viz.geometry import check

    words = "the weights were changed since: what is shown was computed again with what stands now " * 3
    svg = paint(replace(square(), caption=words))
    lines = [text.text or "" for text in marked(parse(svg), "caption")]
    assert len(lines) > 2 and " ".join(lines) == " ".join(words.split())
    check(svg)


def test_kinds_may_have_other_colours() -> None:
    from tinygrad_pt.viz.style import INKS, contrast, palettes

    for colour in ("#000000", "#ffffff", "#0b57d0", "#b3261e", "#ffd33d"):
        for base, palette in zip((LIGHT, DARK), palettes({"param": colour}), strict=True):
            assert palette["rim-param"] == colour and palette["box-op"] == base["op"]
            assert min(contrast(base[ink], palette["box-param"]) for ink in INKS) >= 4.5
    box = marked(marked(parse(paint(square(), Look(colours={"param": "#0b57d0"}))), "node")[0], "box")[0]
    assert box.attrib["stroke"] == "#0b57d0" and box.attrib["fill"] != LIGHT["param"]


def size(svg: str) -> tuple[float, float, float]:
    """Width and height, and the pixels of a text of size 1."""
    root = parse(svg)
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    return width, height, width / float(root.attrib["viewBox"].split()[2])


def test_width_ratio_and_fontsize() -> None:
    steps = chain(14)
    wide, high, _ = size(paint(steps))
    assert wide > 2000
    for room in (900, 1280):
        w, h, scale = size(paint(steps, Look(width=room)))
        assert room / 2 < w <= room and h > high and scale == 1
        assert size(paint(steps, Look(width=room, wrap=False)))[0] == pytest.approx(room)
    w, h, scale = size(paint(steps, Look(width=1280, ratio=16 / 9)))
    assert w <= 1280.01 and h <= 720.01 and max(w / 1280, h / 720) > 0.99
    for rankdir in ("LR", "TB"):
        assert scale >= size(paint(steps, Look(rankdir, width=1280, ratio=16 / 9)))[2]
    w, h, _ = size(paint(steps, Look(ratio=1)))
    assert 0.6 < w / h < 1.6
    assert size(paint(steps, Look(fontsize=26)))[:2] == pytest.approx((2 * wide, 2 * high), rel=1e-3)
    assert size(paint(steps, Look(width=1280, fontsize=20)))[0] <= 1280.01
    assert size(paint(square(), Look(width=1280, ratio=16 / 9)))[2] * 13 <= 32.01


def test_the_lectures_chain_of_three_layers_can_be_read_on_a_slide() -> None:
    import tinygrad_pt as torch
    from tinygrad_pt import viz

    x, y = torch.tensor(0.05), torch.tensor(0.01)
    w1, w2, w3 = (torch.tensor(w, requires_grad=True) for w in (0.15, 0.4, 0.5))
    b1, b2, b3 = (torch.tensor(b, requires_grad=True) for b in (0.35, 0.6, 0.2))
    net1 = w1 * x + b1
    o1 = torch.sigmoid(net1)
    net2 = w2 * o1 + b2
    o2 = torch.sigmoid(net2)
    net3 = w3 * o2 + b3
    o3 = torch.sigmoid(net3)
    E = (o3 - y) ** 2
    E.backward()
    svg = viz.draw(E, width=1280, ratio=16 / 9).svg
    wide, high, scale = size(svg)
    assert wide <= 1280.01 and high <= 720.01
    sizes = {float(e.attrib["font-size"]) for e in parse(svg).iter() if e.tag == SPACE + "text"}
    assert min(sizes) * scale >= 14


def test_two_drawings_share_no_ids() -> None:
    ids = [set(re.findall(' id="([^"]+)"', paint(f()))) for f in (square, network)]
    assert not set.intersection(*ids) and all(ids)
    assert all(a != b for a, b in itertools.combinations(sorted(ids[0]), 2))


def test_what_a_player_writes_anew_stands_in_groups_of_its_own() -> None:
    root = ET.fromstring(paint(network()))
    for group, inside in (("values", "value"), ("grads", "grad")):
        texts = root.findall(f".//{SPACE}g[@class='{group}']/{SPACE}text")
        assert texts and all(inside in t.attrib["class"].split() or t.text in "v∇" for t in texts)
        assert all(t in texts for t in root.iter(f"{SPACE}text") if inside in t.attrib["class"].split())
    assert len(root.findall(f".//{SPACE}g[@class='locals']")) == sum(edge.flows for edge in network().edges)


def test_unknown_options() -> None:
    for options in (
        {"rankdir": "RL"}, {"edge_labels": "some"}, {"lang": "de"}, {"theme": "black"}, {"width": 0}, {"width": "wide"},
        {"ratio": -1}, {"fontsize": True}, {"dpi": None}, {"wrap": 0}, {"wrap": 1.5}, {"transparent": 1},
        {"engine": "banana"}, {"engine": "neato"}, {"colours": {"weight": "#ffffff"}}, {"colours": {"op": "red"}},
        {"colours": "#ffffff"}, {"width": float("nan")},
    ):  # fmt: skip
        with pytest.raises(ValueError, match=f"{next(iter(options))}=.*expected"):
            Look(**options)  # type: ignore[arg-type]
