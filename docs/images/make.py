"""Makes this folder's pictures again: `python docs/images/make.py`."""

import contextlib
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def make(folder: Path) -> None:
    """Write into `folder` what the README's first Python block draws, and the lecture's chain on a slide."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"^```python\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    assert block is not None, "README.md has no Python block"
    with contextlib.chdir(folder):
        exec(compile(block[1], "README.md", "exec"), {"__name__": "__main__"})
    slide(folder / "slide.svg")


def slide(path: Path) -> None:
    """Three layers of one neuron each, with the numbers of the lecture, on a page of 1280 × 720 pixels."""
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
    viz.draw(E, width=1280, ratio=16 / 9, lang="en").save(path)


if __name__ == "__main__":
    make(Path(__file__).parent)
