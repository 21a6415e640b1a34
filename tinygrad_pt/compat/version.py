"""`torch.version`."""

from __future__ import annotations

from typing import Any

import tinygrad_pt

__all__ = ["__version__", "cuda", "debug", "git_version", "hip", "xpu"]
__version__ = tinygrad_pt.__version__
cuda: Any = None
hip: Any = None
xpu: Any = None
debug = False
git_version = ""
