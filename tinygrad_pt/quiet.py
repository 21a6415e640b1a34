"""NumPy's warnings about inf and nan, which are ordinary values here: none is shown where this package calls NumPy.

To enter `np.errstate` for each op would cost more than 1 % of a small training step. Here nothing is paid as long as
NumPy has nothing to say. A filter of `warnings` would do, but whoever resets or adds filters takes it away; so the
warnings are held back at the one place which all that are shown pass, whatever the filters are. Where warnings or
floating point errors raise (`-W error`, `np.errstate(all="raise")`), ops compute again (`SIGNALS`). The user's own
calls of NumPy keep their warnings.
"""

from __future__ import annotations

import re
import sys
import warnings
from typing import Any

from tinygrad_pt.lines import INSIDE, PACKAGE

SIGNALS = (RuntimeWarning, FloatingPointError)  # what NumPy raises instead of a warning, if the user has told it to
TEXTS = re.compile(r"(\w+ )+encountered in |Mean of empty slice|Degrees of freedom <= 0|All-NaN ")
NUMPY = INSIDE[1]

warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"tinygrad_pt\.")


def called_by_us() -> bool:
    """Whether the innermost frame that is neither NumPy's nor that of a warning belongs to this package."""
    frame = sys._getframe(1)
    while frame.f_back is not None:
        path = frame.f_code.co_filename
        if path not in (__file__, warnings.__file__) and not path.startswith((NUMPY, "<frozen ")):
            return path.startswith(PACKAGE)
        frame = frame.f_back
    return False


def _held_back(show: Any) -> Any:
    def showing(message: Any) -> None:
        about = message.category, str(message.message)
        if not (issubclass(about[0], RuntimeWarning) and TEXTS.match(about[1]) and called_by_us()):
            show(message)

    showing.holds_back = True  # type: ignore[attr-defined]
    return showing


if not hasattr(warnings._showwarnmsg, "holds_back"):  # type: ignore[attr-defined]
    warnings._showwarnmsg = _held_back(warnings._showwarnmsg)  # type: ignore[attr-defined]
