"""The Portuguese of what users are told: `portuguese.txt` has a text and its translation, which are found again here.

A block of the file is an English text and below it the Portuguese one, or one line that is the same in both, as code
is. `{}` stands for what is filled in, in the same order in both. The file is read when it is first needed.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path


@cache
def table() -> dict[str, str]:
    """English text → Portuguese text."""
    blocks = (Path(__file__).parent / "portuguese.txt").read_text(encoding="utf-8").strip().split("\n\n")
    return {lines[0]: lines[-1] for lines in map(str.splitlines, blocks)}


@cache
def patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """The texts that are filled in, those with more words of their own first, as expressions to match them with."""
    filled = sorted((english for english in table() if "{}" in english), key=len, reverse=True)
    return tuple((re.compile(re.escape(text).replace(r"\{\}", "(.*)"), re.DOTALL), table()[text]) for text in filled)


def translated(text: str) -> str:
    """A finished English text in Portuguese, what is filled in included; as it is where the table does not know it.

    >>> translated("give a number")
    'passe um número'
    >>> translated("use x itself: there is one process")
    'use o próprio x: há um só processo'
    """
    known = table().get(text)
    if known is not None:
        return known
    for pattern, portuguese in patterns():
        found = pattern.fullmatch(text)
        if found:
            return portuguese.format(*map(translated, found.groups()))
    return text
