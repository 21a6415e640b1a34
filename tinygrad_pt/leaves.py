"""Fetching names from the leaves, which are the rooms that no other room imports (`debugging`, `viz`, `testing`, …).

`torch.autograd.gradcheck` and `x.why_nan()`, for example, are where users look for them, but the leaf that defines them
is imported only when one of them is used. This is the one place from which an import goes up.
"""

from __future__ import annotations

import importlib
from typing import Any


def fetch(place: str) -> Any:
    """The object at `room.file:name`, or the module at `room.file`.

    >>> fetch("testing.compat:gradcheck").__name__
    'gradcheck'
    """
    room, _, name = place.partition(":")
    module = importlib.import_module(f"tinygrad_pt.{room}")
    return getattr(module, name) if name else module
