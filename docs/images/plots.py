"""Makes the pictures of docs/plots.md again: `python docs/images/plots.py` runs the page's Python blocks."""

import re
from contextlib import chdir
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def make(folder: Path) -> None:
    """Run the page's blocks, one after the other; they save into `folder`."""
    page = (ROOT / "docs/plots.md").read_text(encoding="utf-8")
    names = {"__name__": "__main__"}
    with chdir(folder):
        for block in re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
            exec(compile(block, "plots.md", "exec"), names)


if __name__ == "__main__":
    make(Path(__file__).parent)
