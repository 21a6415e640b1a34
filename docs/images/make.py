"""Makes this folder's picture again: `python docs/images/make.py` runs the README's first Python block."""

import contextlib
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def make(folder: Path) -> None:
    """Write into `folder` what the README's first Python block draws."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"^```python\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    assert block is not None, "README.md has no Python block"
    with contextlib.chdir(folder):
        exec(compile(block[1], "README.md", "exec"), {"__name__": "__main__"})


if __name__ == "__main__":
    make(Path(__file__).parent)
