"""Runs the Python of a page of Markdown: what a reader copies must work, and print what the page says."""

import contextlib
import doctest
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def blocks(page: str, language: str) -> list[str]:
    """The bodies of a page's fenced blocks of exactly this language, first to last."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def run(page: str, folder: Path) -> dict[str, Any]:
    """Run all Python blocks of a page one after the other in `folder`; the names they leave."""
    names: dict[str, Any] = {"__name__": "__main__"}
    with contextlib.chdir(folder):
        for number, block in enumerate(blocks(page, "python"), 1):
            if ">>>" in block:
                said: list[str] = []
                test = doctest.DocTestParser().get_doctest(block, names, f"{page}, block {number}", page, 0)
                runner = doctest.DocTestRunner(optionflags=OPTIONS)
                runner.run(test, out=said.append, clear_globs=False)
                assert runner.failures == 0, "".join(said)
                names = test.globs
            else:
                exec(compile(block, f"{page}, block {number}", "exec"), names)
    return names


def links(page: str) -> list[Path]:
    """The files of this checkout that a page links to or shows."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = re.findall(r"\]\(([^)#\s]+)[^)]*\)", text)
    return [(ROOT / page).parent / target for target in found if "://" not in target]
