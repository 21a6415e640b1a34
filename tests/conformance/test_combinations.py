"""A seventh of all combinations of functions, dtypes and numbers; `python -m tests.conformance` tries all of them."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")
pytest.importorskip("expecttest")


def test_value_and_dtype_or_the_refusal_are_those_of_pytorch() -> None:
    from tests.conformance.combinations import measures

    (measure,) = measures(part=3, parts=7)
    assert measure.total > 10_000
    assert measure.percent >= 99.5, "\n".join([str(measure), *measure.failures[:40]])
