"""Who listens to in-place changes hears the line of each, until the last listener stops."""

from __future__ import annotations

import inspect

import tinygrad_pt as torch
from tinygrad_pt.autograd.trace import hear_changes, line_of_change


def test_lines_of_changes_are_kept_while_anybody_listens() -> None:
    x = torch.zeros(1)
    hear_changes("one", True)
    hear_changes("another", True)
    try:
        x.add_(1)
        line = inspect.currentframe().f_lineno - 1
        clock = x.version[1]
        assert line_of_change(clock).number == line and line_of_change(clock).file == __file__
        hear_changes("one", False)
        assert line_of_change(clock).number == line, "somebody still listens"
        x.add_(1)
        assert line_of_change(x.version[1]) is not None
    finally:
        hear_changes("another", False)
    assert line_of_change(clock) is None
    x.add_(1)
    assert line_of_change(x.version[1]) is None


def test_the_latest_ten_thousand_changes_are_kept() -> None:
    x = torch.zeros(1)
    hear_changes("me", True)
    try:
        clocks = []
        for _ in range(10_001):
            x.add_(1)
            clocks.append(x.version[1])
        assert line_of_change(clocks[0]) is None
        assert all(line_of_change(clock) is not None for clock in clocks[1:])
    finally:
        hear_changes("me", False)
