"""Anomaly mode hears the line of each change in place, and keeps nothing when it ends."""

from __future__ import annotations

import inspect

import tinygrad_pt as torch
from tinygrad_pt.debugging.anomaly import line_of_change


def test_lines_of_changes_are_kept_while_somebody_listens() -> None:
    x = torch.zeros(1)
    with torch.autograd.detect_anomaly():
        with torch.autograd.detect_anomaly(check_nan=False):
            x.add_(1)
            line = inspect.currentframe().f_lineno - 1
            time = x.version[1]
            assert line_of_change(time).number == line and line_of_change(time).file == __file__
        assert line_of_change(time).number == line, "the outer one has heard it too"
        x.add_(1)
        assert line_of_change(x.version[1]) is not None
        with torch.autograd.set_detect_anomaly(False):
            assert line_of_change(time).number == line
    assert line_of_change(time) is None
    x.add_(1)
    assert line_of_change(x.version[1]) is None


def test_steps_of_optimizers_are_heard() -> None:
    w = torch.zeros(2, requires_grad=True)
    w.grad = torch.ones(2)
    optimizers = [torch.optim.SGD([w], lr=1.0), torch.optim.SGD([w], lr=1.0, momentum=0.9), torch.optim.Adam([w])]
    with torch.autograd.detect_anomaly():
        for optimizer in optimizers:
            optimizer.step()
            assert line_of_change(w.version[1]).text == "optimizer.step()"


def test_the_latest_ten_thousand_changes_are_kept() -> None:
    x = torch.zeros(1)
    with torch.autograd.detect_anomaly():
        times = []
        for _ in range(10_001):
            x.add_(1)
            times.append(x.version[1])
        assert line_of_change(times[0]) is None
        assert all(line_of_change(time) is not None for time in times[1:])
