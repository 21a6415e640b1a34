"""The wrong inputs of PyTorch's database are refused with PyTorch's type and text."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")
pytest.importorskip("expecttest")


STILL = {  # entries that do not yet refuse every wrong input in PyTorch's words
    "clamp_max", "clamp_min", "hsplit", "narrow_copy", "nn.LinearCrossEntropyLoss", "nn.functional.avg_pool2d",
    "nn.functional.avg_pool3d", "nn.functional.max_pool1d", "nn.functional.max_pool2d", "nn.functional.max_pool3d",
    "ormqr", "vsplit",
}  # fmt: skip


def test_wrong_inputs_are_refused_with_pytorchs_type_and_text() -> None:
    from tests.conformance.errors import measures

    found = measures()
    assert found[0].total > 600
    for measure, most in zip(found, (2, 4, 30), strict=True):  # that they raise, the type, the text
        others = [text for text in measure.failures if text.partition(" ")[0] not in STILL]
        assert not others and len(measure.failures) <= most, "\n".join(others or measure.failures)
