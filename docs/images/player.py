"""Makes `player.png` again: `python docs/images/player.py` plays docs/player.md's neuron in the system's chromium."""

import re
import shutil
import tempfile
from contextlib import chdir
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[2]


def make(path: Path) -> None:
    """Run the page's first Python block, and photograph what it has written, in the middle of the backward pass."""
    block = re.search(r"^```python\n(.*?)^```$", (ROOT / "docs/player.md").read_text(encoding="utf-8"), re.M | re.S)
    assert block is not None
    with tempfile.TemporaryDirectory() as folder, chdir(folder), sync_playwright() as playwright:
        exec(compile(block[1], "player.md", "exec"), {"__name__": "__main__"})
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(Path("lesson.html").resolve().as_uri())
        page.click("#many")
        for _ in range(3):
            page.keyboard.press("ArrowLeft")
        page.screenshot(path=path)
        browser.close()


if __name__ == "__main__":
    make(Path(__file__).with_suffix(".png"))
