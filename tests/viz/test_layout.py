"""The built-in layout: nothing overlaps, everything flows one way, quickly and always alike."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.viz.samples import ALL, chain, diamond, large, network, snapshots, square, vertex
from tinygrad_pt.viz.layout import Box, Layout, columns, layout
from tinygrad_pt.viz.model import Edge, Snapshot

SLACK = 0.05


def lay(snapshot: Snapshot, rankdir: str = "LR", chips: bool = True) -> Layout:
    sizes = {v.id: (60.0 + 13 * (i % 4), 30.0 + 11 * (i % 3)) for i, v in enumerate(snapshot.vertices)}
    labels = [(50.0 + 9 * (i % 5), 18.0) if chips and edge.flows else None for i, edge in enumerate(snapshot.edges)]
    return layout(snapshot, sizes, labels, rankdir)


def overlap(one: Box, two: Box) -> bool:
    return (
        one.x + one.w > two.x + SLACK and two.x + two.w > one.x + SLACK
        and one.y + one.h > two.y + SLACK and two.y + two.h > one.y + SLACK
    )  # fmt: skip


def within(inner: Box, outer: Box) -> bool:
    return (
        outer.x <= inner.x + SLACK and inner.x + inner.w <= outer.x + outer.w + SLACK
        and outer.y <= inner.y + SLACK and inner.y + inner.h <= outer.y + outer.h + SLACK
    )  # fmt: skip


def check(snapshot: Snapshot, plan: Layout) -> None:
    boxes = [*plan.vertices.values(), *(box for box in plan.chips if box)]
    page = Box(0, 0, plan.width, plan.height)
    assert all(within(box, page) for box in [*boxes, *plan.frames.values()])
    assert not any(overlap(a, b) for a, b in itertools.combinations(boxes, 2))
    for one, two in itertools.combinations(plan.frames, 2):
        if one == two[: len(one)]:
            assert within(plan.frames[two], plan.frames[one])
        else:
            assert not overlap(plan.frames[one], plan.frames[two])
    for scope, frame in plan.frames.items():
        for v in snapshot.vertices:
            inside = v.scope[: len(scope)] == scope
            assert within(plan.vertices[v.id], frame) if inside else not overlap(plan.vertices[v.id], frame)
    for edge, route in zip(snapshot.edges, plan.routes, strict=True):
        flow = [point[plan.rankdir == "TB"] for point in route]
        assert flow == sorted(flow) and len(route) % 2 == 0
        for number, (a, b) in enumerate(itertools.pairwise(route)):
            if number % 2 == 0:  # a straight stretch: it may touch its own ends' boxes and its own chip only
                assert a[plan.rankdir == "LR"] == b[plan.rankdir == "LR"]
                line = Box(min(a[0], b[0]), min(a[1], b[1]), abs(a[0] - b[0]), abs(a[1] - b[1]))
                own = {edge.source, edge.target}
                assert not any(overlap(line, box) for key, box in plan.vertices.items() if key not in own)
    for target in {edge.target for edge in snapshot.edges}:
        ports = [
            (e.slot, r[-1][plan.rankdir == "LR"])
            for e, r in zip(snapshot.edges, plan.routes, strict=True)
            if e.target == target
        ]
        assert sorted(ports) == sorted(ports, key=lambda port: port[1])


@pytest.mark.long
@given(snapshots(), st.sampled_from(["LR", "TB"]), st.booleans())
@settings(max_examples=120, deadline=None)
def test_any_graph(snapshot: Snapshot, rankdir: str, chips: bool) -> None:
    check(snapshot, lay(snapshot, rankdir, chips))


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


def test_a_value_enters_a_frame_from_its_side() -> None:
    plan = lay(network())
    first, second = (plan.frames["MLP", "layers", str(i)] for i in (0, 1))
    assert plan.vertices["n0"].x + plan.vertices["n0"].w < plan.frames["MLP",].x
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


def test_the_empty_graph_and_a_wrong_direction() -> None:
    assert lay(Snapshot(())).vertices == {}
    with pytest.raises(ValueError, match="rankdir"):
        lay(square(), "RL")
