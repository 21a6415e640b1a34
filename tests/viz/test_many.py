"""The graphs of whole programs are drawn: every program of tests/programs, at its first backward pass."""

from __future__ import annotations

import shutil
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

import tinygrad_pt as torch
from tests.programs.test_programs import PROGRAMS, printed
from tinygrad_pt import nn, viz
from tinygrad_pt.viz import Drawing

LEARNING = [path for path in PROGRAMS if "backward(" in path.read_text(encoding="utf-8")]


class Seen(Exception):
    """The first backward pass has begun."""


def first_loss(path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The tensor that a program first calls `backward` on."""
    found = []

    def backward(self: Any, *args: Any, **kwargs: Any) -> None:
        found.append(self)
        raise Seen

    with monkeypatch.context() as patch:
        patch.setattr(torch.Tensor, "backward", backward)
        with pytest.raises(Seen):
            printed(path, ours=True)
    return found[0]


def expect_picture(picture: Drawing) -> None:
    root = ET.fromstring(picture.svg)
    assert float(root.attrib["width"]) > 0
    assert "digraph" in picture.dot


@pytest.mark.long
@pytest.mark.parametrize("path", LEARNING, ids=[path.stem for path in LEARNING])
def test_every_program_is_drawn_in_every_view(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loss = first_loss(path, monkeypatch)
    for options in ({}, {"view": "module"}, {"depth": 0}, {"max_nodes": 30}):
        expect_picture(viz.draw(loss, **options))  # type: ignore[arg-type]


@pytest.mark.long
@pytest.mark.skipif(not shutil.which("dot"), reason="there is no dot program")
@pytest.mark.parametrize("engine", ["dot", "pygraphviz"])
@pytest.mark.parametrize("path", LEARNING, ids=[path.stem for path in LEARNING])
def test_every_program_is_drawn_by_graphviz(engine: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if engine == "pygraphviz":
        pytest.importorskip("pygraphviz")
    svg = viz.draw(first_loss(path, monkeypatch), view="module", max_nodes=40, engine=engine).svg
    assert ET.fromstring(svg).tag.endswith("svg")


def test_a_transformer_of_twelve_layers_fits_a_page() -> None:
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
    net = nn.Sequential(nn.Embedding(50, 32), nn.TransformerEncoder(layer, 12), nn.Linear(32, 50)).eval()
    x = torch.randint(0, 50, (2, 7))
    loss = nn.functional.cross_entropy(net(x).flatten(0, 1), torch.randint(0, 50, (14,)))
    root = ET.fromstring(viz.draw(loss, view="module", width=1000, ratio=10 / 9).svg)
    assert float(root.attrib["width"]) <= 1000 and float(root.attrib["height"]) <= 900
    assert "TransformerEncoderLayer × 12" in ET.tostring(root, encoding="unicode")
