"""Freed memory stays with the process: a step that asks for as much as the one before it meets no new page.

The GNU C library takes blocks above a threshold from the kernel one by one, and gives back the end of its heap when
that grows beyond another one. Every page is then fetched and zeroed anew in every step, which is a tenth of the time of
a small GPT and a quarter of that of an LSTM. The thresholds adapt (mallopt(3), M_MMAP_THRESHOLD): when a block is freed
that came from the kernel, they rise to its size and to twice its size, up to 32 MiB and 64 MiB. Such a block is taken
and freed here. Nobody writes to it, so it never has a page. Other C libraries are as they were.
"""

from __future__ import annotations

import numpy as np

LARGEST = 2**25 - 2**16  # bytes: with the library's own head, and rounded to pages, just below the 32 MiB

np.empty(LARGEST, np.uint8)
