"""Nothing overlaps, nothing is cut off, no line runs through a box or a title: on every sample and any graph."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.viz import geometry
from tests.viz.samples import ALL, chain, network, snapshots
from tinygrad_pt.viz.model import Snapshot
from tinygrad_pt.viz.options import Look
from tinygrad_pt.viz.svg import paint

LOOKS = {
    "right": Look("LR"), "down": Look("TB"), "rows": Look("LR", wrap=3), "columns": Look("TB", wrap=2),
    "narrow": Look(width=900), "slide": Look(width=1280, ratio=16 / 9), "large text": Look(width=1280, fontsize=20),
}  # fmt: skip


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", sorted(set(ALL) - {"large", "chain"}))
def test_samples(name: str, look: str) -> None:
    geometry.check(paint(ALL[name](), LOOKS[look]))


@pytest.mark.parametrize("look", LOOKS)
def test_one_value_that_every_step_reads_passes_all_rows(look: str) -> None:
    geometry.check(paint(chain(40), LOOKS[look]))


@pytest.mark.long
@given(snapshots(), st.sampled_from(sorted(LOOKS)), st.sampled_from(["both", "none"]))
@settings(max_examples=150, deadline=None)
def test_any_graph(snapshot: Snapshot, look: str, labels: str) -> None:
    geometry.check(paint(snapshot, replace(LOOKS[look], edge_labels=labels)))


def test_the_check_sees_a_line_through_a_title() -> None:
    svg = paint(network(), Look("TB"))
    drawn = geometry.check(svg)
    title = drawn.titles[0].texts[0]
    crossing = [x for _, points in drawn.lines for (x, a), (_, b) in pairwise(points) if a < title.y < b]
    start = re.search(r'<g class="frame".*?<text [^>]* x="([\d.]+)"', svg, re.DOTALL)
    assert crossing and start
    place = float(start[1]) + crossing[0] - title.x - 5
    broken = f'{svg[: start.start(1)]}{place}"{svg[start.end(1) + 1 :]}'
    with pytest.raises(AssertionError, match="frame"):
        geometry.check(broken)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (r'(<g class="node input.*?<rect [^>]* x=")[\d.]+"', r'\g<1>150"', "a box moved onto another"),
        (r'(<g class="frame".*?<text [^>]* x=")[\d.]+"', r'\g<1>900"', "a title moved out of its frame"),
        (r'(<text class="name[^>]*>)X<', r"\1a name longer than its box<", "a text longer than its box"),
    ],
)
def test_the_check_sees_faults(old: str, new: str, fault: str) -> None:
    svg = paint(network(), Look("TB"))
    broken = re.sub(old, new, svg, count=1, flags=re.DOTALL)
    assert broken != svg
    with pytest.raises(AssertionError):
        geometry.check(broken)
