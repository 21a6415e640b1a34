"""The figures of docs/conformance.md are those of this checkout, and as good as they must be.

Each slice of the entries is a test of its own, so that several processes share the work.
"""

from __future__ import annotations

import pytest

pytest.importorskip("torch")
pytest.importorskip("expecttest")

from tests.conformance import modules, operators, optimizers, page, second  # noqa: E402
from tests.conformance.measure import Measure  # noqa: E402

SLICES, SECOND_SLICES = 16, 4
AGAIN = "run python -m tests.conformance --write"
BOUNDS = {  # percent, at least
    "sample inputs, function": 99.7, "sample inputs, method": 99.7, "sample inputs, in-place": 99.7,
    "second derivatives, entries": 99.0, "second derivatives, samples": 99.0, "modules": 99.0, "optimizers": 100.0,
}  # fmt: skip


def complaints(name: str, found: list[Measure], quoted: tuple[int, int]) -> list[str]:
    """What is not as the page says of an entry: the samples that disagree, or that the page is out of date."""
    agree, total = page.counted(found)
    if (agree, total) == quoted:
        return []
    failures = [text for measure in found for text in measure.failures]
    return [f"{name}: {agree} of {total} agree, the page says {quoted[0]} of {quoted[1]}: {AGAIN}", *failures[:10]]


@pytest.mark.parametrize("part", range(SLICES))
def test_samples_agree_as_the_page_says(part: int) -> None:
    quoted, wrong = page.quoted_entries(), []
    for name, ways in operators.by_entry(part=part, parts=SLICES).items():
        wrong += complaints(name, list(ways.values()), quoted.get(name, ((0, 0), (0, 0)))[0])
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("part", range(SECOND_SLICES))
def test_second_derivatives_agree_as_the_page_says(part: int) -> None:
    quoted, wrong = page.quoted_entries(), []
    for name, measure in second.by_entry(part=part, parts=SECOND_SLICES).items():
        wrong += complaints(name, [measure], quoted.get(name, ((0, 0), (0, 0)))[1])
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("part", [modules, optimizers], ids=["modules", "optimizers"])
def test_modules_and_optimizers_agree_as_the_page_says(part: object) -> None:
    for measure in part.measures():  # type: ignore[attr-defined]
        assert not complaints(measure.name, [measure], page.quoted_figures()[measure.name])


def test_the_page_has_an_entry_for_all_that_is_provided_and_adds_up() -> None:
    entries, figures = page.quoted_entries(), page.quoted_figures()
    assert set(entries) == {operators.title(op) for op in operators.provided()}, AGAIN
    ways = [figures[f"sample inputs, {way}"] for way in operators.WAYS]
    for i in range(2):
        assert sum(samples[i] for samples, _ in entries.values()) == sum(way[i] for way in ways)
        assert sum(derived[i] for _, derived in entries.values()) == figures["second derivatives, samples"][i]


@pytest.mark.parametrize("name", BOUNDS)
def test_as_much_agrees_as_must(name: str) -> None:
    agree, total = page.quoted_figures()[name]
    assert total and 100 * agree / total >= BOUNDS[name]
