"""The wrong inputs of PyTorch's database are refused with PyTorch's type and text."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")
pytest.importorskip("expecttest")


def test_wrong_inputs_are_refused_with_pytorchs_type_and_text() -> None:
    from tests.conformance.errors import measures

    found = measures()
    assert found[0].total > 600
    for measure in found:  # that they raise, the type, the text
        assert not measure.failures, "\n".join(measure.failures)
