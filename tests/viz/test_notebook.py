"""A notebook that draws, run and converted by Jupyter's own tools, shows the whole picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

CODE = """
import tinygrad_pt as torch
from tinygrad_pt import viz
x, w, b = torch.tensor(2.0), torch.tensor(0.5, requires_grad=True), torch.tensor(-0.25, requires_grad=True)
h = x
for _ in range(4):
    h = torch.sigmoid(w * h + b)
h.backward()
viz.draw(h)
"""
INSIDE = """
() => [...document.querySelectorAll("svg.tinygrad-pt")].map(svg => {
  const page = svg.getBoundingClientRect();
  const parts = [...svg.querySelectorAll("rect, text")].map(e => e.getBoundingClientRect());
  return {
    left: page.left, right: page.right, ratio: page.width / page.height,
    wanted: svg.viewBox.baseVal.width / svg.viewBox.baseVal.height, parts: parts.length,
    outside: parts.filter(p => p.left < page.left - 1 || p.right > page.right + 1 || p.bottom > page.bottom + 1).length,
  };
})
"""


@pytest.mark.long
def test_the_whole_picture_is_shown(browser: Any, tmp_path: Path) -> None:
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    exporter = pytest.importorskip("nbconvert").HTMLExporter()
    pytest.importorskip("ipykernel")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CODE)])
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    (output,) = notebook.cells[0].outputs
    assert {"image/svg+xml", "text/html", "text/plain"} <= output.data.keys()
    html = tmp_path / "notebook.html"
    html.write_text(exporter.from_notebook_node(notebook)[0], "utf-8")
    for width in (1280, 900):
        window = browser.new_context(viewport={"width": width, "height": 900}, offline=True)
        page = window.new_page()
        page.goto(html.as_uri(), wait_until="domcontentloaded")
        (seen,) = page.evaluate(INSIDE)
        window.close()
        assert 0 <= seen["left"] < seen["right"] <= width and seen["outside"] == 0 and seen["parts"] > 50
        assert seen["ratio"] == pytest.approx(seen["wanted"], rel=0.01)
