"""A hundred programs and more: each bad one is flagged at its lines with its codes, no good one is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lint.run import expected, programs, verdict
from tinygrad_pt.linting import CODES

BAD, GOOD = programs("bad"), programs("good")


@pytest.mark.parametrize("name", BAD)
def test_a_bad_program_is_flagged_where_it_is_wrong_and_nowhere_else(name: str) -> None:
    assert expected(BAD[name]), "a bad program marks its lines"
    missed, false = verdict(BAD[name])
    assert not missed and not false


@pytest.mark.parametrize("name", GOOD)
def test_a_good_program_is_left_alone(name: str) -> None:
    assert not expected(GOOD[name])
    missed, false = verdict(GOOD[name])
    assert not false


def test_there_are_enough_of_them_and_every_code_has_one_and_the_page_counts_them() -> None:
    page = (Path(__file__).parents[2] / "docs" / "lint.md").read_text(encoding="utf-8")
    counts = (
        f"{len(BAD)} programs in which it must report the right lines, and {len(GOOD)} in which it must report nothing"
    )
    assert counts in " ".join(page.split()), f"docs/lint.md should say: {counts}"
    assert len(BAD) >= 40 and len(GOOD) >= 60
    unseen = set(CODES) - {code for program in BAD.values() for code, _ in expected(program)}
    assert not unseen, f"no program of tests/lint/bad_*.py has the bug of {unseen}"
