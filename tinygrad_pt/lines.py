"""Lines of the user's program: the place where it applied an op, wrote a tensor or made an optimizer."""

from __future__ import annotations

import linecache
import os
import sys
from types import FrameType
from typing import NamedTuple

import numpy as np

PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep
INSIDE = (PACKAGE, os.path.dirname(np.__file__) + os.sep)  # `np.errstate` as a decorator adds a frame of NumPy


class Line(NamedTuple):
    """A line of the user's program."""

    file: str
    number: int
    function: str

    @property
    def text(self) -> str:
        """The source of the line, or "" where it cannot be read."""
        return linecache.getline(self.file, self.number).strip()

    def __str__(self) -> str:
        return f"{self.file}:{self.number} in {self.function}" + (f": {self.text}" if self.text else "")


def user_frame() -> FrameType | None:
    """The innermost frame outside this package and NumPy that led here."""
    frame: FrameType | None = sys._getframe()
    while frame is not None and frame.f_code.co_filename.startswith(INSIDE):
        frame = frame.f_back
    return frame


def line_at(frame: FrameType | None) -> Line | None:
    """The line at which a frame stands."""
    return None if frame is None else Line(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)


def caller() -> Line | None:
    """The innermost line outside this package and NumPy that led here."""
    return line_at(user_frame())
