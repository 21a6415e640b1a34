"""Names that live in leaves, found where PyTorch's users look for them.

Nothing above imports a leaf: `torch.autograd.gradcheck` or `x.why_nan()` fetch theirs when they are first asked for.
This is the one place where the package reaches up.
"""

from __future__ import annotations

import importlib
from typing import Any


def fetch(place: str) -> Any:
    """The object at `room.file:name`.

    >>> fetch("testing.compat:gradcheck").__name__
    'gradcheck'
    """
    room, _, name = place.partition(":")
    module = importlib.import_module(f"tinygrad_pt.{room}")
    return getattr(module, name) if name else module
