"""The built-in layout: nothing overlaps, everything flows one way, quickly and always alike."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.viz.geometry import overlap, within
from tests.viz.samples import ALL, chain, diamond, large, network, snapshots, square, vertex
from tinygrad_pt.viz.layout import Box, Layout, columns, layout
from tinygrad_pt.viz.model import Edge, Snapshot


def lay(snapshot: Snapshot, rankdir: str = "LR", chips: bool = True, rows: int = 1) -> Layout:
    sizes = {v.id: (60.0 + 13 * (i % 4), 30.0 + 11 * (i % 3)) for i, v in enumerate(snapshot.vertices)}
    labels = [(50.0 + 9 * (i % 5), 18.0) if chips and edge.flows else None for i, edge in enumerate(snapshot.edges)]
    return layout(snapshot, sizes, labels, rankdir, rows)


def check(snapshot: Snapshot, plan: Layout) -> None:
    boxes = [*plan.vertices.values(), *(box for box in plan.chips if box)]
    page = Box(0, 0, plan.width, plan.height)
    frames = [(scope, box) for scope, parts in plan.frames.items() for box in parts]
    assert all(within(box, page) for box in [*boxes, *(box for _, box in frames)])
    assert not any(overlap(a, b) for a, b in itertools.combinations(boxes, 2))
    for (one, first), (two, second) in itertools.combinations(frames, 2):
        assert not overlap(first, second) or (one == two[: len(one)] and within(second, first))
    for v in snapshot.vertices:
        around = [scope for scope, frame in frames if overlap(plan.vertices[v.id], frame)]
        assert around == [scope for scope in plan.frames if v.scope[: len(scope)] == scope]
        assert all(within(plan.vertices[v.id], frame) for scope, frame in frames if overlap(plan.vertices[v.id], frame))
    for edge, route in zip(snapshot.edges, plan.routes, strict=True):
        assert len(route) >= 2
        for (x0, y0), (x1, y1) in itertools.pairwise(route):
            along = (x1 - x0, y1 - y0)[plan.rankdir == "TB"]
            if x0 == x1 or y0 == y1:  # a straight stretch: it may touch its own ends' boxes and its own chip only
                line = Box(min(x0, x1), min(y0, y1), abs(x1 - x0), abs(y1 - y0))
                own = {edge.source, edge.target}
                assert not any(overlap(line, box) for key, box in plan.vertices.items() if key not in own)
            else:  # a curve leads on
                assert along > 0
    for target in {edge.target for edge in snapshot.edges}:
        ports = [
            (e.slot, r[-1][plan.rankdir == "LR"])
            for e, r in zip(snapshot.edges, plan.routes, strict=True)
            if e.target == target
        ]
        assert sorted(ports) == sorted(ports, key=lambda port: port[1])


@pytest.mark.long
@given(snapshots(), st.sampled_from(["LR", "TB"]), st.booleans(), st.integers(1, 4))
@settings(max_examples=120, deadline=None)
def test_any_graph(snapshot: Snapshot, rankdir: str, chips: bool, rows: int) -> None:
    check(snapshot, lay(snapshot, rankdir, chips, rows))


@pytest.mark.parametrize("name", sorted(ALL))
def test_samples(name: str) -> None:
    snapshot = ALL[name]()
    check(snapshot, lay(snapshot))


def test_two_slots_of_one_argument_have_two_lines_and_two_chips() -> None:
    plan = lay(square())
    assert plan.routes[0] != plan.routes[1] and plan.chips[0] != plan.chips[1]


def test_leaves_stand_beside_their_first_consumer() -> None:
    vertices = tuple(vertex(i) for i in range(5))
    edges = (Edge("n0", "n1", 0), Edge("n1", "n2", 0), Edge("n2", "n4", 0), Edge("n3", "n4", 1))
    assert columns(Snapshot(vertices, edges)) == {"n0": 0, "n1": 1, "n2": 2, "n3": 2, "n4": 3}


def test_a_leaf_stands_beside_its_consumer_though_that_one_ends_a_chain_of_one_leaf() -> None:
    vertices = tuple(vertex(i) for i in range(9))  # n0 → … → n6, and n7 joins at n8
    edges = (*(Edge(f"n{i}", f"n{i + 1}", 0) for i in range(6)), Edge("n6", "n8", 0), Edge("n7", "n8", 1))
    column = columns(Snapshot(vertices, edges))
    assert column["n8"] - column["n7"] == 1 and column["n6"] == 6


def test_a_value_enters_a_frame_from_its_side() -> None:
    plan = lay(network())
    first, second = (plan.frames["MLP", "layers", str(i)][0] for i in (0, 1))
    assert plan.vertices["n0"].x + plan.vertices["n0"].w < plan.frames["MLP",][0].x
    assert first.x + first.w < second.x
    assert ("MLP", "layers") not in plan.frames  # no title, no frame


def test_a_planar_diamond_is_drawn_with_few_crossings() -> None:
    from tinygrad_pt.viz import layout as module
    from tinygrad_pt.viz.ordering import _lanes, arrange, crossings

    snapshot = diamond()
    sizes = {v.id: (60.0, 40.0) for v in snapshot.vertices}
    items = module._items(snapshot, columns(snapshot), sizes, [None] * len(snapshot.edges), False)
    assert crossings(items, _lanes(items, arrange(items)[0])) <= 1


def calls(snapshot: Snapshot) -> int:
    """How many functions are called to lay out a graph: its cost, the same on any machine however busy it is."""
    count = itertools.count()
    before = sys.getprofile()
    sys.setprofile(lambda *_: next(count) and None)
    try:
        lay(snapshot)
    finally:
        sys.setprofile(before)
    return next(count)


@pytest.mark.long
@pytest.mark.parametrize("make", [large, chain])
def test_twice_the_vertices_take_no_more_than_three_times_the_work(make: Callable[[int], Snapshot]) -> None:
    assert calls(make(200)) < 3 * calls(make(100)) < 10_000_000


def test_depth_needs_no_recursion() -> None:
    scope = tuple(str(i) for i in range(1200))
    titles = {scope[:depth]: "m" for depth in range(1, 1201)}
    assert len(lay(Snapshot((vertex(0, scope=scope),), (), titles)).frames) == 1200
    vertices = tuple(vertex(i) for i in range(1500))
    line = Snapshot(vertices, tuple(Edge(f"n{i}", f"n{i + 1}", 0) for i in range(1499)))
    assert lay(line, chips=False).width > 1500


def test_rows_follow_one_another_like_lines_of_a_text() -> None:
    snapshot = chain(13)
    for rankdir in ("LR", "TB"):
        plan, one = lay(snapshot, rankdir, rows=3), lay(snapshot, rankdir)
        check(snapshot, plan)
        ends = {"LR": lambda box: (box.y, box.x), "TB": lambda box: (box.x, box.y)}[rankdir]
        order = sorted(snapshot.vertices[2:], key=lambda v: int(v.name[1:]))
        row, along = zip(*(ends(plan.vertices[v.id]) for v in order), strict=True)
        turns = [i for i, (a, b) in enumerate(itertools.pairwise(along)) if b < a]
        assert len(turns) == 2 and all(row[i + 1] > row[i] for i in turns)
        length = (plan.width, plan.height)[rankdir == "TB"] / (one.width, one.height)[rankdir == "TB"]
        assert 1 / 3 < length < 0.6


def test_rows_are_cut_where_the_fewest_lines_and_frames_are() -> None:
    vertices = [vertex(0, "x")]
    edges = []
    for step in range(6):  # net = x·w, y = σ(net): one line after y, two after w and y
        net, w = len(vertices), len(vertices) + 1
        vertices += [vertex(net, f"w{step}"), vertex(w, f"net{step}"), vertex(w + 1, f"y{step}")]
        edges += [Edge(f"n{net - 1}", f"n{w}", 0), Edge(f"n{net}", f"n{w}", 1), Edge(f"n{w}", f"n{w + 1}", 0)]
    plan = lay(Snapshot(tuple(vertices), tuple(edges)), rows=3)
    back = [route for route in plan.routes if any(b[0] < a[0] for a, b in itertools.pairwise(route))]
    assert len(back) == 2


def test_the_empty_graph_and_a_wrong_direction() -> None:
    assert lay(Snapshot(())).vertices == {}
    with pytest.raises(ValueError, match="rankdir"):
        lay(square(), "RL")
